//! Deliveries as people see them: the list, one with its attempts and history, and deciding over one that waits for a person.
//!
//! What a worker does lives beside it: `claim` takes what is due, `result` writes what came of it, `look` reads back, `sweep`
//! takes over from senders that died, `posting` makes posts of what was confirmed; `change` is how all of them write. `why`
//! says what keeps a delivery back, `export` gives an outside check what it needs.

pub mod alarm;
pub mod change;
pub mod claim;
pub mod export;
pub mod look;
pub mod posting;
mod rate;
pub mod result;
pub mod sweep;
pub mod why;

use core::fmt;
use core::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::delivery::{AttemptState, Decision, Event, HoldReason, Refused, State};
use rtv_core::{
    AccountId, Action, CampaignId, ContentId, DeliveryId, Error, Limit, Permission, Platform, SenderId, SwitchId,
};
use serde_json::json;
use uuid::Uuid;

use crate::access::stored;
use crate::audit;
use crate::content::parse_time;
use crate::context::TenantContext;
use crate::limit;
use crate::transaction::{Resource, Tx, failed};
use change::{Batch, Key};

/// What is so much later than its time is missed.
pub const GRACE: TimeDelta = TimeDelta::minutes(15);
/// Rows on one page.
pub const PAGE: i64 = 50;
/// How far ahead a person can put a delivery.
const FARTHEST: TimeDelta = TimeDelta::days(730);
/// The longest id of a post on a platform, in characters.
const LONGEST_REMOTE: usize = 300;

/// What a list is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Query {
    /// In this state.
    pub state: Option<State>,
    /// On this platform.
    pub platform: Option<Platform>,
    /// To this account.
    pub account: Option<AccountId>,
    /// Where the page starts.
    pub after: Option<Cursor>,
}

/// The last row of the page before; the latest time first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    due_at: DateTime<Utc>,
    id: DeliveryId,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.due_at.timestamp_micros(), self.id)
    }
}

impl FromStr for Cursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split_once('.')
            .and_then(|(time, id)| {
                Some(Self { due_at: DateTime::from_timestamp_micros(time.parse().ok()?)?, id: id.parse().ok()? })
            })
            .ok_or_else(|| "start from the first page; this place is not known".to_owned())
    }
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Id.
    pub id: DeliveryId,
    /// Its content.
    pub content: ContentId,
    /// The text.
    pub text: String,
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub account_name: String,
    /// Its platform.
    pub platform: Platform,
    /// The campaign.
    pub campaign: Option<CampaignId>,
    /// Where it stands.
    pub state: State,
    /// Why it is held, if it is.
    pub hold: Option<HoldReason>,
    /// The switch that holds it.
    pub held_by_switch: Option<SwitchId>,
    /// When it was meant to go out.
    pub scheduled_at: DateTime<Utc>,
    /// When it is to go out.
    pub due_at: DateTime<Utc>,
    /// When it goes out at the earliest.
    pub goes_out_at: DateTime<Utc>,
    /// Why not earlier.
    pub why_not_earlier: Option<String>,
    /// Whether it may be at the platform.
    pub may_be_out: bool,
    /// How many attempts there were.
    pub attempt_no: i32,
    /// What came of it last.
    pub outcome: Option<String>,
    /// The platform's id of the post.
    pub remote_id: Option<String>,
    /// When it changed last.
    pub updated_at: DateTime<Utc>,
    /// Counts changes.
    pub version: i64,
}

/// One page, and how many there are in each state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The rows.
    pub items: Vec<Listed>,
    /// Where the next page starts, if there is one.
    pub next: Option<Cursor>,
    /// How many there are in each state, of those that the other filters cover; states without any are left out.
    pub counts: Vec<(State, i64)>,
}

/// One attempt to send a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its number.
    pub number: i32,
    /// How it stands.
    pub state: AttemptState,
    /// The process that made it.
    pub sender: SenderId,
    /// The epoch of all switches that its claim has seen.
    pub switch_epoch: i64,
    /// The key that the platform was given, so that it can know a repetition.
    pub idempotency_key: String,
    /// When it was taken.
    pub claimed_at: DateTime<Utc>,
    /// When the intent to send was written.
    pub sending_at: Option<DateTime<Utc>>,
    /// When the first byte of the request left.
    pub first_byte_at: Option<DateTime<Utc>>,
    /// When the last one did.
    pub last_byte_at: Option<DateTime<Utc>>,
    /// When the platform answered.
    pub answered_at: Option<DateTime<Utc>>,
    /// What came of it, in words.
    pub outcome: Option<String>,
    /// The platform's id of the post.
    pub remote_id: Option<String>,
    /// Whether bytes left while a switch was being engaged.
    pub is_late_egress: bool,
}

/// One line of a delivery's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLine {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub who: String,
    /// What.
    pub what: String,
    /// Where it stood before.
    pub from: Option<State>,
    /// Where it stands after.
    pub to: State,
    /// More about it.
    pub detail: Option<String>,
}

/// One delivery with everything about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// As the list shows it.
    pub row: Listed,
    /// The link below the text.
    pub link: Option<String>,
    /// Who approved it, and when.
    pub approved: Option<(String, DateTime<Utc>)>,
    /// The platform's id of the account that was approved.
    pub approved_remote_id: Option<String>,
    /// When the platform says that it was published.
    pub published_at: Option<DateTime<Utc>>,
    /// When it was read back.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When the platform is asked next what it has.
    pub next_look_at: Option<DateTime<Utc>>,
    /// How often it was asked.
    pub looks: i16,
    /// All attempts, the newest first.
    pub attempts: Vec<Attempt>,
    /// What happened to it, the newest first.
    pub history: Vec<HistoryLine>,
    /// What the person can decide now.
    pub decisions: Vec<Decision>,
}

/// All deliveries, the latest time first, a page at a time.
pub async fn list(ctx: &TenantContext, query: &Query) -> Result<Listing, Error> {
    list_some(ctx, query, PAGE).await
}

/// The same, at most so many.
pub async fn list_some(ctx: &TenantContext, query: &Query, limit: i64) -> Result<Listing, Error> {
    let mut tx = ctx.begin(Permission::ContentRead, Resource::Deliveries).await?;
    let rows = sqlx::query_as!(
        StoredRow,
        r#"
        select
          delivery.id, delivery.content_id, content.body, delivery.account_id, account.name, delivery.platform,
          delivery.campaign_id, delivery.state, delivery.hold_reason, delivery.held_by_switch, delivery.scheduled_at,
          delivery.due_at, delivery.ready_at, delivery.wait_reason, delivery.may_be_out, delivery.attempt_no,
          delivery.outcome, delivery.remote_id, delivery.updated_at, delivery.version
        from delivery
        join content on content.tenant_id = delivery.tenant_id and content.id = delivery.content_id
        join account on account.tenant_id = delivery.tenant_id and account.id = delivery.account_id
        where ($1::text is null or delivery.state = $1)
          and ($2::text is null or delivery.platform = $2)
          and ($3::uuid is null or delivery.account_id = $3)
          and ($4::timestamptz is null or (delivery.due_at, delivery.id) < ($4, $5))
        order by delivery.due_at desc, delivery.id desc
        limit $6
        "#,
        query.state.map(State::key),
        query.platform.map(Platform::key),
        query.account.map(AccountId::uuid),
        query.after.map(|after| after.due_at),
        query.after.map(|after| after.id.uuid()),
        limit + 1,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let counts = sqlx::query!(
        r#"
        select state, count(*) as "count!"
        from delivery
        where ($1::text is null or platform = $1) and ($2::uuid is null or account_id = $2)
        group by state
        "#,
        query.platform.map(Platform::key),
        query.account.map(AccountId::uuid),
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    let mut counts: Vec<(State, i64)> =
        counts.into_iter().map(|row| Ok((stored(row.state.parse())?, row.count))).collect::<Result<_, Error>>()?;
    counts.sort_unstable();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    let items: Vec<Listed> = rows.into_iter().take(limit).map(Listed::try_from).collect::<Result<_, _>>()?;
    let next = items.last().filter(|_| has_more).map(|last| Cursor { due_at: last.due_at, id: last.id });
    Ok(Listing { items, next, counts })
}

struct StoredRow {
    id: Uuid,
    content_id: Uuid,
    body: String,
    account_id: Uuid,
    name: String,
    platform: String,
    campaign_id: Option<Uuid>,
    state: String,
    hold_reason: Option<String>,
    held_by_switch: Option<Uuid>,
    scheduled_at: DateTime<Utc>,
    due_at: DateTime<Utc>,
    ready_at: DateTime<Utc>,
    wait_reason: Option<String>,
    may_be_out: bool,
    attempt_no: i32,
    outcome: Option<String>,
    remote_id: Option<String>,
    updated_at: DateTime<Utc>,
    version: i64,
}

impl TryFrom<StoredRow> for Listed {
    type Error = Error;

    fn try_from(row: StoredRow) -> Result<Self, Error> {
        Ok(Self {
            id: row.id.into(),
            content: row.content_id.into(),
            text: row.body,
            account: row.account_id.into(),
            account_name: row.name,
            platform: stored(row.platform.parse())?,
            campaign: row.campaign_id.map(CampaignId::from),
            state: stored(row.state.parse())?,
            hold: row.hold_reason.map(|reason| stored(reason.parse())).transpose()?,
            held_by_switch: row.held_by_switch.map(SwitchId::from),
            scheduled_at: row.scheduled_at,
            due_at: row.due_at,
            goes_out_at: row.ready_at,
            why_not_earlier: row.wait_reason,
            may_be_out: row.may_be_out,
            attempt_no: row.attempt_no,
            outcome: row.outcome,
            remote_id: row.remote_id,
            updated_at: row.updated_at,
            version: row.version,
        })
    }
}

/// One delivery. Of what the person may not see there is nothing: [`Error::NotFound`].
pub async fn one(ctx: &TenantContext, id: DeliveryId) -> Result<Delivery, Error> {
    let mut tx = ctx.begin(Permission::ContentRead, Resource::Delivery(id)).await?;
    let row = sqlx::query_as!(
        StoredRow,
        r#"
        select
          delivery.id, delivery.content_id, content.body, delivery.account_id, account.name, delivery.platform,
          delivery.campaign_id, delivery.state, delivery.hold_reason, delivery.held_by_switch, delivery.scheduled_at,
          delivery.due_at, delivery.ready_at, delivery.wait_reason, delivery.may_be_out, delivery.attempt_no,
          delivery.outcome, delivery.remote_id, delivery.updated_at, delivery.version
        from delivery
        join content on content.tenant_id = delivery.tenant_id and content.id = delivery.content_id
        join account on account.tenant_id = delivery.tenant_id and account.id = delivery.account_id
        where delivery.id = $1
        "#,
        id.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    let more = sqlx::query!(
        r#"
        select
          content.link, delivery.approved_by, delivery.approved_at, delivery.approved_remote_id, delivery.published_at,
          delivery.confirmed_at, delivery.next_look_at, delivery.looks
        from delivery
        join content on content.tenant_id = delivery.tenant_id and content.id = delivery.content_id
        where delivery.id = $1
        "#,
        id.uuid()
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let attempts = attempts(&mut tx, id).await?;
    let history = history(&mut tx, id).await?;
    tx.rollback().await?;
    let row = Listed::try_from(row)?;
    let may_decide = ctx.access().grants_somewhere(Permission::DeliveriesDecide) && ctx.read_only().is_none();
    let decisions = if may_decide { possible(&row) } else { Vec::new() };
    Ok(Delivery {
        row,
        link: more.link,
        approved: more.approved_by.zip(more.approved_at),
        approved_remote_id: more.approved_remote_id,
        published_at: more.published_at,
        confirmed_at: more.confirmed_at,
        next_look_at: more.next_look_at,
        looks: more.looks,
        attempts,
        history,
        decisions,
    })
}

/// What a person can decide over it.
fn possible(row: &Listed) -> Vec<Decision> {
    let standing = rtv_core::delivery::Standing {
        state: row.state,
        attempt: row.attempt_no,
        may_be_out: row.may_be_out,
        absent_looks: 0,
        hold: row.hold,
    };
    let is_possible = |decision: &Decision| rtv_core::delivery::step(standing, Event::Decide(*decision)).is_ok();
    Decision::ALL.into_iter().filter(is_possible).collect()
}

async fn attempts(tx: &mut Tx, id: DeliveryId) -> Result<Vec<Attempt>, Error> {
    let rows = sqlx::query!(
        r#"
        select
          attempt_no, state, sender_id, switch_epoch, idempotency_key, claimed_at, sending_at, first_byte_at, last_byte_at,
          answered_at, outcome, remote_id, is_late_egress
        from attempt
        where delivery_id = $1
        order by attempt_no desc
        limit 100
        "#,
        id.uuid()
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            Ok(Attempt {
                number: row.attempt_no,
                state: stored(row.state.parse())?,
                sender: row.sender_id.into(),
                switch_epoch: row.switch_epoch,
                idempotency_key: row.idempotency_key,
                claimed_at: row.claimed_at,
                sending_at: row.sending_at,
                first_byte_at: row.first_byte_at,
                last_byte_at: row.last_byte_at,
                answered_at: row.answered_at,
                outcome: row.outcome,
                remote_id: row.remote_id,
                is_late_egress: row.is_late_egress,
            })
        })
        .collect()
}

async fn history(tx: &mut Tx, id: DeliveryId) -> Result<Vec<HistoryLine>, Error> {
    let rows = sqlx::query!(
        r#"
        select at, who, what, from_state, to_state, detail
        from delivery_event
        where delivery_id = $1
        order by at desc, id desc
        limit 200
        "#,
        id.uuid()
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            Ok(HistoryLine {
                at: row.at,
                who: row.who,
                what: row.what,
                from: row.from_state.map(|state| stored(state.parse())).transpose()?,
                to: stored(row.to_state.parse())?,
                detail: row.detail,
            })
        })
        .collect()
}

/// A decision as typed.
#[derive(Debug, Clone, Default)]
pub struct NewDecision {
    /// Key of the decision.
    pub choice: String,
    /// The platform's id or address of the post, of what is there; empty where nobody knows.
    pub remote: String,
    /// Another time, in the tenant's zone or with an offset; of what is rescheduled.
    pub at: String,
    /// The version that the form was made from.
    pub version: String,
}

/// A person decides over a delivery. What is under a switch is not sent by a decision: [`Error::Conflict`].
pub async fn decide(ctx: &TenantContext, id: DeliveryId, new: &NewDecision) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::DeliveriesDecide, Resource::Delivery(id)).await?;
    let decision: Decision = new.choice.parse().map_err(|why| Error::invalid("choice", why))?;
    let key = Key { tenant: ctx.tenant().id, delivery: id };
    let mut batch = Batch::hold(&mut tx, &[key], ctx.context().actor().label()).await?;
    let row_before = batch.rows.first().ok_or(Error::NotFound)?.clone();
    let seen: i64 = new
        .version
        .parse()
        .map_err(|_| Error::invalid("version", "load the page again; the form did not say what it was made from."))?;
    if seen != row_before.version {
        return Err(as_conflict(Refused::Impossible));
    }
    let now = ctx.now();
    let due_at = match decision {
        Decision::SendNow => Some(now),
        Decision::Reschedule => {
            let at = parse_time(ctx.tenant().zone, &new.at).map_err(|why| Error::invalid("at", format!("{why}.")))?;
            if at <= now || at > now + FARTHEST {
                return Err(Error::invalid("at", "choose a time that is to come, within two years."));
            }
            Some(at)
        }
        Decision::ReturnToApproval | Decision::Drop | Decision::ItIsThere => None,
    };
    let remote = Some(new.remote.trim()).filter(|remote| decision == Decision::ItIsThere && !remote.is_empty());
    if remote.is_some_and(|remote| remote.chars().count() > LONGEST_REMOTE) {
        return Err(Error::invalid("remote", format!("use at most {LONGEST_REMOTE} characters.")));
    }
    if let Some(remote) = remote {
        let is_taken = sqlx::query_scalar!(
            r#"
            select exists (
              select 1 from delivery where account_id = $1 and remote_id = $2 and id <> $3
            ) as "is_taken!"
            "#,
            row_before.account.uuid(),
            remote,
            id.uuid(),
        )
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
        if is_taken {
            return Err(Error::invalid(
                "remote",
                "this is the post of another delivery; look for the one of this delivery.",
            ));
        }
    }
    if due_at.is_some() {
        if row_before.approval.is_none() {
            return Err(Error::Conflict(
                "It is not approved. Nothing was changed. Return it to approval first.".into(),
            ));
        }
        if decision == Decision::SendNow {
            refuse_covered(&mut tx, key).await?;
        }
    }
    let detail = remote.map(|remote| format!("seen as {remote}"));
    batch.apply(0, Event::Decide(decision), said(decision), detail).map_err(as_conflict)?;
    let row = batch.change(0);
    if let Some(due_at) = due_at {
        row.due_at = due_at;
        row.not_before = None;
        row.wait_reason = None;
    }
    if let Some(remote) = remote {
        row.remote_id = Some(remote.to_owned());
    }
    batch.write(&mut tx).await?;
    if due_at.is_some() {
        limit::refuse_over(&mut tx, ctx.tenant().id, &[Limit::PostsPerMonth]).await?;
    }
    let event = audit::Event::new("delivery.decide", "delivery", id.to_string())
        .before(json!({ "state": row_before.standing.state, "due_at": row_before.due_at }))
        .after(json!({
            "state": batch.rows[0].standing.state, "due_at": batch.rows[0].due_at, "decision": decision.key(), "remote": remote,
        }));
    tx.audit(event).await?;
    tx.commit().await
}

const fn said(decision: Decision) -> &'static str {
    match decision {
        Decision::SendNow => "sent on by a person",
        Decision::Reschedule => "rescheduled",
        Decision::ReturnToApproval => "returned to approval",
        Decision::Drop => "dropped",
        Decision::ItIsThere => "said to be there",
    }
}

/// Refuses what an engaged switch covers: it would only be held again.
async fn refuse_covered(tx: &mut Tx, key: Key) -> Result<(), Error> {
    let covering = sqlx::query_scalar!(
        r#"
        select rtv_covering_switch(tenant_id, platform, $3, account_id, campaign_id)
        from delivery
        where tenant_id = $1 and id = $2
        "#,
        key.tenant.uuid(),
        key.delivery.uuid(),
        Action::Publish.key(),
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    match covering {
        None => Ok(()),
        Some(_) => Err(Error::Conflict(
            "A kill switch stops it. Nothing was changed. Whoever releases the switch decides there what becomes of it.".into(),
        )),
    }
}

/// Words for an event that cannot be, because somebody or something was faster.
pub(crate) fn as_conflict(refused: Refused) -> Error {
    Error::Conflict(match refused {
        Refused::MayBeOut => "It may be out already, so it cannot be changed or sent. Nothing was changed.".into(),
        Refused::Stale | Refused::Impossible => {
            "It has moved on in the meantime. Nothing was changed. Look at where it stands now.".into()
        }
    })
}
