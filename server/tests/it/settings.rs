//! The settings by their pages and forms, and that they hold: formats, networks, pauses, limits.

use chrono::TimeDelta;
use rtv_core::{Limit, Role};
use rtv_domain::limit::{self, Change};
use rtv_domain::{Clock, Database, PoolSettings};

use crate::command::Program;
use crate::test_app::{Answer, Browser, TestApp};

#[track_caller]
fn check_leads(answer: &Answer, to: &str) {
    assert_eq!((answer.status.as_u16(), answer.location()), (303, to), "{}", answer.text());
}

/// What the hidden field of the page's form holds.
fn version(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"version\" value=\"").expect("the form has a version");
    rest.split('"').next().unwrap().to_owned()
}

const PAGE: &str = "/t/acme/settings";
const SECURITY: &str = "/t/acme/settings/security";

async fn save(browser: &mut Browser<'_>, page: &str, fields: &[(&str, &str)]) -> String {
    let version = version(&browser.get(page).await.text());
    let mut all = fields.to_vec();
    all.push(("version", &version));
    check_leads(&browser.post(page, &all).await, page);
    browser.get(page).await.text()
}

fn general<'a>(zone: &'a str, locale: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("name", "Acme & Co"), ("zone", zone), ("locale", locale), ("currency", "EUR"), ("week_start", "6")]
}

#[tokio::test]
async fn what_is_set_shows_on_every_page() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    app.posts(&acme, &["x,page,p1,2026-11-20T20:30:00Z,50,12345,4,3,2,1".into()]).await;
    let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
    let mut browser = app.signed_in(owner).await;
    let posts = "/t/acme/posts?range=custom&from=2026-11-20&to=2026-11-21";
    let before = browser.get(posts).await.text();
    assert!(before.contains("12,345") && before.contains("20:30"), "{before}");
    let page = save(&mut browser, PAGE, &general("Asia/Bangkok", "de-DE")).await;
    assert!(page.contains("All posts have the days of Asia/Bangkok now.") && page.contains("Acme &amp; Co"), "{page}");
    let after = browser.get(posts).await.text();
    assert!(after.contains("12.345") && after.contains("03:30") && after.contains("Asia/Bangkok"), "{after}");
    let dashboard = browser.get("/t/acme/dashboard?range=custom&from=2026-11-21&to=2026-11-21").await.text();
    assert!(dashboard.contains("data-kpi=\"impressions\" data-value=\"12345\""), "the post is of the 21st now");
}

#[tokio::test]
async fn a_refusal_names_the_field_and_keeps_what_was_typed() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
    let mut browser = app.signed_in(owner).await;
    let mut fields = general("Asia/Bangkok", "de-DE");
    fields[3] = ("currency", "money");
    let page = save(&mut browser, PAGE, &fields).await;
    assert!(page.contains("Use a three-letter ISO 4217 code like EUR"), "{page}");
    assert!(page.contains("value=\"money\"") && page.contains("value=\"Acme &amp; Co\""), "{page}");
    // Somebody else was quicker.
    let seen = version(&browser.get(PAGE).await.text());
    let admin = app.somebody("admin@acme.example", Some((&acme, Role::Admin))).await;
    save(&mut app.signed_in(admin).await, PAGE, &general("UTC", "en-GB")).await;
    let mut mine = general("UTC", "fr-FR");
    mine.push(("version", &seen));
    check_leads(&browser.post(PAGE, &mine).await, PAGE);
    let page = browser.get(PAGE).await.text();
    assert!(page.contains("admin@acme.example changed this") && page.contains("Reload"), "{page}");
    assert!(page.contains("<option value=\"fr-FR\" selected"), "what was typed is still there");
}

#[tokio::test]
async fn who_comes_from_elsewhere_is_told_the_address_and_who_can_help() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
    let mut browser = app.signed_in(owner).await;
    app.prove(owner).await;
    let refused = save(&mut browser, SECURITY, &[("session_timeout", "60"), ("ip_ranges", "198.51.100.0/24")]).await;
    assert!(refused.contains("Your own address, 203.0.113.9, is in none of them"), "{refused}");
    assert!(refused.contains("198.51.100.0/24</textarea>"), "{refused}");
    let saved = save(&mut browser, SECURITY, &[("session_timeout", "60"), ("ip_ranges", "203.0.113.0/24")]).await;
    assert!(saved.contains("hold from now on"), "{saved}");

    let mut outside = browser.clone();
    outside.peer = "198.51.100.7:4711".parse().unwrap();
    for path in ["/t/acme/dashboard", "/t/acme/settings/security", "/t/acme/charts/trend.json"] {
        let answer = outside.get(path).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(answer.text().contains("198.51.100.7"), "{path}: {}", answer.text());
    }
    let page = outside.get("/t/acme/dashboard").await.text();
    assert!(page.contains("Ask an owner or an admin") && page.contains("your operator can clear the list"), "{page}");
    assert_eq!(outside.post("/t/acme/targets", &[]).await.status, 403);
    let call = outside.call("/fn/posts", &serde_json::json!({ "tenant": "acme", "query": [] })).await;
    assert_eq!(call.status, 403);
    assert_eq!(outside.get("/me").await.status, 200, "a person's own pages stay open");
    assert_eq!(browser.get("/t/acme/dashboard").await.status, 200);
}

#[tokio::test]
async fn a_longer_pause_than_the_tenant_allows_leads_to_the_sign_in_and_back() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let lax = app.tenant("lax").await;
    let belongs = rtv_domain::user::Belongs::Tenant { slug: "acme".into(), role: "owner".into() };
    app.person("dana@acme.example", belongs).await;
    let owner = user_id(&app, "dana@acme.example").await;
    app.join(owner, &lax, Role::Viewer).await;
    let credentials = [("email", "dana@acme.example"), ("password", crate::test_app::PASSWORD)];
    let mut browser = app.browser();
    browser.post("/sign-in", &credentials).await;
    save(&mut browser, SECURITY, &[("session_timeout", "15"), ("ip_ranges", "")]).await;

    let token = browser.token.clone();
    let app = later(app, 16).await;
    let mut browser = Browser { token, ..app.browser() };
    // Using something else first does not make the pause undone.
    assert_eq!(browser.get("/t/lax/dashboard").await.status, 200);
    let asked = browser.get("/t/acme/posts?range=7d").await;
    check_leads(&asked, "/sign-in?next=/t/acme/posts%3Frange%3D7d");
    let page = browser.get(asked.location()).await.text();
    assert!(page.contains("not used for longer than this organisation allows"), "{page}");
    let call = browser.call("/fn/posts", &serde_json::json!({ "tenant": "acme", "query": [] })).await;
    assert!(call.status == 401 && call.location().starts_with("/sign-in?next="), "{}", call.location());
    let form = browser.post("/t/acme/targets", &[]).await;
    assert!(form.location().starts_with("/sign-in?next="), "{}", form.location());
    assert_eq!(browser.get("/t/lax/dashboard").await.status, 200, "the other tenant allows it");
    check_leads(&browser.get("/sign-in").await, "/");

    let mut again = credentials.to_vec();
    again.push(("next", "/t/acme/posts?range=7d"));
    check_leads(&browser.post("/sign-in", &again).await, "/t/acme/posts?range=7d");
    assert_eq!(browser.get("/t/acme/posts?range=7d").await.status, 200);
    drop(acme);
}

async fn user_id(app: &TestApp, email: &str) -> uuid::Uuid {
    let people = rtv_domain::user::list(&app.operator(), None).await.unwrap();
    people.into_iter().find(|one| one.email.as_str() == email).unwrap().id.uuid()
}

/// The same RTV some minutes later.
async fn later(mut app: TestApp, minutes: i64) -> TestApp {
    let mut settings = (*app.state.settings).clone();
    settings.clock = Some(Clock::Fixed(app.state.clock.now() + TimeDelta::minutes(minutes)));
    let database = Database::open(&app.db.app_url(), PoolSettings::default()).await.unwrap();
    app.state = rtv_server::serve::state(settings, database).unwrap();
    app.router = rtv_server::router::build(&app.state);
    app
}

#[tokio::test]
async fn limits_are_shown_refused_in_words_and_close_what_is_over_them() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    app.posts(&acme, &["x,page,p1,2026-11-20T20:30:00Z,50,12345,4,3,2,1".into()]).await;
    let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
    let mut browser = app.signed_in(owner).await;
    limit::change(&app.operator(), &acme.slug, &Change::of_limit(Limit::Users, Some(1))).await.unwrap();
    let invitations = "/t/acme/team/invitations";
    check_leads(&browser.post(invitations, &[("email", "guest@acme.example"), ("role", "viewer")]).await, invitations);
    let page = browser.get(invitations).await.text();
    assert!(page.contains("this organisation is allowed 1 (plan Enterprise, set by the operator)"), "{page}");
    assert!(page.contains("would make 2 users") && page.contains("value=\"guest@acme.example\""), "{page}");
    let page = browser.get("/t/acme/settings/limits").await.text();
    assert!(page.contains("data-row=\"users\" data-used=\"1\" data-most=\"1\""), "{page}");
    assert!(page.contains("in November 2026") && !page.contains("Over the limit"), "{page}");

    app.somebody("second@acme.example", Some((&acme, Role::Viewer))).await;
    limit::change(&app.operator(), &acme.slug, &Change::of_limit(Limit::Users, Some(1))).await.unwrap();
    let page = browser.get("/t/acme/settings/limits").await.text();
    assert!(page.contains("Over the limit"), "{page}");
    for path in ["/t/acme/dashboard", "/t/acme/posts", "/t/acme/team", "/t/acme/audit"] {
        let answer = browser.get(path).await;
        assert!(answer.status == 200 && answer.text().contains("is over its limits (users)"), "{path}");
    }
    assert_eq!(browser.get("/t/acme/audit/log.csv").await.status, 200, "it is exported");
    check_leads(&browser.post("/t/acme/targets", &[("kpi", "reach"), ("amount", "5")]).await, "/t/acme/targets");
    let page = browser.get("/t/acme/targets").await.text();
    assert!(page.contains("nothing in it changes until members or invitations are taken out"), "{page}");
}

#[tokio::test]
async fn a_colour_is_on_the_next_page() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
    let mut browser = app.signed_in(owner).await;
    let branding = "/t/acme/settings/branding";
    let page = save(&mut browser, branding, &[("is_on", "true"), ("hue", "145")]).await;
    assert!(page.contains("--color-accent") && page.contains("value=\"145\""), "{page}");
    let page = save(&mut browser, branding, &[("hue", "145")]).await;
    assert!(!page.contains("--color-accent:"), "{page}");
}

#[tokio::test]
async fn an_editor_sees_the_settings_and_no_form() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let editor = app.somebody("editor@acme.example", Some((&acme, Role::Editor))).await;
    let mut browser = app.signed_in(editor).await;
    for path in [PAGE, SECURITY, "/t/acme/settings/branding"] {
        let page = browser.get(path).await.text();
        assert!(page.contains("“settings:update”") && !page.contains("name=\"version\""), "{path}");
    }
}

#[tokio::test]
async fn the_operator_shows_and_changes_limits_and_opens_a_tenant_that_shut_itself_out() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let rtv = Program::of(&app);
    let shown = rtv.run(&["admin", "tenants", "limits", "acme", "--json"]).await.json();
    assert_eq!((&shown["plan"], shown["limits"].as_array().unwrap().len()), (&"enterprise".into(), 6));
    let changed =
        rtv.run(&["admin", "tenants", "limits", "acme", "--plan", "starter", "--set", "users=20", "--json"]).await;
    let changed = changed.json();
    assert_eq!(changed["plan"], "starter");
    assert_eq!((&changed["limits"][0]["allowed"], &changed["limits"][0]["set"]), (&20.into(), &true.into()));
    let reset = ["admin", "tenants", "limits", "acme", "--reset", "users"];
    rtv.run(&reset).await.check(0, "acme has the plan starter.", "");
    for (wrong, says) in [
        ("users", "users=20"),
        ("seats=3", "use one of: users"),
        ("users=many", "no whole number"),
        ("users=0", "from 1 to"),
    ] {
        rtv.run(&["admin", "tenants", "limits", "acme", "--set", wrong]).await.check(2, "", says);
    }
    rtv.run(&["admin", "tenants", "limits", "nobody"]).await.check(2, "", "there is no tenant “nobody”");

    let mut tx = app.marked("tenant", Some(acme.id.uuid()), None).await;
    sqlx::query("update tenant set ip_ranges = '{203.0.113.0/24}'").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    rtv.run(&["admin", "tenants", "ip-ranges", "acme"]).await.check(0, "203.0.113.0/24", "");
    let clear = ["admin", "tenants", "ip-ranges", "acme", "--clear"];
    rtv.run(&clear).await.check(0, "from everywhere again. It allowed: 203.0.113.0/24.", "");
    rtv.run(&clear).await.check(0, "from everywhere already", "");
    let refused = ["admin", "users", "create", "--email", "a@acme.example", "--tenant", "acme", "--role", "viewer"];
    rtv.run(&["admin", "tenants", "limits", "acme", "--set", "users=1"]).await.check(0, "allowed", "");
    app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
    rtv.run(&refused).await.check(3, "", "this organisation is allowed 1 (plan Starter, set by the operator)");
}

#[tokio::test]
async fn a_logo_comes_from_our_origin_with_its_kind() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
    let mut browser = app.signed_in(owner).await;
    let branding = "/t/acme/settings/branding";
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x40\0\0\0\x40".to_vec();
    png.extend(b"\x08\x06\0\0\0....\0\0\0\0IEND\xae\x42\x60\x82");
    let mut send = async |content: &[u8]| {
        let version = version(&browser.get(branding).await.text());
        let mut body = format!(
            "--x\r\ncontent-disposition: form-data; name=\"version\"\r\n\r\n{version}\r\n--x\r\ncontent-disposition: form-data; name=\"logo\"; filename=\"a.svg\"\r\ncontent-type: image/svg+xml\r\n\r\n"
        )
        .into_bytes();
        body.extend(content);
        body.extend(b"\r\n--x--\r\n");
        let request = http::Request::post("/t/acme/settings/logo")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "multipart/form-data; boundary=x");
        let answer = browser.send(request.body(axum::body::Body::from(body)).unwrap()).await;
        check_leads(&answer, branding);
        browser.get(branding).await.text()
    };
    let page = send(b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>").await;
    assert!(page.contains("The file is neither PNG nor JPEG"), "{page}");
    let page = send(&vec![0; 300_000]).await;
    assert!(page.contains("larger than 256 KB"), "{page}");
    let page = send(&png).await;
    let (_, rest) = page.split_once("src=\"/t/acme/logo?v=").expect("the shell shows it");
    let address = format!("/t/acme/logo?v={}", rest.split('"').next().unwrap());
    let picture = browser.get(&address).await;
    assert_eq!(
        (picture.status.as_u16(), picture.header("content-type"), &picture.body[..]),
        (200, "image/png", &png[..])
    );
    assert!(picture.header("content-security-policy").contains("sandbox"));
    assert_eq!(picture.header("x-content-type-options"), "nosniff");
    assert_eq!(app.browser().get(&address).await.status, 401);
    let seen = version(&browser.get(branding).await.text());
    check_leads(&browser.post("/t/acme/settings/logo/remove", &[("version", &seen)]).await, branding);
    assert_eq!(browser.get(&address).await.status, 404);
}
