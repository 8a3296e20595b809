//! The server function of the settings. Acts are forms of `server/src/http/settings.rs`; here is what the page reads.

use leptos::prelude::*;

use crate::error::AppError;
use crate::page::{Drawn, Guarded};

/// A part of the settings by its key.
#[server(prefix = "/fn", endpoint = "settings", input = server_fn::codec::Json)]
pub async fn read_settings(tenant: String, part: String) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    crate::request::drawn(&ctx, super::draw::part(&ctx, &part).await, |page| page.content).await
}
