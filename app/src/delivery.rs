//! `/t/{tenant}/deliveries`: each post to each account on its way, and why one has not gone out. The list and one delivery are drawn
//! on the server; what a person decides is posted to routes of `server/src/http/delivery.rs`.

pub mod api;
#[cfg(feature = "ssr")]
mod list;
#[cfg(feature = "ssr")]
mod one;
#[cfg(feature = "ssr")]
pub(crate) mod present;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::page::{DrawnPage, Place};

/// The list, or the delivery that the address names.
#[component]
pub fn DeliveryPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let page = Resource::new(
        move || {
            let params = params.read();
            let query = crate::dashboard::pairs(&query.read());
            (params.get("tenant").unwrap_or_default(), params.get("delivery").unwrap_or_default(), query)
        },
        |(tenant, delivery, query)| api::read_delivery(tenant, delivery, query),
    );
    view! { <DrawnPage page place=Place::Deliveries /> }
}
