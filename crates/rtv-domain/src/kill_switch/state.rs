//! What is engaged and whether it has come to rest. Nothing here is stored: it is computed from what senders have acknowledged and
//! which calls are under way, so it never says more than is known.

use chrono::{DateTime, Utc};
use rtv_core::{
    Action, Error, HaltId, Permission, Platform, ReasonKind, ReleaseId, Scope, SenderId, Slug, SwitchId, TenantId,
};
use serde::Serialize;

use crate::access::stored;
use crate::context::Context;
use crate::kill_switch::Side;
use crate::kill_switch::scope::{self, Columns, Named};
use crate::transaction::{Resource, Tx, failed};

/// Where a switch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum State {
    /// It is not engaged.
    Running,
    /// It is engaged. Senders have not all acknowledged it, or calls that it covers are under way.
    Halting {
        /// Calls under way.
        in_flight: i64,
        /// Senders that may not know of it yet.
        unaware: i64,
    },
    /// Every sender of the time has acknowledged it, or its lease has lapsed, and no call is under way.
    Halted {
        /// Since when nothing that it covers has begun.
        at: DateTime<Utc>,
    },
    /// Nobody can tell, because the database does not answer. Pages show it; no function here returns it.
    Unknown,
}

impl State {
    /// Text form.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Halting { .. } => "halting",
            Self::Halted { .. } => "halted",
            Self::Unknown => "unknown",
        }
    }
}

/// Who engaged a switch, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// When.
    pub at: DateTime<Utc>,
    /// Who, as the audit log names them.
    pub by: String,
    /// Whether it was staff: then only staff release it.
    pub is_staff: bool,
    /// Whether it was RTV itself.
    pub is_automatic: bool,
    /// Why, from the list.
    pub reason: ReasonKind,
    /// Why, in words.
    pub note: Option<String>,
    /// Where more is written.
    pub ticket: Option<String>,
    /// When somebody is reminded of it, for the first time or since the last review.
    pub review_at: DateTime<Utc>,
}

/// A release that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Id.
    pub id: ReleaseId,
    /// Who asked.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// Whether whoever looks has approved it already, so that it takes somebody else.
    pub is_own: bool,
}

/// An engaged switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EngagedSwitch {
    /// The switch.
    pub id: SwitchId,
    /// This time that it is engaged; the receipt is under it.
    pub halt: HaltId,
    /// What it covers.
    pub scope: Scope,
    /// The same by name.
    pub named: Named,
    /// The name: what whoever releases it types.
    pub name: String,
    /// Its flips so far.
    pub epoch: i64,
    /// Who, when and why.
    pub facts: Facts,
    /// Whether it has come to rest.
    pub state: State,
    /// Deliveries that it holds now; in a tenant those of the tenant.
    pub held: i64,
    /// Calls that it covers and that are under way; likewise.
    pub in_flight: i64,
    /// A release of it that waits, if one does and whoever looks may see it.
    pub waiting: Option<Waiting>,
}

/// A tenant of the matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatrixTenant {
    /// Id.
    pub id: TenantId,
    /// In addresses.
    pub slug: Slug,
    /// For people.
    pub name: String,
}

/// Tenants × platforms × actions. The cells are worked out of what is engaged: [`Matrix::cell`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    /// The rows, by name.
    pub tenants: Vec<MatrixTenant>,
    /// All that is engaged and concerns one of them, the widest first.
    pub engaged: Vec<EngagedSwitch>,
}

/// A cell of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell<'a> {
    /// The cell's own switch, where it is engaged.
    pub own: Option<&'a EngagedSwitch>,
    /// The widest engaged switch that stops all of the cell.
    pub deciding: Option<&'a EngagedSwitch>,
    /// Where none stops all of it: one that stops a part of it.
    pub partial: Option<&'a EngagedSwitch>,
    /// Where what stops all of it stands: at rest as soon as one of them is; running where nothing stops all of it.
    pub state: State,
}

/// A process that sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// Id.
    pub id: SenderId,
    /// Host and process.
    pub name: String,
    /// Since when.
    pub started_at: DateTime<Utc>,
    /// The newest epoch of everything that it has acknowledged.
    pub acknowledged_epoch: i64,
    /// When it first did.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// Until when it may send.
    pub lease_expires_at: DateTime<Utc>,
    /// Whether that is still to come.
    pub is_live: bool,
    /// Its calls under way; in a tenant those of the tenant.
    pub in_flight: i64,
    /// Files that halt it; in a tenant those about the tenant or about all.
    pub local_files: Vec<LocalFileRow>,
}

/// A file that halts one sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalFileRow {
    /// Its name in `halt.d`.
    pub name: String,
    /// What it stops; without one everything.
    pub scope: Option<Scope>,
    /// Why, from the list, as the file says.
    pub reason: Option<String>,
    /// Why, in words.
    pub note: Option<String>,
    /// Who wrote it.
    pub by: Option<String>,
    /// When.
    pub at: Option<DateTime<Utc>>,
    /// Why it cannot be understood, where it cannot.
    pub problem: Option<String>,
}

/// What the banner of a page says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Banner {
    /// What is engaged and concerns whoever looks, the widest first.
    pub engaged: Vec<BannerItem>,
}

impl Banner {
    pub(crate) fn of(engaged: Vec<EngagedSwitch>) -> Self {
        let item = |one: EngagedSwitch| BannerItem {
            id: one.id,
            halt: one.halt,
            scope: one.scope,
            name: one.name,
            facts: one.facts,
            state: one.state,
        };
        Self { engaged: engaged.into_iter().map(item).collect() }
    }
}

/// One engaged switch in a banner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BannerItem {
    /// The switch.
    pub id: SwitchId,
    /// This time that it is engaged.
    pub halt: HaltId,
    /// What it covers.
    pub scope: Scope,
    /// Its name.
    pub name: String,
    /// Who, when and why.
    pub facts: Facts,
    /// Whether it has come to rest.
    pub state: State,
}

/// How wide a scope is for whoever looks: what comes first decides. Inside a tenant its whole is wider than a platform of all tenants,
/// because nothing of it goes on.
const fn rank(scope: &Scope, in_tenant: bool) -> u8 {
    match scope {
        Scope::Everything => 0,
        Scope::Part { tenant, platform, action } => {
            let parts = platform.is_some() as u8 + action.is_some() as u8;
            let is_one = tenant.is_some() as u8;
            if in_tenant { 1 + 2 * parts + is_one } else { 1 + 3 * is_one + parts }
        }
        Scope::Account { .. } => 8,
        Scope::Campaign { .. } => 9,
        Scope::Drill => 10,
    }
}

/// Whether a scope stops all that a cell stands for.
fn stops_all(scope: &Scope, tenant: Option<TenantId>, platform: Option<Platform>, action: Option<Action>) -> bool {
    match *scope {
        Scope::Everything => true,
        Scope::Part { tenant: of, platform: on, action: kind } => {
            (of.is_none() || of == tenant)
                && (on.is_none() || on == platform)
                && match kind {
                    None => !action.is_some_and(Action::is_cleanup),
                    some => some == action,
                }
        }
        Scope::Account { .. } | Scope::Campaign { .. } | Scope::Drill => false,
    }
}

/// Whether a scope stops some of what a cell stands for. `on` is the platform of an account.
fn stops_some(
    scope: &Scope,
    on: Option<Platform>,
    tenant: Option<TenantId>,
    platform: Option<Platform>,
    action: Option<Action>,
) -> bool {
    let is_same_tenant = |of: Option<TenantId>| of.is_none() || tenant.is_none() || of == tenant;
    let is_same_platform = |on: Option<Platform>| on.is_none() || platform.is_none() || on == platform;
    let is_no_cleanup = !action.is_some_and(Action::is_cleanup);
    match *scope {
        Scope::Everything => true,
        Scope::Part { tenant: of, platform: on, action: kind } => {
            is_same_tenant(of)
                && is_same_platform(on)
                && kind.map_or(is_no_cleanup, |kind| action.is_none_or(|action| action == kind))
        }
        Scope::Account { tenant: of, .. } => is_same_tenant(Some(of)) && is_same_platform(on) && is_no_cleanup,
        Scope::Campaign { tenant: of, .. } => is_same_tenant(Some(of)) && is_no_cleanup,
        Scope::Drill => false,
    }
}

impl Matrix {
    /// The cell of a tenant (none: all tenants), a platform (none: all) and an action (none: all but cleaning up).
    pub fn cell(&self, tenant: Option<TenantId>, platform: Option<Platform>, action: Option<Action>) -> Cell<'_> {
        let mut cell = Cell { own: None, deciding: None, partial: None, state: State::Running };
        for one in &self.engaged {
            if stops_all(&one.scope, tenant, platform, action) {
                if one.scope == (Scope::Part { tenant, platform, action }) {
                    cell.own = Some(one);
                }
                cell.deciding = cell.deciding.or(Some(one));
                cell.state = further(cell.state, one.state);
            } else if stops_some(&one.scope, one.named.platform, tenant, platform, action) {
                cell.partial = cell.partial.or(Some(one));
            }
        }
        if cell.deciding.is_some() {
            cell.partial = None;
        }
        cell
    }
}

/// What is stopped by several is at rest as soon as one of them is.
fn further(one: State, other: State) -> State {
    match (one, other) {
        (State::Halted { at }, State::Halted { at: also }) => State::Halted { at: at.min(also) },
        (State::Halted { at }, _) | (_, State::Halted { at }) => State::Halted { at },
        (State::Halting { in_flight, unaware }, State::Halting { in_flight: also, unaware: still }) => {
            State::Halting { in_flight: in_flight.min(also), unaware: unaware.min(still) }
        }
        (State::Halting { in_flight, unaware }, _) | (_, State::Halting { in_flight, unaware }) => {
            State::Halting { in_flight, unaware }
        }
        (State::Unknown, _) | (_, State::Unknown) => State::Unknown,
        (State::Running, State::Running) => State::Running,
    }
}

/// What is engaged, the widest first, in one query. In a tenant: its own and the operator's, with the tenant's figures.
pub(crate) async fn engaged(tx: &mut Tx, side: Side<'_>, only: Option<SwitchId>) -> Result<Vec<EngagedSwitch>, Error> {
    engaged_for(tx, &Looker::of(side.context(), side.tenant()), only).await
}

/// Who looks at switches, as far as it decides over what is read.
pub(crate) struct Looker {
    now: DateTime<Utc>,
    /// By what they are told from others who approve a release.
    person: Option<String>,
    /// The tenant inside which they are; none for the operator.
    tenant: Option<TenantId>,
}

impl Looker {
    pub(crate) fn of(ctx: &Context, tenant: Option<TenantId>) -> Self {
        Self { now: ctx.now(), person: super::release::person(ctx), tenant }
    }
}

/// The same for a transaction that says itself whose it is.
#[expect(clippy::too_many_lines, reason = "it is a few statements and their rows")]
pub(crate) async fn engaged_for(
    tx: &mut Tx,
    looker: &Looker,
    only: Option<SwitchId>,
) -> Result<Vec<EngagedSwitch>, Error> {
    let rows = sqlx::query!(
        r#"
        select
          kill_switch.tenant_id, kill_switch.id, kill_switch.kind, kill_switch.platform, kill_switch.action,
          kill_switch.account_id, kill_switch.campaign_id, kill_switch.epoch, kill_switch.halt_id as "halt_id!",
          kill_switch.engaged_at as "engaged_at!", kill_switch.actor_label as "actor_label!", kill_switch.is_staff,
          kill_switch.is_automatic, kill_switch.reason as "reason!", kill_switch.note, kill_switch.ticket,
          kill_switch.review_at as "review_at!",
          tenant.slug as "tenant_slug?", tenant.name as "tenant_name?", account.name as "account?",
          account.platform as "account_platform?", campaign.name as "campaign?",
          coalesce(held.deliveries, 0) as "held!", calls.under_way as "in_flight!", lease.unaware as "unaware!",
          coalesce(halt.halted_at, lease.halted_at, kill_switch.clicked_at) as "halted_at!",
          switch_release.id as "release_id?", switch_release.asked_by as "asked_by?",
          switch_release.asked_at as "asked_at?", switch_release.expires_at as "expires_at?",
          switch_release.reason as "release_reason?", switch_release.first_person as "first_person?"
        from kill_switch
        left join tenant on tenant.id = kill_switch.tenant_id
        left join account on account.tenant_id = kill_switch.tenant_id and account.id = kill_switch.account_id
        left join campaign on campaign.tenant_id = kill_switch.tenant_id and campaign.id = kill_switch.campaign_id
        left join halt on halt.tenant_id = kill_switch.tenant_id and halt.id = kill_switch.halt_id
        left join switch_release
          on switch_release.tenant_id = kill_switch.tenant_id and switch_release.switch_id = kill_switch.id
          and switch_release.epoch = kill_switch.epoch and switch_release.outcome is null
          and switch_release.expires_at > $1
        left join (
          select held_by_switch, count(*) as deliveries
          from delivery
          where state = 'held' and held_by_switch is not null and ($4::uuid is null or tenant_id = $4)
          group by held_by_switch
        ) as held on held.held_by_switch = kill_switch.id
        cross join lateral (
          -- Until the halt is recorded only who sees all switches knows an epoch that has it in it; to others every sender
          -- counts as one that may not know of it.
          select coalesce(
            halt.needed_epoch,
            case when $2 then (select sum(each.epoch) from kill_switch as each)::bigint end
          ) as epoch
        ) as needed
        cross join lateral (
          select
            count(*) filter (
              where sender.lease_expires_at > clock_timestamp()
                and (needed.epoch is null or sender.acknowledged_epoch < needed.epoch)
            ) as unaware,
            max(
              case when sender.acknowledged_epoch >= needed.epoch then sender.acknowledged_at
              else sender.lease_expires_at end
            ) filter (where sender.lease_expires_at >= kill_switch.clicked_at) as halted_at
          from sender
        ) as lease
        cross join lateral (
          select count(*) as under_way
          from attempt
          join delivery on delivery.tenant_id = attempt.tenant_id and delivery.id = attempt.delivery_id
          left join sender on sender.id = attempt.sender_id
          where attempt.state = 'sending' and ($4::uuid is null or attempt.tenant_id = $4)
            and (attempt.deadline_at > clock_timestamp() or sender.lease_expires_at > clock_timestamp())
            and rtv_switch_covers(
              kill_switch.kind, kill_switch.tenant_id, kill_switch.platform, kill_switch.action,
              kill_switch.account_id, kill_switch.campaign_id,
              attempt.tenant_id, attempt.platform, 'publish', attempt.account_id, delivery.campaign_id
            )
        ) as calls
        where kill_switch.is_engaged and kill_switch.kind <> 'drill' and ($3::uuid is null or kill_switch.id = $3)
          -- Row security says so too; said here, a tenant's rows are found by their key among those of all tenants.
          and ($4::uuid is null or kill_switch.tenant_id in ($4, '00000000-0000-0000-0000-000000000000'))
        "#,
        looker.now,
        looker.tenant.is_none(),
        only.map(SwitchId::uuid),
        looker.tenant.map(TenantId::uuid),
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let mut engaged = rows
        .into_iter()
        .map(|row| {
            let platform = row.account_platform.or_else(|| row.platform.clone());
            let scope = Columns {
                tenant_id: row.tenant_id,
                kind: row.kind,
                platform: row.platform,
                action: row.action,
                account_id: row.account_id,
                campaign_id: row.campaign_id,
            }
            .scope()?;
            let named = Named {
                tenant_slug: row.tenant_slug.map(|slug| stored(slug.parse())).transpose()?,
                tenant_name: row.tenant_name,
                platform: platform.map(|text| stored(text.parse())).transpose()?,
                account: row.account,
                campaign: row.campaign,
            };
            let waiting = match (row.release_id, row.asked_by, row.asked_at, row.expires_at, row.release_reason) {
                (Some(id), Some(by), Some(at), Some(expires_at), Some(reason)) => Some(Waiting {
                    id: id.into(),
                    by,
                    at,
                    expires_at,
                    reason,
                    is_own: row.first_person.is_some() && row.first_person == looker.person,
                }),
                _ => None,
            };
            let state = if row.unaware > 0 || row.in_flight > 0 {
                State::Halting { in_flight: row.in_flight, unaware: row.unaware }
            } else {
                State::Halted { at: row.halted_at }
            };
            Ok(EngagedSwitch {
                id: row.id.into(),
                halt: row.halt_id.into(),
                name: scope::name(&scope, &named),
                scope,
                named,
                epoch: row.epoch,
                facts: Facts {
                    at: row.engaged_at,
                    by: row.actor_label,
                    is_staff: row.is_staff,
                    is_automatic: row.is_automatic,
                    reason: stored(row.reason.parse())?,
                    note: row.note,
                    ticket: row.ticket,
                    review_at: row.review_at,
                },
                state,
                held: row.held,
                in_flight: row.in_flight,
                waiting,
            })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    engaged.sort_by(|one, other| {
        let rank = |of: &EngagedSwitch| (rank(&of.scope, looker.tenant.is_some()), of.facts.at, of.id);
        rank(one).cmp(&rank(other))
    });
    Ok(engaged)
}

/// What is engaged, the widest first; in a tenant: its own, and the operator's.
pub async fn list(side: Side<'_>) -> Result<Vec<EngagedSwitch>, Error> {
    let mut tx = side.begin_to_look().await?;
    let engaged = engaged(&mut tx, side, None).await?;
    tx.rollback().await?;
    Ok(engaged)
}

/// One that is engaged. One that is not, or of others: [`Error::NotFound`].
pub async fn one(side: Side<'_>, id: SwitchId) -> Result<EngagedSwitch, Error> {
    let mut tx = side.begin_to_look().await?;
    let found = engaged(&mut tx, side, Some(id)).await?;
    tx.rollback().await?;
    found.into_iter().next().ok_or(Error::NotFound)
}

/// The same for who may release it, and need not hold what shows all of them.
pub(crate) async fn one_to_release(side: Side<'_>, id: SwitchId) -> Result<EngagedSwitch, Error> {
    let mut tx = match side {
        Side::Tenant(ctx) => ctx.begin_to_read(&[Permission::SwitchesRelease], Resource::Switches).await?,
        Side::Operator(_) => side.begin_to_look().await?,
    };
    let found = engaged(&mut tx, side, Some(id)).await?;
    tx.rollback().await?;
    found.into_iter().next().ok_or(Error::NotFound)
}

/// The matrix, in two queries however many tenants there are. In a tenant it has one row.
pub async fn matrix(side: Side<'_>) -> Result<Matrix, Error> {
    let mut tx = side.begin_to_look().await?;
    let engaged = engaged(&mut tx, side, None).await?;
    let rows = sqlx::query!(
        "select id, slug, name from tenant where $1::uuid is null or id = $1 order by lower(name), id",
        side.tenant().map(TenantId::uuid)
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    let tenants = rows
        .into_iter()
        .map(|row| Ok(MatrixTenant { id: row.id.into(), slug: stored(row.slug.parse())?, name: row.name }))
        .collect::<Result<_, Error>>()?;
    Ok(Matrix { tenants, engaged })
}

/// What the banner says, in one query. Who may not see switches is still told that sending is halted: in a tenant everybody is.
pub async fn banner(side: Side<'_>) -> Result<Banner, Error> {
    let mut tx = match side {
        Side::Tenant(ctx) => ctx.begin_banner().await?,
        Side::Operator(_) => side.begin_to_look().await?,
    };
    let engaged = engaged(&mut tx, side, None).await?;
    tx.rollback().await?;
    Ok(Banner::of(engaged))
}

/// Processes that send, or did within the last hour; those that live first.
pub async fn senders(side: Side<'_>) -> Result<Vec<Sender>, Error> {
    let mut tx = side.begin_to_look().await?;
    let rows = sqlx::query!(
        r#"
        select
          sender.id, sender.name, sender.started_at, sender.acknowledged_epoch, sender.acknowledged_at,
          sender.lease_expires_at, sender.lease_expires_at > clock_timestamp() as "is_live!",
          (select count(*) from attempt where attempt.state = 'sending' and attempt.sender_id = sender.id) as "in_flight!"
        from sender
        where sender.lease_expires_at > clock_timestamp() - interval '1 hour'
        order by 7 desc, sender.name, sender.id
        "#
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let files = sqlx::query!(
        r#"
        select sender_id, name, scope, reason, note, written_by, written_at, problem
        from sender_file
        where $1::uuid is null or tenant_id in ($1, '00000000-0000-0000-0000-000000000000')
        order by name
        "#,
        side.tenant().map(TenantId::uuid)
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    let mut senders: Vec<Sender> = rows
        .into_iter()
        .map(|row| Sender {
            id: row.id.into(),
            name: row.name,
            started_at: row.started_at,
            acknowledged_epoch: row.acknowledged_epoch,
            acknowledged_at: row.acknowledged_at,
            lease_expires_at: row.lease_expires_at,
            is_live: row.is_live,
            in_flight: row.in_flight,
            local_files: Vec::new(),
        })
        .collect();
    for file in files {
        let Some(sender) = senders.iter_mut().find(|sender| sender.id.uuid() == file.sender_id) else { continue };
        sender.local_files.push(LocalFileRow {
            name: file.name,
            scope: file.scope.map(|value| stored(serde_json::from_value(value))).transpose()?,
            reason: file.reason,
            note: file.note,
            by: file.written_by,
            at: file.written_at,
            problem: file.problem,
        });
    }
    Ok(senders)
}
