//! `/t/{tenant}/team/teams`: the teams, and the form that makes one.

use leptos::prelude::*;
use rtv_ui::{
    Button, Card, Crumb, EmptyState, ErrorSummary, Field, IconName, PageHeader, RowLink, Table, TextArea, Variant,
};

use crate::page::{Drawn, Framed};
use crate::team::frame::{Counts, Tab, TeamTabs};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Teams {
    pub(super) counts: Counts,
    pub(super) rows: Vec<TeamRow>,
    /// What was typed, where the actor may make a team: name and description.
    pub(super) form: Option<(String, String)>,
}

/// One team in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) members: String,
    pub(super) responsible: String,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<Teams>) -> Drawn {
    let Framed { frame, content } = page;
    let Teams { counts, rows, form } = content;
    let path = format!("/t/{}/team/teams", frame.slug);
    let flash = frame.flash.clone().unwrap_or_default();
    let is_refused = !flash.errors.is_empty();
    let (name_error, description_error) = (flash.error("name"), flash.error("description"));
    let list = if rows.is_empty() {
        let text = if form.is_some() {
            "A team is a group of members that is responsible for some accounts and campaigns. What its members may do can be limited to these. Make the first one below."
        } else {
            "A team is a group of members that is responsible for some accounts and campaigns. Whoever holds “teams:manage” can make one."
        };
        view! { <EmptyState icon=IconName::Team title="There are no teams yet" text /> }.into_any()
    } else {
        let rows = rows
            .into_iter()
            .map(|row| {
                view! {
                    <tr data-row=row.id.clone()>
                        <th scope="row">
                            <RowLink href=format!("{path}/{}", row.id)>{row.name}</RowLink>
                            <span class="c-table__detail">{row.description}</span>
                        </th>
                        <td data-label="Members">{row.members}</td>
                        <td data-label="Responsible for">{row.responsible}</td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <Card flush=true>
                <Table caption="Teams" id="teams">
                    <thead>
                        <tr>
                            <th scope="col">"Name"</th>
                            <th scope="col">"Members"</th>
                            <th scope="col">"Responsible for"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </Table>
            </Card>
        }
        .into_any()
    };
    let form = form.map(|(name, description)| {
        view! {
            <Card title="Make a team">
                <form class="l-stack" data-gap="4" method="post" action=path.clone() autocomplete="off">
                    <Field label="Name" name="name" value=name error=name_error maxlength="80" required=true />
                    <TextArea
                        label="What it is for"
                        name="description"
                        value=description
                        error=description_error
                        rows=2
                        maxlength="500"
                    />
                    <div>
                        <Button variant=Variant::Primary>"Make team"</Button>
                    </div>
                </form>
            </Card>
        }
    });
    let html = view! {
            <ErrorSummary errors=flash.errors />
            <PageHeader title="Teams" subtitle="Groups of members, and the accounts and campaigns that they are responsible for." />
            <TeamTabs slug=frame.slug counts current=Tab::Teams />
            {list}
            {form}
    };
    Drawn::new(vec![Crumb { label: "Teams".into(), href: None }], is_refused, html)
}
