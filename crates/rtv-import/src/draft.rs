//! A mapping in the making: what a person chose on a form, complete or not, and the way from there to a [`Mapping`].
//!
//! A draft is flat like a form, is saved as JSON under a name, and can be put on another file with the same columns. It never guesses: a
//! question that is not answered is an error that asks it. All errors are given at once, each with the field of the form that it belongs to.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{
    date::DateOrder,
    error::{SHOWN_NAME, excerpt, quoted},
    field::Field,
    guess::Guess,
    mapping::{AccountRule, Mapping, Metric, MetricColumn, PlatformRule, PostIdRule, PublishedRule},
    number::NumberStyle,
    read::{OpenOptions, check_id, check_label, is_platform_key},
};

/// What a person chose. `None` is a question that is not answered, or a constant that is not needed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// The file's columns and what each is imported as.
    pub columns: Vec<DraftColumn>,
    /// The platform of all posts, as its key; only where no column says it.
    #[serde(default)]
    pub platform: Option<String>,
    /// The id of the account of all posts; only where no column says it.
    #[serde(default)]
    pub account_id: Option<String>,
    /// The name that belongs to it.
    #[serde(default)]
    pub account_name: Option<String>,
    /// The post ids are of the form `PAGE_POST`, and the page is the account.
    #[serde(default)]
    pub account_from_post_id: bool,
    /// What comes first in dates of numbers.
    #[serde(default)]
    pub date_order: Option<DateOrder>,
    /// Every time states its offset from UTC, so no zone is needed.
    #[serde(default)]
    pub times_have_offset: bool,
    /// The zone of local times.
    #[serde(default)]
    pub zone: Option<Tz>,
    /// How figures are written.
    #[serde(default)]
    pub numbers: Option<NumberStyle>,
}

/// A column of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftColumn {
    /// Its name in the header.
    pub column: String,
    /// What it is imported as; nothing: not at all.
    #[serde(default)]
    pub field: Option<Field>,
}

/// What is wrong with a draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DraftError {
    /// The field of the form: `column-0` and so on (the position in [`Draft::columns`]), `columns`, `platform`, `account`, `date_order`,
    /// `zone` or `numbers`.
    pub field: String,
    /// What is wrong and what would be right, in sentences.
    pub message: String,
}

impl Draft {
    /// The guess as a form that is filled in as far as it goes.
    pub fn from_guess(guess: &Guess) -> Self {
        guess.draft.clone()
    }

    /// The same choices for another file: its columns in its order, the unknown ones not imported. Columns that are imported and that the file
    /// lacks stay at the end, so that nothing that was chosen is lost; [`Self::to_mapping`] names them.
    #[must_use]
    pub fn fit(&self, header: &[String]) -> Self {
        let chosen = |name: &String| self.columns.iter().find(|column| column.column == *name)?.field;
        let mut columns: Vec<DraftColumn> =
            header.iter().map(|name| DraftColumn { column: name.clone(), field: chosen(name) }).collect();
        columns.extend(self.missing(header).cloned());
        Self { columns, ..self.clone() }
    }

    /// Columns that are imported and that the file lacks.
    pub fn missing_columns(&self, header: &[String]) -> Vec<String> {
        self.missing(header).map(|column| column.column.clone()).collect()
    }

    fn missing<'a>(&'a self, header: &'a [String]) -> impl Iterator<Item = &'a DraftColumn> {
        self.columns.iter().filter(|column| column.field.is_some() && !header.contains(&column.column))
    }

    /// The mapping for a file with this header, called `own`.
    pub fn to_mapping(&self, header: &[String]) -> Result<Mapping, Vec<DraftError>> {
        let mut errors = Errors::default();
        self.check_columns(header, &mut errors);
        let platform = self.platform(&mut errors);
        let account = self.account(&mut errors);
        let published = self.published(&mut errors);
        let metrics: Vec<MetricColumn> = Metric::ALL
            .into_iter()
            .filter_map(|metric| Some(MetricColumn { column: self.name(Field::Metric(metric))?, metric }))
            .collect();
        if !metrics.is_empty() && self.numbers.is_none() {
            errors.add("numbers", "State how figures are written: is 1.234 more than a thousand, or one and a bit?");
        }
        let (Some(platform), Some(account), Some(published), true) =
            (platform, account, published, errors.0.is_empty())
        else {
            return Err(errors.0);
        };
        let mut mapping = Mapping {
            name: "own".to_owned(),
            title: "Own mapping".to_owned(),
            source: "Chosen by hand, column by column.".to_owned(),
            platform,
            account,
            post_id: match self.name(Field::PostId) {
                Some(column) if self.account_from_post_id => PostIdRule::PagePost(column),
                Some(column) => PostIdRule::Column(column),
                None => PostIdRule::RowDigest,
            },
            published,
            metrics,
            numbers: self.numbers.unwrap_or_default(),
            kind: self.name(Field::Kind),
            text: self.name(Field::Text),
            campaign: self.name(Field::Campaign),
            optional: Vec::new(),
            ignored: Vec::new(),
            lacks: Vec::new(),
        };
        mapping.lacks = lacks(&mapping);
        match mapping.validate() {
            Ok(()) => Ok(mapping),
            // A form cannot lead here; a saved draft that was written by hand can.
            Err(error) => Err(vec![DraftError { field: "columns".to_owned(), message: error.to_string() }]),
        }
    }

    /// The mapping and the zone, to open a file with. What is known about its encoding and separator is for the caller to add.
    pub fn open_options(&self, header: &[String]) -> Result<OpenOptions, Vec<DraftError>> {
        let mapping = self.to_mapping(header);
        let needs_zone = !self.times_have_offset && self.name(Field::PublishedAt).is_some();
        if needs_zone && self.zone.is_none() {
            let mut errors = Errors(mapping.err().unwrap_or_default());
            errors.add("zone", "State the zone of the file's times: they do not say it themselves.");
            return Err(errors.0);
        }
        Ok(OpenOptions { mapping: Some(mapping?), zone: self.zone, ..OpenOptions::default() })
    }

    fn columns_of(&self, field: Field) -> impl Iterator<Item = (usize, &DraftColumn)> {
        self.columns.iter().enumerate().filter(move |(_, column)| column.field == Some(field))
    }

    fn name(&self, field: Field) -> Option<String> {
        self.columns_of(field).next().map(|(_, column)| column.column.clone())
    }

    fn check_columns(&self, header: &[String], errors: &mut Errors) {
        for (index, column) in self.columns.iter().enumerate() {
            let Some(field) = column.field else { continue };
            let name = excerpt(&column.column, SHOWN_NAME);
            if column.column.is_empty() {
                errors.add_column(
                    index,
                    format!(
                        "Column {} has no name in the file, so it cannot be imported. Give it a name in the file, or choose not to import it.",
                        index + 1
                    ),
                );
            } else if !header.contains(&column.column) {
                errors.add_column(
                    index,
                    format!(
                        "The file has no column \"{name}\", which is to be imported as {}. Choose another column for it, or none.",
                        field.label()
                    ),
                );
            }
        }
        for field in Field::all() {
            let names: Vec<&str> = self.columns_of(field).map(|(_, column)| column.column.as_str()).collect();
            for (index, _) in self.columns_of(field).skip(1) {
                errors.add_column(
                    index,
                    format!(
                        "{} are to be imported as {}, which takes one column. Keep one of them, and do not import the others or choose something else for them.",
                        quoted(&names),
                        field.label()
                    ),
                );
            }
        }
    }

    fn platform(&self, errors: &mut Errors) -> Option<PlatformRule> {
        let stated = self.platform.as_deref().map(str::trim).filter(|platform| !platform.is_empty());
        match (self.name(Field::Platform), stated) {
            (Some(column), None) => Some(PlatformRule::Named(column)),
            (Some(column), Some(_)) => {
                errors.add(
                    "platform",
                    format!(
                        "The platform is taken from the column \"{}\" and stated for the whole file as well. Keep one of the two.",
                        excerpt(&column, SHOWN_NAME)
                    ),
                );
                None
            }
            (None, Some(key)) if is_platform_key(key) => Some(PlatformRule::Fixed(key.to_owned())),
            (None, Some(key)) => {
                errors.add(
                    "platform",
                    format!("\"{}\" is no platform. Choose one of the list.", excerpt(key, SHOWN_NAME)),
                );
                None
            }
            (None, None) => {
                errors.add("platform", "State the platform of the posts, or choose the column that names it.");
                None
            }
        }
    }

    fn account(&self, errors: &mut Errors) -> Option<AccountRule> {
        let stated = |value: &Option<String>| {
            value.as_deref().map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned)
        };
        let before = errors.0.len();
        let (id, name) = (stated(&self.account_id), stated(&self.account_name));
        let (id_column, name_column) = (self.name(Field::AccountId), self.name(Field::AccountName));
        let sources = [id_column.is_some(), id.is_some(), self.account_from_post_id];
        match sources.into_iter().filter(|is_source| *is_source).count() {
            0 => errors.add("account", "State the account that the posts belong to, or choose the column with its id."),
            1 => {}
            _ => errors.add(
                "account",
                "The account comes from two places: of a column with its id, the post ids, and one account for the whole file, keep one.",
            ),
        }
        if let Some((index, column)) = self.columns_of(Field::AccountName).next()
            && id_column.is_none()
        {
            errors.add_column(
                index,
                format!(
                    "\"{}\" cannot be the account's name while no column is its id. Choose Account id for it, and the name stands for the id; or do not import it.",
                    excerpt(&column.column, SHOWN_NAME)
                ),
            );
        }
        if id.is_none() && name.is_some() {
            errors.add(
                "account",
                "An account's name is stated, and not its id. State the id as well, or leave the name out.",
            );
        }
        let checked =
            [id.as_deref().map(|id| (id, check_id(id))), name.as_deref().map(|name| (name, check_label(name)))];
        for (value, check) in checked.into_iter().flatten() {
            if let Err(accepted) = check {
                errors.add(
                    "account",
                    format!("\"{}\" cannot be kept; accepted is {accepted}.", excerpt(value, SHOWN_NAME)),
                );
            }
        }
        if self.account_from_post_id && self.name(Field::PostId).is_none() {
            errors.add("account", "The account is to be taken from the post ids, and no column is chosen for them.");
        }
        if errors.0.len() > before {
            return None;
        }
        Some(match (id_column, id) {
            (Some(id), _) => AccountRule::Column { id, name: name_column },
            (None, Some(external_id)) => AccountRule::Fixed { external_id, name },
            (None, None) => AccountRule::PostIdPrefix,
        })
    }

    fn published(&self, errors: &mut Errors) -> Option<PublishedRule> {
        let Some(column) = self.name(Field::PublishedAt) else {
            errors.add(
                "columns",
                "Choose Published at for the column with the date: without it a post cannot be stored.",
            );
            return None;
        };
        let Some(order) = self.date_order else {
            errors.add(
                "date_order",
                format!(
                    "State what comes first in the dates of \"{}\": is 03/04/2026 the 3rd of April, or the 4th of March?",
                    excerpt(&column, SHOWN_NAME)
                ),
            );
            return None;
        };
        Some(PublishedRule::Written {
            column,
            time: self.name(Field::PublishedTime),
            order,
            has_offset: self.times_have_offset,
        })
    }
}

#[derive(Default)]
struct Errors(Vec<DraftError>);

impl Errors {
    fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(DraftError { field: field.to_owned(), message: message.into() });
    }

    fn add_column(&mut self, index: usize, message: String) {
        self.add(&format!("column-{index}"), message);
    }
}

/// What a file with this mapping cannot tell.
fn lacks(mapping: &Mapping) -> Vec<String> {
    let mut lacks = Vec::new();
    if mapping.post_id == PostIdRule::RowDigest {
        lacks.push(
            "No post ids: a row is known again by its content, so a row with a changed figure counts as another post."
                .to_owned(),
        );
    }
    if mapping.needs_zone() {
        lacks.push("A date without a time is stored as 12:00 in the stated zone.".to_owned());
    }
    let missing: Vec<String> = Metric::ALL
        .into_iter()
        .filter(|metric| !mapping.metrics.iter().any(|column| column.metric == *metric))
        .map(|metric| metric.label().to_lowercase())
        .collect();
    if !missing.is_empty() {
        lacks.push(format!("Not in the file, and so missing rather than 0: {}.", missing.join(", ")));
    }
    lacks
}
