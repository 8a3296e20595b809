//! Forms of `/t/{tenant}/team`: members, teams and roles. Each leads to the page it came from, with what was typed where it was
//! refused.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use rtv_core::{RoleId, TeamId, UserId};
use rtv_domain::member::{self, Change};
use rtv_domain::role::{self, NewRole};
use rtv_domain::team::{self, NewPlace, NewTeam};
use tower_sessions::Session;

use crate::http::flash;
use crate::http::form::{Asked, Pairs, enter, id, value, values};
use crate::state::AppState;

fn plural(count: u32) -> String {
    if count == 1 { "1 permission".into() } else { format!("{count} permissions") }
}

/// Changes what a member holds.
pub async fn change_member(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, user)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let change = Change {
            role: value(&pairs, "role"),
            permissions: values(&pairs, "permission"),
            version: value(&pairs, "version"),
        };
        let done = member::change(&ctx, id(&user)?, &change).await?;
        let change = match (done.gains.len(), done.losses.len()) {
            (0, 0) => "Nothing that they may do has changed.".to_owned(),
            (gains, 0) => format!("They gain {}.", plural(gains)),
            (0, losses) => format!("They lose {}.", plural(losses)),
            (gains, losses) => format!("They gain {} and lose {}.", plural(gains), plural(losses)),
        };
        Ok(format!("{} is {} now. {change}", done.member.name, done.after.name))
    };
    let page = format!("/t/{tenant}/team/members/{user}");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}

/// Takes a member out of the tenant.
pub async fn remove_member(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, user)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let gone = member::remove(&ctx, id::<UserId>(&user)?, &value(&pairs, "version")).await?;
        Ok(format!("{} is no longer a member.", gone.name))
    };
    let (done, page) = (format!("/t/{tenant}/team"), format!("/t/{tenant}/team/members/{user}"));
    flash::answer(&state, &asked, &session, (&done, &page), outcome.await, Vec::new()).await
}

/// Makes a team and leads to it.
pub async fn create_team(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        team::create(&ctx, &new_team(&pairs)).await
    };
    let page = format!("/t/{tenant}/team/teams");
    match outcome.await {
        Ok(id) => {
            let text = "The team is made. Put members in, and say what it is responsible for.".to_owned();
            flash::answer(&state, &asked, &session, (&format!("{page}/{id}"), &page), Ok(text), Vec::new()).await
        }
        Err(error) => flash::answer(&state, &asked, &session, (&page, &page), Err(error), pairs).await,
    }
}

fn new_team(pairs: &[(String, String)]) -> NewTeam {
    NewTeam {
        name: value(pairs, "name"),
        description: value(pairs, "description"),
        range: value(pairs, "range"),
        platforms: values(pairs, "platform"),
        zone: value(pairs, "zone"),
    }
}

/// Changes a team's name, description and settings.
pub async fn update_team(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, team)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        team::update(&ctx, id::<TeamId>(&team)?, &new_team(&pairs), &value(&pairs, "version")).await?;
        Ok("The settings are saved.".to_owned())
    };
    let page = format!("/t/{tenant}/team/teams/{team}");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}

/// Removes a team.
pub async fn delete_team(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, team)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let name = team::delete(&ctx, id::<TeamId>(&team)?, &value(&pairs, "version")).await?;
        Ok(format!("The team “{name}” is removed."))
    };
    let (done, page) = (format!("/t/{tenant}/team/teams"), format!("/t/{tenant}/team/teams/{team}"));
    flash::answer(&state, &asked, &session, (&done, &page), outcome.await, Vec::new()).await
}

/// Puts a member into a team, or changes what they have in it.
pub async fn set_team_member(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, team)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let place = NewPlace {
            person: value(&pairs, "person"),
            role: value(&pairs, "role"),
            permissions: values(&pairs, "permission"),
            news: values(&pairs, "news"),
            version: value(&pairs, "version"),
        };
        team::set_member(&ctx, id::<TeamId>(&team)?, &place).await?;
        Ok("The member’s place in the team is saved.".to_owned())
    };
    let page = format!("/t/{tenant}/team/teams/{team}");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}

/// Takes a member out of a team.
pub async fn remove_team_member(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, team, user)): Path<(String, String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        team::remove_member(&ctx, id::<TeamId>(&team)?, id::<UserId>(&user)?, &value(&pairs, "version")).await?;
        Ok("The member has left the team.".to_owned())
    };
    let page = format!("/t/{tenant}/team/teams/{team}");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Vec::new()).await
}

/// Says what a team is responsible for.
pub async fn set_team_resources(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, team)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let subjects = values(&pairs, "resource");
        team::set_subjects(&ctx, id::<TeamId>(&team)?, &subjects, &value(&pairs, "version")).await?;
        Ok("What the team is responsible for is saved.".to_owned())
    };
    let page = format!("/t/{tenant}/team/teams/{team}");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}

fn new_role(pairs: &[(String, String)]) -> NewRole {
    NewRole {
        name: value(pairs, "name"),
        description: value(pairs, "description"),
        permissions: values(pairs, "permission"),
    }
}

/// Makes a custom role.
pub async fn create_role(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        role::create(&ctx, &new_role(&pairs)).await?;
        Ok(format!("The role “{}” is made.", value(&pairs, "name").trim()))
    };
    let (done, page) = (format!("/t/{tenant}/team/roles"), format!("/t/{tenant}/team/roles/new"));
    let outcome = outcome.await;
    flash::answer(&state, &asked, &session, (&done, &page), outcome, pairs).await
}

/// Changes a custom role.
pub async fn update_role(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, role)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        role::update(&ctx, id::<RoleId>(&role)?, &new_role(&pairs), &value(&pairs, "version")).await?;
        Ok("The role is saved. Who has it holds the new permissions with their next request.".to_owned())
    };
    let page = format!("/t/{tenant}/team/roles/{role}");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}

/// Removes a custom role that nobody has.
pub async fn delete_role(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, role)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let name = role::delete(&ctx, id::<RoleId>(&role)?, &value(&pairs, "version")).await?;
        Ok(format!("The role “{name}” is removed."))
    };
    let (done, page) = (format!("/t/{tenant}/team/roles"), format!("/t/{tenant}/team/roles/{role}"));
    flash::answer(&state, &asked, &session, (&done, &page), outcome.await, Vec::new()).await
}
