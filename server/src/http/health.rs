//! Probes: whether the program runs, and whether it can do its work.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use rtv_domain::kill_switch::lease;
use rtv_domain::{Actor, RequestInfo, maintenance};
use serde_json::{Value, json};

use crate::state::AppState;

/// The program answers.
pub async fn live() -> Json<Value> {
    Json(json!({ "status": "ready", "version": env!("CARGO_PKG_VERSION") }))
}

/// Everything that requests need answers: 200, or 503 with what does not. During maintenance RTV is degraded and not down:
/// everything can be read, so whoever routes requests goes on sending them.
pub async fn ready(State(state): State<AppState>) -> (StatusCode, Json<Value>) {
    let database = match tokio::time::timeout(core::time::Duration::from_secs(2), state.database.ping()).await {
        Ok(Ok(elapsed)) => json!({ "status": "ready", "ms": elapsed.as_millis() }),
        Ok(Err(_)) | Err(_) => json!({ "status": "down" }),
    };
    let migrations = match rtv_domain::schema::refuse_other_version(&state.database).await {
        Ok(()) => json!({ "status": "ready" }),
        Err(error) => json!({ "status": "down", "reason": error.to_string() }),
    };
    let is_ready = [&database, &migrations].iter().all(|check| check["status"] == "ready");
    let announced = if is_ready {
        maintenance::current(&state.context(Actor::Anonymous, RequestInfo::default())).await.unwrap_or_default()
    } else {
        None
    };
    let switches = if is_ready { switches(&state).await } else { json!({ "status": "down" }) };
    let is_degraded = announced.is_some() || switches["status"] != "ready";
    let maintenance = announced.map_or_else(
        || json!({ "status": "ready" }),
        |on| json!({ "status": "degraded", "reason": on.reason, "expected_until": on.expected_until }),
    );
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "status": match (is_ready, is_degraded) {
            (false, _) => "down",
            (true, true) => "degraded",
            (true, false) => "ready",
        },
        "version": env!("CARGO_PKG_VERSION"),
        "checks": { "database": database, "migrations": migrations, "maintenance": maintenance, "switches": switches },
    });
    (status, Json(body))
}

/// Whether the kill switches can be read and, where this process sends, whether its gate may go by what it has read. Neither keeps
/// pages from being served, so they make it degraded; nothing is sent in the meantime.
async fn switches(state: &AppState) -> Value {
    let context = state.context(Actor::System("readiness"), RequestInfo::default());
    let looked = tokio::time::timeout(core::time::Duration::from_secs(2), lease::look(&context)).await;
    let Ok(Ok((reading, elapsed))) = looked else {
        return json!({ "status": "down", "reason": "the kill switches cannot be read" });
    };
    // It has had a copy once, so it keeps the gate.
    if state.gate.epoch().is_some() && state.gate.lease_left().is_none() {
        return json!({ "status": "degraded", "reason": "the lease has lapsed; nothing is sent" });
    }
    json!({ "status": "ready", "ms": elapsed.as_millis(), "engaged": reading.engaged.len() })
}
