// The pages that Lighthouse looks at, and what each must reach. A page is added here and nowhere else.

import { imports, tenants } from '../people.mjs';

/** A tenant with figures, where the research data lies beside the checkout. */
const tenant = tenants.find(({ slug }) => imports.some((one) => one.tenant.slug === slug)) ?? tenants[0];

/** @type {{ name: string, path: string, as?: { tenant: typeof tenant, role: string } }[]} */
export const pages = [
  { name: 'sign-in', path: '/sign-in' },
  {
    name: 'dashboard',
    path: `/t/${tenant.slug}/dashboard?range=custom&from=2018-04-01&to=2018-04-30`,
    as: { tenant, role: 'owner' },
  },
  { name: 'imports', path: `/t/${tenant.slug}/imports`, as: { tenant, role: 'owner' } },
];

/** Least scores, of 100. */
export const least = { performance: 95, accessibility: 95, 'best-practices': 95 };

/** Most milliseconds until the largest part is drawn, and most layout shift, on the throttled line. */
export const most = { 'largest-contentful-paint': 2_000, 'cumulative-layout-shift': 0.05 };
