//! Each attempt to make a run or to send one of its mails, and what came of it, for the page of the run.

use chrono::{DateTime, Utc};
use rtv_core::permission::SEES_REPORTS;
use rtv_core::{Error, Permission, ReportMailId, RunId};
use uuid::Uuid;

use crate::context::TenantContext;
use crate::transaction::{Resource, Tx, failed};

/// A page shows so many, the newest. What RTV does by itself is less: 9 for the run and for each of 50 mails.
const SHOWN: i64 = 500;

/// An attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it ended, or was found to have ended.
    pub at: DateTime<Utc>,
    /// To whom something was to be sent; none: the run itself was to be made.
    pub recipient: Option<String>,
    /// What came of it, in a sentence.
    pub outcome: String,
}

/// The attempts of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempts {
    /// The newest, these first.
    pub newest: Vec<Attempt>,
    /// How many there are.
    pub total: i64,
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

/// Writes down, where attempt number `attempt` begins, those before it that left no word: their workers were killed or cut off.
pub async fn note_silence(
    ctx: &TenantContext,
    run: RunId,
    mail: Option<ReportMailId>,
    attempt: u32,
) -> Result<(), Error> {
    if attempt <= 1 {
        return Ok(());
    }
    let mut tx = ctx.begin_to_tidy(Permission::ReportsManage, Resource::Run(run)).await?;
    let noted = sqlx::query_scalar!(
        r#"select count(*) as "count!" from report_attempt where run_id = $1 and mail_id is not distinct from $2"#,
        run.uuid(),
        mail.map(ReportMailId::uuid),
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    for _ in noted..i64::from(attempt - 1) {
        let outcome =
            "An attempt before ended without a word: it could not begin, its worker was lost, or it had no time left.";
        note(&mut tx, ctx, run, mail, outcome).await?;
    }
    tx.commit().await
}

/// The newest attempts of a run, and how many there are.
pub async fn attempts(ctx: &TenantContext, run: RunId) -> Result<Attempts, Error> {
    let mut tx = ctx.begin_to_read(SEES_REPORTS, Resource::Run(run)).await?;
    let newest = sqlx::query_as!(
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
    let total = sqlx::query_scalar!(r#"select count(*) as "count!" from report_attempt where run_id = $1"#, run.uuid())
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
    tx.rollback().await?;
    Ok(Attempts { newest, total })
}
