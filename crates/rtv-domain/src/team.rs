//! Teams: groups of members that are responsible for accounts and campaigns. Being in a team gives what the team's role and
//! extra permissions say, for these alone. Every change of a team counts its version up, its members and what it is responsible
//! for included.

use std::collections::BTreeSet;

use rtv_core::period::Range;
use rtv_core::permission::SEES_TEAM;
use rtv_core::{Error, FieldError, GivenRole, Permission, Platform, TeamId, UserId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::account::{self, Account};
use crate::audit::Event;
use crate::campaign::{self, Campaign};
use crate::context::TenantContext;
use crate::effective_access::Subject;
use crate::revision::refuse_stale;
use crate::role::{described, named};
use crate::roster::{Act, Roster, Team, TeamMember, Turn, columns, typed};
use crate::transaction::{Resource, failed, violated};

/// One team and what it can be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct One {
    /// The team.
    pub team: Team,
    /// Who holds what in the tenant.
    pub roster: Roster,
    /// All accounts of the tenant.
    pub accounts: Vec<Account>,
    /// All campaigns of the tenant.
    pub campaigns: Vec<Campaign>,
}

/// One team. A team of others is none.
pub async fn one(ctx: &TenantContext, id: TeamId) -> Result<One, Error> {
    let mut tx = ctx.begin_to_read(SEES_TEAM, Resource::Team(id)).await?;
    let roster = Roster::read(&mut tx).await?;
    let accounts = account::read(&mut tx).await?;
    let campaigns = campaign::read(&mut tx).await?;
    tx.rollback().await?;
    let team = roster.teams.get(&id).cloned().ok_or(Error::NotFound)?;
    Ok(One { team, roster, accounts, campaigns })
}

/// A team as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewTeam {
    /// Name for people.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The period that its link to the dashboard begins with; empty: the usual one.
    pub range: String,
    /// Keys of the platforms that its link begins with; none: all.
    pub platforms: Vec<String>,
}

struct Parsed {
    name: String,
    description: String,
    range: Option<Range>,
    platforms: Vec<Platform>,
}

impl NewTeam {
    fn parse(&self) -> Result<Parsed, Error> {
        let mut errors = Vec::new();
        let mut refuse = |field: &str, message: String| errors.push(FieldError { field: field.into(), message });
        let name = named(&self.name, &mut refuse);
        let description = described(&self.description, &mut refuse);
        let range = match self.range.as_str() {
            "" => None,
            key => match key.parse::<Range>() {
                // Two stated days are old tomorrow: no way to begin with.
                Ok(range) if range != Range::Custom => Some(range),
                _ => {
                    refuse("range", "choose a period from the list.".into());
                    None
                }
            },
        };
        let mut platforms = Vec::new();
        for key in &self.platforms {
            match key.parse::<Platform>() {
                Ok(platform) if !platforms.contains(&platform) => platforms.push(platform),
                Ok(_) => {}
                Err(message) => refuse("platform", message),
            }
        }
        if errors.is_empty() { Ok(Parsed { name, description, range, platforms }) } else { Err(Error::Invalid(errors)) }
    }
}

fn recorded(name: &str, description: &str, range: Option<Range>, platforms: &[Platform], version: i64) -> Value {
    json!({
        "name": name, "description": description, "default_period": range.map(Range::key),
        "platforms": platforms.iter().map(|one| one.key()).collect::<Vec<_>>(), "version": version,
    })
}

fn taken(error: sqlx::Error, name: &str) -> Error {
    match violated(&error) {
        Some("team_name_unique") => {
            Error::invalid("name", format!("“{name}” is the name of another team; choose another."))
        }
        _ => failed(error),
    }
}

fn keys(platforms: &[Platform]) -> Vec<String> {
    platforms.iter().map(|platform| platform.key().to_owned()).collect()
}

/// Makes a team without members.
pub async fn create(ctx: &TenantContext, new: &NewTeam) -> Result<TeamId, Error> {
    let mut turn = Turn::begin(ctx, Permission::TeamsManage, Resource::Teams).await?;
    let Parsed { name, description, range, platforms } = new.parse()?;
    let id = TeamId::from(Uuid::now_v7());
    let names = keys(&platforms);
    sqlx::query!(
        r#"
        insert into team (tenant_id, id, name, description, default_range, platforms, created_at, updated_at, changed_by)
        values ($1, $2, $3, $4, $5, $6, $7, $7, $8)
        "#,
        ctx.tenant().id.uuid(),
        id.uuid(),
        name,
        description,
        range.map(Range::key),
        &names[..],
        ctx.now(),
        Turn::label(ctx),
    )
    .execute(turn.tx.connection())
    .await
    .map_err(|error| taken(error, &name))?;
    let event =
        Event::new("team.create", "team", id.to_string()).after(recorded(&name, &description, range, &platforms, 1));
    turn.tx.audit(event).await?;
    turn.tx.commit().await?;
    Ok(id)
}

/// Changes name, description and what the team's link to the dashboard begins with.
pub async fn update(ctx: &TenantContext, id: TeamId, new: &NewTeam, version: &str) -> Result<(), Error> {
    let (mut turn, team) = begin(ctx, id, version).await?;
    let Parsed { name, description, range, platforms } = new.parse()?;
    let names = keys(&platforms);
    sqlx::query!(
        r#"
        update team
        set name = $2, description = $3, default_range = $4, platforms = $5
        where id = $1 and tenant_id = $6
        "#,
        id.uuid(),
        name,
        description,
        range.map(Range::key),
        &names[..],
        ctx.tenant().id.uuid(),
    )
    .execute(turn.tx.connection())
    .await
    .map_err(|error| taken(error, &name))?;
    let version = team.revision.version;
    let event = Event::new("team.update", "team", id.to_string())
        .before(recorded(&team.name, &team.description, team.range, &team.platforms, version))
        .after(recorded(&name, &description, range, &platforms, version + 1));
    finish(ctx, turn, &team, event).await
}

/// Takes the turn for a team and refuses a form that was made from another version of it.
async fn begin(ctx: &TenantContext, id: TeamId, version: &str) -> Result<(Turn, Team), Error> {
    let mut turn = Turn::begin(ctx, Permission::TeamsManage, Resource::Team(id)).await?;
    let team = turn.roster.teams.get(&id).cloned().ok_or(Error::NotFound)?;
    refuse_stale(&mut turn.tx, ctx, version, &team.revision, ("team", &id.to_string())).await?;
    Ok((turn, team))
}

/// Counts the version up, writes the event and ends the turn.
async fn finish(ctx: &TenantContext, mut turn: Turn, team: &Team, event: Event) -> Result<(), Error> {
    sqlx::query!(
        "update team set version = $2, updated_at = $3, changed_by = $4 where id = $1 and tenant_id = $5",
        team.id.uuid(),
        team.revision.version + 1,
        ctx.now(),
        Turn::label(ctx),
        ctx.tenant().id.uuid(),
    )
    .execute(turn.tx.connection())
    .await
    .map_err(failed)?;
    turn.tx.audit(event).await?;
    turn.tx.commit().await
}

/// What the removal of a team is refused for, where it is.
pub fn refusal_to_delete(ctx: &TenantContext, roster: &Roster, id: TeamId) -> Option<String> {
    let actor = ctx.context().actor().user_id();
    roster.judge(actor, ctx.access(), &Act::DeleteTeam(id)).err().map(|refusal| refusal.to_string())
}

/// Removes a team. Its members stay members of the tenant.
pub async fn delete(ctx: &TenantContext, id: TeamId, version: &str) -> Result<String, Error> {
    let (turn, team) = begin(ctx, id, version).await?;
    let mut turn = turn.judge(ctx, &Act::DeleteTeam(id), "team.delete", "name").await?;
    sqlx::query!("delete from team where id = $1 and tenant_id = $2", id.uuid(), ctx.tenant().id.uuid())
        .execute(turn.tx.connection())
        .await
        .map_err(failed)?;
    let mut before = recorded(&team.name, &team.description, team.range, &team.platforms, team.revision.version);
    before["members"] = json!(team.members.keys().collect::<Vec<_>>());
    before["responsible_for"] = json!(team.subjects.iter().map(ToString::to_string).collect::<Vec<_>>());
    turn.tx.audit(Event::new("team.delete", "team", id.to_string()).before(before)).await?;
    turn.tx.commit().await?;
    Ok(team.name)
}

/// What somebody is to have in a team, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewPlace {
    /// Id of the person.
    pub person: String,
    /// Key of a built-in role or id of a custom one; empty: none.
    pub role: String,
    /// Keys of extra permissions.
    pub permissions: Vec<String>,
    /// The version of the team that the form was made from.
    pub version: String,
}

/// As the audit log writes what somebody has in a team.
fn recorded_place(roster: &Roster, user: UserId, place: Option<&TeamMember>, version: i64) -> Value {
    let member = roster.members.get(&user);
    json!({
        "member": member.map(|member| member.email.to_string()),
        "team_role": place.and_then(|place| place.role).map(|role| roster.named(role).recorded()),
        "team_permissions": place.map(|place| place.extra.keys()),
        "version": version,
    })
}

/// Puts a member into the team, or changes what they have in it.
pub async fn set_member(ctx: &TenantContext, id: TeamId, new: &NewPlace) -> Result<UserId, Error> {
    let (turn, team) = begin(ctx, id, &new.version).await?;
    let unknown = || Error::invalid("person", "choose a member from the list.");
    let user = new.person.parse::<UserId>().map_err(|_| unknown())?;
    if !turn.roster.members.contains_key(&user) {
        return Err(unknown());
    }
    let role = match new.role.as_str() {
        "" => None,
        key => {
            let unknown = || Error::invalid("role", "choose a role from the list.");
            let role = key.parse::<GivenRole>().map_err(|_| unknown())?;
            match role {
                // Ownership is of the tenant: in a team it would say what it does not give.
                GivenRole::BuiltIn(rtv_core::Role::Owner) => return Err(unknown()),
                GivenRole::Custom(custom) if !turn.roster.roles.contains_key(&custom) => return Err(unknown()),
                GivenRole::BuiltIn(_) | GivenRole::Custom(_) => Some(role),
            }
        }
    };
    let extra = typed(&new.permissions)?;
    if let Some(permission) = extra.iter().find(|permission| !permission.is_by_resource()) {
        return Err(Error::invalid(
            "permission",
            format!("{permission} is about the organisation as a whole; no team gives it."),
        ));
    }
    let held = role.map(|role| turn.roster.named(role).permissions).unwrap_or_default();
    let place = TeamMember { role, extra: extra.minus(held) };
    let mut turn = turn.judge(ctx, &Act::SetTeamMember(id, user, place), "team.set_member", "role").await?;
    let (key, custom) = role.map(columns).unzip();
    let permissions = place.extra.keys();
    sqlx::query!(
        r#"
        insert into team_member (tenant_id, team_id, user_id, role, role_id, permissions, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict on constraint team_member_key
        do update set role = excluded.role, role_id = excluded.role_id, permissions = excluded.permissions
        "#,
        ctx.tenant().id.uuid(),
        id.uuid(),
        user.uuid(),
        key,
        custom.flatten(),
        &permissions[..],
        ctx.now(),
    )
    .execute(turn.tx.connection())
    .await
    .map_err(failed)?;
    let version = team.revision.version;
    let event = Event::new("team.set_member", "team", id.to_string())
        .before(recorded_place(&turn.roster, user, team.members.get(&user), version))
        .after(recorded_place(&turn.roster, user, Some(&place), version + 1));
    finish(ctx, turn, &team, event).await?;
    Ok(user)
}

/// Takes a member out of the team.
pub async fn remove_member(ctx: &TenantContext, id: TeamId, user: UserId, version: &str) -> Result<(), Error> {
    let (turn, team) = begin(ctx, id, version).await?;
    let place = team.members.get(&user).ok_or(Error::NotFound)?;
    let mut turn = turn.judge(ctx, &Act::RemoveTeamMember(id, user), "team.remove_member", "person").await?;
    sqlx::query!(
        "delete from team_member where team_id = $1 and user_id = $2 and tenant_id = $3",
        id.uuid(),
        user.uuid(),
        ctx.tenant().id.uuid()
    )
    .execute(turn.tx.connection())
    .await
    .map_err(failed)?;
    let version = team.revision.version;
    let event = Event::new("team.remove_member", "team", id.to_string())
        .before(recorded_place(&turn.roster, user, Some(place), version))
        .after(json!({ "member": null, "version": version + 1 }));
    finish(ctx, turn, &team, event).await
}

/// Says what the team is responsible for: all of it, in place of what it was.
pub async fn set_subjects(ctx: &TenantContext, id: TeamId, subjects: &[String], version: &str) -> Result<(), Error> {
    let (mut turn, team) = begin(ctx, id, version).await?;
    let wanted = subjects.iter().map(|text| text.parse::<Subject>()).collect::<Result<BTreeSet<_>, _>>()?;
    let accounts = account::read(&mut turn.tx).await?;
    let campaigns = campaign::read(&mut turn.tx).await?;
    let name = |subject: &Subject| match subject {
        Subject::Account(id) => accounts.iter().find(|one| one.id == *id).map(|one| one.name.clone()),
        Subject::Campaign(id) => campaigns.iter().find(|one| one.id == *id).map(|one| one.name.clone()),
    };
    if wanted.iter().any(|subject| name(subject).is_none()) {
        return Err(Error::invalid("resource", "choose accounts and campaigns from the list."));
    }
    let mut turn = turn.judge(ctx, &Act::SetSubjects(id, wanted.clone()), "team.assign", "resource").await?;
    let of = |subjects: &BTreeSet<Subject>| {
        let mut accounts: Vec<Uuid> = Vec::new();
        let mut campaigns: Vec<Uuid> = Vec::new();
        for subject in subjects {
            match subject {
                Subject::Account(id) => accounts.push(id.uuid()),
                Subject::Campaign(id) => campaigns.push(id.uuid()),
            }
        }
        (accounts, campaigns)
    };
    let (account_ids, campaign_ids) = of(&wanted);
    let tenant = ctx.tenant().id.uuid();
    sqlx::query!(
        "delete from team_account where team_id = $1 and tenant_id = $2 and account_id <> all($3)",
        id.uuid(),
        tenant,
        &account_ids[..]
    )
    .execute(turn.tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query!(
        "delete from team_campaign where team_id = $1 and tenant_id = $2 and campaign_id <> all($3)",
        id.uuid(),
        tenant,
        &campaign_ids[..]
    )
    .execute(turn.tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query!(
        r#"
        insert into team_account (tenant_id, team_id, account_id)
        select $2, $1, account_id from unnest($3::uuid[]) as account_id
        on conflict do nothing
        "#,
        id.uuid(),
        tenant,
        &account_ids[..]
    )
    .execute(turn.tx.connection())
    .await
    .map_err(gone)?;
    sqlx::query!(
        r#"
        insert into team_campaign (tenant_id, team_id, campaign_id)
        select $2, $1, campaign_id from unnest($3::uuid[]) as campaign_id
        on conflict do nothing
        "#,
        id.uuid(),
        tenant,
        &campaign_ids[..]
    )
    .execute(turn.tx.connection())
    .await
    .map_err(gone)?;
    let names = |subjects: &BTreeSet<Subject>| {
        let mut names: Vec<String> = subjects.iter().filter_map(&name).collect();
        names.sort_unstable();
        names
    };
    let version = team.revision.version;
    let described = |subjects: &BTreeSet<Subject>, version: i64| {
        let ids: Vec<String> = subjects.iter().map(ToString::to_string).collect();
        json!({ "responsible_for": names(subjects), "ids": ids, "version": version })
    };
    let event = Event::new("team.assign", "team", id.to_string())
        .before(described(&team.subjects, version))
        .after(described(&wanted, version + 1));
    finish(ctx, turn, &team, event).await
}

/// An account or a campaign that went between being read and being given.
fn gone(error: sqlx::Error) -> Error {
    match violated(&error) {
        Some("team_account_account" | "team_campaign_campaign") => {
            Error::invalid("resource", "choose accounts and campaigns from the list.")
        }
        _ => failed(error),
    }
}
