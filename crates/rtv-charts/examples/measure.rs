//! Measures the renderer and writes its pictures and options into the folder given: load time, time a chart, size of the SVG.
//! `cargo run --release -p rtv-charts --features svg --example measure -- FOLDER`

use std::path::PathBuf;
use std::time::Instant;

use rtv_charts::{ECHARTS_SOURCE, Mark, NumberStyle, Renderer, Role, Series, Theme, TrendChart, Unit};

fn wave(days: usize, base: f64, phase: f64) -> Vec<Option<f64>> {
    (0..days)
        .map(|day| {
            let day = f64::from(u32::try_from(day).unwrap_or_default());
            let week = if day % 7.0 >= 5.0 { 0.62 } else { 1.0 };
            Some((base * week * (1.0 + 0.18 * (day / 5.0 + phase).sin() + 0.08 * (day * 1.7 + phase).cos())).round())
        })
        .collect()
}

fn trend(days: usize) -> TrendChart {
    let mut current = wave(days, 46_000.0, 0.4);
    if days > 20 {
        current[12] = None;
        current[13] = None;
    }
    TrendChart {
        title: "Reach a day".into(),
        summary: "Reach rose 12.4% against the previous period, mostly on LinkedIn.".into(),
        unit: Unit::Count,
        categories: (0..days).map(|day| format!("{} Nov", day + 1)).collect(),
        series: vec![
            Series { name: "This period".into(), values: current, role: Role::Current },
            Series { name: "Previous".into(), values: wave(days, 41_000.0, 2.2), role: Role::Previous },
        ],
        marks: vec![
            Mark { index: 8, label: "Q4 launch".into() },
            Mark { index: 23, label: "Behind the scenes".into() },
        ],
        numbers: NumberStyle::ENGLISH,
        font_family: "system-ui, -apple-system, \"Segoe UI\", Roboto, \"DejaVu Sans\", sans-serif".into(),
        no_data: "No data in this period".into(),
    }
}

fn charts() -> Vec<(&'static str, TrendChart)> {
    let month = trend(28);
    let year = TrendChart { marks: Vec::new(), ..trend(540) };
    let names = ["LinkedIn", "Instagram", "Facebook", "X", "TikTok"];
    let networks = TrendChart {
        series: names
            .iter()
            .zip([0.0, 0.8, 1.7, 2.6, 3.5])
            .map(|(name, phase)| Series {
                name: (*name).into(),
                values: wave(28, 9_000.0 + 8_000.0 * phase, phase),
                role: Role::Current,
            })
            .collect(),
        marks: Vec::new(),
        ..trend(28)
    };
    let score = TrendChart {
        unit: Unit::Score,
        series: vec![Series {
            name: "Sentiment".into(),
            values: wave(28, 1.0, 0.0)
                .iter()
                .zip(wave(28, 1000.0, 1.0))
                .map(|(_, value)| value.map(|value| value / 1000.0 - 0.9))
                .collect(),
            role: Role::Current,
        }],
        marks: Vec::new(),
        ..trend(28)
    };
    let german = TrendChart { unit: Unit::Money("€".into()), numbers: NumberStyle::GERMAN, ..trend(28) };
    let empty = TrendChart {
        series: vec![Series { name: "This period".into(), values: vec![None; 28], role: Role::Current }],
        ..trend(28)
    };
    let mut one = trend(1);
    one.marks.clear();
    vec![
        ("month", month),
        ("year", year),
        ("networks", networks),
        ("score", score),
        ("german", german),
        ("empty", empty),
        ("one", one),
    ]
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("name a folder to write into")?);
    std::fs::create_dir_all(&folder)?;
    let renderer = Renderer::start(ECHARTS_SOURCE)?;
    let started = Instant::now();
    renderer.svg("{}", 10, 10).await?;
    println!("engine loaded and first, empty picture: {:?}", started.elapsed());
    for (name, chart) in charts() {
        for (theme, suffix) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
            let option = chart.option(theme);
            let svg = renderer.svg(&option, 840, 320).await?;
            std::fs::write(folder.join(format!("{name}-{suffix}.svg")), &svg)?;
            std::fs::write(folder.join(format!("{name}-{suffix}.json")), &option)?;
            let narrow = renderer.svg(&option, 340, 260).await?;
            std::fs::write(folder.join(format!("{name}-narrow-{suffix}.svg")), narrow)?;
        }
        let option = chart.option(Theme::Light);
        let mut times = Vec::new();
        let mut bytes = 0;
        for _ in 0..40 {
            let started = Instant::now();
            bytes = renderer.svg(&option, 840, 320).await?.len();
            times.push(started.elapsed());
        }
        times.sort();
        println!(
            "{name}: median {:?}, slowest {:?}, option {} bytes, svg {bytes} bytes",
            times[20],
            times[39],
            option.len()
        );
    }
    Ok(())
}
