//! What comes of a definition: typed values, never text that was formatted already. Page, PDF, XLSX and CSV are made from it,
//! so none of them can say anything that another does not.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::kpi::Unit;
use crate::period::Period;
use crate::report::definition::ChartKind;

/// A report with its figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Filled {
    /// What the report is called.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// Whose figures they are.
    pub tenant: String,
    /// The days that it covers, in `zone`.
    pub period: Period,
    /// What it is compared with.
    pub previous: Option<Period>,
    /// Zone of its days and times.
    pub zone: Tz,
    /// Filters in words, such as “Platform: Facebook”; empty where it covers everything.
    pub filters: Vec<String>,
    /// When the facts changed last; `None` where there are none.
    pub as_of: Option<DateTime<Utc>>,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// Which version of the definition it follows; `None` of one that was not saved.
    pub version: Option<u32>,
    /// Its parts in order.
    pub sections: Vec<FilledSection>,
    /// What each measure in it means, in the order in which they appear.
    pub meanings: Vec<Meaning>,
    /// What has to be known to read the figures, in sentences.
    pub notes: Vec<String>,
}

/// What a measure means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meaning {
    /// Its name.
    pub label: String,
    /// Its definition in a sentence.
    pub definition: String,
}

/// A part of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FilledSection {
    /// Number of the section in the definition.
    pub id: u32,
    /// Heading; may be empty.
    pub title: String,
    /// What it holds, in order.
    pub blocks: Vec<FilledBlock>,
}

/// Something that a section holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FilledBlock {
    /// Number of the block in the definition.
    pub id: u32,
    /// Heading; never empty where there are figures.
    pub title: String,
    /// What it shows.
    pub content: FilledContent,
}

/// What a block shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum FilledContent {
    /// Plain text; empty lines part paragraphs.
    Text(String),
    /// One measure.
    Metric(Metric),
    /// A drawing of a table. Its first columns are dimensions (none for a funnel, whose steps are the measures of its one
    /// row), the others measures.
    Chart {
        /// How it is drawn.
        kind: ChartKind,
        /// What it shows.
        table: Table,
    },
    /// Rows and columns.
    Table(Table),
    /// It could not be filled, and why, as a sentence. Nothing is left out without saying so.
    Refused(String),
}

/// One measure with its comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Key of the measure.
    pub key: String,
    /// Name of the measure.
    pub label: String,
    /// Unit of both values.
    pub unit: Unit,
    /// Exact value; `None` is missing, never zero.
    pub value: Option<Decimal>,
    /// Exact value of the period of comparison.
    pub previous: Option<Decimal>,
    /// Whether it is compared at all.
    pub is_compared: bool,
    /// The days that `previous` is of, where they are others than those of [`Filled::previous`]. Results that were stored before it
    /// was known do not have it.
    #[serde(default)]
    pub compared_with: Option<Period>,
    /// Whether more is better; `None` where neither direction is good in itself.
    pub up_is_good: Option<bool>,
    /// Why it is missing, or a remark, as a sentence.
    pub note: Option<String>,
    /// What has to be known besides, where that is more than one sentence. Figures that stand together share it, so it is shown once
    /// below them.
    #[serde(default)]
    pub remarks: Vec<String>,
}

impl Metric {
    /// Remarks of figures that stand together, each once.
    pub fn remarks_of<'a>(figures: impl IntoIterator<Item = &'a Self>) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for remark in figures.into_iter().flat_map(|figure| &figure.remarks) {
            if !all.contains(remark) {
                all.push(remark.clone());
            }
        }
        all
    }
}

/// Rows and columns of typed values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Dimensions first, then measures; a measure that is compared is followed by its earlier value.
    pub columns: Vec<Column>,
    /// The rows that are shown, in order; each as long as `columns`.
    pub rows: Vec<Vec<Cell>>,
    /// Totals of all rows, shown or not; as long as `columns`. Of a rate it is that of the sums, never a sum of rates. For people the
    /// row is called what [`Table::total_label`] says.
    pub totals: Option<Vec<Cell>>,
    /// So many rows there are. Where it is more than `rows`, every format says “showing 20 of 4,812”.
    pub of_rows: u64,
    /// Address of the whole table, where not all of it is shown.
    pub whole: Option<String>,
    /// Remarks, in sentences.
    pub notes: Vec<String>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Key of the dimension or measure; one of the comparison ends in `_previous`.
    pub key: String,
    /// Name for people.
    pub label: String,
    /// What its cells hold.
    pub kind: Kind,
}

/// What the cells of a column hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Words.
    Text,
    /// A day.
    Day,
    /// A week, by its first day.
    Week,
    /// A month, by its first day.
    Month,
    /// A moment.
    Instant,
    /// A day of the week, by its name; its number is the order.
    Weekday,
    /// An hour of the day, 0 to 23.
    Hour,
    /// A figure.
    Number(Unit),
}

impl Filled {
    /// All tables in order, those of charts included.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.sections.iter().flat_map(|section| &section.blocks).filter_map(|block| block.content.table())
    }

    /// Whether there is nothing to report: it has figures, and each of the period itself is missing or 0. What could not be filled
    /// is something to report.
    pub fn is_empty(&self) -> bool {
        let blocks = || self.sections.iter().flat_map(|section| &section.blocks).map(|block| &block.content);
        let has_figures = blocks().any(|content| !matches!(content, FilledContent::Text(_)));
        has_figures
            && blocks().all(|content| match content {
                FilledContent::Text(_) => true,
                FilledContent::Metric(metric) => metric.value.is_none_or(|value| value.is_zero()),
                FilledContent::Chart { table, .. } | FilledContent::Table(table) => table.is_empty(),
                FilledContent::Refused(_) => false,
            })
    }
}

impl Table {
    /// Whether each figure of the period itself, in rows and totals, is missing or 0.
    fn is_empty(&self) -> bool {
        self.rows.iter().chain(&self.totals).all(|row| {
            row.iter().zip(&self.columns).all(|(cell, column)| {
                column.key.ends_with("_previous") || !matches!(cell, Cell::Number(value) if !value.is_zero())
            })
        })
    }
}

impl FilledContent {
    /// Its table, where it has one.
    pub const fn table(&self) -> Option<&Table> {
        match self {
            Self::Chart { table, .. } | Self::Table(table) => Some(table),
            Self::Text(_) | Self::Metric(_) | Self::Refused(_) => None,
        }
    }
}

impl Kind {
    /// Whether cells are set to the right.
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Number(_))
    }
}

/// One value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Cell {
    /// Not known; never 0 and never an empty text.
    Missing,
    /// Words, exactly as they are.
    Text(String),
    /// First day of a day, week or month.
    Day(NaiveDate),
    /// A moment.
    Instant(DateTime<Utc>),
    /// Days since Monday, 0 to 6, or hour of the day, 0 to 23.
    Ordinal(u8),
    /// An exact figure.
    Number(Decimal),
}

impl Table {
    /// How many of the first columns tell rows apart.
    pub fn dimensions(&self) -> usize {
        self.columns.iter().take_while(|column| !column.kind.is_number()).count()
    }

    /// Whether rows are left out.
    pub fn is_cut(&self) -> bool {
        u64::try_from(self.rows.len()).unwrap_or(u64::MAX) < self.of_rows
    }

    /// What the row of the totals is called: where rows are left out, how many it adds up, so that nobody takes it for the sum of those
    /// that are shown. `count` writes a number of rows.
    pub fn total_label(&self, count: &dyn Fn(u64) -> String) -> String {
        if self.is_cut() { format!("Total of all {}", count(self.of_rows)) } else { "Total".to_owned() }
    }

    /// The same with its first rows alone, at most so many; how many there are stays what it is.
    #[must_use]
    pub fn first(&self, most: usize) -> Self {
        Self {
            columns: self.columns.clone(),
            rows: self.rows.iter().take(most).cloned().collect(),
            totals: self.totals.clone(),
            of_rows: self.of_rows,
            whole: self.whole.clone(),
            notes: self.notes.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_was_stored_before_it_said_more_is_read() {
        let figure = Metric {
            key: "reach".into(),
            label: "Summed reach".into(),
            unit: Unit::Count,
            value: Some(3.into()),
            previous: Some(2.into()),
            is_compared: true,
            compared_with: None,
            up_is_good: Some(true),
            note: None,
            remarks: Vec::new(),
        };
        let mut stored = serde_json::to_value(&figure).unwrap();
        for later in ["compared_with", "remarks"] {
            assert!(stored.as_object_mut().unwrap().remove(later).is_some());
        }
        assert_eq!(serde_json::from_value::<Metric>(stored).unwrap(), figure);
    }
}
