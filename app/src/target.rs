//! `/t/{tenant}/targets`: what each figure is meant to reach in a month, for everything, a platform or an account. The
//! forms are posted to routes of the server, which lead back here with a message.

pub mod api;
#[cfg(feature = "ssr")]
mod list;
#[cfg(feature = "ssr")]
mod present;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::page::{DrawnPage, Place};

/// The page.
#[component]
pub fn TargetsPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let page = Resource::new(
        move || (params.read().get("tenant").unwrap_or_default(), crate::dashboard::pairs(&query.read())),
        |(tenant, query)| api::read_targets(tenant, query),
    );
    view! { <DrawnPage page place=Place::Targets /> }
}
