//! Forms of `/t/{tenant}/content`: writing, submitting, approving, giving back and deleting what is to be posted. Each leads to the
//! page it came from, with what was typed where it was refused.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use rtv_core::{ContentId, Error};
use rtv_domain::TenantContext;
use rtv_domain::content::{self, Draft};
use tower_sessions::Session;

use crate::http::flash;
use crate::http::form::{Asked, Pairs, enter, id, value, values};
use crate::state::AppState;

fn draft(pairs: &[(String, String)]) -> Draft {
    Draft {
        text: value(pairs, "text"),
        link: value(pairs, "link"),
        accounts: values(pairs, "account"),
        scheduled_at: value(pairs, "scheduled_at"),
        campaign: value(pairs, "campaign"),
        version: value(pairs, "version"),
    }
}

/// Submits what has just been saved, where the button that was pressed says so.
async fn submit_if_asked(
    ctx: &TenantContext,
    id: ContentId,
    version: &str,
    pairs: &[(String, String)],
) -> Result<String, Error> {
    if value(pairs, "act") != "submit" {
        return Ok("The post is saved.".to_owned());
    }
    content::submit(ctx, id, version).await?;
    Ok("Submitted. It waits for approval now.".to_owned())
}

/// Writes a new post.
pub async fn create(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let created = async {
        let ctx = enter(&asked, &tenant).await?;
        let id = content::create(&ctx, &draft(&pairs)).await?;
        Ok((ctx, id))
    };
    let list = format!("/t/{tenant}/content");
    match created.await {
        Ok((ctx, id)) => {
            // Saved it is in any case: whatever refuses the submission is told on its own page.
            let page = format!("{list}/{id}");
            let outcome = submit_if_asked(&ctx, id, "1", &pairs).await;
            flash::answer(&state, &asked, &session, (&page, &page), outcome, Pairs::new()).await
        }
        Err(error) => flash::refuse(&state, &asked, &session, &format!("{list}/new"), error, pairs).await,
    }
}

/// Changes a post.
pub async fn edit(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, content)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let page = format!("/t/{tenant}/content/{content}");
    let edited = async {
        let (ctx, id) = (enter(&asked, &tenant).await?, id::<ContentId>(&content)?);
        content::edit(&ctx, id, &draft(&pairs)).await?;
        Ok((ctx, id))
    };
    match edited.await {
        Ok((ctx, id)) => {
            let outcome = async {
                // The version that this very change has made; a later one is refused like any other.
                let version = value(&pairs, "version").parse::<i64>().unwrap_or_default() + 1;
                submit_if_asked(&ctx, id, &version.to_string(), &pairs).await
            };
            flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Pairs::new()).await
        }
        Err(error) => flash::refuse(&state, &asked, &session, &page, error, pairs).await,
    }
}

/// Approves a post exactly as it was shown.
pub async fn approve(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, content)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        content::approve(&ctx, id(&content)?, &value(&pairs, "version")).await?;
        Ok("Approved. It goes out at its time.".to_owned())
    };
    let page = format!("/t/{tenant}/content/{content}");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Pairs::new()).await
}

/// Gives a post back with a note.
pub async fn give_back(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, content)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        content::give_back(&ctx, id(&content)?, &value(&pairs, "version"), &value(&pairs, "note")).await?;
        Ok("Given back with your note.".to_owned())
    };
    let page = format!("/t/{tenant}/content/{content}");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}

/// Deletes a post of which nothing was ever sent.
pub async fn delete(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, content)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        content::delete(&ctx, id(&content)?, &value(&pairs, "version")).await?;
        Ok("The post is deleted.".to_owned())
    };
    let (list, page) = (format!("/t/{tenant}/content"), format!("/t/{tenant}/content/{content}"));
    flash::answer(&state, &asked, &session, (&list, &page), outcome.await, Pairs::new()).await
}
