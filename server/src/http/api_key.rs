//! Forms of `/t/{tenant}/api-keys`.

use app::page::Flash;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use rtv_core::ApiKeyId;
use rtv_domain::api_key::{self, NewKey};
use secrecy::ExposeSecret as _;
use tower_sessions::Session;

use crate::http::flash;
use crate::http::form::{Asked, Pairs, enter, id, value, values};
use crate::router::page_in_place;
use crate::state::AppState;

/// Fields that are shown again after a refusal: nothing else of a form comes back, least of all what looks like a secret.
const FIELDS: [&str; 4] = ["name", "permission", "expires", "expires_on"];

/// Makes a key. The page that shows it is the answer itself: a secret waits in no session for the next one.
pub async fn create(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let new = NewKey {
        name: value(&pairs, "name"),
        permissions: values(&pairs, "permission"),
        expires: value(&pairs, "expires"),
        expires_on: value(&pairs, "expires_on"),
    };
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        api_key::create(&ctx, &new).await
    };
    let page = format!("/t/{tenant}/api-keys");
    match outcome.await {
        Ok(made) => {
            let flash = Flash {
                text: Some(format!("The key “{}” is made.", made.name)),
                is_success: true,
                values: vec![(app::api_key::SECRET.to_owned(), made.secret.expose_secret().to_owned())],
                ..Flash::default()
            };
            page_in_place(&state, asked.0, &page, flash).await
        }
        Err(error) => {
            let typed = pairs.into_iter().filter(|(name, _)| FIELDS.contains(&name.as_str())).collect();
            flash::refuse(&state, &asked, &session, &page, error, typed).await
        }
    }
}

/// Takes a key back.
pub async fn revoke(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, key)): Path<(String, String)>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let name = api_key::revoke(&ctx, id::<ApiKeyId>(&key)?).await?;
        Ok(format!("The key “{name}” is revoked. The next request that shows it is refused."))
    };
    let page = format!("/t/{tenant}/api-keys");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Vec::new()).await
}
