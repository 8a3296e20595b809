//! What a program is told when something does not happen: problem documents of RFC 9457, for every error of the API.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{Extensions, HeaderValue, StatusCode, header};
use rtv_core::{Error, FieldError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::middleware::observe::RequestId;

/// The content type of a problem.
pub const CONTENT_TYPE: &str = "application/problem+json";

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $key:literal, $title:literal, $detail:literal;)*) => {
        /// Kinds of problems.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// Name in the problem's `type`.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }

            /// What happened, the same for all of the kind.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// Why, where no more is known.
            pub const fn detail(self) -> &'static str {
                match self { $(Self::$name => $detail,)* }
            }
        }
    };
}

kinds! {
    /// The address or the body cannot be read.
    BadRequest = 400, "bad-request", "The request cannot be read", "Its address, a header or its body is not of the form that is expected.";
    /// No key, or one that does not hold.
    NoKey = 401, "no-key", "A key is needed", "Send a key that holds, as the header “Authorization: Bearer rtv_…”. A key is refused when it was revoked, has expired, or its author has left or may not sign in.";
    /// The key lacks a permission.
    Forbidden = 403, "forbidden", "The key does not hold the permission", "The key does not hold the permission that this needs.";
    /// Only a person can do it.
    NeedsPerson = 403, "needs-a-person", "This takes a person", "This asks for a person who has just confirmed that it is them, so no key can do it. Do it on the page.";
    /// The tenant asks for a second factor, which the author does not have.
    SecondFactor = 403, "second-factor", "The key’s author needs a second factor", "The organisation asks its members for a second factor, and the author of this key has none yet.";
    /// The tenant lets nobody in from there.
    Elsewhere = 403, "network-not-allowed", "Not from this network", "The organisation lets its members and their programs in from certain networks only, and this one is none of them.";
    /// Nothing that this key may know of.
    NotFound = 404, "not-found", "Not found", "There is nothing at this address that this key can see.";
    /// Another method.
    MethodNotAllowed = 405, "method-not-allowed", "Method not allowed", "This address does not answer to this method; the header Allow says to what it does.";
    /// Something changed, or the state does not allow it.
    Conflict = 409, "conflict", "It does not fit the present state", "Something else has changed it, or its state does not allow this.";
    /// More than the plan allows.
    PlanLimit = 409, "plan-limit", "The plan does not allow more", "Remove what is not needed any more, or ask the operator for a higher limit or a larger plan.";
    /// Too long.
    TooLarge = 413, "too-large", "The body is too long", "The body is longer than is taken here. Nothing was changed.";
    /// Another content type.
    UnsupportedMediaType = 415, "unsupported-media-type", "The content type is not taken here", "Send the content type that the description names.";
    /// Fields were refused.
    Invalid = 422, "invalid", "The content is refused", "Nothing was changed; “errors” says for each field what would be accepted.";
    /// The key of an act was used for another one.
    OtherRequest = 422, "idempotency-key-reused", "The Idempotency-Key belongs to another request", "This Idempotency-Key came with another request within the last 24 hours. Take a new one for a new request.";
    /// Nothing changes for now.
    ReadOnly = 423, "read-only", "Nothing can be changed for now", "Everything can be read and exported; nothing can be changed until this is over.";
    /// Too many requests.
    TooMany = 429, "too-many-requests", "Too many requests", "Wait as long as Retry-After says; trying sooner does not help.";
    /// A fault of ours.
    Internal = 500, "internal", "Something failed on our side", "What happened is in our log under the request id. Nothing was changed.";
    /// Not now.
    Unavailable = 503, "unavailable", "RTV is not available right now", "Wait as long as Retry-After says, then try again.";
}

/// A problem document as RFC 9457 has it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "type": "/docs/api#problem-invalid",
    "title": "The content is refused",
    "status": 422,
    "detail": "name: use 1 to 80 characters without line breaks.",
    "request_id": "019aa3cf24f07c919d446a5b1e0f8c22",
    "errors": [{ "field": "name", "message": "use 1 to 80 characters without line breaks." }]
}))]
pub struct Problem {
    /// Where the kind of problem is described, from the root of this server.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference")]
    kind: String,
    /// What happened, the same for all problems of a kind.
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// Why, as sentences for people.
    detail: String,
    /// Under which the request stands in our log.
    request_id: String,
    /// What was wrong with which field, where fields were refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldProblem>,
}

/// What was wrong with one field.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Name of the field or the parameter.
    field: String,
    /// What would be accepted.
    message: String,
}

/// A refusal on its way to becoming an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its kind.
    pub kind: Kind,
    /// Why.
    pub detail: String,
    /// What was wrong with which field.
    pub errors: Vec<FieldError>,
    /// In how many seconds to try again.
    pub retry_after: Option<u32>,
}

impl Refusal {
    /// One of which no more is known than its kind.
    pub fn of(kind: Kind) -> Self {
        Self { kind, detail: kind.detail().into(), errors: Vec::new(), retry_after: None }
    }

    /// Fields of the address that cannot be read.
    pub fn address(error: Error) -> Self {
        match error {
            Error::Invalid(errors) => Self { detail: sentences(&errors), errors, ..Self::of(Kind::BadRequest) },
            other => other.into(),
        }
    }

    /// Whether asking again may help by itself, so that the answer is none to keep.
    pub const fn is_passing(&self) -> bool {
        matches!(self.kind, Kind::TooMany | Kind::ReadOnly | Kind::Internal | Kind::Unavailable | Kind::NoKey)
    }

    /// The body.
    pub fn body(&self, request_id: &str) -> String {
        let problem = Problem {
            kind: format!("{}#problem-{}", super::page::PATH, self.kind.key()),
            title: self.kind.title().into(),
            status: self.kind.status(),
            detail: self.detail.clone(),
            request_id: request_id.into(),
            errors: self
                .errors
                .iter()
                .map(|error| FieldProblem { field: error.field.clone(), message: error.message.clone() })
                .collect(),
        };
        serde_json::to_string(&problem).unwrap_or_default()
    }

    /// The answer.
    pub fn response(&self, request_id: &str) -> Response {
        let mut response = with_body(self.kind.status(), self.body(request_id));
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.kind == Kind::NoKey {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"rtv\""));
        }
        response
    }
}

/// An answer with a problem that is written already.
pub fn with_body(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE))], body).into_response()
}

fn sentences(errors: &[FieldError]) -> String {
    errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect::<Vec<_>>().join(" ")
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let retry_after = error.retry_after();
        let told = |kind: Kind, detail: String| Self { detail, retry_after, ..Self::of(kind) };
        match error {
            Error::NotFound => Self::of(Kind::NotFound),
            // A key has no session that could be idle.
            Error::SignedOut | Error::SessionIdle => Self::of(Kind::NoKey),
            Error::AddressNotAllowed(address) => {
                told(Kind::Elsewhere, format!("{} This came from {address}.", Kind::Elsewhere.detail()))
            }
            Error::SecondFactorMissing => Self::of(Kind::SecondFactor),
            // What only our own pages send is no word of the API's.
            Error::NotFresh | Error::Foreign => Self::of(Kind::NeedsPerson),
            Error::Forbidden(permission) => told(
                Kind::Forbidden,
                format!(
                    "This needs the permission “{}” ({}), and the key does not hold it, or its author no longer does.",
                    permission.key(),
                    permission.description()
                ),
            ),
            Error::Invalid(errors) => Self { detail: sentences(&errors), errors, ..Self::of(Kind::Invalid) },
            Error::Conflict(text) => told(Kind::Conflict, text),
            Error::PlanLimit(text) => told(Kind::PlanLimit, text),
            Error::ReadOnly(why) => told(Kind::ReadOnly, format!("{} {}", why.explanation(), why.advice())),
            error @ Error::Limit { .. } => told(Kind::TooMany, error.explanation()),
            Error::Unavailable(text) => told(Kind::Unavailable, text),
            Error::Internal => Self::of(Kind::Internal),
        }
    }
}

/// The id of a request.
pub fn request_id(extensions: &Extensions) -> String {
    extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}

/// The middleware: what axum refuses before a handler of ours is asked becomes a problem too.
pub async fn finish(request: Request, next: Next) -> Response {
    let id = request_id(request.extensions());
    let response = next.run(request).await;
    let status = response.status();
    let is_ours = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == CONTENT_TYPE);
    if is_ours || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let kind = match status {
        StatusCode::NOT_FOUND => Kind::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Kind::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => Kind::TooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Kind::UnsupportedMediaType,
        status if status.is_client_error() => Kind::BadRequest,
        _ => Kind::Internal,
    };
    let mut answer = Refusal::of(kind).response(&id);
    if let Some(allow) = response.headers().get(header::ALLOW) {
        answer.headers_mut().insert(header::ALLOW, allow.clone());
    }
    answer
}

#[cfg(test)]
mod tests {
    use rtv_core::{Permission, ReadOnly};

    use super::*;

    #[test]
    fn every_error_becomes_a_problem_with_its_status() {
        let check = |error: Error, status: u16| {
            let refusal = Refusal::from(error.clone());
            assert_eq!((refusal.kind.status(), refusal.retry_after), (status, error.retry_after()), "{error:?}");
            let body: serde_json::Value = serde_json::from_str(&refusal.body("id-7")).unwrap();
            assert_eq!((body["status"].as_u64(), body["request_id"].as_str()), (Some(status.into()), Some("id-7")));
            assert!(!body["detail"].as_str().unwrap().is_empty() && !body["title"].as_str().unwrap().is_empty());
        };
        for error in [
            Error::NotFound,
            Error::SignedOut,
            Error::SecondFactorMissing,
            Error::NotFresh,
            Error::Forbidden(Permission::AnalyticsRead),
            Error::invalid("name", "b."),
            Error::Conflict("c".into()),
            Error::PlanLimit("p".into()),
            Error::ReadOnly(ReadOnly::Suspended { reason: "A bill is open".into() }),
            Error::AddressNotAllowed("203.0.113.9".into()),
            Error::Limit { message: "Many.".into(), seconds: 7 },
            Error::Unavailable("d".into()),
            Error::Internal,
        ] {
            let status = error.status();
            check(error, status);
        }
    }

    #[test]
    fn no_two_kinds_have_the_same_name() {
        let mut keys: Vec<&str> = Kind::ALL.iter().map(|kind| kind.key()).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), Kind::ALL.len());
    }
}
