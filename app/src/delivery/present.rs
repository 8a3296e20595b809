//! From the domain's deliveries to the rows, gates and sentences that people read. Runs on the server only.

use chrono::{DateTime, Utc};
use leptos::prelude::use_context;
use rtv_core::delivery::{AttemptState, Decision, State};
use rtv_core::{Error, Permission, Platform};
use rtv_domain::TenantContext;
use rtv_domain::content;
use rtv_domain::delivery::why::{self, Gate, Verdict};
use rtv_domain::delivery::{self, Attempt, Delivery, HistoryLine, Listed, Query};
use rtv_domain::format::Format;
use rtv_ui::{TabLink, Tone, Variant};

use crate::account::SandboxPage;
use crate::delivery::list::{Deliveries, DeliveryRow};
use crate::delivery::one::{ActField, ActView, AttemptView, DeliveryView, EventView, Finding, GateView};
use crate::page::Flash;
use crate::publish::present::{
    Pairs, account_choices, account_label, address, beginning, choices, local, local_time, machine_time, named, parsed,
    refuse_account, state_view, time_hint, value,
};
use crate::publish::{Filter, StateView};

/// The list.
pub(super) async fn list(ctx: &TenantContext, pairs: &Pairs) -> Result<Deliveries, Error> {
    let offered = content::choices(ctx).await?;
    let mut errors = Vec::new();
    let query = Query {
        state: parsed(pairs, "state", &mut errors),
        platform: parsed(pairs, "platform", &mut errors),
        account: parsed(pairs, "account", &mut errors),
        after: parsed(pairs, "after", &mut errors),
    };
    refuse_account(query.account, &offered, &mut errors);
    let (state, platform, account) = (value(pairs, "state"), value(pairs, "platform"), value(pairs, "account"));
    let mut known: Vec<Platform> = offered.accounts.iter().map(|one| one.platform).collect();
    known.sort_unstable();
    known.dedup();
    let is_narrowed = !(platform.is_empty() && account.is_empty());
    let platforms = choices(platform, "All", known.iter().map(|one| (one.key().to_owned(), one.label().to_owned())));
    let mut page = Deliveries {
        counts: Vec::new(),
        hidden: [("state", state)].map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        filters: vec![
            Filter { label: "Platform", name: "platform", choices: platforms },
            Filter { label: "Account", name: "account", choices: account_choices(account, &offered) },
        ],
        errors: Vec::new(),
        is_filtered: is_narrowed,
        has_any: true,
        zone: ctx.tenant().zone.to_string(),
        rows: Vec::new(),
        summary: String::new(),
        first: None,
        next: None,
    };
    page.hidden.retain(|(_, value)| !value.is_empty());
    let path = format!("/t/{}/deliveries", ctx.tenant().slug);
    let parameters = |state: &str, after: &str| {
        address(&path, &[("state", state), ("platform", platform), ("account", account), ("after", after)])
    };
    if !errors.is_empty() {
        crate::request::set_status(422);
        page.counts = tabs(&Format::of(ctx.tenant()), &[], query.state, |state| parameters(state, ""));
        page.errors = named(errors);
        return Ok(page);
    }
    let listing = delivery::list(ctx, &query).await?;
    let format = Format::of(ctx.tenant());
    page.counts = tabs(&format, &listing.counts, query.state, |state| parameters(state, ""));
    page.has_any = is_narrowed || listing.counts.iter().any(|(_, count)| *count > 0);
    page.summary = match listing.items.len() {
        1 => "1 delivery".into(),
        shown => format!("{shown} deliveries"),
    };
    page.rows = listing.items.iter().map(|one| row(&path, &format, one)).collect();
    page.first = query.after.map(|_| parameters(state, ""));
    page.next = listing.next.map(|next| parameters(state, &next.to_string()));
    Ok(page)
}

/// The states with their counts. One without any is left out, unless it is shown.
fn tabs(format: &Format, counts: &[(State, i64)], shown: Option<State>, link: impl Fn(&str) -> String) -> Vec<TabLink> {
    let count = |state: State| counts.iter().find(|(one, _)| *one == state).map_or(0, |(_, count)| *count);
    let all = TabLink {
        label: "All".into(),
        count: format.count(counts.iter().map(|(_, count)| count).sum()).into(),
        href: link(""),
        current: shown.is_none(),
    };
    let of_states =
        State::ALL.iter().copied().filter(|state| count(*state) > 0 || shown == Some(*state)).map(|state| TabLink {
            label: state.label().into(),
            count: format.count(count(state)).into(),
            href: link(state.key()),
            current: shown == Some(state),
        });
    core::iter::once(all).chain(of_states).collect()
}

fn row(path: &str, format: &Format, one: &Listed) -> DeliveryRow {
    let at = if one.state == State::Scheduled { one.goes_out_at } else { one.due_at };
    let why = match one.state {
        State::Scheduled => one.why_not_earlier.clone(),
        State::Held => one.hold.map(|reason| format!("{}.", reason.label())),
        State::Rejected | State::Unknown | State::NeedsPerson | State::Missed => one.outcome.clone(),
        State::Draft
        | State::InReview
        | State::Approved
        | State::Claimed
        | State::Sending
        | State::Accepted
        | State::Confirmed
        | State::Dropped => None,
    };
    DeliveryRow {
        id: one.id.to_string(),
        href: format!("{path}/{}", one.id),
        text: beginning(&one.text),
        account: account_label(&one.account_name, one.platform),
        state: state_view(one.state),
        when: format.clock(at),
        when_utc: machine_time(at),
        why,
    }
}

/// Where the post can be seen: at the address that somebody gave, or on the sandbox network's own pages.
fn remote_address(row: &Listed) -> Option<String> {
    let remote = row.remote_id.as_ref()?;
    if remote.starts_with("https://") || remote.starts_with("http://") {
        return Some(remote.clone());
    }
    let is_plain = remote.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let SandboxPage(sandbox) = use_context::<SandboxPage>()?;
    (row.platform == Platform::Sandbox && is_plain).then(|| format!("{}/p/{remote}", sandbox.trim_end_matches('/')))
}

/// One delivery.
pub(super) async fn one(ctx: &TenantContext, id: &str) -> Result<DeliveryView, Error> {
    let flash = crate::request::current().flash.unwrap_or_default();
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let one = delivery::one(ctx, id).await?;
    let why = why::why(ctx, id).await?;
    // What has come to its end waits for nothing any more.
    let gates = if one.row.state.is_final() { Vec::new() } else { why.gates };
    let format = Format::of(ctx.tenant());
    let slug = &ctx.tenant().slug;
    let row = &one.row;
    let can_decide = ctx.access().grants_somewhere(Permission::DeliveriesDecide);
    let waits = (row.state.is_before_a_person() && !can_decide).then(|| {
        format!(
            "Deciding over it needs the permission “{}”. An owner or admin of this organisation can grant it.",
            Permission::DeliveriesDecide.key()
        )
    });
    let question = match row.state {
        State::Accepted | State::Unknown | State::NeedsPerson | State::Sending => "What stands between it and its end?",
        _ => "Why has this not gone out?",
    };
    Ok(DeliveryView {
        name: beginning(&row.text),
        subtitle: format!(
            "To {}, meant for {}.",
            account_label(&row.account_name, row.platform),
            format.instant(row.scheduled_at)
        ),
        path: format!("/t/{slug}/deliveries/{id}"),
        content_href: format!("/t/{slug}/content/{}", row.content),
        account_href: format!("/t/{slug}/accounts/{}", row.account),
        state: state_view(row.state),
        standing: match one.next_look_at {
            Some(at) => format!("{} RTV looks again {}.", why.summary.trim_end(), format.instant(at)),
            None => why.summary.trim_end().to_owned(),
        },
        question: question.into(),
        gates: gates.into_iter().map(|gate| gate_view(&format, gate, why.deciding)).collect(),
        facts: facts(&format, &one),
        remote: remote_address(row),
        attempts: one.attempts.iter().map(|attempt| attempt_view(&format, attempt)).collect(),
        history: one.history.iter().map(|line| event_view(&format, line)).collect(),
        acts: acts(ctx, &one, &flash),
        waits,
        version: row.version.to_string(),
        zone: ctx.tenant().zone.to_string(),
        errors: flash.errors,
    })
}

fn gate_view(format: &Format, gate: Gate, deciding: Option<&str>) -> GateView {
    let set = match (gate.set_by, gate.set_at) {
        (Some(by), Some(at)) => Some(format!("{by}, {}", format.instant(at))),
        (Some(by), None) => Some(by),
        (None, Some(at)) => Some(format.instant(at)),
        (None, None) => None,
    };
    GateView {
        is_deciding: deciding == Some(gate.key),
        key: gate.key.to_owned(),
        label: gate.label.to_owned(),
        finding: match gate.verdict {
            Verdict::Passes => Finding::Open,
            Verdict::Waits => Finding::Waits,
            Verdict::Stops => Finding::Closed,
        },
        verdict: gate.verdict.label().to_owned(),
        value: capital(&gate.value),
        set,
    }
}

/// A phrase as it begins a cell or a sentence.
fn capital(phrase: &str) -> String {
    let mut letters = phrase.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn facts(format: &Format, one: &Delivery) -> Vec<(String, String)> {
    let row = &one.row;
    let mut facts = vec![("Text".to_owned(), row.text.clone())];
    let mut add = |term: &str, value: Option<String>| facts.extend(value.map(|value| (term.to_owned(), value)));
    add("Link", one.link.clone());
    add("Account", Some(account_label(&row.account_name, row.platform)));
    add("Meant for", Some(format.instant(row.scheduled_at)));
    add("Due", (row.due_at != row.scheduled_at).then(|| format.instant(row.due_at)));
    add("Approved", one.approved.as_ref().map(|(by, at)| format!("{}, by {by}", format.instant(*at))));
    add("Approved for the account", one.approved_remote_id.clone());
    add("Published", one.published_at.map(|at| format.instant(at)));
    add("Read back", one.confirmed_at.map(|at| format.instant(at)));
    add("Id on the network", row.remote_id.clone());
    add(
        "Looked for it",
        (one.looks > 0).then(|| if one.looks == 1 { "once".into() } else { format!("{} times", one.looks) }),
    );
    facts
}

fn attempt_state(state: AttemptState) -> StateView {
    let tone = match state {
        AttemptState::Confirmed => Tone::Success,
        AttemptState::Accepted | AttemptState::Claimed | AttemptState::Sending => Tone::Info,
        AttemptState::Unknown => Tone::Warning,
        AttemptState::Rejected => Tone::Danger,
        AttemptState::Absent | AttemptState::NotSent | AttemptState::Dropped => Tone::Neutral,
    };
    StateView { key: state.key().into(), label: state.label().into(), tone }
}

fn attempt_view(format: &Format, attempt: &Attempt) -> AttemptView {
    let times: [(&str, Option<DateTime<Utc>>); 5] = [
        ("Taken", Some(attempt.claimed_at)),
        ("Meant to send", attempt.sending_at),
        ("First byte left", attempt.first_byte_at),
        ("Last byte left", attempt.last_byte_at),
        ("Answered", attempt.answered_at),
    ];
    AttemptView {
        number: attempt.number.to_string(),
        state: attempt_state(attempt.state),
        outcome: attempt.outcome.clone(),
        times: times
            .into_iter()
            .filter_map(|(word, at)| at.map(|at| (word.to_owned(), format.exact_clock(at))))
            .collect(),
        detail: format!(
            "Sender {}, epoch of the switches {}, key {}",
            attempt.sender, attempt.switch_epoch, attempt.idempotency_key
        ),
        is_late: attempt.is_late_egress,
    }
}

fn event_view(format: &Format, line: &HistoryLine) -> EventView {
    let way = match line.from {
        Some(from) if from != line.to => Some(format!("{} → {}", from.label(), line.to.label())),
        Some(_) => None,
        None => Some(line.to.label().to_owned()),
    };
    let detail = [way, line.detail.clone()].into_iter().flatten().collect::<Vec<_>>().join(". ");
    EventView {
        at: format.exact_clock(line.at),
        at_utc: machine_time(line.at),
        what: capital(&line.what),
        who: line.who.clone(),
        detail: (!detail.is_empty()).then_some(detail),
    }
}

/// What a person may decide, in the words of where it stands: over what may be out they say what they have seen.
fn acts(ctx: &TenantContext, one: &Delivery, flash: &Flash) -> Vec<ActView> {
    let is_out = one.row.may_be_out;
    let has_left = one.row.attempt_no > 0 || one.row.state.is_before_a_person();
    let mut decisions = one.decisions.clone();
    // What was seen comes first, and what cannot be taken back last.
    decisions.sort_by_key(|decision| match decision {
        Decision::ItIsThere => 0,
        Decision::SendNow | Decision::Reschedule | Decision::ReturnToApproval => 1,
        Decision::Drop => 2,
    });
    decisions
        .iter()
        .map(|decision| {
            let field = match decision {
                Decision::ItIsThere => Some(ActField {
                    label: "Its address or id there, if you know it",
                    name: "remote",
                    kind: "text",
                    value: flash.value("remote").unwrap_or_default(),
                    hint: None,
                    error: flash.error("remote"),
                }),
                Decision::Reschedule => Some(ActField {
                    label: "New time",
                    name: "at",
                    kind: "datetime-local",
                    value: local_time(flash.value("at").unwrap_or_else(|| local(ctx, one.row.due_at))),
                    hint: Some(time_hint(ctx)),
                    error: flash.error("at"),
                }),
                Decision::SendNow | Decision::ReturnToApproval | Decision::Drop => None,
            };
            let (text, verb, variant) = match (decision, is_out) {
                (Decision::ItIsThere, _) => {
                    ("You have looked, and it is on the network.", "It is out there", Variant::Primary)
                }
                (Decision::SendNow, true) => (
                    "You have looked, and it is not on the network. It is sent once more, at once.",
                    "It is not: send it now",
                    Variant::Neutral,
                ),
                (Decision::SendNow, false) => {
                    ("It goes out at once, as it was approved.", "Send now", Variant::Neutral)
                }
                (Decision::Reschedule, true) => (
                    "You have looked, and it is not on the network. It is sent at another time.",
                    "It is not: reschedule",
                    Variant::Neutral,
                ),
                (Decision::Reschedule, false) => {
                    ("It goes out at another time, as it was approved.", "Reschedule", Variant::Neutral)
                }
                (Decision::ReturnToApproval, true) => (
                    "You have looked, and it is not on the network. Somebody approves it again.",
                    "It is not: return to approval",
                    Variant::Neutral,
                ),
                (Decision::ReturnToApproval, false) => {
                    ("Somebody has to approve it again before it goes out.", "Return to approval", Variant::Neutral)
                }
                (Decision::Drop, true) => {
                    ("Leave it as it is: RTV sends nothing more and looks no more.", "Leave it", Variant::Danger)
                }
                (Decision::Drop, false) if has_left => ("It does not go out any more.", "Drop it", Variant::Danger),
                (Decision::Drop, false) => ("It does not go out to this account.", "Cancel sending", Variant::Danger),
            };
            ActView { choice: decision.key(), text, verb, variant, field }
        })
        .collect()
}
