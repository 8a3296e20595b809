// A post from its draft to the network: an account is connected, a post written, approved by somebody else, sent once, read back,
// and found among the posts. And what stands in its way is told by the delivery's page.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Locator, Page } from '@playwright/test';
import { expect, expectAccessibleEverywhere, expectToFitEverywhere, open, signIn, test } from './fixtures.ts';
import { email, publishers } from './people.mjs';

// They go on with what the test before has left: an account, posts.
test.describe.configure({ mode: 'default' });

/** A tenant of the project's own: the two projects run at the same time and must not meet. */
const own = (project: { name: string }) => publishers.find(({ slug }) => slug === `press-${project.name}`)!;

const heading = (page: Page): Locator => page.getByRole('heading', { level: 1 });
const state = (page: Page): Locator => page.locator('.c-page-header [data-state]');

/** The account that the first test makes. */
const handle = (project: { name: string }) => `press-${project.name}`;

/** Makes an account on the sandbox network, as its own page does, and returns its token. */
async function makeAccount(name: string): Promise<string> {
  const answer = await fetch(`${process.env.RTV_E2E_SANDBOX_URL}/accounts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ handle: name }),
  });
  expect(answer.ok, `${name} is made`).toBe(true);
  return ((await answer.json()) as { token: string }).token;
}

/** A day from now at nine, as a field of time takes it. */
function tomorrow(): string {
  return `${new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)}T09:00`;
}

/** What the sandbox network has written down of a text: one line for each time that it was accepted. */
async function ledger(text: string): Promise<{ action: string; remote_id: string | null }[]> {
  const hash = createHash('sha256').update(text).digest('hex');
  const lines = (await readFile(process.env.RTV_E2E_LEDGER!, 'utf8')).trim().split('\n');
  return lines.map((line) => JSON.parse(line)).filter((line) => line.content_sha256 === hash && line.remote_id !== null);
}

/** Writes a post and submits it; leaves the page on it. */
async function write(page: Page, project: { name: string }, text: string, at = tomorrow()): Promise<void> {
  await signIn(page, email(own(project), 'editor'));
  await open(page, `/t/${own(project).slug}/content/new`);
  await page.getByLabel('Text', { exact: true }).fill(text);
  await page.getByLabel(new RegExp(handle(project))).check();
  await page.getByLabel('Goes out at').fill(at);
  await page.getByRole('button', { name: 'Submit for approval' }).click();
  await expect(page.getByRole('status')).toContainText('Submitted');
  await expect(state(page)).toHaveText('In review');
}

/** Approves the post of that text as another person. */
async function approve(page: Page, project: { name: string }, text: string): Promise<void> {
  await signIn(page, email(own(project), 'admin'));
  await open(page, `/t/${own(project).slug}/content?state=in_review`);
  await page.getByRole('link', { name: text }).click();
  await expect(heading(page)).toHaveText(text);
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await expect(page.getByRole('status')).toContainText('Approved');
}

/** Opens the only delivery of the post that is shown. */
async function openDelivery(page: Page, project: { name: string }): Promise<void> {
  await page.getByRole('table', { name: 'Deliveries of this post' }).getByRole('link', { name: new RegExp(handle(project)) }).click();
  await expect(page.getByRole('table', { name: 'Gates in their order' })).toBeVisible();
}

/** Loads the page until the delivery stands where it should. */
async function expectState(page: Page, label: string): Promise<void> {
  await expect(async () => {
    await page.reload();
    await expect(state(page)).toHaveText(label, { timeout: 500 });
  }).toPass({ timeout: 40_000 });
}

test('an organisation without accounts is told what comes first', async ({ page }, { project }) => {
  await signIn(page, email(own(project), 'owner'));
  await open(page, `/t/${own(project).slug}/content`);
  await expect(page.locator('main')).toContainText('Nothing is written yet');
  await page.locator('main').getByRole('link', { name: 'Connect an account' }).click();
  await expect(heading(page)).toHaveText('Accounts');
  await expect(page.locator('main')).toContainText('No account yet');
  await open(page, `/t/${own(project).slug}/deliveries`);
  await expect(page.locator('main')).toContainText('Nothing is on its way');
});

test('a token that is none is refused, and an account is connected with its own and verified', async ({ page }, { project }) => {
  await signIn(page, email(own(project), 'admin'));
  await open(page, `/t/${own(project).slug}/accounts`);
  await page.getByLabel('Token').fill('not-a-token');
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await expect(page.getByText('There is a problem')).toBeVisible();
  await expect(page.getByLabel('Token')).toHaveValue('');
  await page.getByLabel('Token').fill(await makeAccount(handle(project)));
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await expect(page.getByRole('status')).toContainText(`${handle(project)} is connected`);
  await page.getByRole('table', { name: 'Accounts' }).getByRole('link', { name: handle(project) }).click();
  await expect(state(page)).toHaveText('Connected');
  await page.getByRole('button', { name: 'Verify now' }).click();
  await expect(page.getByRole('status')).toContainText('verified');
});

test('what is refused is named, and what was typed stays', async ({ page }, { project }) => {
  await signIn(page, email(own(project), 'editor'));
  await open(page, `/t/${own(project).slug}/content/new`);
  await page.getByLabel('Text', { exact: true }).fill('Half a post');
  await page.getByLabel('Link').fill('ftp://files.example/post');
  await page.getByLabel(new RegExp(handle(project))).check();
  // The night in which clocks go forward in Berlin has no such time.
  await page.getByLabel('Goes out at').fill('2027-03-28T02:30');
  await page.getByRole('button', { name: 'Submit for approval' }).click();
  await expect(page.getByText('There is a problem')).toBeVisible();
  await expect(page.locator('main')).toContainText('clocks');
  await expect(page.getByLabel('Text', { exact: true })).toHaveValue('Half a post');
  await expect(page.getByLabel('Goes out at')).toHaveValue('2027-03-28T02:30');
  await expect(page.getByLabel(new RegExp(handle(project)))).toBeChecked();
});

test('a post is written, approved by somebody else, sent once, read back and found among the posts', async ({ page }, { project }) => {
  test.slow();
  const text = `Autumn opens the doors ${project.name} ${Date.now()}`;
  await write(page, project, text);
  await approve(page, project, text);
  await openDelivery(page, project);
  await expect(state(page)).toHaveText('Scheduled');
  await expect(page.locator('[data-deciding="true"]')).toContainText('Waits');
  expect(await ledger(text)).toEqual([]);
  await page.getByRole('button', { name: 'Send now' }).click();
  await expect(page.getByRole('status')).toBeVisible();
  await expectState(page, 'Published');
  expect(await ledger(text)).toHaveLength(1);
  await expect(page.locator('[data-attempt="1"]')).toContainText('Read back');
  await expect(async () => {
    await open(page, `/t/${own(project).slug}/posts?range=7d`);
    await expect(page.getByRole('table', { name: 'Posts, newest first' })).toContainText(text, { timeout: 500 });
  }).toPass({ timeout: 20_000 });
  await page.getByRole('row', { name: text }).getByRole('link', { name: 'Delivery' }).click();
  await expect(state(page)).toHaveText('Published');
});

test('an edit takes the approval away and shows what is different', async ({ page }, { project }) => {
  const text = `Winter follows ${project.name} ${Date.now()}`;
  await write(page, project, text);
  await approve(page, project, text);
  await page.getByLabel('Text', { exact: true }).fill(`${text}, and spring`);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(state(page)).toHaveText('In review');
  const difference = page.getByRole('table', { name: 'What has changed since' });
  await expect(difference.locator('del')).toContainText(text);
  await expect(difference.locator('ins')).toContainText('and spring');
});

test('a post is given back with a note', async ({ page }, { project }) => {
  const text = `Too loud ${project.name} ${Date.now()}`;
  await write(page, project, text);
  await signIn(page, email(own(project), 'admin'));
  await page.reload();
  await page.getByRole('button', { name: 'Return with this note' }).click();
  await expect(page.getByText('There is a problem')).toBeVisible();
  await page.getByLabel('What should be different').fill('Quieter, please.');
  await page.getByRole('button', { name: 'Return with this note' }).click();
  await expect(state(page)).toHaveText('Draft');
  await expect(page.locator('main')).toContainText('Quieter, please.');
});

test('the later of two who write is told', async ({ page, otherPage }, { project }) => {
  const text = `Two pens ${project.name} ${Date.now()}`;
  await write(page, project, text);
  await signIn(otherPage, email(own(project), 'admin'));
  await otherPage.goto(page.url());
  await otherPage.getByLabel('Text', { exact: true }).fill(`${text}, second`);
  await otherPage.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(otherPage.getByRole('status')).toContainText('saved');
  await page.getByLabel('Text', { exact: true }).fill(`${text}, first`);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByRole('alert')).toContainText('changed this');
  await expect(page.getByLabel('Text', { exact: true })).toHaveValue(`${text}, first`);
  await page.getByRole('link', { name: 'Reload' }).click();
  await expect(page.getByLabel('Text', { exact: true })).toHaveValue(`${text}, second`);
});

test('what a switch stops is held and says which one', async ({ page }, { project }) => {
  test.slow();
  const text = `Held ${project.name} ${Date.now()}`;
  await write(page, project, text);
  await approve(page, project, text);
  await openDelivery(page, project);
  const delivery = page.url();
  const account = (await page.locator('main a[href*="/accounts/"]').first().getAttribute('href'))!.split('/').pop()!;
  const answer = await page.request.post(`/t/${own(project).slug}/switches/halt`, {
    form: { scope: `account=${account}`, reason: 'wrong-account' },
    headers: { origin: new URL(process.env.RTV_E2E_URL!).origin },
  });
  expect(answer.ok()).toBe(true);
  await page.goto(delivery);
  await page.getByRole('button', { name: 'Send now' }).click();
  await expect(page.getByRole('alert')).toContainText('A kill switch stops it');
  // Its time comes while the switch is engaged: two seconds from now, which a field of minutes cannot say.
  const version = (await page.locator('[data-choice="reschedule"] input[name="version"]').getAttribute('value'))!;
  const at = new Date(Date.now() + 2_000).toISOString();
  const moved = await page.request.post(`${delivery}/decide`, {
    form: { choice: 'reschedule', at, version },
    headers: { origin: new URL(process.env.RTV_E2E_URL!).origin },
  });
  expect(moved.ok()).toBe(true);
  await expectState(page, 'Held');
  await expect(page.locator('[data-gate="switches"]')).toContainText('Stops it');
  await expect(page.locator('[data-gate="switches"]')).toHaveAttribute('data-deciding', 'true');
  expect(await ledger(text)).toEqual([]);
});

test('sandbox mode is on every page of the organisation, and is switched in the settings', async ({ page }, { project }) => {
  await signIn(page, email(own(project), 'owner'));
  await open(page, `/t/${own(project).slug}/settings`);
  await expect(page.locator('[data-mode="sandbox"]')).toHaveCount(0);
  await page.getByRole('button', { name: 'Switch to sandbox mode' }).click();
  await expect(page.getByRole('status')).toContainText('Sandbox mode is on');
  for (const place of ['settings', 'dashboard', 'content', 'deliveries', 'accounts', 'team']) {
    await open(page, `/t/${own(project).slug}/${place}`);
    await expect(page.locator('[data-mode="sandbox"]')).toContainText('Nothing is sent to real networks');
  }
  await open(page, `/t/${own(project).slug}/settings`);
  await page.getByRole('button', { name: 'Send to real networks' }).click();
  await expect(page.getByRole('status')).toContainText('Sandbox mode is off');
  await expect(page.locator('[data-mode="sandbox"]')).toHaveCount(0);
});

test('a connection is cut only after the question', async ({ page }, { project }) => {
  const name = `spare-${project.name}`;
  await signIn(page, email(own(project), 'admin'));
  await open(page, `/t/${own(project).slug}/accounts`);
  await page.getByLabel('Token').fill(await makeAccount(name));
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await page.getByRole('table', { name: 'Accounts' }).getByRole('link', { name }).click();
  await page.getByRole('link', { name: 'Disconnect…' }).click();
  await expect(heading(page)).toHaveText(`Disconnect ${name}?`);
  await page.getByRole('button', { name: `Disconnect ${name}` }).click();
  await expect(page.getByRole('status')).toContainText('disconnected');
  await expect(state(page)).toHaveText('Not connected');
});

test('a viewer reads and changes nothing', async ({ page }, { project }) => {
  await signIn(page, email(own(project), 'viewer'));
  await open(page, `/t/${own(project).slug}/content`);
  await expect(page.getByRole('link', { name: 'Write a post' })).toHaveCount(0);
  await page.getByRole('table').getByRole('link').first().click();
  await expect(page.getByRole('button', { name: /^(Save|Submit|Approve|Return)/ })).toHaveCount(0);
  await open(page, `/t/${own(project).slug}/accounts`);
  await expect(page.getByLabel('Token')).toHaveCount(0);
});

/** Pages as the tests before have left them, by what they show. */
const pages: [string, string, string?][] = [
  ['the posts', 'content'],
  ['a new post', 'content/new'],
  ['a post', 'content', 'Posts, what was changed last first'],
  ['the deliveries', 'deliveries'],
  ['a delivery', 'deliveries?state=confirmed', 'Deliveries, the latest time first'],
  ['the accounts', 'accounts'],
  ['an account', 'accounts', 'Accounts'],
];

for (const [what, path, table] of pages) {
  const show = async (page: Page, project: { name: string }) => {
    await signIn(page, email(own(project), 'admin'));
    await open(page, `/t/${own(project).slug}/${path}`);
    if (!table) return;
    await page.getByRole('table', { name: table }).locator('tbody a').first().click();
    await expect(page.locator('.c-page-header [data-state]')).toBeVisible();
  };

  test(`${what}: the page fits every width`, async ({ page }, { project }) => {
    await show(page, project);
    await expectToFitEverywhere(page);
  });

  test(`${what}: the page is accessible, light and dark @js`, async ({ page }, { project }) => {
    test.slow();
    await show(page, project);
    await expectAccessibleEverywhere(page);
  });
}
