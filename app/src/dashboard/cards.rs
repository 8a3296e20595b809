//! The cards with the KPIs.

use leptos::prelude::*;
use rtv_ui::{Direction, Judgement, KpiCard, KpiChange, KpiGrid, SparkPath};

use crate::dashboard::CardView;

/// All cards, in the order of the catalogue.
#[component]
pub fn Cards(cards: Vec<CardView>) -> impl IntoView {
    let cards = cards
        .into_iter()
        .map(|card| {
            let change = card.change.map(|change| KpiChange {
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
            });
            view! {
                <KpiCard
                    key=card.key
                    label=card.label
                    definition=card.definition
                    value=card.value
                    exact=card.exact
                    href=card.href
                    change
                    missing=card.missing
                    coverage=card.coverage
                    basis=card.basis
                    note=card.note
                    sparkline=SparkPath::through(&card.daily)
                />
            }
        })
        .collect_view();
    view! { <KpiGrid title="Key figures">{cards}</KpiGrid> }
}
