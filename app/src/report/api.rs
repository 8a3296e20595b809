//! The server function of the report pages. Acts are forms of `server/src/http/report.rs`; here is what pages read.

use leptos::prelude::*;

use crate::error::AppError;
use crate::page::{Drawn, Guarded};

/// The list for an empty path; a report; its versions, one of its runs, or one of its tables.
#[server(prefix = "/fn", endpoint = "report", input = server_fn::codec::Json)]
pub async fn read_report(
    tenant: String,
    path: Vec<String>,
    query: Vec<(String, String)>,
) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    let word = |index: usize| path.get(index).map(String::as_str).unwrap_or_default();
    match (word(0), word(1), word(2)) {
        ("", ..) => crate::request::drawn(&ctx, super::present::list(&ctx, &query).await, super::list::drawn).await,
        // No id of a report, so none is hidden by it.
        ("inbox", "", "") => {
            crate::request::drawn(&ctx, super::schedule::present::inbox(&ctx).await, super::schedule::drawn_inbox).await
        }
        (report, "schedules", "") => {
            let content = super::schedule::present::list(&ctx, report).await;
            crate::request::drawn(&ctx, content, super::schedule::drawn_list).await
        }
        (report, "schedules", schedule) => {
            let content = super::schedule::present::one(&ctx, report, schedule).await;
            crate::request::drawn(&ctx, content, super::schedule::drawn).await
        }
        (report, "", "") => {
            crate::request::drawn(&ctx, super::present::builder(&ctx, report, &query).await, super::builder::drawn)
                .await
        }
        (report, "versions", "") => {
            crate::request::drawn(&ctx, super::present::versions(&ctx, report, &query).await, super::version::drawn)
                .await
        }
        (report, "runs", run) if word(3) == "tables" => {
            let content = super::present::run_table(&ctx, report, run, word(4), &query).await;
            crate::request::drawn(&ctx, content, super::run::drawn_table).await
        }
        (report, "runs", run) if !run.is_empty() && word(3).is_empty() => {
            crate::request::drawn(&ctx, super::present::run(&ctx, report, run).await, super::run::drawn).await
        }
        (report, "tables", block) if !block.is_empty() => {
            crate::request::drawn(
                &ctx,
                super::present::table(&ctx, report, block, &query).await,
                super::run::drawn_table,
            )
            .await
        }
        _ => Err(rtv_core::Error::NotFound.into()),
    }
}
