//! Members of a tenant: list them, look at one, change what they hold, take them out. What a change would do can be seen before
//! it is made; both ask the same judgement.

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::permission::SEES_TEAM;
use rtv_core::{Error, GivenRole, Permission, PermissionSet, TeamId, UserId};
use serde_json::{Value, json};

use crate::audit::Event;
use crate::context::{Access, TenantContext};
use crate::effective_access::{Holding, NamedRole};
use crate::revision::refuse_stale;
use crate::roster::{Act, Member, Roster, Turn, columns, typed};
use crate::session::IDLE;
use crate::transaction::{Resource, failed};
use crate::{limit, team};

/// When somebody was last here is written at most so often.
const VISIT: TimeDelta = TimeDelta::minutes(5);

/// Who holds what in the tenant, for the pages of the team.
pub async fn roster(ctx: &TenantContext) -> Result<Roster, Error> {
    roster_for(ctx, SEES_TEAM, Resource::Members).await
}

/// The same, for who may do one thing with it: what any of the permissions leads to.
pub async fn roster_for(ctx: &TenantContext, permissions: &[Permission], resource: Resource) -> Result<Roster, Error> {
    let mut tx = ctx.begin_to_read(permissions, resource).await?;
    let roster = Roster::read(&mut tx).await?;
    tx.rollback().await?;
    Ok(roster)
}

/// What is known of a member's sign-ins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sessions {
    /// How many sessions of theirs live.
    pub count: i64,
    /// When one was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct One {
    /// Who holds what in the tenant.
    pub roster: Roster,
    /// The member.
    pub member: Member,
    /// All that they hold.
    pub holding: Holding,
    /// Their sessions, where the actor may know.
    pub sessions: Option<Sessions>,
}

/// One member. That somebody looked at the sessions of another person stands in the audit log.
pub async fn one(ctx: &TenantContext, id: UserId) -> Result<One, Error> {
    let mut tx = ctx.begin_to_read(SEES_TEAM, Resource::Member(id)).await?;
    let roster = Roster::read(&mut tx).await?;
    tx.rollback().await?;
    let member = roster.members.get(&id).cloned().ok_or(Error::NotFound)?;
    let holding = roster.holding(id).ok_or(Error::NotFound)?;
    let sessions =
        if ctx.access().grants(Permission::UsersManage) { Some(sessions(ctx, &member).await?) } else { None };
    Ok(One { roster, member, holding, sessions })
}

async fn sessions(ctx: &TenantContext, member: &Member) -> Result<Sessions, Error> {
    let mut tx = ctx.begin_members(member.id).await?;
    let now = ctx.now();
    let row = sqlx::query!(
        r#"
        select count(*) as "count!", max(last_used_at) as last_used_at
        from session
        where user_id = $1 and expires_at > $2 and last_used_at > $3
        "#,
        member.id.uuid(),
        now,
        now - IDLE
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    if ctx.context().actor().user_id() == Some(member.id) {
        tx.rollback().await?;
    } else {
        tx.audit(Event::new("session.count", "user", member.id.to_string()).after(json!({ "email": member.email })))
            .await?;
        tx.commit().await?;
    }
    Ok(Sessions { count: row.count, last_used_at: row.last_used_at })
}

/// What a member is meant to hold, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Key of a built-in role or id of a custom one.
    pub role: String,
    /// Keys of extra permissions.
    pub permissions: Vec<String>,
    /// The version that the form was made from.
    pub version: String,
}

impl Change {
    /// The role and what is held beside it. What the role gives is not given twice.
    fn parse(&self, roster: &Roster) -> Result<(NamedRole, PermissionSet), Error> {
        let unknown = || Error::invalid("role", "choose a role from the list.");
        let role = self.role.parse::<GivenRole>().map_err(|_| unknown())?;
        if let GivenRole::Custom(id) = role
            && !roster.roles.contains_key(&id)
        {
            return Err(unknown());
        }
        let role = roster.named(role);
        let extra = typed(&self.permissions)?.minus(role.permissions);
        Ok((role, extra))
    }
}

/// What a change of a member would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The member as they are.
    pub member: Member,
    /// The role that they have.
    pub before: NamedRole,
    /// The role that they would have.
    pub after: NamedRole,
    /// The extra permissions that they would have.
    pub extra: PermissionSet,
    /// What they would gain for the whole tenant.
    pub gains: PermissionSet,
    /// What they would lose there.
    pub losses: PermissionSet,
    /// Why the actor may not make the change, if so.
    pub refusal: Option<String>,
}

/// What a change would do, without making it.
pub async fn preview(ctx: &TenantContext, id: UserId, change: &Change) -> Result<Preview, Error> {
    let mut tx = ctx.begin_to_read(&[Permission::UsersManage], Resource::Member(id)).await?;
    let roster = Roster::read(&mut tx).await?;
    tx.rollback().await?;
    let member = roster.members.get(&id).cloned().ok_or(Error::NotFound)?;
    let (after, extra) = change.parse(&roster)?;
    let before = roster.named(member.role);
    let held = before.permissions.union(member.extra);
    let will_hold = after.permissions.union(extra);
    let act = Act::ChangeMember(id, after.role, extra);
    let actor = ctx.context().actor().user_id();
    let refusal = roster.judge(actor, ctx.access(), &act).err().map(|refusal| refusal.to_string());
    Ok(Preview { before, after, extra, gains: will_hold.minus(held), losses: held.minus(will_hold), refusal, member })
}

fn described(member: &Member, role: &NamedRole, extra: PermissionSet, version: i64) -> Value {
    json!({ "email": member.email, "role": role.recorded(), "extra_permissions": extra.keys(), "version": version })
}

/// Changes what a member holds for the whole tenant. Their next request is judged by it.
pub async fn change(ctx: &TenantContext, id: UserId, change: &Change) -> Result<Preview, Error> {
    let mut turn = Turn::begin(ctx, Permission::UsersManage, Resource::Member(id)).await?;
    let member = turn.roster.members.get(&id).cloned().ok_or(Error::NotFound)?;
    let (after, extra) = change.parse(&turn.roster)?;
    refuse_stale(&mut turn.tx, ctx, &change.version, &member.revision, ("user", &id.to_string())).await?;
    let mut turn = turn.judge(ctx, &Act::ChangeMember(id, after.role, extra), "member.change", "role").await?;
    let before = turn.roster.named(member.role);
    let version = member.revision.version + 1;
    let (role, custom) = columns(after.role);
    let keys = extra.keys();
    sqlx::query!(
        r#"
        update membership
        set role = $2, role_id = $3, permissions = $4, version = $5, updated_at = $6, changed_by = $7
        where user_id = $1 and tenant_id = $8
        "#,
        id.uuid(),
        role,
        custom,
        &keys[..],
        version,
        ctx.now(),
        Turn::label(ctx),
        ctx.tenant().id.uuid(),
    )
    .execute(turn.tx.connection())
    .await
    .map_err(failed)?;
    let event = Event::new("member.change", "user", id.to_string())
        .before(described(&member, &before, member.extra, member.revision.version))
        .after(described(&member, &after, extra, version));
    turn.tx.audit(event).await?;
    if (before.role, member.extra) != (after.role, extra) {
        let teams = teams_of(&turn.roster, id);
        let text = format!(
            "{} changed what {} may do in {}: {} is {} there now.",
            Turn::label(ctx),
            member.name,
            ctx.tenant().name,
            member.name,
            after.name
        );
        team::tell_of_members(ctx, &mut turn.tx, &teams, format!("what {} may do", member.name), text).await?;
    }
    turn.tx.commit().await?;
    let held = before.permissions.union(member.extra);
    let holds = after.permissions.union(extra);
    Ok(Preview { before, after, extra, gains: holds.minus(held), losses: held.minus(holds), refusal: None, member })
}

/// The teams that somebody is in.
fn teams_of(roster: &Roster, user: UserId) -> Vec<TeamId> {
    roster.teams.values().filter(|team| team.members.contains_key(&user)).map(|team| team.id).collect()
}

/// Whether the actor may take somebody out of the tenant; the reason where not.
pub fn refusal_to_remove(ctx: &TenantContext, roster: &Roster, id: UserId) -> Option<String> {
    let actor = ctx.context().actor().user_id();
    roster.judge(actor, ctx.access(), &Act::RemoveMember(id)).err().map(|refusal| refusal.to_string())
}

/// Takes a member out of the tenant and of its teams. Their next request finds no such tenant. That goes on also where nothing
/// changes otherwise: who has left a client must not go on reading because the client has not paid.
pub async fn remove(ctx: &TenantContext, id: UserId, version: &str) -> Result<Member, Error> {
    let mut turn = Turn::begin_to_stop(ctx, Permission::UsersManage, Resource::Member(id)).await?;
    let member = turn.roster.members.get(&id).cloned().ok_or(Error::NotFound)?;
    refuse_stale(&mut turn.tx, ctx, version, &member.revision, ("user", &id.to_string())).await?;
    let mut turn = turn.judge(ctx, &Act::RemoveMember(id), "member.remove", "role").await?;
    sqlx::query!("delete from membership where user_id = $1 and tenant_id = $2", id.uuid(), ctx.tenant().id.uuid())
        .execute(turn.tx.connection())
        .await
        .map_err(failed)?;
    let role = turn.roster.named(member.role);
    let event = Event::new("member.remove", "user", id.to_string()).before(described(
        &member,
        &role,
        member.extra,
        member.revision.version,
    ));
    turn.tx.audit(event).await?;
    let teams = teams_of(&turn.roster, id);
    let text = format!("{} took {} out of {} and of its teams.", Turn::label(ctx), member.name, ctx.tenant().name);
    team::tell_of_members(ctx, &mut turn.tx, &teams, format!("{} left", member.name), text).await?;
    limit::look_again(ctx, &mut turn.tx).await?;
    turn.tx.commit().await?;
    Ok(member)
}

/// Remembers that the person was here, for those who look after people.
pub async fn remember_visit(ctx: &TenantContext) -> Result<(), Error> {
    let (Access::Member(_), Some(user)) = (ctx.access(), ctx.context().actor().user_id()) else { return Ok(()) };
    if ctx.last_seen_at.is_some_and(|seen| seen > ctx.now() - VISIT) {
        return Ok(());
    }
    let mut tx = ctx.context().begin_own_session().await?;
    // Who was removed since they entered leaves no trace.
    sqlx::query!(
        r#"
        insert into member_visit (tenant_id, user_id, last_seen_at)
        select tenant_id, user_id, $3 from membership where tenant_id = $1 and user_id = $2
        on conflict on constraint member_visit_key do update set last_seen_at = excluded.last_seen_at
        "#,
        ctx.tenant().id.uuid(),
        user.uuid(),
        ctx.now()
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    tx.commit().await
}
