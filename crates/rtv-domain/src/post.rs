//! Posts behind a figure: the list that a drill-down opens, with totals that equal the figure.

use chrono::{DateTime, NaiveDate, Utc};
use rtv_core::kpi::{Basis, Kpi};
use rtv_core::period::Period;
use rtv_core::{AccountId, DeliveryId, Error, Permission, Platform, PostId};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::access::stored;
use crate::account::{self, Account};
use crate::campaign::{self, Campaign};
use crate::context::TenantContext;
use crate::kpi::{Filter, basis_of};
use crate::transaction::{Resource, Tx, failed};

/// Rows on one page.
pub const PAGE: i64 = 50;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The window.
    pub period: Period,
    /// Which accounts.
    pub filter: Filter,
    /// The figure that the list is opened from. What was published are other posts than those that gained something;
    /// under the basis *lifetime* they are the same.
    pub metric: Option<Kpi>,
    /// Where the page starts.
    pub after: Option<Cursor>,
}

/// The last row of the page before: newest first, so the next page is what is older.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// First day of that row.
    pub day: NaiveDate,
    /// When it was published; posts of which only the month is known stand behind those of the month's first day.
    pub published_at: Option<DateTime<Utc>>,
    /// Its id.
    pub id: PostId,
}

/// A post with its figures: totals to date, or what it gained in the period.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// Id.
    pub id: PostId,
    /// Its account.
    pub account: AccountId,
    /// Name of the account.
    pub account_name: String,
    /// Platform of the account.
    pub platform: Platform,
    /// The platform's own id of it.
    pub external_id: String,
    /// Photo, video, …, as the platform calls it.
    pub kind: Option<String>,
    /// The text.
    pub body: Option<String>,
    /// When it was published; `None` where only the month is known.
    pub published_at: Option<DateTime<Utc>>,
    /// First day on which it may have been published.
    pub first_day: NaiveDate,
    /// Its figures.
    pub figures: Figures,
}

/// Figures of one post or of all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// People reached.
    pub reach: Option<i64>,
    /// Times shown.
    pub impressions: Option<i64>,
    /// Reactions.
    pub reactions: Option<i64>,
    /// Comments.
    pub comments: Option<i64>,
    /// Shares.
    pub shares: Option<i64>,
    /// Clicks.
    pub clicks: Option<i64>,
    /// Sum of the four before.
    pub engagements: Option<i64>,
    /// Attributed conversions.
    pub conversions: Option<i64>,
    /// Attributed revenue.
    pub revenue: Option<Decimal>,
}

/// One page of posts and the totals of all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// The rows.
    pub posts: Vec<Post>,
    /// Where the next page starts, if there is one.
    pub next: Option<Cursor>,
    /// How many posts the filter covers.
    pub count: i64,
    /// Their totals, straight from the posts.
    pub totals: Figures,
    /// What the figures count.
    pub basis: Basis,
    /// All accounts of the tenant, for the filter.
    pub accounts: Vec<Account>,
    /// All campaigns of the tenant, for the filter.
    pub campaigns: Vec<Campaign>,
}

/// The posts that make up the figures of a period, newest first, a page at a time.
pub async fn list(ctx: &TenantContext, query: &Query) -> Result<Listing, Error> {
    list_some(ctx, query, PAGE).await
}

/// Of these posts those that RTV has sent, each with its delivery. Who may not read deliveries gets none.
pub async fn deliveries(ctx: &TenantContext, posts: &[PostId]) -> Result<Vec<(PostId, DeliveryId)>, Error> {
    if posts.is_empty() || !ctx.access().grants_somewhere(Permission::ContentRead) {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = posts.iter().map(|post| post.uuid()).collect();
    let mut tx = ctx.begin(Permission::ContentRead, Resource::Deliveries).await?;
    let rows = sqlx::query!(
        r#"
        select post.id as post, delivery.id as delivery
        from post
        join delivery
          on delivery.tenant_id = post.tenant_id
          and delivery.account_id = post.account_id
          and delivery.remote_id = post.external_id
        where post.id = any($1)
        "#,
        &ids
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(rows.into_iter().map(|row| (row.post.into(), row.delivery.into())).collect())
}

/// The same, at most so many posts.
pub async fn list_some(ctx: &TenantContext, query: &Query, limit: i64) -> Result<Listing, Error> {
    let mut tx = ctx.begin(Permission::AnalyticsRead, Resource::Posts).await?;
    let accounts = account::read(&mut tx).await?;
    let covered = query.filter.covered(&accounts)?;
    let ids: Vec<Uuid> = covered.iter().map(|account| account.id.uuid()).collect();
    let basis = basis_of(&covered);
    let campaigns = campaign::read(&mut tx).await?;
    let chosen = query.filter.campaign_ids(&campaigns)?;
    let (mut posts, (count, totals)) = match basis {
        Basis::Lifetime => (
            published(&mut tx, query, &ids, &chosen, limit).await?,
            published_totals(&mut tx, query, &ids, &chosen).await?,
        ),
        Basis::Period if query.metric == Some(Kpi::Published) => (
            published_gains(&mut tx, query, &ids, &chosen, limit).await?,
            published_gains_totals(&mut tx, query, &ids, &chosen).await?,
        ),
        Basis::Period => {
            (active(&mut tx, query, &ids, &chosen, limit).await?, active_totals(&mut tx, query, &ids, &chosen).await?)
        }
    };
    tx.rollback().await?;
    let has_more = posts.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    posts.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = posts.last().filter(|_| has_more).map(|post| Cursor {
        day: post.first_day,
        published_at: post.published_at,
        id: post.id,
    });
    Ok(Listing { posts, next, count, totals, basis, accounts, campaigns })
}

/// Posts published in the period with their totals to date.
async fn published(
    tx: &mut Tx,
    query: &Query,
    accounts: &[Uuid],
    campaigns: &[Uuid],
    limit: i64,
) -> Result<Vec<Post>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        select
          post.id, post.account_id, account.name as account_name, account.platform, post.external_id, post.kind, post.body,
          post.published_at, post.published_from as first_day,
          post.reach, post.impressions, post.reactions, post.comments, post.shares, post.clicks, post.engagements,
          post.conversions, post.revenue
        from post
        join account on account.tenant_id = post.tenant_id and account.id = post.account_id
        where post.published_from between $1 and $2
          and post.published_to <= $2
          and post.account_id = any($3)
          and (
            cardinality($4::uuid[]) = 0
            or post.campaign_id = any($4)
            or (post.campaign_id is null and '00000000-0000-0000-0000-000000000000' = any($4))
          )
          and (
            $5::date is null
            or (post.published_from, post.listed_at, post.id) < ($5, coalesce($6, timestamptz '-infinity'), $7)
          )
        order by post.published_from desc, post.listed_at desc, post.id desc
        limit $8
        "#,
        query.period.from(),
        query.period.to(),
        accounts,
        campaigns,
        query.after.map(|after| after.day),
        query.after.and_then(|after| after.published_at),
        query.after.map(|after| after.id.uuid()),
        limit + 1,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter().map(Row::into_post).collect()
}

async fn published_totals(
    tx: &mut Tx,
    query: &Query,
    accounts: &[Uuid],
    campaigns: &[Uuid],
) -> Result<(i64, Figures), Error> {
    let row = sqlx::query!(
        r#"
        select
          count(*) as "count!",
          sum(reach)::bigint as reach, sum(impressions)::bigint as impressions, sum(reactions)::bigint as reactions,
          sum(comments)::bigint as comments, sum(shares)::bigint as shares, sum(clicks)::bigint as clicks,
          sum(engagements)::bigint as engagements, sum(conversions)::bigint as conversions, sum(revenue) as revenue
        from post
        where published_from between $1 and $2
          and published_to <= $2
          and account_id = any($3)
          and (
            cardinality($4::uuid[]) = 0
            or campaign_id = any($4)
            or (campaign_id is null and '00000000-0000-0000-0000-000000000000' = any($4))
          )
        "#,
        query.period.from(),
        query.period.to(),
        accounts,
        campaigns,
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let totals = Figures {
        reach: row.reach,
        impressions: row.impressions,
        reactions: row.reactions,
        comments: row.comments,
        shares: row.shares,
        clicks: row.clicks,
        engagements: row.engagements,
        conversions: row.conversions,
        revenue: row.revenue,
    };
    Ok((row.count, totals))
}

/// Posts of which something happened in the period, with what they gained in it.
async fn active(
    tx: &mut Tx,
    query: &Query,
    accounts: &[Uuid],
    campaigns: &[Uuid],
    limit: i64,
) -> Result<Vec<Post>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        select
          post.id, post.account_id, account.name as account_name, account.platform, post.external_id, post.kind, post.body,
          post.published_at, post.published_from as first_day,
          gained.reach, gained.impressions, gained.reactions, gained.comments, gained.shares, gained.clicks, gained.engagements,
          gained.conversions, gained.revenue
        from (
          select
            tenant_id, post_id,
            sum(reach)::bigint as reach, sum(impressions)::bigint as impressions, sum(reactions)::bigint as reactions,
            sum(comments)::bigint as comments, sum(shares)::bigint as shares, sum(clicks)::bigint as clicks,
            sum(engagements)::bigint as engagements, sum(conversions)::bigint as conversions, sum(revenue) as revenue
          from post_daily
          where day between $1 and $2
          group by tenant_id, post_id
        ) as gained
        join post on post.tenant_id = gained.tenant_id and post.id = gained.post_id
        join account on account.tenant_id = post.tenant_id and account.id = post.account_id
        where post.account_id = any($3)
          and (
            cardinality($4::uuid[]) = 0
            or post.campaign_id = any($4)
            or (post.campaign_id is null and '00000000-0000-0000-0000-000000000000' = any($4))
          )
          and (
            $5::date is null
            or (post.published_from, post.listed_at, post.id) < ($5, coalesce($6, timestamptz '-infinity'), $7)
          )
        order by post.published_from desc, post.listed_at desc, post.id desc
        limit $8
        "#,
        query.period.from(),
        query.period.to(),
        accounts,
        campaigns,
        query.after.map(|after| after.day),
        query.after.and_then(|after| after.published_at),
        query.after.map(|after| after.id.uuid()),
        limit + 1,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter().map(Row::into_post).collect()
}

async fn active_totals(
    tx: &mut Tx,
    query: &Query,
    accounts: &[Uuid],
    campaigns: &[Uuid],
) -> Result<(i64, Figures), Error> {
    let row = sqlx::query!(
        r#"
        select
          count(distinct post_daily.post_id) as "count!",
          sum(post_daily.reach)::bigint as reach, sum(post_daily.impressions)::bigint as impressions,
          sum(post_daily.reactions)::bigint as reactions, sum(post_daily.comments)::bigint as comments,
          sum(post_daily.shares)::bigint as shares, sum(post_daily.clicks)::bigint as clicks,
          sum(post_daily.engagements)::bigint as engagements, sum(post_daily.conversions)::bigint as conversions,
          sum(post_daily.revenue) as revenue
        from post_daily
        join post on post.tenant_id = post_daily.tenant_id and post.id = post_daily.post_id
        where post_daily.day between $1 and $2
          and post.account_id = any($3)
          and (
            cardinality($4::uuid[]) = 0
            or post.campaign_id = any($4)
            or (post.campaign_id is null and '00000000-0000-0000-0000-000000000000' = any($4))
          )
        "#,
        query.period.from(),
        query.period.to(),
        accounts,
        campaigns,
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let totals = Figures {
        reach: row.reach,
        impressions: row.impressions,
        reactions: row.reactions,
        comments: row.comments,
        shares: row.shares,
        clicks: row.clicks,
        engagements: row.engagements,
        conversions: row.conversions,
        revenue: row.revenue,
    };
    Ok((row.count, totals))
}

/// Posts published in the period, with what they gained in it; nothing, where no figures have arrived.
async fn published_gains(
    tx: &mut Tx,
    query: &Query,
    accounts: &[Uuid],
    campaigns: &[Uuid],
    limit: i64,
) -> Result<Vec<Post>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        select
          post.id, post.account_id, account.name as account_name, account.platform, post.external_id, post.kind, post.body,
          post.published_at, post.published_from as first_day,
          gained.reach, gained.impressions, gained.reactions, gained.comments, gained.shares, gained.clicks, gained.engagements,
          gained.conversions, gained.revenue
        from post
        join account on account.tenant_id = post.tenant_id and account.id = post.account_id
        cross join lateral (
          select
            sum(reach)::bigint as reach, sum(impressions)::bigint as impressions, sum(reactions)::bigint as reactions,
            sum(comments)::bigint as comments, sum(shares)::bigint as shares, sum(clicks)::bigint as clicks,
            sum(engagements)::bigint as engagements, sum(conversions)::bigint as conversions, sum(revenue) as revenue
          from post_daily
          where post_daily.tenant_id = post.tenant_id and post_daily.post_id = post.id and post_daily.day between $1 and $2
        ) as gained
        where post.published_from between $1 and $2
          and post.published_to <= $2
          and post.account_id = any($3)
          and (
            cardinality($4::uuid[]) = 0
            or post.campaign_id = any($4)
            or (post.campaign_id is null and '00000000-0000-0000-0000-000000000000' = any($4))
          )
          and (
            $5::date is null
            or (post.published_from, post.listed_at, post.id) < ($5, coalesce($6, timestamptz '-infinity'), $7)
          )
        order by post.published_from desc, post.listed_at desc, post.id desc
        limit $8
        "#,
        query.period.from(),
        query.period.to(),
        accounts,
        campaigns,
        query.after.map(|after| after.day),
        query.after.and_then(|after| after.published_at),
        query.after.map(|after| after.id.uuid()),
        limit + 1,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter().map(Row::into_post).collect()
}

async fn published_gains_totals(
    tx: &mut Tx,
    query: &Query,
    accounts: &[Uuid],
    campaigns: &[Uuid],
) -> Result<(i64, Figures), Error> {
    let row = sqlx::query!(
        r#"
        select
          count(distinct post.id) as "count!",
          sum(gained.reach)::bigint as reach, sum(gained.impressions)::bigint as impressions,
          sum(gained.reactions)::bigint as reactions, sum(gained.comments)::bigint as comments,
          sum(gained.shares)::bigint as shares, sum(gained.clicks)::bigint as clicks,
          sum(gained.engagements)::bigint as engagements, sum(gained.conversions)::bigint as conversions,
          sum(gained.revenue) as revenue
        from post
        left join post_daily as gained
          on gained.tenant_id = post.tenant_id and gained.post_id = post.id and gained.day between $1 and $2
        where post.published_from between $1 and $2
          and post.published_to <= $2
          and post.account_id = any($3)
          and (
            cardinality($4::uuid[]) = 0
            or post.campaign_id = any($4)
            or (post.campaign_id is null and '00000000-0000-0000-0000-000000000000' = any($4))
          )
        "#,
        query.period.from(),
        query.period.to(),
        accounts,
        campaigns,
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let totals = Figures {
        reach: row.reach,
        impressions: row.impressions,
        reactions: row.reactions,
        comments: row.comments,
        shares: row.shares,
        clicks: row.clicks,
        engagements: row.engagements,
        conversions: row.conversions,
        revenue: row.revenue,
    };
    Ok((row.count, totals))
}

/// A post as queries give it back.
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) account_id: Uuid,
    pub(crate) account_name: String,
    pub(crate) platform: String,
    pub(crate) external_id: String,
    pub(crate) kind: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) published_at: Option<DateTime<Utc>>,
    pub(crate) first_day: NaiveDate,
    pub(crate) reach: Option<i64>,
    pub(crate) impressions: Option<i64>,
    pub(crate) reactions: Option<i64>,
    pub(crate) comments: Option<i64>,
    pub(crate) shares: Option<i64>,
    pub(crate) clicks: Option<i64>,
    pub(crate) engagements: Option<i64>,
    pub(crate) conversions: Option<i64>,
    pub(crate) revenue: Option<Decimal>,
}

impl Row {
    pub(crate) fn into_post(self) -> Result<Post, Error> {
        Ok(Post {
            id: self.id.into(),
            account: self.account_id.into(),
            account_name: self.account_name,
            platform: stored(self.platform.parse())?,
            external_id: self.external_id,
            kind: self.kind,
            body: self.body,
            published_at: self.published_at,
            first_day: self.first_day,
            figures: Figures {
                reach: self.reach,
                impressions: self.impressions,
                reactions: self.reactions,
                comments: self.comments,
                shares: self.shares,
                clicks: self.clicks,
                engagements: self.engagements,
                conversions: self.conversions,
                revenue: self.revenue,
            },
        })
    }
}
