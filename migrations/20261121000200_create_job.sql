-- The queue of rtv-jobs. A job is enqueued in the transaction of what causes it, claimed by a worker for the length of
-- a lease that the worker renews, and finished only by the worker that holds its newest fence.

create table job (
  id uuid primary key,
  kind text not null,
  payload jsonb not null,
  -- Null for work of the operator.
  tenant_id uuid,
  -- Where the job waits; lanes take turns. A column of its own and not an index on the expression, because row
  -- security keeps the planner from using such an index: coalesce is not known to be leakproof, and claiming from
  -- 80,000 jobs took half a minute.
  lane uuid not null generated always as (coalesce(tenant_id, '00000000-0000-0000-0000-000000000000'::uuid)) stored,
  -- Smaller goes first, among the jobs of one tenant.
  priority smallint not null default 0,
  run_at timestamptz not null default now(),
  -- Runs that were begun, without those that a stopping worker gave back.
  attempts integer not null default 0,
  max_attempts integer not null,
  unique_key text,
  locked_by text,
  locked_at timestamptz,
  -- Renewed by the worker's heartbeat; once it has passed, the job goes to another worker.
  lease_expires_at timestamptz,
  -- Grows with every claim and never falls: who holds an older one may no longer write.
  fence bigint not null default 0,
  last_error text,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  outcome text,
  constraint job_kind_length check (length(kind) between 1 and 100),
  constraint job_unique_key_length check (length(unique_key) between 1 and 300),
  constraint job_attempts_range check (attempts >= 0 and max_attempts >= 1),
  constraint job_outcome check (outcome in ('done', 'failed')),
  constraint job_finished_has_outcome check ((finished_at is null) = (outcome is null)),
  constraint job_lock_is_whole check (
    (locked_by is null) = (locked_at is null)
    and (locked_by is null) = (lease_expires_at is null)
  ),
  constraint job_finished_is_unlocked check (finished_at is null or locked_by is null)
);

comment on table job is 'Work to be done by workers: at least once each, in turns between tenants.';
comment on column job.fence is 'Number of the claim. Writing a result needs the fence of the newest claim.';
comment on column job.outcome is 'done or failed; the reason of a failure is in last_error.';

-- The tenant leads, so that nobody learns of or blocks another tenant's key.
create unique index job_unique_key_unfinished on job (tenant_id, kind, unique_key) nulls not distinct
  where finished_at is null and unique_key is not null;

-- Claims walk the lanes and take the first of each; hence one index that starts with the lane.
create index job_unfinished_by_lane on job (lane, priority, run_at, id) where finished_at is null;
create index job_claimed on job (lease_expires_at) where lease_expires_at is not null;
create index job_finished on job (finished_at) where finished_at is not null;

alter table job enable row level security;
alter table job force row level security;

create policy job_of_worker on job
  using ((select rtv_actor()) = 'worker')
  with check ((select rtv_actor()) = 'worker');
create policy job_seen_by_tenant on job for select
  using ((select rtv_actor()) = 'tenant' and tenant_id = (select rtv_tenant()));
create policy job_added_by_tenant on job for insert
  with check ((select rtv_actor()) = 'tenant' and tenant_id = (select rtv_tenant()));
create policy job_seen_by_staff on job for select
  using ((select rtv_actor()) = 'staff');
create policy job_added_by_staff on job for insert
  with check ((select rtv_actor()) = 'staff');

grant select, insert, update, delete on job to rtv_app;
