-- Kill switches, the processes that send and acknowledge them, the history with receipts, releases that wait for a second
-- person, and drills.
--
-- A switch is a row that exists before it is needed, so that engaging it is one update of one row: the new version goes into the
-- same page (a HOT update), for which pages are kept almost empty, texts are kept in the row, and no index holds a column that a
-- flip changes. So it succeeds on a full disk, and two flips never wait for each other. Feature flags share nothing with this.
--
-- Two values of rtv.actor see switches beyond those of a tenant:
--   'gate'    reads and flips all of them: the lease loop, the recorder, and staff
--   'sender'  reads them: a worker that claims deliveries in all tenants

create table kill_switch (
  -- The operator's switches stand under the nil UUID.
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  kind text not null,
  platform text,
  action text,
  account_id uuid,
  campaign_id uuid,
  scope text not null generated always as (
    case kind
      when 'part' then 'part:' || coalesce(platform, '*') || ':' || coalesce(action, '*')
      when 'account' then 'account:' || account_id::text
      when 'campaign' then 'campaign:' || campaign_id::text
      else kind
    end
  ) stored,
  -- From here on: what a flip changes.
  is_engaged boolean not null default false,
  -- Counts the flips of this row. The sum over all rows, as one snapshot sees it, is the epoch of everything.
  epoch bigint not null default 0,
  -- Up to which flip the history and the audit log have it.
  recorded_epoch bigint not null default 0,
  -- The halt that the newest engagement is; the history has it under this id.
  halt_id uuid,
  engaged_at timestamptz,
  -- The database's own clock when the request to engage had arrived: what leases are measured by, too.
  clicked_at timestamptz,
  actor_kind text,
  actor_id uuid,
  actor_label text,
  -- Only staff release it.
  is_staff boolean not null default false,
  is_automatic boolean not null default false,
  reason text,
  note text,
  ticket text,
  review_at timestamptz,
  reminded_at timestamptz,
  address inet,
  user_agent text,
  request_id text,
  constraint kill_switch_key primary key (tenant_id, id),
  constraint kill_switch_scope_unique unique (tenant_id, scope),
  constraint kill_switch_account foreign key (tenant_id, account_id) references account (tenant_id, id) on delete cascade,
  constraint kill_switch_campaign foreign key (tenant_id, campaign_id) references campaign (tenant_id, id) on delete cascade,
  constraint kill_switch_kind check (kind in ('everything', 'part', 'account', 'campaign', 'drill', 'retired')),
  constraint kill_switch_shape check (
    (kind = 'account') = (account_id is not null)
    and (kind = 'campaign') = (campaign_id is not null)
    and (kind = 'part' or (platform is null and action is null))
    and (kind not in ('everything', 'drill', 'retired') or tenant_id = '00000000-0000-0000-0000-000000000000')
    and (kind not in ('account', 'campaign') or tenant_id <> '00000000-0000-0000-0000-000000000000')
  ),
  constraint kill_switch_has_facts check (
    not is_engaged
    or (
      halt_id is not null and engaged_at is not null and clicked_at is not null and actor_kind is not null
      and actor_label is not null and reason is not null and review_at is not null
    )
  ),
  constraint kill_switch_epochs check (recorded_epoch <= epoch),
  -- What the page that holds the row must have room for.
  constraint kill_switch_lengths check (
    length(note) <= 500 and length(ticket) <= 200 and length(user_agent) <= 200 and length(actor_label) <= 200
    and length(request_id) <= 100
  )
) with (fillfactor = 20);

do $$
declare
  name text;
begin
  foreach name in array array['scope', 'actor_kind', 'actor_label', 'reason', 'note', 'ticket', 'user_agent', 'request_id'] loop
    execute format('alter table kill_switch alter column %I set storage main', name);
  end loop;
end
$$;

-- A process that sends. Its lease, as written here, ends after the one that it holds itself: once this one has lapsed, nothing
-- that does not know the present switches leaves it.
create table sender (
  id uuid not null,
  name text not null,
  started_at timestamptz not null default clock_timestamp(),
  acknowledged_epoch bigint not null default 0,
  -- When that epoch was first acknowledged.
  acknowledged_at timestamptz,
  lease_expires_at timestamptz not null,
  constraint sender_key primary key (id),
  constraint sender_name_length check (length(name) between 1 and 200)
) with (fillfactor = 30);

-- Files that halt a sender, as it reports them. Each stands with the tenant that it is about, or under the nil UUID.
create table sender_file (
  tenant_id uuid not null,
  sender_id uuid not null,
  name text not null,
  -- Null where the file cannot be read, which stops everything there.
  scope jsonb,
  reason text,
  note text,
  written_by text,
  written_at timestamptz,
  problem text,
  constraint sender_file_key primary key (tenant_id, sender_id, name),
  constraint sender_file_sender foreign key (sender_id) references sender (id) on delete cascade
);

-- Which of such files have engaged their switch, so that one that still lies there after a release does not engage it again.
create table halt_file (
  tenant_id uuid not null,
  name text not null,
  sha256 bytea not null,
  taken_over_at timestamptz not null,
  constraint halt_file_key primary key (tenant_id, name, sha256)
);

-- One time that a switch was engaged. It outlives the switch, hence no foreign key.
create table halt (
  tenant_id uuid not null,
  id uuid not null,
  switch_id uuid not null,
  -- Of the switch, when it was engaged.
  epoch bigint not null,
  kind text not null,
  platform text,
  action text,
  account_id uuid,
  campaign_id uuid,
  -- What it was called then: names of accounts change.
  scope_name text not null,
  engaged_at timestamptz not null,
  clicked_at timestamptz not null,
  actor_kind text not null,
  actor_id uuid,
  actor_label text not null,
  is_staff boolean not null,
  is_automatic boolean not null,
  reason text not null,
  note text,
  ticket text,
  -- An epoch of everything that has this flip in it: whoever has acknowledged it knows of the halt. Null until somebody has
  -- written it who sees all switches.
  needed_epoch bigint,
  -- When the last sender had acknowledged it, or its lease had lapsed.
  halted_at timestamptz,
  -- What each sender of that time did: name, and when it acknowledged or lapsed.
  senders jsonb,
  -- When the receipt was complete; it does not change afterwards.
  completed_at timestamptz,
  released_at timestamptz,
  released_by text,
  approved_by text,
  release_reason text,
  constraint halt_key primary key (tenant_id, id),
  constraint halt_epoch_unique unique (tenant_id, switch_id, epoch),
  constraint halt_complete check (halted_at is null or needed_epoch is not null),
  constraint halt_completed check (completed_at is null or (halted_at is not null and senders is not null))
);
create index halt_by_time on halt (tenant_id, engaged_at desc, id desc);
create index halt_incomplete on halt (id) where completed_at is null;

-- What a halt held and caught in flight, for whoever it is about: the whole under the switch's own tenant or the nil UUID, and for each
-- tenant that a switch of the operator met its own part.
create table halt_receipt (
  tenant_id uuid not null,
  halt_id uuid not null,
  receipt jsonb not null,
  constraint halt_receipt_key primary key (tenant_id, halt_id)
);

-- A release that waits for a person. It is bound to the switch and its epoch, and ends after ten minutes.
create table switch_release (
  tenant_id uuid not null,
  id uuid not null,
  switch_id uuid not null,
  epoch bigint not null,
  reason text not null,
  -- What becomes of deliveries that are overdue, for each account.
  plan jsonb not null,
  asked_at timestamptz not null,
  expires_at timestamptz not null,
  asked_by text not null,
  -- The first of two persons: who asked, unless a program did. A person is told apart by this and not by the name.
  first_person text,
  first_by text,
  is_staff boolean not null,
  outcome text,
  settled_at timestamptz,
  settled_by text,
  constraint switch_release_key primary key (tenant_id, id),
  constraint switch_release_switch foreign key (tenant_id, switch_id) references kill_switch (tenant_id, id) on delete cascade,
  constraint switch_release_outcome check (outcome in ('released', 'withdrawn', 'replaced')),
  constraint switch_release_settled check ((outcome is null) = (settled_at is null)),
  constraint switch_release_reason_length check (length(reason) between 1 and 500)
);
create index switch_release_open on switch_release (tenant_id, switch_id) where outcome is null;

-- One measurement of how fast a halt is: a switch that covers nothing is flipped, and every sender acknowledges.
create table switch_drill (
  id uuid not null,
  at timestamptz not null,
  drilled_by text not null,
  senders integer not null,
  rounds integer not null,
  p50_ms double precision not null,
  p95_ms double precision not null,
  most_ms double precision not null,
  constraint switch_drill_key primary key (id),
  constraint switch_drill_rounds check (rounds > 0 and senders > 0)
);
create index switch_drill_by_time on switch_drill (at desc);

-- What each tenant has: every platform or all, times every action or all; then what has no tenant.
create function rtv_make_switches(for_tenant uuid) returns void
  language sql
begin atomic
  insert into kill_switch (tenant_id, kind, platform, action)
  select for_tenant, 'part', platform, action
  from unnest(array[null, 'x', 'linkedin', 'instagram', 'facebook', 'bluesky', 'mastodon', 'sandbox']) as platform
  cross join unnest(array[null, 'publish', 'reply', 'message', 'react', 'delete']) as action;
end;

alter table tenant no force row level security;
alter table account no force row level security;
alter table campaign no force row level security;
select rtv_make_switches('00000000-0000-0000-0000-000000000000');
insert into kill_switch (tenant_id, kind)
select '00000000-0000-0000-0000-000000000000', kind from unnest(array['everything', 'drill', 'retired']) as kind;
select rtv_make_switches(id) from tenant;
insert into kill_switch (tenant_id, kind, account_id) select tenant_id, 'account', id from account;
insert into kill_switch (tenant_id, kind, campaign_id) select tenant_id, 'campaign', id from campaign;
alter table tenant force row level security;
alter table account force row level security;
alter table campaign force row level security;

create function rtv_switches_of_tenant() returns trigger
  language plpgsql
as $$
begin
  perform public.rtv_make_switches(new.id);
  return null;
end
$$;
create trigger switches_of_tenant after insert on tenant
  for each row execute function rtv_switches_of_tenant();

create function rtv_switch_of_account() returns trigger
  language plpgsql
as $$
begin
  insert into public.kill_switch (tenant_id, kind, account_id) values (new.tenant_id, 'account', new.id);
  return null;
end
$$;
create trigger switch_of_account after insert on account
  for each row execute function rtv_switch_of_account();

create function rtv_switch_of_campaign() returns trigger
  language plpgsql
as $$
begin
  insert into public.kill_switch (tenant_id, kind, campaign_id) values (new.tenant_id, 'campaign', new.id);
  return null;
end
$$;
create trigger switch_of_campaign after insert on campaign
  for each row execute function rtv_switch_of_campaign();

-- A tenant takes its switches along. There is no foreign key, because the operator's rows have no tenant.
create function rtv_remove_switches() returns trigger
  language plpgsql
as $$
declare
  tenant_before text := current_setting('rtv.tenant_id', true);
begin
  perform set_config('rtv.tenant_id', old.id::text, true);
  delete from public.kill_switch where tenant_id = old.id;
  perform set_config('rtv.tenant_id', coalesce(tenant_before, ''), true);
  return old;
end
$$;
create trigger remove_switches before delete on tenant
  for each row execute function rtv_remove_switches();

-- The epoch of everything never falls, and removing a switch that was ever flipped counts as a flip. The row that takes it is
-- never flipped itself, so no flip waits for whoever removes something.
create function rtv_retire_switch() returns trigger
  language plpgsql
as $$
declare
  tenant_before text := current_setting('rtv.tenant_id', true);
begin
  if old.epoch > 0 then
    perform set_config('rtv.tenant_id', '00000000-0000-0000-0000-000000000000', true);
    update public.kill_switch
    set epoch = epoch + old.epoch + 1, recorded_epoch = epoch + old.epoch + 1
    where tenant_id = '00000000-0000-0000-0000-000000000000' and scope = 'retired';
    perform set_config('rtv.tenant_id', coalesce(tenant_before, ''), true);
  end if;
  return old;
end
$$;
create trigger retire_switch before delete on kill_switch
  for each row execute function rtv_retire_switch();

-- The rule of rtv_core::Scope::covers; a test holds that both say the same.
create function rtv_switch_covers(
  kind text, of_tenant uuid, of_platform text, of_action text, of_account uuid, of_campaign uuid,
  tenant uuid, platform text, action text, account uuid, campaign uuid
) returns boolean
  language sql immutable parallel safe
  return case kind
    when 'everything' then true
    when 'part' then
      (of_tenant = '00000000-0000-0000-0000-000000000000' or of_tenant = tenant)
      and (of_platform is null or of_platform = platform)
      and case when of_action is null then action <> 'delete' else of_action = action end
    when 'account' then of_tenant = tenant and of_account = account and action <> 'delete'
    when 'campaign' then of_tenant = tenant and coalesce(of_campaign = campaign, false) and action <> 'delete'
    else false
  end;

-- An engaged switch that covers the operation, the widest first; null where none does. By keys alone, however many there are.
create function rtv_covering_switch(
  of_tenant uuid, of_platform text, of_action text, of_account uuid, of_campaign uuid
) returns uuid
  language sql stable parallel safe
begin atomic
  select found.id
  from (
    select kill_switch.id, case kill_switch.kind when 'everything' then 0 else 1 end as place
    from kill_switch
    where kill_switch.tenant_id = '00000000-0000-0000-0000-000000000000' and kill_switch.is_engaged
      and kill_switch.scope = any (
        case when of_action = 'delete'
          then array['everything', 'part:*:delete', 'part:' || of_platform || ':delete']
          else array['everything', 'part:*:*', 'part:' || of_platform || ':*', 'part:*:' || of_action, 'part:' || of_platform || ':' || of_action]
        end
      )
    union all
    select kill_switch.id, case kill_switch.kind when 'part' then 2 else 3 end
    from kill_switch
    where kill_switch.tenant_id = of_tenant and kill_switch.is_engaged
      and kill_switch.scope = any (
        case when of_action = 'delete'
          then array['part:*:delete', 'part:' || of_platform || ':delete']
          else array[
            'part:*:*', 'part:' || of_platform || ':*', 'part:*:' || of_action, 'part:' || of_platform || ':' || of_action,
            'account:' || of_account::text, 'campaign:' || of_campaign::text
          ]
        end
      )
  ) as found
  order by found.place
  limit 1;
end;

alter table kill_switch enable row level security;
alter table kill_switch force row level security;
create policy kill_switch_of_tenant on kill_switch
  using (tenant_id = (select rtv_tenant()))
  with check (tenant_id = (select rtv_tenant()));
-- What the operator halts, it halts for every tenant, and each may know of it: who, when and why.
create policy kill_switch_of_operator on kill_switch for select
  using (
    tenant_id = '00000000-0000-0000-0000-000000000000' and kind in ('everything', 'part')
    and (select rtv_tenant()) is not null
  );
create policy kill_switch_seen_by_gate on kill_switch for select
  using ((select rtv_actor()) in ('gate', 'sender'));
create policy kill_switch_flipped_by_gate on kill_switch for update
  using ((select rtv_actor()) = 'gate')
  with check ((select rtv_actor()) = 'gate');
grant select, insert, update on kill_switch to rtv_app;

alter table sender enable row level security;
alter table sender force row level security;
create policy sender_of_gate on sender
  using ((select rtv_actor()) = 'gate')
  with check ((select rtv_actor()) = 'gate');
-- Whether everything has halted is for everybody who may see a switch.
create policy sender_seen_by_others on sender for select
  using ((select rtv_actor()) = 'sender' or (select rtv_tenant()) is not null);
grant select, insert, update, delete on sender to rtv_app;

alter table halt enable row level security;
alter table halt force row level security;
create policy halt_of_tenant on halt
  using (tenant_id = (select rtv_tenant()))
  with check (tenant_id = (select rtv_tenant()));
create policy halt_of_operator on halt for select
  using (
    tenant_id = '00000000-0000-0000-0000-000000000000' and kind in ('everything', 'part')
    and (select rtv_tenant()) is not null
  );
create policy halt_of_gate on halt
  using ((select rtv_actor()) = 'gate')
  with check ((select rtv_actor()) = 'gate');
grant select, insert, update on halt to rtv_app;

do $$
declare
  name text;
begin
  foreach name in array array['sender_file', 'halt_file', 'halt_receipt', 'switch_release'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format(
      'create policy %I on %I using (tenant_id = (select rtv_tenant())) with check (tenant_id = (select rtv_tenant()))',
      name || '_of_tenant', name
    );
    execute format(
      'create policy %I on %I using ((select rtv_actor()) = ''gate'') with check ((select rtv_actor()) = ''gate'')',
      name || '_of_gate', name
    );
    execute format('grant select, insert, update, delete on %I to rtv_app', name);
  end loop;
end
$$;
-- A file that halts everything, or a platform, halts every tenant, and each may know of it.
create policy sender_file_of_operator on sender_file for select
  using (tenant_id = '00000000-0000-0000-0000-000000000000' and (select rtv_tenant()) is not null);

alter table switch_drill enable row level security;
alter table switch_drill force row level security;
create policy switch_drill_of_gate on switch_drill
  using ((select rtv_actor()) = 'gate')
  with check ((select rtv_actor()) = 'gate');
create policy switch_drill_seen_by_tenants on switch_drill for select
  using ((select rtv_tenant()) is not null);
grant select, insert on switch_drill to rtv_app;

-- The names of what is halted, and who is reminded of it.
create policy tenant_for_gate on tenant for select using ((select rtv_actor()) = 'gate');
create policy account_for_gate on account for select using ((select rtv_actor()) = 'gate');
create policy campaign_for_gate on campaign for select using ((select rtv_actor()) = 'gate');
create policy staff_member_for_gate on staff_member for select using ((select rtv_actor()) = 'gate');
create policy app_user_for_gate on app_user for select
  using (
    (select rtv_actor()) = 'gate'
    and exists (select 1 from staff_member where staff_member.user_id = app_user.id)
  );

do $$
declare
  name text;
begin
  foreach name in array array['kill_switch', 'sender', 'sender_file', 'halt_file', 'halt', 'halt_receipt', 'switch_release', 'switch_drill'] loop
    execute format(
      'create trigger refuse_change_while_reading before insert or update or delete on %I
       for each statement execute function rtv_refuse_change()',
      name
    );
  end loop;
end
$$;
