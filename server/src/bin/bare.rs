//! One axum route that answers a word: what `make bench` measures beside the pages, to tell their cost from the
//! machine's. Its one argument is the address to listen on.

use anyhow::Context;
use axum::Router;
use axum::routing::get;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).context("name the address to listen on, for example 127.0.0.1:3001")?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, Router::new().route("/", get(async || "bare"))).await?;
    Ok(())
}
