// assemble-site.mjs PROFILE PACKAGE SITE: lays out what the server serves. PACKAGE is wasm-bindgen's output.
// Every file lies under a name that contains the hash of its content, so that browsers may keep it for ever;
// assets.json tells the server the names. Beside each file that shrinks lie its brotli and gzip forms.

import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { build, transform } from 'esbuild';

const compressible = /\.(css|html|ico|js|json|mjs|map|svg|txt|wasm|webmanifest|xml)$/;
const brotli = promisify(brotliCompress);
const gzipped = promisify(gzip);

/** Paths of all files below a folder, relative to it and sorted. */
export async function filesBelow(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/** A hash of names and contents: equal exactly when all files are equal. */
export async function hashOfFiles(folder, files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const content = await readFile(path.join(folder, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 16);
}

/** The name under which assets.json lists a script of ours: js/kpi-card.js becomes kpi_card_js. */
export function keyOfScript(file) {
  return `${path.basename(file, '.js').replaceAll('-', '_')}_js`;
}

/** Copies wasm-bindgen's output; returns the addresses of program and glue. */
async function layPackage(source, site) {
  const files = await filesBelow(source);
  const folder = `pkg/${await hashOfFiles(source, files)}`;
  await cp(source, path.join(site, folder), { recursive: true });
  return { js: `/${folder}/rtv.js`, wasm: `/${folder}/rtv_bg.wasm` };
}

/** Bundles the style sheets into one file and drops white space and comments. Without a target and without
 *  `minifySyntax` esbuild rewrites nothing: light-dark(), layers, nesting and oklch() stay as written. */
async function layStyle(entry, site) {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    minifyWhitespace: true,
    legalComments: 'none',
    write: false,
    outdir: path.join(site, 'css'),
    entryNames: '[name].[hash]',
    assetNames: '[name].[hash]',
    publicPath: '/css',
    loader: { '.woff2': 'file', '.svg': 'file', '.png': 'file' },
    logLevel: 'warning',
  });
  if (result.warnings.length > 0) throw new Error(`${entry} has ${result.warnings.length} faults, see above`);
  await mkdir(path.join(site, 'css'), { recursive: true });
  let css;
  for (const file of result.outputFiles) {
    await writeFile(file.path, file.contents);
    if (file.path.endsWith('.css')) css = `/css/${path.basename(file.path)}`;
  }
  return { css };
}

/** Copies public/: all of it under one hash, and the files that browsers and robots ask for by a fixed
 *  name also at the top. */
async function layPublic(source, site, { minify }) {
  const files = await filesBelow(source);
  if (files.length === 0) return {};
  const folder = `static/${await hashOfFiles(source, files)}`;
  const assets = { static: `/${folder}` };
  for (const file of files) {
    const from = path.join(source, file);
    const to = path.join(site, folder, file);
    await mkdir(path.dirname(to), { recursive: true });
    const ours = file.startsWith('js/') && file.endsWith('.js');
    if (ours && minify) {
      const { code } = await transform(await readFile(from, 'utf8'), { minify, target: 'es2022', legalComments: 'none' });
      await writeFile(to, code);
    } else {
      await cp(from, to);
    }
    if (!file.includes('/')) await cp(from, path.join(site, file));
    if (ours) assets[keyOfScript(file)] = `/${folder}/${file}`;
    if (file === 'vendor/echarts/echarts.min.js') assets.echarts = `/${folder}/${file}`;
  }
  const favicon = ['favicon.svg', 'favicon.ico', 'icons/icon.svg'].find((name) => files.includes(name));
  if (favicon) assets.favicon = `/${folder}/${favicon}`;
  return assets;
}

/** Writes FILE.br and FILE.gz where they are smaller than the file itself. */
async function precompress(file, { thorough }) {
  const content = await readFile(file);
  const forms = await Promise.all([
    brotli(content, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: thorough ? 11 : 4,
        [constants.BROTLI_PARAM_LGWIN]: thorough ? 24 : 22,
        [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
      },
    }),
    gzipped(content, { level: thorough ? 9 : 4 }),
  ]);
  for (const [index, form] of forms.entries()) {
    if (form.length < content.length) await writeFile(file + ['.br', '.gz'][index], form);
  }
}

/** Makes the whole site beside the old one and puts it in its place; nothing of the old one stays. */
export async function assemble({ profile, pkg, site, style = 'style/main.css', publicFolder = 'public' }) {
  const next = `${site}.next`;
  const thorough = profile === 'release';
  await rm(next, { recursive: true, force: true });
  await mkdir(next, { recursive: true });
  const assets = {
    ...(await layPackage(pkg, next)),
    ...(await stat(style).then(() => layStyle(style, next), () => ({}))),
    ...(await layPublic(publicFolder, next, { minify: thorough })),
  };
  const queue = (await filesBelow(next)).filter((file) => compressible.test(file));
  const worker = async () => {
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      await precompress(path.join(next, file), { thorough });
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  await writeFile(path.join(next, 'assets.json'), `${JSON.stringify({ profile, ...assets }, null, 2)}\n`);
  await rm(site, { recursive: true, force: true });
  await rename(next, site);
  return assets;
}

/** One line per file that a browser loads first: its size, and what travels. */
async function printSizes(site, assets) {
  for (const key of ['wasm', 'js', 'css', 'chart_js', 'echarts']) {
    if (!assets[key]) continue;
    const file = path.join(site, assets[key]);
    const size = (name) => stat(name).then(({ size }) => `${(size / 1024).toFixed(1)} KiB`, () => '-');
    console.log(`    ${key.padEnd(9)} ${await size(file)}, brotli ${await size(`${file}.br`)}, gzip ${await size(`${file}.gz`)}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [profile, pkg, site] = process.argv.slice(2);
  await printSizes(site, await assemble({ profile, pkg, site }));
}
