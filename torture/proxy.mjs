// A proxy between RTV and its PostgreSQL that goes wrong on demand: silent as a cut cable, slow, resetting, or losing
// notifications and nothing else. For the last it reads how the server's messages are framed, so connections must not
// be encrypted. It listens on loopback only.

import { connect, createServer } from 'node:net';

/** What the server sends unasked when somebody calls NOTIFY. */
const NOTIFICATION = 'A'.charCodeAt(0);

/** Cuts a server's stream into whole messages, however it arrives. Each is a letter and the length of the rest, itself
 *  included. What is not whole yet waits, so that dropping can begin and end at any moment. */
export class Messages {
  constructor() {
    this.rest = Buffer.alloc(0);
    this.dropped = 0;
  }

  /** @param {Buffer} chunk @param {boolean} losesNotifications @returns {Buffer} what goes on */
  take(chunk, losesNotifications) {
    const bytes = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    const kept = [];
    let from = 0;
    let start = 0;
    while (bytes.length - start >= 5) {
      const end = start + 1 + bytes.readUInt32BE(start + 1);
      if (bytes.length < end) break;
      if (losesNotifications && bytes[start] === NOTIFICATION) {
        kept.push(bytes.subarray(from, start));
        from = end;
        this.dropped += 1;
      }
      start = end;
    }
    kept.push(bytes.subarray(from, start));
    this.rest = bytes.subarray(start);
    return Buffer.concat(kept);
  }
}

/** How the server says that a transaction is committed. */
const COMMITTED = Buffer.from('COMMIT\0');

/** What a connection says that keeps a sender's lease; all others carry deliveries. */
const LEASE = /\blisten\b|\bupdate\s+sender\b|\binsert\s+into\s+sender\b/i;

/** Starts a proxy to a port of this machine. What goes wrong can go wrong for `all` connections, for those that keep a
 *  `lease`, or for the `others`.
 *  @param {number} targetPort */
export async function startProxy(targetPort) {
  const pairs = new Set();
  const isSilent = { lease: false, others: false };
  const delay = { lease: 0, others: 0 };
  const commitDelay = { lease: 0, others: 0 };
  let losesNotifications = false;
  let dropped = 0;
  const kinds = (which) => (which === 'all' ? ['lease', 'others'] : [which]);

  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
    const pair = { client, upstream, kind: 'others' };
    pairs.add(pair);
    const messages = new Messages();
    forward(pair, client, upstream, (chunk) => {
      if (pair.kind === 'others' && LEASE.test(chunk.toString('latin1'))) {
        pair.kind = 'lease';
        if (isSilent.lease) silence(pair);
      }
      return chunk;
    }, () => 0);
    forward(pair, upstream, client, (chunk) => {
      const before = messages.dropped;
      const kept = messages.take(chunk, losesNotifications);
      dropped += messages.dropped - before;
      return kept;
    }, (chunk) => (chunk.includes(COMMITTED) ? Math.max(delay[pair.kind], commitDelay[pair.kind]) : delay[pair.kind]));
    for (const [one, other] of [[client, upstream], [upstream, client]]) {
      one.on('error', () => other.destroy());
      one.on('close', () => {
        other.destroy();
        pairs.delete(pair);
      });
    }
    if (isSilent.others) silence(pair);
  });

  /** Sends on what comes, after a delay if there is one, and always in its order. */
  function forward(pair, from, to, change, delayNow) {
    const waiting = [];
    const write = (chunk) => {
      if (to.destroyed || chunk.length === 0) return;
      if (!to.write(chunk)) {
        from.pause();
        to.once('drain', () => {
          if (!isSilent[pair.kind]) from.resume();
        });
      }
    };
    const next = () => {
      write(waiting.shift().chunk);
      if (waiting.length > 0) setTimeout(next, Math.max(0, waiting[0].due - performance.now()));
    };
    from.on('data', (received) => {
      const chunk = change(received);
      const wait = delayNow(chunk);
      if (wait === 0 && waiting.length === 0) return write(chunk);
      waiting.push({ chunk, due: performance.now() + wait });
      if (waiting.length === 1) setTimeout(next, wait);
    });
    from.on('end', () => to.end());
  }

  function silence({ client, upstream }) {
    client.pause();
    upstream.pause();
  }

  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(undefined));
  });
  return {
    port: server.address().port,
    /** Nothing more is taken from either side, and nobody is told. What was taken before still arrives. */
    cutOff(which = 'all') {
      for (const kind of kinds(which)) isSilent[kind] = true;
      for (const pair of pairs) if (isSilent[pair.kind]) silence(pair);
    },
    /** All is well again. What was held up arrives late, as TCP would send it again. */
    mend() {
      for (const kind of kinds('all')) {
        isSilent[kind] = false;
        delay[kind] = 0;
        commitDelay[kind] = 0;
      }
      losesNotifications = false;
      pairs.forEach(({ client, upstream }) => {
        client.resume();
        upstream.resume();
      });
    },
    /** Notifications are lost, everything else passes. */
    loseNotifications() {
      losesNotifications = true;
    },
    /** The server's answers come later by this many milliseconds. */
    slowDown(milliseconds, which = 'all') {
      for (const kind of kinds(which)) delay[kind] = milliseconds;
    },
    /** Each connection is reset. */
    reset() {
      for (const { client, upstream } of [...pairs]) {
        client.resetAndDestroy();
        upstream.resetAndDestroy();
      }
    },
    /** That something is committed is heard later by this many milliseconds; everything else at once. */
    slowCommits(milliseconds, which = 'all') {
      for (const kind of kinds(which)) commitDelay[kind] = milliseconds;
    },
    connections: (which = 'all') => [...pairs].filter(({ kind }) => kinds(which).includes(kind)).length,
    dropped: () => dropped,
    async stop() {
      for (const { client, upstream } of [...pairs]) {
        client.destroy();
        upstream.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
