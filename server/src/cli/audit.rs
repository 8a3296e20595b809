//! `rtv admin audit`: check the audit log, take it out, and print the key that checking needs.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use rtv_core::Slug;
use rtv_domain::audit::explorer::Filter;
use rtv_domain::audit::verify::{self, Checkpoint, Report};
use rtv_domain::audit::{Log, PublicKey, export, offline};
use rtv_domain::{Context, access};
use serde_json::json;

use crate::audit_key;
use crate::cli::{Failure, Outcome, operate, say};
use crate::config::Settings;

/// Check the audit log and take it out.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Check that nothing in a log was changed, moved or taken away. Exit status 1 if something was.
    #[command(
        after_help = "Examples:\n  rtv admin audit verify --tenant acme\n  rtv admin audit verify --operator --json\n  rtv admin audit verify --file acme.jsonl --public-key d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    )]
    Verify {
        /// Whose log.
        #[command(flatten)]
        whose: Whose,
        /// An exported file; neither a database nor settings are needed.
        #[arg(long, conflicts_with_all = ["tenant", "operator"], required_unless_present_any = ["tenant", "operator"])]
        file: Option<PathBuf>,
        /// A public key that may have signed; give it again for each. Left out: that of this installation.
        #[arg(long)]
        public_key: Vec<PublicKey>,
        /// An event and its chain hash that are known from elsewhere, like 1234:9f86d0…: finds a log that was cut off.
        #[arg(long)]
        expect: Option<Checkpoint>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take a log out: all that is sealed as JSON lines, or events as CSV. The log says that it was taken out.
    #[command(
        after_help = "Examples:\n  rtv admin audit export --tenant acme --output acme.jsonl\n  rtv admin audit export --tenant acme --format csv --from 2026-01-01 --action sign_in > sign-ins.csv"
    )]
    Export {
        /// Whose log.
        #[command(flatten)]
        whose: Whose,
        /// jsonl can be checked with verify --file; csv is for spreadsheets.
        #[arg(long, value_enum, default_value = "jsonl")]
        format: Format,
        /// Where to; standard output if left out. A file that is there is not overwritten.
        #[arg(long)]
        output: Option<PathBuf>,
        /// First day; for CSV.
        #[arg(long)]
        from: Option<String>,
        /// Last day; for CSV.
        #[arg(long)]
        to: Option<String>,
        /// Who acted; for CSV.
        #[arg(long)]
        actor: Option<String>,
        /// What was done; for CSV.
        #[arg(long)]
        action: Option<String>,
        /// What it was done to; for CSV.
        #[arg(long)]
        resource: Option<String>,
        /// success, denied or error; for CSV.
        #[arg(long)]
        result: Option<String>,
        /// The client's address; for CSV.
        #[arg(long)]
        address: Option<String>,
        /// Print what was written as JSON; needs --output.
        #[arg(long, requires = "output")]
        json: bool,
    },
    /// Print the public key, with which anybody can check an exported log.
    #[command(after_help = "Example:\n  rtv admin audit key")]
    Key {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Whose log.
#[derive(Debug, Args)]
pub struct Whose {
    /// Slug of the tenant.
    #[arg(long, conflicts_with = "operator")]
    tenant: Option<String>,
    /// The operator's own log: what belongs to no tenant.
    #[arg(long)]
    operator: bool,
}

/// Form of an exported log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One JSON object a line, with hashes and signatures.
    Jsonl,
    /// A table.
    Csv,
}

/// Runs the command.
pub async fn run(command: Audit, settings: &Settings) -> Outcome {
    match command {
        Audit::Verify { file: Some(file), public_key, expect, json, .. } => {
            let keys = keys(public_key, settings)?;
            let input = File::open(&file).with_context(|| format!("{} cannot be read", file.display()))?;
            let report = offline::verify_file(BufReader::with_capacity(1 << 20, input), &keys, expect)
                .with_context(|| format!("{} cannot be read", file.display()))?;
            tell(&report, json)
        }
        Audit::Verify { whose, file: None, public_key, expect, json } => {
            let keys = keys(public_key, settings)?;
            let (_databases, ctx) = operate(settings).await?;
            let log = open(&ctx, whose, "rtv admin audit verify").await?;
            tell(&verify::verify(&log, &keys, expect).await?, json)
        }
        Audit::Export { whose, format, output, from, to, actor, action, resource, result, address, json } => {
            let typed = [
                ("from", from),
                ("to", to),
                ("actor", actor),
                ("action", action),
                ("resource", resource),
                ("result", result),
                ("address", address),
            ];
            let pairs: Vec<(String, String)> =
                typed.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
            if format == Format::Jsonl && !pairs.is_empty() {
                return Err(Failure::Usage(
                    "a log that can be checked is whole: leave the filters out, or take --format csv".into(),
                ));
            }
            let filter = Filter::parse(&pairs)?;
            take_out(whose, format, output, &filter, json, settings).await
        }
        Audit::Key { json } => {
            let key = audit_key::load(&settings.audit_key_file())?.public();
            if json {
                say(&json!({ "public_key": key.to_string(), "key_id": key.id() }).to_string())
            } else {
                say(&key.to_string())
            }
        }
    }
}

/// The keys that were given, or this installation's.
fn keys(given: Vec<PublicKey>, settings: &Settings) -> anyhow::Result<Vec<PublicKey>> {
    if !given.is_empty() {
        return Ok(given);
    }
    let own = audit_key::load(&settings.audit_key_file())
        .context("to check signatures, give the public key with --public-key")?;
    Ok(vec![own.public()])
}

async fn open(ctx: &Context, whose: Whose, reason: &str) -> Result<Log, Failure> {
    match whose.tenant {
        Some(slug) => {
            let slug = slug.parse::<Slug>().map_err(|message| Failure::Usage(format!("tenant: {message}")))?;
            Ok(Log::Tenant(access::enter_as_operator(ctx, &slug, reason).await?))
        }
        None if whose.operator => Ok(Log::Operator(ctx.clone())),
        None => Err(Failure::Usage("say whose log: --tenant SLUG, or --operator".into())),
    }
}

fn tell(report: &Report, json: bool) -> Outcome {
    if json {
        say(&verify::as_json(report).to_string())?;
    } else {
        say(&described(report))?;
    }
    match report.found {
        0 => Ok(()),
        1 => Err(Failure::Failed(anyhow::anyhow!("the log is not as it was sealed: 1 fault"))),
        found => Err(Failure::Failed(anyhow::anyhow!("the log is not as it was sealed: {found} faults"))),
    }
}

fn described(report: &Report) -> String {
    let mut lines = vec![format!(
        "Checked {} events up to number {}, and {} signed heads.",
        report.events, report.last_seq, report.heads
    )];
    if report.dropped > 0 {
        lines.push(format!("Of {} events the details were dropped by retention; their hashes hold.", report.dropped));
    }
    match report.signed_at {
        Some(at) => lines.push(format!("Signed up to number {}, on {at}.", report.signed_seq)),
        None => lines.push("Nothing is signed yet.".into()),
    }
    if report.unsealed > 0 {
        lines.push(format!("{} events wait to be sealed.", report.unsealed));
    }
    if let Some(hash) = report.last_hash {
        lines.push(format!("Checkpoint to keep elsewhere: {}:{hash}", report.last_seq));
    }
    lines.extend(report.findings.iter().map(ToString::to_string));
    if report.found > report.findings.len() as u64 {
        lines.push(format!("… and {} more.", report.found - report.findings.len() as u64));
    }
    if report.is_sound() {
        lines.push("Nothing was changed, moved or taken away.".into());
    }
    lines.join("\n")
}

async fn take_out(
    whose: Whose,
    format: Format,
    output: Option<PathBuf>,
    filter: &Filter,
    json: bool,
    settings: &Settings,
) -> Outcome {
    let (_databases, ctx) = operate(settings).await?;
    let key = audit_key::load(&settings.audit_key_file())?;
    let log = open(&ctx, whose, "rtv admin audit export").await?;
    let mut file: Box<dyn Write + Send> = match &output {
        Some(path) => Box::new(BufWriter::new(
            File::create_new(path).with_context(|| format!("{} cannot be made", path.display()))?,
        )),
        None => Box::new(std::io::stdout()),
    };
    let mut bytes = 0;
    let mut events = None;
    let mut chain_hash = None;
    let written: anyhow::Result<()> = async {
        match format {
            Format::Jsonl => {
                let mut export = export::json_lines(&log, &key).await?;
                events = Some(export.events());
                chain_hash = Some(export.chain_hash());
                while let Some(piece) = export.next().await? {
                    bytes += piece.len();
                    file.write_all(&piece)?;
                }
            }
            Format::Csv => {
                let mut export = export::csv(&log, filter).await?;
                while let Some(piece) = export.next().await? {
                    bytes += piece.len();
                    file.write_all(&piece)?;
                }
            }
        }
        Ok(file.flush()?)
    }
    .await;
    match written {
        // Who reads may have seen enough and gone, as `head` does.
        Err(error) if output.is_none() && is_broken_pipe(&error) => return Ok(()),
        written => written?,
    }
    let Some(path) = output else { return Ok(()) };
    if json {
        say(&json!({ "file": path, "bytes": bytes, "events": events, "chain_hash": chain_hash }).to_string())
    } else {
        say(&format!("Wrote {} ({bytes} bytes).", path.display()))
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
