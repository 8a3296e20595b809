//! Buttons, links that look like buttons, and the row of links that chooses one of a few views.

use leptos::prelude::*;

use crate::{Icon, IconName, Words};

/// How much a button asks for attention. At most one primary in a view; danger only as the last step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Variant {
    /// The one main thing to do here.
    Primary,
    /// Everything else.
    #[default]
    Neutral,
    /// Destroys or stops something; the word on it says what.
    Danger,
    /// Without border, for bars and rows.
    Quiet,
}

impl Variant {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Neutral => "neutral",
            Self::Danger => "danger",
            Self::Quiet => "quiet",
        }
    }
}

/// What pressing does without a script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ButtonKind {
    /// Sends the form it stands in.
    #[default]
    Submit,
    /// Nothing; a script listens.
    Button,
}

/// A button.
#[component]
pub fn Button(
    /// How much it asks for attention.
    #[prop(optional)]
    variant: Variant,
    /// What pressing does.
    #[prop(optional)]
    kind: ButtonKind,
    /// Smaller, for rows of tables.
    #[prop(optional)]
    small: bool,
    /// As wide as its parent.
    #[prop(optional)]
    wide: bool,
    /// An icon before the words.
    #[prop(optional)]
    icon: Option<IconName>,
    /// Sent with the form under this name.
    #[prop(optional, into)]
    name: Words,
    /// The value sent.
    #[prop(optional, into)]
    value: Words,
    /// The words read instead of the visible ones, where several buttons in a list look alike ("End session on Firefox").
    /// They must begin with the visible words.
    #[prop(optional, into)]
    label: Words,
    /// The words.
    children: Children,
) -> impl IntoView {
    let kind = match kind {
        ButtonKind::Submit => "submit",
        ButtonKind::Button => "button",
    };
    view! {
        <button
            class="c-button"
            type=kind
            data-variant=variant.as_str()
            data-size=small.then_some("small")
            data-wide=wide.then_some("true")
            name=name.into_option()
            value=value.into_option()
            aria-label=label.into_option()
        >
            {icon.map(|name| view! { <Icon name=name /> })}
            {children()}
        </button>
    }
    .into_any()
}

/// A link that looks like a button. It goes somewhere; what changes something is a [`Button`] in a form.
#[component]
pub fn LinkButton(
    /// Where to.
    #[prop(into)]
    href: String,
    /// How much it asks for attention.
    #[prop(optional)]
    variant: Variant,
    /// Smaller, for rows of tables.
    #[prop(optional)]
    small: bool,
    /// As wide as its parent.
    #[prop(optional)]
    wide: bool,
    /// An icon before the words.
    #[prop(optional)]
    icon: Option<IconName>,
    /// Whether the browser loads what it leads to: what is no page of the application, or the same page once more.
    #[prop(optional)]
    external: bool,
    /// The words read instead of the visible ones; they must begin with the visible words.
    #[prop(optional, into)]
    label: Words,
    /// The words.
    children: Children,
) -> impl IntoView {
    view! {
        <a
            class="c-button"
            href=href
            rel=external.then_some("external")
            data-variant=variant.as_str()
            data-size=small.then_some("small")
            data-wide=wide.then_some("true")
            aria-label=label.into_option()
        >
            {icon.map(|name| view! { <Icon name=name /> })}
            {children()}
        </a>
    }
    .into_any()
}

/// One choice of [`Segments`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentLink {
    /// The word.
    pub label: String,
    /// The address with this choice made.
    pub href: String,
    /// Whether it is the choice in force.
    pub current: bool,
}

/// A row of links of which one is in force: Day or Week, one metric of several.
#[component]
pub fn Segments(
    /// What is chosen, for screen readers.
    #[prop(into)]
    label: String,
    /// The choices.
    links: Vec<SegmentLink>,
) -> impl IntoView {
    let links = links
        .into_iter()
        .map(|link| {
            view! {
                <li>
                    <a
                        class="c-segments__link"
                        href=link.href
                        data-noscroll="true"
                        aria-current=link.current.then_some("true")
                    >
                        {link.label}
                    </a>
                </li>
            }
        })
        .collect_view();
    view! {
        <nav class="c-segments" aria-label=label>
            <ul class="c-segments__list">{links}</ul>
        </nav>
    }
    .into_any()
}
