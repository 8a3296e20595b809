//! Telling members of teams by mail. Who caused the news writes a job in the transaction of its cause, with the people that
//! their teams have chosen by then; the job writes the mails, each once, however often it runs.
//!
//! Of halts, which may concern many tenants, `kill_switch/news.rs` tells. A mail names people, files and counts. Figures stay on the pages, behind their permissions.

use core::time::Duration;
use std::collections::BTreeMap;

use rtv_core::{AccountId, Email, Error, MailId, News, Permission, TeamId, TenantId, UserId};
use rtv_jobs::Job;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::access::{self, stored};
use crate::context::{Context, TenantContext};
use crate::mail::{Kind, Letter, Outbox};
use crate::transaction::{Resource, Tx, failed};

/// What news is about: the teams that it concerns.
#[derive(Debug, Clone, Copy)]
pub(crate) enum About<'a> {
    /// The teams that are responsible for one of these accounts.
    Accounts(&'a [AccountId]),
    /// These teams.
    Teams(&'a [TeamId]),
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    /// Subject of the mail.
    pub(crate) subject: String,
    /// What happened, in whole sentences.
    pub(crate) text: String,
    /// The page with more, from the tenant's own address on: `/imports/imp_…`.
    pub(crate) page: String,
}

/// Somebody who is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) user: UserId,
    /// Names of the teams that have it so.
    pub(crate) teams: Vec<String>,
}

/// The job that writes the mails.
#[derive(Debug, Serialize, Deserialize)]
pub struct TellNews {
    /// The tenant.
    tenant: TenantId,
    /// Made into the ids of the mails, so that a second run writes none a second time.
    id: Uuid,
    told: Vec<Told>,
    message: Message,
}

impl Job for TellNews {
    const KIND: &'static str = "news.tell";
    const MAX_ATTEMPTS: u16 = 10;
    const TIMEOUT: Duration = Duration::from_mins(2);

    fn tenant(&self) -> Option<Uuid> {
        Some(self.tenant.uuid())
    }
}

impl TellNews {
    /// The id of one person's mail.
    fn mail(&self, user: UserId) -> MailId {
        mail_id(&[self.id.as_bytes(), user.uuid().as_bytes()])
    }
}

/// An id that is made of what a mail is about, so that whoever writes it again writes none a second time.
pub(crate) fn mail_id(parts: &[&[u8]]) -> MailId {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.finalize()[..16]);
    MailId::from(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// Adds a job that tells to the transaction of its cause.
pub(crate) async fn enqueue<J: Job>(tx: &mut Tx, job: &J) -> Result<(), Error> {
    rtv_jobs::enqueue(tx.queue(), job, None).await.map_err(|error| match error {
        rtv_jobs::Error::Database(error) => failed(error),
        other => {
            tracing::error!(error = %other, "a job cannot be enqueued");
            Error::Internal
        }
    })?;
    Ok(())
}

/// Tells who is to be told, when and only when the transaction commits. Nobody is told of what they have done themself.
pub(crate) async fn tell(
    ctx: &TenantContext,
    tx: &mut Tx,
    about: About<'_>,
    kind: News,
    message: Message,
) -> Result<(), Error> {
    let (accounts, teams): (Vec<Uuid>, Vec<Uuid>) = match about {
        About::Accounts(accounts) => (accounts.iter().map(|id| id.uuid()).collect(), Vec::new()),
        About::Teams(teams) => (Vec::new(), teams.iter().map(|id| id.uuid()).collect()),
    };
    let rows = sqlx::query!(
        r#"
        select team_member.user_id, team.name
        from team_member
        join team on team.tenant_id = team_member.tenant_id and team.id = team_member.team_id
        where team_member.tenant_id = $1
          and $2 = any (team_member.news)
          and team_member.user_id is distinct from $3
          and (
            team_member.team_id = any ($4)
            or exists (
              select 1
              from team_account
              where team_account.tenant_id = team_member.tenant_id
                and team_account.team_id = team_member.team_id
                and team_account.account_id = any ($5)
            )
          )
        order by lower(team.name), team.id
        "#,
        ctx.tenant().id.uuid(),
        kind.key(),
        ctx.context().actor().user_id().map(UserId::uuid),
        &teams[..],
        &accounts[..],
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let mut told: BTreeMap<UserId, Vec<String>> = BTreeMap::new();
    for row in rows {
        told.entry(row.user_id.into()).or_default().push(row.name);
    }
    if told.is_empty() {
        return Ok(());
    }
    let told = told.into_iter().map(|(user, teams)| Told { user, teams }).collect();
    let job = TellNews { tenant: ctx.tenant().id, id: Uuid::now_v7(), told, message };
    enqueue(tx, &job).await
}

/// Writes the mails. Who has left the tenant since, or may not sign in, gets none. A suspended tenant's people are told too:
/// that something came to an end changes nothing there.
pub async fn carry_out(ctx: &Context, outbox: &Outbox, job: &TellNews) -> Result<(), Error> {
    let ctx = match access::enter_to_work(ctx, job.tenant).await {
        Ok(ctx) => ctx,
        Err(Error::NotFound) => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut tx = ctx.begin_to_tidy(Permission::TeamsManage, Resource::Teams).await?;
    let users: Vec<Uuid> = job.told.iter().map(|one| one.user.uuid()).collect();
    let rows = sqlx::query!(
        r#"
        select app_user.id, app_user.email
        from membership
        join app_user on app_user.id = membership.user_id
        where membership.tenant_id = $1 and membership.user_id = any ($2) and not app_user.is_disabled
        "#,
        job.tenant.uuid(),
        &users[..],
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    for row in rows {
        let user = UserId::from(row.id);
        let Some(told) = job.told.iter().find(|one| one.user == user) else { continue };
        let to: Email = stored(row.email.parse())?;
        let letter = letter(&ctx, outbox, told, &job.message, to);
        outbox.write_once(&mut tx, job.mail(user), Some(job.tenant), letter, ctx.now()).await?;
    }
    tx.commit().await
}

/// The mail to one of them.
pub(crate) fn letter(ctx: &TenantContext, outbox: &Outbox, told: &Told, message: &Message, to: Email) -> Letter {
    let tenant = ctx.tenant();
    let link = outbox.link(&format!("/t/{}{}", tenant.slug, message.page));
    let (teams, verb) = match told.teams.as_slice() {
        [one] => (format!("the team “{one}”"), "has"),
        more => (format!("the teams “{}”", more.join("”, “")), "have"),
    };
    Letter {
        kind: Kind::News,
        to,
        subject: format!("{}: {}", tenant.name, message.subject),
        text: SecretString::from(format!(
            "Hello,\n\n{}\n\n{link}\n\nYou are told because {teams} of {} {verb} it so. Whoever manages the team can change that.\n",
            message.text, tenant.name
        )),
    }
}
