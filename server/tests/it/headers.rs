//! What every answer carries: the policy with its nonce, the other security headers, the request's id, and how long
//! files may be kept.

use axum::Router;
use axum::body::Body;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use http::{Request, header};
use rtv_core::Role;
use rtv_server::middleware::{observe, shield};
use tower::ServiceExt as _;
use url::Url;

use crate::test_app::{Answer, Browser, STYLE, TestApp};

/// A server with a tenant that has posts.
async fn app() -> TestApp {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    app.posts(
        &acme,
        &["x,page,p1,2026-11-20T10:00:00Z,50,100,4,3,2,1".into(), "x,page,p2,2026-11-19T10:00:00Z,5,10,4,3,2,1".into()],
    )
    .await;
    app
}

async fn viewer(app: &TestApp) -> Browser<'_> {
    let acme = rtv_domain::tenant::list(&app.operator()).await.unwrap().remove(0).tenant;
    let person = app.somebody("dana@acme.example", Some((&acme, Role::Viewer))).await;
    app.signed_in(person).await
}

/// The sources of one directive.
fn sources<'a>(policy: &'a str, directive: &str) -> Vec<&'a str> {
    policy
        .split(';')
        .map(|part| part.split_whitespace().collect::<Vec<_>>())
        .find(|words| words.first() == Some(&directive))
        .map(|words| words[1..].to_vec())
        .unwrap_or_default()
}

/// Opening tags of a name.
fn tags<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!("<{name}");
    html.match_indices(&start)
        .map(|(at, _)| html[at..].split_once('>').unwrap().0)
        .filter(|tag| tag[start.len()..].is_empty() || tag[start.len()..].starts_with(' '))
        .collect()
}

const PAGES: [&str; 11] = [
    "/sign-in",
    "/t/acme/dashboard",
    "/t/acme/dashboard?range=ytd&metric=reach",
    "/t/acme/dashboard?range=nonsense",
    "/t/acme/posts",
    "/t/acme/posts?after=nonsense",
    "/me/sessions",
    "/search?tenant=acme&q=posts",
    "/help/keyboard",
    "/t/nowhere/dashboard",
    "/anything/else",
];

#[tokio::test]
async fn every_script_of_a_page_carries_the_nonce_of_its_answer() {
    let app = app().await;
    let mut viewer = viewer(&app).await;
    let mut nonces = Vec::new();
    for path in PAGES {
        let answer = if path == "/sign-in" { app.browser().get(path).await } else { viewer.get(path).await };
        let (policy, html) = (answer.header("content-security-policy"), answer.text());
        let nonce = answer.nonce().unwrap_or_else(|| panic!("{path}: {policy}"));
        assert!(nonce.len() >= 16, "{path}: {nonce}");
        let scripts = tags(&html, "script");
        assert!(scripts.len() >= 2, "{path}: {html}");
        for script in scripts {
            assert!(script.contains(&format!("nonce=\"{nonce}\"")), "{path}: {script}");
        }
        assert_eq!(
            html.matches("nonce=\"").count(),
            html.matches(&format!("nonce=\"{nonce}\"")).count(),
            "{path}: one nonce"
        );
        // What the policy would refuse and a browser would complain of.
        for forbidden in [
            " style=\"",
            "<style",
            " onclick=",
            " onload=",
            " onsubmit=",
            " onchange=",
            "javascript:",
            "http://",
            "//cdn",
        ] {
            let found = html.find(forbidden).map(|at| &html[at.saturating_sub(80)..(at + 80).min(html.len())]);
            assert_eq!(found, None, "{path}: {forbidden}");
        }
        nonces.push(nonce.to_owned());
    }
    let count = nonces.len();
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), count, "a nonce is used once");
}

#[tokio::test]
async fn a_tenants_colour_stands_in_a_rule_with_the_nonce_and_on_its_own_pages_only() {
    let app = app().await;
    let mut viewer = viewer(&app).await;
    let brand = rtv_core::Brand::new(145.0, 0.12).unwrap();
    rtv_domain::tenant::set_brand(&app.operator(), &"acme".parse().unwrap(), Some(brand)).await.unwrap();
    for path in ["/t/acme/dashboard", "/t/acme/posts", "/t/acme/dashboard?range=nonsense"] {
        let answer = viewer.get(path).await;
        let rule = format!("<style nonce=\"{}\">{}</style>", answer.nonce().unwrap(), brand.css().unwrap());
        assert!(answer.text().contains(&rule), "{path}: {}", answer.text());
    }
    for path in ["/t/nowhere/dashboard", "/anything/else"] {
        assert!(!viewer.get(path).await.text().contains("--color-accent"), "{path}");
    }
    assert!(!app.browser().get("/sign-in").await.text().contains("--color-accent"));
}

#[tokio::test]
async fn the_policy_of_a_page_allows_nothing_inline_and_nothing_from_elsewhere() {
    let app = app().await;
    let answer = app.browser().get("/sign-in").await;
    let policy = answer.header("content-security-policy");
    let nonce = format!("'nonce-{}'", answer.nonce().unwrap());
    assert_eq!(sources(policy, "default-src"), ["'none'"]);
    assert_eq!(sources(policy, "script-src"), [nonce.as_str(), "'strict-dynamic'", "'wasm-unsafe-eval'"]);
    for directive in ["object-src", "base-uri", "frame-ancestors"] {
        assert_eq!(sources(policy, directive), ["'none'"], "{directive}");
    }
    for directive in ["connect-src", "form-action", "font-src"] {
        assert_eq!(sources(policy, directive), ["'self'"], "{directive}");
    }
    for word in policy.split([' ', ';']) {
        assert!(!matches!(word, "'unsafe-inline'" | "'unsafe-eval'" | "*" | "http:" | "https:"), "{policy}");
        assert!(!word.contains("://"), "{policy}");
    }
}

/// One answer of every kind.
async fn every_kind(app: &TestApp) -> Vec<(&'static str, u16, Answer)> {
    let mut viewer = viewer(app).await;
    let mut anonymous = app.browser();
    let foreign = Request::post("/sign-in").header("sec-fetch-site", "cross-site").body(Body::empty()).unwrap();
    let put = Request::put("/sign-in").header("sec-fetch-site", "same-origin").body(Body::empty()).unwrap();
    vec![
        ("page", 200, viewer.get("/t/acme/dashboard").await),
        ("refused filter", 422, viewer.get("/t/acme/dashboard?range=nonsense").await),
        ("page that is not there", 404, viewer.get("/t/nowhere/posts").await),
        ("address that is not there", 404, anonymous.get("/anything/else").await),
        ("page that leads on", 303, anonymous.get("/t/acme/dashboard").await),
        ("form that leads on", 303, anonymous.post("/sign-in", &[]).await),
        ("form from elsewhere", 403, anonymous.send(foreign).await),
        ("method that is not there", 405, anonymous.send(put).await),
        ("server function", 200, viewer.call("/fn/sessions", &serde_json::json!({})).await),
        ("server function without a session", 401, app.browser().call("/fn/sessions", &serde_json::json!({})).await),
        ("picture", 200, viewer.get("/t/acme/charts/trend.svg").await),
        ("picture of a size that is not drawn", 422, viewer.get("/t/acme/charts/trend.svg?width=7").await),
        ("option of a chart", 200, viewer.get("/t/acme/charts/trend.json").await),
        ("file", 200, anonymous.get(STYLE.0).await),
        ("file that is not there", 404, anonymous.get("/css/nothing.css").await),
        ("probe", 200, anonymous.get("/health/ready").await),
        ("metrics", 200, anonymous.get("/metrics").await),
    ]
}

#[tokio::test]
async fn every_kind_of_answer_carries_the_security_headers_and_an_id() {
    let app = app().await;
    let mut ids = Vec::new();
    for (kind, status, answer) in every_kind(&app).await {
        assert_eq!(answer.status, status, "{kind}: {}", answer.text());
        for (name, expect) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("strict-transport-security", ""),
        ] {
            assert_eq!(answer.header(name), expect, "{kind}: {name}");
            assert!(answer.headers.get_all(name).iter().count() <= 1, "{kind}: {name}");
        }
        assert!(answer.header("permissions-policy").contains("camera=()"), "{kind}");
        assert_eq!(answer.headers.get_all("content-security-policy").iter().count(), 1, "{kind}");
        assert!(sources(answer.header("content-security-policy"), "default-src") == ["'none'"], "{kind}");
        let id = answer.header("x-request-id");
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{kind}: {id}");
        ids.push(id.to_owned());
        let caching = match kind {
            "file" => "public, max-age=31536000, immutable",
            "picture" | "option of a chart" => "private, max-age=3600",
            _ => "no-store",
        };
        assert_eq!(answer.header("cache-control"), caching, "{kind}");
        assert_eq!(answer.header("server"), "", "{kind}");
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "each request has an id of its own");
}

#[tokio::test]
async fn over_https_browsers_are_told_to_stay_there() {
    let app = TestApp::with(|settings| settings.base_url = Some(Url::parse("https://rtv.example").unwrap()), 4).await;
    for path in ["/sign-in", "/health/live", STYLE.0, "/anything/else"] {
        assert_eq!(
            app.browser().get(path).await.header("strict-transport-security"),
            "max-age=31536000; includeSubDomains",
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_id_that_the_client_sends_is_not_believed() {
    let app = TestApp::new().await;
    let request =
        Request::get("/anything/else").header("x-request-id", "chosen-by-somebody").body(Body::empty()).unwrap();
    let answer = app.browser().send(request).await;
    assert_ne!(answer.header("x-request-id"), "chosen-by-somebody");
    assert!(answer.text().contains(answer.header("x-request-id")), "a page that fails tells its id");
    assert!(!answer.text().contains("chosen-by-somebody"));
}

#[tokio::test]
async fn a_picture_may_load_nothing() {
    let app = app().await;
    let answer = viewer(&app).await.get("/t/acme/charts/trend.svg").await;
    assert_eq!(answer.header("content-type"), "image/svg+xml");
    assert!(answer.text().contains("<svg"));
    let policy = answer.header("content-security-policy");
    assert!(sources(policy, "default-src") == ["'none'"] && sources(policy, "script-src").is_empty(), "{policy}");
}

#[tokio::test]
async fn files_are_sent_compressed_to_who_accepts_it() {
    let app = TestApp::new().await;
    let check = async |accepts: &str, encoding: &str, body: &str| {
        let mut request = Request::get(STYLE.0).body(Body::empty()).unwrap();
        if !accepts.is_empty() {
            request.headers_mut().insert(header::ACCEPT_ENCODING, accepts.parse().unwrap());
        }
        let answer = app.browser().send(request).await;
        assert_eq!((answer.header("content-encoding"), answer.text().as_str()), (encoding, body), "{accepts}");
        assert_eq!(answer.header("content-type"), "text/css", "{accepts}");
    };
    check("", "", STYLE.1).await;
    check("br", "br", "brotli").await;
    check("gzip", "gzip", "gzip").await;
    check("gzip, deflate, br", "br", "brotli").await;
    check("zstd", "", STYLE.1).await;
}

#[tokio::test]
async fn only_files_of_their_folders_are_served() {
    let app = TestApp::new().await;
    for path in [
        "/css/../assets.json",
        "/css/..%2fassets.json",
        "/css/%2e%2e/assets.json",
        "/static/..%5cassets.json",
        "/css//etc/passwd",
        "/pkg/",
        "/css",
        "/assets.json",
    ] {
        let answer = app.browser().get(path).await;
        assert!(!answer.status.is_success(), "{path}: {}", answer.text());
        assert!(!answer.text().contains("echarts.min.js"), "{path}");
        assert!(!answer.header("cache-control").contains("immutable"), "{path}");
    }
}

/// While a page waits for the database, its context stays current on the thread that takes up the next request.
#[tokio::test]
async fn a_call_finds_nothing_of_a_page_that_is_being_made() {
    let app = app().await;
    let mut viewer = viewer(&app).await;
    // As Leptos leaves it behind; all requests of this test run on this thread.
    let page = leptos::prelude::Owner::new_root(None);
    page.with(leptos::nonce::provide_nonce);
    let answer = viewer.call("/fn/sessions", &serde_json::json!({})).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.nonce(), None, "a call has no scripts, and the nonce of another answer is a secret");
}

/// With the program's own middleware around a route that panics.
#[tokio::test]
async fn a_panic_becomes_a_page_with_the_requests_id() {
    let app = TestApp::new().await;
    let router = Router::new()
        .route(
            "/panic",
            get(|| async {
                if true {
                    panic!("planted, with a secret")
                }
            }),
        )
        .route("/well", get(|| async { "well" }))
        .layer(from_fn_with_state(app.state.clone(), shield::shield))
        .layer(from_fn(observe::observe))
        .with_state(app.state.clone());
    let response = router.clone().oneshot(Request::get("/panic").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 500);
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(response.headers()["x-frame-options"], "DENY");
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let text = String::from_utf8(axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap();
    assert!(text.contains("Something failed on our side") && text.contains(&id), "{text}");
    assert!(!text.contains("planted"), "causes stay in the log: {text}");
    assert!(text.contains("tell your operator") && text.contains("href=\"\"") && text.contains("Try again"), "{text}");
    let response = router.oneshot(Request::get("/well").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200, "the server goes on");
}
