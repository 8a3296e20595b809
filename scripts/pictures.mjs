// pictures.mjs FOLDER: the pictures that the documentation shows, taken of a seeded server of its own. They need the
// research data beside the checkout, because an empty dashboard shows nothing.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { chromium } from '@playwright/test';
import { email, imports, password, tenants } from '../end2end/people.mjs';
import { startServer } from '../end2end/server.mjs';

const folder = process.argv[2] ?? 'docs/pictures';
if (imports.length === 0) throw new Error('the research data does not lie beside the checkout; there is nothing to show');
await mkdir(folder, { recursive: true });
const server = await startServer();
const browser = await chromium.launch({
  executablePath: process.env.CHROME_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
});
try {
  const tenant = tenants.find(({ slug }) => imports.some((one) => one.tenant === slug)) ?? tenants[0];
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 }, colorScheme: 'light' });
  await page.goto(`${server.url}/sign-in`);
  await page.fill('[name=email]', email(tenant, 'owner'));
  await page.fill('[name=password]', password);
  await page.click('form button[type=submit]');
  await page.goto(`${server.url}/t/${tenant.slug}/dashboard?range=custom&from=2018-04-01&to=2018-04-30`);
  await page.waitForLoadState('networkidle');
  await page.screenshot({ path: path.join(folder, 'dashboard.png') });
} finally {
  await browser.close();
  await server.stop();
}
