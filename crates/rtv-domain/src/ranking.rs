//! The best and the worst posts of a period by one figure. Each day's ends are read from the index of that figure, so that
//! a ranking costs a few entries a day, however many posts there are.

use rtv_core::kpi::Kpi;
use rtv_core::{Error, Permission};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::account::Account;
use crate::campaign::Campaign;
use crate::context::TenantContext;
use crate::kpi::{Query, ratio};
use crate::post::{Figures, Post, Row};
use crate::transaction::{Resource, Tx, failed};

/// So many posts stand at each end.
pub const SHOWN: usize = 5;

/// A post and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Counted from the end that the list begins with, 1 first. Equal figures share a place.
    pub place: usize,
    /// Its figure.
    pub value: Decimal,
    /// The post with its totals to date.
    pub post: Post,
}

/// Both ends of a ranking.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// By what.
    pub kpi: Kpi,
    /// The greatest figures, the greatest first.
    pub best: Vec<Ranked>,
    /// The least, the least first. None of the best stands here again.
    pub worst: Vec<Ranked>,
    /// Posts that have the figure.
    pub ranked: i64,
    /// Posts published in the period that do not have it.
    pub unranked: i64,
}

/// By what posts are ranked where a metric is chosen: by it, or by engagements where no single post has it.
pub fn ranked_by(metric: Kpi) -> Kpi {
    if metric.is_of_a_post() { metric } else { Kpi::Engagements }
}

/// A post's figure, exact.
fn value_of(figures: &Figures, sentiment: Option<Decimal>, kpi: Kpi) -> Option<Decimal> {
    match kpi {
        Kpi::Reach => figures.reach.map(Decimal::from),
        Kpi::Impressions => figures.impressions.map(Decimal::from),
        Kpi::Engagements => figures.engagements.map(Decimal::from),
        Kpi::EngagementRate => ratio(figures.engagements?.into(), figures.impressions.or(figures.reach)?.into()),
        Kpi::Sentiment => sentiment,
        Kpi::Conversions => figures.conversions.map(Decimal::from),
        Kpi::Revenue => figures.revenue,
        Kpi::FollowerGrowth | Kpi::Published | Kpi::Roi => None,
    }
}

/// The ends of each day by one column, and of them the ends of the period. The column cannot be an argument, because the
/// planner has to see it to choose its index.
macro_rules! ends {
    ($tx:expr, $query:expr, $accounts:expr, $campaigns:expr, $column:tt) => {
        sqlx::query_as!(
            End,
            r#"
            with of_day as (
              select edge.id, edge.value, edge.is_best
              from generate_series($1::date, $2::date, interval '1 day') as day
              cross join lateral (
                (
                  select id, "# + $column + r#" as value, true as is_best
                  from post
                  where published_from = day::date
                    and published_to <= $2
                    and account_id = any($3)
                    and (
                      cardinality($4::uuid[]) = 0
                      or campaign_id = any($4)
                      or (campaign_id is null and '00000000-0000-0000-0000-000000000000' = any($4))
                    )
                    and "# + $column + r#" is not null
                  order by published_from desc, "# + $column + r#" desc, id desc
                  limit $5
                )
                union all
                (
                  select id, "# + $column + r#" as value, false as is_best
                  from post
                  where published_from = day::date
                    and published_to <= $2
                    and account_id = any($3)
                    and (
                      cardinality($4::uuid[]) = 0
                      or campaign_id = any($4)
                      or (campaign_id is null and '00000000-0000-0000-0000-000000000000' = any($4))
                    )
                    and "# + $column + r#" is not null
                  order by published_from, "# + $column + r#", id
                  limit $5
                )
              ) as edge
            ),
            chosen as (
              (select id, value, is_best from of_day where is_best order by value desc, id desc limit $5)
              union all
              (select id, value, is_best from of_day where not is_best order by value, id limit $5)
            )
            select
              chosen.is_best as "is_best!", post.sentiment,
              post.id, post.account_id, account.name as account_name, account.platform, post.external_id, post.kind, post.body,
              post.published_at, post.published_from as first_day,
              post.reach, post.impressions, post.reactions, post.comments, post.shares, post.clicks, post.engagements,
              post.conversions, post.revenue
            from chosen
            join post on post.tenant_id = (select rtv_tenant()) and post.id = chosen.id
            join account on account.tenant_id = post.tenant_id and account.id = post.account_id
            order by
              chosen.is_best desc,
              case when chosen.is_best then chosen.value end desc,
              case when not chosen.is_best then chosen.value end,
              case when chosen.is_best then chosen.id end desc, chosen.id
            "#,
            $query.period.from(),
            $query.period.to(),
            $accounts,
            $campaigns,
            i64::try_from(SHOWN).unwrap_or(i64::MAX),
        )
        .fetch_all($tx.connection())
        .await
        .map_err(failed)?
    };
}

struct End {
    is_best: bool,
    sentiment: Option<f64>,
    id: Uuid,
    account_id: Uuid,
    account_name: String,
    platform: String,
    external_id: String,
    kind: Option<String>,
    body: Option<String>,
    published_at: Option<chrono::DateTime<chrono::Utc>>,
    first_day: chrono::NaiveDate,
    reach: Option<i64>,
    impressions: Option<i64>,
    reactions: Option<i64>,
    comments: Option<i64>,
    shares: Option<i64>,
    clicks: Option<i64>,
    engagements: Option<i64>,
    conversions: Option<i64>,
    revenue: Option<Decimal>,
}

impl End {
    fn into_ranked(self, kpi: Kpi) -> Result<Ranked, Error> {
        let sentiment = self.sentiment.and_then(|sentiment| Decimal::try_from(sentiment).ok());
        let post = Row {
            id: self.id,
            account_id: self.account_id,
            account_name: self.account_name,
            platform: self.platform,
            external_id: self.external_id,
            kind: self.kind,
            body: self.body,
            published_at: self.published_at,
            first_day: self.first_day,
            reach: self.reach,
            impressions: self.impressions,
            reactions: self.reactions,
            comments: self.comments,
            shares: self.shares,
            clicks: self.clicks,
            engagements: self.engagements,
            conversions: self.conversions,
            revenue: self.revenue,
        }
        .into_post()?;
        let value = value_of(&post.figures, sentiment, kpi).unwrap_or_default();
        Ok(Ranked { place: 0, value, post })
    }
}

/// Gives places in the order of the list; equal figures share one.
fn with_places(mut list: Vec<Ranked>) -> Vec<Ranked> {
    for index in 0..list.len() {
        list[index].place = match index.checked_sub(1) {
            Some(before) if list[before].value == list[index].value => list[before].place,
            _ => index + 1,
        };
    }
    list
}

/// Ranks the posts that were published in the period by their totals to date, whatever the basis of the figures: what each
/// post gained on each day would have to be added up first. Two queries and the marker of the transaction.
pub async fn read(
    ctx: &TenantContext,
    query: &Query,
    accounts: &[Account],
    campaigns: &[Campaign],
) -> Result<Ranking, Error> {
    let accounts: Vec<Uuid> = query.filter.covered(accounts)?.iter().map(|account| account.id.uuid()).collect();
    let campaigns = query.filter.campaign_ids(campaigns)?;
    let kpi = ranked_by(query.metric);
    let mut tx = ctx.begin(Permission::AnalyticsRead, Resource::Posts).await?;
    let (posts, ranked) = read_counts(&mut tx, query, &accounts, &campaigns, kpi).await?;
    let ends = match kpi {
        Kpi::Reach => ends!(tx, query, &accounts, &campaigns, "reach"),
        Kpi::Impressions => ends!(tx, query, &accounts, &campaigns, "impressions"),
        Kpi::EngagementRate => ends!(tx, query, &accounts, &campaigns, "engagement_rate"),
        Kpi::Sentiment => ends!(tx, query, &accounts, &campaigns, "sentiment"),
        Kpi::Conversions => ends!(tx, query, &accounts, &campaigns, "conversions"),
        Kpi::Revenue => ends!(tx, query, &accounts, &campaigns, "revenue"),
        Kpi::Engagements | Kpi::FollowerGrowth | Kpi::Published | Kpi::Roi => {
            ends!(tx, query, &accounts, &campaigns, "engagements")
        }
    };
    tx.rollback().await?;
    let (best, worst): (Vec<End>, Vec<End>) = ends.into_iter().partition(|end| end.is_best);
    let best: Vec<Ranked> = best.into_iter().map(|end| end.into_ranked(kpi)).collect::<Result<_, _>>()?;
    let mut worst: Vec<Ranked> = worst.into_iter().map(|end| end.into_ranked(kpi)).collect::<Result<_, _>>()?;
    worst.retain(|one| best.iter().all(|other| other.post.id != one.post.id));
    Ok(Ranking { kpi, best: with_places(best), worst: with_places(worst), ranked, unranked: posts - ranked })
}

/// Posts published in the period, and how many of them have a figure that posts can be ranked by.
async fn read_counts(
    tx: &mut Tx,
    query: &Query,
    accounts: &[Uuid],
    campaigns: &[Uuid],
    kpi: Kpi,
) -> Result<(i64, i64), Error> {
    if kpi == Kpi::EngagementRate {
        return read_rate_counts(tx, query, accounts, campaigns).await;
    }
    let row = sqlx::query!(
        r#"
        select
          coalesce(sum(posts), 0)::bigint as "posts!", coalesce(sum(reach_posts), 0)::bigint as "reach!",
          coalesce(sum(impressions_posts), 0)::bigint as "impressions!",
          coalesce(sum(engagements_posts), 0)::bigint as "engagements!",
          coalesce(sum(sentiment_posts), 0)::bigint as "sentiment!",
          coalesce(sum(conversions_posts), 0)::bigint as "conversions!", coalesce(sum(revenue_posts), 0)::bigint as "revenue!"
        from kpi_daily
        where basis = 'lifetime'
          and first_day between $1 and $2
          and last_day <= $2
          and account_id = any($3)
          and (cardinality($4::uuid[]) = 0 or campaign_id = any($4))
        "#,
        query.period.from(),
        query.period.to(),
        accounts,
        campaigns,
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let ranked = match kpi {
        Kpi::Reach => row.reach,
        Kpi::Impressions => row.impressions,
        Kpi::Engagements => row.engagements,
        Kpi::Sentiment => row.sentiment,
        Kpi::Conversions => row.conversions,
        Kpi::Revenue => row.revenue,
        Kpi::EngagementRate | Kpi::FollowerGrowth | Kpi::Published | Kpi::Roi => 0,
    };
    Ok((row.posts, ranked))
}

/// A rate needs a base above 0, and only the roll-up by hour counts the posts that have one.
async fn read_rate_counts(
    tx: &mut Tx,
    query: &Query,
    accounts: &[Uuid],
    campaigns: &[Uuid],
) -> Result<(i64, i64), Error> {
    let row = sqlx::query!(
        r#"
        select coalesce(sum(posts), 0)::bigint as "posts!", coalesce(sum(rate_posts), 0)::bigint as "ranked!"
        from post_hour
        where first_day between $1 and $2
          and last_day <= $2
          and account_id = any($3)
          and (cardinality($4::uuid[]) = 0 or campaign_id = any($4))
        "#,
        query.period.from(),
        query.period.to(),
        accounts,
        campaigns,
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    Ok((row.posts, row.ranked))
}
