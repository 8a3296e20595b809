//! A person's preferences: one row per person, changed by themself alone. They are read together with the session
//! (`session.rs`), because every page needs them before its first byte.

use rtv_core::{Density, Error, FieldError, Preference, Theme};
use serde_json::{Value, json};

use crate::access::stored;
use crate::audit::Event;
use crate::context::Context;
use crate::transaction::failed;

/// What is to change, as typed. What is left out stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Key of a theme.
    pub theme: Option<String>,
    /// Key of a density.
    pub density: Option<String>,
    /// `on` or `off`.
    pub single_keys: Option<String>,
}

/// Changes the person's own preferences and returns all of them. Nobody signed in: [`Error::SignedOut`]. The event goes
/// to the operator's log: how a person's screen looks is no business of a tenant's.
pub async fn change(ctx: &Context, change: Change) -> Result<Preference, Error> {
    let user = ctx.actor().user_id().ok_or(Error::SignedOut)?;
    let mut errors = Vec::new();
    let mut refuse = |field: &str, message: String| errors.push(FieldError { field: field.into(), message });
    let theme = change.theme.and_then(|typed| typed.parse::<Theme>().map_err(|message| refuse("theme", message)).ok());
    let density =
        change.density.and_then(|typed| typed.parse::<Density>().map_err(|message| refuse("density", message)).ok());
    let single_keys = change.single_keys.and_then(|typed| match typed.as_str() {
        "on" => Some(true),
        "off" => Some(false),
        _ => {
            refuse("single_keys", "use on or off".into());
            None
        }
    });
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }

    let mut tx = ctx.begin_own_change().await?;
    let row = sqlx::query!(
        "select theme, density, has_single_keys from preference where user_id = $1 for update",
        user.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let before = match row {
        Some(row) => stored_preference(Some(row.theme), Some(row.density), Some(row.has_single_keys))?,
        None => Preference::default(),
    };
    let after = Preference {
        theme: theme.unwrap_or(before.theme),
        density: density.unwrap_or(before.density),
        has_single_keys: single_keys.unwrap_or(before.has_single_keys),
    };
    if after == before {
        tx.rollback().await?;
        return Ok(after);
    }
    sqlx::query!(
        r#"
        insert into preference (user_id, theme, density, has_single_keys, updated_at)
        values ($1, $2, $3, $4, $5)
        on conflict (user_id) do update
        set theme = excluded.theme, density = excluded.density, has_single_keys = excluded.has_single_keys,
          updated_at = excluded.updated_at
        "#,
        user.uuid(),
        after.theme.key(),
        after.density.key(),
        after.has_single_keys,
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    tx.audit(
        Event::new("preference.change", "user", user.to_string()).before(described(before)).after(described(after)),
    )
    .await?;
    tx.commit().await?;
    Ok(after)
}

/// What the columns say; the default for a person without a row.
pub(crate) fn stored_preference(
    theme: Option<String>,
    density: Option<String>,
    has_single_keys: Option<bool>,
) -> Result<Preference, Error> {
    let default = Preference::default();
    Ok(Preference {
        theme: theme.map_or(Ok(default.theme), |theme| stored(theme.parse()))?,
        density: density.map_or(Ok(default.density), |density| stored(density.parse()))?,
        has_single_keys: has_single_keys.unwrap_or(default.has_single_keys),
    })
}

fn described(preference: Preference) -> Value {
    json!({
        "theme": preference.theme, "density": preference.density, "has_single_keys": preference.has_single_keys,
    })
}
