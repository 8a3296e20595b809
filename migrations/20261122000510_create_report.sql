-- Reports: what was built, each save as a version, what was made of them, and the files of that.

create table report (
  tenant_id uuid not null,
  id uuid not null,
  -- As in the newest version, for lists.
  name text not null,
  -- Number of the newest version.
  version bigint not null default 1,
  created_at timestamptz not null,
  created_by text not null,
  updated_at timestamptz not null,
  changed_by text not null,
  -- A deleted report can be brought back; its runs stay.
  deleted_at timestamptz,
  is_sample boolean not null default false,
  constraint report_key primary key (tenant_id, id),
  constraint report_tenant foreign key (tenant_id) references tenant (id) on delete cascade
);
create index report_by_change on report (tenant_id, updated_at desc, id desc) where deleted_at is null;

create table report_version (
  tenant_id uuid not null,
  report_id uuid not null,
  number bigint not null,
  definition jsonb not null,
  -- What was done, as a phrase.
  summary text not null,
  -- The version that undoing this one leads back to, and the one that doing it again leads to.
  undo_to bigint,
  redo_to bigint,
  created_at timestamptz not null,
  created_by text not null,
  is_sample boolean not null default false,
  constraint report_version_key primary key (tenant_id, report_id, number),
  constraint report_version_report foreign key (tenant_id, report_id) references report (tenant_id, id) on delete cascade
);

create table report_run (
  tenant_id uuid not null,
  id uuid not null,
  report_id uuid not null,
  version bigint not null,
  -- As the report was called then.
  name text not null,
  -- A filter as addresses write it, with the days that were meant.
  parameters text not null,
  -- What its author saw was narrowed to these teams; empty: to nothing.
  teams uuid[] not null default '{}',
  zone text not null,
  period_from date not null,
  period_to date not null,
  state text not null default 'queued',
  -- What it is at, as a phrase, and how many of how many steps are done.
  step text,
  steps_done integer not null default 0,
  steps_total integer not null default 0,
  author text not null,
  author_id uuid,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  -- When the facts had changed last.
  as_of timestamptz,
  row_count bigint,
  page_count integer,
  -- The typed result, from which every format is made, also again.
  result bytea,
  -- What formats could not hold, as sentences.
  notes jsonb not null default '[]',
  failure text,
  is_sample boolean not null default false,
  constraint report_run_key primary key (tenant_id, id),
  constraint report_run_version foreign key (tenant_id, report_id, version) references report_version (tenant_id, report_id, number) on delete cascade,
  constraint report_run_state check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
  constraint report_run_done check (state <> 'done' or (result is not null and finished_at is not null)),
  constraint report_run_failed check ((state = 'failed') = (failure is not null))
) with (fillfactor = 80);
create index report_run_by_report on report_run (tenant_id, report_id, created_at desc, id desc);
create index report_run_by_time on report_run (tenant_id, created_at desc, id desc);

-- A row stands for a whole file: it is written when the file is, in the transaction that ends the run.
create table report_file (
  tenant_id uuid not null,
  run_id uuid not null,
  format text not null,
  -- Number of the table of a CSV; 1 of the others.
  part integer not null,
  title text not null,
  file_name text not null,
  size_bytes bigint not null,
  sha256 bytea not null,
  created_at timestamptz not null,
  -- When it was taken from the disk; the run's result can make it again.
  removed_at timestamptz,
  constraint report_file_key primary key (tenant_id, run_id, format, part),
  constraint report_file_run foreign key (tenant_id, run_id) references report_run (tenant_id, id) on delete cascade,
  constraint report_file_format check (format in ('pdf', 'xlsx', 'csv'))
);

do $$
declare
  name text;
begin
  foreach name in array array['report', 'report_version', 'report_run', 'report_file'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format(
      'create policy %I on %I using (tenant_id = (select rtv_tenant())) with check (tenant_id = (select rtv_tenant()))',
      name || '_of_tenant', name
    );
    execute format('grant select, insert, update, delete on %I to rtv_app', name);
    execute format(
      'create trigger refuse_change_while_reading before insert or update or delete on %I
       for each statement execute function rtv_refuse_change()',
      name
    );
  end loop;
end
$$;
-- The sweep finds runs that nobody works at and files whose time is over; it deals with each inside its tenant.
create policy report_run_seen_by_worker on report_run for select using ((select rtv_actor()) = 'worker');
create policy report_file_seen_by_worker on report_file for select using ((select rtv_actor()) = 'worker');
create index report_run_open on report_run (created_at) where state in ('queued', 'running');
create index report_file_by_age on report_file (created_at) where removed_at is null;
