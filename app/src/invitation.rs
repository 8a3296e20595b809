//! `/t/{tenant}/team/invitations`: who is invited, and inviting somebody. The page that an invitation's link opens is in
//! `accept.rs`.

pub mod accept;
#[cfg(feature = "ssr")]
mod list;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::error::AppError;
use crate::page::{Drawn, DrawnPage, Guarded, Place};

/// The open invitations of a tenant.
#[server(prefix = "/fn", endpoint = "invitations", input = server_fn::codec::Json)]
pub async fn read_invitations(tenant: String) -> Result<Guarded<Drawn>, AppError> {
    let ctx = crate::request::enter(&tenant).await?;
    crate::request::drawn(&ctx, list::invitations(&ctx).await, list::drawn).await
}

/// The page.
#[component]
pub fn InvitationsPage() -> impl IntoView {
    let params = use_params_map();
    let page = Resource::new(move || params.read().get("tenant").unwrap_or_default(), read_invitations);
    view! { <DrawnPage page place=Place::Team /> }
}
