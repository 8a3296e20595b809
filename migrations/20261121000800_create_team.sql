-- Custom roles, teams and what they are responsible for, extra permissions, and when a member was last here.
--
-- What a member holds everywhere is their role and their extra permissions. A team may widen that for the accounts and
-- campaigns that it is responsible for. Permissions are kept as words of the catalogue in rtv-core; the built-in roles
-- stand there too, and 'custom' says that role_id names one of these.

create table custom_role (
  tenant_id uuid not null,
  id uuid not null,
  name text not null,
  description text not null default '',
  permissions text[] not null,
  -- Counts changes, so that the later of two editors is told.
  version bigint not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  changed_by text not null,
  constraint custom_role_key primary key (tenant_id, id),
  constraint custom_role_tenant foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint custom_role_name_length check (length(name) between 1 and 80),
  constraint custom_role_description_length check (length(description) <= 500)
);
create unique index custom_role_name_unique on custom_role (tenant_id, lower(name));

alter table membership
  add column role_id uuid,
  -- What the member holds beside their role.
  add column permissions text[] not null default '{}',
  add column version bigint not null default 1,
  add column updated_at timestamptz not null default now(),
  add column changed_by text,
  add constraint membership_custom_role foreign key (tenant_id, role_id) references custom_role (tenant_id, id),
  add constraint membership_role_one check ((role = 'custom') = (role_id is not null));
create index membership_by_custom_role on membership (tenant_id, role_id) where role_id is not null;

create table team (
  tenant_id uuid not null,
  id uuid not null,
  name text not null,
  description text not null default '',
  -- What the team's own link to the dashboard begins with; null and empty: what everybody begins with.
  default_range text,
  platforms text[] not null default '{}',
  version bigint not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  changed_by text not null,
  constraint team_key primary key (tenant_id, id),
  constraint team_tenant foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint team_name_length check (length(name) between 1 and 80),
  constraint team_description_length check (length(description) <= 500)
);
create unique index team_name_unique on team (tenant_id, lower(name));

-- A member of a team. Role and permissions hold for the team's accounts and campaigns alone; null and empty: being in it
-- gives nothing.
create table team_member (
  tenant_id uuid not null,
  team_id uuid not null,
  user_id uuid not null,
  role text,
  role_id uuid,
  permissions text[] not null default '{}',
  created_at timestamptz not null default now(),
  constraint team_member_key primary key (tenant_id, team_id, user_id),
  constraint team_member_team foreign key (tenant_id, team_id) references team (tenant_id, id) on delete cascade,
  constraint team_member_membership foreign key (tenant_id, user_id) references membership (tenant_id, user_id) on delete cascade,
  constraint team_member_custom_role foreign key (tenant_id, role_id) references custom_role (tenant_id, id),
  constraint team_member_role_one check ((role is not distinct from 'custom') = (role_id is not null))
);
create index team_member_by_user on team_member (user_id, tenant_id);
create index team_member_by_custom_role on team_member (tenant_id, role_id) where role_id is not null;

create table team_account (
  tenant_id uuid not null,
  team_id uuid not null,
  account_id uuid not null,
  constraint team_account_key primary key (tenant_id, team_id, account_id),
  constraint team_account_team foreign key (tenant_id, team_id) references team (tenant_id, id) on delete cascade,
  constraint team_account_account foreign key (tenant_id, account_id) references account (tenant_id, id) on delete cascade
);
create index team_account_by_account on team_account (tenant_id, account_id);

create table team_campaign (
  tenant_id uuid not null,
  team_id uuid not null,
  campaign_id uuid not null,
  constraint team_campaign_key primary key (tenant_id, team_id, campaign_id),
  constraint team_campaign_team foreign key (tenant_id, team_id) references team (tenant_id, id) on delete cascade,
  constraint team_campaign_campaign foreign key (tenant_id, campaign_id) references campaign (tenant_id, id) on delete cascade
);
create index team_campaign_by_campaign on team_campaign (tenant_id, campaign_id);

-- When a member was last in the tenant, to some minutes. Apart from membership, so that a person who only visits can
-- write nothing that decides on access.
create table member_visit (
  tenant_id uuid not null,
  user_id uuid not null,
  last_seen_at timestamptz not null,
  constraint member_visit_key primary key (tenant_id, user_id),
  constraint member_visit_membership foreign key (tenant_id, user_id) references membership (tenant_id, user_id) on delete cascade
);
create index member_visit_by_user on member_visit (user_id, tenant_id);

do $$
declare
  name text;
begin
  foreach name in array array['custom_role', 'team', 'team_member', 'team_account', 'team_campaign', 'member_visit'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format(
      'create policy %I on %I using (tenant_id = (select rtv_tenant())) with check (tenant_id = (select rtv_tenant()))',
      name || '_of_tenant', name
    );
    execute format('grant select, insert, update, delete on %I to rtv_app', name);
  end loop;
end
$$;

-- A person reads what they hold in their tenants before one is entered.
create policy team_member_of_person on team_member for select
  using ((select rtv_actor()) = 'person' and user_id = (select rtv_user()));
create policy custom_role_of_person on custom_role for select
  using (
    (select rtv_actor()) = 'person'
    and (
      exists (
        select 1 from membership
        where membership.tenant_id = custom_role.tenant_id and membership.role_id = custom_role.id and membership.user_id = (select rtv_user())
      )
      or exists (
        select 1 from team_member
        where team_member.tenant_id = custom_role.tenant_id and team_member.role_id = custom_role.id and team_member.user_id = (select rtv_user())
      )
    )
  );
create policy team_of_person on team for select
  using (
    (select rtv_actor()) = 'person'
    and exists (
      select 1 from team_member
      where team_member.tenant_id = team.tenant_id and team_member.team_id = team.id and team_member.user_id = (select rtv_user())
    )
  );
create policy member_visit_of_person on member_visit
  using ((select rtv_actor()) = 'person' and user_id = (select rtv_user()))
  with check ((select rtv_actor()) = 'person' and user_id = (select rtv_user()));

-- Who looks after people sees how many sessions a member has. The marker is one of its own, because a session belongs to a
-- person and not to the tenant.
create policy session_of_members on session for select
  using (
    (select rtv_actor()) = 'members'
    and exists (
      select 1 from membership where membership.tenant_id = (select rtv_tenant()) and membership.user_id = session.user_id
    )
  );

-- The operator disables people, which ends their sessions, and asks before whether a tenant would lose its last owner. Only outside of a tenant: inside
-- one, the operator sees that tenant's members alone.
create policy membership_seen_by_staff on membership for select
  using ((select rtv_actor()) = 'staff' and (select rtv_tenant()) is null);
create policy app_user_changed_by_staff on app_user for update
  using ((select rtv_actor()) = 'staff' and (select rtv_tenant()) is null)
  with check ((select rtv_actor()) = 'staff' and (select rtv_tenant()) is null);

create policy session_seen_by_staff on session for select
  using ((select rtv_actor()) = 'staff' and (select rtv_tenant()) is null);
create policy session_ended_by_staff on session for delete
  using ((select rtv_actor()) = 'staff' and (select rtv_tenant()) is null);

-- Who holds a permission through teams alone sees what these teams are responsible for, whatever a query forgets. A
-- transaction names the teams in rtv.teams; without them nothing is narrowed.
create function rtv_teams() returns uuid[]
  language sql stable parallel safe
  return nullif(current_setting('rtv.teams', true), '')::uuid[];

create function rtv_team_accounts() returns uuid[]
  language sql stable parallel safe
  return array(select account_id from team_account where tenant_id = rtv_tenant() and team_id = any (rtv_teams()));

create function rtv_team_campaigns() returns uuid[]
  language sql stable parallel safe
  return array(select campaign_id from team_campaign where tenant_id = rtv_tenant() and team_id = any (rtv_teams()));

-- Accounts that are named beside what may be seen: those of the teams, and those on which their campaigns ran.
create function rtv_named_accounts() returns uuid[]
  language sql stable parallel safe
  return rtv_team_accounts() || array(
    select distinct account_id from kpi_daily where tenant_id = rtv_tenant() and campaign_id = any (rtv_team_campaigns())
  );

-- Likewise campaigns: those of the teams, and those that ran on their accounts.
create function rtv_named_campaigns() returns uuid[]
  language sql stable parallel safe
  return rtv_team_campaigns() || array(
    select distinct campaign_id from kpi_daily where tenant_id = rtv_tenant() and account_id = any (rtv_team_accounts())
  );

-- The question whether anything is narrowed is one of its own: the planner takes a word of unknown truth for half of the
-- rows, and “is null” in place would be taken for nearly none, which makes other plans for everybody.
do $$
declare
  name text;
begin
  foreach name in array array['post', 'kpi_daily', 'post_hour'] loop
    execute format(
      'create policy %I on %I as restrictive
         using (
           (select rtv_teams() is null)
           or account_id = any ((select rtv_team_accounts())::uuid[])
           or campaign_id = any ((select rtv_team_campaigns())::uuid[])
         )
         with check (
           (select rtv_teams() is null)
           or account_id = any ((select rtv_team_accounts())::uuid[])
           or campaign_id = any ((select rtv_team_campaigns())::uuid[])
         )',
      name || '_of_teams', name
    );
  end loop;
  foreach name in array array['account_daily', 'target'] loop
    execute format(
      'create policy %I on %I as restrictive
         using ((select rtv_teams() is null) or account_id = any ((select rtv_team_accounts())::uuid[]))
         with check ((select rtv_teams() is null) or account_id = any ((select rtv_team_accounts())::uuid[]))',
      name || '_of_teams', name
    );
  end loop;
end
$$;
create policy post_daily_of_teams on post_daily as restrictive
  using (
    (select rtv_teams() is null)
    or exists (select 1 from post where post.tenant_id = post_daily.tenant_id and post.id = post_daily.post_id)
  )
  with check (
    (select rtv_teams() is null)
    or exists (select 1 from post where post.tenant_id = post_daily.tenant_id and post.id = post_daily.post_id)
  );
create policy account_of_teams on account as restrictive
  using ((select rtv_teams() is null) or id = any ((select rtv_named_accounts())::uuid[]))
  with check ((select rtv_teams() is null) or id = any ((select rtv_team_accounts())::uuid[]));
create policy campaign_of_teams on campaign as restrictive
  using ((select rtv_teams() is null) or id = any ((select rtv_named_campaigns())::uuid[]))
  with check ((select rtv_teams() is null) or id = any ((select rtv_team_campaigns())::uuid[]));
