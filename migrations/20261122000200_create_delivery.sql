-- Content, its deliveries, each attempt to send one, the tokens of accounts, and what of the platforms' rates is taken.
--
-- A worker that sends sees these tables in all tenants by the marker rtv.actor = 'sender', and nothing else of a tenant but
-- the tenant itself and its accounts; what halts and releases sees them by 'gate'. What it adds to a tenant's posts and log it adds when it has turned to that tenant.

-- Sends nothing but to the platform `sandbox`; its figures stay out of KPIs and of what the plan counts.
alter table tenant add column is_sandbox boolean not null default false;

-- What is to be posted. What has left cannot be edited any more; before that an edit voids every approval.
create table content (
  tenant_id uuid not null,
  id uuid not null,
  campaign_id uuid,
  body text not null,
  link text,
  -- Counts changes, so that the later of two editors is told and an approval names what it saw.
  version bigint not null default 1,
  created_at timestamptz not null default now(),
  created_by_id uuid,
  created_by text not null,
  updated_at timestamptz not null default now(),
  changed_by text not null,
  -- Why a reviewer gave it back, until it is submitted again.
  returned_note text,
  returned_at timestamptz,
  returned_by text,
  is_sample boolean not null default false,
  constraint content_key primary key (tenant_id, id),
  constraint content_tenant foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint content_campaign foreign key (tenant_id, campaign_id) references campaign (tenant_id, id),
  constraint content_body_length check (length(body) between 1 and 100000),
  constraint content_link_length check (length(link) between 1 and 2000),
  constraint content_returned_note_length check (length(returned_note) <= 1000)
);
create index content_by_time on content (tenant_id, created_at desc, id desc);

-- One content to one account at one time.
create table delivery (
  tenant_id uuid not null,
  id uuid not null,
  content_id uuid not null,
  account_id uuid not null,
  -- As in the content and the account, which do not change theirs once there is a delivery.
  campaign_id uuid,
  platform text not null,
  state text not null default 'draft',
  -- When it was meant to go out, which the approval covers.
  scheduled_at timestamptz not null,
  -- When it is to go out: the same, until somebody decides otherwise. 15 minutes later it is missed.
  due_at timestamptz not null,
  -- Not before this: a rate, a pause before another attempt, a ramp.
  not_before timestamptz,
  -- Why not before it, for people.
  wait_reason text,
  ready_at timestamptz not null generated always as (greatest(due_at, not_before)) stored,
  -- Number of the newest attempt; what an older one reports is refused.
  attempt_no integer not null default 0,
  -- From the intent to send until the platform's own list proves that it is not there.
  may_be_out boolean not null default false,
  submitted_at timestamptz,
  submitted_by text,
  -- The approval: of which version, of which bytes, for which account of the platform.
  approved_version bigint,
  approved_sha256 bytea,
  approved_remote_id text,
  approved_at timestamptz,
  approved_by_id uuid,
  approved_by text,
  -- What was approved, for the difference that is shown after an edit; it outlives the approval.
  approved_snapshot jsonb,
  hold_reason text,
  held_by_switch uuid,
  held_at timestamptz,
  -- What came of it last, in words for people.
  outcome text,
  outcome_at timestamptz,
  remote_id text,
  -- Looks for what may be out: from when on they prove something, how many there were, how many of those that prove found nothing.
  unknown_at timestamptz,
  looks_from timestamptz,
  looks smallint not null default 0,
  absent_looks smallint not null default 0,
  next_look_at timestamptz,
  confirmed_at timestamptz,
  -- When the platform says that it was published.
  published_at timestamptz,
  -- What it became in the figures; null before that and in sandbox tenants.
  post_id uuid,
  -- When people were told that it needs one of them.
  told_at timestamptz,
  -- Counts changes, so that the later of two people who decide is told.
  version bigint not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  is_sample boolean not null default false,
  constraint delivery_key primary key (tenant_id, id),
  constraint delivery_occurrence_unique unique (tenant_id, content_id, account_id, scheduled_at),
  constraint delivery_content foreign key (tenant_id, content_id) references content (tenant_id, id) on delete cascade,
  constraint delivery_account foreign key (tenant_id, account_id) references account (tenant_id, id),
  constraint delivery_campaign foreign key (tenant_id, campaign_id) references campaign (tenant_id, id),
  constraint delivery_state check (state in (
    'draft', 'in_review', 'approved', 'scheduled', 'claimed', 'sending', 'accepted', 'confirmed',
    'held', 'rejected', 'missed', 'unknown', 'needs_person', 'dropped'
  )),
  constraint delivery_hold check ((state = 'held') = (hold_reason is not null)),
  constraint delivery_hold_reason check (hold_reason in ('switch', 'local_file', 'wrong_account', 'approval', 'token', 'sandbox', 'platform')),
  constraint delivery_held_by_switch check (held_by_switch is null or hold_reason = 'switch'),
  -- What is on its way was approved.
  constraint delivery_approved check (state not in ('approved', 'scheduled', 'claimed', 'sending') or approved_sha256 is not null),
  -- What may be out is never ready to be sent.
  constraint delivery_not_twice check (not may_be_out or state not in ('draft', 'in_review', 'approved', 'scheduled', 'claimed'))
) with (fillfactor = 70);
create unique index delivery_remote_unique on delivery (tenant_id, account_id, remote_id) where remote_id is not null;
create index delivery_ready on delivery (tenant_id, ready_at, id) where state = 'scheduled';
create index delivery_due on delivery (due_at) where state = 'scheduled';
create index delivery_open on delivery (unknown_at) where state in ('unknown', 'accepted');
create index delivery_to_tell on delivery (tenant_id, updated_at)
  where told_at is null and (state = 'needs_person' or hold_reason = 'wrong_account');
create index delivery_told on delivery (tenant_id, told_at) where told_at is not null;
create index delivery_look on delivery (next_look_at) where next_look_at is not null;
create index delivery_by_time on delivery (tenant_id, due_at desc, id desc);
create index delivery_by_content on delivery (tenant_id, content_id);
create index delivery_by_account on delivery (tenant_id, account_id, state);
create index delivery_held on delivery (tenant_id, held_by_switch) where state = 'held';
-- What counts as a post of its month before it is one.
create index delivery_reserved on delivery (tenant_id, due_at)
  where post_id is null and state in ('scheduled', 'claimed', 'sending', 'accepted', 'unknown', 'held', 'missed', 'needs_person', 'confirmed');
create index delivery_to_post on delivery (tenant_id, confirmed_at) where state = 'confirmed' and post_id is null;

-- One attempt to send a delivery, with the permit that the gate takes for it.
create table attempt (
  tenant_id uuid not null,
  delivery_id uuid not null,
  attempt_no integer not null,
  account_id uuid not null,
  platform text not null,
  state text not null default 'claimed',
  permit uuid not null,
  sender_id uuid not null,
  -- SHA-256 of the text as the platform gets it.
  text_sha256 bytea not null,
  -- SHA-256 of text, account of the platform and key: what was meant to leave.
  request_sha256 bytea,
  idempotency_key text not null,
  -- The epoch of all switches that the claim has seen.
  switch_epoch bigint not null,
  claimed_at timestamptz not null,
  sending_at timestamptz,
  -- No byte leaves and no answer is waited for after it.
  deadline_at timestamptz not null,
  first_byte_at timestamptz,
  last_byte_at timestamptz,
  answered_at timestamptz,
  closed_at timestamptz,
  outcome text,
  detail text,
  remote_id text,
  author_remote_id text,
  -- Bytes left while the epoch moved or the lease ended.
  is_late_egress boolean not null default false,
  constraint attempt_key primary key (tenant_id, delivery_id, attempt_no),
  constraint attempt_permit_unique unique (tenant_id, permit),
  constraint attempt_delivery foreign key (tenant_id, delivery_id) references delivery (tenant_id, id) on delete cascade,
  constraint attempt_state check (state in (
    'claimed', 'sending', 'accepted', 'confirmed', 'unknown', 'absent', 'not_sent', 'rejected', 'dropped'
  ))
) with (fillfactor = 70);
-- One attempt of a delivery that may reach or have reached the platform.
create unique index attempt_one_open on attempt (tenant_id, delivery_id)
  where state in ('claimed', 'sending', 'unknown', 'accepted', 'confirmed');
-- Two of the same text to the same account could not be told apart when the platform's list is read.
create unique index attempt_one_of_text on attempt (tenant_id, account_id, text_sha256)
  where state in ('claimed', 'sending', 'unknown');
create index attempt_under_way on attempt (sender_id, deadline_at) where state in ('claimed', 'sending');
create index attempt_by_time on attempt (claimed_at);
create index attempt_by_account on attempt (tenant_id, account_id) where state = 'sending';

-- What happened to a delivery, for people.
create table delivery_event (
  tenant_id uuid not null,
  delivery_id uuid not null,
  id uuid not null,
  at timestamptz not null,
  what text not null,
  from_state text,
  to_state text not null,
  attempt_no integer not null,
  who text not null,
  detail text,
  constraint delivery_event_key primary key (tenant_id, delivery_id, id),
  constraint delivery_event_delivery foreign key (tenant_id, delivery_id) references delivery (tenant_id, id) on delete cascade
);

-- The token with which RTV acts as an account. It is sealed for tenant, account, account of the platform and version, so that
-- one that is moved to another row does not open there.
create table account_connection (
  tenant_id uuid not null,
  account_id uuid not null,
  sealed_token bytea not null,
  token_version bigint not null default 1,
  remote_id text not null,
  remote_name text not null,
  -- When the platform last said that this token is of this account, and of which version of it.
  verified_at timestamptz not null,
  verified_version bigint not null,
  problem text,
  problem_at timestamptz,
  connected_at timestamptz not null,
  connected_by text not null,
  is_sample boolean not null default false,
  constraint account_connection_key primary key (tenant_id, account_id),
  constraint account_connection_account foreign key (tenant_id, account_id) references account (tenant_id, id) on delete cascade
);

-- Posts that were reserved of a platform's rate in one window. The rate of a platform as a whole stands under the nil UUID.
create table rate_window (
  tenant_id uuid not null,
  platform text not null,
  account_id uuid not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  reserved integer not null,
  constraint rate_window_key primary key (tenant_id, platform, account_id, starts_at)
) with (fillfactor = 50);
create index rate_window_over on rate_window (ends_at);

do $$
declare
  name text;
begin
  foreach name in array array['content', 'delivery', 'attempt', 'delivery_event', 'account_connection', 'rate_window'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format(
      'create policy %I on %I using (tenant_id = (select rtv_tenant())) with check (tenant_id = (select rtv_tenant()))',
      name || '_of_tenant', name
    );
    execute format(
      'create policy %I on %I using ((select rtv_actor()) in (''sender'', ''gate'')) with check ((select rtv_actor()) in (''sender'', ''gate''))',
      name || '_of_sender', name
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
-- Staff who know the id of a delivery find out whose it is; what is in it they see inside its tenant.
create policy delivery_seen_by_staff on delivery for select
  using ((select rtv_actor()) = 'staff' and (select rtv_tenant()) is null);
create policy tenant_for_sender on tenant for select using ((select rtv_actor()) = 'sender');
create policy account_for_sender on account for select using ((select rtv_actor()) = 'sender');

-- Who holds a permission through teams alone sees the deliveries of these teams' accounts and campaigns.
create policy delivery_of_teams on delivery as restrictive
  using (
    (select rtv_teams() is null)
    or account_id = any ((select rtv_team_accounts())::uuid[])
    or campaign_id = any ((select rtv_team_campaigns())::uuid[])
  )
  with check (
    (select rtv_teams() is null)
    or account_id = any ((select rtv_team_accounts())::uuid[])
    or campaign_id = any ((select rtv_team_campaigns())::uuid[])
  );
-- Content is written before its deliveries; theirs is the check.
create policy content_of_teams on content as restrictive
  using (
    (select rtv_teams() is null)
    or campaign_id = any ((select rtv_team_campaigns())::uuid[])
    or exists (select 1 from delivery where delivery.tenant_id = content.tenant_id and delivery.content_id = content.id)
  )
  with check ((select rtv_actor()) is not null);
do $$
declare
  name text;
begin
  foreach name in array array['attempt', 'delivery_event'] loop
    execute format(
      'create policy %I on %I as restrictive
         using (
           (select rtv_teams() is null)
           or exists (select 1 from delivery where delivery.tenant_id = %I.tenant_id and delivery.id = %I.delivery_id)
         )
         with check (
           (select rtv_teams() is null)
           or exists (select 1 from delivery where delivery.tenant_id = %I.tenant_id and delivery.id = %I.delivery_id)
         )',
      name || '_of_teams', name, name, name, name, name
    );
  end loop;
end
$$;
create policy account_connection_of_teams on account_connection as restrictive
  using ((select rtv_teams() is null) or account_id = any ((select rtv_team_accounts())::uuid[]))
  with check ((select rtv_teams() is null) or account_id = any ((select rtv_team_accounts())::uuid[]));
