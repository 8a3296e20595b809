//! The banner above everything: what is stopped, how it stands, since when and by whom. It cannot be dismissed; it goes when
//! the halt does. A script that keeps it up to date compares `data-version` and says `data-say` aloud.

use leptos::prelude::*;

use crate::{SwitchState, Words};

/// One fact about a halt: a word or two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BannerFact {
    /// What is read.
    pub text: String,
    /// The instant that it tells, as machines write it.
    pub datetime: Words,
}

impl BannerFact {
    /// A fact that tells no time.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), datetime: Words::default() }
    }

    /// A fact that tells a time.
    pub fn at(text: impl Into<String>, datetime: impl Into<String>) -> Self {
        Self { text: text.into(), datetime: Words::from(datetime.into()) }
    }
}

/// What has been stopped, highest scope first.
#[component]
pub fn HaltBanner(
    /// How it stands: halting, halted, or nobody knows.
    state: SwitchState,
    /// What is stopped: "All publishing halted".
    #[prop(into)]
    title: String,
    /// Scope, by whom, since when, why, until when it is looked at again, what is under way.
    facts: Vec<BannerFact>,
    /// How many more there are: "+2 more".
    #[prop(optional, into)]
    more: Words,
    /// The page about it, for who may open it.
    #[prop(optional, into)]
    href: Words,
    /// Changes whenever anything shown does.
    #[prop(into)]
    version: String,
    /// The sentence for people who listen; a new one is said when it differs from the one before.
    #[prop(into)]
    say: String,
) -> impl IntoView {
    let name = title.clone();
    let facts = facts
        .into_iter()
        .map(|fact| {
            let text = match fact.datetime.into_option() {
                Some(datetime) => view! { <time datetime=datetime>{fact.text}</time> }.into_any(),
                None => fact.text.into_any(),
            };
            view! { <span class="c-banner__fact">{text}</span> " " }
        })
        .collect_view();
    view! {
        <div
            class="c-banner"
            role="region"
            aria-label=name
            data-state=state.as_str()
            data-version=version
            data-say=say
        >
            <p class="c-banner__words">
                <svg class="c-banner__shape" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
                    <path d=state.path()></path>
                </svg>
                <strong class="c-banner__title">{title}</strong>
                " "
                {facts}
                {more.into_option().map(|more| view! { <span class="c-banner__more">{more}</span> })}
            </p>
            {href.into_option().map(|href| view! { <a class="c-banner__link" href=href>"View"</a> })}
        </div>
    }
    .into_any()
}
