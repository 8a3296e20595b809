// A report from its template to the files that a client gets: built step by step, previewed with real figures, undone, compared,
// and the same in every format, over a real file of posts.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Locator, Page } from '@playwright/test';
import { expect, expectAccessibleEverywhere, expectToFitEverywhere, open, signIn, test } from './fixtures.ts';
import { figuresOf, monthQuery, needLiveSellers } from './live-sellers.ts';
import { email, tenants } from './people.mjs';

const [meadow, harbour] = tenants;
const month = '2018-04';
const run = promisify(execFile);

const heading = (page: Page): Locator => page.getByRole('heading', { level: 1 });
const sheets = (page: Page): Locator => page.locator('.c-sheets');
const panel = (page: Page): Locator => page.locator('#panel');
const saved = (page: Page, words: string): Promise<void> => expect(page.getByRole('status').first()).toContainText(words);

test.beforeEach(async ({ page }) => {
  needLiveSellers();
  await signIn(page, email(meadow!, 'editor'));
});

/** Starts a report from a template and gives back its address. */
async function start(page: Page, template: string): Promise<string> {
  await open(page, '/t/meadow/reports');
  await page.getByRole('button', { name: `Start from ${template}` }).click();
  await expect(sheets(page)).toBeVisible();
  const report = new URL(page.url()).pathname;
  // What is looked at stays while one builds.
  await open(page, `${report}?${monthQuery(month)}`);
  return report;
}

/** The exact value of a cell in the last row of the table of a block. */
function total(page: Page, title: string, key: string): Promise<string | null> {
  const block = page.locator('[data-block]', { has: page.getByRole('heading', { name: title, exact: true }) });
  return block.locator(`tfoot [data-key="${key}"]`).getAttribute('data-value');
}

test('a report from a template shows the figures of the period at once', async ({ page }) => {
  await start(page, 'Platform comparison');
  const file = figuresOf(month);
  expect(await total(page, 'Side by side', 'published')).toBe(String(file.posts));
  expect(await total(page, 'Side by side', 'engagements')).toBe(String(file.engagements));
  await expect(sheets(page).locator('img').first()).toBeVisible();
  const pictures = sheets(page).locator('img.c-sheet__chart');
  for (const picture of await pictures.all()) {
    await picture.scrollIntoViewIfNeeded();
    await expect(async () => expect(await picture.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0)).toPass();
    expect(await picture.getAttribute('alt')).toMatch(/in \d+ rows, from .+ to .+|Facebook/);
  }
});

test('charts of a report answer to the pointer, with the figures that their table has @js', async ({ page }) => {
  await start(page, 'Platform comparison');
  const chart = sheets(page).locator('[data-block]', { hasText: 'Engagements by week' });
  await chart.scrollIntoViewIfNeeded();
  const live = chart.locator('.c-chart__live');
  await expect(live.locator('svg')).toBeVisible();
  const picture = await chart.locator('img').boundingBox();
  const box = (await live.boundingBox())!;
  expect([Math.round(box.width), Math.round(box.height)]).toEqual([Math.round(picture!.width), Math.round(picture!.height)]);
  const option = await page.request.get((await live.getAttribute('data-chart'))!);
  expect(option.headers()['content-type']).toBe('application/json');
  // The next page brings charts of its own, and those of this one are gone.
  await page.getByRole('link', { name: 'Versions' }).click();
  await expect(page.locator('[data-chart]')).toHaveCount(0);
  await page.goBack();
  await chart.scrollIntoViewIfNeeded();
  await expect(live.locator('svg')).toBeVisible();
});

test('a block is added, changed, moved, copied, deleted, and each step undone', async ({ page }) => {
  await start(page, 'Blank report');
  await page.getByRole('button', { name: 'Add table to Section 1' }).click();
  await saved(page, 'Added a table.');
  await panel(page).getByLabel('Heading').fill('All platforms');
  await panel(page).getByLabel('Engagement rate').uncheck();
  await panel(page).getByLabel('Rows').fill('1');
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await saved(page, 'Changed table “All platforms”.');
  const table = sheets(page).locator('[data-block]', { hasText: 'All platforms' });
  await expect(table.getByRole('columnheader')).toHaveText(['Platform', 'Impressions', 'Engagements']);
  await panel(page).getByRole('button', { name: 'Copy' }).click();
  await saved(page, 'Copied table “All platforms”.');
  await expect(sheets(page).locator('[data-block]')).toHaveCount(2);
  await panel(page).getByRole('button', { name: 'Delete' }).click();
  await saved(page, 'Deleted table “All platforms”.');
  await expect(sheets(page).locator('[data-block]')).toHaveCount(1);
  await page.getByRole('button', { name: /^Undo/ }).click();
  await saved(page, 'Undone.');
  await expect(sheets(page).locator('[data-block]')).toHaveCount(2);
  await page.getByRole('button', { name: 'Redo' }).click();
  await expect(sheets(page).locator('[data-block]')).toHaveCount(1);
});

test('an edit is shown without leaving the page, and one without an answer keeps what was typed @js', async ({ page, complaints }) => {
  await start(page, 'Blank report');
  // Another document would not know it.
  await page.evaluate(() => document.body.setAttribute('data-mark', ''));
  const body = page.locator('body[data-mark]');
  await panel(page).getByLabel('Name', { exact: true }).fill('Meadow by week');
  const save = panel(page).getByRole('button', { name: 'Save' });
  await save.click();
  await saved(page, 'Changed name, purpose or parameters.');
  await expect(heading(page)).toHaveText('Meadow by week');
  await expect(page).toHaveTitle(/^Meadow by week · /);
  await expect(sheets(page).locator('.c-sheet__name').first()).toHaveText('Meadow by week');
  await expect(save).toBeFocused();
  const before = page.url();
  await page.getByRole('button', { name: 'Add chart to Section 1' }).click();
  await saved(page, 'Added a chart.');
  await expect(page).toHaveURL(/part=\d+/);
  await expect(panel(page).getByLabel('Drawn as')).toBeVisible();
  await page.getByRole('button', { name: /^Undo/ }).click();
  await saved(page, 'Undone.');
  await expect(page).toHaveURL(before);
  await expect(body).toHaveCount(1);

  // Whoever works further down sees what became of it without looking for it.
  await page.setViewportSize({ width: 375, height: 700 });
  await panel(page).getByLabel('What it is for').fill('For Sunday');
  await save.click();
  await expect(page.locator('.c-toast')).toHaveText('Changed name, purpose or parameters.');
  await expect(page.locator('.c-toast')).toBeInViewport();
  await expect(save).toBeInViewport();

  complaints.allow(/ERR_FAILED/);
  await page.route(`**${new URL(before).pathname}`, (route) => (route.request().method() === 'POST' ? route.abort() : route.continue()));
  await panel(page).getByLabel('What it is for').fill('For Monday');
  await save.click();
  await expect(page.getByRole('alert').filter({ hasText: 'RTV did not answer' })).toBeVisible();
  await expect(panel(page).getByLabel('What it is for')).toHaveValue('For Monday');
  await page.unrouteAll();
  await save.click();
  await saved(page, 'Changed name, purpose or parameters.');
  await expect(page.getByRole('alert').filter({ hasText: 'RTV did not answer' })).toBeHidden();
  await expect(body).toHaveCount(1);
  await page.reload();
  await expect(panel(page).getByLabel('What it is for')).toHaveValue('For Monday');
});

test('a part is dragged before another one @js', async ({ page }) => {
  await start(page, 'Blank report');
  const outline = page.getByRole('navigation', { name: 'Parts of the report' });
  for (const kind of ['chart', 'text']) {
    await page.getByRole('button', { name: `Add ${kind} to Section 1` }).click();
    await saved(page, `Added a ${kind}.`);
  }
  const blocks = outline.locator('.c-outline__blocks .c-outline__kind');
  await expect(blocks).toHaveText(['Chart', 'Text']);
  await blocks.nth(1).dragTo(blocks.nth(0));
  await saved(page, 'Moved a text.');
  await expect(blocks).toHaveText(['Text', 'Chart']);
  await page.getByRole('button', { name: /^Undo/ }).click();
  await expect(blocks).toHaveText(['Chart', 'Text']);
});

test('what cannot be measured is refused by name, and what was typed stays', async ({ page }) => {
  await start(page, 'Blank report');
  await page.getByRole('button', { name: 'Add chart to Section 1' }).click();
  await saved(page, 'Added a chart.');
  await panel(page).getByLabel('Heading').fill('Shares');
  await panel(page).getByLabel('Drawn as').selectOption('Pie');
  await panel(page).getByLabel('Engagements', { exact: true }).uncheck();
  await panel(page).getByLabel('Engagement rate').check();
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('There is a problem')).toBeVisible();
  await expect(page.locator('main')).toContainText(/shares of a rate or a mean say nothing/i);
  await expect(panel(page).getByLabel('Heading')).toHaveValue('Shares');
  await expect(panel(page).getByLabel('Drawn as')).toHaveValue('pie');
  await expect(sheets(page)).toBeVisible();
});

test('another source keeps what it has too and says what it has', async ({ page }) => {
  await start(page, 'Blank report');
  await page.getByRole('button', { name: 'Add table to Section 1' }).click();
  await panel(page).getByLabel('Figures of').selectOption('Posts');
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await expect(panel(page).getByLabel('Reactions')).toBeVisible();
  await expect(sheets(page)).toContainText(/Showing 50 of [\d,]+\./);
});

test('versions are compared and restored', async ({ page }) => {
  const report = await start(page, 'Weekly activity');
  await page.getByRole('navigation', { name: 'Parts of the report' }).getByRole('link', { name: /When posts went out/ }).click();
  await panel(page).getByLabel('Heading').fill('Hours');
  await panel(page).getByRole('button', { name: 'Save' }).click();
  await saved(page, 'Changed chart “Hours”.');
  await open(page, `${report}/versions?from=1&to=2`);
  await expect(page.locator('main')).toContainText('When posts went out');
  await expect(page.locator('main')).toContainText('Hours');
  await page.getByRole('button', { name: 'Restore version 1' }).click();
  await saved(page, 'Version 1 is the newest again.');
  await expect(sheets(page)).toContainText('When posts went out');
});

test('the later of two people is told what was saved, and loses nothing', async ({ page, otherPage }) => {
  const report = await start(page, 'Blank report');
  await signIn(otherPage, email(meadow!, 'admin'));
  await open(otherPage, report);
  await otherPage.getByRole('button', { name: 'Add section' }).click();
  await saved(otherPage, 'Added a section.');
  await page.setViewportSize({ width: 375, height: 700 });
  await page.getByLabel('What it is for').fill('For Monday');
  await page.getByLabel('Name', { exact: true }).fill('Mine');
  await panel(page).getByRole('button', { name: 'Save' }).click();
  const told = page.getByRole('alert').or(page.getByRole('status')).first();
  await expect(told).toContainText('Added a section');
  await expect(told).toBeInViewport();
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Mine');
});

test('page, PDF, Excel and CSV of a run have the same totals', async ({ page }) => {
  await start(page, 'Platform comparison');
  await page.getByRole('button', { name: 'Make files' }).click();
  await expect(heading(page)).toHaveText('Platform comparison');
  await expect(async () => {
    await page.reload();
    await expect(page.locator('.c-page-header [data-state]')).toHaveText('Done', { timeout: 500 });
  }).toPass({ timeout: 25_000 });
  await expect(page.locator('main')).toContainText('Nothing has changed since');
  const engagements = (await total(page, 'Side by side', 'engagements'))!;
  const shown = Number(engagements).toLocaleString('en-US');
  expect(engagements).toBe(String(figuresOf(month).engagements));
  const folder = await mkdtemp(path.join(tmpdir(), 'rtv-report-'));
  const files = new URL(page.url()).pathname;
  const take = async (name: string): Promise<string> => {
    const answer = await page.request.get(`${files}/files/${name}`);
    expect(answer.status(), name).toBe(200);
    expect(answer.headers()['content-disposition']).toContain('Platform-comparison_2018-04-01_2018-04-30');
    const to = path.join(folder, name);
    await writeFile(to, await answer.body());
    return to;
  };
  const pdf = await take('pdf');
  const text = (await run('pdftotext', ['-layout', pdf, '-'])).stdout;
  expect(text).toContain(shown);
  await run('qpdf', ['--check', pdf]);
  const csv = await readFile(await take('csv'), 'utf8');
  expect(csv).toContain(`,${engagements},`);
  const again = await page.request.get(`${files}/files/csv`);
  expect(await again.text()).toBe(csv);
  const xlsx = await take('xlsx');
  expect((await readFile(xlsx)).subarray(0, 2).toString()).toBe('PK');
});

test('who may not build sees the report and no button, and other organisations see nothing', async ({ page, complaints }) => {
  const report = await start(page, 'Weekly activity');
  await signIn(page, email(meadow!, 'viewer'));
  await open(page, report);
  await expect(sheets(page)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Make files' })).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Add section' })).toHaveCount(0);
  complaints.allow(/404/);
  await signIn(page, email(harbour!, 'owner'));
  expect(await open(page, report.replace('meadow', 'harbour'))).toBe(404);
});

test('the builder is accessible and fits everywhere @js', async ({ page }) => {
  test.slow();
  const report = await start(page, 'Monthly executive');
  await open(page, `${report}?${monthQuery(month)}&part=9`);
  await expectAccessibleEverywhere(page);
  await expectToFitEverywhere(page);
  await open(page, '/t/meadow/reports');
  await expectAccessibleEverywhere(page);
  await expectToFitEverywhere(page);
});
