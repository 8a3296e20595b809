//! What a receipt reads, and how that is put into words.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use rtv_core::Error;
use rtv_domain::kill_switch::{self, Call, Receipt, SenderProof, State};
use rtv_ui::{Definition, Tally, Tone};

use super::{AcknowledgedView, CallView, drawn};
use crate::kill_switch::desk::{Desk, by, id, reason, release_way};
use crate::kill_switch::present::{House, count, milliseconds, state_words, switch_state, took};

/// The page, drawn.
pub(in crate::kill_switch) async fn page(desk: &Desk<'_>, text: &str) -> Result<AnyView, Error> {
    let house = &desk.house;
    let found = kill_switch::receipt(desk.side, id(text)?).await?;
    let engaged = if found.is_engaged { kill_switch::one(desk.side, found.switch).await.ok() } else { None };
    // A halt that is over has stood: what became of it is said beside it.
    let state = switch_state(found.state);
    let is_moving = matches!(found.state, State::Halting { .. }) || (found.is_engaged && found.completed_at.is_none());
    let state_words = match (found.is_engaged, found.released_at) {
        (false, Some(at)) => format!("{}, resumed {}", state.word(), house.time(at, desk.now)),
        _ => state_words(state, found.part.calls_in_flight),
    };
    let note = match (found.completed_at, is_moving) {
        (Some(at), _) => Some(format!("Complete since {}. It stays as it is.", house.instant(at))),
        (None, true) => Some(
            "This receipt is not complete yet: it follows what happens until everything has an outcome.".to_owned(),
        ),
        (None, false) => None,
    };
    let page = super::Receipt {
        scope: found.name.clone(),
        state,
        state_words,
        subtitle: format!("{} · {}", found.halt, house.instant(found.clicked_at)),
        is_moving,
        tallies: tallies(house, &found),
        facts: receipt_facts(house, &found),
        ticket: found.facts.ticket.clone(),
        note,
        calls: found.part.calls.iter().map(|call| call_view(desk, call)).collect(),
        senders: found.senders.iter().map(|one| acknowledged(one, found.clicked_at)).collect(),
        json_href: house.below(format_args!("halts/{}/receipt.json", found.halt)),
        back_href: house.path(),
        release: engaged.as_ref().map(|one| release_way(desk, one)),
    };
    Ok(drawn(page))
}

/// Longest that a halt may take, in milliseconds.
const LIMIT_MS: f64 = 2_500.0;

/// The four figures of a receipt.
fn tallies(house: &House, found: &Receipt) -> Vec<Tally> {
    let part = &found.part;
    let tally = |key: &str, label: &str, value: String, exact: String, note: Option<String>, is_bad: bool| Tally {
        key: key.into(),
        label: label.into(),
        value,
        exact,
        note: note.into(),
        tone: if is_bad { Tone::Danger } else { Tone::Neutral },
    };
    let late = part.calls.iter().filter(|call| call.is_late).count();
    let last = part.last_outbound_byte_at;
    let took_ms = found.click_to_halt_ms;
    vec![
        tally("held", "Deliveries held", part.held.to_string(), part.held.to_string(), None, false),
        tally(
            "in-flight",
            "In flight at the press",
            part.calls_in_flight.to_string(),
            part.calls_in_flight.to_string(),
            (late > 0).then(|| format!("{late} of them left bytes after it")),
            late > 0,
        ),
        tally(
            "last-byte",
            "Last outbound byte",
            last.map_or_else(|| "None".to_owned(), |at| house.to_the_second(at)),
            last.map(|at| at.to_rfc3339()).unwrap_or_default(),
            None,
            false,
        ),
        tally(
            "click-to-halt",
            "From press to standstill",
            took(took_ms),
            took_ms.map(|ms| format!("{ms:.1}")).unwrap_or_default(),
            Some("Limit 2.5 s".into()),
            took_ms.is_some_and(|ms| ms > LIMIT_MS),
        ),
    ]
}

fn receipt_facts(house: &House, found: &Receipt) -> Vec<Definition> {
    let exactly = |at: DateTime<Utc>| format!("{} {}", house.instant(at), seconds(at));
    let mut facts = vec![
        Definition::new("Scope", found.name.clone()),
        Definition::new("Halted by", by(&found.facts)),
        Definition::new("Pressed", exactly(found.clicked_at)),
        Definition::new("At a standstill", found.halted_at.map_or_else(|| "Not yet".to_owned(), exactly)),
        Definition::new("Reason", reason(&found.facts)),
        Definition::new("Due within 24 h", count(found.part.due_within_a_day, "delivery", "deliveries")),
    ];
    if let Some(at) = found.released_at {
        let who = match (&found.released_by, &found.approved_by) {
            (Some(by), Some(second)) => format!("{by} and {second}"),
            (Some(by), None) => by.clone(),
            (None, _) => "somebody".to_owned(),
        };
        facts.push(Definition::new("Resumed", format!("{}, by {who}", house.instant(at))));
        facts.extend(found.release_reason.clone().map(|why| Definition::new("Why it was resumed", why)));
    }
    facts
}

/// The seconds of an instant that is told beside them, because the order within a minute matters here.
fn seconds(at: DateTime<Utc>) -> String {
    at.format("(second %S%.3f)").to_string()
}

fn acknowledged(one: &SenderProof, clicked_at: DateTime<Utc>) -> AcknowledgedView {
    let (how, at) = match (one.acknowledged_at, one.lapsed_at) {
        (Some(at), _) => ("Acknowledged", Some(at)),
        (None, Some(at)) => ("Its lease lapsed", Some(at)),
        (None, None) => ("Not known yet", None),
    };
    AcknowledgedView {
        name: one.name.clone(),
        how: how.into(),
        after: at.map_or_else(
            || rtv_domain::format::MISSING.to_owned(),
            |at| milliseconds((at - clicked_at).num_milliseconds().max(0)),
        ),
    }
}

fn call_view(desk: &Desk<'_>, call: &Call) -> CallView {
    let tone = match call.state.as_str() {
        "confirmed" => Tone::Success,
        "accepted" => Tone::Info,
        "unknown" | "sending" => Tone::Warning,
        "rejected" => Tone::Danger,
        _ => Tone::Neutral,
    };
    let outcome = call.outcome.clone().unwrap_or_else(|| call.state.replace('_', " "));
    let href = match &desk.house {
        House::Tenant { slug, .. } => Some(format!("/t/{slug}/deliveries/{}", call.delivery)),
        House::Staff => None,
    };
    CallView {
        delivery: format!("{}, attempt {}", call.delivery, call.attempt),
        href,
        account: format!("{}, {}", call.account, call.platform.label()),
        began: call.first_byte_at.map_or_else(|| "No byte left".to_owned(), |at| desk.house.to_the_second(at)),
        outcome: if call.is_late { format!("{outcome}; bytes left after the press") } else { outcome },
        tone: if call.is_late { Tone::Danger } else { tone },
    }
}
