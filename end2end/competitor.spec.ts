// Competitors from their first name to a report that compares with them: entered by hand, taken from a file, refused by line, removed
// and brought back.

import { expect, expectAccessibleEverywhere, expectToFitEverywhere, open, signIn, test } from './fixtures.ts';
import { monthQuery, needLiveSellers } from './live-sellers.ts';
import { email, tenants } from './people.mjs';

const [meadow] = tenants;
const month = '2018-04';

test('a competitor is added, its months entered and changed, and a report compares with it', async ({ page }, { project }) => {
  needLiveSellers();
  const name = `Ridgeline ${project.name}`;
  await signIn(page, email(meadow!, 'editor'));
  await open(page, '/t/meadow/competitors');
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('button', { name: 'Add competitor' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(name);
  await expect(page.getByText('Nothing entered yet')).toBeVisible();

  // What is wrong is named, and what was typed is kept.
  await page.getByLabel('Platform').selectOption('Facebook');
  await page.getByLabel('Month').fill(month);
  await page.getByLabel('Posts published').fill('many');
  await page.getByRole('button', { name: 'Enter month' }).click();
  await expect(page.getByLabel('Posts published')).toHaveValue('many');
  await expect(page.getByLabel('Month')).toHaveValue(month);
  await expect(page.getByText('use a whole number').first()).toBeVisible();
  await page.getByLabel('Posts published').fill('12');
  await page.getByLabel('Public interactions').fill('3,400');
  await page.getByRole('button', { name: 'Enter month' }).click();
  const row = page.getByRole('table', { name: 'Months' }).getByRole('row', { name: /Apr 2018/ });
  await expect(row.locator('td[data-value]')).toHaveText(['—', '12', '3,400']);
  await row.getByRole('link', { name: 'Change Apr 2018 on Facebook' }).click();
  await expect(page.getByLabel('Public interactions')).toHaveValue('3,400');
  await page.getByLabel('Public interactions').fill('3,500');
  await page.getByRole('button', { name: 'Enter month' }).click();
  await expect(row).toContainText('3,500');
  await expectToFitEverywhere(page);

  await open(page, '/t/meadow/reports');
  await page.getByRole('button', { name: 'Start from Market position' }).click();
  const report = new URL(page.url()).pathname;
  await open(page, `${report}?${monthQuery(month)}`);
  const brands = page.locator('[data-block]', { has: page.getByRole('heading', { name: 'Brands', exact: true }) });
  await expect(brands.getByRole('row', { name: new RegExp(name) }).locator('[data-key="interactions"]')).toHaveText('3,500');
  await expect(brands.getByText(/Share of voice is out of [\d,]+ public interactions of .*Ridgeline/)).toBeVisible();
  await expect(brands.getByText('Whole calendar months only: Apr 2018, compared with Mar 2018.')).toBeVisible();

  await open(page, '/t/meadow/competitors');
  await page.getByRole('button', { name: `Remove ${name}` }).click();
  await expect(page.getByRole('status').first()).toContainText('can be brought back');
  await page.getByRole('button', { name: `Bring back ${name}` }).click();
  await expect(page.getByRole('status').first()).toContainText('is back with its figures');
  await page.getByRole('button', { name: `Remove ${name}` }).click();
});

test('a file is taken whole, or refused with its lines named', async ({ page }, { project }) => {
  const name = `Polar ${project.name}`;
  await signIn(page, email(meadow!, 'editor'));
  await open(page, '/t/meadow/competitors');
  const take = async (text: string): Promise<void> => {
    await page.getByLabel('CSV file').setInputFiles({ name: 'market.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
    await page.getByRole('button', { name: 'Take file' }).click();
  };
  await take(`competitor;platform;month;posts\n${name};x;2018-04;12\n${name};x;2018-44;12\n`);
  await expect(page.getByText('Line 3: month: write it like 2026-10.').first()).toBeVisible();
  await expect(page.getByRole('table', { name: 'Competitors' }).getByText(name)).toHaveCount(0);
  await take(`competitor;platform;month;posts\n${name};x;2018-04;12\n${name};Facebook;2018-05;\n`);
  await expect(page.getByText(/Line 3: followers: enter at least one/).first()).toBeVisible();
  await take(`competitor;platform;month;posts\n${name};x;2018-04;12\n${name};Facebook;2018-05;9\n`);
  await expect(page.getByRole('status').first()).toContainText('The file is taken: 2 months new');
  await expect(page.getByRole('row', { name: new RegExp(name) })).toContainText('Apr 2018 to May 2018');
  await expectToFitEverywhere(page);
  await page.getByRole('button', { name: `Remove ${name}` }).click();
});

test('a viewer sees competitors and who may keep them', async ({ page }) => {
  await signIn(page, email(meadow!, 'viewer'));
  await open(page, '/t/meadow/competitors');
  await expect(page.getByText('needs the permission “competitors:manage”')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Add competitor' })).toHaveCount(0);
});

test('competitors are accessible, light and dark @js', async ({ page }) => {
  test.slow();
  await signIn(page, email(meadow!, 'editor'));
  await open(page, '/t/meadow/competitors');
  await expectAccessibleEverywhere(page);
});
