//! Imports as a worker does them: each kind of work is one call of the domain, which says whether another attempt may
//! help.

use core::time::Duration;

use rtv_core::Error;
use rtv_domain::Context;
use rtv_domain::import::Uploads;
use rtv_domain::import::work::{self, CheckImport, RollBackImport, RunImport};
use rtv_jobs::{JobContext, JobError, Worker};

/// How soon a job looks again that may not change anything now: in a suspended tenant, or during maintenance.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// How a job goes on after an error.
pub(super) fn after(error: Error) -> JobError {
    match error {
        Error::ReadOnly(_) => JobError::later(error, LOOK_AGAIN),
        other => JobError::retry(other),
    }
}

/// Adds the jobs to a worker.
pub fn register(worker: Worker, context: Context, uploads: Uploads) -> Worker {
    let is_last = |job: &JobContext| job.attempt >= job.max_attempts;
    let checking = (context.clone(), uploads.clone());
    let running = (context.clone(), uploads);
    worker
        .handle(move |job, CheckImport(ticket)| {
            let (context, uploads) = checking.clone();
            async move { work::check(&context, &uploads, ticket, is_last(&job)).await.map_err(after) }
        })
        .handle(move |job, RunImport(ticket)| {
            let (context, uploads) = running.clone();
            async move { work::run(&context, &uploads, ticket, is_last(&job)).await.map_err(after) }
        })
        .handle(move |job, RollBackImport(ticket)| {
            let context = context.clone();
            async move { work::roll_back(&context, ticket, is_last(&job)).await.map_err(after) }
        })
}
