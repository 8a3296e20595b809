//! Content and deliveries: approval and what voids it, claiming under every gate, results and their fence, read-back, taking over,
//! deciding, and what becomes a post. The sender is played here, step by step, with real rows; a real one with a real
//! platform is in the server's tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use rtv_core::capability::{self, Limits, Rate};
use rtv_core::delivery::{AttemptState, HoldReason, State};
use rtv_core::{AccountId, ContentId, DeliveryId, Error, Permission, Platform, Role, Scope, SenderId};
use rtv_domain::account::{self, Networks, Profile, Trouble};
use rtv_domain::content::{self, Draft};
use rtv_domain::delivery::claim::{self, Claimed, Claiming};
use rtv_domain::delivery::look::{self, Look, Looked, Seen};
use rtv_domain::delivery::result::{self, Outcome, Reported, Stop};
use rtv_domain::delivery::why::{self, Verdict};
use rtv_domain::delivery::{self, Delivery, NewDecision, alarm, posting, sweep};
use rtv_domain::kill_switch::{self, ChoiceWords, PlanWords, Ramp, ReleaseRequest, Side, Why, record};
use rtv_domain::{Actor, Context, Tenant, TenantContext};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::world::{World, outbox, vault};

const DEADLINE: TimeDelta = TimeDelta::seconds(10);
const NO_RAMP: Ramp = Ramp { step: Duration::ZERO };

/// The platform says that a token is of the account of its name.
struct Says;

impl Networks for Says {
    fn who_am_i<'a>(&'a self, _: Platform, token: &'a SecretString) -> BoxFuture<'a, Result<Profile, Trouble>> {
        async move {
            match token.expose_secret() {
                "wrong" => Err(Trouble::Refused("no such token".into())),
                "away" => Err(Trouble::Unavailable("no answer".into())),
                name => Ok(Profile { remote_id: format!("remote-{name}"), name: name.to_owned() }),
            }
        }
        .boxed()
    }
}

fn limits(platform: Platform) -> Limits {
    Limits { per_account: None, read_back_lag: Duration::from_secs(30), ..capability::of(platform).limits }
}

struct Desk {
    world: World,
    tenant: Tenant,
    editor: TenantContext,
    account: AccountId,
    sender: SenderId,
}

impl Desk {
    async fn new() -> Self {
        let world = World::with_connections(6).await;
        let tenant = world.tenant("acme", "Europe/Berlin").await;
        let editor = world.member(&tenant, Role::Admin).await;
        let account = connect(&editor, "acme").await;
        let sender = SenderId::from(Uuid::now_v7());
        alive(&world, sender, true).await;
        Self { world, tenant, editor, account, sender }
    }

    fn now(&self) -> DateTime<Utc> {
        self.world.clock.now()
    }

    /// The worker at an instant.
    fn worker_at(&self, at: DateTime<Utc>) -> Context {
        self.world.context_at(at, Actor::System("delivery"))
    }

    fn worker(&self) -> Context {
        self.worker_at(self.now())
    }

    async fn draft(&self, text: &str, at: DateTime<Utc>) -> ContentId {
        content::create(&self.editor, &self.typed(text, at)).await.unwrap()
    }

    fn typed(&self, text: &str, at: DateTime<Utc>) -> Draft {
        Draft {
            text: text.into(),
            accounts: vec![self.account.to_string()],
            scheduled_at: at.to_rfc3339(),
            version: "1".into(),
            ..Draft::default()
        }
    }

    /// Something that is approved and due now.
    async fn scheduled(&self, text: &str) -> DeliveryId {
        self.scheduled_at(text, self.now()).await
    }

    async fn scheduled_at(&self, text: &str, at: DateTime<Utc>) -> DeliveryId {
        let id = self.draft(text, at).await;
        content::submit(&self.editor, id, "1").await.unwrap();
        content::approve(&self.editor, id, "1").await.unwrap();
        content::one(&self.editor, id).await.unwrap().destinations[0].id
    }

    async fn one(&self, id: DeliveryId) -> Delivery {
        delivery::one(&self.editor, id).await.unwrap()
    }

    async fn state(&self, id: DeliveryId) -> State {
        self.one(id).await.row.state
    }

    async fn claim(&self) -> Vec<Claimed> {
        self.claim_at(self.now()).await
    }

    async fn claim_at(&self, at: DateTime<Utc>) -> Vec<Claimed> {
        let claiming = Claiming { sender: self.sender, most: 32, epoch: 1, limits: &limits };
        claim::claim(&self.worker_at(at), claiming).await.unwrap()
    }

    async fn begin(&self, claimed: Vec<Claimed>) -> Vec<Claimed> {
        result::begin(&self.worker(), self.sender, claimed, DEADLINE).await.unwrap()
    }

    fn report(&self, one: &Claimed, outcome: Outcome) -> Reported {
        Reported {
            key: one.key,
            attempt: one.attempt,
            remote_id: one.remote_id.clone(),
            token: one.token.clone(),
            platform: one.operation.platform,
            outcome,
            first_byte_at: Some(self.now()),
            last_byte_at: Some(self.now()),
            answered_at: Some(self.now()),
            is_late: false,
        }
    }

    async fn settle(&self, one: &Claimed, outcome: Outcome) -> usize {
        result::settle(&self.worker(), self.sender, &[self.report(one, outcome)], &limits).await.unwrap()
    }

    /// Sends something, with that outcome.
    async fn sent(&self, text: &str, outcome: Outcome) -> (DeliveryId, Claimed) {
        let id = self.scheduled(text).await;
        let begun = self.begin(self.claim().await).await;
        assert_eq!(begun.len(), 1, "{:?}", self.one(id).await);
        assert_eq!(self.settle(&begun[0], outcome).await, 1);
        (id, begun.into_iter().next().unwrap())
    }

    /// A look at that instant, at a list with these posts.
    async fn look_at(&self, at: DateTime<Utc>, seen: Result<Vec<Seen>, String>) -> usize {
        let worker = self.worker_at(at);
        let looks = look::take(&worker, 100).await.unwrap();
        let count = looks.len();
        let all: Vec<Looked> =
            looks.into_iter().map(|look: Look| Looked { look, seen: seen.clone(), began_at: at }).collect();
        look::judge(&worker, self.sender, &all, &limits).await.unwrap();
        count
    }

    fn seen(remote_id: &str, text: &str) -> Seen {
        Seen {
            remote_id: remote_id.into(),
            author: "remote-acme".into(),
            text_sha256: content::text_sha256(text).to_vec(),
            // Attempts carry the database's clock, which no test moves.
            at: Utc::now(),
        }
    }
}

async fn connect(ctx: &TenantContext, name: &str) -> AccountId {
    account::connect(ctx, &vault(), &Says, Platform::Sandbox, &SecretString::from(name)).await.unwrap()
}

async fn alive(world: &World, sender: SenderId, is_alive: bool) {
    let mut tx = world.marked("gate", None, None).await;
    sqlx::query(
        "insert into sender (id, name, started_at, acknowledged_epoch, acknowledged_at, lease_expires_at)
         values ($1, 'test', clock_timestamp(), 1, clock_timestamp(), clock_timestamp() + make_interval(secs => $2))
         on conflict (id) do update set lease_expires_at = excluded.lease_expires_at",
    )
    .bind(sender.uuid())
    .bind(if is_alive { 600.0 } else { -1.0 })
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

fn accepted(remote_id: &str) -> Outcome {
    Outcome::Accepted { remote_id: remote_id.into(), author: Some("remote-acme".into()) }
}

#[tokio::test]
async fn what_is_approved_goes_out_once_is_read_back_and_becomes_a_post() {
    let desk = Desk::new().await;
    let (id, claimed) = desk.sent("Hello", accepted("p1")).await;
    assert_eq!(claimed.text, "Hello");
    assert_eq!(desk.state(id).await, State::Accepted);
    assert!(desk.claim().await.is_empty(), "it is not sent again");
    assert_eq!(desk.look_at(desk.now() + TimeDelta::seconds(2), Ok(vec![Desk::seen("p1", "Hello")])).await, 1);
    let one = desk.one(id).await;
    assert_eq!((one.row.state, one.row.remote_id.as_deref()), (State::Confirmed, Some("p1")));
    assert_eq!(one.attempts.len(), 1);
    assert_eq!(one.attempts[0].state, AttemptState::Confirmed);
    let steps: Vec<&str> = one.history.iter().rev().map(|line| line.what.as_str()).collect();
    assert_eq!(steps, ["submitted", "approved", "scheduled", "claimed", "sending", "accepted", "read back"]);
    assert_eq!(posting::post_confirmed(&desk.worker()).await.unwrap(), 1);
    assert_eq!(posting::post_confirmed(&desk.worker()).await.unwrap(), 0);
    let posts = desk.world.rows(&desk.tenant, "post").await;
    assert_eq!(posts.len(), 1);
    assert_eq!((posts[0]["external_id"].as_str(), posts[0]["import_id"].as_str()), (Some("p1"), None));
    let rolled = desk.world.rows(&desk.tenant, "kpi_daily").await;
    assert_eq!((rolled.len(), rolled[0]["posts"].as_i64()), (1, Some(1)));
}

#[tokio::test]
async fn a_sandbox_tenant_sends_to_the_sandbox_alone_and_counts_nowhere() {
    let desk = Desk::new().await;
    desk.world.execute(&desk.tenant, "update tenant set is_sandbox = true").await;
    let (id, _) = desk.sent("Hello", accepted("p1")).await;
    desk.look_at(desk.now() + TimeDelta::seconds(2), Ok(vec![Desk::seen("p1", "Hello")])).await;
    assert_eq!(desk.state(id).await, State::Confirmed);
    assert_eq!(posting::post_confirmed(&desk.worker()).await.unwrap(), 0);
    assert!(desk.world.rows(&desk.tenant, "post").await.is_empty());
    // Something for another network was approved before the mode was switched on.
    desk.world.execute(&desk.tenant, "update tenant set is_sandbox = false").await;
    let other = desk.scheduled("To X").await;
    desk.world.execute(&desk.tenant, "update delivery set platform = 'x' where state = 'scheduled'").await;
    desk.world.execute(&desk.tenant, "update tenant set is_sandbox = true").await;
    assert!(desk.claim().await.is_empty());
    assert_eq!(desk.one(other).await.row.hold, Some(HoldReason::Sandbox));
}

#[tokio::test]
async fn an_edit_voids_the_approval_and_both_versions_can_be_shown() {
    let desk = Desk::new().await;
    let id = desk.draft("First", desk.now() + TimeDelta::hours(1)).await;
    content::submit(&desk.editor, id, "1").await.unwrap();
    content::approve(&desk.editor, id, "1").await.unwrap();
    let mut typed = desk.typed("Second", desk.now() + TimeDelta::hours(1));
    content::edit(&desk.editor, id, &typed).await.unwrap();
    let after = content::one(&desk.editor, id).await.unwrap();
    assert_eq!((after.state(), after.text.as_str()), (State::InReview, "Second"));
    assert_eq!(after.approved[0].1.text, "First");
    assert!(desk.claim_at(desk.now() + TimeDelta::hours(1)).await.is_empty(), "nothing unapproved leaves");
    let stale = content::approve(&desk.editor, id, "1").await.unwrap_err();
    assert!(matches!(stale, Error::Conflict(_)), "{stale}");
    content::approve(&desk.editor, id, "2").await.unwrap();
    let claimed = desk.claim_at(desk.now() + TimeDelta::hours(1)).await;
    assert_eq!(claimed[0].text, "Second");
    typed.version = "2".into();
    let late = content::edit(&desk.editor, id, &typed).await.unwrap_err();
    assert!(matches!(&late, Error::Conflict(why) if why.contains("leaving right now")), "{late}");
}

#[tokio::test]
async fn no_edit_that_races_with_a_claim_lets_unapproved_text_leave() {
    let desk = Desk::new().await;
    for round in 0..40 {
        let text = format!("Approved {round}");
        let id = desk.draft(&text, desk.now()).await;
        content::submit(&desk.editor, id, "1").await.unwrap();
        content::approve(&desk.editor, id, "1").await.unwrap();
        let typed = desk.typed(&format!("Edited {round}"), desk.now());
        let (edited, claimed) = tokio::join!(content::edit(&desk.editor, id, &typed), desk.claim());
        match claimed.first() {
            Some(one) => {
                assert_eq!(one.text, text, "round {round}");
                assert!(edited.is_err(), "round {round}");
                desk.begin(claimed.clone()).await;
                desk.settle(&claimed[0], accepted(&format!("p{round}"))).await;
            }
            None => edited.unwrap(),
        }
    }
}

#[tokio::test]
async fn text_that_was_changed_behind_the_approval_is_held() {
    let desk = Desk::new().await;
    let id = desk.scheduled("Hello").await;
    desk.world.execute(&desk.tenant, "update content set body = 'Changed'").await;
    assert!(desk.claim().await.is_empty());
    assert_eq!(desk.one(id).await.row.hold, Some(HoldReason::Approval));
    let why = why::why(&desk.editor, id).await.unwrap();
    assert_eq!(why.deciding, Some("approval"));
}

#[tokio::test]
async fn a_switch_holds_what_is_due_and_nobody_sends_it_on_by_a_decision() {
    let desk = Desk::new().await;
    let id = desk.scheduled("Hello").await;
    let scope = Scope::Account { tenant: desk.tenant.id, account: desk.account };
    kill_switch::engage_by_automation(&desk.worker(), &scope, rtv_core::ReasonKind::Crisis, "test").await.unwrap();
    assert!(desk.claim().await.is_empty());
    let one = desk.one(id).await;
    assert_eq!((one.row.state, one.row.hold), (State::Held, Some(HoldReason::Switch)));
    assert!(one.row.held_by_switch.is_some());
    let decision =
        NewDecision { choice: "send_now".into(), version: one.row.version.to_string(), ..NewDecision::default() };
    let refused = delivery::decide(&desk.editor, id, &decision).await.unwrap_err();
    assert!(matches!(&refused, Error::Conflict(why) if why.contains("kill switch")), "{refused}");
    let why = why::why(&desk.editor, id).await.unwrap();
    assert_eq!(why.deciding, Some("switches"));
    let gate = why.gates.iter().find(|gate| gate.key == "switches").unwrap();
    assert!(gate.verdict == Verdict::Stops && gate.set_by.is_some() && gate.set_at.is_some(), "{gate:?}");
}

#[tokio::test]
async fn the_gate_that_stops_a_call_leaves_it_held_and_no_lease_leaves_it_waiting() {
    let desk = Desk::new().await;
    let switch = rtv_core::SwitchId::from(Uuid::now_v7());
    let (held, _) = desk.sent("One", Outcome::NotSent(Stop::Switch(switch))).await;
    let one = desk.one(held).await;
    assert_eq!((one.row.state, one.row.held_by_switch), (State::Held, Some(switch)));
    assert_eq!(one.attempts[0].state, AttemptState::NotSent);
    let (filed, _) = desk.sent("Two", Outcome::NotSent(Stop::LocalFile("stop.json".into()))).await;
    assert_eq!(desk.one(filed).await.row.hold, Some(HoldReason::LocalFile));
    let (waits, _) = desk.sent("Three", Outcome::NotSent(Stop::NoLease)).await;
    let one = desk.one(waits).await;
    assert_eq!(one.row.state, State::Scheduled);
    assert!(one.row.why_not_earlier.unwrap().contains("Switch state unknown"));
    assert!(desk.claim().await.is_empty(), "not before its pause is over");
    assert_eq!(desk.claim_at(desk.now() + TimeDelta::seconds(2)).await.len(), 1);
}

impl Desk {
    /// Halts the account, and resumes it with a plan for what is overdue.
    async fn halt_and_release(&self, what: &str) {
        let side = Side::Tenant(&self.editor);
        let scope = Scope::Account { tenant: self.tenant.id, account: self.account };
        let switch = kill_switch::engage(side, &scope, &Why::default()).await.unwrap().switch;
        let typed = kill_switch::list(side).await.unwrap().remove(0).name;
        let all = ChoiceWords { what: what.into(), ..ChoiceWords::default() };
        let request =
            ReleaseRequest { typed, reason: "It is over".into(), plan: PlanWords { all, groups: Vec::new() } };
        kill_switch::ask_release(side, switch, &request, NO_RAMP).await.unwrap();
        assert!(kill_switch::list(side).await.unwrap().is_empty());
    }

    /// Whether the delivery waits for the plan of the release before, and what the plan makes of it.
    async fn taken_up(&self, id: DeliveryId) -> State {
        let one = self.one(id).await;
        assert_eq!((one.row.state, one.row.hold), (State::Held, Some(HoldReason::Switch)), "{one:?}");
        assert!(one.row.held_by_switch.is_some(), "{one:?}");
        assert!(self.claim().await.is_empty(), "nobody sends it meanwhile");
        assert_eq!(record::take_up(&self.world.gate(), NO_RAMP).await.unwrap(), 1);
        self.state(id).await
    }
}

#[tokio::test]
async fn what_was_taken_before_a_halt_and_not_begun_follows_the_plan_of_its_release() {
    let desk = Desk::new().await;
    let id = desk.scheduled("One").await;
    let claimed = desk.claim().await;
    // Its sender could write nothing while the disk was full, and goes on after the release.
    desk.halt_and_release("drop").await;
    assert!(desk.begin(claimed).await.is_empty());
    assert_eq!(desk.taken_up(id).await, State::Dropped);
    // What is taken after the release goes out.
    let next = desk.scheduled("Two").await;
    assert_eq!(desk.begin(desk.claim().await).await.len(), 1);
    assert_eq!(desk.state(next).await, State::Sending);
}

#[tokio::test]
async fn what_a_dead_sender_had_taken_before_a_halt_follows_the_plan_of_its_release() {
    let desk = Desk::new().await;
    let id = desk.scheduled("One").await;
    assert_eq!(desk.claim().await.len(), 1);
    desk.halt_and_release("approval").await;
    alive(&desk.world, desk.sender, false).await;
    assert_eq!(sweep::take_over(&desk.worker(), &limits).await.unwrap(), 1);
    assert_eq!(desk.taken_up(id).await, State::InReview);
}

#[tokio::test]
async fn what_comes_back_unsent_after_a_release_follows_its_plan() {
    let desk = Desk::new().await;
    for (text, stop) in [("One", Stop::NoLease), ("Two", Stop::Unreachable("the permit is too old".into()))] {
        let id = desk.scheduled(text).await;
        let begun = desk.begin(desk.claim().await).await;
        desk.halt_and_release("drop").await;
        assert_eq!(desk.settle(&begun[0], Outcome::NotSent(stop)).await, 1);
        assert_eq!(desk.taken_up(id).await, State::Dropped);
    }
}

#[tokio::test]
async fn what_is_proven_absent_after_a_release_follows_its_plan_and_what_is_found_is_confirmed() {
    let desk = Desk::new().await;
    let (absent, _) = desk.sent("Gone", Outcome::Unknown("no answer".into())).await;
    desk.halt_and_release("drop").await;
    for seconds in [11, 30, 60, 120] {
        desk.look_at(desk.now() + TimeDelta::seconds(seconds), Ok(Vec::new())).await;
    }
    assert_eq!(desk.taken_up(absent).await, State::Dropped);
    let (there, _) = desk.sent("There", Outcome::Unknown("no answer".into())).await;
    desk.halt_and_release("drop").await;
    desk.look_at(desk.now() + TimeDelta::seconds(2), Ok(vec![Desk::seen("p1", "There")])).await;
    assert_eq!(desk.state(there).await, State::Confirmed);
}

#[tokio::test]
async fn what_was_taken_waits_for_a_switch_that_is_still_engaged() {
    let desk = Desk::new().await;
    let id = desk.scheduled("One").await;
    let claimed = desk.claim().await;
    let scope = Scope::Account { tenant: desk.tenant.id, account: desk.account };
    let engaged = kill_switch::engage(Side::Tenant(&desk.editor), &scope, &Why::default()).await.unwrap();
    assert!(desk.begin(claimed).await.is_empty());
    assert_eq!(desk.one(id).await.row.held_by_switch, Some(engaged.switch));
    assert_eq!(record::take_up(&desk.world.gate(), NO_RAMP).await.unwrap(), 0, "its switch is engaged");
}

#[tokio::test]
async fn what_surely_did_not_leave_is_tried_again_and_a_refusal_has_the_words_of_the_platform() {
    let desk = Desk::new().await;
    let (id, _) = desk.sent("One", Outcome::NotSent(Stop::Unreachable("no connection".into()))).await;
    let again = desk.claim_at(desk.now() + TimeDelta::minutes(2)).await;
    assert_eq!((again.len(), again[0].attempt), (1, 2));
    assert_eq!(desk.one(id).await.attempts.len(), 2);
    let words = Outcome::Later { after: TimeDelta::seconds(90), words: "too many".into() };
    let (limited, _) = desk.sent("Two", words).await;
    let one = desk.one(limited).await;
    assert_eq!((one.row.state, one.row.goes_out_at), (State::Scheduled, desk.now() + TimeDelta::seconds(90)));
    let refusal = Outcome::Refused { words: "no such hashtag".into(), is_token: false };
    let (refused, _) = desk.sent("Three", refusal).await;
    let one = desk.one(refused).await;
    assert_eq!((one.row.state, one.row.outcome.as_deref()), (State::Rejected, Some("no such hashtag")));
    let held = desk.scheduled_at("Five", desk.now() + TimeDelta::minutes(1)).await;
    let token = Outcome::Refused { words: "expired".into(), is_token: true };
    desk.sent("Four", token).await;
    assert!(desk.claim_at(desk.now() + TimeDelta::minutes(1)).await.is_empty());
    assert_eq!(desk.one(held).await.row.hold, Some(HoldReason::Token));
    connect(&desk.editor, "acme").await;
    assert_eq!(desk.state(held).await, State::Scheduled);
}

#[tokio::test]
async fn three_looks_over_the_lag_prove_absence_and_fewer_do_not() {
    let desk = Desk::new().await;
    let (id, _) = desk.sent("Hello", Outcome::Unknown("no answer".into())).await;
    assert_eq!(desk.state(id).await, State::Unknown);
    // Looks before the deadline of the call is over prove nothing, however many.
    for second in 1..9 {
        desk.look_at(desk.now() + TimeDelta::seconds(second), Ok(Vec::new())).await;
    }
    assert_eq!(desk.state(id).await, State::Unknown);
    assert_eq!(desk.claim_at(desk.now() + TimeDelta::seconds(9)).await.len(), 0);
    let mut proved = 0;
    for second in 10..60 {
        let at = desk.now() + TimeDelta::seconds(second);
        if desk.look_at(at, Ok(Vec::new())).await == 1 && desk.state(id).await == State::Scheduled {
            proved = second;
            break;
        }
    }
    // The deadline of ten seconds, and the lag of thirty.
    assert!((40..=45).contains(&proved), "{proved}");
    assert_eq!(desk.one(id).await.attempts[0].state, AttemptState::Absent);
    let again = desk.claim_at(desk.now() + TimeDelta::seconds(proved + 1)).await;
    assert_eq!(again[0].attempt, 2);
}

#[tokio::test]
async fn what_is_found_is_confirmed_and_a_post_of_another_delivery_is_not_taken_for_it() {
    let desk = Desk::new().await;
    let (first, _) = desk.sent("Same", accepted("p1")).await;
    desk.look_at(desk.now() + TimeDelta::seconds(1), Ok(vec![Desk::seen("p1", "Same")])).await;
    assert_eq!(desk.state(first).await, State::Confirmed);
    let (second, _) = desk.sent("Same", Outcome::Unknown("reset".into())).await;
    desk.look_at(desk.now() + TimeDelta::seconds(5), Ok(vec![Desk::seen("p1", "Same")])).await;
    assert_eq!(desk.state(second).await, State::Unknown, "p1 is the first one's");
    let both = vec![Desk::seen("p1", "Same"), Desk::seen("p2", "Same")];
    desk.look_at(desk.now() + TimeDelta::seconds(20), Ok(both)).await;
    let one = desk.one(second).await;
    assert_eq!((one.row.state, one.row.remote_id.as_deref()), (State::Confirmed, Some("p2")));
}

#[tokio::test]
async fn two_with_the_same_text_to_one_account_do_not_leave_together() {
    let desk = Desk::new().await;
    desk.scheduled("Twin").await;
    let other = desk.draft("Twin", desk.now() + TimeDelta::seconds(1)).await;
    content::submit(&desk.editor, other, "1").await.unwrap();
    content::approve(&desk.editor, other, "1").await.unwrap();
    let claimed = desk.claim_at(desk.now() + TimeDelta::seconds(1)).await;
    assert_eq!(claimed.len(), 1);
    let begun = desk.begin(claimed).await;
    desk.settle(&begun[0], accepted("p1")).await;
    assert_eq!(desk.claim_at(desk.now() + TimeDelta::seconds(5)).await.len(), 1);
}

#[tokio::test]
async fn what_nobody_can_find_out_is_before_a_person_within_fifteen_minutes() {
    let desk = Desk::new().await;
    let (id, _) = desk.sent("Hello", Outcome::Unknown("no answer".into())).await;
    for minute in 0..14 {
        desk.look_at(desk.now() + TimeDelta::minutes(minute), Err("503".into())).await;
    }
    assert_eq!(look::give_up(&desk.worker_at(desk.now() + TimeDelta::minutes(13))).await.unwrap(), 0);
    assert_eq!(look::give_up(&desk.worker_at(desk.now() + TimeDelta::seconds(14 * 60 + 1))).await.unwrap(), 1);
    let one = desk.one(id).await;
    assert_eq!(one.row.state, State::NeedsPerson);
    assert!(one.row.may_be_out);
    assert_eq!(alarm::raise(&desk.worker(), &outbox()).await.unwrap(), 1);
    assert_eq!(alarm::raise(&desk.worker(), &outbox()).await.unwrap(), 0, "people are told once");
    let decision = NewDecision {
        choice: "it_is_there".into(),
        remote: "https://sandbox.example/p9".into(),
        version: one.row.version.to_string(),
        ..NewDecision::default()
    };
    // The alarm counts as no change of the delivery.
    delivery::decide(&desk.editor, id, &decision).await.unwrap();
    assert_eq!(desk.state(id).await, State::Confirmed);
}

#[tokio::test]
async fn a_dead_sender_leaves_unknown_what_it_sent_and_gives_back_what_it_did_not_begin() {
    let desk = Desk::new().await;
    let sending = desk.scheduled("Sent").await;
    let begun = desk.begin(desk.claim().await).await;
    let claimed = desk.scheduled("Claimed").await;
    let taken = desk.claim().await;
    assert_eq!(sweep::take_over(&desk.worker(), &limits).await.unwrap(), 0, "its sender is alive");
    alive(&desk.world, desk.sender, false).await;
    assert_eq!(sweep::take_over(&desk.worker(), &limits).await.unwrap(), 2);
    assert_eq!(desk.state(sending).await, State::Unknown);
    assert_eq!(desk.state(claimed).await, State::Scheduled);
    // It was only asleep: what it reports now changes nothing, and what it claimed it cannot begin.
    assert_eq!(desk.settle(&begun[0], accepted("p1")).await, 0);
    assert!(desk.begin(taken).await.is_empty());
    assert_eq!(desk.state(sending).await, State::Unknown);
}

#[tokio::test]
async fn what_began_while_it_was_taken_over_is_looked_for_after_the_deadline_of_its_call() {
    let desk = Desk::new().await;
    let id = desk.scheduled("One").await;
    assert_eq!(desk.claim().await.len(), 1);
    alive(&desk.world, desk.sender, false).await;
    let mut begins = desk.world.marked("sender", None, None).await;
    sqlx::query("update delivery set state = 'sending', may_be_out = true where id = $1")
        .bind(id.uuid())
        .execute(&mut *begins)
        .await
        .unwrap();
    sqlx::query(
        "update attempt
         set state = 'sending', sending_at = clock_timestamp(), deadline_at = clock_timestamp() + interval '10 seconds',
           request_sha256 = text_sha256
         where delivery_id = $1",
    )
    .bind(id.uuid())
    .execute(&mut *begins)
    .await
    .unwrap();
    let worker = desk.worker();
    let takes_over = tokio::spawn(async move { sweep::take_over(&worker, &limits).await.unwrap() });
    // Long enough that it waits for the row.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!takes_over.is_finished());
    begins.commit().await.unwrap();
    assert_eq!(takes_over.await.unwrap(), 1);
    assert_eq!(desk.state(id).await, State::Unknown);
    let mut reads = desk.world.marked("sender", None, None).await;
    let from: DateTime<Utc> = sqlx::query_scalar("select looks_from from delivery where id = $1")
        .bind(id.uuid())
        .fetch_one(&mut *reads)
        .await
        .unwrap();
    // What is left of ten seconds, and another deadline of the platform's; a claim would have had thirty.
    assert!(from <= desk.now() + TimeDelta::seconds(20), "{from}");
}

#[tokio::test]
async fn another_author_holds_the_delivery_halts_the_account_and_tells_people() {
    let desk = Desk::new().await;
    let foreign = Outcome::Accepted { remote_id: "p1".into(), author: Some("remote-other".into()) };
    let (id, _) = desk.sent("Hello", foreign).await;
    let one = desk.one(id).await;
    assert_eq!((one.row.state, one.row.hold, one.row.may_be_out), (State::Held, Some(HoldReason::WrongAccount), true));
    assert_eq!(alarm::raise(&desk.worker(), &outbox()).await.unwrap(), 1);
    let next = desk.scheduled("Next").await;
    assert!(desk.claim().await.is_empty());
    assert_eq!(desk.one(next).await.row.hold, Some(HoldReason::Switch));
    let told = desk.world.audit(Some(&desk.tenant)).await;
    assert!(told.iter().any(|(action, ..)| action == "delivery.wrong_account"), "{told:?}");
    let person = desk.editor.context().actor().label();
    let (subject, text) = desk.world.mail_to(&person).await.unwrap();
    assert!(subject.contains("wrong account") && text.contains("remote-other"), "{subject} {text}");
}

#[tokio::test]
async fn an_author_that_is_read_back_wrong_holds_it_too() {
    let desk = Desk::new().await;
    let (id, _) = desk.sent("Hello", accepted("p1")).await;
    let foreign = Seen { author: "remote-other".into(), ..Desk::seen("p1", "Hello") };
    desk.look_at(desk.now() + TimeDelta::seconds(2), Ok(vec![foreign])).await;
    assert_eq!(desk.one(id).await.row.hold, Some(HoldReason::WrongAccount));
}

#[tokio::test]
async fn a_token_of_another_account_is_seen_before_anything_leaves() {
    let desk = Desk::new().await;
    let id = desk.scheduled("Hello").await;
    let claimed = desk.claim().await;
    let token = &claimed[0].token;
    assert!(token.is_verified(desk.now()) && !token.is_verified(desk.now() + TimeDelta::minutes(11)));
    let other = Profile { remote_id: "remote-other".into(), name: "other".into() };
    let problem = result::verified(&desk.worker(), token, Ok(&other)).await.unwrap().unwrap();
    let refused = [(claimed[0].clone(), result::Obstacle::WrongAccount(problem))];
    result::give_back(&desk.worker(), desk.sender, &refused).await.unwrap();
    let one = desk.one(id).await;
    assert_eq!((one.row.hold, one.row.may_be_out), (Some(HoldReason::WrongAccount), false));
    assert!(one.attempts[0].first_byte_at.is_none());
}

#[tokio::test]
async fn a_token_that_is_moved_to_another_account_does_not_open() {
    let desk = Desk::new().await;
    let other = connect(&desk.editor, "other").await;
    desk.scheduled("Hello").await;
    let mut tx = desk.world.as_tenant(&desk.tenant).await;
    sqlx::query(
        "update account_connection set sealed_token = (select sealed_token from account_connection where account_id = $1)
         where account_id = $2",
    )
    .bind(other.uuid())
    .bind(desk.account.uuid())
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let claimed = desk.claim().await;
    assert!(claimed[0].token.open(&vault()).is_err());
}

#[tokio::test]
async fn rates_are_reserved_and_the_queue_says_when_and_why() {
    let desk = Desk::new().await;
    let ids = [desk.scheduled("One").await, desk.scheduled("Two").await, desk.scheduled("Three").await];
    let two_a_minute =
        |platform| Limits { per_account: Some(Rate { count: 2, window: Duration::from_mins(1) }), ..limits(platform) };
    let claiming = Claiming { sender: desk.sender, most: 32, epoch: 1, limits: &two_a_minute };
    let claimed = claim::claim(&desk.worker(), claiming).await.unwrap();
    assert_eq!(claimed.len(), 2);
    let mut waiting = None;
    for id in ids {
        let one = desk.one(id).await;
        if one.row.state == State::Scheduled {
            let wait = one.row.goes_out_at - desk.now();
            assert!(wait >= TimeDelta::seconds(60) && wait <= TimeDelta::seconds(67), "{wait}");
            assert!(one.row.why_not_earlier.unwrap().contains("2 posts in 60 s"));
            waiting = Some(id);
        }
    }
    let why = why::why(&desk.editor, waiting.unwrap()).await.unwrap();
    assert_eq!(why.deciding, Some("rate"));
}

/// However a platform cuts its minutes, none of them gets more than it allows; and nearly all of what it allows is used.
#[tokio::test]
async fn no_span_of_a_window_gets_more_than_its_rate() {
    let desk = Desk::new().await;
    let six_a_minute =
        |platform| Limits { per_account: Some(Rate { count: 6, window: Duration::from_mins(1) }), ..limits(platform) };
    let load = |n: usize| content::Load {
        account: desk.account,
        text: format!("Post {n}"),
        link: None,
        scheduled_at: desk.now(),
        campaign: None,
    };
    content::load(&desk.editor, &(0..40).map(load).collect::<Vec<_>>()).await.unwrap();
    let mut sent: Vec<i64> = Vec::new();
    // Two at most at a time, every 700 ms, for five minutes: no part of a window begins where another does.
    for step in 0..430 {
        let at = desk.now() + TimeDelta::milliseconds(step * 700);
        let claiming = Claiming { sender: desk.sender, most: 2, epoch: 1, limits: &six_a_minute };
        let claimed = claim::claim(&desk.worker_at(at), claiming).await.unwrap();
        sent.extend(claimed.iter().map(|_| step * 700));
    }
    let most = sent.iter().map(|from| sent.iter().filter(|at| (*from..from + 60_000).contains(*at)).count()).max();
    assert_eq!(most, Some(6), "{sent:?}");
    assert!(sent.len() >= 25, "{} of 30 that are allowed in five minutes", sent.len());
}

#[tokio::test]
async fn more_than_fifteen_minutes_late_is_missed_and_a_person_decides() {
    let desk = Desk::new().await;
    let id = desk.scheduled("Hello").await;
    let late = desk.now() + TimeDelta::minutes(16);
    assert!(desk.claim_at(late).await.is_empty());
    assert_eq!(sweep::miss(&desk.worker_at(desk.now() + TimeDelta::minutes(15))).await.unwrap(), 0);
    assert_eq!(sweep::miss(&desk.worker_at(late)).await.unwrap(), 1);
    let one = desk.one(id).await;
    assert_eq!(one.row.state, State::Missed);
    let decide = |choice: &str, at: &str, version: i64| NewDecision {
        choice: choice.into(),
        at: at.into(),
        version: version.to_string(),
        ..NewDecision::default()
    };
    let viewer = desk.world.member(&desk.tenant, Role::Viewer).await;
    let refused = delivery::decide(&viewer, id, &decide("send_now", "", one.row.version)).await.unwrap_err();
    assert_eq!(refused, Error::Forbidden(Permission::DeliveriesDecide));
    let past = delivery::decide(&desk.editor, id, &decide("reschedule", "2026-11-20T09:00", one.row.version)).await;
    assert!(matches!(past, Err(Error::Invalid(_))));
    let at = "2026-11-21T18:00";
    delivery::decide(&desk.editor, id, &decide("reschedule", at, one.row.version)).await.unwrap();
    let again = delivery::decide(&desk.editor, id, &decide("drop", "", one.row.version)).await.unwrap_err();
    assert!(matches!(again, Error::Conflict(_)), "the later of two is told");
    assert_eq!(desk.one(id).await.row.due_at, "2026-11-21T17:00:00Z".parse::<DateTime<Utc>>().unwrap());
    assert_eq!(desk.claim_at("2026-11-21T17:00:00Z".parse().unwrap()).await.len(), 1);
}

#[tokio::test]
async fn nothing_leaves_a_suspended_tenant_or_during_maintenance() {
    let desk = Desk::new().await;
    let id = desk.scheduled("Hello").await;
    desk.world.execute(&desk.tenant, "update tenant set status = 'suspended', status_reason = 'r'").await;
    assert!(desk.claim().await.is_empty());
    assert_eq!(desk.state(id).await, State::Scheduled);
    desk.world.execute(&desk.tenant, "update tenant set status = 'active', status_reason = null").await;
    rtv_domain::maintenance::switch_on(&desk.world.operator(), "New disks", None).await.unwrap();
    assert!(desk.claim().await.is_empty());
    rtv_domain::maintenance::switch_off(&desk.world.operator()).await.unwrap();
    assert_eq!(desk.claim().await.len(), 1);
}

#[tokio::test]
async fn a_flood_of_one_tenant_does_not_keep_another_waiting() {
    let desk = Desk::new().await;
    let other = desk.world.tenant("other", "UTC").await;
    let editor = desk.world.member(&other, Role::Admin).await;
    let account = connect(&editor, "other").await;
    let load =
        |account, text: String, at| content::Load { account, text, link: None, scheduled_at: at, campaign: None };
    let flood: Vec<_> = (0..200).map(|n| load(desk.account, format!("Flood {n}"), desk.now())).collect();
    content::load(&desk.editor, &flood).await.unwrap();
    content::load(&editor, &[load(account, "One".into(), desk.now())]).await.unwrap();
    let claimed = desk.claim().await;
    assert!(claimed.iter().any(|one| one.text == "One"), "its turn came with the first batch");
    assert!(claimed.len() > 10);
}

#[tokio::test]
async fn two_senders_never_claim_the_same() {
    let desk = Desk::new().await;
    let load = |n: usize| content::Load {
        account: desk.account,
        text: format!("Post {n}"),
        link: None,
        scheduled_at: desk.now(),
        campaign: None,
    };
    let loaded = content::load(&desk.editor, &(0..120).map(load).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(loaded.len(), 120);
    let mut all = Vec::new();
    for _ in 0..6 {
        let (one, two, three) = tokio::join!(desk.claim(), desk.claim(), desk.claim());
        all.extend(one.into_iter().chain(two).chain(three).map(|claimed| claimed.key.delivery));
    }
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!((all.len(), count), (120, 120));
}

#[tokio::test]
async fn the_plan_counts_what_has_a_place_in_the_queue() {
    let desk = Desk::new().await;
    desk.world.execute(&desk.tenant, "update tenant set plan = 'free'").await;
    let mut tx = desk.world.marked("staff", Some(desk.tenant.id.uuid()), None).await;
    sqlx::query(
        "insert into tenant_limit (tenant_id, name, value, changed_at, changed_by) values ($1, 'posts-per-month', 2, now(), 'a')",
    )
    .bind(desk.tenant.id.uuid())
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    desk.scheduled("One").await;
    desk.scheduled("Two").await;
    let id = desk.draft("Three", desk.now()).await;
    content::submit(&desk.editor, id, "1").await.unwrap();
    let refused = content::approve(&desk.editor, id, "1").await.unwrap_err();
    assert!(matches!(&refused, Error::PlanLimit(why) if why.contains("3 posts in a month")), "{refused}");
    assert_eq!(content::one(&desk.editor, id).await.unwrap().state(), State::InReview);
}

#[tokio::test]
async fn what_is_typed_is_judged_field_by_field() {
    let desk = Desk::new().await;
    let typed = Draft { scheduled_at: "2026-11-20T09:00".into(), link: "nonsense".into(), ..Draft::default() };
    let Err(Error::Invalid(errors)) = content::create(&desk.editor, &typed).await else { panic!("it is refused") };
    let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["text", "link", "account", "scheduled_at"]);
    let long = content::create(&desk.editor, &desk.typed(&"x".repeat(501), desk.now())).await.unwrap_err();
    assert!(long.to_string().contains("Shorten it by 1"), "{long}");
    let foreign = desk.world.tenant("other", "UTC").await;
    let stranger = desk.world.member(&foreign, Role::Owner).await;
    let id = desk.draft("Hello", desk.now()).await;
    assert_eq!(content::one(&stranger, id).await.unwrap_err(), Error::NotFound);
    let viewer = desk.world.member(&desk.tenant, Role::Viewer).await;
    assert!(matches!(content::submit(&viewer, id, "1").await, Err(Error::Forbidden(_))));
    content::submit(&desk.editor, id, "1").await.unwrap();
    assert!(matches!(content::give_back(&desk.editor, id, "1", " ").await, Err(Error::Invalid(_))));
    content::give_back(&desk.editor, id, "1", "Too short").await.unwrap();
    let back = content::one(&desk.editor, id).await.unwrap();
    assert_eq!((back.state(), back.returned.unwrap().note.as_str()), (State::Draft, "Too short"));
    content::delete(&desk.editor, id, "1").await.unwrap();
    assert_eq!(content::one(&desk.editor, id).await.unwrap_err(), Error::NotFound);
}

#[tokio::test]
async fn a_connection_is_what_the_platform_says_and_goes_with_its_token() {
    let desk = Desk::new().await;
    for (token, field) in [("", "token"), ("wrong", "token")] {
        let refused =
            account::connect(&desk.editor, &vault(), &Says, Platform::Sandbox, &SecretString::from(token)).await;
        let Err(Error::Invalid(errors)) = refused else { panic!("{token}: {refused:?}") };
        assert_eq!(errors[0].field, field);
    }
    let away = account::connect(&desk.editor, &vault(), &Says, Platform::Sandbox, &SecretString::from("away")).await;
    assert!(matches!(away, Err(Error::Unavailable(_))));
    let viewer = desk.world.member(&desk.tenant, Role::Viewer).await;
    let refused = account::connect(&viewer, &vault(), &Says, Platform::Sandbox, &SecretString::from("x")).await;
    assert_eq!(refused, Err(Error::Forbidden(Permission::AccountsConnect)));
    let known = account::connections(&desk.editor).await.unwrap();
    assert_eq!((known[0].remote_id.as_str(), known[0].version), ("remote-acme", Some(1)));
    assert_eq!(account::verify(&desk.editor, &vault(), &Says, desk.account).await.unwrap(), None);
    let stale = account::disconnect(&desk.editor, desk.account, "7").await;
    assert!(matches!(stale, Err(Error::Conflict(_))));
    account::disconnect(&desk.editor, desk.account, "1").await.unwrap();
    let id = desk.draft("Hello", desk.now()).await;
    content::submit(&desk.editor, id, "1").await.unwrap();
    let refused = content::approve(&desk.editor, id, "1").await.unwrap_err();
    assert!(refused.to_string().contains("not connected"), "{refused}");
}

/// Counts the statements that are sent to the database.
struct Counter(Arc<AtomicUsize>);

impl tracing::Subscriber for Counter {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn a_batch_costs_the_same_queries_however_many_are_in_it() {
    let desk = Desk::new().await;
    let load = |n: usize| content::Load {
        account: desk.account,
        text: format!("Post {n}"),
        link: None,
        scheduled_at: desk.now(),
        campaign: None,
    };
    let count = Arc::new(AtomicUsize::new(0));
    let mut of_batches = Vec::new();
    for (batch, size) in [1, 8, 30].into_iter().enumerate() {
        let loads: Vec<_> = (0..size).map(|n| load(batch * 100 + n)).collect();
        content::load(&desk.editor, &loads).await.unwrap();
        let counting = tracing::subscriber::set_default(Counter(count.clone()));
        count.store(0, Ordering::Relaxed);
        let begun = desk.begin(desk.claim().await).await;
        assert_eq!(begun.len(), size);
        let reports: Vec<Reported> =
            begun.iter().map(|one| desk.report(one, accepted(&format!("p{}", one.text)))).collect();
        result::settle(&desk.worker(), desk.sender, &reports, &limits).await.unwrap();
        let seen: Vec<Seen> = begun.iter().map(|one| Desk::seen(&format!("p{}", one.text), &one.text)).collect();
        desk.look_at(desk.now() + TimeDelta::seconds(2), Ok(seen)).await;
        posting::post_confirmed(&desk.worker()).await.unwrap();
        of_batches.push(count.load(Ordering::Relaxed));
        drop(counting);
    }
    println!("statements for 1, 8 and 30 deliveries from claim to post: {of_batches:?}");
    assert!(of_batches[0] > 10, "nothing was counted: {of_batches:?}");
    // A connection that the pool opens in between asks something too.
    let (least, most) = (of_batches.iter().min().unwrap(), of_batches.iter().max().unwrap());
    assert!(most - least <= 3, "{of_batches:?}");
}
