//! What can be wrong with a whole file or with how it was opened. What is wrong with one row is a [`crate::Refusal`] instead.
//!
//! Every message says what happened, why, and what to do next; it is meant to be shown to the person who gave the file as it stands.

use std::io;

use thiserror::Error;

/// Characters of a column's name that a message shows.
pub(crate) const SHOWN_NAME: usize = 80;

/// A file that cannot be read (further). After one of these a [`crate::Reader`] gives nothing more.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The operating system or the sender failed while the file was read.
    #[error("The file could not be read to its end: {0}. Nothing is known to be wrong with its content; try again.")]
    Io(#[from] io::Error),

    /// Zero bytes, or nothing but a byte order mark and line ends.
    #[error("The file is empty: it has neither a header nor rows. Check that the export that made it had finished.")]
    Empty,

    /// A header and no row below it.
    #[error("The file has a header of {columns} columns and no row below it, so there is nothing to import.")]
    HeaderOnly {
        /// Number of columns in the header.
        columns: usize,
    },

    /// The first bytes are those of another kind of file.
    #[error("The file is {what}, not text. Save or export it as CSV and import that.")]
    NotText {
        /// The kind of file, with its article: "an Excel workbook (XLSX)".
        what: &'static str,
    },

    /// Text, in an encoding that is not read.
    #[error(
        "The file's text looks like {guess}, which is not read. Save it as UTF-8; if it is Windows-1252 after all, say so with the encoding option."
    )]
    UnsupportedEncoding {
        /// Name of the encoding that the bytes look like.
        guess: &'static str,
    },

    /// The caller stated a separator that does not separate anything.
    #[error(
        "With a {stated} between the columns the file has one column; with a {better} it has {columns}. State {better} as the separator, or leave it to be detected."
    )]
    WrongDelimiter {
        /// What was stated, as a word.
        stated: &'static str,
        /// What fits better, as a word.
        better: &'static str,
        /// Columns of the header with that.
        columns: usize,
    },

    /// One column, with a character in its name by which other programs separate columns.
    #[error(
        "The columns seem to be separated by {found}, which is not read. Save the file with comma, semicolon or tab between the columns."
    )]
    OtherSeparator {
        /// The character.
        found: char,
    },

    /// The first row is longer than a row may be.
    #[error("The header cannot be used: {reason}.")]
    Header {
        /// What is wrong and what would be accepted; no full stop at the end.
        reason: String,
    },

    /// The same column name twice.
    #[error(
        "The column \"{name}\" stands twice in the header, as column {first} and column {second}, so its values are ambiguous. Rename or remove one of them."
    )]
    DuplicateColumn {
        /// The name, without surrounding spaces.
        name: String,
        /// Position of the first, from 1.
        first: usize,
        /// Position of the second, from 1.
        second: usize,
    },

    /// Columns that the mapping needs are not in the header.
    #[error(
        "The mapping \"{mapping}\" needs the column {}, which the file does not have. The file's columns are: {found}. Choose another mapping or add what is missing.",
        quoted(missing)
    )]
    MissingColumns {
        /// Name of the mapping.
        mapping: String,
        /// The names that were looked for and not found.
        missing: Vec<String>,
        /// The header, shortened for showing.
        found: String,
    },

    /// No mapping was named and no built-in one fits.
    #[error("No built-in mapping fits the file's columns: {found}. Name a mapping; built in are: {}.", known.join(", "))]
    NoMapping {
        /// The header, shortened for showing.
        found: String,
        /// Names of the built-in mappings.
        known: Vec<String>,
    },

    /// A mapping that contradicts itself.
    #[error("The mapping \"{mapping}\" cannot be used: {reason}.")]
    BadMapping {
        /// Name of the mapping.
        mapping: String,
        /// What is wrong and what would be accepted; no full stop at the end.
        reason: String,
    },

    /// Local times without a zone to read them in.
    #[error(
        "The times in column \"{column}\" are local and the file does not say of which zone. Give it with --zone, for example --zone Asia/Bangkok."
    )]
    ZoneRequired {
        /// The column with local times.
        column: String,
    },

    /// An account was given for a file that names the account of every row itself.
    #[error(
        "The mapping \"{mapping}\" takes the account of each post from the file, so one account for all of them would be wrong. Leave the account out."
    )]
    AccountNotAccepted {
        /// Name of the mapping.
        mapping: String,
    },

    /// The file does not name the account, and the caller gave none.
    #[error("The file does not say which account its posts belong to. Choose the account for all of them.")]
    AccountRequired,

    /// The account that the caller gave cannot be an account's id.
    #[error("The account id cannot be used: {reason}.")]
    BadAccount {
        /// What is wrong and what would be accepted; no full stop at the end.
        reason: String,
    },

    /// A quote that nothing closes before the file ends.
    #[error(
        "A quote that opens in row {row} (line {line} of the file) is never closed, so everything after it would be one cell. Close it, or double it if it belongs to the text. Was the file cut off?"
    )]
    UnclosedQuote {
        /// Row in which the quote opens; 1 is the first row below the header, 0 the header itself.
        row: u64,
        /// Line of the file on which it opens, from 1.
        line: u64,
    },

    /// More rows than can be told apart by counting.
    #[error(
        "Posts in this file have no id, and only {limit} different rows without an id can be told apart at a time. Split the file and import the parts."
    )]
    TooManyCountedRows {
        /// [`crate::read::MAX_COUNTED_ROWS`].
        limit: usize,
    },
}

impl ImportError {
    /// The field of a form that the message belongs to: `file`, `encoding`, `delimiter`, `mapping`, `zone` or `account`.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Io(_)
            | Self::Empty
            | Self::HeaderOnly { .. }
            | Self::NotText { .. }
            | Self::OtherSeparator { .. }
            | Self::Header { .. }
            | Self::DuplicateColumn { .. }
            | Self::UnclosedQuote { .. }
            | Self::TooManyCountedRows { .. } => "file",
            Self::UnsupportedEncoding { .. } => "encoding",
            Self::WrongDelimiter { .. } => "delimiter",
            Self::MissingColumns { .. } | Self::NoMapping { .. } | Self::BadMapping { .. } => "mapping",
            Self::ZoneRequired { .. } => "zone",
            Self::AccountNotAccepted { .. } | Self::AccountRequired | Self::BadAccount { .. } => "account",
        }
    }
}

pub(crate) fn quoted<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|name| format!("\"{}\"", excerpt(name.as_ref(), SHOWN_NAME))).collect::<Vec<_>>().join(", ")
}

/// The first `limit` characters of what was typed, so that a message stays readable whatever is in the file. Control characters are shown
/// escaped: a message must not be able to move the cursor of a terminal.
pub(crate) fn excerpt(value: &str, limit: usize) -> String {
    let mut shown = String::new();
    for (count, character) in value.chars().enumerate() {
        if count == limit {
            shown.push('…');
            break;
        }
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}
