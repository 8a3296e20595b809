//! What stands around pages: the choices of a person's menu, what was found, keys, and the pages that stand alone.

use leptos::prelude::*;
use rtv_core::{Error, Permission};
use rtv_ui::{
    AuthLayout, BareLayout, Button, ButtonKind, Choice, ChoiceForm, ChoiceOption, ErrorSummary, Field, IconName,
    KeyGroup, KeyList, PaletteGroup, PaletteItem, ResultList, TenantLink, TenantList, Tone, Variant,
};

use super::{PATH, part, specimen};
use crate::error::{AppError, Failed};
use crate::page::PRODUCT;

pub(super) fn section() -> AnyView {
    part(
        "Around pages",
        view! {
            {specimen("ChoiceForm", choice())}
            {specimen("ResultList", results())}
            {specimen("KeyList", keys())}
        },
    )
}

fn choice() -> AnyView {
    let option = |value: &str, label: &str, chosen| ChoiceOption { value: value.into(), label: label.into(), chosen };
    let choice = Choice {
        label: "Theme".into(),
        name: "theme".into(),
        options: vec![option("system", "System", true), option("light", "Light", false), option("dark", "Dark", false)],
    };
    view! { <ChoiceForm choice action="/me/preferences" back=PATH /> }.into_any()
}

fn results() -> AnyView {
    let item = |label: &str, detail: &str, icon| PaletteItem {
        label: label.into(),
        detail: detail.into(),
        href: "#main".into(),
        icon,
    };
    let groups = vec![
        PaletteGroup {
            label: "Go to".into(),
            items: vec![
                item("Dashboard", "Acme Retail Group", IconName::Dashboard),
                item("Posts", "Acme Retail Group", IconName::Posts),
            ],
        },
        PaletteGroup {
            label: "Organisations".into(),
            items: vec![item("A client with a name that goes on for longer than a line", "Viewer", IconName::Tenant)],
        },
    ];
    view! { <ResultList groups /> }.into_any()
}

fn keys() -> AnyView {
    let row = |keys: &[&str], what: &str| (keys.iter().map(|key| (*key).to_owned()).collect(), what.to_owned());
    let groups = vec![
        KeyGroup {
            label: "Everywhere".into(),
            rows: vec![row(&["Ctrl", "K"], "Search"), row(&["?"], "Show the keys")],
        },
        KeyGroup { label: "Go to".into(), rows: vec![row(&["g", "d"], "Dashboard"), row(&["g", "p"], "Posts")] },
    ];
    view! { <KeyList groups /> }.into_any()
}

pub(super) fn sign_in() -> AnyView {
    let problem = "The email address and the password do not match. Check both and try again.";
    view! {
        <AuthLayout
            product=PRODUCT
            title="Sign in"
            text="Use your work email address."
            message=view! { <ErrorSummary errors=vec![("email".into(), problem.into())] /> }.into_any()
            foot=view! { <p>"Trouble signing in? Ask the person who invited you."</p> }.into_any()
        >
            <form class="l-stack" method="get" action=PATH>
                <Field
                    label="Work email"
                    name="email"
                    kind="email"
                    value="dana.kim@a-long-name-of-a-company.example"
                    error=problem
                    autocomplete="username"
                />
                <Field label="Password" name="password" kind="password" autocomplete="current-password" />
                <Button variant=Variant::Primary kind=ButtonKind::Button wide=true>"Sign in"</Button>
            </form>
        </AuthLayout>
    }
    .into_any()
}

pub(super) fn choose() -> AnyView {
    let tenant = |name: &str, role: &str, badges: &[(Tone, &str)]| TenantLink {
        name: name.into(),
        href: PATH.into(),
        role: role.into(),
        badges: badges.iter().map(|(tone, word)| (*tone, (*word).to_owned())).collect(),
        current: false,
    };
    let tenants = vec![
        tenant("Acme Retail Group", "Owner", &[(Tone::Neutral, "Professional")]),
        tenant("Globex", "Viewer", &[(Tone::Neutral, "Free"), (Tone::Warning, "Suspended")]),
        tenant("A client with a name that goes on for longer than a line of a phone", "Editor", &[]),
    ];
    view! {
        <AuthLayout product=PRODUCT title="Choose an organisation" text="You are signed in as dana.kim@acme.example.">
            <TenantList tenants />
        </AuthLayout>
    }
    .into_any()
}

/// The page of an error, with the words that people read when it happens.
pub(super) fn error(status: u16) -> AnyView {
    let error = match status {
        403 => Error::Forbidden(Permission::ImportsManage),
        422 => Error::invalid(
            "range",
            "use one of 7d, 28d, 90d, mtd, qtd, ytd, yesterday, last-week, last-month, last-quarter, last-year or custom.",
        ),
        429 => Error::Limit {
            message: "Ten reports were made in this hour, which is the limit of your plan.".into(),
            seconds: 1_500,
        },
        500 => Error::Internal,
        503 => Error::Unavailable("The database does not answer. Nothing was changed. Try again in a moment.".into()),
        _ => Error::NotFound,
    };
    let error = AppError { error, request_id: "019aa3cf24f07c919d446a5b1e0f8c22".into() };
    view! {
        <BareLayout product=PRODUCT>
            <Failed error is_page=true />
        </BareLayout>
    }
    .into_any()
}
