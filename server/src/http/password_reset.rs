//! Forms of `/reset` and `/reset/{token}`.

use app::page::Flash;
use axum::Form;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use rtv_core::Error;
use rtv_domain::password_reset;
use secrecy::SecretString;
use serde::Deserialize;
use tower_sessions::Session;

use crate::http::{flash, sign_in};
use crate::router;
use crate::state::AppState;

/// What the form holds that asks for a link.
#[derive(Debug, Deserialize)]
pub struct AskForm {
    #[serde(default)]
    email: String,
}

/// Writes a mail with a link, if the address has an account; says the same if not.
pub async fn ask(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
    Form(form): Form<AskForm>,
) -> Response {
    let page = app::password_reset::PATH;
    match password_reset::ask(&request.context, &state.outbox, &form.email).await {
        Ok(()) => {
            let text = "If this address has an account, a mail with a link is on its way. The link holds for an hour.";
            flash::lead_with(&session, flash::success(text), page).await
        }
        Err(error) => {
            let values = vec![("email".into(), form.email.chars().take(254).collect())];
            flash::refuse(&state, &request, &session, page, error, values).await
        }
    }
}

/// What the form holds that sets a password.
#[derive(Deserialize)]
pub struct SetForm {
    #[serde(default)]
    password: SecretString,
}

/// Sets the password and signs in; where there is a second factor, its code is asked for.
pub async fn set(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
    Path(token): Path<String>,
    Form(form): Form<SetForm>,
) -> Response {
    let ctx = &request.context;
    match password_reset::complete(ctx, &state.outbox, &state.passwords, &token, &form.password).await {
        Ok(verified)
            if verified.is_sample() && state.settings.environment == crate::config::Environment::Production =>
        {
            let error =
                rtv_domain::sign_in::refuse(ctx, verified, "a person of the demo, on a production server").await;
            flash::refuse(&state, &request, &session, "/sign-in", error, Vec::new()).await
        }
        Ok(verified) => sign_in::proceed(&state, &request, &session, verified, "", "/").await,
        // The page of the link says it, in the same words for each of them.
        Err(Error::NotFound) => router::page_in_place(&state, request, "/reset/-", Flash::default()).await,
        Err(error) => {
            let page = format!("/reset/{token}");
            flash::refuse(&state, &request, &session, &page, error, Vec::new()).await
        }
    }
}
