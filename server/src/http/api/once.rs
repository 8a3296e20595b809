//! Requests that change something. One that carries an `Idempotency-Key` is done once: what it does and the answer are one
//! transaction, and asked again it gets the same answer.

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use rtv_core::{Error, FieldError};
use rtv_domain::TenantContext;
use rtv_domain::api_answer::{self, Act, Answer, Begun};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::caller::{Caller, written};
use super::json;
use super::problem::{self, Kind, Refusal};
use crate::state::AppState;

/// The header with the program's own key of an act.
pub const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer was given before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Longest body, files aside.
const LARGEST: usize = 64 * 1_024;

/// A request that changes something, before it is done. Dropped, nothing was done.
#[derive(Debug)]
pub struct Once {
    caller: Caller,
    act: Option<Box<Act>>,
}

/// The same with what its body says.
#[derive(Debug)]
pub struct Write<T> {
    /// The request.
    pub once: Once,
    /// What its body says.
    pub body: T,
}

impl FromRequest<AppState> for Once {
    type Rejection = Response;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Response> {
        let (parts, caller, bytes) = received(request, state).await?;
        Self::begin(caller, &parts, digest(&parts, &bytes)).await
    }
}

impl<T: DeserializeOwned + Send> FromRequest<AppState> for Write<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Response> {
        let (parts, caller, bytes) = received(request, state).await?;
        let body = read(&parts.headers, &bytes).map_err(|refusal| refusal.response(caller.request_id()))?;
        let once = Once::begin(caller, &parts, digest(&parts, &bytes)).await?;
        Ok(Self { once, body })
    }
}

/// Who asks, then the body: nobody reads on for somebody without a key.
async fn received(request: Request, state: &AppState) -> Result<(Parts, Caller, Bytes), Response> {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, state).await?;
    let bytes = to_bytes(body, LARGEST).await.map_err(|_| {
        let detail = "The body is longer than 64 KiB, or was cut off. Nothing was changed.".to_owned();
        Refusal { detail, ..Refusal::of(Kind::TooLarge) }.response(caller.request_id())
    })?;
    Ok((parts, caller, bytes))
}

/// What makes it the same request.
fn digest(parts: &Parts, bytes: &[u8]) -> [u8; 32] {
    let address = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    digest_of(&[parts.method.as_str().as_bytes(), address.as_bytes(), bytes])
}

/// The digest of several parts, each with its length, so that none runs into the next.
pub fn digest_of(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

fn read<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, Refusal> {
    if !is_json(headers) {
        return Err(Refusal {
            detail: "Send the body as application/json.".into(),
            ..Refusal::of(Kind::UnsupportedMediaType)
        });
    }
    from_json(bytes)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// A value out of JSON. What is no JSON cannot be read; what is JSON of another form is refused by the field.
pub fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize::<_, T>(&mut reader);
    match value {
        Ok(value) => match reader.end() {
            Ok(()) => Ok(value),
            Err(error) => Err(unreadable(&error)),
        },
        Err(error) if error.inner().is_data() => {
            let path = error.path().to_string();
            // A field that is missing or not known is told by the sentence and not by the path.
            let message = error.inner().to_string();
            let named = message.split('`').nth(1).map(str::to_owned);
            let field = if path == "." { named.unwrap_or_else(|| "body".into()) } else { path };
            let message = message.split(" at line ").next().unwrap_or_default().to_owned();
            Err(Error::Invalid(vec![FieldError { field, message: format!("{message}.") }]).into())
        }
        Err(error) => Err(unreadable(error.inner())),
    }
}

fn unreadable(error: &serde_json::Error) -> Refusal {
    Refusal { detail: format!("The body is no JSON: {error}."), ..Refusal::of(Kind::BadRequest) }
}

/// The program's own key of the act, if it sends one.
pub fn key_of(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get(KEY) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    if text.is_empty() || text.len() > 255 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Refusal::address(Error::invalid(
            "Idempotency-Key",
            "use 1 to 255 visible ASCII characters, such as a UUID.",
        )));
    }
    Ok(Some(text.to_owned()))
}

impl Once {
    /// Begins, or answers at once: with what was answered before, or with why not.
    async fn begin(caller: Caller, parts: &Parts, digest: [u8; 32]) -> Result<Self, Response> {
        match key_of(&parts.headers) {
            Ok(None) => Ok(Self { caller, act: None }),
            Ok(Some(key)) => Self::begin_with(caller, &key, digest).await,
            Err(refusal) => Err(refusal.response(caller.request_id())),
        }
    }

    /// A request that carries a key.
    pub async fn begin_with(caller: Caller, key: &str, digest: [u8; 32]) -> Result<Self, Response> {
        let refusal = match api_answer::begin(caller.ctx(), key, digest).await {
            Ok(Begun::Fresh(act)) => return Ok(Self { caller, act: Some(act) }),
            Ok(Begun::Done(answer)) => {
                let mut response = respond(answer);
                response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
                return Err(response);
            }
            Ok(Begun::OtherRequest) => Refusal::of(Kind::OtherRequest),
            Ok(Begun::Running) => Refusal {
                detail: "A request with this Idempotency-Key is being answered at this moment. Ask again in a second."
                    .into(),
                retry_after: Some(1),
                ..Refusal::of(Kind::Conflict)
            },
            Err(error) => error.into(),
        };
        Err(refusal.response(caller.request_id()))
    }

    /// A request that carries no key.
    pub const fn without_key(caller: Caller) -> Self {
        Self { caller, act: None }
    }

    /// With which to do it.
    pub fn ctx(&self) -> &TenantContext {
        self.act.as_ref().map_or_else(|| self.caller.ctx(), |act| act.ctx())
    }

    /// Who asks.
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The answer to what was done: a value under that status.
    pub async fn answer<T: Serialize>(self, status: StatusCode, outcome: Result<T, Error>) -> Response {
        let body = outcome.and_then(|value| written(&value));
        self.end(status, body.map_err(Refusal::from)).await
    }

    /// The answer to what was done where nothing is left to tell.
    pub async fn done(self, outcome: Result<(), Error>) -> Response {
        self.end(StatusCode::NO_CONTENT, outcome.map(|()| String::new()).map_err(Refusal::from)).await
    }

    /// The answer, kept with what was done if the request has a key. What failed on our side is undone and not kept.
    pub async fn end(self, status: StatusCode, outcome: Result<String, Refusal>) -> Response {
        let Self { caller, act } = self;
        let (answer, refusal) = match outcome {
            Ok(body) => (Answer { status: status.as_u16(), body }, None),
            Err(refusal) => {
                (Answer { status: refusal.kind.status(), body: refusal.body(caller.request_id()) }, Some(refusal))
            }
        };
        let is_passing = refusal.as_ref().is_some_and(Refusal::is_passing);
        let ended = match act {
            None => Ok(()),
            Some(act) if is_passing => act.give_up().await,
            Some(act) => act.finish(&answer).await,
        };
        match (ended, refusal) {
            (Err(error), _) => Refusal::from(error).response(caller.request_id()),
            (Ok(()), Some(refusal)) => refusal.response(caller.request_id()),
            (Ok(()), None) => respond(answer),
        }
    }
}

fn respond(answer: Answer) -> Response {
    match StatusCode::from_u16(answer.status) {
        Ok(StatusCode::NO_CONTENT) => axum::response::IntoResponse::into_response(StatusCode::NO_CONTENT),
        Ok(status) if status.is_success() => json(status, answer.body),
        _ => problem::with_body(answer.status, answer.body),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Body {
        name: String,
        #[serde(default)]
        numbers: Vec<i64>,
    }

    #[track_caller]
    fn check(text: &str, kind: Kind, field: Option<&str>) {
        let refusal = from_json::<Body>(text.as_bytes()).unwrap_err();
        let fields: Vec<_> = refusal.errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!((refusal.kind, fields.first().copied()), (kind, field), "{refusal:?}");
    }

    #[test]
    fn a_body_is_refused_by_what_is_wrong_with_it() {
        assert!(from_json::<Body>(br#"{"name":"a"}"#).is_ok());
        check("", Kind::BadRequest, None);
        check("{\"name\":", Kind::BadRequest, None);
        check("{\"name\":\"a\"} x", Kind::BadRequest, None);
        check("{}", Kind::Invalid, Some("name"));
        check("[]", Kind::Invalid, Some("body"));
        check("{\"name\":1}", Kind::Invalid, Some("name"));
        check("{\"name\":\"a\",\"more\":1}", Kind::Invalid, Some("more"));
        check("{\"name\":\"a\",\"numbers\":[1,\"x\"]}", Kind::Invalid, Some("numbers[1]"));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(digest_of(&[b"ab", b"c"]), digest_of(&[b"a", b"bc"]));
    }
}
