// What stands below the trend, over a real file: scorecards, best and weakest posts, and the week by hour equal what
// the file gives, lead to the posts behind them, and work as links alone. Targets are set, graded and removed.

import type { Locator, Page } from '@playwright/test';
import { expect, expectAccessibleEverywhere, expectToFitEverywhere, open, signIn, test } from './fixtures.ts';
import { accountsOf, engagementsOf, figuresOf, hoursOf, monthQuery, needLiveSellers } from './live-sellers.ts';
import { email, tenants } from './people.mjs';

const [meadow, harbour] = tenants;
const month = '2018-04';
const dashboard = `/t/meadow/dashboard?${monthQuery(month)}`;

test.beforeEach(async ({ page }) => {
  needLiveSellers();
  await signIn(page, email(meadow!, 'viewer'));
});

function scorecards(page: Page): Locator {
  return page.locator('section', { has: page.getByRole('heading', { name: 'Scorecards', exact: true }) });
}

function value(row: Locator, kpi: string): Promise<string | null> {
  return row.locator(`[data-kpi="${kpi}"]`).getAttribute('data-value');
}

test.describe('scorecards', () => {
  test('each account’s row equals its lines of the file, and leads to its posts', async ({ page }) => {
    await open(page, `${dashboard}&by=account&sort=name`);
    const names = accountsOf(month);
    const rows = scorecards(page).locator('tbody tr[data-row]');
    await expect(rows).toHaveCount(names.length);
    for (const [index, name] of names.entries()) {
      const row = rows.nth(index);
      await expect(row.getByRole('rowheader')).toContainText(name);
      const file = figuresOf(month, name);
      expect(await value(row, 'published')).toBe(String(file.posts));
      expect(await value(row, 'engagements')).toBe(String(file.engagements));
      expect(await value(row, 'reach'), 'missing is empty').toBe('');
    }
    const total = scorecards(page).locator('tr[data-row="total"]');
    expect(await value(total, 'engagements')).toBe(String(figuresOf(month).engagements));

    await rows.first().getByRole('link').first().click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Posts');
    const sum = page.locator('tr[data-row="total"] [data-kpi="engagements"]');
    await expect(sum).toHaveAttribute('data-value', String(figuresOf(month, names[0]).engagements));
  });

  test('tabs and orders are links that the address keeps', async ({ page }) => {
    await open(page, dashboard);
    const card = scorecards(page);
    await expect(card.locator('tr[data-row="facebook"]')).toBeVisible();
    await card.getByRole('link', { name: 'Account', exact: true }).click();
    await expect(page).toHaveURL(/by=account/);
    // The address may change a moment before the rows do.
    await expect(card.locator('tr[data-row="facebook"]')).toHaveCount(0);
    const engagements = async () => {
      const cells = card.locator('tbody [data-kpi="engagements"]');
      return (await cells.evaluateAll((all) => all.map((cell) => Number(cell.getAttribute('data-value')))));
    };
    await expect(card.getByRole('columnheader', { name: 'Engagements', exact: true })).toHaveAttribute('aria-sort', 'descending');
    const falling = await engagements();
    expect(falling).toEqual([...falling].sort((left, right) => right - left));
    await card.getByRole('link', { name: 'Engagements' }).click();
    await expect(page).toHaveURL(/sort=engagements/);
    await expect.poll(engagements).toEqual([...falling].reverse());

    // The filters keep both.
    await page.getByLabel('Compare with').selectOption('none');
    await page.getByRole('button', { name: 'Apply' }).click();
    await expect(page).toHaveURL(/compare=none/);
    expect(Object.fromEntries(new URL(page.url()).searchParams)).toMatchObject({ by: 'account', sort: 'engagements' });
  });
});

test('best and weakest posts are those of the file', async ({ page }) => {
  await open(page, dashboard);
  const file = engagementsOf(month);
  const shown = async (caption: string) => {
    const cells = page.getByRole('table', { name: caption }).locator('td[data-kpi="engagements"]');
    return cells.evaluateAll((all) => all.map((cell) => Number(cell.getAttribute('data-value'))));
  };
  expect(await shown('Best posts')).toEqual(file.slice(0, 5));
  expect(await shown('Weakest posts')).toEqual(file.slice(-5).reverse());
  await expect(page.getByText(`${file.length} posts published in the period, by engagements to date.`)).toBeVisible();
});

test('another metric ranks by it, or says why it does not', async ({ page }) => {
  await open(page, `${dashboard}&metric=published`);
  await expect(page.getByText('No single post has a figure for Content published, so posts are ranked by engagements.')).toBeVisible();
  await open(page, `${dashboard}&metric=reach`);
  await expect(page.getByText(`${figuresOf(month).posts} posts without summed reach are not ranked.`)).toBeVisible();
});

test('the week by hour equals the file', async ({ page }) => {
  await open(page, dashboard);
  const hours = hoursOf(month);
  const cells = await page
    .locator('#week')
    .locator('xpath=ancestor::table')
    .locator('td[data-cell]')
    .evaluateAll((all) =>
      all.map((cell) => ({
        hour: cell.getAttribute('data-cell')!,
        posts: Number(cell.getAttribute('data-posts')),
        value: cell.getAttribute('data-value')!,
      })),
    );
  expect(cells).toHaveLength(7 * 24);
  for (const cell of cells) {
    const file = hours.get(cell.hour);
    expect(cell.posts, cell.hour).toBe(file?.posts ?? 0);
    if (file) expect(Number(cell.value), cell.hour).toBeCloseTo(file.engagements / file.posts, 6);
    else expect(cell.value, cell.hour).toBe('');
  }
});

test('posts of which only the month is known stand in no hour, and are counted', async ({ page }) => {
  await signIn(page, email(harbour!, 'viewer'));
  await open(page, '/t/harbour/dashboard?range=custom&from=2014-01-01&to=2014-12-31');
  await expect(page.getByText('The hour of no post in this period is known.')).toBeVisible();
  await expect(page.getByText('500 posts are not in the table: of them only the month is known.')).toBeVisible();
  await expect(page.getByRole('table', { name: 'Best posts' }).locator('tbody tr')).toHaveCount(5);
});

test('a target is set, graded and removed', async ({ page, scriptless }) => {
  await signIn(page, email(meadow!, 'owner'));
  // The projects run at the same time on one tenant: each has a figure of its own.
  const [kpi, label] = scriptless ? ['engagements', 'Engagements'] : ['published', 'Content published'];
  const file = scriptless ? figuresOf(month).engagements : figuresOf(month).posts;
  await open(page, `${dashboard}&metric=${kpi}`);
  await scorecards(page).locator('tr[data-row="facebook"]').getByRole('link', { name: 'Set one' }).click();
  await expect(page.getByLabel('Figure')).toHaveValue(kpi!);
  await expect(page.getByLabel('For', { exact: true })).toHaveValue('facebook');
  await page.getByLabel('Amount').fill('a lot');
  await page.getByRole('button', { name: 'Set target' }).click();
  await expect(page.getByText('There is a problem')).toBeVisible();
  await expect(page.getByLabel('Amount')).toHaveValue('a lot');
  await expect(page.getByLabel('For', { exact: true })).toHaveValue('facebook');
  await page.getByLabel('Amount').fill(String(file * 2));
  await page.getByRole('button', { name: 'Set target' }).click();
  await expect(page.getByText('The target is set.')).toBeVisible();

  await open(page, `${dashboard}&metric=${kpi}`);
  const row = scorecards(page).locator('tr[data-row="facebook"]');
  await expect(row.locator('[data-cell="target"]')).toHaveAttribute('data-value', String(file * 2));
  await expect(row.locator('[data-cell="actual"]')).toHaveAttribute('data-value', String(file));
  await expect(row.locator('[data-cell="grade"]')).toContainText('50%, far behind');

  await open(page, '/t/meadow/targets');
  await page.getByRole('button', { name: `Remove the target of ${label!.toLowerCase()} for Facebook` }).click();
  await expect(page.getByText('The target is removed.')).toBeVisible();
});

test('who may not set targets is told who may', async ({ page }) => {
  await open(page, '/t/meadow/targets');
  await expect(page.getByText('Setting targets needs the permission “settings:update”.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Set target' })).toHaveCount(0);
});

test('targets: the page fits every width', async ({ page }) => {
  await signIn(page, email(meadow!, 'owner'));
  await open(page, '/t/meadow/targets');
  await expectToFitEverywhere(page);
});

test('targets: the page is accessible, light and dark @js', async ({ page }) => {
  test.slow();
  await signIn(page, email(meadow!, 'owner'));
  await open(page, '/t/meadow/targets');
  await expectAccessibleEverywhere(page);
});

test('a year of months fits every width, and is accessible @js', async ({ page }) => {
  test.slow();
  await signIn(page, email(harbour!, 'viewer'));
  await open(page, '/t/harbour/dashboard?range=custom&from=2014-01-01&to=2014-12-31');
  await expectToFitEverywhere(page);
  await expectAccessibleEverywhere(page);
});
