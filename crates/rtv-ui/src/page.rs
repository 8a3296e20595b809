//! What pages begin with: the head of a page inside the shell, and the two layouts for pages that stand
//! alone, signing in and errors.

use leptos::prelude::*;

use crate::{Icon, IconName, Words};

/// The product's sign: rising bars in a rounded square.
#[component]
pub fn ProductMark() -> impl IntoView {
    view! {
        <svg class="c-mark" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false">
            <rect class="c-mark__ground" width="32" height="32" rx="8"></rect>
            <path
                class="c-mark__bars"
                d="M9 17.5a1.5 1.5 0 0 1 3 0V23a1.5 1.5 0 0 1-3 0zM14.5 13.5a1.5 1.5 0 0 1 3 0V23a1.5 1.5 0 0 1-3 0zM20 9.5a1.5 1.5 0 0 1 3 0V23a1.5 1.5 0 0 1-3 0z"
            ></path>
        </svg>
    }
    .into_any()
}

/// The head of a page: its only `h1`, a line on what is shown, and what can be done.
#[component]
pub fn PageHeader(
    /// The heading; takes the focus after a change of page.
    #[prop(into)]
    title: String,
    /// What is shown: period, zone, how fresh.
    #[prop(optional, into)]
    subtitle: Words,
    /// Links and buttons.
    #[prop(optional)]
    actions: Option<AnyView>,
) -> impl IntoView {
    view! {
        <header class="c-page-header">
            <div class="c-page-header__words">
                <h1 tabindex="-1">{title}</h1>
                {subtitle.into_option().map(|subtitle| view! { <p class="c-page-header__subtitle">{subtitle}</p> })}
            </div>
            {actions.map(|actions| view! { <div class="c-page-header__actions">{actions}</div> })}
        </header>
    }
    .into_any()
}

/// A page of one card: signing in, choosing an organisation, a first password.
#[component]
pub fn AuthLayout(
    /// The product's name, beside its sign.
    #[prop(into)]
    product: String,
    /// The heading.
    #[prop(into)]
    title: String,
    /// A line under the heading.
    #[prop(optional, into)]
    text: Words,
    /// An [`ErrorSummary`](crate::ErrorSummary) or [`Flash`](crate::Flash), above the heading.
    #[prop(optional)]
    message: Option<AnyView>,
    /// Small print under the card.
    #[prop(optional)]
    foot: Option<AnyView>,
    /// The form.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="c-auth">
            <svg
                class="c-auth__art"
                viewBox="0 0 1440 480"
                preserveAspectRatio="none"
                aria-hidden="true"
                focusable="false"
            >
                <path
                    class="c-auth__art-far"
                    d="M0 330C160 300 250 350 400 318S640 210 800 236s230 62 360 8S1340 96 1440 84V480H0z"
                ></path>
                <path
                    class="c-auth__art-near"
                    d="M0 420c140-14 230-78 380-62s220 66 380 38 210-120 340-132 220 40 340-60V480H0z"
                ></path>
            </svg>
            <main class="c-auth__main" id="main" tabindex="-1">
                <p class="c-auth__brand">
                    <ProductMark />
                    <span>{product}</span>
                </p>
                <div class="c-auth__card">
                    {message}
                    <div class="c-auth__head">
                        <h1 tabindex="-1">{title}</h1>
                        {text.into_option().map(|text| view! { <p class="c-auth__text">{text}</p> })}
                    </div>
                    {children()}
                </div>
                {foot.map(|foot| view! { <div class="c-auth__foot">{foot}</div> })}
            </main>
        </div>
    }
    .into_any()
}

/// A page outside the shell with the product's sign at the top: errors before anyone is known, and what belongs
/// to a person and not to an organisation.
#[component]
pub fn BareLayout(
    /// The product's name.
    #[prop(into)]
    product: String,
    /// Where the sign leads.
    #[prop(into, default = "/".into())]
    home_href: String,
    /// Links and buttons at the end of the bar.
    #[prop(optional)]
    actions: Option<AnyView>,
    /// Whether the content needs the width of a table.
    #[prop(optional)]
    wide: bool,
    /// The content.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="c-bare" data-wide=wide.then_some("true")>
            <header class="c-bare__top">
                <a class="c-brand" href=home_href>
                    <ProductMark />
                    <span class="c-brand__name">{product}</span>
                </a>
                {actions.map(|actions| view! { <div class="c-bare__actions">{actions}</div> })}
            </header>
            <main class="c-bare__main" id="main" tabindex="-1">{children()}</main>
        </div>
    }
    .into_any()
}

/// The content of an error page: what happened, why, what to do, and the id to tell support. Stands in the
/// shell or in a [`BareLayout`].
#[component]
pub fn ErrorPage(
    /// The status: 404.
    status: u16,
    /// What happened.
    #[prop(into)]
    title: String,
    /// Why.
    #[prop(into)]
    text: String,
    /// What to do next, a sentence each.
    #[prop(default = Vec::new())]
    steps: Vec<String>,
    /// The id under which the logs know this request.
    #[prop(optional, into)]
    request_id: Words,
    /// The ways on.
    #[prop(optional)]
    actions: Option<AnyView>,
) -> impl IntoView {
    let icon = match status {
        401 | 403 => IconName::Lock,
        404 | 422 => IconName::Search,
        _ => IconName::Warning,
    };
    let tone = if status >= 500 { "danger" } else { "neutral" };
    let steps = match steps.as_slice() {
        [] => None,
        [step] => Some(view! { <p class="c-error-page__step">{step.clone()}</p> }.into_any()),
        _ => {
            let steps = steps.into_iter().map(|step| view! { <li>{step}</li> }).collect_view();
            Some(view! { <ul class="c-error-page__steps">{steps}</ul> }.into_any())
        }
    };
    view! {
        <section class="c-error-page">
            <span class="c-error-page__icon" data-tone=tone>
                <Icon name=icon />
            </span>
            <p class="c-error-page__status">{format!("Error {status}")}</p>
            <h1 tabindex="-1">{title}</h1>
            <p class="c-error-page__text">{text}</p>
            {steps}
            {actions.map(|actions| view! { <div class="c-error-page__actions">{actions}</div> })}
            {request_id
                .into_option()
                .map(|id| {
                    view! {
                        <p class="c-error-page__request">
                            "Request id "
                            <code>{id}</code>
                        </p>
                    }
                })}
        </section>
    }
    .into_any()
}
