//! A report as a workbook: a sheet that says what it is, then one for each table and chart, and one for all single figures.
//!
//! Figures, days and times are numbers with a format, never text; times stand in the report's zone, which their header names. What people
//! wrote is always a string: nothing of it becomes a formula or a link, and editing such a cell does not run it. What a workbook cannot hold
//! (more rows than a sheet has, long texts, control characters, more than 15 digits) is split, cut or replaced, and the first sheet says so.
//! Equal reports give equal bytes.

use std::io::Write;
use std::ops::Range;

use rtv_core::report::{ChartKind, Filled, FilledBlock, FilledContent, Kind, Metric, Table};
use rtv_domain::format::Format;
use rust_xlsxwriter::{DocProperties, FormatAlign, Workbook, Worksheet, XlsxError};

use crate::csv::{figure_name, unit_name};
use crate::words::{counted, showing};
use chart::Cells;
use sheet::{Look, Placed};
use text::{Losses, Names, fit};

mod chart;
mod sheet;
mod text;

/// Rows of a sheet, the header included.
const ROWS: usize = 1_048_576;

/// Up to so many rows a chart's cells are kept in memory, so that the file holds the drawn values and a viewer that computes nothing shows them.
const DRAWN_ROWS: usize = 5_000;

/// A workbook could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the workbook could not be written: {0}")]
pub struct Error(#[from] XlsxError);

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// What the workbook could not hold as it is, in sentences; they stand on its first sheet too.
    pub notes: Vec<String>,
    /// Names of the sheets in order.
    pub sheets: Vec<String>,
    /// Rows of all tables, without headers and totals.
    pub rows: u64,
}

/// Writes the workbook. Tables lie in temporary files until it is put together, so memory does not grow with them.
pub fn write<W: Write + Send>(filled: &Filled, format: &Format, out: &mut W) -> Result<Written, Error> {
    write_within(filled, format, out, ROWS)
}

/// A table on its sheets.
struct Planned<'a> {
    block: &'a FilledBlock,
    kind: Option<ChartKind>,
    table: &'a Table,
    sheets: Vec<(String, Range<usize>)>,
}

fn write_within<W: Write + Send>(
    filled: &Filled,
    format: &Format,
    out: &mut W,
    most_rows: usize,
) -> Result<Written, Error> {
    let look = Look { currency: format.currency().to_owned(), zone: filled.zone };
    let mut names = Names::default();
    let report = names.take("Report");
    let figures: Vec<(&str, &Metric)> = blocks(filled)
        .filter_map(|block| match &block.content {
            FilledContent::Metric(metric) => Some((block.title.as_str(), metric)),
            _ => None,
        })
        .collect();
    let figures_sheet = (!figures.is_empty()).then(|| names.take("Figures"));
    let planned = plan(filled, most_rows, &mut names);

    let mut written = Written { sheets: vec![report.clone()], ..Written::default() };
    let mut workbook = Workbook::new();
    workbook.set_properties(&properties(filled));
    workbook.add_worksheet().set_name(&report)?;
    if let Some(name) = &figures_sheet {
        let mut losses = Losses::default();
        write_figures(workbook.add_worksheet().set_name(name)?, &figures, &look, &mut losses)?;
        written.sheets.push(name.clone());
        written.notes.extend(losses.notes().into_iter().map(|note| format!("“{name}”: {note}")));
    }
    for one in &planned {
        write_table(&mut workbook, one, &look, &mut written)?;
    }
    let sheet = workbook.worksheet_from_index(0)?;
    write_report(sheet, filled, format, figures_sheet.as_deref(), &planned, &mut written)?;
    workbook.save_to_writer(out)?;
    Ok(written)
}

fn blocks(filled: &Filled) -> impl Iterator<Item = &FilledBlock> {
    filled.sections.iter().flat_map(|section| &section.blocks)
}

/// Excel shows them with the file. The time is the report's, so that the same report is the same file.
fn properties(filled: &Filled) -> DocProperties {
    let clean = |text: &str| fit(text, &mut Losses::default()).into_owned();
    DocProperties::new()
        .set_title(clean(&filled.name))
        .set_company(clean(&filled.tenant))
        .set_comment(clean(&filled.description))
        .set_creation_datetime(&filled.made_at)
}

/// Names the sheets and gives each its rows.
fn plan<'a>(filled: &'a Filled, most_rows: usize, names: &mut Names) -> Vec<Planned<'a>> {
    blocks(filled)
        .filter_map(|block| {
            let (kind, table) = match &block.content {
                FilledContent::Chart { kind, table } => (Some(*kind), table),
                FilledContent::Table(table) => (None, table),
                FilledContent::Text(_) | FilledContent::Metric(_) | FilledContent::Refused(_) => return None,
            };
            let room = most_rows.saturating_sub(1 + sheet::rows_below(table)).max(1);
            let mut sheets = Vec::new();
            let mut start = 0;
            while start < table.rows.len() || sheets.is_empty() {
                let end = table.rows.len().min(start + room);
                sheets.push((names.take(&block.title), start..end));
                start = end;
            }
            Some(Planned { block, kind, table, sheets })
        })
        .collect()
}

fn write_table(
    workbook: &mut Workbook,
    planned: &Planned<'_>,
    look: &Look,
    written: &mut Written,
) -> Result<(), XlsxError> {
    let Planned { block, kind, table, sheets } = planned;
    let mut losses = Losses::default();
    let title = fit(&block.title, &mut Losses::default()).into_owned();
    let mut notes: Vec<String> = Vec::new();
    // Excel draws a chart from one sheet.
    let kind = kind.filter(|_| sheets.len() == 1);
    let shares = kind.and_then(|kind| chart::shares(kind, table, &look.currency));
    let beside = kind.and_then(|kind| chart::beside(kind, table, shares.as_ref()));
    let drawn = beside.as_ref().unwrap_or(table);
    let left_out = kind.and_then(|kind| chart::left_out(kind, table, drawn, shares.as_ref()));
    notes.extend(left_out.iter().map(|left_out| format!("The chart of “{title}”: {left_out}")));
    for (name, rows) in sheets {
        let sheet = if kind.is_some() && table.rows.len() <= DRAWN_ROWS {
            workbook.add_worksheet()
        } else {
            workbook.add_worksheet_with_constant_memory()?
        };
        sheet.set_name(name)?;
        let cells = beside.as_ref().map_or(Cells { sheet: name, table, first: 0 }, |beside| Cells {
            sheet: name,
            table: beside,
            first: sheet::aside_at(table),
        });
        if kind.is_some_and(|kind| kind != ChartKind::HeatMap) {
            let bold = rust_xlsxwriter::Format::new().set_bold().set_quote_prefix();
            let said = left_out.as_ref().map_or_else(|| title.clone(), |left_out| format!("{title}: {left_out}"));
            // It may name what people have written.
            let said = fit(&said, &mut losses);
            sheet.write_string_with_format(0, chart::title_at(&cells), said, &bold)?;
        }
        let placed = Placed { table, rows: rows.clone(), beside: beside.as_ref() };
        sheet::write(sheet, &placed, look, &mut losses)?;
        if let Some(kind) = kind {
            notes.extend(chart::draw(sheet, kind, &title, &cells)?);
        }
        written.sheets.push(name.clone());
    }
    written.rows += table.rows.len() as u64;
    if let [(first, _), .., (last, _)] = &sheets[..] {
        notes.push(format!(
            "“{title}” has {}, more than a sheet holds: it goes on from “{first}” to “{last}”{}.",
            counted(table.rows.len() as u64, "row"),
            if planned.kind.is_some() { ", and there is no chart of it" } else { "" }
        ));
    }
    notes.extend(losses.notes().into_iter().map(|note| format!("“{title}”: {note}")));
    written.notes.append(&mut notes);
    Ok(())
}

/// All single figures; each row has a unit of its own.
fn write_figures(
    sheet: &mut Worksheet,
    figures: &[(&str, &Metric)],
    look: &Look,
    losses: &mut Losses,
) -> Result<(), XlsxError> {
    const NUMBER: Kind = Kind::Number(rtv_core::kpi::Unit::Count);
    let columns =
        [("Figure", Kind::Text, 44), ("Value", NUMBER, 18), ("Previous", NUMBER, 18), ("Unit", Kind::Text, 12)];
    for ((label, kind, width), column) in columns.into_iter().chain([("Note", Kind::Text, 60)]).zip(0..) {
        sheet.set_column_width(column, width)?;
        sheet.write_string_with_format(0, column, label, &Look::header(kind))?;
    }
    sheet.set_freeze_panes(1, 0)?;
    sheet::for_print(sheet).set_landscape();
    let words = look.of(Kind::Text);
    for ((title, metric), row) in figures.iter().zip(1..) {
        let format = look.of(Kind::Number(metric.unit));
        let name = figure_name(title, metric);
        sheet.write_string_with_format(row, 0, fit(&name, losses), &words)?;
        for (value, column) in [(metric.value, 1), (metric.previous, 2)] {
            if let Some(value) = value {
                sheet.write_number_with_format(row, column, sheet::binary(value, losses), &format)?;
            }
        }
        sheet.write_string(row, 3, unit_name(metric.unit))?;
        let notes: Vec<&str> = metric.note.iter().chain(&metric.remarks).map(String::as_str).collect();
        if !notes.is_empty() {
            sheet.write_string_with_format(row, 4, fit(&notes.join(" "), losses), &words)?;
        }
    }
    sheet.autofilter(0, 0, sheet::row_number(figures.len()), 4)?;
    Ok(())
}

/// The first sheet, which is written last because it says what happened to the others.
fn write_report(
    sheet: &mut Worksheet,
    filled: &Filled,
    format: &Format,
    figures: Option<&str>,
    planned: &[Planned<'_>],
    written: &mut Written,
) -> Result<(), XlsxError> {
    let mut page = Page { sheet, row: 0, losses: Losses::default() };
    sheet::for_print(page.sheet);
    page.sheet.set_column_width(0, 28)?.set_column_width(1, 72)?.set_column_width(2, 34)?;
    let large = rust_xlsxwriter::Format::new().set_bold().set_font_size(16).set_quote_prefix();
    page.sheet.write_string_with_format(0, 0, fit(&filled.name, &mut page.losses), &large)?;
    page.row = 1;
    if !filled.description.is_empty() {
        page.line("", &filled.description)?;
    }
    page.row += 1;
    page.line("Organisation", &filled.tenant)?;
    page.line("Period", &format.period(filled.period))?;
    if let Some(previous) = filled.previous {
        page.line("Compared with", &format.period(previous))?;
    }
    page.line("Time zone", &format!("{}; times stand in it, the CSV has them in UTC", filled.zone))?;
    let in_zone = format.clone().with_times_in(filled.zone);
    page.line("Data as of", &filled.as_of.map_or_else(|| "there are no data".into(), |at| in_zone.instant(at)))?;
    page.line("Made", &in_zone.instant(filled.made_at))?;
    if let Some(version) = filled.version {
        page.line("Version of the report", &version.to_string())?;
    }
    page.line("Filters", &if filled.filters.is_empty() { "none".into() } else { filled.filters.join("; ") })?;
    page.row += 1;
    page.contents(filled, figures, planned)?;
    let own: Vec<String> = written.notes.clone();
    if !filled.notes.is_empty() || !own.is_empty() {
        page.heading("Notes")?;
        for note in filled.notes.iter().chain(&own) {
            page.line("", note)?;
        }
        page.row += 1;
    }
    if !filled.meanings.is_empty() {
        page.heading("What the measures mean")?;
        for meaning in &filled.meanings {
            page.line(&meaning.label, &meaning.definition)?;
        }
        page.row += 1;
    }
    let notes = page.losses.notes();
    for note in &notes {
        page.line("", note)?;
    }
    written.notes.extend(notes);
    Ok(())
}

/// The first sheet while it is written.
struct Page<'a> {
    sheet: &'a mut Worksheet,
    row: u32,
    losses: Losses,
}

impl Page<'_> {
    fn heading(&mut self, words: &str) -> Result<(), XlsxError> {
        let bold = rust_xlsxwriter::Format::new().set_bold().set_quote_prefix();
        self.sheet.write_string_with_format(self.row, 0, fit(words, &mut self.losses), &bold)?;
        self.row += 1;
        Ok(())
    }

    fn line(&mut self, label: &str, words: &str) -> Result<(), XlsxError> {
        let cell = rust_xlsxwriter::Format::new().set_align(FormatAlign::Top).set_quote_prefix();
        self.sheet.write_string_with_format(self.row, 0, fit(label, &mut self.losses), &cell)?;
        let wrapped = cell.set_text_wrap();
        self.sheet.write_string_with_format(self.row, 1, fit(words, &mut self.losses), &wrapped)?;
        self.row += 1;
        Ok(())
    }

    /// Every block in order: texts as they are, and for figures the sheet on which they stand.
    fn contents(&mut self, filled: &Filled, figures: Option<&str>, planned: &[Planned<'_>]) -> Result<(), XlsxError> {
        self.heading("Contents")?;
        for section in &filled.sections {
            if !section.title.is_empty() {
                self.heading(&section.title)?;
            }
            for block in &section.blocks {
                match &block.content {
                    FilledContent::Text(text) => self.line(&block.title, text)?,
                    FilledContent::Refused(why) => self.line(&block.title, why)?,
                    FilledContent::Metric(metric) => {
                        self.line(&block.title, &metric.label)?;
                        if let Some(name) = figures {
                            self.link(name)?;
                        }
                    }
                    FilledContent::Chart { .. } | FilledContent::Table(_) => {
                        let Some(one) = planned.iter().find(|one| one.block.id == block.id) else { continue };
                        self.line(&block.title, &described(one))?;
                        for (index, (name, _)) in one.sheets.iter().enumerate() {
                            self.row += u32::from(index > 0);
                            self.link(name)?;
                        }
                        for note in &one.table.notes {
                            self.line("", note)?;
                        }
                    }
                }
            }
        }
        self.row += 1;
        Ok(())
    }

    /// A link to a sheet, beside the line that was written last.
    fn link(&mut self, name: &str) -> Result<(), XlsxError> {
        let address = format!("internal:'{}'!A1", name.replace('\'', "''"));
        self.sheet.write_url_with_text(self.row.saturating_sub(1), 2, address.as_str(), name)?;
        Ok(())
    }
}

/// What a table is and how much of it is there.
fn described(planned: &Planned<'_>) -> String {
    let what = planned.kind.map_or("Table", ChartKind::label);
    let table = planned.table;
    if table.is_cut() {
        format!("{what}. {}", showing(table))
    } else {
        format!("{what}, {}", counted(table.rows.len() as u64, "row"))
    }
}
