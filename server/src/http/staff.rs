//! Forms of the operator's console, `/staff/…`. To everybody who is not staff they do not exist.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use rtv_core::{Error, Plan, Slug, UserId, VisitId};
use rtv_domain::life_cycle::{self, Step};
use rtv_domain::limit::{self, Change};
use rtv_domain::tenant::{self, NewTenant};
use rtv_domain::{Context, access, maintenance, password_reset, report, staff, user, visit};
use tower_sessions::Session;

use crate::http::flash;
use crate::http::form::{Asked, Pairs, id, value};
use crate::state::AppState;

/// Who asks, if they are staff: before anything of the form is looked at.
fn console(asked: &Asked) -> Result<&Context, Error> {
    access::staff(&asked.context)?;
    Ok(&asked.context)
}

/// The slug of a tenant that exists.
async fn known(ctx: &Context, tenant: &str) -> Result<Slug, Error> {
    Ok(staff::find(ctx, tenant).await?.slug)
}

/// The version that a form was made from. One that is no number belongs to no page of ours.
fn version(pairs: &Pairs) -> Result<i64, Error> {
    value(pairs, "version").parse().map_err(|_| Error::Conflict("Open the page again and decide there.".into()))
}

/// Creates a tenant.
pub async fn create_tenant(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Form(pairs): Form<Pairs>,
) -> Response {
    let list = "/staff/tenants";
    let made = async {
        let ctx = console(&asked)?;
        let typed = |name: &str| Some(value(&pairs, name).trim().to_owned()).filter(|text| !text.is_empty());
        let new = NewTenant {
            slug: typed("slug").unwrap_or_default(),
            name: typed("name").unwrap_or_default(),
            zone: typed("zone"),
            locale: typed("locale"),
            currency: typed("currency"),
            plan: typed("plan"),
            is_house: false,
        };
        tenant::create(ctx, new).await
    };
    let (done, outcome) = match made.await {
        Ok(made) => (
            format!("{list}/{}", made.slug),
            Ok(format!(
                "{} is created. Next, its owner: rtv admin users create --tenant {} --role owner --email …",
                made.name, made.slug
            )),
        ),
        Err(error) => (list.to_owned(), Err(error)),
    };
    flash::answer(&state, &asked, &session, (&done, list), outcome, pairs).await
}

/// Suspends, resumes or cancels a tenant.
pub async fn take_step(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = console(&asked)?;
        let slug = known(ctx, &tenant).await?;
        let step: Step = value(&pairs, "step").parse().map_err(|message: String| Error::invalid("", message))?;
        let after = life_cycle::take(ctx, &slug, step, Some(&value(&pairs, "reason")), Some(version(&pairs)?)).await?;
        Ok(format!("{} is {}.", after.name, after.status))
    };
    let page = format!("/staff/tenants/{tenant}");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}

/// Gives a tenant another plan.
pub async fn set_plan(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = console(&asked)?;
        let slug = known(ctx, &tenant).await?;
        let plan: Plan = value(&pairs, "plan").parse().map_err(|message: String| Error::invalid("plan", message))?;
        let change = Change { version: Some(version(&pairs)?), ..Change::of_plan(plan) };
        limit::change(ctx, &slug, &change).await?;
        Ok(format!("The plan is {} now.", plan.label()))
    };
    let page = format!("/staff/tenants/{tenant}");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}

/// Allows a tenant something else than its plan, or what the plan says again.
pub async fn set_limit(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = console(&asked)?;
        let slug = known(ctx, &tenant).await?;
        let (what, most) = limit::parse(&value(&pairs, "limit"), &value(&pairs, "value"))?;
        let change = Change { version: Some(version(&pairs)?), ..Change::of_limit(what, most) };
        limit::change(ctx, &slug, &change).await?;
        let allowed = most.map_or_else(|| "as the plan says".to_owned(), |most| most.to_string());
        Ok(format!("{}: {allowed}.", what.label()))
    };
    let page = format!("/staff/tenants/{tenant}");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}

/// Copies a report to another tenant.
pub async fn copy_report(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = console(&asked)?;
        let from = known(ctx, &tenant).await?;
        let report =
            value(&pairs, "report").parse().map_err(|_| Error::invalid("report", "choose one of the list."))?;
        let to = value(&pairs, "to").trim().parse().map_err(|message: String| Error::invalid("to", message))?;
        let name = report::copy_to(ctx, &from, report, &to).await?;
        Ok(format!("“{name}” is in {to} now. Accounts, campaigns and teams that it was limited to stayed behind."))
    };
    let page = format!("/staff/tenants/{tenant}");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}

/// Begins a visit, and leads to what is visited.
pub async fn begin_visit(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let visit = visit::begin(console(&asked)?, &tenant, &value(&pairs, "reason")).await?;
        Ok(format!("Your visit goes on until {}.", visit.ends_at.format("%H:%M UTC")))
    };
    let pages = (format!("/t/{tenant}/dashboard"), format!("/staff/tenants/{tenant}/visit"));
    flash::answer(&state, &asked, &session, (&pages.0, &pages.1), outcome.await, pairs).await
}

/// Ends a visit.
pub async fn end_visit(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(visit): Path<String>,
) -> Response {
    let ended = async { visit::end(console(&asked)?, id::<VisitId>(&visit)?).await };
    let (page, outcome) = match ended.await {
        Ok(slug) => (format!("/staff/tenants/{slug}"), Ok("The visit has ended.".to_owned())),
        Err(error) => ("/staff/tenants".to_owned(), Err(error)),
    };
    flash::answer(&state, &asked, &session, (&page, &page), outcome, Vec::new()).await
}

async fn set_disabled(state: AppState, asked: Asked, session: Session, user: String, is_disabled: bool) -> Response {
    let outcome = async {
        let ctx = console(&asked)?;
        let email = staff::email_of(ctx, id::<UserId>(&user)?).await?;
        user::set_disabled(ctx, email.as_str(), is_disabled).await?;
        Ok(if is_disabled {
            format!("{email} is disabled, and signed out everywhere.")
        } else {
            format!("{email} may sign in again.")
        })
    };
    let page = format!("/staff/users/{user}");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Vec::new()).await
}

/// Keeps a person from signing in.
pub async fn disable_user(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(user): Path<String>,
) -> Response {
    set_disabled(state, asked, session, user, true).await
}

/// Lets a person sign in again.
pub async fn enable_user(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(user): Path<String>,
) -> Response {
    set_disabled(state, asked, session, user, false).await
}

/// Sends a person a link to a new password.
pub async fn reset_password(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(user): Path<String>,
) -> Response {
    let outcome = async {
        let ctx = console(&asked)?;
        let email = staff::email_of(ctx, id::<UserId>(&user)?).await?;
        let helped = password_reset::send(ctx, &state.outbox, email.as_str()).await?;
        Ok(format!("{} gets a mail with a link. Sessions that ended: {}.", helped.email, helped.sessions_ended))
    };
    let page = format!("/staff/users/{user}");
    let outcome = outcome.await;
    flash::answer(&state, &asked, &session, (&page, &page), outcome, Vec::new()).await
}

/// Ends all sessions of a person.
pub async fn end_sessions(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(user): Path<String>,
) -> Response {
    let outcome = async {
        let (ctx, user) = (console(&asked)?, id::<UserId>(&user)?);
        staff::email_of(ctx, user).await?;
        let ended = user::end_sessions(ctx, user).await?;
        Ok(format!("Sessions that ended: {ended}."))
    };
    let page = format!("/staff/users/{user}");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Vec::new()).await
}

/// Switches maintenance on, or announces something else.
pub async fn switch_maintenance_on(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        maintenance::switch_on(console(&asked)?, &value(&pairs, "reason"), Some(&value(&pairs, "until"))).await?;
        Ok("Maintenance is on. Nothing changes until you switch it off.".to_owned())
    };
    let page = "/staff/maintenance";
    flash::answer(&state, &asked, &session, (page, page), outcome.await, pairs).await
}

/// Switches maintenance off.
pub async fn switch_maintenance_off(State(state): State<AppState>, asked: Asked, session: Session) -> Response {
    let outcome = async {
        let was_on = maintenance::switch_off(console(&asked)?).await?;
        Ok(if was_on { "Maintenance is off.".to_owned() } else { "Maintenance was off already.".to_owned() })
    };
    let page = "/staff/maintenance";
    flash::answer(&state, &asked, &session, (page, page), outcome.await, Vec::new()).await
}
