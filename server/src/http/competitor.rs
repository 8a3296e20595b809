//! Forms of `/t/{tenant}/competitors`.

use axum::Form;
use axum::extract::{Multipart, Path, State};
use axum::response::Response;
use rtv_core::{CompetitorId, Error};
use rtv_domain::competitor::{self, NewMonth, Taken};
use tower_sessions::Session;

use crate::http::flash;
use crate::http::form::{Asked, Pairs, enter, id, value};
use crate::state::AppState;

/// Takes up a competitor; leads to its page, where its months are entered.
pub async fn add(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let list = format!("/t/{tenant}/competitors");
    let outcome = async { competitor::add(&enter(&asked, &tenant).await?, &value(&pairs, "name")).await }.await;
    let done = outcome.as_ref().map_or_else(|_| list.clone(), |id| format!("{list}/{id}"));
    let told = outcome.map(|_| "The competitor is added. Enter what is known of it.".to_owned());
    flash::answer(&state, &asked, &session, (&done, &list), told, pairs).await
}

/// Takes a file of months.
pub async fn upload(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    form: Option<Multipart>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        Ok(told(competitor::upload(&ctx, &read(form).await?).await?))
    };
    let page = format!("/t/{tenant}/competitors");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Pairs::new()).await
}

/// The file of the form. The body as a whole is limited, so it is held in memory.
async fn read(form: Option<Multipart>) -> Result<Vec<u8>, Error> {
    let too_large = || {
        let most = competitor::MOST_BYTES / 1_024 / 1_024;
        Error::invalid("file", format!("it is larger than {most} MB, or did not arrive whole."))
    };
    if let Some(mut form) = form {
        while let Some(field) = form.next_field().await.map_err(|_| too_large())? {
            if field.name() == Some("file") {
                return Ok(field.bytes().await.map_err(|_| too_large())?.to_vec());
            }
        }
    }
    Ok(Vec::new())
}

fn told(taken: Taken) -> String {
    let new = match taken.new_competitors {
        0 => String::new(),
        1 => " 1 competitor is new.".to_owned(),
        many => format!(" {many} competitors are new."),
    };
    format!(
        "The file is taken: {} months new, {} changed, {} as they were.{new}",
        taken.new, taken.changed, taken.unchanged
    )
}

/// Gives it another name.
pub async fn rename(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, competitor)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        competitor::rename(&ctx, id::<CompetitorId>(&competitor)?, &value(&pairs, "name")).await?;
        Ok("The name is saved.".to_owned())
    };
    let page = format!("/t/{tenant}/competitors/{competitor}");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}

/// Removes it from what reports compare with.
pub async fn remove(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, competitor)): Path<(String, String)>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        competitor::remove(&ctx, id::<CompetitorId>(&competitor)?).await?;
        Ok("The competitor is removed. Its figures are kept, and it can be brought back.".to_owned())
    };
    let page = format!("/t/{tenant}/competitors");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Pairs::new()).await
}

/// Brings a removed one back.
pub async fn bring_back(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, competitor)): Path<(String, String)>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        competitor::bring_back(&ctx, id::<CompetitorId>(&competitor)?).await?;
        Ok("The competitor is back with its figures.".to_owned())
    };
    let page = format!("/t/{tenant}/competitors");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Pairs::new()).await
}

/// Enters a month, or changes it.
pub async fn set_month(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, competitor)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let new = NewMonth {
            platform: value(&pairs, "platform"),
            month: value(&pairs, "month"),
            followers: value(&pairs, "followers"),
            posts: value(&pairs, "posts"),
            interactions: value(&pairs, "interactions"),
        };
        competitor::set_month(&ctx, id::<CompetitorId>(&competitor)?, &new).await?;
        Ok("The month is entered.".to_owned())
    };
    let page = format!("/t/{tenant}/competitors/{competitor}");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}

/// Takes a month out.
pub async fn remove_month(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, competitor)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let (platform, month) = (value(&pairs, "platform"), value(&pairs, "month"));
        competitor::remove_month(&ctx, id::<CompetitorId>(&competitor)?, &platform, &month).await?;
        Ok("The month is taken out.".to_owned())
    };
    let page = format!("/t/{tenant}/competitors/{competitor}");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Pairs::new()).await
}
