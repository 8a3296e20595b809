//! Forms of `/me/sessions`.

use axum::extract::{Extension, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::Method;
use rtv_core::Error;
use rtv_domain::session;
use tower_sessions::Session;
use uuid::Uuid;

use crate::http::flash;
use crate::middleware::shield::error_page;
use crate::state::AppState;

const PAGE: &str = "/me/sessions";

/// Ends one of one's own sessions.
pub async fn end(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
    Path(id): Path<String>,
) -> Response {
    let outcome = match id.parse::<Uuid>() {
        Ok(id) => session::end(&request.context, id).await,
        // Not an id, so no session: as one that does not exist, for those who may ask at all.
        Err(_) if request.context.person().is_some() => Err(Error::NotFound),
        Err(_) => Err(Error::SignedOut),
    };
    answer(&state, &request, &session, outcome, "The session has ended. It can no longer be used.").await
}

/// Ends all of one's own sessions but this one.
pub async fn end_others(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
) -> Response {
    let outcome = session::end_others(&request.context).await;
    let text = match outcome {
        Ok(0) => "There was no other session.".to_owned(),
        Ok(1) => "The other session has ended.".to_owned(),
        Ok(ended) => format!("{ended} other sessions have ended."),
        Err(_) => String::new(),
    };
    answer(&state, &request, &session, outcome.map(drop), &text).await
}

async fn answer(
    state: &AppState,
    request: &app::request::Request,
    session: &Session,
    outcome: Result<(), Error>,
    text: &str,
) -> Response {
    match outcome {
        Ok(()) => flash::lead_with(session, flash::success(text), PAGE).await,
        Err(Error::SignedOut) => Redirect::to("/sign-in?next=%2Fme%2Fsessions").into_response(),
        Err(error) => error_page(state, error, &request.context.request().id, &Method::POST),
    }
}
