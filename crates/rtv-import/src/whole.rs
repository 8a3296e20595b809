//! A small file as a whole, for data that is read at once and taken all or not at all.

use std::io::Read;

use crate::{
    error::ImportError,
    read::refuse_duplicates,
    record::Record,
    sniff::{decode_cell, next_record, start},
};

/// The header and all rows of a small file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Names of the columns.
    pub header: Vec<String>,
    /// The rows, each with as many cells as the header, or with what is wrong with it.
    pub rows: Vec<Result<Vec<String>, String>>,
    /// Whether the file goes on after them.
    pub has_more: bool,
}

/// Reads a file of at most `most` rows; encoding and separator are detected.
pub fn whole(input: impl Read, most: usize) -> Result<Whole, ImportError> {
    let mut started = start(input, None, None)?;
    refuse_duplicates(&started.sniffed.header)?;
    let header = started.sniffed.header;
    let mut record = Record::default();
    let mut rows = Vec::new();
    while next_record(&mut started.source, &mut started.parser, &mut record, rows.len() as u64 + 1)? {
        if rows.len() == most {
            return Ok(Whole { header, rows, has_more: true });
        }
        rows.push(if record.fault().is_some() {
            Err("a cell of it cannot be read as text".to_owned())
        } else if record.len() != header.len() {
            Err(format!("it has {} cells, and the header {}", record.len(), header.len()))
        } else {
            let cells =
                record.cells().map(|cell| decode_cell(cell, started.encoding).map(std::borrow::Cow::into_owned));
            cells.collect()
        });
    }
    if rows.is_empty() {
        return Err(ImportError::HeaderOnly { columns: header.len() });
    }
    Ok(Whole { header, rows, has_more: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_file_is_read_whole_with_what_is_wrong_in_its_place() {
        let read = |text: &str, most| whole(text.as_bytes(), most);
        let file = read("a;b\n1;2\n3\n\"x;y\";4\n", 10).unwrap();
        assert_eq!(file.header, ["a", "b"]);
        assert_eq!(file.rows[0], Ok(vec!["1".into(), "2".into()]));
        assert_eq!(file.rows[1], Err("it has 1 cells, and the header 2".into()));
        assert_eq!(file.rows[2], Ok(vec!["x;y".into(), "4".into()]));
        assert!(!file.has_more);
        let cut = read("a,b\n1,2\n3,4\n", 1).unwrap();
        assert_eq!((cut.rows.len(), cut.has_more), (1, true));
        assert!(matches!(read("a,b\n", 10), Err(ImportError::HeaderOnly { columns: 2 })));
    }
}
