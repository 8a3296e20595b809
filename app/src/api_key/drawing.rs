//! The page of the keys, drawn. Runs on the server only.

use leptos::prelude::*;
use rtv_core::{Error, PermissionSet};
use rtv_domain::TenantContext;
use rtv_domain::api_key::{self, Listed, Listing, SPANS, State};
use rtv_domain::format::{Format, ago};
use rtv_ui::{
    Badge, Button, Card, CheckboxList, CheckboxOption, EmptyState, ErrorSummary, Field, IconName, LinkButton, Notice,
    PageHeader, RadioGroup, RadioOption, Table, Tone, Variant,
};

use super::SECRET;
use crate::page::{Drawn, Flash, Framed, Place};

/// What the page shows.
pub(super) struct Keys {
    rows: Vec<Row>,
    /// What the person can give a key.
    offered: PermissionSet,
    limit: String,
    first_day: String,
    flash: Flash,
}

struct Row {
    key: Listed,
    permissions: String,
    /// What the author has lost since.
    lost: Option<String>,
    last_used: String,
    expires: String,
    made: String,
}

/// Reads the keys.
pub(super) async fn read(ctx: &TenantContext) -> Result<Keys, Error> {
    let format = Format::of(ctx.tenant());
    let Listing { keys, requests_per_minute } = api_key::list(ctx).await?;
    let rows = keys
        .into_iter()
        .map(|key| {
            let lost = key.permissions.minus(key.held);
            Row {
                permissions: key.permissions.to_string(),
                lost: (key.state == State::Live && !lost.is_empty())
                    .then(|| format!("Its author no longer holds {lost}.")),
                last_used: key.last_used_at.map_or_else(|| "never".into(), |at| ago(at, ctx.now())),
                expires: format.instant(key.expires_at),
                made: format!("Made {} by {}", ago(key.created_at, ctx.now()), key.author),
                key,
            }
        })
        .collect();
    let plan = ctx.tenant().plan;
    Ok(Keys {
        rows,
        offered: ctx.access().everywhere(),
        limit: match requests_per_minute {
            Some(most) => format!(
                "All keys together make at most {} requests a minute (plan {}).",
                format.count(most),
                plan.label()
            ),
            None => "With which programs ask for figures, bring in posts and keep teams.".into(),
        },
        first_day: ctx.today().to_string(),
        flash: crate::request::current().flash.unwrap_or_default(),
    })
}

/// Draws the page.
pub(super) fn drawn(page: Framed<Keys>) -> Drawn {
    let Framed { frame, content } = page;
    let Keys { rows, offered, limit, first_day, flash } = content;
    let path = Place::ApiKeys.address(&frame.slug);
    let list_path = path.clone();
    let is_refused = !flash.errors.is_empty();
    let secret = flash.value(SECRET).map(secret);
    let list = if rows.is_empty() {
        view! {
            <EmptyState
                icon=IconName::Lock
                title="No keys yet"
                text="A key lets a program of yours ask for figures, bring in posts or keep teams, with the permissions that you give it. Make one below, and take it back here at any time."
            />
        }
        .into_any()
    } else {
        view! {
            <Card flush=true>
                <KeyTable rows path=list_path slug=frame.slug />
            </Card>
        }
        .into_any()
    };
    let actions = view! {
        <LinkButton href="/docs/api" icon=IconName::External external=true>"API documentation"</LinkButton>
    }
    .into_any();
    let html = view! {
        <ErrorSummary errors=flash.errors.clone() />
        <PageHeader title="API keys" subtitle=limit actions />
        {secret}
        {list}
        <Form path offered first_day flash />
    };
    Drawn::new(Vec::new(), is_refused, html)
}

fn secret(secret: String) -> impl IntoView {
    view! {
        <Notice tone=Tone::Success>
            <div class="l-stack" data-gap="2">
                <p><strong>"Copy the new key now. It is not shown again."</strong></p>
                <p class="c-secret" data-secret="true"><code>{secret}</code></p>
                <p class="u-small">"A program sends it as “Authorization: Bearer” followed by the key. Keep it like a password."</p>
            </div>
        </Notice>
    }
}

#[component]
fn KeyTable(rows: Vec<Row>, path: String, slug: String) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let Row { key, permissions, lost, last_used, expires, made } = row;
            let tone = match key.state {
                State::Live => Tone::Success,
                State::Resting | State::Orphaned => Tone::Warning,
                State::Expired | State::Revoked => Tone::Neutral,
            };
            let can_revoke = matches!(key.state, State::Live | State::Resting);
            let label = format!("Revoke the key {}", key.name);
            let actor: String = url_escaped(&key.label);
            let revoke = can_revoke.then(|| {
                view! {
                    <form method="post" action=format!("{path}/{}/revoke", key.id)>
                        <Button small=true label>"Revoke"</Button>
                    </form>
                }
            });
            view! {
                <tr data-row=key.id.to_string() data-state=key.state.label()>
                    <th scope="row" data-label="Key">
                        {key.name}
                        <span class="c-table__detail"><code>{key.prefix}"…"</code></span>
                        <span class="c-table__detail">{made}</span>
                    </th>
                    <td data-label="Permissions">
                        {permissions}
                        {lost.map(|lost| view! { <span class="c-table__detail">{lost}</span> })}
                    </td>
                    <td data-label="Last used">
                        <a href=format!("/t/{slug}/audit?actor={actor}")>{last_used}</a>
                    </td>
                    <td data-label="Holds until">{expires}</td>
                    <td data-label="State"><Badge tone>{key.state.label()}</Badge></td>
                    <td class="c-table__actions">{revoke}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table caption="Keys for programs" id="keys">
            <thead>
                <tr>
                    <th scope="col">"Key"</th>
                    <th scope="col">"Permissions"</th>
                    <th scope="col">"Last used"</th>
                    <th scope="col">"Holds until"</th>
                    <th scope="col">"State"</th>
                    <th scope="col"><span class="u-visually-hidden">"Actions"</span></th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </Table>
    }
}

fn url_escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[component]
fn Form(path: String, offered: PermissionSet, first_day: String, flash: Flash) -> impl IntoView {
    let (name, last_day) = (flash.value("name"), flash.value("expires_on"));
    let (name_error, permission_error) = (flash.error("name"), flash.error("permission"));
    let (expires_error, day_error) = (flash.error("expires"), flash.error("expires_on"));
    let chosen = flash.chosen("permission");
    let permissions = offered
        .iter()
        .map(|permission| CheckboxOption {
            value: permission.key().into(),
            label: format!("{}: {}", permission.key(), permission.description()),
            checked: chosen.iter().any(|key| key == permission.key()),
            ..CheckboxOption::default()
        })
        .collect::<Vec<_>>();
    let expires = flash.value("expires").unwrap_or_else(|| SPANS[1].to_string());
    let spans = SPANS
        .into_iter()
        .map(|days| (days.to_string(), format!("{days} days")))
        .chain([("date".to_owned(), "Until the day below".to_owned())])
        .map(|(value, label)| RadioOption { checked: value == expires, value, label, hint: None::<String>.into() })
        .collect::<Vec<_>>();
    view! {
        <Card title="Make a key" text="It acts for you: it never does more than you may at that moment, and ends when you leave.">
            <form class="l-stack" data-gap="4" method="post" action=path autocomplete="off">
                <Field
                    label="Name"
                    name="name"
                    value=name.unwrap_or_default()
                    hint="What uses it, such as “Nightly import”."
                    error=name_error
                    maxlength="80"
                    required=true
                />
                <div class="c-key-permissions">
                    <CheckboxList
                        label="Permissions"
                        name="permission"
                        options=permissions
                        hint="Give it what its program needs and nothing more."
                        error=permission_error
                    />
                </div>
                <RadioGroup label="Holds for" name="expires" options=spans error=expires_error />
                <Field
                    label="Last day"
                    name="expires_on"
                    kind="date"
                    value=last_day.unwrap_or_default()
                    hint="At most a year from today."
                    error=day_error
                    min=first_day
                />
                <div>
                    <Button variant=Variant::Primary>"Make key"</Button>
                </div>
            </form>
        </Card>
    }
}
