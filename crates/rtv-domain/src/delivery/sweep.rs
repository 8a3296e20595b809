//! Taking over: what a sender had claimed when it died goes back to the queue, what it was sending becomes unknown; and what is
//! too late is put before a person. A sender is dead when its lease in the database has lapsed, because then it sends
//! nothing any more; an attempt is over a little after its deadline, however alive its sender is.

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::capability::Limits;
use rtv_core::delivery::{Decision, Event, HoldReason, State};
use rtv_core::fault::{self, Fault};
use rtv_core::{AccountId, Error, Platform};

use super::GRACE;
use super::change::{Batch, Key};
use super::{look, rate};
use crate::access::stored;
use crate::context::{Context, TenantContext};
use crate::transaction::{Tx, failed};

/// So many at a time: a transaction stays short, and the next one goes on.
const MOST: i64 = 500;

/// Takes over from senders that died or are too late. How many deliveries.
pub async fn take_over(ctx: &Context, limits: &(dyn Fn(Platform) -> Limits + Sync)) -> Result<usize, Error> {
    let mut tx = ctx.begin_sender().await?;
    // One at a time is enough, and nobody waits for another's rows in another order.
    if !tx.try_lock("delivery take-over").await? {
        tx.rollback().await?;
        return Ok(0);
    }
    let keys: Vec<Key> = left_behind(&mut tx).await?.iter().map(|one| one.key).collect();
    if keys.is_empty() {
        tx.rollback().await?;
        return Ok(0);
    }
    let mut batch = Batch::hold(&mut tx, &keys, "take-over").await?;
    // Once more, now that the rows are locked: their sender may have begun in between, and with that the deadline is another.
    let rows = left_behind(&mut tx).await?;
    let now = tx.now();
    let mut taken = 0;
    for LeftBehind { key, attempt, platform, is_dead, left } in rows {
        let Some(place) = batch.place(key) else { continue };
        let whose = if is_dead { "Its sender died" } else { "Its sender gave no result in time" };
        let is_done = match batch.rows[place].standing.state {
            State::Claimed => {
                let why = format!("{whose} before it began.");
                batch.apply(place, Event::Release { attempt, hold: None }, "taken over", Some(why)).is_ok()
            }
            State::Sending if fault::is(Fault::DeadSenderToScheduled) => {
                let event = Event::NotSent { attempt, hold: None };
                batch.apply(place, event, "taken over", Some(format!("{whose}."))).is_ok()
            }
            State::Sending => {
                let why = format!("{whose} while it sent: what came of it is not known.");
                let is_done = batch.apply(place, Event::Lost { attempt }, "taken over", Some(why)).is_ok();
                if is_done {
                    let limits = limits(platform);
                    let deadline = look::span(limits.deadline);
                    let left = TimeDelta::milliseconds(milliseconds(left)) + deadline;
                    look::plan_first(batch.change(place), now, now + left, look::span(limits.read_back_lag));
                }
                is_done
            }
            _ => false,
        };
        taken += usize::from(is_done);
    }
    batch.write(&mut tx).await?;
    tx.commit().await?;
    Ok(taken)
}

/// An attempt whose sender died or is too late.
struct LeftBehind {
    key: Key,
    attempt: i32,
    platform: Platform,
    is_dead: bool,
    /// Seconds until its deadline.
    left: f64,
}

async fn left_behind(tx: &mut Tx) -> Result<Vec<LeftBehind>, Error> {
    let rows = sqlx::query!(
        r#"
        select
          attempt.tenant_id, attempt.delivery_id, attempt.attempt_no, attempt.platform,
          coalesce(sender.lease_expires_at, '-infinity') <= clock_timestamp() as "is_dead!",
          greatest(0, extract(epoch from attempt.deadline_at - clock_timestamp()))::float8 as "left!"
        from attempt
        left join sender on sender.id = attempt.sender_id
        where attempt.state in ('claimed', 'sending')
          and (
            coalesce(sender.lease_expires_at, '-infinity') <= clock_timestamp()
            or attempt.deadline_at < clock_timestamp() - interval '3 seconds'
          )
        order by attempt.tenant_id, attempt.delivery_id
        limit $1
        "#,
        MOST
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            Ok(LeftBehind {
                key: Key { tenant: row.tenant_id.into(), delivery: row.delivery_id.into() },
                attempt: row.attempt_no,
                platform: stored(row.platform.parse())?,
                is_dead: row.is_dead,
                left: row.left,
            })
        })
        .collect()
}

/// Seconds as the database gives them, at most a day of them.
#[allow(clippy::cast_possible_truncation)]
fn milliseconds(seconds: f64) -> i64 {
    (seconds.clamp(0.0, 86_400.0) * 1_000.0) as i64
}

/// Puts what is too late before a person, where something may change at all. How many.
pub async fn miss(ctx: &Context) -> Result<usize, Error> {
    if fault::is(Fault::MissedSentLate) {
        return Ok(0);
    }
    let mut tx = ctx.begin_sender().await?;
    if tx.maintenance().is_some() {
        tx.rollback().await?;
        return Ok(0);
    }
    let late = tx.now() - GRACE;
    let rows = sqlx::query!(
        r#"
        select delivery.tenant_id, delivery.id
        from delivery
        join tenant on tenant.id = delivery.tenant_id
        where delivery.state = 'scheduled' and delivery.due_at < $1 and tenant.status in ('pending', 'active')
        order by delivery.due_at
        limit $2
        for update of delivery skip locked
        "#,
        late,
        MOST
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
    let mut batch = Batch::hold(&mut tx, &keys, "schedule").await?;
    let mut missed = 0;
    for place in 0..batch.rows.len() {
        let row = &batch.rows[place];
        if row.due_at >= late {
            continue;
        }
        let why = match &row.wait_reason {
            Some(why) => format!("More than 15 minutes late. It waited: {why}"),
            None => "More than 15 minutes late.".to_owned(),
        };
        missed += usize::from(batch.apply(place, Event::Miss, "missed", Some(why)).is_ok());
    }
    batch.write(&mut tx).await?;
    tx.commit().await?;
    Ok(missed)
}

/// Removes what nobody needs any more: windows of rates that are over.
pub async fn tidy(ctx: &Context) -> Result<u64, Error> {
    let mut tx = ctx.begin_sender().await?;
    let removed = rate::sweep(&mut tx).await?;
    tx.commit().await?;
    Ok(removed)
}

/// Lets go what only waited for a token, now that the account has one. What is too late by then is missed.
pub(crate) async fn release_of_token(tx: &mut Tx, ctx: &TenantContext, account: AccountId) -> Result<(), Error> {
    let rows = sqlx::query!(
        r#"
        select tenant_id, id
        from delivery
        where account_id = $1 and state = 'held' and hold_reason = $2 and not may_be_out
        order by id
        "#,
        account.uuid(),
        HoldReason::Token.key(),
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    if rows.is_empty() {
        return Ok(());
    }
    let keys: Vec<Key> =
        rows.into_iter().map(|row| Key { tenant: row.tenant_id.into(), delivery: row.id.into() }).collect();
    let mut batch = Batch::hold(tx, &keys, ctx.context().actor().label()).await?;
    for place in 0..batch.rows.len() {
        let why = "The account was connected again.".to_owned();
        let _ = batch.apply(place, Event::Decide(Decision::Reschedule), "let go", Some(why));
    }
    batch.write(tx).await
}

/// The instant up to which something is late.
pub(super) fn late_from(due_at: DateTime<Utc>) -> DateTime<Utc> {
    due_at + GRACE
}
