//! Gives each request an id, a log span and its metrics. The id is ours: one that the client sends is not believed.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use tracing::Instrument as _;

/// Id of a request, in its extensions.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// The middleware.
pub async fn observe(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = uuid::Uuid::now_v7().simple().to_string();
    let method = request.method().clone();
    // The pattern and not the path: paths are endless, and hold names.
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "(none)".to_owned(), |path| path.as_str().to_owned());
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::info_span!("request", request_id = %id, %method, %route);
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    let elapsed = started.elapsed();
    let labels = [("method", method.to_string()), ("route", route)];
    metrics::histogram!("rtv_http_request_duration_seconds", &labels).record(elapsed.as_secs_f64());
    let [method, route] = labels;
    metrics::counter!("rtv_http_requests_total", &[method, route, ("status", status.to_string())]).increment(1);
    span.in_scope(|| tracing::debug!(status, milliseconds = elapsed.as_millis(), "answered"));
    response
}
