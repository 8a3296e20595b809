// api-test.mjs EXAMPLES SEED: starts a server with the demo, makes a key as an owner does on the page, and lets schemathesis ask
// what the description allows, and what it does not.

import { spawn } from 'node:child_process';
import { demo } from '../end2end/people.mjs';
import { startServer } from '../end2end/server.mjs';

const [examples, seed] = [process.argv[2] ?? '25', process.argv[3] ?? '1'];
/** The demo's tenant with the largest plan. */
const tenant = 'northwind-outdoor';

/** What an owner does on the page, by its forms alone. */
async function makeKey(url) {
  const origin = new URL(url).origin;
  const send = (path, fields, cookie) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin, 'content-type': 'application/x-www-form-urlencoded', ...(cookie ? { cookie } : {}) },
      body: new URLSearchParams(fields),
    });
  const signedIn = await send('/sign-in', { email: `owner@${tenant}.example`, password: demo.password, next: '/me' });
  const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0];
  const page = await (await fetch(`${url}/t/${tenant}/api-keys`, { headers: { cookie } })).text();
  const permissions = [...page.matchAll(/name="permission" value="([a-z:]+)"/g)].map(([, key]) => ['permission', key]);
  const made = await send(`/t/${tenant}/api-keys`, [['name', 'api-test'], ['expires', '30'], ...permissions], cookie);
  const secret = (await made.text()).match(/rtv_[0-9a-f]{64}/)?.[0];
  if (!secret) throw new Error(`no key was made: ${made.status} ${made.headers.get('location') ?? ''}`);
  return secret;
}

const server = await startServer(['--posts', '600']);
try {
  const secret = await makeKey(server.url);
  console.log(`    seed ${seed}: make api-test ARGS="${examples} ${seed}" repeats it`);
  const checks = [
    'not_a_server_error',
    'status_code_conformance',
    'content_type_conformance',
    'response_headers_conformance',
    'response_schema_conformance',
    'unsupported_method',
    'ignored_auth',
  ];
  const child = spawn(
    process.env.RTV_SCHEMATHESIS,
    [
      'run', `${server.url}/api/v1/openapi.json`, '--url', server.url,
      '--header', `Authorization: Bearer ${secret}`,
      '--checks', checks.join(','), '--mode', 'all', '--phases', 'examples,coverage,fuzzing,stateful',
      '--max-examples', examples, '--seed', seed, '--generation-database', 'none', '--request-timeout', '20',
      '--workers', '2', '--rate-limit', '2400/m',
      '--max-failures', '20', '--no-color',
    ],
    { stdio: 'inherit' },
  );
  process.exitCode = await new Promise((resolve) => child.once('close', (status) => resolve(status ?? 1)));
} finally {
  await server.stop();
}
