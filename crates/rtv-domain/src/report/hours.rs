//! Posts by weekday and hour of their publication, from the roll-up of hours.

use rtv_core::Error;
use rtv_core::kpi::Kpi;
use rtv_core::report::{Cell, Dimension, Measure, Query, Table};

use super::fill::{Frame, arranged, columns};
use crate::kpi;
use crate::post_hour::{self, Hour};

/// Answers the query. Always of what was published in the period, whatever the basis of the figures: an hour is an hour of
/// publication.
pub(super) async fn table(frame: &Frame, query: &Query) -> Result<Table, Error> {
    let asked = kpi::Query {
        period: frame.period,
        previous: None,
        filter: frame.filter.clone(),
        metric: Kpi::Engagements,
        grain: None,
    };
    let week = post_hour::week(&frame.ctx, &asked, &frame.summary.accounts, &frame.summary.campaigns).await?;
    let has = |dimension| query.dimensions.contains(&dimension);
    let (by_day, by_hour) = (has(Dimension::Weekday), has(Dimension::Hour));
    let start = usize::try_from(frame.week_start).unwrap_or(0);
    let days = if by_day { (0..7).map(|day| Some((day + start) % 7)).collect() } else { vec![None] };
    let hours = if by_hour { (0..24).map(Some).collect() } else { vec![None] };
    let mut rows = Vec::new();
    for (day, hour) in pairs(&days, &hours, query) {
        let is_meant = |of: Option<usize>, number: usize| of.is_none_or(|of| of == number);
        let sum = week
            .days
            .iter()
            .enumerate()
            .filter(|(number, _)| is_meant(day, *number))
            .flat_map(|(_, hours)| hours.iter().enumerate().filter(|(number, _)| is_meant(hour, *number)))
            .fold(Hour::default(), |sum, (_, one)| sum.plus(one));
        let mut cells: Vec<Cell> = query
            .dimensions
            .iter()
            .map(|dimension| {
                let number = if *dimension == Dimension::Weekday { day } else { hour };
                number.and_then(|number| u8::try_from(number).ok()).map_or(Cell::Missing, Cell::Ordinal)
            })
            .collect();
        cells.extend(query.measures.iter().map(|measure| value(&sum, *measure)));
        rows.push(cells);
    }
    let mut totals: Vec<Cell> = query.dimensions.iter().map(|_| Cell::Missing).collect();
    totals.extend(query.measures.iter().map(|measure| value(&week.all, *measure)));
    let mut notes = vec!["Totals to date of what was published in each hour.".to_owned()];
    if week.unknown > 0 {
        notes.push(format!("{} posts stand nowhere here: the hour of their publication is not known.", week.unknown));
    }
    Ok(arranged(frame, query, columns(query, false), rows, totals, notes))
}

/// All cells in the order of the dimensions.
fn pairs(days: &[Option<usize>], hours: &[Option<usize>], query: &Query) -> Vec<(Option<usize>, Option<usize>)> {
    if query.dimensions.first() == Some(&Dimension::Hour) {
        hours.iter().flat_map(|hour| days.iter().map(|day| (*day, *hour))).collect()
    } else {
        days.iter().flat_map(|day| hours.iter().map(|hour| (*day, *hour))).collect()
    }
}

fn value(hour: &Hour, measure: Measure) -> Cell {
    let number = match measure {
        Measure::Published => Some(hour.posts.into()),
        Measure::Engagements => hour.engagements(),
        Measure::EngagementRate => hour.engagement_rate(),
        _ => None,
    };
    number.map_or(Cell::Missing, Cell::Number)
}
