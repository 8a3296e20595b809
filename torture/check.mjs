// check.mjs FOLDER: judges one run from what three witnesses wrote down, and from nothing else: the sandbox network's
// ledger, RTV's export of its deliveries, and the harness' own log of what it planned and did. It shares no code with
// RTV nor with the harness, so that a mistake there cannot hide itself here.
//
// The folder holds
//   planned.jsonl  {"delivery","tenant","account","remote_account","content_sha256","scheduled_at"}, one line per intent
//   ledger.jsonl   the sandbox's ledger, as spec/contract.md names its fields
//   export.jsonl   RTV's export, one line per delivery
//   log.jsonl      {"kind":"flip",…}, {"kind":"kill",…}, {"kind":"crash",…}: see the functions below
//   expect.json    what this run promises: {"limits","fired","kills","crashes","flips","unaided",…}
// It prints a report as JSON and ends with 0 when nothing is violated, 1 when something is, 2 when it cannot judge.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** How an intent may end. Everything else means that it was lost on the way. */
const ENDS = new Set(['confirmed', 'rejected', 'missed', 'needs_person']);

/** Of these nothing may stand on the network: people are told that it was not sent. */
const NOT_SENT = new Set(['rejected', 'missed', 'dropped']);

/** So late that a delivery belongs before a person, in milliseconds. */
const LATEST = 15 * 60 * 1000;

/** Between a byte that is sent and the sandbox's reading it lies the scheduler of a busy machine. In milliseconds. */
const READING_DELAY = 100;

/** More examples of one broken rule help nobody. */
const EXAMPLES = 5;

/** Microseconds since 1970: a Date keeps three digits of a second, and the order of events needs six. */
export function micros(text) {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text ?? '');
  if (!parts) throw new Error(`not a time of RFC 3339: ${JSON.stringify(text)}`);
  return Date.parse(parts[1] + parts[3]) * 1000 + Number((parts[2] ?? '').padEnd(6, '0').slice(0, 6));
}

/** @param {string} text */
function lines(text) {
  const rows = text.split('\n');
  // A line without its end was cut off by whoever was killed while writing; only the last one can be.
  rows.pop();
  return rows.filter((row) => row !== '').map((row, index) => {
    try {
      return JSON.parse(row);
    } catch {
      throw new Error(`line ${index + 1} is no JSON: ${row.slice(0, 200)}`);
    }
  });
}

class Findings {
  constructor() {
    /** @type {Map<string, { count: number, examples: string[] }>} */
    this.rules = new Map();
  }

  /** @param {string} rule @param {string} detail */
  add(rule, detail) {
    const found = this.rules.get(rule) ?? { count: 0, examples: [] };
    found.count += 1;
    if (found.examples.length < EXAMPLES) found.examples.push(detail);
    this.rules.set(rule, found);
  }
}

/** Whether a switch of this scope covers publishing to this account. What a scope leaves out means all. */
function covers(scope, intent) {
  const { tenant, platform, action, account } = scope;
  return (
    (tenant === undefined || tenant === intent.tenant) &&
    (platform === undefined || platform === 'sandbox') &&
    (action === undefined || action === 'publish') &&
    (account === undefined || account === intent.account)
  );
}

/** @param {number[]} sorted */
function figures(sorted) {
  const at = (share) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  return { flips: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

/** Judges one run.
 *  @param {{ planned: any[], ledger: any[], exported: any[], log: any[], expect: any }} witnesses */
export function judge({ planned, ledger, exported, log, expect }) {
  const findings = new Findings();
  const readingDelay = expect.reading_delay_ms ?? READING_DELAY;
  // By how many milliseconds the clocks of workers are wrong, on purpose.
  const wrongClocks = expect.clocks_ms ?? 0;
  const intents = new Map(planned.map((intent) => [intent.content_sha256, intent]));
  if (intents.size !== planned.length) throw new Error('two planned intents have the same text: nothing could be told apart');
  const byDelivery = new Map(exported.map((row) => [row.delivery, row]));
  // A request of which only a part arrived may have been anything; its first byte left all the same.
  const published = ledger.filter((line) => line.action === 'publish' || line.action === 'partial');
  const accepted = published.filter((line) => line.remote_id !== null && line.remote_id !== undefined);
  const posts = new Map();
  for (const line of accepted) posts.set(line.content_sha256, [...(posts.get(line.content_sha256) ?? []), line]);

  nothingUnplanned();
  nothingDoubled();
  nothingLost();
  nothingToAnotherAccount();
  nothingUnrecorded();
  nothingEarlyOrStale();
  nothingConfirmedUnread();
  nothingByAnOldPermit();
  nothingOverTheRate();
  nothingWithoutAPlan();
  everythingLateIsFlagged();
  const flips = nothingAfterTheLimit();
  everythingFired();
  const unknown = settledUnaided();
  return report();

  function nothingUnplanned() {
    for (const line of published) {
      // Of a sender that was killed while it wrote, a part arrives; without its text nobody can say what it was.
      if (line.action === 'partial') continue;
      if (!intents.has(line.content_sha256)) {
        findings.add('unplanned', `account ${line.account} was sent a text that nobody approved: ${line.content_sha256} at ${line.first_byte_at}`);
      }
    }
  }

  function nothingDoubled() {
    for (const [hash, lines] of posts) {
      if (lines.length > 1) {
        const times = lines.map((line) => `${line.remote_id} at ${line.first_byte_at}${line.fault ? ` (${line.fault})` : ''}`);
        findings.add('doubled', `${name(hash)} stands ${lines.length} times: ${times.join(', ')}`);
      }
    }
  }

  function nothingLost() {
    for (const intent of planned) {
      const row = byDelivery.get(intent.delivery);
      if (!row) {
        findings.add('lost', `${intent.delivery} is not in the export`);
        continue;
      }
      const stands = (posts.get(intent.content_sha256) ?? []).length;
      const ends = new Set([...ENDS, ...(expect.also_ends ?? [])]);
      if (!ends.has(row.state)) findings.add('lost', `${intent.delivery} is left in the state ${row.state}`);
      if (row.state === 'confirmed' && !(posts.get(intent.content_sha256) ?? []).some((line) => line.remote_id === row.remote_id)) {
        findings.add('lost', `${intent.delivery} is confirmed as ${row.remote_id}, and the network never took that`);
      }
      if (NOT_SENT.has(row.state) && stands > 0) findings.add('denied', `${intent.delivery} is called ${row.state}, and stands on the network`);
    }
  }

  function nothingToAnotherAccount() {
    for (const line of accepted) {
      const intent = intents.get(line.content_sha256);
      if (!intent) continue;
      const author = line.author ?? line.account;
      if (line.fault === 'wrong-author') {
        // The network itself put it under another name: RTV cannot prevent that, and must not call it well.
        const state = byDelivery.get(intent.delivery)?.state;
        if (state === 'confirmed') findings.add('wrong account', `${intent.delivery} is confirmed, and stands under ${author} instead of ${intent.remote_account}`);
      } else if (author !== intent.remote_account || line.account !== intent.remote_account) {
        findings.add('wrong account', `${intent.delivery} was meant for ${intent.remote_account} and went to ${author} (token of ${line.account})`);
      }
    }
  }

  function nothingUnrecorded() {
    for (const line of published) {
      const intent = intents.get(line.content_sha256);
      const row = intent && byDelivery.get(intent.delivery);
      if (!row) continue;
      const first = micros(line.first_byte_at);
      // `sending` must be committed before the first byte, or a crash between the two leaves no trace of the call.
      const before = (row.attempts ?? []).some((attempt) => attempt.sending_at && micros(attempt.sending_at) <= first);
      if (!before) findings.add('unrecorded', `${intent.delivery} was sent at ${line.first_byte_at} without an attempt from before`);
    }
  }

  function nothingEarlyOrStale() {
    for (const line of published) {
      const intent = intents.get(line.content_sha256);
      if (!intent) continue;
      const due = micros(intent.scheduled_at);
      const first = micros(line.first_byte_at);
      if (first < due - wrongClocks * 1000) findings.add('early', `${intent.delivery} was sent ${((due - first) / 1000).toFixed(0)} ms before its time`);
      if (first > due + (LATEST + READING_DELAY) * 1000) {
        findings.add('stale', `${intent.delivery} was sent ${((first - due) / 60_000_000).toFixed(1)} min late instead of being missed`);
      }
    }
  }

  /** What is confirmed was seen on the network after it was sent: its account's posts were read before that. */
  function nothingConfirmedUnread() {
    const reads = new Map();
    for (const line of ledger) {
      if (line.action === 'read') reads.set(line.account, [...(reads.get(line.account) ?? []), micros(line.at)]);
    }
    for (const intent of planned) {
      const row = byDelivery.get(intent.delivery);
      const confirmed = (row?.events ?? []).find((event) => event.to === 'confirmed');
      const [post] = posts.get(intent.content_sha256) ?? [];
      if (row?.state !== 'confirmed' || !confirmed || !post) continue;
      const [from, to] = [micros(post.first_byte_at), micros(confirmed.at) + (READING_DELAY + wrongClocks) * 1000];
      if (!(reads.get(intent.remote_account) ?? []).some((at) => at > from && at <= to)) {
        findings.add('unread', `${intent.delivery} was confirmed without a look at what ${intent.remote_account} has published`);
      }
    }
  }

  /** Who holds a permit for long was frozen, and may no longer be who is to send. */
  function nothingByAnOldPermit() {
    const longest = expect.permit_ms;
    if (longest === undefined) return;
    for (const line of published) {
      const attempt = attemptOf(line);
      if (!attempt) continue;
      const age = (micros(line.first_byte_at) - micros(attempt.sending_at)) / 1000;
      if (age > longest + readingDelay) findings.add('old permit', `${name(line.content_sha256)} was sent with a permit ${age.toFixed(0)} ms old, limit ${longest} ms`);
    }
  }

  /** Where RTV reserves the network's rate, the network never has to refuse. */
  function nothingOverTheRate() {
    if (!expect.no_refusals) return;
    for (const line of published) {
      if (line.action === 'publish' && !line.remote_id && !line.fault) {
        findings.add('over the rate', `${name(line.content_sha256)} was refused by the network at ${line.first_byte_at}`);
      }
    }
  }

  /** What became due under a switch and was to be dropped at its release stays unsent. */
  function nothingWithoutAPlan() {
    for (const flip of log.filter((entry) => entry.kind === 'flip' && entry.plan === 'drop')) {
      const [from, to] = [micros(flip.halted_at ?? flip.clicked_at), micros(flip.released_at)];
      for (const line of published) {
        const intent = intents.get(line.content_sha256);
        if (!intent || !covers(flip.scope, intent)) continue;
        const due = micros(intent.scheduled_at);
        if (due > from && due < to - 1_000_000 && micros(line.first_byte_at) >= to) {
          findings.add('without a plan', `${intent.delivery} became due under the switch, was to be dropped, and was sent at ${line.first_byte_at}`);
        }
      }
    }
  }

  /** A call that was under way while a switch was engaged says so: people must be able to see what left at that moment. */
  function everythingLateIsFlagged() {
    if (!expect.flags_late) return;
    for (const flip of log.filter((entry) => entry.kind === 'flip' && entry.halted_at)) {
      for (const line of published) {
        const intent = intents.get(line.content_sha256);
        const attempt = attemptOf(line);
        if (!intent || !attempt?.answered_at || !covers(flip.scope, intent)) continue;
        const isAcross = micros(line.first_byte_at) < micros(flip.clicked_at) && micros(attempt.answered_at) > micros(flip.halted_at) + READING_DELAY * 1000;
        if (isAcross && !attempt.late_egress) findings.add('unflagged', `${intent.delivery} was under way when the switch was engaged, and nothing says so`);
      }
    }
  }

  /** The attempt that a request belongs to: of those with its key the newest that had begun. */
  function attemptOf(line) {
    const intent = intents.get(line.content_sha256);
    const first = micros(line.first_byte_at);
    const begun = (attempt) => attempt.sending_at && micros(attempt.sending_at) <= first && attempt.idempotency_key === line.idempotency_key;
    const attempts = (byDelivery.get(intent?.delivery)?.attempts ?? []).filter(begun);
    return attempts.sort((one, other) => micros(other.sending_at) - micros(one.sending_at))[0];
  }

  /** A flip: {"kind":"flip","condition","scope","clicked_at","released_at","engaged":bool,"halted_at"?,"plan"?}. From the
   *  click and the condition's limit on until the release, or until the harness mends what it broke, no covered byte may
   *  begin. */
  function nothingAfterTheLimit() {
    const measured = [];
    for (const flip of log.filter(({ kind }) => kind === 'flip')) {
      const limit = expect.limits?.[flip.condition];
      if (limit === undefined) throw new Error(`no limit is known for the condition ${flip.condition}`);
      const [clicked, released] = [micros(flip.clicked_at), micros(flip.released_at)];
      const halted = flip.halted_at ? micros(flip.halted_at) : undefined;
      if (expect.halted_within_ms !== undefined && flip.engaged !== false) {
        const took = halted === undefined ? Infinity : (halted - clicked) / 1000;
        if (took > expect.halted_within_ms) findings.add('halted late', `${flip.condition}: RTV said that all is halted ${took.toFixed(0)} ms after the click, limit ${expect.halted_within_ms} ms`);
      }
      let last = 0;
      let before = 0;
      let after = 0;
      // A process that is frozen between check and write does that write when it is thawed. No sender can prevent it; RTV
      // has to flag it.
      let residue = 0;
      for (const line of published) {
        const intent = intents.get(line.content_sha256) ?? {};
        if (!covers(flip.scope, intent)) continue;
        const first = micros(line.first_byte_at);
        if (first < clicked && first >= clicked - 1_000_000) before += 1;
        if (first < clicked || first >= released) continue;
        const late = (first - clicked) / 1000;
        after += 1;
        if (late > limit && flip.is_residue_possible && attemptOf(line)?.late_egress) residue += 1;
        else if (late > limit) findings.add('late', `${flip.condition}: a first byte for ${line.account} ${late.toFixed(1)} ms after the click, limit ${limit} ms`);
        if (late <= limit || !flip.is_residue_possible) last = Math.max(last, late);
        if (halted !== undefined && first > halted + readingDelay * 1000) {
          findings.add('halted too early', `${flip.condition}: a first byte ${((first - halted) / 1000).toFixed(1)} ms after RTV said that all is halted`);
        }
      }
      // Where nothing was flowing, nothing was measured.
      if (before === 0 && flip.expects_flow !== false) findings.add('idle', `${flip.condition}: nothing was sent in the second before the click at ${flip.clicked_at}`);
      measured.push({ condition: flip.condition, last, before, after, residue, engaged: flip.engaged !== false });
    }
    const conditions = {};
    for (const condition of new Set(measured.map((flip) => flip.condition))) {
      const of = measured.filter((flip) => flip.condition === condition);
      conditions[condition] = {
        ...figures(of.map(({ last }) => last).sort((one, other) => one - other)),
        limit: expect.limits[condition],
        engaged: of.filter(({ engaged }) => engaged).length,
        residue: of.reduce((sum, { residue }) => sum + residue, 0),
        sent_in_second_before: of.reduce((sum, { before }) => sum + before, 0) / of.length,
        last: of.map(({ last }) => last),
      };
    }
    return conditions;
  }

  /** A run in which a fault was dialled and never happened proves nothing about it. */
  function everythingFired() {
    const fired = {};
    for (const line of ledger) if (line.fault) fired[line.fault] = (fired[line.fault] ?? 0) + 1;
    for (const kind of expect.fired ?? []) {
      if (!fired[kind]) findings.add('not fired', `the network's fault ${kind} was dialled and never happened`);
    }
    for (const { why } of log.filter((entry) => entry.kind === 'stalled')) findings.add('stalled', why);
    const count = (kind) => log.filter((entry) => entry.kind === kind).length;
    if (expect.kills !== undefined && count('kill') < expect.kills) findings.add('not fired', `${count('kill')} of ${expect.kills} kills happened`);
    if (expect.flips !== undefined && count('flip') < expect.flips) findings.add('not fired', `${count('flip')} of ${expect.flips} flips happened`);
    for (const [point, wanted] of Object.entries(expect.crashes ?? {})) {
      const hit = log.filter((entry) => entry.kind === 'crash' && entry.point === point).length;
      if (hit < wanted) findings.add('not fired', `the crash point ${point} was hit ${hit} of ${wanted} times`);
    }
  }

  function settledUnaided() {
    let total = 0;
    let unaided = 0;
    for (const intent of planned) {
      const row = byDelivery.get(intent.delivery);
      if (!row || !(row.events ?? []).some((event) => event.to === 'unknown')) continue;
      total += 1;
      const byPerson = (row.events ?? []).some((event) => event.to === 'needs_person');
      if (!byPerson && ENDS.has(row.state)) unaided += 1;
    }
    if (expect.unaided !== undefined && total > 0 && unaided < total * expect.unaided) {
      findings.add('not settled', `${unaided} of ${total} unknown deliveries were settled without a person`);
    }
    if (expect.unknown !== undefined && total < expect.unknown) findings.add('not fired', `${total} deliveries were unknown, at least ${expect.unknown} were wanted`);
    return { total, unaided };
  }

  function name(hash) {
    return intents.get(hash)?.delivery ?? hash;
  }

  function report() {
    const states = {};
    for (const intent of planned) {
      const state = byDelivery.get(intent.delivery)?.state ?? 'absent';
      states[state] = (states[state] ?? 0) + 1;
    }
    const fired = {};
    for (const line of ledger) if (line.fault) fired[line.fault] = (fired[line.fault] ?? 0) + 1;
    return {
      ok: findings.rules.size === 0,
      broken: Object.fromEntries(findings.rules),
      planned: planned.length,
      requests: published.length,
      posts: accepted.length,
      states,
      fired,
      kills: log.filter(({ kind }) => kind === 'kill').length,
      crashes: log.filter(({ kind }) => kind === 'crash').length,
      unknown,
      conditions: flips,
    };
  }
}

function main(folder) {
  const read = (file) => readFileSync(path.join(folder, file), 'utf8');
  const report = judge({
    planned: lines(read('planned.jsonl')),
    ledger: lines(read('ledger.jsonl')),
    exported: lines(read('export.jsonl')),
    log: lines(read('log.jsonl')),
    expect: JSON.parse(read('expect.json')),
  });
  console.log(JSON.stringify(report));
  return report.ok ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = main(process.argv[2]);
  } catch (error) {
    console.error(`check: ${error.message}`);
    process.exitCode = 2;
  }
}
