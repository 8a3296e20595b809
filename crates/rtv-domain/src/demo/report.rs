//! Reports of each organisation, from the templates, and one run of the monthly one, which the first worker makes.

use chrono::{DateTime, NaiveDate, Utc};
use rtv_core::Error;
use rtv_core::filter::PageFilter;
use rtv_core::period::Range;
use serde_json::json;

use crate::context::Tenant;
use crate::demo::deliver::lasting_id;
use crate::demo::story::Story;
use crate::report::{MakeRun, Template, Ticket};
use crate::transaction::{Tx, failed};

/// Where the ids of what is drawn here begin among the lasting ones of an organisation.
const FIRST: u8 = 60;

/// What every organisation has built, the newest last.
const BUILT: [Template; 3] = [Template::PlatformComparison, Template::WeeklyActivity, Template::MonthlyExecutive];

/// Writes them into the tenant of the transaction.
pub(super) async fn write(
    tx: &mut Tx,
    story: &Story,
    tenant: &Tenant,
    today: NaiveDate,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let author = format!("editor@{}.example", story.slug);
    for (place, template) in (FIRST..).zip(BUILT) {
        let id = lasting_id(story, place);
        let definition = template.definition();
        // The order of the list is that of the changes.
        let at = now - chrono::TimeDelta::hours(i64::from(FIRST + 10 - place));
        let is_new = sqlx::query!(
            r#"
            insert into report (tenant_id, id, name, created_at, created_by, updated_at, changed_by, is_sample)
            values (rtv_tenant(), $1, $2, $3, $4, $3, $4, true)
            on conflict (tenant_id, id) do nothing
            "#,
            id,
            definition.name,
            at,
            author,
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?
        .rows_affected()
            > 0;
        // Somebody has gone on with it: it is theirs now.
        if !is_new {
            continue;
        }
        sqlx::query!(
            r#"
            insert into report_version (
              tenant_id, report_id, number, definition, summary, created_at, created_by, is_sample
            )
            values (rtv_tenant(), $1, 1, $2, $3, $4, $5, true)
            "#,
            id,
            json!(definition),
            format!("Started from {}", template.label()),
            at,
            author,
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
        if template == Template::MonthlyExecutive {
            let period = Range::LastMonth.period(today, tenant.week_start, None)?;
            let fixed = PageFilter {
                range: Range::Custom,
                custom: Some((period.from(), period.to())),
                ..PageFilter::default()
            };
            let run = lasting_id(story, place + 20);
            sqlx::query!(
                r#"
                insert into report_run (
                  tenant_id, id, report_id, version, name, parameters, zone, period_from, period_to, author, created_at, is_sample
                )
                values (rtv_tenant(), $1, $2, 1, $3, $4, $5, $6, $7, $8, $9, true)
                "#,
                run,
                id,
                definition.name,
                fixed.to_query(),
                tenant.zone.name(),
                period.from(),
                period.to(),
                author,
                now,
            )
            .execute(tx.connection())
            .await
            .map_err(failed)?;
            let job = MakeRun(Ticket { tenant: tenant.id, run: run.into() });
            rtv_jobs::enqueue(tx.queue(), &job, None).await.map_err(|error| {
                tracing::error!(%error, "the run of the demo cannot be enqueued");
                Error::Internal
            })?;
        }
    }
    Ok(())
}
