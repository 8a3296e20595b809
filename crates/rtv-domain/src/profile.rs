//! What a person changes about themself: their name and their password.

use rtv_core::Error;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::audit::Event;
use crate::context::Context;
use crate::mail::Outbox;
use crate::password::{self, Passwords};
use crate::password_reset::{changed_notice, replace};
use crate::session::tenants_of;
use crate::sign_in::{self, Verified};
use crate::transaction::failed;

/// A name as people may have it, without the spaces around it.
pub(crate) fn parse_name(text: &str) -> Result<String, Error> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > 120 || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", "use 1 to 120 characters without line breaks"));
    }
    Ok(name.to_owned())
}

/// Changes the person's own name.
pub async fn rename(ctx: &Context, name: &str) -> Result<String, Error> {
    let person = ctx.person().ok_or(Error::SignedOut)?;
    let name = parse_name(name)?;
    if name == person.name {
        return Ok(name);
    }
    let mut tx = ctx.begin_own_change().await?;
    sqlx::query!("update app_user set name = $2, updated_at = $3 where id = $1", person.id.uuid(), name, ctx.now())
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    let tenants = tenants_of(&mut tx, person.id).await?;
    let event = Event::new("user.rename", "user", person.id.to_string())
        .before(json!({ "name": person.name }))
        .after(json!({ "name": name }));
    tx.audit_sign_in(ctx.actor(), &tenants, &event).await?;
    tx.commit().await?;
    Ok(name)
}

/// Changes the person's own password. The old one is the proof that this act asks for, so nothing else has to be confirmed;
/// a wrong one counts like a failed sign-in. Ends all other sessions; the answer gives this browser a new one.
pub async fn change_password(
    ctx: &Context,
    outbox: &Outbox,
    passwords: &Passwords,
    old: &SecretString,
    new: &SecretString,
) -> Result<Verified, Error> {
    let person = ctx.person().ok_or(Error::SignedOut)?;
    if old.expose_secret().is_empty() {
        return Err(Error::invalid("old_password", "Enter the password that you have now."));
    }
    let local = person.email.as_str().split('@').next().unwrap_or_default();
    password::refuse_weak(new, &[local, &person.name])?;
    let verified = sign_in::check_own(ctx, passwords, old, "password.change")
        .await?
        .ok_or_else(|| Error::invalid("old_password", "This is not your password. Check it and try again."))?;
    let hash = passwords.hash(new).await?;
    let mut tx = ctx.begin_sign_in(None, Some(person.id)).await?;
    let ended = replace(&mut tx, person.id, &hash, Some(person.session), ctx).await?;
    outbox.write(&mut tx, None, changed_notice(&person.email), ctx.now()).await?;
    let tenants = tenants_of(&mut tx, person.id).await?;
    let event = Event::new("password.change", "user", person.id.to_string())
        .after(json!({ "email": person.email, "sessions_ended": ended }));
    tx.audit_sign_in(ctx.actor(), &tenants, &event).await?;
    tx.commit().await?;
    // A hash that was made for the old password must not come back over the new one.
    Ok(Verified { renewed_hash: None, act: "user.confirm", ..verified })
}
