//! The shell around every page of a signed-in person: skip link, top bar, and one navigation that is a
//! sidebar, a rail or a bar at the bottom, as the screen allows. The menus of the bar are in `menu.rs`, what opens
//! over a page is in `palette.rs`.

use leptos::ev::MouseEvent;
use leptos::prelude::*;

use crate::menu::{TenantSwitcher, UserMenu};
use crate::{Badge, Choice, Icon, IconName, ProductMark, TenantLink, Tone, Words};

/// One place to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NavItem {
    /// The word.
    pub label: String,
    /// Where it leads.
    pub href: String,
    /// Its icon.
    pub icon: IconName,
    /// Whether one is there.
    pub current: bool,
}

/// Places that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NavGroup {
    /// What they have in common.
    pub label: String,
    /// The places, in order of use: a phone's bar shows the first four of all groups.
    pub items: Vec<NavItem>,
}

/// One step of the way to the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crumb {
    /// The word.
    pub label: String,
    /// Where it leads; the page itself has none.
    pub href: Option<String>,
}

/// Whose house one is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Frame {
    /// An organisation's.
    #[default]
    Tenant,
    /// The operator's own console, marked on every page.
    Staff,
}

/// As many entries as a phone's bar holds.
const BOTTOM_SLOTS: usize = 5;

/// The shell. `nav` and `crumbs` take plain values or signals, so that the shell can stay while pages change.
#[component]
pub fn Shell(
    /// The product's name.
    #[prop(into)]
    product: String,
    /// Where the product's sign leads.
    #[prop(into, default = "/".into())]
    home_href: String,
    /// The name of the organisation one is in, or of the console.
    #[prop(into)]
    tenant: String,
    /// The address of its picture.
    #[prop(optional, into)]
    logo: Words,
    /// Every organisation the person may enter; with fewer than two there is nothing to switch.
    #[prop(default = Vec::new())]
    tenants: Vec<TenantLink>,
    /// The places to go.
    #[prop(into)]
    nav: Signal<Vec<NavGroup>>,
    /// The way here, without the organisation.
    #[prop(into)]
    crumbs: Signal<Vec<Crumb>>,
    /// The person's name.
    #[prop(into)]
    user_name: String,
    /// The person's address.
    #[prop(into)]
    user_email: String,
    /// What else the person's menu says about them, such as their role here.
    #[prop(default = Vec::new())]
    user_facts: Vec<String>,
    /// What the person may choose for themselves.
    #[prop(default = Vec::new())]
    choices: Vec<Choice>,
    /// Where a choice is posted.
    #[prop(into, default = "/me/preferences".into())]
    choices_action: String,
    /// The address of this page, to which a choice leads back.
    #[prop(into, default = "/".into())]
    back: String,
    /// The person's own page.
    #[prop(into, default = "/me".into())]
    profile_href: String,
    /// The person's own list of sessions.
    #[prop(into, default = "/me/sessions".into())]
    sessions_href: String,
    /// The list of keyboard shortcuts.
    #[prop(into, default = "/help/keyboard".into())]
    help_href: String,
    /// The search page.
    #[prop(into, default = "/search".into())]
    search_href: String,
    /// The keys that search, as they are printed on the person's keyboard.
    #[prop(into, default = "Ctrl K".into())]
    search_keys: String,
    /// Opens what a script has in place of the search page.
    #[prop(optional)]
    on_search: Option<Callback<MouseEvent>>,
    /// The page that halts, for who may.
    #[prop(optional, into)]
    halt_href: Words,
    /// The organisation's name in addresses.
    #[prop(optional, into)]
    slug: String,
    /// Where signing out is posted.
    #[prop(into, default = "/sign-out".into())]
    sign_out_action: String,
    /// What paper says about itself under the organisation's name: when it was made, and from which address.
    #[prop(default = Vec::new())]
    imprint: Vec<String>,
    /// Whose house it is.
    #[prop(optional)]
    frame: Frame,
    /// Above everything: what has been stopped.
    #[prop(optional)]
    banner: Option<AnyView>,
    /// The page.
    children: Children,
) -> impl IntoView {
    let is_staff = frame == Frame::Staff;
    // Paper loses the bars around a page, and must still say whose figures it carries.
    let letterhead = format!("{product}, {tenant}");
    view! {
        // `external` keeps the router's hands off, so that the browser itself moves the focus.
        <a class="c-skip-link" href="#main" rel="external">"Skip to content"</a>
        <div class="l-shell" data-frame=is_staff.then_some("staff")>
            <div class="l-shell__banner">{banner}</div>
            <header class="l-shell__top">
                <a class="c-brand" href=home_href>
                    <ProductMark />
                    <span class="c-brand__name">{product}</span>
                </a>
                <div class="l-shell__where">
                    {is_staff.then(|| view! { <Badge tone=Tone::Warning>"Staff"</Badge> })}
                    <TenantSwitcher tenant logo tenants slug=slug.clone() search=search_href.clone() />
                    <Breadcrumbs crumbs />
                </div>
                <div class="l-shell__tools">
                    {halt_href.into_option().map(halt_link)}
                    <SearchLink href=search_href keys=search_keys slug on_press=on_search />
                    <UserMenu
                        name=user_name
                        email=user_email
                        facts=user_facts
                        choices
                        choices_action
                        back
                        profile_href
                        sessions_href
                        help_href
                        sign_out_action
                    />
                </div>
            </header>
            <nav class="c-nav" aria-label="Main">
                <div class="c-nav__groups">{move || nav.get().into_iter().map(nav_group).collect_view()}</div>
            </nav>
            <main class="l-shell__main" id="main" tabindex="-1">
                <div class="l-shell__letterhead u-print-only">
                    <p class="l-shell__house">{letterhead}</p>
                    {imprint.into_iter().map(|line| view! { <p>{line}</p> }).collect_view()}
                </div>
                <div class="l-shell__content">{children()}</div>
            </main>
            <nav class="c-bottom-nav" aria-label="Main, short">{move || bottom_nav(nav.get())}</nav>
        </div>
    }
    .into_any()
}

/// Leads to the page that halts, and halts nothing itself.
fn halt_link(href: String) -> impl IntoView {
    view! {
        <a class="c-halt" href=href aria-keyshortcuts="h">
            <Icon name=IconName::Stop />
            <span class="c-halt__word">"Halt"</span>
        </a>
    }
    .into_any()
}

fn nav_item(item: NavItem) -> impl IntoView {
    view! {
        <li>
            <a class="c-nav__link" href=item.href aria-current=item.current.then_some("page")>
                <Icon name=item.icon />
                <span class="c-nav__word">{item.label}</span>
            </a>
        </li>
    }
    .into_any()
}

fn nav_group(group: NavGroup) -> impl IntoView {
    view! {
        <div class="c-nav__group">
            <p class="c-nav__label">{group.label}</p>
            <ul class="c-nav__list">{group.items.into_iter().map(nav_item).collect_view()}</ul>
        </div>
    }
    .into_any()
}

/// The first places, and the others under "More".
fn bottom_nav(groups: Vec<NavGroup>) -> impl IntoView {
    let mut items = groups.into_iter().flat_map(|group| group.items).collect::<Vec<_>>();
    let rest = if items.len() > BOTTOM_SLOTS { items.split_off(BOTTOM_SLOTS - 1) } else { Vec::new() };
    let is_in_rest = rest.iter().any(|item| item.current);
    let more = (!rest.is_empty()).then(|| {
        view! {
            <li>
                <details class="c-more" name="menu">
                    <summary class="c-nav__link" data-current=is_in_rest.then_some("true")>
                        <Icon name=IconName::More />
                        <span class="c-nav__word">"More"</span>
                    </summary>
                    <ul class="c-more__panel">{rest.into_iter().map(nav_item).collect_view()}</ul>
                </details>
            </li>
        }
    });
    view! {
        <ul class="c-bottom-nav__list">
            {items.into_iter().map(nav_item).collect_view()}
            {more}
        </ul>
    }
    .into_any()
}

/// Leads to the search page; a script opens the palette instead.
#[component]
fn SearchLink(href: String, keys: String, slug: String, on_press: Option<Callback<MouseEvent>>) -> impl IntoView {
    let href = if slug.is_empty() { href } else { format!("{href}?tenant={slug}") };
    let on_click = move |event: MouseEvent| {
        if let Some(on_press) = on_press {
            on_press.run(event);
        }
    };
    view! {
        <a class="c-search" href=href on:click=on_click>
            <Icon name=IconName::Search />
            <span class="c-search__word">"Search"</span>
            <kbd class="c-key" aria-hidden="true">{keys}</kbd>
        </a>
    }
    .into_any()
}

#[component]
fn Breadcrumbs(crumbs: Signal<Vec<Crumb>>) -> impl IntoView {
    let items = move || {
        crumbs
            .get()
            .into_iter()
            .map(|crumb| {
                let word = match crumb.href {
                    Some(href) => view! { <a class="c-crumbs__link" href=href>{crumb.label}</a> }.into_any(),
                    None => view! { <span aria-current="page">{crumb.label}</span> }.into_any(),
                };
                view! { <li class="c-crumbs__item">{word}</li> }
            })
            .collect_view()
    };
    view! {
        <nav class="c-crumbs" aria-label="Breadcrumbs">
            <ol class="c-crumbs__list">{items}</ol>
        </nav>
    }
    .into_any()
}

/// The first letter of a name, for the coloured square beside it.
pub(crate) fn initial(name: &str) -> String {
    name.chars()
        .find(|letter| letter.is_alphanumeric())
        .map_or_else(|| "?".to_owned(), |letter| letter.to_uppercase().collect())
}

/// The first letters of the first and the last word of a name.
pub(crate) fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().map_or_else(|| "?".to_owned(), initial);
    match words.next_back() {
        Some(last) => first + &initial(last),
        None => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        let check = |name: &str, expect: &str| assert_eq!(initials(name), expect, "{name:?}");
        check("Dana Kim", "DK");
        check("dana", "D");
        check("Anna van der Berg", "AB");
        check("", "?");
        check("東京 太郎", "東太");
    }
}
