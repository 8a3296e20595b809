//! A table of two lists against each other: clients by platforms, permissions by roles. The first column stays in sight
//! while the rest scrolls, on a phone too, because a matrix that became a list would no longer compare anything.

use leptos::prelude::*;

use crate::{Icon, IconName, SwitchBadge, SwitchState, Words};

/// What stands where a row meets a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MatrixMark {
    /// How a switch stands, and more than the word about it.
    Switch(SwitchState, Words),
    /// Held.
    Yes,
    /// Not held.
    No,
    /// Held, and cannot be taken away.
    Locked,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatrixCell {
    /// What it shows.
    pub mark: MatrixMark,
    /// Where it leads; a cell without an address is only read.
    pub href: Words,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatrixRow {
    /// What the row is about.
    pub label: String,
    /// A second line under it.
    pub detail: Words,
    /// Where more about the row is.
    pub href: Words,
    /// One cell for each column.
    pub cells: Vec<MatrixCell>,
}

/// A matrix in a region that scrolls by itself and can be reached with the keyboard.
#[component]
pub fn Matrix(
    /// What is compared; names the region for screen readers.
    #[prop(into)]
    caption: String,
    /// The id of the caption; unique on the page.
    #[prop(into)]
    id: String,
    /// What the rows are: "Client".
    #[prop(into)]
    corner: String,
    /// The columns.
    columns: Vec<String>,
    /// The rows.
    rows: Vec<MatrixRow>,
) -> impl IntoView {
    let headings = columns.iter().map(|column| view! { <th scope="col">{column.clone()}</th> }).collect_view();
    let rows = rows
        .into_iter()
        .map(|row| {
            let about = row.label.clone();
            let cells = row
                .cells
                .into_iter()
                .zip(columns.clone())
                .map(|(cell, column)| view! { <td>{cell_view(cell, &about, &column)}</td> })
                .collect_view();
            view! {
                <tr>
                    <th scope="row">
                        {match row.href.into_option() {
                            Some(href) => view! { <a href=href>{row.label}</a> }.into_any(),
                            None => row.label.into_any(),
                        }}
                        {row.detail.into_option().map(|detail| view! { <span class="c-matrix__detail">{detail}</span> })}
                    </th>
                    {cells}
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="c-matrix" role="region" tabindex="0" aria-labelledby=id>
            <table class="c-matrix__table">
                <caption class="u-visually-hidden" id=id.clone()>{caption}</caption>
                <thead>
                    <tr>
                        <th scope="col">{corner}</th>
                        {headings}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn cell_view(cell: MatrixCell, row: &str, column: &str) -> AnyView {
    let mark = match cell.mark {
        MatrixMark::Switch(state, text) => view! { <SwitchBadge state text /> }.into_any(),
        MatrixMark::Yes => held("yes", IconName::Check, "Yes"),
        MatrixMark::No => held("no", IconName::Minus, "No"),
        MatrixMark::Locked => held("locked", IconName::Lock, "Yes, locked"),
    };
    match cell.href.into_option() {
        // Read on its own, in a list of links, a cell must say where it stands.
        Some(href) => view! {
            <a class="c-matrix__link" href=href>
                {mark}
                <span class="u-visually-hidden">{format!(": {row}, {column}")}</span>
            </a>
        }
        .into_any(),
        None => mark,
    }
}

fn held(state: &'static str, icon: IconName, word: &'static str) -> AnyView {
    view! {
        <span class="c-matrix__mark" data-state=state>
            <Icon name=icon />
            <span class="u-visually-hidden">{word}</span>
        </span>
    }
    .into_any()
}
