//! `/api/v1`: JSON for programs. A resource is a file; its handlers make one call of the domain and shape the answer. Each is
//! registered together with its description, from which the OpenAPI document, the page for people and the tests are made.
//!
//! A program shows a key with every request. Cookies mean nothing here, so nothing has to be known of where a request comes
//! from, and pages of other sites are told nothing.

pub mod audit;
pub mod caller;
pub mod delivery;
pub mod document;
pub mod import;
pub mod invitation;
pub mod kill_switch;
pub mod kpi;
pub mod list;
pub mod once;
pub mod page;
pub mod post;
pub mod problem;
pub mod report;
pub mod role;
pub mod team;
pub mod tenant;
pub mod user;

use std::sync::LazyLock;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use self::problem::{Kind, Refusal, request_id};
use crate::state::AppState;

/// What every address of the API begins with.
pub const PREFIX: &str = "/api/";

fn described() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(document::beginning())
        .routes(routes!(tenant::one))
        .routes(routes!(user::list))
        .routes(routes!(user::one, user::change, user::remove))
        .routes(routes!(team::list, team::create))
        .routes(routes!(team::one, team::change, team::delete))
        .routes(routes!(team::members))
        .routes(routes!(team::set_member, team::remove_member))
        .routes(routes!(team::set_resources))
        .routes(routes!(role::list, role::create))
        .routes(routes!(role::one, role::change, role::delete))
        .routes(routes!(invitation::list, invitation::create))
        .routes(routes!(invitation::revoke))
        .routes(routes!(invitation::send_again))
        .routes(routes!(audit::list))
        .routes(routes!(kpi::list))
        .routes(routes!(post::list))
        .routes(routes!(delivery::list))
        .routes(routes!(delivery::one))
        .routes(routes!(delivery::explain))
        .routes(routes!(delivery::decide))
        .routes(routes!(report::list, report::create))
        .routes(routes!(report::one))
        .routes(routes!(report::runs, report::run))
        .routes(routes!(report::one_run))
        .routes(routes!(report::file))
        .routes(routes!(kill_switch::list, kill_switch::engage))
        .routes(routes!(kill_switch::preview))
        .routes(routes!(kill_switch::ask_release))
        .routes(routes!(kill_switch::receipt))
        // A file has a limit of its own, which the domain holds while it arrives.
        .routes(routes!(import::list, import::upload).layer(DefaultBodyLimit::disable()))
        .routes(routes!(import::one))
        .routes(routes!(import::roll_back))
}

/// The routes that ask for a key, and what answers all other addresses below.
pub fn router() -> Router<AppState> {
    let (router, _) = described().split_for_parts();
    router.route("/api/{*rest}", any(nothing)).method_not_allowed_fallback(not_allowed).layer(from_fn(problem::finish))
}

/// The description of all routes.
pub fn description() -> &'static Value {
    static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| document::whole(described().into_openapi()));
    &DESCRIPTION
}

/// The description, for everybody.
pub async fn openapi() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(|| description().to_string());
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], TEXT.as_str()).into_response()
}

async fn nothing(request: Request) -> Response {
    Refusal::of(Kind::NotFound).response(&request_id(request.extensions()))
}

async fn not_allowed(request: Request) -> Response {
    let detail =
        format!("This address does not answer to {}; the header Allow says to what it does.", request.method());
    Refusal { detail, ..Refusal::of(Kind::MethodNotAllowed) }.response(&request_id(request.extensions()))
}

/// An answer in JSON.
fn json(status: StatusCode, body: impl Into<axum::body::Body>) -> Response {
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body.into()).into_response()
}
