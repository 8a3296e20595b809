//! The client against servers that behave badly in every way that decides what became of a request.

use rtv_core::{Action, Platform, Scope};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use uuid::Uuid;

use super::*;
use crate::gate::{EngagedSwitch, LEASE, SwitchCopy};
use crate::halt_folder::HaltFolder;

const CERTIFICATE: &[u8] = include_bytes!("../../testdata/localhost.cert.der");
const KEY: &[u8] = include_bytes!("../../testdata/localhost.key.der");
const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-a: b\r\n\r\nhi";

struct Bench {
    _home: TempDir,
    client: Client,
}

fn bench() -> Bench {
    let home = tempfile::tempdir().unwrap();
    let gate = Gate::new(HaltFolder::open(home.path().join("halt.d")).unwrap());
    gate.install(copy(1, None));
    gate.renew(BootTime::now());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(CERTIFICATE)).unwrap();
    Bench { _home: home, client: Client::trusting(gate, roots).with_deadline(Duration::from_millis(800)) }
}

fn copy(epoch: i64, engaged: Option<Scope>) -> SwitchCopy {
    let engaged = engaged.map(|scope| EngagedSwitch { id: Uuid::nil().into(), scope }).into_iter().collect();
    SwitchCopy { epoch, engaged }
}

fn operation() -> Operation {
    Operation {
        tenant: Uuid::from_u128(1).into(),
        platform: Platform::Sandbox,
        action: Action::Publish,
        account: Uuid::from_u128(2).into(),
        campaign: None,
    }
}

fn permit() -> Permit {
    Permit::new(operation(), 1, 1, BootTime::now())
}

fn base(scheme: &str, address: SocketAddr) -> Base {
    Base::of_operator(Url::parse(&format!("{scheme}://{address}/api")).unwrap()).unwrap()
}

/// A server for one connection. Gives its address, and what it read until the head of a request had come or the other
/// side had closed.
async fn server<F, Fut>(behave: F) -> (SocketAddr, tokio::task::JoinHandle<Vec<u8>>)
where
    F: FnOnce(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let received = read_head(&mut stream).await;
        behave(stream).await;
        received
    });
    (address, task)
}

async fn read_head(stream: &mut TcpStream) -> Vec<u8> {
    let mut received = Vec::new();
    let mut part = [0; 4096];
    while !received.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => break,
            Ok(count) => received.extend_from_slice(&part[..count]),
        }
    }
    received
}

fn post(base: &Base) -> Request {
    Request::post(base, &["posts"]).json(&"text")
}

#[tokio::test]
async fn an_answer_comes_with_what_left_and_when() {
    let bench = bench();
    let (address, served) = server(async |mut stream: TcpStream| stream.write_all(OK).await.unwrap()).await;
    let before = BootTime::now();
    let request = post(&base("http", address))
        .query("a b", "c&d")
        .bearer(&SecretString::from("geheim"))
        .header("idempotency-key", "k1");
    assert!(!format!("{request:?}").contains("geheim"));
    let outcome = bench.client.send(permit(), &operation(), &request).await;
    let Outcome::Answered(answer) = outcome else { panic!("{outcome:?}") };
    assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, &b"hi"[..]));
    assert_eq!(answer.headers["x-a"], "b");
    let sent = answer.sent;
    assert!(
        before <= sent.first_byte_at && sent.first_byte_at <= sent.last_byte_at && sent.last_byte_at <= sent.ended_at
    );
    assert_eq!((sent.epoch, sent.late), (Some(1), None));
    let received = served.await.unwrap();
    assert_eq!(sent.bytes, received.len() as u64);
    let text = String::from_utf8(received).unwrap();
    assert!(text.starts_with("POST /api/posts?a+b=c%26d HTTP/1.1\r\n"), "{text}");
    for line in ["authorization: Bearer geheim\r\n", "idempotency-key: k1\r\n", "connection: close\r\n"] {
        assert!(text.contains(line), "{text}");
    }
    assert!(text.contains(&format!("host: {address}\r\n")) && text.ends_with("\r\n\r\n\"text\""), "{text}");
}

#[tokio::test]
async fn what_never_stood_is_not_sent() {
    let bench = bench();
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let outcome = bench.client.send(permit(), &operation(), &post(&base("http", free))).await;
    assert!(matches!(outcome, Outcome::NotSent(NotSent::Connect(_))), "{outcome:?}");

    let nowhere = Base::of_operator(Url::parse("http://rtv.invalid").unwrap()).unwrap();
    let outcome = bench.client.send(permit(), &operation(), &post(&nowhere)).await;
    assert!(matches!(outcome, Outcome::NotSent(NotSent::Resolve(_) | NotSent::Connect(_))), "{outcome:?}");

    // Accepts, and never says a word of TLS.
    let (address, _served) = server(async |stream: TcpStream| {
        tokio::time::sleep(Duration::from_secs(5)).await;
        drop(stream);
    })
    .await;
    let outcome = bench.client.send(permit(), &operation(), &post(&base("https", address))).await;
    assert!(matches!(outcome, Outcome::NotSent(NotSent::Connect(_))), "{outcome:?}");

    // Answers TLS with something else.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(OK).await.unwrap();
    });
    let outcome = bench.client.send(permit(), &operation(), &post(&base("https", address))).await;
    assert!(matches!(outcome, Outcome::NotSent(NotSent::Tls(_))), "{outcome:?}");
}

#[tokio::test]
async fn what_is_stopped_leaves_no_byte() {
    let bench = bench();
    bench.client.gate().install(copy(2, Some(Scope::GLOBAL)));
    let (address, served) = server(async |_| {}).await;
    let outcome = bench.client.send(permit(), &operation(), &post(&base("http", address))).await;
    let is_stopped =
        matches!(outcome, Outcome::NotSent(NotSent::Stopped(Stopped::Switch { scope: Scope::GLOBAL, .. })));
    assert!(is_stopped, "{outcome:?}");
    assert_eq!(served.await.unwrap(), b"");
    // Reading goes on: what may have come out must be looked for.
    let (address, _served) = server(async |mut stream: TcpStream| stream.write_all(OK).await.unwrap()).await;
    let outcome = bench.client.read(&Request::get(&base("http", address), &["me"])).await;
    assert!(matches!(&outcome, Outcome::Answered(answer) if answer.sent.epoch.is_none()), "{outcome:?}");
}

#[tokio::test]
async fn a_permit_that_does_not_permit_opens_no_connection() {
    let bench = bench();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = base("http", listener.local_addr().unwrap());
    let old = Permit::new(operation(), 1, 1, BootTime::now().minus(Duration::from_secs(1)));
    let other = Operation { action: Action::Delete, ..operation() };
    for (permit, operation) in [(old, operation()), (permit(), other)] {
        let outcome = bench.client.send(permit, &operation, &post(&base)).await;
        assert!(matches!(outcome, Outcome::NotSent(NotSent::Permit(_))), "{outcome:?}");
    }
    let outcome = bench.client.read(&post(&base)).await;
    assert!(matches!(outcome, Outcome::NotSent(NotSent::Request(_))), "{outcome:?}");
    let accepted = timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(accepted.is_err(), "somebody connected");
}

#[tokio::test]
async fn after_one_byte_nobody_knows() {
    let bench = bench();
    let check = async |name: &str, answer: &'static [u8], hold: bool, status: Option<u16>| {
        let (address, served) = server(async move |mut stream: TcpStream| {
            stream.write_all(answer).await.unwrap();
            if hold {
                tokio::time::sleep(Duration::from_secs(3)).await;
            }
        })
        .await;
        let outcome = bench.client.send(permit(), &operation(), &post(&base("http", address))).await;
        let Outcome::Unknown(unknown) = outcome else { panic!("{name}: {outcome:?}") };
        assert_eq!(unknown.status.map(|status| status.as_u16()), status, "{name}");
        assert!(unknown.sent.bytes > 0 && !unknown.why.is_empty(), "{name}");
        served.abort();
    };
    bench.client.gate().renew(BootTime::now());
    check("no answer", b"", false, None).await;
    check("half a head", b"HTTP/1.1 200 OK\r\ncont", false, None).await;
    check("no HTTP", b"hello\r\n\r\n", false, None).await;
    check("half a body", b"HTTP/1.1 201 Created\r\ncontent-length: 9\r\n\r\n{\"id", false, Some(201)).await;
    bench.client.gate().renew(BootTime::now());
    check("silence", b"", true, None).await;
    bench.client.gate().renew(BootTime::now());
    check("silence in the body", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{", true, None).await;
}

#[tokio::test]
async fn an_answer_without_end_is_none() {
    let bench = bench();
    let (address, served) = server(async |mut stream: TcpStream| {
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(&[b'x'; 16_000]).await.is_ok() {}
    })
    .await;
    let outcome = bench.client.send(permit(), &operation(), &post(&base("http", address))).await;
    assert!(matches!(&outcome, Outcome::Unknown(unknown) if unknown.status == Some(StatusCode::OK)), "{outcome:?}");
    served.await.unwrap();
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let bench = bench();
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let answer = format!(
        "HTTP/1.1 307 Go\r\nlocation: http://{}/\r\ncontent-length: 0\r\n\r\n",
        elsewhere.local_addr().unwrap()
    );
    let (address, _served) =
        server(async move |mut stream: TcpStream| stream.write_all(answer.as_bytes()).await.unwrap()).await;
    let outcome = bench.client.send(permit(), &operation(), &post(&base("http", address))).await;
    assert!(matches!(&outcome, Outcome::Answered(answer) if answer.status.as_u16() == 307), "{outcome:?}");
    assert!(timeout(Duration::from_millis(50), elsewhere.accept()).await.is_err());
}

#[tokio::test]
async fn a_switch_that_comes_during_the_call_is_told() {
    let bench = bench();
    let gate = bench.client.gate().clone();
    let (address, _served) = server(async move |mut stream: TcpStream| {
        gate.install(copy(2, Some(Scope::GLOBAL)));
        stream.write_all(OK).await.unwrap();
    })
    .await;
    let outcome = bench.client.send(permit(), &operation(), &post(&base("http", address))).await;
    let Outcome::Answered(answer) = outcome else { panic!("{outcome:?}") };
    let late = answer.sent.late.unwrap();
    assert_eq!((late.checked_epoch, late.epoch, late.is_stopped), (1, 2, true));
    assert_eq!((late.bytes_after, late.has_lapsed), (0, false), "all of it had left before");
}

#[tokio::test]
async fn bytes_that_follow_a_switch_are_counted() {
    let bench = bench();
    let gate = bench.client.gate().clone();
    let (address, _served) = server(async move |mut stream: TcpStream| {
        gate.install(copy(2, None));
        let mut part = vec![0; 1 << 20];
        let mut left = 24 << 20;
        while left > 0 {
            left -= stream.read(&mut part).await.unwrap().min(left);
        }
        stream.write_all(OK).await.unwrap();
    })
    .await;
    let request = Request::post(&base("http", address), &["posts"]).json(&"x".repeat(32 << 20));
    let client = bench.client.clone().with_deadline(Duration::from_secs(20));
    // Writing the text took some of the lease.
    client.gate().renew(BootTime::now());
    let outcome = client.send(permit(), &operation(), &request).await;
    let Outcome::Answered(answer) = outcome else { panic!("{outcome:?}") };
    let late = answer.sent.late.unwrap();
    assert!(late.bytes_after > 0 && late.bytes_after < answer.sent.bytes, "{late:?} of {}", answer.sent.bytes);
    assert!(!late.is_stopped);
}

#[test]
fn a_process_that_was_frozen_between_check_and_write_is_told() {
    let bench = bench();
    let gate = bench.client.gate().clone();
    gate.close();
    gate.renew(BootTime::now().minus(LEASE).plus(Duration::from_millis(50)));
    let progress = Progress::new(Some((gate, operation())));
    progress.arm();
    let written = progress.write(b"POST", |part| {
        std::thread::sleep(Duration::from_millis(80));
        Poll::Ready(Ok(part.len()))
    });
    assert!(matches!(written, Poll::Ready(Ok(4))));
    assert!(progress.sent().unwrap().late.unwrap().has_lapsed);
}

#[test]
fn a_write_that_did_not_happen_is_checked_again() {
    let bench = bench();
    let gate = bench.client.gate().clone();
    let progress = Progress::new(Some((gate.clone(), operation())));
    progress.arm();
    assert!(progress.write(b"POST", |_| Poll::Pending).is_pending());
    assert_eq!(progress.sent(), None);
    gate.install(copy(2, Some(Scope::GLOBAL)));
    let written = progress.write(b"POST", |_| unreachable!("it is stopped"));
    assert!(matches!(written, Poll::Ready(Err(_))) && progress.stopped().is_some());
    assert_eq!(progress.sent(), None);
}

#[tokio::test]
async fn over_tls_the_gate_is_asked_when_the_connection_stands() {
    let bench = bench();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(KEY));
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (received, mut what_was_received) = tokio::sync::mpsc::unbounded_channel();
    let gate = bench.client.gate().clone();
    tokio::spawn(async move {
        for number in 0..3 {
            let (stream, _) = listener.accept().await.unwrap();
            if number == 1 {
                // The switch comes while the connection is being encrypted.
                gate.install(copy(2, Some(Scope::GLOBAL)));
            }
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut text = vec![0; 4096];
            let count = stream.read(&mut text).await.unwrap_or(0);
            text.truncate(count);
            received.send(text).unwrap();
            _ = stream.write_all(OK).await;
            _ = stream.shutdown().await;
        }
    });
    let base = Base::of_operator(Url::parse(&format!("https://localhost:{}", address.port())).unwrap()).unwrap();
    let outcome = bench.client.send(permit(), &operation(), &post(&base)).await;
    let Outcome::Answered(answer) = outcome else { panic!("{outcome:?}") };
    let request = what_was_received.recv().await.unwrap();
    assert!(request.starts_with(b"POST /posts HTTP/1.1"));
    assert!(answer.sent.bytes > request.len() as u64, "counted below TLS");
    let outcome = bench.client.send(permit(), &operation(), &post(&base)).await;
    assert!(matches!(outcome, Outcome::NotSent(NotSent::Stopped(_))), "{outcome:?}");
    assert_eq!(what_was_received.recv().await.unwrap(), b"");

    // The same server to who does not know its authority.
    let stranger = Client::new(bench.client.gate().clone());
    let outcome = stranger.send(permit(), &operation(), &post(&base)).await;
    assert!(matches!(outcome, Outcome::NotSent(NotSent::Tls(_))), "{outcome:?}");
}

#[tokio::test]
async fn addresses_of_others_lead_only_to_the_public_internet() {
    let refused = |text: &str, words: &str| {
        let refusal = Base::public(Url::parse(text).unwrap()).unwrap_err();
        assert!(refusal.contains(words), "{text}: {refusal}");
    };
    refused("http://social.example", "https://");
    refused("ftp://social.example", "https://");
    refused("https://social.example:8443", "port");
    refused("https://u:p@social.example", "user and password");
    refused("https://social.example/?a", "behind ?");
    refused("https://social.example/#a", "behind ?");
    refused("https://127.1", "public internet");
    refused("https://[::ffff:10.0.0.1]", "public internet");
    refused("https://0xa9fea9fe", "public internet");
    assert!(Base::public(Url::parse("https://social.example/path").unwrap()).is_ok());
    assert!(Base::public(Url::parse("https://1.1.1.1").unwrap()).is_ok());
    assert!(Base::of_operator(Url::parse("file:///etc/passwd").unwrap()).is_err());
    // A name of somebody else that leads to ourselves.
    let bench = bench();
    let base = Base::public(Url::parse("https://localhost").unwrap()).unwrap();
    let outcome = bench.client.send(permit(), &operation(), &post(&base)).await;
    assert!(matches!(outcome, Outcome::NotSent(NotSent::Address(_))), "{outcome:?}");
}

#[test]
fn a_part_of_a_path_is_one_segment_and_leads_nowhere_else() {
    let base = Base::of_operator(Url::parse("http://e.example/api/").unwrap()).unwrap();
    let path = |parts: &[&str]| Request::get(&base, parts).url.to_string();
    assert_eq!(path(&["posts", "a/b?c#d"]), "http://e.example/api/posts/a%2Fb%3Fc%23d");
    for wrong in ["..", ".", ""] {
        assert!(Request::get(&base, &["posts", wrong]).problem.is_some(), "{wrong}");
    }
    assert!(Request::get(&base, &["me"]).bearer(&SecretString::from("a\nb")).problem.is_some());
    assert!(Request::get(&base, &["me"]).header("idempotency-key", "a\r\nb").problem.is_some());
}
