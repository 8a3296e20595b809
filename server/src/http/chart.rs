//! Drawn charts and the data of charts in the browser. Both come from the same description as the table beside them.

use axum::extract::{Extension, Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use rtv_charts::{PICTURE_CSP, RenderError, Theme, TrendChart};
use rtv_core::Error;
use rtv_core::filter::PageFilter;
use rtv_domain::team;

use crate::middleware::shield::error_text;
use crate::state::AppState;

/// Size of a picture on a desk.
pub const WIDE: (u32, u32) = (1_120, 320);
/// Size of a picture on a tablet.
pub const MEDIUM: (u32, u32) = (720, 280);
/// Size of a picture on a phone.
pub const NARROW: (u32, u32) = (400, 280);
/// Sizes that pages ask for; any other is refused, so that nobody fills the cache with sizes.
const SIZES: [(u32, u32); 3] = [WIDE, MEDIUM, NARROW];
/// The address of a picture holds the version of its data.
const CACHING: HeaderValue = HeaderValue::from_static("private, max-age=3600");

type Pairs = Query<Vec<(String, String)>>;

/// The trend as a picture.
pub async fn trend_svg(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    Path(tenant): Path<String>,
    Query(pairs): Pairs,
) -> Response {
    let picture = async { sized(&state, option(&request, &tenant, &pairs).await?, &pairs).await };
    picture.await.unwrap_or_else(|error| error_text(&error))
}

/// A chart as a picture of the size and in the theme that the address names.
pub async fn picture(state: &AppState, chart: &TrendChart, pairs: &[(String, String)]) -> Result<Response, Error> {
    sized(state, chart.option(theme(pairs)?), pairs).await
}

async fn sized(state: &AppState, option: String, pairs: &[(String, String)]) -> Result<Response, Error> {
    let number = |name: &str| value(pairs, name).and_then(|value| value.parse::<u32>().ok());
    let size = (number("width").unwrap_or(SIZES[0].0), number("height").unwrap_or(SIZES[0].1));
    if !SIZES.contains(&size) {
        return Err(Error::invalid("width", "use 1120 with height 320, or 720 or 400 with height 280."));
    }
    Ok(answer(&draw(state, option, size).await?))
}

/// A drawn chart as an answer. Its address holds the version of its data.
pub fn answer(svg: &str) -> Response {
    let mut response = svg.as_bytes().to_vec().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PICTURE_CSP));
    headers.insert(header::CACHE_CONTROL, CACHING);
    response
}

/// The trend as an ECharts option.
pub async fn trend_json(
    Extension(request): Extension<app::request::Request>,
    Path(tenant): Path<String>,
    Query(pairs): Pairs,
) -> Response {
    match option(&request, &tenant, &pairs).await {
        Ok(option) => answer_option(option),
        Err(error) => error_text(&error),
    }
}

/// An option as an answer. Its address holds the version of its data.
pub fn answer_option(option: String) -> Response {
    let mut response = option.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, CACHING);
    response
}

async fn option(request: &app::request::Request, tenant: &str, pairs: &[(String, String)]) -> Result<String, Error> {
    let ctx = rtv_domain::access::enter(&request.context, tenant).await?;
    let filter = PageFilter::parse(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
    let choices = if filter.teams.is_empty() { Vec::new() } else { team::choices(&ctx).await? };
    let ctx = team::narrow(&ctx, &choices, &filter.teams)?.ctx;
    Ok(app::dashboard::trend_chart(&ctx, &filter).await?.option(theme(pairs)?))
}

fn theme(pairs: &[(String, String)]) -> Result<Theme, Error> {
    match value(pairs, "theme") {
        None | Some("light") => Ok(Theme::Light),
        Some("dark") => Ok(Theme::Dark),
        Some(_) => Err(Error::invalid("theme", "use light or dark.")),
    }
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// Draws an option, or takes the picture that was drawn of an equal one.
pub async fn draw(state: &AppState, option: String, (width, height): (u32, u32)) -> Result<std::sync::Arc<str>, Error> {
    // The whole option is the key: equal options are equal pictures, whoever asks.
    let key = format!("{width}x{height} {option}");
    if let Some(picture) = state.pictures.get(&key).await {
        return Ok(picture);
    }
    let picture: std::sync::Arc<str> = state
        .renderer
        .svg(&option, width, height)
        .await
        .map_err(|error| match error {
            RenderError::Busy => {
                Error::Unavailable("Many charts are being drawn. Load the page again in a moment.".into())
            }
            other => {
                tracing::error!(error = %other, "a chart could not be drawn");
                Error::Internal
            }
        })?
        .into();
    state.pictures.insert(key, picture.clone()).await;
    Ok(picture)
}
