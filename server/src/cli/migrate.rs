//! `rtv migrate`: files in, and imports taken back.

use std::fs::File;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use chrono_tz::Tz;
use clap::Subcommand;
use rtv_core::{AccountId, ImportId, Slug};
use rtv_domain::access;
use rtv_domain::import::{self, Counts, DuplicateRule, Options, Progress, Report};
use serde_json::json;

use crate::cli::{Failure, Outcome, operate};
use crate::config::Settings;

/// Bring data in, and take it back.
#[derive(Debug, Subcommand)]
pub enum Migrate {
    /// Import a file of posts, all or nothing. Importing it again changes nothing.
    #[command(after_help = "Example:\n  rtv migrate import posts.csv --tenant acme --zone Asia/Bangkok --dry-run")]
    Import {
        /// The file: CSV with comma, semicolon or tab.
        file: PathBuf,
        /// Slug of the tenant.
        #[arg(long)]
        tenant: String,
        /// Id of the account that all rows belong to, for files that name none.
        #[arg(long)]
        account: Option<AccountId>,
        /// Name of the mapping; the one that fits the header if left out.
        #[arg(long)]
        mapping: Option<String>,
        /// IANA time zone of times in the file that name none.
        #[arg(long)]
        zone: Option<String>,
        /// Which row counts when a post stands in the file twice with different content: first, last, or refuse the file.
        #[arg(long, default_value = "first")]
        duplicates: DuplicateRule,
        /// Count only, write nothing.
        #[arg(long)]
        dry_run: bool,
        /// Write the refused rows with their reasons to this file.
        #[arg(long)]
        refused: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take an import back: what it made goes, what it changed is as it was.
    #[command(after_help = "Example:\n  rtv migrate rollback imp_0192f3c4a1b27d3e8f9a0b1c2d3e4f50")]
    Rollback {
        /// Id of the import, as it was printed.
        import: ImportId,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub async fn run(command: Migrate, settings: &Settings) -> Outcome {
    match command {
        Migrate::Import { file, tenant, account, mapping, zone, duplicates, dry_run, refused, json } => {
            let slug = tenant.parse::<Slug>().map_err(|message| Failure::Usage(format!("tenant: {message}")))?;
            let zone = zone
                .map(|text| text.parse::<Tz>())
                .transpose()
                .map_err(|_| Failure::Usage("zone: use an IANA time zone like Europe/Berlin or Asia/Bangkok".into()))?;
            let (_databases, ctx) = operate(settings).await?;
            let tenant = access::enter_as_operator(&ctx, &slug, "rtv migrate import").await?;
            let file_name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let options = Options { file_name, mapping, zone, account, duplicates, is_dry_run: dry_run };
            let report = tokio::select! {
                report = import::run(&tenant, &file, options, progress()) => report?,
                _ = tokio::signal::ctrl_c() => return Err(Failure::Failed(anyhow::anyhow!("stopped; nothing of the file was stored"))),
            };
            if let Some(path) = refused {
                let rows = match report.id {
                    Some(id) => import::refusals(&tenant, id).await?,
                    None => report.refusals.clone(),
                };
                rtv_import::write_refusals(File::create(path)?, &rows)?;
            }
            if json {
                print_json(&report);
            } else {
                print(&slug, &report);
            }
            Ok(())
        }
        Migrate::Rollback { import, json } => {
            let (_databases, ctx) = operate(settings).await?;
            let slug = import::tenant_of(&ctx, import).await.map_err(|error| match error {
                rtv_core::Error::NotFound => {
                    Failure::Failed(anyhow::anyhow!("there is no import {import}; its id was printed when it ran"))
                }
                other => other.into(),
            })?;
            let tenant = access::enter_as_operator(&ctx, &slug, "rtv migrate rollback").await?;
            let outcome = import::roll_back(&tenant, import).await?;
            if json {
                println!(
                    "{}",
                    json!({ "id": import, "state": "rolled_back", "removed": outcome.removed, "restored": outcome.restored })
                );
            } else {
                println!(
                    "Rolled back {import} of {slug}: {} posts removed, {} restored.",
                    outcome.removed, outcome.restored
                );
            }
            Ok(())
        }
    }
}

/// A line that is written over, on a terminal; nothing where the output goes elsewhere.
fn progress() -> impl FnMut(Progress) + Send + 'static {
    let started = std::time::Instant::now();
    let is_terminal = std::io::stderr().is_terminal();
    move |progress| {
        if !is_terminal {
            return;
        }
        let seconds = started.elapsed().as_secs().max(1);
        let percent = progress.bytes.saturating_mul(100).checked_div(progress.of_bytes).unwrap_or(100).min(100);
        let left = (progress.of_bytes.saturating_sub(progress.bytes))
            .saturating_mul(seconds)
            .checked_div(progress.bytes)
            .unwrap_or(0);
        eprint!("\r{} rows, {percent}%, {} rows/s, about {left} s left   ", progress.rows, progress.rows / seconds);
        if percent == 100 {
            eprintln!();
        }
    }
}

fn print_json(report: &Report) {
    let counts: Counts = report.counts;
    println!(
        "{}",
        json!({
            "id": report.id, "state": if report.id.is_some() { "done" } else { "dry_run" }, "counts": counts,
            "accounts": report.accounts, "new_accounts": report.new_accounts, "mapping": report.mapping, "notes": report.notes,
            "contradictions": { "count": report.contradictions, "examples": report.contradiction_examples },
            "refusals": report.refusals.iter().map(|one| json!({ "row": one.row_number, "column": one.column, "reason": one.reason })).collect::<Vec<_>>(),
        })
    );
}

fn print(slug: &Slug, report: &Report) {
    let Counts { read, new, changed, unchanged, duplicate, refused } = report.counts;
    match report.id {
        Some(id) => println!("Imported into {slug} with the mapping {} ({id}).", report.mapping),
        None => println!("Dry run for {slug} with the mapping {}: nothing was written.", report.mapping),
    }
    println!(
        "  {read} rows read: {new} new, {changed} changed, {unchanged} unchanged, {duplicate} duplicates, {refused} refused"
    );
    println!("  {} accounts, of which {} new", report.accounts, report.new_accounts);
    if report.contradictions > 0 {
        println!(
            "  {} posts stand in the file more than once with different content, for example:",
            report.contradictions
        );
        for example in &report.contradiction_examples {
            println!("    {example}");
        }
    }
    for note in &report.notes {
        println!("  note: {note}");
    }
    for one in &report.refusals {
        let column = one.column.as_deref().map(|column| format!(", column “{column}”")).unwrap_or_default();
        println!("  refused: row {}{column}: {}", one.row_number, one.reason);
    }
    if refused > i64::try_from(report.refusals.len()).unwrap_or(i64::MAX) {
        println!(
            "  … and {} more; --refused FILE writes all of them",
            refused - i64::try_from(report.refusals.len()).unwrap_or(0)
        );
    }
    if let Some(id) = report.id {
        println!("To take it back: rtv migrate rollback {id}");
    }
}
