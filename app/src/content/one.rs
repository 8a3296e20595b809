//! One content, drawn: the form to write it, what an approval covers and what has changed since, and what became of it.

use leptos::prelude::*;
use rtv_ui::{
    Badge, Button, Card, CheckboxList, CheckboxOption, ConfirmPage, Crumb, Definition, DefinitionList, Diff,
    Disclosure, ErrorSummary, Field, FieldChange, LinkButton, Notice, PageHeader, SelectField, Step, Steps, Table,
    TextArea, Tone, Variant,
};

use crate::dashboard::{ChoiceView, select_options};
use crate::page::{Drawn, Framed};
use crate::publish::StateView;

/// Most characters of a note to whoever wrote the post.
const LONGEST_NOTE: &str = "1000";

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentView {
    /// What it is called in crumbs and heading.
    pub(super) name: String,
    pub(super) subtitle: String,
    /// Where its forms are posted; that of a new one is the list.
    pub(super) path: String,
    pub(super) state: Option<StateView>,
    /// The way of a post, with where this one is.
    pub(super) steps: Vec<Step>,
    /// What was typed or stored, for who may change it.
    pub(super) form: Option<ContentForm>,
    /// The same to read, and why it cannot be changed.
    pub(super) facts: Vec<(String, String)>,
    pub(super) fixed: Option<String>,
    pub(super) lengths: Vec<LengthView>,
    pub(super) review: Option<ReviewView>,
    pub(super) deliveries: Vec<DeliveryRow>,
    pub(super) errors: Vec<(String, String)>,
    /// Asked to confirm that it is taken away.
    pub(super) removal: Option<Removal>,
    pub(super) can_remove: bool,
}

/// The fields, as typed or as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentForm {
    pub(super) version: String,
    /// Whether somebody else has changed it since.
    pub(super) is_stale: bool,
    /// Whether saving takes an approval away.
    pub(super) voids_approval: bool,
    /// Whether the text is still on its way to being submitted.
    pub(super) can_submit: bool,
    pub(super) text: String,
    pub(super) link: String,
    pub(super) scheduled_at: String,
    /// What the time means: the zone, and what time it is there.
    pub(super) time_hint: String,
    pub(super) accounts: Vec<AccountChoice>,
    pub(super) campaigns: Vec<ChoiceView>,
}

/// An account that the post may go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountChoice {
    pub(super) value: String,
    pub(super) label: String,
    /// What it allows, or why it cannot publish yet.
    pub(super) hint: Option<String>,
    pub(super) is_chosen: bool,
    pub(super) is_possible: bool,
}

/// How long the text is by a platform's own count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LengthView {
    pub(super) platform: String,
    pub(super) text: String,
    pub(super) is_over: bool,
}

/// Where the approval stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewView {
    pub(super) title: String,
    pub(super) text: String,
    /// What somebody wrote when they gave it back.
    pub(super) note: Option<String>,
    /// What was approved or given back, field by field, where it differs from what it is now.
    pub(super) changes: Vec<(String, Option<String>, Option<String>)>,
    /// What is approved by pressing the button.
    pub(super) covers: Vec<(String, String)>,
    /// The version that a decision is about, for who may decide.
    pub(super) decide: Option<String>,
    /// Why the reader cannot decide.
    pub(super) waits: Option<String>,
    pub(super) note_typed: Option<String>,
}

/// One account's post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    pub(super) id: String,
    pub(super) href: String,
    pub(super) account: String,
    pub(super) when: String,
    pub(super) state: StateView,
}

/// What is asked before it is taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    pub(super) version: String,
    pub(super) consequences: Vec<String>,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<ContentView>) -> Drawn {
    let content = page.content;
    let ContentView {
        name,
        subtitle,
        path,
        state,
        steps,
        form,
        facts,
        fixed,
        lengths,
        review,
        deliveries,
        errors,
        removal,
        can_remove,
    } = content;
    let is_refused = !errors.is_empty();
    if let Some(removal) = removal {
        let crumbs =
            vec![Crumb { label: name, href: Some(path.clone()) }, Crumb { label: "Delete".into(), href: None }];
        let html = view! {
            <ConfirmPage
                title="Delete this post?"
                consequences=removal.consequences
                action=format!("{path}/delete")
                verb="Delete post"
                cancel_href=path
                hidden=vec![("version".to_owned(), removal.version)]
            />
        };
        return Drawn::new(crumbs, false, html);
    }
    let crumbs = vec![Crumb { label: name.clone(), href: None }];
    let badge = state.map(StateView::badge);
    let main = match form {
        Some(form) => editor(form, lengths, &errors, path.clone()),
        None => reader(facts, fixed, lengths),
    };
    let remove = can_remove.then(
        || view! { <LinkButton href=format!("{path}?step=delete") variant=Variant::Quiet>"Delete…"</LinkButton> },
    );
    let has_aside = review.is_some() || !deliveries.is_empty();
    let aside = has_aside.then(|| {
        view! {
            <div class="l-stack">
                {review.map(|review| review_card(review, &errors, &path))}
                {(!deliveries.is_empty()).then(|| delivery_card(deliveries))}
            </div>
        }
    });
    let html = view! {
        <ErrorSummary errors=errors.clone() />
        <PageHeader title=name subtitle actions=view! { {badge} {remove} }.into_any() />
        <Steps label="The way of a post" steps />
        <div class="l-sidebar">
            {main}
            {aside}
        </div>
    };
    Drawn::new(crumbs, is_refused, html)
}

fn definitions(pairs: Vec<(String, String)>) -> Vec<Definition> {
    pairs.into_iter().map(|(term, value)| Definition::new(term, value)).collect()
}

/// What the post says, for who may not change it.
fn reader(facts: Vec<(String, String)>, fixed: Option<String>, lengths: Vec<LengthView>) -> AnyView {
    view! {
        <Card title="Post">
            <div class="l-stack" data-gap="3">
                <DefinitionList items=definitions(facts) />
                {lengths_view(lengths)}
                {fixed.map(|text| view! { <p class="u-muted u-small">{text}</p> })}
            </div>
        </Card>
    }
    .into_any()
}

#[expect(clippy::too_many_lines, reason = "it is one form")]
fn editor(form: ContentForm, lengths: Vec<LengthView>, errors: &[(String, String)], path: String) -> AnyView {
    let ContentForm {
        version,
        is_stale,
        voids_approval,
        text,
        link,
        scheduled_at,
        time_hint,
        accounts,
        campaigns,
        can_submit,
    } = form;
    let error = |field: &str| errors.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone());
    let [text_error, link_error, time_error, account_error, campaign_error] =
        ["text", "link", "scheduled_at", "account", "campaign"].map(error);
    let stale = is_stale.then(|| {
        let href = path.clone();
        view! {
            <Notice
                tone=Tone::Warning
                action=Some(view! { <LinkButton href small=true external=true>"Reload"</LinkButton> }.into_any())
            >
                "What you typed is still below and is not saved. Reload to see what it is now."
            </Notice>
        }
    });
    let voids = voids_approval.then(|| {
        view! {
            <Notice tone=Tone::Info>
                "This is approved as it is. Whatever you change here takes the approval away, and somebody has to approve it again."
            </Notice>
        }
    });
    let submit = can_submit.then(|| {
        view! { <Button variant=Variant::Primary name="act" value="submit">"Submit for approval"</Button> }
    });
    let (save_variant, save_word) =
        if can_submit { (Variant::Neutral, "Save draft") } else { (Variant::Primary, "Save") };
    let (possible, others): (Vec<_>, Vec<_>) = accounts.into_iter().partition(|one| one.is_possible);
    let options = possible
        .into_iter()
        .map(|one| CheckboxOption {
            value: one.value,
            label: one.label,
            checked: one.is_chosen,
            hint: one.hint.into(),
            is_disabled: false,
        })
        .collect::<Vec<_>>();
    let account_hint = match (options.is_empty(), others.is_empty()) {
        (true, true) => {
            "There is no account yet. An owner or admin connects one under Accounts; what is typed here can be saved then."
        }
        (true, false) => {
            "None of the accounts can be posted to yet. An owner or admin connects one under Accounts; what is typed here can be saved as a draft."
        }
        (false, _) => "The post goes to each of them once.",
    };
    let others = (!others.is_empty()).then(|| other_accounts(others));
    let campaign = (campaigns.len() > 1 || campaign_error.is_some()).then(|| {
        view! { <SelectField label="Campaign" name="campaign" options=select_options(campaigns) error=campaign_error /> }
    });
    view! {
        <Card title="Post">
            <form class="l-stack" data-gap="4" method="post" action=path autocomplete="off">
                {stale}
                {voids}
                <input type="hidden" name="version" value=version />
                <div class="l-stack" data-gap="2">
                    <TextArea
                        label="Text"
                        name="text"
                        value=text
                        hint="Each network counts in its own way; the counts stand below when you save."
                        error=text_error
                        rows=6
                        maxlength="10000"
                    />
                    {lengths_view(lengths)}
                </div>
                <Field
                    label="Link"
                    name="link"
                    kind="url"
                    value=link
                    hint="An address that begins with https://. Leave it empty if there is none."
                    error=link_error
                    maxlength="2000"
                />
                <div class="l-stack" data-gap="1">
                    <CheckboxList
                        label="Accounts"
                        name="account"
                        options
                        hint=account_hint
                        error=account_error
                    />
                    {others}
                </div>
                <Field
                    label="Goes out at"
                    name="scheduled_at"
                    kind="datetime-local"
                    value=scheduled_at
                    hint=time_hint
                    error=time_error
                />
                {campaign}
                <div class="l-cluster">
                    {submit}
                    <Button variant=save_variant name="act" value="save">{save_word}</Button>
                </div>
            </form>
        </Card>
    }
    .into_any()
}

/// The accounts that cannot be chosen, each with why: folded away, because there may be many.
fn other_accounts(accounts: Vec<AccountChoice>) -> AnyView {
    let summary = match accounts.len() {
        1 => "1 account that cannot be posted to".to_owned(),
        several => format!("{several} accounts that cannot be posted to"),
    };
    let items = accounts
        .into_iter()
        .map(|one| {
            view! {
                <li>
                    {one.label}
                    {one.hint.map(|hint| view! { <span class="c-table__detail c-publish-note">{hint}</span> })}
                </li>
            }
        })
        .collect_view();
    view! {
        <Disclosure summary>
            <ul class="l-stack c-publish-others" data-gap="2">{items}</ul>
        </Disclosure>
    }
    .into_any()
}

/// The text's length on each network that it goes to.
fn lengths_view(lengths: Vec<LengthView>) -> Option<AnyView> {
    (!lengths.is_empty()).then(|| {
        let rows = lengths
            .into_iter()
            .map(|one| {
                let tone = if one.is_over { Tone::Danger } else { Tone::Neutral };
                view! {
                    <li data-platform=one.platform data-over=one.is_over.then_some("true")>
                        <Badge tone>{one.text}</Badge>
                    </li>
                }
            })
            .collect_view();
        view! { <ul class="l-cluster" aria-label="Length of the text">{rows}</ul> }.into_any()
    })
}

fn review_card(review: ReviewView, errors: &[(String, String)], path: &str) -> AnyView {
    let ReviewView { title, text, note, changes, covers, decide, waits, note_typed } = review;
    let note_error = errors.iter().find(|(name, _)| name == "note").map(|(_, message)| message.clone());
    let note = note.map(|note| view! { <blockquote class="c-publish-quote">{note}</blockquote> });
    let diff = (!changes.is_empty()).then(|| {
        let changes = changes
            .into_iter()
            .map(|(field, before, after)| FieldChange { field, before: before.into(), after: after.into() })
            .collect::<Vec<_>>();
        view! { <Diff caption="What has changed since" changes /> }
    });
    let covers = (!covers.is_empty()).then(|| view! { <DefinitionList items=definitions(covers) /> });
    let forms = decide.map(|version| {
        let (approve, give_back) = (format!("{path}/approve"), format!("{path}/return"));
        let own = version.clone();
        view! {
            <form method="post" action=approve>
                <input type="hidden" name="version" value=version />
                <Button variant=Variant::Primary>"Approve"</Button>
            </form>
            <form class="l-stack" data-gap="3" method="post" action=give_back autocomplete="off">
                <input type="hidden" name="version" value=own />
                <TextArea
                    label="What should be different"
                    name="note"
                    value=note_typed
                    error=note_error
                    rows=3
                    maxlength=LONGEST_NOTE
                />
                <div>
                    <Button>"Return with this note"</Button>
                </div>
            </form>
        }
    });
    let waits = waits.map(|text| view! { <p class="u-muted u-small">{text}</p> });
    view! {
        <Card title text>
            <div class="l-stack" data-gap="4">
                {note}
                {diff}
                {covers}
                {forms}
                {waits}
            </div>
        </Card>
    }
    .into_any()
}

fn delivery_card(rows: Vec<DeliveryRow>) -> AnyView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let tone = row.state.tone;
            view! {
                <tr data-row=row.id data-state=row.state.key>
                    <th scope="row">
                        <a href=row.href>{row.account}</a>
                        <span class="c-table__detail">{row.when}</span>
                    </th>
                    <td data-label="State"><Badge tone>{row.state.label}</Badge></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card title="Deliveries" text="One for each account; each tells why it has not gone out, or where it is." flush=true>
            <Table caption="Deliveries of this post" id="deliveries" keep=true>
                <thead>
                    <tr>
                        <th scope="col">"Account"</th>
                        <th scope="col">"State"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        </Card>
    }
    .into_any()
}
