//! A new password by mail. Who asks learns nothing about whether the address has an account; the link holds for an hour
//! and once; a new password ends every session that the old one began.

use core::time::Duration;

use chrono::TimeDelta;
use rtv_core::{Email, Error, TenantId, UserId};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::access::stored;
use crate::audit::Event;
use crate::context::{Actor, Context};
use crate::mail::{Kind, Letter, Outbox};
use crate::password::{self, Passwords};
use crate::session::tenants_of;
use crate::sign_in::{self, Verified};
use crate::token::{self, TokenHash};
use crate::transaction::{StaffPermission, Tx, failed};

/// How long a link holds.
pub const HOLDS: TimeDelta = TimeDelta::hours(1);
/// Mails per account in the window of sign-ins; more are dropped without a word.
const PER_ACCOUNT: i32 = 3;
/// Requests per network in that window.
const PER_NETWORK: i32 = 30;
/// How long the answer takes at least: an account that exists costs a few milliseconds more than one that does not.
const ANSWER_AFTER: Duration = Duration::from_millis(150);

/// Writes a mail with a link to a new password, if the address has an account. The answer and its time are the same if not.
pub async fn ask(ctx: &Context, outbox: &Outbox, email: &str) -> Result<(), Error> {
    let email: Email = email.parse().map_err(|message| Error::invalid("email", message))?;
    let (outcome, ()) = futures::join!(write(ctx, outbox, &email), tokio::time::sleep(ANSWER_AFTER));
    outcome
}

async fn write(ctx: &Context, outbox: &Outbox, email: &Email) -> Result<(), Error> {
    let now = ctx.now();
    let mut tx = ctx.begin_sign_in(None, None).await?;
    let network: Vec<_> = sign_in::network(ctx.request().address)
        .into_iter()
        .map(|key| (sign_in::key("reset from", &hex::encode(key)), PER_NETWORK))
        .collect();
    let account = [(sign_in::key("reset", email.as_str()), PER_ACCOUNT)];
    // The account's counter first, as everywhere, so that two requests never wait for each other in a ring.
    let has_enough = sign_in::count(&mut tx, &account, now).await?.is_some();
    let limited = sign_in::count(&mut tx, &network, now).await?;
    let user = sqlx::query!("select id, name from app_user where email = $1 and not is_disabled", email.as_str())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    tx.commit().await?;
    if let Some(limited) = limited {
        return Err(Error::Limit {
            message: "Too many new passwords were asked for from your network.".into(),
            seconds: limited.seconds(),
        });
    }
    let Some(user) = user.filter(|_| !has_enough) else { return Ok(()) };
    let id = UserId::from(user.id);
    let mut tx = ctx.begin_sign_in(None, Some(id)).await?;
    write_link(ctx, &mut tx, outbox, id, email, |link| {
        format!(
            "Hello {},\n\nsomebody asked for a new password for your account. To choose one, open this link within an hour:\n\n{link}\n\n\
             If that was not you, do nothing: your password stays as it is.\n",
            user.name
        )
    })
    .await?;
    let tenants = tenants_of(&mut tx, id).await?;
    let event = Event::new("password.ask", "user", id.to_string()).after(json!({ "email": email }));
    tx.audit_sign_in(&Actor::Anonymous, &tenants, &event).await?;
    tx.commit().await
}

/// Makes a link and writes the mail around it, in a transaction of that person.
async fn write_link(
    ctx: &Context,
    tx: &mut Tx,
    outbox: &Outbox,
    user: UserId,
    email: &Email,
    text: impl FnOnce(&str) -> String,
) -> Result<(), Error> {
    let (token, hash) = token::generate();
    sqlx::query!(
        "insert into password_reset (token_hash, user_id, created_at, expires_at) values ($1, $2, $3, $4)",
        &hash.bytes()[..],
        user.uuid(),
        ctx.now(),
        ctx.now() + HOLDS,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let link = outbox.link(&format!("/reset/{}", token.expose_secret()));
    let letter = Letter {
        kind: Kind::PasswordReset,
        to: email.clone(),
        subject: "A new password for RTV".into(),
        text: SecretString::from(text(&link)),
    };
    outbox.write(tx, None, letter, ctx.now()).await?;
    Ok(())
}

/// What staff did about somebody's password.
#[derive(Debug)]
pub struct Helped {
    /// Who.
    pub user: UserId,
    /// Their address.
    pub email: Email,
    /// How many of their sessions ended.
    pub sessions_ended: u64,
}

/// Sends somebody a link to a new password on behalf of staff, and ends their sessions: whoever asks for it may fear that
/// somebody else is signed in. The password of before goes on until the link is used.
pub async fn send(ctx: &Context, outbox: &Outbox, email: &str) -> Result<Helped, Error> {
    let (mut tx, tenants, user, name, email) = begin_for_staff(ctx, email).await?;
    write_link(ctx, &mut tx, outbox, user, &email, |link| {
        format!(
            "Hello {name},\n\nyour operator sends you a link to a new password, and has signed you out everywhere. To choose one, open this link within an hour:\n\n{link}\n\n\
             Until then your password stays as it is. If you did not ask for this, ask your operator.\n"
        )
    })
    .await?;
    let sessions_ended = end_sessions(&mut tx, user).await?;
    let event = Event::new("password.send_link", "user", user.to_string())
        .after(json!({ "email": email, "sessions_ended": sessions_ended }));
    tx.audit_sign_in(ctx.actor(), &tenants, &event.by_staff(true)).await?;
    tx.commit().await?;
    Ok(Helped { user, email, sessions_ended })
}

/// Gives somebody a password that nobody knew before, ends their sessions and makes links of before useless. The password is
/// shown once, to staff, who hand it over.
pub async fn give(
    ctx: &Context,
    outbox: &Outbox,
    passwords: &Passwords,
    email: &str,
) -> Result<(Helped, SecretString), Error> {
    let made = password::generate();
    let hash = passwords.hash(&made).await?;
    let (mut tx, tenants, user, _, email) = begin_for_staff(ctx, email).await?;
    let sessions_ended = replace(&mut tx, user, &hash, None, ctx).await?;
    outbox.write(&mut tx, None, changed_notice(&email), ctx.now()).await?;
    let event = Event::new("password.give", "user", user.to_string())
        .after(json!({ "email": email, "sessions_ended": sessions_ended }));
    tx.audit_sign_in(ctx.actor(), &tenants, &event.by_staff(true)).await?;
    tx.commit().await?;
    Ok((Helped { user, email, sessions_ended }, made))
}

/// A transaction of the person at an address, for staff.
async fn begin_for_staff(ctx: &Context, email: &str) -> Result<(Tx, Vec<TenantId>, UserId, String, Email), Error> {
    let email: Email = email.parse().map_err(|message| Error::invalid("email", message))?;
    let mut tx = ctx.begin_staff(StaffPermission::UsersReset, None).await?;
    let row = sqlx::query!("select id, name, is_disabled from app_user where email = $1", email.as_str())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or_else(|| Error::invalid("email", format!("there is nobody with the address {email}")))?;
    tx.rollback().await?;
    if row.is_disabled {
        return Err(Error::Conflict(format!("{email} is disabled. Enable them first; nothing was changed.")));
    }
    let user = UserId::from(row.id);
    let mut tx = ctx.begin_sign_in(None, Some(user)).await?;
    let tenants = tenants_of(&mut tx, user).await?;
    Ok((tx, tenants, user, row.name, email))
}

async fn end_sessions(tx: &mut Tx, user: UserId) -> Result<u64, Error> {
    Ok(sqlx::query!("delete from session where user_id = $1", user.uuid())
        .execute(tx.connection())
        .await
        .map_err(failed)?
        .rows_affected())
}

/// Whose link it is. Used, expired and unknown ones are all [`Error::NotFound`].
struct Asked {
    user: UserId,
    email: Email,
    name: String,
    has_second_factor: bool,
    is_sample: bool,
}

async fn find(ctx: &Context, token: TokenHash) -> Result<Asked, Error> {
    let mut tx = ctx.begin_reset(token, None).await?;
    let row = sqlx::query!(
        r#"
        select app_user.id, app_user.email, app_user.name, app_user.has_second_factor, app_user.is_sample
        from password_reset
        join app_user on app_user.id = password_reset.user_id and not app_user.is_disabled
        where password_reset.token_hash = $1 and password_reset.expires_at > $2
        "#,
        &token.bytes()[..],
        ctx.now(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    tx.rollback().await?;
    Ok(Asked {
        user: row.id.into(),
        email: stored(row.email.parse())?,
        name: row.name,
        has_second_factor: row.has_second_factor,
        is_sample: row.is_sample,
    })
}

/// The address of the account that the link is for. Used, expired and unknown links: [`Error::NotFound`].
pub async fn look(ctx: &Context, token: &str) -> Result<Email, Error> {
    Ok(find(ctx, TokenHash::of(token)).await?.email)
}

/// Sets the new password, once, and ends all sessions of the person. The answer signs in; a second factor is still asked
/// for, because the mailbox is no stronger proof than the password was.
pub async fn complete(
    ctx: &Context,
    outbox: &Outbox,
    passwords: &Passwords,
    token: &str,
    password: &SecretString,
) -> Result<Verified, Error> {
    let token = TokenHash::of(token);
    let asked = find(ctx, token).await?;
    let local = asked.email.as_str().split('@').next().unwrap_or_default();
    password::refuse_weak(password, &[local, &asked.name])?;
    let hash = passwords.hash(password).await?;
    let mut tx = ctx.begin_reset(token, Some(asked.user)).await?;
    let used = sqlx::query!(
        "delete from password_reset where token_hash = $1 and user_id = $2 and expires_at > $3",
        &token.bytes()[..],
        asked.user.uuid(),
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    if used == 0 {
        return Err(Error::NotFound);
    }
    let ended = replace(&mut tx, asked.user, &hash, None, ctx).await?;
    outbox.write(&mut tx, None, changed_notice(&asked.email), ctx.now()).await?;
    let tenants = tenants_of(&mut tx, asked.user).await?;
    let event = Event::new("password.reset", "user", asked.user.to_string())
        .after(json!({ "email": asked.email, "sessions_ended": ended }));
    tx.audit_sign_in(&Actor::Anonymous, &tenants, &event).await?;
    tx.commit().await?;
    // The right password is known again: attempts with wrong ones before it no longer hold the person up.
    let account = sign_in::key("account", asked.email.as_str());
    Ok(Verified {
        user: asked.user,
        email: asked.email,
        name: asked.name,
        is_sample: asked.is_sample,
        needs_code: asked.has_second_factor,
        renewed_hash: None,
        counters: Vec::new(),
        forgiven: vec![account],
        act: sign_in::SIGN_IN,
        how: "new password",
        last_tenant: None,
    })
}

/// Stores a new password in a transaction of that person, ends their sessions but one, and makes all links to a new password
/// useless. Returns how many sessions ended.
pub(crate) async fn replace(
    tx: &mut Tx,
    user: UserId,
    hash: &str,
    except: Option<uuid::Uuid>,
    ctx: &Context,
) -> Result<u64, Error> {
    sqlx::query!(
        "update user_credential set password_hash = $2, changed_at = $3 where user_id = $1",
        user.uuid(),
        hash,
        ctx.now()
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query!("delete from password_reset where user_id = $1", user.uuid())
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    Ok(sqlx::query!("delete from session where user_id = $1 and public_id is distinct from $2", user.uuid(), except)
        .execute(tx.connection())
        .await
        .map_err(failed)?
        .rows_affected())
}

/// Tells the person that their password is another one now.
pub(crate) fn changed_notice(to: &Email) -> Letter {
    Letter::notice(
        to,
        "Your password was changed",
        "The password of your account was changed, and everybody who was signed in with it is signed out.",
    )
}
