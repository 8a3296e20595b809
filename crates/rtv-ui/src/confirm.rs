//! The page before something that is hard to take back: what it does to what, and for the hardest ones a word to type.
//! A page and no dialog: it has an address, works without a script, and its trigger is an ordinary link.

use leptos::prelude::*;

use crate::{Button, ErrorSummary, Field, LinkButton, Variant, Words};

/// What a person types to show that they mean this very thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedName {
    /// The name it is sent under.
    pub name: String,
    /// The word: the scope or the name of what is deleted.
    pub word: String,
    /// What is wrong with what was typed.
    pub error: Words,
}

/// The form of such a page. Stands in the shell.
#[component]
pub fn ConfirmPage(
    /// The heading, a question: "Resume publishing on X?"
    #[prop(into)]
    title: String,
    /// A line under the heading.
    #[prop(optional, into)]
    text: Words,
    /// What will happen, a line each, the gravest first.
    consequences: Vec<String>,
    /// Where it is posted.
    #[prop(into)]
    action: String,
    /// The words of the button, verb and object: "Resume X".
    #[prop(into)]
    verb: String,
    /// Back to where one came from, with nothing done.
    #[prop(into)]
    cancel_href: String,
    /// What has to be typed, for what cannot be undone.
    #[prop(default = None)]
    typed: Option<TypedName>,
    /// What the form sends besides.
    #[prop(default = Vec::new())]
    hidden: Vec<(String, String)>,
    /// Whether the act stops or destroys something; its button is red then.
    #[prop(default = true)]
    danger: bool,
    /// More fields, such as a reason.
    #[prop(optional)]
    fields: Option<AnyView>,
) -> impl IntoView {
    let errors = typed
        .as_ref()
        .and_then(|typed| Some((typed.name.clone(), typed.error.clone().into_option()?)))
        .into_iter()
        .collect::<Vec<_>>();
    let hidden =
        hidden.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> }).collect_view();
    let consequences = consequences.into_iter().map(|one| view! { <li>{one}</li> }).collect_view();
    let typed = typed.map(|typed| {
        view! {
            <Field
                label=format!("Type “{}” to go on", typed.word)
                name=typed.name
                error=typed.error
                autocomplete="off"
                required=true
            />
        }
    });
    let variant = if danger { Variant::Danger } else { Variant::Primary };
    view! {
        <section class="c-confirm">
            <ErrorSummary errors />
            <header class="c-confirm__head">
                <h1 tabindex="-1">{title}</h1>
                {text.into_option().map(|text| view! { <p class="c-confirm__text">{text}</p> })}
            </header>
            <form class="c-confirm__form" method="post" action=action>
                {hidden}
                <div class="c-confirm__consequences">
                    <h2>"What will happen"</h2>
                    <ul class="c-confirm__list">{consequences}</ul>
                </div>
                {fields}
                {typed}
                <div class="c-confirm__actions">
                    <LinkButton href=cancel_href>"Cancel"</LinkButton>
                    <Button variant>{verb}</Button>
                </div>
            </form>
        </section>
    }
    .into_any()
}
