//! Signing in with address and password, and with a code where the person has a second factor. Unknown, disabled and
//! wrong answer alike and cost the same work; attempts are counted per account and per network in PostgreSQL, so that
//! every instance counts together, and nobody is ever locked out for good.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::{Email, Error, UserId};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::audit::{self, Event, Outcome};
use crate::context::{Actor, Context};
use crate::password::{LONGEST, Passwords};
use crate::second_factor;
use crate::session::{self, ABSOLUTE, SessionHash};
use crate::transaction::{Tx, failed};
use crate::vault::Vault;

/// Failed attempts count within this window.
pub(crate) const WINDOW: TimeDelta = TimeDelta::minutes(15);
/// Attempts per account and window; codes count apart from passwords.
const PER_ACCOUNT: i32 = 10;
/// Attempts per network (an IPv4 /24 or an IPv6 /56) and window: an office behind one address still gets in.
const PER_NETWORK: i32 = 100;
/// The act of signing in, as the log names it.
pub(crate) const SIGN_IN: &str = "user.sign_in";
/// How long the code may be given after the password.
const CODE_WITHIN: TimeDelta = TimeDelta::minutes(10);

/// Proof that somebody is who they say. Only this crate makes one, from a password, a code or a link.
#[derive(Debug)]
pub struct Verified {
    pub(crate) user: UserId,
    pub(crate) email: Email,
    pub(crate) name: String,
    pub(crate) is_sample: bool,
    /// Whether a code is still owed before the person is in.
    pub(crate) needs_code: bool,
    pub(crate) renewed_hash: Option<String>,
    /// Counters that the attempt was counted in, and takes it back from.
    pub(crate) counters: Vec<Key>,
    /// Counters that a success empties.
    pub(crate) forgiven: Vec<Key>,
    /// What it was proved for, and how; for the log.
    pub(crate) act: &'static str,
    pub(crate) how: &'static str,
    /// The tenant that the new session begins with.
    pub(crate) last_tenant: Option<String>,
}

impl Verified {
    /// Whether the person is one of the demo, whose password everybody knows.
    pub const fn is_sample(&self) -> bool {
        self.is_sample
    }

    /// Whether the person has a second factor and has not shown it yet: [`await_code`] comes first.
    pub const fn needs_code(&self) -> bool {
        self.needs_code
    }
}

/// Checks address and password. A refusal says the same whatever was wrong, and is audited.
pub async fn verify(
    ctx: &Context,
    passwords: &Passwords,
    email: &str,
    password: &SecretString,
) -> Result<Verified, Error> {
    check(ctx, passwords, email, password, SIGN_IN).await?.ok_or_else(refusal)
}

/// Checks the password of the person who is signed in already. `None` where it is wrong, which is counted and audited like
/// a refused sign-in, under the name of the act.
pub(crate) async fn check_own(
    ctx: &Context,
    passwords: &Passwords,
    password: &SecretString,
    act: &'static str,
) -> Result<Option<Verified>, Error> {
    let person = ctx.person().ok_or(Error::SignedOut)?;
    let verified = check(ctx, passwords, person.email.as_str(), password, act).await?;
    // Who is signed in has given the code already.
    Ok(verified.map(|verified| Verified { needs_code: false, last_tenant: person.last_tenant.clone(), ..verified }))
}

async fn check(
    ctx: &Context,
    passwords: &Passwords,
    email: &str,
    password: &SecretString,
    act: &'static str,
) -> Result<Option<Verified>, Error> {
    let permit = passwords.permit().await?;
    let parsed = email.parse::<Email>().ok();
    let shown = parsed.as_ref().map_or_else(|| "(not an address)".to_owned(), Email::to_string);
    let now = ctx.now();

    let account = key("account", &shown);
    let counters = counters(account, ctx.request().address);
    let mut tx = ctx.begin_sign_in(None, None).await?;
    let limited = count(&mut tx, &limits(&counters), now).await?;
    let known = sqlx::query!(
        r#"
        select
          app_user.id, app_user.name, app_user.is_disabled, app_user.is_sample, app_user.has_second_factor,
          user_credential.password_hash
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
    if let Some(limited) = limited {
        return Err(refuse_limited(ctx, user, shown, &limited, act).await?);
    }

    let stored = known.as_ref().map(|user| user.password_hash.clone());
    let fits = password.expose_secret().len() <= LONGEST;
    let (is_right, renewed_hash) = passwords.check(&permit, password, stored.filter(|_| fits)).await?;
    match known {
        Some(user) if is_right && !user.is_disabled => Ok(Some(Verified {
            user: user.id.into(),
            email: parsed.ok_or(Error::Internal)?,
            name: user.name,
            is_sample: user.is_sample,
            needs_code: user.has_second_factor,
            renewed_hash,
            counters,
            forgiven: vec![account],
            act,
            how: "password",
            last_tenant: None,
        })),
        _ => {
            metrics::counter!("rtv_sign_ins_total", "outcome" => "refused").increment(1);
            record_refusal(ctx, user, act, Event::new(act, "user", shown)).await?;
            Ok(None)
        }
    }
}

fn refusal() -> Error {
    Error::invalid("password", "The email address and the password do not match. Check both and try again.")
}

/// The answer to an attempt over a limit, written to the log once a window: an attack must not fill it.
async fn refuse_limited(
    ctx: &Context,
    user: Option<UserId>,
    shown: String,
    limited: &Limited,
    act: &'static str,
) -> Result<Error, Error> {
    metrics::counter!("rtv_sign_ins_total", "outcome" => "limited").increment(1);
    if limited.is_first {
        let event = Event::new(act, "user", shown).detail("too many failed attempts");
        record_refusal(ctx, user, act, event).await?;
    }
    Ok(Error::Limit { message: "There were too many failed attempts to sign in.".into(), seconds: limited.seconds() })
}

/// Refuses somebody although the password was right, in the words of a wrong one, and records why.
pub async fn refuse(ctx: &Context, verified: Verified, why: &str) -> Error {
    metrics::counter!("rtv_sign_ins_total", "outcome" => "refused").increment(1);
    let event = Event::new(SIGN_IN, "user", verified.email.to_string()).detail(why);
    match record_refusal(ctx, Some(verified.user), SIGN_IN, event).await {
        Ok(()) => refusal(),
        Err(error) => error,
    }
}

/// Writes a refused attempt to each tenant of the person, or to the operator's chain where there is none.
async fn record_refusal(ctx: &Context, user: Option<UserId>, act: &str, event: Event) -> Result<(), Error> {
    // A browser where somebody else is signed in says nothing about who tries to sign in now.
    let actor = if act == SIGN_IN { &Actor::Anonymous } else { ctx.actor() };
    let mut tx = ctx.begin_sign_in(None, user).await?;
    let tenants = match user {
        Some(user) => session::tenants_of(&mut tx, user).await?,
        None => Vec::new(),
    };
    tx.audit_sign_in(actor, &tenants, &event.outcome(Outcome::Denied)).await?;
    tx.commit().await
}

/// Remembers in a fresh session that the password was right and the code is still owed. The session stays nobody's.
pub async fn await_code(ctx: &Context, verified: Verified, session: SessionHash) -> Result<(), Error> {
    let mut tx = ctx.begin_sign_in(Some(session), Some(verified.user)).await?;
    let bound = sqlx::query!(
        r#"
        update session
        set pending_user_id = $2, pending_until = $3
        where id_hash = decode($1, 'hex') and user_id is null
        "#,
        session.to_hex(),
        verified.user.uuid(),
        ctx.now() + CODE_WITHIN,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    if bound != 1 {
        tracing::error!("the session to wait for a code in does not exist or belongs to somebody");
        return Err(Error::Internal);
    }
    renew_hash(&mut tx, &verified).await?;
    tx.commit().await
}

/// Checks the code of whom this session waits for. Nobody, or for too long: [`Error::SignedOut`]. A code is taken once.
pub async fn verify_code(
    ctx: &Context,
    vault: &Vault,
    session: Option<SessionHash>,
    code: &str,
) -> Result<Verified, Error> {
    let session = session.ok_or(Error::SignedOut)?;
    let mut tx = ctx.begin_sign_in(Some(session), None).await?;
    let row = sqlx::query!(
        r#"
        select app_user.id, app_user.email, app_user.name, app_user.is_sample
        from session
        join app_user on app_user.id = session.pending_user_id and not app_user.is_disabled
        where session.id_hash = decode($1, 'hex') and session.pending_until > $2
        "#,
        session.to_hex(),
        ctx.now(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::SignedOut)?;
    tx.rollback().await?;
    let email: Email = crate::access::stored(row.email.parse())?;
    let verified = check_code(ctx, vault, row.id.into(), email, code, SIGN_IN).await?;
    let verified = verified.ok_or_else(|| wrong_code("code"))?;
    // The password's attempt is taken back from the network too, and the account's counter is emptied.
    let account = key("account", verified.email.as_str());
    let mut counters = verified.counters;
    counters.extend(network(ctx.request().address));
    let mut forgiven = verified.forgiven;
    forgiven.push(account);
    Ok(Verified { name: row.name, is_sample: row.is_sample, counters, forgiven, ..verified })
}

/// What a wrong code is answered with.
pub(crate) fn wrong_code(field: &str) -> Error {
    Error::invalid(
        field,
        "This code is not right, or was used already. Use the newest one of your app, or a recovery code.",
    )
}

/// Checks a code of a person: counted, audited where it is wrong, and taken once.
pub(crate) async fn check_code(
    ctx: &Context,
    vault: &Vault,
    user: UserId,
    email: Email,
    code: &str,
    act: &'static str,
) -> Result<Option<Verified>, Error> {
    let own = key("code", &user.to_string());
    let counters = counters(own, ctx.request().address);
    let mut tx = ctx.begin_sign_in(None, None).await?;
    let limited = count(&mut tx, &limits(&counters), ctx.now()).await?;
    tx.commit().await?;
    if let Some(limited) = limited {
        return Err(refuse_limited(ctx, Some(user), email.to_string(), &limited, act).await?);
    }
    let mut tx = ctx.begin_sign_in(None, Some(user)).await?;
    let Some(proof) = second_factor::use_code(&mut tx, vault, user, code, ctx.now()).await? else {
        tx.rollback().await?;
        metrics::counter!("rtv_sign_ins_total", "outcome" => "refused").increment(1);
        let event = Event::new(act, "user", email.to_string()).detail("wrong code");
        record_refusal(ctx, Some(user), act, event).await?;
        return Ok(None);
    };
    tx.commit().await?;
    Ok(Some(Verified {
        user,
        email,
        name: String::new(),
        is_sample: false,
        needs_code: false,
        renewed_hash: None,
        counters,
        forgiven: vec![own],
        act,
        how: proof.key(),
        last_tenant: None,
    }))
}

async fn renew_hash(tx: &mut Tx, verified: &Verified) -> Result<(), Error> {
    let Some(hash) = &verified.renewed_hash else { return Ok(()) };
    sqlx::query!("update user_credential set password_hash = $2 where user_id = $1", verified.user.uuid(), hash)
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    Ok(())
}

/// Gives a fresh, stored session to the person, writes the event, and forgets the failed attempts of the account.
/// The session must be new: one that existed before the sign-in could be known to somebody else.
pub async fn complete(ctx: &Context, verified: Verified, session: SessionHash) -> Result<(), Error> {
    if verified.needs_code {
        tracing::error!("a sign-in was to be completed without the code that is owed");
        return Err(Error::Internal);
    }
    let now = ctx.now();
    let mut tx = ctx.begin_sign_in(Some(session), Some(verified.user)).await?;
    let bound = sqlx::query!(
        r#"
        update session
        set user_id = $2, created_at = $3, last_used_at = $3, proved_at = $3, expires_at = $4, address = $5, user_agent = $6,
          last_tenant_slug = $7, longest_idle_seconds = 0
        where id_hash = decode($1, 'hex') and user_id is null and pending_user_id is null
        "#,
        session.to_hex(),
        verified.user.uuid(),
        now,
        now + ABSOLUTE,
        ctx.request().address.map(audit::network) as _,
        ctx.request().user_agent,
        verified.last_tenant,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    if bound != 1 {
        tracing::error!("the session to sign in with does not exist or belongs to somebody");
        return Err(Error::Internal);
    }
    renew_hash(&mut tx, &verified).await?;
    // People's own counters before those of networks, as attempts count them: the order in which rows are locked.
    for key in &verified.forgiven {
        sqlx::query!("delete from sign_in_limit where key = $1", &key[..])
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
    let tenants = session::tenants_of(&mut tx, verified.user).await?;
    let person = session::Person {
        id: verified.user,
        name: verified.name,
        email: verified.email,
        is_staff: false,
        session: uuid::Uuid::nil(),
        last_tenant: None,
        preference: rtv_core::Preference::default(),
        has_second_factor: false,
        proved_at: None,
        longest_idle: TimeDelta::zero(),
    };
    let event = Event::new(verified.act, "user", verified.user.to_string())
        .after(json!({ "email": person.email, "by": verified.how }));
    tx.audit_sign_in(&Actor::Person(person.into()), &tenants, &event).await?;
    tx.commit().await?;
    metrics::counter!("rtv_sign_ins_total", "outcome" => "accepted").increment(1);
    Ok(())
}

/// Key of a counter: a hash, so that the table holds no list of addresses.
pub(crate) type Key = [u8; 32];

/// The counter of one subject.
pub(crate) fn key(subject: &str, name: &str) -> Key {
    Sha256::digest(format!("{subject} {name}")).into()
}

/// The counter of the network that an address belongs to.
pub(crate) fn network(address: Option<IpAddr>) -> Option<Key> {
    let address = address?;
    let prefix = if address.is_ipv4() { 24 } else { 56 };
    ipnet::IpNet::new(address, prefix).ok().map(|network| key("network", &network.trunc().to_string()))
}

/// A subject's own counter first, then its network's.
fn counters(own: Key, address: Option<IpAddr>) -> Vec<Key> {
    core::iter::once(own).chain(network(address)).collect()
}

fn limits(counters: &[Key]) -> Vec<(Key, i32)> {
    counters.iter().enumerate().map(|(index, key)| (*key, if index == 0 { PER_ACCOUNT } else { PER_NETWORK })).collect()
}

/// An attempt over the limit of one of its counters.
pub(crate) struct Limited {
    /// How long until it may be tried again.
    wait: TimeDelta,
    /// Whether it is the first one over that limit in the window.
    is_first: bool,
}

impl Limited {
    /// Rounded up to whole minutes: the answer tells nobody when exactly the first attempt was.
    pub(crate) fn seconds(&self) -> u32 {
        u32::try_from((self.wait.num_seconds() + 59) / 60 * 60).unwrap_or(60)
    }
}

/// Counts the attempt in every counter before anything else happens, so that parallel attempts cannot slip past. Each
/// counter comes with its limit.
pub(crate) async fn count(tx: &mut Tx, counters: &[(Key, i32)], now: DateTime<Utc>) -> Result<Option<Limited>, Error> {
    let mut limited: Option<Limited> = None;
    for (key, limit) in counters {
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
        if row.attempts > *limit {
            let wait = row.window_started_at + WINDOW - now;
            let is_first = row.attempts == *limit + 1;
            limited = Some(match limited {
                Some(other) => Limited { wait: wait.max(other.wait), is_first: is_first || other.is_first },
                None => Limited { wait, is_first },
            });
        }
    }
    Ok(limited)
}
