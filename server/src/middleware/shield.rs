//! Keeps requests from harming others: a panic becomes a page, a request that another site sent is refused, work goes
//! on when the client leaves, and every answer carries the security headers.

use app::error::AppError;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use tracing::Instrument as _;
use url::Url;

use crate::middleware::observe::RequestId;
use crate::state::AppState;

/// Policy of answers that are no page of the application: they load nothing.
const BARE_POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Headers of every answer that does not set them itself.
const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    // `no-referrer` would break forms that lead back to where they came from.
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=()"),
    ),
];

/// Policy of a page: scripts that carry the nonce, and what they load; the browser's program; nothing from elsewhere.
pub fn page_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; \
         form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
    )
}

/// The middleware.
pub async fn shield(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let base = state.settings.base_url();
    let mut response = if is_foreign(request.method(), request.headers(), &base) {
        tracing::warn!("a request that changes something came from another site and was refused");
        error_page(&state, StatusCode::FORBIDDEN, rtv_core::Error::Conflict(FOREIGN.into()), &id)
    } else {
        // A task of its own: the client's leaving does not cancel it in the middle of a transaction.
        match tokio::spawn(next.run(request).in_current_span()).await {
            Ok(response) => response,
            Err(error) => {
                tracing::error!(%error, "a request panicked");
                error_page(&state, StatusCode::INTERNAL_SERVER_ERROR, rtv_core::Error::Internal, &id)
            }
        }
    };
    let is_secure = base.scheme() == "https";
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(value);
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(BARE_POLICY));
    if is_secure {
        headers
            .insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    }
    // What a person sees must not stay in a shared browser; files with a hash in their address say otherwise themselves.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

const FOREIGN: &str = "This form was sent from another site, or the browser did not say from where. Nothing was changed. Open RTV itself and try again.";

/// Whether a request that may change something lacks the proof that one of our own pages sent it. Browsers send
/// `Sec-Fetch-Site`; where it is missing the `Origin` must be exactly ours; a request with neither is refused.
fn is_foreign(method: &Method, headers: &HeaderMap, base: &Url) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return false;
    }
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    match text(HeaderName::from_static("sec-fetch-site")) {
        Some("same-origin") => false,
        Some(_) => true,
        None => text(header::ORIGIN).is_none_or(|origin| origin != base.origin().ascii_serialization()),
    }
}

/// A page around an error that no page of the application answers with.
pub fn error_page(state: &AppState, status: StatusCode, error: rtv_core::Error, request_id: &str) -> Response {
    let document = app::shell::error_document(&state.assets, AppError { error, request_id: request_id.to_owned() });
    let mut response = Body::from(document).into_response();
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: &Method, headers: &[(&'static str, &'static str)], foreign: bool) {
        let base = Url::parse("https://rtv.example").unwrap();
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        assert_eq!(is_foreign(method, &headers, &base), foreign, "{method} {headers:?}");
    }

    #[test]
    fn only_our_own_pages_may_change_something() {
        check(&Method::GET, &[("sec-fetch-site", "cross-site")], false);
        check(&Method::POST, &[("sec-fetch-site", "same-origin")], false);
        check(&Method::POST, &[("sec-fetch-site", "same-site")], true);
        check(&Method::POST, &[("sec-fetch-site", "cross-site")], true);
        check(&Method::POST, &[("sec-fetch-site", "none")], true);
        check(&Method::POST, &[("sec-fetch-site", "cross-site"), ("origin", "https://rtv.example")], true);
        check(&Method::POST, &[("origin", "https://rtv.example")], false);
        check(&Method::POST, &[("origin", "https://rtv.example.evil.example")], true);
        check(&Method::POST, &[("origin", "http://rtv.example")], true);
        check(&Method::POST, &[("origin", "null")], true);
        check(&Method::POST, &[], true);
        check(&Method::DELETE, &[], true);
    }
}
