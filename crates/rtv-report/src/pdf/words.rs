//! Cells in words. A figure is written as [`Format::exact`] writes it, so it is equal to the page's to the last digit.

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use rtv_core::kpi::Unit;
use rtv_core::period::Period;
use rtv_core::report::{Cell, Kind};
use rtv_domain::format::{Format, MISSING, machine};
use rust_decimal::Decimal;

/// A cell of a column.
pub(super) fn cell(format: &Format, kind: Kind, cell: &Cell) -> String {
    match (cell, kind) {
        (Cell::Missing, _) => MISSING.to_owned(),
        (Cell::Text(text), _) => text.clone(),
        (Cell::Day(first), Kind::Week) => week(format, *first),
        (Cell::Day(first), Kind::Month) => format.month(*first),
        (Cell::Day(day), _) => format.day(*day),
        (Cell::Instant(at), _) => instant(format, *at),
        (Cell::Ordinal(day), Kind::Weekday) => weekday(format, *day),
        (Cell::Ordinal(hour), Kind::Hour) => format!("{hour:02}:00"),
        (Cell::Ordinal(number), _) => number.to_string(),
        (Cell::Number(value), Kind::Number(unit)) => exact(format, unit, *value),
        (Cell::Number(value), _) => machine(*value),
    }
}

/// A figure with all its digits. One that is too large to be a percentage is written without the percent.
pub(super) fn exact(format: &Format, unit: Unit, value: Decimal) -> String {
    if unit == Unit::Percent && value.checked_mul(Decimal::ONE_HUNDRED).is_none() {
        return machine(value);
    }
    format.exact(unit, value)
}

/// A moment in the report's zone; beyond the years that a calendar holds there is no zone.
pub(super) fn instant(format: &Format, at: DateTime<Utc>) -> String {
    if (1..=9_999).contains(&at.year()) { format.instant(at) } else { at.to_rfc3339() }
}

/// A week from its first to its last day.
fn week(format: &Format, first: NaiveDate) -> String {
    first
        .checked_add_days(Days::new(6))
        .and_then(|last| Period::new(first, last).ok())
        .map_or_else(|| format.day(first), |week| format.period(week))
}

fn weekday(format: &Format, since_monday: u8) -> String {
    // The first of January 2024 was a Monday.
    NaiveDate::from_ymd_opt(2024, 1, 1)
        .and_then(|monday| monday.checked_add_days(Days::new(u64::from(since_monday % 7))))
        .map_or_else(|| since_monday.to_string(), |day| format.weekday(day).1)
}
