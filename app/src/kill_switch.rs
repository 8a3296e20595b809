//! `/t/{tenant}/switches`: what is halted and how it stands, halting, and releasing with its plan and second person. The same
//! pages stand under `/staff/switches` for what is the operator's. All of it is drawn on the server; the browser knows the
//! addresses, keeps the banner above every page up to date, and shows beside the form that halts what it would stop.

pub mod api;
#[cfg(feature = "ssr")]
pub(crate) mod banner;
#[cfg(feature = "ssr")]
pub(crate) mod desk;
#[cfg(feature = "ssr")]
mod drill;
#[cfg(feature = "ssr")]
pub(crate) mod halt;
#[cfg(feature = "ssr")]
pub(crate) mod matrix;
#[cfg(feature = "ssr")]
pub(crate) mod overview;
#[cfg(feature = "ssr")]
pub(crate) mod present;
#[cfg(feature = "ssr")]
pub(crate) mod receipt;
#[cfg(feature = "ssr")]
pub(crate) mod release;
#[cfg(feature = "hydrate")]
pub(crate) mod watch;

use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_params_map, use_query_map};
use leptos_router::params::ParamsMap;

#[cfg(feature = "ssr")]
pub use banner::{for_staff as banner_for_staff, of_tenant as banner};
#[cfg(feature = "ssr")]
pub use drill::drill_chart;
#[cfg(feature = "ssr")]
pub use halt::present::scope_of;

use crate::page::{DrawnPage, Place};

/// Where an open page asks what is halted.
pub const POLL: &str = "/fn/halts";

/// Id of the element that holds the banner.
pub(crate) const BANNER: &str = "kill-banner";

/// Whichever page below the place the address means.
#[component]
pub fn SwitchesPage() -> impl IntoView {
    let (params, query, location) = (use_params_map(), use_query_map(), use_location());
    let page = Resource::new(
        move || {
            let tenant = params.read().get("tenant").unwrap_or_default();
            // The address changes also when somebody leaves for another page; its parameters belong to this one.
            let below = below(&location.pathname.get_untracked());
            let query = crate::dashboard::pairs(&query.read());
            #[cfg(feature = "hydrate")]
            watch::remember(&query);
            (tenant, below, query)
        },
        |(tenant, below, query)| api::read_switches(tenant, below, query),
    );
    view! { <DrawnPage page place=Place::Switches /> }
}

/// What stands behind the place in an address: `halts/halt_1` of `/t/acme/switches/halts/halt_1`.
pub(crate) fn below(path: &str) -> String {
    path.split_once("/switches").map(|(_, below)| below.trim_matches('/').to_owned()).unwrap_or_default()
}

/// The place of the banner above a page.
pub(crate) fn banner_place(html: String) -> AnyView {
    view! { <div id=BANNER inner_html=html></div> }.into_any()
}

/// Shows what a page brought along in place of what stood there.
pub(crate) fn keep(html: String) {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| watch::show(&html));
    #[cfg(not(feature = "hydrate"))]
    drop(html);
}

/// The page that halts, with that chosen which the page that is shown is about.
pub(crate) fn halt_address(slug: &str, query: &ParamsMap) -> String {
    let page = format!("{}/halt", Place::Switches.address(slug));
    let only = |name: &str| {
        let mut values = query.get_all(name)?.into_iter();
        let value = values.next().filter(|_| values.next().is_none())?;
        let is_plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        (is_plain && !value.is_empty()).then(|| format!("{page}?scope={name}%3D{value}"))
    };
    ["account", "campaign", "platform"].into_iter().find_map(only).unwrap_or(page.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halting_begins_with_what_the_page_is_about() {
        let check = |pairs: &[(&'static str, &str)], expect: &str| {
            let query = pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            assert_eq!(halt_address("acme", &query), format!("/t/acme/switches/halt{expect}"));
        };
        check(&[], "");
        check(&[("platform", "x")], "?scope=platform%3Dx");
        check(&[("platform", "x"), ("account", "acc_1")], "?scope=account%3Dacc_1");
        check(&[("platform", "x&y")], "");
        check(&[("range", "7d")], "");
    }

    #[test]
    fn what_stands_below_the_place_says_which_page_it_is() {
        let check = |path: &str, expect: &str| assert_eq!(below(path), expect);
        check("/t/acme/switches", "");
        check("/t/acme/switches/", "");
        check("/t/acme/switches/halts/halt_1", "halts/halt_1");
        check("/staff/switches/halt", "halt");
    }
}
