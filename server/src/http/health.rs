//! Probes: whether the program runs, and whether it can do its work.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
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
    let is_degraded = announced.is_some();
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
        "checks": { "database": database, "migrations": migrations, "maintenance": maintenance },
    });
    (status, Json(body))
}
