//! Starting and stopping the server: everything that can be wrong is found before the first request, and a stop lets
//! requests finish and gives jobs back.

use core::time::Duration;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use app::request::Assets;
use leptos::config::LeptosOptions;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use moka::future::Cache;
use rtv_charts::Renderer;
use rtv_domain::password::Passwords;
use rtv_domain::{Database, PoolSettings};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::config::Settings;
use crate::networks::Platforms;
use crate::state::AppState;
use crate::{audit_key, jobs, router};

/// How long requests may go on after the program was told to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(20);

/// How long a request may take: no page needs a tenth of it, and a person waits no longer.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);

/// Serves until the program is told to stop.
pub async fn serve(settings: Settings, with_worker: bool) -> anyhow::Result<()> {
    settings.check()?;
    let started = std::time::Instant::now();
    // Before anything that takes time: a taken port is the commonest mistake.
    let listener = TcpListener::bind(settings.addr).await.with_context(|| {
        format!(
            "{} cannot be listened on; is RTV running already? Stop it, or choose another address with --addr",
            settings.addr
        )
    })?;
    let databases = tokio::task::spawn_blocking({
        let settings = settings.clone();
        move || settings.databases()
    })
    .await??;
    let database = databases.open(PoolSettings { ready: 4, ..PoolSettings::default() }).await?;
    let state = state(settings.clone(), database.clone())?;

    let (stop, stopped) = watch::channel(false);
    let signal = stop_signal();
    tokio::spawn(async move {
        signal.await;
        tracing::info!("stopping: requests finish, jobs are given back");
        let _ = stop.send(true);
    });
    let worker = if with_worker {
        tokio::spawn(jobs::work(state.clone(), wait(stopped.clone())))
    } else {
        tokio::spawn(jobs::observe(state.clone(), wait(stopped.clone())))
    };
    let metrics = match settings.metrics_addr {
        Some(address) => {
            let listener = TcpListener::bind(address).await.with_context(|| {
                format!("{address} cannot be listened on for metrics; choose another with RTV_METRICS_ADDR")
            })?;
            let router = router::metrics(state.clone());
            Some(tokio::spawn(
                axum::serve(listener, router).with_graceful_shutdown(wait(stopped.clone())).into_future(),
            ))
        }
        None => None,
    };

    let address = listener.local_addr()?;
    tracing::info!(%address, milliseconds = started.elapsed().as_millis(), "serving on {}", settings.base_url());
    eprintln!("RTV serves on {} (Ctrl-C stops it)", settings.base_url());
    let service = router::build(&state).into_make_service_with_connect_info::<core::net::SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(wait(stopped.clone()));
    tokio::select! {
        outcome = serving.into_future() => outcome.context("the server failed")?,
        () = async { wait(stopped).await; tokio::time::sleep(LAST_REQUESTS).await } => {
            tracing::warn!("some requests did not finish in time and are cut off");
        }
    }
    worker.await.context("the worker failed")?;
    if let Some(metrics) = metrics {
        metrics.abort();
    }
    database.close().await;
    if let Some(cluster) = databases.cluster {
        tokio::task::spawn_blocking(move || cluster.stop()).await??;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Works without serving, until the program is told to stop.
pub async fn work(settings: Settings) -> anyhow::Result<()> {
    settings.check()?;
    let databases = tokio::task::spawn_blocking({
        let settings = settings.clone();
        move || settings.databases()
    })
    .await??;
    let database = databases.open(PoolSettings { connections: 8, ..PoolSettings::default() }).await?;
    let signal = stop_signal();
    eprintln!("RTV works (Ctrl-C stops it)");
    jobs::run(jobs::Equipment::open(&settings, database.clone())?, signal).await;
    database.close().await;
    if let Some(cluster) = databases.cluster {
        tokio::task::spawn_blocking(move || cluster.stop()).await??;
    }
    Ok(())
}

/// Everything that requests share.
pub fn state(settings: Settings, database: Database) -> anyhow::Result<AppState> {
    let site = settings.site()?;
    let assets = read_assets(&site)?;
    let vault = settings.vault()?;
    let gate = jobs::open_gate(&settings)?;
    let adapters = settings.adapters(gate.clone())?;
    let leptos = LeptosOptions::builder()
        .output_name("rtv")
        .site_root(site.to_string_lossy().into_owned())
        .site_addr(settings.addr)
        .build();
    Ok(AppState {
        clock: settings.clock(),
        passwords: Passwords::prepare()?,
        renderer: Arc::new(
            Renderer::start(rtv_charts::ECHARTS_SOURCE).context("the thread that draws charts cannot be started")?,
        ),
        // A picture is some 10 to 30 KB: at most about 30 MB.
        pictures: Cache::builder().max_capacity(1_000).time_to_live(Duration::from_hours(1)).build(),
        longest_request: LONGEST_REQUEST,
        assets: Arc::new(assets),
        uploads: settings.uploads(),
        files: settings.report_files(),
        report_fonts: settings.report_fonts()?,
        audit_key: Arc::new(audit_key::load_or_create(&settings.audit_key_file())?),
        outbox: settings.outbox(vault.clone()),
        gate,
        networks: Arc::new(Platforms(adapters.clone())),
        adapters,
        vault,
        leptos,
        metrics: recorder()?,
        settings: Arc::new(settings),
        database,
    })
}

fn read_assets(site: &Path) -> anyhow::Result<Assets> {
    let list = site.join("assets.json");
    let text = std::fs::read_to_string(&list).with_context(|| {
        format!(
            "the browser’s files are not in {}; run: make build, or name their folder with RTV_SITE",
            site.display()
        )
    })?;
    serde_json::from_str(&text).with_context(|| format!("{} cannot be read; run: make build", list.display()))
}

/// Buckets of request times.
const SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The recorder of metrics is one for the whole process; tests build several states in one.
fn recorder() -> anyhow::Result<PrometheusHandle> {
    static HANDLE: std::sync::OnceLock<PrometheusHandle> = std::sync::OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full("rtv_http_request_duration_seconds".into()), SECONDS)?
        .build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_ok() {
        metrics::describe_counter!("rtv_http_requests_total", "Requests by method, route and status.");
        metrics::describe_histogram!(
            "rtv_http_request_duration_seconds",
            "Time to the end of the answer's head, by method and route."
        );
        metrics::describe_gauge!("rtv_db_pool_connections", "Connections of the serving role's pool by state.");
        metrics::describe_counter!("rtv_jobs_total", "Jobs by kind and outcome.");
        metrics::describe_counter!(
            "rtv_deliveries_total",
            "Attempts to send deliveries, and what reading back told of them, by platform and outcome."
        );
        metrics::describe_counter!("rtv_sign_ins_total", "Attempts to sign in by outcome.");
        metrics::describe_gauge!("rtv_switch_engaged", "Engaged kill switches by what they are about.");
        metrics::describe_gauge!(
            "rtv_gate_lease_age_seconds",
            "Since when the kill switches that this process goes by are read."
        );
        metrics::describe_counter!("rtv_audit_sealed_total", "Events of audit logs that were sealed.");
        metrics::describe_counter!("rtv_audit_heads_total", "Heads of audit logs that were signed.");
        metrics::describe_gauge!("rtv_audit_unsealed_events", "Events of audit logs that wait to be sealed.");
        metrics::describe_gauge!(
            "rtv_audit_seal_lag_seconds",
            "Age of the oldest event that waits to be sealed, as the sealer found it."
        );
    }
    Ok(HANDLE.get_or_init(|| handle).clone())
}

async fn wait(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which happens only at the end.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Ctrl-C or a polite request to end. Listens from the call on and not from the first poll: whoever was told that RTV
/// runs may ask it to stop.
pub(crate) fn stop_signal() -> impl Future<Output = ()> + Send + 'static {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).expect("a process may listen to its own signals");
    let mut terminate = signal(SignalKind::terminate()).expect("a process may listen to its own signals");
    async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
