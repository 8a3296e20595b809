// measure.mjs [PAGE…]: runs Lighthouse with its mobile preset (a mid-range phone on a slow line, simulated) on the pages
// of pages.mjs, all of them or those that are named, against a seeded server of its own. Prints the scores, fails below
// the limits, and then names what cost them. Of three runs the middle one counts.

import * as chromeLauncher from 'chrome-launcher';
import lighthouse from 'lighthouse';
import { email } from '../people.mjs';
import { startServer } from '../server.mjs';
import { signIn } from '../sign-in.mjs';
import { least, most, pages } from './pages.mjs';

const runs = 3;
const wanted = process.argv.slice(2);
const chosen = pages.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
if (chosen.length === 0) throw new Error(`there is no page ${wanted.join(', ')}; there are ${pages.map(({ name }) => name).join(', ')}`);

const row = (name, cells) => console.log(`${name.padEnd(14)}${cells.map((cell) => String(cell).padStart(16)).join('')}`);

/** One look at a page, as numbers. */
async function look(address, port, headers) {
  const answer = await lighthouse(address, {
    port,
    output: 'json',
    logLevel: 'error',
    onlyCategories: Object.keys(least),
    // The session goes with the browser's storage before every look, so that nothing is in the cache.
    extraHeaders: headers,
  });
  const { lhr } = answer;
  if (lhr.runtimeError) throw new Error(`${address}: ${lhr.runtimeError.message}`);
  if (lhr.finalDisplayedUrl !== address) throw new Error(`${address} led to ${lhr.finalDisplayedUrl}`);
  return lhr;
}

/** What a report lacks, the costliest first, in lines. */
function shortcomings(lhr) {
  return Object.values(lhr.categories).flatMap((category) =>
    category.auditRefs
      .filter(({ id, weight }) => weight > 0 && lhr.audits[id].score !== null && lhr.audits[id].score < 0.9)
      .map(({ id }) => {
        const audit = lhr.audits[id];
        const places = (audit.details?.items ?? []).slice(0, 3).map((item) => item.node?.selector ?? item.url ?? item.description ?? '');
        return `  ${category.id}: ${audit.title} ${audit.displayValue ?? ''} ${places.filter(Boolean).join(' | ')}`;
      }),
  );
}

const faults = [];
const server = await startServer();
const chrome = await chromeLauncher.launch({
  chromePath: process.env.CHROME_PATH ?? '/usr/bin/chromium',
  chromeFlags: ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
});
try {
  row('', [...Object.keys(least), 'LCP ms', 'CLS', 'TBT ms', 'bytes']);
  for (const { name, path, as } of chosen) {
    const headers = as ? { Cookie: await signIn(server.url, email(as.tenant, as.role)) } : {};
    const looks = [];
    for (let run = 0; run < runs; run += 1) looks.push(await look(`${server.url}${path}`, chrome.port, headers));
    looks.sort((one, other) => one.categories.performance.score - other.categories.performance.score);
    const middle = looks[Math.floor(runs / 2)];
    const score = (category) => Math.round(middle.categories[category].score * 100);
    const value = (audit) => middle.audits[audit].numericValue;
    row(name, [
      ...Object.keys(least).map(score),
      Math.round(value('largest-contentful-paint')),
      value('cumulative-layout-shift').toFixed(3),
      Math.round(value('total-blocking-time')),
      value('total-byte-weight'),
    ]);
    for (const [category, limit] of Object.entries(least)) {
      if (score(category) < limit) faults.push(`${name}: ${category} is ${score(category)}, at least ${limit} is wanted`);
    }
    for (const [audit, limit] of Object.entries(most)) {
      if (value(audit) > limit) faults.push(`${name}: ${audit} is ${value(audit).toFixed(2)}, at most ${limit} is wanted`);
    }
    for (const line of shortcomings(middle)) console.log(line);
  }
} finally {
  chrome.kill();
  await server.stop();
}
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;
