//! `/t/{tenant}/team`: who belongs to the organisation and what they may do. Each tab is an address of its own: members,
//! teams, roles, and the question what somebody may do and why. Forms are posted to routes of `server/src/http/team.rs`.

// Drawn on the server; the browser knows the addresses and no more.
#![cfg_attr(not(feature = "ssr"), allow(unused_imports, dead_code))]

mod access;
pub mod api;
mod change;
mod confirm;
mod member;
mod members;
mod one;
#[cfg(feature = "ssr")]
mod present;
mod role;
mod roles;
mod teams;

pub use access::AccessPage;
pub use change::ChangePage;
pub use confirm::{RemovalPage, TeamDeletionPage};
pub use member::MemberPage;
pub use members::MembersPage;
pub use one::TeamPage;
pub use role::RolePage;
pub use roles::RolesPage;
pub use teams::TeamsPage;

use leptos::prelude::*;
use rtv_ui::{LinkButton, Notice, TabLink, Tabs, Tone};
use serde::{Deserialize, Serialize};

/// How many there are of what the tabs lead to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    members: String,
    teams: String,
    roles: String,
}

/// The parts of the team's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tab {
    Members,
    Teams,
    Roles,
    Access,
}

/// The links to the parts.
#[component]
fn TeamTabs(slug: String, counts: Counts, current: Tab) -> impl IntoView {
    let link = |tab: Tab, label: &str, count: Option<String>, path: &str| TabLink {
        label: label.into(),
        count: count.into(),
        href: format!("/t/{slug}/team{path}"),
        current: tab == current,
    };
    let links = vec![
        link(Tab::Members, "Members", Some(counts.members), ""),
        link(Tab::Teams, "Teams", Some(counts.teams), "/teams"),
        link(Tab::Roles, "Roles", Some(counts.roles), "/roles"),
        link(Tab::Access, "Access", None, "/access"),
    ];
    view! { <Tabs label="Team" links /> }
}

/// Above a form whose save was refused because somebody else was quicker: the way to what it is now.
#[component]
fn StaleNotice(href: String) -> impl IntoView {
    view! {
        <Notice
            tone=Tone::Warning
            action=Some(view! { <LinkButton href small=true external=true>"Reload"</LinkButton> }.into_any())
        >
            "What you typed is still below and is not saved. Reload to see what it is now."
        </Notice>
    }
}
