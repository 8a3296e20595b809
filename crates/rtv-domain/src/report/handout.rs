//! What a link in a mail opens to whoever holds it: the files of one run, for a time, and the choice to get no more of them. The link is
//! a sealed value and nothing of it is stored: it names the mail, so what it opens is known exactly, and it is proof of nothing else.

use chrono::{DateTime, Utc};
use rtv_core::period::Period;
use rtv_core::permission::SEES_REPORTS;
use rtv_core::report::FileFormat;
use rtv_core::{Error, Permission, ReportMailId, ScheduleId, TenantId};
use serde_json::json;
use uuid::Uuid;

use super::run::{FileRow, Run, run};
use crate::access;
use crate::audit::Event;
use crate::context::{Actor, Context, TenantContext};
use crate::mail::Outbox;
use crate::transaction::{Resource, failed};
use crate::vault::{Purpose, Vault};

/// What all links are bound to; they name their tenant themselves.
const OWNER: &[u8] = b"report link";

/// What a link says.
pub(super) struct Link {
    pub(super) tenant: TenantId,
    pub(super) mail: ReportMailId,
    /// Files can be had up to then.
    pub(super) expires_at: DateTime<Utc>,
}

impl Link {
    /// Where it leads.
    pub(super) fn address(&self, outbox: &Outbox) -> Result<String, Error> {
        let said = [
            &self.tenant.uuid().as_bytes()[..],
            &self.mail.uuid().as_bytes()[..],
            &self.expires_at.timestamp().to_be_bytes()[..],
        ]
        .concat();
        let sealed = outbox.vault().seal_bound(Purpose::ReportLink, OWNER, &said)?;
        Ok(outbox.link(&format!("/shared/{}", hex::encode(sealed))))
    }

    /// Reads the text of a link. Whatever we did not seal is nothing.
    fn read(vault: &Vault, text: &str) -> Option<Self> {
        let said = vault.try_open(Purpose::ReportLink, OWNER, &hex::decode(text).ok()?)?;
        let (tenant, rest) = said.split_first_chunk::<16>()?;
        let (mail, seconds) = rest.split_first_chunk::<16>()?;
        Some(Self {
            tenant: Uuid::from_bytes(*tenant).into(),
            mail: Uuid::from_bytes(*mail).into(),
            expires_at: DateTime::from_timestamp(i64::from_be_bytes(seconds.try_into().ok()?), 0)?,
        })
    }
}

/// What a link opens.
#[derive(Debug, Clone, PartialEq)]
pub struct Handout {
    /// The tenant.
    pub tenant: crate::Tenant,
    /// The report, as it was called then.
    pub name: String,
    /// Its days.
    pub period: Period,
    /// To whom it was sent.
    pub recipient: String,
    /// Up to when files can be had.
    pub expires_at: DateTime<Utc>,
    /// The files; none once that is over.
    pub files: Vec<FileRow>,
    /// Whether more of them come; `None` where none would come anyway.
    pub is_subscribed: Option<bool>,
}

/// A link that was opened.
struct Opened {
    ctx: TenantContext,
    link: Link,
    run: Run,
    recipient: String,
    /// The schedule, where more are to come.
    schedule: Option<ScheduleId>,
}

async fn open(ctx: &Context, vault: &Vault, text: &str) -> Result<Opened, Error> {
    let link = Link::read(vault, text).ok_or(Error::NotFound)?;
    // The seal is the proof; it names the tenant and the mail, and nothing else is read or changed here.
    let ctx = access::enter_to_work(&ctx.with_actor(Actor::System("report link")), link.tenant).await?;
    let mut tx = ctx.begin_to_read(SEES_REPORTS, Resource::Reports).await?;
    let row = sqlx::query!("select run_id, recipient from report_mail where id = $1", link.mail.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or(Error::NotFound)?;
    tx.rollback().await?;
    let run = run(&ctx, row.run_id.into()).await?;
    let is_test = run.dispatch.as_ref().is_some_and(|dispatch| dispatch.is_test);
    let schedule = run.schedule.filter(|_| !is_test);
    Ok(Opened { ctx, link, run, recipient: row.recipient, schedule })
}

/// What a link opens. One that was never made, or whose tenant or run is gone, is none; one whose time is over has no files.
pub async fn handout(ctx: &Context, vault: &Vault, text: &str) -> Result<Handout, Error> {
    let Opened { ctx, link, run, recipient, schedule } = open(ctx, vault, text).await?;
    let formats = run.dispatch.as_ref().map(|dispatch| dispatch.formats.clone()).unwrap_or_default();
    let is_subscribed = match schedule {
        None => None,
        Some(schedule) => {
            let mut tx = ctx.begin_to_read(SEES_REPORTS, Resource::Schedule(schedule)).await?;
            let has_left = sqlx::query_scalar!(
                r#"
                select exists (
                  select 1 from report_unsubscription where schedule_id = $1 and recipient = $2
                ) as "exists!"
                "#,
                schedule.uuid(),
                recipient,
            )
            .fetch_one(tx.connection())
            .await
            .map_err(failed)?;
            tx.rollback().await?;
            Some(!has_left)
        }
    };
    let files = if link.expires_at <= ctx.now() {
        Vec::new()
    } else {
        run.files.into_iter().filter(|file| formats.contains(&file.format)).collect()
    };
    Ok(Handout {
        tenant: ctx.tenant().clone(),
        name: run.name,
        period: run.period,
        recipient,
        expires_at: link.expires_at,
        files,
        is_subscribed,
    })
}

/// A file behind a link, which the tenant's audit log then says was taken. None once the link's time is over.
pub async fn handout_file(
    ctx: &Context,
    vault: &Vault,
    text: &str,
    format: FileFormat,
    part: u32,
) -> Result<(TenantContext, Run, FileRow), Error> {
    let Opened { ctx, link, run, recipient, .. } = open(ctx, vault, text).await?;
    let is_sent = run.dispatch.as_ref().is_some_and(|dispatch| dispatch.formats.contains(&format));
    if link.expires_at <= ctx.now() || !is_sent {
        return Err(Error::NotFound);
    }
    let file = run.files.iter().find(|file| file.format == format && file.part == part).cloned();
    let file = file.ok_or(Error::NotFound)?;
    let mut tx = ctx.begin_to_read(SEES_REPORTS, Resource::Run(run.id)).await?;
    let after = json!({ "file": file.name(), "sent_to": recipient });
    tx.audit(Event::new("report.file.shared", "report_run", run.id.to_string()).after(after)).await?;
    tx.commit().await?;
    Ok((ctx, run, file))
}

/// Has no more of a schedule sent to whom a link was sent, or has it sent again. Also after the link's time: leaving is always possible.
pub async fn subscribe(ctx: &Context, vault: &Vault, text: &str, is_wanted: bool) -> Result<(), Error> {
    let Opened { ctx, recipient, schedule, .. } = open(ctx, vault, text).await?;
    let schedule = schedule.ok_or(Error::NotFound)?;
    let resource = Resource::Schedule(schedule);
    let (mut tx, changed) = if is_wanted {
        let mut tx = ctx.begin(Permission::ReportsManage, resource).await?;
        let deleted = sqlx::query!(
            "delete from report_unsubscription where schedule_id = $1 and recipient = $2",
            schedule.uuid(),
            recipient,
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
        (tx, deleted.rows_affected())
    } else {
        let mut tx = ctx.begin_to_stop(Permission::ReportsManage, resource).await?;
        let added = sqlx::query!(
            r#"
            insert into report_unsubscription (tenant_id, schedule_id, recipient, at)
            values ($1, $2, $3, $4)
            on conflict do nothing
            "#,
            ctx.tenant().id.uuid(),
            schedule.uuid(),
            recipient,
            ctx.now(),
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
        (tx, added.rows_affected())
    };
    if changed > 0 {
        let what = if is_wanted { "report.subscribe" } else { "report.unsubscribe" };
        let after = json!({ "recipient": recipient });
        tx.audit(Event::new(what, "report_schedule", schedule.to_string()).after(after)).await?;
    }
    tx.commit().await
}
