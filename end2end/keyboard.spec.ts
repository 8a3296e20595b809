// Everything by keyboard alone, with scripts and without: the skip link, the order of the tabs, menus, and that one
// always sees where one is.

import type { Page } from '@playwright/test';
import { expect, open, signIn, test } from './fixtures.ts';
import { figuresOf, monthQuery, needLiveSellers } from './live-sellers.ts';
import { email, password, tenants } from './people.mjs';

const [meadow] = tenants;
const viewer = email(meadow!, 'viewer');

interface Focused {
  name: string;
  isInMain: boolean;
  hasRing: boolean;
  isInSight: boolean;
}

/** What has the focus, and whether a person sees it. */
function focused(page: Page): Promise<Focused> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLElement;
    const ring = (pseudo?: string) => {
      const style = getComputedStyle(element, pseudo);
      return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    };
    // A link that covers its card draws the ring around the card.
    const box = element.getBoundingClientRect();
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return {
      name: element.getAttribute('aria-label') ?? element.innerText?.trim().replace(/\s+/g, ' ') ?? element.getAttribute('name') ?? '',
      isInMain: element.closest('main') !== null,
      hasRing: ring() || ring('::after'),
      isInSight: box.width > 0 && box.height > 0 && box.top >= 0 && box.bottom <= innerHeight && top !== null && (element.contains(top) || top.contains(element)),
    };
  });
}

async function tabTo(page: Page, name: string, most = 60): Promise<Focused[]> {
  const way: Focused[] = [];
  while (way.length < most) {
    await page.keyboard.press('Tab');
    way.push(await focused(page));
    if (way.at(-1)!.name === name) return way;
  }
  throw new Error(`${name} is not reached in ${most} tabs: ${way.map((one) => one.name).join(' | ')}`);
}

test('signing in needs no pointer', async ({ page }) => {
  await open(page, '/sign-in');
  await page.keyboard.press('Tab');
  await expect(page.getByLabel('Work email')).toBeFocused();
  await page.keyboard.type(viewer);
  await page.keyboard.press('Tab');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/t/meadow/dashboard');
});

test.describe('on the dashboard', () => {
  test.beforeEach(async ({ page }) => {
    needLiveSellers();
    await signIn(page, viewer);
    await open(page, `/t/meadow/dashboard?${monthQuery('2018-04')}`);
  });

  test('the skip link comes first, is seen when it has the focus, and leads past the bars', async ({ page }) => {
    const skip = page.getByRole('link', { name: 'Skip to content' });
    await page.keyboard.press('Tab');
    await expect(skip).toBeFocused();
    expect(await focused(page)).toMatchObject({ hasRing: true, isInSight: true });
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await focused(page)).toMatchObject({ isInMain: true });
    await expect(page.getByLabel('Period')).toBeFocused();
    // The first thing that is not skipped would be the product's sign.
    await expect(page).toHaveURL(/from=2018-04-01.*#main$/);
  });

  for (const width of [375, 1440]) {
    test(`tabs lead through filters and figures in order, always in sight, at ${width} px`, async ({ page }) => {
      await page.setViewportSize({ width, height: 800 });
      const way = await tabTo(page, 'Apply');
      expect(way[0]!.name).toBe('Skip to content');
      way.push(...(await tabTo(page, 'Show')));
      for (const one of way) {
        expect(one, one.name).toMatchObject({ hasRing: true });
        expect(one, one.name).toMatchObject({ isInSight: true });
      }
      // What each figure is, then the figure's posts, in the order of the page.
      const figures = way.map((one) => one.name).filter((name) => /^What is|see the posts/.test(name));
      expect(figures.findIndex((name) => name.startsWith('What is Engagements'))).toBeLessThan(figures.findIndex((name) => name.includes('Engagements: see the posts')));
    });
  }

  test('the filters are changed and applied', async ({ page }) => {
    await page.getByLabel('From', { exact: true }).fill('2018-05-01');
    await page.getByLabel('To', { exact: true }).fill('2018-05-31');
    await page.getByLabel('Compare with').focus();
    await page.keyboard.press('ArrowDown');
    const compare = await page.getByLabel('Compare with').inputValue();
    expect(compare).not.toBe('previous');
    await tabTo(page, 'Apply');
    await page.keyboard.press('Enter');
    await expect(page.locator('article[data-kpi="engagements"]')).toHaveAttribute('data-value', String(figuresOf('2018-05').engagements));
    expect(new URL(page.url()).searchParams.get('compare')).toBe(compare);
  });

  test('an account is chosen from its menu', async ({ page }) => {
    await page.locator('#field-account > summary').focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    const box = page.locator('#field-account [type="checkbox"]').first();
    await expect(box).toBeFocused();
    await page.keyboard.press('Space');
    await expect(box).toBeChecked();
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(/account=acc_/);
  });

  test('the person’s menu opens and leads to the sessions', async ({ page }) => {
    await page.locator('summary', { hasText: 'Your account' }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await expect(page.getByRole('link', { name: 'Profile' })).toBeFocused();
    await page.keyboard.press('Tab');
    await expect(page.getByRole('link', { name: 'Sessions' })).toBeFocused();
    expect(await focused(page)).toMatchObject({ hasRing: true, isInSight: true });
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL('/me/sessions');
  });

  test('Escape closes a menu and stays at its button @js', async ({ page }) => {
    const button = page.locator('summary', { hasText: 'Your account' });
    await button.focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await expect(page.getByRole('link', { name: 'Profile' })).toBeFocused();
    await page.keyboard.press('Tab');
    await expect(page.getByRole('link', { name: 'Sessions' })).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(button).toBeFocused();
    await expect(page.getByRole('link', { name: 'Sessions' })).toBeHidden();
  });

  test('a menu closes when the focus leaves it @js', async ({ page }) => {
    await page.locator('#field-account > summary').focus();
    await page.keyboard.press('Enter');
    await expect(page.locator('#field-account fieldset')).toBeVisible();
    await tabTo(page, 'Apply');
    await expect(page.locator('#field-account fieldset')).toBeHidden();
  });

  test('who changes a filter stays where they are @js', async ({ page }) => {
    await page.getByLabel('Compare with').selectOption('year');
    await tabTo(page, 'Apply');
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(/compare=year/);
    await expect(page.locator('.c-page-header__subtitle')).toContainText('2017');
    await expect(page.getByRole('button', { name: 'Apply' })).toBeFocused();
  });

  test('a change of page takes the focus to its heading @js', async ({ page }) => {
    await page.getByRole('navigation', { name: 'Main', exact: true }).getByRole('link', { name: 'Posts' }).focus();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('heading', { level: 1, name: 'Posts' })).toBeFocused();
  });
});
