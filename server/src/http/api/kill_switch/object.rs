//! What `/api/v1/switches`, `rtv switch … --json` and the receipt as a file say of switches, halts, receipts and senders: one object for
//! each, so that a program that reads one reads the others.

use chrono::{DateTime, Utc};
use rtv_core::Scope;
use rtv_domain::kill_switch::{
    self, Asked, Call, EngagedSwitch, Engagement, LocalFileRow, Preview, PreviewGroup, Receipt, Sender, SenderProof,
    Waiting,
};
use serde::Serialize;
use utoipa::ToSchema;

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

impl ScopeObject {
    /// Of a scope.
    pub fn of(scope: &Scope) -> Self {
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
    "reason": "wrong-account", "note": null, "ticket": null, "review_at": "2026-11-20T17:02:00Z", "held": 86, "in_flight": 0,
    "waiting": null
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
    /// A release of it that waits for a person.
    waiting: Option<WaitingObject>,
}

/// A release that waits for a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "WaitingRelease")]
pub struct WaitingObject {
    /// Id of the request, under which people approve it.
    release: String,
    /// Who asked.
    asked_by: String,
    /// When.
    asked_at: DateTime<Utc>,
    /// When it ends by itself.
    expires_at: DateTime<Utc>,
    /// Why.
    reason: String,
}

impl From<Waiting> for WaitingObject {
    fn from(one: Waiting) -> Self {
        Self {
            release: one.id.to_string(),
            asked_by: one.by,
            asked_at: one.at,
            expires_at: one.expires_at,
            reason: one.reason,
        }
    }
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
            waiting: one.waiting.map(WaitingObject::from),
        }
    }
}

/// What engaging did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Halt", example = json!({
    "id": "ks_0192f3c4a1b27d3e8f9a0b1c2d3e4f50", "halt": "halt_0192f3c4a1b27d3e8f9a0b1c2d3e4f51",
    "scope": { "tenant": "ten_0192f3c4a1b27d3e8f9a0b1c2d3e4f52", "platform": "x", "action": null, "account": null,
        "campaign": null, "everything": false },
    "epoch": 3, "was_engaged": false, "engaged_by": "dana@acme.example", "engaged_at": "2026-11-20T13:02:00Z",
    "state": null
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
    /// Where it stands, from the command that waits until it has come to rest; null from the API, which waits for nothing.
    state: Option<StateObject>,
}

impl HaltObject {
    /// Of what engaging did, and where the switch stands if that was looked at.
    pub fn of(one: Engagement, state: Option<kill_switch::State>) -> Self {
        Self {
            id: one.switch.to_string(),
            halt: one.halt.to_string(),
            scope: ScopeObject::of(&one.scope),
            epoch: one.epoch,
            was_engaged: one.was_engaged,
            engaged_by: one.by,
            engaged_at: one.at,
            state: state.map(StateObject::from),
        }
    }
}

/// What came of asking for a release, or of approving one.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(title = "Release", example = json!({
    "outcome": "waits", "release": "rel_0192f3c4a1b27d3e8f9a0b1c2d3e4f50", "expires_at": "2026-11-20T13:12:00Z", "resumed": null,
    "returned": null, "dropped": null
}))]
pub struct ReleaseObject {
    /// `waits`: a person has to approve it; or `released`.
    outcome: String,
    /// Id of the request, under which people approve it; null where it was released.
    release: Option<String>,
    /// When the request ends by itself.
    expires_at: Option<DateTime<Utc>>,
    /// Deliveries that go out after all, at once or later; null while it waits.
    resumed: Option<i64>,
    /// Deliveries that wait for approval.
    returned: Option<i64>,
    /// Deliveries that do not go out.
    dropped: Option<i64>,
}

impl From<Asked> for ReleaseObject {
    fn from(asked: Asked) -> Self {
        match asked {
            Asked::Waits { release, expires_at } => Self {
                outcome: "waits".into(),
                release: Some(release.to_string()),
                expires_at: Some(expires_at),
                ..Self::default()
            },
            Asked::Released(done) => Self {
                outcome: "released".into(),
                resumed: Some(done.resumed),
                returned: Some(done.returned),
                dropped: Some(done.dropped),
                ..Self::default()
            },
        }
    }
}

/// What is due for one account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "PreviewGroup")]
pub struct PreviewGroupObject {
    /// Name of the tenant.
    tenant: String,
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
        Self {
            tenant: one.tenant_name,
            platform: one.platform.key().into(),
            account: one.account,
            due: one.due,
            first_due_at: one.first_due_at,
        }
    }
}

/// What a halt would stop.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "HaltPreview", example = json!({
    "scope": { "tenant": "ten_0192f3c4a1b27d3e8f9a0b1c2d3e4f52", "platform": "x", "action": null, "account": null,
        "campaign": null, "everything": false },
    "name": "Acme / X", "tenants": 1, "accounts": 3, "platforms": ["x"], "due_within_a_day": 12, "in_flight": 1,
    "groups": [{ "tenant": "Acme", "platform": "x", "account": "@acme", "due": 12, "first_due_at": "2026-11-20T14:00:00Z" }]
}))]
pub struct PreviewObject {
    /// What would be halted.
    scope: ScopeObject,
    /// Its name.
    name: String,
    /// Tenants with something in it.
    tenants: i64,
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
            tenants: one.tenants,
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
pub struct ProofObject {
    /// Host and process.
    name: String,
    /// When it had acknowledged.
    acknowledged_at: Option<DateTime<Utc>>,
    /// When its lease had lapsed instead.
    lapsed_at: Option<DateTime<Utc>>,
}

impl From<SenderProof> for ProofObject {
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
    /// When.
    engaged_at: DateTime<Utc>,
    /// Whether that was staff.
    by_staff: bool,
    /// Whether that was RTV itself.
    automatic: bool,
    /// Why, from the list.
    reason: String,
    /// Why, in words.
    note: Option<String>,
    /// Where more is written.
    ticket: Option<String>,
    /// When the request to halt had arrived.
    clicked_at: DateTime<Utc>,
    /// Since when nothing that it covered has begun.
    halted_at: Option<DateTime<Utc>>,
    /// From the click to that, in milliseconds.
    click_to_halt_ms: Option<f64>,
    /// Each sender of the time.
    senders: Vec<ProofObject>,
    /// Deliveries that were held; for a tenant those of the tenant, and likewise below.
    held: i64,
    /// Deliveries that would have come due within 24 hours.
    due_within_a_day: i64,
    /// Calls that were under way, at most 1,000 of them.
    calls: Vec<CallObject>,
    /// How many there were.
    calls_in_flight: i64,
    /// When the last byte of any of them left.
    last_outbound_byte_at: Option<DateTime<Utc>>,
    /// When the receipt was complete; null: what it says still changes.
    completed_at: Option<DateTime<Utc>>,
    /// Whether the switch is engaged by this halt still.
    is_engaged: bool,
    /// When the switch was released.
    released_at: Option<DateTime<Utc>>,
    /// Who asked for that.
    released_by: Option<String>,
    /// Who approved it.
    approved_by: Option<String>,
    /// Why.
    release_reason: Option<String>,
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
            engaged_at: one.facts.at,
            by_staff: one.facts.is_staff,
            automatic: one.facts.is_automatic,
            reason: one.facts.reason.key().into(),
            note: one.facts.note,
            ticket: one.facts.ticket,
            clicked_at: one.clicked_at,
            halted_at: one.halted_at,
            click_to_halt_ms: one.click_to_halt_ms,
            senders: one.senders.into_iter().map(ProofObject::from).collect(),
            held: one.part.held,
            due_within_a_day: one.part.due_within_a_day,
            calls: one.part.calls.into_iter().map(CallObject::from).collect(),
            calls_in_flight: one.part.calls_in_flight,
            last_outbound_byte_at: one.part.last_outbound_byte_at,
            completed_at: one.completed_at,
            is_engaged: one.is_engaged,
            released_at: one.released_at,
            released_by: one.released_by,
            approved_by: one.approved_by,
            release_reason: one.release_reason,
        }
    }
}

/// A process that sends, or did within the last hour.
#[derive(Debug, Serialize)]
pub struct SenderObject {
    /// Its id.
    id: String,
    /// Host and process.
    name: String,
    /// When it began.
    started_at: DateTime<Utc>,
    /// The epoch of all kill switches that it has acknowledged.
    acknowledged_epoch: i64,
    /// When; null where nothing was flipped since it began.
    acknowledged_at: Option<DateTime<Utc>>,
    /// Until when it may send unless it renews its lease.
    lease_expires_at: DateTime<Utc>,
    /// Whether that is to come.
    is_live: bool,
    /// Calls that it has under way.
    in_flight: i64,
    /// Files that halt it.
    local_files: Vec<LocalFileObject>,
}

impl From<Sender> for SenderObject {
    fn from(one: Sender) -> Self {
        Self {
            id: one.id.to_string(),
            name: one.name,
            started_at: one.started_at,
            acknowledged_epoch: one.acknowledged_epoch,
            acknowledged_at: one.acknowledged_at,
            lease_expires_at: one.lease_expires_at,
            is_live: one.is_live,
            in_flight: one.in_flight,
            local_files: one.local_files.into_iter().map(LocalFileObject::from).collect(),
        }
    }
}

/// A file that halts a process without a database.
#[derive(Debug, Serialize)]
pub struct LocalFileObject {
    /// Its name in `halt.d`.
    name: String,
    /// What it stops; null where it cannot be read, and stops everything.
    scope: Option<ScopeObject>,
    /// Why, from the list.
    reason: Option<String>,
    /// Why, in words.
    note: Option<String>,
    /// Who wrote it.
    by: Option<String>,
    /// When.
    at: Option<DateTime<Utc>>,
    /// Why it cannot be read.
    problem: Option<String>,
}

impl From<LocalFileRow> for LocalFileObject {
    fn from(one: LocalFileRow) -> Self {
        Self {
            name: one.name,
            scope: one.scope.as_ref().map(ScopeObject::of),
            reason: one.reason,
            note: one.note,
            by: one.by,
            at: one.at,
            problem: one.problem,
        }
    }
}

/// What is halted, and who sends: what `rtv switch list --json` prints.
#[derive(Debug, Serialize)]
pub struct OverviewObject {
    /// Engaged switches.
    pub switches: Vec<SwitchObject>,
    /// Processes that send.
    pub senders: Vec<SenderObject>,
}
