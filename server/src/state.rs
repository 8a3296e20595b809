//! What every request needs and is made once.

use core::time::Duration;
use std::sync::Arc;

use app::request::Assets;
use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use metrics_exporter_prometheus::PrometheusHandle;
use moka::future::Cache;
use rtv_charts::Renderer;
use rtv_domain::account::Networks;
use rtv_domain::audit::AuditKey;
use rtv_domain::import::Uploads;
use rtv_domain::mail::Outbox;
use rtv_domain::password::Passwords;
use rtv_domain::report::Files;
use rtv_domain::vault::Vault;
use rtv_domain::{Actor, Clock, Context, Database, RequestInfo};
use rtv_outbound::gate::Gate;
use rtv_platforms::Adapters;

use crate::config::Settings;
use crate::press::Press;

/// Shared by all requests; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// Settings of this program.
    pub settings: Arc<Settings>,
    /// The serving role's pool.
    pub database: Database,
    /// The clock.
    pub clock: Clock,
    /// Password checks.
    pub passwords: Passwords,
    /// Draws charts.
    pub renderer: Arc<Renderer>,
    /// Drawn charts by their option and size.
    pub pictures: Cache<String, Arc<str>>,
    /// How long a request may take until the head of its answer; uploads are excepted.
    pub longest_request: Duration,
    /// Addresses of the browser's files.
    pub assets: Arc<Assets>,
    /// Seals secrets.
    pub vault: Vault,
    /// Where mail is written to.
    pub outbox: Outbox,
    /// What everything that is sent passes. It is closed unless this process has a worker.
    pub gate: Gate,
    /// The platforms, through that gate.
    pub adapters: Adapters,
    /// The platforms as connecting an account asks them.
    pub networks: Arc<dyn Networks>,
    /// Where uploaded files lie.
    pub uploads: Uploads,
    /// Where files of reports lie.
    pub files: Files,
    /// Fonts for PDFs that the operator names.
    pub report_fonts: Arc<[Vec<u8>]>,
    /// Signs the audit log and what is taken out of it.
    pub audit_key: Arc<AuditKey>,
    /// What Leptos needs.
    pub leptos: LeptosOptions,
    /// Renders the metrics.
    pub metrics: PrometheusHandle,
}

impl AppState {
    /// A context of an actor, for what no request asked for.
    pub fn context(&self, actor: Actor, request: RequestInfo) -> Context {
        Context::new(self.database.clone(), self.clock, request, actor)
    }
}

impl AppState {
    /// What makes files of reports.
    pub fn press(&self) -> Press {
        let base = self.settings.base_url().as_str().trim_end_matches('/').to_owned();
        Press { renderer: self.renderer.clone(), files: self.files.clone(), fonts: self.report_fonts.clone(), base }
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}
