//! Charts: the SVG that ECharts drew becomes paths and text of the page. usvg says what each element is; fills, strokes, dashes, clips,
//! opacities and gradients have their like in a PDF. What has none is drawn as pixels (`raster.rs`), and a note says so.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use printpdf::{
    GradientStop, LineCapStyle, LineDashPattern, LineJoinStyle, LinePoint, Op, PaintMode, Point, Polygon, PolygonRing,
    Pt, Shading, ShadingGeometry, ShadingId, WindingOrder,
};
use rtv_core::report::{ChartKind, FilledBlock, Table};
use usvg::fontdb;
use usvg::tiny_skia_path::{Path as Outline, PathSegment, Transform};
use usvg::{FillRule, Group, LineCap, LineJoin, LinearGradient, Node, Paint, Path, SpreadMethod, Text, Tree};

use super::face::{REPLACEMENT, Weight};
use super::ink::Ink;
use super::line::{Glyph, Line, is_unseen};
use super::press::{LEADING, Press, SMALL, Veil};
use super::sheet::{Area, MARGIN, Sheet, Way, color, tidy};
use super::{raster, table};

/// Higher charts are made narrower, points.
const HIGHEST: f32 = 340.0;
/// Bytes of an SVG; ECharts draws years of days in a tenth of it.
const LONGEST: usize = 8 << 20;

/// How SVGs are read: with the fonts of the report and no others.
pub(super) struct Drawing {
    fonts: Arc<fontdb::Database>,
    faces: HashMap<fontdb::ID, usize>,
    regular: Option<fontdb::ID>,
    bold: Option<fontdb::ID>,
}

impl Drawing {
    pub(super) fn new(faces: &super::face::Faces) -> Self {
        let mut fonts = fontdb::Database::new();
        let mut known = HashMap::new();
        let mut firsts = Vec::new();
        for (number, bytes) in faces.files().into_iter().enumerate() {
            let ids = fonts.load_font_source(fontdb::Source::Binary(bytes));
            if let Some(id) = ids.first() {
                known.insert(*id, number);
            }
            firsts.push(ids.first().copied());
        }
        let of = |number: usize| firsts.get(number).copied().flatten();
        Self { regular: of(0), bold: of(1), fonts: Arc::new(fonts), faces: known }
    }

    fn read(&self, svg: &str) -> Result<Tree, String> {
        if svg.len() > LONGEST {
            return Err(format!("it has more than {LONGEST} bytes"));
        }
        let (regular, bold) = (self.regular, self.bold);
        let options = usvg::Options {
            fontdb: Arc::clone(&self.fonts),
            font_resolver: usvg::FontResolver {
                // Whatever the SVG asks for, the report has one family.
                select_font: Box::new(move |font, _| if font.weight() >= 600 { bold } else { regular }),
                select_fallback: usvg::FontResolver::default_fallback_selector(),
            },
            // Nothing is fetched and no file is read for a chart.
            image_href_resolver: usvg::ImageHrefResolver {
                resolve_data: Box::new(|_, _, _| None),
                resolve_string: Box::new(|_, _| None),
            },
            ..usvg::Options::default()
        };
        // The library has had panics on rare texts; a report is not to fail for a chart.
        catch_unwind(AssertUnwindSafe(|| Tree::from_str(svg, &options)))
            .map_err(|_| "the library that reads it failed".to_owned())?
            .map_err(|error| error.to_string())
    }
}

pub(super) fn draw(
    press: &mut Press,
    block: &FilledBlock,
    kind: ChartKind,
    table: &Table,
    picture: Option<&super::Picture>,
) {
    let reason = match picture {
        Some(picture) => {
            let drawing = Arc::clone(&press.drawing);
            match drawing.read(&picture.svg) {
                Ok(tree) => return draw_picture(press, &block.title, table, &picture.notes, &tree),
                Err(reason) => format!("its picture could not be read ({reason})"),
            }
        }
        None => "there is no picture of it".into(),
    };
    press.note(format!("The chart “{}” is shown as its table, because {reason}.", block.title));
    let remark = format!("{} chart, shown as its table, because {reason}.", kind.label());
    table::draw(press, &block.title, table, Some(&remark));
}

fn draw_picture(press: &mut Press, title: &str, table: &Table, notes: &[String], tree: &Tree) {
    let size = tree.size();
    press.lay(Way::Upright);
    let measure = Sheet::new(Way::Upright).measure();
    let width = measure.min(HIGHEST * size.width() / size.height());
    let height = width * size.height() / size.width();
    let above = if table.is_cut() { SMALL * LEADING * 2.0 } else { 0.0 };
    // What the picture leaves out stands on its page.
    let mut below = 0.0;
    for note in notes {
        #[expect(clippy::cast_precision_loss, reason = "a sentence has few lines")]
        let lines = press.lines(note, Weight::Regular, SMALL, measure).len() as f32;
        below += lines * SMALL * LEADING + 2.0;
    }
    press.begin_block(title, above + height + 8.0 + below);
    table::say_what_is_cut(press, table);
    press.need(height);
    let area = Area { x: MARGIN, y: press.y, width, height };
    let scale = width / size.width();
    let mut picture = Picture { press, drawn: 0, to_page: Transform::from_row(scale, 0.0, 0.0, scale, area.x, area.y) };
    picture.group(tree.root(), 1.0);
    let pixels = picture.drawn;
    if pixels > 0 {
        press.note(format!(
            "Of the chart “{title}”, {pixels} {} drawn as pixels at {} dpi, because a PDF has no paths for it.",
            if pixels == 1 { "part is" } else { "parts are" },
            raster::DPI
        ));
    }
    press.y = area.y + height + 6.0;
    press.remarks(notes);
    press.remarks(&table.notes);
    press.end_block();
}

/// A chart on its way to the page.
struct Picture<'a> {
    press: &'a mut Press,
    /// From the SVG to the page, `y` down.
    to_page: Transform,
    /// Parts that were drawn as pixels.
    drawn: usize,
}

impl Picture<'_> {
    fn group(&mut self, group: &Group, opacity: f32) {
        let opacity = opacity * group.opacity().get();
        let mut clips = 0;
        let mut clip = group.clip_path();
        while let Some(one) = clip {
            self.clip(one, group.abs_transform());
            clips += 1;
            clip = one.clip_path();
        }
        for node in group.children() {
            self.node(node, opacity);
        }
        for _ in 0..clips {
            self.push(Op::RestoreGraphicsState);
        }
    }

    fn node(&mut self, node: &Node, opacity: f32) {
        if !is_drawn(node) {
            if raster::draw(self.press, node, self.to_page, opacity) {
                self.drawn += 1;
            }
            return;
        }
        match node {
            Node::Group(group) => self.group(group, opacity),
            Node::Path(path) => self.path(path, opacity),
            Node::Text(text) => self.text(text, opacity),
            Node::Image(_) => {}
        }
    }

    fn push(&mut self, op: Op) {
        self.press.sheet().ops.push(op);
    }

    fn clip(&mut self, clip: &usvg::ClipPath, at: Transform) {
        let to_page = self.to_page.pre_concat(at).pre_concat(clip.transform());
        let mut rings = Vec::new();
        let mut rule = WindingOrder::NonZero;
        self.clip_rings(clip.root(), to_page, &mut rings, &mut rule);
        self.push(Op::SaveGraphicsState);
        if rings.is_empty() {
            // A clip without a shape shows nothing.
            let nothing = self.point(0.0, 0.0);
            rings.push(PolygonRing { points: vec![LinePoint { p: nothing, bezier: false }; 3] });
        }
        self.push(Op::DrawPolygon { polygon: Polygon { rings, mode: PaintMode::Clip, winding_order: rule } });
    }

    fn clip_rings(&mut self, group: &Group, to_page: Transform, rings: &mut Vec<PolygonRing>, rule: &mut WindingOrder) {
        for node in group.children() {
            match node {
                Node::Group(group) => self.clip_rings(group, to_page, rings, rule),
                Node::Path(path) => {
                    if path.fill().is_some_and(|fill| fill.rule() == FillRule::EvenOdd) {
                        *rule = WindingOrder::EvenOdd;
                    }
                    let outlines = self.outlines(path.data(), to_page.pre_concat(path.abs_transform()));
                    rings.extend(outlines.into_iter().map(|(points, _)| PolygonRing { points }));
                }
                Node::Image(_) | Node::Text(_) => {}
            }
        }
    }

    fn path(&mut self, path: &Path, opacity: f32) {
        if !path.is_visible() {
            return;
        }
        let to_page = self.to_page.pre_concat(path.abs_transform());
        let outlines = self.outlines(path.data(), to_page);
        let fill = |picture: &mut Self| {
            if let Some(fill) = path.fill() {
                let rule = match fill.rule() {
                    FillRule::NonZero => WindingOrder::NonZero,
                    FillRule::EvenOdd => WindingOrder::EvenOdd,
                };
                picture.fill(&outlines, fill.paint(), fill.opacity().get() * opacity, rule, to_page);
            }
        };
        let stroke = |picture: &mut Self| {
            if let Some(stroke) = path.stroke() {
                picture.stroke(&outlines, stroke, opacity, to_page);
            }
        };
        match path.paint_order() {
            usvg::PaintOrder::FillAndStroke => {
                fill(self);
                stroke(self);
            }
            usvg::PaintOrder::StrokeAndFill => {
                stroke(self);
                fill(self);
            }
        }
    }

    fn fill(&mut self, outlines: &Outlines, paint: &Paint, opacity: f32, rule: WindingOrder, to_page: Transform) {
        let polygon = |mode| Op::DrawPolygon {
            polygon: Polygon {
                rings: outlines.iter().map(|(points, _)| PolygonRing { points: points.clone() }).collect(),
                mode,
                winding_order: rule,
            },
        };
        match paint {
            Paint::Color(paint) => {
                self.begin(opacity);
                self.push(Op::SetFillColor { col: color(ink(*paint)) });
                self.push(polygon(PaintMode::Fill));
                self.push(Op::RestoreGraphicsState);
            }
            Paint::LinearGradient(gradient) => {
                self.begin(opacity);
                self.push(polygon(PaintMode::Clip));
                self.shade(gradient, to_page);
                self.push(Op::RestoreGraphicsState);
            }
            // Drawn as pixels before it comes here.
            Paint::RadialGradient(_) | Paint::Pattern(_) => {}
        }
    }

    /// Paints a gradient over the clip. Where its stops are see-through in different degrees, a veil holds the degrees.
    fn shade(&mut self, gradient: &LinearGradient, to_page: Transform) {
        let to_page = to_page.pre_concat(gradient.transform());
        let page = |x: f32, y: f32, picture: &mut Self| {
            let mut point = usvg::tiny_skia_path::Point::from_xy(x, y);
            to_page.map_point(&mut point);
            let point = picture.point(point.x, point.y);
            (point.x.0, point.y.0)
        };
        let from = page(gradient.x1(), gradient.y1(), self);
        let to = page(gradient.x2(), gradient.y2(), self);
        let stops = gradient.stops();
        let opacities: Vec<(f32, f32)> = stops.iter().map(|stop| (stop.offset().get(), stop.opacity().get())).collect();
        let is_even = opacities.windows(2).all(|pair| (pair[0].1 - pair[1].1).abs() < 0.001);
        match opacities.first() {
            Some((_, opacity)) if is_even && *opacity < 1.0 => {
                let state = self.press.stock.opacity(*opacity);
                self.state(&state);
            }
            Some(_) if !is_even => {
                let state = self.press.stock.veil(Veil { from, to, stops: opacities });
                self.state(&state);
            }
            _ => {}
        }
        let shading = Shading {
            geometry: ShadingGeometry::Axial { coords: [from.0, from.1, to.0, to.1] },
            stops: stops
                .iter()
                .map(|stop| {
                    let ink = ink(stop.color());
                    GradientStop { offset: stop.offset().get(), color: [ink.red, ink.green, ink.blue] }
                })
                .collect(),
            extend: (true, true),
        };
        let name = self.press.stock.shading(shading);
        self.push(Op::PaintShading { id: ShadingId(name) });
    }

    fn stroke(&mut self, outlines: &Outlines, stroke: &usvg::Stroke, opacity: f32, to_page: Transform) {
        let Paint::Color(paint) = stroke.paint() else { return };
        let scale = scale_of(to_page);
        self.begin(stroke.opacity().get() * opacity);
        self.push(Op::SetOutlineColor { col: color(ink(*paint)) });
        self.push(Op::SetOutlineThickness { pt: Pt(tidy(stroke.width().get() * scale)) });
        let dashes: Vec<f32> = stroke.dasharray().unwrap_or_default().iter().map(|dash| tidy(dash * scale)).collect();
        // A pattern of nothing would draw nothing, or for ever.
        let dash = if dashes.iter().sum::<f32>() > 0.0 {
            LineDashPattern::new(tidy(stroke.dashoffset() * scale).max(0.0), &dashes)
        } else {
            LineDashPattern::solid()
        };
        self.push(Op::SetLineDashPattern { dash });
        self.push(Op::SetLineCapStyle {
            cap: match stroke.linecap() {
                LineCap::Butt => LineCapStyle::Butt,
                LineCap::Round => LineCapStyle::Round,
                LineCap::Square => LineCapStyle::ProjectingSquare,
            },
        });
        self.push(Op::SetLineJoinStyle {
            join: match stroke.linejoin() {
                LineJoin::Miter | LineJoin::MiterClip => LineJoinStyle::Miter,
                LineJoin::Round => LineJoinStyle::Round,
                LineJoin::Bevel => LineJoinStyle::Bevel,
            },
        });
        self.push(Op::SetMiterLimit { limit: Pt(stroke.miterlimit().get()) });
        for (points, is_closed) in outlines {
            self.push(Op::DrawLine { line: printpdf::Line { points: points.clone(), is_closed: *is_closed } });
        }
        self.push(Op::RestoreGraphicsState);
    }

    /// Text as text: the glyphs stand where usvg has put them.
    fn text(&mut self, text: &Text, opacity: f32) {
        let to_page = self.to_page.pre_concat(text.abs_transform());
        for span in text.layouted() {
            let Some(fill) = span.fill.as_ref().filter(|_| span.visible) else { continue };
            let Paint::Color(paint) = fill.paint() else { continue };
            self.begin(fill.opacity().get() * opacity);
            self.push(Op::StartTextSection);
            self.push(Op::SetFillColor { col: color(ink(*paint)) });
            for glyph in &span.positioned_glyphs {
                self.glyph(glyph, to_page);
            }
            self.push(Op::EndTextSection);
            self.push(Op::RestoreGraphicsState);
        }
    }

    fn glyph(&mut self, glyph: &usvg::layout::PositionedGlyph, to_page: Transform) {
        let drawing = Arc::clone(&self.press.drawing);
        let Some(face) = drawing.faces.get(&glyph.font).copied() else { return };
        let Some(units) = self.press.faces.face(face).map(super::face::Face::units) else { return };
        // From the font's em, `y` up, to the page, `y` up.
        let height = self.press.sheet().height;
        let to_page = Transform::from_row(1.0, 0.0, 0.0, -1.0, 0.0, height).pre_concat(to_page);
        let em = to_page.pre_concat(glyph.outline_transform()).pre_scale(units, units);
        let size = tidy(scale_of(em));
        if size <= 0.0 {
            return;
        }
        let number = u16::try_from(glyph.id.0).unwrap_or(0);
        let (face, shown) = if number == 0 {
            for letter in glyph.text.chars().filter(|letter| !is_unseen(*letter)) {
                self.press.faces.miss(letter);
            }
            let (face, id) = self.press.faces.replacement();
            (face, Glyph { id, x: 0.0, y: 0.0, text: REPLACEMENT.to_string() })
        } else {
            let id = self.press.faces.glyph(face, number, &glyph.text);
            (face, Glyph { id, x: 0.0, y: 0.0, text: self.press.faces.copied(face, id) })
        };
        let straight = |value: f32, to: f32| if (value - to).abs() < 0.000_5 { to } else { value };
        let matrix = [
            straight(em.sx / size, 1.0),
            straight(em.ky / size, 0.0),
            straight(em.kx / size, 0.0),
            straight(em.sy / size, 1.0),
            tidy(em.tx),
            tidy(em.ty),
        ];
        self.press.sheet().glyph(&Line::of(face, shown), size, matrix);
    }

    /// Draws with this opacity until the state is restored.
    fn begin(&mut self, opacity: f32) {
        self.push(Op::SaveGraphicsState);
        if opacity < 0.999 {
            let state = self.press.stock.opacity(opacity);
            self.state(&state);
        }
    }

    fn state(&mut self, state: &str) {
        self.push(Op::LoadGraphicsState { gs: printpdf::ExtendedGraphicsStateId(state.to_owned()) });
    }

    fn point(&mut self, x: f32, y: f32) -> Point {
        self.press.sheet().point(x, y)
    }

    /// An outline's parts on the page, and whether each is closed.
    fn outlines(&mut self, outline: &Outline, to_page: Transform) -> Outlines {
        let mut outlines: Outlines = Vec::new();
        let mut last = usvg::tiny_skia_path::Point::zero();
        let mut start = last;
        let Some(outline) = outline.clone().transform(to_page) else { return outlines };
        for segment in outline.segments() {
            match segment {
                PathSegment::MoveTo(to) => {
                    let p = self.point(to.x, to.y);
                    outlines.push((vec![LinePoint { p, bezier: false }], false));
                    (start, last) = (to, to);
                }
                PathSegment::LineTo(to) => {
                    let p = self.point(to.x, to.y);
                    self.go_on(&mut outlines, start, &[LinePoint { p, bezier: false }]);
                    last = to;
                }
                PathSegment::QuadTo(by, to) => {
                    let third = |a: f32, b: f32| a + (b - a) * 2.0 / 3.0;
                    let first = self.point(third(last.x, by.x), third(last.y, by.y));
                    let second = self.point(third(to.x, by.x), third(to.y, by.y));
                    self.curve(&mut outlines, start, [first, second], to);
                    last = to;
                }
                PathSegment::CubicTo(first, second, to) => {
                    let handles = [self.point(first.x, first.y), self.point(second.x, second.y)];
                    self.curve(&mut outlines, start, handles, to);
                    last = to;
                }
                PathSegment::Close => {
                    if let Some((_, is_closed)) = outlines.last_mut() {
                        *is_closed = true;
                    }
                    last = start;
                }
            }
        }
        outlines
    }

    fn curve(
        &mut self,
        outlines: &mut Outlines,
        start: usvg::tiny_skia_path::Point,
        [first, second]: [Point; 2],
        to: usvg::tiny_skia_path::Point,
    ) {
        let p = self.point(to.x, to.y);
        let points = [
            LinePoint { p: first, bezier: true },
            LinePoint { p: second, bezier: true },
            LinePoint { p, bezier: false },
        ];
        self.go_on(outlines, start, &points);
    }

    /// What follows a closed part without a move begins where that began.
    fn go_on(&mut self, outlines: &mut Outlines, start: usvg::tiny_skia_path::Point, points: &[LinePoint]) {
        if outlines.last().is_none_or(|(_, is_closed)| *is_closed) {
            let p = self.point(start.x, start.y);
            outlines.push((vec![LinePoint { p, bezier: false }], false));
        }
        if let Some((current, _)) = outlines.last_mut() {
            current.extend_from_slice(points);
        }
    }
}

/// Parts of an outline, and whether each is closed.
type Outlines = Vec<(Vec<LinePoint>, bool)>;

/// Whether a PDF has paths for it. Its children are asked when they are drawn.
fn is_drawn(node: &Node) -> bool {
    match node {
        Node::Group(group) => {
            group.mask().is_none()
                && group.filters().is_empty()
                && group.blend_mode() == usvg::BlendMode::Normal
                && clips_are_paths(group)
        }
        Node::Path(path) => {
            let fill = path.fill().is_none_or(|fill| match fill.paint() {
                Paint::Color(_) => true,
                Paint::LinearGradient(gradient) => gradient.spread_method() == SpreadMethod::Pad,
                Paint::RadialGradient(_) | Paint::Pattern(_) => false,
            });
            fill && path.stroke().is_none_or(|stroke| matches!(stroke.paint(), Paint::Color(_)))
        }
        Node::Text(text) => text.layouted().iter().all(|span| {
            span.stroke.is_none() && span.fill.as_ref().is_none_or(|fill| matches!(fill.paint(), Paint::Color(_)))
        }),
        Node::Image(_) => false,
    }
}

fn clips_are_paths(group: &Group) -> bool {
    fn is_path(group: &Group) -> bool {
        group.children().iter().all(|node| match node {
            Node::Path(_) => true,
            Node::Group(group) => group.clip_path().is_none() && is_path(group),
            Node::Image(_) | Node::Text(_) => false,
        })
    }
    let mut clip = group.clip_path();
    while let Some(one) = clip {
        if !is_path(one.root()) {
            return false;
        }
        clip = one.clip_path();
    }
    true
}

/// How much larger things become.
fn scale_of(transform: Transform) -> f32 {
    (transform.sx * transform.sy - transform.kx * transform.ky).abs().sqrt()
}

fn ink(color: usvg::Color) -> Ink {
    Ink::new(f32::from(color.red) / 255.0, f32::from(color.green) / 255.0, f32::from(color.blue) / 255.0)
}
