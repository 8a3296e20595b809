//! Courses through time: every point of the period is a row of each part, and what the period of comparison has beside it is said.

use std::collections::BTreeSet;

use rtv_core::report::{Dimension, Query};

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
