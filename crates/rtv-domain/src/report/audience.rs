//! Followers of the accounts, from their daily counts, which the frame has read already.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use rtv_core::Error;
use rtv_core::period::Period;
use rtv_core::report::{Cell, Dimension, Measure, Query, Table};
use uuid::Uuid;

use super::course::{surplus, uneven};
use super::fill::{Frame, arranged, columns, grain_of};
use crate::account::Account;
use crate::kpi::points;

/// Part of the accounts that a row is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Platform(rtv_core::Platform),
    Account(Uuid),
}

/// Answers the query.
pub(super) fn table(frame: &Frame, query: &Query) -> Result<Table, Error> {
    if !frame.campaigns.is_empty() {
        return Err(Error::invalid(
            "campaign",
            "followers belong to accounts, not to campaigns; leave the campaigns out.",
        ));
    }
    let is_compared = query.is_compared && frame.previous.is_some();
    let windows = windows(frame, query, frame.period);
    let before = frame.previous.filter(|_| is_compared).map(|previous| self::windows(frame, query, previous));
    let mut rows = Vec::new();
    for (index, window) in windows.iter().enumerate() {
        for parts in parts(frame, query) {
            let mut cells: Vec<Cell> = query
                .dimensions
                .iter()
                .map(|dimension| match dimension {
                    Dimension::Platform => label(frame, &parts, |part| matches!(part, Part::Platform(_))),
                    Dimension::Account => label(frame, &parts, |part| matches!(part, Part::Account(_))),
                    _ => Cell::Day(window.from()),
                })
                .collect();
            for measure in &query.measures {
                cells.push(value(frame, *window, &parts, *measure));
                if is_compared {
                    let earlier = before.as_ref().and_then(|windows| windows.get(index));
                    cells.push(earlier.map_or(Cell::Missing, |window| value(frame, *window, &parts, *measure)));
                }
            }
            rows.push((order(frame, query, index, &parts), cells));
        }
    }
    rows.sort_by(|(left, _), (right, _)| left.cmp(right));
    let rows = rows.into_iter().map(|(_, cells)| cells).collect();
    let mut totals: Vec<Cell> = query.dimensions.iter().map(|_| Cell::Missing).collect();
    for measure in &query.measures {
        totals.push(value(frame, frame.period, &[], *measure));
        if is_compared {
            totals.push(frame.previous.map_or(Cell::Missing, |window| value(frame, window, &[], *measure)));
        }
    }
    let (_, known) = frame.followers.at_end_of(frame.period, |_| true);
    let of = frame.covered.len();
    let previous = frame.previous.filter(|_| is_compared);
    // A sum over other accounts has another size, whoever follows whom.
    let known_before = previous.map(|previous| frame.followers.at_end_of(previous, |_| true).1);
    let compared = known_before
        .filter(|before| *before != known)
        .map(|before| format!(" ({before} of {of} in the period of comparison)"))
        .unwrap_or_default();
    let mut notes = vec![format!("{known} of {of} accounts report followers{compared}.")];
    // Followers at the end of a week are as many however many days of it there are; what they grew by is not.
    if query.measures.contains(&Measure::FollowerGrowth) {
        notes.extend(uneven(query, frame.period, previous, frame.week_start));
    }
    notes.extend(before.and_then(|before| surplus(query, windows.len(), before.len())));
    Ok(arranged(frame, query, columns(query, is_compared), rows, totals, notes))
}

/// The period, cut where the query tells points in time apart.
fn windows(frame: &Frame, query: &Query, period: Period) -> Vec<Period> {
    let Some(grain) = grain_of(query) else { return vec![period] };
    let firsts = points(period, grain, frame.week_start);
    firsts
        .iter()
        .enumerate()
        .filter_map(|(index, first)| {
            let last = firsts.get(index + 1).and_then(NaiveDate::pred_opt).unwrap_or(period.to());
            Period::new(*first, last).ok()
        })
        .collect()
}

/// What rows are told apart by beside time.
fn parts(frame: &Frame, query: &Query) -> BTreeSet<Vec<Part>> {
    let has = |dimension| query.dimensions.contains(&dimension);
    let of = |account: &Account| {
        let mut parts = Vec::new();
        if has(Dimension::Platform) {
            parts.push(Part::Platform(account.platform));
        }
        if has(Dimension::Account) {
            parts.push(Part::Account(account.id.uuid()));
        }
        parts
    };
    frame.covered.iter().map(of).collect()
}

/// Where a row stands: by its dimensions as they were asked for, time as it goes on and names by the alphabet.
fn order(frame: &Frame, query: &Query, window: usize, parts: &[Part]) -> Vec<(usize, String)> {
    let name = |is_it: fn(&Part) -> bool| match parts.iter().find(|part| is_it(part)) {
        Some(Part::Platform(platform)) => platform.label().to_lowercase(),
        Some(Part::Account(id)) => format!("{} {id}", frame.account_name(*id).to_lowercase()),
        None => String::new(),
    };
    let place = |dimension: &Dimension| match dimension {
        Dimension::Platform => (0, name(|part| matches!(part, Part::Platform(_)))),
        Dimension::Account => (0, name(|part| matches!(part, Part::Account(_)))),
        _ => (window, String::new()),
    };
    query.dimensions.iter().map(place).collect()
}

fn label(frame: &Frame, parts: &[Part], is_it: impl Fn(&Part) -> bool) -> Cell {
    match parts.iter().find(|part| is_it(part)) {
        Some(Part::Platform(platform)) => Cell::Text(platform.label().into()),
        Some(Part::Account(id)) => Cell::Text(frame.account_name(*id)),
        None => Cell::Missing,
    }
}

fn value(frame: &Frame, window: Period, parts: &[Part], measure: Measure) -> Cell {
    let is_meant = |account: Uuid| {
        parts.iter().all(|part| match part {
            Part::Platform(platform) => frame.account(account).is_some_and(|one| one.platform == *platform),
            Part::Account(id) => *id == account,
        })
    };
    let value = match measure {
        Measure::Followers => frame.followers.at_end_of(window, is_meant).0,
        _ => frame.followers.growth_of(window, is_meant).0,
    };
    value.map_or(Cell::Missing, |value| Cell::Number(value.into()))
}
