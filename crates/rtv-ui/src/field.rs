//! Form fields with their label, hint and error, and the bar that holds the filters of a page. Every field is
//! named `field-{name}`, which is where [`ErrorSummary`](crate::ErrorSummary) links to.

use leptos::prelude::*;

use crate::words::sentence;
use crate::{Icon, IconName, Words};

/// The ids of hint and error, in the order in which they are read out.
pub(crate) fn described_by(id: &str, has_hint: bool, has_error: bool) -> Option<String> {
    match (has_hint, has_error) {
        (false, false) => None,
        (true, false) => Some(format!("{id}-hint")),
        (false, true) => Some(format!("{id}-error")),
        (true, true) => Some(format!("{id}-hint {id}-error")),
    }
}

/// The hint and the error of a field.
pub(crate) fn remarks(id: &str, hint: Option<String>, error: Option<String>) -> impl IntoView + use<> {
    let hint = hint.map(|hint| view! { <p class="c-field__hint" id=format!("{id}-hint")>{hint}</p> });
    let error = error.map(|error| {
        view! {
            <p class="c-field__error" id=format!("{id}-error")>
                <Icon name=IconName::Warning />
                <span><span class="u-visually-hidden">"Error: "</span>{sentence(error)}</span>
            </p>
        }
    });
    (hint, error)
}

/// A labelled input of one line.
#[component]
pub fn Field(
    /// The label.
    #[prop(into)]
    label: String,
    /// The name it is sent under.
    #[prop(into)]
    name: String,
    /// The input's type: `text`, `email`, `password`, `date`, `search`, `number`, `url`.
    #[prop(default = "text")]
    kind: &'static str,
    /// What it holds at first.
    #[prop(optional, into)]
    value: Words,
    /// How to fill it in.
    #[prop(optional, into)]
    hint: Words,
    /// What is wrong with what was sent.
    #[prop(optional, into)]
    error: Words,
    /// What a browser or password manager may fill in: `username`, `current-password`, `one-time-code`.
    #[prop(optional, into)]
    autocomplete: Words,
    /// Whether the browser insists on it.
    #[prop(optional)]
    required: bool,
    /// The least value, for dates and numbers.
    #[prop(optional, into)]
    min: Words,
    /// The greatest value, for dates and numbers.
    #[prop(optional, into)]
    max: Words,
    /// The most characters.
    #[prop(optional, into)]
    maxlength: Words,
    /// The keyboard a phone offers: `numeric`, `email`.
    #[prop(optional, into)]
    inputmode: Words,
    /// Cannot be changed and is not sent; the hint says why.
    #[prop(optional)]
    disabled: bool,
    /// Another id than `field-{name}`, where a page has two fields of one name.
    #[prop(optional, into)]
    id: Words,
    /// Leaves the label to screen readers, where the heading of a column already says it.
    #[prop(optional)]
    hide_label: bool,
) -> impl IntoView {
    let label_class = if hide_label { "u-visually-hidden" } else { "c-field__label" };
    let id = id.into_option().unwrap_or_else(|| format!("field-{name}"));
    let describedby = described_by(&id, hint.is_some(), error.is_some());
    let invalid = error.is_some().then_some("true");
    // Browsers capitalise and correct what is typed on a phone, which spoils addresses and secrets.
    let is_literal = matches!(kind, "email" | "password" | "url");
    view! {
        <div class="c-field" data-invalid=invalid data-kind=kind>
            <label class=label_class for=id.clone()>{label}</label>
            {remarks(&id, hint.into_option(), error.into_option())}
            <input
                class="c-input"
                id=id
                name=name
                type=kind
                value=value.into_option()
                autocomplete=autocomplete.into_option()
                autocapitalize=is_literal.then_some("none")
                spellcheck=is_literal.then_some("false")
                required=required
                min=min.into_option()
                max=max.into_option()
                maxlength=maxlength.into_option()
                inputmode=inputmode.into_option()
                disabled=disabled
                aria-describedby=describedby
                aria-invalid=invalid
            />
        </div>
    }
    .into_any()
}

/// One choice of a [`SelectField`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectOption {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
    /// Whether it is chosen at first.
    pub selected: bool,
}

/// A labelled choice of one of several.
#[component]
pub fn SelectField(
    /// The label.
    #[prop(into)]
    label: String,
    /// Leaves the label to screen readers, where the heading of a column already says it.
    #[prop(optional)]
    hide_label: bool,
    /// The name it is sent under.
    #[prop(into)]
    name: String,
    /// The choices.
    options: Vec<SelectOption>,
    /// How to choose.
    #[prop(optional, into)]
    hint: Words,
    /// What is wrong with what was sent.
    #[prop(optional, into)]
    error: Words,
    /// Cannot be changed and is not sent; the hint says why.
    #[prop(optional)]
    disabled: bool,
    /// Another id than `field-{name}`.
    #[prop(optional, into)]
    id: Words,
) -> impl IntoView {
    let id = id.into_option().unwrap_or_else(|| format!("field-{name}"));
    let describedby = described_by(&id, hint.is_some(), error.is_some());
    let invalid = error.is_some().then_some("true");
    let options = options
        .into_iter()
        .map(|option| view! { <option value=option.value selected=option.selected>{option.label}</option> })
        .collect_view();
    let label_class = if hide_label { "u-visually-hidden" } else { "c-field__label" };
    view! {
        <div class="c-field" data-invalid=invalid>
            <label class=label_class for=id.clone()>{label}</label>
            {remarks(&id, hint.into_option(), error.into_option())}
            <div class="c-select">
                <select
                    class="c-select__control"
                    id=id
                    name=name
                    disabled=disabled
                    aria-describedby=describedby
                    aria-invalid=invalid
                >
                    {options}
                </select>
                <Icon name=IconName::ChevronDown />
            </div>
        </div>
    }
    .into_any()
}

/// A labelled text of several lines.
#[component]
pub fn TextArea(
    /// The label.
    #[prop(into)]
    label: String,
    /// The name it is sent under.
    #[prop(into)]
    name: String,
    /// What it holds at first.
    #[prop(optional, into)]
    value: Words,
    /// How to fill it in.
    #[prop(optional, into)]
    hint: Words,
    /// What is wrong with what was sent.
    #[prop(optional, into)]
    error: Words,
    /// Lines in sight; it can be drawn taller.
    #[prop(default = 4)]
    rows: u32,
    /// Whether the browser insists on it.
    #[prop(optional)]
    required: bool,
    /// The most characters.
    #[prop(optional, into)]
    maxlength: Words,
    /// Cannot be changed and is not sent; the hint says why.
    #[prop(optional)]
    disabled: bool,
) -> impl IntoView {
    let id = format!("field-{name}");
    let describedby = described_by(&id, hint.is_some(), error.is_some());
    let invalid = error.is_some().then_some("true");
    view! {
        <div class="c-field" data-invalid=invalid>
            <label class="c-field__label" for=id.clone()>{label}</label>
            {remarks(&id, hint.into_option(), error.into_option())}
            <textarea
                class="c-input c-input--text"
                id=id
                name=name
                rows=rows
                required=required
                maxlength=maxlength.into_option()
                disabled=disabled
                aria-describedby=describedby
                aria-invalid=invalid
            >
                {value.into_option()}
            </textarea>
        </div>
    }
    .into_any()
}

/// A box to tick, with its label.
#[component]
pub fn Checkbox(
    /// The label.
    #[prop(into)]
    label: String,
    /// The name it is sent under.
    #[prop(into)]
    name: String,
    /// What is sent when it is ticked.
    #[prop(into, default = "true".into())]
    value: String,
    /// Whether it is ticked at first.
    #[prop(optional)]
    checked: bool,
    /// What ticking it means.
    #[prop(optional, into)]
    hint: Words,
    /// What is wrong with what was sent.
    #[prop(optional, into)]
    error: Words,
    /// Cannot be changed and is not sent; the hint says why.
    #[prop(optional)]
    disabled: bool,
) -> impl IntoView {
    let id = format!("field-{name}");
    let describedby = described_by(&id, hint.is_some(), error.is_some());
    let invalid = error.is_some().then_some("true");
    view! {
        <div class="c-checkbox">
            <input
                type="checkbox"
                id=id.clone()
                name=name
                value=value
                checked=checked
                disabled=disabled
                aria-describedby=describedby
                aria-invalid=invalid
            />
            <div class="c-checkbox__words">
                <label class="c-checkbox__label" for=id.clone()>{label}</label>
                {remarks(&id, hint.into_option(), error.into_option())}
            </div>
        </div>
    }
    .into_any()
}

/// A question with several answers that are all in sight, of which any number is right. Many of them, or those of a
/// filter, stand folded away in a [`CheckboxGroup`].
#[component]
pub fn CheckboxList(
    /// The question.
    #[prop(into)]
    label: String,
    /// The name each ticked value is sent under.
    #[prop(into)]
    name: String,
    /// The answers.
    options: Vec<CheckboxOption>,
    /// How to choose.
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
            // The first one is what an error leads to.
            let own = if index == 0 { id.clone() } else { format!("{id}-{index}") };
            let hint_id = option.hint.is_some().then(|| format!("{own}-meaning"));
            let hint = option.hint.into_option().zip(hint_id.clone());
            view! {
                <div class="c-checkbox">
                    <input
                        type="checkbox"
                        id=own.clone()
                        name=name.clone()
                        value=option.value
                        checked=option.checked
                        disabled=option.is_disabled
                        aria-describedby=hint_id
                    />
                    <div class="c-checkbox__words">
                        <label class="c-checkbox__label" for=own>{option.label}</label>
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
            <div class="c-checkbox__list">{options}</div>
        </fieldset>
    }
    .into_any()
}

/// One box of a [`CheckboxGroup`] or a [`CheckboxList`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckboxOption {
    /// What is sent when it is ticked.
    pub value: String,
    /// What is read.
    pub label: String,
    /// Whether it is ticked at first.
    pub checked: bool,
    /// What ticking it means, or why it cannot be ticked; a list shows it.
    pub hint: Words,
    /// Cannot be ticked in a list.
    pub is_disabled: bool,
}

/// Several boxes to tick, folded away under what is chosen of them. Opens and works without a script; of
/// several groups on a page one is open at a time.
#[component]
pub fn CheckboxGroup(
    /// What is chosen: "Platform".
    #[prop(into)]
    label: String,
    /// The name each ticked value is sent under.
    #[prop(into)]
    name: String,
    /// The boxes.
    options: Vec<CheckboxOption>,
    /// What it means when none is ticked.
    #[prop(into, default = "All".into())]
    none: String,
) -> impl IntoView {
    let chosen = options.iter().filter(|option| option.checked).collect::<Vec<_>>();
    let summary = match chosen.as_slice() {
        [] => none,
        [one] => one.label.clone(),
        several => format!("{} of {}", several.len(), options.len()),
    };
    let is_narrowed = !chosen.is_empty();
    let id = format!("field-{name}");
    let options = options
        .into_iter()
        .map(|option| {
            view! {
                <label class="c-choices__option">
                    <input type="checkbox" name=name.clone() value=option.value checked=option.checked />
                    <span>{option.label}</span>
                </label>
            }
        })
        .collect_view();
    view! {
        <div class="c-field">
            <span class="c-field__label" aria-hidden="true">{label.clone()}</span>
            <details class="c-choices" name="choices" id=id>
                <summary class="c-choices__summary" data-narrowed=is_narrowed.then_some("true")>
                    <span class="u-visually-hidden">{format!("{label}: ")}</span>
                    <span class="c-choices__chosen">{summary}</span>
                    <Icon name=IconName::ChevronDown />
                </summary>
                <fieldset class="c-choices__panel">
                    <legend class="u-visually-hidden">{label}</legend>
                    {options}
                </fieldset>
            </details>
        </div>
    }
    .into_any()
}

/// Arranges the filters of a page and the button that applies them. It stands inside the page's own
/// `<form method="get">`, so that the choice becomes the address.
#[component]
pub fn FilterBar(
    /// What is filtered, for screen readers.
    #[prop(into, default = "Filters".into())]
    label: String,
    /// The button that applies them, and the link that resets them.
    #[prop(optional)]
    actions: Option<AnyView>,
    /// The fields.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="c-filters" role="group" aria-label=label>
            <div class="c-filters__fields">{children()}</div>
            {actions.map(|actions| view! { <div class="c-filters__actions">{actions}</div> })}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_read_after_the_hint() {
        assert_eq!(described_by("field-a", true, true).as_deref(), Some("field-a-hint field-a-error"));
        assert_eq!(described_by("field-a", false, true).as_deref(), Some("field-a-error"));
        assert_eq!(described_by("field-a", false, false), None);
    }
}
