//! `/t/{tenant}/api-keys`: the keys with which programs ask, and making one. Drawn on the server; the forms are posted to
//! routes of the server. A new key is shown by the answer to the form that made it, and never again.

pub mod api;
#[cfg(feature = "ssr")]
mod drawing;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::page::{DrawnPage, Place};

/// The value of a message that carries a new key to the page. Such a message is handed to the page itself and never stored.
pub const SECRET: &str = "new_key";

/// The page.
#[component]
pub fn ApiKeysPage() -> impl IntoView {
    let params = use_params_map();
    let page = Resource::new(move || params.read().get("tenant").unwrap_or_default(), api::read_api_keys);
    view! { <DrawnPage page place=Place::ApiKeys /> }
}
