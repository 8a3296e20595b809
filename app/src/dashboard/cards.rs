//! The cards with the KPIs, and how a change is shown.

use leptos::prelude::*;
use rtv_ui::{Direction, Judgement, KpiCard, KpiChange, KpiDelta, KpiGrid, Sparkline};

use crate::dashboard::{CardView, ChangeView};

/// All cards, in the order of the catalogue.
#[component]
pub fn Cards(cards: Vec<CardView>) -> impl IntoView {
    let cards = cards
        .into_iter()
        .map(|card| {
            let sparkline = card.spark.map(|spark| Sparkline {
                line: spark.line,
                area: spark.area,
                running: spark.running,
                text: spark.text,
            });
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
                    sparkline
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
