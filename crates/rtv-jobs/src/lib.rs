//! The queue. A job is a typed value that is enqueued in the transaction of what causes it, so that both happen or
//! neither; a [`Worker`] claims it for the length of a lease and runs it at least once. The queue knows no table but
//! its own (`job`), takes every transaction from its owner through [`WorkerDb`], and reads no clock but the
//! database's, so that workers on machines with different clocks agree on what is due and which lease has passed.
//!
//! What it promises:
//! - A job runs at least once, and usually once. A worker that dies, freezes or loses the database loses its lease,
//!   and the job goes to another worker with a higher *fence*. The first one can then no longer write a result.
//!   What a handler does outside the database must itself be safe to repeat; [`JobContext::fence`] is there for that.
//! - Tenants take turns: of two tenants with waiting jobs, the one with fewer running jobs goes first, however long
//!   the other's line is. Priority orders the jobs of one tenant.
//! - A worker that is told to stop gives back what it cannot finish, and the run does not count as an attempt.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod back_off;
mod job;
mod queue;
mod recurring;
mod worker;

pub use back_off::BackOff;
pub use job::{Job, JobContext, JobError, JobId};
pub use queue::{Enqueued, Error, enqueue, remove_finished};
pub use worker::{DbError, Worker, WorkerDb, WorkerSettings};
