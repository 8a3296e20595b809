// What the table says of shards, and when it says that something failed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sum } from './sum.mjs';

const report = (more) => ({
  ok: true, broken: {}, planned: 10, requests: 12, posts: 10, states: { confirmed: 9, rejected: 1 }, fired: {}, kills: 2, crashes: 0,
  unknown: { total: 3, unaided: 3 }, conditions: {}, ...more,
});
const shard = (name, kind, more, result = {}) => ({ name, kind, seed: 7, machine: '2 × CPU', ok: true, report: report(more), ...result });
const condition = (last) => ({ last, limit: 250, residue: 0 });

test('shards of several machines are added up', () => {
  const shards = [shard('deliveries-1', 'deliveries', {}), shard('deliveries-2', 'deliveries', { states: { confirmed: 10 } }, { machine: '4 × CPU' })];
  const { lines, passed, failed, missing } = sum(shards, ['deliveries-1', 'deliveries-2']);
  assert.deepEqual([passed, failed, missing], [2, 0, 0]);
  assert.match(lines.join('\n'), /On 2 × CPU; 4 × CPU/);
  assert.match(lines.join('\n'), /20 deliveries, 20 posts, 4 kills/);
  assert.match(lines.join('\n'), /19 confirmed, 1 rejected; unknown 6, settled unaided 6/);
});

test('flips of one condition make one row, with the percentiles of all', () => {
  const one = shard('flips-1', 'flips', { conditions: { healthy: condition([1, 2]) } }, { rate: 80, highest: 100 });
  const other = shard('flips-2', 'flips', { conditions: { healthy: condition([3, 300]) } }, { rate: 80, highest: 100 });
  const text = sum([one, other], []).lines.join('\n');
  assert.match(text, /80\/s \(80 % of 100\/s/);
  assert.match(text, /healthy +4 +2\.0 +300\.0 +300\.0 +300\.0 +250 +1 +0/);
});

test('what failed is named with its seed, and what was not run counts', () => {
  const broken = { lost: { count: 2, examples: ['dlv_1 is left in the state sending'] } };
  const { lines, failed, missing } = sum([shard('deliveries-1', 'deliveries', { broken }, { ok: false })], ['deliveries-1', 'deliveries-2']);
  assert.deepEqual([failed, missing], [1, 1]);
  assert.match(lines.join('\n'), /FAILED deliveries-1 \(seed 7\): lost × 2\n {4}lost: dlv_1 is left/);
  assert.match(lines.join('\n'), /Not run yet: deliveries-2/);
});

test('a bug that survives is named', () => {
  const caught = {
    'gate-unchecked': { run: 'in the pipe', is_caught: true, by: ['late'], broken: {} },
    'lease-forever': { run: 'lease cut', is_caught: false, by: [], broken: {} },
  };
  const { lines, failed } = sum([shard('planted', 'planted bugs', { caught }, { ok: false })], ['planted']);
  assert.equal(failed, 1);
  assert.match(lines.join('\n'), /1 of 2 made their run fail/);
  assert.match(lines.join('\n'), /lease-forever +lease cut +SURVIVED/);
});
