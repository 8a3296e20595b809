// RTV as a torture run uses it: its commands, its workers, its pages, on a database of this run. Every process that is
// started here is known by its number and ended by it; nothing of the surrounding environment's RTV_* gets in.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { password } from '../end2end/people.mjs';
import { freePort } from '../end2end/server.mjs';
import { signIn } from '../end2end/sign-in.mjs';
import { createDatabase } from './cluster.mjs';
import { launch } from './process.mjs';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Staff that click and release; a release of everything takes both. */
export const staff = ['first@rtv.example', 'second@rtv.example'];

/** How long a proof of who one is may be old for a release, with a margin; the product's limit is five minutes. */
const FRESH = 4 * 60_000;

/** @param {number} milliseconds */
export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The time with microseconds, as all witnesses write it. */
export function now() {
  const micros = Math.round((performance.timeOrigin + performance.now()) * 1000);
  return new Date(Math.floor(micros / 1000)).toISOString().replace('Z', `${String(micros % 1000).padStart(3, '0')}Z`);
}

/** The program that is tortured: the debug build has faults that can be planted, the release build has figures. */
export function programOf(build) {
  return path.resolve(root, process.env.CARGO_TARGET_DIR ?? 'target', build, 'rtv');
}

function cleanEnvironment(settings) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(RTV_|LEPTOS_|DATABASE_URL$|PG)/.test(name));
  return { ...Object.fromEntries(kept), ...settings };
}

/** A process of the program, its number, and how it ended. */
function start(program, args, env) {
  const child = launch(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  const keep = (chunk) => (log = (log + chunk).slice(-200_000));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.once('error', (error) => keep(error.message));
  /** @type {Promise<{ status: number | null, signal: string | null }>} */
  const ended = new Promise((resolve) => child.once('close', (status, signal) => resolve({ status, signal })));
  const running = {
    pid: child.pid,
    ended,
    log: () => log,
    isRunning: () => child.exitCode === null && child.signalCode === null && child.pid !== undefined,
    /** @param {NodeJS.Signals} name */
    signal(name) {
      if (running.isRunning()) child.kill(name);
    },
    async kill() {
      running.signal('SIGKILL');
      return ended;
    },
    async stop() {
      running.signal('SIGCONT');
      running.signal('SIGTERM');
      const patience = setTimeout(() => running.signal('SIGKILL'), 15_000);
      await ended;
      clearTimeout(patience);
    },
  };
  return running;
}

/** RTV on one database.
 *  @param {{ folder: string, cluster: Awaited<ReturnType<typeof import('./cluster.mjs').startCluster>>, sandbox: { url: string },
 *            build: string, database: string, settings?: Record<string, string> }} where */
export function product({ folder, cluster, sandbox, build, database, settings = {} }) {
  const program = programOf(build);
  const home = path.join(folder, 'home');
  const processes = new Set();
  const cookies = new Map();
  let web;

  const environment = (more = {}, through = cluster.port) => cleanEnvironment({
    RTV_HOME: home,
    DATABASE_URL: cluster.url('rtv_owner', database),
    RTV_APP_DATABASE_URL: cluster.url('rtv_app', database, through),
    RTV_SANDBOX_URL: sandbox.url,
    RTV_LOG: process.env.RTV_LOG ?? 'warn',
    ...settings,
    ...more,
  });

  function begin(program, args, env) {
    const running = start(program, args, env);
    processes.add(running);
    running.ended.then(() => processes.delete(running));
    return running;
  }

  /** Runs one command to its end and gives back what it printed.
   *  @param {string[]} args @param {string} input */
  async function rtv(args, input = '', { may_fail = false, timeout = 120_000 } = {}) {
    const child = launch(program, args, { cwd: root, env: environment(), stdio: 'pipe' });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (errors += chunk));
    child.stdin.on('error', () => {}); // A command that reads nothing closes its input.
    child.stdin.end(input);
    const patience = setTimeout(() => child.kill('SIGKILL'), timeout);
    const status = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    clearTimeout(patience);
    if (status !== 0 && !may_fail) throw new Error(`rtv ${args.join(' ')} ended with status ${status}:\n${errors}${output}`);
    return { status, output, errors };
  }

  /** A worker. `through`: the port of the database, or of a proxy before it. `boottime`: seconds by which its boot time differs. */
  function startWorker({ through = cluster.port, fault, clock, boottime } = /** @type {any} */ ({})) {
    const env = environment({ ...(fault && { RTV_FAULT: fault }), ...(clock && { RTV_CLOCK: clock }) }, through);
    if (boottime === undefined) return begin(program, ['work'], env);
    return begin('unshare', ['--time', '--boottime', String(boottime), program, 'work'], env);
  }

  async function startWeb({ fault } = /** @type {any} */ ({})) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const running = begin(program, ['serve', '--no-worker'], environment({ RTV_ADDR: `127.0.0.1:${port}`, ...(fault && { RTV_FAULT: fault }) }));
    for (const end = performance.now() + 60_000; ; await pause(50)) {
      if (!running.isRunning() || performance.now() > end) throw new Error(`the server does not serve:\n${running.log()}`);
      if (await fetch(`${url}/health/live`).then((answer) => answer.ok, () => false)) break;
    }
    web = { url, running };
  }

  async function cookieOf(person) {
    const known = cookies.get(person);
    if (known && performance.now() - known.at < FRESH) return known.cookie;
    const cookie = await signIn(web.url, person);
    cookies.set(person, { cookie, at: performance.now() });
    return cookie;
  }

  /** Presses the button of a form, as a browser without scripts does. Gives back where it leads. */
  async function press(person, address, fields, { timeout = 30_000 } = {}) {
    const cookie = await cookieOf(person);
    const answer = await fetch(`${web.url}${address}`, {
      method: 'POST',
      body: new URLSearchParams(fields),
      redirect: 'manual',
      headers: { cookie, origin: web.url, referer: `${web.url}/staff/switches`, 'sec-fetch-site': 'same-origin', accept: 'text/html' },
      signal: AbortSignal.timeout(timeout),
    });
    await answer.arrayBuffer();
    return { status: answer.status, location: answer.headers.get('location') ?? '' };
  }

  /** Asks for a page as somebody. */
  async function visit(person, address) {
    const cookie = await cookieOf(person);
    const answer = await fetch(`${web.url}${address}`, { headers: { cookie, accept: 'text/html' }, signal: AbortSignal.timeout(30_000) });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`${address} was answered with ${answer.status}`);
  }

  return {
    home,
    database,
    rtv,
    visit,
    startWorker,
    startWeb,
    press,
    /** Both staff have proved who they are lately, so that no sign-in falls into a measurement. */
    keepFresh: async () => {
      for (const person of staff) await cookieOf(person);
    },
    count: () => processes.size,
    /** What went wrong last, from the logs of all processes; not that the database was away, which the harness sees to. */
    errors: () =>
      [...processes].flatMap((running) => running.log().split('\n'))
        .filter((line) => line.includes('ERROR') && !/does not answer|cannot be read/.test(line))
        .slice(-10)
        .join('\n'),
    logs: () => [...processes].map((running) => running.log()).join('\n'),
    /** Ends all its processes; the database stays. */
    async stop() {
      await Promise.all([...processes].map((running) => running.stop()));
    },
    async prepare() {
      await mkdir(home, { recursive: true });
    },
  };
}

/** Makes a database with tenants, each with accounts on the sandbox network, that runs copy.
 *  @param {Parameters<typeof product>[0] & { tenants: number, accounts: number }} where */
export async function seed({ tenants, accounts, ...where }) {
  await createDatabase(where.cluster, where.database);
  const rtv = product(where);
  await rtv.prepare();
  await rtv.rtv(['db', 'up']);
  for (const person of staff) await rtv.rtv(['admin', 'users', 'create', '--email', person, '--staff'], `${password}\n`);
  const numbers = Array.from({ length: tenants }, (_, index) => index + 1);
  const made = [];
  const makeTenants = async () => {
    for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
      const tenant = `t${String(number).padStart(2, '0')}`;
      await rtv.rtv(['admin', 'tenants', 'create', '--slug', tenant, '--name', `Tenant ${number}`, '--plan', 'enterprise']);
      for (let which = 1; which <= accounts; which += 1) {
        const handle = `${tenant}-${which}`;
        const { id, token } = await where.sandbox.createAccount(handle);
        made.push({ tenant, handle, remote_account: id, token });
      }
    }
  };
  await Promise.all(Array.from({ length: 3 }, makeTenants));
  made.sort((one, other) => (one.handle < other.handle ? -1 : 1));
  const rows = made.map(({ tenant, token }) => `${JSON.stringify({ tenant, platform: 'sandbox', token })}\n`).join('');
  const { output } = await rtv.rtv(['admin', 'accounts', 'connect'], rows);
  const connected = new Map(output.split('\n').filter(Boolean).map((line) => JSON.parse(line)).map((one) => [one.remote_id, one.account]));
  return made.map(({ tenant, handle, remote_account }) => {
    const account = connected.get(remote_account);
    if (!account) throw new Error(`${handle} was not connected as ${remote_account}: ${output}`);
    return { tenant, handle, account, remote_account };
  });
}
