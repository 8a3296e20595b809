//! Reports as files, read back by other readers than their writers. `world` makes the reports.
#![allow(clippy::unwrap_used)]

mod csv;
mod pdf;
mod world;
mod xlsx;
