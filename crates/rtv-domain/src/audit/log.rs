//! The log of a tenant, or the operator's own, and reading what has been sealed of it. Pages, commands, checks and exports
//! all read through here.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rtv_core::{Error, Permission};
use uuid::Uuid;

use crate::access::stored;
use crate::audit::chain::{EventLine, Hash, Head, HeadLine, Payload, Record, json};
use crate::audit::key::Signature;
use crate::audit::verify::number;
use crate::context::{Context, TenantContext};
use crate::transaction::{Resource, StaffPermission, Tx, failed};

/// Whose log. The actor in it is the one who reads.
#[derive(Debug, Clone)]
pub enum Log {
    /// A tenant's.
    Tenant(TenantContext),
    /// The operator's own: what belongs to no tenant.
    Operator(Context),
}

impl From<&TenantContext> for Log {
    fn from(ctx: &TenantContext) -> Self {
        Self::Tenant(ctx.clone())
    }
}

impl Log {
    /// Id of its chain: the tenant's, or the nil UUID.
    pub fn chain(&self) -> Uuid {
        match self {
            Self::Tenant(ctx) => ctx.tenant().id.uuid(),
            Self::Operator(_) => Uuid::nil(),
        }
    }

    pub(crate) async fn begin(&self, permission: Permission, resource: Resource) -> Result<Tx, Error> {
        match self {
            Self::Tenant(ctx) => ctx.begin(permission, resource).await,
            Self::Operator(ctx) => ctx.begin_staff(StaffPermission::AuditRead, None).await,
        }
    }

    /// The same for work that goes on as long as somebody reads its result.
    pub(crate) fn without_deadline(&self) -> Self {
        match self {
            Self::Tenant(ctx) => Self::Tenant(ctx.without_deadline()),
            Self::Operator(ctx) => Self::Operator(ctx.without_deadline()),
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        match self {
            Self::Tenant(ctx) => ctx.now(),
            Self::Operator(ctx) => ctx.now(),
        }
    }

    /// Zone of the days in its filters.
    pub(crate) fn zone(&self) -> Tz {
        match self {
            Self::Tenant(ctx) => ctx.tenant().zone,
            Self::Operator(_) => Tz::UTC,
        }
    }
}

/// Where a chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tip {
    pub(crate) seq: i64,
    pub(crate) chain: Hash,
}

/// The tip of a chain; that of a chain without events is its start.
pub(crate) async fn tip(tx: &mut Tx, tenant: Uuid) -> Result<Tip, Error> {
    let row = sqlx::query!("select seq, chain_hash from audit_chain where tenant_id = $1", tenant)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    row.map_or(Ok(Tip { seq: 0, chain: Hash::START }), |row| Ok(Tip { seq: row.seq, chain: hash(&row.chain_hash)? }))
}

pub(crate) fn hash(bytes: &[u8]) -> Result<Hash, Error> {
    stored(Hash::from_slice(bytes).ok_or("a hash of another length"))
}

/// An event as it is stored.
#[derive(Debug)]
pub(crate) struct EventRow {
    pub(crate) id: Uuid,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) actor_kind: String,
    pub(crate) actor_id: Option<Uuid>,
    pub(crate) actor_label: String,
    pub(crate) action: String,
    pub(crate) resource_kind: String,
    pub(crate) resource_id: String,
    pub(crate) result: String,
    pub(crate) request_id: Option<String>,
    pub(crate) payload_salt: Option<Uuid>,
    pub(crate) detail: Option<String>,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) user_agent: Option<String>,
}

impl EventRow {
    /// The event with a place in the chain.
    pub(crate) fn record(self, seq: u64, payload_hash: Hash, chain_hash: Hash) -> Result<Record, Error> {
        let payload = match self.payload_salt {
            Some(salt) => Some(Payload {
                salt,
                detail: self.detail,
                before: json(self.before)?,
                after: json(self.after)?,
                address: self.address,
                user_agent: self.user_agent,
            }),
            None => None,
        };
        Ok(Record {
            kind: EventLine::Event,
            seq,
            id: self.id,
            occurred_at: self.occurred_at,
            actor_kind: self.actor_kind,
            actor_id: self.actor_id,
            actor: self.actor_label,
            action: self.action,
            resource_kind: self.resource_kind,
            resource: self.resource_id,
            result: self.result,
            request_id: self.request_id,
            payload,
            payload_hash,
            chain_hash,
        })
    }
}

/// A place of the chain with its event, unless that is gone.
#[derive(Debug)]
pub(crate) struct SealedRow {
    pub(crate) seq: i64,
    payload_hash: Vec<u8>,
    chain_hash: Vec<u8>,
    id: Option<Uuid>,
    occurred_at: Option<DateTime<Utc>>,
    actor_kind: Option<String>,
    actor_id: Option<Uuid>,
    actor_label: Option<String>,
    action: Option<String>,
    resource_kind: Option<String>,
    resource_id: Option<String>,
    result: Option<String>,
    request_id: Option<String>,
    payload_salt: Option<Uuid>,
    detail: Option<String>,
    before: Option<String>,
    after: Option<String>,
    address: Option<String>,
    user_agent: Option<String>,
}

impl SealedRow {
    pub(crate) fn chain_hash(&self) -> Result<Hash, Error> {
        hash(&self.chain_hash)
    }

    /// The event in its place; `None` if it is gone.
    pub(crate) fn record(self) -> Result<Option<Record>, Error> {
        let (payload_hash, chain_hash) = (hash(&self.payload_hash)?, hash(&self.chain_hash)?);
        let Some(id) = self.id else { return Ok(None) };
        // Where the id is, all is: the columns of an event are not null.
        let event = EventRow {
            id,
            occurred_at: self.occurred_at.unwrap_or_default(),
            actor_kind: self.actor_kind.unwrap_or_default(),
            actor_id: self.actor_id,
            actor_label: self.actor_label.unwrap_or_default(),
            action: self.action.unwrap_or_default(),
            resource_kind: self.resource_kind.unwrap_or_default(),
            resource_id: self.resource_id.unwrap_or_default(),
            result: self.result.unwrap_or_default(),
            request_id: self.request_id,
            payload_salt: self.payload_salt,
            detail: self.detail,
            before: self.before,
            after: self.after,
            address: self.address,
            user_agent: self.user_agent,
        };
        event.record(number(self.seq), payload_hash, chain_hash).map(Some)
    }
}

/// Sealed events after one number and up to another, in order, at most so many.
pub(crate) async fn sealed(
    tx: &mut Tx,
    tenant: Uuid,
    after: i64,
    up_to: i64,
    limit: i64,
) -> Result<Vec<SealedRow>, Error> {
    sqlx::query_as!(
        SealedRow,
        r#"
        select
          audit_seal.seq, audit_seal.payload_hash, audit_seal.chain_hash, audit_event.id as "id?",
          audit_event.occurred_at as "occurred_at?", audit_event.actor_kind as "actor_kind?",
          audit_event.actor_id as "actor_id?", audit_event.actor_label as "actor_label?",
          audit_event.action as "action?", audit_event.resource_kind as "resource_kind?",
          audit_event.resource_id as "resource_id?", audit_event.result as "result?",
          audit_event.request_id as "request_id?", audit_event.payload_salt as "payload_salt?",
          audit_event.detail as "detail?", audit_event.before::text as "before?", audit_event.after::text as "after?",
          abbrev(audit_event.address) as "address?", audit_event.user_agent as "user_agent?"
        from audit_seal
        left join audit_event on audit_event.tenant_id = audit_seal.tenant_id and audit_event.id = audit_seal.event_id
        where audit_seal.tenant_id = $1 and audit_seal.seq > $2 and audit_seal.seq <= $3
        order by audit_seal.seq
        limit $4
        "#,
        tenant,
        after,
        up_to,
        limit,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)
}

/// Heads after one number and up to another, in order.
pub(crate) async fn heads(tx: &mut Tx, tenant: Uuid, after: i64, up_to: i64) -> Result<Vec<Head>, Error> {
    let rows = sqlx::query!(
        r#"
        select seq, chain_hash, signed_at, key_id, signature
        from audit_head
        where tenant_id = $1 and seq > $2 and seq <= $3
        order by seq
        "#,
        tenant,
        after,
        up_to,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            Ok(Head {
                kind: HeadLine::Head,
                seq: number(row.seq),
                chain_hash: hash(&row.chain_hash)?,
                signed_at: row.signed_at,
                key_id: row.key_id,
                signature: stored(Signature::from_slice(&row.signature).ok_or("a signature of another length"))?,
            })
        })
        .collect()
}
