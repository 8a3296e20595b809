//! The best and the weakest posts of the period, side by side, each with a bar beside its figure. Runs on the server only.

use leptos::prelude::*;
use rtv_ui::{Card, Table};

/// Both lists and what is to be known about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankingView {
    /// Key of the KPI that they are ranked by.
    pub key: String,
    /// Its name.
    pub label: String,
    /// The greatest first.
    pub best: Vec<RankedView>,
    /// The least first.
    pub worst: Vec<RankedView>,
    /// By what and of what, as a sentence.
    pub text: String,
    /// What is left out, in sentences.
    pub notes: Vec<String>,
}

/// One post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankedView {
    /// Id.
    pub id: String,
    /// Its place.
    pub place: String,
    /// Its text.
    pub title: String,
    /// Account, kind and time.
    pub detail: String,
    /// Its figure as people read it.
    pub value: String,
    /// The same, exact.
    pub exact: String,
    /// Its figure beside the greatest, 0 to 100.
    pub percent: u32,
}

/// The panel.
#[component]
pub fn Ranking(ranking: RankingView) -> impl IntoView {
    let notes = ranking.notes.into_iter().map(|note| view! { <p class="u-muted u-small">{note}</p> }).collect_view();
    let has_worst = !ranking.worst.is_empty();
    let (key, label) = (ranking.key, ranking.label);
    let best = ranked_table("Best posts", "best-posts", ranking.best, &key, &label);
    let worst = has_worst.then(|| ranked_table("Weakest posts", "weakest-posts", ranking.worst, &key, &label));
    view! {
        <Card title="Best and weakest posts" text=ranking.text>
            <div class="l-stack c-ranking" data-gap="4">
                {best}
                {worst}
                {notes}
            </div>
        </Card>
    }
}

fn ranked_table(title: &'static str, id: &'static str, posts: Vec<RankedView>, key: &str, label: &str) -> AnyView {
    let label = label.to_owned();
    let rows = posts
        .into_iter()
        .map(|post| {
            view! {
                <tr data-row=post.id>
                    <td class="c-ranking__place">{post.place}</td>
                    <th scope="row">
                        <span class="c-ranking__title">{post.title}</span>
                        <span class="c-table__detail c-ranking__detail">{post.detail}</span>
                        <svg class="c-ranking__bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false">
                            <rect class="c-ranking__length" width=post.percent height="4"></rect>
                        </svg>
                    </th>
                    <td class="u-number" data-kpi=key.to_owned() data-value=post.exact>{post.value}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table caption=title id visible_caption=true keep=true>
            <thead>
                <tr>
                    <th scope="col"><span class="u-visually-hidden">"Place"</span></th>
                    <th scope="col">"Post"</th>
                    <th scope="col" class="u-number">{label}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </Table>
    }
    .into_any()
}
