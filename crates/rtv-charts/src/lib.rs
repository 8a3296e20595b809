//! From numbers to a drawn chart: a typed description becomes an `ECharts` option (plain JSON, no functions in it), and with the
//! feature `svg` that option becomes a picture, drawn by `ECharts` inside `QuickJS`. Sparklines are paths of our own and need neither.
//! Reading data, translating and caching are the caller's work.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod frame;
mod number;
mod option;
mod palette;
mod report;
mod scale;
mod sparkline;
mod text;
mod trend;

#[cfg(feature = "svg")]
mod svg;

pub use number::{NumberStyle, Unit};
pub use palette::{Colour, Dash, Oklch, Palette, SeriesColour, Theme};
pub use report::{Along, CellWords, ReportChart, Rest, Words};
pub use sparkline::{SparkPath, sparkline};
pub use trend::{Mark, Role, Series, TrendChart};

#[cfg(feature = "svg")]
pub use svg::{ECHARTS_SOURCE, Limits, PICTURE_CSP, RenderError, Renderer};
