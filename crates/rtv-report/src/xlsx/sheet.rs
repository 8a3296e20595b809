//! One table on a sheet: header, rows, totals, what was left out. Rows are written downwards and never looked at again, because the sheet is
//! kept in a file and not in memory; so the columns' widths are measured before.

use std::ops::Range;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use rtv_core::kpi::Unit;
use rtv_core::report::{Cell, Column, Kind, Table};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Worksheet, XlsxError};

use super::text::{Losses, fit};
use crate::words::{grouped, showing, weekday};

/// Widest column of texts, in digits of the standard font.
const WIDEST: usize = 60;

/// Narrowest column.
const NARROWEST: usize = 9;

/// What the arrow of a filter takes of a header.
const ARROW: usize = 4;

/// First day whose number Excel and everybody else agree on: before it Excel counts a 29 February 1900.
const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(1900, 3, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// Last day that Excel knows.
const LAST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// The day from which Excel counts.
const DAY_ZERO: NaiveDate = match NaiveDate::from_ymd_opt(1899, 12, 30) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// Digits of a number that Excel keeps.
const KEPT_DIGITS: u32 = 15;

/// Decimal places that a division by a power of ten gives exactly rounded in binary.
const EXACT_SCALE: u32 = 22;

/// How values look.
pub(super) struct Look {
    /// Code of the tenant's currency.
    pub(super) currency: String,
    /// Zone of times.
    pub(super) zone: Tz,
}

/// A part of a table on its sheet.
pub(super) struct Placed<'a> {
    /// The whole table.
    pub(super) table: &'a Table,
    /// The rows that stand on this sheet.
    pub(super) rows: Range<usize>,
    /// Cells beside it that a chart is drawn from.
    pub(super) beside: Option<&'a Table>,
}

impl Look {
    /// How cells of a column look. Texts are marked as such, so that a cell which is edited stays the text that it is.
    pub(super) fn of(&self, kind: Kind) -> Format {
        let format = Format::new();
        match kind {
            Kind::Text | Kind::Weekday => format.set_quote_prefix(),
            Kind::Day | Kind::Week => format.set_num_format("yyyy-mm-dd").set_align(FormatAlign::Left),
            Kind::Month => format.set_num_format("mmm yyyy").set_align(FormatAlign::Left),
            Kind::Instant => format.set_num_format("yyyy-mm-dd hh:mm").set_align(FormatAlign::Left),
            Kind::Hour => format.set_num_format("0"),
            Kind::Number(unit) => format.set_num_format(self.number(unit)),
        }
    }

    /// Excel's pattern of a unit. Excel writes marks and groups as its reader does; the currency is named by its code, which none mistakes.
    fn number(&self, unit: Unit) -> String {
        match unit {
            Unit::Count => "#,##0".into(),
            Unit::Percent => "0.00%".into(),
            Unit::Score => "0.00".into(),
            Unit::Money => format!("[${}] #,##0.00", self.currency),
            Unit::Multiple => "0.00\"×\"".into(),
        }
    }

    /// How a column's totals look.
    fn totals(&self, kind: Kind) -> Format {
        self.of(kind).set_bold().set_border_top(FormatBorder::Thin)
    }

    /// How headers look.
    pub(super) fn header(kind: Kind) -> Format {
        let format = Format::new().set_bold().set_quote_prefix().set_border_bottom(FormatBorder::Thin);
        if kind.is_number() { format.set_align(FormatAlign::Right) } else { format }
    }

    /// What stands above a column.
    pub(super) fn label(&self, column: &Column) -> String {
        match column.kind {
            Kind::Instant => format!("{} ({})", column.label, self.zone),
            _ => column.label.clone(),
        }
    }
}

/// Writes the part; below the last one stands what was left out.
pub(super) fn write(
    sheet: &mut Worksheet,
    placed: &Placed<'_>,
    look: &Look,
    losses: &mut Losses,
) -> Result<(), XlsxError> {
    let table = placed.table;
    let aside = aside_at(table);
    prepare_columns(sheet, table, 0, look)?;
    write_header(sheet, table, 0, look, losses)?;
    if let Some(beside) = placed.beside {
        prepare_columns(sheet, beside, aside, look)?;
        write_header(sheet, beside, aside, look, losses)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    for_print(sheet).set_landscape().set_repeat_rows(0, 0)?;
    let rows = &table.rows[placed.rows.clone()];
    let last_filtered = row_number(rows.len());
    if let Some(last) = table.columns.len().checked_sub(1) {
        sheet.autofilter(0, 0, last_filtered, column_number(last))?;
    }

    let is_end = placed.rows.end == table.rows.len();
    let totals = table.totals.as_ref().filter(|_| is_end);
    let formats: Vec<Format> = table.columns.iter().map(|column| look.totals(column.kind)).collect();
    let beside = placed.beside.map_or(&[][..], |beside| &beside.rows);
    let height = (rows.len() + usize::from(totals.is_some())).max(beside.len());
    for index in 0..height {
        let row = row_number(index + 1);
        if let Some(cells) = rows.get(index) {
            write_row(sheet, row, 0, &table.columns, cells, look, losses)?;
        } else if let Some(totals) = totals.filter(|_| index == rows.len()) {
            write_totals(sheet, row, table, totals, &formats, look, losses)?;
        }
        if let (Some(cells), Some(beside)) = (beside.get(index), placed.beside) {
            write_row(sheet, row, aside, &beside.columns, cells, look, losses)?;
        }
    }
    if is_end { write_below(sheet, row_number(height + 2), table, losses) } else { Ok(()) }
}

/// On paper a sheet is as wide as a page of A4, so no column is lost.
pub(super) fn for_print(sheet: &mut Worksheet) -> &mut Worksheet {
    const A4: u8 = 9;
    sheet.set_paper_size(A4).set_print_fit_to_pages(1, 0)
}

/// The column in which what stands beside a table begins: one is left free.
pub(super) fn aside_at(table: &Table) -> u16 {
    column_number(table.columns.len() + 1)
}

/// Rows that stand below the last row of a table: totals, an empty one, the notice with its link, remarks.
pub(super) fn rows_below(table: &Table) -> usize {
    table.notes.len() + 4
}

/// Says what was left out, and the table's remarks.
fn write_below(sheet: &mut Worksheet, mut row: u32, table: &Table, losses: &mut Losses) -> Result<(), XlsxError> {
    if table.is_cut() {
        sheet.write_string_with_format(row, 0, showing(table), &Format::new().set_bold())?;
        row += 1;
        if let Some(whole) = &table.whole {
            write_address(sheet, row, 0, whole, "The whole table", losses)?;
            row += 1;
        }
    }
    for note in &table.notes {
        sheet.write_string_with_format(row, 0, fit(note, losses), &Format::new().set_quote_prefix())?;
        row += 1;
    }
    Ok(())
}

/// An address as a link where it is one that Excel follows, else as text.
pub(super) fn write_address(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    address: &str,
    words: &str,
    losses: &mut Losses,
) -> Result<(), XlsxError> {
    // Excel takes 2,080 characters; escaping makes an address longer.
    if (address.starts_with("https://") || address.starts_with("http://")) && address.len() < 650 {
        sheet.write_url_with_text(row, column, address, words)?;
    } else {
        let text = format!("{words}: {address}");
        sheet.write_string_with_format(row, column, fit(&text, losses), &Format::new().set_quote_prefix())?;
    }
    Ok(())
}

fn prepare_columns(sheet: &mut Worksheet, table: &Table, first: u16, look: &Look) -> Result<(), XlsxError> {
    for (index, column) in table.columns.iter().enumerate() {
        let number = first + column_number(index);
        sheet.set_column_format(number, &look.of(column.kind))?;
        let cells = table.rows.iter().chain(&table.totals).filter_map(|row| row.get(index));
        let total = table.totals.as_ref().filter(|_| index == 0 && !column.kind.is_number());
        let total = total.map(|_| text_width(&table.total_label(&grouped)));
        let widest = cells.map(|cell| width(column.kind, cell, look)).chain(total).max().unwrap_or(0);
        let header = text_width(&look.label(column)) + ARROW;
        sheet.set_column_width(
            number,
            f64::from(u32::try_from(widest.max(header).clamp(NARROWEST, WIDEST)).unwrap_or(0) + 1),
        )?;
    }
    Ok(())
}

fn write_header(
    sheet: &mut Worksheet,
    table: &Table,
    first: u16,
    look: &Look,
    losses: &mut Losses,
) -> Result<(), XlsxError> {
    for (index, column) in table.columns.iter().enumerate() {
        let label = look.label(column);
        sheet.write_string_with_format(
            0,
            first + column_number(index),
            fit(&label, losses),
            &Look::header(column.kind),
        )?;
    }
    Ok(())
}

fn write_row(
    sheet: &mut Worksheet,
    row: u32,
    first: u16,
    columns: &[Column],
    cells: &[Cell],
    look: &Look,
    losses: &mut Losses,
) -> Result<(), XlsxError> {
    for (index, (column, cell)) in columns.iter().zip(cells).enumerate() {
        let at = first + column_number(index);
        match Value::of(column.kind, cell, look, losses) {
            Value::Nothing => {}
            Value::Text(text) => {
                sheet.write_string(row, at, text)?;
            }
            Value::Number(number) => {
                sheet.write_number(row, at, number)?;
            }
        }
    }
    Ok(())
}

fn write_totals(
    sheet: &mut Worksheet,
    row: u32,
    table: &Table,
    totals: &[Cell],
    formats: &[Format],
    look: &Look,
    losses: &mut Losses,
) -> Result<(), XlsxError> {
    for (index, (column, format)) in table.columns.iter().zip(formats).enumerate() {
        let at = column_number(index);
        let cell = totals.get(index).unwrap_or(&Cell::Missing);
        if index == 0 && !column.kind.is_number() {
            sheet.write_string_with_format(row, at, table.total_label(&grouped), format)?;
            continue;
        }
        match Value::of(column.kind, cell, look, losses) {
            Value::Nothing => sheet.write_blank(row, at, format)?,
            Value::Text(text) => sheet.write_string_with_format(row, at, text, format)?,
            Value::Number(number) => sheet.write_number_with_format(row, at, number, format)?,
        };
    }
    Ok(())
}

/// What Excel is given for a cell.
enum Value {
    Nothing,
    Text(String),
    Number(f64),
}

impl Value {
    fn of(kind: Kind, cell: &Cell, look: &Look, losses: &mut Losses) -> Self {
        match cell {
            Cell::Missing => Self::Nothing,
            Cell::Text(text) => Self::Text(fit(text, losses).into_owned()),
            Cell::Day(day) => match serial(day.and_time(NaiveTime::MIN)) {
                Some(number) => Self::Number(number),
                None => Self::Text(day.to_string()),
            },
            Cell::Instant(at) => {
                let local = local(*at, look.zone);
                match serial(local) {
                    Some(number) => Self::Number(number),
                    None => Self::Text(local.to_string()),
                }
            }
            Cell::Ordinal(number) => match (kind, weekday(*number)) {
                (Kind::Weekday, Some(name)) => Self::Text(name.into()),
                _ => Self::Number(f64::from(*number)),
            },
            Cell::Number(value) => Self::Number(binary(*value, losses)),
        }
    }
}

fn local(at: DateTime<Utc>, zone: Tz) -> NaiveDateTime {
    at.with_timezone(&zone).naive_local()
}

/// Excel's number of a moment: days, and the part of a day to the millisecond. `None` outside of what it knows.
fn serial(at: NaiveDateTime) -> Option<f64> {
    if !(FIRST_DAY..=LAST_DAY).contains(&at.date()) {
        return None;
    }
    let milliseconds = (at - DAY_ZERO.and_time(NaiveTime::MIN)).num_milliseconds();
    Some(milliseconds.to_f64()? / 86_400_000.0)
}

/// The nearest number that Excel can hold.
pub(super) fn binary(value: Decimal, losses: &mut Losses) -> f64 {
    let mantissa = value.mantissa();
    if digits(mantissa.unsigned_abs()) > KEPT_DIGITS {
        losses.rounded += 1;
    } else if value.scale() <= EXACT_SCALE
        && let Some(mantissa) = mantissa.to_f64().filter(|mantissa| mantissa.abs() < 1e15)
    {
        // Both are exact, so this rounds once.
        return mantissa / POWERS[value.scale() as usize];
    }
    value.to_string().parse().unwrap_or(f64::NAN)
}

/// How many digits there are without the zeros at the end; 0 where they are few enough for certain.
fn digits(mut size: u128) -> u32 {
    // Nearly all figures are short, and dividing is slow.
    if size < 1_000_000_000_000_000 {
        return 0;
    }
    while size.is_multiple_of(10) {
        size /= 10;
    }
    size.ilog10() + 1
}

/// Powers of ten that are exact in binary.
const POWERS: [f64; EXACT_SCALE as usize + 1] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// About how many digits wide a cell is.
fn width(kind: Kind, cell: &Cell, look: &Look) -> usize {
    match cell {
        Cell::Missing => 0,
        Cell::Text(text) => text_width(text),
        Cell::Day(_) => 10,
        Cell::Instant(_) => 16,
        Cell::Ordinal(_) => NARROWEST,
        Cell::Number(value) => {
            let mut whole = value.mantissa().unsigned_abs() / 10_u128.pow(value.scale());
            let mut digits = 2;
            while whole >= 10 {
                whole /= 10;
                digits += 1;
            }
            let unit = match kind {
                Kind::Number(Unit::Percent) => 6,
                Kind::Number(Unit::Money) => 4 + look.currency.len(),
                Kind::Number(Unit::Score | Unit::Multiple) => 4,
                _ => 0,
            };
            digits + digits / 3 + unit
        }
    }
}

/// About how many digits wide the longest line of a text is; no more is looked at than the widest column shows.
fn text_width(text: &str) -> usize {
    let (mut widest, mut line) = (0, 0);
    for character in text.chars() {
        line += match character {
            '\n' => {
                line = 0;
                continue;
            }
            // From Hangul on, letters are mostly twice as wide.
            '\u{1100}'.. => 2,
            _ => 1,
        };
        widest = widest.max(line);
        if widest >= WIDEST {
            break;
        }
    }
    widest
}

/// A sheet's own limit keeps both in range.
pub(super) fn row_number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

pub(super) fn column_number(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn moments_are_numbers_of_days_in_the_zone_of_the_report() {
        let check = |zone: Tz, time: &str, expect: Option<f64>| {
            let at = time.parse::<DateTime<Utc>>().unwrap();
            assert_eq!(serial(local(at, zone)), expect, "{time}");
        };
        check(Tz::UTC, "2026-03-01T00:00:00Z", Some(46_082.0));
        check(Tz::UTC, "2026-03-01T12:00:00Z", Some(46_082.5));
        check(Tz::Asia__Bangkok, "2026-02-28T17:00:00Z", Some(46_082.0));
        check(Tz::UTC, "1900-03-01T00:00:00Z", Some(61.0));
        check(Tz::UTC, "1900-02-28T00:00:00Z", None);
        check(Tz::UTC, "+10000-01-01T00:00:00Z", None);
        // An hour that a change of clocks repeats has the same local time twice.
        let twice = |hour| local(Utc.with_ymd_and_hms(2026, 10, 25, hour, 30, 0).unwrap(), Tz::Europe__Berlin);
        assert_eq!(twice(0), twice(1));
    }

    #[test]
    fn a_figure_with_more_digits_than_excel_keeps_is_counted() {
        let mut losses = Losses::default();
        let mut check = |text: &str, expect: f64| {
            assert_eq!(binary(text.parse().unwrap(), &mut losses).to_bits(), expect.to_bits(), "{text}");
            losses.rounded
        };
        assert_eq!(check("0.1", 0.1), 0);
        assert_eq!(check("-1250.50", -1250.5), 0);
        assert_eq!(check("999999999999999", 999_999_999_999_999.0), 0);
        assert_eq!(check("0.0000000000000000000000000001", 1e-28), 0);
        assert_eq!(check("1000000000000000.0000", 1e15), 0);
        assert_eq!(check("1234567890123456", 1_234_567_890_123_456.0), 1);
        assert_eq!(check("0.3333333333333333333333333333", 1.0 / 3.0), 2);
    }

    proptest! {
        #[test]
        fn a_figure_becomes_the_nearest_binary_number(mantissa in -999_999_999_999_999i64..=999_999_999_999_999, scale in 0u32..=28) {
            let value = Decimal::from_i128_with_scale(mantissa.into(), scale);
            let nearest: f64 = value.to_string().parse().unwrap();
            let mut losses = Losses::default();
            prop_assert!((binary(value, &mut losses) - nearest).abs() == 0.0);
            prop_assert_eq!(losses.rounded, 0);
        }
    }
}
