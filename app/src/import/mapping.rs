//! `/t/{tenant}/imports/mappings`: the saved mappings, to rename and to remove. They are made where a file's columns
//! are said.

use leptos::prelude::*;
use rtv_ui::{Button, Card, Crumb, EmptyState, ErrorSummary, Field, IconName, LinkButton, PageHeader, Table, Variant};

use crate::page::{Drawn, Framed};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mappings {
    pub(super) rows: Vec<MappingRow>,
}

/// One saved mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingRow {
    pub(super) name: String,
    pub(super) columns: String,
    pub(super) changed: String,
    pub(super) used: String,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<Mappings>) -> Drawn {
    let Framed { frame, content } = page;
    let path = format!("/t/{}/imports", frame.slug);
    let flash = frame.flash.clone().unwrap_or_default();
    let is_refused = !flash.errors.is_empty();
    let crumbs = vec![Crumb { label: "Saved mappings".into(), href: None }];
    let action = format!("{path}/mappings");
    let body = if content.rows.is_empty() {
        view! {
            <EmptyState
                icon=IconName::Table
                title="No mapping is saved"
                text="When you have said what the columns of a file mean, give that a name there. The next file of the same kind is then read without asking."
                action=view! { <LinkButton href=path.clone() variant=Variant::Primary>"Import a file"</LinkButton> }.into_any()
            />
        }
        .into_any()
    } else {
        let rows = content
            .rows
            .into_iter()
            .enumerate()
            .map(|(index, row)| {
                let is_meant = flash.value("name").as_deref() == Some(row.name.as_str());
                let error = flash.error("to").filter(|_| is_meant);
                let typed = flash.value("to").filter(|_| is_meant).unwrap_or_else(|| row.name.clone());
                let id = if is_meant { "field-to".to_owned() } else { format!("field-to-{index}") };
                view! {
                    <tr>
                        <th scope="row" data-label="Name">
                            {row.name.clone()}
                            <span class="c-table__detail">{row.columns}</span>
                        </th>
                        <td data-label="Used">{row.used}</td>
                        <td data-label="Last changed">{row.changed}</td>
                        <td class="c-table__actions">
                            <div class="c-import-actions">
                                <form method="post" action=format!("{action}/rename") class="l-cluster" data-align="end">
                                    <input type="hidden" name="name" value=row.name.clone() />
                                    <Field label=format!("New name of {}", row.name) name="to" id value=typed error maxlength="80" hide_label=true />
                                    <Button small=true label=format!("Rename {}", row.name)>"Rename"</Button>
                                </form>
                                <form method="post" action=format!("{action}/delete")>
                                    <input type="hidden" name="name" value=row.name.clone() />
                                    <Button small=true label=format!("Delete {}", row.name)>"Delete"</Button>
                                </form>
                            </div>
                        </td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <Card flush=true>
                <Table caption="Saved mappings" id="mappings">
                    <thead>
                        <tr>
                            <th scope="col">"Name"</th>
                            <th scope="col">"Used"</th>
                            <th scope="col">"Last changed"</th>
                            <th scope="col"><span class="u-visually-hidden">"Actions"</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </Table>
            </Card>
        }
        .into_any()
    };
    let html = view! {
            <ErrorSummary errors=flash.errors />
            <PageHeader
                title="Saved mappings"
                subtitle="What the columns of a kind of file mean, by name. Imports that used one keep what they have stored."
            />
            {body}
    };
    Drawn::new(crumbs, is_refused, html)
}
