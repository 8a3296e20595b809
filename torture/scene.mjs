// What every run has in common: a stage (a cluster, the sandbox network, a database with tenants), and on it scenes. A scene
// is a copy of that database with workers; it plans deliveries, notes what the harness does, waits until all have ended, and
// has itself judged by the checker.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDatabase, startCluster } from './cluster.mjs';
import { network } from './deliveries.mjs';
import { now, pause, product, seed } from './product.mjs';
import { startSandbox } from './sandbox.mjs';

const checker = fileURLToPath(new URL('check.mjs', import.meta.url));

/** Read-backs and calls wait a fraction of what they wait for real networks, or each run would take hours. */
export const quick = {
  RTV_SANDBOX_LAG: '300ms',
  RTV_SANDBOX_RATE: '100000',
  RTV_SEND_DEADLINE: '2s',
  RTV_SWITCH_RAMP: '0',
};

/** @param {{ build: string, tenants?: number, accounts?: number, disk?: number, durable?: boolean }} options */
export async function setStage({ build, tenants = 40, accounts = 1, disk, durable = true }) {
  // Short and passable, as PostgreSQL may run as another user.
  const folder = await mkdtemp(path.join(tmpdir(), 'rtv-torture-'));
  const undo = [() => rm(folder, { recursive: true, force: true })];
  const strike = async () => {
    for (const step of undo.reverse()) await step();
  };
  try {
    const cluster = await startCluster({ folder, disk, durable });
    undo.push(() => cluster.stop());
    const sandbox = await startSandbox({ folder, build });
    undo.push(() => sandbox.stop());
    const made = await seed({ folder, cluster, sandbox, build, database: 'seed', tenants, accounts, settings: quick });
    let count = 0;
    return {
      cluster,
      sandbox,
      accounts: made,
      strike,
      /** A scene with its own copy of the database.
       *  @param {string} evidence Folder for what the witnesses wrote. */
      async scene(evidence, settings = {}) {
        count += 1;
        const database = `scene_${count}`;
        await createDatabase(cluster, database, 'seed');
        // What the scene before had dialled is over, and so is the rate that the network has by itself.
        await sandbox.ask('PUT', '/faults', network(count, {}));
        const rtv = product({ folder, cluster, sandbox, build, database, settings: { ...quick, ...settings } });
        return scene({ rtv, cluster, sandbox, accounts: made, evidence, begins: await sandbox.position() });
      },
    };
  } catch (error) {
    await strike();
    throw error;
  }
}

function scene({ rtv, cluster, sandbox, accounts, evidence, begins }) {
  const planned = [];
  const notes = [];
  const workers = [];

  const self = {
    rtv,
    cluster,
    sandbox,
    accounts,
    planned,
    notes,
    workers,
    note: (entry) => notes.push({ at: now(), ...entry }),
    sql: (statement, timeout) => cluster.ask(rtv.database, statement, timeout),

    /** Plans deliveries that are due one after the other; each has a text of its own.
     *  @param {{ count: number, rate: number, from?: number, among?: any[], text?: (number: number) => string }} what
     *    `from`: milliseconds of the first; `rate`: a second. */
    async plan({ count, rate, from = Date.now() + 1000, among = accounts, text }) {
      const first = planned.length;
      const rows = Array.from({ length: count }, (_, index) => {
        const number = first + index;
        const account = among[number % among.length];
        return {
          tenant: account.tenant,
          account: account.account,
          text: text?.(number) ?? `Post ${number} of ${rtv.database} for ${account.handle}`,
          scheduled_at: new Date(Math.round(from + (index * 1000) / rate)).toISOString(),
        };
      });
      const { output } = await rtv.rtv(['admin', 'deliveries', 'load', '--json'], rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
      const made = output.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
      if (made.length !== rows.length) throw new Error(`${rows.length} deliveries were to be made, ${made.length} were`);
      rows.forEach((row, index) => {
        const account = among[(first + index) % among.length];
        planned.push({
          delivery: made[index].delivery,
          tenant: row.tenant,
          account: row.account,
          remote_account: account.remote_account,
          content_sha256: createHash('sha256').update(row.text).digest('hex'),
          scheduled_at: row.scheduled_at,
        });
      });
      return made;
    },

    /** Starts so many workers more. */
    hire(number, options = {}) {
      const hired = Array.from({ length: number }, () => ({ options, running: rtv.startWorker(options) }));
      workers.push(...hired);
      return hired;
    },

    /** Starts a worker again that has ended, perhaps otherwise. */
    rehire(worker, options = worker.options) {
      worker.options = options;
      worker.running = rtv.startWorker(options);
    },

    /** How many requests to publish the network has had since a position of its ledger. */
    async published(from = begins) {
      return (await sandbox.lines(from)).split('"action":"publish"').length - 1;
    },

    /** Removes what lies in the folder of local halts, as a person does by hand. */
    async removeLocalFiles() {
      // The folder stays: without it RTV sends nothing, because nobody could tell what stood in it.
      const folder = path.join(rtv.home, 'halt.d');
      for (const name of await readdir(folder).catch(() => [])) await rm(path.join(folder, name), { recursive: true, force: true });
    },

    /** Gives the database the statistics that PostgreSQL by itself gathers within a minute of work, and that a copy of an empty one
     *  has not: plans without them are no measurement. */
    gatherStatistics: () => self.sql('vacuum (analyze)', 60_000),

    states: async () => Object.fromEntries(await self.sql('select state, count(*) from delivery group by state')),

    /** Writes a local halt of everything as somebody without RTV's commands would: any file stops. */
    async writeLocalFile() {
      await writeFile(path.join(rtv.home, 'halt.d', 'torture.json'), '{"scope":"everything","note":"torture"}', { mode: 0o600 });
    },

    settle: (seconds) => self.settleUnless('', seconds),

    /** Waits until every delivery has ended, but for those in a state that waits for people.
     *  @param {string} state @param {number} seconds */
    async settleUnless(state, seconds) {
      const open = `select count(*) from delivery where state not in ('confirmed', 'rejected', 'missed', 'needs_person', 'dropped', '${state}')`;
      for (const end = performance.now() + seconds * 1000; performance.now() < end; await pause(200)) {
        if ((await self.sql(open))[0][0] === '0') return true;
      }
      // The checker names what was lost.
      return false;
    },

    /** Ends the workers, gathers what the witnesses say and has it judged. */
    async judge(expect) {
      await rtv.stop();
      const { output: exported } = await rtv.rtv(['admin', 'deliveries', 'export']);
      await mkdir(evidence, { recursive: true });
      const write = (name, text) => writeFile(path.join(evidence, name), text);
      const rows = (list) => list.map((row) => `${JSON.stringify(row)}\n`).join('');
      await write('planned.jsonl', rows(planned));
      await write('ledger.jsonl', await sandbox.lines(begins));
      await write('export.jsonl', exported);
      await write('log.jsonl', rows(notes));
      await write('expect.json', JSON.stringify(expect, null, 2));
      const report = await check(evidence);
      await write('report.json', JSON.stringify(report, null, 2));
      return report;
    },

    /** Ends what is still there of it. */
    async strike() {
      await rtv.stop();
      await self.removeLocalFiles();
      await cluster.ask('postgres', `drop database if exists ${rtv.database} with (force)`);
    },
  };
  return self;
}

function check(folder) {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [checker, folder], { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error && error.code !== 1) reject(new Error(stderr || error.message));
      else resolve(JSON.parse(stdout));
    });
  });
}
