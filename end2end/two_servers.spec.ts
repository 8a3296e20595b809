// A person's whole way through an organisation, with two servers on one database: what is done at the one holds at the other
// with the next request, and somebody who is removed is out within a second.

import { expect, open, signIn, test } from './fixtures.ts';
import { fillSignIn, fresh, linkTo, totp } from './identity.ts';
import { crews, email } from './people.mjs';

test('invited, accepted, a second factor, another role, effective access, and out within a second', async ({ page, otherPage, browser, complaints }, { project }) => {
  const other = process.env.RTV_E2E_OTHER_URL;
  test.skip(!other, 'RTV_E2E_OTHER_URL names no second server');
  test.slow();
  complaints.allow(/status of 40[34]/);
  const tenant = crews.find(({ slug }) => slug === `crew-${project.name}`)!;
  const guest = `traveller-${project.name}-${Date.now()}@guest.example`;
  const team = `/t/${tenant.slug}/team`;
  // Cookies know no ports: a session of the one server is shown to the other.
  const there = (path: string) => `${other}${path}`;

  await signIn(page, email(tenant, 'owner'));
  await open(page, team);
  await page.getByRole('link', { name: 'Invitations' }).click();
  await page.getByLabel('Work email').fill(guest);
  await page.getByLabel('Role').selectOption('viewer');
  await page.getByRole('button', { name: 'Send invitation' }).click();
  await expect(page.getByRole('status')).toContainText(`${guest} is invited.`);

  // Accepted at the other server.
  const link = await linkTo(browser, guest);
  await open(otherPage, there(link));
  await otherPage.getByLabel('Your name').fill('Toni Traveller');
  await otherPage.getByLabel('Password').fill(fresh);
  await otherPage.getByRole('button', { name: 'Accept and sign in' }).click();
  await expect(otherPage).toHaveURL(there(`/t/${tenant.slug}/dashboard`));

  // A second factor, and a sign-in with it at the first server.
  await open(otherPage, there('/me/second-factor'));
  await otherPage.getByRole('button', { name: 'Set up' }).click();
  const key = (await otherPage.locator('[data-key]').getAttribute('data-key'))!;
  await otherPage.getByRole('textbox', { name: 'Code' }).fill(totp(key));
  await otherPage.getByRole('button', { name: 'Turn on' }).click();
  await expect(otherPage.locator('.c-codes li')).toHaveCount(10);
  await otherPage.context().clearCookies();
  await open(otherPage, `/sign-in?next=${encodeURIComponent(`/t/${tenant.slug}/dashboard`)}`);
  await fillSignIn(otherPage, guest, fresh);
  await otherPage.getByRole('textbox', { name: 'Code' }).fill(totp(key, 1));
  await otherPage.getByRole('button', { name: 'Sign in' }).click();
  await expect(otherPage).toHaveURL(`/t/${tenant.slug}/dashboard`);
  await open(otherPage, there(`/t/${tenant.slug}/imports`));
  await expect(otherPage.getByRole('heading', { level: 1 })).toHaveText('You don’t have access to this page');

  // Another role at the first server opens a page at the second one.
  await open(page, team);
  const row = page.getByRole('row', { name: guest });
  await expect(row.locator('[data-second-factor]')).toHaveText('On');
  await row.getByRole('link').click();
  await page.getByLabel('Role', { exact: true }).selectOption('editor');
  await page.getByRole('button', { name: 'Review the change' }).click();
  await page.getByRole('button', { name: 'Save the change' }).click();
  await expect(page.getByRole('status')).toContainText('is Editor now. They gain');
  await open(otherPage, there(`/t/${tenant.slug}/imports`));
  await expect(otherPage.getByRole('heading', { level: 1 })).toHaveText('Imports');

  await page.getByRole('link', { name: 'Effective access' }).click();
  await page.getByLabel('Permission').selectOption('imports:manage');
  await page.getByRole('button', { name: 'Ask' }).click();
  await expect(page.locator('[data-verdict="allowed"]')).toBeVisible();
  await expect(page.locator('[data-deciding="true"]')).toContainText('Editor');

  // Removed at the first server; asked again and again at the second.
  await open(page, team);
  await page.getByRole('row', { name: guest }).getByRole('link').click();
  await page.getByRole('link', { name: 'Remove…' }).click();
  await page.getByRole('button', { name: /^Remove/ }).click();
  await expect(page.getByRole('status')).toContainText('is no longer a member.');
  const status = async () => (await otherPage.request.get(there(`/t/${tenant.slug}/imports`))).status();
  await expect.poll(status, { intervals: [20], timeout: 1_000 }).toBe(404);
  await otherPage.reload();
  await expect(otherPage.getByRole('heading', { level: 1 })).toHaveText('Page not found');
});
