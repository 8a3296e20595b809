//! Reports of each organisation, from the templates, one run of the monthly one, which the first worker makes, and a schedule that puts
//! the weekly one into its owner's inbox every Monday. Nothing of it leaves by mail.

use chrono::{DateTime, NaiveDate, Utc};
use rtv_core::Error;
use rtv_core::filter::PageFilter;
use rtv_core::period::Range;
use rtv_core::report::{FileFormat, Rhythm, Way};
use serde_json::json;
use uuid::Uuid;

use crate::access::stored;
use crate::context::Tenant;
use crate::demo::deliver::lasting_id;
use crate::demo::story::Story;
use crate::report::schedule::time;
use crate::report::{Dispatch, MakeRun, Template, Ticket};
use crate::transaction::{Tx, failed};

/// Where the ids of what is drawn here begin among the lasting ones of an organisation.
const FIRST: u8 = 60;
/// The id of the schedule among them.
const SCHEDULE: u8 = 90;

/// What every organisation has built, the newest last.
const BUILT: [Template; 4] =
    [Template::MarketPosition, Template::PlatformComparison, Template::WeeklyActivity, Template::MonthlyExecutive];

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
        if template == Template::WeeklyActivity {
            write_schedule(tx, story, tenant, id, now, &author).await?;
        }
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

async fn write_schedule(
    tx: &mut Tx,
    story: &Story,
    tenant: &Tenant,
    report: Uuid,
    now: DateTime<Utc>,
    author: &str,
) -> Result<(), Error> {
    let zone = tenant.zone.name();
    let rhythm = Rhythm::parse([("frequency", "weekly"), ("weekday", "mon"), ("time", "08:00"), ("zone", zone)])?;
    let recipient = format!("owner@{}.example", story.slug);
    let dispatch = Dispatch {
        way: Way::Inbox,
        formats: vec![FileFormat::Pdf, FileFormat::Xlsx],
        recipients: vec![stored(recipient.parse())?],
        skips_empty: false,
        is_test: false,
    };
    let awaited = time::next(&rhythm, now);
    sqlx::query!(
        r#"
        insert into report_schedule (
          tenant_id, id, report_id, rhythm, range, dispatch, awaited, awaited_at, created_at, created_by, updated_at, changed_by,
          is_sample
        )
        values (rtv_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $8, $9, true)
        on conflict (tenant_id, id) do nothing
        "#,
        lasting_id(story, SCHEDULE),
        report,
        json!(rhythm),
        Range::LastWeek.key(),
        json!(dispatch),
        awaited.nominal,
        awaited.at,
        now,
        author,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}
