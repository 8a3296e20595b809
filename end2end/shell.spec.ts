// The shell around every page: switching tenants, what a person chooses for themselves, finding one's way by palette,
// search and keys, and what is said to people who listen.

import type { Locator, Page } from '@playwright/test';
import { expect, expectAccessibleEverywhere, expectToFitEverywhere, open, signIn, test } from './fixtures.ts';
import { needLiveSellers } from './live-sellers.ts';
import { email, moreTenants, tenants } from './people.mjs';

const [meadow] = tenants;
const dashboard = '/t/meadow/dashboard';

const switcher = (page: Page): Locator => page.locator('summary', { hasText: 'Organisation:' });
const account = (page: Page): Locator => page.locator('summary', { hasText: 'Your account' });
const palette = (page: Page): Locator => page.getByRole('dialog', { name: 'Find and go to' });
const combobox = (page: Page): Locator => palette(page).getByRole('combobox');
const heading = (page: Page): Locator => page.getByRole('heading', { level: 1 });

test.describe('the switcher', () => {
  test.beforeEach(async ({ page }, { project }) => {
    await signIn(page, `many-tenants@${project.name}.example`);
  });

  test('names role and plan, marks where one is, and keeps the page and its period', async ({ page }) => {
    await open(page, '/t/meadow/posts?range=90d&compare=year&platform=facebook');
    await switcher(page).click();
    await expect(page.getByRole('link', { name: /Meadow Goods/ })).toHaveAttribute('aria-current', 'true');
    const alder = page.getByRole('link', { name: /Alder Books/ });
    await expect(alder).toContainText('Viewer');
    await expect(alder).toContainText('Professional');
    await expect(alder).not.toHaveAttribute('aria-current', /.*/);
    await alder.click();
    await expect(page).toHaveURL('/t/alder/posts?range=90d&compare=year');
    await expect(heading(page)).toHaveText('Posts');
    await expect(switcher(page)).toContainText('Alder Books');
  });

  test('finds a tenant by a part of its name', async ({ page, scriptless }) => {
    await open(page, dashboard);
    await switcher(page).click();
    const field = page.getByRole('searchbox', { name: 'Find an organisation' });
    await field.fill('ced');
    if (!scriptless) {
      await expect(page.getByRole('link', { name: /Cedar Rooms/ })).toBeVisible();
      await expect(page.getByRole('link', { name: /Alder Books/ })).toBeHidden();
      await field.fill('nobody');
      await expect(page.getByText('No organisation of yours has this name.')).toBeVisible();
      await field.fill('CEDAR');
    }
    await field.press('Enter');
    if (scriptless) {
      await expect(page).toHaveURL('/search?tenant=meadow&q=ced');
      await page.locator('main').getByRole('link', { name: /Cedar Rooms/ }).click();
    }
    await expect(page).toHaveURL('/t/cedar/dashboard');
  });

  test('opens a tenant in a window of its own', async ({ page, context }) => {
    await open(page, dashboard);
    await switcher(page).click();
    const opened = context.waitForEvent('page');
    await page.getByRole('link', { name: /Birch Cycles/ }).click({ modifiers: ['ControlOrMeta'] });
    const other = await opened;
    await expect(other).toHaveURL('/t/birch/dashboard');
    await expect(page).toHaveURL(dashboard);
  });

  test('open with many tenants it fits every width', async ({ page }) => {
    await open(page, dashboard);
    await switcher(page).click();
    await expect(page.getByRole('link', { name: new RegExp(moreTenants.at(-1)!.name) })).toBeVisible();
    await expectToFitEverywhere(page);
  });

  test('open it is accessible, light and dark @js', async ({ page }) => {
    test.slow();
    await open(page, dashboard);
    await switcher(page).click();
    await expectAccessibleEverywhere(page);
  });
});

test.describe('preferences', () => {
  // One person for all of them, so they take turns.
  test.describe.configure({ mode: 'serial' });

  test.beforeEach(async ({ page }, { project }) => {
    await signIn(page, `preferences@${project.name}.example`);
  });

  async function choose(page: Page, label: string, option: string): Promise<void> {
    await account(page).click();
    const loaded = page.waitForEvent('load');
    await page.getByRole('group', { name: label }).getByRole('button', { name: option, exact: true }).click();
    await loaded;
  }

  const canvas = (page: Page): Promise<string> => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

  test('a theme is chosen, leads back to the page, and is there in the first HTML', async ({ page }) => {
    const address = '/t/meadow/posts?range=90d';
    await page.emulateMedia({ colorScheme: 'light' });
    await open(page, address);
    const light = await canvas(page);
    await choose(page, 'Theme', 'Dark');
    await expect(page).toHaveURL(address);
    await expect(page.getByRole('status')).toHaveText('The theme is dark on all your devices.');
    expect(await canvas(page)).not.toBe(light);
    await account(page).click();
    await expect(page.getByRole('button', { name: 'Dark', exact: true })).toHaveAttribute('aria-pressed', 'true');
    const html = await (await page.request.get('/me/sessions')).text();
    expect(html).toContain('<html lang="en" data-theme="dark"');
    await open(page, address);
    await choose(page, 'Theme', 'System');
    expect(await canvas(page)).toBe(light);
  });

  test('compact rows are 32 pixels high and comfortable ones 44', async ({ page }) => {
    const height = () => page.locator('main thead + tbody tr').first().evaluate((row) => getComputedStyle(row.querySelector('td')!).blockSize);
    // The page is in the shell of the tenant that was seen last.
    await open(page, dashboard);
    await open(page, '/me/sessions');
    await choose(page, 'Density', 'Compact');
    expect(parseFloat(await height())).toBeLessThan(40);
    await choose(page, 'Density', 'Comfortable');
    expect(parseFloat(await height())).toBeGreaterThanOrEqual(44);
  });

  test('without single keys only keys with Ctrl act @js', async ({ page }) => {
    await open(page, dashboard);
    await choose(page, 'Single-key shortcuts', 'Off');
    await page.waitForLoadState('networkidle');
    for (const key of ['?', '/', 'g', 'p']) await page.keyboard.press(key);
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await expect(page).toHaveURL(dashboard);
    await page.keyboard.press('Control+k');
    await expect(combobox(page)).toBeFocused();
    await page.keyboard.press('Escape');
    await choose(page, 'Single-key shortcuts', 'On');
  });
});

test.describe('crumbs, search and help', () => {
  test.beforeEach(async ({ page }) => {
    await signIn(page, email(meadow!, 'viewer'));
  });

  test('every page of the shell says where it is', async ({ page }) => {
    for (const [address, name] of [
      [dashboard, 'Dashboard'],
      ['/t/meadow/posts', 'Posts'],
      ['/me/sessions', 'Sessions'],
      ['/search', 'Search'],
      ['/help/keyboard', 'Keyboard shortcuts'],
    ] as const) {
      await open(page, address);
      await expect(page.getByRole('navigation', { name: 'Breadcrumbs' }).locator('[aria-current="page"]')).toHaveText(name);
    }
  });

  test('the search finds pages by their names, and says when there is none', async ({ page, scriptless }) => {
    await open(page, dashboard);
    if (scriptless) await page.getByRole('link', { name: 'Search' }).click();
    else await open(page, '/search?tenant=meadow');
    await page.getByRole('searchbox', { name: 'Find a page or an organisation' }).fill('posts');
    await page.getByRole('button', { name: 'Search' }).click();
    await expect(page).toHaveURL('/search?tenant=meadow&q=posts');
    await expect(page.getByText('1 result for “posts”.')).toBeVisible();
    await page.getByRole('searchbox').fill('harbour tea');
    await page.getByRole('button', { name: 'Search' }).click();
    await expect(page.getByText('Nothing is called “harbour tea”')).toBeVisible();
    await expect(page.locator('main')).toContainText('It does not look into posts');
  });

  test('the help lists the keys', async ({ page }) => {
    await open(page, dashboard);
    await account(page).click();
    await page.getByRole('link', { name: 'Keyboard shortcuts' }).click();
    await expect(page).toHaveURL('/help/keyboard');
    await expect(page.getByRole('row', { name: /Dashboard/ })).toContainText('G D');
    await expect(page.getByRole('group', { name: 'Single-key shortcuts' })).toBeVisible();
  });

  for (const address of ['/search?q=s', '/search?q=nothing', '/help/keyboard']) {
    test(`${address} fits every width`, async ({ page }) => {
      await open(page, address);
      await expectToFitEverywhere(page);
    });

    test(`${address} is accessible, light and dark @js`, async ({ page }) => {
      test.slow();
      await open(page, address);
      await expectAccessibleEverywhere(page);
    });
  }

  test('the person’s menu is accessible, light and dark, and fits @js', async ({ page }) => {
    test.slow();
    await open(page, '/t/meadow/posts');
    await account(page).click();
    await expectAccessibleEverywhere(page);
    await expectToFitEverywhere(page);
  });
});

test.describe('the palette @js', () => {
  test.beforeEach(async ({ page }) => {
    await signIn(page, email(meadow!, 'viewer'));
    await open(page, dashboard);
  });

  test('reaches any page in two keystrokes and a word', async ({ page }) => {
    for (const [word, address] of [
      ['posts', '/t/meadow/posts'],
      ['sess', '/me/sessions'],
      ['keyb', '/help/keyboard'],
      ['dash', dashboard],
    ] as const) {
      await page.keyboard.press('Control+k');
      await page.keyboard.type(word);
      await page.keyboard.press('Enter');
      await expect(page).toHaveURL(address);
      await expect(palette(page)).toHaveCount(0);
      await expect(heading(page)).toBeFocused();
    }
  });

  test('is a combobox: arrows choose, the choice is told, and only what one may see is there', async ({ page }) => {
    await page.keyboard.press('Control+k');
    await expect(combobox(page)).toBeFocused();
    const options = palette(page).getByRole('option');
    await expect(options).toHaveText([/Dashboard/, /Targets/, /Content/, /Deliveries/, /Accounts/, /Posts/, /Competitors/, /Reports/, /Profile/, /Sessions/, /Keyboard shortcuts/]);
    const chosen = async () => {
      const id = await combobox(page).getAttribute('aria-activedescendant');
      await expect(palette(page).locator('[aria-selected="true"]')).toHaveAttribute('id', id!);
      return palette(page).locator(`#${id}`).innerText();
    };
    expect(await chosen()).toContain('Dashboard');
    await page.keyboard.press('ArrowDown');
    expect(await chosen()).toContain('Targets');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    expect(await chosen()).toContain('Keyboard shortcuts');
    await page.keyboard.type('p');
    expect(await chosen()).toContain('Posts');
    await page.keyboard.type('zzz');
    await expect(options).toHaveCount(0);
    await expect(combobox(page)).toHaveAttribute('aria-expanded', 'false');
    await expect(palette(page)).toContainText('Nothing is called this');
  });

  test('gives the focus back when it is closed', async ({ page }) => {
    const search = page.getByRole('banner').getByRole('link', { name: 'Search' });
    await search.focus();
    await page.keyboard.press('Enter');
    await expect(combobox(page)).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(palette(page)).toHaveCount(0);
    await expect(search).toBeFocused();
    await search.click();
    await page.mouse.click(5, 5);
    await expect(palette(page)).toHaveCount(0);
    await expect(page).toHaveURL(dashboard);
  });

  test('remembers what was open in this window until one signs out', async ({ page }) => {
    await page.keyboard.press('g');
    await page.keyboard.press('p');
    await expect(heading(page)).toHaveText('Posts');
    await page.keyboard.press('Control+k');
    await expect(palette(page).getByRole('group', { name: 'Recent' }).getByRole('option')).toHaveText([/Dashboard · Meadow Goods/]);
    await page.keyboard.press('Escape');
    await account(page).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await expect(heading(page)).toHaveText('Sign in');
    await expect.poll(() => page.evaluate(() => sessionStorage.length)).toBe(0);
  });

  test('is accessible, light and dark, found and not found, and fits', async ({ page }) => {
    test.slow();
    await page.keyboard.press('Control+k');
    await expectAccessibleEverywhere(page);
    await expectToFitEverywhere(page);
    await page.keyboard.type('zzz');
    await expectAccessibleEverywhere(page);
  });
});

test.describe('keys @js', () => {
  test.beforeEach(async ({ page }) => {
    await signIn(page, email(meadow!, 'viewer'));
    await open(page, `${dashboard}?range=custom&from=2018-04-01&to=2018-04-30`);
  });

  test('? lists the keys over the page, and Escape leaves them', async ({ page }) => {
    test.slow();
    await page.keyboard.press('?');
    const keys = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
    await expect(keys.getByRole('row', { name: /Posts/ })).toContainText('G P');
    await expectAccessibleEverywhere(page);
    await expectToFitEverywhere(page);
    await page.keyboard.press('Escape');
    await expect(keys).toHaveCount(0);
    await page.keyboard.press('?');
    await keys.getByRole('button', { name: 'Close' }).click();
    await expect(keys).toHaveCount(0);
  });

  test('/ opens the palette, g and a letter go to a page', async ({ page }) => {
    await page.keyboard.press('/');
    await expect(combobox(page)).toBeFocused();
    await expect(combobox(page)).toHaveValue('');
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.keyboard.press('p');
    await expect(page).toHaveURL('/t/meadow/posts');
    await expect(heading(page)).toBeFocused();
    await page.keyboard.press('g');
    await page.keyboard.press('d');
    await expect(page).toHaveURL(dashboard);
  });

  test('brackets step through periods and x takes the comparison away and back', async ({ page }) => {
    needLiveSellers();
    const from = () => new URL(page.url()).searchParams.get('from');
    await page.keyboard.press('[');
    await expect.poll(from).toBe('2018-03-01');
    await expect(page.getByLabel('To', { exact: true })).toHaveValue('2018-03-31');
    await page.keyboard.press(']');
    await expect.poll(from).toBe('2018-04-01');
    await page.keyboard.press('x');
    await expect(page).toHaveURL(/compare=none/);
    await expect(page.locator('.c-kpi__change')).toHaveCount(0);
    await page.keyboard.press('x');
    await expect(page.locator('.c-kpi__change').first()).toBeVisible();
  });

  test('j and k walk through the rows of a list', async ({ page }) => {
    needLiveSellers();
    await open(page, '/t/meadow/posts?range=custom&from=2018-04-01&to=2018-04-30');
    const rows = page.locator('main tbody tr');
    await page.keyboard.press('j');
    await expect(rows.nth(0)).toBeFocused();
    await page.keyboard.press('j');
    await expect(rows.nth(1)).toBeFocused();
    await page.keyboard.press('k');
    await page.keyboard.press('k');
    await expect(rows.nth(0)).toBeFocused();
  });

  test('no key acts while one types, and Ctrl+Enter sends the form', async ({ page }) => {
    await page.getByLabel('Compare with').focus();
    for (const key of ['?', '/', '[', 'x', 'j']) await page.keyboard.press(key);
    await expect(page.getByRole('dialog')).toHaveCount(0);
    expect(new URL(page.url()).searchParams.get('from')).toBe('2018-04-01');
    await page.getByLabel('From', { exact: true }).fill('2018-03-01');
    await page.getByLabel('To', { exact: true }).fill('2018-03-31');
    await page.keyboard.press('Control+Enter');
    await expect.poll(() => new URL(page.url()).searchParams.get('from')).toBe('2018-03-01');
  });

  test('who listens is told of another page, and of other figures at most every five seconds', async ({ page }) => {
    const polite = page.locator('#live-polite');
    await expect(polite).toHaveAttribute('aria-live', 'polite');
    await expect(page.locator('#live-assertive')).toHaveAttribute('aria-live', 'assertive');
    await page.keyboard.press('g');
    await page.keyboard.press('p');
    await expect(polite).toHaveText('Posts · Meadow Goods · RTV');
    await page.keyboard.press('g');
    await page.keyboard.press('d');
    await expect(heading(page)).toHaveText('Executive dashboard');
    await expect(polite).toHaveText('Posts · Meadow Goods · RTV');
    await expect(polite).toHaveText('Dashboard · Meadow Goods · RTV', { timeout: 7_000 });
  });
});

test('periods are stepped through by links as well', async ({ page }) => {
  await signIn(page, email(meadow!, 'viewer'));
  await open(page, `${dashboard}?range=custom&from=2018-04-01&to=2018-04-30&compare=year`);
  await page.getByRole('link', { name: /^Earlier/ }).click();
  await expect(page).toHaveURL(`${dashboard}?range=custom&from=2018-03-01&to=2018-03-31&compare=year`);
  await expect(page.getByLabel('From', { exact: true })).toHaveValue('2018-03-01');
  await open(page, dashboard);
  await expect(page.getByRole('link', { name: /^Later/ })).toHaveCount(0);
});
