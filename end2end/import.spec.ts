// A file becomes figures, and is taken back: by pages alone, with and without JavaScript.

import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import {
  expect,
  expectAccessible,
  expectAccessibleEverywhere,
  expectToFitEverywhere,
  open,
  signIn,
  test,
} from './fixtures.ts';
import { needLiveSellers } from './live-sellers.ts';
import { email, importers, liveSellersFile, tenants } from './people.mjs';

const [meadow] = tenants;

/** A tenant of the project's own: imports of the two projects run at the same time and must not meet. */
const own = (project: { name: string }, kind = 'importer') => importers.find(({ slug }) => slug === `${kind}-${project.name}`)!;

interface File {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

const csv = (name: string, text: string | Buffer): File => ({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });

/** Windows-1252, for letters that it shares with Latin 1. */
const windows1252 = (text: string) => Buffer.from(text, 'latin1');

/** As a German spreadsheet saves it: semicolons, a decimal comma, and days of which nobody can say what comes first. */
const german = (run: string) =>
  windows1252(
    [
      'Datum;Beitrags-ID;Beitragstext;Reichweite;Kommentare;Umsatz',
      `03/04/2026 09:30;${run}-1;Grüße aus Köln;1200;14;"1234,50"`,
      `05/06/2026 18:00;${run}-2;Schöne Tage;900;7;"80,25"`,
      `07/08/2026 12:15;${run}-3;Übermorgen;450;2;"12,75"`,
      '07/08/2026 12:30;;Ohne Kennung;10;0;"1,00"',
    ].join('\r\n'),
  );

async function upload(page: Page, slug: string, file: File | string): Promise<void> {
  await open(page, `/t/${slug}/imports`);
  await page.getByLabel('File', { exact: true }).setInputFiles(file);
  await page.getByRole('button', { name: 'Upload' }).click();
}

/** The state that the badge beside the heading names; a page without a script loads itself again meanwhile. */
async function expectState(page: Page, state: string): Promise<void> {
  await expect(page.locator('.c-page-header .c-badge')).toHaveText(state, { timeout: 60_000 });
}

async function expectCounts(page: Page, counts: Record<string, number>): Promise<void> {
  for (const [key, count] of Object.entries(counts)) {
    await expect(page.locator(`[data-count="${key}"]`), key).toHaveAttribute('data-value', String(count));
  }
}

const card = (page: Page, kpi: string) => page.locator(`article[data-kpi="${kpi}"]`);

test('a file that RTV knows: uploaded, checked, imported, looked at and taken back', async ({ page }, { project }) => {
  test.slow();
  needLiveSellers();
  const { slug, zone } = own(project, 'first');
  await signIn(page, email(own(project, 'first'), 'editor'));

  // Nothing is there yet, and the page says what is needed.
  await open(page, `/t/${slug}/imports`);
  await expect(page.getByText('Nothing has been imported yet')).toBeVisible();
  await expectToFitEverywhere(page);

  await upload(page, slug, liveSellersFile);
  await expect(page).toHaveURL(new RegExp(`/t/${slug}/imports/imp_[0-9a-f]{32}$`));
  await expectState(page, 'Uploaded');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('facebook_live_sellers_th.csv');
  await expect(page.getByLabel('Zone of the times')).toHaveValue(zone);
  await expect(page.getByRole('radio', { name: 'Keep the first row' })).toBeChecked();
  const preview = page.getByRole('region', { name: 'The first rows as they will be stored' });
  await expect(preview.locator('tbody tr')).toHaveCount(20);
  await expectToFitEverywhere(page);
  await page.getByRole('button', { name: 'Check the whole file' }).click();

  await expectState(page, 'Ready to import');
  await expectCounts(page, { read: 7050, new: 6997, changed: 0, unchanged: 0, duplicate: 53, refused: 0 });
  await expect(page.getByText(/on 9 accounts, all of them new/)).toBeVisible();
  await expectToFitEverywhere(page);
  // Nothing is stored before it is asked for.
  const checked = page.url();
  await open(page, `/t/${slug}/dashboard?range=custom&from=2018-04-01&to=2018-04-30`);
  await expect(page.locator('article[data-kpi]')).toHaveCount(0);
  await open(page, checked);
  await page.getByRole('button', { name: 'Import 6,997 posts' }).click();

  await expectState(page, 'Done');
  await expectCounts(page, { new: 6997, duplicate: 53 });
  await page.getByRole('link', { name: 'See the figures' }).click();
  await expect(card(page, 'published')).toHaveAttribute('data-value', '6997');

  await open(page, `/t/${slug}/imports`);
  const row = page.locator('tbody tr[data-state="done"]').first();
  await expect(row).toContainText('6,997 new, 53 duplicate');
  await row.getByRole('link', { name: 'Roll back facebook_live_sellers_th.csv…' }).click();
  await expect(page.getByText('6,997 posts that the import added go away, with their figures.')).toBeVisible();
  await expectToFitEverywhere(page);
  await page.getByRole('button', { name: 'Roll back 6,997 posts' }).click();
  await expectState(page, 'Rolled back');
  await open(page, `/t/${slug}/dashboard?range=custom&from=2018-04-01&to=2018-04-30`);
  await expect(page.locator('article[data-kpi]')).toHaveCount(0);
});

test('a file of one’s own: what can be read in two ways is asked, and the answer is kept under a name', async ({ page, complaints }, { project }) => {
  test.slow();
  complaints.allow(/status (of )?422/);
  const { slug } = own(project);
  const run = `own-${project.name}`;
  await signIn(page, email(own(project), 'admin'));
  await upload(page, slug, csv('märz.csv', german(run)));
  await expectState(page, 'Uploaded');
  await expect(page.getByText(/Read as windows-1252 with semicolon/i)).toBeVisible();
  await expect(page.getByLabel('Meaning of Datum')).toHaveValue('published_at');
  await expect(page.getByLabel('Meaning of Reichweite')).toHaveValue('reach');

  // Without an answer it is asked again at its place, and what was chosen stays.
  await page.getByLabel('Meaning of Kommentare').selectOption('');
  await page.getByRole('button', { name: 'Check the whole file' }).click();
  const summary = page.getByRole('alert').filter({ hasText: 'There is a problem' });
  await expect(summary).toBeFocused();
  await expect(page).toHaveTitle(/^Error: /);
  await expect(page.getByLabel('Meaning of Kommentare')).toHaveValue('');
  await expectToFitEverywhere(page);
  await summary.getByRole('link').first().click();
  await expect(page.locator(':focus')).toHaveAttribute('name', /date_order|platform|account/);

  await page.getByRole('radio', { name: /day first/ }).check();
  await page.getByLabel(/On which platform/).selectOption('instagram');
  await page.getByLabel(/To which account/).selectOption('new');
  await page.getByLabel('New account').fill(`koeln_${project.name}`);
  await page.getByLabel('Meaning of Kommentare').selectOption('comments');
  await page.getByLabel(/Save these columns under a name/).fill(`Monatsbericht ${project.name}`);
  await page.getByRole('button', { name: 'Update the preview' }).click();
  // What was chosen is the address: it can be loaded again.
  await expect(page).toHaveURL(/date_order=day_first/);
  await page.reload();
  await expect(page.getByRole('radio', { name: /day first/ })).toBeChecked();
  const preview = page.getByRole('region', { name: 'The first rows as they will be stored' });
  const first = preview.locator('tbody tr').first();
  await expect(first).toContainText('Apr 3, 2026, 09:30');
  await expect(first).toContainText('Grüße aus Köln');
  await expect(first).toContainText('1,234.50');
  await expect(preview.locator('tbody tr').nth(3)).toContainText('Refused');
  await page.getByRole('button', { name: 'Check the whole file' }).click();

  await expectState(page, 'Ready to import');
  await expectCounts(page, { read: 4, new: 3, refused: 1 });
  const refused = await page.request.get(new URL(page.url()).pathname + '/refused.csv');
  expect(refused.headers()['content-disposition']).toContain('attachment');
  const text = await refused.text();
  expect(text).toContain('Ohne Kennung');
  expect(text).toContain('rtv_reason');
  await page.getByRole('button', { name: 'Import 3 posts' }).click();
  await expectState(page, 'Done');
  await page.getByRole('link', { name: 'See the figures' }).click();
  await expect(card(page, 'published')).toHaveAttribute('data-value', '3');
  await expect(card(page, 'revenue')).toHaveAttribute('data-value', '1327.5');

  // The same file again asks nothing: the saved mapping fits, and nothing changes.
  await upload(page, slug, csv('märz.csv', german(run)));
  await expect(page.getByLabel('Read the columns by')).toHaveValue(`saved:Monatsbericht ${project.name}`);
  await expect(page.getByText(/The very same file was imported on/)).toBeVisible();
  await page.getByRole('button', { name: 'Check the whole file' }).click();
  await expectState(page, 'Ready to import');
  await expectCounts(page, { new: 0, changed: 0, unchanged: 3, refused: 1 });
  await page.getByRole('button', { name: 'Discard this file' }).click();
  await expectState(page, 'Cancelled');

  await open(page, `/t/${slug}/imports/mappings`);
  const saved = page.locator('tbody tr', { hasText: `Monatsbericht ${project.name}` });
  await saved.getByLabel(/New name of/).fill(`Monthly ${project.name}`);
  await saved.getByRole('button', { name: /^Rename/ }).click();
  await expect(page.getByRole('status')).toContainText(`Monthly ${project.name}`);
  await expectToFitEverywhere(page);
  await page.getByRole('button', { name: `Delete Monthly ${project.name}` }).click();
  await expect(page.getByRole('status')).toContainText('is deleted');
});

test('a later import has to be rolled back first', async ({ page }, { project }) => {
  test.slow();
  const { slug } = own(project);
  const file = (reach: number) =>
    csv('page.csv', `platform,account_id,post_id,published_at,reach\nx,later-${project.name},p1,2026-03-01T10:00:00Z,${reach}\n`);
  await signIn(page, email(own(project), 'owner'));
  const addresses: string[] = [];
  for (const reach of [100, 200]) {
    await upload(page, slug, file(reach));
    await page.getByRole('button', { name: 'Check the whole file' }).click();
    await expectState(page, 'Ready to import');
    await page.getByRole('button', { name: 'Import 1 post' }).click();
    await expectState(page, 'Done');
    addresses.push(page.url());
  }
  await open(page, `${addresses[0]}/roll-back`);
  await page.getByRole('button', { name: 'Roll back 1 post' }).click();
  await expect(page.getByRole('alert')).toContainText('roll that back first');
  await expectState(page, 'Done');
  for (const address of addresses.reverse()) {
    await open(page, `${address}/roll-back`);
    await page.getByRole('button', { name: 'Roll back 1 post' }).click();
    await expectState(page, 'Rolled back');
  }
});

test('a check and an import show how far they are, and can be cancelled', async ({ page }, { project }) => {
  test.slow();
  const { slug } = own(project);
  const rows = Array.from({ length: 400_000 }, (_, index) => `x,long-${project.name},p${index},2026-03-01T10:00:00Z,${index % 977}`);
  await signIn(page, email(own(project), 'editor'));
  await upload(page, slug, csv('long.csv', `platform,account_id,post_id,published_at,reach\n${rows.join('\n')}\n`));
  await page.getByRole('button', { name: 'Check the whole file' }).click();
  await expect(page.getByRole('progressbar')).toBeVisible();
  await expectToFitEverywhere(page);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expectState(page, 'Cancelled');
  await expect(page.getByText('Nothing was stored, and the file is gone.')).toBeVisible();
});

test.describe('files that are none', () => {
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex');
  for (const [what, file, words] of [
    ['a picture under another name', csv('picture.csv', png), /not|is no|picture|text/i],
    ['an empty file', csv('empty.csv', ''), /empty/i],
    ['a header and nothing else', csv('header.csv', 'platform,account_id,post_id,published_at\n'), /header|rows?/i],
  ] as const) {
    test(`${what} is refused at once, with the reason`, async ({ page, complaints }, { project }) => {
      complaints.allow(/status (of )?422/);
      const { slug } = own(project);
      await signIn(page, email(own(project), 'editor'));
      await upload(page, slug, file);
      const summary = page.getByRole('alert').filter({ hasText: 'There is a problem' });
      await expect(summary).toContainText(words);
      await expect(page).toHaveURL(new RegExp(`/t/${slug}/imports`));
      await summary.getByRole('link').click();
      await expect(page.getByLabel('File', { exact: true })).toBeFocused();
      await open(page, `/t/${slug}/imports`);
      await expect(page.locator('tbody tr', { hasText: file.name })).toHaveCount(0);
    });
  }

  test('no file at all is refused with what to do', async ({ page, complaints }, { project }) => {
    complaints.allow(/status (of )?422/);
    const { slug } = own(project);
    await signIn(page, email(own(project), 'editor'));
    await open(page, `/t/${slug}/imports`);
    await page.getByRole('button', { name: 'Upload' }).click();
    await expect(page.getByRole('alert')).toContainText('Choose a file first.');
  });
});

test('the sample file goes in as it is', async ({ page }, { project }) => {
  const { slug } = own(project);
  await signIn(page, email(own(project), 'editor'));
  const sample = await page.request.get(`/t/${slug}/imports/sample.csv`);
  expect(sample.headers()['content-type']).toContain('text/csv');
  await upload(page, slug, csv('sample.csv', await sample.body()));
  await page.getByRole('button', { name: 'Check the whole file' }).click();
  await expectState(page, 'Ready to import');
  await expectCounts(page, { read: 4, new: 4, refused: 0 });
});

test('tabs and UTF-16, as a spreadsheet saves “Unicode text”, are read without being asked', async ({ page }, { project }) => {
  const { slug } = own(project);
  const text = [
    'platform\taccount_id\tpost_id\tpublished_at\treach\ttext',
    `x\tutf16-${project.name}\tp1\t2026-03-01T10:00:00Z\t100\tДобрый день, 你好`,
  ].join('\r\n');
  await signIn(page, email(own(project), 'editor'));
  await upload(page, slug, csv('unicode.txt', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])));
  await expect(page.getByText(/Read as UTF-16.* with tab/i)).toBeVisible();
  await expect(page.getByRole('region', { name: 'The first rows as they will be stored' })).toContainText('Добрый день, 你好');
  await page.getByRole('button', { name: 'Check the whole file' }).click();
  await expectState(page, 'Ready to import');
  await expectCounts(page, { read: 1, new: 1, refused: 0 });
});

test('a viewer is told which permission is missing and who can grant it', async ({ page, complaints }) => {
  complaints.allow(/status of 403/);
  await signIn(page, email(meadow!, 'viewer'));
  await open(page, '/t/meadow/dashboard');
  await expect(page.getByRole('navigation', { name: 'Main', exact: true }).getByRole('link', { name: 'Imports' })).toHaveCount(0);
  expect(await open(page, '/t/meadow/imports')).toBe(403);
  await expect(page.getByText(/imports:manage/)).toBeVisible();
  await expect(page.getByText(/an owner or an admin/)).toBeVisible();
  // They are not at a loss: what they may see is still beside it.
  await expect(page.getByRole('navigation', { name: 'Main', exact: true }).getByRole('link', { name: 'Dashboard' })).toBeVisible();
  await expectToFitEverywhere(page);
});

test('every step is accessible, light and dark @js', async ({ page, complaints }, { project }) => {
  test.slow();
  test.setTimeout(240_000);
  complaints.allow(/status (of )?(403|422)/);
  const { slug } = own(project);
  await signIn(page, email(own(project), 'owner'));
  await open(page, `/t/${slug}/imports`);
  await expectAccessibleEverywhere(page);
  await upload(page, slug, csv('axe.csv', german('axe')));
  await expectState(page, 'Uploaded');
  await expectAccessibleEverywhere(page);
  await page.getByRole('button', { name: 'Check the whole file' }).click();
  await expect(page.getByText('There is a problem')).toBeVisible();
  await expectAccessible(page);
  await page.getByRole('radio', { name: /day first/ }).check();
  await page.getByLabel(/On which platform/).selectOption('instagram');
  await page.getByLabel(/To which account/).selectOption('new');
  await page.getByLabel('New account').fill('axe');
  await page.getByRole('button', { name: 'Check the whole file' }).click();
  await expectState(page, 'Ready to import');
  await expectAccessibleEverywhere(page);
  await page.getByRole('button', { name: 'Import 3 posts' }).click();
  await expectState(page, 'Done');
  await expectAccessible(page);
  await page.getByRole('link', { name: 'Roll back…' }).click();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Roll back 3 posts' }).click();
  await expectState(page, 'Rolled back');
  await expectAccessible(page);
});

test('the live sellers’ file has the figures that are promised', () => {
  needLiveSellers();
  // The journey above stands on this file; a changed one would make its numbers meaningless.
  expect(readFileSync(liveSellersFile, 'utf8').trimEnd().split('\n').length).toBe(7051);
});
