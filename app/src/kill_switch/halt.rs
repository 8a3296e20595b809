//! The page that halts: a scope and a reason that are chosen, one button, nothing to type. What it would stop is told beside it
//! and asked for separately, so that halting never waits for counting.

pub(super) mod present;

use leptos::prelude::*;
use rtv_ui::{
    Button, Card, Definition, DefinitionList, Disclosure, Field, LinkButton, Notice, PageHeader, RadioGroup,
    RadioOption, SelectField, Table, TextArea, Tone, Variant,
};

use super::present::{House, REVIEWS, reasons};
use crate::page::Flash;

/// Scopes that belong together.
pub(super) struct ScopeGroup {
    pub(super) label: String,
    /// What is sent, what is read, and what it means.
    pub(super) scopes: Vec<(String, String, Option<String>)>,
    /// Whether there may be so many that they scroll by themselves.
    pub(super) is_long: bool,
}

/// What halting would stop.
pub(super) struct Preview {
    pub(super) scope: String,
    pub(super) facts: Vec<Definition>,
    /// Per group: account, platform, due within a day.
    pub(super) groups: Vec<[String; 3]>,
    pub(super) rest: Option<String>,
}

/// The page, drawn.
pub(super) fn drawn(
    house: &House,
    groups: Vec<ScopeGroup>,
    chosen: &str,
    preview: Option<Preview>,
    flash: &Flash,
) -> AnyView {
    let (path, preview_path, back) = (house.below("halt"), house.below("preview"), house.path());
    let known = groups.iter().flat_map(|group| &group.scopes).any(|(value, ..)| value == chosen);
    let first =
        groups.first().and_then(|group| group.scopes.first()).map(|(value, ..)| value.clone()).unwrap_or_default();
    let chosen = if known { chosen.to_owned() } else { first };
    let error = flash.error("scope");
    let fields = groups
        .into_iter()
        .enumerate()
        .map(|(index, group)| scope_group(index, group, &chosen, error.clone()))
        .collect_view();
    let reason =
        flash.value("reason").unwrap_or_else(|| reasons("").first().map(|one| one.value.clone()).unwrap_or_default());
    let review = flash.value("review").unwrap_or_else(|| REVIEWS[0].0.to_owned());
    let reviews = REVIEWS
        .into_iter()
        .map(|(value, label)| RadioOption {
            value: value.into(),
            label: label.into(),
            hint: None::<String>.into(),
            checked: value == review,
        })
        .collect();
    let (note, ticket) = (flash.value("note").unwrap_or_default(), flash.value("ticket").unwrap_or_default());
    let has_more =
        !note.is_empty() || !ticket.is_empty() || flash.error("note").is_some() || flash.error("ticket").is_some();
    let (note_error, ticket_error, reason_error, review_error) =
        (flash.error("note"), flash.error("ticket"), flash.error("reason"), flash.error("review"));
    let tenant = match house {
        House::Tenant { slug, .. } => slug.clone(),
        House::Staff => String::new(),
    };
    let shown = preview.map_or_else(
        || view! { <p class="u-muted u-no-script">"Press “Show what this would stop” to count it first. Halting does not need that."</p> }.into_any(),
        preview_view,
    );
    view! {
        {house.error_summary(flash)}
        <PageHeader title="Halt" subtitle="Choose what, press Halt now. It holds at once and ends only when somebody resumes it." />
        <div class="l-sidebar">
            <Card>
                <form class="l-stack" data-gap="4" method="post" action=path autocomplete="off" data-preview=tenant>
                    <div class="c-scopes">{fields}</div>
                    <SelectField label="Reason" name="reason" options=reasons(&reason) error=reason_error />
                    <RadioGroup label="Look at it again" name="review" options=reviews error=review_error hint="You are reminded then; nothing resumes by itself." />
                    <Disclosure summary="Note and ticket" open=has_more>
                        <div class="l-stack" data-gap="4">
                            <TextArea label="Note" name="note" value=note error=note_error rows=2 maxlength="500" hint="For people who read the banner and the receipt. Up to 500 characters." />
                            <Field label="Ticket" name="ticket" kind="url" value=ticket error=ticket_error maxlength="500" hint="Its address." />
                        </div>
                    </Disclosure>
                    <div class="l-cluster">
                        <Button variant=Variant::Danger icon=rtv_ui::IconName::Stop>"Halt now"</Button>
                        <button class="c-button" data-variant="neutral" type="submit" formmethod="get" formaction=preview_path formnovalidate=true>
                            "Show what this would stop"
                        </button>
                        <LinkButton href=back variant=Variant::Quiet>"Cancel"</LinkButton>
                    </div>
                </form>
            </Card>
            <Card title="What this would stop">
                <div id="halt-preview" aria-live="polite">{shown}</div>
            </Card>
        </div>
    }
    .into_any()
}

fn scope_group(index: usize, group: ScopeGroup, chosen: &str, error: Option<String>) -> AnyView {
    let ScopeGroup { label, scopes, is_long } = group;
    let holds_chosen = scopes.iter().any(|(value, ..)| value == chosen);
    let options = scopes
        .into_iter()
        .enumerate()
        .map(|(place, (value, words, hint))| {
            // The first one of all is what an error leads to.
            let id = if index == 0 && place == 0 { "field-scope".to_owned() } else { format!("scope-{index}-{place}") };
            let (checked, own) = (value == chosen, id.clone());
            let hint = hint.map(|hint| view! { <span class="c-scope__hint">{hint}</span> });
            view! {
                <label class="c-scope" for=own>
                    <input type="radio" name="scope" id=id value=value checked=checked />
                    <span class="c-scope__words">{words} {hint}</span>
                </label>
            }
        })
        .collect_view();
    let error = error.filter(|_| index == 0).map(|error| view! { <p class="c-field__error">{error}</p> });
    let list = view! { <div class="c-scopes__list" data-long=is_long.then_some("true")>{options}</div> };
    if is_long {
        // Closed until somebody needs it, so that what is halted most is on one screen with the button.
        return view! {
            <details class="c-disclosure" open=holds_chosen>
                <summary class="c-disclosure__summary">
                    <rtv_ui::Icon name=rtv_ui::IconName::ChevronRight />
                    <span>{label.clone()}</span>
                </summary>
                <fieldset class="c-disclosure__body">
                    <legend class="u-visually-hidden">{label}</legend>
                    {list}
                </fieldset>
            </details>
        }
        .into_any();
    }
    view! {
        <fieldset class="c-field">
            <legend class="c-field__label">{label}</legend>
            {error}
            {list}
        </fieldset>
    }
    .into_any()
}

/// What halting would stop, drawn.
pub(super) fn preview_view(preview: Preview) -> AnyView {
    let Preview { scope, facts, groups, rest } = preview;
    let table = (!groups.is_empty()).then(|| {
        let rows = groups
            .into_iter()
            .map(|[account, platform, due]| {
                view! {
                    <tr>
                        <th scope="row">{account}</th>
                        <td data-label="Platform">{platform}</td>
                        <td data-label="Due within 24 h" class="u-number">{due}</td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <Table caption="By account" id="preview-groups" compact=true>
                <thead>
                    <tr>
                        <th scope="col">"Account"</th>
                        <th scope="col">"Platform"</th>
                        <th scope="col" class="u-number">"Due within 24 h"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        }
    });
    view! {
        <div class="l-stack" data-gap="3">
            <p><strong>{scope}</strong></p>
            <DefinitionList items=facts />
            {table}
            {rest.map(|rest| view! { <Notice tone=Tone::Info>{rest}</Notice> })}
        </div>
    }
    .into_any()
}
