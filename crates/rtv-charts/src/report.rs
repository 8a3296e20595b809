//! The charts of reports: one description for every kind that a report can show, made by hand or out of a filled table
//! ([`ReportChart::of`]). It becomes an option as the trend does: the same in the browser, as a picture and on paper. How each family
//! is drawn stands in its file below `report/`, what is taken out of a table and what is left out of it in `report/table.rs`.

use rtv_core::Brand;
use rtv_core::report::ChartKind;
use serde_json::{Value, json};

use crate::frame::{FONT_SIZE, NARROW, every, font_family, legend_rows, manners, nothing};
use crate::number::{self, NumberStyle, Unit};
use crate::option::overlay;
use crate::palette::Theme;
use crate::report::ink::Inks;
use crate::scale::Scale;
use crate::text::{fit, plain, width};
use crate::trend::{Role, Series};

mod bar;
mod funnel;
mod heat;
mod ink;
mod line;
mod share;
mod table;

pub use table::{CellWords, Words};

/// What lies along the axis of a line or bar chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Along {
    /// Days, months, hours: in an order of their own, so that a label of some says what the others are.
    Time,
    /// Platforms, campaigns: each has its name beside it, and bars lie, so that there is room for names.
    Names,
}

/// Where the last of the names stands for all that have none of their own, and is grey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rest {
    /// The last category.
    pub category: bool,
    /// The last current series.
    pub series: bool,
}

/// A chart of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportChart {
    /// How it is drawn.
    pub kind: ChartKind,
    /// Name of the chart, for people who cannot see it.
    pub title: String,
    /// What it shows, in a sentence or two, for people who cannot see it.
    pub summary: String,
    /// What it leaves out and how it has to be read, in sentences; to be shown beside it.
    pub notes: Vec<String>,
    /// What the values measure.
    pub unit: Unit,
    /// What the categories are.
    pub along: Along,
    /// Along the axis, in order; the slices of a pie, the steps of a funnel, the hours of a heat map.
    pub categories: Vec<String>,
    /// Lines, bars or layers, a series of the period compared with after the one that it belongs to; the weekdays of a heat map. A pie
    /// and a funnel show the first. Values beyond the categories are ignored, missing ones are gaps.
    pub series: Vec<Series>,
    /// Which of them stand for everything else.
    pub rest: Rest,
    /// How numbers are written.
    pub numbers: NumberStyle,
    /// CSS font family, such as `system-ui, sans-serif`; a shipped font where the reader's are not at hand.
    pub font_family: String,
    /// Shown in place of a drawing while no value is known, such as "No data in this period".
    pub no_data: String,
    /// What a cell of a heat map is called of which nothing is known, such as "Not known".
    pub unknown: String,
    /// The tenant's colour, for the first series.
    pub brand: Option<Brand>,
}

impl ReportChart {
    /// The `ECharts` option as JSON: data only, no functions, fit for `chart.js` in the browser and for the renderer alike.
    // The panic stated in the families cannot happen, so callers need not know of it.
    #[allow(clippy::missing_panics_doc)]
    pub fn option(&self, theme: Theme) -> String {
        let drawing = Drawing::of(self, theme);
        if drawing.is_empty() {
            return drawing.without_values().to_string();
        }
        let option = match self.kind {
            ChartKind::Line | ChartKind::Area => line::option(&drawing),
            ChartKind::Bar | ChartKind::StackedBar => bar::option(&drawing),
            ChartKind::Pie | ChartKind::Donut => share::option(&drawing),
            ChartKind::HeatMap => heat::option(&drawing),
            ChartKind::Funnel => funnel::option(&drawing),
        };
        option.to_string()
    }

    /// A height that suits the width, px: as high as the rows need, and never so flat or high that it would not fit a page.
    pub fn height(&self, width: u32) -> u32 {
        let is_narrow = width < NARROW;
        let rows = u32::try_from(self.categories.len()).unwrap_or(u32::MAX).min(40);
        let bars = rows * u32::try_from(self.series.len()).unwrap_or(1).clamp(1, 8);
        let names = if self.series.len() > 1 { self.legend_height(f64::from(width)) } else { 0 };
        match self.kind {
            ChartKind::Bar if self.along == Along::Names => (40 + names + (bars * 16).max(rows * 30)).clamp(140, 480),
            ChartKind::StackedBar if self.along == Along::Names => (50 + names + rows * 30).clamp(160, 480),
            ChartKind::Funnel => (20 + rows * 48).clamp(120, 480),
            ChartKind::HeatMap => {
                if is_narrow {
                    240
                } else {
                    280
                }
            }
            ChartKind::Pie | ChartKind::Donut => {
                if is_narrow {
                    220
                } else {
                    280
                }
            }
            _ if is_narrow => 240 + names,
            _ => 300,
        }
    }

    fn legend_height(&self, room: f64) -> u32 {
        25 * legend_rows(self.series.iter().map(|series| series.name.as_str()), room)
    }
}

/// A series' name gets at most this much of the width: measures are compared by their periods, which stand at the end.
const NAME_ROOM: f64 = 176.0;

/// Widths that a chart is arranged for, the least px of each; between them it stretches.
const ROOMS: [f64; 4] = [280.0, 480.0, 640.0, 800.0];

/// A chart on its way to the option: names made safe, values cut to the categories, colours given.
struct Drawing<'a> {
    chart: &'a ReportChart,
    theme: Theme,
    inks: Inks,
    font: String,
    categories: Vec<String>,
    series: Vec<Drawn>,
}

/// A series with its look.
struct Drawn {
    name: String,
    values: Vec<Option<f64>>,
    role: Role,
    /// Which current series it is, or belongs to, counted from zero.
    slot: usize,
    is_rest: bool,
}

impl<'a> Drawing<'a> {
    fn of(chart: &'a ReportChart, theme: Theme) -> Self {
        let current = chart.series.iter().filter(|series| series.role == Role::Current).count();
        let wanted = match chart.kind {
            ChartKind::Pie | ChartKind::Donut => {
                chart.categories.len().saturating_sub(usize::from(chart.rest.category))
            }
            _ => current,
        };
        let mut slot: Option<usize> = None;
        let mut names: Vec<String> = Vec::new();
        let series = chart
            .series
            .iter()
            .map(|series| {
                if series.role == Role::Current {
                    slot = Some(slot.map_or(0, |slot| slot + 1));
                }
                let slot = slot.unwrap_or(0);
                let mut values = series.values.clone();
                values.resize(chart.categories.len(), None);
                for value in &mut values {
                    *value = value.filter(|value| value.is_finite());
                }
                let name = unlike(&names, &plain(&series.name), NAME_ROOM);
                names.push(name.clone());
                Drawn { name, values, role: series.role, slot, is_rest: chart.rest.series && slot + 1 == current }
            })
            .collect();
        Self {
            chart,
            theme,
            inks: Inks::of(theme, chart.brand, wanted),
            font: font_family(&chart.font_family),
            categories: chart.categories.iter().map(|category| plain(category)).collect(),
            series,
        }
    }

    fn is_empty(&self) -> bool {
        let mut values = self.series.iter().flat_map(|series| series.values.iter().flatten());
        match self.chart.kind {
            // Nothing is not a share of anything.
            ChartKind::Pie | ChartKind::Donut => {
                !self.series.first().is_some_and(|series| series.values.iter().flatten().any(|value| *value > 0.0))
            }
            ChartKind::Funnel => !self.series.first().is_some_and(|series| series.values.iter().any(Option::is_some)),
            _ => values.next().is_none(),
        }
    }

    /// The sentence that nothing is known, in the place of a drawing.
    fn without_values(&self) -> Value {
        let shell = crate::frame::shell(&self.chart.title, self.inks.palette, crate::frame::Pointer::Thing);
        self.finished(&shell, json!({"graphic": [nothing(&self.chart.no_data, self.inks.palette, &self.font)]}))
    }

    /// Lays over the chart what all have and what charming has no words for.
    fn finished(&self, chart: &charming::Chart, additions: Value) -> Value {
        // charming's types are plain data with string keys; such data always serialises.
        let mut option = serde_json::to_value(chart).expect("a chart of plain data serialises");
        overlay(&mut option, manners(self.theme, &self.font, &self.chart.summary));
        overlay(&mut option, additions);
        option
    }

    /// The same for every width, each rule made for the least width that it serves.
    fn by_width(rule: impl Fn(f64) -> Value) -> Value {
        let rules: Vec<Value> = ROOMS
            .iter()
            .enumerate()
            .map(|(index, room)| match ROOMS.get(index + 1) {
                Some(next) if index == 0 => json!({"query": {"maxWidth": next - 1.0}, "option": rule(*room)}),
                Some(next) => json!({"query": {"minWidth": room, "maxWidth": next - 1.0}, "option": rule(*room)}),
                // With a query as well: a rule without one is not prepared by the library, which then overlooks what is drawn by hand.
                None => json!({"query": {"minWidth": room}, "option": rule(*room)}),
            })
            .collect();
        json!(rules)
    }

    fn write(&self, value: Option<f64>) -> String {
        value.map_or_else(|| "—".to_owned(), |value| number::full(value, &self.chart.unit, self.chart.numbers))
    }

    fn ticks(&self, scale: &Scale) -> Vec<String> {
        number::ticks(&scale.ticks, scale.step, &self.chart.unit, self.chart.numbers)
    }

    fn currents(&self) -> usize {
        self.series.iter().filter(|series| series.role == Role::Current).count()
    }

    /// Colour of a series as the current period has it.
    fn ink(&self, series: &Drawn) -> &ink::Ink {
        if series.is_rest { self.inks.rest() } else { self.inks.named(series.slot) }
    }

    /// The tooltip shows the names of the points, one below the other: so every word and digit in it is written here.
    fn tooltip_text(&self, category: usize, position: usize) -> String {
        let series = &self.series[position];
        let text = format!("{}: {}", series.name, self.write(series.values[category]));
        if position == 0 { format!("{}\n{text}", self.categories[category]) } else { text }
    }

    /// An axis of names, as much of each as there is room for.
    fn names(&self, room: f64) -> Vec<String> {
        self.categories.iter().map(|name| fit(name, FONT_SIZE, room)).collect()
    }

    /// Quiet words beside an axis.
    fn quiet(&self) -> Value {
        json!({"color": self.inks.palette.text_3.hex, "fontSize": FONT_SIZE})
    }

    /// The legend's words and where it stands; what it shows is added by the family.
    fn legend(&self) -> Value {
        json!({
            "show": self.series.len() > 1, "left": 0, "top": 4, "padding": 0, "itemGap": 16, "itemWidth": 22, "itemHeight": 8,
            "selectedMode": false, "formatter": "{name}",
            "textStyle": {"color": self.inks.palette.text_2.hex, "fontSize": FONT_SIZE}
        })
    }

    /// Height of the legend in a chart so wide, px, with some room below it.
    fn legend_room(&self, room: f64) -> u32 {
        if self.series.len() > 1 {
            14 + 25 * legend_rows(self.series.iter().map(|series| series.name.as_str()), room)
        } else {
            12
        }
    }
}

/// As much of a name as there is room for, and unlike all others: a legend shows two of the same name as one.
fn unlike(names: &[String], name: &str, room: f64) -> String {
    let whole = fit(name, FONT_SIZE, room);
    if !names.contains(&whole) {
        return whole;
    }
    let numbered = |number: usize| {
        let number = format!(" ({number})");
        format!("{}{number}", fit(name, FONT_SIZE, room - width(&number, FONT_SIZE)))
    };
    (2..=names.len() + 2).map(numbered).find(|tried| !names.contains(tried)).unwrap_or(whole)
}

/// Value axis and labels of a chart whose values stand upright or lie. The library can write numbers in English only. Its value axis
/// therefore draws the gridlines, and a second axis, whose categories are the finished labels, stands at the same places.
fn value_axes(drawing: &Drawing<'_>, scale: &Scale, side: &str) -> [Value; 2] {
    let palette = drawing.inks.palette;
    let values = json!({
        "type": "value", "min": scale.low(), "max": scale.high(), "interval": scale.step, "position": side,
        "axisLabel": {"show": false}, "axisLine": {"show": false}, "axisTick": {"show": false},
        "splitLine": {"show": true, "lineStyle": {"color": palette.line.hex, "width": 1}},
    });
    let mut quiet = drawing.quiet();
    overlay(&mut quiet, json!({"interval": 0, "margin": 12}));
    let labels = json!({
        "type": "category", "position": side, "boundaryGap": false, "data": drawing.ticks(scale),
        "axisLine": {"show": false}, "axisTick": {"show": false}, "axisLabel": quiet, "splitLine": {"show": false},
        "axisPointer": {"show": false},
    });
    [values, labels]
}

/// Labels of an axis of times that runs from left to right, for a chart so wide.
fn times(drawing: &Drawing<'_>, room: f64) -> Value {
    let together: f64 = drawing.categories.iter().map(|name| width(name, FONT_SIZE) + 10.0).sum();
    let wanted = match room < f64::from(NARROW) {
        _ if together < room - 60.0 => drawing.categories.len().max(1),
        true => 4,
        false => 7,
    };
    json!({"data": drawing.categories, "axisLabel": {"interval": every(drawing.categories.len(), wanted), "hideOverlap": true, "rotate": 0}})
}

/// Labels of an axis of names that runs from left to right: upright where they fit, slanted where not, and never left out.
fn slanted_names(drawing: &Drawing<'_>, room: f64) -> Value {
    // A handful.
    #[allow(clippy::cast_precision_loss)]
    let place = (room - 60.0) / drawing.categories.len().max(1) as f64;
    let longest = drawing.categories.iter().map(|name| width(name, FONT_SIZE)).fold(0.0, f64::max);
    let is_slanted = longest + 8.0 > place;
    let names = if is_slanted {
        drawing.names(if room < f64::from(NARROW) { 76.0 } else { 110.0 })
    } else {
        drawing.names(longest)
    };
    json!({"data": names, "axisLabel": {"interval": 0, "hideOverlap": false, "rotate": if is_slanted { 40 } else { 0 }}})
}
