//! What a tenant decides about itself: how it is called, whose days and whose way of writing its pages have, who gets in and for
//! how long, its colour, and whether it posts to the sandbox network alone. All of it has one version, so that the later of two editors is told what the other changed.

use chrono::TimeDelta;
use chrono_tz::Tz;
use ipnet::IpNet;
use rtv_core::{Brand, Error, FieldError, Permission, Slug};
use serde_json::{Map, Value, json};

use crate::access::{is_allowed, stored};
use crate::audit::Event;
use crate::context::{Context, Tenant, TenantContext};
use crate::revision::{Revision, refuse_stale};
use crate::tenant::{self, described_brand, parse_currency, parse_locale, parse_name, parse_zone};
use crate::transaction::{Resource, StaffPermission, Tx, failed};
use crate::{kpi_daily, zone};

/// The shortest pause that a tenant may allow a session, in minutes.
pub const SHORTEST_TIMEOUT: i64 = 5;
/// The longest one.
pub const LONGEST_TIMEOUT: i64 = 43_200;
/// The most IP ranges.
pub const MOST_RANGES: usize = 100;
/// How strong a colour is that somebody chooses by its hue alone.
const CHROMA: f64 = 0.15;

/// The settings as they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The tenant, with everything that is set.
    pub tenant: Tenant,
    /// Where the settings stand in their life.
    pub revision: Revision,
    /// The zone that its days are being moved to.
    pub next_zone: Option<Tz>,
    /// Whether amounts of money are stored, which have no currency but the tenant's.
    pub has_amounts: bool,
    /// Whether platforms reported figures by the day.
    pub has_days: bool,
}

/// The settings.
pub async fn read(ctx: &TenantContext) -> Result<Settings, Error> {
    let mut tx = ctx.begin(Permission::SettingsRead, Resource::Tenant).await?;
    let settings = read_in(&mut tx, ctx).await?;
    tx.rollback().await?;
    Ok(settings)
}

async fn read_in(tx: &mut Tx, ctx: &TenantContext) -> Result<Settings, Error> {
    // Before the values: a change in between then makes the version too old, and never the values.
    let row = sqlx::query!(
        r#"
        select
          version, updated_at, changed_by, next_time_zone,
          exists (select 1 from post where revenue is not null or cost is not null)
            or exists (select 1 from post_daily where revenue is not null or cost is not null)
            or exists (select 1 from campaign where budget is not null) as "has_amounts!",
          exists (select 1 from post_daily) or exists (select 1 from account_daily) as "has_days!"
        from tenant
        where id = $1
        "#,
        ctx.tenant().id.uuid()
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    Ok(Settings {
        tenant: tenant::find_by_id(tx, ctx.tenant().id).await?,
        revision: Revision { version: row.version, updated_at: row.updated_at, changed_by: row.changed_by },
        next_zone: row.next_time_zone.map(|zone| stored(zone.parse())).transpose()?,
        has_amounts: row.has_amounts,
        has_days: row.has_days,
    })
}

/// Opens a change: the settings as they are, held against others until the transaction ends. Refused when the form was made
/// from another version.
pub(crate) async fn hold(tx: &mut Tx, ctx: &TenantContext, seen: &str) -> Result<Settings, Error> {
    sqlx::query!("select id from tenant where id = $1 for no key update", ctx.tenant().id.uuid())
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
    let settings = read_in(tx, ctx).await?;
    refuse_stale(tx, ctx, seen, &settings.revision, ("tenant", &ctx.tenant().id.to_string())).await?;
    Ok(settings)
}

/// Counts the change and writes what was changed to the audit log. What is as it was is left out of it.
pub(crate) async fn finish(
    tx: &mut Tx,
    ctx: &TenantContext,
    action: &'static str,
    before: Map<String, Value>,
    after: Map<String, Value>,
) -> Result<(), Error> {
    let version = sqlx::query_scalar!(
        "update tenant set version = version + 1, updated_at = $2, changed_by = $3 where id = $1 returning version",
        ctx.tenant().id.uuid(),
        ctx.now(),
        ctx.context().actor().label(),
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let is_new = |key: &String| before.get(key) != after.get(key);
    let mut was: Map<String, Value> = before.iter().filter(|(key, _)| is_new(key)).map(owned).collect();
    let mut is: Map<String, Value> = after.iter().filter(|(key, _)| is_new(key)).map(owned).collect();
    was.insert("version".into(), json!(version - 1));
    is.insert("version".into(), json!(version));
    let event =
        Event::new(action, "tenant", ctx.tenant().id.to_string()).before(Value::Object(was)).after(Value::Object(is));
    tx.audit(event).await
}

fn owned((key, value): (&String, &Value)) -> (String, Value) {
    (key.clone(), value.clone())
}

/// Name, zone, ways of writing, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct General {
    /// Name for people.
    pub name: String,
    /// IANA zone.
    pub zone: String,
    /// BCP 47 tag.
    pub locale: String,
    /// ISO 4217 code.
    pub currency: String,
    /// First day of the week, Monday = 0.
    pub week_start: String,
    /// Whether the amounts that are stored were in the new currency all along.
    pub is_relabelled: bool,
    /// The version that the form was made from.
    pub version: String,
}

struct ParsedGeneral {
    name: String,
    zone: Tz,
    locale: String,
    currency: String,
    week_start: i16,
}

impl General {
    fn parse(&self) -> Result<ParsedGeneral, Error> {
        let mut errors = Vec::new();
        let mut refuse = |field: &str, message: String| errors.push(FieldError { field: field.into(), message });
        let name = parse_name(&self.name).map_err(|message| refuse("name", message)).ok();
        let zone = parse_zone(self.zone.trim()).map_err(|message| refuse("zone", message)).ok();
        let locale = parse_locale(&self.locale).map_err(|message| refuse("locale", message)).ok();
        let currency = self.currency.trim().to_uppercase();
        let currency = parse_currency(&currency).map_err(|message| refuse("currency", message)).ok();
        let week_start = self.week_start.parse::<i16>().ok().filter(|day| (0..=6).contains(day));
        if week_start.is_none() {
            refuse("week_start", "choose a day from the list".into());
        }
        match (name, zone, locale, currency, week_start) {
            (Some(name), Some(zone), Some(locale), Some(currency), Some(week_start)) => {
                Ok(ParsedGeneral { name, zone, locale, currency, week_start })
            }
            _ => Err(Error::Invalid(errors)),
        }
    }
}

/// What became of the days of posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Days {
    /// The zone is as it was.
    Kept,
    /// They are those of the new zone.
    Moved,
    /// A worker moves them; until it is done everything is in the old zone.
    Moving,
}

/// Changes name, zone and ways of writing. A zone takes the days of all posts along.
pub async fn change_general(ctx: &TenantContext, typed: &General) -> Result<Days, Error> {
    let mut tx = ctx.begin(Permission::SettingsUpdate, Resource::Tenant).await?;
    let new = typed.parse()?;
    let now = hold(&mut tx, ctx, &typed.version).await?;
    let old = &now.tenant;
    if new.currency != old.currency && now.has_amounts && !typed.is_relabelled {
        return Err(Error::invalid(
            "currency",
            format!(
                "there are amounts in {}, and they are not converted. If they were in {} all along, say so below",
                old.currency, new.currency
            ),
        ));
    }
    let target = now.next_zone.unwrap_or(old.zone);
    let days = if new.zone == target { Days::Kept } else { begin_move(&mut tx, ctx, old.zone, new.zone).await? };
    sqlx::query!(
        "update tenant set name = $2, locale = $3, currency = $4, week_start = $5 where id = $1",
        old.id.uuid(),
        new.name,
        new.locale,
        new.currency,
        new.week_start,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let told = |name: &str, zone: Tz, locale: &str, currency: &str, week_start: i64| {
        Map::from_iter([
            ("name".to_owned(), json!(name)),
            ("zone".to_owned(), json!(zone.name())),
            ("locale".to_owned(), json!(locale)),
            ("currency".to_owned(), json!(currency)),
            ("week_start".to_owned(), json!(week_start)),
        ])
    };
    let before = told(&old.name, target, &old.locale, &old.currency, old.week_start.into());
    let after = told(&new.name, new.zone, &new.locale, &new.currency, new.week_start.into());
    if before == after {
        tx.rollback().await?;
        return Ok(Days::Kept);
    }
    finish(&mut tx, ctx, "settings.general", before, after).await?;
    tx.commit().await?;
    Ok(days)
}

/// Takes the tenant to another zone, at once or by a worker.
async fn begin_move(tx: &mut Tx, ctx: &TenantContext, from: Tz, to: Tz) -> Result<Days, Error> {
    let id = ctx.tenant().id;
    if !zone::is_known(tx, to).await? {
        return Err(Error::invalid("zone", format!("the database does not know {}; use a zone near it", to.name())));
    }
    let is_large = zone::posts(tx).await? > zone::AT_ONCE;
    // Where it comes from: whoever was to move it finds nothing to do.
    let next = (is_large && to != from).then(|| to.name());
    if is_large {
        sqlx::query!("update tenant set next_time_zone = $2 where id = $1", id.uuid(), next)
            .execute(tx.connection())
            .await
            .map_err(failed)?;
        if next.is_none() {
            return Ok(Days::Kept);
        }
        zone::enqueue(tx, id).await?;
        return Ok(Days::Moving);
    }
    if !kpi_daily::try_lock_facts(tx, id).await? {
        return Err(Error::Conflict(
            "Posts are being imported at this moment, with the days of the present time zone. Nothing was changed. Change the zone when the import is done.".into(),
        ));
    }
    zone::move_days(tx, to).await?;
    sqlx::query!("update tenant set time_zone = $2, next_time_zone = null where id = $1", id.uuid(), to.name())
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    Ok(Days::Moved)
}

/// Switches sandbox mode on or off: whether posts go to the sandbox network alone. Off, posts that wait reach real people, so
/// that needs a fresh proof of who switches. The version is that of the settings on which the form was made.
pub async fn change_mode(ctx: &TenantContext, is_sandbox: bool, version: &str) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::SettingsUpdate, Resource::Tenant).await?;
    if !is_sandbox {
        ctx.context().require_fresh()?;
    }
    let now = hold(&mut tx, ctx, version).await?;
    if now.tenant.is_sandbox == is_sandbox {
        return tx.rollback().await;
    }
    sqlx::query!("update tenant set is_sandbox = $2 where id = $1", ctx.tenant().id.uuid(), is_sandbox)
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    let told = |is_sandbox: bool| Map::from_iter([("is_sandbox".to_owned(), json!(is_sandbox))]);
    finish(&mut tx, ctx, "settings.mode", told(!is_sandbox), told(is_sandbox)).await?;
    tx.commit().await
}

/// Who gets in and for how long, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Security {
    /// Minutes that a session may be idle.
    pub session_timeout: String,
    /// Ranges of addresses, one in a line.
    pub ip_ranges: String,
    /// The version that the form was made from.
    pub version: String,
}

/// Ranges as people write them, one in a line: `203.0.113.0/24`, `2001:db8::/32`, or one address.
pub fn parse_ranges(text: &str) -> Result<Vec<IpNet>, String> {
    let mut ranges = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let parsed = line.parse::<IpNet>().or_else(|_| line.parse::<std::net::IpAddr>().map(IpNet::from));
        let range = parsed.map_err(|_| {
            let line: String = line.chars().take(60).collect();
            format!(
                "“{line}” is no range of addresses; write 203.0.113.0/24, 2001:db8::/32 or one address, one in a line"
            )
        })?;
        if let std::net::IpAddr::V6(address) = range.addr()
            && address.to_ipv4_mapped().is_some()
        {
            return Err(format!("“{line}” holds IPv4 addresses; write them as IPv4, like 203.0.113.0/24"));
        }
        let range = range.trunc();
        if !ranges.contains(&range) {
            ranges.push(range);
        }
    }
    if ranges.len() > MOST_RANGES {
        return Err(format!("these are {} ranges; use at most {MOST_RANGES}", ranges.len()));
    }
    Ok(ranges)
}

/// Changes who gets in and for how long. Whoever would shut themself out by it is told so instead.
pub async fn change_security(ctx: &TenantContext, typed: &Security) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::SettingsUpdate, Resource::Tenant).await?;
    let mut errors = Vec::new();
    let mut refuse = |field: &str, message: String| errors.push(FieldError { field: field.into(), message });
    let minutes = typed.session_timeout.trim().parse::<i64>().ok();
    let minutes = minutes.filter(|minutes| (SHORTEST_TIMEOUT..=LONGEST_TIMEOUT).contains(minutes));
    if minutes.is_none() {
        refuse("session_timeout", format!("use whole minutes from {SHORTEST_TIMEOUT} to {LONGEST_TIMEOUT}"));
    }
    let ranges = parse_ranges(&typed.ip_ranges).map_err(|message| refuse("ip_ranges", message)).ok();
    let address = ctx.context().request().address;
    if let Some(ranges) = &ranges
        && ctx.context().person().is_some()
        && !is_allowed(ranges, address)
    {
        let own = address.map_or_else(|| "which is not known".to_owned(), |own| own.to_canonical().to_string());
        refuse(
            "ip_ranges",
            format!("your own address, {own}, is in none of them: you would be shut out at once. Add it"),
        );
    }
    let (Some(minutes), Some(ranges), true) = (minutes, ranges, errors.is_empty()) else {
        return Err(Error::Invalid(errors));
    };
    ctx.context().require_fresh()?;
    let now = hold(&mut tx, ctx, &typed.version).await?;
    let texts = |ranges: &[IpNet]| ranges.iter().map(ToString::to_string).collect::<Vec<_>>();
    let told = |timeout: TimeDelta, ranges: &[IpNet]| {
        Map::from_iter([
            ("session_timeout_minutes".to_owned(), json!(timeout.num_minutes())),
            ("ip_ranges".to_owned(), json!(texts(ranges))),
        ])
    };
    let before = told(now.tenant.session_timeout, &now.tenant.ip_ranges);
    let after = told(TimeDelta::minutes(minutes), &ranges);
    if before == after {
        return tx.rollback().await;
    }
    sqlx::query!(
        "update tenant set session_timeout_minutes = $2, ip_ranges = $3 where id = $1",
        ctx.tenant().id.uuid(),
        i32::try_from(minutes).unwrap_or(i32::MAX),
        &texts(&ranges)[..],
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    finish(&mut tx, ctx, "settings.security", before, after).await?;
    tx.commit().await
}

/// Lets a tenant's members in from everywhere again, for when nobody gets in any more. Returns what was allowed.
pub async fn clear_ip_ranges(ctx: &Context, slug: &Slug) -> Result<Vec<IpNet>, Error> {
    let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, None).await?;
    let tenant = tenant::find(&mut tx, slug).await?;
    tx.rollback().await?;
    ctx.require_fresh()?;
    let mut tx = ctx.begin_staff(StaffPermission::TenantsUpdate, Some(tenant.id)).await?;
    let cleared = sqlx::query_scalar!(
        r#"
        update tenant
        set ip_ranges = '{}', version = version + 1, updated_at = $2, changed_by = $3
        where id = $1 and ip_ranges <> '{}'
        returning version
        "#,
        tenant.id.uuid(),
        ctx.now(),
        ctx.actor().label(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let Some(version) = cleared else {
        tx.rollback().await?;
        return Ok(Vec::new());
    };
    let texts: Vec<String> = tenant.ip_ranges.iter().map(ToString::to_string).collect();
    let event = Event::new("settings.security", "tenant", tenant.id.to_string())
        .before(json!({ "ip_ranges": texts, "version": version - 1 }))
        .after(json!({ "ip_ranges": [], "version": version }));
    tx.audit(event).await?;
    tx.commit().await?;
    Ok(tenant.ip_ranges)
}

/// Domains as people write them, one in a line: `client.example`.
pub fn parse_domains(text: &str) -> Result<Vec<String>, String> {
    let mut domains: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let domain = line.trim_start_matches('@').to_lowercase();
        // Whatever an address may stand in front of is a domain.
        if format!("somebody@{domain}").parse::<rtv_core::Email>().is_err() {
            let line: String = line.chars().take(60).collect();
            return Err(format!("“{line}” is no domain; write client.example, one in a line"));
        }
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    if domains.len() > MOST_RANGES {
        return Err(format!("these are {} domains; use at most {MOST_RANGES}", domains.len()));
    }
    Ok(domains)
}

/// Domains that reports may be mailed to; none: any.
pub async fn report_domains(ctx: &TenantContext) -> Result<Vec<String>, Error> {
    let mut tx = ctx.begin_to_read(&[Permission::SettingsUpdate], Resource::Tenant).await?;
    let domains = read_domains(&mut tx, ctx).await?;
    tx.rollback().await?;
    Ok(domains)
}

async fn read_domains(tx: &mut Tx, ctx: &TenantContext) -> Result<Vec<String>, Error> {
    sqlx::query_scalar!("select report_domains from tenant where id = $1", ctx.tenant().id.uuid())
        .fetch_one(tx.connection())
        .await
        .map_err(failed)
}

/// Limits the domains that reports may be mailed to. Recipients elsewhere get nothing from then on.
pub async fn change_report_domains(ctx: &TenantContext, typed: &str, version: &str) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::SettingsUpdate, Resource::Tenant).await?;
    let domains = parse_domains(typed).map_err(|message| Error::invalid("report_domains", message))?;
    hold(&mut tx, ctx, version).await?;
    let before = read_domains(&mut tx, ctx).await?;
    if before == domains {
        return tx.rollback().await;
    }
    sqlx::query!("update tenant set report_domains = $2 where id = $1", ctx.tenant().id.uuid(), &domains[..])
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    let told = |domains: &[String]| Map::from_iter([("report_domains".to_owned(), json!(domains))]);
    finish(&mut tx, ctx, "settings.security", told(&before), told(&domains)).await?;
    tx.commit().await
}

/// A colour as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Branding {
    /// Whether pages have the tenant's own colour.
    pub is_on: bool,
    /// Its hue in degrees.
    pub hue: String,
    /// The version that the form was made from.
    pub version: String,
}

/// Gives the tenant's pages a colour of their own, or RTV's again. How strong it is stays as it was.
pub async fn change_branding(ctx: &TenantContext, typed: &Branding) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::SettingsUpdate, Resource::Tenant).await?;
    let hue = typed.hue.trim().parse::<f64>().ok().filter(|hue| (0.0..=360.0).contains(hue));
    if typed.is_on && hue.is_none() {
        return Err(Error::invalid("hue", "use degrees from 0 to 360: 25 is red, 145 green, 250 blue"));
    }
    let now = hold(&mut tx, ctx, &typed.version).await?;
    let chroma = now.tenant.brand.map_or(CHROMA, Brand::chroma);
    let brand = hue.filter(|_| typed.is_on).map(|hue| Brand::new(hue, chroma)).transpose()?;
    if brand == now.tenant.brand {
        return tx.rollback().await;
    }
    let (hue, chroma) = brand.map(Brand::stored).unzip();
    sqlx::query!(
        "update tenant set brand_hue = $2, brand_chroma = $3 where id = $1",
        ctx.tenant().id.uuid(),
        hue,
        chroma,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let told = |brand| match described_brand(brand, 0) {
        Value::Object(told) => told,
        _ => Map::new(),
    };
    finish(&mut tx, ctx, "tenant.brand", told(now.tenant.brand), told(brand)).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_read_line_by_line() {
        assert_eq!(
            parse_domains(" Client.example\r\n\n@other.example\nclient.example"),
            Ok(vec!["client.example".into(), "other.example".into()])
        );
        assert_eq!(parse_domains(""), Ok(Vec::new()));
        for bad in ["client", "a b.example", "dana@client.example", "-.example", "client.example, other.example"] {
            assert!(parse_domains(bad).unwrap_err().contains(bad), "{bad}");
        }
    }

    #[test]
    fn ranges_are_read_line_by_line() {
        let check = |text: &str, expect: &[&str]| {
            let read = parse_ranges(text).unwrap();
            assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>(), expect);
        };
        check("", &[]);
        check(" 203.0.113.0/24 \r\n\n2001:db8::/32", &["203.0.113.0/24", "2001:db8::/32"]);
        check("203.0.113.77/24", &["203.0.113.0/24"]);
        check("203.0.113.9\n2001:db8::1", &["203.0.113.9/32", "2001:db8::1/128"]);
        check("10.0.0.0/8\n10.0.0.0/8", &["10.0.0.0/8"]);
        for bad in ["office", "203.0.113.0/33", "203.0.113", "10.0.0.0/8, 11.0.0.0/8", "::ffff:203.0.113.0/120"] {
            let refused = parse_ranges(bad).unwrap_err();
            assert!(refused.contains(&format!("“{bad}”")), "{refused}");
        }
        let many: Vec<String> = (0..=MOST_RANGES).map(|n| format!("10.0.0.{n}")).collect();
        assert!(parse_ranges(&many.join("\n")).unwrap_err().contains("at most 100"));
    }
}
