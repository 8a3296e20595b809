//! The server function of the account pages. Acts are forms of `server/src/http/account.rs`; here is what pages read.

use leptos::prelude::*;

use crate::error::AppError;
use crate::page::{Drawn, Guarded};

/// The list for an empty name, else the account of that id.
#[server(prefix = "/fn", endpoint = "account", input = server_fn::codec::Json)]
pub async fn read_account(
    tenant: String,
    account: String,
    query: Vec<(String, String)>,
) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    if account.is_empty() {
        return crate::request::drawn(&ctx, super::present::list(&ctx).await, super::list::drawn).await;
    }
    crate::request::drawn(&ctx, super::present::one(&ctx, &account, &query).await, super::one::drawn).await
}
