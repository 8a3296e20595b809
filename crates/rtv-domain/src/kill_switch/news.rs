//! Telling teams by mail that sending is halted, and that it was resumed. The recorder writes a job with its record, so a process that
//! dies forgets none; the job finds the tenants that the halt meets and writes each person one mail, however often it runs.

use core::time::Duration;

use chrono::{DateTime, Utc};
use rtv_core::{Email, Error, HaltId, News, Permission, ReasonKind, Scope, TenantId};
use rtv_jobs::Job;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::{self, stored};
use crate::context::{Context, TenantContext};
use crate::format::Format;
use crate::kill_switch::scope::Columns;
use crate::kill_switch::tenant_of;
use crate::mail::Outbox;
use crate::news::{self, Message, Told};
use crate::transaction::{Resource, Tx, failed};

/// What there is to tell of a halt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Turn {
    /// It is engaged.
    Engaged,
    /// It was released.
    Released,
}

/// The job that tells teams of a halt.
#[derive(Debug, Serialize, Deserialize)]
pub struct TellHalt {
    /// Whose switch it is; none: the operator's.
    tenant: Option<TenantId>,
    halt: HaltId,
    turn: Turn,
}

impl Job for TellHalt {
    const KIND: &'static str = "news.halt";
    const MAX_ATTEMPTS: u16 = 10;
    const TIMEOUT: Duration = Duration::from_mins(2);

    fn tenant(&self) -> Option<Uuid> {
        self.tenant.map(TenantId::uuid)
    }
}

/// Has teams told that a halt is engaged, when and only when the transaction commits.
pub(crate) async fn tell_engaged(tx: &mut Tx, owner: TenantId, halt: HaltId) -> Result<(), Error> {
    news::enqueue(tx, &TellHalt { tenant: tenant_of(owner.uuid()), halt, turn: Turn::Engaged }).await
}

/// Has teams told of the releases that nobody has told of yet, at most so many.
pub(crate) async fn tell_released(tx: &mut Tx, most: i64) -> Result<(), Error> {
    let rows = sqlx::query!(
        r#"
        update halt
        set is_release_told = true
        where (tenant_id, id) in (
          select tenant_id, id
          from halt
          where released_at is not null and not is_release_told
          order by id
          limit $1
        )
        returning tenant_id, id
        "#,
        most
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    for row in rows {
        let job = TellHalt { tenant: tenant_of(row.tenant_id), halt: row.id.into(), turn: Turn::Released };
        news::enqueue(tx, &job).await?;
    }
    Ok(())
}

/// Writes the mails: in the tenant whose halt it is, or in each with an account that the operator's halt covers.
pub async fn carry_out(ctx: &Context, outbox: &Outbox, job: &TellHalt) -> Result<(), Error> {
    let mut tx = ctx.begin_gate().await?;
    let halt = read(&mut tx, job).await?;
    let Some(halt) = halt else { return tx.rollback().await };
    let tenants = match job.tenant {
        Some(tenant) => vec![tenant],
        None => met(&mut tx, &halt.scope).await?,
    };
    tx.rollback().await?;
    for tenant in tenants {
        match access::enter_to_work(ctx, tenant).await {
            Ok(ctx) => tell(&ctx, outbox, job, &halt).await?,
            Err(Error::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A halt as a mail tells of it.
#[derive(Debug, Clone)]
struct Halt {
    scope: Scope,
    name: String,
    at: DateTime<Utc>,
    by: String,
    is_automatic: bool,
    reason: ReasonKind,
    note: Option<String>,
    released_at: Option<DateTime<Utc>>,
    released_by: Option<String>,
    approved_by: Option<String>,
    release_reason: Option<String>,
}

async fn read(tx: &mut Tx, job: &TellHalt) -> Result<Option<Halt>, Error> {
    let row = sqlx::query!(
        r#"
        select
          tenant_id, kind, platform, action, account_id, campaign_id, scope_name, engaged_at, actor_label, is_automatic, reason,
          note, released_at, released_by, approved_by, release_reason
        from halt
        where tenant_id = $1 and id = $2
        "#,
        super::owner(job.tenant).uuid(),
        job.halt.uuid(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    row.map(|row| {
        let columns = Columns {
            tenant_id: row.tenant_id,
            kind: row.kind,
            platform: row.platform,
            action: row.action,
            account_id: row.account_id,
            campaign_id: row.campaign_id,
        };
        Ok(Halt {
            scope: columns.scope()?,
            name: row.scope_name,
            at: row.engaged_at,
            by: row.actor_label,
            is_automatic: row.is_automatic,
            reason: stored(row.reason.parse())?,
            note: row.note,
            released_at: row.released_at,
            released_by: row.released_by,
            approved_by: row.approved_by,
            release_reason: row.release_reason,
        })
    })
    .transpose()
}

/// Tenants with an account that a halt of the operator covers.
async fn met(tx: &mut Tx, scope: &Scope) -> Result<Vec<TenantId>, Error> {
    let tenants = sqlx::query_scalar!(
        r#"select distinct tenant_id from account where $1::text is null or platform = $1 order by tenant_id"#,
        Columns::of(scope).platform
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    Ok(tenants.into_iter().map(TenantId::from).collect())
}

/// Tells one tenant's teams, in a transaction of its own: a run that begins again writes nothing a second time.
async fn tell(ctx: &TenantContext, outbox: &Outbox, job: &TellHalt, halt: &Halt) -> Result<(), Error> {
    let mut tx = ctx.begin_to_tidy(Permission::TeamsManage, Resource::Teams).await?;
    let told = concerned(&mut tx, ctx.tenant().id, halt, job.turn).await?;
    if told.is_empty() {
        return tx.rollback().await;
    }
    let message = message(&Format::of(ctx.tenant()), job, halt);
    for (to, told) in told {
        // One mail for a person, a halt and what happened to it, in each of their tenants.
        let id = news::mail_id(&[
            job.halt.uuid().as_bytes(),
            &[u8::from(job.turn == Turn::Released)],
            ctx.tenant().id.uuid().as_bytes(),
            told.user.uuid().as_bytes(),
        ]);
        let letter = news::letter(ctx, outbox, &told, &message, to);
        outbox.write_once(&mut tx, id, Some(ctx.tenant().id), letter, ctx.now()).await?;
    }
    tx.commit().await
}

/// Who is told: members of the teams that have it so, whom it concerns. What is wider than accounts concerns all teams, but a platform
/// those that have no account, or one on it. Nobody is told of what they have done themself.
async fn concerned(tx: &mut Tx, tenant: TenantId, halt: &Halt, turn: Turn) -> Result<Vec<(Email, Told)>, Error> {
    let did_it: Vec<String> = match turn {
        Turn::Engaged => vec![halt.by.clone()],
        Turn::Released => halt.released_by.iter().chain(&halt.approved_by).cloned().collect(),
    };
    let columns = Columns::of(&halt.scope);
    let rows = sqlx::query!(
        r#"
        select
          team_member.user_id, app_user.email, array_agg(team.name order by lower(team.name), team.id) as "teams!"
        from team_member
        join team on team.tenant_id = team_member.tenant_id and team.id = team_member.team_id
        join membership on membership.tenant_id = team_member.tenant_id and membership.user_id = team_member.user_id
        join app_user on app_user.id = team_member.user_id
        where team_member.tenant_id = $1
          and $2 = any (team_member.news)
          and not app_user.is_disabled
          and app_user.email <> all ($3)
          and case
            when $4::uuid is not null then exists (
              select 1
              from team_account
              where team_account.tenant_id = team.tenant_id and team_account.team_id = team.id
                and team_account.account_id = $4
            )
            when $5::uuid is not null then exists (
              select 1
              from team_campaign
              where team_campaign.tenant_id = team.tenant_id and team_campaign.team_id = team.id
                and team_campaign.campaign_id = $5
            )
            when $6::text is not null then coalesce(
              (
                select bool_or(account.platform = $6)
                from team_account
                join account on account.tenant_id = team_account.tenant_id and account.id = team_account.account_id
                where team_account.tenant_id = team.tenant_id and team_account.team_id = team.id
              ),
              true
            )
            else true
          end
        group by team_member.user_id, app_user.email
        order by team_member.user_id
        "#,
        tenant.uuid(),
        News::Halts.key(),
        &did_it[..],
        columns.account_id,
        columns.campaign_id,
        columns.platform,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| Ok((stored(row.email.parse())?, Told { user: row.user_id.into(), teams: row.teams })))
        .collect()
}

fn message(format: &Format, job: &TellHalt, halt: &Halt) -> Message {
    let note = |text: &Option<String>| text.as_ref().map(|text| format!("\n\n“{text}”")).unwrap_or_default();
    let (subject, text) = match (job.turn, halt.released_at) {
        (Turn::Released, Some(at)) => {
            let by = halt.released_by.as_deref().unwrap_or("somebody");
            let approved =
                halt.approved_by.as_ref().map(|name| format!(", with the approval of {name}")).unwrap_or_default();
            let text = format!(
                "{} is not halted any more: {by} released it on {}{approved}.{}\n\nWhat no other halt covers goes out again, slowly at first.",
                halt.name,
                format.instant(at),
                note(&halt.release_reason)
            );
            (format!("{} is released", halt.name), text)
        }
        (Turn::Engaged, _) | (Turn::Released, None) => {
            let by = if halt.is_automatic { format!("{}, without a person,", halt.by) } else { halt.by.clone() };
            let text = format!(
                "{} is halted: {by} halted it on {} ({}).{}\n\nNothing that it covers goes out until a person releases it. What comes due meanwhile is held.",
                halt.name,
                format.instant(halt.at),
                halt.reason.label().to_lowercase(),
                note(&halt.note)
            );
            (format!("{} is halted", halt.name), text)
        }
    };
    Message { subject, text, page: format!("/switches/halts/{}", job.halt) }
}
