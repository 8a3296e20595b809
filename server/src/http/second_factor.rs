//! Forms of `/me/second-factor`. Recovery codes are shown in the answer to the form itself and never stored, not even for the
//! moment between a redirect and the page that follows it.

use app::page::Flash;
use app::second_factor::{CODES, PATH};
use axum::Form;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Redirect, Response};
use rtv_domain::second_factor;
use serde::Deserialize;
use tower_sessions::Session;

use crate::http::flash;
use crate::http::sign_in::with_next;
use crate::router;
use crate::state::AppState;

/// What the forms hold.
#[derive(Debug, Deserialize)]
pub struct FactorForm {
    #[serde(default)]
    act: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

/// Makes a key and leads to the page that shows it.
pub async fn begin(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
    Form(form): Form<FactorForm>,
) -> Response {
    let page = with_next(PATH, &form.next);
    match second_factor::begin(&request.context, &state.vault).await {
        Ok(()) => Redirect::to(&page).into_response(),
        Err(error) => flash::refuse(&state, &request, &session, &page, error, Vec::new()).await,
    }
}

/// Takes the first code, or makes new recovery codes, and shows the codes.
pub async fn show_codes(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
    Form(form): Form<FactorForm>,
) -> Response {
    let page = with_next(PATH, &form.next);
    let ctx = &request.context;
    let (codes, text) = match form.act.as_str() {
        "codes" => (second_factor::renew_codes(ctx).await, "The recovery codes from before no longer work."),
        _ => (
            second_factor::confirm(ctx, &state.vault, &form.code).await,
            "Your second factor is on. Keep the recovery codes before you go on.",
        ),
    };
    match codes {
        Ok(codes) => {
            let flash = Flash { values: vec![(CODES.into(), codes.join(" "))], ..flash::success(text) };
            router::page_in_place(&state, request, &page, flash).await
        }
        Err(error) => flash::refuse(&state, &request, &session, &page, error, Vec::new()).await,
    }
}

/// Removes the second factor.
pub async fn remove(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
) -> Response {
    match second_factor::remove(&request.context, &state.outbox).await {
        Ok(()) => flash::lead_with(&session, flash::success("Your second factor is removed."), PATH).await,
        Err(error) => flash::refuse(&state, &request, &session, PATH, error, Vec::new()).await,
    }
}
