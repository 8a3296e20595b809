//! A funnel: a bar for each step, as wide as its figure and in the middle, its name on the left, figure and share of the first step on
//! the right. A step of which nothing is known has no bar and a dash for its figure.

use charming::datatype::{CompositeValue, DataPoint, DataPointItem};
use charming::series::Bar;
use serde_json::{Value, json};

use super::Drawing;
use crate::frame::{FONT_SIZE, NARROW, Pointer, shell};
use crate::number::{self, Unit};

pub(super) fn option(drawing: &Drawing<'_>) -> Value {
    let palette = drawing.inks.palette;
    let values = drawing.series.first().map(|series| series.values.as_slice()).unwrap_or_default();
    let drawn: Vec<Option<f64>> = values.iter().map(|value| value.filter(|value| *value >= 0.0)).collect();
    let widest = drawn.iter().flatten().copied().fold(0.0, f64::max);
    let figures = figures(drawing, values);
    let points = |value: &dyn Fn(Option<f64>) -> Option<f64>| -> Vec<DataPoint> {
        drawn
            .iter()
            .enumerate()
            .map(|(step, one)| {
                let text = format!("{}\n{}", drawing.categories[step], figures[step]);
                DataPoint::from(DataPointItem::new(CompositeValue::from(value(*one))).name(text))
            })
            .collect()
    };
    let chart = shell(&drawing.chart.title, palette, Pointer::Thing)
        .series(Bar::new().data(points(&|value| value.map(|value| (widest - value) / 2.0))))
        .series(Bar::new().data(points(&|value| value)));
    let names = json!({
        "type": "category", "inverse": true, "position": "left", "data": drawing.categories,
        "axisLine": {"show": false}, "axisTick": {"show": false},
        "axisLabel": {"interval": 0, "color": palette.text_2.hex, "fontSize": FONT_SIZE, "margin": 12},
    });
    let numbers = json!({
        "type": "category", "inverse": true, "position": "right", "data": figures,
        "axisLine": {"show": false}, "axisTick": {"show": false},
        "axisLabel": {"interval": 0, "color": palette.text.hex, "fontSize": FONT_SIZE, "margin": 12},
    });
    // Room for a bar even where nothing is above zero.
    let end = if widest > 0.0 { widest } else { 1.0 };
    drawing.finished(
        &chart,
        json!({
            "grid": [{
                "left": 4, "top": 4, "right": 4, "bottom": 4, "outerBoundsMode": "same", "outerBoundsContain": "axisLabel"
            }],
            "xAxis": {"type": "value", "min": 0, "max": end, "show": false},
            "yAxis": [names, numbers],
            "series": [
                {"stack": "step", "silent": true, "itemStyle": {"color": "transparent"}, "tooltip": {"show": false}},
                {
                    "stack": "step", "cursor": "default", "barCategoryGap": "26%", "barMinHeight": 2, "emphasis": {"disabled": true},
                    "itemStyle": {"color": drawing.inks.named(0).hex, "borderRadius": 4}
                },
            ],
            "media": Drawing::by_width(|room| {
                json!({"yAxis": [{"data": drawing.names(if room < f64::from(NARROW) { 84.0 } else { room * 0.3 })}, {}]})
            }),
        }),
    )
}

/// Each step's figure with its share of the first.
fn figures(drawing: &Drawing<'_>, values: &[Option<f64>]) -> Vec<String> {
    let first = values.first().copied().flatten().filter(|first| *first > 0.0);
    values
        .iter()
        .map(|value| match (value, first) {
            (Some(value), Some(first)) if *value >= 0.0 => {
                let share = number::full(value / first, &Unit::Percent, drawing.chart.numbers);
                format!("{} · {share}", drawing.write(Some(*value)))
            }
            _ => drawing.write(*value),
        })
        .collect()
}
