//! Server functions of the team's pages. Acts are forms of `server/src/http/team.rs`; here is what pages read.

use leptos::prelude::*;

use crate::error::AppError;
use crate::page::{Drawn, Guarded};

/// The members, found and filtered by the pairs of the query string.
#[server(prefix = "/fn", endpoint = "team-members", input = server_fn::codec::Json)]
pub async fn read_members(tenant: String, query: Vec<(String, String)>) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    crate::request::drawn(&ctx, super::present::members(&ctx, &query).await, super::members::drawn).await
}

/// One member.
#[server(prefix = "/fn", endpoint = "team-member", input = server_fn::codec::Json)]
pub async fn read_member(tenant: String, user: String) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    let flash = crate::request::current().flash;
    crate::request::drawn(&ctx, super::present::member(&ctx, &user, flash.as_ref()).await, super::member::drawn).await
}

/// What a change of a member would do.
#[server(prefix = "/fn", endpoint = "team-member-change", input = server_fn::codec::Json)]
pub async fn read_member_change(
    tenant: String,
    user: String,
    query: Vec<(String, String)>,
) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    crate::request::drawn(&ctx, super::present::change(&ctx, &user, &query).await, super::change::drawn).await
}

/// What taking a member out would do.
#[server(prefix = "/fn", endpoint = "team-member-removal", input = server_fn::codec::Json)]
pub async fn read_member_removal(tenant: String, user: String) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    crate::request::drawn(&ctx, super::present::member_removal(&ctx, &user).await, super::confirm::drawn).await
}

/// The teams.
#[server(prefix = "/fn", endpoint = "team-teams", input = server_fn::codec::Json)]
pub async fn read_teams(tenant: String) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    let flash = crate::request::current().flash;
    crate::request::drawn(&ctx, super::present::teams(&ctx, flash.as_ref()).await, super::teams::drawn).await
}

/// One team; the pairs of the query string may name the member whose place is to be changed.
#[server(prefix = "/fn", endpoint = "team-team", input = server_fn::codec::Json)]
pub async fn read_team(tenant: String, team: String, query: Vec<(String, String)>) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    let flash = crate::request::current().flash;
    crate::request::drawn(&ctx, super::present::team(&ctx, &team, &query, flash.as_ref()).await, super::one::drawn)
        .await
}

/// What removing a team would do.
#[server(prefix = "/fn", endpoint = "team-deletion", input = server_fn::codec::Json)]
pub async fn read_team_deletion(tenant: String, team: String) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    crate::request::drawn(&ctx, super::present::team_deletion(&ctx, &team).await, super::confirm::drawn).await
}

/// The roles and their matrix.
#[server(prefix = "/fn", endpoint = "team-roles", input = server_fn::codec::Json)]
pub async fn read_roles(tenant: String) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    crate::request::drawn(&ctx, super::present::roles(&ctx).await, super::roles::drawn).await
}

/// One role, or the form for a new one.
#[server(prefix = "/fn", endpoint = "team-role", input = server_fn::codec::Json)]
pub async fn read_role(tenant: String, role: String) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    let flash = crate::request::current().flash;
    crate::request::drawn(&ctx, super::present::role(&ctx, &role, flash.as_ref()).await, super::role::drawn).await
}

/// What can be asked about somebody's access, and the answer to what the query string asks.
#[server(prefix = "/fn", endpoint = "team-access", input = server_fn::codec::Json)]
pub async fn read_access(tenant: String, query: Vec<(String, String)>) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    crate::request::drawn(&ctx, super::present::access(&ctx, &query).await, super::access::drawn).await
}
