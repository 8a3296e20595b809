//! Reading back: what the platform's own list says decides what came of an attempt whose outcome is not known, and confirms
//! one that was accepted. Absent is what three looks, spread over the lag that the platform declares, did not find; what
//! cannot be found out in time is put before a person.

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::capability::Limits;
use rtv_core::delivery::{Event, LOOKS_THAT_PROVE, State};
use rtv_core::fault::{self, Fault};
use rtv_core::{AccountId, Error, Platform, TenantId};
use uuid::Uuid;

use super::change::{AttemptChange, Batch, Key, Row};
use crate::access::stored;
use crate::account::SealedToken;
use crate::context::Context;
use crate::transaction::{Tx, failed};

/// What is not known by then is put before a person, a minute before people are promised to have it.
const GIVE_UP_AFTER: TimeDelta = TimeDelta::minutes(14);
/// A look that was taken and never came back is taken again then.
const LOOK_TAKES: TimeDelta = TimeDelta::seconds(20);
/// The list is read from so long before the attempt: clocks differ.
const BEFORE: TimeDelta = TimeDelta::minutes(2);
/// Between two looks of a platform that was asked already, at least.
const SHORTEST_PAUSE: TimeDelta = TimeDelta::milliseconds(200);

/// A span of time of a platform's limits.
pub(super) fn span(duration: core::time::Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::minutes(10))
}

/// Plans the looks at what may be out. `from` is when absence begins to prove something.
pub(super) fn plan_first(row: &mut Row, now: DateTime<Utc>, from: DateTime<Utc>, lag: TimeDelta) {
    row.looks_from = Some(from);
    row.looks = 0;
    row.next_look_at = Some(now + (lag / 3).clamp(SHORTEST_PAUSE, TimeDelta::seconds(1)));
}

/// When a look begins to prove something: the n-th a third of the lag after the one before.
fn proves_at(row: &Row, lag: TimeDelta) -> Option<DateTime<Utc>> {
    let third = i32::from(row.standing.absent_looks) + 1;
    Some(row.looks_from? + lag * third / i32::from(LOOKS_THAT_PROVE))
}

/// The next look: soon at first, so that what is there is found early, then ever later, and no later than it proves something.
fn plan_next(row: &mut Row, now: DateTime<Utc>, lag: TimeDelta) {
    let pause = TimeDelta::seconds(1_i64 << row.looks.clamp(0, 6));
    let proves = proves_at(row, lag).map_or(now + pause, |at| at.max(now + SHORTEST_PAUSE));
    row.next_look_at = Some(proves.min(now + pause));
}

/// A delivery that is to be looked for.
#[derive(Debug, Clone)]
pub struct Look {
    /// Which.
    pub key: Key,
    /// The attempt.
    pub attempt: i32,
    /// The account.
    pub account: AccountId,
    /// The platform.
    pub platform: Platform,
    /// The account's token, if there is one.
    pub token: Option<SealedToken>,
    /// The account of the platform that was approved.
    pub remote_account: String,
    /// From when on the list is to be read.
    pub since: DateTime<Utc>,
    /// The text as it was sent.
    pub text: String,
    /// The platform's id of the post, where it gave one.
    pub remote_id: Option<String>,
    /// SHA-256 of its text.
    text_sha256: Vec<u8>,
}

/// Takes what is to be looked for now.
pub async fn take(ctx: &Context, most: i64) -> Result<Vec<Look>, Error> {
    if fault::is(Fault::UnknownForgotten) {
        return Ok(Vec::new());
    }
    let mut tx = ctx.begin_sender().await?;
    let now = tx.now();
    let rows = sqlx::query!(
        r#"
        with taken as (
          select tenant_id, id
          from delivery
          where next_look_at <= $1
          order by next_look_at
          limit $2
          for update skip locked
        ),
        marked as (
          update delivery
          set next_look_at = $3
          from taken
          where delivery.tenant_id = taken.tenant_id and delivery.id = taken.id
          returning delivery.tenant_id, delivery.id, delivery.account_id, delivery.platform, delivery.attempt_no,
            delivery.remote_id, delivery.approved_remote_id, delivery.content_id
        )
        select
          marked.tenant_id, marked.id, marked.account_id, marked.platform, marked.attempt_no,
          marked.remote_id as post_id, marked.approved_remote_id as "approved_remote_id!",
          content.body, content.link, attempt.text_sha256, coalesce(attempt.sending_at, attempt.claimed_at) as "sending_at!",
          account_connection.sealed_token as "sealed_token?", account_connection.token_version as "token_version?",
          account_connection.remote_id as "remote_id?", account_connection.verified_at as "verified_at?",
          account_connection.verified_version as "verified_version?"
        from marked
        join content on content.tenant_id = marked.tenant_id and content.id = marked.content_id
        join attempt
          on attempt.tenant_id = marked.tenant_id and attempt.delivery_id = marked.id and attempt.attempt_no = marked.attempt_no
        left join account_connection
          on account_connection.tenant_id = marked.tenant_id and account_connection.account_id = marked.account_id
        "#,
        now,
        most,
        now + LOOK_TAKES,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.commit().await?;
    rows.into_iter()
        .map(|row| {
            let token =
                match (row.sealed_token, row.token_version, row.remote_id, row.verified_at, row.verified_version) {
                    (Some(sealed), Some(version), Some(remote_id), Some(verified_at), Some(verified_version)) => {
                        Some(SealedToken {
                            tenant: row.tenant_id.into(),
                            account: row.account_id.into(),
                            remote_id,
                            version,
                            sealed,
                            verified_at,
                            verified_version,
                        })
                    }
                    _ => None,
                };
            Ok(Look {
                key: Key { tenant: row.tenant_id.into(), delivery: row.id.into() },
                attempt: row.attempt_no,
                account: row.account_id.into(),
                platform: stored(row.platform.parse())?,
                token,
                remote_account: row.approved_remote_id,
                since: row.sending_at - BEFORE,
                text: rtv_core::capability::compose(&row.body, row.link.as_deref()),
                remote_id: row.post_id,
                text_sha256: row.text_sha256,
            })
        })
        .collect()
}

/// A post as a platform lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The platform's id of it.
    pub remote_id: String,
    /// Whose it is.
    pub author: String,
    /// SHA-256 of its text.
    pub text_sha256: Vec<u8>,
    /// When it was published.
    pub at: DateTime<Utc>,
}

/// What a platform gave for one look.
#[derive(Debug, Clone)]
pub struct Looked {
    /// What was looked for.
    pub look: Look,
    /// The list, or why it could not be read.
    pub seen: Result<Vec<Seen>, String>,
    /// When the reading began.
    pub began_at: DateTime<Utc>,
}

/// Writes what the lists say. How many are confirmed by it.
pub async fn judge(
    ctx: &Context,
    sender: rtv_core::SenderId,
    all: &[Looked],
    limits: &(dyn Fn(Platform) -> Limits + Sync),
) -> Result<usize, Error> {
    let keys: Vec<Key> = all.iter().map(|one| one.look.key).collect();
    if keys.is_empty() {
        return Ok(0);
    }
    fault::crash_here(Fault::AfterReadBack);
    let mut tx = ctx.begin_sender().await?;
    let mut batch = Batch::hold(&mut tx, &keys, format!("sender {sender}")).await?;
    let mut taken = taken(&mut tx, all).await?;
    let (mut confirmed, mut absent) = (0, 0);
    let mut outcomes: Vec<(Platform, &'static str)> = Vec::new();
    for looked in all {
        let look = &looked.look;
        let Some(place) = batch.place(look.key) else { continue };
        let row = &batch.rows[place];
        if row.standing.attempt != look.attempt || !matches!(row.standing.state, State::Unknown | State::Accepted) {
            continue;
        }
        let lag = span(limits(look.platform).read_back_lag);
        match one(&mut batch, place, look, looked, &mut taken, lag) {
            Verdict::Confirmed => {
                confirmed += 1;
                outcomes.push((look.platform, "confirmed"));
            }
            Verdict::Absent => {
                absent += 1;
                outcomes.push((look.platform, "absent"));
            }
            Verdict::Open => {}
        }
    }
    batch.write(&mut tx).await?;
    if absent > 0 {
        fault::crash_here(Fault::InAbsent);
    }
    if confirmed > 0 {
        fault::crash_here(Fault::InConfirm);
    }
    tx.commit().await?;
    if confirmed > 0 {
        fault::crash_here(Fault::AfterConfirm);
    }
    for (platform, outcome) in outcomes {
        metrics::counter!("rtv_deliveries_total", "platform" => platform.key(), "outcome" => outcome).increment(1);
    }
    Ok(confirmed)
}

enum Verdict {
    Confirmed,
    Absent,
    Open,
}

/// Posts that belong to deliveries already, as account and id.
type Taken = Vec<(TenantId, AccountId, String, Key)>;

async fn taken(tx: &mut Tx, all: &[Looked]) -> Result<Taken, Error> {
    let (mut tenants, mut accounts, mut posts) = (Vec::new(), Vec::new(), Vec::new());
    for looked in all {
        let (look, Ok(seen)) = (&looked.look, &looked.seen) else { continue };
        for post in seen {
            tenants.push(look.key.tenant.uuid());
            accounts.push(look.account.uuid());
            posts.push(post.remote_id.clone());
        }
    }
    if posts.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query!(
        r#"
        select delivery.tenant_id, delivery.account_id, delivery.remote_id as "remote_id!", delivery.id
        from delivery
        join unnest($1::uuid[], $2::uuid[], $3::text[]) as seen (tenant_id, account_id, remote_id)
          on seen.tenant_id = delivery.tenant_id
          and seen.account_id = delivery.account_id
          and seen.remote_id = delivery.remote_id
        -- Said for the planner: the index is of these alone.
        where delivery.remote_id is not null
        "#,
        &tenants as &[Uuid],
        &accounts as &[Uuid],
        &posts,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let key = Key { tenant: row.tenant_id.into(), delivery: row.id.into() };
            (row.tenant_id.into(), row.account_id.into(), row.remote_id, key)
        })
        .collect())
}

fn one(batch: &mut Batch, place: usize, look: &Look, looked: &Looked, taken: &mut Taken, lag: TimeDelta) -> Verdict {
    let now = batch.now();
    let attempt = look.attempt;
    let seen = match &looked.seen {
        Ok(seen) => seen,
        Err(why) => {
            let row = batch.change(place);
            row.looks = row.looks.saturating_add(1);
            row.tell(now, format!("The platform’s list could not be read: {why}"));
            plan_next(row, now, lag);
            return Verdict::Open;
        }
    };
    let is_free = |post: &&Seen| {
        !taken.iter().any(|(tenant, account, remote_id, key)| {
            (*tenant, *account) == (look.key.tenant, look.account) && *remote_id == post.remote_id && *key != look.key
        })
    };
    let found = match &look.remote_id {
        Some(remote_id) => seen.iter().find(|post| post.remote_id == *remote_id),
        None => seen
            .iter()
            .filter(|post| post.text_sha256 == look.text_sha256 && post.at >= look.since)
            .filter(is_free)
            .min_by_key(|post| post.at),
    };
    if let Some(post) = found {
        if post.author != look.remote_account && !fault::is(Fault::AuthorUncompared) {
            let why = format!(
                "It stands in the platform’s list as a post of {} instead of {}, under the id {}. Nothing goes out for this account until somebody has looked.",
                post.author, look.remote_account, post.remote_id
            );
            let _ = batch.apply(place, Event::Foreign { attempt }, "came out under another account", Some(why));
            return Verdict::Open;
        }
        taken.push((look.key.tenant, look.account, post.remote_id.clone(), look.key));
        let row = batch.change(place);
        row.remote_id = Some(post.remote_id.clone());
        row.published_at = Some(post.at);
        row.tell(now, "It was read back from the platform.");
        if batch.apply(place, Event::Found { attempt }, "read back", None).is_err() {
            return Verdict::Open;
        }
        let (remote_id, author) = (Some(post.remote_id.clone()), Some(post.author.clone()));
        batch.report(place, AttemptChange { remote_id, author, ..AttemptChange::default() });
        return Verdict::Confirmed;
    }
    missing(batch, place, attempt, looked.began_at, lag)
}

fn missing(batch: &mut Batch, place: usize, attempt: i32, began_at: DateTime<Utc>, lag: TimeDelta) -> Verdict {
    let now = batch.now();
    let proves = if fault::is(Fault::AbsentAtOnce) {
        LOOKS_THAT_PROVE
    } else {
        u8::from(proves_at(&batch.rows[place], lag).is_some_and(|at| began_at >= at))
    };
    let was_accepted = batch.rows[place].standing.state == State::Accepted;
    for _ in 0..proves {
        let why = if was_accepted {
            "The platform said that it has it, and its list does not show it.".to_owned()
        } else {
            format!("Look {} of {LOOKS_THAT_PROVE} did not find it.", batch.rows[place].standing.absent_looks + 1)
        };
        if batch.apply(place, Event::Missing { attempt }, "looked for and not found", Some(why)).is_err() {
            break;
        }
    }
    let row = batch.change(place);
    row.looks = row.looks.saturating_add(1);
    match row.standing.state {
        State::Unknown | State::Accepted => {
            plan_next(row, now, lag);
            Verdict::Open
        }
        State::Scheduled => {
            row.wait_reason = None;
            row.not_before = None;
            Verdict::Absent
        }
        _ => Verdict::Open,
    }
}

/// Puts before a person what could not be found out in time. How many.
pub async fn give_up(ctx: &Context) -> Result<usize, Error> {
    if fault::is(Fault::UnknownForgotten) {
        return Ok(0);
    }
    let mut tx = ctx.begin_sender().await?;
    let before = tx.now() - GIVE_UP_AFTER;
    let rows = sqlx::query!(
        r#"
        select tenant_id, id
        from delivery
        where state in ('unknown', 'accepted') and unknown_at < $1
        order by unknown_at
        limit 200
        for update skip locked
        "#,
        before
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    if rows.is_empty() {
        tx.rollback().await?;
        return Ok(0);
    }
    let keys: Vec<Key> =
        rows.into_iter().map(|row| Key { tenant: row.tenant_id.into(), delivery: row.id.into() }).collect();
    let mut batch = Batch::hold(&mut tx, &keys, "read-back").await?;
    for place in 0..batch.rows.len() {
        let attempt = batch.rows[place].standing.attempt;
        let known = batch.rows[place].outcome.clone().unwrap_or_default();
        let why = format!("What came of it could not be found out within 14 minutes. {known}");
        let _ = batch.apply(place, Event::GiveUp { attempt }, "needs a person", Some(why));
    }
    batch.write(&mut tx).await?;
    tx.commit().await?;
    Ok(keys.len())
}

#[cfg(test)]
mod tests {
    use rtv_core::delivery::Standing;

    use super::*;

    fn row(looks: i16, absent: u8) -> Row {
        let at = "2026-11-25T09:00:00Z".parse().unwrap();
        Row {
            key: Key { tenant: Uuid::from_u128(1).into(), delivery: Uuid::from_u128(2).into() },
            account: Uuid::from_u128(3).into(),
            standing: Standing {
                state: State::Unknown,
                attempt: 1,
                may_be_out: true,
                absent_looks: absent,
                hold: None,
            },
            scheduled_at: at,
            due_at: at,
            not_before: None,
            wait_reason: None,
            held_by_switch: None,
            held_at: None,
            outcome: None,
            outcome_at: None,
            remote_id: None,
            unknown_at: Some(at),
            looks_from: Some(at + TimeDelta::seconds(10)),
            looks,
            next_look_at: None,
            confirmed_at: None,
            published_at: None,
            approval: None,
            told_at: None,
            version: 1,
        }
    }

    #[test]
    fn looks_that_prove_are_spread_over_the_lag() {
        let lag = TimeDelta::seconds(600);
        let from = row(0, 0).looks_from.unwrap();
        for (absent, seconds) in [(0, 200), (1, 400), (2, 600)] {
            assert_eq!(proves_at(&row(0, absent), lag), Some(from + TimeDelta::seconds(seconds)));
        }
    }

    #[test]
    fn the_first_looks_come_soon_and_none_comes_later_than_it_proves_something() {
        let lag = TimeDelta::seconds(600);
        let mut one = row(0, 0);
        let now = one.unknown_at.unwrap();
        let mut last = now;
        for looks in 0..40 {
            one.looks = looks;
            plan_next(&mut one, last, lag);
            let next = one.next_look_at.unwrap();
            assert!(next > last && next - last <= TimeDelta::seconds(64), "{looks}");
            assert!(next <= proves_at(&one, lag).unwrap().max(last + SHORTEST_PAUSE), "{looks}");
            last = next;
        }
    }
}
