//! One line of text, set: which letters stand in which font and where. Letters that stand beside each other as they are (Latin,
//! Greek, Cyrillic, Chinese, Japanese) are laid side by side; what joins, stacks or runs from the right is shaped by HarfBuzz's
//! rules, in the order in which the eye meets it.

use harfrust::{BufferClusterLevel, Direction, FontRef, ShapeOptions, UnicodeBuffer};
use unicode_bidi::{BidiInfo, Level};
use unicode_segmentation::UnicodeSegmentation;

use super::face::{FIRST, Faces, REPLACEMENT, Weight};

/// A line. Lengths are parts of the size of its letters.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    pub(super) pieces: Vec<Piece>,
    pub(super) width: f32,
}

/// A part of a line in one font.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    /// Letters side by side.
    Plain { face: usize, x: f32, text: String },
    /// Glyphs, each at its own place.
    Shaped { face: usize, glyphs: Vec<Glyph> },
}

/// A glyph of a shaped piece.
#[derive(Debug, Clone)]
pub(super) struct Glyph {
    /// Its number in the font as the PDF holds it.
    pub(super) id: u16,
    pub(super) x: f32,
    pub(super) y: f32,
    /// What is copied when it is copied.
    pub(super) text: String,
}

impl Line {
    /// A glyph alone.
    pub(super) fn of(face: usize, glyph: Glyph) -> Self {
        Self { pieces: vec![Piece::Shaped { face, glyphs: vec![glyph] }], width: 0.0 }
    }
}

impl Piece {
    /// Number of its font.
    pub(super) const fn face(&self) -> usize {
        match self {
            Self::Plain { face, .. } | Self::Shaped { face, .. } => *face,
        }
    }
}

/// Whether the letter's form or place depends on its neighbours.
pub(super) fn is_joined(letter: char) -> bool {
    matches!(u32::from(letter),
        0x0300..=0x036f | 0x0483..=0x0489 | 0x0590..=0x109f | 0x1780..=0x18af | 0x1a20..=0x1aff | 0x1b00..=0x1bff
        | 0x1dc0..=0x1dff | 0x20d0..=0x20ff | 0xa806..=0xa8ff | 0xa930..=0xa9ff | 0xaa00..=0xabff | 0xfb1d..=0xfdff
        | 0xfe20..=0xfe2f | 0xfe70..=0xfefe | 0x1_0800..=0x1_0fff | 0x1_1000..=0x1_1fff | 0x1_e800..=0x1_efff)
}

/// What is not seen by its nature: joiners, marks of direction, soft hyphens, selectors of variants.
pub(super) fn is_unseen(letter: char) -> bool {
    matches!(u32::from(letter),
        0x00ad | 0x034f | 0x061c | 0x180b..=0x180f | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfe00..=0xfe0f | 0xfeff
        | 0xfff9..=0xfffb | 0xe_0000..=0xe_0fff)
}

/// Ends of lines and tabs are spaces where everything stands on one line.
pub(super) const fn on_one_line(letter: char) -> char {
    match letter {
        '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        letter => letter,
    }
}

impl Faces {
    /// How wide it will be, without setting it.
    pub(super) fn measure(&mut self, text: &str, weight: Weight) -> f32 {
        if text.chars().any(is_joined) {
            // Its letters change each other's widths, so it is set, and thrown away.
            let is_counting = self.pause_counting();
            let width = self.set(text, weight).width;
            self.go_on_counting(is_counting);
            return width;
        }
        text.chars().map(|letter| self.width(letter, weight)).sum()
    }

    /// Sets a line.
    pub(super) fn set(&mut self, text: &str, weight: Weight) -> Line {
        if text.chars().any(is_joined) { self.set_shaped(text, weight) } else { self.set_plain(text, weight) }
    }

    fn set_plain(&mut self, text: &str, weight: Weight) -> Line {
        let mut line = Line::default();
        for letter in text.chars() {
            self.lay(&mut line, letter, weight);
        }
        line
    }

    /// Lays a letter beside the last one.
    fn lay(&mut self, line: &mut Line, letter: char, weight: Weight) {
        if is_unseen(letter) {
            return;
        }
        let letter = on_one_line(letter);
        let (face, shown, width) = self.take(letter, weight);
        match line.pieces.last_mut() {
            Some(Piece::Plain { face: current, text, .. }) if *current == face => text.push(shown),
            _ => line.pieces.push(Piece::Plain { face, x: line.width, text: shown.to_string() }),
        }
        line.width += width;
    }

    fn set_shaped(&mut self, text: &str, weight: Weight) -> Line {
        let mut line = Line::default();
        let bidi = BidiInfo::new(text, None);
        for paragraph in &bidi.paragraphs {
            let (levels, runs) = bidi.visual_runs(paragraph, paragraph.range.clone());
            for run in runs {
                let is_from_right = levels.get(run.start).is_some_and(Level::is_rtl);
                let Some(text) = text.get(run) else { continue };
                let mut parts = self.parts(text, weight);
                if is_from_right {
                    parts.reverse();
                }
                for (face, part) in parts {
                    match face {
                        Some(face) => self.shape(&mut line, face, &part, is_from_right, weight),
                        None => part.chars().for_each(|letter| self.lay(&mut line, letter, weight)),
                    }
                }
            }
        }
        line
    }

    /// A run, cut where the font changes; `None` where no font has all of a cluster.
    fn parts(&mut self, text: &str, weight: Weight) -> Vec<(Option<usize>, String)> {
        let mut parts: Vec<(Option<usize>, String)> = Vec::new();
        for cluster in text.graphemes(true) {
            let face = self.face_of(cluster, weight);
            match parts.last_mut() {
                Some((current, part)) if *current == face => part.push_str(cluster),
                _ => parts.push((face, cluster.to_owned())),
            }
        }
        parts
    }

    fn shape(&mut self, line: &mut Line, face: usize, text: &str, is_from_right: bool, weight: Weight) {
        let Some(shaped) = self.shape_part(face, text, is_from_right) else {
            text.chars().for_each(|letter| self.lay(line, letter, weight));
            return;
        };
        let mut glyphs = Vec::with_capacity(shaped.len());
        let mut last = None;
        for one in shaped {
            // The whole cluster is copied with its first glyph.
            let cluster = if last == Some(one.cluster) { "" } else { one.text.as_str() };
            last = Some(one.cluster);
            if one.glyph == 0 {
                let (_, shown, width) = self.take_missing(cluster);
                let id = self.glyph(face, 0, &shown.to_string());
                glyphs.push(Glyph { id, x: line.width, y: 0.0, text: shown.to_string() });
                line.width += width;
                continue;
            }
            let id = self.glyph(face, one.glyph, cluster);
            let text = self.copied(face, id);
            glyphs.push(Glyph { id, x: line.width + one.x, y: one.y, text });
            line.width += one.advance;
        }
        line.pieces.push(Piece::Shaped { face, glyphs });
    }

    fn shape_part(&self, face: usize, text: &str, is_from_right: bool) -> Option<Vec<ShapedGlyph>> {
        let face = self.face(face)?;
        let font = FontRef::from_index(face.bytes(), FIRST).ok()?;
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.set_direction(if is_from_right { Direction::RightToLeft } else { Direction::LeftToRight });
        // A mark is copied with its own glyph, not with the letter below it, which stands elsewhere without one.
        buffer.set_cluster_level(BufferClusterLevel::MonotoneCharacters);
        buffer.guess_segment_properties();
        let shaper = face.shaper_data(&font).shaper(&font).build();
        let output = shaper.shape(buffer, ShapeOptions::new());
        let mut starts: Vec<usize> = output.glyph_infos().iter().map(|info| info.cluster as usize).collect();
        starts.push(text.len());
        starts.sort_unstable();
        starts.dedup();
        let end_of = |start: usize| starts.iter().copied().find(|one| *one > start).unwrap_or(text.len());
        let part = |units: i32| face.part(units);
        Some(
            output
                .glyph_infos()
                .iter()
                .zip(output.glyph_positions())
                .map(|(info, place)| {
                    let start = info.cluster as usize;
                    ShapedGlyph {
                        glyph: u16::try_from(info.glyph_id).unwrap_or(0),
                        cluster: start,
                        text: text.get(start..end_of(start)).unwrap_or_default().to_owned(),
                        x: part(place.x_offset),
                        y: part(place.y_offset),
                        advance: part(place.x_advance),
                    }
                })
                .collect(),
        )
    }

    /// What stands for text that no font has.
    fn take_missing(&mut self, text: &str) -> (usize, char, f32) {
        for letter in text.chars().filter(|letter| !is_unseen(*letter)) {
            self.miss(letter);
        }
        self.take(REPLACEMENT, Weight::Regular)
    }
}

/// A glyph as the shaper gives it.
struct ShapedGlyph {
    glyph: u16,
    cluster: usize,
    text: String,
    x: f32,
    y: f32,
    advance: f32,
}
