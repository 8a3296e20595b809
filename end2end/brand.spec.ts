// A tenant's own colour: on its pages and on no others, also when one changes over without loading a page.

import type { Page } from '@playwright/test';
import { expect, expectAccessibleEverywhere, open, signIn, test } from './fixtures.ts';
import { brand, email, tenants } from './people.mjs';

/** Hue of the accent that is in force. */
async function hue(page: Page): Promise<string | undefined> {
  const token = await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--color-accent'));
  return /oklch\([\d.]+ [\d.]+ ([\d.]+)\)/.exec(token)?.[1];
}

test('a tenant with a colour of its own has accessible pages, light and dark @js', async ({ page }) => {
  test.slow();
  await signIn(page, email(brand.tenant, 'owner'));
  await open(page, `/t/${brand.tenant.slug}/dashboard?range=custom&from=2014-01-01&to=2014-12-31`);
  expect(await hue(page)).toBe(`${brand.hue}.0`);
  await expectAccessibleEverywhere(page);
});

test('the colour comes and goes with the tenant @js', async ({ page }, { project }) => {
  await signIn(page, `two-tenants@${project.name}.example`);
  for (const tenant of [tenants[0]!, brand.tenant, tenants[0]!, brand.tenant]) {
    if (page.url() === 'about:blank') await open(page, `/t/${tenant.slug}/dashboard`);
    else {
      await page.locator('summary', { hasText: 'Organisation:' }).click();
      await page.getByRole('link', { name: new RegExp(tenant.name) }).first().click();
      await expect(page).toHaveURL(new RegExp(`/t/${tenant.slug}/`));
      await expect(page.locator('summary', { hasText: 'Organisation:' })).toContainText(tenant.name);
    }
    await expect.poll(() => hue(page)).toBe(tenant.slug === brand.tenant.slug ? `${brand.hue}.0` : '264');
  }
});
