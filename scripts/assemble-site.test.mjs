// What assemble-site.mjs promises to the server and to browsers.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { assemble, filesBelow, keyOfScript } from './assemble-site.mjs';

let folder;
const at = (...parts) => path.join(folder, ...parts);

async function write(file, content) {
  await mkdir(path.dirname(at(file)), { recursive: true });
  await writeFile(at(file), content);
}

const assembleHere = (profile = 'dev') =>
  assemble({ profile, pkg: at('package'), site: at('site'), style: at('style/main.css'), publicFolder: at('public') });

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'rtv-site-'));
  await write('package/rtv.js', `// glue\n${'export const answer = 42;\n'.repeat(50)}`);
  await write('package/rtv_bg.wasm', Buffer.alloc(4096, 'program'));
  await write('package/snippets/inline0.js', 'export {};\n');
  await write('style/main.css', '@layer base; @import "./base.css" layer(base);');
  await write('style/base.css', ':root { color: light-dark(#111, #eee); & a { color: oklch(50% 0.1 250); } }');
  await write('public/js/kpi-card.js', 'const long_name = 1; export default long_name;\n');
  await write('public/vendor/echarts/echarts.min.js', 'window.echarts = {};\n');
  await write('public/favicon.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>');
  await write('public/robots.txt', 'User-agent: *\n');
});
afterEach(() => rm(folder, { recursive: true }));

test('assets.json names files that exist', async () => {
  await assembleHere();
  const { profile, static: base, ...assets } = JSON.parse(await readFile(at('site/assets.json'), 'utf8'));
  assert.equal(profile, 'dev');
  assert.deepEqual(Object.keys(assets).sort(), ['css', 'echarts', 'favicon', 'js', 'kpi_card_js', 'wasm']);
  for (const address of Object.values(assets)) await readFile(at('site', address));
  assert.match(assets.js, /^\/pkg\/[0-9a-f]{16}\/rtv\.js$/);
  assert.equal(path.dirname(assets.js), path.dirname(assets.wasm));
  await readFile(at('site', path.dirname(assets.js), 'snippets/inline0.js'));
  await readFile(at('site', base, 'robots.txt'));
});

test('what is asked for by a fixed name lies at the top as well', async () => {
  await assembleHere();
  assert.equal(await readFile(at('site/robots.txt'), 'utf8'), 'User-agent: *\n');
});

test('an address changes exactly when its content does', async () => {
  const before = await assembleHere();
  assert.deepEqual(await assembleHere(), before);
  await write('package/rtv_bg.wasm', Buffer.alloc(4096, 'other'));
  await write('style/base.css', ':root { color: red; }');
  const after = await assembleHere();
  assert.notEqual(after.wasm, before.wasm);
  assert.notEqual(after.css, before.css);
  assert.equal(after.favicon, before.favicon);
});

test('nothing of the last site stays', async () => {
  const before = await assembleHere();
  await write('package/rtv.js', 'export const other = 1;\n');
  await assembleHere();
  await assert.rejects(readFile(at('site', before.js)));
  assert.equal((await filesBelow(at('site/pkg'))).filter((file) => file.endsWith('/rtv.js')).length, 1);
});

test('the compressed forms unpack to the file itself', async () => {
  for (const profile of ['dev', 'release']) {
    const { js, wasm } = await assembleHere(profile);
    for (const address of [js, wasm]) {
      const content = await readFile(at('site', address));
      assert.deepEqual(brotliDecompressSync(await readFile(at('site', `${address}.br`))), content);
      assert.deepEqual(gunzipSync(await readFile(at('site', `${address}.gz`))), content);
    }
  }
});

test('styles keep what browsers of today understand', async () => {
  const { css } = await assembleHere('release');
  const text = await readFile(at('site', css), 'utf8');
  for (const kept of ['@layer base', 'light-dark(#111', '& a', 'oklch(']) assert.ok(text.includes(kept), `${kept} in ${text}`);
});

test('a fault in a style sheet stops the build', async () => {
  await write('style/base.css', 'a { color: red; } }');
  await assert.rejects(assembleHere(), /faults|error/i);
});

test('a script is listed by its name', () => {
  assert.equal(keyOfScript('js/chart.js'), 'chart_js');
  assert.equal(keyOfScript('js/kpi-card.js'), 'kpi_card_js');
});

test('the product’s style sheet stays within its budget', async () => {
  const style = new URL('../style/main.css', import.meta.url).pathname;
  const { css } = await assemble({ profile: 'release', pkg: at('package'), site: at('site'), style, publicFolder: at('public') });
  const { length } = await readFile(at('site', `${css}.gz`));
  assert.ok(length > 5_000 && length <= 40_000, `${length} bytes with gzip; 40,000 is the limit`);
});
