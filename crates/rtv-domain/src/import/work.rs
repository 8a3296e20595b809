//! What a worker does with an import: check it, write it, take it back. A job may run twice, begin again after a crash,
//! or come too late; it goes by the import's row: it carries the number of the round that it belongs to, and what it
//! writes, it writes in one transaction together with the state that follows. While that transaction is open, others of
//! a few milliseconds write how far it is and read whether somebody has cancelled it.
//!
//! Where nothing changes any more (the tenant was suspended, or there is maintenance), work stops within a second and what
//! it did is undone; its import waits as it waited before, and its job comes back until the work may be done.

use core::time::Duration;
use std::path::Path;
use std::pin::pin;

use rtv_core::{AccountId, Error, ImportId, ImportState, News, Permission, ReadOnly, TenantId};
use rtv_jobs::Job;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::meter::Meter;
use super::roll_back::take_back;
use super::settings::Applied;
use super::upload::Uploads;
use super::{DuplicateRule, begin, findings, prepare_for_sets, staging, steps, store};
use crate::access::{self, stored};
use crate::audit::{Event, Outcome};
use crate::context::{Context, TenantContext};
use crate::news::{self, About, Message};
use crate::transaction::{Resource, failed};

/// Which import, and which of the works that were begun on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The tenant.
    pub tenant: TenantId,
    /// The import.
    pub import: ImportId,
    /// Number of the work: a job with another one is late and does nothing.
    pub round: i64,
}

impl Ticket {
    fn key(self) -> String {
        format!("{}-{}", self.import, self.round)
    }
}

/// How long one attempt may take: a gigabyte takes minutes, so this is for what hangs.
const TIMEOUT: Duration = Duration::from_hours(3);
/// Attempts: a worker that is killed counts as one.
const ATTEMPTS: u16 = 6;

macro_rules! jobs {
    ($($(#[$doc:meta])* $name:ident = $kind:literal, $attempts:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Serialize, Deserialize)]
        pub struct $name(pub Ticket);

        impl Job for $name {
            const KIND: &'static str = $kind;
            const MAX_ATTEMPTS: u16 = $attempts;
            const TIMEOUT: Duration = TIMEOUT;

            fn tenant(&self) -> Option<Uuid> {
                Some(self.0.tenant.uuid())
            }

            fn unique_key(&self) -> Option<String> {
                Some(self.0.key())
            }
        }
    )*};
}

jobs! {
    /// Counts what a file would do.
    CheckImport = "import.check", ATTEMPTS;
    /// Writes a file's posts.
    RunImport = "import.run", ATTEMPTS;
    /// Takes an import back.
    RollBackImport = "import.roll_back", ATTEMPTS;
}

/// How often the row is asked whether it was cancelled; every other time it is told how far the work is.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// How often a statement that is to stop is interrupted; between two statements an interruption meets nothing.
const INTERRUPT_EVERY: Duration = Duration::from_millis(50);

/// Checks a file. An error means that another attempt may help; `is_last` says that there will be none. After
/// [`Error::ReadOnly`] it has to wait, which is no attempt.
pub async fn check(ctx: &Context, uploads: &Uploads, ticket: Ticket, is_last: bool) -> Result<(), Error> {
    let Some((ctx, import)) = take_up(ctx, ticket, ImportState::Checking).await? else { return Ok(()) };
    let path = uploads.path(ticket.tenant, ticket.import);
    let meter = Meter::default();
    let work = Box::pin(check_file(&ctx, ticket, &import, &path, &meter));
    let end = watched(&ctx, ticket, ImportState::Checking, &meter, work).await;
    settle(&ctx, ticket, ImportState::Checking, end, is_last).await
}

/// Writes a checked file's posts, when it is its tenant's turn. Errors as for [`check`].
pub async fn run(ctx: &Context, uploads: &Uploads, ticket: Ticket, is_last: bool) -> Result<(), Error> {
    let Some((ctx, import)) = take_up(ctx, ticket, ImportState::Importing).await? else { return Ok(()) };
    let path = uploads.path(ticket.tenant, ticket.import);
    let meter = Meter::default();
    let work = Box::pin(write_file(&ctx, ticket, &import, &path, &meter));
    let end = watched(&ctx, ticket, ImportState::Importing, &meter, work).await;
    settle(&ctx, ticket, ImportState::Importing, end, is_last).await
}

/// Takes an import back, when it is its tenant's turn. Errors as for [`check`].
pub async fn roll_back(ctx: &Context, ticket: Ticket, is_last: bool) -> Result<(), Error> {
    let Some((ctx, _)) = take_up(ctx, ticket, ImportState::RollingBack).await? else { return Ok(()) };
    let meter = Meter::default();
    let work = Box::pin(async {
        let mut tx = begin(&ctx, Resource::Import(ticket.import), &meter).await?;
        if !is_current(&mut tx, ticket, ImportState::RollingBack).await? {
            return tx.rollback().await;
        }
        take_back(&ctx, &mut tx, ticket.import, &meter).await?;
        access::refuse_read_only_now(&mut tx, ticket.tenant).await?;
        tx.commit().await
    });
    let end = watched(&ctx, ticket, ImportState::RollingBack, &meter, work).await;
    settle(&ctx, ticket, ImportState::RollingBack, end, is_last).await
}

/// What a job needs to know of its import.
struct TakenUp {
    applied: Option<Applied>,
    rule: DuplicateRule,
    sha256: Option<Vec<u8>>,
}

/// Enters the tenant and reads the import. `None` if there is nothing to do any more.
async fn take_up(
    ctx: &Context,
    ticket: Ticket,
    expected: ImportState,
) -> Result<Option<(TenantContext, TakenUp)>, Error> {
    let ctx = match access::enter_to_work(ctx, ticket.tenant).await {
        Ok(ctx) => ctx,
        Err(Error::NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut tx = ctx.begin_to_read(&[Permission::ImportsManage], Resource::Import(ticket.import)).await?;
    let row = sqlx::query!(
        "select applied, duplicate_rule, file_sha256 from import where id = $1 and round = $2 and state = $3",
        ticket.import.uuid(),
        ticket.round,
        expected.key(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    let Some(row) = row else { return Ok(None) };
    ctx.refuse_read_only()?;
    let import = TakenUp {
        applied: row.applied.map(|json| stored(serde_json::from_value(json))).transpose()?,
        rule: match row.duplicate_rule {
            Some(rule) => stored(rule.parse())?,
            None => DuplicateRule::default(),
        },
        sha256: row.file_sha256,
    };
    Ok(Some((ctx, import)))
}

async fn check_file(
    ctx: &TenantContext,
    ticket: Ticket,
    import: &TakenUp,
    path: &Path,
    meter: &Meter,
) -> Result<(), Error> {
    let applied = import.applied.as_ref().ok_or(Error::Internal)?;
    let mut tx = ctx.begin(Permission::ImportsManage, Resource::Import(ticket.import)).await?;
    prepare_for_sets(&mut tx, meter).await?;
    let file = read_kept(ctx, &mut tx, path, applied, import, meter).await?;
    let mut judged = findings::judge(&mut tx, import.rule, &file, meter).await?;
    judged.findings.over_limit = findings::over_limit(&mut tx, ticket.tenant).await?;
    store::keep_refusals(&mut tx, ticket.import).await?;
    let counts = judged.counts;
    let accounts = store::named_accounts(&mut tx).await?;
    // Before the row, as everywhere.
    steps::lock_line(&mut tx, ctx).await?;
    let starts_by_itself = sqlx::query_scalar!(
        r#"
        update import
        set state = 'checked', checked_at = $3, findings = $4, notes = $5, step = null,
          rows_read = $6, rows_new = $7, rows_changed = $8, rows_unchanged = $9, rows_duplicate = $10, rows_refused = $11,
          account_ids = $12
        where id = $1 and round = $2 and state = 'checking'
        returning starts_by_itself
        "#,
        ticket.import.uuid(),
        ticket.round,
        ctx.now(),
        json!(judged.findings),
        json!(file.notes),
        counts.read,
        counts.new,
        counts.changed,
        counts.unchanged,
        counts.duplicate,
        counts.refused,
        &accounts[..],
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    access::refuse_read_only_now(&mut tx, ticket.tenant).await?;
    let Some(starts_by_itself) = starts_by_itself else { return tx.rollback().await };
    if starts_by_itself && judged.findings.blocked.is_none() && judged.findings.over_limit.is_none() {
        steps::set_off(ctx, &mut tx, ticket.import).await?;
    }
    tx.commit().await
}

async fn write_file(
    ctx: &TenantContext,
    ticket: Ticket,
    import: &TakenUp,
    path: &Path,
    meter: &Meter,
) -> Result<(), Error> {
    let applied = import.applied.as_ref().ok_or(Error::Internal)?;
    let mut tx = begin(ctx, Resource::Import(ticket.import), meter).await?;
    // Waiting for the turn took its time.
    if !is_current(&mut tx, ticket, ImportState::Importing).await? {
        return tx.rollback().await;
    }
    let file = read_kept(ctx, &mut tx, path, applied, import, meter).await?;
    let judged = store::add_and_judge(ctx, &mut tx, ticket.import, import.rule, &file, meter).await?;
    if let Some(blocked) = judged.findings.refused_by_rule(import.rule) {
        return Err(Error::Conflict(format!("{blocked}.")));
    }
    store::write(ctx, &mut tx, ticket.import, &judged, meter).await?;
    steps::lock_line(&mut tx, ctx).await?;
    if !store::finish(ctx, &mut tx, ticket.import, ticket.round, &file, &judged).await? {
        return tx.rollback().await;
    }
    steps::enqueue_next(&mut tx, ctx).await?;
    access::refuse_read_only_now(&mut tx, ticket.tenant).await?;
    tx.commit().await
}

/// Reads the uploaded file, and refuses one that is not what was uploaded.
async fn read_kept(
    ctx: &TenantContext,
    tx: &mut crate::transaction::Tx,
    path: &Path,
    applied: &Applied,
    import: &TakenUp,
    meter: &Meter,
) -> Result<staging::FileFacts, Error> {
    if !tokio::fs::try_exists(path).await.unwrap_or(false) {
        // Another worker may see it; in the end this is told to the person.
        return Err(Error::Unavailable(
            "The uploaded file is not to be found on this machine. Upload it again; if that happens again, tell your operator that all workers must see one folder of uploads.".into(),
        ));
    }
    let file = staging::read(ctx, tx, path, applied, meter).await?;
    if import.sha256.as_deref().is_some_and(|expected| expected != file.sha256) {
        return Err(Error::Conflict(
            "The stored file is not what was uploaded any more. Nothing was stored. Upload it again.".into(),
        ));
    }
    Ok(file)
}

async fn is_current(tx: &mut crate::transaction::Tx, ticket: Ticket, state: ImportState) -> Result<bool, Error> {
    sqlx::query_scalar!(
        r#"select exists (select 1 from import where id = $1 and round = $2 and state = $3) as "exists!""#,
        ticket.import.uuid(),
        ticket.round,
        state.key(),
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)
}

/// How a piece of work ended.
enum End {
    /// By itself.
    Returned(Result<(), Error>),
    /// Because the import is not in the work's state any more.
    Stopped,
    /// Because nothing may change for now.
    Held(ReadOnly),
}

/// Does the work, and beside it tells the import's row how far it is. When the row says that the work is not wanted any
/// more, the database's process is interrupted and what it did undone.
async fn watched(
    ctx: &TenantContext,
    ticket: Ticket,
    state: ImportState,
    meter: &Meter,
    work: impl Future<Output = Result<(), Error>>,
) -> End {
    let mut work = pin!(work);
    // Both are polled by one select, so that telling never holds up the work; nor does it wait for a lock of its own work.
    let told = async {
        // The first word after a moment: until then the row says that the work waits, which is true enough.
        tokio::time::sleep(ASK_EVERY / 4).await;
        for turn in 0_u64.. {
            let is_wanted =
                if turn % 2 == 0 { tell(ctx, ticket, state, meter).await } else { ask(ctx, ticket, state).await };
            match is_wanted {
                Ok(true) => {}
                Ok(false) => return None,
                Err(Error::ReadOnly(reason)) => return Some(reason),
                Err(error) => {
                    tracing::debug!(import = %ticket.import, %error, "how far an import is could not be told");
                }
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
        None
    };
    let held = tokio::select! {
        end = &mut work => return End::Returned(end),
        held = told => held,
    };
    meter.stop();
    loop {
        tokio::select! {
            end = &mut work => {
                if let Err(error) = end {
                    tracing::debug!(import = %ticket.import, %error, "the work on an import was stopped");
                }
                return held.map_or(End::Stopped, End::Held);
            }
            () = tokio::time::sleep(INTERRUPT_EVERY) => interrupt(ctx, ticket, meter).await,
        }
    }
}

/// Writes how far the work is. False if the row says that the work is over.
async fn tell(ctx: &TenantContext, ticket: Ticket, state: ImportState, meter: &Meter) -> Result<bool, Error> {
    let at = meter.snapshot();
    let count = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
    let mut tx = ctx.begin(Permission::ImportsManage, Resource::Import(ticket.import)).await?;
    let updated = sqlx::query!(
        r#"
        update import
        set step_began_at = case when step is distinct from $4 then $8 else step_began_at end,
          step = $4, rows_done = $5, rows_total = $6, bytes_done = $7, alive_at = $8
        where id = $1 and round = $2 and state = $3
        "#,
        ticket.import.uuid(),
        ticket.round,
        state.key(),
        at.step.key(),
        count(at.rows),
        at.of_rows.map(count),
        count(at.bytes),
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    access::refuse_read_only_now(&mut tx, ticket.tenant).await?;
    tx.commit().await?;
    Ok(updated > 0)
}

async fn ask(ctx: &TenantContext, ticket: Ticket, state: ImportState) -> Result<bool, Error> {
    let mut tx = ctx.begin_to_read(&[Permission::ImportsManage], Resource::Import(ticket.import)).await?;
    let is_current = is_current(&mut tx, ticket, state).await?;
    access::refuse_read_only_now(&mut tx, ticket.tenant).await?;
    tx.rollback().await?;
    Ok(is_current)
}

/// Interrupts the statement that the work waits for.
async fn interrupt(ctx: &TenantContext, ticket: Ticket, meter: &Meter) {
    let Some(backend) = meter.backend() else { return };
    let interrupted = async {
        let mut tx = ctx.begin_to_read(&[Permission::ImportsManage], Resource::Import(ticket.import)).await?;
        sqlx::query_scalar!(r#"select pg_cancel_backend($1) as "was_there!""#, backend)
            .fetch_one(tx.connection())
            .await
            .map_err(failed)?;
        tx.rollback().await
    };
    if let Err(error) = interrupted.await {
        tracing::warn!(import = %ticket.import, %error, "an import that was cancelled could not be interrupted yet");
    }
}

/// Writes how the work ended where the work could not do so itself.
async fn settle(ctx: &TenantContext, ticket: Ticket, state: ImportState, end: End, is_last: bool) -> Result<(), Error> {
    let error = match end {
        End::Stopped | End::Returned(Ok(())) => return Ok(()),
        End::Held(reason) => Error::ReadOnly(reason),
        End::Returned(Err(error)) => error,
    };
    if matches!(error, Error::ReadOnly(_)) {
        wait(ctx, ticket, state).await?;
        return Err(error);
    }
    let is_for_good = !matches!(error, Error::Unavailable(_) | Error::Internal);
    if !is_for_good && !is_last {
        return Err(error);
    }
    fail(ctx, ticket, state, &sentence(&error)).await
}

/// The import waits again, as before the work was begun: how far it was means nothing any more.
async fn wait(ctx: &TenantContext, ticket: Ticket, state: ImportState) -> Result<(), Error> {
    let mut tx = ctx.begin_to_tidy(Permission::ImportsManage, Resource::Import(ticket.import)).await?;
    sqlx::query!(
        r#"
        update import
        set step = 'waiting', rows_done = null, rows_total = null, bytes_done = null, step_began_at = $4, alive_at = $4
        where id = $1 and round = $2 and state = $3
        "#,
        ticket.import.uuid(),
        ticket.round,
        state.key(),
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    tx.commit().await
}

fn sentence(error: &Error) -> String {
    match error {
        // The name of a field belongs to a form that is not there any more.
        Error::Invalid(errors) => errors.iter().map(|one| one.message.clone()).collect::<Vec<_>>().join(" "),
        Error::Internal => {
            "Something failed on our side. Nothing was stored. Try again; if it fails again, tell your operator.".into()
        }
        other => other.to_string(),
    }
}

/// The work is given up: nothing of it is there, and the row says why.
pub(super) async fn fail(ctx: &TenantContext, ticket: Ticket, state: ImportState, reason: &str) -> Result<(), Error> {
    // A roll-back that does not happen leaves the import as it was.
    let after = if state == ImportState::RollingBack { ImportState::Done } else { ImportState::Failed };
    let mut tx = ctx.begin(Permission::ImportsManage, Resource::Import(ticket.import)).await?;
    steps::lock_line(&mut tx, ctx).await?;
    let failed_import = sqlx::query!(
        r#"
        update import
        set state = $4, failure = $5, step = null,
          finished_at = case when $4 = 'failed' then $6 else finished_at end
        where id = $1 and round = $2 and state = $3
        returning file_name, account_ids
        "#,
        ticket.import.uuid(),
        ticket.round,
        state.key(),
        after.key(),
        reason,
        ctx.now(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    if let Some(row) = failed_import {
        let event = Event::new("import.fail", "import", ticket.import.to_string())
            .outcome(Outcome::Error)
            .detail(reason)
            .before(json!({ "state": state }));
        tx.audit(event).await?;
        let accounts: Vec<AccountId> = row.account_ids.into_iter().map(AccountId::from).collect();
        let (subject, text) = if after == ImportState::Failed {
            (
                format!("the import of {} failed", row.file_name),
                format!("The import of “{}” failed, and nothing of it was stored: {reason}", row.file_name),
            )
        } else {
            (
                format!("the import of {} was not taken back", row.file_name),
                format!(
                    "Taking back the import of “{}” failed, and its posts are still there: {reason}",
                    row.file_name
                ),
            )
        };
        let message = Message { subject, text, page: format!("/imports/{}", ticket.import) };
        news::tell(ctx, &mut tx, About::Accounts(&accounts), News::Imports, message).await?;
        steps::enqueue_next(&mut tx, ctx).await?;
    }
    tx.commit().await
}
