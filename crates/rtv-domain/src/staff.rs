//! The operator's console: tenants and users as staff look them up, page by page, and what stands on the page of one. What
//! staff do with them has a file of its own: `tenant.rs`, `life_cycle.rs`, `user.rs`, `password_reset.rs`, `visit.rs`,
//! `maintenance.rs`.

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::{Email, Error, GivenRole, Plan, Slug, TenantStatus, UserId};

use crate::access::stored;
use crate::context::{Context, Tenant};
use crate::roster::given;
use crate::session::IDLE;
use crate::transaction::{StaffPermission, failed};
use crate::{tenant, visit};

/// Rows of a page.
pub const PAGE: usize = 50;
/// Visits on the page of a tenant.
const VISITS: i64 = 10;
/// Longest text that is searched for.
const LONGEST: usize = 200;

/// Which tenants are listed, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantFilter {
    /// Part of the name or the slug; empty for all.
    pub text: String,
    /// Key of a status; empty for all.
    pub status: String,
    /// Key of a plan; empty for all.
    pub plan: String,
    /// The slug of the last one that was seen; empty for the first page.
    pub after: String,
}

/// A tenant in the console's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantRow {
    /// Name in addresses.
    pub slug: Slug,
    /// Name for people.
    pub name: String,
    /// What it has bought.
    pub plan: Plan,
    /// Where it stands in its life.
    pub status: TenantStatus,
    /// Whether it is the operator's own.
    pub is_house: bool,
    /// Whether it posts to the sandbox network alone.
    pub is_sandbox: bool,
    /// How many members it has.
    pub members: i64,
    /// When a member was last there, to some minutes.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// What the next page begins after, if there is one.
    pub next: Option<String>,
}

/// What is searched for, so that it stands for itself in a pattern.
fn pattern(text: &str) -> String {
    let text: String = text.trim().chars().take(LONGEST).collect();
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

/// Cuts a page out of one row more than it holds.
fn cut<T>(mut rows: Vec<T>, key: impl Fn(&T) -> String) -> Listing<T> {
    let has_more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = rows.last().filter(|_| has_more).map(key);
    Listing { rows, next }
}

fn choice<T: core::str::FromStr>(field: &str, text: &str) -> Result<Option<T>, Error>
where
    T::Err: core::fmt::Display,
{
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|message: T::Err| Error::invalid(field, message.to_string()))
}

/// A page of the tenants by slug.
pub async fn tenants(ctx: &Context, filter: &TenantFilter) -> Result<Listing<TenantRow>, Error> {
    let status = choice::<TenantStatus>("status", &filter.status)?;
    let plan = choice::<Plan>("plan", &filter.plan)?;
    let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, None).await?;
    let rows = sqlx::query!(
        r#"
        select
          tenant.slug, tenant.name, tenant.plan, tenant.status, tenant.is_house, tenant.is_sandbox, tenant.created_at,
          (select count(*) from membership where membership.tenant_id = tenant.id) as "members!",
          (select max(last_seen_at) from member_visit where member_visit.tenant_id = tenant.id) as last_seen_at
        from tenant
        where tenant.slug > $1
          and (tenant.slug ilike $2 or tenant.name ilike $2)
          and ($3::text is null or tenant.status = $3)
          and ($4::text is null or tenant.plan = $4)
        order by tenant.slug
        limit $5
        "#,
        filter.after,
        pattern(&filter.text),
        status.map(TenantStatus::key),
        plan.map(Plan::key),
        i64::try_from(PAGE + 1).unwrap_or(i64::MAX),
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    let rows = rows
        .into_iter()
        .map(|row| {
            Ok(TenantRow {
                slug: stored(row.slug.parse())?,
                name: row.name,
                plan: stored(row.plan.parse())?,
                status: stored(row.status.parse())?,
                is_house: row.is_house,
                is_sandbox: row.is_sandbox,
                members: row.members,
                last_seen_at: row.last_seen_at,
                created_at: row.created_at,
            })
        })
        .collect::<Result<_, Error>>()?;
    Ok(cut(rows, |row: &TenantRow| row.slug.to_string()))
}

/// A tenant by its slug as an address has it. There is none: [`Error::NotFound`].
pub async fn find(ctx: &Context, slug: &str) -> Result<Tenant, Error> {
    let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, None).await?;
    let slug: Slug = slug.parse().map_err(|_| Error::NotFound)?;
    let found = tenant::find(&mut tx, &slug).await.map_err(|error| match error {
        Error::Invalid(_) => Error::NotFound,
        other => other,
    })?;
    tx.rollback().await?;
    Ok(found)
}

/// Who belongs to a tenant, as staff see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Id.
    pub id: UserId,
    /// Name for people.
    pub name: String,
    /// Sign-in address.
    pub email: Email,
    /// Their role.
    pub role: String,
    /// Whether they may sign in.
    pub is_disabled: bool,
    /// When they were last there, to some minutes.
    pub last_seen_at: Option<DateTime<Utc>>,
}

/// A tenant on a page of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneTenant {
    /// The tenant.
    pub tenant: Tenant,
    /// Counts its changes.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its status was changed last, and by whom, where staff did so.
    pub status_changed: Option<(DateTime<Utc>, String)>,
    /// Who belongs to it, owners first.
    pub members: Vec<Member>,
    /// The newest visits of staff.
    pub visits: Vec<visit::Listed>,
}

/// One tenant. That staff looked stands in its audit log. There is none of that name: [`Error::NotFound`].
pub async fn tenant(ctx: &Context, slug: &str) -> Result<OneTenant, Error> {
    let tenant = find(ctx, slug).await?;
    let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, Some(tenant.id)).await?;
    let row = sqlx::query!(
        "select version, created_at, status_changed_at, status_changed_by from tenant where id = $1",
        tenant.id.uuid()
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let members = sqlx::query!(
        r#"
        select
          app_user.id, app_user.name, app_user.email, app_user.is_disabled, membership.role, membership.role_id,
          custom_role.name as "role_name?", member_visit.last_seen_at as "last_seen_at?"
        from membership
        join app_user on app_user.id = membership.user_id
        left join custom_role on custom_role.tenant_id = membership.tenant_id and custom_role.id = membership.role_id
        left join member_visit
          on member_visit.tenant_id = membership.tenant_id and member_visit.user_id = membership.user_id
        where membership.tenant_id = $1
        order by membership.role <> 'owner', lower(app_user.name), app_user.id
        "#,
        tenant.id.uuid()
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let visits = visit::newest(&mut tx, ctx, tenant.id, VISITS).await?;
    // The tenant reads in its own log that somebody looked at its people.
    let event = crate::audit::Event::new("staff.look", "tenant", tenant.id.to_string());
    tx.audit(event.after(serde_json::json!({ "members": members.len() }))).await?;
    tx.commit().await?;
    let members = members
        .into_iter()
        .map(|row| {
            Ok(Member {
                id: row.id.into(),
                name: row.name,
                email: stored(row.email.parse())?,
                role: role_name(&row.role, row.role_id, row.role_name)?,
                is_disabled: row.is_disabled,
                last_seen_at: row.last_seen_at,
            })
        })
        .collect::<Result<_, Error>>()?;
    Ok(OneTenant {
        version: row.version,
        created_at: row.created_at,
        status_changed: row.status_changed_at.zip(row.status_changed_by),
        tenant,
        members,
        visits,
    })
}

fn role_name(role: &str, custom: Option<uuid::Uuid>, name: Option<String>) -> Result<String, Error> {
    Ok(match given(role, custom)? {
        GivenRole::BuiltIn(role) => role.label().to_owned(),
        GivenRole::Custom(_) => name.unwrap_or_else(|| "Custom role".into()),
    })
}

/// Which users are listed, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Part of the name or the address; empty for all.
    pub text: String,
    /// The address of the last one that was seen; empty for the first page.
    pub after: String,
}

/// A user in the console's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Id.
    pub id: UserId,
    /// Name for people.
    pub name: String,
    /// Sign-in address.
    pub email: Email,
    /// Whether they may sign in.
    pub is_disabled: bool,
    /// Whether they belong to the operator.
    pub is_staff: bool,
    /// Whether they give a code at sign-in.
    pub has_second_factor: bool,
    /// In how many tenants they are.
    pub tenants: i64,
}

/// A page of the users by address.
pub async fn users(ctx: &Context, filter: &UserFilter) -> Result<Listing<UserRow>, Error> {
    let mut tx = ctx.begin_staff(StaffPermission::UsersRead, None).await?;
    let rows = sqlx::query!(
        r#"
        select
          app_user.id, app_user.name, app_user.email, app_user.is_disabled, app_user.has_second_factor,
          exists (select 1 from staff_member where staff_member.user_id = app_user.id) as "is_staff!",
          (select count(*) from membership where membership.user_id = app_user.id) as "tenants!"
        from app_user
        where app_user.email > $1
          and (app_user.email ilike $2 or app_user.name ilike $2)
        order by app_user.email
        limit $3
        "#,
        filter.after,
        pattern(&filter.text),
        i64::try_from(PAGE + 1).unwrap_or(i64::MAX),
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    let rows = rows
        .into_iter()
        .map(|row| {
            Ok(UserRow {
                id: row.id.into(),
                name: row.name,
                email: stored(row.email.parse())?,
                is_disabled: row.is_disabled,
                is_staff: row.is_staff,
                has_second_factor: row.has_second_factor,
                tenants: row.tenants,
            })
        })
        .collect::<Result<_, Error>>()?;
    Ok(cut(rows, |row: &UserRow| row.email.to_string()))
}

/// Where a user belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Belonging {
    /// Slug of the tenant.
    pub slug: Slug,
    /// Its name.
    pub name: String,
    /// Where it stands in its life.
    pub status: TenantStatus,
    /// Their role.
    pub role: String,
    /// When they were last there, to some minutes.
    pub last_seen_at: Option<DateTime<Utc>>,
}

/// A user on a page of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneUser {
    /// Id.
    pub id: UserId,
    /// Name for people.
    pub name: String,
    /// Sign-in address.
    pub email: Email,
    /// Whether they may sign in.
    pub is_disabled: bool,
    /// Whether they belong to the operator.
    pub is_staff: bool,
    /// Whether they give a code at sign-in.
    pub has_second_factor: bool,
    /// When they were created.
    pub created_at: DateTime<Utc>,
    /// Their sessions that are alive.
    pub sessions: i64,
    /// When the newest of them was used.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Where they belong.
    pub belongings: Vec<Belonging>,
}

/// One user. How many sessions somebody has is nobody else's business, so that it was looked at stands in the operator's
/// log. There is none: [`Error::NotFound`].
pub async fn user(ctx: &Context, id: UserId) -> Result<OneUser, Error> {
    let mut tx = ctx.begin_staff(StaffPermission::UsersRead, None).await?;
    let row = sqlx::query!(
        r#"
        select
          name, email, is_disabled, has_second_factor, created_at,
          exists (select 1 from staff_member where staff_member.user_id = app_user.id) as "is_staff!"
        from app_user
        where id = $1
        "#,
        id.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    let now = ctx.now();
    let sessions = sqlx::query!(
        r#"
        select count(*) as "count!", max(last_used_at) as last_used_at
        from session
        where user_id = $1 and expires_at > $2 and last_used_at > $3
        "#,
        id.uuid(),
        now,
        now - IDLE,
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let belongings = sqlx::query!(
        r#"
        select
          tenant.slug, tenant.name, tenant.status, membership.role, membership.role_id,
          member_visit.last_seen_at as "last_seen_at?"
        from membership
        join tenant on tenant.id = membership.tenant_id
        left join member_visit
          on member_visit.tenant_id = membership.tenant_id and member_visit.user_id = membership.user_id
        where membership.user_id = $1
        order by tenant.slug
        "#,
        id.uuid()
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let event = crate::audit::Event::new("user.look", "user", id.to_string())
        .after(serde_json::json!({ "email": row.email, "sessions": sessions.count }));
    tx.audit(event).await?;
    tx.commit().await?;
    let belongings = belongings
        .into_iter()
        .map(|row| {
            Ok(Belonging {
                slug: stored(row.slug.parse())?,
                name: row.name,
                status: stored(row.status.parse())?,
                role: role_name(&row.role, row.role_id, None)?,
                last_seen_at: row.last_seen_at,
            })
        })
        .collect::<Result<_, Error>>()?;
    Ok(OneUser {
        id,
        name: row.name,
        email: stored(row.email.parse())?,
        is_disabled: row.is_disabled,
        is_staff: row.is_staff,
        has_second_factor: row.has_second_factor,
        created_at: row.created_at,
        sessions: sessions.count,
        last_used_at: sessions.last_used_at,
        belongings,
    })
}

/// Address of a user for what is done by address.
pub async fn email_of(ctx: &Context, id: UserId) -> Result<Email, Error> {
    let mut tx = ctx.begin_staff(StaffPermission::UsersRead, None).await?;
    let email = sqlx::query_scalar!("select email from app_user where id = $1", id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or(Error::NotFound)?;
    tx.rollback().await?;
    stored(email.parse())
}

/// How many tenants and users there are, and in how many tenants somebody was within a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Tenants.
    pub tenants: i64,
    /// Those in which a member was within a day.
    pub lively: i64,
    /// Those that are suspended.
    pub suspended: i64,
}

/// The counts above the list of tenants.
pub async fn counts(ctx: &Context) -> Result<Counts, Error> {
    let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, None).await?;
    let row = sqlx::query!(
        r#"
        select
          count(*) as "tenants!",
          count(*) filter (where status = 'suspended') as "suspended!",
          (select count(distinct tenant_id) from member_visit where last_seen_at > $1) as "lively!"
        from tenant
        "#,
        ctx.now() - TimeDelta::days(1)
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(Counts { tenants: row.tenants, lively: row.lively, suspended: row.suspended })
}
