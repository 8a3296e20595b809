//! Charts of reports: what a table becomes, the options as snapshots, and every kind as the real library draws it.
#![allow(clippy::unwrap_used)]

mod option;
#[cfg(feature = "svg")]
mod picture;
mod specimen;
