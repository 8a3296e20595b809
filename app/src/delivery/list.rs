//! The queue of deliveries, drawn.

use leptos::prelude::*;
use rtv_ui::{
    Badge, Card, EmptyState, ErrorSummary, IconName, LinkButton, PageHeader, Pager, RowLink, TabLink, Table, Tabs,
};

use crate::page::{Drawn, Framed};
use crate::publish::{Filter, StateView, filters, none_fits};

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deliveries {
    /// The states with how many deliveries are in each, as links.
    pub(super) counts: Vec<TabLink>,
    /// The state that is shown, so that the form keeps it.
    pub(super) hidden: Vec<(String, String)>,
    pub(super) filters: Vec<Filter>,
    pub(super) errors: Vec<(String, String)>,
    pub(super) is_filtered: bool,
    /// Whether there is any delivery, whatever the filters.
    pub(super) has_any: bool,
    pub(super) zone: String,
    pub(super) rows: Vec<DeliveryRow>,
    pub(super) summary: String,
    pub(super) first: Option<String>,
    pub(super) next: Option<String>,
}

/// One delivery in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    pub(super) id: String,
    pub(super) href: String,
    pub(super) text: String,
    pub(super) account: String,
    pub(super) state: StateView,
    /// When it goes out, or went out.
    pub(super) when: String,
    pub(super) when_utc: String,
    /// Why not earlier, or what became of it.
    pub(super) why: Option<String>,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<Deliveries>) -> Drawn {
    let Framed { frame, content } = page;
    let path = format!("/t/{}/deliveries", frame.slug);
    let Deliveries { counts, hidden, filters: menus, errors, is_filtered, has_any, zone, rows, summary, first, next } =
        content;
    let is_refused = !errors.is_empty();
    let is_empty = rows.is_empty() && next.is_none() && first.is_none();
    let body = if is_refused {
        ().into_any()
    } else if !has_any {
        view! {
            <EmptyState
                icon=IconName::Send
                title="Nothing is on its way"
                text="When a post is approved, one delivery for each of its accounts stands here, with when it goes out and why not earlier. Nothing goes out twice, and nothing goes out unapproved."
                action=view! { <LinkButton href=format!("/t/{}/content", frame.slug)>"Go to the posts"</LinkButton> }.into_any()
            />
        }
        .into_any()
    } else if is_empty {
        let text = "None fits all of the filters. Choose another state, or take a filter out.";
        none_fits("No delivery is like that", text, &path, "Show all deliveries")
    } else {
        view! {
            <Card flush=true>
                <DeliveryTable rows zone />
                <Pager summary newer=first older=next newer_label="Latest" older_label="Earlier" label="Pages of deliveries" />
            </Card>
        }
        .into_any()
    };
    let filters = (has_any || is_refused).then(|| {
        view! {
            <Tabs label="State" links=counts />
            {filters(&path, hidden, menus, &errors, is_filtered)}
        }
    });
    let html = view! {
        <ErrorSummary errors />
        <PageHeader
            title="Deliveries"
            subtitle="Each post to each account, once: when it goes out, why not earlier, and what became of it."
        />
        {filters}
        {body}
    };
    Drawn::new(Vec::new(), is_refused, html)
}

#[component]
fn DeliveryTable(rows: Vec<DeliveryRow>, zone: String) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let tone = row.state.tone;
            view! {
                <tr data-row=row.id data-state=row.state.key>
                    <th scope="row">
                        <RowLink href=row.href><span class="u-truncate" data-wide="true">{row.text}</span></RowLink>
                        <span class="c-table__detail">{row.account}</span>
                    </th>
                    <td data-label="State"><Badge tone>{row.state.label}</Badge></td>
                    <td data-label="When">
                        <div>
                            <time class="u-nowrap" datetime=row.when_utc>{row.when}</time>
                            {row.why.map(|why| view! { <span class="c-table__detail c-publish-note">{why}</span> })}
                        </div>
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table caption="Deliveries, the latest time first" id="deliveries">
            <thead>
                <tr>
                    <th scope="col">"Post"</th>
                    <th scope="col">"State"</th>
                    <th scope="col">{format!("When ({zone})")}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </Table>
    }
}
