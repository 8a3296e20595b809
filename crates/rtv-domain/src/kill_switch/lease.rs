//! How a sender reads all engaged switches and proves that it has: it reads, its gate takes what was read, and only then its row says
//! so and until when. A commit that is not known to have happened renews nothing.

use std::time::Instant;

use rtv_core::fault::{self, Fault};
use rtv_core::{Error, Scope, SenderId, SwitchId};
use uuid::Uuid;

use crate::context::Context;
use crate::kill_switch::scope::Columns;
use crate::transaction::{Tx, failed};

/// How long a reading holds. The gate counts from before the reading, the row from after it, so the row's lease ends later.
pub const LASTS: core::time::Duration = core::time::Duration::from_secs(2);

/// A process that sends, from its start to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderIdentity {
    /// Id.
    pub id: SenderId,
    /// Host and process, for people.
    pub name: String,
}

impl SenderIdentity {
    /// A new one, with at most 200 characters of the name.
    pub fn new(name: &str) -> Self {
        let name: String = name.chars().take(200).collect();
        Self { id: SenderId::from(Uuid::now_v7()), name: if name.is_empty() { "sender".into() } else { name } }
    }
}

/// All that is engaged, as one snapshot of the database has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The epoch of everything. Of two readings the one with the greater epoch has every flip of the other.
    pub epoch: i64,
    /// The engaged switches.
    pub engaged: Vec<(SwitchId, Scope)>,
    /// Whether something is to be recorded.
    pub has_unrecorded: bool,
}

/// Reads, has the gate take what was read, and acknowledges. Whoever calls renews the gate's lease if and only if this succeeds, and
/// counts it from before the call.
pub async fn renew(
    ctx: &Context,
    sender: &SenderIdentity,
    install: impl FnOnce(&Reading) + Send,
) -> Result<Reading, Error> {
    let mut tx = ctx.begin_gate().await?;
    let reading = read(&mut tx).await?;
    let is_late = fault::is(Fault::AcknowledgeEarly);
    let mut install = Some(install);
    if !is_late && let Some(install) = install.take() {
        install(&reading);
    }
    sqlx::query!(
        r#"
        insert into sender (id, name, acknowledged_epoch, acknowledged_at, lease_expires_at)
        values ($1, $2, $3, clock_timestamp(), clock_timestamp() + $4 * interval '1 millisecond')
        on conflict (id) do update
        set lease_expires_at = excluded.lease_expires_at,
          acknowledged_at = case
            when sender.acknowledged_epoch < excluded.acknowledged_epoch then clock_timestamp()
            else sender.acknowledged_at
          end,
          acknowledged_epoch = greatest(sender.acknowledged_epoch, excluded.acknowledged_epoch)
        "#,
        sender.id.uuid(),
        sender.name,
        reading.epoch,
        LASTS.as_secs_f64() * 1_000.0,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    tx.commit().await?;
    if let Some(install) = install {
        install(&reading);
    }
    Ok(reading)
}

/// What is engaged, for who does not send.
pub async fn look(ctx: &Context) -> Result<(Reading, core::time::Duration), Error> {
    let started = Instant::now();
    let mut tx = ctx.begin_gate().await?;
    let reading = read(&mut tx).await?;
    tx.rollback().await?;
    Ok((reading, started.elapsed()))
}

/// One statement, so one snapshot; one pass over the table.
async fn read(tx: &mut Tx) -> Result<Reading, Error> {
    let row = sqlx::query!(
        r#"
        select
          sum(epoch)::bigint as "epoch!",
          bool_or(epoch > recorded_epoch)
            or exists (select 1 from halt where halt.completed_at is null)
            or exists (select 1 from halt where halt.released_at is not null and not halt.is_release_told)
            as "has_unrecorded!",
          coalesce(array_agg(tenant_id) filter (where is_engaged), '{}') as "tenants!: Vec<Uuid>",
          coalesce(array_agg(id) filter (where is_engaged), '{}') as "ids!: Vec<Uuid>",
          coalesce(array_agg(kind) filter (where is_engaged), '{}') as "kinds!: Vec<String>",
          coalesce(array_agg(platform) filter (where is_engaged), '{}') as "platforms!: Vec<Option<String>>",
          coalesce(array_agg(action) filter (where is_engaged), '{}') as "actions!: Vec<Option<String>>",
          coalesce(array_agg(account_id) filter (where is_engaged), '{}') as "accounts!: Vec<Option<Uuid>>",
          coalesce(array_agg(campaign_id) filter (where is_engaged), '{}') as "campaigns!: Vec<Option<Uuid>>"
        from kill_switch
        "#
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let mut engaged = Vec::with_capacity(row.ids.len());
    let columns = row.tenants.into_iter().zip(row.kinds).zip(row.platforms).zip(row.actions);
    let columns = columns.zip(row.accounts).zip(row.campaigns).zip(row.ids);
    for ((((((tenant_id, kind), platform), action), account_id), campaign_id), id) in columns {
        let scope = Columns { tenant_id, kind, platform, action, account_id, campaign_id }.scope()?;
        engaged.push((id.into(), scope));
    }
    Ok(Reading { epoch: row.epoch, engaged, has_unrecorded: row.has_unrecorded })
}

/// Says that a process sends nothing any more, so that nobody waits for its lease to lapse. Only after its gate has closed.
pub async fn end(ctx: &Context, sender: &SenderIdentity) -> Result<(), Error> {
    let mut tx = ctx.begin_gate().await?;
    sqlx::query!(
        "update sender set lease_expires_at = least(lease_expires_at, clock_timestamp()) where id = $1",
        sender.id.uuid()
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    tx.commit().await
}

/// Removes senders that ended a week ago. Returns how many.
pub async fn sweep(ctx: &Context) -> Result<u64, Error> {
    let mut tx = ctx.begin_gate().await?;
    let gone = sqlx::query!("delete from sender where lease_expires_at < clock_timestamp() - interval '7 days'")
        .execute(tx.connection())
        .await
        .map_err(failed)?
        .rows_affected();
    tx.commit().await?;
    Ok(gone)
}
