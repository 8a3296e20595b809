//! `/shared/{token}`: what a link in the mail of a report opens to whoever holds it, without signing in.

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{Method, StatusCode};
use rtv_core::Error;
use rtv_core::report::FileFormat;
use rtv_domain::report;
use tower_sessions::Session;

use crate::http::form::{Asked, Pairs};
use crate::http::{download, flash};
use crate::middleware::shield::error_page;
use crate::state::AppState;

/// A file behind the link; `raw=1` and `bom=0` as for a file of a run.
pub async fn file(
    State(state): State<AppState>,
    asked: Asked,
    Path((token, name)): Path<(String, String)>,
    Query(pairs): Query<Pairs>,
) -> Response {
    let found = async {
        let (format, part) = FileFormat::named(&name)?;
        let (ctx, run, file) = report::handout_file(&asked.context, &state.vault, &token, format, part).await?;
        let bytes = state.press().read_or_make(&ctx, &run, &file, super::csv_options(&pairs)).await?;
        Ok::<_, Error>((file.file_name, format, bytes))
    };
    match found.await {
        Ok((name, format, bytes)) => download::file(Body::from(bytes), &name, format.content_type()),
        Err(error) => error_page(&state, error, &asked.context.request().id, &Method::GET),
    }
}

/// No more mails of this schedule, from the page.
pub async fn unsubscribe(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(token): Path<String>,
) -> Response {
    let outcome = report::subscribe(&asked.context, &state.vault, &token, false).await;
    told(&state, &asked, &session, &token, outcome, "You get no more of these mails.").await
}

/// Mails of this schedule again.
pub async fn subscribe(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(token): Path<String>,
) -> Response {
    let outcome = report::subscribe(&asked.context, &state.vault, &token, true).await;
    told(&state, &asked, &session, &token, outcome, "You get these mails again.").await
}

async fn told(
    state: &AppState,
    asked: &Asked,
    session: &Session,
    token: &str,
    outcome: Result<(), Error>,
    text: &str,
) -> Response {
    match outcome {
        Ok(()) => flash::lead_with(session, flash::success(text), &format!("/shared/{token}")).await,
        Err(error) => error_page(state, error, &asked.context.request().id, &Method::POST),
    }
}

/// No more mails, asked for by the reader's mail program: one POST without a page before it, RFC 8058. It carries no cookie that
/// means anything here; the token is its whole right.
pub async fn one_click(State(state): State<AppState>, asked: Asked, Path(token): Path<String>) -> Response {
    match report::subscribe(&asked.context, &state.vault, &token, false).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => error_page(&state, error, &asked.context.request().id, &Method::POST),
    }
}

/// Whoever opens the address of the header by hand gets the page with the button: looking changes nothing.
pub async fn one_click_page(State(state): State<AppState>, asked: Asked, Path(token): Path<String>) -> Response {
    match report::handout(&asked.context, &state.vault, &token).await {
        Ok(_) => Redirect::to(&format!("/shared/{token}")).into_response(),
        Err(error) => error_page(&state, error, &asked.context.request().id, &Method::GET),
    }
}
