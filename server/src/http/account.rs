//! Forms of `/t/{tenant}/accounts`: connecting an account with its token, verifying and disconnecting it. A token is taken in and
//! never kept where a page could show it.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use rtv_core::{Error, Platform};
use rtv_domain::account;
use secrecy::SecretString;
use tower_sessions::Session;

use crate::http::flash;
use crate::http::form::{Asked, Pairs, enter, id, value};
use crate::state::AppState;

/// Connects the account whose token it is.
pub async fn connect(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        account::may_connect(&ctx).await?;
        let platform: Platform = value(&pairs, "platform")
            .parse()
            .map_err(|_| Error::invalid("platform", "choose a network from the list."))?;
        let token = SecretString::from(value(&pairs, "token"));
        let id = account::connect(&ctx, &state.vault, &*state.networks, platform, &token).await?;
        let name = account::connections(&ctx).await?.into_iter().find(|one| one.account == id).map(|one| one.name);
        Ok(format!("{} is connected.", name.unwrap_or_else(|| "The account".into())))
    };
    let page = format!("/t/{tenant}/accounts");
    // What was typed is a secret: of it nothing waits in a session.
    let typed = vec![("platform".to_owned(), value(&pairs, "platform"))];
    flash::answer(&state, &asked, &session, (&page, &page), told(outcome.await), typed).await
}

/// Asks the network whose the token is.
pub async fn verify(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, account)): Path<(String, String)>,
) -> Response {
    let page = format!("/t/{tenant}/accounts/{account}");
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        match account::verify(&ctx, &state.vault, &*state.networks, id(&account)?).await? {
            None => Ok("The network says that the token is this account’s: it is verified.".to_owned()),
            Some(problem) => Err(Error::Conflict(problem)),
        }
    };
    flash::answer(&state, &asked, &session, (&page, &page), told(outcome.await), Pairs::new()).await
}

/// Forgets the token.
pub async fn disconnect(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, account)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let page = format!("/t/{tenant}/accounts/{account}");
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        account::disconnect(&ctx, id(&account)?, &value(&pairs, "version")).await?;
        Ok("The account is disconnected. RTV has forgotten its token.".to_owned())
    };
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Pairs::new()).await
}

/// A network that does not answer is told on the page of the form: nothing of RTV is out of order.
fn told(outcome: Result<String, Error>) -> Result<String, Error> {
    outcome.map_err(|error| match error {
        Error::Unavailable(why) => Error::Conflict(why),
        other => other,
    })
}
