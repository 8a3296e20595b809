//! Doing what a program asks once, however often it asks. A request may carry a key of the program's own making; what it does
//! and the answer that it gets are then one transaction. A program that did not hear the answer asks again and gets the same
//! one; after a crash either both are there or neither, so nothing is done twice.

use chrono::TimeDelta;
use rtv_core::Error;
use std::sync::Arc;

use crate::context::{Actor, Context, TenantContext};
use crate::transaction::{Tx, Whole, WorkKind, failed};

/// How long an answer is given again.
pub const KEEP: TimeDelta = TimeDelta::hours(24);
/// Answers that one sweep removes at most: a transaction stays short, and the next sweep goes on.
const MOST: i64 = 10_000;

/// An answer as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body; empty for none.
    pub body: String,
}

/// What a request with a key meets.
#[derive(Debug)]
pub enum Begun {
    /// Nobody has asked this before: do it.
    Fresh(Box<Act>),
    /// It was done; this was the answer.
    Done(Answer),
    /// The same key came with another request.
    OtherRequest,
    /// The same request is being answered at this moment.
    Running,
}

/// An act that is done once. Dropped, it is undone.
#[derive(Debug)]
pub struct Act {
    ctx: TenantContext,
    whole: Arc<Whole>,
    key: String,
    digest: [u8; 32],
}

/// Looks whether a request was answered before, and else begins it; not where nothing may change: [`Error::ReadOnly`]. `digest` is what makes it the same request.
pub async fn begin(ctx: &TenantContext, key: &str, digest: [u8; 32]) -> Result<Begun, Error> {
    let id = key_id(ctx)?;
    let mut tx = ctx.begin_answers().await?;
    // Held until the act ends, and gone with a server that dies.
    let is_alone = tx.try_lock(&format!("answer {id} {key}")).await?;
    if !is_alone {
        tx.rollback().await?;
        return Ok(Begun::Running);
    }
    let row = sqlx::query!(
        r#"
        select request_digest, status, body, created_at
        from api_answer
        where tenant_id = $3 and api_key_id = $1 and idempotency_key = $2
        "#,
        id,
        key,
        ctx.tenant().id.uuid(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    if let Some(row) = row {
        if row.created_at > ctx.now() - KEEP {
            tx.rollback().await?;
            if row.request_digest != digest {
                return Ok(Begun::OtherRequest);
            }
            return Ok(Begun::Done(Answer { status: u16::try_from(row.status).unwrap_or_default(), body: row.body }));
        }
        sqlx::query!(
            "delete from api_answer where tenant_id = $3 and api_key_id = $1 and idempotency_key = $2",
            id,
            key,
            ctx.tenant().id.uuid(),
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    }
    // A refusal that ends by itself is no answer to keep for a day.
    ctx.refuse_read_only()?;
    let whole = Whole::of(tx);
    let context = Context { whole: Some(whole.clone()), ..ctx.context.clone() };
    let act = Act { ctx: TenantContext { context, ..ctx.clone() }, whole, key: key.to_owned(), digest };
    Ok(Begun::Fresh(Box::new(act)))
}

fn key_id(ctx: &TenantContext) -> Result<uuid::Uuid, Error> {
    match ctx.context().actor() {
        Actor::ApiKey(key) => Ok(key.id.uuid()),
        Actor::Anonymous | Actor::Person(_) | Actor::Operator(_) | Actor::System(_) => Err(Error::NotFound),
    }
}

impl Act {
    /// What is done with this is part of the act.
    pub const fn ctx(&self) -> &TenantContext {
        &self.ctx
    }

    /// Makes what was done permanent, with its answer.
    pub async fn finish(self, answer: &Answer) -> Result<(), Error> {
        let mut tx = self.ctx.begin_answers().await?;
        sqlx::query!(
            r#"
            insert into api_answer (tenant_id, api_key_id, idempotency_key, request_digest, status, body, created_at)
            values ($1, $2, $3, $4, $5, $6, $7)
            "#,
            self.ctx.tenant().id.uuid(),
            key_id(&self.ctx)?,
            self.key,
            &self.digest[..],
            i16::try_from(answer.status).unwrap_or_default(),
            answer.body,
            self.ctx.now(),
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
        tx.commit().await?;
        self.whole.commit().await
    }

    /// Undoes everything: it failed on our side, so asking again may help.
    pub async fn give_up(self) -> Result<(), Error> {
        self.whole.rollback().await
    }
}

/// Removes answers that are not given again. Returns how many.
pub async fn sweep(ctx: &Context) -> Result<u64, Error> {
    let mut tx: Tx = ctx.begin_worker(WorkKind::Sweep).await?;
    let swept = sqlx::query!(
        r#"
        delete from api_answer
        where (tenant_id, api_key_id, idempotency_key) in (
          select tenant_id, api_key_id, idempotency_key
          from api_answer
          where created_at <= $1
          order by created_at
          limit $2
        )
        "#,
        ctx.now() - KEEP,
        MOST,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    tx.commit().await?;
    Ok(swept)
}

/// Whether a request with that key was answered, so that what it brings need not be kept until it is compared.
pub async fn is_known(ctx: &TenantContext, key: &str) -> Result<bool, Error> {
    let id = key_id(ctx)?;
    let mut tx = ctx.begin_answers().await?;
    let is_known = sqlx::query_scalar!(
        r#"
        select exists (
          select 1
          from api_answer
          where tenant_id = $3 and api_key_id = $1 and idempotency_key = $2 and created_at > $4
        ) as "is_known!"
        "#,
        id,
        key,
        ctx.tenant().id.uuid(),
        ctx.now() - KEEP,
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(is_known)
}
