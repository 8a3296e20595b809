//! How long a job waits after a failed attempt: doubling from a first pause up to a longest one, with jitter, so that
//! jobs that failed together do not come back together.

use core::time::Duration;

/// Pauses between the attempts of one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackOff {
    /// Longest pause after the first failed attempt.
    pub first: Duration,
    /// Longest pause at all.
    pub longest: Duration,
    /// Whether a pause is as long as was said at least, and not at most: jitter then makes it longer.
    pub is_least: bool,
}

impl BackOff {
    /// 10 seconds, then doubling up to 6 hours. Twelve attempts spread over 3 to 6 hours.
    pub const DEFAULT: Self =
        Self { first: Duration::from_secs(10), longest: Duration::from_hours(6), is_least: false };

    /// The pause after the failed attempt of this number, which counts from 1. It lies between half of the doubled
    /// pause and all of it, or with `is_least` between all of it and a quarter more. So the pause after a later attempt is never shorter
    /// than after an earlier one, and none is longer than the longest.
    pub fn after(self, attempt: u32) -> Duration {
        let jitter = if self.is_least { 1.0..=1.25 } else { 0.5..=1.0 };
        self.ceiling(attempt).mul_f64(rand::random_range(jitter)).min(self.longest)
    }

    fn ceiling(self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        self.first.saturating_mul(1 << doublings).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_the_longest() {
        let back_off = BackOff { first: Duration::from_secs(10), longest: Duration::from_mins(2), is_least: false };
        let seconds: Vec<_> = (0..=6).map(|attempt| back_off.ceiling(attempt).as_secs()).collect();
        assert_eq!(seconds, [10, 10, 20, 40, 80, 120, 120]);
        assert_eq!(back_off.ceiling(u32::MAX), Duration::from_mins(2));
    }

    #[test]
    fn jitter_spreads_the_pause_over_its_upper_half() {
        let back_off = BackOff::DEFAULT;
        let pauses: Vec<_> = (0..1000).map(|_| back_off.after(3).as_secs_f64()).collect();
        assert!(pauses.iter().all(|pause| (20.0..=40.0).contains(pause)));
        assert!(pauses.iter().any(|pause| *pause < 25.0) && pauses.iter().any(|pause| *pause > 35.0), "no spread");
    }

    #[test]
    fn a_least_pause_is_kept_and_so_is_the_longest() {
        let back_off = BackOff { first: Duration::from_mins(1), longest: Duration::from_hours(1), is_least: true };
        let first: Vec<_> = (0..1000).map(|_| back_off.after(1).as_secs_f64()).collect();
        assert!(first.iter().all(|pause| (60.0..=75.0).contains(pause)), "{first:?}");
        assert!(first.iter().any(|pause| *pause > 70.0), "no spread");
        assert!((0..1000).all(|_| back_off.after(8) == Duration::from_hours(1)));
    }

    #[test]
    fn twelve_attempts_of_the_default_spread_over_three_to_six_hours() {
        let total: Duration = (1..12).map(|attempt| BackOff::DEFAULT.ceiling(attempt)).sum();
        assert!((5..6).contains(&(total.as_secs() / 3600)), "{total:?}");
    }
}
