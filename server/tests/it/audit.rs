//! The audit log by page and by command: what filters, details, files and the form answer, and that a file that was taken
//! out can be checked with the public key alone.

use std::time::Duration;

use rtv_core::Role;
use rtv_domain::audit::seal;
use rtv_domain::{Actor, RequestInfo, Tenant};
use serde_json::{Value, json};

use crate::command::Program;
use crate::test_app::{Browser, TestApp};

struct World {
    app: TestApp,
    acme: Tenant,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let acme = app.tenant("acme").await;
        Self { app, acme }
    }

    async fn browser(&self, role: Role) -> Browser<'_> {
        let person = self.app.somebody(&format!("{role}@acme.example"), Some((&self.acme, role))).await;
        self.app.signed_in(person).await
    }

    async fn seal(&self) {
        let sealer = self.app.state.context(Actor::System("audit sealer"), RequestInfo::default());
        seal::seal(&sealer, &self.app.state.audit_key).await.unwrap();
    }

    /// Events of the tenant by action, reads of the log aside.
    async fn actions(&self) -> Vec<String> {
        let mut tx = self.app.marked("tenant", Some(self.acme.id.uuid()), None).await;
        sqlx::query_scalar("select action from audit_event order by id").fetch_all(&mut *tx).await.unwrap()
    }
}

/// The part of a page that people see; behind it stands what the browser's program continues with.
fn seen(text: &str) -> &str {
    text.split("</html>").next().unwrap()
}

#[tokio::test]
async fn the_page_lists_events_and_shows_one_with_its_seal() {
    let world = World::new().await;
    let mut owner = world.browser(Role::Owner).await;
    owner.post("/t/acme/targets", &[("kpi", "reach"), ("aim", "all"), ("amount", "5000")]).await;
    owner.post("/t/acme/targets", &[("kpi", "reach"), ("aim", "all"), ("amount", "6000")]).await;
    let page = owner.get("/t/acme/audit?action=target.set").await;
    assert_eq!(page.status, 200);
    let text = page.text();
    assert_eq!(seen(&text).matches("data-action=\"target.set\"").count(), 2, "{text}");
    assert!(seen(&text).contains("owner@acme.example") && seen(&text).contains("203.0.113.9"), "{text}");
    assert!(seen(&text).contains("No event is sealed yet"), "{text}");
    let href = text.split("href=\"/t/acme/audit/evt_").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let one = owner.get(&format!("/t/acme/audit/evt_{href}")).await.text();
    assert!(seen(&one).contains("data-seal=\"waiting\""), "{one}");
    assert!(seen(&one).contains("<del>5000<") && seen(&one).contains("<ins>6000<"), "{one}");
    world.seal().await;
    let one = owner.get(&format!("/t/acme/audit/evt_{href}")).await.text();
    assert!(seen(&one).contains("Hash of the chain") && !seen(&one).contains("data-seal=\"waiting\""), "{one}");
    assert!(seen(&one).contains(&world.app.state.audit_key.public().id()), "{one}");
    let actions = world.actions().await;
    assert_eq!(actions.iter().filter(|action| *action == "audit.read").count(), 3, "{actions:?}");
    assert_eq!(owner.get("/t/acme/audit/evt_00000000000000000000000000000000").await.status, 404);
    assert_eq!(owner.get("/t/acme/audit/nonsense").await.status, 404);
}

#[tokio::test]
async fn a_filter_that_cannot_be_used_is_named_and_kept() {
    let world = World::new().await;
    let mut admin = world.browser(Role::Admin).await;
    let page = admin.get("/t/acme/audit?from=2026-13-01&address=here&actor=dana%40acme.example").await;
    assert_eq!(page.status, 422);
    let text = page.text();
    assert!(seen(&text).contains("Error: Audit log"), "{text}");
    assert!(
        seen(&text).contains("Use a day like 2026-01-31.") && seen(&text).contains("203.0.113.9 or 2001:db8::1"),
        "{text}"
    );
    assert!(seen(&text).contains("value=\"dana@acme.example\"") && seen(&text).contains("value=\"here\""), "{text}");
    assert_eq!(admin.get("/t/acme/audit?after=nonsense").await.status, 422);
    let nothing = admin.get("/t/acme/audit?actor=nobody").await;
    assert_eq!(nothing.status, 200);
    assert!(seen(&nothing.text()).contains("No event matches"), "{}", nothing.text());
}

#[tokio::test]
async fn pages_of_the_log_are_turned_by_links() {
    let world = World::new().await;
    let mut tx = world.app.marked("tenant", Some(world.acme.id.uuid()), None).await;
    sqlx::query(
        "insert into audit_event (tenant_id, id, occurred_at, actor_kind, actor_label, action, resource_kind, resource_id, result)
         select rtv_tenant(), gen_random_uuid(), timestamptz '2026-11-01T00:00:00Z', 'system', 'rtv', 'thing.do', 'thing', 'one', 'success'
         from generate_series(1, 70)",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let mut owner = world.browser(Role::Owner).await;
    let first = owner.get("/t/acme/audit?action=thing.do").await.text();
    let rows = |text: &str| -> Vec<String> {
        seen(text).split("data-row=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let older = seen(&first).split("rel=\"next\"").nth(1).unwrap().split("href=\"").nth(1).unwrap();
    let older = older.split('"').next().unwrap().replace("&amp;", "&");
    assert!(older.starts_with("/t/acme/audit?action=thing.do&after=2026-11-01T00%3A00%3A00.000000Z_evt_"), "{older}");
    let second = owner.get(&older).await.text();
    let mut all: Vec<String> = rows(&first).into_iter().chain(rows(&second)).collect();
    assert_eq!((rows(&first).len(), rows(&second).len()), (50, 20));
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 70, "each once");
}

#[tokio::test]
async fn for_how_long_details_are_kept_is_set_by_a_form() {
    let world = World::new().await;
    let mut owner = world.browser(Role::Owner).await;
    let page = owner.get("/t/acme/audit").await.text();
    assert!(seen(&page).contains("kept for 365 days"), "{page}");
    let answer = owner.post("/t/acme/audit/retention", &[("days", "7"), ("version", "0")]).await;
    assert_eq!(answer.location(), "/t/acme/audit");
    let page = owner.get("/t/acme/audit").await.text();
    assert!(seen(&page).contains("Use a whole number of days from 30 to 3650."), "{page}");
    assert!(seen(&page).contains("value=\"7\"") && seen(&page).contains("kept for 365 days"), "{page}");
    owner.post("/t/acme/audit/retention", &[("days", "180"), ("version", "0")]).await;
    let page = owner.get("/t/acme/audit").await.text();
    assert!(seen(&page).contains("Details are now kept for 180 days."), "{page}");
    assert!(seen(&page).contains("Set by owner@acme.example"), "{page}");
    // From a page that was opened before.
    owner.post("/t/acme/audit/retention", &[("days", "90"), ("version", "0")]).await;
    let page = owner.get("/t/acme/audit").await.text();
    assert!(seen(&page).contains("owner@acme.example has set it to 180 days in the meantime"), "{page}");
}

#[tokio::test]
async fn a_file_that_was_taken_out_is_checked_with_the_public_key_alone() {
    let world = World::new().await;
    let mut owner = world.browser(Role::Owner).await;
    owner.post("/t/acme/audit/retention", &[("days", "180"), ("version", "0")]).await;
    world.seal().await;
    let file = owner.get("/t/acme/audit/log.jsonl").await;
    assert_eq!((file.status.as_u16(), file.header("content-type")), (200, "application/x-ndjson"));
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"acme-audit.jsonl\"; filename*=UTF-8''acme-audit.jsonl"
    );
    assert_eq!(file.header("cache-control"), "no-store");
    let csv = owner.get("/t/acme/audit/log.csv?action=audit.retention.set").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.text().lines().count(), 2, "the heading and the event: {}", csv.text());
    assert_eq!(owner.get("/t/acme/audit/log.csv?from=never").await.status, 422);

    let rtv = Program::of(&world.app);
    let path = rtv.home.path().join("acme.jsonl");
    std::fs::write(&path, &file.body).unwrap();
    let (path, key) = (path.to_str().unwrap(), world.app.state.audit_key.public().to_string());
    // A database that is not there is not missed.
    let check = ["admin", "audit", "verify", "--file", path, "--public-key", &key];
    let mut alone = rtv.command(&check);
    alone.env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing").env_remove("RTV_APP_DATABASE_URL");
    let done = alone.output().await.unwrap();
    let output = String::from_utf8(done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(0), "{output} {:?}", String::from_utf8(done.stderr));
    assert!(output.contains("Checked 2 events up to number 2") && output.contains("Nothing was changed"), "{output}");

    let text = file.text().replacen("\"days\": 180", "\"days\": 181", 1);
    assert_ne!(text, file.text());
    std::fs::write(path, text).unwrap();
    rtv.run(&check).await.check(1, "event 2: its details are not what was sealed", "is not as it was sealed");
    let ended = rtv.run(&[&check[..], &["--json"]].concat()).await;
    let report: Value = serde_json::from_str(&ended.output).unwrap();
    assert_eq!((ended.status, &report["is_sound"], &report["events"]), (Some(1), &json!(false), &json!(2)));
    let lines: Vec<&str> = std::str::from_utf8(&file.body).unwrap().lines().collect();
    std::fs::write(path, lines[..lines.len() - 1].join("\n") + "\n").unwrap();
    rtv.run(&check).await.check(1, "the log is cut off after this", "");
    rtv.run(&["admin", "audit", "verify", "--file", path, "--public-key", "short"]).await.check(
        2,
        "",
        "64 hexadecimal",
    );
    rtv.run(&["admin", "audit", "verify", "--file", path]).await.check(1, "", "--public-key");
    rtv.run(&["admin", "audit", "verify"]).await.check(2, "", "--file");
}

#[tokio::test]
async fn the_commands_check_take_out_and_print_the_key() {
    let world = World::new().await;
    world.seal().await;
    let rtv = Program::of(&world.app);
    rtv.run(&["admin", "audit", "key"]).await.check(1, "", "the key of the audit log is not at");
    let file = rtv.home.path().join("audit.key");
    rtv_server::audit_key::load_or_create(&file).unwrap();
    let own = rtv.run(&["admin", "audit", "key", "--json"]).await.json();
    assert_eq!(own["public_key"].as_str().unwrap().len(), 64);
    // What was sealed here was signed with the key of another installation.
    let verify = ["admin", "audit", "verify", "--tenant", "acme"];
    rtv.run(&verify).await.check(1, "which was not given", "1 fault");
    let key = world.app.state.audit_key.public().to_string();
    let ended = rtv.run(&[&verify[..], &["--public-key", &key, "--json"]].concat()).await;
    let report = ended.json();
    assert_eq!((&report["is_sound"], &report["heads"]), (&json!(true), &json!(1)), "{report}");
    let wrong = format!("1:{}", "0".repeat(64));
    rtv.run(&[&verify[..], &["--public-key", &key, "--expect", &wrong]].concat()).await.check(
        1,
        "another hash here than expected",
        "",
    );
    rtv.run(&["admin", "audit", "verify", "--operator", "--public-key", &key]).await.check(0, "Checked", "");
    rtv.run(&["admin", "audit", "verify", "--tenant", "nowhere", "--public-key", &key]).await.check(
        2,
        "",
        "there is no tenant",
    );

    let out = rtv.home.path().join("acme.jsonl");
    let out = out.to_str().unwrap();
    let written = rtv.run(&["admin", "audit", "export", "--tenant", "acme", "--output", out, "--json"]).await.json();
    assert_eq!((&written["events"], &written["file"]), (&json!(1), &json!(out)), "{written}");
    let own = own["public_key"].as_str().unwrap();
    rtv.run(&["admin", "audit", "verify", "--file", out, "--public-key", own, "--public-key", &key]).await.check(
        0,
        "Nothing was changed",
        "",
    );
    rtv.run(&["admin", "audit", "export", "--tenant", "acme", "--output", out]).await.check(1, "", "cannot be made");
    let csv = ["admin", "audit", "export", "--tenant", "acme", "--format", "csv"];
    rtv.run(&[&csv[..], &["--action", "tenant.create"]].concat()).await.check(0, "tenant.create,tenant,", "");
    rtv.run(&[&csv[..], &["--result", "fine"]].concat()).await.check(2, "", "result");
    rtv.run(&["admin", "audit", "export", "--tenant", "acme", "--actor", "x"]).await.check(2, "", "csv");
    let actions = world.actions().await;
    assert!(actions.iter().filter(|action| *action == "audit.export").count() >= 2, "{actions:?}");
    assert!(actions.iter().any(|action| action == "audit.verify"), "{actions:?}");
}

#[tokio::test]
async fn a_worker_seals_within_seconds_and_says_how_far_behind_it_is() {
    let world = World::new().await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let state = world.app.state.clone();
    let worker = tokio::spawn(rtv_server::jobs::work(state, async {
        let _ = stopped.await;
    }));
    let begun = std::time::Instant::now();
    loop {
        let mut tx = world.app.marked("tenant", Some(world.acme.id.uuid()), None).await;
        let sealed: i64 = sqlx::query_scalar("select count(*) from audit_seal").fetch_one(&mut *tx).await.unwrap();
        if sealed == 1 {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(15), "nothing was sealed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let metrics = world.app.browser().get("/metrics").await.text();
    for name in
        ["rtv_audit_sealed_total", "rtv_audit_heads_total", "rtv_audit_unsealed_events", "rtv_audit_seal_lag_seconds"]
    {
        assert!(metrics.lines().any(|line| line.starts_with(name)), "{name}: {metrics}");
    }
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(20), worker).await.expect("the worker stops").unwrap();
}
