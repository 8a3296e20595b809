// What the fault proxy does to a conversation, held against a server that answers with framed messages.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { Messages, startProxy } from './proxy.mjs';

const message = (letter, text) => {
  const payload = Buffer.from(text);
  const head = Buffer.alloc(5);
  head[0] = letter.charCodeAt(0);
  head.writeUInt32BE(payload.length + 4, 1);
  return Buffer.concat([head, payload]);
};

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

let server, proxy, client, heard;

/** The server answers each line with a notification and a row that repeats it. */
beforeEach(async () => {
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (line) => socket.write(Buffer.concat([message('A', 'news'), message('D', String(line))])));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await startProxy(server.address().port);
  client = connect(proxy.port, '127.0.0.1');
  await once(client, 'connect');
  heard = '';
  client.on('data', (chunk) => (heard += chunk.toString('latin1')));
});

afterEach(async () => {
  client.destroy();
  await proxy.stop();
  await new Promise((resolve) => server.close(resolve));
});

async function hears(pattern) {
  for (let tries = 0; tries < 200; tries += 1) {
    if (pattern.test(heard)) return;
    await pause(10);
  }
  assert.match(heard, pattern);
}

test('messages are told apart in whatever pieces they come', () => {
  const stream = Buffer.concat([message('R', 'auth'), message('A', 'one'), message('D', 'row'), message('A', ''), message('Z', 'I')]);
  const expect = Buffer.concat([message('R', 'auth'), message('D', 'row'), message('Z', 'I')]);
  for (let size = 1; size <= stream.length; size += 1) {
    const messages = new Messages();
    const kept = [];
    for (let from = 0; from < stream.length; from += size) kept.push(messages.take(stream.subarray(from, from + size), true));
    assert.deepEqual(Buffer.concat(kept), expect, `pieces of ${size}`);
    assert.equal(messages.dropped, 2);
  }
});

test('dropping begins in the middle of a message without harm', () => {
  const messages = new Messages();
  const stream = Buffer.concat([message('D', 'a long row'), message('A', 'news')]);
  const kept = Buffer.concat([messages.take(stream.subarray(0, 7), false), messages.take(stream.subarray(7), true)]);
  assert.deepEqual(kept, message('D', 'a long row'));
});

test('all passes, then everything but notifications', async () => {
  client.write('first');
  await hears(/news[^]*first/);
  proxy.loseNotifications();
  heard = '';
  client.write('second');
  await hears(/second/);
  assert.doesNotMatch(heard, /news/);
  assert.equal(proxy.dropped(), 1);
  proxy.mend();
  client.write('third');
  await hears(/news[^]*third/);
});

test('cut off, nothing passes and nothing closes; mended, it arrives', async () => {
  proxy.cutOff();
  let isClosed = false;
  client.on('close', () => (isClosed = true));
  client.write('lost?');
  await pause(200);
  assert.equal(heard, '');
  assert.equal(isClosed, false);
  const late = connect(proxy.port, '127.0.0.1');
  late.write('new connection');
  let answered = false;
  late.on('data', () => (answered = true));
  await pause(100);
  assert.equal(answered, false, 'a connection that is made while the cable is cut hears nothing');
  proxy.mend();
  await hears(/lost\?/);
  late.destroy();
});

test('answers are slow and keep their order, also when the delay ends', async () => {
  proxy.slowDown(300);
  const started = performance.now();
  client.write('one');
  await pause(50);
  proxy.slowDown(0);
  client.write('two');
  await hears(/one[^]*two/);
  assert.ok(performance.now() - started >= 290);
});

test('an answer on its way arrives though the cable is cut behind it', async () => {
  proxy.slowDown(200);
  client.write('one');
  await pause(100);
  proxy.cutOff();
  await hears(/one/);
});

test('a reset ends every connection with an error', async () => {
  client.write('one');
  await hears(/one/);
  assert.equal(proxy.connections(), 1);
  const failed = once(client, 'error');
  proxy.reset();
  assert.equal((await failed.catch((error) => [error]))[0].code, 'ECONNRESET');
});

test('a connection that keeps a lease can be cut off alone', async () => {
  client.write('listen rtv_switch');
  await hears(/listen/);
  const other = connect(proxy.port, '127.0.0.1');
  let answer = '';
  other.on('data', (chunk) => (answer += chunk));
  other.write('select 1');
  while (!answer.includes('select 1')) await pause(10);
  assert.deepEqual([proxy.connections('lease'), proxy.connections('others')], [1, 1]);
  proxy.cutOff('lease');
  heard = '';
  answer = '';
  client.write('update sender');
  other.write('select 2');
  while (!answer.includes('select 2')) await pause(10);
  await pause(100);
  assert.equal(heard, '');
  other.destroy();
});

test('that something is committed is heard late, and nothing else', async () => {
  proxy.slowCommits(300);
  client.write('quick');
  const started = performance.now();
  await hears(/quick/);
  assert.ok(performance.now() - started < 250);
  client.write('COMMIT\0');
  await hears(/COMMIT/);
  assert.ok(performance.now() - started >= 290);
});
