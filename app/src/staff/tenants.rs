//! `/staff/tenants`: all tenants, to find one and go on to it, and the form for a new one.

use leptos::prelude::*;
use rtv_core::{Error, Plan, TenantStatus};
use rtv_domain::staff::{self, TenantFilter, TenantRow};
use rtv_ui::{
    Badge, Button, Card, EmptyState, Field, FilterBar, IconName, LinkButton, Notice, PageHeader, RowLink, SelectField,
    SelectOption, Table, Tone, Variant,
};

use super::console::{Page, Section, address, ago, pager, reset, status_badge, time, typed};
use crate::request::Request;

const PATH: &str = "/staff/tenants";

pub(super) async fn list(request: &Request, query: &[(String, String)]) -> Result<Page, Error> {
    let ctx = &request.context;
    let filter = TenantFilter {
        text: typed(query, "q"),
        status: typed(query, "status"),
        plan: typed(query, "plan"),
        after: typed(query, "after"),
    };
    let counts = staff::counts(ctx).await?;
    let (listing, refused) = match staff::tenants(ctx, &filter).await {
        Ok(listing) => (listing, None),
        Err(Error::Invalid(errors)) => {
            crate::request::set_status(422);
            let words: Vec<String> =
                errors.into_iter().map(|error| format!("{}: {}", error.field, error.message)).collect();
            (staff::Listing { rows: Vec::new(), next: None }, Some(words.join(" ")))
        }
        Err(error) => return Err(error),
    };
    let is_filtered = [&filter.text, &filter.status, &filter.plan].iter().any(|text| !text.is_empty());
    let here = |after: &str| {
        address(PATH, &[("q", &filter.text), ("status", &filter.status), ("plan", &filter.plan), ("after", after)])
    };
    let first = (!filter.after.is_empty()).then(|| here(""));
    let next = listing.next.as_deref().map(here);
    let shown = listing.rows.len();
    let now = ctx.now();
    let body = if let Some(refused) = refused {
        view! { <Notice tone=Tone::Danger>{refused}</Notice> }.into_any()
    } else if shown == 0 {
        empty(is_filtered || first.is_some())
    } else {
        let rows = listing.rows.into_iter().map(|row| line(row, now)).collect_view();
        let summary = format!("{shown} of {} tenants", counts.tenants);
        view! {
            <Card flush=true>
                <Table caption="Tenants" id="tenants">
                    <thead>
                        <tr>
                            <th scope="col">"Tenant"</th>
                            <th scope="col">"Status"</th>
                            <th scope="col">"Plan"</th>
                            <th scope="col" class="u-number">"Members"</th>
                            <th scope="col">"Last activity"</th>
                            <th scope="col">"Created"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </Table>
                {pager(summary, first, next, "Pages of tenants")}
            </Card>
        }
        .into_any()
    };
    let subtitle = format!(
        "{} in all; in {} somebody was there within a day; {} suspended.",
        counts.tenants, counts.lively, counts.suspended
    );
    let body = view! {
        <PageHeader
            title="Tenants"
            subtitle
            actions=view! { <LinkButton href="#create" icon=IconName::New external=true>"Create a tenant"</LinkButton> }.into_any()
        />
        <form method="get" action=PATH>
            <FilterBar
                label="Find tenants"
                actions=view! { <Button>"Apply"</Button> {reset(is_filtered, PATH)} }.into_any()
            >
                <Field label="Name or slug" name="q" kind="search" value=filter.text.clone() maxlength="120" />
                <SelectField label="Status" name="status" options=options(TenantStatus::ALL.iter().map(|one| (one.key(), one.label())), &filter.status) />
                <SelectField label="Plan" name="plan" options=options(Plan::ALL.iter().map(|one| (one.key(), one.label())), &filter.plan) />
            </FilterBar>
        </form>
        {body}
        {create(request)}
    };
    Ok(Page { section: Section::Tenants, crumbs: Vec::new(), body: body.into_any() })
}

/// The choices of a filter, that for all of them first.
fn options<'a>(known: impl Iterator<Item = (&'a str, &'a str)>, chosen: &str) -> Vec<SelectOption> {
    core::iter::once(("", "All"))
        .chain(known)
        .map(|(value, label)| SelectOption { value: value.into(), label: label.into(), selected: value == chosen })
        .collect()
}

fn empty(is_filtered: bool) -> AnyView {
    if is_filtered {
        let action = view! { <LinkButton href=PATH>"Show all tenants"</LinkButton> }.into_any();
        view! {
            <EmptyState
                icon=IconName::Tenant
                title="No tenant is like that"
                text="None has this name or slug with this status and plan. Look for a part of the name, or leave a filter open."
                action
            />
        }
        .into_any()
    } else {
        view! {
            <EmptyState
                icon=IconName::Tenant
                title="There is no tenant yet"
                text="A tenant is an organisation with people, accounts and posts of its own. Create the first one below; its owner is added with rtv admin users create."
            />
        }
        .into_any()
    }
}

fn line(row: TenantRow, now: chrono::DateTime<chrono::Utc>) -> impl IntoView {
    let slug = row.slug.to_string();
    let (href, key) = (format!("{PATH}/{slug}"), slug.clone());
    let house = row.is_house.then(|| view! { " "<Badge tone=Tone::Info>"House"</Badge> });
    let sandbox = row.is_sandbox.then(|| view! { " "<Badge tone=Tone::Info>"Sandbox"</Badge> });
    view! {
        <tr data-row=key>
            <th scope="row">
                <RowLink href>{row.name}</RowLink>
                {house}
                {sandbox}
                <span class="c-table__detail">{slug}</span>
            </th>
            <td data-label="Status">{status_badge(row.status)}</td>
            <td data-label="Plan">{row.plan.label()}</td>
            <td data-label="Members" class="u-number">{row.members}</td>
            <td data-label="Last activity" class="u-nowrap">{ago(row.last_seen_at, now)}</td>
            <td data-label="Created" class="u-nowrap"><span title=time(row.created_at)>{row.created_at.format("%Y-%m-%d").to_string()}</span></td>
        </tr>
    }
}

fn create(request: &Request) -> AnyView {
    let flash = request.flash.clone().unwrap_or_default();
    let plan = flash.value("plan").unwrap_or_else(|| Plan::Free.key().into());
    let plans: Vec<SelectOption> = Plan::ALL
        .iter()
        .map(|one| SelectOption { value: one.key().into(), label: one.label().into(), selected: one.key() == plan })
        .collect();
    let field = |label: &'static str, name: &'static str, or: &str, hint: &'static str, maxlength: &'static str| {
        let value = flash.value(name).filter(|text| !text.is_empty()).unwrap_or_else(|| or.to_owned());
        let (error, required) = (flash.error(name), or.is_empty());
        view! { <Field label name hint value error maxlength required /> }
    };
    let fields = view! {
        {field("Name", "name", "", "For people.", "120")}
        {field("Slug", "slug", "", "In addresses: lower-case letters, digits and hyphens.", "60")}
        {field("Time zone", "zone", "UTC", "IANA, like Europe/Berlin.", "60")}
        {field("Locale", "locale", "en-US", "For numbers and dates, like en-US.", "20")}
        {field("Currency", "currency", "USD", "ISO 4217, like EUR.", "3")}
        <SelectField label="Plan" name="plan" options=plans error=flash.error("plan") />
    }
    .into_any();
    view! {
        <div id="create">
            <Card title="Create a tenant" text="It is in use at once. Add its owner next; they invite everybody else.">
                <form class="l-stack" data-gap="4" method="post" action=PATH autocomplete="off">
                    <div class="l-grid" data-columns="2">{fields}</div>
                    <div>
                        <Button variant=Variant::Primary>"Create tenant"</Button>
                    </div>
                </form>
            </Card>
        </div>
    }
    .into_any()
}
