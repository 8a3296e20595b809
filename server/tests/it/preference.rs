//! Theme, density and keys: chosen by plain forms that lead back, and written on `<html>` from the next page on.

use rtv_core::Role;

use crate::test_app::{Browser, TestApp};

/// The opening tag of the document.
async fn html(browser: &mut Browser<'_>, path: &str) -> String {
    let text = browser.get(path).await.text();
    let start = text.find("<html").unwrap();
    text[start..].split_once('>').unwrap().0.to_owned()
}

#[tokio::test]
async fn a_choice_is_on_the_next_page_and_on_every_browser_of_the_person_and_on_nobody_elses() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let dana = app.somebody("dana@acme.example", Some((&acme, Role::Viewer))).await;
    let sam = app.somebody("sam@acme.example", Some((&acme, Role::Viewer))).await;
    let mut hers = app.signed_in(dana).await;
    assert!(html(&mut hers, "/t/acme/dashboard").await.contains(r#"data-theme="system" data-density="comfortable""#));
    let back = "/t/acme/posts?range=7d";
    for (field, value) in [("theme", "dark"), ("density", "compact")] {
        let answer = hers.post("/me/preferences", &[(field, value), ("back", back)]).await;
        assert_eq!((answer.status.as_u16(), answer.location()), (303, back));
    }
    let chosen = r#"data-theme="dark" data-density="compact""#;
    assert!(html(&mut hers, back).await.contains(chosen));
    assert!(html(&mut app.signed_in(dana).await, "/me/sessions").await.contains(chosen));
    assert!(!html(&mut app.signed_in(sam).await, back).await.contains(chosen));
    assert!(!html(&mut app.browser(), "/sign-in").await.contains(chosen));
}

#[tokio::test]
async fn the_next_page_says_what_is_so_and_shows_it_in_the_menu() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let dana = app.somebody("dana@acme.example", Some((&acme, Role::Viewer))).await;
    let mut browser = app.signed_in(dana).await;
    browser.post("/me/preferences", &[("single_keys", "off"), ("back", "/t/acme/dashboard")]).await;
    let page = browser.get("/t/acme/dashboard").await.text();
    assert!(page.contains("Single-key shortcuts are off."), "{page}");
    assert!(page.contains(r#"name="single_keys" value="off" aria-pressed="true""#), "{page}");
    assert!(page.contains(r#"name="single_keys" value="on" aria-pressed="false""#), "{page}");
}

#[tokio::test]
async fn a_choice_leads_nowhere_but_to_our_own_pages_and_what_is_no_choice_is_refused() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let dana = app.somebody("dana@acme.example", Some((&acme, Role::Viewer))).await;
    let mut browser = app.signed_in(dana).await;
    for back in ["https://evil.example", "//evil.example", "/\\evil.example"] {
        let answer = browser.post("/me/preferences", &[("theme", "dark"), ("back", back)]).await;
        assert_eq!((answer.status.as_u16(), answer.location()), (303, "/"), "{back}");
    }
    let refused = browser.post("/me/preferences", &[("theme", "sepia")]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("is not a theme"), "{}", refused.text());
    let anonymous = app.browser().post("/me/preferences", &[("theme", "dark"), ("back", "/search?q=a")]).await;
    assert_eq!(anonymous.location(), "/sign-in?next=/search%3Fq%3Da");
}
