//! Server functions of the dashboard.

use leptos::prelude::*;

use crate::dashboard::Dashboard;
use crate::error::AppError;
use crate::page::Guarded;

/// The page for a tenant and the pairs of its query string.
#[server(prefix = "/fn", endpoint = "dashboard", input = server_fn::codec::Json)]
pub async fn read_dashboard(tenant: String, query: Vec<(String, String)>) -> Result<Guarded<Dashboard>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    crate::request::framed(&ctx, super::present::dashboard(&ctx, &query).await).await
}
