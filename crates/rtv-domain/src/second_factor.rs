//! The second factor: codes of an authenticator app (TOTP, RFC 6238: SHA-1, six digits, thirty seconds, one step of
//! tolerance either way), and ten recovery codes for when the app is lost. The key that app and server share is sealed
//! with the master key; recovery codes are stored as hashes. Each code is taken once.

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::{Error, UserId};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use totp_rs::{Algorithm, Builder, Totp};

use crate::audit::Event;
use crate::context::Context;
use crate::mail::{Letter, Outbox};
use crate::session::{Person, tenants_of};
use crate::sign_in::{check_code, wrong_code};
use crate::transaction::{Tx, failed};
use crate::vault::{Purpose, Vault};

/// Who issues the codes, as apps show it.
const ISSUER: &str = "RTV";
/// Bytes of the shared key: as many as SHA-1 gives, as RFC 4226 asks for.
const KEY: usize = 20;
/// Recovery codes in a set.
const RECOVERY_CODES: usize = 10;
/// A key that nobody confirmed is given up after this time.
const SET_UP_WITHIN: TimeDelta = TimeDelta::minutes(30);

/// Where a person stands with their second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Since when it is asked for; `None` while it is not set up.
    pub since: Option<DateTime<Utc>>,
    /// Recovery codes that were not used.
    pub codes_left: u32,
    /// A key that waits for its first code.
    pub set_up: Option<SetUp>,
}

/// What an authenticator app needs to know. Shown to the person alone, and only until the first code.
#[derive(Clone, PartialEq, Eq)]
pub struct SetUp {
    /// The key in base 32, in groups of four.
    pub key: String,
    /// The address that a QR code holds.
    pub address: String,
}

impl core::fmt::Debug for SetUp {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SetUp")
    }
}

/// What was taken as proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Used {
    /// A code of the app.
    Code,
    /// A recovery code, which is gone now.
    RecoveryCode,
}

impl Used {
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::RecoveryCode => "recovery code",
        }
    }
}

/// The person's own state. The key is opened only where it is going to be shown: for who proved who they are a moment ago.
pub async fn state(ctx: &Context, vault: &Vault) -> Result<State, Error> {
    let person = ctx.person().ok_or(Error::SignedOut)?;
    let mut tx = ctx.begin_person().await?;
    let row = sqlx::query!(
        r#"
        select
          sealed_secret, confirmed_at, created_at,
          (select count(*) from recovery_code where recovery_code.user_id = $1 and used_at is null) as "codes_left!"
        from totp
        where user_id = $1
        "#,
        person.id.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    let Some(row) = row else { return Ok(State { since: None, codes_left: 0, set_up: None }) };
    let waits = row.confirmed_at.is_none() && row.created_at > ctx.now() - SET_UP_WITHIN && ctx.require_fresh().is_ok();
    let set_up = if waits {
        let secret = vault.open_sealed(Purpose::Totp, person.id.uuid(), &row.sealed_secret)?;
        Some(set_up(person, secret)?)
    } else {
        None
    };
    Ok(State { since: row.confirmed_at, codes_left: u32::try_from(row.codes_left).unwrap_or(0), set_up })
}

/// Makes a new key, which waits for its first code. Who has a second factor removes it first.
pub async fn begin(ctx: &Context, vault: &Vault) -> Result<(), Error> {
    let person = ctx.person().ok_or(Error::SignedOut)?;
    ctx.require_fresh()?;
    let sealed = vault.seal(Purpose::Totp, person.id.uuid(), &rand::random::<[u8; KEY]>())?;
    let mut tx = ctx.begin_own_change().await?;
    let made = sqlx::query!(
        r#"
        insert into totp (user_id, sealed_secret, created_at)
        values ($1, $2, $3)
        on conflict (user_id) do update
        set sealed_secret = excluded.sealed_secret, created_at = excluded.created_at, last_step = 0
        where totp.confirmed_at is null
        "#,
        person.id.uuid(),
        sealed,
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    if made == 0 {
        return Err(Error::Conflict(
            "Your second factor is set up already. Remove it before you set up another.".into(),
        ));
    }
    tx.commit().await
}

/// Takes the first code of the app: from now on one is asked for at each sign-in. Answers with the recovery codes, which
/// nobody can read again.
pub async fn confirm(ctx: &Context, vault: &Vault, code: &str) -> Result<Vec<String>, Error> {
    let person = ctx.person().ok_or(Error::SignedOut)?;
    ctx.require_fresh()?;
    if code.trim().is_empty() {
        return Err(Error::invalid("code", "Enter the six digits that your app shows."));
    }
    let mut tx = ctx.begin_own_change().await?;
    let row = sqlx::query!(
        "select sealed_secret, created_at from totp where user_id = $1 and confirmed_at is null for update",
        person.id.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .filter(|row| row.created_at > ctx.now() - SET_UP_WITHIN)
    .ok_or_else(|| Error::Conflict("There is no key that waits for a code. Begin again.".into()))?;
    let secret = vault.open_sealed(Purpose::Totp, person.id.uuid(), &row.sealed_secret)?;
    let Some(step) = step_of(totp(person.email.as_str(), secret)?, code, ctx.now()) else {
        tx.rollback().await?;
        return Err(Error::invalid(
            "code",
            "This is not the code that we expect. Check that the clock of your phone is right, and enter the newest code.",
        ));
    };
    sqlx::query!(
        "update totp set confirmed_at = $2, last_step = $3 where user_id = $1",
        person.id.uuid(),
        ctx.now(),
        step
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    set_flag(&mut tx, person.id, true, ctx.now()).await?;
    let codes = new_codes(&mut tx, person.id).await?;
    record(ctx, &mut tx, person, Event::new("second_factor.add", "user", person.id.to_string())).await?;
    tx.commit().await?;
    Ok(codes)
}

/// Ten new recovery codes in place of those before.
pub async fn renew_codes(ctx: &Context) -> Result<Vec<String>, Error> {
    let person = ctx.person().ok_or(Error::SignedOut)?;
    ctx.require_fresh()?;
    let mut tx = ctx.begin_own_change().await?;
    let is_on = sqlx::query_scalar!(
        r#"select confirmed_at is not null as "is_on!" from totp where user_id = $1 for update"#,
        person.id.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    if is_on != Some(true) {
        return Err(Error::Conflict("Recovery codes belong to a second factor. Set one up first.".into()));
    }
    let codes = new_codes(&mut tx, person.id).await?;
    record(ctx, &mut tx, person, Event::new("second_factor.renew_codes", "user", person.id.to_string())).await?;
    tx.commit().await?;
    Ok(codes)
}

/// Removes the second factor and its recovery codes, and tells the person by mail.
pub async fn remove(ctx: &Context, outbox: &Outbox) -> Result<(), Error> {
    let person = ctx.person().ok_or(Error::SignedOut)?;
    ctx.require_fresh()?;
    let mut tx = ctx.begin_own_change().await?;
    let removed = sqlx::query_scalar!(
        r#"delete from totp where user_id = $1 returning confirmed_at is not null as "was_on!""#,
        person.id.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    if removed != Some(true) {
        // A key that waited for its first code is no second factor: nothing to tell anybody.
        return tx.commit().await;
    }
    sqlx::query!("delete from recovery_code where user_id = $1", person.id.uuid())
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    set_flag(&mut tx, person.id, false, ctx.now()).await?;
    let letter = Letter::notice(
        &person.email,
        "Your second factor was removed",
        "The second factor of your account was removed. From now on your password alone signs you in.",
    );
    outbox.write(&mut tx, None, letter, ctx.now()).await?;
    record(ctx, &mut tx, person, Event::new("second_factor.remove", "user", person.id.to_string())).await?;
    tx.commit().await
}

async fn set_flag(tx: &mut Tx, user: UserId, is_on: bool, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!("update app_user set has_second_factor = $2, updated_at = $3 where id = $1", user.uuid(), is_on, now)
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    Ok(())
}

/// Each of the person's tenants sees it: it is a matter of how safe its members are.
async fn record(ctx: &Context, tx: &mut Tx, person: &Person, event: Event) -> Result<(), Error> {
    let tenants = tenants_of(tx, person.id).await?;
    let event = event.after(json!({ "email": person.email }));
    tx.audit_sign_in(ctx.actor(), &tenants, &event).await
}

/// Takes a code of the app or a recovery code, so that nobody can use it again. `None`: it is neither.
pub(crate) async fn use_code(
    tx: &mut Tx,
    vault: &Vault,
    user: UserId,
    code: &str,
    now: DateTime<Utc>,
) -> Result<Option<Used>, Error> {
    // The lock makes two uses of one code wait for each other; the second then finds it used.
    let row = sqlx::query!(
        "select sealed_secret, last_step from totp where user_id = $1 and confirmed_at is not null for update",
        user.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let Some(row) = row else { return Ok(None) };
    let secret = vault.open_sealed(Purpose::Totp, user.uuid(), &row.sealed_secret)?;
    if let Some(step) = step_of(totp("", secret)?, code, now) {
        if step <= row.last_step {
            return Ok(None);
        }
        sqlx::query!("update totp set last_step = $2 where user_id = $1", user.uuid(), step)
            .execute(tx.connection())
            .await
            .map_err(failed)?;
        return Ok(Some(Used::Code));
    }
    let taken = sqlx::query!(
        "update recovery_code set used_at = $3 where user_id = $1 and code_hash = $2 and used_at is null",
        user.uuid(),
        &hash_of(user, code)[..],
        now
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    Ok((taken == 1).then_some(Used::RecoveryCode))
}

fn totp(account: &str, secret: Vec<u8>) -> Result<Totp, Error> {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(1)
        .with_step_duration(30)
        .with_secret(secret)
        .with_issuer(Some(ISSUER.to_owned()))
        .with_account_name(account.replace(':', ""))
        .build()
        .map_err(|error| {
            tracing::error!(%error, "the key of a second factor cannot be used");
            Error::Internal
        })
}

/// The step whose code this is, among the present one and those beside it.
fn step_of(totp: Totp, code: &str, now: DateTime<Utc>) -> Option<i64> {
    let digits: String = code.chars().filter(|character| !character.is_whitespace()).collect();
    let step = totp.check(&digits, u64::try_from(now.timestamp()).ok()?)?;
    i64::try_from(step).ok()
}

fn set_up(person: &Person, secret: Vec<u8>) -> Result<SetUp, Error> {
    let totp = totp(person.email.as_str(), secret)?;
    let key = totp.secret().to_base32();
    let groups: Vec<&str> = key.as_bytes().chunks(4).filter_map(|group| core::str::from_utf8(group).ok()).collect();
    let address = totp.to_url().map_err(|error| {
        tracing::error!(%error, "the address of a second factor cannot be written");
        Error::Internal
    })?;
    Ok(SetUp { key: groups.join(" "), address })
}

/// Makes and stores a set of recovery codes. 80 random bits each: a plain hash is enough.
async fn new_codes(tx: &mut Tx, user: UserId) -> Result<Vec<String>, Error> {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567890";
    let codes: Vec<String> = (0..RECOVERY_CODES)
        .map(|_| {
            let letters: Vec<char> =
                rand::random::<[u8; 16]>().iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
            letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
        })
        .collect();
    sqlx::query!("delete from recovery_code where user_id = $1", user.uuid())
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    for code in &codes {
        sqlx::query!(
            "insert into recovery_code (user_id, code_hash) values ($1, $2)",
            user.uuid(),
            &hash_of(user, code)[..]
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    }
    Ok(codes)
}

/// Hash of a recovery code however it is typed: hyphens, spaces and capitals do not count.
fn hash_of(user: UserId, code: &str) -> [u8; 32] {
    let letters: String =
        code.chars().filter(char::is_ascii_alphanumeric).map(|one| one.to_ascii_lowercase()).collect();
    Sha256::digest(format!("recovery code of {user}: {letters}")).into()
}

/// Checks a code of the person who is signed in already, for [`crate::confirmation`].
pub(crate) async fn check_own(
    ctx: &Context,
    vault: &Vault,
    code: &str,
    act: &'static str,
) -> Result<crate::sign_in::Verified, Error> {
    let person = ctx.person().ok_or(Error::SignedOut)?;
    let verified = check_code(ctx, vault, person.id, person.email.clone(), code, act).await?;
    let verified = verified.ok_or_else(|| wrong_code("code"))?;
    Ok(crate::sign_in::Verified { name: person.name.clone(), last_tenant: person.last_tenant.clone(), ..verified })
}
