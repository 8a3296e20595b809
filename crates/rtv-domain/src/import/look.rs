//! Looking at an uploaded file before anything is decided: what its columns seem to be, and how its first rows would be
//! stored. Only the file's beginning is read, so this answers while a page waits.

use rtv_core::{Error, ImportId, Permission};
use rtv_import::{Delimiter, Encoding, Guess, Mapping, Row};

use super::settings::{self, Settings, with_file};
use super::upload::Uploads;
use crate::context::TenantContext;
use crate::mapping::{self, SavedMapping};
use crate::transaction::Resource;

/// What a file seems to be.
#[derive(Debug)]
pub struct Look {
    /// What each column seems to mean, what must be asked, and a form that is filled in so far.
    pub guess: Guess,
    /// Saved mappings, those that fit best first.
    pub saved: Vec<SavedFit>,
    /// How the file is read.
    pub encoding: Encoding,
    /// What stands between its columns.
    pub delimiter: Delimiter,
    /// Its columns.
    pub header: Vec<String>,
    /// How it is read, as a sentence.
    pub sentence: String,
    /// Rows among the first that could not be looked at.
    pub unreadable_rows: u64,
}

/// A saved mapping and what it would miss in this file.
#[derive(Debug)]
pub struct SavedFit {
    /// The mapping.
    pub mapping: SavedMapping,
    /// Columns that it reads and the file does not have.
    pub missing_columns: Vec<String>,
}

/// The first rows as they would be stored.
#[derive(Debug)]
pub struct Preview {
    /// Posts and refused rows, in the order of the file.
    pub rows: Vec<Row>,
    /// The file's columns.
    pub header: Vec<String>,
    /// The mapping that was applied.
    pub mapping: Mapping,
    /// Columns that it does not know.
    pub unmapped_columns: Vec<String>,
    /// What ended the file before the preview was full.
    pub stopped: Option<String>,
}

/// Looks at the first rows of an uploaded file. `encoding` and `delimiter` are what the person says, where they do.
pub async fn look(
    ctx: &TenantContext,
    uploads: &Uploads,
    id: ImportId,
    encoding: Option<Encoding>,
    delimiter: Option<Delimiter>,
) -> Result<Look, Error> {
    let mut tx = ctx.begin_to_read(&[Permission::ImportsManage], Resource::Import(id)).await?;
    let kept = uploads.kept_file(ctx, &mut tx, id).await?;
    let encoding = encoding.or(kept.read_as);
    let saved = mapping::list_in(&mut tx).await?;
    tx.rollback().await?;
    let sample = with_file(&kept.path, move |file| rtv_import::sample_seekable(file, encoding, delimiter)).await?;
    let header = sample.sniffed.header.clone();
    let mut saved: Vec<SavedFit> = saved
        .into_iter()
        .map(|mapping| SavedFit { missing_columns: mapping.draft.missing_columns(&header), mapping })
        .collect();
    saved.sort_by_key(|fit| fit.missing_columns.len());
    Ok(Look {
        guess: rtv_import::guess(&sample),
        saved,
        encoding: sample.sniffed.read_as,
        delimiter: sample.sniffed.delimiter,
        header,
        sentence: sample.sniffed.sentence(),
        unreadable_rows: sample.unreadable_rows,
    })
}

/// The first rows of an uploaded file as these settings would store them. Wrong settings are refused field by field.
pub async fn preview(
    ctx: &TenantContext,
    uploads: &Uploads,
    id: ImportId,
    settings: &Settings,
) -> Result<Preview, Error> {
    let mut tx = ctx.begin_to_read(&[Permission::ImportsManage], Resource::Import(id)).await?;
    let kept = uploads.kept_file(ctx, &mut tx, id).await?;
    let prepared = settings::prepare(&mut tx, &kept.path, &settings.clone().reading_as(kept.read_as)).await?;
    tx.rollback().await?;
    let options = prepared.applied.open_options();
    let preview = with_file(&kept.path, move |file| rtv_import::preview_seekable(file, options)).await?;
    Ok(Preview {
        rows: preview.rows,
        header: prepared.header,
        mapping: preview.mapping,
        unmapped_columns: preview.unmapped_columns,
        stopped: preview.stopped.map(|error| error.to_string()),
    })
}
