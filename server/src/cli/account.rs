//! `rtv admin accounts`: connecting profiles with their tokens.

use std::collections::HashMap;
use std::io::BufRead as _;

use clap::Subcommand;
use rtv_core::{Platform, Slug};
use rtv_domain::account;
use rtv_domain::{TenantContext, access};
use rtv_outbound::gate::Gate;
use rtv_outbound::halt_folder::HaltFolder;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use crate::cli::{Outcome, operate, say};
use crate::config::Settings;
use crate::networks::Platforms;

/// Connected profiles.
#[derive(Debug, Subcommand)]
pub enum Accounts {
    /// Connect profiles: a line of JSON each on standard input. The platform says whose each token is.
    #[command(
        after_help = "Example:\n  echo '{\"tenant\":\"acme\",\"platform\":\"sandbox\",\"token\":\"…\"}' | rtv admin accounts connect"
    )]
    Connect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    tenant: String,
    platform: Platform,
    token: SecretString,
}

/// Runs the command. A line of JSON is printed for each that was connected, in their order.
pub async fn run(command: Accounts, settings: &Settings) -> Outcome {
    let Accounts::Connect = command;
    let (_databases, ctx) = operate(settings).await?;
    // A gate that nobody opens: connecting has no effect on a platform.
    let gate = Gate::new(HaltFolder::open(settings.home.join("halt.d")).map_err(anyhow::Error::msg)?);
    let (vault, networks) = (settings.vault()?, Platforms(settings.adapters(gate)?));
    let mut tenants: HashMap<String, TenantContext> = HashMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        // What cannot be read is not shown: it may hold a token.
        let one: Line = serde_json::from_str(&line).map_err(|error| {
            anyhow::anyhow!("a line is not {{\"tenant\", \"platform\", \"token\"}} (column {})", error.column())
        })?;
        if !tenants.contains_key(&one.tenant) {
            let slug: Slug = one.tenant.parse().map_err(|_| rtv_core::Error::NotFound)?;
            let tenant = access::enter_as_operator(&ctx, &slug, "rtv admin accounts connect").await?;
            tenants.insert(one.tenant.clone(), tenant);
        }
        let Some(tenant) = tenants.get(&one.tenant) else { continue };
        let id = account::connect(tenant, &vault, &networks, one.platform, &one.token).await?;
        let known = account::connections(tenant).await?;
        let known = known.iter().find(|known| known.account == id);
        say(&json!({
            "account": id, "tenant": one.tenant, "platform": one.platform,
            "remote_id": known.map(|known| &known.remote_id), "name": known.map(|known| &known.name),
        })
        .to_string())?;
    }
    Ok(())
}
