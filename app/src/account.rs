//! `/t/{tenant}/accounts`: the profiles that posts go to, whether RTV may act as each, and how one is connected. The pages are drawn
//! on the server; forms are posted to routes of `server/src/http/account.rs`. A token is only ever sent in.

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

/// Where the sandbox network has its own page; a context of every page.
#[cfg(feature = "ssr")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxPage(pub String);

/// The list, or the account that the address names.
#[component]
pub fn AccountPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let page = Resource::new(
        move || {
            let params = params.read();
            let query = crate::dashboard::pairs(&query.read());
            (params.get("tenant").unwrap_or_default(), params.get("account").unwrap_or_default(), query)
        },
        |(tenant, account, query)| api::read_account(tenant, account, query),
    );
    view! { <DrawnPage page place=Place::Accounts /> }
}
