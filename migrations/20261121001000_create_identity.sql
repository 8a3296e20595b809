-- How people prove who they are: mail that waits to be sent, invitations, password resets, the second factor, and when a
-- session was proved last.
--
-- One more setting says what a transaction may see:
--   rtv.token      hash of a token that came with a link, in hexadecimal
-- and one more actor, 'invitation': somebody who holds the link of an invitation, and may not have an account yet.

create function rtv_token() returns bytea
  language sql stable parallel safe
  return decode(nullif(current_setting('rtv.token', true), ''), 'hex');

alter table session
  -- When the person last gave a password or a code; null for sessions from before this column.
  add column proved_at timestamptz,
  -- Who has given the right password and still owes the code. Such a session is nobody's.
  add column pending_user_id uuid,
  add column pending_until timestamptz,
  add constraint session_pending_app_user foreign key (pending_user_id) references app_user (id) on delete cascade,
  add constraint session_pending_is_whole check ((pending_user_id is null) = (pending_until is null)),
  add constraint session_pending_is_nobodys check (pending_user_id is null or user_id is null);

-- Beside the people, because members of a tenant may see whether somebody has one, and nothing else of it.
alter table app_user add column has_second_factor boolean not null default false;

alter table tenant add column mfa_required boolean not null default false;

-- Mail as it was written in the transaction of its cause. The body holds links with tokens: it is sealed with the master
-- key, and gone once the mail has been handed over.
create table mail (
  id uuid primary key,
  kind text not null,
  recipient text not null,
  subject text not null,
  sealed_body bytea,
  state text not null,
  attempts integer not null default 0,
  last_error text,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  constraint mail_kind check (kind in ('invitation', 'password_reset', 'notice')),
  constraint mail_state check (state in ('waiting', 'sending', 'sent', 'failed', 'uncertain', 'caught')),
  constraint mail_body check ((sealed_body is not null) = (state in ('waiting', 'sending', 'caught')))
);
create index mail_by_time on mail (created_at desc, id desc);

create table invitation (
  tenant_id uuid not null,
  id uuid not null,
  email text not null,
  role text not null,
  -- SHA-256 of the token in the newest link; sending again makes a new one.
  token_hash bytea not null,
  invited_by uuid,
  inviter_name text not null,
  created_at timestamptz not null default now(),
  sent_at timestamptz not null default now(),
  sent_count integer not null default 1,
  expires_at timestamptz not null,
  accepted_at timestamptz,
  accepted_by uuid,
  revoked_at timestamptz,
  constraint invitation_key primary key (tenant_id, id),
  constraint invitation_tenant foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint invitation_invited_by foreign key (invited_by) references app_user (id) on delete set null,
  constraint invitation_accepted_by foreign key (accepted_by) references app_user (id) on delete set null,
  constraint invitation_email_lower check (email = lower(email)),
  constraint invitation_ends_once check (accepted_at is null or revoked_at is null)
);
create unique index invitation_open_unique on invitation (tenant_id, email)
  where accepted_at is null and revoked_at is null;
create index invitation_by_token_hash on invitation (token_hash);

create table password_reset (
  token_hash bytea not null,
  user_id uuid not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  constraint password_reset_key primary key (token_hash),
  constraint password_reset_app_user foreign key (user_id) references app_user (id) on delete cascade
);
create index password_reset_by_user on password_reset (user_id);

create table totp (
  user_id uuid not null,
  sealed_secret bytea not null,
  created_at timestamptz not null default now(),
  -- Null until a code has shown that the person's device has the secret.
  confirmed_at timestamptz,
  -- The step of the newest code that was taken; none at or before it is taken again.
  last_step bigint not null default 0,
  constraint totp_key primary key (user_id),
  constraint totp_app_user foreign key (user_id) references app_user (id) on delete cascade
);

create table recovery_code (
  user_id uuid not null,
  code_hash bytea not null,
  used_at timestamptz,
  constraint recovery_code_key primary key (user_id, code_hash),
  constraint recovery_code_app_user foreign key (user_id) references app_user (id) on delete cascade
);

do $$
declare
  name text;
begin
  foreach name in array array['mail', 'invitation', 'password_reset', 'totp', 'recovery_code'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('grant select, insert, update, delete on %I to rtv_app', name);
  end loop;
end
$$;

create policy mail_added on mail for insert
  with check ((select rtv_actor()) in ('tenant', 'person', 'sign_in', 'staff'));
create policy mail_of_worker on mail
  using ((select rtv_actor()) = 'worker')
  with check ((select rtv_actor()) = 'worker');
create policy mail_seen_by_staff on mail for select
  using ((select rtv_actor()) = 'staff');

-- Mail that belongs to no tenant is enqueued by who signs in, and by people for themselves.
create policy job_seen_with_mail on job for select
  using ((select rtv_actor()) in ('person', 'sign_in') and tenant_id is null and kind = 'mail.deliver');
create policy job_added_with_mail on job for insert
  with check ((select rtv_actor()) in ('person', 'sign_in') and tenant_id is null and kind = 'mail.deliver');

create policy invitation_of_tenant on invitation
  using (tenant_id = (select rtv_tenant()))
  with check (tenant_id = (select rtv_tenant()));
create policy invitation_by_token on invitation for select
  using ((select rtv_actor()) = 'invitation' and token_hash = (select rtv_token()));
create policy tenant_of_invitation on tenant for select
  using (
    (select rtv_actor()) = 'invitation'
    and exists (select 1 from invitation where invitation.tenant_id = tenant.id and invitation.token_hash = (select rtv_token()))
  );
create policy app_user_of_invitation on app_user for select
  using (
    (select rtv_actor()) = 'invitation'
    and exists (select 1 from invitation where invitation.email = app_user.email and invitation.token_hash = (select rtv_token()))
  );
-- Who accepts without an account gets one, with the address of the invitation and no other.
create policy app_user_created_by_invitation on app_user for insert
  with check (
    (select rtv_actor()) = 'invitation'
    and id = (select rtv_user())
    and exists (select 1 from invitation where invitation.email = app_user.email and invitation.token_hash = (select rtv_token()))
  );
create policy user_credential_created_by_invitation on user_credential for insert
  with check ((select rtv_actor()) = 'invitation' and user_id = (select rtv_user()));

create policy password_reset_by_token on password_reset for select
  using ((select rtv_actor()) = 'sign_in' and token_hash = (select rtv_token()));
create policy password_reset_of_person on password_reset
  using ((select rtv_actor()) = 'sign_in' and user_id = (select rtv_user()))
  with check ((select rtv_actor()) = 'sign_in' and user_id = (select rtv_user()));
create policy password_reset_seen_by_worker on password_reset for select
  using ((select rtv_actor()) = 'worker');
create policy password_reset_swept_by_worker on password_reset for delete
  using ((select rtv_actor()) = 'worker');

create policy totp_of_person on totp
  using ((select rtv_actor()) in ('person', 'sign_in') and user_id = (select rtv_user()))
  with check ((select rtv_actor()) in ('person', 'sign_in') and user_id = (select rtv_user()));
create policy recovery_code_of_person on recovery_code
  using ((select rtv_actor()) in ('person', 'sign_in') and user_id = (select rtv_user()))
  with check ((select rtv_actor()) in ('person', 'sign_in') and user_id = (select rtv_user()));

create policy app_user_changed_by_themself on app_user for update
  using ((select rtv_actor()) = 'person' and id = (select rtv_user()))
  with check ((select rtv_actor()) = 'person' and id = (select rtv_user()));

-- A new password ends the person's sessions.
create policy session_seen_with_person on session for select
  using ((select rtv_actor()) = 'sign_in' and user_id = (select rtv_user()));
create policy session_ended_with_person on session for delete
  using ((select rtv_actor()) = 'sign_in' and user_id = (select rtv_user()));
