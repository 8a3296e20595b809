//! `/api/v1/roles`: the built-in roles and the tenant's own.

use axum::extract::Path;
use axum::response::Response;
use http::StatusCode;
use rtv_core::{Error, GivenRole, RoleId};
use rtv_domain::TenantContext;
use rtv_domain::role::{self, Listed, NewRole};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::list::{Ask, ListParams, Page, page_of};
use super::once::{Once, Write};
use crate::http::form::id;

/// A role.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Role", example = json!({
    "id": "role_0192f3c4a1b27d3e8f9a0b1c2d3e4f50", "name": "Analyst", "description": "Reads figures and the audit log.",
    "permissions": ["analytics:read", "audit:read"], "is_built_in": false, "members": 2, "places_in_teams": 0, "version": 1
}))]
pub struct RoleObject {
    /// `owner`, `admin`, `editor` or `viewer`; the id of a custom role.
    id: String,
    /// Name for people.
    name: String,
    /// What it is for.
    description: String,
    /// What it holds.
    permissions: Vec<String>,
    /// Whether every tenant has it, so that nobody changes it.
    is_built_in: bool,
    /// How many members have it in the tenant.
    members: usize,
    /// How many have it in a team.
    places_in_teams: usize,
    /// Counts changes of a custom role. Send it back with a change. Null for a built-in one.
    version: Option<i64>,
}

impl From<Listed> for RoleObject {
    fn from(listed: Listed) -> Self {
        Self {
            id: listed.role.role.to_string(),
            name: listed.role.name,
            description: listed.description,
            permissions: listed.role.permissions.keys(),
            is_built_in: matches!(listed.role.role, GivenRole::BuiltIn(_)),
            members: listed.members,
            places_in_teams: listed.in_teams,
            version: listed.revision.map(|revision| revision.version),
        }
    }
}

/// A role to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(title = "NewRole", example = json!({ "name": "Analyst", "permissions": ["analytics:read", "audit:read"] }))]
#[serde(deny_unknown_fields)]
pub struct RoleToMake {
    /// 1 to 80 characters, unique in the tenant.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// At most 500 characters.
    #[serde(default)]
    #[schema(max_length = 500)]
    description: String,
    /// At least one; at most what the key holds.
    #[schema(min_items = 1)]
    permissions: Vec<String>,
}

/// What is to change of a custom role; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(title = "RoleChange", example = json!({ "permissions": ["analytics:read"], "version": 1 }))]
#[serde(deny_unknown_fields)]
pub struct RoleChange {
    /// 1 to 80 characters, unique in the tenant.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 80)]
    name: Option<String>,
    /// At most 500 characters.
    #[serde(default)]
    #[schema(max_length = 500)]
    description: Option<String>,
    /// All that it shall hold.
    #[serde(default)]
    permissions: Option<Vec<String>>,
    /// The version that this change was made from.
    version: i64,
}

const LIST: &str = "roles";

/// Roles
///
/// In the order of their ids. Any of users:manage, users:invite, teams:manage and roles:manage leads to them.
#[utoipa::path(get, path = "/api/v1/roles", tag = "Roles", operation_id = "listRoles", params(ListParams),
    responses((status = 200, description = "Roles.", body = Page<RoleObject>)))]
pub async fn list(caller: Caller) -> Response {
    let page = async {
        let ask = Ask::parse(&caller, LIST)?;
        let roles = role::list(caller.ctx()).await?.into_iter().map(RoleObject::from).collect();
        Ok(page_of(&ask, LIST, roles, |role| role.id.clone()))
    };
    caller.answer(page.await)
}

async fn read(ctx: &TenantContext, role: GivenRole) -> Result<RoleObject, Error> {
    Ok(role::one(ctx, role).await?.into())
}

fn renamed(error: Error) -> Error {
    error.about("permission", "permissions")
}

/// Make a role
///
/// Needs roles:manage, and what the role holds has to be held.
#[utoipa::path(post, path = "/api/v1/roles", tag = "Roles", operation_id = "createRole", request_body = RoleToMake,
    responses((status = 201, description = "The role, which nobody has yet.", body = RoleObject)))]
pub async fn create(write: Write<RoleToMake>) -> Response {
    let Write { once, body } = write;
    let outcome = async {
        let new = NewRole { name: body.name, description: body.description, permissions: body.permissions };
        let id = role::create(once.ctx(), &new).await.map_err(renamed)?;
        read(once.ctx(), GivenRole::Custom(id)).await
    };
    let outcome = outcome.await;
    once.answer(StatusCode::CREATED, outcome).await
}

/// One role
///
/// Any of users:manage, users:invite, teams:manage and roles:manage leads there.
#[utoipa::path(get, path = "/api/v1/roles/{id}", tag = "Roles", operation_id = "getRole",
    params(("id" = String, Path, description = "Key of a built-in role or id of a custom one.", example = "editor")),
    responses((status = 200, description = "The role.", body = RoleObject)))]
pub async fn one(caller: Caller, Path(role): Path<String>) -> Response {
    let found = async { read(caller.ctx(), id(&role)?).await };
    caller.answer(found.await)
}

/// Change a custom role
///
/// Needs roles:manage. Who has it holds the new permissions with their next request.
#[utoipa::path(patch, path = "/api/v1/roles/{id}", tag = "Roles", operation_id = "changeRole",
    params(("id" = String, Path, description = "Id of a custom role.", example = "role_0192f3c4a1b27d3e8f9a0b1c2d3e4f50")),
    request_body = RoleChange,
    responses((status = 200, description = "The role as it is now.", body = RoleObject)))]
pub async fn change(Path(role): Path<String>, write: Write<RoleChange>) -> Response {
    let Write { once, body } = write;
    let outcome = async {
        let id = custom(&role)?;
        let now = role::one(once.ctx(), GivenRole::Custom(id)).await?;
        let new = NewRole {
            name: body.name.unwrap_or(now.role.name),
            description: body.description.unwrap_or(now.description),
            permissions: body.permissions.unwrap_or_else(|| now.role.permissions.keys()),
        };
        role::update(once.ctx(), id, &new, &body.version.to_string()).await.map_err(renamed)?;
        read(once.ctx(), GivenRole::Custom(id)).await
    };
    let outcome = outcome.await;
    once.answer(StatusCode::OK, outcome).await
}

/// Only custom roles change.
fn custom(role: &str) -> Result<RoleId, Error> {
    match id::<GivenRole>(role)? {
        GivenRole::Custom(id) => Ok(id),
        GivenRole::BuiltIn(role) => {
            Err(Error::Conflict(format!("“{role}” is a built-in role; nobody changes it. Make a role of your own.")))
        }
    }
}

/// Remove a custom role that nobody has
///
/// Needs roles:manage.
#[utoipa::path(delete, path = "/api/v1/roles/{id}", tag = "Roles", operation_id = "deleteRole",
    params(("id" = String, Path, description = "Id of a custom role.", example = "role_0192f3c4a1b27d3e8f9a0b1c2d3e4f50"),
        ("version" = i64, Query, description = "The version that was read.", example = 1)),
    responses((status = 204, description = "It is gone.")))]
pub async fn delete(Path(role): Path<String>, once: Once) -> Response {
    let outcome = async {
        let version = once.caller().version()?;
        role::delete(once.ctx(), custom(&role)?, &version).await
    };
    let outcome = outcome.await.map(drop);
    once.done(outcome).await
}
