//! Which values the y axis marks: few, round, evenly spaced. Done here and not in the drawing library, because the labels are
//! written here too, in the reader's number format.

use crate::number::Unit;

/// Few lines are quieter than many.
const MOST_STEPS: u32 = 5;

/// The marked values of an axis, lowest first, at least two.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scale {
    pub(crate) step: f64,
    pub(crate) ticks: Vec<f64>,
}

impl Scale {
    /// Covers all values. Every unit but the score starts at zero: a cut axis makes small changes look large.
    pub(crate) fn covering(values: impl Iterator<Item = f64>, unit: &Unit) -> Self {
        let zero = if matches!(unit, Unit::Score) { None } else { Some((0.0, 0.0)) };
        Self::stretching(zero, values, unit)
    }

    /// For colours: what is far from zero and close together would otherwise have one shade.
    pub(crate) fn of_shades(values: impl Iterator<Item = f64> + Clone, unit: &Unit) -> Self {
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let high = values.clone().fold(f64::NEG_INFINITY, f64::max);
        if low > high / 2.0 && high > low { Self::stretching(None, values, unit) } else { Self::covering(values, unit) }
    }

    fn stretching(start: Option<(f64, f64)>, values: impl Iterator<Item = f64>, unit: &Unit) -> Self {
        let range = values.fold(start, |range, value| {
            Some(range.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        });
        let (mut low, mut high) = range.unwrap_or((0.0, 0.0));
        if high - low < f64::EPSILON * high.abs().max(1.0) {
            let room = match unit {
                Unit::Score => 0.1,
                Unit::Percent => 0.01,
                _ => 4.0,
            };
            high += room;
            if matches!(unit, Unit::Score) {
                low -= room;
            }
        }
        let (step, first, count) = round_step(low, high, matches!(unit, Unit::Count));
        let ticks = (0..=count).map(|index| (first + f64::from(index)) * step).collect();
        Self { step, ticks }
    }

    pub(crate) fn low(&self) -> f64 {
        self.ticks.first().copied().unwrap_or_default()
    }

    pub(crate) fn high(&self) -> f64 {
        self.ticks.last().copied().unwrap_or_default()
    }
}

/// The step, the first tick in steps from zero and the number of steps. Of the steps 1, 2, 2.5 and 5 times a power of ten that cover
/// the range in at most five, the one that leaves least of the height empty; where equal, the one nearest to four steps. What is
/// counted has whole steps only.
fn round_step(low: f64, high: f64, whole: bool) -> (f64, f64, u32) {
    let power = 10_f64.powf(((high - low) / f64::from(MOST_STEPS)).log10().floor());
    let mut best = (10.0 * power, 0.0, 1);
    let mut best_rank = (f64::INFINITY, u32::MAX);
    for step in [1.0, 2.0, 2.5, 5.0, 10.0, 20.0].map(|factor| factor * power) {
        if whole && step.fract() != 0.0 {
            continue;
        }
        // Sums of fractions miss whole numbers by a hair.
        let first = (low / step + 1e-9).floor();
        let steps = (high / step - 1e-9).ceil() - first;
        if steps > f64::from(MOST_STEPS) {
            continue;
        }
        // From 1 to 5, as just seen.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let count = steps as u32;
        let rank = (steps * step, count.abs_diff(4));
        if rank.0 < best_rank.0 * (1.0 - 1e-9) || (rank.0 <= best_rank.0 * (1.0 + 1e-9) && rank.1 < best_rank.1) {
            (best, best_rank) = ((step, first, count), rank);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f64], unit: &Unit, expect: &[f64]) {
        let ticks = Scale::covering(values.iter().copied(), unit).ticks;
        assert_eq!(ticks.len(), expect.len(), "{values:?} gave {ticks:?}");
        for (tick, expected) in ticks.iter().zip(expect) {
            assert!((tick - expected).abs() < 1e-9, "{values:?} gave {ticks:?}");
        }
    }

    #[test]
    fn ticks_are_round_few_and_cover_the_values() {
        let count = Unit::Count;
        check(&[], &count, &[0.0, 1.0, 2.0, 3.0, 4.0]);
        check(&[0.0], &count, &[0.0, 1.0, 2.0, 3.0, 4.0]);
        check(&[1.0], &count, &[0.0, 1.0]);
        check(&[9.0], &count, &[0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        check(&[980.0, 1020.0], &count, &[0.0, 250.0, 500.0, 750.0, 1000.0, 1250.0]);
        check(&[84_200.0], &count, &[0.0, 25_000.0, 50_000.0, 75_000.0, 100_000.0]);
        check(&[46_000.0], &count, &[0.0, 10_000.0, 20_000.0, 30_000.0, 40_000.0, 50_000.0]);
        check(&[-30.0, 100.0], &count, &[-50.0, 0.0, 50.0, 100.0]);
        check(&[-5.0], &count, &[-5.0, -4.0, -3.0, -2.0, -1.0, 0.0]);
        check(&[0.066], &Unit::Percent, &[0.0, 0.025, 0.05, 0.075]);
        check(&[1e12], &Unit::Money("€".into()), &[0.0, 2.5e11, 5e11, 7.5e11, 1e12]);
    }

    #[test]
    fn shades_leave_zero_out_where_values_lie_close_together() {
        let ticks = |values: &[f64]| Scale::of_shades(values.iter().copied(), &Unit::Count).ticks;
        assert_eq!(ticks(&[960.0, 1000.0]), [960.0, 970.0, 980.0, 990.0, 1000.0]);
        assert_eq!(ticks(&[10.0, 100.0]).first(), Some(&0.0));
        assert_eq!(ticks(&[]), [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(ticks(&[7.0]).first(), Some(&0.0));
    }

    #[test]
    fn a_score_may_leave_zero_out() {
        check(&[0.38, 0.46], &Unit::Score, &[0.38, 0.40, 0.42, 0.44, 0.46]);
        check(&[0.4], &Unit::Score, &[0.3, 0.35, 0.4, 0.45, 0.5]);
    }
}
