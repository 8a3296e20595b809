// The demo says that it is one, is worth looking at, and goes away by one press.

import { expect, expectAccessibleEverywhere, expectToFitEverywhere, open, signIn, test } from './fixtures.ts';
import { demo } from './people.mjs';

test('every page says that the data are samples, and an admin removes them by one press', async ({ page }, { project }) => {
  const slug = demo.slugs[project.name]!;
  await signIn(page, `admin@${slug}.example`, demo.password);
  const notice = page.getByText('Sample data.');
  for (const place of ['dashboard', 'posts', 'targets', 'imports']) {
    await open(page, `/t/${slug}/${place}`);
    await expect(notice, place).toBeVisible();
    await expectToFitEverywhere(page);
  }
  await open(page, `/t/${slug}/dashboard`);
  await expect(page.locator('article[data-kpi="reach"]')).toHaveAttribute('data-value', /^[1-9]/);
  await page.getByRole('button', { name: 'Remove sample data' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'The sample data is gone' })).toBeVisible();
  await expect(notice).toHaveCount(0);
  // What comes next is on the page: bringing in one's own.
  await expect(page.getByText('No data yet')).toBeVisible();
  await page.getByRole('link', { name: 'Import a file' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Imports');
});

test('a viewer of the demo sees who can remove it', async ({ page }) => {
  await signIn(page, `viewer@${demo.showcase}.example`, demo.password);
  await open(page, `/t/${demo.showcase}/dashboard`);
  await expect(page.getByText('An owner or admin can remove them.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Remove sample data' })).toHaveCount(0);
  // The owner's promise to the visitor: figures that are missing say so.
  await expect(page.locator('article[data-kpi="sentiment"]')).toBeVisible();
  await expectToFitEverywhere(page);
});

test('the demo’s dashboard is accessible, light and dark @js', async ({ page }) => {
  test.slow();
  await signIn(page, `owner@${demo.showcase}.example`, demo.password);
  await open(page, `/t/${demo.showcase}/dashboard`);
  await expectAccessibleEverywhere(page);
});
