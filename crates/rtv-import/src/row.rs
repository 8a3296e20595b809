//! What comes out of a file: posts with their figures, and rows that were refused.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::sniff::{Encoding, decode_cell};

/// Longest text of a refused row that is kept, in bytes, mark included: enough to find and mend the row, and a file of a million bad rows
/// does not become larger than the file itself.
pub const MAX_RAW_BYTES: usize = 4 * 1024;

/// Stands at the end of a refused row's text that was longer.
pub(crate) const CUT_MARK: &str = " … [cut at 4 KiB]";

/// One row of a file, read.
// Rows are handed on one by one and never collected here, so the difference in size costs nothing and boxing would cost an allocation a row.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// A post.
    Post(PostRow),
    /// A row that is not one, with the reason.
    Refused(Refusal),
}

/// A post as the file tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct PostRow {
    /// Which row of the file it is; 1 is the first below the header.
    pub row_number: u64,
    /// Key of the platform: lower-case letters, digits, `_` and `-`.
    pub platform: String,
    /// The account's id on its platform.
    pub account_external_id: String,
    /// The account's name, where the file or the mapping knows one.
    pub account_name: Option<String>,
    /// The post's id on its platform.
    pub external_id: String,
    /// The kind of post in lower case, as the file calls it.
    pub kind: Option<String>,
    /// The post's text, exactly as in the file. It may begin with `=`: it is text and stays text.
    pub text: Option<String>,
    /// The campaign's name.
    pub campaign: Option<String>,
    /// When it was published.
    pub published: Published,
    /// Its figures.
    pub metrics: PostMetrics,
    /// SHA-256 over everything above but the row number: equal content has an equal digest, whatever the file's encoding, separator or order of
    /// columns. Two rows with the same post id and different digests contradict each other.
    pub content_digest: [u8; 32],
}

/// When a post was published, as precisely as the file tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Published {
    /// At this time.
    At(DateTime<Utc>),
    /// Some time in this month.
    Month {
        /// 2000 to 2099.
        year: i32,
        /// 1 to 12.
        month: u32,
    },
}

impl Published {
    /// First and last possible day of a month; nothing for a time, whose day depends on the zone it is looked at from.
    pub fn possible_days(self) -> Option<(NaiveDate, NaiveDate)> {
        let Self::Month { year, month } = self else {
            return None;
        };
        let first = NaiveDate::from_ymd_opt(year, month, 1)?;
        let last = first.checked_add_months(chrono::Months::new(1))?.pred_opt()?;
        Some((first, last))
    }

    /// As RTV's own export writes it: `2026-03-01T09:30:00Z` or `2026-03`.
    pub fn to_export(self) -> String {
        match self {
            Self::At(time) => time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            Self::Month { year, month } => format!("{year:04}-{month:02}"),
        }
    }
}

/// A post's figures. `None` is a missing value: the file has no such column, or its cell is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PostMetrics {
    /// People who saw the post at least once. Not additive.
    pub reach: Option<i64>,
    /// Times shown.
    pub impressions: Option<i64>,
    /// Reactions of all sorts.
    pub reactions: Option<i64>,
    /// Comments.
    pub comments: Option<i64>,
    /// Shares.
    pub shares: Option<i64>,
    /// Clicks.
    pub clicks: Option<i64>,
    /// Attributed conversions.
    pub conversions: Option<i64>,
    /// Attributed revenue, not negative.
    pub revenue: Option<Decimal>,
    /// Cost, not negative.
    pub cost: Option<Decimal>,
    /// Mean sentiment, -1 to 1.
    pub sentiment: Option<f64>,
}

/// A row that was not taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Which row of the file it is; 1 is the first below the header.
    pub row_number: u64,
    /// The column at fault, where it is one.
    pub column: Option<String>,
    /// What is wrong and what would be accepted, in sentences.
    pub reason: String,
    /// The row as CSV text with the file's separator, at most [`MAX_RAW_BYTES`] of it; bytes that are no text are shown as `\xE9`.
    pub raw: String,
}

impl PostRow {
    /// The digest for [`Self::content_digest`].
    pub fn compute_content_digest(&self) -> [u8; 32] {
        let mut content = Content(Sha256::new());
        // Digests are stored and compared across versions: a change of what follows needs another word here.
        content.text(Some("rtv-post-1"));
        content.text(Some(&self.platform));
        content.text(Some(&self.account_external_id));
        content.text(self.account_name.as_deref());
        content.text(Some(&self.external_id));
        content.text(self.kind.as_deref());
        content.text(self.text.as_deref());
        content.text(self.campaign.as_deref());
        content.text(Some(&self.published.to_export()));
        let PostMetrics {
            reach,
            impressions,
            reactions,
            comments,
            shares,
            clicks,
            conversions,
            revenue,
            cost,
            sentiment,
        } = &self.metrics;
        for count in [reach, impressions, reactions, comments, shares, clicks, conversions] {
            content.text(count.map(|count| count.to_string()).as_deref());
        }
        for amount in [revenue, cost] {
            content.text(amount.map(|amount| amount.normalize().to_string()).as_deref());
        }
        // Adding zero makes -0 the same as 0.
        content.text(sentiment.map(|sentiment| (sentiment + 0.0).to_string()).as_deref());
        content.0.finalize().into()
    }
}

/// Values one after the other, each with its length, so that no two different rows give the same bytes.
struct Content(Sha256);

impl Content {
    fn text(&mut self, value: Option<&str>) {
        match value {
            None => self.0.update([0]),
            Some(value) => {
                self.0.update([1]);
                self.0.update((value.len() as u64).to_le_bytes());
                self.0.update(value);
            }
        }
    }
}

/// Writes cells as one CSV row without line end, cut to [`MAX_RAW_BYTES`].
pub(crate) fn raw_text<'a>(cells: impl Iterator<Item = &'a [u8]>, encoding: Encoding, delimiter: u8) -> String {
    let mut raw = String::new();
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            raw.push(char::from(delimiter));
        }
        // One byte more than is kept is enough to know that the cell is cut.
        let cell = &cell[..cell.len().min(MAX_RAW_BYTES + 1)];
        let cell = decode_cell(cell, encoding).unwrap_or_else(|_| show_bytes(cell).into());
        if cell.contains(['"', '\n', '\r', char::from(delimiter)]) {
            raw.push('"');
            raw.push_str(&cell.replace('"', "\"\""));
            raw.push('"');
        } else {
            raw.push_str(&cell);
        }
        if raw.len() > MAX_RAW_BYTES {
            raw.truncate(raw.floor_char_boundary(MAX_RAW_BYTES - CUT_MARK.len()));
            raw.push_str(CUT_MARK);
            break;
        }
    }
    raw
}

fn show_bytes(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character == '\0' {
                shown.push_str("\\x00");
            } else {
                shown.push(character);
            }
        }
        for byte in chunk.invalid() {
            shown.push_str("\\x");
            shown.push_str(&hex::encode_upper([*byte]));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cells: &[&[u8]], expect: &str) {
        assert_eq!(raw_text(cells.iter().copied(), Encoding::Utf8, b';'), expect);
    }

    #[test]
    fn a_refused_row_is_shown_as_it_was_written() {
        check(&[b"a", b"", b"b,c"], "a;;b,c");
        check(&[b"a;b", b"say \"x\"", b"two\nlines"], "\"a;b\";\"say \"\"x\"\"\";\"two\nlines\"");
        check(&[b"caf\xE9", b"\0"], "caf\\xE9;\\x00");
        assert_eq!(raw_text([b"caf\xE9".as_slice(), b"\x81"].into_iter(), Encoding::Windows1252, b','), "café,\\x81");
    }

    #[test]
    fn a_long_refused_row_is_cut_and_says_so() {
        for cell in ["é".repeat(5000), "\"".repeat(4096), "x".repeat(MAX_RAW_BYTES + 1)] {
            let raw = raw_text([cell.as_bytes()].into_iter(), Encoding::Utf8, b',');
            assert!(raw.len() <= MAX_RAW_BYTES && raw.ends_with(CUT_MARK), "{} bytes", raw.len());
        }
        let exact = "x".repeat(MAX_RAW_BYTES);
        assert_eq!(raw_text([exact.as_bytes()].into_iter(), Encoding::Utf8, b','), exact);
    }

    #[test]
    fn a_month_knows_its_first_and_last_day() {
        let day = |month, day| NaiveDate::from_ymd_opt(2024, month, day).unwrap();
        assert_eq!(Published::Month { year: 2024, month: 2 }.possible_days(), Some((day(2, 1), day(2, 29))));
        assert_eq!(Published::Month { year: 2024, month: 12 }.possible_days(), Some((day(12, 1), day(12, 31))));
        assert_eq!(Published::At(DateTime::UNIX_EPOCH).possible_days(), None);
    }

    #[test]
    fn values_cannot_be_shifted_between_fields_without_another_digest() {
        let post = |kind: &str, text: Option<&str>| PostRow {
            row_number: 1,
            platform: "facebook".to_owned(),
            account_external_id: "1".to_owned(),
            account_name: None,
            external_id: "2".to_owned(),
            kind: Some(kind.to_owned()),
            text: text.map(str::to_owned),
            campaign: None,
            published: Published::At(DateTime::UNIX_EPOCH),
            metrics: PostMetrics::default(),
            content_digest: [0; 32],
        };
        let digest = |kind, text| post(kind, text).compute_content_digest();
        // The control characters are those that mark a value as there or missing.
        assert_ne!(digest("a\u{1}b", None), digest("a", Some("b\0")));
        assert_ne!(digest("a", None), digest("a", Some("")));
        let later = PostRow { row_number: 2, ..post("a", None) };
        assert_eq!(later.compute_content_digest(), digest("a", None));
    }
}
