//! Who may be sent a report: addresses in the domains that the tenant allows, readers who have not asked for no more, and in the inbox
//! members who see reports. It is asked when a schedule is saved, when its run is done and again right before a mail leaves.

use rtv_core::permission::SEES_REPORTS;
use rtv_core::report::{MailState, Way};
use rtv_core::{Email, Error, ScheduleId};

use super::dispatch::Dispatch;
use super::run::Run;
use crate::roster::Roster;
use crate::transaction::{Tx, failed};

/// What keeps recipients of a run from getting it, as it stands in this transaction.
pub(super) struct Barrier {
    domains: Vec<String>,
    unsubscribed: Vec<String>,
    /// Whose inbox takes it; none where it goes by mail.
    readers: Option<Vec<Email>>,
}

impl Barrier {
    pub(super) async fn of(tx: &mut Tx, run: &Run, dispatch: &Dispatch) -> Result<Self, Error> {
        let unsubscribed = match run.schedule.filter(|_| !dispatch.is_test) {
            Some(schedule) => unsubscribed(tx, schedule).await?,
            None => Vec::new(),
        };
        let readers = if dispatch.way == Way::Inbox { Some(readers(tx).await?) } else { None };
        Ok(Self { domains: allowed_domains(tx).await?, unsubscribed, readers })
    }

    /// Why somebody gets nothing, and how their mail ends by that. What they have asked for themself goes before.
    pub(super) fn reason(&self, recipient: &Email) -> Option<(MailState, &'static str)> {
        if self.unsubscribed.iter().any(|one| one == recipient.as_str()) {
            Some((MailState::Withheld, "They have asked for no more of these."))
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
