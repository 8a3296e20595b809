//! Daily facts: what posts gained on a day, and how many followers accounts had at its end. Storing the same day again
//! replaces it. Whoever stores gains of an account makes its figures ones of the period; the roll-up of those days is
//! refreshed in the same transaction.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use rtv_core::{AccountId, Error, Permission, PostId};
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use serde_json::json;
use uuid::Uuid;

use crate::audit::Event;
use crate::context::TenantContext;
use crate::kpi_daily;
use crate::transaction::{Resource, Tx, failed, violated};

/// What one post gained on one day. `None` is what the platform does not report; a count may be negative, because
/// platforms take reactions back.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Gains {
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
    /// Attributed conversions.
    pub conversions: Option<i64>,
    /// Attributed revenue, in the tenant's currency.
    pub revenue: Option<Decimal>,
    /// What was paid for it, in the tenant's currency.
    pub cost: Option<Decimal>,
    /// Sum and number of the scores of the day's engagements, each score from −1 to +1.
    pub sentiment: Option<(f64, i64)>,
}

/// The gains of a post on a day in the tenant's zone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PostDay {
    /// Which post.
    pub post: PostId,
    /// Which day.
    pub day: NaiveDate,
    /// What it gained.
    pub gains: Gains,
}

/// Followers of an account at the end of a day in the tenant's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowerCount {
    /// Which account.
    pub account: AccountId,
    /// Which day.
    pub day: NaiveDate,
    /// How many there were.
    pub followers: i64,
}

/// How many rows were new or other than before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Stored {
    /// Days of posts.
    pub post_days: i64,
    /// Days of accounts.
    pub follower_counts: i64,
}

/// Whose figures they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A platform's.
    Real,
    /// The demo's.
    Sample,
}

/// Most of anything that a post can gain on a day, so that sums over millions of rows fit their columns.
const MOST: i64 = 1_000_000_000_000;
/// Rows of one statement: enough that its own cost does not count, few enough to stay small in memory.
pub(crate) const BATCH: usize = 10_000;

/// Stores daily facts, all or none. Of two rows for the same day the later one counts.
pub async fn store(ctx: &TenantContext, gains: &[PostDay], followers: &[FollowerCount]) -> Result<Stored, Error> {
    refuse_impossible(gains, followers)?;
    let mut tx = ctx.begin(Permission::ImportsManage, Resource::Posts).await?;
    tx.take_time().await?;
    kpi_daily::lock_facts(&mut tx, ctx.tenant().id).await?;
    let mut touched = Touched::default();
    let mut stored = Stored::default();
    for batch in gains.chunks(BATCH) {
        stored.post_days += write_gains(&mut tx, batch, Origin::Real, &mut touched).await?;
    }
    for batch in followers.chunks(BATCH) {
        stored.follower_counts += write_followers(&mut tx, batch, Origin::Real).await?;
    }
    // Rows that are as they were have not changed anything, and say nothing new about when figures arrived.
    if stored == Stored::default() {
        tx.rollback().await?;
        return Ok(stored);
    }
    let accounts: Vec<Uuid> = touched.accounts.keys().copied().collect();
    let days: Vec<NaiveDate> = touched.days.iter().copied().collect();
    let became_daily = switch_basis(&mut tx, &touched, ctx.now()).await?;
    if !accounts.is_empty() {
        kpi_daily::refresh_period(&mut tx, &accounts, Some(&days)).await?;
    }
    let after = json!({
        "stored": stored, "accounts": accounts.len(), "accounts_now_daily": became_daily,
        "first_day": days.first(), "last_day": days.last(),
    });
    tx.audit(Event::new("daily_metric.store", "post", "all").after(after)).await?;
    tx.commit().await?;
    Ok(stored)
}

fn refuse_impossible(gains: &[PostDay], followers: &[FollowerCount]) -> Result<(), Error> {
    let is_day = |day: NaiveDate| (1990..=2100).contains(&day.year());
    if gains.iter().any(|one| !is_day(one.day)) || followers.iter().any(|one| !is_day(one.day)) {
        return Err(Error::invalid("day", "use a day between 1990-01-01 and 2100-12-31."));
    }
    let is_possible = |gains: &Gains| {
        let Gains { reach, impressions, reactions, comments, shares, clicks, conversions, revenue, cost, sentiment } =
            gains;
        [reach, impressions, reactions, comments, shares, clicks, conversions]
            .into_iter()
            .flatten()
            .all(|count| (-MOST..=MOST).contains(count))
            && [revenue, cost].into_iter().flatten().all(|amount| amount.abs() <= Decimal::from(MOST))
            && sentiment.as_ref().is_none_or(|(sum, count)| {
                (0..=MOST).contains(count)
                    && Decimal::from_f64(*sum).is_some_and(|sum| sum.abs() <= Decimal::from(*count))
            })
    };
    if let Some(wrong) = gains.iter().find(|one| !is_possible(&one.gains)) {
        return Err(Error::invalid(
            "gains",
            format!(
                "{} has an impossible figure on {}: counts and amounts lie within a trillion, scores between −1 and +1.",
                wrong.post, wrong.day
            ),
        ));
    }
    match followers.iter().find(|one| !(0..=MOST).contains(&one.followers)) {
        Some(wrong) => {
            Err(Error::invalid("followers", format!("{} cannot have {} followers.", wrong.account, wrong.followers)))
        }
        None => Ok(()),
    }
}

/// Accounts and days whose gains have changed.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// The accounts, each with the last of its days.
    pub(crate) accounts: BTreeMap<Uuid, NaiveDate>,
    /// The days of any of them.
    pub(crate) days: BTreeSet<NaiveDate>,
}

/// Writes gains in one statement and returns how many are new or other than before.
pub(crate) async fn write_gains(
    tx: &mut Tx,
    batch: &[PostDay],
    origin: Origin,
    touched: &mut Touched,
) -> Result<i64, Error> {
    let posts: Vec<Uuid> = batch.iter().map(|one| one.post.uuid()).collect();
    let days: Vec<NaiveDate> = batch.iter().map(|one| one.day).collect();
    let counts =
        |pick: fn(&Gains) -> Option<i64>| -> Vec<Option<i64>> { batch.iter().map(|one| pick(&one.gains)).collect() };
    let amounts = |pick: fn(&Gains) -> Option<Decimal>| -> Vec<Option<Decimal>> {
        batch.iter().map(|one| pick(&one.gains)).collect()
    };
    let scores: Vec<Option<f64>> = batch.iter().map(|one| one.gains.sentiment.map(|(sum, _)| sum)).collect();
    let changed = sqlx::query!(
        r#"
        with stored as (
          insert into post_daily as kept (
            tenant_id, post_id, day, reach, impressions, reactions, comments, shares, clicks, conversions, revenue, cost,
            sentiment_sum, sentiment_count, is_sample
          )
          select distinct on (post_id, day)
            (select rtv_tenant()), post_id, day, reach, impressions, reactions, comments, shares, clicks, conversions, revenue,
            cost, sentiment_sum, sentiment_count, $14
          from unnest(
            $1::uuid[], $2::date[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
            $9::bigint[], $10::numeric[], $11::numeric[], $12::double precision[], $13::bigint[]
          ) with ordinality as given (
            post_id, day, reach, impressions, reactions, comments, shares, clicks, conversions, revenue, cost,
            sentiment_sum, sentiment_count, place
          )
          order by post_id, day, place desc
          on conflict (tenant_id, post_id, day) do update set
            reach = excluded.reach, impressions = excluded.impressions, reactions = excluded.reactions,
            comments = excluded.comments, shares = excluded.shares, clicks = excluded.clicks,
            conversions = excluded.conversions, revenue = excluded.revenue, cost = excluded.cost,
            sentiment_sum = excluded.sentiment_sum, sentiment_count = excluded.sentiment_count,
            is_sample = excluded.is_sample
          where (
            kept.reach, kept.impressions, kept.reactions, kept.comments, kept.shares, kept.clicks, kept.conversions,
            kept.revenue, kept.cost, kept.sentiment_sum, kept.sentiment_count, kept.is_sample
          ) is distinct from (
            excluded.reach, excluded.impressions, excluded.reactions, excluded.comments, excluded.shares, excluded.clicks,
            excluded.conversions, excluded.revenue, excluded.cost, excluded.sentiment_sum, excluded.sentiment_count,
            excluded.is_sample
          )
          returning tenant_id, post_id, day
        )
        select post.account_id as "account_id!", stored.day as "day!", count(*) as "rows!"
        from stored
        join post on post.tenant_id = stored.tenant_id and post.id = stored.post_id
        group by post.account_id, stored.day
        "#,
        &posts,
        &days,
        &counts(|gains| gains.reach) as &[Option<i64>],
        &counts(|gains| gains.impressions) as &[Option<i64>],
        &counts(|gains| gains.reactions) as &[Option<i64>],
        &counts(|gains| gains.comments) as &[Option<i64>],
        &counts(|gains| gains.shares) as &[Option<i64>],
        &counts(|gains| gains.clicks) as &[Option<i64>],
        &counts(|gains| gains.conversions) as &[Option<i64>],
        &amounts(|gains| gains.revenue) as &[Option<Decimal>],
        &amounts(|gains| gains.cost) as &[Option<Decimal>],
        &scores as &[Option<f64>],
        &counts(|gains| gains.sentiment.map(|(_, count)| count)) as &[Option<i64>],
        origin == Origin::Sample,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(|error| match violated(&error) {
        Some("post_daily_post") => {
            Error::invalid("post", "one of the posts does not exist; store a post before what it gained.")
        }
        _ => failed(error),
    })?;
    let mut rows = 0;
    for group in changed {
        let last_day = touched.accounts.entry(group.account_id).or_insert(group.day);
        *last_day = group.day.max(*last_day);
        touched.days.insert(group.day);
        rows += group.rows;
    }
    Ok(rows)
}

/// Writes follower counts in one statement and returns how many are new or other than before.
pub(crate) async fn write_followers(tx: &mut Tx, batch: &[FollowerCount], origin: Origin) -> Result<i64, Error> {
    let accounts: Vec<Uuid> = batch.iter().map(|one| one.account.uuid()).collect();
    let days: Vec<NaiveDate> = batch.iter().map(|one| one.day).collect();
    let followers: Vec<i64> = batch.iter().map(|one| one.followers).collect();
    let done = sqlx::query!(
        r#"
        insert into account_daily as kept (tenant_id, account_id, day, followers, is_sample)
        select distinct on (account_id, day) (select rtv_tenant()), account_id, day, followers, $4
        from unnest($1::uuid[], $2::date[], $3::bigint[]) with ordinality as given (account_id, day, followers, place)
        order by account_id, day, place desc
        on conflict (tenant_id, account_id, day) do update set
          followers = excluded.followers, is_sample = excluded.is_sample
        where (kept.followers, kept.is_sample) is distinct from (excluded.followers, excluded.is_sample)
        "#,
        &accounts,
        &days,
        &followers,
        origin == Origin::Sample,
    )
    .execute(tx.connection())
    .await
    .map_err(|error| match violated(&error) {
        Some("account_daily_account") => Error::invalid("account", "one of the accounts does not exist."),
        _ => failed(error),
    })?;
    Ok(i64::try_from(done.rows_affected()).unwrap_or(i64::MAX))
}

/// Makes the accounts ones of basis *period*, notes how far their figures reach and when they came, and returns how many
/// changed their basis. Those had no gains before, so the days that were touched are all that there is to roll up.
pub(crate) async fn switch_basis(tx: &mut Tx, touched: &Touched, now: DateTime<Utc>) -> Result<i64, Error> {
    let accounts: Vec<Uuid> = touched.accounts.keys().copied().collect();
    let last_days: Vec<NaiveDate> = touched.accounts.values().copied().collect();
    let before =
        sqlx::query_scalar!("select count(*) from account where id = any($1) and basis <> 'period'", &accounts)
            .fetch_one(tx.connection())
            .await
            .map_err(failed)?;
    sqlx::query!(
        r#"
        update account
        set basis = 'period', figures_until = greatest(account.figures_until, arrived.last_day), measured_at = $3
        from unnest($1::uuid[], $2::date[]) as arrived (account_id, last_day)
        where account.id = arrived.account_id
        "#,
        &accounts,
        &last_days,
        now
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(before.unwrap_or(0))
}
