//! Imports: a file becomes posts, all or nothing, and can be taken back.
//!
//! Rows are read on a thread of their own and copied into a temporary table as a stream, so memory does not grow with
//! the file; everything after that is a fixed number of statements over whole sets, in the one transaction that also
//! refreshes the roll-ups and writes the audit event. Queries on the temporary tables cannot be checked when RTV is
//! built, because the tables exist only here; they are plain literals for that reason.

use core::str::FromStr;
use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use rtv_core::{AccountId, Error, ImportId, Permission, Platform, TenantStatus};
use rtv_import::mapping::Metric;
use rtv_import::{ImportError, Mapping, OpenOptions, PostRow, Published, Refusal, Row};
use rust_decimal::Decimal;
use serde_json::json;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::audit::Event;
use crate::context::TenantContext;
use crate::kpi_daily::{self, Touched};
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

/// How many refused rows a report carries; all of them are stored.
const SHOWN_REFUSALS: i64 = 20;
/// How many contradictions a report shows.
const SHOWN_CONTRADICTIONS: i64 = 5;
/// Most of anything that a post can have: a trillion, so that sums over millions of posts fit their columns.
const MOST: i64 = 1_000_000_000_000;
/// Size of a piece that is handed to the database.
const PIECE: usize = 256 * 1_024;

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
        Some(id) => Some(find_account(&mut tx, id).await?),
        None => None,
    };

    let file = read_into_staging(ctx, &mut tx, path, &options, account.as_ref(), progress).await?;
    let outcome = store(ctx, &mut tx, &options, &file, started_at).await?;
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

pub(crate) fn refuse_read_only(ctx: &TenantContext) -> Result<(), Error> {
    match ctx.tenant().status {
        TenantStatus::Pending | TenantStatus::Active => Ok(()),
        status @ (TenantStatus::Suspended | TenantStatus::Cancelled) => Err(Error::Conflict(format!(
            "“{}” is {status}: it can be read and exported, and nothing in it changes.",
            ctx.tenant().slug
        ))),
    }
}

struct ChosenAccount {
    platform: String,
    external_id: String,
}

async fn find_account(tx: &mut Tx, id: AccountId) -> Result<ChosenAccount, Error> {
    let row = sqlx::query!("select platform, external_id from account where id = $1", id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or_else(|| Error::invalid("account", format!("there is no account {id} in this tenant")))?;
    Ok(ChosenAccount { platform: row.platform, external_id: row.external_id })
}

/// What was learnt while reading.
struct FileFacts {
    mapping: Mapping,
    notes: Vec<String>,
    sha256: [u8; 32],
    bytes: i64,
}

const STAGING: &str = r"
    create temporary table import_row (
      row_number bigint not null,
      post_id uuid,
      platform text,
      account_external_id text,
      account_name text,
      external_id text,
      kind text,
      body text,
      campaign text,
      published_at timestamptz,
      published_from date,
      published_to date,
      reach bigint,
      impressions bigint,
      reactions bigint,
      comments bigint,
      shares bigint,
      clicks bigint,
      conversions bigint,
      revenue numeric,
      cost numeric,
      sentiment double precision,
      content_digest bytea,
      refused_field text,
      refused_reason text,
      refused_raw text
    ) on commit drop
";

async fn read_into_staging(
    ctx: &TenantContext,
    tx: &mut Tx,
    path: &Path,
    options: &Options,
    account: Option<&ChosenAccount>,
    progress: impl FnMut(Progress) + Send + 'static,
) -> Result<FileFacts, Error> {
    let mapping = match &options.mapping {
        Some(name) => Some(Mapping::builtin(name).ok_or_else(|| {
            let known = Mapping::all_builtin().into_iter().map(|mapping| mapping.name).collect::<Vec<_>>().join(", ");
            Error::invalid("mapping", format!("there is no mapping “{name}”; use one of: {known}"))
        })?),
        None => None,
    };
    let open = OpenOptions {
        mapping,
        zone: options.zone,
        account_external_id: account.map(|account| account.external_id.clone()),
        ..OpenOptions::default()
    };
    let (send, mut receive) = mpsc::channel::<String>(4);
    let path: PathBuf = path.to_owned();
    let zone = ctx.tenant().zone;
    let platform = account.map(|account| account.platform.clone());
    let reading = tokio::task::spawn_blocking(move || read(&path, open, zone, platform, send, progress));

    sqlx::query(STAGING).execute(tx.connection()).await.map_err(failed)?;
    let mut copy = tx.connection().copy_in_raw("copy import_row from stdin").await.map_err(failed)?;
    while let Some(piece) = receive.recv().await {
        copy.send(piece.into_bytes()).await.map_err(failed)?;
    }
    let read = reading.await.unwrap_or_else(|error| {
        tracing::error!(%error, "reading an import panicked");
        Err(Error::Internal)
    });
    match read {
        Ok(facts) => {
            copy.finish().await.map_err(failed)?;
            sqlx::query("analyze import_row").execute(tx.connection()).await.map_err(failed)?;
            Ok(facts)
        }
        Err(error) => {
            copy.abort("the file could not be read").await.map_err(failed)?;
            Err(error)
        }
    }
}

/// Reads the whole file and sends its rows in PostgreSQL's text format, in pieces. Runs on a thread that may block.
fn read(
    path: &Path,
    open: OpenOptions,
    zone: Tz,
    only_platform: Option<String>,
    send: mpsc::Sender<String>,
    mut progress: impl FnMut(Progress),
) -> Result<FileFacts, Error> {
    let cannot_open =
        |error: std::io::Error| Error::invalid("file", format!("“{}” cannot be opened: {error}", path.display()));
    let file = File::open(path).map_err(cannot_open)?;
    let of_bytes = file.metadata().map_err(cannot_open)?.len();
    let mut reader =
        rtv_import::open_seekable(std::io::BufReader::with_capacity(PIECE, file), open).map_err(refused_file)?;
    if let Some(wanted) = only_platform
        && let rtv_import::mapping::PlatformRule::Fixed(platform) = &reader.mapping().platform
        && *platform != wanted
    {
        return Err(Error::invalid(
            "account",
            format!("the account is on {wanted}, and the file’s posts are on {platform}"),
        ));
    }
    let mut piece = String::with_capacity(PIECE + 8_192);
    let mut told = std::time::Instant::now();
    while let Some(row) = reader.next() {
        match row.map_err(refused_file)? {
            Row::Post(post) => match post.platform.parse::<Platform>() {
                Ok(_) => match too_large(&post, reader.mapping()) {
                    None => write_post(&mut piece, &post, zone),
                    Some(refusal) => write_refusal(&mut piece, &refusal),
                },
                Err(reason) => {
                    let refusal = Refusal {
                        row_number: post.row_number,
                        column: Some("platform".into()),
                        reason,
                        raw: post.external_id,
                    };
                    write_refusal(&mut piece, &refusal);
                }
            },
            Row::Refused(refusal) => write_refusal(&mut piece, &refusal),
        }
        if piece.len() >= PIECE {
            let full = core::mem::replace(&mut piece, String::with_capacity(PIECE + 8_192));
            if send.blocking_send(full).is_err() {
                // The other side has failed and says why.
                return Err(Error::Internal);
            }
        }
        if told.elapsed().as_millis() >= 200 {
            progress(Progress { rows: reader.rows_read(), bytes: reader.bytes_read(), of_bytes });
            told = std::time::Instant::now();
        }
    }
    if !piece.is_empty() && send.blocking_send(piece).is_err() {
        return Err(Error::Internal);
    }
    progress(Progress { rows: reader.rows_read(), bytes: reader.bytes_read(), of_bytes });

    let sniffed = reader.sniffed();
    let mut notes =
        vec![format!("Read as {} with {} between the columns.", sniffed.encoding, sniffed.delimiter_name())];
    let mapping = reader.mapping().clone();
    notes.extend(mapping.lacks.iter().cloned());
    notes.extend(mapping.ignored.iter().map(|(column, reason)| format!("Column “{column}” is left out: {reason}")));
    if !reader.unmapped_columns().is_empty() {
        notes.push(format!(
            "The mapping does not know these columns, and they are left out: {}.",
            reader.unmapped_columns().join(", ")
        ));
    }
    Ok(FileFacts {
        notes,
        sha256: reader.sha256().ok_or(Error::Internal)?,
        bytes: i64::try_from(reader.bytes_read()).unwrap_or(i64::MAX),
        mapping,
    })
}

/// A post with a figure that its column, or a sum over the posts of a day, could not hold.
fn too_large(post: &PostRow, mapping: &Mapping) -> Option<Refusal> {
    let metrics = &post.metrics;
    let counts = [
        (Metric::Reach, metrics.reach),
        (Metric::Impressions, metrics.impressions),
        (Metric::Reactions, metrics.reactions),
        (Metric::Comments, metrics.comments),
        (Metric::Shares, metrics.shares),
        (Metric::Clicks, metrics.clicks),
        (Metric::Conversions, metrics.conversions),
    ];
    let amounts = [(Metric::Revenue, metrics.revenue), (Metric::Cost, metrics.cost)];
    let too_many = counts.iter().find(|(_, count)| count.is_some_and(|count| count > MOST)).map(|(metric, _)| *metric);
    let too_much = amounts
        .iter()
        .find(|(_, amount)| amount.is_some_and(|amount| amount > Decimal::from(MOST) || amount.normalize().scale() > 2))
        .map(|(metric, _)| *metric);
    let (metric, accepted) = match (too_many, too_much) {
        (Some(metric), _) => (metric, "a whole number"),
        (None, Some(metric)) => (metric, "an amount with at most two decimals"),
        (None, None) => return None,
    };
    let column = mapping.metrics.iter().find(|known| known.metric == metric).map(|known| known.column.clone());
    let reason = format!("The value of {} cannot be kept; accepted is {accepted} up to {MOST}.", metric.key());
    Some(Refusal { row_number: post.row_number, column, reason, raw: post.external_id.clone() })
}

fn refused_file(error: ImportError) -> Error {
    let field = match &error {
        ImportError::ZoneRequired { .. } => "zone",
        ImportError::AccountNotAccepted { .. } | ImportError::BadAccount { .. } => "account",
        ImportError::NoMapping { .. } => "mapping",
        _ => "file",
    };
    Error::invalid(field, error.to_string())
}

/// Appends a value in the text format of `copy`, or its sign for null.
fn cell(line: &mut String, value: Option<&str>) {
    match value {
        None => line.push_str("\\N"),
        Some(text) => {
            for character in text.chars() {
                match character {
                    '\\' => line.push_str("\\\\"),
                    '\n' => line.push_str("\\n"),
                    '\r' => line.push_str("\\r"),
                    '\t' => line.push_str("\\t"),
                    other => line.push(other),
                }
            }
        }
    }
    line.push('\t');
}

fn display(line: &mut String, value: Option<impl core::fmt::Display>) {
    match value {
        None => line.push_str("\\N"),
        Some(value) => write!(line, "{value}").expect("writing to a string cannot fail"),
    }
    line.push('\t');
}

fn write_post(line: &mut String, post: &PostRow, zone: Tz) {
    let (at, from, to): (Option<DateTime<Utc>>, NaiveDate, NaiveDate) = match post.published {
        Published::At(at) => {
            let day = at.with_timezone(&zone).date_naive();
            (Some(at), day, day)
        }
        month @ Published::Month { .. } => {
            let (from, to) = month.possible_days().expect("a month that was read has days");
            (None, from, to)
        }
    };
    let metrics = &post.metrics;
    display(line, Some(post.row_number));
    display(line, Some(Uuid::now_v7()));
    cell(line, Some(&post.platform));
    cell(line, Some(&post.account_external_id));
    cell(line, post.account_name.as_deref());
    cell(line, Some(&post.external_id));
    cell(line, post.kind.as_deref());
    cell(line, post.text.as_deref());
    cell(line, post.campaign.as_deref());
    display(line, at.map(|at| at.to_rfc3339()));
    display(line, Some(from));
    display(line, Some(to));
    for count in [
        metrics.reach,
        metrics.impressions,
        metrics.reactions,
        metrics.comments,
        metrics.shares,
        metrics.clicks,
        metrics.conversions,
    ] {
        display(line, count);
    }
    display(line, metrics.revenue);
    display(line, metrics.cost);
    display(line, metrics.sentiment);
    display(line, Some(format_args!("\\\\x{}", hex::encode(post.content_digest))));
    line.push_str("\\N\t\\N\t\\N\n");
}

fn write_refusal(line: &mut String, refusal: &Refusal) {
    display(line, Some(refusal.row_number));
    for _ in 0..22 {
        line.push_str("\\N\t");
    }
    cell(line, refusal.column.as_deref());
    cell(line, Some(&refusal.reason));
    cell(line, Some(&refusal.raw));
    line.pop();
    line.push('\n');
}

/// Judges the staged rows against each other and against what is stored, and writes what is new or changed.
async fn store(
    ctx: &TenantContext,
    tx: &mut Tx,
    options: &Options,
    file: &FileFacts,
    started_at: DateTime<Utc>,
) -> Result<Report, Error> {
    let (contradictions, contradiction_examples) = contradictions(tx).await?;
    if options.duplicates == DuplicateRule::Refuse && contradictions > 0 {
        return Err(Error::invalid(
            "duplicates",
            format!(
                "{contradictions} posts stand in the file more than once with different content ({}). Mend the file, or choose which row counts with first or last",
                contradiction_examples.join("; ")
            ),
        ));
    }
    let id = ImportId::from(Uuid::now_v7());
    let new_accounts = add_accounts(tx, id, ctx.now()).await?;
    add_campaigns(tx, id, ctx.now()).await?;
    // `distinct on` keeps the first row of each post in the order given.
    let chosen = match options.duplicates {
        DuplicateRule::First | DuplicateRule::Refuse => {
            "create temporary table import_chosen on commit drop as
            select distinct on (platform, account_external_id, external_id) * from import_row
            where refused_reason is null order by platform, account_external_id, external_id, row_number"
        }
        DuplicateRule::Last => {
            "create temporary table import_chosen on commit drop as
            select distinct on (platform, account_external_id, external_id) * from import_row
            where refused_reason is null order by platform, account_external_id, external_id, row_number desc"
        }
    };
    sqlx::query(chosen).execute(tx.connection()).await.map_err(failed)?;
    sqlx::query(
        r"
        create temporary table import_plan on commit drop as
        select
          import_chosen.*, account.id as account_id, campaign.id as campaign_id,
          post.id as stored_id, post.content_digest as stored_digest,
          post.published_from as stored_from, post.published_to as stored_to
        from import_chosen
        join account on account.platform = import_chosen.platform and account.external_id = import_chosen.account_external_id
        left join campaign on campaign.name = import_chosen.campaign
        left join post
          on post.tenant_id = account.tenant_id and post.account_id = account.id and post.external_id = import_chosen.external_id
        ",
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query("analyze import_plan").execute(tx.connection()).await.map_err(failed)?;

    let (read, refused): (i64, i64) = sqlx::query_as("select count(*), count(refused_reason) from import_row")
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
    let (kept, new, changed, accounts): (i64, i64, i64, i64) = sqlx::query_as(
        r"
        select
          count(*),
          count(*) filter (where stored_id is null),
          count(*) filter (where stored_id is not null and stored_digest <> content_digest),
          count(distinct account_id)
        from import_plan
        ",
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let counts =
        Counts { read, new, changed, unchanged: kept - new - changed, duplicate: read - refused - kept, refused };
    let refusals = first_refusals(tx).await?;
    let report = Report {
        id: (!options.is_dry_run).then_some(id),
        counts,
        accounts,
        new_accounts,
        mapping: file.mapping.name.clone(),
        notes: file.notes.clone(),
        contradictions,
        contradiction_examples,
        refusals,
    };
    if options.is_dry_run {
        return Ok(report);
    }

    add_import(ctx, tx, options, file, id, counts, started_at).await?;
    let touched = touched_by_plan(tx).await?;
    write_posts(ctx, tx, id).await?;
    kpi_daily::refresh_lifetime(tx, &touched).await?;
    let after = json!({
        "file": options.file_name, "sha256": hex::encode(file.sha256), "mapping": file.mapping.name,
        "duplicates": options.duplicates.key(), "counts": counts, "new_accounts": new_accounts,
    });
    tx.audit(Event::new("import.run", "import", id.to_string()).after(after)).await?;
    Ok(report)
}

async fn contradictions(tx: &mut Tx) -> Result<(i64, Vec<String>), Error> {
    let examples: Vec<(String, String, i64)> = sqlx::query_as(
        r"
        select external_id, string_agg(row_number::text, ', ' order by row_number), count(*) over ()
        from import_row
        where refused_reason is null
        group by platform, account_external_id, external_id
        having count(distinct content_digest) > 1
        order by min(row_number)
        limit $1
        ",
    )
    .bind(SHOWN_CONTRADICTIONS)
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let all = examples.first().map_or(0, |(_, _, all)| *all);
    Ok((all, examples.into_iter().map(|(id, rows, _)| format!("{id} in rows {rows}")).collect()))
}

async fn add_accounts(tx: &mut Tx, import: ImportId, now: DateTime<Utc>) -> Result<i64, Error> {
    let missing: Vec<(String, String, String)> = sqlx::query_as(
        r"
        select import_row.platform, import_row.account_external_id, coalesce(max(import_row.account_name), import_row.account_external_id)
        from import_row
        left join account on account.platform = import_row.platform and account.external_id = import_row.account_external_id
        where import_row.refused_reason is null and account.id is null
        group by import_row.platform, import_row.account_external_id
        order by min(import_row.row_number)
        ",
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    for (platform, external_id, name) in &missing {
        sqlx::query!(
            r#"
            insert into account (tenant_id, id, platform, external_id, name, created_by_import, created_at)
            select rtv_tenant(), $1, $2, $3, $4, $5, $6
            "#,
            Uuid::now_v7(),
            platform,
            external_id,
            name,
            import.uuid(),
            now
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    }
    Ok(i64::try_from(missing.len()).unwrap_or(i64::MAX))
}

async fn add_campaigns(tx: &mut Tx, import: ImportId, now: DateTime<Utc>) -> Result<(), Error> {
    let missing: Vec<(String,)> = sqlx::query_as(
        r"
        select import_row.campaign
        from import_row
        left join campaign on campaign.name = import_row.campaign
        where import_row.refused_reason is null and import_row.campaign is not null and campaign.id is null
        group by import_row.campaign
        order by min(import_row.row_number)
        ",
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    for (name,) in missing {
        sqlx::query!(
            "insert into campaign (tenant_id, id, name, created_by_import, created_at) select rtv_tenant(), $1, $2, $3, $4",
            Uuid::now_v7(),
            name,
            import.uuid(),
            now
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    }
    Ok(())
}

async fn first_refusals(tx: &mut Tx) -> Result<Vec<Refusal>, Error> {
    let rows: Vec<(i64, Option<String>, String, String)> = sqlx::query_as(
        r"
        select row_number, refused_field, refused_reason, refused_raw
        from import_row
        where refused_reason is not null
        order by row_number
        limit $1
        ",
    )
    .bind(SHOWN_REFUSALS)
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    Ok(rows
        .into_iter()
        .map(|(row_number, column, reason, raw)| Refusal {
            row_number: u64::try_from(row_number).unwrap_or_default(),
            column,
            reason,
            raw,
        })
        .collect())
}

async fn add_import(
    ctx: &TenantContext,
    tx: &mut Tx,
    options: &Options,
    file: &FileFacts,
    id: ImportId,
    counts: Counts,
    started_at: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        insert into import (
          tenant_id, id, file_name, file_sha256, file_bytes, mapping, time_zone, duplicate_rule, state,
          rows_read, rows_new, rows_changed, rows_unchanged, rows_duplicate, rows_refused,
          notes, actor_label, started_at, finished_at
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, 'done', $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
        "#,
        ctx.tenant().id.uuid(),
        id.uuid(),
        options.file_name,
        &file.sha256[..],
        file.bytes,
        file.mapping.name,
        options.zone.map(Tz::name),
        options.duplicates.key(),
        counts.read,
        counts.new,
        counts.changed,
        counts.unchanged,
        counts.duplicate,
        counts.refused,
        json!(file.notes),
        ctx.context().actor().label(),
        started_at,
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query(
        r"
        insert into import_refusal (tenant_id, import_id, row_number, field, reason, raw)
        select rtv_tenant(), $1, row_number, refused_field, refused_reason, refused_raw
        from import_row
        where refused_reason is not null
        ",
    )
    .bind(id.uuid())
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}

/// Groups of the roll-up that the plan changes: where its posts are now, and where changed ones were.
async fn touched_by_plan(tx: &mut Tx) -> Result<Touched, Error> {
    let groups: Vec<(Uuid, NaiveDate, NaiveDate)> = sqlx::query_as(
        r"
        select account_id, published_from, published_to
        from import_plan
        where stored_id is null or stored_digest <> content_digest
        union
        select account_id, stored_from, stored_to
        from import_plan
        where stored_id is not null and stored_digest <> content_digest
        ",
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let mut touched = Touched::default();
    for (account, first_day, last_day) in groups {
        touched.push(account, first_day, last_day);
    }
    Ok(touched)
}

async fn write_posts(ctx: &TenantContext, tx: &mut Tx, id: ImportId) -> Result<(), Error> {
    // What was there, before it is changed, and what was not: the way back.
    sqlx::query(
        r"
        insert into import_change (tenant_id, import_id, post_id, before)
        select rtv_tenant(), $1, coalesce(import_plan.stored_id, import_plan.post_id), to_jsonb(post)
        from import_plan
        left join post on post.tenant_id = (select rtv_tenant()) and post.id = import_plan.stored_id
        where import_plan.stored_id is null or import_plan.stored_digest <> import_plan.content_digest
        ",
    )
    .bind(id.uuid())
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query(
        r"
        update post set
          campaign_id = import_plan.campaign_id, kind = import_plan.kind, body = import_plan.body,
          published_at = import_plan.published_at, published_from = import_plan.published_from,
          published_to = import_plan.published_to,
          reach = import_plan.reach, impressions = import_plan.impressions, reactions = import_plan.reactions,
          comments = import_plan.comments, shares = import_plan.shares, clicks = import_plan.clicks,
          conversions = import_plan.conversions, revenue = import_plan.revenue, cost = import_plan.cost,
          sentiment = import_plan.sentiment, content_digest = import_plan.content_digest, import_id = $1, updated_at = $2
        from import_plan
        where post.tenant_id = (select rtv_tenant())
          and post.id = import_plan.stored_id
          and import_plan.stored_digest <> import_plan.content_digest
        ",
    )
    .bind(id.uuid())
    .bind(ctx.now())
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query(
        r"
        insert into post (
          tenant_id, id, account_id, campaign_id, external_id, kind, body, published_at, published_from, published_to,
          reach, impressions, reactions, comments, shares, clicks, conversions, revenue, cost, sentiment,
          content_digest, import_id, created_at, updated_at
        )
        select
          (select rtv_tenant()), post_id, account_id, campaign_id, external_id, kind, body, published_at, published_from, published_to,
          reach, impressions, reactions, comments, shares, clicks, conversions, revenue, cost, sentiment,
          content_digest, $1, $2, $2
        from import_plan
        where stored_id is null
        order by row_number
        ",
    )
    .bind(id.uuid())
    .bind(ctx.now())
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}

/// What a roll-back took back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct RolledBack {
    /// Posts that the import had made and that are gone.
    pub removed: i64,
    /// Posts that the import had changed and that are as they were.
    pub restored: i64,
}

/// Takes an import back: what it made goes, what it changed is as it was. Refused while a later import has changed the
/// same posts, because then there is no state to go back to.
pub async fn roll_back(ctx: &TenantContext, id: ImportId) -> Result<RolledBack, Error> {
    let mut tx = begin(ctx, Resource::Import(id)).await?;
    let state = sqlx::query_scalar!("select state from import where id = $1", id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or(Error::NotFound)?;
    if state == "rolled_back" {
        return Err(Error::Conflict(format!("{id} was rolled back already; nothing was changed.")));
    }
    let later = sqlx::query_scalar!(
        r#"
        select distinct post.import_id as "import_id!"
        from import_change
        join post on post.tenant_id = import_change.tenant_id and post.id = import_change.post_id
        where import_change.import_id = $1 and post.import_id <> $1
        limit 5
        "#,
        id.uuid()
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    if !later.is_empty() {
        let later = later.into_iter().map(|later| ImportId::from(later).to_string()).collect::<Vec<_>>().join(", ");
        return Err(Error::Conflict(format!(
            "posts of {id} were changed later by {later}; roll that back first. Nothing was changed."
        )));
    }

    let touched = touched_by_roll_back(&mut tx, id).await?;
    let restored = restore_posts(&mut tx, id).await?;
    let removed = sqlx::query!(
        r#"
        delete from post
        using import_change
        where import_change.tenant_id = post.tenant_id
          and import_change.post_id = post.id
          and import_change.import_id = $1
          and import_change.before is null
        "#,
        id.uuid()
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    kpi_daily::refresh_lifetime(&mut tx, &touched).await?;
    // Also what an import that was taken back earlier had made and had to leave, because posts of this one were in it.
    sqlx::query!(
        r#"
        delete from account
        where (created_by_import = $1 or created_by_import in (select id from import where state = 'rolled_back'))
          and not exists (select 1 from post where post.tenant_id = account.tenant_id and post.account_id = account.id)
          and not exists (
            select 1 from account_daily where account_daily.tenant_id = account.tenant_id and account_daily.account_id = account.id
          )
        "#,
        id.uuid()
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query!(
        r#"
        delete from campaign
        where (created_by_import = $1 or created_by_import in (select id from import where state = 'rolled_back'))
          and not exists (select 1 from post where post.tenant_id = campaign.tenant_id and post.campaign_id = campaign.id)
        "#,
        id.uuid()
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query!("delete from import_change where import_id = $1", id.uuid())
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    sqlx::query!("update import set state = 'rolled_back', rolled_back_at = $2 where id = $1", id.uuid(), ctx.now())
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    let outcome = RolledBack {
        removed: i64::try_from(removed).unwrap_or(i64::MAX),
        restored: i64::try_from(restored).unwrap_or(i64::MAX),
    };
    tx.audit(Event::new("import.roll_back", "import", id.to_string()).after(json!(outcome))).await?;
    tx.commit().await?;
    Ok(outcome)
}

/// Groups of the roll-up that change: where the posts are now, and where the restored ones will be.
async fn touched_by_roll_back(tx: &mut Tx, id: ImportId) -> Result<Touched, Error> {
    let groups = sqlx::query!(
        r#"
        select post.account_id as "account_id!", post.published_from as "first_day!", post.published_to as "last_day!"
        from import_change
        join post on post.tenant_id = import_change.tenant_id and post.id = import_change.post_id
        where import_change.import_id = $1
        union
        select (before ->> 'account_id')::uuid, (before ->> 'published_from')::date, (before ->> 'published_to')::date
        from import_change
        where import_id = $1 and before is not null
        "#,
        id.uuid()
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let mut touched = Touched::default();
    for group in groups {
        touched.push(group.account_id, group.first_day, group.last_day);
    }
    Ok(touched)
}

async fn restore_posts(tx: &mut Tx, id: ImportId) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        update post set
          campaign_id = old.campaign_id, kind = old.kind, body = old.body, published_at = old.published_at,
          published_from = old.published_from, published_to = old.published_to,
          reach = old.reach, impressions = old.impressions, reactions = old.reactions, comments = old.comments,
          shares = old.shares, clicks = old.clicks, conversions = old.conversions, revenue = old.revenue,
          cost = old.cost, sentiment = old.sentiment, content_digest = old.content_digest, import_id = old.import_id,
          updated_at = old.updated_at
        from import_change
        cross join lateral jsonb_populate_record(null::post, import_change.before) as old
        where import_change.import_id = $1
          and import_change.before is not null
          and post.tenant_id = import_change.tenant_id
          and post.id = import_change.post_id
        "#,
        id.uuid()
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(done.rows_affected())
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
