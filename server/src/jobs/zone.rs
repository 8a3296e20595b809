//! Moving a tenant with many posts to another time zone.

use rtv_domain::Context;
use rtv_domain::zone::{self, MoveDays};
use rtv_jobs::Worker;

/// Adds the job to a worker.
pub fn register(worker: Worker, context: Context) -> Worker {
    worker.handle(move |_, job: MoveDays| {
        let context = context.clone();
        async move { zone::carry_out(&context, &job).await.map_err(super::import::after) }
    })
}
