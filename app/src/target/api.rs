//! Server functions of the targets page.

use leptos::prelude::*;

use crate::error::AppError;
use crate::page::{Drawn, Guarded};

/// The page for a tenant and the pairs of its query string.
#[server(prefix = "/fn", endpoint = "targets", input = server_fn::codec::Json)]
pub async fn read_targets(tenant: String, query: Vec<(String, String)>) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    let flash = crate::request::current().flash;
    let targets = super::present::targets(&ctx, &query, flash.as_ref()).await;
    crate::request::drawn(&ctx, targets, super::list::drawn).await
}
