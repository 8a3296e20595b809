// Death at each of the named points of a delivery: a worker aborts there, others take over. Random kills rarely hit these
// windows of microseconds; this is the proof.

import { pause } from './product.mjs';
import { network } from './deliveries.mjs';
import { dice } from './random.mjs';

/** In the order in which a delivery passes them; crates/rtv-core/src/fault.rs says what each means. */
export const points = [
  'in-claim', 'after-claim', 'in-intent', 'after-intent', 'before-first-byte', 'after-first-byte', 'after-last-byte',
  'after-reply', 'in-result', 'after-result', 'after-read-back', 'in-absent', 'in-confirm', 'after-confirm',
];

const faults = { 'accept-drop': 0.08, 'accept-500': 0.05, 'reset-mid-body': 0.05, 'refuse-500': 0.06, 'refuse-429': 0.03, 'lagging-read-back': 0.05 };

/** How many workers die at a time; one more lives and takes over. */
const mortals = 3;

/** At which passing a worker dies, at most: not always at the first, because one that has done some things already is another
 *  case. What is only reached when something went wrong before is not passed often. */
const passings = (point) => (point === 'in-absent' ? 2 : 8);

/** Hits each of the points so many times.
 *  @param {any} scene @param {{ seed: string, points: string[], times: number }} options */
export async function crashPoints(scene, { seed, points, times }) {
  const roll = dice(`${seed} ${points}`);
  await scene.sandbox.ask('PUT', '/faults', network(roll.between(1, 1e6), faults));
  scene.hire(1);
  const wanted = points.flatMap((point) => Array.from({ length: times }, () => point));
  const [all, hits] = [wanted.length, {}];

  /** One worker after the other, each with the next point; what it did not reach is tried again. */
  const die = async () => {
    let worker;
    for (let point = wanted.shift(); point !== undefined; point = wanted.shift()) {
      const options = { fault: `${point}:${roll.between(1, passings(point))}` };
      if (worker) scene.rehire(worker, options);
      else [worker] = scene.hire(1, options);
      const { status, signal } = await worker.running.ended;
      if (signal !== 'SIGABRT') throw new Error(`a worker with ${options.fault} ended with ${signal ?? status}:\n${worker.running.log()}`);
      hits[point] = (hits[point] ?? 0) + 1;
      scene.note({ kind: 'crash', point });
    }
  };

  let isOver = false;
  const flow = async () => {
    const [chunk, rate] = [120, 40];
    for (let count = 0; !isOver; count += chunk) {
      if (count > all * 120 + 2400) throw new Error(`in ${count} deliveries the points were hit only so often: ${JSON.stringify(hits)}`);
      await scene.plan({ count: chunk, rate, from: Date.now() + 500 });
      for (const end = performance.now() + (chunk / rate) * 1000 - 300; performance.now() < end && !isOver; ) await pause(50);
    }
  };
  const dying = Promise.all(Array.from({ length: mortals }, die)).finally(() => (isOver = true));
  await Promise.all([dying, flow()]);
  await scene.settle(60);
  return scene.judge({ crashes: Object.fromEntries(points.map((point) => [point, times])), unaided: 0.99 });
}
