-- What a tenant decides about itself, and how much of RTV it may use.

alter table tenant
  -- Networks that its members may come from, as CIDR; none: from everywhere.
  add column ip_ranges text[] not null default '{}',
  -- A zone that its days are being moved to by a job; until that is done `time_zone` holds.
  add column next_time_zone text,
  -- Who changed it last, as the audit log names them.
  add column changed_by text,
  -- Limits that it exceeds, since one was lowered; none of it changes until they fit.
  add column over_limits text[] not null default '{}';

-- The longest pause in a session since the person last signed in with it. A tenant may allow less than RTV itself.
alter table session add column longest_idle_seconds bigint not null default 0;

-- What staff have allowed a tenant instead of what its plan says.
create table tenant_limit (
  tenant_id uuid not null,
  name text not null,
  value bigint not null,
  changed_at timestamptz not null,
  changed_by text not null,
  constraint tenant_limit_key primary key (tenant_id, name),
  constraint tenant_limit_tenant foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint tenant_limit_value check (value >= 0)
);
alter table tenant_limit enable row level security;
alter table tenant_limit force row level security;
grant select, insert, update, delete on tenant_limit to rtv_app;

create policy tenant_limit_of_tenant on tenant_limit for select
  using (tenant_id = (select rtv_tenant()));
-- A tenant reads its limits; only staff write them.
create policy tenant_limit_set_by_staff on tenant_limit
  using ((select rtv_actor()) = 'staff' and tenant_id = (select rtv_tenant()))
  with check ((select rtv_actor()) = 'staff' and tenant_id = (select rtv_tenant()));
