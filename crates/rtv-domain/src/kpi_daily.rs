//! The daily roll-ups that every figure of a page is read from. They are refreshed in the transaction that changes the
//! facts, and [`verify`] recomputes them from the facts and reports every difference.

use chrono::NaiveDate;
use chrono_tz::Tz;
use rtv_core::kpi::Basis;
use rtv_core::{Error, Permission, TenantId};
use uuid::Uuid;

use crate::access::stored;
use crate::context::TenantContext;
use crate::post_hour;
use crate::transaction::{Resource, Tx, failed};

/// Groups of the roll-up whose facts changed: accounts with first and last day, as three columns of equal length.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Account of each group.
    pub(crate) accounts: Vec<Uuid>,
    /// First day of each group.
    pub(crate) first_days: Vec<NaiveDate>,
    /// Last day of each group.
    pub(crate) last_days: Vec<NaiveDate>,
    /// The zone whose hours count, while the tenant is on its way to another one.
    pub(crate) zone: Option<Tz>,
}

impl Touched {
    /// First and last day on which any group begins; posts of other days need not be looked at.
    pub(crate) fn extent(&self) -> Option<(NaiveDate, NaiveDate)> {
        Some((*self.first_days.iter().min()?, *self.first_days.iter().max()?))
    }

    pub(crate) fn push(&mut self, account: Uuid, first_day: NaiveDate, last_day: NaiveDate) {
        self.accounts.push(account);
        self.first_days.push(first_day);
        self.last_days.push(last_day);
    }
}

/// Takes the place of every other change of a tenant's facts until the transaction ends: two that run beside each other
/// would each roll up without the other's rows. The key is the one of imports, which change facts too.
pub(crate) async fn lock_facts(tx: &mut Tx, tenant: TenantId) -> Result<(), Error> {
    tx.lock(&format!("import {tenant}")).await
}

/// The same without waiting; false while another change is under way.
pub(crate) async fn try_lock_facts(tx: &mut Tx, tenant: TenantId) -> Result<bool, Error> {
    tx.try_lock(&format!("import {tenant}")).await
}

/// Recomputes the groups of basis *lifetime* from the posts and the roll-up by hour with them, and all groups of basis
/// *period* of those accounts that have daily gains: a post that changed its campaign or is gone took its gains along.
pub(crate) async fn refresh_lifetime(tx: &mut Tx, touched: &Touched) -> Result<(), Error> {
    write_lifetime(tx, touched).await?;
    let with_gains =
        sqlx::query_scalar!("select id from account where id = any($1) and basis = 'period'", &touched.accounts)
            .fetch_all(tx.connection())
            .await
            .map_err(failed)?;
    if with_gains.is_empty() { Ok(()) } else { refresh_period(tx, &with_gains, None).await }
}

/// From so many groups on all posts of their days are read once and not group by group: a group's posts are found by
/// their day, so that every account of a day would read the posts of all of them. The planner cannot know, because the
/// posts that an import has just written have no statistics yet.
const MANY_GROUPS: usize = 500;

/// The groups of basis *lifetime*, and those by hour: both come from the posts of the same days.
async fn write_lifetime(tx: &mut Tx, touched: &Touched) -> Result<(), Error> {
    let Some((first, last)) = touched.extent() else { return Ok(()) };
    let is_many = touched.accounts.len() >= MANY_GROUPS;
    if is_many {
        tx.set_nested_loops(false).await?;
    }
    sqlx::query!(
        r#"
        delete from kpi_daily
        using unnest($1::uuid[], $2::date[], $3::date[]) as touched (account_id, first_day, last_day)
        where kpi_daily.basis = 'lifetime'
          and kpi_daily.account_id = touched.account_id
          and kpi_daily.first_day = touched.first_day
          and kpi_daily.last_day = touched.last_day
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
        insert into kpi_daily (
          tenant_id, basis, first_day, last_day, account_id, campaign_id, posts,
          reach, reach_posts, impressions, impressions_posts, engagements, engagements_posts,
          rate_engagements, rate_impressions, rate_by_reach_engagements, rate_reach, rate_posts,
          conversions, conversions_posts, revenue, revenue_posts, roi_revenue, roi_cost, roi_posts,
          sentiment_sum, sentiment_count, sentiment_posts
        )
        select
          post.tenant_id, 'lifetime', post.published_from, post.published_to, post.account_id,
          coalesce(post.campaign_id, '00000000-0000-0000-0000-000000000000'), count(*),
          sum(reach)::bigint, count(reach), sum(impressions)::bigint, count(impressions), sum(engagements)::bigint, count(engagements),
          coalesce(sum(engagements) filter (where impressions is not null), 0)::bigint,
          coalesce(sum(impressions) filter (where engagements is not null), 0)::bigint,
          coalesce(sum(engagements) filter (where impressions is null and reach is not null), 0)::bigint,
          coalesce(sum(reach) filter (where impressions is null and engagements is not null), 0)::bigint,
          count(engagements) filter (where impressions is not null or reach is not null),
          sum(conversions)::bigint, count(conversions), sum(revenue), count(revenue),
          coalesce(sum(revenue) filter (where cost is not null), 0), coalesce(sum(cost) filter (where revenue is not null), 0),
          count(cost) filter (where revenue is not null),
          coalesce(sum(sentiment), 0), count(sentiment), count(sentiment)
        from post
        join unnest($1::uuid[], $2::date[], $3::date[]) as touched (account_id, first_day, last_day)
          on post.account_id = touched.account_id
          and post.published_from = touched.first_day
          and post.published_to = touched.last_day
        where post.published_from between $4 and $5
        group by post.tenant_id, post.published_from, post.published_to, post.account_id, post.campaign_id
        "#,
        &touched.accounts,
        &touched.first_days,
        &touched.last_days,
        first,
        last,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    post_hour::refresh(tx, touched).await?;
    if is_many { tx.set_nested_loops(true).await } else { Ok(()) }
}

/// Recomputes the groups of basis *period* of the accounts on the days, or on all days, from what posts gained.
pub(crate) async fn refresh_period(tx: &mut Tx, accounts: &[Uuid], days: Option<&[NaiveDate]>) -> Result<(), Error> {
    sqlx::query!(
        r#"
        delete from kpi_daily
        where basis = 'period' and account_id = any($1) and ($2::date[] is null or first_day = any($2))
        "#,
        accounts,
        days,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query!(
        r#"
        insert into kpi_daily (
          tenant_id, basis, first_day, last_day, account_id, campaign_id, posts,
          reach, reach_posts, impressions, impressions_posts, engagements, engagements_posts,
          rate_engagements, rate_impressions, rate_by_reach_engagements, rate_reach, rate_posts,
          conversions, conversions_posts, revenue, revenue_posts, roi_revenue, roi_cost, roi_posts,
          sentiment_sum, sentiment_count, sentiment_posts
        )
        select
          gained.tenant_id, 'period', gained.day, gained.day, post.account_id,
          coalesce(post.campaign_id, '00000000-0000-0000-0000-000000000000'), count(*),
          sum(gained.reach)::bigint, count(gained.reach), sum(gained.impressions)::bigint, count(gained.impressions),
          sum(gained.engagements)::bigint, count(gained.engagements),
          coalesce(sum(gained.engagements) filter (where gained.impressions is not null), 0)::bigint,
          coalesce(sum(gained.impressions) filter (where gained.engagements is not null), 0)::bigint,
          coalesce(sum(gained.engagements) filter (where gained.impressions is null and gained.reach is not null), 0)::bigint,
          coalesce(sum(gained.reach) filter (where gained.impressions is null and gained.engagements is not null), 0)::bigint,
          count(gained.engagements) filter (where gained.impressions is not null or gained.reach is not null),
          sum(gained.conversions)::bigint, count(gained.conversions), sum(gained.revenue), count(gained.revenue),
          coalesce(sum(gained.revenue) filter (where gained.cost is not null), 0),
          coalesce(sum(gained.cost) filter (where gained.revenue is not null), 0),
          count(gained.cost) filter (where gained.revenue is not null),
          coalesce(sum(gained.sentiment_sum) filter (where gained.sentiment_count > 0), 0),
          coalesce(sum(gained.sentiment_count), 0)::bigint, count(*) filter (where gained.sentiment_count > 0)
        from post_daily as gained
        join post on post.tenant_id = gained.tenant_id and post.id = gained.post_id
        where post.account_id = any($1) and ($2::date[] is null or gained.day = any($2))
        group by gained.tenant_id, gained.day, post.account_id, post.campaign_id
        "#,
        accounts,
        days,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}

/// Recomputes every group of the accounts, of both bases and by hour.
pub(crate) async fn rebuild(tx: &mut Tx, accounts: &[Uuid]) -> Result<(), Error> {
    rebuild_lifetime(tx, accounts, None).await?;
    refresh_period(tx, accounts, None).await
}

/// Recomputes every group of the accounts that comes from posts, with the hours of the zone, or of the tenant's.
pub(crate) async fn rebuild_lifetime(tx: &mut Tx, accounts: &[Uuid], zone: Option<Tz>) -> Result<(), Error> {
    let groups = sqlx::query!(
        r#"
        select account_id as "account_id!", published_from as "first_day!", published_to as "last_day!"
        from post
        where account_id = any($1)
        union
        select account_id, first_day, last_day from kpi_daily where basis = 'lifetime' and account_id = any($1)
        union
        select account_id, first_day, last_day from post_hour where account_id = any($1)
        "#,
        accounts
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let mut touched = Touched { zone, ..Touched::default() };
    for group in groups {
        touched.push(group.account_id, group.first_day, group.last_day);
    }
    write_lifetime(tx, &touched).await
}

/// A group of the roll-up that does not equal its facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Basis of the group.
    pub basis: Basis,
    /// Account of the group.
    pub account: rtv_core::AccountId,
    /// First day of the group.
    pub first_day: NaiveDate,
    /// Last day of the group.
    pub last_day: NaiveDate,
    /// Posts, reach, impressions and engagements as the roll-up has them.
    pub rolled_up: [Option<i64>; 4],
    /// The same, from the facts.
    pub from_facts: [Option<i64>; 4],
}

/// Recomputes every group of both bases from posts and daily gains and lists those that differ in any of their columns,
/// at most 1,000. A group is one of an account and campaign, so an account and its days may be listed more than once.
#[expect(clippy::too_many_lines, reason = "it is one statement")]
pub async fn verify(ctx: &TenantContext) -> Result<Vec<Difference>, Error> {
    let mut tx = ctx.begin(Permission::AnalyticsRead, Resource::Posts).await?;
    tx.take_time().await?;
    // Sums of fractions depend on the order in which they are added, hence the tolerance for sentiment.
    let rows = sqlx::query!(
        r#"
        with facts as (
          select
            'lifetime' as basis, account_id, published_from as first_day, published_to as last_day,
            coalesce(campaign_id, '00000000-0000-0000-0000-000000000000') as campaign_id, count(*) as posts,
            sum(reach)::bigint as reach, count(reach) as reach_posts,
            sum(impressions)::bigint as impressions, count(impressions) as impressions_posts,
            sum(engagements)::bigint as engagements, count(engagements) as engagements_posts,
            coalesce(sum(engagements) filter (where impressions is not null), 0)::bigint as rate_engagements,
            coalesce(sum(impressions) filter (where engagements is not null), 0)::bigint as rate_impressions,
            coalesce(sum(engagements) filter (where impressions is null and reach is not null), 0)::bigint as rate_by_reach_engagements,
            coalesce(sum(reach) filter (where impressions is null and engagements is not null), 0)::bigint as rate_reach,
            count(engagements) filter (where impressions is not null or reach is not null) as rate_posts,
            sum(conversions)::bigint as conversions, count(conversions) as conversions_posts,
            sum(revenue) as revenue, count(revenue) as revenue_posts,
            coalesce(sum(revenue) filter (where cost is not null), 0) as roi_revenue,
            coalesce(sum(cost) filter (where revenue is not null), 0) as roi_cost,
            count(cost) filter (where revenue is not null) as roi_posts,
            coalesce(sum(sentiment), 0) as sentiment_sum, count(sentiment) as sentiment_count, count(sentiment) as sentiment_posts
          from post
          group by account_id, published_from, published_to, post.campaign_id
          union all
          select
            'period', post.account_id, gained.day, gained.day,
            coalesce(post.campaign_id, '00000000-0000-0000-0000-000000000000'), count(*),
            sum(gained.reach)::bigint, count(gained.reach), sum(gained.impressions)::bigint, count(gained.impressions),
            sum(gained.engagements)::bigint, count(gained.engagements),
            coalesce(sum(gained.engagements) filter (where gained.impressions is not null), 0)::bigint,
            coalesce(sum(gained.impressions) filter (where gained.engagements is not null), 0)::bigint,
            coalesce(sum(gained.engagements) filter (where gained.impressions is null and gained.reach is not null), 0)::bigint,
            coalesce(sum(gained.reach) filter (where gained.impressions is null and gained.engagements is not null), 0)::bigint,
            count(gained.engagements) filter (where gained.impressions is not null or gained.reach is not null),
            sum(gained.conversions)::bigint, count(gained.conversions), sum(gained.revenue), count(gained.revenue),
            coalesce(sum(gained.revenue) filter (where gained.cost is not null), 0),
            coalesce(sum(gained.cost) filter (where gained.revenue is not null), 0),
            count(gained.cost) filter (where gained.revenue is not null),
            coalesce(sum(gained.sentiment_sum) filter (where gained.sentiment_count > 0), 0),
            coalesce(sum(gained.sentiment_count), 0)::bigint, count(*) filter (where gained.sentiment_count > 0)
          from post_daily as gained
          join post on post.tenant_id = gained.tenant_id and post.id = gained.post_id
          group by post.account_id, gained.day, post.campaign_id
        ),
        rolled as (
          select
            basis, account_id, first_day, last_day, campaign_id, posts, reach, reach_posts, impressions, impressions_posts,
            engagements, engagements_posts, rate_engagements, rate_impressions, rate_by_reach_engagements, rate_reach,
            rate_posts, conversions, conversions_posts, revenue, revenue_posts, roi_revenue, roi_cost, roi_posts, sentiment_sum,
            sentiment_count, sentiment_posts
          from kpi_daily
        )
        select
          coalesce(facts.basis, rolled.basis) as "basis!",
          coalesce(facts.account_id, rolled.account_id) as "account_id!",
          coalesce(facts.first_day, rolled.first_day) as "first_day!",
          coalesce(facts.last_day, rolled.last_day) as "last_day!",
          facts.posts, facts.reach, facts.impressions, facts.engagements,
          rolled.posts as "rolled_posts?", rolled.reach as rolled_reach, rolled.impressions as rolled_impressions,
          rolled.engagements as rolled_engagements
        from facts
        full join rolled
          on rolled.basis = facts.basis
          and rolled.account_id = facts.account_id
          and rolled.first_day = facts.first_day
          and rolled.last_day = facts.last_day
          and rolled.campaign_id = facts.campaign_id
        where (
            facts.posts, facts.reach, facts.reach_posts, facts.impressions, facts.impressions_posts,
            facts.engagements, facts.engagements_posts, facts.rate_engagements, facts.rate_impressions,
            facts.rate_by_reach_engagements, facts.rate_reach, facts.rate_posts, facts.conversions, facts.conversions_posts,
            facts.revenue, facts.revenue_posts, facts.roi_revenue, facts.roi_cost, facts.roi_posts, facts.sentiment_count,
            facts.sentiment_posts
          ) is distinct from (
            rolled.posts, rolled.reach, rolled.reach_posts, rolled.impressions, rolled.impressions_posts,
            rolled.engagements, rolled.engagements_posts, rolled.rate_engagements, rolled.rate_impressions,
            rolled.rate_by_reach_engagements, rolled.rate_reach, rolled.rate_posts, rolled.conversions, rolled.conversions_posts,
            rolled.revenue, rolled.revenue_posts, rolled.roi_revenue, rolled.roi_cost, rolled.roi_posts, rolled.sentiment_count,
            rolled.sentiment_posts
          )
          or abs(facts.sentiment_sum - rolled.sentiment_sum) > 0.000001
        order by 3, 2, 1, coalesce(facts.campaign_id, rolled.campaign_id)
        limit 1000
        "#
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    rows.into_iter()
        .map(|row| {
            Ok(Difference {
                basis: stored(row.basis.parse())?,
                account: row.account_id.into(),
                first_day: row.first_day,
                last_day: row.last_day,
                rolled_up: [row.rolled_posts, row.rolled_reach, row.rolled_impressions, row.rolled_engagements],
                from_facts: [row.posts, row.reach, row.impressions, row.engagements],
            })
        })
        .collect()
}
