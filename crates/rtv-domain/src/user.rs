//! People as the operator keeps them: create one with a password, make them a member or staff, and list them.

use chrono::{DateTime, Utc};
use rtv_core::{Email, Error, FieldError, GivenRole, Limit, Role, Slug, TenantId, UserId};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use crate::access::stored;
use crate::audit::Event;
use crate::context::{Context, Tenant};
use crate::limit;
use crate::password::{self, Passwords};
use crate::roster::{given, take_turn};
use crate::transaction::{StaffPermission, Tx, failed, violated};

/// Where a new person belongs.
#[derive(Debug, Clone)]
pub enum Belongs {
    /// Member of a tenant with a built-in role, as typed.
    Tenant {
        /// Slug of the tenant.
        slug: String,
        /// Key of the role.
        role: String,
    },
    /// The operator.
    Staff,
}

/// A person in the operator's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Id.
    pub id: UserId,
    /// Sign-in address.
    pub email: Email,
    /// Name for people.
    pub name: String,
    /// Whether they may sign in.
    pub is_disabled: bool,
    /// Whether they belong to the operator.
    pub is_staff: bool,
    /// When they were created.
    pub created_at: DateTime<Utc>,
    /// Their role, when the list is of one tenant.
    pub role: Option<GivenRole>,
    /// Its name for people.
    pub role_name: Option<String>,
}

/// Creates a person with a password and a place. An address that exists already becomes a member of the tenant too and
/// keeps its password; the answer says so.
pub async fn create(
    ctx: &Context,
    passwords: &Passwords,
    email: &str,
    name: Option<&str>,
    password: &SecretString,
    belongs: Belongs,
) -> Result<(UserId, bool), Error> {
    let mut errors = Vec::new();
    let mut refuse = |field: &str, message: String| errors.push(FieldError { field: field.into(), message });
    let email = email.parse::<Email>().map_err(|message| refuse("email", message)).ok();
    let name = name.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
    if name.as_ref().is_some_and(|name| name.chars().count() > 120 || name.chars().any(char::is_control)) {
        refuse("name", "use 1 to 120 characters without line breaks".into());
    }
    let place = match &belongs {
        Belongs::Tenant { slug, role } => {
            let slug = slug.parse::<Slug>().map_err(|message| refuse("tenant", message)).ok();
            let role = role.parse::<Role>().map_err(|message| refuse("role", message)).ok();
            slug.zip(role)
        }
        Belongs::Staff => None,
    };
    let Some(email) = email.filter(|_| errors.is_empty()) else { return Err(Error::Invalid(errors)) };
    let local = email.as_str().split('@').next().unwrap_or_default().to_owned();
    let name = name.unwrap_or_else(|| local.clone());

    let tenant = match &place {
        Some((slug, role)) => {
            let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, None).await?;
            let tenant = crate::tenant::find(&mut tx, slug).await?;
            tx.rollback().await?;
            Some((tenant, *role))
        }
        None => None,
    };
    let mut tx = ctx.begin_staff(StaffPermission::UsersRead, None).await?;
    let existing = sqlx::query_scalar!("select id from app_user where email = $1", email.as_str())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    tx.rollback().await?;
    let is_new = existing.is_none();
    let hash = if is_new {
        password::refuse_weak(password, &[&local, &name])?;
        Some(passwords.hash(password).await?)
    } else {
        None
    };

    let mut tx = ctx.begin_staff(StaffPermission::UsersCreate, tenant.as_ref().map(|(tenant, _)| tenant.id)).await?;
    let id = UserId::from(existing.unwrap_or_else(Uuid::now_v7));
    if let Some(hash) = hash {
        insert(&mut tx, NewPerson { id, email: &email, name: &name, hash: &hash, is_sample: false }, ctx.now()).await?;
    }
    match &tenant {
        Some((tenant, role)) => {
            add_member(&mut tx, tenant, id, *role, ctx.now()).await.map_err(|error| match error {
                Error::Conflict(_) => {
                    Error::invalid("email", format!("{email} is a member of {} already", tenant.slug))
                }
                other => other,
            })?;
            limit::refuse_over(&mut tx, tenant.id, &[Limit::Users]).await?;
            let after = json!({ "email": email, "name": name, "role": role, "is_new": is_new });
            tx.audit(Event::new("member.add", "user", id.to_string()).after(after)).await?;
        }
        None => {
            add_staff(&mut tx, id).await.map_err(|error| match error {
                Error::Conflict(_) => Error::invalid("email", format!("{email} is staff already")),
                other => other,
            })?;
            let after = json!({ "email": email, "name": name, "is_new": is_new });
            tx.audit(Event::new("staff.add", "user", id.to_string()).after(after)).await?;
        }
    }
    tx.commit().await?;
    Ok((id, is_new))
}

/// A person who is not stored yet.
pub(crate) struct NewPerson<'a> {
    pub(crate) id: UserId,
    pub(crate) email: &'a Email,
    pub(crate) name: &'a str,
    pub(crate) hash: &'a str,
    /// Whether the demo makes them, so that everybody knows their password.
    pub(crate) is_sample: bool,
}

/// Stores a person with the hash of their password.
pub(crate) async fn insert(tx: &mut Tx, person: NewPerson<'_>, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "insert into app_user (id, email, name, is_sample, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)",
        person.id.uuid(),
        person.email.as_str(),
        person.name,
        person.is_sample,
        now
    )
    .execute(tx.connection())
    .await
    .map_err(|error| match violated(&error) {
        Some("app_user_email_unique") => {
            Error::Conflict(format!("{} was created by somebody else just now. Run the command again.", person.email))
        }
        _ => failed(error),
    })?;
    sqlx::query!("insert into user_credential (user_id, password_hash) values ($1, $2)", person.id.uuid(), person.hash)
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    Ok(())
}

/// Makes a person a member; who is one already is a [`Error::Conflict`].
pub(crate) async fn add_member(
    tx: &mut Tx,
    tenant: &Tenant,
    user: UserId,
    role: Role,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into membership (tenant_id, user_id, role, created_at) values ($1, $2, $3, $4)",
        tenant.id.uuid(),
        user.uuid(),
        role.key(),
        now
    )
    .execute(tx.connection())
    .await
    .map_err(|error| match violated(&error) {
        Some("membership_key") => Error::Conflict("this person is a member already".into()),
        _ => failed(error),
    })?;
    Ok(())
}

/// Makes a person one of the operator's; who is one already is a [`Error::Conflict`].
pub(crate) async fn add_staff(tx: &mut Tx, user: UserId) -> Result<(), Error> {
    sqlx::query!("insert into staff_member (user_id) values ($1)", user.uuid())
        .execute(tx.connection())
        .await
        .map_err(|error| match violated(&error) {
            Some("staff_member_pkey") => Error::Conflict("this person is staff already".into()),
            _ => failed(error),
        })?;
    Ok(())
}

/// All people by address, or those of one tenant.
pub async fn list(ctx: &Context, tenant: Option<&Slug>) -> Result<Vec<Listed>, Error> {
    let mut tx = ctx.begin_staff(StaffPermission::UsersRead, None).await?;
    let tenant = match tenant {
        Some(slug) => Some(crate::tenant::find(&mut tx, slug).await?.id),
        None => None,
    };
    tx.rollback().await?;
    let mut tx = ctx.begin_staff(StaffPermission::UsersRead, tenant).await?;
    let rows = sqlx::query!(
        r#"
        select
          app_user.id, app_user.email, app_user.name, app_user.is_disabled, app_user.created_at,
          exists (select 1 from staff_member where staff_member.user_id = app_user.id) as "is_staff!",
          membership.role as "role?", membership.role_id as "role_id?", custom_role.name as "role_name?"
        from app_user
        left join membership on membership.user_id = app_user.id and membership.tenant_id = $1
        left join custom_role
          on custom_role.tenant_id = membership.tenant_id and custom_role.id = membership.role_id
        where $1::uuid is null or membership.user_id is not null
        order by app_user.email
        "#,
        tenant.map(rtv_core::TenantId::uuid)
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    rows.into_iter()
        .map(|row| {
            let role = row.role.map(|role| given(&role, row.role_id)).transpose()?;
            let built_in = role.and_then(|role| match role {
                GivenRole::BuiltIn(role) => Some(role.label().to_owned()),
                GivenRole::Custom(_) => None,
            });
            Ok(Listed {
                role,
                role_name: built_in.or(row.role_name),
                id: row.id.into(),
                email: stored(row.email.parse())?,
                name: row.name,
                is_disabled: row.is_disabled,
                is_staff: row.is_staff,
                created_at: row.created_at,
            })
        })
        .collect()
}

/// Keeps a person from signing in, or lets them again. Disabling ends their sessions; it is refused while a tenant would be left
/// without an owner who can sign in. Returns whether anything was changed.
pub async fn set_disabled(ctx: &Context, email: &str, is_disabled: bool) -> Result<bool, Error> {
    let email = email.parse::<Email>().map_err(|message| Error::invalid("email", message))?;
    let mut tx = ctx.begin_staff(StaffPermission::UsersDisable, None).await?;
    let id = sqlx::query_scalar!("select id from app_user where email = $1", email.as_str())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or_else(|| Error::invalid("email", format!("there is nobody with the address {email}")))?;
    if is_disabled && ctx.actor().user_id() == Some(id.into()) {
        return Err(Error::Conflict("You cannot disable yourself. Ask somebody else of the operator.".into()));
    }
    let tenants = tenants_of(&mut tx, id).await?;
    // In one order, so that two of these wait for each other and do not both wait.
    for tenant in &tenants {
        take_turn(&mut tx, *tenant).await?;
    }
    if is_disabled {
        let alone = sqlx::query_scalar!(
            r#"
            select tenant.slug
            from membership
            join tenant on tenant.id = membership.tenant_id
            where membership.user_id = $1
              and membership.role = 'owner'
              and not exists (
                select 1
                from membership as other
                join app_user on app_user.id = other.user_id
                where other.tenant_id = membership.tenant_id
                  and other.role = 'owner'
                  and other.user_id <> $1
                  and not app_user.is_disabled
              )
            order by tenant.slug
            "#,
            id
        )
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
        if !alone.is_empty() {
            return Err(Error::Conflict(format!(
                "{email} is the last owner who can sign in of {}. Make somebody else an owner there first.",
                alone.join(", ")
            )));
        }
    }
    let changed = sqlx::query!(
        "update app_user set is_disabled = $2, updated_at = $3 where id = $1 and is_disabled <> $2",
        id,
        is_disabled,
        ctx.now()
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    if changed == 0 {
        tx.rollback().await?;
        return Ok(false);
    }
    let mut ended = 0;
    if is_disabled {
        ended = sqlx::query!("delete from session where user_id = $1", id)
            .execute(tx.connection())
            .await
            .map_err(failed)?
            .rows_affected();
    }
    let action = if is_disabled { "user.disable" } else { "user.enable" };
    let event = Event::new(action, "user", UserId::from(id).to_string())
        .before(json!({ "email": email, "disabled": !is_disabled }))
        .after(json!({ "email": email, "disabled": is_disabled, "sessions_ended": ended }));
    tx.audit_sign_in(ctx.actor(), &tenants, &event).await?;
    tx.commit().await?;
    Ok(true)
}

async fn tenants_of(tx: &mut Tx, user: Uuid) -> Result<Vec<TenantId>, Error> {
    let tenants = sqlx::query_scalar!("select tenant_id from membership where user_id = $1 order by tenant_id", user)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    Ok(tenants.into_iter().map(TenantId::from).collect())
}

/// Ends all sessions of a person. They may sign in again. Returns how many ended.
pub async fn end_sessions(ctx: &Context, id: UserId) -> Result<u64, Error> {
    let mut tx = ctx.begin_staff(StaffPermission::UsersSignOut, None).await?;
    let email = sqlx::query_scalar!("select email from app_user where id = $1", id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or(Error::NotFound)?;
    let tenants = tenants_of(&mut tx, id.uuid()).await?;
    let ended = sqlx::query!("delete from session where user_id = $1", id.uuid())
        .execute(tx.connection())
        .await
        .map_err(failed)?
        .rows_affected();
    let event =
        Event::new("session.end_all", "user", id.to_string()).after(json!({ "email": email, "sessions_ended": ended }));
    tx.audit_sign_in(ctx.actor(), &tenants, &event).await?;
    tx.commit().await?;
    Ok(ended)
}
