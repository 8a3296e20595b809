// Who and what the browser tests find in their database: two tenants, a person for each role, and imported
// files. server.mjs starts a server with this seed; a test that changes something makes its own.

export const password = 'browser-tests-2026';

/** @typedef {{ slug: string, name: string, zone: string }} Tenant */

/** @type {Tenant[]} */
export const tenants = [
  { slug: 'meadow', name: 'Meadow Goods', zone: 'Asia/Bangkok' },
  { slug: 'harbour', name: 'Harbour Tea', zone: 'Europe/Berlin' },
];

export const roles = /** @type {const} */ (['owner', 'admin', 'editor', 'viewer']);

/** The address of the person with that role in that tenant.
 *  @param {Tenant} tenant
 *  @param {string} role */
export function email(tenant, role) {
  return `${role}@${tenant.slug}.example`;
}

/** Files that are imported before the server starts, seen from the project's root.
 *  @type {{ file: string, tenant: Tenant, zone: string }[]} */
export const imports = [];
