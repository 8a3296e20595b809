// The figures of the live sellers' file, computed straight from it and by no code of RTV's. The file is public
// research data that lies beside the project; where it is absent, tests that need it are skipped and say so.

import { existsSync, readFileSync } from 'node:fs';
import { test } from './fixtures.ts';
import { liveSellersFile } from './people.mjs';

export interface Figures {
  posts: number;
  engagements: number;
}

/** Skips the test, loudly, where the live sellers' file is not there. */
export function needLiveSellers(): void {
  needFile(liveSellersFile);
}

/** Skips the test, loudly, where a file is not there that tenants have their posts from. */
export function needFile(file: string): void {
  const isAbsent = !existsSync(file);
  if (isAbsent) console.warn(`NOT TESTED: ${file} is absent, so nothing that stands on it is looked at.`);
  test.skip(isAbsent, `${file} is absent`);
}

let rows: { id: string; month: string; account: string; engagements: number; hour: string }[] | undefined;

/** One entry for each post: of lines with the same id the first counts, as the import says it does. */
function posts() {
  if (rows) return rows;
  const seen = new Set<string>();
  rows = [];
  const [heading, ...lines] = readFileSync(liveSellersFile, 'utf8').trim().split(/\r?\n/);
  const column = (name: string) => heading!.split(',').indexOf(name);
  const [id, published] = [column('status_id'), column('status_published')];
  const counts = ['num_comments', 'num_shares', 'num_reactions'].map(column);
  for (const line of lines) {
    const cells = line.split(',');
    if (seen.has(cells[id]!)) continue;
    seen.add(cells[id]!);
    const [date, time] = cells[published]!.split(' ');
    const [month, day, year] = date!.split('/');
    // Weekdays count from Monday = 1; the file's times are the tenant's own.
    const weekday = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDay() || 7;
    rows.push({
      id: cells[id]!,
      hour: `${weekday}-${Number(time!.split(':')[0])}`,
      month: `${year}-${month!.padStart(2, '0')}`,
      account: cells[id]!.split('_')[0]!,
      engagements: counts.reduce((sum, count) => sum + Number(cells[count]), 0),
    });
  }
  return rows;
}

/** What was published in a month like 2018-04, by everybody or by one account. */
export function figuresOf(month: string, account?: string): Figures {
  const of = posts().filter((post) => post.month === month && (account === undefined || post.account === account));
  return { posts: of.length, engagements: of.reduce((sum, post) => sum + post.engagements, 0) };
}

/** What was published in a month by weekday and hour, as `1-20` for Mondays from 20:00. */
export function hoursOf(month: string): Map<string, Figures> {
  const hours = new Map<string, Figures>();
  for (const post of posts().filter((post) => post.month === month)) {
    const { posts: count, engagements } = hours.get(post.hour) ?? { posts: 0, engagements: 0 };
    hours.set(post.hour, { posts: count + 1, engagements: engagements + post.engagements });
  }
  return hours;
}

/** Engagements of each post of a month, the most first. */
export function engagementsOf(month: string): number[] {
  const of = posts().filter((post) => post.month === month);
  return of.map((post) => post.engagements).sort((left, right) => right - left);
}

/** The accounts that published in a month. */
export function accountsOf(month: string): string[] {
  return [...new Set(posts().filter((post) => post.month === month).map((post) => post.account))].sort();
}

/** The last day of a month. */
export function lastDay(month: string): string {
  const [year, number] = month.split('-').map(Number);
  return new Date(Date.UTC(year!, number!, 0)).toISOString().slice(0, 10);
}

/** The query of a page that shows one whole month. */
export function monthQuery(month: string): string {
  return `range=custom&from=${month}-01&to=${lastDay(month)}`;
}
