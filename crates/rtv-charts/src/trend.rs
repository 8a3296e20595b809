//! The large trend chart: a measure over days, weeks or months, the previous period as a dashed grey line, top posts marked. Quiet by
//! intent: few gridlines, few labels, names at the line ends instead of a legend, no movement.

use charming::Chart;
use charming::component::{Axis, Grid, Title};
use charming::datatype::{CompositeValue, DataPoint, DataPointItem};
use charming::element::{
    AreaStyle, AxisLabel, AxisLine, AxisPointer, AxisPointerType, AxisTick, AxisType, Color, ColorStop, ItemStyle,
    LineStyle, LineStyleType, SplitLine, Symbol, Tooltip, Trigger,
};
use charming::series::Line;
use serde_json::{Value, json};

use crate::frame::{FONT_SIZE, NAME_ROOM, NARROW, TOOLTIP, every, font_family, legend_rows, nothing};
use crate::number::{self, NumberStyle, Unit};
use crate::option::overlay;
use crate::palette::{Palette, SeriesColour, Theme};
use crate::scale::Scale;
use crate::text::{fit, plain, width};

/// The text beside a mark; longer ones are cut, the page lists them in full.
const MARK_ROOM: f64 = 150.0;
/// About so many dates along the bottom of a wide and of a narrow chart.
const DATES: usize = 7;
const DATES_NARROW: usize = 4;

/// A measure over time.
#[derive(Debug, Clone, PartialEq)]
pub struct TrendChart {
    /// Name of the chart, for people who cannot see it.
    pub title: String,
    /// What it shows, in a sentence or two, for people who cannot see it.
    pub summary: String,
    /// What the values measure.
    pub unit: Unit,
    /// Days, weeks or months, oldest first, as they are to be read.
    pub categories: Vec<String>,
    /// One to five lines. Values beyond the categories are ignored, missing ones are gaps.
    pub series: Vec<Series>,
    /// Remarkable places on the first current line, the most important first: where texts would collide, later ones keep only their dot.
    pub marks: Vec<Mark>,
    /// How numbers are written.
    pub numbers: NumberStyle,
    /// CSS font family, such as `system-ui, sans-serif`; a shipped font where the reader's are not at hand.
    pub font_family: String,
    /// Shown in place of lines while no value is known, such as "No data in this period".
    pub no_data: String,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Shown at the end of the line and in the tooltip.
    pub name: String,
    /// One value a category; `None` is a gap, never 0.
    pub values: Vec<Option<f64>>,
    /// Whether the line is looked at or compared with.
    pub role: Role,
}

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The period looked at: full colour.
    Current,
    /// The period compared with: dashed grey.
    Previous,
}

/// A remarkable place, such as a top post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Index of the category.
    pub index: usize,
    /// What happened there.
    pub label: String,
}

/// A line together with how it is drawn.
struct Drawn<'a> {
    name: String,
    values: Vec<Option<f64>>,
    role: Role,
    look: &'a SeriesColour,
}

impl Drawn<'_> {
    fn known(&self, index: usize) -> Option<f64> {
        self.values.get(index).copied().flatten()
    }

    /// Width of the line, px.
    fn width(&self) -> f64 {
        match self.role {
            Role::Current => 2.0,
            Role::Previous => 1.5,
        }
    }
}

impl TrendChart {
    /// The `ECharts` option as JSON: data only, no functions, fit for `chart.js` in the browser and for the renderer alike.
    // The panic stated below cannot happen, so callers need not know of it.
    #[allow(clippy::missing_panics_doc)]
    pub fn option(&self, theme: Theme) -> String {
        let palette = theme.palette();
        let lines = self.lines(palette);
        let scale = Scale::covering(lines.iter().flat_map(|line| line.values.iter().flatten().copied()), &self.unit);
        let chart = self.base(palette, &lines, &scale);
        // charming's types are plain data with string keys; such data always serialises.
        let mut option = serde_json::to_value(chart).expect("a chart of plain data serialises");
        overlay(&mut option, self.additions(theme, &lines, &scale));
        option.to_string()
    }

    fn lines<'a>(&self, palette: &'a Palette) -> Vec<Drawn<'a>> {
        let mut next = 0;
        self.series
            .iter()
            .map(|series| {
                let look = match series.role {
                    Role::Previous => palette.muted(),
                    Role::Current => {
                        next += 1;
                        // The eighth colour is kept for "Other"; more than five lines are not legible anyway.
                        &palette.series[(next - 1) % (palette.series.len() - 1)]
                    }
                };
                let mut values = series.values.clone();
                values.resize(self.categories.len(), None);
                for value in &mut values {
                    *value = value.filter(|value| value.is_finite());
                }
                Drawn { name: fit(&plain(&series.name), FONT_SIZE, NAME_ROOM), values, role: series.role, look }
            })
            .collect()
    }

    /// All that charming's types can say.
    fn base(&self, palette: &Palette, lines: &[Drawn<'_>], scale: &Scale) -> Chart {
        let quiet_label = || AxisLabel::new().color(palette.text_3.hex).font_size(FONT_SIZE);
        let no_ticks = || AxisTick::new().show(false);
        let categories: Vec<String> = self.categories.iter().map(|category| plain(category)).collect();
        let dates = Axis::new()
            .type_(AxisType::Category)
            .boundary_gap(self.categories.len() < 2)
            .data(categories)
            .axis_line(AxisLine::new().show(false))
            .axis_tick(no_ticks())
            .axis_label(quiet_label().interval(every(self.categories.len(), DATES)));
        let values = Axis::new()
            .type_(AxisType::Value)
            .min(scale.low())
            .max(scale.high())
            .interval(scale.step)
            .axis_label(AxisLabel::new().show(false))
            .split_line(
                SplitLine::new()
                    .show(!Self::is_empty(lines))
                    .line_style(LineStyle::new().color(palette.line.hex).width(1.0)),
            );
        // The library can write numbers in English only. Its value axis therefore draws the gridlines, and this second axis, whose
        // categories are the finished labels, stands at the same heights.
        let labels = Axis::new()
            .type_(AxisType::Category)
            .show(!Self::is_empty(lines))
            .position("left")
            .boundary_gap(false)
            .data(number::ticks(&scale.ticks, scale.step, &self.unit, self.numbers))
            .axis_line(AxisLine::new().show(false))
            .axis_tick(no_ticks())
            .axis_label(quiet_label().interval(0.0))
            .axis_pointer(AxisPointer::new().show(false));
        let tooltip = Tooltip::new()
            .trigger(Trigger::Axis)
            .formatter(TOOLTIP)
            .background_color(palette.raised.hex)
            .border_color(palette.line.hex)
            .border_width(1.0)
            .padding((8.0, 12.0))
            .axis_pointer(
                AxisPointer::new()
                    .type_(AxisPointerType::Line)
                    .line_style(LineStyle::new().color(palette.text_3.hex).width(1.0).type_(LineStyleType::Solid)),
            );
        let mut chart = Chart::new()
            .title(Title::new().show(false).text(plain(&self.title)))
            .animation(false)
            .background_color("transparent")
            .color(lines.iter().map(|line| line.look.colour.hex).collect())
            .tooltip(tooltip)
            .grid(self.grid(lines))
            .x_axis(dates)
            .y_axis(values)
            .y_axis(labels);
        for (position, line) in lines.iter().enumerate() {
            chart = chart.series(self.line(position, line, lines));
        }
        chart
    }

    fn grid(&self, lines: &[Drawn<'_>]) -> Grid {
        let names = if lines.len() > 1 {
            lines.iter().map(|line| width(&line.name, FONT_SIZE)).fold(0.0, f64::max) + 20.0
        } else {
            12.0
        };
        let top = if self.marks.is_empty() { 12.0 } else { 30.0 };
        Grid::new().left(4.0).top(top).right(names.ceil()).bottom(4.0)
    }

    /// Nothing is known, so there is nothing to measure either.
    fn is_empty(lines: &[Drawn<'_>]) -> bool {
        lines.iter().all(|line| line.values.iter().all(Option::is_none))
    }

    fn line(&self, position: usize, line: &Drawn<'_>, lines: &[Drawn<'_>]) -> Line {
        let colour = line.look.colour.hex;
        let is_current = line.role == Role::Current;
        let data: Vec<DataPoint> = line
            .values
            .iter()
            .enumerate()
            .map(|(index, value)| {
                let text = self.tooltip_text(index, position, line, lines.len());
                DataPoint::from(DataPointItem::new(CompositeValue::from(*value)).name(text))
            })
            .collect();
        let mut drawn = Line::new()
            .name(line.name.as_str())
            .data(data)
            .connect_nulls(false)
            .show_symbol(false)
            .symbol(Symbol::Circle)
            .symbol_size(7.0)
            .line_style(LineStyle::new().color(colour).width(line.width()))
            .item_style(ItemStyle::new().color(colour))
            .z(if is_current { 3 } else { 2 });
        let is_alone = lines.iter().filter(|line| line.role == Role::Current).count() == 1;
        if is_current && is_alone && !matches!(self.unit, Unit::Score) {
            drawn = drawn.area_style(AreaStyle::new().opacity(1.0).color(Color::LinearGradient {
                x: 0.0,
                y: 0.0,
                x2: 0.0,
                y2: 1.0,
                color_stops: vec![
                    ColorStop::new(0.0, line.look.colour.faded(0.12)),
                    ColorStop::new(1.0, line.look.colour.faded(0.0)),
                ],
            }));
        }
        drawn
    }

    /// The tooltip shows the names of the points, one below the other: so every word and digit in it is written here.
    fn tooltip_text(&self, index: usize, position: usize, line: &Drawn<'_>, lines: usize) -> String {
        let value =
            line.values[index].map_or_else(|| "—".to_owned(), |value| number::full(value, &self.unit, self.numbers));
        let mut text = format!("{}: {value}", line.name);
        if position == 0 {
            text = format!("{}\n{text}", plain(&self.categories[index]));
        }
        if position + 1 == lines {
            for mark in self.marks.iter().filter(|mark| mark.index == index) {
                text.push_str("\n● ");
                text.push_str(&fit(&plain(&mark.label), FONT_SIZE, 3.0 * MARK_ROOM));
            }
        }
        text
    }

    /// What charming has no words for.
    fn additions(&self, theme: Theme, lines: &[Drawn<'_>], scale: &Scale) -> Value {
        let palette = theme.palette();
        let font_family = font_family(&self.font_family);
        let marked = lines.iter().position(|line| line.role == Role::Current);
        let series: Vec<Value> = lines
            .iter()
            .enumerate()
            .map(|(position, line)| {
                let marks = if Some(position) == marked { self.marks.as_slice() } else { &[] };
                let dash = match line.role {
                    Role::Previous => json!([4, 4]),
                    Role::Current if line.look.dash.is_empty() => json!("solid"),
                    Role::Current => json!(line.look.dash),
                };
                let mut extra = json!({
                    "cursor": "default",
                    "symbol": line.look.symbol,
                    "lineStyle": {"type": dash, "join": "round"},
                    // Under the pointer only the dot appears; the line stays as it is.
                    "emphasis": {"scale": false, "lineStyle": {"width": line.width(), "type": dash}},
                    "endLabel": {
                        "show": lines.len() > 1, "formatter": line.name, "color": palette.text_2.hex,
                        "fontSize": FONT_SIZE, "distance": 8
                    },
                    "labelLayout": {"moveOverlap": "shiftY"},
                    "markPoint": rings_and_dots(line, marks, palette),
                });
                let mut mark_lines = flags(line, marks, palette, scale.high());
                if position == 0 && scale.low() < 0.0 && scale.high() > 0.0 {
                    let zero = json!({"color": palette.text_3.hex, "opacity": 1});
                    mark_lines.push(json!({"yAxis": 0, "label": {"show": false}, "lineStyle": zero}));
                }
                overlay(
                    &mut extra,
                    json!({"markLine": {
                        "silent": true, "symbol": "none", "z": 1, "data": mark_lines,
                        "lineStyle": {"width": 1, "type": "solid"},
                        "label": {
                            "show": true, "position": "end", "distance": 8,
                            "color": palette.text_2.hex, "fontSize": FONT_SIZE
                        }
                    }}),
                );
                extra
            })
            .collect();

        let grid = serde_json::to_value(self.grid(lines)).unwrap_or_default();
        let wide = self.width_rule(lines, true, &grid);
        let legend_rows =
            if lines.len() > 1 { legend_rows(lines.iter().map(|line| line.name.as_str()), 280.0) } else { 0 };
        let narrow_grid = json!({"right": 12, "top": 14 + 25 * legend_rows});
        let narrow = self.width_rule(lines, false, &narrow_grid);
        let mut additions = json!({
            "darkMode": theme == Theme::Dark,
            "textStyle": {"fontFamily": font_family, "color": palette.text.hex},
            "aria": {"enabled": true, "label": {"enabled": true, "description": plain(&self.summary)}},
            "grid": [{"outerBoundsMode": "same", "outerBoundsContain": "axisLabel"}],
            "legend": {
                "show": false, "left": 0, "top": 4, "padding": 0, "itemGap": 16, "itemWidth": 22, "itemHeight": 8,
                "icon": "path://M0 3h22v2h-22z", "selectedMode": false, "formatter": "{name}",
                "textStyle": {"color": palette.text_2.hex, "fontSize": FONT_SIZE}
            },
            "tooltip": {
                "renderMode": "richText", "confine": true, "transitionDuration": 0, "order": "seriesAsc", "borderRadius": 6,
                "textStyle": {"color": palette.text.hex, "fontSize": FONT_SIZE, "lineHeight": 18, "fontFamily": font_family}
            },
            "xAxis": {"axisLabel": {"margin": 12, "hideOverlap": true, "alignMinLabel": "left", "alignMaxLabel": "right"}},
            "yAxis": [{}, {"axisLabel": {"margin": 12}, "splitLine": {"show": false}}],
            "series": series,
            "media": [{"query": {"maxWidth": NARROW - 1}, "option": narrow}, {"option": wide}],
        });
        if Self::is_empty(lines) {
            overlay(&mut additions, json!({"graphic": [nothing(&self.no_data, palette, &font_family)]}));
        }
        additions
    }

    /// What depends on the width of the chart.
    fn width_rule(&self, lines: &[Drawn<'_>], is_wide: bool, grid: &Value) -> Value {
        let has_end_labels = is_wide && lines.len() > 1;
        let dates = if is_wide { DATES } else { DATES_NARROW };
        let series: Vec<Value> = lines
            .iter()
            .map(|_| {
                json!({
                    "endLabel": {"show": has_end_labels},
                    "markLine": {"label": {"show": is_wide}, "lineStyle": {"opacity": u8::from(is_wide)}}
                })
            })
            .collect();
        json!({
            "grid": [grid],
            "legend": {"show": lines.len() > 1 && !has_end_labels},
            "xAxis": {"axisLabel": {"interval": every(self.categories.len(), dates)}},
            "series": series,
        })
    }
}

/// Lone points, which a line between neighbours would not show, as dots; top posts as rings.
fn rings_and_dots(line: &Drawn<'_>, marks: &[Mark], palette: &Palette) -> Value {
    let colour = line.look.colour.hex;
    let mut points = Vec::new();
    for (index, value) in line.values.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| line.known(index));
        if let (Some(value), None, None) = (value, before, line.known(index + 1)) {
            points.push(json!({"coord": [index, value], "symbolSize": 6, "itemStyle": {"color": colour}}));
        }
    }
    for mark in marks {
        if let Some(value) = line.known(mark.index) {
            points.push(json!({
                "coord": [mark.index, value],
                "symbolSize": 9,
                "itemStyle": {"color": palette.surface.hex, "borderColor": colour, "borderWidth": 2},
            }));
        }
    }
    json!({"symbol": "circle", "silent": true, "label": {"show": false}, "data": points})
}

/// The texts of marks stand above the plot, where no line crosses them, each at the end of a thin line that rises from its ring.
fn flags(line: &Drawn<'_>, marks: &[Mark], palette: &Palette, top: f64) -> Vec<Value> {
    let count = line.values.len();
    let mut taken: Vec<usize> = Vec::new();
    let mut flags = Vec::new();
    for mark in marks {
        let Some(value) = line.known(mark.index) else {
            continue;
        };
        // A text takes about a fifth of a chart's width.
        if taken.iter().any(|other| other.abs_diff(mark.index) * 5 < count) {
            continue;
        }
        taken.push(mark.index);
        let text = fit(&plain(&mark.label), FONT_SIZE, MARK_ROOM);
        flags.push(json!([
            {
                "name": text.as_str(), "coord": [mark.index, value],
                "label": {"align": label_side(mark.index, count), "formatter": text}, "lineStyle": {"color": palette.text_3.hex}
            },
            {"coord": [mark.index, top]}
        ]));
    }
    flags
}

/// Texts near an edge grow away from it.
fn label_side(index: usize, count: usize) -> &'static str {
    if index * 6 < count {
        "left"
    } else if (index + 1) * 6 > count * 5 {
        "right"
    } else {
        "center"
    }
}
