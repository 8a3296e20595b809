//! Forms of `/t/{tenant}/settings`.

use axum::Form;
use axum::extract::{Multipart, Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use rtv_core::Error;
use rtv_domain::settings::{self, Branding, Days, General, Security};
use rtv_domain::{logo, tenant};
use tower_sessions::Session;

use crate::http::flash;
use crate::http::form::{Asked, Pairs, enter, value};
use crate::middleware::shield::error_text;
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

/// Switches sandbox mode on or off.
pub async fn mode(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let is_sandbox = value(&pairs, "is_sandbox") == "on";
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        settings::change_mode(&ctx, is_sandbox, &value(&pairs, "version")).await?;
        let text = if is_sandbox {
            "Sandbox mode is on: from now on only accounts on the sandbox network are posted to."
        } else {
            "Sandbox mode is off: posts go to the networks of their accounts."
        };
        Ok(text.to_owned())
    };
    let page = format!("/t/{tenant}/settings");
    // Nothing was typed, so nothing is kept: a version that was would stay in the page as one that is too old.
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Pairs::new()).await
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

/// Limits the domains that reports may be mailed to.
pub async fn report_domains(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        settings::change_report_domains(&ctx, &value(&pairs, "report_domains"), &value(&pairs, "version")).await?;
        Ok("The domains are saved. Reports go nowhere else from now on.".to_owned())
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

/// Takes a picture.
pub async fn set_logo(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    form: Option<Multipart>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let (version, content) = read(form).await?;
        logo::set(&ctx, &content, &version).await?;
        Ok("The logo is saved.".to_owned())
    };
    let page = format!("/t/{tenant}/settings/branding");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Pairs::new()).await
}

/// The version and the picture of the form. The body as a whole is limited, so it is held in memory.
async fn read(form: Option<Multipart>) -> Result<(String, Vec<u8>), Error> {
    let too_large = || {
        let most = logo::MOST_BYTES / 1_024;
        Error::invalid("logo", format!("the file is larger than {most} KB, or did not arrive whole"))
    };
    let (mut version, mut content) = (String::new(), Vec::new());
    if let Some(mut form) = form {
        while let Some(field) = form.next_field().await.map_err(|_| too_large())? {
            match field.name() {
                Some("version") => version = field.text().await.map_err(|_| too_large())?,
                Some("logo") => content = field.bytes().await.map_err(|_| too_large())?.to_vec(),
                _ => {}
            }
        }
    }
    Ok((version, content))
}

/// Takes the picture away.
pub async fn remove_logo(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        logo::remove(&ctx, &value(&pairs, "version")).await?;
        Ok("The logo is removed.".to_owned())
    };
    let page = format!("/t/{tenant}/settings/branding");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Pairs::new()).await
}

/// The picture, for members. Its address holds its version, so it may be kept.
pub async fn logo(asked: Asked, Path(tenant): Path<String>) -> Response {
    let picture = async { logo::read(&enter(&asked, &tenant).await?).await };
    match picture.await {
        Ok(logo) => {
            let mut response = logo.content.into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(logo.kind));
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(rtv_charts::PICTURE_CSP));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable"));
            response
        }
        Err(error) => error_text(&error),
    }
}
