//! Every delivery with its attempts and its history, for a check from outside that joins it with what a platform knows. A line
//! of JSON each.

use rtv_core::{Error, Slug, TenantId};
use serde_json::Value;
use uuid::Uuid;

use crate::context::Context;
use crate::transaction::{StaffPermission, failed};

/// Lines that one query gives.
const PAGE: i64 = 2_000;

/// Gives every delivery of a tenant, or of all, to `line`, oldest first. How many.
pub async fn export(
    ctx: &Context,
    slug: Option<&Slug>,
    mut line: impl FnMut(&Value) -> std::io::Result<()>,
) -> Result<usize, Error> {
    let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, None).await?;
    let tenants = sqlx::query!(
        "select id, slug from tenant where $1::text is null or slug = $1 order by slug",
        slug.map(Slug::as_str)
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    if slug.is_some() && tenants.is_empty() {
        return Err(Error::NotFound);
    }
    let mut count = 0;
    for tenant in tenants {
        count += of_tenant(ctx, tenant.id.into(), &tenant.slug, &mut line).await?;
    }
    Ok(count)
}

async fn of_tenant(
    ctx: &Context,
    tenant: TenantId,
    slug: &str,
    line: &mut impl FnMut(&Value) -> std::io::Result<()>,
) -> Result<usize, Error> {
    let mut tx = ctx.begin_staff(StaffPermission::DeliveriesExport, Some(tenant)).await?;
    let mut after = Uuid::nil();
    let mut count = 0;
    loop {
        let rows = sqlx::query!(
            r#"
            select
              delivery.id,
              jsonb_build_object(
                'delivery', 'dlv_' || replace(delivery.id::text, '-', ''),
                'content', 'con_' || replace(delivery.content_id::text, '-', ''),
                'tenant', $2::text,
                'account', 'acc_' || replace(delivery.account_id::text, '-', ''),
                'platform', delivery.platform,
                'remote_account', coalesce(delivery.approved_remote_id, delivery.approved_snapshot ->> 'remote_id', account.external_id),
                'state', delivery.state,
                'hold_reason', delivery.hold_reason,
                'may_be_out', delivery.may_be_out,
                'text', content.body,
                'link', content.link,
                'approved_sha256', encode(delivery.approved_sha256, 'hex'),
                'scheduled_at', delivery.scheduled_at,
                'due_at', delivery.due_at,
                'not_before', delivery.not_before,
                'confirmed_at', delivery.confirmed_at,
                'remote_id', delivery.remote_id,
                'attempts', coalesce((
                  select jsonb_agg(jsonb_build_object(
                    'no', attempt.attempt_no, 'state', attempt.state, 'outcome', attempt.outcome,
                    'idempotency_key', attempt.idempotency_key, 'text_sha256', encode(attempt.text_sha256, 'hex'),
                    'switch_epoch', attempt.switch_epoch, 'claimed_at', attempt.claimed_at, 'sending_at', attempt.sending_at,
                    'first_byte_at', attempt.first_byte_at, 'last_byte_at', attempt.last_byte_at,
                    'answered_at', attempt.answered_at, 'closed_at', attempt.closed_at, 'remote_id', attempt.remote_id,
                    'author', attempt.author_remote_id, 'late_egress', attempt.is_late_egress, 'sender', attempt.sender_id
                  ) order by attempt.attempt_no)
                  from attempt
                  where attempt.tenant_id = delivery.tenant_id and attempt.delivery_id = delivery.id
                ), '[]'::jsonb),
                'events', coalesce((
                  select jsonb_agg(jsonb_build_object(
                    'at', delivery_event.at, 'what', delivery_event.what, 'from', delivery_event.from_state,
                    'to', delivery_event.to_state, 'attempt', delivery_event.attempt_no, 'who', delivery_event.who,
                    'why', delivery_event.detail
                  ) order by delivery_event.at, delivery_event.id)
                  from delivery_event
                  where delivery_event.tenant_id = delivery.tenant_id and delivery_event.delivery_id = delivery.id
                ), '[]'::jsonb)
              ) as "line!"
            from delivery
            join content on content.tenant_id = delivery.tenant_id and content.id = delivery.content_id
            join account on account.tenant_id = delivery.tenant_id and account.id = delivery.account_id
            where delivery.tenant_id = $1 and delivery.id > $3
            order by delivery.id
            limit $4
            "#,
            tenant.uuid(),
            slug,
            after,
            PAGE,
        )
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
        let is_last = rows.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        for mut row in rows {
            after = row.id;
            add_sha256(&mut row.line);
            line(&row.line).map_err(|error| {
                tracing::error!(%error, "the export cannot be written");
                Error::Internal
            })?;
            count += 1;
        }
        if is_last {
            break;
        }
    }
    tx.rollback().await?;
    Ok(count)
}

/// SHA-256 of the text as the platform gets it stands in place of the text.
fn add_sha256(row: &mut Value) {
    let Some(fields) = row.as_object_mut() else { return };
    let text = fields.remove("text");
    let address = fields.remove("link");
    let whole = rtv_core::capability::compose(
        text.as_ref().and_then(Value::as_str).unwrap_or_default(),
        address.as_ref().and_then(Value::as_str),
    );
    let sha256 = hex::encode(crate::content::text_sha256(&whole));
    fields.insert("content_sha256".into(), Value::String(sha256));
}
