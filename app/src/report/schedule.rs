//! When a report is made by itself, and to whom it goes: the schedules of a report, one of them, and the inbox.

pub(super) mod present;

use leptos::prelude::*;
use rtv_ui::{
    Badge, Button, Card, Checkbox, CheckboxList, CheckboxOption, Crumb, EmptyState, ErrorSummary, Field, IconName,
    LinkButton, Notice, PageHeader, RadioGroup, RadioOption, RowLink, SelectField, SelectOption, Table, TextArea, Tone,
    Variant,
};

use super::builder::RunRow;
use crate::page::{Drawn, Framed};

/// The schedules of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedules {
    pub(super) report: String,
    pub(super) name: String,
    pub(super) rows: Vec<ScheduleRow>,
    /// What a new one would be, where the reader may make one.
    pub(super) form: Option<ScheduleForm>,
    /// The one that was just deleted.
    pub(super) deleted: Option<String>,
    pub(super) errors: Vec<(String, String)>,
}

/// One of them in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleRow {
    pub(super) id: String,
    pub(super) when: String,
    pub(super) covers: String,
    pub(super) to: String,
    /// Its next time, or who paused it.
    pub(super) next: Result<String, String>,
}

/// One schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleView {
    pub(super) report: String,
    pub(super) name: String,
    pub(super) id: String,
    pub(super) when: String,
    pub(super) covers: String,
    /// Whose figures it sends, where not all.
    pub(super) teams: Option<String>,
    pub(super) recipients: Vec<String>,
    /// The next times with what is to be known about each; none while it is paused.
    pub(super) times: Vec<(String, Option<String>)>,
    pub(super) paused: Option<String>,
    pub(super) unsubscribed: Vec<String>,
    /// That its run cannot be begun, and why.
    pub(super) trouble: Option<String>,
    pub(super) form: Option<ScheduleForm>,
    /// Whether the reader can be sent a test.
    pub(super) can_test: bool,
    pub(super) runs: Vec<RunRow>,
    /// How many of them are shown, where not all are.
    pub(super) runs_shown: Option<String>,
    pub(super) errors: Vec<(String, String)>,
}

/// The fields of a schedule, as typed or stored.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleForm {
    /// The version that it was made from; none of a new one.
    pub(super) version: Option<String>,
    pub(super) frequencies: Vec<SelectOption>,
    pub(super) weekdays: Vec<CheckboxOption>,
    pub(super) days: Vec<SelectOption>,
    pub(super) months: Vec<SelectOption>,
    pub(super) time: String,
    pub(super) zones: Vec<SelectOption>,
    pub(super) ranges: Vec<SelectOption>,
    pub(super) ways: Vec<RadioOption>,
    pub(super) formats: Vec<CheckboxOption>,
    pub(super) recipients: String,
    pub(super) skips_empty: bool,
}

/// What was sent to the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbox {
    /// Id, address, name, days, when, whether it came late.
    pub(super) rows: Vec<(String, String, String, String, String, bool)>,
    /// How many of them are shown, where not all are.
    pub(super) shown: Option<String>,
}

/// What a reader without it is told.
const NEEDED: &str = "Whoever holds the permission “reports:schedule” can have the report made and sent by itself.";

fn needed() -> AnyView {
    view! { <p class="u-small">{NEEDED}</p> }.into_any()
}

/// The schedules of a report, drawn.
pub(super) fn drawn_list(page: Framed<Schedules>) -> Drawn {
    let Framed { frame, content } = page;
    let Schedules { report, name, rows, form, deleted, errors } = content;
    let of_report = format!("/t/{}/reports/{report}", frame.slug);
    let path = format!("{of_report}/schedules");
    let crumbs = vec![Crumb { label: name, href: Some(of_report) }, Crumb { label: "Schedules".into(), href: None }];
    let restore = deleted.map(|id| {
        view! {
            <form method="post" action=format!("{path}/{id}/act")>
                <Button name="act" value="bring-back">"Bring the deleted schedule back"</Button>
            </form>
        }
    });
    let needs = (form.is_none() && !rows.is_empty()).then(needed);
    let list = if rows.is_empty() {
        let text = if form.is_some() {
            "Say below when the report is to be made, and to whom it goes. It is made at that time, whoever is there, and once."
        } else {
            NEEDED
        };
        view! { <EmptyState icon=IconName::Recent title="It is not made by itself yet" text /> }.into_any()
    } else {
        table(&path, rows)
    };
    let is_refused = !errors.is_empty();
    let form = form.map(|form| fields(path.clone(), form, &errors, ("New schedule", "Set schedule")));
    let html = view! {
        <ErrorSummary errors=errors.clone() />
        <PageHeader
            title="Schedules"
            subtitle="The report is made by itself, and goes to its readers complete."
            actions=view! { {restore} }.into_any()
        />
        <div class="l-stack" data-gap="5">
            {list}
            {needs}
            {form}
        </div>
    };
    Drawn::new(crumbs, is_refused, html)
}

fn table(path: &str, rows: Vec<ScheduleRow>) -> AnyView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let next = match row.next {
                Ok(next) => view! { {next} }.into_any(),
                Err(paused) => view! {
                    <Badge tone=Tone::Warning>"Paused"</Badge>
                    <span class="c-table__detail">{paused}</span>
                }
                .into_any(),
            };
            view! {
                <tr data-row=row.id.clone()>
                    <th scope="row">
                        <RowLink href=format!("{path}/{}", row.id)>{row.when}</RowLink>
                        <span class="c-table__detail">{row.covers}</span>
                    </th>
                    <td data-label="Goes to">{row.to}</td>
                    <td data-label="Next time">{next}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card flush=true>
            <Table caption="Schedules, in the order in which they were made" id="schedules">
                <thead>
                    <tr>
                        <th scope="col">"When"</th>
                        <th scope="col">"Goes to"</th>
                        <th scope="col">"Next time"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        </Card>
    }
    .into_any()
}

fn fields(
    action: String,
    form: ScheduleForm,
    errors: &[(String, String)],
    (title, verb): (&'static str, &'static str),
) -> AnyView {
    let error = |field: &str| errors.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone());
    let [frequency_error, time_error, zone_error, weekday_error, day_error, month_error] =
        ["frequency", "time", "zone", "weekday", "day", "month"].map(error);
    let [range_error, format_error, recipients_error, way_error] = ["range", "format", "recipients", "way"].map(error);
    let version = form.version.map(|version| view! { <input type="hidden" name="version" value=version /> });
    view! {
        <form class="c-schedule l-stack" data-gap="4" method="post" action=action autocomplete="off">
            {version}
            <Card title=title text="Where the clocks skip the time, it is made right after; where they show it twice, the first time.">
                <div class="l-stack" data-gap="4">
                    <div class="l-cluster">
                        <SelectField label="How often" name="frequency" options=form.frequencies error=frequency_error />
                        <Field label="Time" name="time" kind="time" value=form.time error=time_error required=true />
                        <SelectField label="Time zone" name="zone" options=form.zones error=zone_error />
                    </div>
                    <div class="c-schedule__days" data-for="weekly"><CheckboxList label="Days of the week" name="weekday" options=form.weekdays error=weekday_error hint="For “Every week”." /></div>
                    <div data-for="monthly quarterly"><SelectField label="Day of the month" name="day" options=form.days error=day_error hint="For “Every month” and “Every quarter”. A month without that day takes its last one." /></div>
                    <div data-for="quarterly"><SelectField label="Month of the quarter" name="month" options=form.months error=month_error hint="For “Every quarter”." /></div>
                </div>
            </Card>
            <Card title="What it holds">
                <div class="l-stack" data-gap="4">
                    <SelectField label="Days that it covers" name="range" options=form.ranges error=range_error hint="Counted from the day on which it is made, so each covers its own." />
                    <CheckboxList label="Files" name="format" options=form.formats error=format_error />
                    <Checkbox label="Send nothing when there is nothing to report" name="skips_empty" checked=form.skips_empty hint="When every figure in it is missing or 0. The run stays here and says so." />
                </div>
            </Card>
            <Card title="To whom it goes">
                <div class="l-stack" data-gap="4">
                    <TextArea label="Recipients" name="recipients" value=form.recipients error=recipients_error rows=4 required=true hint="Addresses, one on each line. Each gets a mail of their own." />
                    <RadioGroup label="How it arrives" name="way" options=form.ways error=way_error />
                </div>
            </Card>
            <div class="l-cluster">
                <Button variant=Variant::Primary>{verb}</Button>
                <Button name="act" value="times">"Show the next five times"</Button>
            </div>
        </form>
    }
    .into_any()
}

/// One schedule, drawn.
pub(super) fn drawn(page: Framed<ScheduleView>) -> Drawn {
    let Framed { frame, content: one } = page;
    let of_report = format!("/t/{}/reports/{}", frame.slug, one.report);
    let list = format!("{of_report}/schedules");
    let path = format!("{list}/{}", one.id);
    let crumbs = vec![
        Crumb { label: one.name, href: Some(of_report) },
        Crumb { label: "Schedules".into(), href: Some(list) },
        Crumb { label: one.when.clone(), href: None },
    ];
    let can_change = one.form.is_some();
    let is_refused = !one.errors.is_empty();
    let act = |key: &'static str, words: &'static str, variant: Variant| {
        view! { <Button name="act" value=key variant>{words}</Button> }
    };
    let acting = format!("{path}/act");
    let actions = can_change.then(|| {
        let pause = if one.paused.is_some() {
            act("resume", "Resume", Variant::Primary)
        } else {
            act("pause", "Pause", Variant::Neutral)
        };
        let test = one.can_test.then(|| act("test", "Send me a test", Variant::Neutral));
        view! {
            <form class="l-cluster" method="post" action=acting>
                {test}
                {act("run", "Run now", Variant::Neutral)}
                {pause}
                {act("copy", "Copy", Variant::Quiet)}
                {act("delete", "Delete", Variant::Quiet)}
            </form>
        }
    });
    let times = match one.paused {
        Some(paused) => view! {
            <p><Badge tone=Tone::Warning>"Paused"</Badge> " " {paused}</p>
        }
        .into_any(),
        None => {
            let times = one
                .times
                .into_iter()
                .map(|(time, remark)| {
                    view! { <li>{time}{remark.map(|remark| view! { <span class="c-table__detail">{remark}</span> })}</li> }
                })
                .collect_view();
            view! { <ol class="c-runs" data-times="">{times}</ol> }.into_any()
        }
    };
    let unsubscribed = (!one.unsubscribed.is_empty()).then(|| {
        let people = one.unsubscribed.into_iter().map(|one| view! { <li>{one}</li> }).collect_view();
        view! {
            <Card title="Have asked for no more" text="They get nothing of this schedule. Only they can change that, from the link in any of their mails.">
                <ul class="c-runs">{people}</ul>
            </Card>
        }
    });
    let runs = (!one.runs.is_empty()).then(|| super::builder::runs(one.runs, one.runs_shown));
    let teams = one.teams.map(|text| view! { <Notice tone=Tone::Info>{text}</Notice> });
    let trouble = one.trouble.map(|text| view! { <Notice tone=Tone::Danger>{text}</Notice> });
    let main = match one.form {
        Some(form) => fields(path, form, &one.errors, ("When", "Save")),
        None => {
            let people = one.recipients.into_iter().map(|one| view! { <li>{one}</li> }).collect_view();
            view! { <Card title="Goes to"><ul class="c-runs">{people}</ul>{needed()}</Card> }.into_any()
        }
    };
    let html = view! {
        <ErrorSummary errors=one.errors.clone() />
        <PageHeader title=one.when subtitle=one.covers actions=view! { {actions} }.into_any() />
        {trouble}
        {teams}
        <div class="c-run">
            {main}
            <div class="l-stack" data-gap="4">
                <Card title="The next five times">{times}</Card>
                {unsubscribed}
                {runs}
            </div>
        </div>
    };
    Drawn::new(crumbs, is_refused, html)
}

/// The inbox, drawn.
pub(super) fn drawn_inbox(page: Framed<Inbox>) -> Drawn {
    let Framed { frame, content } = page;
    let reports = format!("/t/{}/reports", frame.slug);
    let list = if content.rows.is_empty() {
        view! {
            <EmptyState
                icon=IconName::Report
                title="Nothing was sent to you yet"
                text="Reports that a schedule sends to your address lie here, the newest first, whether they came by mail or not."
            />
        }
        .into_any()
    } else {
        let rows = content
            .rows
            .into_iter()
            .map(|(id, href, name, period, at, is_late)| {
                let late = is_late.then(|| view! { " " <Badge tone=Tone::Warning>"Late"</Badge> });
                view! {
                    <tr data-row=id>
                        <th scope="row"><RowLink href=href>{name}</RowLink>{late}</th>
                        <td data-label="Covers">{period}</td>
                        <td data-label="Came">{at}</td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <Card flush=true>
                <Table caption="Reports that were sent to you, the newest first" id="inbox">
                    <thead>
                        <tr>
                            <th scope="col">"Report"</th>
                            <th scope="col">"Covers"</th>
                            <th scope="col">"Came"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </Table>
                {content.shown.map(|shown| view! { <p class="u-muted u-small">{shown}</p> })}
            </Card>
        }
        .into_any()
    };
    let back =
        view! { <LinkButton href=reports variant=Variant::Quiet icon=IconName::ChevronLeft>"All reports"</LinkButton> };
    let html = view! {
        <PageHeader title="Inbox" subtitle="Reports that schedules have sent to you." actions=back.into_any() />
        {list}
    };
    Drawn::new(vec![Crumb { label: "Inbox".into(), href: None }], false, html)
}
