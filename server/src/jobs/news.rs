//! Telling members of teams by mail what their teams have asked for.

use rtv_domain::Context;
use rtv_domain::kill_switch::news::{self as halt_news, TellHalt};
use rtv_domain::mail::Outbox;
use rtv_domain::news::{self, TellNews};
use rtv_jobs::Worker;

/// Adds the job to a worker.
pub fn register(worker: Worker, context: Context, outbox: Outbox) -> Worker {
    let (halt_context, halt_outbox) = (context.clone(), outbox.clone());
    worker
        .handle(move |_, job: TellNews| {
            let (context, outbox) = (context.clone(), outbox.clone());
            async move { news::carry_out(&context, &outbox, &job).await.map_err(super::import::after) }
        })
        .handle(move |_, job: TellHalt| {
            let (context, outbox) = (halt_context.clone(), halt_outbox.clone());
            async move { halt_news::carry_out(&context, &outbox, &job).await.map_err(super::import::after) }
        })
}
