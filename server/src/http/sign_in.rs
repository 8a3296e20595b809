//! The forms of `/sign-in` and `/sign-in/code`, and `/sign-out`.

use app::page::Flash;
use axum::Form;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::Method;
use rtv_core::{Error, FieldError};
use rtv_domain::sign_in;
use secrecy::SecretString;
use serde::Deserialize;
use tower_sessions::Session;
use tower_sessions::session::Id;

use crate::config::Environment;
use crate::http::flash;
use crate::middleware::session_store::hash;
use crate::middleware::shield::{error_page, status_of};
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
    match attempt(&state, &request, &form).await {
        Ok(verified) => proceed(&state, &request, &session, verified, &form.next, "/").await,
        Err(error @ (Error::Invalid(_) | Error::Limit { .. })) => {
            let typed = vec![("email".to_owned(), form.email)];
            let page = with_next("/sign-in", &form.next);
            if matches!(error, Error::Limit { .. }) {
                return flash::refuse_in_place(&state, request, &page, status_of(&error), error, typed).await;
            }
            flash::lead_with(&session, flash::refusal(error, typed), &page).await
        }
        Err(error) => error_page(&state, error, &request.context.request().id, &Method::POST),
    }
}

/// One of our pages, with the way on that was asked for.
pub(super) fn with_next(page: &str, next: &str) -> String {
    match flash::local_path(next) {
        Some(next) => {
            let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
            format!("{page}?next={next}")
        }
        None => page.into(),
    }
}

async fn attempt(
    state: &AppState,
    request: &app::request::Request,
    form: &SignInForm,
) -> Result<sign_in::Verified, Error> {
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
    Ok(verified)
}

/// After a proof: lets the person in and leads on, or asks for the code that is still owed. Either way the browser has a new
/// token; one from before may be known to somebody else.
pub(super) async fn proceed(
    state: &AppState,
    request: &app::request::Request,
    session: &Session,
    verified: sign_in::Verified,
    next: &str,
    otherwise: &str,
) -> Response {
    let owes_code = verified.needs_code();
    let outcome = async {
        let token = new_token(session).await?;
        if owes_code {
            sign_in::await_code(&request.context, verified, hash(token)).await
        } else {
            sign_in::complete(&request.context, verified, hash(token)).await
        }
    };
    match outcome.await {
        Ok(()) if owes_code => Redirect::to(&with_next(app::sign_in::CODE_PATH, next)).into_response(),
        Ok(()) => Redirect::to(flash::local_path(next).unwrap_or(otherwise)).into_response(),
        Err(error) => error_page(state, error, &request.context.request().id, &Method::POST),
    }
}

/// A new, stored session of nobody in place of the browser's.
pub(super) async fn new_token(session: &Session) -> Result<Id, Error> {
    session.clear().await;
    session.cycle_id().await.map_err(unavailable)?;
    session.save().await.map_err(unavailable)?;
    session.id().ok_or(Error::Internal)
}

fn unavailable(error: tower_sessions::session::Error) -> Error {
    tracing::error!(%error, "a session could not be stored");
    Error::Unavailable("Signing in is not possible right now. Try again in a moment.".into())
}

/// What the form of the second step holds.
#[derive(Debug, Deserialize)]
pub struct CodeForm {
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

/// Takes the code and lets the person in. Who has given no password, or too long ago, begins again.
pub async fn code(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
    Form(form): Form<CodeForm>,
) -> Response {
    let waiting = session.id().map(hash);
    match sign_in::verify_code(&request.context, &state.vault, waiting, &form.code).await {
        Ok(verified) => proceed(&state, &request, &session, verified, &form.next, "/").await,
        Err(Error::SignedOut) => {
            let text = "Begin with your password: the code is asked for within ten minutes after it.";
            let flash = Flash { text: Some(text.into()), ..Flash::default() };
            flash::lead_with(&session, flash, &with_next("/sign-in", &form.next)).await
        }
        Err(error @ Error::Limit { .. }) => {
            let page = with_next(app::sign_in::CODE_PATH, &form.next);
            flash::refuse_in_place(&state, request, &page, status_of(&error), error, Vec::new()).await
        }
        Err(error @ Error::Invalid(_)) => {
            let page = with_next(app::sign_in::CODE_PATH, &form.next);
            flash::lead_with(&session, flash::refusal(error, Vec::new()), &page).await
        }
        Err(error) => error_page(&state, error, &request.context.request().id, &Method::POST),
    }
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
