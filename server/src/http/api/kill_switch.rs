//! `/api/v1/switches`: halting, seeing what is halted, and asking for a release. A program halts as quickly as a person; to resume
//! takes a person, so a program can ask for it and no more.

pub mod object;

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::StatusCode;
use rtv_core::{Error, SwitchId};
use rtv_domain::kill_switch::{self, ChoiceWords, PlanWords, ReleaseRequest, ScopeWords, Side};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use self::object::{HaltObject, PreviewObject, ReceiptObject, ReleaseObject, SwitchObject};
use super::caller::Caller;
use super::list::{Ask, ListParams, Page, page_of};
use super::once::Write;
use crate::http::form::id;
use crate::state::AppState;

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
        kill_switch::engage(side, &scope, &why).await.map(|done| HaltObject::of(done, None)).map_err(why_not)
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
        asked.map(ReleaseObject::from).map_err(|error| error.about("typed", "name"))
    };
    let outcome = outcome.await;
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
