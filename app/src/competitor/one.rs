//! One competitor with its months, and the forms that enter one or rename it, drawn.

use leptos::prelude::*;
use rtv_ui::{
    Button, Card, Crumb, EmptyState, ErrorSummary, Field, IconName, LinkButton, Notice, PageHeader, SelectField, Table,
    Tone, Variant,
};

use crate::dashboard::{ChoiceView, select_options};
use crate::page::{Drawn, Framed};

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompetitorView {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_removed: bool,
    pub(super) months: Vec<MonthRow>,
    pub(super) form: Option<MonthForm>,
    pub(super) errors: Vec<(String, String)>,
}

/// One month on one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthRow {
    /// `2026-10` and the platform's key, for forms and links.
    pub(super) key: (String, String),
    pub(super) month: String,
    pub(super) platform: String,
    /// Followers, posts, interactions; words and exact values.
    pub(super) figures: [(String, String); 3],
    pub(super) changed: String,
}

/// The fields of a month, as typed or stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthForm {
    pub(super) platforms: Vec<ChoiceView>,
    pub(super) month: String,
    pub(super) followers: String,
    pub(super) posts: String,
    pub(super) interactions: String,
    pub(super) name: String,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<CompetitorView>) -> Drawn {
    let CompetitorView { id, name, is_removed, months, form, errors } = page.content;
    let list = format!("/t/{}/competitors", page.frame.slug);
    let path = format!("{list}/{id}");
    let crumbs = vec![Crumb { label: name.clone(), href: None }];
    let can_change = form.is_some();
    let removed = is_removed.then(|| {
        view! {
            <Notice tone=Tone::Neutral>"This competitor was removed: reports compare with it no more. Its figures are kept."</Notice>
        }
    });
    let body = if months.is_empty() {
        let text = "A month needs at least one of followers, posts and public interactions: reactions, comments and shares of the posts published in it.";
        view! { <EmptyState icon=IconName::Calendar title="Nothing entered yet" text /> }.into_any()
    } else {
        table(months, &path, can_change)
    };
    let is_refused = !errors.is_empty();
    let forms = form.map(|form| forms(form, &errors, &path));
    let subtitle = "What anybody can see of it, month by month. What is not known is left empty, and reports say so.";
    let html = view! {
        <ErrorSummary errors />
        <PageHeader
            title=name
            subtitle
            actions=view! { <LinkButton href=list icon=IconName::ChevronLeft>"All competitors"</LinkButton> }.into_any()
        />
        <div class="l-stack" data-gap="5">
            {removed}
            {body}
            {forms}
        </div>
    };
    Drawn::new(crumbs, is_refused, html)
}

fn forms(form: MonthForm, errors: &[(String, String)], path: &str) -> AnyView {
    let error = |field: &str| errors.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone());
    let (platform, month, followers, posts, interactions) =
        (error("platform"), error("month"), error("followers"), error("posts"), error("interactions"));
    let name = error("name");
    let (months, path) = (format!("{path}/months"), path.to_owned());
    view! {
        <div class="l-grid" data-columns="2">
            <Card title="Enter a month" text="Entering it again changes it.">
                <form class="l-stack" data-gap="4" method="post" action=months autocomplete="off" id="month">
                    <SelectField label="Platform" name="platform" options=select_options(form.platforms) error=platform />
                    <Field label="Month" name="month" kind="month" value=form.month hint="Like 2026-10; one that is over." error=month required=true />
                    <Field label="Followers at its end" name="followers" value=form.followers error=followers inputmode="numeric" maxlength="20" />
                    <Field label="Posts published" name="posts" value=form.posts error=posts inputmode="numeric" maxlength="20" />
                    <Field
                        label="Public interactions"
                        name="interactions"
                        value=form.interactions
                        hint="Reactions, comments and shares of these posts."
                        error=interactions
                        inputmode="numeric"
                        maxlength="20"
                    />
                    <div>
                        <Button variant=Variant::Primary>"Enter month"</Button>
                    </div>
                </form>
            </Card>
            <Card title="Name" text="As reports show it.">
                <form class="l-stack" data-gap="4" method="post" action=path autocomplete="off">
                    <Field label="Name" name="name" value=form.name error=name maxlength="120" required=true />
                    <div>
                        <Button>"Save name"</Button>
                    </div>
                </form>
            </Card>
        </div>
    }
    .into_any()
}

fn table(months: Vec<MonthRow>, path: &str, can_change: bool) -> AnyView {
    let rows = months
        .into_iter()
        .map(|row| {
            let (month, platform) = row.key;
            let label = format!("{} on {}", row.month, row.platform);
            let action = can_change.then(|| {
                view! {
                    <td class="c-table__actions">
                        <div class="l-cluster" data-gap="2">
                            <LinkButton small=true href=format!("{path}?month={month}&platform={platform}#month") label=format!("Change {label}")>"Change"</LinkButton>
                            <form method="post" action=format!("{path}/months/remove")>
                                <input type="hidden" name="month" value=month.clone() />
                                <input type="hidden" name="platform" value=platform.clone() />
                                <Button small=true label=format!("Take out {label}")>"Take out"</Button>
                            </form>
                        </div>
                    </td>
                }
            });
            let [followers, posts, interactions] = row.figures;
            view! {
                <tr data-row=format!("{month}-{platform}")>
                    <th scope="row">{row.month}</th>
                    <td data-label="Platform">{row.platform}</td>
                    <td data-label="Followers" class="u-number" data-value=followers.1>{followers.0}</td>
                    <td data-label="Posts" class="u-number" data-value=posts.1>{posts.0}</td>
                    <td data-label="Interactions" class="u-number" data-value=interactions.1>{interactions.0}</td>
                    <td data-label="Entered">{row.changed}</td>
                    {action}
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card flush=true>
            <Table caption="Months, the newest first" id="months">
                <thead>
                    <tr>
                        <th scope="col">"Month"</th>
                        <th scope="col">"Platform"</th>
                        <th scope="col" class="u-number">"Followers"</th>
                        <th scope="col" class="u-number">"Posts"</th>
                        <th scope="col" class="u-number">"Interactions"</th>
                        <th scope="col">"Entered"</th>
                        {can_change.then(|| view! { <th scope="col"><span class="u-visually-hidden">"Actions"</span></th> })}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        </Card>
    }
    .into_any()
}
