//! What all charts of this crate have alike: sizes of type, tooltips, legends, how many dates stand below an axis. What a chart shows
//! stands in its own file.

use charming::Chart;
use charming::component::Title;
use charming::element::{AxisPointer, AxisPointerType, LineStyle, LineStyleType, Tooltip, Trigger};
use serde_json::{Value, json};

use crate::palette::{Palette, Theme};
use crate::text::{plain, width};

pub(crate) const FONT_SIZE: f64 = 12.0;
/// A series' name at the end of its line gets at most this much of the width.
pub(crate) const NAME_ROOM: f64 = 132.0;
/// Narrower charts have no room for names beside the lines and get a legend on top, px.
pub(crate) const NARROW: u32 = 480;

/// Name of a function in the browser's `chart.js`, which shows the names of the points one below the other. A template would show
/// `R&D` as `R&amp;D`: the library escapes for HTML even where it draws no HTML.
pub(crate) const TOOLTIP: &str = "names";

/// What a tooltip answers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pointer {
    /// Everything above one place of the axis, marked by a line.
    Line,
    /// Everything in one band of the axis, marked by a shade.
    Band,
    /// One thing.
    Thing,
}

/// An empty chart that holds still, with its tooltip.
pub(crate) fn shell(title: &str, palette: &Palette, pointer: Pointer) -> Chart {
    let mut tooltip = Tooltip::new()
        .trigger(if pointer == Pointer::Thing { Trigger::Item } else { Trigger::Axis })
        .formatter(TOOLTIP)
        .background_color(palette.raised.hex)
        .border_color(palette.line.hex)
        .border_width(1.0)
        .padding((8.0, 12.0));
    if pointer == Pointer::Line {
        let line = LineStyle::new().color(palette.text_3.hex).width(1.0).type_(LineStyleType::Solid);
        tooltip = tooltip.axis_pointer(AxisPointer::new().type_(AxisPointerType::Line).line_style(line));
    } else if pointer == Pointer::Band {
        tooltip = tooltip.axis_pointer(AxisPointer::new().type_(AxisPointerType::Shadow));
    }
    Chart::new()
        .title(Title::new().show(false).text(plain(title)))
        .animation(false)
        .background_color("transparent")
        .tooltip(tooltip)
}

/// What charming has no words for and every chart has.
pub(crate) fn manners(theme: Theme, font: &str, summary: &str) -> Value {
    let palette = theme.palette();
    json!({
        "darkMode": theme == Theme::Dark,
        "textStyle": {"fontFamily": font, "color": palette.text.hex},
        "aria": {"enabled": true, "label": {"enabled": true, "description": plain(summary)}},
        "tooltip": {
            "renderMode": "richText", "confine": true, "transitionDuration": 0, "order": "seriesAsc", "borderRadius": 6,
            "textStyle": {"color": palette.text.hex, "fontSize": FONT_SIZE, "lineHeight": 18, "fontFamily": font}
        },
    })
}

/// The family as an attribute can hold it: the library writes the name into one as it stands.
pub(crate) fn font_family(given: &str) -> String {
    given.replace('"', "'").replace(['<', '>', '&', ';'], "")
}

/// Stands in place of a drawing that would be empty.
pub(crate) fn nothing(text: &str, palette: &Palette, font: &str) -> Value {
    json!({
        "type": "text", "left": "center", "top": "middle", "silent": true,
        "style": {"text": plain(text), "fill": palette.text_2.hex, "fontSize": 14, "fontFamily": font}
    })
}

/// Lines that a legend of these names fills in a chart so many px wide.
pub(crate) fn legend_rows<'a>(names: impl Iterator<Item = &'a str>, room: f64) -> u32 {
    let (mut rows, mut used) = (1, 0.0);
    for name in names {
        let entry = width(name, FONT_SIZE) + 22.0 + 5.0;
        if used > 0.0 && used + entry > room {
            rows += 1;
            used = 0.0;
        }
        used += entry + 16.0;
    }
    rows
}

/// So many categories are left out between two labels that about `wanted` labels stand.
pub(crate) fn every(categories: usize, wanted: usize) -> f64 {
    let step = categories.div_ceil(wanted).max(1);
    // Categories are days of a few years at most.
    #[allow(clippy::cast_precision_loss)]
    let left_out = (step - 1) as f64;
    left_out
}
