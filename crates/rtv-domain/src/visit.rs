//! Visits of staff to a tenant. Whoever belongs to the operator and not to the tenant begins one, says why, and may then
//! read the tenant's pages for an hour; without one the tenant does not exist for them. A visit changes nothing and takes
//! no files out. Its beginning, its end and every sensitive reading during it stand in the tenant's audit log.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::{Error, Permission, Slug, TenantId, VisitId};
use serde_json::json;
use uuid::Uuid;

use crate::access::{self, stored};
use crate::audit::Event;
use crate::context::{Access, Context, TenantContext};
use crate::maintenance::parse_reason;
use crate::transaction::{Resource, StaffPermission, Tx, WorkKind, failed};
use crate::{staff, tenant};

/// How long a visit lasts at most.
pub const LASTS: TimeDelta = TimeDelta::minutes(60);

/// A visit that is going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Id.
    pub id: VisitId,
    /// Why, in the visitor's words.
    pub reason: String,
    /// When it ends by itself.
    pub ends_at: DateTime<Utc>,
}

impl Visit {
    /// What a visitor may ask for in order to look at it: everything but what is secret, also where members could change it.
    pub const fn shows(permission: Permission) -> bool {
        !matches!(
            permission,
            Permission::SecretsManage | Permission::ApikeysManage | Permission::SsoManage | Permission::WebhooksManage
        ) && !takes_out(permission)
    }

    /// What a visitor may do: look, and take nothing out.
    pub const fn allows(permission: Permission) -> bool {
        permission.only_reads() && !takes_out(permission)
    }
}

const fn takes_out(permission: Permission) -> bool {
    matches!(permission, Permission::AnalyticsExport | Permission::ExportsCreate | Permission::AuditExport)
}

/// Begins a visit. One that the visitor had in the same tenant ends with it. A member needs none.
pub async fn begin(ctx: &Context, slug: &str, reason: &str) -> Result<Visit, Error> {
    let person = access::staff(ctx)?;
    let tenant = staff::find(ctx, slug).await?;
    let reason = parse_reason(reason)?;
    let mut tx = ctx.begin_staff(StaffPermission::VisitBegin, Some(tenant.id)).await?;
    let is_member = sqlx::query_scalar!(
        r#"select exists (select 1 from membership where tenant_id = $1 and user_id = $2) as "exists!""#,
        tenant.id.uuid(),
        person.id.uuid(),
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    if is_member {
        return Err(Error::Conflict(format!("You are a member of “{slug}”: open its pages without a visit.")));
    }
    let open = sqlx::query_scalar!(
        "select id from staff_visit where tenant_id = $1 and user_id = $2 and ended_at is null",
        tenant.id.uuid(),
        person.id.uuid(),
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    for id in open {
        close(&mut tx, tenant.id, id, ctx.now(), "another visit began").await?;
    }
    let visit = Visit { id: VisitId::from(Uuid::now_v7()), reason, ends_at: ctx.now() + LASTS };
    sqlx::query!(
        r#"
        insert into staff_visit (tenant_id, id, user_id, visitor, reason, began_at, ends_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        "#,
        tenant.id.uuid(),
        visit.id.uuid(),
        person.id.uuid(),
        person.email.as_str(),
        visit.reason,
        ctx.now(),
        visit.ends_at,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let event = Event::new("staff.visit.begin", "staff_visit", visit.id.to_string())
        .after(json!({ "visitor": person.email, "reason": visit.reason, "ends_at": visit.ends_at }));
    tx.audit(event).await?;
    tx.commit().await?;
    Ok(visit)
}

/// Ends one of the visitor's own visits, and answers with the tenant's slug. One that is over, or of somebody else:
/// [`Error::NotFound`].
pub async fn end(ctx: &Context, id: VisitId) -> Result<Slug, Error> {
    access::staff(ctx)?;
    let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, None).await?;
    let row = sqlx::query!(
        r#"
        select staff_visit.tenant_id, tenant.slug
        from staff_visit
        join tenant on tenant.id = staff_visit.tenant_id
        where staff_visit.id = $1 and staff_visit.ended_at is null
        "#,
        id.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    tx.rollback().await?;
    let tenant = TenantId::from(row.tenant_id);
    let mut tx = ctx.begin_staff(StaffPermission::VisitEnd, Some(tenant)).await?;
    close(&mut tx, tenant, id.uuid(), ctx.now(), "the visitor ended it").await?;
    tx.commit().await?;
    stored(row.slug.parse())
}

/// Ends a visit in a transaction of its tenant, unless somebody else has just done so.
async fn close(tx: &mut Tx, tenant: TenantId, id: Uuid, now: DateTime<Utc>, why: &str) -> Result<(), Error> {
    let row = sqlx::query!(
        r#"
        update staff_visit
        set ended_at = greatest(began_at, least($3, ends_at))
        where tenant_id = $1 and id = $2 and ended_at is null
        returning visitor, reason, ended_at as "ended_at!"
        "#,
        tenant.uuid(),
        id,
        now,
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let Some(row) = row else { return Ok(()) };
    let event = Event::new("staff.visit.end", "staff_visit", VisitId::from(id).to_string())
        .detail(why)
        .after(json!({ "visitor": row.visitor, "reason": row.reason, "ended_at": row.ended_at }));
    tx.audit(event).await
}

/// Enters a tenant for a visit that is going on; without one the tenant does not exist.
pub(crate) async fn enter(ctx: &Context, slug: &Slug) -> Result<TenantContext, Error> {
    let person = access::staff(ctx)?;
    let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, None).await?;
    let row = sqlx::query!(
        r#"
        select staff_visit.id, staff_visit.reason, staff_visit.ends_at
        from staff_visit
        join tenant on tenant.id = staff_visit.tenant_id
        where staff_visit.user_id = $1 and tenant.slug = $2 and staff_visit.ended_at is null and staff_visit.ends_at > $3
        order by staff_visit.began_at desc
        limit 1
        "#,
        person.id.uuid(),
        slug.as_str(),
        ctx.now(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    let tenant = tenant::find(&mut tx, slug).await?;
    let read_only = access::read_only(&tenant, &tx);
    tx.rollback().await?;
    // What a tenant asks of its members it may expect of a visitor.
    if tenant.mfa_required && !person.has_second_factor {
        return Err(Error::SecondFactorMissing);
    }
    Ok(TenantContext {
        context: ctx.clone(),
        tenant: Arc::new(tenant),
        access: Access::Visit(Arc::new(Visit { id: row.id.into(), reason: row.reason, ends_at: row.ends_at })),
        last_seen_at: None,
        read_only,
        narrowed: Vec::new(),
    })
}

/// A visit in the list of a tenant's newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Id.
    pub id: VisitId,
    /// Who.
    pub visitor: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub began_at: DateTime<Utc>,
    /// Until when, at most.
    pub ends_at: DateTime<Utc>,
    /// When it was ended; a visit whose time is over has ended even if this is not written yet.
    pub ended_at: Option<DateTime<Utc>>,
    /// Whether it is the visit of who asks.
    pub is_own: bool,
}

/// The newest visits to a tenant, in a transaction of that tenant.
pub(crate) async fn newest(tx: &mut Tx, ctx: &Context, tenant: TenantId, count: i64) -> Result<Vec<Listed>, Error> {
    let rows = sqlx::query!(
        r#"
        select id, user_id, visitor, reason, began_at, ends_at, ended_at
        from staff_visit
        where tenant_id = $1
        order by began_at desc, id desc
        limit $2
        "#,
        tenant.uuid(),
        count
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let now = ctx.now();
    let own = ctx.actor().user_id().map(rtv_core::UserId::uuid);
    let listed = |ended_at: Option<DateTime<Utc>>, ends_at| ended_at.or_else(|| (ends_at <= now).then_some(ends_at));
    Ok(rows
        .into_iter()
        .map(|row| Listed {
            id: row.id.into(),
            visitor: row.visitor,
            reason: row.reason,
            began_at: row.began_at,
            ends_at: row.ends_at,
            ended_at: listed(row.ended_at, row.ends_at),
            is_own: Some(row.user_id) == own,
        })
        .collect())
}

/// Writes the end of visits whose time is over. Returns how many there were.
pub async fn sweep(ctx: &Context) -> Result<u64, Error> {
    let mut tx = ctx.begin_worker(WorkKind::Sweep).await?;
    let over =
        sqlx::query!("select tenant_id, id from staff_visit where ended_at is null and ends_at <= $1", ctx.now())
            .fetch_all(tx.connection())
            .await
            .map_err(failed)?;
    tx.rollback().await?;
    let mut ended = 0;
    for row in over {
        let inside = access::enter_to_work(ctx, row.tenant_id.into()).await?;
        let mut tx = inside.begin_to_tidy(Permission::AuditRead, Resource::Tenant).await?;
        close(&mut tx, row.tenant_id.into(), row.id, ctx.now(), "its time was over").await?;
        tx.commit().await?;
        ended += 1;
    }
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_sees_everything_but_secrets_and_does_nothing() {
        for permission in Permission::ALL {
            let is_secret = matches!(permission.area(), "secrets" | "apikeys" | "sso" | "webhooks");
            let takes_out = permission.key().ends_with(":export") || *permission == Permission::ExportsCreate;
            assert_eq!(Visit::shows(*permission), !is_secret && !takes_out, "{permission}");
            assert_eq!(Visit::allows(*permission), permission.only_reads() && !takes_out, "{permission}");
        }
    }
}
