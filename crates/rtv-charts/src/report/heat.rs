//! Weekday by hour: a cell for each hour of the week, the fuller the shade the more. A cell of which nothing is known is hollow and says
//! so in the legend; zero has the faintest shade.

use charming::component::Axis;
use charming::element::AxisType;
use serde_json::{Value, json};

use super::{Drawing, ROOMS};
use crate::frame::{FONT_SIZE, NARROW, Pointer, every, shell};
use crate::scale::Scale;
use crate::text::{plain, width};

pub(super) fn option(drawing: &Drawing<'_>) -> Value {
    let palette = drawing.inks.palette;
    let known = drawing.series.iter().flat_map(|row| row.values.iter().flatten().copied());
    let scale = Scale::of_shades(known, &drawing.chart.unit);
    let pieces = pieces(drawing, &scale);
    let rows: Vec<&str> = drawing.series.iter().map(|row| row.name.as_str()).collect();
    let axis = |names: Vec<String>| Axis::new().type_(AxisType::Category).data(names);
    let chart = shell(&drawing.chart.title, palette, Pointer::Thing)
        .x_axis(axis(drawing.categories.clone()))
        .y_axis(axis(rows.iter().map(|row| (*row).to_owned()).collect()));
    let unknown = plain(&drawing.chart.unknown);
    let has_unknown = drawing.series.iter().any(|row| row.values.iter().any(Option::is_none));
    let quiet = json!({
        "axisLine": {"show": false}, "axisTick": {"show": false}, "splitLine": {"show": false}, "splitArea": {"show": false},
        "axisLabel": {"color": palette.text_3.hex, "fontSize": FONT_SIZE, "margin": 8},
    });
    let mut weekdays = quiet.clone();
    weekdays["inverse"] = json!(true);
    weekdays["axisLabel"]["interval"] = json!(0);
    drawing.finished(
        &chart,
        json!({
            "grid": [{"left": 4, "top": 44, "right": 4, "bottom": 4, "outerBoundsMode": "same", "outerBoundsContain": "axisLabel"}],
            "xAxis": quiet,
            "yAxis": weekdays,
            "legend": {
                "show": has_unknown, "data": [{"name": unknown, "icon": "roundRect"}], "padding": 0, "itemWidth": 12, "itemHeight": 12,
                "selectedMode": false, "formatter": "{name}",
                "textStyle": {"color": palette.text_2.hex, "fontSize": FONT_SIZE}, "top": 4
            },
            "visualMap": [{
                "type": "piecewise", "dimension": 2, "seriesIndex": 0, "pieces": pieces, "orient": "horizontal", "left": 0, "top": 4,
                "padding": 0, "itemWidth": 12, "itemHeight": 12, "itemGap": 12, "itemSymbol": "roundRect", "hoverLink": false,
                "selectedMode": false, "inverse": false, "outOfRange": {"color": "transparent"},
                "textStyle": {"color": palette.text_2.hex, "fontSize": FONT_SIZE}
            }],
            "series": [
                cells(drawing, true, "", json!({"borderColor": palette.surface.hex, "borderWidth": 2, "borderRadius": 3})),
                cells(drawing, false, &unknown, json!({"color": "transparent", "borderColor": palette.line.hex, "borderWidth": 1})),
            ],
            "media": Drawing::by_width(|room| rule(drawing, &scale, room)),
        }),
    )
}

/// The cells that are known, or those that are not.
fn cells(drawing: &Drawing<'_>, is_known: bool, name: &str, style: Value) -> Value {
    let mut data = Vec::new();
    for (row, weekday) in drawing.series.iter().enumerate() {
        for (column, value) in weekday.values.iter().enumerate() {
            if value.is_some() == is_known {
                let text = format!("{} {}\n{}", weekday.name, drawing.categories[column], drawing.write(*value));
                data.push(json!({"value": [column, row, value.unwrap_or_default()], "name": text}));
            }
        }
    }
    json!({
        "type": "heatmap", "name": name, "cursor": "default", "data": data, "itemStyle": style, "emphasis": {"disabled": true},
        "label": {"show": false}
    })
}

/// A shade for each step of the scale.
fn pieces(drawing: &Drawing<'_>, scale: &Scale) -> Vec<Value> {
    let ticks = drawing.ticks(scale);
    let steps = ticks.len().saturating_sub(1);
    drawing
        .inks
        .shades(steps)
        .into_iter()
        .enumerate()
        .map(|(step, shade)| {
            let label = format!("{} – {}", ticks[step], ticks[step + 1]);
            let mut piece = json!({"gte": scale.ticks[step], "color": shade, "label": label});
            // The last one holds its end as well; sums of fractions miss it by a hair.
            if step + 1 < steps {
                piece["lt"] = json!(scale.ticks[step + 1]);
            }
            piece
        })
        .collect()
}

/// What depends on the width of the chart.
fn rule(drawing: &Drawing<'_>, scale: &Scale, room: f64) -> Value {
    let ticks = drawing.ticks(scale);
    let is_narrow = room < f64::from(NARROW);
    // Where there is no room for every step, its ends are named.
    let has_steps = room >= ROOMS[2];
    let ends = [ticks.last(), ticks.first()].map(|tick| tick.cloned().unwrap_or_default());
    // A handful.
    #[allow(clippy::cast_precision_loss)]
    let steps = ticks.len().saturating_sub(1) as f64;
    let shades = if has_steps {
        let labels = ticks.windows(2).map(|pair| width(&format!("{} – {}", pair[0], pair[1]), FONT_SIZE));
        labels.sum::<f64>() + steps * 30.0
    } else {
        ends.iter().map(|end| width(end, FONT_SIZE)).sum::<f64>() + steps * 16.0 + 20.0
    };
    json!({
        "xAxis": {"axisLabel": {"interval": every(drawing.categories.len(), if is_narrow { 4 } else { 12 })}},
        "visualMap": [{
            "showLabel": has_steps, "text": if has_steps { Value::Null } else { json!(ends) }, "itemGap": if has_steps { 14 } else { 4 }
        }],
        "legend": {"left": (shades + 20.0).ceil()},
    })
}
