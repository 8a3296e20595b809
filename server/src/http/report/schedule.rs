//! Forms of `/t/{tenant}/reports/{report}/schedules`: when a report is made by itself, and to whom it goes.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use rtv_core::report::{FileFormat, Rhythm};
use rtv_core::{Email, Error, FieldError, ReportId, RunId, ScheduleId};
use rtv_domain::TenantContext;
use rtv_domain::format::Format;
use rtv_domain::report::schedule::{self, Plan, time};
use rtv_domain::report::{self, Dispatch};
use tower_sessions::Session;

use crate::http::flash;
use crate::http::form::{Asked, Pairs, enter, id, value, values};
use crate::http::report::kept;
use crate::state::AppState;

/// What a form says a schedule is to do. All fields that are wrong are named at once.
fn plan(pairs: &[(String, String)]) -> Result<Plan, Error> {
    let mut errors: Vec<FieldError> = Vec::new();
    let rhythm = kept(Rhythm::parse(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))), &mut errors);
    let range = match value(pairs, "range").as_str() {
        "" => Some(None),
        typed => {
            kept(typed.parse().map_err(|_| Error::invalid("range", "choose one of the list.")), &mut errors).map(Some)
        }
    };
    let way = kept(value(pairs, "way").parse(), &mut errors);
    let mut formats: Vec<FileFormat> =
        values(pairs, "format").iter().filter_map(|typed| kept(typed.parse(), &mut errors)).collect();
    formats.sort_unstable();
    formats.dedup();
    let mut recipients: Vec<Email> = Vec::new();
    for typed in value(pairs, "recipients").split([',', ';', '\n']).map(str::trim).filter(|typed| !typed.is_empty()) {
        match typed.parse::<Email>() {
            Ok(email) if recipients.contains(&email) => {}
            Ok(email) => recipients.push(email),
            Err(message) => {
                let typed: String = typed.chars().take(60).collect();
                let message = format!("“{typed}” is no address; {message}, one on each line.");
                errors.push(FieldError { field: "recipients".into(), message });
            }
        }
    }
    match (rhythm, range, way, errors.is_empty()) {
        (Some(rhythm), Some(range), Some(way), true) => {
            let skips_empty = !value(pairs, "skips_empty").is_empty();
            Ok(Plan { rhythm, range, dispatch: Dispatch { way, formats, recipients, skips_empty, is_test: false } })
        }
        _ => Err(Error::Invalid(errors)),
    }
}

/// The next five times that a rhythm means, as a sentence.
fn times(ctx: &TenantContext, plan: &Plan) -> String {
    let format = Format::of(ctx.tenant()).with_times_in(plan.rhythm.zone);
    let times: Vec<String> = time::next_five(&plan.rhythm, ctx.now())
        .iter()
        .map(|one| match one.remark() {
            Some(remark) => format!("{} ({remark})", format.instant(one.at)),
            None => format.instant(one.at),
        })
        .collect();
    format!("Nothing is saved yet. {}: {}.", plan.rhythm.words(), times.join("; "))
}

/// What a form asked for.
enum Asks {
    /// It is done, in a sentence, and this is where it leads.
    Done(String, String),
    /// The times, with what was typed kept.
    Times(String),
}

async fn answer(
    state: &AppState,
    asked: &Asked,
    session: &Session,
    page: &str,
    outcome: Result<Asks, Error>,
    pairs: Pairs,
) -> Response {
    match outcome {
        Ok(Asks::Done(text, to)) => flash::lead_with(session, flash::success(text), &to).await,
        Ok(Asks::Times(text)) => {
            let mut message = flash::success(text);
            message.values = pairs;
            flash::lead_with(session, message, page).await
        }
        Err(error) => flash::refuse(state, asked, session, page, error, pairs).await,
    }
}

/// Makes a schedule.
pub async fn create(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, report)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let page = format!("/t/{tenant}/reports/{report}/schedules");
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        schedule::may_set(&ctx).await?;
        let report: ReportId = id(&report)?;
        report::one(&ctx, report).await?;
        let plan = plan(&pairs)?;
        if value(&pairs, "act") == "times" {
            return Ok(Asks::Times(times(&ctx, &plan)));
        }
        let made = schedule::create(&ctx, report, &plan).await?;
        Ok(Asks::Done("The schedule is set. “Send me a test” shows how it arrives.".into(), format!("{page}/{made}")))
    };
    answer(&state, &asked, &session, &page, outcome.await, pairs).await
}

/// Changes a schedule.
pub async fn save(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, report, schedule)): Path<(String, String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let page = format!("/t/{tenant}/reports/{report}/schedules/{schedule}");
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        schedule::may_set(&ctx).await?;
        let (report, schedule): (ReportId, ScheduleId) = (id(&report)?, id(&schedule)?);
        schedule::one(&ctx, report, schedule).await?;
        let plan = plan(&pairs)?;
        if value(&pairs, "act") == "times" {
            return Ok(Asks::Times(times(&ctx, &plan)));
        }
        schedule::save(&ctx, report, schedule, &value(&pairs, "version"), &plan).await?;
        Ok(Asks::Done("Saved. It holds from the next time on.".into(), page.clone()))
    };
    answer(&state, &asked, &session, &page, outcome.await, pairs).await
}

/// Pauses, resumes, runs, tests, copies, deletes or brings back.
pub async fn act(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, report, schedule)): Path<(String, String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let of_report = format!("/t/{tenant}/reports/{report}");
    let list = format!("{of_report}/schedules");
    let page = format!("{list}/{schedule}");
    let act = value(&pairs, "act");
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        schedule::may_stop(&ctx).await?;
        let (report, schedule): (ReportId, ScheduleId) = (id(&report)?, id(&schedule)?);
        let run_page = |run: RunId| format!("{of_report}/runs/{run}");
        Ok(match act.as_str() {
            "pause" => {
                schedule::pause(&ctx, report, schedule).await?;
                Asks::Done("Paused. What would come meanwhile is not made up for.".into(), page.clone())
            }
            "resume" => {
                let next = schedule::resume(&ctx, report, schedule).await?;
                let next = Format::of(ctx.tenant()).with_times_in(next.zone).instant(next.at);
                Asks::Done(format!("It goes on with {next}."), page.clone())
            }
            "run" => {
                let run = schedule::run_now(&ctx, report, schedule).await?;
                Asks::Done("It is being made, and goes to everybody on its list.".into(), run_page(run))
            }
            "test" => {
                let run = schedule::test(&ctx, report, schedule).await?;
                Asks::Done("It is being made, and goes to you alone.".into(), run_page(run))
            }
            "copy" => {
                let copied = schedule::copy(&ctx, report, schedule).await?;
                let text = "Copied, and paused, so that nobody gets anything twice. Change it, then resume it.";
                Asks::Done(text.into(), format!("{list}/{copied}"))
            }
            "delete" => {
                schedule::delete(&ctx, report, schedule).await?;
                Asks::Done("The schedule is deleted. Its runs stay.".into(), list.clone())
            }
            "bring-back" => {
                schedule::bring_back(&ctx, report, schedule).await?;
                Asks::Done("The schedule is there again, and waits for its next time.".into(), page.clone())
            }
            _ => return Err(Error::invalid("act", "use pause, resume, run, test, copy, delete or bring-back.")),
        })
    };
    let outcome = outcome.await;
    if let (Ok(Asks::Done(text, to)), "delete") = (&outcome, act.as_str()) {
        // The list then offers to bring it back.
        let mut message = flash::success(text.clone());
        message.values = vec![("deleted".to_owned(), schedule)];
        return flash::lead_with(&session, message, to).await;
    }
    answer(&state, &asked, &session, &page, outcome, Pairs::new()).await
}

/// Sends a mail of a run once more.
pub async fn send_again(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, report, run, mail)): Path<(String, String, String, String)>,
) -> Response {
    let page = format!("/t/{tenant}/reports/{report}/runs/{run}");
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let sent = report::send_again(&ctx, &state.outbox, id(&run)?, id(&mail)?).await?;
        let word = if sent.may_come_twice { ", and says that it may have come before" } else { "" };
        Ok(format!("It is sent to {} once more{word}.", sent.to))
    };
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Pairs::new()).await
}
