//! `/api/v1/imports`: bringing a file of posts in, and taking it back.

use core::time::Duration;

use axum::extract::multipart::{Field, Multipart};
use axum::extract::{FromRequest as _, Path, Request, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use http::{HeaderMap, StatusCode, header};
use rtv_core::{AccountId, Error, FieldError, ImportId};
use rtv_domain::import::{
    self, Contradiction, Counts, DuplicateRule, Import, ListedImport, Options, Report, Settings, upload,
};
use rtv_domain::{TenantContext, api_answer};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::caller::{Caller, written};
use super::list::{Ask, ListParams, Page, next};
use super::once::{Once, digest_of, from_json, key_of};
use super::problem::{Kind, Refusal};
use crate::http::form::id;
use crate::state::AppState;

/// How long a body that nobody wants is still read, so that the sender gets to see the answer.
const LINGER: Duration = Duration::from_secs(20);
/// Longest text of the options.
const LONGEST_OPTIONS: usize = 64 * 1_024;
/// Refused rows that are told.
const REFUSALS: i64 = 20;

/// What became of the rows of a file, or would.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(title = "ImportCounts", example = json!({ "read": 900, "new": 880, "changed": 10, "unchanged": 5, "duplicate": 3, "refused": 2 }))]
pub struct CountsObject {
    /// Rows in the file, the header aside.
    read: i64,
    /// Posts that were not there.
    new: i64,
    /// Posts that were there with other content.
    changed: i64,
    /// Posts that were there just so.
    unchanged: i64,
    /// Rows whose post stands in the file more than once, the one that counts aside.
    duplicate: i64,
    /// Rows that could not be taken.
    refused: i64,
}

impl From<Counts> for CountsObject {
    fn from(counts: Counts) -> Self {
        let Counts { read, new, changed, unchanged, duplicate, refused } = counts;
        Self { read, new, changed, unchanged, duplicate, refused }
    }
}

/// Posts that stand in a file more than once with different content.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(title = "Contradictions")]
pub struct Contradictions {
    /// How many.
    count: i64,
    /// The first of them, as sentences.
    examples: Vec<String>,
}

/// A row that could not be taken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "RefusedRow", example = json!({ "row": 17, "column": "published_at", "reason": "there is no such day" }))]
pub struct RefusedRow {
    /// Which row of the file.
    row: u64,
    /// The column at fault, where it is one.
    column: Option<String>,
    /// What is wrong and what would be accepted.
    reason: String,
}

impl From<import::Refusal> for RefusedRow {
    fn from(one: import::Refusal) -> Self {
        Self { row: one.row_number, column: one.column, reason: one.reason }
    }
}

/// An import: the same object for programs and at the command line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Import", example = json!({
    "id": "imp_0192f3c4a1b27d3e8f9a0b1c2d3e4f50", "state": "done", "file_name": "posts.csv",
    "counts": { "read": 900, "new": 880, "changed": 10, "unchanged": 5, "duplicate": 3, "refused": 2 },
    "accounts": 4, "new_accounts": 1, "mapping": "RTV posts", "notes": [], "contradictions": { "count": 0, "examples": [] },
    "refusals": [{ "row": 17, "column": "published_at", "reason": "there is no such day" }],
    "blocked": null, "failure": null, "created_at": "2026-11-20T16:40:00Z", "finished_at": "2026-11-20T16:40:09Z"
}))]
pub struct ImportObject {
    /// Its id; null for a dry run at the command line, of which nothing is kept.
    id: Option<String>,
    /// `uploading`, `uploaded`, `checking`, `checked`, `importing`, `done`, `failed`, `cancelled`, `rolling_back` or `rolled_back`;
    /// at the command line `dry_run`. A dry run of the API ends as `checked`.
    state: String,
    /// Name of the file for people.
    file_name: String,
    /// What became of the rows, or would; null until that is known.
    counts: Option<CountsObject>,
    /// Accounts that the file's posts belong to; null until that is known.
    accounts: Option<i64>,
    /// Those of them that were not known; null until that is known.
    new_accounts: Option<i64>,
    /// The mapping that read the columns.
    mapping: Option<String>,
    /// How the file was read and what it lacks, as sentences.
    notes: Vec<String>,
    /// Posts that stand in the file more than once with different content.
    contradictions: Contradictions,
    /// The first rows that could not be taken.
    refusals: Vec<RefusedRow>,
    /// Why it would not be imported, where a check found a reason: the file, or a limit of the plan.
    blocked: Option<String>,
    /// Why it failed, or why its roll-back did not happen.
    failure: Option<String>,
    /// When the file came; null for a command, which is over when it answers.
    created_at: Option<DateTime<Utc>>,
    /// When it ended.
    finished_at: Option<DateTime<Utc>>,
}

fn examples(all: &[Contradiction]) -> Vec<String> {
    all.iter().map(Contradiction::sentence).collect()
}

impl ImportObject {
    /// Of an import that a command ran while it was waited for.
    pub fn of_report(report: Report, file_name: &str) -> Self {
        let found = report.findings;
        Self {
            id: report.id.map(|id| id.to_string()),
            state: if report.id.is_some() { "done" } else { "dry_run" }.into(),
            file_name: file_name.into(),
            counts: Some(report.counts.into()),
            accounts: Some(found.accounts),
            new_accounts: Some(found.new_accounts),
            mapping: Some(report.mapping),
            contradictions: Contradictions {
                count: found.contradictions,
                examples: examples(&found.contradiction_examples),
            },
            notes: found.notes,
            refusals: report.refusals.into_iter().map(RefusedRow::from).collect(),
            blocked: found.blocked.or(found.over_limit),
            failure: None,
            created_at: None,
            finished_at: None,
        }
    }

    fn of(import: Import, refusals: Vec<import::Refusal>) -> Self {
        let found = import.findings;
        let (accounts, new_accounts) = found.as_ref().map(|found| (found.accounts, found.new_accounts)).unzip();
        let found = found.unwrap_or_default();
        Self {
            id: Some(import.id.to_string()),
            state: import.state.key().into(),
            file_name: import.file_name,
            counts: import.counts.map(CountsObject::from),
            accounts,
            new_accounts,
            mapping: import.mapping_title,
            contradictions: Contradictions {
                count: found.contradictions,
                examples: examples(&found.contradiction_examples),
            },
            notes: found.notes,
            refusals: refusals.into_iter().map(RefusedRow::from).collect(),
            blocked: found.blocked.or(found.over_limit),
            failure: import.failure,
            created_at: Some(import.created_at),
            finished_at: import.finished_at,
        }
    }
}

/// An import in the list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "ListedImport", example = json!({
    "id": "imp_0192f3c4a1b27d3e8f9a0b1c2d3e4f50", "state": "done", "file_name": "posts.csv", "bytes": 48_211,
    "counts": { "read": 900, "new": 880, "changed": 10, "unchanged": 5, "duplicate": 3, "refused": 2 }, "mapping": "RTV posts",
    "created_by": "Nightly import (rtv_1a2b3c4d…)", "failure": null, "created_at": "2026-11-20T16:40:00Z",
    "finished_at": "2026-11-20T16:40:09Z"
}))]
pub struct ListedImportObject {
    /// Its id.
    id: String,
    /// Where it stands; as in the import itself.
    state: String,
    /// Name of the file for people.
    file_name: String,
    /// Size of the file.
    bytes: u64,
    /// What became of the rows, or would; null until that is known.
    counts: Option<CountsObject>,
    /// The mapping that read the columns.
    mapping: Option<String>,
    /// Who brought the file, as the audit log names them.
    created_by: String,
    /// Why it failed.
    failure: Option<String>,
    /// When the file came.
    created_at: DateTime<Utc>,
    /// When it ended.
    finished_at: Option<DateTime<Utc>>,
}

impl From<ListedImport> for ListedImportObject {
    fn from(one: ListedImport) -> Self {
        Self {
            id: one.id.to_string(),
            state: one.state.key().into(),
            file_name: one.file_name,
            bytes: one.bytes,
            counts: one.counts.map(CountsObject::from),
            mapping: one.mapping_title,
            created_by: one.actor,
            failure: one.failure,
            created_at: one.created_at,
            finished_at: one.finished_at,
        }
    }
}

/// How to read a file, the part `options` of an upload.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(title = "ImportOptions", example = json!({ "zone": "Europe/Berlin", "duplicates": "first", "dry_run": true }))]
#[serde(deny_unknown_fields)]
pub struct ImportOptions {
    /// Name of a built-in or saved mapping; the built-in one that fits the header if left out.
    #[serde(default)]
    mapping: Option<String>,
    /// IANA zone of times in the file that name none.
    #[serde(default)]
    zone: Option<String>,
    /// Id of the account that all rows belong to, for files that name none.
    #[serde(default)]
    account: Option<String>,
    /// Which row counts when a post stands in the file twice with different content: `first`, `last`, or `refuse` the file.
    #[serde(default)]
    #[schema(pattern = "^(first|last|refuse)$")]
    duplicates: Option<String>,
    /// Whether the file is only checked and nothing is imported.
    #[serde(default)]
    dry_run: bool,
}

impl ImportOptions {
    /// Every field that is refused is named at once.
    fn settings(&self) -> Result<Settings, Error> {
        let mut errors = Vec::new();
        let mut refuse = |field: &str, message: &str| {
            errors.push(FieldError { field: field.into(), message: message.into() });
        };
        let zone = self.zone.as_deref().and_then(|text| {
            let zone = text.parse::<Tz>();
            zone.map_err(|_| refuse("zone", "use an IANA time zone like Europe/Berlin or Asia/Bangkok.")).ok()
        });
        let account = self.account.as_deref().and_then(|text| {
            let account = text.parse::<AccountId>();
            account.map_err(|_| refuse("account", "use the id of an account of this tenant.")).ok()
        });
        let duplicates = self.duplicates.as_deref().and_then(|text| {
            let rule = text.parse::<DuplicateRule>();
            rule.map_err(|_| refuse("duplicates", "use first, last or refuse.")).ok()
        });
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        let options = Options {
            mapping: self.mapping.clone(),
            zone,
            account,
            duplicates: duplicates.unwrap_or_default(),
            ..Options::default()
        };
        Ok(options.settings())
    }
}

/// The parts of an upload. For the description alone: the parts are read one after the other.
#[derive(Debug, ToSchema)]
#[schema(title = "ImportUpload")]
#[allow(dead_code)]
pub struct ImportUpload {
    /// The file: CSV with comma, semicolon or tab.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// How to read it, as JSON.
    #[schema(required = false)]
    options: ImportOptions,
}

const LIST: &str = "imports";

/// Imports
///
/// The newest first. Needs imports:manage.
#[utoipa::path(get, path = "/api/v1/imports", tag = "Imports", operation_id = "listImports", params(ListParams),
    responses((status = 200, description = "Imports.", body = Page<ListedImportObject>)))]
pub async fn list(caller: Caller) -> Response {
    let page = async {
        let ask = Ask::parse(&caller, LIST)?;
        let found = import::list_some(caller.ctx(), ask.place()?, ask.rows()).await?;
        Ok(Page {
            items: found.imports.into_iter().map(ListedImportObject::from).collect(),
            next: found.next.map(|cursor| next(LIST, &cursor.to_string())),
        })
    };
    caller.answer(page.await)
}

async fn read(ctx: &TenantContext, id: ImportId) -> Result<ImportObject, Error> {
    let found = import::one(ctx, id).await?;
    let refusals = import::refusals(ctx, id, 0, REFUSALS).await?;
    Ok(ImportObject::of(found, refusals))
}

/// One import
///
/// Ask again while its state is `checking`, `importing` or `rolling_back`. Needs imports:manage.
#[utoipa::path(get, path = "/api/v1/imports/{id}", tag = "Imports", operation_id = "getImport",
    params(("id" = String, Path, description = "Id of the import.", example = "imp_0192f3c4a1b27d3e8f9a0b1c2d3e4f50")),
    responses((status = 200, description = "The import.", body = ImportObject)))]
pub async fn one(caller: Caller, Path(import): Path<String>) -> Response {
    let found = async { read(caller.ctx(), id(&import)?).await };
    caller.answer(found.await)
}

/// Take an import back
///
/// What it made goes, what it changed is as it was; a worker does it. Refused while a later import has changed the same posts.
/// Needs imports:manage.
#[utoipa::path(post, path = "/api/v1/imports/{id}/rollback", tag = "Imports", operation_id = "rollBackImport",
    params(("id" = String, Path, description = "Id of the import.", example = "imp_0192f3c4a1b27d3e8f9a0b1c2d3e4f50")),
    responses((status = 202, description = "It is being taken back.", body = ImportObject)))]
pub async fn roll_back(Path(import): Path<String>, once: Once) -> Response {
    let outcome = async {
        let id = id::<ImportId>(&import)?;
        import::begin_roll_back(once.ctx(), id).await?;
        read(once.ctx(), id).await
    };
    let outcome = outcome.await;
    once.answer(StatusCode::ACCEPTED, outcome).await
}

/// Import a file of posts
///
/// All or nothing: the file is checked as a whole by a worker and then imported, unless it is a dry run or the check finds a
/// reason against it. Importing it again changes nothing. Needs imports:manage.
#[utoipa::path(post, path = "/api/v1/imports", tag = "Imports", operation_id = "createImport",
    request_body(content = ImportUpload, content_type = "multipart/form-data"),
    responses((status = 202, description = "The file is there and is being checked.", body = ImportObject)))]
pub async fn upload(State(state): State<AppState>, caller: Caller, request: Request) -> Response {
    let key = match key_of(request.headers()) {
        Ok(key) => key,
        Err(refusal) => return refusal.response(caller.request_id()),
    };
    let announced = length(request.headers());
    let Ok(mut form) = Multipart::from_request(request, &()).await else {
        let detail = "Send the file as the part “file” of a body of multipart/form-data.".to_owned();
        return Refusal { detail, ..Refusal::of(Kind::UnsupportedMediaType) }.response(caller.request_id());
    };
    let received = receive(&state, &caller, &mut form, announced, key.as_deref()).await;
    if received.is_err() {
        tokio::spawn(tokio::time::timeout(LINGER, async move { while let Ok(Some(_)) = form.next_field().await {} }));
    }
    match received {
        Ok(received) => take_in(&state, caller, received, key).await,
        Err(refusal) => refusal.response(caller.request_id()),
    }
}

/// A file that came whole.
struct Received {
    /// Its import; none where the answer was given before and the file was only looked at.
    import: Option<ImportId>,
    options: ImportOptions,
    /// What makes it the same request.
    digest: [u8; 32],
}

async fn receive(
    state: &AppState,
    caller: &Caller,
    form: &mut Multipart,
    announced: Option<u64>,
    key: Option<&str>,
) -> Result<Received, Refusal> {
    // A file that was taken in already is not kept a second time; it is only compared.
    let was_answered = match key {
        Some(key) => api_answer::is_known(caller.ctx(), key).await?,
        None => false,
    };
    let (mut name, mut options) = (None, String::new());
    let mut import = None;
    let mut hasher = Sha256::new();
    let outcome = async {
        while let Some(mut field) = form.next_field().await.map_err(|_| cut_off())? {
            match field.name() {
                Some("file") if name.is_none() => {
                    let file_name = field.file_name().unwrap_or_default().to_owned();
                    if was_answered {
                        while let Some(piece) = field.chunk().await.map_err(|_| cut_off())? {
                            hasher.update(&piece);
                        }
                    } else {
                        let stored = store(state, caller.ctx(), field, &file_name, announced, &mut hasher).await?;
                        import = Some(stored);
                    }
                    name = Some(file_name);
                }
                Some("options") => options = text(field).await?,
                _ => {}
            }
        }
        let name = name.as_deref().ok_or_else(|| {
            Refusal::from(Error::invalid("file", "send the file as the part “file” of multipart/form-data."))
        })?;
        let read = if options.trim().is_empty() { ImportOptions::default() } else { from_json(options.as_bytes())? };
        let digest = digest_of(&[b"POST /api/v1/imports", name.as_bytes(), &hasher.finalize(), options.as_bytes()]);
        Ok(Received { import, options: read, digest })
    };
    let outcome: Result<Received, Refusal> = outcome.await;
    if let (Err(_), Some(import)) = (&outcome, import) {
        forget(state, caller.ctx(), import).await;
    }
    outcome
}

/// Streams the file to the domain.
async fn store(
    state: &AppState,
    ctx: &TenantContext,
    mut field: Field<'_>,
    name: &str,
    announced: Option<u64>,
    hasher: &mut Sha256,
) -> Result<ImportId, Refusal> {
    let mut bytes = 0;
    let stored = async {
        let mut upload = upload::begin(ctx, &state.uploads, name, announced).await?;
        loop {
            match field.chunk().await {
                Ok(Some(piece)) => {
                    bytes += piece.len() as u64;
                    hasher.update(&piece);
                    upload.write(&piece).await?;
                }
                Ok(None) => return upload.finish().await,
                Err(_) => {
                    upload.discard().await?;
                    return Err(cut_off());
                }
            }
        }
    };
    stored.await.map_err(|error| {
        let is_too_large = announced.unwrap_or_default().max(bytes) > state.uploads.limits().file_bytes;
        match error {
            // No room is left for it.
            Error::Limit { message, .. } => Refusal { detail: message, ..Refusal::of(Kind::TooLarge) },
            Error::Invalid(errors) if is_too_large => {
                Refusal { kind: Kind::TooLarge, ..Refusal::from(Error::Invalid(errors)) }
            }
            other => other.into(),
        }
    })
}

async fn text(mut field: Field<'_>) -> Result<String, Refusal> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|_| cut_off())? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > LONGEST_OPTIONS {
            return Err(Refusal::of(Kind::TooLarge));
        }
    }
    String::from_utf8(bytes).map_err(|_| Error::invalid("options", "send JSON in UTF-8.").into())
}

fn cut_off() -> Error {
    Error::invalid("file", "the body did not arrive whole, and nothing of it was kept. Send it again.")
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Has a file that came whole checked and imported.
async fn take_in(state: &AppState, caller: Caller, received: Received, key: Option<String>) -> Response {
    let Received { import, options, digest } = received;
    let ctx = caller.ctx().clone();
    let once = match key {
        Some(key) => match Once::begin_with(caller, &key, digest).await {
            Ok(once) => once,
            Err(answer) => {
                // Another request with this key was quicker, or was another request: this file is not wanted.
                if let Some(import) = import {
                    forget(state, &ctx, import).await;
                }
                return answer;
            }
        },
        None => Once::without_key(caller),
    };
    let Some(import) = import else {
        // The answer that was there a moment ago is no longer kept, and the file was not.
        let text = "The answer to this Idempotency-Key is no longer kept. Send the file again.";
        return once
            .end(StatusCode::ACCEPTED, Err(Refusal { detail: text.into(), ..Refusal::of(Kind::Unavailable) }))
            .await;
    };
    let outcome = async {
        let settings = options.settings()?;
        if options.dry_run {
            import::check(once.ctx(), &state.uploads, import, settings).await?;
        } else {
            import::check_and_start(once.ctx(), &state.uploads, import, settings).await?;
        }
        read(once.ctx(), import).await
    };
    let outcome = outcome.await.and_then(|value| written(&value)).map_err(Refusal::from);
    let is_refused = outcome.is_err();
    let answer = once.end(StatusCode::ACCEPTED, outcome).await;
    if is_refused {
        forget(state, &ctx, import).await;
    }
    answer
}

/// A file that is not wanted takes no room.
async fn forget(state: &AppState, ctx: &TenantContext, import: ImportId) {
    if let Err(error) = import::cancel(ctx, &state.uploads, import).await {
        tracing::warn!(%import, %error, "a file that is not wanted is still kept; the sweep removes it");
    }
}
