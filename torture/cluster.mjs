// A PostgreSQL that belongs to one run: on loopback, with a folder of its own, and with ways to stop it hard, to freeze it
// and to fill its disk. RTV's own private cluster keeps others away from exactly these.

import { execFile } from 'node:child_process';
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { chmod, chown, mkdir, open, rm, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../end2end/server.mjs';
import { launch } from './process.mjs';

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;

/** PostgreSQL refuses to run as root. */
const user = isRoot ? systemUser('postgres') : undefined;

function systemUser(name) {
  const line = readFileSync('/etc/passwd', 'utf8').split('\n').find((row) => row.startsWith(`${name}:`));
  if (!line) throw new Error(`there is no user ${name}, as whom PostgreSQL would run: install the package postgresql-15`);
  const [, , uid, gid] = line.split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

function programs() {
  const folders = [18, 17, 16, 15].map((major) => `/usr/lib/postgresql/${major}/bin`).concat(process.env.PATH.split(':'));
  const found = folders.find((folder) => {
    try {
      accessSync(path.join(folder, 'initdb'), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!found) throw new Error('PostgreSQL was not found: install the package postgresql-15');
  return found;
}

/** Whether this machine lets us make a disk that can be filled. */
export const canFillDisks = isRoot;

/** Children of a process, and theirs. */
export function descendants(pid) {
  const parents = new Map();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const found = [];
  let generation = [pid];
  while (generation.length > 0) {
    generation = [...parents].filter(([, parent]) => generation.includes(parent)).map(([child]) => child);
    found.push(...generation);
  }
  return found;
}

function signal(pids, name) {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** Makes and starts a cluster.
 *  @param {{ folder: string, disk?: number, durable?: boolean }} options `disk`: mebibytes of a disk of its own, which can then be filled. */
export async function startCluster({ folder, disk, durable = true }) {
  const bin = programs();
  const home = path.join(folder, 'database');
  const data = path.join(home, 'data');
  const port = await freePort();
  await mkdir(home, { recursive: true });
  if (disk) await run('mount', ['-t', 'tmpfs', '-o', `size=${disk}m`, 'rtv-torture', home]);
  await chmod(folder, 0o755);
  if (user) await chown(home, user.uid, user.gid);
  // A clean environment: nobody's PG… variables count here.
  const as = { ...user, env: { PATH: process.env.PATH, LC_ALL: 'C' }, cwd: '/' };
  const arguments_ = ['--pgdata', data, '--username=postgres', '--encoding=UTF8', '--auth=trust', '--no-instructions'];
  if (disk) arguments_.push('--wal-segsize=4');
  if (!durable) arguments_.push('--no-sync');
  await run(path.join(bin, 'initdb'), arguments_, as);
  const settings = [
    "listen_addresses = '127.0.0.1'",
    `port = ${port}`,
    "unix_socket_directories = ''",
    'max_connections = 300',
    'shared_buffers = 128MB',
    'log_min_messages = warning',
    ...(disk ? ['min_wal_size = 16MB', 'max_wal_size = 32MB', 'shared_buffers = 32MB'] : []),
    ...(durable ? [] : ['fsync = off', 'synchronous_commit = off', 'full_page_writes = off']),
  ];
  await writeFile(path.join(data, 'postgresql.auto.conf'), `${settings.join('\n')}\n`, { mode: 0o600 });
  if (user) await chown(path.join(data, 'postgresql.auto.conf'), user.uid, user.gid);

  let server;
  const log = path.join(folder, 'database.log');
  async function start() {
    const output = await open(log, 'a');
    server = launch(path.join(bin, 'postgres'), ['-D', data], { ...as, stdio: ['ignore', output.fd, output.fd] }, 'QUIT');
    server.ended = new Promise((resolve) => server.once('close', resolve));
    await output.close();
    for (const end = performance.now() + 60_000; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
      if (server.exitCode !== null) throw new Error(`PostgreSQL ended at its start; ${log} says why`);
      if (await ask('postgres', 'select 1').then(() => true, () => false)) return;
      if (performance.now() > end) throw new Error(`PostgreSQL did not answer within 60 s; ${log} says why`);
    }
  }

  /** Runs SQL as superuser; rows come back as arrays of texts. */
  async function ask(database, sql, timeout = 60_000) {
    const { stdout } = await run(path.join(bin, 'psql'), [
      '-X', '-q', '-A', '-t', '-F', '\t', '-v', 'ON_ERROR_STOP=1', '-d', `postgres://postgres@127.0.0.1:${port}/${database}`, '-c', sql,
    ], { ...as, timeout, maxBuffer: 256 * 1024 * 1024 });
    return stdout.split('\n').filter((line) => line !== '').map((line) => line.split('\t'));
  }

  const all = () => [server.pid, ...descendants(server.pid)];
  async function ended() {
    await server.ended;
  }

  const cluster = {
    port,
    ask,
    url: (role, database, through = port) => `postgres://${role}@127.0.0.1:${through}/${database}?sslmode=disable`,
    /** Ends it at once, as a crash would; what was committed is there after the next start. */
    async crash() {
      signal([server.pid], 'SIGQUIT');
      await ended();
    },
    start,
    isRunning: () => server.exitCode === null && server.signalCode === null,
    /** Stops every process of it where it stands; connections stay open and silent. */
    freeze: () => signal(all(), 'SIGSTOP'),
    thaw: () => signal(all().reverse(), 'SIGCONT'),
    /** Takes the last byte of its disk. */
    async fillDisk() {
      const ballast = path.join(home, 'ballast');
      const file = await open(ballast, 'w');
      const chunk = Buffer.alloc(64 * 1024);
      let size = chunk.length;
      while (size > 0) {
        try {
          const { bytesWritten } = await file.write(chunk, 0, size);
          if (bytesWritten < size) size >>= 1;
        } catch (error) {
          if (error.code !== 'ENOSPC') throw error;
          size >>= 1;
        }
      }
      await file.close();
      return (await statfs(home)).bavail;
    },
    freeDisk: () => rm(path.join(home, 'ballast'), { force: true }),
    async stop() {
      if (cluster.isRunning()) {
        cluster.thaw();
        signal([server.pid], 'SIGINT');
        const patience = setTimeout(() => signal([server.pid], 'SIGQUIT'), 20_000);
        await ended();
        clearTimeout(patience);
      }
      if (disk) await run('umount', [home]);
      await rm(home, { recursive: true, force: true });
    },
  };
  try {
    await start();
    for (const role of ['rtv_owner', 'rtv_app']) {
      await ask('postgres', `create role ${role} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls`);
    }
    return cluster;
  } catch (error) {
    await cluster.stop().catch(() => {});
    throw error;
  }
}

/** Makes an empty database as RTV wants it, or a copy of another one.
 *  @param {Awaited<ReturnType<typeof startCluster>>} cluster @param {string} name @param {string=} template */
export async function createDatabase(cluster, name, template) {
  await cluster.ask('postgres', `create database ${name} owner rtv_owner${template ? ` template ${template}` : ''}`);
  await cluster.ask('postgres', `revoke all on database ${name} from public`);
  await cluster.ask('postgres', `grant connect, temporary on database ${name} to rtv_app`);
  if (!template) {
    await cluster.ask(name, 'alter schema public owner to rtv_owner');
    await cluster.ask(name, 'revoke all on schema public from public');
    await cluster.ask(name, 'grant usage on schema public to rtv_app');
  }
}
