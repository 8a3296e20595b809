//! `/api/v1/teams`: teams, their members and what they are responsible for.

use std::collections::BTreeSet;

use axum::extract::Path;
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::StatusCode;
use rtv_core::{Error, TeamId, UserId};
use rtv_domain::effective_access::Subject;
use rtv_domain::roster::{Roster, Team, TeamMember};
use rtv_domain::team::{self, NewPlace, NewTeam};
use rtv_domain::{TenantContext, member};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::list::{Ask, ListParams, Page, page_of};
use super::once::{Once, Write};
use super::user::RoleName;
use crate::http::form::id;

/// A team.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Team", example = json!({
    "id": "team_0192f3c4a1b27d3e8f9a0b1c2d3e4f50", "name": "Nordics", "description": "Norway, Sweden, Denmark",
    "default_period": "28d", "platforms": ["facebook"], "zone": "Europe/Oslo", "accounts": ["acc_0192f3c4a1b27d3e8f9a0b1c2d3e4f50"], "campaigns": [],
    "members": 4, "version": 7, "updated_at": "2026-11-20T16:40:00Z", "updated_by": "dana@acme.example"
}))]
pub struct TeamObject {
    /// Id.
    id: String,
    /// Name for people, unique in the tenant.
    name: String,
    /// What it is for.
    description: String,
    /// The period that its link to the dashboard begins with; null for the usual one.
    default_period: Option<String>,
    /// The platforms that its link begins with; none: all.
    platforms: Vec<String>,
    /// The zone in which its pages show times, as the tz database names it; null for the tenant's. Days are the tenant's always.
    zone: Option<String>,
    /// Accounts that it is responsible for.
    accounts: Vec<String>,
    /// Campaigns that it is responsible for.
    campaigns: Vec<String>,
    /// How many members it has.
    members: usize,
    /// Counts changes, its members included. Send it back with a change.
    version: i64,
    /// When it was changed last.
    updated_at: DateTime<Utc>,
    /// Who changed it last, as the audit log names them.
    updated_by: Option<String>,
}

impl From<&Team> for TeamObject {
    fn from(team: &Team) -> Self {
        let (mut accounts, mut campaigns) = (Vec::new(), Vec::new());
        for subject in &team.subjects {
            match subject {
                Subject::Account(id) => accounts.push(id.to_string()),
                Subject::Campaign(id) => campaigns.push(id.to_string()),
            }
        }
        Self {
            id: team.id.to_string(),
            name: team.name.clone(),
            description: team.description.clone(),
            default_period: team.range.map(|range| range.key().into()),
            platforms: team.platforms.iter().map(|platform| platform.key().into()).collect(),
            zone: team.zone.map(|zone| zone.name().into()),
            accounts,
            campaigns,
            members: team.members.len(),
            version: team.revision.version,
            updated_at: team.revision.updated_at,
            updated_by: team.revision.changed_by.clone(),
        }
    }
}

/// A member of a team.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "TeamMember", example = json!({
    "user": "usr_0192f3c4a1b27d3e8f9a0b1c2d3e4f50", "name": "Dana Kim", "email": "dana@acme.example",
    "role": { "id": "editor", "name": "Editor" }, "permissions": [], "news": ["imports"], "team_version": 8
}))]
pub struct TeamMemberObject {
    /// Id of the person.
    user: String,
    /// Their name.
    name: String,
    /// Their sign-in address.
    email: String,
    /// The role for the team's accounts and campaigns; null for none.
    role: Option<RoleName>,
    /// What they hold beside it for these.
    permissions: Vec<String>,
    /// What they are told of by mail: `imports`, `members`.
    news: Vec<String>,
    /// The version of the team.
    team_version: i64,
}

impl TeamMemberObject {
    fn of(roster: &Roster, team: &Team, user: UserId, place: &TeamMember) -> Self {
        let member = roster.members.get(&user);
        Self {
            user: user.to_string(),
            name: member.map(|member| member.name.clone()).unwrap_or_default(),
            email: member.map(|member| member.email.to_string()).unwrap_or_default(),
            role: place.role.map(|role| RoleName::of(roster, role)),
            permissions: place.extra.keys(),
            news: team.told.get(&user).into_iter().flatten().map(|one| one.key().into()).collect(),
            team_version: team.revision.version,
        }
    }
}

/// A team to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(title = "NewTeam", example = json!({ "name": "Nordics", "description": "Norway, Sweden, Denmark" }))]
#[serde(deny_unknown_fields)]
pub struct TeamToMake {
    /// 1 to 80 characters, unique in the tenant.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// At most 500 characters.
    #[serde(default)]
    #[schema(max_length = 500)]
    description: String,
    /// `7d`, `28d`, `90d`, `mtd`, `qtd`, `ytd`, `yesterday`, `last-week`, `last-month`, `last-quarter` or `last-year`.
    #[serde(default)]
    #[schema(pattern = "^(|7d|28d|90d|mtd|qtd|ytd|yesterday|last-week|last-month|last-quarter|last-year)$")]
    default_period: Option<String>,
    /// Keys of platforms.
    #[serde(default)]
    platforms: Vec<String>,
    /// The zone in which its pages show times, such as `Europe/Oslo`; nothing for the tenant's.
    #[serde(default)]
    zone: Option<String>,
}

/// What is to change of a team; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(title = "TeamChange", example = json!({ "name": "Nordics and Baltics", "version": 7 }))]
#[serde(deny_unknown_fields)]
pub struct TeamChange {
    /// 1 to 80 characters, unique in the tenant.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 80)]
    name: Option<String>,
    /// At most 500 characters.
    #[serde(default)]
    #[schema(max_length = 500)]
    description: Option<String>,
    /// `7d`, `28d`, `90d`, `mtd`, `qtd`, `ytd`, `yesterday`, `last-week`, `last-month`, `last-quarter` or `last-year`; an empty
    /// text for the usual one.
    #[serde(default)]
    #[schema(pattern = "^(|7d|28d|90d|mtd|qtd|ytd|yesterday|last-week|last-month|last-quarter|last-year)$")]
    default_period: Option<String>,
    /// Keys of platforms; none: all.
    #[serde(default)]
    platforms: Option<Vec<String>>,
    /// The zone in which its pages show times, such as `Europe/Oslo`; an empty text for the tenant's.
    #[serde(default)]
    zone: Option<String>,
    /// The version that this change was made from.
    version: i64,
}

/// What somebody shall have in a team.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(title = "TeamPlace", example = json!({ "role": "editor", "permissions": [], "version": 7 }))]
#[serde(deny_unknown_fields)]
pub struct TeamPlace {
    /// `admin`, `editor` or `viewer`, or the id of a custom role; nothing for none.
    #[serde(default)]
    role: Option<String>,
    /// What they shall hold beside it, for the team's accounts and campaigns.
    #[serde(default)]
    permissions: Vec<String>,
    /// What they shall be told of by mail: `imports`, `members`. Left out, it stays as it is.
    #[serde(default)]
    news: Option<Vec<String>>,
    /// The version of the team that this was made from.
    version: i64,
}

/// What a team is responsible for: all of it, in place of what it was.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(title = "TeamResources", example = json!({ "accounts": ["acc_0192f3c4a1b27d3e8f9a0b1c2d3e4f50"], "campaigns": [], "version": 7 }))]
#[serde(deny_unknown_fields)]
pub struct TeamResources {
    /// Ids of accounts.
    #[serde(default)]
    accounts: Vec<String>,
    /// Ids of campaigns.
    #[serde(default)]
    campaigns: Vec<String>,
    /// The version of the team that this was made from.
    version: i64,
}

const LIST: &str = "teams";

/// Teams
///
/// In the order of their ids. Any of users:manage, users:invite, teams:manage and roles:manage leads to them.
#[utoipa::path(get, path = "/api/v1/teams", tag = "Teams", operation_id = "listTeams", params(ListParams),
    responses((status = 200, description = "Teams.", body = Page<TeamObject>)))]
pub async fn list(caller: Caller) -> Response {
    let page = async {
        let ask = Ask::parse(&caller, LIST)?;
        let roster = member::roster(caller.ctx()).await?;
        let teams = roster.teams.values().map(TeamObject::from).collect();
        Ok(page_of(&ask, LIST, teams, |team| team.id.clone()))
    };
    caller.answer(page.await)
}

async fn read(ctx: &TenantContext, id: TeamId) -> Result<TeamObject, Error> {
    Ok(TeamObject::from(&team::one(ctx, id).await?.team))
}

/// Names of fields as this resource has them.
fn renamed(error: Error) -> Error {
    error.about("range", "default_period").about("platform", "platforms").about("permission", "permissions")
}

/// Make a team
///
/// Needs teams:manage.
#[utoipa::path(post, path = "/api/v1/teams", tag = "Teams", operation_id = "createTeam", request_body = TeamToMake,
    responses((status = 201, description = "The team, without members.", body = TeamObject)))]
pub async fn create(write: Write<TeamToMake>) -> Response {
    let Write { once, body } = write;
    let outcome = async {
        let new = NewTeam {
            name: body.name,
            description: body.description,
            range: body.default_period.unwrap_or_default(),
            platforms: body.platforms,
            zone: body.zone.unwrap_or_default(),
        };
        let id = team::create(once.ctx(), &new).await.map_err(renamed)?;
        read(once.ctx(), id).await
    };
    let outcome = outcome.await;
    once.answer(StatusCode::CREATED, outcome).await
}

/// One team
///
/// Any of users:manage, users:invite, teams:manage and roles:manage leads there.
#[utoipa::path(get, path = "/api/v1/teams/{id}", tag = "Teams", operation_id = "getTeam",
    params(("id" = String, Path, description = "Id of the team.", example = "team_0192f3c4a1b27d3e8f9a0b1c2d3e4f50")),
    responses((status = 200, description = "The team.", body = TeamObject)))]
pub async fn one(caller: Caller, Path(team): Path<String>) -> Response {
    let found = async { read(caller.ctx(), id(&team)?).await };
    caller.answer(found.await)
}

/// Change a team
///
/// Needs teams:manage.
#[utoipa::path(patch, path = "/api/v1/teams/{id}", tag = "Teams", operation_id = "changeTeam",
    params(("id" = String, Path, description = "Id of the team.", example = "team_0192f3c4a1b27d3e8f9a0b1c2d3e4f50")),
    request_body = TeamChange,
    responses((status = 200, description = "The team as it is now.", body = TeamObject)))]
pub async fn change(Path(team): Path<String>, write: Write<TeamChange>) -> Response {
    let Write { once, body } = write;
    let outcome = async {
        let id = id::<TeamId>(&team)?;
        let now = team::one(once.ctx(), id).await?.team;
        let new = NewTeam {
            name: body.name.unwrap_or(now.name),
            description: body.description.unwrap_or(now.description),
            range: body.default_period.unwrap_or_else(|| now.range.map(|range| range.key().into()).unwrap_or_default()),
            platforms: body
                .platforms
                .unwrap_or_else(|| now.platforms.iter().map(|platform| platform.key().into()).collect()),
            zone: body.zone.unwrap_or_else(|| now.zone.map(|zone| zone.name().into()).unwrap_or_default()),
        };
        team::update(once.ctx(), id, &new, &body.version.to_string()).await.map_err(renamed)?;
        read(once.ctx(), id).await
    };
    let outcome = outcome.await;
    once.answer(StatusCode::OK, outcome).await
}

/// Remove a team
///
/// Needs teams:manage. Its members stay members of the tenant.
#[utoipa::path(delete, path = "/api/v1/teams/{id}", tag = "Teams", operation_id = "deleteTeam",
    params(("id" = String, Path, description = "Id of the team.", example = "team_0192f3c4a1b27d3e8f9a0b1c2d3e4f50"),
        ("version" = i64, Query, description = "The version that was read.", example = 7)),
    responses((status = 204, description = "It is gone.")))]
pub async fn delete(Path(team): Path<String>, once: Once) -> Response {
    let outcome = async {
        let version = once.caller().version()?;
        team::delete(once.ctx(), id(&team)?, &version).await
    };
    let outcome = outcome.await.map(drop);
    once.done(outcome).await
}

/// Members of a team
///
/// In the order of their ids. Any of users:manage, users:invite, teams:manage and roles:manage leads there.
#[utoipa::path(get, path = "/api/v1/teams/{id}/members", tag = "Teams", operation_id = "listTeamMembers",
    params(("id" = String, Path, description = "Id of the team.", example = "team_0192f3c4a1b27d3e8f9a0b1c2d3e4f50"), ListParams),
    responses((status = 200, description = "Its members.", body = Page<TeamMemberObject>)))]
pub async fn members(caller: Caller, Path(team): Path<String>) -> Response {
    let page = async {
        // A place in the members of one team is none in those of another.
        let list = format!("members of {team}");
        let ask = Ask::parse(&caller, &list)?;
        let found = team::one(caller.ctx(), id(&team)?).await?;
        let members: Vec<TeamMemberObject> = found
            .team
            .members
            .iter()
            .map(|(user, place)| TeamMemberObject::of(&found.roster, &found.team, *user, place))
            .collect();
        Ok(page_of(&ask, &list, members, |member| member.user.clone()))
    };
    caller.answer(page.await)
}

/// Put a member into a team, or change what they have in it
///
/// Needs teams:manage, and what is given has to be held.
#[utoipa::path(put, path = "/api/v1/teams/{id}/members/{user}", tag = "Teams", operation_id = "setTeamMember",
    params(("id" = String, Path, description = "Id of the team.", example = "team_0192f3c4a1b27d3e8f9a0b1c2d3e4f50"),
        ("user" = String, Path, description = "Id of the person.", example = "usr_0192f3c4a1b27d3e8f9a0b1c2d3e4f50")),
    request_body = TeamPlace,
    responses((status = 200, description = "What they have in the team now.", body = TeamMemberObject)))]
pub async fn set_member(Path((team, user)): Path<(String, String)>, write: Write<TeamPlace>) -> Response {
    let Write { once, body } = write;
    let outcome = async {
        let (ctx, id, user) = (once.ctx(), id::<TeamId>(&team)?, id::<UserId>(&user)?);
        // Who is no member is somebody that the key cannot see.
        let roster =
            member::roster_for(ctx, &[rtv_core::Permission::TeamsManage], rtv_domain::Resource::Team(id)).await?;
        if !roster.members.contains_key(&user) {
            return Err(Error::NotFound);
        }
        let place = NewPlace {
            person: user.to_string(),
            role: body.role.unwrap_or_default(),
            permissions: body.permissions,
            news: body.news.unwrap_or_else(|| {
                let told = roster.teams.get(&id).and_then(|team| team.told.get(&user));
                told.into_iter().flatten().map(|one| one.key().into()).collect()
            }),
            version: body.version.to_string(),
        };
        team::set_member(ctx, id, &place).await.map_err(renamed)?;
        let found = team::one(ctx, id).await?;
        let place = found.team.members.get(&user).ok_or(Error::NotFound)?;
        Ok(TeamMemberObject::of(&found.roster, &found.team, user, place))
    };
    let outcome = outcome.await;
    once.answer(StatusCode::OK, outcome).await
}

/// Take a member out of a team
///
/// Needs teams:manage.
#[utoipa::path(delete, path = "/api/v1/teams/{id}/members/{user}", tag = "Teams", operation_id = "removeTeamMember",
    params(("id" = String, Path, description = "Id of the team.", example = "team_0192f3c4a1b27d3e8f9a0b1c2d3e4f50"),
        ("user" = String, Path, description = "Id of the person.", example = "usr_0192f3c4a1b27d3e8f9a0b1c2d3e4f50"),
        ("version" = i64, Query, description = "The version of the team that was read.", example = 7)),
    responses((status = 204, description = "They are no longer in the team.")))]
pub async fn remove_member(Path((team, user)): Path<(String, String)>, once: Once) -> Response {
    let outcome = async {
        let version = once.caller().version()?;
        team::remove_member(once.ctx(), id(&team)?, id(&user)?, &version).await
    };
    let outcome = outcome.await;
    once.done(outcome).await
}

/// Say what a team is responsible for
///
/// Needs teams:manage, and whatever the members gain by it has to be held. What is sent takes the place of what was.
#[utoipa::path(put, path = "/api/v1/teams/{id}/resources", tag = "Teams", operation_id = "setTeamResources",
    params(("id" = String, Path, description = "Id of the team.", example = "team_0192f3c4a1b27d3e8f9a0b1c2d3e4f50")),
    request_body = TeamResources,
    responses((status = 200, description = "The team as it is now.", body = TeamObject)))]
pub async fn set_resources(Path(team): Path<String>, write: Write<TeamResources>) -> Response {
    let Write { once, body } = write;
    let outcome = async {
        let id = id::<TeamId>(&team)?;
        let subjects: BTreeSet<String> = body.accounts.into_iter().chain(body.campaigns).collect();
        let subjects: Vec<String> = subjects.into_iter().collect();
        team::set_subjects(once.ctx(), id, &subjects, &body.version.to_string())
            .await
            .map_err(|error| error.about("resource", "accounts"))?;
        read(once.ctx(), id).await
    };
    let outcome = outcome.await;
    once.answer(StatusCode::OK, outcome).await
}
