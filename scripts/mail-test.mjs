// mail-test.mjs: invites somebody by the page, as an owner does, on a server whose mail goes to aiosmtpd by TLS; reads there what
// came, and opens the link in it. Then sends a report by a schedule to a reader, to one whose server is busy (451) and to one whom
// nobody knows (550), and reads what the run's page says of each.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { demo } from '../end2end/people.mjs';
import { startServer } from '../end2end/server.mjs';

const tenant = 'northwind-outdoor';
const folder = await mkdtemp(path.join(tmpdir(), 'rtv-mail-'));
const peer = spawn(process.env.RTV_PYTHON, [fileURLToPath(new URL('mail-peer.py', import.meta.url)), folder], {
  stdio: 'pipe',
});
// It warns of its own defaults; what it says is shown when something fails.
let said = '';
peer.stderr.on('data', (chunk) => (said += chunk));
const lines = [];
let rest = '';
peer.stdout.on('data', (chunk) => {
  rest += chunk;
  const whole = rest.split('\n');
  rest = whole.pop();
  lines.push(...whole.map((line) => JSON.parse(line)));
});

/** Waits until something is so, for twenty seconds. */
async function until(what, find) {
  for (let tries = 0; tries < 400; tries += 1) {
    const found = await find();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what} did not happen within 20 s`);
}

/** Signed in on a server: what posts its forms, and what reads its pages. */
async function signedIn(url, email) {
  const { origin } = new URL(url);
  let cookie;
  const send = async (address, fields) => {
    const answer = await fetch(`${url}${address}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin, 'content-type': 'application/x-www-form-urlencoded', ...(cookie ? { cookie } : {}) },
      body: new URLSearchParams(fields),
    });
    cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? cookie;
    return answer;
  };
  const read = async (address) => (await fetch(`${url}${address}`, { headers: { cookie } })).text();
  await send('/sign-in', { email, password: demo.password, next: '/me' });
  return { send, read };
}

/** Invites somebody on a server with these settings; `check` judges what became of the mail. */
async function invite(name, settings, check) {
  const server = await startServer(['--posts', '60'], { RTV_MAIL_FROM: 'RTV <rtv@example.com>', ...settings });
  try {
    const to = `guest.${name}@example.org`;
    const owner = await signedIn(server.url, `owner@${tenant}.example`);
    await owner.send(`/t/${tenant}/team/invitations`, { email: to, role: 'viewer' });
    await check(server.url, to);
    console.log(`    ${name}: as it should be`);
  } finally {
    await server.stop();
  }
}

/** Sends a report's files by a schedule to three readers; each has another server's answer. */
async function report(way, settings) {
  const server = await startServer(['--posts', '60'], { RTV_MAIL_FROM: 'RTV <rtv@example.com>', ...settings });
  try {
    const owner = await signedIn(server.url, `owner@${tenant}.example`);
    const id = (await owner.read(`/t/${tenant}/reports`)).match(/\/reports\/(rep_[0-9a-f]+)/)?.[1];
    const schedules = `/t/${tenant}/reports/${id}/schedules`;
    const readers = ['reader', 'defer', 'bounce'].map((name) => `${name}.report@example.org`);
    const made = await owner.send(schedules, [
      ['frequency', 'weekly'], ['weekday', 'mon'], ['time', '08:00'], ['zone', 'Europe/Berlin'], ['way', 'attachment'],
      ['format', 'pdf'], ['format', 'xlsx'], ['recipients', readers.join('\n')],
    ]);
    assert.match(made.headers.get('location') ?? '', /sch_/, await owner.read(schedules));
    const begun = await owner.send(`${made.headers.get('location')}/act`, { act: 'run' });
    const mail = await until(`a report by ${way}`, () => lines.find((line) => line.to?.includes(readers[0])));
    assert.deepEqual([mail.port, mail.authenticated, mail.tls], [way, true, true]);
    assert.match(mail.unsubscribe, /\/shared\/.+\/unsubscribe/);
    const kinds = Object.entries(mail.files).map(([name, bytes]) => [path.extname(name), String.fromCharCode(...bytes)]);
    assert.deepEqual(kinds.sort(), [['.pdf', '%PDF'], ['.xlsx', 'PK\x03\x04']]);
    const page = await until('a word about each reader', async () => {
      const html = (await owner.read(begun.headers.get('location'))).replace(/<[^>]*>/g, ' ');
      return html.includes('(451)') && html.includes('(550)') ? html : undefined;
    });
    assert.match(page, /Mail to defer\.report@example\.org[\s\S]{1,100}Not sent, to be tried again: transient error \(451\)/);
    assert.match(page, /Mail to bounce\.report@example\.org[\s\S]{1,100}Not sent: permanent error \(550\)/);
    const keeper = await until('a word to the keeper', () => lines.find((line) => line.text?.includes('550')));
    assert.deepEqual(keeper.to, [`owner@${tenant}.example`], 'the keeper is told, and no client');
    assert.equal(lines.some((line) => line.to?.some((to) => readers.slice(1).includes(to))), false);
    console.log(`    report by ${way}: as it should be`);
  } finally {
    await server.stop();
  }
}

try {
  const ports = await until('the start of aiosmtpd', () => lines[0]);
  const trusted = { RTV_SMTP_CA_FILE: path.join(folder, 'known-ca.pem') };
  for (const [way, scheme] of [['smtps', 'smtps'], ['starttls', 'smtp']]) {
    const address = `${scheme}://rtv:s3cr%2Ft@127.0.0.1:${ports[way]}`;
    await invite(way, { ...trusted, RTV_SMTP_URL: address }, async (url, to) => {
      const mail = await until(`a mail by ${way}`, () => lines.find((line) => line.to?.includes(to)));
      assert.deepEqual([mail.port, mail.authenticated, mail.tls], [way, true, true]);
      assert.match(mail.subject, /^.+ invites you to .+ on RTV$/);
      const link = mail.text.match(/\/invite\/\S+/)?.[0];
      assert.match(await (await fetch(`${url}${link}`)).text(), /Your name/);
    });
  }
  await report('starttls', { ...trusted, RTV_SMTP_URL: `smtp://rtv:s3cr%2Ft@127.0.0.1:${ports.starttls}` });
  // What the server's certificate was not signed by is trusted to no end.
  const stranger = { RTV_SMTP_CA_FILE: path.join(folder, 'stranger-ca.pem') };
  const address = `smtps://rtv:s3cr%2Ft@127.0.0.1:${ports.smtps}`;
  await invite('stranger', { ...stranger, RTV_SMTP_URL: address }, async (url, to) => {
    const staff = await signedIn(url, 'staff@rtv.example');
    const mail = (await staff.read('/staff/mail')).match(/\/staff\/mail\/mail_[0-9a-f]+/)?.[0];
    assert.ok(mail, 'the mail is in the operator’s list');
    await until('a word about the certificate', async () => (/peer certificate/.test(await staff.read(mail)) ? true : undefined));
    assert.equal(lines.some((line) => line.to?.includes(to)), false, 'a server that is not trusted got a mail');
  });
} catch (error) {
  console.error(said);
  throw error;
} finally {
  peer.stdin.end();
  await rm(folder, { recursive: true, force: true });
}
