// The `test` of every browser test: a page that tolerates nothing on the console, no refused script or style,
// no request that fails, and the checks that several journeys share.

import AxeBuilder from '@axe-core/playwright';
import { test as base, expect, type BrowserContext, type Page } from '@playwright/test';
import { password } from './people.mjs';

export { expect };

/** What happened on a page that should not have. A test that provokes something says so with `allow`. */
export class Complaints {
  private readonly found: string[] = [];
  private readonly allowed: RegExp[] = [];

  add(complaint: string): void {
    this.found.push(complaint);
  }

  /** For a test that is about a refusal: complaints that match are expected. */
  allow(pattern: RegExp): void {
    this.allowed.push(pattern);
  }

  get unexpected(): string[] {
    return this.found.filter((complaint) => !this.allowed.some((pattern) => pattern.test(complaint)));
  }
}

function listen(context: BrowserContext, complaints: Complaints, scriptless: boolean): void {
  context.on('console', (message) => {
    // The program is fetched ahead for the script that runs it; without JavaScript there is none.
    if (scriptless && /was preloaded using link preload but not used/.test(message.text())) return;
    // Also what a content security policy refuses arrives here, as an error.
    complaints.add(`console ${message.type()}: ${message.text()} (${message.location().url})`);
  });
  context.on('weberror', (error) => complaints.add(`page error: ${error.error().message}`));
  context.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText ?? 'unknown';
    // A page that is left gives up what it was still loading; that is the browser's ordinary way. Without
    // JavaScript Chromium calls every script that it does not load refused; a policy of ours that refuses
    // one also writes to the console.
    const ordinary = reason === 'net::ERR_ABORTED' || (scriptless && reason === 'csp');
    if (!ordinary) complaints.add(`request failed: ${request.url()} ${reason}`);
  });
  context.on('response', (response) => {
    const kind = response.request().resourceType();
    if (response.status() >= 400 && kind !== 'document') {
      complaints.add(`status ${response.status()}: ${response.url()} (${kind})`);
    }
  });
}

interface Fixtures {
  complaints: Complaints;
  /** A page of another browser, which shares nothing with the first. */
  otherPage: Page;
  /** True in the project without JavaScript. */
  scriptless: boolean;
}

export const test = base.extend<Fixtures>({
  baseURL: async ({}, use) => {
    const url = process.env.RTV_E2E_URL;
    if (!url) throw new Error('RTV_E2E_URL is unset: the tests run through `make e2e`');
    await use(url);
  },
  scriptless: async ({ javaScriptEnabled }, use) => use(javaScriptEnabled === false),
  complaints: [
    async ({ context, scriptless }, use) => {
      const complaints = new Complaints();
      listen(context, complaints, scriptless);
      await use(complaints);
      expect(complaints.unexpected, 'The browser complained').toEqual([]);
    },
    { auto: true },
  ],
  otherPage: async ({ browser, complaints, scriptless }, use) => {
    const context = await browser.newContext();
    listen(context, complaints, scriptless);
    await use(await context.newPage());
    await context.close();
  },
});

/** Signs the page's browser in without the form, which sign_in.spec.ts is about. */
export async function signIn(page: Page, email: string, secret = password): Promise<void> {
  const answer = await page.request.post('/sign-in', {
    form: { email, password: secret, next: '/me/sessions' },
    headers: { origin: new URL(process.env.RTV_E2E_URL!).origin },
    maxRedirects: 0,
  });
  expect(answer.headers().location, `${email} is let in`).toBe('/me/sessions');
}

/** Goes to a page and waits until its program runs and has nothing to load any more. */
export async function open(page: Page, address: string): Promise<number> {
  const answer = await page.goto(address, { waitUntil: 'networkidle' });
  return answer?.status() ?? 0;
}

/** Widths that every page is looked at in: telephone, tablet, desk. */
export const widths = [375, 768, 1440] as const;

/** Fails on any finding of axe on the page as it is. axe is a script: only for pages with JavaScript. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const findings = violations.map(({ id, help, nodes }) => `${id}: ${help} at ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
  expect(findings, `axe on ${page.url()}`).toEqual([]);
}

/** axe in light and dark at every width. */
export async function expectAccessibleEverywhere(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of widths) {
      await page.setViewportSize({ width, height: 900 });
      await test.step(`axe, ${colorScheme}, ${width} px`, () => expectAccessible(page));
    }
  }
}

/** No sideways scrolling at any width, the narrowest that the page is made for included. */
export async function expectToFitEverywhere(page: Page): Promise<void> {
  for (const width of [320, ...widths]) {
    await page.setViewportSize({ width, height: 900 });
    await test.step(`${width} px`, () => expectNoSidewaysScroll(page));
  }
}

/** No part of the page may be wider than the window. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const excess = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(excess, 'pixels that stick out to the right').toBe(0);
}
