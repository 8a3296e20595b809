//! The vocabulary of RTV: ids, slugs, permissions, roles, platforms, KPIs, periods and the closed error type.
//!
//! Everything here is pure and also compiles for the browser. There is no I/O, no clock and no database in this
//! crate; a rule that needs one of them lives in `rtv-domain`.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod action;
pub mod brand;
pub mod capability;
pub mod color;
pub mod delivery;
pub mod error;
pub mod fault;
pub mod filter;
pub mod id;
pub mod import;
pub mod kill_switch;
pub mod kpi;
pub mod limit;
pub mod news;
pub mod period;
pub mod permission;
pub mod plan;
pub mod platform;
pub mod preference;
pub mod read_only;
pub mod report;
pub mod role;
pub mod scorecard;
pub mod text;

pub use action::Action;
pub use brand::Brand;
pub use error::{Error, FieldError, Result};
pub use id::{
    AccountId, ApiKeyId, AuditEventId, CampaignId, CompetitorId, ContentId, DeliveryId, DrillId, HaltId, ImportId,
    InvitationId, MailId, PostId, ReleaseId, ReportId, ReportMailId, RoleId, RunId, ScheduleId, SenderId, SwitchId,
    TargetId, TeamId, TenantId, UserId, VisitId,
};
pub use import::ImportState;
pub use kill_switch::{Operation, ReasonKind, Scope};
pub use kpi::Kpi;
pub use limit::Limit;
pub use news::News;
pub use permission::{Permission, PermissionSet};
pub use plan::{Plan, TenantStatus};
pub use platform::Platform;
pub use preference::{Density, Preference, Theme};
pub use read_only::ReadOnly;
pub use role::{GivenRole, Role};
pub use text::{Email, Slug};
