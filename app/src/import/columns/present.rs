//! From the domain's look at a file to the form of the columns step and its preview. Runs on the server only.

use chrono_tz::Tz;
use rtv_core::{Error, FieldError, Platform};
use rtv_domain::TenantContext;
use rtv_domain::account::{self, Account};
use rtv_domain::format::{Format, MISSING};
use rtv_domain::import::{
    self as domain, DateOrder, Delimiter, Draft, DuplicateRule, Encoding, Field, Look, Mapping, MappingChoice,
    NumberStyle, Preview, Published, Question, Row,
};

use super::{AnswerView, ColumnRow, ColumnsView, FieldKind, FieldView, PreviewCell, PreviewRow, PreviewView};
use crate::dashboard::ChoiceView;
use crate::import::form::{self, Reading, mapping_key};
use crate::import::present::uploads;

/// Headings of the preview, in order.
const PREVIEW_COLUMNS: [&str; 15] = [
    "Published",
    "Account",
    "Post",
    "Kind",
    "Campaign",
    "Reach",
    "Impressions",
    "Reactions",
    "Comments",
    "Shares",
    "Clicks",
    "Conversions",
    "Revenue",
    "Cost",
    "Sentiment",
];
/// Where figures begin among them.
const FIRST_FIGURE: usize = 5;

/// The values of a row under those headings, or why it is refused.
type ReadRow = Result<Vec<Option<String>>, String>;

/// The step on which columns are said, and what is wrong with what was chosen. `judges` says whether a choice in the
/// address is to be judged; one that came back with its errors was judged already.
pub(in crate::import) async fn step(
    ctx: &TenantContext,
    format: &Format,
    one: &domain::Import,
    chosen: &[(String, String)],
    judges: bool,
) -> Result<(ColumnsView, Vec<(String, String)>), Error> {
    let uploads = uploads();
    let value = |name: &str| chosen.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let stored = one.settings.as_ref().filter(|_| chosen.iter().all(|(name, _)| name == "step"));
    let encoding = value("encoding").and_then(|key| key.parse::<Encoding>().ok());
    let delimiter = value("delimiter").and_then(|key| key.parse::<Delimiter>().ok());
    let encoding = encoding.or(stored.and_then(|stored| stored.encoding));
    let delimiter = delimiter.or(stored.and_then(|stored| stored.delimiter));
    let mut errors = Vec::new();
    let look = match domain::look(ctx, &uploads, one.id, encoding, delimiter).await {
        Ok(look) => look,
        // It cannot be read so; how else is asked.
        Err(Error::Invalid(refused)) => {
            crate::request::set_status(422);
            return Ok((unread(encoding, delimiter), pairs_of(refused)));
        }
        Err(other) => return Err(other),
    };
    let accounts = account::list(ctx).await?;
    let reading = form::read(&look, &accounts, ctx.tenant().zone, chosen, stored);
    // On the first look nothing was chosen that could be wrong; questions are asked and not reproached.
    let is_chosen = judges && chosen.iter().any(|(name, _)| name == "date_order" || name == "duplicates");
    let preview = match domain::preview(ctx, &uploads, one.id, &reading.settings).await {
        Ok(preview) => Some(preview_view(ctx, format, &preview)),
        Err(Error::Invalid(refused)) => {
            if is_chosen {
                errors.extend(pairs_of(refused));
            }
            None
        }
        Err(other) => return Err(other),
    };
    if is_chosen {
        let known: Vec<String> = errors.iter().map(|(field, _)| field.clone()).collect();
        let own = pairs_of(reading.errors.clone()).into_iter().filter(|(field, _)| !known.contains(field));
        errors.extend(own);
    }
    if !errors.is_empty() {
        crate::request::set_status(422);
    }
    let mut view = columns_view(ctx, &look, &accounts, reading, value("save_as"), preview);
    // What came from a saved mapping may be saved under its name again, also when it was changed meanwhile.
    if let Some(origin) = value("mapping").filter(|origin| origin.starts_with("saved:")) {
        view.hidden.retain(|(name, _)| name != "mapping");
        view.hidden.push(("mapping".into(), origin.into()));
    }
    Ok((view, errors))
}

/// The step for a file that cannot be read as stated or as it seems: only how to read it is asked.
fn unread(encoding: Option<Encoding>, delimiter: Option<Delimiter>) -> ColumnsView {
    ColumnsView {
        read_as: "The file cannot be read. Say in which encoding it is written and what stands between its columns."
            .into(),
        encodings: encodings(encoding),
        delimiters: delimiters(delimiter),
        ..ColumnsView::default()
    }
}

fn encodings(chosen: Option<Encoding>) -> Vec<ChoiceView> {
    Encoding::ALL
        .into_iter()
        .map(|one| ChoiceView { value: one.key().into(), label: one.label().into(), is_chosen: Some(one) == chosen })
        .collect()
}

fn delimiters(chosen: Option<Delimiter>) -> Vec<ChoiceView> {
    Delimiter::ALL
        .into_iter()
        .map(|one| ChoiceView { value: one.key().into(), label: one.key().into(), is_chosen: Some(one) == chosen })
        .collect()
}

fn pairs_of(errors: Vec<FieldError>) -> Vec<(String, String)> {
    errors.into_iter().map(|error| (error.field, error.message)).collect()
}

fn columns_view(
    ctx: &TenantContext,
    look: &Look,
    accounts: &[Account],
    reading: Reading,
    save_as: Option<&str>,
    preview: Option<PreviewView>,
) -> ColumnsView {
    let Reading { settings, draft, .. } = reading;
    let key = mapping_key(&settings.mapping);
    let builtin = look.guess.builtin.as_ref();
    let mut mappings = Vec::new();
    if let Some(builtin) = builtin {
        mappings.push((format!("builtin:{}", builtin.name), builtin.title.clone()));
    }
    for saved in &look.saved {
        let name = &saved.mapping.name;
        let label = match saved.missing_columns.len() {
            0 => format!("Saved: {name}"),
            1 => format!("Saved: {name} (the file lacks 1 of its columns)"),
            lacks => format!("Saved: {name} (the file lacks {lacks} of its columns)"),
        };
        mappings.push((format!("saved:{name}"), label));
    }
    mappings.push(("own".into(), "What I say below".into()));
    let mappings = mappings
        .into_iter()
        .map(|(value, label)| ChoiceView {
            is_chosen: value == key || (key.is_empty() && value.starts_with("builtin:")),
            value,
            label,
        })
        .collect();
    let mapping_notes = match (&settings.mapping, builtin) {
        (MappingChoice::Detected | MappingChoice::Builtin(_), Some(builtin)) => {
            let mut notes = vec![format!("RTV knows files of this kind: {}. {}", builtin.title, builtin.source)];
            notes.extend(builtin.lacks.iter().cloned());
            notes.extend(builtin.ignored.iter().map(|(column, why)| format!("“{column}” is left out: {why}")));
            notes
        }
        (MappingChoice::Saved(name), _) => vec![format!("The saved mapping “{name}” fits this file.")],
        _ => Vec::new(),
    };
    let (mut questions, mut fields) = (Vec::new(), Vec::new());
    let asked = |field: &str| look.guess.questions.iter().find(|question| question.field() == field);
    let all = match &draft {
        Some(draft) => draft_fields(ctx, draft, accounts, look, &settings),
        None => builtin_fields(builtin, accounts, &settings),
    };
    for mut field in all {
        // The zone has an answer that is right for most, and the platform may have one; both are shown to be changed.
        let question = asked(&field.name).filter(|_| draft.is_some() && field.name != "zone");
        match question {
            Some(question) => {
                field.label = question.sentence();
                field.hint = None;
                questions.push(field);
            }
            None if field.name == "new_account" && asked("account").is_some() => questions.push(field),
            None if field.name == "account" && draft.is_none() && builtin.is_some_and(Mapping::requires_account) => {
                field.label = Question::Account.sentence();
                questions.push(field);
            }
            None => fields.push(field),
        }
    }
    let columns = draft.as_ref().map(|draft| column_rows(look, draft)).unwrap_or_default();
    let mut notes = if draft.is_some() { look.guess.notes.clone() } else { Vec::new() };
    if draft.is_some() {
        notes.extend(asked("columns").map(Question::sentence));
    }
    if look.unreadable_rows > 0 && draft.is_none() {
        notes.push(format!("{} of the first rows cannot be read.", look.unreadable_rows));
    }
    ColumnsView {
        read_as: look.sentence.clone(),
        encodings: encodings(Some(look.encoding)),
        delimiters: delimiters(Some(look.delimiter)),
        is_read: true,
        mappings,
        mapping_notes,
        columns,
        questions,
        settings: fields,
        notes,
        save_as: draft.as_ref().map(|_| save_as.unwrap_or_default().to_owned()),
        hidden: [
            settings.encoding.map(|one| ("encoding".to_owned(), one.key().to_owned())),
            settings.delimiter.map(|one| ("delimiter".to_owned(), one.key().to_owned())),
            Some(("mapping".to_owned(), key)),
        ]
        .into_iter()
        .flatten()
        .collect(),
        preview,
    }
}

fn column_rows(look: &Look, draft: &Draft) -> Vec<ColumnRow> {
    look.guess
        .columns
        .iter()
        .enumerate()
        .map(|(index, guess)| {
            let chosen = draft.columns.get(index).and_then(|column| column.field);
            let mut fields =
                vec![ChoiceView { value: String::new(), label: "Do not import".into(), is_chosen: chosen.is_none() }];
            fields.extend(Field::all().into_iter().map(|field| ChoiceView {
                value: field.key().into(),
                label: field.label().into(),
                is_chosen: chosen == Some(field),
            }));
            ColumnRow {
                name: format!("column-{index}"),
                header: if guess.header.trim().is_empty() {
                    format!("Column {} (without a name)", index + 1)
                } else {
                    guess.header.clone()
                },
                examples: guess.examples.clone(),
                fields,
                reason: (chosen == guess.field).then(|| guess.reason.clone()),
            }
        })
        .collect()
}

fn answer(value: impl Into<String>, label: impl Into<String>, is_chosen: bool) -> AnswerView {
    AnswerView { value: value.into(), label: label.into(), hint: None, is_chosen }
}

fn field(name: &str, label: &str, kind: FieldKind, choices: Vec<AnswerView>, hint: Option<String>) -> FieldView {
    FieldView { name: name.into(), label: label.into(), kind, hint, choices, value: String::new() }
}

/// Settings of columns that a person says.
fn draft_fields(
    ctx: &TenantContext,
    draft: &Draft,
    accounts: &[Account],
    look: &Look,
    settings: &domain::Settings,
) -> Vec<FieldView> {
    let has = |wanted: Field| draft.columns.iter().any(|column| column.field == Some(wanted));
    let is_asked = |name: &str| look.guess.questions.iter().any(|question| question.field() == name);
    let orders: Vec<AnswerView> = DateOrder::ALL
        .into_iter()
        .filter(|order| *order != DateOrder::YearFirst || !is_asked("date_order"))
        .map(|order| answer(order.key(), order.label(), draft.date_order == Some(order)))
        .collect();
    let kind = |name: &str| if is_asked(name) { FieldKind::Radio } else { FieldKind::Select };
    let open = |name: &str, is_open: bool| {
        (!is_asked(name) && is_open).then(|| answer("", "Choose…", true)).into_iter().collect::<Vec<_>>()
    };
    let mut order_choices = open("date_order", draft.date_order.is_none());
    order_choices.extend(orders);
    let mut numbers = open("numbers", draft.numbers.is_none());
    numbers.extend(
        NumberStyle::CHOICES
            .into_iter()
            .filter(|style| *style != NumberStyle::Unambiguous || !is_asked("numbers"))
            .map(|style| answer(style.key(), style.label(), draft.numbers == Some(style))),
    );
    let mut zones = vec![answer("offset", "Each time says it itself (offset)", draft.times_have_offset)];
    zones.extend(zone_choices(draft.zone, ctx.tenant().zone));
    let platform_column = has(Field::Platform);
    let mut platforms = vec![answer(
        "",
        if platform_column { "As the column of the file says" } else { "Choose…" },
        draft.platform.is_none(),
    )];
    platforms.extend(
        Platform::ALL.into_iter().map(|platform| {
            answer(platform.key(), platform.label(), draft.platform.as_deref() == Some(platform.key()))
        }),
    );
    let is_known = |account: &Account| {
        draft.account_id.as_deref() == Some(account.external_id.as_str())
            && draft.platform.as_deref().is_none_or(|platform| platform == account.platform.key())
    };
    let is_new = draft.account_id.is_some() && !accounts.iter().any(is_known);
    let has_account_column = has(Field::AccountId) || has(Field::AccountName);
    let mut choices = vec![answer(
        "",
        if has_account_column { "As the column of the file says" } else { "Choose…" },
        draft.account_id.is_none() && !draft.account_from_post_id,
    )];
    if look.guess.draft.account_from_post_id || draft.account_from_post_id {
        choices.push(answer("post_id", "The part of the post id before the _", draft.account_from_post_id));
    }
    choices.extend(accounts.iter().map(|account| {
        answer(
            account.id.to_string(),
            format!("{} · {}", account.name, account.platform.label()),
            !is_new && is_known(account),
        )
    }));
    choices.push(answer("new", "A new account", is_new));
    let mut new_account = field(
        "new_account",
        "New account",
        FieldKind::Text,
        Vec::new(),
        Some("Its handle or id on the platform, like northwind_outdoor.".into()),
    );
    new_account.value = draft.account_id.clone().filter(|_| is_new).unwrap_or_default();
    vec![
        field("date_order", "Dates are written", kind("date_order"), order_choices, None),
        field("numbers", "Figures are written", kind("numbers"), numbers, None),
        field(
            "zone",
            "Zone of the times",
            FieldKind::Select,
            zones,
            Some("The times in the file are taken as local times of this zone.".into()),
        ),
        field("platform", "Platform", FieldKind::Select, platforms, None),
        field("account", "Account", FieldKind::Select, choices, None),
        new_account,
        duplicates(settings.duplicates),
    ]
}

/// Settings of a file that a built-in mapping knows.
fn builtin_fields(builtin: Option<&Mapping>, accounts: &[Account], settings: &domain::Settings) -> Vec<FieldView> {
    let mut fields = Vec::new();
    if builtin.is_some_and(Mapping::needs_zone) {
        let chosen = settings.zone.unwrap_or(Tz::UTC);
        fields.push(field(
            "zone",
            "Zone of the times",
            FieldKind::Select,
            zone_choices(Some(chosen), chosen),
            Some("The file gives local times and does not say of which zone; proposed is your organisation’s.".into()),
        ));
    }
    if builtin.is_some_and(Mapping::takes_account) && !accounts.is_empty() {
        let nothing = if builtin.is_some_and(Mapping::requires_account) { "Choose…" } else { "As the file says" };
        let mut choices = vec![answer("", nothing, settings.account.is_none())];
        choices.extend(accounts.iter().map(|account| {
            answer(
                account.id.to_string(),
                format!("{} · {}", account.name, account.platform.label()),
                settings.account == Some(account.id),
            )
        }));
        fields.push(field("account", "Account", FieldKind::Select, choices, None));
    }
    fields.push(duplicates(settings.duplicates));
    fields
}

fn duplicates(chosen: DuplicateRule) -> FieldView {
    let choices = DuplicateRule::ALL
        .into_iter()
        .map(|rule| {
            let (label, hint) = duplicates_label(rule);
            AnswerView {
                value: rule.key().into(),
                label: label.into(),
                hint: Some(hint.into()),
                is_chosen: rule == chosen,
            }
        })
        .collect();
    field("duplicates", "When a post stands in the file more than once", FieldKind::Radio, choices, None)
}

pub(in crate::import) const fn duplicates_label(rule: DuplicateRule) -> (&'static str, &'static str) {
    match rule {
        DuplicateRule::First => ("Keep the first row", "The others are counted as duplicates and left out."),
        DuplicateRule::Last => ("Keep the last row", "Right where a file lists newer figures further down."),
        DuplicateRule::Refuse => ("Refuse the file", "Where such rows contradict each other, nothing is imported."),
    }
}

/// The zones of the tz database that are places, and UTC.
fn zone_choices(chosen: Option<Tz>, proposed: Tz) -> Vec<AnswerView> {
    let mut zones: Vec<Tz> = chrono_tz::TZ_VARIANTS
        .iter()
        .copied()
        .filter(|zone| {
            let name = zone.name();
            let is_place = name.split_once('/').is_some_and(|(region, _)| {
                !matches!(region, "Etc" | "SystemV" | "US" | "Brazil" | "Canada" | "Chile" | "Mexico")
            });
            is_place || *zone == proposed || Some(*zone) == chosen
        })
        .collect();
    if !zones.contains(&Tz::UTC) {
        zones.push(Tz::UTC);
    }
    zones.sort_by_key(|zone| zone.name());
    zones.into_iter().map(|zone| answer(zone.name(), zone.name().replace('_', " "), Some(zone) == chosen)).collect()
}

pub(in crate::import) fn preview_view(ctx: &TenantContext, format: &Format, preview: &Preview) -> PreviewView {
    let zone = ctx.tenant().zone;
    let rows: Vec<(u64, ReadRow)> = preview
        .rows
        .iter()
        .map(|row| match row {
            Row::Refused(refusal) => {
                let reason = match &refusal.column {
                    Some(column) => format!("{column}: {}", refusal.reason),
                    None => refusal.reason.clone(),
                };
                (refusal.row_number, Err(reason))
            }
            Row::Post(post) => {
                let metrics = &post.metrics;
                let count = |value: Option<i64>| value.map(|value| format.count(value));
                let platform = post
                    .platform
                    .parse::<Platform>()
                    .map_or_else(|_| post.platform.clone(), |known| known.label().to_owned());
                let text = post.text.as_deref().map(str::trim).filter(|text| !text.is_empty());
                let cells = vec![
                    Some(published(format, post.published)),
                    Some(format!("{} · {platform}", post.account_name.as_ref().unwrap_or(&post.account_external_id))),
                    Some(shortened(text.unwrap_or(&post.external_id))),
                    post.kind.clone(),
                    post.campaign.clone(),
                    count(metrics.reach),
                    count(metrics.impressions),
                    count(metrics.reactions),
                    count(metrics.comments),
                    count(metrics.shares),
                    count(metrics.clicks),
                    count(metrics.conversions),
                    metrics.revenue.map(|value| format.money(value)),
                    metrics.cost.map(|value| format.money(value)),
                    metrics.sentiment.map(|value| format!("{value:+.2}")),
                ];
                (post.row_number, Ok(cells))
            }
        })
        .collect();
    // A column in which every row is empty says nothing.
    let shown: Vec<usize> = (0..PREVIEW_COLUMNS.len())
        .filter(|index| rows.iter().any(|(_, row)| row.as_ref().is_ok_and(|cells| cells[*index].is_some())))
        .collect();
    let refused = rows.iter().filter(|(_, row)| row.is_err()).count();
    PreviewView {
        columns: shown
            .iter()
            .map(|index| match index {
                0 => format!("{} ({zone})", PREVIEW_COLUMNS[0]),
                other => PREVIEW_COLUMNS[*other].into(),
            })
            .collect(),
        summary: match refused {
            0 => format!("The first {} rows as they will be stored.", rows.len()),
            1 => format!("The first {} rows as they will be stored. 1 of them is refused.", rows.len()),
            refused => {
                format!("The first {} rows as they will be stored. {refused} of them are refused.", rows.len())
            }
        },
        rows: rows
            .into_iter()
            .map(|(number, row)| {
                let (cells, refused) = match row {
                    Ok(cells) => (cells, None),
                    Err(reason) => (Vec::new(), Some(reason)),
                };
                let cells = if cells.is_empty() {
                    Vec::new()
                } else {
                    shown
                        .iter()
                        .map(|index| PreviewCell {
                            text: cells[*index].clone().unwrap_or_else(|| MISSING.into()),
                            is_number: *index >= FIRST_FIGURE,
                        })
                        .collect()
                };
                PreviewRow { number: number.to_string(), cells, refused }
            })
            .collect(),
        stopped: preview.stopped.clone(),
        left_out: (!preview.unmapped_columns.is_empty())
            .then(|| format!("Left out: {}.", preview.unmapped_columns.join(", "))),
    }
}

fn published(format: &Format, published: Published) -> String {
    match published {
        Published::At(at) => format.clock(at),
        month @ Published::Month { .. } => {
            month.possible_days().map_or_else(|| MISSING.into(), |(first, _)| format.month(first))
        }
    }
}

/// Long texts are known by their beginning.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 80;
    let mut line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > SHOWN {
        line = line.chars().take(SHOWN).collect::<String>() + "…";
    }
    line
}
