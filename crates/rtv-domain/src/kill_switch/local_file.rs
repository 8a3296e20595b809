//! Files that halt a sender without a database. The gate reads them itself; here they are shown, and their switch is engaged as soon as
//! the database answers. A file is removed by hand and by nobody else: it stops while it lies there, whatever becomes of the switch.

use chrono::{DateTime, Utc};
use rtv_core::{Error, ReasonKind, Scope};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::context::Context;
use crate::kill_switch::lease::SenderIdentity;
use crate::kill_switch::{engage, owner};
use crate::transaction::failed;

/// A file as a gate has read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalFile {
    /// Its name in `halt.d`.
    pub name: String,
    /// What it says, or why nobody can tell; then it stops everything.
    pub halt: Result<LocalHalt, String>,
}

/// What such a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalHalt {
    /// What is stopped.
    pub scope: Scope,
    /// Why, from the list.
    pub reason: ReasonKind,
    /// Why, in words.
    pub note: String,
    /// Who wrote it.
    pub by: String,
    /// When.
    pub at: Option<DateTime<Utc>>,
}

impl LocalFile {
    /// What it stops.
    fn scope(&self) -> Scope {
        self.halt.as_ref().map_or(Scope::Everything, |halt| halt.scope)
    }

    /// By what it is known again: a file with other words is another one.
    fn digest(&self) -> Vec<u8> {
        Sha256::digest(format!("{:?}", self.halt)).to_vec()
    }

    fn note(&self) -> String {
        match &self.halt {
            Ok(halt) => {
                let at = halt.at.map(|at| format!(" at {}", at.format("%Y-%m-%d %H:%M:%S UTC"))).unwrap_or_default();
                format!("{} (file {}, written by {}{at})", halt.note, self.name, halt.by)
            }
            Err(why) => format!("file {} cannot be read: {why}", self.name),
        }
    }
}

/// Shows the files of a sender to those whom they concern, in the place of those shown before.
pub async fn show(ctx: &Context, sender: &SenderIdentity, files: &[LocalFile]) -> Result<(), Error> {
    let mut tx = ctx.begin_gate().await?;
    sqlx::query!("delete from sender_file where sender_id = $1", sender.id.uuid())
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    for file in files {
        let halt = file.halt.as_ref().ok();
        sqlx::query!(
            r#"
            insert into sender_file (
              tenant_id, sender_id, name, scope, reason, note, written_by, written_at, problem
            )
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            on conflict do nothing
            "#,
            owner(file.scope().tenant()).uuid(),
            sender.id.uuid(),
            file.name,
            halt.map(|halt| serde_json::to_value(halt.scope)).transpose().map_err(|_| Error::Internal)?,
            halt.map(|halt| halt.reason.key()),
            halt.map(|halt| halt.note.as_str()),
            halt.map(|halt| halt.by.as_str()),
            halt.and_then(|halt| halt.at),
            file.halt.as_ref().err(),
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    }
    tx.commit().await
}

/// What a sender found in `halt.d` when it looked the last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// When.
    pub at: DateTime<Utc>,
    /// The files.
    pub files: Vec<LocalFile>,
}

/// Engages the switch of each file that has not done so yet: by automation, for staff to release, because who can write there is the
/// operator. A file that was not there at the last look was put there by somebody now, so it engages also if one of the same words did
/// before; one that a sender finds when it starts may have lain there through a release. One whose tenant or account does not exist
/// stays with its sender. Returns how many were taken over.
pub async fn take_over(ctx: &Context, files: &[LocalFile], last: Option<&Look>) -> Result<usize, Error> {
    let mut taken = 0;
    for file in files {
        let (scope, digest) = (file.scope(), file.digest());
        let absent_at = last.filter(|last| !last.files.contains(file)).map(|last| last.at);
        let under: Uuid = owner(scope.tenant()).uuid();
        let mut tx = ctx.begin_gate().await?;
        let is_known = sqlx::query_scalar!(
            r#"
            select exists (
              select 1
              from halt_file
              where tenant_id = $1 and name = $2 and sha256 = $3 and ($4::timestamptz is null or taken_over_at > $4)
            ) as "exists!"
            "#,
            under,
            file.name,
            digest,
            absent_at,
        )
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
        tx.rollback().await?;
        if is_known {
            continue;
        }
        let reason = file.halt.as_ref().map_or(ReasonKind::Other, |halt| halt.reason);
        match engage::engage_for(ctx, &scope, reason, &file.note(), true).await {
            Ok(_) => taken += 1,
            Err(Error::NotFound) => {
                tracing::warn!(file = %file.name, "a file halts what the database does not know; it goes on to halt here");
            }
            Err(error) => return Err(error),
        }
        // After the switch: a process that dies in between engages what is engaged, which changes nothing.
        let mut tx = ctx.begin_gate().await?;
        sqlx::query!(
            r#"
            insert into halt_file (tenant_id, name, sha256, taken_over_at)
            values ($1, $2, $3, $4)
            on conflict (tenant_id, name, sha256) do update set taken_over_at = excluded.taken_over_at
            "#,
            under,
            file.name,
            digest,
            ctx.now(),
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
        tx.commit().await?;
    }
    Ok(taken)
}
