//! Halting while the database's disk has no byte left. It takes a small disk of its own, which only root can mount; where that is
//! not possible the test says so loudly and proves nothing.

use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use rtv_core::{Platform, ReasonKind, Scope};
use rtv_domain::kill_switch::lease::{self, SenderIdentity};
use rtv_domain::kill_switch::{self as switch, Side, State, Why, record};
use rtv_domain::tenant::{self, NewTenant};
use rtv_domain::{Actor, Clock, Context, Database, PoolSettings, RequestInfo, schema};
use rtv_postgres::{Options, Purpose};
use sqlx::Connection as _;

/// A disk of 300 MB in memory, taken away again when the test ends.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    fn mount() -> Option<Self> {
        let folder = tempfile::Builder::new().permissions(Permissions::from_mode(0o755)).tempdir().unwrap();
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=300m,mode=755", "rtv-full-disk"])
            .arg(folder.path())
            .output();
        done.is_ok_and(|done| done.status.success()).then_some(Self { folder })
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Takes what is left, to the last byte.
    fn fill(&self) {
        let mut file = File::create(self.folder.path().join("filler")).unwrap();
        for size in [1 << 20, 4_096, 1] {
            let block = vec![7_u8; size];
            while file.write_all(&block).is_ok() {}
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}

#[tokio::test]
async fn a_switch_is_engaged_and_acknowledged_on_a_full_disk() {
    let Some(disk) = Disk::mount() else {
        eprintln!(
            "SKIPPED: no small disk can be mounted here, so nothing was proved about a full one. Run it as root."
        );
        return;
    };
    let cluster = rtv_postgres::start(&Options::new(disk.home(), Purpose::Durable), &mut |_| ()).unwrap();
    assert!(
        cluster.folder().starts_with(disk.folder.path()),
        "the cluster lies elsewhere: {}",
        cluster.folder().display()
    );
    schema::up(&cluster.owner_url()).await.unwrap();
    let database =
        Database::open(&cluster.app_url(), PoolSettings { connections: 4, ..PoolSettings::default() }).await.unwrap();
    let context = |actor| Context::new(database.clone(), Clock::System, RequestInfo::default(), actor);
    let (operator, gate) = (context(Actor::Operator("root@ops-1".into())), context(Actor::System("gate")));
    let new = NewTenant { slug: "acme".into(), name: "Acme".into(), ..NewTenant::default() };
    let acme = tenant::create(&operator, new).await.unwrap();
    let (sender, side) = (SenderIdentity::new("one"), Side::Operator(&operator));
    lease::renew(&gate, &sender, |_| ()).await.unwrap();

    disk.fill();
    let mut owner = sqlx::PgConnection::connect(&cluster.owner_url()).await.unwrap();
    let refused = sqlx::query("create table filler as select repeat('x', 2000) as x from generate_series(1, 100000)")
        .execute(&mut owner)
        .await
        .unwrap_err();
    let code = refused.as_database_error().and_then(sqlx::error::DatabaseError::code);
    assert_eq!(code.as_deref(), Some("53100"), "the disk is not full: {refused}");

    let note = Why { note: "The disk is full, and we halt all the same. ".repeat(11), ..Why::default() };
    for scope in [
        Scope::Everything,
        Scope::GLOBAL,
        Scope::Part { tenant: None, platform: Some(Platform::X), action: None },
        Scope::Part { tenant: Some(acme.id), platform: None, action: None },
    ] {
        let done = switch::engage(side, &scope, &note).await.unwrap();
        assert!(!done.was_engaged, "{scope:?}");
        let reading = lease::renew(&gate, &sender, |_| ()).await.unwrap();
        assert!(reading.engaged.iter().any(|(_, engaged)| *engaged == scope), "{scope:?} is not read");
        let found = switch::one(side, done.switch).await.unwrap();
        assert!(matches!(found.state, State::Halted { .. }), "{scope:?}: {:?}", found.state);
        assert!(found.facts.note.is_some(), "{scope:?}: the note did not fit");
    }
    // Staff who halt what a guard has halted keep it halted until staff resume it, also without room for an event.
    let joined = Scope::Part { tenant: Some(acme.id), platform: Some(Platform::X), action: None };
    switch::engage_by_automation(&gate, &joined, ReasonKind::Other, "").await.unwrap();
    let done = switch::engage(side, &joined, &note).await.unwrap();
    assert!(done.was_engaged && switch::one(side, done.switch).await.unwrap().facts.is_staff);
    // With room again, what happened is written down.
    std::fs::remove_file(disk.folder.path().join("filler")).unwrap();
    record::record(&gate).await.unwrap();
    assert_eq!(switch::history(side, None).await.unwrap().items.len(), 5);
    drop(owner);
    database.close().await;
    tokio::task::spawn_blocking(move || cluster.stop()).await.unwrap().unwrap();
}
