// The first page anybody sees: it answers, is usable with and without JavaScript, and complains about nothing.

import { expect, expectAccessibleEverywhere, expectNoSidewaysScroll, test, widths } from './fixtures.ts';

test('the sign-in page has a form', async ({ page }) => {
  const answer = await page.goto('/sign-in');
  expect(answer?.status()).toBe(200);
  await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
  await expect(page.getByLabel(/e-?mail/i)).toBeVisible();
  await expect(page.locator('form[method="post" i]')).not.toHaveCount(0);
});

test('the sign-in page fits every width', async ({ page }) => {
  await page.goto('/sign-in');
  for (const width of [320, ...widths]) {
    await page.setViewportSize({ width, height: 900 });
    await expectNoSidewaysScroll(page);
  }
});

test('the sign-in page is accessible, light and dark @js', async ({ page }) => {
  await page.goto('/sign-in');
  await expectAccessibleEverywhere(page);
});

test('program, styles and scripts may be kept for ever', async ({ request }) => {
  const html = await (await request.get('/sign-in')).text();
  const addresses = [...html.matchAll(/(?:href|src)="(\/(?:pkg|css|static)\/[^"]+)"/g)].map(([, address]) => address!);
  expect(addresses.length).toBeGreaterThan(0);
  for (const address of addresses) {
    const answer = await request.get(address, { headers: { 'accept-encoding': 'br' } });
    expect(answer.status(), address).toBe(200);
    expect(answer.headers()['cache-control'], address).toContain('immutable');
  }
});
