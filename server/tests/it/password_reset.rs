//! A forgotten password by its pages, and a new password by `/me`.

use rtv_domain::user::Belongs;

use crate::test_app::{Answer, PASSWORD, TestApp};

const EMAIL: &str = "dana@acme.example";
const NEW: &str = "copper lantern sixty otters";

async fn app() -> TestApp {
    let app = TestApp::new().await;
    app.tenant("acme").await;
    app.person(EMAIL, Belongs::Tenant { slug: "acme".into(), role: "viewer".into() }).await;
    app
}

#[track_caller]
fn check_leads(answer: &Answer, to: &str) {
    assert_eq!((answer.status.as_u16(), answer.location()), (303, to), "{}", answer.text());
}

async fn sign_in<'a>(app: &'a TestApp, password: &str) -> (crate::test_app::Browser<'a>, bool) {
    let mut browser = app.browser();
    let answer = browser.post("/sign-in", &[("email", EMAIL), ("password", password)]).await;
    let is_in = answer.location() == "/";
    (browser, is_in)
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_a_link_and_the_old_sessions_are_out() {
    let app = app().await;
    let (mut phone, is_in) = sign_in(&app, PASSWORD).await;
    assert!(is_in);
    let mut browser = app.browser();
    assert!(browser.get("/sign-in").await.text().contains("href=\"/reset\""));
    check_leads(&browser.post("/reset", &[("email", EMAIL)]).await, "/reset");
    assert!(browser.get("/reset").await.text().contains("If this address has an account"));
    let link = app.link_to(EMAIL).await;
    assert!(browser.get(&link).await.text().contains(&format!("For {EMAIL}.")));
    check_leads(&browser.post(&link, &[("password", "short")]).await, &link);
    assert!(browser.get(&link).await.text().contains("12 characters"));
    let before = browser.token.clone();
    check_leads(&browser.post(&link, &[("password", NEW)]).await, "/");
    assert_ne!(browser.token, before);
    assert_eq!(browser.get("/me/sessions").await.status, 200, "signed in");
    check_leads(&phone.get("/me/sessions").await, "/sign-in?next=/me/sessions");
    assert!(sign_in(&app, NEW).await.1 && !sign_in(&app, PASSWORD).await.1);
    let again = app.browser().get(&link).await;
    assert!(again.status == 404 && again.text().contains("This link cannot be used"), "{}", again.text());
}

#[tokio::test]
async fn a_known_and_an_unknown_address_get_the_same_answer_to_the_byte() {
    let app = app().await;
    let unknown = "nemo@acme.example";
    assert_eq!(unknown.len(), EMAIL.len());
    let mut answers = Vec::new();
    for email in [EMAIL, unknown] {
        let mut browser = app.browser();
        let posted = browser.post("/reset", &[("email", email)]).await;
        let page = browser.get("/reset").await;
        let token = browser.token.clone().unwrap();
        let headers = |answer: &Answer| format!("{:?}", answer.plain_headers()).replace(&token, "TOKEN");
        answers.push((posted.status, headers(&posted), posted.plain(), headers(&page), page.plain()));
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn the_profile_changes_name_and_password_and_the_browser_gets_a_new_token() {
    let app = app().await;
    let (mut browser, _) = sign_in(&app, PASSWORD).await;
    let (mut phone, _) = sign_in(&app, PASSWORD).await;
    check_leads(&browser.post("/me/name", &[("name", " Dana Keller ")]).await, "/me");
    assert!(browser.get("/me").await.text().contains("Your name is Dana Keller."));
    check_leads(&browser.post("/me/name", &[("name", " ")]).await, "/me");
    assert!(browser.get("/me").await.text().contains("Use 1 to 120 characters"));
    check_leads(&browser.post("/me/password", &[("old_password", "wrong"), ("password", NEW)]).await, "/me");
    let page = browser.get("/me").await.text();
    assert!(page.contains("This is not your password.") && !page.contains("otters"), "{page}");
    let before = browser.token.clone();
    check_leads(&browser.post("/me/password", &[("old_password", PASSWORD), ("password", NEW)]).await, "/me");
    assert_ne!(browser.token, before);
    let page = browser.get("/me").await.text();
    assert!(page.contains("Your password is changed.") && page.contains("Dana Keller"), "{page}");
    check_leads(&phone.get("/me").await, "/sign-in?next=/me");
    let mut thief = app.browser();
    thief.token = before;
    check_leads(&thief.get("/me").await, "/sign-in?next=/me");
    assert!(sign_in(&app, NEW).await.1);
}
