//! The pages before a member is taken out and before a team is removed: what will happen, asked once.

use leptos::prelude::*;
use rtv_ui::{Card, ConfirmPage, Crumb, LinkButton, PageHeader};

use crate::page::{Drawn, Framed};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// The page, drawn.
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
