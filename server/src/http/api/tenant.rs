//! `/api/v1/tenants/{slug}`: the key's own tenant.

use axum::extract::Path;
use axum::response::Response;
use rtv_core::Error;
use rtv_domain::{Actor, TenantContext};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Caller;

/// A tenant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Tenant", example = json!({
    "id": "ten_0192f3c4a1b27d3e8f9a0b1c2d3e4f50", "slug": "acme", "name": "Acme Retail Group", "plan": "professional",
    "status": "active", "time_zone": "Europe/Berlin", "locale": "en-GB", "currency": "EUR", "week_start": "monday",
    "requests_per_minute": 600
}))]
pub struct TenantObject {
    /// Its id.
    id: String,
    /// Its name in addresses.
    slug: String,
    /// Its name for people.
    name: String,
    /// What it has bought: `free`, `starter`, `professional` or `enterprise`.
    plan: String,
    /// Where it stands in its life: `pending`, `active`, `suspended` or `cancelled`. A suspended one can be read and not changed.
    status: String,
    /// IANA zone of its days.
    time_zone: String,
    /// BCP 47 tag.
    locale: String,
    /// ISO 4217 code of its money.
    currency: String,
    /// First day of its week.
    week_start: String,
    /// Requests that all of its keys may make in a minute; null for as many as wanted.
    requests_per_minute: Option<i64>,
}

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl TenantObject {
    fn of(ctx: &TenantContext) -> Self {
        let tenant = ctx.tenant();
        Self {
            id: tenant.id.to_string(),
            slug: tenant.slug.to_string(),
            name: tenant.name.clone(),
            plan: tenant.plan.key().into(),
            status: tenant.status.key().into(),
            time_zone: tenant.zone.name().into(),
            locale: tenant.locale.clone(),
            currency: tenant.currency.clone(),
            week_start: DAYS[tenant.week_start as usize % DAYS.len()].into(),
            requests_per_minute: match ctx.context().actor() {
                Actor::ApiKey(key) => key.requests_per_minute,
                Actor::Anonymous | Actor::Person(_) | Actor::Operator(_) | Actor::System(_) => None,
            },
        }
    }
}

/// The key's own tenant
///
/// Every key may read it. Every other tenant answers as one that does not exist.
#[utoipa::path(get, path = "/api/v1/tenants/{slug}", tag = "Tenant", operation_id = "getTenant",
    params(("slug" = String, Path, description = "Its name in addresses.", example = "acme")),
    responses((status = 200, description = "The tenant.", body = TenantObject)))]
pub async fn one(caller: Caller, Path(slug): Path<String>) -> Response {
    let is_own = caller.ctx().tenant().slug.as_str() == slug;
    let found = if is_own { Ok(TenantObject::of(caller.ctx())) } else { Err(Error::NotFound) };
    caller.answer(found)
}
