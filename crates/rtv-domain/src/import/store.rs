//! From the temporary table to the posts: the rows are judged against each other and against what is stored, and a fixed
//! number of statements over whole sets writes what is new or changed.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use rtv_core::{Error, ImportId};
use rtv_import::Refusal;
use serde_json::json;
use uuid::Uuid;

use super::staging::FileFacts;
use super::{Counts, DuplicateRule, Options, Report};
use crate::audit::Event;
use crate::context::TenantContext;
use crate::kpi_daily::{self, Touched};
use crate::transaction::{Tx, failed};

/// How many refused rows a report carries; all of them are stored.
const SHOWN_REFUSALS: i64 = 20;
/// How many contradictions a report shows.
const SHOWN_CONTRADICTIONS: i64 = 5;

/// Judges the staged rows against each other and against what is stored, and writes what is new or changed.
pub(super) async fn store(
    ctx: &TenantContext,
    tx: &mut Tx,
    options: &Options,
    file: &FileFacts,
    started_at: DateTime<Utc>,
) -> Result<Report, Error> {
    let (contradictions, contradiction_examples) = contradictions(tx).await?;
    if options.duplicates == DuplicateRule::Refuse && contradictions > 0 {
        return Err(Error::invalid(
            "duplicates",
            format!(
                "{contradictions} posts stand in the file more than once with different content ({}). Mend the file, or choose which row counts with first or last",
                contradiction_examples.join("; ")
            ),
        ));
    }
    let id = ImportId::from(Uuid::now_v7());
    let new_accounts = add_accounts(tx, id, ctx.now()).await?;
    add_campaigns(tx, id, ctx.now()).await?;
    // `distinct on` keeps the first row of each post in the order given.
    let chosen = match options.duplicates {
        DuplicateRule::First | DuplicateRule::Refuse => {
            "create temporary table import_chosen on commit drop as
            select distinct on (platform, account_external_id, external_id) * from import_row
            where refused_reason is null order by platform, account_external_id, external_id, row_number"
        }
        DuplicateRule::Last => {
            "create temporary table import_chosen on commit drop as
            select distinct on (platform, account_external_id, external_id) * from import_row
            where refused_reason is null order by platform, account_external_id, external_id, row_number desc"
        }
    };
    sqlx::query(chosen).execute(tx.connection()).await.map_err(failed)?;
    sqlx::query(
        r"
        create temporary table import_plan on commit drop as
        select
          import_chosen.*, account.id as account_id, campaign.id as campaign_id,
          post.id as stored_id, post.content_digest as stored_digest,
          post.published_from as stored_from, post.published_to as stored_to
        from import_chosen
        join account on account.platform = import_chosen.platform and account.external_id = import_chosen.account_external_id
        left join campaign on campaign.name = import_chosen.campaign
        left join post
          on post.tenant_id = account.tenant_id and post.account_id = account.id and post.external_id = import_chosen.external_id
        ",
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query("analyze import_plan").execute(tx.connection()).await.map_err(failed)?;

    let (read, refused): (i64, i64) = sqlx::query_as("select count(*), count(refused_reason) from import_row")
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
    let (kept, new, changed, accounts): (i64, i64, i64, i64) = sqlx::query_as(
        r"
        select
          count(*),
          count(*) filter (where stored_id is null),
          count(*) filter (where stored_id is not null and stored_digest <> content_digest),
          count(distinct account_id)
        from import_plan
        ",
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let counts =
        Counts { read, new, changed, unchanged: kept - new - changed, duplicate: read - refused - kept, refused };
    let refusals = first_refusals(tx).await?;
    let report = Report {
        id: (!options.is_dry_run).then_some(id),
        counts,
        accounts,
        new_accounts,
        mapping: file.mapping.name.clone(),
        notes: file.notes.clone(),
        contradictions,
        contradiction_examples,
        refusals,
    };
    if options.is_dry_run {
        return Ok(report);
    }

    add_import(ctx, tx, options, file, id, counts, started_at).await?;
    let touched = touched_by_plan(tx).await?;
    write_posts(ctx, tx, id).await?;
    kpi_daily::refresh_lifetime(tx, &touched).await?;
    let after = json!({
        "file": options.file_name, "sha256": hex::encode(file.sha256), "mapping": file.mapping.name,
        "duplicates": options.duplicates.key(), "counts": counts, "new_accounts": new_accounts,
    });
    tx.audit(Event::new("import.run", "import", id.to_string()).after(after)).await?;
    Ok(report)
}

async fn contradictions(tx: &mut Tx) -> Result<(i64, Vec<String>), Error> {
    let examples: Vec<(String, String, i64)> = sqlx::query_as(
        r"
        select external_id, string_agg(row_number::text, ', ' order by row_number), count(*) over ()
        from import_row
        where refused_reason is null
        group by platform, account_external_id, external_id
        having count(distinct content_digest) > 1
        order by min(row_number)
        limit $1
        ",
    )
    .bind(SHOWN_CONTRADICTIONS)
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let all = examples.first().map_or(0, |(_, _, all)| *all);
    Ok((all, examples.into_iter().map(|(id, rows, _)| format!("{id} in rows {rows}")).collect()))
}

async fn add_accounts(tx: &mut Tx, import: ImportId, now: DateTime<Utc>) -> Result<i64, Error> {
    let missing: Vec<(String, String, String)> = sqlx::query_as(
        r"
        select import_row.platform, import_row.account_external_id, coalesce(max(import_row.account_name), import_row.account_external_id)
        from import_row
        left join account on account.platform = import_row.platform and account.external_id = import_row.account_external_id
        where import_row.refused_reason is null and account.id is null
        group by import_row.platform, import_row.account_external_id
        order by min(import_row.row_number)
        ",
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    for (platform, external_id, name) in &missing {
        sqlx::query!(
            r#"
            insert into account (tenant_id, id, platform, external_id, name, created_by_import, created_at)
            select rtv_tenant(), $1, $2, $3, $4, $5, $6
            "#,
            Uuid::now_v7(),
            platform,
            external_id,
            name,
            import.uuid(),
            now
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    }
    Ok(i64::try_from(missing.len()).unwrap_or(i64::MAX))
}

async fn add_campaigns(tx: &mut Tx, import: ImportId, now: DateTime<Utc>) -> Result<(), Error> {
    let missing: Vec<(String,)> = sqlx::query_as(
        r"
        select import_row.campaign
        from import_row
        left join campaign on campaign.name = import_row.campaign
        where import_row.refused_reason is null and import_row.campaign is not null and campaign.id is null
        group by import_row.campaign
        order by min(import_row.row_number)
        ",
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    for (name,) in missing {
        sqlx::query!(
            "insert into campaign (tenant_id, id, name, created_by_import, created_at) select rtv_tenant(), $1, $2, $3, $4",
            Uuid::now_v7(),
            name,
            import.uuid(),
            now
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    }
    Ok(())
}

async fn first_refusals(tx: &mut Tx) -> Result<Vec<Refusal>, Error> {
    let rows: Vec<(i64, Option<String>, String, String)> = sqlx::query_as(
        r"
        select row_number, refused_field, refused_reason, refused_raw
        from import_row
        where refused_reason is not null
        order by row_number
        limit $1
        ",
    )
    .bind(SHOWN_REFUSALS)
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    Ok(rows
        .into_iter()
        .map(|(row_number, column, reason, raw)| Refusal {
            row_number: u64::try_from(row_number).unwrap_or_default(),
            column,
            reason,
            raw,
        })
        .collect())
}

async fn add_import(
    ctx: &TenantContext,
    tx: &mut Tx,
    options: &Options,
    file: &FileFacts,
    id: ImportId,
    counts: Counts,
    started_at: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        insert into import (
          tenant_id, id, file_name, file_sha256, file_bytes, mapping, time_zone, duplicate_rule, state,
          rows_read, rows_new, rows_changed, rows_unchanged, rows_duplicate, rows_refused,
          notes, actor_label, started_at, finished_at
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, 'done', $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
        "#,
        ctx.tenant().id.uuid(),
        id.uuid(),
        options.file_name,
        &file.sha256[..],
        file.bytes,
        file.mapping.name,
        options.zone.map(Tz::name),
        options.duplicates.key(),
        counts.read,
        counts.new,
        counts.changed,
        counts.unchanged,
        counts.duplicate,
        counts.refused,
        json!(file.notes),
        ctx.context().actor().label(),
        started_at,
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query(
        r"
        insert into import_refusal (tenant_id, import_id, row_number, field, reason, raw)
        select rtv_tenant(), $1, row_number, refused_field, refused_reason, refused_raw
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

/// Groups of the roll-up that the plan changes: where its posts are now, and where changed ones were.
async fn touched_by_plan(tx: &mut Tx) -> Result<Touched, Error> {
    let groups: Vec<(Uuid, NaiveDate, NaiveDate)> = sqlx::query_as(
        r"
        select account_id, published_from, published_to
        from import_plan
        where stored_id is null or stored_digest <> content_digest
        union
        select account_id, stored_from, stored_to
        from import_plan
        where stored_id is not null and stored_digest <> content_digest
        ",
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let mut touched = Touched::default();
    for (account, first_day, last_day) in groups {
        touched.push(account, first_day, last_day);
    }
    Ok(touched)
}

async fn write_posts(ctx: &TenantContext, tx: &mut Tx, id: ImportId) -> Result<(), Error> {
    // What was there, before it is changed, and what was not: the way back.
    sqlx::query(
        r"
        insert into import_change (tenant_id, import_id, post_id, before)
        select rtv_tenant(), $1, coalesce(import_plan.stored_id, import_plan.post_id), to_jsonb(post)
        from import_plan
        left join post on post.tenant_id = (select rtv_tenant()) and post.id = import_plan.stored_id
        where import_plan.stored_id is null or import_plan.stored_digest <> import_plan.content_digest
        ",
    )
    .bind(id.uuid())
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query(
        r"
        update post set
          campaign_id = import_plan.campaign_id, kind = import_plan.kind, body = import_plan.body,
          published_at = import_plan.published_at, published_from = import_plan.published_from,
          published_to = import_plan.published_to,
          reach = import_plan.reach, impressions = import_plan.impressions, reactions = import_plan.reactions,
          comments = import_plan.comments, shares = import_plan.shares, clicks = import_plan.clicks,
          conversions = import_plan.conversions, revenue = import_plan.revenue, cost = import_plan.cost,
          sentiment = import_plan.sentiment, content_digest = import_plan.content_digest, import_id = $1, updated_at = $2
        from import_plan
        where post.tenant_id = (select rtv_tenant())
          and post.id = import_plan.stored_id
          and import_plan.stored_digest <> import_plan.content_digest
        ",
    )
    .bind(id.uuid())
    .bind(ctx.now())
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query(
        r"
        insert into post (
          tenant_id, id, account_id, campaign_id, external_id, kind, body, published_at, published_from, published_to,
          reach, impressions, reactions, comments, shares, clicks, conversions, revenue, cost, sentiment,
          content_digest, import_id, created_at, updated_at
        )
        select
          (select rtv_tenant()), post_id, account_id, campaign_id, external_id, kind, body, published_at, published_from, published_to,
          reach, impressions, reactions, comments, shares, clicks, conversions, revenue, cost, sentiment,
          content_digest, $1, $2, $2
        from import_plan
        where stored_id is null
        order by row_number
        ",
    )
    .bind(id.uuid())
    .bind(ctx.now())
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}
