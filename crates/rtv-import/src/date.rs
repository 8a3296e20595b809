//! Dates as people and exports write them, read in a stated order of day and month.
//!
//! One parser for the usual forms, so that a person states one thing (what comes first) and no pattern. `03/04/2026` has no meaning of its
//! own: it is read as the stated order says, and a value that contradicts the order is refused and never turned around. A year in front and
//! a month in words mean the same in every order.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Whether the day or the month comes first in dates such as `03/04/2026`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// `2026-12-31`; a date of numbers with the year at its end is refused.
    YearFirst,
    /// `31/12/2026` or `31.12.2026`.
    DayFirst,
    /// `12/31/2026`.
    MonthFirst,
}

impl DateOrder {
    /// All of them, in the order of a form.
    pub const ALL: [Self; 3] = [Self::YearFirst, Self::DayFirst, Self::MonthFirst];

    /// The value of a form field.
    pub fn key(self) -> &'static str {
        match self {
            Self::YearFirst => "year_first",
            Self::DayFirst => "day_first",
            Self::MonthFirst => "month_first",
        }
    }

    /// With an example, as shown to people.
    pub fn label(self) -> &'static str {
        match self {
            Self::YearFirst => "2026-12-31 (year first)",
            Self::DayFirst => "31/12/2026 (day first)",
            Self::MonthFirst => "12/31/2026 (month first)",
        }
    }
}

impl std::str::FromStr for DateOrder {
    type Err = String;

    fn from_str(key: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|order| order.key() == key).ok_or_else(|| {
            format!("\"{key}\" is no order of dates; use one of: {}", Self::ALL.map(Self::key).join(", "))
        })
    }
}

/// A point in time as precisely as a cell tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// With its offset from UTC.
    Instant(DateTime<Utc>),
    /// In a zone that the cell does not tell.
    Local(NaiveDateTime),
    /// A day in a zone that the cell does not tell.
    Day(NaiveDate),
    /// Only the month.
    Month { year: i32, month: u32 },
}

/// Why a cell is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It is none in any order.
    NoDate,
    /// It is one in the other order, and not in the stated one.
    Contradicts,
    /// Day and month are numbers and the stated order says nothing about them.
    NotStated,
}

/// What the numbers of a date tell about the order of day and month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    /// Nothing: the year is in front, or the month is a word.
    Neutral,
    /// The first number is above 12, so it is the day.
    DayFirst,
    /// The second number is above 12, so the first is the month.
    MonthFirst,
    /// Both are up to 12.
    Open,
}

/// Reads a date, with or without a time.
pub(crate) fn read(value: &str, order: DateOrder) -> Result<Stamp, Trouble> {
    let (date, clock) = split(value).ok_or(Trouble::NoDate)?;
    let clock = match clock {
        Some(clock) => Some(read_clock(clock).ok_or(Trouble::NoDate)?),
        None => None,
    };
    match (Parts::read(date).ok_or(Trouble::NoDate)?, clock) {
        (Parts::Month { year, month }, None) => Ok(Stamp::Month { year, month }),
        (Parts::Month { .. }, Some(_)) => Err(Trouble::NoDate),
        (parts, clock) => join(parts.day(order)?, clock).ok_or(Trouble::NoDate),
    }
}

/// Reads a date from one cell and its time of day from another, which may be empty.
pub(crate) fn read_apart(date: &str, time: &str, order: DateOrder) -> Result<Stamp, Trouble> {
    match read(date, order)? {
        stamp if time.is_empty() => Ok(stamp),
        Stamp::Day(day) => join(day, Some(read_clock(time).ok_or(Trouble::NoDate)?)).ok_or(Trouble::NoDate),
        _ => Err(Trouble::NoDate),
    }
}

/// What a value tells about the order; nothing if it is no date.
pub(crate) fn hint(value: &str) -> Option<Hint> {
    let (date, clock) = split(value)?;
    if let Some(clock) = clock {
        read_clock(clock)?;
    }
    match Parts::read(date)? {
        Parts::Month { .. } if clock.is_some() => None,
        Parts::Month { .. } | Parts::Certain(_) => Some(Hint::Neutral),
        Parts::Numbers { year, numbers } => {
            let is_day = |order| on(year, numbers, order).is_some();
            match (is_day(DateOrder::DayFirst), is_day(DateOrder::MonthFirst)) {
                (true, true) => Some(Hint::Open),
                (true, false) => Some(Hint::DayFirst),
                (false, true) => Some(Hint::MonthFirst),
                (false, false) => None,
            }
        }
    }
}

/// Whether a value is a time of day and nothing else.
pub(crate) fn is_clock(value: &str) -> bool {
    value.contains(':') && read_clock(value).is_some()
}

fn join(day: NaiveDate, clock: Option<Clock>) -> Option<Stamp> {
    let Some(clock) = clock else { return Some(Stamp::Day(day)) };
    let local = day.and_time(clock.time);
    match clock.offset_seconds {
        None => Some(Stamp::Local(local)),
        Some(seconds) => {
            Some(Stamp::Instant(local.checked_sub_signed(TimeDelta::seconds(i64::from(seconds)))?.and_utc()))
        }
    }
}

/// The date before, and the time from the first hour of the form `9:30`.
fn split(value: &str) -> Option<(&str, Option<&str>)> {
    let Some(colon) = value.find(':') else { return Some((value, None)) };
    let digits = value[..colon].bytes().rev().take_while(u8::is_ascii_digit).count();
    if !(1..=2).contains(&digits) {
        return None;
    }
    let (date, clock) = value.split_at(colon - digits);
    let date = date.trim_end();
    // "March 3, 2026 at 9:30", and the same in other languages; then "2026-03-03T09:30".
    let word =
        [" at", " um", " à", " a las", " às", " alle", " om", ","].into_iter().find_map(|word| date.strip_suffix(word));
    let is_after_digit = |date: &&str| date.ends_with(|last: char| last.is_ascii_digit());
    let date = word.or_else(|| date.strip_suffix(['T', 't']).filter(is_after_digit)).unwrap_or(date);
    Some((date, Some(clock)))
}

/// The day of a date, as far as it can be told without an order.
enum Parts {
    Certain(NaiveDate),
    Numbers { year: i32, numbers: [u32; 2] },
    Month { year: i32, month: u32 },
}

/// A number with the count of its digits, or a word.
#[derive(Clone, Copy)]
enum Token<'a> {
    Number(u32, usize),
    Word(&'a str),
}

impl Parts {
    fn read(text: &str) -> Option<Self> {
        let mut tokens = [Token::Number(0, 0); 3];
        let mut separators = [None; 3];
        let mut length = 0;
        for (token, separator) in Tokens(text.trim()) {
            if let Token::Word(word) = token
                && month_of(word).is_none()
            {
                if is_passed_over(word) {
                    continue;
                }
                return None;
            }
            *tokens.get_mut(length)? = token;
            separators[length] = separator;
            length += 1;
        }
        let tokens = &tokens[..length];
        match *tokens {
            [Token::Number(year, 4), Token::Number(month, 2)] if separators[1] == Some('-') => {
                (1..=12).contains(&month).then_some(Self::Month { year: year.cast_signed(), month })
            }
            // A date of numbers has the same separator twice; anything else is no date but, say, a version or a sum.
            [Token::Number(year, 4), Token::Number(month, 1 | 2), Token::Number(day, 1 | 2)]
                if separators[1] == separators[2] =>
            {
                Some(Self::Certain(NaiveDate::from_ymd_opt(year.cast_signed(), month, day)?))
            }
            [Token::Number(first, 1 | 2), Token::Number(second, 1 | 2), Token::Number(year, digits @ (2 | 4))]
                if separators[1] == separators[2] && separators[1].is_some_and(|separator| separator != ' ') =>
            {
                let year = if digits == 2 { 2000 + year } else { year };
                Some(Self::Numbers { year: year.cast_signed(), numbers: [first, second] })
            }
            [Token::Number(day, 1 | 2), Token::Word(word), Token::Number(year, digits @ (2 | 4))] => {
                let year = if digits == 2 { 2000 + year } else { year };
                Some(Self::Certain(NaiveDate::from_ymd_opt(year.cast_signed(), month_of(word)?, day)?))
            }
            [Token::Word(word), Token::Number(day, 1 | 2), Token::Number(year, 4)]
            | [Token::Number(year, 4), Token::Word(word), Token::Number(day, 1 | 2)] => {
                Some(Self::Certain(NaiveDate::from_ymd_opt(year.cast_signed(), month_of(word)?, day)?))
            }
            _ => None,
        }
    }

    fn day(self, order: DateOrder) -> Result<NaiveDate, Trouble> {
        match self {
            Self::Certain(day) => Ok(day),
            Self::Month { .. } => Err(Trouble::NoDate),
            Self::Numbers { year, numbers } => {
                let other = match order {
                    DateOrder::YearFirst => {
                        let is_date = [DateOrder::DayFirst, DateOrder::MonthFirst]
                            .into_iter()
                            .any(|order| on(year, numbers, order).is_some());
                        return Err(if is_date { Trouble::NotStated } else { Trouble::NoDate });
                    }
                    DateOrder::DayFirst => DateOrder::MonthFirst,
                    DateOrder::MonthFirst => DateOrder::DayFirst,
                };
                on(year, numbers, order).ok_or_else(|| {
                    if on(year, numbers, other).is_some() { Trouble::Contradicts } else { Trouble::NoDate }
                })
            }
        }
    }
}

fn on(year: i32, [first, second]: [u32; 2], order: DateOrder) -> Option<NaiveDate> {
    match order {
        DateOrder::YearFirst => None,
        DateOrder::DayFirst => NaiveDate::from_ymd_opt(year, second, first),
        DateOrder::MonthFirst => NaiveDate::from_ymd_opt(year, first, second),
    }
}

/// Numbers and words, each with the separator before it. Unknown characters end it with a word that no date has.
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = (Token<'a>, Option<char>);

    fn next(&mut self) -> Option<Self::Item> {
        let is_separator = |character: char| matches!(character, '/' | '.' | '-' | ',' | ' ' | '\u{a0}' | '\u{202f}');
        let start = self.0.find(|character| !is_separator(character))?;
        let (between, rest) = self.0.split_at(start);
        // ". " between day and month is a full stop with a space that only looks good.
        let separator = between.chars().find(|separator| !separator.is_whitespace()).or(between.chars().next());
        let is_digit = rest.as_bytes()[0].is_ascii_digit();
        let end = rest
            .find(|character: char| character.is_ascii_digit() != is_digit || is_separator(character))
            .unwrap_or(rest.len());
        let (token, rest) = rest.split_at(end);
        self.0 = rest;
        if is_digit {
            // More digits than any part of a date has.
            let number = if token.len() <= 4 { token.parse().ok()? } else { u32::MAX };
            return Some((Token::Number(number, token.len()), separator));
        }
        Some((Token::Word(token), separator))
    }
}

/// Weekdays, the endings of ordinal numbers and the words between day and month.
fn is_passed_over(word: &str) -> bool {
    const WORDS: [&str; 62] = [
        "st",
        "nd",
        "rd",
        "th",
        "er",
        "º",
        "ª",
        "of",
        "de",
        "del",
        "le",
        "den", // around the numbers
        "mon",
        "monday",
        "tue",
        "tues",
        "tuesday",
        "wed",
        "wednesday",
        "thu",
        "thur",
        "thurs",
        "thursday",
        "fri",
        "friday",
        "sat",
        "saturday",
        "sun",
        "sunday", // English
        "mo",
        "montag",
        "di",
        "dienstag",
        "mi",
        "mittwoch",
        "do",
        "donnerstag",
        "fr",
        "freitag",
        "sa",
        "samstag",
        "so",
        "sonntag", // German
        "lundi",
        "mardi",
        "mercredi",
        "jeudi",
        "vendredi",
        "samedi",
        "dimanche", // French
        "lunes",
        "martes",
        "miércoles",
        "jueves",
        "viernes",
        "sábado",
        "domingo", // Spanish and, in part, Portuguese
        "lun",
        "mer",
        "gio",
        "ven",
        "dom", // short forms that no month shares
    ];
    let word = word.to_lowercase();
    WORDS.contains(&&*word)
}

/// The month that a word names in English, German, French, Spanish, Portuguese, Italian or Dutch, in full or shortened as is usual there.
/// No word names different months in two of them.
fn month_of(word: &str) -> Option<u32> {
    const MONTHS: [&[&str]; 12] = [
        &[
            "jan", "january", "januar", "jänner", "janvier", "janv", "enero", "ene", "janeiro", "gennaio", "gen",
            "januari",
        ],
        &[
            "feb",
            "february",
            "februar",
            "février",
            "févr",
            "fév",
            "febrero",
            "fevereiro",
            "fev",
            "febbraio",
            "februari",
        ],
        &["mar", "march", "märz", "mär", "mrz", "mars", "marzo", "março", "maart", "mrt"],
        &["apr", "april", "avril", "avr", "abril", "abr", "aprile"],
        &["may", "mai", "mayo", "maio", "maggio", "mag", "mei"],
        &["jun", "june", "juni", "juin", "junio", "junho", "giugno", "giu"],
        &["jul", "july", "juli", "juillet", "juil", "julio", "julho", "luglio", "lug"],
        &["aug", "august", "août", "aoû", "agosto", "ago", "augustus"],
        &["sep", "sept", "september", "septembre", "septiembre", "setembro", "set", "settembre"],
        &["oct", "october", "oktober", "okt", "octobre", "octubre", "outubro", "out", "ottobre", "ott"],
        &["nov", "november", "novembre", "noviembre", "novembro"],
        &["dec", "december", "dezember", "dez", "décembre", "déc", "diciembre", "dic", "dezembro", "dicembre"],
    ];
    let word = word.to_lowercase();
    (1..).zip(MONTHS).find(|(_, names)| names.contains(&&*word)).map(|(month, _)| month)
}

/// A time of day, and how far its clock is ahead of UTC where it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clock {
    time: NaiveTime,
    offset_seconds: Option<i32>,
}

/// `9:30`, `09:30:15.250`, `9:30 PM`, each with or without `Z`, `UTC`, `GMT` or an offset such as `+02:00` behind it. Other names of zones are
/// refused: "CST" is four different ones.
fn read_clock(text: &str) -> Option<Clock> {
    let mut rest = text.trim();
    let mut hour = take_number(&mut rest, 1..=2)?;
    rest = rest.strip_prefix(':')?;
    let minute = take_number(&mut rest, 2..=2)?;
    let (mut second, mut microsecond) = (0, 0);
    if let Some(after) = rest.strip_prefix(':') {
        rest = after;
        second = take_number(&mut rest, 2..=2)?;
        if let Some(after) = rest.strip_prefix(['.', ',']) {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            if !(1..=9).contains(&digits) {
                return None;
            }
            // A database keeps microseconds.
            let kept = &after[..digits.min(6)];
            microsecond = kept.parse::<u32>().ok()? * 10_u32.pow(6 - u32::try_from(kept.len()).ok()?);
            rest = &after[digits..];
        }
    }
    rest = rest.trim_start();
    let lower = rest.get(..rest.len().min(4)).unwrap_or_default().to_ascii_lowercase();
    let half = ["a.m.", "p.m.", "am", "pm"].into_iter().find(|half| lower.starts_with(half));
    if let Some(half) = half {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + if half.starts_with('p') { 12 } else { 0 };
        rest = rest[half.len()..].trim_start();
    }
    rest = rest.strip_prefix("Uhr").unwrap_or(rest).trim_start();
    Some(Clock {
        time: NaiveTime::from_hms_micro_opt(hour, minute, second, microsecond)?,
        offset_seconds: if rest.is_empty() { None } else { Some(read_offset(rest)?) },
    })
}

fn read_offset(text: &str) -> Option<i32> {
    let text = text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(text);
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let mut rest = text.strip_prefix("UTC").or_else(|| text.strip_prefix("GMT")).unwrap_or(text);
    if rest.is_empty() {
        return Some(0);
    }
    let sign = if let Some(after) = rest.strip_prefix('+') {
        rest = after;
        1
    } else {
        rest = rest.strip_prefix('-').or_else(|| rest.strip_prefix('\u{2212}'))?;
        -1
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let hours = take_number(&mut rest, 1..=if digits == 4 { 2 } else { digits.min(2) })?;
    let minutes = if rest.is_empty() {
        0
    } else {
        rest = rest.strip_prefix(':').unwrap_or(rest);
        take_number(&mut rest, 2..=2)?
    };
    // Clocks are between 12 hours behind and 14 hours ahead of UTC.
    let seconds = (hours * 60 + minutes) * 60;
    (rest.is_empty() && minutes < 60 && seconds <= 14 * 3600).then(|| sign * seconds.cast_signed())
}

/// Takes a number with so many digits from the beginning.
fn take_number(rest: &mut &str, digits: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let found = rest.bytes().take(*digits.end()).take_while(u8::is_ascii_digit).count();
    if !digits.contains(&found) {
        return None;
    }
    let (number, after) = rest.split_at(found);
    *rest = after;
    number.parse().ok()
}

impl Stamp {
    /// The year, for a check of what makes sense.
    pub(crate) fn year(self) -> i32 {
        match self {
            Self::Instant(time) => time.year(),
            Self::Local(local) => local.year(),
            Self::Day(day) => day.year(),
            Self::Month { year, .. } => year,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, order: DateOrder, expect: &str) {
        let read = match read(value, order) {
            Ok(Stamp::Instant(time)) => format!("{} UTC", time.format("%Y-%m-%d %H:%M:%S%.f")),
            Ok(Stamp::Local(local)) => local.format("%Y-%m-%d %H:%M:%S%.f").to_string(),
            Ok(Stamp::Day(day)) => day.to_string(),
            Ok(Stamp::Month { year, month }) => format!("{year}-{month:02}"),
            Err(trouble) => format!("{trouble:?}"),
        };
        assert_eq!(read, expect, "{value:?} as {order:?}");
    }

    #[test]
    fn day_and_month_are_read_in_the_stated_order_and_never_turned_around() {
        use DateOrder::{DayFirst, MonthFirst, YearFirst};
        for value in ["03/04/2026", "3/4/2026", "03.04.2026", "3.4.26", "03-04-2026", " 3. 4. 2026 "] {
            check(value, DayFirst, "2026-04-03");
            check(value, MonthFirst, "2026-03-04");
            check(value, YearFirst, "NotStated");
        }
        check("25/03/2026", DayFirst, "2026-03-25");
        check("25/03/2026", MonthFirst, "Contradicts");
        check("3/25/2026", DayFirst, "Contradicts");
        check("31/04/2026", DayFirst, "NoDate");
        check("31/04/2026", YearFirst, "NoDate");
        check("29/02/2025", DayFirst, "NoDate");
        check("29/02/2024", DayFirst, "2024-02-29");
    }

    #[test]
    fn a_year_in_front_and_a_month_in_words_mean_the_same_in_every_order() {
        for order in DateOrder::ALL {
            for value in [
                "2026-03-04",
                "2026/3/4",
                "2026.03.04",
                "Mar 4, 2026",
                "March 4, 2026",
                "4 Mar 2026",
                "4-Mar-26",
                "Wed, Mar 4, 2026",
                "Wednesday, 4th March 2026",
                "4. März 2026",
                "Mittwoch, 4. März 2026",
                "4 mars 2026",
                "4 de marzo de 2026",
                "4 de março de 2026",
                "4 marzo 2026",
                "4 maart 2026",
                "2026 Mar 4",
            ] {
                check(value, order, "2026-03-04");
            }
            check("1er août 2026", order, "2026-08-01");
            check("2026-03", order, "2026-03");
        }
    }

    #[test]
    fn times_are_read_with_their_offset_and_without() {
        let check = |value, expect| check(value, DateOrder::DayFirst, expect);
        for value in [
            "2026-03-04 21:05",
            "2026-03-04T21:05:00",
            "4/3/2026 21:05",
            "04.03.2026, 21:05",
            "4/3/2026 9:05 PM",
            "4/3/2026 09:05 p.m.",
            "4/3/2026 9:05\u{202f}PM",
            "Mar 4, 2026 at 9:05 PM",
            "4. März 2026 um 21:05 Uhr",
        ] {
            check(value, "2026-03-04 21:05:00");
        }
        check("4/3/2026 12:05 AM", "2026-03-04 00:05:00");
        check("4/3/2026 12:05 PM", "2026-03-04 12:05:00");
        check("2026-03-04 21:05:07.1234567", "2026-03-04 21:05:07.123456");
        for value in [
            "2026-03-04T19:05:00Z",
            "2026-03-04 21:05 +0200",
            "2026-03-04 21:05:00+02:00",
            "2026-03-04 21:05 +02",
            "4/3/2026 19:05 UTC",
            "4/3/2026 7:05 PM GMT",
            "4/3/2026 21:05 (UTC+2)",
            "4/3/2026 14:05 -0500",
            "Wed, 04 Mar 2026 19:05:00 GMT",
        ] {
            check(value, "2026-03-04 19:05:00 UTC");
        }
        check("2015-09-30 18:42 +0000", "2015-09-30 18:42:00 UTC");
    }

    #[test]
    fn what_is_no_date_is_none() {
        for value in [
            "",
            "-",
            "yesterday",
            "12",
            "1.2",
            "1.2.3.4",
            "2026-13-01",
            "2026-00-10",
            "03/04",
            "03/04-2026",
            "3 4 2026",
            "2026-03-04 25:00",
            "2026-03-04 10:60",
            "4/3/2026 13:05 PM",
            "2026-03-04 10:00 CST",
            "2026-03-04 10:00 +25:00",
            "2026-03 10:00",
            "10:30",
            "99999-01-01",
            "2026-03-04 10:00:00.",
            "2026年3月4日",
            "1,234,567",
            "Mars",
            "\0",
            ":",
            "2026-03-04 1:2",
            "٣/٤/٢٠٢٦",
            "4/3/2026/1",
        ] {
            for order in DateOrder::ALL {
                check(value, order, "NoDate");
            }
            assert_eq!(hint(value), None, "{value:?}");
        }
    }

    #[test]
    fn a_date_says_what_it_tells_about_the_order() {
        for (value, expect) in [
            ("25/03/2026", Hint::DayFirst),
            ("3/25/2026 10:00", Hint::MonthFirst),
            ("3/4/2026", Hint::Open),
            ("4/4/2026", Hint::Open),
            ("2026-03-04", Hint::Neutral),
            ("4 Mar 2026 10:00", Hint::Neutral),
        ] {
            assert_eq!(hint(value), Some(expect), "{value}");
        }
    }

    #[test]
    fn a_time_in_a_cell_of_its_own_is_joined_to_its_day() {
        let day = NaiveDate::from_ymd_opt(2026, 3, 4).unwrap();
        let order = DateOrder::MonthFirst;
        assert_eq!(read_apart("3/4/2026", "9:05 PM", order), Ok(Stamp::Local(day.and_hms_opt(21, 5, 0).unwrap())));
        assert_eq!(read_apart("3/4/2026", "", order), Ok(Stamp::Day(day)));
        assert_eq!(read_apart("3/4/2026 10:00", "9:05", order), Err(Trouble::NoDate));
        assert_eq!(read_apart("3/4/2026", "soon", order), Err(Trouble::NoDate));
        assert!(
            is_clock("9:05 PM") && is_clock("21:05:00 +02:00") && !is_clock("2026-03-04 10:00") && !is_clock("905")
        );
    }
}
