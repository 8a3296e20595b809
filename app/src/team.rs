//! `/t/{tenant}/team`: who belongs to the organisation and what they may do. Each tab is an address of its own: members,
//! teams, roles, invitations, and the question what somebody may do and why. Forms are posted to routes of
//! `server/src/http/team.rs`. The pages are drawn on the server; the browser knows the addresses and no more.

#[cfg(feature = "ssr")]
mod access;
pub mod api;
#[cfg(feature = "ssr")]
mod change;
#[cfg(feature = "ssr")]
mod confirm;
#[cfg(feature = "ssr")]
pub(crate) mod frame;
#[cfg(feature = "ssr")]
mod member;
#[cfg(feature = "ssr")]
mod members;
#[cfg(feature = "ssr")]
mod one;
#[cfg(feature = "ssr")]
pub(crate) mod present;
#[cfg(feature = "ssr")]
mod role;
#[cfg(feature = "ssr")]
mod roles;
#[cfg(feature = "ssr")]
mod teams;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::page::{DrawnPage, Place};

/// The members.
#[component]
pub fn MembersPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let page = Resource::new(
        move || (params.read().get("tenant").unwrap_or_default(), crate::dashboard::pairs(&query.read())),
        |(tenant, query)| api::read_members(tenant, query),
    );
    view! { <DrawnPage page place=Place::Team /> }
}

/// One member.
#[component]
pub fn MemberPage() -> impl IntoView {
    let params = use_params_map();
    let page = Resource::new(
        move || {
            let params = params.read();
            (params.get("tenant").unwrap_or_default(), params.get("user").unwrap_or_default())
        },
        |(tenant, user)| api::read_member(tenant, user),
    );
    view! { <DrawnPage page place=Place::Team /> }
}

/// What a change of a member would do.
#[component]
pub fn ChangePage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let page = Resource::new(
        move || {
            let params = params.read();
            let query = crate::dashboard::pairs(&query.read());
            (params.get("tenant").unwrap_or_default(), params.get("user").unwrap_or_default(), query)
        },
        |(tenant, user, query)| api::read_member_change(tenant, user, query),
    );
    view! { <DrawnPage page place=Place::Team /> }
}

/// What taking a member out would do.
#[component]
pub fn RemovalPage() -> impl IntoView {
    let params = use_params_map();
    let page = Resource::new(
        move || {
            let params = params.read();
            (params.get("tenant").unwrap_or_default(), params.get("user").unwrap_or_default())
        },
        |(tenant, user)| api::read_member_removal(tenant, user),
    );
    view! { <DrawnPage page place=Place::Team /> }
}

/// What removing a team would do.
#[component]
pub fn TeamDeletionPage() -> impl IntoView {
    let params = use_params_map();
    let page = Resource::new(
        move || {
            let params = params.read();
            (params.get("tenant").unwrap_or_default(), params.get("team").unwrap_or_default())
        },
        |(tenant, team)| api::read_team_deletion(tenant, team),
    );
    view! { <DrawnPage page place=Place::Team /> }
}

/// The teams.
#[component]
pub fn TeamsPage() -> impl IntoView {
    let params = use_params_map();
    let page = Resource::new(move || params.read().get("tenant").unwrap_or_default(), api::read_teams);
    view! { <DrawnPage page place=Place::Team /> }
}

/// One team.
#[component]
pub fn TeamPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let page = Resource::new(
        move || {
            let params = params.read();
            let query = crate::dashboard::pairs(&query.read());
            (params.get("tenant").unwrap_or_default(), params.get("team").unwrap_or_default(), query)
        },
        |(tenant, team, query)| api::read_team(tenant, team, query),
    );
    view! { <DrawnPage page place=Place::Team /> }
}

/// The roles and their matrix.
#[component]
pub fn RolesPage() -> impl IntoView {
    let params = use_params_map();
    let page = Resource::new(move || params.read().get("tenant").unwrap_or_default(), api::read_roles);
    view! { <DrawnPage page place=Place::Team /> }
}

/// One role, or the form for a new one.
#[component]
pub fn RolePage() -> impl IntoView {
    let params = use_params_map();
    let page = Resource::new(
        move || {
            let params = params.read();
            (params.get("tenant").unwrap_or_default(), params.get("role").unwrap_or_default())
        },
        |(tenant, role)| api::read_role(tenant, role),
    );
    view! { <DrawnPage page place=Place::Team /> }
}

/// What somebody may do, and why.
#[component]
pub fn AccessPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let page = Resource::new(
        move || (params.read().get("tenant").unwrap_or_default(), crate::dashboard::pairs(&query.read())),
        |(tenant, query)| api::read_access(tenant, query),
    );
    view! { <DrawnPage page place=Place::Team /> }
}
