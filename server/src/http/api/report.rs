//! `/api/v1/reports` and `/api/v1/runs`: what was built, and what is made of it. Making takes its time, so asking for a run is
//! answered at once with the run, which is then looked at until it is done.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, NaiveDate, Utc};
use http::StatusCode;
use rtv_core::filter::PageFilter;
use rtv_core::report::{Definition, FileFormat};
use rtv_core::{Error, ReportId, RunId};
use rtv_domain::TenantContext;
use rtv_domain::report::{self, FileRow, Listed, Listing, Report, Run, Template};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::caller::Caller;
use super::list::{Ask, ListParams, Page, page_with_more};
use super::once::Write;
use crate::http::download;
use crate::press;
use crate::state::AppState;

const REPORTS: &str = "reports";
const RUNS: &str = "runs";

/// A report in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "ReportInList")]
pub struct ListedObject {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// What it is for.
    description: String,
    /// Number of its newest version.
    version: i64,
    /// When it was saved last.
    updated_at: DateTime<Utc>,
    /// Id of its newest run.
    last_run: Option<String>,
}

impl From<Listed> for ListedObject {
    fn from(one: Listed) -> Self {
        Self {
            id: one.id.to_string(),
            name: one.name,
            description: one.description,
            version: one.version,
            updated_at: one.updated_at,
            last_run: one.last_run.map(|(id, ..)| id.to_string()),
        }
    }
}

/// A report with what was built.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Report")]
pub struct ReportObject {
    /// Its id.
    id: String,
    /// Number of its newest version.
    version: i64,
    /// When it was saved last.
    updated_at: DateTime<Utc>,
    /// Who saved it last.
    changed_by: String,
    /// What was built: name, description, parameters, sections with blocks.
    #[schema(value_type = Object)]
    definition: Value,
}

impl TryFrom<Report> for ReportObject {
    type Error = Error;

    fn try_from(report: Report) -> Result<Self, Error> {
        Ok(Self {
            id: report.id.to_string(),
            version: report.version,
            updated_at: report.updated_at,
            changed_by: report.changed_by,
            definition: serde_json::to_value(&report.definition).map_err(|error| {
                tracing::error!(%error, "a definition cannot be written as JSON");
                Error::Internal
            })?,
        })
    }
}

/// A report to be made.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "ReportToMake", example = json!({ "template": "monthly" }))]
pub struct ReportToMake {
    /// What it starts from: `monthly` `campaign` `platforms` `weekly` `market` `blank`. Left out where a definition is given.
    #[serde(default)]
    #[schema(pattern = "^(monthly|campaign|platforms|weekly|market|blank)$")]
    template: Option<String>,
    /// What it is, as `GET /api/v1/reports/{id}` gives it.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    definition: Option<Value>,
}

/// A file of a run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "RunFile")]
pub struct FileObject {
    /// `pdf` `xlsx` `csv`.
    format: String,
    /// Number of the table of a CSV; 1 of the others.
    part: u32,
    /// What is in it.
    title: String,
    /// Its name for people.
    name: String,
    /// Its size.
    bytes: i64,
    /// SHA-256 of its bytes, in hexadecimal.
    sha256: String,
    /// Where it is.
    address: String,
}

/// A measure of a run.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(title = "MeasureOfRun")]
pub struct MeasureObject {
    /// As definitions of reports name it.
    key: String,
    /// Its name for people.
    label: String,
    /// What it means.
    definition: String,
}

/// A run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Run")]
pub struct RunObject {
    /// Its id.
    id: String,
    /// Id of the report.
    report: String,
    /// The version that it was made from.
    version: i64,
    /// `queued` `running` `done` `skipped` `failed` `cancelled`; skipped is one that had nothing to report, where its schedule
    /// wants no files then.
    state: String,
    /// What it covers, as addresses write it.
    parameters: String,
    /// First day.
    from: NaiveDate,
    /// Last day.
    to: NaiveDate,
    /// Zone of its times.
    zone: String,
    /// Who asked for it.
    author: String,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When a worker began.
    started_at: Option<DateTime<Utc>>,
    /// When it ended.
    finished_at: Option<DateTime<Utc>>,
    /// How long a worker was at it, milliseconds.
    duration_ms: Option<i64>,
    /// Id of the schedule that it was made for; none where somebody asked for it.
    schedule: Option<String>,
    /// Which occurrence of the schedule it is.
    occurrence: Option<String>,
    /// Whether it was made later than its schedule says.
    is_late: bool,
    /// How many occurrences before it were not made, for which it makes up.
    missed: i32,
    /// What is measured in it, and how each measure is defined.
    measures: Vec<MeasureObject>,
    /// When the facts had changed last.
    as_of: Option<DateTime<Utc>>,
    /// Rows of all tables together.
    rows: Option<i64>,
    /// Pages of the PDF.
    pages: Option<i32>,
    /// What formats could not hold, in sentences.
    notes: Vec<String>,
    /// Why it failed.
    failure: Option<String>,
    /// Its files; none until it is done.
    files: Vec<FileObject>,
}

impl RunObject {
    fn of(run: Run, measures: Vec<MeasureObject>) -> Self {
        let address = |file: &FileRow| format!("/api/v1/runs/{}/files/{}", run.id, file.name());
        let files = run
            .files
            .iter()
            .map(|file| FileObject {
                format: file.format.key().into(),
                part: file.part,
                title: file.title.clone(),
                name: file.file_name.clone(),
                bytes: file.bytes,
                sha256: hex::encode(&file.sha256),
                address: address(file),
            })
            .collect();
        Self {
            id: run.id.to_string(),
            report: run.report.to_string(),
            version: run.version,
            state: run.state.key().into(),
            parameters: run.parameters,
            from: run.period.from(),
            to: run.period.to(),
            zone: run.zone.name().into(),
            author: run.author,
            created_at: run.created_at,
            started_at: run.started_at,
            finished_at: run.finished_at,
            duration_ms: run
                .started_at
                .zip(run.finished_at)
                .map(|(began, ended)| (ended - began).num_milliseconds().max(0)),
            schedule: run.schedule.map(|schedule| schedule.to_string()),
            occurrence: run.occurrence,
            is_late: run.is_late,
            missed: run.missed,
            measures,
            as_of: run.as_of,
            rows: run.rows,
            pages: run.pages,
            notes: run.notes,
            failure: run.failure,
            files,
        }
    }
}

/// Runs with what their versions measure.
async fn objects(ctx: &TenantContext, runs: Vec<Run>) -> Result<Vec<RunObject>, Error> {
    let mut known: BTreeMap<i64, Vec<MeasureObject>> = BTreeMap::new();
    let mut objects = Vec::new();
    for run in runs {
        let measures = match known.get(&run.version) {
            Some(measures) => measures.clone(),
            None => measures(&report::version(ctx, run.report, run.version).await?),
        };
        known.insert(run.version, measures.clone());
        objects.push(RunObject::of(run, measures));
    }
    Ok(objects)
}

async fn object(ctx: &TenantContext, run: Run) -> Result<RunObject, Error> {
    let measures = measures(&report::version(ctx, run.report, run.version).await?);
    Ok(RunObject::of(run, measures))
}

/// What a report measures, each once, in the order in which it appears.
fn measures(definition: &Definition) -> Vec<MeasureObject> {
    let mut measures: Vec<MeasureObject> = Vec::new();
    for measure in definition.blocks().filter_map(|block| block.content.query()).flat_map(|query| &query.measures) {
        if measures.iter().all(|one| one.key != measure.key()) {
            measures.push(MeasureObject {
                key: measure.key().into(),
                label: measure.label().into(),
                definition: measure.definition().into(),
            });
        }
    }
    measures
}

/// What a run is to cover.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "RunToMake", example = json!({ "parameters": "range=last-month&platform=facebook" }))]
pub struct RunToMake {
    /// A filter as addresses write it; left out, what the report covers by itself.
    #[serde(default)]
    #[schema(max_length = 4000)]
    parameters: Option<String>,
}

fn id<T: core::str::FromStr>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::NotFound)
}

/// Reports
///
/// In the order of their ids. Needs reports:read or reports:manage.
#[utoipa::path(get, path = "/api/v1/reports", tag = "Reports", operation_id = "listReports", params(ListParams),
    responses((status = 200, description = "Reports.", body = Page<ListedObject>)))]
pub async fn list(caller: Caller) -> Response {
    let page = async {
        let ask = Ask::parse(&caller, REPORTS)?;
        let listing = Listing::ById { after: ask.place()?, most: ask.rows() + 1 };
        let found = report::listed(caller.ctx(), listing).await?.into_iter().map(ListedObject::from).collect();
        Ok(page_with_more(&ask, REPORTS, found, |one: &ListedObject| one.id.clone()))
    };
    caller.answer(page.await)
}

/// Make a report
///
/// From a template or a definition. What cannot be measured is refused by name. Needs reports:manage.
#[utoipa::path(post, path = "/api/v1/reports", tag = "Reports", operation_id = "createReport", request_body = ReportToMake,
    responses((status = 201, description = "The report.", body = ReportObject)))]
pub async fn create(write: Write<ReportToMake>) -> Response {
    let Write { once, body } = write;
    let outcome = async {
        let (definition, summary) = built(body)?;
        let id = report::create(once.ctx(), &definition, &summary).await?;
        report::one(once.ctx(), id).await?.try_into()
    };
    let outcome: Result<ReportObject, Error> = outcome.await;
    once.answer(StatusCode::CREATED, outcome).await
}

fn built(body: ReportToMake) -> Result<(Definition, String), Error> {
    match (body.template, body.definition) {
        (Some(key), None) => {
            let template = Template::ALL.into_iter().find(|one| one.key() == key);
            let keys = Template::ALL.map(Template::key).join(", ");
            let template = template.ok_or_else(|| Error::invalid("template", format!("use one of {keys}.")))?;
            Ok((template.definition(), format!("Started from {}", template.label())))
        }
        (None, Some(definition)) => {
            let definition: Definition = serde_json::from_value(definition)
                .map_err(|why| Error::invalid("definition", format!("it is no definition of a report: {why}.")))?;
            Ok((definition, "Made by a program".into()))
        }
        _ => Err(Error::invalid("template", "give a template or a definition, one of the two.")),
    }
}

/// One report
///
/// With what was built. Needs reports:read or reports:manage.
#[utoipa::path(get, path = "/api/v1/reports/{id}", tag = "Reports", operation_id = "getReport",
    params(("id" = String, Path, description = "Id of the report.", example = "rep_0192f3c4a1b27d3e8f9a0b1c2d3e4f50")),
    responses((status = 200, description = "The report.", body = ReportObject)))]
pub async fn one(Path(report): Path<String>, caller: Caller) -> Response {
    let found = async {
        let one = report::one(caller.ctx(), id::<ReportId>(&report)?).await?;
        ReportObject::try_from(one)
    };
    caller.answer(found.await)
}

/// Runs of a report
///
/// The newest first. Needs reports:read or reports:manage.
#[utoipa::path(get, path = "/api/v1/reports/{id}/runs", tag = "Reports", operation_id = "listRuns",
    params(("id" = String, Path, description = "Id of the report.", example = "rep_0192f3c4a1b27d3e8f9a0b1c2d3e4f50"), ListParams),
    responses((status = 200, description = "Runs.", body = Page<RunObject>)))]
pub async fn runs(Path(report): Path<String>, caller: Caller) -> Response {
    let page = async {
        let ask = Ask::parse(&caller, RUNS)?;
        let report = id::<ReportId>(&report)?;
        report::one(caller.ctx(), report).await?;
        let found = report::runs_after(caller.ctx(), report, ask.place()?, ask.rows() + 1).await?;
        let page = page_with_more(&ask, RUNS, found, |one| one.id.to_string());
        Ok(Page { items: objects(caller.ctx(), page.items).await?, next: page.next })
    };
    caller.answer(page.await)
}

/// Make a run
///
/// It is made by a worker; look at it until it is done. Needs reports:manage, and analytics:read for the figures.
#[utoipa::path(post, path = "/api/v1/reports/{id}/runs", tag = "Reports", operation_id = "createRun",
    params(("id" = String, Path, description = "Id of the report.", example = "rep_0192f3c4a1b27d3e8f9a0b1c2d3e4f50")),
    request_body = RunToMake,
    responses((status = 202, description = "The run, which waits for a worker.", body = RunObject)))]
pub async fn run(Path(report): Path<String>, write: Write<RunToMake>) -> Response {
    let Write { once, body } = write;
    let outcome = async {
        let parameters = match body.parameters.as_deref() {
            Some(query) => Some(PageFilter::from_query(query)?),
            None => None,
        };
        let run = report::begin(once.ctx(), id(&report)?, parameters.as_ref()).await?;
        object(once.ctx(), report::run(once.ctx(), run).await?).await
    };
    let outcome = outcome.await;
    once.answer(StatusCode::ACCEPTED, outcome).await
}

/// One run
///
/// With where it stands, and its files once it is done. Needs reports:read or reports:manage.
#[utoipa::path(get, path = "/api/v1/runs/{id}", tag = "Reports", operation_id = "getRun",
    params(("id" = String, Path, description = "Id of the run.", example = "run_0192f3c4a1b27d3e8f9a0b1c2d3e4f50")),
    responses((status = 200, description = "The run.", body = RunObject)))]
pub async fn one_run(Path(run): Path<String>, caller: Caller) -> Response {
    let found = async { object(caller.ctx(), report::run(caller.ctx(), id::<RunId>(&run)?).await?).await };
    caller.answer(found.await)
}

/// A file of a run
///
/// `pdf`, `xlsx`, `csv`, or `csv-2` for the second table. Needs reports:read or reports:manage, and analytics:read for the figures.
#[utoipa::path(get, path = "/api/v1/runs/{id}/files/{format}", tag = "Reports", operation_id = "getRunFile",
    params(("id" = String, Path, description = "Id of the run.", example = "run_0192f3c4a1b27d3e8f9a0b1c2d3e4f50"),
        ("format" = String, Path, description = "Which file.", example = "pdf"),
        ("raw" = Option<u8>, Query, minimum = 0, maximum = 1,
            description = "1: a CSV has its texts as they are, also those that a spreadsheet would run as formulas."),
        ("bom" = Option<u8>, Query, minimum = 0, maximum = 1,
            description = "0: a CSV has no byte order mark at its beginning, by which old spreadsheets know UTF-8.")),
    responses((status = 200, description = "The file.", content(
        (Vec<u8> = "application/pdf"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (Vec<u8> = "text/csv; charset=utf-8"),
    ))))]
pub async fn file(
    State(state): State<AppState>,
    Path((run, name)): Path<(String, String)>,
    caller: Caller,
) -> Response {
    let found = async {
        let (format, part) = FileFormat::named(&name)?;
        let (run, file) = report::file(caller.ctx(), id(&run)?, format, part).await?;
        let bytes =
            state.press().read_or_make(caller.ctx(), &run, &file, press::wanted(|name| caller.parameter(name))).await?;
        Ok((file.file_name, format, bytes))
    };
    match found.await {
        Ok((name, format, bytes)) => download::file(Body::from(bytes), &name, format.content_type()).into_response(),
        Err(error) => caller.answer::<()>(Err(error)),
    }
}
