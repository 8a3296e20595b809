//! `/t/{tenant}/audit`: what was done in the tenant, by whom and from where, newest first. The filters are the address;
//! one event has a page of its own. The files to take away and the form of how long details are kept are routes of the
//! server. The pages are drawn on the server; the browser knows the addresses and no more.

pub mod api;
#[cfg(feature = "ssr")]
mod event;
#[cfg(feature = "ssr")]
mod list;
#[cfg(feature = "ssr")]
mod present;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::page::{DrawnPage, Place};

/// The list.
#[component]
pub fn AuditPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let page = Resource::new(
        move || (params.read().get("tenant").unwrap_or_default(), crate::dashboard::pairs(&query.read())),
        |(tenant, query)| api::read_audit(tenant, query),
    );
    view! { <DrawnPage page place=Place::Audit /> }
}

/// One event.
#[component]
pub fn AuditEventPage() -> impl IntoView {
    let params = use_params_map();
    let page = Resource::new(
        move || {
            let params = params.read();
            (params.get("tenant").unwrap_or_default(), params.get("event").unwrap_or_default())
        },
        |(tenant, event)| api::read_audit_event(tenant, event),
    );
    view! { <DrawnPage page place=Place::Audit /> }
}
