//! KPIs over a period: values, comparison, coverage, basis, reasons for what is missing, and the trend.
//! Everything is read from the daily roll-ups in a fixed number of queries, whatever the period.

use chrono::{DateTime, Days, NaiveDate, Utc};
use rtv_core::kpi::{Basis, Kpi};
use rtv_core::period::{Grain, Period};
use rtv_core::{AccountId, CampaignId, Error, Permission, Platform};
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use crate::access::stored;
use crate::account::{self, Account};
use crate::campaign::{self, Campaign};
use crate::context::TenantContext;
use crate::transaction::{Resource, Tx, failed};

/// Which accounts and campaigns a figure covers. Empty lists mean all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Platforms.
    pub platforms: Vec<Platform>,
    /// Accounts.
    pub accounts: Vec<AccountId>,
    /// Campaigns.
    pub campaigns: Vec<CampaignId>,
}

impl Filter {
    /// The accounts that it covers. An account that does not exist is an error of the field, so that a mistyped
    /// address never shows figures of everything.
    pub(crate) fn covered<'a>(&self, accounts: &'a [Account]) -> Result<Vec<&'a Account>, Error> {
        if let Some(unknown) = self.accounts.iter().find(|id| accounts.iter().all(|account| account.id != **id)) {
            return Err(Error::invalid("account", format!("there is no account {unknown}; choose one from the list.")));
        }
        Ok(accounts
            .iter()
            .filter(|account| self.platforms.is_empty() || self.platforms.contains(&account.platform))
            .filter(|account| self.accounts.is_empty() || self.accounts.contains(&account.id))
            .collect())
    }

    /// The campaigns as queries take them. One that does not exist is an error of the field, as with accounts.
    pub(crate) fn campaign_ids(&self, campaigns: &[Campaign]) -> Result<Vec<uuid::Uuid>, Error> {
        let is_known = |id: CampaignId| id == CampaignId::NONE || campaigns.iter().any(|campaign| campaign.id == id);
        if let Some(unknown) = self.campaigns.iter().find(|id| !is_known(**id)) {
            return Err(Error::invalid(
                "campaign",
                format!("there is no campaign {unknown}; choose one from the list."),
            ));
        }
        Ok(self.campaigns.iter().map(|campaign| campaign.uuid()).collect())
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The window.
    pub period: Period,
    /// What it is compared with.
    pub previous: Option<Period>,
    /// Which accounts.
    pub filter: Filter,
    /// Metric of the trend.
    pub metric: Kpi,
    /// Width of the trend's points; `None` takes one that is readable and places every post.
    pub grain: Option<Grain>,
}

/// One KPI over the period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Which.
    pub kpi: Kpi,
    /// Exact value; `None` is missing, never zero.
    pub value: Option<Decimal>,
    /// Exact value of the comparison period.
    pub previous: Option<Decimal>,
    /// Why it is missing, as a sentence.
    pub missing: Option<String>,
    /// Platforms that report it, of those with posts in the period.
    pub coverage: Coverage,
    /// What the value counts.
    pub basis: Basis,
    /// A remark on how the value came about, as a sentence.
    pub note: Option<String>,
    /// Its course through the period for the sparkline, one value for each of [`Summary::course`]; empty where there
    /// is none.
    pub course: Vec<Option<Decimal>>,
}

/// How much of what was asked for reports a KPI. Under the basis *period* a post counts once for each day on which it
/// gained anything, because it may report a figure on some of its days only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Platforms that report it.
    pub platforms: usize,
    /// Platforms with posts in the period, or with posts that gained anything in it.
    pub of_platforms: usize,
    /// Posts that report it, or days of posts.
    pub posts: i64,
    /// Posts in the period, or days of posts.
    pub of_posts: i64,
}

/// An account whose daily figures have not arrived for the last days of the period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// Its network.
    pub platform: Platform,
    /// Its name.
    pub name: String,
    /// Last day that has arrived.
    pub until: NaiveDate,
}

/// One point of the trend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// First day of the point, clipped to the period.
    pub first_day: NaiveDate,
    /// Last day of the point, clipped to the period.
    pub last_day: NaiveDate,
    /// Days of the whole week or month, of which the period may hold only some.
    pub whole_days: u64,
    /// Value in the period.
    pub value: Option<Decimal>,
    /// First day of the matching point of the comparison period.
    pub previous_first_day: Option<NaiveDate>,
    /// Value in the comparison period.
    pub previous: Option<Decimal>,
    /// Posts in the point.
    pub posts: i64,
}

/// Everything that the dashboard says about a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// All KPIs in the order of the catalogue.
    pub figures: Vec<Figure>,
    /// The trend of the asked metric.
    pub trend: Vec<Point>,
    /// Width of the trend's points.
    pub grain: Grain,
    /// First days of the points that each figure's course has, and their width; empty where posts cannot be placed.
    pub course: (Grain, Vec<NaiveDate>),
    /// Basis of the figures.
    pub basis: Basis,
    /// All accounts of the tenant, for the filter.
    pub accounts: Vec<Account>,
    /// All campaigns of the tenant, for the filter.
    pub campaigns: Vec<Campaign>,
    /// First and last day that any post of the covered accounts may have been published on.
    pub extent: Option<Period>,
    /// When the facts changed last.
    pub as_of: Option<DateTime<Utc>>,
    /// Posts whose month is known but not their day, and whose month lies only partly in the period: not counted.
    pub undated_posts: i64,
    /// Posts counted in the period that the trend cannot place at this grain, for the same reason.
    pub unplaced_posts: i64,
    /// Whether the period's last day is still running.
    pub is_running: bool,
    /// Accounts of which days before today are still to come. A day is expected to be there on the next.
    pub late: Vec<Late>,
}

/// Sums of the roll-up, of any number of groups.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sums {
    /// Posts of the groups; under the basis *period* days of posts.
    pub(crate) posts: i64,
    /// Posts that were published, whatever the basis: one that gains on thirty days was published once.
    pub(crate) published: i64,
    pub(crate) reach: Option<i64>,
    pub(crate) reach_posts: i64,
    pub(crate) impressions: Option<i64>,
    pub(crate) impressions_posts: i64,
    pub(crate) engagements: Option<i64>,
    pub(crate) engagements_posts: i64,
    pub(crate) rate_engagements: i64,
    pub(crate) rate_impressions: i64,
    pub(crate) rate_by_reach_engagements: i64,
    pub(crate) rate_reach: i64,
    pub(crate) rate_posts: i64,
    pub(crate) conversions: Option<i64>,
    pub(crate) conversions_posts: i64,
    pub(crate) revenue: Option<Decimal>,
    pub(crate) revenue_posts: i64,
    pub(crate) roi_revenue: Decimal,
    pub(crate) roi_cost: Decimal,
    pub(crate) roi_posts: i64,
    pub(crate) sentiment_sum: f64,
    pub(crate) sentiment_count: i64,
    pub(crate) sentiment_posts: i64,
}

/// The sums of a row that has all of their columns. Queries read the basis *lifetime* beside the one in force: from rows of
/// another basis comes what was published, and nothing else.
macro_rules! sums_of {
    ($row:expr, $basis:expr) => {{
        let published = if $row.basis == rtv_core::kpi::Basis::Lifetime.key() { $row.posts } else { 0 };
        if $row.basis == $basis.key() {
            $crate::kpi::Sums {
                posts: $row.posts,
                published,
                reach: $row.reach,
                reach_posts: $row.reach_posts,
                impressions: $row.impressions,
                impressions_posts: $row.impressions_posts,
                engagements: $row.engagements,
                engagements_posts: $row.engagements_posts,
                rate_engagements: $row.rate_engagements,
                rate_impressions: $row.rate_impressions,
                rate_by_reach_engagements: $row.rate_by_reach_engagements,
                rate_reach: $row.rate_reach,
                rate_posts: $row.rate_posts,
                conversions: $row.conversions,
                conversions_posts: $row.conversions_posts,
                revenue: $row.revenue,
                revenue_posts: $row.revenue_posts,
                roi_revenue: $row.roi_revenue,
                roi_cost: $row.roi_cost,
                roi_posts: $row.roi_posts,
                sentiment_sum: $row.sentiment_sum,
                sentiment_count: $row.sentiment_count,
                sentiment_posts: $row.sentiment_posts,
            }
        } else {
            $crate::kpi::Sums { published, ..Default::default() }
        }
    }};
}
pub(crate) use sums_of;

fn add<T: core::ops::Add<Output = T>>(left: Option<T>, right: Option<T>) -> Option<T> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left + right),
        (one, other) => one.or(other),
    }
}

impl Sums {
    pub(crate) fn plus(self, other: &Self) -> Self {
        Self {
            posts: self.posts + other.posts,
            published: self.published + other.published,
            reach: add(self.reach, other.reach),
            reach_posts: self.reach_posts + other.reach_posts,
            impressions: add(self.impressions, other.impressions),
            impressions_posts: self.impressions_posts + other.impressions_posts,
            engagements: add(self.engagements, other.engagements),
            engagements_posts: self.engagements_posts + other.engagements_posts,
            rate_engagements: self.rate_engagements + other.rate_engagements,
            rate_impressions: self.rate_impressions + other.rate_impressions,
            rate_by_reach_engagements: self.rate_by_reach_engagements + other.rate_by_reach_engagements,
            rate_reach: self.rate_reach + other.rate_reach,
            rate_posts: self.rate_posts + other.rate_posts,
            conversions: add(self.conversions, other.conversions),
            conversions_posts: self.conversions_posts + other.conversions_posts,
            revenue: add(self.revenue, other.revenue),
            revenue_posts: self.revenue_posts + other.revenue_posts,
            roi_revenue: self.roi_revenue + other.roi_revenue,
            roi_cost: self.roi_cost + other.roi_cost,
            roi_posts: self.roi_posts + other.roi_posts,
            sentiment_sum: self.sentiment_sum + other.sentiment_sum,
            sentiment_count: self.sentiment_count + other.sentiment_count,
            sentiment_posts: self.sentiment_posts + other.sentiment_posts,
        }
    }

    fn total<'a>(groups: impl Iterator<Item = &'a Group>) -> Self {
        groups.fold(Self::default(), |sums, group| sums.plus(&group.sums))
    }

    /// The value of a KPI; `None` where nothing reports it. Follower growth is not in the roll-up.
    pub(crate) fn value(&self, kpi: Kpi) -> Option<Decimal> {
        match kpi {
            Kpi::Reach => self.reach.map(Decimal::from),
            Kpi::Impressions => self.impressions.map(Decimal::from),
            Kpi::Engagements => self.engagements.map(Decimal::from),
            Kpi::EngagementRate | Kpi::Sentiment | Kpi::Roi => {
                let (numerator, denominator) = self.sides(kpi)?;
                ratio(numerator, denominator)
            }
            Kpi::FollowerGrowth => None,
            Kpi::Published => Some(Decimal::from(self.published)),
            Kpi::Conversions => self.conversions.map(Decimal::from),
            Kpi::Revenue => self.revenue,
        }
    }

    /// Value where something was published: nothing published is no 0 of anything but of publications.
    pub(crate) fn value_of_posts(&self, kpi: Kpi) -> Option<Decimal> {
        self.value(kpi).filter(|_| self.posts > 0 || kpi == Kpi::Published)
    }

    /// Numerator and denominator of a KPI that is a ratio of sums or a mean; `None` of one that adds.
    pub(crate) fn sides(&self, kpi: Kpi) -> Option<(Decimal, Decimal)> {
        match kpi {
            Kpi::EngagementRate => Some((
                Decimal::from(self.rate_engagements + self.rate_by_reach_engagements),
                Decimal::from(self.rate_impressions + self.rate_reach),
            )),
            Kpi::Sentiment => Some((Decimal::from_f64(self.sentiment_sum)?, Decimal::from(self.sentiment_count))),
            Kpi::Roi => Some((self.roi_revenue - self.roi_cost, self.roi_cost)),
            Kpi::Reach
            | Kpi::Impressions
            | Kpi::Engagements
            | Kpi::FollowerGrowth
            | Kpi::Published
            | Kpi::Conversions
            | Kpi::Revenue => None,
        }
    }

    /// Posts that report what the KPI needs.
    pub(crate) const fn reporting(&self, kpi: Kpi) -> i64 {
        match kpi {
            Kpi::Reach => self.reach_posts,
            Kpi::Impressions => self.impressions_posts,
            Kpi::Engagements => self.engagements_posts,
            Kpi::EngagementRate => self.rate_posts,
            Kpi::Sentiment => self.sentiment_posts,
            Kpi::Conversions => self.conversions_posts,
            Kpi::Revenue => self.revenue_posts,
            Kpi::Roi => self.roi_posts,
            Kpi::Published => self.published,
            Kpi::FollowerGrowth => self.posts,
        }
    }
}

/// Twelve places are more than any figure shows and keep the exact value short.
pub(crate) fn ratio(numerator: Decimal, denominator: Decimal) -> Option<Decimal> {
    if denominator.is_zero() { None } else { Some((numerator / denominator).round_dp(12)) }
}

/// Rows of the roll-up, over accounts and campaigns of a platform. Under the basis *period* what was published stands in
/// groups of its own, which come from the other basis and hold nothing else.
struct Group {
    first_day: NaiveDate,
    last_day: NaiveDate,
    platform: Platform,
    sums: Sums,
}

impl Group {
    fn lies_in(&self, period: Period) -> bool {
        period.contains(self.first_day) && period.contains(self.last_day)
    }

    fn overlaps(&self, period: Period) -> bool {
        self.first_day <= period.to() && self.last_day >= period.from()
    }
}

/// Figures and trend of a period, in six queries: accounts, campaigns, roll-ups, followers, extent, and the marker of
/// the transaction.
pub async fn summary(ctx: &TenantContext, query: &Query) -> Result<Summary, Error> {
    Ok(measured(ctx, query).await?.0)
}

/// The same with the daily counts of followers that it is made of, for reports, which tell them apart further.
pub(crate) async fn measured(ctx: &TenantContext, query: &Query) -> Result<(Summary, Followers), Error> {
    let mut tx = ctx.begin(Permission::AnalyticsRead, Resource::Posts).await?;
    let accounts = account::read(&mut tx).await?;
    let covered = query.filter.covered(&accounts)?;
    let ids: Vec<_> = covered.iter().map(|account| account.id.uuid()).collect();
    let basis = basis_of(&covered);
    let campaigns = campaign::read(&mut tx).await?;
    let campaign_ids = query.filter.campaign_ids(&campaigns)?;
    let groups = read_groups(&mut tx, basis, query, &ids, &campaign_ids).await?;
    let followers = read_followers(&mut tx, query.period, query.previous, &ids).await?;
    let (extent, as_of) = read_extent(&mut tx, basis, &ids, &campaign_ids).await?;
    tx.rollback().await?;

    let current: Vec<&Group> = groups.iter().filter(|group| group.lies_in(query.period)).collect();
    let earlier: Vec<&Group> =
        groups.iter().filter(|group| query.previous.is_some_and(|period| group.lies_in(period))).collect();
    let now = Sums::total(current.iter().copied());
    let before = query.previous.map(|_| Sums::total(earlier.iter().copied()));
    let week_start = ctx.tenant().week_start;
    let (course_grain, course_days, course) = course(query.period, week_start, &current);

    let mut platforms: Vec<Platform> = current.iter().map(|group| group.platform).collect();
    platforms.sort_unstable();
    platforms.dedup();
    let figures = Kpi::ALL
        .into_iter()
        .map(|kpi| {
            if kpi == Kpi::FollowerGrowth {
                return followers.figure(!campaign_ids.is_empty(), course_grain, week_start);
            }
            let value = now.value_of_posts(kpi);
            let previous = before.as_ref().and_then(|sums| sums.value_of_posts(kpi));
            let reporting = platforms
                .iter()
                .filter(|platform| {
                    Sums::total(current.iter().copied().filter(|group| group.platform == **platform))
                        .value(kpi)
                        .is_some()
                })
                .count();
            Figure {
                kpi,
                value,
                previous,
                missing: value.is_none().then(|| why_missing(kpi, basis, &now, &platforms, &accounts)),
                coverage: Coverage {
                    platforms: reporting,
                    of_platforms: platforms.len(),
                    posts: now.reporting(kpi),
                    of_posts: if kpi == Kpi::Published { now.published } else { now.posts },
                },
                basis,
                note: note(kpi, basis, &now),
                course: course.iter().map(|sums| sums.value_of_posts(kpi)).collect(),
            }
        })
        .collect();

    let mut grain = query.grain.unwrap_or_else(|| Grain::fitting(query.period));
    let (trend, unplaced_posts) = if query.metric == Kpi::FollowerGrowth {
        (if campaign_ids.is_empty() { followers.trend(grain, week_start) } else { Vec::new() }, 0)
    } else {
        match trend(query, grain, week_start, &current, &earlier) {
            (_, unplaced) if unplaced > 0 && query.grain.is_none() => {
                grain = Grain::Month;
                trend(query, grain, week_start, &current, &earlier)
            }
            drawn => drawn,
        }
    };
    let summary = Summary {
        figures,
        trend,
        grain,
        course: (course_grain, course_days),
        basis,
        extent,
        as_of,
        undated_posts: groups
            .iter()
            .filter(|group| group.overlaps(query.period) && !group.lies_in(query.period))
            .map(|group| group.sums.published)
            .sum(),
        unplaced_posts,
        is_running: query.period.to() >= ctx.today(),
        late: if basis == Basis::Period { late(&covered, query.period, ctx.today()) } else { Vec::new() },
        accounts,
        campaigns,
    };
    Ok((summary, followers))
}

/// Figures of accounts that only know totals cannot be mixed with daily ones: a sum of both would count neither what
/// happened nor what was published. Totals exist for every account, so one such account decides for all. The sandbox network
/// reports no figures of either kind, so its accounts decide nothing.
pub(crate) fn basis_of(accounts: &[&Account]) -> Basis {
    let mut reporting = accounts.iter().filter(|account| account.platform != Platform::Sandbox).peekable();
    if reporting.peek().is_some() && reporting.all(|account| account.basis == Basis::Period) {
        Basis::Period
    } else {
        Basis::Lifetime
    }
}

/// Accounts whose figures end inside the period, before yesterday.
fn late(accounts: &[&Account], period: Period, today: NaiveDate) -> Vec<Late> {
    let expected = today.pred_opt().unwrap_or(today).min(period.to());
    accounts
        .iter()
        .filter_map(|account| {
            let until = account.figures_until.filter(|until| *until < expected && *until >= period.from())?;
            Some(Late { platform: account.platform, name: account.name.clone(), until })
        })
        .collect()
}

async fn read_groups(
    tx: &mut Tx,
    basis: Basis,
    query: &Query,
    accounts: &[uuid::Uuid],
    campaigns: &[uuid::Uuid],
) -> Result<Vec<Group>, Error> {
    let previous = query.previous.unwrap_or(query.period);
    let rows = sqlx::query!(
        r#"
        select
          kpi_daily.basis, kpi_daily.first_day, kpi_daily.last_day, account.platform,
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
          -- A group spans at most one month, so the index's first day bounds what can overlap.
          and kpi_daily.first_day between least($2::date, $4::date) - 31 and greatest($3::date, $5::date)
          and (
            (kpi_daily.first_day <= $3 and kpi_daily.last_day >= $2)
            or (kpi_daily.first_day <= $5 and kpi_daily.last_day >= $4)
          )
          and kpi_daily.account_id = any($6)
          and (cardinality($7::uuid[]) = 0 or kpi_daily.campaign_id = any($7))
        group by kpi_daily.basis, kpi_daily.first_day, kpi_daily.last_day, account.platform
        order by kpi_daily.first_day, kpi_daily.last_day, account.platform
        "#,
        basis.key(),
        query.period.from(),
        query.period.to(),
        previous.from(),
        previous.to(),
        accounts,
        campaigns,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            Ok(Group {
                first_day: row.first_day,
                last_day: row.last_day,
                platform: stored(row.platform.parse())?,
                sums: sums_of!(row, basis),
            })
        })
        .collect()
}

async fn read_extent(
    tx: &mut Tx,
    basis: Basis,
    accounts: &[uuid::Uuid],
    campaigns: &[uuid::Uuid],
) -> Result<(Option<Period>, Option<DateTime<Utc>>), Error> {
    let row = sqlx::query!(
        r#"
        select
          min(kpi_daily.first_day) as first_day, max(kpi_daily.last_day) as last_day,
          greatest(
            (select max(coalesce(rolled_back_at, finished_at)) from import),
            (select max(measured_at) from account where id = any($2))
          ) as as_of
        from kpi_daily
        where basis = $1 and account_id = any($2) and (cardinality($3::uuid[]) = 0 or campaign_id = any($3))
        "#,
        basis.key(),
        accounts,
        campaigns
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let extent = row.first_day.zip(row.last_day).and_then(|(from, to)| Period::new(from, to).ok());
    Ok((extent, row.as_of))
}

fn why_missing(kpi: Kpi, basis: Basis, sums: &Sums, platforms: &[Platform], accounts: &[Account]) -> String {
    if accounts.is_empty() {
        return "No data has been imported yet.".into();
    }
    if sums.posts == 0 {
        return match basis {
            Basis::Lifetime => "Nothing was published in this period.".into(),
            Basis::Period => "No figures have arrived for this period.".into(),
        };
    }
    let names = platforms.iter().map(|platform| platform.label()).collect::<Vec<_>>().join(", ");
    let none = |what: &str| format!("None of the posts in this period reports {what} ({names}).");
    match kpi {
        Kpi::Reach => none("reach"),
        Kpi::Impressions => none("impressions"),
        Kpi::Engagements => none("reactions, comments, shares or clicks"),
        Kpi::EngagementRate if sums.engagements.is_none() => none("engagements"),
        Kpi::EngagementRate if sums.impressions.is_none() && sums.reach.is_none() => {
            format!("It needs impressions or reach, and none of the posts in this period reports either ({names}).")
        }
        Kpi::EngagementRate if sums.impressions.unwrap_or(0) == 0 && sums.reach.unwrap_or(0) == 0 => {
            format!("It needs impressions or reach above 0, and the posts in this period report 0 ({names}).")
        }
        Kpi::EngagementRate => format!(
            "None of the posts in this period reports engagements together with impressions or reach above 0 ({names})."
        ),
        Kpi::Sentiment => "No engagement in this period has been scored.".into(),
        Kpi::Conversions => "No conversions have been attributed to posts in this period.".into(),
        Kpi::Revenue => "No revenue has been attributed to posts in this period.".into(),
        Kpi::Roi => "It is hidden while cost is 0 or unknown.".into(),
        Kpi::FollowerGrowth => "No follower counts are known for both ends of this period.".into(),
        Kpi::Published => "Nothing was published in this period.".into(),
    }
}

fn note(kpi: Kpi, basis: Basis, sums: &Sums) -> Option<String> {
    match kpi {
        Kpi::EngagementRate if sums.rate_reach > 0 && sums.rate_impressions > 0 => {
            Some("Engagements ÷ impressions, and ÷ reach for posts without impressions.".into())
        }
        Kpi::EngagementRate if sums.rate_reach > 0 => {
            Some("Engagements ÷ reach, because impressions are missing.".into())
        }
        Kpi::EngagementRate if sums.rate_impressions > 0 => Some("Engagements ÷ impressions.".into()),
        Kpi::Sentiment if sums.sentiment_count > 0 => Some(match basis {
            Basis::Lifetime => format!("Mean of {} scored posts.", sums.sentiment_count),
            Basis::Period => format!("Mean of {} scored engagements.", sums.sentiment_count),
        }),
        Kpi::Reach if sums.reach.is_some() => Some(match basis {
            Basis::Lifetime => "Someone who saw two posts counts twice.".into(),
            Basis::Period => "Someone who saw two posts, or one on two days, counts twice.".into(),
        }),
        _ => None,
    }
}

/// Sums along the period in points of a readable width, for the sparklines: by day where it is short, by month where of
/// some posts only the month is known, and none where even months do not hold every post.
fn course(period: Period, week_start: u32, groups: &[&Group]) -> (Grain, Vec<NaiveDate>, Vec<Sums>) {
    let fitting = Grain::fitting(period);
    for grain in [fitting, Grain::Month] {
        let (firsts, sums, unplaced) = place(period, grain, week_start, groups);
        if unplaced == 0 {
            return (grain, firsts, sums);
        }
    }
    (fitting, Vec::new(), Vec::new())
}

/// First days of the trend's points, clipped to the period.
pub(crate) fn points(period: Period, grain: Grain, week_start: u32) -> Vec<NaiveDate> {
    let mut points: Vec<NaiveDate> = Vec::new();
    let mut last = None;
    for day in period.iter_days() {
        let floor = grain.floor(day, week_start);
        if last != Some(floor) {
            points.push(day);
            last = Some(floor);
        }
    }
    points
}

/// Last day of the point that begins on `first`, clipped to the period, and the days of the whole week or month.
pub(crate) fn extent_of_point(period: Period, grain: Grain, week_start: u32, first: NaiveDate) -> (NaiveDate, u64) {
    let end = grain.ceil(first, week_start);
    let days = (end - grain.floor(first, week_start)).num_days() + 1;
    (end.min(period.to()), u64::try_from(days).unwrap_or(1))
}

fn place(period: Period, grain: Grain, week_start: u32, groups: &[&Group]) -> (Vec<NaiveDate>, Vec<Sums>, i64) {
    let firsts = points(period, grain, week_start);
    let mut sums = vec![Sums::default(); firsts.len()];
    let mut unplaced = 0;
    for group in groups {
        if grain.floor(group.first_day, week_start) == grain.floor(group.last_day, week_start) {
            let index = firsts.partition_point(|first| *first <= group.first_day) - 1;
            sums[index] = sums[index].plus(&group.sums);
        } else {
            unplaced += group.sums.published;
        }
    }
    (firsts, sums, unplaced)
}

fn trend(query: &Query, grain: Grain, week_start: u32, current: &[&Group], earlier: &[&Group]) -> (Vec<Point>, i64) {
    let (firsts, sums, unplaced) = place(query.period, grain, week_start, current);
    let before = query.previous.map(|period| place(period, grain, week_start, earlier));
    let value = |sums: &Sums| sums.value_of_posts(query.metric);
    let points = firsts
        .iter()
        .zip(&sums)
        .enumerate()
        .map(|(index, (first, sums))| {
            let (last_day, whole_days) = extent_of_point(query.period, grain, week_start, *first);
            Point {
                first_day: *first,
                last_day,
                whole_days,
                value: value(sums),
                previous_first_day: before.as_ref().and_then(|(firsts, _, _)| firsts.get(index).copied()),
                previous: before.as_ref().and_then(|(_, sums, _)| sums.get(index)).and_then(value),
                posts: sums.posts,
            }
        })
        .collect();
    (points, unplaced)
}

/// Follower counts around the two periods.
pub(crate) struct Followers {
    counts: Vec<(uuid::Uuid, NaiveDate, i64)>,
    period: Period,
    previous: Option<Period>,
    accounts: usize,
}

/// How old a follower count may be to be what a period starts with.
const START_DAYS: u64 = 31;

/// The counts from 31 days before the earlier period: the last one before a period is what it starts with.
pub(crate) async fn read_followers(
    tx: &mut Tx,
    period: Period,
    previous: Option<Period>,
    accounts: &[uuid::Uuid],
) -> Result<Followers, Error> {
    let earliest = previous.map_or(period.from(), |previous| previous.from().min(period.from()));
    let rows = sqlx::query!(
        r#"
        select account_id, day, followers
        from account_daily
        where account_id = any($1) and day between $2::date - 31 and $3
        order by account_id, day
        "#,
        accounts,
        earliest,
        period.to()
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    Ok(Followers {
        counts: rows.into_iter().map(|row| (row.account_id, row.day, row.followers)).collect(),
        period,
        previous,
        accounts: accounts.len(),
    })
}

impl Followers {
    fn of_accounts(&self) -> impl Iterator<Item = &[(uuid::Uuid, NaiveDate, i64)]> {
        self.counts.chunk_by(|left, right| left.0 == right.0)
    }

    /// Growth over a window and the number of accounts that know both ends of it.
    fn growth(&self, window: Period) -> (Option<i64>, usize) {
        self.growth_of(window, |_| true)
    }

    /// The same over some of the accounts.
    pub(crate) fn growth_of(&self, window: Period, is_meant: impl Fn(uuid::Uuid) -> bool) -> (Option<i64>, usize) {
        let growths: Vec<i64> = self
            .of_accounts()
            .filter(|counts| counts.first().is_some_and(|(account, _, _)| is_meant(*account)))
            .filter_map(|counts| {
                // What is read reaches further back where the comparison does; the figure must not depend on that.
                let oldest = window.from() - Days::new(START_DAYS);
                let start = counts.iter().rfind(|(_, day, _)| *day < window.from() && *day >= oldest)?;
                let end = counts.iter().rfind(|(_, day, _)| *day <= window.to() && *day >= window.from())?;
                Some(end.2 - start.2)
            })
            .collect();
        (if growths.is_empty() { None } else { Some(growths.iter().sum()) }, growths.len())
    }

    /// Followers of some of the accounts at the end of a window, and of how many accounts they are known: the last count in it, or
    /// up to 31 days before.
    pub(crate) fn at_end_of(&self, window: Period, is_meant: impl Fn(uuid::Uuid) -> bool) -> (Option<i64>, usize) {
        let oldest = window.to() - Days::new(START_DAYS);
        let counts: Vec<i64> = self
            .of_accounts()
            .filter(|counts| counts.first().is_some_and(|(account, _, _)| is_meant(*account)))
            .filter_map(|counts| counts.iter().rfind(|(_, day, _)| *day <= window.to() && *day >= oldest))
            .map(|(_, _, followers)| *followers)
            .collect();
        (if counts.is_empty() { None } else { Some(counts.iter().sum()) }, counts.len())
    }

    /// The figure; followers belong to accounts, so a choice of campaigns leaves none.
    fn figure(&self, is_by_campaign: bool, grain: Grain, week_start: u32) -> Figure {
        let (value, reporting) = if is_by_campaign { (None, 0) } else { self.growth(self.period) };
        let previous = self.previous.filter(|_| !is_by_campaign).and_then(|period| self.growth(period).0);
        let missing = if self.accounts == 0 {
            "No data has been imported yet."
        } else if is_by_campaign {
            "Followers belong to accounts, not to campaigns."
        } else {
            "No follower counts are known for both ends of this period."
        };
        Figure {
            kpi: Kpi::FollowerGrowth,
            value: value.map(Decimal::from),
            previous: previous.map(Decimal::from),
            missing: value.is_none().then(|| missing.to_owned()),
            coverage: Coverage::default(),
            basis: Basis::Period,
            note: value.map(|_| format!("{reporting} of {} accounts report followers.", self.accounts)),
            course: match value {
                Some(_) => self.trend(grain, week_start).into_iter().map(|point| point.value).collect(),
                None => Vec::new(),
            },
        }
    }

    fn trend(&self, grain: Grain, week_start: u32) -> Vec<Point> {
        let values = |period: Period| -> Vec<(NaiveDate, Option<Decimal>)> {
            let firsts = points(period, grain, week_start);
            firsts
                .iter()
                .enumerate()
                .map(|(index, first)| {
                    let last = firsts.get(index + 1).and_then(NaiveDate::pred_opt).unwrap_or(period.to());
                    let growth = Period::new(*first, last).ok().and_then(|window| self.growth(window).0);
                    (*first, growth.map(Decimal::from))
                })
                .collect()
        };
        let before = self.previous.map(values);
        values(self.period)
            .into_iter()
            .enumerate()
            .map(|(index, (first_day, value))| {
                let previous = before.as_ref().and_then(|before| before.get(index));
                let (last_day, whole_days) = extent_of_point(self.period, grain, week_start, first_day);
                Point {
                    first_day,
                    last_day,
                    whole_days,
                    value,
                    previous_first_day: previous.map(|(first, _)| *first),
                    previous: previous.and_then(|(_, value)| *value),
                    posts: 0,
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn period(from: &str, to: &str) -> Period {
        Period::new(day(from), day(to)).unwrap()
    }

    #[test]
    fn a_ratio_is_a_ratio_of_sums_and_never_a_mean_of_ratios() {
        let small =
            Sums { posts: 1, engagements: Some(5), rate_engagements: 5, rate_impressions: 10, ..Sums::default() };
        let large =
            Sums { posts: 1, engagements: Some(10), rate_engagements: 10, rate_impressions: 1_000, ..Sums::default() };
        let rate = small.plus(&large).value(Kpi::EngagementRate).unwrap();
        assert_eq!(rate, (Decimal::from(15) / Decimal::from(1_010)).round_dp(12));
    }

    #[test]
    fn missing_plus_known_is_known_and_missing_plus_missing_is_missing() {
        let known = Sums { reach: Some(3), ..Sums::default() };
        assert_eq!(known.plus(&Sums::default()).value(Kpi::Reach), Some(Decimal::from(3)));
        assert_eq!(Sums::default().plus(&Sums::default()).value(Kpi::Reach), None);
        assert_eq!(Sums::default().value(Kpi::Roi), None, "no cost, no return on it");
    }

    #[test]
    fn weekly_points_are_clipped_to_the_period() {
        // 2026-03-04 is a Wednesday.
        let firsts = points(period("2026-03-04", "2026-03-17"), Grain::Week, 0);
        assert_eq!(firsts, [day("2026-03-04"), day("2026-03-09"), day("2026-03-16")]);
        assert_eq!(
            points(period("2026-01-31", "2026-03-01"), Grain::Month, 0),
            [day("2026-01-31"), day("2026-02-01"), day("2026-03-01")]
        );
    }

    #[test]
    fn follower_growth_needs_both_ends() {
        let account = uuid::Uuid::from_u128(1);
        let other = uuid::Uuid::from_u128(2);
        let followers = Followers {
            counts: vec![
                (account, day("2026-02-27"), 100),
                (account, day("2026-03-10"), 130),
                (other, day("2026-03-10"), 999),
            ],
            period: period("2026-03-01", "2026-03-31"),
            previous: None,
            accounts: 2,
        };
        assert_eq!(followers.growth(followers.period), (Some(30), 1));
        assert_eq!(followers.growth(period("2026-04-01", "2026-04-30")), (None, 0), "a stale count is no growth of 0");
    }
}
