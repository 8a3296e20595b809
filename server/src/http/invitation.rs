//! Forms of `/t/{tenant}/team/invitations` and of `/invite/{token}`.

use app::page::Flash;
use axum::Form;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use rtv_core::Error;
use rtv_domain::invitation::{self, NewInvitation};
use secrecy::SecretString;
use serde::Deserialize;
use tower_sessions::Session;

use crate::http::form::{Asked, Pairs, enter, id, value};
use crate::http::{flash, sign_in};
use crate::router;
use crate::state::AppState;

/// An address of ours again only where a tenant of that name was entered; its name then needs no escaping.
fn page(tenant: &str) -> String {
    format!("/t/{tenant}/team/invitations")
}

/// Invites somebody; a refusal leads back to the form with what was typed.
pub async fn invite(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let new = NewInvitation { email: value(&pairs, "email"), role: value(&pairs, "role") };
        let made = invitation::invite(&ctx, &state.outbox, &new).await?;
        Ok(format!("{} is invited. The link holds for seven days.", made.email))
    };
    let page = page(&tenant);
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}

/// Sends an invitation again.
pub async fn send_again(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, invitation)): Path<(String, String)>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let email = invitation::send_again(&ctx, &state.outbox, id(&invitation)?).await?;
        Ok(format!("A new link is on its way to {email}; the one before no longer works."))
    };
    let page = page(&tenant);
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Vec::new()).await
}

/// Takes an invitation back.
pub async fn revoke(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, invitation)): Path<(String, String)>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let email = invitation::revoke(&ctx, id(&invitation)?).await?;
        Ok(format!("The invitation of {email} is revoked. Its link no longer works."))
    };
    let page = page(&tenant);
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Vec::new()).await
}

/// What the form holds of somebody who has no account yet; who is signed in sends nothing.
#[derive(Deserialize)]
pub struct AcceptForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: SecretString,
}

/// Accepts an invitation, as the person who is signed in or as somebody new.
pub async fn accept(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
    Path(token): Path<String>,
    Form(form): Form<AcceptForm>,
) -> Response {
    let ctx = &request.context;
    let refused = if ctx.person().is_some() {
        match invitation::accept(ctx, &token).await {
            Ok(offer) => {
                let text = format!("Welcome to {}. You are {} there.", offer.tenant, offer.role_words);
                return flash::lead_with(&session, flash::success(text), &format!("/t/{}/dashboard", offer.slug)).await;
            }
            Err(error) => error,
        }
    } else {
        match invitation::accept_as_new(ctx, &state.passwords, &token, &form.name, &form.password).await {
            Ok((offer, verified)) => {
                let to = format!("/t/{}/dashboard", offer.slug);
                return sign_in::proceed(&state, &request, &session, verified, &to, "/").await;
            }
            Err(error) => error,
        }
    };
    if refused == Error::NotFound {
        // The page of the link says it, in the same words for each of them.
        return router::page_in_place(&state, request, "/invite/-", Flash::default()).await;
    }
    let values = vec![("name".to_owned(), form.name)];
    flash::refuse(&state, &request, &session, &format!("/invite/{token}"), refused, values).await
}
