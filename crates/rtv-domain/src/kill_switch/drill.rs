//! Practice: a switch that covers nothing is flipped, and how long it takes until every sender has acknowledged it is measured. It
//! goes the way of every other flip, so it measures the real thing and stops nothing.

use core::time::Duration;

use chrono::{DateTime, Utc};
use rtv_core::{DrillId, Error, ReasonKind, Scope};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::audit::Event;
use crate::context::{Actor, Context};
use crate::kill_switch::{OPERATOR, Side, engage};
use crate::transaction::failed;

/// One measurement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drill {
    /// Id.
    pub id: DrillId,
    /// When.
    pub at: DateTime<Utc>,
    /// Who, or RTV itself.
    pub by: String,
    /// Senders that took part.
    pub senders: i32,
    /// How many flips.
    pub rounds: i32,
    /// Half of the flips took at most so many milliseconds from click to halt.
    pub p50_ms: f64,
    /// 95 % did.
    pub p95_ms: f64,
    /// All did.
    pub most_ms: f64,
}

/// How long a flip may take; the lease of a sender that is frozen ends long before.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is looked. What is measured are the times that senders write, and not when they are seen.
const LOOK: Duration = Duration::from_millis(20);

/// How many drills are shown.
const SHOWN: i64 = 200;

/// Flips so many times and keeps what was measured. Of staff at the command line, and of RTV itself.
///
/// [`Error::Conflict`] while another drill runs, and where no process sends: then there is nothing to measure.
pub async fn drill(ctx: &Context, times: u32) -> Result<Drill, Error> {
    if !matches!(ctx.actor(), Actor::Operator(_) | Actor::System(_)) {
        return Err(Error::NotFound);
    }
    let gate = ctx.with_actor(Actor::System("drill"));
    end_forgotten(&gate).await?;
    let mut spans = Vec::new();
    let mut senders = 0;
    for _ in 0..times.max(1) {
        let engagement = engage::engage_by_automation(&gate, &Scope::Drill, ReasonKind::Drill, "").await?;
        if engagement.was_engaged {
            return Err(Error::Conflict("Another drill is under way. Try again in a moment.".into()));
        }
        let measured = measure(&gate).await;
        end(&gate).await?;
        let (span, took_part) = measured?;
        spans.push(span);
        senders = senders.max(took_part);
    }
    spans.sort_by(f64::total_cmp);
    let drill = Drill {
        id: Uuid::now_v7().into(),
        at: ctx.now(),
        by: ctx.actor().label(),
        senders,
        rounds: i32::try_from(spans.len()).map_err(|_| Error::Internal)?,
        p50_ms: percentile(&spans, 50),
        p95_ms: percentile(&spans, 95),
        most_ms: percentile(&spans, 100),
    };
    keep(&gate, &drill).await?;
    Ok(drill)
}

/// Nearest rank: the smallest that at least so many percent do not exceed. The spans are sorted.
fn percentile(spans: &[f64], percent: usize) -> f64 {
    let rank = (spans.len() * percent).div_ceil(100).max(1);
    spans.get(rank - 1).copied().unwrap_or_default()
}

/// A drill whose process died leaves its switch engaged, which stops nothing; the next drill ends it.
async fn end_forgotten(gate: &Context) -> Result<(), Error> {
    let mut tx = gate.begin_gate().await?;
    sqlx::query!(
        r#"
        update kill_switch
        set is_engaged = false, epoch = epoch + 1, recorded_epoch = epoch + 1
        where kind = 'drill' and is_engaged and clicked_at < clock_timestamp() - interval '1 minute'
        "#
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    tx.commit().await
}

/// Ends it. This is the one switch that RTV releases by itself, because it stops nothing.
async fn end(gate: &Context) -> Result<(), Error> {
    let mut tx = gate.begin_gate().await?;
    sqlx::query!(
        r#"
        update kill_switch
        set is_engaged = false, epoch = epoch + 1, recorded_epoch = epoch + 1
        where kind = 'drill' and is_engaged
        "#
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    tx.commit().await
}

/// Waits until every sender that lived at the click has acknowledged the flip or may not send any more. Milliseconds from the click,
/// and how many senders there were.
async fn measure(gate: &Context) -> Result<(f64, i32), Error> {
    let began = std::time::Instant::now();
    loop {
        let mut tx = gate.begin_gate().await?;
        let row = sqlx::query!(
            r#"
            select
              count(sender.id) as "senders!",
              count(sender.id) filter (
                where sender.lease_expires_at > clock_timestamp() and sender.acknowledged_epoch < needed.epoch
              ) as "unaware!",
              (extract(epoch from max(
                case when sender.acknowledged_epoch >= needed.epoch then sender.acknowledged_at
                else sender.lease_expires_at end
              ) - kill_switch.clicked_at) * 1000)::float8 as "span?"
            from kill_switch
            cross join lateral (select sum(each.epoch)::bigint as epoch from kill_switch as each) as needed
            left join sender on sender.lease_expires_at >= kill_switch.clicked_at
            where kill_switch.kind = 'drill'
            group by kill_switch.clicked_at
            "#
        )
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
        tx.rollback().await?;
        match (row.senders, row.unaware, row.span) {
            (0, ..) => {
                return Err(Error::Conflict(
                    "No process sends, so there is nothing to measure. Start one: rtv work.".into(),
                ));
            }
            (senders, 0, Some(span)) => {
                return Ok((span.max(0.0), i32::try_from(senders).map_err(|_| Error::Internal)?));
            }
            _ if began.elapsed() > PATIENCE => {
                return Err(Error::Unavailable(
                    "A process that sends does not acknowledge the drill within ten seconds. See: rtv switch list"
                        .into(),
                ));
            }
            _ => tokio::time::sleep(LOOK).await,
        }
    }
}

async fn keep(gate: &Context, drill: &Drill) -> Result<(), Error> {
    let mut tx = gate.begin_gate().await?;
    sqlx::query!(
        r#"
        insert into switch_drill (id, at, drilled_by, senders, rounds, p50_ms, p95_ms, most_ms)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        "#,
        drill.id.uuid(),
        drill.at,
        drill.by,
        drill.senders,
        drill.rounds,
        drill.p50_ms,
        drill.p95_ms,
        drill.most_ms,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    tx.move_to(OPERATOR).await?;
    let event = Event::new("switch.drill", "switch_drill", drill.id.to_string()).after(json!({
        "by": drill.by, "senders": drill.senders, "rounds": drill.rounds, "p50_ms": drill.p50_ms, "p95_ms": drill.p95_ms,
        "most_ms": drill.most_ms,
    }));
    tx.audit(event).await?;
    tx.commit().await
}

/// The newest drills, in the order of time.
pub async fn drills(side: Side<'_>) -> Result<Vec<Drill>, Error> {
    let mut tx = side.begin_to_look().await?;
    let rows = sqlx::query!(
        r#"
        select id, at, drilled_by, senders, rounds, p50_ms, p95_ms, most_ms
        from switch_drill
        order by at desc
        limit $1
        "#,
        SHOWN,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    let mut drills: Vec<Drill> = rows
        .into_iter()
        .map(|row| Drill {
            id: row.id.into(),
            at: row.at,
            by: row.drilled_by,
            senders: row.senders,
            rounds: row.rounds,
            p50_ms: row.p50_ms,
            p95_ms: row.p95_ms,
            most_ms: row.most_ms,
        })
        .collect();
    drills.reverse();
    Ok(drills)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_span_that_was_measured() {
        let spans: Vec<f64> = (1..=20).map(f64::from).collect();
        let check = |spans: &[f64], percent: usize, expect: f64| {
            assert!((percentile(spans, percent) - expect).abs() < f64::EPSILON, "{percent} of {spans:?}");
        };
        check(&spans, 50, 10.0);
        check(&spans, 95, 19.0);
        check(&spans, 100, 20.0);
        check(&[7.0], 50, 7.0);
        check(&[3.0, 9.0], 95, 9.0);
    }
}
