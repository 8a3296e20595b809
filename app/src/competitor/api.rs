//! The server function of the competitor pages. Acts are forms of `server/src/http/competitor.rs`; here is what pages read.

use leptos::prelude::*;

use crate::error::AppError;
use crate::page::{Drawn, Guarded};

/// The list where no competitor is named; else one of them, with the month of the query in its form.
#[server(prefix = "/fn", endpoint = "competitors", input = server_fn::codec::Json)]
pub async fn read_competitors(
    tenant: String,
    competitor: String,
    query: Vec<(String, String)>,
) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    let flash = crate::request::current().flash;
    if competitor.is_empty() {
        let content = super::present::list(&ctx, flash.as_ref()).await;
        return crate::request::drawn(&ctx, content, super::list::drawn).await;
    }
    let content = super::present::one(&ctx, &competitor, &query, flash.as_ref()).await;
    crate::request::drawn(&ctx, content, super::one::drawn).await
}
