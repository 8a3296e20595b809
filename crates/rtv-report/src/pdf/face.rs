//! The fonts of a report: the shipped ones, then those that the operator names. They say who has a letter and how wide it is, count the
//! letters that nobody has, and in the end hold only the glyphs that were used.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use harfrust::{FontRef, ShaperData};
use printpdf::{FontId, FontMetrics, ParsedFont, PdfFont};
use sha2::{Digest, Sha256};
use subsetter::GlyphRemapper;
use unicode_segmentation::UnicodeSegmentation;

use super::Error;
use super::line::{is_joined, is_unseen, on_one_line};

/// Shipped; `fonts/README.md` says what they are cut from.
static REGULAR: &[u8] = include_bytes!("../../fonts/rtv-report-regular.ttf");
static BOLD: &[u8] = include_bytes!("../../fonts/rtv-report-bold.ttf");

/// Stands for what no font has.
pub(super) const REPLACEMENT: char = '\u{fffd}';
/// Of a collection, the first.
pub(super) const FIRST: u32 = 0;
/// The shipped fonts come first.
const SHIPPED: usize = 2;
/// So many letters are named in the note; more would bury it.
const NAMED: usize = 20;

/// How heavy the letters are. An operator's font serves for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// A font.
pub(super) struct Face {
    name: String,
    bytes: Arc<Vec<u8>>,
    parsed: ParsedFont,
    shaper: OnceLock<ShaperData>,
    /// Which glyphs are used, with their numbers in the subset.
    used: GlyphRemapper,
    /// Letters that stand side by side, with their glyphs in the subset.
    letters: BTreeMap<u32, u16>,
    /// Widths in the subset, in the font's units.
    widths: BTreeMap<u16, u16>,
    /// What each glyph is copied as, where it stands by itself.
    texts: BTreeMap<u16, String>,
}

/// All fonts of a report.
pub(super) struct Faces {
    all: Vec<Face>,
    found: HashMap<(char, Weight), Found>,
    missing: BTreeMap<char, u64>,
    is_counting: bool,
    /// Fonts that cannot be used.
    notes: Vec<String>,
}

/// What pages call a font.
pub(super) fn font_of(face: usize) -> FontId {
    FontId(format!("F{face}"))
}

/// Where a letter was found.
#[derive(Debug, Clone, Copy)]
struct Found {
    face: usize,
    glyph: u16,
    width: f32,
    is_missing: bool,
}

impl Face {
    fn read(name: &str, bytes: &[u8]) -> Result<Self, String> {
        let mut warnings = Vec::new();
        let parsed =
            ParsedFont::from_bytes(bytes, FIRST as usize, &mut warnings).ok_or("it is no TrueType or OpenType font")?;
        if parsed.units_per_em == 0 || parsed.codepoint_to_glyph.is_empty() {
            return Err("it names no letters".into());
        }
        // Whatever cannot be cut cannot be embedded either, and that is better known now.
        subsetter::subset(bytes, FIRST, &GlyphRemapper::new()).map_err(|error| error.to_string())?;
        Ok(Self {
            name: name.to_owned(),
            bytes: Arc::new(bytes.to_vec()),
            parsed,
            shaper: OnceLock::new(),
            used: GlyphRemapper::new(),
            letters: BTreeMap::new(),
            widths: BTreeMap::new(),
            texts: BTreeMap::new(),
        })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn shaper_data(&self, font: &FontRef<'_>) -> &ShaperData {
        self.shaper.get_or_init(|| ShaperData::new(font))
    }

    /// Units of the font as a part of the letters' size.
    #[expect(clippy::cast_precision_loss, reason = "units of a font are small")]
    pub(super) fn part(&self, units: i32) -> f32 {
        units as f32 / f32::from(self.parsed.units_per_em)
    }

    pub(super) fn units(&self) -> f32 {
        f32::from(self.parsed.units_per_em)
    }

    fn glyph_of(&self, letter: char) -> Option<u16> {
        self.parsed.lookup_glyph_index(u32::from(letter)).filter(|glyph| *glyph != 0)
    }

    /// In whole thousandths, as the PDF states widths: the sum here is where the reader's program ends.
    fn width_of(&self, glyph: u16) -> f32 {
        let units = self.parsed.get_glyph_width(glyph).unwrap_or(0);
        (f32::from(units) * 1_000.0 / f32::from(self.parsed.units_per_em)).trunc() / 1_000.0
    }

    fn take(&mut self, glyph: u16) -> u16 {
        let id = self.used.remap(glyph);
        self.widths.entry(id).or_insert_with(|| self.parsed.get_glyph_width(glyph).unwrap_or(0));
        id
    }

    /// The font with the glyphs that were used; `None` where none was.
    fn cut(&self) -> Option<Result<PdfFont, Error>> {
        if self.widths.is_empty() {
            return None;
        }
        let bytes = match subsetter::subset(&self.bytes, FIRST, &self.used) {
            Ok(bytes) => bytes,
            Err(error) => return Some(Err(Error::Font(error.to_string()))),
        };
        // Six letters before the name say that it is a subset, and the same letters say that it is the same one.
        let tag: String = Sha256::digest(&bytes).iter().take(6).map(|byte| char::from(b'A' + byte % 26)).collect();
        let metrics =
            FontMetrics { ascent: self.parsed.font_metrics.ascent, descent: self.parsed.font_metrics.descent };
        let mut font = ParsedFont::with_glyph_data(
            bytes,
            0,
            Some(format!("{tag}+{}", self.name)),
            self.letters.clone(),
            self.widths.clone(),
            self.parsed.units_per_em,
            metrics,
        );
        font.font_type = self.parsed.font_type;
        font.pdf_font_metrics = self.parsed.pdf_font_metrics.clone();
        Some(Ok(PdfFont::new(font)))
    }
}

/// Whether these bytes are a font that can be used.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    Face::read("Operator", bytes).map(|_| ())
}

impl Faces {
    pub(super) fn new(extra: &[Vec<u8>]) -> Result<Self, Error> {
        let shipped = |name, bytes| Face::read(name, bytes).map_err(Error::Font);
        let mut faces = vec![shipped("RTVReport-Regular", REGULAR)?, shipped("RTVReport-Bold", BOLD)?];
        let mut notes = Vec::new();
        for (index, bytes) in extra.iter().enumerate() {
            match Face::read(&format!("Operator-{}", index + 1), bytes) {
                Ok(face) => faces.push(face),
                Err(reason) => notes.push(format!("Font {} of the operator's was not used: {reason}.", index + 1)),
            }
        }
        Ok(Self { all: faces, found: HashMap::new(), missing: BTreeMap::new(), is_counting: true, notes })
    }

    pub(super) fn face(&self, face: usize) -> Option<&Face> {
        self.all.get(face)
    }

    /// The files of all fonts, in their order.
    pub(super) fn files(&self) -> Vec<Arc<Vec<u8>>> {
        self.all.iter().map(|face| Arc::clone(&face.bytes)).collect()
    }

    /// The order in which fonts are asked: the shipped one of the weight, the operator's, the shipped one of the other weight.
    fn order(&self, weight: Weight) -> impl Iterator<Item = usize> + use<> {
        let (own, other) = match weight {
            Weight::Regular => (0, 1),
            Weight::Bold => (1, 0),
        };
        std::iter::once(own).chain(SHIPPED..self.all.len()).chain(std::iter::once(other))
    }

    fn find(&mut self, letter: char, weight: Weight) -> Found {
        if let Some(found) = self.found.get(&(letter, weight)) {
            return *found;
        }
        let at = |faces: &Self, letter: char| {
            faces.order(weight).find_map(|index| {
                let face = faces.all.get(index)?;
                let glyph = face.glyph_of(letter)?;
                Some(Found { face: index, glyph, width: face.width_of(glyph), is_missing: false })
            })
        };
        let found = at(self, letter).unwrap_or_else(|| {
            let box_of = at(self, REPLACEMENT).unwrap_or(Found { face: 0, glyph: 0, width: 0.5, is_missing: true });
            Found { is_missing: letter != REPLACEMENT, ..box_of }
        });
        self.found.insert((letter, weight), found);
        found
    }

    pub(super) fn width(&mut self, letter: char, weight: Weight) -> f32 {
        if is_unseen(letter) { 0.0 } else { self.find(on_one_line(letter), weight).width }
    }

    /// Uses a letter: its font, what is shown, its width.
    pub(super) fn take(&mut self, letter: char, weight: Weight) -> (usize, char, f32) {
        let found = self.find(letter, weight);
        let shown = if found.is_missing {
            self.miss(letter);
            REPLACEMENT
        } else {
            letter
        };
        let id = self.glyph(found.face, found.glyph, shown.encode_utf8(&mut [0; 4]));
        if let Some(face) = self.all.get_mut(found.face) {
            face.letters.insert(u32::from(shown), id);
        }
        (found.face, shown, found.width)
    }

    /// Uses a glyph: its number in the subset.
    pub(super) fn glyph(&mut self, face: usize, glyph: u16, text: &str) -> u16 {
        let Some(face) = self.all.get_mut(face) else { return 0 };
        let id = face.take(glyph);
        let copied = face.texts.entry(id).or_default();
        if copied.is_empty() {
            text.clone_into(copied);
        }
        id
    }

    /// The box that stands for what no font has: its font and its glyph in the subset.
    pub(super) fn replacement(&mut self) -> (usize, u16) {
        let found = self.find(REPLACEMENT, Weight::Regular);
        let id = self.glyph(found.face, found.glyph, &REPLACEMENT.to_string());
        (found.face, id)
    }

    /// What a shaped glyph is copied as: a PDF knows one text for each glyph.
    pub(super) fn copied(&self, face: usize, id: u16) -> String {
        self.all.get(face).and_then(|face| face.texts.get(&id)).cloned().unwrap_or_default()
    }

    /// The first font that has all of a cluster.
    pub(super) fn face_of(&mut self, cluster: &str, weight: Weight) -> Option<usize> {
        self.order(weight).find(|index| {
            self.all.get(*index).is_some_and(|face| {
                cluster.chars().filter(|letter| !is_unseen(*letter)).all(|letter| face.glyph_of(letter).is_some())
            })
        })
    }

    /// Counts a letter that no font has.
    pub(super) fn miss(&mut self, letter: char) {
        if self.is_counting {
            *self.missing.entry(letter).or_default() += 1;
        }
    }

    pub(super) fn pause_counting(&mut self) -> bool {
        std::mem::replace(&mut self.is_counting, false)
    }

    pub(super) fn go_on_counting(&mut self, is_counting: bool) {
        self.is_counting = is_counting;
    }

    pub(super) fn stop_counting(&mut self) {
        self.is_counting = false;
    }

    /// What is to be said about fonts and letters, in sentences.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = self.notes.clone();
        let (kinds, count) = (self.missing.len(), self.missing.values().sum::<u64>());
        if kinds > 0 {
            let named: Vec<String> = self.missing.keys().take(NAMED).map(|letter| name_of(*letter)).collect();
            let more = if kinds > NAMED { format!(" and {} more", kinds - NAMED) } else { String::new() };
            let (places, letters) = match count {
                1 => ("1 place".to_owned(), "a letter that no font has"),
                count => (format!("{count} places"), "letters that no font has"),
            };
            notes.push(format!(
                "In {places} a box ({REPLACEMENT}) stands for {letters}: {}{more}. Name a font that has them, and make the report again.",
                named.join(", ")
            ));
        }
        notes
    }

    /// The fonts as the PDF holds them.
    pub(super) fn cut(&self) -> Result<Vec<(FontId, PdfFont)>, Error> {
        let cut = |(number, face): (usize, &Face)| Some(face.cut()?.map(|font| (font_of(number), font)));
        self.all.iter().enumerate().filter_map(cut).collect()
    }

    /// Where a line may be parted at the latest: letters with all that hangs on them.
    pub(super) fn clusters(text: &str) -> impl Iterator<Item = &str> {
        text.graphemes(true)
    }
}

/// A letter by its number, and itself where it can be written beside it.
fn name_of(letter: char) -> String {
    let code = format!("U+{:04X}", u32::from(letter));
    if letter.is_control() || is_joined(letter) || is_unseen(letter) { code } else { format!("{letter} ({code})") }
}
