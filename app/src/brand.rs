//! The tenant's own colour on its pages: a rule in the head that takes the place of the accent's tokens. It carries the
//! nonce of the page's scripts, because the policy allows no other rule inside a page.

use leptos::prelude::*;
use leptos_meta::Style;

/// The rule, where there is one. It goes with the page that it stands on.
#[component]
pub fn BrandStyle(rule: Option<String>) -> impl IntoView {
    rule.map(|rule| view! { <Style nonce=nonce()>{rule}</Style> })
}

/// The nonce of this answer.
#[cfg(not(feature = "hydrate"))]
fn nonce() -> String {
    leptos::nonce::use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default()
}

/// The nonce of the page that was loaded, which still holds after a change of page. Browsers show it to the program only.
#[cfg(feature = "hydrate")]
fn nonce() -> String {
    use wasm_bindgen::JsCast;
    document()
        .query_selector("script[nonce]")
        .ok()
        .flatten()
        .and_then(|script| script.dyn_into::<leptos::web_sys::HtmlElement>().ok())
        .map(|script| script.nonce())
        .unwrap_or_default()
}
