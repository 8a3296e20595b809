//! Writing down what happened: the audit event and the history of each flip, from the facts in the switch's row, and the receipt of each
//! halt once everything that it covers is at rest. Whoever engages waits for none of it; one recorder works at a time, in any
//! process, and begins where another one stopped.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::{Error, HaltId, SwitchId, TenantId};
use serde_json::json;
use uuid::Uuid;

use crate::access::stored;
use crate::context::Context;
use crate::kill_switch::history::{Call, Part, SenderProof};
use crate::kill_switch::plan::Ramp;
use crate::kill_switch::scope::{self, Columns};
use crate::kill_switch::{OPERATOR, news, resume};
use crate::transaction::{Tx, failed};

/// Calls that a receipt lists for one tenant at most; it says how many there were.
const MOST_CALLS: usize = 1_000;
/// No call lasts so long from its claim to its deadline.
const LONGEST_CALL: TimeDelta = TimeDelta::minutes(2);
/// Flips and halts that one turn takes.
const MOST: i64 = 100;

/// What the recorder that works holds.
const RECORDER: &str = "rtv switch recorder";

/// Writes what is to be written. Returns whether something is left: a halt that is not at rest, or what another recorder has
/// taken up.
///
/// Flips come first, and each halt has a transaction of its own: the long look at what a halt met holds no switch's row, and one that
/// cannot be written keeps none of the others back. The first error is the answer, after all were tried.
pub async fn record(ctx: &Context) -> Result<bool, Error> {
    let Some(open) = record_flips(ctx).await? else { return Ok(true) };
    let (mut has_more, mut failure) = (false, None);
    for (owner, halt) in open {
        match settle(ctx, owner, halt).await {
            Ok(is_complete) => has_more |= !is_complete,
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    failure.map_or(Ok(has_more), Err)
}

/// Writes down the flips, and has teams told of them. Gives back the halts that have no receipt; `None` while another one records.
async fn record_flips(ctx: &Context) -> Result<Option<Vec<(TenantId, HaltId)>>, Error> {
    let mut tx = ctx.begin_gate().await?;
    if !tx.try_lock(RECORDER).await? {
        tx.rollback().await?;
        return Ok(None);
    }
    let flipped = sqlx::query!(
        r#"
        select tenant_id, id
        from kill_switch
        where epoch > recorded_epoch and kind <> 'drill'
        order by engaged_at, id
        limit $1
        "#,
        MOST
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    for row in flipped {
        write_engagement(&mut tx, row.tenant_id.into(), row.id.into()).await?;
    }
    sqlx::query!(
        r#"
        update halt
        set needed_epoch = (select sum(each.epoch)::bigint from kill_switch as each)
        where completed_at is null and needed_epoch is null
        "#
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let open = sqlx::query!("select tenant_id, id from halt where completed_at is null order by id limit $1", MOST)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    news::tell_released(&mut tx, MOST).await?;
    tx.commit().await?;
    Ok(Some(open.into_iter().map(|row| (row.tenant_id.into(), row.id.into())).collect()))
}

/// Writes of one halt what is known by now. Returns whether its receipt is complete.
async fn settle(ctx: &Context, owner: TenantId, id: HaltId) -> Result<bool, Error> {
    let mut tx = ctx.begin_gate().await?;
    if !tx.try_lock(RECORDER).await? {
        tx.rollback().await?;
        return Ok(false);
    }
    let written = write(&mut tx, ctx.now(), owner, id).await;
    // Waited for in any case: until it has ended, the next halt would find that somebody else records.
    if written.is_ok() {
        tx.commit().await?;
    } else {
        tx.rollback().await?;
    }
    written
}

async fn write(tx: &mut Tx, now: DateTime<Utc>, owner: TenantId, id: HaltId) -> Result<bool, Error> {
    let row = sqlx::query!(
        r#"
        select halted_at is not null as "is_halted!", completed_at is not null as "is_complete!"
        from halt
        where tenant_id = $1 and id = $2
        "#,
        owner.uuid(),
        id.uuid(),
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    Ok(row.is_complete
        || ((row.is_halted || write_halt(tx, owner, id).await?) && write_receipt(tx, now, owner, id).await?))
}

/// Writes the audit event and the history of a switch's newest engagement, and has teams told of it, unless that is done. The
/// transaction belongs to the switch's tenant afterwards.
pub(crate) async fn write_engagement(tx: &mut Tx, owner: TenantId, id: SwitchId) -> Result<(), Error> {
    tx.move_to(owner).await?;
    let row = sqlx::query!(
        r#"
        select
          tenant_id, kind, platform, action, account_id, campaign_id, epoch, halt_id as "halt_id!",
          engaged_at as "engaged_at!", actor_kind as "actor_kind!", actor_id, actor_label as "actor_label!", is_staff,
          is_automatic, reason as "reason!", note, ticket, review_at as "review_at!", user_agent, request_id
        from kill_switch
        where tenant_id = $1 and id = $2 and epoch > recorded_epoch and is_engaged
        "#,
        owner.uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let Some(row) = row else { return Ok(()) };
    let scope = Columns {
        tenant_id: row.tenant_id,
        kind: row.kind,
        platform: row.platform,
        action: row.action,
        account_id: row.account_id,
        campaign_id: row.campaign_id,
    }
    .scope()?;
    let name = scope::name(&scope, &scope::names(tx, &scope).await?);
    let written = sqlx::query!(
        r#"
        insert into halt (
          tenant_id, id, switch_id, epoch, kind, platform, action, account_id, campaign_id, scope_name, engaged_at, clicked_at,
          actor_kind, actor_id, actor_label, is_staff, is_automatic, reason, note, ticket, needed_epoch
        )
        select
          tenant_id, halt_id, id, epoch, kind, platform, action, account_id, campaign_id, $3, engaged_at, clicked_at,
          actor_kind, actor_id, actor_label, is_staff, is_automatic, reason, note, ticket,
          -- This statement's snapshot has the flip in it, so whoever acknowledges the sum has it too. A tenant that releases
          -- what nobody has recorded yet sees a part of the sum, which proves nothing.
          case when rtv_actor() = 'gate' then (select sum(each.epoch)::bigint from kill_switch as each) end
        from kill_switch
        where tenant_id = $1 and id = $2
        on conflict (tenant_id, id) do nothing
        "#,
        owner.uuid(),
        id.uuid(),
        name,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    // A release and the recorder came at the same moment; the other one has written all of it.
    if written == 0 {
        return Ok(());
    }
    let after = json!({
        "scope": name, "halt": HaltId::from(row.halt_id), "epoch": row.epoch, "reason": row.reason, "note": row.note,
        "ticket": row.ticket, "review_at": row.review_at, "is_automatic": row.is_automatic,
    });
    sqlx::query!(
        r#"
        insert into audit_event (
          tenant_id, id, occurred_at, actor_kind, actor_id, actor_label, action, resource_kind, resource_id,
          result, after, address, user_agent, request_id
        )
        select
          tenant_id, $3, engaged_at, actor_kind, actor_id, actor_label, 'switch.engage', 'kill_switch', $4,
          'success', $5, address, user_agent, request_id
        from kill_switch
        where tenant_id = $1 and id = $2
        "#,
        owner.uuid(),
        id.uuid(),
        Uuid::now_v7(),
        id.to_string(),
        after,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query!(
        "update kill_switch set recorded_epoch = $3 where tenant_id = $1 and id = $2 and epoch >= $3",
        owner.uuid(),
        id.uuid(),
        row.epoch,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    news::tell_engaged(tx, owner, row.halt_id.into()).await
}

/// Writes since when nothing that a halt covers begins any more, if that is so. A sender that has acknowledged a later epoch, or came
/// back after its lease had lapsed, counts at the later time: never too early.
async fn write_halt(tx: &mut Tx, owner: TenantId, id: HaltId) -> Result<bool, Error> {
    tx.move_to(owner).await?;
    let row = sqlx::query!(
        r#"
        select
          count(sender.id) filter (
            where sender.acknowledged_epoch < halt.needed_epoch and sender.lease_expires_at > clock_timestamp()
          ) as "unaware!",
          array_agg(sender.name order by sender.name, sender.id) filter (where sender.id is not null) as names,
          array_agg(
            case when sender.acknowledged_epoch >= halt.needed_epoch then sender.acknowledged_at end
            order by sender.name, sender.id
          ) filter (where sender.id is not null) as "acknowledged: Vec<Option<DateTime<Utc>>>",
          array_agg(sender.lease_expires_at order by sender.name, sender.id) filter (where sender.id is not null) as leases,
          halt.clicked_at
        from halt
        left join sender on sender.lease_expires_at >= halt.clicked_at
        where halt.tenant_id = $1 and halt.id = $2
        group by halt.tenant_id, halt.id
        "#,
        owner.uuid(),
        id.uuid(),
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    if row.unaware > 0 {
        return Ok(false);
    }
    let names = row.names.unwrap_or_default();
    let acknowledged = row.acknowledged.unwrap_or_default();
    let proofs: Vec<SenderProof> = names
        .into_iter()
        .zip(acknowledged)
        .zip(row.leases.unwrap_or_default())
        .map(|((name, acknowledged_at), lease)| SenderProof {
            name,
            acknowledged_at,
            lapsed_at: acknowledged_at.is_none().then_some(lease),
        })
        .collect();
    // Nobody was sending: then it was at rest when it was asked for.
    let halted_at = proofs.iter().filter_map(|one| one.acknowledged_at.or(one.lapsed_at)).max();
    let halted_at = halted_at.map_or(row.clicked_at, |at| at.max(row.clicked_at));
    sqlx::query!(
        "update halt set halted_at = $3, senders = $4 where tenant_id = $1 and id = $2",
        owner.uuid(),
        id.uuid(),
        halted_at,
        serde_json::to_value(proofs).map_err(|_| Error::Internal)?,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(true)
}

/// Writes the receipt of a halt, if no call that it covers is under way. For a switch of the operator: the whole, and each
/// tenant's part, so that a tenant reads its own and nothing else.
async fn write_receipt(tx: &mut Tx, now: DateTime<Utc>, owner: TenantId, id: HaltId) -> Result<bool, Error> {
    tx.move_to(owner).await?;
    let halt = sqlx::query!(
        r#"
        select switch_id, kind, platform, action, account_id, campaign_id, clicked_at, halted_at as "halted_at!"
        from halt
        where tenant_id = $1 and id = $2
        "#,
        owner.uuid(),
        id.uuid(),
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let columns = Columns {
        tenant_id: owner.uuid(),
        kind: halt.kind,
        platform: halt.platform,
        action: halt.action,
        account_id: halt.account_id,
        campaign_id: halt.campaign_id,
    };
    let (parts, is_under_way) =
        parts(tx, &columns, halt.switch_id.into(), halt.clicked_at, Some(halt.halted_at), now).await?;
    if is_under_way {
        return Ok(false);
    }
    let whole = sum(parts.values());
    let mut receipts: Vec<(TenantId, &Part)> = parts.iter().map(|(tenant, part)| (*tenant, part)).collect();
    receipts.retain(|(tenant, _)| owner == OPERATOR && *tenant != OPERATOR);
    receipts.push((owner, &whole));
    let (tenants, values): (Vec<Uuid>, Vec<serde_json::Value>) = receipts
        .into_iter()
        .map(|(tenant, part)| Ok((tenant.uuid(), serde_json::to_value(part).map_err(|_| Error::Internal)?)))
        .collect::<Result<Vec<_>, Error>>()?
        .into_iter()
        .unzip();
    sqlx::query!(
        r#"
        insert into halt_receipt (tenant_id, halt_id, receipt)
        select tenant_id, $1, receipt
        from unnest($2::uuid[], $3::jsonb[]) as part (tenant_id, receipt)
        on conflict (tenant_id, halt_id) do nothing
        "#,
        id.uuid(),
        &tenants,
        &values,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query!(
        "update halt set completed_at = clock_timestamp() where tenant_id = $1 and id = $2",
        owner.uuid(),
        id.uuid(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(true)
}

/// What a switch holds and which calls it met, for each tenant that the transaction sees; and whether one of the calls is under way.
pub(crate) async fn parts(
    tx: &mut Tx,
    of: &Columns,
    id: SwitchId,
    clicked_at: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(BTreeMap<TenantId, Part>, bool), Error> {
    let mut parts: BTreeMap<TenantId, Part> = BTreeMap::new();
    let held = sqlx::query!(
        r#"
        select
          tenant_id,
          count(*) filter (where state = 'held') as "held!",
          count(*) filter (where state = 'scheduled') as "due!"
        from delivery
        where ($4 = '00000000-0000-0000-0000-000000000000'::uuid or tenant_id = $4)
          and (
            (state = 'held' and held_by_switch = $1)
            or (
              state = 'scheduled' and ready_at <= $2
              and rtv_switch_covers($3, $4, $5, $6, $7, $8, tenant_id, platform, 'publish', account_id, campaign_id)
            )
          )
        group by tenant_id
        "#,
        id.uuid(),
        now + TimeDelta::days(1),
        of.kind,
        of.tenant_id,
        of.platform,
        of.action,
        of.account_id,
        of.campaign_id,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    for row in held {
        let part = parts.entry(row.tenant_id.into()).or_default();
        part.held = row.held;
        part.due_within_a_day = row.due;
    }
    let calls = sqlx::query!(
        r#"
        select
          attempt.tenant_id, attempt.delivery_id, attempt.attempt_no, attempt.platform, account.name as account,
          attempt.first_byte_at, attempt.last_byte_at, attempt.state, attempt.outcome, attempt.is_late_egress,
          attempt.state = 'sending'
            and (attempt.deadline_at > clock_timestamp() or coalesce(sender.lease_expires_at > clock_timestamp(), false))
            as "is_under_way!"
        from attempt
        join delivery on delivery.tenant_id = attempt.tenant_id and delivery.id = attempt.delivery_id
        join account on account.tenant_id = attempt.tenant_id and account.id = attempt.account_id
        left join sender on sender.id = attempt.sender_id
        where attempt.claimed_at >= $7
          and ($2 = '00000000-0000-0000-0000-000000000000'::uuid or attempt.tenant_id = $2)
          and attempt.sending_at <= coalesce($8, clock_timestamp())
          and attempt.deadline_at >= $9 and coalesce(attempt.answered_at, 'infinity') >= $9
          and rtv_switch_covers(
            $1, $2, $3, $4, $5, $6,
            attempt.tenant_id, attempt.platform, 'publish', attempt.account_id, delivery.campaign_id
          )
        order by attempt.sending_at, attempt.delivery_id
        "#,
        of.kind,
        of.tenant_id,
        of.platform,
        of.action,
        of.account_id,
        of.campaign_id,
        clicked_at - LONGEST_CALL,
        until,
        clicked_at,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let mut is_under_way = false;
    for row in calls {
        let part = parts.entry(row.tenant_id.into()).or_default();
        is_under_way |= row.is_under_way;
        part.calls_in_flight += 1;
        part.last_outbound_byte_at = part.last_outbound_byte_at.max(row.last_byte_at.max(row.first_byte_at));
        if part.calls.len() < MOST_CALLS {
            part.calls.push(Call {
                delivery: row.delivery_id.into(),
                attempt: row.attempt_no,
                platform: stored(row.platform.parse())?,
                account: row.account,
                first_byte_at: row.first_byte_at,
                last_byte_at: row.last_byte_at,
                state: row.state,
                outcome: row.outcome,
                is_late: row.is_late_egress,
            });
        }
    }
    Ok((parts, is_under_way))
}

/// The parts of all tenants as one.
pub(crate) fn sum<'a>(parts: impl Iterator<Item = &'a Part>) -> Part {
    let mut whole = Part::default();
    for part in parts {
        whole.held += part.held;
        whole.due_within_a_day += part.due_within_a_day;
        whole.calls_in_flight += part.calls_in_flight;
        whole.last_outbound_byte_at = whole.last_outbound_byte_at.max(part.last_outbound_byte_at);
        let room = MOST_CALLS - whole.calls.len();
        whole.calls.extend(part.calls.iter().take(room).cloned());
    }
    whole
}

/// Takes up what a claim held by a switch that was released in the same moment, and what a file held that is gone; see `resume.rs`.
/// Returns how many there were.
pub async fn take_up(ctx: &Context, ramp: Ramp) -> Result<u64, Error> {
    Ok(resume::take_up(ctx, ramp).await? + resume::take_up_after_files(ctx).await?)
}
