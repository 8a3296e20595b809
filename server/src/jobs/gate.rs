//! Keeping the gate of a process that sends: reading all engaged switches at each flip and twice a second, and proving that it
//! did. Beside it a recorder that writes down what happened, takes over local files, and reminds of what is halted.
//!
//! The lease loop has a connection of its own, which no page and no job can take from it, and a deadline of a second for
//! whatever it asks. An error anywhere, or no answer, renews nothing: the lease lapses and the gate closes by itself.

use core::time::Duration;
use std::time::Instant;

use rtv_core::fault::{self, Fault};
use rtv_core::{Error, Scope};
use rtv_domain::kill_switch::lease::{self, Reading, SenderIdentity};
use rtv_domain::kill_switch::local_file::Look;
use rtv_domain::kill_switch::{self, Ramp, local_file, record, reminder, scope};
use rtv_domain::mail::Outbox;
use rtv_domain::{Actor, Clock, Context, Database, RequestInfo};
use rtv_jobs::{Job, JobError, Worker};
use rtv_outbound::boot_time::BootTime;
use rtv_outbound::gate::{EngagedSwitch, Gate, SwitchCopy};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Between two readings, when no notification comes.
const READ_EVERY: Duration = Duration::from_millis(500);
/// How long one turn may take, connecting included.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two turns of the recorder while a halt is not at rest.
const RECORD_EVERY: Duration = Duration::from_millis(250);
/// Between two turns of the recorder otherwise: local files may have changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Between two looks at what is to be reminded of, and at what was held while its switch was released.
const REMIND_EVERY: Duration = Duration::from_mins(1);
const TAKE_UP_EVERY: Duration = Duration::from_secs(2);

/// What was read last; `None` before the first reading and while the database does not answer.
pub type Newest = watch::Receiver<Option<Reading>>;

/// Keeps the gate until told to stop, on a thread of its own with a runtime of its own: a halt waits for nothing that the process
/// does beside it. Without such a runtime the gate stays closed.
pub fn keep_apart(
    database: Database,
    clock: Clock,
    gate: Gate,
    sender: SenderIdentity,
    told: watch::Sender<Option<Reading>>,
    stopped: watch::Receiver<bool>,
) {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(keep(database, clock, gate, sender, told, stopped)),
        Err(error) => tracing::error!(%error, "the gate cannot be kept, so nothing is sent"),
    }
}

/// Keeps the gate until told to stop; then closes it and says so.
async fn keep(
    database: Database,
    clock: Clock,
    gate: Gate,
    sender: SenderIdentity,
    told: watch::Sender<Option<Reading>>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut own: Option<Database> = None;
    let mut flips = Flips::listen(database.clone());
    let mut is_failing = false;
    loop {
        let began = tokio::time::Instant::now();
        let asked = BootTime::now();
        let apart = own.get_or_insert_with(|| database.apart(PATIENCE)).clone();
        let context = gate_context(apart, clock);
        let install = |reading: &Reading| gate.install(copy_of(reading));
        match tokio::time::timeout(PATIENCE, lease::renew(&context, &sender, install)).await {
            Ok(Ok(reading)) => {
                let from = if fault::is(Fault::LeaseFromReply) { BootTime::now() } else { asked };
                gate.renew(from);
                told.send_replace(Some(reading));
                if is_failing {
                    tracing::info!("the kill switches can be read again");
                    // A connection that was cut off without a word may never say so itself.
                    flips = Flips::listen(database.clone());
                }
                is_failing = false;
            }
            failed => {
                told.send_replace(None);
                if !is_failing {
                    let why = match failed {
                        Ok(Err(error)) => error.to_string(),
                        Ok(Ok(_)) | Err(_) => "no answer within a second".to_owned(),
                    };
                    tracing::error!(why, "the kill switches cannot be read; nothing is sent until they can");
                }
                is_failing = true;
                // Its connection may be dead or frozen. It is closed beside us, because that may take as long as it likes.
                if let Some(dead) = own.take() {
                    tokio::spawn(async move {
                        let _ = tokio::time::timeout(Duration::from_mins(1), dead.close()).await;
                    });
                }
            }
        }
        loop {
            tokio::select! {
                () = told_to_stop(&mut stopped) => {
                    gate.close();
                    let context = gate_context(database.clone(), clock);
                    if let Ok(Err(error)) = tokio::time::timeout(PATIENCE, lease::end(&context, &sender)).await {
                        tracing::warn!(%error, "the end of sending was not written; the lease lapses within two seconds");
                    }
                    return;
                }
                () = flips.next() => break,
                () = tokio::time::sleep_until(began + READ_EVERY) => {
                    if !fault::is(Fault::PollSkipped) {
                        break;
                    }
                    gate.renew(BootTime::now());
                    tokio::time::sleep(READ_EVERY).await;
                }
            }
        }
    }
}

/// An error means that whoever tells is gone, which happens only at the end. What is waited for is not kept: it is a lock.
async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

fn gate_context(database: Database, clock: Clock) -> Context {
    let request = RequestInfo { deadline: Some(Instant::now() + PATIENCE), ..RequestInfo::default() };
    Context::new(database, clock, request, Actor::System("gate"))
}

fn copy_of(reading: &Reading) -> SwitchCopy {
    let engaged = reading.engaged.iter().map(|(id, scope)| EngagedSwitch { id: *id, scope: *scope }).collect();
    SwitchCopy { epoch: reading.epoch, engaged }
}

/// Looks at switches for a process that does not send, until told to stop: at each flip, and every other second.
pub async fn observe(
    database: Database,
    clock: Clock,
    told: watch::Sender<Option<Reading>>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut flips = Flips::listen(database.clone());
    loop {
        let looked = tokio::time::timeout(PATIENCE, lease::look(&gate_context(database.clone(), clock))).await;
        let reading = looked.ok().and_then(Result::ok).map(|(reading, _)| reading);
        if reading.is_some() && told.borrow().is_none() {
            flips = Flips::listen(database.clone());
        }
        told.send_replace(reading);
        tokio::select! {
            () = told_to_stop(&mut stopped) => return,
            () = flips.next() => {}
            () = tokio::time::sleep(2 * LOOK_EVERY) => {}
        }
    }
}

/// That something was flipped. It may be told once too often and, where a connection breaks, once too seldom: whoever asks reads
/// all of it, and reads twice a second in any case.
struct Flips {
    heard: watch::Receiver<u64>,
    task: JoinHandle<()>,
}

impl Flips {
    fn listen(database: Database) -> Self {
        let (tell, mut heard) = watch::channel(0_u64);
        heard.mark_unchanged();
        let task = tokio::spawn(async move {
            loop {
                if let Ok(mut listener) = database.listener().await
                    && listener.listen(kill_switch::CHANNEL).await.is_ok()
                {
                    // What came before is not told again.
                    tell.send_modify(|count| *count += 1);
                    // `None`: the connection was lost and is made anew, and something may have come in between.
                    while listener.try_recv().await.is_ok() {
                        tell.send_modify(|count| *count += 1);
                    }
                }
                tokio::time::sleep(READ_EVERY).await;
            }
        });
        Self { heard, task }
    }

    async fn next(&mut self) {
        if self.heard.changed().await.is_err() {
            core::future::pending::<()>().await;
        }
    }
}

impl Drop for Flips {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the recorder needs.
pub struct Recorder {
    /// The serving role's pool.
    pub database: Database,
    /// The clock.
    pub clock: Clock,
    /// Where reminders are written to.
    pub outbox: Outbox,
    /// How sending begins again.
    pub ramp: Ramp,
    /// The gate and the sender of this process, if it sends.
    pub sending: Option<(Gate, SenderIdentity)>,
}

impl Recorder {
    /// Records until told to stop.
    pub async fn run(self, mut newest: Newest, mut stopped: watch::Receiver<bool>) {
        let mut seen = None;
        let mut pace = (Instant::now(), Instant::now());
        let mut is_failing = false;
        loop {
            let reading = newest.borrow_and_update().clone();
            let mut has_more = false;
            if let Some(reading) = reading {
                measure(&reading);
                match self.turn(&reading, &mut seen, &mut pace).await {
                    Ok(more) => {
                        has_more = more;
                        is_failing = false;
                    }
                    Err(error) => {
                        if !is_failing {
                            tracing::warn!(%error, "what happened to kill switches cannot be written down; it is tried again");
                        }
                        is_failing = true;
                    }
                }
            }
            let pause = if has_more { RECORD_EVERY } else { LOOK_EVERY };
            tokio::select! {
                () = told_to_stop(&mut stopped) => return,
                () = something_new(&mut newest, has_more) => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// One turn. Returns whether something is left for soon. What fails keeps nothing of the rest back: it is tried again, and the
    /// first error is the answer.
    async fn turn(
        &self,
        reading: &Reading,
        seen: &mut Option<Look>,
        (reminded, taken_up): &mut (Instant, Instant),
    ) -> Result<bool, Error> {
        let context =
            Context::new(self.database.clone(), self.clock, RequestInfo::default(), Actor::System("switch recorder"));
        let (mut has_more, mut done) = (false, Ok(()));
        if let Some((gate, sender)) = &self.sending {
            done = done.and(look_at_files(&context, gate, sender, seen).await);
        }
        if reading.has_unrecorded {
            done = done.and(record::record(&context).await.map(|more| has_more = more));
        }
        if taken_up.elapsed() >= TAKE_UP_EVERY {
            *taken_up = Instant::now();
            done = done.and(record::take_up(&context, self.ramp).await.map(drop));
        }
        if self.sending.is_some() && reminded.elapsed() >= REMIND_EVERY {
            *reminded = Instant::now();
            done = done.and(reminder::remind(&context, &self.outbox).await.map(drop));
        }
        done.map(|()| has_more)
    }
}

/// Shows the files of this sender where they have changed, and has their switches engaged.
async fn look_at_files(
    context: &Context,
    gate: &Gate,
    sender: &SenderIdentity,
    seen: &mut Option<Look>,
) -> Result<(), Error> {
    let look = Look { at: context.now(), files: files_of(gate) };
    if seen.as_ref().map(|last| &last.files) != Some(&look.files) {
        local_file::show(context, sender, &look.files).await?;
        let context = context.with_actor(Actor::System("local file"));
        let taken = local_file::take_over(&context, &look.files, seen.as_ref()).await?;
        if taken > 0 {
            tracing::warn!(taken, "local files that halt were taken over");
        }
    }
    *seen = Some(look);
    Ok(())
}

/// Waits for a reading with something to record. While something is left the pause decides.
async fn something_new(newest: &mut Newest, has_more: bool) {
    loop {
        if newest.changed().await.is_err() {
            core::future::pending::<()>().await;
        }
        if !has_more && newest.borrow().as_ref().is_some_and(|reading| reading.has_unrecorded) {
            return;
        }
    }
}

fn files_of(gate: &Gate) -> Vec<local_file::LocalFile> {
    let whole = |why: String| vec![local_file::LocalFile { name: "halt.d".into(), halt: Err(why) }];
    gate.local_files().map_or_else(whole, |files| {
        files
            .into_iter()
            .map(|file| local_file::LocalFile {
                name: file.name,
                halt: file.halt.map(|halt| local_file::LocalHalt {
                    scope: halt.scope,
                    reason: halt.reason,
                    note: halt.note,
                    by: halt.by,
                    at: halt.at,
                }),
            })
            .collect()
    })
}

/// How many switches are engaged, by what they are about.
fn measure(reading: &Reading) {
    for label in scope::LABELS {
        let count = reading.engaged.iter().filter(|(_, of)| *of != Scope::Drill && scope::label(of) == label).count();
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        metrics::gauge!("rtv_switch_engaged", "scope" => label).set(count);
    }
}

/// How many flips a drill that nobody asked for makes.
const ROUNDS: u32 = 5;

/// The daily drill.
#[derive(Debug, Serialize, Deserialize)]
pub struct DailyDrill {}

impl Job for DailyDrill {
    const KIND: &'static str = "switch.drill";
    const TIMEOUT: Duration = Duration::from_mins(2);

    fn tenant(&self) -> Option<uuid::Uuid> {
        None
    }
}

/// Adds the job to a worker.
pub fn register(worker: Worker, context: Context) -> Worker {
    worker
        .handle(move |_, _: DailyDrill| {
            let context = context.clone();
            async move {
                match kill_switch::drill(&context, ROUNDS).await {
                    Ok(drill) => tracing::info!(p50 = drill.p50_ms, p95 = drill.p95_ms, "a halt was practised"),
                    // Nobody sends, somebody else drills, or a sender does not answer: the next day's drill tells.
                    Err(error @ (Error::Conflict(_) | Error::Unavailable(_))) => {
                        tracing::warn!(%error, "no halt was practised");
                    }
                    Err(error) => return Err(JobError::retry(error)),
                }
                Ok(())
            }
        })
        .recurring(&DailyDrill {}, Duration::from_hours(24))
}
