//! Reports: what was built (`definition.rs`), how its queries are answered (`fill.rs` and a file for each source), what was
//! made of it (`run.rs`), when that happens by itself (`schedule.rs`) and how it reaches its readers (`dispatch.rs`).

mod attempt;
mod audience;
mod change;
mod compare;
mod competitors;
mod count;
mod course;
mod definition;
mod deliveries;
mod dispatch;
mod figures;
mod fill;
mod handout;
mod hours;
mod inbox;
mod keeper;
mod posts;
mod recipient;
mod run;
pub mod schedule;
mod store;
mod sweep;
mod template;
mod transfer;

pub use attempt::{Attempt, Attempts, attempts, note_failure, note_silence};
pub use change::{Change, change};
pub use compare::{Difference, compare};
pub use count::{count, count_inbox, count_runs};
pub use definition::{
    LISTED, Listed, Listing, Report, VERSIONS, Version, bring_back, create, delete, list, listed, may_build, one, redo,
    restore, save, undo, version, versions,
};
pub use dispatch::{
    Dispatch, MOST_ATTACHED, Mailing, Outgoing, SendReport, SentAgain, claim, look, mailings, put_off, send_again,
    settle,
};
pub use fill::{Asked, MOST_CHARTED, MOST_ROWS, Shown, fill, fill_block};
pub use handout::{Handout, handout, handout_file, subscribe};
pub use inbox::{Received, inbox};
pub use run::{
    FileRow, MakeRun, NewFile, Run, TakenUp, Ticket, begin, begin_again, cancel, fail, file, finish, is_shown,
    is_skipped, result, run, runs, runs_after, runs_of, take_up, tell,
};
pub use store::Files;
pub use sweep::{KEEP_DAYS, sweep};
pub use template::Template;
pub use transfer::{copy_to, copyable};
