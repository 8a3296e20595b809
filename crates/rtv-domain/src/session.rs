//! Browser sessions: what the session store keeps, who a session belongs to, the list of one's own, and ending them.
//!
//! A session belongs to a person through its `user_id` column, which only `sign_in.rs` sets, in the transaction that
//! also writes the audit event. The data that the session middleware keeps never decides who somebody is.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::{Email, Error, Preference, TenantId, UserId};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::audit::Event;
use crate::context::Context;
use crate::transaction::{Tx, WorkKind, failed};

/// A session that was not used for so long has ended.
pub const IDLE: TimeDelta = TimeDelta::hours(12);
/// A session ends after so long, used or not.
pub const ABSOLUTE: TimeDelta = TimeDelta::days(7);
/// A session that nobody signed in with (it carries a message to the next page) lives so long.
pub const ANONYMOUS: TimeDelta = TimeDelta::hours(1);
/// `last_used_at` is written at most so often.
const TOUCH: TimeDelta = TimeDelta::minutes(1);

/// SHA-256 of a session's token. Only the browser has the token itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionHash([u8; 32]);

impl SessionHash {
    /// Hash of a token.
    pub fn of(token: &[u8]) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// As stored.
    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn to_hex(self) -> String {
        hex::encode(self.0)
    }
}

/// A person who has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Id of the user.
    pub id: UserId,
    /// Name for people.
    pub name: String,
    /// Sign-in address.
    pub email: Email,
    /// Whether they belong to the operator.
    pub is_staff: bool,
    /// Id of the session in lists and addresses.
    pub session: Uuid,
    /// Slug of the tenant that they looked at last.
    pub last_tenant: Option<String>,
    /// How RTV looks and behaves for them.
    pub preference: Preference,
    /// Whether they give a code at sign-in.
    pub has_second_factor: bool,
    /// When they last gave a password or a code in this session.
    pub proved_at: Option<DateTime<Utc>>,
    /// The longest pause in this session since they signed in; it may be told up to a minute too long, because uses are
    /// written at most once a minute.
    pub longest_idle: TimeDelta,
}

/// What a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// The person, where somebody signed in with it.
    pub person: Option<Person>,
    /// Whether a message waits for the next page.
    pub has_flash: bool,
}

/// Looks up what a token stands for. Expired, idle or ended sessions and those of disabled people stand for nothing.
pub async fn identify(ctx: &Context, session: SessionHash) -> Result<Option<Identified>, Error> {
    let now = ctx.now();
    let mut tx = ctx.begin_session(session).await?;
    let Some(Found { identified, last_used_at, longest_idle }) = find(&mut tx, session, now).await? else {
        return Ok(None);
    };
    if last_used_at < now - TOUCH {
        sqlx::query!(
            r#"
            update session
            set last_used_at = $2, longest_idle_seconds = greatest(longest_idle_seconds, $3)
            where id_hash = $1
            "#,
            &session.0[..],
            now,
            // Rounded up: what was too long once stays so.
            (longest_idle + TimeDelta::milliseconds(999)).num_seconds(),
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
        tx.commit().await?;
    } else {
        tx.rollback().await?;
    }
    Ok(Some(identified))
}

struct Found {
    identified: Identified,
    last_used_at: DateTime<Utc>,
    longest_idle: TimeDelta,
}

/// What is stored of a session and of whoever signed in with it.
pub(crate) struct Stored {
    public_id: Uuid,
    last_used_at: DateTime<Utc>,
    last_tenant_slug: Option<String>,
    has_flash: bool,
    proved_at: Option<DateTime<Utc>>,
    longest_idle_seconds: i64,
    user_id: Option<Uuid>,
    email: Option<String>,
    name: Option<String>,
    has_second_factor: Option<bool>,
    is_staff: bool,
    theme: Option<String>,
    density: Option<String>,
    has_single_keys: Option<bool>,
}

/// The session, unless it has ended. Every request that shows one waits for this.
pub(crate) async fn stored(
    connection: &mut PgConnection,
    session: SessionHash,
    now: DateTime<Utc>,
) -> Result<Option<Stored>, sqlx::Error> {
    sqlx::query_as!(
        Stored,
        r#"
        select
          session.public_id, session.last_used_at, session.last_tenant_slug, session.data ? 'flash' as "has_flash!",
          session.proved_at, session.longest_idle_seconds, app_user.id as "user_id?", app_user.email as "email?", app_user.name as "name?",
          app_user.has_second_factor as "has_second_factor?",
          exists (select 1 from staff_member where staff_member.user_id = session.user_id) as "is_staff!",
          preference.theme as "theme?", preference.density as "density?", preference.has_single_keys as "has_single_keys?"
        from session
        left join app_user on app_user.id = session.user_id and not app_user.is_disabled
        left join preference on preference.user_id = app_user.id
        where session.id_hash = $1 and session.expires_at > $2 and session.last_used_at > $3
        "#,
        &session.0[..],
        now,
        now - IDLE,
    )
    .fetch_optional(connection)
    .await
}

async fn find(tx: &mut Tx, session: SessionHash, now: DateTime<Utc>) -> Result<Option<Found>, Error> {
    let row = stored(tx.connection(), session, now).await.map_err(failed)?;
    let Some(row) = row else { return Ok(None) };
    // A use that ends a pause is a use: what the pause was is remembered until the next sign-in.
    let longest_idle = TimeDelta::seconds(row.longest_idle_seconds).max(now - row.last_used_at);
    let person = match (row.user_id, row.email, row.name) {
        (Some(id), Some(email), Some(name)) => Some(Person {
            id: id.into(),
            name,
            email: email.parse().map_err(|_| Error::Internal)?,
            is_staff: row.is_staff,
            session: row.public_id,
            last_tenant: row.last_tenant_slug,
            preference: crate::preference::stored_preference(row.theme, row.density, row.has_single_keys)?,
            has_second_factor: row.has_second_factor.unwrap_or(false),
            proved_at: row.proved_at,
            longest_idle,
        }),
        _ => None,
    };
    let identified = Identified { person, has_flash: row.has_flash };
    Ok(Some(Found { identified, last_used_at: row.last_used_at, longest_idle }))
}

/// Stores a new session of nobody. `false`: the token is taken, and nothing was written.
pub async fn create(
    ctx: &Context,
    session: SessionHash,
    data: Value,
    expires_at: DateTime<Utc>,
) -> Result<bool, Error> {
    let mut tx = ctx.begin_session(session).await?;
    let done = sqlx::query!(
        r#"
        insert into session (id_hash, public_id, data, created_at, last_used_at, expires_at)
        values ($1, $2, $3, $4, $4, $5)
        on conflict (id_hash) do nothing
        "#,
        &session.0[..],
        Uuid::now_v7(),
        data,
        ctx.now(),
        expires_at.min(ctx.now() + ANONYMOUS),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    tx.commit().await?;
    Ok(done.rows_affected() == 1)
}

/// Stores the data of a session that exists. A session that has ended in the meantime stays ended, and the end of a
/// person's session does not move.
pub async fn save(ctx: &Context, session: SessionHash, data: Value, expires_at: DateTime<Utc>) -> Result<(), Error> {
    let mut tx = ctx.begin_session(session).await?;
    sqlx::query!(
        r#"
        update session
        set data = $2, expires_at = case when user_id is null then least($3::timestamptz, $4::timestamptz) else expires_at end
        where id_hash = $1
        "#,
        &session.0[..],
        data,
        expires_at,
        ctx.now() + ANONYMOUS
    )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    tx.commit().await
}

/// Data and end of a session that has not expired.
pub async fn load(ctx: &Context, session: SessionHash) -> Result<Option<(Value, DateTime<Utc>)>, Error> {
    let mut tx = ctx.begin_session(session).await?;
    let row = sqlx::query!(
        "select data, expires_at from session where id_hash = $1 and expires_at > $2",
        &session.0[..],
        ctx.now()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(row.map(|row| (row.data, row.expires_at)))
}

/// Removes a session without a word in the log: for tokens that were exchanged for a new one.
pub async fn delete(ctx: &Context, session: SessionHash) -> Result<(), Error> {
    let mut tx = ctx.begin_session(session).await?;
    sqlx::query!("delete from session where id_hash = $1", &session.0[..])
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    tx.commit().await
}

/// One of a person's sessions, as they see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Id in lists and addresses.
    pub id: Uuid,
    /// Signed in at.
    pub created_at: DateTime<Utc>,
    /// Last used at, to the minute.
    pub last_used_at: DateTime<Utc>,
    /// Network address at sign-in.
    pub address: Option<IpAddr>,
    /// What the browser called itself at sign-in.
    pub user_agent: Option<String>,
    /// Whether it is the one that asks.
    pub is_current: bool,
}

/// The person's own live sessions, the one used last first.
pub async fn list(ctx: &Context) -> Result<Vec<Device>, Error> {
    let person = ctx.person().ok_or(Error::SignedOut)?;
    let now = ctx.now();
    let mut tx = ctx.begin_person().await?;
    let rows = sqlx::query!(
        r#"
        select public_id, created_at, last_used_at, address as "address: ipnet::IpNet", user_agent
        from session
        where user_id = $1 and expires_at > $2 and last_used_at > $3
        order by last_used_at desc, public_id desc
        limit 100
        "#,
        person.id.uuid(),
        now,
        now - IDLE,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(rows
        .into_iter()
        .map(|row| Device {
            id: row.public_id,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            address: row.address.map(|network| network.addr()),
            user_agent: row.user_agent,
            is_current: row.public_id == person.session,
        })
        .collect())
}

/// Ends one of the person's own sessions, at once and on every instance, because each request reads the table.
pub async fn end(ctx: &Context, id: Uuid) -> Result<(), Error> {
    let person = ctx.person().ok_or(Error::SignedOut)?;
    let mut tx = ctx.begin_own_session().await?;
    let ended = sqlx::query!("delete from session where public_id = $1 and user_id = $2", id, person.id.uuid())
        .execute(tx.connection())
        .await
        .map_err(failed)?
        .rows_affected();
    if ended == 0 {
        return Err(Error::NotFound);
    }
    record_end(ctx, &mut tx, person, &id.to_string()).await?;
    tx.commit().await
}

/// Ends every session of the person but the one that asks. Returns how many ended.
pub async fn end_others(ctx: &Context) -> Result<u64, Error> {
    let person = ctx.person().ok_or(Error::SignedOut)?;
    let mut tx = ctx.begin_own_session().await?;
    let ended =
        sqlx::query!("delete from session where public_id <> $1 and user_id = $2", person.session, person.id.uuid())
            .execute(tx.connection())
            .await
            .map_err(failed)?
            .rows_affected();
    if ended > 0 {
        record_end(ctx, &mut tx, person, &format!("{ended} others")).await?;
    }
    tx.commit().await?;
    Ok(ended)
}

async fn record_end(ctx: &Context, tx: &mut Tx, person: &Person, id: &str) -> Result<(), Error> {
    let tenants = tenants_of(tx, person.id).await?;
    let event = Event::new("session.end", "session", id).before(json!({ "user": person.email }));
    tx.audit_sign_in(ctx.actor(), &tenants, &event).await
}

/// Tenants of a person, in a transaction that carries the person's marker.
pub(crate) async fn tenants_of(tx: &mut Tx, user: UserId) -> Result<Vec<TenantId>, Error> {
    let rows =
        sqlx::query_scalar!("select tenant_id from membership where user_id = $1 order by tenant_id", user.uuid())
            .fetch_all(tx.connection())
            .await
            .map_err(failed)?;
    Ok(rows.into_iter().map(TenantId::from).collect())
}

/// Remembers which tenant the session looked at last, so that `/` leads there.
pub async fn remember_tenant(ctx: &Context, slug: &str) -> Result<(), Error> {
    let person = ctx.person().ok_or(Error::SignedOut)?;
    if person.last_tenant.as_deref() == Some(slug) {
        return Ok(());
    }
    let mut tx = ctx.begin_own_session().await?;
    sqlx::query!(
        "update session set last_tenant_slug = $3 where public_id = $1 and user_id = $2",
        person.session,
        person.id.uuid(),
        slug
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    tx.commit().await
}

/// Removes expired sessions, stale sign-in counters and links to a new password that nobody used. Returns how many rows went.
pub async fn sweep(ctx: &Context) -> Result<u64, Error> {
    let now = ctx.now();
    let mut tx = ctx.begin_worker(WorkKind::Sweep).await?;
    let sessions = sqlx::query!("delete from session where expires_at < $1 or last_used_at < $2", now, now - IDLE)
        .execute(tx.connection())
        .await
        .map_err(failed)?
        .rows_affected();
    // A sign-in locks its account's counter and then its network's; rows that one holds are left to the next sweep.
    let counters = sqlx::query!(
        r#"
        with stale as materialized (
          select key from sign_in_limit where window_started_at < $1 for update skip locked
        )
        delete from sign_in_limit using stale where sign_in_limit.key = stale.key
        "#,
        now - TimeDelta::hours(1)
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    // Links that lead nowhere any more.
    let resets = sqlx::query!("delete from password_reset where expires_at < $1", now)
        .execute(tx.connection())
        .await
        .map_err(failed)?
        .rows_affected();
    tx.commit().await?;
    Ok(sessions + counters + resets)
}

/// Browser and system out of what a browser calls itself, for a person to recognise. Order matters: most browsers
/// name others too.
pub fn device_name(user_agent: Option<&str>) -> String {
    let Some(agent) = user_agent.filter(|agent| !agent.is_empty()) else { return "Unknown device".into() };
    let first =
        |names: &[(&str, &'static str)]| names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    let browser = first(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = first(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.into(),
        (None, None) => agent.chars().take(40).collect(),
    }
}
