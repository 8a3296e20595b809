//! Deliveries that were planned for a period, told apart by state, account, platform, campaign and time.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rtv_core::delivery::State;
use rtv_core::period::Period;
use rtv_core::report::{Cell, Dimension, Measure, Query, Table};
use rtv_core::{Error, Permission, Platform};
use uuid::Uuid;

use super::course::{fill_gaps, surplus, uneven};
use super::fill::{Frame, arranged, columns, grain_of};
use crate::access::stored;
use crate::kpi::points;
use crate::transaction::{Resource, failed};

/// What a row is told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Point(usize),
    State(State),
    Platform(Platform),
    Account(Uuid),
    Campaign(Uuid),
}

/// Deliveries of a row.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    all: i64,
    confirmed: i64,
    missed: i64,
    rejected: i64,
}

impl Counts {
    const fn plus(self, other: Self) -> Self {
        Self {
            all: self.all + other.all,
            confirmed: self.confirmed + other.confirmed,
            missed: self.missed + other.missed,
            rejected: self.rejected + other.rejected,
        }
    }

    fn cell(self, measure: Measure) -> Cell {
        Cell::Number(match measure {
            Measure::Confirmed => self.confirmed.into(),
            Measure::Missed => self.missed.into(),
            Measure::Rejected => self.rejected.into(),
            _ => self.all.into(),
        })
    }
}

struct Answer {
    points: Vec<NaiveDate>,
    rows: BTreeMap<Vec<Key>, Counts>,
    total: Counts,
}

/// Answers the query.
pub(super) async fn table(frame: &Frame, query: &Query) -> Result<Table, Error> {
    let is_compared = query.is_compared && frame.previous.is_some();
    let now = read(frame, query, frame.period).await?;
    let before = match frame.previous.filter(|_| is_compared) {
        Some(previous) => Some(read(frame, query, previous).await?),
        None => None,
    };
    let mut keys: BTreeSet<Vec<Key>> = now.rows.keys().cloned().collect();
    keys.extend(before.iter().flat_map(|before| before.rows.keys().cloned()));
    fill_gaps(&mut keys, query, now.points.len(), Key::Point, |key| match key {
        Key::Point(point) => Some(point),
        _ => None,
    });
    let mut keys: Vec<Vec<Key>> = keys.into_iter().collect();
    keys.sort_by_cached_key(|key| key.iter().map(|one| natural(frame, *one)).collect::<Vec<_>>());
    let rows = keys
        .iter()
        .map(|key| {
            let mut cells: Vec<Cell> = key.iter().map(|one| label(frame, &now.points, *one)).collect();
            for measure in &query.measures {
                cells.push(now.cell(key, *measure));
                if let Some(before) = &before {
                    cells.push(before.cell(key, *measure));
                }
            }
            cells
        })
        .collect();
    let mut totals: Vec<Cell> = query.dimensions.iter().map(|_| Cell::Missing).collect();
    for measure in &query.measures {
        totals.push(now.total.cell(*measure));
        if let Some(before) = &before {
            totals.push(before.total.cell(*measure));
        }
    }
    let mut notes = uneven(query, frame.period, frame.previous.filter(|_| is_compared), frame.week_start);
    notes.extend(before.as_ref().and_then(|before| surplus(query, now.points.len(), before.points.len())));
    Ok(arranged(frame, query, columns(query, is_compared), rows, totals, notes))
}

/// Order of rows where none was asked for: time and states go on, names stand by the alphabet, what is none stands last.
fn natural(frame: &Frame, key: Key) -> (usize, bool, String) {
    match key {
        Key::Point(point) => (point, false, String::new()),
        Key::State(state) => {
            let place = State::ALL.iter().position(|one| *one == state);
            (place.unwrap_or(State::ALL.len()), false, String::new())
        }
        Key::Platform(platform) => (0, false, platform.label().to_lowercase()),
        Key::Account(id) => (0, false, format!("{} {id}", frame.account_name(id).to_lowercase())),
        Key::Campaign(id) => (0, id.is_nil(), format!("{} {id}", frame.campaign_name(id).to_lowercase())),
    }
}

impl Answer {
    /// A figure of a row: nothing planned is a zero, and a point that a shorter period does not have is not known.
    fn cell(&self, key: &[Key], measure: Measure) -> Cell {
        if key.iter().any(|one| matches!(one, Key::Point(point) if *point >= self.points.len())) {
            return Cell::Missing;
        }
        self.rows.get(key).copied().unwrap_or_default().cell(measure)
    }
}

fn label(frame: &Frame, points: &[NaiveDate], key: Key) -> Cell {
    match key {
        Key::Point(point) => points.get(point).map_or(Cell::Missing, |day| Cell::Day(*day)),
        Key::State(state) => Cell::Text(state.label().into()),
        Key::Platform(platform) => Cell::Text(platform.label().into()),
        Key::Account(id) => Cell::Text(frame.account_name(id)),
        Key::Campaign(id) => Cell::Text(frame.campaign_name(id)),
    }
}

async fn read(frame: &Frame, query: &Query, period: Period) -> Result<Answer, Error> {
    let grain = grain_of(query);
    let has = |dimension| query.dimensions.contains(&dimension);
    let mut tx = frame.ctx.begin(Permission::AnalyticsRead, Resource::Deliveries).await?;
    let rows = sqlx::query!(
        r#"
        select
          state, platform,
          case when $6 then (due_at at time zone $1)::date end as day,
          case when $7 then account_id end as account_id,
          case when $8 then coalesce(campaign_id, '00000000-0000-0000-0000-000000000000') end as campaign_id,
          count(*) as "count!"
        from delivery
        where due_at >= ($2::date)::timestamp at time zone $1
          and due_at < ($3::date + 1)::timestamp at time zone $1
          and account_id = any($4)
          and (
            cardinality($5::uuid[]) = 0
            or coalesce(campaign_id, '00000000-0000-0000-0000-000000000000') = any($5)
          )
        group by 1, 2, 3, 4, 5
        "#,
        frame.ctx.tenant().zone.name(),
        period.from(),
        period.to(),
        &frame.accounts,
        &frame.campaigns,
        grain.is_some(),
        has(Dimension::Account),
        has(Dimension::Campaign),
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    let points = grain.map(|grain| points(period, grain, frame.week_start)).unwrap_or_default();
    let mut answer = Answer { points, rows: BTreeMap::new(), total: Counts::default() };
    for row in rows {
        let state: State = stored(row.state.parse())?;
        let count = |is_it: bool| if is_it { row.count } else { 0 };
        let counts = Counts {
            all: row.count,
            confirmed: count(state == State::Confirmed),
            missed: count(state == State::Missed),
            rejected: count(state == State::Rejected),
        };
        answer.total = answer.total.plus(counts);
        let platform: Platform = stored(row.platform.parse())?;
        let key: Option<Vec<Key>> = query
            .dimensions
            .iter()
            .map(|dimension| match dimension {
                Dimension::Day | Dimension::Week | Dimension::Month => {
                    let point = row.day.map(|day| answer.points.partition_point(|point| *point <= day));
                    point.and_then(|after| after.checked_sub(1)).map(Key::Point)
                }
                Dimension::State => Some(Key::State(state)),
                Dimension::Platform => Some(Key::Platform(platform)),
                Dimension::Account => row.account_id.map(Key::Account),
                Dimension::Campaign => row.campaign_id.map(Key::Campaign),
                _ => None,
            })
            .collect();
        if let Some(key) = key {
            let sums = answer.rows.entry(key).or_default();
            *sums = sums.plus(counts);
        }
    }
    Ok(answer)
}
