//! Writing what the plan says: the accounts and campaigns that are missing, then the posts, batch after batch so that it
//! can be told how far it is, then the roll-ups of the days that changed. All of it in the caller's one transaction.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use rtv_core::{AccountId, Error, ImportId, Limit, News};
use serde_json::json;
use uuid::Uuid;

use super::findings::{self, Judged};
use super::meter::{Meter, Step};
use super::staging::FileFacts;
use super::{DuplicateRule, Options, Settings};
use crate::audit::Event;
use crate::context::TenantContext;
use crate::kpi_daily::{self, Touched};
use crate::limit;
use crate::news::{self, About, Message};
use crate::transaction::{Tx, failed};

/// Rows of the file that one statement writes: about a second's work, so that progress and a cancellation are felt.
const BATCH: usize = 20_000;
/// Groups of the roll-up that are refreshed at a time: what is held in memory does not grow with the file.
const GROUPS: i64 = 20_000;

/// The row of an import that no page began.
pub(super) async fn add_row(
    ctx: &TenantContext,
    tx: &mut Tx,
    id: ImportId,
    options: &Options,
    settings: &Settings,
    started_at: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        insert into import (
          tenant_id, id, file_name, file_bytes, time_zone, duplicate_rule, state, settings, actor_label, created_at, started_at
        )
        values ($1, $2, $3, 0, $4, $5, 'importing', $6, $7, $8, $8)
        "#,
        ctx.tenant().id.uuid(),
        id.uuid(),
        options.file_name,
        settings.zone.map(Tz::name),
        settings.duplicates.key(),
        json!(settings),
        ctx.context().actor().label(),
        started_at,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}

/// Makes the plan of an import that will be written: what its posts belong to is made first.
pub(super) async fn add_and_judge(
    ctx: &TenantContext,
    tx: &mut Tx,
    id: ImportId,
    rule: DuplicateRule,
    file: &FileFacts,
    meter: &Meter,
) -> Result<Judged, Error> {
    meter.step(Step::Judging, None);
    let (new_accounts, new_campaigns) = add_accounts_and_campaigns(ctx, tx, id).await?;
    let mut judged = findings::judge(tx, rule, file, meter).await?;
    // Judged after they were made, none would be new.
    judged.findings.new_accounts = new_accounts;
    judged.findings.new_campaigns = new_campaigns;
    Ok(judged)
}

/// Accounts and campaigns that the staged rows name and that are not there. Their ids are made here as version 7, which
/// this PostgreSQL cannot make by itself: the bits of the time in front, those of the version after it.
async fn add_accounts_and_campaigns(ctx: &TenantContext, tx: &mut Tx, id: ImportId) -> Result<(i64, i64), Error> {
    let accounts = sqlx::query(
        r"
        insert into account (tenant_id, id, platform, external_id, name, created_by_import, created_at)
        select
          (select rtv_tenant()),
          encode(
            set_bit(set_bit(
              overlay(uuid_send(gen_random_uuid()) placing substring(int8send(floor(extract(epoch from $2::timestamptz) * 1000)::bigint) from 3) from 1 for 6),
              52, 1), 53, 1),
            'hex')::uuid,
          missing.platform, missing.account_external_id, missing.name, $1, $2
        from (
          select
            import_row.platform, import_row.account_external_id,
            coalesce(max(import_row.account_name), import_row.account_external_id) as name
          from import_row
          left join account
            on account.platform = import_row.platform and account.external_id = import_row.account_external_id
          where import_row.refused_reason is null and account.id is null
          group by import_row.platform, import_row.account_external_id
          order by min(import_row.row_number)
        ) as missing
        ",
    )
    .bind(id.uuid())
    .bind(ctx.now())
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    let campaigns = sqlx::query(
        r"
        insert into campaign (tenant_id, id, name, created_by_import, created_at)
        select
          (select rtv_tenant()),
          encode(
            set_bit(set_bit(
              overlay(uuid_send(gen_random_uuid()) placing substring(int8send(floor(extract(epoch from $2::timestamptz) * 1000)::bigint) from 3) from 1 for 6),
              52, 1), 53, 1),
            'hex')::uuid,
          missing.campaign, $1, $2
        from (
          select import_row.campaign
          from import_row
          left join campaign on campaign.name = import_row.campaign
          where import_row.refused_reason is null and import_row.campaign is not null and campaign.id is null
          group by import_row.campaign
          order by min(import_row.row_number)
        ) as missing
        ",
    )
    .bind(id.uuid())
    .bind(ctx.now())
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    let count = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
    Ok((count(accounts), count(campaigns)))
}

/// Writes the posts of the plan and refreshes the roll-ups.
pub(super) async fn write(
    ctx: &TenantContext,
    tx: &mut Tx,
    id: ImportId,
    judged: &Judged,
    meter: &Meter,
) -> Result<(), Error> {
    let (read, new, changed) = (judged.counts.read, judged.counts.new, judged.counts.changed);
    meter.step(Step::Writing, u64::try_from(read).ok());
    if new + changed > 0 {
        sqlx::query("create index import_row_by_number on import_row (row_number)")
            .execute(tx.connection())
            .await
            .map_err(failed)?;
        for after in (0..read).step_by(BATCH) {
            let last = (after + i64::try_from(BATCH).unwrap_or(i64::MAX)).min(read);
            if changed > 0 {
                change_posts(ctx, tx, id, after, last).await?;
            }
            if new > 0 {
                add_posts(ctx, tx, id, after, last).await?;
            }
            meter.rows(u64::try_from(last).unwrap_or_default());
        }
        refresh_roll_ups(tx, meter).await?;
    }
    Ok(())
}

/// Keeps what posts were and makes them what the file says: the rows after `after`, up to `last`.
async fn change_posts(ctx: &TenantContext, tx: &mut Tx, id: ImportId, after: i64, last: i64) -> Result<(), Error> {
    sqlx::query(
        r"
        insert into import_change (tenant_id, import_id, post_id, before)
        select (select rtv_tenant()), $1, post.id, to_jsonb(post)
        from import_plan
        join post on post.tenant_id = (select rtv_tenant()) and post.id = import_plan.stored_id
        where import_plan.is_changed and import_plan.row_number > $2 and import_plan.row_number <= $3
        ",
    )
    .bind(id.uuid())
    .bind(after)
    .bind(last)
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query(
        r"
        update post set
          campaign_id = import_plan.campaign_id, kind = import_row.kind, body = import_row.body,
          published_at = import_row.published_at, published_from = import_row.published_from,
          published_to = import_row.published_to,
          reach = import_row.reach, impressions = import_row.impressions, reactions = import_row.reactions,
          comments = import_row.comments, shares = import_row.shares, clicks = import_row.clicks,
          conversions = import_row.conversions, revenue = import_row.revenue, cost = import_row.cost,
          sentiment = import_row.sentiment, content_digest = import_row.content_digest, import_id = $1, updated_at = $4
        from import_plan
        join import_row on import_row.row_number = import_plan.row_number
        where post.tenant_id = (select rtv_tenant())
          and post.id = import_plan.stored_id
          and import_plan.is_changed
          and import_plan.row_number > $2 and import_plan.row_number <= $3
          and import_row.row_number > $2 and import_row.row_number <= $3
        ",
    )
    .bind(id.uuid())
    .bind(after)
    .bind(last)
    .bind(ctx.now())
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}

/// Adds the posts of the rows after `after`, up to `last`. What an import made is known by its id in them.
async fn add_posts(ctx: &TenantContext, tx: &mut Tx, id: ImportId, after: i64, last: i64) -> Result<(), Error> {
    sqlx::query(
        r"
        insert into post (
          tenant_id, id, account_id, campaign_id, external_id, kind, body, published_at, published_from, published_to,
          reach, impressions, reactions, comments, shares, clicks, conversions, revenue, cost, sentiment,
          content_digest, import_id, created_at, updated_at
        )
        select
          (select rtv_tenant()), import_row.post_id, import_plan.account_id, import_plan.campaign_id, import_row.external_id,
          import_row.kind, import_row.body, import_row.published_at, import_row.published_from, import_row.published_to,
          import_row.reach, import_row.impressions, import_row.reactions, import_row.comments, import_row.shares,
          import_row.clicks, import_row.conversions, import_row.revenue, import_row.cost, import_row.sentiment,
          import_row.content_digest, $1, $4, $4
        from import_plan
        join import_row on import_row.row_number = import_plan.row_number
        where import_plan.stored_id is null
          and import_plan.row_number > $2 and import_plan.row_number <= $3
          and import_row.row_number > $2 and import_row.row_number <= $3
        order by import_row.row_number
        ",
    )
    .bind(id.uuid())
    .bind(after)
    .bind(last)
    .bind(ctx.now())
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}

/// Refreshes the groups of the roll-up that the plan changes: where its posts are now, and where changed ones were.
async fn refresh_roll_ups(tx: &mut Tx, meter: &Meter) -> Result<(), Error> {
    sqlx::query(
        r"
        create temporary table import_touched on commit drop as
        select row_number() over (order by first_day, last_day, account_id) as place, account_id, first_day, last_day
        from (
          select account_id, published_from as first_day, published_to as last_day
          from import_plan
          where stored_id is null or is_changed
          union
          select account_id, stored_from, stored_to
          from import_plan
          where is_changed
        ) as touched
        ",
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let all: i64 =
        sqlx::query_scalar("select count(*) from import_touched").fetch_one(tx.connection()).await.map_err(failed)?;
    meter.step(Step::RollingUp, u64::try_from(all).ok());
    let mut after = 0;
    while after < all {
        let groups: Vec<(Uuid, NaiveDate, NaiveDate)> = sqlx::query_as(
            "select account_id, first_day, last_day from import_touched where place > $1 and place <= $2 order by place",
        )
        .bind(after)
        .bind(after + GROUPS)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
        let mut touched = Touched::default();
        for (account, first_day, last_day) in groups {
            touched.push(account, first_day, last_day);
        }
        kpi_daily::refresh_lifetime(tx, &touched).await?;
        after = (after + GROUPS).min(all);
        meter.rows(u64::try_from(after).unwrap_or_default());
    }
    Ok(())
}

/// The accounts that the plan knows: whoever is responsible for one is told how the import ends.
pub(super) async fn named_accounts(tx: &mut Tx) -> Result<Vec<Uuid>, Error> {
    sqlx::query_scalar("select distinct account_id from import_plan where account_id is not null")
        .fetch_all(tx.connection())
        .await
        .map_err(failed)
}

/// Keeps all refused rows of the staged file, instead of those that an earlier look at it kept.
pub(super) async fn keep_refusals(tx: &mut Tx, id: ImportId) -> Result<(), Error> {
    sqlx::query!("delete from import_refusal where import_id = $1", id.uuid())
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    sqlx::query(
        r"
        insert into import_refusal (tenant_id, import_id, row_number, field, reason, raw)
        select (select rtv_tenant()), $1, row_number, refused_field, refused_reason, refused_raw
        from import_row
        where refused_reason is not null
        ",
    )
    .bind(id.uuid())
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}

/// Marks the import as done, in the transaction of its posts. False if it may not be: somebody has cancelled it. What the plan
/// does not allow is refused here, when everything is written, and nothing of it stays.
pub(super) async fn finish(
    ctx: &TenantContext,
    tx: &mut Tx,
    id: ImportId,
    round: i64,
    file: &FileFacts,
    judged: &Judged,
) -> Result<bool, Error> {
    limit::refuse_over(tx, ctx.tenant().id, &[Limit::Platforms, Limit::Campaigns, Limit::PostsPerMonth]).await?;
    keep_refusals(tx, id).await?;
    let counts = judged.counts;
    let accounts = named_accounts(tx).await?;
    let done = sqlx::query!(
        r#"
        update import
        set state = 'done', finished_at = $3, file_bytes = $4, file_sha256 = $5, mapping = $6, mapping_title = $7,
          rows_read = $8, rows_new = $9, rows_changed = $10, rows_unchanged = $11, rows_duplicate = $12, rows_refused = $13,
          notes = $14, findings = $15, header = $16, delimiter = $17, failure = null, step = null, account_ids = $18
        where id = $1 and round = $2 and state = 'importing'
        returning file_name, duplicate_rule
        "#,
        id.uuid(),
        round,
        ctx.now(),
        file.bytes,
        &file.sha256[..],
        file.mapping.name,
        file.mapping.title,
        counts.read,
        counts.new,
        counts.changed,
        counts.unchanged,
        counts.duplicate,
        counts.refused,
        json!(file.notes),
        json!(judged.findings),
        json!(file.header),
        file.delimiter.key(),
        &accounts[..],
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let Some(done) = done else { return Ok(false) };
    let after = json!({
        "file": done.file_name, "sha256": hex::encode(file.sha256), "mapping": file.mapping.name,
        "duplicates": done.duplicate_rule, "counts": counts, "new_accounts": judged.findings.new_accounts,
    });
    tx.audit(Event::new("import.run", "import", id.to_string()).after(after)).await?;
    let message = Message {
        subject: format!("{} is imported", done.file_name),
        text: format!(
            "The import of “{}” is done: {} new posts, {} changed, {} unchanged, {} rows refused.",
            done.file_name, counts.new, counts.changed, counts.unchanged, counts.refused
        ),
        page: format!("/imports/{id}"),
    };
    let accounts: Vec<AccountId> = accounts.into_iter().map(AccountId::from).collect();
    news::tell(ctx, tx, About::Accounts(&accounts), News::Imports, message).await?;
    Ok(true)
}
