//! The second factor by its pages: setting up, signing in in two steps, a tenant that requires it, and confirming.

use std::net::SocketAddr;

use rtv_core::Role;
use rtv_domain::user::Belongs;
use rtv_domain::{Clock, Database, PoolSettings};
use rtv_server::state::AppState;
use totp_rs::{Algorithm, Builder, Secret, Totp};

use crate::test_app::{Answer, Browser, PASSWORD, TestApp};

const EMAIL: &str = "dana@acme.example";
const PAGE: &str = "/me/second-factor";

async fn app() -> TestApp {
    let app = TestApp::new().await;
    app.tenant("acme").await;
    app.person(EMAIL, Belongs::Tenant { slug: "acme".into(), role: "owner".into() }).await;
    app
}

/// The same RTV at a later hour: other settings on the same database.
async fn later(app: &TestApp, minutes: i64) -> (AppState, axum::Router) {
    let mut settings = (*app.state.settings).clone();
    settings.clock = Some(Clock::Fixed(app.state.clock.now() + chrono::TimeDelta::minutes(minutes)));
    let database = Database::open(&app.db.app_url(), PoolSettings::default()).await.unwrap();
    let state = rtv_server::serve::state(settings, database).unwrap();
    let router = rtv_server::router::build(&state);
    (state, router)
}

#[track_caller]
fn check_leads(answer: &Answer, to: &str) {
    assert_eq!((answer.status.as_u16(), answer.location()), (303, to), "{}", answer.text());
}

async fn sign_in(browser: &mut Browser<'_>) -> Answer {
    browser.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD), ("next", "/me")]).await
}

fn authenticator(page: &str) -> Totp {
    let (_, rest) = page.split_once("data-key=\"").expect("the page shows a key");
    let secret = Secret::try_from_base32(rest.split('"').next().unwrap()).unwrap();
    Builder::new().with_algorithm(Algorithm::SHA1).with_secret(secret).with_account_name(EMAIL).build().unwrap()
}

fn code(totp: &Totp, app: &TestApp, seconds: i64) -> String {
    totp.generate(u64::try_from(app.state.clock.now().timestamp() + seconds).unwrap()).to_string()
}

/// Sets it up by the pages; the app of the phone, and the page with the recovery codes.
async fn set_up(app: &TestApp, browser: &mut Browser<'_>) -> (Totp, String) {
    check_leads(&browser.post("/me/second-factor/begin", &[]).await, PAGE);
    let page = browser.get(PAGE).await.text();
    assert!(page.contains("class=\"c-qr\"") && page.contains("c-qr__dark"), "{page}");
    let totp = authenticator(&page);
    check_leads(&browser.post(PAGE, &[("act", "confirm"), ("code", "000000")]).await, PAGE);
    assert!(browser.get(PAGE).await.text().contains("This is not the code that we expect."));
    let done = browser.post(PAGE, &[("act", "confirm"), ("code", &code(&totp, app, 0))]).await;
    assert_eq!(done.status, 200, "{}", done.text());
    (totp, done.text())
}

fn recovery_codes(page: &str) -> Vec<String> {
    let (_, list) = page.split_once("<ol class=\"c-codes\">").expect("the page shows recovery codes");
    let list = list.split("</ol>").next().unwrap();
    list.split("<code>").skip(1).map(|part| part.split('<').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_person_sets_it_up_and_from_then_on_signs_in_in_two_steps() {
    let app = app().await;
    let mut browser = app.browser();
    check_leads(&sign_in(&mut browser).await, "/me");
    let (totp, page) = set_up(&app, &mut browser).await;
    let codes = recovery_codes(&page);
    assert_eq!(codes.len(), 10);
    let again = browser.get(PAGE).await.text();
    assert!(
        codes.iter().all(|code| !again.contains(code)) && again.contains("10 recovery codes are left"),
        "shown once"
    );
    assert!(!again.contains("data-key"), "the key is not shown again");
    let mut tx = app.marked("worker", None, None).await;
    let stored: Vec<String> = sqlx::query_scalar("select data::text from session").fetch_all(&mut *tx).await.unwrap();
    assert!(stored.iter().all(|data| codes.iter().all(|code| !data.contains(code))), "{stored:?}");
    drop(tx);

    let mut second = app.browser();
    check_leads(&sign_in(&mut second).await, "/sign-in/code?next=%2Fme");
    let waiting = second.token.clone();
    check_leads(&second.get("/me").await, "/sign-in?next=/me");
    check_leads(
        &second.post("/sign-in/code", &[("code", "000000"), ("next", "/me")]).await,
        "/sign-in/code?next=%2Fme",
    );
    assert!(second.get("/sign-in/code?next=%2Fme").await.text().contains("This code is not right"));
    let right = code(&totp, &app, 30);
    check_leads(&second.post("/sign-in/code", &[("code", &right), ("next", "/me")]).await, "/me");
    assert_ne!(second.token, waiting, "a new token at elevation");
    assert_eq!(second.get("/me").await.status, 200);
    let mut thief = app.browser();
    thief.token = waiting;
    check_leads(&thief.get("/me").await, "/sign-in?next=/me");
    check_leads(&thief.post("/sign-in/code", &[("code", &right)]).await, "/sign-in");

    let mut third = app.browser();
    sign_in(&mut third).await;
    check_leads(&third.post("/sign-in/code", &[("code", &codes[0])]).await, "/");
    let mut fourth = app.browser();
    sign_in(&mut fourth).await;
    check_leads(&fourth.post("/sign-in/code", &[("code", &codes[0])]).await, "/sign-in/code");
}

#[tokio::test]
async fn a_reset_by_mail_does_not_go_around_the_second_factor() {
    let app = app().await;
    let mut browser = app.browser();
    sign_in(&mut browser).await;
    let (totp, _) = set_up(&app, &mut browser).await;
    let mut other = app.browser();
    check_leads(&other.post("/reset", &[("email", EMAIL)]).await, "/reset");
    let link = app.link_to(EMAIL).await;
    check_leads(&other.post(&link, &[("password", "copper lantern sixty otters")]).await, "/sign-in/code");
    check_leads(&other.get("/me").await, "/sign-in?next=/me");
    check_leads(&other.post("/sign-in/code", &[("code", &code(&totp, &app, 30))]).await, "/");
    assert_eq!(other.get("/me").await.status, 200);
}

#[tokio::test]
async fn a_tenant_that_requires_it_leads_every_member_to_setting_it_up_first() {
    let app = app().await;
    let mut owner = app.browser();
    sign_in(&mut owner).await;
    let security = "/t/acme/settings/security";
    let require = [("required", "on")];
    check_leads(&owner.post("/t/acme/settings/second-factor", &require).await, security);
    assert!(owner.get(security).await.text().contains("Set up a second factor for your own account first"));
    set_up(&app, &mut owner).await;
    check_leads(&owner.post("/t/acme/settings/second-factor", &require).await, security);
    assert!(owner.get(security).await.text().contains("Every member needs a second factor from now on."));

    let acme = rtv_domain::tenant::list(&app.operator()).await.unwrap().remove(0).tenant;
    let viewer = app.somebody("viewer@acme.example", Some((&acme, Role::Viewer))).await;
    let mut viewer_browser = app.signed_in(viewer).await;
    for path in ["/t/acme/dashboard", "/t/acme/posts", "/t/acme/imports", "/search?tenant=acme&q=x"] {
        let answer = viewer_browser.get(path).await;
        assert!(
            answer.status == 303 && answer.location().starts_with("/me/second-factor?next=/"),
            "{path}: {}",
            answer.location()
        );
    }
    assert_eq!(viewer_browser.get("/t/acme/charts/trend.json").await.status, 403);
    let call = viewer_browser.call("/fn/posts", &serde_json::json!({ "tenant": "acme", "query": [] })).await;
    assert!(call.status == 403 && call.location().starts_with("/me/second-factor?next="), "{}", call.location());
    let form = viewer_browser.post("/t/acme/targets", &[]).await;
    check_leads(&form, "/me/second-factor?next=/t/acme/targets");
    for path in ["/me", "/me/sessions", PAGE, "/help/keyboard"] {
        assert_eq!(viewer_browser.get(path).await.status, 200, "{path}");
    }
    app.prove(viewer).await;
    let led = viewer_browser.get("/t/acme/posts").await;
    let set_up_page = viewer_browser.get(led.location()).await.text();
    assert!(set_up_page.contains("asks its members for a second factor"), "{set_up_page}");
    let next = ("next", "/t/acme/posts");
    check_leads(
        &viewer_browser.post("/me/second-factor/begin", &[next]).await,
        "/me/second-factor?next=%2Ft%2Facme%2Fposts",
    );
    let totp = authenticator(&viewer_browser.get("/me/second-factor?next=%2Ft%2Facme%2Fposts").await.text());
    let done = viewer_browser.post(PAGE, &[("act", "confirm"), ("code", &code(&totp, &app, 0)), next]).await;
    assert!(done.text().contains("href=\"/t/acme/posts\""), "the way on: {}", done.text());
    assert_eq!(viewer_browser.get("/t/acme/posts").await.status, 200);
}

#[tokio::test]
async fn a_dangerous_act_asks_to_confirm_and_goes_on_with_a_new_session() {
    let app = app().await;
    let mut browser = app.browser();
    sign_in(&mut browser).await;
    set_up(&app, &mut browser).await;
    // Six minutes later, at another server of the same installation.
    let token = browser.token.clone();
    let (state, router) = later(&app, 6).await;
    let mut app = app;
    app.state = state;
    app.router = router;
    let mut later = Browser { token, ..app.browser() };
    later.peer = "203.0.113.9:4711".parse::<SocketAddr>().unwrap();
    let confirm = "/me/confirm?next=/me/second-factor";
    check_leads(&later.post("/me/second-factor/remove", &[]).await, confirm);
    assert!(later.get(PAGE).await.text().contains("Turned on"), "nothing was changed");
    let page = later.get(confirm).await.text();
    assert!(page.contains("Or a code") && page.contains("value=\"/me/second-factor\""), "{page}");
    let wrong = [("password", "wrong"), ("next", PAGE)];
    check_leads(&later.post("/me/confirm", &wrong).await, "/me/confirm?next=%2Fme%2Fsecond-factor");
    assert!(later.get("/me/confirm?next=%2Fme%2Fsecond-factor").await.text().contains("This is not your password."));
    let before = later.token.clone();
    check_leads(&later.post("/me/confirm", &[("password", PASSWORD), ("next", PAGE)]).await, PAGE);
    assert_ne!(later.token, before);
    assert!(later.get(PAGE).await.text().contains("For five minutes you are not asked again."));
    check_leads(&later.post("/me/second-factor/remove", &[]).await, PAGE);
    assert!(later.get(PAGE).await.text().contains("Your second factor is removed."));
    let mut thief = app.browser();
    thief.token = before;
    check_leads(&thief.get("/me").await, "/sign-in?next=/me");
    let last = later.token.clone();
    // What was typed into a form goes along, to its own page alone.
    let (state, router) = self::later(&app, 6).await;
    app.state = state;
    app.router = router;
    let mut last = Browser { token: last, ..app.browser() };
    let security = "/t/acme/settings/security";
    let asked = last.post("/t/acme/settings/second-factor", &[("required", "off")]).await;
    check_leads(&asked, "/me/confirm?next=/t/acme/settings/security");
    check_leads(&last.post("/me/confirm", &[("password", PASSWORD), ("next", security)]).await, security);
    assert!(last.get(security).await.text().contains("What you typed is still here; send it again."));
    let foreign = last.post("/me/confirm", &[("password", PASSWORD), ("next", "https://evil.example/")]).await;
    check_leads(&foreign, "/me");
}
