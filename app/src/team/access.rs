//! `/t/{tenant}/team/access`: may this person do that, here? The answer with every step that led to it, the deciding one marked.

use leptos::prelude::*;
use rtv_ui::{
    Badge, Button, Card, Crumb, EmptyState, ErrorSummary, FilterBar, IconName, Notice, PageHeader, SelectField, Table,
    Tone,
};

use crate::dashboard::{ChoiceView, select_options};
use crate::page::{Drawn, Framed};
use crate::team::frame::{Counts, Tab, TeamTabs};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessView {
    pub(super) counts: Counts,
    pub(super) people: Vec<ChoiceView>,
    pub(super) permissions: Vec<ChoiceView>,
    pub(super) resources: Vec<ChoiceView>,
    pub(super) answer: Option<AnswerView>,
    pub(super) errors: Vec<(String, String)>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerView {
    /// `allowed`, `limited` or `denied`.
    pub(super) verdict: String,
    pub(super) text: String,
    pub(super) steps: Vec<StepView>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepView {
    pub(super) label: String,
    pub(super) text: String,
    /// `grants`, `passes` or `denies`.
    pub(super) finding: String,
    pub(super) is_deciding: bool,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<AccessView>) -> Drawn {
    let Framed { frame, content } = page;
    let AccessView { counts, people, permissions, resources, answer, errors } = content;
    let path = format!("/t/{}/team/access", frame.slug);
    let is_refused = !errors.is_empty();
    let error = |field: &str| errors.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone());
    let (person_error, permission_error, resource_error) = (error("person"), error("permission"), error("resource"));
    let answer = match answer {
        Some(answer) => view! { <Answer answer /> }.into_any(),
        None => view! {
            <EmptyState
                icon=IconName::Search
                title="Ask about somebody"
                text="Choose a person and a permission, and an account or a campaign if it is about one. The answer names every step that led to it and marks the one that decided."
            />
        }
        .into_any(),
    };
    let html = view! {
            <ErrorSummary errors=errors.clone() />
            <PageHeader title="Effective access" subtitle="May this person do that, here, and why?" />
            <TeamTabs slug=frame.slug counts current=Tab::Access />
            <form method="get" action=path>
                <FilterBar label="Question" actions=view! { <Button>"Ask"</Button> }.into_any()>
                    <SelectField label="Person" name="person" options=select_options(people) error=person_error />
                    <SelectField label="Permission" name="permission" options=select_options(permissions) error=permission_error />
                    <SelectField label="For" name="resource" options=select_options(resources) error=resource_error />
                </FilterBar>
            </form>
            {answer}
    };
    Drawn::new(vec![Crumb { label: "Access".into(), href: None }], is_refused, html)
}

#[component]
fn Answer(answer: AnswerView) -> impl IntoView {
    let tone = match answer.verdict.as_str() {
        "allowed" => Tone::Success,
        "limited" => Tone::Info,
        _ => Tone::Danger,
    };
    let steps = answer
        .steps
        .into_iter()
        .enumerate()
        .map(|(index, step)| {
            let (tone, word) = match step.finding.as_str() {
                "grants" => (Tone::Success, "Grants"),
                "denies" => (Tone::Danger, "Denies"),
                _ => (Tone::Neutral, "Goes on"),
            };
            view! {
                <tr data-finding=step.finding data-deciding=step.is_deciding.then_some("true")>
                    <th scope="row">{format!("{}. {}", index + 1, step.label)}</th>
                    <td data-label="What was found">{step.text}</td>
                    <td data-label="So">
                        <Badge tone>{word}</Badge>
                        " "
                        {step.is_deciding.then(|| view! { <Badge tone=Tone::Info>"Decides"</Badge> })}
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="l-stack" data-gap="4" data-verdict=answer.verdict>
            <Notice tone><strong>{answer.text}</strong></Notice>
            <Card flush=true>
                <Table caption="Steps that led to the answer" id="steps">
                    <thead>
                        <tr>
                            <th scope="col">"Step"</th>
                            <th scope="col">"What was found"</th>
                            <th scope="col">"So"</th>
                        </tr>
                    </thead>
                    <tbody>{steps}</tbody>
                </Table>
            </Card>
        </div>
    }
}
