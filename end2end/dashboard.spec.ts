// The dashboard over a real file: its figures equal the file's, its filters live in the address, each figure
// leads to the posts that make it up, and the chart is a picture before it is anything else.

import type { Locator, Page } from '@playwright/test';
import { expect, expectAccessibleEverywhere, expectToFitEverywhere, open, signIn, test, widths } from './fixtures.ts';
import { accountsOf, figuresOf, monthQuery, needLiveSellers, type Figures } from './live-sellers.ts';
import { email, tenants } from './people.mjs';

const [meadow, harbour] = tenants;
const dashboard = '/t/meadow/dashboard';

test.beforeEach(async ({ page }) => {
  needLiveSellers();
  await signIn(page, email(meadow!, 'viewer'));
});

function card(page: Page, kpi: string): Locator {
  return page.locator(`article[data-kpi="${kpi}"]`);
}

async function expectFigures(page: Page, { posts, engagements }: Figures): Promise<void> {
  await expect(card(page, 'engagements')).toHaveAttribute('data-value', String(engagements));
  await expect(card(page, 'published')).toHaveAttribute('data-value', String(posts));
}

/** A month of a period of one's own, through the form. */
async function choose(page: Page, from: string, to: string): Promise<void> {
  await page.getByLabel('Period').selectOption('custom');
  await page.getByLabel('From', { exact: true }).fill(from);
  await page.getByLabel('To', { exact: true }).fill(to);
}

async function apply(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Apply' }).click();
}

async function query(page: Page): Promise<URLSearchParams> {
  return new URL(page.url()).searchParams;
}

/** A number as the table shows it. */
function shown(text: string): number {
  return Number(text.replaceAll(',', ''));
}

test.describe('figures', () => {
  // The busiest, quiet ones, the first and the last, and a February of 29 days.
  for (const month of ['2012-07', '2013-02', '2015-06', '2016-02', '2017-12', '2018-04', '2018-06']) {
    test(`those of ${month} equal the file`, async ({ page }) => {
      await open(page, `${dashboard}?${monthQuery(month)}`);
      const file = figuresOf(month);
      expect(file.posts).toBeGreaterThan(0);
      await expectFigures(page, file);
    });
  }

  test('those of one account equal its lines of the file, and the accounts add up', async ({ page }) => {
    let engagements = 0;
    for (const account of accountsOf('2018-04')) {
      await open(page, `${dashboard}?${monthQuery('2018-04')}`);
      await page.locator('#field-account > summary').click();
      await page.getByRole('checkbox', { name: account }).check();
      await apply(page);
      await expect.poll(async () => (await query(page)).getAll('account')).toHaveLength(1);
      await expectFigures(page, figuresOf('2018-04', account));
      engagements += figuresOf('2018-04', account).engagements;
    }
    expect(engagements).toBe(figuresOf('2018-04').engagements);
  });

  test('what the file does not hold is missing with its reason, and never 0', async ({ page }) => {
    await open(page, `${dashboard}?${monthQuery('2018-04')}`);
    await expect(page.locator('article[data-kpi]')).toHaveCount(10);
    for (const kpi of ['reach', 'impressions', 'engagement_rate', 'follower_growth', 'sentiment', 'conversions', 'revenue', 'roi']) {
      const one = card(page, kpi);
      await expect(one, kpi).toHaveAttribute('data-value', '');
      await expect(one, kpi).toContainText('—');
      await expect(one.getByRole('link'), `${kpi} leads nowhere`).toHaveCount(0);
    }
    await expect(card(page, 'reach')).toContainText('None of the posts in this period reports reach (Facebook).');
  });

  // A rise and a fall; a month against the days before it would be no month, a year ago it is.
  for (const [month, before] of [['2017-03', '2016-03'], ['2015-03', '2014-03']] as const) {
    test(`the change from ${before} to ${month} is what the file gives`, async ({ page }) => {
      await open(page, `${dashboard}?${monthQuery(month)}&compare=year`);
      const [now, then] = [figuresOf(month).engagements, figuresOf(before).engagements];
      const percent = ((Math.abs(now - then) / then) * 100).toFixed(1);
      const delta = card(page, 'engagements').locator('.c-kpi__delta');
      await expect(delta).toContainText(now > then ? `+${percent}%` : `−${percent}%`);
      await expect(delta).toHaveAttribute('data-judgement', now > then ? 'better' : 'worse');
      await expect(card(page, 'engagements').locator('.c-kpi__sentence')).toContainText(` than ${then.toLocaleString('en-US')} in `);
    });
  }
});

test('the form changes period and comparison, and the address holds them', async ({ page }) => {
  await open(page, `${dashboard}?${monthQuery('2018-03')}`);
  await choose(page, '2018-04-01', '2018-04-30');
  await page.getByLabel('Compare with').selectOption('none');
  await apply(page);
  await expectFigures(page, figuresOf('2018-04'));
  const address = await query(page);
  expect(Object.fromEntries(address)).toEqual({ range: 'custom', from: '2018-04-01', to: '2018-04-30', compare: 'none' });
  await expect(page.locator('.c-kpi__change')).toHaveCount(0);
  await expect(page.getByLabel('Compare with')).toHaveValue('none');

  // The address alone says it all: another visit finds the same.
  await open(page, page.url());
  await expectFigures(page, figuresOf('2018-04'));
  await expect(page.getByLabel('From', { exact: true })).toHaveValue('2018-04-01');
});

test('a platform and an account are chosen, told by the form, and taken back', async ({ page }) => {
  const account = accountsOf('2018-04')[0]!;
  await open(page, `${dashboard}?${monthQuery('2018-04')}`);
  await page.locator('#field-platform > summary').click();
  await page.getByRole('checkbox', { name: 'Facebook' }).check();
  await page.locator('#field-account > summary').click();
  await page.getByRole('checkbox', { name: account }).check();
  await apply(page);
  await expectFigures(page, figuresOf('2018-04', account));
  expect((await query(page)).get('platform')).toBe('facebook');
  await expect(page.locator('#field-account > summary')).toContainText(account);
  await expect(page.locator('#field-platform > summary')).toContainText('Facebook');

  await page.locator('#field-account > summary').click();
  await page.getByRole('checkbox', { name: account }).uncheck();
  await apply(page);
  await expectFigures(page, figuresOf('2018-04'));
  expect((await query(page)).has('account')).toBe(false);
});

test('back and forward bring form and figures along', async ({ page }) => {
  await open(page, `${dashboard}?${monthQuery('2018-03')}`);
  await choose(page, '2018-04-01', '2018-04-30');
  await page.getByLabel('Compare with').selectOption('year');
  await apply(page);
  await expectFigures(page, figuresOf('2018-04'));
  await choose(page, '2018-05-01', '2018-05-31');
  await apply(page);
  await expectFigures(page, figuresOf('2018-05'));

  const expectState = async (month: string, compare: string) => {
    await expectFigures(page, figuresOf(month));
    await expect(page.getByLabel('From', { exact: true })).toHaveValue(`${month}-01`);
    await expect(page.getByLabel('Compare with')).toHaveValue(compare);
    expect((await query(page)).get('from')).toBe(`${month}-01`);
  };
  await page.goBack();
  await expectState('2018-04', 'year');
  await page.goBack();
  await expectState('2018-03', 'previous');
  await page.goForward();
  await expectState('2018-04', 'year');
  await page.goForward();
  await expectState('2018-05', 'year');
});

test('filters are applied without loading the page again @js', async ({ page }) => {
  await open(page, `${dashboard}?${monthQuery('2018-03')}`);
  await page.evaluate(() => Object.assign(window, { isTheSamePage: true }));
  await choose(page, '2018-04-01', '2018-04-30');
  await apply(page);
  await expectFigures(page, figuresOf('2018-04'));
  expect(await page.evaluate(() => 'isTheSamePage' in window)).toBe(true);
});

test('the days are asked for only with a period of one’s own', async ({ page }) => {
  await open(page, `${dashboard}?range=90d`);
  await expect(page.getByLabel('From', { exact: true })).toBeHidden();
  await page.getByLabel('Period').selectOption('custom');
  await expect(page.getByLabel('From', { exact: true })).toBeVisible();
  await expect(page.getByLabel('To', { exact: true })).toBeVisible();
});

test('a figure leads to its posts, whose sum it is on the last page as on the first', async ({ page }) => {
  test.slow();
  const file = figuresOf('2018-04');
  await open(page, `${dashboard}?${monthQuery('2018-04')}`);
  await card(page, 'engagements').getByRole('link').click();
  await expect(page).toHaveURL(new RegExp('/t/meadow/posts\\?'));
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Posts');
  await expect(page.getByLabel('From', { exact: true })).toHaveValue('2018-04-01');

  const seen = new Set<string>();
  let sum = 0;
  for (;;) {
    await expect(page.locator('tr[data-row="total"] [data-kpi="engagements"]')).toHaveAttribute('data-value', String(file.engagements));
    const rows = await page
      .locator('tbody tr[data-row]')
      .evaluateAll((all) =>
        all.map((row) => [row.getAttribute('data-row')!, row.querySelector('[data-kpi="engagements"]')!.getAttribute('data-value')!] as const),
      );
    expect(rows.length).toBeGreaterThan(0);
    for (const [id, engagements] of rows) {
      expect(seen.has(id), `${id} stands on two pages`).toBe(false);
      seen.add(id);
      sum += Number(engagements);
    }
    const older = page.getByRole('link', { name: 'Older' });
    if ((await older.count()) === 0) break;
    const last = rows.at(-1)![0];
    await older.click();
    await expect(page.locator(`tr[data-row="${last}"]`)).toHaveCount(0);
  }
  expect({ posts: seen.size, engagements: sum }).toEqual(file);

  await page.getByRole('link', { name: 'Newest' }).click();
  await expect(page).not.toHaveURL(/after=/);
  await page.locator('main').getByRole('link', { name: 'Dashboard' }).click();
  await expectFigures(page, file);
});

test.describe('trend', () => {
  test('a drawn picture and a table stand in the page', async ({ page, scriptless }) => {
    await open(page, `${dashboard}?${monthQuery('2018-04')}`);
    const chart = page.getByRole('figure');
    const picture = chart.locator('.c-chart__image');
    await expect.poll(() => picture.evaluate((image: HTMLImageElement) => image.complete && image.naturalWidth)).toBeGreaterThan(300);
    await expect(picture).toHaveAttribute('alt', /lowest .+ highest .+/);
    if (scriptless) await expect(picture).toBeVisible();

    await chart.locator('summary', { hasText: 'View data' }).click();
    const rows = chart.locator('tbody tr');
    await expect(rows).toHaveCount(30);
    await expect(rows.first()).toBeVisible();
    const values = await rows.locator('td:nth-child(2)').allInnerTexts();
    expect(values.map(shown).reduce((sum, value) => sum + value, 0)).toBe(figuresOf('2018-04').engagements);
  });

  test('the picture is drawn for the theme and the width', async ({ page }) => {
    const source = () => page.locator('figure .c-chart__image').evaluate((image: HTMLImageElement) => image.currentSrc);
    await page.emulateMedia({ colorScheme: 'dark' });
    await open(page, `${dashboard}?${monthQuery('2018-04')}`);
    expect(await source()).toContain('theme=dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(source).toContain('theme=light');
    expect(await source()).toContain('width=1120');
    await page.setViewportSize({ width: 800, height: 800 });
    await expect.poll(source).toContain('width=720');
    await page.setViewportSize({ width: 375, height: 800 });
    await expect.poll(source).toContain('width=400');
  });

  test('another metric and another step are shown, and the filters keep them', async ({ page }) => {
    await open(page, `${dashboard}?${monthQuery('2018-04')}`);
    await page.getByLabel('Metric').selectOption('published');
    await page.getByRole('button', { name: 'Show' }).click();
    const chart = page.getByRole('figure');
    await expect(chart.getByRole('heading')).toHaveText('Content published by day');
    await page.getByRole('navigation', { name: 'Step' }).getByRole('link', { name: 'Week' }).click();
    await expect(chart.getByRole('heading')).toHaveText('Content published by week');
    const address = await query(page);
    expect([address.get('metric'), address.get('grain'), address.get('from')]).toEqual(['published', 'week', '2018-04-01']);
    await chart.locator('summary', { hasText: 'View data' }).click();
    const values = await chart.locator('tbody tr td:nth-child(2)').allInnerTexts();
    expect(values.map(shown).reduce((sum, value) => sum + value, 0)).toBe(figuresOf('2018-04').posts);
    // 1 April 2018 is a Sunday, 30 April a Monday.
    await expect(chart.locator('tbody tr').first()).toContainText('1 of 7 days');
    await expect(chart.locator('tbody tr').last()).toContainText('1 of 7 days');

    await choose(page, '2018-05-01', '2018-05-31');
    await apply(page);
    await expectFigures(page, figuresOf('2018-05'));
    await expect(chart.getByRole('heading')).toHaveText('Content published by week');
  });

  test('a live chart takes the picture’s place without moving anything @js', async ({ page }) => {
    await page.addInitScript(() => {
      const shifts = ((window as unknown as { shifts: number[] }).shifts = []) as number[];
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) shifts.push((entry as unknown as { value: number }).value);
      }).observe({ type: 'layout-shift', buffered: true });
    });
    for (const width of widths) {
      await page.setViewportSize({ width, height: 900 });
      await page.goto(`${dashboard}?${monthQuery('2018-04')}`);
      const canvas = page.locator('.c-chart__canvas');
      await canvas.scrollIntoViewIfNeeded();
      const before = await canvas.boundingBox();
      await expect(canvas.locator('.c-chart__live svg')).toBeVisible();
      await expect(canvas.locator('.c-chart__image')).toBeHidden();
      expect(await canvas.boundingBox(), `${width} px`).toEqual(before);
      const live = await canvas.locator('.c-chart__live svg').boundingBox();
      expect(Math.abs(live!.height - before!.height), `${width} px`).toBeLessThanOrEqual(1);
      const moved = await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts.reduce((sum, shift) => sum + shift, 0));
      expect(moved, `layout shift at ${width} px`).toBeLessThan(0.01);
    }
  });

  test('the chart library is loaded where a chart is, after everything else @js', async ({ page }) => {
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await open(page, '/me/sessions');
    await open(page, '/t/meadow/posts?range=7d');
    expect(asked.filter((url) => /echarts/.test(url))).toEqual([]);
    // On a telephone the chart stands far below the first screen: who does not go there does not load it.
    await page.setViewportSize({ width: 375, height: 700 });
    await open(page, `${dashboard}?${monthQuery('2018-04')}`);
    expect(asked.filter((url) => /echarts/.test(url))).toEqual([]);
    await page.locator('.c-chart__canvas').scrollIntoViewIfNeeded();
    await expect(page.locator('.c-chart__live svg')).toBeVisible();
    expect(asked.filter((url) => /echarts/.test(url))).toHaveLength(1);
    const [loaded, began] = await page.evaluate(() => {
      const [page] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
      const library = performance.getEntriesByType('resource').find((one) => one.name.includes('echarts'));
      return [page!.loadEventStart, library!.startTime];
    });
    expect(began).toBeGreaterThanOrEqual(loaded!);
  });
});

test.describe('refused filters', () => {
  test('days in the wrong order are refused at their field, and what was typed stays', async ({ page, complaints }) => {
    complaints.allow(/status of 422/);
    await open(page, `${dashboard}?${monthQuery('2018-04')}`);
    await choose(page, '2018-05-01', '2018-04-30');
    await apply(page);
    const summary = page.getByRole('alert').filter({ hasText: 'There is a problem' });
    await expect(summary).toBeFocused();
    await expect(page.getByLabel('To', { exact: true })).toHaveAccessibleDescription(/not before 2018-05-01/);
    await expect(page.getByLabel('From', { exact: true })).toHaveValue('2018-05-01');
    await expect(page.getByLabel('To', { exact: true })).toHaveValue('2018-04-30');
    await expect(page.locator('article[data-kpi]')).toHaveCount(0);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Executive dashboard');
    await expect(page).toHaveTitle(/^Error: /);

    await summary.getByRole('link').click();
    await expect(page.getByLabel('To', { exact: true })).toBeFocused();
    await page.getByLabel('To', { exact: true }).fill('2018-05-31');
    await apply(page);
    await expectFigures(page, figuresOf('2018-05'));
  });

  for (const [what, refused] of [
    ['a day that is none', 'range=custom&from=2018-02-30&to=2018-03-01'],
    ['half a period', 'range=custom&from=2018-02-01'],
    ['an unknown comparison', 'compare=mood'],
    ['an account that is none', 'account=acc_1'],
  ]) {
    for (const place of ['dashboard', 'posts']) {
      test(`${what} is answered by ${place} with 422 and the form`, async ({ page, complaints }) => {
        complaints.allow(/status of 422/);
        expect(await open(page, `/t/meadow/${place}?${refused}`)).toBe(422);
        await expect(page.getByText('There is a problem')).toBeVisible();
        await expect(page.getByRole('button', { name: 'Apply' })).toBeVisible();
        await expect(page.locator('[data-kpi]')).toHaveCount(0);
      });
    }
  }
});

test('a period without posts says where there are some, and leads there', async ({ page }) => {
  await open(page, `${dashboard}?${monthQuery('2010-01')}`);
  await expect(page.locator('article[data-kpi]')).toHaveCount(0);
  await expect(page.getByText('The data reaches from Jul 15, 2012 to Jun 13, 2018.')).toBeVisible();
  await page.getByRole('link', { name: 'Show Jun 2018' }).click();
  await expectFigures(page, figuresOf('2018-06'));
});

test('posts of which only the month is known are counted in whole months', async ({ page }) => {
  await signIn(page, email(harbour!, 'viewer'));
  await open(page, '/t/harbour/dashboard?range=custom&from=2014-01-01&to=2014-12-31');
  await expect(card(page, 'published')).toHaveAttribute('data-value', '500');
  await open(page, '/t/harbour/dashboard?range=custom&from=2014-01-01&to=2014-12-30');
  await expect(page.getByText(/posts are not counted: of them only the month is known/)).toBeVisible();
  await expect(card(page, 'published')).not.toHaveAttribute('data-value', '500');
});

test('three months by day print on two pages, without the long table @js', async ({ page }) => {
  await open(page, `${dashboard}?range=custom&from=2018-03-01&to=2018-05-31&grain=day`);
  const paper = (await page.pdf({ format: 'A4' })).toString('latin1');
  expect(paper.match(/\/Type\s*\/Page\b/g)).toHaveLength(2);
});

const pages = {
  figures: `${dashboard}?${monthQuery('2018-04')}`,
  'an empty period': `${dashboard}?${monthQuery('2010-01')}`,
  'refused filters': `${dashboard}?range=custom&from=2018-05-01&to=2018-04-01`,
  posts: `/t/meadow/posts?${monthQuery('2018-04')}`,
  'no posts': `/t/meadow/posts?${monthQuery('2010-01')}`,
};

for (const [what, address] of Object.entries(pages)) {
  test(`${what}: the page fits every width`, async ({ page, complaints }) => {
    complaints.allow(/status of 422/);
    await open(page, address);
    await expectToFitEverywhere(page);
  });

  test(`${what}: the page is accessible, light and dark @js`, async ({ page, complaints }) => {
    test.slow();
    complaints.allow(/status of 422/);
    await open(page, address);
    await expectAccessibleEverywhere(page);
  });
}
