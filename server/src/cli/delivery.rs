//! `rtv admin deliveries`: many approved deliveries at once, and what became of all of them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, Write as _};

use anyhow::Context as _;
use clap::Subcommand;
use rtv_core::Slug;
use rtv_domain::content::{self, Load, Loaded};
use rtv_domain::{access, delivery};
use serde_json::Value;

use crate::cli::{Failure, Outcome, operate};
use crate::config::{Environment, Settings};

/// Lines that are written in one transaction.
const BATCH: usize = 500;

/// Deliveries.
#[derive(Debug, Subcommand)]
pub enum Deliveries {
    /// Write, approve and schedule many at once: a line of JSON each on standard input. For trials and tests: refused with
    /// RTV_ENV=production, where people approve.
    #[command(
        after_help = "Example:\n  echo '{\"tenant\":\"acme\",\"account\":\"acc_…\",\"text\":\"Hello\",\"scheduled_at\":\"2026-11-25T09:00:00Z\"}' | rtv admin deliveries load"
    )]
    Load {
        /// Print JSON, which is what it prints anyway.
        #[arg(long)]
        json: bool,
    },
    /// Take out every delivery with its attempts and its history, a line of JSON each, for a check from outside.
    #[command(after_help = "Example:\n  rtv admin deliveries export --tenant acme > deliveries.jsonl")]
    Export {
        /// Slug of a tenant; all tenants if left out.
        #[arg(long)]
        tenant: Option<String>,
        /// Print JSON, which is what it prints anyway.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub async fn run(command: Deliveries, settings: &Settings) -> Outcome {
    match command {
        Deliveries::Load { json: _ } => load(settings).await,
        Deliveries::Export { tenant, json: _ } => export(settings, tenant.as_deref()).await,
    }
}

async fn load(settings: &Settings) -> Outcome {
    if settings.environment == Environment::Production {
        return Err(Failure::Refused(
            "with RTV_ENV=production people approve what goes out; write posts on the pages".into(),
        ));
    }
    let (_databases, ctx) = operate(settings).await?;
    let mut of_tenants: BTreeMap<String, Vec<(usize, Load)>> = BTreeMap::new();
    let mut count = 0;
    for (place, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let mut value: Value = serde_json::from_str(&line).with_context(|| format!("line {} is no JSON", place + 1))?;
        let tenant = value
            .as_object_mut()
            .and_then(|fields| fields.remove("tenant"))
            .and_then(|tenant| tenant.as_str().map(str::to_owned))
            .with_context(|| format!("line {} names no tenant", place + 1))?;
        let load: Load = serde_json::from_value(value)
            .with_context(|| format!("line {} is not {{account, text, link, scheduled_at, campaign}}", place + 1))?;
        of_tenants.entry(tenant).or_default().push((count, load));
        count += 1;
    }
    let mut all: Vec<Option<(String, Loaded)>> = (0..count).map(|_| None).collect();
    for (slug, loads) in of_tenants {
        let known: Slug = slug.parse().map_err(|_| rtv_core::Error::NotFound)?;
        let tenant = access::enter_as_operator(&ctx, &known, "rtv admin deliveries load").await?;
        for batch in loads.chunks(BATCH) {
            let loads: Vec<Load> = batch.iter().map(|(_, load)| load.clone()).collect();
            for ((place, _), loaded) in batch.iter().zip(content::load(&tenant, &loads).await?) {
                all[*place] = Some((slug.clone(), loaded));
            }
        }
    }
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    for (tenant, loaded) in all.into_iter().flatten() {
        let mut value = serde_json::to_value(&loaded)?;
        if let Some(fields) = value.as_object_mut() {
            fields.insert("tenant".into(), tenant.into());
        }
        writeln!(output, "{value}")?;
    }
    output.flush()?;
    Ok(())
}

async fn export(settings: &Settings, tenant: Option<&str>) -> Outcome {
    let (_databases, ctx) = operate(settings).await?;
    let slug = tenant.map(|slug| slug.parse::<Slug>().map_err(|_| rtv_core::Error::NotFound)).transpose()?;
    let mut output = std::io::BufWriter::new(std::io::stdout());
    let written = delivery::export::export(&ctx, slug.as_ref(), |line| writeln!(output, "{line}")).await;
    output.flush()?;
    written?;
    Ok(())
}
