//! Maintenance: while it is on, everything can be read and nothing changes, on every instance. It is one row, which each
//! beginning of a transaction reads in the statement that it needs anyway, so it holds from the next transaction on.
//!
//! What goes on: signing in and out and everything about sessions and passwords, the audit log and its seals, mail that is
//! written already, and whatever stops something (disabling a user, ending sessions). Jobs that change tenants wait.

use core::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::Error;
use serde_json::json;

use crate::audit::Event;
use crate::context::Context;
use crate::database::Database;
use crate::transaction::{StaffPermission, failed};

/// Longest that staff can announce.
const LONGEST: TimeDelta = TimeDelta::days(30);
/// For how long what was read last may be shown to somebody for whom nothing is read.
const RECENT: Duration = Duration::from_secs(1);

/// What is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// Why, in the words of staff.
    pub reason: String,
    /// When staff expect to be done; nothing ends by itself.
    pub expected_until: Option<DateTime<Utc>>,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Who switched it on.
    pub by: String,
}

/// What is announced now: as the last transaction of this program found it, if that was within the last second.
pub async fn current(ctx: &Context) -> Result<Option<Maintenance>, Error> {
    if let Some(found) = ctx.database.found(RECENT) {
        return Ok(found.maintenance.as_deref().cloned());
    }
    let tx = ctx.begin_to_look().await?;
    let found = tx.maintenance().cloned();
    tx.rollback().await?;
    Ok(found)
}

/// What was announced when somebody looked last, for an answer that asks the database nothing.
pub fn known(database: &Database) -> Option<Maintenance> {
    database.found(Duration::MAX)?.maintenance.as_deref().cloned()
}

/// A reason that people will read, as typed.
pub(crate) fn parse_reason(reason: &str) -> Result<String, Error> {
    let reason = reason.trim();
    let is_fine = (1..=500).contains(&reason.chars().count()) && !reason.chars().any(char::is_control);
    if is_fine {
        Ok(reason.to_owned())
    } else {
        Err(Error::invalid("reason", "say why, in 1 to 500 characters without line breaks; people will read it"))
    }
}

/// An end as typed: a time in RFC 3339, `2026-11-22 06:00` in UTC as forms have it, or nothing.
fn parse_until(until: Option<&str>, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Error> {
    let Some(text) = until.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let refused = |message: &str| Error::invalid("until", message);
    let in_utc = |format| chrono::NaiveDateTime::parse_from_str(text, format).map(|time| time.and_utc());
    let at = DateTime::parse_from_rfc3339(text)
        .map(|at| at.to_utc())
        .or_else(|_| in_utc("%Y-%m-%d %H:%M"))
        .or_else(|_| in_utc("%Y-%m-%dT%H:%M"))
        .map_err(|_| refused("use a time in UTC like 2026-11-22 06:00, or leave it out"))?;
    if at <= now || at > now + LONGEST {
        return Err(refused("use a time to come, within 30 days"));
    }
    Ok(Some(at))
}

/// Switches it on, or announces something else while it is on.
pub async fn switch_on(ctx: &Context, reason: &str, until: Option<&str>) -> Result<Maintenance, Error> {
    let (reason, until) = match (parse_reason(reason), parse_until(until, ctx.now())) {
        (Ok(reason), Ok(until)) => (reason, until),
        (Err(Error::Invalid(mut errors)), Err(Error::Invalid(more))) => {
            errors.extend(more);
            return Err(Error::Invalid(errors));
        }
        (Err(error), _) | (_, Err(error)) => return Err(error),
    };
    let mut tx = ctx.begin_staff(StaffPermission::MaintenanceSwitch, None).await?;
    let before = lock(&mut tx).await?;
    let by = ctx.actor().label();
    sqlx::query!(
        r#"
        update maintenance
        set is_on = true, reason = $1, expected_until = $2, changed_by = $3, changed_at = $4
        where is_the_one
        "#,
        reason,
        until,
        by,
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let event = Event::new("maintenance.on", "maintenance", "rtv")
        .before(described(before.as_ref()))
        .after(json!({ "reason": reason, "expected_until": until }));
    tx.audit(event).await?;
    tx.commit().await?;
    ctx.database.forget_maintenance();
    Ok(Maintenance { reason, expected_until: until, since: ctx.now(), by })
}

/// Switches it off. Returns whether it was on.
pub async fn switch_off(ctx: &Context) -> Result<bool, Error> {
    let mut tx = ctx.begin_staff(StaffPermission::MaintenanceSwitch, None).await?;
    let Some(before) = lock(&mut tx).await? else {
        tx.rollback().await?;
        return Ok(false);
    };
    sqlx::query!(
        r#"
        update maintenance
        set is_on = false, reason = null, expected_until = null, changed_by = $1, changed_at = $2
        where is_the_one
        "#,
        ctx.actor().label(),
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let event = Event::new("maintenance.off", "maintenance", "rtv").before(described(Some(&before)));
    tx.audit(event).await?;
    tx.commit().await?;
    ctx.database.forget_maintenance();
    Ok(true)
}

/// Two who switch take turns, and each event says what was before it.
async fn lock(tx: &mut crate::Tx) -> Result<Option<Maintenance>, Error> {
    let row = sqlx::query!(
        r#"
        select is_on, reason, expected_until, changed_at, changed_by
        from maintenance
        where is_the_one
        for no key update
        "#
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    Ok(row.reason.filter(|_| row.is_on).map(|reason| Maintenance {
        reason,
        expected_until: row.expected_until,
        since: row.changed_at,
        by: row.changed_by.unwrap_or_default(),
    }))
}

fn described(maintenance: Option<&Maintenance>) -> serde_json::Value {
    json!(maintenance.map(|one| json!({ "reason": one.reason, "expected_until": one.expected_until })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_time_to_come_in_utc() {
        let now = "2026-11-21T09:00:00Z".parse().unwrap();
        let check = |text: &str, expect: Option<&str>| {
            let found = parse_until(Some(text), now).ok().map(|at| at.map(|at| at.to_rfc3339()));
            assert_eq!(found, expect.map(|at| (!at.is_empty()).then(|| at.to_owned())), "{text}");
        };
        check("2026-11-22 06:00", Some("2026-11-22T06:00:00+00:00"));
        check("2026-11-22T06:00", Some("2026-11-22T06:00:00+00:00"));
        check("2026-11-22T06:00:00+01:00", Some("2026-11-22T05:00:00+00:00"));
        check("", Some(""));
        check(" ", Some(""));
        check("2026-11-21 09:00", None);
        check("2027-11-21 09:00", None);
        check("tomorrow", None);
    }

    #[test]
    fn a_reason_is_one_line_that_says_something() {
        assert_eq!(parse_reason("  new disks ").unwrap(), "new disks");
        for bad in ["", "  ", "a\nb", &"x".repeat(501)] {
            assert!(matches!(parse_reason(bad), Err(Error::Invalid(_))), "{bad:?}");
        }
    }
}
