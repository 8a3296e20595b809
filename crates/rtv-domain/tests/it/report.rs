//! Reports over hand-made facts: each source against sums in the test's own words, versions and who may change them, runs.

use rtv_core::filter::PageFilter;
use rtv_core::report::{
    Block, Cell, ChartKind, Content, Definition, Dimension, Edit, FileFormat, Filled, FilledContent, Measure, NewBlock,
    Query, RunState, Section, Sort, Source, Table,
};
use rtv_core::{Error, Role};
use rtv_domain::report::{self, Asked, MakeRun, NewFile, Shown, Template, Ticket};

use crate::figures::Desk;
use crate::world::outbox;

pub(crate) const MARCH: &str = "range=custom&from=2026-03-01&to=2026-03-31";

pub(crate) fn ask(source: Source, dimensions: &[Dimension], measures: &[Measure]) -> Query {
    Query {
        source,
        dimensions: dimensions.to_vec(),
        measures: measures.to_vec(),
        sort: None,
        limit: None,
        is_compared: false,
    }
}

pub(crate) fn report_of(contents: Vec<Content>) -> Definition {
    let blocks = contents
        .into_iter()
        .enumerate()
        .map(|(index, content)| Block { id: u32::try_from(index).unwrap() + 2, title: String::new(), content })
        .collect();
    Definition {
        name: "March".into(),
        description: String::new(),
        parameters: MARCH.into(),
        sections: vec![Section { id: 1, title: "All".into(), blocks }],
        last_id: 0,
    }
}

pub(crate) fn table_of(query: Query) -> Content {
    Content::Table { query, has_totals: true }
}

pub(crate) fn filter(query: &str) -> PageFilter {
    PageFilter::parse(query.split('&').filter_map(|pair| pair.split_once('='))).unwrap()
}

async fn filled(desk: &Desk, definition: &Definition, shown: Shown) -> Filled {
    let parameters = filter(&definition.parameters);
    let asked = Asked { parameters: &parameters, version: None, shown, address: "/t/desk/reports/rep_1" };
    report::fill(&desk.ctx, definition, &asked).await.unwrap()
}

async fn table(desk: &Desk, query: Query) -> Table {
    let filled = filled(desk, &report_of(vec![table_of(query)]), Shown::AsDefined).await;
    match filled.sections[0].blocks[0].content.clone() {
        FilledContent::Table(table) => table,
        other => panic!("{other:?}"),
    }
}

/// A table as text, a row each; the last one is that of the totals.
pub(crate) fn text(table: &Table) -> Vec<String> {
    let cell = |cell: &Cell| match cell {
        Cell::Missing => "-".to_owned(),
        Cell::Text(text) => text.clone(),
        Cell::Day(day) => day.to_string(),
        Cell::Instant(at) => at.to_rfc3339(),
        Cell::Ordinal(number) => number.to_string(),
        Cell::Number(value) => value.normalize().to_string(),
    };
    let row = |row: &Vec<Cell>| row.iter().map(cell).collect::<Vec<_>>().join(" | ");
    table.rows.iter().chain(&table.totals).map(row).collect()
}

/// Two accounts on one platform and one on another, over two months.
pub(crate) async fn desk() -> Desk {
    let desk = Desk::new("Europe/Berlin").await;
    desk.posts(&[
        "x,a,p1,2026-03-02T10:00:00Z,100,200,10,1,1,,,,,",
        "x,a,p2,2026-03-02T12:00:00Z,50,100,5,,,,,,,",
        "x,b,p3,2026-03-09T10:00:00Z,,50,30,,,,,,,",
        // 23:30 in UTC is the next day in Berlin.
        "facebook,c,p4,2026-03-31T21:30:00Z,10,,4,,,,,,,",
        "facebook,c,p5,2026-02-10T10:00:00Z,10,10,7,,,,,,,",
    ])
    .await;
    desk
}

#[tokio::test]
async fn kpis_are_told_apart_by_platform_and_the_totals_are_the_dashboards() {
    let desk = desk().await;
    let measures = [Measure::Published, Measure::Impressions, Measure::Engagements, Measure::EngagementRate];
    let by_platform = table(&desk, ask(Source::Platforms, &[Dimension::Platform], &measures)).await;
    // 12 + 5 + 30 over 350 impressions; Facebook has reach alone: 4 over 10.
    assert_eq!(
        text(&by_platform),
        ["Facebook | 1 | - | 4 | 0.4", "X | 3 | 350 | 47 | 0.134285714286", "- | 4 | 350 | 51 | 0.141666666667",]
    );
    assert_eq!(by_platform.notes, ["Impressions: 1 of 2 platforms report this, 3 of 4 posts."]);
    let summary = desk.ask(&crate::figures::over("2026-03-01", "2026-03-31")).await;
    let totals = by_platform.totals.unwrap();
    for (measure, cell) in measures.iter().zip(&totals[1..]) {
        let figure = summary.figures.iter().find(|one| Some(one.kpi) == measure.kpi()).unwrap();
        assert_eq!(*cell, figure.value.map_or(Cell::Missing, Cell::Number), "{measure}");
    }
}

#[tokio::test]
async fn a_course_through_time_has_every_week_and_a_comparison_stands_beside_it() {
    let desk = desk().await;
    let mut query = ask(Source::Kpis, &[Dimension::Week], &[Measure::Engagements]);
    query.is_compared = true;
    let weeks = table(&desk, query).await;
    assert_eq!(
        weeks.columns.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(),
        ["week", "engagements", "engagements_previous"]
    );
    // March 2026 begins on a Sunday; the 31 days before it begin on a Thursday.
    assert_eq!(
        text(&weeks),
        [
            "2026-03-01 | - | -",
            "2026-03-02 | 17 | -",
            "2026-03-09 | 30 | 7",
            "2026-03-16 | - | -",
            "2026-03-23 | - | -",
            "2026-03-30 | 4 | -",
            "- | 51 | 7",
        ]
    );
    assert_eq!(
        weeks.notes,
        [
            "The first week has 1 of 7 days, the last 2 of 7.",
            "Not every week of the period of comparison has as many days as the one beside it."
        ]
    );
}

#[tokio::test]
async fn weeks_and_months_of_fewer_days_are_told_wherever_they_count_what_happened() {
    let desk = desk().await;
    let growth = [Measure::Followers, Measure::FollowerGrowth];
    let mut definition = report_of(vec![
        table_of(ask(Source::Kpis, &[Dimension::Month], &[Measure::Published])),
        table_of(ask(Source::Deliveries, &[Dimension::Month], &[Measure::Deliveries])),
        table_of(ask(Source::Audience, &[Dimension::Month], &growth)),
        table_of(ask(Source::Audience, &[Dimension::Month], &[Measure::Followers])),
        table_of(ask(Source::Kpis, &[Dimension::Day], &[Measure::Published])),
        table_of(ask(Source::Kpis, &[Dimension::Platform], &[Measure::Published])),
    ]);
    definition.parameters = "range=custom&from=2026-03-10&to=2026-04-20".into();
    let filled = filled(&desk, &definition, Shown::AsDefined).await;
    let told = "The first month has 22 of 31 days, the last 20 of 30.";
    let followers = "0 of 3 accounts report followers.";
    let notes: Vec<Vec<&str>> = filled.tables().map(|table| table.notes.iter().map(String::as_str).collect()).collect();
    assert_eq!(notes, [vec![told], vec![told], vec![followers, told], vec![followers], vec![], vec![]]);
}

#[tokio::test]
async fn two_dimensions_two_accounts_of_a_name_and_an_order_by_a_measure() {
    let desk = desk().await;
    let mut query = ask(Source::Platforms, &[Dimension::Account, Dimension::Platform], &[Measure::Engagements]);
    query.sort = Some(Sort::Measure { by: Measure::Engagements, is_descending: true });
    query.limit = Some(2);
    let top = table(&desk, query).await;
    assert_eq!(text(&top), ["b | X | 30", "a | X | 17", "- | - | 51"]);
    assert_eq!((top.of_rows, top.is_cut()), (3, true), "what is left out is counted, and the totals are of all");
    let address = top.whole.unwrap();
    assert_eq!(address, format!("/t/desk/reports/rep_1/tables/2?{MARCH}"));
}

#[tokio::test]
async fn a_page_fills_the_beginning_of_a_table_and_all_of_a_chart() {
    let desk = desk().await;
    let by_platform = || ask(Source::Platforms, &[Dimension::Platform], &[Measure::Engagements]);
    let chart = Content::Chart { kind: ChartKind::Bar, query: by_platform() };
    // The same is asked before the chart and after it.
    let definition = report_of(vec![table_of(by_platform()), chart, table_of(by_platform())]);
    let page = filled(&desk, &definition, Shown::AtMost(1)).await;
    let tables: Vec<&Table> = page.tables().collect();
    assert_eq!(text(tables[0]), ["Facebook | 4", "- | 51"]);
    assert_eq!(text(tables[1]), ["Facebook | 4", "X | 47", "- | 51"]);
    assert_eq!(text(tables[2]), ["Facebook | 4", "- | 51"]);
    for (table, block) in tables.into_iter().zip(2..) {
        assert_eq!(table.of_rows, 2);
        // What the page shows of the chart's table is its beginning too.
        assert_eq!(table.whole, Some(format!("/t/desk/reports/rep_1/tables/{block}?{MARCH}")));
    }
    let whole = filled(&desk, &definition, Shown::AtMost(2)).await;
    assert!(whole.tables().all(|table| table.rows.len() == 2 && table.whole.is_none()));
    let mut limited = by_platform();
    limited.limit = Some(1);
    let limited = report_of(vec![Content::Chart { kind: ChartKind::Bar, query: limited }]);
    let limited = filled(&desk, &limited, Shown::AtMost(2)).await;
    assert_eq!(limited.tables().next().map(|table| table.rows.len()), Some(1), "a chart keeps its own limit");
}

#[tokio::test]
async fn a_chart_that_is_refused_by_now_says_so_in_its_place_and_the_rest_is_filled() {
    let desk = desk().await;
    let chart =
        |kind| Content::Chart { kind, query: ask(Source::Audience, &[Dimension::Month], &[Measure::Followers]) };
    let table = table_of(ask(Source::Platforms, &[Dimension::Platform], &[Measure::Engagements]));
    // As it was saved before such a chart was refused.
    let definition = report_of(vec![chart(ChartKind::Pie), chart(ChartKind::Line), table]);
    let filled = filled(&desk, &definition, Shown::AsDefined).await;
    let blocks = &filled.sections[0].blocks;
    let FilledContent::Refused(why) = &blocks[0].content else { panic!("{:?}", blocks[0]) };
    assert!(why.starts_with("dimension: followers"), "{why}");
    assert!(matches!(blocks[1].content, FilledContent::Chart { .. }), "{:?}", blocks[1]);
    let FilledContent::Table(table) = &blocks[2].content else { panic!("{:?}", blocks[2]) };
    assert_eq!(text(table), ["Facebook | 4", "X | 47", "- | 51"]);
    assert!(matches!(report::create(&desk.ctx, &definition, "x").await, Err(Error::Invalid(_))), "not anew");
}

#[tokio::test]
async fn posts_are_listed_with_totals_of_all_of_them_and_missing_is_not_zero() {
    let desk = desk().await;
    let mut query = ask(
        Source::Posts,
        &[Dimension::PostId, Dimension::Platform],
        &[Measure::Impressions, Measure::Engagements, Measure::EngagementRate],
    );
    query.sort = Some(Sort::Measure { by: Measure::Impressions, is_descending: true });
    query.limit = Some(3);
    let posts = table(&desk, query.clone()).await;
    assert_eq!(
        text(&posts),
        [
            "p1 | X | 200 | 12 | 0.06",
            "p2 | X | 100 | 5 | 0.05",
            "p3 | X | 50 | 30 | 0.6",
            "- | - | 350 | 51 | 0.141666666667",
        ]
    );
    assert_eq!(
        posts.notes,
        ["Totals to date of what was published in the period.", "Impressions: 3 of 4 posts report this."]
    );
    query.sort = Some(Sort::Measure { by: Measure::Impressions, is_descending: false });
    query.limit = None;
    let posts = table(&desk, query).await;
    let order: Vec<_> = posts.rows.iter().map(|row| row[0].clone()).collect();
    let expected = ["p3", "p2", "p1", "p4"].map(|id| Cell::Text(id.into()));
    assert_eq!(order, expected, "what is missing stands last in either direction");
    assert_eq!(posts.rows[3][2], Cell::Missing);
}

#[tokio::test]
async fn a_figure_says_how_much_reports_it_where_not_all_does() {
    let desk = desk().await;
    let measures = [Measure::Impressions, Measure::Reach, Measure::Engagements, Measure::Published, Measure::Sentiment];
    let blocks = measures.map(|measure| Content::Metric { query: ask(Source::Kpis, &[], &[measure]) });
    let filled = filled(&desk, &report_of(blocks.to_vec()), Shown::AsDefined).await;
    let notes: Vec<Option<&str>> = filled.sections[0]
        .blocks
        .iter()
        .map(|block| match &block.content {
            FilledContent::Metric(metric) => metric.note.as_deref(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        notes,
        [
            Some("1 of 2 platforms report this, 3 of 4 posts."),
            Some("Someone who saw two posts counts twice. 2 of 2 platforms report this, 3 of 4 posts."),
            None,
            None,
            Some("No engagement in this period has been scored."),
        ]
    );
}

#[tokio::test]
async fn teams_share_posts_without_counting_them_twice_in_the_totals() {
    let desk = desk().await;
    let (a, b) = (desk.account_id("a").await, desk.account_id("b").await);
    let mut tx = desk.world.as_tenant(&desk.tenant).await;
    for (name, accounts) in [("North", vec![a, b]), ("South", vec![b])] {
        let id = uuid::Uuid::now_v7();
        sqlx::query("insert into team (tenant_id, id, name, changed_by) values (rtv_tenant(), $1, $2, 'a')")
            .bind(id)
            .bind(name)
            .execute(&mut *tx)
            .await
            .unwrap();
        for account in accounts {
            sqlx::query("insert into team_account (tenant_id, team_id, account_id) values (rtv_tenant(), $1, $2)")
                .bind(id)
                .bind(account.uuid())
                .execute(&mut *tx)
                .await
                .unwrap();
        }
    }
    tx.commit().await.unwrap();
    let teams = table(&desk, ask(Source::Teams, &[Dimension::Team], &[Measure::Engagements])).await;
    assert_eq!(text(&teams), ["North | 47", "South | 30", "No team | 4", "- | 51"]);
    assert!(teams.notes[0].contains("counts with both"), "{:?}", teams.notes);
}

#[tokio::test]
async fn followers_are_those_at_the_end_and_growth_needs_both_ends() {
    let desk = desk().await;
    desk.followers("a", &[("2026-02-27", 100), ("2026-03-15", 130)]).await;
    desk.followers("c", &[("2026-03-20", 40)]).await;
    let audience =
        table(&desk, ask(Source::Audience, &[Dimension::Account], &[Measure::Followers, Measure::FollowerGrowth]))
            .await;
    assert_eq!(text(&audience), ["a | 130 | 30", "b | - | -", "c | 40 | -", "- | 170 | 30"]);
    assert_eq!(audience.notes, ["2 of 3 accounts report followers."]);
    // At the end of February those of c are not known.
    let mut query = ask(Source::Audience, &[Dimension::Account], &[Measure::Followers]);
    query.is_compared = true;
    let compared = table(&desk, query).await;
    assert_eq!(text(&compared).last().map(String::as_str), Some("- | 170 | 100"));
    assert_eq!(compared.notes, ["2 of 3 accounts report followers (1 of 3 in the period of comparison)."]);
}

#[tokio::test]
async fn followers_grow_also_where_nothing_was_published() {
    let desk = desk().await;
    // b published nothing in February, and has followers.
    desk.followers("b", &[("2026-01-20", 10), ("2026-02-20", 14)]).await;
    let mut definition = report_of(vec![table_of(ask(
        Source::Platforms,
        &[Dimension::Account],
        &[Measure::Published, Measure::FollowerGrowth],
    ))]);
    definition.parameters = "range=custom&from=2026-02-01&to=2026-02-28".into();
    let months = filled(&desk, &definition, Shown::AsDefined).await;
    let rows = text(months.tables().next().unwrap());
    assert_eq!(rows, ["a | 0 | -", "b | 0 | 4", "c | 1 | -", "- | 1 | 4"]);
    let by = |dimensions: &[Dimension]| {
        let query = ask(Source::Platforms, dimensions, &[Measure::FollowerGrowth]);
        Definition { parameters: definition.parameters.clone(), ..report_of(vec![table_of(query)]) }
    };
    let weeks = filled(&desk, &by(&[Dimension::Platform, Dimension::Month]), Shown::AsDefined).await;
    let rows = text(weeks.tables().next().unwrap());
    assert_eq!(rows, ["Facebook | 2026-02-01 | -", "X | 2026-02-01 | 4", "- | - | 4"]);
}

#[tokio::test]
async fn followers_stand_in_the_order_of_the_dimensions_that_were_asked_for() {
    let desk = desk().await;
    let mut definition = report_of(vec![table_of(ask(
        Source::Audience,
        &[Dimension::Account, Dimension::Month],
        &[Measure::Followers],
    ))]);
    definition.parameters = "range=custom&from=2026-02-01&to=2026-03-31".into();
    let months = filled(&desk, &definition, Shown::AsDefined).await;
    let rows = text(months.tables().next().unwrap());
    let expect = ["a | 2026-02-01 | -", "a | 2026-03-01 | -", "b | 2026-02-01 | -", "b | 2026-03-01 | -"];
    assert_eq!(rows[..4], expect);
}

#[tokio::test]
async fn what_a_shorter_period_of_comparison_does_not_have_is_missing_and_what_it_has_more_is_said() {
    let desk = desk().await;
    let mut day = ask(Source::Kpis, &[Dimension::Day], &[Measure::Published]);
    day.is_compared = true;
    let mut planned = ask(Source::Deliveries, &[Dimension::Day], &[Measure::Deliveries]);
    planned.is_compared = true;
    let mut definition = report_of(vec![table_of(day), table_of(planned)]);
    // The year before had no 29 February.
    definition.parameters = "range=custom&from=2024-02-01&to=2024-02-29&compare=year".into();
    let leap = filled(&desk, &definition, Shown::AsDefined).await;
    for table in leap.tables() {
        let last = &table.rows[28];
        assert_eq!(last[1..], [Cell::Number(0.into()), Cell::Missing], "{:?}", table.columns);
        assert_eq!(table.rows[27][2], Cell::Number(0.into()));
    }
    // Wednesday to Sunday lie in one week, the five days before them in two.
    let mut definition = report_of(vec![
        table_of(Query { is_compared: true, ..ask(Source::Kpis, &[Dimension::Week], &[Measure::Published]) }),
        table_of(Query { is_compared: true, ..ask(Source::Deliveries, &[Dimension::Week], &[Measure::Deliveries]) }),
        table_of(Query { is_compared: true, ..ask(Source::Audience, &[Dimension::Week], &[Measure::Followers]) }),
    ]);
    definition.parameters = "range=custom&from=2026-03-04&to=2026-03-08".into();
    let weeks = filled(&desk, &definition, Shown::AsDefined).await;
    for table in weeks.tables() {
        let note = "The last week of the period of comparison has none beside it and stands in the totals only.";
        assert_eq!(table.notes.last().map(String::as_str), Some(note));
        assert_eq!(table.rows.len(), 1);
    }
    let published = weeks.tables().next().unwrap();
    assert_eq!(text(published), ["2026-03-04 | 0 | 0", "- | 0 | 2"]);
}

#[tokio::test]
async fn planned_posts_are_known_zeros_where_there_are_none_and_stand_by_name() {
    let desk = desk().await;
    desk.deliver("c", "confirmed", "2026-03-02T10:00:00Z").await;
    desk.deliver("c", "missed", "2026-03-20T10:00:00Z").await;
    desk.deliver("a", "confirmed", "2026-03-20T10:00:00Z").await;
    let mut definition = report_of(vec![
        table_of(ask(Source::Deliveries, &[Dimension::Month, Dimension::Account], &[Measure::Confirmed])),
        table_of(ask(Source::Deliveries, &[Dimension::Account], &[Measure::Deliveries])),
        table_of(ask(Source::Deliveries, &[Dimension::State, Dimension::Month], &[Measure::Deliveries])),
    ]);
    definition.parameters = "range=custom&from=2026-03-01&to=2026-04-30".into();
    // Under its name it stands first, whatever its id.
    desk.world.execute(&desk.tenant, "update account set name = 'zeta' where external_id = 'a'").await;
    let filled = filled(&desk, &definition, Shown::AsDefined).await;
    let tables: Vec<Vec<String>> = filled.tables().map(text).collect();
    let months =
        ["2026-03-01 | c | 1", "2026-03-01 | zeta | 1", "2026-04-01 | c | 0", "2026-04-01 | zeta | 0", "- | - | 2"];
    assert_eq!(tables[0], months);
    assert_eq!(tables[1], ["c | 2", "zeta | 1", "- | 3"]);
    let states = [
        "Published | 2026-03-01 | 2",
        "Published | 2026-04-01 | 0",
        "Missed | 2026-03-01 | 1",
        "Missed | 2026-04-01 | 0",
        "- | - | 3",
    ];
    assert_eq!(tables[2], states);
}

#[tokio::test]
async fn hours_of_the_week_hold_every_post_once() {
    let desk = desk().await;
    let mut query =
        ask(Source::Kpis, &[Dimension::Weekday, Dimension::Hour], &[Measure::Published, Measure::Engagements]);
    let week = table(&desk, query.clone()).await;
    assert_eq!(week.rows.len(), 7 * 24);
    let busy: Vec<String> = text(&Table {
        rows: week.rows.iter().filter(|row| row[2] != Cell::Number(0.into())).cloned().collect(),
        ..week
    });
    // Berlin is an hour ahead in March and two from the 29th on.
    assert_eq!(busy, ["0 | 11 | 2 | 42", "0 | 13 | 1 | 5", "1 | 23 | 1 | 4", "- | - | 4 | 51"]);
    query.dimensions = vec![Dimension::Weekday];
    let days = table(&desk, query).await;
    assert_eq!(text(&days)[..2], ["0 | 3 | 47".to_owned(), "1 | 1 | 4".to_owned()]);
}

#[tokio::test]
async fn what_a_source_does_not_have_is_refused_by_name_before_anything_is_read() {
    let desk = desk().await;
    let definition = report_of(vec![table_of(ask(Source::Posts, &[Dimension::Team], &[Measure::Roi, Measure::Reach]))]);
    let Err(Error::Invalid(errors)) = report::create(&desk.ctx, &definition, "x").await else { panic!("it was taken") };
    let told: Vec<_> = errors.iter().map(|one| (one.field.as_str(), one.message.as_str())).collect();
    assert!(told.iter().any(|(field, words)| *field == "block.2.dimension" && words.contains("“Team”")), "{told:?}");
    assert!(told.iter().any(|(field, words)| *field == "block.2.measure" && words.contains("“ROI”")), "{told:?}");
    assert!(report::list(&desk.ctx).await.unwrap().is_empty());
}

#[tokio::test]
async fn every_template_fills_without_a_refusal() {
    let desk = desk().await;
    let owner = desk.world.member(&desk.tenant, Role::Owner).await;
    let file = b"competitor,platform,month,interactions\nOther,x,2026-03,5\n";
    rtv_domain::competitor::upload(&owner, file).await.unwrap();
    for template in Template::ALL {
        let definition = Definition { parameters: MARCH.into(), ..template.definition() };
        let filled = filled(&desk, &definition, Shown::AsDefined).await;
        for block in filled.sections.iter().flat_map(|section| &section.blocks) {
            assert!(!matches!(block.content, FilledContent::Refused(_)), "{}: {block:?}", template.key());
        }
    }
}

#[tokio::test]
async fn a_report_is_read_as_it_stood_at_one_moment() {
    let desk = desk().await;
    let same = ask(Source::Platforms, &[Dimension::Platform], &[Measure::Published]);
    let definition = report_of((0..12).map(|_| table_of(same.clone())).collect());
    let parameters = filter(MARCH);
    let asked = Asked { parameters: &parameters, version: None, shown: Shown::AsDefined, address: "" };
    let moment = report::fill(&desk.ctx, &definition, &asked);
    let (filled, ()) = tokio::join!(moment, desk.posts(&["x,a,p9,2026-03-05T10:00:00Z,1,1,1"]));
    let totals: Vec<_> = filled.unwrap().tables().map(|table| table.totals.clone().unwrap()[1].clone()).collect();
    assert!(totals.windows(2).all(|pair| pair[0] == pair[1]), "{totals:?}");
}

#[tokio::test]
async fn each_save_is_a_version_that_can_be_undone_done_again_and_restored() {
    let desk = desk().await;
    let id = report::create(&desk.ctx, &Template::Blank.definition(), "Started").await.unwrap();
    let step = async |seen: i64, edit: Edit| {
        let edited = report::one(&desk.ctx, id).await.unwrap().definition.edited(&edit).unwrap();
        report::save(&desk.ctx, id, &seen.to_string(), &edited.definition, &edited.summary).await
    };
    assert_eq!(step(1, Edit::AddBlock { section: 1, kind: NewBlock::Table }).await.unwrap(), 2);
    assert_eq!(step(2, Edit::AddBlock { section: 1, kind: NewBlock::Text }).await.unwrap(), 3);
    let blocks = async || report::one(&desk.ctx, id).await.unwrap().definition.blocks().count();
    assert_eq!(blocks().await, 2);
    report::undo(&desk.ctx, id, "3").await.unwrap();
    assert_eq!(blocks().await, 1);
    report::undo(&desk.ctx, id, "4").await.unwrap();
    assert_eq!(blocks().await, 0);
    report::redo(&desk.ctx, id, "5").await.unwrap();
    report::redo(&desk.ctx, id, "6").await.unwrap();
    assert_eq!(blocks().await, 2, "both steps are there again");
    let nothing = report::redo(&desk.ctx, id, "7").await;
    assert!(matches!(nothing, Err(Error::Conflict(_))), "{nothing:?}");
    report::undo(&desk.ctx, id, "7").await.unwrap();
    assert_eq!(blocks().await, 1, "what was done again can be undone");
    report::restore(&desk.ctx, id, "8", 1).await.unwrap();
    assert_eq!(blocks().await, 0);
    assert_eq!(report::versions(&desk.ctx, id, None).await.unwrap().len(), 9);
}

#[tokio::test]
async fn the_later_of_two_people_is_told_what_was_saved_in_the_meantime() {
    let desk = desk().await;
    let id = report::create(&desk.ctx, &Template::Blank.definition(), "Started").await.unwrap();
    let definition = report::one(&desk.ctx, id).await.unwrap().definition;
    let one = definition.edited(&Edit::AddSection).unwrap();
    let other = definition.edited(&Edit::AddBlock { section: 1, kind: NewBlock::Text }).unwrap();
    report::save(&desk.ctx, id, "1", &one.definition, &one.summary).await.unwrap();
    let Err(Error::Conflict(words)) = report::save(&desk.ctx, id, "1", &other.definition, &other.summary).await else {
        panic!("the later save was taken")
    };
    assert!(words.contains("Added a section"), "{words}");
    let stored = report::one(&desk.ctx, id).await.unwrap();
    assert_eq!((stored.version, stored.definition), (2, one.definition), "nothing of the later one was saved");
}

#[tokio::test]
async fn viewers_read_reports_and_change_none_and_other_tenants_see_none() {
    let desk = desk().await;
    let id = report::create(&desk.ctx, &Template::Blank.definition(), "Started").await.unwrap();
    let viewer = desk.world.member(&desk.tenant, Role::Viewer).await;
    assert!(report::one(&viewer, id).await.is_ok());
    let refused = report::delete(&viewer, id).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    let refused = report::begin(&viewer, id, None).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    let other = desk.world.tenant("other", "UTC").await;
    let owner = desk.world.member(&other, Role::Owner).await;
    for outcome in [report::one(&owner, id).await.map(|_| ()), report::delete(&owner, id).await.map(|_| ())] {
        assert_eq!(outcome, Err(Error::NotFound));
    }
}

#[tokio::test]
async fn a_deleted_report_comes_back_with_everything() {
    let desk = desk().await;
    let id = report::create(&desk.ctx, &Template::MonthlyExecutive.definition(), "Started").await.unwrap();
    report::delete(&desk.ctx, id).await.unwrap();
    assert!(report::list(&desk.ctx).await.unwrap().is_empty());
    let refused = report::begin(&desk.ctx, id, None).await;
    assert_eq!(refused, Err(Error::NotFound), "a deleted report makes no runs");
    report::bring_back(&desk.ctx, id).await.unwrap();
    assert_eq!(report::list(&desk.ctx).await.unwrap().len(), 1);
}

pub(crate) fn ticket(world: &Desk, run: rtv_core::RunId) -> Ticket {
    Ticket { tenant: world.tenant.id, run }
}

#[tokio::test]
async fn a_run_keeps_its_days_version_and_figures_whatever_comes_later() {
    let desk = desk().await;
    let definition = report_of(vec![table_of(ask(Source::Platforms, &[Dimension::Platform], &[Measure::Engagements]))]);
    let id = report::create(&desk.ctx, &definition, "Started").await.unwrap();
    let run = report::begin(&desk.ctx, id, None).await.unwrap();
    let edited = definition.edited(&Edit::Delete { part: 2 }).unwrap();
    report::save(&desk.ctx, id, "1", &edited.definition, &edited.summary).await.unwrap();
    let worker = desk.world.worker();
    let taken = report::take_up(&worker, ticket(&desk, run)).await.unwrap().unwrap();
    assert_eq!(taken.definition, definition, "the version that there was when it was asked for");
    assert_eq!(taken.parameters, filter(MARCH));
    let asked = Asked { parameters: &taken.parameters, version: Some(1), shown: Shown::AsDefined, address: "" };
    let made = report::fill(&taken.ctx, &taken.definition, &asked).await.unwrap();
    assert!(report::tell(&taken.ctx, run, "drawing", 1, 3).await.unwrap());
    let file = NewFile {
        format: FileFormat::Csv,
        part: 1,
        title: "Platforms".into(),
        file_name: "march.csv".into(),
        bytes: 3,
        sha256: [7; 32],
    };
    assert!(report::finish(&taken.ctx, &outbox(), &taken.run, &made, &[file], None, &[]).await.unwrap());
    assert!(
        !report::finish(&taken.ctx, &outbox(), &taken.run, &made, &[], None, &[]).await.unwrap(),
        "a run ends once"
    );
    desk.posts(&["x,a,late,2026-03-05T10:00:00Z,1,1,1000"]).await;
    let kept = report::result(&desk.ctx, run).await.unwrap();
    assert_eq!(kept, made);
    let told = report::run(&desk.ctx, run).await.unwrap();
    assert_eq!((told.state, told.rows, told.files.len()), (RunState::Done, Some(2), 1));
    let (_, file) = report::file(&desk.ctx, run, FileFormat::Csv, 1).await.unwrap();
    assert_eq!(file.file_name, "march.csv");
    assert_eq!(report::file(&desk.ctx, run, FileFormat::Pdf, 1).await.err(), Some(Error::NotFound));
}

#[tokio::test]
async fn a_cancelled_run_is_taken_up_by_nobody_and_keeps_no_file() {
    let desk = desk().await;
    let id = report::create(&desk.ctx, &Template::Blank.definition(), "Started").await.unwrap();
    let run = report::begin(&desk.ctx, id, None).await.unwrap();
    let worker = desk.world.worker();
    let taken = report::take_up(&worker, ticket(&desk, run)).await.unwrap().unwrap();
    report::cancel(&desk.ctx, run).await.unwrap();
    assert!(!report::tell(&taken.ctx, run, "drawing", 1, 3).await.unwrap(), "the worker hears that it is not wanted");
    let made = filled(&desk, &Template::Blank.definition(), Shown::AsDefined).await;
    assert!(!report::finish(&taken.ctx, &outbox(), &taken.run, &made, &[], None, &[]).await.unwrap());
    assert!(report::take_up(&worker, ticket(&desk, run)).await.unwrap().is_none());
    assert!(matches!(report::cancel(&desk.ctx, run).await, Err(Error::Conflict(_))));
    assert_eq!(report::run(&desk.ctx, run).await.unwrap().state, RunState::Cancelled);
}

#[tokio::test]
async fn a_run_without_a_job_is_told_to_have_failed_and_old_files_go() {
    let desk = desk().await;
    let id = report::create(&desk.ctx, &Template::Blank.definition(), "Started").await.unwrap();
    let run = report::begin(&desk.ctx, id, None).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = report::Files::new(folder.path().to_owned());
    let later = desk.world.clock.now() + chrono::TimeDelta::hours(1);
    let worker = desk.world.context_at(later, rtv_domain::Actor::System("sweep"));
    assert_eq!(report::sweep(&worker, &outbox(), &files).await.unwrap(), 0, "its job is still there");
    let mut tx = desk.world.marked("worker", None, None).await;
    sqlx::query("delete from job where kind = $1")
        .bind(<MakeRun as rtv_jobs::Job>::KIND)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(report::sweep(&worker, &outbox(), &files).await.unwrap(), 1);
    let told = report::run(&desk.ctx, run).await.unwrap();
    assert_eq!(told.state, RunState::Failed);
    assert!(told.failure.unwrap().contains("Try again"));

    let run = report::begin(&desk.ctx, id, None).await.unwrap();
    let taken = report::take_up(&desk.world.worker(), ticket(&desk, run)).await.unwrap().unwrap();
    files.put(desk.tenant.id, run, FileFormat::Pdf, 1, b"%PDF").unwrap();
    let made = filled(&desk, &Template::Blank.definition(), Shown::AsDefined).await;
    let file = NewFile {
        format: FileFormat::Pdf,
        part: 1,
        title: String::new(),
        file_name: "r.pdf".into(),
        bytes: 4,
        sha256: [0; 32],
    };
    report::finish(&taken.ctx, &outbox(), &taken.run, &made, &[file], Some(1), &[]).await.unwrap();
    let path = files.path(desk.tenant.id, run, FileFormat::Pdf, 1);
    let at = |days: i64| {
        let then = desk.world.clock.now() + chrono::TimeDelta::days(days);
        desk.world.context_at(then, rtv_domain::Actor::System("sweep"))
    };
    assert_eq!((report::sweep(&at(report::KEEP_DAYS - 1), &outbox(), &files).await.unwrap(), path.exists()), (0, true));
    assert_eq!(
        (report::sweep(&at(report::KEEP_DAYS + 1), &outbox(), &files).await.unwrap(), path.exists()),
        (1, false)
    );
    let (_, file) = report::file(&desk.ctx, run, FileFormat::Pdf, 1).await.unwrap();
    assert!(file.is_removed, "the run says that it has to be made again");
}

#[tokio::test]
async fn staff_copy_a_report_to_another_tenant_without_what_is_the_first_ones() {
    let desk = desk().await;
    let account = desk.account_id("a").await;
    let mut definition =
        report_of(vec![table_of(ask(Source::Platforms, &[Dimension::Platform], &[Measure::Engagements]))]);
    definition.parameters = format!("{MARCH}&platform=x&account={account}");
    let id = report::create(&desk.ctx, &definition, "Started").await.unwrap();
    let other = desk.world.tenant("other", "UTC").await;
    let operator = desk.world.operator();
    let offered = report::copyable(&operator, &desk.tenant.slug).await.unwrap();
    assert_eq!(offered, [(id, "March".to_owned())]);
    report::copy_to(&operator, &desk.tenant.slug, id, &other.slug).await.unwrap();
    let editor = desk.world.member(&other, Role::Editor).await;
    let copied = report::list(&editor).await.unwrap().remove(0);
    let one = report::one(&editor, copied.id).await.unwrap();
    assert_eq!(one.definition.sections, definition.sections);
    let kept = filter(&one.definition.parameters);
    assert_eq!((kept.platforms.len(), kept.accounts.len()), (1, 0), "{}", one.definition.parameters);
    for (tenant, action) in [(&desk.tenant, "report.copy_out"), (&other, "report.create")] {
        let events = desk.world.audit(Some(tenant)).await;
        assert!(events.iter().any(|(done, ..)| done == action), "{action}: {events:?}");
    }
    let strangers = [
        report::copy_to(&operator, &other.slug, id, &desk.tenant.slug).await.err(),
        report::copy_to(desk.ctx.context(), &desk.tenant.slug, id, &other.slug).await.err(),
        report::copyable(desk.ctx.context(), &desk.tenant.slug).await.err(),
    ];
    assert_eq!(strangers, [Some(Error::NotFound), Some(Error::NotFound), Some(Error::NotFound)]);
    let itself = report::copy_to(&operator, &desk.tenant.slug, id, &desk.tenant.slug).await;
    assert!(matches!(itself, Err(Error::Invalid(_))), "{itself:?}");
}
