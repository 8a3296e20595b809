// Signing in and out by the form: where it leads, what a refusal looks like, and that it tells nothing.

import type { Page } from '@playwright/test';
import { expect, expectAccessibleEverywhere, expectToFitEverywhere, open, signIn, test } from './fixtures.ts';
import { email, password, tenants } from './people.mjs';

const [meadow] = tenants;
const viewer = email(meadow!, 'viewer');

async function fill(page: Page, address: string, secret: string): Promise<void> {
  await page.getByLabel('Work email').fill(address);
  await page.getByLabel('Password').fill(secret);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

test('who asks for a page signs in and lands on that page, query and all', async ({ page }) => {
  const asked = '/t/meadow/posts?range=custom&from=2018-04-01&to=2018-04-30';
  await open(page, asked);
  await expect(page).toHaveURL(/\/sign-in\?next=/);
  await fill(page, viewer, password);
  await expect(page).toHaveURL(asked);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Posts');
});

test('who asks for nothing lands on the dashboard of the one tenant', async ({ page }) => {
  await open(page, '/sign-in');
  await fill(page, viewer, password);
  await expect(page).toHaveURL('/t/meadow/dashboard');
});

test('a page of another site is never led to', async ({ page, baseURL }) => {
  await open(page, '/sign-in?next=%2F%2Fother.example%2Fpage');
  await fill(page, viewer, password);
  await expect(page).toHaveURL(new URL('/t/meadow/dashboard', baseURL).href);
});

test('a wrong password is refused beside the form, which keeps the address and not the password', async ({ page }) => {
  await open(page, '/sign-in?next=%2Fme%2Fsessions');
  await expect(page).toHaveTitle('Sign in · RTV');
  await fill(page, viewer, 'not-the-password');

  const summary = page.getByRole('alert').filter({ hasText: 'There is a problem' });
  await expect(summary).toBeVisible();
  await expect(summary).toBeFocused();
  await expect(page).toHaveTitle('Error: Sign in · RTV');
  const message = 'The email address and the password do not match. Check both and try again.';
  await expect(page.getByLabel('Password')).toHaveAccessibleDescription(`Error: ${message}`);
  await expect(page.getByLabel('Work email')).toHaveValue(viewer);
  await expect(page.getByLabel('Password')).toHaveValue('');

  await summary.getByRole('link', { name: message }).click();
  await expect(page.getByLabel('Password')).toBeFocused();

  // What was asked for is not forgotten over it, and the refusal is shown once.
  await fill(page, viewer, password);
  await expect(page).toHaveURL('/me/sessions');
  await expect(page.getByText('There is a problem')).toHaveCount(0);
});

test('an unknown address gets the words that a wrong password gets', async ({ page }) => {
  const refusal = async (address: string) => {
    await open(page, '/sign-in');
    await fill(page, address, 'not-the-password');
    await expect(page.getByText('There is a problem')).toBeVisible();
    return (await page.locator('main').innerText()).replaceAll(address, '');
  };
  expect(await refusal('nobody@meadow.example')).toBe(await refusal(email(meadow!, 'editor')));
});

test('fields left empty are named, each with its own words', async ({ page }) => {
  await open(page, '/sign-in');
  // The browser itself insists on both; a form that is posted without them is answered all the same.
  await page.evaluate(() => document.querySelectorAll('input').forEach((input) => (input.required = false)));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByLabel('Work email')).toHaveAccessibleDescription('Error: Enter your work email address.');
  await expect(page.getByLabel('Password')).toHaveAccessibleDescription('Error: Enter your password.');
  await expect(page.getByRole('alert').getByRole('link')).toHaveCount(2);
});

test('signing out ends it: the page before is not shown any more', async ({ page }) => {
  await signIn(page, viewer);
  await open(page, '/t/meadow/dashboard');
  await page.locator('summary', { hasText: 'Your account' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL('/sign-in');
  await expect(page.getByRole('status')).toHaveText('You are signed out.');
  await page.goto('/t/meadow/dashboard');
  await expect(page).toHaveURL(/\/sign-in\?next=/);
});

test('who is signed in already is led on', async ({ page }) => {
  await signIn(page, viewer);
  await page.goto('/sign-in');
  await expect(page).toHaveURL('/t/meadow/dashboard');
});

test('the form fits every width, refused or not', async ({ page }) => {
  await open(page, '/sign-in');
  await expectToFitEverywhere(page);
  await fill(page, 'somebody-with-a-long-name@a-long-name-of-a-company.example', 'not-the-password');
  await expect(page.getByText('There is a problem')).toBeVisible();
  await expectToFitEverywhere(page);
});

test('a refused form is accessible, light and dark @js', async ({ page }) => {
  test.slow();
  await open(page, '/sign-in');
  await fill(page, 'nobody@meadow.example', 'not-the-password');
  await expect(page.getByText('There is a problem')).toBeVisible();
  await expectAccessibleEverywhere(page);
});
