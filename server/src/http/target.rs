//! Forms of `/t/{tenant}/targets`.

use axum::Form;
use axum::extract::{Extension, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::Method;
use rtv_core::{Error, TargetId};
use rtv_domain::target::{self, NewTarget};
use serde::Deserialize;
use tower_sessions::Session;

use crate::http::flash;
use crate::middleware::shield::error_page;
use crate::state::AppState;

/// What the form holds.
#[derive(Deserialize)]
pub struct TargetForm {
    #[serde(default)]
    kpi: String,
    #[serde(default)]
    aim: String,
    #[serde(default)]
    amount: String,
}

/// Sets a target; a refusal leads back to the form with what was typed.
pub async fn set(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
    Path(tenant): Path<String>,
    Form(form): Form<TargetForm>,
) -> Response {
    let outcome = async {
        let ctx = rtv_domain::access::enter(&request.context, &tenant).await?;
        let new = NewTarget { kpi: form.kpi.clone(), aim: form.aim.clone(), amount: form.amount.clone() };
        target::set(&ctx, &new).await
    };
    let outcome = outcome.await.map(|_| "The target is set.");
    let typed = |name: &str, value: &str| (name.to_owned(), value.chars().take(120).collect::<String>());
    let values = vec![typed("kpi", &form.kpi), typed("aim", &form.aim), typed("amount", &form.amount)];
    answer(&state, &request, &session, &tenant, outcome, values).await
}

/// Removes a target.
pub async fn remove(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
    Path((tenant, id)): Path<(String, String)>,
) -> Response {
    let outcome = async {
        let ctx = rtv_domain::access::enter(&request.context, &tenant).await?;
        // Not an id, so no target: as one that does not exist.
        target::remove(&ctx, id.parse::<TargetId>().map_err(|_| Error::NotFound)?).await
    };
    let outcome = outcome.await.map(|()| "The target is removed.");
    answer(&state, &request, &session, &tenant, outcome, Vec::new()).await
}

async fn answer(
    state: &AppState,
    request: &app::request::Request,
    session: &Session,
    tenant: &str,
    outcome: Result<&str, Error>,
    typed: Vec<(String, String)>,
) -> Response {
    // An address of ours again only where a tenant of that name was entered; its name then needs no escaping.
    let page = format!("/t/{tenant}/targets");
    match outcome {
        Ok(text) => flash::lead_with(session, flash::success(text), &page).await,
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            flash::lead_with(session, flash::refusal(error, typed), &page).await
        }
        Err(Error::SignedOut) => {
            let next: String = url::form_urlencoded::byte_serialize(page.as_bytes()).collect();
            Redirect::to(&format!("/sign-in?next={next}")).into_response()
        }
        Err(error) => error_page(state, error, &request.context.request().id, &Method::POST),
    }
}
