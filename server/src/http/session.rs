//! Forms of `/me/sessions`.

use axum::extract::{Extension, Path, State};
use axum::response::Response;
use rtv_core::Error;
use rtv_domain::session;
use tower_sessions::Session;
use uuid::Uuid;

use crate::http::flash;
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
    let outcome = outcome.map(|()| "The session has ended. It can no longer be used.".to_owned());
    flash::answer(&state, &request, &session, (PAGE, PAGE), outcome, Vec::new()).await
}

/// Ends all of one's own sessions but this one.
pub async fn end_others(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
) -> Response {
    let outcome = session::end_others(&request.context).await.map(|ended| match ended {
        0 => "There was no other session.".to_owned(),
        1 => "The other session has ended.".to_owned(),
        ended => format!("{ended} other sessions have ended."),
    });
    flash::answer(&state, &request, &session, (PAGE, PAGE), outcome, Vec::new()).await
}
