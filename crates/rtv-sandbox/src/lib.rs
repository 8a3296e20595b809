//! The sandbox network: a small social network in a process of its own, for trials and tests. It has accounts, posts, rate
//! limits, and faults that can be dialled, and it writes a ledger of every request that it received. It imports nothing of
//! RTV and knows none of its tables, so its ledger is a witness of what RTV really sent.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
mod api;
mod arrival;
mod clock;
mod dials;
mod ledger;
mod network;
mod page;

use core::net::SocketAddr;
use core::time::Duration;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use dials::{Dials, Kind, Rate};

use crate::api::Shared;
use crate::arrival::{Arrivals, Connection};
use crate::ledger::Ledger;
use crate::network::Network;

/// How long requests that are under way may take when it is stopped.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

/// How a sandbox network is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub addr: SocketAddr,
    /// Its ledger. What it must know to go on after a restart lies beside it, in a file with `.state` appended.
    pub ledger: PathBuf,
    /// Faults and limits; `None`: as they were before the restart, or none.
    pub dials: Option<Dials>,
}

/// A sandbox network that runs.
#[derive(Debug)]
pub struct Sandbox {
    addr: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Sandbox {
    /// Starts one, with all that its files hold.
    pub async fn start(options: Options) -> Result<Self, String> {
        let Options { addr, ledger: path, dials } = options;
        let listener =
            TcpListener::bind(addr).await.map_err(|error| format!("{addr} cannot be listened on: {error}"))?;
        let addr = listener.local_addr().map_err(|error| error.to_string())?;
        let opened =
            tokio::task::spawn_blocking(move || Ledger::open(&path)).await.map_err(|error| error.to_string())?;
        let (ledger, kept) = opened?;
        let mut network = Network::new(kept)?;
        if let Some(dials) = dials {
            let entry = network.set_dials(dials)?;
            ledger.keep(entry).await?;
        }
        let shared = Shared { network: Arc::new(Mutex::new(network)), ledger: ledger.clone() };
        let (stop, mut stopped) = watch::channel(false);
        let router = api::router(shared).into_make_service_with_connect_info::<Connection>();
        let serving = tokio::spawn(async move {
            let end = async move { _ = stopped.wait_for(|is_stopped| *is_stopped).await };
            axum::serve(Arrivals::new(listener, ledger), router).with_graceful_shutdown(end).await
        });
        Ok(Self { addr, stop, serving })
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Waits until it ends by itself, which it does only when it fails.
    pub async fn ended(&mut self) -> Result<(), String> {
        match (&mut self.serving).await {
            Ok(served) => served.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Answers what was asked already and stops. Whoever has sent half a request is not waited for.
    pub async fn stop(mut self) -> Result<(), String> {
        self.stop.send_replace(true);
        match tokio::time::timeout(LAST_REQUESTS, self.ended()).await {
            Ok(ended) => ended,
            Err(_) => {
                self.serving.abort();
                Ok(())
            }
        }
    }
}
