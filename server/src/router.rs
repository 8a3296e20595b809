//! Every address that RTV answers. The lists here are what the permission coverage test walks, so a route that is added
//! anywhere else does not exist.

use app::routes::App;
use app::shell::document;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use http::{HeaderValue, StatusCode, header};
use leptos::nonce::use_nonce;
use leptos::prelude::{Owner, provide_context, use_context};
use leptos::reactive::computed::ScopedFuture;
use leptos_axum::{AxumRouteListing, LeptosRoutes, ResponseOptions, generate_route_list};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::services::ServeDir;
use tower_sessions::cookie::SameSite;
use tower_sessions::cookie::time::Duration;
use tower_sessions::{Expiry, SessionManagerLayer};

use crate::http::{
    account, api, api_key, audit, chart, competitor, confirmation, content, delivery, flash, gallery, health, import,
    invitation, kill_switch, metrics, password_reset, preference, profile, report, sample_data, second_factor, session,
    settings, sign_in, staff, target, team,
};
use crate::middleware::identify::identify;
use crate::middleware::observe::observe;
use crate::middleware::session_store::Store;
use crate::middleware::shield::{page_policy, shield};
use crate::state::AppState;

/// Largest body of a form or a call from a page.
const LARGEST_FORM: usize = 64 * 1_024;

/// A route that is no page: its method, its pattern, what answers.
pub type Route = (&'static str, &'static str, MethodRouter<AppState>);

/// Routes that know who asks.
#[expect(clippy::too_many_lines, reason = "it is one list")]
pub fn routes() -> Vec<Route> {
    vec![
        ("POST", "/sign-in", post(sign_in::sign_in)),
        ("POST", app::sign_in::CODE_PATH, post(sign_in::code)),
        ("POST", "/sign-out", post(sign_in::sign_out)),
        ("POST", "/invite/{token}", post(invitation::accept)),
        ("GET", "/shared/{token}/files/{name}", get(report::handout::file)),
        ("POST", "/shared/{token}/leave", post(report::handout::unsubscribe)),
        ("POST", "/shared/{token}/return", post(report::handout::subscribe)),
        ("GET", "/shared/{token}/unsubscribe", get(report::handout::one_click_page)),
        ("POST", "/shared/{token}/unsubscribe", post(report::handout::one_click)),
        ("POST", app::password_reset::PATH, post(password_reset::ask)),
        ("POST", "/reset/{token}", post(password_reset::set)),
        ("POST", "/me/name", post(profile::rename)),
        ("POST", "/me/password", post(profile::change_password)),
        ("POST", app::confirmation::PATH, post(confirmation::confirm)),
        ("POST", app::second_factor::PATH, post(second_factor::show_codes)),
        ("POST", "/me/second-factor/begin", post(second_factor::begin)),
        ("POST", "/me/second-factor/remove", post(second_factor::remove)),
        ("POST", app::preference::ACTION, post(preference::change)),
        ("POST", "/me/sessions/end-others", post(session::end_others)),
        ("POST", "/me/sessions/{session}/end", post(session::end)),
        ("GET", app::gallery::PATH, get(gallery::page)),
        ("GET", "/staff/gallery/chart.svg", get(gallery::picture)),
        ("POST", "/staff/tenants", post(staff::create_tenant)),
        ("POST", "/staff/tenants/{tenant}/status", post(staff::take_step)),
        ("POST", "/staff/tenants/{tenant}/plan", post(staff::set_plan)),
        ("POST", "/staff/tenants/{tenant}/limits", post(staff::set_limit)),
        ("POST", "/staff/tenants/{tenant}/copy-report", post(staff::copy_report)),
        ("POST", "/staff/tenants/{tenant}/visit", post(staff::begin_visit)),
        ("POST", "/staff/visits/{visit}/end", post(staff::end_visit)),
        ("POST", "/staff/users/{user}/disable", post(staff::disable_user)),
        ("POST", "/staff/users/{user}/enable", post(staff::enable_user)),
        ("POST", "/staff/users/{user}/reset-password", post(staff::reset_password)),
        ("POST", "/staff/users/{user}/end-sessions", post(staff::end_sessions)),
        ("POST", "/staff/switches/halt", post(kill_switch::engage_as_staff)),
        ("GET", "/staff/switches/drills.svg", get(kill_switch::drills_of_staff)),
        ("GET", "/staff/switches/halts/{halt}/receipt.json", get(kill_switch::receipt_of_staff)),
        ("POST", "/staff/switches/releases/{release}/approve", post(kill_switch::approve_as_staff)),
        ("POST", "/staff/switches/releases/{release}/withdraw", post(kill_switch::withdraw_as_staff)),
        ("POST", "/staff/switches/{switch}/release", post(kill_switch::release_as_staff)),
        ("POST", "/staff/switches/{switch}/review", post(kill_switch::review_as_staff)),
        ("POST", "/staff/maintenance", post(staff::switch_maintenance_on)),
        ("POST", "/staff/maintenance/off", post(staff::switch_maintenance_off)),
        ("POST", "/t/{tenant}/switches/halt", post(kill_switch::engage_in_tenant)),
        ("GET", "/t/{tenant}/switches/drills.svg", get(kill_switch::drills_of_tenant)),
        ("GET", "/t/{tenant}/switches/halts/{halt}/receipt.json", get(kill_switch::receipt_of_tenant)),
        ("POST", "/t/{tenant}/switches/releases/{release}/approve", post(kill_switch::approve_in_tenant)),
        ("POST", "/t/{tenant}/switches/releases/{release}/withdraw", post(kill_switch::withdraw_in_tenant)),
        ("POST", "/t/{tenant}/switches/{switch}/release", post(kill_switch::release_in_tenant)),
        ("POST", "/t/{tenant}/switches/{switch}/review", post(kill_switch::review_in_tenant)),
        ("GET", "/t/{tenant}/charts/trend.svg", get(chart::trend_svg)),
        ("GET", "/t/{tenant}/charts/trend.json", get(chart::trend_json)),
        ("POST", "/t/{tenant}/accounts", post(account::connect)),
        ("POST", "/t/{tenant}/accounts/{account}/verify", post(account::verify)),
        ("POST", "/t/{tenant}/accounts/{account}/disconnect", post(account::disconnect)),
        ("POST", "/t/{tenant}/content", post(content::create)),
        ("POST", "/t/{tenant}/content/{content}", post(content::edit)),
        ("POST", "/t/{tenant}/content/{content}/approve", post(content::approve)),
        ("POST", "/t/{tenant}/content/{content}/return", post(content::give_back)),
        ("POST", "/t/{tenant}/content/{content}/delete", post(content::delete)),
        ("POST", "/t/{tenant}/deliveries/{delivery}/decide", post(delivery::decide)),
        ("POST", "/t/{tenant}/api-keys", post(api_key::create)),
        ("POST", "/t/{tenant}/api-keys/{key}/revoke", post(api_key::revoke)),
        ("GET", "/t/{tenant}/audit/log.jsonl", get(audit::json_lines)),
        ("GET", "/t/{tenant}/audit/log.csv", get(audit::csv)),
        ("POST", "/t/{tenant}/audit/retention", post(audit::retention)),
        ("POST", "/t/{tenant}/reports", post(report::create)),
        ("POST", "/t/{tenant}/reports/{report}", post(report::details).layer(from_fn(flash::tell_script))),
        ("POST", "/t/{tenant}/reports/{report}/parts", post(report::add).layer(from_fn(flash::tell_script))),
        ("POST", "/t/{tenant}/reports/{report}/parts/{part}", post(report::edit).layer(from_fn(flash::tell_script))),
        ("POST", "/t/{tenant}/reports/{report}/parts/{part}/act", post(report::act).layer(from_fn(flash::tell_script))),
        ("POST", "/t/{tenant}/reports/{report}/undo", post(report::undo).layer(from_fn(flash::tell_script))),
        ("POST", "/t/{tenant}/reports/{report}/restore", post(report::restore)),
        ("POST", "/t/{tenant}/reports/{report}/delete", post(report::delete)),
        ("POST", "/t/{tenant}/reports/{report}/bring-back", post(report::bring_back)),
        ("GET", "/t/{tenant}/reports/{report}/charts/{block}", get(report::chart)),
        ("POST", "/t/{tenant}/reports/{report}/runs", post(report::run)),
        ("POST", "/t/{tenant}/reports/{report}/runs/{run}/again", post(report::again)),
        ("POST", "/t/{tenant}/reports/{report}/runs/{run}/cancel", post(report::cancel)),
        ("POST", "/t/{tenant}/reports/{report}/runs/{run}/mails/{letter}/again", post(report::schedule::send_again)),
        ("POST", "/t/{tenant}/reports/{report}/schedules", post(report::schedule::create)),
        ("POST", "/t/{tenant}/reports/{report}/schedules/{schedule}", post(report::schedule::save)),
        ("POST", "/t/{tenant}/reports/{report}/schedules/{schedule}/act", post(report::schedule::act)),
        ("GET", "/t/{tenant}/reports/{report}/runs/{run}/charts/{block}", get(report::run_chart)),
        ("GET", "/t/{tenant}/reports/{report}/runs/{run}/files/{name}", get(report::file)),
        ("POST", "/t/{tenant}/sample-data/remove", post(sample_data::remove)),
        ("POST", "/t/{tenant}/team/invitations", post(invitation::invite)),
        ("POST", "/t/{tenant}/team/invitations/{invitation}/resend", post(invitation::send_again)),
        ("POST", "/t/{tenant}/team/invitations/{invitation}/revoke", post(invitation::revoke)),
        ("POST", "/t/{tenant}/settings", post(settings::general)),
        ("POST", "/t/{tenant}/settings/sandbox", post(settings::mode)),
        ("POST", "/t/{tenant}/settings/security", post(settings::security)),
        ("POST", "/t/{tenant}/settings/report-domains", post(settings::report_domains)),
        ("POST", "/t/{tenant}/settings/second-factor", post(settings::require_second_factor)),
        ("POST", "/t/{tenant}/settings/branding", post(settings::branding)),
        (
            "POST",
            "/t/{tenant}/settings/logo",
            post(settings::set_logo).layer(DefaultBodyLimit::max(LARGEST_FORM + rtv_domain::logo::MOST_BYTES)),
        ),
        ("POST", "/t/{tenant}/settings/logo/remove", post(settings::remove_logo)),
        ("GET", "/t/{tenant}/logo", get(settings::logo)),
        ("POST", "/t/{tenant}/competitors", post(competitor::add)),
        (
            "POST",
            "/t/{tenant}/competitors/upload",
            post(competitor::upload).layer(DefaultBodyLimit::max(LARGEST_FORM + rtv_domain::competitor::MOST_BYTES)),
        ),
        ("POST", "/t/{tenant}/competitors/{competitor}", post(competitor::rename)),
        ("POST", "/t/{tenant}/competitors/{competitor}/remove", post(competitor::remove)),
        ("POST", "/t/{tenant}/competitors/{competitor}/bring-back", post(competitor::bring_back)),
        ("POST", "/t/{tenant}/competitors/{competitor}/months", post(competitor::set_month)),
        ("POST", "/t/{tenant}/competitors/{competitor}/months/remove", post(competitor::remove_month)),
        ("POST", "/t/{tenant}/targets", post(target::set)),
        ("POST", "/t/{tenant}/targets/{target}/remove", post(target::remove)),
        ("POST", "/t/{tenant}/team/members/{user}", post(team::change_member)),
        ("POST", "/t/{tenant}/team/members/{user}/remove", post(team::remove_member)),
        ("POST", "/t/{tenant}/team/teams", post(team::create_team)),
        ("POST", "/t/{tenant}/team/teams/{team}", post(team::update_team)),
        ("POST", "/t/{tenant}/team/teams/{team}/delete", post(team::delete_team)),
        ("POST", "/t/{tenant}/team/teams/{team}/members", post(team::set_team_member)),
        ("POST", "/t/{tenant}/team/teams/{team}/members/{user}/remove", post(team::remove_team_member)),
        ("POST", "/t/{tenant}/team/teams/{team}/resources", post(team::set_team_resources)),
        ("POST", "/t/{tenant}/team/roles", post(team::create_role)),
        ("POST", "/t/{tenant}/team/roles/{role}", post(team::update_role)),
        ("POST", "/t/{tenant}/team/roles/{role}/delete", post(team::delete_role)),
        // A file has a limit of its own, which the domain holds while it arrives.
        ("POST", "/t/{tenant}/imports", post(import::upload).layer(DefaultBodyLimit::disable())),
        ("GET", "/t/{tenant}/imports/sample.csv", get(import::sample)),
        ("POST", "/t/{tenant}/imports/mappings/rename", post(import::rename_mapping)),
        ("POST", "/t/{tenant}/imports/mappings/delete", post(import::delete_mapping)),
        ("POST", "/t/{tenant}/imports/{import}/check", post(import::check)),
        ("POST", "/t/{tenant}/imports/{import}/start", post(import::start)),
        ("POST", "/t/{tenant}/imports/{import}/cancel", post(import::cancel)),
        ("POST", "/t/{tenant}/imports/{import}/roll-back", post(import::roll_back)),
        ("GET", "/t/{tenant}/imports/{import}/refused.csv", get(import::refused_rows)),
    ]
}

/// Routes that know nobody.
pub fn open_routes() -> Vec<Route> {
    vec![
        ("GET", "/health/live", get(health::live)),
        ("GET", "/health/ready", get(health::ready)),
        ("GET", "/metrics", get(metrics::metrics)),
        ("GET", "/api/v1/openapi.json", get(api::openapi)),
        ("GET", api::page::PATH, get(api::page::page)),
    ]
}

/// The pages.
pub fn pages() -> Vec<AxumRouteListing> {
    generate_route_list(App)
}

/// The whole server.
pub fn build(state: &AppState) -> Router {
    let pages = pages();
    let mut known = Router::new();
    for (_, pattern, answer) in routes() {
        known = known.route(pattern, answer);
    }
    let known = known
        .route("/fn/{*function}", post(server_function))
        .leptos_routes_with_handler(pages.clone(), get(page))
        .fallback(page)
        .layer(from_fn_with_state(state.clone(), identify))
        .layer(sessions(state))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        // Pages repeat themselves: the quickest level already leaves a sixth. Files are compressed when they are built.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest));
    let mut open = Router::new();
    for (_, pattern, answer) in open_routes() {
        // Where metrics have a listener of their own, they are not for everybody who reaches the pages.
        if pattern != "/metrics" || state.settings.metrics_addr.is_none() {
            open = open.route(pattern, answer);
        }
    }
    let files = files(state);
    known
        .merge(open.merge(api::router()).layer(CompressionLayer::new().quality(CompressionLevel::Fastest)))
        .nest_service("/pkg", files("pkg"))
        .nest_service("/css", files("css"))
        .nest_service("/static", files("static"))
        .layer(from_fn_with_state(state.clone(), shield))
        .layer(from_fn(observe))
        .with_state(state.clone())
}

/// The listener of its own for metrics.
pub fn metrics(state: AppState) -> Router {
    Router::new().route("/metrics", get(metrics::metrics)).with_state(state)
}

fn sessions(state: &AppState) -> SessionManagerLayer<Store> {
    let is_secure = state.settings.base_url().scheme() == "https";
    SessionManagerLayer::new(Store::new(state.database.clone(), state.clock))
        // The prefix makes browsers refuse the cookie from a subdomain or over plain HTTP.
        .with_name(if is_secure { "__Host-rtv" } else { "rtv" })
        .with_secure(is_secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(Duration::seconds(rtv_domain::session::ABSOLUTE.num_seconds())))
}

/// Files of the browser. Their addresses hold a hash of their content, so they may be kept for ever.
fn files(state: &AppState) -> impl Fn(&str) -> Router + use<> {
    let root = state.leptos.site_root.to_string();
    move |folder| {
        Router::new()
            .fallback_service(ServeDir::new(format!("{root}/{folder}")).precompressed_br().precompressed_gzip())
            .layer(from_fn(async |request: Request, next: axum::middleware::Next| {
                let mut response = next.run(request).await;
                if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
                    response
                        .headers_mut()
                        .insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
                }
                response
            }))
    }
}

/// Renders a page, or the page that says that there is none.
pub async fn page(State(state): State<AppState>, request: Request<Body>) -> Response {
    let provide = contexts(&state, &request);
    let assets = state.assets.clone();
    leptos_axum::render_app_async_with_context(provide, move || document(&assets))(request).await.into_response()
}

/// A page in answer to a form that is sent to its own address and is refused there: the page itself says why, and the
/// answer has the status of the refusal.
pub async fn page_in_place(
    state: &AppState,
    asked: app::request::Request,
    path: &str,
    flash: app::page::Flash,
) -> Response {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = path.parse().unwrap_or_default();
    let page = path.to_owned();
    request.extensions_mut().insert(app::request::Request { flash: Some(flash), page, is_page: true, ..asked });
    self::page(State(state.clone()), request).await
}

/// Answers a call from a page in the browser.
async fn server_function(State(state): State<AppState>, request: Request<Body>) -> Response {
    // Leptos would answer 500 to a body that is too long.
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_FORM).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "The call is longer than 64 KiB, or was cut off. Nothing was changed.")
            .into_response();
    };
    let request = Request::from_parts(head, Body::from(body));
    let provide = contexts(&state, &request);
    // Leptos hangs the call under whatever was current on this thread last: the page of another request, in whose
    // context it would look for what it has not itself, and with which it can deadlock when that page ends meanwhile.
    let owner = Owner::new_root(None);
    owner
        .with(|| ScopedFuture::new(leptos_axum::handle_server_fns_with_context(provide, request)))
        .await
        .into_response()
}

/// What pages find in their context, and the policy with the nonce of this answer.
fn contexts(state: &AppState, request: &Request<Body>) -> impl Fn() + Clone + Send + Sync + 'static {
    let asked = request.extensions().get::<app::request::Request>().cloned();
    let assets = (*state.assets).clone();
    let uploads = state.uploads.clone();
    let (vault, outbox) = (state.vault.clone(), state.outbox.clone());
    let sandbox = app::account::SandboxPage(state.settings.sandbox_url().to_string());
    move || {
        if let Some(asked) = asked.clone() {
            provide_context(asked);
        }
        provide_context(assets.clone());
        provide_context(uploads.clone());
        provide_context(vault.clone());
        provide_context(outbox.clone());
        provide_context(sandbox.clone());
        if let (Some(options), Some(nonce)) = (use_context::<ResponseOptions>(), use_nonce())
            && let Ok(policy) = HeaderValue::from_str(&page_policy(&nonce))
        {
            options.insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
    }
}
