//! Carrying out a plan: what a released switch held goes out, waits or does not go out, as somebody chose.

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::fault::{self, Fault};
use rtv_core::{Action, Error, Operation, Scope, SwitchId};
use uuid::Uuid;

use crate::access::stored;
use crate::context::Context;
use crate::kill_switch::plan::{Choice, Fate, Overdue, Plan, Ramp, apply};
use crate::kill_switch::release::OverdueGroup;
use crate::kill_switch::scope::Columns;
use crate::transaction::{Tx, failed};

/// What a release did to deliveries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) resumed: i64,
    pub(crate) returned: i64,
    pub(crate) dropped: i64,
}

/// What is overdue under a switch: what it holds, and what came due under it and was not yet looked at or begun; each account by
/// itself.
pub(crate) async fn groups(
    tx: &mut Tx,
    of: &Columns,
    id: SwitchId,
    now: DateTime<Utc>,
) -> Result<Vec<OverdueGroup>, Error> {
    let rows = sqlx::query!(
        r#"
        select
          delivery.account_id, account.name as account_name, account.platform, tenant.name as tenant_name,
          count(*) as "overdue!", min(delivery.due_at) as "earliest!", max(delivery.due_at) as "latest!"
        from delivery
        join account on account.tenant_id = delivery.tenant_id and account.id = delivery.account_id
        join tenant on tenant.id = delivery.tenant_id
        where ($4 = '00000000-0000-0000-0000-000000000000'::uuid or delivery.tenant_id = $4)
          and (
            (delivery.state = 'held' and delivery.held_by_switch = $1)
            or (
              -- A file that halts has a switch of the same scope.
              (
                -- What a sender has taken and cannot begin comes back to be held, and has its choice then.
                (delivery.state in ('scheduled', 'claimed') and delivery.due_at <= $2)
                or (delivery.state = 'held' and delivery.hold_reason = 'local_file')
              )
              and rtv_switch_covers(
                $3, $4, $5, $6, $7, $8,
                delivery.tenant_id, delivery.platform, 'publish', delivery.account_id, delivery.campaign_id
              )
            )
          )
        group by tenant.id, tenant.name, account.platform, account.name, delivery.account_id
        order by tenant.name, account.platform, account.name, delivery.account_id
        "#,
        id.uuid(),
        now,
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
    rows.into_iter()
        .map(|row| {
            Ok(OverdueGroup {
                account: row.account_id.into(),
                account_name: row.account_name,
                platform: stored(row.platform.parse())?,
                tenant_name: row.tenant_name,
                overdue: row.overdue,
                earliest: row.earliest,
                latest: row.latest,
            })
        })
        .collect()
}

/// A delivery as it is found.
struct Found {
    tenant: Uuid,
    state: String,
    attempt_no: i32,
    overdue: Overdue,
}

/// Applies the plan to what is overdue, and the ramp also to what comes due while it lasts. `None`: an account has no choice.
pub(crate) async fn carry_out(
    tx: &mut Tx,
    of: &Columns,
    id: SwitchId,
    plan: &Plan,
    ramp: Ramp,
    who: &str,
    now: DateTime<Utc>,
) -> Result<Option<Done>, Error> {
    let is_careless = fault::is(Fault::ReleaseWithoutPlan);
    let rows = sqlx::query!(
        r#"
        select tenant_id, id, account_id, due_at, state, attempt_no, due_at > $2 and state = 'scheduled' as "is_upcoming!"
        from delivery
        where ($5 = '00000000-0000-0000-0000-000000000000'::uuid or tenant_id = $5)
          and (
            (state = 'held' and held_by_switch = $1)
            or (
              ((state = 'scheduled' and due_at <= $3) or (state = 'held' and hold_reason = 'local_file'))
              and rtv_switch_covers($4, $5, $6, $7, $8, $9, tenant_id, platform, 'publish', account_id, campaign_id)
            )
          )
        -- In the order in which senders hold rows (delivery/change.rs): a row that one of them has claimed since this statement began is
        -- held here too, and in another order each would wait for the other.
        order by tenant_id, id
        for update
        "#,
        id.uuid(),
        now,
        now + ramp.span(),
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
    let mut found: Vec<Found> = rows
        .into_iter()
        .map(|row| Found {
            tenant: row.tenant_id,
            state: row.state,
            attempt_no: row.attempt_no,
            overdue: Overdue {
                id: row.id,
                account: row.account_id.into(),
                due_at: row.due_at,
                is_upcoming: row.is_upcoming,
            },
        })
        .collect();
    // What is overdue goes first, the oldest before the others.
    found.sort_unstable_by_key(|one| (one.overdue.is_upcoming, one.overdue.due_at, one.overdue.id));
    let overdue: Vec<Overdue> = found.iter().map(|one| one.overdue).collect();
    let fates = if is_careless { Some(vec![Fate::Send(now); overdue.len()]) } else { apply(plan, ramp, &overdue, now) };
    let Some(fates) = fates else { return Ok(None) };
    write(tx, &found, &fates, who, now).await.map(Some)
}

async fn write(tx: &mut Tx, found: &[Found], fates: &[Fate], who: &str, now: DateTime<Utc>) -> Result<Done, Error> {
    let mut done = Done::default();
    let mut columns = Written::default();
    for (one, fate) in found.iter().zip(fates) {
        let (to, at, detail) = match fate {
            Fate::Send(at) => {
                done.resumed += 1;
                ("scheduled", Some(*at), format!("goes out at {} UTC", at.format("%Y-%m-%d %H:%M:%S")))
            }
            // It was not held, and nothing was decided about it.
            Fate::Wait(at) => {
                columns.waiting.push(one.overdue.id);
                columns.waiting_tenants.push(one.tenant);
                columns.waiting_until.push(*at);
                continue;
            }
            Fate::Approval => {
                done.returned += 1;
                ("in_review", None, "returned to approval when the switch was released".to_owned())
            }
            Fate::Drop => {
                done.dropped += 1;
                ("dropped", None, "dropped when the switch was released".to_owned())
            }
        };
        columns.tenants.push(one.tenant);
        columns.ids.push(one.overdue.id);
        columns.from.push(one.state.clone());
        columns.to.push(to.to_owned());
        columns.at.push(at);
        columns.attempts.push(one.attempt_no);
        columns.details.push(detail);
        columns.events.push(Uuid::now_v7());
    }
    sqlx::query!(
        r#"
        with new as (
          select *
          from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[]) as new (tenant_id, id, state, at)
        )
        update delivery
        set state = new.state, due_at = coalesce(new.at, delivery.due_at), not_before = new.at,
          wait_reason = case when new.at is not null then 'resumes after a halt' end,
          hold_reason = null, held_by_switch = null, held_at = null,
          approved_version = case when new.state = 'in_review' then null else delivery.approved_version end,
          approved_sha256 = case when new.state = 'in_review' then null else delivery.approved_sha256 end,
          approved_remote_id = case when new.state = 'in_review' then null else delivery.approved_remote_id end,
          approved_at = case when new.state = 'in_review' then null else delivery.approved_at end,
          approved_by_id = case when new.state = 'in_review' then null else delivery.approved_by_id end,
          approved_by = case when new.state = 'in_review' then null else delivery.approved_by end,
          outcome = case when new.state = 'dropped' then 'dropped when a switch was released' else delivery.outcome end,
          outcome_at = case when new.state = 'dropped' then $5 else delivery.outcome_at end,
          version = delivery.version + 1, updated_at = $5
        from new
        where delivery.tenant_id = new.tenant_id and delivery.id = new.id
        "#,
        &columns.tenants,
        &columns.ids,
        &columns.to,
        &columns.at as _,
        now,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query!(
        r#"
        update delivery
        set not_before = greatest(delivery.not_before, new.at), wait_reason = 'sending begins again slowly after a halt'
        from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as new (tenant_id, id, at)
        where delivery.tenant_id = new.tenant_id and delivery.id = new.id and new.at > delivery.ready_at
        "#,
        &columns.waiting_tenants,
        &columns.waiting,
        &columns.waiting_until,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query!(
        r#"
        insert into delivery_event (tenant_id, delivery_id, id, at, what, from_state, to_state, attempt_no, who, detail)
        select new.tenant_id, new.delivery_id, new.id, $8, 'resumed', new.from_state, new.to_state, new.attempt_no, $9, new.detail
        from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::integer[], $7::text[])
          as new (tenant_id, delivery_id, id, from_state, to_state, attempt_no, detail)
        "#,
        &columns.tenants,
        &columns.ids,
        &columns.events,
        &columns.from,
        &columns.to,
        &columns.attempts,
        &columns.details,
        now,
        who,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(done)
}

/// Columns of what is written, for statements that take all rows at once.
#[derive(Default)]
struct Written {
    tenants: Vec<Uuid>,
    ids: Vec<Uuid>,
    from: Vec<String>,
    to: Vec<String>,
    at: Vec<Option<DateTime<Utc>>>,
    attempts: Vec<i32>,
    details: Vec<String>,
    events: Vec<Uuid>,
    waiting_tenants: Vec<Uuid>,
    waiting: Vec<Uuid>,
    waiting_until: Vec<DateTime<Utc>>,
}

/// Takes up what is held by a switch that was released already. A claim saw the switch engaged, and the release in the same moment did not
/// see the delivery held; or a sender had taken it before the halt and gave it back after the release. The plan of that release holds for it. Returns how many there were.
pub(crate) async fn take_up(ctx: &Context, ramp: Ramp) -> Result<u64, Error> {
    let mut tx = ctx.begin_gate().await?;
    let rows = sqlx::query!(
        r#"
        select distinct
          switches.id as "switch!", kill_switch.tenant_id, kill_switch.kind, kill_switch.platform, kill_switch.action,
          kill_switch.account_id, kill_switch.campaign_id,
          (
            select switch_release.plan
            from switch_release
            where switch_release.tenant_id = kill_switch.tenant_id and switch_release.switch_id = kill_switch.id
              and switch_release.outcome = 'released'
            order by switch_release.settled_at desc
            limit 1
          ) as plan
        from (
          select distinct tenant_id, held_by_switch as id
          from delivery
          where state = 'held' and held_by_switch is not null
        ) as switches
        join kill_switch
          on kill_switch.tenant_id = any (array[switches.tenant_id, '00000000-0000-0000-0000-000000000000'])
          and kill_switch.id = switches.id and not kill_switch.is_engaged
        "#
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let mut taken = 0;
    for row in rows {
        let plan: Option<Plan> = row.plan.map(|value| stored(serde_json::from_value(value))).transpose()?;
        let mut plan = plan.unwrap_or_default();
        // Nobody decided over an account that had nothing overdue: what came due in that moment is not late.
        plan.all = plan.all.or(Some(Choice::Spread { minutes: 1 }));
        let columns = Columns {
            tenant_id: row.tenant_id,
            kind: row.kind,
            platform: row.platform,
            action: row.action,
            account_id: row.account_id,
            campaign_id: row.campaign_id,
        };
        let now = ctx.now();
        let held = overdue_of(&mut tx, row.switch).await?;
        let overdue: Vec<Overdue> = held.iter().map(|one| one.overdue).collect();
        if let Some(fates) = apply(&clamped(plan, now), ramp, &overdue, now) {
            write(&mut tx, &held, &fates, &ctx.actor().label(), now).await?;
            taken += held.len() as u64;
            tracing::info!(count = held.len(), scope = ?columns, "what was held while its switch was released goes on");
        }
    }
    tx.commit().await?;
    Ok(taken)
}

/// Takes up what a local file held, once no file and no switch stops it any more: whoever removed the file by hand has decided. What is
/// more than fifteen minutes late by then is for a person, as everything so late. Returns how many there were.
pub(crate) async fn take_up_after_files(ctx: &Context) -> Result<u64, Error> {
    let mut tx = ctx.begin_gate().await?;
    let rows = sqlx::query!(
        r#"
        select tenant_id, id, platform, account_id, campaign_id, attempt_no
        from delivery
        where state = 'held' and hold_reason = 'local_file'
          and rtv_covering_switch(tenant_id, platform, 'publish', account_id, campaign_id) is null
        order by due_at
        limit 1000
        for update skip locked
        "#
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    if rows.is_empty() {
        tx.rollback().await?;
        return Ok(0);
    }
    let files = sqlx::query_scalar!(
        r#"
        select sender_file.scope
        from sender_file
        join sender on sender.id = sender_file.sender_id
        where sender.lease_expires_at > clock_timestamp()
        "#
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let files = files
        .into_iter()
        .map(|scope| scope.map_or(Ok(Scope::Everything), |value| stored(serde_json::from_value(value))))
        .collect::<Result<Vec<Scope>, Error>>()?;
    let (mut tenants, mut ids, mut attempts, mut events) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let operation = Operation {
            tenant: row.tenant_id.into(),
            platform: stored(row.platform.parse())?,
            action: Action::Publish,
            account: row.account_id.into(),
            campaign: row.campaign_id.map(Into::into),
        };
        if !files.iter().any(|scope| scope.covers(&operation)) {
            tenants.push(row.tenant_id);
            ids.push(row.id);
            attempts.push(row.attempt_no);
            events.push(Uuid::now_v7());
        }
    }
    sqlx::query!(
        r#"
        update delivery
        set state = 'scheduled', hold_reason = null, held_at = null, version = delivery.version + 1, updated_at = $3
        from unnest($1::uuid[], $2::uuid[]) as new (tenant_id, id)
        where delivery.tenant_id = new.tenant_id and delivery.id = new.id
        "#,
        &tenants,
        &ids,
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query!(
        r#"
        insert into delivery_event (tenant_id, delivery_id, id, at, what, from_state, to_state, attempt_no, who, detail)
        select new.tenant_id, new.delivery_id, new.id, $5, 'resumed', 'held', 'scheduled', new.attempt_no, $6,
          'the file that halted it is gone'
        from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::integer[]) as new (tenant_id, delivery_id, id, attempt_no)
        "#,
        &tenants,
        &ids,
        &events,
        &attempts,
        ctx.now(),
        ctx.actor().label(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    tx.commit().await?;
    Ok(ids.len() as u64)
}

/// A plan whose times may have passed.
fn clamped(mut plan: Plan, now: DateTime<Utc>) -> Plan {
    let choices = plan.all.iter_mut().chain(plan.groups.iter_mut().map(|(_, choice)| choice));
    for choice in choices {
        if let Choice::Reschedule { at } = choice {
            *at = (*at).max(now + TimeDelta::seconds(1));
        }
    }
    plan
}

async fn overdue_of(tx: &mut Tx, switch: Uuid) -> Result<Vec<Found>, Error> {
    let rows = sqlx::query!(
        r#"
        select tenant_id, id, account_id, due_at, state, attempt_no
        from delivery
        where state = 'held' and held_by_switch = $1
        order by due_at, id
        for update skip locked
        "#,
        switch
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    Ok(rows
        .into_iter()
        .map(|row| Found {
            tenant: row.tenant_id,
            state: row.state,
            attempt_no: row.attempt_no,
            overdue: Overdue { id: row.id, account: row.account_id.into(), due_at: row.due_at, is_upcoming: false },
        })
        .collect())
}
