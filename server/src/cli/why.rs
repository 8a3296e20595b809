//! `rtv why`: every gate that a delivery passes, in order, with what it says and who set it.

use clap::Args;
use rtv_core::DeliveryId;
use rtv_domain::access;
use rtv_domain::delivery::why;

use crate::cli::{Failure, Outcome, operate, print_table, say};
use crate::config::Settings;
use crate::http::api::delivery::WhyObject;

/// A delivery.
#[derive(Debug, Args)]
pub struct Why {
    /// Id of the delivery.
    delivery: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(command: Why, settings: &Settings) -> Outcome {
    let id: DeliveryId = command.delivery.parse().map_err(|error| Failure::Usage(format!("{error}")))?;
    let (_databases, ctx) = operate(settings).await?;
    let slug = why::tenant_of(&ctx, id).await?;
    let tenant = access::enter_as_operator(&ctx, &slug, "rtv why").await?;
    let why = why::why(&tenant, id).await?;
    if command.json {
        return say(&serde_json::to_string_pretty(&WhyObject::from(why))?);
    }
    println!("{} is {}. {}", why.delivery, why.state.label().to_lowercase(), why.summary);
    let rows: Vec<Vec<String>> = why
        .gates
        .iter()
        .map(|gate| {
            let mark = if why.deciding == Some(gate.key) { "→ " } else { "  " };
            let set = match (&gate.set_by, gate.set_at) {
                (Some(by), Some(at)) => format!("{by}, {}", at.format("%Y-%m-%d %H:%M UTC")),
                (Some(by), None) => by.clone(),
                (None, Some(at)) => at.format("%Y-%m-%d %H:%M UTC").to_string(),
                (None, None) => String::new(),
            };
            vec![format!("{mark}{}", gate.label), gate.verdict.label().to_owned(), gate.value.clone(), set]
        })
        .collect();
    print_table(&["  Gate", "Says", "Goes by", "Set by"], &rows);
    Ok(())
}
