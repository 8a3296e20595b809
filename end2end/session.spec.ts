// Where a person is signed in: one browser ends what another one has open.

import { expect, expectAccessibleEverywhere, expectToFitEverywhere, open, signIn, test } from './fixtures.ts';
import { email, tenants } from './people.mjs';

test('the session of another browser is ended, and that browser is out at once', async ({ page, otherPage }, { project }) => {
  const person = `one-session@${project.name}.example`;
  await signIn(otherPage, person);
  await open(otherPage, '/t/meadow/dashboard');
  await signIn(page, person);
  await open(page, '/me/sessions');

  const rows = page.locator('tbody tr');
  await expect(rows).toHaveCount(2);
  const own = rows.filter({ hasText: 'This session' });
  await expect(own).toHaveCount(1);
  await expect(own.getByRole('button')).toHaveText('Sign out');
  await rows.filter({ hasNotText: 'This session' }).getByRole('button', { name: /^End/ }).click();
  await expect(page.getByRole('status')).toHaveText('The session has ended. It can no longer be used.');
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText('This session');

  // The very next thing that the other browser asks for, and whatever follows.
  await otherPage.goto('/t/meadow/dashboard');
  await expect(otherPage).toHaveURL(/\/sign-in\?next=/);

  // The message is for one page; this browser stays.
  await open(page, '/me/sessions');
  await expect(page.getByRole('status')).toHaveCount(0);
  await expect(page).toHaveURL('/me/sessions');
});

test('an ended session gets nothing from a page that is still open @js', async ({ page, otherPage, complaints }, { project }) => {
  complaints.allow(/status (of )?401/);
  const person = `open-page@${project.name}.example`;
  await signIn(otherPage, person);
  await open(otherPage, '/t/meadow/dashboard?range=custom&from=2018-04-01&to=2018-04-30');
  await signIn(page, person);
  await open(page, '/me/sessions');
  await page.getByRole('button', { name: 'End all other sessions' }).click();
  await expect(page.getByRole('status')).toBeVisible();

  // A link that the router follows without loading a page.
  await otherPage.getByRole('navigation', { name: 'Main', exact: true }).getByRole('link', { name: 'Posts' }).click();
  await otherPage.locator('main').getByRole('link', { name: 'Sign in' }).click();
  await expect(otherPage.getByLabel('Work email')).toBeVisible();
  // Signed in, the person is where they wanted to go.
  const next = new URL(otherPage.url()).searchParams.get('next');
  expect(next).toMatch(/^\/t\/meadow\/posts(\?|$)/);
});

test('all other sessions end together and this one stays', async ({ page, otherPage, browser }, { project }) => {
  const person = `all-sessions@${project.name}.example`;
  const third = await browser.newContext();
  const thirdPage = await third.newPage();
  await signIn(otherPage, person);
  await signIn(thirdPage, person);
  await signIn(page, person);
  await open(page, '/me/sessions');
  await page.getByRole('button', { name: 'End all other sessions' }).click();
  await expect(page.getByRole('status')).toHaveText(/other sessions? ha(s|ve) ended\.$/);
  await expect(page.locator('tbody tr')).toHaveCount(1);
  // With nothing else to end nothing is offered.
  await expect(page.getByRole('button', { name: 'End all other sessions' })).toHaveCount(0);
  for (const out of [otherPage, thirdPage]) {
    await out.goto('/me/sessions');
    await expect(out).toHaveURL('/sign-in?next=/me/sessions');
  }
  await third.close();
});

test('the list fits every width', async ({ page, otherPage }) => {
  const person = email(tenants[0]!, 'editor');
  await signIn(otherPage, person);
  await signIn(page, person);
  await open(page, '/me/sessions');
  await expectToFitEverywhere(page);
});

test('the list is accessible, light and dark @js', async ({ page }) => {
  test.slow();
  await signIn(page, email(tenants[0]!, 'editor'));
  await open(page, '/me/sessions');
  await expectAccessibleEverywhere(page);
});
