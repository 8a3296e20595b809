//! Sends deliveries: claims what is due, asks whose the token is where that is not known, writes the intent, sends through the
//! gate, writes the result, reads back, takes over from senders that died, and makes posts of what was confirmed.
//!
//! It is no job of the queue: a job that was begun runs again when its worker dies, and a post that may be out must not. Each
//! of its loops goes on when the database is away, and none of them decides anything: the rules are in `rtv_domain::delivery`.

use core::time::Duration;
use std::collections::HashMap;
use std::sync::Arc;

use chrono::TimeDelta;
use futures::StreamExt as _;
use futures::stream;
use rtv_core::capability::{self, Limits, Rate};
use rtv_core::fault::{self, Fault};
use rtv_core::{AccountId, Error, Platform};
use rtv_domain::Context;
use rtv_domain::account::Profile;
use rtv_domain::delivery::claim::{self, Claimed, Claiming};
use rtv_domain::delivery::look::{self, Look, Looked, Seen};
use rtv_domain::delivery::result::{self, Obstacle, Outcome, Reported, Stop};
use rtv_domain::delivery::{alarm, posting, sweep};
use rtv_domain::kill_switch::lease::SenderIdentity;
use rtv_domain::mail::Outbox;
use rtv_domain::vault::Vault;
use rtv_outbound::boot_time::BootTime;
use rtv_outbound::gate::{Gate, Permit, Stopped};
use rtv_outbound::http::{NotSent, Sent};
use rtv_platforms::{Adapters, Addressee, Lookup, Posting, Published, ReadError, Refusal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;

/// Deliveries of one claim, at most: they share its transactions.
const BATCH: usize = 32;
/// Between two looks for something due, while nothing is.
const IDLE: Duration = Duration::from_millis(50);
/// Between two attempts while the database or the lease is away.
const AWAY: Duration = Duration::from_millis(250);
/// How long results wait for others that can be written with them.
const GATHER: Duration = Duration::from_millis(4);
/// Results of one transaction, at most.
const RESULTS: usize = 64;
/// Looks that are taken together, and how many of them are asked at the same time.
const LOOKS: i64 = 64;
const LOOKS_AT_ONCE: usize = 16;
/// Between two looks for something to look for.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Between two looks for what dead senders left.
const TAKE_OVER_EVERY: Duration = Duration::from_millis(500);
/// Turns of taking over between two of what is less urgent.
const TIDY_EVERY: u32 = 4;
/// How long a result is tried to be written. After that the row goes on saying `sending`, which becomes unknown.
const WRITE_FOR: Duration = Duration::from_secs(20);

/// How fast, and how patiently.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Sends at the same time.
    pub at_once: usize,
    /// How long an answer is waited for.
    pub deadline: Duration,
    /// How soon the sandbox network shows a post; `None`: as the table of capabilities says.
    pub sandbox_lag: Option<Duration>,
    /// Posts of one account on the sandbox network in a minute; `None`: as the table says.
    pub sandbox_rate: Option<u32>,
}

impl Pace {
    /// What limits sending to a platform and reading from it.
    pub fn limits(&self, platform: Platform) -> Limits {
        let mut limits = Limits { deadline: self.deadline, ..capability::of(platform).limits };
        if platform == Platform::Sandbox {
            if let Some(lag) = self.sandbox_lag {
                limits.read_back_lag = lag;
            }
            if let Some(count) = self.sandbox_rate {
                limits.per_account = Some(Rate { count, window: Duration::from_mins(1) });
            }
        }
        limits
    }
}

/// What sending needs.
#[derive(Clone)]
pub struct Sending {
    /// The worker.
    pub context: Context,
    /// This process, as the database and the switches know it.
    pub sender: SenderIdentity,
    /// The platforms; their client holds the gate.
    pub adapters: Adapters,
    /// Opens tokens.
    pub vault: Vault,
    /// Where people are told.
    pub outbox: Outbox,
    /// How fast.
    pub pace: Pace,
}

impl Sending {
    fn gate(&self) -> &Gate {
        self.adapters.client().gate()
    }
}

/// Sends until told to stop. What has been claimed then comes to its end first.
pub async fn keep_sending(sending: Sending, told: watch::Receiver<bool>) {
    let sending = Arc::new(sending);
    let (results, written) = mpsc::channel(RESULTS * 4);
    let writer = tokio::spawn(write_results(sending.clone(), written));
    let mut loops = JoinSet::new();
    loops.spawn(keep_looking(sending.clone(), told.clone()));
    loops.spawn(keep_taking_over(sending.clone(), told.clone()));
    loops.spawn(keep_posting(sending.clone(), told.clone()));
    keep_claiming(sending, results, told).await;
    // The last sender of results is gone when the last send has ended.
    if let Err(error) = writer.await {
        tracing::error!(%error, "the writer of results panicked");
    }
    while let Some(ended) = loops.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a part of the sender panicked");
        }
    }
}

/// Waits, or until told to stop; then true.
async fn pause(told: &mut watch::Receiver<bool>, span: Duration) -> bool {
    tokio::select! {
        _ = told.wait_for(|is_told| *is_told) => true,
        () = tokio::time::sleep(span) => false,
    }
}

/// Says once that something fails, and not at each attempt.
struct Complaint {
    what: &'static str,
    is_failing: bool,
}

impl Complaint {
    const fn new(what: &'static str) -> Self {
        Self { what, is_failing: false }
    }

    fn note<T>(&mut self, outcome: Result<T, Error>) -> Option<T> {
        match outcome {
            Ok(value) => {
                self.is_failing = false;
                Some(value)
            }
            Err(error) => {
                if !self.is_failing {
                    tracing::warn!(%error, "{}; it is tried again until it works", self.what);
                }
                self.is_failing = true;
                None
            }
        }
    }
}

type Results = mpsc::Sender<Reported>;

async fn keep_claiming(sending: Arc<Sending>, results: Results, mut told: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(sending.pace.at_once.max(1)));
    let mut complaint = Complaint::new("deliveries cannot be claimed");
    let mut batches = JoinSet::new();
    while !*told.borrow() {
        while batches.try_join_next().is_some() {}
        // Whoever cannot send does not claim: others can.
        let Some(epoch) = sending.gate().epoch().filter(|_| sending.gate().lease_left().is_some()) else {
            if pause(&mut told, IDLE).await {
                break;
            }
            continue;
        };
        let Ok(first) = places.clone().acquire_owned().await else { break };
        let mut held = vec![first];
        while held.len() < BATCH
            && let Ok(another) = places.clone().try_acquire_owned()
        {
            held.push(another);
        }
        let limits = |platform| sending.pace.limits(platform);
        let most = i64::try_from(held.len()).unwrap_or(i64::MAX);
        let claiming = Claiming { sender: sending.sender.id, most, epoch, limits: &limits };
        let span = match complaint.note(claim::claim(&sending.context, claiming).await) {
            Some(claimed) if claimed.is_empty() => IDLE,
            Some(claimed) => {
                held.truncate(claimed.len());
                batches.spawn(send_batch(sending.clone(), results.clone(), claimed, held, epoch));
                continue;
            }
            None => AWAY,
        };
        drop(held);
        if pause(&mut told, span).await {
            break;
        }
    }
    while let Some(ended) = batches.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a batch of deliveries panicked");
        }
    }
}

async fn send_batch(
    sending: Arc<Sending>,
    results: Results,
    claimed: Vec<Claimed>,
    mut places: Vec<OwnedSemaphorePermit>,
    epoch: i64,
) {
    let known = know_accounts(&sending, claimed).await;
    if fault::is(Fault::IntentAfterSend) {
        return send_then_begin(&sending, results, known, epoch).await;
    }
    // Before the intent is committed: a permit is no older than its row.
    let issued = BootTime::now();
    let deadline = TimeDelta::from_std(sending.pace.deadline).unwrap_or(TimeDelta::seconds(10));
    let begun = match result::begin(&sending.context, sending.sender.id, known, deadline).await {
        Ok(begun) => begun,
        Err(error) => {
            // Nothing was sent. What was claimed goes back when its time is over.
            tracing::warn!(%error, "the intent to send could not be written, so nothing is sent");
            return;
        }
    };
    let mut sends = JoinSet::new();
    for one in begun {
        let (sending, results, place) = (sending.clone(), results.clone(), places.pop());
        sends.spawn(async move {
            let report = send(&sending, one, epoch, issued).await;
            // Freed before the result is written: that waits for the database and for nothing of the platform's.
            drop(place);
            let _ = results.send(report).await;
        });
    }
    while sends.join_next().await.is_some() {}
}

/// The planted bug that lets bytes leave before anybody knows of it.
async fn send_then_begin(sending: &Arc<Sending>, results: Results, known: Vec<Claimed>, epoch: i64) {
    let deadline = TimeDelta::from_std(sending.pace.deadline).unwrap_or(TimeDelta::seconds(10));
    let mut reports = Vec::new();
    for one in known.clone() {
        reports.push(send(sending, one, epoch, BootTime::now()).await);
    }
    if result::begin(&sending.context, sending.sender.id, known, deadline).await.is_ok() {
        for report in reports {
            let _ = results.send(report).await;
        }
    }
}

/// Asks the platforms whose the tokens are that they were not asked about lately, each once, and gives back what must not be sent.
async fn know_accounts(sending: &Sending, claimed: Vec<Claimed>) -> Vec<Claimed> {
    if fault::is(Fault::AccountUncompared) {
        return claimed;
    }
    let now = sending.context.now();
    let mut unsure: HashMap<(AccountId, i64), Claimed> = HashMap::new();
    for one in claimed.iter().filter(|one| !one.token.is_verified(now)) {
        unsure.entry(one.token.name()).or_insert_with(|| one.clone());
    }
    let asked: HashMap<(AccountId, i64), Option<Obstacle>> = stream::iter(unsure)
        .map(|(name, one)| async move { (name, obstacle(sending, &one).await) })
        .buffer_unordered(LOOKS_AT_ONCE)
        .collect()
        .await;
    let (mut known, mut refused) = (Vec::new(), Vec::new());
    for one in claimed {
        match asked.get(&one.token.name()).cloned().flatten() {
            None => known.push(one),
            Some(obstacle) => refused.push((one, obstacle)),
        }
    }
    if let Err(error) = result::give_back(&sending.context, sending.sender.id, &refused).await {
        tracing::warn!(%error, "claims could not be given back; they go back when their time is over");
    }
    known
}

async fn obstacle(sending: &Sending, one: &Claimed) -> Option<Obstacle> {
    let platform = one.operation.platform;
    let later = |why: &str| Some(Obstacle::Later(format!("Whose the token is could not be asked: {why}")));
    let Some(adapter) = sending.adapters.of(platform) else { return later("RTV does not speak with this platform") };
    let Ok(token) = one.token.open(&sending.vault) else {
        return Some(Obstacle::Token("The stored token does not open; connect the account again.".into()));
    };
    let said = match adapter.who_am_i(&token).await {
        Ok(profile) => Ok(Profile { remote_id: profile.remote_id, name: profile.handle }),
        Err(ReadError::Unauthorized { words }) => Err(format!("{} does not take the token: {words}", platform.label())),
        Err(error @ (ReadError::Limited { .. } | ReadError::Unavailable { .. })) => return later(&error.to_string()),
    };
    match result::verified(&sending.context, &one.token, said.as_ref().map_err(String::as_str)).await {
        Ok(None) => None,
        Ok(Some(problem)) if said.is_ok() => Some(Obstacle::WrongAccount(problem)),
        Ok(Some(problem)) => Some(Obstacle::Token(problem)),
        Err(error) => later(&error.to_string()),
    }
}

async fn send(sending: &Sending, one: Claimed, epoch: i64, issued: BootTime) -> Reported {
    let platform = one.operation.platform;
    let unreachable = |why: &str| (Outcome::NotSent(Stop::Unreachable(why.to_owned())), None);
    let (outcome, sent) = match (sending.adapters.of(platform), one.token.open(&sending.vault)) {
        (None, _) => unreachable("RTV does not speak with this platform"),
        (_, Err(_)) => unreachable("the stored token does not open"),
        (Some(adapter), Ok(token)) => {
            let addressee = Addressee {
                tenant: one.operation.tenant,
                account: one.operation.account,
                remote_id: one.remote_id.clone(),
                token,
            };
            let posting = Posting {
                text: one.text.clone(),
                campaign: one.operation.campaign,
                idempotency_key: one.idempotency_key.clone(),
            };
            let permit = Permit::new(one.operation, one.attempt, epoch, issued);
            outcome_of(adapter.publish(permit, &addressee, &posting).await)
        }
    };
    if sent.is_some() {
        fault::crash_here(Fault::AfterReply);
    }
    let (now, wall) = (BootTime::now(), sending.context.now());
    let at = |moment: BootTime| moment.on_the_wall(now, wall);
    let has_answer = !matches!(outcome, Outcome::Unknown(_) | Outcome::NotSent(_));
    Reported {
        key: one.key,
        attempt: one.attempt,
        remote_id: one.remote_id,
        token: one.token,
        platform,
        outcome,
        first_byte_at: sent.map(|sent| at(sent.first_byte_at)),
        last_byte_at: sent.map(|sent| at(sent.last_byte_at)),
        answered_at: sent.filter(|_| has_answer).map(|sent| at(sent.ended_at)),
        is_late: sent.and_then(|sent| sent.late).is_some_and(|late| late.is_stopped || late.has_lapsed),
    }
}

fn outcome_of(published: Published) -> (Outcome, Option<Sent>) {
    match published {
        Published::Accepted { remote_id, author_id, sent } => {
            (Outcome::Accepted { remote_id, author: author_id }, Some(sent))
        }
        // It says that it has the same already: an attempt before may have come out, which its list tells.
        Published::Rejected { refusal: Refusal::Duplicate, words, sent, .. } => {
            (Outcome::Unknown(format!("The platform says that it has the same already: {words}")), Some(sent))
        }
        Published::Rejected { refusal, words, sent, .. } => {
            (Outcome::Refused { words, is_token: refusal == Refusal::Login }, Some(sent))
        }
        Published::Limited { retry_after, words, sent } => {
            let after = TimeDelta::from_std(retry_after).unwrap_or(TimeDelta::minutes(15));
            (Outcome::Later { after, words }, Some(sent))
        }
        Published::NotSent(why) => (Outcome::NotSent(stop_of(&why)), None),
        Published::Unknown { why, sent, .. } => (Outcome::Unknown(why), Some(sent)),
    }
}

fn stop_of(why: &NotSent) -> Stop {
    match why {
        NotSent::Stopped(Stopped::Switch { id, .. }) => Stop::Switch(*id),
        NotSent::Stopped(Stopped::LocalFile { name, .. }) => Stop::LocalFile(name.clone()),
        NotSent::Stopped(Stopped::NoLease) => Stop::NoLease,
        // A folder that cannot be read is a halt of unknown scope: nothing leaves, and it is tried again.
        NotSent::Stopped(_)
        | NotSent::Permit(_)
        | NotSent::Request(_)
        | NotSent::Resolve(_)
        | NotSent::Address(_)
        | NotSent::Connect(_)
        | NotSent::Tls(_) => Stop::Unreachable(why.to_string()),
    }
}

/// Writes results, those that come together in one transaction.
async fn write_results(sending: Arc<Sending>, mut written: mpsc::Receiver<Reported>) {
    while let Some(first) = written.recv().await {
        let mut reports = vec![first];
        let gathered = tokio::time::sleep(GATHER);
        tokio::pin!(gathered);
        while reports.len() < RESULTS {
            tokio::select! {
                report = written.recv() => match report {
                    Some(report) => reports.push(report),
                    None => break,
                },
                () = &mut gathered => break,
            }
        }
        write_some(&sending, reports).await;
    }
}

async fn write_some(sending: &Sending, mut reports: Vec<Reported>) {
    let started = BootTime::now();
    let mut complaint = Complaint::new("results cannot be written");
    let limits = |platform| sending.pace.limits(platform);
    loop {
        let outcome = result::settle(&sending.context, sending.sender.id, &reports, &limits).await;
        if complaint.note(outcome).is_some() {
            return;
        }
        if fault::is(Fault::LostResultToScheduled) {
            for report in &mut reports {
                report.outcome = Outcome::NotSent(Stop::Unreachable("the result could not be written".into()));
            }
        }
        if BootTime::now().since(started) > WRITE_FOR {
            tracing::warn!(results = reports.len(), "results are given up; what became of these is read back");
            return;
        }
        tokio::time::sleep(AWAY).await;
    }
}

async fn keep_looking(sending: Arc<Sending>, mut told: watch::Receiver<bool>) {
    let mut complaint = Complaint::new("nothing can be read back");
    loop {
        let is_more = complaint.note(look_once(&sending).await).unwrap_or(false);
        if pause(&mut told, if is_more { Duration::ZERO } else { LOOK_EVERY }).await {
            return;
        }
    }
}

/// One round of looks; whether there may be more to look for at once.
async fn look_once(sending: &Arc<Sending>) -> Result<bool, Error> {
    let looks = look::take(&sending.context, LOOKS).await?;
    if looks.is_empty() {
        return Ok(false);
    }
    let is_more = i64::try_from(looks.len()).is_ok_and(|count| count >= LOOKS);
    let looked: Vec<Looked> = stream::iter(looks)
        .map(|look| {
            let sending = sending.clone();
            async move {
                let began_at = sending.context.now();
                let seen = read_back(&sending, &look).await;
                Looked { look, seen, began_at }
            }
        })
        .buffer_unordered(LOOKS_AT_ONCE)
        .collect()
        .await;
    let limits = |platform| sending.pace.limits(platform);
    look::judge(&sending.context, sending.sender.id, &looked, &limits).await?;
    Ok(is_more)
}

async fn read_back(sending: &Sending, look: &Look) -> Result<Vec<Seen>, String> {
    let adapter = sending.adapters.of(look.platform).ok_or("RTV does not speak with this platform")?;
    let token = look.token.as_ref().ok_or("the account is not connected any more")?;
    let token = token.open(&sending.vault).map_err(|_| "the stored token does not open")?;
    let addressee =
        Addressee { tenant: look.key.tenant, account: look.account, remote_id: look.remote_account.clone(), token };
    let lookup = Lookup { remote_id: look.remote_id.as_deref(), text: &look.text, since: look.since };
    let found = adapter.read_back(&addressee, &lookup).await.map_err(|error| error.to_string())?;
    Ok(found
        .posts()
        .map(|post| Seen {
            remote_id: post.remote_id.clone(),
            author: post.author_id.clone(),
            text_sha256: rtv_domain::content::text_sha256(&post.text).to_vec(),
            at: post.at,
        })
        .collect())
}

async fn keep_taking_over(sending: Arc<Sending>, mut told: watch::Receiver<bool>) {
    let mut complaint = Complaint::new("deliveries of dead senders cannot be taken over");
    let mut alarms = Complaint::new("people cannot be told of deliveries");
    let limits = |platform| sending.pace.limits(platform);
    let mut turn = 0_u32;
    loop {
        complaint.note(sweep::take_over(&sending.context, &limits).await);
        alarms.note(alarm::raise(&sending.context, &sending.outbox).await);
        if turn.is_multiple_of(TIDY_EVERY) {
            complaint.note(sweep::miss(&sending.context).await);
            complaint.note(look::give_up(&sending.context).await);
        }
        if turn.is_multiple_of(TIDY_EVERY * 1_000) {
            complaint.note(sweep::tidy(&sending.context).await);
        }
        turn = turn.wrapping_add(1);
        if pause(&mut told, TAKE_OVER_EVERY).await {
            return;
        }
    }
}

async fn keep_posting(sending: Arc<Sending>, mut told: watch::Receiver<bool>) {
    let mut complaint = Complaint::new("posts cannot be made of deliveries");
    loop {
        complaint.note(posting::post_confirmed(&sending.context).await);
        if pause(&mut told, Duration::from_secs(1)).await {
            return;
        }
    }
}
