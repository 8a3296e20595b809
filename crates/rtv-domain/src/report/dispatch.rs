//! How a run of a schedule reaches its readers. Whom it goes to is written as one row for each reader in the transaction that
//! ends the run, so it goes out when and only when there is something to send, and once.
//!
//! A mail says `sending` right before its message leaves, and a row that says so is not picked up a second time: what died there is
//! `uncertain`, is told to the owner, and goes out again only if somebody asks for that, saying so. Everything before it is tried again.
//! What goes wrong is told to whoever keeps the schedule and never to its readers.

use core::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::permission::SEES_REPORTS;
use rtv_core::report::{FileFormat, MailState, Rhythm, Way};
use rtv_core::{Email, Error, Permission, ReportMailId, RunId, ScheduleId, TenantId};
use rtv_jobs::{BackOff, Job};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::handout::Link;
use super::recipient::{Barrier, Wanted};
use super::run::{FileRow, Run, run};
use super::schedule::due;
use super::{attempt, keeper};
use crate::access::{self, stored};
use crate::audit::Event;
use crate::context::{Context, TenantContext};
use crate::format::Format;
use crate::mail::{Handover, Kind, Letter, Outbox};
use crate::news;
use crate::transaction::{Resource, Tx, failed};

/// Files that are larger together are not attached: many mail servers take no more than 10 MB.
pub const MOST_ATTACHED: i64 = 10_000_000;

/// How long whatever fails waits, and how often it is tried again: 60 s, doubling to an hour, eight times.
pub(super) const BACK_OFF: BackOff =
    BackOff { first: Duration::from_mins(1), longest: Duration::from_hours(1), is_least: true };
/// The first attempt and those after it.
pub(super) const ATTEMPTS: u16 = 9;

/// How long a link to files holds.
const LINK_HOLDS: TimeDelta = TimeDelta::days(30);

/// To whom a run goes, and as what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch {
    /// How.
    pub way: Way,
    /// As which files.
    pub formats: Vec<FileFormat>,
    /// To whom.
    pub recipients: Vec<Email>,
    /// Whether nothing is sent where there is nothing to report.
    pub skips_empty: bool,
    /// Whether somebody only looks how it arrives.
    #[serde(default)]
    pub is_test: bool,
}

/// A report on its way to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailing {
    /// Its id.
    pub id: ReportMailId,
    /// To whom.
    pub recipient: String,
    /// 1; higher where somebody had it sent once more.
    pub number: i32,
    /// Where it stands.
    pub state: MailState,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When that was found.
    pub changed_at: DateTime<Utc>,
    /// Whether nobody has had it sent once more.
    pub is_newest: bool,
}

impl Mailing {
    /// Whether somebody may have it sent once more: [`send_again`] takes this one and no other.
    pub const fn can_be_repeated(&self) -> bool {
        self.is_newest && self.state.can_be_repeated()
    }
}

/// Which mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendReport {
    /// The tenant.
    pub tenant: TenantId,
    /// The mail.
    pub mail: ReportMailId,
}

impl Job for SendReport {
    const KIND: &'static str = "report.mail";
    const MAX_ATTEMPTS: u16 = ATTEMPTS;
    const TIMEOUT: Duration = Duration::from_mins(5);
    const BACK_OFF: BackOff = BACK_OFF;

    fn tenant(&self) -> Option<Uuid> {
        Some(self.tenant.uuid())
    }
}

/// Has a run go to its readers, in the transaction that ends it.
pub(super) async fn send_out(ctx: &TenantContext, tx: &mut Tx, run: &Run, outbox: &Outbox) -> Result<(), Error> {
    let Some(dispatch) = &run.dispatch else { return Ok(()) };
    let mut run = run.clone();
    if !run.is_late && is_too_late(&run, ctx.now()) {
        run.is_late = true;
        mark_late(tx, run.id).await?;
    }
    let wanted = Wanted { since: run.created_at, is_again: false };
    let barrier = Barrier::of(tx, &run, dispatch, wanted).await?;
    for recipient in &dispatch.recipients {
        add(ctx, tx, &run, (recipient, 1), barrier.reason(recipient), outbox).await?;
    }
    Ok(())
}

/// Whether what was made for an occurrence comes late now, by the rule of [`due::LATE_AFTER`].
fn is_too_late(run: &Run, now: DateTime<Utc>) -> bool {
    run.occurrence.as_deref().and_then(due::named).is_some_and(|occurrence| due::is_late(&occurrence, now))
}

async fn mark_late(tx: &mut Tx, run: RunId) -> Result<(), Error> {
    sqlx::query!("update report_run set is_late = true where id = $1", run.uuid())
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    Ok(())
}

/// `barred`: how the mail ends at once, and why.
async fn add(
    ctx: &TenantContext,
    tx: &mut Tx,
    run: &Run,
    (recipient, number): (&Email, i32),
    barred: Option<(MailState, &str)>,
    outbox: &Outbox,
) -> Result<(), Error> {
    let Some(dispatch) = &run.dispatch else { return Ok(()) };
    let id = ReportMailId::from(Uuid::now_v7());
    let state = match (barred, dispatch.way) {
        (Some((state, _)), _) => state,
        (None, Way::Inbox) => MailState::Delivered,
        (None, Way::Attachment | Way::Link) if outbox.is_caught() => MailState::Caught,
        (None, Way::Attachment | Way::Link) => MailState::Waiting,
    };
    let reason = barred.map(|(_, reason)| reason);
    sqlx::query!(
        r#"
        insert into report_mail (tenant_id, id, run_id, recipient, number, state, last_error, created_at, changed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
        "#,
        ctx.tenant().id.uuid(),
        id.uuid(),
        run.id.uuid(),
        recipient.as_str(),
        number,
        state.key(),
        reason,
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    match state {
        MailState::Waiting => news::enqueue(tx, &SendReport { tenant: ctx.tenant().id, mail: id }).await,
        MailState::Caught => {
            let rhythm = rhythm_of(tx, run.schedule).await?;
            let may_come_twice = may_come_twice(tx, run.id, recipient.as_str(), number).await?;
            let one = One { id, may_come_twice, written_at: ctx.now() };
            let words = words(ctx, outbox, run, rhythm.as_ref(), &one, &[])?;
            // Staff read it where all mail is kept that no server takes; files are behind its link.
            let letter = Letter { kind: Kind::Report, to: recipient.clone(), subject: words.subject, text: words.text };
            outbox.write(tx, Some(ctx.tenant().id), letter, ctx.now()).await.map(|_| ())
        }
        MailState::Failed => {
            tell_end(ctx, tx, outbox, &End { run: run.id, mail: id, recipient: recipient.as_str(), state, reason })
                .await
        }
        _ => Ok(()),
    }
}

/// Whether nobody knows of a mail before this one whether it arrived.
async fn may_come_twice(tx: &mut Tx, run: RunId, recipient: &str, number: i32) -> Result<bool, Error> {
    sqlx::query_scalar!(
        r#"
        select exists (
          select 1 from report_mail where run_id = $1 and recipient = $2 and number < $3 and state = 'uncertain'
        ) as "exists!"
        "#,
        run.uuid(),
        recipient,
        number,
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)
}

async fn rhythm_of(tx: &mut Tx, schedule: Option<ScheduleId>) -> Result<Option<Rhythm>, Error> {
    let Some(schedule) = schedule else { return Ok(None) };
    let rhythm = sqlx::query_scalar!("select rhythm from report_schedule where id = $1", schedule.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    rhythm.map(|rhythm| stored(serde_json::from_value(rhythm))).transpose()
}

/// The mails of a run, in the order in which they were written.
pub async fn mailings(ctx: &TenantContext, id: RunId) -> Result<Vec<Mailing>, Error> {
    let mut tx = ctx.begin_to_read(SEES_REPORTS, Resource::Run(id)).await?;
    let rows = sqlx::query!(
        "select id, recipient, number, state, last_error, changed_at from report_mail where run_id = $1 order by recipient, number",
        id.uuid(),
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    let mut mailings: Vec<Mailing> = Vec::with_capacity(rows.len());
    for row in rows {
        // They come by reader and number, so a later one of the same reader takes the place of the one before.
        if let Some(before) = mailings.last_mut().filter(|before| before.recipient == row.recipient) {
            before.is_newest = false;
        }
        mailings.push(Mailing {
            id: row.id.into(),
            recipient: row.recipient,
            number: row.number,
            state: stored(row.state.parse())?,
            last_error: row.last_error,
            changed_at: row.changed_at,
            is_newest: true,
        });
    }
    Ok(mailings)
}

/// A mail that is sent once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentAgain {
    /// To whom.
    pub to: Email,
    /// Whether it may have arrived before, which it then says.
    pub may_come_twice: bool,
}

/// Sends once more what failed, or what nobody knows of: that mail says that it may have come before.
pub async fn send_again(
    ctx: &TenantContext,
    outbox: &Outbox,
    run_id: RunId,
    mail: ReportMailId,
) -> Result<SentAgain, Error> {
    let of_run = run(ctx, run_id).await?;
    let dispatch = of_run.dispatch.as_ref().ok_or(Error::NotFound)?;
    let mut tx = ctx.begin(Permission::ReportsSchedule, Resource::Run(run_id)).await?;
    // Who asks at the same time waits here.
    let row = sqlx::query!(
        "select recipient, number, state from report_mail where id = $1 and run_id = $2 for update",
        mail.uuid(),
        run_id.uuid(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    // A statement of its own sees what the other one wrote before it let go of the row.
    let newest = sqlx::query_scalar!(
        r#"select max(number) as "newest!" from report_mail where run_id = $1 and recipient = $2"#,
        run_id.uuid(),
        row.recipient,
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let state: MailState = stored(row.state.parse())?;
    if !state.can_be_repeated() || newest != row.number {
        return Err(Error::Conflict(format!(
            "The mail to {} is {}; only one that failed, was stopped or that nobody knows of is sent again, and once.",
            row.recipient,
            state.label().to_lowercase()
        )));
    }
    let recipient: Email = stored(row.recipient.parse())?;
    let wanted = Wanted { since: ctx.now(), is_again: true };
    let barrier = Barrier::of(&mut tx, &of_run, dispatch, wanted).await?;
    if let Some((_, reason)) = barrier.reason(&recipient) {
        return Err(Error::Conflict(format!("The mail to {recipient} is not sent again. {reason}")));
    }
    add(ctx, &mut tx, &of_run, (&recipient, row.number + 1), None, outbox).await?;
    let may_come_twice = may_come_twice(&mut tx, run_id, recipient.as_str(), row.number + 1).await?;
    let after = json!({ "to": recipient, "number": row.number + 1 });
    tx.audit(Event::new("report.send_again", "report_run", run_id.to_string()).after(after)).await?;
    tx.commit().await?;
    Ok(SentAgain { to: recipient, may_come_twice })
}

/// A mail that is to be handed over now.
pub struct Outgoing {
    /// The tenant, as a worker enters it.
    pub ctx: TenantContext,
    /// Its id, made into the message's own.
    pub id: ReportMailId,
    /// The run.
    pub run: Run,
    /// To whom.
    pub to: String,
    /// Subject.
    pub subject: String,
    /// The text, with links that hold tokens.
    pub text: SecretString,
    /// What goes along.
    pub files: Vec<FileRow>,
    /// Where one asks for no more of it; none for a test.
    pub unsubscribe: Option<SecretString>,
    /// Whether its run was in time and this mail of it is not.
    marks_late: bool,
    wanted: Wanted,
}

/// What of a mail its words depend on.
struct One {
    id: ReportMailId,
    may_come_twice: bool,
    written_at: DateTime<Utc>,
}

struct Words {
    subject: String,
    text: SecretString,
    unsubscribe: Option<SecretString>,
}

/// A mail that waits to be handed over. `None`: it does not wait any more. [`Error::ReadOnly`] where it has to wait longer.
pub async fn look(ctx: &Context, outbox: &Outbox, job: SendReport) -> Result<Option<Outgoing>, Error> {
    let ctx = match access::enter_to_work(ctx, job.tenant).await {
        Ok(ctx) => ctx,
        Err(Error::NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    // An attempt before this one was cut off while it handed the mail over: nobody knows how far it came.
    let cut_off = Handover::Unknown("the worker ended while it handed the mail over".into());
    settle(&ctx, outbox, job.mail, MailState::Sending, &cut_off, true).await?;
    ctx.refuse_read_only()?;
    let mut tx = ctx.begin_to_read(SEES_REPORTS, Resource::Reports).await?;
    let row = sqlx::query!(
        r#"
        select
          report_mail.run_id, report_mail.recipient, report_mail.number,
          case when report_mail.number = 1 then report_run.created_at else report_mail.created_at end as "wanted_at!"
        from report_mail
        join report_run on report_run.tenant_id = report_mail.tenant_id and report_run.id = report_mail.run_id
        where report_mail.id = $1 and report_mail.state = 'waiting'
        "#,
        job.mail.uuid(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let Some(row) = row else {
        tx.rollback().await?;
        return Ok(None);
    };
    tx.rollback().await?;
    let mut run = run(&ctx, row.run_id.into()).await?;
    let comes_late = !run.is_late && is_too_late(&run, ctx.now());
    run.is_late |= comes_late;
    let Some(dispatch) = &run.dispatch else { return Ok(None) };
    let recipient: Email = stored(row.recipient.parse())?;
    let mut tx = ctx.begin_to_read(SEES_REPORTS, Resource::Run(run.id)).await?;
    let rhythm = rhythm_of(&mut tx, run.schedule).await?;
    let wanted = Wanted { since: row.wanted_at, is_again: row.number > 1 };
    let barrier = Barrier::of(&mut tx, &run, dispatch, wanted).await?;
    let may_come_twice = may_come_twice(&mut tx, run.id, &row.recipient, row.number).await?;
    tx.rollback().await?;
    match barrier.reason(&recipient) {
        None => {}
        Some((state @ (MailState::Withheld | MailState::Stopped), reason)) => {
            keep_back(&ctx, job.mail, state, reason).await?;
            return Ok(None);
        }
        Some((_, reason)) => {
            let refused = Handover::Refused(reason.to_owned());
            settle(&ctx, outbox, job.mail, MailState::Waiting, &refused, true).await?;
            return Ok(None);
        }
    }
    let chosen: Vec<FileRow> =
        run.files.iter().filter(|file| dispatch.formats.contains(&file.format)).cloned().collect();
    let is_small = chosen.iter().map(|file| file.bytes).sum::<i64>() <= MOST_ATTACHED;
    let files = if dispatch.way == Way::Attachment && is_small { chosen } else { Vec::new() };
    let one = One { id: job.mail, may_come_twice, written_at: ctx.now() };
    let words = words(&ctx, outbox, &run, rhythm.as_ref(), &one, &files)?;
    let Words { subject, text, unsubscribe } = words;
    // What somebody has sent once more is late because of them.
    let marks_late = comes_late && row.number == 1;
    Ok(Some(Outgoing {
        id: job.mail,
        to: row.recipient,
        subject,
        text,
        files,
        unsubscribe,
        marks_late,
        wanted,
        run,
        ctx,
    }))
}

/// What a reader reads.
fn words(
    ctx: &TenantContext,
    outbox: &Outbox,
    run: &Run,
    rhythm: Option<&Rhythm>,
    one: &One,
    attached: &[FileRow],
) -> Result<Words, Error> {
    let tenant = ctx.tenant();
    let format = Format::of(tenant);
    let expires_at = one.written_at + LINK_HOLDS;
    let address = Link { tenant: tenant.id, mail: one.id, expires_at }.address(outbox)?;
    let period = format.period(run.period);
    let is_test = run.dispatch.as_ref().is_some_and(|dispatch| dispatch.is_test);
    let mut parts = vec!["Hello,".to_owned()];
    if is_test {
        parts.push("this is a test. Nobody else gets it.".into());
    }
    parts.push(format!("here is “{}” of {} for {period}.", run.name, tenant.name));
    if run.is_late {
        let due = run.occurrence.as_deref().map(|name| due::words(&format, name));
        let due = due.map(|words| format!(" It was due on {words}.")).unwrap_or_default();
        let missed = match run.missed {
            0 => String::new(),
            1 => " One before it was not made; it stands for that one too.".into(),
            more => format!(" {more} before it were not made; it stands for these too."),
        };
        parts.push(format!("It comes late.{due}{missed}"));
    }
    if one.may_come_twice {
        parts.push("This mail may have reached you before: the first time it was not known whether it arrived.".into());
    }
    let until = format.day(expires_at.with_timezone(&tenant.zone).date_naive());
    if attached.is_empty() {
        parts.push(format!("Its files are here until {until}:\n{address}"));
    } else {
        let names: Vec<&str> = attached.iter().map(|file| file.file_name.as_str()).collect();
        parts.push(format!("Attached: {}.\nThe same files are here until {until}:\n{address}", names.join(", ")));
    }
    let rhythm = rhythm.filter(|_| !is_test);
    if let Some(rhythm) = rhythm {
        let words = rhythm.words();
        parts.push(format!(
            "You get it {}{}. To get no more of it, open the link above and say so there.",
            words[..1].to_lowercase(),
            &words[1..]
        ));
    }
    let prefix = if is_test { "Test: " } else { "" };
    Ok(Words {
        subject: format!("{prefix}{}: {}, {period}", tenant.name, run.name),
        text: SecretString::from(format!("{}\n", parts.join("\n\n"))),
        unsubscribe: rhythm.map(|_| SecretString::from(format!("{address}/unsubscribe"))),
    })
}

async fn keep_back(ctx: &TenantContext, mail: ReportMailId, state: MailState, reason: &str) -> Result<(), Error> {
    let mut tx = ctx.begin_to_tidy(Permission::ReportsManage, Resource::Reports).await?;
    sqlx::query!(
        "update report_mail set state = $4, last_error = $2, changed_at = $3 where id = $1 and state = 'waiting'",
        mail.uuid(),
        reason,
        ctx.now(),
        state.key(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    tx.commit().await
}

/// Marks a mail as being handed over, right before its first byte leaves. `false`: another worker did that before, or it was stopped while
/// its files were read and the server was called.
pub async fn claim(outgoing: &Outgoing) -> Result<bool, Error> {
    let Outgoing { ctx, id: mail, run, marks_late, wanted, .. } = outgoing;
    let mut tx = ctx.begin(Permission::ReportsManage, Resource::Reports).await?;
    if let Some(dispatch) = &run.dispatch {
        let recipient: Email = stored(outgoing.to.parse())?;
        let barrier = Barrier::of(&mut tx, run, dispatch, *wanted).await?;
        if let Some((state @ (MailState::Withheld | MailState::Stopped), reason)) = barrier.reason(&recipient) {
            tx.rollback().await?;
            keep_back(ctx, *mail, state, reason).await?;
            return Ok(false);
        }
    }
    let claimed = sqlx::query!(
        "update report_mail set state = 'sending', changed_at = $2 where id = $1 and state = 'waiting'",
        mail.uuid(),
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    if claimed == 1 && *marks_late {
        mark_late(&mut tx, run.id).await?;
    }
    access::refuse_read_only_now(&mut tx, ctx.tenant().id).await?;
    tx.commit().await?;
    Ok(claimed == 1)
}

/// Writes that something went wrong before a mail was offered to a server: it waits for the next attempt, or has failed with the last.
/// One that another worker hands over meanwhile is left alone.
pub async fn put_off(
    ctx: &Context,
    outbox: &Outbox,
    job: SendReport,
    reason: &str,
    is_last: bool,
) -> Result<(), Error> {
    let ctx = match access::enter_to_work(ctx, job.tenant).await {
        Ok(ctx) => ctx,
        Err(Error::NotFound) => return Ok(()),
        Err(error) => return Err(error),
    };
    settle(&ctx, outbox, job.mail, MailState::Waiting, &Handover::TryAgain(reason.to_owned()), is_last).await
}

/// Ends a mail that no job works at any more. It is not sent: what had begun to leave may have arrived.
pub(super) async fn give_up(ctx: &TenantContext, outbox: &Outbox, mail: ReportMailId) -> Result<(), Error> {
    let lost = Handover::Refused("no worker came to an end with it; the last one was lost".into());
    settle(ctx, outbox, mail, MailState::Waiting, &lost, true).await?;
    let cut_off = Handover::Unknown("the worker was lost while it handed the mail over".into());
    settle(ctx, outbox, mail, MailState::Sending, &cut_off, true).await
}

/// Writes how handing a mail over ended, where it still is as whoever handed it over left it: waiting if it was not claimed, sending
/// if it was. What came to nothing for good is told to the owner in the same transaction.
pub async fn settle(
    ctx: &TenantContext,
    outbox: &Outbox,
    mail: ReportMailId,
    from: MailState,
    handover: &Handover,
    is_last: bool,
) -> Result<(), Error> {
    let (state, reason) = match handover {
        Handover::Accepted => (MailState::Sent, None),
        Handover::TryAgain(reason) if !is_last => (MailState::Waiting, Some(reason)),
        Handover::TryAgain(reason) | Handover::Refused(reason) => (MailState::Failed, Some(reason)),
        Handover::Unknown(reason) => (MailState::Uncertain, Some(reason)),
    };
    let reason = reason.map(|reason| reason.chars().take(500).collect::<String>());
    let mut tx = ctx.begin_to_tidy(Permission::ReportsManage, Resource::Reports).await?;
    let row = sqlx::query!(
        r#"
        update report_mail
        set state = $3, last_error = $4, changed_at = $5
        where id = $1 and state = $2
        returning run_id, recipient, number
        "#,
        mail.uuid(),
        from.key(),
        state.key(),
        reason,
        ctx.now(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let Some(row) = row else { return tx.rollback().await };
    let end = End { run: row.run_id.into(), mail, recipient: &row.recipient, state, reason: reason.as_deref() };
    tell_end(ctx, &mut tx, outbox, &end).await?;
    tx.commit().await
}

/// How an attempt to send a mail ended.
struct End<'a> {
    run: RunId,
    mail: ReportMailId,
    recipient: &'a str,
    state: MailState,
    reason: Option<&'a str>,
}

/// Notes an attempt, and tells the owner what came to nothing for good.
async fn tell_end(ctx: &TenantContext, tx: &mut Tx, outbox: &Outbox, end: &End<'_>) -> Result<(), Error> {
    let End { run, mail, recipient, state, reason } = *end;
    let outcome = match (state, reason) {
        (MailState::Waiting, Some(reason)) => format!("Not sent, to be tried again: {reason}"),
        (MailState::Failed, Some(reason)) => format!("Not sent: {reason}"),
        (_, Some(reason)) => format!("Not known whether it arrived: {reason}"),
        (_, None) => "The mail server has it.".to_owned(),
    };
    attempt::note(tx, ctx, run, Some(mail), &outcome).await?;
    if !state.can_be_repeated() {
        return Ok(());
    }
    let (verb, advice) = if state == MailState::Failed {
        ("was not sent", "Mend what it names, then send it again from the page of the run.")
    } else {
        (
            "may not have arrived",
            "It is not sent again by itself. Ask the reader, or send it again from the page of the run; the mail then says that it may come twice.",
        )
    };
    let subject = format!("A report to {recipient} {verb}");
    let text = format!("{subject}: {}\n\n{advice}", reason.unwrap_or("no reason is known"));
    keeper::tell_owner(ctx, tx, outbox, run, mail.uuid(), &subject, &text).await
}
