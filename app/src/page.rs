//! What pages share: the frame around a tenant's pages, messages for the next page, and the little state that a
//! hydrated page keeps (title and focus after a change of page).

use leptos::prelude::*;
use leptos_meta::Title;
use rtv_ui::{Button, Crumb, IconName, NavGroup, NavItem, Notice, Shell, TenantLink, Tone};
use serde::{Deserialize, Serialize};

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
    /// Whether what is shown was made up by the demo.
    pub has_sample_data: bool,
    /// Whether the person may remove it.
    pub can_remove_sample_data: bool,
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
}

impl Place {
    const fn label(self) -> &'static str {
        match self {
            Self::Dashboard => "Dashboard",
            Self::Posts => "Posts",
        }
    }
}

/// The shell with the navigation of a tenant around a page.
#[component]
pub fn TenantPage(
    frame: Frame,
    place: Place,
    /// Whether what was asked is refused; the title says so first.
    #[prop(optional)]
    is_refused: bool,
    children: Children,
) -> impl IntoView {
    let address = |page: &str| format!("/t/{}/{page}", frame.slug);
    let item = |one: Place, page: &str, icon: IconName| NavItem {
        label: one.label().into(),
        href: address(page),
        icon,
        current: one == place,
    };
    let nav = if frame.can_read_figures {
        vec![
            NavGroup {
                label: "Overview".into(),
                items: vec![item(Place::Dashboard, "dashboard", IconName::Dashboard)],
            },
            NavGroup { label: "Measure".into(), items: vec![item(Place::Posts, "posts", IconName::Posts)] },
        ]
    } else {
        Vec::new()
    };
    let tenants = frame
        .tenants
        .into_iter()
        .map(|one| TenantLink { name: one.name, slug: one.slug, role: one.role, current: one.current })
        .collect();
    let sample_data = frame
        .has_sample_data
        .then(|| view! { <SampleDataNotice slug=frame.slug.clone() can_remove=frame.can_remove_sample_data /> });
    let title = format!("{}{} · {}", if is_refused { "Error: " } else { "" }, place.label(), frame.tenant);
    view! {
        <PageTitle title />
        <Shell
            product=PRODUCT
            home_href=format!("/t/{}/dashboard", frame.slug)
            tenant=frame.tenant
            tenants
            nav
            crumbs=vec![Crumb { label: place.label().into(), href: None }]
            user_name=frame.user_name
            user_email=frame.user_email
            sessions_href="/me/sessions"
        >
            {frame.flash.and_then(|flash| flash.text.map(|text| flash_view(text, flash.is_success)))}
            {sample_data}
            {children()}
        </Shell>
    }
}

/// Says that nothing here has happened, on every page of a tenant with the demo's data.
#[component]
fn SampleDataNotice(slug: String, can_remove: bool) -> impl IntoView {
    let action = can_remove.then(|| {
        view! {
            <form method="post" action=format!("/t/{slug}/sample-data/remove")>
                <Button small=true>"Remove sample data"</Button>
            </form>
        }
        .into_any()
    });
    let advice = if can_remove {
        "Remove them before you bring in your own; people and settings stay."
    } else {
        "An owner or admin can remove them."
    };
    view! {
        <Notice tone=Tone::Warning action>
            <strong>"Sample data."</strong>
            " Accounts, posts and figures here are made up. "
            {advice}
        </Notice>
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
