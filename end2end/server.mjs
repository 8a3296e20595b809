// A real RTV for browser tests and measurements: its own RTV_HOME with a private database, seeded through the
// commands that people use, on a free port. Nothing of the surrounding environment's RTV_* or DATABASE_URL
// gets in, except RTV_BINARY, which names the program, and RTV_LOG.

import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  brand, crews, crowded, email, halters, importers, imports, moreTenants, password, people, publishers, roles, settlers, staff, tenants,
  wards,
} from './people.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const binary = path.resolve(root, process.env.RTV_BINARY ?? 'target/debug/rtv');

/** @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
      probe.close(() => resolve(port));
    });
  });
}

/** @param {string} home @param {number} port @param {Record<string, string>} settings @returns {NodeJS.ProcessEnv} */
function environment(home, port, settings) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(RTV_|LEPTOS_|DATABASE_URL$|PG)/.test(name));
  return {
    ...Object.fromEntries(kept),
    RTV_HOME: home,
    RTV_ADDR: `127.0.0.1:${port}`,
    RTV_LOG: process.env.RTV_LOG ?? 'warn',
    ...settings,
  };
}

/** Runs one command of rtv to its end; its output is shown only when it fails.
 *  @param {NodeJS.ProcessEnv} env @param {string[]} args */
async function rtv(env, args, input = '') {
  const child = spawn(binary, args, { cwd: root, env, stdio: 'pipe' });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  child.stdin.on('error', () => {}); // A command that reads no password closes its input.
  child.stdin.end(input);
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status !== 0) throw new Error(`rtv ${args.join(' ')} ended with status ${status}:\n${output}`);
}

/** @param {NodeJS.ProcessEnv} env @param {string[]} demo */
async function seed(env, demo) {
  await rtv(env, ['db', 'up']);
  await rtv(env, ['demo', ...demo]);
  for (const tenant of [...tenants, ...importers, ...crews, ...settlers, ...wards, ...halters, ...publishers, crowded]) {
    const plan = settlers.includes(tenant) ? 'free' : 'enterprise';
    const named = ['--slug', tenant.slug, '--name', tenant.name];
    await rtv(env, ['admin', 'tenants', 'create', ...named, '--zone', tenant.zone, '--plan', plan]);
    for (const role of roles) {
      const person = ['--email', email(tenant, role), '--tenant', tenant.slug, '--role', role];
      await rtv(env, ['admin', 'users', 'create', ...person], `${password}\n`);
    }
  }
  for (const tenant of moreTenants) {
    await rtv(env, ['admin', 'tenants', 'create', '--slug', tenant.slug, '--name', tenant.name, '--plan', 'professional']);
  }
  for (const person of people) {
    for (const tenant of person.tenants) {
      const membership = ['--email', person.email, '--tenant', tenant.slug, '--role', 'viewer'];
      await rtv(env, ['admin', 'users', 'create', ...membership], `${password}\n`);
    }
  }
  await rtv(env, ['admin', 'users', 'create', '--email', staff, '--staff'], `${password}\n`);
  await rtv(env, ['admin', 'tenants', 'limits', crowded.slug, '--set', 'users=1']);
  const color = ['--hue', String(brand.hue), '--chroma', String(brand.chroma)];
  await rtv(env, ['admin', 'tenants', 'brand', '--tenant', brand.tenant.slug, ...color]);
  for (const { file, tenant, zone } of imports) {
    const ofZone = zone ? ['--zone', zone] : [];
    await rtv(env, ['migrate', 'import', path.resolve(root, file), '--tenant', tenant.slug, ...ofZone]);
  }
}

/** Starts a program and waits until the address answers with success.
 *  @param {string} program @param {string[]} args @param {NodeJS.ProcessEnv} env @param {string} address */
export async function startProgram(program, args, env, address) {
  const started = performance.now();
  const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stdout.on('data', (chunk) => (log += chunk));
  child.stderr.on('data', (chunk) => (log += chunk));
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.once('error', (error) => (log += error.message));
  const stop = async () => {
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(patience);
    return log;
  };
  while (!(await fetch(address).then((answer) => answer.ok, () => false))) {
    if (child.exitCode !== null || child.pid === undefined) {
      throw new Error(`${program} ended with status ${child.exitCode} instead of serving:\n${log}`);
    }
    if (performance.now() - started > 60_000) {
      throw new Error(`${address} did not answer within 60 s:\n${await stop()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { pid: child.pid, milliseconds: performance.now() - started, stop };
}

/** A seeded server; `restart` ends and starts it again on the same data.
 *  @param {string[]} demo Arguments of `rtv demo`: by default a small one, which loads in a second.
 *  @param {Record<string, string>} settings More of RTV's variables. */
export async function startServer(demo = ['--posts', '600'], settings = {}) {
  // Short, as PostgreSQL's socket path must be, and passable, as PostgreSQL may run as another user.
  const home = await mkdtemp(path.join(tmpdir(), 'rtv-e2e-'));
  await chmod(home, 0o755);
  const port = await freePort();
  const sandboxPort = await freePort();
  // The network that posts go to: a process of its own with a ledger of its own, as people run it.
  const sandbox = { url: `http://127.0.0.1:${sandboxPort}`, ledger: path.join(home, 'sandbox.jsonl') };
  settings = { RTV_SANDBOX_URL: sandbox.url, ...settings };
  const env = environment(home, port, settings);
  const url = `http://127.0.0.1:${port}`;
  const start = () => startProgram(binary, ['serve'], env, `${url}/health/ready`);
  // A database is ended by the program that began it, so the others end first.
  const others = /** @type {{ stop: () => Promise<string> }[]} */ ([]);
  const network = await startProgram(
    binary, ['sandbox', '--addr', `127.0.0.1:${sandboxPort}`, '--ledger', sandbox.ledger], env, `${sandbox.url}/health`,
  );
  try {
    await seed(env, demo);
    let running = await start();
    return {
      url,
      sandbox,
      pid: () => running.pid,
      async restart() {
        await running.stop();
        running = await start();
        return running.milliseconds;
      },
      /** Another server on the same data; its address. */
      async startAnother() {
        const port = await freePort();
        const url = `http://127.0.0.1:${port}`;
        others.push(await startProgram(binary, ['serve', '--no-worker'], environment(home, port, settings), `${url}/health/ready`));
        return url;
      },
      async stop() {
        const logs = await Promise.all(others.map((other) => other.stop()));
        const log = [...logs, await running.stop(), await network.stop()].join('\n');
        const worrying = log.split('\n').filter((line) => /\b(WARN|ERROR)\b|panicked/.test(line));
        if (worrying.length > 0) console.log(`rtv serve complained:\n${worrying.join('\n')}`);
        await rm(home, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await network.stop();
    await rm(home, { recursive: true, force: true });
    throw error;
  }
}
