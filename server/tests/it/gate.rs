//! The gate of a running worker: it opens only with a fresh reading, closes by a flip within a moment, by a file at once, and by itself
//! when the database is away; and what happened is written down without anybody waiting for it.

use std::time::{Duration, Instant};

use rtv_core::{Action, Operation, Platform, Scope};
use rtv_domain::kill_switch::{self as switch, Side, State, Why};
use rtv_domain::{PoolSettings, Tenant};
use rtv_outbound::gate::Stopped;
use rtv_outbound::halt_folder::LocalHalt;
use rtv_server::jobs::{self, Equipment};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::test_app::TestApp;

struct Sending {
    app: TestApp,
    acme: Tenant,
    stop: oneshot::Sender<()>,
    worker: JoinHandle<()>,
}

impl Sending {
    async fn start() -> Self {
        let app = TestApp::new().await;
        let acme = app.tenant("acme").await;
        let (stop, stopped) = oneshot::channel::<()>();
        let settings = PoolSettings { connections: 6, ..PoolSettings::default() };
        let database = rtv_domain::Database::open(&app.db.app_url(), settings).await.unwrap();
        let equipment = Equipment { database, ..Equipment::of(&app.state) };
        let worker = tokio::spawn(jobs::run(equipment, async {
            let _ = stopped.await;
        }));
        let sending = Self { app, acme, stop, worker };
        sending.wait_until("the gate opens", || sending.check().is_ok()).await;
        sending
    }

    fn check(&self) -> Result<(), Stopped> {
        let operation = Operation {
            tenant: self.acme.id,
            platform: Platform::X,
            action: Action::Publish,
            account: Uuid::from_u128(7).into(),
            campaign: None,
        };
        self.app.state.gate.check(&operation).map(drop)
    }

    async fn wait_until(&self, what: &str, is_so: impl Fn() -> bool) {
        let began = Instant::now();
        while !is_so() {
            assert!(began.elapsed() < Duration::from_secs(15), "{what}: it has not come to that: {:?}", self.check());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn scope(&self) -> Scope {
        Scope::Part { tenant: Some(self.acme.id), platform: None, action: None }
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        self.worker.await.unwrap();
    }
}

#[tokio::test]
async fn a_flip_reaches_the_gate_by_its_notification_and_its_receipt_is_written() {
    let sending = Sending::start().await;
    let operator = sending.app.operator();
    let side = Side::Operator(&operator);
    let done = switch::engage(side, &sending.scope(), &Why::default()).await.unwrap();
    let flipped = Instant::now();
    sending.wait_until("the flip arrives", || matches!(sending.check(), Err(Stopped::Switch { .. }))).await;
    // A quarter of a second is what is promised; a machine that is busy with other tests gets the time of a poll.
    assert!(flipped.elapsed() < Duration::from_millis(750), "{:?}", flipped.elapsed());
    let began = Instant::now();
    let receipt = loop {
        let receipt = switch::receipt(side, done.halt).await.unwrap();
        if receipt.completed_at.is_some() {
            break receipt;
        }
        assert!(began.elapsed() < Duration::from_secs(15), "{receipt:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(matches!(receipt.state, State::Halted { .. }));
    assert_eq!(receipt.senders.len(), 1);
    assert!(receipt.senders[0].acknowledged_at.is_some(), "{receipt:?}");
    let metrics = sending.app.browser().get("/metrics").await.text();
    for line in ["rtv_switch_engaged{scope=\"tenant\"} 1", "rtv_switch_engaged{scope=\"global\"} 0"] {
        assert!(metrics.lines().any(|found| found == line), "{line}: {metrics}");
    }
    assert!(metrics.lines().any(|line| line.starts_with("rtv_gate_lease_age_seconds 0.")), "{metrics}");
    let ready: Value = serde_json::from_str(&sending.app.browser().get("/health/ready").await.text()).unwrap();
    assert_eq!(
        (&ready["checks"]["switches"]["status"], &ready["checks"]["switches"]["engaged"]),
        (&"ready".into(), &1.into())
    );
    sending.end().await;
}

#[tokio::test]
async fn an_orderly_end_closes_the_gate_and_gives_the_lease_back() {
    let sending = Sending::start().await;
    let (gate, operator) = (sending.app.state.gate.clone(), sending.app.operator());
    let senders = async || switch::senders(Side::Operator(&operator)).await.unwrap();
    assert!(senders().await[0].is_live);
    let Sending { app, stop, worker, .. } = sending;
    stop.send(()).unwrap();
    worker.await.unwrap();
    assert_eq!(gate.lease_left(), None);
    assert!(!senders().await[0].is_live, "nobody waits for a lease that is over");
    let ready: Value = serde_json::from_str(&app.browser().get("/health/ready").await.text()).unwrap();
    assert_eq!((&ready["status"], &ready["checks"]["switches"]["status"]), (&"degraded".into(), &"degraded".into()));
}

#[tokio::test]
async fn without_a_database_the_gate_closes_within_the_lease_and_opens_again_after_it() {
    let sending = Sending::start().await;
    let owner = sending.app.db.owner_pool().await;
    // A lock that nobody gives back: every reading waits, and none of its deadlines is the lease's end.
    let mut lock = owner.begin().await.unwrap();
    sqlx::query("lock table kill_switch in access exclusive mode").execute(&mut *lock).await.unwrap();
    let began = Instant::now();
    sending.wait_until("the lease lapses", || sending.check() == Err(Stopped::NoLease)).await;
    assert!(began.elapsed() < Duration::from_millis(2_500), "{:?}", began.elapsed());
    lock.rollback().await.unwrap();
    sending.wait_until("the gate opens again", || sending.check().is_ok()).await;
    // Notifications come again, too.
    let operator = sending.app.operator();
    switch::engage(Side::Operator(&operator), &sending.scope(), &Why::default()).await.unwrap();
    sending.wait_until("the flip arrives", || matches!(sending.check(), Err(Stopped::Switch { .. }))).await;
    sending.end().await;
}

#[tokio::test]
async fn a_local_file_closes_the_gate_at_once_and_engages_its_switch_afterwards() {
    let sending = Sending::start().await;
    let halt = LocalHalt {
        scope: sending.scope(),
        reason: rtv_core::ReasonKind::Security,
        note: "by hand".into(),
        by: "root".into(),
        at: None,
    };
    let name = sending.app.state.gate.folder().write(&halt).unwrap();
    assert!(matches!(sending.check(), Err(Stopped::LocalFile { .. })), "{:?}", sending.check());
    let operator = sending.app.operator();
    let side = Side::Operator(&operator);
    let began = Instant::now();
    let engaged = loop {
        if let Some(one) = switch::list(side).await.unwrap().into_iter().next() {
            break one;
        }
        assert!(began.elapsed() < Duration::from_secs(15), "it was not taken over");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(engaged.facts.is_automatic && engaged.facts.is_staff && engaged.scope == sending.scope());
    let senders = switch::senders(side).await.unwrap();
    assert_eq!(senders[0].local_files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), [name.as_str()]);
    sending.end().await;
}

#[tokio::test]
async fn what_cannot_be_written_down_keeps_nothing_held_that_may_go_on() {
    let sending = Sending::start().await;
    let owner = sending.app.db.owner_pool().await;
    for statement in [
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$",
        "create trigger refuse before insert on halt_receipt for each row execute function refuse()",
    ] {
        sqlx::query(statement).execute(&owner).await.unwrap();
    }
    let operator = sending.app.operator();
    let elsewhere = Scope::Part { tenant: None, platform: Some(Platform::Mastodon), action: None };
    switch::engage(Side::Operator(&operator), &elsewhere, &Why::default()).await.unwrap();
    // What a claim held while its switch was released.
    let (account, content, delivery) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let tenant = sending.acme.id.uuid();
    let mut tx = sending.app.marked("tenant", Some(tenant), None).await;
    for statement in [
        "insert into account (tenant_id, id, platform, external_id, name) values ($1, $2, 'sandbox', 'page', 'page')",
        "insert into content (tenant_id, id, body, created_by, changed_by) select $1, $3, 'Hello', 'somebody', 'somebody' where $2 <> $3",
        "insert into delivery (
           tenant_id, id, content_id, account_id, platform, state, scheduled_at, due_at, approved_sha256, approved_at,
           approved_by, hold_reason, held_by_switch, held_at
         )
         select $1, $4, $3, $2, 'sandbox', 'held', now(), now(), decode(repeat('07', 32), 'hex'), now(), 'somebody', 'switch', id, now()
         from kill_switch
         where tenant_id = $1 and scope = 'account:' || $2::text",
    ] {
        let mut query = sqlx::query(statement).bind(tenant).bind(account);
        if statement.contains("$3") {
            query = query.bind(content);
        }
        if statement.contains("$4") {
            query = query.bind(delivery);
        }
        assert_eq!(query.execute(&mut *tx).await.unwrap().rows_affected(), 1, "{statement}");
    }
    tx.commit().await.unwrap();
    let began = Instant::now();
    loop {
        let mut tx = sending.app.marked("tenant", Some(tenant), None).await;
        let is_held: bool = sqlx::query_scalar("select held_by_switch is not null from delivery where id = $1")
            .bind(delivery)
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        tx.rollback().await.unwrap();
        if !is_held {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(15), "it is held by a switch that nobody has engaged");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut tx = sending.app.marked("gate", None, None).await;
    let (halts, receipts): (i64, i64) = sqlx::query_as(
        "select (select count(*) from halt where halted_at is null), (select count(*) from halt_receipt)",
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    tx.rollback().await.unwrap();
    assert_eq!((halts, receipts), (1, 0), "the receipt was written after all");
    owner.close().await;
    sending.end().await;
}
