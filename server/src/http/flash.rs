//! Post, redirect, get: a form answers with a message in the session and leads to the page that shows it.

use app::page::Flash;
pub use app::request::local_path;
use axum::Json;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http::{Method, StatusCode, header};
use rtv_core::Error;
use serde_json::json;
use tower_sessions::Session;

use crate::http::form::Pairs;
use crate::middleware::identify::FLASH;
use crate::middleware::shield::error_page;
use crate::router::page_in_place;
use crate::state::AppState;

/// Leaves a message and leads on. A message that cannot be stored is lost, not the act.
pub async fn lead_with(session: &Session, flash: Flash, to: &str) -> Response {
    if let Err(error) = session.insert(FLASH, flash).await {
        tracing::error!(%error, "a message for the next page could not be stored");
    }
    Redirect::to(to).into_response()
}

/// Tells a script that sends a form itself where the answer leads, instead of leading it there: it reads the page by other means. The
/// message waits for that page as it does for a browser.
pub async fn tell_script(request: Request, next: Next) -> Response {
    let accept = request.headers().get(header::ACCEPT);
    if accept.is_none_or(|accept| accept != "application/json") {
        return next.run(request).await;
    }
    let session = request.extensions().get::<Session>().cloned();
    let response = next.run(request).await;
    if response.status() != StatusCode::SEE_OTHER {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    let to = parts.headers.remove(header::LOCATION);
    let to = to.as_ref().and_then(|to| to.to_str().ok()).unwrap_or("/");
    if let Some(session) = session
        && let Ok(Some(flash)) = session.get::<Flash>(FLASH).await
    {
        let in_place = to.split('?').next().map(str::to_owned);
        if let Err(error) = session.insert(FLASH, Flash { in_place, ..flash }).await {
            tracing::error!(%error, "a message for the page could not be stored");
        }
    }
    (parts.headers, Json(json!({ "to": to }))).into_response()
}

/// Good news.
pub fn success(text: impl Into<String>) -> Flash {
    Flash { text: Some(text.into()), is_success: true, ..Flash::default() }
}

/// Longest text of a field that is shown again, in characters: the session holds it until then.
const LONGEST: usize = 8_000;

/// A refusal, with what was typed.
pub fn refusal(error: Error, typed: Pairs) -> Flash {
    let values = bounded(typed);
    match error {
        Error::Invalid(errors) => Flash {
            errors: errors.into_iter().map(|error| (error.field, error.message)).collect(),
            values,
            ..Flash::default()
        },
        other => Flash { text: Some(other.explanation()), values, ..Flash::default() },
    }
}

fn bounded(typed: Pairs) -> Pairs {
    typed.into_iter().map(|(name, value)| (name, value.chars().take(LONGEST).collect())).collect()
}

/// Key of the page of a form that has to be confirmed first, and of what was typed there.
pub const KEPT: &str = "kept";

/// A refusal on the page of the form itself, under a status that says it too: for what programs send too, which read the
/// status and not the page.
pub async fn refuse_in_place(
    state: &AppState,
    asked: app::request::Request,
    page: &str,
    status: StatusCode,
    error: Error,
    typed: Pairs,
) -> Response {
    let retry_after = error.retry_after();
    let mut response = page_in_place(state, asked, page, refusal(error, typed)).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
    }
    response
}

/// Leads to where the outcome of a form is told: to the first page when it is done, to the second when it is refused.
pub async fn answer(
    state: &AppState,
    asked: &app::request::Request,
    session: &Session,
    (done, refused): (&str, &str),
    outcome: Result<String, Error>,
    typed: Pairs,
) -> Response {
    match outcome {
        Ok(text) => lead_with(session, success(text), done).await,
        Err(error) => refuse(state, asked, session, refused, error, typed).await,
    }
}

/// Leads to where a refusal of a person's form is told: to the page with the form and what was typed, to the sign-in, to the
/// confirmation, which keeps what was typed for afterwards, or to the second factor. Everything else has a page of its own.
pub async fn refuse(
    state: &AppState,
    asked: &app::request::Request,
    session: &Session,
    page: &str,
    error: Error,
    typed: Pairs,
) -> Response {
    let from = app::request::Request { page: page.to_owned(), ..asked.clone() };
    match error {
        Error::SignedOut | Error::SessionIdle => Redirect::to(&from.sign_in_address()).into_response(),
        Error::SecondFactorMissing => Redirect::to(&from.leading_back(app::second_factor::PATH)).into_response(),
        Error::NotFresh => {
            if !typed.is_empty()
                && let Err(error) = session.insert(KEPT, (page, bounded(typed))).await
            {
                tracing::error!(%error, "what was typed could not be kept");
            }
            Redirect::to(&from.leading_back(app::confirmation::PATH)).into_response()
        }
        error @ (Error::Invalid(_)
        | Error::Conflict(_)
        | Error::ReadOnly(_)
        | Error::Limit { .. }
        | Error::PlanLimit(_)) => lead_with(session, refusal(error, typed), page).await,
        error => error_page(state, error, &asked.context.request().id, &Method::POST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_only_to_our_own_pages() {
        for good in ["/", "/t/acme/dashboard?range=7d"] {
            assert_eq!(local_path(good), Some(good));
        }
        for bad in
            ["", "https://evil.example", "//evil.example", "/\\evil.example", "\\/evil", "javascript:alert(1)", "/a\nb"]
        {
            assert_eq!(local_path(bad), None, "{bad}");
        }
    }
}
