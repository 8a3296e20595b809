//! Reading a file row by row: opening it with a mapping, applying the mapping to each row, and refusing rows that do not fit.
//!
//! The first thing that is wrong with a row is the reason for its refusal; the row is then out as a whole. Whether a post is there twice is not
//! decided here, because only the database knows what was stored before.

use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    io::{Read, Seek},
    str::FromStr,
};

use chrono::{DateTime, Datelike, MappedLocalTime, NaiveDateTime, NaiveTime, SubsecRound, TimeZone, Utc};
use chrono_tz::Tz;
use sha2::{Digest, Sha256};

use crate::{
    date::{self, DateOrder, Stamp},
    error::{ImportError, excerpt},
    field::platform_named,
    mapping::{AccountRule, DateFormat, Mapping, Metric, PlatformRule, PostIdRule, PublishedRule},
    number::{self, NumberStyle},
    record::{Parser, Record},
    row::{PostMetrics, PostRow, Published, Refusal, Row, raw_text},
    sniff::{Delimiter, Encoding, Sniffed, decode_cell, next_record, second_look, shown_header, start},
    source::Source,
    write::REFUSED_COLUMNS,
};

/// Most different rows of a file without post ids. To give equal rows different ids they have to be counted, which takes 17 bytes for each
/// different row (a 12-byte digest and a counter in a hash table): this limit keeps the table at 36 MB, and at 54 MB for the moment in which it
/// grows. Files with post ids need no such table.
pub const MAX_COUNTED_ROWS: usize = 1_800_000;

/// Longest id, name or label, in characters: what a database index and a line on a page can hold.
pub const MAX_LABEL_CHARACTERS: usize = 255;

/// Characters of a wrong value that a refusal shows.
const SHOWN_VALUE: usize = 80;

/// [`YEARS`] in a refusal.
const IN_YEARS: &str = "from 2000-01-01 to 2099-12-31";

/// Years that a post can be from. The oldest of the networks is from 2004; before 2000 a date is a mistake.
const YEARS: std::ops::Range<i32> = 2000..2100;

/// The hour at which a post counts as published of which only the day is known: its day is then the same in all zones within half a day.
const NOON: NaiveTime = match NaiveTime::from_hms_opt(12, 0, 0) {
    Some(noon) => noon,
    None => NaiveTime::MIN,
};

/// How to open a file.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// Without one, the built-in mapping that fits the header is taken.
    pub mapping: Option<Mapping>,
    /// The zone of local times; required where the mapping says so, not used elsewhere.
    pub zone: Option<Tz>,
    /// The account that all posts belong to, for mappings that take one.
    pub account_external_id: Option<String>,
    /// The file's encoding, where it is known. A byte order mark in the file is stronger.
    pub encoding: Option<Encoding>,
    /// What stands between the cells, where it is known.
    pub delimiter: Option<Delimiter>,
}

/// A file that is being read; an iterator over its rows. After an error it gives nothing more.
pub struct Reader<R> {
    source: Source<R>,
    parser: Parser,
    record: Record,
    encoding: Encoding,
    sniffed: Sniffed,
    mapping: Mapping,
    columns: Columns,
    unmapped: Vec<String>,
    zone: Option<Tz>,
    account: Option<String>,
    occurrences: HashMap<[u8; 12], u32>,
    rows_read: u64,
    has_ended: bool,
}

/// Where the mapping's fields stand in this file.
struct Columns {
    platform: Option<usize>,
    account_id: Option<usize>,
    account_name: Option<usize>,
    post_id: Option<usize>,
    published: usize,
    published_time: Option<usize>,
    kind: Option<usize>,
    text: Option<usize>,
    campaign: Option<usize>,
    metrics: Vec<(usize, Metric)>,
    /// All columns by name, for a digest that does not depend on their order.
    by_name: Vec<usize>,
}

/// Why a row is refused.
struct Complaint {
    column: Option<usize>,
    reason: String,
}

/// Opens a file that can be read only once. Where its first 64 KiB are pure ASCII it counts as UTF-8; if other text follows that is not, those rows are refused.
pub fn open<R: Read>(input: R, options: OpenOptions) -> Result<Reader<R>, ImportError> {
    let started = start(input, options.encoding, options.delimiter)?;
    let header = &started.sniffed.header;
    refuse_duplicates(header)?;
    let mapping = match options.mapping {
        Some(mapping) => mapping,
        None => Mapping::detect(header).ok_or_else(|| ImportError::NoMapping {
            found: shown_header(header),
            known: Mapping::all_builtin().into_iter().map(|mapping| mapping.name).collect(),
        })?,
    };
    mapping.validate()?;
    let columns = Columns::find(&mapping, header)?;
    if let PublishedRule::Local { column, .. } | PublishedRule::Written { column, has_offset: false, .. } =
        &mapping.published
        && options.zone.is_none()
    {
        return Err(ImportError::ZoneRequired { column: column.clone() });
    }
    let account = options.account_external_id.map(|account| account.trim().to_owned());
    if let Some(account) = &account {
        if !mapping.takes_account() {
            return Err(ImportError::AccountNotAccepted { mapping: mapping.name });
        }
        check_id(account).map_err(|reason| ImportError::BadAccount { reason })?;
    } else if mapping.requires_account() {
        return Err(ImportError::AccountRequired);
    }
    let used = mapping.used_columns();
    let unmapped = header
        .iter()
        .filter(|name| !used.contains(&name.as_str()) && !mapping.ignored.iter().any(|(ignored, _)| ignored == *name))
        .cloned()
        .collect();
    Ok(Reader {
        source: started.source,
        parser: started.parser,
        record: Record::default(),
        encoding: started.encoding,
        sniffed: started.sniffed,
        mapping,
        columns,
        unmapped,
        zone: options.zone,
        account,
        occurrences: HashMap::new(),
        rows_read: 0,
        has_ended: false,
    })
}

/// Opens a file that can be read twice: where its first 64 KiB are pure ASCII, the rest is looked through for the encoding first.
pub fn open_seekable<R: Read + Seek>(mut input: R, mut options: OpenOptions) -> Result<Reader<R>, ImportError> {
    if options.encoding.is_none() {
        options.encoding = second_look(&mut input)?;
    }
    open(input, options)
}

impl<R: Read> Reader<R> {
    /// What was found out about the file.
    pub fn sniffed(&self) -> &Sniffed {
        &self.sniffed
    }

    /// The mapping that is applied.
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// Columns of the file that the mapping does not know; they are left out, which a person should be told.
    pub fn unmapped_columns(&self) -> &[String] {
        &self.unmapped
    }

    /// The row that was given last as it stands in the file, as in a [`Refusal`]: for a caller that cannot keep what could be read.
    pub fn raw(&self) -> String {
        raw_text(self.record.cells(), self.encoding, self.sniffed.delimiter.byte())
    }

    /// Rows so far, refused ones included.
    pub fn rows_read(&self) -> u64 {
        self.rows_read
    }

    /// Bytes of the file so far, for progress; at most 64 KiB ahead of the rows.
    pub fn bytes_read(&self) -> u64 {
        self.source.bytes_read()
    }

    /// SHA-256 of the file as it is, once all of it was read.
    pub fn sha256(&self) -> Option<[u8; 32]> {
        self.source.sha256().filter(|_| self.has_ended)
    }

    /// Bytes held in buffers: bounded, whatever the file. The table of [`MAX_COUNTED_ROWS`] is not among them.
    pub fn buffer_bytes(&self) -> usize {
        self.source.capacity() + self.record.capacity()
    }

    fn next_row(&mut self) -> Result<Option<Row>, ImportError> {
        if !next_record(&mut self.source, &mut self.parser, &mut self.record, self.rows_read + 1)? {
            return if self.rows_read == 0 {
                Err(ImportError::HeaderOnly { columns: self.sniffed.header.len() })
            } else {
                Ok(None)
            };
        }
        self.rows_read += 1;
        match self.read_post() {
            Ok((mut post, digest)) => {
                if let Some(digest) = digest {
                    let occurrence = self.count_occurrence(digest)?;
                    post.external_id = format!("row-{}-{occurrence}", hex::encode(digest));
                }
                post.content_digest = post.compute_content_digest();
                Ok(Some(Row::Post(post)))
            }
            Err(complaint) => Ok(Some(Row::Refused(Refusal {
                row_number: self.rows_read,
                column: complaint
                    .column
                    .and_then(|index| self.sniffed.header.get(index))
                    .filter(|name| !name.is_empty())
                    .cloned(),
                reason: complaint.reason,
                raw: raw_text(self.record.cells(), self.encoding, self.sniffed.delimiter.byte()),
            }))),
        }
    }

    /// The how-manieth row with this content it is, from 1.
    fn count_occurrence(&mut self, digest: [u8; 12]) -> Result<u32, ImportError> {
        if self.occurrences.len() == MAX_COUNTED_ROWS && !self.occurrences.contains_key(&digest) {
            return Err(ImportError::TooManyCountedRows { limit: MAX_COUNTED_ROWS });
        }
        let count = self.occurrences.entry(digest).or_default();
        *count += 1;
        Ok(*count)
    }

    /// The post, and its row's digest if that is to become its id.
    fn read_post(&self) -> Result<(PostRow, Option<[u8; 12]>), Complaint> {
        let cells = self.read_cells()?;
        let at = |index: Option<usize>| index.map_or("", |index| cells[index].trim());
        let columns = &self.columns;

        let platform = match &self.mapping.platform {
            PlatformRule::Fixed(platform) => platform.clone(),
            PlatformRule::Column(_) => {
                let key = at(columns.platform);
                if !is_platform_key(key) {
                    return Err(self.complaint(
                        columns.platform,
                        key,
                        "the key of a platform in lower-case letters, digits, - and _, such as facebook",
                    ));
                }
                key.to_owned()
            }
            PlatformRule::Named(_) => {
                let name = at(columns.platform);
                platform_named(name).ok_or_else(|| {
                    self.complaint(
                        columns.platform,
                        name,
                        "the name of a network, such as Facebook, Instagram, LinkedIn or X",
                    )
                })?
            }
        };
        let mut digest = None;
        let external_id = match &self.mapping.post_id {
            PostIdRule::Column(_) => self.id(columns.post_id, at(columns.post_id))?,
            PostIdRule::PagePost(_) => {
                let id = self.label(columns.post_id, at(columns.post_id))?;
                if page_of(&id).is_none() {
                    return Err(self.complaint(
                        columns.post_id,
                        &id,
                        "the page's and the post's number joined by _, such as 246675545449582_1649696485147474",
                    ));
                }
                id
            }
            PostIdRule::RowDigest => {
                digest = Some(self.digest(&cells));
                String::new()
            }
        };
        let (account_external_id, account_name) = match &self.mapping.account {
            AccountRule::PostIdPrefix => (page_of(&external_id).unwrap_or_default().to_owned(), None),
            AccountRule::Column { .. } => (
                self.id(columns.account_id, at(columns.account_id))?,
                self.optional_label(columns.account_name, at(columns.account_name))?,
            ),
            AccountRule::Stated => (self.account.clone().expect("opening asks for the account"), None),
            AccountRule::Fixed { external_id, name } => match &self.account {
                Some(account) if account != external_id => (account.clone(), None),
                _ => (external_id.clone(), name.clone()),
            },
        };
        let published = self.published(cells[columns.published].trim(), at(columns.published_time))?;
        // In lower case first: a few letters become longer by it.
        let kind = self.optional_label(columns.kind, &at(columns.kind).to_lowercase())?;
        let campaign = self.optional_label(columns.campaign, at(columns.campaign))?;
        // Only a post's text is kept with the spaces around it: they are part of it.
        let text = columns.text.map(|index| &*cells[index]).filter(|text| !text.is_empty()).map(str::to_owned);
        let mut metrics = PostMetrics::default();
        for &(index, metric) in &columns.metrics {
            self.set_metric(&mut metrics, metric, index, cells[index].trim())?;
        }
        let post = PostRow {
            row_number: self.rows_read,
            platform,
            account_external_id,
            account_name,
            external_id,
            kind,
            text,
            campaign,
            published,
            metrics,
            content_digest: [0; 32],
        };
        Ok((post, digest))
    }

    fn read_cells(&self) -> Result<Vec<Cow<'_, str>>, Complaint> {
        if let Some(fault) = self.record.fault() {
            return Err(Complaint { column: fault.column(), reason: format!("{}.", fault.reason()) });
        }
        let expected = self.sniffed.header.len();
        let found = self.record.len();
        if self.record.cells().all(<[u8]>::is_empty) {
            return Err(Complaint {
                column: None,
                reason: "All cells of the row are empty. Remove the row.".to_owned(),
            });
        }
        if found != expected {
            let advice = if found < expected {
                "Is a separator missing, or was the row cut off?"
            } else {
                "Does a cell contain the separator without being quoted?"
            };
            return Err(Complaint {
                column: None,
                reason: format!("The row has {found} cells, the header has {expected}; they must be as many. {advice}"),
            });
        }
        let mut cells = Vec::with_capacity(found);
        for (index, cell) in self.record.cells().enumerate() {
            let cell = decode_cell(cell, self.encoding).map_err(|reason| Complaint {
                column: Some(index),
                reason: format!("Column {} cannot be read. {reason}.", self.column_name(index)),
            })?;
            cells.push(cell);
        }
        Ok(cells)
    }

    /// Over names and values of all columns, so that it does not depend on which of them the mapping uses.
    fn digest(&self, cells: &[Cow<'_, str>]) -> [u8; 12] {
        let mut hasher = Sha256::new();
        for &index in &self.columns.by_name {
            for part in [self.sniffed.header[index].as_str(), cells[index].trim()] {
                hasher.update((part.len() as u64).to_le_bytes());
                hasher.update(part);
            }
        }
        let digest: [u8; 32] = hasher.finalize().into();
        *digest.first_chunk().expect("12 of 32 bytes")
    }

    fn published(&self, value: &str, time: &str) -> Result<Published, Complaint> {
        let index = Some(self.columns.published);
        match &self.mapping.published {
            PublishedRule::Local { formats, .. } => {
                let local = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(value, &format.pattern).ok());
                let Some(local) = local.filter(|local| YEARS.contains(&local.year())) else {
                    return Err(self.complaint(index, value, &format!("{}, {IN_YEARS}", shown_formats(formats))));
                };
                self.in_zone(local, value)
            }
            PublishedRule::Written { order, has_offset, .. } => self.written(value, time, *order, *has_offset),
            PublishedRule::Rfc3339 { .. } => match parse_time_or_month(value) {
                Some(published) => Ok(published),
                None => Err(self.complaint(
                    index,
                    value,
                    "a time with its offset from UTC, such as 2026-03-01T09:30:00Z, or only a month, such as 2026-03, from 2000 to 2099",
                )),
            },
            PublishedRule::Month { year, .. } => match parse_digits::<u32>(value) {
                Some(month @ 1..=12) => Ok(Published::Month { year: *year, month }),
                _ => Err(self.complaint(index, value, "a month from 1 to 12")),
            },
        }
    }

    fn written(&self, value: &str, time: &str, order: DateOrder, has_offset: bool) -> Result<Published, Complaint> {
        let index = Some(self.columns.published);
        let in_order = match order {
            DateOrder::YearFirst => {
                "a date with the year first or the month in words, such as 2026-03-31 or 31 Mar 2026"
            }
            DateOrder::DayFirst => "a date with the day first, such as 31/03/2026 or 31.03.2026",
            DateOrder::MonthFirst => "a date with the month first, such as 03/31/2026",
        };
        let stamp = date::read_apart(value, time, order).map_err(|trouble| match trouble {
            date::Trouble::Contradicts => self.complaint(
                index,
                value,
                &format!("{in_order}: in the stated order the month would be above 12; if the whole file is in the other order, state that"),
            ),
            date::Trouble::NotStated => self.complaint(
                index,
                value,
                &format!("{in_order}: which of the numbers is the day was not stated"),
            ),
            // What is wrong may be in the other of the two cells.
            date::Trouble::NoDate if !time.is_empty() && date::read(value, order).is_ok() => self.complaint(
                self.columns.published_time,
                time,
                "a time of day, such as 18:30 or 6:30 PM, next to a date without one",
            ),
            date::Trouble::NoDate => self.complaint(index, value, &format!("{in_order}, {IN_YEARS}, with or without a time")),
        })?;
        if !YEARS.contains(&stamp.year()) {
            return Err(self.complaint(index, value, &format!("{in_order}, {IN_YEARS}")));
        }
        match stamp {
            Stamp::Instant(time) => Ok(Published::At(time)),
            Stamp::Month { year, month } => Ok(Published::Month { year, month }),
            Stamp::Local(_) | Stamp::Day(_) if has_offset => Err(self.complaint(
                index,
                value,
                "a time that states its offset from UTC, such as 2026-03-31 18:30 +0200, as the other rows do",
            )),
            Stamp::Local(local) => self.in_zone(local, value),
            Stamp::Day(day) => self.in_zone(day.and_time(NOON), value),
        }
    }

    /// A local time that stands twice, where clocks go back, is the earlier one.
    fn in_zone(&self, local: NaiveDateTime, value: &str) -> Result<Published, Complaint> {
        let zone = self.zone.expect("opening asks for the zone of local times");
        match zone.from_local_datetime(&local) {
            MappedLocalTime::Single(time) | MappedLocalTime::Ambiguous(time, _) => {
                Ok(Published::At(time.to_utc().trunc_subsecs(6)))
            }
            MappedLocalTime::None => {
                let accepted = format!("a time that exists in {zone}, where clocks were put forward over this one");
                Err(self.complaint(Some(self.columns.published), value, &accepted))
            }
        }
    }

    fn set_metric(
        &self,
        metrics: &mut PostMetrics,
        metric: Metric,
        index: usize,
        value: &str,
    ) -> Result<(), Complaint> {
        let style = self.mapping.numbers;
        if number::is_missing(value, style) {
            return Ok(());
        }
        let refuse = |trouble, accepted: &str| {
            match trouble {
            number::Trouble::NoNumber => {
                self.complaint(Some(index), value, &format!("{accepted}, or nothing where the value is missing"))
            }
            number::Trouble::Ambiguous => self.complaint(
                Some(index),
                value,
                &format!("{accepted}; this one could mean two numbers: state whether a point or a comma stands before decimals"),
            ),
        }
        };
        let count = || {
            number::read_count(value, style).map(Some).map_err(|trouble| {
                let written = match style {
                    NumberStyle::Plain => "",
                    NumberStyle::DecimalPoint => ", such as 1234 or 1,234",
                    NumberStyle::DecimalComma => ", such as 1234 or 1.234",
                    NumberStyle::Unambiguous => ", such as 1234",
                };
                refuse(trouble, &format!("a whole number from 0 to {}{written}", i64::MAX))
            })
        };
        let amount = || {
            number::read_amount(value, style).map(Some).map_err(|trouble| {
                let accepted = match style {
                    NumberStyle::Plain => "an amount from 0 with a point before its decimals, such as 1250.50",
                    NumberStyle::DecimalPoint => "an amount from 0 with a point before its decimals, such as 1,250.50",
                    NumberStyle::DecimalComma => "an amount from 0 with a comma before its decimals, such as 1.250,50",
                    NumberStyle::Unambiguous => "an amount from 0, such as 1250.50 or 1250,50",
                };
                refuse(trouble, accepted)
            })
        };
        match metric {
            Metric::Reach => metrics.reach = count()?,
            Metric::Impressions => metrics.impressions = count()?,
            Metric::Reactions => metrics.reactions = count()?,
            Metric::Comments => metrics.comments = count()?,
            Metric::Shares => metrics.shares = count()?,
            Metric::Clicks => metrics.clicks = count()?,
            Metric::Conversions => metrics.conversions = count()?,
            Metric::Revenue => metrics.revenue = amount()?,
            Metric::Cost => metrics.cost = amount()?,
            Metric::Sentiment => {
                let sentiment = number::read_sentiment(value, style);
                metrics.sentiment =
                    Some(sentiment.map_err(|trouble| refuse(trouble, "a number from -1 to 1, such as 0.25"))?);
            }
        }
        Ok(())
    }

    fn label(&self, index: Option<usize>, value: &str) -> Result<String, Complaint> {
        check_label(value).map_err(|accepted| self.complaint(index, value, &accepted))?;
        Ok(value.to_owned())
    }

    /// An id as it stands, unless a spreadsheet made a number of it: then its last digits are lost, and different posts would share it.
    fn id(&self, index: Option<usize>, value: &str) -> Result<String, Complaint> {
        check_id(value).map_err(|accepted| self.complaint(index, value, &accepted))?;
        Ok(value.to_owned())
    }

    fn optional_label(&self, index: Option<usize>, value: &str) -> Result<Option<String>, Complaint> {
        if value.is_empty() { Ok(None) } else { self.label(index, value).map(Some) }
    }

    fn complaint(&self, column: Option<usize>, value: &str, accepted: &str) -> Complaint {
        let name = column.map_or_else(String::new, |index| self.column_name(index));
        let reason = if value.is_empty() {
            format!("Column {name} is empty; accepted is {accepted}.")
        } else {
            format!("Column {name} has \"{}\"; accepted is {accepted}.", excerpt(value, SHOWN_VALUE))
        };
        Complaint { column, reason }
    }

    fn column_name(&self, index: usize) -> String {
        match self.sniffed.header.get(index).map(String::as_str) {
            Some("") | None => format!("{}", index + 1),
            Some(name) => format!("\"{}\"", excerpt(name, SHOWN_VALUE)),
        }
    }
}

impl<R> fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("sniffed", &self.sniffed)
            .field("mapping", &self.mapping.name)
            .field("rows_read", &self.rows_read)
            .finish_non_exhaustive()
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Row, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let row = self.next_row().transpose();
        self.has_ended = !matches!(row, Some(Ok(_)));
        row
    }
}

impl Columns {
    fn find(mapping: &Mapping, header: &[String]) -> Result<Self, ImportError> {
        let find = |column: &str| header.iter().position(|name| name == column);
        let missing: Vec<String> =
            mapping.required_columns().into_iter().filter(|column| find(column).is_none()).map(str::to_owned).collect();
        if !missing.is_empty() {
            return Err(ImportError::MissingColumns {
                mapping: mapping.name.clone(),
                missing,
                found: shown_header(header),
            });
        }
        let find_optional = |column: &Option<String>| column.as_deref().and_then(find);
        let (account_id, account_name) = match &mapping.account {
            AccountRule::Column { id, name } => (find(id), find_optional(name)),
            AccountRule::PostIdPrefix | AccountRule::Fixed { .. } | AccountRule::Stated => (None, None),
        };
        let mut by_name: Vec<usize> =
            (0..header.len()).filter(|&index| !REFUSED_COLUMNS.contains(&header[index].as_str())).collect();
        by_name.sort_by(|&left, &right| header[left].cmp(&header[right]));
        Ok(Self {
            platform: match &mapping.platform {
                PlatformRule::Column(column) | PlatformRule::Named(column) => find(column),
                PlatformRule::Fixed(_) => None,
            },
            account_id,
            account_name,
            post_id: match &mapping.post_id {
                PostIdRule::Column(column) | PostIdRule::PagePost(column) => find(column),
                PostIdRule::RowDigest => None,
            },
            published: match &mapping.published {
                PublishedRule::Local { column, .. }
                | PublishedRule::Rfc3339 { column }
                | PublishedRule::Month { column, .. }
                | PublishedRule::Written { column, .. } => find(column).expect("a required column, which is there"),
            },
            published_time: match &mapping.published {
                PublishedRule::Written { time: Some(time), .. } => find(time),
                _ => None,
            },
            kind: find_optional(&mapping.kind),
            text: find_optional(&mapping.text),
            campaign: find_optional(&mapping.campaign),
            metrics: mapping.metrics.iter().filter_map(|metric| Some((find(&metric.column)?, metric.metric))).collect(),
            by_name,
        })
    }
}

pub(crate) fn refuse_duplicates(header: &[String]) -> Result<(), ImportError> {
    let mut seen = HashMap::new();
    for (index, name) in header.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        if let Some(first) = seen.insert(name.as_str(), index) {
            return Err(ImportError::DuplicateColumn {
                name: excerpt(name, SHOWN_VALUE),
                first: first + 1,
                second: index + 1,
            });
        }
    }
    Ok(())
}

/// What would be accepted, if this is not.
pub(crate) fn check_label(value: &str) -> Result<(), String> {
    if value.is_empty() || value.chars().any(char::is_control) || value.chars().count() > MAX_LABEL_CHARACTERS {
        return Err(format!("one line of 1 to {MAX_LABEL_CHARACTERS} characters"));
    }
    Ok(())
}

/// What would be accepted, if this is not.
pub(crate) fn check_id(value: &str) -> Result<(), String> {
    if is_rounded(value) {
        return Err("the whole id; a spreadsheet has shortened this one to a rounded number, so take it from where it was exported".to_owned());
    }
    check_label(value)
}

/// `1.22158E+17` or `1,22E+17`.
pub(crate) fn is_rounded(id: &str) -> bool {
    let Some((number, exponent)) = id.split_once("E+") else { return false };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, decimals) = number.split_once(['.', ',']).unwrap_or((number, "0"));
    is_number(whole) && is_number(decimals) && is_number(exponent)
}

pub(crate) fn is_platform_key(key: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    (1..=40).contains(&key.len()) && key.bytes().all(is_allowed)
}

pub(crate) fn page_of(id: &str) -> Option<&str> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (page, post) = id.split_once('_')?;
    (is_number(page) && is_number(post)).then_some(page)
}

fn shown_formats(formats: &[DateFormat]) -> String {
    formats.iter().map(|format| format.shown.as_str()).collect::<Vec<_>>().join(" or ")
}

/// A time, cut to the microseconds that a database keeps, or a month.
fn parse_time_or_month(value: &str) -> Option<Published> {
    let published = if let Ok(time) = DateTime::parse_from_rfc3339(value) {
        Published::At(time.with_timezone(&Utc).trunc_subsecs(6))
    } else {
        let (year, month) = value.split_once('-')?;
        if year.len() != 4 || month.len() != 2 {
            return None;
        }
        Published::Month { year: parse_digits(year)?, month: parse_digits(month)? }
    };
    let is_accepted = match published {
        Published::At(time) => YEARS.contains(&time.year()),
        Published::Month { year, month } => YEARS.contains(&year) && (1..=12).contains(&month),
    };
    is_accepted.then_some(published)
}

/// Only digits: no sign, no separators of thousands, whose meaning differs between countries.
fn parse_digits<T: FromStr>(value: &str) -> Option<T> {
    if value.bytes().all(|byte| byte.is_ascii_digit()) { value.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use std::io;

    use proptest::prelude::*;

    use super::*;
    use crate::record::{MAX_CELL_BYTES, MAX_COLUMNS, MAX_ROW_BYTES};

    const HEADER: &str = "platform,account_id,post_id,published_at,text\n";

    /// Twice the longest row (a buffer doubles when it grows), its ends, the window, and a window decoded from UTF-16.
    const BOUND: usize = 2 * MAX_ROW_BYTES + 2 * MAX_COLUMNS * size_of::<usize>() + 6 * 64 * 1024;

    /// Gives `start`, then `unit` again and again until `length` bytes were given, then `end`; never more than a piece of it is in memory.
    fn endless(start: &str, unit: &'static str, length: u64, end: &'static str) -> impl Read + use<> {
        struct Repeat(&'static [u8], usize);
        impl Read for Repeat {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                for byte in &mut *buffer {
                    *byte = self.0[self.1];
                    self.1 = (self.1 + 1) % self.0.len();
                }
                Ok(buffer.len())
            }
        }
        io::Cursor::new(start.as_bytes().to_vec()).chain(Repeat(unit.as_bytes(), 0).take(length)).chain(end.as_bytes())
    }

    fn drain<R: Read>(reader: &mut Reader<R>) -> (Vec<Refusal>, Option<ImportError>, usize) {
        let mut refusals = Vec::new();
        let mut highest = reader.buffer_bytes();
        let mut error = None;
        while let Some(row) = reader.next() {
            highest = highest.max(reader.buffer_bytes());
            match row {
                Ok(Row::Refused(refusal)) => refusals.push(refusal),
                Ok(Row::Post(_)) => {}
                Err(failure) => error = Some(failure),
            }
        }
        (refusals, error, highest)
    }

    #[test]
    fn an_unclosed_quote_at_the_end_of_a_large_file_names_its_row_and_holds_little_memory() {
        let unit = "facebook,1,2,2026-03-01T09:30:00Z,hello\n";
        let rows = 20 * 1024 * 1024 / unit.len() as u64;
        let input =
            endless(HEADER, unit, rows * unit.len() as u64, "facebook,1,2,2026-03-01T09:30:00Z,\"hello\n1,2,3\n");
        let mut reader = open(input, OpenOptions::default()).unwrap();
        let (refusals, error, highest) = drain(&mut reader);
        assert!(refusals.is_empty());
        let Some(ImportError::UnclosedQuote { row, line }) = error else { panic!("{error:?}") };
        assert_eq!((row, line), (rows + 1, rows + 2));
        assert!(highest < 256 * 1024, "{highest} bytes");
        assert_eq!(reader.sha256().map(|_| ()), Some(()));
    }

    #[test]
    fn a_quote_that_swallows_twenty_megabytes_holds_little_memory() {
        let unit = "facebook,1,2,2026-03-01T09:30:00Z,hello\n";
        let start = format!("{HEADER}{unit}facebook,1,2,2026-03-01T09:30:00Z,\"hello\n");
        let mut reader = open(endless(&start, unit, 20 * 1024 * 1024, ""), OpenOptions::default()).unwrap();
        let (refusals, error, highest) = drain(&mut reader);
        assert!(refusals.is_empty());
        assert!(matches!(error, Some(ImportError::UnclosedQuote { row: 2, line: 3 })), "{error:?}");
        assert!(highest < BOUND, "{highest} bytes");
    }

    #[test]
    fn a_cell_of_ten_megabytes_is_refused_by_row_number_and_the_next_row_is_read() {
        let row = "facebook,1,2,2026-03-01T09:30:00Z,";
        let input = endless(&format!("{HEADER}{row}"), "y", 10 * 1024 * 1024, "\nfacebook,1,2,2026-03-01T09:30:00Z,\n");
        let mut reader = open(input, OpenOptions::default()).unwrap();
        let (refusals, error, highest) = drain(&mut reader);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(reader.rows_read(), 2);
        assert_eq!((refusals.len(), refusals[0].row_number, refusals[0].column.as_deref()), (1, 1, Some("text")));
        assert!(refusals[0].reason.contains(&format!("longer than {MAX_CELL_BYTES} bytes")), "{}", refusals[0].reason);
        assert!(highest < BOUND, "{highest} bytes");
    }

    #[test]
    fn a_file_without_ids_and_with_too_many_different_rows_is_refused() {
        let mapping = Mapping { post_id: PostIdRule::RowDigest, ..Mapping::builtin("rtv-posts").unwrap() };
        let options = OpenOptions { mapping: Some(mapping), ..OpenOptions::default() };
        let mut reader = open(HEADER.as_bytes(), options).unwrap();
        let digest = |number: usize| {
            let mut digest = [0; 12];
            digest[..8].copy_from_slice(&number.to_le_bytes());
            digest
        };
        for number in 0..MAX_COUNTED_ROWS {
            assert_eq!(reader.count_occurrence(digest(number)).unwrap(), 1);
        }
        assert_eq!(reader.count_occurrence(digest(7)).unwrap(), 2);
        let error = reader.count_occurrence(digest(MAX_COUNTED_ROWS)).unwrap_err();
        assert!(matches!(error, ImportError::TooManyCountedRows { limit: MAX_COUNTED_ROWS }));
        // The size that the constant's documentation promises.
        assert!(reader.occurrences.capacity() < 1 << 21, "{}", reader.occurrences.capacity());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_hold_more_than_its_bound(
            prefix in prop_oneof![
                Just(Vec::new()),
                Just(HEADER.as_bytes().to_vec()),
                Just(HEADER.replace(',', ";").into_bytes()),
                Just([b"\xEF\xBB\xBF", HEADER.as_bytes()].concat()),
                Just(b"\xFF\xFE".iter().copied().chain(HEADER.encode_utf16().flat_map(u16::to_le_bytes)).collect()),
            ],
            rest in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..2000),
                prop::collection::vec(prop::sample::select(b"a1,;\t\"\n\r\0\xE9\xC3\xA9-_:TZ".to_vec()), 0..2000),
            ],
        ) {
            let input = [prefix, rest].concat();
            let options = OpenOptions { mapping: Mapping::builtin("rtv-posts"), ..OpenOptions::default() };
            if let Ok(mut reader) = open(&*input, options.clone()) {
                let (refusals, error, highest) = drain(&mut reader);
                prop_assert!(highest < 6 * 64 * 1024, "{} bytes", highest);
                prop_assert!(refusals.iter().all(|refusal| refusal.raw.len() <= crate::row::MAX_RAW_BYTES && !refusal.reason.is_empty()));
                let is_through = error.is_none() || matches!(error, Some(ImportError::HeaderOnly { .. } | ImportError::UnclosedQuote { .. }));
                prop_assert!(is_through, "{:?}", error);
                prop_assert_eq!(reader.bytes_read(), input.len() as u64);
                let digest: [u8; 32] = Sha256::digest(&input).into();
                prop_assert_eq!(reader.sha256(), Some(digest));
            }
            let _ = open_seekable(io::Cursor::new(&input), options).map(|mut reader| drain(&mut reader));
        }
    }
}
