//! The worker: claims jobs, runs their handlers, keeps their leases, and gives back what it cannot finish. One worker
//! is one loop that claims, one task a job, one task that renews all leases and one that listens for notifications.
//! What is written to the table is in `queue.rs`.

use core::panic::AssertUnwindSafe;
use core::time::Duration;
use std::any::Any;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::postgres::PgListener;
use sqlx::{Postgres, Transaction};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, timeout, timeout_at};
use uuid::Uuid;

use crate::queue::{self, Claimed, Settlement};
use crate::recurring::Recurring;
use crate::{BackOff, Job, JobContext, JobError, JobId};

/// Whatever kept a transaction or a listener from being opened.
pub type DbError = Box<dyn std::error::Error + Send + Sync>;

/// Where the worker gets its transactions. Only the owner of the pool may open one, and it sets what row security
/// needs to know.
pub trait WorkerDb: Send + Sync + 'static {
    /// A transaction that may see and change the table `job`.
    fn begin(&self) -> BoxFuture<'_, Result<Transaction<'static, Postgres>, DbError>>;

    /// A listener with a connection of its own. It is kept for the worker's life, so it must not come from the pool.
    fn listener(&self) -> BoxFuture<'_, Result<PgListener, DbError>>;
}

/// Numbers of a worker.
#[derive(Debug, Clone, Copy)]
pub struct WorkerSettings {
    /// Jobs that run at the same time.
    pub concurrency: usize,
    /// How long a job is held without a heartbeat, which comes every third of it. A dead worker's jobs go to others
    /// after this time.
    pub lease: Duration,
    /// How often the table is looked at without a notification. Scheduled jobs start this late at most.
    pub poll: Duration,
    /// How long running jobs may go on after the worker was told to stop.
    pub grace: Duration,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            concurrency: 4,
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            grace: Duration::from_secs(10),
        }
    }
}

/// Longest wait for giving back jobs once the grace time is over.
const GIVE_BACK: Duration = Duration::from_secs(5);

/// Pause before a lost listener, or a result that could not be written, is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(500);

type Run = dyn Fn(JobContext, serde_json::Value) -> BoxFuture<'static, Result<(), JobError>> + Send + Sync;

struct Handler {
    kind: &'static str,
    timeout: Duration,
    back_off: BackOff,
    run: Box<Run>,
}

/// Runs jobs of the kinds it has handlers for; other kinds are left to other workers.
pub struct Worker {
    db: Arc<dyn WorkerDb>,
    name: String,
    settings: WorkerSettings,
    handlers: HashMap<&'static str, Arc<Handler>>,
    recurring: Vec<Recurring>,
}

impl Worker {
    /// A worker without handlers. Its name is stored with the jobs that it holds, followed by an id of this start.
    pub fn new(db: impl WorkerDb, name: &str, settings: WorkerSettings) -> Self {
        let name = format!("{name}/{}", Uuid::now_v7().simple());
        Self { db: Arc::new(db), name, settings, handlers: HashMap::new(), recurring: Vec::new() }
    }

    /// Adds the handler of a kind. A handler may run twice for one job, see the crate's documentation, and is dropped
    /// at an await when its time is over, its lease is lost or the worker must stop.
    ///
    /// # Panics
    /// If the kind has a handler already.
    #[must_use]
    pub fn handle<J, F, Fut>(mut self, handler: F) -> Self
    where
        J: Job,
        F: Fn(JobContext, J) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), JobError>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let run: Box<Run> = Box::new(move |context, payload| {
            let handler = Arc::clone(&handler);
            async move {
                // Tried again, because a newer release may have written it: a worker of that release can read it.
                let job = serde_json::from_value(payload)
                    .map_err(|error| JobError::retry(format!("the payload cannot be read: {error}")))?;
                handler(context, job).await
            }
            .boxed()
        });
        let entry = Handler { kind: J::KIND, timeout: J::TIMEOUT, back_off: J::BACK_OFF, run };
        assert!(self.handlers.insert(J::KIND, Arc::new(entry)).is_none(), "the kind {} has two handlers", J::KIND);
        self
    }

    /// Makes this job come back at whole multiples of `every` since the Unix epoch, exactly one of each however many
    /// workers say so. While an occurrence is unfinished no further one is added: what was missed is not made up for.
    ///
    /// # Panics
    /// If `every` is shorter than a second, or the job cannot be written as JSON.
    #[must_use]
    pub fn recurring<J: Job>(mut self, job: &J, every: Duration) -> Self {
        self.recurring.push(Recurring::new(job, every));
        self
    }

    /// The name under which the worker holds jobs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Works until `shutdown` is ready, then lets running jobs end for the grace time and gives the rest back. A
    /// database that is away is waited for. Dropping the future stops at once and gives nothing back.
    pub async fn run(mut self, shutdown: impl Future<Output = ()> + Send) {
        let shared = Arc::new(Shared {
            db: self.db,
            name: self.name,
            settings: self.settings,
            kinds: self.handlers.keys().map(ToString::to_string).collect(),
            held: Mutex::default(),
            wake: Notify::new(),
        });
        // Dropped with this future, and their tasks with them.
        let mut attendants = JoinSet::new();
        attendants.spawn(Arc::clone(&shared).keep_leases());
        attendants.spawn(Arc::clone(&shared).listen());
        let mut running = JoinSet::new();
        let mut is_database_away = false;
        let mut shutdown = pin!(shutdown);
        tracing::info!(worker = %shared.name, kinds = ?shared.kinds, "the worker takes jobs");
        loop {
            let asked = Instant::now();
            let turn = async {
                shared.ensure_recurring(&mut self.recurring).await?;
                shared.claim(shared.settings.concurrency - running.len()).await
            };
            match turn.await {
                Ok(claimed) => {
                    for job in claimed {
                        // Only kinds with a handler are claimed.
                        if let Some(handler) = self.handlers.get(job.kind.as_str()) {
                            let stop = shared.hold(&job, asked);
                            running.spawn(Arc::clone(&shared).work(Arc::clone(handler), job, stop));
                        }
                    }
                    if is_database_away {
                        is_database_away = false;
                        tracing::info!(worker = %shared.name, "the worker reaches the queue again");
                    }
                }
                Err(error) if is_database_away => {
                    tracing::debug!(worker = %shared.name, %error, "the worker still cannot claim jobs");
                }
                Err(error) => {
                    is_database_away = true;
                    tracing::warn!(worker = %shared.name, %error, "the worker cannot claim jobs; it keeps trying");
                }
            }
            let pause = shared.settings.poll.mul_f64(rand::random_range(0.8..=1.2));
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(_) = running.join_next() => while running.try_join_next().is_some() {},
                () = shared.wake.notified(), if running.len() < shared.settings.concurrency => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        shared.drain(running).await;
    }
}

/// Why a run is cut off from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    GiveBack,
    LeaseLost,
}

/// A job that runs here.
struct Held {
    /// Until then nobody else can have it. Counted from before the lease was asked for, so it ends before the
    /// database's own.
    until: Instant,
    stop: watch::Sender<Option<Stop>>,
}

struct Shared {
    db: Arc<dyn WorkerDb>,
    name: String,
    settings: WorkerSettings,
    kinds: Vec<String>,
    held: Mutex<HashMap<(Uuid, i64), Held>>,
    wake: Notify,
}

/// How a run ended, before it is known whether that can be written.
enum End {
    Returned(Result<(), JobError>),
    Stopped(Stop),
}

impl Shared {
    /// Gives up after a lease: what comes later is worth nothing, and a silent connection must not hold the worker.
    async fn within_lease<T>(&self, work: impl Future<Output = Result<T, DbError>>) -> Result<T, DbError> {
        match timeout(self.settings.lease, work).await {
            Ok(result) => result,
            Err(_) => Err("the database did not answer for the length of a lease".into()),
        }
    }

    async fn ensure_recurring(&self, recurring: &mut [Recurring]) -> Result<(), DbError> {
        for job in recurring.iter_mut().filter(|job| job.is_due()) {
            self.within_lease(async {
                let mut tx = self.db.begin().await?;
                job.ensure(&mut tx, self.settings.poll).await?;
                Ok(tx.commit().await?)
            })
            .await?;
        }
        Ok(())
    }

    async fn claim(&self, limit: usize) -> Result<Vec<Claimed>, DbError> {
        if limit == 0 || self.kinds.is_empty() {
            return Ok(Vec::new());
        }
        self.within_lease(async {
            let mut tx = self.db.begin().await?;
            let claimed = queue::claim(&mut tx, &self.name, &self.kinds, limit, self.settings.lease).await?;
            tx.commit().await?;
            Ok(claimed)
        })
        .await
    }

    fn held(&self) -> MutexGuard<'_, HashMap<(Uuid, i64), Held>> {
        // No invariant spans two entries, so a panic elsewhere has broken none.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self, job: &Claimed, asked: Instant) -> watch::Receiver<Option<Stop>> {
        let (stop, stopped) = watch::channel(None);
        self.held().insert((job.id, job.fence), Held { until: asked + self.settings.lease, stop });
        stopped
    }

    async fn work(
        self: Arc<Self>,
        handler: Arc<Handler>,
        mut job: Claimed,
        mut stopped: watch::Receiver<Option<Stop>>,
    ) {
        if let Some(lost_by) = &job.lost_by {
            tracing::warn!(
                kind = handler.kind, job_id = %JobId::from(job.id), %lost_by,
                "a job is taken over, because its worker's lease lapsed"
            );
        }
        let context = JobContext {
            id: job.id.into(),
            tenant: job.tenant_id,
            attempt: count(job.attempts),
            max_attempts: count(job.max_attempts),
            fence: job.fence,
        };
        let payload = job.payload.take();
        let run = AssertUnwindSafe(async { (handler.run)(context, payload).await }).catch_unwind();
        let end = tokio::select! {
            result = timeout(handler.timeout, run) => End::Returned(match result {
                Ok(Ok(result)) => result,
                Ok(Err(panic)) => Err(JobError::retry(format!("the handler panicked: {}", message(&*panic)))),
                Err(_) => Err(JobError::retry(format!("the run took longer than {:?}", handler.timeout))),
            }),
            stop = stopped.wait_for(Option::is_some) => {
                End::Stopped(stop.ok().and_then(|stop| *stop).unwrap_or(Stop::LeaseLost))
            }
        };
        let settlement = match end {
            End::Returned(Ok(())) => Some(Settlement::Done),
            End::Returned(Err(error)) => Some(after_failure(&handler, &job, error)),
            End::Stopped(Stop::GiveBack) => Some(Settlement::GivenBack),
            End::Stopped(Stop::LeaseLost) => None,
        };
        let is_written = match &settlement {
            Some(settlement) => self.settle(&job, settlement).await,
            None => false,
        };
        self.held().remove(&(job.id, job.fence));
        report(&handler, &job, settlement.filter(|_| is_written));
    }

    /// Writes the end of a run, and keeps trying while the lease is held. False if the job is no longer ours.
    async fn settle(&self, job: &Claimed, settlement: &Settlement) -> bool {
        loop {
            let written = self.within_lease(async {
                let mut tx = self.db.begin().await?;
                let is_written = queue::settle(&mut tx, job, settlement).await?;
                tx.commit().await?;
                Ok(is_written)
            });
            match written.await {
                Ok(is_written) => return is_written,
                Err(error) => {
                    // After a commit whose answer was lost, the next try finds the job gone and says so.
                    tracing::debug!(job_id = %JobId::from(job.id), %error, "a result could not be written yet");
                    let is_held = self.held().get(&(job.id, job.fence)).is_some_and(|held| {
                        held.until > Instant::now() && *held.stop.borrow() != Some(Stop::LeaseLost)
                    });
                    if !is_held {
                        return false;
                    }
                    tokio::time::sleep(TRY_AGAIN).await;
                }
            }
        }
    }

    async fn keep_leases(self: Arc<Self>) {
        let mut beat = tokio::time::interval(self.settings.lease / 3);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            if let Err(error) =
                timeout(self.settings.lease / 3, self.heartbeat()).await.unwrap_or_else(|late| Err(late.into()))
            {
                tracing::warn!(worker = %self.name, %error, "the leases could not be renewed; they lapse unless the next try succeeds");
            }
            let now = Instant::now();
            for held in self.held().values().filter(|held| held.until <= now) {
                held.stop.send_replace(Some(Stop::LeaseLost));
            }
        }
    }

    async fn heartbeat(&self) -> Result<(), DbError> {
        let held: Vec<_> = self.held().keys().copied().collect();
        let asked = Instant::now();
        let mut tx = self.db.begin().await?;
        let renewed =
            if held.is_empty() { Vec::new() } else { queue::renew(&mut tx, &held, self.settings.lease).await? };
        let exhausted = queue::fail_exhausted(&mut tx).await?;
        tx.commit().await?;
        let mut now_held = self.held();
        for key in held {
            // What has ended meanwhile is no longer in the map.
            let Some(entry) = now_held.get_mut(&key) else {
                continue;
            };
            if renewed.contains(&key.0) {
                entry.until = asked + self.settings.lease;
            } else {
                entry.stop.send_replace(Some(Stop::LeaseLost));
            }
        }
        drop(now_held);
        for (id, kind) in exhausted {
            tracing::error!(kind, job_id = %JobId::from(id), "a job failed for good: its worker vanished during the last attempt");
            metrics::counter!("rtv_jobs_total", "kind" => kind, "outcome" => "failed").increment(1);
        }
        Ok(())
    }

    async fn listen(self: Arc<Self>) {
        loop {
            if let Err(error) = self.hear().await {
                tracing::debug!(worker = %self.name, %error, "the worker hears no notifications; it polls until it does");
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
    }

    async fn hear(&self) -> Result<(), DbError> {
        let mut listener = self.db.listener().await?;
        listener.listen(queue::CHANNEL).await?;
        loop {
            // Also after a reconnection (none): what was sent meanwhile is lost, so the table is looked at.
            self.wake.notify_one();
            listener.try_recv().await?;
        }
    }

    async fn drain(&self, mut running: JoinSet<()>) {
        if running.is_empty() {
            return;
        }
        tracing::info!(worker = %self.name, jobs = running.len(), "the worker stops; running jobs may end");
        let deadline = tokio::time::Instant::now() + self.settings.grace;
        while let Ok(Some(_)) = timeout_at(deadline, running.join_next()).await {}
        if running.is_empty() {
            return;
        }
        tracing::info!(worker = %self.name, jobs = running.len(), "the grace time is over; jobs are given back");
        for held in self.held().values() {
            held.stop.send_if_modified(|stop| stop.is_none() && stop.replace(Stop::GiveBack).is_none());
        }
        let all = async { while running.join_next().await.is_some() {} };
        if timeout(GIVE_BACK, all).await.is_err() {
            tracing::warn!(worker = %self.name, jobs = running.len(), "jobs could not be given back; others get them when the leases lapse");
        }
    }
}

fn after_failure(handler: &Handler, job: &Claimed, error: JobError) -> Settlement {
    match error {
        JobError::Retry { reason, after } if job.attempts < job.max_attempts => {
            let after = after.unwrap_or_else(|| handler.back_off.after(count(job.attempts)));
            Settlement::Retry { reason, after }
        }
        JobError::Later { reason, after } => Settlement::Later { reason, after },
        JobError::Retry { reason, .. } | JobError::Fail { reason } => Settlement::Failed { reason },
    }
}

/// One log line a failure, one count a run. Nothing was written: the job was lost to another worker.
fn report(handler: &Handler, job: &Claimed, settlement: Option<Settlement>) {
    let (kind, job_id, attempt) = (handler.kind, JobId::from(job.id), job.attempts);
    let outcome = match settlement {
        Some(Settlement::Done) => "done",
        Some(Settlement::Retry { reason, after }) => {
            tracing::warn!(kind, %job_id, attempt, reason, retry_in = ?after, "a job failed and will be tried again");
            "retried"
        }
        Some(Settlement::Later { reason, after }) => {
            tracing::info!(kind, %job_id, reason, again_in = ?after, "a job waits until it can be done");
            "postponed"
        }
        Some(Settlement::Failed { reason }) => {
            tracing::error!(kind, %job_id, attempt, reason, "a job failed for good");
            "failed"
        }
        Some(Settlement::GivenBack) => "given_back",
        None => {
            tracing::warn!(kind, %job_id, attempt, fence = job.fence, "a job's lease was lost; the run's result was not written");
            "lost"
        }
    };
    metrics::counter!("rtv_jobs_total", "kind" => kind, "outcome" => outcome).increment(1);
}

/// Numbers of attempts are never negative; the table holds that.
fn count(attempts: i32) -> u32 {
    u32::try_from(attempts).unwrap_or_default()
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
