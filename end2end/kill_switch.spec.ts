// The kill switches: halting with four presses and nothing typed, the receipt that comes to a standstill, the banner on pages that
// are open, and resuming with a second person. Each project halts a tenant of its own.

import type { Page } from '@playwright/test';
import {
  expect, expectAccessible, expectAccessibleEverywhere, expectNoSidewaysScroll, expectToFitEverywhere, open, signIn, test,
} from './fixtures.ts';
import { email, halters, staff } from './people.mjs';

// One tenant for all of them, so they go one after the other.
test.describe.configure({ mode: 'default' });

const own = (project: { name: string }) => halters.find(({ slug }) => slug === `halter-${project.name}`)!;
const banner = (page: Page) => page.locator('#kill-banner').getByRole('region');

/** Resumes what is halted: one asks, another one approves. Both are led by the pages alone. */
async function resume(asking: Page, approving: Page, tenant: { slug: string }, scope: string): Promise<void> {
  await open(asking, `/t/${tenant.slug}/switches`);
  await asking.locator('[data-switch]').filter({ hasText: scope }).getByRole('link', { name: `Resume ${scope}…` }).click();
  await asking.getByLabel(`Type “${scope}” to go on`).fill(scope);
  await asking.getByLabel('Reason').fill('It is safe again');
  await asking.getByRole('button', { name: /Ask for the second person|Resume/ }).click();
  await expect(asking.getByText('You asked for this.')).toBeVisible();
  const address = asking.url();
  await asking.goto(`/t/${tenant.slug}/switches`);
  await approving.goto(address);
  await approving.getByRole('button', { name: 'Approve and resume' }).click();
  await expect(approving.getByRole('status')).toContainText('Resumed.');
}

test('halting takes four presses from any page, and the receipt comes to a standstill', async ({ page, otherPage }, { project }) => {
  const tenant = own(project);
  const scope = `${tenant.name} / LinkedIn`;
  await signIn(page, email(tenant, 'owner'));
  await signIn(otherPage, email(tenant, 'admin'));
  await open(page, `/t/${tenant.slug}/posts`);
  await page.getByRole('link', { name: 'Halt', exact: true }).click();
  await page.getByRole('radio', { name: 'LinkedIn' }).check();
  await page.getByLabel('Reason').selectOption({ label: 'Crisis or bad timing' });
  await page.getByRole('button', { name: 'Halt now' }).click();
  await expect(page).toHaveURL(/\/switches\/halts\/halt_/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`Receipt: ${scope}`);
  await expect(page.locator('.c-standing')).toHaveAttribute('data-state', 'halted', { timeout: 10_000 });
  await expect(banner(page)).toContainText(`${scope} halted`);
  await expect(page.getByText('From press to standstill')).toBeVisible();

  await open(otherPage, `/t/${tenant.slug}/dashboard`);
  await expect(banner(otherPage)).toContainText('Crisis or bad timing');
  await otherPage.goto(`/t/${tenant.slug}/switches`);
  const cell = otherPage.locator('.c-matrix').getByRole('link', { name: /Halted by .*: LinkedIn, Publish/ });
  await expect(cell).toBeVisible();

  await resume(page, otherPage, tenant, scope);
  await otherPage.goto(`/t/${tenant.slug}/dashboard`);
  await expect(banner(otherPage)).toHaveCount(0);
  await otherPage.goto(`/t/${tenant.slug}/switches`);
  await expect(otherPage.locator('.c-standing')).toHaveAttribute('data-state', 'running');
  await expect(otherPage.getByRole('region', { name: 'History' })).toContainText(scope);
});

test('an open page shows a halt and its end within five seconds, and says it once @js', async ({ page, otherPage }, { project }) => {
  test.slow();
  const tenant = own(project);
  const scope = `${tenant.name} / Facebook`;
  await signIn(page, email(tenant, 'owner'));
  await signIn(otherPage, email(tenant, 'viewer'));
  await open(otherPage, `/t/${tenant.slug}/dashboard`);
  await open(page, `/t/${tenant.slug}/switches/halt?scope=platform%3Dfacebook`);
  await page.getByRole('button', { name: 'Halt now' }).click();
  const pressed = Date.now();
  await expect(otherPage.locator('#kill-banner')).toContainText(scope, { timeout: 5_000 });
  expect(Date.now() - pressed).toBeLessThan(5_000);
  await expect(otherPage.locator('#live-assertive')).toContainText(scope);
  await expectAccessible(otherPage);
  // The page that the person reads follows the halt without being loaded again.
  await expect(page.locator('.c-standing')).toHaveAttribute('data-state', 'halted', { timeout: 10_000 });
});

test('what is typed wrongly resumes nothing and stays typed', async ({ page, otherPage }, { project }) => {
  const tenant = own(project);
  const scope = `${tenant.name} / Mastodon`;
  await signIn(page, email(tenant, 'owner'));
  await signIn(otherPage, email(tenant, 'admin'));
  await open(page, `/t/${tenant.slug}/switches/halt?scope=platform%3Dmastodon`);
  await expect(page.getByRole('radio', { name: 'Mastodon' })).toBeChecked();
  await page.getByRole('button', { name: 'Halt now' }).click();
  await expect(page).toHaveURL(/\/switches\/halts\/halt_/);
  await page.getByRole('link', { name: 'Resume…' }).click();
  await page.getByLabel('Reason').fill('It is safe again');
  await page.getByLabel(/^Type “/).fill('everything');
  await page.getByRole('button', { name: 'Ask for the second person' }).click();
  await expect(page.getByRole('alert')).toContainText('There is a problem');
  await expect(page.getByLabel('Reason')).toHaveValue('It is safe again');
  await expect(banner(page)).toBeVisible();
  await resume(page, otherPage, tenant, scope);
});

test('the page of a request that is open tells what became of it', async ({ page, otherPage, scriptless }, { project }) => {
  test.slow();
  const tenant = own(project);
  const scope = `${tenant.name} / Instagram`;
  const ask = async () => {
    await page.getByLabel(`Type “${scope}” to go on`).fill(scope);
    await page.getByLabel('Reason').fill('It is safe again');
    await page.getByRole('button', { name: 'Ask for the second person' }).click();
    await expect(page.getByText('You asked for this.')).toBeVisible();
    return page.url();
  };
  await signIn(page, email(tenant, 'owner'));
  await signIn(otherPage, email(tenant, 'admin'));
  await open(page, `/t/${tenant.slug}/switches/halt?scope=platform%3Dinstagram`);
  await page.getByRole('button', { name: 'Halt now' }).click();
  await expect(page).toHaveURL(/\/switches\/halts\/halt_/);
  await page.getByRole('link', { name: 'Resume…' }).click();
  const first = await ask();
  await open(otherPage, first);
  await expect(otherPage.getByRole('button', { name: 'Approve and resume' })).toBeVisible();
  await page.getByRole('button', { name: 'Take the request back' }).click();
  await expect(page.getByRole('status')).toContainText('The halt stands.');
  // Without a script the page still shows its button, and pressing it changes nothing.
  if (scriptless) await otherPage.getByRole('button', { name: 'Approve and resume' }).click();
  await expect(otherPage.getByRole('heading', { level: 1 })).toHaveText(`Resume ${scope}: taken back`);
  await expect(otherPage.getByText('took the request back')).toBeVisible();
  if (scriptless) await expect(otherPage.getByText('You changed nothing')).toBeVisible();
  await expectNoSidewaysScroll(otherPage);

  await open(page, first);
  await page.getByRole('link', { name: 'Ask again…' }).click();
  const second = await ask();
  await open(otherPage, second);
  await otherPage.getByRole('button', { name: 'Approve and resume' }).click();
  await expect(otherPage.getByRole('status')).toContainText('Resumed.');
  if (scriptless) await page.reload();
  await expect(page.getByText(`Released by ${email(tenant, 'owner')} and ${email(tenant, 'admin')}`)).toBeVisible();
  await page.getByRole('link', { name: 'Receipt of the halt' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`Receipt: ${scope}`);
  await page.goto(first);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`Resume ${scope}: taken back`);
});

test('staff halt a client, and only staff resume it', async ({ page, otherPage }, { project }) => {
  const tenant = own(project);
  await signIn(page, staff);
  await signIn(otherPage, email(tenant, 'owner'));
  await open(page, `/staff/switches/halt?scope=tenant%3D${tenant.slug}%26action%3Dreply`);
  await page.getByRole('button', { name: 'Halt now' }).click();
  await expect(page).toHaveURL(/\/staff\/switches\/halts\/halt_/);
  await open(otherPage, `/t/${tenant.slug}/switches`);
  // Something else may be halted too, by a test before this one.
  await expect(banner(otherPage)).toContainText(/Reply halted|more/);
  await expect(otherPage.locator('[data-switch]').filter({ hasText: `${tenant.name} / Reply` })).toContainText('only they resume it');
  await page.goto(`/staff/switches?client=${tenant.slug}&only=halted`);
  await expect(page.locator('.c-matrix').getByRole('link', { name: /^Halted.*: All platforms, Reply/ })).toBeVisible();
});

test('the whole way by keyboard alone @js', async ({ page }, { project }) => {
  const tenant = own(project);
  await signIn(page, email(tenant, 'owner'));
  await open(page, `/t/${tenant.slug}/dashboard`);
  await page.keyboard.press('h');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Halt');
  const focused = (selector: string) => page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector);
  for (let presses = 0; presses < 60 && !(await focused('input[name="scope"]')); presses += 1) await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('radio', { name: 'X', exact: true })).toBeChecked();
  for (let presses = 0; presses < 60 && !(await focused('button[data-variant="danger"]')); presses += 1) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/switches\/halts\/halt_/);
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Receipt');
});

test('the form shows beside it what it would stop @js', async ({ page }, { project }) => {
  const tenant = own(project);
  await signIn(page, email(tenant, 'owner'));
  await open(page, `/t/${tenant.slug}/switches/halt`);
  const preview = page.locator('#halt-preview');
  await expect(preview).toContainText('Due within 24 h');
  await page.getByRole('radio', { name: 'Bluesky' }).check();
  await expect(preview).toContainText('Bluesky');
});

test('without a script what a halt would stop is a page', async ({ page }, { project }) => {
  const tenant = own(project);
  await signIn(page, email(tenant, 'owner'));
  await open(page, `/t/${tenant.slug}/switches/halt`);
  await page.getByRole('radio', { name: 'Bluesky' }).check();
  await page.getByRole('button', { name: 'Show what this would stop' }).click();
  await expect(page.locator('#halt-preview')).toContainText('Due within 24 h');
  await expect(page.getByRole('radio', { name: 'Bluesky' })).toBeChecked();
});

test('the pages fit every width', async ({ page }, { project }) => {
  const tenant = own(project);
  await signIn(page, email(tenant, 'owner'));
  for (const below of ['', '/halt']) {
    await open(page, `/t/${tenant.slug}/switches${below}`);
    await expectToFitEverywhere(page);
  }
  await signIn(page, staff);
  for (const below of ['', '?view=actions', '/halt']) {
    await open(page, `/staff/switches${below}`);
    await expectToFitEverywhere(page);
  }
});

for (const address of ['/t/:own/switches', '/t/:own/switches/halt', '/staff/switches', '/staff/switches/halt']) {
  test(`${address} can be used by everybody @js`, async ({ page }, { project }) => {
    test.slow();
    const tenant = own(project);
    await signIn(page, address.startsWith('/staff') ? staff : email(tenant, 'owner'));
    await open(page, address.replace(':own', tenant.slug));
    await expectAccessibleEverywhere(page);
  });
}
