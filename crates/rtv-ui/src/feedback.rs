//! What the product says back: flashes after an action, notices in place, the summary of a form's problems,
//! badges, and what stands where there is nothing yet.

use leptos::prelude::*;

use crate::words::sentence;
use crate::{Icon, IconName, LinkButton, Words};

/// The kind of a message. The icon and the words carry it too, never the colour alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Says something without judging it.
    #[default]
    Neutral,
    /// Good to know.
    Info,
    /// It worked.
    Success,
    /// Look at this before it becomes a problem.
    Warning,
    /// It failed, or stops something.
    Danger,
}

impl Tone {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Info => "info",
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Danger => "danger",
        }
    }

    const fn icon(self) -> IconName {
        match self {
            Self::Neutral | Self::Info => IconName::Info,
            Self::Success => IconName::Success,
            Self::Warning => IconName::Warning,
            Self::Danger => IconName::Danger,
        }
    }
}

/// The answer to the last action, above the page's heading; at most one, and never beside an [`ErrorSummary`].
#[component]
pub fn Flash(
    /// The kind.
    tone: Tone,
    /// What happened.
    #[prop(into)]
    text: String,
    /// A link or button that goes on from here, such as "Undo".
    #[prop(optional)]
    action: Option<AnyView>,
) -> impl IntoView {
    let role = if matches!(tone, Tone::Danger | Tone::Warning) { "alert" } else { "status" };
    view! {
        <div class="c-flash" role=role data-tone=tone.as_str()>
            <Icon name=tone.icon() />
            <p class="c-flash__text">{text}</p>
            {action.map(|action| view! { <div class="c-flash__action">{action}</div> })}
        </div>
    }
    .into_any()
}

/// The answer to an act that left the page where it was, in the corner of the window. It goes after a while, unless the
/// pointer or the focus is on it; one that failed, or that can be taken back, stays until the page is left. Whatever it
/// says must also be found elsewhere on the page.
#[component]
pub fn Toast(
    /// The kind.
    tone: Tone,
    /// What happened.
    #[prop(into)]
    text: String,
    /// A link or a form with a button that goes on from here, such as "Undo".
    #[prop(optional)]
    action: Option<AnyView>,
) -> impl IntoView {
    let stays = action.is_some() || matches!(tone, Tone::Danger | Tone::Warning);
    view! {
        <div class="c-toast" data-tone=tone.as_str() data-stays=stays.then_some("true")>
            <Icon name=tone.icon() />
            <p class="c-toast__text">{text}</p>
            {action.map(|action| view! { <div class="c-toast__action">{action}</div> })}
        </div>
    }
    .into_any()
}

/// The place of the [`Toast`]s, at most three of them. It is there before the first one comes, so that screen readers
/// notice what is put into it.
#[component]
pub fn Toasts(
    /// The toasts.
    children: Children,
) -> impl IntoView {
    view! { <div class="c-toasts" role="status">{children()}</div> }
}

/// A remark in place, which belongs to the page and not to an action.
#[component]
pub fn Notice(
    /// The kind.
    #[prop(optional)]
    tone: Tone,
    /// A button for what can be done about it.
    #[prop(default = None)]
    action: Option<AnyView>,
    /// The words, with links where they help.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="c-notice" data-tone=tone.as_str()>
            <Icon name=tone.icon() />
            <div class="c-notice__text">{children()}</div>
            {action.map(|action| view! { <div class="c-notice__action">{action}</div> })}
        </div>
    }
    .into_any()
}

/// The problems of a form, above the page's heading, each a link to its field. Nothing when there are none.
/// It takes the focus when the page is loaded, with and without a script; a page that changes in the browser gives it.
#[component]
pub fn ErrorSummary(
    /// Name of the field (empty for the form as a whole) and the same words the field itself shows.
    errors: Vec<(String, String)>,
) -> impl IntoView {
    (!errors.is_empty()).then(|| {
        let errors = errors
            .into_iter()
            .map(|(field, message)| {
                let message = sentence(message);
                if field.is_empty() {
                    view! { <li>{message}</li> }.into_any()
                } else {
                    // `external` keeps the router's hands off, so that the browser moves the focus to the field.
                    view! { <li><a href=format!("#field-{field}") rel="external">{message}</a></li> }.into_any()
                }
            })
            .collect_view();
        // Only in a page that is loaded: on one that changes in the browser something else has the focus already, and
        // browsers write to the console that they leave it there.
        let is_loaded = cfg!(feature = "ssr");
        view! {
            <div class="c-error-summary" role="alert" aria-labelledby="error-summary-title" tabindex="-1" autofocus=is_loaded id="error-summary">
                <h2 class="c-error-summary__title" id="error-summary-title">"There is a problem"</h2>
                <ul class="c-error-summary__list">{errors}</ul>
            </div>
        }
    })
}

/// A small word that classifies.
#[component]
pub fn Badge(
    /// The kind.
    #[prop(optional)]
    tone: Tone,
    /// The word.
    children: Children,
) -> impl IntoView {
    view! { <span class="c-badge" data-tone=tone.as_str()>{children()}</span> }
}

/// Stands in the place of a table or chart that has nothing to show, says why, and offers one next step.
#[component]
pub fn EmptyState(
    /// What is missing.
    #[prop(into)]
    title: String,
    /// Why, and what to do.
    #[prop(into)]
    text: String,
    /// The picture beside it.
    #[prop(default = IconName::Search)]
    icon: IconName,
    /// The one next step.
    #[prop(optional)]
    action: Option<AnyView>,
) -> impl IntoView {
    view! {
        <div class="c-empty">
            <span class="c-empty__icon"><Icon name=icon /></span>
            <p class="c-empty__title">{title}</p>
            <p class="c-empty__text">{text}</p>
            {action.map(|action| view! { <div class="c-empty__action">{action}</div> })}
        </div>
    }
    .into_any()
}

/// Stands in the place of a part of a page that could not be shown, while the rest of the page goes on: what failed, why,
/// how to try again, and the id to tell.
#[component]
pub fn ErrorState(
    /// What failed.
    #[prop(into)]
    title: String,
    /// Why, and what to do.
    #[prop(into)]
    text: String,
    /// The address that tries again.
    #[prop(into)]
    retry_href: String,
    /// The id under which the logs know the request.
    #[prop(optional, into)]
    request_id: Words,
) -> impl IntoView {
    view! {
        <div class="c-empty" data-tone="danger">
            <span class="c-empty__icon"><Icon name=IconName::Warning /></span>
            <p class="c-empty__title">{title}</p>
            <p class="c-empty__text">{text}</p>
            <div class="c-empty__action"><LinkButton href=retry_href>"Try again"</LinkButton></div>
            {request_id.into_option().map(|id| view! { <p class="c-empty__request">"Request id " <code>{id}</code></p> })}
        </div>
    }
    .into_any()
}

/// What a [`Skeleton`] stands for, which sets its size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SkeletonShape {
    /// Lines of text.
    #[default]
    Lines,
    /// A card of the key figures.
    Kpi,
    /// A chart.
    Chart,
    /// Rows of a table.
    Rows,
}

/// Holds the place of something that is being loaded, in its final size. Appears only after 200 ms.
#[component]
pub fn Skeleton(
    /// What it stands for.
    #[prop(optional)]
    shape: SkeletonShape,
    /// How many lines, cards or rows.
    #[prop(default = 3)]
    count: usize,
    /// What is being loaded, for screen readers.
    #[prop(into, default = "Loading".into())]
    label: String,
) -> impl IntoView {
    let shape = match shape {
        SkeletonShape::Lines => "lines",
        SkeletonShape::Kpi => "kpi",
        SkeletonShape::Chart => "chart",
        SkeletonShape::Rows => "rows",
    };
    let pieces = (0..count).map(|_| view! { <span class="c-skeleton__piece"></span> }).collect_view();
    view! {
        <div class="c-skeleton" data-shape=shape role="status" aria-busy="true">
            <span class="u-visually-hidden">{label}</span>
            {pieces}
        </div>
    }
    .into_any()
}
