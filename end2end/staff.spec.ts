// The operator's console: a tenant from its creation to its suspension and back, and a visit that the tenant reads of. For each
// project there is a tenant of its own, whose owner sees what staff do.

import { expect, expectAccessibleEverywhere, expectToFitEverywhere, open, signIn, test } from './fixtures.ts';
import { email, staff, wards } from './people.mjs';

// One tenant for all of them, so they go one after the other.
test.describe.configure({ mode: 'default' });

const own = (project: { name: string }) => wards.find(({ slug }) => slug === `ward-${project.name}`)!;

test('a tenant is created, and one that is typed wrongly keeps what was typed', async ({ page }, { project }) => {
  await signIn(page, staff);
  await open(page, '/staff/tenants');
  await expect(page.getByText('Staff', { exact: true }).first()).toBeVisible();
  await page.getByLabel('Name', { exact: true }).fill('Elm Tools');
  await page.getByLabel('Slug', { exact: true }).fill('Elm Tools');
  await page.getByRole('button', { name: 'Create tenant' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Elm Tools');
  await page.getByLabel('Slug', { exact: true }).fill(`elm-${project.name}`);
  await page.getByRole('button', { name: 'Create tenant' }).click();
  await expect(page.getByRole('status')).toContainText('Elm Tools is created.');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Elm Tools');

  await open(page, '/staff/tenants');
  await page.getByLabel('Name or slug').fill(`elm-${project.name}`);
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(/q=elm-/);
  await expect(page.locator('tbody tr[data-row]')).toHaveCount(1);
});

test('a tenant is suspended with a reason, can be exported and not changed, and is resumed', async ({ page, otherPage }, { project }) => {
  const tenant = own(project);
  await signIn(otherPage, email(tenant, 'owner'));
  await signIn(page, staff);
  await open(page, `/staff/tenants/${tenant.slug}`);
  await page.getByLabel('Reason').fill('Bill 17 is open');
  await page.getByRole('button', { name: 'Suspend' }).click();
  await expect(page.getByRole('status')).toContainText('is suspended.');

  await open(otherPage, `/t/${tenant.slug}/targets`);
  await expect(otherPage.getByText('This organisation is suspended: Bill 17 is open.')).toBeVisible();
  const add = otherPage.locator('form[method="post"]').filter({ has: otherPage.locator('[name="amount"]') });
  await add.locator('[name="amount"]').fill('500');
  await add.getByRole('button').click();
  await expect(otherPage.getByRole('alert')).toContainText('nothing can be changed');
  const file = await otherPage.request.get(`/t/${tenant.slug}/audit/log.csv`);
  expect(file.status()).toBe(200);
  expect(await file.text()).toContain('tenant.suspend');

  await page.getByLabel('Reason').fill('Bill 17 is paid');
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(page.getByRole('status')).toContainText('is active.');
  await open(otherPage, `/t/${tenant.slug}/targets`);
  await expect(otherPage.getByText('This organisation is suspended')).toHaveCount(0);
  await add.locator('[name="amount"]').fill('500');
  await add.getByRole('button').click();
  await expect(otherPage.getByRole('status')).toContainText('The target is set.');
});

test('staff visit with a reason, and the owner reads of it in the audit log', async ({ page, otherPage, complaints }, { project }) => {
  complaints.allow(/status of 404/);
  const tenant = own(project);
  await signIn(page, staff);
  expect(await open(page, `/t/${tenant.slug}/dashboard`)).toBe(404);
  await open(page, `/staff/tenants/${tenant.slug}`);
  await page.getByRole('link', { name: 'Visit', exact: true }).click();
  await page.getByLabel('Reason').fill('Ticket 4711');
  await page.getByRole('button', { name: 'Begin visit' }).click();
  await expect(page).toHaveURL(`/t/${tenant.slug}/dashboard`);
  await expect(page.getByText(`Staff visit to ${tenant.name}.`)).toBeVisible();
  await expect(page.getByText('Ticket 4711. You read and change nothing')).toBeVisible();
  await page.getByRole('button', { name: 'End visit' }).click();
  await expect(page.getByRole('status')).toContainText('The visit has ended.');
  expect(await open(page, `/t/${tenant.slug}/dashboard`)).toBe(404);

  await signIn(otherPage, email(tenant, 'owner'));
  await open(otherPage, `/t/${tenant.slug}/audit?actor=${encodeURIComponent(staff)}`);
  await expect(otherPage.locator('[data-action="staff.visit.begin"]')).not.toHaveCount(0);
  await otherPage.locator('[data-action="staff.visit.begin"]').first().getByRole('link').click();
  await expect(otherPage.locator('main')).toContainText('Ticket 4711');
});

test('the console fits every width', async ({ page }, { project }) => {
  await signIn(page, staff);
  const tenant = `/staff/tenants/${own(project).slug}`;
  for (const address of ['/staff/tenants', tenant, `${tenant}/visit`, '/staff/users', '/staff/maintenance', '/staff/mail']) {
    await open(page, address);
    await expectToFitEverywhere(page);
  }
});

for (const place of ['tenants', 'tenants/:own', 'tenants/:own/visit', 'users', 'maintenance', 'mail']) {
  test(`/staff/${place} can be used by everybody @js`, async ({ page }, { project }) => {
    test.slow();
    await signIn(page, staff);
    await open(page, `/staff/${place.replace(':own', own(project).slug)}`);
    await expectAccessibleEverywhere(page);
  });
}

test('the page of a user can be used by everybody @js', async ({ page }) => {
  test.slow();
  await signIn(page, staff);
  await open(page, '/staff/users?q=operator');
  await page.locator('tbody tr[data-row]').getByRole('link').first().click();
  await expect(page.getByRole('heading', { level: 2, name: 'Access' })).toBeVisible();
  await expectAccessibleEverywhere(page);
});
