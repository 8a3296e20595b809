//! The sandbox network (`rtv sandbox`): JSON over HTTP, a token for each account.

use core::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};
use http::StatusCode;
use http::header::RETRY_AFTER;
use rtv_core::fault::{self, Fault};
use rtv_core::{Action, Platform};
use rtv_outbound::gate::Permit;
use rtv_outbound::http::{Answer, Base, Client, Outcome, Request};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::adapter::{
    Adapter, Addressee, Deleted, Found, Lookup, Posting, Profile, Published, ReadError, Refusal, RemotePost,
};

/// How long to wait where a 429 does not say.
const SOME_TIME: Duration = Duration::from_mins(1);

/// The adapter of the sandbox network.
#[derive(Debug, Clone)]
pub struct Sandbox {
    client: Client,
    base: Base,
}

#[derive(Serialize)]
struct NewPost<'a> {
    text: &'a str,
}

#[derive(Deserialize)]
struct Post {
    id: String,
    account: String,
    text: String,
    created_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Posts {
    items: Vec<Post>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Account {
    id: String,
    handle: String,
}

#[derive(Deserialize)]
struct Problem {
    error: String,
    message: String,
}

impl From<Post> for RemotePost {
    fn from(post: Post) -> Self {
        Self { remote_id: post.id, author_id: post.account, text: post.text, at: post.created_at }
    }
}

impl Sandbox {
    /// The network at that address.
    pub const fn new(client: Client, base: Base) -> Self {
        Self { client, base }
    }

    /// Asks for a GET, and for its answer in that form; `None`: it is not there.
    async fn read<T: DeserializeOwned>(&self, request: &Request) -> Result<Option<T>, ReadError> {
        let answer = match self.client.read(request).await {
            Outcome::Answered(answer) => answer,
            Outcome::NotSent(why) => return Err(ReadError::Unavailable { why: why.to_string() }),
            Outcome::Unknown(unknown) => return Err(ReadError::Unavailable { why: unknown.why }),
        };
        match answer.status {
            StatusCode::OK => serde_json::from_slice(&answer.body)
                .map(Some)
                .map_err(|error| ReadError::Unavailable { why: format!("its answer is not understood: {error}") }),
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(ReadError::Unauthorized { words: problem(&answer).message })
            }
            StatusCode::TOO_MANY_REQUESTS => Err(ReadError::Limited { retry_after: retry_after(&answer) }),
            status => Err(ReadError::Unavailable { why: format!("it answers {status}: {}", problem(&answer).message) }),
        }
    }
}

#[async_trait]
impl Adapter for Sandbox {
    fn platform(&self) -> Platform {
        Platform::Sandbox
    }

    async fn publish(&self, permit: Permit, addressee: &Addressee, posting: &Posting) -> Published {
        let operation = addressee.operation(Platform::Sandbox, Action::Publish, posting.campaign);
        let request = Request::post(&self.base, &["posts"])
            .bearer(&addressee.token)
            .header("idempotency-key", &posting.idempotency_key)
            .json(&NewPost { text: &posting.text });
        let answer = match self.client.send(permit, &operation, &request).await {
            Outcome::Answered(answer) => answer,
            Outcome::NotSent(why) => return Published::NotSent(why),
            Outcome::Unknown(unknown) => {
                let status = unknown.status.map(|status| status.as_u16());
                return Published::Unknown { why: unknown.why, status, sent: unknown.sent };
            }
        };
        let (status, sent) = (answer.status.as_u16(), answer.sent);
        match answer.status {
            StatusCode::OK | StatusCode::CREATED => match serde_json::from_slice::<Post>(&answer.body) {
                Ok(post) => Published::Accepted { remote_id: post.id, author_id: Some(post.account), sent },
                Err(error) => Published::Unknown {
                    why: format!("its answer is not understood: {error}"),
                    status: Some(status),
                    sent,
                },
            },
            StatusCode::TOO_MANY_REQUESTS => {
                Published::Limited { retry_after: retry_after(&answer), words: problem(&answer).message, sent }
            }
            _ if is_definite(answer.status) => {
                let problem = problem(&answer);
                Published::Rejected { refusal: problem.refusal(answer.status), status, words: problem.message, sent }
            }
            _ if answer.status.is_server_error() && fault::is(Fault::ServerErrorDefinite) => {
                Published::Limited { retry_after: Duration::ZERO, words: problem(&answer).message, sent }
            }
            _ => {
                let why = format!("it answers {}: {}", answer.status, problem(&answer).message);
                Published::Unknown { why, status: Some(status), sent }
            }
        }
    }

    async fn read_back(&self, addressee: &Addressee, lookup: &Lookup<'_>) -> Result<Found, ReadError> {
        let mut found = Found::default();
        if let Some(id) = lookup.remote_id {
            let request = Request::get(&self.base, &["posts", id]).bearer(&addressee.token);
            found.by_id = self.read::<Post>(&request).await?.map(RemotePost::from);
            if found.by_id.is_some() {
                return Ok(found);
            }
        }
        let since = lookup.since.to_rfc3339_opts(SecondsFormat::Micros, true);
        let mut after: Option<String> = None;
        loop {
            let mut request = Request::get(&self.base, &["posts"])
                .query("account", &addressee.remote_id)
                .query("since", &since)
                .bearer(&addressee.token);
            if let Some(after) = &after {
                request = request.query("after", after);
            }
            // An account that is not there has surely no posts, but an id that is mistyped shall not prove that: it is
            // told apart from an empty list.
            let page = self.read::<Posts>(&request).await?.ok_or_else(|| ReadError::Unavailable {
                why: format!("it knows no account {}", addressee.remote_id),
            })?;
            found.by_text.extend(page.items.into_iter().filter(|post| post.text == lookup.text).map(RemotePost::from));
            match page.next {
                Some(next) if Some(&next) != after.as_ref() => after = Some(next),
                Some(_) | None => return Ok(found),
            }
        }
    }

    async fn delete(&self, permit: Permit, addressee: &Addressee, remote_id: &str) -> Deleted {
        let operation = addressee.operation(Platform::Sandbox, Action::Delete, None);
        let request = Request::delete(&self.base, &["posts", remote_id]).bearer(&addressee.token);
        let answer = match self.client.send(permit, &operation, &request).await {
            Outcome::Answered(answer) => answer,
            Outcome::NotSent(why) => return Deleted::NotSent(why),
            Outcome::Unknown(unknown) => return Deleted::Unknown { why: unknown.why, sent: unknown.sent },
        };
        let sent = answer.sent;
        match answer.status {
            StatusCode::OK | StatusCode::NO_CONTENT | StatusCode::NOT_FOUND | StatusCode::GONE => {
                Deleted::Gone { sent }
            }
            StatusCode::TOO_MANY_REQUESTS => Deleted::Limited { retry_after: retry_after(&answer), sent },
            _ if is_definite(answer.status) => {
                let problem = problem(&answer);
                let refusal = problem.refusal(answer.status);
                Deleted::Rejected { refusal, status: answer.status.as_u16(), words: problem.message, sent }
            }
            _ => Deleted::Unknown { why: format!("it answers {}: {}", answer.status, problem(&answer).message), sent },
        }
    }

    async fn who_am_i(&self, token: &SecretString) -> Result<Profile, ReadError> {
        let request = Request::get(&self.base, &["me"]).bearer(token);
        let account = self.read::<Account>(&request).await?;
        let account = account.ok_or_else(|| ReadError::Unavailable { why: "it does not say who we are".to_owned() })?;
        Ok(Profile { remote_id: account.id, handle: account.handle })
    }

    fn address_of(&self, remote_id: &str) -> Option<String> {
        let mut url = self.base.url().clone();
        url.path_segments_mut().ok()?.pop_if_empty().extend(["p", remote_id]);
        Some(url.into())
    }
}

/// Whether a status says that nothing was done. 408 says that the platform gave up waiting, not that it had nothing.
fn is_definite(status: StatusCode) -> bool {
    status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT
}

/// The platform's words, whatever form they have.
fn problem(answer: &Answer) -> Problem {
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| {
        let words: String = String::from_utf8_lossy(&answer.body).chars().take(500).collect();
        let message = if words.trim().is_empty() { "it says no more".to_owned() } else { words };
        Problem { error: String::new(), message }
    })
}

impl Problem {
    fn refusal(&self, status: StatusCode) -> Refusal {
        match (status, self.error.as_str()) {
            (_, "duplicate") => Refusal::Duplicate,
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => Refusal::Login,
            _ => Refusal::Content,
        }
    }
}

fn retry_after(answer: &Answer) -> Duration {
    let seconds = answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    seconds.map_or(SOME_TIME, Duration::from_secs)
}
