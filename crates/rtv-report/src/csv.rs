//! A report's tables as CSV: one file for each table, and one for all of its single figures together.
//!
//! Files follow RFC 4180 (CR LF, quotes doubled) in UTF-8. Numbers are exact, with a point and no groups, days `YYYY-MM-DD`, times RFC 3339 in
//! UTC, weekdays their English names, hours 0 to 23. Nothing between two commas is a missing value, `""` an empty text. Every record has as many
//! fields as the header, in this order:
//!
//! 1. the header, the labels of the columns;
//! 2. the rows;
//! 3. where the table has totals, one record whose first field is [`TOTAL`]. A row may say that too, so what tells it from them is its
//!    place: it is the last one, the notice below aside;
//! 4. where rows are left out, one record with the sentence “Showing 20 of 4,812 rows.” and the address of the whole table in the first field, and
//!    nothing in the others.
//!
//! Neither of the last two has a date, a figure or an id where rows have one, so an import that takes them for rows refuses them by name.
//!
//! Text that a spreadsheet would run as a formula has an apostrophe before it, unless it is asked for raw, and the last label of the header
//! stands in quotes to say so: see [`rtv_import::formula`], which takes the apostrophes off again.

use std::borrow::Cow;
use std::io::{self, Write};

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Utc};
use rtv_core::kpi::Unit;
use rtv_core::report::{Cell, Column, Filled, FilledContent, Kind, Metric, Table};
use rtv_import::formula;
use rust_decimal::Decimal;

use crate::words::{grouped, showing, weekday};

/// First field of the totals, also where rows are left out: programs look for it, and the notice below says how many rows there are.
pub const TOTAL: &str = "Total";

/// Stands for NUL, which no program reads from a CSV file. PostgreSQL stores none, so only text from elsewhere can have one.
const NUL_SHOWN: char = '␀';

/// Places of replaced characters that a note names.
const NAMED_PLACES: usize = 5;

/// How much is gathered before it is written.
const BUFFER: usize = 64 * 1024;

/// A file of a report.
#[derive(Debug, Clone)]
pub struct Part<'a> {
    /// Its number in the report, from 1.
    pub number: usize,
    /// The block that it shows; `None` for the figures, which come from several.
    pub block: Option<u32>,
    /// Its heading.
    pub title: Cow<'a, str>,
    /// What it holds.
    pub table: Cow<'a, Table>,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Text stands as it is, also where a spreadsheet would run it.
    pub raw: bool,
    /// The file begins with a byte order mark, by which old spreadsheets know UTF-8.
    pub bom: bool,
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows, without the header, the totals and the notice.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// What the file could not hold as it is, in sentences.
    pub notes: Vec<String>,
}

/// The files of a report: the single figures first, then each chart and table in order.
pub fn parts(filled: &Filled) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let blocks = || filled.sections.iter().flat_map(|section| &section.blocks);
    let figures: Vec<(&str, &Metric)> = blocks()
        .filter_map(|block| match &block.content {
            FilledContent::Metric(metric) => Some((block.title.as_str(), metric)),
            _ => None,
        })
        .collect();
    if !figures.is_empty() {
        parts.push(Part {
            number: 1,
            block: None,
            title: "Figures".into(),
            table: Cow::Owned(figures_table(&figures)),
        });
    }
    for block in blocks() {
        if let FilledContent::Chart { table, .. } | FilledContent::Table(table) = &block.content {
            parts.push(Part {
                number: parts.len() + 1,
                block: Some(block.id),
                title: Cow::Borrowed(&block.title),
                table: Cow::Borrowed(table),
            });
        }
    }
    parts
}

/// All single figures as one table. Each row has a unit of its own, which stands in the last column.
fn figures_table(figures: &[(&str, &Metric)]) -> Table {
    let column = |key: &str, label: &str, kind| Column { key: key.into(), label: label.into(), kind };
    let number = |value: Option<Decimal>| value.map_or(Cell::Missing, Cell::Number);
    let rows: Vec<Vec<Cell>> = figures
        .iter()
        .map(|(title, metric)| {
            vec![
                Cell::Text(figure_name(title, metric)),
                number(metric.value),
                number(metric.previous),
                Cell::Text(unit_name(metric.unit).into()),
            ]
        })
        .collect();
    Table {
        columns: vec![
            column("figure", "Figure", Kind::Text),
            column("value", "Value", Kind::Number(Unit::Count)),
            column("previous", "Previous", Kind::Number(Unit::Count)),
            column("unit", "Unit", Kind::Text),
        ],
        of_rows: rows.len() as u64,
        rows,
        totals: None,
        whole: None,
        notes: Vec::new(),
    }
}

/// The heading of a figure, and what it measures where the heading does not say it.
pub(crate) fn figure_name(title: &str, metric: &Metric) -> String {
    if title.is_empty() || title == metric.label { metric.label.clone() } else { format!("{title} ({})", metric.label) }
}

/// What an exact value counts in: 0.125 of a share is 12.5 %.
pub(crate) const fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "count",
        Unit::Percent => "share",
        Unit::Score => "score",
        Unit::Money => "money",
        Unit::Multiple => "multiple",
    }
}

/// Writes a table. Equal tables and options give equal bytes.
pub fn write(out: impl Write, table: &Table, options: Options) -> io::Result<Written> {
    let mut file =
        File { out, buffer: Vec::with_capacity(BUFFER + 4096), bytes: 0, options, replaced: Replaced::default() };
    if options.bom {
        file.buffer.extend_from_slice("\u{FEFF}".as_bytes());
    }
    file.header(&table.columns);
    for (row, number) in table.rows.iter().zip(1..) {
        file.row(table, row, number);
        file.flush_at(BUFFER)?;
    }
    if let Some(totals) = &table.totals {
        file.totals(table, totals);
    }
    if table.is_cut() {
        let whole = table.whole.as_ref().map_or_else(String::new, |address| format!(" The whole table: {address}"));
        file.text(&format!("{}{whole}", showing(table)), 0, "the notice");
        file.buffer.extend(std::iter::repeat_n(b',', table.columns.len().saturating_sub(1)));
        file.end_record();
    }
    file.flush_at(0)?;
    file.out.flush()?;
    Ok(Written { rows: table.rows.len() as u64, bytes: file.bytes, notes: file.replaced.note().into_iter().collect() })
}

/// Where characters were replaced.
#[derive(Default)]
struct Replaced {
    cells: u64,
    places: Vec<String>,
}

impl Replaced {
    fn at(&mut self, row: u64, label: &str) {
        self.cells += 1;
        if self.places.len() < NAMED_PLACES {
            self.places.push(if row == 0 { label.to_owned() } else { format!("“{label}” of row {row}") });
        }
    }

    fn note(self) -> Option<String> {
        let more = match self.cells.saturating_sub(self.places.len() as u64) {
            0 => String::new(),
            more => format!(" and {} more", grouped(more)),
        };
        (self.cells > 0).then(|| {
            format!(
                "{NUL_SHOWN} stands for the character NUL, which no CSV file can hold, in {}{more}.",
                self.places.join(", ")
            )
        })
    }
}

/// A file that is being written.
struct File<W> {
    out: W,
    buffer: Vec<u8>,
    bytes: u64,
    options: Options,
    replaced: Replaced,
}

impl<W: Write> File<W> {
    /// Labels are RTV's own words; the last bare one is quoted where texts have guards.
    fn header(&mut self, columns: &[Column]) {
        let marked = if self.options.raw {
            None
        } else {
            formula::marked_label(columns.iter().map(|column| column.label.as_str()))
        };
        for (index, column) in columns.iter().enumerate() {
            self.separate(index);
            if formula::label_needs_quotes(&column.label) || marked == Some(index) {
                self.quoted(&column.label);
            } else {
                self.text(&column.label, 0, "the header");
            }
        }
        self.end_record();
    }

    fn row(&mut self, table: &Table, row: &[Cell], number: u64) {
        for (index, column) in table.columns.iter().enumerate() {
            self.separate(index);
            self.cell(column, row.get(index).unwrap_or(&Cell::Missing), number);
        }
        // A record of one field that holds nothing would be an empty line, which readers pass over.
        if table.columns.len() == 1 && matches!(row, [] | [Cell::Missing]) {
            self.buffer.extend_from_slice(b"\"\"");
        }
        self.end_record();
    }

    fn totals(&mut self, table: &Table, totals: &[Cell]) {
        for (index, column) in table.columns.iter().enumerate() {
            self.separate(index);
            if index == 0 && !column.kind.is_number() {
                self.buffer.extend_from_slice(TOTAL.as_bytes());
            } else {
                self.cell(column, totals.get(index).unwrap_or(&Cell::Missing), 0);
            }
        }
        self.end_record();
    }

    fn cell(&mut self, column: &Column, cell: &Cell, row: u64) {
        match cell {
            Cell::Missing => {}
            Cell::Text(text) => self.text(text, row, &column.label),
            Cell::Day(day) => self.day(*day),
            Cell::Instant(at) => self.instant(*at),
            Cell::Ordinal(number) => match (column.kind, weekday(*number)) {
                (Kind::Weekday, Some(name)) => self.buffer.extend_from_slice(name.as_bytes()),
                _ => self.digits(u128::from(*number)),
            },
            Cell::Number(value) => self.number(*value),
        }
    }

    fn text(&mut self, text: &str, row: u64, label: &str) {
        let mut text = Cow::Borrowed(text);
        if text.contains('\0') {
            self.replaced.at(row, label);
            text = Cow::Owned(text.replace('\0', &NUL_SHOWN.to_string()));
        }
        let is_guarded = !self.options.raw && formula::looks_like_formula(&text);
        let needs_quotes = text.is_empty()
            || text.starts_with(char::is_whitespace)
            || text.ends_with(char::is_whitespace)
            || text.bytes().any(|byte| matches!(byte, b'"' | b',' | b';' | b'\t' | b'\r' | b'\n'));
        if needs_quotes {
            self.buffer.push(b'"');
            if is_guarded {
                self.buffer.push(b'\'');
            }
            self.doubled(&text);
            self.buffer.push(b'"');
        } else {
            if is_guarded {
                self.buffer.push(b'\'');
            }
            self.buffer.extend_from_slice(text.as_bytes());
        }
    }

    fn quoted(&mut self, text: &str) {
        self.buffer.push(b'"');
        self.doubled(text);
        self.buffer.push(b'"');
    }

    fn doubled(&mut self, text: &str) {
        let mut pieces = text.split('"');
        if let Some(first) = pieces.next() {
            self.buffer.extend_from_slice(first.as_bytes());
        }
        for piece in pieces {
            self.buffer.extend_from_slice(b"\"\"");
            self.buffer.extend_from_slice(piece.as_bytes());
        }
    }

    fn day(&mut self, day: NaiveDate) {
        let Ok(year @ 0..=9999) = u32::try_from(day.year()) else {
            self.buffer.extend_from_slice(day.to_string().as_bytes());
            return;
        };
        let digit = |number: u32| b'0' + u8::try_from(number % 10).unwrap_or(0);
        let (month, day) = (day.month(), day.day());
        self.buffer.extend_from_slice(&[
            digit(year / 1000),
            digit(year / 100),
            digit(year / 10),
            digit(year),
            b'-',
            digit(month / 10),
            digit(month),
            b'-',
            digit(day / 10),
            digit(day),
        ]);
    }

    fn instant(&mut self, at: DateTime<Utc>) {
        self.buffer.extend_from_slice(at.to_rfc3339_opts(SecondsFormat::AutoSi, true).as_bytes());
    }

    /// As it displays itself, every digit of it; written by hand because most of a file are figures.
    fn number(&mut self, value: Decimal) {
        let (mantissa, scale) = (value.mantissa(), value.scale());
        if mantissa < 0 {
            self.buffer.push(b'-');
        }
        let size = mantissa.unsigned_abs();
        if scale == 0 {
            self.digits(size);
            return;
        }
        let unit = 10_u128.pow(scale);
        self.digits(size / unit);
        self.buffer.push(b'.');
        let mut fraction = [b'0'; 28];
        let places = fraction.len().min(scale as usize);
        let mut rest = size % unit;
        for place in fraction[..places].iter_mut().rev() {
            *place += u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
        self.buffer.extend_from_slice(&fraction[..places]);
    }

    fn digits(&mut self, number: u128) {
        let mut written = [0_u8; 39];
        let mut at = written.len();
        // Nearly all fit into a machine word, whose division is many times quicker.
        let mut large = number;
        while u64::try_from(large).is_err() {
            at -= 1;
            written[at] = b'0' + u8::try_from(large % 10).unwrap_or(0);
            large /= 10;
        }
        let mut small = u64::try_from(large).unwrap_or(0);
        loop {
            at -= 1;
            written[at] = b'0' + u8::try_from(small % 10).unwrap_or(0);
            small /= 10;
            if small == 0 {
                break;
            }
        }
        self.buffer.extend_from_slice(&written[at..]);
    }

    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.buffer.push(b',');
        }
    }

    fn end_record(&mut self) {
        self.buffer.extend_from_slice(b"\r\n");
    }

    fn flush_at(&mut self, most: usize) -> io::Result<()> {
        if self.buffer.len() > most {
            self.out.write_all(&self.buffer)?;
            self.bytes += self.buffer.len() as u64;
            self.buffer.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn column(label: &str, kind: Kind) -> Column {
        Column { key: label.to_lowercase(), label: label.into(), kind }
    }

    fn table(columns: Vec<Column>, rows: Vec<Vec<Cell>>) -> Table {
        Table { columns, of_rows: rows.len() as u64, rows, totals: None, whole: None, notes: Vec::new() }
    }

    fn written(table: &Table, options: Options) -> (String, Written) {
        let mut out = Vec::new();
        let written = write(&mut out, table, options).unwrap();
        assert_eq!(written.bytes, out.len() as u64);
        (String::from_utf8(out).unwrap(), written)
    }

    fn cell(kind: Kind, cell: Cell, raw: bool) -> String {
        let table =
            table(vec![column("One", kind), column("Two", Kind::Text)], vec![vec![cell, Cell::Text("x".into())]]);
        let (text, _) = written(&table, Options { raw, bom: false });
        let row = text.split_once("\r\n").unwrap().1;
        row.strip_suffix(",x\r\n").unwrap().to_owned()
    }

    #[test]
    fn each_kind_of_value_has_one_form() {
        let number = |text: &str| Cell::Number(text.parse().unwrap());
        let check = |kind, value: Cell, expect: &str| assert_eq!(cell(kind, value, false), expect);
        let count = Kind::Number(Unit::Count);
        check(count, number("0"), "0");
        check(count, number("-5"), "-5");
        check(count, number("1250.50"), "1250.50");
        check(count, number("-0.007"), "-0.007");
        check(count, number("0.0000000000000000000000000001"), "0.0000000000000000000000000001");
        check(count, Cell::Number(Decimal::MAX), "79228162514264337593543950335");
        check(count, Cell::Number(Decimal::MIN), "-79228162514264337593543950335");
        check(count, Cell::Missing, "");
        check(Kind::Text, Cell::Text(String::new()), "\"\"");
        check(Kind::Text, Cell::Text("a \"b\", c".into()), "\"a \"\"b\"\", c\"");
        check(Kind::Text, Cell::Text(" a".into()), "\" a\"");
        check(Kind::Day, Cell::Day(NaiveDate::from_ymd_opt(2026, 3, 1).unwrap()), "2026-03-01");
        check(Kind::Day, Cell::Day(NaiveDate::from_ymd_opt(12026, 3, 1).unwrap()), "+12026-03-01");
        check(
            Kind::Instant,
            Cell::Instant(DateTime::from_timestamp(1_772_357_400, 0).unwrap()),
            "2026-03-01T09:30:00Z",
        );
        check(Kind::Weekday, Cell::Ordinal(0), "Monday");
        check(Kind::Weekday, Cell::Ordinal(6), "Sunday");
        check(Kind::Hour, Cell::Ordinal(0), "0");
        check(Kind::Hour, Cell::Ordinal(23), "23");
    }

    #[test]
    fn a_text_that_would_run_is_guarded_unless_it_is_asked_for_raw() {
        let check = |text: &str, guarded: &str, raw: &str| {
            assert_eq!(cell(Kind::Text, Cell::Text(text.into()), false), guarded);
            assert_eq!(cell(Kind::Text, Cell::Text(text.into()), true), raw);
        };
        check("=1+1", "'=1+1", "=1+1");
        check("-5", "'-5", "-5");
        check("＝1", "'＝1", "＝1");
        check("'=1", "''=1", "'=1");
        check("'tis", "'tis", "'tis");
        check(" =1", "\"' =1\"", "\" =1\"");
        check("=a,\"b\"", "\"'=a,\"\"b\"\"\"", "\"=a,\"\"b\"\"\"");
    }

    #[test]
    fn the_header_says_whether_there_are_guards() {
        let columns = vec![
            column("Day", Kind::Day),
            column("Reach", Kind::Number(Unit::Count)),
            column("Reach, previous", Kind::Number(Unit::Count)),
        ];
        let table = table(columns, Vec::new());
        assert_eq!(written(&table, Options::default()).0, "Day,\"Reach\",\"Reach, previous\"\r\n");
        let raw = Options { raw: true, bom: true };
        assert_eq!(written(&table, raw).0, "\u{FEFF}Day,Reach,\"Reach, previous\"\r\n");
    }

    #[test]
    fn totals_and_the_notice_keep_the_table_rectangular() {
        let count = |number: i64| Cell::Number(number.into());
        let mut table = table(
            vec![
                column("Platform", Kind::Text),
                column("Reach", Kind::Number(Unit::Count)),
                column("Clicks", Kind::Number(Unit::Count)),
            ],
            vec![vec![Cell::Text("x".into()), count(3), Cell::Missing]],
        );
        table.totals = Some(vec![Cell::Missing, count(9000), count(7)]);
        table.of_rows = 4_812;
        table.whole = Some("https://rtv.example/t/a/reports/1".into());
        let (text, result) = written(&table, Options { raw: true, bom: false });
        assert_eq!(
            text,
            "Platform,Reach,Clicks\r\nx,3,\r\nTotal,9000,7\r\n\
             \"Showing 1 of 4,812 rows. The whole table: https://rtv.example/t/a/reports/1\",,\r\n"
        );
        assert_eq!((result.rows, result.notes), (1, vec![]));
    }

    #[test]
    fn a_row_of_nothing_is_no_empty_line() {
        let table = table(vec![column("One", Kind::Text)], vec![vec![Cell::Missing]]);
        assert_eq!(written(&table, Options { raw: true, bom: false }).0, "One\r\n\"\"\r\n");
    }

    #[test]
    fn nul_is_shown_and_said() {
        let columns = vec![column("Post", Kind::Text), column("Reach", Kind::Number(Unit::Count))];
        let rows = (0..7).map(|_| vec![Cell::Text("a\0b".into()), Cell::Missing]).collect();
        let (text, result) = written(&table(columns, rows), Options { raw: true, bom: false });
        assert!(text.starts_with("Post,Reach\r\na␀b,\r\n"), "{text}");
        assert_eq!(
            result.notes,
            [
                "␀ stands for the character NUL, which no CSV file can hold, in “Post” of row 1, “Post” of row 2, “Post” of row 3, \
                 “Post” of row 4, “Post” of row 5 and 2 more."
            ]
        );
    }

    proptest! {
        #[test]
        fn a_number_is_written_as_it_displays_itself(mantissa in any::<i128>(), scale in 0u32..=28) {
            let value = Decimal::from_i128_with_scale(mantissa >> 33, scale);
            prop_assert_eq!(cell(Kind::Number(Unit::Count), Cell::Number(value), false), value.to_string());
        }
    }
}
