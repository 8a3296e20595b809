//! Forms of `/me`: the person's name and password.

use axum::Form;
use axum::extract::{Extension, State};
use axum::response::Response;
use rtv_domain::{profile, sign_in};
use secrecy::SecretString;
use serde::Deserialize;
use tower_sessions::Session;

use crate::http::flash;
use crate::http::sign_in::new_token;
use crate::middleware::session_store::hash;
use crate::state::AppState;

const PAGE: &str = app::profile::PATH;

/// What the form of the name holds.
#[derive(Debug, Deserialize)]
pub struct NameForm {
    #[serde(default)]
    name: String,
}

/// Changes the name.
pub async fn rename(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
    Form(form): Form<NameForm>,
) -> Response {
    match profile::rename(&request.context, &form.name).await {
        Ok(name) => flash::lead_with(&session, flash::success(format!("Your name is {name}.")), PAGE).await,
        Err(error) => {
            let values = vec![("name".into(), form.name.chars().take(200).collect())];
            flash::refuse(&state, &request, &session, PAGE, error, values).await
        }
    }
}

/// What the form of the password holds. Neither can be printed.
#[derive(Deserialize)]
pub struct PasswordForm {
    #[serde(default)]
    old_password: SecretString,
    #[serde(default)]
    password: SecretString,
}

/// Changes the password, ends all other sessions and gives this browser a new token.
pub async fn change_password(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
    Form(form): Form<PasswordForm>,
) -> Response {
    let ctx = &request.context;
    let outcome = async {
        let (old, new) = (&form.old_password, &form.password);
        let verified = profile::change_password(ctx, &state.outbox, &state.passwords, old, new).await?;
        let token = new_token(&session).await?;
        sign_in::complete(ctx, verified, hash(token)).await
    };
    match outcome.await {
        Ok(()) => {
            let text = "Your password is changed. All your other sessions have ended.";
            flash::lead_with(&session, flash::success(text), PAGE).await
        }
        Err(error) => flash::refuse(&state, &request, &session, PAGE, error, Vec::new()).await,
    }
}
