// The cluster of a run: what its faults do to whoever asks it.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { canFillDisks, createDatabase, startCluster } from './cluster.mjs';

let folder, cluster;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'rtv-torture-'));
  cluster = await startCluster({ folder, durable: false, disk: canFillDisks ? 220 : undefined });
  await createDatabase(cluster, 'one');
  await cluster.ask('one', 'create table thing (id integer primary key, is_on boolean) with (fillfactor = 20)');
  await cluster.ask('one', 'insert into thing values (1, false)');
});
after(async () => {
  await cluster.stop();
  await rm(folder, { recursive: true });
});

test('a copy has what its template had', async () => {
  await createDatabase(cluster, 'two', 'one');
  assert.deepEqual(await cluster.ask('two', 'select id, is_on from thing'), [['1', 'f']]);
});

test('frozen it is silent, thawed it answers', async () => {
  cluster.freeze();
  const asked = cluster.ask('one', 'select 1');
  let isAnswered = false;
  asked.then(() => (isAnswered = true), () => {});
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(isAnswered, false);
  cluster.thaw();
  assert.deepEqual(await asked, [['1']]);
});

test('crashed it refuses, started again it has what was committed', async () => {
  await cluster.ask('one', 'update thing set is_on = true');
  await cluster.ask('one', 'checkpoint');
  await cluster.crash();
  assert.equal(cluster.isRunning(), false);
  await assert.rejects(cluster.ask('one', 'select 1'));
  await cluster.start();
  assert.deepEqual(await cluster.ask('one', 'select is_on from thing'), [['t']]);
});

test('on a full disk nothing grows, and a row that exists is changed', { skip: canFillDisks ? false : 'only root can mount a disk' }, async () => {
  assert.equal(await cluster.fillDisk(), 0);
  await assert.rejects(cluster.ask('one', "create table more as select repeat('x', 5000) from generate_series(1, 5000)"));
  await cluster.ask('one', 'update thing set is_on = false where id = 1');
  await cluster.freeDisk();
  assert.deepEqual(await cluster.ask('one', 'select is_on from thing'), [['f']]);
  await cluster.ask('one', "create table more as select repeat('x', 5000) from generate_series(1, 500)");
});
