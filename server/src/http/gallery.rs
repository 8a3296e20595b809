//! The gallery of components, for staff. To everybody else its addresses are like any that nobody serves.

use app::gallery::{Shown, chart, document};
use axum::body::Body;
use axum::extract::{Extension, Query, Request, State};
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, header};
use rtv_charts::Theme;

use crate::http::chart::{NARROW, WIDE, draw};
use crate::middleware::shield::error_page;
use crate::router;
use crate::state::AppState;

/// A page of it.
pub async fn page(
    State(state): State<AppState>,
    Extension(asked): Extension<app::request::Request>,
    Query(pairs): Query<Vec<(String, String)>>,
    request: Request<Body>,
) -> Response {
    match rtv_domain::access::staff(&asked.context) {
        Ok(person) => {
            Html(document(&state.assets, &person.name, person.email.as_str(), Shown::parse(&pairs))).into_response()
        }
        Err(_) => router::page(State(state), request).await,
    }
}

/// The picture of its chart.
pub async fn picture(
    State(state): State<AppState>,
    Extension(asked): Extension<app::request::Request>,
    Query(pairs): Query<Vec<(String, String)>>,
    request: Request<Body>,
) -> Response {
    if rtv_domain::access::staff(&asked.context).is_err() {
        return router::page(State(state), request).await;
    }
    let has = |name: &str, value: &str| pairs.iter().any(|(key, given)| key == name && given == value);
    let theme = if has("theme", "dark") { Theme::Dark } else { Theme::Light };
    let size = if has("size", "narrow") { NARROW } else { WIDE };
    match draw(&state, chart(theme), size).await {
        Ok(svg) => {
            let mut response = svg.as_bytes().to_vec().into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml"));
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(rtv_charts::PICTURE_CSP));
            response
        }
        Err(error) => error_page(&state, error, &asked.context.request().id, request.method()),
    }
}
