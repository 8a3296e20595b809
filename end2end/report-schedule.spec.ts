// A report that is made by itself: when, for whom, how it arrives, and how its reader ends it. Without a mail server, as here, mail is
// kept where staff read it.

import type { Locator, Page } from '@playwright/test';
import { expect, expectAccessibleEverywhere, expectToFitEverywhere, open, signIn, test } from './fixtures.ts';
import { email, staff, tenants } from './people.mjs';

const [meadow] = tenants;

const heading = (page: Page): Locator => page.getByRole('heading', { level: 1 });
const told = (page: Page, words: string | RegExp): Promise<void> => expect(page.getByRole('status').first()).toContainText(words);
const client = (name: string): string => `${name}-${test.info().project.name}-${test.info().parallelIndex}-${Date.now()}@client.example`;

test.beforeEach(async ({ page }) => {
  await signIn(page, email(meadow!, 'editor'));
});

/** A report of its own, and the page of its schedules. */
async function schedulesOfNewReport(page: Page): Promise<string> {
  await open(page, '/t/meadow/reports');
  await page.getByRole('button', { name: 'Start from Weekly activity' }).click();
  await expect(page.locator('.c-sheets')).toBeVisible();
  const schedules = `${new URL(page.url()).pathname}/schedules`;
  await page.getByRole('link', { name: 'Schedules' }).click();
  await expect(page).toHaveURL(new RegExp(`${schedules}$`));
  return schedules;
}

/** Sets a schedule for Mondays and gives back its address. */
async function setMondays(page: Page, to: string): Promise<string> {
  await page.getByLabel('Recipients').fill(to);
  await page.getByRole('button', { name: 'Set schedule' }).click();
  await told(page, 'The schedule is set.');
  return new URL(page.url()).pathname;
}

/** Waits until the run that is shown is done. */
async function untilDone(page: Page): Promise<void> {
  await expect(async () => {
    await page.reload();
    await expect(page.locator('.c-page-header [data-state]')).toHaveText('Done', { timeout: 500 });
  }).toPass({ timeout: 40_000 });
}

test('a schedule says its next five times, and what is wrong is named and kept', async ({ page }) => {
  await schedulesOfNewReport(page);
  await expect(page.locator('main')).toContainText('It is not made by itself yet');
  await page.getByLabel('How often').selectOption('Every month');
  await page.getByLabel('Day of the month').selectOption('The last day');
  await page.getByLabel('Time', { exact: true }).fill('18:00');
  await page.getByLabel('Recipients').fill('client@client.example\nnobody');
  await page.getByRole('button', { name: 'Set schedule' }).click();
  await expect(page.getByText('There is a problem')).toBeVisible();
  await expect(page.locator('main')).toContainText('“nobody” is no address');
  await expect(page.getByLabel('How often')).toHaveValue('monthly');
  await expect(page.getByLabel('Day of the month')).toHaveValue('31');
  await expect(page.getByLabel('Recipients')).toHaveValue(/nobody/);

  await page.getByLabel('Recipients').fill('client@client.example');
  await page.getByRole('button', { name: 'Show the next five times' }).click();
  await told(page, 'Nothing is saved yet. On the last day of every month at 18:00');
  await expect(page.getByLabel('Time', { exact: true })).toHaveValue('18:00');
  await expect(page.locator('main')).toContainText('It is not made by itself yet');
  await page.getByRole('button', { name: 'Set schedule' }).click();
  await told(page, 'The schedule is set.');
  await expect(heading(page)).toContainText('On the last day of every month at 18:00');
  await expect(page.locator('[data-times] li')).toHaveCount(5);
});

test('a schedule is paused, resumed, copied, deleted and brought back', async ({ page }) => {
  const list = await schedulesOfNewReport(page);
  await setMondays(page, client('paused'));
  await page.getByRole('button', { name: 'Pause' }).click();
  await told(page, 'Paused.');
  await expect(page.locator('[data-times]')).toHaveCount(0);
  await page.getByRole('button', { name: 'Resume' }).click();
  await told(page, 'It goes on with');
  await page.getByRole('button', { name: 'Copy' }).click();
  await told(page, 'Copied, and paused');
  await page.getByRole('button', { name: 'Delete' }).click();
  await told(page, 'The schedule is deleted.');
  await expect(page.getByRole('table', { name: 'Schedules' }).locator('tbody tr')).toHaveCount(1);
  await page.getByRole('button', { name: 'Bring the deleted schedule back' }).click();
  await told(page, 'The schedule is there again');
  await open(page, list);
  await expect(page.getByRole('table', { name: 'Schedules' }).locator('tbody tr')).toHaveCount(2);
});

test('a test goes to whoever asks, lies in their inbox, and the link in its mail opens the files', async ({ page, otherPage }) => {
  test.slow();
  await schedulesOfNewReport(page);
  const to = client('reader');
  const schedule = await setMondays(page, to);
  await page.getByRole('button', { name: 'Send me a test' }).click();
  await told(page, 'goes to you alone');
  const run = page.url();
  await untilDone(page);
  await expect(page.locator('.c-mailing')).toContainText(email(meadow!, 'editor'));
  await expect(page.locator('.c-mailing')).toContainText('Kept here');
  await open(page, '/t/meadow/inbox');
  await expect(page.getByRole('table', { name: 'sent to you' }).locator('tbody tr').first().getByRole('link')).toHaveAttribute('href', new URL(run).pathname);

  // To everybody: the reader's mail is kept where staff read it.
  await open(page, schedule);
  await page.getByRole('button', { name: 'Run now' }).click();
  await told(page, 'goes to everybody on its list');
  await untilDone(page);
  await expect(page.locator('.c-mailing')).toContainText(to);
  await signIn(otherPage, staff);
  await open(otherPage, '/staff/mail');
  await otherPage.getByRole('row', { name: to }).getByRole('link').first().click();
  const link = await otherPage.locator('a[href*="/shared/"]').first().getAttribute('href');
  await otherPage.context().clearCookies();
  await open(otherPage, link!);
  await expect(heading(otherPage)).toHaveText('Weekly activity');
  const file = await otherPage.getByRole('link', { name: /^PDF/ }).getAttribute('href');
  const answer = await otherPage.request.get(file!);
  expect([answer.status(), (await answer.body()).subarray(0, 4).toString()]).toEqual([200, '%PDF']);

  await otherPage.getByRole('button', { name: 'Send me no more of these' }).click();
  await told(otherPage, 'You get no more of these mails.');
  await open(page, schedule);
  await expect(page.locator('main')).toContainText('Have asked for no more');
  await otherPage.getByRole('button', { name: 'Send them again' }).click();
  await told(otherPage, 'You get these mails again.');
});

test('whoever may not build sees when it comes and changes nothing', async ({ page }) => {
  await schedulesOfNewReport(page);
  const schedule = await setMondays(page, client('seen'));
  await signIn(page, email(meadow!, 'viewer'));
  await open(page, schedule);
  await expect(page.locator('[data-times] li')).toHaveCount(5);
  await expect(page.getByRole('button', { name: 'Pause' })).toHaveCount(0);
  await expect(page.getByLabel('Recipients')).toHaveCount(0);
});

test('the pages of schedules are accessible and fit everywhere @js', async ({ page }) => {
  test.slow();
  const list = await schedulesOfNewReport(page);
  await expectAccessibleEverywhere(page);
  await expectToFitEverywhere(page);
  await setMondays(page, client('fits'));
  await expectAccessibleEverywhere(page);
  await expectToFitEverywhere(page);
  for (const address of [list, '/t/meadow/inbox']) {
    await open(page, address);
    await expectAccessibleEverywhere(page);
    await expectToFitEverywhere(page);
  }
});
