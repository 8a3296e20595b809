//! The table of a tenant's limits with what is used of them, for the tenant's settings and the operator's console. Runs on the
//! server only.

use leptos::prelude::*;
use rtv_core::{Limit, Plan};
use rtv_domain::format::Format;
use rtv_domain::limit::{Standing, Standings};
use rtv_ui::{Badge, Table, Tone};
use rust_decimal::Decimal;

/// From here on it is time to ask for more, in percent.
const NEARLY: i64 = 90;

/// Every limit: what is used, what is allowed, and who says so.
#[component]
pub fn LimitTable(
    /// How the tenant stands.
    standings: Standings,
    /// Its way of writing.
    format: Format,
) -> impl IntoView {
    let plan = standings.plan;
    let rows = standings
        .limits
        .into_iter()
        .map(|one| {
            let state = if one.is_exceeded() {
                view! { <Badge tone=Tone::Danger>"Over the limit"</Badge> }.into_any()
            } else {
                match one.percent() {
                    Some(share @ NEARLY..) => view! { <Badge tone=Tone::Warning>{format!("{share} %")}</Badge> }.into_any(),
                    Some(share) => view! { <span>{format!("{share} %")}</span> }.into_any(),
                    None => view! { <span class="u-muted">"—"</span> }.into_any(),
                }
            };
            view! {
                <tr data-row=one.limit.key() data-used=one.used.map(|used| used.to_string()) data-most=one.most.map(|most| most.to_string())>
                    <th scope="row">{one.limit.label()}</th>
                    <td data-label="Used" class="u-number">
                        {used(&one, &format)}
                        {one.month.map(|month| view! { <span class="c-table__detail">{format!("in {}", month.format("%B %Y"))}</span> })}
                    </td>
                    <td data-label="Allowed" class="u-number">{allowed(one.limit, one.most, &format)}</td>
                    <td data-label="Of it">{state}</td>
                    <td data-label="By">{origin(&one, plan, &format)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table caption="Limits and what is used of them" id="limits">
            <thead>
                <tr>
                    <th scope="col">"Limit"</th>
                    <th scope="col" class="u-number">"Used"</th>
                    <th scope="col" class="u-number">"Allowed"</th>
                    <th scope="col">"Of it"</th>
                    <th scope="col">"By"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </Table>
    }
}

fn used(one: &Standing, format: &Format) -> String {
    match (one.limit, one.used) {
        (Limit::StorageGb, Some(bytes)) => {
            let megabytes = Decimal::from(bytes) / Decimal::from(1 << 20);
            format!("{} MB", format.decimal(megabytes, 1))
        }
        (_, Some(used)) => format.count(used),
        (_, None) => "a rate".into(),
    }
}

fn allowed(limit: Limit, most: Option<i64>, format: &Format) -> String {
    match (limit, most) {
        (_, None) => "no limit".into(),
        (Limit::StorageGb, Some(most)) => format!("{} GB", format.count(most)),
        (_, Some(most)) => format.count(most),
    }
}

fn origin(one: &Standing, plan: Plan, format: &Format) -> String {
    if one.is_set {
        format!("your operator; plan {}: {}", plan.label(), allowed(one.limit, one.by_plan, format))
    } else {
        format!("plan {}", plan.label())
    }
}
