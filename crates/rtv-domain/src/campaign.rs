//! Campaigns: posts that serve one goal. Today they come into being by imports; planning them comes with publishing.

use rtv_core::{CampaignId, Error, Permission};

use crate::context::TenantContext;
use crate::transaction::{Resource, Tx, failed};

/// A campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// Id.
    pub id: CampaignId,
    /// Name for people.
    pub name: String,
}

/// All campaigns of the tenant by name.
pub async fn list(ctx: &TenantContext) -> Result<Vec<Campaign>, Error> {
    let mut tx = ctx.begin(Permission::AnalyticsRead, Resource::Campaigns).await?;
    let campaigns = read(&mut tx).await?;
    tx.rollback().await?;
    Ok(campaigns)
}

pub(crate) async fn read(tx: &mut Tx) -> Result<Vec<Campaign>, Error> {
    let rows = sqlx::query!("select id, name from campaign order by name, id")
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    Ok(rows.into_iter().map(|row| Campaign { id: row.id.into(), name: row.name }).collect())
}
