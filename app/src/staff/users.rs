//! `/staff/users`: all people, to find one, and the page of one: where they belong, and what can be done for them.

use leptos::prelude::*;
use rtv_core::{Error, UserId};
use rtv_domain::staff::{self, Belonging, OneUser, UserFilter, UserRow};
use rtv_ui::{
    Badge, Button, Card, Definition, DefinitionList, EmptyState, Field, FilterBar, IconName, LinkButton, PageHeader,
    RowLink, Table, Tone, Variant,
};

use super::console::{Page, Section, address, ago, pager, reset, status_badge, time, typed};
use crate::request::Request;

const PATH: &str = "/staff/users";

pub(super) async fn list(request: &Request, query: &[(String, String)]) -> Result<Page, Error> {
    let filter = UserFilter { text: typed(query, "q"), after: typed(query, "after") };
    let listing = staff::users(&request.context, &filter).await?;
    let is_filtered = !filter.text.is_empty();
    let here = |after: &str| address(PATH, &[("q", &filter.text), ("after", after)]);
    let first = (!filter.after.is_empty()).then(|| here(""));
    let next = listing.next.as_deref().map(here);
    let list = if listing.rows.is_empty() {
        view! {
            <EmptyState
                icon=IconName::User
                title="Nobody is called that"
                text="No name and no address has this in it. Look for a part of either."
                action=view! { <LinkButton href=PATH>"Show all users"</LinkButton> }.into_any()
            />
        }
        .into_any()
    } else {
        let summary = match listing.rows.len() {
            1 => "1 user".to_owned(),
            count => format!("{count} users"),
        };
        let rows = listing.rows.into_iter().map(line).collect_view();
        view! {
            <Card flush=true>
                <Table caption="Users" id="users">
                    <thead>
                        <tr>
                            <th scope="col">"Name"</th>
                            <th scope="col">"Second factor"</th>
                            <th scope="col" class="u-number">"Tenants"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </Table>
                {pager(summary, first, next, "Pages of users")}
            </Card>
        }
        .into_any()
    };
    let body = view! {
        <PageHeader title="Users" subtitle="Everybody who can sign in, by address." />
        <form method="get" action=PATH>
            <FilterBar
                label="Find users"
                actions=view! { <Button>"Apply"</Button> {reset(is_filtered, PATH)} }.into_any()
            >
                <Field label="Name or address" name="q" kind="search" value=filter.text.clone() maxlength="120" />
            </FilterBar>
        </form>
        {list}
    };
    Ok(Page { section: Section::Users, crumbs: Vec::new(), body: body.into_any() })
}

fn marks(is_staff: bool, is_disabled: bool) -> AnyView {
    view! {
        {is_staff.then(|| view! { " "<Badge tone=Tone::Warning>"Staff"</Badge> })}
        {is_disabled.then(|| view! { " "<Badge tone=Tone::Danger>"Disabled"</Badge> })}
    }
    .into_any()
}

fn line(row: UserRow) -> impl IntoView {
    view! {
        <tr data-row=row.email.to_string()>
            <th scope="row">
                <RowLink href=format!("{PATH}/{}", row.id)>{row.name}</RowLink>
                {marks(row.is_staff, row.is_disabled)}
                <span class="c-table__detail">{row.email.to_string()}</span>
            </th>
            <td data-label="Second factor">{if row.has_second_factor { "Set up" } else { "None" }}</td>
            <td data-label="Tenants" class="u-number">{row.tenants}</td>
        </tr>
    }
}

pub(super) async fn one(request: &Request, id: &str) -> Result<Page, Error> {
    let ctx = &request.context;
    let id: UserId = id.parse().map_err(|_| Error::NotFound)?;
    let user = staff::user(ctx, id).await?;
    let now = ctx.now();
    let OneUser {
        id,
        name,
        email,
        is_disabled,
        is_staff,
        has_second_factor,
        created_at,
        sessions,
        last_used_at,
        belongings,
    } = user;
    let facts = vec![
        Definition::new("Address", email.as_str()),
        Definition::new("Id", id.to_string()),
        Definition::new("Created", time(created_at)),
        Definition::new("Second factor", if has_second_factor { "Set up" } else { "None" }),
        Definition::new("Sessions", sessions.to_string()),
        Definition::new("Last used", last_used_at.map_or_else(|| "—".into(), time)),
    ];
    let path = format!("{PATH}/{id}");
    let (verb, text, step, variant) = if is_disabled {
        (
            "Enable",
            "They cannot sign in. Enabled, they sign in with the password that they have.",
            "enable",
            Variant::Primary,
        )
    } else {
        ("Disable", "Disabled, they cannot sign in, and their sessions end at once.", "disable", Variant::Danger)
    };
    let access = format!("{path}/{step}");
    let help = (!is_disabled).then(|| {
        view! {
            <div class="l-cluster">
                <form method="post" action=format!("{path}/reset-password")>
                    <Button>"Send a link to a new password"</Button>
                </form>
                <form method="post" action=format!("{path}/end-sessions")>
                    <Button>"End all sessions"</Button>
                </form>
            </div>
        }
    });
    let body = view! {
        <PageHeader title=name.clone() subtitle=email.to_string() />
        {(is_staff || is_disabled).then(|| view! { <p>{marks(is_staff, is_disabled)}</p> })}
        <div class="l-grid" data-columns="2">
            <Card title="Facts">
                <DefinitionList items=facts />
            </Card>
            <Card title="Access" text>
                <div class="l-stack" data-gap="4">
                    {help}
                    <form method="post" action=access>
                        <Button variant>{verb}</Button>
                    </form>
                </div>
            </Card>
        </div>
        {tenants(belongings, now)}
    };
    Ok(Page { section: Section::Users, crumbs: vec![(name, None)], body: body.into_any() })
}

fn tenants(belongings: Vec<Belonging>, now: chrono::DateTime<chrono::Utc>) -> AnyView {
    if belongings.is_empty() {
        return view! {
            <EmptyState
                icon=IconName::Tenant
                title="They belong to no tenant"
                text="Somebody of a tenant invites them, or rtv admin users create adds them to one."
            />
        }
        .into_any();
    }
    let rows = belongings
        .into_iter()
        .map(|one| {
            let slug = one.slug.to_string();
            let (href, key) = (format!("/staff/tenants/{slug}"), slug.clone());
            view! {
                <tr data-row=key>
                    <th scope="row">
                        <RowLink href>{one.name}</RowLink>
                        <span class="c-table__detail">{slug}</span>
                    </th>
                    <td data-label="Role">{one.role}</td>
                    <td data-label="Status">{status_badge(one.status)}</td>
                    <td data-label="Last seen" class="u-nowrap">{ago(one.last_seen_at, now)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card title="Tenants" flush=true>
            <Table caption="Tenants of this user" id="belongings">
                <thead>
                    <tr>
                        <th scope="col">"Tenant"</th>
                        <th scope="col">"Role"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Last seen"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        </Card>
    }
    .into_any()
}
