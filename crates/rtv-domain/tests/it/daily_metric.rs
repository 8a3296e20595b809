//! Daily facts and the figures of basis *period*, each compared with what the facts give by themselves.

use core::fmt::Write as _;

use chrono::{Days, NaiveDate};
use rtv_core::kpi::{Basis, Kpi};
use rtv_core::period::{Grain, Period};
use rtv_core::scorecard::{Column, Dimension, Sort};
use rtv_core::{AccountId, Error, Permission, PostId, Role};
use rtv_domain::daily_metric::{self, FollowerCount, Gains, PostDay, Stored};
use rtv_domain::format::Format;
use rtv_domain::import::{self, Options};
use rtv_domain::kpi::{self, Filter, Query, Summary};
use rtv_domain::{Tenant, TenantContext, account, kpi_daily, post, post_hour, scorecard};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::world::World;

const HEADER: &str = "platform,account_id,post_id,published_at,campaign,reach,impressions,reactions,comments,shares,clicks,conversions,revenue,cost,sentiment";

struct Desk {
    world: World,
    tenant: Tenant,
    ctx: TenantContext,
}

impl Desk {
    async fn new() -> Self {
        let world = World::new().await;
        let tenant = world.tenant("desk", "UTC").await;
        let ctx = world.member(&tenant, Role::Editor).await;
        Self { world, tenant, ctx }
    }

    /// Takes posts in: account, post, day, campaign and reactions to date.
    async fn posts(&self, rows: &[&str]) -> rtv_core::ImportId {
        let mut text = format!("{HEADER}\n");
        for row in rows {
            let mut cells = row.split(',');
            let mut next = || cells.next().unwrap_or_default();
            let (platform, account, post, day, campaign, reactions) = (next(), next(), next(), next(), next(), next());
            writeln!(text, "{platform},{account},{post},{day}T10:00:00Z,{campaign},,,{reactions},,,,,,,").unwrap();
        }
        let options = Options { file_name: "f.csv".into(), ..Options::default() };
        self.world.import_text(&self.ctx, &text, options).await.unwrap().id.unwrap()
    }

    async fn post_id(&self, external_id: &str) -> PostId {
        let mut tx = self.world.as_tenant(&self.tenant).await;
        let id: Uuid = sqlx::query_scalar("select id from post where external_id = $1")
            .bind(external_id)
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        id.into()
    }

    async fn account_id(&self, external_id: &str) -> AccountId {
        let accounts = account::list(&self.ctx).await.unwrap();
        accounts.into_iter().find(|account| account.external_id == external_id).unwrap().id
    }

    /// Stores the same gains on a number of days.
    async fn gains(&self, external_id: &str, first: &str, days: u64, gains: Gains) -> Stored {
        let post = self.post_id(external_id).await;
        let rows: Vec<PostDay> =
            (0..days).map(|after| PostDay { post, day: day(first) + Days::new(after), gains }).collect();
        daily_metric::store(&self.ctx, &rows, &[]).await.unwrap()
    }

    async fn number(&self, query: &'static str) -> Option<Decimal> {
        let mut tx = self.world.as_tenant(&self.tenant).await;
        sqlx::query_scalar(query).fetch_one(&mut *tx).await.unwrap()
    }

    async fn march(&self) -> Summary {
        self.ask(over("2026-03-01", "2026-03-31")).await
    }

    async fn ask(&self, query: Query) -> Summary {
        kpi::summary(&self.ctx, &query).await.unwrap()
    }

    async fn check_roll_ups(&self) {
        assert_eq!(kpi_daily::verify(&self.ctx).await.unwrap(), []);
        assert_eq!(post_hour::verify(&self.ctx).await.unwrap(), []);
    }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn over(from: &str, to: &str) -> Query {
    Query {
        period: Period::new(day(from), day(to)).unwrap(),
        previous: None,
        filter: Filter::default(),
        metric: Kpi::Published,
        grain: Some(Grain::Day),
    }
}

fn value(summary: &Summary, kpi: Kpi) -> Option<Decimal> {
    summary.figures.iter().find(|figure| figure.kpi == kpi).unwrap().value
}

fn reactions(reactions: i64) -> Gains {
    Gains { reactions: Some(reactions), ..Gains::default() }
}

/// A desk with a post of February that gains in March, two of March, and one of March that has gained nothing yet.
async fn busy_desk() -> Desk {
    let desk = Desk::new().await;
    desk.posts(&[
        "x,a,old,2026-02-20,,500",
        "x,a,p1,2026-03-02,Launch,40",
        "facebook,b,p2,2026-03-10,,9",
        "facebook,b,silent,2026-03-20,,",
    ])
    .await;
    desk.gains("old", "2026-02-20", 30, reactions(3)).await;
    desk.gains("p1", "2026-03-02", 30, Gains { reach: Some(7), impressions: Some(10), ..reactions(2) }).await;
    let paid = Gains {
        conversions: Some(1),
        revenue: Some("20.50".parse().unwrap()),
        cost: Some(Decimal::from(5)),
        sentiment: Some((1.5, 4)),
        ..reactions(1)
    };
    desk.gains("p2", "2026-03-10", 4, paid).await;
    desk.gains("p2", "2026-03-14", 6, reactions(1)).await;
    desk
}

#[tokio::test]
async fn content_published_counts_a_post_once_however_many_days_it_gains_on() {
    let desk = busy_desk().await;
    let march = desk.march().await;
    assert_eq!(march.basis, Basis::Period);
    let published = desk
        .number("select count(*)::numeric from post where published_from between '2026-03-01' and '2026-03-31'")
        .await;
    assert_eq!((value(&march, Kpi::Published), published), (Some(3.into()), Some(3.into())));
    let by_day: Decimal = march.trend.iter().filter_map(|point| point.value).sum();
    assert_eq!(by_day, Decimal::from(3), "the trend adds up to the figure");
    let figure = march.figures.iter().find(|figure| figure.kpi == Kpi::Published).unwrap();
    assert_eq!(figure.course.iter().flatten().sum::<Decimal>(), Decimal::from(3), "and so does the line on the card");
    let february = desk.ask(over("2026-02-01", "2026-02-28")).await;
    assert_eq!(value(&february, Kpi::Published), Some(1.into()));
    let quiet = desk.ask(over("2026-03-21", "2026-03-31")).await;
    assert_eq!(
        (value(&quiet, Kpi::Published), value(&quiet, Kpi::Engagements)),
        (Some(0.into()), Some((3 + 11 * 2).into())),
        "nothing was published, and older posts still gained"
    );
}

#[tokio::test]
async fn a_scorecard_counts_what_was_published_once_and_what_was_gained_in_the_period() {
    let desk = busy_desk().await;
    let march = desk.march().await;
    let sort = Sort { column: Column::Name, is_descending: false };
    let query = Query {
        previous: Some(Period::new(day("2026-02-01"), day("2026-02-28")).unwrap()),
        ..over("2026-03-01", "2026-03-31")
    };
    for (dimension, expect) in [
        (Dimension::Platform, vec![("Facebook", 2, 10), ("X", 1, 123)]),
        (Dimension::Account, vec![("a", 1, 123), ("b", 2, 10)]),
        (Dimension::Campaign, vec![("Launch", 1, 60), ("No campaign", 2, 73)]),
    ] {
        let card =
            scorecard::read(&desk.ctx, &query, dimension, sort, &march.accounts, &march.campaigns).await.unwrap();
        assert_eq!(card.basis, Basis::Period);
        let value = |row: &scorecard::Row, kpi: Kpi| row.cell(kpi).unwrap().value;
        let shown: Vec<_> = card
            .rows
            .iter()
            .map(|row| (row.name.as_str(), value(row, Kpi::Published), value(row, Kpi::Engagements)))
            .collect();
        let expect: Vec<(&str, Option<Decimal>, Option<Decimal>)> =
            expect.into_iter().map(|(name, posts, gained)| (name, Some(posts.into()), Some(gained.into()))).collect();
        assert_eq!(shown, expect);
        assert_eq!(
            (value(&card.total, Kpi::Published), value(&card.total, Kpi::Engagements)),
            (Some(3.into()), Some(133.into()))
        );
        assert_eq!(card.total.cell(Kpi::Published).unwrap().previous, Some(1.into()));
    }
}

#[tokio::test]
async fn the_list_of_what_was_published_keeps_to_the_campaign() {
    let desk = busy_desk().await;
    let march = desk.march().await;
    let filter = Filter { campaigns: vec![march.campaigns[0].id], ..Filter::default() };
    let query = over("2026-03-01", "2026-03-31");
    let asked = post::Query { period: query.period, filter, metric: Some(Kpi::Published), after: None };
    let listing = post::list(&desk.ctx, &asked).await.unwrap();
    let shown: Vec<_> = listing.posts.iter().map(|one| one.external_id.as_str()).collect();
    assert_eq!((shown, listing.count, listing.totals.engagements), (vec!["p1"], 1, Some(60)));
    let figure = value(&desk.ask(Query { filter: asked.filter.clone(), ..query }).await, Kpi::Published);
    assert_eq!(figure, Some(1.into()));
    // The next page begins inside the day.
    let all = post::Query { filter: Filter::default(), ..asked };
    let first = &post::list(&desk.ctx, &all).await.unwrap().posts[0];
    let after = post::Cursor { day: first.first_day, published_at: first.published_at, id: first.id };
    let rest = post::list(&desk.ctx, &post::Query { after: Some(after), ..all }).await.unwrap();
    assert_eq!(rest.posts.iter().map(|one| one.external_id.as_str()).collect::<Vec<_>>(), ["p2", "p1"]);
}

#[tokio::test]
async fn figures_of_the_period_are_what_was_gained_in_it() {
    let desk = busy_desk().await;
    let march = desk.march().await;
    for (kpi, query) in [
        (
            Kpi::Engagements,
            "select sum(engagements)::numeric from post_daily where day between '2026-03-01' and '2026-03-31'",
        ),
        (Kpi::Reach, "select sum(reach)::numeric from post_daily where day between '2026-03-01' and '2026-03-31'"),
        (
            Kpi::Impressions,
            "select sum(impressions)::numeric from post_daily where day between '2026-03-01' and '2026-03-31'",
        ),
        (
            Kpi::Conversions,
            "select sum(conversions)::numeric from post_daily where day between '2026-03-01' and '2026-03-31'",
        ),
        (Kpi::Revenue, "select sum(revenue) from post_daily where day between '2026-03-01' and '2026-03-31'"),
        (
            Kpi::Sentiment,
            "select (sum(sentiment_sum) / sum(sentiment_count))::numeric from post_daily where day between '2026-03-01' and '2026-03-31'",
        ),
        (
            Kpi::Roi,
            "select (sum(revenue) - sum(cost)) / sum(cost) from post_daily where revenue is not null and cost is not null",
        ),
    ] {
        let from_facts = desk.number(query).await;
        assert!(from_facts.is_some(), "{kpi}");
        assert_eq!(value(&march, kpi), from_facts.map(|value| value.round_dp(12).normalize()), "{kpi}");
    }
    // 21 days of the old post in March, 30 of p1, 10 of p2.
    assert_eq!(value(&march, Kpi::Engagements), Some((21 * 3 + 30 * 2 + 10).into()));
    desk.check_roll_ups().await;
}

#[tokio::test]
async fn coverage_counts_the_days_on_which_a_figure_is_reported() {
    let desk = busy_desk().await;
    let march = desk.march().await;
    let coverage = |kpi: Kpi| {
        let coverage = march.figures.iter().find(|figure| figure.kpi == kpi).unwrap().coverage;
        (coverage.platforms, coverage.of_platforms, coverage.posts, coverage.of_posts)
    };
    assert_eq!(coverage(Kpi::Engagements), (2, 2, 61, 61));
    assert_eq!(coverage(Kpi::Reach), (1, 2, 30, 61), "X alone, on the 30 days of one post");
    assert_eq!(coverage(Kpi::Sentiment), (1, 2, 4, 61), "four days have scores, however many scores there are");
    assert_eq!(coverage(Kpi::Published), (2, 2, 3, 3));
    let reach = march.figures.iter().find(|figure| figure.kpi == Kpi::Reach).unwrap();
    let words = rtv_domain::coverage::words(&Format::of(desk.ctx.tenant()), reach);
    assert_eq!(words.as_deref(), Some("1 of 2 platforms report this, 49.1% of daily figures"));
    let note = |kpi: Kpi| march.figures.iter().find(|figure| figure.kpi == kpi).unwrap().note.clone().unwrap();
    assert_eq!(note(Kpi::Sentiment), "Mean of 16 scored engagements.");
    assert!(note(Kpi::Reach).contains("one on two days"));
}

#[tokio::test]
async fn the_posts_behind_a_figure_of_the_period_add_up_to_it() {
    let desk = busy_desk().await;
    let period = Period::new(day("2026-03-01"), day("2026-03-31")).unwrap();
    let march = desk.march().await;
    let list = async |metric: Option<Kpi>| {
        let query = post::Query { period, filter: Filter::default(), metric, after: None };
        post::list(&desk.ctx, &query).await.unwrap()
    };
    let names = |listing: &post::Listing| -> Vec<String> {
        listing.posts.iter().map(|post| post.external_id.clone()).collect()
    };
    let gained = list(None).await;
    assert_eq!(names(&gained), ["p2", "p1", "old"], "whatever gained something, whenever it was published");
    let sum: i64 = gained.posts.iter().filter_map(|post| post.figures.engagements).sum();
    assert_eq!(Some(Decimal::from(sum)), value(&march, Kpi::Engagements));
    assert_eq!(gained.totals.engagements.map(Decimal::from), value(&march, Kpi::Engagements));

    let published = list(Some(Kpi::Published)).await;
    assert_eq!(names(&published), ["silent", "p2", "p1"]);
    assert_eq!(Some(Decimal::from(published.count)), value(&march, Kpi::Published));
    assert_eq!(published.posts[0].figures.engagements, None, "it has gained nothing that has arrived");
    let sum: i64 = published.posts.iter().filter_map(|post| post.figures.engagements).sum();
    assert_eq!(published.totals.engagements, Some(sum));
}

#[tokio::test]
async fn storing_a_day_again_replaces_it_and_storing_the_same_changes_nothing() {
    let desk = Desk::new().await;
    desk.posts(&["x,a,p1,2026-03-02,,40"]).await;
    let (post, account) = (desk.post_id("p1").await, desk.account_id("a").await);
    let gains = |count: i64| PostDay { post, day: day("2026-03-02"), gains: reactions(count) };
    let followers = |followers: i64| FollowerCount { account, day: day("2026-03-02"), followers };
    let store = async |gains: &[PostDay], followers: &[FollowerCount]| {
        daily_metric::store(&desk.ctx, gains, followers).await.unwrap()
    };
    assert_eq!(
        store(&[gains(1), gains(5)], &[followers(10), followers(12)]).await,
        Stored { post_days: 1, follower_counts: 1 }
    );
    assert_eq!(
        value(&desk.march().await, Kpi::Engagements),
        Some(5.into()),
        "of two rows for a day the later one counts"
    );

    let before = desk.world.state(&desk.tenant, &[]).await;
    assert_eq!(store(&[gains(5)], &[followers(12)]).await, Stored::default());
    assert_eq!(desk.world.state(&desk.tenant, &[]).await, before, "no row, no event, no instant has changed");

    assert_eq!(store(&[gains(8)], &[followers(11)]).await, Stored { post_days: 1, follower_counts: 1 });
    assert_eq!(value(&desk.march().await, Kpi::Engagements), Some(8.into()));
    assert_eq!(desk.world.rows(&desk.tenant, "post_daily").await.len(), 1);
    assert_eq!(desk.world.rows(&desk.tenant, "account_daily").await[0]["followers"], 11);
    desk.check_roll_ups().await;
    let events: Vec<String> =
        desk.world.audit(Some(&desk.tenant)).await.into_iter().map(|(action, _, _)| action).collect();
    assert_eq!(events.iter().filter(|action| *action == "daily_metric.store").count(), 2, "{events:?}");
}

#[tokio::test]
async fn gains_make_an_account_one_of_the_period_and_followers_do_not() {
    let desk = Desk::new().await;
    desk.posts(&["x,a,p1,2026-03-02,,40"]).await;
    let account = desk.account_id("a").await;
    let followers = FollowerCount { account, day: day("2026-03-02"), followers: 3 };
    daily_metric::store(&desk.ctx, &[], &[followers]).await.unwrap();
    assert_eq!(desk.march().await.basis, Basis::Lifetime);
    desk.gains("p1", "2026-03-02", 2, reactions(1)).await;
    let known = account::list(&desk.ctx).await.unwrap().remove(0);
    assert_eq!((known.basis, known.figures_until), (Basis::Period, Some(day("2026-03-03"))));
    desk.gains("p1", "2026-03-01", 1, reactions(1)).await;
    let known = account::list(&desk.ctx).await.unwrap().remove(0);
    assert_eq!(known.figures_until, Some(day("2026-03-03")), "an older day takes nothing back");
}

#[tokio::test]
async fn an_account_whose_figures_end_before_yesterday_is_late() {
    let desk = Desk::new().await;
    // Today is 2026-11-21.
    desk.posts(&["x,a,p1,2026-11-01,,40", "facebook,b,p2,2026-11-01,,40"]).await;
    desk.gains("p1", "2026-11-01", 20, reactions(1)).await;
    desk.gains("p2", "2026-11-01", 18, reactions(1)).await;
    let late = async |from: &str, to: &str| -> Vec<(String, NaiveDate)> {
        desk.ask(over(from, to)).await.late.into_iter().map(|one| (one.name, one.until)).collect()
    };
    assert_eq!(late("2026-11-01", "2026-11-21").await, [("b".to_owned(), day("2026-11-18"))]);
    assert_eq!(late("2026-11-01", "2026-11-18").await, [], "all days of that period have arrived");
    assert_eq!(late("2026-11-19", "2026-11-21").await, [], "nothing of it is in that period");
}

#[tokio::test]
async fn nothing_impossible_or_foreign_is_stored_and_nobody_may_who_only_reads() {
    let desk = Desk::new().await;
    desk.posts(&["x,a,p1,2026-03-02,,40"]).await;
    let post = desk.post_id("p1").await;
    let other = desk.world.tenant("other", "UTC").await;
    let theirs = desk.world.member(&other, Role::Editor).await;
    let row = |gains: Gains| PostDay { post, day: day("2026-03-02"), gains };
    let before = desk.world.state(&desk.tenant, &[]).await;
    let refused = async |ctx: &TenantContext, rows: &[PostDay]| match daily_metric::store(ctx, rows, &[]).await {
        Err(Error::Invalid(errors)) => errors[0].field.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&theirs, &[row(reactions(1))]).await, "post", "another tenant’s post does not exist");
    assert_eq!(refused(&desk.ctx, &[PostDay { post: Uuid::now_v7().into(), ..row(reactions(1)) }]).await, "post");
    assert_eq!(refused(&desk.ctx, &[PostDay { day: day("1900-01-01"), ..row(reactions(1)) }]).await, "day");
    for gains in [
        reactions(i64::MAX),
        Gains { sentiment: Some((3.0, 2)), ..Gains::default() },
        Gains { sentiment: Some((f64::NAN, 2)), ..Gains::default() },
        Gains { sentiment: Some((0.0, -1)), ..Gains::default() },
    ] {
        assert_eq!(refused(&desk.ctx, &[row(reactions(1)), row(gains)]).await, "gains");
    }
    assert_eq!(desk.world.state(&desk.tenant, &[]).await, before, "all or none");
    let viewer = desk.world.member(&desk.tenant, Role::Viewer).await;
    let answer = daily_metric::store(&viewer, &[row(reactions(1))], &[]).await;
    assert_eq!(answer, Err(Error::Forbidden(Permission::ImportsManage)));
}

#[tokio::test]
async fn verify_finds_a_wrong_group_of_either_basis() {
    let desk = busy_desk().await;
    desk.check_roll_ups().await;
    for (basis, statement) in [
        (
            Basis::Period,
            "update kpi_daily set sentiment_posts = sentiment_posts + 1 where basis = 'period' and first_day = '2026-03-11' and sentiment_posts > 0",
        ),
        (Basis::Lifetime, "delete from kpi_daily where basis = 'lifetime' and first_day = '2026-03-10'"),
    ] {
        assert_eq!(desk.world.execute(&desk.tenant, statement).await, 1, "{statement}");
        let found = kpi_daily::verify(&desk.ctx).await.unwrap();
        assert!(found.iter().any(|one| one.basis == basis), "{found:?}");
    }
    assert_eq!(kpi_daily::verify(&desk.ctx).await.unwrap().len(), 2);
}

/// A post takes its gains along when an import gives it another campaign, and when it goes.
#[tokio::test]
async fn an_import_and_its_roll_back_keep_the_roll_up_of_gains_right() {
    let desk = busy_desk().await;
    let before = desk.world.rows(&desk.tenant, "kpi_daily").await;
    let changed = desk.posts(&["x,a,p1,2026-03-02,Another,41"]).await;
    desk.check_roll_ups().await;
    assert_ne!(desk.world.rows(&desk.tenant, "kpi_daily").await, before);
    import::roll_back(&desk.ctx, changed).await.unwrap();
    desk.check_roll_ups().await;
    assert_eq!(desk.world.rows(&desk.tenant, "kpi_daily").await, before);

    let new = desk.posts(&["x,a,p9,2026-03-05,,1"]).await;
    desk.gains("p9", "2026-03-05", 3, reactions(100)).await;
    import::roll_back(&desk.ctx, new).await.unwrap();
    desk.check_roll_ups().await;
    assert_eq!(desk.world.rows(&desk.tenant, "kpi_daily").await, before);
}

/// Two that store beside each other wait for each other, or each would roll up without the other’s rows.
#[tokio::test]
async fn daily_facts_that_are_stored_at_the_same_time_are_all_rolled_up() {
    let desk = Desk::new().await;
    let rows: Vec<String> = (0..6).map(|number| format!("x,a,p{number},2026-03-02,,40")).collect();
    desk.posts(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut posts = Vec::new();
    for number in 0..6 {
        posts.push(desk.post_id(&format!("p{number}")).await);
    }
    let tasks: Vec<_> = posts
        .into_iter()
        .map(|post| {
            let ctx = desk.ctx.clone();
            tokio::spawn(async move {
                let row = PostDay { post, day: "2026-03-02".parse().unwrap(), gains: reactions(1) };
                daily_metric::store(&ctx, &[row], &[]).await.unwrap()
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().post_days, 1);
    }
    assert_eq!(value(&desk.march().await, Kpi::Engagements), Some(6.into()));
    desk.check_roll_ups().await;
}
