// Which Rust rust.sh finds, on made-up machines: folders with programs that answer like cargo, rustc and getent.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
let folder;
const at = (...parts) => path.join(folder, ...parts);

async function program(file, script) {
  await mkdir(path.dirname(at(file)), { recursive: true });
  await writeFile(at(file), `#!/bin/bash\n${script}\n`, { mode: 0o755 });
}

/** A folder with cargo and rustc; rustup's stand-ins work only where RUSTUP_HOME names a toolchain. */
async function rust(bin, version, { needsRustupHome = false } = {}) {
  const guard = needsRustupHome ? `[[ -e $RUSTUP_HOME/settings.toml ]] || exit 1` : '';
  await program(`${bin}/cargo`, `${guard}\necho cargo ${version}`);
  await program(`${bin}/rustc`, `${guard}\necho rustc ${version}; echo release: ${version}`);
}

/** What find_rust says with this PATH, an empty HOME, and a home folder of which only the system knows. */
function find(environment = {}) {
  const result = spawnSync('bash', ['-c', 'set -euo pipefail; . scripts/say.sh; . scripts/rust.sh; find_rust || rust_from=none; echo "$rust_from"; command -v cargo'], {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: `${at('tools')}:${at('path')}:/usr/bin:/bin`, HOME: at('empty'), ...environment },
  });
  const [from, cargo] = result.stdout.trim().split('\n');
  return { from, cargo, error: result.stderr, status: result.status };
}

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'rtv-rust-'));
  await program('tools/getent', `echo "me:x:1:1::${at('home')}:/bin/bash"`);
  await mkdir(at('empty'));
});
afterEach(() => rm(folder, { recursive: true }));

test('the Rust in PATH comes first', async () => {
  await rust('path', '1.99.0');
  await rust('home/.cargo/bin', '1.99.0');
  assert.equal(find().from, at('path'));
});

test('a login shell that forgot PATH is helped', async () => {
  await rust('empty/.cargo/bin', '1.99.0');
  assert.equal(find().cargo, at('empty/.cargo/bin/cargo'));
});

test('with a changed HOME the toolchains of the real home are used', async () => {
  await rust('path', '1.99.0', { needsRustupHome: true });
  await rust('home/.cargo/bin', '1.99.0', { needsRustupHome: true });
  await mkdir(at('home/.rustup'));
  await writeFile(at('home/.rustup/settings.toml'), '');
  const { from, cargo } = find();
  assert.match(from, /with the toolchains of .*\/home\/\.rustup$/);
  assert.equal(cargo, at('home/.cargo/bin/cargo'));
});

test('a Rust that is too old is passed over', async () => {
  await rust('path', '1.70.0');
  await rust('empty/.cargo/bin', '1.99.0');
  assert.equal(find().from, at('empty/.cargo/bin'));
});

test('an unknown compiler for the browser is refused in words', () => {
  const { status, error } = find({ RTV_WASM_TOOLCHAIN: 'gcc' });
  assert.equal(status, 1);
  assert.match(error, /RTV_WASM_TOOLCHAIN is "gcc"/);
});
