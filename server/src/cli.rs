//! The command line. Each command makes an operator's context and calls the domain once; the exit status is 0 for done,
//! 1 for failed, 2 for wrong usage and 3 for refused.

pub mod account;
pub mod admin;
pub mod audit;
pub mod database;
pub mod delivery;
pub mod demo;
pub mod life_cycle;
pub mod limit;
pub mod maintenance;
pub mod migrate;
pub mod role;
pub mod sandbox;
pub mod switch;
pub mod why;

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use rtv_core::Error;
use rtv_domain::{Actor, Context, PoolSettings, RequestInfo};

use crate::config::{Databases, Settings, operator};
use crate::serve;

/// RTV: the operations command centre for agencies and brands that automate their social media.
#[derive(Debug, Parser)]
#[command(name = "rtv", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Settings of every command.
    #[command(flatten)]
    pub settings: Settings,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the pages, and work beside it.
    #[command(after_help = "Example:\n  rtv serve --addr 127.0.0.1:3000")]
    Serve {
        /// Serve only; a worker runs elsewhere.
        #[arg(long)]
        no_worker: bool,
    },
    /// Work without serving: as many as wanted, on as many machines as wanted.
    #[command(after_help = "Example:\n  rtv work")]
    Work,
    /// Keep the schema of the database.
    #[command(subcommand)]
    Db(database::Db),
    /// Keep tenants and people.
    #[command(subcommand)]
    Admin(admin::Admin),
    /// Halt, see what is halted, and resume.
    #[command(subcommand)]
    Switch(switch::Switch),
    /// Bring data in, and take it back.
    #[command(subcommand)]
    Migrate(migrate::Migrate),
    /// Say why a delivery has not gone out: every gate in order, with who set it.
    #[command(after_help = "Example:\n  rtv why dlv_0192f3c4a1b27d3e8f9a0b1c2d3e4f50 --json")]
    Why(why::Why),
    /// Load three organisations with 18 months of sample data, or remove that data again.
    ///
    /// Running it again on the same day changes nothing; on a later day the data moves up to that day.
    #[command(after_help = "Examples:\n  rtv demo\n  rtv demo --posts 100000\n  rtv demo --remove")]
    Demo(demo::Demo),
    /// Run the sandbox network: a platform for trials and tests, with its own ledger and faults that can be dialled.
    #[command(after_help = "Example:\n  rtv sandbox --addr 127.0.0.1:3070 --ledger sandbox.jsonl")]
    Sandbox(sandbox::Sandbox),
}

/// Why a command did not do what it was asked, by its exit status.
#[derive(Debug)]
pub enum Failure {
    /// Something failed: 1.
    Failed(anyhow::Error),
    /// The command was used wrongly: 2.
    Usage(String),
    /// It is not allowed, or a state stops it: 3.
    Refused(String),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        match error.downcast_ref::<Error>() {
            Some(Error::Invalid(_)) => Self::Usage(error.to_string()),
            Some(refused @ (Error::Forbidden(_) | Error::Limit { .. } | Error::PlanLimit(_) | Error::ReadOnly(_))) => {
                Self::Refused(refused.to_string())
            }
            Some(Error::Internal) => {
                Self::Failed(anyhow::anyhow!("something failed on our side; the line above in the log says what"))
            }
            Some(_) | None => Self::Failed(error),
        }
    }
}

/// Result of a command.
pub type Outcome = Result<(), Failure>;

/// Runs the command and says how it ended.
pub fn run(cli: Cli) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("rtv: no threads can be started: {error}");
            return ExitCode::from(1);
        }
    };
    let Cli { command, settings } = cli;
    let outcome = runtime.block_on(async {
        match command {
            Command::Serve { no_worker } => serve::serve(settings, !no_worker).await.map_err(Failure::from),
            Command::Work => serve::work(settings).await.map_err(Failure::from),
            Command::Db(command) => database::run(command, &settings).await,
            Command::Admin(command) => admin::run(command, &settings).await,
            Command::Switch(command) => switch::run(command, &settings).await,
            Command::Migrate(command) => migrate::run(command, &settings).await,
            Command::Why(command) => why::run(command, &settings).await,
            Command::Demo(command) => demo::run(command, &settings).await,
            Command::Sandbox(command) => sandbox::run(command).await,
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Failed(error)) => {
            eprintln!("rtv: {error:#}");
            ExitCode::from(1)
        }
        Err(Failure::Usage(message)) => {
            eprintln!("rtv: {message}\nSee the command with --help.");
            ExitCode::from(2)
        }
        Err(Failure::Refused(message)) => {
            eprintln!("rtv: {message}");
            ExitCode::from(3)
        }
    }
}

/// A context of the operator on an open database. The private cluster, if there is one, lives as long as the first
/// value.
async fn operate(settings: &Settings) -> anyhow::Result<(Databases, Context)> {
    settings.check()?;
    let databases = tokio::task::spawn_blocking({
        let settings = settings.clone();
        move || settings.databases()
    })
    .await??;
    let database = databases.open(PoolSettings { connections: 2, ..PoolSettings::default() }).await?;
    let actor = Actor::Operator(Arc::from(operator()));
    let request = RequestInfo { id: uuid::Uuid::now_v7().simple().to_string(), ..RequestInfo::default() };
    Ok((databases, Context::new(database, settings.clock(), request, actor)))
}

/// Prints a result. Who reads it may have seen enough and gone, as `head` does: that is no failure of ours.
fn say(text: &str) -> Outcome {
    use std::io::Write as _;
    let mut output = std::io::stdout().lock();
    match writeln!(output, "{text}").and_then(|()| output.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Columns with a heading, as wide as their widest cell.
fn print_table(headings: &[&str], rows: &[Vec<String>]) {
    let widths: Vec<usize> = (0..headings.len())
        .map(|column| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .chain([headings[column].chars().count()])
                .max()
                .unwrap_or(0)
        })
        .collect();
    let print = |cells: &[String]| {
        let line: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        println!("{}", line.join("  ").trim_end());
    };
    print(&headings.iter().map(|heading| (*heading).to_owned()).collect::<Vec<_>>());
    for row in rows {
        print(row);
    }
}
