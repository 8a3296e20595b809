//! `rtv admin tenants limits` and `rtv admin tenants ip-ranges`: what a tenant may use, and from where its members get in.

use rtv_core::{Limit, Slug};
use rtv_domain::limit::{self, Change, Standings};
use rtv_domain::{Context, settings, tenant};
use serde_json::json;

use crate::cli::{Failure, Outcome, print_table, say};

fn slug(text: &str) -> Result<Slug, Failure> {
    text.parse().map_err(|message| Failure::Usage(format!("tenant: {message}")))
}

/// Changes what is asked for, and prints how the tenant stands.
pub(super) async fn limits(
    ctx: &Context,
    tenant: &str,
    set: &[String],
    reset: &[String],
    plan: Option<String>,
    json: bool,
) -> Outcome {
    let slug = slug(tenant)?;
    let plan =
        plan.map(|plan| plan.parse()).transpose().map_err(|message| Failure::Usage(format!("plan: {message}")))?;
    let limits = parse(set, reset).map_err(Failure::Usage)?;
    let is_change = plan.is_some() || !limits.is_empty();
    let standings = if is_change {
        limit::change(ctx, &slug, &Change { plan, limits, version: None }).await?
    } else {
        limit::of_tenant(ctx, &slug).await?
    };
    if json {
        return say(&describe(&slug, &standings).to_string());
    }
    println!("{slug} has the plan {}.", standings.plan);
    let shown = |value: Option<i64>| value.map_or_else(|| "no limit".to_owned(), |value| value.to_string());
    let rows: Vec<Vec<String>> = standings
        .limits
        .iter()
        .map(|one| {
            let used = match (one.limit, one.used) {
                (Limit::StorageGb, Some(bytes)) => format!("{} MB", (bytes + (1 << 20) - 1) >> 20),
                (_, Some(used)) => used.to_string(),
                (_, None) => String::new(),
            };
            let month = one.month.map(|month| month.format("in %B %Y").to_string());
            let origin = if one.is_set { format!("set; the plan says {}", shown(one.by_plan)) } else { "plan".into() };
            let state = if one.is_exceeded() { "over the limit".into() } else { month.unwrap_or_default() };
            vec![one.limit.to_string(), used, shown(one.most), origin, state]
        })
        .collect();
    print_table(&["limit", "used", "allowed", "by", ""], &rows);
    if standings.limits.iter().any(limit::Standing::is_exceeded) {
        println!("Nothing in {slug} changes until this fits; it can be read and exported.");
    }
    Ok(())
}

fn parse(set: &[String], reset: &[String]) -> Result<Vec<(Limit, Option<i64>)>, String> {
    let mut limits = Vec::new();
    for text in set {
        let (name, value) = text.split_once('=').ok_or_else(|| format!("set: write {text} as users=20"))?;
        let limit = name.trim().parse::<Limit>().map_err(|message| format!("set: {message}"))?;
        let value = value.trim().parse().map_err(|_| format!("set: “{value}” is no whole number, as in users=20"))?;
        limits.push((limit, Some(value)));
    }
    for text in reset {
        limits.push((text.trim().parse::<Limit>().map_err(|message| format!("reset: {message}"))?, None));
    }
    for (place, (limit, _)) in limits.iter().enumerate() {
        if limits.iter().skip(place + 1).any(|(other, _)| other == limit) {
            return Err(format!("{limit} is named twice"));
        }
    }
    Ok(limits)
}

fn describe(slug: &Slug, standings: &Standings) -> serde_json::Value {
    let limits: Vec<_> = standings
        .limits
        .iter()
        .map(|one| {
            json!({
                "limit": one.limit.key(), "used": one.used, "month": one.month, "allowed": one.most,
                "plan_allows": one.by_plan, "set": one.is_set, "exceeded": one.is_exceeded(),
            })
        })
        .collect();
    json!({ "tenant": slug, "plan": standings.plan, "limits": limits })
}

/// Prints the networks that a tenant lets its members in from, or clears them.
pub(super) async fn ip_ranges(ctx: &Context, tenant: &str, clear: bool, json: bool) -> Outcome {
    let slug = slug(tenant)?;
    let ranges = if clear {
        settings::clear_ip_ranges(ctx, &slug).await?
    } else {
        let all = tenant::list(ctx).await?;
        let found = all.into_iter().find(|one| one.tenant.slug == slug);
        found.ok_or_else(|| Failure::Usage(format!("tenant: there is no tenant “{slug}”")))?.tenant.ip_ranges
    };
    let texts: Vec<String> = ranges.iter().map(ToString::to_string).collect();
    if json {
        let key = if clear { "cleared" } else { "ip_ranges" };
        return say(&json!({ "tenant": slug, key: texts }).to_string());
    }
    match (clear, texts.is_empty()) {
        (true, true) => say(&format!("{slug} lets its members in from everywhere already.")),
        (true, false) => {
            say(&format!("{slug} lets its members in from everywhere again. It allowed: {}.", texts.join(", ")))
        }
        (false, true) => say(&format!("{slug} lets its members in from everywhere.")),
        (false, false) => say(&texts.join("\n")),
    }
}
