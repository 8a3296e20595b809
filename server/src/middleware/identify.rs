//! Finds out who asks, by the session's token, and takes the message that waits for the page out of the session.

use core::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use app::page::Flash;
use app::request::Request as AppRequest;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{Extensions, HeaderMap, Method, header};
use rtv_domain::{Actor, RequestInfo, maintenance, session};
use tower_sessions::Session;

use crate::middleware::client_address::client_address;
use crate::middleware::observe::RequestId;
use crate::middleware::session_store::hash;
use crate::middleware::shield::{Deadline, error_page};
use crate::state::AppState;

/// Key of the message in the session's data.
pub const FLASH: &str = "flash";

/// The middleware.
pub async fn identify(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    let info = request_info(&state, peer, request.headers(), request.extensions());
    let id = info.id.clone();
    let mut context = state.context(Actor::Anonymous, info);
    let mut flash = None;
    // What an open page asks by itself is no use of the session, or a page left open would keep somebody signed in. It is asked so
    // often that who asks is looked up together with what they ask.
    let is_glance = request.uri().path() == app::kill_switch::POLL;
    let glancing = session.id().filter(|_| is_glance).map(hash);
    let (page, asks) = (page_of(&request, &state), asks(&request));
    if let Some(token) = session.id().filter(|_| !is_glance) {
        match session::identify(&context, hash(token)).await {
            Ok(Some(found)) => {
                if let Some(person) = found.person {
                    context = context.with_actor(Actor::Person(Arc::new(person)));
                }
                if found.has_flash {
                    flash = waiting(&session, asks, &page).await.unwrap_or_else(|error| {
                        tracing::error!(%error, "a message for a page could not be read");
                        None
                    });
                }
            }
            Ok(None) => {}
            Err(error) => return error_page(&state, error, &id, request.method()),
        }
    }
    // Whoever has a session was just looked up, and the same statement told this; for all others it is at most a second old.
    let maintenance = if is_glance {
        maintenance::known(&state.database)
    } else {
        maintenance::current(&context).await.unwrap_or_else(|_| maintenance::known(&state.database))
    };
    let is_page = request.method() == Method::GET;
    let host = state.settings.base_url().authority().to_owned();
    request.extensions_mut().insert(AppRequest { context, flash, page, host, is_page, maintenance, glancing });
    next.run(request).await
}

/// Where a request comes from.
pub fn request_info(state: &AppState, peer: SocketAddr, headers: &HeaderMap, extensions: &Extensions) -> RequestInfo {
    RequestInfo {
        id: extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
        address: Some(client_address(peer.ip(), headers, &state.settings.trusted_proxies)),
        user_agent: text(headers, header::USER_AGENT).map(|agent| agent.chars().take(512).collect()),
        arrived: Some(Instant::now()),
        deadline: extensions.get::<Deadline>().map(|deadline| deadline.0),
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The message that waited for what is asked: for the next page, or for the call by which the script of a page reads that page anew
/// after it has sent a form. Other calls, such as those of a page that looks again by itself, leave it.
async fn waiting(session: &Session, asks: Asks, page: &str) -> Result<Option<Flash>, tower_sessions::session::Error> {
    let is_awaited = match asks {
        Asks::Page => true,
        Asks::Anew => session
            .get::<Flash>(FLASH)
            .await?
            .and_then(|flash| flash.in_place)
            .is_some_and(|path| page.split('?').next() == Some(path.as_str())),
        Asks::Else => false,
    };
    if is_awaited { session.remove(FLASH).await } else { Ok(None) }
}

/// What a request wants, as far as messages matter.
#[derive(Clone, Copy)]
enum Asks {
    /// A page that the browser loads.
    Page,
    /// What a page that is open reads by a call.
    Anew,
    /// Neither.
    Else,
}

fn asks(request: &Request) -> Asks {
    match request.uri().path() {
        _ if shows_a_page(request) => Asks::Page,
        path if path.starts_with("/fn/") => Asks::Anew,
        _ => Asks::Else,
    }
}

fn shows_a_page(request: &Request) -> bool {
    request.method() == Method::GET
        && text(request.headers(), header::ACCEPT).is_some_and(|accept| accept.contains("text/html"))
}

/// Path and query of the page that is shown: the request's own, or for a call from a page that page's.
fn page_of(request: &Request, state: &AppState) -> String {
    if request.method() == Method::GET {
        return request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    }
    let referer = text(request.headers(), header::REFERER).and_then(|referer| url::Url::parse(referer).ok());
    match referer {
        Some(url) if url.origin() == state.settings.base_url().origin() => {
            url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
        }
        _ => "/".into(),
    }
}
