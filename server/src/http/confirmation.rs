//! The form of `/me/confirm`: a proof gives the browser a new, fresh session and leads back to the dangerous act, with what
//! was typed there.

use app::page::Flash;
use axum::Form;
use axum::extract::{Extension, State};
use axum::response::Response;
use http::Method;
use rtv_core::Error;
use rtv_domain::confirmation::{self, Proof};
use rtv_domain::sign_in;
use secrecy::SecretString;
use serde::Deserialize;
use tower_sessions::Session;

use crate::http::flash::{self, KEPT};
use crate::http::sign_in::{new_token, with_next};
use crate::middleware::session_store::hash;
use crate::middleware::shield::error_page;
use crate::state::AppState;

/// What the form holds.
#[derive(Deserialize)]
pub struct ConfirmForm {
    #[serde(default)]
    password: SecretString,
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

/// Checks the proof and leads back.
pub async fn confirm(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
    Form(form): Form<ConfirmForm>,
) -> Response {
    let ctx = &request.context;
    let proof = Proof { password: form.password, code: form.code };
    let outcome = async {
        let verified = confirmation::confirm(ctx, &state.passwords, &state.vault, &proof).await?;
        // Read before the token changes: the session's data goes with the old one.
        let kept: Option<(String, Vec<(String, String)>)> = session.get(KEPT).await.ok().flatten();
        // What was typed elsewhere, and never confirmed, is nothing for this page.
        let kept = kept.filter(|(page, _)| *page == form.next).map(|(_, values)| values).unwrap_or_default();
        let token = new_token(&session).await?;
        sign_in::complete(ctx, verified, hash(token)).await?;
        Ok::<_, Error>(kept)
    };
    match outcome.await {
        Ok(kept) => {
            let text = if kept.is_empty() {
                "Thank you. For five minutes you are not asked again."
            } else {
                "Thank you. What you typed is still here; send it again."
            };
            let flash = Flash { values: kept, ..flash::success(text) };
            flash::lead_with(&session, flash, flash::local_path(&form.next).unwrap_or("/me")).await
        }
        Err(error @ (Error::Invalid(_) | Error::Limit { .. })) => {
            let page = with_next(app::confirmation::PATH, &form.next);
            flash::lead_with(&session, flash::refusal(error, Vec::new()), &page).await
        }
        Err(Error::SignedOut) => {
            let page = with_next(app::confirmation::PATH, &form.next);
            flash::refuse(&state, &request, &session, &page, Error::SignedOut, Vec::new()).await
        }
        Err(error) => error_page(&state, error, &ctx.request().id, &Method::POST),
    }
}
