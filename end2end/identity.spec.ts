// Invitations, a forgotten password, the second factor and freshness, as people meet them. Mail is read where staff read it.

import { expect, expectAccessibleEverywhere, expectToFitEverywhere, open, signIn, test } from './fixtures.ts';
import { fillSignIn, fresh, linkTo, totp } from './identity.ts';
import { email, identities, password, staff, tenants } from './people.mjs';

const [meadow] = tenants;
const invitations = '/t/meadow/team/invitations';

test('an invitation is sent, accepted by somebody new, and works once', async ({ page, otherPage, browser, complaints }, { project }) => {
  complaints.allow(/status of 404/);
  const guest = `guest-${project.name}-${Date.now()}@guest.example`;
  await signIn(page, email(meadow!, 'owner'));
  await open(page, invitations);
  await page.getByLabel('Work email').fill(guest);
  await page.getByLabel('Role').selectOption('editor');
  await page.getByRole('button', { name: 'Send invitation' }).click();
  await expect(page.getByRole('status')).toContainText(`${guest} is invited.`);
  await expect(page.locator('tbody tr').filter({ hasText: guest })).toContainText('Editor');

  const link = await linkTo(browser, guest);
  await open(otherPage, link);
  await expect(otherPage.getByRole('heading', { level: 1 })).toHaveText('Join Meadow Goods');
  await otherPage.getByLabel('Your name').fill('Robin Guest');
  await otherPage.getByLabel('Password').fill('password1234');
  await otherPage.getByRole('button', { name: 'Accept and sign in' }).click();
  await expect(otherPage.getByRole('alert')).toContainText('harder to guess');
  await expect(otherPage.getByLabel('Your name')).toHaveValue('Robin Guest');
  await otherPage.getByLabel('Password').fill(fresh);
  await otherPage.getByRole('button', { name: 'Accept and sign in' }).click();
  await expect(otherPage).toHaveURL('/t/meadow/dashboard');

  await open(page, invitations);
  await expect(page.locator('tbody tr').filter({ hasText: guest })).toHaveCount(0);
  await otherPage.context().clearCookies();
  expect(await open(otherPage, link)).toBe(404);
  await expect(otherPage.getByRole('heading', { level: 1 })).toHaveText('This invitation cannot be used');
});

test('an invitation is revoked and its link opens nothing any more', async ({ page, otherPage, browser, complaints }, { project }) => {
  complaints.allow(/status of 404/);
  const guest = `revoked-${project.name}-${Date.now()}@guest.example`;
  await signIn(page, email(meadow!, 'owner'));
  await open(page, invitations);
  await page.getByLabel('Work email').fill(guest);
  await page.getByRole('button', { name: 'Send invitation' }).click();
  const link = await linkTo(browser, guest);
  await page.getByRole('button', { name: `Revoke the invitation of ${guest}` }).click();
  await expect(page.getByRole('status')).toContainText('Its link no longer works.');
  expect(await open(otherPage, link)).toBe(404);
});

test('a forgotten password is replaced by the link of a mail', async ({ page, otherPage, browser }, { project }) => {
  const person = identities(project.name).forgetful;
  await signIn(otherPage, person);
  await open(page, '/sign-in');
  await page.getByRole('link', { name: 'Forgotten password' }).click();
  await page.getByLabel('Work email').fill(person);
  await page.getByRole('button', { name: 'Send the link' }).click();
  await expect(page.getByRole('status')).toContainText('If this address has an account');
  await open(page, await linkTo(browser, person));
  await page.getByLabel('New password').fill(fresh);
  await page.getByRole('button', { name: 'Set password' }).click();
  await expect(page).toHaveURL('/t/meadow/dashboard');
  await otherPage.goto('/me');
  await expect(otherPage).toHaveURL('/sign-in?next=/me');
  await fillSignIn(otherPage, person, fresh);
  await expect(otherPage).toHaveURL('/me');
  // Back to what the other tests know, by the form that asks for the old one.
  await otherPage.getByLabel('Password that you have now').fill(fresh);
  await otherPage.getByLabel('New password').fill(password);
  await otherPage.getByRole('button', { name: 'Change password' }).click();
  await expect(otherPage.getByRole('status')).toContainText('Your password is changed.');
  await page.goto('/me');
  await expect(page).toHaveURL('/sign-in?next=/me');
});

test('a second factor is set up, asked for, and removed again', async ({ page, otherPage }, { project }) => {
  const person = identities(project.name).careful;
  await open(page, '/sign-in?next=%2Fme');
  await fillSignIn(page, person, password);
  await page.getByRole('link', { name: 'Set it up' }).click();
  await page.getByRole('button', { name: 'Set up' }).click();
  await expect(page.getByRole('img', { name: 'QR code with the key below' })).toBeVisible();
  const key = (await page.locator('[data-key]').getAttribute('data-key'))!;
  await page.getByRole('textbox', { name: 'Code' }).fill(totp(key));
  await page.getByRole('button', { name: 'Turn on' }).click();
  const codes = page.locator('.c-codes li');
  await expect(codes).toHaveCount(10);
  const code = (await codes.first().innerText()).trim();
  await open(page, '/me/second-factor');
  await expect(codes).toHaveCount(0);

  await open(otherPage, '/sign-in?next=%2Fme');
  await fillSignIn(otherPage, person, password);
  await expect(otherPage).toHaveURL('/sign-in/code?next=%2Fme');
  await otherPage.getByRole('textbox', { name: 'Code' }).fill('000000');
  await otherPage.getByRole('button', { name: 'Sign in' }).click();
  await expect(otherPage.getByRole('alert')).toContainText('This code is not right');
  await otherPage.getByRole('textbox', { name: 'Code' }).fill(totp(key, 1));
  await otherPage.getByRole('button', { name: 'Sign in' }).click();
  await expect(otherPage).toHaveURL('/me');
  await otherPage.context().clearCookies();
  await open(otherPage, '/sign-in?next=%2Fme');
  await fillSignIn(otherPage, person, password);
  await otherPage.getByRole('textbox', { name: 'Code' }).fill(code);
  await otherPage.getByRole('button', { name: 'Sign in' }).click();
  await expect(otherPage).toHaveURL('/me');

  await open(page, '/me/second-factor');
  await page.getByRole('button', { name: 'Remove second factor' }).click();
  await expect(page.getByRole('status')).toHaveText('Your second factor is removed.');
});

test('confirming leads back to where it was asked for', async ({ page }, { project }) => {
  await signIn(page, identities(project.name).steady);
  await open(page, '/me/confirm?next=%2Fme%2Fsessions');
  await page.getByLabel(/^Password of/).fill('not-the-password');
  await page.getByRole('button', { name: 'Confirm' }).click();
  await expect(page.getByRole('alert')).toContainText('This is not your password.');
  await page.getByLabel(/^Password of/).fill(password);
  await page.getByRole('button', { name: 'Confirm' }).click();
  await expect(page).toHaveURL('/me/sessions');
  await expect(page.getByRole('status')).toContainText('For five minutes you are not asked again.');
});

test('the mail that was written is nothing to who is no staff', async ({ page, complaints }) => {
  complaints.allow(/status of 404/);
  await signIn(page, email(meadow!, 'owner'));
  expect(await open(page, '/staff/mail')).toBe(404);
});

test('the pages fit every width', async ({ page, complaints }) => {
  complaints.allow(/status of 404/);
  await open(page, '/reset');
  await expectToFitEverywhere(page);
  await open(page, `/invite/${'0'.repeat(64)}`);
  await expectToFitEverywhere(page);
  await signIn(page, email(meadow!, 'owner'));
  for (const address of ['/me', '/me/confirm', '/me/second-factor', invitations]) {
    await open(page, address);
    await expectToFitEverywhere(page);
  }
});

test('the pages are accessible, light and dark @js', async ({ page }) => {
  test.slow();
  await signIn(page, email(meadow!, 'owner'));
  for (const address of ['/me', '/me/confirm', '/me/second-factor', invitations]) {
    await open(page, address);
    await expectAccessibleEverywhere(page);
  }
});
