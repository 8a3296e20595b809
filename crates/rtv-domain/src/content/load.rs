//! Many contents at once, written, approved and scheduled in one transaction: for trials and tests of a size that nobody types.

use chrono::{DateTime, SubsecRound as _, Utc};
use rtv_core::{AccountId, CampaignId, ContentId, DeliveryId, Error, Limit, Permission, Platform, capability};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::approval::{Snapshot, approval_sha256, text_sha256};
use super::obstacle;
use super::write::{FARTHEST, is_link};
use crate::access::stored;
use crate::audit;
use crate::context::TenantContext;
use crate::delivery::GRACE;
use crate::limit;
use crate::transaction::{Resource, failed, violated};

/// One content for one account as a program loads many.
#[derive(Debug, Clone, Deserialize)]
pub struct Load {
    /// The account.
    pub account: AccountId,
    /// The text.
    pub text: String,
    /// The link.
    #[serde(default)]
    pub link: Option<String>,
    /// When.
    pub scheduled_at: DateTime<Utc>,
    /// The campaign.
    #[serde(default)]
    pub campaign: Option<CampaignId>,
}

/// What became of one of them.
#[derive(Debug, Clone, Serialize)]
pub struct Loaded {
    /// Its delivery.
    pub delivery: DeliveryId,
    /// Its content.
    pub content: ContentId,
    /// Its account.
    pub account: AccountId,
    /// The platform's id of the account, which the approval covers.
    pub remote_account: String,
    /// SHA-256 of the text as the platform gets it.
    pub content_sha256: String,
    /// When.
    pub scheduled_at: DateTime<Utc>,
}

/// Writes, approves and schedules many contents at once, each for one account, in one transaction: all of them or none. The
/// same rules hold as for [`create`](super::create) and [`approve`](super::approve); who does it holds both permissions.
#[expect(clippy::too_many_lines, reason = "it is a few statements and their rows")]
pub async fn load(ctx: &TenantContext, all: &[Load]) -> Result<Vec<Loaded>, Error> {
    let mut tx = ctx.begin(Permission::ContentCreate, Resource::Contents).await?;
    if !ctx.access().grants(Permission::ContentPublish) {
        return Err(Error::Forbidden(Permission::ContentPublish));
    }
    let accounts = sqlx::query!(
        r#"
        select account.id, account.platform, account.name, account_connection.remote_id
        from account
        join account_connection
          on account_connection.tenant_id = account.tenant_id and account_connection.account_id = account.id
        where account_connection.problem is null
        "#
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let (now, by) = (ctx.now(), ctx.context().actor().label());
    let mut loaded = Vec::with_capacity(all.len());
    let (mut platforms, mut hashes, mut snapshots) = (Vec::new(), Vec::new(), Vec::new());
    for (place, one) in all.iter().enumerate() {
        let refuse = |field: &str, why: String| Error::invalid(format!("line {}: {field}", place + 1), why);
        let account = accounts
            .iter()
            .find(|account| account.id == one.account.uuid())
            .ok_or_else(|| refuse("account", "there is no such connected account.".into()))?;
        let platform: Platform = stored(account.platform.parse())?;
        let scheduled_at = one.scheduled_at.trunc_subsecs(6);
        let sent = capability::compose(&one.text, one.link.as_deref());
        if one.text.trim().is_empty() || one.text.contains('\0') {
            return Err(refuse("text", "write what is to be posted.".into()));
        }
        if one.link.as_deref().is_some_and(|link| !is_link(link)) {
            return Err(refuse("link", "use an address that begins with https:// or http://.".into()));
        }
        if let Some(why) = obstacle(ctx.tenant().is_sandbox, platform) {
            return Err(refuse("account", why));
        }
        capability::validate(platform, &one.text, one.link.as_deref(), 0).map_err(|why| refuse("text", why))?;
        if scheduled_at < now - GRACE || scheduled_at > now + FARTHEST {
            return Err(refuse("scheduled_at", "use a time from now to two years ahead.".into()));
        }
        hashes
            .push(approval_sha256(&one.text, one.link.as_deref(), scheduled_at, platform, &account.remote_id).to_vec());
        snapshots.push(json!(Snapshot {
            text: one.text.clone(),
            link: one.link.clone(),
            scheduled_at,
            account: account.name.clone(),
            remote_id: account.remote_id.clone(),
            by: by.clone(),
            at: now,
        }));
        platforms.push(platform.key().to_owned());
        loaded.push(Loaded {
            delivery: Uuid::now_v7().into(),
            content: Uuid::now_v7().into(),
            account: one.account,
            remote_account: account.remote_id.clone(),
            content_sha256: hex::encode(text_sha256(&sent)),
            scheduled_at,
        });
    }
    let contents: Vec<Uuid> = loaded.iter().map(|one| one.content.uuid()).collect();
    let campaigns: Vec<Option<Uuid>> = all.iter().map(|one| one.campaign.map(CampaignId::uuid)).collect();
    let texts: Vec<String> = all.iter().map(|one| one.text.clone()).collect();
    let links: Vec<Option<String>> = all.iter().map(|one| one.link.clone()).collect();
    sqlx::query!(
        r#"
        insert into content (
          tenant_id, id, campaign_id, body, link, created_at, created_by_id, created_by, updated_at, changed_by
        )
        select $1, new.id, new.campaign_id, new.body, new.link, $6, $7, $8, $6, $8
        from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[]) as new (id, campaign_id, body, link)
        "#,
        ctx.tenant().id.uuid(),
        &contents,
        &campaigns as _,
        &texts,
        &links as _,
        now,
        ctx.context().actor().user_id().map(rtv_core::UserId::uuid),
        by,
    )
    .execute(tx.connection())
    .await
    .map_err(|error| match violated(&error) {
        Some("content_campaign") => Error::invalid("campaign", "there is no such campaign."),
        _ => failed(error),
    })?;
    sqlx::query!(
        r#"
        with added as (
          insert into delivery (
            tenant_id, id, content_id, account_id, campaign_id, platform, state, scheduled_at, due_at, submitted_at, submitted_by,
            approved_version, approved_sha256, approved_remote_id, approved_at, approved_by_id, approved_by, approved_snapshot,
            created_at, updated_at
          )
          select
            $1, new.id, new.content_id, new.account_id, new.campaign_id, new.platform, 'scheduled', new.scheduled_at,
            new.scheduled_at, $11, $12, 1, new.sha256, new.remote_id, $11, $13, $12, new.snapshot, $11, $11
          from unnest(
            $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::timestamptz[], $8::bytea[], $9::text[], $10::jsonb[]
          ) as new (id, content_id, account_id, campaign_id, platform, scheduled_at, sha256, remote_id, snapshot)
          returning tenant_id, id
        )
        insert into delivery_event (tenant_id, delivery_id, id, at, what, from_state, to_state, attempt_no, who)
        select tenant_id, id, gen_random_uuid(), $11, 'scheduled', 'draft', 'scheduled', 0, $12
        from added
        "#,
        ctx.tenant().id.uuid(),
        &loaded.iter().map(|one| one.delivery.uuid()).collect::<Vec<_>>(),
        &contents,
        &loaded.iter().map(|one| one.account.uuid()).collect::<Vec<_>>(),
        &campaigns as _,
        &platforms,
        &loaded.iter().map(|one| one.scheduled_at).collect::<Vec<_>>(),
        &hashes,
        &loaded.iter().map(|one| one.remote_account.clone()).collect::<Vec<_>>(),
        &snapshots,
        now,
        by,
        ctx.context().actor().user_id().map(rtv_core::UserId::uuid),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    limit::refuse_over(&mut tx, ctx.tenant().id, &[Limit::PostsPerMonth]).await?;
    let event = audit::Event::new("content.load", "content", "many").after(json!({ "contents": all.len() }));
    tx.audit(event).await?;
    tx.commit().await?;
    Ok(loaded)
}
