-- An invitation may give a role that the tenant has made.

alter table invitation
  add column role_id uuid,
  -- What was accepted or revoked long ago keeps no role from being removed.
  add constraint invitation_custom_role foreign key (tenant_id, role_id) references custom_role (tenant_id, id)
    on delete set null (role_id),
  add constraint invitation_role_one check (role_id is null or role = 'custom'),
  add constraint invitation_open_role
    check (role <> 'custom' or role_id is not null or accepted_at is not null or revoked_at is not null);
create index invitation_by_custom_role on invitation (tenant_id, role_id) where role_id is not null;

-- The link says what it makes of whoever opens it.
create policy custom_role_of_invitation on custom_role for select
  using (
    (select rtv_actor()) = 'invitation'
    and exists (
      select 1 from invitation
      where invitation.tenant_id = custom_role.tenant_id
        and invitation.role_id = custom_role.id
        and invitation.token_hash = (select rtv_token())
    )
  );
