//! Server functions of the imports. Acts are forms of `server/src/http/import.rs`; here is what pages read.

use leptos::prelude::*;

use crate::error::AppError;
use crate::import::Imports;
use crate::import::one::Import;
use crate::import::working::ProgressView;
use crate::page::{Drawn, Guarded};

/// The list for a tenant and the pairs of its query string.
#[server(prefix = "/fn", endpoint = "imports", input = server_fn::codec::Json)]
pub async fn read_imports(tenant: String, query: Vec<(String, String)>) -> Result<Guarded<Imports>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    crate::request::framed(&ctx, super::present::imports(&ctx, &query).await).await
}

/// One import, in whatever state it is.
#[server(prefix = "/fn", endpoint = "import", input = server_fn::codec::Json)]
pub async fn read_import(
    tenant: String,
    import: String,
    query: Vec<(String, String)>,
) -> Result<Guarded<Import>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    crate::request::framed(&ctx, super::present::import(&ctx, &import, &query).await).await
}

/// How far the work on an import is; a page that is open asks every second.
#[server(prefix = "/fn", endpoint = "import-progress", input = server_fn::codec::Json)]
pub async fn read_import_progress(tenant: String, import: String) -> Result<ProgressView, AppError> {
    let ctx = rtv_domain::access::enter(&crate::request::current().context, &tenant).await?;
    Ok(super::present::progress(&ctx, &import).await?)
}

/// What a roll-back would do.
#[server(prefix = "/fn", endpoint = "import-roll-back", input = server_fn::codec::Json)]
pub async fn read_roll_back(tenant: String, import: String) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    crate::request::drawn(&ctx, super::present::roll_back(&ctx, &import).await, super::roll_back::drawn).await
}

/// The saved mappings.
#[server(prefix = "/fn", endpoint = "import-mappings", input = server_fn::codec::Json)]
pub async fn read_mappings(tenant: String) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    crate::request::drawn(&ctx, super::present::mappings(&ctx).await, super::mapping::drawn).await
}
