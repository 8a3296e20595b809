//! The private PostgreSQL cluster that RTV runs on when no `DATABASE_URL` is given: finds PostgreSQL's
//! programs, makes the cluster under `$RTV_HOME/postgres`, starts it, shares it among the RTV processes of
//! that folder, and stops it when the last of them leaves. No SQL of RTV's lives here beyond roles and an
//! empty database; nothing here reads the environment or speaks to the network.
//!
//! Everything blocks; call it outside of an async runtime's worker threads.
//!
//! ```no_run
//! use rtv_postgres::{Options, Purpose};
//!
//! let options = Options::new("/srv/rtv/.rtv", Purpose::Durable);
//! let cluster = rtv_postgres::start(&options, &mut |message| println!("{message}"))?;
//! println!("{}", cluster.app_url());
//! cluster.stop()?;
//! # Ok::<(), rtv_postgres::Error>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod error;
mod folder;
mod installation;
mod roles;
mod server;
mod server_user;

use std::fmt::{self, Write};
use std::fs::{File, TryLockError};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use error::Error;
use folder::Folder;
pub use installation::{Installation, SUPPORTED, find_binaries};
pub use roles::{APP, OWNER};
use server::{PORT, Server};
use server_user::ServerUser;

/// What a cluster is for. Written down when it is made; opening it for the other purpose is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Real data: survives crashes.
    Durable,
    /// Tests: nothing is forced to disk, the owner may create databases, and there is room for 300 connections.
    Throwaway,
}

impl Purpose {
    fn word(self) -> &'static str {
        match self {
            Self::Durable => "durable",
            Self::Throwaway => "throwaway",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// Which cluster, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// `RTV_HOME`: the cluster lies in `postgres` in it. Made if it is missing; may be relative.
    pub home: PathBuf,
    /// The database that is made and that the URLs name: small letters, digits and underscores.
    pub database: String,
    /// Real data or tests.
    pub purpose: Purpose,
    /// The folder of PostgreSQL's programs; `None` searches the usual places.
    pub bin_dir: Option<PathBuf>,
    /// How long the server may take until it answers, recovery after a crash included.
    pub start_timeout: Duration,
}

impl Options {
    /// The database `rtv`, programs from the usual places, and three minutes to start.
    pub fn new(home: impl Into<PathBuf>, purpose: Purpose) -> Self {
        Self {
            home: home.into(),
            database: "rtv".to_owned(),
            purpose,
            bin_dir: None,
            start_timeout: Duration::from_mins(3),
        }
    }
}

/// A running cluster that this process uses. The server stays up as long as any process has one of these
/// for the same folder; the last one that is stopped or dropped stops it. A process that is killed leaves
/// the server running, and the next start takes it over.
#[derive(Debug)]
pub struct Cluster {
    server: Server,
    database: String,
    was_running: bool,
    /// Locked, shared, as long as this process uses the cluster; `None` when it has left.
    in_use: Option<File>,
}

/// Makes sure that the cluster exists and runs, with its roles and its database, and joins its users. Tells
/// through `progress`, in whole sentences, what takes time or was repaired. If another process is just
/// starting or stopping the cluster, waits for it.
pub fn start(options: &Options, progress: &mut dyn FnMut(&str)) -> Result<Cluster, Error> {
    roles::check_database_name(&options.database)?;
    let installations = find_binaries(options.bin_dir.as_deref())?;
    let user = ServerUser::choose(&options.home.join("postgres/data"))?;
    let folder = folder::place(&options.home, &user, progress)?;

    let start_lock = lock_starting(&folder, progress)?;
    let data_version = folder.data_version()?;
    let installation = choose_installation(&folder, data_version.as_deref(), installations)?;
    let socket_folder = folder.socket_folder(&user)?;
    let server = Server { folder, user, installation, socket_folder, purpose: options.purpose };

    let in_use = Folder::open_lock(&server.folder.in_use_lock)?;
    let is_alone = is_lockable(&in_use, &server.folder.in_use_lock)?;
    in_use.lock_shared().map_err(Error::io("lock", &server.folder.in_use_lock))?;

    if data_version.is_some() {
        server.folder.check_purpose(options.purpose)?;
    } else {
        server.initialise(progress)?;
    }
    let was_running = server.ensure_running(is_alone, options.start_timeout, progress)?;
    if let Err(error) = server.run_script(&roles::script(&options.database, options.purpose)) {
        if is_alone {
            // The first error is the one to tell.
            let _ = server.stop();
        }
        return Err(error);
    }
    drop(start_lock);
    Ok(Cluster { server, database: options.database.clone(), was_running, in_use: Some(in_use) })
}

fn choose_installation(
    folder: &Folder,
    data_version: Option<&str>,
    installations: Vec<Installation>,
) -> Result<Installation, Error> {
    let installed: Vec<String> = installations.iter().map(|installation| installation.major.to_string()).collect();
    let found = match data_version {
        None => {
            return Ok(installations.into_iter().next().expect("the search for programs returns no empty list"));
        }
        Some(found) => found.to_owned(),
    };
    if let Some(same) = installations.into_iter().find(|installation| installation.major.to_string() == found) {
        return Ok(same);
    }
    let root = folder.root.display();
    let is_supported = found.parse().is_ok_and(|major| SUPPORTED.contains(&major));
    let (reason, advice) = if is_supported {
        (
            "that version is not installed".to_owned(),
            format!(
                "Install it with `apt-get install postgresql-{found}`. To begin with an empty database instead, move the \
                 old one away: `mv {root} {root}.old`."
            ),
        )
    } else {
        (
            format!("RTV works with {} to {}", SUPPORTED.start(), SUPPORTED.end()),
            format!(
                "To keep the data, bring it over with pg_upgrade or pg_dump of PostgreSQL {found}. To begin with an empty \
                 database, move the old one away: `mv {root} {root}.old`."
            ),
        )
    };
    Err(Error::ForeignVersion { folder: folder.data.clone(), found, installed: installed.join(", "), reason, advice })
}

/// Only one process at a time starts or stops a cluster.
fn lock_starting(folder: &Folder, progress: &mut dyn FnMut(&str)) -> Result<File, Error> {
    let path = &folder.start_lock;
    let file = Folder::open_lock(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress("Another RTV process is just starting or stopping the database; waiting for it.");
            file.lock().map_err(Error::io("lock", path))?;
        }
        Err(TryLockError::Error(error)) => return Err(Error::io("lock", path)(error)),
    }
    Ok(file)
}

/// Whether no other process holds the lock. Answers for a moment only, unless the start lock is held.
fn is_lockable(file: &File, path: &Path) -> Result<bool, Error> {
    match file.try_lock() {
        Ok(()) => {
            file.unlock().map_err(Error::io("unlock", path))?;
            Ok(true)
        }
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", path)(error)),
    }
}

impl Cluster {
    /// The owner's connection, for migrations.
    pub fn owner_url(&self) -> String {
        self.url(OWNER, &self.database)
    }

    /// The serving role's connection.
    pub fn app_url(&self) -> String {
        self.url(APP, &self.database)
    }

    /// The owner's connection to another database of this cluster, as tests make them.
    pub fn owner_url_of(&self, database: &str) -> String {
        self.url(OWNER, database)
    }

    /// The serving role's connection to another database of this cluster.
    pub fn app_url_of(&self, database: &str) -> String {
        self.url(APP, database)
    }

    /// The cluster's folder, without symbolic links.
    pub fn folder(&self) -> &Path {
        &self.server.folder.root
    }

    /// The programs that the server was started with, or fits.
    pub fn installation(&self) -> &Installation {
        &self.server.installation
    }

    /// Whether the server was running before this process came.
    pub fn was_running(&self) -> bool {
        self.was_running
    }

    /// Leaves the cluster, and stops the server if nobody else uses it. Close connections before: a stop ends them.
    pub fn stop(mut self) -> Result<(), Error> {
        self.leave()
    }

    fn leave(&mut self) -> Result<(), Error> {
        let Some(in_use) = self.in_use.take() else {
            return Ok(());
        };
        let folder = &self.server.folder;
        // Held to the end, so that nobody comes between the question and the stop.
        let _start_lock = lock_starting(folder, &mut |message| tracing::info!("{message}"))?;
        in_use.unlock().map_err(Error::io("unlock", &folder.in_use_lock))?;
        if is_lockable(&in_use, &folder.in_use_lock)? {
            self.server.stop()?;
            folder.tidy_socket_folder(&self.server.socket_folder);
        }
        Ok(())
    }

    /// Names port and encryption, because drivers would otherwise take them from `PGPORT` and `PGSSLMODE`.
    fn url(&self, role: &str, database: &str) -> String {
        let socket_folder = percent_encoded(self.server.socket_folder.as_os_str().as_bytes());
        format!("postgres://{role}@localhost:{PORT}/{database}?host={socket_folder}&sslmode=disable")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(error) = self.leave() {
            tracing::warn!(%error, "the private database was not left properly");
        }
    }
}

fn percent_encoded(bytes: &[u8]) -> String {
    let mut encoded = String::new();
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a string does not fail");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_encoded_for_a_url() {
        assert_eq!(percent_encoded("/srv/a b/\u{fc}".as_bytes()), "%2Fsrv%2Fa%20b%2F%C3%BC");
        assert_eq!(percent_encoded(b"a-b_c.d~e"), "a-b_c.d~e");
    }
}
