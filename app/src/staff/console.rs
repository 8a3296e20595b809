//! Which page of the console an address means, and the frame around all of them.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use rtv_core::{Error, TenantStatus};
use rtv_ui::{
    Badge, Crumb, ErrorSummary, Flash, Frame as ShellFrame, IconName, LinkButton, NavGroup, NavItem, Pager, Shell, Tone,
};

use super::{kill_switch, mail, maintenance, tenant, tenants, users};
use crate::page::PRODUCT;
use crate::preference;
use crate::request::Request;

/// A place of the console.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Tenants,
    Users,
    Switches,
    Maintenance,
    Mail,
    Gallery,
}

impl Section {
    const ALL: [Self; 6] = [Self::Tenants, Self::Users, Self::Switches, Self::Maintenance, Self::Mail, Self::Gallery];

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Tenants => "Tenants",
            Self::Users => "Users",
            Self::Switches => "Kill switches",
            Self::Maintenance => "Maintenance",
            Self::Mail => "Mail",
            Self::Gallery => "Components",
        }
    }

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Tenants => "/staff/tenants",
            Self::Users => "/staff/users",
            Self::Switches => "/staff/switches",
            Self::Maintenance => "/staff/maintenance",
            Self::Mail => "/staff/mail",
            Self::Gallery => crate::gallery::PATH,
        }
    }

    const fn icon(self) -> IconName {
        match self {
            Self::Tenants => IconName::Tenant,
            Self::Users => IconName::User,
            Self::Switches => IconName::Stop,
            Self::Maintenance => IconName::Lock,
            Self::Mail => IconName::Posts,
            Self::Gallery => IconName::Table,
        }
    }

    const fn group(self) -> &'static str {
        match self {
            Self::Tenants | Self::Users => "Customers",
            Self::Switches => "Operate",
            Self::Maintenance | Self::Mail | Self::Gallery => "RTV",
        }
    }
}

/// What a page of the console consists of.
pub(super) struct Page {
    /// Where it belongs.
    pub(super) section: Section,
    /// What it is called where it lies below its place: names and addresses, the page itself last.
    pub(super) crumbs: Vec<(String, Option<String>)>,
    /// What stands on it.
    pub(super) body: AnyView,
}

/// One page as the browser shows it: title, page, announcement. Who is not staff gets [`Error::NotFound`], as for an address
/// that means nothing.
pub(super) async fn page(path: &str, query: &[(String, String)]) -> Result<(String, String, String), Error> {
    let request = crate::request::current();
    rtv_domain::access::staff(&request.context)?;
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let shown = match parts.as_slice() {
        ["staff"] => {
            crate::request::lead_to(Section::Tenants.path());
            tenants::list(&request, query).await?
        }
        ["staff", "tenants"] => tenants::list(&request, query).await?,
        ["staff", "tenants", slug] => tenant::one(&request, slug).await?,
        ["staff", "tenants", slug, "visit"] => tenant::visit(&request, slug).await?,
        ["staff", "users"] => users::list(&request, query).await?,
        ["staff", "users", id] => users::one(&request, id).await?,
        ["staff", "switches", below @ ..] => kill_switch::page(&request, below, query).await?,
        ["staff", "maintenance"] => maintenance::page(&request).await?,
        ["staff", "mail"] => mail::list(&request).await?,
        ["staff", "mail", id] => mail::one(&request, id).await?,
        _ => return Err(Error::NotFound),
    };
    let halts = crate::kill_switch::banner_for_staff(&request.context).await;
    Ok(framed(&request, shown, halts))
}

fn framed(request: &Request, page: Page, halts: String) -> (String, String, String) {
    let Page { section, crumbs, body } = page;
    let flash = request.flash.clone().unwrap_or_default();
    let label = crumbs.last().map_or(section.label(), |(label, _)| label.as_str());
    let title = format!("{}{label} · Staff", if flash.errors.is_empty() { "" } else { "Error: " });
    let mut nav: Vec<NavGroup> = Vec::new();
    for one in Section::ALL {
        let item =
            NavItem { label: one.label().into(), href: one.path().into(), icon: one.icon(), current: one == section };
        match nav.last_mut().filter(|group| group.label == one.group()) {
            Some(group) => group.items.push(item),
            None => nav.push(NavGroup { label: one.group().into(), items: vec![item] }),
        }
    }
    let first = Crumb { label: section.label().into(), href: (!crumbs.is_empty()).then(|| section.path().into()) };
    let crumbs: Vec<Crumb> =
        core::iter::once(first).chain(crumbs.into_iter().map(|(label, href)| Crumb { label, href })).collect();
    let (user_name, user_email, chosen) = request
        .context
        .person()
        .map(|person| (person.name.clone(), person.email.to_string(), person.preference))
        .unwrap_or_default();
    let message = flash.text.clone().map(|text| {
        let tone = if flash.is_success { Tone::Success } else { Tone::Danger };
        view! { <Flash tone text /> }
    });
    let html = view! {
        <Shell
            product=PRODUCT
            home_href=Section::Tenants.path()
            tenant="Staff console"
            nav
            crumbs
            user_name
            user_email
            user_facts=vec!["Staff of the operator".into()]
            choices=preference::choices(chosen)
            choices_action=preference::ACTION
            back=request.page.clone()
            imprint=vec![format!("Made {}", time(request.context.now())), request.host.clone()]
            search_keys=if request.has_mac_keys() { "⌘ K" } else { "Ctrl K" }
            frame=ShellFrame::Staff
            halt_href=format!("{}/halt", Section::Switches.path())
            banner=crate::kill_switch::banner_place(halts)
        >
            {message}
            <ErrorSummary errors=flash.errors />
            {body}
        </Shell>
    }
    .to_html();
    (title, html, request.announcement())
}

/// An instant for people of the operator, who work in one zone.
pub(super) fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// How long ago, with the exact time beside it.
pub(super) fn ago(at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> AnyView {
    match at {
        Some(at) => view! { <span title=time(at)>{rtv_domain::format::ago(at, now)}</span> }.into_any(),
        None => view! { <span class="u-muted">"Never"</span> }.into_any(),
    }
}

/// Where a tenant stands, for the eye.
pub(super) fn status_badge(status: TenantStatus) -> AnyView {
    let tone = match status {
        TenantStatus::Active => Tone::Success,
        TenantStatus::Pending => Tone::Info,
        TenantStatus::Suspended => Tone::Warning,
        TenantStatus::Cancelled => Tone::Danger,
    };
    view! { <Badge tone>{status.label()}</Badge> }.into_any()
}

/// What was typed into a filter.
pub(super) fn typed(query: &[(String, String)], name: &str) -> String {
    query.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

/// Address of a list with these filters.
pub(super) fn address(path: &str, pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = pairs.iter().filter(|(_, value)| !value.is_empty()).collect();
    if pairs.is_empty() {
        return path.to_owned();
    }
    let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    format!("{path}?{}", query.join("&"))
}

fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// The way on in a list, and back to its beginning.
pub(super) fn pager(summary: String, first: Option<String>, next: Option<String>, label: &'static str) -> AnyView {
    view! { <Pager summary newer=first older=next label newer_label="First" older_label="Next" /> }.into_any()
}

/// The link that takes the filters out, where there are any.
pub(super) fn reset(is_filtered: bool, path: &'static str) -> AnyView {
    is_filtered.then(|| view! { <LinkButton href=path>"Reset"</LinkButton> }).into_any()
}
