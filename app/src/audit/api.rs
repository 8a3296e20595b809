//! Server functions of the audit log.

use leptos::prelude::*;

use crate::audit::event::AuditEvent;
use crate::audit::{Audit, Guarded};
use crate::error::AppError;

/// The list for a tenant and the pairs of its query string.
#[server(prefix = "/fn", endpoint = "audit", input = server_fn::codec::Json)]
pub async fn read_audit(tenant: String, query: Vec<(String, String)>) -> Result<Guarded<Audit>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    crate::request::framed(&ctx, super::present::audit(&ctx, &query).await).await
}

/// One event.
#[server(prefix = "/fn", endpoint = "audit-event", input = server_fn::codec::Json)]
pub async fn read_audit_event(tenant: String, event: String) -> Result<Guarded<AuditEvent>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    crate::request::framed(&ctx, super::present::event(&ctx, &event).await).await
}
