//! The network itself: accounts, posts, limits, and what befalls a new post. Everything is in memory and rebuilt from the
//! ledger and the state when it starts; whoever changes it gets the entries that must be on the disk before the answer goes.

use core::time::Duration;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use crate::clock;
use crate::dials::{Dials, Draw, Kind};
use crate::ledger::{Entry, Past, Post};

/// Longest text, in Unicode scalar values.
pub(crate) const MOST_CHARACTERS: usize = 500;
/// Under whom a post stands that went to a wrong account where there is only one.
const STRANGER: &str = "stranger";

/// An account.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) handle: String,
    token_sha256: String,
    /// As whom its token answers, if not as itself.
    answers_as: Option<String>,
    /// Its posts, the oldest first: when, and their place in the list of all.
    posts: Vec<(DateTime<Utc>, usize)>,
    /// When the posts were made that count for the limit.
    recent: VecDeque<DateTime<Utc>>,
}

/// What is known of one content of one account.
#[derive(Debug, Default)]
struct Said {
    /// How often it was asked for.
    times: u64,
    last_at: Option<DateTime<Utc>>,
}

/// Why something is not done, as the answer has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) error: &'static str,
    pub(crate) message: String,
    pub(crate) retry_after: Option<u64>,
    /// What was dialled, if it was.
    pub(crate) fault: Option<Kind>,
}

impl Refused {
    pub(crate) fn new(status: u16, error: &'static str, message: impl Into<String>) -> Self {
        Self { status, error, message: message.into(), retry_after: None, fault: None }
    }

    const fn of(mut self, fault: Kind) -> Self {
        self.fault = Some(fault);
        self
    }
}

/// What is to become of a request for a new post, before it is posted.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) fault: Option<Kind>,
    /// How long until it stands.
    pub(crate) wait: Duration,
    /// How long the answer takes from then on.
    pub(crate) slow: Duration,
    lag: Option<Duration>,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Made {
    /// It stands now.
    New { post: Post, entries: Vec<Entry> },
    /// It stood already: the key had come before.
    Again { post: Post },
}

/// The network.
#[derive(Debug)]
pub(crate) struct Network {
    accounts: Vec<Account>,
    by_id: HashMap<String, usize>,
    by_handle: HashMap<String, usize>,
    by_token: HashMap<String, usize>,
    /// All posts ever made; `None` where one was taken away.
    posts: Vec<Option<Post>>,
    post_by_id: HashMap<String, usize>,
    post_by_key: HashMap<(String, String), usize>,
    /// By account and content.
    contents: HashMap<(String, String), Said>,
    reads: u64,
    next_post: u64,
    next_account: u64,
    last_at: DateTime<Utc>,
    dials: Dials,
    fired: BTreeMap<String, u64>,
}

impl Network {
    /// The network as its files left it.
    pub(crate) fn new(kept: Past) -> Result<Self, String> {
        let mut network = Self {
            accounts: Vec::new(),
            by_id: HashMap::new(),
            by_handle: HashMap::new(),
            by_token: HashMap::new(),
            posts: Vec::new(),
            post_by_id: HashMap::new(),
            post_by_key: HashMap::new(),
            contents: HashMap::new(),
            reads: 0,
            next_post: 1,
            next_account: 1,
            last_at: DateTime::default(),
            dials: Dials::default(),
            fired: BTreeMap::new(),
        };
        let mut known = HashSet::new();
        for line in kept.lines {
            if line.action == "publish"
                && let Some(id) = line.remote_id
            {
                known.insert(id);
            }
            if let (Some(account), Some(content)) = (line.account, line.content_sha256) {
                network.contents.entry((account, content)).or_default().times += 1;
            }
            if let Some(fault) = line.fault {
                *network.fired.entry(fault).or_default() += 1;
            }
        }
        for entry in kept.entries {
            match entry {
                // Not in the ledger: it never happened. Its number is not given out again.
                Entry::Post(post) if !known.contains(&post.id) => network.skip_number(&post.id),
                entry => network.apply(entry)?,
            }
        }
        Ok(network)
    }

    fn skip_number(&mut self, id: &str) {
        let number: u64 = id.trim_start_matches(|character: char| !character.is_ascii_digit()).parse().unwrap_or(0);
        self.next_post = self.next_post.max(number + 1);
    }

    fn apply(&mut self, entry: Entry) -> Result<(), String> {
        match entry {
            Entry::Account { id, handle, token_sha256, at: _ } => {
                let place = self.accounts.len();
                self.by_id.insert(id.clone(), place);
                self.by_handle.insert(handle.clone(), place);
                self.by_token.insert(token_sha256.clone(), place);
                self.next_account = self.next_account.max(place as u64 + 2);
                let (posts, recent) = (Vec::new(), VecDeque::new());
                self.accounts.push(Account { id, handle, token_sha256, answers_as: None, posts, recent });
            }
            Entry::Token { account, token_sha256, answers_as } => {
                let place = *self.by_id.get(&account).ok_or_else(|| format!("the state knows no account {account}"))?;
                if let Some(token) = token_sha256 {
                    self.by_token.remove(&self.accounts[place].token_sha256);
                    self.by_token.insert(token.clone(), place);
                    self.accounts[place].token_sha256 = token;
                }
                self.accounts[place].answers_as = answers_as;
            }
            Entry::Post(post) => {
                self.skip_number(&post.id);
                let place = self.posts.len();
                self.last_at = self.last_at.max(post.at);
                self.post_by_id.insert(post.id.clone(), place);
                if let Some(key) = &post.key {
                    self.post_by_key.entry((post.caller.clone(), key.clone())).or_insert(place);
                }
                self.contents.entry((post.caller.clone(), post.sha256.clone())).or_default().last_at = Some(post.at);
                if let Some(author) = self.by_id.get(&post.account) {
                    self.accounts[*author].posts.push((post.at, place));
                }
                if let Some(caller) = self.by_id.get(&post.caller) {
                    self.accounts[*caller].recent.push_back(post.at);
                }
                self.posts.push(Some(*post));
            }
            Entry::Deleted { id } => {
                if let Some(place) = self.post_by_id.remove(&id) {
                    self.posts[place] = None;
                }
            }
            Entry::Dials(dials) => {
                dials.check()?;
                self.dials = *dials;
            }
        }
        Ok(())
    }

    /// Applies what was just made, and gives it for the disk.
    fn made(&mut self, entry: Entry) -> Result<Entry, String> {
        self.apply(entry.clone())?;
        Ok(entry)
    }

    /// Later than every post that is there, also where somebody has set the clock back: the order of posts is the order
    /// of their times.
    fn next_moment(&mut self) -> DateTime<Utc> {
        let now = clock::now();
        self.last_at = if now > self.last_at { now } else { self.last_at + TimeDelta::microseconds(1) };
        self.last_at
    }

    pub(crate) const fn dials(&self) -> &Dials {
        &self.dials
    }

    pub(crate) const fn fired(&self) -> &BTreeMap<String, u64> {
        &self.fired
    }

    /// Other dials.
    pub(crate) fn set_dials(&mut self, dials: Dials) -> Result<Entry, String> {
        dials.check()?;
        self.made(Entry::Dials(Box::new(dials)))
    }

    pub(crate) fn fire(&mut self, fault: Kind) {
        *self.fired.entry(fault.key().to_owned()).or_default() += 1;
    }

    /// A new account. Gives its id, its token and the entry.
    pub(crate) fn add_account(&mut self, id: Option<&str>, handle: &str) -> Result<(String, String, Entry), Refused> {
        let invalid = |message: String| Refused::new(422, "invalid", message);
        let is_fine = |text: &str| {
            (1..=40).contains(&text.len())
                && text.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, '-' | '_' | '.'))
        };
        if !is_fine(handle) {
            return Err(invalid("handle: use 1 to 40 letters a to z, digits, -, _ or .".to_owned()));
        }
        if id.is_some_and(|id| !is_fine(id) || id == STRANGER) {
            return Err(invalid("id: use 1 to 40 letters a to z, digits, -, _ or ., or leave it out".to_owned()));
        }
        if self.by_handle.contains_key(handle) {
            return Err(Refused::new(409, "taken", format!("handle: {handle} is taken")));
        }
        let id = match id {
            Some(id) if self.by_id.contains_key(id) => {
                return Err(Refused::new(409, "taken", format!("id: {id} is taken")));
            }
            Some(id) => id.to_owned(),
            None => loop {
                let id = format!("acct{}", self.next_account);
                self.next_account += 1;
                if !self.by_id.contains_key(&id) {
                    break id;
                }
            },
        };
        let token = new_token();
        let (handle, token_sha256) = (handle.to_owned(), sha256(&token));
        let entry = Entry::Account { id: id.clone(), handle, token_sha256, at: clock::now() };
        let entry = self.made(entry).map_err(invalid)?;
        Ok((id, token, entry))
    }

    /// Another token for an account, or the same one answering as another account.
    pub(crate) fn change_token(
        &mut self,
        account: &str,
        answers_as: Option<&str>,
    ) -> Result<(Option<String>, Entry), Refused> {
        let missing = |id: &str| Refused::new(404, "not-found", format!("there is no account {id}"));
        for id in [Some(account), answers_as].into_iter().flatten() {
            self.by_id.get(id).ok_or_else(|| missing(id))?;
        }
        let token = answers_as.is_none().then(new_token);
        let entry = Entry::Token {
            account: account.to_owned(),
            token_sha256: token.as_deref().map(sha256),
            answers_as: answers_as.filter(|other| *other != account).map(str::to_owned),
        };
        let entry = self.made(entry).map_err(|message| Refused::new(422, "invalid", message))?;
        Ok((token, entry))
    }

    /// As whom a token answers.
    pub(crate) fn who(&self, token: Option<&str>) -> Result<&Account, Refused> {
        let refused = || Refused::new(401, "unauthorized", "the token is missing or not valid");
        let place = token.and_then(|token| self.by_token.get(&sha256(token))).ok_or_else(refused)?;
        let account = &self.accounts[*place];
        match &account.answers_as {
            None => Ok(account),
            Some(other) => self.account(other).ok_or_else(refused),
        }
    }

    /// Who that account is told that it is.
    pub(crate) fn me(&mut self, id: &str) -> (Option<Account>, Option<Kind>) {
        self.reads += 1;
        let draw = Draw { account: id, content: "", times: self.reads };
        if self.dials.happens(Kind::WrongMe, draw)
            && let Some(other) = self.other_than(id)
        {
            let other = other.clone();
            self.fire(Kind::WrongMe);
            return (Some(other), Some(Kind::WrongMe));
        }
        (self.account(id).cloned(), None)
    }

    /// Whether who reads is answered 500.
    pub(crate) fn read_fails(&mut self, account: &str) -> Option<Kind> {
        self.reads += 1;
        let fails = self.dials.happens(Kind::Read500, Draw { account, content: "", times: self.reads });
        fails.then(|| {
            self.fire(Kind::Read500);
            Kind::Read500
        })
    }

    pub(crate) fn account(&self, id: &str) -> Option<&Account> {
        self.by_id.get(id).map(|place| &self.accounts[*place])
    }

    pub(crate) fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    fn other_than(&self, id: &str) -> Option<&Account> {
        let place = *self.by_id.get(id)?;
        self.accounts[place + 1..].iter().chain(&self.accounts[..place]).next()
    }

    /// What is to become of a new post of that account. Refusals that are no faults come first, as a real network judges a
    /// request before anything can go wrong with it.
    pub(crate) fn plan(&mut self, account: &str, text: &str, content: &str) -> Result<Plan, Refused> {
        if text.trim().is_empty() {
            return Err(Refused::new(422, "invalid", "text: write something"));
        }
        let length = text.chars().count();
        if length > MOST_CHARACTERS {
            let message = format!("text: {length} characters are too many; use at most {MOST_CHARACTERS}");
            return Err(Refused::new(422, "invalid", message));
        }
        let counted = self.contents.entry((account.to_owned(), content.to_owned())).or_default();
        counted.times += 1;
        let draw = Draw { account, content, times: counted.times };
        let (fault, lag) = (self.dials.of_publish(draw), self.dials.lag(draw));
        let wait = if fault == Some(Kind::AcceptLate) { self.dials.late(draw) } else { Duration::ZERO };
        let slow = if fault == Some(Kind::Slow) { self.dials.slow(draw) } else { Duration::ZERO };
        Ok(Plan { fault, wait, slow, lag })
    }

    /// Posts, or refuses.
    pub(crate) fn publish(
        &mut self,
        account: &str,
        text: &str,
        content: &str,
        key: Option<&str>,
        plan: &Plan,
    ) -> Result<Made, Refused> {
        if self.dials.honour_idempotency
            && let Some(key) = key
            && let Some(place) = self.post_by_key.get(&(account.to_owned(), key.to_owned()))
            && let Some(post) = &self.posts[*place]
        {
            return Ok(Made::Again { post: post.clone() });
        }
        self.refuse_too_many(account)?;
        self.refuse_duplicate(account, content)?;
        if let Some(fault) = plan.fault {
            self.fire(fault);
        }
        let duplicate = "you have already said that";
        match plan.fault {
            Some(fault @ Kind::DuplicateRefused) => return Err(Refused::new(409, "duplicate", duplicate).of(fault)),
            Some(fault @ Kind::Refuse429) => {
                let refused = Refused::new(429, "rate-limited", "too many requests; come back in a second").of(fault);
                return Err(Refused { retry_after: Some(1), ..refused });
            }
            Some(fault @ Kind::Refuse4xx) => {
                return Err(Refused::new(422, "refused", "this post breaks our rules").of(fault));
            }
            Some(fault @ Kind::Refuse500) => {
                return Err(Refused::new(503, "unavailable", "we are over capacity").of(fault));
            }
            Some(fault @ Kind::ResetBefore) => return Err(Refused::new(500, "reset", "").of(fault)),
            _ => {}
        }
        let author = match plan.fault {
            Some(Kind::WrongAuthor) => self.other_than(account).map_or(STRANGER, |other| &other.id).to_owned(),
            _ => account.to_owned(),
        };
        let at = self.next_moment();
        let visible_at = match plan.lag {
            None => at,
            Some(lag) => {
                self.fire(Kind::LaggingReadBack);
                at + TimeDelta::from_std(lag).unwrap_or_default()
            }
        };
        let fault = plan.fault.or(plan.lag.map(|_| Kind::LaggingReadBack));
        let post = Post {
            id: format!("p{}", self.next_post),
            account: author,
            caller: account.to_owned(),
            text: text.to_owned(),
            sha256: content.to_owned(),
            at,
            visible_at,
            key: key.map(str::to_owned),
            fault: fault.map(|fault| fault.key().to_owned()),
        };
        let entry =
            self.made(Entry::Post(Box::new(post.clone()))).map_err(|message| Refused::new(500, "internal", message))?;
        Ok(Made::New { post, entries: vec![entry] })
    }

    fn refuse_too_many(&mut self, account: &str) -> Result<(), Refused> {
        let (Some(rate), Some(place)) = (self.dials.rate, self.by_id.get(account)) else { return Ok(()) };
        let window = TimeDelta::seconds(rate.seconds.into());
        let now = clock::now();
        let recent = &mut self.accounts[*place].recent;
        while recent.front().is_some_and(|at| *at + window <= now) {
            recent.pop_front();
        }
        if recent.len() < rate.posts as usize {
            return Ok(());
        }
        let free_at = recent.get(recent.len() - rate.posts as usize).map_or(now, |at| *at + window);
        // Rounded up: whoever waits that long shall not be refused again.
        let seconds =
            u64::try_from((free_at - now).num_milliseconds().max(0)).unwrap_or_default().div_ceil(1_000).max(1);
        let message = format!("{} posts in {} seconds are too many; come back in {seconds}", rate.posts, rate.seconds);
        Err(Refused { retry_after: Some(seconds), ..Refused::new(429, "rate-limited", message) })
    }

    fn refuse_duplicate(&mut self, account: &str, content: &str) -> Result<(), Refused> {
        let minutes = self.dials.duplicate_minutes;
        if minutes == 0 {
            return Ok(());
        }
        let last = self.contents.get(&(account.to_owned(), content.to_owned())).and_then(|said| said.last_at);
        let since = clock::now() - TimeDelta::minutes(minutes.into());
        match last {
            Some(last) if last > since => {
                self.fire(Kind::DuplicateRefused);
                Err(Refused::new(409, "duplicate", "you have already said that").of(Kind::DuplicateRefused))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A post, if it is shown by now.
    pub(crate) fn post(&self, id: &str) -> Option<&Post> {
        self.any_post(id).filter(|post| post.visible_at <= clock::now())
    }

    /// A post, shown or not.
    pub(crate) fn any_post(&self, id: &str) -> Option<&Post> {
        self.posts[*self.post_by_id.get(id)?].as_ref()
    }

    /// Posts of an account since that time that are shown by now, the oldest first, behind that post; and whether there are more.
    pub(crate) fn posts_of(
        &self,
        account: &Account,
        since: Option<DateTime<Utc>>,
        after: Option<&str>,
        most: usize,
    ) -> (Vec<Post>, bool) {
        let now = clock::now();
        let from = since.map_or(0, |since| account.posts.partition_point(|(at, _)| *at < since));
        let after = after.and_then(|id| self.post_by_id.get(id)).copied();
        let mut found = account.posts[from..]
            .iter()
            .filter(|(_, place)| after.is_none_or(|after| *place > after))
            .filter_map(|(_, place)| self.posts[*place].as_ref())
            .filter(|post| post.visible_at <= now);
        let page: Vec<Post> = found.by_ref().take(most).cloned().collect();
        (page, found.next().is_some())
    }

    /// Takes a post away, as its author.
    pub(crate) fn delete(&mut self, account: &str, id: &str) -> Result<Entry, Refused> {
        let missing = || Refused::new(404, "not-found", format!("there is no post {id}"));
        let post = self.any_post(id).ok_or_else(missing)?;
        if post.account != account {
            return Err(Refused::new(403, "forbidden", "the post is somebody else’s"));
        }
        self.made(Entry::Deleted { id: id.to_owned() }).map_err(|message| Refused::new(500, "internal", message))
    }

    /// The newest posts that fit, hidden ones included, the newest first; older than that post.
    pub(crate) fn timeline(
        &self,
        before: Option<&str>,
        most: usize,
        fits: impl Fn(&Post) -> bool,
    ) -> (Vec<Post>, bool) {
        let end = before.and_then(|id| self.post_by_id.get(id)).copied().unwrap_or(self.posts.len());
        let mut found = self.posts[..end].iter().rev().flatten().filter(|post| fits(post));
        let page: Vec<Post> = found.by_ref().take(most).cloned().collect();
        (page, found.next().is_some())
    }
}

impl Account {
    /// How many posts it ever made.
    pub(crate) fn made(&self) -> usize {
        self.posts.len()
    }
}

/// In hexadecimal.
pub(crate) fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

fn new_token() -> String {
    format!("sbx_{}", hex::encode(rand::random::<[u8; 24]>()))
}
