//! How fast halts were in drills: in words beside the page of the place, and as a chart.

use rtv_charts::{NumberStyle, Role, Series, TrendChart, Unit};
use rtv_core::Error;
use rtv_core::preference::Theme;
use rtv_domain::kill_switch::{self, Drill, Side};
use rtv_ui::Picture;

use super::desk::Desk;
use super::overview::DrillsView;
use super::present::took;

/// Drills over time; nothing for a tenant where none has run.
pub(super) fn view(desk: &Desk<'_>, drills: &[Drill]) -> Option<DrillsView> {
    let Some(last) = drills.first() else {
        return desk.house.is_staff().then(|| DrillsView { takeaway: String::new(), pictures: None, rows: Vec::new() });
    };
    let takeaway = format!(
        "In the last drill, {}, half of the halts took at most {}, and 95 of 100 at most {}.",
        desk.house.instant(last.at),
        took(Some(last.p50_ms)),
        took(Some(last.p95_ms))
    );
    // The address changes with the data, so that a browser may keep the picture.
    let base = desk.house.below(format_args!("drills.svg?v={}", last.id));
    // Who chose a theme has it whatever the device says.
    let (light, dark) = match crate::preference::current().theme {
        Theme::System => ("light", "dark"),
        Theme::Light => ("light", "light"),
        Theme::Dark => ("dark", "dark"),
    };
    let picture = |width: u32, height: u32| Picture {
        src: format!("{base}&theme={light}&width={width}&height={height}"),
        dark_src: format!("{base}&theme={dark}&width={width}&height={height}"),
        width,
        height,
    };
    let rows = drills
        .iter()
        .map(|one| {
            [
                desk.house.instant(one.at),
                one.by.clone(),
                one.rounds.to_string(),
                took(Some(one.p50_ms)),
                took(Some(one.p95_ms)),
                took(Some(one.most_ms)),
            ]
        })
        .collect();
    Some(DrillsView { takeaway, pictures: Some([picture(1_120, 320), picture(400, 280)]), rows })
}

/// How fast halts were over time, as a chart.
pub async fn drill_chart(side: Side<'_>) -> Result<TrendChart, Error> {
    let mut drills = kill_switch::drills(side).await?;
    drills.reverse();
    let line = |name: &str, value: fn(&Drill) -> f64| Series {
        name: name.into(),
        values: drills.iter().map(|one| Some(value(one).round())).collect(),
        role: Role::Current,
    };
    Ok(TrendChart {
        title: "Milliseconds from the press to the standstill".into(),
        summary: format!("{} drills, the median and the 95th percentile of each.", drills.len()),
        unit: Unit::Count,
        categories: drills.iter().map(|one| one.at.format("%d %b %H:%M").to_string()).collect(),
        series: vec![line("95 of 100, ms", |one| one.p95_ms), line("Median, ms", |one| one.p50_ms)],
        marks: Vec::new(),
        numbers: NumberStyle::ENGLISH,
        font_family: "system-ui, -apple-system, \"Segoe UI\", Roboto, \"DejaVu Sans\", sans-serif".into(),
        no_data: "No drill has run yet.".into(),
    })
}
