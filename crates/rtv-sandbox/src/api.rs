//! What the network answers. A request is read whole, is judged in a task of its own, so that a client that goes away
//! cancels nothing, gets its line in the ledger, and is answered when that line is on the disk.

use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{delete, get, post, put};
use axum::{Extension, Form};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer;
use crate::arrival::{Connection, Cut};
use crate::clock;
use crate::dials::{Dials, Kind};
use crate::ledger::{Entry, Ledger, Line, Post};
use crate::network::{Account, Made, Network, Refused, sha256};
use crate::page;

/// Longest request.
const MOST_BYTES: usize = 64 * 1024;
/// Posts of a page, unless another number is asked for.
const PAGE: usize = 100;

/// What all requests share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) network: Arc<Mutex<Network>>,
    pub(crate) ledger: Ledger,
}

impl Shared {
    pub(crate) fn network(&self) -> MutexGuard<'_, Network> {
        self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the line, and lets the answer go when it is on the disk.
    async fn answer(&self, line: Line, entries: &[Entry], response: Response) -> Response {
        match self.ledger.record(&line, entries).wait().await {
            Ok(()) => response,
            Err(why) => answer::refusal(&Refused::new(503, "ledger", why)),
        }
    }
}

/// A request that arrived whole.
#[derive(Debug, Clone)]
struct Arrived {
    first_byte_at: DateTime<Utc>,
    connection: Connection,
}

impl Arrived {
    fn line(&self, action: &str) -> Line {
        Line::new(action, self.first_byte_at)
    }
}

pub(crate) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/accounts", get(accounts).post(add_account))
        .route("/accounts/{id}/token", post(change_token))
        .route("/me", get(me))
        .route("/posts", get(posts).post(publish))
        .route("/posts/{id}", get(one_post))
        .route("/posts/{id}", delete(delete_post))
        .route("/faults", put(set_faults))
        // What is only looked at has no line.
        .route("/faults", get(faults))
        .route("/ledger", get(newest_lines))
        .route("/health", get(|| async { answer::json(StatusCode::OK, &json!({ "status": "ready" })) }))
        .route("/", get(page::timeline))
        .route("/p/{id}", get(page::post))
        .route("/style.css", get(page::style))
        .fallback(async || answer::refusal(&Refused::new(404, "not-found", "there is nothing at this address")))
        .method_not_allowed_fallback(async || {
            answer::refusal(&Refused::new(405, "method", "this address does not answer to that method"))
        })
        .layer(from_fn(receive))
        .with_state(shared)
}

/// Reads the request whole and goes on in a task of its own.
async fn receive(ConnectInfo(connection): ConnectInfo<Connection>, request: Request, next: Next) -> Response {
    let first_byte_at = connection.first_byte_at();
    let (head, body) = request.into_parts();
    // A connection that broke is recorded where it ends; who waits for an answer has sent too much.
    let Ok(body) = to_bytes(body, MOST_BYTES).await else {
        let message = format!("a request has at most {MOST_BYTES} bytes");
        return answer::refusal(&Refused::new(413, "too-large", message));
    };
    connection.recorded();
    let mut request = Request::from_parts(head, Body::from(body));
    request.extensions_mut().insert(Arrived { first_byte_at, connection });
    match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        Err(_) => answer::refusal(&Refused::new(500, "internal", "something failed here")),
    }
}

fn token(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

fn parse<'a, T: Deserialize<'a>>(body: &'a Bytes) -> Result<T, Refused> {
    serde_json::from_slice(body)
        .map_err(|error| Refused::new(400, "json", format!("the body is not understood: {error}")))
}

fn account_value(account: &Account) -> Value {
    json!({ "id": account.id, "handle": account.handle, "posts": account.made() })
}

fn post_value(post: &Post) -> Value {
    json!({
        "id": post.id,
        "account": post.account,
        "text": post.text,
        "content_sha256": post.sha256,
        "created_at": clock::text(post.at),
    })
}

async fn accounts(State(shared): State<Shared>, Extension(arrived): Extension<Arrived>) -> Response {
    let items: Vec<Value> = shared.network().accounts().iter().map(account_value).collect();
    let response = answer::json(StatusCode::OK, &json!({ "items": items }));
    shared.answer(arrived.line("accounts"), &[], response).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    #[serde(default)]
    id: Option<String>,
    handle: String,
}

/// From programs as JSON, from the page as a form.
async fn add_account(
    State(shared): State<Shared>,
    Extension(arrived): Extension<Arrived>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let is_form =
        headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let wanted = if is_form { from_form(body).await } else { parse::<NewAccount>(&body) };
    let mut line = arrived.line("account");
    let made = wanted.and_then(|wanted| {
        let (id, token, entry) = shared.network().add_account(wanted.id.as_deref(), &wanted.handle)?;
        Ok((id, wanted.handle, token, entry))
    });
    match made {
        Ok((id, handle, token, entry)) => {
            line.account = Some(id.clone());
            let response = if is_form {
                page::new_account(&id, &handle, &token)
            } else {
                answer::json(StatusCode::CREATED, &json!({ "id": id, "handle": handle, "token": token }))
            };
            shared.answer(line, &[entry], response).await
        }
        Err(refused) => {
            let response = if is_form { page::refused(&refused) } else { answer::refusal(&refused) };
            shared.answer(line, &[], response).await
        }
    }
}

async fn from_form(body: Bytes) -> Result<NewAccount, Refused> {
    use axum::extract::FromRequest as _;
    let request = Request::post("/").header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Body::from(body));
    let trouble = |text: String| Refused::new(400, "form", text);
    let request = request.map_err(|error| trouble(error.to_string()))?;
    let Form(account) = Form::from_request(request, &()).await.map_err(|error| trouble(error.to_string()))?;
    Ok(account)
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct NewToken {
    #[serde(default)]
    answers_as: Option<String>,
}

async fn change_token(
    State(shared): State<Shared>,
    Extension(arrived): Extension<Arrived>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let wanted = if body.is_empty() { Ok(NewToken::default()) } else { parse::<NewToken>(&body) };
    let changed = wanted.and_then(|wanted| shared.network().change_token(&id, wanted.answers_as.as_deref()));
    let mut line = arrived.line("token");
    line.account = Some(id);
    match changed {
        Ok((token, entry)) => {
            let response = answer::json(StatusCode::OK, &json!({ "token": token }));
            shared.answer(line, &[entry], response).await
        }
        Err(refused) => shared.answer(line, &[], answer::refusal(&refused)).await,
    }
}

async fn me(State(shared): State<Shared>, Extension(arrived): Extension<Arrived>, headers: HeaderMap) -> Response {
    let mut line = arrived.line("me");
    let response = {
        let mut network = shared.network();
        let id = network.who(token(&headers)).map(|account| account.id.clone());
        match id {
            Ok(id) => {
                let (account, fault) = network.me(&id);
                line.account = Some(id);
                line.fault = fault.map(|fault| fault.key().to_owned());
                match account {
                    Some(account) => answer::json(StatusCode::OK, &account_value(&account)),
                    None => answer::refusal(&Refused::new(404, "not-found", "there is no such account")),
                }
            }
            Err(refused) => answer::refusal(&refused),
        }
    };
    shared.answer(line, &[], response).await
}

#[derive(Deserialize)]
struct Wanted {
    account: Option<String>,
    since: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

async fn posts(
    State(shared): State<Shared>,
    Extension(arrived): Extension<Arrived>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let mut line = arrived.line("read");
    let response = match list(&shared, &wanted, &headers, &mut line) {
        Ok(value) => answer::json(StatusCode::OK, &value),
        Err(refused) => answer::refusal(&refused),
    };
    shared.answer(line, &[], response).await
}

/// Lets in who may read, unless a fault stands in the way.
fn let_read(network: &mut Network, headers: &HeaderMap, line: &mut Line) -> Result<String, Refused> {
    let caller = network.who(token(headers))?.id.clone();
    line.account = Some(caller.clone());
    if let Some(fault) = network.read_fails(&caller) {
        line.fault = Some(fault.key().to_owned());
        return Err(Refused::new(500, "internal", "something failed here"));
    }
    Ok(caller)
}

fn list(shared: &Shared, wanted: &Wanted, headers: &HeaderMap, line: &mut Line) -> Result<Value, Refused> {
    let mut network = shared.network();
    let caller = let_read(&mut network, headers, line)?;
    let id = wanted.account.as_deref().unwrap_or(&caller);
    let account =
        network.account(id).ok_or_else(|| Refused::new(404, "not-found", format!("there is no account {id}")))?;
    let since = match wanted.since.as_deref() {
        None => None,
        Some(since) => match DateTime::parse_from_rfc3339(since) {
            Ok(since) => Some(since.to_utc()),
            Err(_) => {
                return Err(Refused::new(422, "invalid", "since: use a time like 2026-11-21T09:00:00Z"));
            }
        },
    };
    let limit = wanted.limit.unwrap_or(PAGE);
    if !(1..=PAGE).contains(&limit) {
        return Err(Refused::new(422, "invalid", format!("limit: use 1 to {PAGE}")));
    }
    let (page, has_more) = network.posts_of(account, since, wanted.after.as_deref(), limit);
    let next = page.last().filter(|_| has_more).map(|post| post.id.clone());
    Ok(json!({ "items": page.iter().map(post_value).collect::<Vec<_>>(), "next": next }))
}

async fn one_post(
    State(shared): State<Shared>,
    Extension(arrived): Extension<Arrived>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let mut line = arrived.line("read");
    let response = {
        let mut network = shared.network();
        match let_read(&mut network, &headers, &mut line) {
            Err(refused) => answer::refusal(&refused),
            Ok(_) => match network.post(&id) {
                Some(post) => answer::json(StatusCode::OK, &post_value(post)),
                None => answer::refusal(&Refused::new(404, "not-found", format!("there is no post {id}"))),
            },
        }
    };
    shared.answer(line, &[], response).await
}

async fn delete_post(
    State(shared): State<Shared>,
    Extension(arrived): Extension<Arrived>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let mut line = arrived.line("delete");
    let deleted = {
        let mut network = shared.network();
        let caller = network.who(token(&headers)).map(|account| account.id.clone());
        caller.and_then(|caller| {
            line.account = Some(caller.clone());
            network.delete(&caller, &id)
        })
    };
    match deleted {
        Ok(entry) => {
            line.remote_id = Some(id);
            shared.answer(line, &[entry], answer::empty(StatusCode::NO_CONTENT)).await
        }
        Err(refused) => shared.answer(line, &[], answer::refusal(&refused)).await,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPost {
    text: String,
}

async fn publish(
    State(shared): State<Shared>,
    Extension(arrived): Extension<Arrived>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut line = arrived.line("publish");
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned);
    line.idempotency_key.clone_from(&key);
    let planned = parse::<NewPost>(&body).and_then(|new| {
        let content = sha256(&new.text);
        line.content_sha256 = Some(content.clone());
        let mut network = shared.network();
        let caller = network.who(token(&headers))?.id.clone();
        line.account = Some(caller.clone());
        let plan = network.plan(&caller, &new.text, &content)?;
        Ok((caller, new.text, content, plan))
    });
    let (caller, text, content, plan) = match planned {
        Ok(planned) => planned,
        Err(refused) => return shared.answer(line, &[], answer::refusal(&refused)).await,
    };
    // Not held under the lock: everybody else goes on.
    tokio::time::sleep(plan.wait).await;
    let (made, written) = {
        // The line is handed over under the lock, so the order of lines is the order in which posts came to stand.
        let mut network = shared.network();
        let made = network.publish(&caller, &text, &content, key.as_deref(), &plan);
        line.at = clock::text(clock::now());
        let mut entries = Vec::new();
        match &made {
            Ok(Made::New { post, entries: new }) => {
                line.account = Some(post.account.clone());
                line.remote_id = Some(post.id.clone());
                line.fault.clone_from(&post.fault);
                entries.clone_from(new);
            }
            Ok(Made::Again { post }) => line.remote_id = Some(post.id.clone()),
            Err(refused) => line.fault = refused.fault.map(|fault| fault.key().to_owned()),
        }
        (made, shared.ledger.record(&line, &entries))
    };
    if let Err(why) = written.wait().await {
        return answer::refusal(&Refused::new(503, "ledger", why));
    }
    match made {
        Ok(Made::Again { post }) => answer::json(StatusCode::OK, &post_value(&post)),
        Ok(Made::New { post, .. }) => reply(&arrived.connection, &post, plan.fault, plan.slow).await,
        Err(refused) => {
            if refused.fault == Some(Kind::ResetBefore) {
                arrived.connection.cut(Cut::AtOnce);
            }
            answer::refusal(&refused)
        }
    }
}

/// The answer about a post that stands, as its fault has it.
async fn reply(connection: &Connection, post: &Post, fault: Option<Kind>, slow: Duration) -> Response {
    tokio::time::sleep(slow).await;
    match fault {
        Some(Kind::Accept500) => {
            return answer::refusal(&Refused::new(500, "internal", "something failed here"));
        }
        Some(Kind::AcceptDuplicate) => {
            return answer::refusal(&Refused::new(409, "duplicate", "you have already said that"));
        }
        Some(Kind::AcceptDrop) => connection.cut(Cut::AtOnce),
        Some(Kind::ResetMidBody) => connection.cut(Cut::MidBody),
        _ => {}
    }
    let mut response = answer::json(StatusCode::CREATED, &post_value(post));
    if let Ok(location) = HeaderValue::try_from(format!("/posts/{}", post.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

async fn set_faults(State(shared): State<Shared>, Extension(arrived): Extension<Arrived>, body: Bytes) -> Response {
    let set = parse::<Dials>(&body)
        .and_then(|dials| shared.network().set_dials(dials).map_err(|message| Refused::new(422, "invalid", message)));
    let line = arrived.line("faults");
    match set {
        Ok(entry) => {
            let response = answer::json(StatusCode::OK, &fault_value(&shared.network()));
            shared.answer(line, &[entry], response).await
        }
        Err(refused) => shared.answer(line, &[], answer::refusal(&refused)).await,
    }
}

async fn faults(State(shared): State<Shared>) -> Response {
    answer::json(StatusCode::OK, &fault_value(&shared.network()))
}

fn fault_value(network: &Network) -> Value {
    json!({ "dials": network.dials(), "fired": network.fired() })
}

#[derive(Deserialize)]
struct Tail {
    last: Option<usize>,
}

/// The newest lines of the ledger.
async fn newest_lines(State(shared): State<Shared>, Query(tail): Query<Tail>) -> Response {
    let mut text = shared.ledger.newest(tail.last.unwrap_or(PAGE)).join("\n");
    text.push('\n');
    answer::with_type(StatusCode::OK, "application/jsonl; charset=utf-8", text)
}
