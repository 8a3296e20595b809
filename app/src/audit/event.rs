//! `/t/{tenant}/audit/{event}`: one event, what it changed, and its place in the chain of hashes.

use leptos::prelude::*;
use rtv_ui::{Badge, Card, Crumb, Definition, DefinitionList, Diff, FieldChange, LinkButton, Notice, PageHeader, Tone};

use crate::audit::list::ResultView;
use crate::page::{Drawn, Framed};

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    pub(super) action: String,
    pub(super) subtitle: String,
    pub(super) result: ResultView,
    pub(super) facts: Vec<(String, String)>,
    /// Field, before, after.
    pub(super) changes: Vec<(String, Option<String>, Option<String>)>,
    /// What to say where nothing is shown as changed.
    pub(super) no_changes: String,
    pub(super) is_dropped: bool,
    /// Its place in the chain; `None` while it waits for it.
    pub(super) seal: Option<Vec<(String, String)>>,
    /// Words and addresses of lists around it.
    pub(super) links: Vec<(String, String)>,
}

fn definitions(pairs: Vec<(String, String)>) -> Vec<Definition> {
    pairs.into_iter().map(|(term, value)| Definition::new(term, value)).collect()
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<AuditEvent>) -> Drawn {
    let content = page.content;
    let AuditEvent { action, subtitle, result, facts, changes, no_changes, is_dropped, seal, links } = content;
    let crumbs = vec![Crumb { label: action.clone(), href: None }];
    let tone = result.tone();
    let dropped = is_dropped.then(|| {
        view! {
            <Notice tone=Tone::Info>
                "The details of this event were dropped when their time was over. Their hash is still part of the chain."
            </Notice>
        }
    });
    let diff = if changes.is_empty() {
        view! { <p class="u-muted">{no_changes}</p> }.into_any()
    } else {
        let changes = changes
            .into_iter()
            .map(|(field, before, after)| FieldChange { field, before: before.into(), after: after.into() })
            .collect::<Vec<_>>();
        view! { <Diff caption="What the event changed" changes /> }.into_any()
    };
    let seal = match seal {
        Some(seal) => view! { <DefinitionList items=definitions(seal) /> }.into_any(),
        None => view! {
            <p class="u-muted" data-seal="waiting">"This event has not been sealed yet. That takes a few seconds; load the page again."</p>
        }
        .into_any(),
    };
    let links = links
        .into_iter()
        .map(|(words, href)| view! { <LinkButton href small=true>{words}</LinkButton> })
        .collect_view();
    let html = view! {
            <PageHeader
                title=action
                subtitle
                actions=view! { <Badge tone>{result.label}</Badge> }.into_any()
            />
            {dropped}
            <Card title="Before and after">{diff}</Card>
            <div class="l-grid" data-columns="2">
                <Card title="About this event">
                    <div class="l-stack" data-gap="3">
                        <DefinitionList items=definitions(facts) />
                        <div class="l-cluster">{links}</div>
                    </div>
                </Card>
                <Card title="Seal" text="With these numbers the event can be found in an exported log.">{seal}</Card>
            </div>
    };
    Drawn::new(crumbs, false, html)
}
