// Keys for programs: made, shown once, used, and taken back, with and without JavaScript; and the description of the API.

import { expect, expectAccessible, expectAccessibleEverywhere, expectToFitEverywhere, open, signIn, test } from './fixtures.ts';
import { crews, email } from './people.mjs';

/** A tenant of the project's own. */
const own = (project: { name: string }) => crews.find(({ slug }) => slug === `crew-${project.name}`)!;

test('a key is made, shown once, asks, and is revoked', async ({ page, request, complaints }, { project }) => {
  complaints.allow(/status of 4\d\d/);
  const tenant = own(project);
  const name = `Nightly ${Date.now()}`;
  await signIn(page, email(tenant, 'owner'));
  await open(page, `/t/${tenant.slug}/api-keys`);
  await page.getByLabel('Name').fill(name);
  await page.getByLabel(/^teams:manage/).check();
  await page.getByLabel('30 days').check();
  await page.getByRole('button', { name: 'Make key' }).click();
  await expect(page.getByRole('status').first()).toContainText(`The key “${name}” is made.`);
  const secret = await page.locator('[data-secret] code').innerText();
  expect(secret).toMatch(/^rtv_[0-9a-f]{64}$/);

  const headers = { authorization: `Bearer ${secret}` };
  const made = await request.post('/api/v1/teams', { headers, data: { name } });
  expect(made.status()).toBe(201);
  expect((await request.get('/api/v1/kpis', { headers })).status()).toBe(403);

  await open(page, `/t/${tenant.slug}/api-keys`);
  await expect(page.locator('body')).not.toContainText(secret);
  const row = page.getByRole('row', { name });
  await expect(row).toContainText('teams:manage');
  await expect(row).toContainText('just now');
  await row.getByRole('link', { name: 'just now' }).click();
  await expect(page.getByRole('table', { name: 'Events, newest first' })).toContainText('team.create');
  await open(page, `/t/${tenant.slug}/api-keys`);
  await row.getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByRole('status').first()).toContainText('is revoked');
  await expect(row).toContainText('Revoked');
  expect((await request.get('/api/v1/teams', { headers })).status()).toBe(401);
});

test('a refused key keeps what was typed; the last day is a day of the organisation', async ({ page }, { project }) => {
  const tenant = own(project);
  await signIn(page, email(tenant, 'admin'));
  await open(page, `/t/${tenant.slug}/api-keys`);
  await page.getByLabel('Name').fill('Report sender');
  await page.getByLabel('Until the day below').check();
  await page.getByRole('button', { name: 'Make key' }).click();
  await expect(page.getByRole('heading', { name: 'There is a problem' })).toBeVisible();
  await expect(page.getByLabel('Name')).toHaveValue('Report sender');
  await expect(page.getByLabel('Until the day below')).toBeChecked();
  // An admin does not hold it, so it is not offered.
  await expect(page.getByLabel(/^billing:manage/)).toHaveCount(0);
});

test('who may not make keys is told what they lack', async ({ page, complaints }, { project }) => {
  complaints.allow(/status of 403/);
  const tenant = own(project);
  await signIn(page, email(tenant, 'viewer'));
  expect(await open(page, `/t/${tenant.slug}/api-keys`)).toBe(403);
  await expect(page.getByText('apikeys:manage')).toBeVisible();
});

test('the page of the keys fits every screen and everybody', async ({ page, scriptless }, { project }) => {
  test.slow();
  const tenant = own(project);
  await signIn(page, email(tenant, 'owner'));
  await open(page, `/t/${tenant.slug}/api-keys`);
  await expectToFitEverywhere(page);
  if (!scriptless) await expectAccessibleEverywhere(page);
});

test('the description of the API fits every screen and everybody', async ({ page, scriptless }) => {
  test.slow();
  await open(page, '/docs/api');
  await expectToFitEverywhere(page);
  if (scriptless) return;
  // A long page, of which axe looks at every cell: once as on a telephone and once as on a desk.
  for (const [width, colorScheme] of [[375, 'light'], [1440, 'dark']] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    await expectAccessible(page);
  }
});
