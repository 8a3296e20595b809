//! The server process of one cluster: make its data with initdb, start it, find out whether it runs, stop
//! it. Callers hold the start lock, so that nothing here runs twice at once for the same cluster. What is
//! done *inside* the database is only the question whether it answers, and one script.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Purpose;
use crate::error::{Error, is_disk_full};
use crate::folder::{Folder, last_lines};
use crate::installation::Installation;
use crate::server_user::{ServerUser, run};

/// PostgreSQL's default, and only a part of the socket's name: nothing listens on the network.
pub(crate) const PORT: u16 = 5432;

/// How long a stop may take: a checkpoint on a slow disk needs its time.
const STOP_SECONDS: u64 = 120;

/// How often the person hears that we still wait.
const PATIENCE: Duration = Duration::from_secs(10);

/// A cluster's server, running or not.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) folder: Folder,
    pub(crate) user: ServerUser,
    pub(crate) installation: Installation,
    pub(crate) socket_folder: PathBuf,
    pub(crate) purpose: Purpose,
}

/// What the file `postmaster.pid` tells, held against the processes that run.
#[derive(Debug, PartialEq, Eq)]
enum Postmaster {
    /// No server runs, and none left a file behind.
    Absent,
    /// The server runs, though it may be starting or stopping.
    Running(u32),
    /// The file was left behind by a server whose process is gone. PostgreSQL deals with that itself.
    Dead(u32),
    /// The file was left behind, and PostgreSQL would take it for a running server's, because its process
    /// number is in use again (by what is said here) or not readable.
    Stale(String),
    /// This machine does not tell. PostgreSQL decides.
    Unknown,
}

impl Server {
    /// Makes the data folder. It is made under another name, so that a half-made one is never mistaken for
    /// a cluster, whatever interrupts us.
    pub(crate) fn initialise(&self, progress: &mut dyn FnMut(&str)) -> Result<(), Error> {
        let Folder { data, data_new, root, .. } = &self.folder;
        if data_new.exists() {
            progress("An earlier set-up of the database was interrupted; starting it over.");
            fs::remove_dir_all(data_new).map_err(Error::io("remove", data_new))?;
        }
        progress(&format!(
            "Setting up a private PostgreSQL {} database in {} (once; takes some seconds).",
            self.installation.major,
            root.display()
        ));
        self.folder.note_purpose(self.purpose)?;
        fs::create_dir(data_new).map_err(Error::io("create", data_new))?;
        self.user.give(data_new)?;
        let mut command = self.command("initdb");
        command
            .arg("--pgdata")
            .arg(data_new)
            .args(["--username=postgres", "--encoding=UTF8", "--data-checksums", "--no-instructions"])
            // Removed by us, after the look at how full the disk is.
            .arg("--no-clean")
            // The socket's folder is closed to other users; the network is closed altogether.
            .args(["--auth-local=trust", "--auth-host=reject"])
            .arg(format!("--locale={}", self.locale()));
        if self.purpose == Purpose::Throwaway {
            command.arg("--no-sync");
        }
        let output = run(command)?;
        if !output.status.success() {
            let words = both_streams(&output);
            let error = if is_disk_full(data_new, &words) {
                Error::disk_full(root)
            } else {
                Error::Initialise { path: data.clone(), output: last_lines(&words) }
            };
            let _ = fs::remove_dir_all(data_new);
            return Err(error);
        }
        // An empty folder, which we accept, would be replaced by the renaming; nothing else is overwritten.
        fs::rename(data_new, data).map_err(Error::io("rename", data_new))?;
        File::open(root).and_then(|folder| folder.sync_all()).map_err(Error::io("write", root))
    }

    /// `C.UTF-8` sorts by code point and knows upper and lower case beyond ASCII; very small systems lack it.
    fn locale(&self) -> &'static str {
        let mut command = self.user.command("locale");
        command.arg("-a");
        let known = run(command).map(|output| String::from_utf8_lossy(&output.stdout).to_lowercase());
        let is_known = known.is_ok_and(|known| known.lines().any(|line| line == "c.utf8" || line == "c.utf-8"));
        if is_known { "C.UTF-8" } else { "C" }
    }

    /// Makes sure that the server answers; true if it ran already. `is_alone` says that no other process of
    /// RTV's uses this cluster, so that what a dead server left behind may be removed.
    pub(crate) fn ensure_running(
        &self,
        is_alone: bool,
        timeout: Duration,
        progress: &mut dyn FnMut(&str),
    ) -> Result<bool, Error> {
        let begun = Instant::now();
        let mut has_told = false;
        loop {
            // Asked first: whoever answers on this socket is our server, even if it runs where we cannot see
            // its process, as in another container.
            if self.answers() {
                progress(&format!("Using the PostgreSQL that already runs in {}.", self.folder.root.display()));
                return Ok(true);
            }
            match self.postmaster()? {
                Postmaster::Running(pid) => {
                    if is_alone && self.has_lost_its_socket() {
                        progress(&format!(
                            "PostgreSQL runs in {} (process {pid}), but its socket is gone; starting it again.",
                            self.folder.root.display()
                        ));
                        self.stop()?;
                        continue;
                    }
                    if begun.elapsed() > timeout {
                        return Err(self.start_timeout(timeout, self.folder.log_tail(0)));
                    }
                    if !has_told {
                        progress(&format!("PostgreSQL is starting or stopping (process {pid}); waiting for it."));
                        has_told = true;
                    }
                    thread::sleep(Duration::from_millis(100));
                }
                Postmaster::Stale(reason) if is_alone || self.nobody_listens() => {
                    let pid_file = self.pid_file();
                    progress(&format!(
                        "Removing {}, which an earlier server left behind: {reason}.",
                        pid_file.display()
                    ));
                    fs::remove_file(&pid_file).map_err(Error::io("remove", &pid_file))?;
                    break;
                }
                Postmaster::Dead(pid) => {
                    progress(&format!(
                        "The last PostgreSQL (process {pid}) was not stopped properly; it will recover."
                    ));
                    break;
                }
                Postmaster::Absent | Postmaster::Stale(_) | Postmaster::Unknown => break,
            }
        }
        if is_alone || self.nobody_listens() {
            // The socket's own lock file holds a process number too, with the same danger of being used again.
            let _ = fs::remove_file(self.socket());
            let _ = fs::remove_file(self.socket_folder.join(format!(".s.PGSQL.{PORT}.lock")));
        }
        self.launch(timeout, progress)?;
        Ok(false)
    }

    fn launch(&self, timeout: Duration, progress: &mut dyn FnMut(&str)) -> Result<(), Error> {
        progress(&format!("Starting PostgreSQL {} in {}.", self.installation.major, self.folder.root.display()));
        let offset = self.folder.prepare_log(&self.user)?;
        let seconds = timeout.as_secs().max(1);
        let mut command = self.pg_ctl("start");
        command.args(["-t", &seconds.to_string()]).args(["-l", "server.log", "-o", &self.options()]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let program = PathBuf::from(command.get_program());
        let mut child = command.spawn().map_err(Error::io("run", &program))?;
        let begun = Instant::now();
        let mut told = PATIENCE;
        while child.try_wait().map_err(Error::io("wait for", &program))?.is_none() {
            if begun.elapsed() > told {
                progress(&format!("Still waiting for PostgreSQL to start ({} s).", told.as_secs()));
                told += PATIENCE;
            }
            thread::sleep(Duration::from_millis(20));
        }
        // pg_ctl has ended, and the server writes to its log, so this does not block.
        let output = child.wait_with_output().map_err(Error::io("wait for", &program))?;
        if output.status.success() {
            return Ok(());
        }
        let words = both_streams(&output);
        let tail = self.folder.log_tail(offset);
        if is_disk_full(&self.folder.root, &format!("{words}\n{tail}")) {
            return Err(Error::disk_full(&self.folder.root));
        }
        if words.contains("did not start in time") {
            // Nobody would use it or stop it later.
            if matches!(self.postmaster(), Ok(Postmaster::Running(_))) {
                let mut command = self.pg_ctl("stop");
                command.args(["-m", "immediate", "-t", "10"]);
                let _ = run(command);
            }
            return Err(self.start_timeout(timeout, tail));
        }
        let Folder { data, log, .. } = &self.folder;
        let tail = if tail.is_empty() { words } else { tail };
        Err(Error::StartFailed { path: data.clone(), log: log.clone(), tail })
    }

    /// The options that make the cluster private and fit for its purpose. They win over `postgresql.conf`,
    /// which stays the person's for everything else. `pg_ctl` hands them to a shell; nothing in them needs
    /// quoting, because the socket's folder was chosen so.
    fn options(&self) -> String {
        let mut options = vec![
            "listen_addresses=''".to_owned(),
            format!("unix_socket_directories={}", self.socket_folder.display()),
            "unix_socket_permissions=0700".to_owned(),
            format!("port={PORT}"),
            "timezone=UTC".to_owned(),
            "log_timezone=UTC".to_owned(),
        ];
        let of_purpose: &[&str] = match self.purpose {
            Purpose::Durable => &["max_connections=200"],
            Purpose::Throwaway => &[
                "max_connections=300",
                "fsync=off",
                "synchronous_commit=off",
                "full_page_writes=off",
                // Less is written for every cloned database.
                "wal_level=minimal",
                "max_wal_senders=0",
            ],
        };
        options.extend(of_purpose.iter().map(|&option| option.to_owned()));
        options.iter().map(|option| format!("-c {option}")).collect::<Vec<_>>().join(" ")
    }

    /// Stops the server, if it runs, and waits until it has.
    pub(crate) fn stop(&self) -> Result<(), Error> {
        let pid = match self.postmaster()? {
            Postmaster::Running(pid) => Some(pid),
            Postmaster::Unknown => None,
            // Never on a stale file: pg_ctl would send its signal to whichever process has that number now.
            Postmaster::Absent | Postmaster::Dead(_) | Postmaster::Stale(_) => return Ok(()),
        };
        let mut command = self.pg_ctl("stop");
        command.args(["-m", "fast", "-t", &STOP_SECONDS.to_string()]);
        let output = run(command)?;
        let is_gone = matches!(self.postmaster()?, Postmaster::Absent | Postmaster::Dead(_));
        if !output.status.success() && !is_gone {
            let output = last_lines(&both_streams(&output));
            return Err(Error::StopFailed { path: self.folder.data.clone(), output });
        }
        // pg_ctl looks at the pid file only, which goes shortly before the process lets go of the folder.
        let begun = Instant::now();
        let process = pid.map(|pid| PathBuf::from(format!("/proc/{pid}")));
        while process.as_ref().is_some_and(|process| self.is_in_the_data(process).unwrap_or(false))
            && begun.elapsed() < PATIENCE
        {
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Runs a script as superuser.
    pub(crate) fn run_script(&self, script: &str) -> Result<(), Error> {
        let set_up_error = |output: String| Error::SetUp { path: self.folder.data.clone(), output };
        let mut command = self.psql();
        command.args(["--file", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let program = PathBuf::from(command.get_program());
        let mut child = command.spawn().map_err(Error::io("run", &program))?;
        if let Some(mut input) = child.stdin.take() {
            // psql that ended early tells why on its other end, which is the better message.
            let _ = input.write_all(script.as_bytes());
        }
        let output = child.wait_with_output().map_err(Error::io("wait for", &program))?;
        if output.status.success() {
            return Ok(());
        }
        let words = both_streams(&output);
        if is_disk_full(&self.folder.root, &words) {
            return Err(Error::disk_full(&self.folder.root));
        }
        Err(set_up_error(last_lines(&words)))
    }

    fn answers(&self) -> bool {
        if !self.socket().exists() {
            return false;
        }
        let mut command = self.psql();
        command.args(["--command", "select 1"]);
        run(command).is_ok_and(|output| output.status.success())
    }

    /// The socket exists, and the kernel says that no process holds it. That is true for processes that we
    /// cannot see, too, as in another container, so whatever a server left behind may be removed.
    fn nobody_listens(&self) -> bool {
        UnixStream::connect(self.socket()).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    }

    /// A running server whose socket somebody removed, or whose folder was moved, can be reached by nobody.
    fn has_lost_its_socket(&self) -> bool {
        let text = fs::read_to_string(self.pid_file()).unwrap_or_default();
        let is_ready = text.lines().nth(7).is_some_and(|status| status.trim() == "ready");
        is_ready && !self.socket().exists()
    }

    fn postmaster(&self) -> Result<Postmaster, Error> {
        let pid_file = self.pid_file();
        let text = match fs::read_to_string(&pid_file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Postmaster::Absent),
            Err(error) => return Err(Error::io("read", &pid_file)(error)),
        };
        if !Path::new("/proc/self").exists() {
            return Ok(Postmaster::Unknown);
        }
        let Some(pid) = text.lines().next().and_then(|line| line.trim().parse::<u32>().ok()) else {
            // A server that is just starting makes the file empty first. None is, if no process lives in the data.
            return Ok(match self.find_server_process() {
                Some(pid) => Postmaster::Running(pid),
                None => Postmaster::Stale("it holds no process number".into()),
            });
        };
        Ok(self.judge(pid))
    }

    /// Whether the process of this number is our server. A server works in its data folder, which no other
    /// program does, and two PostgreSQL servers do not share one.
    fn judge(&self, pid: u32) -> Postmaster {
        let process = PathBuf::from(format!("/proc/{pid}"));
        let Ok(owner) = fs::metadata(&process) else {
            return Postmaster::Dead(pid);
        };
        match self.works_in_the_data(&process) {
            Ok(true) => Postmaster::Running(pid),
            Ok(false) => Postmaster::Stale(format!("process {pid} is now `{}`", command_line(&process))),
            // Ended, but not yet waited for by its parent.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Postmaster::Stale(format!("process {pid} has ended"))
            }
            // Another user's process cannot be our server, and PostgreSQL sees that by itself.
            Err(_) if owner.uid() != self.user.uid => Postmaster::Dead(pid),
            Err(_) => Postmaster::Unknown,
        }
    }

    fn works_in_the_data(&self, process: &Path) -> io::Result<bool> {
        Ok(self.is_in_the_data(process)? && command_line(process).contains("postgres"))
    }

    fn is_in_the_data(&self, process: &Path) -> io::Result<bool> {
        let here = fs::metadata(process.join("cwd"))?;
        let data = fs::metadata(&self.folder.data)?;
        Ok(here.dev() == data.dev() && here.ino() == data.ino())
    }

    fn find_server_process(&self) -> Option<u32> {
        fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            self.works_in_the_data(&entry.path()).is_ok_and(|is_ours| is_ours).then_some(pid)
        })
    }

    fn start_timeout(&self, timeout: Duration, tail: String) -> Error {
        let Folder { data, log, .. } = &self.folder;
        Error::StartTimeout { path: data.clone(), seconds: timeout.as_secs(), log: log.clone(), tail }
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.data.join("postmaster.pid")
    }

    fn socket(&self) -> PathBuf {
        self.socket_folder.join(format!(".s.PGSQL.{PORT}"))
    }

    fn command(&self, program: &str) -> Command {
        self.user.command(self.installation.program(program))
    }

    /// `pg_ctl` pastes paths into a shell's command line, so it gets the data through its environment and the
    /// log relative to its folder: then no character in `RTV_HOME` can do harm.
    fn pg_ctl(&self, action: &str) -> Command {
        let mut command = self.command("pg_ctl");
        command.args([action, "-w"]).env("PGDATA", &self.folder.data).current_dir(&self.folder.root);
        command
    }

    fn psql(&self) -> Command {
        let mut command = self.command("psql");
        command
            .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--no-password", "--set=ON_ERROR_STOP=1"])
            .arg("--host")
            .arg(&self.socket_folder)
            .args(["--port", &PORT.to_string(), "--username=postgres", "--dbname=postgres"])
            .env("PGCONNECT_TIMEOUT", "10");
        command
    }
}

fn both_streams(output: &std::process::Output) -> String {
    let [error, out] = [&output.stderr, &output.stdout].map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned());
    if error.is_empty() || out.is_empty() { format!("{out}{error}") } else { format!("{out}\n{error}") }
}

fn command_line(process: &Path) -> String {
    let bytes = fs::read(process.join("cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ").trim().to_owned()
}
