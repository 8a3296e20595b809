//! How many there are of what lists show a part of.

use rtv_core::permission::SEES_REPORTS;
use rtv_core::{Error, ReportId, ScheduleId};

use crate::context::TenantContext;
use crate::transaction::{Resource, failed};

/// Reports of the tenant.
pub async fn count(ctx: &TenantContext) -> Result<i64, Error> {
    let mut tx = ctx.begin_to_read(SEES_REPORTS, Resource::Reports).await?;
    let count = sqlx::query_scalar!(r#"select count(*) as "count!" from report where deleted_at is null"#)
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
    tx.rollback().await?;
    Ok(count)
}

/// Runs of a report, or of one of its schedules.
pub async fn count_runs(ctx: &TenantContext, report: ReportId, schedule: Option<ScheduleId>) -> Result<i64, Error> {
    let mut tx = ctx.begin_to_read(SEES_REPORTS, Resource::Report(report)).await?;
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from report_run where report_id = $1 and ($2::uuid is null or schedule_id = $2)"#,
        report.uuid(),
        schedule.map(ScheduleId::uuid),
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(count)
}

/// What was sent to the reader, as their inbox counts it.
pub async fn count_inbox(ctx: &TenantContext) -> Result<i64, Error> {
    let mut tx = ctx.begin_to_read(SEES_REPORTS, Resource::Reports).await?;
    let count = sqlx::query_scalar!(
        r#"
        select count(distinct run_id) as "count!"
        from report_mail
        where report_mail.tenant_id = $1 and recipient = $2 and state not in ('withheld', 'failed', 'stopped')
        "#,
        ctx.tenant().id.uuid(),
        ctx.context().person().map(|person| person.email.to_string()),
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(count)
}
