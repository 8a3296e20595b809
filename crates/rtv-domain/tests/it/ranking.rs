//! The best and the weakest posts against sorting all of them.

use rtv_core::kpi::Kpi;
use rtv_domain::kpi::{Filter, Query};
use rtv_domain::ranking::{self, Ranked, Ranking};
use rust_decimal::Decimal;

use crate::figures::{Desk, over};

async fn ask(desk: &Desk, query: &Query) -> Ranking {
    let summary = desk.ask(query).await;
    ranking::read(&desk.ctx, query, &summary.accounts, &summary.campaigns).await.unwrap()
}

fn ids(list: &[Ranked]) -> Vec<&str> {
    list.iter().map(|one| one.post.external_id.as_str()).collect()
}

/// A post a line, over 20 days, with figures that a simple rule gives; some are missing.
fn rows() -> Vec<String> {
    (0..120_i64)
        .map(|index| {
            let figure = |factor: i64, of: i64| {
                if (index * factor) % 11 == 0 { String::new() } else { (index * factor % of).to_string() }
            };
            format!(
                "x,{},p{index},2026-03-{:02}T10:00:00Z,{},{},{},,,,{},{},,{}",
                ["a", "b", "c"][usize::try_from(index % 3).unwrap()],
                index % 20 + 1,
                figure(37, 401),
                figure(53, 997),
                figure(17, 211),
                figure(5, 31),
                figure(7, 53),
                figure(3, 7)
                    .parse::<i64>()
                    .map(|score| format!("{:.2}", f64::from(i32::try_from(score).unwrap()) / 7.0))
                    .unwrap_or_default(),
            )
        })
        .collect()
}

#[tokio::test]
async fn both_ends_are_those_of_all_posts_sorted_whatever_the_figure() {
    let desk = Desk::new("Europe/Berlin").await;
    desk.posts(&rows().iter().map(String::as_str).collect::<Vec<_>>()).await;
    let b = desk.account_id("b").await;
    for (kpi, column) in [
        (Kpi::Reach, "reach"),
        (Kpi::Impressions, "impressions"),
        (Kpi::Engagements, "engagements"),
        (Kpi::EngagementRate, "engagements::numeric / nullif(coalesce(impressions, reach), 0)"),
        (Kpi::Sentiment, "sentiment::numeric"),
        (Kpi::Conversions, "conversions"),
        (Kpi::Revenue, "revenue"),
    ] {
        for accounts in [vec![], vec![b]] {
            let filter = Filter { accounts: accounts.clone(), ..Filter::default() };
            let query = Query { metric: kpi, filter, ..over("2026-03-03", "2026-03-15") };
            let ranking = ask(&desk, &query).await;
            let mut tx = desk.world.as_tenant(&desk.tenant).await;
            let all: Vec<Option<Decimal>> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
                "select ({column})::numeric from post
                 where published_from between '2026-03-03' and '2026-03-15' and ($1 or account_id = $2) order by 1 desc nulls last"
            )))
            .bind(accounts.is_empty())
            .bind(b.uuid())
            .fetch_all(&mut *tx)
            .await
            .unwrap();
            tx.rollback().await.unwrap();
            let known: Vec<Decimal> = all.iter().copied().flatten().collect();
            let values = |list: &[Ranked]| list.iter().map(|one| one.value.round_dp(9)).collect::<Vec<_>>();
            let expect: Vec<_> = known.iter().take(5).map(|value| value.round_dp(9)).collect();
            assert_eq!(values(&ranking.best), expect, "{kpi}");
            let expect: Vec<_> = known.iter().rev().take(5).map(|value| value.round_dp(9)).collect();
            assert_eq!(values(&ranking.worst), expect, "{kpi}");
            let counts = (usize::try_from(ranking.ranked).unwrap(), usize::try_from(ranking.unranked).unwrap());
            assert_eq!(counts, (known.len(), all.len() - known.len()), "{kpi}: what is missing is counted");
        }
    }
}

#[tokio::test]
async fn equal_figures_share_a_place_and_no_post_stands_at_both_ends() {
    let desk = Desk::new("UTC").await;
    desk.posts(&[
        "x,a,p1,2026-03-02T10:00:00Z,,,9",
        "x,a,p2,2026-03-03T10:00:00Z,,,9",
        "x,a,p3,2026-03-04T10:00:00Z,,,4",
        "x,a,p4,2026-03-05T10:00:00Z,,,4",
        "x,a,p5,2026-03-06T10:00:00Z,,,1",
        "x,a,p6,2026-03-07T10:00:00Z,,,0",
        "x,a,p7,2026-03-08T10:00:00Z",
    ])
    .await;
    let ranking = ask(&desk, &over("2026-03-01", "2026-03-31")).await;
    let places: Vec<_> = ranking.best.iter().map(|one| one.place).collect();
    assert_eq!(places, [1, 1, 3, 3, 5]);
    assert_eq!(ids(&ranking.worst), ["p6"], "the others are among the best five already");
    assert_eq!((ranking.ranked, ranking.unranked), (6, 1));
    let few = ask(&desk, &over("2026-03-02", "2026-03-03")).await;
    assert_eq!((few.best.len(), few.worst.len()), (2, 0));
}

#[tokio::test]
async fn what_no_single_post_has_is_ranked_by_engagements() {
    let desk = Desk::new("UTC").await;
    desk.posts(&["x,a,p1,2026-03-02T10:00:00Z,,,9"]).await;
    for metric in [Kpi::Published, Kpi::FollowerGrowth, Kpi::Roi] {
        let ranking = ask(&desk, &Query { metric, ..over("2026-03-01", "2026-03-31") }).await;
        assert_eq!((ranking.kpi, ids(&ranking.best)), (Kpi::Engagements, vec!["p1"]));
    }
}

#[tokio::test]
async fn a_post_of_an_unknown_day_is_ranked_where_its_whole_month_is() {
    let desk = Desk::new("UTC").await;
    desk.posts(&["x,a,p1,2026-03,,,9", "x,a,p2,2026-03-02T10:00:00Z,,,5"]).await;
    assert_eq!(ids(&ask(&desk, &over("2026-03-01", "2026-03-31")).await.best), ["p1", "p2"]);
    let part = ask(&desk, &over("2026-03-01", "2026-03-30")).await;
    assert_eq!((ids(&part.best), part.ranked, part.unranked), (vec!["p2"], 1, 0));
}

#[tokio::test]
async fn a_rate_over_nothing_is_no_rate_and_is_counted_as_missing() {
    let desk = Desk::new("UTC").await;
    desk.posts(&[
        "x,a,p1,2026-03-02T10:00:00Z,,0,0",
        "x,a,p2,2026-03-02T10:00:00Z,,10,1",
        "x,a,p3,2026-03-02T10:00:00Z",
    ])
    .await;
    let query = Query { metric: Kpi::EngagementRate, ..over("2026-03-01", "2026-03-31") };
    let ranking = ask(&desk, &query).await;
    assert_eq!((ids(&ranking.best), ranking.ranked, ranking.unranked), (vec!["p2"], 1, 2));
}
