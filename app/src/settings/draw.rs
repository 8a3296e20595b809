//! The settings, drawn. Runs on the server only.

use chrono_tz::Tz;
use leptos::prelude::*;
use rtv_core::{Brand, Error, Permission};
use rtv_domain::format::{Format, LOCALES};
use rtv_domain::settings::{self, LONGEST_TIMEOUT, SHORTEST_TIMEOUT, Settings};
use rtv_domain::{TenantContext, limit};
use rtv_ui::{
    Badge, Button, Card, Checkbox, Crumb, Definition, DefinitionList, ErrorSummary, Field, FileField, LinkButton,
    Notice, PageHeader, SelectField, SelectOption, TabLink, Tabs, TextArea, Tone, Variant,
};

use super::Part;
use crate::limit::LimitTable;
use crate::page::{Drawn, Flash, Place};

/// Days of the week from Monday, as they are counted.
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// What a locale is called.
fn locale_label(tag: &str) -> &str {
    match tag {
        "en-US" => "English (United States): 1,234.5, Nov 21, 2026",
        "en-GB" => "English (United Kingdom): 1,234.5, 21 Nov 2026",
        "de-DE" => "German (Germany): 1.234,5",
        "fr-FR" => "French (France): 1 234,5",
        "es-ES" => "Spanish (Spain): 1.234,5",
        "it-IT" => "Italian (Italy): 1.234,5",
        "nl-NL" => "Dutch (Netherlands): 1.234,5",
        "pt-BR" => "Portuguese (Brazil): 1.234,5",
        "ja-JP" => "Japanese (Japan): 1,234.5",
        "th-TH" => "Thai (Thailand): 1,234.5",
        other => other,
    }
}

/// A part by its key, drawn. One that there is not answers like a page that there is not.
pub(super) async fn part(ctx: &TenantContext, key: &str) -> Result<Drawn, Error> {
    let all = [Part::General, Part::Security, Part::Branding, Part::Limits];
    let part = all.into_iter().find(|part| part.key() == key).ok_or(Error::NotFound)?;
    let flash = crate::request::current().flash.unwrap_or_default();
    let can_change = ctx.access().grants(Permission::SettingsUpdate);
    let (title, subtitle, content) = match part {
        Part::General => (
            "Settings",
            "Name, days and ways of writing, everywhere in this organisation.",
            general(ctx, &flash, can_change).await?,
        ),
        Part::Security => {
            ("Security", "Who gets in, from where and for how long.", security(ctx, &flash, can_change).await?)
        }
        Part::Branding => {
            ("Branding", "How pages of this organisation look.", branding(ctx, &flash, can_change).await?)
        }
        Part::Limits => ("Plan and limits", "What the plan allows, and how much of it is used.", limits(ctx).await?),
    };
    let crumbs = match part {
        Part::General => Vec::new(),
        _ => vec![Crumb { label: title.into(), href: None }],
    };
    let path = Place::Settings.address(ctx.tenant().slug.as_str());
    let link = |to: Part, label: &str| TabLink {
        label: label.into(),
        count: None::<String>.into(),
        href: address(&path, to),
        current: to == part,
    };
    let links = vec![
        link(Part::General, "General"),
        link(Part::Security, "Security"),
        link(Part::Branding, "Branding"),
        link(Part::Limits, "Plan and limits"),
    ];
    let is_refused = !flash.errors.is_empty();
    let html = view! {
        <ErrorSummary errors=flash.errors />
        <PageHeader title subtitle />
        <Tabs label="Settings" links />
        {content}
    };
    Ok(Drawn::new(crumbs, is_refused, html))
}

fn address(path: &str, part: Part) -> String {
    match part {
        Part::General => path.to_owned(),
        _ => format!("{path}/{}", part.key()),
    }
}

/// What a form carries of the version that it was made from. What was typed stays with the version that it was typed over, so
/// that saving it once more is refused once more.
fn version(flash: &Flash, now: &Settings, path: &str) -> (String, AnyView) {
    let current = now.revision.version.to_string();
    let version = flash.value("version").unwrap_or_else(|| current.clone());
    let stale = (version != current).then(|| {
        view! {
            <Notice
                tone=Tone::Warning
                action=Some(view! { <LinkButton href=path.to_owned() small=true external=true>"Reload"</LinkButton> }.into_any())
            >
                "What you typed is still below and is not saved. Reload to see what it is now."
            </Notice>
        }
    });
    (version, view! { {stale} }.into_any())
}

/// In place of a form's button for who may only look.
fn needed() -> AnyView {
    view! {
        <p class="u-muted u-small">
            {format!(
                "Changing this needs the permission “{}”. An owner or admin of this organisation can grant it.",
                Permission::SettingsUpdate.key()
            )}
        </p>
    }
    .into_any()
}

fn save(can_change: bool) -> AnyView {
    if can_change { view! { <div><Button variant=Variant::Primary>"Save"</Button></div> }.into_any() } else { needed() }
}

/// The zones of the tz database that are places, UTC, and whatever is chosen.
pub(crate) fn zone_names(chosen: &str) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = chrono_tz::TZ_VARIANTS
        .iter()
        .map(|zone: &Tz| zone.name())
        .filter(|name| {
            let is_place = name.split_once('/').is_some_and(|(region, _)| {
                !matches!(region, "Etc" | "SystemV" | "US" | "Brazil" | "Canada" | "Chile" | "Mexico")
            });
            is_place || *name == "UTC" || *name == chosen
        })
        .collect();
    names.sort_unstable();
    names
}

fn zones(chosen: &str) -> Vec<SelectOption> {
    zone_names(chosen)
        .into_iter()
        .map(|name| SelectOption { value: name.into(), label: name.replace('_', " "), selected: name == chosen })
        .collect()
}

async fn general(ctx: &TenantContext, flash: &Flash, can_change: bool) -> Result<AnyView, Error> {
    let now = settings::read(ctx).await?;
    let path = Place::Settings.address(ctx.tenant().slug.as_str());
    let format = Format::of(&now.tenant);
    let (version, stale) = version(flash, &now, &path);
    let moving = now.next_zone.map(|next| {
        view! {
            <Notice tone=Tone::Info>
                {format!(
                    "The days of all posts are being moved to {}. Until that is done, every page shows them in {}.",
                    next.name(),
                    now.tenant.zone.name()
                )}
            </Notice>
        }
    });
    let now_text = format!("It is {} in {}.", format.instant(ctx.now()), now.tenant.zone.name());
    let mode = mode(&now, can_change, &version, &path);
    let content =
        if can_change { general_form(&now, flash, version, now_text, path) } else { general_facts(&now, now_text) };
    Ok(view! {
        {moving}
        {stale}
        <div class="l-grid" data-columns="2">
            {content}
            {mode}
        </div>
    }
    .into_any())
}

fn general_facts(now: &Settings, now_text: String) -> AnyView {
    let items = vec![
        Definition::new("Name", now.tenant.name.clone()),
        Definition::new("Time zone", now.tenant.zone.name()),
        Definition::new("Numbers and dates", locale_label(&now.tenant.locale)),
        Definition::new("Currency", now.tenant.currency.clone()),
        Definition::new("The week begins on", DAYS[now.tenant.week_start as usize % 7]),
    ];
    view! {
        <Card title="General" text=now_text>
            <div class="l-stack" data-gap="3">
                <DefinitionList items />
                {needed()}
            </div>
        </Card>
    }
    .into_any()
}

fn general_form(now: &Settings, flash: &Flash, version: String, now_text: String, path: String) -> AnyView {
    let target = now.next_zone.unwrap_or(now.tenant.zone);
    let value = |field: &str, stored: &str| flash.value(field).unwrap_or_else(|| stored.to_owned());
    let zone = value("zone", target.name());
    let locale = value("locale", &now.tenant.locale);
    let week_start = value("week_start", &now.tenant.week_start.to_string());
    let zone_hint = if now.has_days {
        "Days and hours everywhere. Posts move to the days of the new zone; figures that platforms reported by the day stay with the day that they reported."
    } else {
        "Days and hours everywhere. Posts move to the days of the new zone."
    };
    let locales = LOCALES
        .into_iter()
        .map(|tag| SelectOption { value: tag.into(), label: locale_label(tag).into(), selected: tag == locale })
        .collect();
    let days = DAYS
        .into_iter()
        .enumerate()
        .map(|(day, label)| SelectOption {
            value: day.to_string(),
            label: label.into(),
            selected: day.to_string() == week_start,
        })
        .collect();
    let is_relabelled = flash.value("is_relabelled").is_some();
    let relabel = now.has_amounts.then(|| {
        view! {
            <Checkbox
                label="The amounts that are stored are in this currency"
                name="is_relabelled"
                checked=is_relabelled
                hint="Only needed when the currency changes: amounts are never converted."
            />
        }
    });
    let (name, currency) = (value("name", &now.tenant.name), value("currency", &now.tenant.currency));
    let [name_error, zone_error, locale_error, currency_error, week_start_error] =
        ["name", "zone", "locale", "currency", "week_start"].map(|field| flash.error(field));
    view! {
        <Card title="General" text=now_text>
            <form class="l-stack" data-gap="4" method="post" action=path autocomplete="off">
                <input type="hidden" name="version" value=version />
                <Field label="Name" name="name" value=name error=name_error maxlength="120" required=true />
                <SelectField label="Time zone" name="zone" options=zones(&zone) hint=zone_hint error=zone_error />
                <SelectField
                    label="Numbers and dates"
                    name="locale"
                    options=locales
                    hint="How figures, money and dates are written. The words of RTV are English."
                    error=locale_error
                />
                <Field
                    label="Currency"
                    name="currency"
                    value=currency
                    hint="Three letters of ISO 4217, like EUR."
                    error=currency_error
                    maxlength="3"
                    required=true
                />
                {relabel}
                <SelectField
                    label="The week begins on"
                    name="week_start"
                    options=days
                    hint="Where figures are drawn by the week, and in the week of posting hours."
                    error=week_start_error
                />
                {save(true)}
            </form>
        </Card>
    }
    .into_any()
}

/// Whether posts reach real networks, and the button that changes it.
fn mode(now: &Settings, can_change: bool, version: &str, path: &str) -> AnyView {
    let is_sandbox = now.tenant.is_sandbox;
    let (text, value, verb, badge) = if is_sandbox {
        (
            "Posts go to accounts on the sandbox network alone; those to other networks are held. Their figures count nowhere.",
            "off",
            "Send to real networks",
            view! { <Badge tone=Tone::Info>"Sandbox"</Badge> }.into_any(),
        )
    } else {
        (
            "Posts go to the networks of their accounts. In sandbox mode only accounts on the sandbox network are posted to, for trying out.",
            "on",
            "Switch to sandbox mode",
            view! { <Badge tone=Tone::Success>"Live"</Badge> }.into_any(),
        )
    };
    let form = can_change.then(|| {
        view! {
            <form method="post" action=format!("{path}/sandbox")>
                <input type="hidden" name="version" value=version.to_owned() />
                <input type="hidden" name="is_sandbox" value=value />
                <Button>{verb}</Button>
            </form>
        }
    });
    view! {
        <Card title="Sandbox mode" text>
            <div class="l-stack" data-gap="4">
                <p>{badge}</p>
                {form}
            </div>
        </Card>
    }
    .into_any()
}

async fn report_domains(ctx: &TenantContext, flash: &Flash, base: &str) -> Result<AnyView, Error> {
    let stored = settings::report_domains(ctx).await?.join("\n");
    let (version, _) = version(flash, &settings::read(ctx).await?, base);
    let action = format!("{base}/report-domains");
    let (typed, error) = (flash.value("report_domains").unwrap_or(stored), flash.error("report_domains"));
    Ok(view! {
        <Card title="Where reports may go" text="Schedules mail reports to people outside. Name the domains of your clients, and nobody mistypes one.">
            <form class="l-stack" data-gap="4" method="post" action=action autocomplete="off">
                <input type="hidden" name="version" value=version />
                <TextArea
                    label="Domains that reports may be mailed to"
                    name="report_domains"
                    value=typed
                    hint="One in a line: client.example, which holds for mail.client.example too. Empty: any."
                    error=error
                    rows=4
                />
                <div><Button>"Save domains"</Button></div>
            </form>
        </Card>
    }
    .into_any())
}

async fn security(ctx: &TenantContext, flash: &Flash, can_change: bool) -> Result<AnyView, Error> {
    let now = settings::read(ctx).await?;
    let base = Place::Settings.address(ctx.tenant().slug.as_str());
    let path = address(&base, Part::Security);
    let (version, stale) = version(flash, &now, &path);
    let minutes = now.tenant.session_timeout.num_minutes().to_string();
    let stored_ranges = now.tenant.ip_ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let access = if can_change {
        let own = ctx.context().request().address.map_or_else(
            || "Empty: from everywhere.".to_owned(),
            |own| {
                format!(
                    "CIDR, one in a line: 203.0.113.0/24 or 2001:db8::/32. Empty: from everywhere. You come from {}.",
                    own.to_canonical()
                )
            },
        );
        view! {
            <form class="l-stack" data-gap="4" method="post" action=path autocomplete="off">
                <input type="hidden" name="version" value=version />
                <Field
                    label="Minutes without use after which somebody signs in again"
                    name="session_timeout"
                    kind="number"
                    value=flash.value("session_timeout").unwrap_or(minutes)
                    hint=format!("{SHORTEST_TIMEOUT} to {LONGEST_TIMEOUT}. RTV itself ends a session after {} hours without use, whatever is set here.", rtv_domain::session::IDLE.num_hours())
                    error=flash.error("session_timeout")
                    min=SHORTEST_TIMEOUT.to_string()
                    max=LONGEST_TIMEOUT.to_string()
                    inputmode="numeric"
                    required=true
                />
                <TextArea
                    label="Allowed IP ranges"
                    name="ip_ranges"
                    value=flash.value("ip_ranges").unwrap_or(stored_ranges)
                    hint=own
                    error=flash.error("ip_ranges")
                    rows=5
                />
                {save(can_change)}
            </form>
        }
        .into_any()
    } else {
        let ranges =
            if stored_ranges.is_empty() { "From everywhere".to_owned() } else { stored_ranges.replace('\n', ", ") };
        let items = vec![Definition::new("Minutes without use", minutes), Definition::new("Allowed IP ranges", ranges)];
        view! {
            <div class="l-stack" data-gap="3">
                <DefinitionList items />
                {needed()}
            </div>
        }
        .into_any()
    };
    let domains = if can_change { Some(report_domains(ctx, flash, &base).await?) } else { None };
    Ok(view! {
        {stale}
        <div class="l-grid" data-columns="2">
            <Card title="Sessions and networks" text="Members who come from elsewhere, or after a longer pause, do not get in.">
                {access}
            </Card>
            {second_factor(now.tenant.mfa_required, &base, can_change)}
            {domains}
        </div>
    }
    .into_any())
}

fn second_factor(is_required: bool, base: &str, can_change: bool) -> AnyView {
    let (text, value, verb) = if is_required {
        (
            "Every member needs a second factor. Who has none is led to set one up before anything opens.",
            "off",
            "No longer require it",
        )
    } else {
        (
            "Members sign in with a password alone, unless they set up a second factor themselves.",
            "on",
            "Require a second factor",
        )
    };
    let badge = if is_required {
        view! { <Badge tone=Tone::Success>"Required"</Badge> }.into_any()
    } else {
        view! { <Badge>"Not required"</Badge> }.into_any()
    };
    let form = can_change.then(|| {
        view! {
            <form method="post" action=format!("{base}/second-factor")>
                <input type="hidden" name="required" value=value />
                <Button>{verb}</Button>
            </form>
        }
    });
    view! {
        <Card title="Second factor" text>
            <div class="l-stack" data-gap="4">
                <p>{badge}</p>
                {form}
            </div>
        </Card>
    }
    .into_any()
}

async fn branding(ctx: &TenantContext, flash: &Flash, can_change: bool) -> Result<AnyView, Error> {
    let now = settings::read(ctx).await?;
    let path = address(&Place::Settings.address(ctx.tenant().slug.as_str()), Part::Branding);
    let (version, stale) = version(flash, &now, &path);
    let brand = now.tenant.brand;
    let is_on = if flash.value("version").is_some() { flash.value("is_on").is_some() } else { brand.is_some() };
    let hue = flash.value("hue").or_else(|| brand.map(|brand| brand.hue().to_string())).unwrap_or_default();
    if !can_change {
        let items = vec![Definition::new(
            "Colour",
            brand.map_or_else(|| "RTV’s own".to_owned(), |brand| format!("Hue {}°", brand.hue())),
        )];
        return Ok(view! {
            <Card title="Colour">
                <div class="l-stack" data-gap="3">
                    <DefinitionList items />
                    {needed()}
                </div>
            </Card>
        }
        .into_any());
    }
    let hue_error = flash.error("hue");
    let logo = logo(&now, &version, flash.error("logo"));
    Ok(view! {
        {stale}
        <div class="l-grid" data-columns="2">
        <Card title="Colour" text="Buttons, links and what is chosen. RTV sets the lightness, so that everything can be read in both themes.">
            <form class="l-stack" data-gap="4" method="post" action=path autocomplete="off">
                <input type="hidden" name="version" value=version />
                <Checkbox label="A colour of our own" name="is_on" checked=is_on hint="Off: RTV’s own colour." />
                <Field
                    label="Hue in degrees"
                    name="hue"
                    kind="number"
                    value=hue
                    hint="0 to 360, as the bar shows them."
                    error=hue_error
                    min="0"
                    max="360"
                    inputmode="numeric"
                />
                {hues()}
                {save(can_change)}
            </form>
        </Card>
        {logo}
        </div>
    }
    .into_any())
}

fn logo(now: &Settings, version: &str, error: Option<String>) -> AnyView {
    let base = Place::Settings.address(now.tenant.slug.as_str());
    let picture = now.tenant.logo.as_ref().map(|logo| {
        let address = format!("/t/{}/logo?v={logo}", now.tenant.slug);
        view! {
            <div class="l-cluster" data-gap="4">
                <img class="c-logo" src=address alt="The present logo" height="48" />
                <form method="post" action=format!("{base}/logo/remove")>
                    <input type="hidden" name="version" value=version.to_owned() />
                    <Button>"Remove logo"</Button>
                </form>
            </div>
        }
    });
    let version = version.to_owned();
    view! {
        <Card title="Logo" text="Beside the name of the organisation, on every page.">
            <div class="l-stack" data-gap="4">
                {picture}
                <form class="l-stack" data-gap="4" method="post" action=format!("{base}/logo") enctype="multipart/form-data">
                    <input type="hidden" name="version" value=version />
                    <FileField label="Picture" name="logo" accept="image/png,image/jpeg" hint="PNG or JPEG, up to 256 KB. A square one fits best." error />
                    <div>
                        <Button>"Save logo"</Button>
                    </div>
                </form>
            </div>
        </Card>
    }
    .into_any()
}

/// The hues with their degrees, each as pages would show it.
fn hues() -> AnyView {
    let steps = (0..360_u16).step_by(30);
    let fields = steps
        .clone()
        .enumerate()
        .filter_map(|(place, hue)| {
            let [light, _] = Brand::new(f64::from(hue), 0.15).ok()?.accents()?;
            let x = (place * 40).to_string();
            let middle = (place * 40 + 20).to_string();
            Some(view! {
                <rect x=x y="0" width="40" height="24" fill=light.accent.to_string()></rect>
                <text x=middle y="40" text-anchor="middle" font-size="11" fill="currentColor">{hue.to_string()}</text>
            })
        })
        .collect_view();
    view! {
        <svg class="u-muted" viewBox="0 0 480 44" width="480" height="44" role="img" aria-label="Hues from 0 to 330 degrees: red, orange, yellow, green, blue, violet">
            {fields}
        </svg>
    }
    .into_any()
}

async fn limits(ctx: &TenantContext) -> Result<AnyView, Error> {
    let standings = limit::of(ctx).await?;
    let format = Format::of(ctx.tenant());
    let plan = standings.plan.label();
    let over = limit::over(ctx.tenant()).map(|sentence| view! { <Notice tone=Tone::Danger>{sentence}</Notice> });
    Ok(view! {
        {over}
        <Card flush=true title=format!("Plan {plan}") text="Your operator raises a limit or changes the plan; ask them.">
            <LimitTable standings format />
        </Card>
    }
    .into_any())
}
