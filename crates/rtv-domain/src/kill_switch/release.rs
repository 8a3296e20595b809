//! Releasing: a person types the scope's name, says why and what becomes of what is overdue, and has proved a moment ago who they
//! are; where a scope takes two, a second person does the latter and approves within ten minutes.

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::{AccountId, Error, FieldError, HaltId, Platform, ReleaseId, Scope, SwitchId, TenantId};
use serde_json::json;
use uuid::Uuid;

use crate::access::stored;
use crate::audit::Event;
use crate::context::{Actor, Context};
use crate::kill_switch::plan::{Plan, PlanWords, Ramp};
use crate::kill_switch::scope::{self, Columns};
use crate::kill_switch::state::{EngagedSwitch, engaged};
use crate::kill_switch::{Side, record, resume};
use crate::maintenance::parse_reason;
use crate::transaction::{Tx, failed};

/// Overdue deliveries of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverdueGroup {
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub account_name: String,
    /// Where.
    pub platform: Platform,
    /// Name of the tenant.
    pub tenant_name: String,
    /// How many.
    pub overdue: i64,
    /// When the first was due.
    pub earliest: DateTime<Utc>,
    /// When the last was due.
    pub latest: DateTime<Utc>,
}

/// What whoever releases a switch decides over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumePlan {
    /// The switch.
    pub switch: EngagedSwitch,
    /// What is overdue under it, each account by itself; each needs a choice.
    pub groups: Vec<OverdueGroup>,
    /// Whether a second person has to approve.
    pub takes_two: bool,
}

/// What a person asks for; all as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleaseRequest {
    /// The scope's name.
    pub typed: String,
    /// Why.
    pub reason: String,
    /// What becomes of what is overdue.
    pub plan: PlanWords,
}

/// What a release did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// The switch.
    pub switch: SwitchId,
    /// The halt that ended.
    pub halt: HaltId,
    /// What it covered.
    pub scope: Scope,
    /// Deliveries that go out after all, at once or later.
    pub resumed: i64,
    /// Deliveries that wait for approval.
    pub returned: i64,
    /// Deliveries that do not go out.
    pub dropped: i64,
}

/// What came of asking or approving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The switch is released.
    Released(Released),
    /// A person has to approve it, another one than whoever has so far.
    Waits {
        /// The request.
        release: ReleaseId,
        /// When it ends by itself.
        expires_at: DateTime<Utc>,
    },
}

/// A request that waits, for whoever is asked to approve it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Id.
    pub id: ReleaseId,
    /// The switch as it is now.
    pub switch: EngagedSwitch,
    /// Who asked.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// What becomes of what is overdue.
    pub plan: Plan,
    /// What is overdue now.
    pub groups: Vec<OverdueGroup>,
    /// Whether whoever looks has approved it already, so that it takes somebody else.
    pub is_own: bool,
}

/// How long a request waits for a person.
const LASTS: TimeDelta = TimeDelta::minutes(10);

/// By what one person is told from another, however many sessions they have; none for programs and for RTV itself.
pub(crate) fn person(ctx: &Context) -> Option<String> {
    match ctx.actor() {
        Actor::Person(person) => Some(person.id.to_string()),
        Actor::Operator(name) => Some(format!("operator {name}")),
        Actor::Anonymous | Actor::ApiKey(_) | Actor::System(_) => None,
    }
}

/// What whoever releases a switch decides over.
pub async fn resume_plan(side: Side<'_>, id: SwitchId) -> Result<ResumePlan, Error> {
    let mut tx = side.begin_to_look().await?;
    let switch = engaged(&mut tx, side, Some(id)).await?.into_iter().next().ok_or(Error::NotFound)?;
    let groups = resume::groups(&mut tx, &Columns::of(&switch.scope), id, side.context().now()).await?;
    tx.rollback().await?;
    Ok(ResumePlan { takes_two: switch.scope.takes_two(), switch, groups })
}

/// Asks for a release, and releases at once what takes one person. A program's request waits for a person in any case, and
/// for two where the scope takes two.
///
/// Refused: whoever lacks the right, or has not proved a moment ago who they are ([`Error::NotFresh`]); a name that is not the
/// scope's, no reason, or overdue deliveries without a choice ([`Error::Invalid`], all of it named); what the other side engaged
/// ([`Error::Conflict`]).
pub async fn ask_release(side: Side<'_>, id: SwitchId, request: &ReleaseRequest, ramp: Ramp) -> Result<Asked, Error> {
    let ctx = side.context();
    let asker = match ctx.actor() {
        Actor::Person(_) | Actor::Operator(_) => {
            ctx.require_fresh()?;
            person(ctx)
        }
        Actor::ApiKey(_) => None,
        // Automation never releases.
        Actor::Anonymous | Actor::System(_) => return Err(Error::NotFound),
    };
    let switch = super::state::one_to_release(side, id).await?;
    let owner = super::owner(switch.scope.tenant());
    let mut tx = begin(side, &switch).await?;
    let now = ctx.now();
    let groups = resume::groups(&mut tx, &Columns::of(&switch.scope), id, now).await?;
    let (reason, plan) = parse(side, &switch, request, &groups)?;
    if asker.is_some() && !switch.scope.takes_two() {
        return release(tx, side, &switch, &plan, &reason, ramp, None).await.map(Asked::Released);
    }
    sqlx::query!(
        r#"
        update switch_release
        set outcome = 'replaced', settled_at = $3, settled_by = $4
        where tenant_id = $1 and switch_id = $2 and outcome is null
        "#,
        owner.uuid(),
        id.uuid(),
        now,
        ctx.actor().label(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let release = ReleaseId::from(Uuid::now_v7());
    let expires_at = now + LASTS;
    sqlx::query!(
        r#"
        insert into switch_release (
          tenant_id, id, switch_id, epoch, reason, plan, asked_at, expires_at, asked_by, first_person, first_by, is_staff
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        "#,
        owner.uuid(),
        release.uuid(),
        id.uuid(),
        switch.epoch,
        reason,
        serde_json::to_value(&plan).map_err(|_| Error::Internal)?,
        now,
        expires_at,
        ctx.actor().label(),
        asker,
        asker.is_some().then(|| ctx.actor().label()),
        switch.facts.is_staff,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let event = Event::new("switch.release.ask", "kill_switch", id.to_string()).after(json!({
        "scope": switch.name, "epoch": switch.epoch, "release": release, "reason": reason, "plan": plan,
        "expires_at": expires_at,
    }));
    tx.audit(event).await?;
    tx.commit().await?;
    Ok(Asked::Waits { release, expires_at })
}

/// Begins to release, if it is theirs to release: what staff engaged is staff's, and what a tenant's people or their guards engaged is
/// the tenant's.
async fn begin(side: Side<'_>, switch: &EngagedSwitch) -> Result<Tx, Error> {
    let owner = super::owner(switch.scope.tenant());
    let tx = side.begin_to_release(owner).await?;
    match side {
        Side::Tenant(_) if switch.facts.is_staff || switch.scope.tenant().is_none() => {
            Err(Error::Conflict("Staff engaged this switch, so only staff release it. Ask your operator.".into()))
        }
        Side::Operator(_) if !switch.facts.is_staff => Err(Error::Conflict(
            "The organisation engaged this switch itself, so only its own people release it.".into(),
        )),
        Side::Tenant(_) | Side::Operator(_) => Ok(tx),
    }
}

/// Reads what was typed; all that is wrong is named at once.
fn parse(
    side: Side<'_>,
    switch: &EngagedSwitch,
    request: &ReleaseRequest,
    groups: &[OverdueGroup],
) -> Result<(String, Plan), Error> {
    let mut errors = Vec::new();
    if !scope::is_name(&request.typed, &switch.name) {
        errors.push(FieldError {
            field: "typed".into(), message: format!("type “{}”, what is released", switch.name)
        });
    }
    let reason = match parse_reason(&request.reason) {
        Ok(reason) => reason,
        Err(Error::Invalid(more)) => {
            errors.extend(more);
            String::new()
        }
        Err(error) => return Err(error),
    };
    let zone = match side {
        Side::Tenant(ctx) => ctx.tenant().zone,
        Side::Operator(_) => chrono_tz::UTC,
    };
    let plan = match Plan::parse(&request.plan, zone, side.context().now()) {
        Ok(plan) => {
            errors.extend(without_choice(&plan, groups));
            plan
        }
        Err(more) => {
            errors.extend(more);
            Plan::default()
        }
    };
    if errors.is_empty() { Ok((reason, plan)) } else { Err(Error::Invalid(errors)) }
}

/// Groups over which nobody has decided.
fn without_choice(plan: &Plan, groups: &[OverdueGroup]) -> Vec<FieldError> {
    groups
        .iter()
        .filter(|group| plan.choice(group.account).is_none())
        .map(|group| FieldError {
            field: format!("plan-{}", group.account),
            message: format!(
                "choose what becomes of {} overdue on {}, {} ({})",
                group.overdue,
                group.platform.label(),
                group.account_name,
                group.tenant_name
            ),
        })
        .collect()
}

/// Releases in a transaction that has begun. The switch's row is touched last, so that nobody who halts waits for what is before.
async fn release(
    mut tx: Tx,
    side: Side<'_>,
    switch: &EngagedSwitch,
    plan: &Plan,
    reason: &str,
    ramp: Ramp,
    request: Option<&Row>,
) -> Result<Released, Error> {
    let ctx = side.context();
    let (id, now, label) = (switch.id, ctx.now(), ctx.actor().label());
    let owner = super::owner(switch.scope.tenant());
    let columns = Columns::of(&switch.scope);
    let done = resume::carry_out(&mut tx, &columns, id, plan, ramp, &label, now).await?;
    let Some(done) = done else {
        let groups = resume::groups(&mut tx, &columns, id, now).await?;
        return Err(Error::Invalid(without_choice(plan, &groups)));
    };
    let asked_by = request.and_then(|request| request.first_by.clone());
    match request {
        Some(request) => settle(&mut tx, owner, request.id, "released", &label, now).await?,
        None => {
            // What a claim held in this moment finds its plan here.
            sqlx::query!(
                r#"
                insert into switch_release (
                  tenant_id, id, switch_id, epoch, reason, plan, asked_at, expires_at, asked_by, first_person, first_by, is_staff,
                  outcome, settled_at, settled_by
                )
                values ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $8, $10, 'released', $7, $8)
                "#,
                owner.uuid(),
                Uuid::now_v7(),
                id.uuid(),
                switch.epoch,
                reason,
                serde_json::to_value(plan).map_err(|_| Error::Internal)?,
                now,
                label,
                person(ctx),
                switch.facts.is_staff,
            )
            .execute(tx.connection())
            .await
            .map_err(failed)?;
        }
    }
    let event = Event::new("switch.release", "kill_switch", id.to_string())
        .before(json!({ "engaged_by": switch.facts.by, "engaged_at": switch.facts.at, "reason": switch.facts.reason }))
        .after(json!({
            "scope": switch.name, "halt": switch.halt, "epoch": switch.epoch + 1, "reason": reason, "plan": plan,
            "asked_by": asked_by, "resumed": done.resumed, "returned": done.returned, "dropped": done.dropped,
        }));
    record::write_engagement(&mut tx, owner, id).await?;
    tx.audit(event).await?;
    sqlx::query!(
        r#"
        update halt
        set released_at = $3, released_by = $4, approved_by = $5, release_reason = $6
        where tenant_id = $1 and id = $2
        "#,
        owner.uuid(),
        switch.halt.uuid(),
        now,
        asked_by.clone().unwrap_or_else(|| label.clone()),
        asked_by.is_some().then_some(&label),
        reason,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let flipped = sqlx::query!(
        r#"
        with flipped as (
          update kill_switch
          set
            is_engaged = false, epoch = epoch + 1, recorded_epoch = epoch + 1, is_staff = false,
            released_at = clock_timestamp()
          where tenant_id = $1 and id = $2 and is_engaged and epoch = $3 and is_staff = $4
          returning id
        )
        select pg_notify('rtv_switch', id::text) as "notified!: ()"
        from flipped
        "#,
        owner.uuid(),
        id.uuid(),
        switch.epoch,
        switch.facts.is_staff,
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    if flipped.is_none() {
        return Err(changed());
    }
    tx.commit().await?;
    Ok(Released {
        switch: id,
        halt: switch.halt,
        scope: switch.scope,
        resumed: done.resumed,
        returned: done.returned,
        dropped: done.dropped,
    })
}

fn changed() -> Error {
    Error::Conflict(
        "The switch was flipped since this was asked for, so nothing was released. Look at where it stands, and ask again.".into(),
    )
}

async fn settle(
    tx: &mut Tx,
    owner: TenantId,
    id: ReleaseId,
    outcome: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let done = sqlx::query!(
        r#"
        update switch_release
        set outcome = $3, settled_at = $4, settled_by = $5
        where tenant_id = $1 and id = $2 and outcome is null
        "#,
        owner.uuid(),
        id.uuid(),
        outcome,
        now,
        by,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(changed()) }
}

/// A request that is open.
struct Row {
    id: ReleaseId,
    switch: SwitchId,
    epoch: i64,
    reason: String,
    plan: Plan,
    asked_by: String,
    asked_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    first_person: Option<String>,
    first_by: Option<String>,
}

/// The request, if it waits still. One that is over, or of others: [`Error::NotFound`].
async fn find(tx: &mut Tx, id: ReleaseId, now: DateTime<Utc>) -> Result<Row, Error> {
    let row = sqlx::query!(
        r#"
        select id, switch_id, epoch, reason, plan, asked_by, asked_at, expires_at, first_person, first_by
        from switch_release
        where id = $1 and outcome is null and expires_at > $2
        "#,
        id.uuid(),
        now,
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    Ok(Row {
        id: row.id.into(),
        switch: row.switch_id.into(),
        epoch: row.epoch,
        reason: row.reason,
        plan: stored(serde_json::from_value(row.plan))?,
        asked_by: row.asked_by,
        asked_at: row.asked_at,
        expires_at: row.expires_at,
        first_person: row.first_person,
        first_by: row.first_by,
    })
}

/// A request that waits. One that is over, or whose switch was flipped since: [`Error::NotFound`].
pub async fn asked(side: Side<'_>, id: ReleaseId) -> Result<Request, Error> {
    let now = side.context().now();
    let mut tx = side.begin_to_look().await?;
    let row = find(&mut tx, id, now).await?;
    let switch = engaged(&mut tx, side, Some(row.switch)).await?.into_iter().next();
    let switch = switch.filter(|switch| switch.epoch == row.epoch).ok_or(Error::NotFound)?;
    let groups = resume::groups(&mut tx, &Columns::of(&switch.scope), switch.id, now).await?;
    tx.rollback().await?;
    Ok(Request {
        id,
        switch,
        by: row.asked_by,
        at: row.asked_at,
        expires_at: row.expires_at,
        reason: row.reason,
        plan: row.plan,
        groups,
        is_own: row.first_person.is_some() && row.first_person == person(side.context()),
    })
}

/// Approves a request. It takes a person with the same right who has proved a moment ago who they are, and where the scope takes
/// two, another one than the first, in however many sessions. It holds for the switch as it was when the request was made: one that
/// was flipped since is not released.
pub async fn approve_release(side: Side<'_>, id: ReleaseId, ramp: Ramp) -> Result<Asked, Error> {
    let ctx = side.context();
    ctx.require_fresh()?;
    let approver = person(ctx).ok_or(Error::NotFresh)?;
    let request = asked(side, id).await?;
    let owner = super::owner(request.switch.scope.tenant());
    let mut tx = begin(side, &request.switch).await?;
    // Two who approve at once take turns.
    sqlx::query!("select id from switch_release where tenant_id = $1 and id = $2 for update", owner.uuid(), id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    let row = find(&mut tx, id, ctx.now()).await.map_err(|error| match error {
        Error::NotFound => changed(),
        other => other,
    })?;
    if row.first_person.as_ref() == Some(&approver) {
        return Err(Error::Conflict(
            "You have approved this yourself already: it takes a second person. Ask somebody else who may release it."
                .into(),
        ));
    }
    if row.first_person.is_none() && request.switch.scope.takes_two() {
        sqlx::query!(
            "update switch_release set first_person = $3, first_by = $4 where tenant_id = $1 and id = $2",
            owner.uuid(),
            id.uuid(),
            approver,
            ctx.actor().label(),
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
        let event = Event::new("switch.release.approve", "kill_switch", row.switch.to_string())
            .after(json!({ "scope": request.switch.name, "release": id, "epoch": row.epoch }));
        tx.audit(event).await?;
        tx.commit().await?;
        return Ok(Asked::Waits { release: id, expires_at: row.expires_at });
    }
    release(tx, side, &request.switch, &row.plan, &row.reason, ramp, Some(&row)).await.map(Asked::Released)
}

/// Takes a request back. Whoever could approve it can.
pub async fn withdraw_release(side: Side<'_>, id: ReleaseId) -> Result<(), Error> {
    let ctx = side.context();
    let request = asked(side, id).await?;
    let owner = super::owner(request.switch.scope.tenant());
    let mut tx = begin(side, &request.switch).await?;
    settle(&mut tx, owner, id, "withdrawn", &ctx.actor().label(), ctx.now()).await?;
    let event = Event::new("switch.release.withdraw", "kill_switch", request.switch.id.to_string())
        .after(json!({ "scope": request.switch.name, "release": id, "asked_by": request.by }));
    tx.audit(event).await?;
    tx.commit().await
}
