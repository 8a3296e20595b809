//! `/api/v1/switches`: halting, seeing what is halted, and asking for a release. A program halts as quickly as a person; to resume
//! takes a person, so a program can ask for it and no more.

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::StatusCode;
use rtv_core::{Error, Scope, SwitchId};
use rtv_domain::kill_switch::{
    self, Asked, Call, ChoiceWords, EngagedSwitch, Engagement, PlanWords, Preview, PreviewGroup, Receipt,
    ReleaseRequest, ScopeWords, SenderProof, Side,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use super::list::{Ask, ListParams, Page, page_of};
use super::once::Write;
use crate::http::form::id;
use crate::state::AppState;

/// What a switch covers; what is null means all.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(title = "Scope", example = json!({
    "tenant": "ten_0192f3c4a1b27d3e8f9a0b1c2d3e4f52", "platform": "linkedin", "action": "publish", "account": null,
    "campaign": null, "everything": false
}))]
pub struct ScopeObject {
    /// Id of the tenant; null: the switch is the operator’s.
    tenant: Option<String>,
    /// `x`, `linkedin`, `instagram`, `facebook`, `bluesky`, `mastodon` or `sandbox`.
    platform: Option<String>,
    /// `publish`, `reply`, `message`, `react` or `delete`.
    action: Option<String>,
    /// Id of an account.
    account: Option<String>,
    /// Id of a campaign.
    campaign: Option<String>,
    /// Whether it is “global, everything”, which stops cleaning up too.
    everything: bool,
}

/// What to halt; what is left out means all.
#[derive(Debug, Default, Deserialize, ToSchema, IntoParams)]
#[schema(title = "ScopeToHalt", example = json!({ "platform": "linkedin", "action": "publish" }))]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ScopeToHalt {
    /// Slug of the key’s tenant, or nothing, which is the same.
    #[schema(max_length = 63)]
    #[param(max_length = 63)]
    #[serde(default)]
    tenant: Option<String>,
    /// `x`, `linkedin`, `instagram`, `facebook`, `bluesky`, `mastodon` or `sandbox`.
    #[serde(default)]
    platform: Option<String>,
    /// `publish`, `reply`, `message`, `react` or `delete`.
    #[serde(default)]
    action: Option<String>,
    /// Id of an account, and nothing beside it.
    #[serde(default)]
    account: Option<String>,
    /// Id of a campaign, and nothing beside it.
    #[serde(default)]
    campaign: Option<String>,
    /// “Global, everything”, which the operator alone engages.
    #[serde(default)]
    #[param(default = false)]
    everything: bool,
}

impl From<ScopeToHalt> for ScopeWords {
    fn from(words: ScopeToHalt) -> Self {
        let ScopeToHalt { tenant, platform, action, account, campaign, everything } = words;
        Self { everything, tenant, platform, action, account, campaign }
    }
}

impl ScopeObject {
    fn of(scope: &Scope) -> Self {
        let mut object = Self { tenant: scope.tenant().map(|id| id.to_string()), ..Self::default() };
        match *scope {
            Scope::Everything => object.everything = true,
            Scope::Part { platform, action, .. } => {
                object.platform = platform.map(|platform| platform.key().to_owned());
                object.action = action.map(|action| action.key().to_owned());
            }
            Scope::Account { account, .. } => object.account = Some(account.to_string()),
            Scope::Campaign { campaign, .. } => object.campaign = Some(campaign.to_string()),
            Scope::Drill => {}
        }
        object
    }
}

/// Where a switch stands. It never says more than is known.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "SwitchState")]
pub struct StateObject {
    /// `halting` until every sender has acknowledged it or may not send any more, and no call is under way; then `halted`.
    state: String,
    /// Calls under way that it covers.
    in_flight: Option<i64>,
    /// Senders that may not know of it yet.
    unaware: Option<i64>,
    /// Since when nothing that it covers has begun.
    halted_at: Option<DateTime<Utc>>,
}

impl From<kill_switch::State> for StateObject {
    fn from(state: kill_switch::State) -> Self {
        let mut object = Self { state: state.key().into(), in_flight: None, unaware: None, halted_at: None };
        match state {
            kill_switch::State::Halting { in_flight, unaware } => {
                object.in_flight = Some(in_flight);
                object.unaware = Some(unaware);
            }
            kill_switch::State::Halted { at } => object.halted_at = Some(at),
            kill_switch::State::Running | kill_switch::State::Unknown => {}
        }
        object
    }
}

/// An engaged switch.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Switch", example = json!({
    "id": "ks_0192f3c4a1b27d3e8f9a0b1c2d3e4f50", "halt": "halt_0192f3c4a1b27d3e8f9a0b1c2d3e4f51",
    "scope": { "tenant": "ten_0192f3c4a1b27d3e8f9a0b1c2d3e4f52", "platform": "x", "action": null, "account": null,
        "campaign": null, "everything": false },
    "name": "Acme / X", "epoch": 3, "state": { "state": "halted", "in_flight": null, "unaware": null, "halted_at": "2026-11-20T13:02:00.213Z" },
    "engaged_by": "dana@acme.example", "engaged_at": "2026-11-20T13:02:00Z", "by_staff": false, "automatic": false,
    "reason": "wrong-account", "note": null, "ticket": null, "review_at": "2026-11-20T17:02:00Z", "held": 86, "in_flight": 0
}))]
pub struct SwitchObject {
    /// Id of the switch.
    id: String,
    /// Id of this halt, under which its receipt is.
    halt: String,
    /// What it covers.
    scope: ScopeObject,
    /// Its name: what whoever releases it types.
    name: String,
    /// How often it was flipped.
    epoch: i64,
    /// Where it stands.
    state: StateObject,
    /// Who engaged it.
    engaged_by: String,
    /// When.
    engaged_at: DateTime<Utc>,
    /// Whether that was staff: then only staff release it.
    by_staff: bool,
    /// Whether that was RTV itself.
    automatic: bool,
    /// Why, from the list.
    reason: String,
    /// Why, in words.
    note: Option<String>,
    /// Where more is written.
    ticket: Option<String>,
    /// When somebody is reminded of it. Nothing resumes by itself.
    review_at: DateTime<Utc>,
    /// Deliveries that it holds.
    held: i64,
    /// Calls that it covers and that are under way.
    in_flight: i64,
}

impl From<EngagedSwitch> for SwitchObject {
    fn from(one: EngagedSwitch) -> Self {
        Self {
            id: one.id.to_string(),
            halt: one.halt.to_string(),
            scope: ScopeObject::of(&one.scope),
            name: one.name,
            epoch: one.epoch,
            state: one.state.into(),
            engaged_by: one.facts.by,
            engaged_at: one.facts.at,
            by_staff: one.facts.is_staff,
            automatic: one.facts.is_automatic,
            reason: one.facts.reason.key().into(),
            note: one.facts.note,
            ticket: one.facts.ticket,
            review_at: one.facts.review_at,
            held: one.held,
            in_flight: one.in_flight,
        }
    }
}

/// What engaging did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Halt", example = json!({
    "id": "ks_0192f3c4a1b27d3e8f9a0b1c2d3e4f50", "halt": "halt_0192f3c4a1b27d3e8f9a0b1c2d3e4f51",
    "scope": { "tenant": "ten_0192f3c4a1b27d3e8f9a0b1c2d3e4f52", "platform": "x", "action": null, "account": null,
        "campaign": null, "everything": false },
    "epoch": 3, "was_engaged": false, "engaged_by": "dana@acme.example", "engaged_at": "2026-11-20T13:02:00Z"
}))]
pub struct HaltObject {
    /// Id of the switch.
    id: String,
    /// Id of this halt, under which its receipt is.
    halt: String,
    /// What is halted.
    scope: ScopeObject,
    /// How often the switch was flipped.
    epoch: i64,
    /// Whether it was engaged already: then it keeps its first facts, which are those below.
    was_engaged: bool,
    /// Who engaged it.
    engaged_by: String,
    /// When.
    engaged_at: DateTime<Utc>,
}

impl From<Engagement> for HaltObject {
    fn from(one: Engagement) -> Self {
        Self {
            id: one.switch.to_string(),
            halt: one.halt.to_string(),
            scope: ScopeObject::of(&one.scope),
            epoch: one.epoch,
            was_engaged: one.was_engaged,
            engaged_by: one.by,
            engaged_at: one.at,
        }
    }
}

/// What to halt, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(title = "NewHalt", example = json!({ "scope": { "platform": "sandbox" }, "reason": "wrong-account", "note": "See INC-231" }))]
#[serde(deny_unknown_fields)]
pub struct HaltToMake {
    /// What to halt; `{}` is all of the key's tenant.
    #[serde(default)]
    scope: ScopeToHalt,
    /// `wrong-account`, `wrong-content`, `crisis`, `security`, `platform`, `client`, `maintenance`, `drill` or `other`.
    #[serde(default)]
    reason: String,
    /// Why, in words.
    #[schema(max_length = 500)]
    #[serde(default)]
    note: String,
    /// Address of a ticket.
    #[schema(max_length = 200)]
    #[serde(default)]
    ticket: String,
    /// When to be reminded: `45m`, `4h`, `2d` or a time; left out, in four hours.
    #[serde(default)]
    review_in: String,
}

/// What is to become of overdue deliveries.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[schema(title = "ResumeChoice", example = json!({ "what": "spread", "minutes": 30 }))]
#[serde(deny_unknown_fields)]
pub struct ChoiceObject {
    /// `spread`, `reschedule`, `approval` or `drop`.
    what: String,
    /// For `spread`: within how many minutes.
    #[schema(minimum = 1, maximum = 1440)]
    #[serde(default)]
    minutes: Option<u32>,
    /// For `reschedule`: when the first goes out.
    #[serde(default)]
    at: Option<DateTime<Utc>>,
}

impl ChoiceObject {
    fn words(self) -> ChoiceWords {
        ChoiceWords {
            what: self.what,
            minutes: self.minutes.map(|minutes| minutes.to_string()).unwrap_or_default(),
            at: self.at.map(|at| at.to_rfc3339()).unwrap_or_default(),
        }
    }
}

/// What becomes of the overdue deliveries of one account.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(title = "ResumeGroup")]
#[serde(deny_unknown_fields)]
pub struct GroupObject {
    /// Id of the account.
    account: String,
    /// What becomes of its overdue deliveries.
    choice: ChoiceObject,
}

/// A release that is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(title = "NewRelease", example = json!({ "name": "Acme / X", "reason": "Tokens are mended", "plan": { "what": "spread", "minutes": 30 } }))]
#[serde(deny_unknown_fields)]
pub struct ReleaseToAsk {
    /// The switch's name, as its object has it.
    name: String,
    /// Why.
    #[schema(max_length = 500)]
    reason: String,
    /// What becomes of overdue deliveries of accounts that are not named below.
    #[serde(default)]
    plan: Option<ChoiceObject>,
    /// What becomes of those of single accounts.
    #[serde(default)]
    groups: Vec<GroupObject>,
}

/// A release that waits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Release", example = json!({
    "release": "rel_0192f3c4a1b27d3e8f9a0b1c2d3e4f50", "expires_at": "2026-11-20T13:12:00Z"
}))]
pub struct ReleaseObject {
    /// Id of the request, under which people approve it; null where it was released at once.
    release: Option<String>,
    /// When the request ends by itself.
    expires_at: Option<DateTime<Utc>>,
}

/// What is due for one account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "PreviewGroup")]
pub struct PreviewGroupObject {
    /// Where.
    platform: String,
    /// Name of the account.
    account: String,
    /// How many within 24 hours.
    due: i64,
    /// When the first is due.
    first_due_at: DateTime<Utc>,
}

impl From<PreviewGroup> for PreviewGroupObject {
    fn from(one: PreviewGroup) -> Self {
        Self { platform: one.platform.key().into(), account: one.account, due: one.due, first_due_at: one.first_due_at }
    }
}

/// What a halt would stop.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "HaltPreview", example = json!({
    "scope": { "tenant": "ten_0192f3c4a1b27d3e8f9a0b1c2d3e4f52", "platform": "x", "action": null, "account": null,
        "campaign": null, "everything": false },
    "name": "Acme / X", "accounts": 3, "platforms": ["x"], "due_within_a_day": 12, "in_flight": 1,
    "groups": [{ "platform": "x", "account": "@acme", "due": 12, "first_due_at": "2026-11-20T14:00:00Z" }]
}))]
pub struct PreviewObject {
    /// What would be halted.
    scope: ScopeObject,
    /// Its name.
    name: String,
    /// Accounts that it covers.
    accounts: i64,
    /// Platforms of these.
    platforms: Vec<String>,
    /// Deliveries due within 24 hours, overdue ones with them.
    due_within_a_day: i64,
    /// Calls under way.
    in_flight: i64,
    /// Where most is due.
    groups: Vec<PreviewGroupObject>,
}

impl From<Preview> for PreviewObject {
    fn from(one: Preview) -> Self {
        Self {
            scope: ScopeObject::of(&one.scope),
            name: one.name,
            accounts: one.accounts,
            platforms: one.platforms.iter().map(|platform| platform.key().to_owned()).collect(),
            due_within_a_day: one.due_within_a_day,
            in_flight: one.in_flight,
            groups: one.groups.into_iter().map(PreviewGroupObject::from).collect(),
        }
    }
}

/// A process that sent when the switch was engaged.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "SenderProof")]
pub struct SenderObject {
    /// Host and process.
    name: String,
    /// When it had acknowledged.
    acknowledged_at: Option<DateTime<Utc>>,
    /// When its lease had lapsed instead.
    lapsed_at: Option<DateTime<Utc>>,
}

impl From<SenderProof> for SenderObject {
    fn from(one: SenderProof) -> Self {
        Self { name: one.name, acknowledged_at: one.acknowledged_at, lapsed_at: one.lapsed_at }
    }
}

/// A call that was under way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "CallInFlight")]
pub struct CallObject {
    /// The delivery.
    delivery: String,
    /// Which attempt of it.
    attempt: i32,
    /// Where.
    platform: String,
    /// Name of the account.
    account: String,
    /// When its first byte left; null where none did.
    first_byte_at: Option<DateTime<Utc>>,
    /// When its last byte left.
    last_byte_at: Option<DateTime<Utc>>,
    /// Where the attempt stood when the receipt was written.
    state: String,
    /// What came of it, in words.
    outcome: Option<String>,
    /// Whether bytes left after the flip.
    late: bool,
}

impl From<Call> for CallObject {
    fn from(one: Call) -> Self {
        Self {
            delivery: one.delivery.to_string(),
            attempt: one.attempt,
            platform: one.platform.key().into(),
            account: one.account,
            first_byte_at: one.first_byte_at,
            last_byte_at: one.last_byte_at,
            state: one.state,
            outcome: one.outcome,
            late: one.is_late,
        }
    }
}

/// The receipt of a halt.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Receipt")]
pub struct ReceiptObject {
    /// The halt.
    halt: String,
    /// The switch.
    switch: String,
    /// What it covered.
    scope: ScopeObject,
    /// Its name at that time.
    name: String,
    /// Where it stood, or stands while the receipt is not complete.
    state: StateObject,
    /// Who engaged it.
    engaged_by: String,
    /// When the request to halt had arrived.
    clicked_at: DateTime<Utc>,
    /// Since when nothing that it covered has begun.
    halted_at: Option<DateTime<Utc>>,
    /// From the click to that, in milliseconds.
    click_to_halt_ms: Option<f64>,
    /// Each sender of the time.
    senders: Vec<SenderObject>,
    /// Deliveries of the key's tenant that were held.
    held: i64,
    /// Calls of the tenant that were under way, at most 1,000 of them.
    calls: Vec<CallObject>,
    /// How many there were.
    calls_in_flight: i64,
    /// When the last byte of any of them left.
    last_outbound_byte_at: Option<DateTime<Utc>>,
    /// When the receipt was complete; null: what it says still changes.
    completed_at: Option<DateTime<Utc>>,
    /// When the switch was released.
    released_at: Option<DateTime<Utc>>,
    /// Who asked for that.
    released_by: Option<String>,
    /// Who approved it.
    approved_by: Option<String>,
}

impl From<Receipt> for ReceiptObject {
    fn from(one: Receipt) -> Self {
        Self {
            halt: one.halt.to_string(),
            switch: one.switch.to_string(),
            scope: ScopeObject::of(&one.scope),
            name: one.name,
            state: one.state.into(),
            engaged_by: one.facts.by,
            clicked_at: one.clicked_at,
            halted_at: one.halted_at,
            click_to_halt_ms: one.click_to_halt_ms,
            senders: one.senders.into_iter().map(SenderObject::from).collect(),
            held: one.part.held,
            calls: one.part.calls.into_iter().map(CallObject::from).collect(),
            calls_in_flight: one.part.calls_in_flight,
            last_outbound_byte_at: one.part.last_outbound_byte_at,
            completed_at: one.completed_at,
            released_at: one.released_at,
            released_by: one.released_by,
            approved_by: one.approved_by,
        }
    }
}

const LIST: &str = "switches";

/// What is halted
///
/// Every engaged switch that concerns the tenant, also those of the operator. Needs switches:read.
#[utoipa::path(get, path = "/api/v1/switches", tag = "Kill switches", operation_id = "listSwitches", params(ListParams),
    responses((status = 200, description = "Engaged switches.", body = Page<SwitchObject>)))]
pub async fn list(caller: Caller) -> Response {
    let page = async {
        let ask = Ask::parse(&caller, LIST)?;
        let found = kill_switch::list(Side::Tenant(caller.ctx())).await?;
        let page = page_of(&ask, LIST, found, |one| one.id.to_string());
        Ok(Page { items: page.items.into_iter().map(SwitchObject::from).collect(), next: page.next })
    };
    caller.answer(page.await)
}

/// Halt
///
/// Needs switches:engage. It holds at once; ask again for when it has come to rest. A switch that is engaged already keeps its first
/// facts.
#[utoipa::path(post, path = "/api/v1/switches", tag = "Kill switches", operation_id = "engageSwitch", request_body = HaltToMake,
    responses((status = 201, description = "The switch is engaged.", body = HaltObject)))]
pub async fn engage(write: Write<HaltToMake>) -> Response {
    let Write { once, body } = write;
    let outcome = async {
        let side = Side::Tenant(once.ctx());
        let scope = match kill_switch::find_scope(side, &body.scope.into()).await {
            Ok(scope) => scope,
            Err(error) => return Err(kill_switch::misunderstood(side, error).await),
        };
        let why =
            kill_switch::Why { reason: body.reason, note: body.note, ticket: body.ticket, review: body.review_in };
        let why_not = |error: Error| error.about("review", "review_in");
        kill_switch::engage(side, &scope, &why).await.map(HaltObject::from).map_err(why_not)
    };
    let outcome = outcome.await;
    once.answer(StatusCode::CREATED, outcome).await
}

/// See what a halt would stop
///
/// Nothing is stopped. Needs switches:read.
#[utoipa::path(get, path = "/api/v1/switches/preview", tag = "Kill switches", operation_id = "previewSwitch", params(ScopeToHalt),
    responses((status = 200, description = "What it would stop.", body = PreviewObject)))]
pub async fn preview(caller: Caller) -> Response {
    let found = async {
        let side = Side::Tenant(caller.ctx());
        let text = |name: &str| caller.parameter(name).map(str::to_owned);
        let words = ScopeWords {
            everything: caller.parameter("everything") == Some("true"),
            tenant: text("tenant"),
            platform: text("platform"),
            action: text("action"),
            account: text("account"),
            campaign: text("campaign"),
        };
        // A question about what the key cannot see is refused by its field: whether it exists elsewhere is not told.
        let unseen = || {
            let named = [("account", &words.account), ("campaign", &words.campaign)];
            let field = named.iter().find(|(_, id)| id.is_some()).map_or("tenant", |(field, _)| field);
            Error::invalid(field, "there is none of this name or id that this key can see.")
        };
        let look = async {
            let scope = kill_switch::find_scope(side, &words).await?;
            kill_switch::preview(side, &scope).await.map(PreviewObject::from)
        };
        look.await.map_err(|error| if error == Error::NotFound { unseen() } else { error })
    };
    caller.answer(found.await)
}

/// Ask for a release
///
/// Needs switches:release. A program cannot resume: the request waits ten minutes for a person, or for two where the scope takes
/// two. What the operator engaged only the operator releases.
#[utoipa::path(post, path = "/api/v1/switches/{id}/release", tag = "Kill switches", operation_id = "askRelease",
    params(("id" = String, Path, description = "Id of the switch.", example = "ks_0192f3c4a1b27d3e8f9a0b1c2d3e4f50")),
    request_body = ReleaseToAsk, responses((status = 202, description = "It waits for a person.", body = ReleaseObject)))]
pub async fn ask_release(
    State(state): State<AppState>,
    Path(switch): Path<String>,
    write: Write<ReleaseToAsk>,
) -> Response {
    let Write { once, body } = write;
    let outcome = async {
        let plan = PlanWords {
            all: body.plan.map(ChoiceObject::words).unwrap_or_default(),
            groups: body.groups.into_iter().map(|group| (group.account, group.choice.words())).collect(),
        };
        let asked = ReleaseRequest { typed: body.name, reason: body.reason, plan };
        let switch: SwitchId = id(&switch)?;
        let asked = kill_switch::ask_release(Side::Tenant(once.ctx()), switch, &asked, state.settings.ramp()).await;
        Ok(match asked.map_err(|error| error.about("typed", "name"))? {
            Asked::Waits { release, expires_at } => {
                ReleaseObject { release: Some(release.to_string()), expires_at: Some(expires_at) }
            }
            Asked::Released(_) => ReleaseObject { release: None, expires_at: None },
        })
    };
    let outcome: Result<ReleaseObject, Error> = outcome.await;
    once.answer(StatusCode::ACCEPTED, outcome).await
}

/// Read the receipt of a switch's newest halt
///
/// What was held, which calls were under way and what came of each. Needs switches:read.
#[utoipa::path(get, path = "/api/v1/switches/{id}/receipt", tag = "Kill switches", operation_id = "getReceipt",
    params(("id" = String, Path, description = "Id of the switch.", example = "ks_0192f3c4a1b27d3e8f9a0b1c2d3e4f50")),
    responses((status = 200, description = "The receipt.", body = ReceiptObject)))]
pub async fn receipt(caller: Caller, Path(switch): Path<String>) -> Response {
    let found = async {
        let side = Side::Tenant(caller.ctx());
        let halt = kill_switch::newest_halt(side, id(&switch)?).await?;
        kill_switch::receipt(side, halt).await.map(ReceiptObject::from)
    };
    caller.answer(found.await)
}
