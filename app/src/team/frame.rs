//! What the pages of the team share: the links to its parts, and the word about a save that came too late.

use leptos::prelude::*;
use rtv_ui::{LinkButton, Notice, TabLink, Tabs, Tone};

/// How many there are of what the tabs lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    pub(super) members: String,
    pub(super) teams: String,
    pub(super) roles: String,
    /// Whether the person may see who is invited.
    pub(super) can_invite: bool,
}

/// The parts of the team's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    Members,
    Teams,
    Roles,
    Invitations,
    Access,
}

/// The links to the parts.
#[component]
pub(crate) fn TeamTabs(slug: String, counts: Counts, current: Tab) -> impl IntoView {
    let link = |tab: Tab, label: &str, count: Option<String>, path: &str| TabLink {
        label: label.into(),
        count: count.into(),
        href: format!("/t/{slug}/team{path}"),
        current: tab == current,
    };
    let mut links = vec![
        link(Tab::Members, "Members", Some(counts.members), ""),
        link(Tab::Teams, "Teams", Some(counts.teams), "/teams"),
        link(Tab::Roles, "Roles", Some(counts.roles), "/roles"),
    ];
    if counts.can_invite {
        links.push(link(Tab::Invitations, "Invitations", None, "/invitations"));
    }
    links.push(link(Tab::Access, "Access", None, "/access"));
    view! { <Tabs label="Team" links /> }
}

/// Above a form whose save was refused because somebody else was quicker: the way to what it is now.
#[component]
pub(super) fn StaleNotice(href: String) -> impl IntoView {
    view! {
        <Notice
            tone=Tone::Warning
            action=Some(view! { <LinkButton href small=true external=true>"Reload"</LinkButton> }.into_any())
        >
            "What you typed is still below and is not saved. Reload to see what it is now."
        </Notice>
    }
}
