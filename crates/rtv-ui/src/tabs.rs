//! The parts of a page that have an address each: members, roles and invitations of one team. They are links, so that
//! each opens in a new tab, is a bookmark, and works without a script.

use leptos::prelude::*;

use crate::Words;

/// One part of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TabLink {
    /// The word.
    pub label: String,
    /// How many there are: "24".
    pub count: Words,
    /// Its address.
    pub href: String,
    /// Whether it is the one in sight.
    pub current: bool,
}

/// A row of links to the parts of a page. Where they do not fit the row scrolls.
#[component]
pub fn Tabs(
    /// What is divided, for screen readers.
    #[prop(into)]
    label: String,
    /// The parts.
    links: Vec<TabLink>,
) -> impl IntoView {
    let links = links
        .into_iter()
        .map(|link| {
            view! {
                <li>
                    <a class="c-tabs__link" href=link.href aria-current=link.current.then_some("page")>
                        <span>{link.label}</span>
                        {link.count.into_option().map(|count| view! { <span class="c-tabs__count">{count}</span> })}
                    </a>
                </li>
            }
        })
        .collect_view();
    view! {
        <nav class="c-tabs" aria-label=label>
            <ul class="c-tabs__list">{links}</ul>
        </nav>
    }
    .into_any()
}
