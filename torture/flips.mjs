// Flips of a kill switch while deliveries flow, under conditions that go wrong at the same moment. What counts is the time
// from the click to the last first byte in the network's ledger.

import { canFillDisks } from './cluster.mjs';
import { network } from './deliveries.mjs';
import { now, pause, staff } from './product.mjs';
import { startProxy } from './proxy.mjs';
import { dice } from './random.mjs';

/** Milliseconds from the click after which no first byte may leave: the "Figures" of spec/safety.md. Of processes that die, start
 *  and have wrong clocks at that moment these say nothing; there the hard limit holds. */
export const limits = {
  healthy: 250,
  'notifications lost': 750,
  'database stopped': 2500,
  'database frozen': 2500,
  'cut off': 2500,
  'disk full': 2500,
  'worker frozen': 2500,
  'worker killed': 2500,
  'clock jumped': 2500,
  'release race': 250,
  'local file': 250,
};

export const conditions = Object.keys(limits);

/** A debug build on a machine that may do other things besides is no measurement: there something may take three times as long, but
 *  for the lease, which is the same for everybody. */
const patient = Object.fromEntries(Object.entries(limits).map(([condition, limit]) => [condition, Math.min(3 * limit, 2500)]));

/** What a condition needs of its stage. */
export const stageOf = (condition) => (condition === 'disk full' ? { disk: 400, tenants: 6 } : {});

export const canRun = (condition) => condition !== 'disk full' || canFillDisks;

const everything = { form: 'everything', scope: {} };

/** Clicks as a person does, on the page's form; gives back the halt's address, or nothing where it failed. */
export async function click(scene, { form, scope }, note = 'torture') {
  const clicked_at = now();
  const answer = await scene.rtv
    .press(staff[0], '/staff/switches/halt', { scope: form, reason: 'other', note }, { timeout: 3000 })
    .catch((error) => ({ status: 0, location: '', error }));
  const halt = answer.location.match(/halt_[0-9a-f-]+/)?.[0];
  return { clicked_at, scope, engaged: answer.status === 303 && halt !== undefined, halt };
}

/** What `rtv switch list` says is engaged. */
async function engaged(scene) {
  const { output } = await scene.rtv.rtv(['switch', 'list', '--json']);
  return JSON.parse(output).switches;
}

/** Waits until something is engaged: a file is taken over by whoever writes down what halts, some time after it stops the senders.
 *  Released before that, it would be taken over afterwards and halt on. */
export async function untilEngaged(scene, seconds = 10) {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await pause(100)) {
    if ((await engaged(scene)).length > 0) return;
  }
  throw new Error(`nothing was engaged within ${seconds} s`);
}

/** Releases all that is engaged: one asks, where that is needed another approves, and what became due is dropped. */
export async function release(scene, plan = 'drop') {
  for (const { id, name } of await engaged(scene)) await (await askRelease(scene, id, name, plan))();
}

/** Everything of a release but its last step, which is given back. */
async function askRelease(scene, id, name, plan) {
  // A form that is refused leads back to itself.
  const isRefused = ({ status, location }) => status !== 303 || /\/release(\?|$)|\/releases\/[^/]+\/?(\?|$)/.test(location);
  const asked = await scene.rtv.press(staff[0], `/staff/switches/${id}/release`, { typed: name, reason: 'torture', plan, minutes: '1' });
  const pending = asked.location.match(/\/staff\/switches\/releases\/[^/?]+/)?.[0];
  if (!pending && isRefused(asked)) throw new Error(`asking for the release of ${name} led to ${asked.status} ${asked.location}\n${scene.rtv.errors()}`);
  return async () => {
    if (!pending) return;
    const approved = await scene.rtv.press(staff[1], `${pending}/approve`, {});
    if (isRefused(approved)) throw new Error(`approving the release of ${name} led to ${approved.status} ${approved.location}\n${scene.rtv.errors()}`);
  };
}

/** No flip takes longer, with all that is mended after it. */
const longestFlip = 10;

/** Deliveries at a steady rate, planned ahead, for as long as wanted. */
export function flow(scene, rate, among = scene.accounts) {
  let next = Date.now() + 2500;
  return {
    /** Has deliveries for the next flips. Planning is work too: so it is done seldom and for long, between flips, so that none of
     *  them is measured beside it.
     *  @param {number} flips How many are still to come. */
    async keepUp(flips = 1) {
      if (next > Date.now() + longestFlip * 1000) return;
      const ahead = Math.min(3 * longestFlip, flips * longestFlip) + 2;
      const from = Math.max(next, Date.now() + 500);
      const count = Math.ceil(((Date.now() + ahead * 1000 - from) / 1000) * rate);
      await scene.plan({ count, rate, among, from });
      next = from + (count * 1000) / rate;
    },
    /** Waits until the network is reached at least at half the rate. */
    async untilFlowing(seconds = 30) {
      let position = await scene.sandbox.position();
      for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
        await pause(500);
        const from = position;
        position = await scene.sandbox.position();
        if ((await scene.published(from)) >= rate / 4) return;
      }
      throw new Error(`deliveries do not flow at ${rate} a second: ${JSON.stringify(await scene.states())}\n${scene.rtv.errors()}`);
    },
  };
}

/** Conditions in which something stands between the workers and their database. */
const proxied = ['notifications lost', 'cut off'];

/** Flips so many times under each condition.
 *  @param {any} scene @param {{ seed: string, conditions: string[], times: number, rate: number, isMeasured: boolean, workers?: number }} options */
export async function flips(scene, { seed, conditions, times, rate, isMeasured, workers = 8 }) {
  const roll = dice(`${seed} ${conditions}`);
  const proxy = conditions.some((condition) => proxied.includes(condition)) ? await startProxy(scene.cluster.port) : undefined;
  try {
    await scene.sandbox.ask('PUT', '/faults', network(1, {}));
    await scene.rtv.startWeb();
    await scene.rtv.keepFresh();
    scene.hire(workers, { through: proxy?.port ?? scene.cluster.port });
    const flowing = flow(scene, rate);
    // Whoever clicks has the page before them: what is measured is no server that nobody has asked anything yet.
    for (let visit = 0; visit < 4; visit += 1) await scene.rtv.visit(staff[0], '/staff/switches');
    if (isMeasured) {
      await flowing.keepUp();
      await flowing.untilFlowing();
      await scene.gatherStatistics();
    }
    for (const [place, condition] of conditions.entries()) {
      for (let flip = 0; flip < times; flip += 1) {
        await flowing.keepUp((conditions.length - place) * times - flip);
        await scene.rtv.keepFresh();
        await flowing.untilFlowing();
        // Leases are renewed every half second: each flip meets them at another moment.
        await pause(roll.between(300, 1300));
        const entry = await under[condition](scene, roll, proxy);
        // What was never engaged is not released, and what became due goes out.
        scene.note({ kind: 'flip', condition, ...(entry.engaged && { plan: 'drop' }), ...entry });
      }
    }
    await scene.settle(60);
    const clocks = conditions.includes('clock jumped') ? { clocks_ms: jumped * 1000 + 100 } : {};
    return await scene.judge({ limits: isMeasured ? limits : patient, flips: times * conditions.length, also_ends: ['dropped'], ...clocks });
  } finally {
    await proxy?.stop();
  }
}

/** When RTV says that all is halted. */
async function haltedAt(scene, halt) {
  if (!halt) return undefined;
  const { output, status } = await scene.rtv.rtv(['switch', 'receipt', halt, '--json'], '', { may_fail: true });
  return status === 0 ? JSON.parse(output).halted_at ?? undefined : undefined;
}

async function observeAndRelease(scene, flip, milliseconds) {
  await pause(milliseconds);
  const halted_at = await haltedAt(scene, flip.halt);
  const released_at = now();
  await release(scene);
  return { ...flip, halted_at, released_at };
}

/** Each waits longer than its limit, and mends what it broke. What comes back is noted as the flip. */
const under = {
  healthy: async (scene) => observeAndRelease(scene, await click(scene, everything), 900),

  async 'notifications lost'(scene, roll, proxy) {
    proxy.loseNotifications();
    const before = proxy.dropped();
    const flip = await click(scene, everything);
    await pause(1300);
    if (flip.engaged && proxy.dropped() === before) throw new Error('no notification was lost: the condition was not met');
    proxy.mend();
    return observeAndRelease(scene, flip, 100);
  },

  /** Half of the time the database goes right after the click, half of the time right before. */
  'database stopped': (scene, roll) => withoutDatabase(scene, roll, () => scene.cluster.crash(), () => scene.cluster.start()),

  'database frozen': (scene, roll) => withoutDatabase(scene, roll, () => scene.cluster.freeze(), () => scene.cluster.thaw()),

  async 'cut off'(scene, roll, proxy) {
    const first = roll.one(['click', 'cut']);
    if (first === 'cut') {
      proxy.cutOff();
      await pause(roll.between(0, 400));
    }
    const flip = await click(scene, everything);
    if (first === 'click') {
      await pause(roll.between(0, 20));
      proxy.cutOff();
    }
    await pause(3000);
    const halted_at = await haltedAt(scene, flip.halt);
    const released_at = now();
    proxy.mend();
    await release(scene);
    return { ...flip, halted_at, released_at };
  },

  async 'disk full'(scene) {
    await scene.cluster.fillDisk();
    const flip = await click(scene, everything);
    await pause(2900);
    const released_at = now();
    await scene.cluster.freeDisk();
    if (!scene.cluster.isRunning()) await scene.cluster.start();
    await untilAnswers(scene);
    await release(scene);
    return { ...flip, released_at };
  },

  async 'worker frozen'(scene, roll) {
    const some = Array.from({ length: roll.between(1, 3) }, () => roll.one(scene.workers));
    some.forEach(({ running }) => running.signal('SIGSTOP'));
    await pause(roll.between(0, 400));
    const flip = await click(scene, everything);
    await pause(roll.between(100, 4000));
    some.forEach(({ running }) => running.signal('SIGCONT'));
    return { is_residue_possible: true, ...(await observeAndRelease(scene, flip, 2800)) };
  },

  async 'worker killed'(scene, roll) {
    const some = [...new Set(Array.from({ length: roll.between(1, 4) }, () => roll.one(scene.workers)))];
    const kill = async () => {
      await pause(roll.between(0, 60));
      await Promise.all(some.map((worker) => worker.running.kill()));
    };
    const [flip] = await Promise.all([click(scene, everything), kill()]);
    some.forEach((worker) => scene.rehire(worker));
    return observeAndRelease(scene, flip, 1200);
  },

  /** Two workers come back with another boot time, and with another time of day; then the flip. */
  async 'clock jumped'(scene, roll) {
    const some = [...new Set([roll.one(scene.workers), roll.one(scene.workers)])];
    for (const worker of some) {
      await worker.running.kill();
      const jump = { ...worker.options, clock: roll.one([`+${jumped}s`, `-${jumped}s`]), ...(canShiftBootTime && { boottime: roll.one([86_400, 7, 3_000_000]) }) };
      scene.rehire(worker, jump);
    }
    await pause(roll.between(600, 1500));
    return observeAndRelease(scene, await click(scene, everything), 900);
  },

  /** The switch is released, and at once engaged again by somebody else. */
  async 'release race'(scene, roll) {
    const first = await click(scene, everything);
    await pause(700);
    const [{ id, name }] = await engaged(scene);
    const approve = await askRelease(scene, id, name, 'drop');
    const again = async () => {
      await pause(roll.between(0, 250));
      return click(scene, everything, 'again');
    };
    let [flip] = await Promise.all([again(), approve().catch(() => {})]);
    // Whoever clicked before the release has only found what was engaged already.
    if (flip.halt === first.halt) flip = await click(scene, everything, 'once more');
    return { expects_flow: false, ...(await observeAndRelease(scene, flip, 900)) };
  },

  /** The command that needs no database. The file is removed by hand, and what was taken over of it is released. */
  async 'local file'(scene) {
    const clicked_at = now();
    // The command is a process that has to start; what counts is the file.
    await scene.rtv.rtv(['switch', 'engage', '--local', '--global', '--reason', 'other', '--note', 'torture']);
    const written_at = now();
    await pause(900);
    const released_at = now();
    await scene.rtv.rtv(['switch', 'list', '--json']);
    await scene.removeLocalFiles();
    await release(scene);
    return { scope: {}, engaged: true, clicked_at: written_at, asked_at: clicked_at, released_at };
  },
};

/** Seconds by which the time of day of a worker is wrong: more, and it would take what is not due for overdue. */
const jumped = 2;

/** Only root may make a time namespace. */
const canShiftBootTime = process.getuid?.() === 0;

async function withoutDatabase(scene, roll, stop, start) {
  const first = roll.one(['click', 'stop']);
  let flip;
  if (first === 'click') {
    flip = await click(scene, everything);
    await pause(roll.between(0, 20));
    await stop();
  } else {
    const clicked_at = now();
    await stop();
    // Nothing can be engaged without a database; what must stop the senders is that they know of nothing.
    flip = { clicked_at, scope: {}, engaged: false };
  }
  await pause(3000);
  const released_at = now();
  await start();
  await untilAnswers(scene);
  await release(scene);
  return { ...flip, released_at };
}

/** Waits until RTV itself reaches its database again. */
async function untilAnswers(scene) {
  for (const end = performance.now() + 30_000; performance.now() < end; await pause(100)) {
    if (await scene.sql('select 1', 2000).then(() => true, () => false)) break;
  }
  for (const end = performance.now() + 30_000; performance.now() < end; await pause(200)) {
    const { status } = await scene.rtv.rtv(['switch', 'list', '--json'], '', { may_fail: true });
    if (status === 0) return;
  }
  throw new Error('RTV did not reach its database within 30 s after it was back');
}

/** The highest rate at which deliveries go out on time, and the latencies at each rate that was tried. */
export async function highestRate(scene, { workers = 8, rates, seconds }) {
  await scene.sandbox.ask('PUT', '/faults', network(1, {}));
  scene.hire(workers);
  await pause(2000);
  const tried = [];
  for (const rate of rates) {
    if (tried.length === 1) await scene.gatherStatistics();
    const begins = await scene.sandbox.position();
    const first = scene.planned.length;
    await scene.plan({ count: rate * seconds, rate, from: Date.now() + 1500 });
    await pause(1500 + seconds * 1000 + 1000);
    const due = new Map(scene.planned.slice(first).map((intent) => [intent.content_sha256, Date.parse(intent.scheduled_at)]));
    const late = [];
    for await (const line of scene.sandbox.each(begins)) {
      if (line.action === 'publish' && due.has(line.content_sha256)) late.push(Date.parse(line.first_byte_at) - due.get(line.content_sha256));
    }
    late.sort((one, other) => one - other);
    const at = (share) => late[Math.max(0, Math.ceil(late.length * share) - 1)];
    const sustained = late.length >= due.size * 0.99 && at(0.95) < 1000;
    tried.push({ rate, sent: late.length, of: due.size, p50: at(0.5), p95: at(0.95), p99: at(0.99), sustained });
    if (!sustained) break;
    await scene.settle(20);
  }
  return { highest: Math.max(0, ...tried.filter(({ sustained }) => sustained).map(({ rate }) => rate)), tried };
}
