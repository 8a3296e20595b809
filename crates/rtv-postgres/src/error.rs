//! What can go wrong with the private cluster, each with a sentence on what happened, why, and what to
//! do next. The messages are shown to the person who started RTV, unchanged, so they name folders and
//! commands. Nothing here decides; the other modules choose the variant.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Purpose;

/// Why the private cluster could not be found, made, started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No supported PostgreSQL installation was found.
    #[error(
        "PostgreSQL was not found: RTV needs the programs initdb, pg_ctl, postgres and psql of version 15, 16, 17 or 18. \
         Looked in {looked_in}. Install it with `apt-get install postgresql-15`, or use `make run`, which installs what is \
         missing, or set DATABASE_URL to a server of your own."
    )]
    BinariesMissing {
        /// The places that were searched and what was found there, in words.
        looked_in: String,
    },

    /// The data folder was written by a major version that RTV does not support or that is not installed.
    #[error(
        "The database in {folder} was written by PostgreSQL {found}, but {reason} (installed: {installed}). Nothing was \
         changed. {advice}"
    )]
    ForeignVersion {
        /// The data folder.
        folder: PathBuf,
        /// Its `PG_VERSION`.
        found: String,
        /// The usable major versions on this machine, comma separated.
        installed: String,
        /// Why that does not work.
        reason: String,
        /// What to do.
        advice: String,
    },

    /// RTV runs as root, and there is no system user to run PostgreSQL as.
    #[error(
        "PostgreSQL refuses to run as root, and this machine has no user `postgres` to run it as. Debian's package makes \
         that user: run `apt-get install postgresql-15`, or run RTV as an ordinary user."
    )]
    UserMissing,

    /// The data folder belongs to somebody else than the user that the server runs as.
    #[error(
        "The database folder {path} belongs to user {owner}, but PostgreSQL would run as {user} and accepts only a folder \
         of its own. Run RTV as the user who made it (or as root), or set RTV_HOME to a folder of your own, or hand this \
         one over with `chown -R {user} {path}`."
    )]
    FolderOwner {
        /// The data folder.
        path: PathBuf,
        /// Name or number of its owner.
        owner: String,
        /// Name or number of the user that the server would run as.
        user: String,
    },

    /// An existing cluster lies below a folder that the server's user may not enter.
    #[error(
        "The database in {path} cannot be used: PostgreSQL runs as user {user}, who may not enter {blocked_at}. Allow it \
         with `chmod o+x {blocked_at}`, or move the database to a folder that {user} can reach and leave a symbolic link \
         in its place."
    )]
    Unreachable {
        /// The cluster's folder.
        path: PathBuf,
        /// The outermost folder that stops the server's user.
        blocked_at: PathBuf,
        /// Name or number of the server's user.
        user: String,
    },

    /// `$RTV_HOME/postgres` is a link to nowhere.
    #[error(
        "{link} is a link to {target}, which does not exist. If that disk is not mounted, mount it. If the database is \
         gone, remove the link with `rm {link}`, and RTV makes a new, empty database."
    )]
    DanglingLink {
        /// The link.
        link: PathBuf,
        /// Where it points.
        target: PathBuf,
    },

    /// The folder holds something that is not a cluster of RTV's.
    #[error(
        "{path} cannot become the database of RTV: it {reason}. RTV does not write into files that it did \
         not make. Move it away, for example with `mv {path} {path}.old`, or set RTV_HOME to another folder."
    )]
    NotACluster {
        /// The folder (or file).
        path: PathBuf,
        /// What is missing or odd.
        reason: String,
    },

    /// A test cluster was opened for real data, or the other way round.
    #[error(
        "The database in {path} was made as a {found} cluster and cannot be used as a {wanted} one: a throwaway cluster does \
         not survive a crash, and its owner may create databases. Set RTV_HOME to another folder."
    )]
    WrongPurpose {
        /// The cluster's folder.
        path: PathBuf,
        /// What the cluster was made for.
        found: Purpose,
        /// What it was opened for.
        wanted: Purpose,
    },

    /// The disk is full.
    #[error(
        "There is no space left for the database in {path} ({free}). A new database needs about 60 MB, and more as it \
         grows. Make room, or set RTV_HOME to a folder on a bigger disk, and start again: nothing is lost."
    )]
    DiskFull {
        /// The folder that was written to.
        path: PathBuf,
        /// Free space, as `df` tells it, in words.
        free: String,
    },

    /// The operating system refused an access.
    #[error(
        "Not allowed to {action} {path}: {source}. Run RTV as the user who owns that folder, or set RTV_HOME to a folder of \
         your own."
    )]
    Permission {
        /// What was tried, as a verb: "create", "read".
        action: &'static str,
        /// The file or folder, or the program.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },

    /// The folder for the server's socket exists and is not safely ours.
    #[error(
        "The folder {path}, which would hold the database's socket, {reason}. Somebody else could listen there, so RTV does \
         not use it. Remove it, with `rm -r {path}`, or set RTV_HOME to a folder with a shorter path."
    )]
    SocketFolder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// `initdb` failed for a reason not known to us.
    #[error(
        "A new database could not be made in {path}: initdb said:\n{output}\nWhat it had begun was removed. Solve what it \
         names and start again."
    )]
    Initialise {
        /// The data folder.
        path: PathBuf,
        /// The last lines of its output.
        output: String,
    },

    /// The server ended while it was starting.
    #[error(
        "PostgreSQL did not start in {path}. The end of its log ({log}):\n{tail}\nSolve what it names and start again; the \
         data was not touched."
    )]
    StartFailed {
        /// The data folder.
        path: PathBuf,
        /// The server's log file.
        log: PathBuf,
        /// The last 20 lines since the start, or `pg_ctl`'s words when there are none.
        tail: String,
    },

    /// The server did not answer in time.
    #[error(
        "PostgreSQL in {path} did not answer within {seconds} s. After a crash it may need longer to recover; a loaded \
         machine may be slow. Start again, and read the log, {log}, if that does not help. Its end:\n{tail}"
    )]
    StartTimeout {
        /// The data folder.
        path: PathBuf,
        /// How long it was waited for.
        seconds: u64,
        /// The server's log file.
        log: PathBuf,
        /// The last 20 lines of the log.
        tail: String,
    },

    /// The roles or the database could not be made.
    #[error(
        "The roles and the database could not be set up in {path}: psql said:\n{output}\nIf the cluster was changed by \
         hand, undo that; if it holds nothing of value, remove {path}, and RTV makes a new one."
    )]
    SetUp {
        /// The data folder.
        path: PathBuf,
        /// What psql wrote.
        output: String,
    },

    /// The server could not be stopped.
    #[error(
        "PostgreSQL in {path} did not stop: pg_ctl said: {output}. The data is safe. Start RTV again, which takes the \
         running server over, and stop it once more."
    )]
    StopFailed {
        /// The data folder.
        path: PathBuf,
        /// What `pg_ctl` wrote.
        output: String,
    },

    /// The name of the database is not plain.
    #[error(
        "`{name}` cannot be the name of the database: use 1 to 63 small letters, digits and underscores, beginning with a \
         letter, and not `postgres`, `template0` or `template1`."
    )]
    DatabaseName {
        /// The name that was asked for.
        name: String,
    },

    /// Any other failure of the operating system.
    #[error("Could not {action} {path}: {source}. Check that path, and start again.")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder, or the program.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl Error {
    /// Turns a failed system call into the variant that tells the person what to do.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| {
            let path = path.to_path_buf();
            match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::disk_full(&path),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    Self::Permission { action, path, source }
                }
                _ => Self::Io { action, path, source },
            }
        }
    }

    /// The disk below `path` is full.
    pub(crate) fn disk_full(path: &Path) -> Self {
        let free = free_space(path).map_or_else(|| "df does not tell how much is free".into(), |space| space.words());
        Self::DiskFull { path: path.to_path_buf(), free }
    }
}

/// Whether a program that failed did so because the disk is full: it said so, or, when it could not even
/// write its log, less than 1 MiB is free.
pub(crate) fn is_disk_full(path: &Path, output: &str) -> bool {
    output.contains("No space left on device")
        || output.contains("Disk quota exceeded")
        || output.contains("Check free disk space")
        || free_space(path).is_some_and(|space| space.free_kib < 1024)
}

struct Space {
    free_kib: u64,
    total_kib: u64,
    mounted_on: String,
}

impl Space {
    fn words(&self) -> String {
        let Self { free_kib, total_kib, mounted_on } = self;
        format!("{} MB free of {} MB on {mounted_on}", free_kib / 1024, total_kib / 1024)
    }
}

/// Asks `df`, because the standard library does not tell. `None` when it is missing or answers oddly.
fn free_space(path: &Path) -> Option<Space> {
    // The folder may not have been made yet, or be removed by now; its parent lies on the same disk.
    let existing = path.ancestors().find(|ancestor| ancestor.exists())?;
    let output = Command::new("df").arg("-Pk").arg("--").arg(existing).env("LC_ALL", "C").output().ok()?;
    parse_df(&String::from_utf8_lossy(&output.stdout))
}

/// The file system's own name may contain blanks, so the numbers are sought from the percent sign on.
fn parse_df(output: &str) -> Option<Space> {
    let words: Vec<&str> = output.lines().nth(1)?.split_whitespace().collect();
    let percent = words.iter().position(|word| word.ends_with('%'))?;
    Some(Space {
        total_kib: words.get(percent.checked_sub(3)?)?.parse().ok()?,
        free_kib: words.get(percent - 1)?.parse().ok()?,
        mounted_on: words.get(percent + 1..)?.join(" "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_space_is_read_from_df() {
        let output = "Filesystem     1024-blocks     Used Available Capacity Mounted on\n\
                      my disk          264211464 13117428  81234567      15% /mnt/big disk\n";
        let space = parse_df(output).unwrap();
        assert_eq!(space.words(), "79330 MB free of 258019 MB on /mnt/big disk");
        assert!(parse_df("df: no such file").is_none());
    }

    #[test]
    fn a_full_disk_is_recognised_by_what_programs_say() {
        let here = Path::new("/");
        assert!(is_disk_full(here, "could not extend file: No space left on device"));
        assert!(!is_disk_full(here, "permission denied"));
        let full = Error::io("write", here)(io::Error::from(io::ErrorKind::StorageFull));
        assert!(matches!(full, Error::DiskFull { .. }));
    }
}
