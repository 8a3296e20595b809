//! The guarded HTTP client. A call has a connection of its own, so no pool can break it and nothing is sent a second time
//! behind our back; it follows no redirect; and it says exactly what became of the request: surely not sent, answered, or
//! nobody knows. What separates the first from the last is whether one byte of the request left, and bytes are counted
//! where they leave, below TLS.
//!
//! A call that has an effect needs a [`Permit`] and passes the [`Gate`] with its first byte. A call that only reads needs
//! neither: what may have come out must be looked for, most of all while everything is halted.

use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ::http::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use ::http::{Method, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rtv_core::Operation;
use rtv_core::fault::{self, Fault};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::{Host, Url};

use crate::boot_time::BootTime;
use crate::gate::{Gate, Late, Pass, Permit, PermitRefused, Stopped};
use crate::public_address::is_public;

/// A call that has no answer by then gets none.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// How long each address of a name may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// Longest answer that is read.
const MOST_BYTES: usize = 1024 * 1024;

/// Where a platform answers: scheme, host, port, and what its paths begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    url: Url,
    is_operators: bool,
}

impl Base {
    /// An address that the operator of RTV has set: it may lie in their own network, and be spoken to in the open.
    pub fn of_operator(url: Url) -> Result<Self, String> {
        Self::new(url, true)
    }

    /// An address that somebody else has given: `https` on its own port, and only machines of the public internet.
    pub fn public(url: Url) -> Result<Self, String> {
        if url.scheme() != "https" {
            return Err("use an address that begins with https://".to_owned());
        }
        if url.port().is_some() {
            return Err("leave the port out: only the port of https is called".to_owned());
        }
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) | None => None,
        };
        if literal.is_some_and(|address| !is_public(address)) {
            return Err("use an address of the public internet".to_owned());
        }
        Self::new(url, false)
    }

    fn new(url: Url, is_operators: bool) -> Result<Self, String> {
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err("use an address like https://social.example".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("leave user and password out of the address".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("leave out what stands behind ? or #".to_owned());
        }
        Ok(Self { url, is_operators })
    }

    /// The address.
    pub const fn url(&self) -> &Url {
        &self.url
    }
}

/// A request that is ready to be sent.
#[derive(Debug)]
pub struct Request {
    method: Method,
    url: Url,
    is_operators: bool,
    headers: HeaderMap,
    body: Bytes,
    /// What could not be written into it.
    problem: Option<String>,
}

impl Request {
    /// Reads. Each part of the path is one segment; what has a meaning in addresses is written so that it has none.
    pub fn get(base: &Base, path: &[&str]) -> Self {
        Self::new(Method::GET, base, path)
    }

    /// Makes something, or has it done.
    pub fn post(base: &Base, path: &[&str]) -> Self {
        Self::new(Method::POST, base, path)
    }

    /// Sets something.
    pub fn put(base: &Base, path: &[&str]) -> Self {
        Self::new(Method::PUT, base, path)
    }

    /// Takes something away.
    pub fn delete(base: &Base, path: &[&str]) -> Self {
        Self::new(Method::DELETE, base, path)
    }

    fn new(method: Method, base: &Base, path: &[&str]) -> Self {
        let mut url = base.url.clone();
        let mut problem = None;
        match url.path_segments_mut() {
            Ok(mut segments) => _ = segments.pop_if_empty().extend(path),
            Err(()) => problem = Some("the address has no path".to_owned()),
        }
        // The parser of addresses resolves these; a segment that is one would lead elsewhere.
        if path.iter().any(|part| part.is_empty() || matches!(*part, "." | "..")) {
            problem = Some("a part of the path is empty or leads elsewhere".to_owned());
        }
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("RTV/", env!("CARGO_PKG_VERSION"))));
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        Self { method, url, is_operators: base.is_operators, headers, body: Bytes::new(), problem }
    }

    /// Adds to what stands behind the `?`.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    /// Says who asks.
    #[must_use]
    pub fn bearer(mut self, token: &SecretString) -> Self {
        match HeaderValue::try_from(format!("Bearer {}", token.expose_secret())) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.headers.insert(AUTHORIZATION, value);
            }
            Err(_) => self.problem = Some("the token has characters that no request can carry".to_owned()),
        }
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => _ = self.headers.insert(HeaderName::from_static(name), value),
            Err(_) => self.problem = Some(format!("{name} has characters that no request can carry")),
        }
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(text) => {
                self.body = text.into();
                self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
            Err(error) => self.problem = Some(format!("the body cannot be written: {error}")),
        }
        self
    }

    fn to_hyper(&self) -> Result<::http::Request<Full<Bytes>>, String> {
        let host = self.url.host_str().unwrap_or_default();
        let host = self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let target = &self.url[url::Position::BeforePath..url::Position::AfterQuery];
        let mut request = ::http::Request::builder()
            .method(self.method.clone())
            .uri(target)
            .header(HOST, host)
            .body(Full::new(self.body.clone()))
            .map_err(|error| error.to_string())?;
        request.headers_mut().extend(self.headers.clone());
        Ok(request)
    }
}

/// What became of a request.
#[derive(Debug)]
pub enum Outcome {
    /// Not one byte of it left.
    NotSent(NotSent),
    /// The whole answer was read.
    Answered(Answer),
    /// At least one byte of it left, and no whole answer came: nobody knows what it did.
    Unknown(Unknown),
}

/// Why not one byte of a request left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSent {
    /// The gate stopped it.
    Stopped(Stopped),
    /// Its permit does not permit it.
    Permit(PermitRefused),
    /// It could not be written, or is none that may be made so.
    Request(String),
    /// Its host has no address.
    Resolve(String),
    /// Its host has an address that is none of the public internet.
    Address(String),
    /// No connection came about.
    Connect(String),
    /// No encrypted connection came about.
    Tls(String),
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped(stopped) => stopped.fmt(f),
            Self::Permit(refused) => refused.fmt(f),
            Self::Request(why) => write!(f, "the request cannot be made: {why}"),
            Self::Resolve(why) => write!(f, "the name has no address: {why}"),
            Self::Address(why) => f.write_str(why),
            Self::Connect(why) => write!(f, "no connection: {why}"),
            Self::Tls(why) => write!(f, "no encrypted connection: {why}"),
        }
    }
}

/// What is known of the bytes of a request that left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// How many, counted below TLS.
    pub bytes: u64,
    /// When the first left.
    pub first_byte_at: BootTime,
    /// When the last left.
    pub last_byte_at: BootTime,
    /// When the call ended, with an answer or without.
    pub ended_at: BootTime,
    /// Epoch that the gate checked against; `None` for calls that only read.
    pub epoch: Option<i64>,
    /// What was noticed after the write.
    pub late: Option<Late>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, all of it.
    pub body: Bytes,
    /// The request's bytes.
    pub sent: Sent,
}

/// No whole answer.
#[derive(Debug)]
pub struct Unknown {
    /// What happened instead, in words.
    pub why: String,
    /// Status of the answer, if at least that came.
    pub status: Option<StatusCode>,
    /// The request's bytes.
    pub sent: Sent,
}

/// The client. Clones share the gate.
#[derive(Clone)]
pub struct Client {
    gate: Gate,
    tls: TlsConnector,
    deadline: Duration,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("gate", &self.gate).field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

impl Client {
    /// A client whose effects pass that gate. It trusts the authorities that Mozilla trusts.
    pub fn new(gate: Gate) -> Self {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Self::trusting(gate, roots)
    }

    fn trusting(gate: Gate, roots: RootCertStore) -> Self {
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has what TLS 1.2 and 1.3 need")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { gate, tls: TlsConnector::from(Arc::new(config)), deadline: DEADLINE }
    }

    /// The same with another deadline.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The gate.
    pub const fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Has an effect. The permit is used up, whatever comes of it; the operation is what the request does, and must be what
    /// the permit is for.
    pub async fn send(&self, permit: Permit, operation: &Operation, request: &Request) -> Outcome {
        let operation = match permit.use_up(operation) {
            Ok(operation) => operation,
            Err(refused) => return Outcome::NotSent(NotSent::Permit(refused)),
        };
        let outcome = self.exchange(request, Some((self.gate.clone(), operation))).await;
        match outcome {
            Outcome::Unknown(_) if fault::is(Fault::HiddenRetry) => {
                self.exchange(request, Some((self.gate.clone(), operation))).await
            }
            Outcome::Unknown(unknown) if fault::is(Fault::ResetDefinite) => {
                Outcome::NotSent(NotSent::Connect(unknown.why))
            }
            outcome => outcome,
        }
    }

    /// Only reads.
    pub async fn read(&self, request: &Request) -> Outcome {
        if request.method != Method::GET {
            return Outcome::NotSent(NotSent::Request("it is none that only reads".to_owned()));
        }
        self.exchange(request, None).await
    }

    async fn exchange(&self, request: &Request, guard: Option<(Gate, Operation)>) -> Outcome {
        let progress = Arc::new(Progress::new(guard));
        // Where the deadline passes, the connection is dropped with the future, and only then the bytes are counted.
        let ended = timeout(self.deadline, self.call(request, &progress)).await.unwrap_or_else(|_| {
            let why = format!("no answer within {} s", self.deadline.as_secs_f32());
            Err(Failure { not_sent: NotSent::Connect(why), status: None })
        });
        match (progress.sent(), ended) {
            (Some(sent), Ok((status, headers, body))) => Outcome::Answered(Answer { status, headers, body, sent }),
            (Some(sent), Err(failure)) => {
                let why = match failure.not_sent {
                    NotSent::Connect(why) => why,
                    other => other.to_string(),
                };
                Outcome::Unknown(Unknown { why, status: failure.status, sent })
            }
            (None, Err(failure)) => {
                let stopped = progress.stopped().map(NotSent::Stopped);
                Outcome::NotSent(stopped.unwrap_or(failure.not_sent))
            }
            // Whoever answers before they were asked has answered somebody else.
            (None, Ok(_)) => Outcome::NotSent(NotSent::Connect("an answer came before the request".to_owned())),
        }
    }

    async fn call(
        &self,
        request: &Request,
        progress: &Arc<Progress>,
    ) -> Result<(StatusCode, HeaderMap, Bytes), Failure> {
        if let Some(problem) = &request.problem {
            return Err(NotSent::Request(problem.clone()).into());
        }
        let message = request.to_hyper().map_err(NotSent::Request)?;
        let stream = connect(&request.url, request.is_operators).await?;
        let stream = Guarded { stream, progress: Arc::clone(progress) };
        if request.url.scheme() != "https" {
            progress.arm();
            return talk(stream, message).await;
        }
        let name = request.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(name).map_err(|error| NotSent::Tls(error.to_string()))?;
        let stream = self.tls.connect(name, stream).await.map_err(|error| NotSent::Tls(error.to_string()))?;
        progress.arm();
        talk(stream, message).await
    }
}

/// A call that ended without a whole answer. What it was is decided by the bytes that left.
struct Failure {
    not_sent: NotSent,
    status: Option<StatusCode>,
}

impl From<NotSent> for Failure {
    fn from(not_sent: NotSent) -> Self {
        Self { not_sent, status: None }
    }
}

/// Looks the name up once and connects to what was found there, so that nobody can answer differently in between.
async fn connect(url: &Url, is_operators: bool) -> Result<TcpStream, NotSent> {
    let port = url.port_or_known_default().unwrap_or(443);
    let addresses: Vec<SocketAddr> = match url.host() {
        Some(Host::Ipv4(address)) => vec![(address, port).into()],
        Some(Host::Ipv6(address)) => vec![(address, port).into()],
        Some(Host::Domain(name)) => {
            lookup_host((name, port)).await.map_err(|error| NotSent::Resolve(error.to_string()))?.collect()
        }
        None => Vec::new(),
    };
    // One address that is not public is reason enough: who names both chooses which one we call.
    if let Some(address) = addresses.iter().find(|address| !is_operators && !is_public(address.ip())) {
        return Err(NotSent::Address(format!("{} is no address of the public internet", address.ip())));
    }
    let mut last = NotSent::Resolve("nothing was found".to_owned());
    for address in addresses {
        match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Head and body leave at once instead of waiting for more.
                stream.set_nodelay(true).map_err(|error| NotSent::Connect(error.to_string()))?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = NotSent::Connect(format!("{address}: {error}")),
            Err(_) => last = NotSent::Connect(format!("{address} did not accept within {} s", CONNECT.as_secs())),
        }
    }
    Err(last)
}

/// Sends the request and reads the answer. The connection lives in this future alone and ends with it.
async fn talk<S>(stream: S, message: ::http::Request<Full<Bytes>>) -> Result<(StatusCode, HeaderMap, Bytes), Failure>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let broken = |error: &hyper::Error| NotSent::Connect(words(error));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    let exchange = async move {
        let response = sender.send_request(message).await.map_err(|error| broken(&error))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MOST_BYTES).collect().await.map_err(|error| {
            let why = format!("the answer broke off: {error}");
            Failure { not_sent: NotSent::Connect(why), status: Some(head.status) }
        })?;
        Ok((head.status, head.headers, body.to_bytes()))
    };
    let mut exchange = core::pin::pin!(exchange);
    let mut connection = core::pin::pin!(connection);
    let mut is_over = false;
    loop {
        tokio::select! {
            biased;
            ended = &mut exchange => return ended,
            // What broke the connection is told by the exchange, which ends with it.
            _ = &mut connection, if !is_over => is_over = true,
        }
    }
}

/// The failure and its causes.
fn words(error: &(dyn core::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(one) = cause {
        text = format!("{text}: {one}");
        cause = one.source();
    }
    text
}

/// What is known of one call while it runs.
struct Progress {
    /// For calls that have an effect.
    guard: Option<(Gate, Operation)>,
    /// What is written from now on belongs to the request, and no longer to the making of the connection.
    is_armed: AtomicBool,
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    pass: Option<Pass>,
    stopped: Option<Stopped>,
    bytes: u64,
    bytes_after: u64,
    has_lapsed: bool,
    first_byte_at: Option<BootTime>,
    last_byte_at: Option<BootTime>,
}

impl Progress {
    fn new(guard: Option<(Gate, Operation)>) -> Self {
        Self { guard, is_armed: AtomicBool::new(false), counted: Mutex::default() }
    }

    fn arm(&self) {
        if self.guard.is_some() {
            fault::crash_here(Fault::BeforeFirstByte);
        }
        self.is_armed.store(true, Ordering::SeqCst);
    }

    fn counted(&self) -> std::sync::MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopped(&self) -> Option<Stopped> {
        self.counted().stopped.clone()
    }

    fn sent(&self) -> Option<Sent> {
        let counted = self.counted();
        let (first_byte_at, last_byte_at) = counted.first_byte_at.zip(counted.last_byte_at)?;
        let late =
            self.guard.as_ref().zip(counted.pass.as_ref()).and_then(|((gate, operation), pass)| {
                gate.late(operation, pass, counted.bytes_after, counted.has_lapsed)
            });
        Some(Sent {
            bytes: counted.bytes,
            first_byte_at,
            last_byte_at,
            ended_at: BootTime::now(),
            epoch: counted.pass.map(|pass| pass.epoch),
            late,
        })
    }

    /// Writes, and for the first bytes of an effect asks the gate in the same step.
    fn write(&self, buffer: &[u8], write: impl FnOnce(&[u8]) -> Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if !self.is_armed.load(Ordering::SeqCst) {
            return write(buffer);
        }
        let mut counted = self.counted();
        let Some((gate, operation)) = &self.guard else {
            let written = write(buffer);
            counted.add(&written);
            return written;
        };
        if let Some(pass) = counted.pass {
            // The request is on its way; half of it would help nobody.
            let is_late = gate.is_late(&pass, BootTime::now());
            let written = write(buffer);
            if let (true, Poll::Ready(Ok(bytes))) = (is_late, &written) {
                counted.bytes_after += *bytes as u64;
            }
            counted.add(&written);
            return written;
        }
        // A crash between the bytes of a request can be planted only where there is a between.
        let first = if fault::is_planted(Fault::AfterFirstByte) { &buffer[..buffer.len().min(1)] } else { buffer };
        match gate.first_write(operation, || write(first)) {
            Err(stopped) => {
                counted.stopped = Some(stopped);
                Poll::Ready(Err(io::Error::new(io::ErrorKind::PermissionDenied, "the gate stopped it")))
            }
            Ok((pass, written)) => {
                counted.add(&written);
                if matches!(written, Poll::Ready(Ok(1..))) {
                    counted.has_lapsed = pass.had_lapsed(BootTime::now());
                    counted.pass = Some(pass);
                    fault::crash_here(Fault::AfterFirstByte);
                }
                written
            }
        }
    }

    fn flushed(&self) {
        if self.guard.is_some() && self.counted().bytes > 0 {
            fault::crash_here(Fault::AfterLastByte);
        }
    }
}

impl Counted {
    fn add(&mut self, written: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(bytes @ 1..)) = written {
            let now = BootTime::now();
            self.bytes += *bytes as u64;
            self.first_byte_at.get_or_insert(now);
            self.last_byte_at = Some(now);
        }
    }
}

/// A connection whose written bytes are counted, and whose first ones of a request pass the gate.
struct Guarded<S> {
    stream: S,
    progress: Arc<Progress>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

// Vectored writes are not offered: one write is one buffer, and what is checked is what is written.
impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let Self { stream, progress } = self.get_mut();
        progress.write(buffer, |buffer| Pin::new(stream).poll_write(cx, buffer))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, progress } = self.get_mut();
        let flushed = Pin::new(stream).poll_flush(cx);
        progress.flushed();
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
