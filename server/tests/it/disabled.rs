//! Disabling a person is in force on every server of an installation from the next request on.

use std::time::{Duration, Instant};

use rtv_core::Role;
use rtv_domain::{Database, PoolSettings, user};

use crate::test_app::{Browser, TestApp};

#[tokio::test]
async fn a_disabled_person_is_out_on_another_server_within_a_second() {
    let one = TestApp::new().await;
    let acme = one.tenant("acme").await;
    one.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
    let dana = one.somebody("dana@acme.example", Some((&acme, Role::Editor))).await;
    // A second program on the same database, with a pool and a memory of its own.
    let mut other = TestApp::new().await;
    let database = Database::open(&one.db.app_url(), PoolSettings::default()).await.unwrap();
    other.state = rtv_server::serve::state((*one.state.settings).clone(), database).unwrap();
    other.router = rtv_server::router::build(&other.state);

    let here = one.signed_in(dana).await;
    let mut there = Browser { token: here.token.clone(), ..other.browser() };
    assert_eq!(there.get("/t/acme/dashboard").await.status, 200);
    assert_eq!(there.get("/t/acme/posts").await.status, 200);

    let disabled = Instant::now();
    user::set_disabled(&one.operator(), "dana@acme.example", true).await.unwrap();
    let answer = there.get("/t/acme/dashboard").await;
    let elapsed = disabled.elapsed();
    assert_eq!((answer.status.as_u16(), answer.location()), (303, "/sign-in?next=/t/acme/dashboard"));
    assert!(elapsed < Duration::from_secs(1), "{elapsed:?}");
    let call = there.call("/fn/posts", &serde_json::json!({ "tenant": "acme", "query": [] })).await;
    assert_eq!(call.status, 401, "an open page gets nothing either");
    user::set_disabled(&one.operator(), "dana@acme.example", false).await.unwrap();
    assert_eq!(there.get("/t/acme/dashboard").await.status, 303, "enabled again, they sign in anew");
}
