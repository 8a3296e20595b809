//! Pies and rings, with a list beside them in place of a legend: name, share and value of each slice, in the order of the slices, so
//! that nobody has to tell the colours apart. Only what is above zero has a slice.

use charming::datatype::{CompositeValue, DataPoint, DataPointItem};
use charming::series::Pie;
use rtv_core::report::ChartKind;
use serde_json::{Value, json};

use super::ink::Ink;
use super::{Drawing, ROOMS};
use crate::frame::{FONT_SIZE, Pointer, shell};
use crate::number::{self, Unit};
use crate::text::{fit, width};

/// Distance of two rows of the list, px.
const ROW: f64 = 24.0;
/// Smaller slices have no room for their share.
const LEAST_LABELLED: f64 = 0.07;

struct Slice<'a> {
    name: &'a str,
    value: f64,
    share: f64,
    ink: &'a Ink,
}

pub(super) fn option(drawing: &Drawing<'_>) -> Value {
    let slices = slices(drawing);
    let data: Vec<DataPoint> = slices
        .iter()
        .map(|slice| {
            let text = format!("{}\n{}, {}", slice.name, drawing.write(Some(slice.value)), share(drawing, slice.share));
            DataPoint::from(DataPointItem::new(CompositeValue::from(Some(slice.value))).name(text))
        })
        .collect();
    let chart = shell(&drawing.chart.title, drawing.inks.palette, Pointer::Thing).series(Pie::new().data(data));
    let surface = drawing.inks.palette.surface.hex;
    let looks: Vec<Value> = slices
        .iter()
        .map(|slice| {
            let mut label = json!({"color": slice.ink.on(), "formatter": whole(drawing, slice.share)});
            // Where no slice has room for its share, the rule of that width says so.
            if slice.share < LEAST_LABELLED {
                label["show"] = json!(false);
            }
            json!({"itemStyle": {"color": slice.ink.hex}, "label": label})
        })
        .collect();
    let mut series = vec![json!({
        "cursor": "default", "startAngle": 90, "clockwise": true, "data": looks,
        "itemStyle": {"borderColor": surface, "borderWidth": if slices.len() > 1 { 2 } else { 0 }},
        "label": {"show": true, "position": "inside", "fontSize": FONT_SIZE, "rotate": 0},
        "labelLine": {"show": false},
        "emphasis": {"scale": false},
    })];
    if drawing.chart.kind == ChartKind::Donut {
        series.push(json!({
            "type": "pie", "silent": true, "radius": 0, "tooltip": {"show": false}, "labelLine": {"show": false},
            "emphasis": {"disabled": true},
            "data": [{"value": 1, "name": "", "itemStyle": {"color": "transparent"}}],
            "label": {
                "show": true, "position": "center", "color": drawing.inks.palette.text.hex, "fontSize": 18, "fontWeight": "bold",
                "formatter": drawing.write(Some(slices.iter().map(|slice| slice.value).sum()))
            },
        }));
    }
    drawing.finished(&chart, json!({"series": series, "media": Drawing::by_width(|room| rule(drawing, &slices, room))}))
}

/// What is above zero, with its share of all that is.
fn slices<'a>(drawing: &'a Drawing<'_>) -> Vec<Slice<'a>> {
    let values = drawing.series.first().map(|series| series.values.as_slice()).unwrap_or_default();
    let drawn: Vec<(usize, f64)> = values
        .iter()
        .enumerate()
        .filter_map(|(category, value)| value.filter(|value| *value > 0.0).map(|value| (category, value)))
        .collect();
    let total: f64 = drawn.iter().map(|(_, value)| value).sum();
    drawn
        .into_iter()
        .enumerate()
        .map(|(slot, (category, value))| {
            let is_rest = drawing.chart.rest.category && category + 1 == drawing.categories.len();
            let ink = if is_rest { drawing.inks.rest() } else { drawing.inks.named(slot) };
            Slice { name: &drawing.categories[category], value, share: value / total, ink }
        })
        .collect()
}

fn share(drawing: &Drawing<'_>, share: f64) -> String {
    number::full(share, &Unit::Percent, drawing.chart.numbers)
}

/// Without decimals: there is little room in a slice.
fn whole(drawing: &Drawing<'_>, share: f64) -> String {
    number::ticks(&[(share * 100.0).round() / 100.0], 0.01, &Unit::Percent, drawing.chart.numbers).remove(0)
}

/// What depends on the width of the chart.
fn rule(drawing: &Drawing<'_>, slices: &[Slice<'_>], room: f64) -> Value {
    // Middle and radius of the circle, left edge and width of the list.
    let (middle, radius, left, list_width) = match ROOMS.iter().position(|one| (one - room).abs() < 0.5) {
        Some(0) => ("20%", 40.0, 0.41, 164.0),
        Some(1) => ("22%", 62.0, 0.45, 258.0),
        Some(2) => ("24%", 82.0, 0.47, 332.0),
        _ => ("30%", 84.0, 0.50, 380.0),
    };
    let is_narrow = room <= ROOMS[0];
    let is_donut = drawing.chart.kind == ChartKind::Donut;
    // The slices themselves stay out of the rule, which would take the place of all that is said of them.
    let mut series = vec![json!({
        "center": [middle, "50%"],
        "radius": [if is_donut { format!("{}%", radius * 0.6) } else { "0%".into() }, format!("{radius}%")],
        "label": {"show": !is_narrow},
    })];
    if is_donut {
        series.push(json!({"center": [middle, "50%"], "label": {"show": !is_narrow}}));
    }
    let has_values = room >= ROOMS[2];
    json!({
        "series": series,
        "graphic": [{
            "type": "group", "id": "list", "left": format!("{}%", left * 100.0), "top": "middle", "silent": true,
            "children": list(drawing, slices, list_width, has_values)
        }],
    })
}

/// The rows, as wide as given.
fn list(drawing: &Drawing<'_>, slices: &[Slice<'_>], list_width: f64, has_values: bool) -> Vec<Value> {
    let palette = drawing.inks.palette;
    let values: Vec<String> = slices.iter().map(|slice| drawing.write(Some(slice.value))).collect();
    let shares: Vec<String> = slices.iter().map(|slice| share(drawing, slice.share)).collect();
    let longest = |texts: &[String]| texts.iter().map(|text| width(text, FONT_SIZE)).fold(0.0, f64::max);
    let for_values = if has_values { longest(&values) + 20.0 } else { 0.0 };
    let name_room = list_width - 18.0 - 12.0 - longest(&shares) - for_values;
    let mut children = Vec::new();
    for (row, slice) in slices.iter().enumerate() {
        // At most eight.
        #[allow(clippy::cast_precision_loss)]
        let y = row as f64 * ROW;
        let text = |what: &str, x: f64, align: &str, fill: &str, text: &str| {
            json!({
                "type": "text", "id": format!("{what}-{row}"), "x": x, "y": y, "style": {
                    "text": text, "fill": fill, "textAlign": align, "textVerticalAlign": "middle", "fontSize": FONT_SIZE,
                    "fontFamily": drawing.font
                }
            })
        };
        // Ids and the same parts at every width: where the browser's window changes, each part finds itself again.
        children.push(json!({
            "type": "rect", "id": format!("colour-{row}"), "shape": {"x": 0, "y": y - 5.0, "width": 10, "height": 10, "r": 2},
            "style": {"fill": slice.ink.hex}
        }));
        children.push(text("name", 18.0, "left", palette.text_2.hex, &fit(slice.name, FONT_SIZE, name_room)));
        children.push(text("share", list_width - for_values, "right", palette.text.hex, &shares[row]));
        let value = if has_values { values[row].as_str() } else { "" };
        children.push(text("value", list_width, "right", palette.text_3.hex, value));
    }
    children
}
