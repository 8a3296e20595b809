// run.mjs [--size full|tier] [--seed N] [--shard I/N] [--only TEXT] [--resume] [--sum]: tortures RTV and prints what came of
// it. Each shard's result is kept in target/torture/<run>/shard-*.json, so that a run can be stopped, gone on with, spread
// over machines (`--shard 3/8` with the same seed, then the files laid together) and added up (`--sum`).

import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { canRun, conditions, highestRate } from './flips.mjs';
import { root } from './product.mjs';
import { setStage } from './scene.mjs';
import { shardsOf, sizes } from './shards.mjs';
import { readShards, sum } from './sum.mjs';

/** The spec's aim; a machine that sustains more is measured at it all the same. */
const aim = 250;

/** A shard that takes longer hangs. */
const longest = 20 * 60_000;

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: 'full' },
    seed: { type: 'string' },
    shard: { type: 'string', default: '1/1' },
    only: { type: 'string' },
    build: { type: 'string' },
    resume: { type: 'boolean', default: false },
    sum: { type: 'boolean', default: false },
  },
});
const size = options.size;
if (!sizes[size]) throw new Error(`there is no size ${size}; use ${Object.keys(sizes).join(' or ')}`);
const [part, parts] = options.shard.split('/').map(Number);
if (!(part >= 1 && part <= parts)) throw new Error(`--shard is like 3/8, not ${options.shard}`);

const place = path.join(root, 'target/torture');
const seed = Number(options.seed ?? (options.resume || options.sum ? await latestSeed() : Math.floor(Math.random() * 1e6)));
const folder = path.join(place, `${size}-${seed}`);
const shards = shardsOf(size, seed).map((shard) => (options.build && shard.kind !== 'planted bugs' && shard.kind !== 'crash points' ? { ...shard, build: options.build } : shard));
const mine = shards.filter((shard, index) => index % parts === part - 1 && (!options.only || shard.name.includes(options.only)));

/** The seed of the run that was worked at last. */
async function latestSeed() {
  const runs = await Promise.all((await readdir(place).catch(() => [])).filter((name) => name.startsWith(`${size}-`))
    .map(async (name) => ({ name, at: (await stat(path.join(place, name))).mtimeMs })));
  const last = runs.sort((one, other) => other.at - one.at)[0];
  if (!last) throw new Error(`there is no run of the size ${size} to go on with`);
  return Number(last.name.slice(size.length + 1));
}

const stages = new Map();
let isStopping = false;

async function stageFor({ build, stage }) {
  const key = JSON.stringify({ build, stage });
  if (!stages.has(key)) {
    // One at a time: each is a PostgreSQL and a network of its own.
    await strikeAll();
    stages.set(key, await setStage({ build, ...stage }));
  }
  return stages.get(key);
}

async function strikeAll() {
  for (const [key, stage] of stages) {
    stages.delete(key);
    await stage.strike();
  }
}

/** What the machine sustains, found once for a run and a machine. */
async function rateFor(shard) {
  if (!shard.isMeasured) return { rate: sizes[size].rate ?? 40 };
  const file = path.join(folder, 'rate.json');
  const known = await readFile(file, 'utf8').then(JSON.parse, () => undefined);
  if (known) return known;
  const stage = await stageFor({ build: shard.build, stage: {} });
  const scene = await stage.scene(path.join(folder, 'rate'));
  try {
    const { highest, tried } = await highestRate(scene, { rates: [25, 50, 75, 100, 125, 150, 200, 250, 313], seconds: 10 });
    if (highest === 0) throw new Error(`not even the lowest rate is sustained: ${JSON.stringify(tried)}`);
    const found = { highest, rate: Math.min(aim, Math.floor(highest * 0.8)), tried };
    await writeFile(file, JSON.stringify(found, null, 2));
    return found;
  } finally {
    await scene.strike();
  }
}

async function play(shard) {
  const started = performance.now();
  const { rate, highest } = shard.kind === 'flips' ? await rateFor(shard) : {};
  const stage = await stageFor(shard);
  let count = 0;
  const evidence = path.join(folder, shard.name);
  const scenes = (settings) => stage.scene(path.join(evidence, String((count += 1))), settings);
  let patience;
  const tooLong = new Promise((_, reject) => (patience = setTimeout(() => reject(new Error('it takes too long')), longest)));
  let result;
  try {
    const report = await Promise.race([shard.act(scenes, { seed: `${seed} ${shard.name}`, rate }), tooLong]);
    result = { ok: report.ok, report };
  } catch (error) {
    result = { ok: false, error: error.stack ?? String(error) };
    // What a shard leaves behind when it fails is of no use to the next one.
    await strikeAll();
  } finally {
    clearTimeout(patience);
  }
  // What a failed shard was judged by stays; of one that passed the figures are enough.
  if (result.ok) await rm(evidence, { recursive: true, force: true });
  const machine = `${cpus().length} × ${cpus()[0].model.trim()}, ${shard.build} build`;
  const kept = { name: shard.name, kind: shard.kind, seed, seconds: Math.round((performance.now() - started) / 1000), machine, rate, highest, ...result };
  await writeFile(path.join(folder, `shard-${shard.name}.json`), JSON.stringify(kept, null, 2));
  return kept;
}

async function torture() {
  await mkdir(folder, { recursive: true });
  console.log(`torture: size ${size}, seed ${seed}, ${mine.length} of ${shards.length} shards; results in ${path.relative(root, folder)}`);
  const left = conditions.filter((condition) => !canRun(condition));
  if (left.length > 0) console.log(`  left out, because it takes root: ${left.join(', ')}`);
  const done = options.resume ? new Set((await readShards(folder)).filter(({ ok }) => ok).map(({ name }) => name)) : new Set();
  try {
    for (const shard of mine) {
      if (isStopping) break;
      if (done.has(shard.name)) continue;
      const { ok, seconds, error } = await play(shard);
      console.log(`  ${ok ? 'passed' : 'FAILED'}  ${shard.name} in ${seconds} s${error ? `: ${error.split('\n')[0]}` : ''}`);
    }
  } finally {
    await strikeAll();
  }
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, async () => {
    // The second time whoever asks does not want to wait.
    if (isStopping) {
      await strikeAll();
      process.exit(130);
    }
    console.log('torture: stopping after this shard, or at once when asked again; --resume goes on');
    isStopping = true;
  });
}
if (!options.sum) await torture();
const wanted = options.sum || (!options.only && parts === 1) ? shards.map(({ name }) => name) : mine.map(({ name }) => name);
const { lines, passed, failed, missing } = sum((await readShards(folder)).filter(({ name }) => wanted.includes(name)), wanted);
console.log(`\n${lines.join('\n')}`);
// In the form in which `make test` counts.
console.log(`  ${passed} passed (torture), ${failed + missing} failed`);
process.exitCode = failed + missing > 0 ? 1 : 0;
