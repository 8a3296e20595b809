// pictures.mjs FOLDER: the pictures that the documentation shows, taken of a seeded server of its own with the whole
// demo. The import is one of the research data beside the checkout.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { chromium } from '@playwright/test';
import { demo, liveSellersFile } from '../end2end/people.mjs';
import { startServer } from '../end2end/server.mjs';

const folder = process.argv[2] ?? 'docs/pictures';
await mkdir(folder, { recursive: true });
const server = await startServer([]);
const browser = await chromium.launch({
  executablePath: process.env.CHROME_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
});
try {
  const page = await browser.newPage({
    viewport: { width: 1280, height: 860 },
    colorScheme: 'light',
    reducedMotion: 'reduce',
  });
  const shoot = async (name) => {
    await page.waitForLoadState('networkidle');
    await page.screenshot({ path: path.join(folder, `${name}.png`) });
  };
  await page.goto(`${server.url}/sign-in`);
  await page.fill('[name=email]', `owner@${demo.showcase}.example`);
  await page.fill('[name=password]', demo.password);
  await page.click('form button[type=submit]');
  await page.goto(`${server.url}/t/${demo.showcase}/dashboard?range=90d&grain=week`);
  await shoot('dashboard');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto(`${server.url}/t/${demo.showcase}/dashboard?range=90d&grain=week`);
  await shoot('dashboard-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(`${server.url}/t/${demo.showcase}/imports`);
  await page.setInputFiles('[name=file]', liveSellersFile);
  await page.getByRole('button', { name: 'Upload' }).click();
  await page.getByRole('button', { name: 'Check the whole file' }).click();
  await page.getByText('Ready to import').first().waitFor({ timeout: 60_000 });
  await shoot('import');
} finally {
  await browser.close();
  await server.stop();
}
