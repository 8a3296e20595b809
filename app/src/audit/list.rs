//! The list of the audit log, drawn.

use leptos::prelude::*;
use rtv_ui::{
    Badge, Button, Card, EmptyState, ErrorSummary, Field, FilterBar, IconName, LinkButton, Notice, PageHeader, Pager,
    SelectField, Table, Tone, Variant,
};

use crate::dashboard::{AddressForm, ChoiceView, day, select_options};
use crate::page::{Drawn, Framed};

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    pub(super) filter: FilterView,
    pub(super) errors: Vec<(String, String)>,
    pub(super) is_refused: bool,
    pub(super) is_filtered: bool,
    /// The zone of the times.
    pub(super) zone: String,
    pub(super) rows: Vec<EventRow>,
    pub(super) summary: String,
    /// Where a page stopped before it was full.
    pub(super) note: Option<String>,
    pub(super) first: Option<String>,
    pub(super) next: Option<String>,
    /// How far the log is sealed and signed, in sentences.
    pub(super) sealing: Vec<String>,
    /// Whether something should have been sealed by now and was not.
    pub(super) is_late: bool,
    pub(super) exports: Option<Exports>,
    pub(super) retention: RetentionView,
}

/// The filters as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilterView {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) actor: String,
    pub(super) actions: Vec<ChoiceView>,
    pub(super) resource: String,
    pub(super) results: Vec<ChoiceView>,
    pub(super) address: String,
}

/// One event in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    pub(super) id: String,
    pub(super) href: String,
    /// In the tenant's zone.
    pub(super) at: String,
    /// In UTC.
    pub(super) at_utc: String,
    pub(super) actor: String,
    /// What kind of actor, and from where.
    pub(super) actor_detail: String,
    pub(super) action: String,
    pub(super) resource: String,
    pub(super) result: ResultView,
    pub(super) detail: Option<String>,
}

/// How an act ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultView {
    pub(super) key: String,
    pub(super) label: String,
}

impl ResultView {
    pub(super) fn tone(&self) -> Tone {
        match self.key.as_str() {
            "success" => Tone::Success,
            "denied" => Tone::Warning,
            _ => Tone::Danger,
        }
    }
}

/// Addresses of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exports {
    /// The whole sealed log.
    pub(super) json_lines: String,
    /// The events that the filters pick.
    pub(super) csv: String,
}

/// For how long details are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetentionView {
    /// What the field holds.
    pub(super) days: String,
    pub(super) version: String,
    /// What holds now, in sentences.
    pub(super) about: Vec<String>,
    /// How many days are accepted.
    pub(super) hint: String,
    pub(super) fewest: String,
    pub(super) most: String,
    pub(super) can_change: bool,
    /// The permission to change it.
    pub(super) needed: String,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<Audit>) -> Drawn {
    let Framed { frame, content } = page;
    let path = format!("/t/{}/audit", frame.slug);
    let Audit {
        filter,
        errors,
        is_refused,
        is_filtered,
        zone,
        rows,
        summary,
        note,
        first,
        next,
        sealing,
        is_late,
        exports,
        retention,
    } = content;
    let is_past_the_first = first.is_some();
    let list = if is_refused && rows.is_empty() && summary.is_empty() {
        ().into_any()
    } else if rows.is_empty() && next.is_none() && !is_past_the_first {
        let (title, text) = if is_filtered {
            (
                "No event matches",
                "Nothing in the log fits all of the filters. Who acted and what it was done to must be written in full; take a filter out to see more.",
            )
        } else {
            (
                "Nothing has happened yet",
                "Every change, sign-in, export and refusal in this organisation will be listed here, with who did it and from where.",
            )
        };
        let action =
            is_filtered.then(|| view! { <LinkButton href=path.clone()>"Show all events"</LinkButton> }.into_any());
        match action {
            Some(action) => view! { <EmptyState icon=IconName::Audit title text action /> }.into_any(),
            None => view! { <EmptyState icon=IconName::Audit title text /> }.into_any(),
        }
    } else {
        view! {
            {note.map(|note| view! { <Notice tone=Tone::Info>{note}</Notice> })}
            <Card flush=true>
                <EventTable rows zone />
                <Pager summary newer=first older=next newer_label="Newest" older_label="Older" label="Pages of events" />
            </Card>
        }
        .into_any()
    };
    let lateness = is_late.then(|| {
        view! {
            <Notice tone=Tone::Warning>
                "Events wait to be sealed for longer than a minute. No worker may be running; tell your operator."
            </Notice>
        }
    });
    let html = view! {
            <ErrorSummary errors=errors.clone() />
            <PageHeader
                title="Audit log"
                subtitle="Who did what, when and from where. Entries cannot be changed; looking at them is an entry too."
            />
            <Filters filter errors=errors.clone() path=path.clone() />
            {lateness}
            {list}
            <div class="l-grid" data-columns="2">
                <Sealing sealing exports />
                <RetentionCard retention errors path />
            </div>
    };
    Drawn::new(Vec::new(), is_refused, html)
}

#[component]
fn Filters(filter: FilterView, errors: Vec<(String, String)>, path: String) -> impl IntoView {
    let error = |field: &str| errors.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone());
    let (from_error, to_error, actor_error, action_error) =
        (error("from"), error("to"), error("actor"), error("action"));
    let (resource_error, result_error, address_error) = (error("resource"), error("result"), error("address"));
    let reset = path.clone();
    let actions = view! {
        <LinkButton href=reset variant=Variant::Quiet>"Reset"</LinkButton>
        <Button variant=Variant::Primary>"Apply"</Button>
    }
    .into_any();
    view! {
        <AddressForm action=path>
            <FilterBar actions=actions>
                <div class="c-filter__dates">
                    <Field label="From" name="from" kind="date" value=day(filter.from) error=from_error />
                    <Field label="To" name="to" kind="date" value=day(filter.to) error=to_error />
                </div>
                <Field label="Who" name="actor" value=filter.actor error=actor_error maxlength="200" />
                <SelectField label="Action" name="action" options=select_options(filter.actions) error=action_error />
                <Field label="Resource" name="resource" value=filter.resource error=resource_error maxlength="200" />
                <SelectField label="Result" name="result" options=select_options(filter.results) error=result_error />
                <Field label="Address" name="address" value=filter.address error=address_error maxlength="45" />
            </FilterBar>
        </AddressForm>
    }
}

#[component]
fn EventTable(rows: Vec<EventRow>, zone: String) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let tone = row.result.tone();
            let action = row.action.clone();
            view! {
                <tr data-row=row.id data-action=action data-result=row.result.key>
                    <td data-label="When" class="u-nowrap"><time datetime=row.at_utc.clone() title=row.at_utc>{row.at}</time></td>
                    <th scope="row" data-label="Action">
                        <a href=row.href>{row.action}</a>
                        {row.detail.map(|detail| view! { <span class="c-table__detail">{detail}</span> })}
                    </th>
                    <td data-label="Who">
                        {row.actor}
                        <span class="c-table__detail">{row.actor_detail}</span>
                    </td>
                    <td data-label="Resource"><span class="u-truncate">{row.resource}</span></td>
                    <td data-label="Result"><Badge tone>{row.result.label}</Badge></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table caption="Events, newest first" id="events">
            <thead>
                <tr>
                    <th scope="col">{format!("When ({zone})")}</th>
                    <th scope="col">"Action"</th>
                    <th scope="col">"Who"</th>
                    <th scope="col">"Resource"</th>
                    <th scope="col">"Result"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </Table>
    }
}

#[component]
fn Sealing(sealing: Vec<String>, exports: Option<Exports>) -> impl IntoView {
    let sealing = sealing.into_iter().map(|sentence| view! { <p>{sentence}</p> }).collect_view();
    let exports = exports.map(|Exports { json_lines, csv }| {
        view! {
            <p class="u-muted u-small">
                "JSON lines hold the whole sealed log and can be checked by anybody with the public key. CSV holds what the filters show."
            </p>
            <div class="l-cluster">
                <LinkButton href=json_lines icon=IconName::Export external=true>"Export JSON lines"</LinkButton>
                <LinkButton href=csv icon=IconName::Export external=true>"Export CSV"</LinkButton>
            </div>
        }
    });
    view! {
        <Card title="Seals" text="Every event gets a number and a hash over all before it.">
            <div class="l-stack" data-gap="3">
                {sealing}
                {exports}
            </div>
        </Card>
    }
}

#[component]
fn RetentionCard(retention: RetentionView, errors: Vec<(String, String)>, path: String) -> impl IntoView {
    let error = errors.into_iter().find(|(name, _)| name == "days").map(|(_, message)| message);
    let about = retention.about.into_iter().map(|sentence| view! { <p>{sentence}</p> }).collect_view();
    let form = if retention.can_change {
        view! {
            <form class="l-stack" data-gap="3" method="post" action=format!("{path}/retention") autocomplete="off">
                <input type="hidden" name="version" value=retention.version />
                <Field
                    label="Days"
                    name="days"
                    kind="number"
                    value=retention.days
                    hint=retention.hint
                    error
                    min=retention.fewest
                    max=retention.most
                    inputmode="numeric"
                    required=true
                />
                <div>
                    <Button>"Save"</Button>
                </div>
            </form>
        }
        .into_any()
    } else {
        view! {
            <p class="u-muted u-small">
                {format!("Changing it needs the permission “{}”. An owner or admin of this organisation can grant it.", retention.needed)}
            </p>
        }
        .into_any()
    };
    view! {
        <Card title="How long details are kept" text="Who did what and when stays for good, and so do the hashes.">
            <div class="l-stack" data-gap="3">
                {about}
                {form}
            </div>
        </Card>
    }
}
