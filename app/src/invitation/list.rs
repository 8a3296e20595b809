//! The open invitations, drawn.

use leptos::prelude::*;
use rtv_core::{Error, GivenRole, Permission, Role};
use rtv_domain::format::{Format, ago};
use rtv_domain::mail::Outbox;
use rtv_domain::{Resource, TenantContext, invitation, member};
use rtv_ui::{
    Badge, Button, Card, Crumb, EmptyState, ErrorSummary, Field, IconName, PageHeader, SelectField, Table, Tone,
    Variant,
};

use crate::dashboard::{ChoiceView, select_options};
use crate::page::{Drawn, Framed};
use crate::team::frame::{Counts, Tab, TeamTabs};
use crate::team::present::counts;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitations {
    counts: Counts,
    rows: Vec<Row>,
    email: String,
    roles: Vec<ChoiceView>,
    errors: Vec<(String, String)>,
    /// Whether mail stays in RTV instead of being sent.
    is_caught: bool,
}

/// An open invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    id: String,
    email: String,
    role: String,
    inviter: String,
    sent: String,
    expires: String,
    is_expired: bool,
}

/// The open invitations of a tenant.
pub(super) async fn invitations(ctx: &TenantContext) -> Result<Invitations, Error> {
    let flash = crate::request::current().flash.unwrap_or_default();
    let format = Format::of(ctx.tenant());
    let rows = invitation::list(ctx)
        .await?
        .into_iter()
        .map(|one| Row {
            id: one.id.to_string(),
            email: one.email.to_string(),
            role: one.role_name,
            inviter: one.inviter,
            sent: ago(one.sent_at, ctx.now()),
            expires: format.instant(one.expires_at),
            is_expired: one.is_expired,
        })
        .collect();
    let roster = member::roster_for(ctx, &[Permission::UsersInvite], Resource::Invitations).await?;
    let roles = invitation::roles(ctx.access(), &roster);
    let asked = flash.value("role").and_then(|role| role.parse::<GivenRole>().ok());
    // What most people are invited as, and the least that one can give away by mistake.
    let usual = GivenRole::BuiltIn(Role::Viewer);
    let chosen = roles.iter().map(|role| role.role).find(|role| Some(*role) == asked).unwrap_or(usual);
    Ok(Invitations {
        counts: counts(ctx, &roster),
        rows,
        email: flash.value("email").unwrap_or_default(),
        roles: roles
            .into_iter()
            .map(|role| ChoiceView { value: role.role.to_string(), label: role.name, is_chosen: role.role == chosen })
            .collect(),
        errors: flash.errors,
        is_caught: expect_context::<Outbox>().is_caught(),
    })
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<Invitations>) -> Drawn {
    let Framed { frame, content } = page;
    let Invitations { counts, rows, email, roles, errors, is_caught } = content;
    let path = format!("/t/{}/team/invitations", frame.slug);
    let error = |field: &str| errors.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone());
    let (email_error, role_error) = (error("email"), error("role"));
    let list = if rows.is_empty() {
        view! {
            <EmptyState
                icon=IconName::Team
                title="Nobody is invited"
                text="Invite a colleague with their work address: they get a mail with a link, choose a password, and are in. Until they accept, the invitation stands here and can be sent again or revoked."
            />
        }
        .into_any()
    } else {
        let path = path.clone();
        view! {
            <Card flush=true>
                <InvitationTable rows path />
            </Card>
        }
        .into_any()
    };
    let hint = if is_caught {
        "They get a link that holds for seven days. This server sends no mail: your operator finds it at /staff/mail."
    } else {
        "They get a link that holds for seven days, for this address alone."
    };
    let is_refused = !errors.is_empty();
    let html = view! {
            <ErrorSummary errors />
            <PageHeader title="Team" subtitle="Who is asked to join and has not answered yet." />
            <TeamTabs slug=frame.slug counts current=Tab::Invitations />
            {list}
            <div class="l-grid" data-columns="2">
                <Card title="Invite somebody" text="You can give away what you hold yourself.">
                    <form class="l-stack" data-gap="4" method="post" action=path autocomplete="off">
                        <Field label="Work email" name="email" kind="email" value=email hint error=email_error maxlength="254" required=true />
                        <SelectField label="Role" name="role" options=select_options(roles) error=role_error />
                        <div>
                            <Button variant=Variant::Primary>"Send invitation"</Button>
                        </div>
                    </form>
                </Card>
            </div>
    };
    Drawn::new(vec![Crumb { label: "Invitations".into(), href: None }], is_refused, html)
}

#[component]
fn InvitationTable(rows: Vec<Row>, path: String) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let again = format!("Send again to {}", row.email);
            let revoke = format!("Revoke the invitation of {}", row.email);
            let expired = row.is_expired.then(|| view! { " "<Badge tone=Tone::Warning>"Expired"</Badge> });
            view! {
                <tr data-row=row.id.clone()>
                    <th scope="row" data-label="Address">{row.email}{expired}</th>
                    <td data-label="Role">{row.role}</td>
                    <td data-label="Invited by">{row.inviter}</td>
                    <td data-label="Sent">{row.sent}</td>
                    <td data-label="Link holds until">{row.expires}</td>
                    <td class="c-table__actions">
                        <div class="l-cluster" data-justify="end">
                            <form method="post" action=format!("{path}/{}/resend", row.id)>
                                <Button small=true label=again>"Send again"</Button>
                            </form>
                            <form method="post" action=format!("{path}/{}/revoke", row.id)>
                                <Button small=true label=revoke>"Revoke"</Button>
                            </form>
                        </div>
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table caption="Open invitations" id="invitations">
            <thead>
                <tr>
                    <th scope="col">"Address"</th>
                    <th scope="col">"Role"</th>
                    <th scope="col">"Invited by"</th>
                    <th scope="col">"Sent"</th>
                    <th scope="col">"Link holds until"</th>
                    <th scope="col"><span class="u-visually-hidden">"Actions"</span></th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </Table>
    }
}
