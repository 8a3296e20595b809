//! The list of reports, drawn, with what one may start from.

use leptos::prelude::*;
use rtv_ui::{
    Badge, Button, Card, EmptyState, IconName, LinkButton, PageHeader, Pager as PagerBar, RowLink, Table, Tone, Variant,
};

use crate::page::{Drawn, Framed};

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reports {
    pub(super) rows: Vec<ReportRow>,
    /// Where one is, in a list of several pages.
    pub(super) pager: Option<Pager>,
    pub(super) can_build: bool,
    /// Key, name, what it is for.
    pub(super) templates: Vec<(&'static str, &'static str, &'static str)>,
    /// A report that was just deleted: its id and name.
    pub(super) deleted: Option<String>,
}

/// Where one is in a list of several pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pager {
    pub(super) summary: String,
    /// Addresses of the page before and behind.
    pub(super) newer: Option<String>,
    pub(super) older: Option<String>,
}

impl Pager {
    /// Pages of an address, by their numbers.
    pub(super) fn of(path: &str, summary: String, newer: Option<i64>, older: Option<i64>) -> Self {
        let joint = if path.contains('?') { '&' } else { '?' };
        let address = |page| format!("{path}{joint}page={page}");
        Self { summary, newer: newer.map(address), older: older.map(address) }
    }

    /// Drawn, with words for screen readers.
    pub(super) fn drawn(self, label: &'static str) -> AnyView {
        let Self { summary, newer, older } = self;
        view! {
            <PagerBar
                summary
                newer=newer.unwrap_or_default()
                older=older.unwrap_or_default()
                label
                newer_label="Previous"
                older_label="Next"
            />
        }
        .into_any()
    }
}

/// One report in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    pub(super) id: String,
    pub(super) href: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) changed: String,
    /// State as stored, word, tone, address, when.
    pub(super) run: Option<(String, &'static str, Tone, String, String)>,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<Reports>) -> Drawn {
    let Framed { frame, content } = page;
    let path = format!("/t/{}/reports", frame.slug);
    let Reports { rows, pager, can_build, templates, deleted } = content;
    let is_empty = rows.is_empty();
    let start = can_build.then(|| templates_card(&path, templates));
    let restore = deleted.map(|id| {
        view! {
            <form method="post" action=format!("{path}/{id}/bring-back")>
                <Button>"Bring the deleted report back"</Button>
            </form>
        }
    });
    let inbox = view! {
        <LinkButton href=format!("/t/{}/inbox", frame.slug) variant=Variant::Quiet icon=IconName::Report>"Inbox"</LinkButton>
    };
    let body = if is_empty {
        let text = if can_build {
            "Start from a template below. You see it with your own figures at once, change what you like, and make it as PDF, Excel and CSV."
        } else {
            "Reports that are built here are listed with their newest run. Whoever holds the permission “reports:manage” builds them."
        };
        view! { <EmptyState icon=IconName::Report title="No reports yet" text /> }.into_any()
    } else {
        table(rows, pager)
    };
    let html = view! {
        <PageHeader
            title="Reports"
            subtitle="Built once, the same in every format: page, PDF, Excel and CSV."
            actions=view! { {restore} {inbox} }.into_any()
        />
        <div class="l-stack" data-gap="5">
            {body}
            {start}
        </div>
    };
    Drawn::new(Vec::new(), false, html)
}

fn table(rows: Vec<ReportRow>, pager: Option<Pager>) -> AnyView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let run = match row.run {
                Some((key, word, tone, href, when)) => view! {
                    <a href=href data-state=key><Badge tone>{word}</Badge></a>
                    <span class="c-table__detail">{when}</span>
                }
                .into_any(),
                None => view! { <span class="u-muted">"None yet"</span> }.into_any(),
            };
            view! {
                <tr data-row=row.id>
                    <th scope="row">
                        <RowLink href=row.href>{row.name}</RowLink>
                        <span class="c-table__detail">{row.description}</span>
                    </th>
                    <td data-label="Newest run">{run}</td>
                    <td data-label="Changed">{row.changed}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card flush=true>
            <Table caption="Reports, what was changed last first" id="reports">
                <thead>
                    <tr>
                        <th scope="col">"Report"</th>
                        <th scope="col">"Newest run"</th>
                        <th scope="col">"Changed"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
            {pager.map(|pager| pager.drawn("Pages of reports"))}
        </Card>
    }
    .into_any()
}

fn templates_card(path: &str, templates: Vec<(&'static str, &'static str, &'static str)>) -> AnyView {
    let items = templates
        .into_iter()
        .map(|(key, name, text)| {
            view! {
                <li class="c-template">
                    <h3 class="c-template__name">{name}</h3>
                    <p class="u-muted u-small">{text}</p>
                    <Button name="template" value=key variant=Variant::Neutral label=format!("Start from {name}")>"Start"</Button>
                </li>
            }
        })
        .collect_view();
    let action = path.to_owned();
    view! {
        <Card title="New report" text="Each is a beginning: everything in it can be changed.">
            <form method="post" action=action>
                <ul class="c-templates">{items}</ul>
            </form>
        </Card>
    }
    .into_any()
}
