//! How long a PDF of twenty pages with twelve charts takes, and how much memory; the charts are drawn beforehand and timed apart.
//! `cargo run --release -p rtv-report --example pdf_figures [FILE]` writes the last one to the file.

use std::error::Error;
use std::time::Instant;

use chrono::{Days, NaiveDate};
use rtv_charts::{ECHARTS_SOURCE, NumberStyle, Renderer, Role, Series, Theme, TrendChart};
use rtv_core::kpi::Unit;
use rtv_core::period::Period;
use rtv_core::report::{
    Cell, ChartKind, Column, Filled, FilledBlock, FilledContent, FilledSection, Kind, Meaning, Metric, Table,
};
use rtv_core::{Plan, TenantStatus};
use rtv_domain::Tenant;
use rtv_domain::format::Format;
use rtv_report::pdf::{Look, Picture, Pictures, write};
use rust_decimal::Decimal;

const CHARTS: u32 = 12;
const ROWS: u64 = 28;
const TIMES: usize = 10;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let renderer = Renderer::start(ECHARTS_SOURCE)?;
    // The engine is loaded with the first, which is no part of a report's time.
    picture(&renderer, 0).await?;
    let begun = Instant::now();
    let mut pictures = Pictures::new();
    for number in 1..=CHARTS {
        let svg = picture(&renderer, number).await?;
        pictures.insert(number * 10, Picture { svg, notes: vec!["“Other” holds 9 of 20.".into()] });
    }
    println!("charts:  {CHARTS} drawn in {:.3} s", begun.elapsed().as_secs_f64());
    let (filled, look) = (filled()?, look()?);
    let (mut times, mut bytes, mut pages) = (Vec::new(), Vec::new(), 0);
    for _ in 0..TIMES {
        bytes.clear();
        let begun = Instant::now();
        pages = write(&filled, &look, &pictures, &mut bytes)?.pages;
        times.push(begun.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    println!(
        "pdf:     {pages} pages, {} bytes; median {:.3} s, worst {:.3} s of {TIMES}",
        bytes.len(),
        times[TIMES / 2],
        times[TIMES - 1]
    );
    if let Ok(status) = std::fs::read_to_string("/proc/self/status")
        && let Some(peak) = status.lines().find(|line| line.starts_with("VmHWM"))
    {
        println!("memory:  {}", peak.trim_start_matches("VmHWM:").trim());
    }
    if let Some(file) = std::env::args().nth(1) {
        std::fs::write(file, &bytes)?;
    }
    Ok(())
}

async fn picture(renderer: &Renderer, number: u32) -> Result<String, Box<dyn Error>> {
    let values = |base: u32| (0..31_u32).map(|day| Some(f64::from((day * 37 + number * 11) % 50 + base))).collect();
    let chart = TrendChart {
        title: format!("Chart {number}"),
        summary: "It rose.".into(),
        unit: rtv_charts::Unit::Count,
        categories: (1..=31).map(|day| format!("{day} Oct")).collect(),
        series: vec![
            Series { name: "This period".into(), values: values(60), role: Role::Current },
            Series { name: "Before".into(), values: values(40), role: Role::Previous },
        ],
        marks: Vec::new(),
        numbers: NumberStyle::ENGLISH,
        font_family: "sans-serif".into(),
        no_data: "No data".into(),
    };
    Ok(renderer.svg(&chart.option(Theme::Light), 720, 300).await?)
}

fn look() -> Result<Look, Box<dyn Error>> {
    let format = Format::of(&Tenant {
        id: uuid::Uuid::nil().into(),
        slug: "acme".parse()?,
        name: "Acme Coffee Roasters".into(),
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
        session_timeout: chrono::TimeDelta::hours(8),
        ip_ranges: Vec::new(),
        over_limits: Vec::new(),
        is_sandbox: false,
        logo: None,
    });
    Ok(Look { format, hue: 200.0, logo: None, fonts: Vec::new() })
}

fn filled() -> Result<Filled, Box<dyn Error>> {
    let from: NaiveDate = "2026-10-01".parse()?;
    let mut sections = Vec::new();
    for number in 1..=CHARTS {
        let id = number * 10;
        let mut blocks = Vec::new();
        for (offset, label) in (1..).zip(["Summed reach", "Engagements", "Impressions"]) {
            let metric = Metric {
                key: label.to_lowercase(),
                label: label.into(),
                unit: Unit::Count,
                value: Some(Decimal::from(1_284_321 + number)),
                previous: Some(Decimal::from(1_142_000)),
                is_compared: true,
                compared_with: None,
                remarks: Vec::new(),
                up_is_good: Some(true),
                note: None,
            };
            blocks.push(FilledBlock { id: id + offset, title: label.into(), content: FilledContent::Metric(metric) });
        }
        let chart = FilledContent::Chart { kind: ChartKind::Line, table: table(from) };
        blocks.push(FilledBlock { id, title: format!("Reach by day, {number}"), content: chart });
        let rows = FilledContent::Table(table(from));
        blocks.push(FilledBlock { id: id + 5, title: format!("Campaigns, {number}"), content: rows });
        sections.push(FilledSection { id: id + 6, title: format!("Part {number}"), blocks });
    }
    Ok(Filled {
        name: "Monthly performance".into(),
        description: "What October brought on all platforms.".into(),
        tenant: "Acme Coffee Roasters".into(),
        period: Period::new(from, "2026-10-31".parse()?)?,
        previous: Some(Period::new("2026-09-01".parse()?, "2026-09-30".parse()?)?),
        zone: chrono_tz::Europe::Berlin,
        filters: Vec::new(),
        as_of: Some("2026-11-01T05:12:00Z".parse()?),
        made_at: "2026-11-01T06:00:00Z".parse()?,
        version: Some(1),
        sections,
        meanings: vec![Meaning {
            label: "Summed reach".into(),
            definition: "People that each post was shown to, added up over posts.".into(),
        }],
        notes: Vec::new(),
    })
}

fn table(from: NaiveDate) -> Table {
    let column = |key: &str, label: &str, kind| Column { key: key.into(), label: label.into(), kind };
    let count = |value: u64| Cell::Number(Decimal::from(value));
    Table {
        columns: vec![
            column("campaign", "Campaign", Kind::Text),
            column("day", "Day", Kind::Day),
            column("reach", "Summed reach", Kind::Number(Unit::Count)),
            column("impressions", "Impressions", Kind::Number(Unit::Count)),
            column("engagement_rate", "Engagement rate", Kind::Number(Unit::Percent)),
            column("revenue", "Revenue", Kind::Number(Unit::Money)),
        ],
        rows: (1..=ROWS)
            .map(|row| {
                vec![
                    Cell::Text(format!("Autumn blend, part {row}")),
                    Cell::Day(from + Days::new(row % 31)),
                    count(row * 1_013),
                    count(row * 4_099),
                    Cell::Number(Decimal::from(row) / Decimal::from(1_000)),
                    Cell::Number(Decimal::from(row * 37) / Decimal::from(4)),
                ]
            })
            .collect(),
        totals: None,
        of_rows: ROWS,
        whole: None,
        notes: Vec::new(),
    }
}
