//! `/api/v1/deliveries`: what is on its way, what became of it, why it has not gone out, and deciding over what waits for somebody.

use axum::extract::Path;
use axum::response::Response;
use chrono::{DateTime, Utc};
use rtv_core::{DeliveryId, Error};
use rtv_domain::delivery::why::{self, Why};
use rtv_domain::delivery::{self, Attempt, Delivery, HistoryLine, Listed, NewDecision, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use super::list::{Ask, ListParams, Page, next};
use super::once::Write;

const LIST: &str = "deliveries";

/// A delivery: one post to one account at one time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Delivery")]
pub struct DeliveryObject {
    /// Its id.
    id: String,
    /// Id of what is posted.
    content: String,
    /// The text.
    text: String,
    /// Id of the account.
    account: String,
    /// Name of the account.
    account_name: String,
    /// Platform of the account.
    platform: String,
    /// Id of the campaign.
    campaign: Option<String>,
    /// `draft` `in_review` `approved` `scheduled` `claimed` `sending` `accepted` `confirmed` `held` `rejected` `missed` `unknown`
    /// `needs_person` `dropped`.
    state: String,
    /// Why it is held, if it is: `switch` `local_file` `wrong_account` `approval` `token` `sandbox` `platform`.
    hold_reason: Option<String>,
    /// Id of the kill switch that holds it.
    held_by_switch: Option<String>,
    /// When it was meant to go out.
    scheduled_at: DateTime<Utc>,
    /// When it is to go out: another time if somebody has decided so.
    due_at: DateTime<Utc>,
    /// When it goes out at the earliest.
    not_before: DateTime<Utc>,
    /// Why not when it is due.
    why_not_earlier: Option<String>,
    /// Whether it may be at the platform already.
    may_be_out: bool,
    /// How many attempts there were.
    attempts: i32,
    /// What came of it last, in words.
    outcome: Option<String>,
    /// The platform's id of the post.
    remote_id: Option<String>,
    /// When it changed last.
    updated_at: DateTime<Utc>,
    /// Counts changes; a decision names it.
    version: i64,
}

impl From<Listed> for DeliveryObject {
    fn from(row: Listed) -> Self {
        Self {
            id: row.id.to_string(),
            content: row.content.to_string(),
            text: row.text,
            account: row.account.to_string(),
            account_name: row.account_name,
            platform: row.platform.key().into(),
            campaign: row.campaign.map(|id| id.to_string()),
            state: row.state.key().into(),
            hold_reason: row.hold.map(|reason| reason.key().into()),
            held_by_switch: row.held_by_switch.map(|id| id.to_string()),
            scheduled_at: row.scheduled_at,
            due_at: row.due_at,
            not_before: row.goes_out_at,
            why_not_earlier: row.why_not_earlier,
            may_be_out: row.may_be_out,
            attempts: row.attempt_no,
            outcome: row.outcome,
            remote_id: row.remote_id,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// One attempt to send it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Attempt")]
pub struct AttemptObject {
    /// Its number.
    number: i32,
    /// `claimed` `sending` `accepted` `confirmed` `unknown` `absent` `not_sent` `rejected` `dropped`.
    state: String,
    /// The epoch of all kill switches that its claim has seen.
    switch_epoch: i64,
    /// When it was claimed.
    claimed_at: DateTime<Utc>,
    /// When the intent to send was written.
    sending_at: Option<DateTime<Utc>>,
    /// When the first byte of the request left.
    first_byte_at: Option<DateTime<Utc>>,
    /// When the last one did.
    last_byte_at: Option<DateTime<Utc>>,
    /// When the platform answered.
    answered_at: Option<DateTime<Utc>>,
    /// What came of it, in words.
    outcome: Option<String>,
    /// The platform's id of the post.
    remote_id: Option<String>,
    /// Whether bytes left while a kill switch was being engaged.
    late_egress: bool,
}

impl From<Attempt> for AttemptObject {
    fn from(attempt: Attempt) -> Self {
        Self {
            number: attempt.number,
            state: attempt.state.key().into(),
            switch_epoch: attempt.switch_epoch,
            claimed_at: attempt.claimed_at,
            sending_at: attempt.sending_at,
            first_byte_at: attempt.first_byte_at,
            last_byte_at: attempt.last_byte_at,
            answered_at: attempt.answered_at,
            outcome: attempt.outcome,
            remote_id: attempt.remote_id,
            late_egress: attempt.is_late_egress,
        }
    }
}

/// One line of its history.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "DeliveryEvent")]
pub struct EventObject {
    /// When.
    at: DateTime<Utc>,
    /// Who.
    who: String,
    /// What.
    what: String,
    /// The state before.
    from: Option<String>,
    /// The state after.
    to: String,
    /// More about it.
    detail: Option<String>,
}

impl From<HistoryLine> for EventObject {
    fn from(line: HistoryLine) -> Self {
        Self {
            at: line.at,
            who: line.who,
            what: line.what,
            from: line.from.map(|state| state.key().into()),
            to: line.to.key().into(),
            detail: line.detail,
        }
    }
}

/// A delivery with its attempts and its history, the newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "DeliveryDetail")]
pub struct DetailObject {
    /// The delivery.
    delivery: DeliveryObject,
    /// The link below the text.
    link: Option<String>,
    /// Who approved it.
    approved_by: Option<String>,
    /// When.
    approved_at: Option<DateTime<Utc>>,
    /// When the platform says that it was published.
    published_at: Option<DateTime<Utc>>,
    /// When it was read back.
    confirmed_at: Option<DateTime<Utc>>,
    /// All attempts.
    tried: Vec<AttemptObject>,
    /// What happened to it.
    history: Vec<EventObject>,
    /// What the key may decide now.
    decisions: Vec<String>,
}

impl From<Delivery> for DetailObject {
    fn from(one: Delivery) -> Self {
        let (approved_by, approved_at) = one.approved.unzip();
        Self {
            delivery: one.row.into(),
            link: one.link,
            approved_by,
            approved_at,
            published_at: one.published_at,
            confirmed_at: one.confirmed_at,
            tried: one.attempts.into_iter().map(AttemptObject::from).collect(),
            history: one.history.into_iter().map(EventObject::from).collect(),
            decisions: one.decisions.iter().map(|decision| decision.key().into()).collect(),
        }
    }
}

/// Which deliveries.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub struct DeliveryParams {
    /// In this state.
    state: Option<String>,
    /// On this platform.
    platform: Option<String>,
    /// To the account of this id.
    account: Option<String>,
}

fn asked<T: core::str::FromStr>(caller: &Caller, name: &str) -> Result<Option<T>, Error>
where
    T::Err: core::fmt::Display,
{
    let text = caller.parameter(name).filter(|text| !text.is_empty());
    text.map(|text| text.parse().map_err(|why: T::Err| Error::invalid(name, format!("{why}.")))).transpose()
}

fn id(text: &str) -> Result<DeliveryId, Error> {
    text.parse().map_err(|_| Error::NotFound)
}

/// Deliveries
///
/// The latest time first. Needs content:read.
#[utoipa::path(get, path = "/api/v1/deliveries", tag = "Deliveries", operation_id = "listDeliveries",
    params(DeliveryParams, ListParams), responses((status = 200, description = "Deliveries.", body = Page<DeliveryObject>)))]
pub async fn list(caller: Caller) -> Response {
    let page = async {
        let ask = Ask::parse(&caller, LIST)?;
        let after =
            ask.after.as_deref().map(str::parse).transpose().map_err(|why: String| Error::invalid("after", why))?;
        let query = Query {
            state: asked(&caller, "state")?,
            platform: asked(&caller, "platform")?,
            account: asked(&caller, "account")?,
            after,
        };
        let found = delivery::list_some(caller.ctx(), &query, ask.rows()).await?;
        Ok(Page {
            items: found.items.into_iter().map(DeliveryObject::from).collect(),
            next: found.next.map(|cursor| next(LIST, &cursor.to_string())),
        })
    };
    caller.answer(page.await)
}

/// A delivery
///
/// With its attempts and its history. Needs content:read.
#[utoipa::path(get, path = "/api/v1/deliveries/{id}", tag = "Deliveries", operation_id = "getDelivery",
    params(("id" = String, Path, description = "Id of the delivery.", example = "dlv_0192f3c4a1b27d3e8f9a0b1c2d3e4f50")),
    responses((status = 200, description = "The delivery.", body = DetailObject)))]
pub async fn one(Path(delivery): Path<String>, caller: Caller) -> Response {
    let found = async { Ok(DetailObject::from(delivery::one(caller.ctx(), id(&delivery)?).await?)) };
    caller.answer(found.await)
}

/// A gate that a delivery passes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "DeliveryGate")]
pub struct GateObject {
    /// `tenant` `switches` `approval` `quota` `token` `rate` `sandbox` `schedule`.
    key: String,
    /// Its name for people.
    label: String,
    /// `passes`, `waits` (it will pass by itself) or `stops` (somebody has to do something).
    verdict: String,
    /// What it goes by.
    value: String,
    /// Who set it.
    set_by: Option<String>,
    /// When.
    set_at: Option<DateTime<Utc>>,
}

/// Why a delivery stands where it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "DeliveryWhy")]
pub struct WhyObject {
    /// Its id.
    delivery: String,
    /// Its state.
    state: String,
    /// The answer in a sentence.
    summary: String,
    /// When it goes out at the earliest, if it is on its way.
    goes_out_at: Option<DateTime<Utc>>,
    /// The gates in the order in which they are asked.
    gates: Vec<GateObject>,
    /// Key of the gate that decides; null where none keeps it back.
    deciding: Option<String>,
}

impl From<Why> for WhyObject {
    fn from(why: Why) -> Self {
        Self {
            delivery: why.delivery.to_string(),
            state: why.state.key().into(),
            summary: why.summary,
            goes_out_at: why.goes_out_at,
            gates: why
                .gates
                .into_iter()
                .map(|gate| GateObject {
                    key: gate.key.into(),
                    label: gate.label.into(),
                    verdict: gate.verdict.key().into(),
                    value: gate.value,
                    set_by: gate.set_by,
                    set_at: gate.set_at,
                })
                .collect(),
            deciding: why.deciding.map(str::to_owned),
        }
    }
}

/// Why a delivery has not gone out
///
/// Every gate in order, with what it goes by and who set it. Needs content:read.
#[utoipa::path(get, path = "/api/v1/deliveries/{id}/why", tag = "Deliveries", operation_id = "explainDelivery",
    params(("id" = String, Path, description = "Id of the delivery.", example = "dlv_0192f3c4a1b27d3e8f9a0b1c2d3e4f50")),
    responses((status = 200, description = "The gates.", body = WhyObject)))]
pub async fn explain(Path(delivery): Path<String>, caller: Caller) -> Response {
    let found = async { Ok(WhyObject::from(why::why(caller.ctx(), id(&delivery)?).await?)) };
    caller.answer(found.await)
}

/// A decision.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "DeliveryDecision", example = json!({ "choice": "drop", "version": 4 }))]
pub struct DecisionToMake {
    /// `send_now`, `reschedule`, `return_to_approval`, `drop` or `it_is_there`. To send what may be out says that it is not there.
    #[schema(pattern = "^(send_now|reschedule|return_to_approval|drop|it_is_there)$")]
    choice: String,
    /// The version of the delivery that was looked at.
    version: i64,
    /// Another time, to reschedule.
    #[serde(default)]
    at: Option<DateTime<Utc>>,
    /// The platform's id of the post, of what is there.
    #[serde(default)]
    #[schema(max_length = 300)]
    remote_id: Option<String>,
}

/// Decide over a delivery
///
/// Of what waits for somebody. Needs deliveries:decide.
#[utoipa::path(post, path = "/api/v1/deliveries/{id}/decide", tag = "Deliveries", operation_id = "decideDelivery",
    params(("id" = String, Path, description = "Id of the delivery.", example = "dlv_0192f3c4a1b27d3e8f9a0b1c2d3e4f50")),
    request_body = DecisionToMake,
    responses((status = 204, description = "It is decided.")))]
pub async fn decide(Path(delivery): Path<String>, write: Write<DecisionToMake>) -> Response {
    let Write { once, body } = write;
    let new = NewDecision {
        choice: body.choice,
        remote: body.remote_id.unwrap_or_default(),
        at: body.at.map(|at| at.to_rfc3339()).unwrap_or_default(),
        version: body.version.to_string(),
    };
    let outcome = async { delivery::decide(once.ctx(), id(&delivery)?, &new).await };
    let outcome = outcome.await;
    once.done(outcome).await
}
