//! Each attempt to make a run or to send one of its mails, and what came of it, for the page of the run.

use chrono::{DateTime, Utc};
use rtv_core::permission::SEES_REPORTS;
use rtv_core::{Error, Permission, ReportMailId, RunId};
use uuid::Uuid;

use crate::context::TenantContext;
use crate::transaction::{Resource, Tx, failed};

/// A page shows so many, the newest.
const SHOWN: i64 = 200;

/// An attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it ended.
    pub at: DateTime<Utc>,
    /// To whom something was to be sent; none: the run itself was to be made.
    pub recipient: Option<String>,
    /// What came of it, in a sentence.
    pub outcome: String,
}

/// Writes one down in the transaction of its outcome.
pub(super) async fn note(
    tx: &mut Tx,
    ctx: &TenantContext,
    run: RunId,
    mail: Option<ReportMailId>,
    outcome: &str,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into report_attempt (tenant_id, id, run_id, mail_id, at, outcome) values ($1, $2, $3, $4, $5, $6)",
        ctx.tenant().id.uuid(),
        Uuid::now_v7(),
        run.uuid(),
        mail.map(ReportMailId::uuid),
        ctx.now(),
        outcome,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}

/// Writes down that a run could not be made and is tried again.
pub async fn note_failure(ctx: &TenantContext, run: RunId, reason: &str) -> Result<(), Error> {
    let mut tx = ctx.begin_to_tidy(Permission::ReportsManage, Resource::Run(run)).await?;
    note(&mut tx, ctx, run, None, &format!("Not made, to be tried again: {reason}")).await?;
    tx.commit().await
}

/// The attempts of a run, the newest first.
pub async fn attempts(ctx: &TenantContext, run: RunId) -> Result<Vec<Attempt>, Error> {
    let mut tx = ctx.begin_to_read(SEES_REPORTS, Resource::Run(run)).await?;
    let rows = sqlx::query_as!(
        Attempt,
        r#"
        select report_attempt.at, report_mail.recipient as "recipient?", report_attempt.outcome
        from report_attempt
        left join report_mail
          on report_mail.tenant_id = report_attempt.tenant_id and report_mail.id = report_attempt.mail_id
        where report_attempt.run_id = $1
        order by report_attempt.at desc, report_attempt.id desc
        limit $2
        "#,
        run.uuid(),
        SHOWN,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(rows)
}
