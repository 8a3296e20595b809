//! Who may be sent a report: addresses in the domains that the tenant allows, readers who have not asked for no more, and in the inbox
//! members who see reports; nobody where it was stopped meanwhile. It is asked when a schedule is saved, when its run is done and again
//! right before a mail leaves.

use chrono::{DateTime, Utc};
use rtv_core::permission::SEES_REPORTS;
use rtv_core::report::{MailState, Way};
use rtv_core::{Email, Error, ScheduleId};

use super::dispatch::Dispatch;
use super::run::Run;
use crate::access::stored;
use crate::roster::Roster;
use crate::transaction::{Tx, failed};

/// Since when a mail is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// When somebody last wanted it sent: what was stopped before that is no reason.
    pub(super) since: DateTime<Utc>,
    /// Whether that was somebody who had it sent to this reader once more, whoever is on the schedule.
    pub(super) is_again: bool,
}

/// What keeps recipients of a run from getting it, as it stands in this transaction.
pub(super) struct Barrier {
    domains: Vec<String>,
    unsubscribed: Vec<String>,
    /// What was done meanwhile that stops it for everybody.
    stopped: Option<&'static str>,
    /// To whom its schedule goes now, where that was changed meanwhile.
    listed: Option<Vec<Email>>,
    /// Whose inbox takes it; none where it goes by mail.
    readers: Option<Vec<Email>>,
}

impl Barrier {
    pub(super) async fn of(tx: &mut Tx, run: &Run, dispatch: &Dispatch, wanted: Wanted) -> Result<Self, Error> {
        let readers = if dispatch.way == Way::Inbox { Some(readers(tx).await?) } else { None };
        let domains = allowed_domains(tx).await?;
        let open = Self { domains, unsubscribed: Vec::new(), stopped: None, listed: None, readers };
        let Some(schedule) = run.schedule.filter(|_| !dispatch.is_test) else { return Ok(open) };
        let (stopped, listed) = stopped(tx, schedule, wanted.since).await?;
        let listed = listed.filter(|_| !wanted.is_again);
        Ok(Self { unsubscribed: unsubscribed(tx, schedule).await?, stopped, listed, ..open })
    }

    /// Why somebody gets nothing, and how their mail ends by that. What they have asked for themself goes before.
    pub(super) fn reason(&self, recipient: &Email) -> Option<(MailState, &'static str)> {
        if self.unsubscribed.iter().any(|one| one == recipient.as_str()) {
            Some((MailState::Withheld, "They have asked for no more of these."))
        } else if let Some(reason) = self.stopped {
            Some((MailState::Stopped, reason))
        } else if self.listed.as_ref().is_some_and(|listed| !listed.contains(recipient)) {
            Some((MailState::Stopped, "They were taken off the schedule before it left."))
        } else if !is_allowed(&self.domains, recipient) {
            Some((MailState::Failed, "The organisation no longer allows reports to this domain."))
        } else if self.readers.as_ref().is_some_and(|readers| !readers.contains(recipient)) {
            Some((
                MailState::Failed,
                "They are no member here who may see reports (“reports:read”), so they have no inbox.",
            ))
        } else {
            None
        }
    }
}

/// Domains that reports may be sent to, as the tenant says; none: any.
pub(super) async fn allowed_domains(tx: &mut Tx) -> Result<Vec<String>, Error> {
    sqlx::query_scalar!("select report_domains from tenant where id = (select rtv_tenant())")
        .fetch_one(tx.connection())
        .await
        .map_err(failed)
}

/// Whether an address lies in one of the domains; where there is none, each does. A domain stands for those below it too.
pub(super) fn is_allowed(domains: &[String], address: &Email) -> bool {
    let own = address.as_str().rsplit_once('@').map_or("", |(_, domain)| domain);
    domains.is_empty()
        || domains.iter().any(|allowed| {
            own.strip_suffix(allowed.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
}

/// Why nothing of a schedule leaves any more that was wanted at `since`; and to whom it goes now, where it was changed after that.
async fn stopped(
    tx: &mut Tx,
    schedule: ScheduleId,
    since: DateTime<Utc>,
) -> Result<(Option<&'static str>, Option<Vec<Email>>), Error> {
    let row = sqlx::query!(
        r#"
        select
          coalesce(report.deleted_at > $2, false) as "is_report_deleted!",
          coalesce(report_schedule.deleted_at > $2, false) as "is_deleted!",
          coalesce(report_schedule.paused_at > $2, false) as "is_paused!",
          report_schedule.updated_at > $2 as "is_changed!",
          report_schedule.dispatch
        from report_schedule
        join report on report.tenant_id = report_schedule.tenant_id and report.id = report_schedule.report_id
        where report_schedule.id = $1
        "#,
        schedule.uuid(),
        since,
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let reason = if row.is_report_deleted {
        Some("The report was deleted before it left.")
    } else if row.is_deleted {
        Some("The schedule was deleted before it left.")
    } else if row.is_paused {
        Some("The schedule was paused before it left.")
    } else {
        None
    };
    let now: Dispatch = stored(serde_json::from_value(row.dispatch))?;
    Ok((reason, row.is_changed.then_some(now.recipients)))
}

async fn unsubscribed(tx: &mut Tx, schedule: ScheduleId) -> Result<Vec<String>, Error> {
    sqlx::query_scalar!("select recipient from report_unsubscription where schedule_id = $1", schedule.uuid())
        .fetch_all(tx.connection())
        .await
        .map_err(failed)
}

/// Addresses of the members who see reports: they have an inbox.
pub(super) async fn readers(tx: &mut Tx) -> Result<Vec<Email>, Error> {
    let roster = Roster::read(tx).await?;
    let sees = |set: rtv_core::PermissionSet| SEES_REPORTS.iter().any(|permission| set.contains(*permission));
    Ok(roster
        .members
        .values()
        .filter(|member| !member.is_disabled)
        .filter(|member| roster.holding(member.id).is_some_and(|holding| sees(holding.everywhere())))
        .map(|member| member.email.clone())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_stands_for_itself_and_those_below_it() {
        let allowed = |domains: &[&str], address: &str| {
            let domains: Vec<String> = domains.iter().map(|one| (*one).to_owned()).collect();
            is_allowed(&domains, &address.parse().unwrap())
        };
        assert!(allowed(&[], "dana@anywhere.example"));
        assert!(allowed(&["client.example"], "dana@client.example"));
        assert!(allowed(&["other.example", "client.example"], "dana@mail.client.example"));
        for stranger in ["dana@notclient.example", "dana@client.example.evil.example", "client.example@evil.example"] {
            assert!(!allowed(&["client.example"], stranger), "{stranger}");
        }
    }
}
