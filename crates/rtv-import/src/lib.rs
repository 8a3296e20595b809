//! From a file to typed rows: detecting the encoding and the separator, decoding, mapping columns to fields.
//!
//! Values in, values out: this crate knows no database, no network and no tenant. A file is read as a stream and once; what is held in memory
//! is bounded by the constants in [`record`] and never grows with the file (the one exception, with its own bound, is
//! [`read::MAX_COUNTED_ROWS`]). Nothing is repaired silently: what cannot be read becomes a [`Refusal`] of its row or an [`ImportError`]
//! of the file, each with what is wrong, why, and what would be accepted.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod error;
pub mod mapping;
pub mod read;
pub mod record;
pub mod row;
pub mod sniff;
mod source;
pub mod write;

pub use error::ImportError;
pub use mapping::Mapping;
pub use read::{OpenOptions, Reader, open, open_seekable};
pub use row::{PostMetrics, PostRow, Published, Refusal, Row};
pub use sniff::{Encoding, Sniffed, sniff};
pub use write::{write_posts, write_refusals};
