//! Forms of `/t/{tenant}/targets`.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use rtv_core::TargetId;
use rtv_domain::target::{self, NewTarget};
use tower_sessions::Session;

use crate::http::flash;
use crate::http::form::{Asked, Pairs, enter, id, value};
use crate::state::AppState;

/// Sets a target; a refusal leads back to the form with what was typed.
pub async fn set(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let new = NewTarget { kpi: value(&pairs, "kpi"), aim: value(&pairs, "aim"), amount: value(&pairs, "amount") };
        target::set(&ctx, &new).await?;
        Ok("The target is set.".to_owned())
    };
    let page = format!("/t/{tenant}/targets");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}

/// Removes a target.
pub async fn remove(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, target)): Path<(String, String)>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        target::remove(&ctx, id::<TargetId>(&target)?).await?;
        Ok("The target is removed.".to_owned())
    };
    let page = format!("/t/{tenant}/targets");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Vec::new()).await
}
