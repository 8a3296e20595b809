//! The competitors, and the forms that add one or take a file, drawn.

use leptos::prelude::*;
use rtv_ui::{
    Badge, Button, Card, EmptyState, ErrorSummary, Field, FileField, IconName, PageHeader, RowLink, Table, Tone,
    Variant,
};

use crate::page::{Drawn, Framed};

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Competitors {
    pub(super) rows: Vec<CompetitorRow>,
    pub(super) form: Option<ListForm>,
    pub(super) errors: Vec<(String, String)>,
    pub(super) needed: String,
}

/// One competitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompetitorRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_removed: bool,
    pub(super) platforms: String,
    pub(super) months: Option<String>,
}

/// What whoever keeps competitors is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListForm {
    pub(super) name: String,
    pub(super) name_characters: usize,
    pub(super) columns: String,
    pub(super) most: String,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<Competitors>) -> Drawn {
    let Competitors { rows, form, errors, needed } = page.content;
    let path = format!("/t/{}/competitors", page.frame.slug);
    let can_change = form.is_some();
    let list = if rows.is_empty() {
        let text = if can_change {
            "Name the brands that you are measured against, and enter what anybody can see of them month by month, or take it from a file. Reports then show your share of voice and your place."
        } else {
            "An owner, admin or editor of this organisation can add brands to compare with; reports then show your share of voice and your place."
        };
        view! { <EmptyState icon=IconName::Trend title="No competitors yet" text /> }.into_any()
    } else {
        table(rows, &path, can_change)
    };
    let error = |field: &str| errors.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone());
    let (name_error, file_error) = (error("name"), error("file"));
    let is_refused = !errors.is_empty();
    let (add, upload) = (path.clone(), format!("{path}/upload"));
    let forms = match form {
        Some(form) => view! {
            <Card title="Add a competitor" text="By the name that reports are to show.">
                <form class="l-stack" data-gap="4" method="post" action=add autocomplete="off">
                    <Field
                        label="Name"
                        name="name"
                        value=form.name
                        error=name_error
                        maxlength=form.name_characters.to_string()
                        required=true
                    />
                    <div>
                        <Button variant=Variant::Primary>"Add competitor"</Button>
                    </div>
                </form>
            </Card>
            <Card title="Take a file" text="All of it is taken, or nothing: a line that is refused is named.">
                <form class="l-stack" data-gap="4" method="post" action=upload enctype="multipart/form-data">
                    <FileField
                        label="CSV file"
                        name="file"
                        accept=".csv,.tsv,.txt,text/csv,text/tab-separated-values,text/plain"
                        hint=format!("Columns {}. Months like 2026-10; what is not known stays empty. Up to {}.", form.columns, form.most)
                        error=file_error
                    />
                    <div>
                        <Button icon=IconName::Imports>"Take file"</Button>
                    </div>
                </form>
            </Card>
        }
        .into_any(),
        None => view! {
            <Card title="Who keeps competitors">
                <p class="u-muted">
                    {format!("Keeping competitors needs the permission “{needed}”. An owner or admin of this organisation can grant it.")}
                </p>
            </Card>
        }
        .into_any(),
    };
    let html = view! {
        <ErrorSummary errors />
        <PageHeader
            title="Competitors"
            subtitle="Brands that reports compare you with, by what anybody can see of them. Figures stand by calendar month."
        />
        <div class="l-stack" data-gap="5">
            {list}
            <div class="l-grid" data-columns="2">{forms}</div>
        </div>
    };
    Drawn::new(Vec::new(), is_refused, html)
}

fn table(rows: Vec<CompetitorRow>, path: &str, can_change: bool) -> AnyView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let act = if row.is_removed { "bring-back" } else { "remove" };
            let word = if row.is_removed { "Bring back" } else { "Remove" };
            let label = format!("{word} {}", row.name);
            let action = can_change.then(|| {
                view! {
                    <td class="c-table__actions">
                        <form method="post" action=format!("{path}/{}/{act}", row.id)>
                            <Button small=true label>{word}</Button>
                        </form>
                    </td>
                }
            });
            let badge = row.is_removed.then(|| view! { <Badge tone=Tone::Neutral>"Removed"</Badge> });
            view! {
                <tr data-row=row.id.clone()>
                    <th scope="row">
                        <RowLink href=format!("{path}/{}", row.id)>{row.name}</RowLink>
                        " "
                        {badge}
                    </th>
                    <td data-label="Platforms">{row.platforms}</td>
                    <td data-label="Months">{row.months.unwrap_or_else(|| "Nothing entered yet".into())}</td>
                    {action}
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card flush=true>
            <Table caption="Competitors" id="competitors">
                <thead>
                    <tr>
                        <th scope="col">"Brand"</th>
                        <th scope="col">"Platforms"</th>
                        <th scope="col">"Months"</th>
                        {can_change.then(|| view! { <th scope="col"><span class="u-visually-hidden">"Actions"</span></th> })}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        </Card>
    }
    .into_any()
}
