//! Tenants as the operator keeps them: create, colour and list. Parsing happens here, so that a page, the API and the command
//! line refuse the same input with the same words.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rtv_core::{Brand, Error, FieldError, Permission, Plan, Slug, TenantId, TenantStatus};
use serde_json::json;
use uuid::Uuid;

use crate::access::stored;
use crate::audit::Event;
use crate::context::{Context, Tenant, TenantContext};
use crate::transaction::{Resource, StaffPermission, Tx, failed, violated};
use crate::{format, session};

/// What a new tenant is made of, as typed.
#[derive(Debug, Clone, Default)]
pub struct NewTenant {
    /// Name in addresses.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// IANA zone; `None` is UTC.
    pub zone: Option<String>,
    /// BCP 47 tag; `None` is en-US.
    pub locale: Option<String>,
    /// ISO 4217 code; `None` is USD.
    pub currency: Option<String>,
    /// Plan; `None` is free.
    pub plan: Option<String>,
    /// Whether it is the operator's own.
    pub is_house: bool,
}

/// A tenant in the operator's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The tenant.
    pub tenant: Tenant,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Whether the demo made it.
    pub is_sample: bool,
}

/// Creates a tenant. Every field that is refused is named at once.
pub async fn create(ctx: &Context, new: NewTenant) -> Result<Tenant, Error> {
    let tenant = checked(new)?;
    let mut tx = ctx.begin_staff(StaffPermission::TenantsCreate, Some(tenant.id)).await?;
    insert(&mut tx, &tenant, ctx.now()).await?;
    tx.commit().await?;
    Ok(tenant)
}

/// A tenant of what was typed, not stored yet.
pub(crate) fn checked(new: NewTenant) -> Result<Tenant, Error> {
    let mut errors = Vec::new();
    let mut refuse = |field: &str, message: String| errors.push(FieldError { field: field.into(), message });
    let slug = new.slug.parse::<Slug>().map_err(|message| refuse("slug", message)).ok();
    let name = parse_name(&new.name).map_err(|message| refuse("name", message)).ok();
    let zone = parse_zone(new.zone.as_deref().unwrap_or("UTC")).map_err(|message| refuse("zone", message)).ok();
    let locale = new.locale.as_deref().unwrap_or("en-US");
    let locale = parse_locale(locale).map_err(|message| refuse("locale", message)).ok();
    let currency = new.currency.as_deref().unwrap_or("USD");
    let currency = parse_currency(currency).map_err(|message| refuse("currency", message)).ok();
    let plan = new.plan.as_deref().unwrap_or("free").parse::<Plan>().map_err(|message| refuse("plan", message)).ok();
    let (Some(slug), Some(name), Some(zone), Some(locale), Some(currency), Some(plan)) =
        (slug, name, zone, locale, currency, plan)
    else {
        return Err(Error::Invalid(errors));
    };
    Ok(Tenant {
        id: TenantId::from(Uuid::now_v7()),
        slug,
        name,
        plan,
        status: TenantStatus::Active,
        status_reason: None,
        is_house: new.is_house,
        zone,
        locale,
        currency,
        week_start: 0,
        brand: None,
        has_sample_data: false,
        mfa_required: false,
        session_timeout: session::IDLE,
        ip_ranges: Vec::new(),
        over_limits: Vec::new(),
        is_sandbox: false,
        logo: None,
    })
}

/// A name for people.
pub(crate) fn parse_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    let fits = !name.is_empty() && name.chars().count() <= 120 && !name.chars().any(char::is_control);
    if fits { Ok(name.to_owned()) } else { Err("use 1 to 120 characters without line breaks".into()) }
}

/// A zone of days.
pub(crate) fn parse_zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| "use an IANA time zone like Europe/Berlin or Asia/Bangkok".into())
}

/// A way of writing numbers and dates.
pub(crate) fn parse_locale(text: &str) -> Result<String, String> {
    if format::is_known_locale(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("use one of {}", format::LOCALES.join(", ")))
    }
}

/// A currency of money.
pub(crate) fn parse_currency(text: &str) -> Result<String, String> {
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        Ok(text.to_owned())
    } else {
        Err("use a three-letter ISO 4217 code like EUR".into())
    }
}

/// Stores a new tenant and writes the event.
pub(crate) async fn insert(tx: &mut Tx, tenant: &Tenant, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        r#"
        insert into tenant (id, slug, name, plan, status, is_house, time_zone, locale, currency, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
        "#,
        tenant.id.uuid(),
        tenant.slug.as_str(),
        tenant.name,
        tenant.plan.key(),
        tenant.status.key(),
        tenant.is_house,
        tenant.zone.name(),
        tenant.locale,
        tenant.currency,
        now,
    )
    .execute(tx.connection())
    .await
    .map_err(|error| match violated(&error) {
        Some("tenant_slug_unique") => Error::invalid("slug", format!("“{}” is taken; choose another", tenant.slug)),
        _ => failed(error),
    })?;
    let after = json!({
        "slug": tenant.slug, "name": tenant.name, "plan": tenant.plan, "zone": tenant.zone.name(),
        "locale": tenant.locale, "currency": tenant.currency, "is_house": tenant.is_house,
    });
    tx.audit(Event::new("tenant.create", "tenant", tenant.id.to_string()).after(after)).await
}

/// Gives a tenant a colour of its own, or the default again.
pub async fn set_brand(ctx: &Context, slug: &Slug, brand: Option<Brand>) -> Result<(), Error> {
    let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, None).await?;
    let tenant = find(&mut tx, slug).await?;
    tx.rollback().await?;
    let mut tx = ctx.begin_staff(StaffPermission::TenantsUpdate, Some(tenant.id)).await?;
    let (hue, chroma) = brand.map(Brand::stored).unzip();
    let version = sqlx::query_scalar!(
        r#"
        update tenant
        set brand_hue = $2, brand_chroma = $3, version = version + 1, updated_at = $4, changed_by = $5
        where id = $1
        returning version
        "#,
        tenant.id.uuid(),
        hue,
        chroma,
        ctx.now(),
        ctx.actor().label(),
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let event = Event::new("tenant.brand", "tenant", tenant.id.to_string())
        .before(described_brand(tenant.brand, version - 1))
        .after(described_brand(brand, version));
    tx.audit(event).await?;
    tx.commit().await
}

/// A colour as the audit log tells it.
pub(crate) fn described_brand(brand: Option<Brand>, version: i64) -> serde_json::Value {
    let brand = brand.map(|brand| format!("hue {}, chroma {}", brand.hue(), brand.chroma()));
    json!({ "brand": brand, "version": version })
}

/// Asks every member for a second factor, or no longer does. Who has none themselves cannot ask others for it: they would
/// be the first to stand before a closed door.
pub async fn require_second_factor(ctx: &TenantContext, is_required: bool) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::SettingsUpdate, Resource::Tenant).await?;
    ctx.context().require_fresh()?;
    let has_own = ctx.context().person().is_none_or(|person| person.has_second_factor);
    if is_required && !has_own {
        return Err(Error::Conflict(
            "Set up a second factor for your own account first; then you can ask everybody for one.".into(),
        ));
    }
    let was_required =
        sqlx::query_scalar!("select mfa_required from tenant where id = $1 for update", ctx.tenant().id.uuid())
            .fetch_one(tx.connection())
            .await
            .map_err(failed)?;
    if was_required == is_required {
        return tx.rollback().await;
    }
    let version = sqlx::query_scalar!(
        r#"
        update tenant
        set mfa_required = $2, version = version + 1, updated_at = $3, changed_by = $4
        where id = $1
        returning version
        "#,
        ctx.tenant().id.uuid(),
        is_required,
        ctx.now(),
        ctx.context().actor().label(),
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let event = Event::new("tenant.mfa", "tenant", ctx.tenant().id.to_string())
        .before(json!({ "mfa_required": was_required, "version": version - 1 }))
        .after(json!({ "mfa_required": is_required, "version": version }));
    tx.audit(event).await?;
    tx.commit().await
}

/// All tenants by slug.
pub async fn list(ctx: &Context) -> Result<Vec<Listed>, Error> {
    let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, None).await?;
    let rows = sqlx::query_as!(
        TenantRow,
        r#"
        select
          id, slug, name, plan, status, status_reason, is_house, time_zone, locale, currency, week_start, brand_hue, brand_chroma,
          created_at, is_sample, sample_until is not null as "has_sample_data!", mfa_required,
          session_timeout_minutes, ip_ranges, over_limits, is_sandbox, logo_version
        from tenant
        order by slug
        "#
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    rows.into_iter()
        .map(|row| Ok(Listed { created_at: row.created_at, is_sample: row.is_sample, tenant: row.try_into()? }))
        .collect()
}

/// One tenant by slug, for staff paths.
pub(crate) async fn find(tx: &mut Tx, slug: &Slug) -> Result<Tenant, Error> {
    sqlx::query_as!(
        TenantRow,
        r#"
        select
          id, slug, name, plan, status, status_reason, is_house, time_zone, locale, currency, week_start, brand_hue, brand_chroma,
          created_at, is_sample, sample_until is not null as "has_sample_data!", mfa_required,
          session_timeout_minutes, ip_ranges, over_limits, is_sandbox, logo_version
        from tenant
        where slug = $1
        "#,
        slug.as_str()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or_else(|| {
        Error::invalid("tenant", format!("there is no tenant “{slug}”; list them with rtv admin tenants list"))
    })?
    .try_into()
}

/// A tenant as every query selects it.
#[derive(Debug)]
// Columns: each says one thing, and nothing combines them.
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct TenantRow {
    pub(crate) id: Uuid,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) plan: String,
    pub(crate) status: String,
    pub(crate) status_reason: Option<String>,
    pub(crate) is_house: bool,
    pub(crate) time_zone: String,
    pub(crate) locale: String,
    pub(crate) currency: String,
    pub(crate) week_start: i16,
    pub(crate) brand_hue: Option<i16>,
    pub(crate) brand_chroma: Option<i16>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) is_sample: bool,
    pub(crate) has_sample_data: bool,
    pub(crate) mfa_required: bool,
    pub(crate) session_timeout_minutes: i32,
    pub(crate) ip_ranges: Vec<String>,
    pub(crate) over_limits: Vec<String>,
    pub(crate) is_sandbox: bool,
    pub(crate) logo_version: Option<String>,
}

impl TryFrom<TenantRow> for Tenant {
    type Error = Error;

    fn try_from(row: TenantRow) -> Result<Self, Error> {
        Ok(Self {
            id: row.id.into(),
            slug: stored(row.slug.parse())?,
            name: row.name,
            plan: stored(row.plan.parse())?,
            status: stored(row.status.parse())?,
            status_reason: row.status_reason,
            is_house: row.is_house,
            zone: stored(row.time_zone.parse())?,
            locale: row.locale,
            currency: row.currency,
            week_start: u32::try_from(row.week_start).unwrap_or(0),
            brand: row.brand_hue.zip(row.brand_chroma).and_then(|(hue, chroma)| Brand::from_stored(hue, chroma)),
            has_sample_data: row.has_sample_data,
            mfa_required: row.mfa_required,
            session_timeout: TimeDelta::minutes(row.session_timeout_minutes.into()),
            ip_ranges: row.ip_ranges.iter().map(|range| stored(range.parse())).collect::<Result<_, _>>()?,
            is_sandbox: row.is_sandbox,
            over_limits: row.over_limits.iter().map(|limit| stored(limit.parse())).collect::<Result<_, _>>()?,
            logo: row.logo_version,
        })
    }
}

/// One tenant by id, for work inside it.
pub(crate) async fn find_by_id(tx: &mut Tx, id: TenantId) -> Result<Tenant, Error> {
    let slug = sqlx::query_scalar!("select slug from tenant where id = $1", id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or(Error::NotFound)?;
    find(tx, &stored(slug.parse())?).await
}
