//! `rtv sandbox`: the sandbox network, a platform for trials and tests. It needs no database and shares none; what it knows
//! lies in its own ledger.

use core::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use clap::Args;
use rtv_sandbox::{Dials, Options};

use crate::cli::{Failure, Outcome, say};
use crate::serve::stop_signal;

/// The sandbox network.
#[derive(Debug, Args)]
pub struct Sandbox {
    /// Where it listens; port 0 takes a free one. RTV looks for it at RTV_SANDBOX_URL.
    // Takes the place of the setting of the same name, whose default is the server's address; RTV_ADDR counts here too.
    #[arg(long, default_value = "127.0.0.1:3070")]
    addr: SocketAddr,
    /// Its ledger: one line of JSON for each request that it received. Beside it lies what it must know to go on, in a
    /// file of the same name with `.state` behind.
    #[arg(long, value_name = "FILE")]
    ledger: PathBuf,
    /// Faults and limits: a file with what `PUT /faults` takes. Unset: as they were before, at first none.
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
}

/// Runs the command, until it is told to stop.
pub async fn run(command: Sandbox) -> Outcome {
    let dials = command.faults.map(read_dials).transpose()?;
    let options = Options { addr: command.addr, ledger: command.ledger, dials };
    let signal = stop_signal();
    let mut sandbox = rtv_sandbox::Sandbox::start(options).await.map_err(|why| anyhow!(why))?;
    say(&format!("The sandbox network answers on http://{} (Ctrl-C stops it)", sandbox.addr()))?;
    tokio::select! {
        ended = sandbox.ended() => return ended.map_err(|why| anyhow!("the sandbox network failed: {why}").into()),
        () = signal => {}
    }
    Ok(sandbox.stop().await.map_err(|why| anyhow!(why))?)
}

fn read_dials(path: PathBuf) -> Result<Dials, Failure> {
    let text = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let usage = |why: String| Failure::Usage(format!("{} cannot be used: {why}", path.display()));
    let dials: Dials = serde_json::from_str(&text).map_err(|error| usage(error.to_string()))?;
    dials.check().map_err(usage)?;
    Ok(dials)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use crate::cli::{Cli, Command};

    #[test]
    fn it_has_an_address_of_its_own() {
        Cli::command().debug_assert();
        let addr = |arguments: &[&str]| {
            let arguments = ["rtv", "sandbox", "--ledger", "l"].iter().chain(arguments);
            match Cli::try_parse_from(arguments).unwrap().command {
                Command::Sandbox(sandbox) => sandbox.addr.to_string(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(addr(&[]), "127.0.0.1:3070");
        assert_eq!(addr(&["--addr", "127.0.0.1:0"]), "127.0.0.1:0");
        assert!(Cli::try_parse_from(["rtv", "sandbox"]).is_err(), "a ledger is needed");
    }
}
