//! `/t/{tenant}/competitors`: brands that the organisation compares itself with, and what is known of them month by month. The
//! forms are posted to routes of the server, which lead back here with a message.

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

/// The list, or one competitor where the address names one.
#[component]
pub fn CompetitorsPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let page = Resource::new(
        move || {
            let params = params.read();
            let word = |name: &str| params.get(name).unwrap_or_default();
            (word("tenant"), word("competitor"), crate::dashboard::pairs(&query.read()))
        },
        |(tenant, competitor, query)| api::read_competitors(tenant, competitor, query),
    );
    view! { <DrawnPage page place=Place::Competitors /> }
}
