//! `rtv migrate`: files in, and imports taken back.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use chrono_tz::Tz;
use clap::{Args, Subcommand};
use rtv_core::{AccountId, ImportId, Slug};
use rtv_domain::access;
use rtv_domain::import::{self, Counts, Draft, DuplicateRule, Options, Report, Snapshot, Step};
use serde_json::json;

use crate::cli::{Failure, Outcome, operate, say};
use crate::config::Settings;
use crate::http::api::import::ImportObject;

/// Bring data in, and take it back.
#[derive(Debug, Subcommand)]
pub enum Migrate {
    /// Import a file of posts, all or nothing. Importing it again changes nothing.
    #[command(after_help = "Example:\n  rtv migrate import posts.csv --tenant acme --zone Asia/Bangkok --dry-run")]
    Import {
        /// The file and how to read it.
        #[command(flatten)]
        source: Source,
        /// Count only, write nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Check a file as an import would: count what is new, changed, duplicate and refused, and write nothing.
    #[command(after_help = "Example:\n  rtv migrate validate posts.csv --tenant acme --refused refused.csv")]
    Validate {
        /// The file and how to read it.
        #[command(flatten)]
        source: Source,
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

/// A file and how to read it.
#[derive(Debug, Args)]
pub struct Source {
    /// The file: CSV with comma, semicolon or tab.
    file: PathBuf,
    /// Slug of the tenant.
    #[arg(long)]
    tenant: String,
    /// Id of the account that all rows belong to, for files that name none.
    #[arg(long)]
    account: Option<AccountId>,
    /// Name of a built-in or saved mapping, or a file with one as JSON; the one that fits the header if left out.
    #[arg(long)]
    mapping: Option<String>,
    /// IANA time zone of times in the file that name none.
    #[arg(long)]
    zone: Option<String>,
    /// Which row counts when a post stands in the file twice with different content: first, last, or refuse the file.
    #[arg(long, default_value = "first")]
    duplicates: DuplicateRule,
    /// Write the refused rows with their reasons to this file.
    #[arg(long)]
    refused: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(command: Migrate, settings: &Settings) -> Outcome {
    match command {
        Migrate::Import { source, dry_run } => take_in(source, dry_run, "rtv migrate import", settings).await,
        Migrate::Validate { source } => take_in(source, true, "rtv migrate validate", settings).await,
        Migrate::Rollback { import, json } => roll_back(import, json, settings).await,
    }
}

async fn take_in(source: Source, is_dry_run: bool, command: &str, settings: &Settings) -> Outcome {
    let slug = source.tenant.parse::<Slug>().map_err(|message| Failure::Usage(format!("tenant: {message}")))?;
    let zone = source
        .zone
        .map(|text| text.parse::<Tz>())
        .transpose()
        .map_err(|_| Failure::Usage("zone: use an IANA time zone like Europe/Berlin or Asia/Bangkok".into()))?;
    let (mapping, draft) = match source.mapping {
        Some(given) => match read_draft(&given)? {
            Some(draft) => (None, Some(draft)),
            None => (Some(given), None),
        },
        None => (None, None),
    };
    let (_databases, ctx) = operate(settings).await?;
    let tenant = access::enter_as_operator(&ctx, &slug, command).await?;
    let file_name = source.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let options = Options {
        file_name: file_name.clone(),
        mapping,
        draft,
        zone,
        account: source.account,
        duplicates: source.duplicates,
        refused_to: source.refused.clone(),
        is_dry_run,
    };
    let report = tokio::select! {
        report = import::run(&tenant, &source.file, options, progress()) => report?,
        _ = tokio::signal::ctrl_c() => return Err(Failure::Failed(anyhow::anyhow!("stopped; nothing of the file was stored"))),
    };
    say(&if source.json { as_json(report, &file_name)? } else { as_text(&slug, &report, source.refused.as_deref()) })
}

/// A mapping as a file: only what is called so, because a name of a saved mapping may look like anything.
fn read_draft(given: &str) -> Result<Option<Draft>, Failure> {
    let path = Path::new(given);
    if path.extension().is_none_or(|extension| extension != "json") || !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::Usage(format!("mapping: “{given}” cannot be read: {error}")))?;
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| Failure::Usage(format!("mapping: “{given}” is not a mapping as RTV writes it: {error}")))
}

async fn roll_back(import: ImportId, json: bool, settings: &Settings) -> Outcome {
    let (_databases, ctx) = operate(settings).await?;
    let slug = import::tenant_of(&ctx, import).await.map_err(|error| match error {
        rtv_core::Error::NotFound => {
            Failure::Failed(anyhow::anyhow!("there is no import {import}; its id was printed when it ran"))
        }
        other => other.into(),
    })?;
    let tenant = access::enter_as_operator(&ctx, &slug, "rtv migrate rollback").await?;
    let outcome = import::roll_back(&tenant, import).await?;
    say(&if json {
        json!({ "id": import, "state": "rolled_back", "removed": outcome.removed, "restored": outcome.restored })
            .to_string()
    } else {
        format!("Rolled back {import} of {slug}: {} posts removed, {} restored.", outcome.removed, outcome.restored)
    })
}

/// A line that is written over, on a terminal; nothing where the output goes elsewhere.
fn progress() -> impl FnMut(Snapshot) + Send + 'static {
    let is_terminal = std::io::stderr().is_terminal();
    let mut step = Step::Waiting;
    let mut began = Instant::now();
    move |at: Snapshot| {
        if !is_terminal {
            return;
        }
        if at.step != step {
            if step != Step::Waiting {
                eprintln!();
            }
            step = at.step;
            began = Instant::now();
        }
        eprint!("\r{}   ", line(&at, began.elapsed().as_secs_f64()));
    }
}

/// How far a step is, after so many seconds of it.
fn line(at: &Snapshot, seconds: f64) -> String {
    let mut line = at.step.label().to_owned();
    if at.step != Step::RollingUp && at.rows > 0 {
        let _ = write!(line, ": {} rows", at.rows);
        if seconds >= 0.5 {
            #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
            let rate = at.rows as f64 / seconds;
            let _ = write!(line, ", {rate:.0} rows/s");
        }
    }
    if let Some(fraction) = at.fraction() {
        let _ = write!(line, ", {:.0} %", fraction * 100.0);
        if seconds >= 0.5 && fraction > 0.0 && fraction < 1.0 {
            let _ = write!(line, ", about {:.0} s left", (seconds * (1.0 - fraction) / fraction).ceil());
        }
    }
    line
}

/// The object that the API gives for an import.
fn as_json(report: Report, file_name: &str) -> Result<String, Failure> {
    serde_json::to_string(&ImportObject::of_report(report, file_name))
        .map_err(|error| Failure::Failed(anyhow::anyhow!("the report cannot be written: {error}")))
}

fn as_text(slug: &Slug, report: &Report, refused_to: Option<&Path>) -> String {
    let Counts { read, new, changed, unchanged, duplicate, refused } = report.counts;
    let found = &report.findings;
    let mut lines = vec![match report.id {
        Some(id) => format!("Imported into {slug} with the mapping {} ({id}).", report.mapping),
        None => format!("Dry run for {slug} with the mapping {}: nothing was written.", report.mapping),
    }];
    lines.push(format!(
        "  {read} rows read: {new} new, {changed} changed, {unchanged} unchanged, {duplicate} duplicates, {refused} refused"
    ));
    lines.push(format!("  {} accounts, of which {} new", found.accounts, found.new_accounts));
    if found.contradictions > 0 {
        lines.push(format!(
            "  {} posts stand in the file more than once with different content, for example:",
            found.contradictions
        ));
        lines.extend(found.contradiction_examples.iter().map(|example| format!("    {}", example.sentence())));
    }
    lines.extend(found.notes.iter().map(|note| format!("  note: {note}")));
    lines.extend(found.over_limit.iter().map(|text| format!("  as things stand, the import would be refused: {text}")));
    for one in &report.refusals {
        let column = one.column.as_deref().map(|column| format!(", column “{column}”")).unwrap_or_default();
        lines.push(format!("  refused: row {}{column}: {}", one.row_number, one.reason));
    }
    let more = refused - i64::try_from(report.refusals.len()).unwrap_or(0);
    match refused_to {
        Some(path) if refused > 0 => lines.push(format!("  all refused rows are in {}", path.display())),
        _ if more > 0 => lines.push(format!("  … and {more} more; --refused FILE writes all of them")),
        _ => {}
    }
    if let Some(id) = report.id {
        lines.push(format!("To take it back: rtv migrate rollback {id}"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_the_rate_and_the_time_left() {
        let reading = Snapshot { step: Step::Reading, rows: 1_000, of_rows: None, bytes: 25, of_bytes: 100 };
        assert_eq!(line(&reading, 10.0), "Reading the file: 1000 rows, 100 rows/s, 25 %, about 30 s left");
        assert_eq!(line(&reading, 0.1), "Reading the file: 1000 rows, 25 %");
        assert_eq!(
            line(&Snapshot { step: Step::Judging, ..reading }, 9.0),
            "Comparing with what is stored: 1000 rows, 111 rows/s"
        );
    }
}
