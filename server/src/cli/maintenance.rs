//! `rtv admin maintenance`: while it is on, everything can be read and nothing changes, on every instance.

use clap::Subcommand;
use rtv_domain::maintenance::{self, Maintenance as Announced};
use serde_json::{Value, json};

use crate::cli::{Outcome, operate};
use crate::config::Settings;

/// Maintenance.
#[derive(Debug, Subcommand)]
pub enum Maintenance {
    /// Switch it on, or announce something else while it is on. Every page says why.
    #[command(
        after_help = "Examples:\n  rtv admin maintenance on --reason 'New disks; we expect ten minutes'\n  rtv admin maintenance on --reason 'New disks' --until '2026-11-22 06:00'"
    )]
    On {
        /// Why, in words that everybody reads.
        #[arg(long)]
        reason: String,
        /// When it is expected to be over, in UTC. Announced and no more: nothing ends by itself.
        #[arg(long)]
        until: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Switch it off.
    #[command(after_help = "Example:\n  rtv admin maintenance off")]
    Off {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say whether it is on.
    #[command(after_help = "Example:\n  rtv admin maintenance status --json")]
    Status {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub async fn run(command: Maintenance, settings: &Settings) -> Outcome {
    let (_databases, ctx) = operate(settings).await?;
    match command {
        Maintenance::On { reason, until, json } => {
            let on = maintenance::switch_on(&ctx, &reason, until.as_deref()).await?;
            say(Some(&on), json);
        }
        Maintenance::Off { json } => {
            let was_on = maintenance::switch_off(&ctx).await?;
            if json {
                println!("{}", json!({ "on": false, "changed": was_on }));
            } else {
                println!("Maintenance is off{}.", if was_on { "" } else { " already" });
            }
        }
        Maintenance::Status { json } => say(maintenance::current(&ctx).await?.as_ref(), json),
    }
    Ok(())
}

fn say(on: Option<&Announced>, json: bool) {
    if json {
        println!("{}", describe(on));
        return;
    }
    match on {
        Some(on) => {
            let until = on.expected_until.map(|at| format!(", expected until {}", at.format("%Y-%m-%d %H:%M UTC")));
            println!("Maintenance is on: {}", on.reason);
            println!("  since {} by {}{}", on.since.format("%Y-%m-%d %H:%M UTC"), on.by, until.unwrap_or_default());
        }
        None => println!("Maintenance is off."),
    }
}

fn describe(on: Option<&Announced>) -> Value {
    match on {
        Some(on) => json!({
            "on": true, "reason": on.reason, "expected_until": on.expected_until, "since": on.since, "by": on.by,
        }),
        None => json!({ "on": false }),
    }
}
