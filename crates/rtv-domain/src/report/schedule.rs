//! Schedules: a report that is made by itself, again and again, and goes to its readers. When that is stands in `schedule/due.rs`
//! and `schedule/time.rs`; what sending does, in `dispatch.rs`.
//!
//! A minute's tick ([`tick`]) makes what is due. It holds the schedule's row, writes the run under the name of its occurrence, moves
//! the schedule on to the next one and enqueues the work, all in one transaction; and the name is unique. So each occurrence is
//! made once, however many workers there are and whenever one of them dies.

pub mod due;
pub mod time;

use chrono::{DateTime, NaiveDateTime, Utc};
use rtv_core::filter::PageFilter;
use rtv_core::period::Range;
use rtv_core::permission::SEES_REPORTS;
use rtv_core::report::{Occurrence, Rhythm, Way};
use rtv_core::{Email, Error, FieldError, Permission, ReportId, RunId, ScheduleId, TeamId, TenantId, UserId};
use serde_json::json;
use uuid::Uuid;

use super::definition::read;
use super::dispatch::Dispatch;
use super::run::{NewRun, check_teams, insert, is_within, scope, teams_of};
use super::{keeper, recipient};
use crate::access::{self, stored};
use crate::audit::Event;
use crate::context::{Context, TenantContext};
use crate::mail::Outbox;
use crate::revision::{Revision, refuse_stale};
use crate::transaction::{Resource, Tx, WorkKind, failed};

/// So many a report may have.
const MOST: i64 = 20;
/// People that one schedule writes to at most.
pub const MOST_RECIPIENTS: usize = 50;
/// How many due schedules the tick reads at once.
const AT_ONCE: i64 = 200;
/// A failure of ours that is over within this is told to nobody.
const PASSING: chrono::TimeDelta = chrono::TimeDelta::minutes(5);

/// When a report is made by itself, what it covers then, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// When.
    pub rhythm: Rhythm,
    /// The days that it covers, counted from that of the occurrence. `None`: those that the report covers by itself.
    pub range: Option<Range>,
    /// Where it goes.
    pub dispatch: Dispatch,
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// The report.
    pub report: ReportId,
    /// What it does.
    pub plan: Plan,
    /// Teams whose figures it sends; none: those of the whole tenant.
    pub teams: Vec<TeamId>,
    /// What it waits for.
    pub awaited: Occurrence,
    /// When it was paused, and by whom.
    pub paused: Option<(DateTime<Utc>, String)>,
    /// Recipients who have asked for no more.
    pub unsubscribed: Vec<String>,
    /// Since when its run cannot be begun, and why.
    pub trouble: Option<(DateTime<Utc>, String)>,
    /// Counts changes.
    pub version: i64,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
    /// By whom.
    pub changed_by: String,
}

impl Schedule {
    /// The next five times, none while it is paused.
    pub fn next_five(&self, now: DateTime<Utc>) -> Vec<Occurrence> {
        if self.paused.is_some() { Vec::new() } else { time::next_five(&self.plan.rhythm, now).to_vec() }
    }
}

/// The schedules of a report, in the order in which they were made.
pub async fn list(ctx: &TenantContext, report: ReportId) -> Result<Vec<Schedule>, Error> {
    let mut tx = ctx.begin_to_read(SEES_REPORTS, Resource::Report(report)).await?;
    read(&mut tx, report, false).await?;
    let found = read_some(&mut tx, report, None).await?;
    tx.rollback().await?;
    found.into_iter().map(|(schedule, _)| Ok(schedule)).collect()
}

/// One of them. One of another report is none, and so is a deleted one.
pub async fn one(ctx: &TenantContext, report: ReportId, id: ScheduleId) -> Result<Schedule, Error> {
    let mut tx = ctx.begin_to_read(SEES_REPORTS, Resource::Schedule(id)).await?;
    read(&mut tx, report, false).await?;
    let found = read_some(&mut tx, report, Some(id)).await?.pop();
    tx.rollback().await?;
    match found {
        Some((schedule, false)) => Ok(schedule),
        Some(_) | None => Err(Error::NotFound),
    }
}

/// Schedules of a report with whether they are deleted: one, or all that are not.
async fn read_some(tx: &mut Tx, report: ReportId, id: Option<ScheduleId>) -> Result<Vec<(Schedule, bool)>, Error> {
    let rows = sqlx::query!(
        r#"
        select
          id, rhythm, range, dispatch, teams, awaited, awaited_at, paused_at, paused_by, version, updated_at, changed_by, deleted_at,
          trouble, troubled_at,
          array(
            select recipient
            from report_unsubscription
            where report_unsubscription.tenant_id = report_schedule.tenant_id
              and report_unsubscription.schedule_id = report_schedule.id
            order by recipient
          ) as "unsubscribed!"
        from report_schedule
        where report_id = $1 and (($2::uuid is null and deleted_at is null) or id = $2)
        order by created_at, id
        "#,
        report.uuid(),
        id.map(ScheduleId::uuid),
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            let rhythm: Rhythm = stored(serde_json::from_value(row.rhythm))?;
            let schedule = Schedule {
                id: row.id.into(),
                report,
                awaited: Occurrence { nominal: row.awaited, zone: rhythm.zone, at: row.awaited_at },
                plan: Plan {
                    rhythm,
                    range: row.range.map(|range| stored(range.parse())).transpose()?,
                    dispatch: stored(serde_json::from_value(row.dispatch))?,
                },
                teams: row.teams.into_iter().map(TeamId::from).collect(),
                paused: row.paused_at.zip(row.paused_by),
                unsubscribed: row.unsubscribed,
                trouble: row.troubled_at.zip(row.trouble),
                version: row.version,
                updated_at: row.updated_at,
                changed_by: row.changed_by,
            };
            Ok((schedule, row.deleted_at.is_some()))
        })
        .collect()
}

/// Makes a schedule. The first time is the next one that the rhythm means.
pub async fn create(ctx: &TenantContext, report: ReportId, plan: &Plan) -> Result<ScheduleId, Error> {
    let mut tx = begin(ctx, Resource::Report(report)).await?;
    let covered = read(&mut tx, report, true).await?.definition.parameters;
    let teams = teams_of(ctx)?;
    check_teams(&teams, &PageFilter::from_query(&covered)?)?;
    check(&mut tx, plan, &[]).await?;
    let id = add(ctx, &mut tx, report, plan, &teams).await?;
    let event = Event::new("report.schedule.create", "report_schedule", id.to_string());
    tx.audit(event.after(told(plan, &ids(&teams), 1))).await?;
    tx.commit().await?;
    Ok(id)
}

fn ids(teams: &[Uuid]) -> Vec<TeamId> {
    teams.iter().copied().map(TeamId::from).collect()
}

/// Teams whose figures it goes on to send when somebody saves it, copies it or has it sent: its own, so that its readers get no more and
/// nothing else. Whoever does not see all of these figures is refused.
async fn teams_kept(
    ctx: &TenantContext,
    tx: &mut Tx,
    schedule: &Schedule,
    parameters: &str,
) -> Result<Vec<Uuid>, Error> {
    let set: Vec<Uuid> = schedule.teams.iter().map(|team| team.uuid()).collect();
    let held = sqlx::query_scalar!("select id from team where id = any($1) order by id", &set)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    // No team at all would mean the figures of the whole tenant.
    if held.is_empty() && !set.is_empty() {
        return Err(Error::Conflict("The teams whose figures it sends are no more. Set another schedule.".into()));
    }
    let filter = PageFilter::from_query(parameters)?;
    let limits = teams_of(ctx)?;
    check_teams(&limits, &filter)?;
    if check_teams(&held, &filter).is_err() {
        return Err(Error::Conflict(
            "The report is narrowed to a team whose figures this schedule does not send. Set another schedule, or change the filter of the report."
                .into(),
        ));
    }
    if limits.is_empty() {
        return Ok(held);
    }
    let covered = scope(parameters, &ids(&held))?;
    if !is_within(&covered, &ids(&limits)) {
        return Err(Error::Conflict(
            "It sends figures that you do not see, so you can neither change it nor have it sent. Set a schedule of your own.".into(),
        ));
    }
    Ok(covered.iter().map(|team| team.uuid()).collect())
}

/// Refuses one more than a report may have. Whoever asks holds the report.
async fn refuse_more(tx: &mut Tx, report: ReportId) -> Result<(), Error> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from report_schedule where report_id = $1 and deleted_at is null"#,
        report.uuid(),
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    if count >= MOST {
        return Err(Error::Conflict(format!("A report has at most {MOST} schedules. Delete one first.")));
    }
    Ok(())
}

async fn add(
    ctx: &TenantContext,
    tx: &mut Tx,
    report: ReportId,
    plan: &Plan,
    teams: &[Uuid],
) -> Result<ScheduleId, Error> {
    refuse_more(tx, report).await?;
    let id = ScheduleId::from(Uuid::now_v7());
    let awaited = time::next(&plan.rhythm, ctx.now());
    sqlx::query!(
        r#"
        insert into report_schedule (
          tenant_id, id, report_id, rhythm, range, dispatch, awaited, awaited_at, teams, owner_id,
          created_at, created_by, updated_at, changed_by
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $11, $12)
        "#,
        ctx.tenant().id.uuid(),
        id.uuid(),
        report.uuid(),
        json!(plan.rhythm),
        plan.range.map(Range::key),
        json!(plan.dispatch),
        awaited.nominal,
        awaited.at,
        teams,
        ctx.context().actor().user_id().map(UserId::uuid),
        ctx.now(),
        ctx.context().actor().label(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(id)
}

/// Changes a schedule that was seen as this version. What it waits for is the next time that the rhythm means; one that was
/// made is not made again.
pub async fn save(ctx: &TenantContext, report: ReportId, id: ScheduleId, seen: &str, plan: &Plan) -> Result<(), Error> {
    let (mut tx, schedule) = held(ctx, report, id).await?;
    check_version(ctx, &mut tx, &schedule, seen).await?;
    let covered = read(&mut tx, report, false).await?.definition.parameters;
    let teams = teams_kept(ctx, &mut tx, &schedule, &covered).await?;
    check(&mut tx, plan, &schedule.plan.dispatch.recipients).await?;
    // The same rhythm goes on waiting for what it waits for, also where that is late.
    let awaited =
        if plan.rhythm == schedule.plan.rhythm { schedule.awaited } else { time::next(&plan.rhythm, ctx.now()) };
    sqlx::query!(
        r#"
        update report_schedule
        set rhythm = $2, range = $3, dispatch = $4, awaited = $5, awaited_at = $6, teams = $7, owner_id = $8,
          trouble = null, troubled_at = null, version = version + 1, updated_at = $9, changed_by = $10
        where id = $1
        "#,
        id.uuid(),
        json!(plan.rhythm),
        plan.range.map(Range::key),
        json!(plan.dispatch),
        awaited.nominal,
        awaited.at,
        &teams,
        ctx.context().actor().user_id().map(UserId::uuid),
        ctx.now(),
        ctx.context().actor().label(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let event = Event::new("report.schedule.save", "report_schedule", id.to_string());
    let before = told(&schedule.plan, &schedule.teams, schedule.version);
    let after = told(plan, &ids(&teams), schedule.version + 1);
    tx.audit(event.before(before).after(after)).await?;
    tx.commit().await
}

/// Refuses whoever may not even pause one, before anything of what they sent is looked at.
pub async fn may_stop(ctx: &TenantContext) -> Result<(), Error> {
    ctx.begin_to_stop(Permission::ReportsSchedule, Resource::Reports).await?.rollback().await
}

/// Refuses whoever may not set one, before anything of what they sent is looked at.
pub async fn may_set(ctx: &TenantContext) -> Result<(), Error> {
    begin(ctx, Resource::Reports).await?.rollback().await
}

/// Pauses a schedule. What would come meanwhile is not made up for.
pub async fn pause(ctx: &TenantContext, report: ReportId, id: ScheduleId) -> Result<(), Error> {
    let mut tx = ctx.begin_to_stop(Permission::ReportsSchedule, Resource::Schedule(id)).await?;
    // Whoever makes its run now is waited for, so that what they made was made before this moment and is held.
    sqlx::query!("select id from report_schedule where id = $1 for update", id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    let paused = sqlx::query!(
        r#"
        update report_schedule
        set paused_at = $3, paused_by = $4, version = version + 1, updated_at = $3, changed_by = $4
        where id = $1 and report_id = $2 and deleted_at is null and paused_at is null
        "#,
        id.uuid(),
        report.uuid(),
        ctx.now(),
        ctx.context().actor().label(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    if paused == 0 {
        // Paused already, which is what was wanted; or nothing at all.
        let found = read_some(&mut tx, report, Some(id)).await?.pop();
        tx.rollback().await?;
        return if matches!(found, Some((_, false))) { Ok(()) } else { Err(Error::NotFound) };
    }
    tx.audit(Event::new("report.schedule.pause", "report_schedule", id.to_string())).await?;
    tx.commit().await
}

/// Has a paused schedule go on with the next time.
pub async fn resume(ctx: &TenantContext, report: ReportId, id: ScheduleId) -> Result<Occurrence, Error> {
    let (mut tx, schedule) = held(ctx, report, id).await?;
    if schedule.paused.is_none() {
        tx.rollback().await?;
        return Ok(schedule.awaited);
    }
    let awaited = time::next(&schedule.plan.rhythm, ctx.now());
    sqlx::query!(
        r#"
        update report_schedule
        set paused_at = null, paused_by = null, awaited = $2, awaited_at = $3, trouble = null, troubled_at = null,
          version = version + 1, updated_at = $4, changed_by = $5
        where id = $1
        "#,
        id.uuid(),
        awaited.nominal,
        awaited.at,
        ctx.now(),
        ctx.context().actor().label(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    tx.audit(Event::new("report.schedule.resume", "report_schedule", id.to_string())).await?;
    tx.commit().await?;
    Ok(awaited)
}

/// Makes another one like it, paused, so that nobody gets anything twice by accident. Who asked for no more of the one gets none of the
/// other either.
pub async fn copy(ctx: &TenantContext, report: ReportId, id: ScheduleId) -> Result<ScheduleId, Error> {
    let (mut tx, schedule) = held(ctx, report, id).await?;
    let covered = read(&mut tx, report, false).await?.definition.parameters;
    let teams = teams_kept(ctx, &mut tx, &schedule, &covered).await?;
    let copied = add(ctx, &mut tx, report, &schedule.plan, &teams).await?;
    sqlx::query!(
        "update report_schedule set paused_at = $2, paused_by = $3 where id = $1",
        copied.uuid(),
        ctx.now(),
        ctx.context().actor().label(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    sqlx::query!(
        r#"
        insert into report_unsubscription (tenant_id, schedule_id, recipient, at)
        select tenant_id, $2, recipient, at
        from report_unsubscription
        where schedule_id = $1
        "#,
        id.uuid(),
        copied.uuid(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let after = json!({ "copy_of": id });
    tx.audit(Event::new("report.schedule.create", "report_schedule", copied.to_string()).after(after)).await?;
    tx.commit().await?;
    Ok(copied)
}

/// Deletes a schedule. Its runs stay, and it can be brought back.
pub async fn delete(ctx: &TenantContext, report: ReportId, id: ScheduleId) -> Result<(), Error> {
    let (mut tx, _) = held(ctx, report, id).await?;
    sqlx::query!("update report_schedule set deleted_at = $2 where id = $1", id.uuid(), ctx.now())
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    tx.audit(Event::new("report.schedule.delete", "report_schedule", id.to_string())).await?;
    tx.commit().await
}

/// Brings a deleted schedule back. It waits for the next time.
pub async fn bring_back(ctx: &TenantContext, report: ReportId, id: ScheduleId) -> Result<(), Error> {
    let mut tx = begin(ctx, Resource::Schedule(id)).await?;
    read(&mut tx, report, true).await?;
    let (schedule, is_deleted) = read_some(&mut tx, report, Some(id)).await?.pop().ok_or(Error::NotFound)?;
    if !is_deleted {
        return tx.rollback().await;
    }
    refuse_more(&mut tx, report).await?;
    let awaited = time::next(&schedule.plan.rhythm, ctx.now());
    sqlx::query!(
        r#"
        update report_schedule
        set deleted_at = null, awaited = $2, awaited_at = $3, trouble = null, troubled_at = null
        where id = $1
        "#,
        id.uuid(),
        awaited.nominal,
        awaited.at,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    tx.audit(Event::new("report.schedule.bring_back", "report_schedule", id.to_string())).await?;
    tx.commit().await
}

/// Makes the report now and sends it to everybody, as the next time would.
pub async fn run_now(ctx: &TenantContext, report: ReportId, id: ScheduleId) -> Result<RunId, Error> {
    begin_run(ctx, report, id, Ok).await
}

/// Makes the report now and sends it to whoever asks, and to nobody else.
pub async fn test(ctx: &TenantContext, report: ReportId, id: ScheduleId) -> Result<RunId, Error> {
    let me = ctx.context().person().map(|person| person.email.clone());
    begin_run(ctx, report, id, |dispatch| {
        let me = me.ok_or_else(|| Error::Conflict("A test is sent to a person; sign in as one.".into()))?;
        Ok(Dispatch { recipients: vec![me], skips_empty: false, is_test: true, ..dispatch })
    })
    .await
}

async fn begin_run(
    ctx: &TenantContext,
    report: ReportId,
    id: ScheduleId,
    dispatch: impl FnOnce(Dispatch) -> Result<Dispatch, Error>,
) -> Result<RunId, Error> {
    ctx.begin(Permission::AnalyticsRead, Resource::Posts).await?.rollback().await?;
    let (mut tx, schedule) = held(ctx, report, id).await?;
    let stored_report = read(&mut tx, report, false).await?;
    let teams = teams_kept(ctx, &mut tx, &schedule, &stored_report.definition.parameters).await?;
    let now = Occurrence {
        nominal: ctx.now().with_timezone(&schedule.plan.rhythm.zone).naive_local(),
        zone: schedule.plan.rhythm.zone,
        at: ctx.now(),
    };
    let new = NewRun {
        report: &stored_report,
        parameters: parameters(ctx, &schedule.plan, &stored_report.definition.parameters, &now)?,
        teams,
        author: (ctx.context().actor().label(), ctx.context().actor().audit_id()),
        of: Some((id, None)),
        dispatch: Some(dispatch(schedule.plan.dispatch)?),
    };
    let run = insert(ctx, &mut tx, &new).await?.ok_or(Error::Internal)?;
    tx.commit().await?;
    Ok(run)
}

/// What a run covers: the report's own filters, with the days that the schedule means on the day of an occurrence.
fn parameters(ctx: &TenantContext, plan: &Plan, own: &str, occurrence: &Occurrence) -> Result<PageFilter, Error> {
    let own = PageFilter::from_query(own)?;
    let (range, stated) = plan.range.map_or((own.range, own.custom), |range| (range, None));
    let period = due::period(range, occurrence, ctx.tenant().week_start, stated)?;
    Ok(PageFilter { range: Range::Custom, custom: Some((period.from(), period.to())), ..own })
}

async fn begin(ctx: &TenantContext, resource: Resource) -> Result<Tx, Error> {
    ctx.begin(Permission::ReportsSchedule, resource).await
}

/// A schedule that stands still until the transaction ends.
async fn held(ctx: &TenantContext, report: ReportId, id: ScheduleId) -> Result<(Tx, Schedule), Error> {
    let mut tx = begin(ctx, Resource::Schedule(id)).await?;
    // Whoever adds one waits too, so that nobody counts what another is about to add.
    read(&mut tx, report, true).await?;
    sqlx::query!("select id from report_schedule where id = $1 for update", id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or(Error::NotFound)?;
    match read_some(&mut tx, report, Some(id)).await?.pop() {
        Some((schedule, false)) => Ok((tx, schedule)),
        Some(_) | None => Err(Error::NotFound),
    }
}

async fn check_version(ctx: &TenantContext, tx: &mut Tx, schedule: &Schedule, seen: &str) -> Result<(), Error> {
    let now = Revision {
        version: schedule.version,
        updated_at: schedule.updated_at,
        changed_by: Some(schedule.changed_by.clone()),
    };
    refuse_stale(tx, ctx, seen, &now, ("report_schedule", &schedule.id.to_string())).await
}

/// Refuses by name, all at once, what cannot be sent. Who is a recipient already may stay one.
async fn check(tx: &mut Tx, plan: &Plan, known: &[Email]) -> Result<(), Error> {
    let mut errors = Vec::new();
    let mut refuse = |field: &str, message: String| errors.push(FieldError { field: field.into(), message });
    let Dispatch { way, formats, recipients, .. } = &plan.dispatch;
    if formats.is_empty() {
        refuse("format", "choose at least one format.".into());
    }
    if plan.range == Some(Range::Custom) {
        refuse("range", "choose days that move along, such as “Last month”.".into());
    }
    match recipients.len() {
        0 => refuse("recipients", "name at least one address, one on each line.".into()),
        1..=MOST_RECIPIENTS => {}
        _ => refuse(
            "recipients",
            format!("name at most {MOST_RECIPIENTS} addresses; a list at your mail server takes more."),
        ),
    }
    let new: Vec<&Email> = recipients.iter().filter(|one| !known.contains(one)).collect();
    let domains = recipient::allowed_domains(tx).await?;
    let outside: Vec<&str> =
        new.iter().filter(|one| !recipient::is_allowed(&domains, one)).map(|one| one.as_str()).collect();
    if !outside.is_empty() {
        let message = format!(
            "{} may not get reports: this organisation allows {} alone. An admin can change that in Settings, Security.",
            outside.join(", "),
            domains.join(", ")
        );
        refuse("recipients", message);
    }
    if *way == Way::Inbox {
        let readers = recipient::readers(tx).await?;
        let strangers: Vec<&str> = recipients.iter().filter(|one| !readers.contains(one)).map(Email::as_str).collect();
        if !strangers.is_empty() {
            let message = format!(
                "{} have no inbox here; only members who hold the permission “reports:read” do. Send it by mail, or invite them.",
                strangers.join(", ")
            );
            refuse("recipients", message);
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

fn told(plan: &Plan, teams: &[TeamId], version: i64) -> serde_json::Value {
    json!({
        "when": plan.rhythm.words(),
        "range": plan.range.map(Range::key),
        "teams": teams,
        "way": plan.dispatch.way,
        "formats": plan.dispatch.formats,
        "recipients": plan.dispatch.recipients,
        "skips_empty": plan.dispatch.skips_empty,
        "version": version,
    })
}

/// Why what is due was not made.
enum NotMade {
    /// It could not be.
    Failed(Error),
    /// Whoever keeps the schedule may not have it sent any more.
    Lapsed(&'static str),
}

impl NotMade {
    fn reason(&self) -> String {
        match self {
            Self::Failed(error) => error.explanation(),
            Self::Lapsed(why) => {
                format!("{why} It goes on when somebody who may send it saves it; they keep it from then on.")
            }
        }
    }
}

impl From<Error> for NotMade {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Makes what is due, in all tenants. Returns how many runs were begun. What fails is tried again with the next tick, is told to its
/// keeper once, and keeps nothing else from being made.
pub async fn tick(ctx: &Context, outbox: &Outbox) -> Result<u32, Error> {
    let mut made = 0;
    let mut last: Option<(DateTime<Utc>, Uuid)> = None;
    loop {
        let due = due_after(ctx, last).await?;
        for (tenant, id, _) in &due {
            match make_due(ctx, *tenant, *id).await {
                Ok(is_made) => made += u32::from(is_made),
                // Nothing changes there now; it is late when it goes on.
                Err(NotMade::Failed(Error::ReadOnly(_))) => {}
                Err(why) => {
                    if matches!(why, NotMade::Lapsed(_)) {
                        tracing::info!(reason = why.reason(), schedule = %id, "a schedule waits for somebody to keep it");
                    } else {
                        tracing::error!(reason = why.reason(), schedule = %id, "a schedule could not be carried out");
                    }
                    if let Err(error) = tell_trouble(ctx, outbox, *tenant, *id, &why).await {
                        tracing::error!(%error, schedule = %id, "its keeper could not be told");
                    }
                }
            }
        }
        let Some((_, id, at)) = due.last() else { return Ok(made) };
        last = Some((*at, id.uuid()));
    }
}

async fn due_after(
    ctx: &Context,
    last: Option<(DateTime<Utc>, Uuid)>,
) -> Result<Vec<(TenantId, ScheduleId, DateTime<Utc>)>, Error> {
    let mut tx = ctx.begin_worker(WorkKind::Schedule).await?;
    let rows = sqlx::query!(
        r#"
        select tenant_id, id, awaited_at
        from report_schedule
        where deleted_at is null and paused_at is null and awaited_at <= $1
          and ($2::timestamptz is null or (awaited_at, id) > ($2, $3))
        order by awaited_at, id
        limit $4
        "#,
        ctx.now(),
        last.map(|(at, _)| at),
        last.map(|(_, id)| id),
        AT_ONCE,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(rows.into_iter().map(|row| (row.tenant_id.into(), row.id.into(), row.awaited_at)).collect())
}

/// Writes into a schedule why it could not be carried out. Its keeper is told once until it could be: at once what they can mend, and a
/// failure of ours when it has lasted.
async fn tell_trouble(
    ctx: &Context,
    outbox: &Outbox,
    tenant: TenantId,
    id: ScheduleId,
    why: &NotMade,
) -> Result<(), Error> {
    let ctx = access::enter_to_work(ctx, tenant).await?;
    let mut tx = ctx.begin_to_tidy(Permission::ReportsSchedule, Resource::Schedule(id)).await?;
    let reason = why.reason();
    let row = sqlx::query!(
        r#"
        update report_schedule
        set trouble = $2, troubled_at = coalesce(troubled_at, $3)
        where id = $1 and deleted_at is null and paused_at is null
        returning report_id, owner_id, troubled_at as "since!"
        "#,
        id.uuid(),
        reason,
        ctx.now(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let Some(row) = row else { return tx.rollback().await };
    if matches!(why, NotMade::Failed(Error::Internal)) && ctx.now() - row.since < PASSING {
        return tx.commit().await;
    }
    let page = format!("{}/schedules/{id}", ReportId::from(row.report_id));
    let text = format!(
        "A schedule is due and could not be carried out: {reason}\n\nNothing was made or sent. It is tried again each minute, and goes on by itself once it can; the page of the schedule says whether that is so."
    );
    let about = [&id.uuid().as_bytes()[..], &row.since.timestamp_micros().to_be_bytes()[..]].concat();
    // A keeper who may not send it any more cannot mend that.
    let keeper = if matches!(why, NotMade::Lapsed(_)) { None } else { row.owner_id };
    keeper::tell(&ctx, &mut tx, outbox, keeper, &about, &page, ("a schedule could not be carried out", &text)).await?;
    tx.commit().await
}

/// How many schedules somebody keeps that are not paused: what stops when they leave.
pub async fn count_kept(ctx: &TenantContext, keeper: UserId) -> Result<i64, Error> {
    let mut tx = ctx.begin_to_read(&[Permission::UsersManage], Resource::Member(keeper)).await?;
    let count = sqlx::query_scalar!(
        r#"
        select count(*) as "count!"
        from report_schedule
        join report on report.tenant_id = report_schedule.tenant_id and report.id = report_schedule.report_id
        where report_schedule.owner_id = $1
          and report_schedule.deleted_at is null
          and report_schedule.paused_at is null
          and report.deleted_at is null
        "#,
        keeper.uuid(),
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(count)
}

/// Makes one run of a schedule that is due, and has it wait for the next time. False where there is nothing to do any more.
async fn make_due(ctx: &Context, tenant: TenantId, id: ScheduleId) -> Result<bool, NotMade> {
    let ctx = access::enter_to_work(ctx, tenant).await?;
    let mut tx = begin(&ctx, Resource::Schedule(id)).await?;
    let row = sqlx::query!(
        r#"
        select report_id, rhythm, range, dispatch, awaited, teams, owner_id, changed_by
        from report_schedule
        where id = $1 and deleted_at is null and paused_at is null
        for update skip locked
        "#,
        id.uuid(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let Some(row) = row else {
        tx.rollback().await?;
        return Ok(false);
    };
    let plan = Plan {
        rhythm: stored(serde_json::from_value(row.rhythm))?,
        range: row.range.map(|range| stored(range.parse())).transpose()?,
        dispatch: stored(serde_json::from_value(row.dispatch))?,
    };
    let Some(due) = due::due(&plan.rhythm, row.awaited, ctx.now()) else {
        tx.rollback().await?;
        return Ok(false);
    };
    await_next(&mut tx, id, due.following.nominal, due.following.at).await?;
    // A deleted report makes no runs, and does not come late when it is brought back.
    let report = match read(&mut tx, row.report_id.into(), false).await {
        Ok(report) => report,
        Err(Error::NotFound) => {
            tx.commit().await?;
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    };
    let sent = scope(&report.definition.parameters, &ids(&row.teams))?;
    if let Some(why) = keeper::lapse(&mut tx, row.owner_id, &sent).await? {
        return Err(NotMade::Lapsed(why));
    }
    let new = NewRun {
        parameters: parameters(&ctx, &plan, &report.definition.parameters, &due.occurrence)?,
        report: &report,
        teams: row.teams,
        author: (format!("schedule of {}", row.changed_by), row.owner_id),
        of: Some((id, Some(due))),
        dispatch: Some(plan.dispatch),
    };
    let made = insert(&ctx, &mut tx, &new).await?;
    tx.commit().await?;
    Ok(made.is_some())
}

async fn await_next(tx: &mut Tx, id: ScheduleId, nominal: NaiveDateTime, at: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "update report_schedule set awaited = $2, awaited_at = $3, trouble = null, troubled_at = null where id = $1",
        id.uuid(),
        nominal,
        at,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}
