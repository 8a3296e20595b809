//! The sandbox network from outside: what it answers, what its ledger says, and what it still knows after a restart.
#![allow(clippy::unwrap_used)]

use core::net::SocketAddr;
use core::time::Duration;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use rtv_sandbox::{Dials, Kind, Options, Rate, Sandbox};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

struct Network {
    home: TempDir,
    sandbox: Option<Sandbox>,
}

struct Account {
    id: String,
    token: String,
}

impl Network {
    async fn start(dials: Dials) -> Self {
        let mut network = Self { home: tempfile::tempdir().unwrap(), sandbox: None };
        network.start_again(Some(dials)).await;
        network
    }

    async fn start_again(&mut self, dials: Option<Dials>) {
        let options = Options { addr: "127.0.0.1:0".parse().unwrap(), ledger: self.ledger_file(), dials };
        self.sandbox = Some(Sandbox::start(options).await.unwrap());
    }

    async fn stop(&mut self) {
        self.sandbox.take().unwrap().stop().await.unwrap();
    }

    fn ledger_file(&self) -> PathBuf {
        self.home.path().join("ledger.jsonl")
    }

    fn addr(&self) -> SocketAddr {
        self.sandbox.as_ref().unwrap().addr()
    }

    fn ledger(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.ledger_file()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn last(&self, action: &str) -> Value {
        self.ledger().into_iter().rfind(|line| line["action"] == action).unwrap()
    }

    async fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
        let answer = self.raw(&request(method, path, headers, body)).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{method} {path}: {answer:?}"));
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// Everything that came until the other side closed.
    async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.addr()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    async fn json(&self, method: &str, path: &str, headers: &str, body: &Value) -> (u16, Value) {
        let (status, text) = self.ask(method, path, headers, &body.to_string()).await;
        (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() })
    }

    async fn account(&self, handle: &str) -> Account {
        let (status, answer) = self.json("POST", "/accounts", "", &json!({ "handle": handle })).await;
        assert_eq!(status, 201, "{answer}");
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        Account { id: text("id"), token: text("token") }
    }

    async fn publish(&self, account: &Account, text: &str) -> (u16, Value) {
        self.json("POST", "/posts", &account.bearer(), &json!({ "text": text })).await
    }

    async fn posts(&self, account: &Account, query: &str) -> Vec<String> {
        let (status, answer) = self.json("GET", &format!("/posts?{query}"), &account.bearer(), &Value::Null).await;
        assert_eq!(status, 200, "{answer}");
        answer["items"].as_array().unwrap().iter().map(|post| post["text"].as_str().unwrap().to_owned()).collect()
    }
}

impl Account {
    fn bearer(&self) -> String {
        format!("authorization: Bearer {}\r\n", self.token)
    }
}

fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn always(kind: Kind) -> Dials {
    Dials { kinds: [(kind, 1.0)].into(), rate: None, ..Dials::default() }
}

fn time(value: &Value) -> DateTime<Utc> {
    let text = value.as_str().unwrap();
    assert!(text.len() == "2026-11-21T09:00:00.000000Z".len() && text.ends_with('Z'), "{text}");
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

#[tokio::test]
async fn the_ledger_has_a_line_for_each_request_with_the_fields_that_others_rely_on() {
    let network = Network::start(Dials::default()).await;
    let account = network.account("one").await;
    let before = Utc::now() - TimeDelta::milliseconds(1);
    let headers = format!("{}idempotency-key: k-1\r\n", account.bearer());
    let (status, post) = network.json("POST", "/posts", &headers, &json!({ "text": "Grüße" })).await;
    assert_eq!((status, &post["account"], &post["text"]), (201, &json!(account.id), &json!("Grüße")));
    let text = std::fs::read_to_string(network.ledger_file()).unwrap();
    let line = text.lines().last().unwrap();
    let names = ["at", "account", "action", "remote_id", "content_sha256", "idempotency_key", "first_byte_at", "fault"];
    let places: Vec<usize> = names.iter().map(|name| line.find(&format!("\"{name}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{line}");
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line.as_object().unwrap().len(), names.len());
    assert_eq!(line["action"], "publish");
    assert_eq!((&line["account"], &line["remote_id"]), (&json!(account.id), &post["id"]));
    // printf 'Grüße' | sha256sum
    assert_eq!(line["content_sha256"], "f83e039796c6453a10f5519e39fd113901572316a1a8ea07cb525d2801dfd074");
    assert_eq!((&line["idempotency_key"], &line["fault"]), (&json!("k-1"), &Value::Null));
    assert!(before <= time(&line["first_byte_at"]) && time(&line["first_byte_at"]) <= time(&line["at"]));

    network.json("GET", "/me", &account.bearer(), &Value::Null).await;
    network.posts(&account, "").await;
    network.ask("DELETE", &format!("/posts/{}", post["id"].as_str().unwrap()), &account.bearer(), "").await;
    network.publish(&Account { id: String::new(), token: "wrong".into() }, "refused").await;
    let actions: Vec<Value> = network.ledger().into_iter().map(|line| line["action"].clone()).collect();
    assert_eq!(actions, ["account", "publish", "me", "read", "delete", "publish"]);
    let refused = network.last("publish");
    assert_eq!((&refused["account"], &refused["remote_id"]), (&Value::Null, &Value::Null));
    // What is only looked at has no line; the tail shows the others.
    for path in ["/", "/style.css", "/health", "/faults", "/ledger?last=2"] {
        assert_eq!(network.ask("GET", path, "", "").await.0, 200, "{path}");
    }
    assert_eq!(network.ledger().len(), 6);
    let (_, tail) = network.ask("GET", "/ledger?last=2", "", "").await;
    assert_eq!(tail.lines().count(), 2);
    assert_eq!(tail, text_of_last(&network, 2));
}

fn text_of_last(network: &Network, count: usize) -> String {
    let text = std::fs::read_to_string(network.ledger_file()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len() - count..].join("\n") + "\n"
}

#[tokio::test]
async fn the_first_byte_is_the_first_and_not_the_last() {
    let network = Network::start(Dials::default()).await;
    let account = network.account("one").await;
    let whole = request("POST", "/posts", &account.bearer(), r#"{"text":"slowly"}"#);
    let mut stream = TcpStream::connect(network.addr()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let before = Utc::now();
    stream.write_all(&whole.as_bytes()[..1]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(150)).await;
    let (head, body) = whole.as_bytes()[1..].split_at(whole.len() - 6);
    stream.write_all(head).await.unwrap();
    tokio::time::sleep(Duration::from_millis(150)).await;
    stream.write_all(body).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let line = network.last("publish");
    let first = time(&line["first_byte_at"]);
    assert!(first >= before && first - before < TimeDelta::milliseconds(100), "{first} {before}");
    assert!(time(&line["at"]) - first >= TimeDelta::milliseconds(290));
}

#[tokio::test]
async fn each_request_of_a_connection_has_its_own_first_byte() {
    let network = Network::start(Dials::default()).await;
    let account = network.account("one").await;
    let mut stream = TcpStream::connect(network.addr()).await.unwrap();
    let mut part = [0; 4096];
    for number in 0..3 {
        let text = request("POST", "/posts", &account.bearer(), &format!(r#"{{"text":"{number}"}}"#));
        let before = Utc::now();
        stream.write_all(text.replace("connection: close\r\n", "").as_bytes()).await.unwrap();
        assert!(stream.read(&mut part).await.unwrap() > 0);
        let line = network.last("publish");
        assert!(!line["remote_id"].is_null());
        assert!(time(&line["first_byte_at"]) >= before - TimeDelta::milliseconds(1), "{number}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    assert_eq!(network.ledger().len(), 4);
}

#[tokio::test]
async fn a_request_of_which_only_a_part_came_has_a_line_too() {
    let network = Network::start(Dials::default()).await;
    let account = network.account("one").await;
    let whole = request("POST", "/posts", &account.bearer(), r#"{"text":"cut"}"#);
    for length in [1, 40, whole.len() - 1] {
        let mut stream = TcpStream::connect(network.addr()).await.unwrap();
        stream.write_all(&whole.as_bytes()[..length]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(60)).await;
        drop(stream);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let ledger = network.ledger();
        let line = ledger.last().unwrap();
        assert_eq!(line["action"], "partial", "{length}: {line}");
        time(&line["first_byte_at"]);
    }
    assert_eq!(network.ledger().len(), 1 + 3, "one line each");
    // A connection on which nothing came has none.
    drop(TcpStream::connect(network.addr()).await.unwrap());
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(network.ledger().len(), 4);
    assert_eq!(network.posts(&account, "").await, Vec::<String>::new());
}

#[tokio::test]
async fn each_fault_does_what_it_says_and_stands_in_the_ledger() {
    // Kind, status (0: no whole answer), whether the post stands.
    let check = async |kind: Kind, status: u16, stands: bool| {
        let network = Network::start(Dials { slow_ms: [120, 120], late_ms: [120, 120], ..always(kind) }).await;
        let (account, other) = (network.account("one").await, network.account("two").await);
        let whole = request("POST", "/posts", &account.bearer(), r#"{"text":"one"}"#);
        let started = std::time::Instant::now();
        let answer = network.raw(&whole).await;
        let line = network.last("publish");
        assert_eq!(line["fault"], kind.key());
        assert_eq!(!line["remote_id"].is_null(), stands, "{kind:?}");
        match status {
            0 if kind == Kind::ResetMidBody => {
                let (head, body) = answer.split_once("\r\n\r\n").unwrap();
                let length: usize =
                    head.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
                assert!(!body.is_empty() && body.len() < length, "{answer}");
            }
            0 => assert_eq!(answer, "", "{kind:?}"),
            status => assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{kind:?}: {answer}"),
        }
        let is_slow = matches!(kind, Kind::Slow | Kind::AcceptLate);
        assert_eq!(started.elapsed() >= Duration::from_millis(120), is_slow, "{kind:?}");
        let of = async |account: &Account| network.posts(account, "").await.len();
        match kind {
            Kind::WrongAuthor => {
                assert_eq!((of(&account).await, of(&other).await), (0, 1));
                assert_eq!(line["account"], json!(other.id));
            }
            kind => assert_eq!((of(&account).await, of(&other).await), (usize::from(stands), 0), "{kind:?}"),
        }
        let (_, faults) = network.json("GET", "/faults", "", &Value::Null).await;
        assert_eq!(faults["fired"][kind.key()], 1, "{faults}");
    };
    check(Kind::AcceptDrop, 0, true).await;
    check(Kind::Accept500, 500, true).await;
    check(Kind::AcceptLate, 201, true).await;
    check(Kind::AcceptDuplicate, 409, true).await;
    check(Kind::ResetMidBody, 0, true).await;
    check(Kind::ResetBefore, 0, false).await;
    check(Kind::Slow, 201, true).await;
    check(Kind::WrongAuthor, 201, true).await;
    check(Kind::DuplicateRefused, 409, false).await;
    check(Kind::Refuse429, 429, false).await;
    check(Kind::Refuse4xx, 422, false).await;
    check(Kind::Refuse500, 503, false).await;
}

#[tokio::test]
async fn a_post_that_is_accepted_late_stands_though_nobody_waits_any_more() {
    let network = Network::start(Dials { late_ms: [200, 200], ..always(Kind::AcceptLate) }).await;
    let account = network.account("one").await;
    let mut stream = TcpStream::connect(network.addr()).await.unwrap();
    let whole = request("POST", "/posts", &account.bearer(), r#"{"text":"late"}"#);
    stream.write_all(whole.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(60)).await;
    drop(stream);
    assert_eq!(network.posts(&account, "").await.len(), 0);
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_eq!(network.posts(&account, "").await, ["late"]);
    let lines: Vec<Value> = network.ledger().into_iter().filter(|line| line["action"] != "read").collect();
    assert_eq!(lines.len(), 2, "one line for the account and one for the post: {lines:?}");
}

#[tokio::test]
async fn posts_are_listed_by_account_and_time_and_page_by_page() {
    let network = Network::start(Dials { rate: None, ..Dials::default() }).await;
    let (one, two) = (network.account("one").await, network.account("two").await);
    for number in 0..5 {
        network.publish(&one, &number.to_string()).await;
        network.publish(&two, "other").await;
    }
    assert_eq!(network.posts(&one, "").await, ["0", "1", "2", "3", "4"]);
    assert_eq!(network.posts(&one, &format!("account={}", two.id)).await.len(), 5);
    let (_, page) = network.json("GET", "/posts?limit=2", &one.bearer(), &Value::Null).await;
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let next = page["next"].as_str().unwrap();
    assert_eq!(network.posts(&one, &format!("limit=3&after={next}")).await, ["2", "3", "4"]);
    let third = page_time(&network, &one, 2).await;
    assert_eq!(network.posts(&one, &format!("since={third}")).await, ["2", "3", "4"]);
    let (_, last) = network.json("GET", &format!("/posts?limit=3&after={next}"), &one.bearer(), &Value::Null).await;
    assert_eq!(last["next"], Value::Null);
}

async fn page_time(network: &Network, account: &Account, at: usize) -> String {
    let (_, page) = network.json("GET", "/posts", &account.bearer(), &Value::Null).await;
    page["items"][at]["created_at"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_restart_forgets_nothing_that_the_ledger_knows() {
    let dials = Dials { seed: 3, honour_idempotency: true, ..Dials::default() };
    let mut network = Network::start(dials.clone()).await;
    let (one, two) = (network.account("one").await, network.account("two").await);
    let headers = format!("{}idempotency-key: k\r\n", one.bearer());
    let (_, post) = network.json("POST", "/posts", &headers, &json!({ "text": "kept" })).await;
    let (_, gone) = network.publish(&one, "taken away").await;
    network.ask("DELETE", &format!("/posts/{}", gone["id"].as_str().unwrap()), &one.bearer(), "").await;
    let (status, swapped) =
        network.json("POST", &format!("/accounts/{}/token", two.id), "", &json!({ "answers_as": one.id })).await;
    assert_eq!((status, &swapped["token"]), (200, &Value::Null));
    network.stop().await;

    // A crash in the middle of a line, and a post of which the ledger knows nothing.
    let append = |path: PathBuf, text: &str| {
        let mut whole = std::fs::read_to_string(&path).unwrap();
        whole.push_str(text);
        std::fs::write(&path, whole).unwrap();
    };
    let state = PathBuf::from(format!("{}.state", network.ledger_file().display()));
    let ghost = std::fs::read_to_string(&state).unwrap().lines().find(|line| line.contains("kept")).unwrap().to_owned();
    append(state, &format!("{}\n{{\"post\":", ghost.replace("\"p1\"", "\"p77\"").replace("kept", "ghost")));
    append(network.ledger_file(), "{\"at\":\"2026");

    network.start_again(None).await;
    assert_eq!(network.posts(&one, "").await, ["kept"]);
    let (_, faults) = network.json("GET", "/faults", "", &Value::Null).await;
    assert_eq!(serde_json::from_value::<Dials>(faults["dials"].clone()).unwrap(), dials);
    let (status, again) = network.json("POST", "/posts", &headers, &json!({ "text": "kept" })).await;
    assert_eq!((status, &again["id"]), (200, &post["id"]), "the key is known");
    let (_, me) = network.json("GET", "/me", &two.bearer(), &Value::Null).await;
    assert_eq!(me["id"], json!(one.id), "the token answers as the other account");
    let (_, new) = network.publish(&one, "new").await;
    assert_eq!(new["id"], "p78", "no number is given out twice");
    assert_eq!(network.account("three").await.id, "acct3");
    assert!(network.ledger().iter().all(|line| line["at"].is_string()));
}

#[tokio::test]
async fn another_token_ends_the_old_one() {
    let network = Network::start(Dials::default()).await;
    let account = network.account("one").await;
    let (status, answer) = network.json("POST", &format!("/accounts/{}/token", account.id), "", &json!({})).await;
    assert_eq!(status, 200);
    let (status, _) = network.json("GET", "/me", &account.bearer(), &Value::Null).await;
    assert_eq!(status, 401);
    let account = Account { token: answer["token"].as_str().unwrap().to_owned(), ..account };
    let (status, me) = network.json("GET", "/me", &account.bearer(), &Value::Null).await;
    assert_eq!((status, &me["handle"]), (200, &json!("one")));
}

#[tokio::test]
async fn an_account_posts_no_more_than_its_rate_and_the_same_not_twice_where_that_is_dialled() {
    let dials = Dials { rate: Some(Rate { posts: 2, seconds: 1 }), duplicate_minutes: 5, ..Dials::default() };
    let network = Network::start(dials).await;
    let (one, two) = (network.account("one").await, network.account("two").await);
    assert_eq!(network.publish(&one, "a").await.0, 201);
    let (status, answer) = network.publish(&one, "a").await;
    assert_eq!((status, &answer["error"]), (409, &json!("duplicate")));
    assert_eq!(network.last("publish")["fault"], "duplicate-refused");
    assert_eq!(network.publish(&two, "a").await.0, 201, "somebody else may say it too");
    assert_eq!(network.publish(&one, "b").await.0, 201);
    let answer = network.raw(&request("POST", "/posts", &one.bearer(), r#"{"text":"c"}"#)).await;
    assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("retry-after: 1\r\n"), "{answer}");
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    assert_eq!(network.publish(&one, "c").await.0, 201);
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let network = Network::start(Dials::default()).await;
    let account = network.account("one").await;
    let bearer = account.bearer();
    let check = async |method: &str, path: &str, headers: &str, body: &str, status: u16, words: &str| {
        let (found, answer) = network.ask(method, path, headers, body).await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let message = answer["message"].as_str().unwrap();
        assert!(found == status && message.contains(words), "{method} {path} {body}: {found} {message}");
    };
    check("POST", "/posts", &bearer, "{", 400, "not understood").await;
    check("POST", "/posts", &bearer, r#"{"text": 1}"#, 400, "string").await;
    check("POST", "/posts", &bearer, r#"{"text": "a", "media": []}"#, 400, "media").await;
    check("POST", "/posts", &bearer, r#"{"text": " "}"#, 422, "write something").await;
    check("POST", "/posts", &bearer, &json!({ "text": "x".repeat(501) }).to_string(), 422, "501").await;
    check("POST", "/posts", &bearer, &json!({ "text": "x".repeat(70_000) }).to_string(), 413, "65536").await;
    check("POST", "/posts", "", r#"{"text": "a"}"#, 401, "token").await;
    check("POST", "/accounts", "", r#"{"handle": "one"}"#, 409, "taken").await;
    check("POST", "/accounts", "", r#"{"handle": "a b"}"#, 422, "handle").await;
    check("POST", "/accounts", "", r#"{"handle": "x", "id": "stranger"}"#, 422, "id").await;
    check("POST", "/accounts/nobody/token", "", "{}", 404, "nobody").await;
    check("GET", "/posts?since=yesterday", &bearer, "", 422, "since").await;
    check("GET", "/posts?limit=0", &bearer, "", 422, "limit").await;
    check("GET", "/posts?account=nobody", &bearer, "", 404, "nobody").await;
    check("GET", "/posts/p9", &bearer, "", 404, "p9").await;
    check("DELETE", "/posts/p9", &bearer, "", 404, "p9").await;
    check("PUT", "/faults", "", r#"{"kinds": {"slow": 2}}"#, 422, "slow").await;
    check("PUT", "/faults", "", r#"{"kinds": {"slov": 1}}"#, 400, "slov").await;
    check("GET", "/moon", "", "", 404, "nothing").await;
    check("PATCH", "/posts", "", "", 405, "method").await;
}

#[tokio::test]
async fn the_timeline_shows_posts_and_faults_and_runs_nothing() {
    let network = Network::start(always(Kind::Accept500)).await;
    let account = network.account("one").await;
    network.publish(&account, "<script>alert('x')</script> & more").await;
    network.json("PUT", "/faults", "", &json!({})).await;
    network.publish(&account, "plain").await;
    let page = async |query: &str| network.ask("GET", &format!("/{query}"), "", "").await.1;
    let all = page("").await;
    assert!(all.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; more") && all.contains("plain"));
    assert!(!all.contains("<script") && all.contains("accept-500") && all.contains("@one"));
    let faulty = page("?fault=any").await;
    assert!(faulty.contains("alert") && !faulty.contains("plain"));
    let found = page("?q=PLAIN").await;
    assert!(found.contains("<p class=\"text\">plain") && !found.contains("alert"));
    assert!(page("?account=nobody").await.contains("Nothing here"));
    let escaped = page("?q=%22%3E%3Cb%3E").await;
    assert!(escaped.contains("value=\"&quot;&gt;&lt;b&gt;\""));
    assert!(page("p/p1").await.contains("alert"));
    assert_eq!(network.ask("GET", "/p/nothing", "", "").await.0, 404);
    let head = network.raw(&request("GET", "/", "", "")).await;
    assert!(head.contains("content-security-policy: default-src 'none'"));
    // By a form, as people do.
    let body = "handle=by-hand";
    let form = request("POST", "/accounts", "", body).replace("application/json", "application/x-www-form-urlencoded");
    let answer = network.raw(&form).await;
    assert!(answer.starts_with("HTTP/1.1 201") && answer.contains("sbx_") && answer.contains("<!doctype html>"));
    let again = network.raw(&form).await;
    assert!(again.starts_with("HTTP/1.1 409") && again.contains("by-hand is taken"), "{again}");
}

#[tokio::test]
async fn a_ledger_that_is_none_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let ledger = home.path().join("ledger.jsonl");
    std::fs::write(&ledger, "{\"at\": 1}\n").unwrap();
    let options = Options { addr: "127.0.0.1:0".parse().unwrap(), ledger: ledger.clone(), dials: None };
    let refusal = Sandbox::start(options.clone()).await.unwrap_err();
    assert!(refusal.contains("line 1") && refusal.contains("ledger.jsonl"), "{refusal}");
    std::fs::remove_file(&ledger).unwrap();
    std::fs::create_dir(&ledger).unwrap();
    assert!(Sandbox::start(options).await.unwrap_err().contains("cannot be opened"));
}

#[tokio::test]
async fn half_a_request_does_not_hold_up_its_end() {
    let mut network = Network::start(Dials::default()).await;
    let mut stream = TcpStream::connect(network.addr()).await.unwrap();
    stream.write_all(b"POST /posts HTTP/1.1\r\ncontent-length: 9\r\n\r\n{").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let stopped = tokio::time::timeout(Duration::from_secs(8), network.stop()).await;
    assert!(stopped.is_ok(), "it waits for the other half");
}
