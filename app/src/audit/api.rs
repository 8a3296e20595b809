//! Server functions of the audit log.

use leptos::prelude::*;

use crate::error::AppError;
use crate::page::{Drawn, Guarded};

/// The list for a tenant and the pairs of its query string.
#[server(prefix = "/fn", endpoint = "audit", input = server_fn::codec::Json)]
pub async fn read_audit(tenant: String, query: Vec<(String, String)>) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    crate::request::drawn(&ctx, super::present::audit(&ctx, &query).await, super::list::drawn).await
}

/// One event.
#[server(prefix = "/fn", endpoint = "audit-event", input = server_fn::codec::Json)]
pub async fn read_audit_event(tenant: String, event: String) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    crate::request::drawn(&ctx, super::present::event(&ctx, &event).await, super::event::drawn).await
}
