//! Which tenants an actor may enter, and entering one. A tenant that the actor may not know of does not exist for
//! them: both answer [`Error::NotFound`].

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use rtv_core::{Error, GivenRole, Plan, ReadOnly, Slug, TenantId, TenantStatus, UserId};
use serde_json::json;
use uuid::Uuid;

use crate::audit::{Event, Outcome};
use crate::context::{Access, Actor, Context, Tenant, TenantContext};
use crate::effective_access::{Holding, NamedRole, Share};
use crate::roster::{given, known};
use crate::tenant::TenantRow;
use crate::transaction::{StaffPermission, Tx, failed};
use crate::visit;

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
    /// What the person holds in it.
    pub holding: Holding,
}

/// The person's tenants by name; empty for somebody who belongs to none.
pub async fn memberships(ctx: &Context) -> Result<Vec<Membership>, Error> {
    let user = ctx.actor().user_id().ok_or(Error::SignedOut)?;
    let mut tx = ctx.begin_person().await?;
    let rows = sqlx::query!(
        r#"
        select
          tenant.id, tenant.slug, tenant.name, tenant.plan, tenant.status, membership.role, membership.role_id,
          membership.permissions, custom_role.name as "role_name?", custom_role.permissions as "role_permissions?"
        from membership
        join tenant on tenant.id = membership.tenant_id
        left join custom_role
          on custom_role.tenant_id = membership.tenant_id and custom_role.id = membership.role_id
        where membership.user_id = $1
        order by tenant.name, tenant.id
        "#,
        user.uuid()
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let mut shares = shares(&mut tx, user, None).await?;
    tx.rollback().await?;
    rows.into_iter()
        .map(|row| {
            let tenant = TenantId::from(row.id);
            let theirs = shares.extract_if(.., |(of, _)| *of == tenant).map(|(_, share)| share).collect();
            Ok(Membership {
                slug: stored(row.slug.parse())?,
                name: row.name,
                plan: stored(row.plan.parse())?,
                status: stored(row.status.parse())?,
                holding: Holding {
                    role: named(&row.role, row.role_id, row.role_name, row.role_permissions)?,
                    extra: known(&row.permissions),
                    shares: theirs,
                },
            })
        })
        .collect()
}

/// Enters a tenant as one of its members, with what they hold there now: two queries; or for a visit of staff that is going
/// on. Nobody signed in: [`Error::SignedOut`]; no such tenant, or one of others: [`Error::NotFound`]; from a network that it
/// does not allow: [`Error::AddressNotAllowed`]; after a longer pause than it allows: [`Error::SessionIdle`]; one that asks
/// for a second factor which the person does not have: [`Error::SecondFactorMissing`].
pub async fn enter(ctx: &Context, slug: &str) -> Result<TenantContext, Error> {
    let person = ctx.person().ok_or(Error::SignedOut)?;
    let slug: Slug = slug.parse().map_err(|_| Error::NotFound)?;
    let mut tx = ctx.begin_person().await?;
    let row = sqlx::query!(
        r#"
        select
          tenant.id, tenant.slug, tenant.name, tenant.plan, tenant.status, tenant.status_reason, tenant.is_house,
          tenant.time_zone, tenant.locale,
          tenant.currency, tenant.week_start, tenant.brand_hue, tenant.brand_chroma, tenant.created_at,
          tenant.is_sample, tenant.sample_until is not null as "has_sample_data!", tenant.mfa_required,
          tenant.session_timeout_minutes, tenant.ip_ranges, tenant.over_limits, tenant.is_sandbox, tenant.logo_version,
          membership.role, membership.role_id, membership.permissions,
          custom_role.name as "role_name?", custom_role.permissions as "role_permissions?",
          member_visit.last_seen_at as "last_seen_at?"
        from membership
        join tenant on tenant.id = membership.tenant_id
        left join custom_role
          on custom_role.tenant_id = membership.tenant_id and custom_role.id = membership.role_id
        left join member_visit
          on member_visit.tenant_id = membership.tenant_id and member_visit.user_id = membership.user_id
        where membership.user_id = $1 and tenant.slug = $2
        "#,
        person.id.uuid(),
        slug.as_str()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let Some(row) = row else {
        tx.rollback().await?;
        return visit::enter(ctx, &slug).await;
    };
    let shares = shares(&mut tx, person.id, Some(row.id.into())).await?;
    let holding = Holding {
        role: named(&row.role, row.role_id, row.role_name, row.role_permissions)?,
        extra: known(&row.permissions),
        shares: shares.into_iter().map(|(_, share)| share).collect(),
    };
    let tenant = TenantRow {
        id: row.id,
        slug: row.slug,
        name: row.name,
        plan: row.plan,
        status: row.status,
        status_reason: row.status_reason,
        is_house: row.is_house,
        time_zone: row.time_zone,
        locale: row.locale,
        currency: row.currency,
        week_start: row.week_start,
        brand_hue: row.brand_hue,
        brand_chroma: row.brand_chroma,
        created_at: row.created_at,
        is_sample: row.is_sample,
        has_sample_data: row.has_sample_data,
        mfa_required: row.mfa_required,
        session_timeout_minutes: row.session_timeout_minutes,
        ip_ranges: row.ip_ranges,
        over_limits: row.over_limits,
        is_sandbox: row.is_sandbox,
        logo_version: row.logo_version,
    };
    let tenant: Tenant = tenant.try_into()?;
    let read_only = read_only(&tenant, &tx);
    tx.rollback().await?;
    let entered = TenantContext {
        context: ctx.clone(),
        tenant: Arc::new(tenant),
        access: Access::Member(holding.into()),
        last_seen_at: row.last_seen_at,
        read_only,
        narrowed: Vec::new(),
    };
    // Here and nowhere else, because everything that a member does in a tenant begins here.
    refuse_elsewhere(&entered).await?;
    if person.longest_idle > entered.tenant.session_timeout {
        return Err(Error::SessionIdle);
    }
    if entered.tenant.mfa_required && !person.has_second_factor {
        return Err(Error::SecondFactorMissing);
    }
    Ok(entered)
}

/// Whether an address lies in one of the ranges; without ranges every one does. An address that nobody knows lies in none.
pub(crate) fn is_allowed(ranges: &[IpNet], address: Option<IpAddr>) -> bool {
    // A server that listens on both versions sees an IPv4 client under an IPv6 address.
    let address = address.map(|address| address.to_canonical());
    ranges.is_empty() || address.is_some_and(|address| ranges.iter().any(|range| range.contains(&address)))
}

/// Refuses who comes from a network that the tenant does not allow, and says so in its audit log.
pub(crate) async fn refuse_elsewhere(ctx: &TenantContext) -> Result<(), Error> {
    let address = ctx.context.request().address;
    if is_allowed(&ctx.tenant.ip_ranges, address) {
        return Ok(());
    }
    let shown = address.map_or_else(|| "unknown".to_owned(), |address| address.to_canonical().to_string());
    let event = Event::new("tenant.enter", "tenant", ctx.tenant.id.to_string())
        .outcome(Outcome::Denied)
        .detail(format!("from {shown}, which no allowed IP range holds"));
    ctx.record(event).await?;
    Err(Error::AddressNotAllowed(shown))
}

/// Why nothing in a tenant changes for now, if so. What holds for everybody is told first: what the tenant could do about
/// its own state it cannot do before that is over.
pub(crate) fn read_only(tenant: &Tenant, tx: &Tx) -> Option<ReadOnly> {
    if let Some(maintenance) = tx.maintenance() {
        return Some(ReadOnly::Maintenance { reason: maintenance.reason.clone() });
    }
    let reason = || tenant.status_reason.clone().unwrap_or_default();
    match tenant.status {
        TenantStatus::Pending | TenantStatus::Active => crate::limit::over(tenant).map(ReadOnly::OverLimits),
        TenantStatus::Suspended => Some(ReadOnly::Suspended { reason: reason() }),
        TenantStatus::Cancelled => Some(ReadOnly::Cancelled { reason: reason() }),
    }
}

/// The same as it is now, for work that takes longer than a request: [`Error::ReadOnly`] if nothing changes any more since it
/// has entered. Who changes where the tenant stands waits until this transaction ends.
pub(crate) async fn refuse_read_only_now(tx: &mut Tx, tenant: TenantId) -> Result<(), Error> {
    let row = sqlx::query!(
        r#"
        select
          status, status_reason,
          (select maintenance.reason from maintenance where maintenance.is_on) as maintenance
        from tenant
        where id = $1
        for share of tenant
        "#,
        tenant.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    if let Some(reason) = row.maintenance {
        return Err(Error::ReadOnly(ReadOnly::Maintenance { reason }));
    }
    let reason = row.status_reason.unwrap_or_default();
    match stored(row.status.parse())? {
        TenantStatus::Pending | TenantStatus::Active => Ok(()),
        TenantStatus::Suspended => Err(Error::ReadOnly(ReadOnly::Suspended { reason })),
        TenantStatus::Cancelled => Err(Error::ReadOnly(ReadOnly::Cancelled { reason })),
    }
}

pub(crate) fn named(
    role: &str,
    custom: Option<Uuid>,
    name: Option<String>,
    permissions: Option<Vec<String>>,
) -> Result<NamedRole, Error> {
    Ok(match given(role, custom)? {
        GivenRole::BuiltIn(role) => NamedRole::built_in(role),
        role @ GivenRole::Custom(_) => {
            NamedRole { role, name: name.unwrap_or_default(), permissions: known(&permissions.unwrap_or_default()) }
        }
    })
}

/// What teams give to the person, in all of their tenants or in one, by the teams' names.
async fn shares(tx: &mut Tx, user: UserId, tenant: Option<TenantId>) -> Result<Vec<(TenantId, Share)>, Error> {
    let rows = sqlx::query!(
        r#"
        select
          team_member.tenant_id, team_member.team_id, team.name, team_member.role, team_member.role_id,
          team_member.permissions, custom_role.name as "role_name?", custom_role.permissions as "role_permissions?"
        from team_member
        join team on team.tenant_id = team_member.tenant_id and team.id = team_member.team_id
        left join custom_role
          on custom_role.tenant_id = team_member.tenant_id and custom_role.id = team_member.role_id
        where team_member.user_id = $1 and ($2::uuid is null or team_member.tenant_id = $2)
        order by lower(team.name), team.id
        "#,
        user.uuid(),
        tenant.map(TenantId::uuid)
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            let role = match row.role {
                Some(role) => Some(named(&role, row.role_id, row.role_name, row.role_permissions)?),
                None => None,
            };
            let share = Share { team: row.team_id.into(), name: row.name, role, extra: known(&row.permissions) };
            Ok((row.tenant_id.into(), share))
        })
        .collect()
}

/// Enters the tenant of the key that a program has shown, with what the key held then: every request shows its key. From a network
/// that the tenant does not allow: [`Error::AddressNotAllowed`].
pub async fn enter_with_key(ctx: &Context) -> Result<TenantContext, Error> {
    let Actor::ApiKey(key) = ctx.actor() else { return Err(Error::SignedOut) };
    let entered = TenantContext {
        context: ctx.clone(),
        tenant: key.tenant.clone(),
        access: Access::Key(key.held),
        last_seen_at: None,
        read_only: key.read_only.clone(),
        narrowed: Vec::new(),
    };
    refuse_elsewhere(&entered).await?;
    Ok(entered)
}

/// Enters a tenant as the operator. The tenant sees the visit and its reason in its audit log.
pub async fn enter_as_operator(ctx: &Context, slug: &Slug, reason: &str) -> Result<TenantContext, Error> {
    let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, None).await?;
    let tenant = crate::tenant::find(&mut tx, slug).await?;
    tx.rollback().await?;
    let mut tx: Tx = ctx.begin_staff(StaffPermission::TenantEnter, Some(tenant.id)).await?;
    let event = Event::new("staff.enter", "tenant", tenant.id.to_string()).after(json!({ "reason": reason }));
    tx.audit(event).await?;
    let read_only = read_only(&tenant, &tx);
    tx.commit().await?;
    Ok(TenantContext {
        context: ctx.clone(),
        tenant: Arc::new(tenant),
        access: Access::Operator,
        last_seen_at: None,
        read_only,
        narrowed: Vec::new(),
    })
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
    let read_only = read_only(&tenant, &tx);
    tx.rollback().await?;
    Ok(TenantContext {
        context: ctx.clone(),
        tenant: Arc::new(tenant),
        access: Access::Work,
        last_seen_at: None,
        read_only,
        narrowed: Vec::new(),
    })
}

/// A word of ours that the database gives back. One that this version does not know is a fault of ours.
pub(crate) fn stored<T, E: core::fmt::Display>(parsed: Result<T, E>) -> Result<T, Error> {
    parsed.map_err(|error| {
        tracing::error!(%error, "the database holds a value that this version does not know");
        Error::Internal
    })
}
