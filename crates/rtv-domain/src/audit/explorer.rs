//! Reading the log: the events that a filter picks, a page at a time. Every read is itself an event; one event with
//! everything about it is read by `detail.rs`.
//!
//! The first page of any filter is found in bounded time at any length of the log: one index, that of the rarest kind of
//! filter that is set, gives at most [`SCAN`] events in the order of the page, and the other filters are applied to
//! those. Where they leave fewer than a page, the cursor goes on behind what was looked at.

use core::fmt;
use core::str::FromStr;
use std::net::IpAddr;

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use rtv_core::{AuditEventId, Error, FieldError, Permission};
use serde_json::{Map, Value};
use sqlx::{FromRow, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::access::stored;
use crate::audit::log::Log;
use crate::audit::retention::{self, Retention};
use crate::audit::verify::number;
use crate::audit::{Event, Outcome, network};
use crate::context::TenantContext;
use crate::transaction::{Resource, Tx, failed};

/// Events of one page.
pub const PAGE: usize = 50;
/// Events that one question looks at, at most. 10,000 took 62 ms on a busy machine, where each lay on a page of its own.
pub(crate) const SCAN: usize = 5_000;

/// Which events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// First day, in the zone of the log.
    pub from: Option<NaiveDate>,
    /// Last day.
    pub to: Option<NaiveDate>,
    /// Who acted, in full.
    pub actor: Option<String>,
    /// What was done, in full.
    pub action: Option<String>,
    /// What it was done to: a kind, or the id of one.
    pub resource: Option<String>,
    /// How it ended.
    pub result: Option<Outcome>,
    /// The client's address.
    pub address: Option<IpAddr>,
}

impl Filter {
    /// Reads the pairs of an address. Others than the filter's are passed over; every one that is refused is named.
    pub fn parse(pairs: &[(String, String)]) -> Result<Self, Error> {
        let value = |name: &str| {
            let found = pairs.iter().find(|(key, value)| key == name && !value.trim().is_empty());
            found.map(|(_, value)| value.trim().to_owned())
        };
        let mut errors = Vec::new();
        let mut refuse = |field: &str, message: &str| {
            errors.push(FieldError { field: field.into(), message: message.into() });
        };
        let mut day = |name: &str| {
            let typed = value(name)?;
            let day =
                typed.parse::<NaiveDate>().ok().filter(|day| (1970..=9999).contains(&chrono::Datelike::year(day)));
            if day.is_none() {
                refuse(name, "use a day like 2026-01-31.");
            }
            day
        };
        let (from, to) = (day("from"), day("to"));
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            refuse("to", "use a day that is not before the first one.");
        }
        let result = value("result").and_then(|typed| {
            let result = typed.parse::<Outcome>();
            result.map_err(|_| refuse("result", "choose success, denied or error.")).ok()
        });
        let address = value("address").and_then(|typed| {
            let address = typed.parse::<IpAddr>();
            address.map_err(|_| refuse("address", "use an address like 203.0.113.9 or 2001:db8::1.")).ok()
        });
        let mut text = |name: &str| {
            let typed = value(name)?;
            if typed.chars().count() > 200 || typed.chars().any(char::is_control) {
                refuse(name, "use at most 200 characters.");
                return None;
            }
            Some(typed)
        };
        let (actor, action, resource) = (text("actor"), text("action"), text("resource"));
        if errors.is_empty() {
            Ok(Self { from, to, actor, action, resource, result, address })
        } else {
            Err(Error::Invalid(errors))
        }
    }

    /// The pairs that [`Filter::parse`] reads.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        [
            ("from", self.from.map(|day| day.to_string())),
            ("to", self.to.map(|day| day.to_string())),
            ("actor", self.actor.clone()),
            ("action", self.action.clone()),
            ("resource", self.resource.clone()),
            ("result", self.result.map(|result| result.key().to_owned())),
            ("address", self.address.map(|address| address.to_string())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }

    /// For the event that says what was read.
    fn described(&self) -> Option<Value> {
        let pairs: Map<String, Value> =
            self.pairs().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        (!pairs.is_empty()).then_some(Value::Object(pairs))
    }
}

/// A place in the list: behind this event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    at: DateTime<Utc>,
    id: Uuid,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.at.to_rfc3339_opts(SecondsFormat::Micros, true), AuditEventId::from(self.id))
    }
}

impl FromStr for Cursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text
            .split_once('_')
            .and_then(|(at, id)| Some(Self { at: at.parse().ok()?, id: id.parse::<AuditEventId>().ok()?.uuid() }));
        parsed.ok_or_else(|| "this is not a place in the list".to_owned())
    }
}

/// An event in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: AuditEventId,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// `user`, `api_key`, `staff`, `system` or `anonymous`.
    pub actor_kind: String,
    /// Who acted.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// What it was done to.
    pub resource_kind: String,
    /// Which one.
    pub resource: String,
    /// How it ended.
    pub result: Outcome,
    /// A sentence.
    pub detail: Option<String>,
    /// The client's address.
    pub address: Option<IpAddr>,
}

/// How far a chain is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealing {
    /// Events that are sealed.
    pub sealed: u64,
    /// Events that wait for it.
    pub waiting: u64,
    /// When the oldest of them happened.
    pub waiting_since: Option<DateTime<Utc>>,
    /// Number of the newest event that a signature covers, and when it was signed.
    pub signed: Option<(u64, DateTime<Utc>)>,
}

/// A page of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// Where the next page begins, if there may be one.
    pub next: Option<Cursor>,
    /// How far back the page has looked, where it stopped before it was full.
    pub looked_back_to: Option<DateTime<Utc>>,
    /// All actions in the log, to choose from.
    pub actions: Vec<String>,
    /// How far the chain is sealed.
    pub sealing: Sealing,
    /// How long payloads are kept.
    pub retention: Retention,
}

/// A page of the log.
pub async fn list(ctx: &TenantContext, filter: &Filter, after: Option<Cursor>) -> Result<Listing, Error> {
    let log = Log::from(ctx);
    let mut tx = log.begin(Permission::AuditRead, Resource::AuditLog).await?;
    let found = page(&mut tx, &log, filter, after, PAGE).await?;
    let chain = log.chain();
    let actions = actions(&mut tx, chain).await?;
    let sealing = sealing(&mut tx, chain).await?;
    let retention = retention::read(&mut tx, chain).await?;
    let mut event = Event::new("audit.read", "audit_log", "all");
    if let Some(described) = filter.described() {
        event = event.after(described);
    }
    tx.audit(event).await?;
    tx.commit().await?;
    let Found { events, next, looked_back_to } = found;
    let entries = events.into_iter().map(Entry::try_from).collect::<Result<_, Error>>()?;
    Ok(Listing { entries, next, looked_back_to, actions, sealing, retention })
}

/// Some of the log, for programs: at most so many events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// Where the next piece begins, if there may be one.
    pub next: Option<Cursor>,
}

/// A piece of the log. Fewer events than asked for are no sign of its end: a search looks at so many at a time.
pub async fn piece(ctx: &TenantContext, filter: &Filter, after: Option<Cursor>, limit: usize) -> Result<Piece, Error> {
    let log = Log::from(ctx);
    let mut tx = log.begin(Permission::AuditRead, Resource::AuditLog).await?;
    let Found { events, next, .. } = page(&mut tx, &log, filter, after, limit).await?;
    let mut event = Event::new("audit.read", "audit_log", "all");
    if let Some(described) = filter.described() {
        event = event.after(described);
    }
    tx.audit(event).await?;
    tx.commit().await?;
    Ok(Piece { entries: events.into_iter().map(Entry::try_from).collect::<Result<_, Error>>()?, next })
}

/// An event as lists and tables need it.
#[derive(Debug, FromRow)]
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) actor_kind: String,
    pub(crate) actor_label: String,
    pub(crate) action: String,
    pub(crate) resource_kind: String,
    pub(crate) resource_id: String,
    pub(crate) result: String,
    pub(crate) request_id: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) user_agent: Option<String>,
}

impl TryFrom<Row> for Entry {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.id.into(),
            occurred_at: row.occurred_at,
            actor_kind: row.actor_kind,
            actor: row.actor_label,
            action: row.action,
            resource_kind: row.resource_kind,
            resource: row.resource_id,
            result: stored(row.result.parse())?,
            detail: row.detail,
            address: row.address.and_then(|address| address.parse().ok()),
        })
    }
}

/// What a question found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) events: Vec<Row>,
    pub(crate) next: Option<Cursor>,
    pub(crate) looked_back_to: Option<DateTime<Utc>>,
}

/// A filter that one index answers in the order of the page.
enum Driver<'a> {
    Address(IpAddr),
    ResourceId(&'a str),
    ResourceKind(&'a str),
    Actor(&'a str),
    Unsuccessful(Outcome),
    Action(&'a str),
    Time,
}

/// Events that the filter picks, newest first, at most so many.
pub(crate) async fn page(
    tx: &mut Tx,
    log: &Log,
    filter: &Filter,
    after: Option<Cursor>,
    limit: usize,
) -> Result<Found, Error> {
    let chain = log.chain();
    let is_kind = match &filter.resource {
        Some(resource) => is_kind(tx, chain, resource).await?,
        None => false,
    };
    let mut query = QueryBuilder::<Postgres>::new(
        r"
        select
          id, occurred_at, actor_kind, actor_label, action, resource_kind, resource_id, result, request_id, detail,
          before::text as before, after::text as after, abbrev(address) as address, user_agent
        from (",
    );
    push_scan(&mut query, chain, filter, is_kind, log.zone(), after);
    query.push(") as scanned where true");
    // All of them again: the one that the index answered costs nothing.
    if let Some(actor) = &filter.actor {
        query.push(" and actor_label = ").push_bind(actor);
    }
    if let Some(action) = &filter.action {
        query.push(" and action = ").push_bind(action);
    }
    if let Some(resource) = &filter.resource {
        query.push(if is_kind { " and resource_kind = " } else { " and resource_id = " }).push_bind(resource);
    }
    if let Some(result) = filter.result {
        query.push(" and result = ").push_bind(result.key());
    }
    if let Some(address) = filter.address {
        query.push(" and address = ").push_bind(network(address));
    }
    query.push(" order by occurred_at desc, id desc limit ").push(limit + 1);
    let mut events: Vec<Row> = query.build_query_as().fetch_all(tx.connection()).await.map_err(failed)?;
    if events.len() > limit {
        events.truncate(limit);
        let next = events.last().map(|last| Cursor { at: last.occurred_at, id: last.id });
        return Ok(Found { events, next, looked_back_to: None });
    }
    let mut last = QueryBuilder::<Postgres>::new("select occurred_at, id from (");
    push_scan(&mut last, chain, filter, is_kind, log.zone(), after);
    last.push(") as scanned order by occurred_at desc, id desc limit 1 offset ").push(SCAN - 1);
    let last: Option<(DateTime<Utc>, Uuid)> =
        last.build_query_as().fetch_optional(tx.connection()).await.map_err(failed)?;
    let next = last.map(|(at, id)| Cursor { at, id });
    Ok(Found { events, next, looked_back_to: next.map(|next| next.at) })
}

/// The events of one index, in the order of the page, at most [`SCAN`]. Dynamic, because a condition that may be switched
/// off by a null keeps the planner from the index that it needs.
fn push_scan(
    query: &mut QueryBuilder<Postgres>,
    chain: Uuid,
    filter: &Filter,
    is_kind: bool,
    zone: Tz,
    after: Option<Cursor>,
) {
    let resource = filter.resource.as_deref();
    let driver = filter
        .address
        .map(Driver::Address)
        .or(resource.filter(|_| !is_kind).map(Driver::ResourceId))
        .or(filter.actor.as_deref().map(Driver::Actor))
        .or(filter.result.filter(|result| *result != Outcome::Success).map(Driver::Unsuccessful))
        .or(filter.action.as_deref().map(Driver::Action))
        .or(resource.map(Driver::ResourceKind))
        .unwrap_or(Driver::Time);
    query
        .push(
            r"
          select
            id, occurred_at, actor_kind, actor_label, action, resource_kind, resource_id, result, request_id, detail,
            before, after, address, user_agent
          from audit_event
          where tenant_id = ",
        )
        .push_bind(chain);
    match driver {
        Driver::Address(address) => query.push(" and address = ").push_bind(network(address)),
        Driver::ResourceId(id) => query.push(" and resource_id = ").push_bind(id.to_owned()),
        Driver::ResourceKind(kind) => query.push(" and resource_kind = ").push_bind(kind.to_owned()),
        Driver::Actor(actor) => query.push(" and actor_label = ").push_bind(actor.to_owned()),
        // The index is partial: the planner must see that these are none of the successful ones.
        Driver::Unsuccessful(result) => query.push(" and result <> 'success' and result = ").push_bind(result.key()),
        Driver::Action(action) => query.push(" and action = ").push_bind(action.to_owned()),
        Driver::Time => &mut *query,
    };
    if let Some(from) = filter.from {
        query.push(" and occurred_at >= ").push_bind(day_start(zone, from));
    }
    if let Some(to) = filter.to {
        query.push(" and occurred_at < ").push_bind(day_start(zone, to + TimeDelta::days(1)));
    }
    if let Some(after) = after {
        query.push(" and (occurred_at, id) < (").push_bind(after.at).push(", ").push_bind(after.id).push(")");
    }
    query.push(" order by occurred_at desc, id desc limit ").push(SCAN);
}

/// When a day begins in a zone; where clocks are set forward at midnight, an hour later.
pub(crate) fn day_start(zone: Tz, day: NaiveDate) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    let earliest = |local| zone.from_local_datetime(&local).earliest();
    earliest(midnight)
        .or_else(|| earliest(midnight + TimeDelta::hours(1)))
        .map_or_else(|| midnight.and_utc(), |at| at.with_timezone(&Utc))
}

async fn is_kind(tx: &mut Tx, chain: Uuid, text: &str) -> Result<bool, Error> {
    sqlx::query_scalar!(
        r#"select exists (select 1 from audit_event where tenant_id = $1 and resource_kind = $2) as "exists!""#,
        chain,
        text
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)
}

/// The actions of a log, by hopping from one to the next in their index: a log of any length has some dozens.
async fn actions(tx: &mut Tx, chain: Uuid) -> Result<Vec<String>, Error> {
    sqlx::query_scalar!(
        r#"
        with recursive known as (
          (select action from audit_event where tenant_id = $1 order by action limit 1)
          union all
          select (
            select audit_event.action
            from audit_event
            where audit_event.tenant_id = $1 and audit_event.action > known.action
            order by audit_event.action
            limit 1
          )
          from known
          where known.action is not null
        )
        select action as "action!" from known where action is not null
        "#,
        chain
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)
}

async fn sealing(tx: &mut Tx, chain: Uuid) -> Result<Sealing, Error> {
    let row = sqlx::query!(
        r#"
        select
          (select seq from audit_chain where tenant_id = $1) as seq,
          (select signed_seq from audit_chain where tenant_id = $1) as signed_seq,
          (select signed_at from audit_chain where tenant_id = $1) as signed_at,
          (select count(*) from audit_unsealed where tenant_id = $1) as "waiting!",
          (select min(occurred_at) from audit_unsealed where tenant_id = $1) as waiting_since
        "#,
        chain
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    Ok(Sealing {
        sealed: number(row.seq.unwrap_or_default()),
        waiting: number(row.waiting),
        waiting_since: row.waiting_since,
        signed: row.signed_at.map(|at| (number(row.signed_seq.unwrap_or_default()), at)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_filter_reads_back_the_pairs_that_it_wrote() {
        let typed = pairs(&[
            ("from", "2026-01-01"),
            ("to", "2026-01-31"),
            ("actor", "dana@acme.example"),
            ("action", "target.set"),
            ("resource", "target"),
            ("result", "denied"),
            ("address", "2001:db8::1"),
        ]);
        let filter = Filter::parse(&typed).unwrap();
        let written: Vec<_> = filter.pairs().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        assert_eq!(written, typed);
        assert_eq!(Filter::parse(&pairs(&[("actor", "  "), ("range", "7d")])).unwrap(), Filter::default());
    }

    #[test]
    fn every_field_that_is_refused_is_named() {
        let long = "x".repeat(201);
        let typed = pairs(&[
            ("from", "today"),
            ("to", "2026-02-30"),
            ("actor", &long),
            ("result", "fine"),
            ("address", "here"),
        ]);
        let Err(Error::Invalid(errors)) = Filter::parse(&typed) else { panic!("accepted") };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["from", "to", "result", "address", "actor"]);
        let Err(Error::Invalid(errors)) = Filter::parse(&pairs(&[("from", "2026-02-02"), ("to", "2026-02-01")])) else {
            panic!("accepted")
        };
        assert_eq!(errors[0].field, "to");
    }

    #[test]
    fn a_place_in_the_list_reads_back() {
        let cursor = Cursor { at: "2026-11-21T09:00:00.123456Z".parse().unwrap(), id: Uuid::from_u128(42) };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in ["", "_", "2026-11-21T09:00:00Z", "2026-11-21T09:00:00Z_usr_0", "x_evt_0"] {
            assert!(wrong.parse::<Cursor>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_day_begins_where_its_clocks_say() {
        let check = |zone: Tz, day: &str, expect: &str| {
            assert_eq!(day_start(zone, day.parse().unwrap()), expect.parse::<DateTime<Utc>>().unwrap(), "{zone} {day}");
        };
        check(Tz::UTC, "2026-03-29", "2026-03-29T00:00:00Z");
        check(chrono_tz::Asia::Bangkok, "2026-03-29", "2026-03-28T17:00:00Z");
        // Clocks went from 00:00 to 01:00.
        check(chrono_tz::America::Sao_Paulo, "2018-11-04", "2018-11-04T03:00:00Z");
    }
}
