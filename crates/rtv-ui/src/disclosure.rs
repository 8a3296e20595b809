//! What can wait until somebody asks for it: opens and closes by itself, without a script.

use leptos::prelude::*;

use crate::{Icon, IconName};

/// A line that unfolds into more. Unlike a menu it stays open until it is closed again.
#[component]
pub fn Disclosure(
    /// The line.
    #[prop(into)]
    summary: String,
    /// Whether it is unfolded at first.
    #[prop(optional)]
    open: bool,
    /// What is folded away.
    children: Children,
) -> impl IntoView {
    view! {
        <details class="c-disclosure" open=open>
            <summary class="c-disclosure__summary">
                <Icon name=IconName::ChevronRight />
                <span>{summary}</span>
            </summary>
            <div class="c-disclosure__body">{children()}</div>
        </details>
    }
    .into_any()
}
