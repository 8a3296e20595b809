//! Makes the files of runs: drawings, PDF, workbook and CSV, from the typed result and nothing else; so a file can be made again.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use app::report::chart::chart;
use rtv_charts::{RenderError, Renderer, ReportChart, Theme};
use rtv_core::Error;
use rtv_core::report::{ChartKind, FileFormat, Filled, FilledContent, Table};
use rtv_domain::TenantContext;
use rtv_domain::format::Format;
use rtv_domain::logo;
use rtv_domain::report::{self, FileRow, Files, NewFile, Run};
use rtv_report::csv;
use rtv_report::pdf::{self, Look};
use sha2::{Digest as _, Sha256};

use crate::state::AppState;

/// Size of a chart, px: the width of a sheet.
const CHART: (u32, u32) = (640, 280);
/// The hue of what has no colour of its own: RTV's accent.
const HOUSE_HUE: f64 = 264.0;

/// What making files needs.
#[derive(Clone)]
pub struct Press {
    /// Draws charts.
    pub renderer: Arc<Renderer>,
    /// Where files lie.
    pub files: Files,
    /// Fonts for letters that the shipped one does not have.
    pub fonts: Arc<[Vec<u8>]>,
    /// Where RTV is reached, without a slash at its end: a file is read far from it.
    pub base: String,
}

/// How the CSV of a run are written that lie on the disk.
pub const AS_STORED: csv::Options = csv::Options { raw: false, bom: true };

/// How a CSV is wanted: `raw=1` leaves texts as they are, `bom=0` leaves the mark at the beginning out.
pub fn wanted<'a>(parameter: impl Fn(&str) -> Option<&'a str>) -> csv::Options {
    csv::Options { raw: parameter("raw") == Some("1"), bom: parameter("bom") != Some("0") }
}

/// The files of a run, in their places.
pub struct Printed {
    /// The files.
    pub files: Vec<NewFile>,
    /// Pages of the PDF.
    pub pages: Option<i32>,
    /// What formats could not hold, as sentences.
    pub notes: Vec<String>,
}

impl Press {
    /// Draws the charts of a filled report. `tell` is told of each before it is drawn; its refusal ends it.
    pub async fn draw<F>(
        &self,
        ctx: &TenantContext,
        filled: &Filled,
        mut tell: impl FnMut(String, usize) -> F,
    ) -> Result<(pdf::Pictures, Vec<String>), Error>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let mut pictures = BTreeMap::new();
        let mut left_out = Vec::new();
        for (done, (block, title, kind, table)) in charts(filled).enumerate() {
            tell(title.to_owned(), done).await?;
            let drawn = chart(ctx.tenant(), title, kind, table);
            // What a drawing has no room for is said below it, and beside the files; its table has it.
            left_out.extend(drawn.notes.iter().map(|note| format!("{title}: {note}")));
            let svg = draw(&self.renderer, &drawn).await?;
            pictures.insert(block, pdf::Picture { svg, notes: drawn.notes });
        }
        Ok((pictures, left_out))
    }

    /// Writes the files of a run, each whole, into their places.
    pub async fn print(
        &self,
        ctx: &TenantContext,
        run: &Run,
        filled: &Filled,
        pictures: pdf::Pictures,
    ) -> Result<Printed, Error> {
        let dress = self.dress(ctx).await?;
        let (ctx, files, run, filled) = (ctx.clone(), self.files.clone(), run.clone(), filled.clone());
        let work = move || print(&ctx, &files, &run, &filled, &pictures, dress);
        tokio::task::spawn_blocking(work).await.map_err(failed("file"))?
    }

    /// The bytes of a file: from the disk, or made again from the run's result where it is gone or wanted otherwise. What lies on
    /// the disk is given only if it is what was written there.
    pub async fn read_or_make(
        &self,
        ctx: &TenantContext,
        run: &Run,
        file: &FileRow,
        options: csv::Options,
    ) -> Result<Vec<u8>, Error> {
        let is_as_stored = options == AS_STORED || file.format != FileFormat::Csv;
        if is_as_stored && !file.is_removed {
            let path = self.files.path(ctx.tenant().id, run.id, file.format, file.part);
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
        let (pictures, dress) = match file.format {
            FileFormat::Pdf => (self.draw(ctx, &filled, |_, _| async { Ok(()) }).await?.0, self.dress(ctx).await?),
            FileFormat::Xlsx | FileFormat::Csv => (BTreeMap::new(), Dress::default()),
        };
        let (ctx, format, part) = (ctx.clone(), file.format, file.part);
        let work = move || match format {
            FileFormat::Pdf => pdf_of(&ctx, &filled, &pictures, dress).map(|(bytes, _)| bytes),
            FileFormat::Xlsx => xlsx_of(&ctx, &filled).map(|(bytes, _)| bytes),
            FileFormat::Csv => {
                let parts = csv::parts(&filled);
                let wanted = parts.iter().find(|one| u32::try_from(one.number) == Ok(part)).ok_or(Error::NotFound)?;
                csv_of(&wanted.table, options).map(|(bytes, _)| bytes)
            }
        };
        tokio::task::spawn_blocking(work).await.map_err(failed("file"))?
    }
}

impl Press {
    async fn dress(&self, ctx: &TenantContext) -> Result<Dress, Error> {
        let logo = match ctx.tenant().logo {
            Some(_) => match logo::read(ctx).await {
                Ok(logo) => Some(logo.content),
                // It was taken away a moment ago.
                Err(Error::NotFound) => None,
                Err(error) => return Err(error),
            },
            None => None,
        };
        Ok(Dress { logo, fonts: self.fonts.to_vec() })
    }
}

/// What a PDF has of the tenant and the operator beside its figures.
#[derive(Default)]
struct Dress {
    logo: Option<Vec<u8>>,
    fonts: Vec<Vec<u8>>,
}

/// How many drawings a filled report has.
pub fn drawings(filled: &Filled) -> usize {
    charts(filled).count()
}

fn print(
    ctx: &TenantContext,
    files: &Files,
    run: &Run,
    filled: &Filled,
    pictures: &pdf::Pictures,
    dress: Dress,
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
    let (bytes, written) = pdf_of(ctx, filled, pictures, dress)?;
    keep(FileFormat::Pdf, 1, &run.name, &bytes)?;
    let (bytes, workbook) = xlsx_of(ctx, filled)?;
    keep(FileFormat::Xlsx, 1, &run.name, &bytes)?;
    let mut of_tables = Vec::new();
    for part in csv::parts(filled) {
        let (bytes, notes) = csv_of(&part.table, AS_STORED)?;
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

fn pdf_of(
    ctx: &TenantContext,
    filled: &Filled,
    pictures: &pdf::Pictures,
    dress: Dress,
) -> Result<(Vec<u8>, pdf::Written), Error> {
    let tenant = ctx.tenant();
    let look = Look {
        format: Format::of(tenant).with_times_in(filled.zone),
        hue: tenant.brand.map_or(HOUSE_HUE, rtv_core::Brand::hue),
        logo: dress.logo,
        fonts: dress.fonts,
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

fn csv_of(table: &Table, options: csv::Options) -> Result<(Vec<u8>, Vec<String>), Error> {
    let mut bytes = Vec::new();
    let written = csv::write(&mut bytes, table, options).map_err(failed("CSV"))?;
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
    crate::http::chart::draw(state, option(ctx, filled, block)?, CHART).await
}

/// The same as the option that a script draws.
pub fn option(ctx: &TenantContext, filled: &Filled, block: u32) -> Result<String, Error> {
    let (_, title, kind, table) = charts(filled).find(|(id, ..)| *id == block).ok_or(Error::NotFound)?;
    Ok(chart(ctx.tenant(), title, kind, table).option(Theme::Light))
}
