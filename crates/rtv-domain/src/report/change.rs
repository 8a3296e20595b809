//! How a figure of a report changed, in words: the same on its page and in its PDF.

use rtv_core::kpi::Unit;
use rtv_core::period::Period;
use rtv_core::report::Metric;
use rust_decimal::Decimal;

use crate::format::Format;

/// How a figure changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// By how much, and by how much of what it was: `+120 (+12.4%)`. Empty where there is nothing to compare with.
    pub text: String,
    /// What it is compared with: `better than 970 in 1 Sep – 30 Sep 2026`.
    pub words: String,
    /// 1 up, −1 down; 0 where what is written rounds to nothing.
    pub direction: i8,
    /// Whether that is good; `None` where it is neither.
    pub is_better: Option<bool>,
}

/// How a figure changed since the period of comparison: its own, where it has one, or else `previous`, that of the whole report. `None`
/// where it is not compared, has no value, or lies beyond what a figure holds.
pub fn change(format: &Format, metric: &Metric, previous: Option<Period>) -> Option<Change> {
    let value = metric.value.filter(|_| metric.is_compared)?;
    let Some(before) = metric.previous else {
        let words = "no earlier value to compare with".to_owned();
        return Some(Change { text: String::new(), words, direction: 0, is_better: None });
    };
    let unit = metric.unit;
    let difference = value.checked_sub(before)?;
    difference.checked_mul(Decimal::ONE_HUNDRED)?;
    let ratio = match unit {
        // A share of a share is read as points.
        Unit::Percent | Unit::Score => None,
        _ if before.is_zero() => None,
        Unit::Count | Unit::Money | Unit::Multiple => {
            let ratio = difference.checked_div(before.abs())?;
            ratio.checked_mul(Decimal::ONE_HUNDRED)?;
            Some(ratio)
        }
    };
    let is_new = before.is_zero() && !value.is_zero() && matches!(unit, Unit::Count | Unit::Money);
    let by = format.difference(unit, difference);
    let text = match ratio {
        Some(ratio) => format!("{by} ({})", format.change(ratio)),
        None if is_new => format!("{by} (new)"),
        None => by,
    };
    let is_shown = ratio.map_or_else(|| format.is_shown(unit, difference), Format::is_change_shown);
    let direction = match (is_shown, difference.is_sign_negative()) {
        (false, _) => 0,
        (true, false) => 1,
        (true, true) => -1,
    };
    let is_better = metric.up_is_good.filter(|_| direction != 0).map(|up_is_good| (direction > 0) == up_is_good);
    let words = match (direction, is_better) {
        (0, _) if difference.is_zero() => "the same as",
        (0, _) => "about the same as",
        (_, Some(true)) => "better than",
        (_, Some(false)) => "worse than",
        (1, None) => "more than",
        (_, None) => "less than",
    };
    let when = metric
        .compared_with
        .or(previous)
        .map(|previous| format!(" in {}", format.period(previous)))
        .unwrap_or_default();
    Some(Change { text, words: format!("{words} {}{when}", format.exact(unit, before)), direction, is_better })
}
