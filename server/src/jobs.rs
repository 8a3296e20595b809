//! The jobs of RTV and the worker that runs them. A job is a small typed value; what it does is one call of the domain.

pub mod audit;
pub mod import;
pub mod mail;
pub mod news;
pub mod sweep;
pub mod zone;

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use rtv_domain::audit::AuditKey;
use rtv_domain::import::Uploads;
use rtv_domain::mail::Outbox;
use rtv_domain::vault::Vault;
use rtv_domain::{Actor, Clock, Context, Database, RequestInfo, WorkKind};
use rtv_jobs::{DbError, Worker, WorkerDb, WorkerSettings};
use rtv_outbound::mail::Mailer;
use tokio::sync::watch;

use crate::config;
use crate::state::AppState;

/// Where the queue gets its transactions.
struct QueueDatabase {
    database: Database,
    context: Context,
}

impl WorkerDb for QueueDatabase {
    fn begin(&self) -> BoxFuture<'_, Result<sqlx::Transaction<'static, sqlx::Postgres>, DbError>> {
        async { Ok(self.context.begin_worker(WorkKind::Queue).await?.into_inner()) }.boxed()
    }

    fn listener(&self) -> BoxFuture<'_, Result<sqlx::postgres::PgListener, DbError>> {
        async { Ok(self.database.listener().await?) }.boxed()
    }
}

/// Works beside the server until told to stop.
pub async fn work(state: AppState, stopped: impl Future<Output = ()> + Send) {
    // The settings were checked when the server started.
    let mailer = state.settings.mailer().ok().flatten();
    let mail = MailRoom { vault: state.vault, mailer, outbox: state.outbox };
    run(state.database, state.clock, state.uploads, mail, state.audit_key, stopped).await;
}

/// What handing mail over needs.
pub struct MailRoom {
    /// Opens the bodies of mail.
    pub vault: Vault,
    /// The mail server; without one a worker leaves mail to workers that have one.
    pub mailer: Option<Mailer>,
    /// Where jobs write mail to.
    pub outbox: Outbox,
}

impl MailRoom {
    /// As the settings say.
    pub fn open(settings: &config::Settings) -> anyhow::Result<Self> {
        let vault = settings.vault()?;
        let outbox = settings.outbox(vault.clone());
        Ok(Self { vault, mailer: settings.mailer()?, outbox })
    }
}

/// Works until told to stop.
pub async fn run(
    database: Database,
    clock: Clock,
    uploads: Uploads,
    mail: MailRoom,
    key: Arc<AuditKey>,
    stopped: impl Future<Output = ()> + Send,
) {
    let context = |work| Context::new(database.clone(), clock, RequestInfo::default(), Actor::System(work));
    let queue = QueueDatabase { database: database.clone(), context: context("queue") };
    let worker = Worker::new(queue, &config::operator(), WorkerSettings::default());
    let worker = sweep::register(worker, context("sweep"), uploads.clone());
    let worker = match mail.mailer {
        Some(mailer) => self::mail::register(worker, context("mail"), mail.vault, mailer),
        None => worker,
    };
    let worker = import::register(worker, context("import"), uploads);
    let worker = zone::register(worker, context("time zone"));
    let worker = news::register(worker, context("news"), mail.outbox);
    let worker = audit::register(worker, context("audit retention"), key.clone());
    let (stop, told) = watch::channel(false);
    let sealing = tokio::spawn(audit::keep_sealing(context("audit sealer"), key, told));
    worker.run(stopped).await;
    // Last, so that what the last jobs wrote is sealed too, or waits for the next start.
    let _ = stop.send(true);
    if let Err(error) = sealing.await {
        tracing::error!(%error, "the sealer of the audit log panicked");
    }
}
