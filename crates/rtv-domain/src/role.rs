//! Roles of a tenant: the built-in ones with their fixed matrix, and custom ones, which are any part of what their author
//! holds. A custom role that somebody has is not removed.

use rtv_core::permission::SEES_TEAM;
use rtv_core::{Error, FieldError, GivenRole, Permission, PermissionSet, Role, RoleId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::audit::Event;
use crate::context::TenantContext;
use crate::effective_access::NamedRole;
use crate::revision::{Revision, refuse_stale};
use crate::roster::{Act, CustomRole, Roster, Turn, typed};
use crate::transaction::{Resource, failed, violated};

/// A role in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The role.
    pub role: NamedRole,
    /// What it is for.
    pub description: String,
    /// How many members have it in the tenant.
    pub members: usize,
    /// How many have it in a team.
    pub in_teams: usize,
    /// The last change of a custom role.
    pub revision: Option<Revision>,
}

/// The roles of the tenant: the built-in ones, the most powerful first, then custom ones by name.
pub async fn list(ctx: &TenantContext) -> Result<Vec<Listed>, Error> {
    let mut tx = ctx.begin_to_read(SEES_TEAM, Resource::Roles).await?;
    let roster = Roster::read(&mut tx).await?;
    tx.rollback().await?;
    Ok(of(&roster))
}

/// The roles of a roster, in the same order.
pub fn of(roster: &Roster) -> Vec<Listed> {
    let built_in = Role::ALL.into_iter().map(|role| {
        let (members, in_teams) = roster.users_of(GivenRole::BuiltIn(role));
        Listed {
            role: NamedRole::built_in(role),
            description: role.description().into(),
            members,
            in_teams,
            revision: None,
        }
    });
    let mut custom: Vec<&CustomRole> = roster.roles.values().collect();
    custom.sort_by_cached_key(|role| (role.name.to_lowercase(), role.id));
    let custom = custom.into_iter().map(|role| {
        let (members, in_teams) = roster.users_of(GivenRole::Custom(role.id));
        Listed {
            role: roster.named(GivenRole::Custom(role.id)),
            description: role.description.clone(),
            members,
            in_teams,
            revision: Some(role.revision.clone()),
        }
    });
    built_in.chain(custom).collect()
}

/// One role, by its key or its id. A role of others is none.
pub async fn one(ctx: &TenantContext, role: GivenRole) -> Result<Listed, Error> {
    let resource = match role {
        GivenRole::BuiltIn(_) => Resource::Roles,
        GivenRole::Custom(id) => Resource::Role(id),
    };
    let mut tx = ctx.begin_to_read(SEES_TEAM, resource).await?;
    let roster = Roster::read(&mut tx).await?;
    tx.rollback().await?;
    of(&roster).into_iter().find(|listed| listed.role.role == role).ok_or(Error::NotFound)
}

/// A custom role as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewRole {
    /// Name for people.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Keys of what it holds.
    pub permissions: Vec<String>,
}

struct Parsed {
    name: String,
    description: String,
    permissions: PermissionSet,
}

impl NewRole {
    fn parse(&self) -> Result<Parsed, Error> {
        let mut errors = Vec::new();
        let mut refuse = |field: &str, message: String| errors.push(FieldError { field: field.into(), message });
        let name = named(&self.name, &mut refuse);
        if let Some(role) = Role::ALL.into_iter().find(|role| role.label().eq_ignore_ascii_case(&name)) {
            refuse("name", format!("“{}” is the name of a built-in role; choose another.", role.label()));
        }
        let description = described(&self.description, &mut refuse);
        let permissions = typed(&self.permissions);
        if let Err(Error::Invalid(found)) = &permissions {
            errors.extend(found.iter().cloned());
        }
        let permissions = permissions.unwrap_or_default();
        if permissions.is_empty() && errors.is_empty() {
            errors.push(FieldError { field: "permission".into(), message: "choose at least one.".into() });
        }
        if errors.is_empty() { Ok(Parsed { name, description, permissions }) } else { Err(Error::Invalid(errors)) }
    }
}

/// The name of a role or a team as typed.
pub(crate) fn named(text: &str, refuse: &mut impl FnMut(&str, String)) -> String {
    let name = text.trim().to_owned();
    if name.is_empty() || name.chars().count() > 80 || name.chars().any(char::is_control) {
        refuse("name", "use 1 to 80 characters without line breaks.".into());
    }
    name
}

/// What a role or a team is for, as typed. Line breaks become spaces.
pub(crate) fn described(text: &str, refuse: &mut impl FnMut(&str, String)) -> String {
    let description = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if description.chars().count() > 500 {
        refuse("description", "use at most 500 characters.".into());
    }
    description
}

fn recorded(name: &str, description: &str, permissions: PermissionSet, version: i64) -> Value {
    json!({ "name": name, "description": description, "permissions": permissions.keys(), "version": version })
}

fn taken(error: sqlx::Error, name: &str) -> Error {
    match violated(&error) {
        Some("custom_role_name_unique") => {
            Error::invalid("name", format!("“{name}” is the name of another role; choose another."))
        }
        _ => failed(error),
    }
}

/// Makes a custom role of what the author holds.
pub async fn create(ctx: &TenantContext, new: &NewRole) -> Result<RoleId, Error> {
    let turn = Turn::begin(ctx, Permission::RolesManage, Resource::Roles).await?;
    let Parsed { name, description, permissions } = new.parse()?;
    let id = RoleId::from(Uuid::now_v7());
    let mut turn = turn.judge(ctx, &Act::SetRole(id, permissions), "role.create", "permission").await?;
    let keys = permissions.keys();
    sqlx::query!(
        r#"
        insert into custom_role (tenant_id, id, name, description, permissions, created_at, updated_at, changed_by)
        values ($1, $2, $3, $4, $5, $6, $6, $7)
        "#,
        ctx.tenant().id.uuid(),
        id.uuid(),
        name,
        description,
        &keys[..],
        ctx.now(),
        Turn::label(ctx),
    )
    .execute(turn.tx.connection())
    .await
    .map_err(|error| taken(error, &name))?;
    let event = Event::new("role.create", "role", id.to_string()).after(recorded(&name, &description, permissions, 1));
    turn.tx.audit(event).await?;
    turn.tx.commit().await?;
    Ok(id)
}

/// Changes a custom role, for everybody who has it.
pub async fn update(ctx: &TenantContext, id: RoleId, new: &NewRole, version: &str) -> Result<(), Error> {
    let mut turn = Turn::begin(ctx, Permission::RolesManage, Resource::Role(id)).await?;
    let role = turn.roster.roles.get(&id).cloned().ok_or(Error::NotFound)?;
    let Parsed { name, description, permissions } = new.parse()?;
    refuse_stale(&mut turn.tx, ctx, version, &role.revision, ("role", &id.to_string())).await?;
    let mut turn = turn.judge(ctx, &Act::SetRole(id, permissions), "role.update", "permission").await?;
    let version = role.revision.version + 1;
    let keys = permissions.keys();
    sqlx::query!(
        r#"
        update custom_role
        set name = $2, description = $3, permissions = $4, version = $5, updated_at = $6, changed_by = $7
        where id = $1 and tenant_id = $8
        "#,
        id.uuid(),
        name,
        description,
        &keys[..],
        version,
        ctx.now(),
        Turn::label(ctx),
        ctx.tenant().id.uuid(),
    )
    .execute(turn.tx.connection())
    .await
    .map_err(|error| taken(error, &name))?;
    let event = Event::new("role.update", "role", id.to_string())
        .before(recorded(&role.name, &role.description, role.permissions, role.revision.version))
        .after(recorded(&name, &description, permissions, version));
    turn.tx.audit(event).await?;
    turn.tx.commit().await
}

/// Removes a custom role that nobody has.
pub async fn delete(ctx: &TenantContext, id: RoleId, version: &str) -> Result<String, Error> {
    let mut turn = Turn::begin(ctx, Permission::RolesManage, Resource::Role(id)).await?;
    let role = turn.roster.roles.get(&id).cloned().ok_or(Error::NotFound)?;
    refuse_stale(&mut turn.tx, ctx, version, &role.revision, ("role", &id.to_string())).await?;
    let in_use = || {
        Error::Conflict(format!("Somebody has the role “{}”. Give them another one first; then it can go.", role.name))
    };
    if turn.roster.users_of(GivenRole::Custom(id)) != (0, 0) {
        return Err(in_use());
    }
    let is_offered = sqlx::query_scalar!(
        r#"
        select exists (
          select 1 from invitation
          where tenant_id = $1 and role_id = $2 and accepted_at is null and revoked_at is null
        ) as "exists!"
        "#,
        ctx.tenant().id.uuid(),
        id.uuid(),
    )
    .fetch_one(turn.tx.connection())
    .await
    .map_err(failed)?;
    if is_offered {
        return Err(Error::Conflict(format!(
            "An open invitation gives the role “{}”. Revoke the invitation first; then the role can go.",
            role.name
        )));
    }
    sqlx::query!("delete from custom_role where id = $1 and tenant_id = $2", id.uuid(), ctx.tenant().id.uuid())
        .execute(turn.tx.connection())
        .await
        .map_err(|error| match violated(&error) {
            // Whatever else refers to roles, such as an invitation.
            Some(_) => in_use(),
            None => failed(error),
        })?;
    let event = Event::new("role.delete", "role", id.to_string()).before(recorded(
        &role.name,
        &role.description,
        role.permissions,
        role.revision.version,
    ));
    turn.tx.audit(event).await?;
    turn.tx.commit().await?;
    Ok(role.name)
}
