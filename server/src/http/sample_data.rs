//! The button of the notice that says that a tenant's data is the demo's.

use axum::extract::{Extension, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::Method;
use rtv_core::Error;
use rtv_domain::sample_data::{self, Removed};
use rtv_domain::{access, format};
use tower_sessions::Session;

use crate::http::flash;
use crate::middleware::shield::error_page;
use crate::state::AppState;

/// Removes the sample data of a tenant and leads to its dashboard.
pub async fn remove(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
    Path(tenant): Path<String>,
) -> Response {
    let outcome = async {
        let ctx = access::enter(&request.context, &tenant).await?;
        let removed = sample_data::remove(&ctx).await?;
        Ok((removed, format::Format::of(ctx.tenant())))
    };
    let page = format!("/t/{tenant}/dashboard");
    match outcome.await {
        Ok((removed, _)) if removed == Removed::default() => {
            flash::lead_with(&session, flash::success("There was no sample data to remove."), &page).await
        }
        Ok((removed, format)) => {
            let text = format!(
                "The sample data is gone: {} posts on {} accounts. People and settings stay. To have it back, your operator runs “rtv demo”.",
                format.count(removed.posts),
                format.count(removed.accounts)
            );
            flash::lead_with(&session, flash::success(text), &page).await
        }
        Err(error @ Error::Conflict(_)) => flash::lead_with(&session, flash::refusal(error, Vec::new()), &page).await,
        Err(Error::SignedOut) => {
            let next: String = url::form_urlencoded::byte_serialize(page.as_bytes()).collect();
            Redirect::to(&format!("/sign-in?next={next}")).into_response()
        }
        Err(error) => error_page(&state, error, &request.context.request().id, &Method::POST),
    }
}
