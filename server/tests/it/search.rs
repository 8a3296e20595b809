//! The search page: what it finds, and that it finds only what the person may open.

use rtv_core::Role;

use crate::test_app::TestApp;

#[tokio::test]
async fn the_search_finds_pages_and_own_tenants_and_no_others() {
    let app = TestApp::new().await;
    let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
    app.tenant("third").await;
    let dana = app.somebody("dana@acme.example", Some((&acme, Role::Viewer))).await;
    app.join(dana, &other, Role::Viewer).await;
    let mut browser = app.signed_in(dana).await;
    let found = async |browser: &mut crate::test_app::Browser<'_>, query: &str| {
        let page = browser.get(&format!("/search?tenant=acme&q={query}")).await;
        assert_eq!(page.status, 200, "{query}");
        let text = page.text();
        text.split_once("<main").unwrap().1.split_once("</main>").unwrap().0.to_owned()
    };
    assert!(found(&mut browser, "pos").await.contains(r#"href="/t/acme/posts""#));
    assert!(found(&mut browser, "other").await.contains(r#"href="/t/other/dashboard""#));
    assert!(found(&mut browser, "keyb").await.contains(r#"href="/help/keyboard""#));
    let none = found(&mut browser, "third").await;
    assert!(none.contains("Nothing is called “third”") && !none.contains("/t/third/"), "{none}");
    assert_eq!(browser.get("/search?tenant=third&q=third").await.status, 404);
}
