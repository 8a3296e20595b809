//! KPIs told apart by time, platform, account, campaign and team, from the daily roll-ups: one query for each period.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rtv_core::Error;
use rtv_core::kpi::{Basis, Kpi};
use rtv_core::period::{Grain, Period};
use rtv_core::report::{Cell, Dimension, Measure, Query, Table};
use rtv_core::{Permission, Platform};
use uuid::Uuid;

use super::course::{fill_gaps, surplus, uneven};
use super::fill::{Frame, arranged, columns, grain_of};
use crate::access::stored;
use crate::coverage;
use crate::format::Format;
use crate::kpi::{Sums, points, sums_of};
use crate::transaction::{Resource, failed};

/// What a row is told apart by, in the order of its dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// Index of a point in time.
    Point(usize),
    Platform(Platform),
    Account(Uuid),
    Campaign(Uuid),
    /// Index among the teams; the last one stands for none.
    Team(usize),
}

/// Sums of the roll-up, as finely as the query needs them.
struct Row {
    first_day: Option<NaiveDate>,
    last_day: Option<NaiveDate>,
    account: Option<Uuid>,
    campaign: Option<Uuid>,
    platform: Platform,
    sums: Sums,
}

/// Which team is responsible for what.
#[derive(Default)]
struct Responsible {
    accounts: BTreeMap<Uuid, Vec<usize>>,
    campaigns: BTreeMap<Uuid, Vec<usize>>,
}

/// Answers the query.
pub(super) async fn table(frame: &Frame, query: &Query) -> Result<Table, Error> {
    let is_compared = query.is_compared && frame.previous.is_some();
    let responsible = if query.dimensions.contains(&Dimension::Team) {
        read_responsible(frame).await?
    } else {
        Responsible::default()
    };
    let now = Answer::of(frame, query, frame.period, &responsible).await?;
    let before = match frame.previous.filter(|_| is_compared) {
        Some(previous) => Some(Answer::of(frame, query, previous, &responsible).await?),
        None => None,
    };
    let mut keys: BTreeSet<Vec<Key>> = now.rows.keys().cloned().collect();
    // What was there before and is not any more is a row too.
    keys.extend(before.iter().flat_map(|before| before.rows.keys().cloned()));
    add_accounts(&mut keys, frame, query);
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
                cells.push(now.value(frame, key, *measure));
                if is_compared {
                    cells.push(before.as_ref().map_or(Cell::Missing, |before| before.value(frame, key, *measure)));
                }
            }
            cells
        })
        .collect();
    let mut totals: Vec<Cell> = query.dimensions.iter().map(|_| Cell::Missing).collect();
    for measure in &query.measures {
        totals.push(now.total(frame, *measure));
        if is_compared {
            totals.push(before.as_ref().map_or(Cell::Missing, |before| before.total(frame, *measure)));
        }
    }
    let mut notes = uneven(query, frame.period, frame.previous.filter(|_| is_compared), frame.week_start);
    notes.extend(before.as_ref().and_then(|before| surplus(query, now.points.len(), before.points.len())));
    if now.unplaced > 0 {
        notes.push(format!(
            "{} posts stand in the totals and in no row: only the month of their publication is known.",
            now.unplaced
        ));
    }
    if query.dimensions.contains(&Dimension::Team) && frame.teams.len() > 1 {
        notes.push("What two teams are responsible for counts with both, and once in the totals.".into());
    }
    // The totals are the dashboard's figures, so what reports these is known.
    let format = Format::of(frame.ctx.tenant());
    notes.extend(query.measures.iter().filter_map(|measure| {
        let gap = coverage::gap(&format, frame.figure(*measure)?)?;
        Some(format!("{}: {gap}", measure.label()))
    }));
    Ok(arranged(frame, query, columns(query, is_compared), rows, totals, notes))
}

/// Followers are known also where nothing was published: every account that is covered has its row.
fn add_accounts(keys: &mut BTreeSet<Vec<Key>>, frame: &Frame, query: &Query) {
    if !query.measures.contains(&Measure::FollowerGrowth) || !frame.campaigns.is_empty() {
        return;
    }
    for account in &frame.covered {
        let key: Option<Vec<Key>> = query
            .dimensions
            .iter()
            .map(|dimension| match dimension {
                Dimension::Platform => Some(Key::Platform(account.platform)),
                Dimension::Account => Some(Key::Account(account.id.uuid())),
                // One point stands for all of them until the gaps are filled.
                Dimension::Day | Dimension::Week | Dimension::Month => Some(Key::Point(0)),
                _ => None,
            })
            .collect();
        keys.extend(key);
    }
}

/// Order of rows where none was asked for: time goes on, names stand by the alphabet, what is none stands last.
fn natural(frame: &Frame, key: Key) -> (usize, bool, String) {
    match key {
        Key::Point(point) => (point, false, String::new()),
        Key::Platform(platform) => (0, false, platform.label().to_lowercase()),
        Key::Account(id) => (0, false, format!("{} {id}", frame.account_name(id).to_lowercase())),
        Key::Campaign(id) => (0, id.is_nil(), format!("{} {id}", frame.campaign_name(id).to_lowercase())),
        Key::Team(index) => (index, false, String::new()),
    }
}

fn label(frame: &Frame, points: &[NaiveDate], key: Key) -> Cell {
    match key {
        Key::Point(point) => points.get(point).map_or(Cell::Missing, |day| Cell::Day(*day)),
        Key::Platform(platform) => Cell::Text(platform.label().into()),
        Key::Account(id) => Cell::Text(frame.account_name(id)),
        Key::Campaign(id) => Cell::Text(frame.campaign_name(id)),
        Key::Team(index) => {
            Cell::Text(frame.teams.get(index).map_or_else(|| "No team".to_owned(), |team| team.name.clone()))
        }
    }
}

/// What a period gives.
struct Answer {
    period: Period,
    points: Vec<NaiveDate>,
    rows: BTreeMap<Vec<Key>, Sums>,
    total: Sums,
    /// Posts that lie in the period and in no point of it.
    unplaced: i64,
}

impl Answer {
    async fn of(frame: &Frame, query: &Query, period: Period, responsible: &Responsible) -> Result<Self, Error> {
        let grain = grain_of(query);
        let points = grain.map(|grain| points(period, grain, frame.week_start)).unwrap_or_default();
        let mut rows: BTreeMap<Vec<Key>, Sums> = BTreeMap::new();
        let (mut total, mut unplaced) = (Sums::default(), 0);
        for row in read(frame, query, period).await? {
            total = total.plus(&row.sums);
            let mut keys: Vec<Vec<Key>> = vec![Vec::new()];
            let mut is_placed = true;
            for dimension in &query.dimensions {
                let these: Vec<Key> = match dimension {
                    Dimension::Day | Dimension::Week | Dimension::Month => {
                        match grain.and_then(|grain| point_of(&points, grain, frame.week_start, &row)) {
                            Some(point) => vec![Key::Point(point)],
                            None => {
                                is_placed = false;
                                Vec::new()
                            }
                        }
                    }
                    Dimension::Platform => vec![Key::Platform(row.platform)],
                    Dimension::Account => row.account.map(Key::Account).into_iter().collect(),
                    Dimension::Campaign => row.campaign.map(Key::Campaign).into_iter().collect(),
                    Dimension::Team => responsible.teams(frame, &row),
                    Dimension::Weekday
                    | Dimension::Hour
                    | Dimension::Post
                    | Dimension::PublishedAt
                    | Dimension::PostKind
                    | Dimension::PostId
                    | Dimension::State
                    | Dimension::Brand => Vec::new(),
                };
                keys = keys
                    .iter()
                    .flat_map(|key| these.iter().map(|one| [key.as_slice(), &[*one]].concat()).collect::<Vec<_>>())
                    .collect();
            }
            if !is_placed {
                unplaced += row.sums.published;
            }
            for key in keys {
                let sums = rows.entry(key).or_default();
                *sums = sums.plus(&row.sums);
            }
        }
        Ok(Self { period, points, rows, total, unplaced })
    }

    fn value(&self, frame: &Frame, key: &[Key], measure: Measure) -> Cell {
        let Some(kpi) = measure.kpi() else { return Cell::Missing };
        if kpi == Kpi::FollowerGrowth {
            return self.growth(frame, key);
        }
        // What a shorter period does not have is not known, and no zero.
        if key.iter().any(|one| matches!(one, Key::Point(point) if *point >= self.points.len())) {
            return Cell::Missing;
        }
        match self.rows.get(key) {
            Some(sums) => sums.value_of_posts(kpi).map_or(Cell::Missing, Cell::Number),
            None if kpi == Kpi::Published => Cell::Number(0.into()),
            None => Cell::Missing,
        }
    }

    fn total(&self, frame: &Frame, measure: Measure) -> Cell {
        let Some(kpi) = measure.kpi() else { return Cell::Missing };
        if kpi == Kpi::FollowerGrowth {
            return self.growth(frame, &[]);
        }
        self.total.value_of_posts(kpi).map_or(Cell::Missing, Cell::Number)
    }

    /// Followers belong to accounts; where campaigns are chosen there are none.
    fn growth(&self, frame: &Frame, key: &[Key]) -> Cell {
        if !frame.campaigns.is_empty() {
            return Cell::Missing;
        }
        let mut window = self.period;
        for one in key {
            if let Key::Point(point) = one {
                let Some(first) = self.points.get(*point).copied() else { return Cell::Missing };
                let last = self.points.get(point + 1).and_then(NaiveDate::pred_opt).unwrap_or(self.period.to());
                let Ok(narrower) = Period::new(first, last) else { return Cell::Missing };
                window = narrower;
            }
        }
        let is_meant = |account: Uuid| {
            key.iter().all(|one| match one {
                Key::Platform(platform) => frame.account(account).is_some_and(|one| one.platform == *platform),
                Key::Account(id) => *id == account,
                Key::Point(_) | Key::Campaign(_) | Key::Team(_) => true,
            })
        };
        frame.followers.growth_of(window, is_meant).0.map_or(Cell::Missing, |growth| Cell::Number(growth.into()))
    }
}

/// The point that holds a row whole; `None` where it spans more than one.
fn point_of(points: &[NaiveDate], grain: Grain, week_start: u32, row: &Row) -> Option<usize> {
    let (first, last) = row.first_day.zip(row.last_day)?;
    if grain.floor(first, week_start) != grain.floor(last, week_start) {
        return None;
    }
    points.partition_point(|point| *point <= first).checked_sub(1)
}

impl Responsible {
    fn teams(&self, frame: &Frame, row: &Row) -> Vec<Key> {
        let of = |map: &BTreeMap<Uuid, Vec<usize>>, id: Option<Uuid>| {
            id.and_then(|id| map.get(&id).cloned()).unwrap_or_default()
        };
        let mut teams: BTreeSet<usize> = of(&self.accounts, row.account).into_iter().collect();
        teams.extend(of(&self.campaigns, row.campaign));
        if teams.is_empty() {
            teams.insert(frame.teams.len());
        }
        teams.into_iter().map(Key::Team).collect()
    }
}

async fn read_responsible(frame: &Frame) -> Result<Responsible, Error> {
    let mut tx = frame.ctx.begin(Permission::AnalyticsRead, Resource::Accounts).await?;
    let rows = sqlx::query!(
        r#"
        select team_id as "team!", account_id as account, null::uuid as campaign from team_account
        union all
        select team_id, null, campaign_id from team_campaign
        "#
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    let mut responsible = Responsible::default();
    for row in rows {
        let Some(team) = frame.teams.iter().position(|team| team.id.uuid() == row.team) else { continue };
        if let Some(account) = row.account {
            responsible.accounts.entry(account).or_default().push(team);
        }
        if let Some(campaign) = row.campaign {
            responsible.campaigns.entry(campaign).or_default().push(team);
        }
    }
    Ok(responsible)
}

async fn read(frame: &Frame, query: &Query, period: Period) -> Result<Vec<Row>, Error> {
    let by_team = query.dimensions.contains(&Dimension::Team);
    let basis = frame.basis();
    read_as(
        frame,
        basis,
        period,
        [
            grain_of(query).is_some(),
            by_team || query.dimensions.contains(&Dimension::Account),
            by_team || query.dimensions.contains(&Dimension::Campaign),
        ],
    )
    .await
}

/// Totals of posts that were published in the period, whatever the basis of the figures.
pub(super) async fn lifetime(frame: &Frame) -> Result<Sums, Error> {
    let rows = read_as(frame, Basis::Lifetime, frame.period, [false; 3]).await?;
    Ok(rows.iter().fold(Sums::default(), |sums, row| sums.plus(&row.sums)))
}

async fn read_as(
    frame: &Frame,
    basis: Basis,
    period: Period,
    [by_day, by_account, by_campaign]: [bool; 3],
) -> Result<Vec<Row>, Error> {
    let mut tx = frame.ctx.begin(Permission::AnalyticsRead, Resource::Posts).await?;
    let rows = sqlx::query!(
        r#"
        select
          kpi_daily.basis, account.platform,
          case when $6 then kpi_daily.first_day end as first_day, case when $6 then kpi_daily.last_day end as last_day,
          case when $7 then kpi_daily.account_id end as account_id,
          case when $8 then kpi_daily.campaign_id end as campaign_id,
          sum(posts)::bigint as "posts!",
          sum(reach)::bigint as reach, sum(reach_posts)::bigint as "reach_posts!",
          sum(impressions)::bigint as impressions, sum(impressions_posts)::bigint as "impressions_posts!",
          sum(engagements)::bigint as engagements, sum(engagements_posts)::bigint as "engagements_posts!",
          sum(rate_engagements)::bigint as "rate_engagements!", sum(rate_impressions)::bigint as "rate_impressions!",
          sum(rate_by_reach_engagements)::bigint as "rate_by_reach_engagements!", sum(rate_reach)::bigint as "rate_reach!",
          sum(rate_posts)::bigint as "rate_posts!",
          sum(conversions)::bigint as conversions, sum(conversions_posts)::bigint as "conversions_posts!",
          sum(revenue) as revenue, sum(revenue_posts)::bigint as "revenue_posts!",
          sum(roi_revenue) as "roi_revenue!", sum(roi_cost) as "roi_cost!", sum(roi_posts)::bigint as "roi_posts!",
          sum(sentiment_sum) as "sentiment_sum!", sum(sentiment_count)::bigint as "sentiment_count!",
          sum(sentiment_posts)::bigint as "sentiment_posts!"
        from kpi_daily
        join account on account.tenant_id = kpi_daily.tenant_id and account.id = kpi_daily.account_id
        where kpi_daily.basis in ($1, 'lifetime')
          and kpi_daily.first_day between $2 and $3
          and kpi_daily.last_day <= $3
          and kpi_daily.account_id = any($4)
          and (cardinality($5::uuid[]) = 0 or kpi_daily.campaign_id = any($5))
        group by 1, 2, 3, 4, 5, 6
        "#,
        basis.key(),
        period.from(),
        period.to(),
        &frame.accounts,
        &frame.campaigns,
        by_day,
        by_account,
        by_campaign,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    rows.into_iter()
        .map(|row| {
            Ok(Row {
                first_day: row.first_day,
                last_day: row.last_day,
                account: row.account_id,
                campaign: row.campaign_id,
                platform: stored(row.platform.parse())?,
                sums: sums_of!(row, basis),
            })
        })
        .collect()
}
