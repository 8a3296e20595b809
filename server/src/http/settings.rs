//! Forms of `/t/{tenant}/settings`.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use rtv_domain::settings::{self, Branding, Days, General, Security};
use rtv_domain::tenant;
use tower_sessions::Session;

use crate::http::flash;
use crate::http::form::{Asked, Pairs, enter, value};
use crate::state::AppState;

/// Changes name, zone and ways of writing.
pub async fn general(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let typed = General {
            name: value(&pairs, "name"),
            zone: value(&pairs, "zone"),
            locale: value(&pairs, "locale"),
            currency: value(&pairs, "currency"),
            week_start: value(&pairs, "week_start"),
            is_relabelled: !value(&pairs, "is_relabelled").is_empty(),
            version: value(&pairs, "version"),
        };
        Ok(match settings::change_general(&ctx, &typed).await? {
            Days::Kept => "The settings are saved.".to_owned(),
            Days::Moved => format!("The settings are saved. All posts have the days of {} now.", typed.zone.trim()),
            Days::Moving => format!(
                "The settings are saved. The days of all posts are being moved to {}; until that is done pages show the old ones.",
                typed.zone.trim()
            ),
        })
    };
    let page = format!("/t/{tenant}/settings");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}

/// Changes from where people get in and for how long.
pub async fn security(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let typed = Security {
            session_timeout: value(&pairs, "session_timeout"),
            ip_ranges: value(&pairs, "ip_ranges"),
            version: value(&pairs, "version"),
        };
        settings::change_security(&ctx, &typed).await?;
        Ok("The settings are saved, and hold from now on.".to_owned())
    };
    let page = format!("/t/{tenant}/settings/security");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}

/// Asks every member for a second factor, or no longer does.
pub async fn require_second_factor(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let is_required = value(&pairs, "required") == "on";
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        tenant::require_second_factor(&ctx, is_required).await?;
        let text = if is_required {
            "Every member needs a second factor from now on."
        } else {
            "A second factor is no longer required."
        };
        Ok(text.to_owned())
    };
    let page = format!("/t/{tenant}/settings/security");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}

/// Gives the pages a colour, or RTV's own again.
pub async fn branding(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let typed = Branding {
            is_on: !value(&pairs, "is_on").is_empty(),
            hue: value(&pairs, "hue"),
            version: value(&pairs, "version"),
        };
        settings::change_branding(&ctx, &typed).await?;
        Ok("The colour is saved.".to_owned())
    };
    let page = format!("/t/{tenant}/settings/branding");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}
