//! The dashboard as a whole: how many queries it asks, whatever the size of the tenant, parts that fail alone, and targets
//! set by their form.

use http::StatusCode;
use rtv_core::Role;

use crate::queries::Queries;
use crate::test_app::{Browser, TestApp};

/// Posts of so many accounts on all platforms, in so many campaigns.
fn posts(accounts: usize, days: usize) -> Vec<String> {
    (0..accounts)
        .flat_map(|account| {
            let platform = ["x", "facebook", "linkedin"][account % 3];
            (1..=days).map(move |day| {
                format!(
                    "{platform},page-{account},p{account}-{day},2026-11-{day:02}T1{}:00:00Z,{day},{account}00,5,1,1,1",
                    day % 10
                )
            })
        })
        .collect()
}

const PAGES: [&str; 7] = [
    "/t/acme/dashboard",
    "/t/acme/dashboard?by=account&sort=-reach&rows=all",
    "/t/acme/dashboard?by=campaign",
    "/t/acme/dashboard?range=90d&grain=week&metric=engagement_rate",
    "/t/acme/dashboard?metric=follower_growth",
    "/t/acme/posts",
    "/t/acme/targets",
];

/// Queries of each page: eight of who asks, what they hold in which tenant and what stands around; two of what is halted; two of the teams that can be
/// chosen, targets aside; on the dashboard six of the summary, three of the ranking, three of the scorecards (four with followers)
/// and two of the week; on the posts two of their deliveries. Of each part one sets the marker of its transaction.
const ASKED: [usize; 7] = [26, 26, 26, 26, 27, 19, 13];

#[tokio::test]
async fn a_page_asks_as_many_queries_for_forty_accounts_as_for_one() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let viewer = app.somebody("viewer@acme.example", Some((&acme, Role::Viewer))).await;
    app.posts(&acme, &posts(1, 5)).await;
    let queries = Queries::listen();
    let mut counts = Vec::new();
    for is_large in [false, true] {
        if is_large {
            app.posts(&acme, &posts(40, 20)).await;
        }
        let mut browser = app.signed_in(viewer).await;
        browser.get("/t/acme/dashboard").await;
        let mut of = Vec::new();
        for path in PAGES {
            queries.take();
            let answer = browser.get(path).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
            of.push(queries.take());
        }
        counts.push(of);
    }
    for ((path, few), (many, expect)) in PAGES.iter().zip(&counts[0]).zip(counts[1].iter().zip(ASKED)) {
        assert_eq!(few.len(), many.len(), "{path}: {few:#?} {many:#?}");
        assert_eq!(many.len(), expect, "{path}: {many:#?}");
    }
}

#[tokio::test]
async fn a_part_that_fails_leaves_the_rest_of_the_page() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let viewer = app.somebody("viewer@acme.example", Some((&acme, Role::Viewer))).await;
    app.posts(&acme, &posts(2, 10)).await;
    let owner = app.db.owner_pool().await;
    sqlx::query("revoke select on post_hour, target from rtv_app").execute(&owner).await.unwrap();
    let answer = app.signed_in(viewer).await.get("/t/acme/dashboard").await;
    let html = answer.text();
    assert_eq!(answer.status, StatusCode::OK);
    let count = |part: &str| html.matches(part).count();
    // The page carries its content twice: as HTML, and for the program in the browser.
    let body = html.split("</main>").next().unwrap();
    assert_eq!(body.matches("This part could not be loaded; the rest of the page is complete.").count(), 2, "{body}");
    assert!(count("data-kpi=\"engagements\"") > 0 && body.contains("Best posts") && body.contains("View data"));
    assert!(!body.contains("id=\"scorecards\"") && !body.contains("id=\"week\""));
}

async fn set(browser: &mut Browser<'_>, kpi: &str, aim: &str, amount: &str) -> String {
    let answer = browser.post("/t/acme/targets", &[("kpi", kpi), ("aim", aim), ("amount", amount)]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/t/acme/targets"));
    browser.get("/t/acme/targets").await.text()
}

#[tokio::test]
async fn a_target_is_set_by_its_form_and_graded_on_the_dashboard() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
    let viewer = app.somebody("viewer@acme.example", Some((&acme, Role::Viewer))).await;
    app.posts(&acme, &posts(1, 20)).await;
    let mut owner = app.signed_in(owner).await;
    let mut viewer = app.signed_in(viewer).await;

    let page = owner.get("/t/acme/dashboard").await.text();
    assert!(page.contains("href=\"/t/acme/targets?kpi=engagements&amp;aim=x\""), "the way to a first target");
    assert!(!viewer.get("/t/acme/dashboard").await.text().contains("targets?kpi="), "only for those who may");
    let form = owner.get("/t/acme/targets?kpi=reach&aim=x").await.text();
    assert!(form.contains("No targets yet") && form.contains("<option value=\"reach\" selected"), "{form}");
    assert!(!viewer.get("/t/acme/targets").await.text().contains("Set target"));

    let refused = set(&mut owner, "engagements", "x", "lots").await;
    assert!(refused.contains("There is a problem") && refused.contains("value=\"lots\""), "what was typed stays");
    let done = set(&mut owner, "engagements", "x", "300").await;
    assert!(done.contains("The target is set.") && done.contains("300 a month"), "{done}");

    // November to the 20th, all over: 20 of 30 days, 8 engagements a post.
    let path = "/t/acme/dashboard?range=custom&from=2026-11-01&to=2026-11-20";
    let card = viewer.get(path).await.text();
    let row = card.split("data-row=\"x\"").nth(1).unwrap().split("</tr>").next().unwrap();
    assert!(row.contains("data-cell=\"target\" data-value=\"200\""), "{row}");
    assert!(row.contains("data-cell=\"actual\" data-value=\"160\""), "{row}");
    assert!(row.contains("data-grade=\"C\"") && row.contains("80%, behind"), "{row}");

    let id = done.split("data-row=\"tgt_").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let answer = owner.post(&format!("/t/acme/targets/tgt_{id}/remove"), &[]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/t/acme/targets"));
    let page = owner.get("/t/acme/targets").await.text();
    assert!(page.contains("The target is removed.") && page.contains("No targets yet"));
}

#[tokio::test]
async fn what_the_address_says_about_the_scorecards_is_refused_by_name() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let viewer = app.somebody("viewer@acme.example", Some((&acme, Role::Viewer))).await;
    app.posts(&acme, &posts(1, 5)).await;
    let mut viewer = app.signed_in(viewer).await;
    for (query, field) in
        [("by=team", "by"), ("sort=likes", "sort"), ("rows=7", "rows"), ("campaign=cmp_1", "campaign")]
    {
        let answer = viewer.get(&format!("/t/acme/dashboard?{query}")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert!(answer.text().contains(&format!("#field-{field}")), "{query}");
    }
}

#[tokio::test]
async fn a_picture_of_the_trend_is_drawn_in_three_sizes_and_no_other() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let viewer = app.somebody("viewer@acme.example", Some((&acme, Role::Viewer))).await;
    app.posts(&acme, &posts(1, 5)).await;
    let mut viewer = app.signed_in(viewer).await;
    let page = viewer.get("/t/acme/dashboard").await.text();
    for (width, height) in [(1_120, 320), (720, 280), (400, 280)] {
        let size = format!("width={width}&amp;height={height}");
        assert!(page.contains(&size), "the page asks for {size}");
        let answer = viewer.get(&format!("/t/acme/charts/trend.svg?width={width}&height={height}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{size}");
    }
    let other = viewer.get("/t/acme/charts/trend.svg?width=721&height=280").await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    let option =
        viewer.get("/t/acme/charts/trend.json?range=custom&from=2026-11-01&to=2026-11-05&grain=week").await.text();
    assert!(
        option.contains("Nov 1 (1 of 7 days)") && option.contains("1: p0-"),
        "partial weeks and top posts: {option}"
    );
}
