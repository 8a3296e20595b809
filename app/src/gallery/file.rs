//! What a file goes through: choosing it, the steps, how far the work is, and what was counted.

use leptos::prelude::*;
use rtv_ui::{FileField, Progress, Step, StepState, Steps, Tally, TallyList, Tone};

use super::{part, specimen};

pub(super) fn section() -> AnyView {
    part(
        "Files and long work",
        view! {
            {specimen("FileField: empty, refused", fields())}
            {specimen("Steps: done, current, ahead", steps())}
            {specimen("Progress: known, unknown", progress())}
            {specimen("TallyList", tallies())}
        },
    )
}

fn fields() -> AnyView {
    view! {
        <div class="l-stack" data-gap="5">
            <FileField label="File" name="file" hint="CSV, up to 1 GB. Drop it here or choose it." />
            <FileField
                label="File, refused"
                name="refused-file"
                hint="CSV, up to 1 GB."
                error="“picture.png” is a picture. Save the table as CSV and choose that file."
            />
        </div>
    }
    .into_any()
}

fn steps() -> AnyView {
    let step = |label: &str, state, href: Option<&str>| Step { label: label.into(), state, href: href.map(Into::into) };
    let steps = vec![
        step("Upload", StepState::Done, None),
        step("Columns", StepState::Done, Some("#main")),
        step("Check", StepState::Current, None),
        step("Import", StepState::Ahead, None),
    ];
    view! { <Steps label="Steps of the import" steps /> }.into_any()
}

fn progress() -> AnyView {
    view! {
        <div class="l-stack" data-gap="4">
            <Progress
                label="The file is being checked"
                id="progress"
                thousandths=Some(420)
                text="Reading the file · 420,000 rows · about 12 s left"
            />
            <Progress label="Waiting" id="progress-waiting" thousandths=None text="Waiting for a worker." />
        </div>
    }
    .into_any()
}

fn tallies() -> AnyView {
    let tally = |key: &str, label: &str, value: &str, tone| Tally {
        key: key.into(),
        label: label.into(),
        value: value.into(),
        exact: value.replace(',', ""),
        note: "what it means".into(),
        tone,
    };
    let tallies = vec![
        tally("new", "New posts", "6,997", Tone::Neutral),
        tally("duplicate", "Duplicate rows", "53", Tone::Neutral),
        tally("refused", "Refused rows", "3", Tone::Warning),
    ];
    view! { <TallyList tallies /> }.into_any()
}
