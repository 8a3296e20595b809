//! Past halts with their receipts. Both are stored once by `record.rs`, so a receipt that is opened later says the same.

use core::fmt;
use core::str::FromStr;

use chrono::{DateTime, Utc};
use rtv_core::{DeliveryId, Error, HaltId, Platform, ReasonKind, Scope, SwitchId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::stored;
use crate::kill_switch::Side;
use crate::kill_switch::record;
use crate::kill_switch::scope::Columns;
use crate::kill_switch::state::{Facts, State, engaged};
use crate::transaction::failed;

/// A halt in the history.
#[derive(Debug, Clone, PartialEq)]
pub struct HaltHistory {
    /// Id.
    pub id: HaltId,
    /// The switch.
    pub switch: SwitchId,
    /// What it covered.
    pub scope: Scope,
    /// Its name at that time.
    pub name: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: String,
    /// Whether it was staff.
    pub is_staff: bool,
    /// Whether it was RTV itself.
    pub is_automatic: bool,
    /// Why, from the list.
    pub reason: ReasonKind,
    /// Why, in words.
    pub note: Option<String>,
    /// Since when nothing that it covered has begun; none: it has not come to rest, or was released before it had.
    pub halted_at: Option<DateTime<Utc>>,
    /// From the click to that, in milliseconds.
    pub click_to_halt_ms: Option<f64>,
    /// Deliveries that it held when its receipt was written; in a tenant those of the tenant.
    pub held: Option<i64>,
    /// Calls of which bytes left after the flip; likewise.
    pub late: Option<i64>,
    /// When it was released; none: it is engaged.
    pub released_at: Option<DateTime<Utc>>,
    /// Who asked for that.
    pub released_by: Option<String>,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// Why.
    pub release_reason: Option<String>,
    /// Whether its receipt is complete.
    pub is_complete: bool,
}

/// A page of the history, the newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryPage {
    /// At most 25.
    pub items: Vec<HaltHistory>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
}

/// Where a page of the history begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Cursor {
    at: DateTime<Utc>,
    id: Uuid,
}

/// What a sender of the time did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderProof {
    /// Host and process.
    pub name: String,
    /// When it had acknowledged.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// When its lease had lapsed instead.
    pub lapsed_at: Option<DateTime<Utc>>,
}

/// A call that was under way between the click and the halt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Which attempt of it.
    pub attempt: i32,
    /// Where.
    pub platform: Platform,
    /// Name of the account.
    pub account: String,
    /// When its first byte left; none: none did.
    pub first_byte_at: Option<DateTime<Utc>>,
    /// When its last byte left.
    pub last_byte_at: Option<DateTime<Utc>>,
    /// Where the attempt stood when the receipt was written: `accepted`, `confirmed`, `unknown`, `not_sent`, `rejected`…
    pub state: String,
    /// What came of it, in words.
    pub outcome: Option<String>,
    /// Whether bytes left while the epoch moved or the lease ended.
    pub is_late: bool,
}

/// What a halt held and met.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Deliveries that were due and held.
    pub held: i64,
    /// Deliveries that would have come due within 24 hours.
    pub due_within_a_day: i64,
    /// Calls that were under way, at most 1,000 of them.
    pub calls: Vec<Call>,
    /// How many there were.
    pub calls_in_flight: i64,
    /// When the last byte of any of them left.
    pub last_outbound_byte_at: Option<DateTime<Utc>>,
}

/// The receipt of a halt.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The halt.
    pub halt: HaltId,
    /// The switch.
    pub switch: SwitchId,
    /// What it covered.
    pub scope: Scope,
    /// Its name at that time.
    pub name: String,
    /// Who, when and why.
    pub facts: Facts,
    /// Where it stood, or, for one that is not complete, stands.
    pub state: State,
    /// When the request to halt had arrived, by the database's clock.
    pub clicked_at: DateTime<Utc>,
    /// Since when nothing that it covered has begun.
    pub halted_at: Option<DateTime<Utc>>,
    /// From the click to that, in milliseconds.
    pub click_to_halt_ms: Option<f64>,
    /// Each sender of the time.
    pub senders: Vec<SenderProof>,
    /// What it held and met; in a tenant, of the tenant.
    pub part: Part,
    /// When the receipt was complete; none: it is not, and what it says still changes.
    pub completed_at: Option<DateTime<Utc>>,
    /// Whether the switch is engaged by this halt still.
    pub is_engaged: bool,
    /// When it was released.
    pub released_at: Option<DateTime<Utc>>,
    /// Who asked for that.
    pub released_by: Option<String>,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// Why.
    pub release_reason: Option<String>,
}

/// Entries of a page.
const PAGE: i64 = 25;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.at.timestamp_micros(), self.id.simple())
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        cursor.to_string()
    }
}

impl FromStr for Cursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || "this is no place in the history; begin at its first page".to_owned();
        let (at, id) = text.split_once('-').ok_or_else(refused)?;
        let at = at.parse().ok().and_then(DateTime::from_timestamp_micros).ok_or_else(refused)?;
        Ok(Self { at, id: Uuid::try_parse(id).map_err(|_| refused())? })
    }
}

/// Milliseconds between two instants, with their fractions.
fn milliseconds(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    // Spans of halts are far below the 285 years that microseconds hold, and below what an f64 holds exactly.
    #[allow(clippy::cast_precision_loss)]
    let microseconds = (to - from).num_microseconds().unwrap_or(i64::MAX) as f64;
    microseconds / 1_000.0
}

/// Past and present halts, the newest first; in a tenant: its own, and the operator's. One that was asked for a moment ago may not be in
/// it yet.
pub async fn history(side: Side<'_>, after: Option<Cursor>) -> Result<HistoryPage, Error> {
    let mut tx = side.begin_to_look().await?;
    let rows = sqlx::query!(
        r#"
        select
          halt.tenant_id, halt.id, halt.switch_id, halt.kind, halt.platform, halt.action, halt.account_id, halt.campaign_id,
          halt.scope_name, halt.engaged_at, halt.clicked_at, halt.actor_label, halt.is_staff, halt.is_automatic, halt.reason,
          halt.note, halt.halted_at, halt.completed_at, halt.released_at, halt.released_by, halt.approved_by,
          halt.release_reason,
          (halt_receipt.receipt ->> 'held')::bigint as held,
          jsonb_array_length(
            jsonb_path_query_array(halt_receipt.receipt, '$.calls[*] ? (@.is_late == true)')
          )::bigint as late
        from halt
        left join halt_receipt
          on halt_receipt.halt_id = halt.id and halt_receipt.tenant_id = coalesce($1, halt.tenant_id)
        where $2::timestamptz is null or (halt.engaged_at, halt.id) < ($2, $3)
        order by halt.engaged_at desc, halt.id desc
        limit $4
        "#,
        side.tenant().map(rtv_core::TenantId::uuid),
        after.map(|cursor| cursor.at),
        after.map(|cursor| cursor.id),
        PAGE + 1,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    let has_more = rows.len() > 25;
    let items = rows
        .into_iter()
        .take(25)
        .map(|row| {
            let scope = Columns {
                tenant_id: row.tenant_id,
                kind: row.kind,
                platform: row.platform,
                action: row.action,
                account_id: row.account_id,
                campaign_id: row.campaign_id,
            }
            .scope()?;
            Ok(HaltHistory {
                id: row.id.into(),
                switch: row.switch_id.into(),
                scope,
                name: row.scope_name,
                at: row.engaged_at,
                by: row.actor_label,
                is_staff: row.is_staff,
                is_automatic: row.is_automatic,
                reason: stored(row.reason.parse())?,
                note: row.note,
                halted_at: row.halted_at,
                click_to_halt_ms: row.halted_at.map(|at| milliseconds(row.clicked_at, at)),
                // Nothing of the tenant was met: then there is no part of it.
                held: row.held.or(row.completed_at.map(|_| 0)),
                late: row.late.or(row.completed_at.map(|_| 0)),
                released_at: row.released_at,
                released_by: row.released_by,
                approved_by: row.approved_by,
                release_reason: row.release_reason,
                is_complete: row.completed_at.is_some(),
            })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let next = items.last().filter(|_| has_more).map(|last| Cursor { at: last.at, id: last.id.uuid() });
    Ok(HistoryPage { items, next })
}

/// The newest halt of a switch, engaged or not. One that never was, or of others: [`Error::NotFound`].
pub async fn newest_halt(side: Side<'_>, id: SwitchId) -> Result<HaltId, Error> {
    let mut tx = side.begin_to_look().await?;
    let halt = sqlx::query_scalar!(
        r#"
        select halt_id as "halt_id!"
        from kill_switch
        where id = $1 and halt_id is not null and kind <> 'drill'
        "#,
        id.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    halt.map(HaltId::from).ok_or(Error::NotFound)
}

/// The receipt of a halt, from the first moment on; once it is complete it says the same for good. In a tenant a halt of the
/// operator's tells what it held and met of the tenant.
#[expect(clippy::too_many_lines, reason = "it is a few statements and their rows")]
pub async fn receipt(side: Side<'_>, id: HaltId) -> Result<Receipt, Error> {
    let mut tx = side.begin_to_look().await?;
    let row = sqlx::query!(
        r#"
        select
          kill_switch.tenant_id, kill_switch.kind, kill_switch.platform, kill_switch.action, kill_switch.account_id,
          kill_switch.campaign_id, kill_switch.id as switch_id
        from kill_switch
        where kill_switch.halt_id = $1 and kill_switch.is_engaged and kill_switch.kind <> 'drill'
        "#,
        id.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let now_engaged = match &row {
        Some(row) => engaged(&mut tx, side, Some(row.switch_id.into())).await?.into_iter().find(|one| one.halt == id),
        None => None,
    };
    let halt = sqlx::query!(
        r#"
        select
          halt.tenant_id, halt.switch_id, halt.kind, halt.platform, halt.action, halt.account_id, halt.campaign_id,
          halt.scope_name, halt.engaged_at, halt.clicked_at, halt.actor_label, halt.is_staff, halt.is_automatic, halt.reason,
          halt.note, halt.ticket, halt.halted_at, halt.senders, halt.completed_at, halt.released_at, halt.released_by,
          halt.approved_by, halt.release_reason, halt_receipt.receipt as "receipt?"
        from halt
        left join halt_receipt
          on halt_receipt.halt_id = halt.id and halt_receipt.tenant_id = coalesce($2, halt.tenant_id)
        where halt.id = $1
        "#,
        id.uuid(),
        side.tenant().map(rtv_core::TenantId::uuid),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let Some(halt) = halt else {
        // It was asked for a moment ago, and nobody has written it down yet.
        let one = now_engaged.ok_or(Error::NotFound)?;
        tx.rollback().await?;
        return Ok(Receipt {
            halt: id,
            switch: one.id,
            scope: one.scope,
            name: one.name,
            clicked_at: one.facts.at,
            facts: one.facts,
            state: one.state,
            halted_at: None,
            click_to_halt_ms: None,
            senders: Vec::new(),
            part: Part { held: one.held, calls_in_flight: one.in_flight, ..Part::default() },
            completed_at: None,
            is_engaged: true,
            released_at: None,
            released_by: None,
            approved_by: None,
            release_reason: None,
        });
    };
    let columns = Columns {
        tenant_id: halt.tenant_id,
        kind: halt.kind,
        platform: halt.platform,
        action: halt.action,
        account_id: halt.account_id,
        campaign_id: halt.campaign_id,
    };
    let part = match (halt.receipt, halt.completed_at) {
        (Some(value), Some(_)) => stored(serde_json::from_value(value))?,
        (None, Some(_)) => Part::default(),
        (_, None) => {
            let now = side.context().now();
            let (parts, _) =
                record::parts(&mut tx, &columns, halt.switch_id.into(), halt.clicked_at, halt.halted_at, now).await?;
            record::sum(parts.values())
        }
    };
    tx.rollback().await?;
    let is_engaged = now_engaged.is_some();
    let state = match (halt.completed_at, halt.halted_at, &now_engaged) {
        (Some(_), Some(at), _) => State::Halted { at },
        (_, _, Some(one)) => one.state,
        // It was released before it had come to rest.
        _ => State::Running,
    };
    Ok(Receipt {
        halt: id,
        switch: halt.switch_id.into(),
        scope: columns.scope()?,
        name: halt.scope_name,
        facts: Facts {
            at: halt.engaged_at,
            by: halt.actor_label,
            is_staff: halt.is_staff,
            is_automatic: halt.is_automatic,
            reason: stored(halt.reason.parse())?,
            note: halt.note,
            ticket: halt.ticket,
            review_at: now_engaged.map_or(halt.engaged_at, |one| one.facts.review_at),
        },
        state,
        clicked_at: halt.clicked_at,
        halted_at: halt.halted_at,
        click_to_halt_ms: halt.halted_at.map(|at| milliseconds(halt.clicked_at, at)),
        senders: halt.senders.map(|value| stored(serde_json::from_value(value))).transpose()?.unwrap_or_default(),
        part,
        completed_at: halt.completed_at,
        is_engaged,
        released_at: halt.released_at,
        released_by: halt.released_by,
        approved_by: halt.approved_by,
        release_reason: halt.release_reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_history_reads_back() {
        let cursor = Cursor { at: "2026-11-22T09:00:00.123456Z".parse().unwrap(), id: Uuid::from_u128(42) };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for bad in ["", "7", "x-y", "1-2"] {
            assert!(bad.parse::<Cursor>().is_err(), "{bad}");
        }
    }
}
