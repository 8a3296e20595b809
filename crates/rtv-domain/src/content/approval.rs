//! One step of approval: asking for it, giving it, and giving back. An approval is bound to the SHA-256 of all that leaves and of whom
//! it leaves as, which is compared again before anything is sent.

use chrono::{DateTime, Utc};
use rtv_core::delivery::{Event, State};
use rtv_core::{ContentId, Error, Limit, Permission, Platform};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{hold, obstacle};
use crate::audit;
use crate::context::TenantContext;
use crate::delivery::change::{Approval, Batch};
use crate::delivery::{GRACE, as_conflict};
use crate::limit;
use crate::transaction::{Resource, failed};

/// The longest note of a reviewer, in characters.
pub const LONGEST_NOTE: usize = 1_000;

/// What was approved, as it is kept beside the approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The text.
    pub text: String,
    /// The link.
    pub link: Option<String>,
    /// When.
    pub scheduled_at: DateTime<Utc>,
    /// The account's name.
    pub account: String,
    /// The platform's own id of it.
    pub remote_id: String,
    /// Who approved it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// SHA-256 of a text as a platform gets it.
pub fn text_sha256(composed: &str) -> [u8; 32] {
    Sha256::digest(composed.as_bytes()).into()
}

/// What an approval covers: the text, the link, the time and the account, by the platform's own id. Each part carries its
/// length, so that no two different contents are written alike.
pub fn approval_sha256(
    text: &str,
    link: Option<&str>,
    scheduled_at: DateTime<Utc>,
    platform: Platform,
    remote_id: &str,
) -> [u8; 32] {
    let mut digest = Sha256::new();
    let time = scheduled_at.timestamp_micros().to_string();
    for part in ["rtv approval 1", text, link.unwrap_or_default(), &time, platform.key(), remote_id] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().into()
}

/// Asks for approval.
pub async fn submit(ctx: &TenantContext, id: ContentId, version: &str) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::ContentUpdate, Resource::Content(id)).await?;
    let (content, mut batch) = hold(&mut tx, ctx, id, version).await?;
    let drafts: Vec<usize> = places(&batch, State::Draft);
    if drafts.is_empty() {
        return Err(Error::Conflict("It was submitted already, or is on its way. Nothing was changed.".into()));
    }
    for place in drafts {
        batch.apply(place, Event::Submit, "submitted", None).map_err(as_conflict)?;
    }
    batch.write(&mut tx).await?;
    sqlx::query!(
        "update content set returned_note = null, returned_at = null, returned_by = null where id = $1",
        id.uuid()
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let event = audit::Event::new("content.submit", "content", id.to_string())
        .after(json!({ "seen_version": content.revision.version }));
    tx.audit(event).await?;
    tx.commit().await
}

fn places(batch: &Batch, state: State) -> Vec<usize> {
    (0..batch.rows.len()).filter(|place| batch.rows[*place].standing.state == state).collect()
}

/// Who may review: by the right to approve, or by the one to publish.
fn reviewing(ctx: &TenantContext) -> Permission {
    let holds = |permission| ctx.access().grants_somewhere(permission);
    if !holds(Permission::ApprovalsReview) && holds(Permission::ContentPublish) {
        Permission::ContentPublish
    } else {
        Permission::ApprovalsReview
    }
}

/// Approves a content exactly as the version says, and puts its deliveries into the queue. The plan's posts of the month are
/// reserved in the same transaction: [`Error::PlanLimit`] and nothing is approved if there are too many.
pub async fn approve(ctx: &TenantContext, id: ContentId, version: &str) -> Result<(), Error> {
    let mut tx = ctx.begin(reviewing(ctx), Resource::Content(id)).await?;
    let (content, mut batch) = hold(&mut tx, ctx, id, version).await?;
    let waiting = places(&batch, State::InReview);
    if waiting.is_empty() {
        return Err(Error::Conflict("It does not wait for approval any more. Nothing was changed.".into()));
    }
    let accounts: Vec<Uuid> = waiting.iter().map(|place| batch.rows[*place].account.uuid()).collect();
    let connections = sqlx::query!(
        "select account_id, remote_id from account_connection where account_id = any($1) and problem is null",
        &accounts
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let now = ctx.now();
    let by = ctx.context().actor().label();
    let by_id = ctx.context().actor().user_id().map(rtv_core::UserId::uuid);
    let mut hashes = Vec::new();
    for place in waiting {
        let row = &batch.rows[place];
        let destination = content.destinations.iter().find(|one| one.id == row.key.delivery).ok_or(Error::Internal)?;
        let name = &destination.account_name;
        if let Some(why) = obstacle(ctx.tenant().is_sandbox, destination.platform) {
            return Err(Error::invalid("account", format!("{name}: {why}")));
        }
        let connection =
            connections.iter().find(|one| one.account_id == row.account.uuid()).ok_or_else(|| {
                Error::invalid(
                    "account",
                    format!("{name} is not connected, so nobody can say as whom this would go out; connect it first, under Accounts."),
                )
            })?;
        if row.scheduled_at < now - GRACE {
            return Err(Error::invalid("scheduled_at", "its time is over; edit it and choose one that is to come."));
        }
        let sha256 = approval_sha256(
            &content.text,
            content.link.as_deref(),
            row.scheduled_at,
            destination.platform,
            &connection.remote_id,
        );
        let snapshot = Snapshot {
            text: content.text.clone(),
            link: content.link.clone(),
            scheduled_at: row.scheduled_at,
            account: name.clone(),
            remote_id: connection.remote_id.clone(),
            by: by.clone(),
            at: now,
        };
        hashes.push(json!({ "delivery": row.key.delivery, "sha256": hex::encode(sha256) }));
        batch.apply(place, Event::Approve, "approved", None).map_err(as_conflict)?;
        batch.change(place).approval = Some(Approval {
            version: content.revision.version,
            sha256: sha256.to_vec(),
            remote_id: connection.remote_id.clone(),
            at: now,
            by_id,
            by: by.clone(),
            snapshot: serde_json::to_value(&snapshot).ok(),
        });
        batch.apply(place, Event::Schedule, "scheduled", None).map_err(as_conflict)?;
    }
    batch.write(&mut tx).await?;
    limit::refuse_over(&mut tx, ctx.tenant().id, &[Limit::PostsPerMonth]).await?;
    let event = audit::Event::new("content.approve", "content", id.to_string())
        .after(json!({ "seen_version": content.revision.version, "deliveries": hashes }));
    tx.audit(event).await?;
    tx.commit().await
}

/// Gives a content back to its author, with a reason.
pub async fn give_back(ctx: &TenantContext, id: ContentId, version: &str, note: &str) -> Result<(), Error> {
    let mut tx = ctx.begin(reviewing(ctx), Resource::Content(id)).await?;
    let note = note.trim();
    if note.is_empty() || note.chars().count() > LONGEST_NOTE {
        return Err(Error::invalid(
            "note",
            format!("say what is to be different, in at most {LONGEST_NOTE} characters."),
        ));
    }
    let (content, mut batch) = hold(&mut tx, ctx, id, version).await?;
    let waiting = places(&batch, State::InReview);
    if waiting.is_empty() {
        return Err(Error::Conflict("It does not wait for approval any more. Nothing was changed.".into()));
    }
    for place in waiting {
        batch.apply(place, Event::Return, "given back", Some(note.to_owned())).map_err(as_conflict)?;
    }
    batch.write(&mut tx).await?;
    sqlx::query!(
        "update content set returned_note = $2, returned_at = $3, returned_by = $4 where id = $1",
        id.uuid(),
        note,
        ctx.now(),
        ctx.context().actor().label(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let event = audit::Event::new("content.return", "content", id.to_string())
        .detail(note)
        .after(json!({ "seen_version": content.revision.version }));
    tx.audit(event).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn an_approval_covers_each_part_of_what_leaves() {
        let hash = |text: &str, link: Option<&str>, time: &str, remote: &str| {
            approval_sha256(text, link, at(time), Platform::Sandbox, remote)
        };
        let base = hash("a", None, "2026-11-25T09:00:00Z", "7");
        assert_eq!(base, hash("a", None, "2026-11-25T09:00:00Z", "7"));
        for other in [
            hash("b", None, "2026-11-25T09:00:00Z", "7"),
            hash("a", Some("https://a.example"), "2026-11-25T09:00:00Z", "7"),
            hash("a", None, "2026-11-25T09:00:01Z", "7"),
            hash("a", None, "2026-11-25T09:00:00Z", "8"),
            approval_sha256("a", None, at("2026-11-25T09:00:00Z"), Platform::X, "7"),
        ] {
            assert_ne!(base, other);
        }
        // What ends one part does not begin the next.
        assert_ne!(
            hash("ab", Some("c"), "2026-11-25T09:00:00Z", "7"),
            hash("a", Some("bc"), "2026-11-25T09:00:00Z", "7")
        );
    }
}
