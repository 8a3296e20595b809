//! From the file to a temporary table: rows are read on a thread of their own and copied as a stream, so that memory does
//! not grow with the file. What the domain cannot keep is refused here, row by row, with the reason.

use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use rtv_core::{AccountId, Error, Platform};
use rtv_import::mapping::Metric;
use rtv_import::{ImportError, Mapping, OpenOptions, PostRow, Published, Refusal, Row};
use rust_decimal::Decimal;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{Options, Progress};
use crate::context::TenantContext;
use crate::transaction::{Tx, failed};

/// Most of anything that a post can have: a trillion, so that sums over millions of posts fit their columns.
const MOST: i64 = 1_000_000_000_000;
/// Size of a piece that is handed to the database.
const PIECE: usize = 256 * 1_024;

pub(super) struct ChosenAccount {
    platform: String,
    external_id: String,
}

pub(super) async fn find_account(tx: &mut Tx, id: AccountId) -> Result<ChosenAccount, Error> {
    let row = sqlx::query!("select platform, external_id from account where id = $1", id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or_else(|| Error::invalid("account", format!("there is no account {id} in this tenant")))?;
    Ok(ChosenAccount { platform: row.platform, external_id: row.external_id })
}

/// What was learnt while reading.
pub(super) struct FileFacts {
    pub(super) mapping: Mapping,
    pub(super) notes: Vec<String>,
    pub(super) sha256: [u8; 32],
    pub(super) bytes: i64,
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

pub(super) async fn read_into_staging(
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
