-- What waits to be sent does not leave after its schedule was paused or deleted, or its reader taken off it.
alter table report_mail
  drop constraint report_mail_state,
  add constraint report_mail_state check (
    state in ('waiting', 'sending', 'sent', 'delivered', 'failed', 'uncertain', 'caught', 'withheld', 'stopped')
  );
