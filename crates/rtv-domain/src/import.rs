//! Imports: a file becomes posts, all or nothing, and can be taken back.
//!
//! Rows are read on a thread of their own and copied into a temporary table as a stream, so memory does not grow with
//! the file; after that they are judged and written as sets, in the one transaction that also refreshes the roll-ups
//! and writes the audit event. Queries on the temporary tables cannot be checked when RTV is built, because the tables
//! exist only here; they are plain literals for that reason.
//!
//! A command takes a file in with [`run`]. A page uploads it ([`upload`]), has it checked and imported by a worker
//! ([`check`], [`start`], [`work`]) and reads how far that is ([`one`]); every step is a row's state, so that a restart
//! loses nothing.

mod findings;
mod look;
mod meter;
mod read;
mod refused;
mod roll_back;
mod sample;
mod settings;
mod staging;
mod steps;
mod store;
mod sweep;
pub mod upload;
pub mod work;

use core::str::FromStr;
use core::time::Duration;
use std::path::{Path, PathBuf};
use std::pin::pin;

use chrono_tz::Tz;
use rtv_core::{AccountId, Error, ImportId, Permission, Slug};
pub use rtv_import::{
    DateOrder, Delimiter, Draft, DraftColumn, DraftError, Encoding, Field, Guess, Mapping, NumberStyle, Published,
    Question, Refusal, Row,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::findings::{ContradictingRow, Contradiction, Findings, Reason};
pub use self::look::{Look, Preview, SavedFit, look, preview};
use self::meter::Meter;
pub use self::meter::{Snapshot, Step};
pub use self::read::{Cursor, Import, ListedImport, Listing, Progress, SameFile, list, list_some, one};
pub use self::refused::{RefusedFile, refusals, refused_file};
pub use self::roll_back::{RolledBack, roll_back};
pub use self::sample::sample;
pub use self::settings::{MappingChoice, Settings};
pub use self::steps::{SaveAs, begin_roll_back, cancel, check, check_and_save, check_and_start, start};
pub use self::sweep::{Swept, sweep};
pub use self::upload::{KEEP_DAYS, Limits, Uploads};
use crate::context::{Context, TenantContext};
use crate::transaction::{Resource, StaffPermission, Tx, failed};
use crate::{kpi_daily, zone};

/// What happens when a file has one post twice with different content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// All rules.
    pub const ALL: [Self; 3] = [Self::First, Self::Last, Self::Refuse];

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
        Self::ALL
            .into_iter()
            .find(|rule| rule.key() == text)
            .ok_or_else(|| format!("“{text}” is not a rule for duplicates; use first, last or refuse"))
    }
}

/// How to take a file in.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Name of the file for people.
    pub file_name: String,
    /// Name of a built-in or saved mapping; `None` takes the built-in one that fits the header.
    pub mapping: Option<String>,
    /// A mapping as a filled form, instead of a name.
    pub draft: Option<Draft>,
    /// Zone of local times in the file.
    pub zone: Option<Tz>,
    /// Account that all rows belong to, for mappings that take one.
    pub account: Option<AccountId>,
    /// Rule for duplicates.
    pub duplicates: DuplicateRule,
    /// Where to write all refused rows as a file to mend.
    pub refused_to: Option<PathBuf>,
    /// Count only, write nothing.
    pub is_dry_run: bool,
}

impl Options {
    /// What of it is about reading the file.
    pub fn settings(&self) -> Settings {
        let mapping = match (&self.draft, &self.mapping) {
            (Some(draft), _) => MappingChoice::Draft(draft.clone()),
            (None, Some(name)) if Mapping::builtin(name).is_some() => MappingChoice::Builtin(name.clone()),
            (None, Some(name)) => MappingChoice::Saved(name.clone()),
            (None, None) => MappingChoice::Detected,
        };
        Settings { mapping, zone: self.zone, account: self.account, duplicates: self.duplicates, ..Settings::default() }
    }
}

/// What became of the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Name of the mapping.
    pub mapping: String,
    /// Accounts, how the file was read, why rows were refused, and what contradicts.
    pub findings: Findings,
    /// The first refused rows.
    pub refusals: Vec<Refusal>,
}

/// How often a foreground import tells how far it is.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// Takes a file in while the caller waits. On any error nothing of it is stored.
pub async fn run(
    ctx: &TenantContext,
    path: &Path,
    options: Options,
    mut progress: impl FnMut(Snapshot) + Send + 'static,
) -> Result<Report, Error> {
    let meter = Meter::default();
    let mut work = pin!(take_in(ctx, path, &options, &meter));
    let mut tick = tokio::time::interval(TELL_EVERY);
    loop {
        tokio::select! {
            report = &mut work => {
                progress(meter.snapshot());
                return report;
            }
            _ = tick.tick() => progress(meter.snapshot()),
        }
    }
}

async fn take_in(ctx: &TenantContext, path: &Path, options: &Options, meter: &Meter) -> Result<Report, Error> {
    let settings = options.settings();
    let started_at = ctx.now();
    let mut tx = begin(ctx, Resource::Imports, meter).await?;
    let prepared = settings::prepare(&mut tx, path, &settings).await?;
    let file = staging::read(ctx, &mut tx, path, &prepared.applied, meter).await?;
    let id = ImportId::from(Uuid::now_v7());
    if !options.is_dry_run {
        store::add_row(ctx, &mut tx, id, options, &settings, started_at).await?;
    }
    let judged = if options.is_dry_run {
        let mut judged = findings::judge(&mut tx, settings.duplicates, &file, meter).await?;
        judged.findings.over_limit = findings::over_limit(&mut tx, ctx.tenant().id).await?;
        judged
    } else {
        store::add_and_judge(ctx, &mut tx, id, settings.duplicates, &file, meter).await?
    };
    if let Some(blocked) = judged.findings.refused_by_rule(settings.duplicates) {
        return Err(Error::invalid("duplicates", blocked));
    }
    if let Some(refused_to) = &options.refused_to {
        findings::write_refusals(&mut tx, &file, refused_to).await?;
    }
    let report = Report {
        id: (!options.is_dry_run).then_some(id),
        counts: judged.counts,
        mapping: file.mapping.name.clone(),
        refusals: findings::first_refusals(&mut tx).await?,
        findings: judged.findings.clone(),
    };
    if options.is_dry_run {
        tx.rollback().await?;
        return Ok(report);
    }
    store::write(ctx, &mut tx, id, &judged, meter).await?;
    store::finish(ctx, &mut tx, id, 0, &file, &judged).await?;
    crate::access::refuse_read_only_now(&mut tx, ctx.tenant().id).await?;
    tx.commit().await?;
    Ok(report)
}

/// A transaction that may change a tenant's posts as a set: an import and its roll-back begin alike.
async fn begin(ctx: &TenantContext, resource: Resource, meter: &Meter) -> Result<Tx, Error> {
    let mut tx = ctx.begin(Permission::ImportsManage, resource).await?;
    prepare_for_sets(&mut tx, meter).await?;
    // Two would also judge each other's rows as new.
    kpi_daily::lock_facts(&mut tx, ctx.tenant().id).await?;
    // The days of its rows are those of the zone that it entered with.
    zone::refuse_changed(&mut tx, ctx).await?;
    Ok(tx)
}

/// Makes a transaction fit for large sets, and tells the meter whom to interrupt.
async fn prepare_for_sets(tx: &mut Tx, meter: &Meter) -> Result<(), Error> {
    for statement in [
        // The sets may be large: that is no stuck statement.
        "set local statement_timeout = 0",
        // Sorting and joining a million rows in the usual 4 MB goes over the disk many times.
        "set local work_mem = '64MB'",
        // Who is killed in the middle of a long statement leaves the tenant's turn at once.
        "set local client_connection_check_interval = '1s'",
    ] {
        sqlx::query(statement).execute(tx.connection()).await.map_err(failed)?;
    }
    let backend =
        sqlx::query_scalar!(r#"select pg_backend_pid() as "pid!""#).fetch_one(tx.connection()).await.map_err(failed)?;
    meter.works_on(backend);
    Ok(())
}

/// Which tenant an import belongs to, for the command that names only the import.
pub async fn tenant_of(ctx: &Context, id: ImportId) -> Result<Slug, Error> {
    for listed in crate::tenant::list(ctx).await? {
        let slug = listed.tenant.slug.clone();
        let mut tx = ctx.begin_staff(StaffPermission::TenantsRead, Some(listed.tenant.id)).await?;
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
