//! Reports as they are built. Each save is a version; undoing one leads back to the version that it was made from, and is
//! a version too, so nothing that was ever saved is lost.

use chrono::{DateTime, Utc};
use rtv_core::permission::SEES_REPORTS;
use rtv_core::report::Definition;
use rtv_core::{Error, Permission, ReportId};
use serde_json::json;
use uuid::Uuid;

use crate::access::stored;
use crate::audit::Event;
use crate::context::TenantContext;
use crate::format::Format;
use crate::transaction::{Resource, Tx, failed};

/// A page of the list has so many reports.
pub const LISTED: i64 = 200;
/// A page of the list has so many versions.
pub const VERSIONS: i64 = 100;

/// Which reports of a list are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// At most [`LISTED`], what was changed last first, without the first so many.
    ByChange {
        /// So many are left out.
        skip: i64,
    },
    /// In the order of ids, which stay where they are whatever is changed meanwhile.
    ById {
        /// Behind this one.
        after: Option<ReportId>,
        /// So many.
        most: i64,
    },
}

/// A report with its newest version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its id.
    pub id: ReportId,
    /// What was built.
    pub definition: Definition,
    /// Number of the version.
    pub version: i64,
    /// When it was saved last.
    pub updated_at: DateTime<Utc>,
    /// Who saved it last.
    pub changed_by: String,
    /// Who made it.
    pub created_by: String,
    /// What undoing the last save would undo, as a phrase; `None` at the beginning.
    pub undoes: Option<String>,
    /// Whether an undone save can be done again.
    pub can_redo: bool,
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: ReportId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Number of its newest version.
    pub version: i64,
    /// When it was saved last.
    pub updated_at: DateTime<Utc>,
    /// Who saved it last.
    pub changed_by: String,
    /// Its newest run: id, state as stored, and when it was asked for.
    pub last_run: Option<(rtv_core::RunId, String, DateTime<Utc>)>,
}

/// A saved version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its number.
    pub number: i64,
    /// What was done, as a phrase.
    pub summary: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: String,
}

/// The reports of the tenant, what was changed last first, as many as a page has.
pub async fn list(ctx: &TenantContext) -> Result<Vec<Listed>, Error> {
    listed(ctx, Listing::ByChange { skip: 0 }).await
}

/// Some of the reports of the tenant.
pub async fn listed(ctx: &TenantContext, listing: Listing) -> Result<Vec<Listed>, Error> {
    let (is_by_id, after, most, skip) = match listing {
        Listing::ByChange { skip } => (false, None, LISTED, skip),
        Listing::ById { after, most } => (true, after, most, 0),
    };
    let mut tx = ctx.begin_to_read(SEES_REPORTS, Resource::Reports).await?;
    let rows = sqlx::query!(
        r#"
        select
          report.id, report.name, report.version, report.updated_at, report.changed_by,
          report_version.definition ->> 'description' as "description!",
          run.id as "run_id?", run.state as "run_state?", run.created_at as "run_at?"
        from report
        join report_version
          on report_version.tenant_id = report.tenant_id
          and report_version.report_id = report.id
          and report_version.number = report.version
        left join lateral (
          select id, state, created_at
          from report_run
          where report_run.tenant_id = report.tenant_id and report_run.report_id = report.id
          order by created_at desc, id desc
          limit 1
        ) as run on true
        where report.deleted_at is null and ($2::uuid is null or report.id > $2)
        order by
          case when not $3 then report.updated_at end desc,
          case when not $3 then report.id end desc,
          report.id
        limit $1
        offset $4
        "#,
        most,
        after.map(ReportId::uuid),
        is_by_id,
        skip,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(rows
        .into_iter()
        .map(|row| Listed {
            id: row.id.into(),
            name: row.name,
            description: row.description,
            version: row.version,
            updated_at: row.updated_at,
            changed_by: row.changed_by,
            last_run: match (row.run_id, row.run_state, row.run_at) {
                (Some(id), Some(state), Some(at)) => Some((id.into(), state, at)),
                _ => None,
            },
        })
        .collect())
}

/// Makes a report.
pub async fn create(ctx: &TenantContext, definition: &Definition, summary: &str) -> Result<ReportId, Error> {
    let definition = tidied(definition, None)?;
    let mut tx = ctx.begin(Permission::ReportsManage, Resource::Reports).await?;
    let id = ReportId::from(Uuid::now_v7());
    write(&mut tx, id, &definition, summary, &ctx.context().actor().label()).await?;
    let after = json!({ "name": definition.name, "version": 1, "change": summary });
    tx.audit(Event::new("report.create", "report", id.to_string()).after(after)).await?;
    tx.commit().await?;
    Ok(id)
}

/// Writes a report with its first version into the tenant of the transaction.
pub(super) async fn write(
    tx: &mut Tx,
    id: ReportId,
    definition: &Definition,
    summary: &str,
    who: &str,
) -> Result<(), Error> {
    let now = tx.now();
    sqlx::query!(
        r#"
        insert into report (tenant_id, id, name, created_at, created_by, updated_at, changed_by)
        values (rtv_tenant(), $1, $2, $3, $4, $3, $4)
        "#,
        id.uuid(),
        definition.name,
        now,
        who,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    add_version(tx, id, 1, definition, summary, (None, None), who).await
}

/// Refuses whoever may not build reports, before anything of what they sent is looked at.
pub async fn may_build(ctx: &TenantContext) -> Result<(), Error> {
    ctx.begin(Permission::ReportsManage, Resource::Reports).await?.rollback().await
}

/// One report. One of others is none.
pub async fn one(ctx: &TenantContext, id: ReportId) -> Result<Report, Error> {
    let mut tx = ctx.begin_to_read(SEES_REPORTS, Resource::Report(id)).await?;
    let report = read(&mut tx, id, false).await?;
    tx.rollback().await?;
    Ok(report)
}

/// What was built, as a version says it.
pub async fn version(ctx: &TenantContext, id: ReportId, number: i64) -> Result<Definition, Error> {
    let mut tx = ctx.begin_to_read(SEES_REPORTS, Resource::Report(id)).await?;
    let definition = read_version(&mut tx, id, number).await?;
    tx.rollback().await?;
    Ok(definition)
}

/// A page of versions, the newest first: those before a number, or the newest of all.
pub async fn versions(ctx: &TenantContext, id: ReportId, before: Option<i64>) -> Result<Vec<Version>, Error> {
    let mut tx = ctx.begin_to_read(SEES_REPORTS, Resource::Report(id)).await?;
    let rows = sqlx::query_as!(
        Version,
        r#"
        select number, summary, created_at, created_by
        from report_version
        where report_id = $1 and ($3::bigint is null or number < $3)
        order by number desc
        limit $2
        "#,
        id.uuid(),
        VERSIONS,
        before,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    if rows.is_empty() { Err(Error::NotFound) } else { Ok(rows) }
}

/// Saves a report as it is to be, made from the version `seen`. An older one is refused, and who changed what is told.
/// A save that changes nothing makes no version.
pub async fn save(
    ctx: &TenantContext,
    id: ReportId,
    seen: &str,
    definition: &Definition,
    summary: &str,
) -> Result<i64, Error> {
    let mut tx = ctx.begin(Permission::ReportsManage, Resource::Report(id)).await?;
    let report = read(&mut tx, id, true).await?;
    let definition = tidied(definition, Some(&report.definition))?;
    refuse_stale(ctx, &mut tx, &report, seen).await?;
    if report.definition == definition {
        tx.rollback().await?;
        return Ok(report.version);
    }
    let number = put(ctx, &mut tx, &report, &definition, summary, (Some(report.version), None)).await?;
    tx.commit().await?;
    Ok(number)
}

/// Goes back to what the newest version was made from.
pub async fn undo(ctx: &TenantContext, id: ReportId, seen: &str) -> Result<i64, Error> {
    step(ctx, id, seen, true).await
}

/// Does again what was undone last.
pub async fn redo(ctx: &TenantContext, id: ReportId, seen: &str) -> Result<i64, Error> {
    step(ctx, id, seen, false).await
}

async fn step(ctx: &TenantContext, id: ReportId, seen: &str, is_back: bool) -> Result<i64, Error> {
    let mut tx = ctx.begin(Permission::ReportsManage, Resource::Report(id)).await?;
    let report = read(&mut tx, id, true).await?;
    refuse_stale(ctx, &mut tx, &report, seen).await?;
    let head = links(&mut tx, id, report.version).await?;
    let wanted = if is_back { head.0 } else { head.1 };
    let nothing = if is_back { "There is nothing to undo." } else { "There is nothing to do again." };
    let wanted = wanted.ok_or_else(|| Error::Conflict(nothing.into()))?;
    let mut definition = read_version(&mut tx, id, wanted).await?;
    definition.keep_ids_of(&report.definition);
    let (undo_to, redo_to) = links(&mut tx, id, wanted).await?;
    // The way on is to where it came from, and the way back that of the version that is there again.
    let way = if is_back { (undo_to, Some(report.version)) } else { (Some(report.version), redo_to) };
    let summary =
        if is_back { format!("Undid version {}", report.version) } else { format!("Did version {wanted} again") };
    let number = put(ctx, &mut tx, &report, &definition, &summary, way).await?;
    tx.commit().await?;
    Ok(number)
}

/// Makes an older version the newest again.
pub async fn restore(ctx: &TenantContext, id: ReportId, seen: &str, number: i64) -> Result<i64, Error> {
    let mut tx = ctx.begin(Permission::ReportsManage, Resource::Report(id)).await?;
    let report = read(&mut tx, id, true).await?;
    refuse_stale(ctx, &mut tx, &report, seen).await?;
    let mut definition = read_version(&mut tx, id, number).await?;
    definition.keep_ids_of(&report.definition);
    let summary = format!("Restored version {number}");
    let number = put(ctx, &mut tx, &report, &definition, &summary, (Some(report.version), None)).await?;
    tx.commit().await?;
    Ok(number)
}

/// Takes a report from the list. Its runs stay, and it can be brought back.
pub async fn delete(ctx: &TenantContext, id: ReportId) -> Result<String, Error> {
    set_deleted(ctx, id, true).await
}

/// Brings a deleted report back.
pub async fn bring_back(ctx: &TenantContext, id: ReportId) -> Result<String, Error> {
    set_deleted(ctx, id, false).await
}

async fn set_deleted(ctx: &TenantContext, id: ReportId, is_deleted: bool) -> Result<String, Error> {
    let mut tx = ctx.begin(Permission::ReportsManage, Resource::Report(id)).await?;
    let (report, was_deleted) = read_even_deleted(&mut tx, id, true).await?;
    if was_deleted == is_deleted {
        tx.rollback().await?;
        return Ok(report.definition.name);
    }
    sqlx::query!("update report set deleted_at = $2 where id = $1", id.uuid(), is_deleted.then(|| ctx.now()),)
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    let what = if is_deleted { "report.delete" } else { "report.bring_back" };
    tx.audit(Event::new(what, "report", id.to_string()).before(json!({ "name": report.definition.name }))).await?;
    tx.commit().await?;
    Ok(report.definition.name)
}

/// Names without spaces around them; refused where it is no report, what was taken `before` aside.
fn tidied(definition: &Definition, before: Option<&Definition>) -> Result<Definition, Error> {
    let mut definition = definition.clone();
    definition.name = definition.name.trim().to_owned();
    match before {
        Some(before) => definition.check_after(before)?,
        None => definition.check()?,
    }
    // What it covers has to be readable, so that no run fails for it.
    rtv_core::filter::PageFilter::from_query(&definition.parameters)?;
    Ok(definition)
}

async fn put(
    ctx: &TenantContext,
    tx: &mut Tx,
    report: &Report,
    definition: &Definition,
    summary: &str,
    way: (Option<i64>, Option<i64>),
) -> Result<i64, Error> {
    let number = report.version + 1;
    sqlx::query!(
        "update report set version = $2, name = $3, updated_at = $4, changed_by = $5 where id = $1",
        report.id.uuid(),
        number,
        definition.name,
        ctx.now(),
        ctx.context().actor().label(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    add_version(tx, report.id, number, definition, summary, way, &ctx.context().actor().label()).await?;
    let before = json!({ "name": report.definition.name, "version": report.version });
    let after = json!({ "name": definition.name, "version": number, "change": summary });
    tx.audit(Event::new("report.save", "report", report.id.to_string()).before(before).after(after)).await?;
    Ok(number)
}

async fn add_version(
    tx: &mut Tx,
    id: ReportId,
    number: i64,
    definition: &Definition,
    summary: &str,
    (undo_to, redo_to): (Option<i64>, Option<i64>),
    who: &str,
) -> Result<(), Error> {
    let now = tx.now();
    sqlx::query!(
        r#"
        insert into report_version (
          tenant_id, report_id, number, definition, summary, undo_to, redo_to, created_at, created_by
        )
        values (rtv_tenant(), $1, $2, $3, $4, $5, $6, $7, $8)
        "#,
        id.uuid(),
        number,
        json!(definition),
        summary,
        undo_to,
        redo_to,
        now,
        who,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}

async fn links(tx: &mut Tx, id: ReportId, number: i64) -> Result<(Option<i64>, Option<i64>), Error> {
    let row = sqlx::query!(
        "select undo_to, redo_to from report_version where report_id = $1 and number = $2",
        id.uuid(),
        number,
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    Ok((row.undo_to, row.redo_to))
}

pub(super) async fn read_version(tx: &mut Tx, id: ReportId, number: i64) -> Result<Definition, Error> {
    let definition = sqlx::query_scalar!(
        "select definition from report_version where report_id = $1 and number = $2",
        id.uuid(),
        number,
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    stored(serde_json::from_value(definition))
}

/// The report with its newest version; held until the transaction ends, where it is to be changed. A deleted one is none.
pub(super) async fn read(tx: &mut Tx, id: ReportId, is_to_change: bool) -> Result<Report, Error> {
    let (report, is_deleted) = read_even_deleted(tx, id, is_to_change).await?;
    if is_deleted { Err(Error::NotFound) } else { Ok(report) }
}

/// The same, and whether it was deleted and can be brought back.
async fn read_even_deleted(tx: &mut Tx, id: ReportId, is_to_change: bool) -> Result<(Report, bool), Error> {
    if is_to_change {
        sqlx::query!("select id from report where id = $1 for update", id.uuid())
            .fetch_optional(tx.connection())
            .await
            .map_err(failed)?
            .ok_or(Error::NotFound)?;
    }
    let row = sqlx::query!(
        r#"
        select
          report.version, report.updated_at, report.changed_by, report.created_by, report.deleted_at,
          newest.definition, newest.summary, newest.undo_to, newest.redo_to
        from report
        join report_version as newest
          on newest.tenant_id = report.tenant_id and newest.report_id = report.id and newest.number = report.version
        where report.id = $1
        "#,
        id.uuid(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    let report = Report {
        id,
        definition: stored(serde_json::from_value(row.definition))?,
        version: row.version,
        updated_at: row.updated_at,
        changed_by: row.changed_by,
        created_by: row.created_by,
        undoes: row.undo_to.map(|_| row.summary),
        can_redo: row.redo_to.is_some(),
    };
    Ok((report, row.deleted_at.is_some()))
}

/// Tells the later of two people what was saved in the meantime, and by whom.
async fn refuse_stale(ctx: &TenantContext, tx: &mut Tx, report: &Report, seen: &str) -> Result<(), Error> {
    let seen: i64 = seen
        .parse()
        .map_err(|_| Error::invalid("version", "load the page again; the form did not say what it was made from."))?;
    if seen == report.version {
        return Ok(());
    }
    let since = sqlx::query!(
        "select summary, created_by from report_version where report_id = $1 and number > $2 order by number desc limit 5",
        report.id.uuid(),
        seen,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let what: Vec<String> = since.into_iter().map(|row| format!("{} ({})", row.summary, row.created_by)).collect();
    Err(Error::Conflict(format!(
        "{} changed this on {}, after you had opened it: {}. Nothing of yours was saved. Reload to see it as it is now, and make your change again.",
        report.changed_by,
        Format::of(ctx.tenant()).instant(report.updated_at),
        what.join("; ")
    )))
}
