//! Signing in and out by the forms, sessions and their ends, and who may send a form at all.

use axum::body::Body;
use http::{Method, Request, header};
use rtv_core::Role;
use rtv_domain::user::Belongs;
use serde_json::json;
use url::Url;
use uuid::Uuid;

use crate::test_app::{Answer, PASSWORD, TestApp, bare, form};

const EMAIL: &str = "dana@acme.example";

/// A server with the tenant `acme` and a person in it who has a password.
async fn app() -> TestApp {
    app_with(|_| {}).await
}

async fn app_with(change: impl FnOnce(&mut rtv_server::config::Settings)) -> TestApp {
    let app = TestApp::with(change, 4).await;
    app.tenant("acme").await;
    app.person(EMAIL, Belongs::Tenant { slug: "acme".into(), role: "owner".into() }).await;
    app
}

fn credentials<'a>(email: &'a str, password: &'a str) -> [(&'a str, &'a str); 2] {
    [("email", email), ("password", password)]
}

#[track_caller]
fn check_leads(answer: &Answer, to: &str) {
    assert_eq!((answer.status.as_u16(), answer.location()), (303, to), "{}", answer.text());
}

#[tokio::test]
async fn the_right_password_leads_to_the_dashboard_with_a_new_token() {
    let app = app().await;
    let mut browser = app.browser();
    check_leads(&browser.post("/sign-in", &[]).await, "/sign-in");
    let before = browser.token.clone().unwrap();
    check_leads(&browser.post("/sign-in", &credentials(EMAIL, PASSWORD)).await, "/");
    let after = browser.token.clone().unwrap();
    assert_ne!(before, after, "a token from before the sign-in may be known to somebody else");
    check_leads(&browser.get("/").await, "/t/acme/dashboard");
    let page = browser.get("/t/acme/dashboard").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains(EMAIL) && !page.text().contains(PASSWORD));
    check_leads(&browser.get("/sign-in").await, "/");

    let mut thief = app.browser();
    thief.token = Some(before);
    check_leads(&thief.get("/me/sessions").await, "/sign-in?next=/me/sessions");
    assert_eq!(app.session_count().await, 1, "the session from before is gone");
}

#[tokio::test]
async fn a_token_that_somebody_else_chose_is_not_taken() {
    let app = app().await;
    let planted = tower_sessions::session::Id::default().to_string();
    let mut victim = app.browser();
    victim.token = Some(planted.clone());
    check_leads(&victim.post("/sign-in", &credentials(EMAIL, PASSWORD)).await, "/");
    assert_ne!(victim.token.as_deref(), Some(planted.as_str()));
    let mut attacker = app.browser();
    attacker.token = Some(planted);
    check_leads(&attacker.get("/me/sessions").await, "/sign-in?next=/me/sessions");
}

#[tokio::test]
async fn the_cookie_is_kept_from_scripts_other_sites_and_plain_connections() {
    let attributes = |answer: &Answer| -> Vec<String> {
        let mut parts: Vec<String> = answer.header("set-cookie").split("; ").skip(1).map(str::to_owned).collect();
        parts.retain(|part| !part.starts_with("Max-Age="));
        parts.sort();
        parts
    };
    let app = app().await;
    let answer = app.browser().post("/sign-in", &credentials(EMAIL, PASSWORD)).await;
    assert!(answer.header("set-cookie").starts_with("rtv="));
    assert_eq!(attributes(&answer), ["HttpOnly", "Path=/", "SameSite=Lax"]);

    let app = app_with(|settings| settings.base_url = Some(Url::parse("https://rtv.example").unwrap())).await;
    let answer = app.browser().post("/sign-in", &credentials(EMAIL, PASSWORD)).await;
    check_leads(&answer, "/");
    assert!(answer.header("set-cookie").starts_with("__Host-rtv="), "{}", answer.header("set-cookie"));
    assert_eq!(attributes(&answer), ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
}

#[tokio::test]
async fn looking_at_pages_sets_no_cookie() {
    let app = TestApp::new().await;
    for path in ["/sign-in", "/", "/t/acme/dashboard", "/health/live", "/anything/else"] {
        assert_eq!(app.browser().get(path).await.header("set-cookie"), "", "{path}");
    }
    assert_eq!(app.session_count().await, 0);
}

#[tokio::test]
async fn a_wrong_password_leads_back_with_a_message_that_is_shown_once() {
    let app = app().await;
    let mut browser = app.browser();
    let wrong = "granite kettle nine penguins";
    let answer =
        browser.post("/sign-in", &[("email", EMAIL), ("password", wrong), ("next", "/t/acme/posts?range=7d")]).await;
    check_leads(&answer, "/sign-in?next=%2Ft%2Facme%2Fposts%3Frange%3D7d");
    let refused = browser.get(answer.location()).await;
    let text = refused.text();
    assert!(text.contains("The email address and the password do not match."), "{text}");
    assert!(text.contains("<title>Error: Sign in"), "{text}");
    assert!(text.contains(&format!("value=\"{EMAIL}\"")), "what was typed is kept: {text}");
    assert!(text.contains("value=\"/t/acme/posts?range=7d\""), "the way on is kept: {text}");
    assert!(!text.contains(wrong) && !text.contains("penguins"), "a password is never sent back");
    let again = browser.get("/sign-in").await.text();
    assert!(!again.contains("do not match") && !again.contains(EMAIL), "{again}");
    // What is stored for the page holds no password either.
    check_leads(&browser.post("/sign-in", &credentials(EMAIL, wrong)).await, "/sign-in");
    let mut tx = app.marked("worker", None, None).await;
    let stored: Vec<String> = sqlx::query_scalar("select data::text from session").fetch_all(&mut *tx).await.unwrap();
    assert!(
        stored.iter().any(|data| data.contains(EMAIL)) && stored.iter().all(|data| !data.contains("penguins")),
        "{stored:?}"
    );
}

#[tokio::test]
async fn an_unknown_account_answers_to_the_byte_as_a_wrong_password() {
    let app = app().await;
    let unknown = "nemo@acme.example";
    assert_eq!(unknown.len(), EMAIL.len());
    let mut pages = Vec::new();
    for email in [EMAIL, unknown] {
        let mut browser = app.browser();
        let answer = browser.post("/sign-in", &credentials(email, "not the password of anybody")).await;
        check_leads(&answer, "/sign-in");
        let page = browser.get("/sign-in").await;
        let token = browser.token.unwrap();
        let headers = |answer: &Answer| format!("{:?}", answer.plain_headers()).replace(&token, "TOKEN");
        pages.push((headers(&answer), answer.plain(), headers(&page), page.plain().replace(email, "EMAIL")));
    }
    assert_eq!(pages[0], pages[1]);
    assert!(pages[0].3.contains("do not match"));
}

#[tokio::test]
async fn empty_fields_are_named() {
    let app = app().await;
    let check = async |fields: &[(&str, &str)], email: bool, password: bool| {
        let mut browser = app.browser();
        check_leads(&browser.post("/sign-in", fields).await, "/sign-in");
        let text = browser.get("/sign-in").await.text();
        assert_eq!(text.contains("Enter your work email address."), email, "{fields:?}");
        assert_eq!(text.contains("Enter your password."), password, "{fields:?}");
    };
    check(&[], true, true).await;
    check(&[("email", "  "), ("password", "")], true, true).await;
    check(&[("email", EMAIL)], false, true).await;
    check(&[("password", PASSWORD)], true, false).await;
}

#[tokio::test]
async fn a_sign_in_leads_on_only_within_rtv() {
    let app = app().await;
    for (next, to) in [
        ("/t/acme/posts?range=7d&platform=x", "/t/acme/posts?range=7d&platform=x"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ] {
        let answer = app.browser().post("/sign-in", &[("email", EMAIL), ("password", PASSWORD), ("next", next)]).await;
        check_leads(&answer, to);
    }
}

#[tokio::test]
async fn what_is_typed_is_never_markup() {
    let app = app().await;
    let mut browser = app.browser();
    let script = "\"><script>alert(1)</script>@acme.example";
    let answer = browser
        .post("/sign-in", &[("email", script), ("password", "x"), ("next", "/\"><script>alert(2)</script>")])
        .await;
    let text = browser.get(answer.location()).await.text();
    assert!(text.contains("&lt;script&gt;alert(1)") || text.contains("&quot;>&lt;script"), "{text}");
    assert!(!text.contains("<script>alert"), "{text}");
}

#[tokio::test]
async fn signing_out_kills_the_token() {
    let app = app().await;
    let mut browser = app.browser();
    browser.post("/sign-in", &credentials(EMAIL, PASSWORD)).await;
    let token = browser.token.clone();
    check_leads(&browser.post("/sign-out", &[]).await, "/sign-in");
    assert!(browser.get("/sign-in").await.text().contains("You are signed out."));
    assert!(!browser.get("/sign-in").await.text().contains("You are signed out."), "said once");
    check_leads(&browser.get("/t/acme/dashboard").await, "/sign-in?next=/t/acme/dashboard");
    let mut copy = app.browser();
    copy.token = token;
    check_leads(&copy.get("/t/acme/dashboard").await, "/sign-in?next=/t/acme/dashboard");
    // Once more, and by somebody who never was signed in: no fault.
    check_leads(&copy.post("/sign-out", &[]).await, "/sign-in");
    check_leads(&app.browser().post("/sign-out", &[]).await, "/sign-in");
}

/// Ids of the sessions that the page offers to end.
fn offered(page: &str) -> Vec<Uuid> {
    page.match_indices("/me/sessions/")
        .filter_map(|(at, found)| page[at + found.len()..].split_once("/end\""))
        .filter_map(|(id, _)| id.parse().ok())
        .collect()
}

#[tokio::test]
async fn sessions_are_listed_and_ended_and_an_ended_one_is_out_at_once() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let person = app.somebody("dana@acme.example", Some((&acme, Role::Viewer))).await;
    let (mut here, mut phone, mut tablet, mut laptop) = (
        app.signed_in(person).await,
        app.signed_in(person).await,
        app.signed_in(person).await,
        app.signed_in(person).await,
    );
    let stranger = app.somebody("sam@acme.example", Some((&acme, Role::Owner))).await;
    let mut strangers = app.signed_in(stranger).await;

    let page = here.get("/me/sessions").await.text();
    let others = offered(&page);
    assert_eq!((others.len(), page.matches("This session").count()), (3, 1), "{page}");
    let phones = offered(&laptop.get("/me/sessions").await.text());
    assert!(phones.iter().filter(|id| others.contains(id)).count() == 2, "each sees the others");

    let id = others.iter().find(|id| !phones.contains(id)).unwrap();
    check_leads(&here.post(&format!("/me/sessions/{id}/end"), &[]).await, "/me/sessions");
    check_leads(&laptop.get("/t/acme/dashboard").await, "/sign-in?next=/t/acme/dashboard");
    let call = laptop.call("/fn/sessions", &json!({})).await;
    assert_eq!(
        (call.status.as_u16(), call.header("serverfnredirect").is_empty(), call.location()),
        (401, true, "/sign-in?next=/t/acme/dashboard%3Frange%3D7d")
    );
    assert!(call.headers.contains_key("serverfnredirect"), "the page's router follows");
    let page = here.get("/me/sessions").await.text();
    assert!(page.contains("The session has ended.") && offered(&page).len() == 2, "{page}");
    assert!(!here.get("/me/sessions").await.text().contains("The session has ended."), "said once");
    assert_eq!(here.post(&format!("/me/sessions/{id}/end"), &[]).await.status, 404, "it does not end twice");
    assert_eq!(here.post("/me/sessions/not-an-id/end", &[]).await.status, 404);

    check_leads(&here.post("/me/sessions/end-others", &[]).await, "/me/sessions");
    assert!(here.get("/me/sessions").await.text().contains("2 other sessions have ended."));
    check_leads(&phone.get("/me/sessions").await, "/sign-in?next=/me/sessions");
    check_leads(&tablet.get("/me/sessions").await, "/sign-in?next=/me/sessions");
    assert_eq!(strangers.get("/me/sessions").await.status, 200, "other people stay signed in");
    assert_eq!(here.get("/me/sessions").await.status, 200);
}

/// Sessions, counters and events: what a refused request must leave as it was.
async fn state_of(app: &TestApp) -> Vec<String> {
    let mut state = Vec::new();
    let mut tx = app.marked("worker", None, None).await;
    for query in [
        "select to_jsonb(session)::text from session order by 1",
        "select to_jsonb(sign_in_limit)::text from sign_in_limit order by 1",
    ] {
        state.extend(sqlx::query_scalar::<_, String>(query).fetch_all(&mut *tx).await.unwrap());
    }
    drop(tx);
    let mut tx = app.marked("staff", None, None).await;
    state.extend(
        sqlx::query_scalar::<_, String>("select to_jsonb(audit_event)::text from audit_event order by 1")
            .fetch_all(&mut *tx)
            .await
            .unwrap(),
    );
    state
}

#[tokio::test]
async fn a_form_from_elsewhere_is_refused_and_changes_nothing() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let person = app.somebody("dana@acme.example", Some((&acme, Role::Owner))).await;
    let mut browser = app.signed_in(person).await;
    let other = app.session(person).await.1;
    let before = state_of(&app).await;
    let mut paths: Vec<String> = rtv_server::router::routes()
        .iter()
        .chain(&rtv_server::router::open_routes())
        .filter(|(method, ..)| *method != "GET")
        // Mail programs post there without any page of ours; the token is the whole right to it.
        .filter(|(_, pattern, _)| *pattern != "/shared/{token}/unsubscribe")
        .map(|(_, pattern, _)| pattern.replace("{session}", &other.to_string()))
        .collect();
    assert_eq!(paths.len(), 107);
    paths.extend(server_fn::axum::server_fn_paths().map(|(path, _)| path.to_owned()));
    assert!(paths.len() >= 45, "{paths:?}");
    paths.push("/anything/else".into());
    let elsewhere: [&[(&str, &str)]; 9] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "cross-site"), ("origin", "http://rtv.example")],
        &[],
        &[("origin", "https://evil.example")],
        &[("origin", "https://rtv.example")],
        &[("origin", "http://rtv.example:8080")],
        &[("origin", "null"), ("referer", "http://rtv.example/sign-in")],
    ];
    for path in &paths {
        for headers in elsewhere {
            let mut request = bare(Method::POST, path);
            request.headers_mut().insert(header::CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap());
            for (name, value) in headers {
                request.headers_mut().insert(*name, value.parse().unwrap());
            }
            *request.body_mut() = form(&credentials(EMAIL, PASSWORD));
            let answer = browser.send(request).await;
            assert_eq!(answer.status, 403, "{path} {headers:?}");
            assert!(
                answer.text().contains("Nothing was changed.") && !answer.text().contains("<script"),
                "{}",
                answer.text()
            );
            assert_eq!(answer.header("set-cookie"), "", "{path} {headers:?}");
        }
    }
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        assert_eq!(browser.send(bare(method, "/sign-out")).await.status, 403);
    }
    assert_eq!(state_of(&app).await, before);
    assert_eq!(browser.get("/me/sessions").await.status, 200);

    // And the same form from our own page does its work, whichever of the two proofs the browser sends.
    let mut request = bare(Method::POST, "/me/sessions/end-others");
    request.headers_mut().insert(header::ORIGIN, "http://rtv.example".parse().unwrap());
    check_leads(&browser.send(request).await, "/me/sessions");
    assert_ne!(state_of(&app).await, before);
}

#[tokio::test]
async fn a_body_of_more_than_64_kib_is_refused() {
    let app = app().await;
    let mut browser = app.browser();
    let ask = |path: &str, kind: &str, body: Body| {
        Request::post(path)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, kind)
            .body(body)
            .unwrap()
    };
    let (form_kind, json_kind) = ("application/x-www-form-urlencoded", "application/json");
    let long = |bytes: usize| "a".repeat(bytes);
    // Without a length the server has to count: a stream of chunks.
    let stream = |text: String| {
        let chunks: Vec<Result<Vec<u8>, std::io::Error>> =
            text.into_bytes().chunks(1_000).map(|chunk| Ok(chunk.to_vec())).collect();
        Body::from_stream(futures::stream::iter(chunks))
    };
    let email = |text: String| format!("email=dana%40acme.example&password=x&next={text}");
    let query = |text: String| json!({ "tenant": "acme", "query": [["range", text]] }).to_string();
    assert_eq!(browser.send(ask("/sign-in", form_kind, email(long(60_000)).into())).await.status, 303);
    assert_eq!(browser.send(ask("/fn/posts", json_kind, query(long(60_000)).into())).await.status, 401);
    assert_eq!(browser.send(ask("/fn/posts", json_kind, stream(query(long(60_000))))).await.status, 401);
    for body in [email(long(70_000)).into(), stream(email(long(70_000)))] {
        assert_eq!(browser.send(ask("/sign-in", form_kind, body)).await.status, 413);
    }
    for body in [query(long(70_000)).into(), stream(query(long(70_000)))] {
        assert_eq!(browser.send(ask("/fn/posts", json_kind, body)).await.status, 413);
    }
}

#[tokio::test]
async fn a_call_that_cannot_be_read_is_the_callers_fault() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let person = app.somebody("dana@acme.example", Some((&acme, Role::Viewer))).await;
    let mut browser = app.signed_in(person).await;
    for arguments in [
        json!({}),
        json!({ "tenant": 7, "query": [] }),
        json!("nonsense"),
        json!({ "tenant": "acme", "query": [["one"]] }),
    ] {
        let answer = browser.call("/fn/posts", &arguments).await;
        assert_eq!(answer.status, 409, "{arguments}: {}", answer.text());
        assert!(answer.text().contains("older version of RTV"), "{}", answer.text());
    }
    assert_eq!(browser.call("/fn/nothing-here", &json!({})).await.status, 400);
}

#[tokio::test]
async fn after_ten_failures_the_form_says_how_long_to_wait() {
    let app = app().await;
    let mut browser = app.browser();
    for attempt in 1..=10 {
        check_leads(&browser.post("/sign-in", &credentials(EMAIL, "not the password of anybody")).await, "/sign-in");
        assert!(browser.get("/sign-in").await.text().contains("do not match"), "attempt {attempt}");
    }
    for password in ["not the password of anybody", PASSWORD] {
        let answer = browser.post("/sign-in", &credentials(EMAIL, password)).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, "900"));
        let page = answer.text();
        assert!(page.contains("There were too many failed attempts to sign in. Try again in 15 minutes."), "{page}");
        assert!(page.contains(&format!("value=\"{EMAIL}\"")) && !page.contains("do not match"), "{page}");
    }
    check_leads(&browser.get("/me/sessions").await, "/sign-in?next=/me/sessions");
    // Another network does not help with the same account; another account from the same network does.
    let mut elsewhere = app.browser();
    elsewhere.peer = "198.51.100.7:4711".parse().unwrap();
    let answer = elsewhere.post("/sign-in", &credentials(EMAIL, PASSWORD)).await;
    assert!(answer.text().contains("too many failed attempts"));
    app.person("sam@acme.example", Belongs::Tenant { slug: "acme".into(), role: "viewer".into() }).await;
    check_leads(&app.browser().post("/sign-in", &credentials("sam@acme.example", PASSWORD)).await, "/");
}
