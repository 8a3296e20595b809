//! Two tenants over a pool of two connections, with clients that leave at any moment: no answer holds anything of the
//! other tenant, and no connection is left in a transaction.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use http::{Request, header};
use rtv_core::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::test_app::{Answer, Browser, TestApp};

/// Requests that are under way at a time: more than connections, so that they wait for each other.
const ABREAST: usize = 12;

/// An answer that takes longer never comes.
const LONGEST: Duration = Duration::from_secs(30);

/// Numbers that are repeated by their seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// What one of the two may ask for, and what it was answered while nobody disturbed.
struct Side {
    token: String,
    /// Words that only this tenant's answers may hold.
    canaries: [String; 3],
    expected: HashMap<String, String>,
}

/// A question of a page or, with arguments, of a server function.
type Question = (String, Option<Value>);

fn questions(slug: &str, other: &str) -> Vec<Question> {
    let page = |path: String| (path, None);
    let call =
        |path: &str, tenant: &str, query: Value| (path.to_owned(), Some(json!({ "tenant": tenant, "query": query })));
    vec![
        page(format!("/t/{slug}/dashboard?range=28d")),
        page(format!("/t/{slug}/posts?range=28d")),
        page(format!("/t/{slug}/targets")),
        page(format!("/t/{slug}/charts/trend.svg?range=28d")),
        page(format!("/t/{slug}/charts/trend.json?range=28d")),
        page(format!("/t/{other}/dashboard?range=28d")),
        page(format!("/t/{other}/posts?range=28d")),
        page(format!("/t/{other}/targets")),
        page(format!("/t/{other}/charts/trend.json?range=28d")),
        page("/me/sessions".into()),
        page("/".into()),
        call("/fn/posts", slug, json!([["range", "28d"]])),
        call("/fn/posts", slug, json!([["range", "28d"]])),
        call("/fn/dashboard", slug, json!([["range", "28d"]])),
        call("/fn/dashboard", other, json!([["range", "28d"]])),
        ("/fn/home".into(), Some(json!({}))),
        ("/fn/sessions".into(), Some(json!({}))),
    ]
}

async fn ask(browser: &mut Browser<'_>, (path, arguments): &Question) -> Answer {
    match arguments {
        None => browser.send(Request::get(path).header(header::ACCEPT, "text/html").body(Body::empty()).unwrap()).await,
        Some(arguments) => browser.call(path, arguments).await,
    }
}

fn whole(answer: &Answer) -> String {
    format!("{} {:?} {}", answer.status, answer.location(), answer.plain())
}

async fn side(app: &TestApp, slug: &str, other: &str, canary: i64) -> Side {
    let tenant = app.tenant(slug).await;
    let account = format!("canary-{slug}-{}", Uuid::now_v7().simple());
    let rows: Vec<String> = (1..=20)
        .map(|day| {
            format!(
                "x,{account},canary-{slug}-{day},2026-11-{day:02}T10:00:00Z,{},{},{},3,2,1",
                canary + day,
                canary * 2,
                canary / 10 + day
            )
        })
        .collect();
    app.posts(&tenant, &rows).await;
    let person = app.somebody(&format!("canary-{slug}@example.org"), Some((&tenant, Role::Editor))).await;
    let mut browser = app.signed_in(person).await;
    let mut expected = HashMap::new();
    // The first visit is remembered and leads `/` on.
    browser.get(&format!("/t/{slug}/dashboard")).await;
    for question in questions(slug, other) {
        let answer = ask(&mut browser, &question).await;
        expected.insert(format!("{question:?}"), whole(&answer));
    }
    Side {
        token: browser.token.unwrap(),
        canaries: [account, format!("canary-{slug}"), (canary * 2).to_string()],
        expected,
    }
}

/// The whole trial.
async fn two_tenants_share_a_small_pool(requests: usize, seed: u64) {
    println!("seed {seed}");
    let app = TestApp::with(|_| {}, 2).await;
    let sides = [side(&app, "north", "south", 41_414_100).await, side(&app, "south", "north", 52_525_200).await];
    for (own, other) in [(&sides[0], &sides[1]), (&sides[1], &sides[0])] {
        // The words are there to be found, or nothing below would mean anything.
        let all: String = own.expected.values().cloned().collect();
        assert!(own.canaries.iter().all(|canary| all.contains(canary)), "{:?}", own.canaries);
        assert!(other.canaries.iter().all(|canary| !all.contains(canary)), "{:?}", other.canaries);
    }
    for page in ["dashboard", "posts", "charts/trend.svg", "charts/trend.json"] {
        // Nor if both were shown the same from the beginning.
        let of = |side: usize, slug: &str| {
            let question: Question = (format!("/t/{slug}/{page}?range=28d"), None);
            sides[side].expected[&format!("{question:?}")].replace(slug, "SLUG")
        };
        assert_ne!(of(0, "north"), of(1, "south"), "{page}");
    }
    let shared = Arc::new((app, sides));
    let left = Arc::new(AtomicUsize::new(requests));
    let (answered, gone) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let faults: Arc<Mutex<Vec<String>>> = Arc::default();
    let clients: Vec<_> = (0..ABREAST)
        .map(|client| {
            let (shared, left, answered, gone, faults) =
                (shared.clone(), left.clone(), answered.clone(), gone.clone(), faults.clone());
            tokio::spawn(async move {
                let (app, sides) = &*shared;
                let mut chance = Chance(seed ^ (client as u64) << 32);
                while left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
                    let own = usize::try_from(chance.below(2)).unwrap();
                    let (slug, other) = if own == 0 { ("north", "south") } else { ("south", "north") };
                    let all = questions(slug, other);
                    let question = &all[usize::try_from(chance.below(all.len() as u64)).unwrap()];
                    let mut browser = app.browser();
                    browser.token = Some(sides[own].token.clone());
                    let answer = ask(&mut browser, question);
                    // Half of the clients stay; the others leave after up to 25 ms, in the middle of anything.
                    let patience =
                        if chance.below(2) == 0 { LONGEST } else { Duration::from_micros(chance.below(25_000)) };
                    let Ok(answer) = tokio::time::timeout(patience, answer).await else {
                        if patience == LONGEST {
                            faults.lock().unwrap().push(format!("{slug} was never answered by {question:?}"));
                        }
                        gone.fetch_add(1, Ordering::SeqCst);
                        continue;
                    };
                    answered.fetch_add(1, Ordering::SeqCst);
                    let body = answer.text();
                    if let Some(canary) = sides[1 - own].canaries.iter().find(|canary| body.contains(*canary)) {
                        faults.lock().unwrap().push(format!("{slug} was shown {canary} by {question:?}"));
                    }
                    if whole(&answer) != sides[own].expected[&format!("{question:?}")] {
                        faults
                            .lock()
                            .unwrap()
                            .push(format!("{slug} was answered otherwise by {question:?}: {}", whole(&answer)));
                    }
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let (answered, gone) = (answered.load(Ordering::SeqCst), gone.load(Ordering::SeqCst));
    println!("{answered} answered, {gone} left before the answer");
    let faults = faults.lock().unwrap().clone();
    assert!(
        faults.is_empty(),
        "seed {seed}: {} faults, for example\n{}",
        faults.len(),
        faults[..faults.len().min(3)].join("\n")
    );
    assert_eq!(answered + gone, requests);
    assert!(answered > requests / 3 && gone > requests / 20, "both kinds of clients were there: {answered}, {gone}");

    let (app, sides) = &*shared;
    check_quiet(app).await;
    let mut browser = app.browser();
    browser.token = Some(sides[0].token.clone());
    for _ in 0..4 {
        assert_eq!(browser.get("/t/north/dashboard").await.status, 200, "the pool still answers");
    }
    assert!(check_quiet(app).await > 0, "the connections are kept, and were looked for in the right place");
}

/// Waits until the work of those who left has ended, and then finds every connection of the pool idle. Returns how
/// many there are; one that a request left in the middle of its work is closed and not given to the next.
async fn check_quiet(app: &TestApp) -> usize {
    let started = Instant::now();
    loop {
        let states: Vec<(Option<String>, Option<String>)> = sqlx::query_as(
            "select state, query from pg_stat_activity where datname = current_database() and application_name = 'rtv' and pid <> pg_backend_pid()",
        )
        .fetch_all(&app.rows)
        .await
        .unwrap();
        assert!(states.len() <= 2, "the pool has two connections: {states:?}");
        if states.iter().all(|(state, _)| state.as_deref() == Some("idle")) {
            return states.len();
        }
        assert!(started.elapsed() < Duration::from_secs(20), "a transaction was left open: {states:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Opening a connection takes longer than most transactions.
#[tokio::test]
async fn connections_are_used_again() {
    let app = TestApp::with(|_| {}, 2).await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..5 {
        assert_eq!(app.browser().get("/health/ready").await.status, 200);
        // Giving back, and closing what is not to be used again, happens after the answer.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let pids: Vec<i32> = sqlx::query_scalar(
            "select pid from pg_stat_activity where datname = current_database() and application_name = 'rtv'",
        )
        .fetch_all(&app.rows)
        .await
        .unwrap();
        assert!(!pids.is_empty(), "a connection is kept for the next request");
        seen.extend(pids);
    }
    assert!(seen.len() <= 2, "the pool has two connections and opened {}", seen.len());
}

fn any_seed() -> u64 {
    // The low half is random in each.
    u64::from_be_bytes(Uuid::now_v7().into_bytes()[8..].try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_requests_leak_nothing() {
    two_tenants_share_a_small_pool(2_000, any_seed()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a bench of minutes; run by: cargo test -p server --test it -- --ignored twenty_thousand"]
async fn twenty_thousand_requests_leak_nothing() {
    two_tenants_share_a_small_pool(20_000, any_seed()).await;
}
