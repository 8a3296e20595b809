//! Server functions of the targets page.

use leptos::prelude::*;

use crate::error::AppError;
use crate::page::Framed;
use crate::target::Targets;

/// The page for a tenant and the pairs of its query string.
#[server(prefix = "/fn", endpoint = "targets", input = server_fn::codec::Json)]
pub async fn read_targets(tenant: String, query: Vec<(String, String)>) -> Result<Framed<Targets>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    let frame = crate::request::frame(&ctx).await?;
    let content = super::present::targets(&ctx, &query, frame.flash.as_ref()).await?;
    Ok(Framed { frame, content })
}
