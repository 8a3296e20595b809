//! Cells in words: those of the page, so that both are equal to the last digit.

use chrono::{DateTime, Datelike, Utc};
use rtv_core::report::{Cell, Kind};
use rtv_domain::format::Format;

/// A cell of a column.
pub(super) fn cell(format: &Format, kind: Kind, cell: &Cell) -> String {
    match cell {
        Cell::Instant(at) => instant(format, *at),
        _ => format.cell(kind, cell),
    }
}

/// A moment in the report's zone; beyond the years that a calendar holds there is no zone.
pub(super) fn instant(format: &Format, at: DateTime<Utc>) -> String {
    if (1..=9_999).contains(&at.year()) { format.instant(at) } else { at.to_rfc3339() }
}
