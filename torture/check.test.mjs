// What the checker finds, from ledgers written by hand: each fault once, and a clean run that it lets pass.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { judge, micros } from './check.mjs';

const at = (seconds) => `2026-11-22T10:00:${seconds.toFixed(6).padStart(9, '0')}Z`;

const intent = (number, more = {}) => ({
  delivery: `dlv_${number}`,
  tenant: `t${number}`,
  account: `acc_${number}`,
  remote_account: `a${number}`,
  content_sha256: `hash${number}`,
  scheduled_at: at(1),
  ...more,
});

const post = (number, seconds, more = {}) => ({
  at: at(seconds + 0.001),
  account: `a${number}`,
  action: 'publish',
  remote_id: `p${number}`,
  content_sha256: `hash${number}`,
  idempotency_key: `key${number}`,
  first_byte_at: at(seconds),
  fault: null,
  ...more,
});

const row = (number, more = {}) => ({
  delivery: `dlv_${number}`,
  state: 'confirmed',
  remote_id: `p${number}`,
  attempts: [{ no: 1, sending_at: at(1.4) }],
  events: [],
  ...more,
});

/** Three intents that went well. */
const clean = () => ({
  planned: [intent(1), intent(2), intent(3)],
  ledger: [post(1, 1.5), post(2, 1.6), post(3, 1.7)],
  exported: [row(1), row(2), row(3)],
  log: [],
  expect: {},
});

/** The rules that a changed run breaks. */
function broken(change) {
  const witnesses = clean();
  change(witnesses);
  return Object.keys(judge(witnesses).broken);
}

const flip = (more = {}) => ({
  kind: 'flip', condition: 'healthy', scope: {}, clicked_at: at(2), released_at: at(9), engaged: true, ...more,
});

function flipped(flips, ledger, limits = { healthy: 250, stopped: 2500 }) {
  return broken((run) => {
    run.log = flips;
    run.expect = { limits };
    run.ledger = ledger;
    run.exported.forEach((row) => (row.attempts = [{ no: 1, sending_at: at(1) }]));
  });
}

test('a run that went well is let pass, with its figures', () => {
  const report = judge(clean());
  assert.equal(report.ok, true);
  assert.deepEqual(report.states, { confirmed: 3 });
  assert.equal(report.posts, 3);
});

test('each way of going wrong is found, and nothing else is', () => {
  const check = (what, change, expect) => assert.deepEqual(broken(change), expect, what);
  check('a post that stands twice', (run) => run.ledger.push(post(1, 3, { remote_id: 'p9' })), ['doubled']);
  check('a post that stands twice, once with its reply dropped', (run) => {
    run.ledger[0].fault = 'accept-drop';
    run.ledger.push(post(1, 3, { remote_id: 'p9' }));
  }, ['doubled']);
  check('refused at first, then taken', (run) => run.ledger.unshift(post(1, 1.45, { remote_id: null })), []);
  check('an intent that the export lacks', (run) => run.exported.pop(), ['lost']);
  check('an intent that never ended', (run) => (run.exported[0].state = 'sending'), ['lost']);
  check('an intent that is held for ever', (run) => (run.exported[0].state = 'held'), ['lost']);
  check('confirmed without a post', (run) => run.ledger.shift(), ['lost']);
  check('confirmed as somebody else’s post', (run) => (run.exported[0].remote_id = 'p2'), ['lost']);
  check('called missed, though it stands', (run) => (run.exported[0].state = 'missed'), ['denied']);
  check('called rejected, though it stands', (run) => (run.exported[0].state = 'rejected'), ['denied']);
  check('before a person, and it stands', (run) => (run.exported[0].state = 'needs_person'), []);
  check('rejected, and it does not stand', (run) => {
    run.exported[0].state = 'rejected';
    run.ledger[0].remote_id = null;
  }, []);
  check('with another account’s token', (run) => (run.ledger[0].account = 'a2'), ['wrong account']);
  check('under another author', (run) => (run.ledger[0].author = 'a2'), ['wrong account']);
  check('the network’s mistake, called well', (run) => Object.assign(run.ledger[0], { author: 'a2', fault: 'wrong-author' }), ['wrong account']);
  check('the network’s mistake, before a person', (run) => {
    Object.assign(run.ledger[0], { author: 'a2', fault: 'wrong-author' });
    run.exported[0].state = 'needs_person';
  }, []);
  check('a text that nobody planned', (run) => run.ledger.push(post(4, 2)), ['unplanned']);
  check('a text that nobody planned, refused', (run) => run.ledger.push(post(4, 2, { remote_id: null })), ['unplanned']);
  check('a part of a request, without its text', (run) => run.ledger.push(post(1, 1.45, { remote_id: null, content_sha256: null, account: null, action: 'partial' })), []);
  check('sent without an attempt', (run) => (run.exported[0].attempts = []), ['unrecorded']);
  check('sent before its attempt was written', (run) => (run.exported[0].attempts[0].sending_at = at(1.500001)), ['unrecorded']);
  check('sent before its time', (run) => (run.planned[0].scheduled_at = at(1.6)), ['early']);
  check('sent early by a clock that goes ahead', (run) => {
    run.planned[0].scheduled_at = at(1.6);
    run.expect.clocks_ms = 101;
  }, []);
  check('sent sixteen minutes late', (run) => (run.planned[0].scheduled_at = '2026-11-22T09:44:00Z'), ['stale']);
  check('a dialled fault that never happened', (run) => (run.expect.fired = ['accept-drop']), ['not fired']);
  check('a flow that stopped by itself', (run) => run.log.push({ kind: 'stalled', why: 'nothing flows' }), ['stalled']);
  check('too few kills', (run) => {
    run.expect.kills = 2;
    run.log.push({ kind: 'kill' });
  }, ['not fired']);
  check('a crash point that was not hit', (run) => {
    run.expect.crashes = { 'crash-after-claim': 2 };
    run.log.push({ kind: 'crash', point: 'crash-after-claim' }, { kind: 'crash', point: 'crash-after-reply' });
  }, ['not fired']);
  const read = (number, seconds) => ({ ...post(number, seconds), action: 'read', remote_id: null, content_sha256: null });
  const confirmed = (run) => (run.exported[0].events = [{ at: at(3), from: 'accepted', to: 'confirmed' }]);
  check('confirmed without a look', confirmed, ['unread']);
  check('confirmed after a look from before', (run) => {
    confirmed(run);
    run.ledger.unshift(read(1, 1.2));
  }, ['unread']);
  check('confirmed after a look at somebody else', (run) => {
    confirmed(run);
    run.ledger.push(read(2, 2));
  }, ['unread']);
  check('confirmed after a look', (run) => {
    confirmed(run);
    run.ledger.push(read(1, 2));
  }, []);
  check('confirmed before the look', (run) => {
    confirmed(run);
    run.ledger.push(read(1, 5));
  }, ['unread']);
  check('confirmed after a look, by a clock that goes behind', (run) => {
    confirmed(run);
    run.ledger.push(read(1, 5));
    run.expect.clocks_ms = 2100;
  }, []);
  const withKeys = (run) => run.exported.forEach((row, index) => (row.attempts[0].idempotency_key = `key${index + 1}`));
  check('with an old permit', (run) => {
    withKeys(run);
    run.expect.permit_ms = 500;
    run.exported[0].attempts[0].sending_at = at(0.8);
  }, ['old permit']);
  check('with the young permit of a second attempt', (run) => {
    withKeys(run);
    run.expect.permit_ms = 500;
    run.exported[0].attempts.unshift({ no: 0, sending_at: at(0.2), idempotency_key: 'key1' });
  }, []);
  check('with a young permit', (run) => {
    withKeys(run);
    run.expect.permit_ms = 500;
  }, []);
  check('refused for its rate', (run) => {
    run.expect.no_refusals = true;
    run.ledger.unshift(post(1, 1.45, { remote_id: null }));
  }, ['over the rate']);
  check('sent after a release that was to drop it', (run) => {
    run.log.push(flip({ clicked_at: at(0.5), released_at: at(2.5), plan: 'drop', expects_flow: false }));
    run.expect.limits = { healthy: 250 };
    run.planned.forEach((intent) => (intent.scheduled_at = at(0.2)));
    run.planned[0].scheduled_at = at(1.2);
    run.ledger = [post(2, 0.3), post(3, 0.4), post(1, 2.6)];
    run.exported.forEach((row) => (row.attempts[0].sending_at = at(0.25)));
  }, ['without a plan']);
  const across = (run) => {
    withKeys(run);
    run.log.push(flip({ clicked_at: at(1.9), halted_at: at(1.95) }));
    run.expect = { limits: { healthy: 250 }, flags_late: true };
    run.exported[0].attempts[0].answered_at = at(2.3);
  };
  check('under way at the flip, and nothing says so', across, ['unflagged']);
  check('under way at the flip, and flagged', (run) => {
    across(run);
    run.exported[0].attempts[0].late_egress = true;
  }, []);
  check('too much left to people', (run) => {
    run.expect.unaided = 0.99;
    run.exported.forEach((row) => (row.events = [{ to: 'unknown' }]));
    run.exported[0].events.push({ to: 'needs_person' });
  }, ['not settled']);
  check('unknown, and settled by itself', (run) => {
    run.expect.unaided = 0.99;
    confirmed(run);
    run.exported[0].events.unshift({ at: at(2), from: 'sending', to: 'unknown' });
    run.ledger.push(read(1, 2));
  }, []);
  check('a flagged write of a process that was frozen within it', (run) => {
    withKeys(run);
    run.log.push(flip({ clicked_at: at(1.65), is_residue_possible: true }));
    run.expect.limits = { healthy: 10 };
    run.exported[2].attempts[0].late_egress = true;
  }, []);
});

test('a byte after the limit is found, by scope and by condition', () => {
  const before = post(1, 1.5);
  const check = (what, flips, ledger, expect) => assert.deepEqual(flipped(flips, [before, post(2, 1.6), ...ledger]), expect, what);
  check('within the limit', [flip()], [post(3, 2.2)], []);
  check('after the limit', [flip()], [post(3, 2.251)], ['late']);
  check('after the limit, not even accepted', [flip()], [post(3, 2.4, { remote_id: null })].concat(post(3, 1.7)), ['late']);
  check('a part of a request', [flip()], [post(3, 1.7), post(3, 2.4, { remote_id: null, content_sha256: null, account: null, action: 'partial' })], ['late']);
  check('reading is no sending', [flip()], [post(3, 1.7), post(3, 2.4, { action: 'read', remote_id: null })], []);
  check('another limit', [flip({ condition: 'stopped' })], [post(3, 4.4)], []);
  check('after the other limit', [flip({ condition: 'stopped' })], [post(3, 4.501)], ['late']);
  check('after the release', [flip()], [post(3, 9.1)], []);
  check('another tenant', [flip({ scope: { tenant: 't1' } })], [post(3, 5)], []);
  check('the same tenant', [flip({ scope: { tenant: 't1' } })], [post(3, 1.7), post(1, 5, { remote_id: null })], ['late']);
  check('another account', [flip({ scope: { account: 'acc_1' } })], [post(3, 5)], []);
  check('another action', [flip({ scope: { action: 'reply' } })], [post(3, 5)], ['idle']);
  check('the same platform and action', [flip({ scope: { platform: 'sandbox', action: 'publish' } })], [post(3, 5)], ['late']);
  check('RTV said halted, and was', [flip({ halted_at: at(2.1) })], [post(3, 2.05)], []);
  check('RTV said halted, and was not', [flip({ halted_at: at(2.05) })], [post(3, 2.2)], ['halted too early']);
  check('a flagged write of a process that was frozen within it', [flip({ is_residue_possible: true })], [post(3, 2.4)], ['late']);
  check('nothing was to flow', [flip({ clicked_at: at(7), expects_flow: false })], [post(3, 1.7)], []);
  check('nothing was flowing', [flip({ clicked_at: at(7) })], [post(3, 1.7)], ['idle']);
});

test('RTV has to say within a limit that all is halted', () => {
  const check = (halted_at, expect) => assert.deepEqual(broken((run) => {
    run.log = [flip({ halted_at })];
    run.expect = { limits: { healthy: 250 }, halted_within_ms: 1000 };
  }), expect, halted_at);
  check(at(2.9), []);
  check(at(3.1), ['halted late']);
  check(undefined, ['halted late']);
});

test('the figures of a condition are those of its slowest flips', () => {
  const run = clean();
  run.log = [flip(), flip({ clicked_at: at(1.9), released_at: at(2.2) })];
  run.expect = { limits: { healthy: 250 } };
  run.ledger[2] = post(3, 2.1);
  const { healthy } = judge(run).conditions;
  assert.deepEqual([healthy.flips, healthy.p50, healthy.p99, healthy.max], [2, 100, 200, 200]);
});

test('a time keeps its microseconds and its zone', () => {
  assert.equal(micros('1970-01-01T00:00:01.000002Z'), 1_000_002);
  assert.equal(micros('1970-01-01T02:00:01.5+02:00'), 1_500_000);
  assert.equal(micros('1970-01-01T00:00:01.123456789Z'), 1_123_456);
  assert.throws(() => micros('yesterday'));
  assert.throws(() => micros(undefined));
});

test('the program ends with 0, 1 or 2, and a line cut off by a kill is left out', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'rtv-check-'));
  try {
    const write = (name, rows, tail = '') => writeFile(path.join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join('') + tail);
    const { planned, ledger, exported, log, expect } = clean();
    await write('planned.jsonl', planned);
    await write('ledger.jsonl', ledger, '{"at":"2026-11');
    await write('export.jsonl', exported);
    await write('log.jsonl', log);
    await writeFile(path.join(folder, 'expect.json'), JSON.stringify(expect));
    const run = () => spawnSync(process.execPath, [fileURLToPath(new URL('check.mjs', import.meta.url)), folder], { encoding: 'utf8' });
    assert.equal(run().status, 0);
    await write('ledger.jsonl', [...ledger, post(1, 3, { remote_id: 'p9' })]);
    const doubled = run();
    assert.equal(doubled.status, 1);
    assert.deepEqual(Object.keys(JSON.parse(doubled.stdout).broken), ['doubled']);
    await writeFile(path.join(folder, 'ledger.jsonl'), 'nonsense\n');
    assert.equal(run().status, 2);
  } finally {
    await rm(folder, { recursive: true });
  }
});
