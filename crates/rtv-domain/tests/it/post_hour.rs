//! The week by hour: hours of the tenant's zone on every kind of day, against the posts themselves, and the check of the
//! roll-up.

use rtv_core::ImportId;
use rtv_domain::import;
use rtv_domain::kpi::Query;
use rtv_domain::post_hour::{self, Measure, Week};
use rust_decimal::Decimal;

use crate::figures::{Desk, over};

async fn ask(desk: &Desk, query: &Query) -> Week {
    let summary = desk.ask(query).await;
    post_hour::week(&desk.ctx, query, &summary.accounts, &summary.campaigns).await.unwrap()
}

/// Weekday from Monday = 0, hour and number of posts of every cell that has some.
fn cells(week: &Week) -> Vec<(usize, usize, i64)> {
    let all = (0..7).flat_map(|weekday| (0..24).map(move |hour| (weekday, hour)));
    all.map(|(weekday, hour)| (weekday, hour, week.days[weekday][hour].posts)).filter(|cell| cell.2 > 0).collect()
}

#[tokio::test]
async fn an_hour_is_one_of_the_tenants_day_on_long_and_short_days_as_well() {
    let desk = Desk::new("Europe/Berlin").await;
    desk.posts(&[
        // Sunday 29 March 2026: 02:00 does not exist.
        "x,a,p1,2026-03-29T00:59:59Z,,,1",
        "x,a,p2,2026-03-29T01:00:00Z,,,1",
        // Sunday 25 October 2026: 02:00 to 03:00 comes twice.
        "x,a,p3,2026-10-25T00:30:00Z,,,1",
        "x,a,p4,2026-10-25T01:30:00Z,,,1",
        "x,a,p5,2026-10-25T02:30:00Z,,,1",
        // Monday by the tenant's clock, Sunday in UTC.
        "x,a,p6,2026-07-05T22:30:00Z,,,1",
        "x,a,p7,2026-08,,,1",
    ])
    .await;
    let week = ask(&desk, &over("2026-01-01", "2026-12-31")).await;
    assert_eq!(cells(&week), [(0, 0, 1), (6, 1, 1), (6, 2, 2), (6, 3, 2)]);
    assert_eq!((week.all.posts, week.unknown), (6, 1));
    assert_eq!(post_hour::verify(&desk.ctx).await.unwrap(), []);
}

#[tokio::test]
async fn a_cell_holds_a_ratio_of_sums_over_its_posts() {
    let desk = Desk::new("UTC").await;
    // Mondays at ten.
    desk.posts(&[
        "x,a,p1,2026-03-02T10:00:00Z,,100,10",
        "x,a,p2,2026-03-09T10:30:00Z,400,,10",
        "x,a,p3,2026-03-16T10:59:00Z,,,40",
        "x,b,p4,2026-03-23T10:00:00Z",
    ])
    .await;
    let week = ask(&desk, &over("2026-03-01", "2026-03-31")).await;
    let cell = week.days[0][10];
    assert_eq!(
        (cell.posts, cell.engagement_rate()),
        (4, Some("0.04".parse().unwrap())),
        "20 of 500, not the mean of 10 % and 2.5 %"
    );
    assert_eq!(cell.engagements_per_post(), Some(Decimal::from(20)), "60 over the three that report them");
    assert_eq!(week.measure(), Measure::EngagementRate);
    let late = ask(&desk, &over("2026-03-16", "2026-03-31")).await;
    assert_eq!(late.measure(), Measure::EngagementsPerPost, "without impressions and reach");
    assert_eq!(ask(&desk, &over("2026-03-23", "2026-03-31")).await.measure(), Measure::Posts);
    assert_eq!(ask(&desk, &over("2026-04-01", "2026-04-30")).await.all.posts, 0);
}

#[tokio::test]
async fn the_roll_up_follows_imports_and_their_roll_back() {
    let desk = Desk::new("Asia/Bangkok").await;
    desk.posts(&["x,a,p1,2026-03-02T10:00:00Z,,,5"]).await;
    let before = desk.world.rows(&desk.tenant, "post_hour").await;
    // Two hours later, and another figure.
    let text = "platform,account_id,post_id,published_at,reactions\nx,a,p1,2026-03-02T12:00:00Z,9\nx,b,p2,2026-03-03T12:00:00Z,1\n";
    let report = desk.world.import_text(&desk.ctx, text, import::Options::default()).await.unwrap();
    let id: ImportId = report.id.unwrap();
    assert_eq!(cells(&ask(&desk, &over("2026-03-01", "2026-03-31")).await), [(0, 19, 1), (1, 19, 1)]);
    assert_eq!(post_hour::verify(&desk.ctx).await.unwrap(), []);
    import::roll_back(&desk.ctx, id).await.unwrap();
    assert_eq!(desk.world.rows(&desk.tenant, "post_hour").await, before);
}

#[tokio::test]
async fn a_roll_up_that_does_not_equal_its_posts_is_found_whatever_column_it_is() {
    let desk = Desk::new("UTC").await;
    desk.posts(&["x,a,p1,2026-03-02T10:00:00Z,7,100,5", "x,a,p2,2026-03-03T10:00:00Z,7,100,5"]).await;
    assert_eq!(post_hour::verify(&desk.ctx).await.unwrap(), []);
    let kept = desk.world.rows(&desk.tenant, "post_hour").await;
    for statement in [
        "update post_hour set posts = posts + 1 where first_day = '2026-03-02'",
        "update post_hour set engagements = engagements + 1 where first_day = '2026-03-02'",
        "update post_hour set engagements_posts = 0 where first_day = '2026-03-02'",
        "update post_hour set rate_engagements = 0 where first_day = '2026-03-02'",
        "update post_hour set rate_base = 0 where first_day = '2026-03-02'",
        "update post_hour set rate_posts = 0 where first_day = '2026-03-02'",
        "update post_hour set hour = 11 where first_day = '2026-03-02'",
        "update post_hour set last_day = '2026-03-09' where first_day = '2026-03-02'",
        "delete from post_hour where first_day = '2026-03-02'",
    ] {
        assert_eq!(desk.world.execute(&desk.tenant, statement).await, 1, "{statement}");
        assert!(!post_hour::verify(&desk.ctx).await.unwrap().is_empty(), "{statement}");
        desk.world.execute(&desk.tenant, "delete from post_hour").await;
        let mut tx = desk.world.as_tenant(&desk.tenant).await;
        for row in &kept {
            sqlx::query("insert into post_hour select (jsonb_populate_record(null::post_hour, $1)).*")
                .bind(row)
                .execute(&mut *tx)
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
    }
    assert_eq!(post_hour::verify(&desk.ctx).await.unwrap(), []);
}
