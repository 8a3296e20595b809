//! What a worker tidies up: uploads that nobody finishes, work whose workers are gone for good, and files that have been
//! kept long enough. It finds them in all tenants and deals with each inside its own.

use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;
use rtv_core::{Error, ImportId, ImportState, Permission, TenantId};
use uuid::Uuid;

use super::steps;
use super::upload::{KEEP_DAYS, Uploads};
use super::work::{Ticket, fail};
use crate::access::{self, stored};
use crate::audit::Event;
use crate::context::{Context, TenantContext};
use crate::transaction::{Resource, WorkKind, failed};

/// An upload that has not been heard of for so long has lost its sender or its server.
const SILENT_UPLOAD: TimeDelta = TimeDelta::minutes(10);
/// Work that has not been heard of for so long and has no job any more is over.
const SILENT_WORK: TimeDelta = TimeDelta::minutes(5);
/// A file without a row is left alone for so long: its row may be about to be committed.
const ORPHAN: Duration = Duration::from_hours(1);

/// What one sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Uploads that were given up.
    pub uploads: u64,
    /// Works that were given up.
    pub works: u64,
    /// Files that had been kept long enough.
    pub expired: u64,
    /// Files that belonged to nothing.
    pub orphans: u64,
}

/// Tidies up once.
pub async fn sweep(ctx: &Context, uploads: &Uploads) -> Result<Swept, Error> {
    let mut swept = Swept::default();
    for (tenant, import) in silent_uploads(ctx).await? {
        let ctx = access::enter_to_work(ctx, tenant).await?;
        let mut tx = ctx.begin_to_tidy(Permission::ImportsManage, Resource::Import(import)).await?;
        sqlx::query!("delete from import where id = $1 and state = 'uploading'", import.uuid())
            .execute(tx.connection())
            .await
            .map_err(failed)?;
        tx.commit().await?;
        uploads.remove(tenant, import).await;
        swept.uploads += 1;
    }
    for (ticket, state) in silent_works(ctx).await? {
        let ctx = access::enter_to_work(ctx, ticket.tenant).await?;
        // What waits because nothing may change has done nothing wrong.
        if ctx.read_only().is_some() {
            continue;
        }
        let reason = match state {
            ImportState::RollingBack => {
                "The roll-back was begun several times and never came to its end, so nothing was taken back. Try again; if it fails again, tell your operator."
            }
            _ => {
                "The work was begun several times and never came to its end. Nothing was stored. Check the file again; if it fails again, tell your operator."
            }
        };
        fail(&ctx, ticket, state, reason).await?;
        swept.works += 1;
    }
    for (tenant, import) in expired(ctx).await? {
        let ctx = access::enter_to_work(ctx, tenant).await?;
        if ctx.read_only().is_some() {
            continue;
        }
        expire(&ctx, import).await?;
        uploads.remove(tenant, import).await;
        swept.expired += 1;
    }
    swept.orphans = remove_orphans(ctx, uploads).await?;
    Ok(swept)
}

async fn silent_uploads(ctx: &Context) -> Result<Vec<(TenantId, ImportId)>, Error> {
    let mut tx = ctx.begin_worker(WorkKind::Sweep).await?;
    let rows = sqlx::query!(
        r#"
        select tenant_id, id
        from import
        where state = 'uploading' and alive_at < $1
        "#,
        ctx.now() - SILENT_UPLOAD
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(rows.into_iter().map(|row| (row.tenant_id.into(), row.id.into())).collect())
}

/// Works without a job that could end them. One that waits for its turn has none, and is left alone as long as another
/// of its tenant goes first.
async fn silent_works(ctx: &Context) -> Result<Vec<(Ticket, ImportState)>, Error> {
    let mut tx = ctx.begin_worker(WorkKind::Sweep).await?;
    let rows = sqlx::query!(
        r#"
        select import.tenant_id, import.id, import.round, import.state
        from import
        where import.state in ('checking', 'importing', 'rolling_back')
          and import.alive_at < $1
          and not exists (
            select 1
            from job
            where job.tenant_id = import.tenant_id
              and job.kind in ('import.check', 'import.run', 'import.roll_back')
              and job.unique_key = 'imp_' || replace(import.id::text, '-', '') || '-' || import.round
              and job.finished_at is null
          )
          and (
            import.state = 'checking'
            or not exists (
              select 1
              from import as other
              where other.tenant_id = import.tenant_id
                and other.state in ('importing', 'rolling_back')
                and (other.queued_at, other.id) < (import.queued_at, import.id)
            )
          )
        "#,
        ctx.now() - SILENT_WORK
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    rows.into_iter()
        .map(|row| {
            let ticket = Ticket { tenant: row.tenant_id.into(), import: row.id.into(), round: row.round };
            Ok((ticket, stored(row.state.parse())?))
        })
        .collect()
}

/// Imports whose file has been kept long enough after the last thing that happened to them.
async fn expired(ctx: &Context) -> Result<Vec<(TenantId, ImportId)>, Error> {
    let mut tx = ctx.begin_worker(WorkKind::Sweep).await?;
    let rows = sqlx::query!(
        r#"
        select tenant_id, id
        from import
        where file_reserved_bytes > 0
          and state in ('uploaded', 'checked', 'done', 'failed', 'rolled_back')
          and greatest(created_at, checked_at, started_at, finished_at, rolled_back_at) < $1
        "#,
        ctx.now() - TimeDelta::days(KEEP_DAYS)
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(rows.into_iter().map(|row| (row.tenant_id.into(), row.id.into())).collect())
}

/// The file goes; an import that waited for a person is over with it.
async fn expire(ctx: &TenantContext, import: ImportId) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::ImportsManage, Resource::Import(import)).await?;
    let state = steps::lock_state(&mut tx, import).await?;
    if matches!(state, ImportState::Uploaded | ImportState::Checked) {
        let reason = format!("Nobody started it within {KEEP_DAYS} days, so its file was removed. Upload it again.");
        steps::empty(&mut tx, import).await?;
        sqlx::query!(
            "update import set state = 'cancelled', failure = $2, finished_at = $3 where id = $1",
            import.uuid(),
            reason,
            ctx.now(),
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
        tx.audit(Event::new("import.cancel", "import", import.to_string()).detail(reason)).await?;
    } else if state.is_final() {
        sqlx::query!("update import set file_reserved_bytes = 0 where id = $1", import.uuid())
            .execute(tx.connection())
            .await
            .map_err(failed)?;
    }
    tx.commit().await
}

/// Files whose row says that there is none: left by a crash between the two.
async fn remove_orphans(ctx: &Context, uploads: &Uploads) -> Result<u64, Error> {
    let folder = uploads.folder().to_owned();
    let files = tokio::task::spawn_blocking(move || old_files(&folder)).await.unwrap_or_else(|error| {
        tracing::error!(%error, "listing the uploads panicked");
        Vec::new()
    });
    let mut removed = 0;
    // A folder holds a few hundred files at most: a quota and a week see to that.
    for (tenant, import) in files {
        let mut tx = ctx.begin_worker(WorkKind::Sweep).await?;
        let is_kept = sqlx::query_scalar!(
            r#"
            select exists (
              select 1 from import where tenant_id = $1 and id = $2 and file_reserved_bytes > 0
            ) as "exists!"
            "#,
            tenant.uuid(),
            import.uuid(),
        )
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
        tx.rollback().await?;
        if !is_kept {
            uploads.remove(tenant, import).await;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Files of ours that are not quite new. What is not called as we call files is not ours and stays.
fn old_files(folder: &Path) -> Vec<(TenantId, ImportId)> {
    let entries = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let named = |entry: &std::fs::DirEntry| Uuid::try_parse(entry.file_name().to_str()?).ok();
    let mut found = Vec::new();
    for tenant in entries(folder) {
        let Some(tenant_id) = named(&tenant) else { continue };
        for file in entries(&tenant.path()) {
            let changed = file.metadata().and_then(|data| data.modified()).ok();
            if let Some(import) = named(&file)
                && changed.and_then(|changed| changed.elapsed().ok()).is_some_and(|age| age > ORPHAN)
            {
                found.push((tenant_id.into(), import.into()));
            }
        }
    }
    found
}
