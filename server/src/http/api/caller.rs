//! Who asks: a program with a key. No cookie and no session is looked at.

use core::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};
use rtv_core::Error;
use rtv_domain::{Actor, TenantContext, access, api_key};
use serde::Serialize;

use super::json;
use super::problem::{Refusal, request_id};
use crate::middleware::identify::request_info;
use crate::state::AppState;

/// A program inside the tenant of its key.
#[derive(Debug, Clone)]
pub struct Caller {
    ctx: TenantContext,
    pairs: Vec<(String, String)>,
    is_reading: bool,
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        match enter(parts, state).await {
            Ok(ctx) => {
                let query = parts.uri.query().unwrap_or_default();
                let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
                let is_reading = matches!(parts.method, Method::GET | Method::HEAD);
                Ok(Self { ctx, pairs, is_reading })
            }
            Err(error) => Err(Refusal::from(error).response(&request_id(&parts.extensions))),
        }
    }
}

async fn enter(parts: &Parts, state: &AppState) -> Result<TenantContext, Error> {
    let secret = bearer(&parts.headers).ok_or(Error::SignedOut)?;
    let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>().ok_or(Error::Internal)?;
    let context = state.context(Actor::Anonymous, request_info(state, *peer, &parts.headers, &parts.extensions));
    let key = api_key::identify(&context, secret).await?;
    access::enter_with_key(&context.with_actor(Actor::ApiKey(key))).await
}

/// What stands after the word “Bearer”, if it looks like a key.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, secret) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let secret = secret.trim();
    (scheme.eq_ignore_ascii_case("bearer") && secret.starts_with(api_key::BEGINNING)).then_some(secret)
}

impl Caller {
    /// The key in its tenant.
    pub const fn ctx(&self) -> &TenantContext {
        &self.ctx
    }

    /// The parameters of the address.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// The first value of a parameter; an empty one is none.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The version that something was read with, as the parameter of a removal.
    pub fn version(&self) -> Result<String, Error> {
        let version = self.parameter("version").and_then(|text| text.parse::<i64>().ok());
        let version = version.ok_or_else(|| {
            Error::invalid("version", "give the version that you have read, as a number, like version=3.")
        })?;
        Ok(version.to_string())
    }

    /// The id under which the request stands in the log.
    pub fn request_id(&self) -> &str {
        &self.ctx.context().request().id
    }

    /// What is told when something is refused.
    pub fn refusal(&self, error: Error) -> Refusal {
        if self.is_reading { Refusal::address(error) } else { error.into() }
    }

    /// The answer to a question.
    pub fn answer<T: Serialize>(&self, outcome: Result<T, Error>) -> Response {
        let written = outcome.and_then(|value| written(&value));
        match written {
            Ok(body) => json(StatusCode::OK, body),
            Err(error) => self.refusal(error).response(self.request_id()),
        }
    }
}

/// A value as JSON.
pub fn written<T: Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| {
        tracing::error!(%error, "an answer cannot be written");
        Error::Internal
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_from_its_header_alone() {
        let check = |value: &str, expect: Option<&str>| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
            assert_eq!(bearer(&headers), expect, "{value}");
        };
        check("Bearer rtv_1", Some("rtv_1"));
        check("bearer  rtv_1 ", Some("rtv_1"));
        check("Basic cnR2OjE=", None);
        check("Bearer secret", None);
        check("rtv_1", None);
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
