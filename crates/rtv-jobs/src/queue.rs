//! Every statement on the table `job`. Each function works on a transaction that its caller opened and will commit;
//! none decides when to run. The clock is the database's.

use core::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Job, JobId};

/// Channel on which workers hear that a job is due. It carries no payload.
pub(crate) const CHANNEL: &str = "rtv_job";

/// Longest stored reason of a failure, in characters.
const REASON_LENGTH: usize = 2000;

/// Why a job was not enqueued, or the queue not kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The job does not serialise.
    #[error("the payload of a job cannot be written as JSON: {0}")]
    Payload(#[from] serde_json::Error),
    /// The database refused; the surrounding transaction is void.
    #[error("the queue's table cannot be used: {0}")]
    Database(#[from] sqlx::Error),
}

/// What became of an enqueueing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// A new job.
    Added(JobId),
    /// An unfinished job with the same key exists; nothing was added.
    AlreadyWaiting,
}

/// Adds a job to the caller's transaction: it exists once that commits, and never if it is rolled back. It runs at
/// `at`, or at once.
///
/// Workers are woken only for what is due at once; what lies in the future is found by their polling. A notification
/// makes commits queue for a lock of the whole database server, so a flood of scheduled jobs must not send any.
///
/// In a tenant's transaction the job must be of that tenant, or row security refuses it.
pub async fn enqueue<J: Job>(
    connection: &mut PgConnection,
    job: &J,
    at: Option<DateTime<Utc>>,
) -> Result<Enqueued, Error> {
    let id = Uuid::now_v7();
    let added = sqlx::query!(
        r#"
        with added as (
          insert into job (id, kind, payload, tenant_id, priority, run_at, max_attempts, unique_key)
          values ($1, $2, $3, $4, $5, coalesce($6, now()), $7, $8)
          on conflict (tenant_id, kind, unique_key) where finished_at is null and unique_key is not null do nothing
          returning run_at
        )
        select case when run_at <= now() then pg_notify($9, '')::text end as woken
        from added
        "#,
        id,
        J::KIND,
        serde_json::to_value(job)?,
        job.tenant(),
        J::PRIORITY,
        at,
        i32::from(J::MAX_ATTEMPTS),
        job.unique_key(),
        CHANNEL,
    )
    .fetch_optional(connection)
    .await?;
    Ok(if added.is_some() { Enqueued::Added(id.into()) } else { Enqueued::AlreadyWaiting })
}

/// Deletes at most `limit` jobs that finished before `before`, and says how many there were. Needs a worker's
/// transaction. Keep finished jobs longer than the longest period of a recurring one: its finished occurrence is what
/// keeps a worker with a late answer from adding it again.
pub async fn remove_finished(connection: &mut PgConnection, before: DateTime<Utc>, limit: i64) -> Result<u64, Error> {
    // Materialised, because a subquery that locks may be run again for each row, and then knows no limit.
    let done = sqlx::query!(
        r#"
        with old as materialized (
          select id
          from job
          where finished_at < $1
          order by finished_at
          limit $2
          for update skip locked
        )
        delete from job
        using old
        where job.id = old.id
        "#,
        before,
        limit,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// A job that a worker holds.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) payload: serde_json::Value,
    pub(crate) tenant_id: Option<Uuid>,
    pub(crate) attempts: i32,
    pub(crate) max_attempts: i32,
    pub(crate) fence: i64,
    /// The worker whose lease lapsed, if the job was taken over.
    pub(crate) lost_by: Option<String>,
}

/// Claims up to `limit` due jobs of these kinds for `worker`.
///
/// The lanes (tenants) are found by hopping through the index, one probe a lane, so that a long line of one tenant
/// costs nothing. The lanes with the fewest running jobs are looked into; a job's turn is its place in its lane plus
/// what that lane has running, and the lowest turns go first. A few more are looked at than are wanted, since other
/// workers may be claiming the same ones just now; those are skipped, not waited for.
#[expect(clippy::too_many_lines, reason = "it is one statement")]
pub(crate) async fn claim(
    connection: &mut PgConnection,
    worker: &str,
    kinds: &[String],
    limit: usize,
    lease: Duration,
) -> Result<Vec<Claimed>, sqlx::Error> {
    let limit = i32::try_from(limit).unwrap_or(10_000).min(10_000);
    // Left alone, the planner reads a whole lane by bitmap and sorts it, instead of reading its first entries from the
    // index, which has them in order. With 80,000 unfinished jobs in 500 lanes this made 76 ms of 7.
    sqlx::query_scalar!(r#"select set_config('enable_bitmapscan', 'off', true) as "is_off!""#)
        .fetch_one(&mut *connection)
        .await?;
    sqlx::query_as!(
        Claimed,
        r#"
        with recursive lane as (
          (
            select job.lane as id
            from job
            where finished_at is null
            order by job.lane
            limit 1
          )
          union all
          select (
            select job.lane
            from job
            where finished_at is null
              and job.lane > lane.id
            order by job.lane
            limit 1
          )
          from lane
          where lane.id is not null
        ),
        running as (
          select job.lane as lane_id, count(*) as jobs
          from job
          where lease_expires_at > now()
          group by job.lane
        ),
        line as materialized (
          select lane.id, coalesce(running.jobs, 0) as running
          from lane
          left join running on running.lane_id = lane.id
          cross join lateral (
            select job.priority, job.run_at
            from job
            where job.finished_at is null
              and job.lane = lane.id
              and job.run_at <= now()
              and (job.lease_expires_at is null or job.lease_expires_at <= now())
              and job.attempts < job.max_attempts
              and job.kind = any($2)
            order by job.priority, job.run_at, job.id
            limit 1
          ) as first
          where lane.id is not null
          order by running, first.priority, first.run_at
          limit $3 * 4 + 16
        ),
        candidate as materialized (
          select
            waiting.id,
            waiting.priority,
            waiting.run_at,
            line.running + row_number() over (
              partition by line.id
              order by waiting.priority, waiting.run_at, waiting.id
            ) as turn
          from line
          cross join lateral (
            select job.id, job.priority, job.run_at
            from job
            where job.finished_at is null
              and job.lane = line.id
              and job.run_at <= now()
              and (job.lease_expires_at is null or job.lease_expires_at <= now())
              and job.attempts < job.max_attempts
              and job.kind = any($2)
            order by job.priority, job.run_at, job.id
            limit $3 * 2 + 8
          ) as waiting
          order by turn, waiting.priority, waiting.run_at, waiting.id
          limit $3 * 4 + 16
        ),
        picked as materialized (
          select job.id, job.locked_by as lost_by
          from candidate
          join job on job.id = candidate.id
          where job.finished_at is null
            and job.run_at <= now()
            and (job.lease_expires_at is null or job.lease_expires_at <= now())
            and job.attempts < job.max_attempts
          order by candidate.turn, candidate.priority, candidate.run_at, candidate.id
          limit $3
          for update of job skip locked
        )
        update job
        set locked_by = $1,
          locked_at = now(),
          lease_expires_at = now() + make_interval(secs => $4),
          fence = fence + 1,
          attempts = attempts + 1
        from picked
        where job.id = picked.id
        returning
          job.id,
          job.kind,
          job.payload,
          job.tenant_id,
          job.attempts,
          job.max_attempts,
          job.fence,
          picked.lost_by as "lost_by?"
        "#,
        worker,
        kinds,
        limit,
        lease.as_secs_f64(),
    )
    .fetch_all(connection)
    .await
}

/// Renews the leases of these claims and returns their jobs; what is missing was given away or finished.
pub(crate) async fn renew(
    connection: &mut PgConnection,
    held: &[(Uuid, i64)],
    lease: Duration,
) -> Result<Vec<Uuid>, sqlx::Error> {
    let (ids, fences): (Vec<Uuid>, Vec<i64>) = held.iter().copied().unzip();
    sqlx::query_scalar!(
        r#"
        update job
        set lease_expires_at = now() + make_interval(secs => $3)
        from unnest($1::uuid[], $2::bigint[]) as held (id, fence)
        where job.id = held.id
          and job.fence = held.fence
          and job.locked_by is not null
        returning job.id
        "#,
        &ids,
        &fences,
        lease.as_secs_f64(),
    )
    .fetch_all(connection)
    .await
}

/// The end of one run.
#[derive(Debug)]
pub(crate) enum Settlement {
    Done,
    Retry {
        reason: String,
        after: Duration,
    },
    /// The run did not count: what the job needs is not to be had now.
    Later {
        reason: String,
        after: Duration,
    },
    Failed {
        reason: String,
    },
    /// The run did not count: the worker stops.
    GivenBack,
}

/// Writes the end of a run. False if its claim is not the newest, or has ended: then nothing was written.
pub(crate) async fn settle(
    connection: &mut PgConnection,
    job: &Claimed,
    settlement: &Settlement,
) -> Result<bool, sqlx::Error> {
    let rows = match settlement {
        Settlement::Done => sqlx::query!(
            r#"
                update job
                set finished_at = now(), outcome = 'done', locked_by = null, locked_at = null, lease_expires_at = null
                where id = $1
                  and fence = $2
                  and locked_by is not null
                "#,
            job.id,
            job.fence,
        )
        .execute(connection)
        .await?
        .rows_affected(),
        Settlement::Failed { reason } => sqlx::query!(
            r#"
                update job
                set finished_at = now(), outcome = 'failed', last_error = $3,
                  locked_by = null, locked_at = null, lease_expires_at = null
                where id = $1
                  and fence = $2
                  and locked_by is not null
                "#,
            job.id,
            job.fence,
            stored(reason),
        )
        .execute(connection)
        .await?
        .rows_affected(),
        Settlement::Retry { reason, after } => sqlx::query!(
            r#"
                update job
                set run_at = now() + make_interval(secs => $4), last_error = $3,
                  locked_by = null, locked_at = null, lease_expires_at = null
                where id = $1
                  and fence = $2
                  and locked_by is not null
                "#,
            job.id,
            job.fence,
            stored(reason),
            after.as_secs_f64(),
        )
        .execute(connection)
        .await?
        .rows_affected(),
        Settlement::Later { reason, after } => sqlx::query!(
            r#"
                update job
                set attempts = attempts - 1, run_at = now() + make_interval(secs => $4), last_error = $3,
                  locked_by = null, locked_at = null, lease_expires_at = null
                where id = $1
                  and fence = $2
                  and locked_by is not null
                "#,
            job.id,
            job.fence,
            stored(reason),
            after.as_secs_f64(),
        )
        .execute(connection)
        .await?
        .rows_affected(),
        Settlement::GivenBack => {
            // The fence stays: the next claim must be above this one.
            sqlx::query!(
                r#"
                with given_back as (
                  update job
                  set attempts = attempts - 1, locked_by = null, locked_at = null, lease_expires_at = null
                  where id = $1
                    and fence = $2
                    and locked_by is not null
                  returning id
                )
                select pg_notify($3, '')::text as woken
                from given_back
                "#,
                job.id,
                job.fence,
                CHANNEL,
            )
            .fetch_optional(connection)
            .await?
            .map_or(0, |_| 1)
        }
    };
    Ok(rows > 0)
}

/// Ends jobs whose worker vanished during their last attempt, and returns their kinds and ids. Without this, a job
/// that kills its worker would do so for ever.
pub(crate) async fn fail_exhausted(connection: &mut PgConnection) -> Result<Vec<(Uuid, String)>, sqlx::Error> {
    let ended = sqlx::query!(
        r#"
        with exhausted as materialized (
          select id
          from job
          where lease_expires_at <= now()
            and attempts >= max_attempts
          limit 100
          for update skip locked
        )
        update job
        set finished_at = now(), outcome = 'failed',
          last_error = 'The worker vanished or lost the database during the last attempt.',
          locked_by = null, locked_at = null, lease_expires_at = null
        from exhausted
        where job.id = exhausted.id
        returning job.id, job.kind
        "#,
    )
    .fetch_all(connection)
    .await?;
    Ok(ended.into_iter().map(|job| (job.id, job.kind)).collect())
}

/// One occurrence of a recurring job, ready to be stored.
#[derive(Debug)]
pub(crate) struct Occurrence<'a> {
    /// Made from the job and its time, so that every worker makes the same one.
    pub(crate) id: Uuid,
    pub(crate) kind: &'static str,
    pub(crate) payload: &'a serde_json::Value,
    pub(crate) tenant_id: Option<Uuid>,
    pub(crate) priority: i16,
    pub(crate) run_at: DateTime<Utc>,
    pub(crate) max_attempts: i32,
    pub(crate) unique_key: &'a str,
}

/// Adds an occurrence unless it exists or existed, or an earlier one is unfinished. True if its row is there now.
pub(crate) async fn add_occurrence(
    connection: &mut PgConnection,
    occurrence: &Occurrence<'_>,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        with added as (
          insert into job (id, kind, payload, tenant_id, priority, run_at, max_attempts, unique_key)
          values ($1, $2, $3, $4, $5, $6, $7, $8)
          on conflict do nothing
          returning id
        )
        select exists (select from added) or exists (select from job where id = $1) as "is_there!"
        "#,
        occurrence.id,
        occurrence.kind,
        occurrence.payload,
        occurrence.tenant_id,
        occurrence.priority,
        occurrence.run_at,
        occurrence.max_attempts,
        occurrence.unique_key,
    )
    .fetch_one(connection)
    .await
}

/// The database's clock.
pub(crate) async fn now(connection: &mut PgConnection) -> Result<DateTime<Utc>, sqlx::Error> {
    sqlx::query_scalar!(r#"select now() as "now!""#).fetch_one(connection).await
}

/// The reason as stored: cut to a length, and without the NUL that PostgreSQL's text refuses.
fn stored(reason: &str) -> String {
    reason.chars().filter(|character| *character != '\0').take(REASON_LENGTH).collect()
}
