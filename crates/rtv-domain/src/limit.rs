//! How much of RTV a tenant uses, and refusing what would be more than it may. Use is counted from the facts in the
//! transaction of the act that adds to it, after it was added and under a lock that holds until the commit: two acts at
//! once cannot both take the last place. Whoever lowers a limit counts in the same way, and what is exceeded then stands
//! in the tenant's row, so that pages know without counting.

use chrono::NaiveDate;
use rtv_core::limit::GB;
use rtv_core::{Error, Limit, Permission, Plan, Slug, TenantId};
use serde_json::{Map, Value, json};

use crate::access::stored;
use crate::audit::Event;
use crate::context::{Context, Tenant, TenantContext};
use crate::transaction::{Resource, StaffPermission, Tx, failed};

/// The most that a limit can be set to.
pub const MOST: i64 = 1_000_000_000_000;

/// How a tenant stands to one limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What is limited.
    pub limit: Limit,
    /// How much is used, in bytes for storage; `None` for what is a rate.
    pub used: Option<i64>,
    /// The month that [`Standing::used`] is about, for posts: the fullest one.
    pub month: Option<NaiveDate>,
    /// What is allowed; `None` is as much as wanted.
    pub most: Option<i64>,
    /// What the plan alone would allow.
    pub by_plan: Option<i64>,
    /// Whether staff have set it.
    pub is_set: bool,
}

impl Standing {
    /// Whether more is used than allowed.
    pub fn is_exceeded(&self) -> bool {
        let most = self.most.map(|most| in_units(self.limit, most));
        self.used.zip(most).is_some_and(|(used, most)| used > most)
    }

    /// The part of what is allowed that is used, in percent, rounded up and at most 100.
    pub fn percent(&self) -> Option<i64> {
        let (used, most) = self.used.zip(self.most)?;
        let most = in_units(self.limit, most).max(1);
        Some(used.saturating_mul(100).saturating_add(most - 1).saturating_div(most).clamp(0, 100))
    }
}

/// All limits of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standings {
    /// What it has bought.
    pub plan: Plan,
    /// Every limit.
    pub limits: Vec<Standing>,
}

/// A value of a limit in what its use is counted in: storage is allowed in GB and used in bytes.
fn in_units(limit: Limit, value: i64) -> i64 {
    if limit == Limit::StorageGb { value.saturating_mul(GB) } else { value }
}

/// Why nothing in the tenant changes, as far as its limits are the reason.
pub fn over(tenant: &Tenant) -> Option<String> {
    if tenant.over_limits.is_empty() {
        return None;
    }
    let names: Vec<String> = tenant.over_limits.iter().map(|limit| limit.label().to_lowercase()).collect();
    // Taking somebody out goes on, and is the one way back that the tenant has itself.
    let until = if tenant.over_limits.contains(&Limit::Users) {
        "until members or invitations are taken out, or your operator raises them"
    } else {
        "until your operator raises them"
    };
    Some(format!(
        "{} is over its limits ({}): it can be read and exported, and nothing in it changes {until}.",
        tenant.name,
        names.join(", ")
    ))
}

/// How the tenant stands to all of its limits.
pub async fn of(ctx: &TenantContext) -> Result<Standings, Error> {
    let mut tx = ctx.begin(Permission::SettingsRead, Resource::Tenant).await?;
    let standings = read(&mut tx, ctx.tenant().id).await?;
    tx.rollback().await?;
    Ok(standings)
}

/// The same for staff.
pub async fn of_tenant(ctx: &Context, slug: &Slug) -> Result<Standings, Error> {
    let tenant = find(ctx, slug).await?;
    let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, Some(tenant.id)).await?;
    let standings = read(&mut tx, tenant.id).await?;
    tx.rollback().await?;
    Ok(standings)
}

async fn find(ctx: &Context, slug: &Slug) -> Result<Tenant, Error> {
    let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, None).await?;
    let tenant = crate::tenant::find(&mut tx, slug).await?;
    tx.rollback().await?;
    Ok(tenant)
}

async fn read(tx: &mut Tx, tenant: TenantId) -> Result<Standings, Error> {
    let mut limits = Vec::new();
    let mut plan = Plan::Free;
    for limit in Limit::ALL.iter().copied() {
        let allowed = allowed(tx, tenant, limit).await?;
        let used = used(tx, tenant, limit).await?;
        plan = allowed.plan;
        limits.push(Standing {
            limit,
            used: used.as_ref().map(|used| used.count),
            month: used.and_then(|used| used.month),
            most: allowed.most,
            by_plan: limit.default_of(allowed.plan),
            is_set: allowed.is_set,
        });
    }
    Ok(Standings { plan, limits })
}

/// What staff change at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Another plan.
    pub plan: Option<Plan>,
    /// Limits with what is to be allowed; `None` is what the plan says.
    pub limits: Vec<(Limit, Option<i64>)>,
    /// The version of the tenant that it was decided on, where it was decided on a page.
    pub version: Option<i64>,
}

impl Change {
    /// Another plan.
    pub fn of_plan(plan: Plan) -> Self {
        Self { plan: Some(plan), ..Self::default() }
    }

    /// Something else than the plan says, or what it says again.
    pub fn of_limit(limit: Limit, value: Option<i64>) -> Self {
        Self { limits: vec![(limit, value)], ..Self::default() }
    }
}

/// A limit as staff type it: its name, and what is to be allowed, empty for what the plan says.
pub fn parse(name: &str, value: &str) -> Result<(Limit, Option<i64>), Error> {
    let limit = name.parse::<Limit>().map_err(|message| Error::invalid("limit", message))?;
    let value = value.trim();
    if value.is_empty() {
        return Ok((limit, None));
    }
    let value = value.parse().ok().filter(|value| (1..=MOST).contains(value));
    let refused = || format!("use a whole number from 1 to {MOST}, or nothing for what the plan says");
    Ok((limit, Some(value.ok_or_else(|| Error::invalid("value", refused()))?)))
}

/// Changes plan and limits, and finds out what is exceeded by then, in one transaction.
pub async fn change(ctx: &Context, slug: &Slug, change: &Change) -> Result<Standings, Error> {
    for (limit, value) in &change.limits {
        if value.is_some_and(|value| !(1..=MOST).contains(&value)) {
            return Err(Error::invalid(limit.key(), format!("use a whole number from 1 to {MOST}")));
        }
    }
    let tenant = find(ctx, slug).await?;
    ctx.require_fresh()?;
    let mut tx = ctx.begin_staff(StaffPermission::TenantsUpdate, Some(tenant.id)).await?;
    // Before the locks of limits: who invites holds the row and asks for a lock then.
    let row =
        sqlx::query!("select plan, over_limits, version from tenant where id = $1 for no key update", tenant.id.uuid())
            .fetch_one(tx.connection())
            .await
            .map_err(failed)?;
    if change.version.is_some_and(|version| version != row.version) {
        return Err(crate::life_cycle::changed(slug));
    }
    let (mut before, mut after) = (Map::new(), Map::new());
    if let Some(plan) = change.plan {
        before.insert("plan".into(), json!(row.plan));
        after.insert("plan".into(), json!(plan));
        sqlx::query!("update tenant set plan = $2 where id = $1", tenant.id.uuid(), plan.key())
            .execute(tx.connection())
            .await
            .map_err(failed)?;
    }
    for (limit, value) in &change.limits {
        let was = sqlx::query_scalar!("select value from tenant_limit where name = $1", limit.key())
            .fetch_optional(tx.connection())
            .await
            .map_err(failed)?;
        write(&mut tx, ctx, tenant.id, *limit, *value).await?;
        let told = |value: Option<i64>| value.map_or_else(|| json!("as the plan says"), |value| json!(value));
        before.insert(limit.key().into(), told(was));
        after.insert(limit.key().into(), told(*value));
    }
    let exceeded = exceeded(&mut tx, tenant.id).await?;
    let keys: Vec<String> = exceeded.iter().map(|limit| limit.key().to_owned()).collect();
    let version = sqlx::query_scalar!(
        r#"
        update tenant
        set over_limits = $2, version = version + 1, updated_at = $3, changed_by = $4
        where id = $1
        returning version
        "#,
        tenant.id.uuid(),
        &keys[..],
        ctx.now(),
        ctx.actor().label(),
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    before.extend([("over_limits".into(), json!(row.over_limits)), ("version".into(), json!(version - 1))]);
    after.extend([("over_limits".into(), json!(keys)), ("version".into(), json!(version))]);
    let event = Event::new("tenant.limits", "tenant", tenant.id.to_string())
        .before(Value::Object(before))
        .after(Value::Object(after));
    tx.audit(event).await?;
    let standings = read(&mut tx, tenant.id).await?;
    tx.commit().await?;
    Ok(standings)
}

async fn write(tx: &mut Tx, ctx: &Context, tenant: TenantId, limit: Limit, value: Option<i64>) -> Result<(), Error> {
    let Some(value) = value else {
        sqlx::query!("delete from tenant_limit where name = $1", limit.key())
            .execute(tx.connection())
            .await
            .map_err(failed)?;
        return Ok(());
    };
    sqlx::query!(
        r#"
        insert into tenant_limit (tenant_id, name, value, changed_at, changed_by)
        values ($1, $2, $3, $4, $5)
        on conflict on constraint tenant_limit_key
        do update set value = excluded.value, changed_at = excluded.changed_at, changed_by = excluded.changed_by
        "#,
        tenant.uuid(),
        limit.key(),
        value,
        ctx.now(),
        ctx.actor().label(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}

/// What the tenant uses more of than it may, counted against every act that is under way.
async fn exceeded(tx: &mut Tx, tenant: TenantId) -> Result<Vec<Limit>, Error> {
    for limit in Limit::ALL.iter().copied() {
        lock(tx, tenant, limit).await?;
    }
    let standings = read(tx, tenant).await?;
    Ok(standings.limits.into_iter().filter(Standing::is_exceeded).map(|standing| standing.limit).collect())
}

/// Who counts holds this until the end of the transaction.
pub(crate) async fn lock(tx: &mut Tx, tenant: TenantId, limit: Limit) -> Result<(), Error> {
    tx.lock(&format!("limit {} {tenant}", limit.key())).await
}

/// Refuses what was just written if the tenant uses more of any of these than it may: [`Error::PlanLimit`]. Called before the
/// commit, which it stays right for.
pub(crate) async fn refuse_over(tx: &mut Tx, tenant: TenantId, limits: &[Limit]) -> Result<(), Error> {
    for limit in limits.iter().copied() {
        lock(tx, tenant, limit).await?;
        if let Some(used) = used(tx, tenant, limit).await? {
            refuse_use(tx, tenant, limit, &used).await?;
        }
    }
    Ok(())
}

/// Refuses so much use of one limit, if it is more than is allowed.
async fn refuse_use(tx: &mut Tx, tenant: TenantId, limit: Limit, used: &Used) -> Result<(), Error> {
    let allowed = allowed(tx, tenant, limit).await?;
    match allowed.most {
        Some(most) if used.count > most => {
            let month = used.month.map(|month| month.format(" (%B %Y)").to_string()).unwrap_or_default();
            let would = format!("{} {}{month}", used.count, limit.counted());
            Err(refusal(limit, &allowed, most, &would))
        }
        _ => Ok(()),
    }
}

/// What an import has counted that it would add.
#[derive(Debug)]
pub(crate) struct Addition {
    /// Platforms of all accounts, those of the file included.
    pub(crate) platforms: i64,
    /// All campaigns, those of the file included.
    pub(crate) campaigns: i64,
    /// The month with the most posts then, and their number.
    pub(crate) fullest_month: Option<(NaiveDate, i64)>,
}

/// The refusal that an import would meet at its end, in the same words; `None` if it would meet none. Nothing is reserved: whoever
/// adds something in the meantime can make it otherwise.
pub(crate) async fn foretell(tx: &mut Tx, tenant: TenantId, added: &Addition) -> Result<Option<String>, Error> {
    let (month, posts) = added.fullest_month.unzip();
    let uses = [
        (Limit::Platforms, Used { count: added.platforms, month: None }),
        (Limit::Campaigns, Used { count: added.campaigns, month: None }),
        (Limit::PostsPerMonth, Used { count: posts.unwrap_or_default(), month }),
    ];
    for (limit, used) in uses {
        match refuse_use(tx, tenant, limit, &used).await {
            Ok(()) => {}
            Err(Error::PlanLimit(text)) => return Ok(Some(text)),
            Err(other) => return Err(other),
        }
    }
    Ok(None)
}

/// Finds out what is still exceeded after something was taken away. Only who was over the limit of members needs it: nothing
/// else can be taken away while nothing changes.
pub(crate) async fn look_again(ctx: &TenantContext, tx: &mut Tx) -> Result<(), Error> {
    if !ctx.tenant().over_limits.contains(&Limit::Users) {
        return Ok(());
    }
    let id = ctx.tenant().id;
    // Before the locks of limits, as everywhere.
    let row = sqlx::query!("select over_limits from tenant where id = $1 for no key update", id.uuid())
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
    let keys: Vec<String> = exceeded(tx, id).await?.iter().map(|limit| limit.key().to_owned()).collect();
    if keys == row.over_limits {
        return Ok(());
    }
    let version = sqlx::query_scalar!(
        r#"
        update tenant
        set over_limits = $2, version = version + 1, updated_at = $3, changed_by = $4
        where id = $1
        returning version
        "#,
        id.uuid(),
        &keys[..],
        ctx.now(),
        ctx.context().actor().label(),
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let event = Event::new("tenant.limits", "tenant", id.to_string())
        .before(json!({ "over_limits": row.over_limits, "version": version - 1 }))
        .after(json!({ "over_limits": keys, "version": version }));
    tx.audit(event).await
}

/// Refuses to keep so many more bytes if they are more than the tenant may store. The caller holds the lock.
pub(crate) async fn refuse_storage(tx: &mut Tx, tenant: TenantId, more: i64) -> Result<(), Error> {
    let allowed = allowed(tx, tenant, Limit::StorageGb).await?;
    let Some(most) = allowed.most else { return Ok(()) };
    let used = used(tx, tenant, Limit::StorageGb).await?.map_or(0, |used| used.count);
    if used.saturating_add(more) <= in_units(Limit::StorageGb, most) {
        return Ok(());
    }
    let megabytes = |bytes: i64| bytes.saturating_add((1 << 20) - 1) >> 20;
    let would = format!(
        "{} MB of stored files, {} MB of which are there",
        megabytes(used.saturating_add(more)),
        megabytes(used)
    );
    Err(refusal(Limit::StorageGb, &allowed, most, &would))
}

fn refusal(limit: Limit, allowed: &Allowed, most: i64, would: &str) -> Error {
    let unit = if limit == Limit::StorageGb { " GB" } else { "" };
    let plan = allowed.plan.label();
    let whose = if allowed.is_set {
        format!("this organisation is allowed {most}{unit} (plan {plan}, set by the operator)")
    } else {
        format!("the plan {plan} allows {most}{unit}")
    };
    Error::PlanLimit(format!(
        "{}: {whose}, and this would make {would}. Nothing was changed. Remove what is not needed any more, or ask your operator for a higher limit or a larger plan.",
        limit.label()
    ))
}

/// The most of something; `None` is as much as wanted.
pub(crate) async fn most(tx: &mut Tx, tenant: TenantId, limit: Limit) -> Result<Option<i64>, Error> {
    Ok(allowed(tx, tenant, limit).await?.most)
}

struct Allowed {
    plan: Plan,
    most: Option<i64>,
    is_set: bool,
}

async fn allowed(tx: &mut Tx, tenant: TenantId, limit: Limit) -> Result<Allowed, Error> {
    let row = sqlx::query!(
        r#"
        select tenant.plan, tenant_limit.value as "value?"
        from tenant
        left join tenant_limit on tenant_limit.tenant_id = tenant.id and tenant_limit.name = $2
        where tenant.id = $1
        "#,
        tenant.uuid(),
        limit.key(),
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let plan: Plan = stored(row.plan.parse())?;
    Ok(Allowed { plan, most: row.value.or(limit.default_of(plan)), is_set: row.value.is_some() })
}

struct Used {
    count: i64,
    month: Option<NaiveDate>,
}

/// How much is used of it now, as the transaction sees it; `None` for a rate.
async fn used(tx: &mut Tx, tenant: TenantId, limit: Limit) -> Result<Option<Used>, Error> {
    let count = match limit {
        Limit::Users => users(tx, tenant).await?,
        Limit::Campaigns => {
            sqlx::query_scalar!(r#"select count(*) as "count!" from campaign where tenant_id = $1"#, tenant.uuid())
                .fetch_one(tx.connection())
                .await
                .map_err(failed)?
        }
        Limit::PostsPerMonth => return fullest_month(tx, tenant).await.map(Some),
        Limit::Platforms => sqlx::query_scalar!(
            r#"select count(distinct platform) as "count!" from account where tenant_id = $1"#,
            tenant.uuid()
        )
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?,
        Limit::StorageGb => sqlx::query_scalar!(
            r#"
            select
              (select coalesce(sum(file_reserved_bytes), 0)::bigint from import where tenant_id = $1 and file_reserved_bytes > 0)
              + (select coalesce(sum(octet_length(content)), 0)::bigint from tenant_logo where tenant_id = $1) as "bytes!"
            "#,
            tenant.uuid()
        )
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?,
        Limit::ApiRequestsPerMinute => return Ok(None),
    };
    Ok(Some(Used { count, month: None }))
}

/// Members, and whoever has an invitation that still opens.
async fn users(tx: &mut Tx, tenant: TenantId) -> Result<i64, Error> {
    let now = tx.now();
    sqlx::query_scalar!(
        r#"
        select
          (select count(*) from membership where tenant_id = $1)
          + (
            select count(*)
            from invitation
            where tenant_id = $1 and accepted_at is null and revoked_at is null and expires_at > $2
          ) as "count!"
        "#,
        tenant.uuid(),
        now,
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)
}

/// How many posts the fullest month has, and how many it may have.
pub(crate) async fn posts_per_month(tx: &mut Tx, tenant: TenantId) -> Result<(i64, Option<i64>), Error> {
    Ok((fullest_month(tx, tenant).await?.count, most(tx, tenant, Limit::PostsPerMonth).await?))
}

/// The month in which the most posts were published or have a place in the queue. The roll-up holds each post once, under its
/// first day in the tenant's zone, and is refreshed in the transaction that writes posts; reading it costs days and not posts.
/// What has a place counts in the month in which it is to go out, until it is a post. Of a sandbox tenant it does not count.
async fn fullest_month(tx: &mut Tx, tenant: TenantId) -> Result<Used, Error> {
    let row = sqlx::query!(
        r#"
        select month as "month!", sum(posts)::bigint as "posts!"
        from (
          select date_trunc('month', first_day::timestamp)::date as month, posts
          from kpi_daily
          where tenant_id = $1 and basis = 'lifetime'
          union all
          select date_trunc('month', delivery.due_at at time zone tenant.time_zone)::date, 1
          from delivery
          join tenant on tenant.id = delivery.tenant_id
          where delivery.tenant_id = $1
            and delivery.post_id is null
            and delivery.state in (
              'scheduled', 'claimed', 'sending', 'accepted', 'unknown', 'held', 'missed', 'needs_person', 'confirmed'
            )
            and not tenant.is_sandbox
        ) as used
        group by month
        order by 2 desc, 1 desc
        limit 1
        "#,
        tenant.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    Ok(row.map_or(Used { count: 0, month: None }, |row| Used { count: row.posts, month: Some(row.month) }))
}
