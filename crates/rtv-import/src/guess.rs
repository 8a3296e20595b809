//! What the columns of a file probably mean, from their names and from the values of the first rows, with the reason in words.
//!
//! A guess fills in a form and decides nothing: a person sees it and its reasons before anything is read. What the values leave open (day or
//! month first, point or comma, the zone of local times, the platform, the account) becomes a [`Question`]; it is never answered by habit.

use std::collections::HashSet;

use serde::Serialize;

use crate::{
    date::{self, DateOrder, Hint, Stamp},
    draft::{Draft, DraftColumn},
    error::{SHOWN_NAME, excerpt, quoted},
    field::{Field, is_network, platform_named, reason_to_leave_out, simplify},
    mapping::{Mapping, Metric},
    number::{self, NumberStyle},
    read::{MAX_LABEL_CHARACTERS, is_rounded, page_of},
    sample::Sample,
};

/// Examples that are shown of a column's values.
const SHOWN_EXAMPLES: usize = 3;

/// Characters of an example.
const SHOWN_EXAMPLE: usize = 60;

/// What a file probably means.
#[derive(Clone, Debug, Serialize)]
pub struct Guess {
    /// The built-in mapping that fits the header, which knows the file better than the guess below.
    pub builtin: Option<Mapping>,
    /// One for each column, in the file's order.
    pub columns: Vec<ColumnGuess>,
    /// What has to be answered before the file can be imported.
    pub questions: Vec<Question>,
    /// What a person should know and is not asked, in sentences.
    pub notes: Vec<String>,
    /// The guess as a form; what is asked is `None` in it.
    pub draft: Draft,
}

/// What a column probably means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnGuess {
    /// Its name; it may be empty.
    pub header: String,
    /// Up to three different values, shortened.
    pub examples: Vec<String>,
    /// What it is imported as; nothing: not at all.
    pub field: Option<Field>,
    /// Why, as a sentence.
    pub reason: String,
}

/// Something that the file leaves open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "question", rename_all = "snake_case")]
pub enum Question {
    /// Which column holds the date.
    PublishedAt,
    /// Whether the day or the month comes first.
    DateOrder {
        /// The column with the dates.
        column: String,
        /// Dates that could be read either way.
        examples: Vec<String>,
        /// Some dates only make sense with the day first, others only with the month first.
        is_contradictory: bool,
    },
    /// Whether a point or a comma stands before decimals.
    NumberStyle {
        /// The columns with such figures.
        columns: Vec<String>,
        /// Figures that could be read either way.
        examples: Vec<String>,
        /// Some figures only make sense with a point, others only with a comma.
        is_contradictory: bool,
    },
    /// Of which zone the times are.
    Zone {
        /// The column with the times.
        column: String,
        /// Some of them.
        examples: Vec<String>,
    },
    /// On which platform the posts are.
    Platform {
        /// What the addresses in the file speak for, as the platform's key.
        suggestion: Option<String>,
    },
    /// To which account the posts belong.
    Account,
}

impl Question {
    /// The field of the form that answers it, as in [`crate::DraftError::field`].
    pub fn field(&self) -> &'static str {
        match self {
            Self::PublishedAt => "columns",
            Self::DateOrder { .. } => "date_order",
            Self::NumberStyle { .. } => "numbers",
            Self::Zone { .. } => "zone",
            Self::Platform { .. } => "platform",
            Self::Account => "account",
        }
    }

    /// The question, to show.
    pub fn sentence(&self) -> String {
        match self {
            Self::PublishedAt => "Which column holds the date? None of them looks like it.".to_owned(),
            Self::DateOrder { column, examples, is_contradictory: false } => format!(
                "What comes first in the dates of \"{}\", the day or the month? The first rows fit both: {}.",
                excerpt(column, SHOWN_NAME),
                examples.join(", ")
            ),
            Self::DateOrder { column, examples, is_contradictory: true } => format!(
                "What comes first in the dates of \"{}\", the day or the month? Some rows fit only one, some only the other: {}. Rows that contradict the answer are refused.",
                excerpt(column, SHOWN_NAME),
                examples.join(", ")
            ),
            Self::NumberStyle { columns, examples, is_contradictory: false } => format!(
                "Does a point or a comma stand before decimals in {}? The first rows fit both: {}.",
                quoted(columns),
                examples.join(", ")
            ),
            Self::NumberStyle { columns, examples, is_contradictory: true } => format!(
                "Does a point or a comma stand before decimals in {}? Some rows fit only one, some only the other: {}. Rows that contradict the answer are refused.",
                quoted(columns),
                examples.join(", ")
            ),
            Self::Zone { column, examples } => format!(
                "Of which zone are the times in \"{}\"? They do not say it: {}.",
                excerpt(column, SHOWN_NAME),
                examples.join(", ")
            ),
            Self::Platform { .. } => "On which platform are these posts? The file does not say it.".to_owned(),
            Self::Account => "To which account do these posts belong? The file does not say it.".to_owned(),
        }
    }
}

/// Guesses from the beginning of a file.
pub fn guess(sample: &Sample) -> Guess {
    let columns: Vec<Column<'_>> = (0..sample.sniffed.header.len()).map(|index| Column::of(sample, index)).collect();
    let mut assigned = Assigned { columns: &columns, guesses: vec![None; columns.len()] };
    assigned.by_name();
    assigned.by_values();
    assigned.time_of_day();

    let mut guess = Guess {
        builtin: Mapping::detect(&sample.sniffed.header),
        columns: Vec::new(),
        questions: Vec::new(),
        notes: Vec::new(),
        draft: Draft::default(),
    };
    if sample.unreadable_rows > 0 {
        guess.notes.push(format!("{} of the first rows cannot be read; the preview says why.", sample.unreadable_rows));
    }
    ask_for_the_date(&assigned, &mut guess);
    ask_for_the_numbers(&assigned, &mut guess);
    ask_for_the_platform(&assigned, &mut guess);
    tell_of_the_ids(&assigned, &mut guess);
    ask_for_the_account(&mut assigned, &mut guess);

    let reasons = assigned.reasons();
    let fields = assigned.guesses.iter().map(|chosen| chosen.as_ref().map(|chosen| chosen.field));
    for ((column, field), reason) in columns.iter().zip(fields).zip(reasons) {
        guess.columns.push(ColumnGuess {
            header: column.name.to_owned(),
            examples: examples(column.values.iter().copied()),
            field,
            reason,
        });
        guess.draft.columns.push(DraftColumn { column: column.name.to_owned(), field });
    }
    guess
}

/// A column's name, as it stands and simplified, and its values without the empty ones.
struct Column<'a> {
    name: &'a str,
    simple: String,
    values: Vec<&'a str>,
}

impl<'a> Column<'a> {
    fn of(sample: &'a Sample, index: usize) -> Self {
        let name = sample.sniffed.header[index].as_str();
        let values = sample.rows.iter().map(|row| row[index].trim()).filter(|value| !value.is_empty()).collect();
        Self { name, simple: simplify(without_unit(name)), values }
    }

    /// How well the name says that it is this field: 0 is best.
    fn rank(&self, field: Field) -> Option<usize> {
        let position = |name: &str| field.names().position(|known| known == name);
        let mut words: Vec<&str> = self.simple.split(' ').filter(|word| !word.is_empty()).collect();
        if let Some(rank) = position(&self.simple) {
            return Some(rank);
        }
        // "Lifetime Post Total Reach" is the reach; "Paid Reach" is not.
        loop {
            if words.first().is_some_and(|word| FILLERS.contains(word)) {
                words.remove(0);
            } else if words.last().is_some_and(|word| FILLERS.contains(word)) {
                words.pop();
            } else {
                return None;
            }
            if let Some(rank) = position(&words.join(" ")) {
                return Some(field.names().count() + rank);
            }
        }
    }

    /// Whether so good as all values are as expected; a few that are not become refused rows.
    fn mostly(&self, is_expected: impl Fn(&str) -> bool) -> bool {
        self.has_share(8, is_expected)
    }

    /// Whether so many tenths of the values are as expected.
    fn has_share(&self, tenths: usize, is_expected: impl Fn(&str) -> bool) -> bool {
        self.values.iter().filter(|value| is_expected(value)).count() * 10 >= self.values.len() * tenths
    }

    /// What speaks against the field in the values, as the end of a sentence.
    fn contradiction(&self, field: Field) -> Option<&'static str> {
        let is_label = |value: &str| value.chars().count() <= MAX_LABEL_CHARACTERS && !value.contains(['\n', '\r']);
        let (is_expected, otherwise) = match field {
            // Without a date there is no post: half of them are enough where the name says so, and the others are refused.
            Field::PublishedAt => (self.has_share(5, |value| date::hint(value).is_some()), "are no dates"),
            Field::PublishedTime => (self.mostly(date::is_clock), "are no times of day"),
            Field::Platform => (self.mostly(|value| platform_named(value).is_some()), "are no names of networks"),
            Field::PostId => {
                let different: HashSet<&&str> = self.values.iter().collect();
                if different.len() * 2 < self.values.len() {
                    return Some("stand in many rows each, so they are no ids of posts");
                }
                (self.mostly(is_label), "are too long for an id")
            }
            Field::AccountId | Field::AccountName | Field::Kind | Field::Campaign => {
                (self.mostly(is_label), "are longer than a name may be")
            }
            Field::Text => (true, ""),
            Field::Metric(metric) => (self.mostly(|value| is_figure(value, metric)), "are no such numbers"),
        };
        (!is_expected).then_some(otherwise)
    }
}

/// Words around a name that do not change what it names.
const FILLERS: [&str; 24] = [
    "lifetime", "total", "post", "posts", "tweet", "number", "of", "no", "num", "nr", "count", "all", "the", "sum",
    "anzahl", "gesamt", "der", "nombre", "de", "número", "numero", "di", "aantal", "van",
];

/// The name without a currency or zone in brackets behind it: "Amount spent (EUR)".
fn without_unit(name: &str) -> &str {
    let Some((before, unit)) = name.strip_suffix(')').and_then(|name| name.rsplit_once('(')) else {
        return name;
    };
    let is_currency = unit.len() == 3 && unit.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_currency || matches!(unit.to_lowercase().as_str(), "total" | "all" | "lifetime") { before } else { name }
}

fn is_figure(value: &str, metric: Metric) -> bool {
    let style = NumberStyle::Unambiguous;
    number::is_missing(value, style)
        || match metric {
            Metric::Revenue | Metric::Cost => {
                !matches!(number::read_amount(value, style), Err(number::Trouble::NoNumber))
            }
            Metric::Sentiment => number::read_sentiment(value, style).is_ok(),
            _ => number::read_count(value, style).is_ok(),
        }
}

/// What a column was chosen for, and why.
#[derive(Clone)]
struct Chosen {
    field: Field,
    reason: String,
}

struct Assigned<'a> {
    columns: &'a [Column<'a>],
    guesses: Vec<Option<Chosen>>,
}

impl<'a> Assigned<'a> {
    fn column_of(&self, field: Field) -> Option<&'a Column<'a>> {
        let index =
            self.guesses.iter().position(|chosen| chosen.as_ref().is_some_and(|chosen| chosen.field == field))?;
        Some(&self.columns[index])
    }

    fn choose(&mut self, index: usize, field: Field, reason: impl Into<String>) {
        self.guesses[index] = Some(Chosen { field, reason: reason.into() });
    }

    /// For each field the free column whose name says it best and whose values do not contradict it.
    fn by_name(&mut self) {
        for field in Field::all().into_iter().filter(|field| *field != Field::PublishedTime) {
            let best = self
                .columns
                .iter()
                .enumerate()
                .filter(|(index, column)| self.guesses[*index].is_none() && !column.name.is_empty())
                .filter(|(_, column)| column.contradiction(field).is_none())
                .filter_map(|(index, column)| Some((column.rank(field)?, index)))
                .min();
            if let Some((_, index)) = best {
                let reason = if self.columns[index].values.is_empty() {
                    "The name says so; the first rows are empty."
                } else {
                    match field {
                        Field::PublishedAt => "The name says so, and the values are dates.",
                        Field::Platform => "The name says so, and the values are names of networks.",
                        Field::Metric(_) => "The name says so, and the values are numbers.",
                        _ => "The name says so.",
                    }
                };
                self.choose(index, field, reason);
            }
        }
    }

    /// What can be told without knowing the name's language.
    fn by_values(&mut self) {
        for (index, column) in self.columns.iter().enumerate() {
            if self.guesses[index].is_some() || column.name.is_empty() || column.values.is_empty() {
                continue;
            }
            if self.column_of(Field::PublishedAt).is_none()
                && column.values.iter().all(|value| date::hint(value).is_some())
            {
                self.choose(index, Field::PublishedAt, "The values are dates.");
            } else if self.column_of(Field::PostId).is_none()
                && column.values.iter().all(|value| page_of(value).is_some())
            {
                self.choose(index, Field::PostId, "The values are ids of the form PAGE_POST.");
            } else if self.column_of(Field::Platform).is_none()
                && column.values.iter().all(|value| is_network(value))
                // A column of crosses is no column of posts on X.
                && column.values.iter().any(|value| value.len() > 2)
            {
                self.choose(index, Field::Platform, "The values are names of networks.");
            }
        }
    }

    /// A column of times, if the dates have none.
    fn time_of_day(&mut self) {
        let Some(dates) = self.column_of(Field::PublishedAt) else { return };
        if dates.values.is_empty()
            || !dates.values.iter().all(|value| matches!(stamp(value), Some(Stamp::Day(_)) | None))
        {
            return;
        }
        let clock = self.columns.iter().enumerate().position(|(index, column)| {
            self.guesses[index].is_none()
                && !column.name.is_empty()
                && !column.values.is_empty()
                && column.values.iter().all(|value| date::is_clock(value))
        });
        if let Some(index) = clock {
            self.choose(index, Field::PublishedTime, "The values are times of day, and the dates have none.");
        }
    }

    /// Why each column is imported as it is, or not at all.
    fn reasons(&self) -> Vec<String> {
        let reason = |(column, chosen): (&Column<'_>, &Option<Chosen>)| {
            if let Some(chosen) = chosen {
                return chosen.reason.clone();
            }
            if column.name.is_empty() {
                return "The column has no name, so it cannot be imported; give it one in the file if you need it."
                    .to_owned();
            }
            if let Some(reason) = reason_to_leave_out(column.name) {
                return reason.to_owned();
            }
            let Some(field) = Field::all().into_iter().find(|field| column.rank(*field).is_some()) else {
                return "The name is not known. Choose what it is, if you need it.".to_owned();
            };
            if let Some(other) = self.column_of(field) {
                return format!(
                    "It could be {} as well, for which \"{}\" is taken.",
                    field.label(),
                    excerpt(other.name, SHOWN_NAME)
                );
            }
            match column.contradiction(field) {
                Some(otherwise) => {
                    format!(
                        "The name says {}, but values such as {} {otherwise}.",
                        field.label(),
                        column.example(field)
                    )
                }
                None => format!("It could be {}, which comes from elsewhere.", field.label()),
            }
        };
        self.columns.iter().zip(&self.guesses).map(reason).collect()
    }
}

impl Column<'_> {
    /// A value that speaks against the field.
    fn example(&self, field: Field) -> String {
        let speaks_against = |value: &&&str| {
            let alone = Column { name: self.name, simple: String::new(), values: vec![value] };
            alone.contradiction(field).is_some()
        };
        let value = self.values.iter().find(speaks_against).or(self.values.first());
        format!("\"{}\"", excerpt(value.copied().unwrap_or_default(), SHOWN_EXAMPLE))
    }
}

/// The date whatever its order, to see how precise it is.
fn stamp(value: &str) -> Option<Stamp> {
    date::read(value, DateOrder::DayFirst).or_else(|_| date::read(value, DateOrder::MonthFirst)).ok()
}

fn examples<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut shown: Vec<String> = Vec::new();
    for value in values {
        let value = excerpt(value, SHOWN_EXAMPLE);
        if !shown.contains(&value) {
            shown.push(value);
        }
        if shown.len() == SHOWN_EXAMPLES {
            break;
        }
    }
    shown
}

fn ask_for_the_date(assigned: &Assigned<'_>, guess: &mut Guess) {
    let Some(column) = assigned.column_of(Field::PublishedAt) else {
        guess.questions.push(Question::PublishedAt);
        return;
    };
    let with_hint = |wanted: Hint| column.values.iter().copied().filter(move |value| date::hint(value) == Some(wanted));
    let (day, month) = (with_hint(Hint::DayFirst).next(), with_hint(Hint::MonthFirst).next());
    let name = column.name.to_owned();
    guess.draft.date_order = match (day, month) {
        (Some(_), None) => Some(DateOrder::DayFirst),
        (None, Some(_)) => Some(DateOrder::MonthFirst),
        (Some(day), Some(month)) => {
            let examples = examples([day, month].into_iter());
            guess.questions.push(Question::DateOrder { column: name, examples, is_contradictory: true });
            None
        }
        (None, None) if with_hint(Hint::Open).next().is_some() => {
            let examples = examples(with_hint(Hint::Open));
            guess.questions.push(Question::DateOrder { column: name, examples, is_contradictory: false });
            None
        }
        (None, None) => Some(DateOrder::YearFirst),
    };

    let times = assigned.column_of(Field::PublishedTime);
    let stamps: Vec<(&str, Stamp)> = column.values.iter().filter_map(|value| Some((*value, stamp(value)?))).collect();
    let is_settled = |stamp: &Stamp| matches!(stamp, Stamp::Instant(_) | Stamp::Month { .. });
    let clocks_state_offset = times.is_some_and(|times| {
        times
            .values
            .iter()
            .all(|time| matches!(date::read_apart("2026-01-01", time, DateOrder::YearFirst), Ok(Stamp::Instant(_))))
    });
    guess.draft.times_have_offset =
        clocks_state_offset || (!stamps.is_empty() && stamps.iter().all(|(_, stamp)| is_settled(stamp)));
    if !guess.draft.times_have_offset {
        let local = stamps.iter().filter(|(_, stamp)| !is_settled(stamp)).map(|(value, _)| *value);
        guess.questions.push(Question::Zone { column: column.name.to_owned(), examples: examples(local) });
    }
    if times.is_none() && !stamps.is_empty() && stamps.iter().all(|(_, stamp)| matches!(stamp, Stamp::Day(_))) {
        guess
            .notes
            .push("Only the days of the posts are known: their time is stored as 12:00 in the stated zone.".to_owned());
    }
    if stamps.iter().any(|(_, stamp)| matches!(stamp, Stamp::Month { .. })) {
        guess
            .notes
            .push("Of some posts only the month is known: they count where a period holds the whole month.".to_owned());
    }
}

fn ask_for_the_numbers(assigned: &Assigned<'_>, guess: &mut Guess) {
    let figures: Vec<(&Column<'_>, Metric)> = Metric::ALL
        .into_iter()
        .filter_map(|metric| Some((assigned.column_of(Field::Metric(metric))?, metric)))
        .collect();
    let mut with_point = Vec::new();
    let mut with_comma = Vec::new();
    let mut open = Vec::new();
    let mut has_missing = false;
    for &(column, metric) in &figures {
        for &value in &column.values {
            if number::is_missing(value, NumberStyle::Unambiguous) {
                has_missing = true;
                continue;
            }
            let style = reads_as(value, metric);
            let list = match style {
                Reading::Point => &mut with_point,
                Reading::Comma => &mut with_comma,
                Reading::Open => &mut open,
                Reading::Same | Reading::None => continue,
            };
            list.push((column.name, value));
        }
    }
    let ask = |values: &[(&str, &str)], is_contradictory| {
        let mut columns: Vec<String> = Vec::new();
        for (name, _) in values {
            if !columns.iter().any(|column| column == name) {
                columns.push((*name).to_owned());
            }
        }
        let examples = examples(values.iter().map(|(_, value)| *value));
        Question::NumberStyle { columns, examples, is_contradictory }
    };
    guess.draft.numbers = match (with_point.first(), with_comma.first()) {
        (Some(_), None) => Some(NumberStyle::DecimalPoint),
        (None, Some(_)) => Some(NumberStyle::DecimalComma),
        (Some(point), Some(comma)) => {
            guess.questions.push(ask(&[*point, *comma], true));
            None
        }
        (None, None) if !open.is_empty() => {
            guess.questions.push(ask(&open, false));
            None
        }
        (None, None) => Some(NumberStyle::Unambiguous),
    };
    if has_missing {
        guess
            .notes
            .push("Signs such as \"-\" or \"n/a\" instead of a figure are stored as missing, not as 0.".to_owned());
    }
}

/// What a figure tells about the style.
enum Reading {
    /// It makes sense with a point before decimals only.
    Point,
    /// It makes sense with a comma before decimals only.
    Comma,
    /// It makes sense with both, and differently.
    Open,
    /// It means the same with both.
    Same,
    /// It is no figure.
    None,
}

fn reads_as(value: &str, metric: Metric) -> Reading {
    fn compare<T: PartialEq>(point: Option<T>, comma: Option<T>) -> Reading {
        match (point, comma) {
            (Some(point), Some(comma)) if point != comma => Reading::Open,
            (Some(_), Some(_)) => Reading::Same,
            (Some(_), None) => Reading::Point,
            (None, Some(_)) => Reading::Comma,
            (None, None) => Reading::None,
        }
    }
    let (point, comma) = (NumberStyle::DecimalPoint, NumberStyle::DecimalComma);
    match metric {
        Metric::Revenue | Metric::Cost => {
            compare(number::read_amount(value, point).ok(), number::read_amount(value, comma).ok())
        }
        Metric::Sentiment => {
            compare(number::read_sentiment(value, point).ok(), number::read_sentiment(value, comma).ok())
        }
        _ => compare(number::read_count(value, point).ok(), number::read_count(value, comma).ok()),
    }
}

fn ask_for_the_platform(assigned: &Assigned<'_>, guess: &mut Guess) {
    if assigned.column_of(Field::Platform).is_some() {
        return;
    }
    let hosts = [
        ("facebook.com/", "facebook"),
        ("instagram.com/", "instagram"),
        ("linkedin.com/", "linkedin"),
        ("//x.com/", "x"),
        ("twitter.com/", "x"),
        ("bsky.app/", "bluesky"),
    ];
    // Only a column of nothing but addresses of one network: texts link anywhere.
    let suggestion = assigned.columns.iter().filter(|column| !column.values.is_empty()).find_map(|column| {
        let of = |value: &str| hosts.into_iter().find(|(host, _)| value.starts_with("http") && value.contains(host));
        let (_, key) = of(column.values[0])?;
        column.values.iter().all(|value| of(value).is_some_and(|(_, other)| other == key)).then(|| key.to_owned())
    });
    guess.questions.push(Question::Platform { suggestion });
}

fn tell_of_the_ids(assigned: &Assigned<'_>, guess: &mut Guess) {
    let Some(column) = assigned.column_of(Field::PostId) else {
        guess.notes.push(
            "No column has the posts' ids: a row is known again by its content, so a row with a changed figure counts as another post."
                .to_owned(),
        );
        return;
    };
    if column.values.iter().any(|value| is_rounded(value)) {
        guess.notes.push(format!(
            "A spreadsheet has rounded ids in \"{}\"; such rows are refused. Import the file as it was exported.",
            excerpt(column.name, SHOWN_NAME)
        ));
    }
    let mut seen = HashSet::new();
    if let Some(again) = column.values.iter().find(|value| !seen.insert(**value)) {
        guess.notes.push(format!(
            "Posts stand more than once in the file: \"{}\", for example, is in several rows.",
            excerpt(again, SHOWN_EXAMPLE)
        ));
    }
    if column.values.iter().any(|value| value.starts_with("http")) {
        guess
            .notes
            .push(format!("The addresses in \"{}\" stand for the posts' ids.", excerpt(column.name, SHOWN_NAME)));
    }
}

fn ask_for_the_account(assigned: &mut Assigned<'_>, guess: &mut Guess) {
    if assigned.column_of(Field::AccountId).is_some() {
        return;
    }
    let name = assigned
        .guesses
        .iter()
        .position(|chosen| chosen.as_ref().is_some_and(|chosen| chosen.field == Field::AccountName));
    let is_page_post = assigned
        .column_of(Field::PostId)
        .is_some_and(|column| !column.values.is_empty() && column.values.iter().all(|value| page_of(value).is_some()));
    if is_page_post {
        guess.draft.account_from_post_id = true;
        guess.notes.push("The account is taken from the posts' ids, which begin with the page's number.".to_owned());
        if let Some(index) = name {
            // Its name cannot be stored beside it: the mapping takes both from columns, or none.
            assigned.guesses[index] = None;
        }
    } else if let Some(index) = name {
        assigned.choose(
            index,
            Field::AccountId,
            "The name says that it is the account's name; the file has no account ids, so the name stands for the id.",
        );
    } else {
        guess.questions.push(Question::Account);
    }
}
