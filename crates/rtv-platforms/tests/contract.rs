//! What every adapter must do, tried against a counterpart that speaks its platform's interface. A new adapter joins by
//! implementing [`Counterpart`] and a line in `every!`.
#![allow(clippy::unwrap_used)]

use core::time::Duration;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::{Action, Operation, Platform, Scope};
use rtv_outbound::boot_time::BootTime;
use rtv_outbound::gate::{EngagedSwitch, Gate, Permit, Stopped, SwitchCopy};
use rtv_outbound::halt_folder::HaltFolder;
use rtv_outbound::http::{Base, Client, NotSent};
use rtv_platforms::{Adapter, Adapters, Addressee, Deleted, Lookup, Posting, Published, ReadError, Refusal};
use rtv_sandbox::{Dials, Kind, Options, Rate, Sandbox};
use secrecy::SecretString;
use tempfile::TempDir;
use url::Url;
use uuid::Uuid;

/// How the counterpart misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// It does as it should.
    None,
    /// It posts and drops the reply.
    DropReply,
    /// It posts and breaks the reply off.
    BreakReply,
    /// It posts and answers with a fault of its own.
    FaultAfter,
    /// It does not post and answers with a fault of its own, which nobody can tell from the other one.
    FaultBefore,
    /// It refuses the content.
    Refuse,
    /// It says that it has the same already.
    Duplicate,
    /// It posts under another account.
    WrongAuthor,
    /// It shows the post only later.
    Lag,
    /// It allows one post in a while.
    Limit,
    /// It does not let anybody read.
    NoReading,
    /// It keeps to the key of a request, where the platform can.
    HeedKeys,
}

/// A platform's other side.
#[async_trait]
trait Counterpart: Sized + Send {
    const PLATFORM: Platform;
    async fn start() -> Self;
    /// Where it answers.
    fn base(&self) -> Url;
    /// An account of its own: its id and its token.
    async fn account(&self) -> (String, SecretString);
    async fn misbehave(&self, trouble: Trouble);
    /// How many posts of that text stand, under whichever account: the counterpart's own word.
    async fn standing(&self, text: &str) -> usize;
    async fn stop(self);
}

struct SandboxNetwork {
    home: TempDir,
    sandbox: Sandbox,
    accounts: AtomicU32,
}

#[async_trait]
impl Counterpart for SandboxNetwork {
    const PLATFORM: Platform = Platform::Sandbox;

    async fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let options =
            Options { addr: "127.0.0.1:0".parse().unwrap(), ledger: home.path().join("ledger.jsonl"), dials: None };
        let sandbox = Sandbox::start(options).await.unwrap();
        Self { home, sandbox, accounts: AtomicU32::new(0) }
    }

    fn base(&self) -> Url {
        Url::parse(&format!("http://{}", self.sandbox.addr())).unwrap()
    }

    async fn account(&self) -> (String, SecretString) {
        let number = self.accounts.fetch_add(1, Ordering::Relaxed);
        let body = serde_json::json!({ "handle": format!("account-{number}") });
        let (status, answer) = raw(self.sandbox.addr(), "POST", "/accounts", &body.to_string()).await;
        assert_eq!(status, 201, "{answer}");
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        (answer["id"].as_str().unwrap().to_owned(), SecretString::from(answer["token"].as_str().unwrap()))
    }

    async fn misbehave(&self, trouble: Trouble) {
        let mut dials = Dials { rate: None, ..Dials::default() };
        let kind = match trouble {
            Trouble::None => None,
            Trouble::DropReply => Some(Kind::AcceptDrop),
            Trouble::BreakReply => Some(Kind::ResetMidBody),
            Trouble::FaultAfter => Some(Kind::Accept500),
            Trouble::FaultBefore => Some(Kind::Refuse500),
            Trouble::Refuse => Some(Kind::Refuse4xx),
            Trouble::Duplicate => Some(Kind::DuplicateRefused),
            Trouble::WrongAuthor => Some(Kind::WrongAuthor),
            Trouble::Lag => {
                dials.lag_ms = [600, 600];
                Some(Kind::LaggingReadBack)
            }
            Trouble::Limit => {
                dials.rate = Some(Rate { posts: 1, seconds: 30 });
                None
            }
            Trouble::NoReading => Some(Kind::Read500),
            Trouble::HeedKeys => {
                dials.honour_idempotency = true;
                None
            }
        };
        dials.kinds = kind.map(|kind| (kind, 1.0)).into_iter().collect();
        let (status, answer) =
            raw(self.sandbox.addr(), "PUT", "/faults", &serde_json::to_string(&dials).unwrap()).await;
        assert_eq!(status, 200, "{answer}");
    }

    async fn standing(&self, text: &str) -> usize {
        use sha2::Digest as _;
        let content = hex::encode(sha2::Sha256::digest(text));
        let ledger = std::fs::read_to_string(self.home.path().join("ledger.jsonl")).unwrap();
        let lines = ledger.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines
            .filter(|line| {
                line["action"] == "publish" && line["content_sha256"] == *content && !line["remote_id"].is_null()
            })
            .map(|line| line["remote_id"].as_str().unwrap().to_owned())
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    }

    async fn stop(self) {
        self.sandbox.stop().await.unwrap();
    }
}

/// A request by hand: the suite shares no client with what it tries.
async fn raw(address: std::net::SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// An adapter and its counterpart, with an account.
struct Pair<C> {
    _home: TempDir,
    counterpart: C,
    adapters: Adapters,
    addressee: Addressee,
    started: DateTime<Utc>,
}

impl<C: Counterpart> Pair<C> {
    async fn new() -> Self {
        let counterpart = C::start().await;
        counterpart.misbehave(Trouble::None).await;
        let (home, adapters) = adapters(counterpart.base());
        let (remote_id, token) = counterpart.account().await;
        let addressee = Addressee { tenant: Uuid::new_v4().into(), account: Uuid::new_v4().into(), remote_id, token };
        Self { _home: home, counterpart, adapters, addressee, started: Utc::now() - TimeDelta::minutes(2) }
    }

    fn adapter(&self) -> &dyn Adapter {
        self.adapters.of(C::PLATFORM).unwrap()
    }

    fn permit(&self, action: Action) -> Permit {
        self.adapters.client().gate().renew(BootTime::now());
        Permit::new(self.addressee.operation(C::PLATFORM, action, None), 1, 1, BootTime::now())
    }

    async fn publish(&self, posting: &Posting) -> Published {
        self.adapter().publish(self.permit(Action::Publish), &self.addressee, posting).await
    }

    async fn look(&self, remote_id: Option<&str>, text: &str) -> rtv_platforms::Found {
        let lookup = Lookup { remote_id, text, since: self.started };
        self.adapter().read_back(&self.addressee, &lookup).await.unwrap()
    }
}

fn adapters(base: Url) -> (TempDir, Adapters) {
    let home = tempfile::tempdir().unwrap();
    let gate = Gate::new(HaltFolder::open(home.path().join("halt.d")).unwrap());
    gate.install(SwitchCopy { epoch: 1, engaged: Vec::new() });
    gate.renew(BootTime::now());
    let client = Client::new(gate).with_deadline(Duration::from_secs(3));
    (home, Adapters::new(client, Base::of_operator(base).unwrap()))
}

fn posting(text: &str) -> Posting {
    Posting { text: text.to_owned(), campaign: None, idempotency_key: Uuid::new_v4().to_string() }
}

fn accepted(published: Published) -> (String, Option<String>) {
    match published {
        Published::Accepted { remote_id, author_id, .. } => (remote_id, author_id),
        other => panic!("{other:?}"),
    }
}

async fn a_post_is_found_by_its_id_and_by_its_content<C: Counterpart>() {
    let pair = Pair::<C>::new().await;
    let text = "Grüße, 👩‍🚀\n“second line”\nhttps://example.com/?a=b&c=d";
    let before = BootTime::now();
    let published = pair.publish(&posting(text)).await;
    let Published::Accepted { remote_id, author_id, sent } = published else { panic!("{published:?}") };
    assert_eq!(author_id.as_ref(), Some(&pair.addressee.remote_id));
    assert!(sent.first_byte_at >= before && sent.last_byte_at <= sent.ended_at && sent.late.is_none());
    for id in [None, Some(remote_id.as_str())] {
        let found = pair.look(id, text).await;
        assert_eq!(found.by_id.is_some(), id.is_some());
        let posts: Vec<_> = found.posts().collect();
        assert_eq!(posts.len(), 1);
        assert_eq!((&posts[0].remote_id, &posts[0].author_id), (&remote_id, &pair.addressee.remote_id));
        assert_eq!(posts[0].text, text);
        assert!(posts[0].at >= pair.started && posts[0].at <= Utc::now() + TimeDelta::seconds(1));
    }
    assert_eq!(pair.counterpart.standing(text).await, 1);
    assert!(pair.adapter().address_of(&remote_id).is_none_or(|address| address.contains(&remote_id)));
    pair.counterpart.stop().await;
}

async fn what_is_absent_is_absent<C: Counterpart>() {
    let pair = Pair::<C>::new().await;
    accepted(pair.publish(&posting("one")).await);
    assert!(pair.look(None, "two").await.is_empty());
    assert!(pair.look(Some("p999999"), "two").await.is_empty());
    assert_eq!(pair.look(Some("p999999"), "one").await.by_text.len(), 1, "a wrong id hides no post");
    assert!(pair.look(None, "on").await.is_empty(), "a part of a text is not the text");
    // Posts before that time are other ones.
    let later = Lookup { remote_id: None, text: "one", since: Utc::now() + TimeDelta::seconds(5) };
    assert!(pair.adapter().read_back(&pair.addressee, &later).await.unwrap().is_empty());
    // And so are posts of other accounts.
    let (remote_id, token) = pair.counterpart.account().await;
    let other = Addressee { remote_id, token, ..pair.addressee.clone() };
    let lookup = Lookup { remote_id: None, text: "one", since: pair.started };
    assert!(pair.adapter().read_back(&other, &lookup).await.unwrap().is_empty());
    pair.counterpart.stop().await;
}

async fn a_post_is_found_among_many<C: Counterpart>() {
    let pair = Pair::<C>::new().await;
    for number in 0..230 {
        accepted(pair.publish(&posting(&format!("number {number}"))).await);
    }
    for number in [0, 99, 100, 229] {
        assert_eq!(pair.look(None, &format!("number {number}")).await.by_text.len(), 1, "{number}");
    }
    pair.counterpart.stop().await;
}

async fn what_is_sent_twice_is_seen_twice_unless_the_platform_keeps_to_keys<C: Counterpart>() {
    let pair = Pair::<C>::new().await;
    let one = posting("one");
    let (first, _) = accepted(pair.publish(&one).await);
    if !pair.adapter().capability().has_idempotency_key {
        let (second, _) = accepted(pair.publish(&one).await);
        assert_ne!(first, second);
        assert_eq!(pair.look(None, "one").await.by_text.len(), 2);
    }
    pair.counterpart.misbehave(Trouble::HeedKeys).await;
    let two = posting("two");
    let (first, _) = accepted(pair.publish(&two).await);
    let (second, _) = accepted(pair.publish(&two).await);
    assert_eq!(first, second);
    assert_eq!(pair.counterpart.standing("two").await, 1);
    let (third, _) = accepted(pair.publish(&posting("two")).await);
    assert_ne!(first, third, "another key is another intent");
    pair.counterpart.stop().await;
}

async fn a_refusal_is_definite_and_has_the_platforms_words<C: Counterpart>() {
    let pair = Pair::<C>::new().await;
    let check = async |trouble, expect, words: &str| {
        pair.counterpart.misbehave(trouble).await;
        let published = pair.publish(&posting("refused")).await;
        let Published::Rejected { refusal, words: said, status, .. } = published else {
            panic!("{trouble:?}: {published:?}")
        };
        assert_eq!(refusal, expect);
        assert!(said.contains(words) && (400..500).contains(&status), "{status} {said}");
    };
    check(Trouble::Refuse, Refusal::Content, "rules").await;
    check(Trouble::Duplicate, Refusal::Duplicate, "already").await;
    pair.counterpart.misbehave(Trouble::None).await;
    let stranger = Addressee { token: SecretString::from("nonsense"), ..pair.addressee.clone() };
    let published = pair.adapter().publish(pair.permit(Action::Publish), &stranger, &posting("refused")).await;
    assert!(matches!(published, Published::Rejected { refusal: Refusal::Login, .. }), "{published:?}");
    assert_eq!(pair.counterpart.standing("refused").await, 0);
    pair.counterpart.stop().await;
}

async fn who_asks_too_much_is_told_for_how_long_to_wait<C: Counterpart>() {
    let pair = Pair::<C>::new().await;
    pair.counterpart.misbehave(Trouble::Limit).await;
    accepted(pair.publish(&posting("one")).await);
    let published = pair.publish(&posting("two")).await;
    let Published::Limited { retry_after, words, .. } = published else { panic!("{published:?}") };
    assert!((Duration::from_secs(20)..=Duration::from_secs(30)).contains(&retry_after), "{retry_after:?}");
    assert!(!words.is_empty());
    assert_eq!(pair.counterpart.standing("two").await, 0);
    pair.counterpart.stop().await;
}

async fn what_nobody_knows_is_unknown<C: Counterpart>() {
    let pair = Pair::<C>::new().await;
    for (trouble, stands) in
        [(Trouble::DropReply, 1), (Trouble::BreakReply, 1), (Trouble::FaultAfter, 1), (Trouble::FaultBefore, 0)]
    {
        pair.counterpart.misbehave(trouble).await;
        let text = format!("{trouble:?}");
        let published = pair.publish(&posting(&text)).await;
        let Published::Unknown { why, sent, .. } = published else { panic!("{trouble:?}: {published:?}") };
        assert!(!why.is_empty() && sent.bytes > 0);
        assert_eq!(pair.counterpart.standing(&text).await, stands, "{trouble:?}");
        assert_eq!(pair.look(None, &text).await.by_text.len(), stands, "{trouble:?}");
    }
    pair.counterpart.stop().await;
}

async fn what_did_not_leave_is_not_sent<C: Counterpart>() {
    let pair = Pair::<C>::new().await;
    let gate = pair.adapters.client().gate();
    gate.install(SwitchCopy {
        epoch: 2,
        engaged: vec![EngagedSwitch { id: Uuid::nil().into(), scope: Scope::GLOBAL }],
    });
    let published = pair.publish(&posting("stopped")).await;
    let is_stopped = matches!(published, Published::NotSent(NotSent::Stopped(Stopped::Switch { .. })));
    assert!(is_stopped, "{published:?}");
    // Reading and cleaning up go on.
    assert!(pair.look(None, "stopped").await.is_empty());
    gate.install(SwitchCopy { epoch: 3, engaged: Vec::new() });
    assert_eq!(pair.counterpart.standing("stopped").await, 0);

    let reply = Permit::new(pair.addressee.operation(C::PLATFORM, Action::Reply, None), 1, 1, BootTime::now());
    let published = pair.adapter().publish(reply, &pair.addressee, &posting("other permit")).await;
    assert!(matches!(published, Published::NotSent(NotSent::Permit(_))), "{published:?}");
    let other_account =
        Operation { account: Uuid::new_v4().into(), ..pair.addressee.operation(C::PLATFORM, Action::Publish, None) };
    let permit = Permit::new(other_account, 1, 1, BootTime::now());
    let published = pair.adapter().publish(permit, &pair.addressee, &posting("other permit")).await;
    assert!(matches!(published, Published::NotSent(NotSent::Permit(_))), "{published:?}");
    assert_eq!(pair.counterpart.standing("other permit").await, 0);

    let base = pair.counterpart.base();
    pair.counterpart.stop().await;
    let (_home, gone) = adapters(base);
    let adapter = gone.of(C::PLATFORM).unwrap();
    let permit = Permit::new(pair.addressee.operation(C::PLATFORM, Action::Publish, None), 1, 1, BootTime::now());
    let published = adapter.publish(permit, &pair.addressee, &posting("refused")).await;
    assert!(matches!(published, Published::NotSent(NotSent::Connect(_))), "{published:?}");
    let read = adapter.who_am_i(&pair.addressee.token).await;
    assert!(matches!(read, Err(ReadError::Unavailable { .. })), "{read:?}");
}

async fn a_post_under_a_wrong_account_says_so<C: Counterpart>() {
    let pair = Pair::<C>::new().await;
    let (other, _) = pair.counterpart.account().await;
    pair.counterpart.misbehave(Trouble::WrongAuthor).await;
    let (remote_id, author_id) = accepted(pair.publish(&posting("one")).await);
    assert_eq!(author_id.as_ref(), Some(&other));
    let found = pair.look(Some(&remote_id), "one").await;
    assert_eq!(found.by_id.unwrap().author_id, other);
    assert!(pair.look(None, "one").await.is_empty(), "it is not among those of the right account");
    pair.counterpart.stop().await;
}

async fn a_post_that_is_shown_late_is_found_later<C: Counterpart>() {
    let pair = Pair::<C>::new().await;
    pair.counterpart.misbehave(Trouble::Lag).await;
    let (remote_id, _) = accepted(pair.publish(&posting("one")).await);
    assert!(pair.look(Some(&remote_id), "one").await.is_empty());
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(pair.look(Some(&remote_id), "one").await.posts().count(), 1);
    pair.counterpart.stop().await;
}

async fn who_cannot_read_is_not_told_that_nothing_is_there<C: Counterpart>() {
    let pair = Pair::<C>::new().await;
    accepted(pair.publish(&posting("one")).await);
    let lookup = Lookup { remote_id: None, text: "one", since: pair.started };
    let stranger = Addressee { token: SecretString::from("nonsense"), ..pair.addressee.clone() };
    let found = pair.adapter().read_back(&stranger, &lookup).await;
    assert!(matches!(found, Err(ReadError::Unauthorized { .. })), "{found:?}");
    let nobody = Addressee { remote_id: "nobody".into(), ..pair.addressee.clone() };
    let found = pair.adapter().read_back(&nobody, &lookup).await;
    assert!(matches!(found, Err(ReadError::Unavailable { .. })), "{found:?}");
    pair.counterpart.misbehave(Trouble::NoReading).await;
    let found = pair.adapter().read_back(&pair.addressee, &lookup).await;
    assert!(matches!(found, Err(ReadError::Unavailable { .. })), "{found:?}");
    pair.counterpart.stop().await;
}

async fn a_post_can_be_taken_away<C: Counterpart>() {
    let pair = Pair::<C>::new().await;
    let (remote_id, _) = accepted(pair.publish(&posting("one")).await);
    let delete =
        async |addressee: &Addressee| pair.adapter().delete(pair.permit(Action::Delete), addressee, &remote_id).await;
    // Not by somebody else, and not with a permit for something else.
    let (other_id, token) = pair.counterpart.account().await;
    let other = Addressee { remote_id: other_id, token, ..pair.addressee.clone() };
    let deleted = delete(&other).await;
    assert!(matches!(deleted, Deleted::Rejected { .. }), "{deleted:?}");
    let permit = pair.permit(Action::Publish);
    let deleted = pair.adapter().delete(permit, &pair.addressee, &remote_id).await;
    assert!(matches!(deleted, Deleted::NotSent(NotSent::Permit(_))), "{deleted:?}");
    assert_eq!(pair.look(Some(&remote_id), "one").await.posts().count(), 1);
    // A halt of everything else lets it go on.
    pair.adapters.client().gate().install(SwitchCopy {
        epoch: 2,
        engaged: vec![EngagedSwitch { id: Uuid::nil().into(), scope: Scope::GLOBAL }],
    });
    let deleted = delete(&pair.addressee).await;
    assert!(matches!(deleted, Deleted::Gone { .. }), "{deleted:?}");
    assert!(pair.look(Some(&remote_id), "one").await.is_empty());
    let again = delete(&pair.addressee).await;
    assert!(matches!(again, Deleted::Gone { .. }), "{again:?}");
    pair.counterpart.stop().await;
}

async fn a_token_tells_whose_it_is<C: Counterpart>() {
    let pair = Pair::<C>::new().await;
    let profile = pair.adapter().who_am_i(&pair.addressee.token).await.unwrap();
    assert_eq!(profile.remote_id, pair.addressee.remote_id);
    assert!(!profile.handle.is_empty());
    let stranger = pair.adapter().who_am_i(&SecretString::from("nonsense")).await;
    assert!(matches!(stranger, Err(ReadError::Unauthorized { .. })), "{stranger:?}");
    pair.counterpart.stop().await;
}

async fn what_the_platform_would_refuse_is_refused_before<C: Counterpart>() {
    let pair = Pair::<C>::new().await;
    let capability = pair.adapter().capability();
    assert_eq!((capability.platform, capability.can_publish), (C::PLATFORM, true));
    let longest = "x".repeat(capability.most);
    assert_eq!(pair.adapter().validate(&posting(&longest)), Ok(()));
    accepted(pair.publish(&posting(&longest)).await);
    let too_long = format!("{longest}x");
    assert!(pair.adapter().validate(&posting(&too_long)).is_err());
    let published = pair.publish(&posting(&too_long)).await;
    assert!(matches!(published, Published::Rejected { refusal: Refusal::Content, .. }), "{published:?}");
    assert!(pair.adapter().validate(&posting(" ")).is_err());
    pair.counterpart.stop().await;
}

/// Every rule for every counterpart.
macro_rules! every {
    ($($module:ident: $counterpart:ty;)*) => {$(
        mod $module {
            #[allow(clippy::wildcard_imports, reason = "the list of rules is the file above")]
            use super::*;

            every!(@rules $counterpart:
                a_post_is_found_by_its_id_and_by_its_content
                what_is_absent_is_absent
                a_post_is_found_among_many
                what_is_sent_twice_is_seen_twice_unless_the_platform_keeps_to_keys
                a_refusal_is_definite_and_has_the_platforms_words
                who_asks_too_much_is_told_for_how_long_to_wait
                what_nobody_knows_is_unknown
                what_did_not_leave_is_not_sent
                a_post_under_a_wrong_account_says_so
                a_post_that_is_shown_late_is_found_later
                who_cannot_read_is_not_told_that_nothing_is_there
                a_post_can_be_taken_away
                a_token_tells_whose_it_is
                what_the_platform_would_refuse_is_refused_before
            );
        }
    )*};
    (@rules $counterpart:ty: $($rule:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $rule() {
            super::$rule::<$counterpart>().await;
        }
    )*};
}

every! {
    sandbox: SandboxNetwork;
}

#[test]
fn every_platform_that_publishes_has_an_adapter_and_passes_the_suite() {
    let (_home, adapters) = adapters(Url::parse("http://127.0.0.1:1").unwrap());
    let covered = [SandboxNetwork::PLATFORM];
    for platform in Platform::ALL {
        let can_publish = rtv_core::capability::of(platform).can_publish;
        let adapter = adapters.of(platform);
        assert_eq!(adapter.is_some(), can_publish, "{platform}");
        assert_eq!(covered.contains(&platform), can_publish, "{platform} is not in `every!`");
        assert!(adapter.is_none_or(|adapter| adapter.platform() == platform));
    }
}
