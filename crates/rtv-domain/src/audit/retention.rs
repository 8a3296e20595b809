//! How long the payload of events is kept: what was before and after, the sentence, the address and the browser. After
//! that the payload goes and its hash stays, so that the chain still verifies.
//!
//! Before anything goes, an event says up to when. It is what tells a payload that was dropped from one that somebody took
//! away: a payload that is missing must be older than what some event of the log says.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use rtv_core::{Error, Permission, TenantId};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::audit::Event;
use crate::audit::key::AuditKey;
use crate::audit::seal::seal_chain;
use crate::context::{Context, TenantContext};
use crate::transaction::{Resource, Tx, WorkKind, failed};

/// The event that says that payloads were dropped.
pub(crate) const DROPPED: &str = "audit.retention";
/// Days that payloads are kept where nobody has said otherwise.
pub const DEFAULT_DAYS: i32 = 365;
/// Fewest days.
pub const FEWEST_DAYS: i32 = 30;
/// Most days.
pub const MOST_DAYS: i32 = 3_650;
/// Payloads that one transaction drops at most.
const BATCH: i64 = 5_000;

/// What a tenant has said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// Days that payloads are kept.
    pub days: i32,
    /// Counts changes; a form sends it back.
    pub version: i64,
    /// Who has changed it last, and when.
    pub changed: Option<(String, DateTime<Utc>)>,
    /// Payloads of events before this instant are gone.
    pub dropped_before: Option<DateTime<Utc>>,
}

/// What is kept for how long.
pub async fn retention(ctx: &TenantContext) -> Result<Retention, Error> {
    let mut tx = ctx.begin(Permission::AuditRead, Resource::AuditLog).await?;
    let retention = read(&mut tx, ctx.tenant().id.uuid()).await?;
    tx.rollback().await?;
    Ok(retention)
}

pub(crate) async fn read(tx: &mut Tx, tenant: Uuid) -> Result<Retention, Error> {
    let row = sqlx::query!(
        "select days, version, changed_by, changed_at, dropped_before from audit_retention where tenant_id = $1",
        tenant
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    Ok(row.map_or(Retention { days: DEFAULT_DAYS, version: 0, changed: None, dropped_before: None }, |row| Retention {
        days: row.days,
        version: row.version,
        changed: row.changed_by.zip(row.changed_at),
        dropped_before: row.dropped_before,
    }))
}

/// Says for how many days payloads are kept. `version` is what the form was made from: who has changed it since is named,
/// and nothing is overwritten.
pub async fn set_retention(ctx: &TenantContext, days: &str, version: &str) -> Result<i32, Error> {
    let mut tx = ctx.begin(Permission::SettingsUpdate, Resource::AuditLog).await?;
    let days =
        days.trim().parse::<i32>().ok().filter(|days| (FEWEST_DAYS..=MOST_DAYS).contains(days)).ok_or_else(|| {
            Error::invalid("days", format!("use a whole number of days from {FEWEST_DAYS} to {MOST_DAYS}."))
        })?;
    let version: i64 = version
        .trim()
        .parse()
        .map_err(|_| Error::invalid("version", "open the page again and change the number there."))?;
    let tenant = ctx.tenant().id.uuid();
    // So that there is a row to lock, also for two who are the first.
    sqlx::query!("insert into audit_retention (tenant_id) values ($1) on conflict do nothing", tenant)
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    let before =
        sqlx::query!("select days, version, changed_by from audit_retention where tenant_id = $1 for update", tenant)
            .fetch_one(tx.connection())
            .await
            .map_err(failed)?;
    if before.version != version {
        return Err(Error::Conflict(format!(
            "{} has set it to {} days in the meantime. Nothing was changed. Look at it again, and save again if yours is still right.",
            before.changed_by.unwrap_or_else(|| "Somebody".into()),
            before.days
        )));
    }
    sqlx::query!(
        r#"
        update audit_retention
        set days = $2, version = version + 1, changed_by = $3, changed_at = $4
        where tenant_id = $1
        "#,
        tenant,
        days,
        ctx.context().actor().label(),
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let event = Event::new("audit.retention.set", "audit_log", "all")
        .before(json!({ "days": before.days }))
        .after(json!({ "days": days }));
    tx.audit(event).await?;
    tx.commit().await?;
    Ok(days)
}

/// Drops the payloads whose time is over, in all chains. How many.
pub async fn drop_payloads(ctx: &Context, key: &AuditKey) -> Result<u64, Error> {
    let mut tx = ctx.begin_worker(WorkKind::Audit).await?;
    let chains = sqlx::query_scalar!("select tenant_id from audit_chain order by tenant_id")
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    tx.rollback().await?;
    let mut dropped = 0;
    for chain in chains {
        dropped += drop_in_chain(ctx, key, chain.into()).await?;
    }
    Ok(dropped)
}

async fn drop_in_chain(ctx: &Context, key: &AuditKey, chain: TenantId) -> Result<u64, Error> {
    let mut tx = ctx.begin_retention(chain).await?;
    let retention = read(&mut tx, chain.uuid()).await?;
    // Whole days, so that a chain has at most one such event a day.
    let last_day = (ctx.now() - TimeDelta::days(retention.days.into())).date_naive();
    let before = last_day.and_time(NaiveTime::MIN).and_utc();
    if retention.dropped_before.is_some_and(|dropped| dropped >= before) {
        tx.rollback().await?;
        return Ok(0);
    }
    // Nothing is older than 1970.
    let from = retention.dropped_before.unwrap_or_default();
    let mut dropped = 0;
    if is_left(&mut tx, chain.uuid(), from, before).await? {
        let after = json!({ "days": retention.days, "before": super::chain::written(before) });
        tx.audit(Event::new(DROPPED, "audit_log", "all").after(after)).await?;
        tx.commit().await?;
        // A check that comes between would miss the event; it waits a few seconds at most where another seals.
        seal_chain(ctx, key, chain).await?;
        loop {
            let mut tx = ctx.begin_retention(chain).await?;
            let gone = drop_batch(&mut tx, chain.uuid(), from, before).await?;
            tx.commit().await?;
            dropped += gone;
            if gone == 0 {
                break;
            }
        }
    } else {
        tx.rollback().await?;
    }
    let mut tx = ctx.begin_retention(chain).await?;
    if is_left(&mut tx, chain.uuid(), from, before).await? {
        // Not sealed yet, which is for the next time.
        tx.rollback().await?;
    } else {
        sqlx::query!(
            r#"
            insert into audit_retention (tenant_id, dropped_before) values ($1, $2)
            on conflict (tenant_id) do update set dropped_before = excluded.dropped_before
            "#,
            chain.uuid(),
            before,
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
        tx.commit().await?;
    }
    tracing::debug!(tenant = %chain, dropped, %before, "payloads of the audit log were dropped");
    Ok(dropped)
}

async fn is_left(tx: &mut Tx, tenant: Uuid, from: DateTime<Utc>, before: DateTime<Utc>) -> Result<bool, Error> {
    sqlx::query_scalar!(
        r#"
        select exists (
          select 1
          from audit_event
          where tenant_id = $1 and occurred_at >= $2 and occurred_at < $3 and payload_salt is not null
        ) as "exists!"
        "#,
        tenant,
        from,
        before,
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)
}

async fn drop_batch(tx: &mut Tx, tenant: Uuid, from: DateTime<Utc>, before: DateTime<Utc>) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        update audit_event
        set payload_salt = null, detail = null, before = null, after = null, address = null, user_agent = null
        where tenant_id = $1
          and id in (
            select old.id
            from audit_event as old
            join audit_seal on audit_seal.tenant_id = old.tenant_id and audit_seal.event_id = old.id
            where old.tenant_id = $1 and old.occurred_at >= $2 and old.occurred_at < $3 and old.payload_salt is not null
            order by old.occurred_at
            limit $4
          )
        "#,
        tenant,
        from,
        before,
        BATCH,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(done.rows_affected())
}

/// The instant that such an event names.
pub(crate) fn dropped_before(after: &str) -> Option<DateTime<Utc>> {
    #[derive(Deserialize)]
    struct Said {
        before: DateTime<Utc>,
    }
    serde_json::from_str::<Said>(after).ok().map(|said| said.before)
}
