//! Periods of whole days, the presets that addresses name, and what a period is compared with.
//! Days are days in the tenant's zone; the caller says which day is today, because this crate has no clock.

use core::fmt;
use core::str::FromStr;

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The longest period that a page shows: ten years with their leap days.
pub const LONGEST_DAYS: u64 = 3_653;

/// First and last day, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Period {
    from: NaiveDate,
    to: NaiveDate,
}

impl Period {
    /// A period from two days in order, at most [`LONGEST_DAYS`] long.
    pub fn new(from: NaiveDate, to: NaiveDate) -> Result<Self> {
        if from.year() < 1990 || to.year() > 2100 {
            return Err(Error::invalid(
                if from.year() < 1990 { "from" } else { "to" },
                "use a day between 1990-01-01 and 2100-12-31.",
            ));
        }
        if to < from {
            return Err(Error::invalid("to", format!("use a day that is not before {from}.")));
        }
        let period = Self { from, to };
        if period.days() > LONGEST_DAYS {
            return Err(Error::invalid("from", "use a period of at most ten years."));
        }
        Ok(period)
    }

    /// First day.
    pub const fn from(self) -> NaiveDate {
        self.from
    }

    /// Last day.
    pub const fn to(self) -> NaiveDate {
        self.to
    }

    /// Number of days, at least 1.
    pub fn days(self) -> u64 {
        u64::try_from((self.to - self.from).num_days()).unwrap_or(0) + 1
    }

    /// Whether the day lies inside.
    pub fn contains(self, day: NaiveDate) -> bool {
        (self.from..=self.to).contains(&day)
    }

    /// Every day, in order.
    pub fn iter_days(self) -> impl Iterator<Item = NaiveDate> {
        self.from.iter_days().take_while(move |day| *day <= self.to)
    }

    /// The period of the same kind directly before: whole months before whole months, else as many days.
    /// `None` where it would lie outside of what a page shows.
    pub fn earlier(self) -> Option<Self> {
        let to = self.from.pred_opt()?;
        let from = match self.whole_months() {
            Some(months) => self.from.checked_sub_months(months)?,
            None => self.back(self.days())?.from,
        };
        Self::new(from, to).ok()
    }

    /// The period of the same kind directly after.
    pub fn later(self) -> Option<Self> {
        let from = self.to.succ_opt()?;
        let to = match self.whole_months() {
            Some(months) => from.checked_add_months(months)?.pred_opt()?,
            None => self.to.checked_add_days(Days::new(self.days()))?,
        };
        Self::new(from, to).ok()
    }

    /// How many months it is, when it is nothing but whole months.
    fn whole_months(self) -> Option<Months> {
        let after = self.to.succ_opt()?;
        let years = u32::try_from(after.year() - self.from.year()).ok()?;
        let months = years * 12 + after.month0() - self.from.month0();
        (self.from.day() == 1 && after.day() == 1).then_some(Months::new(months))
    }

    /// The period moved back by whole days; `None` before the calendar begins.
    fn back(self, days: u64) -> Option<Self> {
        Some(Self {
            from: self.from.checked_sub_days(Days::new(days))?,
            to: self.to.checked_sub_days(Days::new(days))?,
        })
    }
}

/// How an address names a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Range {
    /// The last 7 days, today included.
    Last7,
    /// The last 28 days, today included: four whole weeks, so weekdays weigh alike.
    #[default]
    Last28,
    /// The last 90 days, today included.
    Last90,
    /// From the first of this month to today.
    MonthToDate,
    /// From the first of this quarter to today.
    QuarterToDate,
    /// From the first of January to today.
    YearToDate,
    /// The day before today.
    Yesterday,
    /// The week before this one, whole.
    LastWeek,
    /// The month before this one, whole.
    LastMonth,
    /// The quarter before this one, whole.
    LastQuarter,
    /// The year before this one, whole.
    LastYear,
    /// Two stated days.
    Custom,
}

impl Range {
    /// All of them, in the order in which the menu shows them.
    pub const ALL: [Self; 12] = [
        Self::Last7,
        Self::Last28,
        Self::Last90,
        Self::MonthToDate,
        Self::QuarterToDate,
        Self::YearToDate,
        Self::Yesterday,
        Self::LastWeek,
        Self::LastMonth,
        Self::LastQuarter,
        Self::LastYear,
        Self::Custom,
    ];

    /// As written in addresses.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Last7 => "7d",
            Self::Last28 => "28d",
            Self::Last90 => "90d",
            Self::MonthToDate => "mtd",
            Self::QuarterToDate => "qtd",
            Self::YearToDate => "ytd",
            Self::Yesterday => "yesterday",
            Self::LastWeek => "last-week",
            Self::LastMonth => "last-month",
            Self::LastQuarter => "last-quarter",
            Self::LastYear => "last-year",
            Self::Custom => "custom",
        }
    }

    /// Name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Last7 => "Last 7 days",
            Self::Last28 => "Last 28 days",
            Self::Last90 => "Last 90 days",
            Self::MonthToDate => "Month to date",
            Self::QuarterToDate => "Quarter to date",
            Self::YearToDate => "Year to date",
            Self::Yesterday => "Yesterday",
            Self::LastWeek => "Last week",
            Self::LastMonth => "Last month",
            Self::LastQuarter => "Last quarter",
            Self::LastYear => "Last year",
            Self::Custom => "Custom",
        }
    }

    /// The days that the preset means when today is `today`, where weeks begin on `week_start` (Monday = 0 to Sunday = 6).
    /// [`Range::Custom`] takes `custom`.
    pub fn period(self, today: NaiveDate, week_start: u32, custom: Option<(NaiveDate, NaiveDate)>) -> Result<Period> {
        let first_of_month = today.with_day(1).expect("every month has a first");
        let first_of_quarter = first_of_month.with_month0(today.month0() / 3 * 3).expect("every quarter has a first");
        let first_of_year = first_of_month.with_month0(0).expect("every year has a first");
        // The days before one that begins a month, a quarter or a year.
        let before = |first: NaiveDate, months: u32| {
            let from =
                first.checked_sub_months(Months::new(months)).expect("today is far from the calendar's beginning");
            Period::new(from, first.pred_opt().expect("today is far from the calendar's beginning"))
        };
        let last = |days: u64| {
            today.checked_sub_days(Days::new(days - 1)).expect("today is far from the calendar's beginning")
        };
        match self {
            Self::Last7 => Period::new(last(7), today),
            Self::Last28 => Period::new(last(28), today),
            Self::Last90 => Period::new(last(90), today),
            Self::MonthToDate => Period::new(first_of_month, today),
            Self::QuarterToDate => Period::new(first_of_quarter, today),
            Self::YearToDate => Period::new(first_of_year, today),
            Self::Yesterday => Period::new(last(2), last(2)),
            Self::LastWeek => {
                let begin = Grain::Week.floor(today, week_start) - Days::new(7);
                Period::new(begin, begin + Days::new(6))
            }
            Self::LastMonth => before(first_of_month, 1),
            Self::LastQuarter => before(first_of_quarter, 3),
            Self::LastYear => before(first_of_year, 12),
            Self::Custom => match custom {
                Some((from, to)) => Period::new(from, to),
                None => Err(Error::invalid(
                    "from",
                    "give the first and the last day as from and to, like from=2026-01-01&to=2026-01-31.",
                )),
            },
        }
    }
}

impl FromStr for Range {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|range| range.key() == text)
            .ok_or_else(|| Error::invalid("range", format!("use one of {}.", Self::ALL.map(Self::key).join(", "))))
    }
}

/// What a period is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Compare {
    /// As many days directly before.
    #[default]
    Previous,
    /// The same days a year earlier; 29 February becomes 28 February.
    Year,
    /// The nearest earlier days that begin on the same weekday and do not overlap.
    Weekday,
    /// Nothing.
    None,
}

impl Compare {
    /// All of them, in the order in which the menu shows them.
    pub const ALL: [Self; 4] = [Self::Previous, Self::Weekday, Self::Year, Self::None];

    /// As written in addresses.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Previous => "previous",
            Self::Year => "year",
            Self::Weekday => "weekday",
            Self::None => "none",
        }
    }

    /// Name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Previous => "Previous period",
            Self::Year => "Same days a year ago",
            Self::Weekday => "Previous, same weekdays",
            Self::None => "No comparison",
        }
    }

    /// The period to compare `period` with.
    pub fn period(self, period: Period) -> Option<Period> {
        let days = period.days();
        match self {
            Self::Previous => period.back(days),
            Self::Weekday => period.back(days.div_ceil(7) * 7),
            Self::Year => Some(Period {
                from: period.from.checked_sub_months(Months::new(12))?,
                to: period.to.checked_sub_months(Months::new(12))?,
            }),
            Self::None => None,
        }
    }
}

impl FromStr for Compare {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|compare| compare.key() == text)
            .ok_or_else(|| Error::invalid("compare", format!("use one of {}.", Self::ALL.map(Self::key).join(", "))))
    }
}

/// Width of one point of the trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Grain {
    /// A day.
    Day,
    /// Seven days, beginning on the tenant's first day of the week.
    Week,
    /// A calendar month.
    Month,
}

impl Grain {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// As written in addresses.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// Name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Day => "Day",
            Self::Week => "Week",
            Self::Month => "Month",
        }
    }

    /// A readable default: at most about 90 points.
    pub fn fitting(period: Period) -> Self {
        match period.days() {
            0..=92 => Self::Day,
            93..=550 => Self::Week,
            _ => Self::Month,
        }
    }

    /// Last day of the point that holds `day`; `week_start` as for [`Self::floor`].
    pub fn ceil(self, day: NaiveDate, week_start: u32) -> NaiveDate {
        let first = self.floor(day, week_start);
        let next = match self {
            Self::Day => return day,
            Self::Week => first.checked_add_days(Days::new(7)),
            Self::Month => first.checked_add_months(Months::new(1)),
        };
        next.and_then(|next| next.pred_opt()).unwrap_or(day)
    }

    /// First day of the point that holds `day`. `week_start` counts from Monday = 0 to Sunday = 6.
    pub fn floor(self, day: NaiveDate, week_start: u32) -> NaiveDate {
        match self {
            Self::Day => day,
            Self::Week => {
                let past = (7 + day.weekday().num_days_from_monday() - week_start % 7) % 7;
                day.checked_sub_days(Days::new(u64::from(past))).unwrap_or(day)
            }
            Self::Month => day.with_day(1).expect("every month has a first"),
        }
    }
}

impl FromStr for Grain {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|grain| grain.key() == text)
            .ok_or_else(|| Error::invalid("grain", "use day, week or month."))
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn check_range(range: &str, today: &str, from: &str, to: &str) {
        check_range_of_weeks(0, range, today, from, to);
    }

    fn check_range_of_weeks(week_start: u32, range: &str, today: &str, from: &str, to: &str) {
        let period = range.parse::<Range>().unwrap().period(day(today), week_start, None).unwrap();
        assert_eq!((period.from(), period.to()), (day(from), day(to)), "{range} on {today}");
    }

    #[test]
    fn presets_mean_the_days_that_they_say() {
        check_range("7d", "2026-03-03", "2026-02-25", "2026-03-03");
        check_range("28d", "2026-03-01", "2026-02-02", "2026-03-01");
        check_range("90d", "2026-03-01", "2025-12-02", "2026-03-01");
        check_range("mtd", "2026-03-01", "2026-03-01", "2026-03-01");
        check_range("qtd", "2026-12-31", "2026-10-01", "2026-12-31");
        check_range("qtd", "2026-03-31", "2026-01-01", "2026-03-31");
        check_range("ytd", "2024-02-29", "2024-01-01", "2024-02-29");
        check_range("last-month", "2024-03-31", "2024-02-01", "2024-02-29");
        check_range("last-month", "2026-01-01", "2025-12-01", "2025-12-31");
        check_range("yesterday", "2028-03-01", "2028-02-29", "2028-02-29");
        check_range("last-quarter", "2026-03-31", "2025-10-01", "2025-12-31");
        check_range("last-quarter", "2026-10-01", "2026-07-01", "2026-09-30");
        check_range("last-quarter", "2028-05-31", "2028-01-01", "2028-03-31");
        check_range("last-year", "2026-01-01", "2025-01-01", "2025-12-31");
        check_range("last-year", "2028-12-31", "2027-01-01", "2027-12-31");
    }

    #[test]
    fn last_week_is_the_whole_one_before_this_one_on_the_tenants_days() {
        // 23 November 2026 is a Monday.
        for (week_start, today, from) in [
            (0, "2026-11-22", "2026-11-09"),
            (0, "2026-11-23", "2026-11-16"),
            (0, "2026-11-29", "2026-11-16"),
            (6, "2026-11-21", "2026-11-08"),
            (6, "2026-11-22", "2026-11-15"),
            (6, "2026-11-23", "2026-11-15"),
            (5, "2026-01-01", "2025-12-20"),
        ] {
            let to = (day(from) + Days::new(6)).to_string();
            check_range_of_weeks(week_start, "last-week", today, from, &to);
        }
    }

    fn check_compare(compare: Compare, from: &str, to: &str, expect: Option<(&str, &str)>) {
        let period = Period::new(day(from), day(to)).unwrap();
        let got = compare.period(period).map(|p| (p.from(), p.to()));
        assert_eq!(got, expect.map(|(a, b)| (day(a), day(b))), "{compare:?} of {from}..{to}");
    }

    #[test]
    fn a_comparison_has_equal_length_and_never_overlaps() {
        check_compare(Compare::Previous, "2026-03-01", "2026-03-31", Some(("2026-01-29", "2026-02-28")));
        check_compare(Compare::Weekday, "2026-03-01", "2026-03-31", Some(("2026-01-25", "2026-02-24")));
        check_compare(Compare::Weekday, "2026-03-02", "2026-03-08", Some(("2026-02-23", "2026-03-01")));
        check_compare(Compare::Year, "2024-02-29", "2024-02-29", Some(("2023-02-28", "2023-02-28")));
        check_compare(Compare::None, "2026-03-01", "2026-03-31", None);
        let period = Period::new(day("2026-03-05"), day("2026-03-14")).unwrap();
        let matched = Compare::Weekday.period(period).unwrap();
        assert_eq!(matched.from().weekday(), period.from().weekday());
        assert_eq!(matched.days(), period.days());
        assert!(matched.to() < period.from());
    }

    #[track_caller]
    fn check_steps(period: (&str, &str), earlier: Option<(&str, &str)>, later: Option<(&str, &str)>) {
        let period = Period::new(day(period.0), day(period.1)).unwrap();
        let days = |expect: Option<(&str, &str)>| expect.map(|(from, to)| (day(from), day(to)));
        assert_eq!(period.earlier().map(|p| (p.from(), p.to())), days(earlier), "before {period:?}");
        assert_eq!(period.later().map(|p| (p.from(), p.to())), days(later), "after {period:?}");
    }

    #[test]
    fn whole_months_step_by_months_and_all_else_by_as_many_days() {
        check_steps(
            ("2026-03-01", "2026-03-31"),
            Some(("2026-02-01", "2026-02-28")),
            Some(("2026-04-01", "2026-04-30")),
        );
        check_steps(
            ("2026-01-01", "2026-03-31"),
            Some(("2025-10-01", "2025-12-31")),
            Some(("2026-04-01", "2026-06-30")),
        );
        check_steps(
            ("2024-02-01", "2024-02-29"),
            Some(("2024-01-01", "2024-01-31")),
            Some(("2024-03-01", "2024-03-31")),
        );
        check_steps(
            ("2026-03-01", "2026-03-07"),
            Some(("2026-02-22", "2026-02-28")),
            Some(("2026-03-08", "2026-03-14")),
        );
        check_steps(
            ("2026-03-01", "2026-03-30"),
            Some(("2026-01-30", "2026-02-28")),
            Some(("2026-03-31", "2026-04-29")),
        );
        check_steps(("1990-01-01", "1990-01-31"), None, Some(("1990-02-01", "1990-02-28")));
        check_steps(("2100-12-31", "2100-12-31"), Some(("2100-12-30", "2100-12-30")), None);
    }

    #[test]
    fn impossible_periods_are_refused_with_the_field() {
        let refuse = |from: &str, to: &str| match Period::new(day(from), day(to)) {
            Err(Error::Invalid(errors)) => errors[0].field.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(refuse("2026-03-02", "2026-03-01"), "to");
        assert_eq!(refuse("1900-01-01", "1900-01-02"), "from");
        assert_eq!(refuse("2010-01-01", "2026-01-01"), "from");
    }

    #[test]
    fn weeks_begin_on_the_tenants_day() {
        // 2026-03-04 is a Wednesday.
        assert_eq!(Grain::Week.floor(day("2026-03-04"), 0), day("2026-03-02"));
        assert_eq!(Grain::Week.floor(day("2026-03-04"), 6), day("2026-03-01"));
        assert_eq!(Grain::Week.floor(day("2026-03-01"), 0), day("2026-02-23"));
        assert_eq!(Grain::Week.floor(day("2026-03-01"), 6), day("2026-03-01"));
        assert_eq!(Grain::Month.floor(day("2026-03-04"), 6), day("2026-03-01"));
    }

    #[test]
    fn a_point_ends_before_the_next_one_begins() {
        assert_eq!(Grain::Day.ceil(day("2026-03-04"), 0), day("2026-03-04"));
        assert_eq!(Grain::Week.ceil(day("2026-03-04"), 0), day("2026-03-08"));
        assert_eq!(Grain::Week.ceil(day("2026-03-04"), 6), day("2026-03-07"));
        assert_eq!(Grain::Month.ceil(day("2024-02-04"), 0), day("2024-02-29"));
        assert_eq!(Grain::Month.ceil(day("2026-12-31"), 0), day("2026-12-31"));
    }
}
