//! The small line inside a KPI card, as SVG path data. No axis, no text, no library: it stands in the page itself, where the
//! content policy forbids the inline styles of drawn charts.

use std::fmt::Write as _;

/// Half the stroke and the end dot stay inside the box.
const INSET: f64 = 3.0;

/// Path data of one sparkline; y grows downwards, as in SVG.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SparkPath {
    /// The line. A lone point is a line of no length: draw with `stroke-linecap="round"` to see it as a dot.
    pub d: String,
    /// The area under the line, down to the lower edge.
    pub area: String,
    /// Where the last known value lies, for an end dot.
    pub last: Option<(f64, f64)>,
}

/// Draws the values, oldest first, into a box of `width` × `height` user units. A missing value (or one that is not finite) breaks
/// the line. The lowest value touches the bottom and the highest the top; equal values run through the middle.
pub fn sparkline(values: &[Option<f64>], width: f64, height: f64) -> SparkPath {
    let known = || values.iter().flatten().copied().filter(|value| value.is_finite());
    let low = known().fold(f64::INFINITY, f64::min);
    let high = known().fold(f64::NEG_INFINITY, f64::max);
    let span = high - low;
    let columns = values.len().saturating_sub(1).max(1);
    let place = |index: usize, value: f64| {
        // Fewer than 2^52 values fit on any screen.
        #[allow(clippy::cast_precision_loss)]
        let across = index as f64 / columns as f64;
        let up = if span > 0.0 { (value - low) / span } else { 0.5 };
        let inner = (width - 2.0 * INSET, height - 2.0 * INSET);
        (INSET + across * inner.0, INSET + (1.0 - up) * inner.1)
    };

    let mut path = SparkPath::default();
    let mut run = Vec::new();
    for (index, value) in values.iter().enumerate() {
        match value.filter(|value| value.is_finite()) {
            Some(value) => run.push(place(index, value)),
            None => path.close_run(&mut run, height),
        }
    }
    path.close_run(&mut run, height);
    path
}

impl SparkPath {
    /// Writes one unbroken stretch and empties it.
    fn close_run(&mut self, run: &mut Vec<(f64, f64)>, height: f64) {
        let (Some(&first), Some(&last)) = (run.first(), run.last()) else {
            return;
        };
        let mut line = String::new();
        for (index, (x, y)) in run.iter().enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            // Writing into a String cannot fail.
            let _ = write!(line, "{command}{} {}", Short(*x), Short(*y));
        }
        if run.len() == 1 {
            line.push_str("h0");
        } else {
            let bottom = Short(height);
            let _ = write!(self.area, "{line}L{} {bottom}L{} {bottom}Z", Short(last.0), Short(first.0));
        }
        self.d.push_str(&line);
        self.last = Some(last);
        run.clear();
    }
}

/// A coordinate with at most two decimals, without trailing zeros.
struct Short(f64);

impl std::fmt::Display for Short {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", (self.0 * 100.0).round() / 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(values: &[Option<f64>]) -> String {
        sparkline(values, 106.0, 26.0).d
    }

    #[test]
    fn the_highest_value_is_on_top_and_the_lowest_at_the_bottom() {
        assert_eq!(line(&[Some(0.0), Some(10.0), Some(5.0)]), "M3 23L53 3L103 13");
    }

    #[test]
    fn a_gap_breaks_the_line_and_the_area() {
        let path = sparkline(&[Some(0.0), Some(10.0), None, Some(10.0), Some(0.0)], 106.0, 26.0);
        assert_eq!(path.d, "M3 23L28 3M78 3L103 23");
        assert_eq!(path.area, "M3 23L28 3L28 26L3 26ZM78 3L103 23L103 26L78 26Z");
        assert_eq!(path.last, Some((103.0, 23.0)));
    }

    #[test]
    fn a_value_that_is_not_finite_is_a_gap() {
        assert_eq!(line(&[Some(0.0), Some(f64::NAN), Some(f64::INFINITY)]), "M3 13h0");
    }

    #[test]
    fn a_lone_point_is_a_dot_without_an_area() {
        let path = sparkline(&[None, Some(4.0), None], 106.0, 26.0);
        assert_eq!((path.d.as_str(), path.area.as_str()), ("M53 13h0", ""));
        assert_eq!(path.last, Some((53.0, 13.0)));
    }

    #[test]
    fn equal_values_run_through_the_middle() {
        assert_eq!(line(&[Some(7.0), Some(7.0)]), "M3 13L103 13");
    }

    #[test]
    fn nothing_known_draws_nothing() {
        assert_eq!(sparkline(&[], 106.0, 26.0), SparkPath::default());
        assert_eq!(sparkline(&[None, None], 106.0, 26.0), SparkPath::default());
    }
}
