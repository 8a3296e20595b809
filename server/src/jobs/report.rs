//! Runs of reports as a worker makes them: the figures, the drawings, then each file, whole before it is told of; then each mail. A
//! worker that is killed leaves the run as it was, and another begins again. And the tick that begins what schedules say.

use core::time::Duration;

use rtv_core::Error;
use rtv_core::report::MailState;
use rtv_domain::Context;
use rtv_domain::mail::{Handover, Outbox};
use rtv_domain::report::{self, Asked, MakeRun, Outgoing, SendReport, Shown, TakenUp, schedule};
use rtv_jobs::{Job, JobContext, JobError, Worker};
use rtv_outbound::mail::{Attachment, Letter, Mailer};
use serde::{Deserialize, Serialize};

use crate::jobs::import::after;
use crate::jobs::mail::ended;
use crate::press::{self, Press};

/// How often a run that is being made asks whether it is still wanted.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// How often schedules are looked at. Their times are whole minutes.
const TICK: Duration = Duration::from_mins(1);

/// Begins what schedules say is due.
#[derive(Debug, Serialize, Deserialize)]
pub struct Tick {}

impl Job for Tick {
    const KIND: &'static str = "report.tick";

    fn tenant(&self) -> Option<uuid::Uuid> {
        None
    }
}

/// Adds the jobs to a worker. Without a mail server, mail of reports is kept with all other mail, and there is nothing to send.
pub fn register(worker: Worker, context: Context, press: Press, outbox: Outbox, mailer: Option<Mailer>) -> Worker {
    let worker = worker
        .handle({
            let (context, outbox) = (context.clone(), outbox.clone());
            move |_, _: Tick| {
                let (context, outbox) = (context.clone(), outbox.clone());
                async move {
                    let made = schedule::tick(&context, &outbox).await.map_err(JobError::retry)?;
                    tracing::debug!(made, "schedules were looked at");
                    Ok(())
                }
            }
        })
        .recurring(&Tick {}, TICK)
        .handle({
            let (context, press, outbox) = (context.clone(), press.clone(), outbox.clone());
            move |job, MakeRun(ticket)| {
                let (context, press, outbox) = (context.clone(), press.clone(), outbox.clone());
                async move {
                    let taken = match report::take_up(&context, ticket).await {
                        Ok(Some(taken)) => taken,
                        Ok(None) => return Ok(()),
                        Err(error) => return Err(after(error)),
                    };
                    report::note_silence(&taken.ctx, taken.run.id, None, job.attempt).await.map_err(JobError::retry)?;
                    make(&press, &outbox, &taken, &job).await
                }
            }
        });
    let Some(mailer) = mailer else { return worker };
    worker.handle(move |job, ticket: SendReport| {
        let (context, press, outbox, mailer) = (context.clone(), press.clone(), outbox.clone(), mailer.clone());
        async move { send(&context, &press, &outbox, &mailer, &job, ticket).await }
    })
}

async fn make(press: &Press, outbox: &Outbox, taken: &TakenUp, job: &JobContext) -> Result<(), JobError> {
    let outcome = tokio::select! {
        outcome = work(press, outbox, taken) => outcome,
        // What is dropped here reads, draws or has written files that no row names; the sweep finds them.
        () = unwanted(taken) => return Ok(()),
    };
    let fail = |reason: String| async move {
        report::fail(&taken.ctx, outbox, taken.run.id, &reason).await.map_err(JobError::retry)
    };
    match outcome {
        Ok(()) => Ok(()),
        Err(error @ Error::ReadOnly(_)) => Err(after(error)),
        // What was asked cannot be made, however often it is tried.
        Err(error @ (Error::Invalid(_) | Error::Forbidden(_) | Error::Conflict(_) | Error::NotFound)) => {
            fail(error.explanation()).await
        }
        Err(error) if job.attempt >= job.max_attempts => {
            fail(format!("{} It was tried {} times.", error.explanation(), job.attempt)).await
        }
        Err(error) => {
            report::note_failure(&taken.ctx, taken.run.id, &error.explanation()).await.map_err(JobError::retry)?;
            Err(JobError::retry(error))
        }
    }
}

/// Ends when the run is not wanted any more.
async fn unwanted(taken: &TakenUp) {
    loop {
        tokio::time::sleep(ASK_EVERY).await;
        // A database that does not answer says nothing about it.
        if let Ok(run) = report::run(&taken.ctx, taken.run.id).await
            && run.state.is_final()
        {
            return;
        }
    }
}

async fn work(press: &Press, outbox: &Outbox, taken: &TakenUp) -> Result<(), Error> {
    let TakenUp { ctx, run, definition, parameters } = taken;
    let address = format!("{}/t/{}/reports/{}", press.base, ctx.tenant().slug, run.report);
    let asked =
        Asked { parameters, version: u32::try_from(run.version).ok(), shown: Shown::AsDefined, address: &address };
    let filled = report::fill(ctx, definition, &asked).await?;
    if report::is_skipped(run, &filled) {
        report::finish(ctx, outbox, run, &filled, &[], None, &[]).await?;
        return Ok(());
    }
    let drawings = press::drawings(&filled);
    let total = i32::try_from(drawings + 3).unwrap_or(i32::MAX);
    let tell = |step: String, done: usize| async move {
        report::tell(ctx, run.id, &step, i32::try_from(done + 1).unwrap_or(i32::MAX), total).await.map(|_| ())
    };
    let (pictures, left_out) = press.draw(ctx, &filled, |title, done| tell(format!("drawing {title}"), done)).await?;
    tell("writing files".into(), drawings).await?;
    let printed = press.print(ctx, run, &filled, pictures).await?;
    let notes = [left_out, printed.notes].concat();
    report::finish(ctx, outbox, run, &filled, &printed.files, printed.pages, &notes).await?;
    Ok(())
}

/// Hands the mail of one reader over. Whatever keeps it from that is noted, and is told where it was the last attempt.
async fn send(
    context: &Context,
    press: &Press,
    outbox: &Outbox,
    mailer: &Mailer,
    job: &JobContext,
    ticket: SendReport,
) -> Result<(), JobError> {
    match hand_over(context, press, outbox, mailer, job, ticket).await {
        Ok(None | Some(Handover::Accepted)) => Ok(()),
        Ok(Some(Handover::TryAgain(reason))) => Err(JobError::retry(reason)),
        Ok(Some(Handover::Refused(reason) | Handover::Unknown(reason))) => Err(JobError::fail(reason)),
        Err(error @ Error::ReadOnly(_)) => Err(after(error)),
        Err(error) => {
            let is_last = job.attempt >= job.max_attempts;
            report::put_off(context, outbox, ticket, &error.explanation(), is_last).await.map_err(JobError::retry)?;
            Err(JobError::retry(error))
        }
    }
}

/// `None`: there was nothing to hand over any more.
async fn hand_over(
    context: &Context,
    press: &Press,
    outbox: &Outbox,
    mailer: &Mailer,
    job: &JobContext,
    ticket: SendReport,
) -> Result<Option<Handover>, Error> {
    let Some(outgoing) = report::look(context, outbox, ticket).await? else { return Ok(None) };
    let Outgoing { ctx, id, run, to, subject, text, files, unsubscribe, .. } = &outgoing;
    report::note_silence(ctx, run.id, Some(*id), job.attempt).await?;
    let mut attachments = Vec::new();
    for file in files {
        let bytes = press.read_or_make(ctx, run, file, press::AS_STORED).await?;
        attachments.push(Attachment { name: file.file_name.clone(), kind: file.format.content_type(), bytes });
    }
    let letter =
        Letter { id: id.uuid(), to, subject, text, at: context.now(), attachments, unsubscribe: unsubscribe.as_ref() };
    let (from, handover) = match mailer.open(&letter).await {
        Ok(open) if report::claim(&outgoing).await? => (MailState::Sending, ended(open.send().await)),
        Ok(_) => return Ok(None),
        Err(error) => (MailState::Waiting, ended(Err(error))),
    };
    let is_last = job.attempt >= job.max_attempts;
    report::settle(ctx, outbox, *id, from, &handover, is_last).await?;
    Ok(Some(handover))
}
