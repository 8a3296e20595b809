//! `/t/{tenant}/team/roles/{role}`: one role, to read, to change, or, as `new`, to make.

use leptos::prelude::*;
use rtv_ui::{Button, Card, CheckboxList, Crumb, ErrorSummary, Field, Notice, PageHeader, TextArea, Tone, Variant};

use crate::dashboard::ChoiceView;
use crate::page::{Drawn, Framed};
use crate::team::frame::StaleNotice;
use crate::team::member::boxes;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleView {
    /// Key of a built-in role, id of a custom one, `new` for one that is being made.
    pub(super) id: String,
    pub(super) title: String,
    pub(super) description: String,
    /// What it holds: key and what that allows.
    pub(super) holds: Vec<(String, String)>,
    /// Who has it: id and name.
    pub(super) users: Vec<(String, String)>,
    pub(super) form: Option<RoleForm>,
    /// Why there is no form.
    pub(super) note: Option<String>,
}

/// The form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleForm {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) permissions: Vec<ChoiceView>,
    /// The version that it is made from; nothing for a new role.
    pub(super) version: Option<String>,
    pub(super) is_stale: bool,
    /// Whether nobody has the role, so that it can go.
    pub(super) can_delete: bool,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<RoleView>) -> Drawn {
    let Framed { frame, content } = page;
    let slug = frame.slug.clone();
    let roles = format!("/t/{slug}/team/roles");
    let is_new = content.id == "new";
    let path = format!("{roles}/{}", content.id);
    let flash = frame.flash.clone().unwrap_or_default();
    let is_refused = !flash.errors.is_empty();
    let (name_error, description_error, permission_error) =
        (flash.error("name"), flash.error("description"), flash.error("permission"));
    let crumbs = vec![
        Crumb { label: "Roles".into(), href: Some(roles.clone()) },
        Crumb { label: content.title.clone(), href: None },
    ];
    let stale = content.form.as_ref().filter(|form| form.is_stale).map(|_| view! { <StaleNotice href=path.clone() /> });
    let users = (!content.users.is_empty()).then(|| {
        let count = content.users.len();
        let users = content
            .users
            .into_iter()
            .map(|(id, name)| view! { <li><a href=format!("/t/{slug}/team/members/{id}")>{name}</a></li> })
            .collect_view();
        let title =
            if count == 1 { "1 person has this role".to_owned() } else { format!("{count} people have this role") };
        view! {
            <Card title text="A change of the role holds for them with their next request.">
                <ul class="c-team-list">{users}</ul>
            </Card>
        }
    });
    let body = match content.form {
        Some(form) => {
            let action = if is_new { roles } else { path.clone() };
            let delete = form.can_delete.then(|| {
                let version = form.version.clone().unwrap_or_default();
                view! {
                    <Card title="Remove this role" text="Nobody has it, so nobody loses anything.">
                        <form method="post" action=format!("{path}/delete")>
                            <input type="hidden" name="version" value=version />
                            <Button variant=Variant::Danger>"Remove role"</Button>
                        </form>
                    </Card>
                }
            });
            let button = if is_new { "Make role" } else { "Save role" };
            view! {
                <Card>
                    <form class="l-stack" data-gap="4" method="post" action=action autocomplete="off">
                        {form.version.map(|version| view! { <input type="hidden" name="version" value=version /> })}
                        <Field label="Name" name="name" value=form.name error=name_error maxlength="80" required=true />
                        <TextArea
                            label="What it is for"
                            name="description"
                            value=form.description
                            error=description_error
                            rows=2
                            maxlength="500"
                        />
                        <CheckboxList
                            label="Permissions"
                            name="permission"
                            options=boxes(form.permissions)
                            hint="A role holds at most what you hold yourself."
                            error=permission_error
                        />
                        <div>
                            <Button variant=Variant::Primary>{button}</Button>
                        </div>
                    </form>
                </Card>
                {delete}
            }
            .into_any()
        }
        None => {
            let holds = content
                .holds
                .into_iter()
                .map(|(key, description)| view! { <li><strong>{key}</strong> ": " {description}</li> })
                .collect_view();
            view! {
                {content.note.map(|note| view! { <Notice tone=Tone::Info>{note}</Notice> })}
                <Card title="What it holds">
                    <ul class="c-team-list">{holds}</ul>
                </Card>
            }
            .into_any()
        }
    };
    let html = view! {
            <ErrorSummary errors=flash.errors />
            <PageHeader title=content.title subtitle=content.description />
            {stale}
            {body}
            {users}
    };
    Drawn::new(crumbs, is_refused, html)
}
