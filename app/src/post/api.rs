//! Server functions of the posts page.

use leptos::prelude::*;

use crate::error::AppError;
use crate::page::Guarded;
use crate::post::Posts;

/// The page for a tenant and the pairs of its query string.
#[server(prefix = "/fn", endpoint = "posts", input = server_fn::codec::Json)]
pub async fn read_posts(tenant: String, query: Vec<(String, String)>) -> Result<Guarded<Posts>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    crate::request::framed(&ctx, super::present::posts(&ctx, &query).await).await
}
