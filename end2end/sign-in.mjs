// Signs in through the form as a browser would, for programs that measure and have no browser.

import { password } from './people.mjs';

/** The first form of a page that asks for a password.
 *  @param {string} html @param {string} person */
function signInForm(html, person) {
  const form = html.match(/<form\b[^>]*>[\s\S]*?<\/form>/gi)?.find((text) => /type="?password/i.test(text));
  if (!form) throw new Error('/sign-in has no form with a password');
  /** @param {string} tag @param {string} name */
  const attribute = (tag, name) => tag.match(new RegExp(`\\b${name}="([^"]*)"`, 'i'))?.[1]?.replaceAll('&amp;', '&');
  const fields = new URLSearchParams();
  for (const input of form.match(/<input\b[^>]*>/gi) ?? []) {
    const name = attribute(input, 'name');
    if (!name) continue;
    if (/type="?password/i.test(input)) fields.set(name, password);
    else if (/e-?mail/i.test(name)) fields.set(name, person);
    else if (/type="?hidden/i.test(input)) fields.set(name, attribute(input, 'value') ?? '');
  }
  return { action: attribute(form, 'action') ?? '/sign-in', fields };
}

/** Signs in; returns the Cookie header.
 *  @param {string} url @param {string} person */
export async function signIn(url, person) {
  const { action, fields } = signInForm(await (await fetch(`${url}/sign-in`)).text(), person);
  const answer = await fetch(new URL(action, `${url}/sign-in`), {
    method: 'POST',
    body: fields,
    redirect: 'manual',
    headers: { origin: url, referer: `${url}/sign-in`, 'sec-fetch-site': 'same-origin', accept: 'text/html' },
  });
  const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(';')[0]);
  if (cookies.length === 0) throw new Error(`signing in set no cookie (status ${answer.status})`);
  return cookies.join('; ');
}
