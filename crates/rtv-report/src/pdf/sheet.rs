//! One page: lines, grounds, text and links as operations. Lengths are points; `y` counts from the top, as one reads.

use printpdf::{
    Actions, BorderArray, Codepoint, Color, ColorArray, CurTransMat, Destination, ExtendedGraphicsStateId,
    HighlightingMode, Line as Stroke, LineCapStyle, LineDashPattern, LinePoint, LinkAnnotation, Op, PaintMode,
    PdfFontHandle, Point, Polygon, PolygonRing, Pt, Rect, Rgb, TextItem, TextMatrix, WindingOrder, XObjectId,
    XObjectTransform,
};

use super::face::font_of;
use super::ink::Ink;
use super::line::{Line, Piece};

/// A4, points.
const SHORT: f32 = 595.276;
/// A4, points.
const LONG: f32 = 841.89;
/// From the edge to what is written, left and right.
pub(super) const MARGIN: f32 = 54.0;
/// From the upper edge to the first line below the header.
pub(super) const TOP: f32 = 82.0;
/// From the last line to the lower edge.
const BOTTOM: f32 = 66.0;
/// A circle of four curves: how far their handles reach.
const ROUND: f32 = 0.552_284_8;

/// Which way a page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Upright,
    Across,
}

/// A rectangle from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) width: f32,
    pub(super) height: f32,
}

/// Where a link leads.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Target {
    /// An address.
    Address(String),
    /// A page of the book, the first is 0, and how far down.
    Page(usize, f32),
}

/// A page.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) way: Way,
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) ops: Vec<Op>,
    pub(super) links: Vec<(Area, Target)>,
}

impl Sheet {
    pub(super) fn new(way: Way) -> Self {
        let (width, height) = match way {
            Way::Upright => (SHORT, LONG),
            Way::Across => (LONG, SHORT),
        };
        Self { way, width, height, ops: Vec::new(), links: Vec::new() }
    }

    /// Width between the margins.
    pub(super) fn measure(&self) -> f32 {
        self.width - 2.0 * MARGIN
    }

    /// Where the last line ends at the latest.
    pub(super) fn foot(&self) -> f32 {
        self.height - BOTTOM
    }

    pub(super) fn point(&self, x: f32, y: f32) -> Point {
        Point { x: Pt(tidy(x)), y: Pt(tidy(self.height - y)) }
    }

    pub(super) fn ink(&mut self, ink: Ink) {
        self.ops.push(Op::SetFillColor { col: color(ink) });
    }

    /// A ground.
    pub(super) fn fill(&mut self, area: Area, ink: Ink) {
        self.ink(ink);
        self.ops.push(Op::DrawRectangle { rectangle: self.rect(area, PaintMode::Fill) });
    }

    /// A ground with round corners.
    pub(super) fn fill_round(&mut self, area: Area, radius: f32, ink: Ink) {
        let radius = radius.min(area.width / 2.0).min(area.height / 2.0);
        let (left, top) = (area.x, area.y);
        let (right, low) = (area.x + area.width, area.y + area.height);
        let near = radius * (1.0 - ROUND);
        let corners = [
            [(left, top + radius), (left, top + near), (left + near, top), (left + radius, top)],
            [(right - radius, top), (right - near, top), (right, top + near), (right, top + radius)],
            [(right, low - radius), (right, low - near), (right - near, low), (right - radius, low)],
            [(left + radius, low), (left + near, low), (left, low - near), (left, low - radius)],
        ];
        let points = corners
            .iter()
            .flat_map(|corner| corner.iter().enumerate())
            .map(|(index, (x, y))| LinePoint { p: self.point(*x, *y), bezier: matches!(index, 1 | 2) })
            .collect();
        self.ink(ink);
        self.ops.push(Op::DrawPolygon {
            polygon: Polygon {
                rings: vec![PolygonRing { points }],
                mode: PaintMode::Fill,
                winding_order: WindingOrder::NonZero,
            },
        });
    }

    /// A rule from left to right.
    pub(super) fn rule(&mut self, x: f32, y: f32, length: f32, thickness: f32, ink: Ink) {
        self.ops.push(Op::SetOutlineColor { col: color(ink) });
        self.ops.push(Op::SetOutlineThickness { pt: Pt(thickness) });
        self.ops.push(Op::SetLineDashPattern { dash: LineDashPattern::solid() });
        self.ops.push(Op::SetLineCapStyle { cap: LineCapStyle::Butt });
        let points = [(x, y), (x + length, y)].map(|(x, y)| LinePoint { p: self.point(x, y), bezier: false }).to_vec();
        self.ops.push(Op::DrawLine { line: Stroke { points, is_closed: false } });
    }

    /// A line of text; `y` is its baseline.
    pub(super) fn text(&mut self, line: &Line, x: f32, y: f32, size: f32, ink: Ink) {
        if line.pieces.is_empty() {
            return;
        }
        let baseline = self.height - y;
        self.ops.push(Op::StartTextSection);
        self.ink(ink);
        for piece in &line.pieces {
            let font = PdfFontHandle::External(font_of(piece.face()));
            self.ops.push(Op::SetFont { font, size: Pt(size) });
            match piece {
                Piece::Plain { x: offset, text, .. } => {
                    self.place(x + offset * size, baseline);
                    self.ops.push(Op::ShowText { items: vec![TextItem::Text(text.clone())] });
                }
                Piece::Shaped { glyphs, .. } => {
                    for glyph in glyphs {
                        self.place(x + glyph.x * size, baseline + glyph.y * size);
                        let codepoint = Codepoint::with_cid(glyph.id, 0.0, glyph.text.clone());
                        self.ops.push(Op::ShowText { items: vec![TextItem::GlyphIds(vec![codepoint])] });
                    }
                }
            }
        }
        self.ops.push(Op::EndTextSection);
    }

    /// A glyph of a picture, at its place and turned as it is turned there.
    pub(super) fn glyph(&mut self, line: &Line, size: f32, matrix: [f32; 6]) {
        for piece in &line.pieces {
            if let Piece::Shaped { face, glyphs } = piece {
                let font = Op::SetFont { font: PdfFontHandle::External(font_of(*face)), size: Pt(size) };
                // Said once for a word: what stands between the glyphs would part it.
                if self.ops.iter().rev().find(|op| matches!(op, Op::SetFont { .. } | Op::StartTextSection))
                    != Some(&font)
                {
                    self.ops.push(font);
                }
                for glyph in glyphs {
                    self.ops.push(Op::SetTextMatrix { matrix: TextMatrix::Raw(matrix) });
                    let codepoint = Codepoint::with_cid(glyph.id, 0.0, glyph.text.clone());
                    self.ops.push(Op::ShowText { items: vec![TextItem::GlyphIds(vec![codepoint])] });
                }
            }
        }
    }

    fn place(&mut self, x: f32, y: f32) {
        self.ops.push(Op::SetTextMatrix { matrix: TextMatrix::Raw([1.0, 0.0, 0.0, 1.0, tidy(x), tidy(y)]) });
    }

    /// Draws with this transparency until [`Sheet::restore`].
    pub(super) fn with_state(&mut self, state: &str) {
        self.ops.push(Op::SaveGraphicsState);
        self.ops.push(Op::LoadGraphicsState { gs: ExtendedGraphicsStateId(state.to_owned()) });
    }

    pub(super) fn restore(&mut self) {
        self.ops.push(Op::RestoreGraphicsState);
    }

    /// A picture of pixels.
    pub(super) fn image(&mut self, name: &str, area: Area) {
        let at = self.point(area.x, area.y + area.height);
        self.ops.push(Op::SaveGraphicsState);
        self.ops.push(Op::SetTransformationMatrix {
            matrix: CurTransMat::Raw([tidy(area.width), 0.0, 0.0, tidy(area.height), at.x.0, at.y.0]),
        });
        self.ops.push(Op::UseXobject {
            id: XObjectId(name.to_owned()),
            transform: XObjectTransform { no_auto_scale: true, ..XObjectTransform::default() },
        });
        self.ops.push(Op::RestoreGraphicsState);
    }

    pub(super) fn link(&mut self, area: Area, target: Target) {
        self.links.push((area, target));
    }

    fn rect(&self, area: Area, mode: PaintMode) -> Rect {
        let corner = self.point(area.x, area.y + area.height);
        let mut rect = Rect::from_xywh(corner.x, corner.y, Pt(tidy(area.width)), Pt(tidy(area.height)));
        rect.mode = Some(mode);
        rect
    }

    /// The links as operations; pages lie at these heights.
    pub(super) fn set_links(&mut self, heights: &[f32]) {
        for (area, target) in std::mem::take(&mut self.links) {
            let actions = match target {
                Target::Address(address) => Actions::Uri(address),
                Target::Page(page, y) => Actions::Goto(Destination::Xyz {
                    page: page + 1,
                    left: None,
                    top: Some(tidy(heights.get(page).copied().unwrap_or(LONG) - y)),
                    zoom: None,
                }),
            };
            let link = LinkAnnotation::new(
                self.rect(area, PaintMode::Fill),
                actions,
                Some(BorderArray::Solid([0.0; 3])),
                Some(ColorArray::Transparent),
                Some(HighlightingMode::None),
            );
            self.ops.push(Op::LinkAnnotation { link });
        }
    }
}

pub(super) fn color(ink: Ink) -> Color {
    Color::Rgb(Rgb { r: ink.red, g: ink.green, b: ink.blue, icc_profile: None })
}

/// Thousandths of a point: finer than any printer, and shorter in the file. What is no number becomes 0, as the file would break.
pub(super) fn tidy(value: f32) -> f32 {
    if value.is_finite() { (value * 1_000.0).round() / 1_000.0 } else { 0.0 }
}
