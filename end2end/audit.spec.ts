// The audit log by pages alone, with and without JavaScript: find what was done, look at one event and its seal, take the
// log out, and say for how long details are kept.

import { readFileSync } from 'node:fs';
import {
  expect,
  expectAccessible,
  expectAccessibleEverywhere,
  expectToFitEverywhere,
  open,
  signIn,
  test,
} from './fixtures.ts';
import { email, importers } from './people.mjs';

/** A tenant of the project's own: the two projects run at the same time and must not see each other's events. */
const own = (project: { name: string }) => importers.find(({ slug }) => slug === `importer-${project.name}`)!;

test('an event is found by filters, looked at with before and after, and is sealed within seconds', async ({ page, scriptless }, { project }) => {
  test.slow();
  const { slug } = own(project);
  await signIn(page, email(own(project), 'owner'));
  await page.request.post(`/t/${slug}/targets`, {
    form: { kpi: 'reach', aim: 'all', amount: '7000' },
    headers: { origin: new URL(process.env.RTV_E2E_URL!).origin },
    maxRedirects: 0,
  });
  await open(page, `/t/${slug}/dashboard`);
  await page.getByRole('link', { name: 'Audit log' }).first().click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Audit log');
  await expect(page.getByRole('region', { name: 'Events, newest first' })).toBeVisible();
  if (!scriptless) await expectAccessibleEverywhere(page);
  await expectToFitEverywhere(page);

  await page.getByLabel('Action').selectOption('target.set');
  await page.getByLabel('Who').fill(email(own(project), 'owner'));
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(/action=target\.set/);
  const rows = page.locator('tbody tr[data-action]');
  await expect(rows.first()).toHaveAttribute('data-action', 'target.set');
  for (const row of await rows.all()) await expect(row).toHaveAttribute('data-action', 'target.set');

  await rows.first().getByRole('link', { name: 'target.set' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('target.set');
  await expect(page.getByRole('heading', { name: 'Before and after' })).toBeVisible();
  await expect(page.locator('.c-diff')).toContainText('7000');
  // The worker beside the server seals every other second.
  await expect(async () => {
    await page.reload();
    await expect(page.getByText('Hash of the chain')).toBeVisible({ timeout: 1_000 });
  }).toPass({ timeout: 20_000 });
  if (!scriptless) await expectAccessible(page);
  await expectToFitEverywhere(page);
});

test('what cannot be a filter is named, and what was typed is kept', async ({ page, complaints }, { project }) => {
  complaints.allow(/status (of )?422/);
  const { slug } = own(project);
  await signIn(page, email(own(project), 'admin'));
  expect(await open(page, `/t/${slug}/audit?address=here&actor=dana`)).toBe(422);
  await expect(page.getByText('Use an address like 203.0.113.9 or 2001:db8::1.').first()).toBeVisible();
  await expect(page.getByLabel('Address')).toHaveValue('here');
  await expect(page.getByLabel('Who')).toHaveValue('dana');
  await page.getByLabel('Address').fill('203.0.113.77');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByText('No event matches')).toBeVisible();
});

test('the log is taken out as JSON lines and as CSV', async ({ page }, { project }) => {
  const { slug } = own(project);
  await signIn(page, email(own(project), 'admin'));
  await open(page, `/t/${slug}/audit`);
  const take = async (name: string) => {
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).click()]);
    return { name: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') };
  };
  const lines = await take('Export JSON lines');
  expect(lines.name).toBe(`${slug}-audit.jsonl`);
  expect(lines.text).toMatch(/^\{"kind":"audit-log"/);
  expect(lines.text).toMatch(/\n\{"kind":"end",[^\n]*\}\n$/);
  const csv = await take('Export CSV');
  expect(csv.name).toBe(`${slug}-audit.csv`);
  expect(csv.text).toMatch(/^seq,id,occurred_at,/);
});

test('for how long details are kept is set by a form that says what it does not take', async ({ page }, { project }) => {
  const { slug } = own(project);
  await signIn(page, email(own(project), 'owner'));
  await open(page, `/t/${slug}/audit`);
  const days = page.getByLabel('Days');
  await days.fill('200');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Details are now kept for 200 days.')).toBeVisible();
  await expect(days).toHaveValue('200');
  // The browser itself refuses less than thirty; the server is asked past it.
  await days.evaluate((field: HTMLInputElement) => field.form!.setAttribute('novalidate', ''));
  await days.fill('7');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Use a whole number of days from 30 to 3650.').first()).toBeVisible();
  await expect(days).toHaveValue('7');
});

test('an editor is told which permission the log needs', async ({ page, complaints }, { project }) => {
  complaints.allow(/status (of )?403/);
  const { slug } = own(project);
  await signIn(page, email(own(project), 'editor'));
  expect(await open(page, `/t/${slug}/audit`)).toBe(403);
  await expect(page.getByText('audit:read')).toBeVisible();
  await expect(page.getByRole('link', { name: 'Audit log' })).toHaveCount(0);
});
