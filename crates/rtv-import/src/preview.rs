//! The first rows of a file as they would be stored, so that a person sees what an import will do before it does it.

use std::io::{Read, Seek};

use crate::{
    error::ImportError,
    mapping::Mapping,
    read::{OpenOptions, Reader, open, open_seekable},
    row::Row,
    sniff::Sniffed,
};

/// Rows of a preview.
pub const PREVIEW_ROWS: usize = 20;

/// What an import would begin with.
#[derive(Debug)]
pub struct Preview {
    /// What was found out about the file.
    pub sniffed: Sniffed,
    /// The mapping that was applied.
    pub mapping: Mapping,
    /// Columns of the file that the mapping does not know.
    pub unmapped_columns: Vec<String>,
    /// The first rows, refused ones with their reason.
    pub rows: Vec<Row>,
    /// What ended the file before so many rows, if it was not its end.
    pub stopped: Option<ImportError>,
}

/// Reads the first [`PREVIEW_ROWS`] rows of a file.
pub fn preview(input: impl Read, options: OpenOptions) -> Result<Preview, ImportError> {
    Ok(begin(open(input, options)?))
}

/// The same for a file that can be read twice, whose encoding is found even where it only shows late.
pub fn preview_seekable(input: impl Read + Seek, options: OpenOptions) -> Result<Preview, ImportError> {
    Ok(begin(open_seekable(input, options)?))
}

fn begin<R: Read>(mut reader: Reader<R>) -> Preview {
    let (mut rows, mut stopped) = (Vec::new(), None);
    for row in reader.by_ref().take(PREVIEW_ROWS) {
        match row {
            Ok(row) => rows.push(row),
            Err(error) => stopped = Some(error),
        }
    }
    Preview {
        sniffed: reader.sniffed().clone(),
        mapping: reader.mapping().clone(),
        unmapped_columns: reader.unmapped_columns().to_vec(),
        rows,
        stopped,
    }
}
