//! The audit log: what an event is, and how it is written in the transaction of the change itself. The table only grows.
//!
//! What comes after lives beside it: `chain` says what is hashed and signed, `seal` does it, `verify` and `offline` check
//! it, `retention` drops payloads, `explorer`, `detail` and `export` read it for people and programs.

pub mod chain;
pub mod detail;
pub mod explorer;
pub mod export;
pub mod key;
pub mod log;
pub mod offline;
pub mod retention;
pub mod seal;
pub mod verify;

pub use key::{AuditKey, PublicKey};
pub use log::Log;

use core::str::FromStr;

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use rtv_core::{Error, TenantId};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::context::{Actor, RequestInfo};
use crate::transaction::failed;

/// How an act ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Success,
    /// The actor was not allowed to.
    Denied,
    /// It failed.
    Error,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Success, Self::Denied, Self::Error];

    /// As stored.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Denied => "denied",
            Self::Error => "error",
        }
    }

    /// Name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Success => "Done",
            Self::Denied => "Denied",
            Self::Error => "Failed",
        }
    }
}

impl FromStr for Outcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.key() == text)
            .ok_or_else(|| format!("“{text}” is no result of an act; use success, denied or error"))
    }
}

/// Longest id of a resource, in characters. An entry of an index holds 2,704 bytes, and an act must not fail because what
/// somebody typed is longer.
const LONGEST_ID: usize = 300;

/// One entry before it is written. Secrets never go into `before` and `after`.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    action: &'static str,
    resource_kind: &'static str,
    resource_id: String,
    outcome: Outcome,
    detail: Option<String>,
    before: Option<Value>,
    after: Option<Value>,
    is_by_staff: bool,
}

impl Event {
    /// A successful act on a resource. The action is `noun.verb`.
    pub(crate) fn new(action: &'static str, resource_kind: &'static str, resource_id: impl Into<String>) -> Self {
        Self {
            action,
            resource_kind,
            resource_id: resource_id.into(),
            outcome: Outcome::Success,
            detail: None,
            before: None,
            after: None,
            is_by_staff: false,
        }
    }

    pub(crate) fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// Says that the person acts for the operator; what was said before stays said.
    pub(crate) fn by_staff(mut self, is_by_staff: bool) -> Self {
        self.is_by_staff |= is_by_staff;
        self
    }

    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub(crate) fn before(mut self, before: Value) -> Self {
        self.before = Some(before);
        self
    }

    pub(crate) fn after(mut self, after: Value) -> Self {
        self.after = Some(after);
        self
    }
}

/// What the log calls the kind of an actor.
pub(crate) const fn kind(actor: &Actor, is_by_staff: bool) -> &'static str {
    match actor {
        Actor::Anonymous => "anonymous",
        Actor::Person(_) if is_by_staff => "staff",
        Actor::Person(_) => "user",
        Actor::ApiKey(_) => "api_key",
        Actor::Operator(_) => "staff",
        Actor::System(_) => "system",
    }
}

pub(crate) async fn insert(
    connection: &mut PgConnection,
    tenant: Option<TenantId>,
    actor: &Actor,
    request: &RequestInfo,
    now: DateTime<Utc>,
    event: Event,
) -> Result<(), Error> {
    let kind = kind(actor, event.is_by_staff);
    sqlx::query!(
        r#"
        insert into audit_event (
          tenant_id, id, occurred_at, actor_kind, actor_id, actor_label, action, resource_kind, resource_id,
          result, detail, before, after, address, user_agent, request_id
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        "#,
        tenant.map_or(Uuid::nil(), TenantId::uuid),
        Uuid::now_v7(),
        now,
        kind,
        actor.audit_id(),
        actor.label(),
        event.action,
        event.resource_kind,
        event.resource_id.chars().take(LONGEST_ID).collect::<String>(),
        event.outcome.key(),
        event.detail,
        event.before,
        event.after,
        request.address.map(network) as _,
        request.user_agent,
        request.id,
    )
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

/// One address as PostgreSQL's `inet` wants it.
pub(crate) fn network(address: IpAddr) -> IpNet {
    IpNet::from(address)
}
