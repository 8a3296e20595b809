// Between tenants: a foreign one looks like none, and who belongs to several goes from one to the other.

import type { Page } from '@playwright/test';
import { expect, expectAccessibleEverywhere, expectToFitEverywhere, open, signIn, test } from './fixtures.ts';
import { needFile } from './live-sellers.ts';
import { cosmeticsFile, email, tenants } from './people.mjs';

const [meadow, harbour] = tenants;

/** An answer without what differs between any two: the ids that belong to the request, and the name asked for. */
async function answer(page: Page, address: string, slug: string): Promise<{ status: number; text: string; headers: string[] }> {
  const response = await page.request.get(address, { maxRedirects: 0 });
  const nonce = /'nonce-([^']+)'/.exec(response.headers()['content-security-policy'] ?? '')?.[1];
  let text = (await response.text()).replaceAll(response.headers()['x-request-id']!, 'REQUEST').replaceAll(slug, 'SLUG');
  if (nonce) text = text.replaceAll(nonce, 'NONCE');
  return { status: response.status(), text, headers: Object.keys(response.headers()).sort() };
}

test('a foreign tenant’s addresses answer as those of a tenant that does not exist', async ({ page }) => {
  await signIn(page, email(meadow!, 'owner'));
  for (const rest of ['dashboard', 'posts', 'dashboard?range=7d', 'dashboard?range=nonsense', 'charts/trend.svg', 'charts/trend.json', 'nothing']) {
    const foreign = await answer(page, `/t/harbour/${rest}`, 'harbour');
    expect(foreign.status, rest).toBe(404);
    expect(foreign, rest).toEqual(await answer(page, `/t/nowhere/${rest}`, 'nowhere'));
  }
  // Somebody who may see it gets something else: the comparison above compares what it should.
  expect((await answer(page, '/t/meadow/dashboard', 'meadow')).status).toBe(200);
});

test('a foreign tenant’s page says that there is none and how to go on', async ({ page, complaints }) => {
  complaints.allow(/status of 404/);
  await signIn(page, email(meadow!, 'owner'));
  expect(await open(page, '/t/harbour/dashboard')).toBe(404);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Page not found');
  await expect(page.locator('body')).not.toContainText('Harbour Tea');
  await page.getByRole('link', { name: 'Go to the start' }).click();
  await expect(page).toHaveURL('/t/meadow/dashboard');
});

test('who belongs to two tenants chooses one, goes over to the other, and is led there the next time', async ({ page }, { project }) => {
  needFile(cosmeticsFile);
  await signIn(page, `two-tenants@${project.name}.example`);
  await open(page, '/');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Choose an organisation');
  await page.getByRole('link', { name: 'Meadow Goods' }).click();
  await expect(page).toHaveURL('/t/meadow/dashboard');

  const switcher = page.locator('summary', { hasText: 'Organisation:' });
  await expect(switcher).toContainText('Meadow Goods');
  await switcher.click();
  await expect(page.getByRole('link', { name: /Meadow Goods/ })).toHaveAttribute('aria-current', 'true');
  await page.getByRole('link', { name: /Harbour Tea/ }).click();
  await expect(page).toHaveURL('/t/harbour/dashboard');
  await expect(switcher).toContainText('Harbour Tea');
  await expect(page).toHaveTitle('Dashboard · Harbour Tea · RTV');
  // The other tenant's accounts went with it.
  await expect(page.locator('#field-account [type="checkbox"]')).toHaveCount(1);

  await page.goto('/');
  await expect(page).toHaveURL('/t/harbour/dashboard');
});

test('who belongs to one has nothing to switch', async ({ page }) => {
  await signIn(page, email(harbour!, 'viewer'));
  await open(page, '/t/harbour/dashboard');
  await expect(page.getByRole('banner')).toContainText('Harbour Tea');
  await expect(page.locator('summary', { hasText: 'Organisation:' })).toHaveCount(0);
});

for (const [what, address, person] of [
  ['choosing', '/', 'two-tenants'],
  ['a page that is not there', '/t/nowhere/dashboard', 'one-session'],
] as const) {
  // A session of its own: none has entered a tenant yet, so the choice is offered.
  test(`${what}: the page fits every width`, async ({ page, complaints }, { project }) => {
    complaints.allow(/status of 404/);
    await signIn(page, what === 'choosing' ? `${person}@${project.name}.example` : email(meadow!, 'viewer'));
    await open(page, address);
    await expectToFitEverywhere(page);
  });

  test(`${what}: the page is accessible, light and dark @js`, async ({ page, complaints }, { project }) => {
    test.slow();
    complaints.allow(/status of 404/);
    await signIn(page, what === 'choosing' ? `${person}@${project.name}.example` : email(meadow!, 'viewer'));
    await open(page, address);
    await expectAccessibleEverywhere(page);
  });
}
