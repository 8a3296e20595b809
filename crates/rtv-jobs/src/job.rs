//! What a job is: its kind, its limits, what its handler is told and how the handler says that it failed. How jobs are
//! stored is in `queue.rs`, how they are run in `worker.rs`.

use core::fmt;
use core::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::BackOff;

/// A kind of work. The value itself is the payload: keep it small, ids rather than contents, because it is stored as
/// JSON and may be read by a later release. Add fields with `#[serde(default)]`, and never reuse a kind's name.
pub trait Job: Serialize + DeserializeOwned + Send + 'static {
    /// Name of the kind, as stored: up to 100 characters, like `post.publish`.
    const KIND: &'static str;
    /// Attempts until the job has failed for good.
    const MAX_ATTEMPTS: u16 = 12;
    /// Longest run of one attempt. A longer one is cut off at its next await, and counts as failed.
    const TIMEOUT: Duration = Duration::from_mins(5);
    /// Smaller goes first among the jobs of one tenant.
    const PRIORITY: i16 = 0;
    /// Pauses between attempts, unless the handler asks for another one.
    const BACK_OFF: BackOff = BackOff::DEFAULT;

    /// The tenant that the work is for; none if it is the operator's. Tenants take turns.
    fn tenant(&self) -> Option<Uuid>;

    /// With a key, enqueueing is a no-op while an unfinished job of the same tenant, kind and key exists, *also while
    /// that job runs*. Work that must see a change made meanwhile needs a key that changes with it, such as a version.
    fn unique_key(&self) -> Option<String> {
        None
    }
}

/// Id of one job: a `UUIDv7`, written with the prefix `job_`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(Uuid);

impl JobId {
    /// The bare UUID, as the database stores it.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for JobId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job_{}", self.0.simple())
    }
}

/// What a handler is told about the run it is in.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JobContext {
    /// The job.
    pub id: JobId,
    /// The tenant that the work is for.
    pub tenant: Option<Uuid>,
    /// Number of this attempt, from 1.
    pub attempt: u32,
    /// The last attempt's number.
    pub max_attempts: u32,
    /// Grows with every claim of this job. A row that a handler writes can carry it, so that a run that was given up
    /// cannot overwrite what its successor wrote: `update … where fence <= $n`.
    pub fence: i64,
}

/// How a handler says that it failed. `?` turns any error into [`JobError::Retry`].
///
/// The reason is stored and logged: it must hold no secret.
#[derive(Debug)]
pub enum JobError {
    /// Try again, after the back-off of the kind or after the pause named here.
    Retry {
        /// Why, for the log and for people.
        reason: String,
        /// Pause to use instead of the back-off.
        after: Option<Duration>,
    },
    /// It cannot be done now, through no fault of its own: try again after the pause, and count no attempt.
    Later {
        /// What it waits for, for the log and for people.
        reason: String,
        /// Pause.
        after: Duration,
    },
    /// Failed for good; further attempts would fail too.
    Fail {
        /// Why, for the log and for people.
        reason: String,
    },
}

impl JobError {
    /// Try again after the kind's back-off.
    pub fn retry(reason: impl fmt::Display) -> Self {
        Self::Retry { reason: reason.to_string(), after: None }
    }

    /// Try again after this pause.
    pub fn retry_after(reason: impl fmt::Display, after: Duration) -> Self {
        Self::Retry { reason: reason.to_string(), after: Some(after) }
    }

    /// Not now: try again after this pause, which counts as no attempt.
    pub fn later(reason: impl fmt::Display, after: Duration) -> Self {
        Self::Later { reason: reason.to_string(), after }
    }

    /// Failed for good.
    pub fn fail(reason: impl fmt::Display) -> Self {
        Self::Fail { reason: reason.to_string() }
    }
}

// For this, JobError itself is no std::error::Error, as in anyhow.
impl<E: std::error::Error> From<E> for JobError {
    fn from(error: E) -> Self {
        Self::retry(error)
    }
}
