//! Runs: a version of a report with its parameters, made by a worker. The typed result is kept with the run, and every file is
//! made from it; so a file can be made again, and is the same to the byte.

use core::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rtv_core::filter::PageFilter;
use rtv_core::period::{Period, Range};
use rtv_core::permission::SEES_REPORTS;
use rtv_core::report::{Definition, FileFormat, Filled, RunState};
use rtv_core::{Error, Permission, ReportId, RunId, ScheduleId, TeamId, TenantId};
use rtv_jobs::{BackOff, Job};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::attempt;
use super::definition::{Report, read, read_version};
use super::dispatch::{self, Dispatch};
use super::keeper;
use super::schedule::due::Due;
use crate::access::{self, stored};
use crate::audit::Event;
use crate::context::{Access, Context, TenantContext};
use crate::mail::Outbox;
use crate::news::enqueue;
use crate::transaction::{Resource, Tx, failed};

/// A list shows so many runs.
const LISTED: i64 = 50;
/// Bytes of a result; a report that is larger is an export.
const MOST_BYTES: usize = 512 * 1_024 * 1_024;

impl FileRow {
    /// As addresses name it among the files of its run: `pdf`, or `csv-2` for the second table.
    pub fn name(&self) -> String {
        self.format.name(self.part)
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Of which report.
    pub report: ReportId,
    /// Which version.
    pub version: i64,
    /// As the report was called then.
    pub name: String,
    /// What it covers, as addresses write it.
    pub parameters: String,
    /// Its days.
    pub period: Period,
    /// Teams to whose figures its author was limited; none: it was made by somebody who sees all.
    pub teams: Vec<TeamId>,
    /// Zone of its days and times.
    pub zone: Tz,
    /// Where it stands.
    pub state: RunState,
    /// What it is at, as a phrase, while it is being made.
    pub step: Option<String>,
    /// How many of how many steps are done.
    pub steps: (i32, i32),
    /// Who asked for it.
    pub author: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When a worker began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// When the facts had changed last.
    pub as_of: Option<DateTime<Utc>>,
    /// Rows of all tables together.
    pub rows: Option<i64>,
    /// Pages of the PDF.
    pub pages: Option<i32>,
    /// What formats could not hold, as sentences.
    pub notes: Vec<String>,
    /// Why it failed.
    pub failure: Option<String>,
    /// The schedule that it was made for.
    pub schedule: Option<ScheduleId>,
    /// Name of the occurrence; none where somebody asked for it.
    pub occurrence: Option<String>,
    /// Whether it came late.
    pub is_late: bool,
    /// How many occurrences before it were not made, for which it makes up.
    pub missed: i32,
    /// To whom it goes, and as what.
    pub dispatch: Option<Dispatch>,
    /// Its files.
    pub files: Vec<FileRow>,
}

/// A file of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// What it is.
    pub format: FileFormat,
    /// Number of the table of a CSV; 1 of the others.
    pub part: u32,
    /// What is in it.
    pub title: String,
    /// Its name for people.
    pub file_name: String,
    /// Its size.
    pub bytes: i64,
    /// SHA-256 of its bytes.
    pub sha256: Vec<u8>,
    /// Whether it was taken from the disk; the run's result makes it again.
    pub is_removed: bool,
}

/// A file that was made.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// What it is.
    pub format: FileFormat,
    /// Number of the table of a CSV; 1 of the others.
    pub part: u32,
    /// What is in it.
    pub title: String,
    /// Its name for people.
    pub file_name: String,
    /// Its size.
    pub bytes: i64,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
}

/// Which run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The tenant.
    pub tenant: TenantId,
    /// The run.
    pub run: RunId,
}

/// Makes a run.
#[derive(Debug, Serialize, Deserialize)]
pub struct MakeRun(pub Ticket);

impl Job for MakeRun {
    const KIND: &'static str = "report.run";
    const MAX_ATTEMPTS: u16 = dispatch::ATTEMPTS;
    const TIMEOUT: Duration = Duration::from_mins(30);
    const BACK_OFF: BackOff = dispatch::BACK_OFF;

    fn tenant(&self) -> Option<Uuid> {
        Some(self.0.tenant.uuid())
    }

    fn unique_key(&self) -> Option<String> {
        Some(self.0.run.to_string())
    }
}

/// Asks for a run of the newest version. Without parameters it covers what the report covers by itself; the days that they mean
/// now are kept, so that the run means the same whenever a worker comes to it.
pub async fn begin(ctx: &TenantContext, report: ReportId, parameters: Option<&PageFilter>) -> Result<RunId, Error> {
    begin_version(ctx, report, None, parameters).await
}

/// Asks for a run once more: the same version, days, filters and teams. Where no fact has changed, its CSV is the same to the byte.
/// What cannot be the same is refused: a run of figures that whoever asks does not see, and one whose days are others now.
pub async fn begin_again(ctx: &TenantContext, id: RunId) -> Result<RunId, Error> {
    let before = run(ctx, id).await?;
    let parameters = PageFilter::from_query(&before.parameters)?;
    begin_version(ctx, before.report, Some(&before), Some(&parameters)).await
}

async fn begin_version(
    ctx: &TenantContext,
    report: ReportId,
    before: Option<&Run>,
    parameters: Option<&PageFilter>,
) -> Result<RunId, Error> {
    // Whoever sees no figures makes no report of them.
    ctx.begin(Permission::AnalyticsRead, Resource::Posts).await?.rollback().await?;
    let mut tx = ctx.begin(Permission::ReportsManage, Resource::Report(report)).await?;
    let mut report = read(&mut tx, report, false).await?;
    let parameters = match parameters {
        Some(parameters) => parameters.clone(),
        None => PageFilter::from_query(&report.definition.parameters)?,
    };
    let teams = match before {
        None => teams_of(ctx)?,
        Some(before) => {
            report.definition = read_version(&mut tx, report.id, before.version).await?;
            report.version = before.version;
            teams_of_again(ctx, before)?
        }
    };
    check_teams(&teams, &parameters)?;
    let new = NewRun {
        report: &report,
        parameters,
        teams,
        author: (ctx.context().actor().label(), ctx.context().actor().audit_id()),
        of: None,
        dispatch: None,
    };
    let id = insert(ctx, &mut tx, &new).await?.ok_or(Error::Internal)?;
    tx.commit().await?;
    Ok(id)
}

/// Teams whose figures whoever acts sees, where they see figures through teams alone: a report is then made of what these are
/// responsible for. Whoever sees no figures at all is refused, because no team would mean all figures.
pub(super) fn teams_of(ctx: &TenantContext) -> Result<Vec<Uuid>, Error> {
    if ctx.access().grants(Permission::AnalyticsRead) {
        return Ok(Vec::new());
    }
    let teams: Vec<Uuid> = limits(ctx).iter().map(|team| team.uuid()).collect();
    if teams.is_empty() { Err(Error::Forbidden(Permission::AnalyticsRead)) } else { Ok(teams) }
}

/// Teams through which a member sees figures.
fn limits(ctx: &TenantContext) -> Vec<TeamId> {
    match ctx.access() {
        Access::Member(holding) => holding.teams_with(Permission::AnalyticsRead),
        _ => Vec::new(),
    }
}

/// The teams of a run that is made again: its own, where whoever asks sees the figures of all of them.
fn teams_of_again(ctx: &TenantContext, before: &Run) -> Result<Vec<Uuid>, Error> {
    // Days are kept by the tenant's zone alone, so there is no making it again as it was.
    if before.zone != ctx.tenant().zone {
        return Err(Error::Conflict(format!(
            "Days were counted in {} when it was made, and are counted in {} now. Use “Make files” on the page of the report.",
            before.zone,
            ctx.tenant().zone
        )));
    }
    if ctx.access().grants(Permission::AnalyticsRead) {
        return Ok(before.teams.iter().map(|team| team.uuid()).collect());
    }
    let scope = before.scope()?;
    if sees(ctx, &scope) {
        return Ok(scope.iter().map(|team| team.uuid()).collect());
    }
    Err(Error::Conflict(
        "It holds more than the figures of your teams, so you cannot make it again. Use “Make files” on the page of the report, which makes it of those."
            .into(),
    ))
}

/// Refuses a filter by teams other than those that somebody is limited to; where these are none, they are not.
pub(super) fn check_teams(limits: &[Uuid], parameters: &PageFilter) -> Result<(), Error> {
    let is_theirs = |team: &TeamId| limits.is_empty() || limits.contains(&team.uuid());
    if parameters.teams.iter().all(is_theirs) {
        return Ok(());
    }
    // In the same words whether it is a team of others or none at all.
    Err(Error::invalid(
        "team",
        "the report is narrowed to a team whose figures you do not see; choose one from the list.",
    ))
}

/// Whether somebody sees all figures of these teams; of none: those of the whole tenant.
fn sees(ctx: &TenantContext, scope: &[TeamId]) -> bool {
    ctx.access().shows(Permission::AnalyticsRead) || is_within(scope, &limits(ctx))
}

/// Whether figures of these teams are those of `theirs` alone. Of none they would be the whole tenant's.
pub(super) fn is_within(scope: &[TeamId], theirs: &[TeamId]) -> bool {
    !scope.is_empty() && scope.iter().all(|team| theirs.contains(team))
}

impl Run {
    /// Teams whose figures it holds; none: those of the whole tenant.
    fn scope(&self) -> Result<Vec<TeamId>, Error> {
        scope(&self.parameters, &self.teams)
    }

    /// The tenant as its author saw it, to ask what the run asked once more. It shows nobody more than they see anyway.
    #[must_use]
    pub fn as_made(&self, ctx: &TenantContext) -> TenantContext {
        let narrowed = if self.teams.is_empty() { ctx.narrowed.clone() } else { self.teams.clone() };
        TenantContext { narrowed, ..ctx.clone() }
    }
}

pub(super) fn scope(parameters: &str, limits: &[TeamId]) -> Result<Vec<TeamId>, Error> {
    let asked = PageFilter::from_query(parameters)?.teams;
    Ok(if asked.is_empty() { limits.to_vec() } else { asked })
}

/// Whether somebody may see the figures of a run: those that they see anyway, and what was sent to them.
pub async fn is_shown(ctx: &TenantContext, run: &Run) -> Result<bool, Error> {
    is_shown_of(ctx, run.id, &run.scope()?).await
}

async fn is_shown_of(ctx: &TenantContext, id: RunId, scope: &[TeamId]) -> Result<bool, Error> {
    if sees(ctx, scope) {
        return Ok(true);
    }
    let Some(person) = ctx.context().person() else { return Ok(false) };
    let mut tx = ctx.begin_to_read(SEES_REPORTS, Resource::Run(id)).await?;
    let was_sent = sqlx::query_scalar!(
        r#"
        select exists (
          select 1 from report_mail where run_id = $1 and recipient = $2 and state not in ('withheld', 'failed', 'stopped')
        ) as "exists!"
        "#,
        id.uuid(),
        person.email.to_string(),
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(was_sent)
}

/// Refuses whoever may not see the figures of a run, and has the audit log say so.
async fn refuse_unseen(ctx: &TenantContext, id: RunId, scope: &[TeamId]) -> Result<(), Error> {
    if is_shown_of(ctx, id, scope).await? {
        return Ok(());
    }
    ctx.begin(Permission::AnalyticsRead, Resource::Run(id)).await?.rollback().await?;
    Err(Error::Forbidden(Permission::AnalyticsRead))
}

/// A run that is not written yet.
pub(super) struct NewRun<'a> {
    /// The report, as the version of the run has it.
    pub(super) report: &'a Report,
    /// What it covers. The days that it means now are kept.
    pub(super) parameters: PageFilter,
    pub(super) teams: Vec<Uuid>,
    pub(super) author: (String, Option<Uuid>),
    /// The schedule, and what of it was due; nothing of it where somebody asked.
    pub(super) of: Option<(ScheduleId, Option<Due>)>,
    pub(super) dispatch: Option<Dispatch>,
}

/// Writes a run and the job that makes it. `None`: the occurrence has its run already.
pub(super) async fn insert(ctx: &TenantContext, tx: &mut Tx, new: &NewRun<'_>) -> Result<Option<RunId>, Error> {
    let NewRun { report, parameters, teams, author, of, dispatch } = new;
    let period = parameters.period(ctx.today(), ctx.tenant().week_start)?;
    let fixed = PageFilter { range: Range::Custom, custom: Some((period.from(), period.to())), ..parameters.clone() };
    let id = RunId::from(Uuid::now_v7());
    let due = of.and_then(|(_, due)| due);
    let written = sqlx::query!(
        r#"
        insert into report_run (
          tenant_id, id, report_id, version, name, parameters, teams, zone, period_from, period_to, author, author_id, created_at,
          schedule_id, occurrence, is_late, missed, dispatch
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
        on conflict (tenant_id, schedule_id, occurrence) do nothing
        "#,
        ctx.tenant().id.uuid(),
        id.uuid(),
        report.id.uuid(),
        report.version,
        report.definition.name,
        fixed.to_query(),
        &teams[..],
        ctx.tenant().zone.name(),
        period.from(),
        period.to(),
        author.0,
        author.1,
        ctx.now(),
        of.map(|(schedule, _)| schedule.uuid()),
        due.map(|due| due.occurrence.name()),
        due.is_some_and(|due| due.is_late),
        due.map_or(0, |due| i32::try_from(due.missed).unwrap_or(i32::MAX)),
        dispatch.as_ref().map(|dispatch| json!(dispatch)),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    if written == 0 {
        return Ok(None);
    }
    let mut after = json!({ "report": report.id, "version": report.version, "parameters": fixed.to_query() });
    if let (Some((schedule, due)), Some(after)) = (of, after.as_object_mut()) {
        after.insert("schedule".into(), json!(schedule));
        after.insert("occurrence".into(), json!(due.map(|due| due.occurrence.name())));
    }
    tx.audit(Event::new("report.run", "report_run", id.to_string()).after(after)).await?;
    enqueue(tx, &MakeRun(Ticket { tenant: ctx.tenant().id, run: id })).await?;
    Ok(Some(id))
}

/// One run with its files.
pub async fn run(ctx: &TenantContext, id: RunId) -> Result<Run, Error> {
    let mut found = read_runs(ctx, Some(id), &Wanted { most: 1, ..Wanted::default() }).await?;
    found.pop().ok_or(Error::NotFound)
}

/// The newest runs of a report, or of all of them, the newest first.
pub async fn runs(ctx: &TenantContext, report: Option<ReportId>) -> Result<Vec<Run>, Error> {
    read_runs(ctx, None, &Wanted { report, most: LISTED, ..Wanted::default() }).await
}

/// The newest runs that a schedule made or was asked for, the newest first.
pub async fn runs_of(ctx: &TenantContext, report: ReportId, schedule: ScheduleId) -> Result<Vec<Run>, Error> {
    let wanted = Wanted { report: Some(report), schedule: Some(schedule), most: LISTED, ..Wanted::default() };
    read_runs(ctx, None, &wanted).await
}

/// Runs of a report behind one of them, the newest first.
pub async fn runs_after(
    ctx: &TenantContext,
    report: ReportId,
    after: Option<RunId>,
    most: i64,
) -> Result<Vec<Run>, Error> {
    read_runs(ctx, None, &Wanted { report: Some(report), after, most, ..Wanted::default() }).await
}

/// Which runs of a list are wanted.
#[derive(Default)]
struct Wanted {
    report: Option<ReportId>,
    schedule: Option<ScheduleId>,
    /// Behind this one.
    after: Option<RunId>,
    most: i64,
}

async fn read_runs(ctx: &TenantContext, id: Option<RunId>, wanted: &Wanted) -> Result<Vec<Run>, Error> {
    let resource = id.map_or(Resource::Reports, Resource::Run);
    let mut tx = ctx.begin_to_read(SEES_REPORTS, resource).await?;
    let rows = sqlx::query!(
        r#"
        select
          id, report_id, version, name, parameters, teams, zone, period_from, period_to, state, step, steps_done, steps_total, author,
          created_at, started_at, finished_at, as_of, row_count, page_count, notes, failure, schedule_id, occurrence, is_late,
          missed, dispatch
        from report_run
        where ($1::uuid is null or id = $1)
          and ($2::uuid is null or report_id = $2)
          and ($4::uuid is null or schedule_id = $4)
          and (
            $5::uuid is null
            or (created_at, id) < (select before.created_at, before.id from report_run as before where before.id = $5)
          )
        order by created_at desc, id desc
        limit $3
        "#,
        id.map(RunId::uuid),
        wanted.report.map(ReportId::uuid),
        wanted.most,
        wanted.schedule.map(ScheduleId::uuid),
        wanted.after.map(RunId::uuid),
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let files = sqlx::query!(
        r#"
        select run_id, format, part, title, file_name, size_bytes, sha256, removed_at
        from report_file
        where run_id = any($1)
        order by run_id, case format when 'pdf' then 1 when 'xlsx' then 2 else 3 end, part
        "#,
        &ids,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    let mut runs: Vec<Run> = rows
        .into_iter()
        .map(|row| {
            Ok(Run {
                id: row.id.into(),
                report: row.report_id.into(),
                version: row.version,
                name: row.name,
                parameters: row.parameters,
                period: Period::new(row.period_from, row.period_to)?,
                teams: row.teams.into_iter().map(TeamId::from).collect(),
                zone: stored(row.zone.parse())?,
                state: stored(row.state.parse())?,
                step: row.step,
                steps: (row.steps_done, row.steps_total),
                author: row.author,
                created_at: row.created_at,
                started_at: row.started_at,
                finished_at: row.finished_at,
                as_of: row.as_of,
                rows: row.row_count,
                pages: row.page_count,
                notes: stored(serde_json::from_value(row.notes))?,
                failure: row.failure,
                schedule: row.schedule_id.map(ScheduleId::from),
                occurrence: row.occurrence,
                is_late: row.is_late,
                missed: row.missed,
                dispatch: row.dispatch.map(|dispatch| stored(serde_json::from_value(dispatch))).transpose()?,
                files: Vec::new(),
            })
        })
        .collect::<Result<_, Error>>()?;
    for row in files {
        let Some(run) = runs.iter_mut().find(|run| run.id.uuid() == row.run_id) else { continue };
        run.files.push(FileRow {
            format: stored(row.format.parse())?,
            part: u32::try_from(row.part).unwrap_or_default(),
            title: row.title,
            file_name: row.file_name,
            bytes: row.size_bytes,
            sha256: row.sha256,
            is_removed: row.removed_at.is_some(),
        });
    }
    Ok(runs)
}

/// One file of a run, for whoever may see its figures; none of a run that is not done.
pub async fn file(ctx: &TenantContext, id: RunId, format: FileFormat, part: u32) -> Result<(Run, FileRow), Error> {
    let run = run(ctx, id).await?;
    refuse_unseen(ctx, id, &run.scope()?).await?;
    let file = run.files.iter().find(|file| file.format == format && file.part == part).cloned();
    file.map(|file| (run, file)).ok_or(Error::NotFound)
}

/// The typed result of a run that is done, for whoever may see its figures.
pub async fn result(ctx: &TenantContext, id: RunId) -> Result<Filled, Error> {
    let mut tx = ctx.begin_to_read(SEES_REPORTS, Resource::Run(id)).await?;
    let row = sqlx::query!("select result, parameters, teams from report_run where id = $1", id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    tx.rollback().await?;
    let row = row.ok_or(Error::NotFound)?;
    let limits: Vec<TeamId> = row.teams.into_iter().map(TeamId::from).collect();
    refuse_unseen(ctx, id, &scope(&row.parameters, &limits)?).await?;
    stored(serde_json::from_slice(&row.result.ok_or(Error::NotFound)?))
}

/// Stops a run that is not done. A worker that is at it stops within a second, and no file of it is kept.
pub async fn cancel(ctx: &TenantContext, id: RunId) -> Result<(), Error> {
    let mut tx = ctx.begin_to_stop(Permission::ReportsManage, Resource::Run(id)).await?;
    let state = sqlx::query_scalar!("select state from report_run where id = $1", id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or(Error::NotFound)?;
    let stopped = sqlx::query!(
        r#"
        update report_run
        set state = 'cancelled', finished_at = $2, step = null
        where id = $1 and state in ('queued', 'running')
        "#,
        id.uuid(),
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    if stopped == 0 {
        tx.rollback().await?;
        let state: RunState = stored(state.parse())?;
        return Err(Error::Conflict(format!("It is {} and cannot be stopped.", state.label().to_lowercase())));
    }
    tx.audit(Event::new("report.cancel", "report_run", id.to_string())).await?;
    tx.commit().await
}

/// What a worker needs to make a run.
#[derive(Debug, Clone)]
pub struct TakenUp {
    /// Sees what its author saw.
    pub ctx: TenantContext,
    /// The run.
    pub run: Run,
    /// The version.
    pub definition: Definition,
    /// What it covers.
    pub parameters: PageFilter,
}

/// Takes a run up; `None` if there is nothing to do any more. [`Error::ReadOnly`] where it has to wait.
pub async fn take_up(ctx: &Context, ticket: Ticket) -> Result<Option<TakenUp>, Error> {
    let mut ctx = match access::enter_to_work(ctx, ticket.tenant).await {
        Ok(ctx) => ctx,
        Err(Error::NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    ctx.refuse_read_only()?;
    let mut tx = ctx.begin(Permission::ReportsManage, Resource::Run(ticket.run)).await?;
    let row = sqlx::query!(
        r#"
        update report_run
        set state = 'running', started_at = coalesce(started_at, $2), step = 'reading figures', steps_done = 0, zone = $3
        where id = $1 and state in ('queued', 'running')
        returning report_id, version, teams
        "#,
        ticket.run.uuid(),
        ctx.now(),
        // Days are those of the zone that the tenant has now, also where it was another one when the run was asked for.
        ctx.tenant().zone.name(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let Some(row) = row else {
        tx.rollback().await?;
        return Ok(None);
    };
    let definition = read_version(&mut tx, row.report_id.into(), row.version).await?;
    tx.commit().await?;
    ctx.narrowed = row.teams.into_iter().map(Into::into).collect();
    let run = run(&ctx, ticket.run).await?;
    let parameters = PageFilter::from_query(&run.parameters)?;
    Ok(Some(TakenUp { ctx, run, definition, parameters }))
}

/// Says how far a run is. False where it is not wanted any more.
pub async fn tell(ctx: &TenantContext, id: RunId, step: &str, done: i32, total: i32) -> Result<bool, Error> {
    let mut tx = ctx.begin_to_tidy(Permission::ReportsManage, Resource::Run(id)).await?;
    let told = sqlx::query!(
        "update report_run set step = $2, steps_done = $3, steps_total = $4 where id = $1 and state = 'running'",
        id.uuid(),
        step,
        done,
        total,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    tx.commit().await?;
    Ok(told > 0)
}

/// Ends a run with its result and its files, which are in their places, and has it go to its readers: all of it or nothing. False
/// where it is not wanted any more.
pub async fn finish(
    ctx: &TenantContext,
    outbox: &Outbox,
    made: &Run,
    filled: &Filled,
    files: &[NewFile],
    pages: Option<i32>,
    notes: &[String],
) -> Result<bool, Error> {
    let id = made.id;
    let result = serde_json::to_vec(filled).map_err(|error| {
        tracing::error!(%error, "a result cannot be kept");
        Error::Internal
    })?;
    if result.len() > MOST_BYTES {
        return Err(Error::invalid(
            "limit",
            "the report holds too much; give its tables a limit, or a shorter period.",
        ));
    }
    let rows: usize = filled.tables().map(|table| table.rows.len()).sum();
    let is_skipped = is_skipped(made, filled);
    let mut tx = ctx.begin(Permission::ReportsManage, Resource::Run(id)).await?;
    let ended = sqlx::query!(
        r#"
        update report_run
        set state = $8, finished_at = $2, result = $3, as_of = $4, row_count = $5, page_count = $6, notes = $7,
          step = null, steps_done = steps_total
        where id = $1 and state = 'running'
        "#,
        id.uuid(),
        ctx.now(),
        result,
        filled.as_of,
        i64::try_from(rows).unwrap_or(i64::MAX),
        pages,
        json!(notes),
        if is_skipped { RunState::Skipped.key() } else { RunState::Done.key() },
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    if ended == 0 {
        tx.rollback().await?;
        return Ok(false);
    }
    for file in files {
        sqlx::query!(
            r#"
            insert into report_file (tenant_id, run_id, format, part, title, file_name, size_bytes, sha256, created_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            "#,
            ctx.tenant().id.uuid(),
            id.uuid(),
            file.format.key(),
            i32::try_from(file.part).unwrap_or(i32::MAX),
            file.title,
            file.file_name,
            file.bytes,
            &file.sha256[..],
            ctx.now(),
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    }
    if !is_skipped {
        dispatch::send_out(ctx, &mut tx, made, outbox).await?;
    }
    access::refuse_read_only_now(&mut tx, ctx.tenant().id).await?;
    let after = json!({ "rows": rows, "files": files.len() });
    tx.audit(Event::new("report.done", "report_run", id.to_string()).after(after)).await?;
    tx.commit().await?;
    Ok(true)
}

/// Whether a run has nothing to report and its schedule wants nothing then: it needs no files.
pub fn is_skipped(made: &Run, filled: &Filled) -> bool {
    made.dispatch.as_ref().is_some_and(|dispatch| dispatch.skips_empty) && filled.is_empty()
}

/// Ends a run that cannot be made, with the reason for people. Who keeps its schedule is told.
pub async fn fail(ctx: &TenantContext, outbox: &Outbox, id: RunId, reason: &str) -> Result<(), Error> {
    let mut tx = ctx.begin_to_tidy(Permission::ReportsManage, Resource::Run(id)).await?;
    let ended = sqlx::query!(
        r#"
        update report_run
        set state = 'failed', finished_at = $2, failure = $3, step = null
        where id = $1 and state in ('queued', 'running')
        "#,
        id.uuid(),
        ctx.now(),
        reason,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    if ended > 0 {
        let event = Event::new("report.failed", "report_run", id.to_string()).detail(reason);
        tx.audit(event).await?;
        attempt::note(&mut tx, ctx, id, None, &format!("Not made: {reason}")).await?;
        let text = format!(
            "A report could not be made: {reason}\n\nNothing was sent. Mend what it names, then use “Run now” on the page of the schedule."
        );
        keeper::tell_owner(ctx, &mut tx, outbox, id, id.uuid(), "a report could not be made", &text).await?;
    }
    tx.commit().await
}
