//! The reports that tests write: one with every kind of block, one of which most is left out, and one whose texts mean harm.

use chrono::{DateTime, Days, NaiveDate, Utc};
use rtv_core::kpi::Unit;
use rtv_core::period::Period;
use rtv_core::report::{
    Cell, ChartKind, Column, Filled, FilledBlock, FilledContent, FilledSection, Kind, Meaning, Metric, Table,
};
use rtv_core::{Plan, TenantId, TenantStatus};
use rtv_domain::context::Tenant;
use rtv_domain::format::Format;
use rust_decimal::Decimal;

/// How a German tenant with euros writes.
pub(crate) fn format() -> Format {
    Format::of(&Tenant {
        id: TenantId::OPERATOR,
        slug: "acme".parse().unwrap(),
        name: "Acme".into(),
        plan: Plan::Free,
        status: TenantStatus::Active,
        status_reason: None,
        is_house: false,
        zone: chrono_tz::Europe::Berlin,
        locale: "en-GB".into(),
        currency: "EUR".into(),
        week_start: 0,
        brand: None,
        has_sample_data: false,
        mfa_required: false,
        session_timeout: rtv_domain::session::IDLE,
        ip_ranges: Vec::new(),
        over_limits: Vec::new(),
        is_sandbox: false,
        logo: None,
    })
}

pub(crate) fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

pub(crate) fn day(day: &str) -> NaiveDate {
    day.parse().unwrap()
}

pub(crate) fn text(text: &str) -> Cell {
    Cell::Text(text.into())
}

pub(crate) fn number(text: &str) -> Cell {
    Cell::Number(text.parse().unwrap())
}

pub(crate) fn column(key: &str, label: &str, kind: Kind) -> Column {
    Column { key: key.into(), label: label.into(), kind }
}

pub(crate) fn table(columns: Vec<Column>, rows: Vec<Vec<Cell>>) -> Table {
    Table { columns, of_rows: rows.len() as u64, rows, totals: None, whole: None, notes: Vec::new() }
}

pub(crate) fn block(id: u32, title: &str, content: FilledContent) -> FilledBlock {
    FilledBlock { id, title: title.into(), content }
}

pub(crate) fn report(blocks: Vec<FilledBlock>) -> Filled {
    Filled {
        name: "Monthly executive".into(),
        description: "What happened in March.".into(),
        tenant: "Acme & Söhne".into(),
        period: Period::new(day("2026-03-01"), day("2026-03-31")).unwrap(),
        previous: Some(Period::new(day("2026-02-01"), day("2026-02-28")).unwrap()),
        zone: chrono_tz::Europe::Berlin,
        filters: vec!["Platform: Facebook".into()],
        as_of: Some(at("2026-04-01T05:00:00Z")),
        made_at: at("2026-04-01T06:30:00Z"),
        version: Some(3),
        sections: vec![FilledSection { id: 1, title: "March".into(), blocks }],
        meanings: vec![Meaning { label: "Summed reach".into(), definition: "People reached, added up.".into() }],
        notes: vec!["Days are days in Europe/Berlin.".into()],
    }
}

const COUNT: Kind = Kind::Number(Unit::Count);

/// A chart of the kind over its own small table.
fn chart(kind: ChartKind) -> FilledContent {
    let reach = || column("reach", "Summed reach", COUNT);
    let days = ["2026-03-01", "2026-03-02", "2026-03-03"];
    let table = match kind {
        ChartKind::Line => {
            // Split by platform, compared, and one pair of values is missing.
            let columns = vec![
                column("day", "Day", Kind::Day),
                column("platform", "Platform", Kind::Text),
                reach(),
                column("reach_previous", "Summed reach, previous", COUNT),
            ];
            let rows = vec![
                vec![Cell::Day(day(days[0])), text("Facebook"), number("10"), number("9")],
                vec![Cell::Day(day(days[0])), text("=X"), number("20"), number("19")],
                vec![Cell::Day(day(days[1])), text("=X"), number("21"), Cell::Missing],
            ];
            table(columns, rows)
        }
        ChartKind::HeatMap => {
            let columns =
                vec![column("weekday", "Weekday", Kind::Weekday), column("hour", "Hour", Kind::Hour), reach()];
            let rows = vec![
                vec![Cell::Ordinal(0), Cell::Ordinal(9), number("5")],
                vec![Cell::Ordinal(6), Cell::Ordinal(23), number("7")],
            ];
            table(columns, rows)
        }
        ChartKind::Funnel => {
            let columns = vec![
                column("impressions", "Impressions", COUNT),
                column("impressions_previous", "Impressions, previous", COUNT),
                column("clicks", "Clicks", COUNT),
                column("clicks_previous", "Clicks, previous", COUNT),
            ];
            table(columns, vec![vec![number("100"), number("90"), number("10"), number("8")]])
        }
        ChartKind::Area | ChartKind::Bar | ChartKind::StackedBar | ChartKind::Pie | ChartKind::Donut => {
            let rows = days.iter().zip(1..).map(|(one, value)| vec![Cell::Day(day(one)), number(&format!("{value}0"))]);
            table(vec![column("day", "Day", Kind::Day), reach()], rows.collect())
        }
    };
    FilledContent::Chart { kind, table }
}

/// One of everything.
pub(crate) fn small() -> Filled {
    let metric = |label: &str, unit, value: Option<&str>, previous: Option<&str>, note: Option<&str>| {
        FilledContent::Metric(Metric {
            key: label.to_lowercase(),
            label: label.into(),
            unit,
            value: value.map(|value| value.parse().unwrap()),
            previous: previous.map(|value| value.parse().unwrap()),
            is_compared: previous.is_some(),
            compared_with: None,
            remarks: Vec::new(),
            up_is_good: None,
            note: note.map(Into::into),
        })
    };
    let mut posts = table(
        vec![
            column("published_at", "Published", Kind::Instant),
            column("post", "Post", Kind::Text),
            column("month", "Month", Kind::Month),
            column("reach", "Summed reach", COUNT),
            column("engagement_rate", "Engagement rate", Kind::Number(Unit::Percent)),
            column("sentiment", "Average sentiment", Kind::Number(Unit::Score)),
            column("revenue", "Revenue", Kind::Number(Unit::Money)),
            column("roi", "ROI", Kind::Number(Unit::Multiple)),
        ],
        vec![
            vec![
                Cell::Instant(at("2026-03-29T00:30:00Z")),
                text("=HYPERLINK(\"http://x\",\"y\")"),
                Cell::Day(day("2026-03-01")),
                number("1284321"),
                number("0.06618"),
                number("-0.084"),
                number("48200.50"),
                number("3.4"),
            ],
            vec![
                Cell::Instant(at("2026-03-29T01:30:00Z")),
                text("Grüße, 😀 \"quoted\""),
                Cell::Day(day("2026-03-01")),
                Cell::Missing,
                Cell::Missing,
                Cell::Missing,
                number("0"),
                Cell::Missing,
            ],
        ],
    );
    posts.totals = Some(vec![
        Cell::Missing,
        Cell::Missing,
        Cell::Missing,
        number("1284321"),
        number("0.06618"),
        number("-0.084"),
        number("48200.50"),
        number("3.4"),
    ]);
    posts.notes = vec!["Reach of a post is the last that is known.".into()];
    let mut blocks = vec![
        block(2, "Summary", FilledContent::Text("A good month.\n\n=1+1 is text.".into())),
        block(3, "Reach", metric("Summed reach", Unit::Count, Some("1284321"), Some("1000000"), None)),
        block(4, "Revenue", metric("Revenue", Unit::Money, Some("48200.50"), None, None)),
        block(
            5,
            "Engagement rate",
            metric("Engagement rate", Unit::Percent, None, None, Some("Nothing was published.")),
        ),
        block(6, "Posts", FilledContent::Table(posts)),
        block(7, "Teams", FilledContent::Refused("The team “Ads” no longer exists.".into())),
    ];
    for (&kind, id) in ChartKind::ALL.iter().zip(8..) {
        blocks.push(block(id, &format!("{} chart", kind.label()), chart(kind)));
    }
    report(blocks)
}

/// Twenty rows of 4,812.
pub(crate) fn cut() -> Filled {
    let rows = (0..20)
        .map(|index| vec![Cell::Day(day("2014-01-01") + Days::new(index)), Cell::Number(Decimal::from(index * 1_000))]);
    let mut table =
        table(vec![column("day", "Day", Kind::Day), column("reach", "Summed reach", COUNT)], rows.collect());
    table.of_rows = 4_812;
    table.totals = Some(vec![Cell::Missing, number("9223372")]);
    table.whole = Some("https://rtv.example/t/acme/reports/rep_1/tables/2".into());
    report(vec![block(2, "Reach by day", FilledContent::Table(table))])
}

/// Texts that have broken exports: formulas, other scripts, control characters, separators, spaces.
pub(crate) fn harm() -> Vec<String> {
    let long = "0123456789".repeat(4_000);
    let mut texts: Vec<String> = [
        "=HYPERLINK(\"http://x\",\"y\")",
        "=cmd|' /C calc'!A0",
        "@handle",
        "+1",
        "-5",
        "-5+3",
        " =1+1",
        "\t=1+1",
        "\r\n=1+1",
        "\"=1+1\"",
        "'=1+1",
        "''=1+1",
        "'tis",
        "'",
        "''",
        "＝1+1",
        "＋1",
        "－1",
        "＠anna",
        "\u{200b}=1",
        "\u{feff}@x",
        "a\0b",
        "\0",
        "bell\u{7}, escape\u{1b}[31m",
        "_x0041_ is no A",
        "\u{fffe}",
        "\"",
        "\"\"",
        "one \" lone quote",
        "ends with a quote\"",
        "first\r\nsecond",
        "first\nsecond\n",
        "carriage\rreturn",
        "a,b;c\td",
        "  leading and trailing  ",
        "\u{a0}no-break spaces\u{a0}",
        "日本語の投稿、漢字",
        "한국어",
        "مرحبا =1+1",
        "שלום",
        "\u{202e}evil",
        "👨‍👩‍👧‍👦 family 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "e\u{301}\u{327}",
        "<b>&amp;</b>",
        "]]>",
        "{=SUM(A1)}",
        "http://example.com/not-a-link",
        "mailto:a@example.com",
        "1e5",
        "0012",
        "2026-03-01",
        "TRUE",
        "#REF!",
        "NULL",
        "sep=;",
        "Total",
        "Showing 20 of 4,812 rows.",
        "plain",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    texts.push(long.clone());
    texts.push(format!("={long}"));
    texts.push("👩‍🚒".repeat(8_000));
    texts
}

/// Seventy thousand cells with these texts, in the columns of RTV's own export of posts.
pub(crate) fn hostile() -> Table {
    let texts = harm();
    let short: Vec<&String> = texts.iter().filter(|text| text.len() < 1_000).collect();
    let rows = (0..10_000_usize).map(|index| {
        // The long ones are as often as it takes to see them, not as often as the others.
        let post = if index < texts.len() { &texts[index] } else { short[index % short.len()] };
        let label = ["=1+1", "@handle", "'tis", "''=x", "-5", "日本語", "שלום", "a \"b\", c", "👨‍👩‍👧‍👦", "＝1"];
        let mantissa = i64::try_from(index).unwrap() * 12_345;
        vec![
            Cell::Instant(at("2026-03-01T00:00:00Z") + chrono::TimeDelta::seconds(i64::try_from(index).unwrap() * 37)),
            text("x"),
            text(label[(index / 7) % label.len()]),
            text(&format!("={index}")),
            text(post),
            text(label[index % label.len()]),
            if index % 11 == 0 { Cell::Missing } else { Cell::Number(Decimal::new(mantissa, 2)) },
        ]
    });
    let mut table = table(
        vec![
            column("published_at", "published_at", Kind::Instant),
            column("platform", "platform", Kind::Text),
            column("account_id", "account_id", Kind::Text),
            column("post_id", "post_id", Kind::Text),
            column("post", "text", Kind::Text),
            column("campaign", "campaign", Kind::Text),
            column("revenue", "revenue", Kind::Number(Unit::Money)),
        ],
        rows.collect(),
    );
    let total: Decimal =
        table.rows.iter().filter_map(|row| if let Cell::Number(value) = row[6] { Some(value) } else { None }).sum();
    table.totals = Some([vec![Cell::Missing; 6], vec![Cell::Number(total)]].concat());
    table
}
