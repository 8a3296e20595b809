//! Draws a chart of every kind that reports have, in both themes and three widths, into the folder given.
//! `cargo run -p rtv-charts --features svg --example report -- FOLDER`

use std::path::PathBuf;
use std::time::Instant;

use rtv_charts::{ECHARTS_SOURCE, Renderer, Theme};

#[allow(dead_code, unreachable_pub, reason = "the tests use all of it")]
#[path = "../tests/report/specimen.rs"]
mod specimen;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("name a folder to write into")?);
    std::fs::create_dir_all(&folder)?;
    let renderer = Renderer::start(ECHARTS_SOURCE)?;
    renderer.svg("{}", 10, 10).await?;
    for (name, chart) in specimen::all() {
        for (theme, suffix) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
            let option = chart.option(theme);
            std::fs::write(folder.join(format!("{name}-{suffix}.json")), &option)?;
            for width in [320, 640, 1_040] {
                let svg = renderer.svg(&option, width, chart.height(width)).await?;
                std::fs::write(folder.join(format!("{name}-{suffix}-{width}.svg")), svg)?;
            }
        }
        let (option, started) = (chart.option(Theme::Light), Instant::now());
        let bytes = renderer.svg(&option, 640, chart.height(640)).await?.len();
        println!("{name}: {:?}, option {} bytes, svg {bytes} bytes", started.elapsed(), option.len());
        for note in &chart.notes {
            println!("    {note}");
        }
    }
    Ok(())
}
