// How the browser tests run: Debian's Chromium, one server for all of them (global-setup.ts), every test
// with JavaScript and, unless it says otherwise, without. Tests choose light or dark with `colorScheme`.

import { defineConfig } from '@playwright/test';

const chromium = {
  executablePath: process.env.CHROME_PATH ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox', // Chromium refuses to start as root otherwise; only our own server is visited.
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};

const alone = /maintenance\.spec\.ts/;

export default defineConfig({
  testDir: '.',
  outputDir: 'test-results',
  globalSetup: './global-setup.ts',
  workers: 2,
  fullyParallel: true,
  // A test that passes only at the second try is a fault, here or in the program.
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  timeout: 30_000,
  expect: { timeout: 5_000 },
  reporter: [['list'], ['html', { outputFolder: 'report', open: 'never' }]],
  use: {
    launchOptions: chromium,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin', // Not the servers', not UTC: a zone taken from the browser shows.
    reducedMotion: 'reduce',
    screenshot: 'only-on-failure',
    // Without a film of every test, which costs a third of a processor; pages stand in a trace all the same.
    trace: { mode: 'retain-on-failure', screenshots: false, snapshots: true, sources: false },
  },
  projects: [
    { name: 'hydrated', testIgnore: alone },
    // Tests that are about scripts carry the tag @js in their name.
    { name: 'no-js', use: { javaScriptEnabled: false }, grepInvert: /@js/, testIgnore: alone },
    // What holds for everybody must not meet another test. To run these alone: --no-deps.
    { name: 'hydrated-alone', testMatch: alone, fullyParallel: false, dependencies: ['hydrated', 'no-js'] },
    {
      name: 'no-js-alone',
      testMatch: alone,
      use: { javaScriptEnabled: false },
      grepInvert: /@js/,
      dependencies: ['hydrated-alone'],
    },
  ],
});
