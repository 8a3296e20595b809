//! Imports: a file becomes posts, all or nothing, and can be taken back.
//!
//! Rows are read on a thread of their own and copied into a temporary table as a stream, so memory does not grow with
//! the file; everything after that is a fixed number of statements over whole sets, in the one transaction that also
//! refreshes the roll-ups and writes the audit event. Queries on the temporary tables cannot be checked when RTV is
//! built, because the tables exist only here; they are plain literals for that reason.

mod roll_back;
mod staging;
mod store;

use core::str::FromStr;
use std::path::Path;

use chrono_tz::Tz;
use rtv_core::{AccountId, Error, ImportId, Permission, TenantStatus};
use rtv_import::Refusal;

pub use self::roll_back::{RolledBack, roll_back};
use crate::context::TenantContext;
use crate::transaction::{Resource, Tx, failed};

/// What happens when a file has one post twice with different content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DuplicateRule {
    /// The first row counts.
    #[default]
    First,
    /// The last row counts.
    Last,
    /// The whole file is refused.
    Refuse,
}

impl DuplicateRule {
    /// As given on the command line and as stored.
    pub const fn key(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
            Self::Refuse => "refuse",
        }
    }
}

impl FromStr for DuplicateRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "first" => Ok(Self::First),
            "last" => Ok(Self::Last),
            "refuse" => Ok(Self::Refuse),
            _ => Err(format!("“{text}” is not a rule for duplicates; use first, last or refuse")),
        }
    }
}

/// How to take a file in.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Name of the file for people.
    pub file_name: String,
    /// Name of a built-in mapping; `None` takes the one that fits the header.
    pub mapping: Option<String>,
    /// Zone of local times in the file.
    pub zone: Option<Tz>,
    /// Account that all rows belong to, for mappings that take one.
    pub account: Option<AccountId>,
    /// Rule for duplicates.
    pub duplicates: DuplicateRule,
    /// Count only, write nothing.
    pub is_dry_run: bool,
}

/// What became of the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Rows in the file, the header aside.
    pub read: i64,
    /// Posts that were not there.
    pub new: i64,
    /// Posts that were there with other content.
    pub changed: i64,
    /// Posts that were there just so.
    pub unchanged: i64,
    /// Rows whose post stands in the file more than once, the one that counts aside.
    pub duplicate: i64,
    /// Rows that could not be taken.
    pub refused: i64,
}

/// What an import did, or would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Its id; `None` for a dry run.
    pub id: Option<ImportId>,
    /// What became of the rows.
    pub counts: Counts,
    /// Accounts that the file's posts belong to.
    pub accounts: i64,
    /// Accounts that the import made.
    pub new_accounts: i64,
    /// Name of the mapping.
    pub mapping: String,
    /// How the file was read and what it lacks, as sentences.
    pub notes: Vec<String>,
    /// Posts that stand in the file more than once with different content, and examples.
    pub contradictions: i64,
    /// The first of them.
    pub contradiction_examples: Vec<String>,
    /// The first refused rows.
    pub refusals: Vec<Refusal>,
}

/// How far the reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Rows read so far.
    pub rows: u64,
    /// Bytes read so far.
    pub bytes: u64,
    /// Bytes in the file.
    pub of_bytes: u64,
}

/// Takes a file in. On any error nothing of it is stored.
pub async fn run(
    ctx: &TenantContext,
    path: &Path,
    options: Options,
    progress: impl FnMut(Progress) + Send + 'static,
) -> Result<Report, Error> {
    let started_at = ctx.now();
    let mut tx = begin(ctx, Resource::Imports).await?;
    let account = match options.account {
        Some(id) => Some(staging::find_account(&mut tx, id).await?),
        None => None,
    };

    let file = staging::read_into_staging(ctx, &mut tx, path, &options, account.as_ref(), progress).await?;
    let outcome = store::store(ctx, &mut tx, &options, &file, started_at).await?;
    if options.is_dry_run {
        tx.rollback().await?;
    } else {
        tx.commit().await?;
    }
    Ok(outcome)
}

/// A transaction that may change a tenant's posts as a set: an import and its roll-back begin alike.
async fn begin(ctx: &TenantContext, resource: Resource) -> Result<Tx, Error> {
    let mut tx = ctx.begin(Permission::ImportsManage, resource).await?;
    refuse_read_only(ctx)?;
    // Rows arrive at the file's speed, and the sets may be large: neither is a stuck transaction.
    for statement in ["set local statement_timeout = 0", "set local idle_in_transaction_session_timeout = 0"] {
        sqlx::query(statement).execute(tx.connection()).await.map_err(failed)?;
    }
    // One at a time for a tenant: two would judge each other's rows as new.
    sqlx::query!(
        r#"select pg_advisory_xact_lock(hashtextextended($1, 0)) as "lock!: ()""#,
        format!("import {}", ctx.tenant().id)
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    Ok(tx)
}

fn refuse_read_only(ctx: &TenantContext) -> Result<(), Error> {
    match ctx.tenant().status {
        TenantStatus::Pending | TenantStatus::Active => Ok(()),
        status @ (TenantStatus::Suspended | TenantStatus::Cancelled) => Err(Error::Conflict(format!(
            "“{}” is {status}: it can be read and exported, and nothing in it changes.",
            ctx.tenant().slug
        ))),
    }
}

/// Which tenant an import belongs to, for the command that names only the import.
pub async fn tenant_of(ctx: &crate::context::Context, id: ImportId) -> Result<rtv_core::Slug, Error> {
    for listed in crate::tenant::list(ctx).await? {
        let slug = listed.tenant.slug.clone();
        let mut tx = ctx.begin_staff(crate::transaction::StaffPermission::TenantsRead, Some(listed.tenant.id)).await?;
        let is_here =
            sqlx::query_scalar!(r#"select exists (select 1 from import where id = $1) as "exists!""#, id.uuid())
                .fetch_one(tx.connection())
                .await
                .map_err(failed)?;
        tx.rollback().await?;
        if is_here {
            return Ok(slug);
        }
    }
    Err(Error::NotFound)
}

/// All refused rows of an import, in order, for the file to mend.
pub async fn refusals(ctx: &TenantContext, id: ImportId) -> Result<Vec<Refusal>, Error> {
    let mut tx = ctx.begin(Permission::ImportsManage, Resource::Import(id)).await?;
    let rows = sqlx::query!(
        "select row_number, field, reason, raw from import_refusal where import_id = $1 order by row_number",
        id.uuid()
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(rows
        .into_iter()
        .map(|row| Refusal {
            row_number: u64::try_from(row.row_number).unwrap_or_default(),
            column: row.field,
            reason: row.reason,
            raw: row.raw,
        })
        .collect())
}
