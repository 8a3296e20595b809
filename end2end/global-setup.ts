// Starts the server before the first test and stops it after the last. RTV_E2E_URL names one that runs
// already, such as that of `make run`; it must have the seed of people.mjs. RTV_E2E_OTHER_URL names another on its data.

import { startServer } from './server.mjs';

export default async function globalSetup(): Promise<() => Promise<void>> {
  if (process.env.RTV_E2E_URL) return async () => {};
  const server = await startServer();
  process.env.RTV_E2E_URL = server.url;
  process.env.RTV_E2E_SANDBOX_URL = server.sandbox.url;
  process.env.RTV_E2E_LEDGER = server.sandbox.ledger;
  process.env.RTV_E2E_OTHER_URL = await server.startAnother();
  return () => server.stop();
}
