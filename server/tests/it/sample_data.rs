//! The demo's data on the pages: said on each of them, removed by one press, and of no use on a production server.

use rtv_core::Role;
use rtv_domain::demo;
use rtv_domain::password::Passwords;
use rtv_domain::tenant;
use rtv_server::config::Environment;
use url::Url;

use crate::test_app::TestApp;

async fn load(app: &TestApp) {
    demo::load(&app.operator(), &Passwords::prepare().unwrap(), Some(50), |_| {}).await.unwrap();
}

#[tokio::test]
async fn sample_data_is_said_on_every_page_and_removed_by_one_press() {
    let app = TestApp::new().await;
    load(&app).await;
    let kaffa = tenant::list(&app.operator())
        .await
        .unwrap()
        .into_iter()
        .find(|one| one.tenant.slug.as_str() == "kaffa-coffee")
        .unwrap();
    let viewer = app.somebody("somebody@example.org", Some((&kaffa.tenant, Role::Viewer))).await;
    let admin = app.somebody("someone@example.org", Some((&kaffa.tenant, Role::Admin))).await;
    let (mut viewer, mut admin) = (app.signed_in(viewer).await, app.signed_in(admin).await);
    let button = r#"action="/t/kaffa-coffee/sample-data/remove""#;
    for page in ["/t/kaffa-coffee/dashboard", "/t/kaffa-coffee/posts", "/t/kaffa-coffee/dashboard?range=never"] {
        let seen = viewer.get(page).await.text();
        assert!(seen.contains("Sample data.") && seen.contains("An owner or admin can remove them."), "{page}");
        assert!(!seen.contains(button), "{page}: no button for those who may not");
        assert!(admin.get(page).await.text().contains(button), "{page}");
    }
    assert_eq!(viewer.post("/t/kaffa-coffee/sample-data/remove", &[]).await.status, 403);

    let answer = admin.post("/t/kaffa-coffee/sample-data/remove", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.location()), (303, "/t/kaffa-coffee/dashboard"));
    let after = admin.get("/t/kaffa-coffee/dashboard").await.text();
    assert!(after.contains("The sample data is gone: ") && after.contains("rtv demo"), "the way back is named");
    assert!(!after.contains("Sample data.") && after.contains("No data yet"));
    admin.post("/t/kaffa-coffee/sample-data/remove", &[]).await;
    assert!(admin.get("/t/kaffa-coffee/dashboard").await.text().contains("There was no sample data to remove."));
    let others = tenant::list(&app.operator()).await.unwrap();
    let left = others.iter().filter(|one| one.tenant.has_sample_data).map(|one| one.tenant.slug.as_str());
    assert_eq!(left.collect::<Vec<_>>(), ["house", "northwind-outdoor"]);
}

#[tokio::test]
async fn a_production_server_refuses_the_people_of_the_demo() {
    let production = |settings: &mut rtv_server::config::Settings| {
        settings.environment = Environment::Production;
        settings.base_url = Some(Url::parse("https://rtv.example").unwrap());
        settings.clock = None;
    };
    let app = TestApp::with(production, 4).await;
    load(&app).await;
    let typed = [("email", "owner@house.example"), ("password", demo::PASSWORD)];
    let mut browser = app.browser();
    let answer = browser.post("/sign-in", &typed).await;
    assert_eq!((answer.status.as_u16(), answer.location()), (303, "/sign-in"));
    assert!(browser.get("/sign-in").await.text().contains("do not match"), "in the words of a wrong password");
    let mut tx = app.marked("staff", None, None).await;
    let house: uuid::Uuid =
        sqlx::query_scalar("select id from tenant where slug = 'house'").fetch_one(&mut *tx).await.unwrap();
    drop(tx);
    let mut tx = app.marked("tenant", Some(house), None).await;
    let reasons: Vec<Option<String>> =
        sqlx::query_scalar("select detail from audit_event where action = 'user.sign_in' and result = 'denied'")
            .fetch_all(&mut *tx)
            .await
            .unwrap();
    assert_eq!(reasons, [Some("a person of the demo, on a production server".to_owned())]);
}
