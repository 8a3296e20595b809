//! Where the cluster lies and what its folder holds: `$RTV_HOME/postgres` with `data` (PostgreSQL's own),
//! `run` (the socket), `server.log`, `purpose` and two lock files. Finds a place that the server's user can
//! reach, refuses folders that hold something else, and knows nothing of processes.
//!
//! As root, only `data` and `run` belong to the server's user. Root writes nothing into them, so that a
//! subverted server cannot lead root astray with links.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::Purpose;
use crate::error::Error;
use crate::server_user::{ServerUser, user_name};

/// For clusters of a root whose own folders are closed to the server's user.
const SHARED_PLACE: &str = "/var/lib/rtv";

/// A socket's path may have 103 bytes (macOS) or 107 (Linux); `/.s.PGSQL.5432` takes 14 of them.
const LONGEST_SOCKET_FOLDER: usize = 88;

/// What may lie in the cluster's folder before there is data. `lost+found`: the folder may be a disk.
const OUR_ENTRIES: [&str; 8] =
    ["data.new", "run", "server.log", "server.log.1", "purpose", "start.lock", "in-use.lock", "lost+found"];

const LONGEST_LOG: u64 = 8 * 1024 * 1024;

/// The folder of one cluster.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    /// Without symbolic links.
    pub(crate) root: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) data_new: PathBuf,
    pub(crate) log: PathBuf,
    pub(crate) start_lock: PathBuf,
    pub(crate) in_use_lock: PathBuf,
    purpose: PathBuf,
}

/// Finds or makes the folder of the cluster that belongs to `home`.
pub(crate) fn place(home: &Path, user: &ServerUser, progress: &mut dyn FnMut(&str)) -> Result<Folder, Error> {
    fs::create_dir_all(home).map_err(Error::io("create", home))?;
    let home = home.canonicalize().map_err(Error::io("read", home))?;
    let entry = home.join("postgres");
    let is_made = match fs::symlink_metadata(&entry) {
        // Root's folder cannot be listed by others; whose it is gets told below.
        Ok(metadata) if metadata.is_dir() => !entries(&entry).is_ok_and(|entries| entries.is_empty()),
        Ok(metadata) if metadata.is_symlink() => true,
        Ok(_) => return Err(not_a_cluster(&entry, "is a file, not a folder")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(Error::io("read", &entry)(error)),
    };
    if !is_made {
        make(&home, &entry, user, progress)?;
    }
    let root = match entry.canonicalize() {
        Ok(root) => root,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let target = fs::read_link(&entry).map_err(Error::io("read", &entry))?;
            return Err(Error::DanglingLink { link: entry, target });
        }
        Err(error) => return Err(Error::io("read", &entry)(error)),
    };
    if !user.can_enter(&root)? {
        let blocked_at = user.blocked_at(&root)?;
        return Err(Error::Unreachable { path: root, blocked_at, user: user.name.clone() });
    }
    let folder = Folder::new(root);
    folder.check_contents(user)?;
    Ok(folder)
}

/// Makes an empty folder, or a link to one where the server's user may not enter `home`. Two processes may
/// come here at once: both decide alike, and making the folder or the link is what settles who was first.
fn make(home: &Path, entry: &Path, user: &ServerUser, progress: &mut dyn FnMut(&str)) -> Result<(), Error> {
    if user.can_enter(home)? {
        // The server's user passes through, and only that.
        let mode = if user.is_somebody_else() { 0o711 } else { 0o700 };
        make_folder(entry, mode)?;
        return Ok(());
    }
    let shared_place = Path::new(SHARED_PLACE);
    make_folder(shared_place, 0o755)?;
    let name = digest(home);
    let mut target = shared_place.join(&name);
    let mut number = 1;
    // Without a link to it, an older folder of the same name belonged to an RTV_HOME that was removed since.
    // Its database must not come back: it was removed for a reason, and its keys are gone.
    while !make_folder(&target, 0o711)? {
        progress(&format!(
            "{} holds a database of an earlier {}; it is not used. Remove it if you do not need it.",
            target.display(),
            home.display()
        ));
        number += 1;
        target = shared_place.join(format!("{name}-{number}"));
    }
    // An empty folder may be in the way. If it is not empty or no folder by now, another process was faster.
    let _ = fs::remove_dir(entry);
    match symlink(&target, entry) {
        Ok(()) => {
            progress(&format!(
                "PostgreSQL runs as user {}, who may not enter {}: the database goes to {}, and {} links there.",
                user.name,
                home.display(),
                target.display(),
                entry.display()
            ));
            Ok(())
        }
        Err(error) => {
            let _ = fs::remove_dir(&target);
            if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(Error::io("create", entry)(error)) }
        }
    }
}

/// Makes a folder with exactly this mode, whatever the umask; false if it was there.
fn make_folder(path: &Path, mode: u32) -> Result<bool, Error> {
    match DirBuilder::new().mode(mode).create(path) {
        Ok(()) => {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(Error::io("set the mode of", path))?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Error::io("create", path)(error)),
    }
}

impl Folder {
    fn new(root: PathBuf) -> Self {
        Self {
            data: root.join("data"),
            data_new: root.join("data.new"),
            log: root.join("server.log"),
            start_lock: root.join("start.lock"),
            in_use_lock: root.join("in-use.lock"),
            purpose: root.join("purpose"),
            root,
        }
    }

    fn check_contents(&self, user: &ServerUser) -> Result<(), Error> {
        match fs::symlink_metadata(&self.data) {
            Ok(metadata) if !metadata.is_dir() => Err(not_a_cluster(&self.data, "is not a folder")),
            Ok(metadata) if metadata.uid() != user.uid => Err(Error::FolderOwner {
                path: self.data.clone(),
                owner: user_name(metadata.uid()),
                user: user.name.clone(),
            }),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let entries = entries(&self.root)?;
                match entries.iter().find(|name| !OUR_ENTRIES.contains(&name.as_str())) {
                    Some(foreign) => Err(not_a_cluster(&self.root, &format!("holds `{foreign}`"))),
                    None => Ok(()),
                }
            }
            Err(error) => Err(Error::io("read", &self.data)(error)),
        }
    }

    /// `PG_VERSION` of the data, or `None` when there is no data yet.
    pub(crate) fn data_version(&self) -> Result<Option<String>, Error> {
        let file = self.data.join("PG_VERSION");
        match fs::read_to_string(&file) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if self.data.exists() && !entries(&self.data)?.is_empty() {
                    return Err(not_a_cluster(&self.data, "has no file PG_VERSION"));
                }
                Ok(None)
            }
            Err(error) => Err(Error::io("read", &file)(error)),
        }
    }

    /// Refuses to open a cluster for another purpose than it was made for. A cluster without the note is
    /// taken for what is wanted, and noted so.
    pub(crate) fn check_purpose(&self, wanted: Purpose) -> Result<(), Error> {
        let noted = fs::read_to_string(&self.purpose).unwrap_or_default();
        match [Purpose::Durable, Purpose::Throwaway].into_iter().find(|purpose| noted.trim() == purpose.word()) {
            Some(found) if found == wanted => Ok(()),
            Some(found) => Err(Error::WrongPurpose { path: self.root.clone(), found, wanted }),
            None => self.note_purpose(wanted),
        }
    }

    /// Notes what the cluster is for, over what may be left of an earlier try.
    pub(crate) fn note_purpose(&self, purpose: Purpose) -> Result<(), Error> {
        let _ = fs::remove_file(&self.purpose);
        let mut file = new_file(&self.purpose, 0o644).map_err(Error::io("create", &self.purpose))?;
        writeln!(file, "{}", purpose.word()).map_err(Error::io("write", &self.purpose))
    }

    /// The folder for the server's socket, made if need be: `run` in the cluster's folder, or one in `/tmp`
    /// where that path is too long, or has characters that would need quoting in PostgreSQL's options.
    pub(crate) fn socket_folder(&self, user: &ServerUser) -> Result<PathBuf, Error> {
        let own = self.root.join("run");
        let path = if is_fit_for_a_socket(&own) {
            own
        } else {
            PathBuf::from(format!("/tmp/rtv-{}-{}", user.uid, digest(&self.root)))
        };
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => user.give(&path)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io("create", &path)(error)),
        }
        let metadata = fs::symlink_metadata(&path).map_err(Error::io("read", &path))?;
        let reason = if !metadata.is_dir() {
            "is not a folder".to_owned()
        } else if user.is_somebody_else() && metadata.uid() == 0 {
            // We were killed between making it and giving it away.
            user.give(&path)?;
            return Ok(path);
        } else if metadata.uid() != user.uid {
            format!("belongs to user {} and not to {}", user_name(metadata.uid()), user.name)
        } else if metadata.mode() & 0o077 != 0 {
            "is open to other users".to_owned()
        } else {
            return Ok(path);
        };
        Err(Error::SocketFolder { path, reason })
    }

    /// Removes the socket's folder again if it lies in `/tmp`; inside the cluster's folder it may stay.
    pub(crate) fn tidy_socket_folder(&self, socket_folder: &Path) {
        if !socket_folder.starts_with(&self.root) {
            let _ = fs::remove_dir(socket_folder);
        }
    }

    /// Opens a lock file. Read-only is enough for a lock, and works on a file that root made.
    pub(crate) fn open_lock(path: &Path) -> Result<File, Error> {
        match new_file(path, 0o644) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => File::open(path),
            other => other,
        }
        .map_err(Error::io("open", path))
    }

    /// Makes the log file ready for the server, sets a long one aside, and returns its length.
    pub(crate) fn prepare_log(&self, user: &ServerUser) -> Result<u64, Error> {
        if let Ok(metadata) = fs::symlink_metadata(&self.log) {
            if metadata.len() <= LONGEST_LOG {
                return Ok(metadata.len());
            }
            fs::rename(&self.log, self.root.join("server.log.1")).map_err(Error::io("rename", &self.log))?;
        }
        new_file(&self.log, 0o600).map_err(Error::io("create", &self.log))?;
        user.give(&self.log)?;
        Ok(0)
    }

    /// The last 20 lines of the server's log that were written after the first `offset` bytes.
    pub(crate) fn log_tail(&self, offset: u64) -> String {
        let read = || -> io::Result<Vec<u8>> {
            let mut file = File::open(&self.log)?;
            // A server in trouble may have written a lot; the end is what counts.
            let end = file.metadata()?.len();
            file.seek(SeekFrom::Start(offset.max(end.saturating_sub(64 * 1024))))?;
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            Ok(text)
        };
        last_lines(&String::from_utf8_lossy(&read().unwrap_or_default()))
    }
}

/// The last 20 lines of a text.
pub(crate) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// Makes a file that was not there, and follows no link to do so.
fn new_file(path: &Path, mode: u32) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(path)
}

fn entries(folder: &Path) -> Result<Vec<String>, Error> {
    fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect())
        .map_err(Error::io("read", folder))
}

fn not_a_cluster(path: &Path, reason: &str) -> Error {
    Error::NotACluster { path: path.to_path_buf(), reason: reason.to_owned() }
}

fn is_fit_for_a_socket(folder: &Path) -> bool {
    let bytes = folder.as_os_str().as_bytes();
    bytes.len() <= LONGEST_SOCKET_FOLDER
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"/_.-".contains(byte))
}

/// Twelve hexadecimal digits that stand for a path.
fn digest(path: &Path) -> String {
    hex::encode(&Sha256::digest(path.as_os_str().as_bytes())[..6])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_and_plain_paths_hold_a_socket() {
        let check = |path: &str, expect: bool| assert_eq!(is_fit_for_a_socket(Path::new(path)), expect, "{path}");
        check("/srv/rtv/.rtv/postgres/run", true);
        check(&format!("/{}", "a".repeat(87)), true);
        check(&format!("/{}", "a".repeat(88)), false);
        check("/home/ada lovelace/run", false);
        check("/home/a,b/run", false);
        check("/home/$(reboot)/run", false);
        check("/home/ada/\u{fc}ber/run", false);
    }

    #[test]
    fn the_end_of_a_log_is_twenty_lines() {
        let lines: Vec<String> = (1..=30).map(|number| format!("line {number}")).collect();
        let end = last_lines(&lines.join("\n"));
        assert!(end.starts_with("line 11\n") && end.ends_with("line 30"), "{end}");
        assert_eq!(last_lines(""), "");
    }
}
