//! `/staff/tenants/{tenant}`: what a tenant is, where it stands in its life and what can be done about that, who belongs to it, and
//! who of the operator looked at it. `…/visit` is where a look at its pages begins.

use leptos::prelude::*;
use rtv_core::{Error, Limit, Plan, TenantStatus};
use rtv_domain::format::Format;
use rtv_domain::life_cycle::Step;
use rtv_domain::staff::{self, Member, OneTenant};
use rtv_domain::visit::Listed;
use rtv_ui::{
    Badge, Button, Card, Definition, DefinitionList, EmptyState, Field, IconName, LinkButton, Notice, PageHeader,
    RowLink, SelectField, SelectOption, Table, Tone, Variant,
};

use super::console::{Page, Section, ago, status_badge, time};
use crate::limit::LimitTable;
use crate::request::Request;

pub(super) async fn one(request: &Request, slug: &str) -> Result<Page, Error> {
    let one = staff::tenant(&request.context, slug).await?;
    let path = format!("/staff/tenants/{}", one.tenant.slug);
    let standings = rtv_domain::limit::of_tenant(&request.context, &one.tenant.slug).await?;
    let reports = rtv_domain::report::copyable(&request.context, &one.tenant.slug).await?;
    let format = Format::of(&one.tenant);
    let OneTenant { tenant, version, created_at, status_changed, members, visits } = one;
    let facts = vec![
        Definition::new("Slug", tenant.slug.as_str()),
        Definition::new("Id", tenant.id.to_string()),
        Definition::new("Created", time(created_at)),
        Definition::new("Time zone", tenant.zone.name()),
        Definition::new("Locale", tenant.locale.clone()),
        Definition::new("Currency", tenant.currency.clone()),
        Definition::new("Second factor", if tenant.mfa_required { "Required of every member" } else { "Not required" }),
        Definition::new("Sends to", if tenant.is_sandbox { "The sandbox network alone" } else { "Real networks" }),
        Definition::new("Sample data", if tenant.has_sample_data { "Yes" } else { "No" }),
    ];
    let house = tenant.is_house.then(|| view! { " "<Badge tone=Tone::Info>"House tenant"</Badge> });
    let sandbox = tenant.is_sandbox.then(|| view! { " "<Badge tone=Tone::Info>"Sandbox"</Badge> });
    let actions = view! {
        <LinkButton href=format!("{path}/visit") icon=IconName::Search>"Visit"</LinkButton>
    };
    let now = request.context.now();
    let body = view! {
        <PageHeader title=tenant.name.clone() subtitle=format!("{} plan, {}", tenant.plan.label(), tenant.slug) actions=actions.into_any() />
        <p>{status_badge(tenant.status)}{house}{sandbox}</p>
        <div class="l-grid" data-columns="2">
            <div class="l-stack" data-gap="5">
                {status(request, &tenant, version, status_changed, &path)}
                {plan(request, tenant.plan, version, &path)}
            </div>
            <Card title="Facts">
                <DefinitionList items=facts />
            </Card>
        </div>
        <Card title="Limits" flush=true>
            <LimitTable standings format />
        </Card>
        {limit(request, version, &path)}
        {copy_report(request, reports, &path)}
        {people(members, now)}
        {visited(visits, now)}
    };
    Ok(Page { section: Section::Tenants, crumbs: vec![(tenant.name, None)], body: body.into_any() })
}

/// The steps that can be taken now, in one form: each needs the same reason.
fn status(
    request: &Request,
    tenant: &rtv_domain::Tenant,
    version: i64,
    changed: Option<(chrono::DateTime<chrono::Utc>, String)>,
    path: &str,
) -> AnyView {
    let flash = request.flash.clone().unwrap_or_default();
    let text = match tenant.status {
        TenantStatus::Pending | TenantStatus::Active => {
            "Its people work in it. Suspended or cancelled it can still be read and exported, and nothing in it changes."
        }
        TenantStatus::Suspended => "Its people can read and export everything, and change nothing.",
        TenantStatus::Cancelled => "It has ended. Its people can read and export everything, and change nothing.",
    };
    let action = format!("{path}/status");
    let (reason, refused) = (flash.value("reason"), flash.error("reason"));
    let changed = changed.map(|(at, by)| {
        let reason = tenant.status_reason.clone().map(|reason| view! { <p><strong>{reason}</strong></p> });
        view! {
            {reason}
            <p class="u-muted u-small">{format!("{} since {} by {by}.", tenant.status.label(), time(at))}</p>
        }
    });
    let buttons = Step::ALL
        .into_iter()
        .filter(|step| step.is_possible(tenant.status))
        .map(|step| {
            let (word, variant) = match step {
                Step::Suspend => ("Suspend", Variant::Danger),
                Step::Resume => ("Resume", Variant::Primary),
                Step::Cancel => ("Cancel tenant", Variant::Danger),
            };
            view! { <Button name="step" value=step.key() variant>{word}</Button> }
        })
        .collect_view();
    view! {
        <Card title="Life cycle" text>
            <div class="l-stack" data-gap="3">
                {changed}
                <form class="l-stack" data-gap="4" method="post" action=action autocomplete="off">
                    <input type="hidden" name="version" value=version.to_string() />
                    <Field
                        label="Reason"
                        name="reason"
                        hint="The tenant’s people read it."
                        value=reason
                        error=refused
                        maxlength="500"
                        required=true
                    />
                    <div class="l-cluster">{buttons}</div>
                </form>
            </div>
        </Card>
    }
    .into_any()
}

fn plan(request: &Request, now: Plan, version: i64, path: &str) -> AnyView {
    let flash = request.flash.clone().unwrap_or_default();
    let options = Plan::ALL
        .iter()
        .map(|one| SelectOption { value: one.key().into(), label: one.label().into(), selected: *one == now })
        .collect::<Vec<_>>();
    let (action, error) = (format!("{path}/plan"), flash.error("plan"));
    view! {
        <Card title="Plan" text="Limits hang on it.">
            <form class="l-stack" data-gap="4" method="post" action=action autocomplete="off">
                <input type="hidden" name="version" value=version.to_string() />
                <SelectField label="Plan" name="plan" options error />
                <div>
                    <Button>"Save plan"</Button>
                </div>
            </form>
        </Card>
    }
    .into_any()
}

fn limit(request: &Request, version: i64, path: &str) -> AnyView {
    let flash = request.flash.clone().unwrap_or_default();
    let asked = flash.value("limit").unwrap_or_default();
    let options = Limit::ALL
        .iter()
        .map(|one| SelectOption { value: one.key().into(), label: one.label().into(), selected: one.key() == asked })
        .collect::<Vec<_>>();
    let (action, error, value_error) = (format!("{path}/limits"), flash.error("limit"), flash.error("value"));
    let value = flash.value("value").unwrap_or_default();
    view! {
        <Card title="Allow something else" text="What is set here holds whatever the plan says. A tenant that is over a limit is read and not changed.">
            <form class="l-stack" data-gap="4" method="post" action=action autocomplete="off">
                <input type="hidden" name="version" value=version.to_string() />
                <SelectField label="Limit" name="limit" options error />
                <Field label="At most" name="value" value hint="Storage in GB. Empty: as the plan says." error=value_error inputmode="numeric" maxlength="13" />
                <div>
                    <Button>"Save limit"</Button>
                </div>
            </form>
        </Card>
    }
    .into_any()
}

fn copy_report(request: &Request, reports: Vec<(rtv_core::ReportId, String)>, path: &str) -> AnyView {
    if reports.is_empty() {
        return ().into_any();
    }
    let flash = request.flash.clone().unwrap_or_default();
    let asked = flash.value("report").unwrap_or_default();
    let options = reports
        .into_iter()
        .map(|(id, label)| SelectOption { selected: id.to_string() == asked, value: id.to_string(), label })
        .collect::<Vec<_>>();
    let (action, report_error, to_error) = (format!("{path}/copy-report"), flash.error("report"), flash.error("to"));
    let to = flash.value("to").unwrap_or_default();
    view! {
        <Card title="Copy a report to another tenant" text="What it is built of goes along, and no figure. Accounts, campaigns and teams that it is limited to stay behind.">
            <form class="l-stack" data-gap="4" method="post" action=action autocomplete="off">
                <SelectField label="Report" name="report" options error=report_error />
                <Field label="To" name="to" value=to error=to_error hint="The name in the tenant’s address." maxlength="40" required=true />
                <div>
                    <Button>"Copy report"</Button>
                </div>
            </form>
        </Card>
    }
    .into_any()
}

fn people(members: Vec<Member>, now: chrono::DateTime<chrono::Utc>) -> AnyView {
    if members.is_empty() {
        return view! {
            <EmptyState
                icon=IconName::Team
                title="Nobody belongs to it"
                text="Add its owner with rtv admin users create --tenant … --role owner; they invite everybody else."
            />
        }
        .into_any();
    }
    let rows = members
        .into_iter()
        .map(|member| {
            let disabled = member.is_disabled.then(|| view! { " "<Badge tone=Tone::Danger>"Disabled"</Badge> });
            view! {
                <tr data-row=member.email.to_string()>
                    <th scope="row">
                        <RowLink href=format!("/staff/users/{}", member.id)>{member.name}</RowLink>
                        {disabled}
                        <span class="c-table__detail">{member.email.to_string()}</span>
                    </th>
                    <td data-label="Role">{member.role}</td>
                    <td data-label="Last seen" class="u-nowrap">{ago(member.last_seen_at, now)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card title="People" flush=true>
            <Table caption="People" id="people">
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"Role"</th>
                        <th scope="col">"Last seen"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        </Card>
    }
    .into_any()
}

fn visited(visits: Vec<Listed>, now: chrono::DateTime<chrono::Utc>) -> AnyView {
    if visits.is_empty() {
        return view! {
            <Card title="Visits of staff">
                <p class="u-muted">"Nobody of the operator has looked at its pages. A visit needs a reason and stands in the tenant’s audit log."</p>
            </Card>
        }
        .into_any();
    }
    let rows = visits
        .into_iter()
        .map(|visit| {
            let end = match visit.ended_at {
                Some(at) => view! { {time(at)} }.into_any(),
                None => view! { <Badge tone=Tone::Info>"Goes on"</Badge> }.into_any(),
            };
            view! {
                <tr data-row=visit.id.to_string()>
                    <th scope="row">{visit.visitor}</th>
                    <td data-label="Reason">{visit.reason}</td>
                    <td data-label="Began" class="u-nowrap">{ago(Some(visit.began_at), now)}</td>
                    <td data-label="Ended" class="u-nowrap">{end}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card title="Newest visits of staff" flush=true>
            <Table caption="Visits of staff" id="visits">
                <thead>
                    <tr>
                        <th scope="col">"Visitor"</th>
                        <th scope="col">"Reason"</th>
                        <th scope="col">"Began"</th>
                        <th scope="col">"Ended"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        </Card>
    }
    .into_any()
}

/// Where a visit begins, and where one that goes on is found again.
pub(super) async fn visit(request: &Request, slug: &str) -> Result<Page, Error> {
    let one = staff::tenant(&request.context, slug).await?;
    let tenant = one.tenant;
    let path = format!("/staff/tenants/{}", tenant.slug);
    let flash = request.flash.clone().unwrap_or_default();
    let open = one.visits.into_iter().find(|visit| visit.is_own && visit.ended_at.is_none()).map(|visit| {
        let action = view! {
            <div class="l-cluster">
                <LinkButton href=format!("/t/{}/dashboard", tenant.slug) small=true>"Open its pages"</LinkButton>
                <form method="post" action=format!("/staff/visits/{}/end", visit.id)>
                    <Button small=true>"End visit"</Button>
                </form>
            </div>
        }
        .into_any();
        view! {
            <Notice tone=Tone::Info action=Some(action)>
                {format!("Your visit goes on until {}: {}", time(visit.ends_at), visit.reason)}
            </Notice>
        }
    });
    let (action, back) = (format!("{path}/visit"), path.clone());
    let (reason, refused) = (flash.value("reason"), flash.error("reason"));
    let body = view! {
        <PageHeader
            title=format!("Visit {}", tenant.name)
            subtitle="Look at the tenant’s pages as they are, for an hour at most."
        />
        {open}
        <Card
            title="Why do you look?"
            text="You can read and change nothing, and take no files out. The tenant reads in its audit log who looked, why and when."
        >
            <form class="l-stack" data-gap="4" method="post" action=action autocomplete="off">
                <Field
                    label="Reason"
                    name="reason"
                    hint="In words that the tenant understands, like: Ticket 4711, figures of October are missing."
                    value=reason
                    error=refused
                    maxlength="500"
                    required=true
                />
                <div class="l-cluster">
                    <Button variant=Variant::Primary>"Begin visit"</Button>
                    <LinkButton href=back variant=Variant::Quiet>"Back"</LinkButton>
                </div>
            </form>
        </Card>
    };
    let crumbs = vec![(tenant.name.clone(), Some(path)), ("Visit".into(), None)];
    Ok(Page { section: Section::Tenants, crumbs, body: body.into_any() })
}
