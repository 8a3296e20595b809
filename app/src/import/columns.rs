//! The step in which is said what the columns of a file mean. Everything that was chosen stands in the address of the
//! preview, so that it can be looked at again and gone back to; the check is posted.

#[cfg(feature = "ssr")]
pub(super) mod present;

use leptos::prelude::*;
use rtv_ui::{
    Badge, Button, Card, Field, Icon, IconName, Notice, RadioGroup, RadioOption, SelectField, Table, Tone, Variant,
};
use serde::{Deserialize, Serialize};

use crate::dashboard::{ChoiceView, hidden_fields, select_options};

/// Everything that the step shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnsView {
    /// How the file was read, a sentence.
    pub(super) read_as: String,
    /// Whether it could be read; otherwise only how to read it is asked.
    pub(super) is_read: bool,
    pub(super) encodings: Vec<ChoiceView>,
    pub(super) delimiters: Vec<ChoiceView>,
    /// Ways to read the columns; one where there is nothing to choose.
    pub(super) mappings: Vec<ChoiceView>,
    /// What is known of the chosen way.
    pub(super) mapping_notes: Vec<String>,
    /// One for each column of the file; empty where a built-in mapping knows them.
    pub(super) columns: Vec<ColumnRow>,
    pub(super) questions: Vec<FieldView>,
    pub(super) settings: Vec<FieldView>,
    pub(super) notes: Vec<String>,
    /// The name to save under, as typed; `None` where there is nothing to save.
    pub(super) save_as: Option<String>,
    /// What else the form sends.
    pub(super) hidden: Vec<(String, String)>,
    pub(super) preview: Option<PreviewView>,
}

/// One column of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnRow {
    pub(super) name: String,
    pub(super) header: String,
    pub(super) examples: Vec<String>,
    pub(super) fields: Vec<ChoiceView>,
    /// Why it was guessed so; nothing where a person chose.
    pub(super) reason: Option<String>,
}

/// How a field is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldKind {
    /// All answers in sight.
    Radio,
    /// One of many.
    Select,
    /// Typed.
    Text,
}

/// A field of the form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldView {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) kind: FieldKind,
    pub(super) hint: Option<String>,
    pub(super) choices: Vec<AnswerView>,
    /// What was typed.
    pub(super) value: String,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerView {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) hint: Option<String>,
    pub(super) is_chosen: bool,
}

/// The first rows as they will be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewView {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<PreviewRow>,
    pub(super) summary: String,
    /// What ended the file before its rows.
    pub(super) stopped: Option<String>,
    /// Columns that are left out.
    pub(super) left_out: Option<String>,
}

/// One row of the preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewRow {
    pub(super) number: String,
    /// The values under the columns of the preview.
    pub(super) cells: Vec<PreviewCell>,
    /// Why the row is not stored.
    pub(super) refused: Option<String>,
}

/// One value of the preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewCell {
    pub(super) text: String,
    pub(super) is_number: bool,
}

/// The step.
#[component]
pub fn Columns(view: ColumnsView, errors: Vec<(String, String)>, path: String) -> impl IntoView {
    let ColumnsView {
        read_as,
        is_read,
        encodings,
        delimiters,
        mappings,
        mapping_notes,
        columns,
        questions,
        settings,
        notes,
        save_as,
        hidden,
        preview,
    } = view;
    let error = |field: &str| errors.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone());
    let has_questions = !questions.is_empty();
    let questions = has_questions.then(|| {
        // The name of a new account belongs to the question of the account.
        let title = match questions.iter().filter(|field| field.name != "new_account").count() {
            1 => "One question".to_owned(),
            several => format!("{several} questions"),
        };
        let fields = fields_view(questions, &errors);
        view! {
            <Card title text="The file can be read in more than one way here, and RTV does not guess.">
                <div class="l-stack" data-gap="5">{fields}</div>
            </Card>
        }
    });
    let columns_error = error("columns");
    let column_errors = errors.clone();
    let columns = (!columns.is_empty()).then(|| {
        view! {
            <Card
                title="Columns of the file"
                text="RTV has guessed what each column means. Correct what is wrong; what is not imported is left out."
                flush=true
            >
                {columns_error.map(|text| view! { <div class="c-import-pad"><Notice tone=Tone::Danger>{text}</Notice></div> })}
                <ColumnTable rows=columns errors=column_errors />
            </Card>
        }
    });
    let settings = fields_view(settings, &errors);
    let save_error = error("save_as");
    let save = save_as.map(|typed| {
        view! {
            <Field
                label="Save these columns under a name (optional)"
                name="save_as"
                value=typed
                error=save_error
                hint="The next file of the same kind is then read without asking."
                maxlength="80"
            />
        }
    });
    let reading = view! {
        <Reading
            read_as
            is_read
            encodings
            delimiters
            mappings
            notes=mapping_notes
            hidden=hidden.clone()
            errors=errors.clone()
            path=path.clone()
        />
    };
    if !is_read {
        return reading.into_any();
    }
    let check = format!("{path}/check");
    view! {
        {reading}
        <form method="post" action=check class="l-stack" data-gap="5">
            {hidden_fields(hidden)}
            {questions}
            {columns}
            <Card title="Settings">
                <div class="l-stack" data-gap="5">
                    <div class="l-grid">{settings}</div>
                    {save}
                    <Notes notes />
                    <div class="l-cluster">
                        <Button variant=Variant::Primary>"Check the whole file"</Button>
                        <PreviewButton path />
                    </div>
                </div>
            </Card>
        </form>
        <PreviewPart preview has_questions />
    }
    .into_any()
}

/// The preview, or what it waits for.
#[component]
fn PreviewPart(preview: Option<PreviewView>, has_questions: bool) -> impl IntoView {
    match preview {
        Some(preview) => view! { <PreviewCard preview /> }.into_any(),
        None if has_questions => view! {
            <Notice tone=Tone::Info>"The first rows are shown here as they will be stored, once the questions are answered and the preview is updated."</Notice>
        }
        .into_any(),
        None => ().into_any(),
    }
}

/// How the file is read, and the two forms that change it: each leads to the same page at another address.
#[component]
fn Reading(
    read_as: String,
    is_read: bool,
    encodings: Vec<ChoiceView>,
    delimiters: Vec<ChoiceView>,
    mappings: Vec<ChoiceView>,
    notes: Vec<String>,
    hidden: Vec<(String, String)>,
    errors: Vec<(String, String)>,
    path: String,
) -> impl IntoView {
    let error = |field: &str| errors.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone());
    let (encoding_error, delimiter_error, mapping_error) = (error("encoding"), error("delimiter"), error("mapping"));
    let is_open = !is_read || encoding_error.is_some() || delimiter_error.is_some();
    let (encodings, delimiters) = (select_options(encodings), select_options(delimiters));
    let has_choice = mappings.len() > 1;
    let mappings = select_options(mappings);
    let kept = hidden.into_iter().filter(|(name, _)| name != "mapping").collect::<Vec<_>>();
    let action = path.clone();
    let mapping = has_choice.then(|| {
        view! {
            <form method="get" action=action class="l-cluster" data-align="end">
                <input type="hidden" name="step" value="columns" />
                {hidden_fields(kept)}
                <SelectField label="Read the columns by" name="mapping" options=mappings error=mapping_error />
                <Button>"Use it"</Button>
            </form>
        }
    });
    view! {
        <Card title="How the file is read">
            <div class="l-stack" data-gap="3">
                <p>{read_as}</p>
                {mapping}
                <Notes notes />
                <details class="c-disclosure" open=is_open>
                    <summary class="c-disclosure__summary">
                        <Icon name=IconName::ChevronRight />
                        <span>"Letters look wrong, or everything stands in one column?"</span>
                    </summary>
                    <div class="c-disclosure__body">
                        <form method="get" action=path class="l-cluster" data-align="end">
                            <input type="hidden" name="step" value="columns" />
                            <SelectField label="Encoding" name="encoding" options=encodings error=encoding_error />
                            <SelectField label="Between columns" name="delimiter" options=delimiters error=delimiter_error />
                            <Button>"Read again"</Button>
                        </form>
                    </div>
                </details>
            </div>
        </Card>
    }
}

/// Remarks, one a line; nothing where there are none.
#[component]
pub fn Notes(notes: Vec<String>) -> impl IntoView {
    (!notes.is_empty()).then(|| {
        let notes = notes.into_iter().map(|note| view! { <li>{note}</li> }).collect_view();
        view! { <ul class="c-import-notes">{notes}</ul> }
    })
}

/// Sends the same form as a question: what was chosen becomes the address.
#[component]
fn PreviewButton(path: String) -> impl IntoView {
    view! {
        <button class="c-button" data-variant="neutral" type="submit" name="step" value="columns" formmethod="get" formaction=format!("{path}#preview")>
            "Update the preview"
        </button>
    }
}

fn fields_view(fields: Vec<FieldView>, errors: &[(String, String)]) -> Vec<AnyView> {
    fields.into_iter().map(|field| field_view(field, errors)).collect()
}

fn field_view(field: FieldView, errors: &[(String, String)]) -> AnyView {
    let error = errors.iter().find(|(name, _)| *name == field.name).map(|(_, message)| message.clone());
    let FieldView { name, label, kind, hint, choices, value } = field;
    match kind {
        FieldKind::Radio => {
            let options = choices
                .into_iter()
                .map(|one| RadioOption {
                    value: one.value,
                    label: one.label,
                    hint: one.hint.into(),
                    checked: one.is_chosen,
                })
                .collect();
            view! { <RadioGroup label name options hint error /> }.into_any()
        }
        FieldKind::Select => {
            let options = select_options(
                choices
                    .into_iter()
                    .map(|one| ChoiceView { value: one.value, label: one.label, is_chosen: one.is_chosen })
                    .collect(),
            );
            view! { <SelectField label name options hint error /> }.into_any()
        }
        FieldKind::Text => view! { <Field label name value hint error maxlength="255" /> }.into_any(),
    }
}

#[component]
fn ColumnTable(rows: Vec<ColumnRow>, errors: Vec<(String, String)>) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let error = errors.iter().find(|(name, _)| *name == row.name).map(|(_, message)| message.clone());
            let is_kept = row.fields.iter().any(|one| one.is_chosen && !one.value.is_empty());
            let examples = if row.examples.is_empty() {
                view! { <span class="u-muted">"no values in the first rows"</span> }.into_any()
            } else {
                row.examples
                    .into_iter()
                    .map(|example| view! { <li class="c-import-example">{example}</li> })
                    .collect_view()
                    .into_any()
            };
            let label = format!("Meaning of {}", row.header);
            view! {
                <tr data-kept=is_kept.then_some("true")>
                    <th scope="row" data-label="Column">{row.header}</th>
                    <td data-label="Examples"><ul class="c-import-examples">{examples}</ul></td>
                    <td data-label="Meaning">
                        <div class="c-import-meaning">
                            <SelectField label hide_label=true name=row.name options=select_options(row.fields) error />
                            {row.reason.map(|reason| view! { <p class="u-muted u-small">{reason}</p> })}
                        </div>
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table caption="Columns of the file and what they mean" id="field-columns">
            <thead>
                <tr>
                    <th scope="col">"Column"</th>
                    <th scope="col">"Examples"</th>
                    <th scope="col">"Meaning"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </Table>
    }
}

/// The first rows as they will be stored.
#[component]
pub fn PreviewCard(preview: PreviewView) -> impl IntoView {
    let PreviewView { columns, rows, summary, stopped, left_out } = preview;
    let width = columns.len().to_string();
    // A heading stands above its values: to the right over numbers.
    let headings = columns
        .iter()
        .enumerate()
        .map(|(index, label)| {
            let is_number = rows.iter().any(|row| row.cells.get(index).is_some_and(|cell| cell.is_number));
            view! { <th scope="col" class=is_number.then_some("u-number")>{label.clone()}</th> }
        })
        .collect_view();
    let body = rows
        .into_iter()
        .map(|row| {
            let cells = match row.refused {
                Some(reason) => view! {
                    <td data-label="Refused" colspan=width.clone()>
                        <span class="c-import-refused"><Badge tone=Tone::Warning>"Refused"</Badge>" "{reason}</span>
                    </td>
                }
                .into_any(),
                None => row
                    .cells
                    .into_iter()
                    .zip(columns.clone())
                    .map(|(cell, label)| {
                        let class = if cell.is_number { "u-number" } else { "c-import-value" };
                        view! { <td class=class data-label=label>{cell.text}</td> }
                    })
                    .collect_view()
                    .into_any(),
            };
            view! {
                <tr>
                    <th scope="row" data-label="Row">{row.number}</th>
                    {cells}
                </tr>
            }
        })
        .collect_view();
    view! {
        <div id="preview">
            <Card title="Preview" text=summary flush=true>
                {stopped.map(|text| view! { <div class="c-import-pad"><Notice tone=Tone::Danger>{text}</Notice></div> })}
                <Table caption="The first rows as they will be stored" id="preview-rows" compact=true>
                    <thead>
                        <tr>
                            <th scope="col">"Row"</th>
                            {headings}
                        </tr>
                    </thead>
                    <tbody>{body}</tbody>
                </Table>
                {left_out.map(|text| view! { <p class="c-import-pad u-muted u-small">{text}</p> })}
            </Card>
        </div>
    }
}
