-- Tenants, people, sessions and the audit log, with the row policies that everything else builds on.
--
-- A transaction says who it serves by transaction-local settings that only rtv-domain's transaction.rs sets:
--   rtv.actor      'tenant' | 'person' | 'sign_in' | 'session' | 'worker' | 'staff'
--   rtv.tenant_id  the tenant whose rows may be seen and changed
--   rtv.user_id    the person who acts for themself
--   rtv.session    hash of one session, in hexadecimal
-- A setting that was used once reads '' afterwards in the same connection, hence nullif. Without a setting no policy
-- holds and no row is seen.

create function rtv_actor() returns text
  language sql stable parallel safe
  return nullif(current_setting('rtv.actor', true), '');

create function rtv_tenant() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('rtv.tenant_id', true), '')::uuid;

create function rtv_user() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('rtv.user_id', true), '')::uuid;

create function rtv_session() returns bytea
  language sql stable parallel safe
  return decode(nullif(current_setting('rtv.session', true), ''), 'hex');

create table tenant (
  id uuid primary key,
  slug text not null,
  name text not null,
  plan text not null,
  status text not null,
  is_house boolean not null default false,
  time_zone text not null,
  locale text not null,
  currency text not null,
  -- Monday is 0, Sunday is 6.
  week_start smallint not null default 0,
  session_timeout_minutes integer not null default 720,
  -- Counts changes, so that the later of two editors is told.
  version bigint not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint tenant_slug_unique unique (slug),
  constraint tenant_name_length check (length(name) between 1 and 120),
  constraint tenant_week_start_range check (week_start between 0 and 6),
  constraint tenant_session_timeout_range check (session_timeout_minutes between 5 and 43200)
);

-- `user` is a reserved word in SQL.
create table app_user (
  id uuid primary key,
  email text not null,
  name text not null,
  is_disabled boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint app_user_email_unique unique (email),
  constraint app_user_email_lower check (email = lower(email)),
  constraint app_user_name_length check (length(name) between 1 and 120)
);

-- Apart from app_user, so that only a sign-in can read it.
create table user_credential (
  user_id uuid primary key,
  password_hash text not null,
  changed_at timestamptz not null default now(),
  constraint user_credential_user foreign key (user_id) references app_user (id) on delete cascade
);

create table staff_member (
  user_id uuid not null,
  created_at timestamptz not null default now(),
  constraint staff_member_pkey primary key (user_id),
  constraint staff_member_user foreign key (user_id) references app_user (id) on delete cascade
);

create table membership (
  tenant_id uuid not null,
  user_id uuid not null,
  role text not null,
  created_at timestamptz not null default now(),
  constraint membership_key primary key (tenant_id, user_id),
  constraint membership_tenant foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint membership_user foreign key (user_id) references app_user (id) on delete cascade
);
create index membership_by_user on membership (user_id, tenant_id);

create table session (
  -- SHA-256 of the token: who reads the table cannot use it.
  id_hash bytea primary key,
  -- Null until somebody signs in with it.
  user_id uuid,
  -- Shown in lists and used in addresses instead of the hash.
  public_id uuid not null,
  data jsonb not null,
  created_at timestamptz not null default now(),
  last_used_at timestamptz not null default now(),
  -- End of the absolute lifetime; the idle limit is judged from last_used_at.
  expires_at timestamptz not null,
  address inet,
  user_agent text,
  last_tenant_slug text,
  constraint session_public_id_unique unique (public_id),
  constraint session_app_user foreign key (user_id) references app_user (id) on delete cascade,
  constraint session_user_agent_length check (length(user_agent) <= 512)
);
create index session_by_user on session (user_id, last_used_at desc) where user_id is not null;
create index session_by_expiry on session (expires_at);

-- Fixed windows per account and per network. The key is a hash, so that the table holds no list of addresses.
create table sign_in_limit (
  key bytea not null,
  window_started_at timestamptz not null,
  attempts integer not null,
  constraint sign_in_limit_key primary key (key)
);
create index sign_in_limit_by_window on sign_in_limit (window_started_at);

-- Append-only. Events without a tenant belong to the operator's chain, whose tenant_id is the nil UUID; there is no
-- foreign key, because the log outlives the tenant. Sequence, chain and signatures are written beside it by a sealer.
create table audit_event (
  tenant_id uuid not null,
  id uuid not null,
  occurred_at timestamptz not null,
  actor_kind text not null,
  actor_id uuid,
  actor_label text not null,
  action text not null,
  resource_kind text not null,
  resource_id text not null,
  result text not null,
  detail text,
  before jsonb,
  after jsonb,
  address inet,
  user_agent text,
  request_id text,
  constraint audit_event_key primary key (tenant_id, id),
  constraint audit_event_actor_kind check (actor_kind in ('user', 'api_key', 'staff', 'system', 'anonymous')),
  constraint audit_event_result check (result in ('success', 'denied', 'error'))
);
create index audit_event_by_time on audit_event (tenant_id, occurred_at desc, id desc);

alter table tenant enable row level security;
alter table tenant force row level security;
alter table app_user enable row level security;
alter table app_user force row level security;
alter table user_credential enable row level security;
alter table user_credential force row level security;
alter table staff_member enable row level security;
alter table staff_member force row level security;
alter table membership enable row level security;
alter table membership force row level security;
alter table session enable row level security;
alter table session force row level security;
alter table sign_in_limit enable row level security;
alter table sign_in_limit force row level security;
alter table audit_event enable row level security;
alter table audit_event force row level security;

-- Functions of no argument are wrapped in a select, so that they run once a statement and not once a row.
create policy membership_of_tenant on membership
  using (tenant_id = (select rtv_tenant()))
  with check (tenant_id = (select rtv_tenant()));
create policy membership_of_person on membership for select
  using ((select rtv_actor()) in ('person', 'sign_in') and user_id = (select rtv_user()));

create policy tenant_itself on tenant for select
  using (id = (select rtv_tenant()));
create policy tenant_of_person on tenant for select
  using (
    (select rtv_actor()) = 'person'
    and exists (select 1 from membership where membership.tenant_id = tenant.id and membership.user_id = (select rtv_user()))
  );
create policy tenant_for_staff on tenant for select
  using ((select rtv_actor()) = 'staff');
create policy tenant_created_by_staff on tenant for insert
  with check ((select rtv_actor()) = 'staff' and id = (select rtv_tenant()));
create policy tenant_changed on tenant for update
  using (id = (select rtv_tenant()))
  with check (id = (select rtv_tenant()));

create policy app_user_themself on app_user for select
  using (id = (select rtv_user()));
create policy app_user_of_tenant on app_user for select
  using (exists (select 1 from membership where membership.tenant_id = (select rtv_tenant()) and membership.user_id = app_user.id));
create policy app_user_at_sign_in on app_user for select
  using ((select rtv_actor()) = 'sign_in');
create policy app_user_of_session on app_user for select
  using (
    (select rtv_actor()) = 'session'
    and exists (select 1 from session where session.id_hash = (select rtv_session()) and session.user_id = app_user.id)
  );
create policy app_user_for_staff on app_user for select
  using ((select rtv_actor()) = 'staff');
create policy app_user_created_by_staff on app_user for insert
  with check ((select rtv_actor()) = 'staff');

create policy user_credential_at_sign_in on user_credential for select
  using ((select rtv_actor()) = 'sign_in');
create policy user_credential_rehashed on user_credential for update
  using ((select rtv_actor()) = 'sign_in' and user_id = (select rtv_user()))
  with check ((select rtv_actor()) = 'sign_in' and user_id = (select rtv_user()));
create policy user_credential_created_by_staff on user_credential for insert
  with check ((select rtv_actor()) = 'staff');

create policy staff_member_themself on staff_member for select
  using (user_id = (select rtv_user()));
create policy staff_member_of_session on staff_member for select
  using (
    (select rtv_actor()) = 'session'
    and exists (select 1 from session where session.id_hash = (select rtv_session()) and session.user_id = staff_member.user_id)
  );
create policy staff_member_for_staff on staff_member for select
  using ((select rtv_actor()) = 'staff');
create policy staff_member_created_by_staff on staff_member for insert
  with check ((select rtv_actor()) = 'staff');

create policy session_itself on session
  using ((select rtv_actor()) in ('session', 'sign_in') and id_hash = (select rtv_session()))
  with check ((select rtv_actor()) in ('session', 'sign_in') and id_hash = (select rtv_session()));
create policy session_of_person on session for select
  using ((select rtv_actor()) = 'person' and user_id = (select rtv_user()));
create policy session_ended_by_person on session for delete
  using ((select rtv_actor()) = 'person' and user_id = (select rtv_user()));
create policy session_touched_by_person on session for update
  using ((select rtv_actor()) = 'person' and user_id = (select rtv_user()))
  with check ((select rtv_actor()) = 'person' and user_id = (select rtv_user()));
create policy session_seen_by_worker on session for select
  using ((select rtv_actor()) = 'worker');
create policy session_swept_by_worker on session for delete
  using ((select rtv_actor()) = 'worker');

create policy sign_in_limit_at_sign_in on sign_in_limit
  using ((select rtv_actor()) = 'sign_in')
  with check ((select rtv_actor()) = 'sign_in');
create policy sign_in_limit_seen_by_worker on sign_in_limit for select
  using ((select rtv_actor()) = 'worker');
-- Rows are locked before they are deleted, which asks for the right to update.
create policy sign_in_limit_locked_by_worker on sign_in_limit for update
  using ((select rtv_actor()) = 'worker')
  with check (false);
create policy sign_in_limit_swept_by_worker on sign_in_limit for delete
  using ((select rtv_actor()) = 'worker');

-- The operator's chain is written by sign-ins, staff and workers, and read by staff alone.
create policy audit_event_of_tenant on audit_event for select
  using (tenant_id = (select rtv_tenant()));
create policy audit_event_of_operator on audit_event for select
  using ((select rtv_actor()) = 'staff' and tenant_id = '00000000-0000-0000-0000-000000000000');
create policy audit_event_added on audit_event for insert
  with check (
    tenant_id = (select rtv_tenant())
    or (
      tenant_id = '00000000-0000-0000-0000-000000000000'
      and (select rtv_actor()) in ('sign_in', 'person', 'staff', 'worker')
    )
  );

grant select, insert, update on tenant, app_user, user_credential to rtv_app;
grant select, insert on staff_member, audit_event to rtv_app;
grant select, insert, update, delete on membership, session, sign_in_limit to rtv_app;
-- To refuse to start on a schema that is behind or ahead.
grant select on _sqlx_migrations to rtv_app;
