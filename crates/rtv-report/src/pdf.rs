//! A filled report as PDF: cover, contents, sections, appendix. The pages are laid out here and written by printpdf's operations;
//! what printpdf leaves out (language, nested outline, soft masks, the fonts' subsets) stands in `finish.rs` and `face.rs`. Every
//! figure is worded by [`Format`], every text can be selected, and equal input gives equal bytes.

use std::collections::BTreeMap;
use std::io::Write;

use rtv_core::report::{Filled, FilledBlock, FilledContent, Metric};
use rtv_domain::format::Format;

mod appendix;
mod chart;
mod contents;
mod cover;
mod face;
mod finish;
mod ink;
mod line;
mod metric;
mod press;
mod raster;
mod sheet;
mod table;
mod words;
mod wrap;

use press::Press;

/// How a report is dressed.
#[derive(Debug, Clone)]
pub struct Look {
    /// How the tenant writes figures and dates.
    pub format: Format,
    /// The tenant's hue, degrees.
    pub hue: f64,
    /// The tenant's logo, a PNG or JPEG whose size was judged when it was taken in.
    pub logo: Option<Vec<u8>>,
    /// Font files that the operator names, for what the shipped font does not cover; the first that has a letter gives it.
    pub fonts: Vec<Vec<u8>>,
}

/// Refuses what is no font that a PDF can hold.
pub fn check_font(bytes: &[u8]) -> Result<(), String> {
    face::check(bytes)
}

/// The picture of each chart, by the number of its block.
pub type Pictures = BTreeMap<u32, Picture>;

/// A chart as it was drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    /// The drawing.
    pub svg: String,
    /// What it leaves out and how it has to be read, in sentences; they stand below it.
    pub notes: Vec<String>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Number of pages.
    pub pages: usize,
    /// What is not as it was asked for, in sentences: charts without a picture, letters without a glyph.
    pub notes: Vec<String>,
}

/// Why there is no PDF.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Where it was to be written took no more.
    #[error("the PDF could not be written: {0}")]
    Write(#[from] std::io::Error),
    /// A font of our own cannot be read.
    #[error("the PDF could not be made, because a shipped font cannot be read: {0}")]
    Font(String),
    /// The document could not be put together.
    #[error("the PDF could not be made: {0}")]
    Document(#[from] lopdf::Error),
}

/// Writes the report.
///
/// # Errors
/// Where `out` takes no more. No report is refused: what cannot be shown is said in [`Written::notes`].
pub fn write(filled: &Filled, look: &Look, pictures: &Pictures, out: &mut impl Write) -> Result<Written, Error> {
    let mut press = Press::new(filled, look)?;
    cover::draw(&mut press, filled, look);
    let cover = press.take();
    for section in &filled.sections {
        press.begin_section(&section.title);
        let mut blocks = section.blocks.iter().peekable();
        while let Some(block) = blocks.next() {
            match &block.content {
                FilledContent::Text(text) => press.text_block(&block.title, text),
                FilledContent::Metric(metric) => {
                    // Figures that follow each other stand beside each other.
                    let mut row = vec![(block.title.as_str(), metric)];
                    while let Some(next) = blocks.next_if(|next| is_metric(next)) {
                        row.extend(as_metric(next));
                    }
                    metric::draw(&mut press, &row, filled.previous);
                }
                FilledContent::Chart { kind, table } => {
                    chart::draw(&mut press, block, *kind, table, pictures.get(&block.id));
                }
                FilledContent::Table(table) => table::draw(&mut press, &block.title, table, None),
                FilledContent::Refused(reason) => press.refused_block(&block.title, reason),
            }
        }
    }
    appendix::draw(&mut press, filled);
    let (body, marks) = press.take_body();
    // What is said twice is counted once.
    press.faces.stop_counting();
    let book = contents::bind(&mut press, cover, body, marks);
    let pages = book.sheets.len();
    let notes = press.notes();
    finish::write(press, book, filled, out)?;
    Ok(Written { pages, notes })
}

fn is_metric(block: &FilledBlock) -> bool {
    as_metric(block).is_some()
}

fn as_metric(block: &FilledBlock) -> Option<(&str, &Metric)> {
    match &block.content {
        FilledContent::Metric(metric) => Some((block.title.as_str(), metric)),
        _ => None,
    }
}
