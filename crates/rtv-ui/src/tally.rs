//! A row of counts, each with its word and what it means: what became of the rows of a file.

use leptos::prelude::*;

use crate::{Tone, Words};

/// One count of a [`TallyList`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// By what name outside checks find it.
    pub key: String,
    /// The word.
    pub label: String,
    /// The count as people read it.
    pub value: String,
    /// The exact count.
    pub exact: String,
    /// What it means.
    pub note: Words,
    /// Whether it asks to be looked at.
    pub tone: Tone,
}

/// The counts.
#[component]
pub fn TallyList(
    /// The counts in their order.
    tallies: Vec<Tally>,
) -> impl IntoView {
    let tallies = tallies
        .into_iter()
        .map(|tally| {
            view! {
                <div class="c-tally__item" data-tone=tally.tone.as_str()>
                    <dt class="c-tally__label">{tally.label}</dt>
                    <dd class="c-tally__value" data-count=tally.key data-value=tally.exact>{tally.value}</dd>
                    {tally.note.into_option().map(|note| view! { <dd class="c-tally__note">{note}</dd> })}
                </div>
            }
        })
        .collect_view();
    view! { <dl class="c-tally">{tallies}</dl> }.into_any()
}
