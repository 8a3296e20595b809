//! `rtv db`: the schema. The only commands that connect as the owner.

use clap::Subcommand;
use serde_json::json;

use crate::cli::{Outcome, print_table};
use crate::config::Settings;

/// Keep the schema of the database.
#[derive(Debug, Subcommand)]
pub enum Db {
    /// Apply the migrations that are missing.
    #[command(after_help = "Example:\n  rtv db up")]
    Up {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the migrations and whether they are applied.
    #[command(after_help = "Example:\n  rtv db status --json")]
    Status {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub async fn run(command: Db, settings: &Settings) -> Outcome {
    settings.check()?;
    let databases = tokio::task::spawn_blocking({
        let settings = settings.clone();
        move || settings.databases()
    })
    .await??;
    match command {
        Db::Up { json } => {
            let applied = rtv_domain::schema::up(&databases.owner_url).await?;
            if json {
                println!("{}", json!({ "applied": applied }));
            } else if applied.is_empty() {
                println!("The schema is up to date.");
            } else {
                for version in &applied {
                    println!("applied {version}");
                }
            }
        }
        Db::Status { json } => {
            let migrations = rtv_domain::schema::status(&databases.owner_url).await?;
            if json {
                let list: Vec<_> = migrations
                    .iter()
                    .map(|one| json!({ "version": one.version, "description": one.description, "applied": one.is_applied, "known": one.is_known }))
                    .collect();
                println!("{}", json!(list));
            } else {
                let rows: Vec<Vec<String>> = migrations
                    .iter()
                    .map(|one| {
                        vec![
                            one.version.to_string(),
                            if one.is_applied { "applied" } else { "missing" }.into(),
                            one.description.clone(),
                        ]
                    })
                    .collect();
                print_table(&["version", "state", "description"], &rows);
            }
        }
    }
    Ok(())
}
