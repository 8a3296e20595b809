//! Time since the machine started, by CLOCK_BOOTTIME: it goes on while the machine sleeps, which `Instant` does not on
//! Linux, and nobody sets it, which they do with the clock on the wall. Leases and the age of permits are measured by it.

use core::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rustix::time::{ClockId, clock_gettime};

/// A moment since the machine started, in nanoseconds. Only of use on the machine that it was read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootTime(u64);

impl BootTime {
    /// The start of the machine: before everything else.
    pub const START: Self = Self(0);

    /// Now.
    pub fn now() -> Self {
        let now = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
        let nanoseconds = u64::try_from(now.tv_nsec).unwrap_or_default();
        Self(seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds))
    }

    /// That much later.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// That much earlier, but not before the start.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// How long ago the earlier moment was; nothing where it was not earlier.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// What the clock on the wall showed then, from what both show now. Both are handed in because the present is told by
    /// the context of whoever asks.
    pub fn on_the_wall(self, now: Self, wall: DateTime<Utc>) -> DateTime<Utc> {
        let delta = |span: Duration| TimeDelta::from_std(span).unwrap_or_default();
        if self <= now { wall - delta(now.since(self)) } else { wall + delta(self.since(now)) }
    }

    /// Nanoseconds since the start, to be kept in an atomic.
    pub(crate) const fn nanoseconds(self) -> u64 {
        self.0
    }

    pub(crate) const fn from_nanoseconds(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_forward_and_is_not_below_the_clock_that_stops_in_sleep() {
        let earlier = BootTime::now();
        let monotonic = clock_gettime(ClockId::Monotonic);
        let later = BootTime::now();
        assert!(later >= earlier && earlier > BootTime::START);
        let awake = Duration::new(monotonic.tv_sec.try_into().unwrap(), monotonic.tv_nsec.try_into().unwrap());
        assert!(later.since(BootTime::START) >= awake);
    }

    #[test]
    fn a_moment_is_found_on_the_wall() {
        let now = BootTime::now();
        let wall = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let ago = now.minus(Duration::from_millis(1_500));
        assert_eq!(ago.on_the_wall(now, wall), wall - TimeDelta::milliseconds(1_500));
        assert_eq!(now.plus(Duration::from_secs(2)).on_the_wall(now, wall), wall + TimeDelta::seconds(2));
        assert_eq!(BootTime::START.since(now), Duration::ZERO);
        assert_eq!(BootTime::START.minus(Duration::from_secs(1)), BootTime::START);
    }
}
