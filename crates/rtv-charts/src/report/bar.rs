//! Bars beside and on each other. Along time they stand, along names they lie, so that every name can be read. A bar always starts at
//! zero, whatever it measures: its length is what is compared.

use charming::datatype::{CompositeValue, DataPoint, DataPointItem};
use charming::series::Bar;
use rtv_core::report::ChartKind;
use serde_json::{Value, json};

use super::{Along, Drawing, Drawn, times, value_axes};
use crate::frame::{FONT_SIZE, NARROW, Pointer, shell};
use crate::scale::Scale;
use crate::text::width;
use crate::trend::Role;

/// So many lying bars have room for their figures.
const MOST_FIGURES: usize = 14;

pub(super) fn option(drawing: &Drawing<'_>) -> Value {
    let is_stacked = drawing.chart.kind == ChartKind::StackedBar;
    let lies = drawing.chart.along == Along::Names;
    let scale = scale(drawing, is_stacked);
    let has_figures =
        lies && !is_stacked && scale.low() >= 0.0 && drawing.series.len() * drawing.categories.len() <= MOST_FIGURES;
    let mut chart = shell(&drawing.chart.title, drawing.inks.palette, Pointer::Band);
    for (position, series) in drawing.series.iter().enumerate() {
        let data = (0..drawing.categories.len())
            .map(|category| {
                let value = CompositeValue::from(series.values[category]);
                DataPoint::from(DataPointItem::new(value).name(drawing.tooltip_text(category, position)))
            })
            .collect::<Vec<DataPoint>>();
        chart = chart.series(Bar::new().name(series.name.as_str()).data(data));
    }
    let series: Vec<Value> =
        drawing.series.iter().map(|one| look(drawing, one, is_stacked, lies, has_figures)).collect();
    let quiet = drawing.quiet();
    let categories = json!({
        "type": "category", "data": drawing.categories, "inverse": lies,
        "axisLine": {"show": false}, "axisTick": {"show": false},
        "axisLabel": {
            "color": if lies { drawing.inks.palette.text_2.hex } else { drawing.inks.palette.text_3.hex },
            "fontSize": quiet["fontSize"], "margin": 12
        },
        "axisPointer": {"shadowStyle": {"color": drawing.inks.palette.line.hex, "opacity": 0.35}},
    });
    let mut values = value_axes(drawing, &scale, if lies { "bottom" } else { "left" });
    if has_figures {
        for axis in &mut values {
            axis["show"] = json!(false);
        }
    }
    let (x, y) = if lies { (json!(values), categories) } else { (categories, json!(values)) };
    let mut legend = drawing.legend();
    legend["icon"] = json!("roundRect");
    legend["itemWidth"] = json!(12);
    legend["itemHeight"] = json!(12);
    drawing.finished(
        &chart,
        json!({
            "grid": [{
                "left": 4, "top": 12, "right": 12, "bottom": 4, "outerBoundsMode": "same", "outerBoundsContain": "axisLabel"
            }],
            "legend": legend,
            "xAxis": x,
            "yAxis": y,
            "series": series,
            "media": Drawing::by_width(|room| rule(drawing, room, lies, has_figures)),
        }),
    )
}

fn scale(drawing: &Drawing<'_>, is_stacked: bool) -> Scale {
    let zero = std::iter::once(0.0);
    if !is_stacked {
        let values = drawing.series.iter().flat_map(|one| one.values.iter().flatten().copied());
        return Scale::covering(values.chain(zero), &drawing.chart.unit);
    }
    // What is below zero lies on the other side.
    let ends = [Role::Current, Role::Previous].into_iter().flat_map(|role| {
        (0..drawing.categories.len()).flat_map(move |category| {
            let parts =
                drawing.series.iter().filter(move |one| one.role == role).filter_map(move |one| one.values[category]);
            let above = parts.clone().filter(|part| *part > 0.0).sum::<f64>();
            [above, parts.filter(|part| *part < 0.0).sum::<f64>()]
        })
    });
    Scale::covering(ends.chain(zero), &drawing.chart.unit)
}

fn look(drawing: &Drawing<'_>, series: &Drawn, is_stacked: bool, lies: bool, has_figures: bool) -> Value {
    let palette = drawing.inks.palette;
    let ink = drawing.ink(series);
    let is_current = series.role == Role::Current;
    let colour = if is_current { ink.hex.clone() } else { drawing.inks.pale(ink) };
    let mut look = json!({
        "cursor": "default",
        "barMaxWidth": if lies { 22 } else { 44 },
        "barGap": "12%",
        "barCategoryGap": if drawing.series.len() > 1 { "28%" } else { "34%" },
        "emphasis": {"disabled": true},
        "itemStyle": {"color": colour, "borderRadius": 0},
        "data": data(drawing, series, is_stacked, lies, has_figures),
    });
    if is_stacked {
        look["stack"] = json!(if is_current { "current" } else { "previous" });
        look["itemStyle"]["borderColor"] = json!(palette.surface.hex);
        look["itemStyle"]["borderWidth"] = json!(1);
    } else {
        // So that zero is seen to be known.
        look["barMinHeight"] = json!(1.5);
    }
    if has_figures {
        look["label"] = json!({"show": true, "position": "right", "distance": 8, "color": palette.text_2.hex, "fontSize": FONT_SIZE});
    }
    if drawing.series.len() == 1 && lies && !is_stacked {
        let missing = series.values.iter().enumerate().filter(|(_, value)| value.is_none());
        let marks: Vec<Value> = missing.map(|(category, _)| json!({"coord": [0, category]})).collect();
        look["markPoint"] = json!({
            "symbol": "rect", "symbolSize": 0, "silent": true, "data": marks,
            "label": {"show": true, "formatter": "—", "position": "right", "distance": 8, "color": palette.text_3.hex, "fontSize": FONT_SIZE}
        });
    }
    look
}

/// What single bars have besides their value.
fn data(drawing: &Drawing<'_>, series: &Drawn, is_stacked: bool, lies: bool, has_figures: bool) -> Vec<Value> {
    series
        .values
        .iter()
        .enumerate()
        .map(|(category, value)| {
            let mut item = json!({});
            let is_below = value.is_some_and(|value| value < 0.0);
            if !is_stacked {
                item["itemStyle"]["borderRadius"] = match (lies, is_below) {
                    (true, false) => json!([0, 3, 3, 0]),
                    (true, true) => json!([3, 0, 0, 3]),
                    (false, false) => json!([3, 3, 0, 0]),
                    (false, true) => json!([0, 0, 3, 3]),
                };
                if drawing.chart.rest.category && category + 1 == drawing.categories.len() && drawing.currents() == 1 {
                    let rest = drawing.inks.rest();
                    let colour = if series.role == Role::Current { rest.hex.clone() } else { drawing.inks.pale(rest) };
                    item["itemStyle"]["color"] = json!(colour);
                }
            }
            if has_figures {
                item["label"] = json!({"formatter": drawing.write(*value)});
            }
            item
        })
        .collect()
}

/// What depends on the width of the chart.
fn rule(drawing: &Drawing<'_>, room: f64, lies: bool, has_figures: bool) -> Value {
    let is_narrow = room < f64::from(NARROW);
    let figures =
        drawing.series.iter().flat_map(|one| &one.values).map(|value| width(&drawing.write(*value), FONT_SIZE));
    let right = if has_figures { figures.fold(0.0, f64::max).ceil() + 12.0 } else { 12.0 };
    let grid = json!([{"left": 4, "bottom": 4, "right": right, "top": drawing.legend_room(room)}]);
    if !lies {
        return json!({"grid": grid, "xAxis": times(drawing, room)});
    }
    let names = drawing.names(if is_narrow { 104.0 } else { (room * 0.3).min(220.0) });
    json!({"grid": grid, "yAxis": {"data": names, "axisLabel": {"interval": 0}}})
}
