//! The cards with the KPIs, and how a change is shown. Runs on the server only.

use leptos::prelude::*;
use rtv_ui::{Direction, Judgement, KpiCard, KpiChange, KpiDelta, KpiGrid, Sparkline};

/// One KPI.
#[derive(Debug)]
pub struct CardView {
    /// Its key.
    pub key: String,
    /// Its name.
    pub label: String,
    /// What it counts.
    pub definition: String,
    /// As people read it.
    pub value: String,
    /// Exact, empty where it is missing.
    pub exact: String,
    /// The posts behind it.
    pub href: Option<String>,
    /// How it changed.
    pub change: Option<ChangeView>,
    /// Why it is missing.
    pub missing: Option<String>,
    /// From how much data it comes.
    pub coverage: Option<String>,
    /// Whether it is what happened in the period, or what posts have by now.
    pub basis: String,
    /// What else is to be known.
    pub note: Option<String>,
    /// The line in the card.
    pub spark: Option<Sparkline>,
}

/// How a KPI changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeView {
    /// By how much.
    pub text: String,
    /// −1, 0 or 1; 2 is new.
    pub direction: i8,
    /// Whether that is good; `None` where neither is.
    pub is_better: Option<bool>,
    /// Compared with what.
    pub sentence: String,
}

/// All cards, in the order of the catalogue.
#[component]
pub fn Cards(cards: Vec<CardView>) -> impl IntoView {
    let cards = cards
        .into_iter()
        .map(|card| {
            view! {
                <KpiCard
                    key=card.key
                    label=card.label
                    definition=card.definition
                    value=card.value
                    exact=card.exact
                    href=card.href
                    change=card.change.map(words)
                    missing=card.missing
                    coverage=card.coverage
                    basis=card.basis
                    note=card.note
                    sparkline=card.spark
                />
            }
        })
        .collect_view();
    view! { <KpiGrid title="Key figures">{cards}</KpiGrid> }
}

/// The size of a change with its arrow and colour; its sentence is for screen readers.
#[component]
pub fn Delta(change: ChangeView) -> impl IntoView {
    view! { <KpiDelta change=words(change) /> }
}

fn words(change: ChangeView) -> KpiChange {
    KpiChange {
        text: change.text,
        direction: match change.direction {
            2 => Direction::New,
            1 => Direction::Up,
            -1 => Direction::Down,
            _ => Direction::Flat,
        },
        judgement: match change.is_better {
            Some(true) => Judgement::Better,
            Some(false) => Judgement::Worse,
            None => Judgement::Neutral,
        },
        sentence: change.sentence,
    }
}
