//! Telling people: that something came out, or would have come out, under another account, and that only a person can tell what
//! became of a delivery. What is to be told stands in the deliveries' rows, so a process that dies tells nothing twice and
//! forgets nothing. After a wrong account the account's kill switch is engaged before anything else.

use chrono::TimeDelta;
use rtv_core::delivery::{HoldReason, State};
use rtv_core::{AccountId, Email, Error, Permission, ReasonKind, Role, Scope, TenantId};
use secrecy::SecretString;
use uuid::Uuid;

use super::change::Key;
use crate::access::stored;
use crate::audit::Event;
use crate::context::Context;
use crate::kill_switch;
use crate::mail::{Kind, Letter, Outbox};
use crate::transaction::{Tx, failed};

/// So many deliveries at a time.
const MOST: i64 = 200;
/// So many people of a tenant get mail at most.
const MOST_PEOPLE: i64 = 20;
/// A tenant gets no other mail of this kind within that time, unless an account is wrong.
const BETWEEN: TimeDelta = TimeDelta::minutes(5);

/// What is to be told of one delivery.
struct Told {
    key: Key,
    account: AccountId,
    account_name: String,
    is_wrong_account: bool,
    outcome: String,
}

/// Engages switches of accounts and tells people what waits for them. How many deliveries.
pub async fn raise(ctx: &Context, outbox: &Outbox) -> Result<usize, Error> {
    let waiting = look(ctx).await?;
    let mut accounts: Vec<(TenantId, AccountId)> =
        waiting.iter().filter(|one| one.is_wrong_account).map(|one| (one.key.tenant, one.account)).collect();
    accounts.sort_unstable();
    accounts.dedup();
    for (tenant, account) in accounts {
        let why = waiting.iter().find(|one| one.is_wrong_account && one.account == account);
        let note = why.map(|one| one.outcome.as_str()).unwrap_or_default();
        // First, and in a transaction of its own: it must not wait for anything. A second time changes nothing.
        kill_switch::engage_by_automation(ctx, &Scope::Account { tenant, account }, ReasonKind::WrongAccount, note)
            .await?;
    }
    let mut tenants: Vec<TenantId> = waiting.iter().map(|one| one.key.tenant).collect();
    tenants.sort_unstable();
    tenants.dedup();
    for tenant in tenants {
        let theirs: Vec<&Told> = waiting.iter().filter(|one| one.key.tenant == tenant).collect();
        tell(ctx, outbox, tenant, &theirs).await?;
    }
    Ok(waiting.len())
}

async fn look(ctx: &Context) -> Result<Vec<Told>, Error> {
    let mut tx = ctx.begin_sender().await?;
    let rows = sqlx::query!(
        r#"
        select delivery.tenant_id, delivery.id, delivery.account_id, account.name, delivery.hold_reason, delivery.outcome
        from delivery
        join account on account.tenant_id = delivery.tenant_id and account.id = delivery.account_id
        where delivery.told_at is null and (delivery.state = $1 or delivery.hold_reason = $2)
          and (delivery.state = 'needs_person' or delivery.hold_reason = 'wrong_account')
        order by delivery.tenant_id, delivery.updated_at
        limit $3
        "#,
        State::NeedsPerson.key(),
        HoldReason::WrongAccount.key(),
        MOST,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(rows
        .into_iter()
        .map(|row| Told {
            key: Key { tenant: row.tenant_id.into(), delivery: row.id.into() },
            account: row.account_id.into(),
            account_name: row.name,
            is_wrong_account: row.hold_reason.as_deref() == Some(HoldReason::WrongAccount.key()),
            outcome: row.outcome.unwrap_or_default(),
        })
        .collect())
}

async fn tell(ctx: &Context, outbox: &Outbox, tenant: TenantId, told: &[&Told]) -> Result<(), Error> {
    let mut tx = ctx.begin_sender().await?;
    tx.enter_as_sender(tenant).await?;
    let ids: Vec<Uuid> = told.iter().map(|one| one.key.delivery.uuid()).collect();
    let now = tx.now();
    let was_told = sqlx::query_scalar!(
        r#"select exists (select 1 from delivery where tenant_id = $1 and told_at > $2) as "was_told!""#,
        tenant.uuid(),
        now - BETWEEN
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let marked = sqlx::query_scalar!(
        "update delivery set told_at = $3 where tenant_id = $1 and id = any($2) and told_at is null returning id",
        tenant.uuid(),
        &ids,
        now
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let told: Vec<&&Told> = told.iter().filter(|one| marked.contains(&one.key.delivery.uuid())).collect();
    for one in &told {
        let action = if one.is_wrong_account { "delivery.wrong_account" } else { "delivery.needs_person" };
        let event = Event::new(action, "delivery", one.key.delivery.to_string())
            .detail(one.outcome.chars().take(500).collect::<String>());
        tx.audit(event).await?;
    }
    if !told.is_empty() && (!was_told || told.iter().any(|one| one.is_wrong_account)) {
        write(&mut tx, outbox, tenant, &told).await?;
    }
    tx.commit().await
}

async fn write(tx: &mut Tx, outbox: &Outbox, tenant: TenantId, told: &[&&Told]) -> Result<(), Error> {
    let slug = sqlx::query_scalar!("select slug from tenant where id = $1", tenant.uuid())
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
    let roles: Vec<String> = Role::ALL
        .into_iter()
        .filter(|role| role.grants(Permission::DeliveriesDecide))
        .map(|role| role.key().to_owned())
        .collect();
    let people = sqlx::query_scalar!(
        r#"
        select app_user.email
        from membership
        join app_user on app_user.id = membership.user_id
        left join custom_role on custom_role.tenant_id = membership.tenant_id and custom_role.id = membership.role_id
        where membership.tenant_id = $1
          and not app_user.is_disabled
          and (
            membership.role = any($2)
            or $3 = any(membership.permissions)
            or $3 = any(custom_role.permissions)
          )
        order by app_user.email
        limit $4
        "#,
        tenant.uuid(),
        &roles,
        Permission::DeliveriesDecide.key(),
        MOST_PEOPLE,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let wrong = told.iter().find(|one| one.is_wrong_account);
    let subject = match wrong {
        Some(one) => format!("Halted: wrong account for {}", one.account_name),
        None if told.len() == 1 => "A post needs your decision".to_owned(),
        None => format!("{} posts need your decision", told.len()),
    };
    let state = if wrong.is_some() { "held" } else { "needs_person" };
    let link = outbox.link(&format!("/t/{slug}/deliveries?state={state}"));
    let lines: Vec<String> =
        told.iter().take(10).map(|one| format!("- {}: {}", one.account_name, one.outcome)).collect();
    let halted = match wrong {
        Some(_) => {
            "RTV has engaged the kill switch of the account: nothing goes out for it until somebody releases it.\n\n"
        }
        None => "",
    };
    let text = format!("{halted}{}\n\nLook at them and decide: {link}\n", lines.join("\n"));
    let now = tx.now();
    for email in people {
        let to: Email = stored(email.parse())?;
        let letter =
            Letter { kind: Kind::Notice, to, subject: subject.clone(), text: SecretString::from(text.clone()) };
        outbox.write(tx, Some(tenant), letter, now).await?;
    }
    Ok(())
}
