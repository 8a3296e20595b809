//! `/t/{tenant}/team`: the members, to find one and go on to what they hold.

use leptos::prelude::*;
use rtv_ui::{
    Badge, Button, Card, EmptyState, Field, FilterBar, IconName, LinkButton, PageHeader, Pager, RowLink, SelectField,
    Table, Tone,
};

use crate::dashboard::{ChoiceView, select_options};
use crate::page::{Drawn, Framed};
use crate::team::frame::{Counts, Tab, TeamTabs};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members {
    pub(super) counts: Counts,
    pub(super) rows: Vec<MemberRow>,
    /// What was typed to find somebody.
    pub(super) typed: String,
    pub(super) roles: Vec<ChoiceView>,
    pub(super) is_filtered: bool,
    pub(super) summary: String,
    pub(super) newer: Option<String>,
    pub(super) older: Option<String>,
}

/// One member in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) role: String,
    /// What is held beside the role, in a few words.
    pub(super) extra: Option<String>,
    pub(super) teams: String,
    pub(super) last_seen: String,
    /// The exact time.
    pub(super) last_seen_at: Option<String>,
    pub(super) is_you: bool,
    pub(super) is_disabled: bool,
    pub(super) has_second_factor: bool,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<Members>) -> Drawn {
    let Framed { frame, content } = page;
    let Members { counts, rows, typed, roles, is_filtered, summary, newer, older } = content;
    let path = format!("/t/{}/team", frame.slug);
    let reset = is_filtered.then(|| view! { <LinkButton href=path.clone()>"Reset"</LinkButton> });
    let list = if rows.is_empty() {
        view! {
            <EmptyState
                icon=IconName::Team
                title="Nobody is like that"
                text="No member has this name or address and this role. Look for a part of the name, or leave the role open."
                action=view! { <LinkButton href=path.clone()>"Show all members"</LinkButton> }.into_any()
            />
        }
        .into_any()
    } else {
        let base = path.clone();
        view! {
            <Card flush=true>
                <MemberTable rows base />
                <Pager summary newer older label="Pages of members" newer_label="Previous" older_label="Next" />
            </Card>
        }
        .into_any()
    };
    let html = view! {
            <PageHeader title="Team" subtitle="Who belongs to this organisation, and what they may do." />
            <TeamTabs slug=frame.slug counts current=Tab::Members />
            <form method="get" action=path>
                <FilterBar
                    label="Find members"
                    actions=view! { <Button>"Apply"</Button> {reset} }.into_any()
                >
                    <Field label="Name or address" name="q" kind="search" value=typed maxlength="120" />
                    <SelectField label="Role" name="role" options=select_options(roles) />
                </FilterBar>
            </form>
            {list}
    };
    Drawn::new(Vec::new(), false, html)
}

#[component]
fn MemberTable(rows: Vec<MemberRow>, base: String) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let href = format!("{base}/members/{}", row.id);
            let role = row.role.clone();
            view! {
                <tr data-row=row.id>
                    <th scope="row">
                        <RowLink href>{row.name}</RowLink>
                        " "
                        {row.is_you.then(|| view! { <Badge tone=Tone::Info>"You"</Badge> })}
                        {row.is_disabled.then(|| view! { <Badge tone=Tone::Danger>"Disabled"</Badge> })}
                        <span class="c-table__detail">{row.email}</span>
                    </th>
                    <td data-label="Role" data-role=role>
                        {row.role}
                        {row.extra.map(|extra| view! { <span class="c-table__detail">{extra}</span> })}
                    </td>
                    <td data-label="Teams">{row.teams}</td>
                    <td data-label="Second factor" data-second-factor=row.has_second_factor.to_string()>
                        {if row.has_second_factor { "On" } else { "Off" }}
                    </td>
                    <td data-label="Last seen" class="u-nowrap"><span title=row.last_seen_at>{row.last_seen}</span></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table caption="Members" id="members">
            <thead>
                <tr>
                    <th scope="col">"Name"</th>
                    <th scope="col">"Role"</th>
                    <th scope="col">"Teams"</th>
                    <th scope="col">"Second factor"</th>
                    <th scope="col">"Last seen"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </Table>
    }
}
