//! How far a piece of work is: written by the work as it goes, read by whoever tells a person. It lives in memory; a
//! worker writes it to the import's row once a second.

use std::sync::{Arc, Mutex, PoisonError};

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// What is being done. The order is the order of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Another import of the tenant goes first, or no worker is free.
    #[default]
    Waiting,
    /// The file is read.
    Reading,
    /// Rows are compared with each other and with what is stored.
    Judging,
    /// Posts are written.
    Writing,
    /// Figures of the days that changed are summed up again.
    RollingUp,
}

impl Step {
    /// All steps.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Reading, Self::Judging, Self::Writing, Self::RollingUp];

    /// As it is stored.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Reading => "reading",
            Self::Judging => "judging",
            Self::Writing => "writing",
            Self::RollingUp => "rolling_up",
        }
    }

    /// As people read it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting for its turn",
            Self::Reading => "Reading the file",
            Self::Judging => "Comparing with what is stored",
            Self::Writing => "Writing posts",
            Self::RollingUp => "Summing up the days",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|step| step.key() == text)
            .ok_or_else(|| format!("“{text}” is not a step of an import"))
    }
}

/// How far the work is at one moment. Rows and bytes count within the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// What is being done.
    pub step: Step,
    /// Rows done in this step.
    pub rows: u64,
    /// Rows that the step has, where that is known.
    pub of_rows: Option<u64>,
    /// Bytes of the file done in this step.
    pub bytes: u64,
    /// Bytes of the file.
    pub of_bytes: u64,
}

impl Snapshot {
    /// How much of the step is done, from 0 to 1, where that can be known.
    #[expect(clippy::cast_precision_loss, reason = "a bar on a page needs three digits")]
    pub fn fraction(&self) -> Option<f64> {
        let share = |done: u64, all: u64| (all > 0).then(|| (done as f64 / all as f64).min(1.0));
        match (self.step, self.of_rows) {
            (Step::Reading, _) => share(self.bytes, self.of_bytes),
            (Step::Writing | Step::RollingUp, Some(all)) => share(self.rows, all),
            (Step::Waiting | Step::Judging | Step::Writing | Step::RollingUp, _) => None,
        }
    }
}

/// Shared between the work and whoever tells how far it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Meter(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    snapshot: Snapshot,
    backend: Option<i32>,
    is_stopped: bool,
}

impl Meter {
    pub(super) fn snapshot(&self) -> Snapshot {
        self.with(|inner| inner.snapshot)
    }

    /// Begins a step.
    pub(super) fn step(&self, step: Step, of_rows: Option<u64>) {
        self.with(|inner| {
            inner.snapshot = Snapshot { step, of_rows, of_bytes: inner.snapshot.of_bytes, ..Snapshot::default() };
        });
    }

    /// Sets how far the reading is.
    pub(super) fn read(&self, rows: u64, bytes: u64, of_bytes: u64) {
        self.with(|inner| {
            inner.snapshot = Snapshot { rows, bytes, of_bytes, ..inner.snapshot };
        });
    }

    /// Sets how many rows of the step are done.
    pub(super) fn rows(&self, rows: u64) {
        self.with(|inner| inner.snapshot.rows = rows);
    }

    /// The database's process that does the work now.
    pub(super) fn works_on(&self, backend: i32) {
        self.with(|inner| inner.backend = Some(backend));
    }

    pub(super) fn backend(&self) -> Option<i32> {
        self.with(|inner| inner.backend)
    }

    /// The work is not wanted any more.
    pub(super) fn stop(&self) {
        self.with(|inner| inner.is_stopped = true);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.with(|inner| inner.is_stopped)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Inner) -> T) -> T {
        // Plain numbers: a panic elsewhere has broken none of them.
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_begins_at_nothing_and_knows_its_share() {
        let meter = Meter::default();
        assert_eq!(meter.snapshot().fraction(), None);
        meter.step(Step::Reading, None);
        meter.read(10, 50, 200);
        assert_eq!(meter.snapshot().fraction(), Some(0.25));
        meter.step(Step::Writing, Some(40));
        assert_eq!((meter.snapshot().rows, meter.snapshot().of_bytes), (0, 200));
        meter.rows(60);
        assert_eq!(meter.snapshot().fraction(), Some(1.0), "never more than all");
        meter.step(Step::Judging, None);
        assert_eq!(meter.snapshot().fraction(), None);
        for step in Step::ALL {
            assert_eq!(step.key().parse(), Ok(step));
        }
    }
}
