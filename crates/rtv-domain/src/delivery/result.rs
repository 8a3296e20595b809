//! What came of an attempt: the intent to send is written before the first byte, the result after the answer. Both count only
//! for the newest attempt, so what a sender reports that was thought dead changes nothing.

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::capability::Limits;
use rtv_core::delivery::{Event, HoldReason};
use rtv_core::fault::{self, Fault};
use rtv_core::{Error, Platform, SwitchId};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::change::{AttemptChange, Batch, HALTED_SINCE_CLAIM, Key, Row, halted_since_claim};
use super::claim::Claimed;
use super::look;
use crate::account::{self, Profile, SealedToken};
use crate::context::Context;
use crate::transaction::failed;

/// The longest pause before another attempt at a call that never reached the platform.
const LONGEST_PAUSE: i64 = 60;
/// The longest words of a platform that are kept, in characters.
const LONGEST_WORDS: usize = 1_000;

/// SHA-256 of what is meant to leave: the text, the account that it leaves as, and the key.
fn request_sha256(claimed: &Claimed) -> Vec<u8> {
    let mut digest = Sha256::new();
    for part in [&claimed.text, &claimed.remote_id, &claimed.idempotency_key] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().to_vec()
}

/// Writes the intent to send, and gives those that may be sent now: their row says `sending` for everybody before a byte of
/// theirs leaves. `deadline` is when an answer is no longer waited for.
pub async fn begin(
    ctx: &Context,
    sender: rtv_core::SenderId,
    claimed: Vec<Claimed>,
    deadline: TimeDelta,
) -> Result<Vec<Claimed>, Error> {
    if claimed.is_empty() {
        return Ok(claimed);
    }
    let mut tx = ctx.begin_sender().await?;
    let keys: Vec<Key> = claimed.iter().map(|one| one.key).collect();
    let mut batch = Batch::hold(&mut tx, &keys, format!("sender {sender}")).await?;
    // A claim may be older than a halt and its release, when its sender was frozen or could not write: the gate knows nothing of
    // what was engaged in between.
    let attempts: Vec<(Key, i32)> = claimed.iter().map(|one| (one.key, one.attempt)).collect();
    let halted = halted_since_claim(&mut tx, &attempts).await?;
    let mut going = Vec::with_capacity(claimed.len());
    for one in claimed {
        let Some(place) = batch.place(one.key) else { continue };
        if let Some((_, switch)) = halted.iter().find(|(key, _)| *key == one.key) {
            let event = Event::Release { attempt: one.attempt, hold: Some(HoldReason::Switch) };
            if batch.apply(place, event, "held", Some(HALTED_SINCE_CLAIM.into())).is_ok() {
                batch.change(place).held_by_switch = Some(*switch);
            }
        } else if batch.apply(place, Event::Begin { attempt: one.attempt }, "sending", None).is_ok() {
            going.push(one);
        }
    }
    batch.write(&mut tx).await?;
    let seconds = deadline.as_seconds_f64();
    sqlx::query!(
        r#"
        update attempt
        set
          sending_at = clock_timestamp(), deadline_at = clock_timestamp() + make_interval(secs => $4),
          request_sha256 = new.request_sha256
        from unnest($1::uuid[], $2::uuid[], $3::integer[], $5::bytea[])
          as new (tenant_id, delivery_id, attempt_no, request_sha256)
        where attempt.tenant_id = new.tenant_id and attempt.delivery_id = new.delivery_id and attempt.attempt_no = new.attempt_no
        "#,
        &going.iter().map(|one| one.key.tenant.uuid()).collect::<Vec<Uuid>>(),
        &going.iter().map(|one| one.key.delivery.uuid()).collect::<Vec<Uuid>>(),
        &going.iter().map(|one| one.attempt).collect::<Vec<_>>(),
        seconds,
        &going.iter().map(request_sha256).collect::<Vec<_>>(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    if !going.is_empty() {
        fault::crash_here(Fault::InIntent);
    }
    tx.commit().await?;
    if !going.is_empty() {
        fault::crash_here(Fault::AfterIntent);
    }
    Ok(going)
}

/// Why a claim did not become an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// The platform says that the token is of another account.
    WrongAccount(String),
    /// The platform does not take the token.
    Token(String),
    /// The platform did not say whose the token is, or the switches could not be read: in a moment again.
    Later(String),
}

/// Gives claims back that did not become intents.
pub async fn give_back(ctx: &Context, sender: rtv_core::SenderId, claims: &[(Claimed, Obstacle)]) -> Result<(), Error> {
    if claims.is_empty() {
        return Ok(());
    }
    let mut tx = ctx.begin_sender().await?;
    let keys: Vec<Key> = claims.iter().map(|(one, _)| one.key).collect();
    let mut batch = Batch::hold(&mut tx, &keys, format!("sender {sender}")).await?;
    let now = tx.now();
    for (one, obstacle) in claims {
        let Some(place) = batch.place(one.key) else { continue };
        let (hold, why) = match obstacle {
            Obstacle::WrongAccount(why) => (Some(HoldReason::WrongAccount), why),
            Obstacle::Token(why) => (Some(HoldReason::Token), why),
            Obstacle::Later(why) => (None, why),
        };
        let event = Event::Release { attempt: one.attempt, hold };
        if batch.apply(place, event, "given back", Some(why.clone())).is_ok() && hold.is_none() {
            let pause = pause(one.attempt);
            batch.change(place).wait(now + pause, why.clone());
        }
    }
    batch.write(&mut tx).await?;
    for (one, obstacle) in claims {
        if let Obstacle::WrongAccount(why) | Obstacle::Token(why) = obstacle {
            account::write_verdict(&mut tx, &one.token, Some(why)).await?;
        }
    }
    tx.commit().await
}

/// Keeps what the platform said of a token: `Err` says what is wrong.
pub async fn verified(
    ctx: &Context,
    token: &SealedToken,
    said: Result<&Profile, &str>,
) -> Result<Option<String>, Error> {
    let problem = match said {
        Ok(profile) => account::problem_of(token, profile),
        Err(why) => Some(why.to_owned()),
    };
    let mut tx = ctx.begin_sender().await?;
    account::write_verdict(&mut tx, token, problem.as_deref()).await?;
    tx.commit().await?;
    Ok(problem)
}

/// What stopped a call before its first byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// A kill switch.
    Switch(SwitchId),
    /// A file in the halt folder.
    LocalFile(String),
    /// The switches could not be read in time.
    NoLease,
    /// The platform could not be reached.
    Unreachable(String),
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The platform has it.
    Accepted {
        /// Its id of the post.
        remote_id: String,
        /// Under whose account, if it says.
        author: Option<String>,
    },
    /// The platform does not want it.
    Refused {
        /// Its words.
        words: String,
        /// Whether it is the token that it does not take.
        is_token: bool,
    },
    /// The platform wants it later.
    Later {
        /// In how long.
        after: TimeDelta,
        /// Its words.
        words: String,
    },
    /// Surely nothing left.
    NotSent(Stop),
    /// A byte left, and what came of it is not known.
    Unknown(String),
}

/// What a sender reports of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The delivery.
    pub key: Key,
    /// The attempt.
    pub attempt: i32,
    /// The account that was approved.
    pub remote_id: String,
    /// The token that was used.
    pub token: SealedToken,
    /// Where.
    pub platform: Platform,
    /// How it ended.
    pub outcome: Outcome,
    /// When the first byte of the request left.
    pub first_byte_at: Option<DateTime<Utc>>,
    /// When the last one did.
    pub last_byte_at: Option<DateTime<Utc>>,
    /// When the answer was there.
    pub answered_at: Option<DateTime<Utc>>,
    /// Whether a switch was engaged, or the lease ended, while bytes left.
    pub is_late: bool,
}

/// Writes results; what is not about the newest attempt, or comes after others have taken over, is left out. How many counted.
pub async fn settle(
    ctx: &Context,
    sender: rtv_core::SenderId,
    reports: &[Reported],
    limits: &(dyn Fn(Platform) -> Limits + Sync),
) -> Result<usize, Error> {
    if reports.is_empty() {
        return Ok(0);
    }
    let mut tx = ctx.begin_sender().await?;
    let keys: Vec<Key> = reports.iter().map(|report| report.key).collect();
    let mut batch = Batch::hold(&mut tx, &keys, format!("sender {sender}")).await?;
    let taken = taken(&mut tx, &batch, reports).await?;
    let mut counted = 0;
    for report in reports {
        let Some(place) = batch.place(report.key) else { continue };
        if one(&mut batch, place, report, &limits(report.platform), taken.contains(&report.key)) {
            counted += 1;
            metrics::counter!(
                "rtv_deliveries_total", "platform" => report.platform.key(), "outcome" => report.outcome.key()
            )
            .increment(1);
        }
    }
    batch.write(&mut tx).await?;
    for report in reports {
        if let Outcome::Refused { words, is_token: true } = &report.outcome {
            let why = format!("{} does not take the token: {words}", report.platform.label());
            account::write_verdict(&mut tx, &report.token, Some(&why)).await?;
        }
    }
    fault::crash_here(Fault::InResult);
    tx.commit().await?;
    fault::crash_here(Fault::AfterResult);
    Ok(counted)
}

impl Outcome {
    const fn key(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Refused { .. } => "rejected",
            Self::Later { .. } => "limited",
            Self::NotSent(Stop::Switch(_) | Stop::LocalFile(_)) => "held",
            Self::NotSent(Stop::NoLease | Stop::Unreachable(_)) => "not_sent",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// Deliveries whose answer names a post that another delivery has already.
async fn taken(tx: &mut crate::transaction::Tx, batch: &Batch, reports: &[Reported]) -> Result<Vec<Key>, Error> {
    let named: Vec<(&Reported, &str, Uuid)> = reports
        .iter()
        .filter_map(|report| match &report.outcome {
            Outcome::Accepted { remote_id, .. } => {
                let place = batch.place(report.key)?;
                Some((report, remote_id.as_str(), batch.rows[place].account.uuid()))
            }
            _ => None,
        })
        .collect();
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query!(
        r#"
        select new.tenant_id as "tenant_id!", new.delivery_id as "delivery_id!"
        from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) as new (tenant_id, delivery_id, account_id, remote_id)
        join delivery as other
          on other.tenant_id = new.tenant_id
          and other.account_id = new.account_id
          and other.remote_id = new.remote_id
          and other.id <> new.delivery_id
        -- Said for the planner: the index is of these alone.
        where other.remote_id is not null
        "#,
        &named.iter().map(|(report, _, _)| report.key.tenant.uuid()).collect::<Vec<_>>(),
        &named.iter().map(|(report, _, _)| report.key.delivery.uuid()).collect::<Vec<_>>(),
        &named.iter().map(|(_, _, account)| *account).collect::<Vec<_>>(),
        &named.iter().map(|(_, remote_id, _)| (*remote_id).to_owned()).collect::<Vec<_>>(),
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let mut taken: Vec<Key> =
        rows.into_iter().map(|row| Key { tenant: row.tenant_id.into(), delivery: row.delivery_id.into() }).collect();
    // Nor may two answers of one batch name the same post.
    for (place, (report, remote_id, account)) in named.iter().enumerate() {
        if named[..place].iter().any(|(_, other, of)| other == remote_id && of == account) {
            taken.push(report.key);
        }
    }
    Ok(taken)
}

/// Writes one result into the batch; false if it does not count.
fn one(batch: &mut Batch, place: usize, report: &Reported, limits: &Limits, is_taken: bool) -> bool {
    let attempt = report.attempt;
    let lag = look::span(limits.read_back_lag);
    let now = batch.now();
    let counts = match &report.outcome {
        Outcome::Accepted { remote_id, author } => {
            let is_foreign = author.as_ref().is_some_and(|author| *author != report.remote_id);
            if is_foreign && !fault::is(Fault::AuthorUncompared) {
                let author = author.as_deref().unwrap_or_default();
                let why = format!(
                    "It came out as {author} instead of {}, under the id {remote_id}. Nothing goes out for this account until somebody has looked.",
                    report.remote_id
                );
                batch.apply(place, Event::Foreign { attempt }, "came out under another account", Some(why)).is_ok()
            } else if batch.apply(place, Event::Accepted { attempt }, "accepted", None).is_err() {
                false
            } else if is_taken {
                let why = format!("The platform answered with {remote_id}, which is the post of another delivery.");
                batch.apply(place, Event::GiveUp { attempt }, "answer cannot be right", Some(why)).is_ok()
            } else {
                let row = batch.change(place);
                row.remote_id = Some(remote_id.clone());
                row.tell(now, "The platform has it.");
                look::plan_first(row, now, now, lag);
                if fault::is(Fault::ConfirmedUnread) {
                    let _ = batch.apply(place, Event::Found { attempt }, "confirmed", None);
                }
                true
            }
        }
        Outcome::Refused { words, .. } => {
            let words = shortened(words);
            batch.apply(place, Event::Refused { attempt }, "refused by the platform", Some(words)).is_ok()
        }
        Outcome::Later { after, words } => {
            let words = format!("The platform wants it later: {}", shortened(words));
            let is_counted = not_sent(batch, place, attempt, None, &words);
            if is_counted {
                batch.change(place).wait(now + (*after).max(TimeDelta::seconds(1)), words);
            }
            is_counted
        }
        Outcome::NotSent(stop) => stopped(batch, place, attempt, stop),
        Outcome::Unknown(words) => {
            let words = shortened(words);
            if fault::is(Fault::UnknownToScheduled) {
                not_sent(batch, place, attempt, None, &words)
            } else if batch.apply(place, Event::Lost { attempt }, "outcome unknown", Some(words)).is_ok() {
                // The platform may still be working on what was given up: no look proves anything before another deadline.
                let from = now + look::span(limits.deadline);
                look::plan_first(batch.change(place), now, from, lag);
                true
            } else {
                false
            }
        }
    };
    if counts {
        let (remote_id, author) = match &report.outcome {
            Outcome::Accepted { remote_id, author } => (Some(remote_id.clone()), author.clone()),
            _ => (None, None),
        };
        batch.report(
            place,
            AttemptChange {
                remote_id,
                author,
                first_byte_at: report.first_byte_at,
                last_byte_at: report.last_byte_at,
                answered_at: report.answered_at,
                is_late: report.is_late && !fault::is(Fault::LateEgressUnrecorded),
                ..AttemptChange::default()
            },
        );
    }
    counts
}

fn not_sent(batch: &mut Batch, place: usize, attempt: i32, hold: Option<HoldReason>, words: &str) -> bool {
    batch.apply(place, Event::NotSent { attempt, hold }, "not sent", Some(words.to_owned())).is_ok()
}

fn stopped(batch: &mut Batch, place: usize, attempt: i32, stop: &Stop) -> bool {
    let now = batch.now();
    match stop {
        Stop::Switch(id) => {
            let is_counted = not_sent(batch, place, attempt, Some(HoldReason::Switch), "A kill switch stops it.");
            if is_counted {
                batch.change(place).held_by_switch = Some(*id);
            }
            is_counted
        }
        Stop::LocalFile(name) => {
            let why = format!("The file {name} in the sender’s halt folder stops it.");
            not_sent(batch, place, attempt, Some(HoldReason::LocalFile), &why)
        }
        Stop::NoLease => {
            let why = "Switch state unknown: the sender could not read the kill switches in time, so it did not send.";
            waiting(batch, place, attempt, now + TimeDelta::seconds(1), why)
        }
        Stop::Unreachable(why) => {
            let why = format!("Nothing was sent: {}", shortened(why));
            waiting(batch, place, attempt, now + pause(attempt), &why)
        }
    }
}

fn waiting(batch: &mut Batch, place: usize, attempt: i32, until: DateTime<Utc>, why: &str) -> bool {
    let is_counted = not_sent(batch, place, attempt, None, why);
    if is_counted {
        let row: &mut Row = batch.change(place);
        row.wait(until, why);
    }
    is_counted
}

/// Longer with each attempt, and never the same for two, so that they do not come back together.
fn pause(attempt: i32) -> TimeDelta {
    let seconds = 1_i64 << attempt.clamp(0, 6);
    let most = seconds.min(LONGEST_PAUSE) * 1_000;
    TimeDelta::milliseconds(most / 2 + rand::random_range(0..=most / 2))
}

fn shortened(words: &str) -> String {
    words.chars().take(LONGEST_WORDS).collect()
}
