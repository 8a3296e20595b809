//! What a page that is open asks every few seconds: who looks, and what is halted for them. It is asked by every open page all day, so
//! it is one transaction with two queries, and it is no use of the session: a page that somebody left open would keep them
//! signed in for ever.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::{Error, Permission, UserId};

use crate::access::{self, named, stored};
use crate::context::{Access, Actor, Context, Tenant};
use crate::effective_access::Holding;
use crate::kill_switch::state::{Looker, engaged_for};
use crate::kill_switch::{Banner, Side, banner};
use crate::roster::known;
use crate::session::{IDLE, Person, SessionHash};
use crate::tenant::TenantRow;
use crate::transaction::{Tx, failed};
use crate::visit;

/// Where the page stands that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page<'a> {
    /// Inside the tenant of that slug.
    OfTenant(&'a str),
    /// In the operator's console.
    OfStaff,
    /// A person's own: it stands in the frame of the tenant that they looked at last.
    OfPerson,
}

/// Whom a banner is for, and what it says. That it could not be read is something to say, too.
#[derive(Debug)]
pub enum Glance {
    /// Somebody inside a tenant.
    InTenant {
        /// The tenant.
        tenant: Arc<Tenant>,
        /// Whether they may open the pages of the switches.
        can_open: bool,
        /// What is halted.
        banner: Result<Banner, Error>,
    },
    /// Staff outside of a tenant.
    OfStaff(Result<Banner, Error>),
}

/// What is halted for whom a session belongs to. `None`: for nobody, or for somebody who may not know of what the page is about.
pub async fn glance(ctx: &Context, session: SessionHash, page: Page<'_>) -> Result<Option<Glance>, Error> {
    let mut tx = ctx.begin_session(session).await?;
    let Some(Found { person, place }) = find(&mut tx, session, page, ctx.now()).await? else { return Ok(None) };
    let is_staff = person.is_staff;
    let slug = match page {
        Page::OfTenant(slug) => Some(slug.to_owned()),
        Page::OfPerson => person.last_tenant.clone(),
        Page::OfStaff => None,
    };
    let may_enter = place.as_ref().is_some_and(|place| place.lets_in(&person, ctx));
    let ctx = ctx.with_actor(Actor::Person(Arc::new(person)));
    if let (Some(Place { tenant, can_open }), true) = (place, may_enter) {
        tx.move_to(tenant.id).await?;
        let engaged = engaged_for(&mut tx, &Looker::of(&ctx, Some(tenant.id)), None).await;
        tx.rollback().await?;
        return Ok(Some(Glance::InTenant { tenant: tenant.into(), can_open, banner: engaged.map(Banner::of) }));
    }
    tx.rollback().await?;
    // Staff may be on a visit; there are few of them, so they are looked for apart.
    if let (Some(slug), true) = (slug, is_staff)
        && let Ok(slug) = slug.parse()
    {
        match visit::enter(&ctx, &slug).await {
            Ok(entered) => {
                let can_open = entered.access().shows(Permission::SwitchesRead);
                let banner = banner(Side::Tenant(&entered)).await;
                return Ok(Some(Glance::InTenant { tenant: entered.tenant.clone(), can_open, banner }));
            }
            Err(error @ (Error::Unavailable(_) | Error::Internal)) => return Err(error),
            Err(_) => {}
        }
    }
    if !is_staff || matches!(page, Page::OfTenant(_)) {
        return Ok(None);
    }
    Ok(Some(Glance::OfStaff(banner(Side::Operator(&ctx)).await)))
}

struct Found {
    person: Person,
    /// The tenant of the page, if they are a member of it.
    place: Option<Place>,
}

struct Place {
    tenant: Tenant,
    can_open: bool,
}

impl Place {
    /// Whether they may enter now: the rules of [`access::enter`], of which nothing is written down. A page that asks by itself tries
    /// nothing.
    fn lets_in(&self, person: &Person, ctx: &Context) -> bool {
        access::is_allowed(&self.tenant.ip_ranges, ctx.request().address)
            && person.longest_idle <= self.tenant.session_timeout
            && (person.has_second_factor || !self.tenant.mfa_required)
    }
}

/// Whose session it is, and what they hold in the tenant of the page, in one query.
async fn find(tx: &mut Tx, session: SessionHash, page: Page<'_>, now: DateTime<Utc>) -> Result<Option<Found>, Error> {
    let (slug, is_persons) = match page {
        Page::OfTenant(slug) => (Some(slug), false),
        Page::OfStaff => (None, false),
        Page::OfPerson => (None, true),
    };
    let row = sqlx::query!(
        r#"
        select
          session.public_id, session.last_used_at, session.last_tenant_slug, session.proved_at,
          session.longest_idle_seconds, app_user.id as user_id, app_user.email, app_user.name as user_name,
          app_user.has_second_factor,
          exists (select 1 from staff_member where staff_member.user_id = session.user_id) as "is_staff!",
          preference.theme as "theme?", preference.density as "density?", preference.has_single_keys as "has_single_keys?",
          membership.role as "role?", membership.role_id as "role_id?", membership.permissions as "permissions?",
          custom_role.name as "role_name?", custom_role.permissions as "role_permissions?",
          tenant.id as "id?", tenant.slug as "slug?", tenant.name as "name?", tenant.plan as "plan?",
          tenant.status as "status?", tenant.status_reason, tenant.is_house as "is_house?",
          tenant.time_zone as "time_zone?", tenant.locale as "locale?", tenant.currency as "currency?",
          tenant.week_start as "week_start?", tenant.brand_hue, tenant.brand_chroma, tenant.created_at as "created_at?",
          tenant.is_sample as "is_sample?", tenant.sample_until is not null as "has_sample_data!",
          tenant.mfa_required as "mfa_required?", tenant.session_timeout_minutes as "session_timeout_minutes?",
          tenant.ip_ranges as "ip_ranges?", tenant.over_limits as "over_limits?", tenant.is_sandbox as "is_sandbox?",
          tenant.logo_version
        from session
        join app_user on app_user.id = session.user_id and not app_user.is_disabled
        left join preference on preference.user_id = app_user.id
        left join (
          membership
          join tenant on tenant.id = membership.tenant_id
          left join custom_role
            on custom_role.tenant_id = membership.tenant_id and custom_role.id = membership.role_id
        )
          on membership.user_id = session.user_id
          and tenant.slug = case when $5 then session.last_tenant_slug else $4 end
        where session.id_hash = $1 and session.expires_at > $2 and session.last_used_at > $3
        "#,
        &session.bytes()[..],
        now,
        now - IDLE,
        slug,
        is_persons,
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let Some(row) = row else { return Ok(None) };
    let person = Person {
        id: UserId::from(row.user_id),
        name: row.user_name,
        email: stored(row.email.parse())?,
        is_staff: row.is_staff,
        session: row.public_id,
        last_tenant: row.last_tenant_slug,
        preference: crate::preference::stored_preference(row.theme, row.density, row.has_single_keys)?,
        has_second_factor: row.has_second_factor,
        proved_at: row.proved_at,
        longest_idle: TimeDelta::seconds(row.longest_idle_seconds).max(now - row.last_used_at),
    };
    let (Some(role), Some(id)) = (row.role, row.id) else { return Ok(Some(Found { person, place: None })) };
    let tenant = TenantRow {
        id,
        slug: row.slug.unwrap_or_default(),
        name: row.name.unwrap_or_default(),
        plan: row.plan.unwrap_or_default(),
        status: row.status.unwrap_or_default(),
        status_reason: row.status_reason,
        is_house: row.is_house.unwrap_or_default(),
        time_zone: row.time_zone.unwrap_or_default(),
        locale: row.locale.unwrap_or_default(),
        currency: row.currency.unwrap_or_default(),
        week_start: row.week_start.unwrap_or_default(),
        brand_hue: row.brand_hue,
        brand_chroma: row.brand_chroma,
        created_at: row.created_at.unwrap_or_default(),
        is_sample: row.is_sample.unwrap_or_default(),
        has_sample_data: row.has_sample_data,
        mfa_required: row.mfa_required.unwrap_or_default(),
        session_timeout_minutes: row.session_timeout_minutes.unwrap_or_default(),
        ip_ranges: row.ip_ranges.unwrap_or_default(),
        over_limits: row.over_limits.unwrap_or_default(),
        is_sandbox: row.is_sandbox.unwrap_or_default(),
        logo_version: row.logo_version,
    };
    // What somebody holds through teams alone opens no page of the switches, so it is not read.
    let holding = Holding {
        role: named(&role, row.role_id, row.role_name, row.role_permissions)?,
        extra: known(&row.permissions.unwrap_or_default()),
        shares: Vec::new(),
    };
    let can_open = Access::Member(holding.into()).shows(Permission::SwitchesRead);
    Ok(Some(Found { person, place: Some(Place { tenant: tenant.try_into()?, can_open }) }))
}
