//! From the file to a temporary table: rows are read on a thread of their own and copied as a stream, so that memory does
//! not grow with the file. What the domain cannot keep is refused here, row by row, with the reason.

use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use rtv_core::{Error, Platform};
use rtv_import::mapping::{Metric, PlatformRule};
use rtv_import::{Delimiter, Mapping, OpenOptions, PostRow, Published, Refusal, Row};
use rust_decimal::Decimal;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::meter::{Meter, Step};
use super::settings::{Applied, cannot_open, refused_file};
use crate::context::TenantContext;
use crate::transaction::{Tx, failed};

/// Most of anything that a post can have: a trillion, so that sums over millions of posts fit their columns.
const MOST: i64 = 1_000_000_000_000;
/// Size of a piece that is handed to the database.
const PIECE: usize = 256 * 1_024;

/// How often the reading thread tells how far it is.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// What was learnt while reading.
#[derive(Debug)]
pub(super) struct FileFacts {
    pub(super) mapping: Mapping,
    pub(super) header: Vec<String>,
    pub(super) delimiter: Delimiter,
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

/// Reads the whole file into the temporary table `import_row` of the transaction.
pub(super) async fn read(
    ctx: &TenantContext,
    tx: &mut Tx,
    path: &Path,
    applied: &Applied,
    meter: &Meter,
) -> Result<FileFacts, Error> {
    meter.step(Step::Reading, None);
    let (send, mut receive) = mpsc::channel::<String>(4);
    let thread = {
        let (path, open, zone, meter) = (path.to_owned(), applied.open_options(), ctx.tenant().zone, meter.clone());
        tokio::task::spawn_blocking(move || read_rows(path, open, zone, send, &meter))
    };
    sqlx::query(STAGING).execute(tx.connection()).await.map_err(failed)?;
    let mut copy = tx.connection().copy_in_raw("copy import_row from stdin").await.map_err(failed)?;
    while let Some(piece) = receive.recv().await {
        // An interrupted `copy` passes over all that still comes, so whoever sends it has to stop.
        if meter.is_stopped() {
            copy.abort("the import was cancelled").await.map_err(failed)?;
            return Err(Error::Conflict("The import was cancelled.".into()));
        }
        copy.send(piece.into_bytes()).await.map_err(failed)?;
    }
    let read = thread.await.unwrap_or_else(|error| {
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

/// Reads the whole file and sends its rows in PostgreSQL's text format, in pieces. Runs on a thread that may block, and
/// ends as soon as nobody receives any more.
fn read_rows(
    path: PathBuf,
    open: OpenOptions,
    zone: Tz,
    send: mpsc::Sender<String>,
    meter: &Meter,
) -> Result<FileFacts, Error> {
    let file = File::open(&path).map_err(|error| cannot_open(&path, &error))?;
    let of_bytes = file.metadata().map_err(|error| cannot_open(&path, &error))?.len();
    let mut reader = rtv_import::open_seekable(std::io::BufReader::with_capacity(PIECE, file), open)
        .map_err(|error| refused_file(&error))?;
    let mut piece = String::with_capacity(PIECE + 8_192);
    let mut told = Instant::now();
    while let Some(row) = reader.next() {
        let refusal = match row.map_err(|error| refused_file(&error))? {
            Row::Post(post) => match unfit(&post, reader.mapping()) {
                None => {
                    write_post(&mut piece, &post, zone);
                    None
                }
                Some((column, reason)) => {
                    Some(Refusal { row_number: post.row_number, column, reason, raw: reader.raw() })
                }
            },
            Row::Refused(refusal) => Some(refusal),
        };
        if let Some(refusal) = refusal {
            write_refusal(&mut piece, &refusal);
        }
        if piece.len() >= PIECE {
            let full = core::mem::replace(&mut piece, String::with_capacity(PIECE + 8_192));
            if send.blocking_send(full).is_err() {
                // The other side has failed, or was cancelled, and says why.
                return Err(Error::Internal);
            }
        }
        if told.elapsed() >= TELL_EVERY {
            meter.read(reader.rows_read(), reader.bytes_read(), of_bytes);
            told = Instant::now();
        }
    }
    if !piece.is_empty() && send.blocking_send(piece).is_err() {
        return Err(Error::Internal);
    }
    meter.read(reader.rows_read(), reader.bytes_read(), of_bytes);

    let sniffed = reader.sniffed();
    let mut notes = vec![sniffed.sentence()];
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
        header: sniffed.header.clone(),
        delimiter: sniffed.delimiter,
        sha256: reader.sha256().ok_or(Error::Internal)?,
        bytes: i64::try_from(reader.bytes_read()).unwrap_or(i64::MAX),
        mapping,
    })
}

/// What the domain cannot keep of a post that could be read: the column, and the reason.
fn unfit(post: &PostRow, mapping: &Mapping) -> Option<(Option<String>, String)> {
    match post.platform.parse::<Platform>() {
        Ok(_) => too_large(post, mapping),
        Err(reason) => {
            let column = match &mapping.platform {
                PlatformRule::Column(column) | PlatformRule::Named(column) => Some(column.clone()),
                PlatformRule::Fixed(_) => None,
            };
            Some((column, reason))
        }
    }
}

/// A post with a figure that its column, or a sum over the posts of a day, could not hold.
fn too_large(post: &PostRow, mapping: &Mapping) -> Option<(Option<String>, String)> {
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
    Some((column, reason))
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
