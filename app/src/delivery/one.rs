//! One delivery, drawn: why it has not gone out, gate by gate, its attempts, its history, and what a person may decide.

use leptos::prelude::*;
use rtv_ui::{
    Badge, Button, Card, Crumb, Definition, DefinitionList, ErrorSummary, Field, LinkButton, Notice, PageHeader, Table,
    Tone, Variant,
};

use crate::page::{Drawn, Framed};
use crate::publish::StateView;

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryView {
    /// How the text begins.
    pub(super) name: String,
    pub(super) subtitle: String,
    pub(super) path: String,
    pub(super) content_href: String,
    pub(super) account_href: String,
    pub(super) state: StateView,
    /// Where it stands, in a sentence that reads alone.
    pub(super) standing: String,
    /// What the section of the gates asks.
    pub(super) question: String,
    pub(super) gates: Vec<GateView>,
    pub(super) facts: Vec<(String, String)>,
    /// Its address on the network, where somebody has given one.
    pub(super) remote: Option<String>,
    pub(super) attempts: Vec<AttemptView>,
    pub(super) history: Vec<EventView>,
    pub(super) acts: Vec<ActView>,
    /// Why the reader cannot decide anything.
    pub(super) waits: Option<String>,
    /// What every decision is about, so that one that comes too late is refused.
    pub(super) version: String,
    pub(super) zone: String,
    pub(super) errors: Vec<(String, String)>,
}

/// One gate on the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateView {
    pub(super) key: String,
    pub(super) label: String,
    pub(super) finding: Finding,
    /// The finding in a word.
    pub(super) verdict: String,
    pub(super) value: String,
    /// Who set it and when.
    pub(super) set: Option<String>,
    pub(super) is_deciding: bool,
}

/// What a gate does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// It lets the delivery through.
    Open,
    /// It will, without anybody's doing.
    Waits,
    /// Somebody has to do something.
    Closed,
}

impl Finding {
    const fn key(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waits => "waits",
            Self::Closed => "closed",
        }
    }

    const fn tone(self) -> Tone {
        match self {
            Self::Open => Tone::Success,
            Self::Waits => Tone::Info,
            Self::Closed => Tone::Danger,
        }
    }
}

/// One attempt to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptView {
    pub(super) number: String,
    pub(super) state: StateView,
    pub(super) outcome: Option<String>,
    /// Words and times, in their order.
    pub(super) times: Vec<(String, String)>,
    /// By whom, under which epoch.
    pub(super) detail: String,
    pub(super) is_late: bool,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventView {
    pub(super) at: String,
    pub(super) at_utc: String,
    pub(super) what: String,
    pub(super) who: String,
    pub(super) detail: Option<String>,
}

/// Something that a person may decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActView {
    /// What is sent.
    pub(super) choice: &'static str,
    pub(super) text: &'static str,
    pub(super) verb: &'static str,
    pub(super) variant: Variant,
    pub(super) field: Option<ActField>,
}

/// What a decision needs besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActField {
    pub(super) label: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) value: String,
    pub(super) hint: Option<String>,
    pub(super) error: Option<String>,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<DeliveryView>) -> Drawn {
    let content = page.content;
    let DeliveryView {
        name,
        subtitle,
        path,
        content_href,
        account_href,
        state,
        standing,
        question,
        gates,
        facts,
        remote,
        attempts,
        history,
        acts,
        waits,
        version,
        zone,
        errors,
    } = content;
    let crumbs = vec![Crumb { label: name.clone(), href: None }];
    let is_refused = !errors.is_empty();
    let notice_tone = if state.tone == Tone::Neutral { Tone::Info } else { state.tone };
    let remote = remote.map(|href| {
        view! { <p><a href=href rel="external noopener noreferrer">"Open it on the network"</a></p> }
    });
    let facts = facts.into_iter().map(|(term, value)| Definition::new(term, value)).collect::<Vec<_>>();
    let has_acts = !acts.is_empty() || waits.is_some();
    let html = view! {
        <ErrorSummary errors />
        <PageHeader
            title=name
            subtitle
            actions=view! {
                {state.badge()}
                <LinkButton href=content_href>"Post"</LinkButton>
                <LinkButton href=account_href>"Account"</LinkButton>
            }
            .into_any()
        />
        <Notice tone=notice_tone><strong>{standing}</strong></Notice>
        {has_acts.then(|| decisions(acts, waits, &path, &version))}
        {(!gates.is_empty()).then(|| gate_card(gates, question))}
        <div class="l-grid" data-columns="2">
            <Card title="What and where">
                <div class="l-stack" data-gap="3">
                    <DefinitionList items=facts />
                    {remote}
                </div>
            </Card>
            {attempt_card(attempts, &zone)}
        </div>
        {history_card(history, zone)}
    };
    Drawn::new(crumbs, is_refused, html)
}

fn decisions(acts: Vec<ActView>, waits: Option<String>, path: &str, version: &str) -> AnyView {
    let forms = acts
        .into_iter()
        .map(|act| {
            let ActView { choice, text, verb, variant, field } = act;
            let field = field.map(|field| {
                let ActField { label, name, kind, value, hint, error } = field;
                view! { <Field label name kind value hint error maxlength="500" id=format!("field-{name}") /> }
            });
            view! {
                <form
                    class="c-publish-act"
                    data-choice=choice
                    method="post"
                    action=format!("{path}/decide")
                    autocomplete="off"
                >
                    <input type="hidden" name="version" value=version.to_owned() />
                    <div class="c-publish-act__words">
                        <p>{text}</p>
                        {field}
                    </div>
                    <Button variant name="choice" value=choice>{verb}</Button>
                </form>
            }
        })
        .collect_view();
    let waits = waits.map(|text| view! { <p class="u-muted u-small">{text}</p> });
    view! {
        <Card title="What you can decide">
            <div class="c-publish-acts">{forms}</div>
            {waits}
        </Card>
    }
    .into_any()
}

fn gate_card(gates: Vec<GateView>, question: String) -> AnyView {
    let rows = gates
        .into_iter()
        .enumerate()
        .map(|(index, gate)| {
            let tone = gate.finding.tone();
            let is_unset = gate.set.is_none();
            view! {
                <tr data-gate=gate.key data-finding=gate.finding.key() data-deciding=gate.is_deciding.then_some("true")>
                    <th scope="row" class="u-nowrap">{format!("{}. {}", index + 1, gate.label)}</th>
                    <td data-label="Verdict">
                        <span class="l-cluster" data-gap="1">
                            <Badge tone>{gate.verdict}</Badge>
                            {gate.is_deciding.then(|| view! { <Badge tone=Tone::Info>"Decides"</Badge> })}
                        </span>
                    </td>
                    <td data-label="What it says">{gate.value}</td>
                    <td data-label="Set by" data-empty=is_unset.then_some("true")>
                        {gate.set.unwrap_or_else(|| "—".into())}
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card title=question text="Every gate on the way out, in the order in which they are asked." flush=true>
            <Table caption="Gates in their order" id="gates">
                <thead>
                    <tr>
                        <th scope="col">"Gate"</th>
                        <th scope="col">"Verdict"</th>
                        <th scope="col">"What it says"</th>
                        <th scope="col">"Set by"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        </Card>
    }
    .into_any()
}

fn attempt_card(attempts: Vec<AttemptView>, zone: &str) -> AnyView {
    if attempts.is_empty() {
        return view! {
            <Card title="Attempts">
                <p class="u-muted">"Nothing has been sent yet."</p>
            </Card>
        }
        .into_any();
    }
    let items = attempts
        .into_iter()
        .map(|attempt| {
            let tone = attempt.state.tone;
            let times = attempt.times.into_iter().map(|(term, value)| Definition::new(term, value)).collect::<Vec<_>>();
            let late = attempt.is_late.then(|| {
                view! { <p><Badge tone=Tone::Danger>"Late egress"</Badge>" A switch was engaged while it was being sent."</p> }
            });
            view! {
                <li class="c-publish-attempt l-stack" data-gap="2" data-attempt=attempt.number.clone() data-state=attempt.state.key>
                    <p class="l-cluster">
                        <strong>{format!("Attempt {}", attempt.number)}</strong>
                        <Badge tone>{attempt.state.label}</Badge>
                    </p>
                    {attempt.outcome.map(|outcome| view! { <p>{outcome}</p> })}
                    {late}
                    <DefinitionList items=times />
                    <p class="u-muted u-small">{attempt.detail}</p>
                </li>
            }
        })
        .collect_view();
    view! {
        <Card title="Attempts" text=format!("Times in {zone}.")>
            <ol class="c-publish-attempts">{items}</ol>
        </Card>
    }
    .into_any()
}

fn history_card(history: Vec<EventView>, zone: String) -> AnyView {
    let rows = history
        .into_iter()
        .map(|event| {
            view! {
                <tr>
                    <td data-label="When" class="u-nowrap"><time datetime=event.at_utc>{event.at}</time></td>
                    <th scope="row" data-label="What">
                        {event.what}
                        {event.detail.map(|detail| view! { <span class="c-table__detail c-publish-note">{detail}</span> })}
                    </th>
                    <td data-label="Who">{event.who}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card title="History" flush=true>
            <Table caption="What happened, newest first" id="history">
                <thead>
                    <tr>
                        <th scope="col">{format!("When ({zone})")}</th>
                        <th scope="col">"What"</th>
                        <th scope="col">"Who"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        </Card>
    }
    .into_any()
}
