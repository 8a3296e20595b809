//! Imports: the upload, the forms of each step, and the files that can be taken away. An upload is streamed to where
//! the domain keeps it, so its size shows nowhere in the program's memory.

use core::time::Duration;

use app::page::Flash;
use axum::Form;
use axum::body::Body;
use axum::extract::multipart::Multipart;
use axum::extract::{Extension, FromRequest as _, Path, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use futures::StreamExt as _;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use rtv_core::{Error, ImportId};
use rtv_domain::import::upload;
use rtv_domain::import::{self, MappingChoice, RefusedFile};
use rtv_domain::{TenantContext, access, account, mapping};
use tower_sessions::Session;

use crate::http::flash;
use crate::middleware::shield::error_page;
use crate::router::page_in_place;
use crate::state::AppState;

/// How long a body that nobody wants is still read. A browser shows an answer only when it has sent everything, or when
/// the connection ends in order; one that is cut off shows an error of its own.
const LINGER: Duration = Duration::from_secs(20);
/// A file in RTV's own form, to see what one looks like.
const SAMPLE: &str = include_str!("import/sample.csv");

type Asked = Extension<app::request::Request>;
type Pairs = Vec<(String, String)>;

/// Takes a file and leads to its import. A refusal is answered at once by the page of imports with the reason; nothing
/// stays of a file that does not arrive whole.
pub async fn upload(
    State(state): State<AppState>,
    Extension(asked): Asked,
    Path(tenant): Path<String>,
    request: Request,
) -> Response {
    let announced = length(request.headers());
    let mut bytes = 0;
    let received = match access::enter(&asked.context, &tenant).await {
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
                Error::Limit { .. } => StatusCode::PAYLOAD_TOO_LARGE,
                Error::Invalid(_) if is_too_large => StatusCode::PAYLOAD_TOO_LARGE,
                other => status_of(other),
            };
            refuse_upload(&state, asked, &tenant, error, status).await
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
    let flash = match error {
        Error::Limit { message, .. } => flash::refusal(Error::invalid("file", message), Vec::new()),
        Error::Internal => return error_page(state, error, &asked.context.request().id, &Method::POST),
        other => flash::refusal(other, Vec::new()),
    };
    let mut response = page_in_place(state, asked, &format!("/t/{tenant}/imports"), flash).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    response
}

/// Takes what was said about the columns and has the whole file checked.
pub async fn check(
    State(state): State<AppState>,
    Extension(asked): Asked,
    session: Session,
    Path((tenant, import)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let (ctx, id) = enter(&asked, &tenant, &import).await?;
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
    let draft = match &settings.mapping {
        MappingChoice::Draft(draft) => Some(draft.clone()),
        MappingChoice::Detected | MappingChoice::Builtin(_) | MappingChoice::Saved(_) => None,
    };
    let to_save = draft.zip(app::import::new_name(pairs));
    if let Some((_, (name, false))) = &to_save
        && mapping::find(ctx, name).await.is_ok()
    {
        return Err(Error::invalid(
            "save_as",
            format!("“{name}” is the name of another saved mapping; choose another."),
        ));
    }
    import::check(ctx, &state.uploads, id, settings).await?;
    let Some((draft, (name, is_known))) = to_save else { return Ok(None) };
    match mapping::save(ctx, &name, &draft, is_known).await {
        Ok(()) => Ok(Some(format!("The columns are saved as “{name}”."))),
        Err(Error::Invalid(errors)) => {
            let why = errors.into_iter().map(|error| error.message).collect::<Vec<_>>().join(" ");
            Ok(Some(format!("The columns were not saved under a name: {why} The check goes on all the same.")))
        }
        Err(other) => Err(other),
    }
}

/// Imports what was checked.
pub async fn start(
    State(state): State<AppState>,
    Extension(asked): Asked,
    session: Session,
    Path((tenant, import)): Path<(String, String)>,
) -> Response {
    let outcome = async {
        let (ctx, id) = enter(&asked, &tenant, &import).await?;
        import::start(&ctx, id).await
    };
    answer(&state, &asked, &session, outcome.await, &format!("/t/{tenant}/imports/{import}")).await
}

/// Ends an import that has not ended.
pub async fn cancel(
    State(state): State<AppState>,
    Extension(asked): Asked,
    session: Session,
    Path((tenant, import)): Path<(String, String)>,
) -> Response {
    let outcome = async {
        let (ctx, id) = enter(&asked, &tenant, &import).await?;
        import::cancel(&ctx, &state.uploads, id).await
    };
    answer(&state, &asked, &session, outcome.await, &format!("/t/{tenant}/imports/{import}")).await
}

/// Takes an import back.
pub async fn roll_back(
    State(state): State<AppState>,
    Extension(asked): Asked,
    session: Session,
    Path((tenant, import)): Path<(String, String)>,
) -> Response {
    let outcome = async {
        let (ctx, id) = enter(&asked, &tenant, &import).await?;
        import::begin_roll_back(&ctx, id).await
    };
    answer(&state, &asked, &session, outcome.await, &format!("/t/{tenant}/imports/{import}")).await
}

/// Gives a saved mapping another name.
pub async fn rename_mapping(
    State(state): State<AppState>,
    Extension(asked): Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let value = |name: &str| pairs.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim());
    let (name, to) = (value("name"), value("to"));
    let outcome = async {
        let ctx = access::enter(&asked.context, &tenant).await?;
        mapping::rename(&ctx, name, to).await
    };
    let page = format!("/t/{tenant}/imports/mappings");
    match outcome.await {
        Ok(()) => flash::lead_with(&session, flash::success(format!("“{name}” is now called “{to}”.")), &page).await,
        Err(Error::Invalid(errors)) => {
            // The domain calls it a name; on this page it is the new one.
            let errors = errors.into_iter().map(|error| ("to".to_owned(), error.message)).collect();
            flash::lead_with(&session, Flash { errors, values: pairs, ..Flash::default() }, &page).await
        }
        Err(error) => refuse(&state, &asked, &session, error, &page).await,
    }
}

/// Removes a saved mapping.
pub async fn delete_mapping(
    State(state): State<AppState>,
    Extension(asked): Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let name = pairs.iter().find(|(known, _)| known == "name").map_or("", |(_, value)| value.as_str());
    let outcome = async {
        let ctx = access::enter(&asked.context, &tenant).await?;
        mapping::delete(&ctx, name).await
    };
    let page = format!("/t/{tenant}/imports/mappings");
    match outcome.await {
        Ok(()) => {
            let text = format!("“{name}” is deleted. Imports that used it keep what they have stored.");
            flash::lead_with(&session, flash::success(text), &page).await
        }
        Err(error) => refuse(&state, &asked, &session, error, &page).await,
    }
}

/// The refused rows as a file to mend.
pub async fn refused_rows(
    State(state): State<AppState>,
    Extension(asked): Asked,
    Path((tenant, import)): Path<(String, String)>,
) -> Response {
    let file = async {
        let (ctx, id) = enter(&asked, &tenant, &import).await?;
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
            download(Body::from_stream(pieces), &name)
        }
        Err(error) => refuse_page(&state, &asked, error),
    }
}

/// The sample file.
pub async fn sample(State(state): State<AppState>, Extension(asked): Asked, Path(tenant): Path<String>) -> Response {
    // Only for who may import, as everything here; listing writes the refusal down.
    let allowed = async {
        let ctx = access::enter(&asked.context, &tenant).await?;
        import::list(&ctx, None).await
    };
    match allowed.await {
        Ok(_) => download(Body::from(SAMPLE), "rtv-sample.csv"),
        Err(error) => refuse_page(&state, &asked, error),
    }
}

/// A CSV file that the browser keeps instead of showing it.
fn download(body: Body, name: &str) -> Response {
    let plain: String = name
        .chars()
        .map(
            |letter| {
                if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | ' ') { letter } else { '_' }
            },
        )
        .collect();
    let escaped: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20");
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{escaped}")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

async fn enter(asked: &app::request::Request, tenant: &str, import: &str) -> Result<(TenantContext, ImportId), Error> {
    let ctx = access::enter(&asked.context, tenant).await?;
    Ok((ctx, import.parse().map_err(|_| Error::NotFound)?))
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
        // Back to the page and not to the form, which has no address of its own.
        Error::SignedOut => {
            let asked = app::request::Request { page: page.to_owned(), ..asked.clone() };
            Redirect::to(&asked.sign_in_address()).into_response()
        }
        told @ (Error::Conflict(_) | Error::Limit { .. } | Error::Unavailable(_) | Error::Invalid(_)) => {
            flash::lead_with(session, Flash { text: Some(told.explanation()), ..Flash::default() }, page).await
        }
        other => error_page(state, other, &asked.context.request().id, &Method::POST),
    }
}

fn refuse_page(state: &AppState, asked: &app::request::Request, error: Error) -> Response {
    if error == Error::SignedOut {
        return Redirect::to(&asked.sign_in_address()).into_response();
    }
    error_page(state, error, &asked.context.request().id, &Method::GET)
}

fn status_of(error: &Error) -> StatusCode {
    StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_offered_under_its_name_whatever_stands_in_it() {
        let name = |name: &str| {
            download(Body::empty(), name).headers()[header::CONTENT_DISPOSITION].to_str().unwrap().to_owned()
        };
        assert_eq!(
            name("posts-refused.csv"),
            "attachment; filename=\"posts-refused.csv\"; filename*=UTF-8''posts-refused.csv"
        );
        assert_eq!(name("Ä \"1\".csv"), "attachment; filename=\"_ _1_.csv\"; filename*=UTF-8''%C3%84%20%221%22.csv");
    }

    #[test]
    fn the_sample_is_read_without_a_refusal() {
        let mut reader = rtv_import::open(SAMPLE.as_bytes(), rtv_import::OpenOptions::default()).unwrap();
        let rows: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 4);
        assert!(rows.iter().all(|row| matches!(row, rtv_import::Row::Post(_))), "{rows:?}");
        assert_eq!(reader.mapping().name, "rtv-posts");
        assert!(reader.unmapped_columns().is_empty());
    }
}
