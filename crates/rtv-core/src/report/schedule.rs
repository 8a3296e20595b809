//! When a report is made by itself: the [`Rhythm`] of a schedule, as people choose it and as it is stored, and the single
//! [`Occurrence`]. Which moments a rhythm means is worked out in `rtv-domain`'s file of the same name, where the rules about
//! clocks that are changed stand too.

use core::fmt;
use core::str::FromStr;

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Utc, Weekday, WeekdaySet};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::error::{Error, FieldError, Result};
use crate::report::query::words;

words! {
    /// How often a report is made.
    Frequency, "frequency" {
        /// Every day.
        Daily = "daily", "Every day";
        /// On days of the week.
        Weekly = "weekly", "Every week";
        /// On a day of every month.
        Monthly = "monthly", "Every month";
        /// On a day of one month of every quarter.
        Quarterly = "quarterly", "Every quarter";
    }
}

/// Days of the week in the order of a menu, with their keys.
pub const WEEKDAYS: [(Weekday, &str, &str); 7] = [
    (Weekday::Mon, "mon", "Monday"),
    (Weekday::Tue, "tue", "Tuesday"),
    (Weekday::Wed, "wed", "Wednesday"),
    (Weekday::Thu, "thu", "Thursday"),
    (Weekday::Fri, "fri", "Friday"),
    (Weekday::Sat, "sat", "Saturday"),
    (Weekday::Sun, "sun", "Sunday"),
];

/// When a report is made by itself, again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rhythm {
    /// On which days.
    #[serde(flatten)]
    pub days: Days,
    /// At which time of those days.
    pub time: TimeOfDay,
    /// Whose days and times they are.
    pub zone: Tz,
}

/// On which days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "frequency", rename_all = "snake_case")]
pub enum Days {
    /// Every day.
    Daily,
    /// On these days of every week.
    Weekly {
        /// Which, at least one.
        weekdays: Weekdays,
    },
    /// On this day of every month.
    Monthly {
        /// Which.
        day: DayOfMonth,
    },
    /// On this day of one month of every quarter; the first quarter begins in January.
    Quarterly {
        /// Which month of the quarter.
        month: MonthOfQuarter,
        /// Which day of that month.
        day: DayOfMonth,
    },
}

/// Days of the week, at least one. Stored as a list of `mon` to `sun`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Weekdays(WeekdaySet);

impl Weekdays {
    /// `None` where there is none.
    pub fn new(days: impl IntoIterator<Item = Weekday>) -> Option<Self> {
        let set: WeekdaySet = days.into_iter().collect();
        (!set.is_empty()).then_some(Self(set))
    }

    /// Whether it is one of them.
    pub const fn contains(self, day: Weekday) -> bool {
        self.0.contains(day)
    }

    /// The days with key and name, from Monday on.
    fn listed(self) -> impl Iterator<Item = (Weekday, &'static str, &'static str)> {
        WEEKDAYS.into_iter().filter(move |(day, ..)| self.contains(*day))
    }

    /// Their keys, from Monday on.
    pub fn keys(self) -> Vec<&'static str> {
        self.listed().map(|(_, key, _)| key).collect()
    }

    /// In words: “Monday and Thursday”.
    fn words(self) -> String {
        if self.keys() == ["mon", "tue", "wed", "thu", "fri"] {
            return "day from Monday to Friday".into();
        }
        let mut names: Vec<&str> = self.listed().map(|(.., name)| name).collect();
        let last = names.pop().unwrap_or_default();
        if names.is_empty() { last.to_owned() } else { format!("{} and {last}", names.join(", ")) }
    }
}

impl TryFrom<Vec<String>> for Weekdays {
    type Error = Error;

    fn try_from(keys: Vec<String>) -> Result<Self> {
        let find = |key: &String| WEEKDAYS.into_iter().find(|(_, known, _)| known == key).map(|(day, ..)| day);
        keys.iter()
            .map(find)
            .collect::<Option<Vec<_>>>()
            .and_then(Self::new)
            .ok_or_else(|| Error::invalid("weekday", "choose at least one day of the week, such as mon."))
    }
}

impl From<Weekdays> for Vec<String> {
    fn from(days: Weekdays) -> Self {
        days.keys().into_iter().map(str::to_owned).collect()
    }
}

/// A day of the month from 1 to 31. In a month that is shorter it is the last day, so 31 always means the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct DayOfMonth(u8);

impl DayOfMonth {
    /// The last day of each month.
    pub const LAST: Self = Self(31);

    /// The number, from 1 to 31.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// In words: “the 3rd”, “the last day”.
    fn words(self) -> String {
        let ending = match self.0 {
            31 => return "the last day".into(),
            1 | 21 => "st",
            2 | 22 => "nd",
            3 | 23 => "rd",
            _ => "th",
        };
        format!("the {}{ending}", self.0)
    }

    /// What is said of a day that February may not have.
    const fn in_february(self) -> &'static str {
        match self.0 {
            29 | 30 => " (the last day of a February without it)",
            _ => "",
        }
    }
}

impl TryFrom<u8> for DayOfMonth {
    type Error = Error;

    fn try_from(number: u8) -> Result<Self> {
        match number {
            1..=31 => Ok(Self(number)),
            _ => Err(Error::invalid("day", "use a day from 1 to 31; 31 means the last one.")),
        }
    }
}

impl From<DayOfMonth> for u8 {
    fn from(day: DayOfMonth) -> Self {
        day.0
    }
}

/// The first, second or third month of a quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct MonthOfQuarter(u8);

impl MonthOfQuarter {
    /// The number, from 1 to 3.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The months of the year that it is, from 1 to 12.
    pub const fn months(self) -> [u8; 4] {
        [self.0, self.0 + 3, self.0 + 6, self.0 + 9]
    }

    /// In words: “January, April, July and October”.
    pub const fn words(self) -> &'static str {
        match self.0 {
            1 => "January, April, July and October",
            2 => "February, May, August and November",
            _ => "March, June, September and December",
        }
    }
}

impl TryFrom<u8> for MonthOfQuarter {
    type Error = Error;

    fn try_from(number: u8) -> Result<Self> {
        match number {
            1..=3 => Ok(Self(number)),
            _ => Err(Error::invalid("month", "use the first, second or third month of the quarter: 1, 2 or 3.")),
        }
    }
}

impl From<MonthOfQuarter> for u8 {
    fn from(month: MonthOfQuarter) -> Self {
        month.0
    }
}

/// A time of day in whole minutes, written as `08:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay {
    hour: u8,
    minute: u8,
}

impl TimeOfDay {
    /// From 0 to 23.
    pub const fn hour(self) -> u8 {
        self.hour
    }

    /// From 0 to 59.
    pub const fn minute(self) -> u8 {
        self.minute
    }

    /// The same for arithmetic.
    pub fn naive(self) -> NaiveTime {
        NaiveTime::from_hms_opt(self.hour.into(), self.minute.into(), 0).expect("hour and minute were checked")
    }
}

impl FromStr for TimeOfDay {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let two_digits = |text: &str, end: u8| match text.as_bytes() {
            [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
                Some((tens - b'0') * 10 + (ones - b'0')).filter(|number| *number < end)
            }
            _ => None,
        };
        text.split_once(':')
            .and_then(|(hour, minute)| Some(Self { hour: two_digits(hour, 24)?, minute: two_digits(minute, 60)? }))
            .ok_or_else(|| Error::invalid("time", "use a time from 00:00 to 23:59, such as 08:30."))
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl Days {
    /// How often that is.
    pub const fn frequency(self) -> Frequency {
        match self {
            Self::Daily => Frequency::Daily,
            Self::Weekly { .. } => Frequency::Weekly,
            Self::Monthly { .. } => Frequency::Monthly,
            Self::Quarterly { .. } => Frequency::Quarterly,
        }
    }
}

impl Rhythm {
    /// Reads the fields of a form or an address: `frequency`, `weekday` (may repeat), `day`, `month`, `time` and `zone`. Fields
    /// that the frequency does not use are left alone, so that a form may carry all of them; wrong values are refused by
    /// name, all at once.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let (mut frequency, mut day, mut month, mut time, mut zone) = ("", "", "", "", "");
        let mut weekdays = Vec::new();
        for (name, value) in pairs {
            let value = value.trim();
            match name {
                "frequency" => frequency = value,
                "weekday" if !value.is_empty() => weekdays.push(value.to_owned()),
                "day" => day = value,
                "month" => month = value,
                "time" => time = value,
                "zone" => zone = value,
                _ => {}
            }
        }
        // What is no number at all is refused like a number that is out of range.
        let number = |text: &str| text.parse::<u8>().unwrap_or(0);
        let mut errors: Vec<FieldError> = Vec::new();
        let days = keep(frequency.parse::<Frequency>(), &mut errors).and_then(|frequency| match frequency {
            Frequency::Daily => Some(Days::Daily),
            Frequency::Weekly => keep(weekdays.try_into(), &mut errors).map(|weekdays| Days::Weekly { weekdays }),
            Frequency::Monthly => keep(number(day).try_into(), &mut errors).map(|day| Days::Monthly { day }),
            Frequency::Quarterly => {
                let month = keep(number(month).try_into(), &mut errors);
                let day = keep(number(day).try_into(), &mut errors);
                month.zip(day).map(|(month, day)| Days::Quarterly { month, day })
            }
        });
        let time = keep(time.parse(), &mut errors);
        let zone = zone.parse::<Tz>().ok();
        if zone.is_none() {
            errors.push(FieldError {
                field: "zone".into(),
                message: "use a time zone from the list, such as Europe/Berlin.".into(),
            });
        }
        match (days, time, zone) {
            (Some(days), Some(time), Some(zone)) => Ok(Self { days, time, zone }),
            _ => Err(Error::Invalid(errors)),
        }
    }

    /// In words: “Every Monday at 08:00, Europe/Berlin”.
    pub fn words(&self) -> String {
        let days = match self.days {
            Days::Daily => "Every day".into(),
            Days::Weekly { weekdays } => format!("Every {}", weekdays.words()),
            Days::Monthly { day } => format!("On {} of every month{}", day.words(), day.in_february()),
            Days::Quarterly { month, day } => {
                let february = if month.months().contains(&2) { day.in_february() } else { "" };
                format!("On {} of {}{february}", day.words(), month.words())
            }
        };
        format!("{days} at {}, {}", self.time, self.zone.name())
    }
}

/// One time at which a rhythm comes round. It is known by what the calendar and the clock on the wall are meant to show, not by
/// the moment: when the rules of a zone change, the moment moves and the occurrence stays the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// Day and time that the rhythm says, in `zone`.
    pub nominal: NaiveDateTime,
    /// Whose day and time it is.
    pub zone: Tz,
    /// When that is, by the rules of the zone that are known now.
    pub at: DateTime<Utc>,
}

impl Occurrence {
    /// What it is called, in this and in every later release: `2026-10-25T02:30[Europe/Berlin]`. The zone is part of it, so that
    /// a schedule that is moved to another zone does not take the next occurrence for the one before.
    pub fn name(&self) -> String {
        format!("{}[{}]", self.nominal.format("%Y-%m-%dT%H:%M"), self.zone.name())
    }

    /// The day on which it is, from which “last month” and the like are counted.
    pub const fn day(&self) -> NaiveDate {
        self.nominal.date()
    }

    /// What people should know where the clocks are changed, as a sentence.
    pub fn remark(&self) -> Option<String> {
        let shown = self.at.with_timezone(&self.zone).naive_local();
        let time = self.nominal.format("%H:%M");
        if shown != self.nominal {
            let from =
                if shown.date() == self.day() { shown.format("%H:%M") } else { shown.format("%H:%M on %Y-%m-%d") };
            return Some(format!("The clocks skip {time} on that day; it is made at {from}."));
        }
        matches!(self.zone.from_local_datetime(&self.nominal), LocalResult::Ambiguous(..))
            .then(|| format!("The clocks show {time} twice on that day; it is made the first time."))
    }
}

fn keep<T>(parsed: Result<T>, errors: &mut Vec<FieldError>) -> Option<T> {
    match parsed {
        Ok(value) => Some(value),
        Err(Error::Invalid(more)) => {
            errors.extend(more);
            None
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<Rhythm> {
        Rhythm::parse(query.split('&').filter_map(|pair| pair.split_once('=')))
    }

    #[track_caller]
    fn check_words(query: &str, words: &str) {
        assert_eq!(parse(query).unwrap().words(), words);
    }

    #[test]
    fn a_rhythm_says_in_words_when_it_comes() {
        check_words("frequency=daily&time=08:00&zone=Europe/Berlin", "Every day at 08:00, Europe/Berlin");
        check_words("frequency=weekly&weekday=mon&time=00:05&zone=UTC", "Every Monday at 00:05, UTC");
        check_words(
            "frequency=weekly&weekday=sun&weekday=mon&weekday=thu&time=08:00&zone=UTC",
            "Every Monday, Thursday and Sunday at 08:00, UTC",
        );
        check_words(
            "frequency=weekly&weekday=mon&weekday=tue&weekday=wed&weekday=thu&weekday=fri&time=08:00&zone=UTC",
            "Every day from Monday to Friday at 08:00, UTC",
        );
        check_words("frequency=monthly&day=1&time=23:59&zone=UTC", "On the 1st of every month at 23:59, UTC");
        check_words("frequency=monthly&day=31&time=08:00&zone=UTC", "On the last day of every month at 08:00, UTC");
        check_words(
            "frequency=monthly&day=30&time=08:00&zone=UTC",
            "On the 30th of every month (the last day of a February without it) at 08:00, UTC",
        );
        check_words(
            "frequency=quarterly&month=1&day=30&time=08:00&zone=UTC",
            "On the 30th of January, April, July and October at 08:00, UTC",
        );
        check_words(
            "frequency=quarterly&month=2&day=29&time=08:00&zone=UTC",
            "On the 29th of February, May, August and November (the last day of a February without it) at 08:00, UTC",
        );
        for (day, words) in [("2", "2nd"), ("3", "3rd"), ("11", "11th"), ("12", "12th"), ("13", "13th"), ("23", "23rd")]
        {
            let rhythm = parse(&format!("frequency=monthly&day={day}&time=08:00&zone=UTC")).unwrap();
            assert!(rhythm.words().starts_with(&format!("On the {words} of")), "{}", rhythm.words());
        }
    }

    #[track_caller]
    fn check_refused(query: &str, fields: &[&str]) {
        match parse(query) {
            Err(Error::Invalid(errors)) => {
                assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), fields, "{query}");
            }
            other => panic!("{query}: {other:?}"),
        }
    }

    #[test]
    fn every_wrong_field_of_a_rhythm_is_named_at_once() {
        check_refused("", &["frequency", "time", "zone"]);
        check_refused("frequency=hourly&time=24:00&zone=Mars/Base", &["frequency", "time", "zone"]);
        check_refused("frequency=weekly&time=8:00&zone=UTC", &["weekday", "time"]);
        check_refused("frequency=weekly&weekday=mon&weekday=noday&time=08:00&zone=UTC", &["weekday"]);
        check_refused("frequency=monthly&day=0&time=08:60&zone=UTC", &["day", "time"]);
        check_refused("frequency=monthly&day=32&time=08:00&zone=UTC", &["day"]);
        check_refused("frequency=quarterly&month=4&day=1000&time=+8:00&zone=UTC", &["month", "day", "time"]);
    }

    #[test]
    fn fields_of_another_frequency_are_left_alone() {
        let rhythm = parse("frequency=daily&weekday=&day=99&month=x&time=08:00&zone=UTC").unwrap();
        assert_eq!(rhythm.days, Days::Daily);
    }

    #[track_caller]
    fn check_stored(query: &str, json: &str) {
        let rhythm = parse(query).unwrap();
        assert_eq!(serde_json::to_string(&rhythm).unwrap(), json);
        assert_eq!(serde_json::from_str::<Rhythm>(json).unwrap(), rhythm);
    }

    #[test]
    fn a_rhythm_is_stored_and_read_back() {
        check_stored(
            "frequency=daily&time=08:00&zone=Europe/Berlin",
            r#"{"frequency":"daily","time":"08:00","zone":"Europe/Berlin"}"#,
        );
        check_stored(
            "frequency=weekly&weekday=fri&weekday=mon&time=08:00&zone=UTC",
            r#"{"frequency":"weekly","weekdays":["mon","fri"],"time":"08:00","zone":"UTC"}"#,
        );
        check_stored(
            "frequency=monthly&day=31&time=08:00&zone=UTC",
            r#"{"frequency":"monthly","day":31,"time":"08:00","zone":"UTC"}"#,
        );
        check_stored(
            "frequency=quarterly&month=3&day=15&time=08:00&zone=UTC",
            r#"{"frequency":"quarterly","month":3,"day":15,"time":"08:00","zone":"UTC"}"#,
        );
        for wrong in [
            r#"{"frequency":"weekly","weekdays":[],"time":"08:00","zone":"UTC"}"#,
            r#"{"frequency":"monthly","day":0,"time":"08:00","zone":"UTC"}"#,
            r#"{"frequency":"quarterly","month":4,"day":15,"time":"08:00","zone":"UTC"}"#,
            r#"{"frequency":"daily","time":"25:00","zone":"UTC"}"#,
            r#"{"frequency":"daily","time":"08:00","zone":"Mars/Base"}"#,
        ] {
            assert!(serde_json::from_str::<Rhythm>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_occurrence_is_named_by_its_day_and_time_and_remarks_on_clocks_that_are_changed() {
        let occurrence = |nominal: &str, at: &str| Occurrence {
            nominal: nominal.parse().unwrap(),
            zone: Tz::Europe__Berlin,
            at: at.parse().unwrap(),
        };
        let usual = occurrence("2026-11-23T08:00:00", "2026-11-23T07:00:00Z");
        assert_eq!((usual.name().as_str(), usual.remark()), ("2026-11-23T08:00[Europe/Berlin]", None));
        assert_eq!(usual.day().to_string(), "2026-11-23");
        let skipped = occurrence("2026-03-29T02:30:00", "2026-03-29T01:00:00Z");
        assert_eq!(skipped.name(), "2026-03-29T02:30[Europe/Berlin]");
        assert_eq!(skipped.remark().unwrap(), "The clocks skip 02:30 on that day; it is made at 03:00.");
        let twice = occurrence("2026-10-25T02:30:00", "2026-10-25T00:30:00Z");
        assert_eq!(twice.remark().unwrap(), "The clocks show 02:30 twice on that day; it is made the first time.");
    }
}
