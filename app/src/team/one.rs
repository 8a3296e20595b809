//! `/t/{tenant}/team/teams/{team}`: one team, its members and what they may do in it, what it is responsible for, and what its
//! link to the dashboard begins with.

use leptos::prelude::*;
use rtv_ui::{
    Button, Card, CheckboxList, Crumb, Disclosure, EmptyState, ErrorSummary, Field, IconName, LinkButton, PageHeader,
    SelectField, Table, TextArea, Variant,
};

use crate::dashboard::{ChoiceView, select_options};
use crate::page::{Drawn, Framed};
use crate::team::frame::StaleNotice;
use crate::team::member::boxes;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamView {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) members: Vec<PlaceRow>,
    /// Names of the accounts and campaigns that it is responsible for.
    pub(super) responsible: Vec<String>,
    pub(super) dashboard: String,
    pub(super) version: String,
    pub(super) is_stale: bool,
    /// The forms, where the actor may change teams.
    pub(super) forms: Option<Box<TeamForms>>,
}

/// One member of the team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) role: String,
    pub(super) extra: String,
    pub(super) told: String,
}

/// What the forms hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamForms {
    pub(super) people: Vec<ChoiceView>,
    pub(super) roles: Vec<ChoiceView>,
    pub(super) permissions: Vec<ChoiceView>,
    /// Whether somebody's place is being changed, and nobody is put in.
    pub(super) is_change: bool,
    pub(super) resources: Vec<ChoiceView>,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) ranges: Vec<ChoiceView>,
    pub(super) platforms: Vec<ChoiceView>,
    pub(super) zones: Vec<ChoiceView>,
    /// Kinds of news that a member can be told of.
    pub(super) news: Vec<ChoiceView>,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<TeamView>) -> Drawn {
    let Framed { frame, content } = page;
    let teams = format!("/t/{}/team/teams", frame.slug);
    let path = format!("{teams}/{}", content.id);
    let flash = frame.flash.clone().unwrap_or_default();
    let is_refused = !flash.errors.is_empty();
    let crumbs =
        vec![Crumb { label: "Teams".into(), href: Some(teams) }, Crumb { label: content.name.clone(), href: None }];
    let can_change = content.forms.is_some();
    let version = content.version;
    let members = if content.members.is_empty() {
        view! {
            <EmptyState
                icon=IconName::Team
                title="Nobody is in this team yet"
                text="Being in a team gives what its role and extra permissions say, for the team’s accounts and campaigns alone."
            />
        }
        .into_any()
    } else {
        let (path, version) = (path.clone(), version.clone());
        view! {
            <Card title="Members" flush=true>
                <PlaceTable rows=content.members path version can_change />
            </Card>
        }
        .into_any()
    };
    let responsible = content.responsible.into_iter().map(|name| view! { <li>{name}</li> }).collect_view();
    let delete = can_change.then(|| view! { <LinkButton href=format!("{path}/delete")>"Remove team…"</LinkButton> });
    let stale = content.is_stale.then(|| view! { <StaleNotice href=path.clone() /> });
    let forms = match content.forms {
        Some(forms) => view! { <Forms forms=*forms errors=flash.errors.clone() path version /> }.into_any(),
        None => view! {
            <Card title="Responsible for">
                <ul class="c-team-list">{responsible}</ul>
            </Card>
        }
        .into_any(),
    };
    let html = view! {
            <ErrorSummary errors=flash.errors />
            <PageHeader
                title=content.name
                subtitle=content.description
                actions=view! {
                    <LinkButton href=content.dashboard icon=IconName::Dashboard>"Dashboard of this team"</LinkButton>
                    {delete}
                }.into_any()
            />
            {stale}
            {members}
            {forms}
    };
    Drawn::new(crumbs, is_refused, html)
}

#[component]
fn PlaceTable(rows: Vec<PlaceRow>, path: String, version: String, can_change: bool) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let action = can_change.then(|| {
                let change = format!("{path}?person={}#field-person", row.id);
                view! {
                    <td class="c-table__actions">
                        <form method="post" action=format!("{path}/members/{}/remove", row.id) class="l-cluster" data-justify="end">
                            <LinkButton href=change small=true label=format!("Change what {} has", row.name)>"Change"</LinkButton>
                            <input type="hidden" name="version" value=version.clone() />
                            <Button small=true label=format!("Remove {} from the team", row.name)>"Remove"</Button>
                        </form>
                    </td>
                }
            });
            view! {
                <tr data-row=row.id.clone()>
                    <th scope="row">
                        {row.name.clone()}
                        <span class="c-table__detail">{row.email}</span>
                    </th>
                    <td data-label="Role in the team">{row.role}</td>
                    <td data-label="Extra permissions">{row.extra}</td>
                    <td data-label="Told by mail of">{row.told}</td>
                    {action}
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table caption="Members of the team" id="places">
            <thead>
                <tr>
                    <th scope="col">"Name"</th>
                    <th scope="col">"Role in the team"</th>
                    <th scope="col">"Extra permissions"</th>
                    <th scope="col">"Told by mail of"</th>
                    {can_change.then(|| view! { <th scope="col"><span class="u-visually-hidden">"Actions"</span></th> })}
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </Table>
    }
}

/// The part of a flash that belongs to one field.
fn error_of(errors: &[(String, String)], field: &str) -> Option<String> {
    errors.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone())
}

#[component]
fn Forms(forms: TeamForms, errors: Vec<(String, String)>, path: String, version: String) -> impl IntoView {
    let TeamForms {
        people,
        roles,
        permissions,
        is_change,
        resources,
        name,
        description,
        ranges,
        platforms,
        zones,
        news,
    } = forms;
    view! {
        <div class="l-grid" data-columns="2">
            <PlaceForm
                people
                roles
                permissions
                news
                is_change
                errors=errors.clone()
                action=format!("{path}/members")
                version=version.clone()
            />
            <ResourceForm
                resources
                error=error_of(&errors, "resource")
                action=format!("{path}/resources")
                version=version.clone()
            />
            <SettingsForm name description ranges platforms zones errors action=path version />
        </div>
    }
}

#[component]
fn PlaceForm(
    people: Vec<ChoiceView>,
    roles: Vec<ChoiceView>,
    permissions: Vec<ChoiceView>,
    news: Vec<ChoiceView>,
    is_change: bool,
    errors: Vec<(String, String)>,
    action: String,
    version: String,
) -> impl IntoView {
    let error = |field: &str| error_of(&errors, field);
    let (person_error, role_error, permission_error) = (error("person"), error("role"), error("permission"));
    let news_error = error("news");
    let open = permissions.iter().any(|one| one.is_chosen) || permission_error.is_some();
    let title = if is_change { "Change a member’s place" } else { "Put a member in" };
    let button = if is_change { "Save" } else { "Put in" };
    view! {
        <Card title text="What is given here holds for the accounts and campaigns of this team, beside what the member holds everywhere.">
            <form class="l-stack" data-gap="4" method="post" action=action autocomplete="off">
                <input type="hidden" name="version" value=version />
                <SelectField label="Member" name="person" options=select_options(people) error=person_error />
                <SelectField label="Role in the team" name="role" options=select_options(roles) error=role_error />
                <Disclosure summary="Extra permissions in the team" open>
                    <CheckboxList
                        label="Held beside that role"
                        name="permission"
                        options=boxes(permissions)
                        error=permission_error
                    />
                </Disclosure>
                <CheckboxList
                    label="Told by mail when"
                    name="news"
                    options=boxes(news)
                    hint="Mails name people, files and counts, and no figures. Nobody is told of what they did themself."
                    error=news_error
                />
                <div>
                    <Button variant=Variant::Primary>{button}</Button>
                </div>
            </form>
        </Card>
    }
}

#[component]
fn ResourceForm(resources: Vec<ChoiceView>, error: Option<String>, action: String, version: String) -> impl IntoView {
    let body = if resources.is_empty() {
        view! { <p class="u-muted">"Accounts and campaigns come with the first import; then they can be chosen here."</p> }
            .into_any()
    } else {
        view! {
            <form class="l-stack" data-gap="4" method="post" action=action autocomplete="off">
                <input type="hidden" name="version" value=version />
                <CheckboxList label="Accounts and campaigns" name="resource" options=boxes(resources) error />
                <div>
                    <Button>"Save what it is responsible for"</Button>
                </div>
            </form>
        }
        .into_any()
    };
    view! {
        <Card title="Responsible for" text="Who holds something through this team alone holds it for these, and sees nothing else.">
            {body}
        </Card>
    }
}

#[component]
fn SettingsForm(
    name: String,
    description: String,
    ranges: Vec<ChoiceView>,
    platforms: Vec<ChoiceView>,
    zones: Vec<ChoiceView>,
    errors: Vec<(String, String)>,
    action: String,
    version: String,
) -> impl IntoView {
    let error = |field: &str| error_of(&errors, field);
    let zone_error = error("zone");
    let (name_error, description_error) = (error("name"), error("description"));
    let (range_error, platform_error) = (error("range"), error("platform"));
    view! {
        <Card title="Settings" text="Period and platforms are what “Dashboard of this team” begins with; the zone is the one in which it shows times.">
            <form class="l-stack" data-gap="4" method="post" action=action autocomplete="off">
                <input type="hidden" name="version" value=version />
                <Field label="Name" name="name" value=name error=name_error maxlength="80" required=true />
                <TextArea
                    label="What it is for"
                    name="description"
                    value=description
                    error=description_error
                    rows=2
                    maxlength="500"
                />
                <SelectField label="Default period" name="range" options=select_options(ranges) error=range_error />
                <SelectField
                    label="Zone of times"
                    name="zone"
                    options=select_options(zones)
                    hint="Days are counted in the organisation’s zone for everybody, so that figures of two teams agree."
                    error=zone_error
                />
                <CheckboxList
                    label="Platforms"
                    name="platform"
                    options=boxes(platforms)
                    hint="None means all."
                    error=platform_error
                />
                <div>
                    <Button>"Save settings"</Button>
                </div>
            </form>
        </Card>
    }
}
