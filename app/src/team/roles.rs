//! `/t/{tenant}/team/roles`: every permission against every role, and the way to make one.

use leptos::prelude::*;
use rtv_ui::{
    Badge, Card, Crumb, LinkButton, Matrix, MatrixCell, MatrixMark, MatrixRow, PageHeader, RowLink, Table, Tone,
    Variant,
};

use crate::page::{Drawn, Framed};
use crate::team::frame::{Counts, Tab, TeamTabs};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    pub(super) counts: Counts,
    pub(super) rows: Vec<RoleRow>,
    pub(super) permissions: Vec<PermissionRow>,
    pub(super) can_create: bool,
}

/// One role in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) users: String,
    pub(super) is_built_in: bool,
    /// Whether nothing can be taken from it, as from owners.
    pub(super) is_whole: bool,
}

/// One permission with which of the roles hold it, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionRow {
    pub(super) key: String,
    pub(super) description: String,
    pub(super) held: Vec<bool>,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<Roles>) -> Drawn {
    let Framed { frame, content } = page;
    let Roles { counts, rows: roles, permissions, can_create } = content;
    let path = format!("/t/{}/team/roles", frame.slug);
    let columns = roles.iter().map(|role| role.name.clone()).collect::<Vec<_>>();
    let whole = roles.iter().map(|role| role.is_whole).collect::<Vec<_>>();
    let matrix = permissions
        .into_iter()
        .map(|permission| MatrixRow {
            label: permission.key,
            detail: permission.description.into(),
            href: None::<String>.into(),
            cells: permission
                .held
                .into_iter()
                .zip(&whole)
                .map(|(is_held, is_whole)| MatrixCell {
                    mark: match (is_held, is_whole) {
                        (true, true) => MatrixMark::Locked,
                        (true, false) => MatrixMark::Yes,
                        (false, _) => MatrixMark::No,
                    },
                    href: None::<String>.into(),
                })
                .collect(),
        })
        .collect::<Vec<_>>();
    let rows = roles
        .into_iter()
        .map(|role| {
            let kind = if role.is_built_in {
                view! { <Badge>"Built in"</Badge> }.into_any()
            } else {
                view! { <Badge tone=Tone::Info>"Custom"</Badge> }.into_any()
            };
            view! {
                <tr data-row=role.id.clone()>
                    <th scope="row">
                        <RowLink href=format!("{path}/{}", role.id)>{role.name}</RowLink>
                        <span class="c-table__detail">{role.description}</span>
                    </th>
                    <td data-label="Kind">{kind}</td>
                    <td data-label="Who has it">{role.users}</td>
                </tr>
            }
        })
        .collect_view();
    let create = can_create.then(|| {
        view! { <LinkButton href=format!("{path}/new") variant=Variant::Primary>"Make a role"</LinkButton> }
    });
    let html = view! {
            <PageHeader
                title="Roles"
                subtitle="What each role holds. Custom roles are any part of what their author holds."
                actions=view! { {create} }.into_any()
            />
            <TeamTabs slug=frame.slug counts current=Tab::Roles />
            <Card flush=true>
                <Table caption="Roles" id="roles">
                    <thead>
                        <tr>
                            <th scope="col">"Role"</th>
                            <th scope="col">"Kind"</th>
                            <th scope="col">"Who has it"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </Table>
            </Card>
            <Card title="Permissions of each role" flush=true>
                <Matrix caption="Permissions of each role" id="matrix" corner="Permission" columns rows=matrix />
            </Card>
    };
    Drawn::new(vec![Crumb { label: "Roles".into(), href: None }], false, html)
}
