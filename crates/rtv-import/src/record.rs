//! A bounded parser of comma-, semicolon- or tab-separated records (RFC 4180) that is fed chunk by chunk.
//!
//! It is our own and not `csv::Reader`, because three answers are needed that the csv crate does not give: a cell that is too long is
//! refused while it is read (the csv crate grows its record until the cell ends), a quote that is still open at the end of the file is an
//! error with the place where it opened (the csv crate takes it as closed), and so is text after a closing quote. On sound input both read
//! the same, which a test compares. It works on bytes, so that whether they are text is judged cell by cell.

use crate::formula;

/// Longest cell, in bytes: far beyond any post (the longest that a network allows is under 128 KiB), and small enough that a stray quote,
/// which makes one cell out of the rest of the file, is noticed before it costs memory.
pub const MAX_CELL_BYTES: usize = 1024 * 1024;

/// Longest row, in bytes of all its cells: some cells may be long, all of them cannot be. It is the size of the one buffer that a reader keeps.
pub const MAX_ROW_BYTES: usize = 4 * 1024 * 1024;

/// Most columns: real exports have under 200; a file with more than this is a matrix, or is split at the wrong separator.
pub const MAX_COLUMNS: usize = 1_000;

/// One row as bytes. Cells are what stood between the separators, quotes removed.
#[derive(Debug, Default)]
pub(crate) struct Record {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Cells that stood in quotes; only what a header's quotes say is ever asked.
    quoted: Vec<usize>,
    fault: Option<Fault>,
}

/// Why a record cannot be used although its end was found. Columns count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    CellTooLong { column: usize },
    RowTooLong,
    TooManyColumns,
    TextAfterQuote { column: usize },
}

impl Fault {
    /// What is wrong and what would be accepted, to stand behind "the header cannot be used:" or in a refusal.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::CellTooLong { column } => format!(
                "Cell {} is longer than {MAX_CELL_BYTES} bytes, the most that is accepted; a quote that is never closed also looks like this",
                column + 1
            ),
            Self::RowTooLong => {
                format!("The row is longer than {MAX_ROW_BYTES} bytes, the most that is accepted")
            }
            Self::TooManyColumns => {
                format!("The row has more than {MAX_COLUMNS} columns, the most that is accepted")
            }
            Self::TextAfterQuote { column } => format!(
                "Text follows the closing quote of cell {}; a quote inside a quoted cell must be doubled",
                column + 1
            ),
        }
    }

    pub(crate) fn column(self) -> Option<usize> {
        match self {
            Self::CellTooLong { column } | Self::TextAfterQuote { column } => Some(column),
            Self::RowTooLong | Self::TooManyColumns => None,
        }
    }
}

impl Record {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.quoted.clear();
        self.fault = None;
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Columns whose cell began with a quote, in order.
    pub(crate) fn quoted(&self) -> &[usize] {
        &self.quoted
    }

    pub(crate) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let cell = &self.bytes[start..end];
            start = end;
            cell
        })
    }

    /// Bytes that the record's buffers occupy, which is what a reader holds whatever the file's size.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity() + (self.ends.capacity() + self.quoted.capacity()) * size_of::<usize>()
    }

    fn cell_start(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Adds to the open cell, or notes that a limit is reached; from then on nothing more is kept of the record.
    fn push(&mut self, bytes: &[u8]) {
        if self.fault.is_some() || bytes.is_empty() {
            return;
        }
        if self.bytes.len() - self.cell_start() + bytes.len() > MAX_CELL_BYTES {
            self.fail(Fault::CellTooLong { column: self.ends.len() });
        } else if self.bytes.len() + bytes.len() > MAX_ROW_BYTES {
            self.fail(Fault::RowTooLong);
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    fn end_cell(&mut self) {
        if self.fault.is_some() {
            return;
        }
        if self.ends.len() == MAX_COLUMNS {
            self.bytes.truncate(self.cell_start());
            self.fault = Some(Fault::TooManyColumns);
        } else {
            self.ends.push(self.bytes.len());
        }
    }

    fn open_quote(&mut self) {
        if self.fault.is_none() && self.ends.len() < MAX_COLUMNS {
            self.quoted.push(self.ends.len());
        }
    }

    /// Takes the guard off the cell that was closed last, see [`crate::formula`].
    fn take_off_guard(&mut self) {
        let Some((last, before)) = self.ends.split_last_mut() else { return };
        let start = before.last().copied().unwrap_or(0);
        if self.fault.is_none() && formula::is_guarded(&self.bytes[start..*last]) {
            self.bytes.remove(start);
            *last -= 1;
        }
    }

    /// Closes what is kept so far, so that a refusal can show it.
    fn fail(&mut self, fault: Fault) {
        self.ends.push(self.bytes.len());
        self.fault = Some(fault);
    }
}

/// Where in a record the parser stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    RecordStart,
    CellStart,
    Plain,
    Quoted,
    QuoteInQuoted,
}

/// What a call of [`Parser::feed`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fed {
    /// All bytes are used up and the record is still open.
    More,
    /// A record is complete; the bytes after it wait for the next call.
    Record,
}

/// A quote that was open when the input ended, and the line on which it opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenQuote {
    pub(crate) line: u64,
}

/// The state between chunks.
#[derive(Debug)]
pub(crate) struct Parser {
    delimiter: u8,
    state: State,
    line: u64,
    after_carriage_return: bool,
    quote_line: u64,
    takes_off_guards: bool,
}

impl Parser {
    pub(crate) fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            state: State::RecordStart,
            line: 1,
            after_carriage_return: false,
            quote_line: 0,
            takes_off_guards: false,
        }
    }

    /// From now on cells are given without the guard before a formula.
    pub(crate) fn take_off_guards(&mut self) {
        self.takes_off_guards = true;
    }

    fn end_cell(&self, record: &mut Record) {
        record.end_cell();
        if self.takes_off_guards {
            record.take_off_guard();
        }
    }

    /// Reads on until a record is complete or `input` is used up, and says how many bytes it used. Lines with nothing on them are skipped.
    pub(crate) fn feed(&mut self, input: &[u8], record: &mut Record) -> (usize, Fed) {
        let mut at = 0;
        while at < input.len() {
            let byte = input[at];
            match self.state {
                State::RecordStart if matches!(byte, b'\n' | b'\r') => {
                    self.count_line(byte);
                    at += 1;
                }
                State::RecordStart | State::CellStart => {
                    self.after_carriage_return = false;
                    if byte == b'"' {
                        self.quote_line = self.line;
                        record.open_quote();
                        self.state = State::Quoted;
                        at += 1;
                    } else {
                        self.state = State::Plain;
                    }
                }
                State::Plain => {
                    let rest = &input[at..];
                    let length = rest
                        .iter()
                        .position(|&byte| byte == self.delimiter || byte == b'\n' || byte == b'\r')
                        .unwrap_or(rest.len());
                    record.push(&rest[..length]);
                    at += length;
                    let Some(&end) = input.get(at) else { break };
                    at += 1;
                    self.end_cell(record);
                    if end == self.delimiter {
                        self.state = State::CellStart;
                    } else {
                        self.count_line(end);
                        self.state = State::RecordStart;
                        return (at, Fed::Record);
                    }
                }
                State::Quoted => {
                    let rest = &input[at..];
                    let length = rest.iter().position(|&byte| byte == b'"').unwrap_or(rest.len());
                    record.push(&rest[..length]);
                    for &byte in &rest[..length] {
                        self.count_line(byte);
                    }
                    at += length;
                    if at < input.len() {
                        at += 1;
                        self.after_carriage_return = false;
                        self.state = State::QuoteInQuoted;
                    }
                }
                State::QuoteInQuoted if byte == b'"' => {
                    record.push(b"\"");
                    self.state = State::Quoted;
                    at += 1;
                }
                State::QuoteInQuoted => {
                    if byte != self.delimiter && !matches!(byte, b'\n' | b'\r') && record.fault.is_none() {
                        record.fail(Fault::TextAfterQuote { column: record.ends.len() });
                    }
                    self.state = State::Plain;
                }
            }
        }
        (at, Fed::More)
    }

    /// Tells the parser that nothing follows. True means that `record` holds a last record, which no line end closed.
    pub(crate) fn finish(&mut self, record: &mut Record) -> Result<bool, OpenQuote> {
        match self.state {
            State::RecordStart => Ok(false),
            State::Quoted => Err(OpenQuote { line: self.quote_line }),
            State::CellStart | State::Plain | State::QuoteInQuoted => {
                self.end_cell(record);
                self.state = State::RecordStart;
                Ok(true)
            }
        }
    }

    /// Lines end with LF, CR LF or CR, as text editors count them.
    fn count_line(&mut self, byte: u8) {
        match byte {
            b'\n' if self.after_carriage_return => self.after_carriage_return = false,
            b'\n' => self.line += 1,
            b'\r' => {
                self.line += 1;
                self.after_carriage_return = true;
            }
            _ => self.after_carriage_return = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Parsed = (Vec<Vec<u8>>, Option<Fault>);

    fn parse(input: &[u8], chunk: usize) -> Result<Vec<Parsed>, OpenQuote> {
        let mut parser = Parser::new(b',');
        let mut record = Record::default();
        let mut records = Vec::new();
        let take = |record: &mut Record| {
            let taken = (record.cells().map(<[u8]>::to_vec).collect(), record.fault());
            record.clear();
            taken
        };
        for mut part in input.chunks(chunk) {
            while !part.is_empty() {
                let (used, fed) = parser.feed(part, &mut record);
                part = &part[used..];
                if fed == Fed::Record {
                    records.push(take(&mut record));
                }
            }
        }
        if parser.finish(&mut record)? {
            records.push(take(&mut record));
        }
        Ok(records)
    }

    fn check(input: &str, expect: &[&[&str]]) {
        for chunk in [1, 2, 3, 1000] {
            let records = parse(input.as_bytes(), chunk).unwrap();
            let read: Vec<Vec<String>> = records
                .into_iter()
                .map(|(cells, fault)| {
                    assert_eq!(fault, None, "{input:?}");
                    cells.into_iter().map(|cell| String::from_utf8(cell).unwrap()).collect()
                })
                .collect();
            assert_eq!(read, expect, "{input:?} in chunks of {chunk}");
        }
    }

    #[test]
    fn records_are_read_the_same_whatever_the_chunks() {
        check("", &[]);
        check("\n\r\n\r", &[]);
        check("a,b\nc,d", &[&["a", "b"], &["c", "d"]]);
        check("a,b\r\nc,d\r\n\r\n\r\n", &[&["a", "b"], &["c", "d"]]);
        check("a\rb\r", &[&["a"], &["b"]]);
        check("a,\n,\n", &[&["a", ""], &["", ""]]);
        check("\"a,\"\"b\"\"\nc\",d\n", &[&["a,\"b\"\nc", "d"]]);
        check("\"\"\n\"\"", &[&[""], &[""]]);
        check("a\"b,c\n", &[&["a\"b", "c"]]);
        check(" \n", &[&[" "]]);
    }

    #[test]
    fn an_open_quote_names_the_line_it_opened_on() {
        assert_eq!(parse(b"a\r\n\"b\nc\"\n\nd,\"e\nf\ng", 4).unwrap_err(), OpenQuote { line: 5 });
        assert_eq!(parse(b"\"", 1).unwrap_err(), OpenQuote { line: 1 });
    }

    #[test]
    fn text_after_a_closing_quote_is_a_fault_of_that_record_only() {
        let records = parse(b"x,\"a\"b,c\nd,e,f\n", 3).unwrap();
        assert_eq!(records[0].1, Some(Fault::TextAfterQuote { column: 1 }));
        assert_eq!(records[1], (vec![b"d".to_vec(), b"e".to_vec(), b"f".to_vec()], None));
    }

    #[test]
    fn what_is_exactly_at_a_limit_passes_and_one_more_does_not() {
        let cell = "x".repeat(MAX_CELL_BYTES);
        assert_eq!(parse(cell.as_bytes(), 70_001).unwrap()[0].1, None);
        assert_eq!(parse(format!("{cell}x").as_bytes(), 70_001).unwrap()[0].1, Some(Fault::CellTooLong { column: 0 }));
        let row = [&*cell, &cell, &cell, &cell].join(",");
        assert_eq!(parse(row.as_bytes(), 70_001).unwrap()[0].1, None);
        assert_eq!(parse(format!("{row},x").as_bytes(), 70_001).unwrap()[0].1, Some(Fault::RowTooLong));
        let columns = ",".repeat(MAX_COLUMNS - 1);
        assert_eq!(parse(columns.as_bytes(), 7).unwrap()[0].1, None);
        assert_eq!(parse(format!("{columns},").as_bytes(), 7).unwrap()[0].1, Some(Fault::TooManyColumns));
    }

    proptest! {
        #[test]
        fn sound_input_is_read_as_the_csv_crate_reads_it(text in "[ab,\"\r\n]{0,60}", chunk in 1usize..8) {
            let ours = parse(text.as_bytes(), chunk);
            // Only where neither of the two stricter rules applies is there something to compare.
            if let Ok(records) = ours && records.iter().all(|(_, fault)| fault.is_none()) {
                let theirs: Vec<Vec<Vec<u8>>> = csv::ReaderBuilder::new()
                    .has_headers(false)
                    .flexible(true)
                    .from_reader(text.as_bytes())
                    .byte_records()
                    .map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect())
                    .collect();
                let ours: Vec<Vec<Vec<u8>>> = records.into_iter().map(|(cells, _)| cells).collect();
                prop_assert_eq!(ours, theirs);
            }
        }
    }
}
