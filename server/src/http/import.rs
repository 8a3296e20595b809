//! Imports: the upload, the forms of each step, and the files that can be taken away. An upload is streamed to where
//! the domain keeps it, so its size shows nowhere in the program's memory.

use core::time::Duration;

use app::page::Flash;
use axum::Form;
use axum::body::Body;
use axum::extract::multipart::Multipart;
use axum::extract::{FromRequest as _, Path, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use futures::StreamExt as _;
use http::{HeaderMap, Method, StatusCode, header};
use rtv_core::{Error, ImportId};
use rtv_domain::import::upload;
use rtv_domain::import::{self, MappingChoice, RefusedFile};
use rtv_domain::{TenantContext, account, mapping};
use tower_sessions::Session;

use crate::http::form::{Asked, Pairs, enter, id, value};
use crate::http::{download, flash};
use crate::middleware::shield::{error_page, status_of};
use crate::state::AppState;

/// How long a body that nobody wants is still read. A browser shows an answer only when it has sent everything, or when
/// the connection ends in order; one that is cut off shows an error of its own.
const LINGER: Duration = Duration::from_secs(20);

/// Takes a file and leads to its import. A refusal is answered at once by the page of imports with the reason; nothing
/// stays of a file that does not arrive whole.
pub async fn upload(
    State(state): State<AppState>,
    asked: Asked,
    Path(tenant): Path<String>,
    request: Request,
) -> Response {
    let announced = length(request.headers());
    let mut bytes = 0;
    let received = match enter(&asked, &tenant).await {
        Ok(ctx) => receive(&ctx, &state, request, &mut bytes).await,
        Err(error) => {
            linger(request.into_body());
            Err(error)
        }
    };
    match received {
        Ok(id) => Redirect::to(&format!("/t/{tenant}/imports/{id}")).into_response(),
        Err(error) => {
            let is_too_large = announced.unwrap_or_default().max(bytes) > state.uploads.limits().file_bytes;
            let status = match &error {
                // No room is left for it.
                Error::Limit { .. } | Error::PlanLimit(_) => StatusCode::PAYLOAD_TOO_LARGE,
                Error::Invalid(_) if is_too_large => StatusCode::PAYLOAD_TOO_LARGE,
                other => status_of(other),
            };
            refuse_upload(&state, asked.0, &tenant, error, status).await
        }
    }
}

/// Streams the file of a form to the domain. `bytes` tells how much of it has come.
async fn receive(ctx: &TenantContext, state: &AppState, request: Request, bytes: &mut u64) -> Result<ImportId, Error> {
    let announced = length(request.headers());
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| no_file())?;
    let received = read_form(ctx, state, &mut form, announced, bytes).await;
    if received.is_err() {
        tokio::spawn(tokio::time::timeout(LINGER, async move { while let Ok(Some(_)) = form.next_field().await {} }));
    }
    received
}

async fn read_form(
    ctx: &TenantContext,
    state: &AppState,
    form: &mut Multipart,
    announced: Option<u64>,
    bytes: &mut u64,
) -> Result<ImportId, Error> {
    while let Some(mut field) = form.next_field().await.map_err(|_| cut_off())? {
        if field.name() != Some("file") {
            continue;
        }
        let name = field.file_name().unwrap_or_default().to_owned();
        let first = field.chunk().await.map_err(|_| cut_off())?.unwrap_or_default();
        // What a browser sends where no file was chosen.
        if name.is_empty() && first.is_empty() {
            return Err(no_file());
        }
        let mut upload = upload::begin(ctx, &state.uploads, &name, announced).await?;
        let mut piece = first;
        loop {
            *bytes += piece.len() as u64;
            upload.write(&piece).await?;
            match field.chunk().await {
                Ok(Some(next)) => piece = next,
                Ok(None) => return upload.finish().await,
                Err(_) => {
                    upload.discard().await?;
                    return Err(cut_off());
                }
            }
        }
    }
    Err(no_file())
}

fn no_file() -> Error {
    Error::invalid("file", "Choose a file first.")
}

fn cut_off() -> Error {
    Error::invalid("file", "The file did not arrive whole, and nothing of it was kept. Upload it again.")
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads on for a while what nobody wants, so that the sender gets to see the answer.
fn linger(body: Body) {
    tokio::spawn(tokio::time::timeout(LINGER, async move {
        let mut pieces = body.into_data_stream();
        while let Some(Ok(_)) = pieces.next().await {}
    }));
}

/// The page of imports with the reason, under the status of the refusal.
async fn refuse_upload(
    state: &AppState,
    asked: app::request::Request,
    tenant: &str,
    error: Error,
    status: StatusCode,
) -> Response {
    let error = match error {
        Error::Limit { message, .. } | Error::PlanLimit(message) => Error::invalid("file", message),
        Error::Internal => return error_page(state, error, &asked.context.request().id, &Method::POST),
        other => other,
    };
    flash::refuse_in_place(state, asked, &format!("/t/{tenant}/imports"), status, error, Vec::new()).await
}

/// Takes what was said about the columns and has the whole file checked.
pub async fn check(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, import)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let (ctx, id) = enter_import(&asked, &tenant, &import).await?;
        begin_check(&ctx, &state, id, &pairs).await
    };
    let page = format!("/t/{tenant}/imports/{import}");
    match outcome.await {
        Ok(None) => Redirect::to(&page).into_response(),
        Ok(Some(text)) => flash::lead_with(&session, flash::success(text), &page).await,
        Err(error @ Error::Invalid(_)) => {
            // What was chosen goes along, so that only what was wrong has to be chosen again.
            flash::lead_with(&session, flash::refusal(error, pairs), &format!("{page}?step=columns")).await
        }
        Err(error) => refuse(&state, &asked, &session, error, &page).await,
    }
}

async fn begin_check(
    ctx: &TenantContext,
    state: &AppState,
    id: ImportId,
    pairs: &[(String, String)],
) -> Result<Option<String>, Error> {
    let value = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let encoding = value("encoding").and_then(|key| key.parse().ok());
    let delimiter = value("delimiter").and_then(|key| key.parse().ok());
    let look = import::look(ctx, &state.uploads, id, encoding, delimiter).await?;
    let accounts = account::list(ctx).await?;
    let settings = app::import::settings(&look, &accounts, ctx.tenant().zone, pairs)?;
    let save_as = app::import::new_name(pairs).filter(|_| matches!(settings.mapping, MappingChoice::Draft(_)));
    import::check_and_save(ctx, &state.uploads, id, settings, save_as.as_ref()).await?;
    Ok(save_as.map(|saved| format!("The columns are saved as “{}”.", saved.name)))
}

/// Imports what was checked.
pub async fn start(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, import)): Path<(String, String)>,
) -> Response {
    let outcome = async {
        let (ctx, id) = enter_import(&asked, &tenant, &import).await?;
        import::start(&ctx, id).await
    };
    answer(&state, &asked, &session, outcome.await, &format!("/t/{tenant}/imports/{import}")).await
}

/// Ends an import that has not ended.
pub async fn cancel(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, import)): Path<(String, String)>,
) -> Response {
    let outcome = async {
        let (ctx, id) = enter_import(&asked, &tenant, &import).await?;
        import::cancel(&ctx, &state.uploads, id).await
    };
    answer(&state, &asked, &session, outcome.await, &format!("/t/{tenant}/imports/{import}")).await
}

/// Takes an import back.
pub async fn roll_back(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, import)): Path<(String, String)>,
) -> Response {
    let outcome = async {
        let (ctx, id) = enter_import(&asked, &tenant, &import).await?;
        import::begin_roll_back(&ctx, id).await
    };
    answer(&state, &asked, &session, outcome.await, &format!("/t/{tenant}/imports/{import}")).await
}

/// Gives a saved mapping another name.
pub async fn rename_mapping(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let (name, to) = (value(&pairs, "name"), value(&pairs, "to"));
        mapping::rename(&ctx, name.trim(), to.trim()).await.map_err(|error| error.about("name", "to"))?;
        Ok(format!("“{}” is now called “{}”.", name.trim(), to.trim()))
    };
    let page = format!("/t/{tenant}/imports/mappings");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, pairs).await
}

/// Removes a saved mapping.
pub async fn delete_mapping(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let name = value(&pairs, "name");
        mapping::delete(&ctx, &name).await?;
        Ok(format!("“{name}” is deleted. Imports that used it keep what they have stored."))
    };
    let page = format!("/t/{tenant}/imports/mappings");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Vec::new()).await
}

/// The refused rows as a file to mend.
pub async fn refused_rows(
    State(state): State<AppState>,
    asked: Asked,
    Path((tenant, import)): Path<(String, String)>,
) -> Response {
    let file = async {
        let (ctx, id) = enter_import(&asked, &tenant, &import).await?;
        import::refused_file(&ctx, id).await
    };
    match file.await {
        Ok(file) => {
            let name = file.file_name().to_owned();
            let pieces = futures::stream::try_unfold(file, async |mut file: RefusedFile| {
                // An answer that has begun can only be cut off; the browser then says that the file is not whole.
                let piece = file.next().await.map_err(std::io::Error::other)?;
                Ok::<_, std::io::Error>(piece.map(|piece| (piece, file)))
            });
            download::file(Body::from_stream(pieces), &name, download::CSV)
        }
        Err(error) => download::refuse(&state, &asked, error),
    }
}

/// The sample file.
pub async fn sample(State(state): State<AppState>, asked: Asked, Path(tenant): Path<String>) -> Response {
    let file = async { import::sample(&enter(&asked, &tenant).await?).await };
    match file.await {
        Ok(sample) => download::file(Body::from(sample), "rtv-sample.csv", download::CSV),
        Err(error) => download::refuse(&state, &asked, error),
    }
}

async fn enter_import(
    asked: &app::request::Request,
    tenant: &str,
    import: &str,
) -> Result<(TenantContext, ImportId), Error> {
    Ok((enter(asked, tenant).await?, id(import)?))
}

async fn answer(
    state: &AppState,
    asked: &app::request::Request,
    session: &Session,
    outcome: Result<(), Error>,
    page: &str,
) -> Response {
    match outcome {
        Ok(()) => Redirect::to(page).into_response(),
        Err(error) => refuse(state, asked, session, error, page).await,
    }
}

/// What does not fit the state is told on the page that shows the state; all else has a page of its own.
async fn refuse(
    state: &AppState,
    asked: &app::request::Request,
    session: &Session,
    error: Error,
    page: &str,
) -> Response {
    match error {
        told @ (Error::Conflict(_)
        | Error::Limit { .. }
        | Error::PlanLimit(_)
        | Error::Unavailable(_)
        | Error::Invalid(_)) => {
            flash::lead_with(session, Flash { text: Some(told.explanation()), ..Flash::default() }, page).await
        }
        other => flash::refuse(state, asked, session, page, other, Vec::new()).await,
    }
}
