// Which runs there are, cut into shards: each is minutes long, has a seed of its own, and stands for itself.

import { crashPoints, points } from './crash_points.mjs';
import { deliveries } from './deliveries.mjs';
import { canRun, conditions, flips, stageOf } from './flips.mjs';
import { bugs, runs, settingsOf } from './planted.mjs';

/** How much each size does. `rate`: deliveries a second where it is not measured first. */
export const sizes = {
  /** All of it; hours. */
  full: { deliveries: { shards: 5, count: 2000, kills: 40, rate: 60 }, times: 30, flips: { shards: 4, times: 23 }, isMeasured: true, build: 'release' },
  /** What `make test` has five minutes for. The bugs are those of one kind of run, others with each seed. */
  tier: { deliveries: { shards: 1, count: 1000, kills: 40, rate: 40 }, times: 2, flips: { shards: 1, times: 1 }, rate: 40, isMeasured: false, build: 'debug' },
};

/** @typedef {{ name: string, kind: string, build: string, stage: object, settings?: object, isMeasured?: boolean, act: (scenes: (settings?: object) => Promise<any>, options: { seed: string, rate: number }) => Promise<any> }} Shard */

/** One scene from its beginning to its judgement.
 *  @param {(settings?: object) => Promise<any>} scenes @param {(scene: any) => Promise<any>} play */
async function once(scenes, play, settings) {
  const scene = await scenes(settings);
  try {
    return await play(scene);
  } finally {
    await scene.strike();
  }
}

/** @param {keyof typeof sizes} size @param {number} seed @returns {Shard[]} */
export function shardsOf(size, seed) {
  const { deliveries: amount, times, flips: flipping, build, isMeasured } = sizes[size];
  const shards = /** @type {Shard[]} */ ([]);
  for (let part = 1; part <= amount.shards; part += 1) {
    shards.push({
      name: `deliveries-${part}`, kind: 'deliveries', build, stage: {},
      act: (scenes, { seed }) => once(scenes, (scene) => deliveries(scene, { ...amount, seed: `${seed} ${part}` })),
    });
  }
  // In the tier all points share a scene.
  for (const [name, some] of isMeasured ? points.map((point) => [point, [point]]) : [['points', points]]) {
    shards.push({
      name: `crash-${name}`, kind: 'crash points', build: 'debug', stage: {},
      act: (scenes, { seed }) => once(scenes, (scene) => crashPoints(scene, { seed, points: some, times })),
    });
  }
  shards.push(...flipShards(flipping, build, isMeasured));
  for (const run of runsOf(size, seed)) shards.push(plantedShard(run));
  return shards;
}

/** In the full size each condition has shards of its own; in the tier those that need no disk of their own share a scene. */
function flipShards({ shards, times }, build, isMeasured) {
  const of = (name, conditions, part) => ({
    name, kind: 'flips', build, stage: stageOf(conditions[0]), isMeasured,
    act: (scenes, { seed, rate }) => once(scenes, (scene) => flips(scene, { seed: `${seed} ${part}`, conditions, times, rate, isMeasured })),
  });
  const possible = conditions.filter(canRun);
  if (!isMeasured) {
    const [alone, together] = [possible.filter((name) => name === 'disk full'), possible.filter((name) => name !== 'disk full')];
    return [of('flips-together', together, 1), ...alone.map((name) => of(`flips-${name.replaceAll(' ', '-')}`, [name], 1))];
  }
  return possible.flatMap((name) =>
    Array.from({ length: shards }, (_, index) => of(`flips-${name.replaceAll(' ', '-')}-${index + 1}`, [name], index + 1)));
}

/** Kinds of run with the bugs that they expose. The tier takes some, others with each seed. */
function runsOf(size, seed) {
  const all = Object.keys(runs);
  if (size === 'full') return all;
  // None of these is judged by a time.
  const quick = ['many workers', 'changed after approval', 'long overdue', 'wrong authors', 'swapped tokens', 'suspended', 'lagging read-back'];
  return [quick[seed % quick.length]];
}

/** The run without a bug has to pass, then with each of its bugs it has to fail, and for the right reason. */
function plantedShard(run) {
  const exposed = Object.keys(bugs).filter((bug) => bugs[bug].run === run);
  return {
    name: `planted-${run.replaceAll(' ', '-')}`, kind: 'planted bugs', build: 'debug', stage: {},
    async act(scenes, { seed }) {
      const settings = settingsOf(run);
      const control = await once(scenes, (scene) => runs[run](scene, { seed }), settings);
      const caught = {};
      for (const bug of exposed) {
        const report = await once(scenes, (scene) => runs[run](scene, { seed, fault: bug }), settings);
        const by = Object.keys(report.broken).filter((rule) => bugs[bug].rules.includes(rule));
        caught[bug] = { run, is_caught: by.length > 0, by, broken: report.broken };
      }
      return { ...control, ok: control.ok && Object.values(caught).every(({ is_caught }) => is_caught), caught };
    },
  };
}
