//! The list of what is to be posted, drawn.

use leptos::prelude::*;
use rtv_ui::{Badge, Card, EmptyState, ErrorSummary, IconName, LinkButton, PageHeader, Pager, RowLink, Table, Variant};

use crate::page::{Drawn, Framed};
use crate::publish::{Filter, StateView, filters, none_fits};

/// Everything that the page shows.
#[expect(clippy::struct_excessive_bools, reason = "each says something else about the page")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    pub(super) filters: Vec<Filter>,
    /// Why the filters of the address cannot be used.
    pub(super) errors: Vec<(String, String)>,
    pub(super) is_filtered: bool,
    /// Whether there is an account that posts could go to.
    pub(super) has_account: bool,
    pub(super) can_write: bool,
    pub(super) can_connect: bool,
    /// The zone of the times.
    pub(super) zone: String,
    pub(super) rows: Vec<ContentRow>,
    pub(super) summary: String,
    pub(super) first: Option<String>,
    pub(super) next: Option<String>,
}

/// One content in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentRow {
    pub(super) id: String,
    pub(super) href: String,
    /// How the text begins.
    pub(super) text: String,
    /// Who wrote it and what for.
    pub(super) detail: String,
    pub(super) state: StateView,
    /// Why it was given back.
    pub(super) note: Option<String>,
    pub(super) accounts: String,
    /// In the tenant's zone.
    pub(super) when: String,
    pub(super) when_utc: Option<String>,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<Contents>) -> Drawn {
    let Framed { frame, content } = page;
    let path = format!("/t/{}/content", frame.slug);
    let accounts_path = format!("/t/{}/accounts", frame.slug);
    let Contents {
        filters: menus,
        errors,
        is_filtered,
        has_account,
        can_write,
        can_connect,
        zone,
        rows,
        summary,
        first,
        next,
    } = content;
    let is_refused = !errors.is_empty();
    let actions = can_write.then(|| {
        view! { <LinkButton href=format!("{path}/new") variant=Variant::Primary icon=IconName::Write>"Write a post"</LinkButton> }
    });
    let is_empty = rows.is_empty() && next.is_none() && first.is_none();
    let body = if is_refused {
        ().into_any()
    } else if is_empty && is_filtered {
        let text = "No post fits all of the filters. Take one out to see more.";
        none_fits("Nothing is like that", text, &path, "Show all posts")
    } else if is_empty {
        teaching(&path, &accounts_path, has_account, can_write, can_connect)
    } else {
        view! {
            <Card flush=true>
                <ContentTable rows zone />
                <Pager summary newer=first older=next newer_label="Newest" older_label="Older" label="Pages of posts" />
            </Card>
        }
        .into_any()
    };
    let filters = (!is_empty || is_filtered).then(|| filters(&path, Vec::new(), menus, &errors, is_filtered));
    let html = view! {
        <ErrorSummary errors />
        <PageHeader
            title="Content"
            subtitle="What is to be posted: written, approved, sent at its time, once."
            actions=view! { {actions} }.into_any()
        />
        {filters}
        {body}
    };
    Drawn::new(Vec::new(), is_refused, html)
}

/// In place of the list where nothing has been written yet: how a post comes to be, and the step that is next.
fn teaching(path: &str, accounts: &str, has_account: bool, can_write: bool, can_connect: bool) -> AnyView {
    let (text, action) = match (has_account, can_connect, can_write) {
        (false, true, _) => (
            "A post goes to accounts, so connect one first. Then write the post and submit it. Somebody approves exactly what they see; at its time it goes out, once.",
            Some(view! { <LinkButton href=accounts.to_owned() variant=Variant::Primary>"Connect an account"</LinkButton> }.into_any()),
        ),
        (false, false, _) => (
            "A post goes to accounts, and none is connected. An owner or admin of this organisation can connect one.",
            None,
        ),
        (true, _, true) => (
            "Write a post, choose accounts and a time, and submit it. Somebody approves exactly what they see; at its time it goes out, once.",
            Some(view! { <LinkButton href=format!("{path}/new") variant=Variant::Primary>"Write the first post"</LinkButton> }.into_any()),
        ),
        (true, _, false) => (
            "Posts that are written here will be listed with their accounts, their time and whether they are approved.",
            None,
        ),
    };
    match action {
        Some(action) => {
            view! { <EmptyState icon=IconName::Write title="Nothing is written yet" text action /> }.into_any()
        }
        None => view! { <EmptyState icon=IconName::Write title="Nothing is written yet" text /> }.into_any(),
    }
}

#[component]
fn ContentTable(rows: Vec<ContentRow>, zone: String) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let tone = row.state.tone;
            view! {
                <tr data-row=row.id data-state=row.state.key>
                    <th scope="row">
                        <RowLink href=row.href><span class="u-truncate" data-wide="true">{row.text}</span></RowLink>
                        <span class="c-table__detail">{row.detail}</span>
                        {row.note.map(|note| view! { <span class="c-table__detail c-publish-note">{note}</span> })}
                    </th>
                    <td data-label="State"><Badge tone>{row.state.label}</Badge></td>
                    <td data-label="Accounts">{row.accounts}</td>
                    <td data-label="Goes out" class="u-nowrap">{when(row.when, row.when_utc)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table caption="Posts, what was changed last first" id="content">
            <thead>
                <tr>
                    <th scope="col">"Post"</th>
                    <th scope="col">"State"</th>
                    <th scope="col">"Accounts"</th>
                    <th scope="col">{format!("Goes out ({zone})")}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </Table>
    }
}

/// A time, or the word for none.
fn when(words: String, utc: Option<String>) -> AnyView {
    match utc {
        Some(utc) => view! { <time datetime=utc>{words}</time> }.into_any(),
        None => words.into_any(),
    }
}
