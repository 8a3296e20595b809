//! The inbox that a member has in RTV: what schedules have sent to their address, in this tenant.

use chrono::{DateTime, Utc};
use rtv_core::period::Period;
use rtv_core::permission::SEES_REPORTS;
use rtv_core::{Error, ReportId, RunId};

use crate::context::TenantContext;
use crate::transaction::{Resource, failed};

/// A page shows so many.
const SHOWN: i64 = 100;

/// A report that was sent to the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The report.
    pub report: ReportId,
    /// The run.
    pub run: RunId,
    /// As the report was called then.
    pub name: String,
    /// Its days.
    pub period: Period,
    /// When it was sent.
    pub at: DateTime<Utc>,
    /// Whether it came late.
    pub is_late: bool,
}

/// What was sent to the reader, the newest first. Nothing for whoever is no person.
pub async fn inbox(ctx: &TenantContext) -> Result<Vec<Received>, Error> {
    let mut tx = ctx.begin_to_read(SEES_REPORTS, Resource::Reports).await?;
    let rows = sqlx::query!(
        r#"
        select
          report_run.report_id, report_run.id, report_run.name, report_run.period_from, report_run.period_to, report_run.is_late,
          report_mail.created_at
        from report_mail
        join report_run on report_run.tenant_id = report_mail.tenant_id and report_run.id = report_mail.run_id
        where report_mail.tenant_id = $1
          and report_mail.recipient = $2
          and report_mail.state not in ('withheld', 'failed', 'stopped')
          -- What was sent once more lies there once.
          and not exists (
            select 1
            from report_mail as earlier
            where earlier.tenant_id = report_mail.tenant_id
              and earlier.run_id = report_mail.run_id
              and earlier.recipient = report_mail.recipient
              and earlier.number < report_mail.number
              and earlier.state not in ('withheld', 'failed', 'stopped')
          )
        order by report_mail.created_at desc, report_mail.id desc
        limit $3
        "#,
        ctx.tenant().id.uuid(),
        ctx.context().person().map(|person| person.email.to_string()),
        SHOWN,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    rows.into_iter()
        .map(|row| {
            Ok(Received {
                report: row.report_id.into(),
                run: row.id.into(),
                name: row.name,
                period: Period::new(row.period_from, row.period_to)?,
                at: row.created_at,
                is_late: row.is_late,
            })
        })
        .collect()
}
