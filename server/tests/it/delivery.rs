//! Deliveries as the program sends them: the real worker, the real sandbox network, and processes that die. What the network's own
//! ledger says decides.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use rtv_core::Platform;
use rtv_core::delivery::State;
use rtv_core::{AccountId, DeliveryId};
use rtv_domain::content::{self, Load, Loaded};
use rtv_domain::delivery::{self, Delivery, why};
use rtv_domain::{Actor, Clock, Context, RequestInfo, Tenant, TenantContext, access, account};
use rtv_outbound::gate::Gate;
use rtv_outbound::halt_folder::HaltFolder;
use rtv_outbound::http::{Base, Client};
use rtv_platforms::Adapters;
use rtv_sandbox::{Dials, Kind, Options, Sandbox};
use rtv_server::networks::Platforms;
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Child;
use url::Url;

use crate::command::Program;
use crate::test_app::TestApp;

/// How long anything may take. The deadline of a call is two seconds here, and the network shows a post within 300 ms.
const PATIENCE: Duration = Duration::from_secs(40);

struct Net {
    app: TestApp,
    rtv: Program,
    sandbox: Sandbox,
    files: TempDir,
    tenant: Tenant,
    ctx: TenantContext,
    account: AccountId,
    remote: String,
}

impl Net {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let files = tempfile::tempdir().unwrap();
        let options =
            Options { addr: "127.0.0.1:0".parse().unwrap(), ledger: files.path().join("ledger.jsonl"), dials: None };
        let sandbox = Sandbox::start(options).await.unwrap();
        let url = format!("http://{}", sandbox.addr());
        let rtv = Program::of(&app)
            .with("RTV_SANDBOX_URL", url.clone())
            .with("RTV_SANDBOX_LAG", "300ms")
            .with("RTV_SEND_DEADLINE", "2s")
            .with("RTV_LOG", "warn");
        let tenant = app.tenant("acme").await;
        let ctx = enter(&app, &tenant).await;
        let mut net =
            Self { account: uuid::Uuid::nil().into(), remote: String::new(), app, rtv, sandbox, files, tenant, ctx };
        (net.account, net.remote) = net.connect(&net.ctx, "acme").await;
        net
    }

    /// An account of the network, connected by its token. The master key is the one that the worker will find.
    async fn connect(&self, ctx: &TenantContext, handle: &str) -> (AccountId, String) {
        let made = self.ask("POST", "/accounts", &json!({ "handle": handle })).await;
        let token = SecretString::from(made["token"].as_str().unwrap());
        let folder = HaltFolder::open(self.files.path().join("halt.d")).unwrap();
        let base = Base::of_operator(Url::parse(&format!("http://{}", self.sandbox.addr())).unwrap()).unwrap();
        let networks = Platforms(Adapters::new(Client::new(Gate::new(folder)), base));
        let vault = self.vault();
        let id = account::connect(ctx, &vault, &networks, Platform::Sandbox, &token).await.unwrap();
        (id, made["id"].as_str().unwrap().to_owned())
    }

    fn vault(&self) -> rtv_domain::vault::Vault {
        let path = self.rtv.home.path().join("secret.key");
        if !path.exists() {
            use std::os::unix::fs::OpenOptionsExt as _;
            let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
            std::io::Write::write_all(&mut file, "07".repeat(32).as_bytes()).unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        rtv_domain::vault::Vault::parse(&SecretString::from(text)).unwrap()
    }

    /// Asks the network, as whoever dials its faults does.
    async fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let mut stream = TcpStream::connect(self.sandbox.addr()).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: sandbox\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 2"), "{answer}");
        serde_json::from_str(body).unwrap_or(Value::Null)
    }

    async fn dial(&self, kinds: &[(Kind, f64)]) {
        let dials = Dials { kinds: kinds.iter().copied().collect::<BTreeMap<_, _>>(), rate: None, ..Dials::default() };
        self.ask("PUT", "/faults", &serde_json::to_value(dials).unwrap()).await;
    }

    fn work(&self) -> Child {
        self.rtv.command(&["work"]).spawn().unwrap()
    }

    fn work_with(&self, fault: &str) -> Child {
        self.rtv.command(&["work"]).env("RTV_FAULT", fault).spawn().unwrap()
    }

    async fn load(&self, texts: &[&str]) -> Vec<Loaded> {
        load(&self.ctx, self.account, texts).await
    }

    async fn one(&self, id: DeliveryId) -> Delivery {
        delivery::one(&self.ctx, id).await.unwrap()
    }

    /// Waits until a delivery stands there.
    async fn until(&self, id: DeliveryId, state: State) -> Delivery {
        let started = Instant::now();
        loop {
            let one = self.one(id).await;
            if one.row.state == state {
                return one;
            }
            assert!(started.elapsed() < PATIENCE, "it is not {state}: {one:#?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Posts that the network has of a text, by its own ledger and list.
    fn posts(&self, text: &str) -> usize {
        let sha256 = hex::encode(content::text_sha256(text));
        let ledger = std::fs::read_to_string(self.files.path().join("ledger.jsonl")).unwrap();
        ledger
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|line| line["content_sha256"] == sha256.as_str() && line["remote_id"].is_string())
            .filter(|line| line["action"] == "publish")
            .count()
    }
}

async fn enter(app: &TestApp, tenant: &Tenant) -> TenantContext {
    let ctx = Context::new(
        app.state.database.clone(),
        Clock::System,
        RequestInfo::default(),
        Actor::Operator(Arc::from("root@ops-1")),
    );
    access::enter_as_operator(&ctx, &tenant.slug, "test").await.unwrap()
}

async fn load(ctx: &TenantContext, account: AccountId, texts: &[&str]) -> Vec<Loaded> {
    let loads: Vec<Load> = texts
        .iter()
        .map(|text| Load { account, text: (*text).into(), link: None, scheduled_at: Utc::now(), campaign: None })
        .collect();
    content::load(ctx, &loads).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_goes_out_once_is_read_back_and_counts_only_outside_of_sandbox_tenants() {
    let net = Net::new().await;
    let trial = net.app.tenant("trial").await;
    let mut tx = net.app.marked("tenant", Some(trial.id.uuid()), None).await;
    sqlx::query("update tenant set is_sandbox = true").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let trial_ctx = enter(&net.app, &trial).await;
    let (trial_account, _) = net.connect(&trial_ctx, "trial").await;
    let _worker = net.work();
    let live = net.load(&["One", "Two", "Three"]).await;
    let tried = load(&trial_ctx, trial_account, &["Four"]).await;
    for (loaded, text) in live.iter().zip(["One", "Two", "Three"]) {
        let one = net.until(loaded.delivery, State::Confirmed).await;
        assert_eq!((one.attempts.len(), net.posts(text)), (1, 1), "{one:#?}");
        assert!(one.attempts[0].first_byte_at.is_some() && one.attempts[0].answered_at.is_some());
        assert!(!one.attempts[0].is_late_egress);
    }
    let started = Instant::now();
    while delivery::one(&trial_ctx, tried[0].delivery).await.unwrap().row.state != State::Confirmed {
        assert!(started.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let posts = async |tenant: &Tenant| {
        let mut tx = net.app.marked("tenant", Some(tenant.id.uuid()), None).await;
        let posts: Option<i64> =
            sqlx::query_scalar("select sum(posts)::bigint from kpi_daily where basis = 'lifetime'")
                .fetch_one(&mut *tx)
                .await
                .unwrap();
        posts.unwrap_or_default()
    };
    let started = Instant::now();
    while posts(&net.tenant).await != 3 {
        assert!(started.elapsed() < PATIENCE, "{}", posts(&net.tenant).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(posts(&trial).await, 0);
    let said = net.rtv.run(&["why", &live[0].delivery.to_string(), "--json"]).await.json();
    assert_eq!((said["state"].as_str(), said["gates"].as_array().unwrap().len()), (Some("confirmed"), 8));
    let export = net.rtv.run(&["admin", "deliveries", "export", "--tenant", "acme"]).await;
    let lines: Vec<Value> = export.output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["remote_account"], net.remote.as_str());
    assert_eq!(lines[0]["content_sha256"], hex::encode(content::text_sha256("One")));
    assert_eq!(lines[0]["attempts"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_the_network_ends_in_one_post_or_before_a_person() {
    let net = Net::new().await;
    let _worker = net.work();
    // What came out although no good answer came is found; what did not is sent again when its absence is proven.
    for (kind, text) in [
        (Kind::AcceptDrop, "accept-drop"),
        (Kind::Accept500, "accept-500"),
        (Kind::ResetMidBody, "reset-mid-body"),
        (Kind::AcceptDuplicate, "accept-duplicate"),
    ] {
        net.dial(&[(kind, 1.0)]).await;
        let loaded = net.load(&[text]).await;
        let one = net.until(loaded[0].delivery, State::Confirmed).await;
        assert_eq!((one.attempts.len(), net.posts(text)), (1, 1), "{text}: {one:#?}");
        assert!(one.history.iter().any(|line| line.to == State::Unknown), "{text}: {one:#?}");
    }
    for (kind, text) in [(Kind::ResetBefore, "reset-before"), (Kind::Refuse500, "refuse-500")] {
        net.dial(&[(kind, 1.0)]).await;
        let loaded = net.load(&[text]).await;
        net.until(loaded[0].delivery, State::Unknown).await;
        net.dial(&[]).await;
        let one = net.until(loaded[0].delivery, State::Confirmed).await;
        assert_eq!((one.attempts.len(), net.posts(text)), (2, 1), "{text}: {one:#?}");
    }
    net.dial(&[(Kind::Refuse4xx, 1.0)]).await;
    let loaded = net.load(&["refuse-4xx"]).await;
    let one = net.until(loaded[0].delivery, State::Rejected).await;
    assert!(one.row.outcome.is_some() && net.posts("refuse-4xx") == 0);
    // Last, because it halts the account.
    net.dial(&[(Kind::WrongAuthor, 1.0)]).await;
    let loaded = net.load(&["wrong-author"]).await;
    let one = net.until(loaded[0].delivery, State::Held).await;
    assert!(one.row.may_be_out);
    net.dial(&[]).await;
    let started = Instant::now();
    loop {
        let after = net.load(&[&format!("after {}", started.elapsed().as_micros())]).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let why = why::why(&net.ctx, after[0].delivery).await.unwrap();
        if why.deciding == Some("switches") {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "the account is not halted: {why:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_answers_as_somebody_else_sends_nothing() {
    let net = Net::new().await;
    // Somebody else, for whom the network takes the account.
    net.ask("POST", "/accounts", &json!({ "handle": "other" })).await;
    net.dial(&[(Kind::WrongMe, 1.0)]).await;
    let loaded = net.load(&["Hello"]).await;
    // What the platform said when the account was connected is older than ten minutes.
    let mut tx = net.app.marked("tenant", Some(net.tenant.id.uuid()), None).await;
    sqlx::query("update account_connection set verified_at = verified_at - interval '11 minutes'")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let _worker = net.work();
    let one = net.until(loaded[0].delivery, State::Held).await;
    assert_eq!(one.row.hold, Some(rtv_core::delivery::HoldReason::WrongAccount));
    assert_eq!(net.posts("Hello"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_at_the_last_byte_leaves_a_post_that_is_found_and_not_sent_again() {
    let net = Net::new().await;
    let loaded = net.load(&["Hello"]).await;
    let mut dying = net.work_with("after-last-byte");
    let ended = tokio::time::timeout(PATIENCE, dying.wait()).await.expect("it dies").unwrap();
    assert!(!ended.success());
    assert_eq!(net.one(loaded[0].delivery).await.row.state, State::Sending);
    let _worker = net.work();
    let one = net.until(loaded[0].delivery, State::Confirmed).await;
    assert!(one.history.iter().any(|line| line.what == "taken over" && line.to == State::Unknown), "{one:#?}");
    assert_eq!(net.posts("Hello"), 1, "{one:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_before_its_first_byte_leaves_what_another_sends_when_absence_is_proven() {
    let net = Net::new().await;
    for (fault, text) in [("after-claim", "One"), ("after-intent", "Two")] {
        let loaded = net.load(&[text]).await;
        let mut dying = net.work_with(fault);
        tokio::time::timeout(PATIENCE, dying.wait()).await.expect("it dies").unwrap();
        let mut worker = net.work();
        let one = net.until(loaded[0].delivery, State::Confirmed).await;
        assert_eq!((one.attempts.len(), net.posts(text)), (2, 1), "{fault}: {one:#?}");
        worker.kill().await.unwrap();
    }
}
