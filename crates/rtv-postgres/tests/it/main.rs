//! The private cluster on real PostgreSQL servers in temporary folders, alone and shared by processes. As
//! root everything runs twice: once as root, whose servers run as `postgres`, and once as an ordinary user.
//! Every test ends with the check that no server is left running.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use rtv_postgres::{Cluster, Error, Options, Purpose, find_binaries};
use tempfile::TempDir;

const NOBODY: u32 = 65534;

/// A temporary `RTV_HOME`. Dropping it fails the test if a server still runs in it.
struct Home {
    path: PathBuf,
    _temporary: TempDir,
}

impl Home {
    fn new() -> Self {
        Self::named("rtv")
    }

    fn named(name: &str) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        // A temporary folder is closed to others; the server of a root is another user.
        fs::set_permissions(temporary.path(), fs::Permissions::from_mode(0o777)).unwrap();
        Self { path: temporary.path().canonicalize().unwrap().join(name), _temporary: temporary }
    }

    fn postgres(&self) -> PathBuf {
        self.path.join("postgres")
    }

    fn data(&self) -> PathBuf {
        self.postgres().join("data")
    }

    fn options(&self, purpose: Purpose) -> Options {
        Options::new(&self.path, purpose)
    }

    fn start(&self) -> (Cluster, String) {
        start(&self.options(Purpose::Throwaway)).unwrap()
    }

    fn refusal(&self) -> Error {
        start(&self.options(Purpose::Throwaway)).expect_err("the start should be refused")
    }

    /// A stopped cluster.
    fn initialised() -> Self {
        let home = Self::new();
        home.start().0.stop().unwrap();
        home
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let left = servers_in(&self.data());
        for pid in &left {
            kill("-KILL", *pid);
        }
        if !std::thread::panicking() {
            assert!(left.is_empty(), "a server was left running in {}: {left:?}", self.path.display());
        }
    }
}

fn start(options: &Options) -> Result<(Cluster, String), Error> {
    let mut told = String::new();
    let cluster = rtv_postgres::start(options, &mut |message| {
        told.push_str(message);
        told.push('\n');
    })?;
    Ok((cluster, told))
}

/// The server's processes, found by the folder that they work in. A process that has ended but was not
/// waited for does not count.
fn servers_in(data: &Path) -> Vec<u32> {
    let Ok(data) = data.canonicalize() else {
        return Vec::new();
    };
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == data))
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

fn postmaster(home: &Home) -> u32 {
    let text = fs::read_to_string(home.data().join("postmaster.pid")).unwrap();
    text.lines().next().unwrap().trim().parse().unwrap()
}

fn kill(signal: &str, pid: u32) {
    let _ = Command::new("kill").args([signal, &pid.to_string()]).status();
}

fn is_alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// True if we are root; otherwise says aloud (past the capture) that a test does nothing.
fn is_root_or_skips(test: &str) -> bool {
    if !is_root() {
        skip(test, "it needs root");
    }
    is_root()
}

fn skip(test: &str, reason: &str) {
    let mut loudly = std::io::stderr();
    writeln!(loudly, "\n=== SKIPPED: {test}: {reason} ===").unwrap();
}

fn psql(url: &str, sql: &str) -> Result<String, String> {
    let bin_dir = find_binaries(None).unwrap().remove(0).bin_dir;
    let output = Command::new(bin_dir.join("psql"))
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, url])
        .current_dir("/")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Another process that uses a cluster: this test program, running the test `holder` below.
struct Holder {
    child: Child,
    input: ChildStdin,
    output: BufReader<std::process::ChildStdout>,
}

impl Holder {
    fn spawn(home: &Home) -> Self {
        Self::spawn_command(Command::new(std::env::current_exe().unwrap()), home)
    }

    fn spawn_command(mut command: Command, home: &Home) -> Self {
        let mut child = command
            .args(["holder", "--exact", "--ignored", "--nocapture"])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        writeln!(input, "{}", home.path.display()).unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    /// Reads until the marked line, and returns what stands behind the mark, and all lines before.
    fn wait_for(&mut self, mark: &str) -> (String, String) {
        let mut before = String::new();
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "the holder ended before {mark}: {before}");
            if let Some((_, rest)) = line.split_once(mark) {
                return (rest.trim().to_owned(), before);
            }
            before.push_str(&line);
        }
    }

    fn stop(mut self) {
        writeln!(self.input, "stop").unwrap();
        self.wait_for("@stopped");
        assert!(self.child.wait().unwrap().success());
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Not a test: the process that `Holder` starts. Takes the folder from its standard input.
#[test]
#[ignore = "started by other tests"]
fn holder() {
    let mut lines = std::io::stdin().lines();
    let home = lines.next().unwrap().unwrap();
    match start(&Options::new(home, Purpose::Throwaway)) {
        Ok((cluster, told)) => {
            println!("{told}\n@ready {}", cluster.was_running());
            lines.next();
            cluster.stop().unwrap();
            println!("\n@stopped");
        }
        Err(error) => println!("\n@refused {error}"),
    }
}

#[test]
fn the_first_start_makes_a_cluster_and_the_second_adopts_it() {
    let home = Home::new();
    let (first, told) = start(&home.options(Purpose::Durable)).unwrap();
    assert!(told.contains("Setting up a private PostgreSQL"), "{told}");
    assert!(!first.was_running());
    assert_eq!(psql(&first.app_url(), "select current_user, current_database()").unwrap(), "rtv_app|rtv");
    assert_eq!(psql(&first.owner_url(), "select current_user, current_database()").unwrap(), "rtv_owner|rtv");
    for (setting, expect) in [
        ("listen_addresses", ""),
        ("fsync", "on"),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
        ("unix_socket_permissions", "0700"),
    ] {
        assert_eq!(psql(&first.app_url(), &format!("show {setting}")).unwrap(), expect, "{setting}");
    }
    psql(&first.owner_url(), "create table kept (id int)").unwrap();

    let (second, told) = start(&home.options(Purpose::Durable)).unwrap();
    assert!(second.was_running() && told.contains("already runs"), "{told}");
    drop(first);
    assert_eq!(psql(&second.owner_url(), "select count(*) from kept").unwrap(), "0");

    let url = second.app_url();
    second.stop().unwrap();
    assert!(psql(&url, "select 1").is_err());
    assert_eq!(servers_in(&home.data()), Vec::<u32>::new());

    let (third, told) = start(&home.options(Purpose::Durable)).unwrap();
    assert!(!third.was_running() && !told.contains("Setting up"), "{told}");
    assert_eq!(psql(&third.owner_url(), "select count(*) from kept").unwrap(), "0");
    third.stop().unwrap();
}

#[test]
fn two_processes_share_a_cluster_and_the_last_one_stops_it() {
    let home = Home::new();
    let (cluster, _) = home.start();
    let mut other = Holder::spawn(&home);
    assert_eq!(other.wait_for("@ready").0, "true");
    let url = cluster.app_url();
    cluster.stop().unwrap();
    assert_eq!(psql(&url, "select 1").unwrap(), "1", "the first one to leave must not stop the server");
    other.stop();
    assert!(psql(&url, "select 1").is_err(), "the last one must stop the server");
}

#[test]
fn processes_that_start_at_once_wait_for_each_other() {
    let home = Home::new();
    let mut holders: Vec<Holder> = (0..3).map(|_| Holder::spawn(&home)).collect();
    let answers: Vec<(String, String)> = holders.iter_mut().map(|holder| holder.wait_for("@ready")).collect();
    let starters = answers.iter().filter(|(was_running, _)| was_running == "false").count();
    assert_eq!(starters, 1, "{answers:?}");
    let waiting = answers.iter().filter(|(_, told)| told.contains("Another RTV process")).count();
    assert!(waiting >= 1, "{answers:?}");
    for holder in holders {
        holder.stop();
    }
}

#[test]
fn after_a_killed_process_the_next_one_adopts_the_server() {
    let home = Home::new();
    let mut other = Holder::spawn(&home);
    other.wait_for("@ready");
    other.kill();
    let orphan = postmaster(&home);
    assert!(is_alive(orphan));
    let (cluster, _) = home.start();
    assert!(cluster.was_running());
    assert_eq!(postmaster(&home), orphan);
    cluster.stop().unwrap();
    assert!(!is_alive(orphan), "nobody else uses it, so it must stop");
}

#[test]
fn a_server_that_was_killed_is_started_again() {
    let home = Home::new();
    let (cluster, _) = home.start();
    psql(&cluster.owner_url(), "create table kept (id int); checkpoint").unwrap_or_default();
    kill("-KILL", postmaster(&home));
    while !servers_in(&home.data()).is_empty() {
        std::thread::sleep(Duration::from_millis(20));
    }
    // While the first user still holds the cluster, and once more when nobody does.
    let (second, told) = home.start();
    assert!(!second.was_running() && !told.contains("Using the PostgreSQL"), "{told}");
    assert_eq!(psql(&cluster.app_url(), "select 1").unwrap(), "1");
    drop(cluster);
    kill("-KILL", postmaster(&home));
    drop(second);
    let (third, _) = home.start();
    assert_eq!(psql(&third.app_url(), "select 1").unwrap(), "1");
    third.stop().unwrap();
}

#[test]
fn a_running_server_whose_socket_was_removed_is_started_again() {
    let home = Home::new();
    let mut other = Holder::spawn(&home);
    other.wait_for("@ready");
    other.kill();
    fs::remove_file(home.postgres().join("run/.s.PGSQL.5432")).unwrap();
    let (cluster, told) = home.start();
    assert!(told.contains("its socket is gone") && !cluster.was_running(), "{told}");
    cluster.stop().unwrap();
}

/// Writes a pid file as a server would, and hands it to the server's user.
fn write_as_server(home: &Home, path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    let data = fs::metadata(home.data()).unwrap();
    chown(path, Some(data.uid()), Some(data.gid())).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_pid_file_with_the_number_of_another_process_is_removed() {
    let home = Home::initialised();
    let data = fs::metadata(home.data()).unwrap();
    let mut command = Command::new("sleep");
    command.arg("120").current_dir("/");
    if is_root() {
        // PostgreSQL takes only processes of its own user for servers.
        command.uid(data.uid()).gid(data.gid());
    }
    let mut bystander = command.spawn().unwrap();
    let pid = bystander.id();
    let (folder, run) = (home.data(), home.postgres().join("run"));
    let text = format!("{pid}\n{}\n1700000000\n5432\n{}\n\n  1 2\nready   \n", folder.display(), run.display());
    write_as_server(&home, &folder.join("postmaster.pid"), &text);
    write_as_server(&home, &run.join(".s.PGSQL.5432.lock"), &text);

    let (cluster, told) = home.start();
    assert!(told.contains("Removing") && told.contains(&format!("process {pid} is now `sleep 120`")), "{told}");
    assert_eq!(psql(&cluster.app_url(), "select 1").unwrap(), "1");
    assert!(is_alive(pid));
    cluster.stop().unwrap();

    // A stop must not signal the bystander either.
    let (cluster, _) = home.start();
    let real = postmaster(&home);
    let pid_file = folder.join("postmaster.pid");
    let real_text = fs::read_to_string(&pid_file).unwrap();
    write_as_server(&home, &pid_file, &text);
    cluster.stop().unwrap();
    assert!(is_alive(pid), "a process that is not ours was signalled");
    write_as_server(&home, &pid_file, &real_text);
    kill("-INT", real);
    while is_alive(real) {
        std::thread::sleep(Duration::from_millis(20));
    }
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

#[test]
fn pid_files_of_dead_processes_and_empty_ones_do_no_harm() {
    let home = Home::initialised();
    let mut ended = Command::new("true").spawn().unwrap();
    let dead = ended.id();
    ended.wait().unwrap();
    for text in [format!("{dead}\n{}\n1700000000\n5432\n\n\n\nready\n", home.data().display()), String::new()] {
        write_as_server(&home, &home.data().join("postmaster.pid"), &text);
        let (cluster, told) = home.start();
        assert!(told.contains("was not stopped properly") || told.contains("no process number"), "{told}");
        assert_eq!(psql(&cluster.app_url(), "select 1").unwrap(), "1");
        cluster.stop().unwrap();
    }
}

#[test]
fn data_of_another_major_version_is_refused_untouched() {
    let home = Home::initialised();
    let installed = find_binaries(None).unwrap().remove(0).major;
    let version = home.data().join("PG_VERSION");
    let check = |found: &str, expect: &str| {
        fs::write(&version, format!("{found}\n")).unwrap();
        let error = home.refusal();
        assert!(matches!(error, Error::ForeignVersion { .. }), "{error}");
        let message = error.to_string();
        for part in [expect, &format!("by PostgreSQL {found}"), &format!("installed: {installed}")] {
            assert!(message.contains(part), "`{part}` is missing in: {message}");
        }
        assert_eq!(fs::read_to_string(&version).unwrap(), format!("{found}\n"));
    };
    check("14", "RTV works with 15 to 18");
    check("19", "RTV works with 15 to 18");
    let all: Vec<u32> = find_binaries(None).unwrap().iter().map(|installation| installation.major).collect();
    if let Some(absent) = (15..=18).find(|major| !all.contains(major)) {
        check(&absent.to_string(), &format!("apt-get install postgresql-{absent}"));
    }
    fs::write(&version, format!("{installed}\n")).unwrap();
    home.start().0.stop().unwrap();
}

#[test]
fn folders_that_hold_something_else_are_refused_untouched() {
    let check = |file: &str, expect: &str| {
        let home = Home::new();
        let path = home.path.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "mine").unwrap();
        if is_root() && home.data().is_dir() {
            chown(home.data(), Some(postgres_uid()), None).unwrap();
        }
        let error = home.refusal();
        assert!(matches!(error, Error::NotACluster { .. }), "{error}");
        assert!(error.to_string().contains(expect), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    };
    check("postgres", "is a file");
    check("postgres/letters.txt", "holds `letters.txt`");
    check("postgres/data/letters.txt", "has no file PG_VERSION");
}

fn postgres_uid() -> u32 {
    let output = Command::new("id").args(["-u", "postgres"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

#[test]
fn missing_programs_are_named_with_the_command_that_installs_them() {
    let home = Home::new();
    let empty = tempfile::tempdir().unwrap();
    let options = Options { bin_dir: Some(empty.path().to_path_buf()), ..home.options(Purpose::Throwaway) };
    let error = start(&options).expect_err("there are no programs");
    assert!(matches!(error, Error::BinariesMissing { .. }), "{error}");
    let message = error.to_string();
    for part in ["apt-get install postgresql-15", "make run", "no postgres", empty.path().to_str().unwrap()] {
        assert!(message.contains(part), "`{part}` is missing in: {message}");
    }
    assert!(!home.path.exists(), "nothing may be made before the programs are found");
}

#[test]
fn a_half_made_cluster_is_made_anew() {
    let home = Home::new();
    fs::create_dir_all(home.postgres().join("data.new/base")).unwrap();
    fs::write(home.postgres().join("data.new/PG_VERSION"), "15\n").unwrap();
    let (cluster, told) = home.start();
    assert!(told.contains("was interrupted"), "{told}");
    assert_eq!(psql(&cluster.app_url(), "select 1").unwrap(), "1");
    assert!(!home.postgres().join("data.new").exists());
    cluster.stop().unwrap();
}

#[test]
fn the_serving_role_is_weak() {
    let home = Home::new();
    let (cluster, _) = start(&home.options(Purpose::Durable)).unwrap();
    let (app, owner) = (cluster.app_url(), cluster.owner_url());
    let rights = "select rolcanlogin, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication \
                  from pg_roles where rolname = current_user";
    assert_eq!(psql(&app, rights).unwrap(), "t|f|f|f|f|f");
    assert_eq!(psql(&owner, rights).unwrap(), "t|f|f|f|f|f");
    assert_eq!(psql(&app, "select pg_has_role('rtv_owner', 'member')").unwrap(), "f");
    let owners = "select pg_get_userbyid(datdba), (select pg_get_userbyid(nspowner) from pg_namespace \
                  where nspname = 'public') from pg_database where datname = current_database()";
    assert_eq!(psql(&app, owners).unwrap(), "rtv_owner|rtv_owner");

    let check = |sql: &str, expect: &str| {
        let answer = psql(&app, sql).expect_err(sql);
        assert!(answer.contains(expect), "{sql}: {answer}");
    };
    check("create table public.mine (id int)", "permission denied for schema public");
    check("create schema mine", "permission denied for database");
    check("create role mine", "permission denied");
    check("set role rtv_owner", "permission denied");
    psql(&owner, "create table theirs (id int)").unwrap();
    check("select * from theirs", "permission denied for table theirs");
    check("drop table theirs", "must be owner");
    psql(&app, "create temporary table mine (id int)").unwrap();
    psql(&owner, "create schema queue").unwrap();
    assert!(psql(&owner, "create database other").unwrap_err().contains("permission denied"));
    let public = "select count(*) from pg_namespace, aclexplode(nspacl) where nspname = 'public' and grantee = 0";
    assert_eq!(psql(&owner, public).unwrap(), "0");
    cluster.stop().unwrap();
}

#[test]
fn a_throwaway_cluster_is_quick_and_its_owner_clones_databases() {
    let home = Home::new();
    let (cluster, _) = home.start();
    assert_eq!(psql(&cluster.app_url(), "show fsync").unwrap(), "off");
    assert_eq!(psql(&cluster.app_url(), "show max_connections").unwrap(), "300");
    psql(&cluster.owner_url(), "create table kept (id int)").unwrap();
    psql(&cluster.owner_url_of("postgres"), "create database copy template rtv").unwrap();
    assert_eq!(psql(&cluster.owner_url_of("copy"), "select count(*) from kept").unwrap(), "0");
    assert!(psql(&cluster.app_url_of("copy"), "create table public.mine (id int)").is_err());

    let error = start(&home.options(Purpose::Durable)).expect_err("test data must not become real data");
    assert!(matches!(error, Error::WrongPurpose { .. }), "{error}");
    assert_eq!(psql(&cluster.app_url(), "select 1").unwrap(), "1", "a refusal leaves the server alone");
    cluster.stop().unwrap();
}

#[test]
fn an_odd_or_long_folder_has_its_socket_elsewhere() {
    let odd = "a b'\"$(false)`\\ü,c";
    for name in [odd, &"long".repeat(30)] {
        let home = Home::named(name);
        let (cluster, _) = home.start();
        assert_eq!(psql(&cluster.app_url(), "select 1").unwrap(), "1");
        let url = cluster.app_url();
        let (_, rest) = url.split_once("?host=%2Ftmp%2F").unwrap();
        let socket_folder = Path::new("/tmp").join(rest.split_once('&').unwrap().0);
        let metadata = fs::metadata(&socket_folder).unwrap();
        assert_eq!(metadata.mode() & 0o7777, 0o700);
        assert_eq!(metadata.uid(), fs::metadata(home.data()).unwrap().uid());
        cluster.stop().unwrap();
        assert!(!socket_folder.exists());

        // Somebody else's folder, or one that others can write to, could hold somebody else's server.
        let owner = fs::metadata(home.data()).unwrap().uid();
        let check = |owner: u32, mode: u32, expect: &str| {
            fs::create_dir(&socket_folder).unwrap();
            chown(&socket_folder, Some(owner), None).unwrap();
            fs::set_permissions(&socket_folder, fs::Permissions::from_mode(mode)).unwrap();
            let error = home.refusal();
            fs::remove_dir(&socket_folder).unwrap();
            assert!(matches!(error, Error::SocketFolder { .. }), "{error}");
            assert!(error.to_string().contains(expect), "{error}");
        };
        check(owner, 0o777, "is open to other users");
        if is_root() {
            check(NOBODY, 0o700, "belongs to user nobody");
        }
    }
}

#[test]
fn a_server_that_fails_to_start_shows_the_end_of_its_log() {
    let home = Home::initialised();
    let settings = home.data().join("postgresql.conf");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, format!("{text}\nnonsense = on\n")).unwrap();
    let error = home.refusal();
    assert!(matches!(error, Error::StartFailed { .. }), "{error}");
    assert!(error.to_string().contains("unrecognized configuration parameter \"nonsense\""), "{error}");
    fs::write(&settings, text).unwrap();
    home.start().0.stop().unwrap();
}

#[test]
fn a_server_that_does_not_answer_in_time_shows_the_end_of_its_log() {
    let home = Home::initialised();
    let real = find_binaries(None).unwrap().remove(0).bin_dir;
    let fake = tempfile::tempdir().unwrap();
    fs::set_permissions(fake.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for program in ["initdb", "psql"] {
        std::os::unix::fs::symlink(real.join(program), fake.path().join(program)).unwrap();
    }
    // pg_ctl starts the `postgres` that lies beside it.
    fs::copy(real.join("pg_ctl"), fake.path().join("pg_ctl")).unwrap();
    let script = format!(
        "#!/bin/sh\ncase $1 in -V|--version) exec {}/postgres \"$1\";; esac\necho 'thinking it over'\nexec sleep 6\n",
        real.display()
    );
    fs::write(fake.path().join("postgres"), script).unwrap();
    fs::set_permissions(fake.path().join("postgres"), fs::Permissions::from_mode(0o755)).unwrap();

    let options = Options {
        bin_dir: Some(fake.path().to_path_buf()),
        start_timeout: Duration::from_secs(2),
        ..home.options(Purpose::Throwaway)
    };
    let error = start(&options).expect_err("the server only sleeps");
    assert!(matches!(error, Error::StartTimeout { seconds: 2, .. }), "{error}");
    assert!(error.to_string().contains("thinking it over"), "{error}");
}

#[test]
fn a_link_to_nowhere_is_not_filled_with_a_new_database() {
    let home = Home::new();
    fs::create_dir(&home.path).unwrap();
    std::os::unix::fs::symlink("/nowhere/rtv", home.postgres()).unwrap();
    let error = home.refusal();
    assert!(matches!(error, Error::DanglingLink { .. }), "{error}");
}

/// A small file system of its own, unmounted at the end.
struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    fn mount(home: &Home, size: &str) -> Option<Self> {
        fs::create_dir_all(&home.path).unwrap();
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size},mode=0755"), "tmpfs"])
            .arg(&home.path)
            .stderr(Stdio::null())
            .status();
        let is_mounted = status.is_ok_and(|status| status.success());
        is_mounted.then(|| Self { path: home.path.clone() })
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

#[test]
fn a_full_disk_is_told_with_its_free_space() {
    if !is_root_or_skips("a_full_disk_is_told_with_its_free_space") {
        return;
    }
    let home = Home::new();
    let Some(too_small) = SmallDisk::mount(&home, "20m") else {
        return skip("a_full_disk_is_told_with_its_free_space", "mounting a tmpfs is not permitted here");
    };
    let expect_full = |error: &Error| {
        let message = error.to_string();
        assert!(matches!(error, Error::DiskFull { .. }), "{message}");
        assert!(message.contains("MB free of") && message.contains(home.path.to_str().unwrap()), "{message}");
    };
    expect_full(&home.refusal());
    assert!(!home.postgres().join("data.new").exists(), "what was begun must give its space back");
    assert!(!home.data().exists());
    drop(too_small);

    let _disk = SmallDisk::mount(&home, "120m").unwrap();
    home.start().0.stop().unwrap();
    let ballast = home.path.join("ballast");
    let mut file = fs::File::create(&ballast).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    drop(file);
    expect_full(&home.refusal());
    fs::remove_file(&ballast).unwrap();
    let (cluster, _) = home.start();
    assert_eq!(psql(&cluster.app_url(), "select 1").unwrap(), "1", "with room again it starts");
    cluster.stop().unwrap();
}

/// Removes a cluster that was placed outside of the temporary folder.
struct Outside(PathBuf);

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn below_a_closed_folder_of_root_the_cluster_lies_elsewhere() {
    if !is_root_or_skips("below_a_closed_folder_of_root_the_cluster_lies_elsewhere") {
        return;
    }
    let home = Home::new();
    let closed = home.path.parent().unwrap();
    fs::set_permissions(closed, fs::Permissions::from_mode(0o700)).unwrap();
    let (cluster, told) = home.start();
    let outside = Outside(fs::read_link(home.postgres()).unwrap());
    assert!(outside.0.starts_with("/var/lib/rtv"), "{}", outside.0.display());
    assert!(told.contains("may not enter") && told.contains(outside.0.to_str().unwrap()), "{told}");
    psql(&cluster.owner_url(), "create table kept (id int)").unwrap();
    cluster.stop().unwrap();
    let (cluster, told) = home.start();
    assert!(!told.contains("may not enter") && !told.contains("Setting up"), "{told}");
    assert_eq!(psql(&cluster.owner_url(), "select count(*) from kept").unwrap(), "0");
    cluster.stop().unwrap();

    // Whoever removes RTV_HOME wants to begin anew: the old data must not come back.
    fs::remove_dir_all(&home.path).unwrap();
    let (cluster, told) = home.start();
    let outside_anew = Outside(fs::read_link(home.postgres()).unwrap());
    assert_ne!(outside_anew.0, outside.0);
    assert!(told.contains("an earlier"), "{told}");
    assert!(psql(&cluster.owner_url(), "select count(*) from kept").is_err());
    cluster.stop().unwrap();
}

#[test]
fn an_existing_cluster_behind_a_closed_folder_is_refused_with_that_folder() {
    if !is_root_or_skips("an_existing_cluster_behind_a_closed_folder_is_refused_with_that_folder") {
        return;
    }
    let home = Home::initialised();
    fs::set_permissions(&home.path, fs::Permissions::from_mode(0o700)).unwrap();
    let error = home.refusal();
    assert!(matches!(&error, Error::Unreachable { blocked_at, .. } if *blocked_at == home.path), "{error}");
    fs::set_permissions(&home.path, fs::Permissions::from_mode(0o755)).unwrap();
    home.start().0.stop().unwrap();
}

/// This test program as an ordinary user, copied to where that user can read it.
fn as_nobody(folder: &TempDir) -> Command {
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("it");
    if !program.exists() {
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new(program);
    command.uid(NOBODY).gid(NOBODY).current_dir("/");
    command
}

#[test]
fn everything_holds_for_an_ordinary_user_too() {
    if !is_root_or_skips("everything_holds_for_an_ordinary_user_too") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = as_nobody(&folder).output().unwrap();
    let [out, error] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{out}\n{error}");
    assert!(out.contains("the_serving_role_is_weak ... ok"), "{out}");
}

#[test]
fn root_keeps_an_ordinary_users_cluster_theirs_and_not_the_other_way_round() {
    if !is_root_or_skips("root_keeps_an_ordinary_users_cluster_theirs_and_not_the_other_way_round") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let theirs = Home::new();
    let mut holder = Holder::spawn_command(as_nobody(&folder), &theirs);
    holder.wait_for("@ready");
    let (cluster, _) = theirs.start();
    assert!(cluster.was_running());
    holder.stop();
    assert_eq!(psql(&cluster.app_url(), "select 1").unwrap(), "1");
    cluster.stop().unwrap();
    let (cluster, _) = theirs.start();
    assert!(!cluster.was_running());
    let mut holder = Holder::spawn_command(as_nobody(&folder), &theirs);
    assert_eq!(holder.wait_for("@ready").0, "true", "what root started serves its owner");
    cluster.stop().unwrap();
    holder.stop();

    let roots = Home::initialised();
    let mut holder = Holder::spawn_command(as_nobody(&folder), &roots);
    let (message, _) = holder.wait_for("@refused");
    assert!(message.contains("belongs to user postgres") && message.contains("nobody"), "{message}");
    holder.child.wait().unwrap();
}

#[test]
fn variables_that_steer_postgresql_elsewhere_are_ignored() {
    let home = Home::new();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env("PGDATA", "/nowhere").env("PGPORT", "1").env("PGHOST", "/nowhere").env("PGUSER", "nobody");
    command.env("PGOPTIONS", "-c nonsense=1").env("LC_ALL", "de_DE.UTF-8").env("RTV_SECRET", "hush");
    let mut holder = Holder::spawn_command(command, &home);
    assert_eq!(holder.wait_for("@ready").0, "false");
    let environment = fs::read(format!("/proc/{}/environ", postmaster(&home))).unwrap();
    assert!(!String::from_utf8_lossy(&environment).contains("hush"), "the server must not see RTV's variables");
    holder.stop();
}
