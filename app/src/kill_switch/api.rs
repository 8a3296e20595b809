//! What the pages of the kill switches read. Acts are forms of `server/src/http/kill_switch.rs`.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::page::{Drawn, Guarded};

/// One of the pages, by what stands in its address behind the place.
#[server(prefix = "/fn", endpoint = "switches", input = server_fn::codec::Json)]
pub async fn read_switches(
    tenant: String,
    below: String,
    query: Vec<(String, String)>,
) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    crate::request::drawn(&ctx, super::desk::page(&ctx, &below, &query).await, |page| page.content).await
}

/// What halting would stop, drawn. Without a tenant it is the operator's.
#[server(prefix = "/fn", endpoint = "halt-preview", input = server_fn::codec::Json)]
pub async fn read_halt_preview(tenant: String, scope: String) -> Result<String, AppError> {
    let request = crate::request::current();
    let drawn = if tenant.is_empty() {
        rtv_domain::access::staff(&request.context)?;
        super::halt::present::preview_for_staff(&request.context, &scope).await?
    } else {
        let ctx = rtv_domain::access::enter(&request.context, &tenant).await?;
        super::halt::present::preview(&ctx, &scope).await?
    };
    Ok(drawn)
}

/// What is halted now, for the banner of a page that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halts {
    /// The banner, drawn; empty where nothing is halted.
    pub(super) html: String,
    /// Whether something is still under way, so that it is worth asking again soon.
    pub(super) is_moving: bool,
}

/// What is halted, if it is something else than what the page has seen. `page` is the page's own path. Who may not know is
/// told nothing, and not that they may not: this is asked by itself, and nobody waits for an explanation.
#[server(prefix = "/fn", endpoint = "halts", input = server_fn::codec::Json)]
pub async fn read_halts(page: String, seen: String) -> Result<Option<Halts>, AppError> {
    Ok(super::banner::since(&page, &seen).await?)
}
