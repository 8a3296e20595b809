//! What a worker tidies up: runs and mails whose workers are gone for good, and files that have been kept long enough. A file that was
//! removed can be made again from the result of its run, which stays.

use core::time::Duration;

use chrono::TimeDelta;
use rtv_core::{Error, Permission, ReportMailId, RunId, TenantId};

use super::dispatch::give_up;
use super::run::fail;
use super::store::Files;
use crate::access;
use crate::context::Context;
use crate::mail::Outbox;
use crate::transaction::{Resource, WorkKind, failed};

/// Files lie on the disk for so many days.
pub const KEEP_DAYS: i64 = 90;
/// A run or a mail without a job that has stood still for longer than this has lost it.
const SILENT: TimeDelta = TimeDelta::minutes(5);
/// Runs, and mails, that one sweep tidies at most; the next goes on.
const MOST: i64 = 500;

/// Why such a run failed.
const LOST: &str =
    "It was begun several times and never came to its end. Try again; if it fails again, tell your operator.";

/// What no row names is left alone for so long: its row may be about to be written.
const ORPHAN: Duration = Duration::from_hours(1);

/// Tidies up once. Returns how many runs and mails it dealt with.
pub async fn sweep(ctx: &Context, outbox: &Outbox, files: &Files) -> Result<u64, Error> {
    let mut swept = 0;
    for (tenant, run) in silent(ctx).await? {
        let ended = async {
            let ctx = access::enter_to_work(ctx, tenant).await?;
            // What waits because nothing may change has done nothing wrong.
            match ctx.read_only() {
                Some(_) => Ok(0),
                None => fail(&ctx, outbox, run, LOST).await.map(|()| 1),
            }
        };
        swept += counted(ended.await, run.uuid());
    }
    for (tenant, mail) in stranded(ctx).await? {
        let ended = async {
            let ctx = access::enter_to_work(ctx, tenant).await?;
            match ctx.read_only() {
                Some(_) => Ok(0),
                None => give_up(&ctx, outbox, mail).await.map(|()| 1),
            }
        };
        swept += counted(ended.await, mail.uuid());
    }
    for (tenant, run) in expired(ctx).await? {
        let ctx = access::enter_to_work(ctx, tenant).await?;
        let mut tx = ctx.begin_to_tidy(Permission::ReportsManage, Resource::Run(run)).await?;
        sqlx::query!(
            "update report_file set removed_at = $2 where run_id = $1 and removed_at is null",
            run.uuid(),
            ctx.now()
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
        tx.commit().await?;
        files.remove(tenant, run).await;
        swept += 1;
    }
    Ok(swept + remove_orphans(ctx, files).await?)
}

/// One that cannot be ended keeps no other from it.
fn counted(ended: Result<u64, Error>, id: uuid::Uuid) -> u64 {
    ended.unwrap_or_else(|error| {
        tracing::error!(%error, %id, "a run or a mail that nobody works at could not be ended");
        0
    })
}

/// Takes from the disk what workers that were killed, and reports that are gone, have left there.
async fn remove_orphans(ctx: &Context, files: &Files) -> Result<u64, Error> {
    let old = files.older_than(ORPHAN).await;
    let ids: Vec<uuid::Uuid> = old.iter().map(|(_, run)| run.uuid()).collect();
    let mut tx = ctx.begin_worker(WorkKind::Sweep).await?;
    let kept: Vec<uuid::Uuid> = sqlx::query_scalar!(
        r#"
        select report_run.id
        from report_run
        where report_run.id = any($1)
          and (
            report_run.state in ('queued', 'running')
            or exists (
              select 1
              from report_file
              where report_file.tenant_id = report_run.tenant_id
                and report_file.run_id = report_run.id
                and report_file.removed_at is null
            )
          )
        "#,
        &ids,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    let mut removed = 0;
    for (tenant, run) in old.into_iter().filter(|(_, run)| !kept.contains(&run.uuid())) {
        files.remove(tenant, run).await;
        removed += 1;
    }
    Ok(removed)
}

async fn silent(ctx: &Context) -> Result<Vec<(TenantId, RunId)>, Error> {
    let mut tx = ctx.begin_worker(WorkKind::Sweep).await?;
    let rows = sqlx::query!(
        r#"
        select report_run.tenant_id, report_run.id
        from report_run
        where report_run.state in ('queued', 'running')
          and report_run.created_at < $1
          and not exists (
            select 1
            from job
            where job.tenant_id = report_run.tenant_id
              and job.kind = 'report.run'
              and job.unique_key = 'run_' || replace(report_run.id::text, '-', '')
              and job.finished_at is null
          )
        limit $2
        "#,
        ctx.now() - SILENT,
        MOST,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(rows.into_iter().map(|row| (row.tenant_id.into(), row.id.into())).collect())
}

/// Mails that are on their way and that no job works at any more.
async fn stranded(ctx: &Context) -> Result<Vec<(TenantId, ReportMailId)>, Error> {
    let mut tx = ctx.begin_worker(WorkKind::Sweep).await?;
    let rows = sqlx::query!(
        r#"
        select report_mail.tenant_id, report_mail.id
        from report_mail
        where report_mail.state in ('waiting', 'sending')
          and report_mail.changed_at < $1
          and not exists (
            select 1
            from job
            where job.tenant_id = report_mail.tenant_id
              and job.kind = 'report.mail'
              and job.payload ->> 'mail' = 'rml_' || replace(report_mail.id::text, '-', '')
              and job.finished_at is null
          )
        order by report_mail.changed_at
        limit $2
        "#,
        ctx.now() - SILENT,
        MOST,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(rows.into_iter().map(|row| (row.tenant_id.into(), row.id.into())).collect())
}

async fn expired(ctx: &Context) -> Result<Vec<(TenantId, RunId)>, Error> {
    let mut tx = ctx.begin_worker(WorkKind::Sweep).await?;
    let rows = sqlx::query!(
        r#"
        select distinct tenant_id, run_id
        from report_file
        where removed_at is null and created_at < $1
        limit $2
        "#,
        ctx.now() - TimeDelta::days(KEEP_DAYS),
        MOST,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(rows.into_iter().map(|row| (row.tenant_id.into(), row.run_id.into())).collect())
}
