// What several journeys need to be somebody: the links of mails, the form of the sign-in, the codes of a second factor.

import { createHmac } from 'node:crypto';
import type { Browser, Page } from '@playwright/test';
import { expect, signIn } from './fixtures.ts';
import { staff } from './people.mjs';

/** A password that nobody has yet. */
export const fresh = 'copper lantern sixty otters';

/** The address of the link in the newest mail to somebody, read by staff in a browser of their own. */
export async function linkTo(browser: Browser, to: string): Promise<string> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await signIn(page, staff);
  await page.goto('/staff/mail');
  await page.locator('tbody tr').filter({ hasText: to }).first().getByRole('link').click();
  const link = page.locator('.c-mail-text a');
  await expect(link).toHaveCount(1);
  const address = (await link.getAttribute('href'))!;
  await context.close();
  return address;
}

export async function fillSignIn(page: Page, address: string, secret: string): Promise<void> {
  await page.getByLabel('Work email').fill(address);
  await page.getByLabel('Password').fill(secret);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** The code that an authenticator app shows: RFC 6238 with SHA-1, six digits, thirty seconds. */
export function totp(key: string, steps = 0): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...key].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const bytes = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const digest = createHmac('sha1', bytes).update(counter).digest();
  const offset = digest[19]! & 15;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}
