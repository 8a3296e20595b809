//! The pages before a member is taken out and before a team is removed: what will happen, asked once.

// Drawn on the server; the browser knows the addresses and no more.
#![cfg_attr(not(feature = "ssr"), allow(unused_imports, dead_code))]

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use rtv_ui::{Card, ConfirmPage, Crumb, LinkButton, PageHeader};
use serde::{Deserialize, Serialize};

use crate::page::{Drawn, DrawnPage, Framed, Place};
use crate::team::api;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmView {
    /// What it is about, and its address.
    pub(super) name: String,
    pub(super) href: String,
    pub(super) title: String,
    pub(super) consequences: Vec<String>,
    pub(super) action: String,
    pub(super) verb: String,
    pub(super) version: String,
    /// Why it cannot be done.
    pub(super) refusal: Option<String>,
}

/// The page before a member is taken out.
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

/// The page before a team is removed.
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

/// The page, drawn.
#[cfg(feature = "ssr")]
pub(super) fn drawn(page: Framed<ConfirmView>) -> Drawn {
    let content = page.content;
    let ConfirmView { name, href, title, consequences, action, verb, version, refusal } = content;
    let crumbs = vec![Crumb { label: name, href: Some(href.clone()) }, Crumb { label: verb.clone(), href: None }];
    let body = match refusal {
        Some(text) => view! {
            <PageHeader title />
            <Card title="This cannot be done">
                <div class="l-stack">
                    <p>{text}</p>
                    <div><LinkButton href>"Back"</LinkButton></div>
                </div>
            </Card>
        }
        .into_any(),
        None => view! {
            <ConfirmPage
                title
                consequences
                action
                verb
                cancel_href=href
                hidden=vec![("version".to_owned(), version)]
            />
        }
        .into_any(),
    };
    let html = view! {{body}};
    Drawn::new(crumbs, false, html)
}
