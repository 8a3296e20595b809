//! Changing deliveries: rows are read under a lock, [`rtv_core::delivery::step`] decides, and rows, attempts and history are
//! written as sets in the same transaction. No other file writes the state of a delivery.

use chrono::{DateTime, Utc};
use rtv_core::delivery::{AttemptState, Effect, Event, HoldReason, Refused, Standing, State, step};
use rtv_core::fault::{self, Fault};
use rtv_core::{AccountId, Action, DeliveryId, Error, SwitchId, TenantId};
use uuid::Uuid;

use crate::access::stored;
use crate::transaction::{Tx, failed};

/// Names a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Whose it is.
    pub tenant: TenantId,
    /// Which.
    pub delivery: DeliveryId,
}

/// The part of a delivery that changes while it is on its way.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) key: Key,
    pub(crate) account: AccountId,
    pub(crate) standing: Standing,
    pub(crate) scheduled_at: DateTime<Utc>,
    pub(crate) due_at: DateTime<Utc>,
    pub(crate) not_before: Option<DateTime<Utc>>,
    pub(crate) wait_reason: Option<String>,
    pub(crate) held_by_switch: Option<SwitchId>,
    pub(crate) held_at: Option<DateTime<Utc>>,
    pub(crate) outcome: Option<String>,
    pub(crate) outcome_at: Option<DateTime<Utc>>,
    pub(crate) remote_id: Option<String>,
    pub(crate) unknown_at: Option<DateTime<Utc>>,
    pub(crate) looks_from: Option<DateTime<Utc>>,
    pub(crate) looks: i16,
    pub(crate) next_look_at: Option<DateTime<Utc>>,
    pub(crate) confirmed_at: Option<DateTime<Utc>>,
    pub(crate) published_at: Option<DateTime<Utc>>,
    pub(crate) approval: Option<Approval>,
    pub(crate) told_at: Option<DateTime<Utc>>,
    pub(crate) version: i64,
}

/// What was approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Approval {
    pub(crate) version: i64,
    pub(crate) sha256: Vec<u8>,
    pub(crate) remote_id: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) by_id: Option<Uuid>,
    pub(crate) by: String,
    /// What is shown beside what it is now. Written once and kept when the approval is void.
    pub(crate) snapshot: Option<serde_json::Value>,
}

impl Row {
    /// Says what came of it, for people.
    pub(crate) fn tell(&mut self, now: DateTime<Utc>, outcome: impl Into<String>) {
        self.outcome = Some(outcome.into());
        self.outcome_at = Some(now);
    }

    /// Keeps it back for a while and says why.
    pub(crate) fn wait(&mut self, until: DateTime<Utc>, why: impl Into<String>) {
        self.not_before = Some(until);
        self.wait_reason = Some(why.into());
    }
}

/// What an attempt became; what is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct AttemptChange {
    pub(crate) state: Option<AttemptState>,
    pub(crate) outcome: Option<String>,
    pub(crate) remote_id: Option<String>,
    pub(crate) author: Option<String>,
    pub(crate) first_byte_at: Option<DateTime<Utc>>,
    pub(crate) last_byte_at: Option<DateTime<Utc>>,
    pub(crate) answered_at: Option<DateTime<Utc>>,
    pub(crate) is_late: bool,
}

/// One line of a delivery's history.
struct Happened {
    key: Key,
    what: &'static str,
    from: State,
    to: State,
    attempt: i32,
    detail: Option<String>,
}

/// Deliveries that are changed together.
pub(crate) struct Batch {
    now: DateTime<Utc>,
    who: String,
    pub(crate) rows: Vec<Row>,
    is_changed: Vec<bool>,
    attempts: Vec<(Key, i32, AttemptChange)>,
    events: Vec<Happened>,
}

impl Batch {
    /// Locks and reads deliveries, in an order that is the same for everybody. Those that are not there are left out.
    pub(crate) async fn hold(tx: &mut Tx, keys: &[Key], who: impl Into<String>) -> Result<Self, Error> {
        let tenants: Vec<Uuid> = keys.iter().map(|key| key.tenant.uuid()).collect();
        let deliveries: Vec<Uuid> = keys.iter().map(|key| key.delivery.uuid()).collect();
        let rows = sqlx::query_as!(
            Stored,
            r#"
            select
              delivery.tenant_id, delivery.id, delivery.account_id, delivery.state, delivery.attempt_no, delivery.may_be_out,
              delivery.absent_looks, delivery.hold_reason, delivery.scheduled_at, delivery.due_at, delivery.not_before,
              delivery.wait_reason, delivery.held_by_switch, delivery.held_at, delivery.outcome, delivery.outcome_at,
              delivery.remote_id, delivery.unknown_at, delivery.looks_from, delivery.looks, delivery.next_look_at,
              delivery.confirmed_at, delivery.published_at, delivery.approved_version, delivery.approved_sha256,
              delivery.approved_remote_id, delivery.approved_at, delivery.approved_by_id, delivery.approved_by,
              delivery.approved_snapshot, delivery.told_at, delivery.version
            from delivery
            join unnest($1::uuid[], $2::uuid[]) as named (tenant_id, id)
              on named.tenant_id = delivery.tenant_id and named.id = delivery.id
            order by delivery.tenant_id, delivery.id
            for update of delivery
            "#,
            &tenants,
            &deliveries,
        )
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
        let rows: Vec<Row> = rows.into_iter().map(Row::try_from).collect::<Result<_, _>>()?;
        let is_changed = vec![false; rows.len()];
        Ok(Self { now: tx.now(), who: who.into(), rows, is_changed, attempts: Vec::new(), events: Vec::new() })
    }

    /// The instant that its rows carry.
    pub(crate) const fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Where a delivery stands in the batch.
    pub(crate) fn place(&self, key: Key) -> Option<usize> {
        self.rows.iter().position(|row| row.key == key)
    }

    /// The row as it is to be written; what is changed in it is no step.
    pub(crate) fn change(&mut self, place: usize) -> &mut Row {
        self.is_changed[place] = true;
        &mut self.rows[place]
    }

    /// Does to a delivery what the event does, if it may. `what` names it in the history.
    pub(crate) fn apply(
        &mut self,
        place: usize,
        event: Event,
        what: &'static str,
        detail: Option<String>,
    ) -> Result<(), Refused> {
        let now = self.now;
        let row = &mut self.rows[place];
        let before = row.standing;
        let (standing, effects) = match (step(before, event), event) {
            (Err(_), Event::Accepted { .. } | Event::NotSent { .. }) if fault::is(Fault::ResultUnfenced) => {
                unfenced(before, event)
            }
            (outcome, _) => outcome?,
        };
        row.standing = standing;
        self.is_changed[place] = true;
        let row = &mut self.rows[place];
        if standing.state != before.state {
            settle(row, before, now);
        }
        if let Some(detail) = &detail {
            row.tell(now, detail.clone());
        }
        for effect in &effects {
            match effect {
                // The claim writes the row of the attempt.
                Effect::OpenAttempt => {}
                Effect::Attempt(state) => {
                    let change =
                        AttemptChange { state: Some(*state), outcome: detail.clone(), ..AttemptChange::default() };
                    self.attempts.push((row.key, standing.attempt, change));
                }
                Effect::VoidApproval => row.approval = None,
                // `alarm` finds these by what their rows say, so that a process that dies here forgets none.
                Effect::TellPeople | Effect::EngageAccountSwitch => row.told_at = None,
            }
        }
        self.events.push(Happened {
            key: row.key,
            what,
            from: before.state,
            to: standing.state,
            attempt: standing.attempt,
            detail,
        });
        Ok(())
    }

    /// Says more of the newest attempt of a delivery; its state came with the step.
    pub(crate) fn report(&mut self, place: usize, change: AttemptChange) {
        let row = &self.rows[place];
        let (key, attempt) = (row.key, row.standing.attempt);
        match self.attempts.iter_mut().rev().find(|(of, number, _)| *of == key && *number == attempt) {
            Some((_, _, known)) => {
                *known = AttemptChange {
                    state: change.state.or(known.state),
                    outcome: change.outcome.or(known.outcome.take()),
                    ..change
                };
            }
            None => self.attempts.push((key, attempt, change)),
        }
    }

    /// Writes all of it.
    pub(crate) async fn write(&mut self, tx: &mut Tx) -> Result<(), Error> {
        self.keep_to_plans(tx).await?;
        let changed: Vec<&Row> =
            self.rows.iter().zip(&self.is_changed).filter(|(_, is_changed)| **is_changed).map(|(row, _)| row).collect();
        // Attempts first: a delivery that is scheduled again has none that is open.
        write_attempts(tx, &self.attempts, self.now).await?;
        write_rows(tx, &changed, self.now).await?;
        write_events(tx, &self.events, self.now, &self.who).await
    }
}

impl Batch {
    /// What comes back to the queue from an attempt, and a switch was engaged over it or released since it was claimed, does not
    /// go out by itself: the plan of that release holds for it as for all that the switch kept back.
    async fn keep_to_plans(&mut self, tx: &mut Tx) -> Result<(), Error> {
        let is_back = |row: &Row| {
            row.standing.state == State::Scheduled
                && self.events.iter().any(|event| {
                    event.key == row.key
                        && matches!(event.from, State::Claimed | State::Sending | State::Accepted | State::Unknown)
                })
        };
        let back: Vec<(Key, i32)> =
            self.rows.iter().filter(|row| is_back(row)).map(|row| (row.key, row.standing.attempt)).collect();
        for (key, switch) in halted_since_claim(tx, &back).await? {
            let Some(place) = self.place(key) else { continue };
            if self.apply(place, Event::Hold(HoldReason::Switch), "held", Some(HALTED_SINCE_CLAIM.into())).is_ok() {
                self.change(place).held_by_switch = Some(switch);
            }
        }
        Ok(())
    }
}

/// Why what was claimed before a release does not go out by itself.
pub(crate) const HALTED_SINCE_CLAIM: &str = "A kill switch was engaged since a sender had taken it.";

/// Attempts over whose operation a switch is engaged, or was released since they were claimed, with that switch.
pub(crate) async fn halted_since_claim(tx: &mut Tx, attempts: &[(Key, i32)]) -> Result<Vec<(Key, SwitchId)>, Error> {
    if attempts.is_empty() || fault::is(Fault::ReleaseWithoutPlan) {
        return Ok(Vec::new());
    }
    let rows = sqlx::query!(
        r#"
        select halted.tenant_id as "tenant_id!", halted.id as "id!", halted.switch_id as "switch_id!"
        from (
          select
            delivery.tenant_id, delivery.id,
            rtv_halting_switch(
              delivery.tenant_id, delivery.platform, $4, delivery.account_id, delivery.campaign_id, attempt.claimed_at
            ) as switch_id
          from unnest($1::uuid[], $2::uuid[], $3::integer[]) as named (tenant_id, id, attempt_no)
          join delivery on delivery.tenant_id = named.tenant_id and delivery.id = named.id
          join attempt
            on attempt.tenant_id = named.tenant_id and attempt.delivery_id = named.id
            and attempt.attempt_no = named.attempt_no
        ) as halted
        where halted.switch_id is not null
        "#,
        &attempts.iter().map(|(key, _)| key.tenant.uuid()).collect::<Vec<_>>(),
        &attempts.iter().map(|(key, _)| key.delivery.uuid()).collect::<Vec<_>>(),
        &attempts.iter().map(|(_, attempt)| *attempt).collect::<Vec<_>>(),
        Action::Publish.key(),
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    Ok(rows
        .into_iter()
        .map(|row| (Key { tenant: row.tenant_id.into(), delivery: row.id.into() }, row.switch_id.into()))
        .collect())
}

/// What a step leaves behind in the columns that say more than the state.
fn settle(row: &mut Row, before: Standing, now: DateTime<Utc>) {
    let state = row.standing.state;
    if state == State::Held {
        row.held_at = Some(now);
    } else {
        row.held_at = None;
        row.held_by_switch = None;
    }
    if state != State::Scheduled {
        row.not_before = None;
        row.wait_reason = None;
    }
    match state {
        State::Unknown | State::Accepted if !matches!(before.state, State::Unknown | State::Accepted) => {
            row.unknown_at = Some(now);
            row.looks = 0;
        }
        State::Confirmed => {
            row.confirmed_at = Some(now);
            row.next_look_at = None;
        }
        State::Unknown | State::Accepted => {}
        _ => {
            row.next_look_at = None;
            if !row.standing.may_be_out {
                row.unknown_at = None;
                row.looks_from = None;
                row.remote_id = None;
                row.published_at = None;
            }
        }
    }
}

/// What a planted bug makes of a result that came too late.
fn unfenced(now: Standing, event: Event) -> (Standing, Vec<Effect>) {
    let state = if matches!(event, Event::Accepted { .. }) { State::Accepted } else { State::Scheduled };
    (Standing { state, may_be_out: state == State::Accepted, hold: None, ..now }, Vec::new())
}

pub(crate) struct Stored {
    pub(crate) tenant_id: Uuid,
    pub(crate) id: Uuid,
    pub(crate) account_id: Uuid,
    pub(crate) state: String,
    pub(crate) attempt_no: i32,
    pub(crate) may_be_out: bool,
    pub(crate) absent_looks: i16,
    pub(crate) hold_reason: Option<String>,
    pub(crate) scheduled_at: DateTime<Utc>,
    pub(crate) due_at: DateTime<Utc>,
    pub(crate) not_before: Option<DateTime<Utc>>,
    pub(crate) wait_reason: Option<String>,
    pub(crate) held_by_switch: Option<Uuid>,
    pub(crate) held_at: Option<DateTime<Utc>>,
    pub(crate) outcome: Option<String>,
    pub(crate) outcome_at: Option<DateTime<Utc>>,
    pub(crate) remote_id: Option<String>,
    pub(crate) unknown_at: Option<DateTime<Utc>>,
    pub(crate) looks_from: Option<DateTime<Utc>>,
    pub(crate) looks: i16,
    pub(crate) next_look_at: Option<DateTime<Utc>>,
    pub(crate) confirmed_at: Option<DateTime<Utc>>,
    pub(crate) published_at: Option<DateTime<Utc>>,
    pub(crate) approved_version: Option<i64>,
    pub(crate) approved_sha256: Option<Vec<u8>>,
    pub(crate) approved_remote_id: Option<String>,
    pub(crate) approved_at: Option<DateTime<Utc>>,
    pub(crate) approved_by_id: Option<Uuid>,
    pub(crate) approved_by: Option<String>,
    pub(crate) approved_snapshot: Option<serde_json::Value>,
    pub(crate) told_at: Option<DateTime<Utc>>,
    pub(crate) version: i64,
}

impl TryFrom<Stored> for Row {
    type Error = Error;

    fn try_from(row: Stored) -> Result<Self, Error> {
        let hold: Option<HoldReason> = row.hold_reason.map(|reason| stored(reason.parse())).transpose()?;
        let approval = match (row.approved_version, row.approved_sha256, row.approved_remote_id, row.approved_at) {
            (Some(version), Some(sha256), Some(remote_id), Some(at)) => Some(Approval {
                version,
                sha256,
                remote_id,
                at,
                by_id: row.approved_by_id,
                by: row.approved_by.unwrap_or_default(),
                snapshot: row.approved_snapshot,
            }),
            _ => None,
        };
        Ok(Self {
            key: Key { tenant: row.tenant_id.into(), delivery: row.id.into() },
            account: row.account_id.into(),
            standing: Standing {
                state: stored(row.state.parse())?,
                attempt: row.attempt_no,
                may_be_out: row.may_be_out,
                absent_looks: u8::try_from(row.absent_looks).unwrap_or_default(),
                hold,
            },
            scheduled_at: row.scheduled_at,
            due_at: row.due_at,
            not_before: row.not_before,
            wait_reason: row.wait_reason,
            held_by_switch: row.held_by_switch.map(SwitchId::from),
            held_at: row.held_at,
            outcome: row.outcome,
            outcome_at: row.outcome_at,
            remote_id: row.remote_id,
            unknown_at: row.unknown_at,
            looks_from: row.looks_from,
            looks: row.looks,
            next_look_at: row.next_look_at,
            confirmed_at: row.confirmed_at,
            published_at: row.published_at,
            approval,
            told_at: row.told_at,
            version: row.version,
        })
    }
}

/// A column of a set of rows.
fn column<'a, R: 'a, T>(rows: &[&'a R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(|row| value(row)).collect()
}

async fn write_rows(tx: &mut Tx, rows: &[&Row], now: DateTime<Utc>) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"
        update delivery
        set
          state = new.state, attempt_no = new.attempt_no, may_be_out = new.may_be_out, absent_looks = new.absent_looks,
          hold_reason = new.hold_reason, scheduled_at = new.scheduled_at, due_at = new.due_at, not_before = new.not_before,
          wait_reason = new.wait_reason, held_by_switch = new.held_by_switch, held_at = new.held_at, outcome = new.outcome,
          outcome_at = new.outcome_at, remote_id = new.remote_id, unknown_at = new.unknown_at, looks_from = new.looks_from,
          looks = new.looks, next_look_at = new.next_look_at, confirmed_at = new.confirmed_at,
          published_at = new.published_at, approved_version = new.approved_version, approved_sha256 = new.approved_sha256,
          approved_remote_id = new.approved_remote_id, approved_at = new.approved_at, approved_by_id = new.approved_by_id,
          approved_by = new.approved_by, approved_snapshot = coalesce(new.approved_snapshot, delivery.approved_snapshot),
          told_at = new.told_at, version = delivery.version + 1, updated_at = $29
        from unnest(
          $1::uuid[], $2::uuid[], $3::text[], $4::integer[], $5::boolean[], $6::smallint[], $7::text[], $8::timestamptz[],
          $9::timestamptz[], $10::text[], $11::uuid[], $12::timestamptz[], $13::text[], $14::timestamptz[], $15::text[],
          $16::timestamptz[], $17::timestamptz[], $18::smallint[], $19::timestamptz[], $20::timestamptz[], $21::timestamptz[],
          $22::bigint[], $23::bytea[], $24::text[], $25::timestamptz[], $26::uuid[], $27::text[], $28::jsonb[], $30::timestamptz[],
          $31::timestamptz[]
        ) as new (
          tenant_id, id, state, attempt_no, may_be_out, absent_looks, hold_reason, due_at,
          not_before, wait_reason, held_by_switch, held_at, outcome, outcome_at, remote_id,
          unknown_at, looks_from, looks, next_look_at, confirmed_at, published_at,
          approved_version, approved_sha256, approved_remote_id, approved_at, approved_by_id, approved_by, approved_snapshot,
          scheduled_at, told_at
        )
        where delivery.tenant_id = new.tenant_id and delivery.id = new.id
        "#,
        &column(rows, |row| row.key.tenant.uuid()),
        &column(rows, |row| row.key.delivery.uuid()),
        &column(rows, |row| row.standing.state.key().to_owned()),
        &column(rows, |row| row.standing.attempt),
        &column(rows, |row| row.standing.may_be_out),
        &column(rows, |row| i16::from(row.standing.absent_looks)),
        &column(rows, |row| row.standing.hold.map(|reason| reason.key().to_owned())) as _,
        &column(rows, |row| row.due_at),
        &column(rows, |row| row.not_before) as _,
        &column(rows, |row| row.wait_reason.clone()) as _,
        &column(rows, |row| row.held_by_switch.map(SwitchId::uuid)) as _,
        &column(rows, |row| row.held_at) as _,
        &column(rows, |row| row.outcome.clone()) as _,
        &column(rows, |row| row.outcome_at) as _,
        &column(rows, |row| row.remote_id.clone()) as _,
        &column(rows, |row| row.unknown_at) as _,
        &column(rows, |row| row.looks_from) as _,
        &column(rows, |row| row.looks),
        &column(rows, |row| row.next_look_at) as _,
        &column(rows, |row| row.confirmed_at) as _,
        &column(rows, |row| row.published_at) as _,
        &column(rows, |row| row.approval.as_ref().map(|approval| approval.version)) as _,
        &column(rows, |row| row.approval.as_ref().map(|approval| approval.sha256.clone())) as _,
        &column(rows, |row| row.approval.as_ref().map(|approval| approval.remote_id.clone())) as _,
        &column(rows, |row| row.approval.as_ref().map(|approval| approval.at)) as _,
        &column(rows, |row| row.approval.as_ref().and_then(|approval| approval.by_id)) as _,
        &column(rows, |row| row.approval.as_ref().map(|approval| approval.by.clone())) as _,
        &column(rows, |row| row.approval.as_ref().and_then(|approval| approval.snapshot.clone())) as _,
        now,
        &column(rows, |row| row.scheduled_at),
        &column(rows, |row| row.told_at) as _,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}

async fn write_attempts(tx: &mut Tx, attempts: &[(Key, i32, AttemptChange)], now: DateTime<Utc>) -> Result<(), Error> {
    if attempts.is_empty() {
        return Ok(());
    }
    let all: Vec<&(Key, i32, AttemptChange)> = attempts.iter().collect();
    sqlx::query!(
        r#"
        update attempt
        set
          state = coalesce(new.state, attempt.state), outcome = coalesce(new.outcome, attempt.outcome),
          remote_id = coalesce(new.remote_id, attempt.remote_id),
          author_remote_id = coalesce(new.author_remote_id, attempt.author_remote_id),
          first_byte_at = coalesce(new.first_byte_at, attempt.first_byte_at),
          last_byte_at = coalesce(new.last_byte_at, attempt.last_byte_at),
          answered_at = coalesce(new.answered_at, attempt.answered_at),
          is_late_egress = attempt.is_late_egress or new.is_late_egress,
          closed_at = case when new.state in ('absent', 'not_sent', 'rejected', 'dropped', 'confirmed') then $12 else attempt.closed_at end
        from unnest(
          $1::uuid[], $2::uuid[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
          $9::timestamptz[], $10::timestamptz[], $11::boolean[]
        ) as new (
          tenant_id, delivery_id, attempt_no, state, outcome, remote_id, author_remote_id, first_byte_at, last_byte_at,
          answered_at, is_late_egress
        )
        where attempt.tenant_id = new.tenant_id and attempt.delivery_id = new.delivery_id and attempt.attempt_no = new.attempt_no
        "#,
        &column(&all, |(key, _, _)| key.tenant.uuid()),
        &column(&all, |(key, _, _)| key.delivery.uuid()),
        &column(&all, |(_, attempt, _)| *attempt),
        &column(&all, |(_, _, change)| change.state.map(|state| state.key().to_owned())) as _,
        &column(&all, |(_, _, change)| change.outcome.clone()) as _,
        &column(&all, |(_, _, change)| change.remote_id.clone()) as _,
        &column(&all, |(_, _, change)| change.author.clone()) as _,
        &column(&all, |(_, _, change)| change.first_byte_at) as _,
        &column(&all, |(_, _, change)| change.last_byte_at) as _,
        &column(&all, |(_, _, change)| change.answered_at) as _,
        &column(&all, |(_, _, change)| change.is_late),
        now,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}

async fn write_events(tx: &mut Tx, events: &[Happened], now: DateTime<Utc>, who: &str) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    let all: Vec<&Happened> = events.iter().collect();
    sqlx::query!(
        r#"
        insert into delivery_event (tenant_id, delivery_id, id, at, what, from_state, to_state, attempt_no, who, detail)
        select new.tenant_id, new.delivery_id, new.id, $9, new.what, new.from_state, new.to_state, new.attempt_no, $10, new.detail
        from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::integer[], $8::text[])
          as new (tenant_id, delivery_id, id, what, from_state, to_state, attempt_no, detail)
        "#,
        &column(&all, |event| event.key.tenant.uuid()),
        &column(&all, |event| event.key.delivery.uuid()),
        &column(&all, |_| Uuid::now_v7()),
        &column(&all, |event| event.what.to_owned()),
        &column(&all, |event| event.from.key().to_owned()),
        &column(&all, |event| event.to.key().to_owned()),
        &column(&all, |event| event.attempt),
        &column(&all, |event| event.detail.clone()) as _,
        now,
        who,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}
