//! The way back: what an import made goes, what it changed is as it was.

use rtv_core::{Error, ImportId};
use serde_json::json;

use super::begin;
use crate::audit::Event;
use crate::context::TenantContext;
use crate::kpi_daily::{self, Touched};
use crate::transaction::{Resource, Tx, failed};

/// What a roll-back took back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct RolledBack {
    /// Posts that the import had made and that are gone.
    pub removed: i64,
    /// Posts that the import had changed and that are as they were.
    pub restored: i64,
}

/// Takes an import back: what it made goes, what it changed is as it was. Refused while a later import has changed the
/// same posts, because then there is no state to go back to.
pub async fn roll_back(ctx: &TenantContext, id: ImportId) -> Result<RolledBack, Error> {
    let mut tx = begin(ctx, Resource::Import(id)).await?;
    let state = sqlx::query_scalar!("select state from import where id = $1", id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or(Error::NotFound)?;
    if state == "rolled_back" {
        return Err(Error::Conflict(format!("{id} was rolled back already; nothing was changed.")));
    }
    let later = sqlx::query_scalar!(
        r#"
        select distinct post.import_id as "import_id!"
        from import_change
        join post on post.tenant_id = import_change.tenant_id and post.id = import_change.post_id
        where import_change.import_id = $1 and post.import_id <> $1
        limit 5
        "#,
        id.uuid()
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    if !later.is_empty() {
        let later = later.into_iter().map(|later| ImportId::from(later).to_string()).collect::<Vec<_>>().join(", ");
        return Err(Error::Conflict(format!(
            "posts of {id} were changed later by {later}; roll that back first. Nothing was changed."
        )));
    }

    let touched = touched_by_roll_back(&mut tx, id).await?;
    let restored = restore_posts(&mut tx, id).await?;
    let removed = sqlx::query!(
        r#"
        delete from post
        using import_change
        where import_change.tenant_id = post.tenant_id
          and import_change.post_id = post.id
          and import_change.import_id = $1
          and import_change.before is null
        "#,
        id.uuid()
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    kpi_daily::refresh_lifetime(&mut tx, &touched).await?;
    // Also what an import that was taken back earlier had made and had to leave, because posts of this one were in it.
    sqlx::query!(
        r#"
        delete from account
        where (created_by_import = $1 or created_by_import in (select id from import where state = 'rolled_back'))
          and not exists (select 1 from post where post.tenant_id = account.tenant_id and post.account_id = account.id)
          and not exists (
            select 1 from account_daily where account_daily.tenant_id = account.tenant_id and account_daily.account_id = account.id
          )
        "#,
        id.uuid()
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query!(
        r#"
        delete from campaign
        where (created_by_import = $1 or created_by_import in (select id from import where state = 'rolled_back'))
          and not exists (select 1 from post where post.tenant_id = campaign.tenant_id and post.campaign_id = campaign.id)
        "#,
        id.uuid()
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query!("delete from import_change where import_id = $1", id.uuid())
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    sqlx::query!("update import set state = 'rolled_back', rolled_back_at = $2 where id = $1", id.uuid(), ctx.now())
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    let outcome = RolledBack {
        removed: i64::try_from(removed).unwrap_or(i64::MAX),
        restored: i64::try_from(restored).unwrap_or(i64::MAX),
    };
    tx.audit(Event::new("import.roll_back", "import", id.to_string()).after(json!(outcome))).await?;
    tx.commit().await?;
    Ok(outcome)
}

/// Groups of the roll-up that change: where the posts are now, and where the restored ones will be.
async fn touched_by_roll_back(tx: &mut Tx, id: ImportId) -> Result<Touched, Error> {
    let groups = sqlx::query!(
        r#"
        select post.account_id as "account_id!", post.published_from as "first_day!", post.published_to as "last_day!"
        from import_change
        join post on post.tenant_id = import_change.tenant_id and post.id = import_change.post_id
        where import_change.import_id = $1
        union
        select (before ->> 'account_id')::uuid, (before ->> 'published_from')::date, (before ->> 'published_to')::date
        from import_change
        where import_id = $1 and before is not null
        "#,
        id.uuid()
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let mut touched = Touched::default();
    for group in groups {
        touched.push(group.account_id, group.first_day, group.last_day);
    }
    Ok(touched)
}

async fn restore_posts(tx: &mut Tx, id: ImportId) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        update post set
          campaign_id = old.campaign_id, kind = old.kind, body = old.body, published_at = old.published_at,
          published_from = old.published_from, published_to = old.published_to,
          reach = old.reach, impressions = old.impressions, reactions = old.reactions, comments = old.comments,
          shares = old.shares, clicks = old.clicks, conversions = old.conversions, revenue = old.revenue,
          cost = old.cost, sentiment = old.sentiment, content_digest = old.content_digest, import_id = old.import_id,
          updated_at = old.updated_at
        from import_change
        cross join lateral jsonb_populate_record(null::post, import_change.before) as old
        where import_change.import_id = $1
          and import_change.before is not null
          and post.tenant_id = import_change.tenant_id
          and post.id = import_change.post_id
        "#,
        id.uuid()
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(done.rows_affected())
}
