//! Runs of reports as a worker makes them: the figures, the drawings, then each file, whole before it is told of. A worker that
//! is killed leaves the run as it was, and another begins again.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use rtv_charts::{NumberStyle, RenderError, Renderer, ReportChart, Theme, Words};
use rtv_core::Error;
use rtv_core::report::{ChartKind, Filled, FilledContent, Table};
use rtv_domain::format::Format;
use rtv_domain::report::{self, Asked, FileFormat, FileRow, Files, MakeRun, NewFile, Run, Shown, TakenUp};
use rtv_domain::{Context, TenantContext};
use rtv_jobs::{JobContext, JobError, Worker};
use rtv_report::csv;
use rtv_report::pdf::{self, Look};
use sha2::{Digest as _, Sha256};

use crate::jobs::import::after;
use crate::state::AppState;

/// How often a run that is being made asks whether it is still wanted.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// Size of a chart, px: the width of a sheet.
const CHART: (u32, u32) = (640, 280);
/// The hue of what has no colour of its own: RTV's accent.
const HOUSE_HUE: f64 = 264.0;

/// What making a run needs.
#[derive(Clone)]
pub struct Press {
    /// Draws charts.
    pub renderer: Arc<Renderer>,
    /// Where files lie.
    pub files: Files,
    /// Where RTV is reached, without a slash at its end: a file is read far from it.
    pub base: String,
}

/// Adds the job to a worker.
pub fn register(worker: Worker, context: Context, press: Press) -> Worker {
    worker.handle(move |job, MakeRun(ticket)| {
        let (context, press) = (context.clone(), press.clone());
        async move {
            let taken = match report::take_up(&context, ticket).await {
                Ok(Some(taken)) => taken,
                Ok(None) => return Ok(()),
                Err(error) => return Err(after(error)),
            };
            make(&press, &taken, &job).await
        }
    })
}

async fn make(press: &Press, taken: &TakenUp, job: &JobContext) -> Result<(), JobError> {
    let outcome = tokio::select! {
        outcome = work(press, taken) => outcome,
        // What is dropped here reads, draws or has written files that no row names; the sweep finds them.
        () = unwanted(taken) => return Ok(()),
    };
    match outcome {
        Ok(()) => Ok(()),
        Err(error @ Error::ReadOnly(_)) => Err(after(error)),
        // What was asked cannot be made, however often it is tried.
        Err(error @ (Error::Invalid(_) | Error::Forbidden(_) | Error::Conflict(_) | Error::NotFound)) => {
            report::fail(&taken.ctx, taken.run.id, &error.explanation()).await.map_err(JobError::retry)
        }
        Err(error) if job.attempt >= job.max_attempts => {
            let reason = format!("{} It was tried {} times.", error.explanation(), job.attempt);
            report::fail(&taken.ctx, taken.run.id, &reason).await.map_err(JobError::retry)
        }
        Err(error) => Err(JobError::retry(error)),
    }
}

/// Ends when the run is not wanted any more.
async fn unwanted(taken: &TakenUp) {
    loop {
        tokio::time::sleep(ASK_EVERY).await;
        // A database that does not answer says nothing about it.
        if let Ok(run) = report::run(&taken.ctx, taken.run.id).await
            && run.state.is_final()
        {
            return;
        }
    }
}

async fn work(press: &Press, taken: &TakenUp) -> Result<(), Error> {
    let TakenUp { ctx, run, definition, parameters } = taken;
    let address = format!("{}/t/{}/reports/{}", press.base, ctx.tenant().slug, run.report);
    let asked =
        Asked { parameters, version: u32::try_from(run.version).ok(), shown: Shown::AsDefined, address: &address };
    let filled = report::fill(ctx, definition, &asked).await?;
    let charts: Vec<_> = charts(&filled).collect();
    let total = i32::try_from(charts.len() + 3).unwrap_or(i32::MAX);
    let mut done = 1;
    let mut pictures = BTreeMap::new();
    let mut left_out = Vec::new();
    for (block, title, kind, table) in charts {
        report::tell(ctx, run.id, &format!("drawing {title}"), done, total).await?;
        let drawn = chart(ctx, title, kind, table);
        // What a drawing has no room for is said beside the files; its table has it.
        left_out.extend(drawn.notes.iter().map(|note| format!("{title}: {note}")));
        pictures.insert(block, draw(&press.renderer, &drawn).await?);
        done += 1;
    }
    report::tell(ctx, run.id, "writing files", done, total).await?;
    let printed = {
        let (ctx, files, run, filled) = (ctx.clone(), press.files.clone(), run.clone(), filled.clone());
        let work = move || print(&ctx, &files, &run, &filled, &pictures);
        tokio::task::spawn_blocking(work).await.map_err(|error| {
            tracing::error!(%error, "the files of a report could not be made");
            Error::Internal
        })??
    };
    let notes = [left_out, printed.notes].concat();
    report::finish(ctx, run.id, &filled, &printed.files, printed.pages, &notes).await?;
    Ok(())
}

/// The files of a run, in their places.
struct Printed {
    files: Vec<NewFile>,
    pages: Option<i32>,
    notes: Vec<String>,
}

fn print(
    ctx: &TenantContext,
    files: &Files,
    run: &Run,
    filled: &Filled,
    pictures: &pdf::Pictures,
) -> Result<Printed, Error> {
    let mut printed = Printed { files: Vec::new(), pages: None, notes: Vec::new() };
    let mut keep = |format: FileFormat, part: u32, title: &str, bytes: &[u8]| {
        files.put(ctx.tenant().id, run.id, format, part, bytes)?;
        printed.files.push(NewFile {
            format,
            part,
            title: title.to_owned(),
            file_name: file_name(run, format, part, title),
            bytes: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
            sha256: Sha256::digest(bytes).into(),
        });
        Ok::<(), Error>(())
    };
    let (bytes, written) = pdf_of(ctx, filled, pictures)?;
    keep(FileFormat::Pdf, 1, &run.name, &bytes)?;
    let (bytes, workbook) = xlsx_of(ctx, filled)?;
    keep(FileFormat::Xlsx, 1, &run.name, &bytes)?;
    let mut of_tables = Vec::new();
    for part in csv::parts(filled) {
        let (bytes, notes) = csv_of(&part.table, false)?;
        keep(FileFormat::Csv, u32::try_from(part.number).unwrap_or(u32::MAX), &part.title, &bytes)?;
        of_tables.extend(notes);
    }
    printed.pages = i32::try_from(written.pages).ok();
    for note in written.notes.into_iter().chain(workbook).chain(of_tables) {
        if !printed.notes.contains(&note) {
            printed.notes.push(note);
        }
    }
    Ok(printed)
}

fn pdf_of(ctx: &TenantContext, filled: &Filled, pictures: &pdf::Pictures) -> Result<(Vec<u8>, pdf::Written), Error> {
    let tenant = ctx.tenant();
    let look = Look {
        format: Format::of(tenant).with_times_in(filled.zone),
        language: tenant.locale.clone(),
        hue: tenant.brand.map_or(HOUSE_HUE, rtv_core::Brand::hue),
        logo: None,
        fonts: Vec::new(),
    };
    let mut bytes = Vec::new();
    let written = pdf::write(filled, &look, pictures, &mut bytes).map_err(failed("PDF"))?;
    Ok((bytes, written))
}

fn xlsx_of(ctx: &TenantContext, filled: &Filled) -> Result<(Vec<u8>, Vec<String>), Error> {
    let format = Format::of(ctx.tenant()).with_times_in(filled.zone);
    let mut bytes = std::io::Cursor::new(Vec::new());
    let written = rtv_report::xlsx::write(filled, &format, &mut bytes).map_err(failed("workbook"))?;
    Ok((bytes.into_inner(), written.notes))
}

fn csv_of(table: &Table, raw: bool) -> Result<(Vec<u8>, Vec<String>), Error> {
    let mut bytes = Vec::new();
    let written = csv::write(&mut bytes, table, csv::Options { raw, bom: true }).map_err(failed("CSV"))?;
    Ok((bytes, written.notes))
}

fn failed<E: core::fmt::Display>(what: &'static str) -> impl Fn(E) -> Error {
    move |error| {
        tracing::error!(%error, what, "a file of a report could not be made");
        Error::Internal
    }
}

/// What people find in their folder: the report, its days, and of a CSV the table.
fn file_name(run: &Run, format: FileFormat, part: u32, title: &str) -> String {
    let plain = |text: &str| {
        let letters: String =
            text.chars().map(|letter| if letter.is_alphanumeric() { letter } else { ' ' }).take(60).collect();
        letters.split_whitespace().collect::<Vec<_>>().join("-")
    };
    let days = format!("{}_{}", run.period.from(), run.period.to());
    let table = if format == FileFormat::Csv { format!("_{part}-{}", plain(title)) } else { String::new() };
    format!("{}_{days}{table}.{}", plain(&run.name), format.key())
}

fn charts(filled: &Filled) -> impl Iterator<Item = (u32, &str, ChartKind, &Table)> {
    filled.sections.iter().flat_map(|section| &section.blocks).filter_map(|block| match &block.content {
        FilledContent::Chart { kind, table } => Some((block.id, block.title.as_str(), *kind, table)),
        _ => None,
    })
}

/// The chart of a table, in the tenant's words and colour.
fn chart(ctx: &TenantContext, title: &str, kind: ChartKind, table: &Table) -> ReportChart {
    let tenant = ctx.tenant();
    let format = Format::of(tenant);
    let cell = |kind, cell: &_| Some(format.cell(kind, cell));
    let words = Words {
        numbers: if tenant.locale.starts_with("en") {
            NumberStyle::ENGLISH
        } else {
            NumberStyle { decimal: format.decimal_mark(), group: format.group_mark(), ..NumberStyle::ENGLISH }
        },
        brand: tenant.brand,
        cell: Some(&cell),
        ..Words::english(title, &tenant.currency)
    };
    ReportChart::of(kind, table, &words)
}

async fn draw(renderer: &Renderer, chart: &ReportChart) -> Result<String, Error> {
    // A page of many charts and a run may want to draw at once.
    for _ in 0..50 {
        match renderer.svg(&chart.option(Theme::Light), CHART.0, CHART.1).await {
            Ok(svg) => return Ok(svg),
            Err(RenderError::Busy) => tokio::time::sleep(Duration::from_millis(200)).await,
            Err(error) => return Err(failed("drawing")(error)),
        }
    }
    Err(Error::Unavailable("Many charts are being drawn.".into()))
}

/// A chart of a filled report, as a picture.
pub async fn picture(state: &AppState, ctx: &TenantContext, filled: &Filled, block: u32) -> Result<Arc<str>, Error> {
    let (_, title, kind, table) = charts(filled).find(|(id, ..)| *id == block).ok_or(Error::NotFound)?;
    let option = chart(ctx, title, kind, table).option(Theme::Light);
    crate::http::chart::draw(state, option, CHART).await
}

/// The bytes of a file: from the disk, or made again from the run's result where it is gone or wanted otherwise. What lies on the
/// disk is given only if it is what was written there.
pub async fn read_or_make(
    state: &AppState,
    ctx: &TenantContext,
    run: &Run,
    file: &FileRow,
    is_raw: bool,
) -> Result<Vec<u8>, Error> {
    if !is_raw && !file.is_removed {
        let path = state.files.path(ctx.tenant().id, run.id, file.format, file.part);
        match tokio::fs::read(&path).await {
            Ok(bytes) if Sha256::digest(&bytes).as_slice() == file.sha256 => return Ok(bytes),
            Ok(_) => {
                tracing::error!(path = %path.display(), "a file of a report is not what was written; it is made again");
            }
            Err(error) => {
                tracing::error!(path = %path.display(), %error, "a file of a report cannot be read; it is made again");
            }
        }
    }
    let filled = report::result(ctx, run.id).await?;
    let mut pictures = BTreeMap::new();
    if file.format == FileFormat::Pdf {
        for (block, title, kind, table) in charts(&filled) {
            pictures.insert(block, draw(&state.renderer, &chart(ctx, title, kind, table)).await?);
        }
    }
    let (ctx, format, part) = (ctx.clone(), file.format, file.part);
    let work = move || match format {
        FileFormat::Pdf => pdf_of(&ctx, &filled, &pictures).map(|(bytes, _)| bytes),
        FileFormat::Xlsx => xlsx_of(&ctx, &filled).map(|(bytes, _)| bytes),
        FileFormat::Csv => {
            let parts = csv::parts(&filled);
            let wanted = parts.iter().find(|one| u32::try_from(one.number) == Ok(part)).ok_or(Error::NotFound)?;
            csv_of(&wanted.table, is_raw).map(|(bytes, _)| bytes)
        }
    };
    tokio::task::spawn_blocking(work).await.map_err(failed("file"))?
}
