//! `rtv`: one binary that serves, works, migrates and administrates. This file only starts what the command line names.
#![cfg_attr(test, allow(clippy::unwrap_used))]

use std::process::ExitCode;

use clap::Parser;
use rtv_server::cli::{self, Cli};

fn main() -> ExitCode {
    let cli = Cli::parse();
    rtv_server::config::start_logging(&cli.settings);
    cli::run(cli)
}
