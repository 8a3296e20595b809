-- Schedules of reports: when one is made by itself, to whom it goes, what became of each mail, and who wants no more of it.

create table report_schedule (
  tenant_id uuid not null,
  id uuid not null,
  report_id uuid not null,
  -- When, as people chose it.
  rhythm jsonb not null,
  -- The days that it covers, counted from that of the occurrence; null: those that the report covers by itself.
  range text,
  -- To whom it goes, and as what.
  dispatch jsonb not null,
  -- The occurrence that is waited for: what calendar and clock are to show, and when that is by the rules of the zone.
  awaited timestamp not null,
  awaited_at timestamptz not null,
  paused_at timestamptz,
  paused_by text,
  -- What its owner saw is narrowed to these teams; empty: to nothing.
  teams uuid[] not null default '{}',
  -- Who is told when something fails: whoever saved it last.
  owner_id uuid,
  version bigint not null default 1,
  created_at timestamptz not null,
  created_by text not null,
  updated_at timestamptz not null,
  changed_by text not null,
  -- A deleted schedule can be brought back; its runs stay.
  deleted_at timestamptz,
  is_sample boolean not null default false,
  constraint report_schedule_key primary key (tenant_id, id),
  constraint report_schedule_report foreign key (tenant_id, report_id) references report (tenant_id, id) on delete cascade,
  constraint report_schedule_paused check ((paused_at is null) = (paused_by is null))
);
create index report_schedule_by_report on report_schedule (tenant_id, report_id, created_at, id) where deleted_at is null;
create index report_schedule_due on report_schedule (awaited_at, tenant_id, id) where deleted_at is null and paused_at is null;

alter table report_run
  add column schedule_id uuid,
  -- Name of the occurrence; none where somebody asked for it.
  add column occurrence text,
  add column is_late boolean not null default false,
  -- How many occurrences before it were not made, for which it makes up.
  add column missed integer not null default 0,
  -- To whom it goes, and as what, as its schedule said when it was begun.
  add column dispatch jsonb,
  drop constraint report_run_state,
  add constraint report_run_state check (state in ('queued', 'running', 'done', 'skipped', 'failed', 'cancelled')),
  add constraint report_run_schedule foreign key (tenant_id, schedule_id) references report_schedule (tenant_id, id) on delete cascade,
  add constraint report_run_of_schedule check (occurrence is null or schedule_id is not null);
-- Each occurrence is made once, whoever makes it.
create unique index report_run_of_occurrence on report_run (tenant_id, schedule_id, occurrence);

create table report_mail (
  tenant_id uuid not null,
  id uuid not null,
  run_id uuid not null,
  recipient text not null,
  -- 1; higher where somebody had it sent once more.
  number integer not null default 1,
  state text not null,
  last_error text,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  constraint report_mail_key primary key (tenant_id, id),
  constraint report_mail_once unique (tenant_id, run_id, recipient, number),
  constraint report_mail_run foreign key (tenant_id, run_id) references report_run (tenant_id, id) on delete cascade,
  constraint report_mail_state check (
    state in ('waiting', 'sending', 'sent', 'delivered', 'failed', 'uncertain', 'caught', 'withheld')
  ),
  constraint report_mail_recipient check (recipient = lower(recipient))
);
create index report_mail_by_recipient on report_mail (tenant_id, recipient, created_at desc, id desc);

-- Each attempt to make a run or to send one of its mails, and what came of it.
create table report_attempt (
  tenant_id uuid not null,
  id uuid not null,
  run_id uuid not null,
  -- None: an attempt to make the run itself.
  mail_id uuid,
  at timestamptz not null,
  outcome text not null,
  constraint report_attempt_key primary key (tenant_id, id),
  constraint report_attempt_run foreign key (tenant_id, run_id) references report_run (tenant_id, id) on delete cascade,
  constraint report_attempt_mail foreign key (tenant_id, mail_id) references report_mail (tenant_id, id) on delete cascade
);
create index report_attempt_by_run on report_attempt (tenant_id, run_id, at, id);

-- Who has asked for no more mails of a schedule. Only they undo it.
create table report_unsubscription (
  tenant_id uuid not null,
  schedule_id uuid not null,
  recipient text not null,
  at timestamptz not null,
  constraint report_unsubscription_key primary key (tenant_id, schedule_id, recipient),
  constraint report_unsubscription_schedule foreign key (tenant_id, schedule_id) references report_schedule (tenant_id, id) on delete cascade
);

do $$
declare
  name text;
begin
  foreach name in array array['report_schedule', 'report_mail', 'report_attempt', 'report_unsubscription'] loop
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
-- The tick finds what is due; it deals with each inside its tenant.
create policy report_schedule_seen_by_worker on report_schedule for select using ((select rtv_actor()) = 'worker');

-- Domains that reports may be mailed to; none: any.
alter table tenant add column report_domains text[] not null default '{}';

alter table mail drop constraint mail_kind;
alter table mail add constraint mail_kind check (kind in ('invitation', 'password_reset', 'notice', 'news', 'report'));
