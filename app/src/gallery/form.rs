//! Buttons and fields.

use leptos::prelude::*;
use rtv_ui::{
    Button, ButtonKind, Checkbox, CheckboxGroup, CheckboxList, CheckboxOption, ConfirmPage, Field, FilterBar, IconName,
    LinkButton, RadioGroup, RadioOption, SegmentLink, Segments, SelectField, SelectOption, TabLink, Tabs, TextArea,
    TypedName, Variant,
};

use super::{part, specimen};

const LONG: &str =
    "Wochenendverkaufsveranstaltungsübersicht of the northern and the southern sales regions for the season after next";

pub(super) fn section() -> AnyView {
    part(
        "Forms",
        view! {
            {specimen("Button and LinkButton, by variant and size", buttons())}
            {specimen("The focus, as the keyboard shows it", focused())}
            {specimen("Segments: a choice of one in sight", segments())}
            {specimen("Tabs: parts with an address each", tabs())}
            {specimen("Field, SelectField and TextArea: plain, with hint, refused, fixed, long", fields())}
            {specimen("Checkbox, CheckboxList and RadioGroup", choices())}
            {specimen("FilterBar with CheckboxGroup", filters())}
        },
    )
}

fn buttons() -> AnyView {
    view! {
        <div class="l-stack">
            <div class="l-cluster">
                <Button variant=Variant::Primary kind=ButtonKind::Button>"Save changes"</Button>
                <Button kind=ButtonKind::Button icon=IconName::Export>"Export"</Button>
                <Button variant=Variant::Danger kind=ButtonKind::Button>"Delete import"</Button>
                <Button variant=Variant::Quiet kind=ButtonKind::Button>"Cancel"</Button>
                <LinkButton href="#main" icon=IconName::ChevronRight>"A link"</LinkButton>
            </div>
            <div class="l-cluster">
                <Button small=true variant=Variant::Primary kind=ButtonKind::Button>"Save"</Button>
                <Button small=true icon=IconName::Filter kind=ButtonKind::Button>"Filter"</Button>
                <Button small=true variant=Variant::Danger kind=ButtonKind::Button>"End"</Button>
                <Button small=true variant=Variant::Quiet kind=ButtonKind::Button>"More"</Button>
            </div>
            <Button kind=ButtonKind::Button>{LONG}</Button>
        </div>
    }
    .into_any()
}

fn focused() -> AnyView {
    view! {
        <div class="l-cluster c-focused" data-gap="4">
            <Button variant=Variant::Primary kind=ButtonKind::Button>"Save changes"</Button>
            <Button kind=ButtonKind::Button>"Export"</Button>
            <Button variant=Variant::Danger kind=ButtonKind::Button>"Delete import"</Button>
            <a href="#main">"A link in a text"</a>
            <Field label="Name" name="focused" value="Q4 launch" />
            <Checkbox label="Send a copy" name="focused-copy" checked=true />
        </div>
    }
    .into_any()
}

fn segments() -> AnyView {
    let links = ["Day", "Week", "Month"]
        .into_iter()
        .map(|label| SegmentLink { label: label.into(), href: "#main".into(), current: label == "Week" })
        .collect();
    view! { <Segments label="Step" links /> }.into_any()
}

fn tabs() -> AnyView {
    let tab = |label: &str, count: &str, current| TabLink {
        label: label.into(),
        count: count.into(),
        href: "#main".into(),
        current,
    };
    let links = vec![
        tab("Members", "24", true),
        tab("Roles", "", false),
        tab("Invitations", "3", false),
        tab("Teams", "4", false),
    ];
    view! { <Tabs label="Team" links /> }.into_any()
}

fn option(value: &str, label: &str, selected: bool) -> SelectOption {
    SelectOption { value: value.into(), label: label.into(), selected }
}

fn tick(value: &str, label: &str, checked: bool) -> CheckboxOption {
    CheckboxOption { value: value.into(), label: label.into(), checked, ..CheckboxOption::default() }
}

fn fields() -> AnyView {
    let zones = || vec![option("a", "Asia/Bangkok", true), option("b", "Europe/Berlin", false)];
    view! {
        <div class="l-grid">
            <Field label="Name" name="name" value="Q4 launch" hint="Shown in reports." />
            <Field label="Title" name="title" error="enter a title of at most 80 characters." />
            <Field label="Slug" name="slug" value="acme" disabled=true hint="Fixed: addresses that were shared hold it." />
            <Field label="From" name="gallery-from" kind="date" value="2026-11-03" />
            <Field label=LONG name="long" value=LONG hint=LONG />
            <SelectField label="Zone" name="zone" options=zones() />
            <SelectField label="Zone" name="zone-refused" options=zones() error="choose the zone of the file." />
            <SelectField
                label="Role"
                name="role"
                options=vec![option("owner", "Owner", true)]
                disabled=true
                hint="The last owner stays one. Make somebody else an owner first."
            />
            <TextArea label="Note" name="note" value="Wrong account on two posts; asked the agency." />
            <TextArea label="Note" name="note-refused" error="say in a sentence what happened." rows=3 />
            <TextArea label="Note" name="note-fixed" value="Sent on 3 November." disabled=true rows=3 />
        </div>
    }
    .into_any()
}

fn choices() -> AnyView {
    let radio = |value: &str, label: &str, hint: &str, checked| RadioOption {
        value: value.into(),
        label: label.into(),
        hint: hint.into(),
        checked,
    };
    view! {
        <div class="l-grid">
            <div class="l-stack">
                <Checkbox label="Send a copy to me" name="copy" checked=true hint="At the address of your account." />
                <Checkbox label="I have told the client" name="told" error="tick this once it is so." />
                <Checkbox label="Two-step sign-in" name="two-step" checked=true disabled=true hint="Required here." />
            </div>
            <CheckboxList
                label="Platforms"
                name="platforms"
                options=vec![tick("li", "LinkedIn", true), tick("x", "X", false), tick("fb", "Facebook", true)]
                hint="Those that the report is about."
            />
            <CheckboxList
                label="Platforms"
                name="platforms-refused"
                options=vec![tick("li", "LinkedIn", false), tick("x", "X", false)]
                error="choose at least one."
            />
            <RadioGroup
                label="In flight"
                name="in-flight"
                options=vec![
                    radio("finish", "Let finish", "What is being sent is sent.", true),
                    radio("cancel", "Cancel where possible", "", false),
                ]
            />
            <RadioGroup
                label="Day or month first"
                name="order"
                options=vec![radio("dmy", "31/12/2026", "", false), radio("mdy", "12/31/2026", "", false)]
                error="choose one: both can be read from the file."
            />
        </div>
    }
    .into_any()
}

fn filters() -> AnyView {
    let accounts =
        (1..=9).map(|number| tick(&number.to_string(), &format!("Live seller {number}"), false)).collect::<Vec<_>>();
    view! {
        <FilterBar actions=view! {
            <Button variant=Variant::Primary kind=ButtonKind::Button>"Apply"</Button>
            <LinkButton variant=Variant::Quiet href="#main">"Reset"</LinkButton>
        }
            .into_any()>
            <SelectField
                label="Period"
                name="range"
                options=vec![option("28d", "Last 28 days", false), option("custom", "Custom", true)]
            />
            <div class="c-filter__dates">
                <Field label="From" name="from" kind="date" value="2026-11-03" />
                <Field label="To" name="to" kind="date" value="2026-11-30" error="the last day lies before the first." />
            </div>
            <CheckboxGroup
                label="Platform"
                name="platform"
                options=vec![tick("facebook", "Facebook", true), tick("x", "X", false), tick("linkedin", "LinkedIn", false)]
            />
            <CheckboxGroup label="Account" name="account" none="All 9" options=accounts />
        </FilterBar>
    }
    .into_any()
}

/// The page before something that is hard to take back; `severe` asks for a word, and was refused once.
pub(super) fn confirmation(severe: bool) -> AnyView {
    if severe {
        let typed = TypedName {
            name: "scope".into(),
            word: "Platform X".into(),
            error: "type Platform X, with its capital letters.".into(),
        };
        view! {
            <ConfirmPage
                title="Resume publishing on X?"
                text="Halted by Dana Kim on 3 November 2026 at 14:02: wrong account"
                consequences=vec![
                    "86 held posts are published, the first within a minute.".into(),
                    "3 that were cut off stay open until somebody decides over them.".into(),
                ]
                action=super::PATH
                verb="Resume Platform X"
                cancel_href=super::PATH
                danger=false
                typed=Some(typed)
                fields=view! { <TextArea label="Reason" name="reason" rows=2 hint="It goes to the audit log." /> }.into_any()
                hidden=vec![("halt".into(), "ks_1".into())]
            />
        }
        .into_any()
    } else {
        view! {
            <ConfirmPage
                title="Roll this import back?"
                text="facebook_live_sellers_th.csv, imported on 3 November 2026"
                consequences=vec!["6,997 posts go, with their figures.".into(), "Reports that were made stay as they are.".into()]
                action=super::PATH
                verb="Roll back import"
                cancel_href=super::PATH
            />
        }
        .into_any()
    }
}
