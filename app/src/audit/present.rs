//! From the domain's events to the rows and sentences that people read. Runs on the server only.

use chrono::{SecondsFormat, TimeDelta};
use rtv_core::{AuditEventId, Error, FieldError, Permission};
use rtv_domain::TenantContext;
use rtv_domain::audit::detail::{self, Detail, Seal};
use rtv_domain::audit::explorer::{self, Cursor, Entry, Filter, Listing};
use rtv_domain::audit::retention::{self, FEWEST_DAYS, MOST_DAYS, Retention};
use rtv_domain::audit::{Outcome, explorer::Sealing};
use rtv_domain::format::{Format, MISSING};
use rtv_domain::session::device_name;

use crate::audit::event::AuditEvent;
use crate::audit::list::{Audit, EventRow, Exports, FilterView, ResultView, RetentionView};
use crate::dashboard::ChoiceView;
use crate::page::Flash;

/// The list.
pub(super) async fn audit(ctx: &TenantContext, pairs: &[(String, String)]) -> Result<Audit, Error> {
    let format = Format::of(ctx.tenant());
    let flash = crate::request::current().flash;
    let parsed = Filter::parse(pairs).and_then(|filter| Ok((filter, cursor(pairs)?)));
    let (filter, after) = match parsed {
        Ok(parsed) => parsed,
        Err(Error::Invalid(errors)) => return refused(ctx, &format, pairs, flash.as_ref(), errors).await,
        Err(other) => return Err(other),
    };
    let Listing { entries, next, looked_back_to, actions, sealing, retention } =
        explorer::list(ctx, &filter, after).await?;
    let path = path(ctx);
    let query = escaped(filter.pairs());
    let first = if query.is_empty() { path.clone() } else { format!("{path}?{query}") };
    let separator = if query.is_empty() { '?' } else { '&' };
    let errors = flash.as_ref().map(|flash| flash.errors.clone()).unwrap_or_default();
    Ok(Audit {
        filter: filter_view(pairs, &actions),
        is_refused: !errors.is_empty(),
        errors,
        is_filtered: !query.is_empty(),
        zone: ctx.tenant().zone.to_string(),
        summary: match entries.len() {
            1 => "1 event".into(),
            shown => format!("{shown} events"),
        },
        note: looked_back_to.map(|at| {
            format!(
                "Looked through the events back to {}. Go on to older ones below; one filter more that names somebody or something makes it quicker.",
                format.instant(at)
            )
        }),
        rows: entries.iter().map(|entry| row(&path, &format, entry)).collect(),
        next: next.map(|next| format!("{first}{separator}after={}", percent(&next.to_string()))),
        first: after.map(|_| first.clone()),
        is_late: is_late(ctx, &sealing),
        sealing: sealing_sentences(&format, &sealing),
        exports: exports(ctx, &path, &query),
        retention: retention_view(ctx, &format, &retention, flash.as_ref()),
    })
}

/// The page with what was typed and why it cannot be used; no event is shown, and none is read.
async fn refused(
    ctx: &TenantContext,
    format: &Format,
    pairs: &[(String, String)],
    flash: Option<&Flash>,
    errors: Vec<FieldError>,
) -> Result<Audit, Error> {
    let retention = retention::retention(ctx).await?;
    crate::request::set_status(422);
    let path = path(ctx);
    let typed = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    Ok(Audit {
        filter: filter_view(pairs, &typed("action").into_iter().collect::<Vec<_>>()),
        errors: errors.into_iter().map(|error| (error.field, error.message)).collect(),
        is_refused: true,
        is_filtered: true,
        zone: ctx.tenant().zone.to_string(),
        rows: Vec::new(),
        summary: String::new(),
        note: None,
        first: None,
        next: None,
        sealing: Vec::new(),
        is_late: false,
        exports: exports(ctx, &path, ""),
        retention: retention_view(ctx, format, &retention, flash),
    })
}

fn path(ctx: &TenantContext) -> String {
    format!("/t/{}/audit", ctx.tenant().slug)
}

fn cursor(pairs: &[(String, String)]) -> Result<Option<Cursor>, Error> {
    let after = pairs.iter().find(|(name, value)| name == "after" && !value.is_empty());
    after
        .map(|(_, text)| {
            text.parse().map_err(|_| Error::invalid("after", "follow the links below the table to turn pages."))
        })
        .transpose()
}

/// A value as it may stand in an address.
fn percent(value: &str) -> String {
    value
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

fn escaped(pairs: Vec<(&'static str, String)>) -> String {
    pairs.into_iter().map(|(name, value)| format!("{name}={}", percent(&value))).collect::<Vec<_>>().join("&")
}

fn filter_view(pairs: &[(String, String)], actions: &[String]) -> FilterView {
    let typed = |name: &str| {
        pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let choice = |value: &str, label: &str, chosen: &str| ChoiceView {
        value: value.into(),
        label: label.into(),
        is_chosen: value == chosen,
    };
    let action = typed("action");
    let mut actions: Vec<ChoiceView> = core::iter::once(choice("", "All", &action))
        .chain(actions.iter().map(|one| choice(one, one, &action)))
        .collect();
    // One that the log does not have is kept all the same, so that the form says what the address says.
    if !actions.iter().any(|one| one.is_chosen) {
        actions.push(choice(&action, &action, &action));
    }
    let result = typed("result");
    let results = core::iter::once(choice("", "All", &result))
        .chain(Outcome::ALL.into_iter().map(|one| choice(one.key(), one.label(), &result)))
        .collect();
    FilterView {
        from: typed("from"),
        to: typed("to"),
        actor: typed("actor"),
        actions,
        resource: typed("resource"),
        results,
        address: typed("address"),
    }
}

fn result(outcome: Outcome) -> ResultView {
    ResultView { key: outcome.key().into(), label: outcome.label().into() }
}

fn actor_kind(key: &str) -> &str {
    match key {
        "user" => "Person",
        "api_key" => "API key",
        "staff" => "Operator’s staff",
        "system" => "RTV itself",
        "anonymous" => "Not signed in",
        other => other,
    }
}

/// The thing, by its kind and id; where the id says nothing more, the kind alone.
fn resource(entry: &Entry) -> String {
    let kind = entry.resource_kind.replace('_', " ");
    if entry.resource == "all" { kind } else { format!("{kind} {}", entry.resource) }
}

fn row(path: &str, format: &Format, entry: &Entry) -> EventRow {
    let kind = actor_kind(&entry.actor_kind);
    EventRow {
        id: entry.id.to_string(),
        href: format!("{path}/{}", entry.id),
        at: format.clock(entry.occurred_at),
        at_utc: entry.occurred_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        actor: entry.actor.clone(),
        actor_detail: match entry.address {
            Some(address) => format!("{kind} · {address}"),
            None => kind.to_owned(),
        },
        action: entry.action.clone(),
        resource: resource(entry),
        result: result(entry.result),
        detail: entry.detail.as_ref().map(|detail| detail.chars().take(160).collect()),
    }
}

/// Whether an event waits although sealing takes seconds.
fn is_late(ctx: &TenantContext, sealing: &Sealing) -> bool {
    sealing.waiting_since.is_some_and(|since| ctx.now() - since > TimeDelta::minutes(1))
}

fn sealing_sentences(format: &Format, sealing: &Sealing) -> Vec<String> {
    let count = |count: u64| format.count(i64::try_from(count).unwrap_or(i64::MAX));
    let mut sentences = vec![match sealing.sealed {
        0 => "No event is sealed yet.".to_owned(),
        sealed => format!("Sealed up to number {}.", count(sealed)),
    }];
    if let Some((seq, at)) = sealing.signed {
        sentences.push(format!("Signed up to number {}, {}.", count(seq), format.instant(at)));
    }
    match sealing.waiting {
        0 => {}
        1 => sentences.push("1 event waits for its seal.".into()),
        waiting => sentences.push(format!("{} events wait for their seals.", count(waiting))),
    }
    sentences
}

fn exports(ctx: &TenantContext, path: &str, query: &str) -> Option<Exports> {
    let csv = if query.is_empty() { format!("{path}/log.csv") } else { format!("{path}/log.csv?{query}") };
    ctx.access().grants(Permission::AuditExport).then(|| Exports { json_lines: format!("{path}/log.jsonl"), csv })
}

fn retention_view(ctx: &TenantContext, format: &Format, now: &Retention, flash: Option<&Flash>) -> RetentionView {
    let mut about = vec![format!(
        "Before and after, sentences, addresses and browsers are kept for {} days, then dropped.",
        format.count(now.days.into())
    )];
    if let Some((by, at)) = &now.changed {
        about.push(format!("Set by {by}, {}.", format.instant(*at)));
    }
    if let Some(before) = now.dropped_before {
        about.push(format!("Dropped so far: before {}.", format.instant(before)));
    }
    RetentionView {
        days: flash.and_then(|flash| flash.value("days")).unwrap_or_else(|| now.days.to_string()),
        version: now.version.to_string(),
        about,
        hint: format!(
            "From {} to {}. With fewer days, what is older goes within an hour and cannot be brought back.",
            format.count(FEWEST_DAYS.into()),
            format.count(MOST_DAYS.into())
        ),
        fewest: FEWEST_DAYS.to_string(),
        most: MOST_DAYS.to_string(),
        can_change: ctx.access().grants(Permission::SettingsUpdate),
        needed: Permission::SettingsUpdate.key().into(),
    }
}

/// One event.
pub(super) async fn event(ctx: &TenantContext, id: &str) -> Result<AuditEvent, Error> {
    // Whoever may not read the log learns nothing about ids either.
    let id: AuditEventId = id.parse().map_err(|_| Error::NotFound)?;
    let detail = detail::one(ctx, id).await?;
    let format = Format::of(ctx.tenant());
    let Detail { entry, request_id, user_agent, changes, is_dropped, seal } = detail;
    let path = path(ctx);
    let missing = || MISSING.to_owned();
    let facts = [
        ("When", format.instant(entry.occurred_at)),
        ("When (UTC)", entry.occurred_at.to_rfc3339_opts(SecondsFormat::Millis, true)),
        ("Who", format!("{} ({})", entry.actor, actor_kind(&entry.actor_kind))),
        ("Resource", resource(&entry)),
        ("Details", entry.detail.clone().unwrap_or_else(missing)),
        ("Address", entry.address.map_or_else(missing, |address| address.to_string())),
        ("Device", user_agent.as_deref().map_or_else(missing, |agent| device_name(Some(agent)))),
        ("Browser’s own words", user_agent.unwrap_or_else(missing)),
        ("Request", request_id.unwrap_or_else(missing)),
        ("Id", entry.id.to_string()),
    ];
    let all = |name: &str, value: &str| format!("{path}?{name}={}", percent(value));
    Ok(AuditEvent {
        subtitle: format!("{} · {}", entry.actor, format.instant(entry.occurred_at)),
        result: result(entry.result),
        facts: facts.into_iter().map(|(term, value)| (term.to_owned(), value)).collect(),
        changes: changes.into_iter().map(|one| (one.field, one.before, one.after)).collect(),
        no_changes: if is_dropped {
            "What it changed is no longer kept.".into()
        } else {
            "This event says nothing about what was before or after.".into()
        },
        is_dropped,
        seal: seal.map(|seal| seal_view(&format, &seal)),
        links: vec![
            (format!("All of {}", entry.actor), all("actor", &entry.actor)),
            (format!("All {}", entry.action), all("action", &entry.action)),
            (
                "All of this resource".into(),
                all("resource", if entry.resource == "all" { &entry.resource_kind } else { &entry.resource }),
            ),
        ],
        action: entry.action,
    })
}

fn seal_view(format: &Format, seal: &Seal) -> Vec<(String, String)> {
    let count = |count: u64| format.count(i64::try_from(count).unwrap_or(i64::MAX));
    let mut view = vec![
        ("Number".to_owned(), count(seal.seq)),
        ("Sealed".to_owned(), format.instant(seal.sealed_at)),
        ("Hash of the details".to_owned(), seal.payload_hash.to_string()),
        ("Hash of the chain".to_owned(), seal.chain_hash.to_string()),
    ];
    match &seal.head {
        Some((seq, at, key)) => {
            view.push(("Signed with number".to_owned(), count(*seq)));
            view.push(("Signed".to_owned(), format.instant(*at)));
            view.push(("Key".to_owned(), key.clone()));
        }
        None => view.push(("Signed".to_owned(), "within a minute".to_owned())),
    }
    view
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_an_address_is_escaped() {
        assert_eq!(percent("root@ops-1"), "root%40ops-1");
        assert_eq!(escaped(vec![("actor", "a&b=c d".into())]), "actor=a%26b%3Dc%20d");
    }
}
