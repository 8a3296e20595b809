//! The button of the notice that says that a tenant's data is the demo's.

use axum::extract::{Path, State};
use axum::response::Response;
use rtv_domain::format::Format;
use rtv_domain::sample_data::{self, Removed};
use tower_sessions::Session;

use crate::http::flash;
use crate::http::form::{Asked, enter};
use crate::state::AppState;

/// Removes the sample data of a tenant and leads to its dashboard.
pub async fn remove(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let removed = sample_data::remove(&ctx).await?;
        if removed == Removed::default() {
            return Ok("There was no sample data to remove.".to_owned());
        }
        let format = Format::of(ctx.tenant());
        Ok(format!(
            "The sample data is gone: {} posts on {} accounts. People and settings stay. To have it back, your operator runs “rtv demo”.",
            format.count(removed.posts),
            format.count(removed.accounts)
        ))
    };
    let page = format!("/t/{tenant}/dashboard");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Vec::new()).await
}
