//! What pages share: the frame around a tenant's pages, messages for the next page, and the little state that a
//! hydrated page keeps (title and focus after a change of page).

use leptos::prelude::*;
use leptos_meta::Title;
use rtv_ui::{Crumb, IconName, NavGroup, NavItem, Shell, TenantLink, Tone};
use serde::{Deserialize, Serialize};

use crate::error::{AppError, Failed};

/// Name of the product.
pub const PRODUCT: &str = "RTV";

/// A message that a form leaves for the page that follows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// A sentence, if there is one.
    pub text: Option<String>,
    /// Whether the sentence is good news.
    pub is_success: bool,
    /// Fields that were refused, and why.
    pub errors: Vec<(String, String)>,
    /// What was typed, secrets aside.
    pub values: Vec<(String, String)>,
}

impl Flash {
    /// What was typed into a field.
    pub fn value(&self, field: &str) -> Option<String> {
        self.values.iter().find(|(name, _)| name == field).map(|(_, value)| value.clone())
    }

    /// Why a field was refused.
    pub fn error(&self, field: &str) -> Option<String> {
        self.errors.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone())
    }
}

/// A tenant in the switcher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantEntry {
    /// Name in addresses.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// The person's role in it.
    pub role: String,
    /// Whether it is the one that is shown.
    pub current: bool,
}

/// What stands around a tenant's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Name of the tenant.
    pub tenant: String,
    /// Its slug.
    pub slug: String,
    /// All tenants of the person.
    pub tenants: Vec<TenantEntry>,
    /// Name of the person.
    pub user_name: String,
    /// Their address.
    pub user_email: String,
    /// Whether the pages with figures are shown in the navigation.
    pub can_read_figures: bool,
    /// Whether files may be imported.
    pub can_import: bool,
    /// A message for this page.
    pub flash: Option<Flash>,
}

/// A page and what stands around it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Framed<T> {
    /// Around it.
    pub frame: Frame,
    /// The page's own content.
    pub content: T,
}

/// Pages of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `/t/{tenant}/dashboard`
    Dashboard,
    /// `/t/{tenant}/posts`
    Posts,
    /// `/t/{tenant}/imports`
    Imports,
}

impl Place {
    const fn label(self) -> &'static str {
        match self {
            Self::Dashboard => "Dashboard",
            Self::Posts => "Posts",
            Self::Imports => "Imports",
        }
    }

    /// The last part of its address.
    const fn path(self) -> &'static str {
        match self {
            Self::Dashboard => "dashboard",
            Self::Posts => "posts",
            Self::Imports => "imports",
        }
    }
}

/// The shell with the navigation of a tenant around a page.
#[component]
pub fn TenantPage(
    frame: Frame,
    place: Place,
    /// The way from the place to a page below it, the page itself last; empty for the place itself.
    #[prop(optional)]
    crumbs: Vec<Crumb>,
    /// Whether what was asked is refused; the title says so first.
    #[prop(optional)]
    is_refused: bool,
    children: Children,
) -> impl IntoView {
    let address = |one: Place| format!("/t/{}/{}", frame.slug, one.path());
    let item = |one: Place, icon: IconName| NavItem {
        label: one.label().into(),
        href: address(one),
        icon,
        current: one == place,
    };
    let mut measure = Vec::new();
    let mut nav = Vec::new();
    if frame.can_read_figures {
        nav.push(NavGroup { label: "Overview".into(), items: vec![item(Place::Dashboard, IconName::Dashboard)] });
        measure.push(item(Place::Posts, IconName::Posts));
    }
    if frame.can_import {
        measure.push(item(Place::Imports, IconName::Imports));
    }
    if !measure.is_empty() {
        nav.push(NavGroup { label: "Measure".into(), items: measure });
    }
    let label = crumbs.last().map_or_else(|| place.label().to_owned(), |crumb| crumb.label.clone());
    let first = Crumb { label: place.label().into(), href: (!crumbs.is_empty()).then(|| address(place)) };
    let crumbs: Vec<Crumb> = core::iter::once(first).chain(crumbs).collect();
    let tenants = frame
        .tenants
        .into_iter()
        .map(|one| TenantLink { name: one.name, slug: one.slug, role: one.role, current: one.current })
        .collect();
    let title = format!("{}{label} · {}", if is_refused { "Error: " } else { "" }, frame.tenant);
    view! {
        <PageTitle title />
        <Shell
            product=PRODUCT
            home_href=format!("/t/{}/dashboard", frame.slug)
            tenant=frame.tenant
            tenants
            nav
            crumbs
            user_name=frame.user_name
            user_email=frame.user_email
            sessions_href="/me/sessions"
        >
            {frame.flash.and_then(|flash| flash.text.map(|text| flash_view(text, flash.is_success)))}
            {children()}
        </Shell>
    }
}

/// In place of a page that the person lacks the permission for: it names the permission and who can grant it.
#[component]
pub fn ForbiddenPage(frame: Frame, place: Place, error: AppError) -> impl IntoView {
    view! {
        <TenantPage frame place>
            <Failed error />
        </TenantPage>
    }
}

fn flash_view(text: String, is_success: bool) -> impl IntoView {
    let tone = if is_success { Tone::Success } else { Tone::Danger };
    view! { <rtv_ui::Flash tone text /> }
}

/// The message of a page outside a tenant.
#[component]
pub fn FlashMessage(flash: Option<Flash>) -> impl IntoView {
    flash.and_then(|flash| flash.text.map(|text| flash_view(text, flash.is_success)))
}

/// Title of the document; after a change of page in the browser the page is settled too.
#[component]
pub fn PageTitle(#[prop(into)] title: String) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(crate::arrival::settle);
    view! { <Title text=format!("{title} · {PRODUCT}") /> }
}
