// The sandbox network of a run: its own process with its own ledger, of which a run reads the part that it caused.

import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../end2end/server.mjs';
import { launch } from './process.mjs';
import { pause, programOf, root } from './product.mjs';

/** Starts it on a free port.
 *  @param {{ folder: string, build: string, args?: string[] }} options */
export async function startSandbox({ folder, build, args = [] }) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const ledger = path.join(folder, 'ledger.jsonl');
  const child = launch(programOf(build), ['sandbox', '--addr', `127.0.0.1:${port}`, '--ledger', ledger, ...args], {
    cwd: root, env: { PATH: process.env.PATH, HOME: process.env.HOME, RTV_LOG: 'warn' }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stdout.on('data', (chunk) => (log = (log + chunk).slice(-50_000)));
  child.stderr.on('data', (chunk) => (log = (log + chunk).slice(-50_000)));
  const ended = new Promise((resolve) => child.once('close', resolve));
  for (const end = performance.now() + 20_000; ; await pause(30)) {
    if (child.exitCode !== null || performance.now() > end) throw new Error(`the sandbox network does not answer:\n${log}`);
    if (await fetch(url).then((answer) => answer.ok, () => false)) break;
  }

  async function ask(method, address, body) {
    const answer = await fetch(`${url}${address}`, {
      method, body: body && JSON.stringify(body), headers: body && { 'content-type': 'application/json' },
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${address} of the sandbox network answered ${answer.status}: ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  return {
    url,
    ledger,
    ask,
    /** @param {string} handle @returns {Promise<{ id: string, token: string }>} */
    createAccount: (handle) => ask('POST', '/accounts', { handle }),
    /** Where the ledger ends now. */
    position: async () => (await stat(ledger)).size,
    /** The lines between two positions. */
    async lines(from, to = undefined) {
      const size = (to ?? (await stat(ledger)).size) - from;
      if (size <= 0) return '';
      const file = await open(ledger);
      try {
        const buffer = Buffer.alloc(size);
        const { bytesRead } = await file.read(buffer, 0, size, from);
        return buffer.toString('utf8', 0, bytesRead);
      } finally {
        await file.close();
      }
    },
    /** Goes through the lines from a position on without holding them all. */
    async *each(from) {
      const text = createInterface({ input: createReadStream(ledger, { start: from }), crlfDelay: Infinity });
      for await (const line of text) if (line.endsWith('}')) yield JSON.parse(line);
    },
    async stop() {
      child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(patience);
    },
  };
}
