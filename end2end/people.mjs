// Who and what the browser tests find in their database: two tenants, a person for each role, and imported
// files. server.mjs starts a server with this seed; a test that changes something makes its own.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const password = 'browser-tests-2026';

/** @typedef {{ slug: string, name: string, zone: string }} Tenant */

/** @type {Tenant[]} */
export const tenants = [
  { slug: 'meadow', name: 'Meadow Goods', zone: 'Asia/Bangkok' },
  { slug: 'harbour', name: 'Harbour Tea', zone: 'Europe/Berlin' },
];

/** Tenants without figures, so that somebody has more of them than are seen at a glance.
 *  @type {Tenant[]} */
export const moreTenants = [
  { slug: 'alder', name: 'Alder Books', zone: 'UTC' },
  { slug: 'birch', name: 'Birch Cycles', zone: 'UTC' },
  { slug: 'cedar', name: 'Cedar Rooms', zone: 'UTC' },
  { slug: 'maple', name: 'Maple Cafés and Bakeries of the Northern Lakes', zone: 'UTC' },
];

/** Tenants that files are imported into by the page, for each project one in which nothing has happened yet and one in
 *  which much may happen at a time.
 *  @type {Tenant[]} */
export const importers = ['hydrated', 'no-js'].flatMap((project) =>
  ['first', 'importer'].map((kind) => ({ slug: `${kind}-${project}`, name: `Files of ${kind} ${project}`, zone: 'Asia/Bangkok' })),
);

/** Tenants whose people change roles and teams, for each project one.
 *  @type {Tenant[]} */
export const crews = ['hydrated', 'no-js'].map((project) => ({ slug: `crew-${project}`, name: `Crew of ${project}`, zone: 'UTC' }));

/** Tenants that staff suspend and visit, for each project one.
 *  @type {Tenant[]} */
export const wards = ['hydrated', 'no-js'].map((project) => ({ slug: `ward-${project}`, name: `Ward of ${project}`, zone: 'UTC' }));

/** Tenants that are halted and resumed, for each project one.
 *  @type {Tenant[]} */
export const halters = ['hydrated', 'no-js'].map((project) => ({ slug: `halter-${project}`, name: `Halters of ${project}`, zone: 'Europe/Berlin' }));

/** Tenants that change their settings, for each project one; with the free plan, of which four of five places are taken.
 *  @type {Tenant[]} */
export const settlers = ['hydrated', 'no-js'].map((project) => ({ slug: `settler-${project}`, name: `Settlers of ${project}`, zone: 'UTC' }));

/** Tenants that publish to the sandbox network, for each project one.
 *  @type {Tenant[]} */
export const publishers = ['hydrated', 'no-js'].map((project) => ({ slug: `press-${project}`, name: `Press of ${project}`, zone: 'Europe/Berlin' }));

/** A tenant that is over its limits: three of its four people are too many.
 *  @type {Tenant} */
export const crowded = { slug: 'crowded', name: 'Crowded House', zone: 'UTC' };

/** The demo's tenants that the projects take the sample data out of, and what its people sign in with. */
export const demo = {
  password: 'demo-rtv-2026',
  slugs: /** @type {Record<string, string>} */ ({ hydrated: 'kaffa-coffee', 'no-js': 'house' }),
  showcase: 'northwind-outdoor',
};

export const roles = /** @type {const} */ (['owner', 'admin', 'editor', 'viewer']);

/** The address of the person with that role in that tenant.
 *  @param {Tenant} tenant
 *  @param {string} role */
export function email(tenant, role) {
  return `${role}@${tenant.slug}.example`;
}

/** People besides those: a test that ends sessions or chooses a tenant must not disturb another one, and the
 *  tests run with and without JavaScript at the same time.
 *  @type {{ email: string, tenants: Tenant[] }[]} */
export const people = ['hydrated', 'no-js'].flatMap((project) => [
  { email: `one-session@${project}.example`, tenants: tenants.slice(0, 1) },
  { email: `open-page@${project}.example`, tenants: tenants.slice(0, 1) },
  { email: `all-sessions@${project}.example`, tenants: tenants.slice(0, 1) },
  { email: `two-tenants@${project}.example`, tenants },
  { email: `many-tenants@${project}.example`, tenants: [...tenants, ...moreTenants] },
  { email: `preferences@${project}.example`, tenants: tenants.slice(0, 1) },
  ...Object.values(identities(project)).map((email) => ({ email, tenants: tenants.slice(0, 1) })),
]);

/** Who loses a password, and who sets up a second factor.
 *  @param {string} project */
export function identities(project) {
  return { forgetful: `forgetful@${project}.example`, careful: `careful@${project}.example`, steady: `steady@${project}.example` };
}

/** The operator's own person. */
export const staff = 'operator@rtv.example';

/** The second tenant has a colour of its own, the first one the default. */
export const brand = { tenant: tenants[1], hue: 30, chroma: 0.18 };

const data = new URL('../../shared/data/', import.meta.url);

/** Posts of nine accounts from 2012-07-15 to 2018-06-13, without reach and impressions. */
export const liveSellersFile = fileURLToPath(new URL('facebook_live_sellers_th.csv', data));

/** Posts of 2014 of which only the month is known. */
export const cosmeticsFile = fileURLToPath(new URL('facebook_cosmetics_brand_2014.csv', data));

/** Files that are imported before the server starts, as far as they are there.
 *  @type {{ file: string, tenant: Tenant, zone?: string }[]} */
export const imports = [
  { file: liveSellersFile, tenant: tenants[0], zone: tenants[0].zone },
  { file: cosmeticsFile, tenant: tenants[1] },
  ...settlers.map((tenant) => ({ file: liveSellersFile, tenant, zone: 'Asia/Bangkok' })),
].filter(({ file }) => existsSync(file));
