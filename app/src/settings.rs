//! `/t/{tenant}/settings`: what the organisation decides about itself, a part at an address each, and what its plan allows.
//! The forms are posted to routes of `server/src/http/settings.rs`.

pub mod api;
#[cfg(feature = "ssr")]
mod draw;

#[cfg(feature = "ssr")]
pub(crate) use draw::zone_names;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::page::{DrawnPage, Place};

/// The parts of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Name, zone, ways of writing.
    General,
    /// Who gets in and for how long.
    Security,
    /// The colour of the pages.
    Branding,
    /// What the plan allows and what is used of it.
    Limits,
}

impl Part {
    /// The last part of its address, and how a page asks for it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::General => "",
            Self::Security => "security",
            Self::Branding => "branding",
            Self::Limits => "limits",
        }
    }
}

#[component]
fn SettingsPage(part: Part) -> impl IntoView {
    let params = use_params_map();
    let page = Resource::new(
        move || params.read().get("tenant").unwrap_or_default(),
        move |tenant| api::read_settings(tenant, part.key().into()),
    );
    view! { <DrawnPage page place=Place::Settings /> }
}

/// Name, zone, ways of writing.
#[component]
pub fn GeneralPage() -> impl IntoView {
    view! { <SettingsPage part=Part::General /> }
}

/// Who gets in and for how long.
#[component]
pub fn SecurityPage() -> impl IntoView {
    view! { <SettingsPage part=Part::Security /> }
}

/// The colour of the pages.
#[component]
pub fn BrandingPage() -> impl IntoView {
    view! { <SettingsPage part=Part::Branding /> }
}

/// What the plan allows.
#[component]
pub fn LimitsPage() -> impl IntoView {
    view! { <SettingsPage part=Part::Limits /> }
}
