//! Which column of a file means what, as data.
//!
//! A mapping also says what it leaves out and why, and what a file of its kind cannot tell, so that a page can say so instead of showing 0.
//! The built-in ones stand in [`crate::builtin`], how a person makes one in [`crate::draft`], and how one is applied to a row in
//! [`crate::read`].

use chrono::format::{Fixed, Item, Numeric, StrftimeItems};
use serde::{Deserialize, Serialize};

use crate::{builtin, date::DateOrder, error::ImportError, number::NumberStyle};

/// Columns to fields. All columns that it names must be in the file, except the [`Self::optional`] ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What it is called by: lower-case words with hyphens.
    pub name: String,
    /// What it is called on a page.
    pub title: String,
    /// Where files of this kind come from, and how their columns are known.
    pub source: String,
    /// Which network the posts are on.
    pub platform: PlatformRule,
    /// Which account each post belongs to.
    pub account: AccountRule,
    /// What identifies a post within its platform.
    pub post_id: PostIdRule,
    /// When a post was published.
    pub published: PublishedRule,
    /// Columns with figures.
    pub metrics: Vec<MetricColumn>,
    /// How the figures are written.
    #[serde(default)]
    pub numbers: NumberStyle,
    /// Column with the kind of post, such as photo or video.
    #[serde(default)]
    pub kind: Option<String>,
    /// Column with the post's text.
    #[serde(default)]
    pub text: Option<String>,
    /// Column with the campaign's name.
    #[serde(default)]
    pub campaign: Option<String>,
    /// Columns named above that a file may lack; their values are then missing.
    #[serde(default)]
    pub optional: Vec<String>,
    /// Columns that are known and left out, each with the reason as a sentence.
    #[serde(default)]
    pub ignored: Vec<(String, String)>,
    /// What a file of this kind cannot tell, in sentences.
    #[serde(default)]
    pub lacks: Vec<String>,
}

/// Which network the posts are on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PlatformRule {
    /// The same for the whole file, as its key: `facebook`.
    Fixed(String),
    /// Named in each row, as its key.
    Column(String),
    /// Named in each row, as people write it: `Facebook`, `Twitter`.
    Named(String),
}

/// Which account a post belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AccountRule {
    /// The part before the `_` of a [`PostIdRule::PagePost`].
    PostIdPrefix,
    /// Named in each row.
    Column {
        /// Column with the account's id on its platform.
        id: String,
        /// Column with its name.
        name: Option<String>,
    },
    /// The same for the whole file, unless the caller gives another.
    Fixed {
        /// The id to use where the caller gives none.
        external_id: String,
        /// The name that belongs to that id, where one is known.
        #[serde(default)]
        name: Option<String>,
    },
    /// The same for the whole file, which does not name it: the caller has to.
    Stated,
}

/// What identifies a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PostIdRule {
    /// The cell as it stands.
    Column(String),
    /// Facebook's `PAGE_POST`, two numbers joined by `_`. The whole of it is the id.
    PagePost(String),
    /// The file has no ids: a digest of the row's cells, and the how-manieth row with the same cells it is. It is the same each time the file is
    /// imported, also with its columns or its different rows in another order; a row with a changed figure is another post.
    RowDigest,
}

/// When a post was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PublishedRule {
    /// A local time in the zone that the caller states. A time that stands twice, where clocks go back, is taken as the earlier one; a time that
    /// the zone skipped is refused.
    Local {
        /// The column.
        column: String,
        /// Tried in this order.
        formats: Vec<DateFormat>,
    },
    /// A time with offset, as `2026-03-01T09:30:00Z`, or only a month, as `2026-03`.
    Rfc3339 {
        /// The column.
        column: String,
    },
    /// Dates in any of the usual forms, with day and month in a stated order. A time that states its offset is taken at its word; a local one is
    /// read as in [`Self::Local`]; a date without a time is taken as 12:00, which is the same day in all zones that are not far apart.
    Written {
        /// The column with the date, or with date and time.
        column: String,
        /// A column with the time of day, where it stands in one of its own.
        #[serde(default)]
        time: Option<String>,
        /// What comes first.
        order: DateOrder,
        /// Every time states its offset from UTC, or only a month is known, so no zone is needed; a row without is refused.
        has_offset: bool,
    },
    /// Only the month is known; the year is the same for the whole file.
    Month {
        /// Column with the month from 1 to 12.
        column: String,
        /// The year.
        year: i32,
    },
}

/// A form of date and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateFormat {
    /// In `strftime` notation; it must hold date and time.
    pub pattern: String,
    /// As shown to people: `M/D/YYYY H:MM`.
    pub shown: String,
}

/// A column with figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricColumn {
    /// The column.
    pub column: String,
    /// What its figures are.
    pub metric: Metric,
}

/// A figure that a post can have. An empty cell is a missing value, never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// People who saw the post at least once.
    Reach,
    /// Times shown.
    Impressions,
    /// Reactions of all sorts, likes included.
    Reactions,
    /// Comments.
    Comments,
    /// Shares.
    Shares,
    /// Clicks anywhere in the post, as the platform counts them.
    Clicks,
    /// Attributed conversions.
    Conversions,
    /// Attributed revenue in the tenant's currency.
    Revenue,
    /// Cost in the tenant's currency.
    Cost,
    /// Mean sentiment of the post's engagements, -1 to 1.
    Sentiment,
}

impl Metric {
    /// All of them, in the order of the columns of RTV's own export.
    pub const ALL: [Self; 10] = [
        Self::Reach,
        Self::Impressions,
        Self::Reactions,
        Self::Comments,
        Self::Shares,
        Self::Clicks,
        Self::Conversions,
        Self::Revenue,
        Self::Cost,
        Self::Sentiment,
    ];

    /// The word to show.
    pub fn label(self) -> &'static str {
        match self {
            Self::Reach => "Reach",
            Self::Impressions => "Impressions",
            Self::Reactions => "Reactions",
            Self::Comments => "Comments",
            Self::Shares => "Shares",
            Self::Clicks => "Clicks",
            Self::Conversions => "Conversions",
            Self::Revenue => "Revenue",
            Self::Cost => "Cost",
            Self::Sentiment => "Sentiment",
        }
    }

    /// The column of RTV's own export.
    pub fn key(self) -> &'static str {
        match self {
            Self::Reach => "reach",
            Self::Impressions => "impressions",
            Self::Reactions => "reactions",
            Self::Comments => "comments",
            Self::Shares => "shares",
            Self::Clicks => "clicks",
            Self::Conversions => "conversions",
            Self::Revenue => "revenue",
            Self::Cost => "cost",
            Self::Sentiment => "sentiment",
        }
    }
}

/// Columns of RTV's own export before the figures.
pub(crate) const EXPORT_COLUMNS: [&str; 8] =
    ["platform", "account_id", "account_name", "post_id", "published_at", "kind", "text", "campaign"];

impl Mapping {
    /// The built-in mapping of that name.
    pub fn builtin(name: &str) -> Option<Self> {
        Self::all_builtin().into_iter().find(|mapping| mapping.name == name)
    }

    /// All built-in mappings.
    pub fn all_builtin() -> Vec<Self> {
        builtin::all()
    }

    /// The built-in mapping whose required columns are all in the header; of several, the one that requires most.
    pub fn detect<S: AsRef<str>>(header: &[S]) -> Option<Self> {
        Self::all_builtin()
            .into_iter()
            .filter(|mapping| {
                mapping
                    .required_columns()
                    .iter()
                    .all(|column| header.iter().any(|name| name.as_ref().trim() == *column))
            })
            .max_by_key(|mapping| mapping.required_columns().len())
    }

    /// Columns that a file must have: all that are read, without the optional ones.
    pub fn required_columns(&self) -> Vec<&str> {
        let mut columns = self.used_columns();
        columns.retain(|column| !self.optional.iter().any(|optional| optional == column));
        columns
    }

    /// Columns that are read.
    pub fn used_columns(&self) -> Vec<&str> {
        let mut columns = Vec::new();
        if let PlatformRule::Column(column) | PlatformRule::Named(column) = &self.platform {
            columns.push(column.as_str());
        }
        if let AccountRule::Column { id, name } = &self.account {
            columns.push(id);
            columns.extend(name.as_deref());
        }
        match &self.post_id {
            PostIdRule::Column(column) | PostIdRule::PagePost(column) => columns.push(column),
            PostIdRule::RowDigest => {}
        }
        match &self.published {
            PublishedRule::Local { column, .. }
            | PublishedRule::Rfc3339 { column }
            | PublishedRule::Month { column, .. } => columns.push(column),
            PublishedRule::Written { column, time, .. } => {
                columns.push(column);
                columns.extend(time.as_deref());
            }
        }
        columns.extend([&self.kind, &self.text, &self.campaign].into_iter().filter_map(|column| column.as_deref()));
        columns.extend(self.metrics.iter().map(|metric| metric.column.as_str()));
        columns
    }

    /// Whether the caller has to say in which zone the file's times are.
    pub fn needs_zone(&self) -> bool {
        matches!(self.published, PublishedRule::Local { .. } | PublishedRule::Written { has_offset: false, .. })
    }

    /// Whether the caller may say which account the posts belong to.
    pub fn takes_account(&self) -> bool {
        matches!(self.account, AccountRule::Fixed { .. } | AccountRule::Stated)
    }

    /// Whether the caller has to say which account the posts belong to.
    pub fn requires_account(&self) -> bool {
        self.account == AccountRule::Stated
    }

    /// Refuses a mapping that contradicts itself, which a saved or hand-written one may.
    pub fn validate(&self) -> Result<(), ImportError> {
        let bad = |reason: String| Err(ImportError::BadMapping { mapping: self.name.clone(), reason });
        if self.account == AccountRule::PostIdPrefix && !matches!(self.post_id, PostIdRule::PagePost(_)) {
            return bad(
                "it takes the account from the post id, which only works with ids of the form PAGE_POST".to_owned()
            );
        }
        let columns = self.used_columns();
        if columns.iter().any(|column| column.is_empty() || column.trim() != *column) {
            return bad("a column's name is empty or has spaces around it".to_owned());
        }
        for (index, column) in columns.iter().enumerate() {
            if columns[..index].contains(column) {
                return bad(format!("it uses the column \"{column}\" for two fields"));
            }
        }
        for (index, metric) in self.metrics.iter().enumerate() {
            if self.metrics[..index].iter().any(|other| other.metric == metric.metric) {
                return bad(format!("it fills \"{}\" from two columns", metric.metric.key()));
            }
        }
        let identifying = self.required_columns();
        for optional in &self.optional {
            if !columns.contains(&optional.as_str()) {
                return bad(format!("the optional column \"{optional}\" is not one that it reads"));
            }
        }
        if let Some(column) = self.identifying_columns().into_iter().find(|column| !identifying.contains(column)) {
            return bad(format!("the column \"{column}\" tells posts apart and cannot be optional"));
        }
        match &self.published {
            PublishedRule::Local { formats, .. } => {
                if formats.is_empty() {
                    return bad("it states no date format".to_owned());
                }
                for format in formats {
                    let mut items = StrftimeItems::new(&format.pattern);
                    if items.clone().any(|item| item == Item::Error) {
                        return bad(format!("\"{}\" is no date format in strftime notation", format.pattern));
                    }
                    if items.any(|item| states_offset(&item)) {
                        return bad(format!(
                            "\"{}\" states an offset, which a local time does not have; such times are read as RFC 3339",
                            format.pattern
                        ));
                    }
                }
            }
            PublishedRule::Month { year, .. } if !(2000..2100).contains(year) => {
                return bad(format!("the year {year} is not between 2000 and 2099"));
            }
            PublishedRule::Month { .. } | PublishedRule::Rfc3339 { .. } | PublishedRule::Written { .. } => {}
        }
        Ok(())
    }

    fn identifying_columns(&self) -> Vec<&str> {
        let figures_and_labels: Vec<&str> = self
            .metrics
            .iter()
            .map(|metric| metric.column.as_str())
            .chain([&self.kind, &self.text, &self.campaign].into_iter().filter_map(|column| column.as_deref()))
            .chain(match &self.account {
                AccountRule::Column { name, .. } => name.as_deref(),
                AccountRule::PostIdPrefix | AccountRule::Fixed { .. } | AccountRule::Stated => None,
            })
            .collect();
        let mut columns = self.used_columns();
        columns.retain(|column| !figures_and_labels.contains(column));
        columns
    }
}

/// An offset in the cell would be passed over in favour of the stated zone, and the time be wrong without a word.
fn states_offset(item: &Item<'_>) -> bool {
    matches!(
        item,
        Item::Numeric(Numeric::Timestamp, _)
            | Item::Fixed(
                Fixed::TimezoneName
                    | Fixed::TimezoneOffset
                    | Fixed::TimezoneOffsetColon
                    | Fixed::TimezoneOffsetDoubleColon
                    | Fixed::TimezoneOffsetTripleColon
                    | Fixed::TimezoneOffsetColonZ
                    | Fixed::TimezoneOffsetZ
                    | Fixed::RFC2822
                    | Fixed::RFC3339
            )
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::facebook_live_sellers;

    fn check(change: impl FnOnce(&mut Mapping), expect: &str) {
        let mut mapping = facebook_live_sellers();
        change(&mut mapping);
        let message = mapping.validate().unwrap_err().to_string();
        assert!(message.contains(expect), "{message}");
    }

    #[test]
    fn every_built_in_mapping_is_sound_and_found_by_its_own_columns() {
        for mapping in Mapping::all_builtin() {
            mapping.validate().unwrap();
            assert_eq!(Mapping::detect(&mapping.required_columns()).as_ref(), Some(&mapping));
            assert_eq!(Mapping::builtin(&mapping.name).as_ref(), Some(&mapping));
            for (column, _) in &mapping.ignored {
                assert!(!mapping.used_columns().contains(&column.as_str()), "{column} is both read and ignored");
            }
        }
    }

    #[test]
    fn a_header_that_lacks_a_required_column_is_not_recognised() {
        assert_eq!(Mapping::detect(&["status_id", "status_published"]), None);
        assert_eq!(Mapping::detect::<&str>(&[]), None);
    }

    #[test]
    fn a_mapping_that_contradicts_itself_is_refused() {
        check(|mapping| mapping.post_id = PostIdRule::RowDigest, "PAGE_POST");
        check(|mapping| mapping.kind = Some("num_shares".to_owned()), "\"num_shares\" for two fields");
        check(|mapping| mapping.metrics[0].metric = Metric::Shares, "\"shares\" from two columns");
        check(|mapping| mapping.optional.push("num_likes".to_owned()), "\"num_likes\" is not one that it reads");
        check(|mapping| mapping.optional.push("status_id".to_owned()), "\"status_id\" tells posts apart");
        check(|mapping| mapping.published = PublishedRule::Month { column: "m".to_owned(), year: 14 }, "year 14");
        for (pattern, expect) in
            [("%m/%Q", "no date format"), ("%Y-%m-%d %H:%M %z", "states an offset"), ("%s", "states an offset")]
        {
            let formats = vec![DateFormat { pattern: pattern.to_owned(), shown: String::new() }];
            check(|mapping| mapping.published = PublishedRule::Local { column: "d".to_owned(), formats }, expect);
        }
    }
}
