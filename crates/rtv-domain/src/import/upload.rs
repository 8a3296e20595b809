//! Files on their way in: streamed to a folder of ours while they are hashed, under a quota that is taken before the
//! bytes are, refused by what they hold and not by what they are called. A file lies under ids of ours; the person's
//! name for it is only ever shown. Its row says how many bytes it may hold, so that a crash leaves nothing that the sweep
//! does not find.

use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtv_core::{Error, ImportId, ImportState, Limit, Permission, TenantId};
use rtv_import::{Encoding, ImportError};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

use super::settings::{refused_file, with_file};
use crate::access::stored;
use crate::audit::Event;
use crate::context::TenantContext;
use crate::limit;
use crate::transaction::{Resource, Tx, failed};

/// A file is removed so many days after the last thing that happened to its import; at once when that is cancelled.
pub const KEEP_DAYS: i64 = 7;
/// Bytes that are reserved at a time where the sender does not say how many will come.
const RESERVED_STEP: u64 = 64 * 1_024 * 1_024;
/// How much is gathered before the file's kind is judged; what the reader itself goes by.
const JUDGED: usize = 64 * 1_024;
/// How often an upload says that it is alive, and hears that it was cancelled.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// Longest name that is shown.
const NAME_CHARACTERS: usize = 200;

/// Most bytes of uploads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of one file.
    pub file_bytes: u64,
    /// Of all files that are kept for one tenant, those that are still arriving included.
    pub tenant_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file_bytes: 1_073_741_824, tenant_bytes: 5 * 1_073_741_824 }
    }
}

/// Where uploads lie. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Uploads {
    folder: Arc<Path>,
    limits: Limits,
}

/// A file that is still there.
pub(super) struct KeptFile {
    pub(super) path: PathBuf,
    pub(super) read_as: Option<Encoding>,
}

impl Uploads {
    /// Files go to this folder, which is made when the first one comes. Every worker must see the same folder.
    pub fn new(folder: PathBuf, limits: Limits) -> Self {
        Self { folder: folder.into(), limits }
    }

    /// Most bytes.
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn path(&self, tenant: TenantId, id: ImportId) -> PathBuf {
        self.folder.join(tenant.uuid().simple().to_string()).join(id.uuid().simple().to_string())
    }

    /// The file of an import whose row says that it is kept.
    pub(super) async fn kept_file(&self, ctx: &TenantContext, tx: &mut Tx, id: ImportId) -> Result<KeptFile, Error> {
        let row = sqlx::query!("select state, file_reserved_bytes, read_as from import where id = $1", id.uuid())
            .fetch_optional(tx.connection())
            .await
            .map_err(failed)?
            .ok_or(Error::NotFound)?;
        let state: ImportState = stored(row.state.parse())?;
        if state == ImportState::Uploading {
            return Err(Error::Conflict("The file is still arriving. Wait until it is there.".into()));
        }
        if row.file_reserved_bytes == 0 {
            return Err(Error::Conflict(format!(
                "The file of this import is not kept any more: files go {KEEP_DAYS} days after the last thing that happened to their import. Upload it again."
            )));
        }
        let read_as = row.read_as.map(|key| stored(key.parse())).transpose()?;
        Ok(KeptFile { path: self.path(ctx.tenant().id, id), read_as })
    }

    /// Removes a file; one that is gone is fine.
    pub(super) async fn remove(&self, tenant: TenantId, id: ImportId) {
        let path = self.path(tenant, id);
        if let Err(error) = tokio::fs::remove_file(&path).await
            && error.kind() != ErrorKind::NotFound
        {
            tracing::error!(path = %path.display(), %error, "an uploaded file cannot be removed; the sweep tries again");
        }
    }
}

/// What a tenant's files take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of files that are kept or arriving.
    pub used_bytes: u64,
    /// Most that they may be.
    pub of_bytes: u64,
    /// How many files.
    pub files: i64,
}

/// What the tenant's files take.
pub async fn usage(ctx: &TenantContext, uploads: &Uploads) -> Result<Usage, Error> {
    let mut tx = ctx.begin_to_read(&[Permission::ImportsManage], Resource::Imports).await?;
    let row = sqlx::query!(
        r#"
        select coalesce(sum(file_reserved_bytes), 0)::bigint as "used!", count(*) as "files!"
        from import
        where file_reserved_bytes > 0
        "#
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let most = limit::most(&mut tx, ctx.tenant().id, Limit::StorageGb).await?;
    tx.rollback().await?;
    let of_plan =
        most.and_then(|most| u64::try_from(most.saturating_mul(rtv_core::limit::GB)).ok()).unwrap_or(u64::MAX);
    Ok(Usage {
        used_bytes: u64::try_from(row.used).unwrap_or_default(),
        of_bytes: uploads.limits.tenant_bytes.min(of_plan),
        files: row.files,
    })
}

/// A file on its way in. Dropped before [`Upload::finish`], nothing of it stays.
#[derive(Debug)]
pub struct Upload {
    ctx: TenantContext,
    uploads: Uploads,
    id: ImportId,
    path: PathBuf,
    file: tokio::fs::File,
    hasher: Sha256,
    /// The file's beginning, until it was judged.
    head: Option<Vec<u8>>,
    bytes: u64,
    reserved: u64,
    told: Instant,
    is_finished: bool,
}

/// Takes a place for a file. `announced_bytes` is what the sender says that will come at most.
pub async fn begin(
    ctx: &TenantContext,
    uploads: &Uploads,
    file_name: &str,
    announced_bytes: Option<u64>,
) -> Result<Upload, Error> {
    let mut tx = ctx.begin(Permission::ImportsManage, Resource::Imports).await?;
    let limits = uploads.limits;
    // What surrounds a file in a form is a few hundred bytes; a file that is just too large is found out as it comes.
    if announced_bytes.is_some_and(|announced| announced.saturating_sub(JUDGED as u64) > limits.file_bytes) {
        return Err(too_large(limits.file_bytes));
    }
    let reserved = announced_bytes.unwrap_or(RESERVED_STEP).clamp(1, limits.file_bytes);
    lock_quota(&mut tx, ctx).await?;
    check_quota(&mut tx, ctx.tenant().id, limits, reserved).await?;
    let id = ImportId::from(Uuid::now_v7());
    sqlx::query!(
        r#"
        insert into import (
          tenant_id, id, file_name, file_bytes, state, file_reserved_bytes, actor_label, created_at, alive_at
        )
        values ($1, $2, $3, 0, 'uploading', $4, $5, $6, $6)
        "#,
        ctx.tenant().id.uuid(),
        id.uuid(),
        shown_name(file_name),
        count(reserved),
        ctx.context().actor().label(),
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    tx.commit().await?;

    let path = uploads.path(ctx.tenant().id, id);
    let file = create(&path).await;
    let mut upload = match file {
        Ok(file) => Upload {
            ctx: ctx.clone(),
            uploads: uploads.clone(),
            id,
            path,
            file,
            hasher: Sha256::new(),
            head: Some(Vec::new()),
            bytes: 0,
            reserved,
            told: Instant::now(),
            is_finished: false,
        },
        Err(error) => {
            forget(ctx, id).await?;
            return Err(cannot_store(&path, &error));
        }
    };
    upload.file.set_max_buf_size(256 * 1_024);
    Ok(upload)
}

impl Upload {
    /// Its import.
    pub const fn id(&self) -> ImportId {
        self.id
    }

    /// Takes the next bytes. After an error nothing more may be written; dropping it removes what is there.
    pub async fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.bytes += piece.len() as u64;
        if self.bytes > self.uploads.limits.file_bytes {
            return Err(too_large(self.uploads.limits.file_bytes));
        }
        if let Some(head) = &mut self.head {
            head.extend_from_slice(&piece[..piece.len().min(JUDGED - head.len())]);
            if head.len() == JUDGED {
                refuse_by_content(head)?;
                self.head = None;
            }
        }
        if self.bytes > self.reserved || self.told.elapsed() >= TELL_EVERY {
            self.reserve().await?;
        }
        self.hasher.update(piece);
        self.file.write_all(piece).await.map_err(|error| cannot_store(&self.path, &error))
    }

    /// Takes more of the quota where it is needed, and hears whether the import was cancelled.
    async fn reserve(&mut self) -> Result<(), Error> {
        let limits = self.uploads.limits;
        let more = if self.bytes > self.reserved {
            (self.bytes + RESERVED_STEP).min(limits.file_bytes) - self.reserved
        } else {
            0
        };
        let mut tx = self.ctx.begin(Permission::ImportsManage, Resource::Import(self.id)).await?;
        if more > 0 {
            lock_quota(&mut tx, &self.ctx).await?;
            check_quota(&mut tx, self.ctx.tenant().id, limits, more).await?;
        }
        let updated = sqlx::query!(
            r#"
            update import
            set file_reserved_bytes = file_reserved_bytes + $2, bytes_done = $3, alive_at = $4
            where id = $1 and state = 'uploading'
            "#,
            self.id.uuid(),
            count(more),
            count(self.bytes),
            self.ctx.now(),
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?
        .rows_affected();
        tx.commit().await?;
        if updated == 0 {
            return Err(was_cancelled());
        }
        self.reserved += more;
        self.told = Instant::now();
        Ok(())
    }

    /// The file is whole: it is judged, and waits for a person to say what its columns mean.
    pub async fn finish(mut self) -> Result<ImportId, Error> {
        if self.bytes == 0 {
            return Err(refused_file(&ImportError::Empty));
        }
        let stored = async {
            self.file.flush().await?;
            self.file.sync_all().await
        };
        stored.await.map_err(|error| cannot_store(&self.path, &error))?;
        let read_as = with_file(&self.path, |file| match rtv_import::sample_seekable(file, None, None) {
            Ok(sample) => Ok(Some(sample.sniffed.read_as)),
            // The person may know what we cannot find out, and say so.
            Err(ImportError::UnsupportedEncoding { .. }) => Ok(None),
            Err(error) => Err(error),
        })
        .await?;
        let sha256 = core::mem::take(&mut self.hasher).finalize();

        let mut tx = self.ctx.begin(Permission::ImportsManage, Resource::Import(self.id)).await?;
        let updated = sqlx::query!(
            r#"
            update import
            set state = 'uploaded', file_bytes = $2, file_reserved_bytes = $2, file_sha256 = $3, read_as = $4,
              bytes_done = null, alive_at = null
            where id = $1 and state = 'uploading'
            returning file_name
            "#,
            self.id.uuid(),
            count(self.bytes),
            &sha256[..],
            read_as.map(Encoding::key),
        )
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or_else(was_cancelled)?;
        let after = json!({ "file": updated.file_name, "bytes": self.bytes, "sha256": hex::encode(sha256) });
        tx.audit(Event::new("import.upload", "import", self.id.to_string()).after(after)).await?;
        tx.commit().await?;
        self.is_finished = true;
        Ok(self.id)
    }

    /// The sender has failed: nothing of the file stays, and that is so when this returns.
    pub async fn discard(mut self) -> Result<(), Error> {
        self.is_finished = true;
        self.uploads.remove(self.ctx.tenant().id, self.id).await;
        forget(&self.ctx, self.id).await
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        // A name that is gone frees its bytes when the open file is closed, which is now.
        if let Err(error) = std::fs::remove_file(&self.path)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::error!(path = %self.path.display(), %error, "an unfinished upload cannot be removed; the sweep tries again");
        }
        let (ctx, id) = (self.ctx.clone(), self.id);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = forget(&ctx, id).await {
                    tracing::warn!(import = %id, %error, "an unfinished upload is still listed; the sweep removes it");
                }
            });
        }
    }
}

/// Takes back the row of an upload that came to nothing.
async fn forget(ctx: &TenantContext, id: ImportId) -> Result<(), Error> {
    let mut tx = ctx.begin_to_tidy(Permission::ImportsManage, Resource::Import(id)).await?;
    sqlx::query!("delete from import where id = $1 and state = 'uploading'", id.uuid())
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    tx.commit().await
}

/// One reservation of a tenant at a time: two could each find the room that is left for one.
async fn lock_quota(tx: &mut Tx, ctx: &TenantContext) -> Result<(), Error> {
    limit::lock(tx, ctx.tenant().id, Limit::StorageGb).await
}

async fn check_quota(tx: &mut Tx, tenant: TenantId, limits: Limits, more: u64) -> Result<(), Error> {
    limit::refuse_storage(tx, tenant, count(more)).await?;
    let used = sqlx::query_scalar!(
        r#"select coalesce(sum(file_reserved_bytes), 0)::bigint as "used!" from import where file_reserved_bytes > 0"#
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let used = u64::try_from(used).unwrap_or_default();
    if used + more > limits.tenant_bytes {
        return Err(Error::Limit {
            message: format!(
                "Uploaded files of this organisation may take {} at a time, and {} are taken. Cancel an import that is not needed, or wait: a file is removed {KEEP_DAYS} days after the last thing that happened to its import.",
                shown_bytes(limits.tenant_bytes),
                shown_bytes(used)
            ),
            seconds: 3_600,
        });
    }
    Ok(())
}

fn refuse_by_content(head: &[u8]) -> Result<(), Error> {
    match rtv_import::sniff(head) {
        Err(error @ ImportError::NotText { .. }) => Err(refused_file(&error)),
        // Everything else may look different once the file is whole.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// A new file that only we can read, in folders that only we can enter.
async fn create(path: &Path) -> std::io::Result<tokio::fs::File> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || {
        if let Some(folder) = path.parent() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
    })
    .await
    .map_err(std::io::Error::other)?
    .map(tokio::fs::File::from_std)
}

fn cannot_store(path: &Path, error: &std::io::Error) -> Error {
    tracing::error!(path = %path.display(), %error, "an upload cannot be stored");
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::Unavailable(
            "There is no room left for files on our side. Nothing was kept. Tell your operator, and try again later."
                .into(),
        ),
        _ => Error::Internal,
    }
}

fn too_large(limit: u64) -> Error {
    Error::invalid(
        "file",
        format!(
            "The file is larger than {}, the most that is accepted. Split it, and import the parts one after the other.",
            shown_bytes(limit)
        ),
    )
}

fn was_cancelled() -> Error {
    Error::Conflict("The upload was cancelled. Nothing of the file was kept.".into())
}

/// A size as people say it: in whole units where it is one, else with one decimal.
fn shown_bytes(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")];
    let Some((unit, name)) = UNITS.into_iter().find(|(unit, _)| bytes >= *unit) else {
        return format!("{bytes} bytes");
    };
    match bytes * 10 / unit % 10 {
        0 => format!("{} {name}", bytes / unit),
        tenth => format!("{}.{tenth} {name}", bytes / unit),
    }
}

/// The person's name for the file, fit to be shown: the last part of a path, one line, not endless.
fn shown_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|one| !one.is_control()).take(NAME_CHARACTERS).collect();
    match name.trim() {
        "" => "file without a name".into(),
        name => name.into(),
    }
}

/// Sizes fit the column by far.
fn count(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_without_its_folders_and_in_one_line() {
        for (given, shown) in [
            ("posts.csv", "posts.csv"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\me\\posts.csv", "posts.csv"),
            ("a\r\nb\0.csv", "ab.csv"),
            ("  ", "file without a name"),
            ("folder/", "file without a name"),
        ] {
            assert_eq!(shown_name(given), shown, "{given:?}");
        }
        assert_eq!(shown_name(&"ü".repeat(900)).chars().count(), NAME_CHARACTERS);
    }

    #[test]
    fn sizes_are_told_as_people_say_them() {
        for (bytes, shown) in [
            (7, "7 bytes"),
            (1_024, "1 KB"),
            (1_600, "1.5 KB"),
            (1 << 30, "1 GB"),
            (5 << 30, "5 GB"),
            (52_428_800, "50 MB"),
        ] {
            assert_eq!(shown_bytes(bytes), shown);
        }
    }
}
