//! Teams: groups of members that are responsible for accounts and campaigns. Being in a team gives what the team's role and
//! extra permissions say, for these alone. Every change of a team counts its version up, its members and what it is responsible
//! for included.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use rtv_core::period::Range;
use rtv_core::permission::SEES_TEAM;
use rtv_core::{Error, FieldError, GivenRole, News, Permission, Platform, TeamId, UserId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::access::stored;
use crate::account::{self, Account};
use crate::audit::Event;
use crate::campaign::{self, Campaign};
use crate::context::{Access, TenantContext};
use crate::effective_access::Subject;
use crate::news::{self, About, Message};
use crate::revision::refuse_stale;
use crate::role::{described, named};
use crate::roster::{Act, Roster, Team, TeamMember, Turn, columns, typed};
use crate::transaction::{Resource, Tx, failed, violated};
use crate::zone;

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
    /// The zone in which its pages show times; empty: the tenant's.
    pub zone: String,
}

const UNKNOWN_ZONE: &str = "choose a zone of the tz database, such as Europe/Berlin.";

struct Parsed {
    name: String,
    description: String,
    range: Option<Range>,
    platforms: Vec<Platform>,
    zone: Option<Tz>,
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
        let zone = match self.zone.trim() {
            "" => None,
            name => {
                let parsed = name.parse::<Tz>().ok();
                if parsed.is_none() {
                    refuse("zone", UNKNOWN_ZONE.into());
                }
                parsed
            }
        };
        if errors.is_empty() {
            Ok(Parsed { name, description, range, platforms, zone })
        } else {
            Err(Error::Invalid(errors))
        }
    }
}

fn recorded(
    name: &str,
    description: &str,
    (range, zone): (Option<Range>, Option<Tz>),
    platforms: &[Platform],
    version: i64,
) -> Value {
    json!({
        "name": name, "description": description, "default_period": range.map(Range::key), "zone": zone.map(Tz::name),
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

/// Refuses a zone that only this program knows and not the database.
async fn refuse_unknown(tx: &mut Tx, zone: Option<Tz>) -> Result<(), Error> {
    match zone {
        Some(zone) if !zone::is_known(tx, zone).await? => Err(Error::invalid("zone", UNKNOWN_ZONE)),
        _ => Ok(()),
    }
}

fn keys(platforms: &[Platform]) -> Vec<String> {
    platforms.iter().map(|platform| platform.key().to_owned()).collect()
}

/// Makes a team without members.
pub async fn create(ctx: &TenantContext, new: &NewTeam) -> Result<TeamId, Error> {
    let mut turn = Turn::begin(ctx, Permission::TeamsManage, Resource::Teams).await?;
    let Parsed { name, description, range, platforms, zone } = new.parse()?;
    refuse_unknown(&mut turn.tx, zone).await?;
    let id = TeamId::from(Uuid::now_v7());
    let names = keys(&platforms);
    sqlx::query!(
        r#"
        insert into team (
          tenant_id, id, name, description, default_range, platforms, created_at, updated_at, changed_by, time_zone
        )
        values ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9)
        "#,
        ctx.tenant().id.uuid(),
        id.uuid(),
        name,
        description,
        range.map(Range::key),
        &names[..],
        ctx.now(),
        Turn::label(ctx),
        zone.map(Tz::name),
    )
    .execute(turn.tx.connection())
    .await
    .map_err(|error| taken(error, &name))?;
    let event = Event::new("team.create", "team", id.to_string()).after(recorded(
        &name,
        &description,
        (range, zone),
        &platforms,
        1,
    ));
    turn.tx.audit(event).await?;
    turn.tx.commit().await?;
    Ok(id)
}

/// Changes name, description, zone and what the team's link to the dashboard begins with.
pub async fn update(ctx: &TenantContext, id: TeamId, new: &NewTeam, version: &str) -> Result<(), Error> {
    let (mut turn, team) = begin(ctx, id, version).await?;
    let Parsed { name, description, range, platforms, zone } = new.parse()?;
    refuse_unknown(&mut turn.tx, zone).await?;
    let names = keys(&platforms);
    sqlx::query!(
        r#"
        update team
        set name = $2, description = $3, default_range = $4, platforms = $5, time_zone = $7
        where id = $1 and tenant_id = $6
        "#,
        id.uuid(),
        name,
        description,
        range.map(Range::key),
        &names[..],
        ctx.tenant().id.uuid(),
        zone.map(Tz::name),
    )
    .execute(turn.tx.connection())
    .await
    .map_err(|error| taken(error, &name))?;
    let version = team.revision.version;
    let event = Event::new("team.update", "team", id.to_string())
        .before(recorded(&team.name, &team.description, (team.range, team.zone), &team.platforms, version))
        .after(recorded(&name, &description, (range, zone), &platforms, version + 1));
    finish(ctx, turn, &team, event).await
}

/// Takes the turn for a team and refuses a form that was made from another version of it.
async fn begin(ctx: &TenantContext, id: TeamId, version: &str) -> Result<(Turn, Team), Error> {
    let turn = Turn::begin(ctx, Permission::TeamsManage, Resource::Team(id)).await?;
    current(ctx, turn, id, version).await
}

async fn current(ctx: &TenantContext, mut turn: Turn, id: TeamId, version: &str) -> Result<(Turn, Team), Error> {
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
    let mut before =
        recorded(&team.name, &team.description, (team.range, team.zone), &team.platforms, team.revision.version);
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
    /// Keys of the news that they are told of by mail.
    pub news: Vec<String>,
    /// The version of the team that the form was made from.
    pub version: String,
}

/// As the audit log writes what somebody has in a team.
fn recorded_place(
    roster: &Roster,
    user: UserId,
    place: Option<&TeamMember>,
    told: Option<&Vec<News>>,
    version: i64,
) -> Value {
    let member = roster.members.get(&user);
    let told: Vec<&str> = told.into_iter().flatten().map(|one| one.key()).collect();
    json!({
        "told_of": told,
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
    let told = told(&new.news)?;
    let held = role.map(|role| turn.roster.named(role).permissions).unwrap_or_default();
    let place = TeamMember { role, extra: extra.minus(held) };
    let mut turn = turn.judge(ctx, &Act::SetTeamMember(id, user, place), "team.set_member", "role").await?;
    let (key, custom) = role.map(columns).unzip();
    let permissions = place.extra.keys();
    sqlx::query!(
        r#"
        insert into team_member (tenant_id, team_id, user_id, role, role_id, permissions, created_at, news)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict on constraint team_member_key
        do update set
          role = excluded.role, role_id = excluded.role_id, permissions = excluded.permissions, news = excluded.news
        "#,
        ctx.tenant().id.uuid(),
        id.uuid(),
        user.uuid(),
        key,
        custom.flatten(),
        &permissions[..],
        ctx.now(),
        &keys_of(&told)[..],
    )
    .execute(turn.tx.connection())
    .await
    .map_err(failed)?;
    let version = team.revision.version;
    let before = team.members.get(&user);
    if before != Some(&place) {
        let name = &turn.roster.members.get(&user).ok_or(Error::NotFound)?.name;
        let role =
            place.role.map_or_else(|| "without a role".into(), |role| format!("as {}", turn.roster.named(role).name));
        let who = Turn::label(ctx);
        let (subject, text) = if before.is_none() {
            (format!("{name} joined {}", team.name), format!("{who} put {name} into the team “{}”, {role}.", team.name))
        } else {
            (
                format!("what {name} may do in {}", team.name),
                format!("{who} changed what {name} may do in the team “{}”: {name} is in it {role} now.", team.name),
            )
        };
        tell_of_members(ctx, &mut turn.tx, &[id], subject, text).await?;
    }
    let event = Event::new("team.set_member", "team", id.to_string())
        .before(recorded_place(&turn.roster, user, before, team.told.get(&user), version))
        .after(recorded_place(&turn.roster, user, Some(&place), Some(&told), version + 1));
    finish(ctx, turn, &team, event).await?;
    Ok(user)
}

/// Kinds of news as typed.
fn told(keys: &[String]) -> Result<Vec<News>, Error> {
    for key in keys {
        key.parse::<News>().map_err(|message| Error::invalid("news", format!("{message}.")))?;
    }
    Ok(News::ALL.iter().copied().filter(|one| keys.iter().any(|key| key == one.key())).collect())
}

fn keys_of(told: &[News]) -> Vec<String> {
    told.iter().map(|one| one.key().to_owned()).collect()
}

/// Tells members of teams that one of them may do something else now.
pub(crate) async fn tell_of_members(
    ctx: &TenantContext,
    tx: &mut Tx,
    teams: &[TeamId],
    subject: String,
    text: String,
) -> Result<(), Error> {
    let page = match teams {
        [one] => format!("/team/teams/{one}"),
        _ => "/team/teams".into(),
    };
    news::tell(ctx, tx, About::Teams(teams), News::Members, Message { subject, text, page }).await
}

/// Takes a member out of the team. That goes on also where nothing changes otherwise: it gives nobody anything.
pub async fn remove_member(ctx: &TenantContext, id: TeamId, user: UserId, version: &str) -> Result<(), Error> {
    let turn = Turn::begin_to_stop(ctx, Permission::TeamsManage, Resource::Team(id)).await?;
    let (turn, team) = current(ctx, turn, id, version).await?;
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
    let name = &turn.roster.members.get(&user).ok_or(Error::NotFound)?.name;
    let text = format!("{} took {name} out of the team “{}”.", Turn::label(ctx), team.name);
    tell_of_members(ctx, &mut turn.tx, &[id], format!("{name} left {}", team.name), text).await?;
    let event = Event::new("team.remove_member", "team", id.to_string())
        .before(recorded_place(&turn.roster, user, Some(place), team.told.get(&user), version))
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

/// A team that figures can be narrowed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its id.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// The zone in which it wants to see times, if not the tenant's.
    pub zone: Option<Tz>,
}

/// The teams that the actor may narrow figures to: all, or those through which they see figures at all; of what is narrowed
/// already, those that it is narrowed to.
pub async fn choices(ctx: &TenantContext) -> Result<Vec<Choice>, Error> {
    let mut tx = ctx.begin(Permission::AnalyticsRead, Resource::Accounts).await?;
    let rows = sqlx::query!("select id, name, time_zone from team order by lower(name), id")
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    tx.rollback().await?;
    let theirs = match ctx.access() {
        Access::Member(holding) if !holding.everywhere().contains(Permission::AnalyticsRead) => {
            Some(holding.teams_with(Permission::AnalyticsRead))
        }
        _ => None,
    };
    rows.into_iter()
        .map(|row| {
            let zone = row.time_zone.map(|zone| stored(zone.parse())).transpose()?;
            Ok(Choice { id: row.id.into(), name: row.name, zone })
        })
        .filter(|row| match (row, &theirs) {
            (Ok(one), Some(theirs)) => theirs.contains(&one.id),
            _ => true,
        })
        .filter(|row| match row {
            Ok(one) => ctx.narrowed.is_empty() || ctx.narrowed.contains(&one.id),
            Err(_) => true,
        })
        .collect()
}

/// The tenant as these teams look at it.
#[derive(Debug, Clone)]
pub struct Narrowed {
    /// Sees of accounts, campaigns and posts what one of the teams is responsible for.
    pub ctx: TenantContext,
    /// The zone in which times are shown: the one that all of these teams want to see, or the tenant's.
    pub zone: Tz,
}

/// Narrows what is read to what one of these teams is responsible for; none: no further than it is already. It never widens: a team
/// that is not among the choices, or not among those that it is narrowed to already, is refused, in the same words whether it is
/// somebody else's or nobody's.
pub fn narrow(ctx: &TenantContext, choices: &[Choice], wanted: &[TeamId]) -> Result<Narrowed, Error> {
    let mut zones = Vec::new();
    for team in wanted {
        let is_within = ctx.narrowed.is_empty() || ctx.narrowed.contains(team);
        let choice = choices.iter().find(|choice| choice.id == *team && is_within);
        let choice = choice.ok_or_else(|| Error::invalid("team", "choose a team from the list."))?;
        zones.push(choice.zone.unwrap_or(ctx.tenant().zone));
    }
    let zone = match zones.as_slice() {
        [first, rest @ ..] if rest.iter().all(|zone| zone == first) => *first,
        _ => ctx.tenant().zone,
    };
    let narrowed = if wanted.is_empty() { ctx.narrowed.clone() } else { wanted.to_vec() };
    Ok(Narrowed { ctx: TenantContext { narrowed, ..ctx.clone() }, zone })
}
