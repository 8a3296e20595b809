// Maintenance holds for everybody, so it is tried when all other tests are done: see playwright.config.ts.

import { expect, expectAccessible, open, signIn, test } from './fixtures.ts';
import { email, staff, tenants } from './people.mjs';

const [meadow] = tenants;
const words = 'RTV is under maintenance: New disks.';

test('maintenance is announced on every page, nothing changes, and signing in goes on', async ({ page, otherPage, scriptless }) => {
  await signIn(page, staff);
  await open(page, '/staff/maintenance');
  await page.getByLabel('Reason').fill('New disks');
  await page.getByRole('button', { name: 'Switch maintenance on' }).click();
  await expect(page.getByRole('status')).toContainText('Maintenance is on.');
  try {
    const announced = otherPage.getByRole('region', { name: 'Maintenance' });
    await open(otherPage, '/sign-in');
    await expect(announced).toContainText(words);
    if (!scriptless) await expectAccessible(otherPage);
    await signIn(otherPage, email(meadow!, 'owner'));
    await open(otherPage, '/t/meadow/targets');
    await expect(announced).toHaveCount(1);
    if (!scriptless) await expectAccessible(otherPage);
    const add = otherPage.locator('form[method="post"]').filter({ has: otherPage.locator('[name="amount"]') });
    await add.locator('[name="amount"]').fill('500');
    await add.getByRole('button').click();
    await expect(otherPage.getByRole('alert')).toContainText('nothing can be changed');
    await otherPage.getByRole('navigation', { name: 'Main', exact: true }).getByRole('link', { name: 'Posts' }).click();
    await expect(otherPage.getByRole('heading', { level: 1 })).toHaveText('Posts');
    await expect(announced).toContainText(words);
  } finally {
    await open(page, '/staff/maintenance');
    await page.getByRole('button', { name: 'Switch maintenance off' }).click();
    await expect(page.getByRole('status')).toContainText('Maintenance is off.');
  }
  await open(otherPage, '/t/meadow/targets');
  await expect(otherPage.getByRole('region', { name: 'Maintenance' })).toHaveCount(0);
});

test('a page that is open hears of maintenance with the next one @js', async ({ page, otherPage }) => {
  await signIn(otherPage, email(meadow!, 'owner'));
  await open(otherPage, '/t/meadow/targets');
  const announced = otherPage.getByRole('region', { name: 'Maintenance' });
  await signIn(page, staff);
  await open(page, '/staff/maintenance');
  await page.getByLabel('Reason').fill('New disks');
  await page.getByRole('button', { name: 'Switch maintenance on' }).click();
  await expect(page.getByRole('status')).toContainText('Maintenance is on.');
  const posts = otherPage.getByRole('navigation', { name: 'Main', exact: true }).getByRole('link', { name: 'Posts' });
  try {
    await posts.click();
    await expect(announced).toContainText(words);
  } finally {
    await page.getByRole('button', { name: 'Switch maintenance off' }).click();
    await expect(page.getByRole('status')).toContainText('Maintenance is off.');
  }
  await otherPage.getByRole('navigation', { name: 'Main', exact: true }).getByRole('link', { name: 'Targets' }).click();
  await expect(otherPage.getByRole('heading', { level: 1 })).toHaveText('Targets');
  await expect(announced).toHaveCount(0);
});
