//! Reports: what a marketer builds ([`Definition`]), what one query may ask ([`Query`]), and what comes of it ([`Filled`]).
//! Page, PDF, XLSX and CSV are made from the same [`Filled`]. How a query is answered stands in `rtv-domain`'s file of the
//! same name.

mod definition;
mod edit;
mod filled;
mod query;
mod run;
mod schedule;

pub use definition::{Block, ChartKind, Content, Definition, LIMITS, Limits, MAX_TEXT, Section};
pub use edit::{Edit, Edited, NewBlock};
pub use filled::{Cell, Column, Filled, FilledBlock, FilledContent, FilledSection, Kind, Meaning, Metric, Table};
pub use query::{Dimension, Measure, Query, Sort, Source};
pub use run::{FileFormat, MailState, RunState, Way};
pub use schedule::{DayOfMonth, Days, Frequency, MonthOfQuarter, Occurrence, Rhythm, TimeOfDay, WEEKDAYS, Weekdays};
