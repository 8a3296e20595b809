//! The week: posts by weekday and hour, as a table whose cells are shaded by how the posts did. The table is the drawing. Runs on the
//! server only.

use leptos::prelude::*;
use rtv_ui::{Card, Table};

/// The table and what is to be known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeekView {
    /// What the cells hold.
    pub measure: String,
    /// When posts did best, as a sentence.
    pub takeaway: String,
    /// Short and whole names of the weekdays in the tenant's order.
    pub weekdays: Vec<(String, String)>,
    /// The hours.
    pub hours: Vec<HourRow>,
    /// What each shade means, the palest first.
    pub legend: Vec<(u8, String)>,
    /// What is left out and how the shades come about, in sentences.
    pub notes: Vec<String>,
}

/// One hour of all weekdays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourRow {
    /// When it begins.
    pub hour: String,
    /// Its cells in the order of the weekdays.
    pub cells: Vec<HourCell>,
}

/// One hour of one weekday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourCell {
    /// Key like `1-20`: the weekday from Monday = 1, and the hour.
    pub key: String,
    /// The figure as people read it; empty where nothing was published.
    pub text: String,
    /// The same, exact.
    pub exact: String,
    /// Posts published in it.
    pub posts: i64,
    /// How many posts, in words.
    pub posts_text: String,
    /// 1 to 5, or 0 for too few posts to judge.
    pub level: u8,
}

/// The panel.
#[component]
pub fn Week(week: WeekView) -> impl IntoView {
    let has_hours = !week.hours.is_empty();
    let heads = week
        .weekdays
        .iter()
        .cloned()
        .map(|(short, whole)| {
            view! {
                <th scope="col" class="c-week__day">
                    <abbr title=whole>{short}</abbr>
                </th>
            }
        })
        .collect_view();
    let rows = week
        .hours
        .into_iter()
        .map(|row| {
            let cells = row.cells.into_iter().map(cell).collect_view();
            view! {
                <tr>
                    <th scope="row" class="c-week__hour">{row.hour}</th>
                    {cells}
                </tr>
            }
        })
        .collect_view();
    let legend = week
        .legend
        .into_iter()
        .map(|(level, text)| {
            view! {
                <li class="c-week__key">
                    <span class="c-week__swatch" data-level=level></span>
                    <span>{text}</span>
                </li>
            }
        })
        .collect_view();
    let notes = week.notes.into_iter().map(|note| view! { <p class="u-muted u-small">{note}</p> }).collect_view();
    let table = has_hours.then(|| {
        view! {
            <div class="c-week">
                <Table caption=week.measure id="week" visible_caption=true keep=true compact=true>
                    <thead>
                        <tr>
                            <th scope="col"><span class="u-visually-hidden">"Hour"</span></th>
                            {heads}
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </Table>
            </div>
            <ul class="c-week__legend">{legend}</ul>
        }
    });
    view! {
        <Card title="Weekday and hour" text=week.takeaway>
            <div class="l-stack" data-gap="3">{table} {notes}</div>
        </Card>
    }
}

fn cell(cell: HourCell) -> impl IntoView {
    let content = if cell.posts == 0 {
        view! { <span class="u-visually-hidden">"no posts"</span> }.into_any()
    } else {
        view! {
            <span class="c-week__value">{cell.text}</span>
            <span class="c-week__count">
                {cell.posts.to_string()}
                <span class="u-visually-hidden">{cell.posts_text}</span>
            </span>
        }
        .into_any()
    };
    view! {
        <td
            class="c-week__cell"
            data-cell=cell.key
            data-level=cell.level
            data-posts=cell.posts
            data-value=cell.exact
        >
            {content}
        </td>
    }
}
