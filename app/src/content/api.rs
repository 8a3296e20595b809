//! The server function of the content pages. Acts are forms of `server/src/http/content.rs`; here is what pages read.

use leptos::prelude::*;

use crate::error::AppError;
use crate::page::{Drawn, Guarded};

/// The list for an empty name, the form for `new`, else the content of that id.
#[server(prefix = "/fn", endpoint = "content", input = server_fn::codec::Json)]
pub async fn read_content(
    tenant: String,
    content: String,
    query: Vec<(String, String)>,
) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    if content.is_empty() {
        return crate::request::drawn(&ctx, super::present::list(&ctx, &query).await, super::list::drawn).await;
    }
    crate::request::drawn(&ctx, super::present::one(&ctx, &content, &query).await, super::one::drawn).await
}
