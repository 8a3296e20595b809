// The gallery of components, which only staff see: every state of every component in both densities, light and dark. What
// is not accessible or does not fit there fails here before a page uses it.

import { expect, expectAccessible, expectToFitEverywhere, open, signIn, test, widths } from './fixtures.ts';
import { staff } from './people.mjs';

const sheets = ['parts', 'confirm', 'confirm-refused', 'sign-in', 'choose', 'error-403', 'error-404', 'error-422', 'error-429', 'error-500', 'error-503'];

for (const density of ['comfortable', 'compact']) {
  for (const sheet of sheets) {
    const address = `/staff/gallery?show=${sheet}&density=${density}`;

    test(`${sheet}, ${density}: it fits every width`, async ({ page }) => {
      await signIn(page, staff);
      expect(await open(page, address)).toBe(200);
      await expectToFitEverywhere(page);
    });

    test(`${sheet}, ${density}: it is accessible, light and dark @js`, async ({ page }) => {
      test.slow();
      await signIn(page, staff);
      for (const theme of ['light', 'dark']) {
        await open(page, `${address}&theme=${theme}`);
        for (const width of widths) {
          await page.setViewportSize({ width, height: 900 });
          await test.step(`axe, ${theme}, ${width} px`, () => expectAccessible(page));
        }
      }
    });
  }
}

test('a link of a row takes the whole row, and its button still answers for itself @js', async ({ page }) => {
  await signIn(page, staff);
  await open(page, '/staff/gallery');
  const row = page.locator('#posts').locator('xpath=ancestor::table').locator('tbody tr').first();
  const hit = async (x: number) => {
    const box = (await row.boundingBox())!;
    return page.evaluate(([left, top]) => document.elementFromPoint(left!, top!)?.closest('a, button')?.tagName, [box.x + x * box.width, box.y + box.height / 2]);
  };
  await row.scrollIntoViewIfNeeded();
  expect(await hit(0.5)).toBe('A');
  const button = row.getByRole('button');
  await expect(button).toBeVisible();
  await button.click({ trial: true });
});

test('a matrix keeps its first column in sight and can be scrolled with the keyboard @js', async ({ page }) => {
  await page.setViewportSize({ width: 375, height: 800 });
  await signIn(page, staff);
  await open(page, '/staff/gallery');
  const region = page.getByRole('region', { name: 'Switches by client and platform' });
  await region.focus();
  const first = region.locator('tbody th').first();
  const before = (await first.boundingBox())!.x;
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => region.evaluate((element) => element.scrollLeft)).toBeGreaterThan(0);
  expect(Math.round((await first.boundingBox())!.x)).toBe(Math.round(before));
});

test('staff land on their console @js', async ({ page }) => {
  await signIn(page, staff);
  await open(page, '/');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Staff console');
  await page.getByRole('link', { name: 'Components of the pages' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Components');
});
