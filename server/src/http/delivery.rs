//! Forms of `/t/{tenant}/deliveries`: what a person decides over a delivery.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use rtv_core::delivery::Decision;
use rtv_domain::delivery::{self, NewDecision};
use tower_sessions::Session;

use crate::http::flash;
use crate::http::form::{Asked, Pairs, enter, id, value};
use crate::state::AppState;

/// Decides.
pub async fn decide(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, delivery)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let page = format!("/t/{tenant}/deliveries/{delivery}");
    let new = NewDecision {
        choice: value(&pairs, "choice"),
        remote: value(&pairs, "remote"),
        at: value(&pairs, "at"),
        version: value(&pairs, "version"),
    };
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        delivery::decide(&ctx, id(&delivery)?, &new).await?;
        Ok(said(&new.choice).to_owned())
    };
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}

fn said(choice: &str) -> &'static str {
    match choice.parse() {
        Ok(Decision::SendNow) => "It is on its way to the network.",
        Ok(Decision::Reschedule) => "It goes out at its new time.",
        Ok(Decision::ReturnToApproval) => "It waits for approval again.",
        Ok(Decision::Drop) => "It is dropped: nothing more is sent.",
        Ok(Decision::ItIsThere) => "Noted: it is published.",
        Err(_) => "Done.",
    }
}
