//! From the script into the database: accounts, campaigns, posts and daily facts of one organisation, in sets.

use chrono::{DateTime, NaiveDate, Utc};
use rtv_core::{Error, PostId};
use rust_decimal::Decimal;
use uuid::{Builder, Uuid};

use crate::daily_metric::{self, FollowerCount, Gains, Origin, PostDay, Touched};
use crate::demo::script::{DrawnPost, Script};
use crate::demo::story::Story;
use crate::kpi_daily;
use crate::transaction::{Tx, failed};

/// Posts of one statement.
const BATCH: usize = 2_000;
/// Ids of accounts and campaigns carry this time, so that a link to one lives longer than the sample: 2024-01-01.
pub(super) const LONG_AGO: u64 = 1_704_067_200_000;

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Written {
    /// Accounts.
    pub accounts: i64,
    /// Campaigns.
    pub campaigns: i64,
    /// Posts.
    pub posts: i64,
    /// Days of posts.
    pub post_days: i64,
    /// Days of accounts.
    pub follower_counts: i64,
}

/// Writes everything of the script into the tenant of the transaction.
pub(super) async fn write(
    tx: &mut Tx,
    story: &Story,
    script: &Script,
    now: DateTime<Utc>,
    mut progress: impl FnMut(i64),
) -> Result<Written, Error> {
    let accounts = write_accounts(tx, story, now).await?;
    let campaigns = write_campaigns(tx, story, script, now).await?;
    let mut written =
        Written { accounts: length(accounts.len()), campaigns: length(campaigns.len()), ..Written::default() };
    let mut touched = Touched::default();
    let mut batch = Vec::with_capacity(BATCH);
    for day in 0..script.days() {
        batch.extend(script.posts_of(day));
        if batch.len() >= BATCH || day + 1 == script.days() {
            for posts in batch.chunks(BATCH) {
                write_batch(tx, posts, &accounts, &campaigns, now, &mut touched, &mut written).await?;
                progress(written.posts);
            }
            batch.clear();
        }
    }
    for (page, account) in accounts.iter().enumerate() {
        let counts: Vec<FollowerCount> = script
            .followers(page)
            .map(|(day, followers)| FollowerCount { account: (*account).into(), day, followers })
            .collect();
        written.follower_counts += daily_metric::write_followers(tx, &counts, Origin::Sample).await?;
    }
    daily_metric::switch_basis(tx, &touched, now).await?;
    kpi_daily::rebuild(tx, &accounts).await?;
    Ok(written)
}

fn length(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// An id that is the same on every run.
fn lasting_id(story: &Story, index: usize) -> Uuid {
    let mut name = [0; 10];
    name[..8].copy_from_slice(&story.seed.to_be_bytes());
    name[9] = u8::try_from(index).unwrap_or(u8::MAX);
    Builder::from_unix_timestamp_millis(LONG_AGO, &name).into_uuid()
}

/// Makes the accounts and returns their ids in the order of the pages. One that stayed, because real data came to it,
/// is used again and stays what it is.
async fn write_accounts(tx: &mut Tx, story: &Story, now: DateTime<Utc>) -> Result<Vec<Uuid>, Error> {
    let mut ids = Vec::new();
    for (index, page) in story.pages.iter().enumerate() {
        let id = sqlx::query_scalar!(
            r#"
            insert into account (tenant_id, id, platform, external_id, name, is_sample, created_at)
            select rtv_tenant(), $1, $2, $3, $4, true, $5
            on conflict (tenant_id, platform, external_id) do update set external_id = excluded.external_id
            returning id
            "#,
            lasting_id(story, index),
            page.platform.key(),
            format!("sample-{}", page.handle),
            page.name,
            now
        )
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
        ids.push(id);
    }
    Ok(ids)
}

async fn write_campaigns(tx: &mut Tx, story: &Story, script: &Script, now: DateTime<Utc>) -> Result<Vec<Uuid>, Error> {
    let mut ids = Vec::new();
    for (index, launch) in story.launches.iter().enumerate() {
        let (from, to) = script.span(launch);
        let budget = (launch.budget > 0).then(|| Decimal::from(launch.budget));
        let id = sqlx::query_scalar!(
            r#"
            insert into campaign (tenant_id, id, name, starts_on, ends_on, budget, is_sample, created_at)
            select rtv_tenant(), $1, $2, $3, $4, $5, true, $6
            on conflict (tenant_id, name) do update set name = excluded.name
            returning id
            "#,
            lasting_id(story, 100 + index),
            launch.name,
            from,
            to,
            budget,
            now
        )
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
        ids.push(id);
    }
    Ok(ids)
}

async fn write_batch(
    tx: &mut Tx,
    posts: &[DrawnPost],
    accounts: &[Uuid],
    campaigns: &[Uuid],
    now: DateTime<Utc>,
    touched: &mut Touched,
    written: &mut Written,
) -> Result<(), Error> {
    let kept = write_posts(tx, posts, accounts, campaigns, now).await?;
    written.posts += length(kept.len());
    let gains: Vec<PostDay> = posts
        .iter()
        // One that stayed, because an import has changed it, is real: nothing is added to it.
        .filter(|post| kept.len() == posts.len() || kept.contains(&post.id))
        .flat_map(|post| {
            post.day
                .iter_days()
                .zip(&post.gains)
                .map(|(day, gains)| PostDay { post: PostId::from(post.id), day, gains: *gains })
        })
        .collect();
    for rows in gains.chunks(daily_metric::BATCH) {
        written.post_days += daily_metric::write_gains(tx, rows, Origin::Sample, touched).await?;
    }
    Ok(())
}

/// Writes posts in one statement, each with the sum of what it has gained, and returns the ids of those that are new.
async fn write_posts(
    tx: &mut Tx,
    posts: &[DrawnPost],
    accounts: &[Uuid],
    campaigns: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>, Error> {
    let totals: Vec<Gains> = posts.iter().map(|post| total(&post.gains)).collect();
    let counts = |pick: fn(&Gains) -> Option<i64>| -> Vec<Option<i64>> { totals.iter().map(pick).collect() };
    let amounts = |pick: fn(&Gains) -> Option<Decimal>| -> Vec<Option<Decimal>> { totals.iter().map(pick).collect() };
    let ids: Vec<Uuid> = posts.iter().map(|post| post.id).collect();
    let of_accounts: Vec<Uuid> = posts.iter().map(|post| accounts[post.page]).collect();
    let of_campaigns: Vec<Option<Uuid>> =
        posts.iter().map(|post| post.launch.map(|launch| campaigns[launch])).collect();
    let external_ids: Vec<&str> = posts.iter().map(|post| post.external_id.as_str()).collect();
    let kinds: Vec<&str> = posts.iter().map(|post| post.kind).collect();
    let bodies: Vec<&str> = posts.iter().map(|post| post.body.as_str()).collect();
    let published: Vec<DateTime<Utc>> = posts.iter().map(|post| post.published_at).collect();
    let days: Vec<NaiveDate> = posts.iter().map(|post| post.day).collect();
    let sentiments: Vec<Option<f64>> =
        totals.iter().map(|total| total.sentiment.map(|(sum, count)| sum / crate::demo::dice::real(count))).collect();
    sqlx::query_scalar!(
        r#"
        insert into post (
          tenant_id, id, account_id, campaign_id, external_id, kind, body, published_at, published_from, published_to,
          reach, impressions, reactions, comments, shares, clicks, conversions, revenue, cost, sentiment,
          content_digest, is_sample, created_at, updated_at
        )
        select
          (select rtv_tenant()), id, account_id, campaign_id, external_id, kind, body, published_at, day, day,
          reach, impressions, reactions, comments, shares, clicks, conversions, revenue, cost, sentiment,
          sha256(convert_to(external_id, 'UTF8')), true, $19, $19
        from unnest(
          $1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::date[],
          $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[],
          $16::numeric[], $17::numeric[], $18::double precision[]
        ) as drawn (
          id, account_id, campaign_id, external_id, kind, body, published_at, day,
          reach, impressions, reactions, comments, shares, clicks, conversions, revenue, cost, sentiment
        )
        on conflict do nothing
        returning id
        "#,
        &ids,
        &of_accounts,
        &of_campaigns as &[Option<Uuid>],
        &external_ids as &[&str],
        &kinds as &[&str],
        &bodies as &[&str],
        &published,
        &days,
        &counts(|total| total.reach) as &[Option<i64>],
        &counts(|total| total.impressions) as &[Option<i64>],
        &counts(|total| total.reactions) as &[Option<i64>],
        &counts(|total| total.comments) as &[Option<i64>],
        &counts(|total| total.shares) as &[Option<i64>],
        &counts(|total| total.clicks) as &[Option<i64>],
        &counts(|total| total.conversions) as &[Option<i64>],
        &amounts(|total| total.revenue) as &[Option<Decimal>],
        &amounts(|total| total.cost) as &[Option<Decimal>],
        &sentiments as &[Option<f64>],
        now,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)
}

/// Sums of the days; missing where no day has a figure.
fn total(days: &[Gains]) -> Gains {
    days.iter().fold(Gains::default(), |sum, day| Gains {
        reach: plus(sum.reach, day.reach),
        impressions: plus(sum.impressions, day.impressions),
        reactions: plus(sum.reactions, day.reactions),
        comments: plus(sum.comments, day.comments),
        shares: plus(sum.shares, day.shares),
        clicks: plus(sum.clicks, day.clicks),
        conversions: plus(sum.conversions, day.conversions),
        revenue: plus(sum.revenue, day.revenue),
        cost: plus(sum.cost, day.cost),
        sentiment: match (sum.sentiment, day.sentiment) {
            (Some((sum, count)), Some((more, others))) => Some((sum + more, count + others)),
            (one, other) => one.or(other),
        },
    })
}

fn plus<T: core::ops::Add<Output = T>>(left: Option<T>, right: Option<T>) -> Option<T> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left + right),
        (one, other) => one.or(other),
    }
}
