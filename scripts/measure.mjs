// measure.mjs SECONDS: the figures of `make bench`, from a seeded server of the release build. All pages get
// the same load from wrk, one after the other, and so does a bare axum route, to tell the pages' cost from
// the machine's.

import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { email, tenants } from '../end2end/people.mjs';
import { freePort, startProgram, startServer } from '../end2end/server.mjs';
import { signIn } from '../end2end/sign-in.mjs';

const run = promisify(execFile);
const seconds = Number(process.argv[2] ?? 10);
const connections = 16;
const wasmLimit = 450 * 1024;

async function memory(pid) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const mebibytes = (name) => (Number(status.match(new RegExp(`${name}:\\s+(\\d+)`))[1]) / 1024).toFixed(0);
  return [`${mebibytes('VmRSS')} MiB`, `${mebibytes('VmHWM')} MiB`];
}

/** One row: wrk for two seconds to warm up, then for the time asked. */
async function measure(name, address, pid, headers = {}) {
  const answer = await fetch(address, { headers, redirect: 'manual' });
  if (answer.status !== 200) throw new Error(`${name} answered ${answer.status}`);
  const size = (await answer.arrayBuffer()).byteLength;
  const script = fileURLToPath(new URL('percentiles.lua', import.meta.url));
  const given = Object.entries(headers).flatMap(([key, value]) => ['-H', `${key}: ${value}`]);
  const load = (time) => run('wrk', ['-t1', `-c${connections}`, `-d${time}s`, '-s', script, ...given, address]);
  await load(2);
  const { stdout } = await load(seconds);
  const { perSecond, p50, p95, p99, refused } = JSON.parse(stdout.match(/^RESULT (.*)$/m)[1]);
  if (refused > 0) throw new Error(`${name}: ${refused} requests were refused or failed`);
  print([name, perSecond.toFixed(0), p50.toFixed(2), p95.toFixed(2), p99.toFixed(2), `${(size / 1024).toFixed(1)} KiB`, ...(await memory(pid))]);
}

function print([name, ...cells]) {
  console.log(`${name.padEnd(18)}${cells.map((cell) => String(cell).padStart(12)).join('')}`);
}

async function printShipped() {
  const assets = JSON.parse(await readFile('target/site/assets.json', 'utf8'));
  console.log(`\nShipped (profile ${assets.profile}), KiB`);
  print(['', 'file', 'brotli', 'gzip']);
  for (const key of ['wasm', 'js', 'css', 'chart_js', 'echarts']) {
    if (!assets[key]) continue;
    const file = path.join('target/site', assets[key]);
    const size = (name) => stat(name).then(({ size }) => (size / 1024).toFixed(1), () => '-');
    print([key, await size(file), await size(`${file}.br`), await size(`${file}.gz`)]);
  }
  const { size } = await stat(`${path.join('target/site', assets.wasm)}.br`);
  if (size > wasmLimit) {
    console.error(`The browser code is ${(size / 1024).toFixed(0)} KiB with brotli; the limit is ${wasmLimit / 1024}.`);
    process.exitCode = 1;
  }
}

async function printPages() {
  const server = await startServer();
  try {
    const starts = [];
    for (let round = 0; round < 3; round += 1) starts.push(Math.round(await server.restart()));
    console.log(`\nTime from start to ready, with the private database: ${starts.join(', ')} ms`);
    console.log(`\n${connections} connections, ${seconds} s each, latencies in ms`);
    print(['', 'requests/s', 'p50', 'p95', 'p99', 'size', 'memory', 'at most']);
    await bare();
    await measure('/health/live', `${server.url}/health/live`, server.pid());
    await measure('/sign-in', `${server.url}/sign-in`, server.pid());
    const [tenant] = tenants;
    const cookie = await signIn(server.url, email(tenant, 'owner'));
    const page = (address) => `${server.url}/t/${tenant.slug}/${address}`;
    const month = 'range=custom&from=2018-05-01&to=2018-05-31';
    await measure('dashboard, empty', page('dashboard'), server.pid(), { cookie });
    await measure('dashboard, month', page(`dashboard?${month}`), server.pid(), { cookie });
    await measure('posts, month', page(`posts?${month}`), server.pid(), { cookie });
    await signInTimes(server.url, email(tenant, 'viewer'));
  } finally {
    await server.stop();
  }
}

/** How long a sign-in takes, one after the other: nearly all of it is the password's hash. */
async function signInTimes(url, person) {
  const times = [];
  for (let round = 0; round < 12; round += 1) {
    const started = performance.now();
    await signIn(url, person);
    times.push(performance.now() - started);
  }
  times.sort((one, other) => one - other);
  const shown = [times[0], times[6], times[11]].map((time) => time.toFixed(0)).join(' / ');
  console.log(`\nA sign-in with its form, at least / median / at most of 12: ${shown} ms`);
}

/** The program `bare` of the server crate: axum, one route, nothing else. */
async function bare() {
  const program = process.env.RTV_BENCH_BARE;
  if (!program) throw new Error('RTV_BENCH_BARE names no program; make bench compiles it and says where it is');
  const address = `127.0.0.1:${await freePort()}`;
  const { pid, stop } = await startProgram(path.resolve(program), [address], process.env, `http://${address}/`);
  try {
    await measure('bare axum route', `http://${address}/`, pid);
  } finally {
    await stop();
  }
}

/** Pages that somebody opens, twenty a second, while nothing else is asked and while sign-ins flood the server. */
async function printFlood() {
  // Each sign-in comes from another network, as a flood would.
  const server = await startServer(undefined, { RTV_TRUSTED_PROXIES: '127.0.0.1/32' });
  try {
    const [tenant] = tenants;
    const cookie = await signIn(server.url, email(tenant, 'owner'));
    const month = 'range=custom&from=2018-05-01&to=2018-05-31';
    const pages = [`dashboard?${month}`, `posts?${month}`, 'team', 'imports'].map((address) => `${server.url}/t/${tenant.slug}/${address}`);
    console.log(`\nTwenty pages a second (dashboard, posts, team, imports), ${seconds} s each, latencies in ms`);
    print(['', 'p50', 'p95', 'p99', 'at most', 'sign-ins/s', 'of them 429']);
    await visit(pages, cookie, 2);
    print(['alone', ...(await visit(pages, cookie, seconds)), '-', '-']);
    const script = fileURLToPath(new URL('sign-ins.lua', import.meta.url));
    const flood = run('wrk', ['-t1', '-c64', `-d${seconds + 3}s`, '--timeout', '10s', '-s', script, `${server.url}/sign-in`]);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const times = await visit(pages, cookie, seconds);
    const { perSecond, refused, asked } = JSON.parse((await flood).stdout.match(/^RESULT (.*)$/m)[1]);
    if (refused === 0) throw new Error('No sign-in was answered with 429: that was no flood');
    print(['beside a flood', ...times, perSecond.toFixed(0), `${((100 * refused) / asked).toFixed(1)} %`]);
  } finally {
    await server.stop();
  }
}

/** Asks for the pages in turn, twenty a second whether or not the ones before have been answered. */
async function visit(pages, cookie, time) {
  const times = [];
  const open = async (address) => {
    const started = performance.now();
    const answer = await fetch(address, { headers: { cookie } });
    await answer.arrayBuffer();
    if (answer.status !== 200) throw new Error(`${address} answered ${answer.status}`);
    times.push(performance.now() - started);
  };
  const opened = [];
  for (let index = 0; index < time * 20; index += 1) {
    opened.push(open(pages[index % pages.length]));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await Promise.all(opened);
  times.sort((one, other) => one - other);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(1);
  return [at(0.5), at(0.95), at(0.99), at(1)];
}

await printShipped();
await printPages();
await printFlood();
