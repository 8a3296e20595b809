-- Reading is held by the database: a transaction that was begun to read carries rtv.reading = 'on', and a trigger of
-- every table but the audit log's refuses each statement that would change something in it. With it comes why a tenant
-- stands where it stands, and the operator's maintenance, during which nothing changes at all.

create function rtv_refuse_change() returns trigger
  language plpgsql
as $$
begin
  if current_setting('rtv.reading', true) = 'on' then
    raise exception 'a transaction that was begun to read cannot change %', tg_table_name
      using errcode = 'read_only_sql_transaction';
  end if;
  return null;
end
$$;

alter table tenant
  -- Why staff suspended or cancelled it, in words that its members read; null where nobody did.
  add column status_reason text,
  add column status_changed_at timestamptz,
  add column status_changed_by text,
  add constraint tenant_status_reason_length check (length(status_reason) between 1 and 500);

-- One row for the whole installation: every beginning of a transaction reads it.
create table maintenance (
  is_the_one boolean not null default true,
  is_on boolean not null default false,
  reason text,
  -- When staff expect to be done; it is announced and ends nothing.
  expected_until timestamptz,
  changed_at timestamptz not null default now(),
  changed_by text,
  constraint maintenance_key primary key (is_the_one),
  constraint maintenance_is_the_one check (is_the_one),
  constraint maintenance_has_a_reason check (not is_on or reason is not null),
  constraint maintenance_reason_length check (length(reason) between 1 and 500)
);
insert into maintenance default values;
alter table maintenance enable row level security;
alter table maintenance force row level security;
-- While it is on it is no secret: every page announces it, to everybody, also before anybody is known.
create policy maintenance_announced_to_all on maintenance for select using (is_on);
create policy maintenance_seen_by_staff on maintenance for select using ((select rtv_actor()) = 'staff');
create policy maintenance_switched_by_staff on maintenance for update
  using ((select rtv_actor()) = 'staff')
  with check ((select rtv_actor()) = 'staff');
grant select, update on maintenance to rtv_app;

do $$
declare
  name text;
begin
  for name in
    select relname
    from pg_class
    where relnamespace = 'public'::regnamespace and relkind = 'r'
      -- Who reads something sensitive leaves an event, in the same transaction.
      and relname not in ('_sqlx_migrations', 'audit_event', 'audit_unsealed')
  loop
    execute format(
      'create trigger refuse_change_while_reading before insert or update or delete on %I
       for each statement execute function rtv_refuse_change()',
      name
    );
  end loop;
end
$$;
