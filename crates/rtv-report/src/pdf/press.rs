//! Where the next thing goes: the pages that are being filled, how far down they are, and the parts that every kind of block needs:
//! headings, paragraphs, remarks, a page break. Kinds of blocks stand in files of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use printpdf::{RawImage, Shading};
use rtv_core::report::Filled;
use rtv_domain::format::Format;

use super::chart::Drawing;
use super::face::{Faces, Weight};
use super::ink::{Ink, Inks};
use super::sheet::{Area, MARGIN, Sheet, TOP, Target, Way};
use super::words::instant;
use super::wrap::{shortened, wrap};
use super::{Error, Look};

/// Size of running text, points.
pub(super) const BODY: f32 = 9.5;
/// Size of remarks, points.
pub(super) const SMALL: f32 = 8.0;
/// Distance of lines as a part of their size.
pub(super) const LEADING: f32 = 1.42;
/// Below a block.
const GAP: f32 = 22.0;
/// Bytes of an address that is a link; browsers take no longer ones.
const LONGEST_ADDRESS: usize = 2_000;
/// A section begins on a new page where less than this is left: a heading with nothing below it says little.
const LEAST_FOR_SECTION: f32 = 150.0;

/// A heading that the contents and the outline name.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    pub(super) title: String,
    /// 1 for sections, 2 for what they hold.
    pub(super) level: u8,
    /// Which page, from 0.
    pub(super) page: usize,
    pub(super) y: f32,
}

/// How see-through a picture is at each place: what an SVG's gradient says by the opacity of its stops.
#[derive(Debug, Clone)]
pub(super) struct Veil {
    /// From where to where, on the page.
    pub(super) from: (f32, f32),
    pub(super) to: (f32, f32),
    /// How far, and how opaque.
    pub(super) stops: Vec<(f32, f32)>,
}

/// What pages refer to by name.
#[derive(Debug, Default)]
pub(super) struct Stock {
    /// Opacities in thousandths.
    pub(super) opacities: BTreeSet<u16>,
    pub(super) veils: Vec<Veil>,
    pub(super) shadings: Vec<Shading>,
    pub(super) images: BTreeMap<String, RawImage>,
}

impl Stock {
    /// Name of an opacity.
    pub(super) fn opacity(&mut self, opacity: f32) -> String {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies between 0 and 1000")]
        let thousandths = (opacity.clamp(0.0, 1.0) * 1_000.0).round() as u16;
        self.opacities.insert(thousandths);
        opacity_name(thousandths)
    }

    pub(super) fn veil(&mut self, veil: Veil) -> String {
        self.veils.push(veil);
        veil_name(self.veils.len() - 1)
    }

    pub(super) fn shading(&mut self, shading: Shading) -> String {
        self.shadings.push(shading);
        shading_name(self.shadings.len() - 1)
    }

    pub(super) fn image(&mut self, image: RawImage) -> String {
        let name = format!("I{}", self.images.len());
        self.images.insert(name.clone(), image);
        name
    }
}

pub(super) fn opacity_name(thousandths: u16) -> String {
    format!("O{thousandths}")
}

pub(super) fn veil_name(number: usize) -> String {
    format!("V{number}")
}

pub(super) fn shading_name(number: usize) -> String {
    format!("S{number}")
}

/// The pages that are being made.
pub(super) struct Press {
    pub(super) faces: Faces,
    pub(super) inks: Inks,
    pub(super) format: Format,
    pub(super) stock: Stock,
    pub(super) drawing: Arc<Drawing>,
    /// Whose report, and which.
    pub(super) tenant: String,
    pub(super) name: String,
    /// What the footer says: period, zone, as-of.
    pub(super) facts: String,
    sheets: Vec<Sheet>,
    marks: Vec<Mark>,
    notes: Vec<String>,
    /// A section that nothing stands in yet.
    section: Option<String>,
    /// How far down the last page is used.
    pub(super) y: f32,
    way: Way,
}

impl Press {
    pub(super) fn new(filled: &Filled, look: &Look) -> Result<Self, Error> {
        let faces = Faces::new(&look.fonts)?;
        let format = look.format.clone().with_times_in(filled.zone);
        let as_of = match filled.as_of {
            Some(at) => format!("data as of {}", instant(&format, at)),
            None => "no data yet".into(),
        };
        Ok(Self {
            inks: Inks::of(look.hue),
            stock: Stock::default(),
            drawing: Arc::new(Drawing::new(&faces)),
            tenant: filled.tenant.clone(),
            name: filled.name.clone(),
            facts: format!("{} · {} · {as_of}", format.period(filled.period), filled.zone.name()),
            faces,
            format,
            sheets: Vec::new(),
            marks: Vec::new(),
            notes: Vec::new(),
            section: None,
            y: 0.0,
            way: Way::Upright,
        })
    }

    /// The page that is being filled.
    pub(super) fn sheet(&mut self) -> &mut Sheet {
        if self.sheets.is_empty() {
            self.turn();
        }
        let last = self.sheets.len() - 1;
        &mut self.sheets[last]
    }

    /// Begins a page.
    pub(super) fn turn(&mut self) {
        self.sheets.push(Sheet::new(self.way));
        self.y = TOP;
    }

    /// What comes next stands on a page that lies this way.
    pub(super) fn lay(&mut self, way: Way) {
        self.way = way;
    }

    /// Begins a page where the last one does not lie as what comes next needs it.
    pub(super) fn settle(&mut self) {
        if self.sheets.last().is_some_and(|sheet| sheet.way != self.way) {
            // A page that nothing stands on is laid anew.
            if self.is_fresh() {
                self.sheets.pop();
            }
            self.turn();
        }
    }

    /// Whether nothing stands on the page yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.sheets.last().is_some_and(|sheet| sheet.ops.is_empty())
    }

    /// Width of what is written.
    pub(super) fn measure(&mut self) -> f32 {
        self.sheet().measure()
    }

    /// Height that is left on the page.
    pub(super) fn room(&mut self) -> f32 {
        let foot = self.sheet().foot();
        foot - self.y
    }

    /// Height of an empty page.
    pub(super) fn whole_room(&self) -> f32 {
        Sheet::new(self.way).foot() - TOP
    }

    /// Begins a page where less than this is left, unless nothing stands on it.
    pub(super) fn need(&mut self, height: f32) {
        if self.room() < height && !self.is_fresh() {
            self.turn();
        }
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// What is to be said about the file, in sentences.
    pub(super) fn notes(&self) -> Vec<String> {
        self.notes.iter().cloned().chain(self.faces.notes()).collect()
    }

    /// Takes the pages so far.
    pub(super) fn take(&mut self) -> Vec<Sheet> {
        std::mem::take(&mut self.sheets)
    }

    /// Takes the pages so far with their headings.
    pub(super) fn take_body(&mut self) -> (Vec<Sheet>, Vec<Mark>) {
        self.close_section();
        self.way = Way::Upright;
        (self.take(), std::mem::take(&mut self.marks))
    }

    /// Works on these pages instead, and gives back the others.
    pub(super) fn swap(&mut self, sheets: &mut Vec<Sheet>) {
        std::mem::swap(&mut self.sheets, sheets);
    }

    /// The text, or as much as fits and an ellipsis.
    pub(super) fn shortened(&mut self, text: &str, weight: Weight, size: f32, width: f32) -> String {
        shortened(&mut self.faces, text, weight, size, width).unwrap_or_else(|| text.to_owned())
    }

    /// Lines of a text, for a width.
    pub(super) fn lines(&mut self, text: &str, weight: Weight, size: f32, width: f32) -> Vec<String> {
        wrap(&mut self.faces, text, weight, size, width)
    }

    /// Writes a line from the left; `y` is its baseline.
    pub(super) fn write(&mut self, text: &str, weight: Weight, size: f32, at: (f32, f32), ink: Ink) -> f32 {
        let line = self.faces.set(text, weight);
        self.sheet().text(&line, at.0, at.1, size, ink);
        line.width * size
    }

    /// Writes a line up to the right.
    pub(super) fn write_to(&mut self, text: &str, weight: Weight, size: f32, at: (f32, f32), ink: Ink) {
        let line = self.faces.set(text, weight);
        let x = at.0 - line.width * size;
        self.sheet().text(&line, x, at.1, size, ink);
    }

    /// Writes a line that is not wider than this.
    pub(super) fn write_within(&mut self, text: &str, weight: Weight, size: f32, at: (f32, f32), width: f32, ink: Ink) {
        let short = self.shortened(text, weight, size, width);
        self.write(&short, weight, size, at, ink);
    }

    /// Lines from here on, over as many pages as they take.
    pub(super) fn paragraph(&mut self, text: &str, weight: Weight, size: f32, ink: Ink) {
        let width = self.measure();
        let lines = self.lines(text, weight, size, width);
        let step = size * LEADING;
        // Neither the first nor the last line of a paragraph stands alone.
        if lines.len() > 1 {
            self.need(step * 2.0);
        }
        let count = lines.len();
        for (index, line) in lines.iter().enumerate() {
            let kept = if count > 2 && index + 2 == count { step * 2.0 } else { step };
            self.need(kept);
            let baseline = self.y + size;
            self.write(line, weight, size, (MARGIN, baseline), ink);
            self.y += step;
        }
    }

    /// A heading for the contents.
    pub(super) fn mark(&mut self, title: &str, level: u8) {
        let page = self.sheets.len().saturating_sub(1);
        self.marks.push(Mark { title: title.to_owned(), level, page, y: self.y });
    }

    /// Begins a section. Its heading is written with what stands below it, so it is never alone at the foot of a page.
    pub(super) fn begin_section(&mut self, title: &str) {
        self.close_section();
        self.lay(Way::Upright);
        self.section = Some(title.to_owned());
    }

    /// A section that holds nothing is its heading.
    fn close_section(&mut self) {
        if self.section.is_some() {
            self.open(0.0);
        }
    }

    /// Makes room for a block of this height, below the heading of its section where it is the first.
    pub(super) fn open(&mut self, below: f32) {
        let whole = self.whole_room();
        let Some(title) = self.section.take().filter(|title| !title.trim().is_empty()) else {
            self.settle();
            self.need(below.min(whole));
            return;
        };
        self.settle();
        let (size, width) = (17.0, self.measure());
        let lines = self.lines(&title, Weight::Bold, size, width);
        let height = count_of(&lines) * size * 1.28 + 39.0;
        self.need((height + below).max(LEAST_FOR_SECTION).min(whole));
        if !self.is_fresh() {
            self.y += 10.0;
        }
        self.mark(&title, 1);
        for line in &lines {
            self.need(size * 1.3);
            let (baseline, ink) = (self.y + size, self.inks.text);
            self.write(line, Weight::Bold, size, (MARGIN, baseline), ink);
            self.y += size * 1.28;
        }
        let (y, ink) = (self.y + 5.0, self.inks.accent);
        self.sheet().fill(Area { x: MARGIN, y, width: 34.0, height: 2.4 }, ink);
        self.y += 24.0;
    }

    /// The heading of a block, with at least this much of the block below it.
    pub(super) fn begin_block(&mut self, title: &str, below: f32) {
        if title.trim().is_empty() {
            self.open(below);
            return;
        }
        let (size, width) = (11.0, Sheet::new(self.way).measure());
        let lines = self.lines(title, Weight::Bold, size, width);
        self.open(count_of(&lines) * size * 1.32 + 7.0 + below);
        self.mark(title, 2);
        for line in &lines {
            self.need(size * 1.32);
            let (baseline, ink) = (self.y + size, self.inks.text);
            self.write(line, Weight::Bold, size, (MARGIN, baseline), ink);
            self.y += size * 1.32;
        }
        self.y += 7.0;
    }

    pub(super) fn end_block(&mut self) {
        self.y += GAP;
    }

    /// Remarks below a block.
    pub(super) fn remarks(&mut self, remarks: &[String]) {
        let ink = self.inks.quiet;
        for remark in remarks {
            self.paragraph(remark, Weight::Regular, SMALL, ink);
            self.y += 2.0;
        }
    }

    /// Paragraphs; empty lines part them.
    pub(super) fn text_block(&mut self, title: &str, text: &str) {
        self.begin_block(title, BODY * LEADING * 2.0);
        let ink = self.inks.text;
        let text = text.replace("\r\n", "\n");
        let paragraphs = text.split("\n\n").map(|paragraph| paragraph.trim_matches('\n'));
        for (index, paragraph) in paragraphs.filter(|paragraph| !paragraph.trim().is_empty()).enumerate() {
            if index > 0 {
                self.y += 6.0;
            }
            self.paragraph(paragraph, Weight::Regular, BODY, ink);
        }
        self.end_block();
    }

    /// A block that could not be filled.
    pub(super) fn refused_block(&mut self, title: &str, reason: &str) {
        self.begin_block(title, BODY * LEADING * 2.0);
        let ink = self.inks.quiet;
        self.paragraph(&format!("Not shown: {reason}"), Weight::Regular, BODY, ink);
        self.note(format!("“{title}” is not shown: {reason}"));
        self.end_block();
    }

    /// An address that leads there.
    pub(super) fn address(&mut self, before: &str, address: &str) {
        let (size, width) = (SMALL, self.measure());
        let (quiet, ink) = (self.inks.quiet, self.inks.accent_text);
        let step = size * LEADING;
        let lines = self.lines(&format!("{before}{address}"), Weight::Regular, size, width);
        let mut lead = before.trim_end();
        for line in &lines {
            self.need(step);
            let (mut x, baseline) = (MARGIN, self.y + size);
            // The words before the address are no link.
            let words = line.strip_prefix(lead).map_or(0, |_| lead.len());
            let (words, linked) = line.split_at(words);
            if !words.is_empty() {
                x += self.write(words, Weight::Regular, size, (x, baseline), quiet);
            }
            let length = self.write(linked, Weight::Regular, size, (x, baseline), ink);
            if let Some(target) = uri(address) {
                let area = Area { x, y: baseline - size, width: length, height: step };
                self.sheet().link(area, Target::Address(target));
            }
            self.y += step;
            lead = "";
        }
        self.y += 2.0;
    }
}

#[expect(clippy::cast_precision_loss, reason = "headings have few lines")]
fn count_of(lines: &[String]) -> f32 {
    lines.len() as f32
}

/// An address that a reader's program opens: `http` and `https`, in the letters that addresses have.
fn uri(address: &str) -> Option<String> {
    if !(address.starts_with("https://") || address.starts_with("http://")) || address.len() > LONGEST_ADDRESS {
        return None;
    }
    let mut uri = String::with_capacity(address.len());
    for byte in address.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}') {
            uri.push(char::from(byte));
        } else {
            // A string takes whatever is written to it.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    Some(uri)
}
