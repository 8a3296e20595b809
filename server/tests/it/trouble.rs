//! What people read when something is refused or fails: what happened, why, what to do next, and the id to tell. The
//! database really goes away here, and a query really takes too long.

use core::time::Duration;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use http::{Method, Request, StatusCode, header};
use rtv_core::{Error, Permission, Role};
use rtv_domain::{Database, PoolSettings, schema};
use rtv_postgres::{Cluster, Options, Purpose};
use rtv_server::middleware::shield::error_page;
use rtv_server::router;
use tower::ServiceExt as _;
use tower_sessions::session::Id;

use crate::test_app::{Answer, TestApp, settings, site};

async fn answer(response: axum::response::Response) -> Answer {
    let (head, body) = response.into_parts();
    Answer { status: head.status, headers: head.headers, body: to_bytes(body, 1 << 20).await.unwrap() }
}

/// The answer holds every part, shows its own status, and the id of its request.
#[track_caller]
fn check(answer: &Answer, status: u16, parts: &[&str]) {
    let text = answer.text();
    assert_eq!(answer.status, status, "{text}");
    assert!(text.contains(&format!("Error {status}")), "{text}");
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
    let id = answer.header("x-request-id");
    assert!(id.is_empty() || text.contains(id), "the page tells the id that the log has: {text}");
}

#[tokio::test]
async fn each_refusal_says_what_why_and_what_to_do_next() {
    let app = TestApp::new().await;
    let page =
        async |error: Error, method: Method| answer(error_page(&app.state, error, "0123456789abcdef", &method)).await;
    let forbidden = page(Error::Forbidden(Permission::ImportsManage), Method::GET).await;
    check(&forbidden, 403, &["imports:manage", "an owner or an admin", "0123456789abcdef", "Go to the start"]);
    let limited =
        page(Error::Limit { message: "You may do this once a minute.".into(), seconds: 45 }, Method::GET).await;
    check(&limited, 429, &["once a minute", "in 45 seconds", "Try again"]);
    assert_eq!(limited.header("retry-after"), "45");
    let refused = page(Error::invalid("range", "use 7d or 28d."), Method::GET).await;
    check(&refused, 422, &["range: use 7d or 28d.", "Correct the address"]);
    let missing = page(Error::NotFound, Method::GET).await;
    check(&missing, 404, &["Check the address", "ask them whether you have been given access"]);
    assert_eq!(missing.header("retry-after"), "", "waiting does not help");
    let failed = page(Error::Internal, Method::POST).await;
    check(&failed, 500, &["in our log"]);
    assert!(!failed.text().contains("href=\"\""), "the address of a form cannot be asked for again");
}

#[tokio::test]
async fn a_form_from_another_site_is_told_so() {
    let app = TestApp::new().await;
    let request = Request::post("/sign-in").header("sec-fetch-site", "cross-site").body(Body::empty()).unwrap();
    check(
        &app.browser().send(request).await,
        403,
        &["came from another site", "Nothing was changed", "Open RTV itself"],
    );
}

/// Somebody keeps the table of posts locked, as a migration or a stray transaction would.
#[tokio::test]
async fn a_page_that_takes_too_long_is_stopped_and_its_query_with_it() {
    let mut app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    app.posts(&acme, &["x,page,p1,2026-11-20T10:00:00Z,50,100,4,3,2,1".into()]).await;
    let person = app.somebody("dana@acme.example", Some((&acme, Role::Viewer))).await;
    app.state.longest_request = Duration::from_millis(1_500);
    app.router = router::build(&app.state);
    let owner = app.db.owner_pool().await;
    let mut lock = owner.begin().await.unwrap();
    sqlx::raw_sql("lock table kpi_daily, post in access exclusive mode").execute(&mut *lock).await.unwrap();

    let mut viewer = app.signed_in(person).await;
    let started = Instant::now();
    let stopped = viewer.get("/t/acme/dashboard").await;
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    check(&stopped, 503, &["was stopped", "Try again"]);
    assert_eq!(stopped.header("retry-after"), "10");
    assert_eq!(stopped.header("x-frame-options"), "DENY");

    let waiting = || async {
        // Read as the owner of these backends: others are not shown what they do.
        sqlx::query_scalar::<_, i64>("select count(*) from pg_stat_activity where application_name = 'rtv' and state = 'active' and query not like '%pg_stat_activity%' and datname = current_database()")
            .fetch_one(&app.rows)
            .await
            .unwrap()
    };
    let patience = Instant::now();
    while waiting().await > 0 {
        assert!(patience.elapsed() < Duration::from_secs(3), "the query goes on although nobody waits for it");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // The table is still locked: nothing else ended the query.
    assert_eq!(viewer.get("/t/acme/dashboard").await.status, 503);
    lock.rollback().await.unwrap();
    assert_eq!(viewer.get("/t/acme/dashboard").await.status, 200, "the connections serve again");
}

#[tokio::test]
async fn a_file_may_take_longer_than_a_page() {
    let mut app = TestApp::new().await;
    app.state.longest_request = Duration::from_millis(200);
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        "done"
    };
    let router = Router::new()
        .route("/slow", axum::routing::post(slow))
        .layer(axum::middleware::from_fn_with_state(app.state.clone(), rtv_server::middleware::shield::shield))
        .with_state(app.state.clone());
    let send = async |kind: &str| {
        let request = Request::post("/slow").header("sec-fetch-site", "same-origin").header(header::CONTENT_TYPE, kind);
        router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
    };
    assert_eq!(send("application/x-www-form-urlencoded").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(send("multipart/form-data; boundary=x").await, StatusCode::OK);
}

/// A cluster of the test's own, because the others share theirs.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_pages_say_so_and_afterwards_all_is_well() {
    let home = tempfile::tempdir().unwrap();
    // The server of a root is another user, who has to get in.
    std::fs::set_permissions(home.path(), Permissions::from_mode(0o777)).unwrap();
    let start = || {
        let path = home.path().join("rtv");
        async { tokio::task::spawn_blocking(move || start_cluster(path)).await.unwrap() }
    };
    let cluster = start().await;
    schema::up(&cluster.owner_url()).await.unwrap();
    let patience = PoolSettings { connections: 2, patience: Duration::from_secs(2), ready: 0 };
    let database = Database::open(&cluster.app_url(), patience).await.unwrap();
    let folder = site();
    let state = rtv_server::serve::state(settings(&folder), database.clone()).unwrap();
    let router = router::build(&state);
    let token = Id::default().to_string();
    let ask = async |path: &str| {
        let mut request = Request::get(path)
            .header(header::ACCEPT, "text/html")
            .header(header::COOKIE, format!("rtv={token}"))
            .body(Body::empty())
            .unwrap();
        request.extensions_mut().insert(ConnectInfo(std::net::SocketAddr::from(([203, 0, 113, 9], 4711))));
        answer(router.clone().oneshot(request).await.unwrap()).await
    };
    assert_eq!(ask("/sign-in").await.status, 200);

    tokio::task::spawn_blocking(move || cluster.stop()).await.unwrap().unwrap();
    for path in ["/sign-in", "/t/acme/dashboard", "/me/sessions"] {
        let away = ask(path).await;
        check(&away, 503, &["RTV is not available right now", "Try again", "tell your operator"]);
        assert_eq!(away.header("retry-after"), "10", "{path}");
        assert!(away.text().contains("The database "), "{path}: {}", away.text());
    }
    assert_eq!(ask("/health/live").await.status, 200);
    assert_eq!(ask("/health/ready").await.status, 503);

    let cluster = start().await;
    assert_eq!(ask("/sign-in").await.status, 200, "nobody has to start RTV again");
    database.close().await;
    tokio::task::spawn_blocking(move || cluster.stop()).await.unwrap().unwrap();
}

fn start_cluster(home: std::path::PathBuf) -> Cluster {
    rtv_postgres::start(&Options::new(home, Purpose::Throwaway), &mut |_| {}).unwrap()
}
