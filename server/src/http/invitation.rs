//! Forms of `/t/{tenant}/team/invitations` and of `/invite/{token}`.

use app::page::Flash;
use axum::Form;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use rtv_core::{Error, InvitationId};
use rtv_domain::invitation::{self, NewInvitation};
use rtv_domain::{access, tenant};
use secrecy::SecretString;
use serde::Deserialize;
use tower_sessions::Session;

use crate::http::{flash, sign_in};
use crate::router;
use crate::state::AppState;

/// What the form holds that invites.
#[derive(Debug, Deserialize)]
pub struct InviteForm {
    #[serde(default)]
    email: String,
    #[serde(default)]
    role: String,
}

/// Invites somebody; a refusal leads back to the form with what was typed.
pub async fn invite(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
    Path(tenant): Path<String>,
    Form(form): Form<InviteForm>,
) -> Response {
    let outcome = async {
        let ctx = access::enter(&request.context, &tenant).await?;
        let new = NewInvitation { email: form.email.clone(), role: form.role.clone() };
        invitation::invite(&ctx, &state.outbox, &new).await
    };
    let outcome = outcome.await.map(|made| format!("{} is invited. The link holds for seven days.", made.email));
    let typed = |name: &str, value: &str| (name.to_owned(), value.chars().take(254).collect::<String>());
    let values = vec![typed("email", &form.email), typed("role", &form.role)];
    answer(&state, &request, &session, &tenant, outcome, values).await
}

/// Sends an invitation again.
pub async fn send_again(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
    Path((tenant, id)): Path<(String, String)>,
) -> Response {
    let outcome = async {
        let ctx = access::enter(&request.context, &tenant).await?;
        invitation::send_again(&ctx, &state.outbox, parse(&id)?).await
    };
    let outcome =
        outcome.await.map(|email| format!("A new link is on its way to {email}; the one before no longer works."));
    answer(&state, &request, &session, &tenant, outcome, Vec::new()).await
}

/// Takes an invitation back.
pub async fn revoke(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
    Path((tenant, id)): Path<(String, String)>,
) -> Response {
    let outcome = async {
        let ctx = access::enter(&request.context, &tenant).await?;
        invitation::revoke(&ctx, parse(&id)?).await
    };
    let outcome = outcome.await.map(|email| format!("The invitation of {email} is revoked. Its link no longer works."));
    answer(&state, &request, &session, &tenant, outcome, Vec::new()).await
}

/// Not an id, so no invitation: as one that does not exist.
fn parse(id: &str) -> Result<InvitationId, Error> {
    id.parse().map_err(|_| Error::NotFound)
}

/// What the form holds that asks everybody for a second factor.
#[derive(Debug, Deserialize)]
pub struct RequireForm {
    #[serde(default)]
    required: String,
}

/// Asks every member for a second factor, or no longer does.
pub async fn require_second_factor(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
    Path(tenant): Path<String>,
    Form(form): Form<RequireForm>,
) -> Response {
    let is_required = form.required == "on";
    let outcome = async {
        let ctx = access::enter(&request.context, &tenant).await?;
        tenant::require_second_factor(&ctx, is_required).await
    };
    let outcome = outcome.await.map(|()| {
        let text = if is_required {
            "Every member needs a second factor from now on."
        } else {
            "A second factor is no longer required."
        };
        text.to_owned()
    });
    answer(&state, &request, &session, &tenant, outcome, vec![("required".into(), form.required)]).await
}

async fn answer(
    state: &AppState,
    request: &app::request::Request,
    session: &Session,
    tenant: &str,
    outcome: Result<String, Error>,
    typed: Vec<(String, String)>,
) -> Response {
    // An address of ours again only where a tenant of that name was entered; its name then needs no escaping.
    let page = format!("/t/{tenant}/team/invitations");
    match outcome {
        Ok(text) => flash::lead_with(session, flash::success(text), &page).await,
        Err(error) => flash::refuse(state, request, session, &page, error, typed).await,
    }
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
                let text = format!("Welcome to {}. You are {} there.", offer.tenant, offer.role.label().to_lowercase());
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
    let values = vec![("name".to_owned(), form.name.chars().take(200).collect())];
    flash::refuse(&state, &request, &session, &format!("/invite/{token}"), refused, values).await
}
