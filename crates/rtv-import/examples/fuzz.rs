//! Fuzzes the import: `fuzz [SECONDS] [SEED]`. Prints its seed and rate; inputs that fail are kept in `target/fuzz-failures`.
//! `scripts/fuzz` builds and runs it.

#[path = "../tests/fuzz/engine.rs"]
mod engine;

use std::{
    fs, io,
    process::ExitCode,
    time::{Duration, Instant, SystemTime},
};

fn main() -> io::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |otherwise: u64| match arguments.next() {
        None => Ok(otherwise),
        Some(text) => text.parse().map_err(|_| io::Error::other(format!("\"{text}\" is no number"))),
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let (seconds, seed) = (number(600)?, number(now)?);
    println!("Fuzzing for {seconds} s from seed {seed}.");
    // A panic is a failure that is reported below, with its input.
    std::panic::set_hook(Box::new(|_| {}));
    let started = Instant::now();
    let show = |report: &engine::Report| {
        let elapsed = started.elapsed().as_secs_f64();
        #[allow(clippy::cast_precision_loss)] // A rate to look at.
        let (rate, megabytes) = (report.tries as f64 / elapsed, report.bytes as f64 / elapsed / 1e6);
        println!(
            "{elapsed:>5.0} s: {} files, {rate:.0} a second, {megabytes:.1} MB/s, {} behaviours, {} failures",
            report.tries,
            report.behaviours,
            report.failures.len()
        );
    };
    let report = engine::run(seed, Duration::from_secs(seconds), u64::MAX, show);
    show(&report);
    let folder = std::path::Path::new("target/fuzz-failures");
    for failure in &report.failures {
        fs::create_dir_all(folder)?;
        let path = folder.join(engine::name_of(&failure.input));
        fs::write(&path, &failure.input)?;
        println!("{}: {}", path.display(), failure.message);
    }
    if let Some(peak) = fs::read_to_string("/proc/self/status").ok().and_then(|status| {
        status.lines().find_map(|line| line.strip_prefix("VmHWM:").map(|peak| peak.trim().to_owned()))
    }) {
        println!("Peak memory: {peak}.");
    }
    Ok(if report.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
