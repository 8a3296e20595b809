//! What a person does with an import, step by step. Each is a short transaction that changes the import's state, writes
//! the audit event and enqueues the job that does the work, so that all of it happens or nothing.
//!
//! Writing imports of one tenant take turns. Only the one whose turn it is has a job; whoever ends its turn gives one to
//! the next, so that a line of imports holds one worker and not all.

use rtv_core::{Error, ImportId, ImportState, Permission};
use rtv_jobs::Job;
use serde_json::json;

use super::settings::{self, Settings};
use super::upload::Uploads;
use super::work::{CheckImport, RollBackImport, RunImport, Ticket};
use super::{MappingChoice, roll_back};
use crate::access::stored;
use crate::audit::Event;
use crate::context::TenantContext;
use crate::mapping;
use crate::transaction::{Resource, Tx, failed};

/// A name under which the form of the columns is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveAs {
    /// The name.
    pub name: String,
    /// Whether a mapping that has it already is replaced.
    pub replaces: bool,
}

/// Has a file checked with these settings. They are judged against its header at once; what is wrong is told for each
/// field. May be asked again with others, until the import is started.
pub async fn check(ctx: &TenantContext, uploads: &Uploads, id: ImportId, settings: Settings) -> Result<(), Error> {
    begin_check(ctx, uploads, id, settings, None, false).await
}

/// The same, and keeps the form of the columns under a name, if the settings hold one: both or neither.
pub async fn check_and_save(
    ctx: &TenantContext,
    uploads: &Uploads,
    id: ImportId,
    settings: Settings,
    save_as: Option<&SaveAs>,
) -> Result<(), Error> {
    begin_check(ctx, uploads, id, settings, save_as, false).await
}

/// The same for a program: what the check does not refuse is imported without being asked again.
pub async fn check_and_start(
    ctx: &TenantContext,
    uploads: &Uploads,
    id: ImportId,
    settings: Settings,
) -> Result<(), Error> {
    begin_check(ctx, uploads, id, settings, None, true).await
}

async fn begin_check(
    ctx: &TenantContext,
    uploads: &Uploads,
    id: ImportId,
    settings: Settings,
    save_as: Option<&SaveAs>,
    starts_by_itself: bool,
) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::ImportsManage, Resource::Import(id)).await?;
    let state = lock_state(&mut tx, id).await?;
    if !state.can_check() {
        return Err(wrong_state(state, "checked"));
    }
    let kept = uploads.kept_file(ctx, &mut tx, id).await?;
    let prepared = settings::prepare(&mut tx, &kept.path, &settings.clone().reading_as(kept.read_as)).await?;
    let applied = &prepared.applied;
    if let MappingChoice::Saved(name) = &settings.mapping {
        mapping::count_use(&mut tx, name).await?;
    }
    if let (MappingChoice::Draft(draft), Some(SaveAs { name, replaces })) = (&settings.mapping, save_as) {
        mapping::save_in(&mut tx, ctx, name, draft, *replaces).await.map_err(|error| error.about("name", "save_as"))?;
    }
    let round = sqlx::query_scalar!(
        r#"
        update import
        set state = 'checking', round = round + 1, settings = $2, applied = $3, mapping = $4, mapping_title = $5,
          time_zone = $6, duplicate_rule = $7, header = $8, delimiter = $9, findings = null, failure = null, checked_at = null,
          rows_read = null, rows_new = null, rows_changed = null, rows_unchanged = null, rows_duplicate = null,
          rows_refused = null, finished_at = null, started_at = null,
          step = 'waiting', rows_done = null, rows_total = null, bytes_done = null, step_began_at = $10, alive_at = $10,
          starts_by_itself = $11
        where id = $1
        returning round
        "#,
        id.uuid(),
        json!(settings),
        json!(applied),
        applied.mapping.name,
        applied.mapping.title,
        applied.zone.map(chrono_tz::Tz::name),
        settings.duplicates.key(),
        json!(prepared.header),
        applied.delimiter.key(),
        ctx.now(),
        starts_by_itself,
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let after = json!({
        "mapping": applied.mapping.name, "zone": applied.zone, "duplicates": settings.duplicates.key(),
        "starts_by_itself": starts_by_itself,
    });
    tx.audit(Event::new("import.check", "import", id.to_string()).after(after)).await?;
    enqueue(&mut tx, &CheckImport(Ticket { tenant: ctx.tenant().id, import: id, round })).await?;
    tx.commit().await
}

/// Has a checked file imported, when it is its turn.
pub async fn start(ctx: &TenantContext, id: ImportId) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::ImportsManage, Resource::Import(id)).await?;
    lock_line(&mut tx, ctx).await?;
    let state = lock_state(&mut tx, id).await?;
    if state != ImportState::Checked {
        return Err(wrong_state(state, "started"));
    }
    let blocked = sqlx::query_scalar!("select findings ->> 'blocked' from import where id = $1", id.uuid())
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
    if let Some(blocked) = blocked {
        return Err(Error::Conflict(blocked));
    }
    set_off(ctx, &mut tx, id).await?;
    tx.commit().await
}

/// Puts a checked import into the line, which the caller holds.
pub(super) async fn set_off(ctx: &TenantContext, tx: &mut Tx, id: ImportId) -> Result<(), Error> {
    sqlx::query!(
        r#"
        update import
        set state = 'importing', round = round + 1, started_at = $2, failure = null, queued_at = $2,
          step = 'waiting', rows_done = null, rows_total = null, bytes_done = null, step_began_at = $2, alive_at = $2
        where id = $1
        "#,
        id.uuid(),
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    tx.audit(Event::new("import.start", "import", id.to_string())).await?;
    enqueue_next(tx, ctx).await
}

/// Stops an import that is not finished, and removes its file and all that was read from it. A worker that is busy with
/// it stops within a second and stores nothing.
pub async fn cancel(ctx: &TenantContext, uploads: &Uploads, id: ImportId) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::ImportsManage, Resource::Import(id)).await?;
    lock_line(&mut tx, ctx).await?;
    let state = lock_state(&mut tx, id).await?;
    if !state.can_cancel() {
        return Err(wrong_state(state, "cancelled"));
    }
    empty(&mut tx, id).await?;
    sqlx::query!("update import set state = 'cancelled', finished_at = $2 where id = $1", id.uuid(), ctx.now())
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    let event = Event::new("import.cancel", "import", id.to_string()).before(json!({ "state": state }));
    tx.audit(event).await?;
    enqueue_next(&mut tx, ctx).await?;
    tx.commit().await?;
    uploads.remove(ctx.tenant().id, id).await;
    Ok(())
}

/// Has an import taken back by a worker, when it is its turn. Refused while later imports have changed the same posts.
pub async fn begin_roll_back(ctx: &TenantContext, id: ImportId) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::ImportsManage, Resource::Import(id)).await?;
    lock_line(&mut tx, ctx).await?;
    let state = lock_state(&mut tx, id).await?;
    if state == ImportState::RollingBack {
        return Err(wrong_state(state, "rolled back"));
    }
    if let Some(refused) = roll_back::refused_by_state(id, state) {
        return Err(refused);
    }
    roll_back::refuse_changed_later(&mut tx, id).await?;
    sqlx::query!(
        r#"
        update import
        set state = 'rolling_back', round = round + 1, failure = null, queued_at = $2,
          step = 'waiting', rows_done = null, rows_total = null, bytes_done = null, step_began_at = $2, alive_at = $2
        where id = $1
        "#,
        id.uuid(),
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    tx.audit(Event::new("import.begin_roll_back", "import", id.to_string())).await?;
    enqueue_next(&mut tx, ctx).await?;
    tx.commit().await
}

/// Takes away everything that was read from the file, and what it holds of the quota. The file itself is the caller's.
pub(super) async fn empty(tx: &mut Tx, id: ImportId) -> Result<(), Error> {
    sqlx::query!("delete from import_refusal where import_id = $1", id.uuid())
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    sqlx::query!(
        r#"
        update import
        set file_reserved_bytes = 0, findings = null, header = null, applied = null, settings = null, step = null
        where id = $1
        "#,
        id.uuid()
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}

/// The import's state, which stays until the end of the transaction.
pub(super) async fn lock_state(tx: &mut Tx, id: ImportId) -> Result<ImportState, Error> {
    let state = sqlx::query_scalar!("select state from import where id = $1 for no key update", id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or(Error::NotFound)?;
    stored(state.parse())
}

fn wrong_state(state: ImportState, act: &str) -> Error {
    let now = match state {
        ImportState::Uploading => "its file is still arriving",
        ImportState::Uploaded => "nobody has said yet what its columns mean",
        ImportState::Checking => "it is being checked",
        ImportState::Checked => "it is checked and waits to be started",
        ImportState::Importing => "it is being imported",
        ImportState::Done => "it is done",
        ImportState::Failed => "it has failed",
        ImportState::Cancelled => "it was cancelled",
        ImportState::RollingBack => "it is being rolled back",
        ImportState::RolledBack => "it was rolled back",
    };
    Error::Conflict(format!("This import cannot be {act}: {now}. Nothing was changed."))
}

/// Who enters or leaves the line of a tenant's imports holds this to the end of the transaction; else one could leave
/// without seeing who has just come, and nobody would go on. It is taken before the import's row.
pub(super) async fn lock_line(tx: &mut Tx, ctx: &TenantContext) -> Result<(), Error> {
    tx.lock(&format!("import line {}", ctx.tenant().id)).await
}

/// Sees to it that the first of the line has a job. Adding it again while it has one does nothing.
pub(super) async fn enqueue_next(tx: &mut Tx, ctx: &TenantContext) -> Result<(), Error> {
    let first = sqlx::query!(
        r#"
        select id, round, state
        from import
        where state in ('importing', 'rolling_back') and queued_at is not null
        order by queued_at, id
        limit 1
        "#
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let Some(first) = first else { return Ok(()) };
    let ticket = Ticket { tenant: ctx.tenant().id, import: first.id.into(), round: first.round };
    match stored(first.state.parse())? {
        ImportState::RollingBack => enqueue(tx, &RollBackImport(ticket)).await,
        _ => enqueue(tx, &RunImport(ticket)).await,
    }
}

async fn enqueue<J: Job>(tx: &mut Tx, job: &J) -> Result<(), Error> {
    rtv_jobs::enqueue(tx.queue(), job, None).await.map_err(|error| match error {
        rtv_jobs::Error::Database(error) => failed(error),
        other => {
            tracing::error!(error = %other, "a job cannot be enqueued");
            Error::Internal
        }
    })?;
    Ok(())
}
