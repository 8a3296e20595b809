//! Copying a report from one tenant to another, by staff: an agency's good report for a new client. What names accounts, campaigns or
//! teams stays behind, because they are the first tenant's.

use rtv_core::filter::PageFilter;
use rtv_core::{Error, ReportId, Slug};
use serde_json::json;
use uuid::Uuid;

use super::definition::{read, write};
use crate::access;
use crate::audit::Event;
use crate::context::Context;
use crate::tenant;
use crate::transaction::{StaffPermission, failed};

/// A page offers so many, the newest.
const OFFERED: i64 = 200;

/// The reports of a tenant, by name.
pub async fn copyable(ctx: &Context, slug: &Slug) -> Result<Vec<(ReportId, String)>, Error> {
    let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, None).await?;
    let tenant = tenant::find(&mut tx, slug).await?;
    tx.rollback().await?;
    let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, Some(tenant.id)).await?;
    let rows = sqlx::query!(
        r#"
        select id, name
        from report
        where deleted_at is null
        order by lower(name), id
        limit $1
        "#,
        OFFERED,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(rows.into_iter().map(|row| (row.id.into(), row.name)).collect())
}

/// Copies a report to another tenant, whose log and the first one's say so. Returns its name.
pub async fn copy_to(ctx: &Context, from: &Slug, report: ReportId, to: &Slug) -> Result<String, Error> {
    let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, None).await?;
    let source = tenant::find(&mut tx, from).await?;
    let target = tenant::find(&mut tx, to)
        .await
        .map_err(|_| Error::invalid("to", format!("there is no tenant “{to}”; use the name in its address.")))?;
    tx.rollback().await?;
    if source.id == target.id {
        return Err(Error::invalid("to", "choose another tenant; in its own a report is copied by its people."));
    }
    let mut tx = ctx.begin_staff(StaffPermission::ReportsCopy, Some(source.id)).await?;
    let mut definition = read(&mut tx, report, false).await?.definition;
    let own = PageFilter::from_query(&definition.parameters)?;
    definition.parameters =
        PageFilter { accounts: Vec::new(), campaigns: Vec::new(), teams: Vec::new(), ..own }.to_query();
    let after = json!({ "to": to, "name": definition.name });
    tx.audit(Event::new("report.copy_out", "report", report.to_string()).after(after)).await?;
    // One transaction: both logs say it, or neither.
    tx.move_to(target.id).await?;
    let copy = ReportId::from(Uuid::now_v7());
    write(&mut tx, copy, &definition, "Copied by the operator", &ctx.actor().label()).await?;
    access::refuse_read_only_now(&mut tx, target.id).await?;
    let after = json!({ "name": definition.name, "version": 1, "change": "Copied by the operator" });
    tx.audit(Event::new("report.create", "report", copy.to_string()).after(after)).await?;
    tx.commit().await?;
    Ok(definition.name)
}
