//! The data behind the trend chart, as a table. Runs on the server only.

use leptos::prelude::*;
use rtv_ui::Table;

/// The data behind the chart.
#[component]
pub fn TrendTable(
    /// What it shows.
    title: String,
    /// Heading of the figures.
    period_label: String,
    /// Heading of the figures that they are compared with.
    previous_label: Option<String>,
    /// Its points.
    rows: Vec<TrendRow>,
) -> impl IntoView {
    let has_previous = previous_label.is_some();
    let (value_label, before_label) = (period_label.clone(), previous_label.clone().unwrap_or_default());
    let rows = rows
        .into_iter()
        .map(|row| {
            let previous = has_previous.then(|| {
                view! {
                    <td data-label="Compared with">{row.previous_day.unwrap_or_default()}</td>
                    <td data-label=before_label.clone() class="u-number">{row.previous.unwrap_or_default()}</td>
                }
            });
            view! {
                <tr>
                    <th scope="row" data-label="From">
                        {row.day}
                        {row
                            .details
                            .into_iter()
                            .map(|detail| view! { <span class="c-table__detail">{detail}</span> })
                            .collect_view()}
                    </th>
                    <td data-label=value_label.clone() class="u-number">{row.value}</td>
                    {previous}
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table caption=title id="trend" compact=true>
            <thead>
                <tr>
                    <th scope="col">"From"</th>
                    <th scope="col" class="u-number">{period_label}</th>
                    {previous_label.map(|label| view! {
                        <th scope="col">"Compared with"</th>
                        <th scope="col" class="u-number">{label}</th>
                    })}
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </Table>
    }
}

/// One point of the trend, for the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrendRow {
    /// When it begins.
    pub day: String,
    /// Why it is no whole point, and the top posts in it.
    pub details: Vec<String>,
    /// Its figure.
    pub value: String,
    /// The point that it is compared with.
    pub previous_day: Option<String>,
    /// The figure of that.
    pub previous: Option<String>,
}
