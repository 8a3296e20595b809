//! Connections, watched: when the first byte of each request arrived, that a request came only in part, and where an
//! answer is to break off. That is known to the connection alone, so it stands below the HTTP server.

use core::net::SocketAddr;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use chrono::{DateTime, Utc};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use crate::clock;
use crate::ledger::{Ledger, Line};

/// Accepts connections that are watched.
pub(crate) struct Arrivals {
    listener: TcpListener,
    ledger: Ledger,
}

impl Arrivals {
    pub(crate) const fn new(listener: TcpListener, ledger: Ledger) -> Self {
        Self { listener, ledger }
    }
}

impl Listener for Arrivals {
    type Io = Watched;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Watched, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, from)) => {
                    // Without it an answer of two parts would wait for an acknowledgement.
                    _ = stream.set_nodelay(true);
                    let connection = Connection { state: Arc::default(), ledger: self.ledger.clone() };
                    return (Watched { stream, connection }, from);
                }
                // Out of files, or the client went away: neither is a reason to stop.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Arrivals>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Arrivals>) -> Self {
        stream.io().connection.clone()
    }
}

/// What is known of a connection; shared by the connection itself and whoever answers on it.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    state: Arc<Mutex<State>>,
    ledger: Ledger,
}

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    cut: Option<Cut>,
}

#[derive(Debug, Default, Clone, Copy)]
enum Phase {
    /// Nothing of a request has come.
    #[default]
    Idle,
    /// A request has begun to come, and nobody has a line for it.
    Receiving(DateTime<Utc>),
    /// It has its line, or needs none.
    Recorded,
}

/// Where the answer breaks off.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cut {
    /// Before its first byte.
    AtOnce,
    /// In its body.
    MidBody,
}

impl Connection {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the first byte of the request arrived.
    pub(crate) fn first_byte_at(&self) -> DateTime<Utc> {
        match self.state().phase {
            Phase::Receiving(at) => at,
            Phase::Idle | Phase::Recorded => clock::now(),
        }
    }

    /// The request has its line in the ledger, or is of a kind that has none.
    pub(crate) fn recorded(&self) {
        self.state().phase = Phase::Recorded;
    }

    /// The answer shall break off.
    pub(crate) fn cut(&self, cut: Cut) {
        self.state().cut = Some(cut);
    }

    fn read(&self) {
        let mut state = self.state();
        if matches!(state.phase, Phase::Idle) {
            state.phase = Phase::Receiving(clock::now());
        }
    }

    /// Nothing more comes of the request, or it is being answered.
    fn ended(&self) {
        let phase = core::mem::take(&mut self.state().phase);
        if let Phase::Receiving(first_byte_at) = phase {
            // Nobody waits for this line to be on the disk: whoever sent the part has gone.
            _ = self.ledger.record(&Line::new("partial", first_byte_at), &[]);
        }
    }
}

/// A connection that is watched.
pub(crate) struct Watched {
    stream: TcpStream,
    connection: Connection,
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.connection.read();
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.connection.ended();
        let cut = self.connection.state().cut;
        let part = match cut {
            None => buffer,
            Some(Cut::AtOnce) => &[],
            Some(Cut::MidBody) => {
                let head = buffer.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
                &buffer[..head + (buffer.len() - head) / 2]
            }
        };
        if part.is_empty() && !buffer.is_empty() {
            // Closing says “reset” instead of “that was all”.
            _ = self.stream.set_zero_linger();
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, part);
        if cut.is_some() && matches!(written, Poll::Ready(Ok(_))) {
            self.connection.cut(Cut::AtOnce);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.connection.ended();
    }
}
