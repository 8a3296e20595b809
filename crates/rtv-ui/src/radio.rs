//! A question with a few answers that are all in sight. Choices of many stand in a [`SelectField`](crate::SelectField).

use leptos::prelude::*;

use crate::Words;
use crate::field::{described_by, remarks};

/// One answer of a [`RadioGroup`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RadioOption {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
    /// What choosing it means.
    pub hint: Words,
    /// Whether it is chosen at first.
    pub checked: bool,
}

/// A question with its answers, of which one is chosen. The first answer carries the id that an
/// [`ErrorSummary`](crate::ErrorSummary) links to.
#[component]
pub fn RadioGroup(
    /// The question.
    #[prop(into)]
    label: String,
    /// The name it is sent under.
    #[prop(into)]
    name: String,
    /// The answers.
    options: Vec<RadioOption>,
    /// Why it is asked.
    #[prop(optional, into)]
    hint: Words,
    /// What is wrong with what was sent.
    #[prop(optional, into)]
    error: Words,
) -> impl IntoView {
    let id = format!("field-{name}");
    let describedby = described_by(&id, hint.is_some(), error.is_some());
    let invalid = error.is_some().then_some("true");
    let options = options
        .into_iter()
        .enumerate()
        .map(|(index, option)| {
            let own = if index == 0 { id.clone() } else { format!("{id}-{index}") };
            let hint_id = option.hint.is_some().then(|| format!("{own}-meaning"));
            let hint = option.hint.into_option().zip(hint_id.clone());
            view! {
                <div class="c-radio">
                    <input
                        type="radio"
                        id=own.clone()
                        name=name.clone()
                        value=option.value
                        checked=option.checked
                        aria-describedby=hint_id
                    />
                    <div class="c-radio__words">
                        <label class="c-radio__label" for=own>{option.label}</label>
                        {hint.map(|(hint, id)| view! { <p class="c-field__hint" id=id>{hint}</p> })}
                    </div>
                </div>
            }
        })
        .collect_view();
    view! {
        <fieldset class="c-field" data-invalid=invalid aria-describedby=describedby>
            <legend class="c-field__label">{label}</legend>
            {remarks(&id, hint.into_option(), error.into_option())}
            <div class="c-radio__list">{options}</div>
        </fieldset>
    }
    .into_any()
}
