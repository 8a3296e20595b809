//! Reserving a place in the rates that platforms allow, in the transaction that claims. A reservation is not given back: a
//! window that is used a little less than allowed harms nobody.

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

/// One rate of one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Window {
    tenant: Uuid,
    platform: &'static str,
    account: Uuid,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    most: i32,
}

fn window(now: DateTime<Utc>, wanted: Wanted, rate: Rate, is_of_account: bool) -> Window {
    let length = i64::try_from(rate.window.as_secs()).unwrap_or(i64::MAX).max(1);
    let starts_at = DateTime::from_timestamp(now.timestamp().div_euclid(length) * length, 0).unwrap_or(now);
    let of = |id: Uuid| if is_of_account { id } else { Uuid::nil() };
    Window {
        tenant: of(wanted.tenant),
        platform: wanted.platform.key(),
        account: of(wanted.account),
        starts_at,
        ends_at: starts_at + TimeDelta::seconds(length),
        most: i32::try_from(rate.count).unwrap_or(i32::MAX),
    }
}

fn windows(now: DateTime<Utc>, wanted: Wanted, limits: &Limits) -> Vec<Window> {
    let of_account = limits.per_account.map(|rate| window(now, wanted, rate, true));
    let of_platform = limits.per_platform.map(|rate| window(now, wanted, rate, false));
    of_account.into_iter().chain(of_platform).collect()
}

/// Reserves a place for each, in their order, or says until when there is none.
pub(super) async fn reserve(
    tx: &mut Tx,
    wanted: &[Wanted],
    limits: &(dyn Fn(Platform) -> Limits + Sync),
) -> Result<Vec<Result<(), Full>>, Error> {
    let now = tx.now();
    if fault::is(Fault::RateUnreserved) {
        return Ok(vec![Ok(()); wanted.len()]);
    }
    let needed: Vec<Vec<Window>> = wanted.iter().map(|one| windows(now, *one, &limits(one.platform))).collect();
    let mut all: Vec<(Window, i32)> = Vec::new();
    for window in needed.iter().flatten() {
        match all.iter_mut().find(|(known, _)| known == window) {
            Some((_, count)) => *count += 1,
            None => all.push((*window, 1)),
        }
    }
    // In one order for everybody, so that two workers never wait for each other.
    all.sort_unstable();
    let mut free = free(tx, &all).await?;
    Ok(needed
        .into_iter()
        .map(|windows| {
            let full = windows.iter().find(|window| free.iter().any(|(known, left)| known == *window && *left <= 0));
            if let Some(full) = full {
                let whose = if full.account.is_nil() { "all accounts together" } else { "this account" };
                let seconds = (full.ends_at - full.starts_at).num_seconds();
                return Err(Full {
                    until: full.ends_at,
                    why: format!(
                        "The rate of the platform is used up: {} posts in {seconds} s for {whose}.",
                        full.most
                    ),
                });
            }
            for window in &windows {
                if let Some((_, left)) = free.iter_mut().find(|(known, _)| known == window) {
                    *left -= 1;
                }
            }
            Ok(())
        })
        .collect())
}

/// Counts what is wanted of each window and gives how much of that is free. What is wanted beyond the rate counts too, and
/// changes nothing: the window is full either way.
async fn free(tx: &mut Tx, all: &[(Window, i32)]) -> Result<Vec<(Window, i32)>, Error> {
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query!(
        r#"
        insert into rate_window (tenant_id, platform, account_id, starts_at, ends_at, reserved)
        select tenant_id, platform, account_id, starts_at, ends_at, wanted
        from unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::integer[])
          with ordinality as new (tenant_id, platform, account_id, starts_at, ends_at, wanted, place)
        order by place
        on conflict on constraint rate_window_key do update set reserved = rate_window.reserved + excluded.reserved
        returning tenant_id, platform, account_id, starts_at, reserved
        "#,
        &all.iter().map(|(window, _)| window.tenant).collect::<Vec<_>>(),
        &all.iter().map(|(window, _)| window.platform.to_owned()).collect::<Vec<_>>(),
        &all.iter().map(|(window, _)| window.account).collect::<Vec<_>>(),
        &all.iter().map(|(window, _)| window.starts_at).collect::<Vec<_>>(),
        &all.iter().map(|(window, _)| window.ends_at).collect::<Vec<_>>(),
        &all.iter().map(|(_, wanted)| *wanted).collect::<Vec<_>>(),
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    Ok(all
        .iter()
        .map(|(window, wanted)| {
            let reserved = rows
                .iter()
                .find(|row| {
                    row.tenant_id == window.tenant
                        && row.platform == window.platform
                        && row.account_id == window.account
                        && row.starts_at == window.starts_at
                })
                .map_or(i32::MAX, |row| row.reserved);
            (*window, window.most.saturating_sub(reserved.saturating_sub(*wanted)))
        })
        .collect())
}

/// Removes windows that are over.
pub(super) async fn sweep(tx: &mut Tx) -> Result<u64, Error> {
    let over = tx.now() - TimeDelta::hours(1);
    let removed = sqlx::query!("delete from rate_window where ends_at < $1", over)
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    Ok(removed.rows_affected())
}
