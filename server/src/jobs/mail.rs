//! Hands mail over to the mail server. The row of the mail says `sending` only while the message itself is on its way, so
//! everything before that can be tried again, and nothing after it is.

use rtv_domain::Context;
use rtv_domain::mail::{self, DeliverMail, Handover};
use rtv_domain::vault::Vault;
use rtv_jobs::{JobContext, JobError, Worker};
use rtv_outbound::mail::{Letter, MailError, Mailer};

/// Adds the job to a worker.
pub fn register(worker: Worker, context: Context, vault: Vault, mailer: Mailer) -> Worker {
    worker.handle(move |job, DeliverMail { mail: id, .. }| {
        let (context, vault, mailer) = (context.clone(), vault.clone(), mailer.clone());
        async move { deliver(&context, &vault, &mailer, &job, id).await }
    })
}

async fn deliver(
    context: &Context,
    vault: &Vault,
    mailer: &Mailer,
    job: &JobContext,
    id: rtv_core::MailId,
) -> Result<(), JobError> {
    let Some(outgoing) = mail::look(context, vault, id).await.map_err(JobError::retry)? else { return Ok(()) };
    let letter = Letter::plain(id.uuid(), &outgoing.to, &outgoing.subject, &outgoing.text, context.now());
    let handover = match mailer.open(&letter).await {
        Ok(open) => {
            if !mail::claim(context, id).await.map_err(JobError::retry)? {
                return Ok(());
            }
            ended(open.send().await)
        }
        Err(error) => ended(Err(error)),
    };
    let is_last = job.attempt >= job.max_attempts;
    mail::settle(context, id, &handover, is_last).await.map_err(JobError::retry)?;
    match handover {
        Handover::Accepted => Ok(()),
        Handover::TryAgain(reason) => Err(JobError::retry(reason)),
        Handover::Refused(reason) | Handover::Unknown(reason) => Err(JobError::fail(reason)),
    }
}

/// What the mail server's answer means for the row of the mail.
pub(super) fn ended(outcome: Result<(), MailError>) -> Handover {
    match outcome {
        Ok(()) => Handover::Accepted,
        Err(MailError::TryAgain(reason)) => Handover::TryAgain(reason),
        Err(MailError::Refused(reason)) => Handover::Refused(reason),
        Err(MailError::Unknown(reason)) => Handover::Unknown(reason),
    }
}
