//! Reports as PDF, read back by poppler, qpdf and MuPDF: complete, selectable, without a warning, equal each time.

mod book;
mod chart;
mod hostile;
mod reader;
mod table;
mod world;
