// The lists of this folder are those of the product: no fault may be there without a run that is made for it.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { points } from './crash_points.mjs';
import { bugs, runs } from './planted.mjs';

const source = await readFile(new URL('../crates/rtv-core/src/fault.rs', import.meta.url), 'utf8');
const named = (kind) => [...source.matchAll(new RegExp(`= "([a-z-]+)", ${kind};`, 'g'))].map(([, key]) => key);

test('every crash point of the product is one of the fourteen that are hit', () => {
  assert.equal(points.length, 14);
  assert.deepEqual(points, named('crash'));
});

test('every bug that can be planted has a run that is made to expose it', () => {
  assert.ok(named('bug').length >= 15);
  assert.deepEqual(Object.keys(bugs).sort(), named('bug').sort());
  for (const [bug, { run, rules }] of Object.entries(bugs)) {
    assert.ok(runs[run], `${bug} names the run ${run}, which there is not`);
    assert.ok(rules.length > 0);
  }
});
