//! Forms of the kill switches, `/t/{tenant}/switches/…` and `/staff/switches/…`, the receipt as a file, and the picture of the
//! drills. Halting types nothing and waits for nothing; resuming is led through the confirmation that it is you.

use app::kill_switch::{drill_chart, scope_of};
use axum::Form;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use rtv_core::{Error, HaltId, ReleaseId, SwitchId};
use rtv_domain::kill_switch::{self, Asked, ChoiceWords, Engagement, PlanWords, ReleaseRequest, Released, Side, Why};
use rtv_domain::{Context, access};
use tower_sessions::Session;

use crate::http::api::kill_switch::object::ReceiptObject;
use crate::http::form::{Asked as From, Pairs, enter, id, value};
use crate::http::{chart, download, flash};
use crate::middleware::shield::error_text;
use crate::state::AppState;

/// What a form is about: where it leads when it is done, and what it says there.
type Outcome = Result<(String, String), Error>;

/// Who asks, if they are staff: before anything of the form is looked at.
fn console(asked: &From) -> Result<&Context, Error> {
    access::staff(&asked.context)?;
    Ok(&asked.context)
}

const STAFF: &str = "/staff/switches";

fn place(tenant: &str) -> String {
    format!("/t/{tenant}/switches")
}

async fn answer(
    state: &AppState,
    asked: &From,
    session: &Session,
    refused: &str,
    outcome: Outcome,
    pairs: Pairs,
) -> Response {
    let (done, outcome) = match outcome {
        Ok((done, words)) => (done, Ok(words)),
        Err(error) => (refused.to_owned(), Err(error)),
    };
    flash::answer(state, asked, session, (&done, refused), outcome, pairs).await
}

async fn engage(side: Side<'_>, place: &str, pairs: &Pairs) -> Outcome {
    let scope = async { kill_switch::find_scope(side, &scope_of(&value(pairs, "scope"))?).await };
    let scope = match scope.await {
        Ok(scope) => scope,
        Err(error) => return Err(kill_switch::misunderstood(side, error).await),
    };
    let why = Why {
        reason: value(pairs, "reason"),
        note: value(pairs, "note"),
        ticket: value(pairs, "ticket"),
        review: value(pairs, "review"),
    };
    let Engagement { halt, was_engaged, by, .. } = kill_switch::engage(side, &scope, &why).await?;
    let words = if was_engaged {
        format!("It was halted already, by {by}. That halt stands as it was.")
    } else {
        "Halted. This receipt follows what happens until nothing is in flight.".to_owned()
    };
    Ok((format!("{place}/halts/{halt}"), words))
}

/// Halts in a tenant.
pub async fn engage_in_tenant(
    State(state): State<AppState>,
    asked: From,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let place = place(&tenant);
    let outcome = async { engage(Side::Tenant(&enter(&asked, &tenant).await?), &place, &pairs).await };
    answer(&state, &asked, &session, &format!("{place}/halt"), outcome.await, pairs).await
}

/// Halts as staff.
pub async fn engage_as_staff(
    State(state): State<AppState>,
    asked: From,
    session: Session,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async { engage(Side::Operator(console(&asked)?), STAFF, &pairs).await };
    answer(&state, &asked, &session, &format!("{STAFF}/halt"), outcome.await, pairs).await
}

async fn review(side: Side<'_>, place: &str, switch: &str, pairs: &Pairs) -> Outcome {
    let at = kill_switch::review(side, id::<SwitchId>(switch)?, &value(pairs, "review")).await?;
    Ok((place.to_owned(), format!("The next review is at {}.", at.format("%Y-%m-%d %H:%M UTC"))))
}

/// Moves the review of a halt in a tenant.
pub async fn review_in_tenant(
    State(state): State<AppState>,
    asked: From,
    session: Session,
    Path((tenant, switch)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let place = place(&tenant);
    let outcome = async { review(Side::Tenant(&enter(&asked, &tenant).await?), &place, &switch, &pairs).await };
    answer(&state, &asked, &session, &place, outcome.await, pairs).await
}

/// Moves the review of a halt as staff.
pub async fn review_as_staff(
    State(state): State<AppState>,
    asked: From,
    session: Session,
    Path(switch): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async { review(Side::Operator(console(&asked)?), STAFF, &switch, &pairs).await };
    answer(&state, &asked, &session, STAFF, outcome.await, pairs).await
}

/// The plan of a form: a choice for each group, and one for all that have none of their own.
fn plan(pairs: &Pairs) -> PlanWords {
    let choice = |suffix: &str| ChoiceWords {
        what: value(pairs, &format!("plan{suffix}")),
        minutes: value(pairs, &format!("minutes{suffix}")),
        at: value(pairs, &format!("at{suffix}")),
    };
    let groups = pairs
        .iter()
        .filter_map(|(name, _)| name.strip_prefix("plan-"))
        .map(|account| (account.to_owned(), choice(&format!("-{account}"))))
        .collect();
    PlanWords { all: choice(""), groups }
}

fn released(place: &str, released: &Released) -> (String, String) {
    let mut parts = vec!["Resumed. Sending begins slowly and is at full speed in a few minutes.".to_owned()];
    for (count, words) in [
        (released.resumed, "go out after all"),
        (released.returned, "are back for approval"),
        (released.dropped, "are dropped"),
    ] {
        if count > 0 {
            parts.push(format!("Overdue posts that {words}: {count}."));
        }
    }
    (format!("{place}/halts/{}", released.halt), parts.join(" "))
}

fn told(place: &str, asked: &Asked) -> (String, String) {
    match asked {
        Asked::Released(done) => released(place, done),
        Asked::Waits { release, .. } => (
            format!("{place}/releases/{release}"),
            "Asked for. Nothing goes out until a second person approves; send them the address of this page."
                .to_owned(),
        ),
    }
}

async fn ask(state: &AppState, side: Side<'_>, place: &str, switch: &str, pairs: &Pairs) -> Outcome {
    kill_switch::may_release(side).await?;
    let request = ReleaseRequest { typed: value(pairs, "typed"), reason: value(pairs, "reason"), plan: plan(pairs) };
    let switch = id::<SwitchId>(switch)?;
    match kill_switch::ask_release(side, switch, &request, state.settings.ramp()).await {
        Ok(asked) => Ok(told(place, &asked)),
        // Somebody else has resumed it while the form was open; its page tells who.
        Err(Error::NotFound) if kill_switch::newest_halt(side, switch).await.is_ok() => {
            Err(Error::Conflict("You changed nothing: it is not halted any more.".into()))
        }
        Err(error) => Err(error),
    }
}

/// Asks to resume in a tenant, or resumes where one person may.
pub async fn release_in_tenant(
    State(state): State<AppState>,
    asked: From,
    session: Session,
    Path((tenant, switch)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let place = place(&tenant);
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        ask(&state, Side::Tenant(&ctx), &place, &switch, &pairs).await
    };
    let page = format!("{place}/{switch}/release");
    answer(&state, &asked, &session, &page, outcome.await, pairs).await
}

/// The same as staff.
pub async fn release_as_staff(
    State(state): State<AppState>,
    asked: From,
    session: Session,
    Path(switch): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async { ask(&state, Side::Operator(console(&asked)?), STAFF, &switch, &pairs).await };
    answer(&state, &asked, &session, &format!("{STAFF}/{switch}/release"), outcome.await, pairs).await
}

async fn approve(state: &AppState, side: Side<'_>, place: &str, release: &str) -> Outcome {
    kill_switch::may_release(side).await?;
    let id = id::<ReleaseId>(release)?;
    match kill_switch::approve_release(side, id, state.settings.ramp()).await {
        Ok(done) => Ok(told(place, &done)),
        Err(error) => Err(too_late(side, id, error).await),
    }
}

/// What is said to somebody who decides over a request that has ended, such as one that somebody else has approved while its page was
/// open: that page tells what became of it.
async fn too_late(side: Side<'_>, release: ReleaseId, error: Error) -> Error {
    if error == Error::NotFound && kill_switch::ended(side, release).await.is_ok() {
        let words = "You changed nothing: this request had ended before. What became of it stands below.";
        return Error::Conflict(words.into());
    }
    error
}

/// Approves as the second person in a tenant.
pub async fn approve_in_tenant(
    State(state): State<AppState>,
    asked: From,
    session: Session,
    Path((tenant, release)): Path<(String, String)>,
) -> Response {
    let place = place(&tenant);
    let outcome = async { approve(&state, Side::Tenant(&enter(&asked, &tenant).await?), &place, &release).await };
    let page = format!("{place}/releases/{release}");
    answer(&state, &asked, &session, &page, outcome.await, Vec::new()).await
}

/// The same as staff.
pub async fn approve_as_staff(
    State(state): State<AppState>,
    asked: From,
    session: Session,
    Path(release): Path<String>,
) -> Response {
    let outcome = async { approve(&state, Side::Operator(console(&asked)?), STAFF, &release).await };
    answer(&state, &asked, &session, &format!("{STAFF}/releases/{release}"), outcome.await, Vec::new()).await
}

async fn withdraw(side: Side<'_>, place: &str, release: &str) -> Outcome {
    kill_switch::may_release(side).await?;
    let id = id::<ReleaseId>(release)?;
    if let Err(error) = kill_switch::withdraw_release(side, id).await {
        return Err(too_late(side, id, error).await);
    }
    Ok((place.to_owned(), "The request is taken back. The halt stands.".to_owned()))
}

/// Takes a request back in a tenant.
pub async fn withdraw_in_tenant(
    State(state): State<AppState>,
    asked: From,
    session: Session,
    Path((tenant, release)): Path<(String, String)>,
) -> Response {
    let place = place(&tenant);
    let outcome = async { withdraw(Side::Tenant(&enter(&asked, &tenant).await?), &place, &release).await };
    let page = format!("{place}/releases/{release}");
    answer(&state, &asked, &session, &page, outcome.await, Vec::new()).await
}

/// The same as staff.
pub async fn withdraw_as_staff(
    State(state): State<AppState>,
    asked: From,
    session: Session,
    Path(release): Path<String>,
) -> Response {
    let outcome = async { withdraw(Side::Operator(console(&asked)?), STAFF, &release).await };
    answer(&state, &asked, &session, &format!("{STAFF}/releases/{release}"), outcome.await, Vec::new()).await
}

/// The receipt of a halt: the object that the API gives for it.
async fn receipt(side: Side<'_>, halt: &str) -> Result<Vec<u8>, Error> {
    let receipt = kill_switch::receipt(side, id::<HaltId>(halt)?).await?;
    serde_json::to_vec_pretty(&ReceiptObject::from(receipt)).map_err(|error| {
        tracing::error!(%error, "a receipt could not be written as JSON");
        Error::Internal
    })
}

fn file(state: &AppState, asked: &From, halt: &str, receipt: Result<Vec<u8>, Error>) -> Response {
    match receipt {
        Ok(json) => download::file(Body::from(json), &format!("{halt}.json"), "application/json"),
        Err(error) => download::refuse(state, asked, error),
    }
}

/// The receipt of a halt that concerns a tenant.
pub async fn receipt_of_tenant(
    State(state): State<AppState>,
    asked: From,
    Path((tenant, halt)): Path<(String, String)>,
) -> Response {
    let found = async { receipt(Side::Tenant(&enter(&asked, &tenant).await?), &halt).await };
    let found = found.await;
    file(&state, &asked, &halt, found)
}

/// The receipt of any halt, for staff.
pub async fn receipt_of_staff(State(state): State<AppState>, asked: From, Path(halt): Path<String>) -> Response {
    let found = async { receipt(Side::Operator(console(&asked)?), &halt).await };
    let found = found.await;
    file(&state, &asked, &halt, found)
}

/// How fast halts were, as a picture for a tenant.
pub async fn drills_of_tenant(
    State(state): State<AppState>,
    asked: From,
    Path(tenant): Path<String>,
    Query(pairs): Query<Pairs>,
) -> Response {
    let picture = async {
        let ctx = enter(&asked, &tenant).await?;
        chart::picture(&state, &drill_chart(Side::Tenant(&ctx)).await?, &pairs).await
    };
    picture.await.unwrap_or_else(|error| error_text(&error))
}

/// The same for staff.
pub async fn drills_of_staff(State(state): State<AppState>, asked: From, Query(pairs): Query<Pairs>) -> Response {
    let picture = async { chart::picture(&state, &drill_chart(Side::Operator(console(&asked)?)).await?, &pairs).await };
    picture.await.unwrap_or_else(|error| error_text(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_for_each_group_and_for_all() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let words = plan(&vec![
            pair("plan", "drop"),
            pair("plan-acc_1", "spread"),
            pair("minutes-acc_1", "30"),
            pair("at-acc_1", ""),
        ]);
        assert_eq!(words.all.what, "drop");
        assert_eq!(words.groups.len(), 1);
        assert_eq!((words.groups[0].0.as_str(), words.groups[0].1.minutes.as_str()), ("acc_1", "30"));
    }
}
