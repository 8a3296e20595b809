//! What kind of text a file is: its encoding, its separator and its header, from the first 64 KiB.
//!
//! Detected are UTF-8 and UTF-16 (with and without a byte order mark) and Windows-1252; separators are comma, semicolon and tab. What looks
//! like anything else is an error that says so, never a guess: a wrong guess would store wrong letters for good. Lines that some exports put
//! above the header (a note, or `sep=;` for a spreadsheet) are passed over, and it is said how many.

use std::{
    io::{Read, Seek, SeekFrom},
    str::FromStr,
};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use serde::{Deserialize, Serialize};

use crate::{
    error::{ImportError, excerpt},
    formula,
    record::{Fed, Parser, Record},
    source::{Source, WINDOW_BYTES, read_full},
};

/// Rows that a separator is judged by.
const JUDGED_RECORDS: usize = 20;

/// Most rows above the header: real exports have one or two.
const MAX_NOTES: usize = 5;

/// Non-ASCII bytes below which other single-byte encodings cannot be told from Windows-1252 with any certainty.
const FEW_BYTES: u64 = 12;

/// Characters of a header that a message shows.
const SHOWN_HEADER: usize = 400;

/// An encoding that files are read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8, and with it ASCII.
    Utf8,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// Windows-1252, the Western European default of Excel's CSV.
    Windows1252,
}

impl Encoding {
    /// All of them, in the order of a form.
    pub const ALL: [Self; 4] = [Self::Utf8, Self::Windows1252, Self::Utf16Le, Self::Utf16Be];

    /// The value of a form field.
    pub fn key(self) -> &'static str {
        match self {
            Self::Utf8 => "utf8",
            Self::Utf16Le => "utf16-le",
            Self::Utf16Be => "utf16-be",
            Self::Windows1252 => "windows1252",
        }
    }

    /// The name to show.
    pub fn label(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Windows1252 => "windows-1252",
        }
    }

    pub(crate) fn utf16(self) -> Option<&'static encoding_rs::Encoding> {
        match self {
            Self::Utf16Le => Some(encoding_rs::UTF_16LE),
            Self::Utf16Be => Some(encoding_rs::UTF_16BE),
            Self::Utf8 | Self::Windows1252 => None,
        }
    }

    fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf8 => b"\xEF\xBB\xBF",
            Self::Utf16Le => b"\xFF\xFE",
            Self::Utf16Be => b"\xFE\xFF",
            Self::Windows1252 => b"",
        }
    }
}

impl FromStr for Encoding {
    type Err = String;

    fn from_str(key: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|encoding| encoding.key() == key).ok_or_else(|| {
            format!("\"{key}\" is no encoding that is read; use one of: {}", Self::ALL.map(Self::key).join(", "))
        })
    }
}

/// What stands between two cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delimiter {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
}

impl Delimiter {
    /// All of them, in the order in which they win when a file could be read with several.
    pub const ALL: [Self; 3] = [Self::Comma, Self::Semicolon, Self::Tab];

    /// The value of a form field, and the word to show.
    pub fn key(self) -> &'static str {
        match self {
            Self::Comma => "comma",
            Self::Semicolon => "semicolon",
            Self::Tab => "tab",
        }
    }

    /// The character itself.
    pub fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

impl FromStr for Delimiter {
    type Err = String;

    fn from_str(key: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|delimiter| delimiter.key() == key)
            .ok_or_else(|| format!("\"{key}\" is no separator; use one of: {}", Self::ALL.map(Self::key).join(", ")))
    }
}

/// What was found out about a file before its rows were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sniffed {
    /// `UTF-8`, `UTF-8 with BOM`, `UTF-16LE`, `UTF-16BE` or `windows-1252`.
    pub encoding: &'static str,
    /// Whether the file begins with a byte order mark.
    pub had_bom: bool,
    /// The encoding to state when the file is opened again, which spares a second look through a large one.
    pub read_as: Encoding,
    /// What stands between the cells.
    pub delimiter: Delimiter,
    /// Rows above the header that were passed over.
    pub notes_above: usize,
    /// Whether it says that an apostrophe stands before each text that a spreadsheet would run, as RTV writes its reports. They are taken off.
    pub has_guards: bool,
    /// Column names without surrounding spaces; a column may have none.
    pub header: Vec<String>,
}

impl Sniffed {
    /// The separator as a word to show.
    pub fn delimiter_name(&self) -> &'static str {
        self.delimiter.key()
    }

    /// How the file is read, as a sentence to show.
    pub fn sentence(&self) -> String {
        let above = match self.notes_above {
            0 => String::new(),
            1 => " One line above the header is passed over.".to_owned(),
            more => format!(" {more} lines above the header are passed over."),
        };
        let guards = if self.has_guards {
            " It is a report of RTV: the apostrophes that keep a spreadsheet from running texts are taken off."
        } else {
            ""
        };
        format!("Read as {} with {} between the columns.{above}{guards}", self.encoding, self.delimiter_name())
    }
}

/// Finds out what kind of text a file is. It uses up the start of `input`; to read rows, give the whole file to [`crate::open`], which does the same first.
pub fn sniff(input: impl Read) -> Result<Sniffed, ImportError> {
    Ok(start(input, None, None)?.sniffed)
}

/// A file whose header has been read.
pub(crate) struct Started<R> {
    pub(crate) source: Source<R>,
    pub(crate) parser: Parser,
    pub(crate) encoding: Encoding,
    pub(crate) sniffed: Sniffed,
}

/// Detects, then reads the header. `encoding` and `delimiter` are what the caller knows; a byte order mark in the file is stronger.
pub(crate) fn start<R: Read>(
    input: R,
    encoding: Option<Encoding>,
    delimiter: Option<Delimiter>,
) -> Result<Started<R>, ImportError> {
    let mut source = Source::new(input)?;
    let (encoding, had_bom) = detect(source.window(), source.is_whole(), encoding)?;
    let mark_length = if had_bom { encoding.mark().len() } else { 0 };
    let layout = Layout::detect(&source.window()[mark_length..], encoding, source.is_whole(), delimiter)?;
    source.begin(encoding, mark_length);

    let mut parser = Parser::new(layout.delimiter.byte());
    let mut record = Record::default();
    for _ in 0..=layout.notes_above {
        if !next_record(&mut source, &mut parser, &mut record, 0)? {
            return Err(ImportError::Empty);
        }
    }
    let header = read_header(&record, encoding)?;
    // RTV writes UTF-8 and nothing above the header.
    let has_guards =
        encoding == Encoding::Utf8 && layout.notes_above == 0 && formula::is_marked(&header, record.quoted());
    if has_guards {
        parser.take_off_guards();
    }
    let encoding_label = if had_bom && encoding == Encoding::Utf8 { "UTF-8 with BOM" } else { encoding.label() };
    let sniffed = Sniffed {
        encoding: encoding_label,
        had_bom,
        read_as: encoding,
        delimiter: layout.delimiter,
        notes_above: layout.notes_above,
        has_guards,
        header,
    };
    Ok(Started { source, parser, encoding, sniffed })
}

/// Reads one record; false at the end of the file. `row` is its number, for the message about a quote that stays open.
pub(crate) fn next_record<R: Read>(
    source: &mut Source<R>,
    parser: &mut Parser,
    record: &mut Record,
    row: u64,
) -> Result<bool, ImportError> {
    record.clear();
    loop {
        let input = source.fill()?;
        if input.is_empty() {
            return parser.finish(record).map_err(|open| ImportError::UnclosedQuote { row, line: open.line });
        }
        let (used, fed) = parser.feed(input, record);
        source.consume(used);
        if fed == Fed::Record {
            return Ok(true);
        }
    }
}

/// Decides on the encoding of a file that can be read twice. It differs from what [`start`] finds only where the first 64 KiB are pure ASCII: then the
/// rest of the file is looked through, without keeping it. The position is where it was afterwards.
pub(crate) fn second_look<R: Read + Seek>(input: &mut R) -> Result<Option<Encoding>, ImportError> {
    let begin = input.stream_position()?;
    let mut buffer = vec![0; WINDOW_BYTES];
    let mut tally = Tally::default();
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut looked_at = 0;
    let found = loop {
        let length = read_full(input, &mut buffer)?;
        let is_last = length < WINDOW_BYTES;
        tally.feed(&buffer[..length], is_last);
        detector.feed(&buffer[..length], is_last);
        // The first window decides alone if there is anything in it to decide by; `start` will say the same, or why not.
        if looked_at == 0 && !tally.is_ascii() {
            break None;
        }
        looked_at += 1;
        if is_last {
            break Some(tally.decide(&detector)?);
        }
    };
    input.seek(SeekFrom::Start(begin))?;
    Ok(found)
}

/// One cell as text, or what keeps it from being text.
pub(crate) fn decode_cell(cell: &[u8], encoding: Encoding) -> Result<std::borrow::Cow<'_, str>, String> {
    if cell.contains(&0) {
        return Err("It contains a NUL byte, which is no text".to_owned());
    }
    if encoding != Encoding::Windows1252 {
        return std::str::from_utf8(cell).map(Into::into).map_err(|error| match cell.get(error.valid_up_to()) {
            // UTF-16 comes here decoded, with a mark for what could not be.
            _ if encoding.utf16().is_some() => {
                format!("It contains bytes that are not valid in {}", encoding.label())
            }
            Some(byte) => format!(
                "It contains the byte {byte:02X}, which is not valid in UTF-8, although the file begins as UTF-8; save the whole file in one encoding"
            ),
            None => "It contains bytes that are not valid in UTF-8".to_owned(),
        });
    }
    if cell.is_ascii() {
        return Ok(String::from_utf8_lossy(cell));
    }
    if std::str::from_utf8(cell).is_ok() {
        return Err(
            "It is encoded as UTF-8 although the rest of the file is Windows-1252; save the whole file in one encoding"
                .to_owned(),
        );
    }
    // The five places that Windows-1252 leaves empty.
    if let Some(byte) = cell.iter().find(|byte| matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D)) {
        return Err(format!("It contains the byte {byte:02X}, which has no meaning in Windows-1252"));
    }
    let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(cell);
    Ok(text)
}

/// A header for a message.
pub(crate) fn shown_header(header: &[String]) -> String {
    excerpt(&header.join(", "), SHOWN_HEADER)
}

fn read_header(record: &Record, encoding: Encoding) -> Result<Vec<String>, ImportError> {
    if let Some(fault) = record.fault() {
        return Err(ImportError::Header { reason: fault.reason() });
    }
    record
        .cells()
        .enumerate()
        .map(|(index, cell)| match decode_cell(cell, encoding) {
            Ok(name) => Ok(name.trim().to_owned()),
            Err(reason) => Err(ImportError::Header { reason: format!("cell {} cannot be read. {reason}", index + 1) }),
        })
        .collect()
}

fn detect(window: &[u8], is_whole: bool, stated: Option<Encoding>) -> Result<(Encoding, bool), ImportError> {
    refuse_other_kinds(window)?;
    for encoding in [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be] {
        if window.starts_with(encoding.mark()) {
            return Ok((encoding, true));
        }
    }
    if let Some(encoding) = stated.or_else(|| unmarked_utf16(window)) {
        return Ok((encoding, false));
    }
    let mut tally = Tally::default();
    tally.feed(window, is_whole);
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(window, is_whole);
    Ok((tally.decide(&detector)?, false))
}

fn refuse_other_kinds(window: &[u8]) -> Result<(), ImportError> {
    let what = match window {
        [b'P', b'K', 3, 4, ..] => "an Excel workbook (XLSX) or another ZIP archive",
        [0xD0, 0xCF, 0x11, 0xE0, ..] => "an old Excel workbook (XLS)",
        [0x1F, 0x8B, ..] => "a gzip archive",
        [b'%', b'P', b'D', b'F', ..] => "a PDF document",
        [0x89, b'P', b'N', b'G', ..] => "a PNG picture",
        [0xFF, 0xD8, 0xFF, ..] => "a JPEG picture",
        [b'G', b'I', b'F', b'8', ..] => "a GIF picture",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "a WebP picture",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "a video",
        [b'P', b'A', b'R', b'1', ..] => "a Parquet file",
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => {
            return Err(ImportError::UnsupportedEncoding { guess: "UTF-32" });
        }
        _ => return Ok(()),
    };
    Err(ImportError::NotText { what })
}

/// A header is mostly ASCII, whose characters have a zero for one of their two bytes in UTF-16, always on the same side.
fn unmarked_utf16(window: &[u8]) -> Option<Encoding> {
    let (units, _) = window.as_chunks::<2>();
    let units = &units[..units.len().min(64)];
    let zeros = |side: usize| units.iter().filter(|unit| unit[side] == 0).count();
    match (zeros(0), zeros(1)) {
        (0, low) if low > 0 && low * 2 >= units.len() => Some(Encoding::Utf16Le),
        (high, 0) if high > 0 && high * 2 >= units.len() => Some(Encoding::Utf16Be),
        _ => None,
    }
}

/// Counts what speaks for and against UTF-8, across chunks.
#[derive(Default)]
struct Tally {
    multibyte: u64,
    invalid: u64,
    unfinished: Vec<u8>,
}

impl Tally {
    fn feed(&mut self, chunk: &[u8], is_last: bool) {
        let joined;
        let mut rest = if self.unfinished.is_empty() {
            chunk
        } else {
            joined = [&std::mem::take(&mut self.unfinished), chunk].concat();
            &joined
        };
        loop {
            let (valid, error) = match std::str::from_utf8(rest) {
                Ok(valid) => (valid, None),
                Err(error) => {
                    let (valid, _) = rest.split_at(error.valid_up_to());
                    (std::str::from_utf8(valid).expect("valid up to there"), Some(error))
                }
            };
            // Each character that is not ASCII begins with one of these bytes.
            self.multibyte += valid.bytes().filter(|&byte| byte >= 0xC0).count() as u64;
            let Some(error) = error else { return };
            rest = &rest[error.valid_up_to()..];
            if let Some(length) = error.error_len() {
                self.invalid += 1;
                rest = &rest[length..];
            } else if is_last {
                self.invalid += 1;
                return;
            } else {
                self.unfinished = rest.to_vec();
                return;
            }
        }
    }

    fn is_ascii(&self) -> bool {
        self.multibyte == 0 && self.invalid == 0 && self.unfinished.is_empty()
    }

    /// A few broken places do not make a UTF-8 file something else: their rows are refused. The other way round, text in a single-byte encoding
    /// almost never has a valid UTF-8 sequence by chance.
    fn decide(&self, detector: &EncodingDetector) -> Result<Encoding, ImportError> {
        if self.invalid == 0 || self.multibyte >= self.invalid {
            return Ok(Encoding::Utf8);
        }
        let guess = detector.guess(None, Utf8Detection::Deny);
        if guess == encoding_rs::WINDOWS_1252 || self.invalid < FEW_BYTES {
            Ok(Encoding::Windows1252)
        } else {
            Err(ImportError::UnsupportedEncoding { guess: guess.name() })
        }
    }
}

/// Where the header stands and what separates its cells.
#[derive(Clone, Copy)]
struct Layout {
    delimiter: Delimiter,
    notes_above: usize,
    /// Columns of the header.
    columns: usize,
    /// How many of the rows below have as many cells as the header, in thousandths, so that a separator under which the window holds fewer rows
    /// is not at a disadvantage.
    share: usize,
}

impl Layout {
    /// The separator with which most of the first rows have as many columns as the header, and at least two; or the one that is stated, unless
    /// it leaves one column where another gives several.
    fn detect(
        window: &[u8],
        encoding: Encoding,
        is_whole: bool,
        stated: Option<Delimiter>,
    ) -> Result<Self, ImportError> {
        let decoded;
        let text = match encoding.utf16() {
            Some(utf16) => {
                decoded = utf16.decode_without_bom_handling(window).0.into_owned();
                decoded.as_bytes()
            }
            None => window,
        };
        let layouts = Delimiter::ALL.map(|delimiter| Self::under(text, delimiter, is_whole));
        let mut best = layouts[0];
        for layout in &layouts[1..] {
            if layout.rank() > best.rank() {
                best = *layout;
            }
        }
        let Some(stated) = stated else {
            // A spreadsheet's own line says what it was written with.
            let said = layouts.into_iter().find(|layout| says_separator(text, layout.delimiter));
            let found = said.filter(|said| said.columns > 1).unwrap_or(best);
            return if found.columns > 1 { Ok(found) } else { Self::refuse_other_separators(text, found) };
        };
        let layout = layouts.into_iter().find(|layout| layout.delimiter == stated).unwrap_or(best);
        if layout.columns < 2 && best.columns > 1 {
            return Err(ImportError::WrongDelimiter {
                stated: stated.key(),
                better: best.delimiter.key(),
                columns: best.columns,
            });
        }
        Ok(layout)
    }

    fn under(text: &[u8], delimiter: Delimiter, is_whole: bool) -> Self {
        let counts = column_counts(text, delimiter.byte(), is_whole);
        // A note above the header fills one cell; a header fills several, and what follows it has as many.
        let notes_above = counts
            .iter()
            .take(MAX_NOTES + 1)
            .position(|row| row.filled > 1)
            .filter(|&above| {
                let header = &counts[above];
                let is_note = |note: &Count| note.cells == 1 || note.cells == header.cells || note.is_hint;
                header.filled > 2 && counts[..above].iter().all(is_note)
            })
            .unwrap_or(0);
        let columns = counts.get(notes_above).map_or(0, |header| header.cells);
        let rows = &counts[notes_above.min(counts.len())..];
        let equal = rows.iter().filter(|row| row.cells == columns).count();
        Self { delimiter, notes_above, columns, share: equal * 1000 / rows.len().max(1) }
    }

    /// What speaks for a layout, the strongest first. A header in the first row counts more than one below notes, which long texts can look like
    /// under a separator that the file does not have.
    fn rank(&self) -> (bool, usize, usize) {
        // One column speaks for no separator.
        if self.columns < 2 {
            return (false, 0, 0);
        }
        (self.notes_above == 0 && self.share > 500, self.share, self.columns)
    }

    /// One column under each of the three separators: another one, if there is a better explanation for it.
    fn refuse_other_separators(text: &[u8], found: Self) -> Result<Self, ImportError> {
        let header = text.split(|byte| matches!(byte, b'\n' | b'\r')).find(|line| !line.is_empty()).unwrap_or_default();
        match [b'|', b'^', b'~'].into_iter().find(|separator| header.contains(separator)) {
            Some(separator) => Err(ImportError::OtherSeparator { found: char::from(separator) }),
            None => Ok(found),
        }
    }
}

/// Whether the file begins with the line by which spreadsheets know the separator: `sep=;`.
fn says_separator(text: &[u8], delimiter: Delimiter) -> bool {
    let line = [b"sep=", &[delimiter.byte()][..]].concat();
    let quoted = [b"\"", &*line, b"\""].concat();
    [line, quoted]
        .iter()
        .any(|line| text.strip_prefix(&**line).is_some_and(|rest| rest.starts_with(b"\n") || rest.starts_with(b"\r")))
}

/// How many cells a row has, and how many of them are not empty.
struct Count {
    cells: usize,
    filled: usize,
    /// Whether it is the line for spreadsheets, whose separator also splits it.
    is_hint: bool,
}

fn column_counts(text: &[u8], delimiter: u8, is_whole: bool) -> Vec<Count> {
    let mut parser = Parser::new(delimiter);
    let mut record = Record::default();
    let mut counts = Vec::new();
    let count = |record: &Record| Count {
        cells: record.len(),
        filled: record.cells().filter(|cell| !cell.trim_ascii().is_empty()).count(),
        is_hint: record.cells().next().is_some_and(|cell| cell.starts_with(b"sep=")),
    };
    let mut rest = text;
    while counts.len() < JUDGED_RECORDS {
        record.clear();
        let (used, fed) = parser.feed(rest, &mut record);
        rest = &rest[used..];
        if fed == Fed::Record {
            counts.push(count(&record));
            continue;
        }
        // The window may have cut the last row short; if it is the only one, it is better than nothing.
        if (is_whole || counts.is_empty()) && parser.finish(&mut record).unwrap_or(false) {
            counts.push(count(&record));
        }
        break;
    }
    counts
}
