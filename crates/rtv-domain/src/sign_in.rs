//! Signing in with address and password. Unknown, disabled and wrong answer alike and cost the same work; attempts are
//! counted per account and per network in PostgreSQL, so that every instance counts together, and nobody is ever
//! locked out for good.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::{Email, Error, UserId};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::audit::{self, Event, Outcome};
use crate::context::{Actor, Context};
use crate::password::{LONGEST, Passwords};
use crate::session::{self, ABSOLUTE, SessionHash};
use crate::transaction::{Tx, failed};

/// Failed attempts count within this window.
const WINDOW: TimeDelta = TimeDelta::minutes(15);
/// Attempts per account and window.
const PER_ACCOUNT: i32 = 10;
/// Attempts per network (an IPv4 /24 or an IPv6 /56) and window: an office behind one address still gets in.
const PER_NETWORK: i32 = 100;

/// Proof that a password was right. Only [`verify`] makes one.
#[derive(Debug)]
pub struct Verified {
    user: UserId,
    email: Email,
    name: String,
    is_sample: bool,
    renewed_hash: Option<String>,
    counters: Vec<[u8; 32]>,
}

impl Verified {
    /// Whether the person is one of the demo, whose password everybody knows.
    pub const fn is_sample(&self) -> bool {
        self.is_sample
    }
}

/// Checks address and password. A refusal says the same whatever was wrong, and is audited.
pub async fn verify(
    ctx: &Context,
    passwords: &Passwords,
    email: &str,
    password: &SecretString,
) -> Result<Verified, Error> {
    let parsed = email.parse::<Email>().ok();
    let shown = parsed.as_ref().map_or_else(|| "(not an address)".to_owned(), Email::to_string);
    let now = ctx.now();

    let counters = counters(&shown, ctx.request().address);
    let mut tx = ctx.begin_sign_in(None, None).await?;
    let limited = count(&mut tx, &counters, now).await?;
    let known = sqlx::query!(
        r#"
        select app_user.id, app_user.name, app_user.is_disabled, app_user.is_sample, user_credential.password_hash
        from app_user
        join user_credential on user_credential.user_id = app_user.id
        where app_user.email = $1
        "#,
        shown
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    tx.commit().await?;
    let user = known.as_ref().map(|user| UserId::from(user.id));
    if let Some(Limited { wait, is_first }) = limited {
        metrics::counter!("rtv_sign_ins_total", "outcome" => "limited").increment(1);
        // Once a window: an attack must not fill the log of the person's tenants.
        if is_first {
            let event =
                Event::new("user.sign_in", "user", shown).outcome(Outcome::Denied).detail("too many failed attempts");
            record_refusal(ctx, user, &event).await?;
        }
        // Rounded up to whole minutes: the answer tells nobody when exactly the first attempt was.
        let seconds = u32::try_from((wait.num_seconds() + 59) / 60 * 60).unwrap_or(60);
        return Err(Error::Limit { message: "There were too many failed attempts to sign in.".into(), seconds });
    }

    let stored = known.as_ref().map(|user| user.password_hash.clone());
    let fits = password.expose_secret().len() <= LONGEST;
    let (is_right, renewed_hash) = passwords.check(password, stored.filter(|_| fits)).await?;
    match known {
        Some(user) if is_right && !user.is_disabled => Ok(Verified {
            user: user.id.into(),
            email: parsed.ok_or(Error::Internal)?,
            name: user.name,
            is_sample: user.is_sample,
            renewed_hash,
            counters,
        }),
        _ => {
            metrics::counter!("rtv_sign_ins_total", "outcome" => "refused").increment(1);
            record_refusal(ctx, user, &Event::new("user.sign_in", "user", shown).outcome(Outcome::Denied)).await?;
            Err(refusal())
        }
    }
}

fn refusal() -> Error {
    Error::invalid("password", "The email address and the password do not match. Check both and try again.")
}

/// Refuses somebody although the password was right, in the words of a wrong one, and records why.
pub async fn refuse(ctx: &Context, verified: Verified, why: &str) -> Error {
    metrics::counter!("rtv_sign_ins_total", "outcome" => "refused").increment(1);
    let event = Event::new("user.sign_in", "user", verified.email.to_string()).outcome(Outcome::Denied).detail(why);
    match record_refusal(ctx, Some(verified.user), &event).await {
        Ok(()) => refusal(),
        Err(error) => error,
    }
}

/// Writes a refused attempt to each tenant of the person, or to the operator's chain where there is none.
async fn record_refusal(ctx: &Context, user: Option<UserId>, event: &Event) -> Result<(), Error> {
    let mut tx = ctx.begin_sign_in(None, user).await?;
    let tenants = match user {
        Some(user) => session::tenants_of(&mut tx, user).await?,
        None => Vec::new(),
    };
    tx.audit_sign_in(&Actor::Anonymous, &tenants, event).await?;
    tx.commit().await
}

/// Gives a fresh, stored session to the person, writes the event, and forgets the failed attempts of the account.
/// The session must be new: one that existed before the sign-in could be known to somebody else.
pub async fn complete(ctx: &Context, verified: Verified, session: SessionHash) -> Result<(), Error> {
    let now = ctx.now();
    let mut tx = ctx.begin_sign_in(Some(session), Some(verified.user)).await?;
    let bound = sqlx::query!(
        r#"
        update session
        set user_id = $2, created_at = $3, last_used_at = $3, expires_at = $4, address = $5, user_agent = $6
        where id_hash = decode($1, 'hex') and user_id is null
        "#,
        session.to_hex(),
        verified.user.uuid(),
        now,
        now + ABSOLUTE,
        ctx.request().address.map(audit::network) as _,
        ctx.request().user_agent,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    if bound != 1 {
        tracing::error!("the session to sign in with does not exist or belongs to somebody");
        return Err(Error::Internal);
    }
    if let Some(hash) = verified.renewed_hash {
        sqlx::query!("update user_credential set password_hash = $2 where user_id = $1", verified.user.uuid(), hash)
            .execute(tx.connection())
            .await
            .map_err(failed)?;
    }
    for key in &verified.counters {
        sqlx::query!("update sign_in_limit set attempts = greatest(attempts - 1, 0) where key = $1", &key[..])
            .execute(tx.connection())
            .await
            .map_err(failed)?;
    }
    if let Some(account) = verified.counters.first() {
        sqlx::query!("delete from sign_in_limit where key = $1", &account[..])
            .execute(tx.connection())
            .await
            .map_err(failed)?;
    }
    let tenants = session::tenants_of(&mut tx, verified.user).await?;
    let person = session::Person {
        id: verified.user,
        name: verified.name,
        email: verified.email,
        is_staff: false,
        session: uuid::Uuid::nil(),
        last_tenant: None,
        preference: rtv_core::Preference::default(),
    };
    let event = Event::new("user.sign_in", "user", verified.user.to_string()).after(json!({ "email": person.email }));
    tx.audit_sign_in(&Actor::Person(person.into()), &tenants, &event).await?;
    tx.commit().await?;
    metrics::counter!("rtv_sign_ins_total", "outcome" => "accepted").increment(1);
    Ok(())
}

/// Keys of the counters: the account first, then the network.
fn counters(email: &str, address: Option<IpAddr>) -> Vec<[u8; 32]> {
    let mut keys = vec![Sha256::digest(format!("account {email}")).into()];
    if let Some(address) = address {
        let prefix = if address.is_ipv4() { 24 } else { 56 };
        if let Ok(network) = ipnet::IpNet::new(address, prefix) {
            keys.push(Sha256::digest(format!("network {}", network.trunc())).into());
        }
    }
    keys
}

/// An attempt over the limit of one of its counters.
struct Limited {
    /// How long until it may be tried again.
    wait: TimeDelta,
    /// Whether it is the first one over that limit in the window.
    is_first: bool,
}

/// Counts the attempt in every counter before anything else happens, so that parallel attempts cannot slip past.
async fn count(tx: &mut Tx, keys: &[[u8; 32]], now: DateTime<Utc>) -> Result<Option<Limited>, Error> {
    let mut limited: Option<Limited> = None;
    for (index, key) in keys.iter().enumerate() {
        let limit = if index == 0 { PER_ACCOUNT } else { PER_NETWORK };
        let row = sqlx::query!(
            r#"
            insert into sign_in_limit as counter (key, window_started_at, attempts)
            values ($1, $2, 1)
            on conflict (key) do update set
              attempts = case when counter.window_started_at <= $3 then 1 else least(counter.attempts, 1000000) + 1 end,
              window_started_at = case when counter.window_started_at <= $3 then $2 else counter.window_started_at end
            returning attempts, window_started_at
            "#,
            &key[..],
            now,
            now - WINDOW,
        )
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
        if row.attempts > limit {
            let wait = row.window_started_at + WINDOW - now;
            let is_first = row.attempts == limit + 1;
            limited = Some(match limited {
                Some(other) => Limited { wait: wait.max(other.wait), is_first: is_first || other.is_first },
                None => Limited { wait, is_first },
            });
        }
    }
    Ok(limited)
}
