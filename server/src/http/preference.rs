//! The forms with which a person chooses theme, density and keys. They stand on every page and lead back to it.

use axum::Form;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::Method;
use rtv_core::{Error, Preference};
use rtv_domain::preference::{self, Change};
use serde::Deserialize;
use tower_sessions::Session;

use crate::http::flash;
use crate::middleware::shield::error_page;
use crate::state::AppState;

/// What the forms hold; each sends one choice.
#[derive(Debug, Deserialize)]
pub struct PreferenceForm {
    theme: Option<String>,
    density: Option<String>,
    single_keys: Option<String>,
    #[serde(default)]
    back: String,
}

/// Changes what was chosen and leads back.
pub async fn change(
    State(state): State<AppState>,
    Extension(request): Extension<app::request::Request>,
    session: Session,
    Form(form): Form<PreferenceForm>,
) -> Response {
    let back = flash::local_path(&form.back).unwrap_or("/");
    let change = Change { theme: form.theme, density: form.density, single_keys: form.single_keys };
    let asked = change.clone();
    match preference::change(&request.context, change).await {
        Ok(now) => match sentence(&asked, now) {
            Some(text) => flash::lead_with(&session, flash::success(text), back).await,
            None => Redirect::to(back).into_response(),
        },
        // The forms hold buttons alone: what is no choice was typed by nobody, so no page is there to tell it.
        Err(error @ Error::Invalid(_)) => error_page(&state, error, &request.context.request().id, &Method::POST),
        Err(error) => flash::refuse(&state, &request, &session, back, error, Vec::new()).await,
    }
}

/// What is so from now on; nothing where nothing was asked for.
fn sentence(asked: &Change, now: Preference) -> Option<String> {
    if asked.theme.is_some() {
        return Some(match now.theme {
            rtv_core::Theme::System => "The theme follows your device.".to_owned(),
            theme => format!("The theme is {} on all your devices.", theme.key()),
        });
    }
    if asked.density.is_some() {
        return Some(format!("Rows and panels are {}.", now.density.key()));
    }
    let keys = if now.has_single_keys { "on" } else { "off" };
    asked.single_keys.as_ref().map(|_| format!("Single-key shortcuts are {keys}."))
}
