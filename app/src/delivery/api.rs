//! The server function of the delivery pages. What a person decides is a form of `server/src/http/delivery.rs`.

use leptos::prelude::*;

use crate::error::AppError;
use crate::page::{Drawn, Guarded};

/// The list for an empty name, else the delivery of that id.
#[server(prefix = "/fn", endpoint = "delivery", input = server_fn::codec::Json)]
pub async fn read_delivery(
    tenant: String,
    delivery: String,
    query: Vec<(String, String)>,
) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    if delivery.is_empty() {
        return crate::request::drawn(&ctx, super::present::list(&ctx, &query).await, super::list::drawn).await;
    }
    crate::request::drawn(&ctx, super::present::one(&ctx, &delivery).await, super::one::drawn).await
}
