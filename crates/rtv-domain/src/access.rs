//! Which tenants an actor may enter, and entering one. A tenant that the actor may not know of does not exist for
//! them: both answer [`Error::NotFound`].

use std::sync::Arc;

use rtv_core::{Error, Plan, Role, Slug, TenantId, TenantStatus};
use serde_json::json;

use crate::audit::Event;
use crate::context::{Access, Actor, Context, TenantContext};
use crate::tenant::TenantRow;
use crate::transaction::{StaffPermission, Tx, failed};

/// A tenant that the person belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Name in addresses.
    pub slug: Slug,
    /// Name for people.
    pub name: String,
    /// What it has bought.
    pub plan: Plan,
    /// Where it stands in its life.
    pub status: TenantStatus,
    /// The person's role in it.
    pub role: Role,
}

/// The person's tenants by name; empty for somebody who belongs to none.
pub async fn memberships(ctx: &Context) -> Result<Vec<Membership>, Error> {
    let user = ctx.actor().user_id().ok_or(Error::SignedOut)?;
    let mut tx = ctx.begin_person().await?;
    let rows = sqlx::query!(
        r#"
        select tenant.slug, tenant.name, tenant.plan, tenant.status, membership.role
        from membership
        join tenant on tenant.id = membership.tenant_id
        where membership.user_id = $1
        order by tenant.name, tenant.id
        "#,
        user.uuid()
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    rows.into_iter()
        .map(|row| {
            Ok(Membership {
                slug: stored(row.slug.parse())?,
                name: row.name,
                plan: stored(row.plan.parse())?,
                status: stored(row.status.parse())?,
                role: stored(row.role.parse())?,
            })
        })
        .collect()
}

/// Enters a tenant as one of its members. Nobody signed in: [`Error::SignedOut`]; no such tenant, or one of others:
/// [`Error::NotFound`].
pub async fn enter(ctx: &Context, slug: &str) -> Result<TenantContext, Error> {
    let user = ctx.actor().user_id().ok_or(Error::SignedOut)?;
    let slug: Slug = slug.parse().map_err(|_| Error::NotFound)?;
    let mut tx = ctx.begin_person().await?;
    let mut row = sqlx::query_as!(
        TenantRow,
        r#"
        select
          tenant.id, tenant.slug, tenant.name, tenant.plan, tenant.status, tenant.is_house, tenant.time_zone, tenant.locale,
          tenant.currency, tenant.week_start, tenant.brand_hue, tenant.brand_chroma, tenant.created_at,
          tenant.is_sample, tenant.sample_until is not null as "has_sample_data!", membership.role as "role?"
        from membership
        join tenant on tenant.id = membership.tenant_id
        where membership.user_id = $1 and tenant.slug = $2
        "#,
        user.uuid(),
        slug.as_str()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    tx.rollback().await?;
    let role = row.role.take().ok_or(Error::NotFound)?;
    Ok(TenantContext {
        context: ctx.clone(),
        tenant: Arc::new(row.try_into()?),
        access: Access::Member(stored(role.parse())?),
    })
}

/// Enters a tenant as the operator. The tenant sees the visit and its reason in its audit log.
pub async fn enter_as_operator(ctx: &Context, slug: &Slug, reason: &str) -> Result<TenantContext, Error> {
    let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, None).await?;
    let tenant = crate::tenant::find(&mut tx, slug).await?;
    tx.rollback().await?;
    let mut tx: Tx = ctx.begin_staff(StaffPermission::TenantEnter, Some(tenant.id)).await?;
    let event = Event::new("staff.enter", "tenant", tenant.id.to_string()).after(json!({ "reason": reason }));
    tx.audit(event).await?;
    tx.commit().await?;
    Ok(TenantContext { context: ctx.clone(), tenant: Arc::new(tenant), access: Access::Operator })
}

/// The person, if they belong to the operator. To everybody else the console does not exist: [`Error::NotFound`].
pub fn staff(ctx: &Context) -> Result<&crate::session::Person, Error> {
    ctx.person().filter(|person| person.is_staff).ok_or(Error::NotFound)
}

/// Enters a tenant to do work that one of its members has asked for. Only RTV itself works so; a tenant that is gone
/// is [`Error::NotFound`].
pub(crate) async fn enter_to_work(ctx: &Context, tenant: TenantId) -> Result<TenantContext, Error> {
    if !matches!(ctx.actor(), Actor::System(_)) {
        return Err(Error::NotFound);
    }
    let mut tx = ctx.begin_work(tenant).await?;
    let tenant = crate::tenant::find_by_id(&mut tx, tenant).await?;
    tx.rollback().await?;
    Ok(TenantContext { context: ctx.clone(), tenant: Arc::new(tenant), access: Access::Work })
}

/// A word of ours that the database gives back. One that this version does not know is a fault of ours.
pub(crate) fn stored<T, E: core::fmt::Display>(parsed: Result<T, E>) -> Result<T, Error> {
    parsed.map_err(|error| {
        tracing::error!(%error, "the database holds a value that this version does not know");
        Error::Internal
    })
}
