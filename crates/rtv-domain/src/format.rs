//! Numbers, money and dates as people of a tenant read them. Formatting happens on the server only, so that the page
//! that arrives and the page that the browser continues with are equal to the letter.

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use num_format::{Locale, ToFormattedString};
use rtv_core::kpi::Unit;
use rtv_core::period::{Grain, Period};
use rtv_core::report::{Cell, Kind};
use rust_decimal::Decimal;
use rust_decimal::prelude::{RoundingStrategy, ToPrimitive};

use crate::context::Tenant;

/// Locales that a tenant may choose.
pub const LOCALES: [&str; 10] =
    ["en-US", "en-GB", "de-DE", "fr-FR", "es-ES", "it-IT", "nl-NL", "pt-BR", "ja-JP", "th-TH"];

/// What stands where a value is missing. Never 0.
pub const MISSING: &str = "—";

const MINUS: char = '\u{2212}';

/// Whether [`LOCALES`] holds the tag.
pub fn is_known_locale(tag: &str) -> bool {
    LOCALES.contains(&tag)
}

/// A tenant's way of writing.
#[derive(Debug, Clone)]
pub struct Format {
    numbers: Locale,
    dates: chrono::Locale,
    month_first: bool,
    currency: String,
    zone: Tz,
}

impl Format {
    /// The tenant's.
    pub fn of(tenant: &Tenant) -> Self {
        let (numbers, dates) = match tenant.locale.as_str() {
            "en-GB" => (Locale::en_GB, chrono::Locale::en_GB),
            "de-DE" => (Locale::de, chrono::Locale::de_DE),
            "fr-FR" => (Locale::fr, chrono::Locale::fr_FR),
            "es-ES" => (Locale::es, chrono::Locale::es_ES),
            "it-IT" => (Locale::it, chrono::Locale::it_IT),
            "nl-NL" => (Locale::nl, chrono::Locale::nl_NL),
            "pt-BR" => (Locale::pt, chrono::Locale::pt_BR),
            "ja-JP" => (Locale::ja, chrono::Locale::ja_JP),
            "th-TH" => (Locale::th, chrono::Locale::th_TH),
            _ => (Locale::en, chrono::Locale::en_US),
        };
        Self {
            numbers,
            dates,
            month_first: tenant.locale == "en-US",
            currency: tenant.currency.clone(),
            zone: tenant.zone,
        }
    }

    /// The same with times of another zone. Days stay those that the tenant counts.
    #[must_use]
    pub fn with_times_in(self, zone: Tz) -> Self {
        Self { zone, ..self }
    }

    /// Code of the currency of amounts, such as `EUR`.
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// What stands before the fraction of a number.
    pub fn decimal_mark(&self) -> char {
        self.numbers.decimal().chars().next().unwrap_or('.')
    }

    /// What stands between thousands.
    pub fn group_mark(&self) -> char {
        self.numbers.separator().chars().next().unwrap_or(',')
    }

    /// A whole number with its thousands grouped: `1,234`.
    pub fn count(&self, value: i64) -> String {
        let text = value.unsigned_abs().to_formatted_string(&self.numbers);
        if value < 0 { format!("{MINUS}{text}") } else { text }
    }

    /// A decimal with a fixed number of places: `1,234.50`.
    pub fn decimal(&self, value: Decimal, places: u32) -> String {
        let rounded = value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
        let text = format!("{:.*}", places as usize, rounded.abs());
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let whole =
            whole.parse::<u128>().map_or_else(|_| whole.to_owned(), |whole| whole.to_formatted_string(&self.numbers));
        let sign = if rounded.is_sign_negative() && !rounded.is_zero() { MINUS.to_string() } else { String::new() };
        if fraction.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}{}{fraction}", self.numbers.decimal())
        }
    }

    /// A number as people of the tenant write it, `10,000` or `10.000,5`; `None` where it is none. Marks between
    /// thousands may be left out, but not stand elsewhere.
    pub fn read(&self, text: &str) -> Option<Decimal> {
        let group = self.group_mark();
        // Marks that are spaces are typed as any space.
        let is_group = |letter: char| letter == group || (group.is_whitespace() && letter.is_whitespace());
        let (whole, fraction) = text.trim().split_once(self.decimal_mark()).unwrap_or((text.trim(), ""));
        let groups: Vec<&str> = whole.split(is_group).collect();
        let is_grouped =
            groups.len() == 1 || (matches!(groups[0].len(), 1..=3) && groups[1..].iter().all(|group| group.len() == 3));
        let digits = groups.concat();
        let is_number = !digits.is_empty()
            && digits.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
            && (fraction.is_empty() != text.contains(self.decimal_mark()));
        if is_grouped && is_number { format!("{digits}.{fraction}0").parse().ok() } else { None }
    }

    /// Short for a card: exact below 100,000, then `128K`, `1.28M`, `3.4B`.
    fn compact(&self, value: Decimal, places: u32) -> String {
        let size = value.abs();
        for (unit, letter) in [(1_000_000_000_u64, "B"), (1_000_000, "M"), (1_000, "K")] {
            let unit_size = Decimal::from(unit);
            if size >= unit_size && size >= Decimal::from(100_000) {
                let scaled = value / unit_size;
                let places = if scaled.abs() >= Decimal::from(100) {
                    0
                } else if scaled.abs() >= Decimal::from(10) {
                    1
                } else {
                    2
                };
                return format!("{}{letter}", self.decimal(scaled, places));
            }
        }
        self.decimal(value, places)
    }

    /// A number for a narrow cell: exact below 100,000, then `128K`, `1.28M`.
    pub fn short(&self, value: Decimal) -> String {
        self.compact(value, 0)
    }

    /// An amount with its currency.
    pub fn money(&self, value: Decimal) -> String {
        self.with_currency(&self.decimal(value.abs(), 2), value)
    }

    fn with_currency(&self, number: &str, value: Decimal) -> String {
        let symbol = match self.currency.as_str() {
            "USD" => "$",
            "EUR" => "€",
            "GBP" => "£",
            "JPY" => "¥",
            "THB" => "฿",
            other => other,
        };
        let sign = if value.is_sign_negative() && !value.is_zero() { MINUS.to_string() } else { String::new() };
        let follows = matches!(
            self.dates,
            chrono::Locale::de_DE | chrono::Locale::fr_FR | chrono::Locale::es_ES | chrono::Locale::it_IT
        );
        match (follows, symbol.len() == 3 && symbol.is_ascii()) {
            (true, _) => format!("{sign}{number}\u{a0}{symbol}"),
            (false, true) => format!("{sign}{symbol}\u{a0}{number}"),
            (false, false) => format!("{sign}{symbol}{number}"),
        }
    }

    /// A KPI's value on a card.
    pub fn value(&self, unit: Unit, value: Decimal) -> String {
        match unit {
            Unit::Count => self.compact(value, 0),
            Unit::Percent => format!("{}%", self.decimal(value * Decimal::ONE_HUNDRED, 2)),
            Unit::Score => signed(&self.decimal(value.abs(), 2), value),
            Unit::Money => {
                let number = if value.abs() >= Decimal::from(100_000) {
                    self.compact(value.abs(), 0)
                } else {
                    self.decimal(value.abs(), 2)
                };
                self.with_currency(&number, value)
            }
            Unit::Multiple => format!("{}×", self.decimal(value, 2)),
        }
    }

    /// A KPI's value with all its digits, for tables and readouts.
    pub fn exact(&self, unit: Unit, value: Decimal) -> String {
        match unit {
            Unit::Count => self.decimal(value, 0),
            // One that is too large to be a percentage is written without the percent.
            Unit::Percent => value
                .checked_mul(Decimal::ONE_HUNDRED)
                .map_or_else(|| machine(value), |percent| format!("{}%", self.decimal(percent, 2))),
            Unit::Score => signed(&self.decimal(value.abs(), 2), value),
            Unit::Money => self.money(value),
            Unit::Multiple => format!("{}×", self.decimal(value, 2)),
        }
    }

    /// A relative change: `+12.4%`, `−3.0%`, `0.0%`.
    pub fn change(&self, ratio: Decimal) -> String {
        let percent = ratio * Decimal::ONE_HUNDRED;
        let places = u32::from(percent.abs() < Decimal::ONE_THOUSAND);
        signed(
            &format!("{}%", self.decimal(percent.abs(), places)),
            if Self::is_change_shown(ratio) { percent } else { Decimal::ZERO },
        )
    }

    /// Whether [`Self::change`] writes anything but zero.
    pub fn is_change_shown(ratio: Decimal) -> bool {
        let percent = ratio * Decimal::ONE_HUNDRED;
        !percent.round_dp_with_strategy(1, RoundingStrategy::MidpointAwayFromZero).is_zero()
    }

    /// Whether [`Self::difference`] writes anything but zero.
    pub fn is_shown(&self, unit: Unit, value: Decimal) -> bool {
        self.difference(unit, value.abs()).chars().any(|letter| matches!(letter, '1'..='9'))
    }

    /// A difference with its sign, in the unit: rates differ in percentage points.
    pub fn difference(&self, unit: Unit, value: Decimal) -> String {
        let size = value.abs();
        let text = match unit {
            Unit::Count => self.decimal(size, 0),
            Unit::Percent => format!("{} pp", self.decimal(size * Decimal::ONE_HUNDRED, 2)),
            Unit::Score => self.decimal(size, 2),
            Unit::Money => self.money(size),
            Unit::Multiple => format!("{}×", self.decimal(size, 2)),
        };
        signed(&text, if text.chars().any(|letter| matches!(letter, '1'..='9')) { value } else { Decimal::ZERO })
    }

    /// A day: `Nov 3, 2026` or `3 Nov 2026`.
    pub fn day(&self, day: NaiveDate) -> String {
        let pattern = if self.month_first { "%b %-d, %Y" } else { "%-d %b %Y" };
        day.format_localized(pattern, self.dates).to_string()
    }

    /// A day without its year, for the axis of a chart that names the year elsewhere.
    fn short_day(&self, day: NaiveDate) -> String {
        let pattern = if self.month_first { "%b %-d" } else { "%-d %b" };
        day.format_localized(pattern, self.dates).to_string()
    }

    /// A period: `Nov 3, 2026 – Nov 30, 2026`, or one day.
    pub fn period(&self, period: Period) -> String {
        if period.from() == period.to() {
            return self.day(period.from());
        }
        if period.from().year() == period.to().year() {
            return if self.month_first {
                format!("{} – {}, {}", self.short_day(period.from()), self.short_day(period.to()), period.to().year())
            } else {
                format!("{} – {}", self.short_day(period.from()), self.day(period.to()))
            };
        }
        format!("{} – {}", self.day(period.from()), self.day(period.to()))
    }

    /// Label of a point of the trend that begins on `first`.
    pub fn point(&self, grain: Grain, first: NaiveDate, spans_years: bool) -> String {
        match (grain, spans_years) {
            (Grain::Month, _) => first.format_localized("%b %Y", self.dates).to_string(),
            (_, true) => self.day(first),
            (_, false) => self.short_day(first),
        }
    }

    /// Days of a point of the trend, for the table beside it: a day, a month, or a week from its first to its last day.
    pub fn span(&self, grain: Grain, first: NaiveDate, last: NaiveDate, spans_years: bool) -> String {
        match (grain, spans_years) {
            (Grain::Week, true) => format!("{} – {}", self.day(first), self.day(last)),
            (Grain::Week, false) => format!("{} – {}", self.short_day(first), self.short_day(last)),
            (Grain::Day | Grain::Month, _) => self.point(grain, first, spans_years),
        }
    }

    /// A value of a report, as its page and its PDF show it.
    pub fn cell(&self, kind: Kind, cell: &Cell) -> String {
        match (cell, kind) {
            (Cell::Missing, _) => MISSING.to_owned(),
            (Cell::Text(text), _) => text.clone(),
            (Cell::Day(day), Kind::Month) => self.month(*day),
            // A week by its first day in the period: the first and the last may have fewer than seven.
            (Cell::Day(day), _) => self.day(*day),
            (Cell::Instant(at), _) => self.instant(*at),
            (Cell::Ordinal(number), Kind::Weekday) => {
                // 2024-01-01 was a Monday.
                let day = NaiveDate::from_ymd_opt(2024, 1, 1)
                    .and_then(|day| day.checked_add_days(Days::new(u64::from(*number % 7))));
                day.map_or_else(|| number.to_string(), |day| self.weekday(day).1)
            }
            (Cell::Ordinal(number), Kind::Hour) => format!("{number:02}:00"),
            (Cell::Ordinal(number), _) => number.to_string(),
            (Cell::Number(value), Kind::Number(unit)) => self.exact(unit, *value),
            (Cell::Number(value), _) => self.decimal(*value, value.scale().min(2)),
        }
    }

    /// Short and whole name of the weekday that the day is.
    pub fn weekday(&self, day: NaiveDate) -> (String, String) {
        (day.format_localized("%a", self.dates).to_string(), day.format_localized("%A", self.dates).to_string())
    }

    /// A month: `Nov 2014`.
    pub fn month(&self, day: NaiveDate) -> String {
        day.format_localized("%b %Y", self.dates).to_string()
    }

    /// An instant in the tenant's zone: `Nov 3, 2026, 14:02 +07`.
    pub fn instant(&self, at: DateTime<Utc>) -> String {
        let local = at.with_timezone(&self.zone);
        format!("{}, {}", self.day(local.date_naive()), local.format("%H:%M %Z"))
    }

    /// Day and time to the millisecond in the tenant's zone, for what is compared with logs.
    pub fn exact_clock(&self, at: DateTime<Utc>) -> String {
        let local = at.with_timezone(&self.zone);
        format!("{}, {}", self.day(local.date_naive()), local.format("%H:%M:%S%.3f"))
    }

    /// Day and time in the tenant's zone without the zone's name, for columns whose heading names it.
    pub fn clock(&self, at: DateTime<Utc>) -> String {
        let local = at.with_timezone(&self.zone);
        format!("{}, {}", self.day(local.date_naive()), local.format("%H:%M"))
    }

    /// Time of a day that is clear, in the tenant's zone: `14:02 CET`.
    pub fn time(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).format("%H:%M %Z").to_string()
    }

    /// The same to the second: `14:02:07 CET`.
    pub fn to_the_second(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).format("%H:%M:%S %Z").to_string()
    }
}

fn signed(text: &str, value: Decimal) -> String {
    match value {
        value if value.is_zero() => text.to_owned(),
        value if value.is_sign_negative() => format!("{MINUS}{text}"),
        _ => format!("+{text}"),
    }
}

/// How long ago, in words, for lists that also give the instant.
pub fn ago(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let minutes = (now - at).num_minutes();
    match minutes {
        ..=0 => "just now".into(),
        1 => "1 minute ago".into(),
        2..=59 => format!("{minutes} minutes ago"),
        60..=119 => "1 hour ago".into(),
        120..=1_439 => format!("{} hours ago", minutes / 60),
        1_440..=2_879 => "yesterday".into(),
        _ => format!("{} days ago", minutes / 1_440),
    }
}

/// The exact value as machines read it, without rounding for people: `1234`, `0.0612`.
pub fn machine(value: Decimal) -> String {
    value.normalize().to_string()
}

/// A whole number out of a sum; sums of counts fit.
pub fn whole(value: Decimal) -> i64 {
    value.to_i64().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtv_core::{Plan, TenantStatus};

    fn format(locale: &str, currency: &str) -> Format {
        Format::of(&Tenant {
            id: uuid::Uuid::nil().into(),
            slug: "acme".parse().unwrap(),
            name: "Acme".into(),
            plan: Plan::Free,
            status: TenantStatus::Active,
            status_reason: None,
            is_house: false,
            zone: chrono_tz::Asia::Bangkok,
            locale: locale.into(),
            currency: currency.into(),
            week_start: 0,
            brand: None,
            has_sample_data: false,
            mfa_required: false,
            session_timeout: crate::session::IDLE,
            ip_ranges: Vec::new(),
            over_limits: Vec::new(),
            is_sandbox: false,
            logo: None,
        })
    }

    #[track_caller]
    fn check(locale: &str, unit: Unit, value: &str, card: &str, exact: &str) {
        let format = format(locale, "EUR");
        let value: Decimal = value.parse().unwrap();
        assert_eq!((format.value(unit, value).as_str(), format.exact(unit, value).as_str()), (card, exact));
    }

    #[test]
    fn values_are_written_for_people_and_keep_their_meaning() {
        check("en-US", Unit::Count, "0", "0", "0");
        check("en-US", Unit::Count, "99999", "99,999", "99,999");
        check("en-US", Unit::Count, "100000", "100K", "100,000");
        check("en-US", Unit::Count, "1284321", "1.28M", "1,284,321");
        check("en-US", Unit::Count, "-1284321", "−1.28M", "−1,284,321");
        check("de-DE", Unit::Count, "1284321", "1,28M", "1.284.321");
        check("en-US", Unit::Percent, "0.06618", "6.62%", "6.62%");
        check("en-US", Unit::Score, "-0.084", "−0.08", "−0.08");
        check("en-US", Unit::Score, "0.42", "+0.42", "+0.42");
        check("en-US", Unit::Money, "48200.5", "€48,200.50", "€48,200.50");
        check("de-DE", Unit::Money, "48200.5", "48.200,50\u{a0}€", "48.200,50\u{a0}€");
        check("en-US", Unit::Money, "-3", "−€3.00", "−€3.00");
        check("en-US", Unit::Multiple, "3.4", "3.40×", "3.40×");
    }

    #[test]
    fn changes_carry_a_sign_and_a_true_minus() {
        let format = format("en-US", "USD");
        for (ratio, text) in
            [("0.124", "+12.4%"), ("-0.03", "−3.0%"), ("0", "0.0%"), ("0.0001", "0.0%"), ("12.5", "+1,250%")]
        {
            assert_eq!(format.change(ratio.parse().unwrap()), text);
        }
        // What is written as zero has no sign, and is known to be written so.
        for (ratio, is_shown) in
            [("0.00049", false), ("-0.00049", false), ("0.0005", true), ("-0.0005", true), ("20", true)]
        {
            assert_eq!(Format::is_change_shown(ratio.parse().unwrap()), is_shown, "{ratio}");
        }
        assert_eq!(format.change("-0.00049".parse().unwrap()), "0.0%");
        assert_eq!(format.difference(Unit::Score, "-0.004".parse().unwrap()), "0.00");
        assert!(!format.is_shown(Unit::Percent, "0.00004".parse().unwrap()));
        assert!(format.is_shown(Unit::Money, "-0.01".parse().unwrap()));
        assert_eq!(format.difference(Unit::Percent, "0.0021".parse().unwrap()), "+0.21 pp");
    }

    #[test]
    fn numbers_are_read_as_the_tenant_writes_them() {
        let check = |locale: &str, text: &str, expect: Option<&str>| {
            let expect = expect.map(|expect| expect.parse::<Decimal>().unwrap());
            assert_eq!(format(locale, "EUR").read(text), expect, "{locale} {text:?}");
        };
        check("en-US", "10,000", Some("10000"));
        check("en-US", " 10000.5 ", Some("10000.5"));
        check("en-US", "1,234,567.89", Some("1234567.89"));
        check("de-DE", "10.000", Some("10000"));
        check("de-DE", "4,5", Some("4.5"));
        check("fr-FR", "10 000,5", Some("10000.5"));
        for wrong in ["", "ten", "-5", "1,00", "10,0000", "1.2.3", ",5", "5.", "1e3", "10 000"] {
            check("en-US", wrong, None);
        }
        check("de-DE", "10,000.5", None);
    }

    #[test]
    fn dates_follow_the_locale_and_instants_the_zone() {
        let day: NaiveDate = "2026-11-03".parse().unwrap();
        assert_eq!(format("en-US", "USD").day(day), "Nov 3, 2026");
        assert_eq!(format("en-GB", "USD").day(day), "3 Nov 2026");
        let period = Period::new(day, "2026-11-30".parse().unwrap()).unwrap();
        assert_eq!(format("en-US", "USD").period(period), "Nov 3 – Nov 30, 2026");
        assert_eq!(format("en-GB", "USD").period(period), "3 Nov – 30 Nov 2026");
        let at: DateTime<Utc> = "2026-11-03T20:30:00Z".parse().unwrap();
        assert_eq!(format("en-US", "USD").instant(at), "Nov 4, 2026, 03:30 +07");
    }
}
