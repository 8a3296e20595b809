//! The audit log by address: files to take away, and the form of how long its details are kept.

use axum::Form;
use axum::body::Body;
use axum::extract::{Extension, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderValue, Method, header};
use rtv_core::Error;
use rtv_domain::access;
use rtv_domain::audit::explorer::Filter;
use rtv_domain::audit::export::{self, CsvExport, JsonExport};
use rtv_domain::audit::{Log, retention};
use tower_sessions::Session;

use crate::http::flash;
use crate::middleware::shield::error_page;
use crate::state::AppState;

type Asked = Extension<app::request::Request>;
type Pairs = Vec<(String, String)>;

/// The whole sealed log as JSON lines.
pub async fn json_lines(
    State(state): State<AppState>,
    Extension(asked): Asked,
    Path(tenant): Path<String>,
) -> Response {
    let file = async {
        let ctx = access::enter(&asked.context, &tenant).await?;
        export::json_lines(&Log::from(&ctx), &state.audit_key).await
    };
    match file.await {
        Ok(file) => {
            let pieces = futures::stream::try_unfold(file, async |mut file: JsonExport| {
                // An answer that has begun can only be cut off; the file then has no end, which checking it tells.
                let piece = file.next().await.map_err(std::io::Error::other)?;
                Ok::<_, std::io::Error>(piece.map(|piece| (piece, file)))
            });
            download(Body::from_stream(pieces), &tenant, "jsonl", "application/x-ndjson")
        }
        Err(error) => refuse(&state, &asked, error),
    }
}

/// The events that the filters of the address pick, as CSV.
pub async fn csv(
    State(state): State<AppState>,
    Extension(asked): Asked,
    Path(tenant): Path<String>,
    Query(pairs): Query<Pairs>,
) -> Response {
    let file = async {
        let ctx = access::enter(&asked.context, &tenant).await?;
        export::csv(&Log::from(&ctx), &Filter::parse(&pairs)?).await
    };
    match file.await {
        Ok(file) => {
            let pieces = futures::stream::try_unfold(file, async |mut file: CsvExport| {
                let piece = file.next().await.map_err(std::io::Error::other)?;
                Ok::<_, std::io::Error>(piece.map(|piece| (piece, file)))
            });
            download(Body::from_stream(pieces), &tenant, "csv", "text/csv; charset=utf-8")
        }
        Err(error) => refuse(&state, &asked, error),
    }
}

/// A file that the browser keeps instead of showing it. The tenant was entered under this name, so it needs no escaping.
fn download(body: Body, tenant: &str, extension: &str, kind: &'static str) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{tenant}-audit.{extension}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

fn refuse(state: &AppState, asked: &app::request::Request, error: Error) -> Response {
    if error == Error::SignedOut {
        return Redirect::to(&asked.sign_in_address()).into_response();
    }
    error_page(state, error, &asked.context.request().id, &Method::GET)
}

/// Sets for how long details are kept; a refusal leads back to the form with what was typed.
pub async fn retention(
    State(state): State<AppState>,
    Extension(asked): Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let value = |name: &str| pairs.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
    let outcome = async {
        let ctx = access::enter(&asked.context, &tenant).await?;
        retention::set_retention(&ctx, value("days"), value("version")).await
    };
    // An address of ours again only where a tenant of that name was entered; its name then needs no escaping.
    let page = format!("/t/{tenant}/audit");
    match outcome.await {
        Ok(days) => {
            flash::lead_with(&session, flash::success(format!("Details are now kept for {days} days.")), &page).await
        }
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            let typed = vec![("days".to_owned(), value("days").to_owned())];
            flash::lead_with(&session, flash::refusal(error, typed), &page).await
        }
        Err(Error::SignedOut) => {
            let asked = app::request::Request { page, ..asked };
            Redirect::to(&asked.sign_in_address()).into_response()
        }
        Err(error) => error_page(&state, error, &asked.context.request().id, &Method::POST),
    }
}
