//! What a halt would stop. It is read apart from the act and never delays it.

use chrono::{DateTime, Utc};
use rtv_core::{Error, Platform, Scope};

use crate::access::stored;
use crate::kill_switch::Side;
use crate::kill_switch::scope::{self, Columns, names};
use crate::transaction::{Tx, failed};

/// What a halt would stop; in a tenant counted in that tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// What would be halted.
    pub scope: Scope,
    /// Its name.
    pub name: String,
    /// Tenants with something in it.
    pub tenants: i64,
    /// Accounts that it covers.
    pub accounts: i64,
    /// Platforms of these.
    pub platforms: Vec<Platform>,
    /// Deliveries due within 24 hours, overdue ones with them.
    pub due_within_a_day: i64,
    /// Calls under way.
    pub in_flight: i64,
    /// Where most is due: at most 20.
    pub groups: Vec<PreviewGroup>,
}

/// What is due for one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewGroup {
    /// Name of the tenant.
    pub tenant_name: String,
    /// Where.
    pub platform: Platform,
    /// Name of the account.
    pub account: String,
    /// How many within 24 hours.
    pub due: i64,
    /// The first of them.
    pub first_due_at: DateTime<Utc>,
}

/// How many accounts are named.
const SHOWN: i64 = 20;

/// Counts what a halt would stop, in five queries. Of another tenant: [`Error::NotFound`].
pub async fn preview(side: Side<'_>, of: &Scope) -> Result<Preview, Error> {
    if let Side::Tenant(ctx) = side
        && of.tenant() != Some(ctx.tenant().id)
    {
        return Err(Error::NotFound);
    }
    let mut tx = side.begin_to_look().await?;
    let named = names(&mut tx, of).await?;
    refuse_unknown(&mut tx, of).await?;
    let (tenants, accounts, platforms) = covered_accounts(&mut tx, of).await?;
    let (due_within_a_day, groups) = due(&mut tx, of, side.context().now()).await?;
    let in_flight = under_way(&mut tx, of).await?;
    tx.rollback().await?;
    Ok(Preview {
        scope: *of,
        name: scope::name(of, &named),
        tenants,
        accounts,
        platforms,
        due_within_a_day,
        in_flight,
        groups,
    })
}

/// What has no switch cannot be halted: an account or a campaign that does not exist.
async fn refuse_unknown(tx: &mut Tx, of: &Scope) -> Result<(), Error> {
    let exists = sqlx::query_scalar!(
        r#"select exists (select 1 from kill_switch where tenant_id = $1 and scope = $2) as "exists!""#,
        Columns::of(of).tenant_id,
        scope::row(of),
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    if exists { Ok(()) } else { Err(Error::NotFound) }
}

/// Tenants, accounts and platforms. A switch on one action covers every account where there is that action; one on a campaign
/// those that its deliveries go to.
async fn covered_accounts(tx: &mut Tx, of: &Scope) -> Result<(i64, i64, Vec<Platform>), Error> {
    let columns = Columns::of(of);
    let action = columns.action.clone().unwrap_or_else(|| "publish".to_owned());
    let row = sqlx::query!(
        r#"
        select
          count(distinct account.tenant_id) as "tenants!", count(*) as "accounts!",
          coalesce(array_agg(distinct account.platform), '{}') as "platforms!"
        from account
        where
          case when $1 = 'campaign' then
            account.tenant_id = $2 and exists (
              select 1
              from delivery
              where delivery.tenant_id = account.tenant_id and delivery.account_id = account.id
                and delivery.campaign_id = $6
            )
          else
            rtv_switch_covers(
              $1, $2, $3, $4, $5, null, account.tenant_id, account.platform, $7, account.id, null
            )
          end
        "#,
        columns.kind,
        columns.tenant_id,
        columns.platform,
        columns.action,
        columns.account_id,
        columns.campaign_id,
        action,
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let mut platforms =
        row.platforms.iter().map(|text| stored(text.parse())).collect::<Result<Vec<Platform>, Error>>()?;
    platforms.sort();
    Ok((row.tenants, row.accounts, platforms))
}

/// What is due within a day, overdue and held deliveries with it, and where most of it is. All of it publishes.
async fn due(tx: &mut Tx, of: &Scope, now: DateTime<Utc>) -> Result<(i64, Vec<PreviewGroup>), Error> {
    let columns = Columns::of(of);
    let rows = sqlx::query!(
        r#"
        with due as (
          select delivery.tenant_id, delivery.platform, delivery.account_id, count(*) as deliveries, min(delivery.due_at) as first_due_at
          from delivery
          where delivery.state in ('scheduled', 'claimed', 'sending', 'held')
            and ($2 = '00000000-0000-0000-0000-000000000000'::uuid or delivery.tenant_id = $2)
            and delivery.due_at < $7::timestamptz + interval '24 hours'
            and rtv_switch_covers(
              $1, $2, $3, $4, $5, $6,
              delivery.tenant_id, delivery.platform, 'publish', delivery.account_id, delivery.campaign_id
            )
          group by delivery.tenant_id, delivery.platform, delivery.account_id
        )
        select
          tenant.name as tenant, due.platform, account.name as account, due.deliveries as "deliveries!",
          due.first_due_at as "first_due_at!", (sum(due.deliveries) over ())::bigint as "all_due!"
        from due
        join tenant on tenant.id = due.tenant_id
        join account on account.tenant_id = due.tenant_id and account.id = due.account_id
        order by due.deliveries desc, due.first_due_at, due.account_id
        limit $8
        "#,
        columns.kind,
        columns.tenant_id,
        columns.platform,
        columns.action,
        columns.account_id,
        columns.campaign_id,
        now,
        SHOWN,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let all = rows.first().map_or(0, |row| row.all_due);
    let groups = rows
        .into_iter()
        .map(|row| {
            Ok(PreviewGroup {
                tenant_name: row.tenant,
                platform: stored(row.platform.parse())?,
                account: row.account,
                due: row.deliveries,
                first_due_at: row.first_due_at,
            })
        })
        .collect::<Result<_, Error>>()?;
    Ok((all, groups))
}

async fn under_way(tx: &mut Tx, of: &Scope) -> Result<i64, Error> {
    let columns = Columns::of(of);
    sqlx::query_scalar!(
        r#"
        select count(*) as "calls!"
        from attempt
        join delivery on delivery.tenant_id = attempt.tenant_id and delivery.id = attempt.delivery_id
        left join sender on sender.id = attempt.sender_id
        where attempt.state = 'sending'
          and ($2 = '00000000-0000-0000-0000-000000000000'::uuid or attempt.tenant_id = $2)
          and (attempt.deadline_at > clock_timestamp() or sender.lease_expires_at > clock_timestamp())
          and rtv_switch_covers(
            $1, $2, $3, $4, $5, $6,
            attempt.tenant_id, attempt.platform, 'publish', attempt.account_id, delivery.campaign_id
          )
        "#,
        columns.kind,
        columns.tenant_id,
        columns.platform,
        columns.action,
        columns.account_id,
        columns.campaign_id,
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)
}
