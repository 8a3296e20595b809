//! Server functions of the dashboard.

use leptos::prelude::*;

use crate::dashboard::Dashboard;
use crate::error::AppError;
use crate::page::Framed;

/// The page for a tenant and the pairs of its query string.
#[server(prefix = "/fn", endpoint = "dashboard", input = server_fn::codec::Json)]
pub async fn read_dashboard(tenant: String, query: Vec<(String, String)>) -> Result<Framed<Dashboard>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    let content = super::present::dashboard(&ctx, &query).await?;
    Ok(Framed { frame: crate::request::frame(&ctx).await?, content })
}
