-- Who can release what is halted is reminded by mail, which is written where the switch is marked as reminded of.
create policy mail_added_by_gate on mail for insert
  with check ((select rtv_actor()) = 'gate');
create policy job_seen_with_mail_by_gate on job for select
  using ((select rtv_actor()) = 'gate' and tenant_id is null and kind = 'mail.deliver');
create policy job_added_with_mail_by_gate on job for insert
  with check ((select rtv_actor()) = 'gate' and tenant_id is null and kind = 'mail.deliver');
