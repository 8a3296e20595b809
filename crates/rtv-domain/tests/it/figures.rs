//! Figures over hand-made facts: what counts in, what a missing value is, on which day, and compared with what.

use chrono::{DateTime, NaiveDate, Utc};
use rtv_core::kpi::{Basis, Kpi};
use rtv_core::period::{Compare, Grain, Period};
use rtv_core::{AccountId, CampaignId, Error, Platform, Role};
use rtv_domain::daily_metric::{self, Gains, PostDay};
use rtv_domain::format::Format;
use rtv_domain::import::Options;
use rtv_domain::kpi::{self, Figure, Filter, Query, Summary};
use rtv_domain::{Actor, Tenant, TenantContext, access, account, coverage, post};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::world::{World, at};

/// Columns of the native mapping.
const HEADER: &str = "platform,account_id,post_id,published_at,reach,impressions,reactions,comments,shares,clicks,conversions,revenue,cost,sentiment";

/// A tenant with an editor.
pub(crate) struct Desk {
    pub(crate) world: World,
    pub(crate) tenant: Tenant,
    pub(crate) ctx: TenantContext,
}

impl Desk {
    pub(crate) async fn new(zone: &str) -> Self {
        let world = World::new().await;
        let tenant = world.tenant("desk", zone).await;
        let ctx = world.member(&tenant, Role::Editor).await;
        Self { world, tenant, ctx }
    }

    /// Takes posts in; a row may leave out the columns at its end.
    pub(crate) async fn posts(&self, rows: &[&str]) {
        let columns = HEADER.split(',').count();
        let mut text = format!("{HEADER}\n");
        for row in rows {
            let missing = columns - row.split(',').count();
            text.push_str(row);
            text.push_str(&",".repeat(missing));
            text.push('\n');
        }
        let report = self
            .world
            .import_text(&self.ctx, &text, Options { file_name: "f.csv".into(), ..Options::default() })
            .await
            .unwrap();
        assert_eq!(report.counts.new, i64::try_from(rows.len()).unwrap(), "{report:?}");
    }

    /// Takes a file in.
    pub(crate) async fn file(&self, header: &str, rows: &[&str]) {
        let text = format!("{header}\n{}\n", rows.join("\n"));
        let options = Options { file_name: "f.csv".into(), ..Options::default() };
        let report = self.world.import_text(&self.ctx, &text, options).await.unwrap();
        assert_eq!(report.counts.new, i64::try_from(rows.len()).unwrap(), "{report:?}");
    }

    pub(crate) async fn ask(&self, query: &Query) -> Summary {
        kpi::summary(&self.ctx, query).await.unwrap()
    }

    async fn march(&self) -> Summary {
        self.ask(&over("2026-03-01", "2026-03-31")).await
    }

    pub(crate) async fn account_id(&self, external_id: &str) -> AccountId {
        account::list(&self.ctx)
            .await
            .unwrap()
            .into_iter()
            .find(|account| account.external_id == external_id)
            .unwrap()
            .id
    }

    /// Something that was planned for an account, as it stands now.
    pub(crate) async fn deliver(&self, external_id: &str, state: &str, due_at: &str) {
        let (account, content) = (self.account_id(external_id).await, Uuid::now_v7());
        let mut tx = self.world.as_tenant(&self.tenant).await;
        sqlx::query(
            "insert into content (tenant_id, id, body, created_by, changed_by) values (rtv_tenant(), $1, 'Hello', 'a', 'a')",
        )
        .bind(content)
        .execute(&mut *tx)
        .await
        .unwrap();
        sqlx::query(
            r"
            insert into delivery (tenant_id, id, content_id, account_id, platform, state, scheduled_at, due_at)
            select rtv_tenant(), $1, $2, id, platform, $4, $5, $5
            from account
            where id = $3
            ",
        )
        .bind(Uuid::now_v7())
        .bind(content)
        .bind(account.uuid())
        .bind(state)
        .bind(at(due_at))
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }

    pub(crate) async fn followers(&self, external_id: &str, counts: &[(&str, i64)]) {
        let id = self.account_id(external_id).await;
        let mut tx = self.world.as_tenant(&self.tenant).await;
        for (day, count) in counts {
            sqlx::query(
                "insert into account_daily (tenant_id, account_id, day, followers) values (rtv_tenant(), $1, $2, $3)",
            )
            .bind(id.uuid())
            .bind(day.parse::<NaiveDate>().unwrap())
            .bind(count)
            .execute(&mut *tx)
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
    }
}

pub(crate) fn period(from: &str, to: &str) -> Period {
    Period::new(from.parse().unwrap(), to.parse().unwrap()).unwrap()
}

pub(crate) fn over(from: &str, to: &str) -> Query {
    Query {
        period: period(from, to),
        previous: None,
        filter: Filter::default(),
        metric: Kpi::Engagements,
        grain: Some(Grain::Day),
    }
}

pub(crate) fn compared(from: &str, to: &str, compare: Compare) -> Query {
    let query = over(from, to);
    Query { previous: compare.period(query.period), ..query }
}

fn figure(summary: &Summary, kpi: Kpi) -> &Figure {
    summary.figures.iter().find(|figure| figure.kpi == kpi).unwrap()
}

fn value(summary: &Summary, kpi: Kpi) -> Option<Decimal> {
    figure(summary, kpi).value
}

/// A value that is there, to be compared with one that may be missing.
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn number(text: &str) -> Option<Decimal> {
    Some(text.parse().unwrap())
}

fn reason(summary: &Summary, kpi: Kpi) -> &str {
    let figure = figure(summary, kpi);
    assert_eq!(figure.value, None);
    figure.missing.as_deref().unwrap()
}

#[tokio::test]
async fn coverage_counts_the_platforms_and_posts_that_report_a_figure() {
    let desk = Desk::new("UTC").await;
    desk.posts(&[
        "x,a,p1,2026-03-02T10:00:00Z,100,,5",
        "x,a,p2,2026-03-03T10:00:00Z,,,7",
        "facebook,b,p3,2026-03-03T10:00:00Z,,40,0",
        "mastodon,c,p4,2026-03-04T10:00:00Z",
        "linkedin,d,p5,2026-02-04T10:00:00Z,9,9,9",
    ])
    .await;
    let march = desk.march().await;
    let coverage = |kpi: Kpi| {
        let coverage = figure(&march, kpi).coverage;
        (coverage.platforms, coverage.of_platforms, coverage.posts, coverage.of_posts)
    };
    assert_eq!(
        (value(&march, Kpi::Reach), coverage(Kpi::Reach)),
        (number("100"), (1, 3, 1, 4)),
        "LinkedIn has nothing in March"
    );
    assert_eq!((value(&march, Kpi::Impressions), coverage(Kpi::Impressions)), (number("40"), (1, 3, 1, 4)));
    assert_eq!(
        (value(&march, Kpi::Engagements), coverage(Kpi::Engagements)),
        (number("12"), (2, 3, 3, 4)),
        "0 is reported"
    );
    assert_eq!((value(&march, Kpi::Published), coverage(Kpi::Published)), (number("4"), (3, 3, 4, 4)));
    assert_eq!(coverage(Kpi::EngagementRate), (2, 3, 2, 4), "X by reach; Facebook’s 0 of 40 is a rate as well");
    let format = Format::of(desk.ctx.tenant());
    let words = |kpi: Kpi| coverage::words(&format, figure(&march, kpi));
    assert_eq!(words(Kpi::Reach).as_deref(), Some("1 of 3 platforms report this, 1 of 4 posts"));
    assert_eq!((words(Kpi::Published), words(Kpi::Revenue)), (None, None));
}

#[tokio::test]
async fn missing_is_not_zero_and_zero_is_not_missing() {
    let desk = Desk::new("UTC").await;
    let empty = desk.march().await;
    assert_eq!(reason(&empty, Kpi::Reach), "No data has been imported yet.");
    assert_eq!(reason(&empty, Kpi::FollowerGrowth), "No data has been imported yet.");
    assert_eq!((value(&empty, Kpi::Published), empty.extent, empty.as_of), (number("0"), None, None));

    desk.posts(&["x,a,p1,2026-03-02T10:00:00Z,0,0,0,0,0,0,0,0,0,0", "x,a,p2,2026-02-02T10:00:00Z"]).await;
    let march = desk.march().await;
    for kpi in [Kpi::Reach, Kpi::Impressions, Kpi::Engagements, Kpi::Conversions, Kpi::Revenue, Kpi::Sentiment] {
        assert_eq!(value(&march, kpi), number("0"), "{kpi} was reported as 0");
    }
    assert_eq!(reason(&march, Kpi::Roi), "It is hidden while cost is 0 or unknown.");
    assert_eq!(
        reason(&march, Kpi::EngagementRate),
        "It needs impressions or reach above 0, and the posts in this period report 0 (X)."
    );
    let february = desk.ask(&over("2026-02-01", "2026-02-28")).await;
    for kpi in
        [Kpi::Reach, Kpi::Impressions, Kpi::Engagements, Kpi::Conversions, Kpi::Revenue, Kpi::Sentiment, Kpi::Roi]
    {
        assert!(!reason(&february, kpi).is_empty(), "{kpi} was not reported");
    }
    assert_eq!(value(&february, Kpi::Published), number("1"));
    let january = desk.ask(&over("2026-01-01", "2026-01-31")).await;
    assert_eq!(reason(&january, Kpi::Engagements), "Nothing was published in this period.");
    assert_eq!(january.extent, Some(period("2026-02-02", "2026-03-02")), "where there is something to see");
    assert_eq!(january.as_of, Some(at("2026-11-21T09:00:00Z")));
}

#[tokio::test]
async fn the_engagement_rate_is_a_ratio_of_sums_over_the_posts_that_have_both() {
    let desk = Desk::new("UTC").await;
    desk.posts(&[
        "x,a,p1,2026-03-02T10:00:00Z,50,100,4,3,2,1",
        "x,a,p2,2026-03-03T10:00:00Z,20,,6",
        "x,a,p3,2026-03-03T10:00:00Z,,1000",
        "x,a,p4,2026-03-03T10:00:00Z,,,500",
        "x,a,p5,2026-03-20T10:00:00Z,20,,6",
        "x,a,p6,2026-03-25T10:00:00Z,20,50,6",
    ])
    .await;
    let mixed = desk.ask(&over("2026-03-02", "2026-03-03")).await;
    let rate = figure(&mixed, Kpi::EngagementRate);
    assert_eq!(
        rate.value,
        Some((Decimal::from(16) / Decimal::from(120)).round_dp(12)),
        "10 of 100 shown, 6 of 20 reached"
    );
    assert_eq!(rate.note.as_deref(), Some("Engagements ÷ impressions, and ÷ reach for posts without impressions."));
    assert_eq!(rate.course, [number("0.1"), number("0.3")]);
    let by_reach = desk.ask(&over("2026-03-20", "2026-03-20")).await;
    assert_eq!(value(&by_reach, Kpi::EngagementRate), number("0.3"));
    assert!(
        figure(&by_reach, Kpi::EngagementRate)
            .note
            .as_ref()
            .unwrap()
            .contains("reach, because impressions are missing")
    );
    let by_impressions = desk.ask(&over("2026-03-25", "2026-03-25")).await;
    assert_eq!(value(&by_impressions, Kpi::EngagementRate), number("0.12"));
    assert_eq!(figure(&by_impressions, Kpi::EngagementRate).note.as_deref(), Some("Engagements ÷ impressions."));
}

#[tokio::test]
async fn roi_is_over_posts_that_have_revenue_and_cost_and_hidden_at_cost_0() {
    let desk = Desk::new("UTC").await;
    desk.posts(&[
        "x,a,p1,2026-03-02T10:00:00Z,,,,,,,3,30.50,10",
        "x,a,p2,2026-03-02T10:00:00Z,,,,,,,1,,90",
        "x,a,p3,2026-03-02T10:00:00Z,,,,,,,,1000,",
        "x,a,p4,2026-03-09T10:00:00Z,,,,,,,,12,0",
    ])
    .await;
    let day = desk.ask(&over("2026-03-02", "2026-03-02")).await;
    assert_eq!(value(&day, Kpi::Roi), number("2.05"), "(30.50 − 10) ÷ 10");
    assert_eq!((value(&day, Kpi::Revenue), value(&day, Kpi::Conversions)), (number("1030.50"), number("4")));
    let coverage = figure(&day, Kpi::Roi).coverage;
    assert_eq!((coverage.posts, coverage.of_posts), (1, 3), "one has both");
    let free = desk.ask(&over("2026-03-09", "2026-03-09")).await;
    assert_eq!(reason(&free, Kpi::Roi), "It is hidden while cost is 0 or unknown.");
    assert_eq!(value(&desk.march().await, Kpi::Roi), number("3.25"), "(42.50 − 10) ÷ 10");
}

#[tokio::test]
async fn sentiment_is_the_mean_over_what_was_scored_with_its_count() {
    let desk = Desk::new("UTC").await;
    desk.posts(&[
        "x,a,p1,2026-03-02T10:00:00Z,,,,,,,,,,0.5",
        "x,a,p2,2026-03-02T10:00:00Z,,,,,,,,,,0.5",
        "facebook,b,p3,2026-03-09T10:00:00Z,,,,,,,,,,-0.25",
        "x,a,p4,2026-03-09T10:00:00Z",
    ])
    .await;
    let march = desk.march().await;
    assert_eq!(value(&march, Kpi::Sentiment), number("0.25"), "0.75 over three, not the mean of days or platforms");
    assert_eq!(figure(&march, Kpi::Sentiment).note.as_deref(), Some("Mean of 3 scored posts."));
    assert_eq!(
        (figure(&march, Kpi::Sentiment).coverage.posts, figure(&march, Kpi::Sentiment).coverage.of_posts),
        (3, 4)
    );
}

#[tokio::test]
async fn follower_growth_is_end_minus_start_and_does_not_depend_on_the_comparison() {
    let desk = Desk::new("UTC").await;
    desk.posts(&["x,a,p1,2026-03-02T10:00:00Z", "x,b,p2,2026-03-02T10:00:00Z", "x,c,p3,2026-03-02T10:00:00Z"]).await;
    desk.followers("a", &[("2026-01-31", 80), ("2026-02-28", 100), ("2026-03-15", 70), ("2026-03-30", 130)]).await;
    // b's last count before March is older than a month: no start to count from.
    desk.followers("b", &[("2025-06-01", 1), ("2026-03-10", 500)]).await;
    desk.followers("c", &[("2026-02-27", 10), ("2026-02-28", 12), ("2026-03-31", 7)]).await;
    for compare in Compare::ALL {
        let march = desk.ask(&compared("2026-03-01", "2026-03-31", compare)).await;
        let growth = figure(&march, Kpi::FollowerGrowth);
        assert_eq!(growth.value, number("25"), "{}: 30 of a, −5 of c", compare.key());
        assert_eq!(growth.note.as_deref(), Some("2 of 3 accounts report followers."), "{}", compare.key());
    }
    let previous = desk.ask(&compared("2026-03-01", "2026-03-28", Compare::Previous)).await;
    assert_eq!(figure(&previous, Kpi::FollowerGrowth).value, number("-30"), "a's 70 in the middle of March");
    assert_eq!(
        figure(&previous, Kpi::FollowerGrowth).previous,
        number("20"),
        "a from 80 to 100; c has no count before February"
    );
    let trend = Query { metric: Kpi::FollowerGrowth, grain: Some(Grain::Month), ..over("2026-02-01", "2026-03-31") };
    let points: Vec<_> = desk.ask(&trend).await.trend.iter().map(|point| point.value).collect();
    assert_eq!(points, [number("20"), number("25")]);
}

#[tokio::test]
async fn a_period_is_compared_with_what_the_mode_names() {
    let desk = Desk::new("UTC").await;
    // 10 days from Tuesday 2026-03-10 to Thursday 2026-03-19.
    desk.posts(&[
        "x,a,p1,2026-03-10T10:00:00Z,,,1000",
        "x,a,p2,2026-03-09T10:00:00Z,,,1",
        "x,a,p3,2026-02-28T10:00:00Z,,,2",
        "x,a,p4,2026-02-27T10:00:00Z,,,4",
        "x,a,p5,2026-02-24T10:00:00Z,,,8",
        "x,a,p6,2026-02-23T10:00:00Z,,,16",
        "x,a,p7,2025-03-10T10:00:00Z,,,32",
        "x,a,p8,2025-03-19T10:00:00Z,,,64",
        "x,a,p9,2025-03-20T10:00:00Z,,,128",
    ])
    .await;
    for (compare, expect) in [
        (Compare::Previous, number("3")),
        (Compare::Weekday, number("14")),
        (Compare::Year, number("96")),
        (Compare::None, None),
    ] {
        let summary = desk.ask(&compared("2026-03-10", "2026-03-19", compare)).await;
        let engagements = figure(&summary, Kpi::Engagements);
        assert_eq!((engagements.value, engagements.previous), (number("1000"), expect), "{}", compare.key());
        let before: Option<Decimal> =
            summary.trend.iter().filter_map(|point| point.previous).reduce(|left, right| left + right);
        assert_eq!(before, expect, "{}: the trend's points sum up to the figure", compare.key());
        assert_eq!(summary.trend.len(), 10);
    }
    let leap = Compare::Year.period(period("2024-02-29", "2024-02-29"));
    assert_eq!(leap, Some(period("2023-02-28", "2023-02-28")));
}

/// Each instant belongs to one local day, on the long and the short days of the year as well.
#[tokio::test]
async fn a_post_counts_on_its_day_in_the_tenants_zone() {
    let check = async |zone: &str, cases: &[(&str, &str)]| {
        let desk = Desk::new(zone).await;
        let rows: Vec<String> = cases
            .iter()
            .enumerate()
            .map(|(number, (instant, _))| format!("x,a,p{number},{instant},,,{}", 1 << number))
            .collect();
        desk.posts(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
        for (_, day) in cases {
            let on_it: i64 =
                cases.iter().enumerate().filter(|(_, (_, other))| other == day).map(|(number, _)| 1 << number).sum();
            let summary = desk.ask(&over(day, day)).await;
            assert_eq!(value(&summary, Kpi::Engagements), Some(on_it.into()), "{zone} {day}");
            assert_eq!(summary.trend.len(), 1);
        }
        let query = post::Query {
            period: period("2026-01-01", "2026-12-31"),
            filter: Filter::default(),
            metric: None,
            after: None,
        };
        for post in post::list(&desk.ctx, &query).await.unwrap().posts {
            let (instant, day) = cases[post.external_id[1..].parse::<usize>().unwrap()];
            assert_eq!((post.published_at, post.first_day.to_string().as_str()), (Some(at(instant)), day), "{zone}");
        }
    };
    check(
        "Europe/Berlin",
        &[
            ("2026-01-15T23:30:00Z", "2026-01-16"),
            ("2026-07-15T21:30:00Z", "2026-07-15"),
            ("2026-07-15T23:30:00Z", "2026-07-16"),
            // 29 March has 23 hours, 25 October 25.
            ("2026-03-28T22:59:59Z", "2026-03-28"),
            ("2026-03-28T23:30:00Z", "2026-03-29"),
            ("2026-03-29T21:59:59Z", "2026-03-29"),
            ("2026-03-29T22:00:00Z", "2026-03-30"),
            ("2026-10-24T21:59:59Z", "2026-10-24"),
            ("2026-10-24T22:00:00Z", "2026-10-25"),
            ("2026-10-25T00:30:00Z", "2026-10-25"),
            ("2026-10-25T01:30:00Z", "2026-10-25"),
            ("2026-10-25T22:59:59Z", "2026-10-25"),
            ("2026-10-25T23:00:00Z", "2026-10-26"),
        ],
    )
    .await;
    check(
        "America/New_York",
        &[
            ("2026-01-15T23:30:00Z", "2026-01-15"),
            ("2026-07-15T23:30:00Z", "2026-07-15"),
            // 8 March has 23 hours, 1 November 25.
            ("2026-03-08T04:59:59Z", "2026-03-07"),
            ("2026-03-08T05:00:00Z", "2026-03-08"),
            ("2026-03-09T03:59:59Z", "2026-03-08"),
            ("2026-03-09T04:00:00Z", "2026-03-09"),
            ("2026-11-01T03:59:59Z", "2026-10-31"),
            ("2026-11-01T04:00:00Z", "2026-11-01"),
            ("2026-11-02T04:59:59Z", "2026-11-01"),
            ("2026-11-02T05:00:00Z", "2026-11-02"),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_last_day_runs_until_it_ends_in_the_tenants_zone() {
    let desk = Desk::new("Asia/Bangkok").await;
    let person = desk.ctx.context().person().unwrap().clone();
    let is_running = async |now: &str, to: &str| {
        let ctx = desk.world.context_at(at(now), Actor::Person(person.clone().into()));
        let ctx = access::enter(&ctx, "desk").await.unwrap();
        kpi::summary(&ctx, &over("2026-11-01", to)).await.unwrap().is_running
    };
    assert!(is_running("2026-11-21T16:59:59Z", "2026-11-21").await);
    assert!(!is_running("2026-11-21T17:00:00Z", "2026-11-21").await, "midnight in Bangkok");
    assert!(is_running("2026-11-21T17:00:00Z", "2026-11-22").await);
}

#[tokio::test]
async fn weeks_begin_on_the_tenants_day_and_points_sum_up_to_the_figure() {
    let desk = Desk::new("UTC").await;
    let rows: Vec<String> = (1..=31).map(|day| format!("x,a,p{day},2026-03-{day:02}T10:00:00Z,,,{day}")).collect();
    desk.posts(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    // 1 March 2026 is a Sunday.
    for (statement, firsts) in [
        (
            "update tenant set week_start = 0",
            ["2026-03-01", "2026-03-02", "2026-03-09", "2026-03-16", "2026-03-23", "2026-03-30"].as_slice(),
        ),
        ("update tenant set week_start = 6", &["2026-03-01", "2026-03-08", "2026-03-15", "2026-03-22", "2026-03-29"]),
    ] {
        desk.world.execute(&desk.tenant, statement).await;
        let ctx = desk.world.enter(desk.ctx.context().person().unwrap(), &desk.tenant).await;
        let query = Query { grain: Some(Grain::Week), ..compared("2026-03-01", "2026-03-31", Compare::Previous) };
        let summary = kpi::summary(&ctx, &query).await.unwrap();
        assert_eq!(summary.trend.iter().map(|point| point.first_day.to_string()).collect::<Vec<_>>(), firsts);
        assert_eq!(summary.trend.iter().filter_map(|point| point.value).sum::<Decimal>(), Decimal::from(496));
        assert_eq!((value(&summary, Kpi::Engagements), summary.unplaced_posts), (number("496"), 0));
    }
}

#[tokio::test]
async fn a_filter_narrows_to_platforms_and_accounts_and_never_to_everything() {
    let desk = Desk::new("UTC").await;
    desk.posts(&[
        "x,a,p1,2026-03-02T10:00:00Z,,,1",
        "x,b,p2,2026-03-02T10:00:00Z,,,2",
        "facebook,c,p3,2026-03-02T10:00:00Z,,,4",
    ])
    .await;
    let other = desk.world.tenant("other", "UTC").await;
    let theirs = desk.world.member(&other, Role::Editor).await;
    let rows = format!("{HEADER}\nx,a,p1,2026-03-02T10:00:00Z,,,64,,,,,,,\n");
    desk.world.import_text(&theirs, &rows, Options::default()).await.unwrap();
    let foreign = account::list(&theirs).await.unwrap()[0].id;
    let (a, c) = (desk.account_id("a").await, desk.account_id("c").await);
    let ask = async |platforms: &[Platform], accounts: &[AccountId]| {
        let filter = Filter { platforms: platforms.to_vec(), accounts: accounts.to_vec(), ..Filter::default() };
        let query = Query { filter: filter.clone(), ..over("2026-03-01", "2026-03-31") };
        let figure = kpi::summary(&desk.ctx, &query).await.map(|summary| value(&summary, Kpi::Engagements));
        let listed =
            post::list(&desk.ctx, &post::Query { period: query.period, filter, metric: None, after: None }).await;
        let listed = listed.map(|listing| listing.totals.engagements.map(Decimal::from));
        assert_eq!(figure, listed, "the list and the figure agree");
        figure
    };
    assert_eq!(ask(&[], &[]).await, Ok(number("7")));
    assert_eq!(ask(&[Platform::X], &[]).await, Ok(number("3")));
    assert_eq!(ask(&[], &[a, c]).await, Ok(number("5")));
    assert_eq!(ask(&[Platform::Facebook], &[a]).await, Ok(None), "no account is both");
    assert_eq!(ask(&[Platform::Mastodon], &[]).await, Ok(None));
    for unknown in [foreign, AccountId::from(Uuid::now_v7())] {
        let refused = ask(&[], &[a, unknown]).await;
        let expect = Error::invalid("account", format!("there is no account {unknown}; choose one from the list."));
        assert_eq!(refused, Err(expect), "a foreign account is like none");
    }
}

#[tokio::test]
async fn one_account_that_knows_only_totals_decides_the_basis_of_all() {
    let desk = Desk::new("UTC").await;
    desk.posts(&["x,daily,p1,2026-02-20T10:00:00Z,,,100", "x,totals,p2,2026-03-02T10:00:00Z,,,7"]).await;
    let daily = desk.account_id("daily").await;
    let mut tx = desk.world.as_tenant(&desk.tenant).await;
    let post: Uuid =
        sqlx::query_scalar("select id from post where external_id = 'p1'").fetch_one(&mut *tx).await.unwrap();
    drop(tx);
    let gained = [("2026-03-01", 11), ("2026-03-02", 12)].map(|(day, reactions)| PostDay {
        post: post.into(),
        day: day.parse().unwrap(),
        gains: Gains { reactions: Some(reactions), ..Gains::default() },
    });
    daily_metric::store(&desk.ctx, &gained, &[]).await.unwrap();
    let march = over("2026-03-01", "2026-03-31");
    let all = desk.ask(&march).await;
    assert_eq!(
        (all.basis, value(&all, Kpi::Engagements)),
        (Basis::Lifetime, number("7")),
        "what was published in March"
    );
    let filter = Filter { accounts: vec![daily], ..Filter::default() };
    let one = desk.ask(&Query { filter: filter.clone(), ..march.clone() }).await;
    assert_eq!((one.basis, value(&one, Kpi::Engagements)), (Basis::Period, number("23")), "what happened in March");
    let listing =
        post::list(&desk.ctx, &post::Query { period: march.period, filter, metric: None, after: None }).await.unwrap();
    assert_eq!((listing.basis, listing.count, listing.totals.engagements), (Basis::Period, 1, Some(23)));
    assert_eq!(listing.posts[0].figures.engagements, Some(23), "what it gained in March, not its 100");
    assert_eq!(listing.posts[0].published_at, Some("2026-02-20T10:00:00Z".parse::<DateTime<Utc>>().unwrap()));
}

#[tokio::test]
async fn a_course_has_gaps_where_nothing_was_published_and_takes_months_where_days_are_unknown() {
    let desk = Desk::new("UTC").await;
    desk.posts(&["x,a,p1,2026-03-02T10:00:00Z,,,5", "x,a,p2,2026-03-04T10:00:00Z,,,0"]).await;
    let summary = desk.ask(&over("2026-03-01", "2026-03-05")).await;
    assert_eq!(figure(&summary, Kpi::Engagements).course, [None, number("5"), None, number("0"), None]);
    let zeros: Vec<_> = figure(&summary, Kpi::Published).course.iter().map(|value| value.unwrap()).collect();
    assert_eq!(zeros, [0, 1, 0, 1, 0].map(Decimal::from), "nothing published is a figure of publications");
    assert_eq!(summary.course.0, Grain::Day);
    let long = desk.ask(&over("2024-01-01", "2026-12-31")).await;
    assert_eq!((long.course.0, long.course.1.len()), (Grain::Month, 36), "a line of a thousand points is no line");
    assert_eq!(figure(&long, Kpi::Engagements).course[26], number("5"));
}

#[tokio::test]
async fn a_point_says_how_many_days_of_its_week_or_month_it_holds() {
    let desk = Desk::new("UTC").await;
    desk.posts(&["x,a,p1,2026-03-05T10:00:00Z,,,5"]).await;
    // 4 March 2026 is a Wednesday, 17 March a Tuesday.
    let weeks = desk.ask(&Query { grain: Some(Grain::Week), ..over("2026-03-04", "2026-03-17") }).await;
    let points: Vec<_> = weeks
        .trend
        .iter()
        .map(|point| (point.first_day.to_string(), point.last_day.to_string(), point.whole_days))
        .collect();
    assert_eq!(
        points,
        [
            ("2026-03-04".to_owned(), "2026-03-08".to_owned(), 7),
            ("2026-03-09".into(), "2026-03-15".into(), 7),
            ("2026-03-16".into(), "2026-03-17".into(), 7)
        ]
    );
    let months = desk.ask(&Query { grain: Some(Grain::Month), ..over("2026-01-31", "2026-03-31") }).await;
    let lengths: Vec<_> = months.trend.iter().map(|point| point.whole_days).collect();
    assert_eq!(lengths, [31, 28, 31]);
}

#[tokio::test]
async fn a_campaign_narrows_figures_and_lists_alike() {
    let desk = Desk::new("UTC").await;
    desk.file(
        "platform,account_id,post_id,published_at,reactions,campaign",
        &[
            "x,a,p1,2026-03-02T10:00:00Z,1,Spring",
            "x,a,p2,2026-03-02T11:00:00Z,2,",
            "x,a,p3,2026-03-03T11:00:00Z,4,Sale",
        ],
    )
    .await;
    let query = |campaigns: &[CampaignId]| Query {
        filter: Filter { campaigns: campaigns.to_vec(), ..Filter::default() },
        ..over("2026-03-01", "2026-03-31")
    };
    let campaigns = desk.ask(&query(&[])).await.campaigns;
    let id = |name: &str| campaigns.iter().find(|campaign| campaign.name == name).unwrap().id;
    for (chosen, expect) in [
        (vec![], "7"),
        (vec![id("Spring")], "1"),
        (vec![id("Spring"), id("Sale")], "5"),
        (vec![CampaignId::NONE], "2"),
        (vec![CampaignId::NONE, id("Sale")], "6"),
    ] {
        let query = query(&chosen);
        let summary = desk.ask(&query).await;
        assert_eq!(value(&summary, Kpi::Engagements), number(expect), "{chosen:?}");
        let listed = post::Query { period: query.period, filter: query.filter, metric: None, after: None };
        let totals = post::list(&desk.ctx, &listed).await.unwrap().totals;
        assert_eq!(totals.engagements.map(Decimal::from), number(expect), "{chosen:?}");
        let growth = figure(&summary, Kpi::FollowerGrowth).missing.clone().unwrap();
        assert_eq!(growth.contains("not to campaigns"), !chosen.is_empty(), "{growth}");
    }
    let unknown = CampaignId::from(Uuid::now_v7());
    let refused = kpi::summary(&desk.ctx, &query(&[unknown])).await.map(|_| ());
    let text = format!("there is no campaign {unknown}; choose one from the list.");
    assert_eq!(refused, Err(Error::invalid("campaign", text)));
}

#[tokio::test]
async fn posts_of_a_day_stand_by_their_time_across_pages_and_those_of_a_month_have_a_place() {
    let desk = Desk::new("Asia/Bangkok").await;
    // Written in another order than they were published in, two of them at the same instant.
    let mut rows: Vec<String> = (0..70)
        .map(|index| format!("x,a,p{index},2026-03-02T{:02}:{:02}:00Z,,,1", (index * 7) % 16, (index * 13) % 60))
        .collect();
    rows.push("x,a,same,2026-03-02T00:00:00Z,,,1".into());
    rows.push("x,a,month,2026-03,,,1".into());
    rows.push("x,a,first,2026-02-28T18:00:00Z,,,1".into());
    rows.push("x,a,later,2026-03-01T09:00:00Z,,,1".into());
    desk.posts(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let query =
            post::Query { period: period("2026-03-01", "2026-03-31"), filter: Filter::default(), metric: None, after };
        let page = post::list(&desk.ctx, &query).await.unwrap();
        seen.extend(page.posts.iter().map(|post| (post.first_day, post.published_at, post.external_id.clone())));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), rows.len(), "each post once");
    let mut ordered = seen.clone();
    ordered.sort_by_key(|post| std::cmp::Reverse((post.0, post.1)));
    let times = |list: &[(NaiveDate, Option<DateTime<Utc>>, String)]| -> Vec<_> {
        list.iter().map(|(day, at, _)| (*day, *at)).collect()
    };
    assert_eq!(times(&seen), times(&ordered), "newest first, to the minute");
    let names: Vec<&str> = seen[71..].iter().map(|(_, _, name)| name.as_str()).collect();
    assert_eq!(names, ["later", "first", "month"], "behind those of the month’s first day");
}
