// cargo-leptos reads Cargo.toml, the server reads Leptos.toml: both must say the same.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

/** The settings of the section, one a line, without comments and blank lines. */
async function section(file) {
  const text = await readFile(new URL(`../${file}`, import.meta.url), 'utf8');
  const [, after] = text.split('[[workspace.metadata.leptos]]\n');
  assert.ok(after, `${file} has no [[workspace.metadata.leptos]]`);
  return after.split(/^\[/m)[0].split('\n').filter((line) => /^[a-z]/.test(line));
}

test('Cargo.toml and Leptos.toml agree', async () => {
  assert.deepEqual(await section('Leptos.toml'), await section('Cargo.toml'));
});
