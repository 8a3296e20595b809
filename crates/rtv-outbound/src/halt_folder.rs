//! Halts without a database: files in `$RTV_HOME/halt.d`, read by the gate at each check. What lies there stops what its
//! scope says until somebody removes it by hand; RTV itself never does.
//!
//! Every doubt stops: a folder that is missing, cannot be read or can be written by others closes the gate, and so does a
//! file that cannot be understood, by its name. So an empty file of any name (`touch halt.d/stop`) is enough to stop
//! everything, also on a full disk. Names that begin with a dot are left alone: files are written under such a name first.

use core::fmt::Write as _;
use core::time::Duration;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use rtv_core::{Operation, ReasonKind, Scope};
use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, lstat};
use serde::{Deserialize, Serialize};

use crate::boot_time::BootTime;

/// Longer than the file system's clock ticks. Two changes within one tick leave the same time behind, so what changed is
/// read again until that long after the change was first seen.
const TICK: Duration = Duration::from_millis(100);
/// More than any halt needs.
const MOST_BYTES: u64 = 64 * 1024;

/// What a file says: `{"scope": {"part": {"platform": "x"}}}` is enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalHalt {
    /// What is stopped.
    pub scope: Scope,
    /// Why, from the list.
    #[serde(default = "other")]
    pub reason: ReasonKind,
    /// Why, in words.
    #[serde(default)]
    pub note: String,
    /// Who wrote it.
    #[serde(default)]
    pub by: String,
    /// When.
    #[serde(default)]
    pub at: Option<DateTime<Utc>>,
}

const fn other() -> ReasonKind {
    ReasonKind::Other
}

/// A file of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalFile {
    /// Its name in the folder.
    pub name: String,
    /// What it says, or why nobody can tell; then it stops everything.
    pub halt: Result<LocalHalt, String>,
}

/// What stops an operation here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    File { name: String, scope: Scope },
    Broken { name: String, why: String },
    Folder { why: String },
}

/// The folder `halt.d`.
#[derive(Debug)]
pub struct HaltFolder {
    path: PathBuf,
    own_user: u32,
    seen: Mutex<Option<Seen>>,
}

/// What was in the folder when it was last read.
#[derive(Debug)]
struct Seen {
    /// Looked at instead of the path: that costs half as much. Whatever is done to the folder itself, moving and removing it
    /// included, changes what is seen here; what is done above it is found by [`HaltFolder::look_again`].
    folder: OwnedFd,
    stamp: Stamp,
    files: Vec<(LocalFile, Stamp)>,
    /// When something was first seen to have changed.
    changed_at: BootTime,
    read_at: BootTime,
}

/// By what a change of a file or folder is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    place: (u64, u64),
    owner: u32,
    mode: u32,
    links: i128,
    size: i128,
    modified: (i128, i128),
    changed: (i128, i128),
}

impl Stamp {
    /// The types of the fields differ between processors; all of them fit here.
    fn of(stat: &Stat) -> Self {
        Self {
            place: (stat.st_dev, stat.st_ino),
            owner: stat.st_uid,
            mode: stat.st_mode,
            links: i128::from(stat.st_nlink),
            size: i128::from(stat.st_size),
            modified: (i128::from(stat.st_mtime), i128::from(stat.st_mtime_nsec)),
            changed: (i128::from(stat.st_ctime), i128::from(stat.st_ctime_nsec)),
        }
    }

    const fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.mode)
    }
}

impl HaltFolder {
    /// The folder at that path, made with mode 0700 where it is missing. A folder that others can write is refused.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, String> {
        let path = path.into();
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(|error| format!("{} cannot be made: {error}", path.display()))?;
        let path = path.canonicalize().map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        let folder = Self { path, own_user: rustix::process::geteuid().as_raw(), seen: Mutex::new(None) };
        folder.look()?;
        Ok(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All files, read afresh, sorted by name; or why the folder cannot be trusted, which stops everything.
    pub fn list(&self) -> Result<Vec<LocalFile>, String> {
        self.look()?;
        Ok(self.read()?.into_iter().map(|(file, _)| file).collect())
    }

    /// Writes a halt under a name of its own: whole or not at all, readable by its owner alone. Gives the name.
    pub fn write(&self, halt: &LocalHalt) -> Result<String, String> {
        self.look()?;
        let at = halt.at.map_or_else(|| "undated".to_owned(), |at| at.format("%Y%m%dT%H%M%S%6fZ").to_string());
        let stem = format!("{at}-{}", words(&halt.scope));
        let text = serde_json::to_vec_pretty(halt).map_err(|error| format!("the halt cannot be written: {error}"))?;
        let advice = |error: io::Error| {
            format!(
                "{} cannot be written ({error}); an empty file there stops everything and needs no space: touch {}",
                self.path.display(),
                self.path.join("stop").display()
            )
        };
        for number in 0..100_u32 {
            let name = if number == 0 { format!("{stem}.json") } else { format!("{stem}-{number}.json") };
            let hidden = self.path.join(format!(".{name}.{}", std::process::id()));
            let written = (|| {
                let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&hidden)?;
                file.write_all(&text)?;
                file.sync_all()?;
                // Unlike a rename, a link does not replace a file that is there.
                std::fs::hard_link(&hidden, self.path.join(&name))
            })();
            let _ = std::fs::remove_file(&hidden);
            match written {
                Ok(()) => {
                    File::open(&self.path).and_then(|folder| folder.sync_all()).map_err(advice)?;
                    return Ok(name);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(advice(error)),
            }
        }
        Err(format!("{} holds too many halts of that name", self.path.display()))
    }

    /// What stops the operation, if something does. Costs one look at the folder, and one at each file in it, while nothing
    /// has changed.
    pub(crate) fn check(&self, operation: &Operation) -> Option<Found> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match self.current(&mut seen) {
            Ok(files) => stops(files, operation),
            Err(why) => {
                *seen = None;
                Some(Found::Folder { why })
            }
        }
    }

    /// Looks whether another folder has come to lie at the path, because something above it was moved or mounted.
    pub(crate) fn look_again(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let place = lstat(&self.path).ok().map(|stat| Stamp::of(&stat).place);
        if seen.as_ref().map(|seen| seen.stamp.place) != place {
            *seen = None;
        }
    }

    fn current<'a>(&self, seen: &'a mut Option<Seen>) -> Result<&'a [(LocalFile, Stamp)], String> {
        let is_same = seen.as_ref().is_some_and(|seen| {
            fstat(&seen.folder).is_ok_and(|stat| Stamp::of(&stat) == seen.stamp)
                && seen
                    .files
                    .iter()
                    .all(|(file, stamp)| lstat(self.path.join(&file.name)).is_ok_and(|stat| Stamp::of(&stat) == *stamp))
        });
        let is_settled = seen.as_ref().is_some_and(|seen| seen.read_at >= seen.changed_at.plus(TICK));
        if !(is_same && is_settled) {
            let now = BootTime::now();
            let (folder, stamp) = self.look()?;
            let changed_at = match seen {
                Some(seen) if is_same && seen.stamp == stamp => seen.changed_at,
                Some(_) | None => now,
            };
            *seen = Some(Seen { folder, stamp, files: self.read()?, changed_at, read_at: now });
        }
        Ok(seen.as_ref().map_or(&[], |seen| &seen.files))
    }

    /// The folder as it is, if it can be trusted.
    fn look(&self) -> Result<(OwnedFd, Stamp), String> {
        let trouble = |error: rustix::io::Errno| format!("{} cannot be read: {error}", self.path.display());
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = rustix::fs::open(&self.path, flags, Mode::empty()).map_err(trouble)?;
        let stamp = Stamp::of(&fstat(&folder).map_err(trouble)?);
        if stamp.kind() != FileType::Directory {
            return Err(format!("{} is no folder", self.path.display()));
        }
        self.refuse_foreign(&stamp).map_err(|why| format!("{} {why}", self.path.display()))?;
        Ok((folder, stamp))
    }

    fn refuse_foreign(&self, stamp: &Stamp) -> Result<(), String> {
        if stamp.owner != 0 && stamp.owner != self.own_user {
            return Err(format!("belongs to user {}; only root and the user that runs RTV may own it", stamp.owner));
        }
        if stamp.mode & 0o022 != 0 {
            return Err("can be written by others; take that right away (chmod go-w)".to_owned());
        }
        Ok(())
    }

    fn read(&self) -> Result<Vec<(LocalFile, Stamp)>, String> {
        let trouble = |error: io::Error| format!("{} cannot be read: {error}", self.path.display());
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(trouble)? {
            let name = entry.map_err(trouble)?.file_name();
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let path = self.path.join(&name);
            let name = name.to_string_lossy().into_owned();
            match lstat(&path) {
                Ok(stat) => {
                    let stamp = Stamp::of(&stat);
                    files.push((LocalFile { name, halt: self.parse(&path, &stamp) }, stamp));
                }
                // Removed since the folder was listed; its removal changed the folder, which is read again.
                Err(rustix::io::Errno::NOENT) => {}
                Err(error) => return Err(trouble(error.into())),
            }
        }
        files.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
        Ok(files)
    }

    fn parse(&self, path: &Path, stamp: &Stamp) -> Result<LocalHalt, String> {
        if stamp.kind() != FileType::RegularFile {
            return Err("it is no ordinary file".to_owned());
        }
        self.refuse_foreign(stamp).map_err(|why| format!("it {why}"))?;
        let mut text = Vec::new();
        File::open(path)
            .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut text))
            .map_err(|error| format!("it cannot be read: {error}"))?;
        if text.len() as u64 > MOST_BYTES {
            return Err("it is longer than any halt".to_owned());
        }
        serde_json::from_slice(&text).map_err(|error| {
            format!(
                "it is not understood ({error}); it looks like {{\"scope\": {{\"part\": {{\"platform\": \"x\"}}}}}}"
            )
        })
    }
}

fn stops(files: &[(LocalFile, Stamp)], operation: &Operation) -> Option<Found> {
    files.iter().find_map(|(file, _)| match &file.halt {
        Err(why) => Some(Found::Broken { name: file.name.clone(), why: why.clone() }),
        Ok(halt) if halt.scope.covers(operation) => Some(Found::File { name: file.name.clone(), scope: halt.scope }),
        Ok(_) => None,
    })
}

/// The scope as a part of a file's name.
fn words(scope: &Scope) -> String {
    let mut text = String::new();
    let mut add = |part: &dyn core::fmt::Display| {
        let separator = if text.is_empty() { "" } else { "-" };
        let _ = write!(text, "{separator}{part}");
    };
    match scope {
        Scope::Everything => add(&"everything"),
        Scope::Drill => add(&"drill"),
        Scope::Account { account, .. } => add(account),
        Scope::Campaign { campaign, .. } => add(campaign),
        Scope::Part { tenant, platform, action } => {
            if let Some(tenant) = tenant {
                add(tenant);
            }
            if let Some(platform) = platform {
                add(platform);
            }
            if let Some(action) = action {
                add(action);
            }
        }
    }
    if text.is_empty() { "global".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use rtv_core::{Action, Platform};
    use tempfile::TempDir;
    use uuid::Uuid;

    use super::*;

    fn folder() -> (TempDir, HaltFolder) {
        let home = tempfile::tempdir().unwrap();
        let folder = HaltFolder::open(home.path().join("halt.d")).unwrap();
        (home, folder)
    }

    fn publish() -> Operation {
        Operation {
            tenant: Uuid::from_u128(1).into(),
            platform: Platform::Sandbox,
            action: Action::Publish,
            account: Uuid::from_u128(2).into(),
            campaign: None,
        }
    }

    fn halt(scope: Scope) -> LocalHalt {
        let at = DateTime::from_timestamp(1_795_000_000, 0);
        LocalHalt { scope, reason: ReasonKind::Security, note: "“x”".into(), by: "root@host".into(), at }
    }

    #[test]
    fn a_halt_is_read_as_it_was_written() {
        let (_home, folder) = folder();
        let tenant = Uuid::from_u128(7).into();
        let scopes = [
            Scope::Everything,
            Scope::GLOBAL,
            Scope::Drill,
            Scope::Part { tenant: Some(tenant), platform: Some(Platform::X), action: Some(Action::Reply) },
            Scope::Account { tenant, account: Uuid::from_u128(8).into() },
            Scope::Campaign { tenant, campaign: Uuid::from_u128(9).into() },
        ];
        for scope in scopes {
            let name = folder.write(&halt(scope)).unwrap();
            let again = folder.write(&halt(scope)).unwrap();
            assert_ne!(name, again);
            let files = folder.list().unwrap();
            let file = files.iter().find(|file| file.name == name).unwrap();
            assert_eq!(file.halt, Ok(halt(scope)));
            let mode = std::fs::metadata(folder.path().join(&name)).unwrap().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(folder.list().unwrap().len(), 12);
        assert_eq!(std::fs::metadata(folder.path()).unwrap().mode() & 0o777, 0o700);
        assert!(
            std::fs::read_dir(folder.path())
                .unwrap()
                .all(|entry| { !entry.unwrap().file_name().to_str().unwrap().starts_with('.') })
        );
    }

    #[test]
    fn the_scope_alone_is_enough() {
        let (_home, folder) = folder();
        std::fs::write(folder.path().join("a.json"), r#"{"scope": {"part": {"platform": "sandbox"}}}"#).unwrap();
        let scope = Scope::Part { tenant: None, platform: Some(Platform::Sandbox), action: None };
        assert_eq!(folder.check(&publish()), Some(Found::File { name: "a.json".into(), scope }));
        std::fs::write(folder.path().join("a.json"), r#"{"scope": "everything"}"#).unwrap();
        assert!(matches!(folder.check(&publish()), Some(Found::File { scope: Scope::Everything, .. })));
    }

    #[test]
    fn what_is_not_understood_stops_everything_by_its_name() {
        let (_home, folder) = folder();
        let check = |name: &str, text: &str, expect: Option<&str>| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            match (folder.check(&publish()), expect) {
                (None, None) => {}
                (Some(Found::Broken { name: found, why }), Some(words)) => {
                    assert!(found == name && why.contains(words), "{found} {why}");
                }
                (found, _) => panic!("{name}: {found:?}"),
            }
            std::fs::remove_file(&path).unwrap();
            assert_eq!(folder.check(&publish()), None);
        };
        check("stop", "", Some("not understood"));
        check("a.json", "{", Some("not understood"));
        check("a.json", r#"{"scope": "moon"}"#, Some("moon"));
        check("a.json", r#"{"scope": "drill", "reason": 7}"#, Some("not understood"));
        check("a.json", &" ".repeat(70_000), Some("longer"));
        check(".a.json.swp", "", None);
        std::fs::create_dir(folder.path().join("b")).unwrap();
        assert!(matches!(folder.check(&publish()), Some(Found::Broken { name, .. }) if name == "b"));
        std::fs::remove_dir(folder.path().join("b")).unwrap();
        std::os::unix::fs::symlink("/dev/null", folder.path().join("c")).unwrap();
        assert!(matches!(folder.check(&publish()), Some(Found::Broken { name, .. }) if name == "c"));
        std::fs::remove_file(folder.path().join("c")).unwrap();
        // A file that others can write may say less than was meant.
        let path = folder.path().join("d.json");
        std::fs::write(&path, r#"{"scope": "drill"}"#).unwrap();
        assert_eq!(folder.check(&publish()), None);
        std::fs::set_permissions(&path, Permissions::from_mode(0o622)).unwrap();
        assert!(matches!(folder.check(&publish()), Some(Found::Broken { why, .. }) if why.contains("others")));
    }

    #[test]
    fn a_folder_that_cannot_be_trusted_stops_everything() {
        let (home, folder) = folder();
        let stops = |folder: &HaltFolder, words: &str| match folder.check(&publish()) {
            Some(Found::Folder { why }) => assert!(why.contains(words), "{why}"),
            other => panic!("{other:?}"),
        };
        assert_eq!(folder.check(&publish()), None);
        for mode in [0o720, 0o702, 0o777] {
            std::fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
            stops(&folder, "written by others");
            assert!(folder.list().is_err() && folder.write(&halt(Scope::GLOBAL)).is_err());
        }
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        assert_eq!(folder.check(&publish()), None);
        // Gone, and made again with something in it.
        std::fs::remove_dir(folder.path()).unwrap();
        stops(&folder, "cannot be read");
        std::fs::create_dir(folder.path()).unwrap();
        assert_eq!(folder.check(&publish()), None);
        folder.write(&halt(Scope::GLOBAL)).unwrap();
        assert!(matches!(folder.check(&publish()), Some(Found::File { .. })));
        // Another folder in its place is looked into at once.
        std::fs::rename(folder.path(), home.path().join("old")).unwrap();
        std::fs::create_dir(folder.path()).unwrap();
        assert_eq!(folder.check(&publish()), None);
        std::fs::remove_dir(folder.path()).unwrap();
        std::fs::write(folder.path(), "").unwrap();
        stops(&folder, "no folder");
        std::fs::remove_file(folder.path()).unwrap();
        std::os::unix::fs::symlink(home.path().join("old"), folder.path()).unwrap();
        stops(&folder, "no folder");
        assert!(HaltFolder::open("/proc/halt.d").is_err());
    }

    #[test]
    fn a_folder_above_that_was_exchanged_is_noticed() {
        let base = tempfile::tempdir().unwrap();
        let home = base.path().join("home");
        let folder = HaltFolder::open(home.join("halt.d")).unwrap();
        assert_eq!(folder.check(&publish()), None);
        std::thread::sleep(Duration::from_millis(250));
        assert_eq!(folder.check(&publish()), None);
        std::fs::rename(&home, base.path().join("old")).unwrap();
        folder.look_again();
        assert!(matches!(folder.check(&publish()), Some(Found::Folder { .. })));
        let new = HaltFolder::open(home.join("halt.d")).unwrap();
        new.write(&halt(Scope::GLOBAL)).unwrap();
        folder.look_again();
        assert!(matches!(folder.check(&publish()), Some(Found::File { .. })));
    }
}
