//! One's own brand among its competitors. What is known of these stands by calendar month, so only months count that lie whole
//! in the period and are over; the own figures are those of the same months.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use rtv_core::period::{Compare, Grain, Period};
use rtv_core::report::{Cell, Dimension, Measure, Query, Table};
use rtv_core::{Error, Permission, Platform};
use rust_decimal::Decimal;

use super::fill::{Frame, arranged, columns};
use crate::access::stored;
use crate::competitor::Figures;
use crate::format::Format;
use crate::kpi::{points, ratio};
use crate::transaction::{Resource, Tx, failed};

/// Most gaps that a note names.
const MOST_NAMED: usize = 4;

/// The own brand stands first, competitors by name after it.
type Brand = usize;
const OWN: Brand = 0;

/// What is known of all brands.
struct Market {
    brands: Vec<String>,
    known: BTreeMap<(Brand, Platform, NaiveDate), Figures>,
    /// Where a brand is known to be: a month without figures is a gap there.
    present: BTreeSet<(Brand, Platform)>,
    changed_at: Option<DateTime<Utc>>,
}

/// What a row or a total is about; `None` is all of it.
#[derive(Clone, Copy, Default)]
struct Part {
    brand: Option<Brand>,
    platform: Option<Platform>,
}

impl Part {
    fn of_brand(brand: Brand) -> Self {
        Self { brand: Some(brand), platform: None }
    }
}

/// Answers the query.
pub(super) async fn table(frame: &Frame, query: &Query) -> Result<Table, Error> {
    let months = months(frame, frame.period);
    if months.is_empty() {
        return Err(Error::invalid(
            "period",
            "figures of competitors are kept by calendar month, and this period holds none that is whole and over; choose last month, a quarter or a year.",
        ));
    }
    let previous = earlier(frame.compare, &months).filter(|_| query.is_compared);
    let market = Market::read(frame, &months, previous.as_deref().unwrap_or_default()).await?;
    let has = |dimension| query.dimensions.contains(&dimension);
    let (by_brand, by_platform, by_month) = (has(Dimension::Brand), has(Dimension::Platform), has(Dimension::Month));
    let brands: Vec<Option<Brand>> =
        if by_brand { (0..market.brands.len()).map(Some).collect() } else { vec![Some(OWN)] };
    let platforms: BTreeSet<Option<Platform>> =
        if by_platform { market.present.iter().map(|(_, one)| Some(*one)).collect() } else { BTreeSet::from([None]) };
    let windows: Vec<&[NaiveDate]> = if by_month { months.chunks(1).collect() } else { vec![&months] };
    let mut rows = Vec::new();
    for (index, window) in windows.iter().enumerate() {
        for brand in &brands {
            for platform in &platforms {
                let is_there = |platform: &Platform| market.present.contains(&(brand.unwrap_or(OWN), *platform));
                if platform.is_some_and(|platform| !is_there(&platform)) {
                    continue;
                }
                let part = Part { brand: *brand, platform: *platform };
                // Rows stand in the order of their dimensions.
                let place: Vec<usize> = query
                    .dimensions
                    .iter()
                    .map(|dimension| match dimension {
                        Dimension::Brand => brand.unwrap_or(OWN),
                        Dimension::Platform => platforms.iter().position(|one| one == platform).unwrap_or(0),
                        _ => index,
                    })
                    .collect();
                let mut cells: Vec<Cell> = query
                    .dimensions
                    .iter()
                    .map(|dimension| match dimension {
                        Dimension::Brand => Cell::Text(market.brands[brand.unwrap_or(OWN)].clone()),
                        Dimension::Platform => platform.map_or(Cell::Missing, |one| Cell::Text(one.label().into())),
                        _ => window.first().map_or(Cell::Missing, |month| Cell::Day(*month)),
                    })
                    .collect();
                for measure in &query.measures {
                    cells.push(market.value(*measure, part, window));
                    if let Some(previous) = &previous {
                        let earlier = if by_month { previous.get(index..=index) } else { Some(previous.as_slice()) };
                        cells.push(earlier.map_or(Cell::Missing, |window| market.value(*measure, part, window)));
                    }
                }
                rows.push((place, cells));
            }
        }
    }
    rows.sort_by(|left, right| left.0.cmp(&right.0));
    let rows = rows.into_iter().map(|(_, cells)| cells).collect();
    let whole = Part { brand: (!by_brand).then_some(OWN), platform: None };
    let mut totals: Vec<Cell> = query.dimensions.iter().map(|_| Cell::Missing).collect();
    for measure in &query.measures {
        totals.push(market.value(*measure, whole, &months));
        if let Some(previous) = &previous {
            totals.push(market.value(*measure, whole, previous));
        }
    }
    let notes = market.notes(frame, query, (&months, previous.as_deref()), by_brand);
    Ok(arranged(frame, query, columns(query, previous.is_some()), rows, totals, notes))
}

/// First days of the calendar months that lie whole in a period and are over.
fn months(frame: &Frame, period: Period) -> Vec<NaiveDate> {
    let today = frame.ctx.now().with_timezone(&frame.zone).date_naive();
    points(period, Grain::Month, frame.week_start)
        .into_iter()
        .filter(|first| {
            let last = Grain::Month.ceil(*first, 0);
            Grain::Month.floor(*first, 0) == *first && last <= period.to() && last < today
        })
        .collect()
}

/// As many calendar months to compare with: those right before, or the same of the year before. A period of days would hold other
/// months, and fewer or more of them.
fn earlier(compare: Compare, months: &[NaiveDate]) -> Option<Vec<NaiveDate>> {
    let back = match compare {
        Compare::None => return None,
        Compare::Previous | Compare::Weekday => u32::try_from(months.len()).ok()?,
        Compare::Year => 12,
    };
    months.iter().map(|month| month.checked_sub_months(chrono::Months::new(back))).collect()
}

/// The days of the months that are compared with, which are others than those of the whole report.
pub(super) fn compared_with(frame: &Frame) -> Option<Period> {
    let months = earlier(frame.compare, &months(frame, frame.period))?;
    let (first, last) = months.first().zip(months.last())?;
    Period::new(*first, Grain::Month.ceil(*last, 0)).ok()
}

/// A month, or the first and the last of several.
fn span(format: &Format, months: &[NaiveDate]) -> String {
    match months {
        [only] => format.month(*only),
        [first, .., last] => format!("{} to {}", format.month(*first), format.month(*last)),
        [] => String::new(),
    }
}

impl Market {
    async fn read(frame: &Frame, months: &[NaiveDate], previous: &[NaiveDate]) -> Result<Self, Error> {
        let is_part = !frame.filter.accounts.is_empty()
            || !frame.campaigns.is_empty()
            || !frame.ctx.narrowed.is_empty()
            || !frame.ctx.access().shows(Permission::AnalyticsRead);
        if is_part {
            return Err(Error::invalid(
                "filter",
                "competitors are compared with the whole brand; leave accounts, campaigns and teams out.",
            ));
        }
        // Nobody else is on the built-in network.
        let wanted = |platform: Platform| {
            platform != Platform::Sandbox
                && (frame.filter.platforms.is_empty() || frame.filter.platforms.contains(&platform))
        };
        let mut asked: Vec<NaiveDate> = months.to_vec();
        asked.extend(previous);
        let mut tx = frame.ctx.begin(Permission::AnalyticsRead, Resource::Competitors).await?;
        let brands = sqlx::query!("select id, name from competitor where removed_at is null order by lower(name), id")
            .fetch_all(tx.connection())
            .await
            .map_err(failed)?;
        let present = sqlx::query!("select distinct competitor_id, platform from competitor_month")
            .fetch_all(tx.connection())
            .await
            .map_err(failed)?;
        let known = sqlx::query!(
            r#"
            select competitor_id, platform, month, followers, posts, interactions, changed_at
            from competitor_month
            where month = any($1)
            "#,
            &asked
        )
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
        let own = read_own(&mut tx, &asked).await?;
        tx.rollback().await?;
        if brands.is_empty() {
            return Err(Error::invalid("competitors", "there are none yet; add them under Competitors."));
        }
        let mut market = Self {
            brands: core::iter::once(frame.ctx.tenant().name.clone())
                .chain(brands.iter().map(|one| one.name.clone()))
                .collect(),
            known: BTreeMap::new(),
            present: BTreeSet::new(),
            changed_at: None,
        };
        let place = |id: uuid::Uuid| brands.iter().position(|one| one.id == id).map(|place| place + 1);
        for row in present {
            let platform: Platform = stored(row.platform.parse())?;
            if let (Some(brand), true) = (place(row.competitor_id), wanted(platform)) {
                market.present.insert((brand, platform));
            }
        }
        for row in known {
            let platform: Platform = stored(row.platform.parse())?;
            if let (Some(brand), true) = (place(row.competitor_id), wanted(platform)) {
                let figures = Figures { followers: row.followers, posts: row.posts, interactions: row.interactions };
                market.known.insert((brand, platform, row.month), figures);
                market.changed_at = market.changed_at.max(Some(row.changed_at));
            }
        }
        // Where the own brand has an account, a month without a post is a month of none.
        for account in frame.covered.iter().filter(|account| wanted(account.platform)) {
            market.present.insert((OWN, account.platform));
        }
        let platforms: Vec<Platform> = market.own_platforms();
        for (platform, month) in platforms.into_iter().flat_map(|one| asked.iter().map(move |month| (one, *month))) {
            let published = own.get(&(platform, month)).copied();
            let is_there = |id| frame.account(id).is_some_and(|account| account.platform == platform);
            let figures = Figures {
                followers: Period::new(month, Grain::Month.ceil(month, 0))
                    .ok()
                    .and_then(|window| frame.followers.at_end_of(window, is_there).0),
                posts: Some(published.map_or(0, |(posts, _)| posts)),
                interactions: published.map_or(Some(0), |(_, interactions)| interactions),
            };
            market.known.insert((OWN, platform, month), figures);
        }
        Ok(market)
    }

    fn own_platforms(&self) -> Vec<Platform> {
        self.present.iter().filter(|(brand, _)| *brand == OWN).map(|(_, platform)| *platform).collect()
    }

    /// What is known of a part in some months.
    fn of<'a>(&'a self, part: Part, months: &'a [NaiveDate]) -> impl Iterator<Item = &'a Figures> {
        self.known
            .iter()
            .filter(move |((brand, platform, month), _)| {
                part.brand.is_none_or(|one| one == *brand)
                    && part.platform.is_none_or(|one| one == *platform)
                    && months.contains(month)
            })
            .map(|(_, figures)| figures)
    }

    fn sum(&self, part: Part, months: &[NaiveDate], of: fn(&Figures) -> Option<i64>) -> Option<i64> {
        self.of(part, months).filter_map(of).fold(None, |sum, value| Some(sum.unwrap_or(0) + value))
    }

    fn interactions(&self, part: Part, months: &[NaiveDate]) -> Option<i64> {
        self.sum(part, months, |figures| figures.interactions)
    }

    fn value(&self, measure: Measure, part: Part, months: &[NaiveDate]) -> Cell {
        let count = |value: Option<i64>| value.map_or(Cell::Missing, |value| Cell::Number(value.into()));
        match measure {
            Measure::Published => count(self.sum(part, months, |figures| figures.posts)),
            Measure::Interactions => count(self.interactions(part, months)),
            // As they stood at the end of the last month; those of months do not add up.
            Measure::Followers => {
                count(months.last().and_then(|last| self.sum(part, &[*last], |figures| figures.followers)))
            }
            Measure::ShareOfVoice => {
                let of_all = self.interactions(Part { brand: None, ..part }, months);
                let share = self
                    .interactions(part, months)
                    .zip(of_all)
                    .and_then(|(own, all)| ratio(Decimal::from(own), Decimal::from(all)));
                share.map_or(Cell::Missing, Cell::Number)
            }
            Measure::Position => {
                let of = |brand| self.interactions(Part { brand: Some(brand), ..part }, months);
                let Some((brand, own)) = part.brand.and_then(|brand| of(brand).map(|own| (brand, own))) else {
                    return Cell::Missing;
                };
                let ahead = (0..self.brands.len()).filter(|one| *one != brand && of(*one) > Some(own)).count();
                Cell::Number(Decimal::from(ahead + 1))
            }
            _ => Cell::Missing,
        }
    }

    /// What has to be known to read the figures: the months, the denominator, the gaps, and where the figures come from.
    fn notes(
        &self,
        frame: &Frame,
        query: &Query,
        (months, previous): (&[NaiveDate], Option<&[NaiveDate]>),
        by_brand: bool,
    ) -> Vec<String> {
        let format = Format::of(frame.ctx.tenant());
        let mut notes = Vec::new();
        let compared = previous.map(|previous| format!(", compared with {}", span(&format, previous)));
        notes.push(format!("Whole calendar months only: {}{}.", span(&format, months), compared.unwrap_or_default()));
        if !by_brand {
            notes.push(format!("The figures are those of {}.", self.brands[OWN]));
        }
        let asks = |measure| query.measures.contains(&measure);
        if asks(Measure::ShareOfVoice)
            && let Some(all) = self.interactions(Part::default(), months)
        {
            // Whoever reads a share has to know whose figures it is a share of.
            let counted: Vec<Brand> =
                self.all_brands().filter(|brand| self.interactions(Part::of_brand(*brand), months).is_some()).collect();
            notes.push(format!(
                "Share of voice is out of {} public interactions of {}.",
                format.count(all),
                listed(&self.names(&counted))
            ));
        }
        let of_all = by_brand || asks(Measure::ShareOfVoice) || asks(Measure::Position);
        for (what, months) in
            [("Not known, so not counted", Some(months)), ("Not known of the months compared with", previous)]
        {
            let Some(months) = months else { continue };
            notes.extend(self.unknown(frame, query, months, of_all));
            let gaps = self.gaps(query, months, of_all, &format);
            if !gaps.is_empty() {
                let more = gaps.len().saturating_sub(MOST_NAMED);
                let mut named: Vec<String> = gaps.into_iter().take(MOST_NAMED).collect();
                if more > 0 {
                    named.push(format!("{more} more"));
                }
                notes.push(format!("{what}: {}.", listed(&named)));
            }
        }
        if let Some(at) = self.changed_at {
            notes.push(format!(
                "Figures of competitors are entered by people; the last change was on {}.",
                format.day(at.with_timezone(&frame.zone).date_naive())
            ));
        }
        notes
    }

    fn all_brands(&self) -> impl Iterator<Item = Brand> {
        0..self.brands.len()
    }

    fn names(&self, brands: &[Brand]) -> Vec<String> {
        brands.iter().map(|brand| self.brands[*brand].clone()).collect()
    }

    /// What is asked for and not known of a brand in any of the months.
    fn never_known(&self, query: &Query, brand: Brand, months: &[NaiveDate]) -> Vec<&'static str> {
        let is_known = |measure: Measure| {
            self.of(Part::of_brand(brand), months).any(|known| match measure {
                Measure::Published => known.posts.is_some(),
                Measure::Followers => known.followers.is_some(),
                _ => known.interactions.is_some(),
            })
        };
        asked_for(query).filter(|(measure, _)| !is_known(*measure)).map(|(_, name)| name).collect()
    }

    /// Brands that are not counted at all, in sentences. All of them are named, however many they are: a share is one of the others
    /// alone.
    fn unknown(&self, frame: &Frame, query: &Query, months: &[NaiveDate], of_all: bool) -> Vec<String> {
        let mut unknown: BTreeMap<Vec<&str>, Vec<Brand>> = BTreeMap::new();
        for brand in self.all_brands().filter(|brand| of_all || *brand == OWN) {
            let missing = self.never_known(query, brand, months);
            if !missing.is_empty() {
                unknown.entry(missing).or_default().push(brand);
            }
        }
        let platforms: Vec<String> = frame.filter.platforms.iter().map(|one| one.label().to_owned()).collect();
        let place = if platforms.is_empty() { String::new() } else { format!(" on {}", listed(&platforms)) };
        let when = span(&Format::of(frame.ctx.tenant()), months);
        let worded = |(missing, brands): (Vec<&str>, Vec<Brand>)| {
            let names = listed(&self.names(&brands));
            if missing.len() == asked_for(query).count() {
                let are = if brands.len() == 1 { "it is" } else { "they are" };
                format!("Nothing of this is known of {names}{place} in {when}, so {are} not counted.")
            } else {
                let missing = missing.join(" and no ");
                format!("No {missing} are known of {names}{place} in {when}, so none are counted.")
            }
        };
        unknown.into_iter().map(worded).collect()
    }

    /// What is not known of brands where they are, a sentence's part for each brand and month. What is not known of any month is said
    /// by [`Market::unknown`].
    fn gaps(&self, query: &Query, months: &[NaiveDate], of_all: bool, format: &Format) -> Vec<String> {
        let mut gaps: BTreeMap<(Brand, NaiveDate, Vec<&str>), Vec<Platform>> = BTreeMap::new();
        for (brand, platform) in self.present.iter().filter(|(brand, _)| of_all || *brand == OWN) {
            let never = self.never_known(query, *brand, months);
            for month in months {
                let known = self.known.get(&(*brand, *platform, *month)).copied().unwrap_or_default();
                let lacks = |measure: &Measure| match measure {
                    Measure::Published => known.posts.is_none(),
                    Measure::Followers => known.followers.is_none() && months.last() == Some(month),
                    _ => known.interactions.is_none(),
                };
                let missing: Vec<&str> = asked_for(query)
                    .filter(|(measure, name)| lacks(measure) && !never.contains(name))
                    .map(|(_, name)| name)
                    .collect();
                if !missing.is_empty() {
                    gaps.entry((*brand, *month, missing)).or_default().push(*platform);
                }
            }
        }
        let worded = |((brand, month, missing), on): ((Brand, NaiveDate, Vec<&str>), Vec<Platform>)| {
            let is_all = self.present.iter().filter(|(one, _)| *one == brand).count() == on.len() && on.len() > 1;
            let names: Vec<String> = on.iter().map(|platform| platform.label().to_owned()).collect();
            let place = if is_all { "all platforms".to_owned() } else { listed(&names) };
            let (missing, brand, month) = (missing.join(" and "), &self.brands[brand], format.month(month));
            format!("{missing} of {brand} on {place} in {month}")
        };
        gaps.into_iter().map(worded).collect()
    }
}

/// Posts and their interactions of the own brand by platform and month. A post of which only the month is known lies in it whole.
async fn read_own(
    tx: &mut Tx,
    asked: &[NaiveDate],
) -> Result<BTreeMap<(Platform, NaiveDate), (i64, Option<i64>)>, Error> {
    let rows = sqlx::query!(
        r#"
        select
          account.platform, date_trunc('month', post.published_from)::date as "month!",
          count(*) as "posts!",
          sum(coalesce(post.reactions, 0) + coalesce(post.comments, 0) + coalesce(post.shares, 0))
            filter (where coalesce(post.reactions, post.comments, post.shares) is not null)::bigint as interactions
        from post
        join account on account.tenant_id = post.tenant_id and account.id = post.account_id
        where post.published_from between $2 and $3
          and date_trunc('month', post.published_from) = date_trunc('month', post.published_to)
          and date_trunc('month', post.published_from)::date = any($1)
        group by 1, 2
        "#,
        asked,
        asked.iter().min(),
        asked.iter().max().map(|month| Grain::Month.ceil(*month, 0)),
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| Ok(((stored(row.platform.parse())?, row.month), (row.posts, row.interactions))))
        .collect()
}

/// What a measure is made of.
const fn needs(measure: Measure) -> Measure {
    match measure {
        Measure::ShareOfVoice | Measure::Position => Measure::Interactions,
        other => other,
    }
}

/// What the measures of a query are made of, with its name.
fn asked_for(query: &Query) -> impl Iterator<Item = (Measure, &'static str)> {
    [(Measure::Interactions, "interactions"), (Measure::Published, "posts"), (Measure::Followers, "followers")]
        .into_iter()
        .filter(move |(of, _)| query.measures.iter().any(|one| needs(*one) == *of))
}

fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
