//! The only source of the present time. Tests and demonstrations may fix or shift it.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

/// How the present time is told.
#[derive(Debug, Clone, Copy, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// Always the same instant.
    Fixed(DateTime<Utc>),
    /// The machine's clock, moved.
    Shifted(TimeDelta),
}

impl Clock {
    /// The present instant.
    pub fn now(self) -> DateTime<Utc> {
        match self {
            Self::System => Utc::now(),
            Self::Fixed(at) => at,
            Self::Shifted(by) => Utc::now() + by,
        }
    }

    /// The present day in a zone.
    pub fn today(self, zone: Tz) -> NaiveDate {
        self.now().with_timezone(&zone).date_naive()
    }

    /// Reads `2026-11-21T09:00:00Z` as a fixed clock and `+90m`, `-3d`, `+2h`, `+30s` as a shifted one.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::Fixed(at.with_timezone(&Utc)));
        }
        let refused =
            || format!("“{text}” is not a clock; use an instant like 2026-11-21T09:00:00Z or a shift like +90m, -3d");
        let unit = text.chars().last().filter(char::is_ascii_alphabetic).ok_or_else(refused)?;
        let amount: i64 = text[..text.len() - 1].parse().map_err(|_| refused())?;
        let by = match unit {
            's' => TimeDelta::try_seconds(amount),
            'm' => TimeDelta::try_minutes(amount),
            'h' => TimeDelta::try_hours(amount),
            'd' => TimeDelta::try_days(amount),
            _ => None,
        };
        by.map(Self::Shifted).ok_or_else(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_read_from_text() {
        assert!(matches!(Clock::parse("2026-11-21T09:00:00Z"), Ok(Clock::Fixed(_))));
        assert!(matches!(Clock::parse("+90m"), Ok(Clock::Shifted(by)) if by.num_minutes() == 90));
        assert!(matches!(Clock::parse("-3d"), Ok(Clock::Shifted(by)) if by.num_days() == -3));
        for bad in ["", "now", "3", "+x", "+3y", "é"] {
            assert!(Clock::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn today_is_the_day_in_the_zone() {
        let clock = Clock::parse("2026-11-21T23:30:00Z").unwrap();
        assert_eq!(clock.today(chrono_tz::Asia::Bangkok).to_string(), "2026-11-22");
        assert_eq!(clock.today(chrono_tz::UTC).to_string(), "2026-11-21");
    }
}
