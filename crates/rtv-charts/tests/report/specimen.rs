//! Tables as reports fill them, one for each kind of chart, for tests and for looking at.

use chrono::{Days, Months, NaiveDate};
use rtv_charts::{ReportChart, Words};
use rtv_core::Brand;
use rtv_core::kpi::Unit;
use rtv_core::report::{Cell, ChartKind, Column, Kind, Table};
use rust_decimal::Decimal;

pub(crate) fn column(key: &str, label: &str, kind: Kind) -> Column {
    Column { key: key.into(), label: label.into(), kind }
}

pub(crate) fn count(key: &str, label: &str) -> Column {
    column(key, label, Kind::Number(Unit::Count))
}

pub(crate) fn whole(columns: Vec<Column>, rows: Vec<Vec<Cell>>) -> Table {
    let of_rows = u64::try_from(rows.len()).unwrap_or_default();
    Table { columns, rows, totals: None, of_rows, whole: None, notes: Vec::new() }
}

pub(crate) fn text(text: &str) -> Cell {
    Cell::Text(text.into())
}

pub(crate) fn number(value: i64) -> Cell {
    Cell::Number(value.into())
}

pub(crate) fn known(value: Option<i64>) -> Cell {
    value.map_or(Cell::Missing, number)
}

/// A day of November 2026, from 1.
pub(crate) fn day(day: u64) -> Cell {
    let first = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap_or_default();
    Cell::Day(first.checked_add_days(Days::new(day - 1)).unwrap_or_default())
}

fn month(month: u32) -> Cell {
    let first = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap_or_default();
    Cell::Day(first.checked_add_months(Months::new(month)).unwrap_or_default())
}

/// A course with weekly waves, the same at every run.
fn wave(at: i64, base: i64, phase: i64) -> i64 {
    let week = [100, 112, 118, 109, 121, 74, 61][usize::try_from((at + phase).rem_euclid(7)).unwrap_or_default()];
    let noise = (at * 7_919 + phase * 104_729).rem_euclid(23) - 11;
    base * week / 100 + base * noise / 100 + base * at / 120
}

pub(crate) const NETWORKS: [&str; 5] = ["LinkedIn", "Instagram", "Facebook", "X", "TikTok"];

pub(crate) fn days_compared() -> Table {
    let columns = vec![
        column("day", "Day", Kind::Day),
        count("impressions", "Impressions"),
        count("impressions_previous", "Impressions, 4 – 31 Oct"),
    ];
    let rows = (0..28)
        .map(|at| {
            let current = (!matches!(at, 12 | 13)).then(|| wave(at, 42_000, 2));
            vec![day(u64::try_from(at).unwrap_or_default() + 1), known(current), number(wave(at, 37_000, 4))]
        })
        .collect();
    whole(columns, rows)
}

pub(crate) fn days_by_network() -> Table {
    let columns = vec![
        column("day", "Day", Kind::Day),
        column("platform", "Platform", Kind::Text),
        count("engagements", "Engagements"),
    ];
    let mut rows = Vec::new();
    for at in 0..28_i64 {
        for (index, name) in NETWORKS.iter().enumerate() {
            let index = i64::try_from(index).unwrap_or_default();
            let is_missing = *name == "TikTok" && (8..11).contains(&at);
            let value = (!is_missing).then(|| wave(at, 5_200 - 900 * index, index * 3));
            rows.push(vec![day(u64::try_from(at).unwrap_or_default() + 1), text(name), known(value)]);
        }
    }
    whole(columns, rows)
}

pub(crate) fn months_by_network() -> Table {
    let columns = vec![
        column("month", "Month", Kind::Month),
        column("platform", "Platform", Kind::Text),
        count("published", "Content published"),
    ];
    let mut rows = Vec::new();
    for at in 0..9_u32 {
        for (index, name) in NETWORKS.iter().enumerate() {
            let index = i64::try_from(index).unwrap_or_default();
            rows.push(vec![month(at), text(name), number(wave(i64::from(at), 60 - 9 * index, index))]);
        }
    }
    whole(columns, rows)
}

pub(crate) const CAMPAIGNS: [&str; 9] = [
    "Q4 launch",
    "Always on",
    "Behind the scenes",
    "Winter jackets, sizes S to XXL, all stores in the north",
    "Hiring",
    "Black Friday",
    "Partner stories",
    "Newsletter",
    "Help centre",
];

/// Engagements by campaign, one of them unknown and one zero.
pub(crate) fn campaigns(is_compared: bool) -> Table {
    let mut columns = vec![column("campaign", "Campaign", Kind::Text), count("engagements", "Engagements")];
    if is_compared {
        columns.push(count("engagements_previous", "Engagements, before"));
    }
    let rows = CAMPAIGNS
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let index = i64::try_from(index).unwrap_or_default();
            let value = match index {
                6 => None,
                8 => Some(0),
                _ => Some(48_200 / (index + 1) + 317),
            };
            let mut row = vec![text(name), known(value)];
            if is_compared {
                row.push(number(39_000 / (index + 1) + 911));
            }
            row
        })
        .collect();
    whole(columns, rows)
}

/// What campaigns reached on each network.
pub(crate) fn campaigns_by_network() -> Table {
    let columns = vec![
        column("campaign", "Campaign", Kind::Text),
        column("platform", "Platform", Kind::Text),
        count("reach", "Summed reach"),
    ];
    let mut rows = Vec::new();
    for (at, campaign) in CAMPAIGNS.iter().enumerate().take(6) {
        for (index, name) in NETWORKS.iter().enumerate() {
            let (at, index) = (i64::try_from(at).unwrap_or_default(), i64::try_from(index).unwrap_or_default());
            rows.push(vec![text(campaign), text(name), number(wave(at, 9_000 - 1_100 * at - 600 * index, index))]);
        }
    }
    whole(columns, rows)
}

pub(crate) fn rates_by_network() -> Table {
    let columns = vec![
        column("platform", "Platform", Kind::Text),
        column("engagement_rate", "Engagement rate", Kind::Number(Unit::Percent)),
    ];
    let rows = NETWORKS
        .iter()
        .zip([66_i64, 54, 31, 48, 72])
        .map(|(name, rate)| vec![text(name), Cell::Number(Decimal::new(rate, 3))]);
    whole(columns, rows.collect())
}

/// Revenue by network, among it what has no slice.
pub(crate) fn revenue() -> Table {
    let columns =
        vec![column("account", "Account", Kind::Text), column("revenue", "Revenue", Kind::Number(Unit::Money))];
    let amounts: [(&str, Option<i64>); 12] = [
        ("Acme Europe", Some(1_824_050)),
        ("Acme Nordics", Some(1_241_000)),
        ("Acme Benelux and northern France", Some(998_025)),
        ("Acme Iberia", Some(702_000)),
        ("Acme Italia", Some(561_575)),
        ("Acme Polska", Some(400_400)),
        ("Acme Hellas", Some(281_240)),
        ("Acme Danmark", Some(193_000)),
        ("Acme Suomi", Some(111_010)),
        ("Acme Ireland", Some(64_000)),
        ("Acme Malta", None),
        ("Acme refunds", Some(-31_000)),
    ];
    let rows = amounts.map(|(name, amount)| {
        vec![text(name), amount.map_or(Cell::Missing, |cents| Cell::Number(Decimal::new(cents, 2)))]
    });
    whole(columns, rows.into())
}

/// Posts by hour of the week: nights are unknown, Sunday mornings are zero.
pub(crate) fn hours() -> Table {
    let columns = vec![
        column("weekday", "Weekday", Kind::Weekday),
        column("hour", "Hour", Kind::Hour),
        count("engagements", "Engagements"),
    ];
    let mut rows = Vec::new();
    for weekday in 0..7_u8 {
        for hour in 0..24_u8 {
            let (at, of) = (i64::from(hour), i64::from(weekday));
            let value = match hour {
                0..6 => None,
                6..10 if weekday == 6 => Some(0),
                _ => Some((1_450 - (at - 12 - of).pow(2) * 17 + wave(at, 180, of)).max(20)),
            };
            rows.push(vec![Cell::Ordinal(weekday), Cell::Ordinal(hour), known(value)]);
        }
    }
    whole(columns, rows)
}

pub(crate) fn steps() -> Table {
    let columns = vec![
        count("impressions", "Impressions"),
        count("reach", "Summed reach"),
        count("engagements", "Engagements"),
        count("clicks", "Clicks"),
        count("conversions", "Conversions"),
    ];
    whole(columns, vec![vec![number(482_310), number(301_220), number(84_200), Cell::Missing, number(9_412)]])
}

pub(crate) fn chart(kind: ChartKind, title: &str, table: &Table) -> ReportChart {
    ReportChart::of(kind, table, &Words::english(title, "€"))
}

/// A chart of every kind, and what else has a look of its own.
pub(crate) fn all() -> Vec<(&'static str, ReportChart)> {
    let branded = |hue: f64, mut chart: ReportChart| {
        chart.brand = Brand::new(hue, 0.16).ok();
        chart
    };
    vec![
        ("line", chart(ChartKind::Line, "Impressions by day", &days_compared())),
        ("line-split", chart(ChartKind::Line, "Engagements by day and platform", &days_by_network())),
        ("line-names", chart(ChartKind::Line, "Engagements by campaign", &campaigns(false))),
        ("area", chart(ChartKind::Area, "Impressions by day", &days_compared())),
        ("area-split", chart(ChartKind::Area, "Engagements by day and platform", &days_by_network())),
        ("bar-time", chart(ChartKind::Bar, "Impressions by day", &days_compared())),
        ("bar-names", branded(150.0, chart(ChartKind::Bar, "Engagements by campaign", &campaigns(false)))),
        ("bar-compared", chart(ChartKind::Bar, "Engagements by campaign", &campaigns(true))),
        ("bar-rate", chart(ChartKind::Bar, "Engagement rate by platform", &rates_by_network())),
        ("stacked-time", chart(ChartKind::StackedBar, "Content published by month and platform", &months_by_network())),
        (
            "stacked-names",
            chart(ChartKind::StackedBar, "Summed reach by campaign and platform", &campaigns_by_network()),
        ),
        ("pie", chart(ChartKind::Pie, "Revenue by account", &revenue())),
        ("donut", branded(25.0, chart(ChartKind::Donut, "Revenue by account", &revenue()))),
        ("heat-map", chart(ChartKind::HeatMap, "Engagements by weekday and hour", &hours())),
        ("funnel", chart(ChartKind::Funnel, "From impression to conversion", &steps())),
    ]
}
