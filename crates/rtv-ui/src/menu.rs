//! The menus of the top bar: the organisations to switch between, and the person's own menu with what they may
//! choose for themselves. Both are `<details>` of plain links and forms, which work before and without scripts; a
//! script only makes the filter of the organisations act while one types.

use leptos::ev::{Event, SubmitEvent};
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use leptos::web_sys::HtmlElement;

use crate::shell::{initial, initials};
use crate::{Badge, Icon, IconName, Tone, Words};

/// One organisation of the switcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantLink {
    /// Its name.
    pub name: String,
    /// Where it leads: to the same page there, where there is one.
    pub href: String,
    /// The person's role there.
    pub role: String,
    /// What is to be known before going there: its plan, and what is unusual about it.
    pub badges: Vec<(Tone, String)>,
    /// Whether one is there.
    pub current: bool,
}

/// What a person chooses for themselves: one of a few, in force as soon as it is pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is chosen.
    pub label: String,
    /// The name it is sent under.
    pub name: String,
    /// The choices.
    pub options: Vec<ChoiceOption>,
}

/// One of the choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChoiceOption {
    /// What is sent.
    pub value: String,
    /// The word.
    pub label: String,
    /// Whether it is in force.
    pub chosen: bool,
}

/// As many organisations are seen at a glance; with more there is a field to find one.
const AT_A_GLANCE: usize = 5;

#[component]
pub(crate) fn TenantSwitcher(
    tenant: String,
    logo: Words,
    tenants: Vec<TenantLink>,
    slug: String,
    search: String,
) -> impl IntoView {
    let sign = match logo.into_option() {
        Some(address) => view! { <img class="c-tenant__logo" src=address alt="" width="20" height="20" /> }.into_any(),
        None => view! { <span class="c-tenant__sign" aria-hidden="true">{initial(&tenant)}</span> }.into_any(),
    };
    if tenants.len() < 2 {
        return view! {
            <p class="c-tenant">
                {sign}
                <span class="c-tenant__name">{tenant}</span>
            </p>
        }
        .into_any();
    }
    let typed = RwSignal::new(String::new());
    let names: Vec<String> = tenants.iter().map(|link| link.name.to_lowercase()).collect();
    let is_shown = |name: &str, typed: &str| name.contains(typed.trim());
    let has_none = move || {
        let typed = typed.read().to_lowercase();
        !names.iter().any(|name| is_shown(name, &typed))
    };
    let filter = (tenants.len() > AT_A_GLANCE).then(|| {
        let on_input = move |event: Event| typed.set(event_target_value(&event));
        view! {
            <form class="c-menu__filter" method="get" action=search on:submit=go_to_first>
                <input type="hidden" name="tenant" value=slug />
                <Icon name=IconName::Search />
                <input
                    class="c-input"
                    type="search"
                    name="q"
                    aria-label="Find an organisation"
                    placeholder="Find an organisation"
                    autocomplete="off"
                    on:input=on_input
                />
            </form>
        }
    });
    let links = tenants
        .into_iter()
        .map(|link| {
            let name = link.name.to_lowercase();
            view! {
                <li hidden=move || { !is_shown(&name, &typed.read().to_lowercase()) }>{tenant_link(link, "c-menu__link", IconName::Check)}</li>
            }
        })
        .collect_view();
    view! {
        <details class="c-menu" name="menu">
            <summary class="c-menu__summary">
                {sign}
                <span class="u-visually-hidden">"Organisation: "</span>
                <span class="c-tenant__name">{tenant}</span>
                <Icon name=IconName::ChevronsUpDown />
            </summary>
            <div class="c-menu__panel">
                <p class="c-menu__title">"Your organisations"</p>
                {filter}
                <ul class="c-menu__list c-menu__tenants">{links}</ul>
                <p class="c-menu__none" hidden=move || { !has_none() }>"No organisation of yours has this name."</p>
            </div>
        </details>
    }
    .into_any()
}

/// Enter in the filter goes to the first organisation that is left; without a script the form asks the search.
fn go_to_first(event: SubmitEvent) {
    let first = document().query_selector(".c-menu__tenants > li:not([hidden]) > a").ok().flatten();
    if let Some(link) = first.and_then(|link| link.dyn_into::<HtmlElement>().ok()) {
        event.prevent_default();
        link.click();
    }
}

/// A link to an organisation; `mark` stands at its end, in a menu only where one is there already.
fn tenant_link(link: TenantLink, class: &'static str, mark: IconName) -> impl IntoView {
    let is_marked = link.current || mark != IconName::Check;
    let badges =
        link.badges.into_iter().map(|(tone, word)| view! { <Badge tone>{word}</Badge> }.into_any()).collect_view();
    view! {
        <a class=class href=link.href aria-current=link.current.then_some("true")>
            <span class="c-tenant__sign" aria-hidden="true">{initial(&link.name)}</span>
            <span class="c-menu__words">
                <span class="c-menu__name">{link.name}</span>
                <span class="c-menu__detail">{link.role}</span>
            </span>
            <span class="c-menu__badges">{badges}</span>
            {is_marked.then(|| view! { <Icon name=mark /> })}
        </a>
    }
    .into_any()
}

/// The organisations of a person, each a line to press, for the page on which they choose one.
#[component]
pub fn TenantList(
    /// The organisations.
    tenants: Vec<TenantLink>,
) -> impl IntoView {
    let links = tenants
        .into_iter()
        .map(|link| view! { <li>{tenant_link(link, "c-menu__link c-tenant-list__link", IconName::ChevronRight)}</li> })
        .collect_view();
    view! { <ul class="c-tenant-list">{links}</ul> }.into_any()
}

#[component]
pub(crate) fn UserMenu(
    name: String,
    email: String,
    facts: Vec<String>,
    choices: Vec<Choice>,
    choices_action: String,
    back: String,
    profile_href: String,
    sessions_href: String,
    help_href: String,
    sign_out_action: String,
) -> impl IntoView {
    let has_choices = !choices.is_empty();
    let choices = choices
        .into_iter()
        .map(|choice| view! { <ChoiceForm choice action=choices_action.clone() back=back.clone() /> })
        .collect_view();
    let facts = facts.into_iter().map(|fact| view! { <p class="c-menu__detail">{fact}</p> }).collect_view();
    let link = |href: String, icon: IconName, word: &'static str| {
        view! {
            <li>
                <a class="c-menu__link" href=href>
                    <Icon name=icon />
                    <span class="c-menu__words">{word}</span>
                </a>
            </li>
        }
        .into_any()
    };
    view! {
        <details class="c-menu" data-align="end" name="menu">
            <summary class="c-menu__summary">
                <span class="c-avatar" aria-hidden="true">{initials(&name)}</span>
                <span class="u-visually-hidden">{format!("Your account: {name}")}</span>
                <Icon name=IconName::ChevronDown />
            </summary>
            <div class="c-menu__panel">
                <div class="c-menu__person">
                    <p class="c-menu__name">{name}</p>
                    <p class="c-menu__detail">{email}</p>
                    {facts}
                </div>
                <ul class="c-menu__list">
                    {link(profile_href, IconName::User, "Profile")}
                    {link(sessions_href, IconName::Sessions, "Sessions")}
                </ul>
                {has_choices.then(|| view! { <div class="c-menu__choices">{choices}</div> })}
                <ul class="c-menu__list">
                    {link(help_href, IconName::Keyboard, "Keyboard shortcuts")}
                    <li>
                        <form method="post" action=sign_out_action>
                            <button class="c-menu__link" type="submit">
                                <Icon name=IconName::SignOut />
                                <span class="c-menu__words">"Sign out"</span>
                            </button>
                        </form>
                    </li>
                </ul>
            </div>
        </details>
    }
    .into_any()
}

/// A choice whose options are buttons: pressing one is all there is to do, and no script is needed to notice it.
#[component]
pub fn ChoiceForm(
    /// What is chosen.
    choice: Choice,
    /// Where it is posted.
    #[prop(into)]
    action: String,
    /// The page that it leads back to.
    #[prop(into)]
    back: String,
) -> impl IntoView {
    let name = choice.name;
    let buttons = choice
        .options
        .into_iter()
        .map(|option| {
            view! {
                <button
                    class="c-choice__option"
                    type="submit"
                    name=name.clone()
                    value=option.value
                    aria-pressed=if option.chosen { "true" } else { "false" }
                >
                    {option.label}
                </button>
            }
        })
        .collect_view();
    view! {
        <form class="c-choice" method="post" action=action>
            <input type="hidden" name="back" value=back />
            <fieldset>
                <legend class="c-choice__label">{choice.label}</legend>
                <div class="c-choice__options">{buttons}</div>
            </fieldset>
        </form>
    }
    .into_any()
}
