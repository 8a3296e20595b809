//! `/api/v1/invitations`: who is asked to join and has not answered.

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::StatusCode;
use rtv_core::InvitationId;
use rtv_domain::invitation::{self, Invitation, NewInvitation};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::list::{Ask, ListParams, Page, next};
use super::once::{Once, Write};
use crate::http::form::id;
use crate::state::AppState;

/// An open invitation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Invitation", example = json!({
    "id": "inv_0192f3c4a1b27d3e8f9a0b1c2d3e4f50", "email": "sam@acme.example", "role": "viewer", "role_name": "Viewer", "invited_by": "Dana Kim",
    "sent_at": "2026-11-20T16:40:00Z", "expires_at": "2026-11-27T16:40:00Z", "is_expired": false
}))]
pub struct InvitationObject {
    /// Id.
    id: String,
    /// For whom.
    email: String,
    /// What they become: the key of a built-in role, or the id of a custom one.
    role: String,
    /// Its name.
    role_name: String,
    /// Who invites.
    invited_by: String,
    /// When the newest mail was written.
    sent_at: DateTime<Utc>,
    /// When its link ends.
    expires_at: DateTime<Utc>,
    /// Whether that is over.
    is_expired: bool,
}

impl From<Invitation> for InvitationObject {
    fn from(one: Invitation) -> Self {
        Self {
            id: one.id.to_string(),
            email: one.email.to_string(),
            role: one.role.to_string(),
            role_name: one.role_name,
            invited_by: one.inviter,
            sent_at: one.sent_at,
            expires_at: one.expires_at,
            is_expired: one.is_expired,
        }
    }
}

/// An invitation to be sent.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(title = "NewInvitation", example = json!({ "email": "sam@acme.example", "role": "viewer" }))]
#[serde(deny_unknown_fields)]
pub struct InvitationToSend {
    /// For whom.
    #[schema(format = "email", max_length = 254)]
    email: String,
    /// `admin`, `editor` or `viewer`, or the id of a custom role: one of which the key holds everything.
    #[schema(pattern = "^(admin|editor|viewer|role_[0-9a-f]{32})$")]
    role: String,
}

const LIST: &str = "invitations";

/// Open invitations
///
/// The newest first; those that expired are among them. Needs users:invite.
#[utoipa::path(get, path = "/api/v1/invitations", tag = "Invitations", operation_id = "listInvitations", params(ListParams),
    responses((status = 200, description = "Invitations.", body = Page<InvitationObject>)))]
pub async fn list(caller: Caller) -> Response {
    let page = async {
        let ask = Ask::parse(&caller, LIST)?;
        let mut found = invitation::list_some(caller.ctx(), ask.place()?, ask.rows() + 1).await?;
        let has_more = found.len() > ask.limit;
        found.truncate(ask.limit);
        let next = found.last().filter(|_| has_more).map(|last| next(LIST, &last.id.to_string()));
        Ok(Page { items: found.into_iter().map(InvitationObject::from).collect(), next })
    };
    caller.answer(page.await)
}

/// Invite somebody
///
/// Needs users:invite. They get a mail with a link that holds for seven days.
#[utoipa::path(post, path = "/api/v1/invitations", tag = "Invitations", operation_id = "createInvitation",
    request_body = InvitationToSend,
    responses((status = 201, description = "The invitation; its mail is on its way.", body = InvitationObject)))]
pub async fn create(State(state): State<AppState>, write: Write<InvitationToSend>) -> Response {
    let Write { once, body } = write;
    let new = NewInvitation { email: body.email, role: body.role };
    let outcome = invitation::invite(once.ctx(), &state.outbox, &new).await.map(InvitationObject::from);
    once.answer(StatusCode::CREATED, outcome).await
}

/// Take an invitation back
///
/// Needs users:invite. Its link no longer works.
#[utoipa::path(delete, path = "/api/v1/invitations/{id}", tag = "Invitations", operation_id = "revokeInvitation",
    params(("id" = String, Path, description = "Id of the invitation.", example = "inv_0192f3c4a1b27d3e8f9a0b1c2d3e4f50")),
    responses((status = 204, description = "It is revoked.")))]
pub async fn revoke(Path(invitation): Path<String>, once: Once) -> Response {
    let outcome = async { invitation::revoke(once.ctx(), id(&invitation)?).await };
    let outcome = outcome.await.map(drop);
    once.done(outcome).await
}

/// Send an invitation again
///
/// Needs users:invite. The new link holds for seven days from now; the one before no longer works.
#[utoipa::path(post, path = "/api/v1/invitations/{id}/resend", tag = "Invitations", operation_id = "resendInvitation",
    params(("id" = String, Path, description = "Id of the invitation.", example = "inv_0192f3c4a1b27d3e8f9a0b1c2d3e4f50")),
    responses((status = 200, description = "The invitation as it is now.", body = InvitationObject)))]
pub async fn send_again(State(state): State<AppState>, Path(invitation): Path<String>, once: Once) -> Response {
    let outcome = async {
        let id = id::<InvitationId>(&invitation)?;
        invitation::send_again(once.ctx(), &state.outbox, id).await?;
        Ok(invitation::one(once.ctx(), id).await?.into())
    };
    let outcome: Result<InvitationObject, _> = outcome.await;
    once.answer(StatusCode::OK, outcome).await
}
