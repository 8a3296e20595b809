//! Files of runs on the disk, under ids of ours. A file is written beside its place and moved there when it is whole; its row
//! is written after that. So what has a row is whole, and what has none is nothing.

use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rtv_core::report::FileFormat;
use rtv_core::{Error, RunId, TenantId};

/// Where files of runs lie. Cheap to clone. Every worker and every server must see the same folder.
#[derive(Debug, Clone)]
pub struct Files {
    folder: Arc<Path>,
}

impl Files {
    /// Files go to this folder, which is made when the first one comes.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder: folder.into() }
    }

    pub(super) fn folder_of(&self, tenant: TenantId, run: RunId) -> PathBuf {
        self.folder.join(tenant.uuid().simple().to_string()).join(run.uuid().simple().to_string())
    }

    /// Place of a file.
    pub fn path(&self, tenant: TenantId, run: RunId, format: FileFormat, part: u32) -> PathBuf {
        self.folder_of(tenant, run).join(format!("{part}.{}", format.key()))
    }

    /// Puts a whole file into its place; one that is there is replaced. To be called where waiting for the disk is fine.
    pub fn put(&self, tenant: TenantId, run: RunId, format: FileFormat, part: u32, bytes: &[u8]) -> Result<(), Error> {
        let path = self.path(tenant, run, format, part);
        let beside = path.with_extension(format!("{}.part", uuid::Uuid::now_v7().simple()));
        let written = (|| {
            let folder = self.folder_of(tenant, run);
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
            let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            std::fs::rename(&beside, &path)?;
            std::fs::File::open(&folder)?.sync_all()
        })();
        written.map_err(|error: std::io::Error| {
            tracing::error!(path = %path.display(), %error, "a file of a report cannot be stored");
            let _ = std::fs::remove_file(&beside);
            Error::Unavailable("The file could not be stored; there may be no space left.".into())
        })
    }

    /// Runs whose folders nothing was put into for so long. What cannot be read is left for the next time.
    pub(super) async fn older_than(&self, age: Duration) -> Vec<(TenantId, RunId)> {
        let root = self.folder.clone();
        let look = move || {
            let below = |folder: &Path| -> Vec<PathBuf> {
                let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
                entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
            };
            let id = |path: &Path| uuid::Uuid::try_parse(path.file_name()?.to_str()?).ok();
            let mut old = Vec::new();
            for tenant in below(&root) {
                for run in below(&tenant) {
                    let is_old = run
                        .metadata()
                        .and_then(|metadata| metadata.modified())
                        .is_ok_and(|at| at.elapsed().is_ok_and(|elapsed| elapsed > age));
                    if let (true, Some(tenant), Some(run)) = (is_old, id(&tenant), id(&run)) {
                        old.push((tenant.into(), run.into()));
                    }
                }
            }
            old
        };
        tokio::task::spawn_blocking(look).await.unwrap_or_default()
    }

    /// Removes all files of a run; none is fine.
    pub(super) async fn remove(&self, tenant: TenantId, run: RunId) {
        let folder = self.folder_of(tenant, run);
        if let Err(error) = tokio::fs::remove_dir_all(&folder).await
            && error.kind() != ErrorKind::NotFound
        {
            tracing::error!(path = %folder.display(), %error, "files of a report cannot be removed; the sweep tries again");
        }
    }
}
