//! Halting: one update of one row that exists already, and a notification in the same statement. What the audit log will say stands in
//! the row, so that nothing else has to be written at that moment.

use core::time::Duration;
use std::time::Instant;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use ipnet::IpNet;
use rtv_core::{Error, HaltId, ReasonKind, Scope, SwitchId};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::audit::{self, Event};
use crate::context::Context;
use crate::kill_switch::{Side, scope};
use crate::transaction::{Tx, failed};

/// Why somebody halts, as typed or chosen. Nothing has to be typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Why {
    /// Key of a [`ReasonKind`]; empty: other.
    pub reason: String,
    /// In words, at most 500 characters.
    pub note: String,
    /// An address of a ticket.
    pub ticket: String,
    /// When to be reminded: `45m`, `4h`, `2d`, or a time in RFC 3339; empty: in four hours.
    pub review: String,
}

/// What engaging did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engagement {
    /// The switch.
    pub switch: SwitchId,
    /// This time that it is engaged: its receipt is under this id, which is known from the first moment.
    pub halt: HaltId,
    /// What is halted.
    pub scope: Scope,
    /// Its flips so far.
    pub epoch: i64,
    /// Whether it was engaged already: then it keeps its first facts, which are those below.
    pub was_engaged: bool,
    /// Who engaged it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Longest note, in characters.
const LONGEST_NOTE: usize = 500;
/// Longest address of a ticket.
const LONGEST_TICKET: usize = 200;
/// What is kept of who asked, so that the row stays small.
const LONGEST_LABEL: usize = 200;
const LONGEST_REQUEST_ID: usize = 100;
/// When somebody is reminded unless they choose otherwise, and how often from then on.
pub(crate) const REVIEW: TimeDelta = TimeDelta::hours(4);
const SHORTEST_REVIEW: TimeDelta = TimeDelta::minutes(5);
const LONGEST_REVIEW: TimeDelta = TimeDelta::days(30);
/// PostgreSQL's code for a disk without space.
const DISK_FULL: &str = "53100";

/// Halts. It works in suspended tenants, during maintenance and on a full disk, and asks for nothing but the right to it. Who engages
/// what is engaged changes nothing, but that what staff engage only staff release.
///
/// In a tenant: what is the tenant's, with [`rtv_core::Permission::SwitchesEngage`]; what is not: [`Error::NotFound`]. Staff: anything.
pub async fn engage(side: Side<'_>, of: &Scope, why: &Why) -> Result<Engagement, Error> {
    let arrived = side.context().request().arrived.unwrap_or_else(Instant::now);
    let is_theirs = match side {
        Side::Tenant(ctx) => of.tenant() == Some(ctx.tenant().id),
        Side::Operator(_) => *of != Scope::Drill,
    };
    if !is_theirs {
        return Err(Error::NotFound);
    }
    let facts = match Parsed::of(why, side.context().now()) {
        Ok(facts) => facts,
        Err(error) => return Err(misunderstood(side, error).await),
    };
    let is_staff = matches!(side, Side::Operator(_));
    let by = By { context: side.context(), is_staff, is_automatic: false, has_room: true };
    let owner = super::owner(of.tenant());
    let tx = side.begin_to_engage(owner).await?;
    match flip(tx, of, &facts, by, arrived).await {
        Err(Failed::DiskFull) => {
            tracing::error!("the disk is full: the switch is engaged without its note");
            let tx = side.begin_to_engage(owner).await?;
            Ok(flip(tx, of, &facts.bare(), By { has_room: false, ..by }, arrived).await?)
        }
        done => Ok(done?),
    }
}

/// What to answer to a halt that cannot be understood: whoever may not halt at all is told that and nothing about the form. Only what
/// is refused anyway asks, so that a halt waits for nothing.
pub async fn misunderstood(side: Side<'_>, error: Error) -> Error {
    match side.begin_to_engage(super::owner(side.tenant())).await {
        Ok(tx) => tx.rollback().await.err().unwrap_or(error),
        Err(refused) => refused,
    }
}

/// Halts without a person: for guards that find something wrong. Engaging what is engaged changes nothing. There is no such way to
/// release.
pub async fn engage_by_automation(
    ctx: &Context,
    of: &Scope,
    reason: ReasonKind,
    note: &str,
) -> Result<Engagement, Error> {
    engage_for(ctx, of, reason, note, false).await
}

/// The same; `is_staff` says that only staff release it, because staff caused it.
pub(crate) async fn engage_for(
    ctx: &Context,
    of: &Scope,
    reason: ReasonKind,
    note: &str,
    is_staff: bool,
) -> Result<Engagement, Error> {
    let arrived = Instant::now();
    let note: String = note.trim().chars().take(LONGEST_NOTE).collect();
    let facts = Parsed {
        reason,
        note: Some(note).filter(|note| !note.is_empty()),
        ticket: None,
        review_at: ctx.now() + REVIEW,
    };
    let by = By { context: ctx, is_staff, is_automatic: true, has_room: true };
    match flip(ctx.begin_gate().await?, of, &facts, by, arrived).await {
        Err(Failed::DiskFull) => {
            let by = By { has_room: false, ..by };
            Ok(flip(ctx.begin_gate().await?, of, &facts.bare(), by, arrived).await?)
        }
        done => Ok(done?),
    }
}

#[derive(Debug, Clone, Copy)]
struct By<'a> {
    context: &'a Context,
    is_staff: bool,
    is_automatic: bool,
    /// Whether the disk may take more than the row.
    has_room: bool,
}

/// Why a flip did not happen.
enum Failed {
    DiskFull,
    Other(Error),
}

impl From<Failed> for Error {
    fn from(why: Failed) -> Self {
        match why {
            Failed::Other(error) => error,
            Failed::DiskFull => {
                Self::Unavailable(
                    "The database’s disk is full, and the switch is not engaged. Halt with a file: rtv switch engage --local.".into(),
                )
            }
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        let is_full = matches!(&error, sqlx::Error::Database(cause) if cause.code().as_deref() == Some(DISK_FULL));
        if is_full { Self::DiskFull } else { Self::Other(failed(error)) }
    }
}

/// The one statement, and its commit.
#[expect(clippy::too_many_lines, reason = "it is a few statements and their rows")]
async fn flip(mut tx: Tx, of: &Scope, facts: &Parsed, by: By<'_>, arrived: Instant) -> Result<Engagement, Failed> {
    let ctx = by.context;
    let actor = ctx.actor();
    let request = ctx.request();
    let owner = super::owner(of.tenant());
    let row = scope::row(of);
    let cut = |text: &str, longest: usize| text.chars().take(longest).collect::<String>();
    // As the row keeps it, so that whoever asks again is told the same.
    let at = ctx.now().trunc_subsecs(6);
    // A release may come between an update that finds the switch engaged and the look at who engaged it.
    for _ in 0..3 {
        let halt = Uuid::now_v7();
        let flip = Flip {
            owner: owner.uuid(),
            scope: row.clone(),
            halt,
            at,
            waited: arrived.elapsed(),
            actor_kind: audit::kind(actor, by.is_staff),
            actor_id: actor.audit_id(),
            actor_label: cut(&actor.label(), LONGEST_LABEL),
            is_staff: by.is_staff,
            is_automatic: by.is_automatic,
            reason: facts.reason.key(),
            note: facts.note.clone(),
            ticket: facts.ticket.clone(),
            review_at: facts.review_at,
            address: request.address.map(audit::network),
            // Browsers say much more than what tells one from another.
            user_agent: request.user_agent.as_deref().map(|agent| cut(agent, LONGEST_LABEL)),
            request_id: cut(&request.id, LONGEST_REQUEST_ID),
        };
        let flipped = flip.write(tx.connection()).await?;
        if let Some(flipped) = flipped {
            tx.commit().await?;
            return Ok(Engagement {
                switch: flipped.id.into(),
                halt: halt.into(),
                scope: *of,
                epoch: flipped.epoch,
                was_engaged: false,
                by: actor.label(),
                at,
            });
        }
        let found = sqlx::query!(
            r#"
            select id, epoch, is_engaged, is_staff, halt_id, actor_label, engaged_at
            from kill_switch
            where tenant_id = $1 and scope = $2
            "#,
            owner.uuid(),
            row,
        )
        .fetch_optional(tx.connection())
        .await?
        .ok_or(Error::NotFound)?;
        let (true, Some(first), Some(label), Some(at)) =
            (found.is_engaged, found.halt_id, found.actor_label, found.engaged_at)
        else {
            continue;
        };
        let joins = by.is_staff && !found.is_staff;
        // Whoever halts what is halted wants it halted: what somebody has asked to release before is asked for anew. A guard repeats
        // itself, and says nothing new by it.
        if joins || !by.is_automatic {
            let renewed = sqlx::query!(
                r#"
            update kill_switch
            set epoch = epoch + 1, is_staff = is_staff or $4,
              recorded_epoch = case when recorded_epoch = epoch then epoch + 1 else recorded_epoch end
            where tenant_id = $1 and id = $2 and is_engaged and epoch = $3
            "#,
                owner.uuid(),
                found.id,
                found.epoch,
                by.is_staff,
            )
            .execute(tx.connection())
            .await?;
            if renewed.rows_affected() == 0 {
                continue;
            }
        }
        if joins {
            tx.move_to(owner).await?;
            let event = Event::new("switch.join", "kill_switch", rtv_core::SwitchId::from(found.id).to_string())
                .detail("staff engaged what was engaged, so only staff release it")
                .after(json!({ "reason": facts.reason, "note": facts.note, "halt": HaltId::from(first) }));
            if by.has_room {
                // The database has just taken the row: what it refuses now is what needs room.
                tx.audit(event).await.map_err(|error| match error {
                    Error::Unavailable(_) => Failed::DiskFull,
                    other => Failed::Other(other),
                })?;
            } else {
                let (switch, by) = (rtv_core::SwitchId::from(found.id), actor.label());
                tracing::error!(%switch, by, "staff engaged what was engaged; the disk is full, so no event says it");
            }
        }
        tx.commit().await?;
        return Ok(Engagement {
            switch: found.id.into(),
            halt: first.into(),
            scope: *of,
            epoch: if joins || !by.is_automatic { found.epoch + 1 } else { found.epoch },
            was_engaged: true,
            by: label,
            at,
        });
    }
    Err(Failed::Other(Error::Conflict(
        "It was engaged and released several times in this moment. Look at where it stands, and decide again.".into(),
    )))
}

/// What a flip writes into the row of its switch.
#[derive(Debug, Default)]
pub(crate) struct Flip {
    owner: Uuid,
    scope: String,
    halt: Uuid,
    at: DateTime<Utc>,
    /// Since the click arrived.
    waited: Duration,
    actor_kind: &'static str,
    actor_id: Option<Uuid>,
    actor_label: String,
    is_staff: bool,
    is_automatic: bool,
    reason: &'static str,
    note: Option<String>,
    ticket: Option<String>,
    review_at: DateTime<Utc>,
    address: Option<IpNet>,
    user_agent: Option<String>,
    request_id: String,
}

/// A switch as it is after a flip.
struct Flipped {
    id: Uuid,
    epoch: i64,
}

impl Flip {
    /// Engages the switch and tells whoever listens; `None` where it is engaged already, or is not there.
    async fn write(self, connection: &mut PgConnection) -> Result<Option<Flipped>, sqlx::Error> {
        let flipped = sqlx::query!(
            r#"
            with flipped as (
              update kill_switch
              set is_engaged = true, epoch = epoch + 1, halt_id = $3, engaged_at = $4,
                clicked_at = clock_timestamp() - $5 * interval '1 millisecond',
                actor_kind = $6, actor_id = $7, actor_label = $8, is_staff = $9, is_automatic = $10,
                reason = $11, note = $12, ticket = $13, review_at = $14, reminded_at = null,
                address = $15, user_agent = $16, request_id = $17
              where tenant_id = $1 and scope = $2 and not is_engaged
              returning id, epoch
            )
            select id, epoch, pg_notify('rtv_switch', id::text) as "notified!: ()"
            from flipped
            "#,
            self.owner,
            self.scope,
            self.halt,
            self.at,
            self.waited.as_secs_f64() * 1_000.0,
            self.actor_kind,
            self.actor_id,
            self.actor_label,
            self.is_staff,
            self.is_automatic,
            self.reason,
            self.note,
            self.ticket,
            self.review_at,
            self.address as _,
            self.user_agent,
            self.request_id,
        )
        .fetch_optional(connection)
        .await?;
        Ok(flipped.map(|row| Flipped { id: row.id, epoch: row.epoch }))
    }

    /// Flips nothing, so that the connection has the plan of it.
    pub(crate) async fn rehearse(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        Self::default().write(connection).await.map(drop)
    }
}

/// Sets when to be reminded next, and answers with it: a review that was done. Whoever could engage the switch can; what staff engaged
/// only staff review.
pub async fn review(side: Side<'_>, id: SwitchId, when: &str) -> Result<DateTime<Utc>, Error> {
    let at = match parse_review(when, side.context().now()) {
        Ok(at) => at,
        Err(message) => return Err(misunderstood(side, Error::invalid("review", message)).await),
    };
    let found = super::one(side, id).await?;
    if let Side::Tenant(ctx) = side {
        if found.scope.tenant() != Some(ctx.tenant().id) {
            return Err(Error::NotFound);
        }
        if found.facts.is_staff {
            return Err(Error::Conflict("Staff engaged this switch, so staff review it.".into()));
        }
    }
    let owner = super::owner(found.scope.tenant());
    let mut tx = side.begin_to_engage(owner).await?;
    let done = sqlx::query!(
        r#"
        update kill_switch
        set review_at = $4, reminded_at = null
        where tenant_id = $1 and id = $2 and is_engaged and halt_id = $3
        "#,
        owner.uuid(),
        id.uuid(),
        found.halt.uuid(),
        at,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    if done.rows_affected() == 0 {
        return Err(Error::Conflict("The switch was released in the meantime.".into()));
    }
    let event = Event::new("switch.review", "kill_switch", id.to_string())
        .before(json!({ "scope": found.name, "review_at": found.facts.review_at }))
        .after(json!({ "review_at": at }));
    tx.audit(event).await?;
    tx.commit().await?;
    Ok(at)
}

/// What was typed, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Parsed {
    reason: ReasonKind,
    note: Option<String>,
    ticket: Option<String>,
    review_at: DateTime<Utc>,
}

impl Parsed {
    fn of(why: &Why, now: DateTime<Utc>) -> Result<Self, Error> {
        let mut errors = Vec::new();
        let mut refuse = |field: &str, message: String| {
            errors.push(rtv_core::FieldError { field: field.into(), message });
        };
        let reason = match why.reason.trim() {
            "" => ReasonKind::Other,
            text => text.parse().unwrap_or_else(|message| {
                refuse("reason", message);
                ReasonKind::Other
            }),
        };
        let note = why.note.trim().replace("\r\n", "\n");
        if note.chars().count() > LONGEST_NOTE || note.chars().any(|c| c.is_control() && c != '\n') {
            refuse("note", "say it in at most 500 characters".into());
        }
        let ticket = why.ticket.trim();
        let is_address = (ticket.starts_with("https://") || ticket.starts_with("http://"))
            && ticket.len() <= LONGEST_TICKET
            && !ticket.chars().any(|c| c.is_whitespace() || c.is_control());
        if !ticket.is_empty() && !is_address {
            refuse("ticket", "use an address that begins with https://, of at most 200 characters".into());
        }
        let review_at = parse_review(&why.review, now).unwrap_or_else(|message| {
            refuse("review", message);
            now
        });
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        if errors.is_empty() {
            Ok(Self { reason, note: some(note), ticket: some(ticket.to_owned()), review_at })
        } else {
            Err(Error::Invalid(errors))
        }
    }

    /// Without what makes the row long.
    fn bare(&self) -> Self {
        Self { note: None, ticket: None, ..self.clone() }
    }
}

fn parse_review(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(now + REVIEW);
    }
    let refused =
        || "use a span like 45m, 4h or 2d, or a time like 2026-11-25T09:00:00Z; 5 minutes to 30 days ahead".to_owned();
    let at = if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        at.to_utc()
    } else {
        let unit = text.chars().last().filter(char::is_ascii_alphabetic).ok_or_else(refused)?;
        let amount: i64 = text[..text.len() - 1].parse().map_err(|_| refused())?;
        let span = match unit {
            'm' => TimeDelta::try_minutes(amount),
            'h' => TimeDelta::try_hours(amount),
            'd' => TimeDelta::try_days(amount),
            _ => None,
        };
        now.checked_add_signed(span.ok_or_else(refused)?).ok_or_else(refused)?
    };
    if at < now + SHORTEST_REVIEW || at > now + LONGEST_REVIEW { Err(refused()) } else { Ok(at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-22T09:00:00Z".parse().unwrap()
    }

    #[test]
    fn nothing_has_to_be_typed_to_halt() {
        let parsed = Parsed::of(&Why::default(), now()).unwrap();
        assert_eq!(
            parsed,
            Parsed { reason: ReasonKind::Other, note: None, ticket: None, review_at: now() + TimeDelta::hours(4) }
        );
    }

    #[test]
    fn what_is_typed_wrongly_is_named_all_at_once() {
        let why = Why {
            reason: "boredom".into(),
            note: "x".repeat(501),
            ticket: "javascript:alert(1)".into(),
            review: "soon".into(),
        };
        let Err(Error::Invalid(errors)) = Parsed::of(&why, now()) else { panic!("it was accepted") };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["reason", "note", "ticket", "review"]);
    }

    #[test]
    fn a_review_is_a_span_or_a_time_ahead() {
        let check = |text: &str, expect: Option<&str>| {
            let found = parse_review(text, now()).ok();
            assert_eq!(found, expect.map(|at| at.parse().unwrap()), "{text}");
        };
        check("45m", Some("2026-11-22T09:45:00Z"));
        check("4h", Some("2026-11-22T13:00:00Z"));
        check("2d", Some("2026-11-24T09:00:00Z"));
        check("2026-11-25T09:00:00+01:00", Some("2026-11-25T08:00:00Z"));
        for bad in ["1m", "-4h", "31d", "h", "4", "4y", "é", "2026-11-22T08:00:00Z", "99999999999999d"] {
            check(bad, None);
        }
    }
}
