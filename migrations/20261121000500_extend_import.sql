-- Imports that are uploaded, checked and run by a worker, that can be cancelled, and that are taken back by a worker too;
-- and mappings that people saved by name.

-- Rows of before are done or rolled back; all of them stay valid. What is not known yet is null.
alter table import
  alter column file_sha256 drop not null,
  alter column mapping drop not null,
  alter column duplicate_rule drop not null,
  alter column rows_read drop not null,
  alter column rows_new drop not null,
  alter column rows_changed drop not null,
  alter column rows_unchanged drop not null,
  alter column rows_duplicate drop not null,
  alter column rows_refused drop not null,
  alter column notes set default '[]',
  alter column started_at drop not null,
  alter column finished_at drop not null,
  add column created_at timestamptz not null default now(),
  add column checked_at timestamptz,
  -- Counts what was begun: a job carries the number it was begun under, so that a late one can do nothing.
  add column round bigint not null default 0,
  -- Bytes that count against the tenant's quota: all of them are taken before they arrive. 0 once the file is gone.
  add column file_reserved_bytes bigint not null default 0,
  add column mapping_title text,
  add column header jsonb,
  add column delimiter text,
  -- The encoding that was found out when the file came.
  add column read_as text,
  -- As the form gave them, and what they came to: the job needs no more than the second.
  add column settings jsonb,
  add column applied jsonb,
  -- When it took its place in the line: imports of one tenant take turns.
  add column queued_at timestamptz,
  add column findings jsonb,
  add column failure text,
  add column posts_removed bigint,
  add column posts_restored bigint,
  add column step text,
  add column rows_done bigint,
  add column rows_total bigint,
  add column bytes_done bigint,
  add column step_began_at timestamptz,
  add column alive_at timestamptz,
  drop constraint import_state,
  add constraint import_state check (
    state in (
      'uploading', 'uploaded', 'checking', 'checked', 'importing', 'done', 'failed', 'cancelled', 'rolling_back', 'rolled_back'
    )
  ),
  add constraint import_done_is_counted check (
    state not in ('done', 'rolling_back', 'rolled_back')
    or (rows_read is not null and rows_new is not null and rows_changed is not null and rows_unchanged is not null
      and rows_duplicate is not null and rows_refused is not null and finished_at is not null)
  ),
  add constraint import_file_reserved check (file_reserved_bytes >= 0);

-- The owner of the schema is held by row security too, and this must reach every row.
alter table import no force row level security;
update import set created_at = started_at;
alter table import force row level security;

-- The history pages by id, which is made when the import is.
drop index import_by_time;
-- What a worker looks after: work that is under way, and files.
create index import_under_way on import (tenant_id, state) where state in ('uploading', 'checking', 'importing', 'rolling_back');
create index import_with_file on import (tenant_id) where file_reserved_bytes > 0;
create index import_by_content on import (tenant_id, file_sha256) where file_sha256 is not null;

-- A worker finds what to sweep in all tenants; what it does then, it does inside the one tenant.
create policy import_seen_by_worker on import for select
  using ((select rtv_actor()) = 'worker');

-- From which import a changed post was taken: the import that may not be rolled back any more. A column and not an
-- index on the expression, because row security keeps the planner from using one.
alter table import_change
  add column before_import_id uuid generated always as ((before ->> 'import_id')::uuid) stored;
create index import_change_by_before on import_change (tenant_id, before_import_id) where before_import_id is not null;

create table saved_mapping (
  tenant_id uuid not null,
  name text not null,
  -- The form as it was filled in.
  draft jsonb not null,
  actor_label text not null,
  used bigint not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint saved_mapping_key primary key (tenant_id, name),
  constraint saved_mapping_tenant foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint saved_mapping_name_length check (length(name) between 1 and 80)
);
alter table saved_mapping enable row level security;
alter table saved_mapping force row level security;
create policy saved_mapping_of_tenant on saved_mapping
  using (tenant_id = (select rtv_tenant()))
  with check (tenant_id = (select rtv_tenant()));
grant select, insert, update, delete on saved_mapping to rtv_app;
