//! What is due, what is made up for after the workers were down, and which days a report covers. Which moments a rhythm means is
//! worked out in `time.rs`.
//!
//! A schedule keeps the occurrence that it waits for by its name, not the moment of the last one. Walking from name to name
//! makes each occurrence once, also when the rules of a zone are changed between two of them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rtv_core::Error;
use rtv_core::period::{Period, Range};
use rtv_core::report::{Occurrence, Rhythm};

use super::time;
use crate::format::Format;

/// A run that begins, ends or is sent so long after its occurrence is marked late.
pub const LATE_AFTER: TimeDelta = TimeDelta::minutes(5);

/// What is to be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The newest occurrence that is over. It alone is made.
    pub occurrence: Occurrence,
    /// How many before it were missed. The one run makes up for them too.
    pub missed: u32,
    /// Whether the run is to be marked late: others were missed, or it comes [`LATE_AFTER`] its moment.
    pub is_late: bool,
    /// What the schedule waits for from now on.
    pub following: Occurrence,
}

/// What is to be made at `now` by a schedule that waits for the occurrence of this day and time. `None`: its time has not come.
pub fn due(rhythm: &Rhythm, awaited: NaiveDateTime, now: DateTime<Utc>) -> Option<Due> {
    let walk = time::Walk::new(rhythm);
    let mut occurrence = walk.occurrence(awaited);
    if occurrence.at > now {
        return None;
    }
    let mut missed = 0;
    loop {
        let following = walk.following(occurrence.nominal);
        if following.at > now {
            let is_late = missed > 0 || is_late(&occurrence, now);
            return Some(Due { occurrence, missed, is_late, following });
        }
        occurrence = following;
        missed += 1;
    }
}

/// Whether what is done now for an occurrence is late.
pub fn is_late(occurrence: &Occurrence, now: DateTime<Utc>) -> bool {
    now - occurrence.at >= LATE_AFTER
}

/// The occurrence of a name that [`Occurrence::name`] gave, by the rules of its zone that are known now.
pub fn named(name: &str) -> Option<Occurrence> {
    let (nominal, zone) = name.strip_suffix(']')?.split_once('[')?;
    let nominal = NaiveDateTime::parse_from_str(nominal, "%Y-%m-%dT%H:%M").ok()?;
    let zone: Tz = zone.parse().ok()?;
    Some(Occurrence { nominal, zone, at: time::moment(zone, nominal) })
}

/// Day and time of an occurrence for people, in its own zone.
pub fn words(format: &Format, name: &str) -> String {
    named(name).map_or_else(|| name.to_owned(), |one| format.clone().with_times_in(one.zone).instant(one.at))
}

/// The days that a range means for an occurrence: “last month” is the month before the one in whose day it lies, in the zone of
/// the schedule, however late it is made. `week_start` counts from Monday = 0.
/// Days that are stated are the same for each.
pub fn period(
    range: Range,
    occurrence: &Occurrence,
    week_start: u32,
    stated: Option<(NaiveDate, NaiveDate)>,
) -> Result<Period, Error> {
    range.period(occurrence.day(), week_start, stated)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAILY: &str = "frequency=daily&time=08:00&zone=Europe/Berlin";

    fn rhythm(query: &str) -> Rhythm {
        Rhythm::parse(query.split('&').filter_map(|pair| pair.split_once('='))).unwrap()
    }

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// What is due, as nominal day and time, how many were missed, whether it is late, and what is awaited then.
    fn due_at(query: &str, awaited: &str, now: &str) -> Option<(String, u32, bool, String)> {
        let due = due(&rhythm(query), awaited.parse().unwrap(), utc(now))?;
        let text = |one: Occurrence| one.nominal.format("%Y-%m-%d %H:%M").to_string();
        Some((text(due.occurrence), due.missed, due.is_late, text(due.following)))
    }

    #[track_caller]
    fn check(query: &str, awaited: &str, now: &str, expect: Option<(&str, u32, bool, &str)>) {
        let expect = expect.map(|(one, missed, is_late, then)| (one.to_owned(), missed, is_late, then.to_owned()));
        assert_eq!(due_at(query, awaited, now), expect, "{query} awaiting {awaited} at {now}");
    }

    #[test]
    fn nothing_is_due_before_its_moment_and_it_is_in_time_for_five_minutes() {
        // 08:00 in Berlin is 07:00 in UTC.
        check(DAILY, "2026-11-23T08:00:00", "2026-11-23T06:59:59.999Z", None);
        let made = |is_late| Some(("2026-11-23 08:00", 0, is_late, "2026-11-24 08:00"));
        check(DAILY, "2026-11-23T08:00:00", "2026-11-23T07:00:00Z", made(false));
        check(DAILY, "2026-11-23T08:00:00", "2026-11-23T07:04:59.999Z", made(false));
        check(DAILY, "2026-11-23T08:00:00", "2026-11-23T07:05:00Z", made(true));
    }

    #[test]
    fn the_name_of_an_occurrence_leads_back_to_it() {
        for (query, after) in [
            (DAILY, "2026-11-22T00:00:00Z"),
            ("frequency=daily&time=02:30&zone=Europe/Berlin", "2026-10-24T12:00:00Z"),
            ("frequency=daily&time=02:30&zone=America/New_York", "2027-03-13T12:00:00Z"),
        ] {
            let occurrence = time::next(&rhythm(query), utc(after));
            assert_eq!(named(&occurrence.name()), Some(occurrence), "{query}");
        }
        for wrong in
            ["", "2026-10-25", "2026-10-25T08:00", "2026-10-25T08:00[Nowhere]", "2026-10-25T08:00[Europe/Berlin"]
        {
            assert_eq!(named(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn after_three_days_of_downtime_one_run_makes_up_for_four_occurrences() {
        // Down from Sunday evening to Thursday, 09:00 in Berlin.
        check(
            DAILY,
            "2026-11-23T08:00:00",
            "2026-11-26T08:00:00Z",
            Some(("2026-11-26 08:00", 3, true, "2026-11-27 08:00")),
        );
        // Back at the very moment of the newest: it is in time, and late all the same, because it stands for others too.
        check(
            DAILY,
            "2026-11-23T08:00:00",
            "2026-11-26T07:00:00Z",
            Some(("2026-11-26 08:00", 3, true, "2026-11-27 08:00")),
        );
    }

    #[test]
    fn downtime_over_a_change_of_the_clocks_loses_nothing_and_doubles_nothing() {
        let at_night = "frequency=daily&time=02:30&zone=Europe/Berlin";
        // In the second 02:15 of 25 October 2026: the first 02:30 is over.
        check(
            at_night,
            "2026-10-24T02:30:00",
            "2026-10-25T01:15:00Z",
            Some(("2026-10-25 02:30", 1, true, "2026-10-26 02:30")),
        );
        // 29 March 2026 has no 02:30; one second after the gap it is due, and in time.
        check(at_night, "2026-03-29T02:30:00", "2026-03-29T00:59:59Z", None);
        check(
            at_night,
            "2026-03-29T02:30:00",
            "2026-03-29T01:00:01Z",
            Some(("2026-03-29 02:30", 0, false, "2026-03-30 02:30")),
        );
    }

    #[test]
    fn four_quarters_of_downtime_make_one_run_for_the_newest() {
        check(
            "frequency=quarterly&month=3&day=31&time=18:00&zone=America/New_York",
            "2027-12-31T18:00:00",
            "2028-12-01T00:00:00Z",
            Some(("2028-09-30 18:00", 3, true, "2028-12-31 18:00")),
        );
    }

    #[test]
    fn an_occurrence_is_made_once_although_the_rules_of_its_zone_are_changed() {
        // A country that gives up its summer time is two zones here: Berlin before, Lagos after, an hour later in UTC.
        let before = rhythm("frequency=daily&time=08:00&zone=Europe/Berlin");
        let after = rhythm("frequency=daily&time=08:00&zone=Africa/Lagos");
        let made = due(&before, "2026-07-01T08:00:00".parse().unwrap(), utc("2026-07-01T06:00:00Z")).unwrap();
        assert_eq!(made.following.nominal, "2026-07-02T08:00:00".parse().unwrap());
        // By the new rules the same day's 08:00 comes once more, an hour later. By its name it was made.
        let again = time::next(&after, utc("2026-07-01T06:00:00Z"));
        assert_eq!(again.nominal, made.occurrence.nominal);
        assert_eq!(due(&after, made.following.nominal, utc("2026-07-01T07:00:00Z")), None);
        let next = due(&after, made.following.nominal, utc("2026-07-02T07:00:00Z")).unwrap();
        assert_eq!((next.occurrence.nominal, next.missed), (made.following.nominal, 0));
    }

    #[test]
    fn a_relative_period_is_counted_from_the_day_of_the_occurrence_in_the_zone_of_the_schedule() {
        let days = |query: &str, after: &str, range: Range, week_start: u32| {
            let period = period(range, &time::next(&rhythm(query), utc(after)), week_start, None).unwrap();
            format!("{} to {}", period.from(), period.to())
        };
        // The first of March 2028 begins in Auckland while it is still February in UTC.
        let first = "frequency=monthly&day=1&time=00:30&zone=Pacific/Auckland";
        assert_eq!(days(first, "2028-02-20T00:00:00Z", Range::LastMonth, 0), "2028-02-01 to 2028-02-29");
        assert_eq!(days(first, "2028-02-20T00:00:00Z", Range::Yesterday, 0), "2028-02-29 to 2028-02-29");
        assert_eq!(days(first, "2028-03-20T00:00:00Z", Range::LastQuarter, 0), "2028-01-01 to 2028-03-31");
        assert_eq!(days(first, "2027-12-20T00:00:00Z", Range::LastYear, 0), "2027-01-01 to 2027-12-31");
        let monday = "frequency=weekly&weekday=mon&time=08:00&zone=Europe/Berlin";
        assert_eq!(days(monday, "2026-11-22T00:00:00Z", Range::LastWeek, 0), "2026-11-16 to 2026-11-22");
        assert_eq!(days(monday, "2026-11-22T00:00:00Z", Range::LastWeek, 6), "2026-11-15 to 2026-11-21");
        // Midnight that the clocks skip still belongs to its day.
        let skipped = "frequency=monthly&day=6&time=00:00&zone=America/Santiago";
        assert_eq!(days(skipped, "2026-09-01T00:00:00Z", Range::Yesterday, 0), "2026-09-05 to 2026-09-05");
    }

    #[test]
    fn a_rhythm_with_stated_days_has_no_relative_period() {
        let occurrence = time::next(&rhythm(DAILY), utc("2026-11-22T00:00:00Z"));
        assert!(matches!(period(Range::Custom, &occurrence, 0, None), Err(Error::Invalid(_))));
    }
}
