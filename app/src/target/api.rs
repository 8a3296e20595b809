//! Server functions of the targets page.

use leptos::prelude::*;

use crate::error::AppError;
use crate::page::Guarded;
use crate::target::Targets;

/// The page for a tenant and the pairs of its query string.
#[server(prefix = "/fn", endpoint = "targets", input = server_fn::codec::Json)]
pub async fn read_targets(tenant: String, query: Vec<(String, String)>) -> Result<Guarded<Targets>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    let flash = crate::request::current().flash;
    crate::request::framed(&ctx, super::present::targets(&ctx, &query, flash.as_ref()).await).await
}
