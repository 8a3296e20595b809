//! Tables and what belongs to them: the heading that sorts, and the links to newer and older rows. The page
//! writes `<thead>` and `<tbody>` itself; each `<td>` carries its column's name as `data-label`, under which a
//! phone shows it, and columns of figures carry the class `u-number`.

use leptos::prelude::*;

use crate::{Icon, IconName, Words};

/// A table in a region that scrolls by itself when the table is wider than its place.
// Properties have names where they are given, which parameters have not.
#[allow(clippy::fn_params_excessive_bools)]
#[component]
pub fn Table(
    /// What the table shows; also names the region for screen readers.
    #[prop(into)]
    caption: String,
    /// The id of the caption; unique on the page.
    #[prop(into)]
    id: String,
    /// Shows the caption; otherwise a heading near it says the same and only screen readers get it.
    #[prop(optional)]
    visible_caption: bool,
    /// Lower rows.
    #[prop(optional)]
    compact: bool,
    /// Keeps the table a table on a phone, for few narrow columns, instead of a list of labelled values.
    #[prop(optional)]
    keep: bool,
    /// Lets a long table scroll in its own region with the headings in sight, where the page goes on below it.
    #[prop(optional)]
    sticky: bool,
    /// `<thead>` and `<tbody>`.
    children: Children,
) -> impl IntoView {
    let phone = if keep { "table" } else { "list" };
    let caption_class = if visible_caption { "c-table__caption" } else { "u-visually-hidden" };
    view! {
        <div class="c-table" role="region" tabindex="0" aria-labelledby=id data-sticky=sticky.then_some("true")>
            <table
                class="c-table__table"
                data-density=compact.then_some("compact")
                data-phone=phone
            >
                <caption class=caption_class id=id.clone()>{caption}</caption>
                {children()}
            </table>
        </div>
    }
    .into_any()
}

/// The link of a row, for the cell that names it: the whole row is its target.
#[component]
pub fn RowLink(
    /// Where to.
    #[prop(into)]
    href: String,
    /// The name of the row.
    children: Children,
) -> impl IntoView {
    view! { <a class="c-table__link" href=href>{children()}</a> }
}

/// In which order a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortOrder {
    /// The least first.
    Ascending,
    /// The greatest first.
    Descending,
}

/// The heading of a column that can be sorted by.
#[component]
pub fn SortHeader(
    /// The column.
    #[prop(into)]
    label: String,
    /// The address with the order that a press brings.
    #[prop(into)]
    href: String,
    /// The order in force, if the table stands in this column's order.
    #[prop(default = None)]
    order: Option<SortOrder>,
    /// Whether the column holds figures, which stand at the end of the line.
    #[prop(optional)]
    number: bool,
) -> impl IntoView {
    let (aria_sort, icon) = match order {
        None => (None, IconName::ChevronsUpDown),
        Some(SortOrder::Ascending) => (Some("ascending"), IconName::ArrowUp),
        Some(SortOrder::Descending) => (Some("descending"), IconName::ArrowDown),
    };
    view! {
        <th scope="col" class=number.then_some("u-number") aria-sort=aria_sort>
            <a class="c-table__sort" href=href data-noscroll="true">
                <span>{label}</span>
                <Icon name=icon />
            </a>
        </th>
    }
    .into_any()
}

/// Where one is in a long list, and the way on.
#[component]
pub fn Pager(
    /// "1 to 50 of 6,997".
    #[prop(into)]
    summary: String,
    /// The address of the newer rows, if there are any.
    #[prop(optional, into)]
    newer: Words,
    /// The address of the older rows, if there are any.
    #[prop(optional, into)]
    older: Words,
    /// What is paged, for screen readers.
    #[prop(into, default = "Pages".into())]
    label: String,
    /// The words of the way back.
    #[prop(into, default = "Newer".into())]
    newer_label: String,
    /// The words of the way on.
    #[prop(into, default = "Older".into())]
    older_label: String,
) -> impl IntoView {
    let newer = match newer.into_option() {
        Some(href) => view! {
            <a class="c-button" data-variant="neutral" data-size="small" rel="prev" href=href>
                <Icon name=IconName::ChevronLeft />
                {newer_label}
            </a>
        }
        .into_any(),
        None => view! {
            <span class="c-button" data-variant="neutral" data-size="small" data-state="off">
                <Icon name=IconName::ChevronLeft />
                {newer_label}
            </span>
        }
        .into_any(),
    };
    let older = match older.into_option() {
        Some(href) => view! {
            <a class="c-button" data-variant="neutral" data-size="small" rel="next" href=href>
                {older_label}
                <Icon name=IconName::ChevronRight />
            </a>
        }
        .into_any(),
        None => view! {
            <span class="c-button" data-variant="neutral" data-size="small" data-state="off">
                {older_label}
                <Icon name=IconName::ChevronRight />
            </span>
        }
        .into_any(),
    };
    view! {
        <nav class="c-pager" aria-label=label>
            <p class="c-pager__summary">{summary}</p>
            <div class="c-pager__links">{newer} {older}</div>
        </nav>
    }
    .into_any()
}
