//! Nothing that is halted resumes by itself. When its time of review has come, whoever can release it is told by mail, and again
//! every four hours until somebody has looked at it.

use rtv_core::{Email, Error, Permission, Scope, TenantId};
use secrecy::SecretString;

use crate::access::stored;
use crate::context::Context;
use crate::kill_switch::engage::REVIEW;
use crate::kill_switch::scope::{self, Columns, names};
use crate::kill_switch::tenant_of;
use crate::mail::{Kind, Letter, Outbox};
use crate::roster::Roster;
use crate::transaction::{Tx, failed};

/// Reminds of what is due, each switch in a transaction of its own, and says of how many. Workers share the work: a switch that one
/// reminds of is passed over by the others.
pub async fn remind(ctx: &Context, outbox: &Outbox) -> Result<usize, Error> {
    let mut reminded = 0;
    while remind_of_one(ctx, outbox).await? {
        reminded += 1;
    }
    Ok(reminded)
}

struct Due {
    owner: TenantId,
    scope: Scope,
    by: String,
    is_staff: bool,
    since: chrono::DateTime<chrono::Utc>,
    reason: String,
}

async fn remind_of_one(ctx: &Context, outbox: &Outbox) -> Result<bool, Error> {
    let mut tx = ctx.begin_gate().await?;
    let Some(due) = take(&mut tx, ctx).await? else {
        tx.rollback().await?;
        return Ok(false);
    };
    let named = names(&mut tx, &due.scope).await?;
    let name = scope::name(&due.scope, &named);
    // What staff engaged only staff release, so only they are told.
    let (people, page) = match (tenant_of(due.owner.uuid()), &named.tenant_slug) {
        (Some(tenant), Some(slug)) if !due.is_staff => (members(&mut tx, tenant).await?, format!("/t/{slug}/switches")),
        _ => (staff(&mut tx).await?, "/staff/switches".to_owned()),
    };
    let (since, link) = (due.since.format("%-d %B %Y, %H:%M UTC"), outbox.link(&page));
    for to in people {
        let letter = Letter {
            kind: Kind::Notice,
            to,
            subject: format!("Still halted: {name}"),
            text: SecretString::from(format!(
                "Hello,\n\n{name} is halted since {since}, by {} ({}), and its time of review has come.\n\nNothing resumes by itself. Look at it, and move the review or release it:\n{link}\n\nYou are reminded every four hours until then.\n",
                due.by, due.reason
            )),
        };
        outbox.write(&mut tx, None, letter, ctx.now()).await?;
    }
    tx.commit().await?;
    tracing::info!(switch = %name, "its review is due; who can release it was told");
    Ok(true)
}

/// Takes one whose time has come, and notes that it was reminded of.
async fn take(tx: &mut Tx, ctx: &Context) -> Result<Option<Due>, Error> {
    let row = sqlx::query!(
        r#"
        update kill_switch
        set reminded_at = $1
        where (tenant_id, id) = (
          select tenant_id, id
          from kill_switch
          where is_engaged and kind <> 'drill' and review_at <= $1
            and (reminded_at is null or reminded_at <= $2)
          order by review_at
          limit 1
          for update skip locked
        )
        returning
          tenant_id, kind, platform, action, account_id, campaign_id, actor_label as "by!", is_staff,
          engaged_at as "since!", reason as "reason!"
        "#,
        ctx.now(),
        ctx.now() - REVIEW,
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    row.map(|row| {
        let reason: rtv_core::ReasonKind = stored(row.reason.parse())?;
        let columns = Columns {
            tenant_id: row.tenant_id,
            kind: row.kind,
            platform: row.platform,
            action: row.action,
            account_id: row.account_id,
            campaign_id: row.campaign_id,
        };
        Ok(Due {
            owner: row.tenant_id.into(),
            scope: columns.scope()?,
            by: row.by,
            is_staff: row.is_staff,
            since: row.since,
            reason: reason.label().to_owned(),
        })
    })
    .transpose()
}

/// Members who can release, and sign in.
async fn members(tx: &mut Tx, tenant: TenantId) -> Result<Vec<Email>, Error> {
    tx.turn_to(tenant).await?;
    let roster = Roster::read(tx).await?;
    Ok(roster
        .members
        .values()
        .filter(|member| !member.is_disabled)
        .filter(|member| {
            roster.holding(member.id).is_some_and(|held| held.grants_somewhere(Permission::SwitchesRelease))
        })
        .map(|member| member.email.clone())
        .collect())
}

async fn staff(tx: &mut Tx) -> Result<Vec<Email>, Error> {
    let rows = sqlx::query_scalar!(
        r#"
        select app_user.email
        from staff_member
        join app_user on app_user.id = staff_member.user_id
        where not app_user.is_disabled
        order by app_user.email
        "#
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter().map(|email| stored(email.parse())).collect()
}
