//! Sample data: the rows that the demo has written into a tenant. They are marked one by one, so that removing them
//! leaves everything else: the tenant, its people, and whatever real data was brought in beside them. Writing them is
//! `demo.rs`'s.

use chrono::NaiveDate;
use rtv_core::{Error, Permission, TenantId};
use serde_json::json;
use uuid::Uuid;

use crate::audit::Event;
use crate::context::TenantContext;
use crate::kpi_daily;
use crate::transaction::{Resource, Tx, failed};

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Removed {
    /// Accounts that held nothing but sample data.
    pub accounts: i64,
    /// Campaigns that held nothing but sample data.
    pub campaigns: i64,
    /// Posts that no import has changed since.
    pub posts: i64,
    /// Days of posts and of accounts.
    pub days: i64,
}

/// What the demo has left in a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    /// Whether the demo made the tenant.
    pub(crate) is_sample: bool,
    /// Last day of the data and the number of posts drawn, while it is there.
    pub(crate) loaded: Option<(NaiveDate, i64)>,
    /// Whether anything in it is not the demo's.
    pub(crate) holds_real_data: bool,
}

/// Removes the sample data of the tenant. Where there is none nothing changes.
pub async fn remove(ctx: &TenantContext) -> Result<Removed, Error> {
    // Posts are what goes; the roles that may delete posts may delete the rest as well.
    let mut tx = ctx.begin(Permission::ContentDelete, Resource::SampleData).await?;
    tx.take_time().await?;
    kpi_daily::lock_facts(&mut tx, ctx.tenant().id).await?;
    if read(&mut tx, ctx.tenant().id).await?.is_none_or(|state| state.loaded.is_none()) {
        tx.rollback().await?;
        return Ok(Removed::default());
    }
    let removed = clear(&mut tx, ctx.tenant().id).await?;
    tx.audit(Event::new("sample_data.remove", "sample_data", "all").after(json!(removed))).await?;
    tx.commit().await?;
    Ok(removed)
}

/// What is in the tenant of the transaction.
pub(crate) async fn read(tx: &mut Tx, tenant: TenantId) -> Result<Option<State>, Error> {
    let row = sqlx::query!(
        r#"
        select
          is_sample, sample_until, sample_posts,
          (
            exists (select 1 from import)
            or exists (select 1 from account where not is_sample)
            or exists (select 1 from campaign where not is_sample)
            or exists (select 1 from post where not is_sample or import_id is not null)
            or exists (select 1 from content where not is_sample)
          ) as "holds_real_data!"
        from tenant
        where id = $1
        "#,
        tenant.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    Ok(row.map(|row| State {
        is_sample: row.is_sample,
        loaded: row.sample_until.zip(row.sample_posts),
        holds_real_data: row.holds_real_data,
    }))
}

/// Notes what the tenant holds from now on.
pub(crate) async fn note(tx: &mut Tx, tenant: TenantId, loaded: Option<(NaiveDate, i64)>) -> Result<(), Error> {
    sqlx::query!(
        "update tenant set is_sample = true, sample_until = $2, sample_posts = $3 where id = $1",
        tenant.uuid(),
        loaded.map(|(until, _)| until),
        loaded.map(|(_, posts)| posts),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}

/// Deletes what is marked and refreshes the roll-up of what stays, in the caller's transaction.
#[expect(clippy::too_many_lines, reason = "it is a few statements and their rows")]
pub(crate) async fn clear(tx: &mut Tx, tenant: TenantId) -> Result<Removed, Error> {
    let touched: Vec<Uuid> = sqlx::query_scalar!(
        r#"
        select id as "id!" from account where is_sample
        union
        select account_id from post where is_sample
        "#
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    // Deliveries, attempts and histories go along. What somebody has written anew is theirs now.
    sqlx::query!("delete from content where is_sample and version = 1")
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    sqlx::query!("update content set is_sample = false where is_sample")
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    sqlx::query!("update delivery set is_sample = false where is_sample")
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    // Versions, runs and schedules go along; a report that somebody has changed, or has sent by a schedule, is theirs now.
    sqlx::query!(
        r#"
        delete from report
        where is_sample
          and version = 1
          and not exists (
            select 1
            from report_schedule
            where report_schedule.tenant_id = report.tenant_id
              and report_schedule.report_id = report.id
              and not report_schedule.is_sample
          )
        "#
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query!("update report set is_sample = false where is_sample")
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    sqlx::query!("delete from report_schedule where is_sample and version = 1")
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    sqlx::query!("update report_schedule set is_sample = false where is_sample")
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    // A competitor whose figures somebody has entered too is theirs now.
    sqlx::query!("delete from competitor_month where is_sample").execute(tx.connection()).await.map_err(failed)?;
    sqlx::query!(
        r#"
        delete from competitor
        where is_sample
          and not exists (
            select 1
            from competitor_month
            where competitor_month.tenant_id = competitor.tenant_id and competitor_month.competitor_id = competitor.id
          )
        "#
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query!("update competitor set is_sample = false where is_sample")
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    let days = count(sqlx::query!("delete from post_daily where is_sample").execute(tx.connection()).await)?
        + count(sqlx::query!("delete from account_daily where is_sample").execute(tx.connection()).await)?;
    let posts =
        count(sqlx::query!("delete from post where is_sample and import_id is null").execute(tx.connection()).await)?;
    // What an import has changed is real now, and taking that import back must not bring the sample again: for it the
    // post is one that the import made.
    sqlx::query!(
        r#"
        update import_change set before = null
        where (before ->> 'is_sample')::boolean and before ->> 'import_id' is null
        "#
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query!("update post set is_sample = false where is_sample").execute(tx.connection()).await.map_err(failed)?;
    let campaigns = count(
        sqlx::query!(
            r#"
            delete from campaign
            where is_sample
              and not exists (select 1 from post where post.tenant_id = campaign.tenant_id and post.campaign_id = campaign.id)
              and not exists (
                select 1 from content where content.tenant_id = campaign.tenant_id and content.campaign_id = campaign.id
              )
            "#
        )
        .execute(tx.connection())
        .await,
    )?;
    sqlx::query!("update campaign set is_sample = false where is_sample")
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    let accounts = count(
        sqlx::query!(
            r#"
            delete from account
            where is_sample
              and not exists (select 1 from post where post.tenant_id = account.tenant_id and post.account_id = account.id)
              and not exists (
                select 1 from account_daily where account_daily.tenant_id = account.tenant_id and account_daily.account_id = account.id
              )
              and not exists (
                select 1 from delivery where delivery.tenant_id = account.tenant_id and delivery.account_id = account.id
              )
              and not exists (
                select 1
                from account_connection
                where account_connection.tenant_id = account.tenant_id and account_connection.account_id = account.id
              )
            "#
        )
        .execute(tx.connection())
        .await,
    )?;
    // What stays is judged by what is left of it.
    sqlx::query!(
        r#"
        update account
        set is_sample = false, figures_until = gained.until,
          measured_at = case when gained.until is null then null else account.measured_at end,
          basis = case when gained.until is null then 'lifetime' else 'period' end
        from (
          select account.id, max(post_daily.day) as until
          from account
          left join post on post.tenant_id = account.tenant_id and post.account_id = account.id
          left join post_daily on post_daily.tenant_id = post.tenant_id and post_daily.post_id = post.id
          where account.id = any($1)
          group by account.id
        ) as gained
        where account.id = gained.id
        "#,
        &touched
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    kpi_daily::rebuild(tx, &touched).await?;
    note(tx, tenant, None).await?;
    Ok(Removed { accounts, campaigns, posts, days })
}

fn count(done: Result<sqlx::postgres::PgQueryResult, sqlx::Error>) -> Result<i64, Error> {
    done.map(|done| i64::try_from(done.rows_affected()).unwrap_or(i64::MAX)).map_err(failed)
}
