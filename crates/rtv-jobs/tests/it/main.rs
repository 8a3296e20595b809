//! The queue against a real PostgreSQL, as the serving role that owns nothing. Here is the bench that all tests use:
//! a database of the test's own, transactions with the markers of row security, and workers that can be told to stop,
//! dropped and cut off from the database.

#![allow(clippy::unwrap_used, reason = "a panic is the failure wanted")]

mod failure;
mod lease;
mod recurring;
mod row_security;
mod running;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use rtv_jobs::{DbError, Enqueued, Job, JobContext, JobError, JobId, Worker, WorkerDb, WorkerSettings, enqueue};
use rtv_testkit::TestDb;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgListener;
use sqlx::{PgPool, Postgres, Row, Transaction};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Impatient numbers, so that a test takes seconds.
const SETTINGS: WorkerSettings = WorkerSettings {
    concurrency: 4,
    lease: Duration::from_millis(1500),
    poll: Duration::from_millis(50),
    grace: Duration::from_millis(200),
};

/// A job that is told apart by a number.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Task {
    number: u32,
    tenant: Option<Uuid>,
    #[serde(default)]
    key: Option<String>,
}

impl Job for Task {
    const KIND: &'static str = "task";
    const MAX_ATTEMPTS: u16 = 4;
    const TIMEOUT: Duration = Duration::from_secs(20);
    const BACK_OFF: rtv_jobs::BackOff =
        rtv_jobs::BackOff { first: Duration::from_millis(200), longest: Duration::from_mins(1), is_least: false };

    fn tenant(&self) -> Option<Uuid> {
        self.tenant
    }

    fn unique_key(&self) -> Option<String> {
        self.key.clone()
    }
}

fn task(number: u32) -> Task {
    Task { number, tenant: None, key: None }
}

struct Bench {
    db: TestDb,
    app: PgPool,
}

impl Bench {
    async fn new() -> Self {
        let db = TestDb::new().await;
        let app = sqlx::postgres::PgPoolOptions::new().max_connections(24).connect(&db.app_url()).await.unwrap();
        Self { db, app }
    }

    /// A transaction of this actor; an empty name sets no marker at all.
    async fn begin(&self, actor: &str, tenant: Option<Uuid>) -> Transaction<'static, Postgres> {
        begin(&self.app, actor, tenant).await.unwrap()
    }

    async fn enqueue<J: Job>(&self, job: &J) -> Enqueued {
        self.enqueue_at(job, None).await
    }

    async fn enqueue_at<J: Job>(&self, job: &J, at: Option<DateTime<Utc>>) -> Enqueued {
        let mut tx = self.begin("worker", None).await;
        let enqueued = enqueue(&mut tx, job, at).await.unwrap();
        tx.commit().await.unwrap();
        enqueued
    }

    async fn add<J: Job>(&self, job: &J) -> JobId {
        match self.enqueue(job).await {
            Enqueued::Added(id) => id,
            Enqueued::AlreadyWaiting => panic!("the job was there"),
        }
    }

    async fn row(&self, id: JobId) -> JobRow {
        let mut tx = self.begin("worker", None).await;
        let row = sqlx::query("select attempts, fence, locked_by, last_error, outcome, run_at from job where id = $1")
            .bind(id.uuid())
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        JobRow {
            attempts: row.get("attempts"),
            fence: row.get("fence"),
            locked_by: row.get("locked_by"),
            last_error: row.get("last_error"),
            outcome: row.get("outcome"),
            run_at: row.get("run_at"),
        }
    }

    async fn count(&self, condition: &'static str) -> i64 {
        let mut tx = self.begin("worker", None).await;
        let query = format!("select count(*) from job where {condition}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&mut *tx).await.unwrap()
    }

    /// Waits until no unfinished job is left.
    async fn wait_until_empty(&self) {
        self.wait_until("finished_at is null", 0).await;
    }

    async fn wait_until(&self, condition: &'static str, expect: i64) {
        let started = Instant::now();
        while self.count(condition).await != expect {
            assert!(started.elapsed() < Duration::from_secs(20), "there are never {expect} jobs where {condition}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn worker(&self, settings: WorkerSettings) -> Worker {
        Worker::new(Link::new(&self.app), "test", settings)
    }

    /// A worker that runs `Task` with this handler.
    fn start<F, Fut>(&self, settings: WorkerSettings, handler: F) -> Running
    where
        F: Fn(JobContext, Task) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), JobError>> + Send + 'static,
    {
        Running::start(self.worker(settings).handle(handler))
    }
}

#[derive(Debug)]
struct JobRow {
    attempts: i32,
    fence: i64,
    locked_by: Option<String>,
    last_error: Option<String>,
    outcome: Option<String>,
    run_at: DateTime<Utc>,
}

async fn begin(
    pool: &PgPool,
    actor: &str,
    tenant: Option<Uuid>,
) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    if !actor.is_empty() {
        sqlx::query("select set_config('rtv.actor', $1, true), set_config('rtv.tenant_id', $2, true)")
            .bind(actor)
            .bind(tenant.map(|id| id.to_string()).unwrap_or_default())
            .execute(&mut *tx)
            .await?;
    }
    Ok(tx)
}

/// A worker's way to the database, which can be cut.
#[derive(Clone)]
struct Link {
    pool: PgPool,
    is_cut: Arc<AtomicBool>,
}

impl Link {
    fn new(pool: &PgPool) -> Self {
        Self { pool: pool.clone(), is_cut: Arc::default() }
    }

    fn cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::SeqCst);
    }
}

impl WorkerDb for Link {
    fn begin(&self) -> BoxFuture<'_, Result<Transaction<'static, Postgres>, DbError>> {
        async {
            if self.is_cut.load(Ordering::SeqCst) {
                return Err("the link is cut".into());
            }
            Ok(begin(&self.pool, "worker", None).await?)
        }
        .boxed()
    }

    fn listener(&self) -> BoxFuture<'_, Result<PgListener, DbError>> {
        async { Ok(PgListener::connect_with(&self.pool).await?) }.boxed()
    }
}

/// A worker at work in a task of its own.
struct Running {
    task: JoinHandle<()>,
    stop: Option<oneshot::Sender<()>>,
}

impl Running {
    fn start(worker: Worker) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(worker.run(async {
            let _ = stopped.await;
        }));
        Self { task, stop: Some(stop) }
    }

    /// Asks the worker to stop and waits for it.
    async fn stop(mut self) {
        drop(self.stop.take());
        (&mut self.task).await.unwrap();
    }

    /// Ends the worker as a SIGKILL would: nothing is written any more.
    async fn kill(self) {
        self.task.abort();
        while !self.task.is_finished() {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A channel on which handlers report, and the next report within a few seconds.
struct Reports<T>(mpsc::UnboundedReceiver<T>);

fn reports<T>() -> (mpsc::UnboundedSender<T>, Reports<T>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (sender, Reports(receiver))
}

impl<T> Reports<T> {
    async fn next(&mut self) -> T {
        tokio::time::timeout(Duration::from_secs(10), self.0.recv()).await.expect("nothing was reported").unwrap()
    }

    fn so_far(&mut self) -> Vec<T> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}

fn tally(numbers: impl IntoIterator<Item = u32>) -> HashMap<u32, u32> {
    let mut tally = HashMap::new();
    for number in numbers {
        *tally.entry(number).or_default() += 1;
    }
    tally
}
