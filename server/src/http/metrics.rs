//! Prometheus text.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

use crate::state::AppState;

/// All metrics of this process.
pub async fn metrics(State(state): State<AppState>) -> Response {
    let (open, idle) = state.database.connections();
    metrics::gauge!("rtv_db_pool_connections", "state" => "idle")
        .set(f64::from(u32::try_from(idle).unwrap_or(u32::MAX)));
    let used = open.saturating_sub(u32::try_from(idle).unwrap_or(u32::MAX));
    metrics::gauge!("rtv_db_pool_connections", "state" => "used").set(f64::from(used));
    // A process that does not send has no lease, and no age of one.
    if let Some(age) = state.gate.lease_age() {
        metrics::gauge!("rtv_gate_lease_age_seconds").set(age.as_secs_f64());
    }
    let mut response = state.metrics.render().into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    response
}
