// What an organisation decides about itself holds on every page: its days and ways of writing, from where its people come and
// for how long, and how much of RTV it may use.

import type { Page } from '@playwright/test';
import { expect, expectAccessibleEverywhere, expectToFitEverywhere, open, signIn, test } from './fixtures.ts';
import { needLiveSellers } from './live-sellers.ts';
import { crowded, email, settlers } from './people.mjs';

// They change the same tenant, so they go one after the other.
test.describe.configure({ mode: 'default' });

/** A tenant of the project's own: changes of the two projects run at the same time and must not meet. */
const own = (project: { name: string }) => settlers.find(({ slug }) => slug === `settler-${project.name}`)!;

/** A month in which the file has posts. */
const month = 'range=custom&from=2018-05-01&to=2018-05-31';

async function save(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByRole('status')).toContainText('saved');
}

test('zone and ways of writing change the dashboard', async ({ page }, { project }) => {
  needLiveSellers();
  const { slug } = own(project);
  await signIn(page, email(own(project), 'owner'));
  await open(page, `/t/${slug}/dashboard?${month}`);
  const engagements = page.locator('article[data-kpi="engagements"]');
  const before = await engagements.getAttribute('data-value');
  await expect(page.locator('main')).toContainText('UTC');

  await page.getByRole('navigation', { name: 'Main', exact: true }).getByRole('link', { name: 'Settings' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Settings');
  await page.getByLabel('Time zone').selectOption('Pacific/Kiritimati');
  await page.getByLabel('Numbers and dates').selectOption('de-DE');
  await page.getByLabel('The week begins on').selectOption('Sunday');
  await save(page);
  await expect(page.getByRole('status')).toContainText('the days of Pacific/Kiritimati');
  await expect(page.getByLabel('Time zone')).toHaveValue('Pacific/Kiritimati');

  await open(page, `/t/${slug}/dashboard?${month}`);
  await expect(page.locator('main')).toContainText('Pacific/Kiritimati');
  // The month has other posts now: half a day of them has moved to the next one.
  expect(await engagements.getAttribute('data-value')).not.toBe(before);
  await expect(engagements).toContainText(/\d\.\d{3}\b/);

  await open(page, `/t/${slug}/settings`);
  await page.getByLabel('Time zone').selectOption('UTC');
  await page.getByLabel('Numbers and dates').selectOption('en-US');
  await save(page);
  await open(page, `/t/${slug}/dashboard?${month}`);
  await expect(engagements).toHaveAttribute('data-value', before!);
});

test('what is refused is named, and what was typed stays', async ({ page }, { project }) => {
  await signIn(page, email(own(project), 'owner'));
  await open(page, `/t/${own(project).slug}/settings`);
  await page.getByLabel('Currency', { exact: true }).fill('€€');
  await page.getByLabel('Name').fill('Settlers and partners');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('There is a problem')).toBeVisible();
  await expect(page.getByLabel('Currency', { exact: true })).toHaveValue('€€');
  await expect(page.getByLabel('Name')).toHaveValue('Settlers and partners');
});

test('ranges that would shut oneself out are refused; those that hold are kept', async ({ page }, { project }) => {
  await signIn(page, email(own(project), 'owner'));
  await open(page, `/t/${own(project).slug}/settings/security`);
  const ranges = page.getByLabel('Allowed IP ranges');
  await ranges.fill('203.0.113.0/24');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.locator('main')).toContainText('Your own address, 127.0.0.1, is in none of them');
  await expect(ranges).toHaveValue('203.0.113.0/24');
  await ranges.fill('127.0.0.0/8\n203.0.113.0/24');
  await page.getByLabel(/^Minutes without use/).fill('60');
  await save(page);
  await expect(ranges).toHaveValue('127.0.0.0/8\n203.0.113.0/24');
  await expect(page.getByLabel(/^Minutes without use/)).toHaveValue('60');
  await ranges.fill('');
  await save(page);
});

test('a colour of one’s own is on the page at once', async ({ page }, { project }) => {
  await signIn(page, email(own(project), 'admin'));
  await open(page, `/t/${own(project).slug}/settings/branding`);
  const color = async () => page.getByRole('button', { name: 'Save', exact: true }).evaluate((button) => getComputedStyle(button).backgroundColor);
  const plain = await color();
  await page.getByLabel('A colour of our own').check();
  await page.getByLabel('Hue in degrees').fill('145');
  await save(page);
  expect(await color()).not.toBe(plain);
  await page.getByLabel('A colour of our own').uncheck();
  await save(page);
  expect(await color()).toBe(plain);
});

test('the last place is taken, and the next is refused with limit, use and plan', async ({ page }, { project }) => {
  const { slug } = own(project);
  await signIn(page, email(own(project), 'owner'));
  await open(page, `/t/${slug}/team/invitations`);
  for (const guest of ['first', 'second']) {
    await page.getByLabel('Work email').fill(`${guest}@guest-${project.name}.example`);
    await page.getByRole('button', { name: 'Send invitation' }).click();
    if (guest === 'first') await expect(page.getByRole('status')).toContainText('is invited');
  }
  await expect(page.getByRole('alert')).toContainText('the plan Free allows 5, and this would make 6 users');
  await expect(page.getByLabel('Work email')).toHaveValue(`second@guest-${project.name}.example`);
  await open(page, `/t/${slug}/settings/limits`);
  const users = page.getByRole('row', { name: /^Users/ });
  await expect(users).toContainText('100 %');
  await open(page, `/t/${slug}/team/invitations`);
  await page.getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByRole('status')).toContainText('is revoked');
});

test('who is over the limits reads and exports, and changes nothing', async ({ page }) => {
  await signIn(page, email(crowded, 'owner'));
  for (const place of ['dashboard', 'posts', 'team', 'settings/limits']) {
    expect(await open(page, `/t/${crowded.slug}/${place}`), place).toBe(200);
    await expect(page.getByText('is over its limits (users)').first()).toBeVisible();
  }
  await expect(page.getByRole('row', { name: /^Users/ })).toContainText('Over the limit');
  await open(page, `/t/${crowded.slug}/settings`);
  await page.getByLabel('Name').fill('Other');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByRole('alert')).toContainText('nothing in it changes');
  const log = await page.request.get(`/t/${crowded.slug}/audit/log.csv`);
  expect(log.status()).toBe(200);
  expect(await log.text()).toContain('tenant.limits');
});

test('an editor reads the settings and is told who changes them', async ({ page }, { project }) => {
  await signIn(page, email(own(project), 'editor'));
  await open(page, `/t/${own(project).slug}/settings`);
  await expect(page.locator('main')).toContainText('settings:update');
  await expect(page.getByRole('button', { name: 'Save', exact: true })).toHaveCount(0);
});

for (const [what, path] of [
  ['the general settings', ''],
  ['the security settings', '/security'],
  ['the branding', '/branding'],
  ['the limits', '/limits'],
] as const) {
  test(`${what}: the page fits every width`, async ({ page }, { project }) => {
    await signIn(page, email(own(project), 'owner'));
    await open(page, `/t/${own(project).slug}/settings${path}`);
    await expectToFitEverywhere(page);
  });

  test(`${what}: the page is accessible, light and dark @js`, async ({ page }, { project }) => {
    test.slow();
    await signIn(page, email(own(project), 'owner'));
    await open(page, `/t/${own(project).slug}/settings${path}`);
    await expectAccessibleEverywhere(page);
  });
}
