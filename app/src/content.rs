//! `/t/{tenant}/content`: what is to be posted, from the draft to the approval. The list, one content and the form for a new one
//! are drawn on the server; forms are posted to routes of `server/src/http/content.rs`.

pub mod api;
#[cfg(feature = "ssr")]
mod list;
#[cfg(feature = "ssr")]
mod one;
#[cfg(feature = "ssr")]
mod present;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::page::{DrawnPage, Place};

/// The list, or the content that the address names; `new` names the one that is about to be written.
#[component]
pub fn ContentPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let page = Resource::new(
        move || {
            let params = params.read();
            let query = crate::dashboard::pairs(&query.read());
            (params.get("tenant").unwrap_or_default(), params.get("content").unwrap_or_default(), query)
        },
        |(tenant, content, query)| api::read_content(tenant, content, query),
    );
    view! { <DrawnPage page place=Place::Content /> }
}
