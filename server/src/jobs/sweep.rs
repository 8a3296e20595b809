//! Removes what nobody needs any more: expired sessions, stale counters of sign-ins, finished jobs, old mail, uploaded files, files of
//! reports, answers of the API; and ends imports and runs that nobody works on any more.

use core::time::Duration;

use rtv_domain::import::{self, Uploads};
use rtv_domain::mail::Outbox;
use rtv_domain::report::{self, Files};
use rtv_domain::{Context, WorkKind, api_answer, mail, session, visit};
use rtv_jobs::{Job, JobError, Worker};
use serde::{Deserialize, Serialize};

/// How often.
const EVERY: Duration = Duration::from_mins(15);
/// How long finished jobs are kept for people to look at.
const KEEP_JOBS: chrono::TimeDelta = chrono::TimeDelta::days(7);

/// Finished jobs that one sweep removes at most: a transaction stays short, and the next sweep goes on.
const MOST_JOBS: i64 = 10_000;

/// One sweep.
#[derive(Debug, Serialize, Deserialize)]
pub struct Sweep {}

impl Job for Sweep {
    const KIND: &'static str = "sweep";

    fn tenant(&self) -> Option<uuid::Uuid> {
        None
    }
}

/// Adds the job to a worker.
pub fn register(worker: Worker, context: Context, uploads: Uploads, files: Files, outbox: Outbox) -> Worker {
    worker
        .handle(move |_, _: Sweep| {
            let (context, uploads, files, outbox) = (context.clone(), uploads.clone(), files.clone(), outbox.clone());
            async move {
                let rows = session::sweep(&context).await.map_err(JobError::retry)?;
                let mut tx = context.begin_worker(WorkKind::Queue).await.map_err(JobError::retry)?;
                let jobs = rtv_jobs::remove_finished(tx.queue(), context.now() - KEEP_JOBS, MOST_JOBS)
                    .await
                    .map_err(JobError::retry)?;
                tx.commit().await.map_err(JobError::retry)?;
                let imports = import::sweep(&context, &uploads).await.map_err(JobError::retry)?;
                let reports = report::sweep(&context, &outbox, &files).await.map_err(JobError::retry)?;
                let mails = mail::sweep(&context).await.map_err(JobError::retry)?;
                let visits = visit::sweep(&context).await.map_err(JobError::retry)?;
                let answers = api_answer::sweep(&context).await.map_err(JobError::retry)?;
                tracing::debug!(rows, jobs, reports, mails, visits, answers, ?imports, "swept");
                Ok(())
            }
        })
        .recurring(&Sweep {}, EVERY)
}
