-- Sealing of the audit log: events stay append-only and are inserted without waiting on each other; a sealer per chain
-- numbers them without gaps, links them by SHA-256 and signs heads. A chain is a tenant's, or the operator's, whose
-- tenant_id is the nil UUID. Two more values of rtv.actor, each with the chain in rtv.tenant_id:
--   'sealer'     takes events out of audit_unsealed and adds seals and heads
--   'retention'  takes the payload out of events that are sealed and older than the chain's days
-- What is hashed, byte for byte, stands in crates/rtv-domain/src/audit/chain.rs.

-- Without it the hash of a payload that has been dropped could be tried out: there are only so many addresses. It is
-- part of the payload and goes with it, so a null says that the payload was dropped.
alter table audit_event
  add column payload_salt uuid default gen_random_uuid(),
  add constraint audit_event_payload_whole check (
    payload_salt is not null
    or (detail is null and before is null and after is null and address is null and user_agent is null)
  );
comment on column audit_event.payload_salt is 'Null once retention has dropped the payload; its hash stays in audit_seal.';

-- One for each filter of the page, each in the order of the page, so that the first rows are found without sorting.
create index audit_event_by_actor on audit_event (tenant_id, actor_label, occurred_at desc, id desc);
create index audit_event_by_action on audit_event (tenant_id, action, occurred_at desc, id desc);
create index audit_event_by_kind on audit_event (tenant_id, resource_kind, occurred_at desc, id desc);
create index audit_event_by_resource on audit_event (tenant_id, resource_id, occurred_at desc, id desc);
create index audit_event_by_result on audit_event (tenant_id, result, occurred_at desc, id desc) where result <> 'success';
create index audit_event_by_address on audit_event (tenant_id, address, occurred_at desc, id desc) where address is not null;

-- Events that wait to be sealed. A row comes with its event and is seen when the event is, so an event whose transaction
-- commits late is sealed late and never passed over.
create table audit_unsealed (
  tenant_id uuid not null,
  event_id uuid not null,
  occurred_at timestamptz not null,
  constraint audit_unsealed_key primary key (tenant_id, event_id)
);

create table audit_seal (
  tenant_id uuid not null,
  -- From 1, without gaps, in the order of sealing.
  seq bigint not null,
  event_id uuid not null,
  payload_hash bytea not null,
  chain_hash bytea not null,
  sealed_at timestamptz not null,
  constraint audit_seal_key primary key (tenant_id, seq),
  constraint audit_seal_event_unique unique (tenant_id, event_id),
  constraint audit_seal_seq check (seq > 0),
  constraint audit_seal_hashes check (length(payload_hash) = 32 and length(chain_hash) = 32)
);

create table audit_head (
  tenant_id uuid not null,
  seq bigint not null,
  chain_hash bytea not null,
  signed_at timestamptz not null,
  -- First 16 hexadecimal digits of the SHA-256 of the public key.
  key_id text not null,
  signature bytea not null,
  constraint audit_head_key primary key (tenant_id, seq),
  constraint audit_head_signature check (length(chain_hash) = 32 and length(signature) = 64)
);

-- The tip of each chain: whoever holds its row is the chain's only sealer.
create table audit_chain (
  tenant_id uuid not null,
  seq bigint not null default 0,
  chain_hash bytea not null default decode(repeat('00', 32), 'hex'),
  signed_seq bigint not null default 0,
  signed_at timestamptz,
  constraint audit_chain_key primary key (tenant_id),
  constraint audit_chain_order check (seq >= signed_seq and signed_seq >= 0)
);

-- How long payloads are kept; without a row 365 days.
create table audit_retention (
  tenant_id uuid not null,
  days integer not null default 365,
  -- Payloads of events before this instant have been dropped.
  dropped_before timestamptz,
  -- Counts changes of the days, so that the later of two editors is told.
  version bigint not null default 0,
  changed_by text,
  changed_at timestamptz,
  constraint audit_retention_key primary key (tenant_id),
  constraint audit_retention_days check (days between 30 and 3650)
);

-- In the same statement as the event, whoever inserts it. Named with its schema, because whoever may make temporary
-- tables could put one of that name before it.
create function audit_event_waits() returns trigger
  language plpgsql
  as $$
  begin
    insert into public.audit_unsealed (tenant_id, event_id, occurred_at)
    select tenant_id, id, occurred_at from added;
    return null;
  end
  $$;
create trigger audit_event_waits after insert on audit_event
  referencing new table as added
  for each statement execute function audit_event_waits();

-- Row security binds the owner too, who has no tenant: what is already there is queued with it set aside.
alter table audit_event no force row level security;
insert into audit_unsealed (tenant_id, event_id, occurred_at) select tenant_id, id, occurred_at from audit_event;
alter table audit_event force row level security;

do $$
declare
  name text;
begin
  foreach name in array array['audit_unsealed', 'audit_seal', 'audit_head', 'audit_chain', 'audit_retention'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
  end loop;
  foreach name in array array['audit_unsealed', 'audit_seal', 'audit_head', 'audit_chain'] loop
    execute format(
      'create policy %I on %I for select using (tenant_id = (select rtv_tenant()))', name || '_of_tenant', name
    );
    execute format(
      'create policy %I on %I for select using ((select rtv_actor()) = ''staff'' and tenant_id = ''00000000-0000-0000-0000-000000000000'')',
      name || '_of_operator', name
    );
  end loop;
  foreach name in array array['audit_seal', 'audit_head', 'audit_chain'] loop
    execute format(
      'create policy %I on %I for insert with check ((select rtv_actor()) = ''sealer'' and tenant_id = (select rtv_tenant()))',
      name || '_added', name
    );
  end loop;
  -- A worker finds out which chains have something to do, and does it inside each.
  foreach name in array array['audit_unsealed', 'audit_chain'] loop
    execute format(
      'create policy %I on %I for select using ((select rtv_actor()) = ''worker'')', name || '_seen_by_worker', name
    );
  end loop;
end
$$;

-- The same as for the event that it comes with.
create policy audit_unsealed_added on audit_unsealed for insert
  with check (
    tenant_id = (select rtv_tenant())
    or (
      tenant_id = '00000000-0000-0000-0000-000000000000'
      and (select rtv_actor()) in ('sign_in', 'person', 'staff', 'worker')
    )
  );
create policy audit_unsealed_sealed on audit_unsealed for delete
  using ((select rtv_actor()) = 'sealer' and tenant_id = (select rtv_tenant()));
create policy audit_chain_moved on audit_chain for update
  using ((select rtv_actor()) = 'sealer' and tenant_id = (select rtv_tenant()))
  with check ((select rtv_actor()) = 'sealer' and tenant_id = (select rtv_tenant()));
create policy audit_retention_of_tenant on audit_retention
  using (tenant_id = (select rtv_tenant()))
  with check (tenant_id = (select rtv_tenant()));

-- The only change that an event can undergo: its whole payload goes, after it has been sealed and its time is over by the
-- database's own clock. What it was is still known by its hash.
create policy audit_event_dropped on audit_event for update
  using (
    (select rtv_actor()) = 'retention'
    and tenant_id = (select rtv_tenant())
    and occurred_at < (
      select now() - make_interval(days => coalesce(max(audit_retention.days), 365))
      from audit_retention
      where audit_retention.tenant_id = (select rtv_tenant())
    )
    and exists (
      select 1
      from audit_seal
      where audit_seal.tenant_id = audit_event.tenant_id and audit_seal.event_id = audit_event.id
    )
  )
  with check ((select rtv_actor()) = 'retention' and tenant_id = (select rtv_tenant()) and payload_salt is null);

grant update (payload_salt, detail, before, after, address, user_agent) on audit_event to rtv_app;
grant select, insert, delete on audit_unsealed to rtv_app;
grant select, insert on audit_seal, audit_head, audit_chain, audit_retention to rtv_app;
grant update (seq, chain_hash, signed_seq, signed_at) on audit_chain to rtv_app;
grant update (days, dropped_before, version, changed_by, changed_at) on audit_retention to rtv_app;
