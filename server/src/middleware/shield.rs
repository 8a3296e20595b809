//! Keeps requests from harming others: a panic becomes a page, a request that another site sent is refused, work goes
//! on when the client leaves but not for ever, and every answer carries the security headers.

use core::time::Duration;
use std::time::Instant;

use app::error::AppError;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use rtv_core::Error;
use tracing::Instrument as _;
use url::Url;

use crate::http::api::{self, problem::Refusal};
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
    let method = request.method().clone();
    let is_api = request.uri().path().starts_with(api::PREFIX);
    // No cookie counts there, so another site's page can send nothing that this browser's owner may do.
    let needs_own_page = !is_api && !is_one_click(request.uri().path());
    let outcome = if needs_own_page && is_foreign(&method, request.headers(), &base) {
        tracing::warn!("a request that changes something came from another site and was refused");
        Err(Error::Foreign)
    } else {
        let limit = (!is_upload(&request)).then_some(state.longest_request);
        run(request, next, limit).await
    };
    let mut response = outcome.unwrap_or_else(|error| {
        if is_api { Refusal::from(error).response(&id) } else { error_page(&state, error, &id, &method) }
    });
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

/// When a request's time is over; in its extensions, for the queries that it makes.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(pub Instant);

/// Answers in a task of its own: the client's leaving does not cancel it in the middle of a transaction. Its time is
/// bounded there too, so that what nobody waits for any more ends as well. Only the head of the answer counts: a stream
/// goes on as long as somebody reads it.
async fn run(mut request: Request, next: Next, limit: Option<Duration>) -> Result<Response, Error> {
    let work = async move {
        let Some(limit) = limit else { return Ok(next.run(request).await) };
        request.extensions_mut().insert(Deadline(Instant::now() + limit));
        tokio::time::timeout(limit, next.run(request)).await.map_err(|_| {
            tracing::error!(seconds = limit.as_secs(), "a request took too long and was stopped");
            Error::Unavailable(format!(
                "This took longer than {} seconds and was stopped. If you were changing something, look whether it was done before you try again.",
                limit.as_secs()
            ))
        })
    };
    tokio::spawn(work.in_current_span()).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request panicked");
        Err(Error::Internal)
    })
}

/// Whether a file is being sent, which takes as long as the line needs. Its route limits its size.
fn is_upload(request: &Request) -> bool {
    request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("multipart/form-data"))
}

/// Whether a mail program asks for no more mails of a kind, which it does without any of our pages (RFC 8058). The token in the address is
/// the whole right to it; no cookie gives any.
fn is_one_click(path: &str) -> bool {
    let token = path.strip_prefix("/shared/").and_then(|rest| rest.strip_suffix("/unsubscribe"));
    token.is_some_and(|token| !token.contains('/'))
}

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

/// The HTTP status of an error.
pub fn status_of(error: &Error) -> StatusCode {
    StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// A sentence under the status of an error, where nobody but developers reads it: in place of a picture.
pub fn error_text(error: &Error) -> Response {
    (status_of(error), error.to_string()).into_response()
}

/// A page around an error that no page of the application answers with, as an answer to a request of that method.
pub fn error_page(state: &AppState, error: Error, request_id: &str, method: &Method) -> Response {
    let status = status_of(&error);
    let retry_after = error.retry_after();
    let error = AppError { error, request_id: request_id.to_owned() };
    let document = {
        let announcement = rtv_domain::maintenance::known(&state.database);
        let announcement = announcement.as_ref().map(app::maintenance::drawn).unwrap_or_default();
        app::shell::error_document(&state.assets, error, *method == Method::GET, announcement)
    };
    let mut response = Body::from(document).into_response();
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
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
    fn only_the_address_that_ends_mails_is_posted_to_without_a_page_of_ours() {
        assert!(is_one_click("/shared/00ff/unsubscribe"));
        for other in [
            "/shared/00ff/leave",
            "/shared/a/b/unsubscribe",
            "/t/acme/unsubscribe",
            "/shared//../x/unsubscribe",
            "/shared",
        ] {
            assert!(!is_one_click(other), "{other}");
        }
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
