//! Reading imports: the history page by page, and one import with all that its page shows.

use core::fmt;
use core::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::{Error, ImportId, ImportState, Permission};

use super::Counts;
use super::findings::Findings;
use super::meter::{Snapshot, Step};
use super::roll_back::RolledBack;
use super::settings::Settings;
use super::upload::KEEP_DAYS;
use crate::access::stored;
use crate::context::TenantContext;
use crate::transaction::{Resource, Tx, failed};

/// Imports on a page.
const PAGE: i64 = 25;
/// How many earlier imports of the same file are named.
const SAME_FILES: i64 = 5;
/// Without a sign of life for so long, the worker is gone and another will take over.
const STALE_SECONDS: f64 = 30.0;

/// One import with all that its page shows.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a button of the page")]
pub struct Import {
    /// Its id.
    pub id: ImportId,
    /// Where it stands.
    pub state: ImportState,
    /// The person's name for the file.
    pub file_name: String,
    /// Size of the file.
    pub bytes: u64,
    /// Digest of the file, once it is whole, in hexadecimal.
    pub sha256: Option<String>,
    /// What was said about reading it.
    pub settings: Option<Settings>,
    /// The mapping that was applied, as people call it.
    pub mapping_title: Option<String>,
    /// Of the check while it is only checked, of the import once it is done.
    pub counts: Option<Counts>,
    /// What the last look at the whole file found out.
    pub findings: Option<Findings>,
    /// How far the work is, while there is some.
    pub progress: Option<Progress>,
    /// Why it failed, or why its roll-back did not happen.
    pub failure: Option<String>,
    /// Who brought the file.
    pub actor: String,
    /// When the file came.
    pub created_at: DateTime<Utc>,
    /// When it was checked.
    pub checked_at: Option<DateTime<Utc>>,
    /// When it was started.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    pub rolled_back_at: Option<DateTime<Utc>>,
    /// What its roll-back took back.
    pub rolled_back: Option<RolledBack>,
    /// Until when the file is kept; `None` if it is gone.
    pub file_kept_until: Option<DateTime<Utc>>,
    /// Other imports of the same bytes, newest first.
    pub same_file: Vec<SameFile>,
    /// The import whose turn is first, while this one waits.
    pub takes_turn_after: Option<ImportId>,
    /// It can be checked, with other settings too.
    pub can_check: bool,
    /// It can be started.
    pub can_start: bool,
    /// It can be stopped.
    pub can_cancel: bool,
    /// It can be taken back, unless a later import has changed its posts.
    pub can_roll_back: bool,
}

/// Another import of the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SameFile {
    /// Its id.
    pub id: ImportId,
    /// What the file was called then.
    pub file_name: String,
    /// Where it stands.
    pub state: ImportState,
    /// When the file came.
    pub at: DateTime<Utc>,
}

/// How far the work on an import is, as its row says. Rows, bytes and times count within the step.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// What is being done.
    pub step: Step,
    /// Rows done in this step.
    pub rows: i64,
    /// Rows that the step has, where that is known.
    pub of_rows: Option<i64>,
    /// Bytes of the file that were read, or have arrived.
    pub bytes: u64,
    /// Bytes of the file, or as many as are expected.
    pub of_bytes: u64,
    /// How much of the step is done, from 0 to 1, where that can be known.
    pub fraction: Option<f64>,
    /// Rows a second since the step began.
    pub rows_per_second: Option<f64>,
    /// How long the step will still take at its speed so far.
    pub seconds_left: Option<u64>,
    /// How long the step has taken so far.
    pub seconds: u64,
    /// The last sign of life.
    pub at: DateTime<Utc>,
    /// There has been none for half a minute: the worker is gone, and another takes over.
    pub is_stale: bool,
}

/// One import with all that its page shows.
pub async fn one(ctx: &TenantContext, id: ImportId) -> Result<Import, Error> {
    let mut tx = ctx.begin_to_read(&[Permission::ImportsManage], Resource::Import(id)).await?;
    let row = sqlx::query!(
        r#"
        select
          state, file_name, file_bytes, file_sha256, settings, coalesce(mapping_title, mapping) as mapping_title, findings, failure,
          actor_label, created_at, checked_at, started_at, finished_at, rolled_back_at, posts_removed, posts_restored,
          file_reserved_bytes, rows_read, rows_new, rows_changed, rows_unchanged, rows_duplicate, rows_refused,
          step, rows_done, rows_total, bytes_done, step_began_at, alive_at
        from import
        where id = $1
        "#,
        id.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    let state: ImportState = stored(row.state.parse())?;
    let same_file = match &row.file_sha256 {
        Some(sha256) => same_file(&mut tx, id, sha256).await?,
        None => Vec::new(),
    };
    let waits = state.is_working() && row.step.as_deref() == Some(Step::Waiting.key());
    let takes_turn_after = if waits { ahead(&mut tx, id).await? } else { None };
    tx.rollback().await?;

    let findings: Option<Findings> = row.findings.map(|json| stored(serde_json::from_value(json))).transpose()?;
    let is_kept = row.file_reserved_bytes > 0 && state != ImportState::Uploading;
    let last = [row.checked_at, row.started_at, row.finished_at, row.rolled_back_at]
        .into_iter()
        .flatten()
        .fold(row.created_at, Ord::max);
    let progress = match (state.is_working(), row.alive_at) {
        (true, Some(at)) => {
            let step = match (&row.step, state) {
                (_, ImportState::Uploading) => Step::Reading,
                (Some(step), _) => stored(step.parse())?,
                (None, _) => Step::Waiting,
            };
            // While it is arriving, its row knows only how much was announced.
            let of_bytes = if state == ImportState::Uploading { row.file_reserved_bytes } else { row.file_bytes };
            let snapshot = Snapshot {
                step,
                rows: unsigned(row.rows_done),
                of_rows: row.rows_total.map(|rows| unsigned(Some(rows))),
                bytes: unsigned(row.bytes_done),
                of_bytes: unsigned(Some(of_bytes)),
            };
            let seconds = row.step_began_at.map(|began| (at - began).as_seconds_f64());
            Some(progress(&snapshot, seconds, (ctx.now() - at).as_seconds_f64(), at))
        }
        _ => None,
    };
    Ok(Import {
        id,
        state,
        file_name: row.file_name,
        bytes: unsigned(Some(row.file_bytes)),
        sha256: row.file_sha256.map(hex::encode),
        settings: row.settings.map(|json| stored(serde_json::from_value(json))).transpose()?,
        mapping_title: row.mapping_title,
        counts: counts(
            row.rows_read,
            [row.rows_new, row.rows_changed, row.rows_unchanged, row.rows_duplicate, row.rows_refused],
        ),
        progress,
        failure: row.failure,
        actor: row.actor_label,
        created_at: row.created_at,
        checked_at: row.checked_at,
        started_at: row.started_at,
        finished_at: row.finished_at,
        rolled_back_at: row.rolled_back_at,
        rolled_back: row
            .posts_removed
            .zip(row.posts_restored)
            .map(|(removed, restored)| RolledBack { removed, restored }),
        file_kept_until: is_kept.then(|| last + TimeDelta::days(KEEP_DAYS)),
        same_file,
        takes_turn_after,
        can_check: state.can_check() && is_kept,
        can_start: state == ImportState::Checked && findings.as_ref().is_some_and(|found| found.blocked.is_none()),
        can_cancel: state.can_cancel(),
        can_roll_back: state == ImportState::Done,
        findings,
    })
}

fn counts(read: Option<i64>, others: [Option<i64>; 5]) -> Option<Counts> {
    let [new, changed, unchanged, duplicate, refused] = others;
    Some(Counts {
        read: read?,
        new: new?,
        changed: changed?,
        unchanged: unchanged?,
        duplicate: duplicate?,
        refused: refused?,
    })
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates and seconds are told to people"
)]
fn progress(snapshot: &Snapshot, seconds: Option<f64>, silent: f64, at: DateTime<Utc>) -> Progress {
    // In the first half second a rate says nothing.
    let seconds = seconds.filter(|seconds| *seconds >= 0.5);
    let fraction = snapshot.fraction();
    Progress {
        step: snapshot.step,
        rows: i64::try_from(snapshot.rows).unwrap_or(i64::MAX),
        of_rows: snapshot.of_rows.map(|rows| i64::try_from(rows).unwrap_or(i64::MAX)),
        bytes: snapshot.bytes,
        of_bytes: snapshot.of_bytes,
        fraction,
        rows_per_second: seconds.filter(|_| snapshot.rows > 0).map(|seconds| snapshot.rows as f64 / seconds),
        seconds_left: match (seconds, fraction) {
            (Some(seconds), Some(fraction)) if fraction > 0.0 => {
                Some((seconds * (1.0 - fraction) / fraction).ceil() as u64)
            }
            _ => None,
        },
        seconds: seconds.unwrap_or_default() as u64,
        at,
        is_stale: snapshot.step != Step::Waiting && silent > STALE_SECONDS,
    }
}

async fn same_file(tx: &mut Tx, id: ImportId, sha256: &[u8]) -> Result<Vec<SameFile>, Error> {
    let rows = sqlx::query!(
        r#"
        select id, file_name, state, created_at
        from import
        where file_sha256 = $2 and id <> $1
        order by id desc
        limit $3
        "#,
        id.uuid(),
        sha256,
        SAME_FILES,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            Ok(SameFile {
                id: row.id.into(),
                file_name: row.file_name,
                state: stored(row.state.parse())?,
                at: row.created_at,
            })
        })
        .collect()
}

/// The import that is worked on while this one waits in the line.
async fn ahead(tx: &mut Tx, id: ImportId) -> Result<Option<ImportId>, Error> {
    let first = sqlx::query_scalar!(
        r#"
        select id
        from import
        where state in ('importing', 'rolling_back')
          and (queued_at, id) < (select mine.queued_at, mine.id from import as mine where mine.id = $1)
        order by queued_at, id
        limit 1
        "#,
        id.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    Ok(first.map(ImportId::from))
}

/// Where a page of the history starts: after this import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(ImportId);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Cursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| "this is not a place in the list".to_owned())
    }
}

/// One page of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Newest first.
    pub imports: Vec<ListedImport>,
    /// Where the next page starts, if there is one.
    pub next: Option<Cursor>,
}

/// An import in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedImport {
    /// Its id.
    pub id: ImportId,
    /// Where it stands.
    pub state: ImportState,
    /// The person's name for the file.
    pub file_name: String,
    /// Size of the file.
    pub bytes: u64,
    /// What became of the rows, or would.
    pub counts: Option<Counts>,
    /// The mapping that was applied, as people call it.
    pub mapping_title: Option<String>,
    /// Who brought the file.
    pub actor: String,
    /// When the file came.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why it failed.
    pub failure: Option<String>,
}

/// The history, newest first, a page at a time.
pub async fn list(ctx: &TenantContext, after: Option<Cursor>) -> Result<Listing, Error> {
    list_some(ctx, after, PAGE).await
}

/// The same, at most so many imports.
pub async fn list_some(ctx: &TenantContext, after: Option<Cursor>, limit: i64) -> Result<Listing, Error> {
    let mut tx = ctx.begin_to_read(&[Permission::ImportsManage], Resource::Imports).await?;
    let rows = sqlx::query!(
        r#"
        select
          id, state, file_name, file_bytes, coalesce(mapping_title, mapping) as mapping_title, actor_label, created_at,
          finished_at, failure, rows_read, rows_new, rows_changed, rows_unchanged, rows_duplicate, rows_refused
        from import
        where $1::uuid is null or id < $1
        order by id desc
        limit $2
        "#,
        after.map(|after| after.0.uuid()),
        limit + 1,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > page;
    let imports: Vec<ListedImport> = rows
        .into_iter()
        .take(page)
        .map(|row| {
            Ok(ListedImport {
                id: row.id.into(),
                state: stored(row.state.parse())?,
                file_name: row.file_name,
                bytes: unsigned(Some(row.file_bytes)),
                counts: counts(
                    row.rows_read,
                    [row.rows_new, row.rows_changed, row.rows_unchanged, row.rows_duplicate, row.rows_refused],
                ),
                mapping_title: row.mapping_title,
                actor: row.actor_label,
                created_at: row.created_at,
                finished_at: row.finished_at,
                failure: row.failure,
            })
        })
        .collect::<Result<_, Error>>()?;
    let next = imports.last().filter(|_| has_more).map(|last| Cursor(last.id));
    Ok(Listing { imports, next })
}

/// Counts are never negative; the table holds that.
fn unsigned(count: Option<i64>) -> u64 {
    u64::try_from(count.unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_comes_from_the_speed_so_far() {
        let at = "2026-11-21T09:00:00Z".parse().unwrap();
        let reading = Snapshot { step: Step::Reading, rows: 1_000, of_rows: None, bytes: 250, of_bytes: 1_000 };
        let told = progress(&reading, Some(10.0), 0.0, at);
        assert_eq!((told.rows_per_second, told.seconds_left, told.seconds), (Some(100.0), Some(30), 10));
        let fresh = progress(&reading, Some(0.1), 31.0, at);
        assert_eq!((fresh.rows_per_second, fresh.seconds_left, fresh.is_stale), (None, None, true));
        let waiting = progress(&Snapshot::default(), Some(900.0), 900.0, at);
        assert_eq!((waiting.fraction, waiting.seconds_left, waiting.is_stale), (None, None, false));
    }
}
