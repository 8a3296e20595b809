// Deliveries over a network that goes wrong, by workers that are killed: each must go out once, to the right account, or end
// before a person.

import { pause } from './product.mjs';
import { dice } from './random.mjs';

/** What the network does wrong, as shares of the replies; together 30 %. */
export const faults = {
  'accept-drop': 0.05,
  'accept-500': 0.05,
  'accept-late': 0.02,
  'reset-mid-body': 0.05,
  'reset-before': 0.02,
  slow: 0.04,
  'lagging-read-back': 0.03,
  'refuse-429': 0.02,
  'refuse-500': 0.02,
};

/** How the network behaves in torture: doubles are visible, and reading lags less than RTV is told that it may. */
export const network = (seed, kinds) => ({
  seed, kinds, slow_ms: [200, 1200], late_ms: [2100, 2600], lag_ms: [0, 250], rate: null, honour_idempotency: false,
});

/** Kills workers at random moments until it is told to stop or has killed as many as wanted. */
export async function killWorkers(scene, roll, { kills, every, until = () => false }) {
  for (let killed = 0; killed < kills && !until(); killed += 1) {
    await pause(roll.between(Math.floor(every / 2), Math.floor(every * 1.5)));
    const worker = roll.one(scene.workers.filter(({ running }) => running.isRunning()));
    if (!worker) continue;
    await worker.running.kill();
    scene.note({ kind: 'kill' });
    await pause(roll.between(0, 300));
    scene.rehire(worker);
  }
}

/** @param {Awaited<ReturnType<Awaited<ReturnType<typeof import('./scene.mjs').setStage>>['scene']>>} scene */
export async function deliveries(scene, { seed, count, kills, rate, workers = 6 }) {
  const roll = dice(`${seed} deliveries`);
  await scene.sandbox.ask('PUT', '/faults', network(roll.between(1, 1e6), faults));
  await scene.plan({ count, rate, from: Date.now() + 4000 });
  scene.hire(workers);
  await pause(3000);
  await killWorkers(scene, roll, { kills, every: ((count / rate) * 1000) / kills });
  await scene.settle(120);
  return scene.judge({ fired: Object.keys(faults), kills, unaided: 0.99, unknown: Math.floor(count / 20) });
}
