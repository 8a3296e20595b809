//! Why has this not gone out? Every gate that a delivery passes, in order, with what it says, who set it and when. The page, the
//! command and the API show this and nothing else.

use chrono::{DateTime, Utc};
use rtv_core::delivery::State;
use rtv_core::{Action, DeliveryId, Error, Limit, Permission, Platform, Slug, TenantStatus};

use super::sweep::late_from;
use crate::access::stored;
use crate::account::VERIFIED_FOR;
use crate::content::{approval_sha256, obstacle};
use crate::context::{Context, TenantContext};
use crate::format::Format;
use crate::limit;
use crate::transaction::{Resource, StaffPermission, Tx, failed};

/// What a gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It lets the delivery through.
    Passes,
    /// It will, without anybody's doing.
    Waits,
    /// Somebody has to do something.
    Stops,
}

impl Verdict {
    /// Its name for programs.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Passes => "passes",
            Self::Waits => "waits",
            Self::Stops => "stops",
        }
    }

    /// Words for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Passes => "Open",
            Self::Waits => "Waits",
            Self::Stops => "Stops it",
        }
    }
}

/// One gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// Its name for programs.
    pub key: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// What it says.
    pub verdict: Verdict,
    /// What it goes by.
    pub value: String,
    /// Who set it.
    pub set_by: Option<String>,
    /// When.
    pub set_at: Option<DateTime<Utc>>,
}

/// Why a delivery stands where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// Which.
    pub delivery: DeliveryId,
    /// Where it stands.
    pub state: State,
    /// The answer in a sentence.
    pub summary: String,
    /// When it goes out at the earliest, if it is on its way.
    pub goes_out_at: Option<DateTime<Utc>>,
    /// The gates, in the order in which they are asked.
    pub gates: Vec<Gate>,
    /// The key of the gate that decides: the first that does not let it through.
    pub deciding: Option<&'static str>,
}

/// Why a delivery of the tenant has not gone out, or that it has.
pub async fn why(ctx: &TenantContext, id: DeliveryId) -> Result<Why, Error> {
    let mut tx = ctx.begin(Permission::ContentRead, Resource::Delivery(id)).await?;
    let facts = read(&mut tx, ctx, id).await?;
    let quota = quota(&mut tx, ctx).await?;
    let maintenance = tx.maintenance().map(|one| (one.reason.clone(), one.by.clone(), one.since));
    tx.rollback().await?;
    let gates = vec![
        tenant_status(ctx, &facts, maintenance),
        switches(&facts),
        approval(&facts),
        quota,
        token(ctx, &facts),
        rate(&facts),
        sandbox(ctx, &facts),
        schedule(ctx, &facts),
    ];
    let is_waiting = matches!(
        facts.state,
        State::Draft
            | State::InReview
            | State::Approved
            | State::Scheduled
            | State::Held
            | State::Missed
            | State::Rejected
    );
    let deciding = gates.iter().find(|gate| gate.verdict != Verdict::Passes).filter(|_| is_waiting);
    let summary = summary(ctx, &facts, deciding);
    Ok(Why {
        delivery: id,
        state: facts.state,
        summary,
        goes_out_at: (facts.state == State::Scheduled).then_some(facts.ready_at),
        deciding: deciding.map(|gate| gate.key),
        gates,
    })
}

/// The tenant of a delivery, for staff who know only its id.
pub async fn tenant_of(ctx: &Context, id: DeliveryId) -> Result<Slug, Error> {
    let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, None).await?;
    let slug = sqlx::query_scalar!(
        "select tenant.slug from delivery join tenant on tenant.id = delivery.tenant_id where delivery.id = $1",
        id.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    tx.rollback().await?;
    stored(slug.parse())
}

struct Facts {
    state: State,
    platform: Platform,
    status_changed_by: Option<String>,
    status_changed_at: Option<DateTime<Utc>>,
    tenant_changed_by: Option<String>,
    text: String,
    link: Option<String>,
    scheduled_at: DateTime<Utc>,
    due_at: DateTime<Utc>,
    not_before: Option<DateTime<Utc>>,
    ready_at: DateTime<Utc>,
    wait_reason: Option<String>,
    outcome: Option<String>,
    outcome_at: Option<DateTime<Utc>>,
    hold_reason: Option<String>,
    approved_sha256: Option<Vec<u8>>,
    approved_remote_id: Option<String>,
    approved_by: Option<String>,
    approved_at: Option<DateTime<Utc>>,
    author: String,
    created_at: DateTime<Utc>,
    token: Option<(String, String, DateTime<Utc>, DateTime<Utc>)>,
    problem: Option<(String, Option<DateTime<Utc>>)>,
    switch: Option<(String, String, DateTime<Utc>)>,
}

async fn read(tx: &mut Tx, ctx: &TenantContext, id: DeliveryId) -> Result<Facts, Error> {
    let row = sqlx::query!(
        r#"
        select
          delivery.state, delivery.platform, delivery.scheduled_at, delivery.due_at, delivery.not_before, delivery.ready_at,
          delivery.wait_reason, delivery.outcome, delivery.outcome_at, delivery.hold_reason, delivery.approved_sha256,
          delivery.approved_remote_id, delivery.approved_by, delivery.approved_at, content.body, content.link,
          content.created_by, content.created_at, tenant.status_changed_by, tenant.status_changed_at,
          tenant.changed_by as tenant_changed_by, account_connection.remote_id as "remote_id?",
          account_connection.connected_by as "connected_by?", account_connection.connected_at as "connected_at?",
          account_connection.verified_at as "verified_at?", account_connection.problem as "problem?",
          account_connection.problem_at as "problem_at?", kill_switch.scope as "scope?", kill_switch.actor_label as "switch_by?",
          kill_switch.engaged_at as "switch_at?", kill_switch.tenant_id as "switch_of?", kill_switch.reason as "switch_reason?"
        from delivery
        join content on content.tenant_id = delivery.tenant_id and content.id = delivery.content_id
        join tenant on tenant.id = delivery.tenant_id
        left join account_connection
          on account_connection.tenant_id = delivery.tenant_id and account_connection.account_id = delivery.account_id
        left join kill_switch
          on kill_switch.tenant_id in (delivery.tenant_id, '00000000-0000-0000-0000-000000000000')
          and kill_switch.id = rtv_covering_switch(
            delivery.tenant_id, delivery.platform, $2, delivery.account_id, delivery.campaign_id
          )
        where delivery.tenant_id = $3 and delivery.id = $1
        "#,
        id.uuid(),
        Action::Publish.key(),
        ctx.tenant().id.uuid(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    let token = match (row.remote_id, row.connected_by, row.connected_at, row.verified_at) {
        (Some(remote_id), Some(by), Some(at), Some(verified_at)) => Some((remote_id, by, at, verified_at)),
        _ => None,
    };
    let switch = row.scope.zip(row.switch_at).map(|(scope, at)| {
        let whose = if row.switch_of.is_some_and(|of| of.is_nil()) { "operator, " } else { "" };
        let reason = row.switch_reason.as_deref().and_then(|reason| reason.parse::<rtv_core::ReasonKind>().ok());
        let reason = reason.map_or_else(String::new, |reason| format!(": {}", reason.label()));
        (format!("engaged ({whose}{scope}){reason}"), row.switch_by.unwrap_or_default(), at)
    });
    Ok(Facts {
        state: stored(row.state.parse())?,
        platform: stored(row.platform.parse())?,
        status_changed_by: row.status_changed_by,
        status_changed_at: row.status_changed_at,
        tenant_changed_by: row.tenant_changed_by,
        text: row.body,
        link: row.link,
        scheduled_at: row.scheduled_at,
        due_at: row.due_at,
        not_before: row.not_before,
        ready_at: row.ready_at,
        wait_reason: row.wait_reason,
        outcome: row.outcome,
        outcome_at: row.outcome_at,
        hold_reason: row.hold_reason,
        approved_sha256: row.approved_sha256,
        approved_remote_id: row.approved_remote_id,
        approved_by: row.approved_by,
        approved_at: row.approved_at,
        author: row.created_by,
        created_at: row.created_at,
        problem: row.problem.map(|problem| (problem, row.problem_at)),
        token,
        switch,
    })
}

fn gate(key: &'static str, label: &'static str, verdict: Verdict, value: impl Into<String>) -> Gate {
    Gate { key, label, verdict, value: value.into(), set_by: None, set_at: None }
}

impl Gate {
    fn by(self, set_by: Option<String>, set_at: Option<DateTime<Utc>>) -> Self {
        Self { set_by, set_at, ..self }
    }
}

fn tenant_status(ctx: &TenantContext, facts: &Facts, maintenance: Option<(String, String, DateTime<Utc>)>) -> Gate {
    let one = |verdict, value: String| gate("tenant", "Organisation", verdict, value);
    if let Some((reason, by, since)) = maintenance {
        return one(Verdict::Waits, format!("RTV is in maintenance: {reason}")).by(Some(by), Some(since));
    }
    let status = ctx.tenant().status;
    let verdict = match status {
        TenantStatus::Pending | TenantStatus::Active => Verdict::Passes,
        TenantStatus::Suspended | TenantStatus::Cancelled => Verdict::Stops,
    };
    let reason = ctx.tenant().status_reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    one(verdict, format!("{}{reason}", status.label())).by(facts.status_changed_by.clone(), facts.status_changed_at)
}

fn switches(facts: &Facts) -> Gate {
    let one = |verdict, value: &str| gate("switches", "Kill switches", verdict, value);
    match (&facts.switch, facts.hold_reason.as_deref()) {
        (Some((value, by, at)), _) => one(Verdict::Stops, value).by(Some(by.clone()), Some(*at)),
        (None, Some("switch")) => {
            one(Verdict::Stops, "released; what it held waits for the resume plan").by(None, facts.outcome_at)
        }
        (None, Some("local_file")) => {
            one(Verdict::Stops, facts.outcome.as_deref().unwrap_or("a local halt file stops it"))
                .by(None, facts.outcome_at)
        }
        (None, _) => one(Verdict::Passes, "none covers it"),
    }
}

fn approval(facts: &Facts) -> Gate {
    let one = |verdict, value: &str| gate("approval", "Approval", verdict, value);
    let (Some(sha256), Some(remote_id)) = (&facts.approved_sha256, &facts.approved_remote_id) else {
        let value = match facts.state {
            State::Draft => "not submitted yet",
            State::InReview => "waits for somebody to approve it",
            _ => "not approved",
        };
        return one(Verdict::Stops, value).by(Some(facts.author.clone()), Some(facts.created_at));
    };
    let now = approval_sha256(&facts.text, facts.link.as_deref(), facts.scheduled_at, facts.platform, remote_id);
    let by = |gate: Gate| gate.by(facts.approved_by.clone(), facts.approved_at);
    if facts.hold_reason.as_deref() == Some("wrong_account") {
        return by(one(Verdict::Stops, facts.outcome.as_deref().unwrap_or("it is not the approved account")));
    }
    if now == sha256[..] {
        by(one(Verdict::Passes, &format!("approved as account {remote_id}, SHA-256 {}…", &hex::encode(sha256)[..12])))
    } else {
        by(one(Verdict::Stops, "what would leave is not what was approved"))
    }
}

async fn quota(tx: &mut Tx, ctx: &TenantContext) -> Result<Gate, Error> {
    let is_over = ctx.tenant().over_limits.contains(&Limit::PostsPerMonth);
    let (used, most) = limit::posts_per_month(tx, ctx.tenant().id).await?;
    let value = match most {
        Some(most) => format!("{used} of {most} posts in the fullest month"),
        None => format!("{used} posts in the fullest month, as many as wanted"),
    };
    Ok(gate("quota", "Posts per month", if is_over { Verdict::Stops } else { Verdict::Passes }, value))
}

fn token(ctx: &TenantContext, facts: &Facts) -> Gate {
    let one = |verdict, value: String| gate("token", "Connection", verdict, value);
    match (&facts.token, &facts.problem) {
        (None, _) => one(Verdict::Stops, "the account is not connected".into()),
        (Some((_, by, _, _)), Some((problem, at))) => one(Verdict::Stops, problem.clone()).by(Some(by.clone()), *at),
        (Some((remote_id, by, at, verified_at)), None) => {
            let age = if *verified_at > ctx.now() - VERIFIED_FOR {
                "the platform confirmed it within ten minutes"
            } else {
                "the platform is asked again before it is used"
            };
            one(Verdict::Passes, format!("connected as {remote_id}; {age}")).by(Some(by.clone()), Some(*at))
        }
    }
}

fn rate(facts: &Facts) -> Gate {
    match (&facts.wait_reason, facts.not_before) {
        (Some(why), Some(until)) if facts.state == State::Scheduled => {
            gate("rate", "Rate and pauses", Verdict::Waits, why.clone()).by(None, Some(until))
        }
        _ => gate("rate", "Rate and pauses", Verdict::Passes, "nothing to wait for"),
    }
}

fn sandbox(ctx: &TenantContext, facts: &Facts) -> Gate {
    let is_sandbox = ctx.tenant().is_sandbox;
    let one = |verdict, value: String| gate("sandbox", "Sandbox mode", verdict, value);
    match obstacle(is_sandbox, facts.platform) {
        Some(why) => one(Verdict::Stops, why).by(facts.tenant_changed_by.clone(), None),
        None if is_sandbox => {
            one(Verdict::Passes, "on: it goes to the sandbox network alone, and its figures count nowhere".into())
        }
        None => one(Verdict::Passes, "off".into()),
    }
}

fn schedule(ctx: &TenantContext, facts: &Facts) -> Gate {
    let format = Format::of(ctx.tenant());
    let one = |verdict, value: String| {
        gate("schedule", "Schedule", verdict, value).by(facts.approved_by.clone(), facts.approved_at)
    };
    let when = format.instant(facts.due_at);
    if facts.state == State::Missed || (facts.state == State::Scheduled && late_from(facts.due_at) < ctx.now()) {
        one(Verdict::Stops, format!("{when}, which is more than 15 minutes ago"))
    } else if facts.due_at > ctx.now() {
        one(Verdict::Waits, when)
    } else {
        one(Verdict::Passes, when)
    }
}

fn summary(ctx: &TenantContext, facts: &Facts, deciding: Option<&Gate>) -> String {
    let outcome = facts.outcome.as_deref().unwrap_or_default();
    match facts.state {
        State::Confirmed => "It is out: it was read back from the platform.".into(),
        State::Accepted => "The platform has it; it is being read back.".into(),
        State::Claimed | State::Sending => "It is leaving right now.".into(),
        State::Unknown => format!("It may be out: {outcome} The platform’s list is being read to find out."),
        State::NeedsPerson => format!("Only a person can tell what came of it. {outcome}"),
        State::Rejected => format!("The platform refused it: {outcome}"),
        State::Dropped => "Somebody decided that it does not go out.".into(),
        State::Missed => format!("Its time went by, so somebody decides what becomes of it. {outcome}"),
        State::Scheduled if deciding.is_none_or(|gate| gate.key == "schedule" || gate.key == "rate") => {
            format!("It goes out {}.", Format::of(ctx.tenant()).instant(facts.ready_at))
        }
        State::Draft | State::InReview | State::Approved | State::Scheduled | State::Held => deciding.map_or_else(
            || format!("It waits for somebody to decide. {outcome}"),
            |gate| format!("{}: {}.", gate.label, gate.value.trim_end_matches('.')),
        ),
    }
}
