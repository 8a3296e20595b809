-- What came to nothing without a word is found and told: mails of reports that nobody works at any more, and schedules that cannot be
-- carried out.

-- The sweep finds such mails; it deals with each inside its tenant.
create policy report_mail_seen_by_worker on report_mail for select using ((select rtv_actor()) = 'worker');
create index report_mail_open on report_mail (changed_at, tenant_id, id) where state in ('waiting', 'sending');

alter table report_schedule
  -- Why the tick could not begin its run, and since when; none once it could, or somebody changed it. Its keeper was told once.
  add column trouble text,
  add column troubled_at timestamptz,
  add constraint report_schedule_trouble check ((trouble is null) = (troubled_at is null));
