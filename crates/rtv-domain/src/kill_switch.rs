//! Kill switches: halting, seeing what is halted and whether it has come to rest, and resuming. Words and the rule of what a switch
//! covers are in `rtv_core::kill_switch`; the gate that holds senders back is in `rtv-outbound`.
//!
//! | file | what |
//! |---|---|
//! | `engage` | halting: one update of one row, and a notification |
//! | `state` | what is engaged and whether it has come to rest; matrix, banner, senders |
//! | `preview` | what a halt would stop |
//! | `release`, `plan`, `resume` | asking, approving, and what becomes of what is overdue |
//! | `ended` | what became of a request to release |
//! | `glance` | what a page that is open asks by itself |
//! | `history` | past halts and their receipts |
//! | `record` | writes history, audit events and receipts from the facts in the switches' rows |
//! | `news` | telling teams of halts by mail |
//! | `lease` | how a sender reads switches and proves that it did |
//! | `local_file` | files that halt without a database |
//! | `reminder`, `drill` | every four hours; and practice |
//!
//! Both a tenant's people and staff ask through a [`Side`]. Automation engages by `engage_by_automation` and has no way to release:
//! `release` asks for a person.

pub mod drill;
pub mod ended;
pub mod engage;
pub mod glance;
pub mod history;
pub mod lease;
pub mod local_file;
pub mod news;
pub mod plan;
pub mod preview;
pub mod record;
pub mod release;
pub mod reminder;
mod resume;
pub mod scope;
pub mod state;

pub use drill::{Drill, drill, drills};
pub use ended::{End, EndedRequest, ended};
pub(crate) use engage::Flip;
pub use engage::{Engagement, Why, engage, engage_by_automation, misunderstood, review};
pub use glance::{Glance, Page, glance};
pub use history::{Call, HaltHistory, HistoryPage, Part, Receipt, SenderProof, history, newest_halt, receipt};
pub use plan::{Choice, ChoiceWords, Plan, PlanWords, Ramp};
pub use preview::{Preview, PreviewGroup, preview};
pub use release::{
    Asked, OverdueGroup, ReleaseRequest, Released, Request, ResumePlan, approve_release, ask_release, asked,
    resume_plan, withdraw_release,
};
pub use scope::{Named, ScopeWords, find_scope};
pub use state::{
    Banner, BannerItem, Cell, EngagedSwitch, Facts, LocalFileRow, Matrix, MatrixTenant, Sender, State, Waiting, banner,
    list, matrix, one, senders,
};

use rtv_core::{Error, Permission, TenantId};
use uuid::Uuid;

use crate::context::{Context, TenantContext};
use crate::transaction::{Resource, StaffPermission, Tx};

/// The channel on which flips are announced; losing one costs half a second.
pub const CHANNEL: &str = "rtv_switch";

/// Who looks at switches, or acts on them: somebody inside a tenant, or the operator.
#[derive(Debug, Clone, Copy)]
pub enum Side<'a> {
    /// Inside a tenant: its own switches, and the operator's to look at.
    Tenant(&'a TenantContext),
    /// The operator: all of them. Who is not staff: [`Error::NotFound`].
    Operator(&'a Context),
}

impl Side<'_> {
    pub(crate) const fn context(&self) -> &Context {
        match self {
            Self::Tenant(ctx) => ctx.context(),
            Self::Operator(ctx) => ctx,
        }
    }

    /// The tenant whose part is seen; `None`: all.
    pub(crate) fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::Tenant(ctx) => Some(ctx.tenant().id),
            Self::Operator(_) => None,
        }
    }

    pub(crate) async fn begin_to_look(&self) -> Result<Tx, Error> {
        match self {
            Self::Tenant(ctx) => ctx.begin(Permission::SwitchesRead, Resource::Switches).await,
            Self::Operator(ctx) => ctx.begin_switches(StaffPermission::SwitchesRead, None).await,
        }
    }

    pub(crate) async fn begin_to_engage(&self, owner: TenantId) -> Result<Tx, Error> {
        match self {
            Self::Tenant(ctx) => ctx.begin_to_stop(Permission::SwitchesEngage, Resource::Switches).await,
            Self::Operator(ctx) => ctx.begin_switches(StaffPermission::SwitchesEngage, Some(owner)).await,
        }
    }

    pub(crate) async fn begin_to_release(&self, owner: TenantId) -> Result<Tx, Error> {
        match self {
            Self::Tenant(ctx) => ctx.begin(Permission::SwitchesRelease, Resource::Switches).await,
            Self::Operator(ctx) => ctx.begin_switches(StaffPermission::SwitchesRelease, Some(owner)).await,
        }
    }
}

/// Refuses who may not release in a tenant, before they are asked to prove who they are. Staff are asked by each beginning.
pub async fn may_release(side: Side<'_>) -> Result<(), Error> {
    match side {
        Side::Tenant(ctx) => side.begin_to_release(ctx.tenant().id).await?.rollback().await,
        Side::Operator(_) => Ok(()),
    }
}

/// Under which tenant the operator's own switches, halts and events stand.
pub(crate) const OPERATOR: TenantId = TenantId::OPERATOR;

/// Under which tenant the rows of a switch of that tenant, or of the operator, stand.
pub(crate) fn owner(tenant: Option<TenantId>) -> TenantId {
    tenant.unwrap_or(OPERATOR)
}

/// The opposite.
pub(crate) fn tenant_of(owner: Uuid) -> Option<TenantId> {
    (!owner.is_nil()).then(|| owner.into())
}
