//! The way back: what an import made goes, what it changed is as it was. What it made is known by its id in the posts,
//! what it changed stands in `import_change` with the row as it was.

use rtv_core::{Error, ImportId, ImportState};
use serde::Serialize;
use serde_json::json;

use super::meter::{Meter, Step};
use super::{begin, steps};
use crate::access::stored;
use crate::audit::Event;
use crate::context::TenantContext;
use crate::kpi_daily::{self, Touched};
use crate::transaction::{Resource, Tx, failed};

/// What a roll-back took back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RolledBack {
    /// Posts that the import had made and that are gone.
    pub removed: i64,
    /// Posts that the import had changed and that are as they were.
    pub restored: i64,
}

/// Takes an import back: what it made goes, what it changed is as it was. Refused while a later import has changed the
/// same posts, because then there is no state to go back to.
pub async fn roll_back(ctx: &TenantContext, id: ImportId) -> Result<RolledBack, Error> {
    let mut tx = begin(ctx, Resource::Import(id), &Meter::default()).await?;
    let outcome = take_back(ctx, &mut tx, id, &Meter::default()).await?;
    tx.commit().await?;
    Ok(outcome)
}

/// Why an import in this state is not taken back; `None` if it may be.
pub(super) fn refused_by_state(id: ImportId, state: ImportState) -> Option<Error> {
    let reason = match state {
        ImportState::Done | ImportState::RollingBack => return None,
        ImportState::RolledBack => "was rolled back already",
        ImportState::Uploading
        | ImportState::Uploaded
        | ImportState::Checking
        | ImportState::Checked
        | ImportState::Importing => "is not finished; cancel it instead",
        ImportState::Failed | ImportState::Cancelled => "has stored nothing that could be taken back",
    };
    Some(Error::Conflict(format!("{id} {reason}. Nothing was changed.")))
}

/// Refuses while posts of the import were changed by later ones.
pub(super) async fn refuse_changed_later(tx: &mut Tx, id: ImportId) -> Result<(), Error> {
    let later = sqlx::query_scalar!(
        r#"
        select distinct import_id
        from import_change
        where before_import_id = $1 and import_id <> $1
        order by import_id
        limit 5
        "#,
        id.uuid()
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    if later.is_empty() {
        return Ok(());
    }
    let later = later.into_iter().map(|later| ImportId::from(later).to_string()).collect::<Vec<_>>().join(", ");
    Err(Error::Conflict(format!(
        "posts of {id} were changed later by {later}; roll that back first. Nothing was changed."
    )))
}

/// Does it in the caller's transaction, which holds the tenant's turn.
pub(super) async fn take_back(
    ctx: &TenantContext,
    tx: &mut Tx,
    id: ImportId,
    meter: &Meter,
) -> Result<RolledBack, Error> {
    meter.step(Step::Judging, None);
    let state = sqlx::query_scalar!("select state from import where id = $1", id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or(Error::NotFound)?;
    if let Some(refused) = refused_by_state(id, stored(state.parse())?) {
        return Err(refused);
    }
    refuse_changed_later(tx, id).await?;

    let touched = touched(tx, id).await?;
    meter.step(Step::Writing, None);
    // First what it made, told from what it changed by having no row as it was.
    let removed = sqlx::query!(
        r#"
        delete from post
        where post.import_id = $1
          and not exists (
            select 1
            from import_change
            where import_change.tenant_id = post.tenant_id
              and import_change.import_id = $1
              and import_change.post_id = post.id
              and import_change.before is not null
          )
        "#,
        id.uuid()
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    let restored = restore_posts(tx, id).await?;
    meter.step(Step::RollingUp, None);
    kpi_daily::refresh_lifetime(tx, &touched).await?;
    remove_emptied(tx, id).await?;
    sqlx::query!("delete from import_change where import_id = $1", id.uuid())
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    let outcome = RolledBack {
        removed: i64::try_from(removed).unwrap_or(i64::MAX),
        restored: i64::try_from(restored).unwrap_or(i64::MAX),
    };
    steps::lock_line(tx, ctx).await?;
    sqlx::query!(
        r#"
        update import
        set state = 'rolled_back', rolled_back_at = $2, posts_removed = $3, posts_restored = $4, failure = null, step = null
        where id = $1
        "#,
        id.uuid(),
        ctx.now(),
        outcome.removed,
        outcome.restored,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    tx.audit(Event::new("import.roll_back", "import", id.to_string()).after(json!(outcome))).await?;
    steps::enqueue_next(tx, ctx).await?;
    Ok(outcome)
}

/// Accounts and campaigns that it made and that nothing belongs to any more; also what an import that was taken back
/// earlier had made and had to leave, because posts of this one were in it.
async fn remove_emptied(tx: &mut Tx, id: ImportId) -> Result<(), Error> {
    sqlx::query!(
        r#"
        delete from account
        where (created_by_import = $1 or created_by_import in (select id from import where state = 'rolled_back'))
          and not exists (select 1 from post where post.tenant_id = account.tenant_id and post.account_id = account.id)
          and not exists (select 1 from delivery where delivery.tenant_id = account.tenant_id and delivery.account_id = account.id)
          and not exists (
            select 1
            from account_connection
            where account_connection.tenant_id = account.tenant_id and account_connection.account_id = account.id
          )
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
          and not exists (select 1 from content where content.tenant_id = campaign.tenant_id and content.campaign_id = campaign.id)
        "#,
        id.uuid()
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}

/// Groups of the roll-up that change: where the posts are now, and where the restored ones will be.
async fn touched(tx: &mut Tx, id: ImportId) -> Result<Touched, Error> {
    let groups = sqlx::query!(
        r#"
        select post.account_id as "account_id!", post.published_from as "first_day!", post.published_to as "last_day!"
        from post
        where post.import_id = $1
        union
        select
          (before ->> 'account_id')::uuid,
          coalesce(((before ->> 'published_at')::timestamptz at time zone tenant.time_zone)::date, (before ->> 'published_from')::date),
          coalesce(((before ->> 'published_at')::timestamptz at time zone tenant.time_zone)::date, (before ->> 'published_to')::date)
        from import_change
        join tenant on tenant.id = import_change.tenant_id
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

/// Makes posts what they were. Their days are those of the tenant's zone as it is now, which may have changed since.
async fn restore_posts(tx: &mut Tx, id: ImportId) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        update post set
          campaign_id = old.campaign_id, kind = old.kind, body = old.body, published_at = old.published_at,
          published_from = coalesce((old.published_at at time zone tenant.time_zone)::date, old.published_from),
          published_to = coalesce((old.published_at at time zone tenant.time_zone)::date, old.published_to),
          reach = old.reach, impressions = old.impressions, reactions = old.reactions, comments = old.comments,
          shares = old.shares, clicks = old.clicks, conversions = old.conversions, revenue = old.revenue,
          cost = old.cost, sentiment = old.sentiment, content_digest = old.content_digest, import_id = old.import_id,
          updated_at = old.updated_at
        from import_change
        join tenant on tenant.id = import_change.tenant_id
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
