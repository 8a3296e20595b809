//! The form of `/sign-in`, and `/sign-out`.

use axum::Form;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::Method;
use rtv_core::{Error, FieldError};
use rtv_domain::sign_in;
use secrecy::SecretString;
use serde::Deserialize;
use tower_sessions::Session;

use crate::config::Environment;
use crate::http::flash;
use crate::middleware::session_store::hash;
use crate::middleware::shield::error_page;
use crate::state::AppState;

/// What the form holds. The password's type cannot be printed.
#[derive(Deserialize)]
pub struct SignInForm {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: SecretString,
    #[serde(default)]
    next: String,
}

/// Signs in and leads to the page that was asked for; a refusal leads back to the form with what was typed.
pub async fn sign_in(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
    Form(form): Form<SignInForm>,
) -> Response {
    let next = flash::local_path(&form.next);
    match attempt(&state, &request, &session, &form).await {
        Ok(()) => Redirect::to(next.unwrap_or("/")).into_response(),
        Err(error @ (Error::Invalid(_) | Error::Limit { .. })) => {
            let back = match next {
                Some(_) => format!(
                    "/sign-in?next={}",
                    url::form_urlencoded::byte_serialize(form.next.as_bytes()).collect::<String>()
                ),
                None => "/sign-in".into(),
            };
            let typed = form.email.chars().take(254).collect();
            flash::lead_with(&session, flash::refusal(error, vec![("email".into(), typed)]), &back).await
        }
        Err(error) => error_page(&state, error, &request.context.request().id, &Method::POST),
    }
}

async fn attempt(
    state: &AppState,
    request: &app::request::Request,
    session: &Session,
    form: &SignInForm,
) -> Result<(), Error> {
    use secrecy::ExposeSecret as _;
    let mut errors = Vec::new();
    let mut require = |field: &str, is_empty: bool, message: &str| {
        if is_empty {
            errors.push(FieldError { field: field.into(), message: message.into() });
        }
    };
    require("email", form.email.trim().is_empty(), "Enter your work email address.");
    require("password", form.password.expose_secret().is_empty(), "Enter your password.");
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let verified = sign_in::verify(&request.context, &state.passwords, &form.email, &form.password).await?;
    if verified.is_sample() && state.settings.environment == Environment::Production {
        return Err(sign_in::refuse(&request.context, verified, "a person of the demo, on a production server").await);
    }
    // A new token: one from before the sign-in may be known to somebody else.
    session.clear().await;
    session.cycle_id().await.map_err(unavailable)?;
    session.save().await.map_err(unavailable)?;
    let token = session.id().ok_or(Error::Internal)?;
    sign_in::complete(&request.context, verified, hash(token)).await
}

fn unavailable(error: tower_sessions::session::Error) -> Error {
    tracing::error!(%error, "a session could not be stored");
    Error::Unavailable("Signing in is not possible right now. Try again in a moment.".into())
}

/// Ends the session and leads to the sign-in page.
pub async fn sign_out(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
) -> Response {
    if let Some(person) = request.context.person() {
        match rtv_domain::session::end(&request.context, person.session).await {
            // Ended a moment ago from elsewhere: that is what was wanted.
            Ok(()) | Err(Error::NotFound) => {}
            Err(error) => return error_page(&state, error, &request.context.request().id, &Method::POST),
        }
    }
    session.clear().await;
    if let Err(error) = session.cycle_id().await {
        tracing::error!(%error, "the ended session's token could not be exchanged");
    }
    flash::lead_with(&session, flash::success("You are signed out."), "/sign-in").await
}
