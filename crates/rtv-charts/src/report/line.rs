//! Lines and areas. One area is a filled line; several lie on each other, which is why only what adds up may be drawn so. Where a value
//! is below zero nothing can lie on it, and the same figures are lines.

use std::fmt::Write as _;

use charming::datatype::{CompositeValue, DataPoint, DataPointItem};
use charming::series::Line;
use rtv_core::report::ChartKind;
use serde_json::{Value, json};

use super::{Along, Drawing, Drawn, slanted_names, times, value_axes};
use crate::frame::{FONT_SIZE, NARROW, Pointer, shell};
use crate::palette::Dash;
use crate::scale::Scale;
use crate::text::width;
use crate::trend::Role;

/// More names beside line ends would run into each other.
const MOST_END_LABELS: usize = 6;
/// Names beside line ends get at most this part of the width.
const MOST_FOR_NAMES: f64 = 0.32;
/// So few points on a line are shown as such.
const FEW: usize = 12;

/// How the series of a chart are filled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fill {
    None,
    Fading,
    Layers,
}

pub(super) fn option(drawing: &Drawing<'_>) -> Value {
    let fill = fill(drawing);
    let scale = scale(drawing, fill);
    let mut chart = shell(&drawing.chart.title, drawing.inks.palette, Pointer::Line);
    for (position, series) in drawing.series.iter().enumerate() {
        let data = (0..drawing.categories.len())
            .map(|category| {
                let value = CompositeValue::from(series.values[category]);
                DataPoint::from(DataPointItem::new(value).name(drawing.tooltip_text(category, position)))
            })
            .collect::<Vec<DataPoint>>();
        chart = chart.series(Line::new().name(series.name.as_str()).data(data).connect_nulls(false));
    }
    let series: Vec<Value> =
        drawing.series.iter().enumerate().map(|(position, one)| look(drawing, one, position, fill, &scale)).collect();
    let quiet = drawing.quiet();
    let mut legend = drawing.legend();
    legend["data"] = json!(
        drawing
            .series
            .iter()
            .map(|one| json!({"name": one.name, "icon": icon(drawing, one, fill)}))
            .collect::<Vec<_>>()
    );
    let is_point = drawing.categories.len() < 2;
    drawing.finished(
        &chart,
        json!({
            "grid": [{
                "left": 4, "top": 12, "right": 12, "bottom": 4, "outerBoundsMode": "same", "outerBoundsContain": "axisLabel"
            }],
            "legend": legend,
            "xAxis": {
                "type": "category", "boundaryGap": is_point || drawing.chart.along == Along::Names, "data": drawing.categories,
                "axisLine": {"show": false}, "axisTick": {"show": false},
                "axisLabel": {
                    "color": quiet["color"], "fontSize": FONT_SIZE, "margin": 12,
                    "alignMinLabel": if drawing.chart.along == Along::Time && !is_point { json!("left") } else { Value::Null },
                    "alignMaxLabel": if drawing.chart.along == Along::Time && !is_point { json!("right") } else { Value::Null },
                },
            },
            "yAxis": value_axes(drawing, &scale, "left"),
            "series": series,
            "media": Drawing::by_width(|room| rule(drawing, room)),
        }),
    )
}

fn fill(drawing: &Drawing<'_>) -> Fill {
    let is_below = drawing.series.iter().flat_map(|one| one.values.iter().flatten()).any(|value| *value < 0.0);
    match (drawing.chart.kind, drawing.currents()) {
        (ChartKind::Area, 2..) if !is_below => Fill::Layers,
        (ChartKind::Area, 0 | 1) => Fill::Fading,
        _ => Fill::None,
    }
}

/// Layers reach to the sum of what is known.
fn scale(drawing: &Drawing<'_>, fill: Fill) -> Scale {
    let lines = drawing.series.iter().filter(|one| fill != Fill::Layers || one.role == Role::Previous);
    let lines = lines.flat_map(|one| one.values.iter().flatten().copied());
    let sums = (0..drawing.categories.len()).filter(|_| fill == Fill::Layers).map(|category| {
        let layers = drawing.series.iter().filter(|one| one.role == Role::Current);
        layers.filter_map(|one| one.values[category]).sum::<f64>()
    });
    Scale::covering(lines.chain(sums), &drawing.chart.unit)
}

/// The line's colour, width and dash.
fn stroke(drawing: &Drawing<'_>, series: &Drawn) -> (String, f64, Dash) {
    const COMPARED: Dash = &[4, 4];
    let ink = drawing.ink(series);
    match series.role {
        Role::Previous if drawing.currents() < 2 => (drawing.inks.rest().hex.clone(), 1.5, COMPARED),
        // Grey would not say which of the lines it belongs to.
        Role::Previous => (ink.hex.clone(), 1.0, COMPARED),
        Role::Current if series.is_rest => (ink.hex.clone(), 1.5, &[]),
        Role::Current => (ink.hex.clone(), 2.0, ink.dash),
    }
}

fn look(drawing: &Drawing<'_>, series: &Drawn, position: usize, fill: Fill, scale: &Scale) -> Value {
    let palette = drawing.inks.palette;
    let is_current = series.role == Role::Current;
    let is_layer = fill == Fill::Layers && is_current;
    let (colour, width, dash) = stroke(drawing, series);
    // A layer's edge is the border to the next one; dashes there would say nothing.
    let dash = if dash.is_empty() || is_layer { json!("solid") } else { json!(dash) };
    let is_few = drawing.categories.len() <= FEW && !is_layer && drawing.chart.along == Along::Names;
    let mut look = json!({
        "cursor": "default",
        "symbol": drawing.ink(series).symbol, "symbolSize": 7, "showSymbol": is_few, "showAllSymbol": is_few,
        "itemStyle": {"color": colour},
        "lineStyle": {"color": colour, "width": if is_layer { 1.0 } else { width }, "type": dash, "join": "round"},
        // Under the pointer only the dot appears; the line stays as it is.
        "emphasis": {"scale": false, "lineStyle": {"width": if is_layer { 1.0 } else { width }, "type": dash}},
        "endLabel": {"show": false, "formatter": series.name, "color": palette.text_2.hex, "fontSize": FONT_SIZE, "distance": 8},
        "labelLayout": {"moveOverlap": "shiftY"},
        "markPoint": lone_points(drawing, series, &colour, is_layer),
        "z": if is_current { 3 } else { 4 },
    });
    if is_layer {
        look["stack"] = json!("current");
        look["areaStyle"] = json!({"color": colour, "opacity": 0.85});
        look["lineStyle"]["color"] = json!(palette.surface.hex);
    } else if fill == Fill::Fading && is_current {
        let ink = drawing.ink(series);
        look["areaStyle"] = json!({"opacity": 1, "color": {
            "type": "linear", "x": 0, "y": 0, "x2": 0, "y2": 1,
            "colorStops": [{"offset": 0, "color": faded(&ink.hex, 0.28)}, {"offset": 1, "color": faded(&ink.hex, 0.04)}]
        }});
    }
    if position == 0 && scale.low() < 0.0 && scale.high() > 0.0 {
        look["markLine"] = json!({
            "silent": true, "symbol": "none", "z": 1, "label": {"show": false},
            "lineStyle": {"width": 1, "type": "solid", "color": palette.text_3.hex}, "data": [{"yAxis": 0}]
        });
    }
    look
}

/// The colour let through.
fn faded(hex: &str, opacity: f64) -> String {
    let channel =
        |from: usize| hex.get(from..from + 2).and_then(|two| u8::from_str_radix(two, 16).ok()).unwrap_or_default();
    format!("rgba({},{},{},{opacity})", channel(1), channel(3), channel(5))
}

/// Points that a line between neighbours would not show. In layers they have no place of their own.
fn lone_points(drawing: &Drawing<'_>, series: &Drawn, colour: &str, is_layer: bool) -> Value {
    let known = |category: Option<usize>| category.and_then(|category| series.values.get(category).copied().flatten());
    let points: Vec<Value> = (0..drawing.categories.len())
        .filter(|_| !is_layer)
        .filter_map(|category| {
            let value = known(Some(category))?;
            let is_lone = known(category.checked_sub(1)).is_none() && known(Some(category + 1)).is_none();
            is_lone.then(|| json!({"coord": [category, value], "symbolSize": 6, "itemStyle": {"color": colour}}))
        })
        .collect();
    json!({"symbol": "circle", "silent": true, "label": {"show": false}, "data": points})
}

/// A piece of the line with its dash, or of its layer.
fn icon(drawing: &Drawing<'_>, series: &Drawn, fill: Fill) -> String {
    if fill == Fill::Layers && series.role == Role::Current {
        return "path://M0 0h22v8h-22z".into();
    }
    let (_, _, dash) = stroke(drawing, series);
    let mut path = String::from("path://");
    let (mut at, mut index) = (0_u8, 0);
    while at < 22 {
        let (on, off) = match dash {
            [] => (22, 0),
            _ => (dash[index % dash.len()], dash[(index + 1) % dash.len()]),
        };
        let end = (at + on).min(22);
        // Writing to a text cannot fail.
        let _ = write!(path, "M{at} 3H{end}v2H{at}z");
        at = end.saturating_add(off);
        index += 2;
    }
    // As wide as the others, or it would be stretched.
    path.push_str("M22 3h0");
    path
}

/// What depends on the width of the chart.
fn rule(drawing: &Drawing<'_>, room: f64) -> Value {
    let is_mixed = drawing.currents() > 1 && drawing.series.len() > drawing.currents();
    let names = drawing.series.iter().map(|one| width(&one.name, FONT_SIZE)).fold(0.0, f64::max) + 20.0;
    let has_end_labels = room >= f64::from(NARROW)
        && (2..=MOST_END_LABELS).contains(&drawing.series.len())
        && !is_mixed
        && names <= room * MOST_FOR_NAMES;
    let has_legend = drawing.series.len() > 1 && !has_end_labels;
    let series: Vec<Value> = drawing.series.iter().map(|_| json!({"endLabel": {"show": has_end_labels}})).collect();
    let axis = if drawing.chart.along == Along::Time { times(drawing, room) } else { slanted_names(drawing, room) };
    json!({
        "grid": [{
            "left": 4, "bottom": 4,
            "right": if has_end_labels { names.ceil() } else { 12.0 },
            "top": if has_legend { drawing.legend_room(room) } else { 12 },
        }],
        "legend": {"show": has_legend},
        "xAxis": axis,
        "series": series,
    })
}
