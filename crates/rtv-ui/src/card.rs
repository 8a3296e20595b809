//! The card, the frame of most content, and the list of terms with their values.

use leptos::prelude::*;

use crate::Words;

/// A framed part of a page.
#[component]
pub fn Card(
    /// The heading, one level under the page's own.
    #[prop(optional, into)]
    title: Words,
    /// A line under the heading.
    #[prop(optional, into)]
    text: Words,
    /// Links and buttons beside the heading.
    #[prop(optional)]
    actions: Option<AnyView>,
    /// Without inner space, for a table that reaches the edges.
    #[prop(optional)]
    flush: bool,
    /// The content.
    children: Children,
) -> impl IntoView {
    let head = (title.is_some() || text.is_some() || actions.is_some()).then(|| {
        view! {
            <div class="c-card__head">
                <div class="c-card__titles">
                    {title.into_option().map(|title| view! { <h2 class="c-card__title">{title}</h2> })}
                    {text.into_option().map(|text| view! { <p class="c-card__text">{text}</p> })}
                </div>
                {actions.map(|actions| view! { <div class="c-card__actions">{actions}</div> })}
            </div>
        }
    });
    view! {
        <section class="c-card" data-flush=flush.then_some("true")>
            {head}
            <div class="c-card__body">{children()}</div>
        </section>
    }
    .into_any()
}

/// One line of a [`DefinitionList`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// What it is.
    pub term: String,
    /// Its value.
    pub value: String,
}

impl Definition {
    /// A term with its value.
    pub fn new(term: impl Into<String>, value: impl Into<String>) -> Self {
        Self { term: term.into(), value: value.into() }
    }
}

/// Terms with their values, side by side where there is room.
#[component]
pub fn DefinitionList(
    /// The lines.
    items: Vec<Definition>,
) -> impl IntoView {
    let items = items
        .into_iter()
        .map(|item| {
            view! {
                <div class="c-definitions__item">
                    <dt class="c-definitions__term">{item.term}</dt>
                    <dd class="c-definitions__value">{item.value}</dd>
                </div>
            }
        })
        .collect_view();
    view! { <dl class="c-definitions">{items}</dl> }.into_any()
}
