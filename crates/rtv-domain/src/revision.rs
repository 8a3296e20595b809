//! Two people editing the same thing: what a form was made from has a version, and a save of an older one is refused. The later
//! of the two is told who changed what in the meantime, from the audit log, so nothing is silently overwritten.

use chrono::{DateTime, Utc};
use rtv_core::Error;
use serde_json::Value;

use crate::context::TenantContext;
use crate::format::Format;
use crate::transaction::{Tx, failed};

/// Where something stands in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Counts changes.
    pub version: i64,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
    /// Who changed it last, as the audit log names them; `None` where it never was.
    pub changed_by: Option<String>,
}

/// Refuses a save that was made from another version. The version as typed: without one nothing can be compared.
pub(crate) async fn refuse_stale(
    tx: &mut Tx,
    ctx: &TenantContext,
    seen: &str,
    now: &Revision,
    resource: (&str, &str),
) -> Result<(), Error> {
    let seen = seen
        .parse::<i64>()
        .map_err(|_| Error::invalid("version", "load the page again; the form did not say what it was made from."))?;
    if seen == now.version {
        return Ok(());
    }
    let (kind, id) = resource;
    // The event has the very time of the change, so this reads few entries of a long log.
    let row = sqlx::query!(
        r#"
        select before, after
        from audit_event
        where occurred_at = $1
          and resource_kind = $2
          and resource_id = $3
          and result = 'success'
          and after ->> 'version' = $4
        order by id desc
        limit 1
        "#,
        now.updated_at,
        kind,
        id,
        now.version.to_string(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let what = row.map(|row| differences(row.before.as_ref(), row.after.as_ref())).unwrap_or_default();
    let who = now.changed_by.as_deref().unwrap_or("Somebody");
    let when = Format::of(ctx.tenant()).instant(now.updated_at);
    let what = if what.is_empty() { String::new() } else { format!(": {}", what.join("; ")) };
    let more = match now.version - seen {
        2.. => " There were other changes before it.",
        _ => "",
    };
    Err(Error::Conflict(format!(
        "{who} changed this on {when}, after you had opened it{what}.{more} Nothing of yours was saved. Reload to see it as it is now, and make your change again."
    )))
}

/// What a change changed, a phrase each.
fn differences(before: Option<&Value>, after: Option<&Value>) -> Vec<String> {
    let empty = serde_json::Map::new();
    let before = before.and_then(Value::as_object).unwrap_or(&empty);
    let after = after.and_then(Value::as_object).unwrap_or(&empty);
    after
        .iter()
        .filter(|(key, value)| key.as_str() != "version" && before.get(*key) != Some(*value))
        .map(|(key, value)| {
            let was = before.get(key).map_or_else(|| "nothing".to_owned(), words);
            format!("{} from “{was}” to “{}”", key.replace('_', " "), words(value))
        })
        .collect()
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() => text.clone(),
        Value::String(_) | Value::Null => "nothing".into(),
        Value::Array(values) if values.is_empty() => "nothing".into(),
        Value::Array(values) => values.iter().map(words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_told_field_by_field() {
        let before = json!({ "role": "viewer", "permissions": [], "name": "A", "version": 1 });
        let after = json!({ "role": "editor", "permissions": ["a:b", "c:d"], "name": "A", "version": 2 });
        assert_eq!(
            differences(Some(&before), Some(&after)),
            ["permissions from “nothing” to “a:b, c:d”", "role from “viewer” to “editor”"]
        );
        assert!(differences(None, None).is_empty());
    }
}
