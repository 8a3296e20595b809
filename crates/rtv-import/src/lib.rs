//! From a file to typed rows: detecting the encoding and the separator, guessing what the columns mean, decoding, mapping columns to fields.
//!
//! Values in, values out: this crate knows no database, no network and no tenant. A file is read as a stream and once; what is held in memory
//! is bounded by the constants in [`record`] and never grows with the file (the one exception, with its own bound, is
//! [`read::MAX_COUNTED_ROWS`]). Nothing is repaired silently: what cannot be read becomes a [`Refusal`] of its row or an [`ImportError`]
//! of the file, each with what is wrong, why, and what would be accepted.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod builtin;
mod date;
pub mod draft;
pub mod error;
mod field;
pub mod formula;
pub mod guess;
pub mod mapping;
mod number;
pub mod preview;
pub mod read;
pub mod record;
pub mod row;
pub mod sample;
pub mod sniff;
mod source;
pub mod whole;
pub mod write;

pub use date::DateOrder;
pub use draft::{Draft, DraftColumn, DraftError};
pub use error::ImportError;
pub use field::{Field, platform_named};
pub use formula::without_formula;
pub use guess::{ColumnGuess, Guess, Question, guess};
pub use mapping::{Mapping, Metric};
pub use number::NumberStyle;
pub use preview::{PREVIEW_ROWS, Preview, preview, preview_seekable};
pub use read::{OpenOptions, Reader, open, open_seekable};
pub use row::{PostMetrics, PostRow, Published, Refusal, Row};
pub use sample::{SAMPLE_ROWS, Sample, sample, sample_seekable};
pub use sniff::{Delimiter, Encoding, Sniffed, sniff};
pub use whole::{Whole, whole};
pub use write::{write_posts, write_refusals, write_refused_rows};
