//! Content, deliveries and accounts by their pages and forms, without a browser: written, refused, approved, decided over.

use rtv_core::Role;
use rtv_domain::Tenant;
use uuid::Uuid;

use crate::test_app::{Answer, Browser, TestApp};

#[track_caller]
fn check_leads(answer: &Answer, to: &str) {
    assert_eq!((answer.status.as_u16(), answer.location()), (303, to), "{}", answer.text());
}

/// What a hidden field of the page holds.
fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).expect("the form has the field");
    rest.split('"').next().unwrap().to_owned()
}

impl TestApp {
    /// An account on the sandbox network as one that was connected; its id.
    async fn connected(&self, tenant: &Tenant, name: &str) -> String {
        let id = Uuid::now_v7();
        let mut tx = self.marked("tenant", Some(tenant.id.uuid()), None).await;
        for statement in [
            "insert into account (tenant_id, id, platform, external_id, name) values ($1, $2, 'sandbox', $3, $3)",
            "insert into account_connection (
               tenant_id, account_id, sealed_token, remote_id, remote_name, verified_at, verified_version, connected_at, connected_by
             )
             values ($1, $2, '\\x00', $3, $3, '2026-11-21T08:00:00Z', 1, '2026-11-21T08:00:00Z', 'a')",
        ] {
            sqlx::query(statement).bind(tenant.id.uuid()).bind(id).bind(name).execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
        format!("acc_{}", id.simple())
    }
}

fn typed<'a>(text: &'a str, account: &'a str, at: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("text", text), ("account", account), ("scheduled_at", at), ("act", "submit")]
}

/// Writes a post and submits it; the address of its page.
async fn write(browser: &mut Browser<'_>, text: &str, account: &str) -> String {
    let answer = browser.post("/t/acme/content", &typed(text, account, "2026-11-25T09:00")).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(answer.location().starts_with("/t/acme/content/con_"), "{}", answer.location());
    answer.location().to_owned()
}

#[tokio::test]
async fn a_post_is_written_approved_by_somebody_else_and_stands_in_the_queue() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let account = app.connected(&acme, "press").await;
    let editor = app.somebody("editor@acme.example", Some((&acme, Role::Editor))).await;
    let admin = app.somebody("admin@acme.example", Some((&acme, Role::Admin))).await;
    let mut editor = app.signed_in(editor).await;
    let page = write(&mut editor, "Hello <b>world</b>", &account).await;
    let text = editor.get(&page).await.text();
    assert!(text.contains("Submitted.") && text.contains("Hello &lt;b&gt;world&lt;/b&gt;"), "{text}");
    assert!(text.contains("data-state=\"in_review\"") && text.contains("Sandbox 18 of 500"), "{text}");

    let mut admin = app.signed_in(admin).await;
    let version = hidden(&admin.get(&page).await.text(), "version");
    check_leads(&admin.post(&format!("{page}/approve"), &[("version", &version)]).await, &page);
    let text = admin.get(&page).await.text();
    assert!(text.contains("Approved. It goes out at its time.") && text.contains("By admin@acme.example"), "{text}");

    let queue = admin.get("/t/acme/deliveries").await.text();
    assert!(queue.contains("data-state=\"scheduled\"") && queue.contains("1 delivery"), "{queue}");
    let delivery = queue.split("data-row=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let path = format!("/t/acme/deliveries/{delivery}");
    let text = admin.get(&path).await.text();
    assert!(text.contains("It goes out Nov 25, 2026, 09:00 UTC"), "{text}");
    assert_eq!(text.matches("data-deciding=\"true\"").count(), 1, "one gate decides: {text}");

    let version = hidden(&text, "version");
    check_leads(&admin.post(&format!("{path}/decide"), &[("choice", "drop"), ("version", &version)]).await, &path);
    let text = admin.get(&path).await.text();
    assert!(text.contains("data-state=\"dropped\"") && text.contains("nothing more is sent"), "{text}");
    check_leads(&admin.post(&format!("{path}/decide"), &[("choice", "send_now"), ("version", &version)]).await, &path);
    assert!(admin.get(&path).await.text().contains("role=\"alert\""), "a decision about what was is refused");
}

#[tokio::test]
async fn what_is_refused_keeps_what_was_typed() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let account = app.connected(&acme, "press").await;
    let editor = app.somebody("editor@acme.example", Some((&acme, Role::Editor))).await;
    let mut editor = app.signed_in(editor).await;
    let long = "x".repeat(501);
    let mut fields = typed(&long, &account, "2026-11-20T09:00");
    fields.push(("link", "javascript:alert(1)"));
    check_leads(&editor.post("/t/acme/content", &fields).await, "/t/acme/content/new");
    let page = editor.get("/t/acme/content/new").await.text();
    for part in ["There is a problem", "Shorten it by", "this time is over", "https://", "Sandbox 521", &long] {
        assert!(page.to_lowercase().contains(&part.to_lowercase()), "{part}: {page}");
    }
    assert!(page.contains("value=\"2026-11-20T09:00\"") && page.contains("checked"), "{page}");
    let list = editor.get("/t/acme/content").await.text();
    assert!(list.contains("Nothing is written yet"), "nothing half-written: {list}");
}

#[tokio::test]
async fn an_edit_takes_the_approval_away_and_the_later_of_two_is_told() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let account = app.connected(&acme, "press").await;
    let admin = app.somebody("admin@acme.example", Some((&acme, Role::Admin))).await;
    let mut admin = app.signed_in(admin).await;
    let page = write(&mut admin, "First words", &account).await;
    let version = hidden(&admin.get(&page).await.text(), "version");
    admin.post(&format!("{page}/approve"), &[("version", &version)]).await;
    let mut fields = vec![("text", "Other words"), ("account", &account), ("scheduled_at", "2026-11-25T09:00")];
    fields.extend([("act", "save"), ("version", &version)]);
    check_leads(&admin.post(&page, &fields).await, &page);
    let text = admin.get(&page).await.text();
    assert!(text.contains("data-state=\"in_review\"") && text.contains("holds no longer"), "{text}");
    assert!(text.contains("<del>First words<") && text.contains("<ins>Other words<"), "{text}");

    check_leads(&admin.post(&page, &fields).await, &page);
    let text = admin.get(&page).await.text();
    assert!(
        text.contains("admin@acme.example changed this on") && text.contains("What you typed is still below"),
        "{text}"
    );
    check_leads(&admin.post(&format!("{page}/return"), &[("version", "2"), ("note", " ")]).await, &page);
    assert!(admin.get(&page).await.text().contains("Say what is to be different"));
    check_leads(&admin.post(&format!("{page}/return"), &[("version", "2"), ("note", "Softer")]).await, &page);
    let text = admin.get(&page).await.text();
    assert!(text.contains("data-state=\"draft\"") && text.contains("Softer"), "{text}");
    let ask = admin.get(&format!("{page}?step=delete")).await.text();
    assert!(ask.contains("Delete this post?"), "{ask}");
    check_leads(&admin.post(&format!("{page}/delete"), &[("version", "2")]).await, "/t/acme/content");
    assert_eq!(admin.get(&page).await.status, 404);
}

#[tokio::test]
async fn filters_that_mean_nothing_are_refused_and_pages_turn_without_a_gap() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let account = app.connected(&acme, "press").await;
    let viewer = app.somebody("viewer@acme.example", Some((&acme, Role::Viewer))).await;
    let mut viewer = app.signed_in(viewer).await;
    for list in ["content", "deliveries"] {
        for query in ["state=moon", "account=acc_1", "account=acc_00000000000000000000000000000001", "after=x"] {
            let answer = viewer.get(&format!("/t/acme/{list}?{query}")).await;
            assert_eq!(answer.status, 422, "{list}?{query}");
            assert!(answer.text().contains("There is a problem"), "{list}?{query}");
        }
    }
    let mut tx = app.marked("tenant", Some(acme.id.uuid()), None).await;
    for number in 0..51 {
        let (content, delivery) = (Uuid::now_v7(), Uuid::now_v7());
        sqlx::query("insert into content (tenant_id, id, body, created_by, changed_by) values ($1, $2, $3, 'a', 'a')")
            .bind(acme.id.uuid())
            .bind(content)
            .bind(format!("Post {number}"))
            .execute(&mut *tx)
            .await
            .unwrap();
        sqlx::query(
            "insert into delivery (tenant_id, id, content_id, account_id, platform, state, scheduled_at, due_at)
             select $1, $2, $3, id, 'sandbox', 'missed', '2026-11-20T09:00:00Z', '2026-11-20T09:00:00Z' from account",
        )
        .bind(acme.id.uuid())
        .bind(delivery)
        .bind(content)
        .execute(&mut *tx)
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
    for list in ["content", "deliveries"] {
        let mut address = format!("/t/acme/{list}?state=missed&account={account}");
        let mut rows = Vec::new();
        for expect in [50, 1] {
            let page = viewer.get(&address).await.text();
            let before = rows.len();
            rows.extend(page.split("data-row=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()));
            assert_eq!(rows.len() - before, expect, "{list}: {page}");
            address = page
                .split("rel=\"next\" href=\"")
                .nth(1)
                .map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"))
                .unwrap_or_default();
            assert_eq!(address.is_empty(), expect == 1, "{list}");
        }
        rows.sort();
        rows.dedup();
        assert_eq!(rows.len(), 51, "{list}: each once");
        assert!(viewer.get(&format!("/t/acme/{list}?state=scheduled")).await.text().contains("Show all"), "{list}");
    }
}

#[tokio::test]
async fn a_viewer_sees_no_form_and_a_token_is_nowhere_to_be_read() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    app.connected(&acme, "press").await;
    let viewer = app.somebody("viewer@acme.example", Some((&acme, Role::Viewer))).await;
    let admin = app.somebody("admin@acme.example", Some((&acme, Role::Admin))).await;
    let mut viewer = app.signed_in(viewer).await;
    let page = viewer.get("/t/acme/accounts").await.text();
    assert!(page.contains("accounts:connect") && !page.contains("name=\"token\""), "{page}");
    let new = viewer.get("/t/acme/content/new").await;
    assert!(new.status == 403 && new.text().contains("content:create"), "{}", new.text());

    let mut admin = app.signed_in(admin).await;
    let secret = "sandbox-secret-4711";
    // Nothing listens where the sandbox network would be.
    let fields = [("platform", "sandbox"), ("token", secret)];
    check_leads(&admin.post("/t/acme/accounts", &fields).await, "/t/acme/accounts");
    let page = admin.get("/t/acme/accounts").await.text();
    assert!(page.contains("Nothing was changed") && !page.contains(secret), "{page}");
    check_leads(&admin.post("/t/acme/accounts", &[("platform", "moon"), ("token", secret)]).await, "/t/acme/accounts");
    let page = admin.get("/t/acme/accounts").await.text();
    assert!(page.contains("There is a problem") && !page.contains(secret), "{page}");
}

#[tokio::test]
async fn every_page_of_a_tenant_in_sandbox_mode_says_so() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
    let mut owner = app.signed_in(owner).await;
    let version = hidden(&owner.get("/t/acme/settings").await.text(), "version");
    let fields = [("is_sandbox", "on"), ("version", version.as_str())];
    check_leads(&owner.post("/t/acme/settings/sandbox", &fields).await, "/t/acme/settings");
    for page in ["dashboard", "posts", "content", "content/new", "deliveries", "accounts", "team", "settings", "audit"]
    {
        let text = owner.get(&format!("/t/acme/{page}")).await.text();
        assert!(text.contains("data-mode=\"sandbox\""), "{page}");
    }
    assert!(
        !owner.get("/me").await.text().contains("data-mode=\"sandbox\""),
        "a person’s own page is nobody’s sandbox"
    );
    // Real people are reached again only with a fresh proof.
    let version = hidden(&owner.get("/t/acme/settings").await.text(), "version");
    let fields = [("is_sandbox", "off"), ("version", version.as_str())];
    let answer = owner.post("/t/acme/settings/sandbox", &fields).await;
    assert_eq!(answer.location(), "/me/confirm?next=/t/acme/settings");
}
