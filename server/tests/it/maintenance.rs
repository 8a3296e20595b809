//! Maintenance as people meet it: every page says so, also to whoever is not signed in; signing in and out goes on; staff
//! switch it, on a page and at the command line.

use rtv_core::Role;
use rtv_domain::maintenance;
use rtv_domain::user::Belongs;
use serde_json::json;

use crate::command::Program;
use crate::test_app::{PASSWORD, TestApp};

const WORDS: &str = "RTV is under maintenance: New disks. Everything can be read and exported; nothing can be changed.";

#[tokio::test]
async fn every_page_says_so_and_signing_in_and_out_goes_on() {
    let app = TestApp::new().await;
    app.tenant("acme").await;
    let belongs = Belongs::Tenant { slug: "acme".into(), role: Role::Owner.key().into() };
    app.person("dana@acme.example", belongs).await;
    maintenance::switch_on(&app.operator(), "New disks", Some("2026-11-21 10:00")).await.unwrap();
    let mut browser = app.browser();
    for path in ["/sign-in", "/reset", "/help/keyboard", "/anything/else"] {
        let page = browser.get(path).await.text();
        assert_eq!(page.matches(WORDS).count(), 1, "{path}: {page}");
        assert!(page.contains("We expect to be done by 2026-11-21 10:00 UTC."), "{path}");
    }
    let signed_in = browser.post("/sign-in", &[("email", "dana@acme.example"), ("password", PASSWORD)]).await;
    assert_eq!((signed_in.status.as_u16(), signed_in.location()), (303, "/"));
    for path in ["/t/acme/dashboard", "/t/acme/targets", "/me", "/t/acme/team"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        let shown = page.text().split("</html>").next().unwrap().to_owned();
        assert!(shown.contains(WORDS), "{path}: {shown}");
    }
    // A page that is open in the browser hears of it with its next call.
    let call = browser.call("/fn/targets", &json!({ "tenant": "acme", "query": [] })).await;
    assert!(call.text().contains("New disks"), "{}", call.text());
    let refused = browser.post("/t/acme/targets", &[("kpi", "reach"), ("aim", "all"), ("amount", "5")]).await;
    assert_eq!((refused.status.as_u16(), refused.location()), (303, "/t/acme/targets"));
    assert_eq!(browser.post("/sign-out", &[]).await.status, 303);
    let ready = browser.get("/health/ready").await;
    let probe: serde_json::Value = serde_json::from_str(&ready.text()).unwrap();
    assert_eq!((ready.status.as_u16(), &probe["status"]), (200, &json!("degraded")), "{probe}");
    assert_eq!(probe["checks"]["maintenance"]["reason"], "New disks");
    maintenance::switch_off(&app.operator()).await.unwrap();
    assert!(!browser.get("/sign-in").await.text().contains("maintenance"));
}

#[tokio::test]
async fn staff_switch_it_on_a_page_after_proving_who_they_are() {
    let app = TestApp::new().await;
    let staff = app.somebody("staff@rtv.example", None).await;
    let mut browser = app.signed_in(staff).await;
    assert!(browser.get("/staff/maintenance").await.text().contains("data-maintenance=\"off\""));
    let form = [("reason", "New disks"), ("until", "")];
    let asked = browser.post("/staff/maintenance", &form).await;
    assert!(asked.location().starts_with("/me/confirm"), "{}", asked.location());
    assert_eq!(maintenance::current(&app.operator()).await.unwrap(), None);
    app.prove(staff).await;
    let refused = browser.post("/staff/maintenance", &[("reason", ""), ("until", "tomorrow")]).await;
    assert_eq!((refused.status.as_u16(), refused.location()), (303, "/staff/maintenance"));
    let page = browser.get("/staff/maintenance").await.text();
    assert!(
        page.contains("characters without line breaks") && page.contains("a time in UTC") && page.contains("tomorrow"),
        "{page}"
    );
    assert_eq!(browser.post("/staff/maintenance", &form).await.location(), "/staff/maintenance");
    let page = browser.get("/staff/maintenance").await.text();
    assert!(page.contains("data-maintenance=\"on\"") && page.contains(WORDS), "{page}");
    browser.post("/staff/maintenance/off", &[]).await;
    assert!(browser.get("/staff/maintenance").await.text().contains("data-maintenance=\"off\""));
}

#[tokio::test]
async fn the_command_switches_it_and_says_how_it_is() {
    let app = TestApp::new().await;
    let program = Program::of(&app);
    let status = program.run(&["admin", "maintenance", "status", "--json"]).await.json();
    assert_eq!(status, json!({ "on": false }));
    program.run(&["admin", "maintenance", "on", "--reason", ""]).await.check(2, "", "say why");
    program.run(&["admin", "maintenance", "on"]).await.check(2, "", "--reason");
    program.run(&["admin", "maintenance", "on", "--reason", "New disks"]).await.check(0, "New disks", "");
    let status = program.run(&["admin", "maintenance", "status", "--json"]).await.json();
    assert_eq!((&status["on"], &status["reason"]), (&json!(true), &json!("New disks")));
    // What changes a tenant is refused, and says why.
    let refused = program.run(&["admin", "tenants", "create", "--slug", "new", "--name", "New"]).await;
    refused.check(3, "", "RTV is under maintenance: New disks.");
    program.run(&["admin", "maintenance", "off"]).await.check(0, "off.", "");
    program.run(&["admin", "maintenance", "off"]).await.check(0, "off already.", "");
}
