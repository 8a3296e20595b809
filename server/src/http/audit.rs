//! The audit log by address: files to take away, and the form of how long its details are kept.

use axum::Form;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use rtv_domain::audit::explorer::Filter;
use rtv_domain::audit::export::{self, CsvExport, JsonExport};
use rtv_domain::audit::{Log, retention};
use tower_sessions::Session;

use crate::http::form::{Asked, Pairs, enter, value};
use crate::http::{download, flash};
use crate::state::AppState;

/// The whole sealed log as JSON lines.
pub async fn json_lines(State(state): State<AppState>, asked: Asked, Path(tenant): Path<String>) -> Response {
    let file = async {
        let ctx = enter(&asked, &tenant).await?;
        export::json_lines(&Log::from(&ctx), &state.audit_key).await
    };
    match file.await {
        Ok(file) => {
            let pieces = futures::stream::try_unfold(file, async |mut file: JsonExport| {
                // An answer that has begun can only be cut off; the file then has no end, which checking it tells.
                let piece = file.next().await.map_err(std::io::Error::other)?;
                Ok::<_, std::io::Error>(piece.map(|piece| (piece, file)))
            });
            download::file(Body::from_stream(pieces), &format!("{tenant}-audit.jsonl"), "application/x-ndjson")
        }
        Err(error) => download::refuse(&state, &asked, error),
    }
}

/// The events that the filters of the address pick, as CSV.
pub async fn csv(
    State(state): State<AppState>,
    asked: Asked,
    Path(tenant): Path<String>,
    Query(pairs): Query<Pairs>,
) -> Response {
    let file = async {
        let ctx = enter(&asked, &tenant).await?;
        export::csv(&Log::from(&ctx), &Filter::parse(&pairs)?).await
    };
    match file.await {
        Ok(file) => {
            let pieces = futures::stream::try_unfold(file, async |mut file: CsvExport| {
                let piece = file.next().await.map_err(std::io::Error::other)?;
                Ok::<_, std::io::Error>(piece.map(|piece| (piece, file)))
            });
            download::file(Body::from_stream(pieces), &format!("{tenant}-audit.csv"), download::CSV)
        }
        Err(error) => download::refuse(&state, &asked, error),
    }
}

/// Sets for how long details are kept; a refusal leads back to the form with what was typed.
pub async fn retention(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let days = retention::set_retention(&ctx, &value(&pairs, "days"), &value(&pairs, "version")).await?;
        Ok(format!("Details are now kept for {days} days."))
    };
    // An address of ours again only where a tenant of that name was entered; its name then needs no escaping.
    let page = format!("/t/{tenant}/audit");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}
