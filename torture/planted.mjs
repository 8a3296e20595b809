// Bugs that are planted on purpose, each in a run that is made to expose it. A run that passes with its bug proves nothing,
// so each of these has to fail; and each kind of run has to pass without a bug first, or its failing would prove nothing.

import { network } from './deliveries.mjs';
import { click, flow, release, untilEngaged } from './flips.mjs';
import { now, pause } from './product.mjs';
import { startProxy } from './proxy.mjs';
import { dice } from './random.mjs';

/** Which run exposes a bug, and the rules of the checker of which at least one has to be broken. */
export const bugs = {
  'gate-unchecked': { run: 'in the pipe', rules: ['late'] },
  'lease-from-reply': { run: 'slow and cut', rules: ['late'] },
  'lease-forever': { run: 'lease cut', rules: ['late'] },
  'acknowledge-early': { run: 'slow lease', rules: ['halted too early'] },
  'local-files-ignored': { run: 'file in the pipe', rules: ['late'] },
  'account-scope-ignored': { run: 'account in the pipe', rules: ['late'] },
  'late-egress-unrecorded': { run: 'slow replies', rules: ['unflagged'] },
  'permit-forever': { run: 'frozen for a second', rules: ['old permit'] },
  'poll-skipped': { run: 'notifications lost', rules: ['halted too early', 'halted late', 'stalled'] },
  'server-error-definite': { run: 'faulty network', rules: ['doubled'] },
  'reset-definite': { run: 'faulty network', rules: ['doubled'] },
  'hidden-retry': { run: 'faulty network', rules: ['doubled'] },
  'unknown-forgotten': { run: 'faulty network', rules: ['lost'] },
  'suspended-ignored': { run: 'suspended', rules: ['late'] },
  'unknown-to-scheduled': { run: 'faulty network', rules: ['doubled'] },
  'dead-sender-to-scheduled': { run: 'killed with slow replies', rules: ['doubled'] },
  'result-unfenced': { run: 'frozen in the pipe', rules: ['doubled', 'lost', 'denied'] },
  'claim-unlocked': { run: 'many workers', rules: ['doubled', 'lost'] },
  'lost-result-to-scheduled': { run: 'database resets', rules: ['doubled'] },
  'intent-after-send': { run: 'many workers', rules: ['unrecorded'] },
  'hash-uncompared': { run: 'changed after approval', rules: ['unplanned'] },
  'account-uncompared': { run: 'swapped tokens', rules: ['wrong account'] },
  'author-uncompared': { run: 'wrong authors', rules: ['wrong account'] },
  'rate-unreserved': { run: 'low rate', rules: ['over the rate'] },
  'absent-at-once': { run: 'lagging read-back', rules: ['doubled'] },
  'release-without-plan': { run: 'released', rules: ['without a plan'] },
  'missed-sent-late': { run: 'long overdue', rules: ['stale'] },
  'held-lost': { run: 'held and spread', rules: ['lost'] },
  'confirmed-unread': { run: 'faulty network', rules: ['unread', 'lost'] },
};

/** Posts that the network takes of an account in a minute, where it is to be short. */
const lowRate = 10;

const everything = { form: 'everything', scope: {} };

/** Waits until deliveries flow, breaks something, flips, and says what happened.
 *  @param {any} scene @param {{ fault?: string, rate?: number, times: number, workers?: number, through?: number, among?: any[] }} how
 *  @param {(flip: number) => Promise<any>} flipOnce */
async function whileFlowing(scene, { fault, rate = 100, times, workers = 3, through, among }, flipOnce) {
  // A bug may lie where people click, too.
  await scene.rtv.startWeb({ fault });
  await scene.rtv.keepFresh();
  scene.hire(workers, { fault, through });
  const flowing = flow(scene, rate, among);
  for (let flip = 0; flip < times; flip += 1) {
    await flowing.keepUp(times - flip);
    try {
      await flowing.untilFlowing(15);
    } catch (error) {
      scene.note({ kind: 'stalled', why: error.message });
      return;
    }
    scene.note({ kind: 'flip', ...(await flipOnce(flip)) });
  }
  await scene.settle(30);
}

/** That an intent is committed is heard 420 ms later: so long each delivery lies between the last question to the database and
 *  its first byte, and less than a permit lives. A flip at that moment has to be seen by the gate, because nothing else can. */
async function inThePipe(scene, { fault, flip, among }) {
  const proxy = await startProxy(scene.cluster.port);
  try {
    await whileFlowing(scene, { fault, times: 6, through: proxy.port, among }, async () => {
      proxy.slowCommits(420, 'others');
      await pause(1000);
      const flipped = await flip(scene);
      await pause(900);
      await untilEngaged(scene);
      const released_at = now();
      proxy.mend();
      await scene.removeLocalFiles();
      await release(scene);
      return { condition: 'healthy', plan: 'drop', ...flipped, released_at };
    });
    return await scene.judge({ limits: { healthy: 250 }, flips: 6, also_ends: ['dropped'] });
  } finally {
    await proxy.stop();
  }
}

/** Every kind of run. Each gets a scene and the bug, or none. */
export const runs = {
  async 'faulty network'(scene, { seed, fault }) {
    const kinds = { 'accept-drop': 0.15, 'accept-500': 0.1, 'reset-mid-body': 0.1, 'refuse-500': 0.05 };
    await scene.sandbox.ask('PUT', '/faults', network(dice(seed).between(1, 1e6), kinds));
    await scene.plan({ count: 150, rate: 40, from: Date.now() + 2500 });
    scene.hire(3, { fault });
    await pause(7000);
    await scene.settle(30);
    return scene.judge({ fired: Object.keys(kinds) });
  },

  async 'many workers'(scene, { fault }) {
    // All due at the same time: whoever comes first takes it, and all come at once.
    await scene.plan({ count: 400, rate: 4000, from: Date.now() + 3500 });
    scene.hire(6, { fault });
    await pause(6000);
    await scene.settle(30);
    return scene.judge({});
  },

  async 'lagging read-back'(scene, { seed, fault }) {
    const kinds = { 'accept-drop': 0.3, 'lagging-read-back': 0.6 };
    await scene.sandbox.ask('PUT', '/faults', { ...network(dice(seed).between(1, 1e6), kinds), lag_ms: [2000, 2800] });
    await scene.plan({ count: 120, rate: 40, from: Date.now() + 2500 });
    scene.hire(3, { fault });
    await pause(6000);
    await scene.settle(30);
    return scene.judge({ fired: ['accept-drop'] });
  },

  async 'killed with slow replies'(scene, { fault }) {
    await scene.sandbox.ask('PUT', '/faults', network(1, { slow: 1 }));
    await scene.plan({ count: 160, rate: 40, from: Date.now() + 2500 });
    scene.hire(4, { fault });
    for (let kill = 0; kill < 4; kill += 1) {
      await pause(kill === 0 ? 3500 : 800);
      const worker = scene.workers[kill];
      await worker.running.kill();
      scene.note({ kind: 'kill' });
      scene.rehire(worker);
    }
    await scene.settle(40);
    return scene.judge({ kills: 4 });
  },

  async 'database resets'(scene, { fault }) {
    const proxy = await startProxy(scene.cluster.port);
    try {
      await scene.sandbox.ask('PUT', '/faults', network(1, { slow: 1 }));
      await scene.plan({ count: 160, rate: 40, from: Date.now() + 2500 });
      scene.hire(3, { fault, through: proxy.port });
      await pause(3500);
      for (let reset = 0; reset < 6; reset += 1) {
        // The results of slow calls meet a database that is gone for a moment.
        proxy.cutOff('others');
        await pause(300);
        proxy.reset();
        proxy.mend();
        await pause(500);
      }
      await scene.settle(40);
      return await scene.judge({});
    } finally {
      await proxy.stop();
    }
  },

  /** Frozen between intent and first byte, long enough that others take the delivery for unknown, prove that it is not there,
   *  and send it. Thawed, it says that it has sent nothing: that is of an attempt that is over. */
  async 'frozen in the pipe'(scene, { fault }) {
    const proxy = await startProxy(scene.cluster.port);
    try {
      await scene.plan({ count: 300, rate: 60, from: Date.now() + 2500 });
      const frozen = scene.hire(2, { fault, through: proxy.port });
      await pause(3500);
      proxy.slowCommits(400, 'others');
      await pause(1200);
      frozen.forEach(({ running }) => running.signal('SIGSTOP'));
      scene.hire(2);
      await pause(9000);
      proxy.mend();
      frozen.forEach(({ running }) => running.signal('SIGCONT'));
      await pause(2000);
      await scene.settle(40);
      return await scene.judge({});
    } finally {
      await proxy.stop();
    }
  },

  /** A second is shorter than the lease and longer than a permit lives. */
  async 'frozen for a second'(scene, { fault }) {
    const proxy = await startProxy(scene.cluster.port);
    try {
      await scene.plan({ count: 400, rate: 60, from: Date.now() + 2500 });
      scene.hire(3, { fault, through: proxy.port });
      await pause(3500);
      for (let round = 0; round < 3; round += 1) {
        proxy.slowCommits(1000, 'others');
        await pause(1200);
        proxy.mend();
        await pause(400);
      }
      await scene.settle(40);
      return await scene.judge({ permit_ms: 500 });
    } finally {
      await proxy.stop();
    }
  },

  'in the pipe': (scene, { fault }) => inThePipe(scene, { fault, flip: (scene) => click(scene, everything) }),

  'account in the pipe': (scene, { fault }) => inThePipe(scene, {
    fault,
    among: scene.accounts.slice(0, 2),
    async flip(scene) {
      // One account of few, so that enough of it is in the pipe.
      const { account } = scene.accounts[0];
      return click(scene, { form: `account=${account}`, scope: { account } });
    },
  }),

  'file in the pipe': (scene, { fault }) => inThePipe(scene, {
    fault,
    async flip(scene) {
      await scene.writeLocalFile();
      return { clicked_at: now(), scope: {}, engaged: true };
    },
  }),

  /** What keeps the lease hears nothing any more; what carries deliveries does. Whoever has no lease claims nothing, so what could leave
   *  without one was claimed before: each claim and each intent is heard 380 ms later. Only a
   *  lease that was renewed right before the cut lasts long enough to show it, so it is tried often. */
  async 'lease cut'(scene, { fault }) {
    const proxy = await startProxy(scene.cluster.port);
    try {
      await whileFlowing(scene, { fault, times: 9, through: proxy.port }, async () => {
        proxy.slowCommits(380, 'others');
        await pause(1000);
        proxy.cutOff('lease');
        const clicked_at = now();
        await pause(3500);
        const released_at = now();
        proxy.mend();
        return { condition: 'cut off', scope: {}, engaged: false, clicked_at, released_at, expects_flow: false };
      });
      // A lease is over two seconds after the cut at the latest.
      return await scene.judge({ limits: { 'cut off': 2150 } });
    } finally {
      await proxy.stop();
    }
  },

  /** Whoever keeps the lease hears 0.85 s late that it is renewed, then nothing any more. The lease counts from the question, so it
   *  is over two seconds after the cut at the latest. */
  async 'slow and cut'(scene, { fault }) {
    const proxy = await startProxy(scene.cluster.port);
    const roll = dice('slow and cut');
    try {
      await whileFlowing(scene, { fault, times: 3, workers: 6, through: proxy.port }, async () => {
        proxy.slowCommits(850, 'lease');
        await pause(3000 + roll.between(0, 1500));
        const clicked_at = now();
        proxy.cutOff('lease');
        await pause(3500);
        const released_at = now();
        proxy.mend();
        return { condition: 'cut off', scope: {}, engaged: false, clicked_at, released_at, expects_flow: false };
      });
      return await scene.judge({ limits: { 'cut off': 2150 } });
    } finally {
      await proxy.stop();
    }
  },

  /** Between the acknowledgement and its being heard lie 300 ms, in which the switches must have been known already. Whether a claim falls
   *  into them is chance, so it is tried often. */
  async 'slow lease'(scene, { fault }) {
    const proxy = await startProxy(scene.cluster.port);
    try {
      await whileFlowing(scene, { fault, times: 12, workers: 2, through: proxy.port }, async () => {
        proxy.slowCommits(300, 'lease');
        proxy.slowCommits(380, 'others');
        await pause(1500);
        const flip = await click(scene, everything);
        await pause(1500);
        const { output } = await scene.rtv.rtv(['switch', 'receipt', flip.halt, '--json']);
        const released_at = now();
        proxy.mend();
        await release(scene);
        return { condition: 'slow', plan: 'drop', ...flip, halted_at: JSON.parse(output).halted_at, released_at };
      });
      return await scene.judge({ limits: { slow: 1500 }, reading_delay_ms: 20, also_ends: ['dropped'] });
    } finally {
      await proxy.stop();
    }
  },

  async 'notifications lost'(scene, { fault }) {
    const proxy = await startProxy(scene.cluster.port);
    try {
      await whileFlowing(scene, { fault, times: 3, through: proxy.port }, async () => {
        proxy.loseNotifications();
        await pause(dice(now()).between(100, 700));
        const flip = await click(scene, everything);
        await pause(3500);
        const { output } = await scene.rtv.rtv(['switch', 'receipt', flip.halt, '--json']);
        const released_at = now();
        proxy.mend();
        await release(scene);
        return { condition: 'notifications lost', plan: 'drop', ...flip, halted_at: JSON.parse(output).halted_at, released_at };
      });
      return await scene.judge({ limits: { 'notifications lost': 750 }, halted_within_ms: 1000, also_ends: ['dropped'] });
    } finally {
      await proxy.stop();
    }
  },

  /** One tenant is suspended; the others go on. When it is resumed, what is not too late goes out. */
  async suspended(scene, { fault }) {
    const [{ tenant }] = scene.accounts;
    await scene.plan({ count: 120, rate: 30, from: Date.now() + 4000, among: scene.accounts.slice(0, 3) });
    await scene.rtv.rtv(['admin', 'tenants', 'suspend', tenant, '--reason', 'torture']);
    const clicked_at = now();
    scene.hire(2, { fault });
    await pause(8000);
    const released_at = now();
    await scene.rtv.rtv(['admin', 'tenants', 'resume', tenant, '--reason', 'torture']);
    scene.note({ kind: 'flip', condition: 'suspended', scope: { tenant }, clicked_at, released_at, expects_flow: false });
    await scene.settle(60);
    return scene.judge({ limits: { suspended: 0 } });
  },

  async 'slow replies'(scene, { fault }) {
    await scene.sandbox.ask('PUT', '/faults', network(1, { slow: 1 }));
    await whileFlowing(scene, { fault, times: 2, rate: 40 }, async () => {
      const flip = await click(scene, everything);
      await pause(2500);
      const { output } = await scene.rtv.rtv(['switch', 'receipt', flip.halt, '--json']);
      const released_at = now();
      await release(scene);
      return { condition: 'healthy', plan: 'drop', ...flip, halted_at: JSON.parse(output).halted_at, released_at };
    });
    return scene.judge({ limits: { healthy: 250 }, flags_late: true, also_ends: ['dropped'] });
  },

  async released(scene, { fault }) {
    await whileFlowing(scene, { fault, times: 2, rate: 40 }, async () => {
      const flip = await click(scene, everything);
      await pause(3000);
      const released_at = now();
      await release(scene, 'drop');
      return { condition: 'healthy', plan: 'drop', ...flip, released_at };
    });
    return scene.judge({ limits: { healthy: 250 }, also_ends: ['dropped'] });
  },

  /** What became due is not to be dropped: all of it has to go out after the release. */
  async 'held and spread'(scene, { fault }) {
    await whileFlowing(scene, { fault, times: 2, rate: 40 }, async () => {
      const flip = await click(scene, everything);
      await pause(2500);
      const released_at = now();
      await release(scene, 'spread');
      return { condition: 'healthy', ...flip, released_at };
    });
    // Spread over a minute, and that twice.
    await scene.settle(120);
    return scene.judge({ limits: { healthy: 250 } });
  },

  /** The text in the database is changed behind RTV's back after it was approved. */
  async 'changed after approval'(scene, { fault }) {
    await scene.plan({ count: 60, rate: 40, from: Date.now() + 4000 });
    await scene.sql(`update content set body = body || ' (changed)' where id in (select content_id from delivery order by id limit 10)`);
    scene.hire(2, { fault });
    await pause(6000);
    await scene.settleUnless('held', 20);
    return scene.judge({ also_ends: ['held', 'in_review'] });
  },

  /** The network answers with another account behind a token that was good when it was connected. */
  async 'swapped tokens'(scene, { fault }) {
    const [one, other, ...rest] = scene.accounts;
    await scene.plan({ count: 60, rate: 40, from: Date.now() + 4000, among: [one, other, ...rest.slice(0, 4)] });
    await scene.sandbox.ask('POST', `/accounts/${one.remote_account}/token`, { answers_as: other.remote_account });
    try {
      // Verified at connecting; here it is long ago.
      await scene.sql(`update account_connection set verified_at = now() - interval '1 day'`);
      scene.hire(2, { fault });
      await pause(6000);
      await scene.settleUnless('held', 20);
      return await scene.judge({ also_ends: ['held'] });
    } finally {
      await scene.sandbox.ask('POST', `/accounts/${one.remote_account}/token`, { answers_as: one.remote_account });
    }
  },

  async 'wrong authors'(scene, { seed, fault }) {
    await scene.sandbox.ask('PUT', '/faults', network(dice(seed).between(1, 1e6), { 'wrong-author': 0.2 }));
    await scene.plan({ count: 60, rate: 30, from: Date.now() + 2500 });
    scene.hire(2, { fault });
    await pause(6000);
    await scene.settleUnless('held', 30);
    return scene.judge({ fired: ['wrong-author'], also_ends: ['held'] });
  },

  async 'low rate'(scene, { fault }) {
    const rate = { posts: lowRate, seconds: 60 };
    await scene.sandbox.ask('PUT', '/faults', { ...network(1, {}), rate });
    await scene.plan({ count: lowRate + 5, rate: 400, from: Date.now() + 2500, among: scene.accounts.slice(0, 1) });
    scene.hire(3, { fault });
    // What does not fit into one minute goes out in the next one.
    await scene.settle(150);
    return scene.judge({ no_refusals: true });
  },

  /** They lay somewhere for twenty minutes, as behind a database that was gone. */
  async 'long overdue'(scene, { fault }) {
    await scene.plan({ count: 40, rate: 40, from: Date.now() + 60_000 });
    // What was approved stays as it was; when it is due is what moved.
    await scene.sql(`update delivery set due_at = due_at - interval '21 minutes'`);
    for (const intent of scene.planned) intent.scheduled_at = new Date(Date.parse(intent.scheduled_at) - 21 * 60_000).toISOString();
    scene.hire(2, { fault });
    await pause(3000);
    await scene.settle(20);
    return scene.judge({});
  },
};

/** Settings that a kind of run needs of its product. */
const settings = {
  'low rate': { RTV_SANDBOX_RATE: String(lowRate) },
  // Long enough that the first looks come before the network shows what it has.
  'lagging read-back': { RTV_SANDBOX_LAG: '3s' },
};

export const settingsOf = (run) => settings[run] ?? {};
