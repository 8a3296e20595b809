//! The beginning of a file as text, to guess from and to show.
//!
//! A sample is small whatever the file: cells are cut and the whole is bounded. Rows that cannot be read are only counted here; the preview
//! says what is wrong with them.

use std::io::{Read, Seek};

use crate::{
    error::ImportError,
    read::refuse_duplicates,
    record::Record,
    sniff::{Delimiter, Encoding, Sniffed, decode_cell, next_record, second_look, start},
};

/// Most rows of a sample: enough for dates of a year of daily posts to tell day and month apart, and read at once.
pub const SAMPLE_ROWS: usize = 200;

/// Longest cell that a sample keeps, in bytes: longer than any id or label that is accepted.
const CELL_BYTES: usize = 1024;

/// Most bytes of all cells of a sample.
const SAMPLE_BYTES: usize = 1024 * 1024;

/// The header and the first rows of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// What kind of text it is, with the header.
    pub sniffed: Sniffed,
    /// The first rows, each with as many cells as the header; long cells are cut.
    pub rows: Vec<Vec<String>>,
    /// Rows among the first that are no text, or have another number of cells.
    pub unreadable_rows: u64,
}

/// Reads the beginning of a file. `encoding` and `delimiter` are for a person who knows better than the detection.
pub fn sample(
    input: impl Read,
    encoding: Option<Encoding>,
    delimiter: Option<Delimiter>,
) -> Result<Sample, ImportError> {
    let mut started = start(input, encoding, delimiter)?;
    refuse_duplicates(&started.sniffed.header)?;
    let columns = started.sniffed.header.len();
    let mut record = Record::default();
    let mut sample = Sample { sniffed: started.sniffed, rows: Vec::new(), unreadable_rows: 0 };
    let (mut seen, mut bytes) = (0, 0);
    while seen < SAMPLE_ROWS
        && bytes < SAMPLE_BYTES
        && next_record(&mut started.source, &mut started.parser, &mut record, seen as u64 + 1)?
    {
        seen += 1;
        let row = if record.fault().is_none() && record.len() == columns {
            record.cells().map(|cell| Some(cut(&decode_cell(cell, started.encoding).ok()?))).collect()
        } else {
            None::<Vec<String>>
        };
        match row {
            Some(row) => {
                bytes += row.iter().map(String::len).sum::<usize>();
                sample.rows.push(row);
            }
            None => sample.unreadable_rows += 1,
        }
    }
    if seen == 0 {
        return Err(ImportError::HeaderOnly { columns });
    }
    Ok(sample)
}

/// The same for a file that can be read twice, whose encoding is found even where it only shows late.
pub fn sample_seekable(
    mut input: impl Read + Seek,
    encoding: Option<Encoding>,
    delimiter: Option<Delimiter>,
) -> Result<Sample, ImportError> {
    let encoding = match encoding {
        None => second_look(&mut input)?,
        stated => stated,
    };
    sample(input, encoding, delimiter)
}

fn cut(cell: &str) -> String {
    cell[..cell.floor_char_boundary(CELL_BYTES)].to_owned()
}
