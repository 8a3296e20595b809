//! Keeping the audit log: sealing it every other second, and dropping payloads whose time is over every hour.
//!
//! Sealing is no job of the queue: it must go on while all places of the worker are taken by long jobs, and a row in the
//! queue every other second would be noise.

use core::time::Duration;
use std::sync::Arc;

use rtv_domain::Context;
use rtv_domain::audit::{AuditKey, retention, seal};
use rtv_jobs::{Job, Worker};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// Between two turns of the sealer.
const SEAL_EVERY: Duration = Duration::from_secs(2);
/// Between two looks for payloads whose time is over; a chain has at most one such event a day.
const DROP_EVERY: Duration = Duration::from_hours(1);

/// Seals until told to stop. A turn that has begun comes to its end.
pub async fn keep_sealing(context: Context, key: Arc<AuditKey>, mut stopped: watch::Receiver<bool>) {
    let mut is_failing = false;
    loop {
        match seal::seal(&context, &key).await {
            Ok(_) => is_failing = false,
            Err(error) => {
                // A database that is away fails every turn; once is enough to say so.
                if !is_failing {
                    tracing::warn!(%error, "the audit log cannot be sealed; it is tried again every other second");
                }
                is_failing = true;
            }
        }
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            () = tokio::time::sleep(SEAL_EVERY) => {}
        }
    }
}

/// One look for payloads whose time is over.
#[derive(Debug, Serialize, Deserialize)]
pub struct DropPayloads {}

impl Job for DropPayloads {
    const KIND: &'static str = "audit.retention";
    const TIMEOUT: Duration = Duration::from_mins(30);

    fn tenant(&self) -> Option<uuid::Uuid> {
        None
    }
}

/// Adds the job to a worker.
pub fn register(worker: Worker, context: Context, key: Arc<AuditKey>) -> Worker {
    worker
        .handle(move |_, _: DropPayloads| {
            let (context, key) = (context.clone(), key.clone());
            async move {
                let dropped = retention::drop_payloads(&context, &key).await.map_err(super::import::after)?;
                tracing::debug!(dropped, "payloads of the audit log were looked through");
                Ok(())
            }
        })
        .recurring(&DropPayloads {}, DROP_EVERY)
}
