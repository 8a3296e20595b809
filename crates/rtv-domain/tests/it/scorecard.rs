//! Scorecards against what the posts themselves add up to, and the rules of targets, grades, movers and orders.

use rtv_core::kpi::Kpi;
use rtv_core::period::Compare;
use rtv_core::scorecard::{Column, Dimension, Grade, Sort};
use rtv_core::{CampaignId, Platform, Role};
use rtv_domain::kpi::{Filter, Query};
use rtv_domain::scorecard::{self, Mover, Row, Scorecard, Standing, Subject};
use rtv_domain::target::{self, NewTarget};
use rust_decimal::Decimal;

use crate::figures::{Desk, compared, number, over};

const GREATEST: Sort = Sort { column: Column::Figure(Kpi::Engagements), is_descending: true };

async fn ask(desk: &Desk, query: &Query, dimension: Dimension, sort: Sort) -> Scorecard {
    let summary = desk.ask(query).await;
    scorecard::read(&desk.ctx, query, dimension, sort, &summary.accounts, &summary.campaigns).await.unwrap()
}

fn value(row: &Row, kpi: Kpi) -> Option<Decimal> {
    row.cell(kpi).unwrap().value
}

fn names(card: &Scorecard) -> Vec<&str> {
    card.rows.iter().map(|row| row.name.as_str()).collect()
}

const ROWS: [&str; 9] = [
    // March: a on X, b on X, c on Facebook.
    "x,a,p1,2026-03-02T10:00:00Z,100,200,5,1,1,1,2,10,5",
    "x,a,p2,2026-03-09T10:00:00Z,50,,7",
    "x,b,p3,2026-03-10T10:00:00Z,,1000,30",
    "facebook,c,p4,2026-03-11T10:00:00Z,,,2",
    "facebook,c,p5,2026-03-12T10:00:00Z",
    // February.
    "x,a,p6,2026-02-02T10:00:00Z,10,100,40",
    "x,a,p7,2026-02-05T10:00:00Z,10,100,10",
    "facebook,c,p8,2026-02-20T10:00:00Z,,,6",
    "mastodon,d,p9,2026-02-21T10:00:00Z,,,1",
];

#[tokio::test]
async fn rows_are_what_their_posts_add_up_to_and_the_total_is_all_of_them() {
    let desk = Desk::new("UTC").await;
    desk.posts(&ROWS).await;
    let query = Query { metric: Kpi::Revenue, ..compared("2026-03-01", "2026-03-28", Compare::Previous) };
    for dimension in [Dimension::Platform, Dimension::Account] {
        let card = ask(&desk, &query, dimension, GREATEST).await;
        let mut tx = desk.world.as_tenant(&desk.tenant).await;
        for row in card.rows.iter().chain([&card.total]) {
            for (period, is_now) in [(query.period, true), (query.previous.unwrap(), false)] {
                let (platform, account) = match row.subject {
                    Subject::Platform(platform) => (Some(platform.key()), None),
                    Subject::Account(account) => (None, Some(account.uuid())),
                    Subject::Everything | Subject::Campaign(_) => (None, None),
                };
                let facts: (i64, Option<i64>, Option<i64>, Option<Decimal>, Option<Decimal>) = sqlx::query_as(
                    "select count(*), sum(reach)::bigint, sum(engagements)::bigint,
                       sum(engagements) filter (where coalesce(impressions, reach) is not null)
                         / nullif(sum(coalesce(impressions, reach)) filter (where engagements is not null), 0),
                       sum(revenue)
                     from post join account on account.id = post.account_id
                     where published_from between $1 and $2 and ($3::text is null or platform = $3) and ($4::uuid is null or account_id = $4)",
                )
                .bind(period.from())
                .bind(period.to())
                .bind(platform)
                .bind(account)
                .fetch_one(&mut *tx)
                .await
                .unwrap();
                let cell = |kpi: Kpi| {
                    let cell = row.cell(kpi).unwrap();
                    if is_now { cell.value } else { cell.previous }
                };
                let about = format!("{} {}", row.name, period.from());
                assert_eq!(cell(Kpi::Published), Some(facts.0.into()), "{about}");
                assert_eq!(cell(Kpi::Reach), facts.1.map(Decimal::from), "{about}");
                assert_eq!(cell(Kpi::Engagements), facts.2.map(Decimal::from), "{about}");
                assert_eq!(
                    cell(Kpi::EngagementRate).map(|rate| rate.round_dp(9)),
                    facts.3.map(|rate| rate.round_dp(9)),
                    "{about}"
                );
                assert_eq!(cell(Kpi::Revenue), facts.4, "{about}");
            }
        }
        tx.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn a_campaign_has_a_row_and_posts_of_none_have_one() {
    let desk = Desk::new("UTC").await;
    desk.file(
        "platform,account_id,post_id,published_at,reactions,campaign",
        &[
            "x,a,p1,2026-03-02T10:00:00Z,1,Spring",
            "x,b,p2,2026-03-02T10:00:00Z,8,Spring",
            "x,a,p3,2026-03-02T11:00:00Z,2,",
            "x,a,p4,2026-01-02T11:00:00Z,2,Winter",
        ],
    )
    .await;
    let card =
        ask(&desk, &compared("2026-03-01", "2026-03-31", Compare::Previous), Dimension::Campaign, GREATEST).await;
    assert_eq!(names(&card), ["Spring", "No campaign"], "Winter had nothing in either period");
    assert_eq!(card.rows[1].subject, Subject::Campaign(CampaignId::NONE));
    let values: Vec<_> = card.rows.iter().map(|row| value(row, Kpi::Engagements)).collect();
    assert_eq!(values, [number("9"), number("2")]);
    assert_eq!(value(&card.total, Kpi::Engagements), number("11"));
    assert_eq!(card.rows[0].standing, Standing::NotComparable);
}

#[tokio::test]
async fn orders_put_what_is_missing_last_either_way() {
    let desk = Desk::new("UTC").await;
    desk.posts(&["x,b,p1,2026-03-02T10:00:00Z,,,5", "x,a,p2,2026-03-02T10:00:00Z,,,9", "x,c,p3,2026-03-02T10:00:00Z"])
        .await;
    let order = async |text: &str| {
        let card = ask(&desk, &over("2026-03-01", "2026-03-31"), Dimension::Account, text.parse().unwrap()).await;
        names(&card).join("")
    };
    assert_eq!(order("-engagements").await, "abc");
    assert_eq!(order("engagements").await, "bac");
    assert_eq!(order("name").await, "abc");
    assert_eq!(order("-name").await, "cba");
    assert_eq!(order("-grade").await, "abc", "nothing is graded, so names decide");
}

#[tokio::test]
async fn the_mover_of_a_sum_is_the_part_that_contributed_most_in_its_direction() {
    let desk = Desk::new("UTC").await;
    desk.posts(&[
        "x,a,p1,2026-02-10T10:00:00Z,,,100",
        "x,b,p2,2026-02-10T10:00:00Z,,,100",
        "facebook,c,p3,2026-02-10T10:00:00Z,,,100",
        "x,a,p4,2026-03-10T10:00:00Z,,,160",
        "x,b,p5,2026-03-10T10:00:00Z,,,70",
        "facebook,c,p6,2026-03-10T10:00:00Z,,,90",
    ])
    .await;
    let query = compared("2026-03-01", "2026-03-28", Compare::Previous);
    let card = ask(&desk, &query, Dimension::Platform, GREATEST).await;
    assert_eq!(names(&card), ["X", "Facebook"]);
    assert_eq!(card.rows[0].mover, Some(Mover::Part { name: "a".into(), contribution: Decimal::from(60) }));
    assert_eq!(card.total.mover, Some(Mover::Part { name: "X".into(), contribution: Decimal::from(30) }));
    assert_eq!(
        card.rows[1].mover,
        Some(Mover::Yield { per_post: (Decimal::from(90), Decimal::from(100)), contribution: Decimal::from(-10) }),
        "one account, as many posts"
    );
    let filter = Filter { platforms: vec![Platform::X], ..Filter::default() };
    let narrowed = ask(&desk, &Query { filter, ..query }, Dimension::Platform, GREATEST).await;
    assert_eq!(narrowed.total.mover, card.rows[0].mover, "the parts of one platform are its accounts");
}

#[tokio::test]
async fn of_one_account_the_number_of_posts_is_weighed_against_what_each_brought() {
    let desk = Desk::new("UTC").await;
    desk.posts(&[
        "x,a,p1,2026-02-10T10:00:00Z,,,10",
        "x,a,p2,2026-02-11T10:00:00Z,,,10",
        "x,a,p3,2026-03-10T10:00:00Z,,,11",
        "x,a,p4,2026-03-11T10:00:00Z,,,11",
        "x,a,p5,2026-03-12T10:00:00Z,,,11",
        "x,a,p6,2026-03-12T10:00:00Z",
    ])
    .await;
    let card = ask(&desk, &compared("2026-03-01", "2026-03-28", Compare::Previous), Dimension::Account, GREATEST).await;
    // 33 − 20 = 13: one post more at 10, and 3 by what each brought; the post without a figure counts in neither.
    assert_eq!(card.rows[0].mover, Some(Mover::Number { posts: (3, 2), contribution: Decimal::from(10) }));
}

#[tokio::test]
async fn the_contributions_to_a_ratio_add_up_to_its_change() {
    let desk = Desk::new("UTC").await;
    desk.posts(&[
        "x,a,p1,2026-02-10T10:00:00Z,,1000,100",
        "x,b,p2,2026-02-10T10:00:00Z,,1000,50",
        "x,a,p3,2026-03-10T10:00:00Z,,500,60",
        "x,b,p4,2026-03-10T10:00:00Z,,3000,120",
    ])
    .await;
    let query = Query { metric: Kpi::EngagementRate, ..compared("2026-03-01", "2026-03-28", Compare::Previous) };
    let card = ask(&desk, &query, Dimension::Platform, GREATEST).await;
    let cell = card.rows[0].cell(Kpi::EngagementRate).unwrap();
    let change = cell.value.unwrap() - cell.previous.unwrap();
    let Some(Mover::Part { name, contribution }) = card.rows[0].mover.clone() else { panic!("{card:?}") };
    // 180 of 3,500 after 150 of 2,000: b weighs (120 − 0.075 · 3,000) ÷ 3,500, a the rest.
    let other = (Decimal::from(60) - cell.previous.unwrap() * Decimal::from(500)) / Decimal::from(3_500);
    assert_eq!(name, "b");
    assert_eq!((contribution + other).round_dp(9), change.round_dp(9));
    let card = ask(&desk, &query, Dimension::Account, GREATEST).await;
    let sides = card.rows.iter().find(|row| row.name == "b").unwrap().mover.clone();
    assert_eq!(sides, Some(Mover::Sides { numerator: "1.4".parse().unwrap(), denominator: Decimal::from(2) }));
}

#[tokio::test]
async fn a_grade_is_of_the_days_that_are_over_and_of_what_they_brought() {
    // It is 21 November 2026.
    let desk = Desk::new("UTC").await;
    desk.posts(&[
        "x,a,p1,2026-11-02T10:00:00Z,,,60",
        "x,a,p2,2026-11-20T10:00:00Z,,,30",
        "x,a,p3,2026-11-21T08:00:00Z,,,500",
        "facebook,b,p4,2026-11-02T10:00:00Z,,,5",
        "linkedin,c,p5,2026-11-02T10:00:00Z",
    ])
    .await;
    let owner = desk.world.member(&desk.tenant, Role::Owner).await;
    for (aim, amount) in [("x", "150"), ("linkedin", "10"), ("all", "300")] {
        let new = NewTarget { kpi: "engagements".into(), aim: aim.into(), amount: amount.into() };
        target::set(&owner, &new).await.unwrap();
    }
    let november = over("2026-11-01", "2026-11-30");
    let card = ask(&desk, &november, Dimension::Platform, GREATEST).await;
    let standing =
        |platform: Platform| card.rows.iter().find(|row| row.subject == Subject::Platform(platform)).unwrap().standing;
    assert_eq!(
        standing(Platform::X),
        Standing::Graded {
            target: Decimal::from(150),
            due: Decimal::from(100),
            actual: Decimal::from(90),
            share: "0.9".parse().unwrap(),
            grade: Grade::B
        },
        "20 of 30 days are over, and today’s 500 do not count yet"
    );
    assert_eq!(standing(Platform::Facebook), Standing::NoTarget);
    assert_eq!(standing(Platform::LinkedIn), Standing::Missing { target: Decimal::from(10) });
    let Standing::Graded { due, actual, grade, .. } = card.total.standing else { panic!("{:?}", card.total) };
    assert_eq!((due, actual, grade), (Decimal::from(200), Decimal::from(95), Grade::E));
    assert!(card.is_running);

    let today = ask(&desk, &over("2026-11-21", "2026-11-30"), Dimension::Platform, GREATEST).await;
    assert_eq!(today.rows[0].standing, Standing::NothingOver { target: Decimal::from(150) });
    let filter = Filter { accounts: vec![desk.account_id("a").await], ..Filter::default() };
    let narrowed = ask(&desk, &Query { filter, ..november }, Dimension::Platform, GREATEST).await;
    assert_eq!(narrowed.rows[0].standing, Standing::NotComparable, "the target is for all of X");
    assert_eq!(narrowed.total.standing, Standing::NotComparable);
}

#[tokio::test]
async fn followers_are_compared_by_account_and_platform() {
    let desk = Desk::new("UTC").await;
    desk.posts(&["x,a,p1,2026-03-02T10:00:00Z", "x,b,p2,2026-03-02T10:00:00Z"]).await;
    desk.followers("a", &[("2026-02-28", 100), ("2026-03-30", 130)]).await;
    desk.followers("b", &[("2026-02-28", 10), ("2026-03-30", 5)]).await;
    let query = Query { metric: Kpi::FollowerGrowth, ..over("2026-03-01", "2026-03-31") };
    let sort = Sort { column: Column::Figure(Kpi::FollowerGrowth), is_descending: true };
    let card = ask(&desk, &query, Dimension::Account, sort).await;
    let growth: Vec<_> = card.rows.iter().map(|row| value(row, Kpi::FollowerGrowth)).collect();
    assert_eq!(growth, [number("30"), number("-5")]);
    assert_eq!(value(&card.total, Kpi::FollowerGrowth), number("25"));
    let card = ask(&desk, &query, Dimension::Platform, sort).await;
    assert_eq!(value(&card.rows[0], Kpi::FollowerGrowth), number("25"));
}
