//! Who holds what in a tenant, as one picture, and the judgement of every change to it. A change is judged by its outcome:
//! whatever anybody gains by it the actor must hold, from whoever loses something the actor must hold as much, owners are
//! made and unmade by owners, and one who can sign in stays. So no combination of roles, extra permissions and teams has to
//! be thought of one by one. Changes of a tenant take turns, and each reads the picture again when its turn comes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rtv_core::period::Range;
use rtv_core::{
    Email, Error, GivenRole, News, Permission, PermissionSet, Platform, Role, RoleId, TeamId, TenantId, UserId,
};
use uuid::Uuid;

use crate::access::stored;
use crate::audit::{Event, Outcome};
use crate::context::{Access, Actor, TenantContext};
use crate::effective_access::{Holding, NamedRole, Share, Subject};
use crate::revision::Revision;
use crate::transaction::{Resource, Tx, failed};

/// A custom role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomRole {
    /// Id.
    pub id: RoleId,
    /// Name for people, unique in the tenant.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it holds.
    pub permissions: PermissionSet,
    /// Its last change.
    pub revision: Revision,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Id of the person.
    pub id: UserId,
    /// Name for people.
    pub name: String,
    /// Sign-in address.
    pub email: Email,
    /// Whether the operator keeps them from signing in.
    pub is_disabled: bool,
    /// Whether they give a code beside their password.
    pub has_second_factor: bool,
    /// Their role in the tenant.
    pub role: GivenRole,
    /// What they hold beside it.
    pub extra: PermissionSet,
    /// Since when they belong to the tenant.
    pub joined_at: DateTime<Utc>,
    /// When they were last in the tenant, to some minutes; `None` for never.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// The last change of what they hold.
    pub revision: Revision,
}

/// What somebody has in a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TeamMember {
    /// The role for the team's accounts and campaigns, if any.
    pub role: Option<GivenRole>,
    /// Extra permissions for them.
    pub extra: PermissionSet,
}

/// A team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Id.
    pub id: TeamId,
    /// Name for people, unique in the tenant.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The period that its link to the dashboard begins with; `None`: the usual one.
    pub range: Option<Range>,
    /// The platforms that its link begins with; empty: all.
    pub platforms: Vec<Platform>,
    /// The zone in which its pages show times; `None`: the tenant's.
    pub zone: Option<Tz>,
    /// The accounts and campaigns that it is responsible for.
    pub subjects: BTreeSet<Subject>,
    /// Its members.
    pub members: BTreeMap<UserId, TeamMember>,
    /// Of what which of them are told by mail.
    pub told: BTreeMap<UserId, Vec<News>>,
    /// Its last change.
    pub revision: Revision,
}

/// Who holds what in a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    /// Custom roles.
    pub roles: BTreeMap<RoleId, CustomRole>,
    /// Members.
    pub members: BTreeMap<UserId, Member>,
    /// Teams.
    pub teams: BTreeMap<TeamId, Team>,
}

/// A change that decides on access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Gives a member another role and other extra permissions.
    ChangeMember(UserId, GivenRole, PermissionSet),
    /// Takes a member out of the tenant.
    RemoveMember(UserId),
    /// Makes or changes a custom role.
    SetRole(RoleId, PermissionSet),
    /// Puts a member into a team, or changes what they have in it.
    SetTeamMember(TeamId, UserId, TeamMember),
    /// Takes a member out of a team.
    RemoveTeamMember(TeamId, UserId),
    /// Says what a team is responsible for.
    SetSubjects(TeamId, BTreeSet<Subject>),
    /// Removes a team.
    DeleteTeam(TeamId),
}

/// Why a change is not the actor's to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The actor would give what they do not hold.
    Lacks(PermissionSet),
    /// Somebody who holds more than the actor would lose something: their name, and what they hold more.
    Above(String, PermissionSet),
    /// Only owners make and unmake owners.
    OwnersOnly,
    /// Nobody who may sign in would be an owner any more: the name of the one who is.
    LastOwner(String),
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Lacks(set) => write!(f, "you do not hold {set}, and nobody gives what they do not hold."),
            Self::Above(name, set) => {
                write!(f, "{name} holds more than you do ({set}), so you can take nothing from them.")
            }
            Self::OwnersOnly => f.write_str("only an owner makes somebody an owner, or takes that from them."),
            Self::LastOwner(name) => write!(
                f,
                "{name} is the last owner who can sign in. Make somebody else an owner first; then this can be done."
            ),
        }
    }
}

impl Roster {
    /// Reads the picture, in four queries.
    pub(crate) async fn read(tx: &mut Tx) -> Result<Self, Error> {
        let mut roster = Self::default();
        let rows =
            sqlx::query!("select id, name, description, permissions, version, updated_at, changed_by from custom_role")
                .fetch_all(tx.connection())
                .await
                .map_err(failed)?;
        for row in rows {
            let id = RoleId::from(row.id);
            let role = CustomRole {
                id,
                name: row.name,
                description: row.description,
                permissions: known(&row.permissions),
                revision: Revision {
                    version: row.version,
                    updated_at: row.updated_at,
                    changed_by: Some(row.changed_by),
                },
            };
            roster.roles.insert(id, role);
        }
        roster.read_members(tx).await?;
        roster.read_teams(tx).await?;
        Ok(roster)
    }

    async fn read_members(&mut self, tx: &mut Tx) -> Result<(), Error> {
        let rows = sqlx::query!(
            r#"
            select
              membership.user_id, membership.role, membership.role_id, membership.permissions, membership.version,
              membership.created_at, membership.updated_at, membership.changed_by,
              app_user.name, app_user.email, app_user.is_disabled, app_user.has_second_factor,
              member_visit.last_seen_at as "last_seen_at?"
            from membership
            join app_user on app_user.id = membership.user_id
            left join member_visit
              on member_visit.tenant_id = membership.tenant_id and member_visit.user_id = membership.user_id
            "#
        )
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
        for row in rows {
            let id = UserId::from(row.user_id);
            let member = Member {
                id,
                name: row.name,
                email: stored(row.email.parse())?,
                is_disabled: row.is_disabled,
                has_second_factor: row.has_second_factor,
                role: given(&row.role, row.role_id)?,
                extra: known(&row.permissions),
                joined_at: row.created_at,
                last_seen_at: row.last_seen_at,
                revision: Revision { version: row.version, updated_at: row.updated_at, changed_by: row.changed_by },
            };
            self.members.insert(id, member);
        }
        Ok(())
    }

    async fn read_teams(&mut self, tx: &mut Tx) -> Result<(), Error> {
        let rows = sqlx::query!(
            r#"
            select
              id, name, description, default_range, platforms, time_zone, version, updated_at, changed_by,
              array(
                select account_id from team_account
                where team_account.tenant_id = team.tenant_id and team_account.team_id = team.id
              ) as "accounts!",
              array(
                select campaign_id from team_campaign
                where team_campaign.tenant_id = team.tenant_id and team_campaign.team_id = team.id
              ) as "campaigns!"
            from team
            "#
        )
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
        for row in rows {
            let id = TeamId::from(row.id);
            let accounts = row.accounts.into_iter().map(|id| Subject::Account(id.into()));
            let campaigns = row.campaigns.into_iter().map(|id| Subject::Campaign(id.into()));
            let team = Team {
                id,
                name: row.name,
                description: row.description,
                range: row.default_range.map(|key| stored(key.parse())).transpose()?,
                platforms: row.platforms.iter().map(|key| stored(key.parse())).collect::<Result<_, _>>()?,
                zone: row.time_zone.map(|zone| stored(zone.parse())).transpose()?,
                subjects: accounts.chain(campaigns).collect(),
                members: BTreeMap::new(),
                told: BTreeMap::new(),
                revision: Revision {
                    version: row.version,
                    updated_at: row.updated_at,
                    changed_by: Some(row.changed_by),
                },
            };
            self.teams.insert(id, team);
        }
        let rows = sqlx::query!("select team_id, user_id, role, role_id, permissions, news from team_member")
            .fetch_all(tx.connection())
            .await
            .map_err(failed)?;
        for row in rows {
            if let Some(team) = self.teams.get_mut(&row.team_id.into()) {
                let role = row.role.map(|role| given(&role, row.role_id)).transpose()?;
                team.members.insert(row.user_id.into(), TeamMember { role, extra: known(&row.permissions) });
                // A kind that this version does not know is told to nobody.
                let told: Vec<News> = row.news.iter().filter_map(|key| key.parse().ok()).collect();
                if !told.is_empty() {
                    team.told.insert(row.user_id.into(), told);
                }
            }
        }
        Ok(())
    }

    /// A role with its name. A custom role that is gone holds nothing.
    pub fn named(&self, role: GivenRole) -> NamedRole {
        match role {
            GivenRole::BuiltIn(role) => NamedRole::built_in(role),
            GivenRole::Custom(id) => {
                let known = self.roles.get(&id);
                NamedRole {
                    role,
                    name: known.map_or_else(|| "Removed role".into(), |role| role.name.clone()),
                    permissions: known.map_or(PermissionSet::EMPTY, |role| role.permissions),
                }
            }
        }
    }

    /// What a member holds; `None` for who is none.
    pub fn holding(&self, user: UserId) -> Option<Holding> {
        let member = self.members.get(&user)?;
        let mut shares: Vec<Share> = self
            .teams
            .values()
            .filter_map(|team| {
                let place = team.members.get(&user)?;
                Some(Share {
                    team: team.id,
                    name: team.name.clone(),
                    role: place.role.map(|role| self.named(role)),
                    extra: place.extra,
                })
            })
            .collect();
        shares.sort_by_cached_key(|share| (share.name.to_lowercase(), share.team));
        Some(Holding { role: self.named(member.role), extra: member.extra, shares })
    }

    /// The teams that are responsible for something.
    pub fn teams_of(&self, subject: Subject) -> Vec<TeamId> {
        self.teams.values().filter(|team| team.subjects.contains(&subject)).map(|team| team.id).collect()
    }

    /// What a member holds for an account or a campaign; nothing for who is none.
    pub fn on(&self, user: UserId, subject: Subject) -> PermissionSet {
        self.holding(user).map_or(PermissionSet::EMPTY, |holding| self.held_on(&holding, subject))
    }

    fn held_on(&self, holding: &Holding, subject: Subject) -> PermissionSet {
        holding.shares.iter().fold(holding.everywhere(), |set, share| {
            let is_theirs = self.teams.get(&share.team).is_some_and(|team| team.subjects.contains(&subject));
            if is_theirs { set.union(share.permissions()) } else { set }
        })
    }

    /// How many members have a role, in the tenant and in teams.
    pub fn users_of(&self, role: GivenRole) -> (usize, usize) {
        let members = self.members.values().filter(|member| member.role == role).count();
        let places = self.teams.values().flat_map(|team| team.members.values());
        (members, places.filter(|place| place.role == Some(role)).count())
    }

    /// The picture after a change, whoever makes it.
    #[must_use]
    pub fn after(&self, act: &Act) -> Self {
        let mut after = self.clone();
        match act {
            Act::ChangeMember(user, role, extra) => {
                if let Some(member) = after.members.get_mut(user) {
                    member.role = *role;
                    member.extra = *extra;
                }
            }
            Act::RemoveMember(user) => {
                after.members.remove(user);
                for team in after.teams.values_mut() {
                    team.members.remove(user);
                }
            }
            Act::SetRole(id, permissions) => {
                if let Some(role) = after.roles.get_mut(id) {
                    role.permissions = *permissions;
                }
            }
            Act::SetTeamMember(team, user, place) => {
                if let (Some(team), true) = (after.teams.get_mut(team), self.members.contains_key(user)) {
                    team.members.insert(*user, *place);
                }
            }
            Act::RemoveTeamMember(team, user) => {
                if let Some(team) = after.teams.get_mut(team) {
                    team.members.remove(user);
                }
            }
            Act::SetSubjects(team, subjects) => {
                if let Some(team) = after.teams.get_mut(team) {
                    team.subjects.clone_from(subjects);
                }
            }
            Act::DeleteTeam(team) => {
                after.teams.remove(team);
            }
        }
        after
    }

    /// Whose holding a change may change.
    fn affected(&self, act: &Act) -> Vec<UserId> {
        match act {
            Act::ChangeMember(user, ..)
            | Act::RemoveMember(user)
            | Act::SetTeamMember(_, user, _)
            | Act::RemoveTeamMember(_, user) => vec![*user],
            Act::SetRole(id, _) => {
                let role = GivenRole::Custom(*id);
                let members = self.members.values().filter(|member| member.role == role).map(|member| member.id);
                let places = self.teams.values().flat_map(|team| &team.members);
                let in_teams = places.filter(|(_, place)| place.role == Some(role)).map(|(user, _)| *user);
                members.chain(in_teams).collect::<BTreeSet<_>>().into_iter().collect()
            }
            Act::SetSubjects(team, _) | Act::DeleteTeam(team) => {
                self.teams.get(team).map(|team| team.members.keys().copied().collect()).unwrap_or_default()
            }
        }
    }

    /// Whether the actor may make the change, and the picture after it.
    pub fn judge(&self, actor: Option<UserId>, access: &Access, act: &Act) -> Result<Self, Refusal> {
        let after = self.after(act);
        // A role is its author's word: all of it is theirs to give, also while nobody has it.
        if let Act::SetRole(_, permissions) = act {
            refuse_lack(permissions.minus(access.everywhere()))?;
        }
        for user in self.affected(act) {
            let before = self.holding(user);
            let then = after.holding(user);
            let was_owner = before.as_ref().is_some_and(|holding| holding.role.role.is_owner());
            let is_owner = then.as_ref().is_some_and(|holding| holding.role.role.is_owner());
            if was_owner != is_owner && !access.is_owner() {
                return Err(Refusal::OwnersOnly);
            }
            refuse_lack(self.gained(&after, before.as_ref(), then.as_ref(), access))?;
            if Some(user) != actor
                && let Some(before) = &before
                && self.loses(&after, before, then.as_ref())
            {
                let more = held_above(before, access);
                if !more.is_empty() {
                    let name = self.members.get(&user).map(|member| member.name.clone()).unwrap_or_default();
                    return Err(Refusal::Above(name, more));
                }
            }
        }
        if let Some(last) = self.last_owner_lost(&after) {
            return Err(Refusal::LastOwner(last));
        }
        Ok(after)
    }

    /// What a member would gain that the actor does not hold at the same place.
    fn gained(&self, after: &Self, before: Option<&Holding>, then: Option<&Holding>, access: &Access) -> PermissionSet {
        let Some(then) = then else { return PermissionSet::EMPTY };
        let had = before.map_or(PermissionSet::EMPTY, Holding::everywhere);
        let mut lacking = then.everywhere().minus(had).minus(access.everywhere());
        for share in &then.shares {
            // Also in a team that is responsible for nothing yet: a promise is given like the thing itself.
            let had = had.union(before.map_or(PermissionSet::EMPTY, |before| before.in_team(share.team)));
            lacking = lacking.union(share.permissions().minus(had).minus(access.in_team(share.team)));
            for subject in after.teams.get(&share.team).map(|team| &team.subjects).into_iter().flatten() {
                let had = before.map_or(PermissionSet::EMPTY, |before| self.held_on(before, *subject));
                let gained = after.held_on(then, *subject).minus(had);
                if !gained.is_empty() {
                    lacking = lacking.union(gained.minus(self.actor_on(access, *subject)));
                }
            }
        }
        lacking
    }

    /// Whether a member would lose anything anywhere.
    fn loses(&self, after: &Self, before: &Holding, then: Option<&Holding>) -> bool {
        let Some(then) = then else { return true };
        if !before.everywhere().is_within(then.everywhere()) {
            return true;
        }
        before.shares.iter().any(|share| {
            let subjects = self.teams.get(&share.team).map(|team| &team.subjects).into_iter().flatten();
            subjects.into_iter().any(|subject| !self.held_on(before, *subject).is_within(after.held_on(then, *subject)))
        })
    }

    fn actor_on(&self, access: &Access, subject: Subject) -> PermissionSet {
        match access {
            Access::Member(holding) => self.held_on(holding, subject),
            Access::Key(held) => *held,
            Access::Operator | Access::Work => PermissionSet::all(),
            Access::Visit(_) => PermissionSet::EMPTY,
        }
    }

    fn owners(&self) -> BTreeSet<UserId> {
        self.members.values().filter(|member| member.role.is_owner()).map(|member| member.id).collect()
    }

    /// The name of the owner who would be the last to go, where one who can sign in was there and none would be.
    fn last_owner_lost(&self, after: &Self) -> Option<String> {
        let is_one = |member: &&Member| member.role.is_owner() && !member.is_disabled;
        if after.members.values().any(|member| is_one(&member)) {
            return None;
        }
        self.members.values().find(is_one).map(|member| member.name.clone())
    }
}

/// What a member holds that the actor does not hold at the same place.
fn held_above(holding: &Holding, access: &Access) -> PermissionSet {
    holding.shares.iter().fold(holding.everywhere().minus(access.everywhere()), |set, share| {
        set.union(share.permissions().minus(access.in_team(share.team)))
    })
}

fn refuse_lack(lacking: PermissionSet) -> Result<(), Refusal> {
    if lacking.is_empty() { Ok(()) } else { Err(Refusal::Lacks(lacking)) }
}

/// A role as the database holds it.
pub(crate) fn given(role: &str, custom: Option<Uuid>) -> Result<GivenRole, Error> {
    match custom {
        Some(id) => Ok(GivenRole::Custom(id.into())),
        None => Ok(GivenRole::BuiltIn(stored(role.parse::<Role>())?)),
    }
}

/// A role as the database takes it.
pub(crate) fn columns(role: GivenRole) -> (&'static str, Option<Uuid>) {
    match role {
        GivenRole::BuiltIn(role) => (role.key(), None),
        GivenRole::Custom(id) => ("custom", Some(id.uuid())),
    }
}

/// Stored permissions. A word that this version does not know gives nothing, and is no reason to keep somebody out.
pub(crate) fn known(permissions: &[String]) -> PermissionSet {
    let set = PermissionSet::of_known(permissions.iter().map(String::as_str));
    if set.len() as usize != permissions.len() {
        tracing::warn!(?permissions, "the database names permissions that this version does not know");
    }
    set
}

/// Permissions as typed.
pub(crate) fn typed(permissions: &[String]) -> Result<PermissionSet, Error> {
    permissions
        .iter()
        .map(|key| key.parse::<Permission>())
        .collect::<Result<PermissionSet, String>>()
        .map_err(|message| Error::invalid("permission", message))
}

/// Waits for the turn to change who holds what in a tenant. Ends with the transaction.
pub(crate) async fn take_turn(tx: &mut Tx, tenant: TenantId) -> Result<(), Error> {
    tx.lock(&format!("access {tenant}")).await
}

/// A transaction in which a change can be judged: nobody else changes who holds what until it ends.
pub(crate) struct Turn {
    pub(crate) tx: Tx,
    pub(crate) roster: Roster,
    permission: Permission,
    resource: Resource,
    actor: Option<UserId>,
    /// What the actor holds, as it was read in this turn.
    pub(crate) access: Access,
}

impl Turn {
    /// Takes the turn. What the actor holds is read again: it may have been taken from them while they waited.
    pub(crate) async fn begin(ctx: &TenantContext, permission: Permission, resource: Resource) -> Result<Self, Error> {
        let tx = ctx.begin(permission, resource).await?;
        Self::take(ctx, tx, permission, resource).await
    }

    /// The same for what only takes away.
    pub(crate) async fn begin_to_stop(
        ctx: &TenantContext,
        permission: Permission,
        resource: Resource,
    ) -> Result<Self, Error> {
        let tx = ctx.begin_to_stop(permission, resource).await?;
        Self::take(ctx, tx, permission, resource).await
    }

    async fn take(ctx: &TenantContext, mut tx: Tx, permission: Permission, resource: Resource) -> Result<Self, Error> {
        take_turn(&mut tx, ctx.tenant().id).await?;
        let roster = Roster::read(&mut tx).await?;
        let actor = ctx.context().actor().user_id();
        let access = match ctx.access() {
            Access::Member(_) => {
                let holding = actor.and_then(|actor| roster.holding(actor)).ok_or(Error::NotFound)?;
                Access::Member(holding.into())
            }
            Access::Key(_) => {
                let Actor::ApiKey(key) = ctx.context().actor() else { return Err(Error::Internal) };
                let author = roster.holding(key.author).ok_or(Error::NotFound)?;
                Access::Key(key.permissions.intersection(author.everywhere()))
            }
            Access::Operator => Access::Operator,
            Access::Work => Access::Work,
            Access::Visit(visit) => Access::Visit(visit.clone()),
        };
        if !access.grants(permission) {
            let (kind, id) = resource.name(ctx.tenant().id);
            let event = Event::new("permission.refused", kind, id).outcome(Outcome::Denied).detail(permission.key());
            tx.audit(event).await?;
            tx.commit().await?;
            return Err(Error::Forbidden(permission));
        }
        Ok(Self { tx, roster, permission, resource, actor, access })
    }

    /// Judges a change. A refusal ends the turn and is recorded; `field` is the one of the form that it belongs to. Who changes
    /// owners must have proved a moment ago that it is them.
    pub(crate) async fn judge(
        self,
        ctx: &TenantContext,
        act: &Act,
        action: &'static str,
        field: &str,
    ) -> Result<Self, Error> {
        let refusal = match self.roster.judge(self.actor, &self.access, act) {
            Ok(after) => {
                if self.roster.owners() != after.owners() {
                    ctx.context().require_fresh()?;
                }
                return Ok(self);
            }
            Err(refusal) => refusal,
        };
        let Self { tx, permission, resource, .. } = self;
        tx.rollback().await?;
        let text = refusal.to_string();
        // The refusal of what would stop something is recorded also where nothing changes otherwise.
        let mut tx = ctx.begin_to_stop(permission, resource).await?;
        let (kind, id) = resource.name(ctx.tenant().id);
        tx.audit(Event::new(action, kind, id).outcome(Outcome::Denied).detail(text.clone())).await?;
        tx.commit().await?;
        Err(match refusal {
            Refusal::Lacks(_) | Refusal::OwnersOnly => Error::invalid(field, text),
            Refusal::Above(..) | Refusal::LastOwner(_) => Error::Conflict(text),
        })
    }

    /// As the rows name who changed them.
    pub(crate) fn label(ctx: &TenantContext) -> String {
        ctx.context().actor().label()
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};
    use rtv_core::{AccountId, CampaignId, TenantStatus};

    use super::*;
    use crate::effective_access::{Verdict, explain};

    /// Some that can be limited to a team, and some that cannot.
    const SOME: [Permission; 8] = [
        Permission::AnalyticsRead,
        Permission::ContentCreate,
        Permission::ContentPublish,
        Permission::CampaignsUpdate,
        Permission::UsersManage,
        Permission::RolesManage,
        Permission::TeamsManage,
        Permission::BillingManage,
    ];

    fn user(number: u128) -> UserId {
        Uuid::from_u128(0x1000 + number).into()
    }

    fn role(number: u128) -> RoleId {
        Uuid::from_u128(0x2000 + number).into()
    }

    fn team(number: u128) -> TeamId {
        Uuid::from_u128(0x3000 + number).into()
    }

    fn subjects() -> Vec<Subject> {
        vec![
            Subject::Account(AccountId::from(Uuid::from_u128(0x4001))),
            Subject::Account(AccountId::from(Uuid::from_u128(0x4002))),
            Subject::Campaign(CampaignId::from(Uuid::from_u128(0x4003))),
            Subject::Campaign(CampaignId::from(Uuid::from_u128(0x4004))),
        ]
    }

    fn revision() -> Revision {
        Revision { version: 1, updated_at: DateTime::UNIX_EPOCH, changed_by: None }
    }

    fn member(id: UserId, role: GivenRole) -> Member {
        Member {
            id,
            name: format!("Person {}", id.uuid().as_u128() - 0x1000),
            email: "somebody@example.org".parse().unwrap(),
            is_disabled: false,
            has_second_factor: false,
            role,
            extra: PermissionSet::EMPTY,
            joined_at: DateTime::UNIX_EPOCH,
            last_seen_at: None,
            revision: revision(),
        }
    }

    fn custom(id: RoleId, permissions: PermissionSet) -> CustomRole {
        CustomRole { id, name: "Custom".into(), description: String::new(), permissions, revision: revision() }
    }

    fn group(id: TeamId, subjects: BTreeSet<Subject>) -> Team {
        Team {
            id,
            name: format!("Team {}", id.uuid().as_u128() - 0x3000),
            description: String::new(),
            range: None,
            platforms: Vec::new(),
            zone: None,
            subjects,
            members: BTreeMap::new(),
            told: BTreeMap::new(),
            revision: revision(),
        }
    }

    struct Dice(StdRng);

    impl Dice {
        fn set(&mut self) -> PermissionSet {
            let likelihood = self.0.random_range(0.0..0.7);
            SOME.into_iter().filter(|_| self.0.random_bool(likelihood)).collect()
        }

        fn pick<T: Clone>(&mut self, all: &[T]) -> T {
            all[self.0.random_range(0..all.len())].clone()
        }

        fn given(&mut self) -> GivenRole {
            if self.0.random_bool(0.5) {
                GivenRole::Custom(role(self.0.random_range(0..3)))
            } else {
                GivenRole::BuiltIn(self.pick(&Role::ALL))
            }
        }

        fn subjects(&mut self) -> BTreeSet<Subject> {
            subjects().into_iter().filter(|_| self.0.random_bool(0.4)).collect()
        }

        fn place(&mut self) -> TeamMember {
            let role = self.0.random_bool(0.6).then(|| self.given());
            let limited = PermissionSet::by_resource();
            TeamMember { role, extra: self.set().intersection(limited) }
        }

        /// Three custom roles, five people of whom the first is an owner, two teams.
        fn roster(&mut self) -> Roster {
            let mut roster = Roster::default();
            for number in 0..3 {
                roster.roles.insert(role(number), custom(role(number), self.set()));
            }
            for number in 0..5 {
                let given = if number == 0 { GivenRole::BuiltIn(Role::Owner) } else { self.given() };
                let mut one = member(user(number), given);
                one.extra = self.set();
                one.is_disabled = number != 0 && self.0.random_bool(0.1);
                roster.members.insert(one.id, one);
            }
            for number in 0..2 {
                let mut one = group(team(number), self.subjects());
                for person in 0..5 {
                    if self.0.random_bool(0.4) {
                        let place = self.place();
                        one.members.insert(user(person), place);
                    }
                }
                roster.teams.insert(one.id, one);
            }
            roster
        }

        fn act(&mut self) -> Act {
            let who = user(self.0.random_range(0..5));
            let where_to = team(self.0.random_range(0..2));
            match self.0.random_range(0..8) {
                0 | 1 => Act::ChangeMember(who, self.given(), self.set()),
                2 => Act::RemoveMember(who),
                3 => Act::SetRole(role(self.0.random_range(0..3)), self.set()),
                4 => Act::SetTeamMember(where_to, who, self.place()),
                5 => Act::RemoveTeamMember(where_to, who),
                6 => Act::SetSubjects(where_to, self.subjects()),
                _ => Act::DeleteTeam(where_to),
            }
        }
    }

    /// Which of `SOME` somebody holds at a place, worked out from the rows alone: no line of it is shared with what is tested.
    fn naive(roster: &Roster, who: UserId, place: Option<Subject>) -> [bool; SOME.len()] {
        let of = |given: GivenRole, permission: Permission| match given {
            GivenRole::BuiltIn(role) => role.grants(permission),
            GivenRole::Custom(id) => roster.roles[&id].permissions.contains(permission),
        };
        let Some(member) = roster.members.get(&who) else { return [false; SOME.len()] };
        let teams = || roster.teams.values().filter(|team| place.is_some_and(|place| team.subjects.contains(&place)));
        SOME.map(|permission| {
            of(member.role, permission)
                || member.extra.contains(permission)
                || permission.is_by_resource()
                    && teams().filter_map(|team| team.members.get(&who)).any(|seat| {
                        seat.extra.contains(permission) || seat.role.is_some_and(|role| of(role, permission))
                    })
        })
    }

    fn places() -> Vec<Option<Subject>> {
        core::iter::once(None).chain(subjects().into_iter().map(Some)).collect()
    }

    fn access(roster: &Roster, who: UserId) -> Access {
        Access::Member(roster.holding(who).unwrap().into())
    }

    #[test]
    fn of_ten_thousand_random_role_graphs_nobody_ends_with_more_than_they_were_granted() {
        let seed: u64 =
            std::env::var("RTV_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
        println!("RTV_TEST_SEED={seed} repeats this run");
        let mut dice = Dice(StdRng::seed_from_u64(seed));
        let (mut made, mut refused) = (0, [0; 4]);
        for graph in 0..10_000 {
            let mut roster = dice.roster();
            for _ in 0..4 {
                let actors: Vec<UserId> = roster.members.keys().copied().collect();
                let actor = dice.pick(&actors);
                let act = dice.act();
                let before = roster.clone();
                let about = || format!("seed {seed}, graph {graph}: {actor} does {act:?} in {before:#?}");
                match roster.judge(Some(actor), &access(&roster, actor), &act) {
                    Ok(after) => {
                        made += 1;
                        roster = after;
                    }
                    Err(refusal) => {
                        refused[match refusal {
                            Refusal::Lacks(_) => 0,
                            Refusal::Above(..) => 1,
                            Refusal::OwnersOnly => 2,
                            Refusal::LastOwner(_) => 3,
                        }] += 1;
                        continue;
                    }
                }
                for who in before.members.keys() {
                    for place in places() {
                        let (had, has) = (naive(&before, *who, place), naive(&roster, *who, place));
                        let actors = naive(&before, actor, place);
                        for (index, permission) in SOME.into_iter().enumerate() {
                            assert!(
                                had[index] || !has[index] || actors[index],
                                "{who} was given {permission} at {place:?}; {}",
                                about()
                            );
                        }
                        let has_lost = (0..SOME.len()).any(|index| had[index] && !has[index]);
                        let is_above = (0..SOME.len()).any(|index| had[index] && !actors[index]);
                        assert!(
                            *who == actor || !has_lost || !is_above,
                            "{who} holds more than the actor and lost something at {place:?}; {}",
                            about()
                        );
                    }
                    let is_owner = |roster: &Roster, who: &UserId| {
                        roster.members.get(who).is_some_and(|member| member.role.is_owner())
                    };
                    if is_owner(&before, who) != is_owner(&roster, who) {
                        assert!(is_owner(&before, &actor), "only owners decide over owners; {}", about());
                    }
                }
                let owners = roster.members.values().filter(|one| one.role.is_owner() && !one.is_disabled);
                assert!(owners.count() > 0, "the last owner is gone; {}", about());
            }
            // What is explained is what holds; the sentences take their time, so every twentieth is asked.
            if graph % 20 != 0 {
                continue;
            }
            let status = TenantStatus::Active;
            for (who, member) in &roster.members {
                let holding = roster.holding(*who).unwrap();
                for (index, permission) in SOME.into_iter().enumerate() {
                    for place in places() {
                        let teams = place.map(|place| roster.teams_of(place)).unwrap_or_default();
                        let about = place.map(|_| ("it", teams.as_slice()));
                        let answer = explain(member, &holding, status, permission, about);
                        let holds = naive(&roster, *who, place)[index] && !member.is_disabled;
                        assert_eq!(answer.verdict == Verdict::Allowed, holds, "{permission} at {place:?}: {answer:?}");
                        assert_eq!(answer.steps.iter().filter(|step| step.is_deciding).count(), 1, "{answer:?}");
                    }
                }
            }
        }
        println!("{made} changes were made, refused {refused:?}");
        assert!(made > 5_000, "hardly anything was allowed: {made}");
        assert!(refused.iter().all(|count| *count > 50), "a rule hardly ever spoke: {refused:?}");
    }

    fn two_owners() -> Roster {
        let mut roster = Roster::default();
        for number in 0..2 {
            roster.members.insert(user(number), member(user(number), GivenRole::BuiltIn(Role::Owner)));
        }
        roster.members.insert(user(2), member(user(2), GivenRole::BuiltIn(Role::Admin)));
        roster
    }

    #[test]
    fn the_last_owner_who_can_sign_in_stays() {
        let demote = |number| Act::ChangeMember(user(number), GivenRole::BuiltIn(Role::Admin), PermissionSet::EMPTY);
        let check = |roster: &Roster, actor: u128, act: &Act, expect: Result<(), Refusal>| {
            let judged = roster.judge(Some(user(actor)), &access(roster, user(actor)), act);
            assert_eq!(judged.map(|_| ()), expect, "{act:?}");
        };
        let mut roster = two_owners();
        check(&roster, 0, &demote(1), Ok(()));
        check(&roster, 0, &demote(0), Ok(()));
        check(&roster, 2, &demote(0), Err(Refusal::OwnersOnly));
        check(&roster, 2, &Act::RemoveMember(user(0)), Err(Refusal::OwnersOnly));
        let last = || Err(Refusal::LastOwner("Person 0".into()));
        roster.members.get_mut(&user(1)).unwrap().is_disabled = true;
        check(&roster, 0, &demote(0), last());
        check(&roster, 0, &Act::RemoveMember(user(0)), last());
        assert_eq!(roster.judge(None, &Access::Operator, &demote(0)).map(|_| ()), last(), "the operator as well");
    }

    #[test]
    fn an_admin_neither_makes_an_owner_nor_becomes_one() {
        let roster = two_owners();
        let own = |number| Act::ChangeMember(user(number), GivenRole::BuiltIn(Role::Owner), PermissionSet::EMPTY);
        let admin = access(&roster, user(2));
        assert_eq!(roster.judge(Some(user(2)), &admin, &own(2)).unwrap_err(), Refusal::OwnersOnly);
        let extra: PermissionSet = [Permission::BillingManage].into_iter().collect();
        let more = Act::ChangeMember(user(2), GivenRole::BuiltIn(Role::Admin), extra);
        assert_eq!(roster.judge(Some(user(2)), &admin, &more).unwrap_err(), Refusal::Lacks(extra));
        let whole = Act::SetRole(role(9), PermissionSet::all());
        assert_eq!(roster.judge(Some(user(2)), &admin, &whole).unwrap_err(), Refusal::Lacks(extra));
    }

    /// A team's manager who may not publish gives nobody the right to publish by handing the team another account.
    #[test]
    fn what_a_team_is_responsible_for_is_given_by_who_holds_as_much_there() {
        let mut roster = two_owners();
        let manages: PermissionSet = [Permission::TeamsManage].into_iter().collect();
        roster.roles.insert(role(0), custom(role(0), manages));
        roster.members.get_mut(&user(2)).unwrap().role = GivenRole::Custom(role(0));
        let editor = TeamMember { role: Some(GivenRole::BuiltIn(Role::Editor)), extra: PermissionSet::EMPTY };
        let mut one = group(team(0), BTreeSet::new());
        one.members.insert(user(2), editor);
        roster.teams.insert(team(0), one);
        let widen = Act::SetSubjects(team(0), subjects().into_iter().collect());
        let judged = roster.judge(Some(user(2)), &access(&roster, user(2)), &widen);
        assert!(matches!(judged, Err(Refusal::Lacks(_))));
        let after = roster.judge(Some(user(0)), &access(&roster, user(0)), &widen).unwrap();
        let on = after.on(user(2), subjects()[0]);
        assert!(on.contains(Permission::ContentPublish) && !on.contains(Permission::ImportsManage), "{on}");
        assert!(!after.holding(user(2)).unwrap().everywhere().contains(Permission::ContentPublish));
    }
}
