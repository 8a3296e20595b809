//! The closed error type of RTV. One table maps a kind to its HTTP status and the sentence that a person reads.
//! Causes are logged once, where they become [`Error::Internal`], never carried to the browser.

use serde::{Deserialize, Serialize};

use crate::permission::Permission;
use crate::read_only::ReadOnly;
use crate::role::Role;

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
    /// The session was idle for longer than the tenant allows. Nothing of it answers until the person signs in again.
    #[error("sign in again first: the session was idle for too long")]
    SessionIdle,
    /// The tenant lets its members in from certain networks, and this address, as it is shown, is in none of them.
    #[error("the network address {0} may not enter this organisation")]
    AddressNotAllowed(String),
    /// The tenant asks its members for a second factor, and the person has none. Nothing of it answers until they do.
    #[error("set up a second factor first")]
    SecondFactorMissing,
    /// The act is dangerous, and the person last proved who they are too long ago. Nothing was changed.
    #[error("confirm that it is you first")]
    NotFresh,
    /// The actor lacks a permission in a tenant of their own.
    #[error("this needs the permission {0}")]
    Forbidden(Permission),
    /// The request did not come from a page of ours, or the browser did not say from where. Nothing was changed.
    #[error("this was sent from another site")]
    Foreign,
    /// Input was refused. Nothing was changed.
    #[error("{}", sentences(.0))]
    Invalid(Vec<FieldError>),
    /// Somebody or something else changed it in the meantime, or the state does not allow the act.
    #[error("{0}")]
    Conflict(String),
    /// The tenant, or all of RTV, can be read and not changed for now. Nothing was changed.
    #[error("{} {}", .0.explanation(), .0.advice())]
    ReadOnly(ReadOnly),
    /// A limit or a rate was reached.
    #[error("{message} Try again in {}.", duration(*seconds))]
    Limit {
        /// Names the limit and its use, as a sentence.
        message: String,
        /// In how many seconds it makes sense to try again.
        seconds: u32,
    },
    /// The tenant's plan does not allow more of it. Names limit, use, plan and who can raise it. Nothing was changed.
    #[error("{0}")]
    PlanLimit(String),
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

/// A span of time as people say it; rounded up, so that waiting as long as it says is long enough.
fn duration(seconds: u32) -> String {
    let (count, unit) = match seconds {
        0..=90 => (seconds.max(1), "second"),
        91..=5_400 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3_600), "hour"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// How soon to try again when something that RTV needs does not answer.
const SOON: u32 = 10;

impl Error {
    /// A refusal of one field.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// The same refusal where a form calls the field by another name.
    #[must_use]
    pub fn about(mut self, field: &str, name_in_form: &str) -> Self {
        if let Self::Invalid(errors) = &mut self {
            for error in errors.iter_mut().filter(|error| error.field == field) {
                name_in_form.clone_into(&mut error.field);
            }
        }
        self
    }

    /// HTTP status of the kind.
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::SignedOut | Self::SessionIdle => 401,
            Self::Forbidden(_)
            | Self::Foreign
            | Self::SecondFactorMissing
            | Self::NotFresh
            | Self::AddressNotAllowed(_) => 403,
            Self::Invalid(_) => 422,
            Self::Conflict(_) | Self::PlanLimit(_) => 409,
            // Not 409: looking again and sending again, which answers a conflict, does not help here.
            Self::ReadOnly(_) => 423,
            Self::Limit { .. } => 429,
            Self::Unavailable(_) => 503,
            Self::Internal => 500,
        }
    }

    /// In how many seconds it makes sense to try again, where waiting helps: the header `Retry-After`.
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Limit { seconds, .. } => Some(*seconds),
            Self::Unavailable(_) => Some(SOON),
            Self::NotFound
            | Self::SignedOut
            | Self::SessionIdle
            | Self::AddressNotAllowed(_)
            | Self::SecondFactorMissing
            | Self::NotFresh
            | Self::Forbidden(_)
            | Self::Foreign
            | Self::Invalid(_)
            | Self::Conflict(_)
            | Self::ReadOnly(_)
            | Self::PlanLimit(_)
            | Self::Internal => None,
        }
    }

    /// Heading for a page that shows the error: what happened.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::NotFound => "Page not found",
            Self::SignedOut => "Sign in to go on",
            Self::SessionIdle => "Sign in again to go on",
            Self::AddressNotAllowed(_) => "You can’t enter from this network",
            Self::SecondFactorMissing => "Set up a second factor to go on",
            Self::NotFresh => "Confirm that it is you",
            Self::Forbidden(_) => "You don’t have access to this page",
            Self::Foreign => "This was not sent from RTV",
            Self::Invalid(_) => "The address has a value that we can’t use",
            Self::Conflict(_) => "It has changed in the meantime",
            Self::ReadOnly(reason) => reason.title(),
            Self::PlanLimit(_) => "The plan does not allow more",
            Self::Limit { .. } => "Too many requests",
            Self::Unavailable(_) => "RTV is not available right now",
            Self::Internal => "Something failed on our side",
        }
    }

    /// Why, in sentences.
    pub fn explanation(&self) -> String {
        match self {
            Self::NotFound => {
                "There is nothing at this address that you can see. It may have been moved or removed, or the address has a typing error.".into()
            }
            Self::SignedOut => "Your session has ended or you have not signed in yet.".into(),
            Self::SessionIdle => {
                "Your session was not used for longer than this organisation allows. Nothing was changed.".into()
            }
            Self::AddressNotAllowed(address) => format!(
                "This organisation lets its members in from certain networks, and your address {address} is in none of them. Nothing was changed."
            ),
            Self::SecondFactorMissing => {
                "This organisation asks its members for a second factor at sign-in, and your account has none yet.".into()
            }
            Self::NotFresh => {
                "This needs your password or a code from the last five minutes. Nothing was changed.".into()
            }
            Self::Forbidden(permission) => format!(
                "This page needs the permission “{}” ({}), and your role in this organisation does not hold it.",
                permission.key(),
                permission.description()
            ),
            Self::Foreign => "The form came from another site, or your browser did not say from where. Nothing was changed.".into(),
            Self::Invalid(errors) => {
                errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect::<Vec<_>>().join(" ")
            }
            Self::Conflict(text) | Self::PlanLimit(text) | Self::Unavailable(text) => text.clone(),
            Self::ReadOnly(reason) => reason.explanation(),
            Self::Limit { .. } => self.to_string(),
            Self::Internal => "What happened is in our log. Nothing that you did caused it.".into(),
        }
    }

    /// What to do next, a sentence each, the likeliest first.
    pub fn advice(&self) -> Vec<String> {
        let one = |text: &str| vec![text.to_owned()];
        match self {
            Self::NotFound => vec![
                "Check the address for a typing error.".into(),
                "If somebody sent you this link, ask them whether you have been given access.".into(),
            ],
            Self::SignedOut => one("Sign in; you come back to this page."),
            Self::SessionIdle => one("Sign in again; you come back to this page."),
            Self::AddressNotAllowed(_) => vec![
                "Connect through the network of your organisation, for example by its VPN.".into(),
                "Ask an owner or an admin of this organisation to allow your network, under Settings, Security.".into(),
                "If nobody gets in any more, your operator can clear the list.".into(),
            ],
            Self::SecondFactorMissing => one("Set it up with an authenticator app; it takes about a minute."),
            Self::NotFresh => one("Confirm with your password or a code, then do it again."),
            Self::Forbidden(permission) => {
                vec![format!("Ask {} of this organisation for a role that holds it.", who_can_grant(*permission))]
            }
            Self::Foreign => one("Open RTV itself and send the form there."),
            Self::Invalid(_) => one("Correct the address, or start from the page that it belongs to."),
            Self::Conflict(_) => one("Load the page again and look at what it says now."),
            Self::ReadOnly(reason) => one(reason.advice()),
            Self::PlanLimit(_) => one(
                "Ask your operator for a higher limit or a larger plan; Settings, Plan and limits shows what is used.",
            ),
            Self::Limit { .. } => one("Wait that long; trying sooner does not help."),
            Self::Unavailable(_) => one("If it goes on for more than a few minutes, tell your operator."),
            Self::Internal => vec![
                "Try again: it may have been a single mishap.".into(),
                "If it fails again, tell your operator the request id below.".into(),
            ],
        }
    }
}

/// The built-in roles that can give a permission to somebody: who keeps people and holds it, because nobody gives away
/// what they do not have.
fn who_can_grant(permission: Permission) -> String {
    Role::ALL
        .into_iter()
        .filter(|role| role.grants(Permission::UsersManage) && role.grants(permission))
        .map(|role| format!("an {}", role.key()))
        .collect::<Vec<_>>()
        .join(" or ")
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
            Error::Foreign,
            Error::Limit { message: "x".into(), seconds: 7 },
            Error::PlanLimit("y".into()),
            Error::AddressNotAllowed("203.0.113.9".into()),
        ] {
            let text = serde_json::to_string(&error).unwrap();
            assert_eq!(serde_json::from_str::<Error>(&text).unwrap(), error);
        }
    }

    #[test]
    fn who_lacks_a_permission_is_told_its_name_and_who_can_grant_it() {
        let check = |permission, expect: &[&str]| {
            let error = Error::Forbidden(permission);
            let text = format!("{} {}", error.explanation(), error.advice().join(" "));
            assert!(expect.iter().all(|part| text.contains(part)), "{text}");
        };
        check(Permission::ImportsManage, &["“imports:manage”", "import files", "Ask an owner or an admin of"]);
        check(Permission::BillingManage, &["“billing:manage”", "Ask an owner of"]);
    }

    #[test]
    fn a_limit_says_how_long_to_wait() {
        let check = |seconds, expect: &str| {
            let error = Error::Limit { message: "Too many.".into(), seconds };
            assert_eq!(error.explanation(), format!("Too many. Try again in {expect}."));
            assert_eq!(error.retry_after(), Some(seconds));
        };
        check(1, "1 second");
        check(90, "90 seconds");
        check(91, "2 minutes");
        check(900, "15 minutes");
        check(5_401, "2 hours");
    }

    #[test]
    fn every_error_says_what_to_do_next() {
        for error in [
            Error::NotFound,
            Error::SignedOut,
            Error::SessionIdle,
            Error::AddressNotAllowed("203.0.113.9".into()),
            Error::PlanLimit("e".into()),
            Error::SecondFactorMissing,
            Error::NotFresh,
            Error::Foreign,
            Error::invalid("a", "b"),
            Error::Conflict("c".into()),
            Error::ReadOnly(ReadOnly::Suspended { reason: "r".into() }),
            Error::ReadOnly(ReadOnly::Cancelled { reason: String::new() }),
            Error::ReadOnly(ReadOnly::Maintenance { reason: "r".into() }),
            Error::Unavailable("d".into()),
            Error::Internal,
        ] {
            assert!(error.advice().iter().all(|step| step.ends_with('.')) && !error.advice().is_empty(), "{error:?}");
        }
    }
}
