//! The receipt of a halt: what was held, what was in flight and what became of it, when the last byte left, and how long it took
//! from the press to the standstill. While the halt is under way the page follows it.

pub(super) mod present;

use leptos::prelude::*;
use rtv_ui::{
    Badge, Card, Definition, DefinitionList, LinkButton, Notice, PageHeader, SwitchBadge, SwitchState, Table, Tally,
    TallyList, Tone,
};

use super::overview::{ReleaseWay, state_key, ticket_link};

/// Everything that the page shows.
pub(super) struct Receipt {
    pub(super) scope: String,
    pub(super) state: SwitchState,
    pub(super) state_words: String,
    /// The sentence under the heading.
    pub(super) subtitle: String,
    /// Whether the page loads itself again where no script does.
    pub(super) is_moving: bool,
    pub(super) tallies: Vec<Tally>,
    pub(super) facts: Vec<Definition>,
    pub(super) ticket: Option<String>,
    /// What the receipt does not say yet, and why.
    pub(super) note: Option<String>,
    pub(super) calls: Vec<CallView>,
    pub(super) senders: Vec<AcknowledgedView>,
    pub(super) json_href: String,
    pub(super) back_href: String,
    pub(super) release: Option<ReleaseWay>,
}

/// A call that was under way.
pub(super) struct CallView {
    pub(super) delivery: String,
    pub(super) href: Option<String>,
    pub(super) account: String,
    pub(super) began: String,
    pub(super) outcome: String,
    pub(super) tone: Tone,
}

/// When a process took note.
pub(super) struct AcknowledgedView {
    pub(super) name: String,
    pub(super) how: String,
    pub(super) after: String,
}

/// The page, drawn.
pub(super) fn drawn(page: Receipt) -> AnyView {
    let Receipt {
        scope,
        state,
        state_words,
        subtitle,
        is_moving,
        tallies,
        facts,
        ticket,
        note,
        calls,
        senders,
        json_href,
        back_href,
        release,
    } = page;
    // As text: inside of a page with a script browsers take it for text too.
    let again =
        is_moving.then(|| view! { <noscript inner_html="<meta http-equiv=\"refresh\" content=\"2\">"></noscript> });
    let resume = release.map(|release| match release {
        ReleaseWay::Open(href) => view! { <LinkButton href>"Resume…"</LinkButton> }.into_any(),
        ReleaseWay::Waits { words, href } => view! {
            <span class="u-small">{words}</span>
            <LinkButton href>"See the request"</LinkButton>
        }
        .into_any(),
        ReleaseWay::Closed(words) => view! { <span class="u-muted u-small">{words}</span> }.into_any(),
    });
    let ticket = ticket.map(ticket_link);
    view! {
        {again}
        <PageHeader
            title=format!("Receipt: {scope}")
            subtitle
            actions=view! {
                {resume}
                <LinkButton href=json_href external=true>"Export as JSON"</LinkButton>
            }
            .into_any()
        />
        <section class="c-standing" data-state=state_key(state) data-follows=if is_moving { "moving" } else { "true" } aria-label="State">
            <SwitchBadge state text=state_words />
            <a class="u-small" href=back_href>"All kill switches"</a>
        </section>
        {note.map(|note| view! { <Notice tone=Tone::Info>{note}</Notice> })}
        <TallyList tallies />
        <div class="l-grid" data-columns="2">
            <Card title="The halt">
                <DefinitionList items=facts />
                {ticket}
            </Card>
            {sender_card(senders)}
        </div>
        {call_card(calls)}
    }
    .into_any()
}

fn sender_card(senders: Vec<AcknowledgedView>) -> AnyView {
    if senders.is_empty() {
        return view! {
            <Card title="Processes that send">
                <p class="u-muted">"None was running, so nothing could leave."</p>
            </Card>
        }
        .into_any();
    }
    let rows = senders
        .into_iter()
        .map(|one| {
            view! {
                <tr>
                    <th scope="row">{one.name}</th>
                    <td data-label="How it stopped">{one.how}</td>
                    <td data-label="After" class="u-number">{one.after}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card title="Processes that send" flush=true>
            <Table caption="When each took note" id="acknowledged" compact=true>
                <thead>
                    <tr>
                        <th scope="col">"Process"</th>
                        <th scope="col">"How it stopped"</th>
                        <th scope="col" class="u-number">"After"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        </Card>
    }
    .into_any()
}

fn call_card(calls: Vec<CallView>) -> AnyView {
    if calls.is_empty() {
        return view! {
            <Card title="Calls in flight">
                <p class="u-muted">"None was under way when the halt began."</p>
            </Card>
        }
        .into_any();
    }
    let rows = calls
        .into_iter()
        .map(|call| {
            let name = match call.href {
                Some(href) => view! { <a href=href>{call.delivery}</a> }.into_any(),
                None => call.delivery.into_any(),
            };
            view! {
                <tr>
                    <th scope="row">{name}</th>
                    <td data-label="Account">{call.account}</td>
                    <td data-label="Began" class="u-nowrap">{call.began}</td>
                    <td data-label="What became of it"><Badge tone=call.tone>{call.outcome}</Badge></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card title="Calls in flight" text="What had begun before the halt cannot be called back; each is followed to its outcome." flush=true>
            <Table caption="Calls in flight" id="calls">
                <thead>
                    <tr>
                        <th scope="col">"Delivery"</th>
                        <th scope="col">"Account"</th>
                        <th scope="col">"Began"</th>
                        <th scope="col">"What became of it"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        </Card>
    }
    .into_any()
}
