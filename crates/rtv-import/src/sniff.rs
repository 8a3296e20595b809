//! What kind of text a file is: its encoding, its separator and its header, from the first 64 KiB.
//!
//! Detected are UTF-8 and UTF-16 (with and without a byte order mark) and Windows-1252; separators are comma, semicolon and tab. What looks
//! like anything else is an error that says so, never a guess: a wrong guess would store wrong letters for good.

use std::io::{Read, Seek, SeekFrom};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use serde::{Deserialize, Serialize};

use crate::{
    error::{ImportError, excerpt},
    record::{Fed, Parser, Record},
    source::{Source, WINDOW_BYTES, read_full},
};

/// Separators in the order in which they win when a file could be read with several.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// Rows that a separator is judged by.
const JUDGED_RECORDS: usize = 20;

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

/// What was found out about a file before its rows were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sniffed {
    /// `UTF-8`, `UTF-8 with BOM`, `UTF-16LE`, `UTF-16BE` or `windows-1252`.
    pub encoding: &'static str,
    /// Whether the file begins with a byte order mark.
    pub had_bom: bool,
    /// `b','`, `b';'` or `b'\t'`.
    pub delimiter: u8,
    /// Column names without surrounding spaces; a column may have none.
    pub header: Vec<String>,
}

impl Sniffed {
    /// The separator as a word to show.
    pub fn delimiter_name(&self) -> &'static str {
        match self.delimiter {
            b';' => "semicolon",
            b'\t' => "tab",
            _ => "comma",
        }
    }
}

/// Finds out what kind of text a file is. It uses up the start of `input`; to read rows, give the whole file to [`crate::open`], which does the same first.
pub fn sniff(input: impl Read) -> Result<Sniffed, ImportError> {
    Ok(start(input, None)?.sniffed)
}

/// A file whose header has been read.
pub(crate) struct Started<R> {
    pub(crate) source: Source<R>,
    pub(crate) parser: Parser,
    pub(crate) encoding: Encoding,
    pub(crate) sniffed: Sniffed,
}

/// Detects, then reads the header. `stated` is an encoding that the caller knows; a byte order mark in the file is stronger.
pub(crate) fn start<R: Read>(input: R, stated: Option<Encoding>) -> Result<Started<R>, ImportError> {
    let mut source = Source::new(input)?;
    let (encoding, had_bom) = detect(source.window(), source.is_whole(), stated)?;
    let mark_length = if had_bom { encoding.mark().len() } else { 0 };
    let delimiter = detect_delimiter(&source.window()[mark_length..], encoding, source.is_whole());
    source.begin(encoding, mark_length);

    let mut parser = Parser::new(delimiter);
    let mut record = Record::default();
    if !next_record(&mut source, &mut parser, &mut record, 0)? {
        return Err(ImportError::Empty);
    }
    let header = read_header(&record, encoding)?;
    let encoding_label = if had_bom && encoding == Encoding::Utf8 { "UTF-8 with BOM" } else { encoding.label() };
    let sniffed = Sniffed { encoding: encoding_label, had_bom, delimiter, header };
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
            self.multibyte += valid.chars().filter(|character| !character.is_ascii()).count() as u64;
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

/// The separator with which most of the first rows have as many columns as the header, and at least two.
fn detect_delimiter(window: &[u8], encoding: Encoding, is_whole: bool) -> u8 {
    let decoded;
    let text = match encoding.utf16() {
        Some(utf16) => {
            decoded = utf16.decode_without_bom_handling(window).0.into_owned();
            decoded.as_bytes()
        }
        None => window,
    };
    let mut best = (0, 0, DELIMITERS[0]);
    for delimiter in DELIMITERS {
        let counts = column_counts(text, delimiter, is_whole);
        let Some((&columns, rows)) = counts.split_first() else {
            continue;
        };
        if columns < 2 {
            continue;
        }
        let equal = 1 + rows.iter().filter(|&&count| count == columns).count();
        // In thousandths of the rows, so that a separator under which the window holds fewer rows is not at a disadvantage.
        let share = equal * 1000 / counts.len();
        if (share, columns) > (best.0, best.1) {
            best = (share, columns, delimiter);
        }
    }
    best.2
}

fn column_counts(text: &[u8], delimiter: u8, is_whole: bool) -> Vec<usize> {
    let mut parser = Parser::new(delimiter);
    let mut record = Record::default();
    let mut counts = Vec::new();
    let mut rest = text;
    while counts.len() < JUDGED_RECORDS {
        record.clear();
        let (used, fed) = parser.feed(rest, &mut record);
        rest = &rest[used..];
        if fed == Fed::Record {
            counts.push(record.len());
            continue;
        }
        // The window may have cut the last row short; if it is the only one, it is better than nothing.
        if (is_whole || counts.is_empty()) && parser.finish(&mut record).unwrap_or(false) {
            counts.push(record.len());
        }
        break;
    }
    counts
}
