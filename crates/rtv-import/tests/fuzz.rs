//! A short run of the fuzzer, the same each time; `make fuzz` runs it for ten minutes from another seed.
#![allow(clippy::unwrap_used, missing_docs)]

mod fuzz {
    pub(crate) mod engine;
}

use std::time::Duration;

#[test]
fn a_short_run_of_the_fuzzer_finds_nothing() {
    let report = fuzz::engine::run(20_260_301, Duration::from_mins(1), 1_500, |_| {});
    for failure in &report.failures {
        eprintln!(
            "{}\n{:?}\n{}",
            fuzz::engine::name_of(&failure.input),
            String::from_utf8_lossy(&failure.input),
            failure.message
        );
    }
    assert!(report.failures.is_empty());
    // A fuzzer that sees always the same would pass as well.
    assert!(report.tries > 100 && report.behaviours > 50, "{} tries, {} behaviours", report.tries, report.behaviours);
}
