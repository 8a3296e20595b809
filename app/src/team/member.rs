//! `/t/{tenant}/team/members/{user}`: one member, all that they hold, and the form that begins a change of it.

use leptos::prelude::*;
use rtv_ui::{
    Badge, Button, Card, CheckboxList, CheckboxOption, Crumb, Definition, DefinitionList, Disclosure, ErrorSummary,
    IconName, LinkButton, PageHeader, SelectField, Tone, Variant,
};

use crate::dashboard::{ChoiceView, select_options};
use crate::page::{Drawn, Framed};
use crate::team::frame::StaleNotice;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberView {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) is_you: bool,
    pub(super) is_disabled: bool,
    pub(super) facts: Vec<(String, String)>,
    /// Where something is held, and what.
    pub(super) holds: Vec<(String, String)>,
    pub(super) teams: Vec<(String, String)>,
    pub(super) form: Option<MemberForm>,
    /// Why there is no form.
    pub(super) note: Option<String>,
    /// Whether the actor may ask what this member may do, and take them out.
    pub(super) can_manage: bool,
}

/// The form that begins a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberForm {
    pub(super) roles: Vec<ChoiceView>,
    pub(super) permissions: Vec<ChoiceView>,
    pub(super) version: String,
    pub(super) is_stale: bool,
}

/// Choices of a list of boxes.
pub(super) fn boxes(choices: Vec<ChoiceView>) -> Vec<CheckboxOption> {
    choices
        .into_iter()
        .map(|one| CheckboxOption {
            value: one.value,
            label: one.label,
            checked: one.is_chosen,
            ..CheckboxOption::default()
        })
        .collect()
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<MemberView>) -> Drawn {
    let Framed { frame, content } = page;
    let base = format!("/t/{}/team", frame.slug);
    let path = format!("{base}/members/{}", content.id);
    let errors = frame.flash.as_ref().map(|flash| flash.errors.clone()).unwrap_or_default();
    let is_refused = !errors.is_empty();
    let crumbs = vec![Crumb { label: content.name.clone(), href: None }];
    let ask = content.can_manage.then(|| {
        view! { <LinkButton href=format!("{base}/access?person={}", content.id) icon=IconName::Search>"Effective access"</LinkButton> }
    });
    let remove = content.can_manage.then(|| {
        view! { <LinkButton href=format!("{path}/remove")>"Remove…"</LinkButton> }
    });
    let list = |items: Vec<(String, String)>| {
        items.into_iter().map(|(term, value)| Definition::new(term, value)).collect::<Vec<_>>()
    };
    let teams = content
        .teams
        .into_iter()
        .map(|(id, name)| view! { <li><a href=format!("{base}/teams/{id}")>{name}</a></li> })
        .collect_view();
    let stale = content.form.as_ref().filter(|form| form.is_stale).map(|_| view! { <StaleNotice href=path.clone() /> });
    let form = match content.form {
        Some(form) => view! { <ChangeForm form errors=errors.clone() path=path.clone() /> }.into_any(),
        None => view! {
            <Card title="Role and permissions">
                <p class="u-muted">{content.note}</p>
            </Card>
        }
        .into_any(),
    };
    let html = view! {
            <ErrorSummary errors />
            <PageHeader
                title=content.name
                subtitle=content.email
                actions=view! {
                    {content.is_you.then(|| view! { <Badge tone=Tone::Info>"You"</Badge> })}
                    {content.is_disabled.then(|| view! { <Badge tone=Tone::Danger>"Disabled"</Badge> })}
                    {ask}
                    {remove}
                }.into_any()
            />
            {stale}
            <div class="l-grid" data-columns="2">
                {form}
                <div class="l-stack" data-gap="4">
                    <Card title="About this member">
                        <DefinitionList items=list(content.facts) />
                        <ul class="l-cluster" aria-label="Teams">{teams}</ul>
                    </Card>
                    <Card title="What they hold">
                        <DefinitionList items=list(content.holds) />
                    </Card>
                </div>
            </div>
    };
    Drawn::new(crumbs, is_refused, html)
}

#[component]
fn ChangeForm(form: MemberForm, errors: Vec<(String, String)>, path: String) -> impl IntoView {
    let error = |field: &str| errors.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone());
    let (role_error, permission_error) = (error("role"), error("permission"));
    let open = permission_error.is_some() || form.permissions.iter().any(|one| one.is_chosen);
    let extra = (!form.permissions.is_empty()).then(|| {
        view! {
            <Disclosure summary="Extra permissions" open>
                <CheckboxList
                    label="Held beside the role"
                    name="permission"
                    options=boxes(form.permissions)
                    hint="What the role gives already need not be ticked. You can give what you hold yourself."
                    error=permission_error
                />
            </Disclosure>
        }
    });
    view! {
        <Card title="Role and permissions" text="The next page shows what is gained and lost, before anything is saved.">
            <form class="l-stack" data-gap="4" method="get" action=format!("{path}/change") autocomplete="off">
                <input type="hidden" name="version" value=form.version />
                <SelectField label="Role" name="role" options=select_options(form.roles) error=role_error />
                {extra}
                <div>
                    <Button variant=Variant::Primary>"Review the change"</Button>
                </div>
            </form>
        </Card>
    }
}
