//! Imports end to end: what a file holds is what the figures say, twice is the same as once, and a roll-back leaves
//! no trace but in the log. The research files are read here a second time, by a parser that shares nothing with RTV.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use chrono::{Datelike, Months, NaiveDate};
use rtv_core::kpi::{Basis, Kpi};
use rtv_core::period::{Grain, Period};
use rtv_core::{Error, ImportId, Permission, Role};
use rtv_domain::import::{Contradiction, Counts, DuplicateRule, Options, Report, RolledBack};
use rtv_domain::kpi::{self, Filter, Summary};
use rtv_domain::{TenantContext, import, kpi_daily, post};
use rust_decimal::Decimal;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::world::{World, research_data};

const LIVE_SELLERS: &str = "facebook_live_sellers_th.csv";
const COSMETICS: &str = "facebook_cosmetics_brand_2014.csv";
/// Tables that keep what happened, rather than what is.
const HISTORY: [&str; 4] = ["audit_event", "import", "import_change", "import_refusal"];
const HEADER: &str =
    "platform,account_id,account_name,post_id,published_at,campaign,reach,impressions,reactions,comments,revenue,cost";

fn named(file: &str) -> Options {
    Options { file_name: file.into(), ..Options::default() }
}

fn bangkok() -> Options {
    Options { zone: Some(chrono_tz::Asia::Bangkok), ..named(LIVE_SELLERS) }
}

fn with_rule(duplicates: DuplicateRule) -> Options {
    Options { duplicates, ..named("posts.csv") }
}

/// A file of RTV's own form from its rows.
fn file(rows: &[&str]) -> String {
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

fn whole_month(first: NaiveDate) -> Period {
    Period::new(first, first + Months::new(1) - chrono::Days::new(1)).unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn contradictions(report: &Report) -> Vec<String> {
    report.findings.contradiction_examples.iter().map(Contradiction::sentence).collect()
}

async fn summary(ctx: &TenantContext, period: Period) -> Summary {
    let query = kpi::Query {
        period,
        previous: None,
        filter: Filter::default(),
        metric: Kpi::Engagements,
        grain: Some(Grain::Day),
    };
    kpi::summary(ctx, &query).await.unwrap()
}

fn value(summary: &Summary, kpi: Kpi) -> Option<Decimal> {
    summary.figures.iter().find(|figure| figure.kpi == kpi).unwrap().value
}

/// All posts of a period, page after page.
async fn all_posts(ctx: &TenantContext, period: Period) -> (Vec<post::Post>, post::Listing) {
    let mut query = post::Query { period, filter: Filter::default(), metric: None, after: None };
    let mut posts = Vec::new();
    loop {
        let listing = post::list(ctx, &query).await.unwrap();
        posts.extend(listing.posts.iter().cloned());
        match listing.next {
            Some(next) => query.after = Some(next),
            None => return (posts, listing),
        }
    }
}

/// Posts and engagements per month, straight from the file: the first row of each `status_id` counts.
fn months_of_live_sellers(path: &Path) -> BTreeMap<NaiveDate, (i64, i64)> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut seen = HashSet::new();
    let mut months = BTreeMap::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        if !seen.insert(cells[0].to_owned()) {
            continue;
        }
        let date: Vec<&str> = cells[2].split(' ').next().unwrap().split('/').collect();
        let month = NaiveDate::from_ymd_opt(date[2].parse().unwrap(), date[0].parse().unwrap(), 1).unwrap();
        let engagements: i64 = [3, 4, 5].into_iter().map(|index: usize| cells[index].parse::<i64>().unwrap()).sum();
        let (posts, sum) = months.entry(month).or_insert((0, 0));
        *posts += 1;
        *sum += engagements;
    }
    months
}

#[tokio::test]
async fn the_figures_of_every_month_equal_what_the_file_holds() {
    let Some(path) = research_data(LIVE_SELLERS) else { return };
    let world = World::new().await;
    let tenant = world.tenant("sellers", "Asia/Bangkok").await;
    let editor = world.member(&tenant, Role::Editor).await;
    let report = import::run(&editor, &path, bangkok(), |_| {}).await.unwrap();
    assert_eq!(report.counts, Counts { read: 7_050, new: 6_997, changed: 0, unchanged: 0, duplicate: 53, refused: 0 });
    assert_eq!((report.findings.accounts, report.findings.new_accounts), (9, 9));
    assert!(report.findings.notes.iter().any(|note| note.contains("No reach")), "{:?}", report.findings.notes);

    let viewer = world.member(&tenant, Role::Viewer).await;
    let months = months_of_live_sellers(&path);
    assert_eq!(months.values().map(|(posts, _)| posts).sum::<i64>(), 6_997, "the naive parser reads the file as well");
    let (first, last) = (*months.keys().next().unwrap(), *months.keys().next_back().unwrap());
    let mut month = first;
    let mut shown = 0;
    while month <= last {
        let summary = summary(&viewer, whole_month(month)).await;
        let expect = months.get(&month);
        assert_eq!(
            value(&summary, Kpi::Published),
            Some(expect.map_or(0, |(posts, _)| *posts).into()),
            "posts of {month}"
        );
        assert_eq!(
            value(&summary, Kpi::Engagements),
            expect.map(|(_, engagements)| (*engagements).into()),
            "engagements of {month}"
        );
        assert_eq!((summary.basis, summary.undated_posts, summary.unplaced_posts), (Basis::Lifetime, 0, 0));
        for kpi in [
            Kpi::Reach,
            Kpi::Impressions,
            Kpi::EngagementRate,
            Kpi::Revenue,
            Kpi::Roi,
            Kpi::Sentiment,
            Kpi::FollowerGrowth,
        ] {
            let figure = summary.figures.iter().find(|figure| figure.kpi == kpi).unwrap();
            assert_eq!(figure.value, None, "{kpi} of {month} is missing, not 0");
            assert!(
                figure.missing.as_ref().is_some_and(|reason| reason.ends_with('.')),
                "{kpi} of {month} says why it is missing"
            );
        }
        if expect.is_some() {
            let reach = summary.figures.iter().find(|figure| figure.kpi == Kpi::Reach).unwrap();
            assert_eq!(reach.missing.as_deref(), Some("None of the posts in this period reports reach (Facebook)."));
            assert_eq!((reach.coverage.platforms, reach.coverage.of_platforms), (0, 1));
        }
        shown += 1;
        month = month + Months::new(1);
    }
    assert_eq!(shown, 72, "July 2012 to June 2018");

    // The busiest month has several pages of posts.
    let (busiest, (count, engagements)) = months.iter().max_by_key(|(_, (posts, _))| *posts).unwrap();
    let (posts, listing) = all_posts(&viewer, whole_month(*busiest)).await;
    assert!(*count > 2 * post::PAGE, "{count}");
    assert_eq!(i64::try_from(posts.len()).unwrap(), *count);
    assert_eq!(
        posts.iter().map(|post| post.id).collect::<HashSet<_>>().len(),
        posts.len(),
        "no post stands on two pages"
    );
    assert_eq!(posts.iter().filter_map(|post| post.figures.engagements).sum::<i64>(), *engagements);
    assert_eq!((listing.count, listing.totals.engagements, listing.totals.reach), (*count, Some(*engagements), None));
    assert_eq!(kpi_daily::verify(&viewer).await.unwrap(), []);
}

#[tokio::test]
async fn importing_the_same_file_again_changes_nothing_and_a_roll_back_leaves_the_tenant_as_it_was() {
    let Some(path) = research_data(LIVE_SELLERS) else { return };
    let world = World::new().await;
    let tenant = world.tenant("sellers", "Asia/Bangkok").await;
    let editor = world.member(&tenant, Role::Editor).await;
    // Something is there already: a post of one of the file's pages, and one of another.
    let own = file(&[
        "facebook,246675545449582,,own-post,2018-04-22T01:00:00Z,Spring,,,5,,,",
        "x,elsewhere,Elsewhere,p1,2018-04-22T01:00:00Z,,10,20,5,1,3.50,1",
    ]);
    world.import_text(&editor, &own, named("own.csv")).await.unwrap();
    let before = world.state(&tenant, &HISTORY).await;

    let first = import::run(&editor, &path, bangkok(), |_| {}).await.unwrap();
    assert_eq!((first.counts.new, first.findings.new_accounts), (6_997, 8));
    let once = world.state(&tenant, &HISTORY).await;
    assert_ne!(before, once);

    let second = import::run(&editor, &path, bangkok(), |_| {}).await.unwrap();
    assert_eq!(second.counts, Counts { read: 7_050, new: 0, changed: 0, unchanged: 6_997, duplicate: 53, refused: 0 });
    assert_eq!((second.findings.accounts, second.findings.new_accounts), (9, 0));
    assert_eq!(world.state(&tenant, &HISTORY).await, once, "nothing but the log has changed");
    assert_eq!(kpi_daily::verify(&editor).await.unwrap(), []);

    assert_eq!(import::roll_back(&editor, second.id.unwrap()).await, Ok(RolledBack { removed: 0, restored: 0 }));
    assert_eq!(world.state(&tenant, &HISTORY).await, once, "it had changed nothing, so nothing is taken back");
    assert_eq!(import::roll_back(&editor, first.id.unwrap()).await, Ok(RolledBack { removed: 6_997, restored: 0 }));
    assert_eq!(world.state(&tenant, &HISTORY).await, before);
    assert_eq!(kpi_daily::verify(&editor).await.unwrap(), []);

    let again = import::roll_back(&editor, first.id.unwrap()).await;
    assert!(matches!(&again, Err(Error::Conflict(text)) if text.contains("already")), "{again:?}");
    let actions: Vec<String> = world.audit(Some(&tenant)).await.into_iter().map(|(action, _, _)| action).collect();
    assert_eq!(
        actions,
        ["tenant.create", "import.run", "import.run", "import.run", "import.roll_back", "import.roll_back"]
    );
}

#[tokio::test]
async fn a_dry_run_counts_and_writes_nothing() {
    let world = World::new().await;
    let tenant = world.tenant("dry", "UTC").await;
    let editor = world.member(&tenant, Role::Editor).await;
    let first = file(&["x,a,A,p1,2026-03-01T10:00:00Z,Spring,,,5,,,", "x,a,A,p2,2026-03-01T10:00:00Z,Spring,,,5,,,"]);
    world.import_text(&editor, &first, named("first.csv")).await.unwrap();
    let before = world.state(&tenant, &[]).await;
    let second = file(&[
        "x,a,A,p1,2026-03-02T10:00:00Z,Summer,,,6,,,",
        "x,a,A,p2,2026-03-01T10:00:00Z,Spring,,,5,,,",
        "x,b,B,p3,2026-03-02T10:00:00Z,Autumn,,,6,,,",
        "x,b,B,p3,2026-03-02T10:00:00Z,Autumn,,,6,,,",
        "x,b,B,p4,yesterday,Autumn,,,6,,,",
    ]);
    let report =
        world.import_text(&editor, &second, Options { is_dry_run: true, ..named("second.csv") }).await.unwrap();
    assert_eq!(report.id, None);
    assert_eq!(report.counts, Counts { read: 5, new: 1, changed: 1, unchanged: 1, duplicate: 1, refused: 1 });
    assert_eq!((report.findings.accounts, report.findings.new_accounts, report.findings.contradictions), (2, 1, 0));
    assert_eq!(world.state(&tenant, &[]).await, before, "not even the log");

    // The real run says the same and keeps the refused row.
    let real = world.import_text(&editor, &second, named("second.csv")).await.unwrap();
    assert_eq!((real.counts, real.findings.new_accounts), (report.counts, 1));
    let refusals = import::refusals(&editor, real.id.unwrap(), 0, 100).await.unwrap();
    assert_eq!(refusals, report.refusals);
    assert_eq!((refusals[0].row_number, refusals[0].column.as_deref()), (5, Some("published_at")));
    assert!(refusals[0].raw.contains("yesterday"), "{refusals:?}");
}

#[tokio::test]
async fn of_rows_that_contradict_each_other_the_stated_one_counts() {
    let rows = file(&[
        "x,a,A,p1,2026-03-01T10:00:00Z,,,,5,,,",
        "x,a,A,p2,2026-03-01T10:00:00Z,,,,1,,,",
        "x,a,A,p1,2026-03-02T10:00:00Z,,,,6,,,",
        "x,a,A,p1,2026-03-03T10:00:00Z,,,,7,,,",
        "x,a,A,p2,2026-03-01T10:00:00Z,,,,1,,,",
    ]);
    let world = World::new().await;
    for (rule, slug, engagements) in [(DuplicateRule::First, "first", 6), (DuplicateRule::Last, "last", 8)] {
        let tenant = world.tenant(slug, "UTC").await;
        let editor = world.member(&tenant, Role::Editor).await;
        let report = world.import_text(&editor, &rows, with_rule(rule)).await.unwrap();
        assert_eq!(report.counts, Counts { read: 5, new: 2, duplicate: 3, ..Counts::default() }, "{slug}");
        assert_eq!(
            (report.findings.contradictions, contradictions(&report)),
            (1, vec!["p1 in rows 1, 3, 4".to_owned()])
        );
        let summary = summary(&editor, whole_month(day("2026-03-01"))).await;
        assert_eq!(value(&summary, Kpi::Engagements), Some(engagements.into()), "{slug}");
    }
    let tenant = world.tenant("refuse", "UTC").await;
    let editor = world.member(&tenant, Role::Editor).await;
    let before = world.state(&tenant, &[]).await;
    let refused = world.import_text(&editor, &rows, with_rule(DuplicateRule::Refuse)).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Invalid(errors) if errors[0].field == "duplicates" && errors[0].message.contains("p1 in rows 1, 3, 4")),
        "{refused:?}"
    );
    assert_eq!(world.state(&tenant, &[]).await, before);
    // Rows that say the same do not contradict each other.
    let equal = file(&["x,a,A,p2,2026-03-01T10:00:00Z,,,,1,,,", "x,a,A,p2,2026-03-01T10:00:00Z,,,,1,,,"]);
    let report = world.import_text(&editor, &equal, with_rule(DuplicateRule::Refuse)).await.unwrap();
    assert_eq!((report.counts.new, report.counts.duplicate, report.findings.contradictions), (1, 1, 0));
}

#[tokio::test]
async fn a_changed_row_is_changed_and_a_roll_back_restores_it() {
    let world = World::new().await;
    let tenant = world.tenant("changing", "Asia/Bangkok").await;
    let editor = world.member(&tenant, Role::Editor).await;
    let rows = [
        "x,a,A,p1,2026-03-01T10:00:00Z,Spring,7,70,5,1,10.50,2.25",
        "x,a,A,p2,2026-03-01T10:00:00Z,Spring,8,80,6,2,,",
        "x,b,B,p3,2026-03,,,,,,,",
    ];
    let first = world.import_text(&editor, &file(&rows), named("first.csv")).await.unwrap();
    let before = world.state(&tenant, &HISTORY).await;

    let changed = ["x,a,A,p1,2026-02-28T13:30:00Z,Summer,9,,50,1,11.75,", rows[1], rows[2]];
    let second = world.import_text(&editor, &file(&changed), named("second.csv")).await.unwrap();
    assert_eq!(second.counts, Counts { read: 3, changed: 1, unchanged: 2, ..Counts::default() });
    // It moved to another day, so the roll-ups of both days have changed.
    let march = summary(&editor, whole_month(day("2026-03-01"))).await;
    assert_eq!((value(&march, Kpi::Engagements), value(&march, Kpi::Revenue)), (Some(8.into()), None));
    let february = summary(&editor, whole_month(day("2026-02-01"))).await;
    assert_eq!(
        (value(&february, Kpi::Engagements), value(&february, Kpi::Revenue)),
        (Some(51.into()), Some("11.75".parse().unwrap()))
    );
    assert_eq!(kpi_daily::verify(&editor).await.unwrap(), []);

    let state = world.state(&tenant, &[]).await;
    let refused = import::roll_back(&editor, first.id.unwrap()).await.unwrap_err();
    let later = second.id.unwrap().to_string();
    assert!(matches!(&refused, Error::Conflict(text) if text.contains(&later)), "{refused:?}");
    assert_eq!(world.state(&tenant, &[]).await, state, "a refused roll-back changes nothing");

    assert_eq!(import::roll_back(&editor, second.id.unwrap()).await, Ok(RolledBack { removed: 0, restored: 1 }));
    assert_eq!(
        world.state(&tenant, &HISTORY).await,
        before,
        "every column of the post, the campaigns and the roll-ups"
    );
    assert_eq!(kpi_daily::verify(&editor).await.unwrap(), []);
    assert_eq!(import::roll_back(&editor, first.id.unwrap()).await, Ok(RolledBack { removed: 3, restored: 0 }));
    for (table, rows) in world.state(&tenant, &HISTORY).await {
        // Every tenant has its members and the switches of its platforms and actions from the beginning.
        let is_there_always = match table.as_str() {
            "membership" => true,
            "kill_switch" => rows.iter().all(|row| row["kind"] != "account" && row["kind"] != "campaign"),
            _ => false,
        };
        assert!(is_there_always || rows.is_empty(), "{table}: {rows:?}");
    }
}

#[tokio::test]
async fn roll_backs_in_any_order_leave_nothing_behind() {
    let world = World::new().await;
    let tenant = world.tenant("order", "UTC").await;
    let editor = world.member(&tenant, Role::Editor).await;
    let before = world.state(&tenant, &HISTORY).await;
    let first = world
        .import_text(&editor, &file(&["x,a,A,p1,2026-03-01T10:00:00Z,Spring,,,5,,,"]), named("1.csv"))
        .await
        .unwrap();
    let second = world
        .import_text(&editor, &file(&["x,a,A,p2,2026-03-01T10:00:00Z,Spring,,,6,,,"]), named("2.csv"))
        .await
        .unwrap();
    import::roll_back(&editor, first.id.unwrap()).await.unwrap();
    assert_eq!(world.rows(&tenant, "account").await.len(), 1, "the second import's post still needs it");
    assert_eq!(kpi_daily::verify(&editor).await.unwrap(), []);
    import::roll_back(&editor, second.id.unwrap()).await.unwrap();
    assert_eq!(
        world.state(&tenant, &HISTORY).await,
        before,
        "account and campaign of the first went with their last post"
    );
}

#[tokio::test]
async fn who_may_not_import_is_refused_and_the_refusal_is_logged() {
    let world = World::new().await;
    let tenant = world.tenant("guarded", "UTC").await;
    let rows = file(&["x,a,A,p1,2026-03-01T10:00:00Z,,,,5,,,"]);
    let viewer = world.member(&tenant, Role::Viewer).await;
    let refused = world.import_text(&viewer, &rows, named("posts.csv")).await;
    assert_eq!(refused.unwrap_err(), Error::Forbidden(Permission::ImportsManage));
    let id = ImportId::from(Uuid::now_v7());
    assert_eq!(import::roll_back(&viewer, id).await, Err(Error::Forbidden(Permission::ImportsManage)));
    assert!(world.rows(&tenant, "post").await.is_empty());
    let denied = ("permission.refused".to_owned(), "denied".to_owned(), Some("imports:manage".to_owned()));
    assert_eq!(world.audit(Some(&tenant)).await[1..], [denied.clone(), denied]);
    for role in [Role::Owner, Role::Admin, Role::Editor] {
        let member = world.member(&tenant, role).await;
        assert!(world.import_text(&member, &rows, named("posts.csv")).await.is_ok(), "{role}");
    }
}

#[tokio::test]
async fn a_suspended_tenant_can_be_read_and_not_changed() {
    let world = World::new().await;
    let tenant = world.tenant("halted", "UTC").await;
    let editor = world.member(&tenant, Role::Editor).await;
    let rows = file(&["x,a,A,p1,2026-03-01T10:00:00Z,,,,5,,,"]);
    let done = world.import_text(&editor, &rows, named("posts.csv")).await.unwrap();
    for (status, statement) in [
        ("suspended", "update tenant set status = 'suspended'"),
        ("cancelled", "update tenant set status = 'cancelled'"),
    ] {
        world.execute(&tenant, statement).await;
        let before = world.state(&tenant, &[]).await;
        let editor = world.enter(editor.context().person().unwrap(), &tenant).await;
        for refused in [
            world.import_text(&editor, &rows, named("posts.csv")).await.map(drop),
            import::roll_back(&editor, done.id.unwrap()).await.map(drop),
        ] {
            assert!(matches!(&refused, Err(Error::ReadOnly(_))), "{status}: {refused:?}");
        }
        assert_eq!(world.state(&tenant, &[]).await, before);
        assert_eq!(value(&summary(&editor, whole_month(day("2026-03-01"))).await, Kpi::Published), Some(1.into()));
    }
}

#[tokio::test]
async fn what_is_missing_or_unknown_is_named_and_nothing_is_stored() {
    let world = World::new().await;
    let tenant = world.tenant("asking", "Asia/Bangkok").await;
    let editor = world.member(&tenant, Role::Editor).await;
    let before = world.state(&tenant, &[]).await;
    let local = "status_id,status_type,status_published,num_comments,num_shares,num_reactions,num_likes,num_loves,num_wows,num_hahas,num_sads,num_angrys\n\
                 1_2,video,4/22/2018 6:00,512,262,529,432,92,3,1,1,0\n";
    let rows = file(&["x,a,A,p1,2026-03-01T10:00:00Z,,,,5,,,"]);
    let account = Some(rtv_core::AccountId::from(Uuid::now_v7()));
    for (text, options, field) in [
        (local, named("f.csv"), "zone"),
        (rows.as_str(), Options { mapping: Some("guess".into()), ..named("f.csv") }, "mapping"),
        (rows.as_str(), Options { account, ..named("f.csv") }, "account"),
        ("a,b\n1,2\n", named("f.csv"), "mapping"),
        ("", named("f.csv"), "file"),
    ] {
        let refused = world.import_text(&editor, text, options).await;
        assert!(matches!(&refused, Err(Error::Invalid(errors)) if errors[0].field == field), "{field}: {refused:?}");
    }
    let nowhere = import::run(&editor, Path::new("not-there.csv"), named("f.csv"), |_| {}).await;
    assert!(matches!(&nowhere, Err(Error::Invalid(errors)) if errors[0].field == "file"), "{nowhere:?}");
    assert_eq!(world.state(&tenant, &[]).await, before);
}

/// Values that no column of the database or no sum of a year can hold are refused with their row, not failed on.
#[tokio::test]
async fn values_too_large_to_keep_are_refused_with_their_row() {
    let world = World::new().await;
    let tenant = world.tenant("large", "UTC").await;
    let editor = world.member(&tenant, Role::Editor).await;
    for (column, row) in [
        ("reach", "x,a,A,p1,2026-03-01T10:00:00Z,,9223372036854775807,,,,,"),
        ("reactions", "x,a,A,p1,2026-03-01T10:00:00Z,,,,9223372036854775807,9223372036854775807,,"),
        ("revenue", "x,a,A,p1,2026-03-01T10:00:00Z,,,,,,100000000000000000000,"),
        ("cost", "x,a,A,p1,2026-03-01T10:00:00Z,,,,,,,0.125"),
    ] {
        let report = world
            .import_text(&editor, &file(&[row, "x,a,A,p2,2026-03-01T10:00:00Z,,1,1,1,1,1.25,1"]), named("f.csv"))
            .await;
        let report = report.unwrap_or_else(|error| panic!("{column}: {error:?}"));
        assert_eq!((report.counts.refused, report.refusals[0].column.as_deref()), (1, Some(column)), "{report:?}");
        assert_eq!(report.refusals[0].row_number, 1);
        assert_eq!(report.refusals[0].raw, row, "the whole row, to be mended");
    }
    let rows: Vec<String> =
        (0..200).map(|post| format!("x,a,A,q{post},2026-03-01T10:00:00Z,,,,1000000000000,,999999999999.99,")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    assert_eq!(
        world.import_text(&editor, &file(&rows), named("f.csv")).await.unwrap().counts.new,
        200,
        "sums of what is kept fit"
    );
}

#[tokio::test]
async fn text_comes_back_as_it_was_written() {
    let world = World::new().await;
    let tenant = world.tenant("texts", "UTC").await;
    let editor = world.member(&tenant, Role::Editor).await;
    let texts = [
        "tab\tand \\ backslash",
        "two\nlines\r\nand more",
        "\\N",
        "\\.",
        "=1+1",
        "“ünï” 🦀",
        "a\"quote\"",
        " spaces around ",
    ];
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["platform", "account_id", "post_id", "published_at", "text"]).unwrap();
    for (number, text) in texts.iter().enumerate() {
        writer
            .write_record(["x", "a", &format!("p{number}"), &format!("2026-03-0{}T10:00:00Z", number + 1), text])
            .unwrap();
    }
    let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
    assert_eq!(world.import_text(&editor, &text, named("f.csv")).await.unwrap().counts.new, 8);
    let (posts, _) = all_posts(&editor, whole_month(day("2026-03-01"))).await;
    let read: Vec<&str> = posts.iter().rev().map(|post| post.body.as_deref().unwrap()).collect();
    assert_eq!(read, texts);

    let nul = "platform,account_id,post_id,published_at,text\nx,a,n,2026-03-01T10:00:00Z,a\0b\n";
    let report = world.import_text(&editor, nul, named("f.csv")).await.unwrap();
    assert_eq!((report.counts.new, report.counts.refused), (0, 1), "PostgreSQL cannot keep it, so the row says so");
}

#[tokio::test]
async fn two_imports_at_once_take_turns() {
    let world = World::new().await;
    let tenant = world.tenant("turns", "UTC").await;
    let editor = world.member(&tenant, Role::Editor).await;
    let rows: Vec<String> =
        (0..300).map(|post| format!("x,a{},A,p{post},2026-03-01T10:00:00Z,Spring,,,5,,,", post % 3)).collect();
    let rows = file(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let (one, other) = tokio::join!(
        world.import_text(&editor, &rows, named("one.csv")),
        world.import_text(&editor, &rows, named("other.csv"))
    );
    let mut new = [one.unwrap().counts, other.unwrap().counts].map(|counts| (counts.new, counts.unchanged));
    new.sort_unstable();
    assert_eq!(new, [(0, 300), (300, 0)]);
}

#[tokio::test]
async fn an_import_of_another_tenant_does_not_exist() {
    let world = World::new().await;
    let own = world.tenant("own", "UTC").await;
    let foreign = world.tenant("foreign", "UTC").await;
    let rows = file(&["x,a,A,p1,2026-03-01T10:00:00Z,,,,5,,,", "x,a,A,p2,never,,,,5,,,"]);
    let theirs = world
        .import_text(&world.member(&foreign, Role::Editor).await, &rows, named("f.csv"))
        .await
        .unwrap()
        .id
        .unwrap();
    let before = world.state(&foreign, &[]).await;
    let editor = world.member(&own, Role::Editor).await;
    let nobodys = ImportId::from(Uuid::now_v7());
    for id in [theirs, nobodys] {
        assert_eq!(import::roll_back(&editor, id).await, Err(Error::NotFound));
    }
    assert_eq!(
        import::refusals(&editor, theirs, 0, 100).await,
        import::refusals(&editor, nobodys, 0, 100).await,
        "theirs looks like nobody's"
    );
    assert_eq!(import::tenant_of(&world.operator(), theirs).await, Ok(foreign.slug.clone()));
    assert_eq!(import::tenant_of(&world.operator(), nobodys).await, Err(Error::NotFound));
    assert_eq!(import::tenant_of(editor.context(), theirs).await, Err(Error::NotFound), "only the operator may ask");
    assert_eq!(world.state(&foreign, &[]).await, before);
}

#[tokio::test]
async fn every_column_of_the_roll_ups_is_verified() {
    let world = World::new().await;
    let tenant = world.tenant("verified", "UTC").await;
    let editor = world.member(&tenant, Role::Editor).await;
    let rows = file(&[
        "x,a,A,p1,2026-03-01T10:00:00Z,Spring,7,70,5,1,10.50,2.25",
        "x,a,A,p2,2026-03-01T10:00:00Z,Summer,7,70,5,1,10.50,2.25",
    ]);
    world.import_text(&editor, &rows, named("f.csv")).await.unwrap();
    assert_eq!(kpi_daily::verify(&editor).await.unwrap(), []);
    let mut statements: Vec<String> = world.rows(&tenant, "kpi_daily").await[0]
        .as_object()
        .unwrap()
        .keys()
        .filter(|column| !matches!(column.as_str(), "tenant_id" | "basis" | "first_day" | "last_day" | "account_id" | "campaign_id"))
        .map(|column| {
            format!("update kpi_daily set {column} = coalesce({column}, 0) + 1 where campaign_id = (select id from campaign where name = 'Spring')")
        })
        .collect();
    assert!(statements.len() > 15, "{statements:?}");
    statements.extend(
        [
            "delete from kpi_daily where campaign_id = (select id from campaign where name = 'Spring')",
            "update kpi_daily set first_day = '2026-02-28' where campaign_id = (select id from campaign where name = 'Spring')",
            "update kpi_daily set campaign_id = '00000000-0000-0000-0000-000000000000' where campaign_id = (select id from campaign where name = 'Spring')",
            "update post set reach = 8 where external_id = 'p1'",
        ]
        .map(str::to_owned),
    );
    for statement in statements {
        let rolled_up = world.rows(&tenant, "kpi_daily").await;
        let mut tx = world.as_tenant(&tenant).await;
        let touched = sqlx::query(AssertSqlSafe(statement.clone())).execute(&mut *tx).await.unwrap().rows_affected();
        assert_eq!(touched, 1, "{statement}");
        tx.commit().await.unwrap();
        let differences = kpi_daily::verify(&editor).await.unwrap();
        assert!(!differences.is_empty(), "not found: {statement}");

        let mut tx = world.as_tenant(&tenant).await;
        sqlx::query("delete from kpi_daily").execute(&mut *tx).await.unwrap();
        for row in rolled_up {
            sqlx::query("insert into kpi_daily select (jsonb_populate_record(null::kpi_daily, $1)).*")
                .bind(row)
                .execute(&mut *tx)
                .await
                .unwrap();
        }
        sqlx::query("update post set reach = 7 where external_id = 'p1'").execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(kpi_daily::verify(&editor).await.unwrap(), [], "mended after: {statement}");
    }
}

/// Posts and the sums of reach and impressions of a month, straight from the file; an empty cell is missing.
fn month_of_cosmetics(path: &Path, month: &str) -> (i64, i64, i64, i64) {
    let text = std::fs::read_to_string(path).unwrap();
    let cells: Vec<Vec<&str>> = text
        .lines()
        .skip(1)
        .map(|line| line.split(';').collect())
        .filter(|cells: &Vec<&str>| cells[3] == month)
        .collect();
    let sum = |columns: &[usize]| {
        cells
            .iter()
            .flat_map(|row| columns.iter().map(|column| row[*column]))
            .filter_map(|cell| cell.parse::<i64>().ok())
            .sum()
    };
    (i64::try_from(cells.len()).unwrap(), sum(&[7]), sum(&[8]), sum(&[11, 15, 16, 17]))
}

#[tokio::test]
async fn a_file_that_knows_only_months_is_counted_by_whole_months() {
    let Some(path) = research_data(COSMETICS) else { return };
    let world = World::new().await;
    let tenant = world.tenant("cosmetics", "Europe/Lisbon").await;
    let editor = world.member(&tenant, Role::Editor).await;
    let report = import::run(&editor, &path, named(COSMETICS), |_| {}).await.unwrap();
    assert_eq!(report.counts, Counts { read: 500, new: 500, ..Counts::default() });
    assert_eq!((report.findings.accounts, report.mapping.as_str()), (1, "facebook-cosmetics-2014"));
    for lacking in [
        "No date",
        "No post ids",
        "summed reach",
        "No conversions, revenue, cost or sentiment",
        "No followers",
        "Empty cells",
    ] {
        assert!(
            report.findings.notes.iter().any(|note| note.contains(lacking)),
            "{lacking}: {:?}",
            report.findings.notes
        );
    }
    let mut all = 0;
    for month in 1..=12 {
        let (posts, reach, impressions, engagements) = month_of_cosmetics(&path, &month.to_string());
        let summary = summary(&editor, whole_month(NaiveDate::from_ymd_opt(2014, month, 1).unwrap())).await;
        assert_eq!(value(&summary, Kpi::Published), Some(posts.into()), "month {month}");
        assert_eq!(value(&summary, Kpi::Reach), Some(reach.into()), "month {month}");
        assert_eq!(value(&summary, Kpi::Impressions), Some(impressions.into()), "month {month}");
        assert_eq!(value(&summary, Kpi::Engagements), Some(engagements.into()), "month {month}");
        assert_eq!((summary.undated_posts, summary.unplaced_posts), (0, posts), "a daily trend cannot place them");
        assert!(summary.trend.iter().all(|point| point.value.is_none()));
        all += posts;
    }
    assert_eq!(all, 500);
    // Who asks for no grain gets one in which every post has its place.
    let two_months = Period::new(day("2014-05-01"), day("2014-06-30")).unwrap();
    let query = kpi::Query {
        period: two_months,
        previous: None,
        filter: Filter::default(),
        metric: Kpi::Published,
        grain: None,
    };
    let fitting = kpi::summary(&editor, &query).await.unwrap();
    let points: Vec<i64> = fitting.trend.iter().map(|point| point.posts).collect();
    assert_eq!((fitting.grain, fitting.unplaced_posts), (Grain::Month, 0));
    assert_eq!(points, [month_of_cosmetics(&path, "5").0, month_of_cosmetics(&path, "6").0]);

    let (march, ..) = month_of_cosmetics(&path, "3");
    let (april, ..) = month_of_cosmetics(&path, "4");
    let half = summary(&editor, Period::new(day("2014-03-01"), day("2014-04-15")).unwrap()).await;
    assert_eq!(
        (value(&half, Kpi::Published), half.undated_posts),
        (Some(march.into()), april),
        "half of April is not counted, and said"
    );
    let half = summary(&editor, Period::new(day("2014-03-10"), day("2014-04-15")).unwrap()).await;
    assert_eq!((value(&half, Kpi::Published), half.undated_posts), (Some(0.into()), march + april));

    let (posts, listing) = all_posts(&editor, Period::new(day("2014-03-01"), day("2014-04-15")).unwrap()).await;
    assert_eq!(
        (i64::try_from(posts.len()).unwrap(), listing.count),
        (march, march),
        "the list holds what the figure counts"
    );
    assert!(posts.iter().all(|post| post.published_at.is_none() && post.first_day.month() == 3));
    let missing: i64 = {
        let mut tx = world.as_tenant(&tenant).await;
        sqlx::query_scalar("select count(*) from post where reactions is null or shares is null")
            .fetch_one(&mut *tx)
            .await
            .unwrap()
    };
    assert_eq!(missing, 4, "empty cells of like and share are missing, not 0");

    let again = import::run(&editor, &path, named(COSMETICS), |_| {}).await.unwrap();
    assert_eq!(again.counts, Counts { read: 500, unchanged: 500, ..Counts::default() });
    import::roll_back(&editor, report.id.unwrap()).await.unwrap();
    assert!(world.rows(&tenant, "post").await.is_empty() && world.rows(&tenant, "kpi_daily").await.is_empty());
}
