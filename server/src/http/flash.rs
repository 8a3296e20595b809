//! Post, redirect, get: a form answers with a message in the session and leads to the page that shows it.

use app::page::Flash;
use axum::response::{IntoResponse, Redirect, Response};
use rtv_core::Error;
use tower_sessions::Session;

use crate::middleware::identify::FLASH;

/// Leaves a message and leads on. A message that cannot be stored is lost, not the act.
pub async fn lead_with(session: &Session, flash: Flash, to: &str) -> Response {
    if let Err(error) = session.insert(FLASH, flash).await {
        tracing::error!(%error, "a message for the next page could not be stored");
    }
    Redirect::to(to).into_response()
}

/// Good news.
pub fn success(text: impl Into<String>) -> Flash {
    Flash { text: Some(text.into()), is_success: true, ..Flash::default() }
}

/// A refusal, with what was typed.
pub fn refusal(error: Error, values: Vec<(String, String)>) -> Flash {
    match error {
        Error::Invalid(errors) => Flash {
            errors: errors.into_iter().map(|error| (error.field, error.message)).collect(),
            values,
            ..Flash::default()
        },
        other => Flash { text: Some(other.explanation()), values, ..Flash::default() },
    }
}

/// A path of our own, and nothing that a browser could read as another site.
pub fn local_path(next: &str) -> Option<&str> {
    let is_local = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && !next.chars().any(char::is_control)
        && next.len() <= 2_000;
    is_local.then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_only_to_our_own_pages() {
        for good in ["/", "/t/acme/dashboard?range=7d"] {
            assert_eq!(local_path(good), Some(good));
        }
        for bad in
            ["", "https://evil.example", "//evil.example", "/\\evil.example", "\\/evil", "javascript:alert(1)", "/a\nb"]
        {
            assert_eq!(local_path(bad), None, "{bad}");
        }
    }
}
