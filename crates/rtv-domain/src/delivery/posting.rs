//! Making posts of what was confirmed, so that it counts in the figures. Posts and their roll-ups are written in one transaction,
//! a tenant at a time; while an import changes a tenant's facts its posts wait a moment. Sandbox tenants get none.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use rtv_core::{Error, TenantId};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::access::stored;
use crate::context::Context;
use crate::kpi_daily::{self, Touched};
use crate::transaction::{Tx, failed};

/// Posts of one tenant that one transaction writes.
const MOST: i64 = 500;

/// Makes posts of what was confirmed since. How many.
pub async fn post_confirmed(ctx: &Context) -> Result<usize, Error> {
    let mut tx = ctx.begin_sender().await?;
    if tx.maintenance().is_some() {
        tx.rollback().await?;
        return Ok(0);
    }
    let tenants = sqlx::query!(
        r#"
        select tenant.id, tenant.time_zone
        from tenant
        where not tenant.is_sandbox
          and tenant.status in ('pending', 'active')
          and exists (
            select 1
            from delivery
            where delivery.tenant_id = tenant.id and delivery.state = 'confirmed' and delivery.post_id is null
          )
        order by random()
        limit 50
        "#
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    let mut posted = 0;
    for tenant in tenants {
        posted += of_tenant(ctx, tenant.id.into(), stored(tenant.time_zone.parse())?).await?;
    }
    Ok(posted)
}

struct New {
    delivery: Uuid,
    account: Uuid,
    campaign: Option<Uuid>,
    remote_id: String,
    body: String,
    published_at: DateTime<Utc>,
    day: NaiveDate,
}

async fn of_tenant(ctx: &Context, tenant: TenantId, zone: Tz) -> Result<usize, Error> {
    let mut tx = ctx.begin_sender().await?;
    tx.enter_as_sender(tenant).await?;
    if !kpi_daily::try_lock_facts(&mut tx, tenant).await? {
        tx.rollback().await?;
        return Ok(0);
    }
    let all = confirmed(&mut tx, tenant, zone).await?;
    if all.is_empty() {
        tx.rollback().await?;
        return Ok(0);
    }
    write(&mut tx, tenant, &all).await?;
    let mut touched = Touched::default();
    let mut groups: Vec<(Uuid, NaiveDate)> = all.iter().map(|one| (one.account, one.day)).collect();
    groups.sort_unstable();
    groups.dedup();
    for (account, day) in groups {
        touched.push(account, day, day);
    }
    kpi_daily::refresh_lifetime(&mut tx, &touched).await?;
    tx.commit().await?;
    Ok(all.len())
}

async fn confirmed(tx: &mut Tx, tenant: TenantId, zone: Tz) -> Result<Vec<New>, Error> {
    let rows = sqlx::query!(
        r#"
        select
          delivery.id, delivery.account_id, delivery.campaign_id,
          -- What a person has said to be there may have no id.
          coalesce(delivery.remote_id, delivery.id::text) as "remote_id!",
          content.body, content.link, coalesce(delivery.published_at, delivery.confirmed_at, delivery.updated_at) as "published_at!"
        from delivery
        join content on content.tenant_id = delivery.tenant_id and content.id = delivery.content_id
        where delivery.tenant_id = $1 and delivery.state = 'confirmed' and delivery.post_id is null
        order by delivery.confirmed_at
        limit $2
        for update of delivery skip locked
        "#,
        tenant.uuid(),
        MOST
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    Ok(rows
        .into_iter()
        .map(|row| New {
            delivery: row.id,
            account: row.account_id,
            campaign: row.campaign_id,
            remote_id: row.remote_id,
            body: rtv_core::capability::compose(&row.body, row.link.as_deref()),
            published_at: row.published_at,
            day: row.published_at.with_timezone(&zone).date_naive(),
        })
        .collect())
}

/// Writes the posts. One that an import has brought already is the delivery's post.
async fn write(tx: &mut Tx, tenant: TenantId, all: &[New]) -> Result<(), Error> {
    let now = tx.now();
    sqlx::query!(
        r#"
        insert into post (
          tenant_id, id, account_id, campaign_id, external_id, kind, body, published_at, published_from, published_to,
          content_digest, created_at, updated_at
        )
        select
          $1, new.id, new.account_id, new.campaign_id, new.remote_id, 'post', new.body, new.published_at, new.day, new.day,
          new.digest, $10, $10
        from unnest(
          $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[], $8::date[], $9::bytea[]
        ) as new (id, account_id, campaign_id, remote_id, body, published_at, day, digest)
        on conflict on constraint post_external_unique do nothing
        "#,
        tenant.uuid(),
        &all.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>(),
        &all.iter().map(|one| one.account).collect::<Vec<_>>(),
        &all.iter().map(|one| one.campaign).collect::<Vec<_>>() as _,
        &all.iter().map(|one| one.remote_id.clone()).collect::<Vec<_>>(),
        &all.iter().map(|one| one.body.clone()).collect::<Vec<_>>(),
        &all.iter().map(|one| one.published_at).collect::<Vec<_>>(),
        &all.iter().map(|one| one.day).collect::<Vec<_>>(),
        &all.iter().map(|one| Sha256::digest(one.body.as_bytes()).to_vec()).collect::<Vec<_>>(),
        now,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query!(
        r#"
        update delivery
        set post_id = post.id
        from unnest($2::uuid[], $3::uuid[], $4::text[]) as new (delivery_id, account_id, remote_id)
        join post on post.tenant_id = $1 and post.account_id = new.account_id and post.external_id = new.remote_id
        where delivery.tenant_id = $1 and delivery.id = new.delivery_id
        "#,
        tenant.uuid(),
        &all.iter().map(|one| one.delivery).collect::<Vec<_>>(),
        &all.iter().map(|one| one.account).collect::<Vec<_>>(),
        &all.iter().map(|one| one.remote_id.clone()).collect::<Vec<_>>(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}
