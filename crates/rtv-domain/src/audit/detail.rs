//! One event of the log with everything about it: what it changed, field by field, and its place in the chain.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rtv_core::{AuditEventId, Error, Permission};
use serde_json::Value;
use uuid::Uuid;

use crate::access::stored;
use crate::audit::Event;
use crate::audit::chain::Hash;
use crate::audit::explorer::Entry;
use crate::audit::log::hash;
use crate::audit::verify::number;
use crate::context::TenantContext;
use crate::transaction::{Resource, Tx, failed};

/// The place of an event in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Its number.
    pub seq: u64,
    /// When it was sealed.
    pub sealed_at: DateTime<Utc>,
    /// Hash of its payload.
    pub payload_hash: Hash,
    /// Hash of the chain up to it.
    pub chain_hash: Hash,
    /// The first head that covers it: number, when it was signed, and by which key.
    pub head: Option<(u64, DateTime<Utc>, String)>,
}

/// A field of what an event changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its name; inside of others with theirs before it.
    pub field: String,
    /// What it was, if it was there.
    pub before: Option<String>,
    /// What it is, if it is there.
    pub after: Option<String>,
}

/// One event with everything about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// What the list shows too.
    pub entry: Entry,
    /// Id of the request.
    pub request_id: Option<String>,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// Its fields before and after, by name.
    pub changes: Vec<Change>,
    /// Whether retention has dropped what is not here.
    pub is_dropped: bool,
    /// Its place in the chain, once it is sealed.
    pub seal: Option<Seal>,
}

/// One event. None of this tenant: [`Error::NotFound`].
pub async fn one(ctx: &TenantContext, id: AuditEventId) -> Result<Detail, Error> {
    let mut tx = ctx.begin(Permission::AuditRead, Resource::AuditEvent(id)).await?;
    let tenant = ctx.tenant().id.uuid();
    let row = sqlx::query!(
        r#"
        select
          id, occurred_at, actor_kind, actor_label, action, resource_kind, resource_id, result, request_id, detail,
          before, after, abbrev(address) as address, user_agent, payload_salt is null as "is_dropped!"
        from audit_event
        where tenant_id = $1 and id = $2
        "#,
        tenant,
        id.uuid(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    let seal = seal(&mut tx, tenant, id).await?;
    tx.audit(Event::new("audit.read", "audit_event", id.to_string())).await?;
    tx.commit().await?;
    Ok(Detail {
        entry: Entry {
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
        },
        request_id: row.request_id,
        user_agent: row.user_agent,
        changes: changes(row.before.as_ref(), row.after.as_ref()),
        is_dropped: row.is_dropped,
        seal,
    })
}

async fn seal(tx: &mut Tx, tenant: Uuid, id: AuditEventId) -> Result<Option<Seal>, Error> {
    let row = sqlx::query!(
        "select seq, sealed_at, payload_hash, chain_hash from audit_seal where tenant_id = $1 and event_id = $2",
        tenant,
        id.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let Some(row) = row else { return Ok(None) };
    let head = sqlx::query!(
        "select seq, signed_at, key_id from audit_head where tenant_id = $1 and seq >= $2 order by seq limit 1",
        tenant,
        row.seq
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    Ok(Some(Seal {
        seq: number(row.seq),
        sealed_at: row.sealed_at,
        payload_hash: hash(&row.payload_hash)?,
        chain_hash: hash(&row.chain_hash)?,
        head: head.map(|head| (number(head.seq), head.signed_at, head.key_id)),
    }))
}

/// Fields with what they were and are, in the order of their names. What is no object is one field.
fn changes(before: Option<&Value>, after: Option<&Value>) -> Vec<Change> {
    let mut fields: BTreeMap<String, (Option<String>, Option<String>)> = BTreeMap::new();
    for (field, value) in flattened(before) {
        fields.entry(field).or_default().0 = Some(value);
    }
    for (field, value) in flattened(after) {
        fields.entry(field).or_default().1 = Some(value);
    }
    fields.into_iter().map(|(field, (before, after))| Change { field, before, after }).collect()
}

fn flattened(value: Option<&Value>) -> Vec<(String, String)> {
    fn walk(name: &str, value: &Value, into: &mut Vec<(String, String)>) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (field, value) in fields {
                    let name = if name.is_empty() { field.clone() } else { format!("{name}.{field}") };
                    walk(&name, value, into);
                }
            }
            Value::Null => {}
            Value::String(text) => into.push((named(name), if text.is_empty() { "“”".into() } else { text.clone() })),
            other => into.push((named(name), other.to_string())),
        }
    }
    fn named(name: &str) -> String {
        if name.is_empty() { "value".into() } else { name.into() }
    }
    let mut fields = Vec::new();
    if let Some(value) = value {
        walk("", value, &mut fields);
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_field_by_field() {
        let before: Value = serde_json::from_str(r#"{"name":"A","brand":{"hue":1},"gone":null,"tags":[1]}"#).unwrap();
        let after: Value = serde_json::from_str(r#"{"name":"B","brand":{"hue":1},"note":""}"#).unwrap();
        let some = |text: &str| Some(text.to_owned());
        let change = |field: &str, before, after| Change { field: field.into(), before, after };
        assert_eq!(
            changes(Some(&before), Some(&after)),
            [
                change("brand.hue", some("1"), some("1")),
                change("name", some("A"), some("B")),
                change("note", None, some("“”")),
                change("tags", some("[1]"), None),
            ]
        );
        assert_eq!(changes(None, Some(&"x".into())), [change("value", None, some("x"))]);
        assert!(changes(None, None).is_empty());
    }
}
