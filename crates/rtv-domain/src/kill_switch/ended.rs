//! What became of a request to release: for whoever has its page open, or opens its address later. A request that waits still is no
//! matter of this file, see `release`.

use chrono::{DateTime, Utc};
use rtv_core::{Error, HaltId, ReleaseId, SwitchId};
use serde::Serialize;

use crate::access::stored;
use crate::kill_switch::Side;
use crate::kill_switch::scope::{self, Columns, Named};
use crate::transaction::{Tx, failed};

/// A request that waits no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndedRequest {
    /// Id.
    pub id: ReleaseId,
    /// The switch.
    pub switch: SwitchId,
    /// What it is called.
    pub name: String,
    /// The halt that was to end; the receipt is under it. `None` where nobody has written it down yet.
    pub halt: Option<HaltId>,
    /// Whether the switch is engaged now, by that halt or by a later one.
    pub is_engaged: bool,
    /// Who asked.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// What became of it.
    pub end: End,
}

/// How a request to release ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "end", rename_all = "lowercase")]
pub enum End {
    /// The switch was released by it.
    Released {
        /// The first of those who released it; a program that asked is none of them.
        first: Option<String>,
        /// Who decided last.
        by: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// Somebody took it back.
    Withdrawn {
        /// Who.
        by: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// Somebody asked anew.
    Replaced {
        /// Who.
        by: String,
        /// When.
        at: DateTime<Utc>,
        /// The newest request about the same switch.
        newest: Option<ReleaseId>,
    },
    /// Nobody approved it in time.
    Expired {
        /// When it ended.
        at: DateTime<Utc>,
    },
    /// The switch was released without it.
    Overtaken {
        /// Who released it.
        by: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// Somebody halted once more what was halted, so what was asked for before counts no more.
    HaltedAgain,
}

/// What became of a request. One that waits still, or of others: [`Error::NotFound`].
pub async fn ended(side: Side<'_>, id: ReleaseId) -> Result<EndedRequest, Error> {
    let mut tx = side.begin_to_look().await?;
    let found = find(&mut tx, id, side.context().now()).await?;
    tx.rollback().await?;
    Ok(found)
}

async fn find(tx: &mut Tx, id: ReleaseId, now: DateTime<Utc>) -> Result<EndedRequest, Error> {
    let row = sqlx::query!(
        r#"
        select
          switch_release.switch_id, switch_release.reason, switch_release.asked_by, switch_release.asked_at,
          switch_release.expires_at, switch_release.first_by, switch_release.outcome, switch_release.settled_at,
          switch_release.settled_by, switch_release.epoch = kill_switch.epoch and kill_switch.is_engaged as "is_as_it_was!",
          kill_switch.tenant_id, kill_switch.kind, kill_switch.platform, kill_switch.action, kill_switch.account_id,
          kill_switch.campaign_id, kill_switch.is_engaged,
          tenant.name as "tenant_name?", account.name as "account?", campaign.name as "campaign?",
          halt.id as "halt_id?", halt.released_at as "released_at?", halt.released_by as "released_by?",
          newest.id as "newest?"
        from switch_release
        join kill_switch
          on kill_switch.tenant_id = switch_release.tenant_id and kill_switch.id = switch_release.switch_id
        left join tenant on tenant.id = kill_switch.tenant_id
        left join account on account.tenant_id = kill_switch.tenant_id and account.id = kill_switch.account_id
        left join campaign on campaign.tenant_id = kill_switch.tenant_id and campaign.id = kill_switch.campaign_id
        left join lateral (
          select halt.id, halt.released_at, halt.released_by
          from halt
          where halt.tenant_id = switch_release.tenant_id and halt.switch_id = switch_release.switch_id
            and halt.engaged_at <= switch_release.asked_at
          order by halt.engaged_at desc, halt.id desc
          limit 1
        ) as halt on true
        left join lateral (
          select later.id
          from switch_release as later
          where later.tenant_id = switch_release.tenant_id and later.switch_id = switch_release.switch_id
            and later.asked_at >= switch_release.asked_at and later.id > switch_release.id
          order by later.id desc
          limit 1
        ) as newest on true
        where switch_release.id = $1
        "#,
        id.uuid(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    let scope = Columns {
        tenant_id: row.tenant_id,
        kind: row.kind,
        platform: row.platform,
        action: row.action,
        account_id: row.account_id,
        campaign_id: row.campaign_id,
    }
    .scope()?;
    let named =
        Named { tenant_name: row.tenant_name, account: row.account, campaign: row.campaign, ..Named::default() };
    let end = match (row.outcome.as_deref(), row.settled_at, row.settled_by) {
        (Some("released"), Some(at), Some(by)) => {
            End::Released { first: row.first_by.filter(|first| *first != by), by, at }
        }
        (Some("withdrawn"), Some(at), Some(by)) => End::Withdrawn { by, at },
        (Some("replaced"), Some(at), Some(by)) => End::Replaced { by, at, newest: row.newest.map(ReleaseId::from) },
        (Some(outcome), ..) => {
            return stored(Err(format!("a release ended as “{outcome}”")));
        }
        // Nobody has settled it: its time has run out, or the switch is not what it was about any more, whichever came first.
        (None, ..) => match (row.released_at, row.released_by) {
            (Some(at), Some(by)) if at < row.expires_at => End::Overtaken { by, at },
            _ if row.expires_at <= now => End::Expired { at: row.expires_at },
            _ if !row.is_as_it_was => End::HaltedAgain,
            _ => return Err(Error::NotFound),
        },
    };
    Ok(EndedRequest {
        id,
        switch: row.switch_id.into(),
        name: scope::name(&scope, &named),
        halt: row.halt_id.map(HaltId::from),
        is_engaged: row.is_engaged,
        by: row.asked_by,
        at: row.asked_at,
        reason: row.reason,
        end,
    })
}
