//! What a table becomes: the whole options as snapshots, and the promises that matter one by one.

use rtv_charts::{Along, ReportChart, Role, Series, Theme, Words};
use rtv_core::Brand;
use rtv_core::kpi::Unit;
use rtv_core::report::{Cell, ChartKind, Kind, Table};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::specimen::{self, chart, column, count, day, known, number, text, whole};

fn option(chart: &ReportChart, theme: Theme) -> Value {
    serde_json::from_str(&chart.option(theme)).unwrap()
}

/// The first rows of a table.
fn first(mut table: Table, rows: usize) -> Table {
    table.rows.truncate(rows);
    table.of_rows = u64::try_from(table.rows.len()).unwrap();
    table
}

/// Every part of the option on a line of its own, so that a change can be read.
fn lines(chart: &ReportChart) -> String {
    chart.option(Theme::Light).replace("},{", "},\n{").replace(",\"", ",\n\"")
}

#[test]
fn each_kind_is_written_as_before() {
    let of = |kind, table: Table, rows| lines(&chart(kind, "A chart", &first(table, rows)));
    insta::assert_snapshot!("line", of(ChartKind::Line, specimen::days_compared(), 4));
    insta::assert_snapshot!("area_layers", of(ChartKind::Area, specimen::days_by_network(), 10));
    insta::assert_snapshot!("bar_lying_compared", of(ChartKind::Bar, specimen::campaigns(true), 4));
    insta::assert_snapshot!("bar_standing", of(ChartKind::Bar, specimen::days_compared(), 4));
    insta::assert_snapshot!("stacked_bar", of(ChartKind::StackedBar, specimen::months_by_network(), 10));
    insta::assert_snapshot!("pie", of(ChartKind::Pie, specimen::revenue(), 12));
    insta::assert_snapshot!("donut", of(ChartKind::Donut, specimen::revenue(), 3));
    insta::assert_snapshot!("heat_map", of(ChartKind::HeatMap, specimen::hours(), 10));
    insta::assert_snapshot!("funnel", of(ChartKind::Funnel, specimen::steps(), 1));
    insta::assert_snapshot!("nothing", of(ChartKind::Bar, specimen::campaigns(false), 0));
}

fn values(chart: &ReportChart, series: usize) -> Vec<Option<f64>> {
    chart.series[series].values.clone()
}

#[test]
fn the_second_dimension_parts_the_series_and_a_pair_without_a_row_is_a_gap() {
    let columns = vec![
        column("day", "Day", Kind::Day),
        column("platform", "Platform", Kind::Text),
        count("reach", "Summed reach"),
    ];
    let rows = vec![
        vec![day(1), text("X"), number(5)],
        vec![day(1), text("LinkedIn"), number(7)],
        vec![day(2), text("LinkedIn"), number(0)],
    ];
    let chart = chart(ChartKind::StackedBar, "Reach", &whole(columns, rows));
    assert_eq!(chart.categories, ["1 Nov", "2 Nov"]);
    assert_eq!(chart.series.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["X", "LinkedIn"]);
    assert_eq!(values(&chart, 0), [Some(5.0), None]);
    assert_eq!(values(&chart, 1), [Some(7.0), Some(0.0)]);
    assert_eq!(chart.notes, ["1 of 4 values is not known and is a gap, not zero."]);
    let option = option(&chart, Theme::Light);
    assert_eq!(option["series"][0]["data"][1]["value"], Value::Null);
    assert_eq!(option["series"][0]["data"][1]["name"], json!("2 Nov\nX: —"));
}

#[test]
fn a_period_compared_with_is_a_dashed_grey_line_or_a_paler_bar() {
    let table = specimen::days_compared();
    let line = option(&chart(ChartKind::Line, "A", &table), Theme::Light);
    assert_eq!(
        line["series"][0]["lineStyle"],
        json!({"color": "#24229e", "width": 2.0, "type": "solid", "join": "round"})
    );
    assert_eq!(
        line["series"][1]["lineStyle"],
        json!({"color": "#878c99", "width": 1.5, "type": [4, 4], "join": "round"})
    );
    let bar = option(&chart(ChartKind::Bar, "A", &table), Theme::Light);
    assert_eq!(bar["series"][0]["itemStyle"]["color"], json!("#24229e"));
    let pale = bar["series"][1]["itemStyle"]["color"].as_str().unwrap();
    assert!(pale > "#a0a0a0" && pale < "#f0f0f0", "{pale}");
}

#[test]
fn several_lines_compared_keep_their_colours() {
    let columns = vec![
        column("day", "Day", Kind::Day),
        count("reach", "Summed reach"),
        count("reach_previous", "Summed reach"),
        count("clicks", "Clicks"),
        count("clicks_previous", "Clicks"),
    ];
    let row = |at| vec![day(at), number(5), number(4), number(3), number(2)];
    let chart = chart(ChartKind::Line, "Reach and clicks", &whole(columns, vec![row(1), row(2)]));
    let names: Vec<&str> = chart.series.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["Summed reach", "Summed reach, before", "Clicks", "Clicks, before"]);
    let option = option(&chart, Theme::Dark);
    let colour = |series: usize| option["series"][series]["lineStyle"]["color"].clone();
    assert_eq!((colour(0), colour(2)), (colour(1), colour(3)));
    assert_ne!(colour(0), colour(2));
    assert_eq!(option["series"][3]["lineStyle"]["type"], json!([4, 4]));
}

#[test]
fn a_day_without_a_row_is_a_gap_and_a_line_runs_forward() {
    let columns = vec![column("day", "Day", Kind::Day), count("reach", "Summed reach")];
    let rows = vec![vec![day(9), number(4)], vec![day(4), number(2)], vec![day(6), number(3)]];
    let line = chart(ChartKind::Line, "A", &whole(columns.clone(), rows.clone()));
    assert_eq!(line.categories, ["4 Nov", "5 Nov", "6 Nov", "7 Nov", "8 Nov", "9 Nov"]);
    assert_eq!(values(&line, 0), [Some(2.0), None, Some(3.0), None, None, Some(4.0)]);
    // Bars stand as the rows do, the greatest first for example.
    let bars = chart(ChartKind::Bar, "A", &whole(columns, rows));
    assert_eq!(bars.categories, ["9 Nov", "4 Nov", "6 Nov"]);
}

#[test]
fn months_and_weeks_without_a_row_are_gaps_too() {
    let date = |month, day| Cell::Day(chrono::NaiveDate::from_ymd_opt(2026, month, day).unwrap());
    let columns = |key: &str, kind| vec![column(key, "A", kind), count("reach", "Summed reach")];
    let rows = |cells: Vec<Cell>| cells.into_iter().map(|cell| vec![cell, number(1)]).collect();
    let months = whole(columns("month", Kind::Month), rows(vec![date(1, 1), date(4, 1)]));
    assert_eq!(chart(ChartKind::Bar, "A", &months).categories, ["Jan 2026", "Feb 2026", "Mar 2026", "Apr 2026"]);
    let weeks = whole(columns("week", Kind::Week), rows(vec![date(11, 2), date(11, 23)]));
    assert_eq!(chart(ChartKind::Bar, "A", &weeks).categories, ["2 Nov", "9 Nov", "16 Nov", "23 Nov"]);
    // A first week that is cut off by the period begins on another day, and nothing is made up around it.
    let cut = whole(columns("week", Kind::Week), rows(vec![date(11, 4), date(11, 9), date(11, 23)]));
    assert_eq!(chart(ChartKind::Bar, "A", &cut).categories, ["4 Nov", "9 Nov", "23 Nov"]);
}

fn names(count: usize, key: &str, unit: Unit) -> Table {
    let columns = vec![column("account", "Account", Kind::Text), column(key, "A", Kind::Number(unit))];
    let rows = (0..count).map(|at| vec![text(&format!("account {at}")), number(i64::try_from(at).unwrap() + 1)]);
    whole(columns, rows.collect())
}

#[test]
fn of_too_many_bars_the_smallest_are_one_where_they_add_up() {
    let chart = chart(ChartKind::Bar, "A", &names(40, "reach", Unit::Count));
    assert_eq!(chart.along, Along::Names);
    assert_eq!(chart.categories.len(), 12);
    assert_eq!(chart.categories[0], "account 29", "the largest stay, in the table's order");
    assert_eq!(chart.categories[11], "Other");
    assert_eq!(values(&chart, 0)[11], Some(f64::from((1..=29).sum::<u32>())));
    assert_eq!(chart.notes, ["“Other” holds 29 of 40 (Account)."]);
    assert!(chart.summary.ends_with("“Other” holds 29 of 40 (Account)."), "{}", chart.summary);
    let option = option(&chart, Theme::Light);
    assert_eq!(option["series"][0]["data"][11]["itemStyle"]["color"], json!("#878c99"));
}

#[test]
fn what_does_not_add_up_is_cut_and_never_summed() {
    let chart = chart(ChartKind::Bar, "A", &names(14, "engagement_rate", Unit::Percent));
    assert_eq!(chart.categories.len(), 12);
    assert_eq!(chart.categories[11], "account 11");
    assert!(!chart.rest.category);
    assert_eq!(chart.notes, ["The chart shows 12 of 14 (Account); there is no room for account 12, account 13."]);
}

#[test]
fn a_measure_that_nobody_knows_is_not_added_up() {
    let chart = chart(ChartKind::Bar, "A", &names(14, "something_new", Unit::Count));
    assert!(!chart.categories.contains(&"Other".to_owned()));
}

#[test]
fn of_too_many_times_the_latest_are_shown() {
    let columns = vec![column("day", "Day", Kind::Day), count("reach", "Summed reach")];
    let rows: Vec<Vec<Cell>> = (1..=1_200).map(|at| vec![day(at), number(1)]).collect();
    let bars = chart(ChartKind::Bar, "A", &whole(columns.clone(), rows.clone()));
    assert_eq!(bars.categories.len(), 124);
    assert_eq!(bars.notes, ["The chart shows the latest 124 of 1,200; there is no room for the earlier ones."]);
    let line = chart(ChartKind::Line, "A", &whole(columns, rows));
    assert_eq!(line.categories.len(), 1_100);
    assert_eq!(line.categories.last(), bars.categories.last());
}

#[test]
fn what_a_limit_leaves_out_is_not_called_unknown() {
    let columns = || {
        vec![
            column("day", "Day", Kind::Day),
            column("platform", "Platform", Kind::Text),
            count("reach", "Summed reach"),
        ]
    };
    let by_day = |at| vec![day(at), number(5)];
    let mut days = whole(vec![columns().remove(0), columns().remove(2)], vec![by_day(1), by_day(2), by_day(4)]);
    days.of_rows = 5;
    assert_eq!(
        chart(ChartKind::Line, "A", &days).notes,
        ["Showing 3 of 5.", "1 of 4 values is left out by the limit or not known and is a gap, not zero."]
    );
    let rows = vec![
        vec![day(1), text("X"), number(5)],
        vec![day(2), text("X"), number(5)],
        vec![day(3), text("Mastodon"), Cell::Missing],
    ];
    let mut split = whole(columns(), rows);
    split.of_rows = 6;
    assert_eq!(
        chart(ChartKind::Line, "A", &split).notes,
        [
            "Showing 3 of 6.",
            "4 of 6 values are left out by the limit or not known and are gaps, not zero.",
            "No value is shown of Mastodon."
        ]
    );
}

#[test]
fn the_longest_chart_is_no_longer_than_the_renderer_takes() {
    let columns = vec![
        column("day", "Day", Kind::Day),
        column("platform", "Platform", Kind::Text),
        count("reach", "Summed reach"),
    ];
    let rows = (1..=1_200_u64)
        .flat_map(|at| (0..9).map(move |name| vec![day(at), text(&format!("a platform {name}")), number(123_456_789)]));
    let chart = chart(ChartKind::Line, "A", &whole(columns, rows.collect()));
    let bytes = chart.option(Theme::Light).len();
    assert!(bytes < 1 << 20, "{bytes}");
    assert_eq!(chart.series.len(), 6);
    assert_eq!(chart.notes[0], "“Other” holds 4 of 9 (Platform).");
    assert_eq!(values(&chart, 5)[0], Some(4.0 * 123_456_789.0));
}

#[test]
fn followers_are_not_added_up_over_times() {
    let table = |key: &str| {
        let columns =
            vec![column("platform", "Platform", Kind::Text), column("day", "Day", Kind::Day), count(key, "Followers")];
        let rows = (1..=9_u64).map(|at| vec![text("X"), day(at), number(100)]);
        whole(columns, rows.collect())
    };
    let bars = chart(ChartKind::Bar, "A", &table("followers"));
    assert_eq!(bars.series.len(), 8);
    assert!(!bars.rest.series);
    assert_eq!(bars.notes, ["Not drawn, because more than 8 could not be told apart: 9 Nov."]);
    // What comes anew each day is.
    assert_eq!(chart(ChartKind::Bar, "A", &table("engagements")).notes, ["“Other” holds 2 of 9 (Day)."]);
    let days = vec![column("day", "Day", Kind::Day), count("followers", "Followers")];
    let pie = chart(ChartKind::Pie, "A", &whole(days, vec![vec![day(1), number(100)], vec![day(2), number(101)]]));
    assert!(pie.series.is_empty());
    assert_eq!(pie.notes, ["Followers of several times have no sum, so there are no shares of it."]);
    // Accounts of one time are.
    assert_eq!(chart(ChartKind::Pie, "A", &names(3, "followers", Unit::Count)).series.len(), 1);
}

#[test]
fn a_pie_has_eight_slices_and_names_what_has_none() {
    let chart = chart(ChartKind::Pie, "Revenue", &specimen::revenue());
    assert_eq!(chart.categories.len(), 8);
    assert_eq!(chart.categories[7], "Other");
    assert_eq!(values(&chart, 0)[7], Some(1_930.0 + 1_110.1 + 640.0));
    assert_eq!(
        chart.notes,
        [
            "Not above zero and therefore without a slice: Acme refunds (−€310).",
            "Not known and therefore without a slice: Acme Malta.",
            "“Other” holds 3 of 10.",
        ]
    );
    let option = option(&chart, Theme::Light);
    let shares: f64 =
        option["series"][0]["data"].as_array().unwrap().iter().map(|one| one["value"].as_f64().unwrap()).sum();
    assert!((shares - 63_763.0).abs() < 1e-6, "{shares}");
    assert_eq!(option["series"][0]["data"][0]["name"], json!("Acme Europe\n€18,240.50, 28.6%"));
}

#[test]
fn eight_slices_need_no_other() {
    let pie = chart(ChartKind::Donut, "A", &names(8, "reach", Unit::Count));
    assert_eq!(pie.categories.len(), 8);
    assert!(!pie.rest.category && pie.notes.is_empty(), "{:?}", pie.notes);
}

#[test]
fn what_a_cut_table_leaves_out_is_a_part_of_the_whole() {
    let mut table = names(3, "reach", Unit::Count);
    table.of_rows = 4_812;
    table.totals = Some(vec![Cell::Missing, number(100)]);
    let pie = chart(ChartKind::Pie, "A", &table);
    assert_eq!(pie.categories, ["account 0", "account 1", "account 2", "Other"]);
    assert_eq!(values(&pie, 0), [Some(1.0), Some(2.0), Some(3.0), Some(94.0)]);
    assert_eq!(pie.notes, ["“Other” holds 4,809 of 4,812."]);
    table.totals = None;
    assert_eq!(chart(ChartKind::Pie, "A", &table).notes, ["Showing 3 of 4,812. Shares are of what is shown."]);
    assert_eq!(chart(ChartKind::Bar, "A", &table).notes, ["Showing 3 of 4,812."]);
}

#[test]
fn a_rate_has_no_shares() {
    let chart = chart(ChartKind::Pie, "A", &specimen::rates_by_network());
    assert!(chart.series.is_empty());
    assert_eq!(chart.notes.len(), 1);
    assert!(chart.option(Theme::Light).contains("No values in this period."));
}

#[test]
fn a_cell_without_a_value_is_no_zero() {
    let chart = chart(ChartKind::HeatMap, "A", &specimen::hours());
    assert_eq!((chart.categories.len(), chart.series.len()), (24, 7));
    assert_eq!(values(&chart, 6)[..8], [None, None, None, None, None, None, Some(0.0), Some(0.0)]);
    let option = option(&chart, Theme::Light);
    let cells = |series: usize| option["series"][series]["data"].as_array().unwrap().len();
    assert_eq!((cells(0), cells(1)), (7 * 18, 7 * 6));
    assert_eq!(option["series"][1]["itemStyle"]["color"], json!("transparent"));
    assert_eq!(option["visualMap"][0]["seriesIndex"], json!(0));
    assert_eq!(option["legend"]["data"][0]["name"], json!("Not known"));
    assert_eq!(option["series"][1]["data"][0]["name"], json!("Mon 00:00\n—"));
}

#[test]
fn a_funnel_says_shares_of_its_first_step() {
    let funnel = chart(ChartKind::Funnel, "A", &specimen::steps());
    assert_eq!(funnel.notes, ["Percentages are shares of “Impressions”."]);
    let option = option(&funnel, Theme::Light);
    assert_eq!(
        option["yAxis"][1]["data"],
        json!(["482,310 · 100.0%", "301,220 · 62.5%", "84,200 · 17.5%", "—", "9,412 · 2.0%"])
    );
    assert_eq!(option["series"][1]["data"][3]["value"], Value::Null);
    let mut table = specimen::steps();
    table.rows[0][0] = number(0);
    table.rows[0][1] = number(-4);
    let none = chart(ChartKind::Funnel, "A", &table);
    assert_eq!(
        none.notes,
        [
            "Below zero and therefore without a bar: Summed reach (−4).",
            "“Impressions” is not above zero, so there are no shares of it."
        ]
    );
}

#[test]
fn measures_of_another_unit_are_not_drawn_and_named() {
    let columns = vec![
        column("platform", "Platform", Kind::Text),
        count("reach", "Summed reach"),
        column("revenue", "Revenue", Kind::Number(Unit::Money)),
    ];
    let chart = chart(ChartKind::Bar, "A", &whole(columns, vec![vec![text("X"), number(1), number(2)]]));
    assert_eq!(chart.series.len(), 1);
    assert_eq!(chart.notes, ["Not drawn, because it is measured in another unit: Revenue."]);
}

#[test]
fn rows_of_the_same_names_are_added_up_or_not_drawn() {
    let of = |key: &str, unit| {
        let columns = vec![
            column("day", "Day", Kind::Day),
            column("campaign", "Campaign", Kind::Text),
            column(key, "A", Kind::Number(unit)),
        ];
        let row = |value| vec![day(1), text("Spring"), number(value)];
        chart(ChartKind::Bar, "A", &whole(columns, vec![row(3), row(4), vec![day(1), text("Autumn"), number(1)]]))
    };
    assert_eq!(values(&of("reach", Unit::Count), 0), [Some(7.0)]);
    let rate = of("engagement_rate", Unit::Percent);
    assert_eq!(values(&rate, 0), [None]);
    assert_eq!(rate.notes[0], "Rows that repeat the names of another one and do not add up are not drawn: 1.");
}

#[test]
fn areas_that_go_below_zero_are_lines() {
    let of = |value| {
        let columns = vec![
            column("day", "Day", Kind::Day),
            column("platform", "Platform", Kind::Text),
            count("follower_growth", "A"),
        ];
        let rows = vec![vec![day(1), text("X"), number(value)], vec![day(1), text("Y"), number(4)]];
        chart(ChartKind::Area, "A", &whole(columns, rows))
    };
    assert_eq!(option(&of(2), Theme::Light)["series"][1]["stack"], json!("current"));
    let below = of(-2);
    assert_eq!(option(&below, Theme::Light)["series"][1]["stack"], Value::Null);
    assert_eq!(below.notes, ["Values below zero cannot lie on each other, so they are drawn as lines."]);
}

#[test]
fn bars_start_at_zero_and_stacks_reach_to_their_sums() {
    let scores = vec![
        column("platform", "Platform", Kind::Text),
        column("sentiment", "Average sentiment", Kind::Number(Unit::Score)),
    ];
    let rows =
        vec![vec![text("X"), Cell::Number(Decimal::new(42, 2))], vec![text("Y"), Cell::Number(Decimal::new(-1, 1))]];
    let bar = option(&chart(ChartKind::Bar, "A", &whole(scores, rows)), Theme::Light);
    assert!(bar["xAxis"][0]["min"].as_f64().unwrap() <= -0.1);
    assert!(bar["xAxis"][0]["max"].as_f64().unwrap() >= 0.42);
    let columns =
        vec![column("platform", "Platform", Kind::Text), count("reach", "Summed reach"), count("clicks", "Clicks")];
    let rows = vec![vec![text("X"), number(60), number(50)], vec![text("Y"), number(10), known(None)]];
    let stack = option(&chart(ChartKind::StackedBar, "A", &whole(columns, rows)), Theme::Light);
    assert!(stack["xAxis"][0]["max"].as_f64().unwrap() >= 110.0);
}

#[test]
fn names_that_are_cut_to_the_same_stay_apart_in_the_legend() {
    let long = "A campaign with a name that goes on and on";
    let columns =
        vec![column("day", "Day", Kind::Day), column("campaign", "Campaign", Kind::Text), count("reach", "A")];
    let rows = (0..3).map(|at| vec![day(1), text(&format!("{long} {at}")), number(1)]).collect();
    let option = option(&chart(ChartKind::StackedBar, "A", &whole(columns, rows)), Theme::Light);
    let names: std::collections::BTreeSet<&str> =
        option["series"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn the_tenants_colour_is_the_first() {
    let mut chart = chart(ChartKind::Donut, "A", &names(3, "reach", Unit::Count));
    let colour = |chart: &ReportChart, slice: usize| {
        option(chart, Theme::Light)["series"][0]["data"][slice]["itemStyle"]["color"].as_str().unwrap().to_owned()
    };
    assert_eq!(colour(&chart, 0), "#24229e");
    chart.brand = Brand::new(145.0, 0.14).ok();
    let green = colour(&chart, 0);
    assert!(green[3..5] > green[1..3] && green[3..5] > green[5..7], "{green}");
    assert_ne!(colour(&chart, 1), green);
}

#[test]
fn words_of_the_caller_are_used() {
    let write = |kind: Kind, _: &Cell| (kind == Kind::Weekday).then(|| "Montag".to_owned());
    let words = Words { cell: Some(&write), unknown: "Unbekannt", ..Words::english("A", "€") };
    let chart = ReportChart::of(ChartKind::HeatMap, &specimen::hours(), &words);
    assert_eq!(chart.series[0].name, "Montag");
    assert_eq!(chart.categories[5], "05:00");
    assert!(chart.option(Theme::Light).contains("Unbekannt"));
}

#[test]
fn values_that_are_no_numbers_or_too_many_do_no_harm() {
    let mut chart = chart(ChartKind::Line, "A", &specimen::days_compared());
    chart.categories.truncate(3);
    chart.series.push(Series {
        name: "C".into(),
        role: Role::Current,
        values: vec![Some(f64::NAN), Some(f64::INFINITY)],
    });
    let option = option(&chart, Theme::Light);
    for series in option["series"].as_array().unwrap() {
        assert_eq!(series["data"].as_array().unwrap().len(), 3);
    }
    assert_eq!(option["series"][2]["data"][1]["value"], Value::Null);
}

#[test]
fn the_option_holds_no_script() {
    let hostile = "#*#*#*#function(){alert(1)}#*#*#*#";
    for (_, mut chart) in specimen::all() {
        chart.title = hostile.into();
        chart.categories[0] = hostile.into();
        chart.series[0].name = hostile.into();
        // Plain JSON: whatever a text says, it stays a text.
        let option = option(&chart, Theme::Light);
        assert_eq!(option["title"][0]["text"], json!("#*#*#*#function(){\u{2060}alert(1)}#*#*#*#"));
        assert_eq!(option["tooltip"]["formatter"], json!("names"));
        assert_eq!(option["tooltip"]["renderMode"], json!("richText"));
    }
}
