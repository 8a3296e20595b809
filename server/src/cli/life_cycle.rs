//! `rtv admin tenants show|suspend|resume|cancel`: one tenant as staff see it, and where it stands in its life.

use rtv_core::{Error, Slug};
use rtv_domain::life_cycle::{self, Step};
use rtv_domain::{Tenant, staff};
use serde_json::{Value, json};

use crate::cli::{Failure, Outcome, operate, print_table};
use crate::config::Settings;

/// Takes a step. A state that does not allow it is a refusal.
pub async fn take(slug: &str, step: Step, reason: Option<&str>, json: bool, settings: &Settings) -> Outcome {
    let slug = slug.parse::<Slug>().map_err(|message| Failure::Usage(format!("tenant: {message}")))?;
    let (_databases, ctx) = operate(settings).await?;
    let tenant = match life_cycle::take(&ctx, &slug, step, reason, None).await {
        Err(Error::Conflict(text)) => return Err(Failure::Refused(text)),
        other => other?,
    };
    if json {
        println!("{}", describe(&tenant));
    } else {
        match step {
            Step::Resume => println!("{slug} is active again."),
            Step::Suspend | Step::Cancel => {
                println!("{slug} is {}. It can be read and exported, and nothing in it changes.", tenant.status);
                println!("Next, to take it back: rtv admin tenants resume {slug}");
            }
        }
    }
    Ok(())
}

fn describe(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.id, "slug": tenant.slug, "name": tenant.name, "plan": tenant.plan, "status": tenant.status,
        "reason": tenant.status_reason, "house": tenant.is_house, "zone": tenant.zone.name(), "locale": tenant.locale,
        "currency": tenant.currency, "mfa_required": tenant.mfa_required, "sample_data": tenant.has_sample_data,
    })
}

/// Shows one tenant with its people and the newest visits of staff.
pub async fn show(slug: &str, json: bool, settings: &Settings) -> Outcome {
    let parsed = slug.parse::<Slug>().map_err(|message| Failure::Usage(format!("tenant: {message}")))?;
    let (_databases, ctx) = operate(settings).await?;
    let one = match staff::tenant(&ctx, parsed.as_str()).await {
        Err(Error::NotFound) => {
            return Err(Failure::Usage(format!(
                "there is no tenant “{parsed}”; list them with rtv admin tenants list"
            )));
        }
        other => other?,
    };
    if json {
        let mut shown = describe(&one.tenant);
        let people: Vec<_> = one
            .members
            .iter()
            .map(|member| json!({ "id": member.id, "email": member.email, "name": member.name, "role": member.role, "disabled": member.is_disabled, "last_seen_at": member.last_seen_at }))
            .collect();
        let visits: Vec<_> = one
            .visits
            .iter()
            .map(|visit| json!({ "id": visit.id, "visitor": visit.visitor, "reason": visit.reason, "began_at": visit.began_at, "ends_at": visit.ends_at, "ended_at": visit.ended_at }))
            .collect();
        shown["created_at"] = json!(one.created_at);
        shown["members"] = json!(people);
        shown["visits"] = json!(visits);
        println!("{shown}");
        return Ok(());
    }
    let tenant = &one.tenant;
    let reason = tenant.status_reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    println!("{} ({}), {}", tenant.name, tenant.slug, tenant.id);
    println!("  {}{reason}; plan {}", tenant.status, tenant.plan);
    if let Some((at, by)) = &one.status_changed {
        println!("  so since {} by {by}", at.format("%Y-%m-%d %H:%M UTC"));
    }
    println!(
        "  created {}, days in {}, {}, {}",
        one.created_at.format("%Y-%m-%d"),
        tenant.zone,
        tenant.locale,
        tenant.currency
    );
    let rows: Vec<Vec<String>> = one
        .members
        .into_iter()
        .map(|member| {
            let seen =
                member.last_seen_at.map_or_else(|| "never".into(), |at| at.format("%Y-%m-%d %H:%M UTC").to_string());
            let state = if member.is_disabled { "disabled" } else { "" };
            vec![member.email.to_string(), member.name, member.role, seen, state.into()]
        })
        .collect();
    print_table(&["email", "name", "role", "last seen", ""], &rows);
    if !one.visits.is_empty() {
        let rows: Vec<Vec<String>> = one
            .visits
            .into_iter()
            .map(|visit| {
                let end = visit.ended_at.map_or_else(|| "goes on".into(), |at| at.format("%H:%M UTC").to_string());
                vec![visit.visitor, visit.began_at.format("%Y-%m-%d %H:%M UTC").to_string(), end, visit.reason]
            })
            .collect();
        print_table(&["visitor", "began", "ended", "reason"], &rows);
    }
    Ok(())
}
