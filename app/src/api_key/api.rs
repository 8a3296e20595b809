//! Server functions of the keys for programs.

use leptos::prelude::*;

use crate::error::AppError;
use crate::page::{Drawn, Guarded};

/// The keys of a tenant.
#[server(prefix = "/fn", endpoint = "api-keys", input = server_fn::codec::Json)]
pub async fn read_api_keys(tenant: String) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    crate::request::drawn(&ctx, super::drawing::read(&ctx).await, super::drawing::drawn).await
}
