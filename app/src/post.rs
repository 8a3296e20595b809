//! `/t/{tenant}/posts`: the posts behind a figure. The last line of the table is their sum, which equals the figure.

pub mod api;
#[cfg(feature = "ssr")]
mod present;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use rtv_ui::{Card, EmptyState, ErrorSummary, IconName, LinkButton, PageHeader, Pager, Table};
use serde::{Deserialize, Serialize};

use crate::dashboard::{FilterBarView, FilterView};
use crate::page::{Framed, GuardedPage, Place, TenantPage};

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posts {
    subtitle: String,
    filter: FilterView,
    errors: Vec<(String, String)>,
    columns: Vec<Column>,
    rows: Vec<PostRow>,
    totals: Vec<Cell>,
    note: Option<String>,
    summary: String,
    first: Option<String>,
    next: Option<String>,
    dashboard: String,
    is_refused: bool,
}

/// A column with figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    key: String,
    label: String,
}

/// One post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostRow {
    id: String,
    published: String,
    title: String,
    kind: String,
    account: String,
    /// How RTV sent it, where it did.
    delivery: Option<String>,
    cells: Vec<Cell>,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    text: String,
    exact: String,
}

/// The page.
#[component]
pub fn PostsPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let page = Resource::new(
        move || (params.read().get("tenant").unwrap_or_default(), crate::dashboard::pairs(&query.read())),
        |(tenant, query)| api::read_posts(tenant, query),
    );
    let show = |page| view! { <Page page /> }.into_any();
    view! { <GuardedPage page place=Place::Posts show /> }
}

#[component]
fn Page(page: Framed<Posts>) -> impl IntoView {
    let Posts { subtitle, filter, errors, columns, rows, totals, note, summary, first, next, dashboard, is_refused } =
        page.content;
    let path = format!("/t/{}/posts", page.frame.slug);
    let back = dashboard.clone();
    let body = if is_refused {
        ().into_any()
    } else if rows.is_empty() {
        view! {
            <EmptyState
                icon=IconName::Search
                title="No posts in this period"
                text="Nothing was published in the period for the chosen platforms and accounts. Choose another period above."
                action=view! { <LinkButton href=dashboard>"Back to the dashboard"</LinkButton> }.into_any()
            />
        }
        .into_any()
    } else {
        view! {
            {note.map(|note| view! { <p class="u-muted u-small">{note}</p> })}
            <Card flush=true>
                <PostTable columns rows totals />
                <Pager summary newer=first older=next newer_label="Newest" older_label="Older" label="Pages of posts" />
            </Card>
        }
        .into_any()
    };
    view! {
        <TenantPage frame=page.frame place=Place::Posts is_refused>
            <ErrorSummary errors=errors.clone() />
            <PageHeader
                title="Posts"
                subtitle
                actions=view! { <LinkButton href=back icon=IconName::Dashboard>"Dashboard"</LinkButton> }.into_any()
            />
            <FilterBarView filter errors path hide_compare=true />
            {body}
        </TenantPage>
    }
}

#[component]
fn PostTable(columns: Vec<Column>, rows: Vec<PostRow>, totals: Vec<Cell>) -> impl IntoView {
    let cells = |cells: Vec<Cell>, columns: &[Column]| {
        cells
            .into_iter()
            .zip(columns.to_vec())
            .map(|(cell, column)| {
                view! { <td class="u-number" data-label=column.label data-kpi=column.key data-value=cell.exact>{cell.text}</td> }
            })
            .collect_view()
    };
    let body = rows
        .into_iter()
        .map(|row| {
            view! {
                <tr data-row=row.id>
                    <th scope="row" data-label="Post">
                        <span class="u-truncate">{row.title}</span>
                        <span class="c-table__detail">
                            {format!("{} · {}", row.kind, row.account)}
                            {row.delivery.map(|href| view! { " · "<a href=href>"Delivery"</a> })}
                        </span>
                    </th>
                    <td data-label="Published" class="u-nowrap">{row.published}</td>
                    {cells(row.cells, &columns)}
                </tr>
            }
        })
        .collect_view();
    let sums = cells(totals, &columns);
    let headings =
        columns.into_iter().map(|column| view! { <th scope="col" class="u-number">{column.label}</th> }).collect_view();
    view! {
        <Table caption="Posts, newest first" id="posts">
            <thead>
                <tr>
                    <th scope="col">"Post"</th>
                    <th scope="col">"Published"</th>
                    {headings}
                </tr>
            </thead>
            <tbody>{body}</tbody>
            <tfoot>
                <tr data-row="total">
                    <th scope="row" colspan="2">"All posts of the period"</th>
                    {sums}
                </tr>
            </tfoot>
        </Table>
    }
}
