//! The closed error type of RTV. One table maps a kind to its HTTP status and the sentence that a person reads.
//! Causes are logged once, where they become [`Error::Internal`], never carried to the browser.

use serde::{Deserialize, Serialize};

use crate::permission::Permission;

/// Result with RTV's error.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Everything that RTV refuses or fails with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Error {
    /// It does not exist, or the actor may not know that it does: both answer alike.
    #[error("not found")]
    NotFound,
    /// Nobody is signed in, or the session has ended.
    #[error("sign in first")]
    SignedOut,
    /// The actor lacks a permission in a tenant of their own.
    #[error("this needs the permission {0}")]
    Forbidden(Permission),
    /// Input was refused. Nothing was changed.
    #[error("{}", sentences(.0))]
    Invalid(Vec<FieldError>),
    /// Somebody or something else changed it in the meantime, or the state does not allow the act.
    #[error("{0}")]
    Conflict(String),
    /// A limit or a rate was reached. The text names the limit, its use and when to try again.
    #[error("{0}")]
    Limit(String),
    /// Something that RTV needs does not answer. Trying again later is right.
    #[error("{0}")]
    Unavailable(String),
    /// A fault of ours, already logged with the request id.
    #[error("something failed on our side")]
    Internal,
}

/// What was wrong with one field of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Name of the field as the form, the API or the command line has it.
    pub field: String,
    /// What would be accepted, as a sentence.
    pub message: String,
}

fn sentences(errors: &[FieldError]) -> String {
    errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect::<Vec<_>>().join("; ")
}

impl Error {
    /// A refusal of one field.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// HTTP status of the kind.
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::SignedOut => 401,
            Self::Forbidden(_) => 403,
            Self::Invalid(_) => 422,
            Self::Conflict(_) => 409,
            Self::Limit(_) => 429,
            Self::Unavailable(_) => 503,
            Self::Internal => 500,
        }
    }

    /// Heading for a page that shows the error.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::NotFound => "Page not found",
            Self::SignedOut => "Sign in to go on",
            Self::Forbidden(_) => "You don’t have access to this page",
            Self::Invalid(_) => "The address has a value that we can’t use",
            Self::Conflict(_) => "It has changed in the meantime",
            Self::Limit(_) => "Too many requests",
            Self::Unavailable(_) => "RTV is not available right now",
            Self::Internal => "Something failed on our side",
        }
    }

    /// What a person should know and do, in sentences.
    pub fn explanation(&self) -> String {
        match self {
            Self::NotFound => "It may have been moved or removed, or the address has a typing error. If somebody sent you this link, ask them whether you have been given access.".into(),
            Self::SignedOut => "Your session has ended or you have not signed in yet.".into(),
            Self::Forbidden(permission) => format!(
                "This page needs the permission “{}” ({}). An owner or admin of this organisation can grant it.",
                permission.key(),
                permission.description()
            ),
            Self::Invalid(errors) => errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect::<Vec<_>>().join(" "),
            Self::Conflict(text) | Self::Limit(text) | Self::Unavailable(text) => text.clone(),
            Self::Internal => "We have logged what happened. Try again; if it fails again, tell your operator the request id below.".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_input_names_every_field() {
        let error = Error::Invalid(vec![
            FieldError { field: "slug".into(), message: "use letters".into() },
            FieldError { field: "zone".into(), message: "use an IANA zone".into() },
        ]);
        assert_eq!(error.to_string(), "slug: use letters; zone: use an IANA zone");
        assert_eq!(error.status(), 422);
    }

    #[test]
    fn an_error_travels_to_the_browser_and_back() {
        for error in [
            Error::NotFound,
            Error::Forbidden(Permission::AnalyticsRead),
            Error::invalid("a", "b"),
            Error::Limit("x".into()),
        ] {
            let text = serde_json::to_string(&error).unwrap();
            assert_eq!(serde_json::from_str::<Error>(&text).unwrap(), error);
        }
    }
}
