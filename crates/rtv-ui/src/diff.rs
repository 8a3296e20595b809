//! What a change changes, side by side: before saving it, and in the audit log afterwards.

use leptos::prelude::*;

use crate::{Badge, Tone, Words};

/// One field of a [`Diff`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// The field.
    pub field: String,
    /// What it held; nothing where it is new.
    pub before: Words,
    /// What it holds afterwards; nothing where it is gone.
    pub after: Words,
}

/// Fields with what they held before and hold afterwards. The word in front of each says what happened to it.
#[component]
pub fn Diff(
    /// What changes, for screen readers.
    #[prop(into)]
    caption: String,
    /// The fields.
    changes: Vec<FieldChange>,
) -> impl IntoView {
    let rows = changes
        .into_iter()
        .map(|change| {
            let (word, tone) = match (change.before.is_some(), change.after.is_some()) {
                (false, true) => ("Added", Tone::Success),
                (true, false) => ("Removed", Tone::Danger),
                (true, true) if change.before == change.after => ("Same", Tone::Neutral),
                (true, true) | (false, false) => ("Changed", Tone::Info),
            };
            let is_same = change.before == change.after;
            let before = change.before.into_option().map_or_else(nothing, |before| {
                if is_same {
                    view! { <span>{before}</span> }.into_any()
                } else {
                    view! { <del>{before}</del> }.into_any()
                }
            });
            let after = change.after.into_option().map_or_else(nothing, |after| {
                if is_same {
                    view! { <span>{after}</span> }.into_any()
                } else {
                    view! { <ins>{after}</ins> }.into_any()
                }
            });
            view! {
                <tr>
                    <th scope="row">
                        {change.field}
                        " "
                        <Badge tone>{word}</Badge>
                    </th>
                    <td data-label="Before">{before}</td>
                    <td data-label="After">{after}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <table class="c-diff">
            <caption class="u-visually-hidden">{caption}</caption>
            <thead>
                <tr>
                    <th scope="col">"Field"</th>
                    <th scope="col">"Before"</th>
                    <th scope="col">"After"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

fn nothing() -> AnyView {
    view! {
        <span class="u-muted" aria-hidden="true">"—"</span>
        <span class="u-visually-hidden">"nothing"</span>
    }
    .into_any()
}
