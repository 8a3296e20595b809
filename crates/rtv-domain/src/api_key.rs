//! Keys with which programs ask. A key belongs to a tenant and to its author, carries permissions that its author held, ends
//! by itself, is stored as a hash and shown once.
//!
//! What a key may do is judged anew with every request: those of its permissions that its author holds for the whole tenant at
//! that moment. So it never does more than its author, loses what they lose, rests while they may not sign in, and is dead
//! for good once they have left. What is held through teams alone is not carried.

use std::sync::Arc;

use chrono::{DateTime, DurationRound as _, NaiveDate, TimeDelta, Utc};
use rtv_core::{ApiKeyId, Error, FieldError, Limit, Permission, PermissionSet, ReadOnly, Role, TenantId, UserId};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::access::{self, stored};
use crate::audit::explorer::day_start;
use crate::audit::{Event, Outcome};
use crate::context::{Actor, Context, Tenant, TenantContext};
use crate::limit;
use crate::role::named;
use crate::roster::{known, typed};
use crate::tenant;
use crate::token::{self, TokenHash};
use crate::transaction::{Resource, Tx, failed};

/// What every key begins with, so that one that leaked is recognised.
pub const BEGINNING: &str = "rtv_";
/// Characters of a key that are shown, the beginning included.
const SHOWN: usize = 12;
/// When a key was last used is written at most so often.
const TOUCH: TimeDelta = TimeDelta::minutes(1);
/// Days of validity that the form offers.
pub const SPANS: [u16; 3] = [30, 90, 365];
/// The longest that a key may hold.
const LONGEST: TimeDelta = TimeDelta::days(366);
/// Keys that a tenant may have at a time, those that ended aside.
const MOST: i64 = 100;
/// Keys in the list.
const LISTED: i64 = 500;

/// A key that a program has shown.
#[derive(Debug, Clone)]
pub struct Key {
    /// Id.
    pub id: ApiKeyId,
    /// Name for people.
    pub name: String,
    /// How it begins.
    pub prefix: String,
    /// Its tenant.
    pub tenant: Arc<Tenant>,
    /// Who made it.
    pub author: UserId,
    /// What it was given.
    pub permissions: PermissionSet,
    /// What of it its author holds now.
    pub held: PermissionSet,
    /// Why nothing in the tenant changes for now, if so.
    pub read_only: Option<ReadOnly>,
    /// Requests that all keys of the tenant may make in a minute; `None` is as many as wanted.
    pub requests_per_minute: Option<i64>,
}

impl Key {
    /// As the audit log names it.
    pub fn label(&self) -> String {
        label(&self.name, &self.prefix)
    }
}

fn label(name: &str, prefix: &str) -> String {
    format!("{name} ({prefix}…)")
}

/// Finds out whose key a program shows, counts the request and remembers that the key was used, in a fixed number of queries.
/// A key that is unknown, revoked or over, or whose author left or may not sign in: [`Error::SignedOut`].
pub async fn identify(ctx: &Context, secret: &str) -> Result<Arc<Key>, Error> {
    let hash = TokenHash::of(secret);
    let now = ctx.now();
    let mut tx = ctx.begin_key(hash).await?;
    let row = sqlx::query!(
        r#"
        select tenant_id, id, name, prefix, permissions, created_by as "created_by!", last_used_at
        from api_key
        where secret_hash = $1 and revoked_at is null and created_by is not null and expires_at > $2
        "#,
        &hash.bytes()[..],
        now,
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::SignedOut)?;
    let id = TenantId::from(row.tenant_id);
    tx.turn_to(id).await?;
    let tenant = tenant::find_by_id(&mut tx, id).await?;
    let author = sqlx::query!(
        r#"
        select
          membership.role, membership.permissions, custom_role.permissions as "role_permissions?",
          app_user.is_disabled, app_user.has_second_factor
        from membership
        join app_user on app_user.id = membership.user_id
        left join custom_role
          on custom_role.tenant_id = membership.tenant_id and custom_role.id = membership.role_id
        where membership.tenant_id = $1 and membership.user_id = $2
        "#,
        row.tenant_id,
        row.created_by,
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::SignedOut)?;
    if author.is_disabled {
        return Err(Error::SignedOut);
    }
    if row.last_used_at.is_none_or(|last| last <= now - TOUCH) {
        sqlx::query!(
            "update api_key set last_used_at = $2 where tenant_id = $3 and id = $1",
            row.id,
            now,
            row.tenant_id
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    }
    let most = limit::most(&mut tx, id, Limit::ApiRequestsPerMinute).await?;
    let requests = count(&mut tx, id, now).await?;
    let read_only = access::read_only(&tenant, &tx);
    tx.commit().await?;
    refuse_too_many(&tenant, requests, most, now)?;
    // The door that is closed to the author is closed to what acts for them.
    if tenant.mfa_required && !author.has_second_factor {
        return Err(Error::SecondFactorMissing);
    }
    let permissions = known(&row.permissions);
    let everywhere = everywhere(&author.role, &author.permissions, author.role_permissions.as_deref())?;
    Ok(Arc::new(Key {
        id: row.id.into(),
        name: row.name,
        prefix: row.prefix,
        tenant: Arc::new(tenant),
        author: row.created_by.into(),
        permissions,
        held: permissions.intersection(everywhere),
        read_only,
        requests_per_minute: most,
    }))
}

/// What a member holds for the whole tenant.
fn everywhere(role: &str, extra: &[String], custom: Option<&[String]>) -> Result<PermissionSet, Error> {
    let role = match custom {
        Some(permissions) => known(permissions),
        None => stored(role.parse::<Role>())?.permissions(),
    };
    Ok(role.union(known(extra)))
}

/// Counts a request, and how many there were in this minute. Last in its transaction, because requests of a tenant wait for
/// each other here.
async fn count(tx: &mut Tx, tenant: TenantId, now: DateTime<Utc>) -> Result<i64, Error> {
    let minute = now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now);
    // Clocks of several servers differ: a minute never comes back.
    let requests = sqlx::query_scalar!(
        r#"
        insert into api_use (tenant_id, minute, requests)
        values ($1, $2, 1)
        on conflict on constraint api_use_key do update
        set requests = case when api_use.minute >= excluded.minute then api_use.requests + 1 else 1 end,
          minute = greatest(api_use.minute, excluded.minute)
        returning requests
        "#,
        tenant.uuid(),
        minute,
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    Ok(requests.into())
}

fn refuse_too_many(tenant: &Tenant, requests: i64, most: Option<i64>, now: DateTime<Utc>) -> Result<(), Error> {
    let Some(most) = most.filter(|most| requests > *most) else { return Ok(()) };
    let over = u32::try_from(now.timestamp().rem_euclid(60)).unwrap_or_default();
    Err(Error::Limit {
        message: format!(
            "{}: this organisation is allowed {most} (plan {}), and its programs have made {requests} in this minute.",
            Limit::ApiRequestsPerMinute.label(),
            tenant.plan.label()
        ),
        seconds: 60 - over,
    })
}

/// A key as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewKey {
    /// Name for people.
    pub name: String,
    /// Keys of what it may do.
    pub permissions: Vec<String>,
    /// For how many days it holds, one of [`SPANS`]; or `date`.
    pub expires: String,
    /// Its last day, in the tenant's zone, where a date is chosen.
    pub expires_on: String,
}

struct Parsed {
    name: String,
    permissions: PermissionSet,
    expires_at: DateTime<Utc>,
}

impl NewKey {
    /// Every field that is refused is named at once.
    fn parse(&self, ctx: &TenantContext) -> Result<Parsed, Error> {
        let mut errors = Vec::new();
        let mut refuse = |field: &str, message: String| errors.push(FieldError { field: field.into(), message });
        let name = named(&self.name, &mut refuse);
        let expires_at = self.end(ctx).map_err(|(field, message)| refuse(field, message)).ok();
        let permissions = match typed(&self.permissions) {
            Ok(permissions) => {
                let lacking = permissions.minus(ctx.access().everywhere());
                if permissions.is_empty() {
                    refuse("permission", "choose at least one.".into());
                } else if !lacking.is_empty() {
                    refuse(
                        "permission",
                        format!(
                            "you do not hold {lacking} for the whole organisation, and nobody gives what they do not hold."
                        ),
                    );
                }
                permissions
            }
            Err(Error::Invalid(found)) => {
                errors.extend(found);
                PermissionSet::EMPTY
            }
            Err(other) => return Err(other),
        };
        match expires_at {
            Some(expires_at) if errors.is_empty() => Ok(Parsed { name, permissions, expires_at }),
            _ => Err(Error::Invalid(errors)),
        }
    }

    fn end(&self, ctx: &TenantContext) -> Result<DateTime<Utc>, (&'static str, String)> {
        if self.expires != "date" {
            let days = self.expires.parse::<u16>().ok().filter(|days| SPANS.contains(days));
            let days = days.ok_or_else(|| ("expires", "choose how long the key holds.".to_owned()))?;
            return Ok(ctx.now() + TimeDelta::days(days.into()));
        }
        let (first, last) = (ctx.today(), ctx.today() + LONGEST);
        let refused = || ("expires_on", format!("use a day from {first} to {last}."));
        let day = self.expires_on.trim().parse::<NaiveDate>().map_err(|_| refused())?;
        if !(first..=last).contains(&day) {
            return Err(refused());
        }
        Ok(day_start(ctx.tenant().zone, day + TimeDelta::days(1)))
    }
}

/// A key that was made, with its secret, which nobody sees again.
#[derive(Debug)]
pub struct Made {
    /// Its id.
    pub id: ApiKeyId,
    /// Its name.
    pub name: String,
    /// What a program sends.
    pub secret: SecretString,
}

/// Makes a key of what its author holds.
pub async fn create(ctx: &TenantContext, new: &NewKey) -> Result<Made, Error> {
    let mut tx = ctx.begin(Permission::ApikeysManage, Resource::ApiKeys).await?;
    ctx.context().require_fresh()?;
    let Actor::Person(author) = ctx.context().actor() else {
        return Err(Error::Conflict("A key acts for a member, so a member makes it.".into()));
    };
    let Parsed { name, permissions, expires_at } = match new.parse(ctx) {
        Ok(parsed) => parsed,
        Err(error) => {
            tx.rollback().await?;
            let lacking = typed(&new.permissions).unwrap_or_default().minus(ctx.access().everywhere());
            if !lacking.is_empty() {
                let event = Event::new("api_key.create", "api_key", "new").outcome(Outcome::Denied);
                ctx.record(event.detail(format!("the actor does not hold {lacking}"))).await?;
            }
            return Err(error);
        }
    };
    // Two who make the last one at once would both find room.
    tx.lock(&format!("api keys {}", ctx.tenant().id)).await?;
    let live = sqlx::query_scalar!(
        r#"
        select count(*) as "count!"
        from api_key
        where revoked_at is null and created_by is not null and expires_at > $1
        "#,
        ctx.now()
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    if live >= MOST {
        return Err(Error::Conflict(format!(
            "This organisation has {live} keys, which is the most. Revoke one that nothing uses; then make this one."
        )));
    }
    let id = ApiKeyId::from(Uuid::now_v7());
    let (random, _) = token::generate();
    let secret = SecretString::from(format!("{BEGINNING}{}", random.expose_secret()));
    let prefix: String = secret.expose_secret().chars().take(SHOWN).collect();
    let hash = TokenHash::of(secret.expose_secret());
    let keys = permissions.keys();
    sqlx::query!(
        r#"
        insert into api_key (
          tenant_id, id, name, prefix, secret_hash, permissions, created_by, author_label, created_at, expires_at
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        "#,
        ctx.tenant().id.uuid(),
        id.uuid(),
        name,
        prefix,
        &hash.bytes()[..],
        &keys[..],
        author.id.uuid(),
        author.email.as_str(),
        ctx.now(),
        expires_at,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let event =
        Event::new("api_key.create", "api_key", id.to_string()).after(described(&name, &prefix, &keys, expires_at));
    tx.audit(event).await?;
    tx.commit().await?;
    Ok(Made { id, name, secret })
}

/// As the audit log writes it; never the key itself.
fn described(name: &str, prefix: &str, permissions: &[String], expires_at: DateTime<Utc>) -> Value {
    json!({ "name": name, "prefix": prefix, "permissions": permissions, "expires_at": expires_at })
}

/// Where a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Programs may show it.
    Live,
    /// Its author may not sign in; it rests until they may.
    Resting,
    /// Its time is over.
    Expired,
    /// Somebody revoked it.
    Revoked,
    /// Its author has left the tenant.
    Orphaned,
}

impl State {
    /// Name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Live => "Live",
            Self::Resting => "Author disabled",
            Self::Expired => "Expired",
            Self::Revoked => "Revoked",
            Self::Orphaned => "Author has left",
        }
    }
}

/// A key in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Id.
    pub id: ApiKeyId,
    /// Name for people.
    pub name: String,
    /// How it begins.
    pub prefix: String,
    /// As the audit log names what it does.
    pub label: String,
    /// What it was given.
    pub permissions: PermissionSet,
    /// What of it its author holds now.
    pub held: PermissionSet,
    /// Address of its author.
    pub author: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when it holds.
    pub expires_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Where it stands.
    pub state: State,
}

/// The keys of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Those that can be used first, the newest first.
    pub keys: Vec<Listed>,
    /// Requests that all of them may make in a minute; `None` is as many as wanted.
    pub requests_per_minute: Option<i64>,
}

/// The keys of the tenant, without what they are. That somebody looked stands in the audit log.
pub async fn list(ctx: &TenantContext) -> Result<Listing, Error> {
    let mut tx = ctx.begin_to_read(&[Permission::ApikeysManage], Resource::ApiKeys).await?;
    let now = ctx.now();
    let rows = sqlx::query!(
        r#"
        select
          api_key.id, api_key.name, api_key.prefix, api_key.permissions, api_key.created_by, api_key.author_label,
          api_key.created_at, api_key.expires_at, api_key.revoked_at, api_key.last_used_at,
          membership.role as "role?", membership.permissions as "extra?", custom_role.permissions as "role_permissions?",
          app_user.is_disabled as "is_disabled?"
        from api_key
        left join membership on membership.tenant_id = api_key.tenant_id and membership.user_id = api_key.created_by
        left join app_user on app_user.id = membership.user_id
        left join custom_role
          on custom_role.tenant_id = membership.tenant_id and custom_role.id = membership.role_id
        order by
          (api_key.revoked_at is null and api_key.created_by is not null and api_key.expires_at > $1) desc,
          api_key.created_at desc, api_key.id desc
        limit $2
        "#,
        now,
        LISTED,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let requests_per_minute = limit::most(&mut tx, ctx.tenant().id, Limit::ApiRequestsPerMinute).await?;
    // Who looked at what opens the tenant to programs is worth knowing, though no key is shown.
    tx.audit(Event::new("api_key.read", "api_key", "all")).await?;
    tx.commit().await?;
    let keys = rows
        .into_iter()
        .map(|row| {
            let permissions = known(&row.permissions);
            let held = match &row.role {
                Some(role) => {
                    let extra = row.extra.unwrap_or_default();
                    permissions.intersection(everywhere(role, &extra, row.role_permissions.as_deref())?)
                }
                None => PermissionSet::EMPTY,
            };
            let state = match (row.revoked_at, row.created_by, row.is_disabled) {
                (Some(_), ..) => State::Revoked,
                (None, None, _) => State::Orphaned,
                _ if row.expires_at <= now => State::Expired,
                (None, Some(_), Some(true)) => State::Resting,
                (None, Some(_), _) => State::Live,
            };
            Ok(Listed {
                id: row.id.into(),
                label: label(&row.name, &row.prefix),
                name: row.name,
                prefix: row.prefix,
                permissions,
                held,
                author: row.author_label,
                created_at: row.created_at,
                expires_at: row.expires_at,
                last_used_at: row.last_used_at,
                state,
            })
        })
        .collect::<Result<_, Error>>()?;
    Ok(Listing { keys, requests_per_minute })
}

/// Takes a key back, whoever made it; the next request that shows it is refused. Also in a tenant in which nothing else
/// changes: a key that leaked would go on reading.
pub async fn revoke(ctx: &TenantContext, id: ApiKeyId) -> Result<String, Error> {
    let mut tx = ctx.begin_to_stop(Permission::ApikeysManage, Resource::ApiKey(id)).await?;
    let row = sqlx::query!(
        r#"
        update api_key
        set revoked_at = $2, revoked_by = $3
        where tenant_id = $4 and id = $1 and revoked_at is null
        returning name, prefix, permissions, expires_at
        "#,
        id.uuid(),
        ctx.now(),
        ctx.context().actor().label(),
        ctx.tenant().id.uuid(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    let event = Event::new("api_key.revoke", "api_key", id.to_string()).before(described(
        &row.name,
        &row.prefix,
        &row.permissions,
        row.expires_at,
    ));
    tx.audit(event).await?;
    tx.commit().await?;
    Ok(row.name)
}
