//! A schedule sends what whoever keeps it may send. They are told what went wrong with it, and its readers are not. Where they have left
//! or may not send it any more, the owners of the tenant are told.

use rtv_core::{Email, Error, MailId, Permission, ReportId, RunId, TeamId, UserId};
use secrecy::SecretString;
use uuid::Uuid;

use super::run::is_within;
use crate::access::stored;
use crate::context::TenantContext;
use crate::mail::{Kind, Letter, Outbox};
use crate::news::mail_id;
use crate::roster::Roster;
use crate::transaction::{Tx, failed};

/// Why whoever keeps a schedule may not have the figures of these teams sent any more; of none: those of the whole tenant. What nobody in
/// particular has set, such as the operator's own, goes on.
pub(super) async fn lapse(tx: &mut Tx, keeper: Option<Uuid>, sent: &[TeamId]) -> Result<Option<&'static str>, Error> {
    let Some(keeper) = keeper.map(UserId::from) else { return Ok(None) };
    let roster = Roster::read(tx).await?;
    // A team that is no more has no figures. No team at all would mean those of the whole tenant.
    let left: Vec<TeamId> = sent.iter().filter(|team| roster.teams.contains_key(team)).copied().collect();
    if left.is_empty() && !sent.is_empty() {
        return Ok(Some("The teams whose figures it sends are no more; set another schedule."));
    }
    let is_here = roster.members.get(&keeper).is_some_and(|member| !member.is_disabled);
    let Some(holding) = roster.holding(keeper).filter(|_| is_here) else {
        return Ok(Some("Whoever kept it has left."));
    };
    if !holding.everywhere().contains(Permission::ReportsSchedule) {
        return Ok(Some("Whoever keeps it does not hold the permission “reports:schedule” any more."));
    }
    let read = Permission::AnalyticsRead;
    let sees = holding.everywhere().contains(read) || is_within(&left, &holding.teams_with(read));
    Ok((!sees).then_some("Whoever keeps it does not see all figures any more that it sends."))
}

/// Tells whoever keeps the schedule of a run what went wrong. Runs that somebody asked for are told on their pages alone. `about` makes
/// it one mail, however often it is told.
pub(super) async fn tell_owner(
    ctx: &TenantContext,
    tx: &mut Tx,
    outbox: &Outbox,
    run: RunId,
    about: Uuid,
    subject: &str,
    text: &str,
) -> Result<(), Error> {
    let row = sqlx::query!(
        r#"
        select report_run.report_id, report_schedule.owner_id
        from report_run
        join report_schedule
          on report_schedule.tenant_id = report_run.tenant_id and report_schedule.id = report_run.schedule_id
        where report_run.id = $1
        "#,
        run.uuid(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let Some(row) = row else { return Ok(()) };
    let page = format!("{}/runs/{run}", ReportId::from(row.report_id));
    tell(ctx, tx, outbox, row.owner_id, about.as_bytes(), &page, (subject, text)).await
}

/// Tells a keeper, with the address of a page below that of all reports.
pub(super) async fn tell(
    ctx: &TenantContext,
    tx: &mut Tx,
    outbox: &Outbox,
    keeper: Option<Uuid>,
    about: &[u8],
    page: &str,
    (subject, text): (&str, &str),
) -> Result<(), Error> {
    let page = outbox.link(&format!("/t/{}/reports/{page}", ctx.tenant().slug));
    for (user, to) in keepers(ctx, tx, keeper).await? {
        let id: MailId = mail_id(&[about, user.uuid().as_bytes()]);
        let letter = Letter {
            kind: Kind::Report,
            to,
            subject: format!("{}: {subject}", ctx.tenant().name),
            text: SecretString::from(format!(
                "Hello,\n\n{text}\n\n{page}\n\nYou are told because you keep this schedule, or because its keeper cannot mend it. Its readers were told nothing.\n"
            )),
        };
        outbox.write_once(tx, id, Some(ctx.tenant().id), letter, ctx.now()).await?;
    }
    Ok(())
}

async fn keepers(ctx: &TenantContext, tx: &mut Tx, keeper: Option<Uuid>) -> Result<Vec<(UserId, Email)>, Error> {
    let rows = sqlx::query!(
        r#"
        with present as (
          select app_user.id, app_user.email, membership.role = 'owner' as is_owner
          from membership
          join app_user on app_user.id = membership.user_id
          where membership.tenant_id = $1 and not app_user.is_disabled
        )
        select id, email
        from present
        where id = $2 or (is_owner and not exists (select 1 from present as keeper where keeper.id = $2))
        order by email
        "#,
        ctx.tenant().id.uuid(),
        keeper,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter().map(|row| Ok((row.id.into(), stored(row.email.parse())?))).collect()
}
