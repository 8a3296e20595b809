//! Reserving a place in the rates that platforms allow, in the transaction that claims. A reservation is not given back: a
//! rate that is used a little less than allowed harms nobody.
//!
//! A platform may count over any span of its window's length, not only over full minutes. So reservations are kept in parts of a
//! window, and a place is free when the present part and all those that a span of that length can touch hold fewer than the rate.

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::capability::{Limits, Rate};
use rtv_core::fault::{self, Fault};
use rtv_core::{Error, Platform};
use uuid::Uuid;

use crate::transaction::{Tx, failed};

/// A post that wants a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) tenant: Uuid,
    pub(super) account: Uuid,
    pub(super) platform: Platform,
}

/// No place before that, and why, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Full {
    pub(super) until: DateTime<Utc>,
    pub(super) why: String,
}

/// Parts that a window is counted in. The more there are, the closer what is sent comes to what is allowed: 12 of 13.
const PARTS: i64 = 12;
/// So much later than its claim a post may arrive.
const ON_ITS_WAY: TimeDelta = TimeDelta::seconds(2);

/// One rate, of an account or of a platform as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Allowance {
    tenant: Uuid,
    platform: &'static str,
    account: Uuid,
    window: TimeDelta,
    most: i64,
}

impl Allowance {
    fn new(wanted: Wanted, rate: Rate, is_of_account: bool) -> Self {
        let of = |id: Uuid| if is_of_account { id } else { Uuid::nil() };
        let seconds = i64::try_from(rate.window.as_secs()).unwrap_or(i64::MAX).clamp(1, 366 * 86_400);
        Self {
            tenant: of(wanted.tenant),
            platform: wanted.platform.key(),
            account: of(wanted.account),
            window: TimeDelta::seconds(seconds),
            most: i64::from(rate.count),
        }
    }

    fn all(wanted: Wanted, limits: &Limits) -> Vec<Self> {
        let of_account = limits.per_account.map(|rate| Self::new(wanted, rate, true));
        let of_platform = limits.per_platform.map(|rate| Self::new(wanted, rate, false));
        of_account.into_iter().chain(of_platform).collect()
    }

    fn part(&self) -> TimeDelta {
        self.window / i32::try_from(PARTS).unwrap_or(1)
    }

    /// When the part of that instant starts.
    fn part_starts_at(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let length = self.part().num_milliseconds().max(1);
        DateTime::from_timestamp_millis(at.timestamp_millis().div_euclid(length) * length).unwrap_or(at)
    }

    /// What ended before that touches no span of the window's length any more.
    fn counts_from(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now - self.window - ON_ITS_WAY
    }

    fn full(&self, oldest_ends_at: DateTime<Utc>) -> Full {
        let whose = if self.account.is_nil() { "all accounts together" } else { "this account" };
        let seconds = self.window.num_seconds();
        Full {
            until: oldest_ends_at + self.window + ON_ITS_WAY,
            why: format!("The rate of the platform is used up: {} posts in {seconds} s for {whose}.", self.most),
        }
    }
}

/// What is reserved of an allowance.
struct Used {
    allowance: Allowance,
    /// In all parts that count.
    reserved: i64,
    /// Of that, in this transaction.
    new: i32,
    /// When the oldest part that holds something ends.
    oldest_ends_at: DateTime<Utc>,
}

/// Reserves a place for each, in their order, or says until when there is none.
pub(super) async fn reserve(
    tx: &mut Tx,
    wanted: &[Wanted],
    limits: &(dyn Fn(Platform) -> Limits + Sync),
) -> Result<Vec<Result<(), Full>>, Error> {
    if fault::is(Fault::RateUnreserved) {
        return Ok(vec![Ok(()); wanted.len()]);
    }
    let needed: Vec<Vec<Allowance>> = wanted.iter().map(|one| Allowance::all(*one, &limits(one.platform))).collect();
    let mut all: Vec<Allowance> = needed.iter().flatten().copied().collect();
    // In one order for everybody, so that two workers never wait for each other.
    all.sort_unstable();
    all.dedup();
    if all.is_empty() {
        return Ok(vec![Ok(()); wanted.len()]);
    }
    lock(tx, &all).await?;
    let mut used = used(tx, &all).await?;
    let places = needed
        .into_iter()
        .map(|allowances| {
            let places: Vec<usize> = used
                .iter()
                .enumerate()
                .filter(|(_, one)| allowances.contains(&one.allowance))
                .map(|(at, _)| at)
                .collect();
            if let Some(full) = places.iter().map(|at| &used[*at]).find(|one| one.reserved >= one.allowance.most) {
                return Err(full.allowance.full(full.oldest_ends_at));
            }
            for at in places {
                used[at].reserved += 1;
                used[at].new += 1;
            }
            Ok(())
        })
        .collect();
    write(tx, &used).await?;
    Ok(places)
}

/// Whoever reserves of an allowance waits here for whoever does so at the same time: the row that begins before all parts is
/// the lock.
async fn lock(tx: &mut Tx, all: &[Allowance]) -> Result<(), Error> {
    let now = tx.now();
    sqlx::query!(
        r#"
        insert into rate_window (tenant_id, platform, account_id, starts_at, ends_at, reserved)
        select tenant_id, platform, account_id, '-infinity', ends_at, 0
        from unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[])
          with ordinality as new (tenant_id, platform, account_id, ends_at, place)
        order by place
        on conflict on constraint rate_window_key do update set ends_at = excluded.ends_at
        "#,
        &all.iter().map(|one| one.tenant).collect::<Vec<_>>(),
        &all.iter().map(|one| one.platform.to_owned()).collect::<Vec<_>>(),
        &all.iter().map(|one| one.account).collect::<Vec<_>>(),
        &all.iter().map(|one| now + one.window).collect::<Vec<_>>(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}

async fn used(tx: &mut Tx, all: &[Allowance]) -> Result<Vec<Used>, Error> {
    let now = tx.now();
    let rows = sqlx::query!(
        r#"
        select
          asked.place as "place!", coalesce(sum(part.reserved), 0) as "reserved!",
          min(part.ends_at) filter (where part.reserved > 0) as oldest_ends_at
        from unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[])
          with ordinality as asked (tenant_id, platform, account_id, counts_from, place)
        left join rate_window as part
          on part.tenant_id = asked.tenant_id and part.platform = asked.platform and part.account_id = asked.account_id
          and part.starts_at > '-infinity' and part.ends_at > asked.counts_from
        group by asked.place
        order by asked.place
        "#,
        &all.iter().map(|one| one.tenant).collect::<Vec<_>>(),
        &all.iter().map(|one| one.platform.to_owned()).collect::<Vec<_>>(),
        &all.iter().map(|one| one.account).collect::<Vec<_>>(),
        &all.iter().map(|one| one.counts_from(now)).collect::<Vec<_>>(),
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    Ok(all
        .iter()
        .zip(rows)
        .map(|(allowance, row)| Used {
            allowance: *allowance,
            reserved: row.reserved,
            new: 0,
            oldest_ends_at: row.oldest_ends_at.unwrap_or(allowance.part_starts_at(now) + allowance.part()),
        })
        .collect())
}

async fn write(tx: &mut Tx, used: &[Used]) -> Result<(), Error> {
    let now = tx.now();
    let new: Vec<&Used> = used.iter().filter(|one| one.new > 0).collect();
    if new.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"
        insert into rate_window (tenant_id, platform, account_id, starts_at, ends_at, reserved)
        select tenant_id, platform, account_id, starts_at, ends_at, reserved
        from unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::integer[])
          as new (tenant_id, platform, account_id, starts_at, ends_at, reserved)
        on conflict on constraint rate_window_key do update set reserved = rate_window.reserved + excluded.reserved
        "#,
        &new.iter().map(|one| one.allowance.tenant).collect::<Vec<_>>(),
        &new.iter().map(|one| one.allowance.platform.to_owned()).collect::<Vec<_>>(),
        &new.iter().map(|one| one.allowance.account).collect::<Vec<_>>(),
        &new.iter().map(|one| one.allowance.part_starts_at(now)).collect::<Vec<_>>(),
        &new.iter().map(|one| one.allowance.part_starts_at(now) + one.allowance.part()).collect::<Vec<_>>(),
        &new.iter().map(|one| one.new).collect::<Vec<_>>(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}

/// Removes parts of windows that are over.
pub(super) async fn sweep(tx: &mut Tx) -> Result<u64, Error> {
    // Longer than the longest window of any platform: those are of a day.
    let over = tx.now() - TimeDelta::days(2);
    let removed = sqlx::query!("delete from rate_window where ends_at < $1", over)
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    Ok(removed.rows_affected())
}
