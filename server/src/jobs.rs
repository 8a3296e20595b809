//! The jobs of RTV and the worker that runs them. A job is a small typed value; what it does is one call of the domain.

pub mod audit;
pub mod delivery;
pub mod gate;
pub mod import;
pub mod mail;
pub mod news;
pub mod report;
pub mod sweep;
pub mod zone;

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use rtv_domain::audit::AuditKey;
use rtv_domain::import::Uploads;
use rtv_domain::kill_switch::Ramp;
use rtv_domain::kill_switch::lease::SenderIdentity;
use rtv_domain::mail::Outbox;
use rtv_domain::vault::Vault;
use rtv_domain::{Actor, Clock, Context, Database, RequestInfo, WorkKind};
use rtv_jobs::{DbError, Worker, WorkerDb, WorkerSettings};
use rtv_outbound::gate::Gate;
use rtv_outbound::halt_folder::HaltFolder;
use rtv_outbound::mail::Mailer;
use rtv_platforms::Adapters;
use tokio::sync::watch;

use crate::audit_key;
use crate::config;
use crate::jobs::delivery::Pace;
use crate::press::Press;
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
    run(Equipment::of(&state), stopped).await;
}

/// Looks at kill switches beside a server that does not work, and writes down what happened to them, until told to stop.
pub async fn observe(state: AppState, stopped: impl Future<Output = ()> + Send) {
    let (stop, told) = watch::channel(false);
    let (tell, newest) = watch::channel(None);
    let recorder = gate::Recorder {
        database: state.database.clone(),
        clock: state.clock,
        outbox: state.outbox.clone(),
        ramp: state.settings.ramp(),
        sending: None,
    };
    let observing = tokio::spawn(gate::observe(state.database, state.clock, tell, told.clone()));
    let recording = tokio::spawn(recorder.run(newest, told));
    stopped.await;
    let _ = stop.send(true);
    finish("the observer of kill switches", observing).await;
    finish("the recorder of kill switches", recording).await;
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

/// What a worker works with.
pub struct Equipment {
    /// The serving role's pool.
    pub database: Database,
    /// The clock.
    pub clock: Clock,
    /// Where uploaded files lie.
    pub uploads: Uploads,
    /// Makes files of reports.
    pub press: Press,
    /// Hands mail over.
    pub mail: MailRoom,
    /// Signs the audit log.
    pub key: Arc<AuditKey>,
    /// What everything that is sent passes.
    pub gate: Gate,
    /// The platforms, through that gate.
    pub adapters: Adapters,
    /// How fast deliveries are sent.
    pub pace: Pace,
    /// How sending begins again after a release.
    pub ramp: Ramp,
}

impl Equipment {
    /// That of a server.
    pub fn of(state: &AppState) -> Self {
        // The settings were checked when the server started.
        let mailer = state.settings.mailer().ok().flatten();
        Self {
            database: state.database.clone(),
            clock: state.clock,
            uploads: state.uploads.clone(),
            press: state.press(),
            mail: MailRoom { vault: state.vault.clone(), mailer, outbox: state.outbox.clone() },
            key: Arc::clone(&state.audit_key),
            gate: state.gate.clone(),
            adapters: state.adapters.clone(),
            pace: state.settings.pace(),
            ramp: state.settings.ramp(),
        }
    }

    /// That of a worker alone, as the settings say.
    pub fn open(settings: &config::Settings, database: Database) -> anyhow::Result<Self> {
        let gate = open_gate(settings)?;
        Ok(Self {
            database,
            clock: settings.clock(),
            uploads: settings.uploads(),
            press: Press {
                renderer: Arc::new(rtv_charts::Renderer::start(rtv_charts::ECHARTS_SOURCE)?),
                files: settings.report_files(),
                fonts: settings.report_fonts()?,
                base: settings.base_url().as_str().trim_end_matches('/').to_owned(),
            },
            mail: MailRoom::open(settings)?,
            key: Arc::new(audit_key::load_or_create(&settings.audit_key_file())?),
            adapters: settings.adapters(gate.clone())?,
            gate,
            pace: settings.pace(),
            ramp: settings.ramp(),
        })
    }
}

/// The gate of this process. It is closed until somebody keeps it.
pub fn open_gate(settings: &config::Settings) -> anyhow::Result<Gate> {
    let folder = HaltFolder::open(settings.halt_folder()).map_err(|why| {
        anyhow::anyhow!("the folder of files that halt cannot be trusted: {why}. Only RTV’s own user may write there.")
    })?;
    Ok(Gate::new(folder))
}

/// Works until told to stop.
pub async fn run(equipment: Equipment, stopped: impl Future<Output = ()> + Send) {
    let Equipment { database, clock, uploads, press, mail, key, gate, adapters, pace, ramp } = equipment;
    let context = |work| Context::new(database.clone(), clock, RequestInfo::default(), Actor::System(work));
    let sender = SenderIdentity::new(&format!("{} {}", config::operator(), std::process::id()));
    let sending = delivery::Sending {
        context: context("delivery"),
        sender: sender.clone(),
        adapters,
        vault: mail.vault.clone(),
        outbox: mail.outbox.clone(),
        pace,
    };
    let queue = QueueDatabase { database: database.clone(), context: context("queue") };
    let worker = Worker::new(queue, &config::operator(), WorkerSettings::default());
    let worker = sweep::register(worker, context("sweep"), uploads.clone(), press.files.clone(), mail.outbox.clone());
    let worker = self::report::register(worker, context("report"), press, mail.outbox.clone(), mail.mailer.clone());
    let worker = match mail.mailer {
        Some(mailer) => self::mail::register(worker, context("mail"), mail.vault, mailer),
        None => worker,
    };
    let worker = import::register(worker, context("import"), uploads);
    let worker = zone::register(worker, context("time zone"));
    let worker = news::register(worker, context("news"), mail.outbox.clone());
    let worker = audit::register(worker, context("audit retention"), key.clone());
    let worker = self::gate::register(worker, context("daily drill"));
    let (stop, told) = watch::channel(false);
    let (tell, newest) = watch::channel(None);
    let recorder = self::gate::Recorder {
        database: database.clone(),
        clock,
        outbox: mail.outbox,
        ramp,
        sending: Some((gate.clone(), sender.clone())),
    };
    let keeping = tokio::task::spawn_blocking({
        let (database, told) = (database.clone(), told.clone());
        move || self::gate::keep_apart(database, clock, gate, sender, tell, told)
    });
    let recording = tokio::spawn(recorder.run(newest, told.clone()));
    let sealing = tokio::spawn(audit::keep_sealing(context("audit sealer"), key, told));
    let (stop_sending, told_to_stop_sending) = watch::channel(false);
    let sending = tokio::spawn(delivery::keep_sending(sending, told_to_stop_sending));
    worker
        .run(async move {
            stopped.await;
            let _ = stop_sending.send(true);
        })
        .await;
    // What was begun comes to its end while the gate is still kept.
    finish("the sender of deliveries", sending).await;
    // Last, so that what the last jobs wrote is sealed too, or waits for the next start.
    let _ = stop.send(true);
    finish("the keeper of the gate", keeping).await;
    finish("the recorder of kill switches", recording).await;
    finish("the sealer of the audit log", sealing).await;
}

async fn finish(name: &str, task: tokio::task::JoinHandle<()>) {
    if let Err(error) = task.await {
        tracing::error!(%error, name, "a part of the worker panicked");
    }
}
