// Who belongs to an organisation and what they may do: changed by pages alone, with and without JavaScript.

import type { Page } from '@playwright/test';
import { expect, expectAccessibleEverywhere, expectToFitEverywhere, open, signIn, test } from './fixtures.ts';
import { crews, email } from './people.mjs';

// They change the same few people, so they go one after the other.
test.describe.configure({ mode: 'default' });

/** A tenant of the project's own: changes of the two projects run at the same time and must not meet. */
const own = (project: { name: string }) => crews.find(({ slug }) => slug === `crew-${project.name}`)!;

/** The page of a member, found by the list. */
async function openMember(page: Page, tenant: { slug: string }, role: string): Promise<void> {
  await open(page, `/t/${tenant.slug}/team`);
  await page.getByRole('row', { name: `${role}@${tenant.slug}.example` }).getByRole('link').click();
  await expect(page.locator('main').getByText(`${role}@${tenant.slug}.example`).first()).toBeVisible();
}

test('a change of role shows what is gained and lost, and holds in the page that is open', async ({ page, otherPage }, { project }) => {
  const tenant = own(project);
  await signIn(otherPage, email(tenant, 'viewer'));
  await open(otherPage, `/t/${tenant.slug}/dashboard`);
  const navigation = otherPage.getByRole('navigation', { name: 'Main', exact: true });
  await expect(navigation.getByRole('link', { name: 'Imports' })).toHaveCount(0);

  await signIn(page, email(tenant, 'owner'));
  await openMember(page, tenant, 'viewer');
  await page.getByLabel('Role', { exact: true }).selectOption('editor');
  await page.getByRole('button', { name: 'Review the change' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('gains and loses');
  const change = page.getByRole('table', { name: 'What is gained and lost' });
  await expect(change).toContainText('imports:manage');
  await expect(change.getByText('Removed')).toHaveCount(0);
  await page.getByRole('button', { name: 'Save the change' }).click();
  await expect(page.getByRole('status')).toContainText('is Editor now. They gain');

  await open(otherPage, `/t/${tenant.slug}/imports`);
  await expect(otherPage.getByRole('heading', { level: 1 })).toHaveText('Imports');

  await page.getByLabel('Role', { exact: true }).selectOption('viewer');
  await page.getByRole('button', { name: 'Review the change' }).click();
  await expect(page.getByRole('table', { name: 'What is gained and lost' }).getByText('Added')).toHaveCount(0);
  await page.getByRole('button', { name: 'Save the change' }).click();
  await expect(page.getByRole('status')).toContainText('They lose');
});

test('the later of two who edit the same is told, and reloads', async ({ page, otherPage }, { project }) => {
  const tenant = own(project);
  await signIn(page, email(tenant, 'owner'));
  await signIn(otherPage, email(tenant, 'admin'));
  await openMember(page, tenant, 'editor');
  await openMember(otherPage, tenant, 'editor');
  const review = async (one: Page, role: string) => {
    await one.getByLabel('Role', { exact: true }).selectOption(role);
    await one.getByRole('button', { name: 'Review the change' }).click();
    await expect(one.getByRole('heading', { level: 1 })).toContainText('gains and loses');
  };
  await review(page, 'admin');
  await review(otherPage, 'viewer');
  await otherPage.getByRole('button', { name: 'Save the change' }).click();
  await expect(otherPage.getByRole('status')).toContainText('is Viewer now');
  await page.getByRole('button', { name: 'Save the change' }).click();
  await expect(page.getByRole('alert')).toContainText(`admin@${tenant.slug}.example changed this on`);
  await expect(page.getByLabel('Role', { exact: true })).toHaveValue('admin');
  await page.getByRole('link', { name: 'Reload' }).click();
  await expect(page.getByLabel('Role', { exact: true })).toHaveValue('viewer');
  await review(page, 'editor');
  await page.getByRole('button', { name: 'Save the change' }).click();
  await expect(page.getByRole('status')).toContainText('is Editor now');
});

test('a role is made, seen in the matrix and removed; a wrong one keeps what was typed', async ({ page }, { project }) => {
  const tenant = own(project);
  await signIn(page, email(tenant, 'owner'));
  await open(page, `/t/${tenant.slug}/team/roles`);
  await page.getByRole('link', { name: 'Make a role' }).click();
  await page.getByLabel('Name').fill('Editor');
  await page.getByLabel('What it is for').fill('Helps with posts');
  await page.getByLabel(/^content:create/).check();
  await page.getByRole('button', { name: 'Make role' }).click();
  await expect(page.getByText('There is a problem')).toBeVisible();
  await expect(page.getByLabel('What it is for')).toHaveValue('Helps with posts');
  await expect(page.getByLabel(/^content:create/)).toBeChecked();
  await page.getByLabel('Name').fill('Helper');
  await page.getByRole('button', { name: 'Make role' }).click();
  await expect(page.getByRole('status')).toHaveText('The role “Helper” is made.');
  const matrix = page.getByRole('table', { name: 'Permissions of each role' });
  await expect(matrix.getByRole('columnheader', { name: 'Helper' })).toBeVisible();
  await expect(matrix.getByRole('row', { name: /content:create/ }).getByRole('cell').last()).toContainText('Yes');
  await page.getByRole('table', { name: 'Roles' }).getByRole('link', { name: 'Helper' }).click();
  await page.getByRole('button', { name: 'Remove role' }).click();
  await expect(page.getByRole('status')).toHaveText('The role “Helper” is removed.');
});

test('a team gives what its role says, and the answer about access says so', async ({ page }, { project }) => {
  const tenant = own(project);
  await signIn(page, email(tenant, 'owner'));
  await open(page, `/t/${tenant.slug}/team/teams`);
  await page.getByLabel('Name').fill('Northern crew');
  await page.getByRole('button', { name: 'Make team' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Northern crew');
  await page.getByLabel('Member', { exact: true }).selectOption({ label: `viewer · viewer@${tenant.slug}.example` });
  await page.getByLabel('Role in the team', { exact: true }).selectOption('editor');
  await page.getByLabel(/^an import with posts/).check();
  await page.getByRole('button', { name: 'Put in' }).click();
  await expect(page.getByRole('table', { name: 'Members of the team' })).toContainText('Editor');
  await expect(page.getByRole('table', { name: 'Members of the team' })).toContainText('imports');
  await page.getByLabel('Zone of times').selectOption('Asia/Tokyo');
  await page.getByRole('button', { name: 'Save settings' }).click();
  await expect(page.getByRole('status')).toHaveText('The settings are saved.');
  await page.getByRole('link', { name: 'Dashboard of this team' }).click();
  await expect(page.locator('main')).toContainText('times shown in Asia/Tokyo');

  await openMember(page, tenant, 'viewer');
  await page.getByRole('link', { name: 'Effective access' }).click();
  await page.getByLabel('Permission').selectOption('content:publish');
  await page.getByRole('button', { name: 'Ask' }).click();
  await expect(page.locator('[data-verdict="limited"]')).toContainText('Northern crew, and nowhere else');
  await expect(page.locator('[data-deciding="true"]')).toContainText('Team Northern crew');

  await open(page, `/t/${tenant.slug}/team/teams`);
  await page.getByRole('link', { name: 'Northern crew' }).click();
  await page.getByRole('link', { name: 'Remove team…' }).click();
  await page.getByRole('button', { name: 'Remove team' }).click();
  await expect(page.getByRole('status')).toHaveText('The team “Northern crew” is removed.');
});

test('the last owner is told why they stay', async ({ page }, { project }) => {
  const tenant = own(project);
  await signIn(page, email(tenant, 'owner'));
  await openMember(page, tenant, 'owner');
  await page.getByRole('link', { name: 'Remove…' }).click();
  await expect(page.locator('main')).toContainText('is the last owner who can sign in');
  await expect(page.getByRole('button', { name: /^Remove/ })).toHaveCount(0);
});

for (const [what, path] of [
  ['the members', ''],
  ['the teams', '/teams'],
  ['the roles', '/roles'],
  ['a new role', '/roles/new'],
  ['the question of access', '/access'],
] as const) {
  test(`${what}: the page fits every width`, async ({ page }, { project }) => {
    await signIn(page, email(own(project), 'owner'));
    await open(page, `/t/${own(project).slug}/team${path}`);
    await expectToFitEverywhere(page);
  });

  test(`${what}: the page is accessible, light and dark @js`, async ({ page }, { project }) => {
    test.slow();
    await signIn(page, email(own(project), 'owner'));
    await open(page, `/t/${own(project).slug}/team${path}`);
    await expectAccessibleEverywhere(page);
  });
}

test('the page of a member fits every width', async ({ page }, { project }) => {
  await signIn(page, email(own(project), 'owner'));
  await openMember(page, own(project), 'admin');
  await expectToFitEverywhere(page);
});

test('the page of a member is accessible, light and dark @js', async ({ page }, { project }) => {
  test.slow();
  await signIn(page, email(own(project), 'owner'));
  await openMember(page, own(project), 'admin');
  await expectAccessibleEverywhere(page);
});
