//! `/api/v1/users`: the members of the tenant.

use axum::extract::Path;
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::StatusCode;
use rtv_core::permission::SEES_TEAM;
use rtv_core::{Error, GivenRole, UserId};
use rtv_domain::member::{self, Change};
use rtv_domain::roster::{Member, Roster};
use rtv_domain::{Resource, TenantContext};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::list::{Ask, ListParams, Page, page_of};
use super::once::{Once, Write};
use crate::http::form::id;

/// A role that somebody has.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "RoleName", example = json!({ "id": "editor", "name": "Editor" }))]
pub struct RoleName {
    /// `owner`, `admin`, `editor` or `viewer`; the id of a custom role.
    pub id: String,
    /// Its name for people.
    pub name: String,
}

impl RoleName {
    /// Of a role that is given.
    pub fn of(roster: &Roster, role: GivenRole) -> Self {
        Self { id: role.to_string(), name: roster.named(role).name }
    }
}

/// A team that somebody is in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "TeamName", example = json!({ "id": "team_0192f3c4a1b27d3e8f9a0b1c2d3e4f50", "name": "Nordics" }))]
pub struct TeamName {
    id: String,
    name: String,
}

/// A member of the tenant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "User", example = json!({
    "id": "usr_0192f3c4a1b27d3e8f9a0b1c2d3e4f50", "name": "Dana Kim", "email": "dana@acme.example",
    "role": { "id": "editor", "name": "Editor" }, "permissions": ["audit:read"], "teams": [],
    "is_disabled": false, "joined_at": "2026-03-02T09:14:00Z", "last_seen_at": "2026-11-20T16:40:00Z", "version": 3
}))]
pub struct UserObject {
    /// Id of the person.
    id: String,
    /// Name for people.
    name: String,
    /// Sign-in address.
    email: String,
    /// Their role in the tenant.
    role: RoleName,
    /// What they hold beside the role, for the whole tenant.
    permissions: Vec<String>,
    /// The teams that they are in.
    teams: Vec<TeamName>,
    /// Whether the operator keeps them from signing in.
    is_disabled: bool,
    /// Since when they belong to the tenant.
    joined_at: DateTime<Utc>,
    /// When they were last there, to some minutes; null for never.
    last_seen_at: Option<DateTime<Utc>>,
    /// Counts changes of what they hold. Send it back with a change.
    version: i64,
}

impl UserObject {
    fn of(roster: &Roster, member: &Member) -> Self {
        let teams = roster.teams.values().filter(|team| team.members.contains_key(&member.id));
        let mut teams: Vec<TeamName> =
            teams.map(|team| TeamName { id: team.id.to_string(), name: team.name.clone() }).collect();
        teams.sort_by(|one, other| one.id.cmp(&other.id));
        Self {
            id: member.id.to_string(),
            name: member.name.clone(),
            email: member.email.to_string(),
            role: RoleName::of(roster, member.role),
            permissions: member.extra.keys(),
            teams,
            is_disabled: member.is_disabled,
            joined_at: member.joined_at,
            last_seen_at: member.last_seen_at,
            version: member.revision.version,
        }
    }
}

/// What is to change of a member; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(title = "UserChange", example = json!({ "role": "editor", "permissions": ["audit:read"], "version": 3 }))]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// `owner`, `admin`, `editor` or `viewer`, or the id of a custom role.
    #[serde(default)]
    role: Option<String>,
    /// All that they shall hold beside the role.
    #[serde(default)]
    permissions: Option<Vec<String>>,
    /// The version that this change was made from.
    version: i64,
}

const LIST: &str = "users";

/// Members
///
/// In the order of their ids. Any of users:manage, users:invite, teams:manage and roles:manage leads to them.
#[utoipa::path(get, path = "/api/v1/users", tag = "Users", operation_id = "listUsers", params(ListParams),
    responses((status = 200, description = "Members.", body = Page<UserObject>)))]
pub async fn list(caller: Caller) -> Response {
    let page = async {
        let ask = Ask::parse(&caller, LIST)?;
        let roster = member::roster(caller.ctx()).await?;
        let members: Vec<&Member> = roster.members.values().collect();
        let Page { items, next } = page_of(&ask, LIST, members, |member| member.id.to_string());
        Ok(Page { items: items.into_iter().map(|member| UserObject::of(&roster, member)).collect(), next })
    };
    caller.answer(page.await)
}

async fn read(ctx: &TenantContext, id: UserId) -> Result<UserObject, Error> {
    let roster = member::roster_for(ctx, SEES_TEAM, Resource::Member(id)).await?;
    roster.members.get(&id).map(|member| UserObject::of(&roster, member)).ok_or(Error::NotFound)
}

/// One member
///
/// Any of users:manage, users:invite, teams:manage and roles:manage leads there.
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "Users", operation_id = "getUser",
    params(("id" = String, Path, description = "Id of the person.", example = "usr_0192f3c4a1b27d3e8f9a0b1c2d3e4f50")),
    responses((status = 200, description = "The member.", body = UserObject)))]
pub async fn one(caller: Caller, Path(user): Path<String>) -> Response {
    let found = async { read(caller.ctx(), id(&user)?).await };
    caller.answer(found.await)
}

/// Change what a member holds
///
/// Needs users:manage. Nobody gives what they do not hold, and owners are made and unmade by owners on the page alone.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "Users", operation_id = "changeUser",
    params(("id" = String, Path, description = "Id of the person.", example = "usr_0192f3c4a1b27d3e8f9a0b1c2d3e4f50")),
    request_body = UserChange,
    responses((status = 200, description = "The member as they are now.", body = UserObject)))]
pub async fn change(Path(user): Path<String>, write: Write<UserChange>) -> Response {
    let Write { once, body } = write;
    let outcome = async {
        let (ctx, id) = (once.ctx(), id::<UserId>(&user)?);
        let roster = member::roster_for(ctx, &[rtv_core::Permission::UsersManage], Resource::Member(id)).await?;
        let now = roster.members.get(&id).ok_or(Error::NotFound)?;
        let change = Change {
            role: body.role.unwrap_or_else(|| now.role.to_string()),
            permissions: body.permissions.unwrap_or_else(|| now.extra.keys()),
            version: body.version.to_string(),
        };
        member::change(ctx, id, &change).await.map_err(|error| error.about("permission", "permissions"))?;
        read(ctx, id).await
    };
    let outcome = outcome.await;
    once.answer(StatusCode::OK, outcome).await
}

/// Take a member out of the tenant
///
/// Needs users:manage. Their next request finds no such tenant, and the keys that they made are dead.
#[utoipa::path(delete, path = "/api/v1/users/{id}", tag = "Users", operation_id = "removeUser",
    params(("id" = String, Path, description = "Id of the person.", example = "usr_0192f3c4a1b27d3e8f9a0b1c2d3e4f50"),
        ("version" = i64, Query, description = "The version that was read.", example = 3)),
    responses((status = 204, description = "They are no longer a member.")))]
pub async fn remove(Path(user): Path<String>, once: Once) -> Response {
    let outcome = async {
        let version = once.caller().version()?;
        member::remove(once.ctx(), id(&user)?, &version).await
    };
    let outcome = outcome.await.map(drop);
    once.done(outcome).await
}
