-- Visits of staff to a tenant: who looks at its pages, why, and until when. While a visit lasts the visitor reads; its
-- beginning and its end stand in the tenant's audit log. And what the console's lists are read from.

create table staff_visit (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  visitor text not null,
  reason text not null,
  began_at timestamptz not null,
  ends_at timestamptz not null,
  -- Null until the visitor, or the time, has ended it.
  ended_at timestamptz,
  constraint staff_visit_key primary key (tenant_id, id),
  constraint staff_visit_tenant foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint staff_visit_user foreign key (user_id) references app_user (id) on delete cascade,
  constraint staff_visit_reason_length check (length(reason) between 1 and 500),
  constraint staff_visit_times check (ends_at > began_at and ended_at >= began_at)
);
create index staff_visit_by_time on staff_visit (tenant_id, began_at desc, id desc);
create index staff_visit_open on staff_visit (user_id, tenant_id) where ended_at is null;

alter table staff_visit enable row level security;
alter table staff_visit force row level security;
create policy staff_visit_of_tenant on staff_visit
  using (tenant_id = (select rtv_tenant()))
  with check (tenant_id = (select rtv_tenant()));
-- A visitor enters before the tenant is known.
create policy staff_visit_of_visitor on staff_visit for select
  using ((select rtv_actor()) = 'staff' and user_id = (select rtv_user()));
-- A worker ends those whose time is over, each in its tenant.
create policy staff_visit_seen_by_worker on staff_visit for select
  using ((select rtv_actor()) = 'worker');
grant select, insert, update on staff_visit to rtv_app;
create trigger refuse_change_while_reading before insert or update or delete on staff_visit
  for each statement execute function rtv_refuse_change();

-- The console says when somebody was last in a tenant.
create policy member_visit_seen_by_staff on member_visit for select
  using ((select rtv_actor()) = 'staff' and (select rtv_tenant()) is null);
