//! Taking what is due: fairly between tenants, under a lock that other senders step over, with every gate that the database
//! can judge asked in the same transaction. What leaves this file has a permit; what is not to leave is held or waits.
//!
//! A batch costs the same number of queries however many deliveries are in it.

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::capability::{self, Limits};
use rtv_core::delivery::{Event, HoldReason};
use rtv_core::fault::{self, Fault};
use rtv_core::{AccountId, Action, CampaignId, Error, Operation, Platform, SenderId, SwitchId};
use uuid::Uuid;

use super::GRACE;
use super::change::{Batch, Key};
use super::rate::{self, Wanted};
use crate::access::stored;
use crate::account::SealedToken;
use crate::content::{approval_sha256, obstacle, text_sha256};
use crate::context::Context;
use crate::transaction::{Tx, failed};

/// A claim that did not become an intent by then is taken back.
const CLAIM_SECONDS: f64 = 30.0;
/// How long a delivery waits for another one with the same text to the same account.
const TWIN_PAUSE: TimeDelta = TimeDelta::seconds(2);

/// Who claims, how much, and under which rates.
#[derive(Clone, Copy)]
pub struct Claiming<'a> {
    /// The process that sends.
    pub sender: SenderId,
    /// At most so many.
    pub most: i64,
    /// The epoch of the switches that its gate has.
    pub epoch: i64,
    /// What limits sending to each platform.
    pub limits: &'a (dyn Fn(Platform) -> Limits + Sync),
}

/// A delivery that a sender has taken.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Which.
    pub key: Key,
    /// Number of the attempt.
    pub attempt: i32,
    /// Names the permit.
    pub permit: Uuid,
    /// What it is to the gate.
    pub operation: Operation,
    /// The text as the platform gets it.
    pub text: String,
    /// Given to the platform, so that it can know a repetition.
    pub idempotency_key: String,
    /// The account of the platform that was approved.
    pub remote_id: String,
    /// The account's token.
    pub token: SealedToken,
}

/// Takes what is due. Nothing is taken during maintenance, and nothing of a tenant in which nothing changes.
pub async fn claim(ctx: &Context, claiming: Claiming<'_>) -> Result<Vec<Claimed>, Error> {
    let mut tx = ctx.begin_sender().await?;
    if tx.maintenance().is_some() || claiming.most <= 0 {
        tx.rollback().await?;
        return Ok(Vec::new());
    }
    let keys = if fault::is(Fault::ClaimUnlocked) {
        due_unlocked(&mut tx, claiming.most).await?
    } else {
        due(&mut tx, claiming.most).await?
    };
    if keys.is_empty() {
        tx.rollback().await?;
        return Ok(Vec::new());
    }
    let claimed = judge(&mut tx, claiming, &keys).await?;
    if !claimed.is_empty() {
        fault::crash_here(Fault::InClaim);
    }
    tx.commit().await?;
    if !claimed.is_empty() {
        fault::crash_here(Fault::AfterClaim);
    }
    Ok(claimed)
}

/// Deliveries whose time has come, each tenant with an equal share of the batch. Tenants are found by leaping through the
/// index from one to the next, so that a flood of one costs the others nothing.
async fn due(tx: &mut Tx, most: i64) -> Result<Vec<Key>, Error> {
    let now = tx.now();
    let not_missed = if fault::is(Fault::MissedSentLate) { now - TimeDelta::days(36_500) } else { now - GRACE };
    let rows = sqlx::query!(
        r#"
        with recursive waiting as (
          (select tenant_id from delivery where state = 'scheduled' order by tenant_id limit 1)
          union all
          select (
            select next.tenant_id
            from delivery as next
            where next.state = 'scheduled' and next.tenant_id > waiting.tenant_id
            order by next.tenant_id
            limit 1
          )
          from waiting
          where waiting.tenant_id is not null
        ),
        ready as materialized (
          select tenant.id
          from waiting
          join tenant on tenant.id = waiting.tenant_id
          where ($4 or tenant.status in ('pending', 'active'))
            and not ('posts-per-month' = any (tenant.over_limits))
            and (
              select delivery.ready_at
              from delivery
              where delivery.tenant_id = tenant.id and delivery.state = 'scheduled'
              order by delivery.ready_at
              limit 1
            ) <= $1
          order by random()
          limit $2
        )
        select taken.tenant_id as "tenant_id!", taken.id as "id!"
        from ready
        cross join lateral (
          select delivery.tenant_id, delivery.id
          from delivery
          where delivery.tenant_id = ready.id
            and delivery.state = 'scheduled'
            and delivery.ready_at <= $1
            -- As a sum, so that no plan begins with the index of all that is still to come.
            and delivery.due_at + interval '0' >= $3
          order by delivery.ready_at, delivery.id
          limit greatest(1, $2 / (select count(*) from ready))
          for update skip locked
        ) as taken
        "#,
        now,
        most,
        not_missed,
        fault::is(Fault::SuspendedIgnored),
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    Ok(rows.into_iter().map(|row| Key { tenant: row.tenant_id.into(), delivery: row.id.into() }).collect())
}

/// What a planted bug takes: also what another sender has taken already.
async fn due_unlocked(tx: &mut Tx, most: i64) -> Result<Vec<Key>, Error> {
    let now = tx.now();
    let rows = sqlx::query!(
        r#"
        select tenant_id, id
        from delivery
        where state in ('scheduled', 'claimed', 'sending') and ready_at <= $1
        order by ready_at
        limit $2
        "#,
        now,
        most
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let keys: Vec<Key> =
        rows.into_iter().map(|row| Key { tenant: row.tenant_id.into(), delivery: row.id.into() }).collect();
    let ids: Vec<Uuid> = keys.iter().map(|key| key.delivery.uuid()).collect();
    sqlx::query!(
        "update attempt set state = 'not_sent' where delivery_id = any($1) and state in ('claimed', 'sending')",
        &ids
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query!("update delivery set state = 'scheduled', may_be_out = false where id = any($1)", &ids)
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    Ok(keys)
}

/// What the gates ask of a delivery, beside its row.
struct Asked {
    body: String,
    link: Option<String>,
    platform: Platform,
    campaign: Option<CampaignId>,
    is_sandbox: bool,
    token: Option<SealedToken>,
    problem: Option<String>,
    covering: Option<SwitchId>,
}

async fn ask(tx: &mut Tx, keys: &[Key]) -> Result<Vec<(Key, Asked)>, Error> {
    let rows = sqlx::query!(
        r#"
        select
          delivery.tenant_id, delivery.id, delivery.account_id, delivery.platform, delivery.campaign_id, content.body,
          content.link, tenant.is_sandbox, account_connection.sealed_token as "sealed_token?",
          account_connection.token_version as "token_version?", account_connection.remote_id as "remote_id?",
          account_connection.verified_at as "verified_at?", account_connection.verified_version as "verified_version?",
          account_connection.problem as "problem?",
          rtv_covering_switch(delivery.tenant_id, delivery.platform, $3, delivery.account_id, delivery.campaign_id) as covering
        from unnest($1::uuid[], $2::uuid[]) as named (tenant_id, id)
        join delivery on delivery.tenant_id = named.tenant_id and delivery.id = named.id
        join content on content.tenant_id = delivery.tenant_id and content.id = delivery.content_id
        join tenant on tenant.id = delivery.tenant_id
        left join account_connection
          on account_connection.tenant_id = delivery.tenant_id and account_connection.account_id = delivery.account_id
        "#,
        &keys.iter().map(|key| key.tenant.uuid()).collect::<Vec<_>>(),
        &keys.iter().map(|key| key.delivery.uuid()).collect::<Vec<_>>(),
        Action::Publish.key(),
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            let token =
                match (row.sealed_token, row.token_version, row.remote_id, row.verified_at, row.verified_version) {
                    (Some(sealed), Some(version), Some(remote_id), Some(verified_at), Some(verified_version)) => {
                        Some(SealedToken {
                            tenant: row.tenant_id.into(),
                            account: row.account_id.into(),
                            remote_id,
                            version,
                            sealed,
                            verified_at,
                            verified_version,
                        })
                    }
                    _ => None,
                };
            let asked = Asked {
                body: row.body,
                link: row.link,
                platform: stored(row.platform.parse())?,
                campaign: row.campaign_id.map(CampaignId::from),
                is_sandbox: row.is_sandbox,
                token,
                problem: row.problem,
                covering: row.covering.map(SwitchId::from),
            };
            Ok((Key { tenant: row.tenant_id.into(), delivery: row.id.into() }, asked))
        })
        .collect()
}

/// Why a delivery is held, with words for people.
fn holding(
    asked: &Asked,
    scheduled_at: DateTime<Utc>,
    approved: Option<(&[u8], &str)>,
) -> Option<(HoldReason, String)> {
    if asked.is_sandbox && asked.platform != Platform::Sandbox {
        return Some((HoldReason::Sandbox, "The organisation is in sandbox mode.".into()));
    }
    if let Some(why) = obstacle(asked.is_sandbox, asked.platform) {
        return Some((HoldReason::Platform, why));
    }
    if asked.covering.is_some() {
        return Some((HoldReason::Switch, "A kill switch stops it.".into()));
    }
    let (sha256, remote_id) = approved.unwrap_or_default();
    let now = approval_sha256(&asked.body, asked.link.as_deref(), scheduled_at, asked.platform, remote_id);
    if now != *sha256 && !fault::is(Fault::HashUncompared) {
        return Some((HoldReason::Approval, "What would leave is not what was approved.".into()));
    }
    match (&asked.token, &asked.problem) {
        (None, _) => Some((HoldReason::Token, "The account is not connected.".into())),
        (Some(_), Some(problem)) => Some((HoldReason::Token, problem.clone())),
        (Some(token), None) if token.remote_id != remote_id && !fault::is(Fault::AccountUncompared) => Some((
            HoldReason::WrongAccount,
            format!("The account is connected as {}, and {remote_id} was approved.", token.remote_id),
        )),
        (Some(_), None) => None,
    }
}

async fn judge(tx: &mut Tx, claiming: Claiming<'_>, keys: &[Key]) -> Result<Vec<Claimed>, Error> {
    let now = tx.now();
    let mut batch = Batch::hold(tx, keys, format!("sender {}", claiming.sender)).await?;
    let asked = ask(tx, keys).await?;
    let mut going: Vec<(usize, Asked)> = Vec::new();
    for (key, asked) in asked {
        let Some(place) = batch.place(key) else { continue };
        let row = &batch.rows[place];
        let approved = row.approval.as_ref().map(|approval| (&approval.sha256[..], &approval.remote_id[..]));
        match holding(&asked, row.scheduled_at, approved) {
            Some((HoldReason::Switch, _)) if fault::is(Fault::HeldLost) => {
                // The planted bug: what a switch covers is thrown away.
                let decision = rtv_core::delivery::Decision::Drop;
                let _ = batch.apply(place, Event::Decide(decision), "dropped", None);
            }
            Some((reason, why)) => {
                if batch.apply(place, Event::Hold(reason), "held", Some(why)).is_ok() {
                    batch.change(place).held_by_switch = asked.covering.filter(|_| reason == HoldReason::Switch);
                }
            }
            None => going.push((place, asked)),
        }
    }
    let wanted: Vec<Wanted> = going
        .iter()
        .map(|(place, asked)| Wanted {
            tenant: batch.rows[*place].key.tenant.uuid(),
            account: batch.rows[*place].account.uuid(),
            platform: asked.platform,
        })
        .collect();
    let places = rate::reserve(tx, &wanted, claiming.limits).await?;
    let mut prepared: Vec<(usize, Prepared)> = Vec::new();
    for ((place, asked), reserved) in going.into_iter().zip(places) {
        match reserved {
            Err(full) => batch.change(place).wait(full.until, full.why),
            Ok(()) => {
                if let Some(one) = prepare(&batch, place, asked) {
                    prepared.push((place, one));
                }
            }
        }
    }
    let begun = open(tx, &batch, &prepared, claiming).await?;
    let mut claimed = Vec::with_capacity(prepared.len());
    for (place, one) in prepared {
        if !begun.contains(&batch.rows[place].key.delivery.uuid()) {
            batch.change(place).wait(now + TWIN_PAUSE, "Another post with the same text to this account is under way.");
            continue;
        }
        if batch.apply(place, Event::Claim, "claimed", None).is_ok() {
            claimed.push(one.claimed);
        }
    }
    batch.write(tx).await?;
    Ok(claimed)
}

/// What an attempt is opened with.
struct Prepared {
    claimed: Claimed,
    text_sha256: [u8; 32],
}

fn prepare(batch: &Batch, place: usize, asked: Asked) -> Option<Prepared> {
    let row = &batch.rows[place];
    let approval = row.approval.as_ref()?;
    let text = capability::compose(&asked.body, asked.link.as_deref());
    let key = row.key;
    // The same for every attempt at the same approved bytes: a platform that knows keys can refuse a repetition.
    let approved = hex::encode(&approval.sha256[..8.min(approval.sha256.len())]);
    let claimed = Claimed {
        key,
        attempt: row.standing.attempt + 1,
        permit: Uuid::now_v7(),
        operation: Operation {
            tenant: key.tenant,
            platform: asked.platform,
            action: Action::Publish,
            account: row.account,
            campaign: asked.campaign,
        },
        idempotency_key: format!("{}-{approved}", key.delivery),
        remote_id: approval.remote_id.clone(),
        token: asked.token?,
        text,
    };
    Some(Prepared { text_sha256: text_sha256(&claimed.text), claimed })
}

/// Opens attempts, and says of which deliveries: one whose text another attempt to the same account still carries waits, because
/// the two could not be told apart when the platform's list is read.
async fn open(
    tx: &mut Tx,
    batch: &Batch,
    prepared: &[(usize, Prepared)],
    claiming: Claiming<'_>,
) -> Result<Vec<Uuid>, Error> {
    if prepared.is_empty() {
        return Ok(Vec::new());
    }
    let mut all: Vec<(AccountId, &Prepared)> =
        prepared.iter().map(|(place, one)| (batch.rows[*place].account, one)).collect();
    // In one order for everybody, so that two workers never wait for each other. A claim is as old as its transaction: the switches
    // were read after that.
    all.sort_by(|(account, one), (other_account, other)| {
        (account, one.text_sha256, one.claimed.key).cmp(&(other_account, other.text_sha256, other.claimed.key))
    });
    let rows = sqlx::query_scalar!(
        r#"
        insert into attempt (
          tenant_id, delivery_id, attempt_no, account_id, platform, state, permit, sender_id, text_sha256, idempotency_key,
          switch_epoch, claimed_at, deadline_at
        )
        select
          new.tenant_id, new.delivery_id, new.attempt_no, new.account_id, new.platform, 'claimed', new.permit, $9,
          new.text_sha256, new.idempotency_key, $10, transaction_timestamp(), clock_timestamp() + make_interval(secs => $11)
        from unnest(
          $1::uuid[], $2::uuid[], $3::integer[], $4::uuid[], $5::text[], $6::uuid[], $7::bytea[], $8::text[]
        ) with ordinality as new (
          tenant_id, delivery_id, attempt_no, account_id, platform, permit, text_sha256, idempotency_key, place
        )
        order by new.place
        on conflict do nothing
        returning delivery_id
        "#,
        &all.iter().map(|(_, one)| one.claimed.key.tenant.uuid()).collect::<Vec<_>>(),
        &all.iter().map(|(_, one)| one.claimed.key.delivery.uuid()).collect::<Vec<_>>(),
        &all.iter().map(|(_, one)| one.claimed.attempt).collect::<Vec<_>>(),
        &all.iter().map(|(account, _)| account.uuid()).collect::<Vec<_>>(),
        &all.iter().map(|(_, one)| one.claimed.operation.platform.key().to_owned()).collect::<Vec<_>>(),
        &all.iter().map(|(_, one)| one.claimed.permit).collect::<Vec<_>>(),
        &all.iter().map(|(_, one)| one.text_sha256.to_vec()).collect::<Vec<_>>(),
        &all.iter().map(|(_, one)| one.claimed.idempotency_key.clone()).collect::<Vec<_>>(),
        claiming.sender.uuid(),
        claiming.epoch,
        CLAIM_SECONDS,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    Ok(rows)
}
