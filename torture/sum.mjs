// Adds up the shards of a run, on one machine or from several, and says whether all of it holds.

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** @param {string} folder */
export async function readShards(folder) {
  const names = (await readdir(folder).catch(() => [])).filter((name) => /^shard-.*\.json$/.test(name)).sort();
  return Promise.all(names.map(async (name) => JSON.parse(await readFile(path.join(folder, name), 'utf8'))));
}

const total = (list, pick) => list.reduce((sum, one) => sum + (pick(one) ?? 0), 0);

function row(...cells) {
  return cells.map((cell, index) => (index === 0 ? String(cell).padEnd(24) : String(cell).padStart(13))).join('');
}

function broken(report) {
  return Object.entries(report?.broken ?? {}).map(([rule, { count }]) => `${rule} × ${count}`).join(', ');
}

const at = (sorted, share) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];

/** The lines of the table, and how many shards passed, failed, and are missing.
 *  @param {any[]} shards @param {string[]} wanted Names of all shards of the run. */
export function sum(shards, wanted) {
  const lines = [];
  const of = (kind) => shards.filter((shard) => shard.kind === kind);
  const reports = (kind) => of(kind).map(({ report }) => report).filter(Boolean);
  const machines = [...new Set(shards.map(({ machine }) => machine).filter(Boolean))];
  if (machines.length > 0) lines.push(`On ${machines.join('; ')}`, '');

  for (const [kind, what] of [['deliveries', 'Deliveries with random SIGKILLs'], ['crash points', 'Crash points']]) {
    const all = reports(kind);
    if (all.length === 0) continue;
    lines.push(`${what}: ${total(all, ({ planned }) => planned)} deliveries, ${total(all, ({ posts }) => posts)} posts, ` +
      `${total(all, ({ kills }) => kills)} kills, ${total(all, ({ crashes }) => crashes)} crashes`);
    const settled = total(all, ({ unknown }) => unknown.total);
    const states = {};
    for (const { states: some } of all) for (const [state, count] of Object.entries(some)) states[state] = (states[state] ?? 0) + count;
    lines.push(`  ended: ${Object.entries(states).map(([state, count]) => `${count} ${state}`).join(', ')}; unknown ${settled}, settled unaided ${total(all, ({ unknown }) => unknown.unaided)}`);
    const count = (rule) => total(all, ({ broken }) => broken[rule]?.count);
    lines.push(`  lost ${count('lost')}, doubled ${count('doubled')}, wrong account ${count('wrong account')}, unplanned ${count('unplanned')}, denied ${count('denied')}`, '');
  }

  const flipped = reports('flips');
  if (flipped.length > 0) {
    const rates = [...new Set(of('flips').map(({ rate, highest }) => (highest ? `${rate}/s (80 % of ${highest}/s, which the machine sustained)` : `${rate}/s`)).filter(Boolean))];
    lines.push(`Kill switches, 8 workers, ${rates.join(', ')}; milliseconds from the click to the last first byte`);
    lines.push(row('condition', 'flips', 'p50', 'p95', 'p99', 'max', 'limit', 'late', 'residue'));
    const names = [...new Set(flipped.flatMap(({ conditions }) => Object.keys(conditions)))];
    for (const name of names) {
      const parts = flipped.map(({ conditions }) => conditions[name]).filter(Boolean);
      const last = parts.flatMap((part) => part.last).sort((one, other) => one - other);
      const late = last.filter((time) => time > parts[0].limit).length;
      lines.push(row(name, last.length, ...[0.5, 0.95, 0.99, 1].map((share) => at(last, share).toFixed(1)), parts[0].limit, late, total(parts, ({ residue }) => residue)));
    }
    lines.push('');
  }

  const planted = reports('planted bugs').flatMap(({ caught }) => Object.entries(caught));
  if (planted.length > 0) {
    lines.push(`Planted bugs: ${planted.filter(([, { is_caught }]) => is_caught).length} of ${planted.length} made their run fail`);
    for (const [bug, { run, is_caught, by }] of planted) lines.push(`  ${bug.padEnd(26)}${run.padEnd(26)}${is_caught ? by.join(', ') : 'SURVIVED'}`);
    lines.push('');
  }

  const failed = shards.filter(({ ok }) => !ok);
  for (const shard of failed) {
    lines.push(`FAILED ${shard.name} (seed ${shard.seed}): ${shard.error ?? broken(shard.report)}`);
    for (const [rule, { examples }] of Object.entries(shard.report?.broken ?? {})) lines.push(...examples.slice(0, 3).map((example) => `    ${rule}: ${example}`));
    for (const [bug, { is_caught, broken: found }] of Object.entries(shard.report?.caught ?? {})) {
      if (!is_caught) lines.push(`    ${bug} survived; broken were: ${broken({ broken: found }) || 'no rules'}`);
    }
  }
  const missing = wanted.filter((name) => !shards.some((shard) => shard.name === name));
  if (missing.length > 0) lines.push(`Not run yet: ${missing.join(', ')}`);
  return { lines, passed: shards.length - failed.length, failed: failed.length, missing: missing.length };
}
