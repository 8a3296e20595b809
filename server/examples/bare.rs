//! One axum route that answers a word: what `make bench` measures beside the pages, to tell their cost from the
//! machine's. Listens on RTV_ADDR.

use axum::Router;
use axum::routing::get;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::var("RTV_ADDR").unwrap_or_else(|_| "127.0.0.1:3001".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, Router::new().route("/", get(async || "bare"))).await?;
    Ok(())
}
