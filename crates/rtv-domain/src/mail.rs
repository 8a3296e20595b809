//! The outbox: mail is written in the transaction of what causes it, and handed over later by a job of `rtv-jobs`, so that
//! both happen or neither. Without a mail server mail is *caught*: it stays here, and staff read it at `/staff/mail`.
//!
//! Bodies hold links with tokens. A body is sealed with the master key, under the mail's id; it is removed once the mail was
//! handed over or given up, and stays only where mail is caught. No log line and no event holds one.
//!
//! **How often a mail is sent.** A mail that the server has accepted is never sent again: before the message is handed over
//! the row says `sending`, and a row that says so is not picked up a second time. Everything before that (connecting, being
//! let in, naming the recipient) is tried again. What SMTP cannot give is to know, when the
//! connection breaks between the last byte of the message and the answer, whether it was accepted. Such a mail is
//! `uncertain` and is left alone: a person can ask for another one. A worker that dies at that moment leaves the same.

use core::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::{Email, Error, MailId, TenantId};
use rtv_jobs::{BackOff, Job};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::access::stored;
use crate::audit::Event;
use crate::context::Context;
use crate::transaction::{StaffPermission, Tx, WorkKind, failed};
use crate::vault::{Purpose, Vault};

/// How long a row is kept, with or without its body.
const KEPT: TimeDelta = TimeDelta::days(30);
/// How many rows the list shows.
const SHOWN: i64 = 200;

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Invites into a tenant.
    Invitation,
    /// Leads to a new password.
    PasswordReset,
    /// Says that something about the account has changed.
    Notice,
    /// Tells a team's member what their team has asked for.
    News,
    /// Brings a report, or says that one could not be brought.
    Report,
}

impl Kind {
    const fn key(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::PasswordReset => "password_reset",
            Self::Notice => "notice",
            Self::News => "news",
            Self::Report => "report",
        }
    }
}

/// Where a mail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waits for a worker.
    Waiting,
    /// A worker is handing it over.
    Sending,
    /// The mail server has it.
    Sent,
    /// The mail server refused it for good, or too often.
    Failed,
    /// It may or may not have been accepted.
    Uncertain,
    /// Stays here, because there is no mail server.
    Caught,
}

impl State {
    /// Name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Sending => "Being sent",
            Self::Sent => "Sent",
            Self::Failed => "Failed",
            Self::Uncertain => "Uncertain",
            Self::Caught => "Caught",
        }
    }
}

impl core::str::FromStr for State {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "waiting" => Ok(Self::Waiting),
            "sending" => Ok(Self::Sending),
            "sent" => Ok(Self::Sent),
            "failed" => Ok(Self::Failed),
            "uncertain" => Ok(Self::Uncertain),
            "caught" => Ok(Self::Caught),
            other => Err(format!("“{other}” is no state of a mail")),
        }
    }
}

/// Where mail goes, and where its links lead.
#[derive(Debug, Clone)]
pub struct Outbox {
    vault: Vault,
    /// Public address of RTV, without a slash at its end.
    base: String,
    is_caught: bool,
}

impl Outbox {
    /// An outbox. `is_caught` says that there is no mail server.
    pub fn new(vault: Vault, base: &str, is_caught: bool) -> Self {
        Self { vault, base: base.trim_end_matches('/').to_owned(), is_caught }
    }

    /// Whether mail stays here instead of being sent.
    pub const fn is_caught(&self) -> bool {
        self.is_caught
    }

    /// What seals the links of mail.
    pub(crate) const fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The address of a page of ours.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Writes a mail in the caller's transaction, and the job that sends it. `tenant` is the one whose turn the job takes.
    pub(crate) async fn write(
        &self,
        tx: &mut Tx,
        tenant: Option<TenantId>,
        letter: Letter,
        now: DateTime<Utc>,
    ) -> Result<MailId, Error> {
        let id = MailId::from(Uuid::now_v7());
        self.write_once(tx, id, tenant, letter, now).await?;
        Ok(id)
    }

    /// The same under an id that its cause gives; nothing happens where there is such a mail.
    pub(crate) async fn write_once(
        &self,
        tx: &mut Tx,
        id: MailId,
        tenant: Option<TenantId>,
        letter: Letter,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let sealed = self.vault.seal(Purpose::Mail, id.uuid(), letter.text.expose_secret().as_bytes())?;
        let written = sqlx::query!(
            r#"
            insert into mail (id, kind, recipient, subject, sealed_body, state, created_at, changed_at)
            values ($1, $2, $3, $4, $5, $6, $7, $7)
            on conflict do nothing
            "#,
            id.uuid(),
            letter.kind.key(),
            letter.to.as_str(),
            letter.subject,
            sealed,
            if self.is_caught { "caught" } else { "waiting" },
            now,
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?
        .rows_affected();
        if written == 1 && !self.is_caught {
            let job = DeliverMail { mail: id, tenant };
            rtv_jobs::enqueue(tx.queue(), &job, None).await.map_err(|error| match error {
                rtv_jobs::Error::Database(error) => failed(error),
                other => {
                    tracing::error!(error = %other, "a job cannot be enqueued");
                    Error::Internal
                }
            })?;
        }
        Ok(())
    }
}

/// A mail that is not written yet.
pub(crate) struct Letter {
    pub(crate) kind: Kind,
    pub(crate) to: Email,
    pub(crate) subject: String,
    pub(crate) text: SecretString,
}

impl Letter {
    /// A mail that says that something about the account has changed, and what to do if it was somebody else.
    pub(crate) fn notice(to: &Email, subject: &str, text: &str) -> Self {
        let advice = "If that was not you, ask for a new password on the sign-in page at once, and tell your operator.";
        Self {
            kind: Kind::Notice,
            to: to.clone(),
            subject: subject.into(),
            text: SecretString::from(format!("{text}\n\n{advice}\n")),
        }
    }
}

/// The job that hands a mail over.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeliverMail {
    /// The mail.
    pub mail: MailId,
    /// The tenant whose turn it takes.
    pub tenant: Option<TenantId>,
}

impl Job for DeliverMail {
    const KIND: &'static str = "mail.deliver";
    const MAX_ATTEMPTS: u16 = 10;
    const TIMEOUT: Duration = Duration::from_mins(2);
    /// People wait for these.
    const PRIORITY: i16 = -10;
    const BACK_OFF: BackOff =
        BackOff { first: Duration::from_secs(10), longest: Duration::from_hours(1), is_least: false };

    fn tenant(&self) -> Option<Uuid> {
        self.tenant.map(TenantId::uuid)
    }
}

/// A mail that is to be handed over now.
pub struct Outgoing {
    /// Id; made into the message's own, so that a receiver knows a mail that comes twice.
    pub id: MailId,
    /// To whom.
    pub to: String,
    /// Subject.
    pub subject: String,
    /// The text, with links that hold tokens.
    pub text: SecretString,
}

/// A mail that waits to be handed over. `None`: it does not wait any more.
pub async fn look(ctx: &Context, vault: &Vault, id: MailId) -> Result<Option<Outgoing>, Error> {
    let mut tx = ctx.begin_worker(WorkKind::Mail).await?;
    // A run before this one was cut off while it handed the mail over: nobody knows how far it came.
    let given_up = sqlx::query!(
        r#"
        update mail
        set state = 'uncertain', sealed_body = null, last_error = $2, changed_at = $3
        where id = $1 and state = 'sending'
        "#,
        id.uuid(),
        "the worker ended while it handed the mail over",
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    let row = sqlx::query!(
        r#"select recipient, subject, sealed_body as "sealed_body!" from mail where id = $1 and state = 'waiting'"#,
        id.uuid(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    tx.commit().await?;
    if given_up == 1 {
        tracing::warn!(mail = %id, "nobody knows whether a mail was sent; it is not sent again");
    }
    let Some(row) = row else { return Ok(None) };
    let body = vault.open_sealed(Purpose::Mail, id.uuid(), &row.sealed_body)?;
    let text = String::from_utf8(body).map_err(|_| Error::Internal)?;
    Ok(Some(Outgoing { id, to: row.recipient, subject: row.subject, text: SecretString::from(text) }))
}

/// Marks a mail as being handed over, right before its first byte leaves. `false`: another worker did that before.
pub async fn claim(ctx: &Context, id: MailId) -> Result<bool, Error> {
    let mut tx = ctx.begin_worker(WorkKind::Mail).await?;
    let claimed = sqlx::query!(
        "update mail set state = 'sending', attempts = attempts + 1, changed_at = $2 where id = $1 and state = 'waiting'",
        id.uuid(),
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    tx.commit().await?;
    Ok(claimed == 1)
}

/// How handing a mail over ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handover {
    /// The mail server has it.
    Accepted,
    /// The mail server does not have it, and may take it later.
    TryAgain(String),
    /// The mail server does not have it, and never takes it.
    Refused(String),
    /// Nobody knows.
    Unknown(String),
}

/// Writes how it ended. The reasons are what the mail server said; they hold nothing of the mail.
pub async fn settle(ctx: &Context, id: MailId, handover: &Handover, is_last: bool) -> Result<(), Error> {
    let (state, reason) = match handover {
        Handover::Accepted => ("sent", None),
        Handover::TryAgain(reason) if !is_last => ("waiting", Some(reason)),
        Handover::TryAgain(reason) | Handover::Refused(reason) => ("failed", Some(reason)),
        Handover::Unknown(reason) => ("uncertain", Some(reason)),
    };
    let reason = reason.map(|reason| reason.chars().take(500).collect::<String>());
    let mut tx = ctx.begin_worker(WorkKind::Mail).await?;
    sqlx::query!(
        r#"
        update mail
        set state = $2, last_error = $3, changed_at = $4, sealed_body = case when $2 = 'waiting' then sealed_body end
        where id = $1 and state in ('waiting', 'sending')
        "#,
        id.uuid(),
        state,
        reason,
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    tx.commit().await
}

/// A mail in the operator's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Id.
    pub id: MailId,
    /// To whom.
    pub to: String,
    /// Subject.
    pub subject: String,
    /// Where it stands.
    pub state: State,
    /// What the mail server said last.
    pub last_error: Option<String>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
}

/// The newest mail first.
pub async fn list(ctx: &Context) -> Result<Vec<Listed>, Error> {
    let mut tx = ctx.begin_staff(StaffPermission::MailRead, None).await?;
    let rows = sqlx::query!(
        r#"
        select id, recipient, subject, state, last_error, created_at
        from mail
        order by created_at desc, id desc
        limit $1
        "#,
        SHOWN
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    rows.into_iter()
        .map(|row| {
            Ok(Listed {
                id: row.id.into(),
                to: row.recipient,
                subject: row.subject,
                state: stored(row.state.parse())?,
                last_error: row.last_error,
                created_at: row.created_at,
            })
        })
        .collect()
}

/// One mail with its text, where it is caught: what waits to be sent is between the mail server and who gets it. Reading one
/// is written to the operator's log.
pub async fn read(ctx: &Context, vault: &Vault, id: MailId) -> Result<(Listed, Option<String>), Error> {
    let mut tx = ctx.begin_staff(StaffPermission::MailRead, None).await?;
    let row = sqlx::query!(
        "select id, recipient, subject, state, last_error, created_at, sealed_body from mail where id = $1",
        id.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    let state: State = stored(row.state.parse())?;
    let text = match row.sealed_body.filter(|_| state == State::Caught) {
        Some(sealed) => {
            let body = vault.open_sealed(Purpose::Mail, id.uuid(), &sealed)?;
            Some(String::from_utf8(body).map_err(|_| Error::Internal)?)
        }
        None => None,
    };
    let event =
        Event::new("mail.read", "mail", id.to_string()).after(json!({ "to": row.recipient, "subject": row.subject }));
    tx.audit(event).await?;
    tx.commit().await?;
    let listed = Listed {
        id: row.id.into(),
        to: row.recipient,
        subject: row.subject,
        state,
        last_error: row.last_error,
        created_at: row.created_at,
    };
    Ok((listed, text))
}

/// Removes old mail. Returns how many rows went.
pub async fn sweep(ctx: &Context) -> Result<u64, Error> {
    let mut tx = ctx.begin_worker(WorkKind::Sweep).await?;
    let removed = sqlx::query!(
        "delete from mail where created_at < $1 and state not in ('waiting', 'sending')",
        ctx.now() - KEPT
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    tx.commit().await?;
    Ok(removed)
}
