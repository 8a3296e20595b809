//! A filled report ([`rtv_core::report::Filled`]) as a file: PDF, XLSX and CSV. Nothing here reads data or decides what is shown; each
//! format says the same, and says what it cannot hold.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod csv;
pub mod pdf;
mod words;
pub mod xlsx;
