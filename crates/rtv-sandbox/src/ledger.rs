//! What the network keeps on disk: the ledger, one line of JSON for each request that was received, and beside it the state
//! that a restart needs. One thread writes both. It takes all lines that wait, writes them, has the disk say that it has
//! them, and only then lets the answers go; so many requests share one wait for the disk.
//!
//! The state is written before the ledger, and a post of the state counts only if the ledger has it: what the ledger does
//! not know never happened.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::clock;
use crate::dials::Dials;

/// One line of the ledger, with the fields in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// When it was decided what becomes of the request.
    pub(crate) at: String,
    /// Under which account the post stands; for other requests, whose token came with it.
    pub(crate) account: Option<String>,
    /// What was asked for.
    pub(crate) action: String,
    /// The post, exactly if it stands.
    pub(crate) remote_id: Option<String>,
    /// SHA-256 of the text's bytes, in hexadecimal.
    pub(crate) content_sha256: Option<String>,
    /// The key that came with it.
    pub(crate) idempotency_key: Option<String>,
    /// When the first byte of the request arrived.
    pub(crate) first_byte_at: String,
    /// What was dialled to befall it.
    pub(crate) fault: Option<String>,
}

impl Line {
    /// A line about a request of which nothing more is known.
    pub(crate) fn new(action: &str, first_byte_at: DateTime<Utc>) -> Self {
        Self {
            at: clock::text(clock::now()),
            account: None,
            action: action.to_owned(),
            remote_id: None,
            content_sha256: None,
            idempotency_key: None,
            first_byte_at: clock::text(first_byte_at),
            fault: None,
        }
    }
}

/// One line of the state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Entry {
    /// A new account.
    Account { id: String, handle: String, token_sha256: String, at: DateTime<Utc> },
    /// Another token for an account, or another account that its token answers as.
    Token { account: String, token_sha256: Option<String>, answers_as: Option<String> },
    /// A new post.
    Post(Box<Post>),
    /// A post that was taken away.
    Deleted { id: String },
    /// Other dials.
    Dials(Box<Dials>),
}

/// A post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Post {
    pub(crate) id: String,
    /// Under which account it stands.
    pub(crate) account: String,
    /// Whose token came with it.
    pub(crate) caller: String,
    pub(crate) text: String,
    pub(crate) sha256: String,
    pub(crate) at: DateTime<Utc>,
    /// From when on it is shown.
    pub(crate) visible_at: DateTime<Utc>,
    pub(crate) key: Option<String>,
    pub(crate) fault: Option<String>,
}

/// What the files held when they were opened.
#[derive(Debug, Default)]
pub(crate) struct Past {
    pub(crate) lines: Vec<Line>,
    pub(crate) entries: Vec<Entry>,
}

/// How many of the newest lines are kept at hand.
const AT_HAND: usize = 1_000;

/// The way to the thread that writes.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    to_writer: mpsc::Sender<Waiting>,
    newest: Arc<Mutex<std::collections::VecDeque<String>>>,
}

struct Waiting {
    line: Option<String>,
    entries: Vec<String>,
    written: oneshot::Sender<Result<(), String>>,
}

/// That lines were handed over; they are on the disk when this says so.
pub(crate) struct Written(oneshot::Receiver<Result<(), String>>);

impl Written {
    pub(crate) async fn wait(self) -> Result<(), String> {
        self.0.await.unwrap_or_else(|_| Err("the ledger is not written any more".to_owned()))
    }
}

impl Ledger {
    /// Opens both files, makes them where they are missing, and cuts off a line that a crash left unfinished.
    pub(crate) fn open(path: &Path) -> Result<(Self, Past), String> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".state");
        let (ledger, lines) = open(path)?;
        let (state, entries) = open(&PathBuf::from(beside))?;
        let newest: std::collections::VecDeque<String> =
            lines.lines().rev().take(AT_HAND).map(str::to_owned).collect::<Vec<_>>().into_iter().rev().collect();
        let past = Past { lines: parse(path, &lines)?, entries: parse(path, &entries)? };
        let (to_writer, waiting) = mpsc::channel();
        std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || write_all(&waiting, ledger, state))
            .map_err(|error| format!("no thread can be started: {error}"))?;
        Ok((Self { to_writer, newest: Arc::new(Mutex::new(newest)) }, past))
    }

    /// Hands over a line, and what of the state changed with it. The order of calls is the order in the files.
    pub(crate) fn record(&self, line: &Line, entries: &[Entry]) -> Written {
        let text = json(line);
        {
            let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
            if newest.len() == AT_HAND {
                newest.pop_front();
            }
            newest.push_back(text.clone());
        }
        self.hand_over(Some(text), entries)
    }

    /// Keeps a change of the state that no request asked for.
    pub(crate) async fn keep(&self, entry: Entry) -> Result<(), String> {
        self.hand_over(None, &[entry]).wait().await
    }

    fn hand_over(&self, line: Option<String>, entries: &[Entry]) -> Written {
        let (written, receiver) = oneshot::channel();
        // A writer that is gone lets go of the other end, which is what the receiver then says.
        _ = self.to_writer.send(Waiting { line, entries: entries.iter().map(json).collect(), written });
        Written(receiver)
    }

    /// The newest lines, the oldest of them first.
    pub(crate) fn newest(&self, count: usize) -> Vec<String> {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.iter().skip(newest.len().saturating_sub(count)).cloned().collect()
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("lines and entries have only text for keys")
}

fn open(path: &Path) -> Result<(File, String), String> {
    let trouble = |error: io::Error| format!("{} cannot be opened: {error}", path.display());
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(trouble)?;
    }
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(trouble)?;
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(trouble)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if whole < text.len() {
        tracing::warn!(file = %path.display(), bytes = text.len() - whole, "an unfinished last line was cut off");
        text.truncate(whole);
        file.set_len(whole as u64).map_err(trouble)?;
    }
    file.seek(SeekFrom::End(0)).map_err(trouble)?;
    file.sync_all().map_err(trouble)?;
    let text = String::from_utf8(text).map_err(|_| format!("{} is no text", path.display()))?;
    Ok((file, text))
}

fn parse<T: for<'de> Deserialize<'de>>(path: &Path, text: &str) -> Result<Vec<T>, String> {
    let line = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| {
            format!("line {} of {} or its .state is none of a sandbox: {error}", number + 1, path.display())
        })
    };
    text.lines().enumerate().map(line).collect()
}

/// Writes until nobody can hand over any more. After a failure nothing is written again, because nobody knows what of it
/// is on the disk.
fn write_all(waiting: &mpsc::Receiver<Waiting>, mut ledger: File, mut state: File) {
    let mut broken: Option<String> = None;
    while let Ok(first) = waiting.recv() {
        let group: Vec<Waiting> = core::iter::once(first).chain(waiting.try_iter()).collect();
        let outcome = match &broken {
            Some(why) => Err(why.clone()),
            None => write_group(&group, &mut ledger, &mut state)
                .map_err(|error| format!("the ledger cannot be written: {error}")),
        };
        if let (Err(why), None) = (&outcome, &broken) {
            tracing::error!(%why, "no request is answered any more");
            broken = Some(why.clone());
        }
        for one in group {
            // Who asked may have gone.
            _ = one.written.send(outcome.clone());
        }
    }
}

fn write_group(group: &[Waiting], ledger: &mut File, state: &mut File) -> io::Result<()> {
    append(state, group.iter().flat_map(|one| &one.entries))?;
    append(ledger, group.iter().filter_map(|one| one.line.as_ref()))
}

fn append<'a>(file: &mut File, lines: impl Iterator<Item = &'a String>) -> io::Result<()> {
    let mut text = String::new();
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    if text.is_empty() {
        return Ok(());
    }
    file.write_all(text.as_bytes())?;
    file.sync_data()
}
