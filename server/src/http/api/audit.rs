//! `/api/v1/audit`: the tenant's audit log.

use axum::response::Response;
use chrono::{DateTime, Utc};
use rtv_domain::audit::explorer::{self, Entry, Filter};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use super::list::{Ask, ListParams, Page, next};

/// An entry of the log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "AuditEvent", example = json!({
    "id": "evt_0192f3c4a1b27d3e8f9a0b1c2d3e4f50", "occurred_at": "2026-11-20T16:40:00Z",
    "actor": { "kind": "user", "label": "dana@acme.example" }, "action": "team.create",
    "resource": { "kind": "team", "id": "team_0192f3c4a1b27d3e8f9a0b1c2d3e4f50" }, "result": "success", "detail": null,
    "address": "203.0.113.9"
}))]
pub struct AuditEventObject {
    /// Its id.
    id: String,
    /// When it happened.
    occurred_at: DateTime<Utc>,
    /// Who acted.
    actor: ActorObject,
    /// What was done.
    action: String,
    /// What it was done to.
    resource: ResourceObject,
    /// `success`, `denied` or `error`.
    result: String,
    /// A sentence; null where there is none, or where it is no longer kept.
    detail: Option<String>,
    /// The client's address.
    address: Option<String>,
}

/// Who acted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Actor")]
pub struct ActorObject {
    /// `user`, `api_key`, `staff`, `system` or `anonymous`.
    kind: String,
    /// Address of a person, name of a key, …
    label: String,
}

/// What something was done to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Resource")]
pub struct ResourceObject {
    /// What it is.
    kind: String,
    /// Which one.
    id: String,
}

impl From<Entry> for AuditEventObject {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id.to_string(),
            occurred_at: entry.occurred_at,
            actor: ActorObject { kind: entry.actor_kind, label: entry.actor },
            action: entry.action,
            resource: ResourceObject { kind: entry.resource_kind, id: entry.resource },
            result: entry.result.key().into(),
            detail: entry.detail,
            address: entry.address.map(|address| address.to_string()),
        }
    }
}

/// Which events. For the description alone: what is asked is read by the domain's [`Filter`].
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub struct AuditParams {
    /// First day, in the tenant's zone.
    #[param(format = "date")]
    from: Option<String>,
    /// Last day.
    #[param(format = "date")]
    to: Option<String>,
    /// Who acted, in full.
    #[param(max_length = 200)]
    actor: Option<String>,
    /// What was done, in full, such as `team.create`.
    #[param(max_length = 200)]
    action: Option<String>,
    /// What it was done to: a kind such as `team`, or an id.
    #[param(max_length = 200)]
    resource: Option<String>,
    /// `success`, `denied` or `error`.
    #[param(pattern = "^(success|denied|error)$")]
    result: Option<String>,
    /// The client's address.
    address: Option<String>,
}

const LIST: &str = "audit";

/// The audit log
///
/// The newest first. Reading it is an event too. A page may hold fewer events than asked for, or none, and still have a next
/// one: a search looks at so many events at a time. Needs audit:read.
#[utoipa::path(get, path = "/api/v1/audit", tag = "Audit log", operation_id = "listAuditEvents", params(AuditParams, ListParams),
    responses((status = 200, description = "Events.", body = Page<AuditEventObject>)))]
pub async fn list(caller: Caller) -> Response {
    let page = async {
        let ask = Ask::parse(&caller, LIST)?;
        let filter = Filter::parse(caller.pairs())?;
        let found = explorer::piece(caller.ctx(), &filter, ask.place()?, ask.limit).await?;
        let next = found.next.map(|cursor| next(LIST, &cursor.to_string()));
        Ok(Page { items: found.entries.into_iter().map(AuditEventObject::from).collect(), next })
    };
    caller.answer(page.await)
}
