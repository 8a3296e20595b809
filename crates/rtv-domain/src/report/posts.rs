//! Posts that were published in the period, one by one, with their totals to date.

use chrono::{DateTime, NaiveDate, Utc};
use rtv_core::report::{Cell, Dimension, Measure, Query, Sort, Table};
use rtv_core::{Error, Permission, Platform};
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use super::figures;
use super::fill::{Frame, columns};
use crate::access::stored;
use crate::coverage;
use crate::format::Format;
use crate::kpi::ratio;
use crate::transaction::{Resource, failed};

struct Row {
    account_id: uuid::Uuid,
    platform: String,
    campaign_id: Option<uuid::Uuid>,
    external_id: String,
    kind: Option<String>,
    body: Option<String>,
    published_at: Option<DateTime<Utc>>,
    first_day: NaiveDate,
    reach: Option<i64>,
    impressions: Option<i64>,
    reactions: Option<i64>,
    comments: Option<i64>,
    shares: Option<i64>,
    clicks: Option<i64>,
    engagements: Option<i64>,
    sentiment: Option<f64>,
    conversions: Option<i64>,
    revenue: Option<Decimal>,
}

/// Answers the query: two queries of the database, whatever is asked.
#[expect(clippy::too_many_lines, reason = "it is two statements and their arguments")]
pub(super) async fn table(frame: &Frame, query: &Query) -> Result<Table, Error> {
    let (key, is_descending) = match query.sort {
        Some(Sort::Dimension { by, is_descending }) => (by.key(), is_descending),
        Some(Sort::Measure { by, is_descending }) => (by.key(), is_descending),
        // The newest first, as everywhere.
        None => (Dimension::PublishedAt.key(), true),
    };
    let limit = i64::try_from(frame.limit(query)).unwrap_or(i64::MAX);
    let mut tx = frame.ctx.begin(Permission::AnalyticsRead, Resource::Posts).await?;
    let rows = sqlx::query_as!(
        Row,
        r#"
        with keyed as (
          select
            post.id,
            case $5
              when 'reach' then post.reach::numeric
              when 'impressions' then post.impressions::numeric
              when 'engagements' then post.engagements::numeric
              when 'engagement_rate' then post.engagement_rate::numeric
              when 'reactions' then post.reactions::numeric
              when 'comments' then post.comments::numeric
              when 'shares' then post.shares::numeric
              when 'clicks' then post.clicks::numeric
              when 'sentiment' then post.sentiment::numeric
              when 'conversions' then post.conversions::numeric
              when 'revenue' then post.revenue
              when 'published_at' then extract(epoch from coalesce(post.published_at, post.published_from::timestamptz))
              when 'day' then extract(epoch from post.published_from)
            end as number,
            case $5
              when 'platform' then account.platform
              when 'account' then lower(account.name)
              when 'campaign' then lower(campaign.name)
              when 'post' then lower(post.body)
              when 'kind' then lower(post.kind)
              when 'post_id' then post.external_id
            end as word
          from post
          join account on account.tenant_id = post.tenant_id and account.id = post.account_id
          left join campaign on campaign.tenant_id = post.tenant_id and campaign.id = post.campaign_id
          where post.published_from between $1 and $2
            and post.published_to <= $2
            and post.account_id = any($3)
            and (
              cardinality($4::uuid[]) = 0
              or coalesce(post.campaign_id, '00000000-0000-0000-0000-000000000000') = any($4)
            )
        ),
        chosen as (
          select
            id,
            row_number() over (
              order by
                (number is null and word is null),
                case when $6 then number end desc, case when not $6 then number end,
                case when $6 then word end desc, case when not $6 then word end,
                id desc
            ) as place
          from keyed
          order by place
          limit $7
        )
        select
          post.account_id, account.platform, post.campaign_id, post.external_id, post.kind, post.body, post.published_at,
          post.published_from as first_day, post.reach, post.impressions, post.reactions, post.comments, post.shares,
          post.clicks, post.engagements, post.sentiment,
          post.conversions, post.revenue
        from chosen
        join post on post.tenant_id = (select rtv_tenant()) and post.id = chosen.id
        join account on account.tenant_id = post.tenant_id and account.id = post.account_id
        order by chosen.place
        "#,
        frame.period.from(),
        frame.period.to(),
        &frame.accounts,
        &frame.campaigns,
        key,
        is_descending,
        limit,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let sums = sqlx::query!(
        r#"
        select
          count(*) as "posts!", sum(reactions)::bigint as reactions, sum(comments)::bigint as comments,
          sum(shares)::bigint as shares, sum(clicks)::bigint as clicks
        from post
        where published_from between $1 and $2
          and published_to <= $2
          and account_id = any($3)
          and (
            cardinality($4::uuid[]) = 0
            or coalesce(campaign_id, '00000000-0000-0000-0000-000000000000') = any($4)
          )
        "#,
        frame.period.from(),
        frame.period.to(),
        &frame.accounts,
        &frame.campaigns,
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    let lifetime = figures::lifetime(frame).await?;
    let mut totals: Vec<Cell> = query.dimensions.iter().map(|_| Cell::Missing).collect();
    for measure in &query.measures {
        let total = match measure {
            Measure::Reactions => sums.reactions.map(Decimal::from),
            Measure::Comments => sums.comments.map(Decimal::from),
            Measure::Shares => sums.shares.map(Decimal::from),
            Measure::Clicks => sums.clicks.map(Decimal::from),
            other => other.kpi().and_then(|kpi| lifetime.value_of_posts(kpi)),
        };
        totals.push(total.map_or(Cell::Missing, Cell::Number));
    }
    let rows = rows.into_iter().map(|row| cells(frame, query, row)).collect::<Result<Vec<_>, Error>>()?;
    let mut notes = vec!["Totals to date of what was published in the period.".to_owned()];
    let format = Format::of(frame.ctx.tenant());
    notes.extend(query.measures.iter().filter_map(|measure| {
        let gap = coverage::gap_of_posts(&format, lifetime.reporting(measure.kpi()?), lifetime.posts)?;
        Some(format!("{}: {gap}", measure.label()))
    }));
    Ok(Table {
        columns: columns(query, false),
        of_rows: u64::try_from(sums.posts).unwrap_or_default(),
        rows,
        totals: Some(totals),
        whole: None,
        notes,
    })
}

/// Engagements ÷ impressions, or ÷ reach where impressions are missing.
fn rate(row: &Row) -> Option<Decimal> {
    ratio(row.engagements?.into(), row.impressions.or(row.reach)?.into())
}

fn cells(frame: &Frame, query: &Query, row: Row) -> Result<Vec<Cell>, Error> {
    let platform: Platform = stored(row.platform.parse())?;
    let text = |text: Option<&String>| text.map_or(Cell::Missing, |text| Cell::Text(text.clone()));
    let number = |value: Option<i64>| value.map_or(Cell::Missing, |value| Cell::Number(value.into()));
    let mut cells: Vec<Cell> = query
        .dimensions
        .iter()
        .map(|dimension| match dimension {
            Dimension::Day => Cell::Day(row.first_day),
            Dimension::PublishedAt => row.published_at.map_or(Cell::Missing, Cell::Instant),
            Dimension::Platform => Cell::Text(platform.label().into()),
            Dimension::Account => Cell::Text(frame.account_name(row.account_id)),
            Dimension::Campaign => row.campaign_id.map_or(Cell::Missing, |id| Cell::Text(frame.campaign_name(id))),
            Dimension::Post => text(row.body.as_ref()),
            Dimension::PostKind => text(row.kind.as_ref()),
            Dimension::PostId => Cell::Text(row.external_id.clone()),
            _ => Cell::Missing,
        })
        .collect();
    for measure in &query.measures {
        cells.push(match measure {
            Measure::Reach => number(row.reach),
            Measure::Impressions => number(row.impressions),
            Measure::Engagements => number(row.engagements),
            Measure::EngagementRate => rate(&row).map_or(Cell::Missing, Cell::Number),
            Measure::Reactions => number(row.reactions),
            Measure::Comments => number(row.comments),
            Measure::Shares => number(row.shares),
            Measure::Clicks => number(row.clicks),
            Measure::Sentiment => row.sentiment.and_then(Decimal::from_f64).map_or(Cell::Missing, Cell::Number),
            Measure::Conversions => number(row.conversions),
            Measure::Revenue => row.revenue.map_or(Cell::Missing, Cell::Number),
            _ => Cell::Missing,
        });
    }
    Ok(cells)
}
