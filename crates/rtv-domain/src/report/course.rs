//! Courses through time: every point of the period is a row of each part; how long the points are and what the period of comparison
//! has beside them is said.

use std::collections::BTreeSet;

use rtv_core::period::{Grain, Period};
use rtv_core::report::{Dimension, Query};

use super::fill::grain_of;
use crate::kpi::{extent_of_point, points};

/// Where a query has its points in time among its dimensions.
fn place_of_time(query: &Query) -> Option<(usize, Dimension)> {
    let is_time = |dimension: &Dimension| matches!(dimension, Dimension::Day | Dimension::Week | Dimension::Month);
    let place = query.dimensions.iter().position(is_time)?;
    query.dimensions.get(place).map(|dimension| (place, *dimension))
}

/// A course through time has all its points, also those in which nothing happened, for each of the parts that there are. `point`
/// makes the key of a point and `place` tells which one a key is.
pub(super) fn fill_gaps<K: Copy + Ord>(
    keys: &mut BTreeSet<Vec<K>>,
    query: &Query,
    points: usize,
    point: impl Fn(usize) -> K,
    place: impl Fn(K) -> Option<usize>,
) {
    let Some((of_time, _)) = place_of_time(query) else { return };
    let mut others: BTreeSet<Vec<K>> = keys
        .iter()
        .map(|key| key.iter().enumerate().filter(|(index, _)| *index != of_time).map(|(_, one)| *one).collect())
        .collect();
    if query.dimensions.len() == 1 {
        others.insert(Vec::new());
    }
    for other in others {
        for number in 0..points {
            let mut key = other.clone();
            key.insert(of_time, point(number));
            keys.insert(key);
        }
    }
    // The period of comparison may be a day longer; what has no point beside it is in its totals.
    keys.retain(|key| place(key[of_time]).is_none_or(|number| number < points));
}

/// What is to be known where points are no whole weeks or months, and where those beside them are longer or shorter: a figure that
/// counts what happened is smaller in fewer days, and nothing fell.
pub(super) fn uneven(query: &Query, period: Period, previous: Option<Period>, week_start: u32) -> Vec<String> {
    let (grain, name) = match grain_of(query) {
        Some(Grain::Week) => (Grain::Week, "week"),
        Some(Grain::Month) => (Grain::Month, "month"),
        Some(Grain::Day) | None => return Vec::new(),
    };
    let now = lengths(period, grain, week_start);
    let part = |(days, whole): (u64, u64)| (days < whole).then(|| format!("{days} of {whole}"));
    let mut notes = Vec::new();
    match now.as_slice() {
        [only] => notes.extend(part(*only).map(|part| format!("The {name} has {part} days."))),
        // The ends of the period cut no others.
        [first, .., last] => match (part(*first), part(*last)) {
            (Some(first), Some(last)) => notes.push(format!("The first {name} has {first} days, the last {last}.")),
            (Some(first), None) => notes.push(format!("The first {name} has {first} days.")),
            (None, Some(last)) => notes.push(format!("The last {name} has {last} days.")),
            (None, None) => {}
        },
        [] => {}
    }
    let before = previous.map(|previous| lengths(previous, grain, week_start)).unwrap_or_default();
    if now.iter().zip(&before).any(|((days, _), (before, _))| days != before) {
        notes.push(format!("Not every {name} of the period of comparison has as many days as the one beside it."));
    }
    notes
}

/// Of each point the days that lie in the period, and those of the whole week or month.
fn lengths(period: Period, grain: Grain, week_start: u32) -> Vec<(u64, u64)> {
    points(period, grain, week_start)
        .into_iter()
        .map(|first| {
            let (last, whole) = extent_of_point(period, grain, week_start, first);
            (u64::try_from((last - first).num_days() + 1).unwrap_or(whole), whole)
        })
        .collect()
}

/// What is to be known where the period of comparison has more points than the period itself.
pub(super) fn surplus(query: &Query, points: usize, before: usize) -> Option<String> {
    let (_, dimension) = place_of_time(query)?;
    let more = before.checked_sub(points).filter(|more| *more > 0)?;
    let (one, many) = match dimension {
        Dimension::Day => ("day", "days"),
        Dimension::Week => ("week", "weeks"),
        _ => ("month", "months"),
    };
    Some(match more {
        1 => format!("The last {one} of the period of comparison has none beside it and stands in the totals only."),
        _ => format!(
            "The last {more} {many} of the period of comparison have none beside them and stand in the totals only."
        ),
    })
}

#[cfg(test)]
mod tests {
    use rtv_core::report::{Measure, Source};

    use super::*;

    fn period(from: &str, to: &str) -> Period {
        Period::new(from.parse().unwrap(), to.parse().unwrap()).unwrap()
    }

    #[track_caller]
    fn check(dimension: Dimension, now: [&str; 2], before: Option<[&str; 2]>, expect: &[&str]) {
        let query = Query {
            source: Source::Kpis,
            dimensions: vec![dimension],
            measures: vec![Measure::Published],
            sort: None,
            limit: None,
            is_compared: before.is_some(),
        };
        let before = before.map(|[from, to]| period(from, to));
        assert_eq!(uneven(&query, period(now[0], now[1]), before, 0), expect);
    }

    #[test]
    fn points_that_are_cut_are_told_with_their_days_and_so_are_those_beside_them() {
        let longer =
            |name| format!("Not every {name} of the period of comparison has as many days as the one beside it.");
        let (weeks, months) = (longer("week"), longer("month"));
        // 2 March 2026 is a Monday.
        check(Dimension::Week, ["2026-03-02", "2026-03-15"], None, &[]);
        check(Dimension::Week, ["2026-03-02", "2026-03-15"], Some(["2026-02-16", "2026-03-01"]), &[]);
        check(
            Dimension::Week,
            ["2026-03-01", "2026-03-31"],
            None,
            &["The first week has 1 of 7 days, the last 2 of 7."],
        );
        check(Dimension::Week, ["2026-03-04", "2026-03-15"], None, &["The first week has 5 of 7 days."]);
        check(Dimension::Week, ["2026-03-02", "2026-03-10"], None, &["The last week has 2 of 7 days."]);
        let told = ["The week has 5 of 7 days.", weeks.as_str()];
        check(Dimension::Week, ["2026-03-04", "2026-03-08"], Some(["2026-02-27", "2026-03-03"]), &told);
        // A quarter by days begins with one day of a month beside a whole one.
        let quarter = ["2026-07-01", "2026-09-30"];
        check(Dimension::Month, quarter, Some(["2026-03-31", "2026-06-30"]), &[months.as_str()]);
        check(Dimension::Month, quarter, Some(["2025-07-01", "2025-09-30"]), &[]);
        check(Dimension::Day, ["2026-03-01", "2026-03-31"], Some(["2026-01-29", "2026-02-28"]), &[]);
    }
}
