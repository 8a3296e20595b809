//! Telling members of teams by mail what their teams have asked for.

use rtv_domain::Context;
use rtv_domain::mail::Outbox;
use rtv_domain::news::{self, TellNews};
use rtv_jobs::Worker;

/// Adds the job to a worker.
pub fn register(worker: Worker, context: Context, outbox: Outbox) -> Worker {
    worker.handle(move |_, job: TellNews| {
        let (context, outbox) = (context.clone(), outbox.clone());
        async move { news::carry_out(&context, &outbox, &job).await.map_err(super::import::after) }
    })
}
