//! Reports to write.

use chrono::{DateTime, NaiveDate, Utc};
use rtv_core::kpi::Unit;
use rtv_core::period::Period;
use rtv_core::report::{
    Cell, ChartKind, Column, Filled, FilledBlock, FilledContent, FilledSection, Kind, Meaning, Metric, Table,
};
use rtv_core::{Plan, TenantStatus};
use rtv_domain::Tenant;
use rtv_domain::format::Format;
use rtv_report::pdf::Look;
use rust_decimal::Decimal;

pub(super) fn format(locale: &str) -> Format {
    Format::of(&Tenant {
        id: uuid::Uuid::nil().into(),
        slug: "acme".parse().unwrap(),
        name: "Acme".into(),
        plan: Plan::Free,
        status: TenantStatus::Active,
        status_reason: None,
        is_house: false,
        zone: chrono_tz::Europe::Berlin,
        locale: locale.into(),
        currency: "EUR".into(),
        week_start: 0,
        brand: None,
        has_sample_data: false,
        mfa_required: false,
        session_timeout: chrono::TimeDelta::hours(8),
        ip_ranges: Vec::new(),
        over_limits: Vec::new(),
        is_sandbox: false,
        logo: None,
    })
}

pub(super) fn look() -> Look {
    Look { format: format("en-GB"), hue: 200.0, logo: None, fonts: Vec::new() }
}

pub(super) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(super) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A report without sections.
pub(super) fn empty() -> Filled {
    Filled {
        name: "Monthly performance".into(),
        description: "What October brought on all platforms, for the board.".into(),
        tenant: "Acme Coffee Roasters".into(),
        period: Period::new(day("2026-10-01"), day("2026-10-31")).unwrap(),
        previous: Some(Period::new(day("2026-09-01"), day("2026-09-30")).unwrap()),
        zone: chrono_tz::Europe::Berlin,
        filters: vec!["Platform: Facebook, LinkedIn".into(), "Campaign: Autumn blend".into()],
        as_of: Some(at("2026-11-01T05:12:00Z")),
        made_at: at("2026-11-01T06:00:00Z"),
        version: Some(7),
        sections: Vec::new(),
        meanings: Vec::new(),
        notes: Vec::new(),
    }
}

pub(super) fn section(id: u32, title: &str, blocks: Vec<FilledBlock>) -> FilledSection {
    FilledSection { id, title: title.into(), blocks }
}

pub(super) fn block(id: u32, title: &str, content: FilledContent) -> FilledBlock {
    FilledBlock { id, title: title.into(), content }
}

pub(super) fn metric(label: &str, unit: Unit, value: Option<&str>, previous: Option<&str>) -> Metric {
    Metric {
        key: label.to_lowercase(),
        label: label.into(),
        unit,
        value: value.map(number),
        previous: previous.map(number),
        is_compared: true,
        compared_with: None,
        remarks: Vec::new(),
        up_is_good: Some(true),
        note: None,
    }
}

pub(super) fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(super) fn column(key: &str, label: &str, kind: Kind) -> Column {
    Column { key: key.into(), label: label.into(), kind }
}

pub(super) fn text(text: &str) -> Cell {
    Cell::Text(text.into())
}

pub(super) fn count(value: u64) -> Cell {
    Cell::Number(Decimal::from(value))
}

/// A table with so many rows: `Row 1` and figures of every unit.
pub(super) fn long_table(rows: u64) -> Table {
    Table {
        columns: vec![
            column("campaign", "Campaign", Kind::Text),
            column("day", "Day", Kind::Day),
            column("reach", "Summed reach", Kind::Number(Unit::Count)),
            column("rate", "Engagement rate", Kind::Number(Unit::Percent)),
            column("revenue", "Revenue", Kind::Number(Unit::Money)),
        ],
        rows: (1..=rows)
            .map(|row| {
                vec![
                    Cell::Text(format!("Campaign no. {row:04}")),
                    Cell::Day(day("2026-10-01") + chrono::Days::new(row % 31)),
                    count(row * 1_013),
                    Cell::Number(Decimal::from(row) / Decimal::from(10_000)),
                    if row % 7 == 0 { Cell::Missing } else { Cell::Number(Decimal::from(row * 37) / Decimal::from(4)) },
                ]
            })
            .collect(),
        totals: Some(vec![
            text("Total"),
            Cell::Missing,
            count(rows * (rows + 1) / 2 * 1_013),
            Cell::Number(number("0.0251")),
            Cell::Number(number("987654.32")),
        ]),
        of_rows: rows,
        whole: None,
        notes: Vec::new(),
    }
}

/// A small report with one of everything.
pub(super) fn small() -> Filled {
    let mut cut = long_table(4);
    cut.of_rows = 4_812;
    cut.whole = Some("https://rtv.example/t/acme/reports/rep_1/runs/run_1/tables/9".into());
    cut.notes = vec!["Posts that were deleted since are counted.".into()];
    let mut worse = metric("Missed deliveries", Unit::Count, Some("12"), Some("3"));
    worse.up_is_good = Some(false);
    let mut missing = metric("ROI", Unit::Multiple, None, Some("3.1"));
    missing.note = Some("No costs are known for this period.".into());
    let kinds = Table {
        columns: vec![
            column("week", "Week", Kind::Week),
            column("month", "Month", Kind::Month),
            column("weekday", "Weekday", Kind::Weekday),
            column("hour", "Hour", Kind::Hour),
            column("published_at", "Published", Kind::Instant),
            column("score", "Average sentiment", Kind::Number(Unit::Score)),
        ],
        rows: vec![
            vec![
                Cell::Day(day("2026-10-05")),
                Cell::Day(day("2026-10-01")),
                Cell::Ordinal(0),
                Cell::Ordinal(9),
                // The night in which clocks go back: 02:30 comes twice.
                Cell::Instant(at("2026-10-25T01:30:00Z")),
                Cell::Number(number("-0.084")),
            ],
            vec![Cell::Missing, Cell::Missing, Cell::Ordinal(6), Cell::Ordinal(23), Cell::Missing, Cell::Missing],
        ],
        totals: None,
        of_rows: 2,
        whole: None,
        notes: Vec::new(),
    };
    Filled {
        sections: vec![
            section(
                1,
                "Summary",
                vec![
                    block(
                        2,
                        "In short",
                        FilledContent::Text(
                            "Reach grew for the third month in a row. The autumn blend brought most of it.\n\nΚαλημέρα, Привет, Łódź: names are written as they are.".into(),
                        ),
                    ),
                    block(3, "Summed reach", FilledContent::Metric(metric("Summed reach", Unit::Count, Some("1284321"), Some("1142000")))),
                    block(4, "Engagement rate", FilledContent::Metric(metric("Engagement rate", Unit::Percent, Some("0.06618"), Some("0.0721")))),
                    block(5, "Missed deliveries", FilledContent::Metric(worse)),
                    block(6, "ROI", FilledContent::Metric(missing)),
                    block(7, "Conversions", FilledContent::Metric(metric("Conversions", Unit::Count, Some("912"), Some("912")))),
                ],
            ),
            section(
                8,
                "Campaigns",
                vec![
                    block(9, "Best campaigns", FilledContent::Table(cut)),
                    block(10, "Reach by campaign", FilledContent::Chart { kind: ChartKind::Bar, table: long_table(3) }),
                    block(11, "Kinds of cells", FilledContent::Table(kinds)),
                    block(12, "Audience", FilledContent::Refused("Followers are not read for these accounts.".into())),
                ],
            ),
        ],
        meanings: vec![
            Meaning { label: "Summed reach".into(), definition: "People that each post was shown to, added up over posts.".into() },
            Meaning { label: "Engagement rate".into(), definition: "Engagements for each impression.".into() },
        ],
        notes: vec!["Two accounts were connected on 12 October; their earlier days are missing.".into()],
        ..empty()
    }
}

/// A report that holds these blocks alone.
pub(super) fn holding(contents: Vec<FilledContent>) -> Filled {
    let blocks =
        contents.into_iter().zip(2..).map(|(content, id)| block(id, &format!("Block {id}"), content)).collect();
    Filled { sections: vec![section(1, "All", blocks)], ..empty() }
}
