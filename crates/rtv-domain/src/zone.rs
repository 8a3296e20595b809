//! Moving a tenant to another time zone. Posts are stored with the instant of their publication and the day that it is in
//! the tenant's zone, and roll-ups by that day and its hour; all of them move in one transaction, so a page shows the old
//! days or the new ones. What platforms reported by the day stays with the day that they reported: nothing smaller is known.
//!
//! A tenant with few posts moves in the transaction that changes its settings, one with many by a job. Until that is done
//! everything stays in the old zone.

use core::time::Duration;

use chrono_tz::Tz;
use rtv_core::{Error, Permission, TenantId};
use rtv_jobs::Job;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::access::{self, stored};
use crate::audit::Event;
use crate::context::{Context, TenantContext};
use crate::kpi_daily;
use crate::transaction::{Resource, Tx, failed};

/// So many posts move while the person waits: about a second's work.
pub(crate) const AT_ONCE: i64 = 20_000;

/// Moves a tenant to the zone that its row names.
#[derive(Debug, Serialize, Deserialize)]
pub struct MoveDays {
    /// The tenant.
    pub tenant: TenantId,
}

impl Job for MoveDays {
    const KIND: &'static str = "tenant.zone";
    const MAX_ATTEMPTS: u16 = 20;
    const TIMEOUT: Duration = Duration::from_hours(1);

    fn tenant(&self) -> Option<Uuid> {
        Some(self.tenant.uuid())
    }
}

/// Whether the database knows the zone too: it works out days and hours by itself.
pub(crate) async fn is_known(tx: &mut Tx, zone: Tz) -> Result<bool, Error> {
    sqlx::query_scalar!(
        r#"select exists (select 1 from pg_timezone_names where name = $1) as "is_known!""#,
        zone.name()
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)
}

/// How many posts would have to move.
pub(crate) async fn posts(tx: &mut Tx) -> Result<i64, Error> {
    sqlx::query_scalar!(r#"select coalesce(sum(posts), 0)::bigint as "posts!" from kpi_daily where basis = 'lifetime'"#)
        .fetch_one(tx.connection())
        .await
        .map_err(failed)
}

/// Moves posts and what is rolled up from them. The caller holds the tenant's facts, and changes its zone in the same
/// transaction.
pub(crate) async fn move_days(tx: &mut Tx, zone: Tz) -> Result<(), Error> {
    sqlx::query!(
        r#"
        update post
        set published_from = (published_at at time zone $1)::date, published_to = (published_at at time zone $1)::date
        where published_at is not null and published_from <> (published_at at time zone $1)::date
        "#,
        zone.name()
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let accounts = sqlx::query_scalar!("select id from account").fetch_all(tx.connection()).await.map_err(failed)?;
    kpi_daily::rebuild_lifetime(tx, &accounts, Some(zone)).await
}

/// Refuses an act whose rows have the days of a zone that the tenant has left since the actor entered. The caller holds the
/// tenant's facts, without which no zone changes.
pub(crate) async fn refuse_changed(tx: &mut Tx, ctx: &TenantContext) -> Result<(), Error> {
    let zone = sqlx::query_scalar!("select time_zone from tenant where id = $1", ctx.tenant().id.uuid())
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
    if zone == ctx.tenant().zone.name() {
        return Ok(());
    }
    Err(Error::Unavailable(
        "The organisation’s time zone was changed a moment ago. Nothing was stored. Try again.".into(),
    ))
}

/// Has a worker move the tenant to the zone that its row names.
pub(crate) async fn enqueue(tx: &mut Tx, tenant: TenantId) -> Result<(), Error> {
    rtv_jobs::enqueue(tx.queue(), &MoveDays { tenant }, None).await.map_err(|error| match error {
        rtv_jobs::Error::Database(error) => failed(error),
        other => {
            tracing::error!(error = %other, "a job cannot be enqueued");
            Error::Internal
        }
    })?;
    Ok(())
}

/// Does what [`MoveDays`] says. Nothing is left to do where somebody has chosen the old zone again, or the tenant is gone.
pub async fn carry_out(ctx: &Context, job: &MoveDays) -> Result<(), Error> {
    let ctx = match access::enter_to_work(ctx, job.tenant).await {
        Ok(ctx) => ctx,
        Err(Error::NotFound) => return Ok(()),
        Err(error) => return Err(error),
    };
    let id = ctx.tenant().id.uuid();
    let mut tx = ctx.begin(Permission::SettingsUpdate, Resource::Tenant).await?;
    tx.take_time().await?;
    kpi_daily::lock_facts(&mut tx, ctx.tenant().id).await?;
    let row = sqlx::query!("select time_zone, next_time_zone from tenant where id = $1", id)
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
    let Some(next) = row.next_time_zone else { return tx.rollback().await };
    move_days(&mut tx, stored(next.parse())?).await?;
    // The row itself last: who saves settings meanwhile must not wait for all of this.
    let version = sqlx::query_scalar!(
        r#"
        update tenant
        set time_zone = $2, next_time_zone = null, version = version + 1, updated_at = $3, changed_by = $4
        where id = $1 and next_time_zone = $2
        returning version
        "#,
        id,
        next,
        ctx.now(),
        ctx.context().actor().label(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or_else(|| Error::Unavailable("The organisation’s time zone was chosen anew meanwhile.".into()))?;
    let event = Event::new("tenant.zone", "tenant", ctx.tenant().id.to_string())
        .before(json!({ "zone": row.time_zone, "version": version - 1 }))
        .after(json!({ "zone": next, "version": version }));
    tx.audit(event).await?;
    tx.commit().await
}
