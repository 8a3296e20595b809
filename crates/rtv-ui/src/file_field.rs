//! A place for one file. The input itself fills the place, so choosing by a press, by the keyboard and by dropping
//! are the browser's own and need no script.

use leptos::prelude::*;

use crate::Words;
use crate::field::{described_by, remarks};

/// A labelled place for one file.
#[component]
pub fn FileField(
    /// The label.
    #[prop(into)]
    label: String,
    /// The name it is sent under.
    #[prop(into)]
    name: String,
    /// Endings and media types that the browser offers first, separated by commas; others can still be chosen.
    #[prop(optional, into)]
    accept: Words,
    /// Which files are taken.
    #[prop(optional, into)]
    hint: Words,
    /// What is wrong with what was sent.
    #[prop(optional, into)]
    error: Words,
    /// Whether the browser insists on it.
    #[prop(optional)]
    required: bool,
) -> impl IntoView {
    let id = format!("field-{name}");
    let describedby = described_by(&id, hint.is_some(), error.is_some());
    let invalid = error.is_some().then_some("true");
    view! {
        <div class="c-field" data-invalid=invalid>
            <label class="c-field__label" for=id.clone()>{label}</label>
            {remarks(&id, hint.into_option(), error.into_option())}
            <input
                class="c-file"
                id=id
                name=name
                type="file"
                accept=accept.into_option()
                required=required
                aria-describedby=describedby
                aria-invalid=invalid
            />
        </div>
    }
    .into_any()
}
