//! Probes and metrics: what a machine that watches RTV reads.

use rtv_core::Role;
use serde_json::Value;

use crate::test_app::{Answer, TestApp};

fn json(answer: &Answer) -> Value {
    assert_eq!(answer.header("content-type"), "application/json");
    serde_json::from_slice(&answer.body).unwrap()
}

#[tokio::test]
async fn a_program_that_can_do_its_work_is_ready() {
    let app = TestApp::new().await;
    let live = app.browser().get("/health/live").await;
    assert_eq!((live.status.as_u16(), json(&live)["status"].as_str()), (200, Some("ready")));
    let ready = app.browser().get("/health/ready").await;
    assert_eq!(ready.status, 200);
    let body = json(&ready);
    assert_eq!(body["status"], "ready");
    assert_eq!(body["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(body["checks"]["database"]["status"], "ready");
    assert!(body["checks"]["database"]["ms"].is_number(), "{body}");
    assert_eq!(body["checks"]["migrations"]["status"], "ready");
}

#[tokio::test]
async fn without_its_database_the_program_lives_but_is_not_ready() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let person = app.somebody("dana@acme.example", Some((&acme, Role::Viewer))).await;
    let mut viewer = app.signed_in(person).await;
    app.state.database.close().await;
    let ready = app.browser().get("/health/ready").await;
    assert_eq!(ready.status, 503);
    let body = json(&ready);
    assert_eq!(
        (body["status"].as_str(), body["checks"]["database"]["status"].as_str()),
        (Some("down"), Some("down")),
        "{body}"
    );
    assert_eq!(app.browser().get("/health/live").await.status, 200, "restarting the program would not help");
    let page = viewer.get("/t/acme/dashboard").await;
    assert_eq!(page.status, 503);
    assert!(
        page.text().contains("The database does not answer.") && page.text().contains(page.header("x-request-id")),
        "{}",
        page.text()
    );
}

/// What the schema lacks is said by the probe before anybody meets it on a page.
#[tokio::test]
async fn on_a_schema_of_another_version_the_program_is_not_ready() {
    let app = TestApp::new().await;
    let owner = app.db.owner_pool().await;
    sqlx::query("insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (29990101000000, 'later', true, '', 0)")
        .execute(&owner)
        .await
        .unwrap();
    let ready = app.browser().get("/health/ready").await;
    assert_eq!(ready.status, 503);
    let body = json(&ready);
    assert_eq!(body["checks"]["database"]["status"], "ready");
    assert!(body["checks"]["migrations"]["reason"].as_str().unwrap().contains("ahead of this program by 1"), "{body}");
}

#[tokio::test]
async fn requests_are_counted_by_pattern_and_never_by_path() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let person = app.somebody("dana@acme.example", Some((&acme, Role::Viewer))).await;
    let mut viewer = app.signed_in(person).await;
    let session = app.session(person).await.1;
    viewer.get("/t/acme/dashboard?range=7d").await;
    viewer.get("/t/secret-slug-of-somebody/dashboard").await;
    viewer.get("/secret/address").await;
    viewer.get("/css/secret-file.css").await;
    viewer.post(&format!("/me/sessions/{session}/end"), &[]).await;
    viewer.call("/fn/sessions", &serde_json::json!({})).await;
    let answer = app.browser().get("/metrics").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text();
    let counted = |labels: &[&str]| {
        text.lines()
            .any(|line| line.starts_with("rtv_http_requests_total{") && labels.iter().all(|label| line.contains(label)))
    };
    assert!(counted(&["method=\"GET\"", "route=\"/t/{tenant}/dashboard\"", "status=\"200\""]), "{text}");
    assert!(counted(&["method=\"GET\"", "route=\"/t/{tenant}/dashboard\"", "status=\"404\""]), "{text}");
    assert!(counted(&["method=\"POST\"", "route=\"/me/sessions/{session}/end\"", "status=\"303\""]), "{text}");
    assert!(counted(&["method=\"POST\"", "route=\"/fn/", "status=\"200\""]), "{text}");
    for secret in ["secret", "acme", &session.to_string(), "range"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(text.contains("rtv_http_request_duration_seconds_bucket{") && text.contains("le=\"0.1\""), "{text}");
    for state in ["used", "idle"] {
        assert!(text.contains(&format!("rtv_db_pool_connections{{state=\"{state}\"}}")), "{text}");
    }
}

#[tokio::test]
async fn metrics_with_a_listener_of_their_own_are_not_beside_the_pages() {
    let app = TestApp::with(|settings| settings.metrics_addr = Some("127.0.0.1:9100".parse().unwrap()), 2).await;
    let answer = app.browser().get("/metrics").await;
    assert_eq!(answer.status, 404);
    assert!(!answer.text().contains("rtv_http"));
}
