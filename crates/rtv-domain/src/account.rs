//! Connected profiles. Today they come into being by imports; connecting them comes with publishing.

use chrono::NaiveDate;
use rtv_core::kpi::Basis;
use rtv_core::{AccountId, Error, Permission, Platform};

use crate::access::stored;
use crate::context::TenantContext;
use crate::transaction::{Resource, Tx, failed};

/// A connected profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Id.
    pub id: AccountId,
    /// Its network.
    pub platform: Platform,
    /// The network's own id of it.
    pub external_id: String,
    /// Name for people.
    pub name: String,
    /// How its figures arrive.
    pub basis: Basis,
    /// Last day for which daily gains have arrived; `None` where only totals are known.
    pub figures_until: Option<NaiveDate>,
}

/// All accounts of the tenant, by platform and name.
pub async fn list(ctx: &TenantContext) -> Result<Vec<Account>, Error> {
    let mut tx = ctx.begin(Permission::AnalyticsRead, Resource::Accounts).await?;
    let accounts = read(&mut tx).await?;
    tx.rollback().await?;
    Ok(accounts)
}

pub(crate) async fn read(tx: &mut Tx) -> Result<Vec<Account>, Error> {
    let rows = sqlx::query!(
        "select id, platform, external_id, name, basis, figures_until from account order by platform, name, id"
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            Ok(Account {
                id: row.id.into(),
                platform: stored(row.platform.parse())?,
                external_id: row.external_id,
                name: row.name,
                basis: stored(row.basis.parse())?,
                figures_until: row.figures_until,
            })
        })
        .collect()
}
