//! The sealer: gives the events of each chain a number without gaps and a hash over all before, and signs the chain's head
//! every minute in which anything happened. Any number of workers may run it; one seals a chain at a time.
//!
//! Events are sealed in the order in which they are found. One whose transaction commits after later ones were sealed is
//! found then and takes the next number: the number says when it was sealed, not when it happened.

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::{Error, TenantId};
use uuid::Uuid;

use crate::audit::chain::{Hash, head_bytes};
use crate::audit::key::AuditKey;
use crate::audit::log::{EventRow, hash};
use crate::audit::verify::number;
use crate::context::Context;
use crate::transaction::{Tx, WorkKind, failed};

/// Events that one transaction seals at most, so that it stays short.
const BATCH: i64 = 2_000;
/// Transactions that one chain gets before the others have their turn.
const MOST_BATCHES: usize = 50;
/// Between two heads of a chain.
const HEAD_EVERY: TimeDelta = TimeDelta::seconds(60);

/// What one turn did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Events that were sealed.
    pub events: u64,
    /// Heads that were signed.
    pub heads: u64,
}

/// Seals what waits, in all chains. A chain that fails is left for the next turn and does not hold the others up.
pub async fn seal(ctx: &Context, key: &AuditKey) -> Result<Sealed, Error> {
    let mut all = Sealed::default();
    for chain in chains_with_work(ctx).await? {
        match seal_chain(ctx, key, chain).await {
            Ok(sealed) => {
                all.events += sealed.events;
                all.heads += sealed.heads;
            }
            Err(error) => tracing::error!(tenant = %chain, %error, "the audit log could not be sealed"),
        }
    }
    metrics::counter!("rtv_audit_sealed_total").increment(all.events);
    metrics::counter!("rtv_audit_heads_total").increment(all.heads);
    Ok(all)
}

/// Chains with events that wait, or whose newest events no head covers though it is time for one. Every worker asks, so a chain
/// without work must cost nothing: with 8 workers and 40 busy tenants each two seconds had 160 transactions that found nothing to do.
async fn chains_with_work(ctx: &Context) -> Result<Vec<TenantId>, Error> {
    let mut tx = ctx.begin_worker(WorkKind::Audit).await?;
    let waiting = sqlx::query!(
        r#"
        select tenant_id, count(*) as "events!", min(occurred_at) as "oldest!"
        from audit_unsealed
        group by tenant_id
        "#
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let unsigned = sqlx::query_scalar!(
        r#"
        select tenant_id
        from audit_chain
        -- The second part is `is_due`.
        where seq > signed_seq and (signed_at is null or signed_at <= $1 or signed_at > $2)
        "#,
        ctx.now() - HEAD_EVERY,
        ctx.now(),
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    let events: i64 = waiting.iter().map(|chain| chain.events).sum();
    let lag = waiting
        .iter()
        .map(|chain| (ctx.now() - chain.oldest).to_std().map_or(0.0, |lag| lag.as_secs_f64()))
        .fold(0.0, f64::max);
    metrics::gauge!("rtv_audit_unsealed_events").set(f64::from(i32::try_from(events).unwrap_or(i32::MAX)));
    metrics::gauge!("rtv_audit_seal_lag_seconds").set(lag);
    let mut chains: Vec<Uuid> = waiting.into_iter().map(|chain| chain.tenant_id).chain(unsigned).collect();
    chains.sort_unstable();
    chains.dedup();
    Ok(chains.into_iter().map(TenantId::from).collect())
}

/// Seals what waits in one chain. Nothing happens where another sealer is at it.
pub(crate) async fn seal_chain(ctx: &Context, key: &AuditKey, chain: TenantId) -> Result<Sealed, Error> {
    let mut all = Sealed::default();
    for _ in 0..MOST_BATCHES {
        let mut tx = ctx.begin_sealer(chain).await?;
        let Some(mut tip) = lock(&mut tx, chain.uuid()).await? else {
            tx.rollback().await?;
            break;
        };
        let sealed = seal_batch(&mut tx, &mut tip, ctx.now()).await?;
        let is_signed = sign_if_due(&mut tx, &mut tip, key, ctx.now()).await?;
        if sealed == 0 && !is_signed {
            tx.rollback().await?;
            break;
        }
        tip.store(&mut tx).await?;
        tx.commit().await?;
        if is_signed {
            // A log that leaves this machine is the witness against who could change the whole database.
            tracing::info!(tenant = %chain, seq = tip.seq, chain_hash = %tip.chain, key = key.public().id(), "the head of the audit log is signed");
        }
        all.events += sealed;
        all.heads += u64::from(is_signed);
        if sealed < number(BATCH) {
            break;
        }
    }
    Ok(all)
}

struct Tip {
    tenant: Uuid,
    seq: i64,
    chain: Hash,
    signed_seq: i64,
    signed_at: Option<DateTime<Utc>>,
}

/// Takes hold of the tip, which makes this the chain's only sealer until the transaction ends. `None` where another one
/// has it.
async fn lock(tx: &mut Tx, tenant: Uuid) -> Result<Option<Tip>, Error> {
    sqlx::query!("insert into audit_chain (tenant_id) values ($1) on conflict do nothing", tenant)
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    let row = sqlx::query!(
        r#"
        select seq, chain_hash, signed_seq, signed_at
        from audit_chain
        where tenant_id = $1
        for update skip locked
        "#,
        tenant
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    row.map(|row| {
        let chain = hash(&row.chain_hash)?;
        Ok(Tip { tenant, seq: row.seq, chain, signed_seq: row.signed_seq, signed_at: row.signed_at })
    })
    .transpose()
}

async fn seal_batch(tx: &mut Tx, tip: &mut Tip, now: DateTime<Utc>) -> Result<u64, Error> {
    let events = sqlx::query_as!(
        EventRow,
        r#"
        with picked as (
          delete from audit_unsealed
          where tenant_id = $1
            and event_id in (
              select event_id from audit_unsealed where tenant_id = $1 order by occurred_at, event_id limit $2
            )
          returning event_id
        )
        select
          id, occurred_at, actor_kind, actor_id, actor_label, action, resource_kind, resource_id, result, request_id,
          payload_salt, detail, before::text as before, after::text as after, abbrev(address) as address, user_agent
        from audit_event
        join picked on picked.event_id = audit_event.id
        where audit_event.tenant_id = $1
        order by occurred_at, id
        "#,
        tip.tenant,
        BATCH,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let sealed = events.len() as u64;
    let (mut seqs, mut ids, mut payloads, mut chains) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for event in events {
        tip.seq += 1;
        let mut record = event.record(number(tip.seq), Hash::START, Hash::START)?;
        // An event that came without a payload has the hash of none, and is taken for one whose payload was dropped.
        record.payload_hash = record.payload.as_ref().map_or(Hash::START, super::chain::Payload::hash);
        tip.chain = record.chain_after(tip.tenant, tip.chain);
        seqs.push(tip.seq);
        ids.push(record.id);
        payloads.push(record.payload_hash.bytes().to_vec());
        chains.push(tip.chain.bytes().to_vec());
    }
    if seqs.is_empty() {
        return Ok(0);
    }
    sqlx::query!(
        r#"
        insert into audit_seal (tenant_id, seq, event_id, payload_hash, chain_hash, sealed_at)
        select $1, one.seq, one.event_id, one.payload_hash, one.chain_hash, $6
        from unnest($2::bigint[], $3::uuid[], $4::bytea[], $5::bytea[])
          as one (seq, event_id, payload_hash, chain_hash)
        "#,
        tip.tenant,
        &seqs,
        &ids,
        &payloads,
        &chains,
        now,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(sealed)
}

/// Whether it is time for a head. A clock that was set back must not keep heads away for as long as it was wrong.
fn is_due(signed_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    signed_at.is_none_or(|last| now - last >= HEAD_EVERY || now < last)
}

async fn sign_if_due(tx: &mut Tx, tip: &mut Tip, key: &AuditKey, now: DateTime<Utc>) -> Result<bool, Error> {
    if tip.seq == tip.signed_seq || !is_due(tip.signed_at, now) {
        return Ok(false);
    }
    // As the database keeps it: what is signed must be what is read back.
    let now = DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now);
    let signature = key.sign(&head_bytes(tip.tenant, number(tip.seq), tip.chain, now));
    sqlx::query!(
        r#"
        insert into audit_head (tenant_id, seq, chain_hash, signed_at, key_id, signature)
        values ($1, $2, $3, $4, $5, $6)
        "#,
        tip.tenant,
        tip.seq,
        &tip.chain.bytes()[..],
        now,
        key.public().id(),
        &signature.bytes()[..],
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    tip.signed_seq = tip.seq;
    tip.signed_at = Some(now);
    Ok(true)
}

impl Tip {
    async fn store(&self, tx: &mut Tx) -> Result<(), Error> {
        sqlx::query!(
            "update audit_chain set seq = $2, chain_hash = $3, signed_seq = $4, signed_at = $5 where tenant_id = $1",
            self.tenant,
            self.seq,
            &self.chain.bytes()[..],
            self.signed_seq,
            self.signed_at,
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
        Ok(())
    }
}
