//! Reports: what was built (`definition.rs`), how its queries are answered (`fill.rs` and a file for each source), what was
//! made of it (`run.rs`).

mod audience;
mod definition;
mod deliveries;
mod figures;
mod fill;
mod hours;
mod posts;
mod run;
mod store;
mod sweep;
mod template;

pub use definition::{
    Difference, Listed, Report, Version, bring_back, compare, create, delete, list, may_build, one, redo, restore,
    save, undo, version, versions,
};
pub use fill::{Asked, MOST_ROWS, Shown, fill, fill_block};
pub use run::{
    FileFormat, FileRow, MakeRun, NewFile, Run, RunState, TakenUp, Ticket, begin, begin_again, cancel, fail, file,
    finish, result, run, runs, take_up, tell,
};
pub use store::Files;
pub use sweep::{KEEP_DAYS, sweep};
pub use template::Template;
