//! The operating-system user that PostgreSQL's programs run as. PostgreSQL refuses to run as root, so as
//! root every program is started as the owner of the existing data, or as `postgres` for new data; an
//! ordinary user runs them directly. Every program gets a clean environment: nothing of the caller's
//! `PG…` variables may redirect it, and none of RTV's secrets reach another user's process.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::error::Error;

/// Who runs the server.
#[derive(Debug, Clone)]
pub(crate) struct ServerUser {
    pub(crate) uid: u32,
    /// For messages; the number when the user has no name.
    pub(crate) name: String,
    /// User and group to change to; `None` when we already are that user.
    switch_to: Option<(u32, u32)>,
}

impl ServerUser {
    /// Chooses the user for the cluster whose data lies, or will lie, in `data`.
    pub(crate) fn choose(data: &Path) -> Result<Self, Error> {
        let own_uid = id(&["-u"]).ok_or_else(|| Error::Io {
            action: "run",
            path: PathBuf::from("id"),
            source: std::io::Error::other("it does not tell which user this is"),
        })?;
        if own_uid != 0 {
            return Ok(Self { uid: own_uid, name: user_name(own_uid), switch_to: None });
        }
        // A cluster that an ordinary user made keeps running as that user when root starts RTV.
        if let Ok(metadata) = fs::metadata(data)
            && metadata.uid() != 0
        {
            let (uid, gid) = (metadata.uid(), metadata.gid());
            return Ok(Self { uid, name: user_name(uid), switch_to: Some((uid, gid)) });
        }
        let (Some(uid), Some(gid)) = (id(&["-u", "postgres"]), id(&["-g", "postgres"])) else {
            return Err(Error::UserMissing);
        };
        Ok(Self { uid, name: "postgres".into(), switch_to: Some((uid, gid)) })
    }

    /// Whether we are root and the server runs as somebody else.
    pub(crate) fn is_somebody_else(&self) -> bool {
        self.switch_to.is_some()
    }

    /// Hands a file or folder that we just made to the server's user.
    pub(crate) fn give(&self, path: &Path) -> Result<(), Error> {
        match self.switch_to {
            Some((uid, gid)) => {
                std::os::unix::fs::lchown(path, Some(uid), Some(gid)).map_err(Error::io("change the owner of", path))
            }
            None => Ok(()),
        }
    }

    /// Whether the server's user can enter the folder. Tried rather than computed from modes, because
    /// access lists and mount options count too.
    pub(crate) fn can_enter(&self, folder: &Path) -> Result<bool, Error> {
        if !self.is_somebody_else() {
            return Ok(true);
        }
        let shell = Path::new("/bin/sh");
        let mut command = self.command(shell);
        command.args(["-c", "cd -- \"$1\"", "sh"]).arg(folder);
        Ok(run(command)?.status.success())
    }

    /// The outermost folder on the way to `folder` that the server's user cannot enter.
    pub(crate) fn blocked_at(&self, folder: &Path) -> Result<PathBuf, Error> {
        let mut way: Vec<&Path> = folder.ancestors().collect();
        way.reverse();
        for step in way {
            if !self.can_enter(step)? {
                return Ok(step.to_path_buf());
            }
        }
        Ok(folder.to_path_buf())
    }

    /// A command that runs as the server's user, with a clean environment and no terminal.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let program = program.as_ref();
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            // Messages in English, because full disks and time-outs are recognised by their words.
            .env("LC_ALL", "C")
            // The caller's folder may be closed to the server's user.
            .current_dir("/")
            .stdin(Stdio::null());
        if let Some((uid, gid)) = self.switch_to {
            command.uid(uid).gid(gid);
        }
        command
    }
}

/// Runs a command to its end and collects what it wrote.
pub(crate) fn run(mut command: Command) -> Result<Output, Error> {
    let program = PathBuf::from(command.get_program());
    command.output().map_err(Error::io("run", &program))
}

/// A user's name for messages.
pub(crate) fn user_name(uid: u32) -> String {
    id_output(&["-un", &uid.to_string()]).unwrap_or_else(|| uid.to_string())
}

fn id(arguments: &[&str]) -> Option<u32> {
    id_output(arguments)?.parse().ok()
}

/// `id` rather than `/etc/passwd`: it also knows users from directories, and needs no unsafe call.
fn id_output(arguments: &[&str]) -> Option<String> {
    let output = Command::new("id").args(arguments).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
