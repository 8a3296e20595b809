//! The roll-up of posts by the hour of the tenant's day on which they were published, and the week that pages draw from
//! it. It is refreshed in the transaction that changes the posts; [`verify`] recomputes it from them and reports every
//! difference.

use chrono::NaiveDate;
use rtv_core::{AccountId, Error, Permission};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::account::Account;
use crate::campaign::Campaign;
use crate::context::TenantContext;
use crate::kpi::{Query, ratio};
use crate::kpi_daily::Touched;
use crate::transaction::{Resource, Tx, failed};

/// Recomputes the groups whose posts changed. Hours are those of the tenant's zone: of the hour that a day has twice
/// both count, and the one that a day leaves out has none.
pub(crate) async fn refresh(tx: &mut Tx, touched: &Touched) -> Result<(), Error> {
    let Some((first, last)) = touched.extent() else { return Ok(()) };
    sqlx::query!(
        r#"
        delete from post_hour
        using unnest($1::uuid[], $2::date[], $3::date[]) as touched (account_id, first_day, last_day)
        where post_hour.account_id = touched.account_id
          and post_hour.first_day = touched.first_day
          and post_hour.last_day = touched.last_day
        "#,
        &touched.accounts,
        &touched.first_days,
        &touched.last_days,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query!(
        r#"
        insert into post_hour (
          tenant_id, first_day, last_day, hour, account_id, campaign_id, posts, engagements, engagements_posts,
          rate_engagements, rate_base, rate_posts
        )
        select
          post.tenant_id, post.published_from, post.published_to,
          coalesce(extract(hour from post.published_at at time zone coalesce($6, tenant.time_zone)), -1)::smallint as hour,
          post.account_id, coalesce(post.campaign_id, '00000000-0000-0000-0000-000000000000') as campaign, count(*),
          coalesce(sum(engagements), 0)::bigint, count(engagements),
          coalesce(sum(engagements) filter (where coalesce(impressions, reach) is not null), 0)::bigint,
          coalesce(sum(coalesce(impressions, reach)) filter (where engagements is not null), 0)::bigint,
          count(engagement_rate)
        from post
        join tenant on tenant.id = post.tenant_id
        join unnest($1::uuid[], $2::date[], $3::date[]) as touched (account_id, first_day, last_day)
          on post.account_id = touched.account_id
          and post.published_from = touched.first_day
          and post.published_to = touched.last_day
        where post.published_from between $4 and $5
        group by post.tenant_id, post.published_from, post.published_to, hour, post.account_id, campaign
        "#,
        &touched.accounts,
        &touched.first_days,
        &touched.last_days,
        first,
        last,
        touched.zone.map(chrono_tz::Tz::name),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}

/// A group of the roll-up that does not equal its posts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Account of the group.
    pub account: AccountId,
    /// First day of the group.
    pub first_day: NaiveDate,
    /// Its hour, −1 where only the month is known.
    pub hour: i16,
    /// Posts and engagements as the roll-up has them.
    pub rolled_up: [Option<i64>; 2],
    /// The same, from the posts.
    pub from_facts: [Option<i64>; 2],
}

/// Recomputes every group from the posts and lists those that differ in any of their columns, at most 1,000.
pub async fn verify(ctx: &TenantContext) -> Result<Vec<Difference>, Error> {
    let mut tx = ctx.begin(Permission::AnalyticsRead, Resource::Posts).await?;
    tx.take_time().await?;
    let rows = sqlx::query!(
        r#"
        with facts as (
          select
            post.published_from as first_day, post.published_to as last_day,
            coalesce(extract(hour from post.published_at at time zone tenant.time_zone), -1)::smallint as hour,
            post.account_id, coalesce(post.campaign_id, '00000000-0000-0000-0000-000000000000') as campaign_id,
            count(*) as posts, coalesce(sum(engagements), 0)::bigint as engagements, count(engagements) as engagements_posts,
            coalesce(sum(engagements) filter (where coalesce(impressions, reach) is not null), 0)::bigint as rate_engagements,
            coalesce(sum(coalesce(impressions, reach)) filter (where engagements is not null), 0)::bigint as rate_base,
            count(engagement_rate) as rate_posts
          from post
          join tenant on tenant.id = post.tenant_id
          group by 1, 2, 3, 4, 5
        )
        select
          coalesce(facts.account_id, rolled.account_id) as "account_id!",
          coalesce(facts.first_day, rolled.first_day) as "first_day!",
          coalesce(facts.hour, rolled.hour) as "hour!",
          facts.posts, facts.engagements, rolled.posts as "rolled_posts?", rolled.engagements as "rolled_engagements?"
        from facts
        full join post_hour as rolled
          on rolled.first_day = facts.first_day
          and rolled.last_day = facts.last_day
          and rolled.hour = facts.hour
          and rolled.account_id = facts.account_id
          and rolled.campaign_id = facts.campaign_id
        where (
            facts.posts, facts.engagements, facts.engagements_posts, facts.rate_engagements, facts.rate_base, facts.rate_posts
          ) is distinct from (
            rolled.posts, rolled.engagements, rolled.engagements_posts, rolled.rate_engagements, rolled.rate_base,
            rolled.rate_posts
          )
        order by 2, 3, 1
        limit 1000
        "#
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(rows
        .into_iter()
        .map(|row| Difference {
            account: row.account_id.into(),
            first_day: row.first_day,
            hour: row.hour,
            rolled_up: [row.rolled_posts, row.rolled_engagements],
            from_facts: [row.posts, row.engagements],
        })
        .collect())
}

/// Posts of one hour of the week.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hour {
    /// Posts published in it.
    pub posts: i64,
    engagements: i64,
    engagements_posts: i64,
    rate_engagements: i64,
    rate_base: i64,
}

impl Hour {
    /// Engagements ÷ impressions, or ÷ reach where impressions are missing: a ratio of sums.
    pub fn engagement_rate(&self) -> Option<Decimal> {
        ratio(self.rate_engagements.into(), self.rate_base.into())
    }

    /// Engagements per post, over posts that report them.
    pub fn engagements_per_post(&self) -> Option<Decimal> {
        ratio(self.engagements.into(), self.engagements_posts.into())
    }

    /// Engagements of the posts that report them; `None` where none does.
    pub fn engagements(&self) -> Option<Decimal> {
        (self.engagements_posts > 0).then(|| self.engagements.into())
    }

    pub(crate) fn plus(self, other: &Self) -> Self {
        Self {
            posts: self.posts + other.posts,
            engagements: self.engagements + other.engagements,
            engagements_posts: self.engagements_posts + other.engagements_posts,
            rate_engagements: self.rate_engagements + other.rate_engagements,
            rate_base: self.rate_base + other.rate_base,
        }
    }
}

/// What the cells of a week are judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// [`Hour::engagement_rate`].
    EngagementRate,
    /// [`Hour::engagements_per_post`].
    EngagementsPerPost,
    /// The number of posts.
    Posts,
}

/// Posts that were published in a period by weekday and hour, with their totals to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Week {
    /// Seven weekdays from Monday, each with 24 hours.
    pub days: Vec<[Hour; 24]>,
    /// All posts whose hour is known.
    pub all: Hour,
    /// Posts of which only the month is known.
    pub unknown: i64,
}

impl Week {
    /// The rate where any post has one, else engagements per post, else posts.
    pub fn measure(&self) -> Measure {
        if self.all.engagement_rate().is_some() {
            Measure::EngagementRate
        } else if self.all.engagements_per_post().is_some() {
            Measure::EngagementsPerPost
        } else {
            Measure::Posts
        }
    }

    /// A cell's value by a measure; `None` where nothing was published or nothing is reported.
    pub fn value(&self, weekday: usize, hour: usize, measure: Measure) -> Option<Decimal> {
        let cell = self.days.get(weekday)?.get(hour)?;
        match measure {
            Measure::EngagementRate => cell.engagement_rate(),
            Measure::EngagementsPerPost => cell.engagements_per_post(),
            Measure::Posts => (cell.posts > 0).then(|| cell.posts.into()),
        }
    }
}

/// The week of a period, in one query of the roll-up and the marker of the transaction. Always of what was published in
/// the period, whatever the basis of the figures: an hour is an hour of publication.
pub async fn week(
    ctx: &TenantContext,
    query: &Query,
    accounts: &[Account],
    campaigns: &[Campaign],
) -> Result<Week, Error> {
    let covered: Vec<Uuid> = query.filter.covered(accounts)?.iter().map(|account| account.id.uuid()).collect();
    let campaigns = query.filter.campaign_ids(campaigns)?;
    let mut tx = ctx.begin(Permission::AnalyticsRead, Resource::Posts).await?;
    let rows = sqlx::query!(
        r#"
        select
          case when hour < 0 then 0 else extract(isodow from first_day) end::int as "weekday!", hour,
          sum(posts)::bigint as "posts!",
          sum(engagements)::bigint as "engagements!", sum(engagements_posts)::bigint as "engagements_posts!",
          sum(rate_engagements)::bigint as "rate_engagements!", sum(rate_base)::bigint as "rate_base!"
        from post_hour
        where first_day between $1 and $2
          and last_day <= $2
          and account_id = any($3)
          and (cardinality($4::uuid[]) = 0 or campaign_id = any($4))
        group by 1, hour
        "#,
        query.period.from(),
        query.period.to(),
        &covered,
        &campaigns,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    let mut week = Week { days: vec![[Hour::default(); 24]; 7], all: Hour::default(), unknown: 0 };
    for row in rows {
        let cell = Hour {
            posts: row.posts,
            engagements: row.engagements,
            engagements_posts: row.engagements_posts,
            rate_engagements: row.rate_engagements,
            rate_base: row.rate_base,
        };
        let place = usize::try_from(row.weekday - 1).ok().zip(usize::try_from(row.hour).ok());
        match place.and_then(|(weekday, hour)| week.days.get_mut(weekday)?.get_mut(hour)) {
            Some(place) => {
                *place = cell;
                week.all = week.all.plus(&cell);
            }
            None => week.unknown += cell.posts,
        }
    }
    Ok(week)
}
