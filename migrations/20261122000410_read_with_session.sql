-- A page that is open asks every few seconds what is halted. Whose session it is and what they hold in the tenant of the page is
-- read in one statement, so what a person reads of their tenants before one is entered is also read with their session.

-- The session's row shows itself to its own token alone, so this is nobody without one.
create function rtv_session_user() returns uuid
  language sql stable parallel safe
begin atomic
  select session.user_id from session where session.id_hash = rtv_session();
end;

create policy membership_of_session on membership for select
  using ((select rtv_actor()) = 'session' and user_id = (select rtv_session_user()));
create policy tenant_of_session on tenant for select
  using (
    (select rtv_actor()) = 'session'
    and exists (
      select 1 from membership where membership.tenant_id = tenant.id and membership.user_id = (select rtv_session_user())
    )
  );
create policy custom_role_of_session on custom_role for select
  using (
    (select rtv_actor()) = 'session'
    and exists (
      select 1 from membership
      where membership.tenant_id = custom_role.tenant_id and membership.role_id = custom_role.id
        and membership.user_id = (select rtv_session_user())
    )
  );
