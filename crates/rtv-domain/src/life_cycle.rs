//! The life of a tenant as staff decide it: suspend, resume, cancel. Each says why, in words that the tenant's people read,
//! and stands in the tenant's audit log. What follows from it is in `transaction.rs`: nothing in a tenant that is suspended
//! or cancelled changes, and everything in it can be read and exported.

use core::str::FromStr;

use rtv_core::{Error, Slug, TenantStatus};
use serde_json::json;

use crate::access::stored;
use crate::audit::Event;
use crate::context::{Context, Tenant};
use crate::maintenance::parse_reason;
use crate::tenant;
use crate::transaction::{StaffPermission, failed};

/// What staff do with a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It can be read and exported, and changes nothing.
    Suspend,
    /// It works as before.
    Resume,
    /// It has ended; what is in it stays, to be read and exported.
    Cancel,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Suspend, Self::Resume, Self::Cancel];

    /// As it stands in addresses.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
        }
    }

    /// Where a tenant stands after it.
    pub const fn leads_to(self) -> TenantStatus {
        match self {
            Self::Suspend => TenantStatus::Suspended,
            Self::Resume => TenantStatus::Active,
            Self::Cancel => TenantStatus::Cancelled,
        }
    }

    /// Whether it can be taken from there. A cancelled tenant is resumed before it is anything else.
    pub const fn is_possible(self, from: TenantStatus) -> bool {
        matches!(
            (self, from),
            (Self::Suspend, TenantStatus::Pending | TenantStatus::Active)
                | (Self::Resume, TenantStatus::Suspended | TenantStatus::Cancelled)
                | (Self::Cancel, TenantStatus::Pending | TenantStatus::Active | TenantStatus::Suspended)
        )
    }

    const fn action(self) -> &'static str {
        match self {
            Self::Suspend => "tenant.suspend",
            Self::Resume => "tenant.resume",
            Self::Cancel => "tenant.cancel",
        }
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|step| step.key() == text)
            .ok_or_else(|| format!("“{text}” is nothing that is done with a tenant; use suspend, resume or cancel"))
    }
}

/// Takes a step. `version` is that of the page that it was decided on; `None` at the command line. Whoever resumes at the
/// command line need not say why.
pub async fn take(
    ctx: &Context,
    slug: &Slug,
    step: Step,
    reason: Option<&str>,
    version: Option<i64>,
) -> Result<Tenant, Error> {
    let reason = match (step, reason) {
        (Step::Resume, None) => None,
        (_, reason) => Some(parse_reason(reason.unwrap_or_default())?),
    };
    let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, None).await?;
    let tenant = tenant::find(&mut tx, slug).await?;
    tx.rollback().await?;
    let mut tx = ctx.begin_staff(StaffPermission::TenantsStatus, Some(tenant.id)).await?;
    // Waits for work that is about to commit, which has asked where the tenant stands, and not for work that goes on: that
    // holds the key of the row until it ends.
    let row = sqlx::query!(
        "select status, status_reason, version from tenant where id = $1 for no key update",
        tenant.id.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    let status: TenantStatus = stored(row.status.parse())?;
    if !step.is_possible(status) {
        let advice = match (step, status) {
            (Step::Suspend, TenantStatus::Cancelled) => " Resume it first.",
            _ => " Nothing was changed.",
        };
        return Err(Error::Conflict(format!("“{slug}” is {status} already.{advice}")));
    }
    if version.is_some_and(|version| version != row.version) {
        return Err(changed(slug));
    }
    let after = step.leads_to();
    sqlx::query!(
        r#"
        update tenant
        set status = $2, status_reason = $3, status_changed_at = $4, status_changed_by = $5,
          version = version + 1, updated_at = $4
        where id = $1
        "#,
        tenant.id.uuid(),
        after.key(),
        reason.as_deref().filter(|_| step != Step::Resume),
        ctx.now(),
        ctx.actor().label(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let event = Event::new(step.action(), "tenant", tenant.id.to_string())
        .before(json!({ "status": status, "reason": row.status_reason }))
        .after(json!({ "status": after, "reason": reason }));
    tx.audit(event).await?;
    tx.commit().await?;
    Ok(Tenant { status: after, status_reason: reason.filter(|_| step != Step::Resume), ..tenant })
}

/// The answer to who decides on a page that is older than the tenant.
pub(crate) fn changed(slug: &Slug) -> Error {
    Error::Conflict(format!(
        "“{slug}” was changed since you opened this page. Look at what it says now, and decide again."
    ))
}
