//! From the domain's schedules to the fields and words that people read. Runs on the server only.

use rtv_core::period::Range;
use rtv_core::report::{Days, FileFormat, Frequency, Rhythm, WEEKDAYS, Way};
use rtv_core::{Error, Permission, ReportId, ScheduleId, TeamId};
use rtv_domain::format::Format;
use rtv_domain::report::schedule::{self, Plan, Schedule};
use rtv_domain::report::{self, Dispatch, Report};
use rtv_domain::{TenantContext, team};
use rtv_ui::{CheckboxOption, RadioOption, SelectOption};

use super::{Inbox, ScheduleForm, ScheduleRow, ScheduleView, Schedules};
use crate::page::Flash;
use crate::report::present::{newest_of, run_row};

fn can_change(ctx: &TenantContext) -> bool {
    ctx.access().grants(Permission::ReportsSchedule) && ctx.read_only().is_none()
}

/// What a schedule covers and as what it arrives, in a line.
fn covers(plan: &Plan, report: &Report) -> String {
    let days = match plan.range {
        Some(range) => range.label().to_owned(),
        None => rtv_core::filter::PageFilter::from_query(&report.definition.parameters)
            .map_or_else(|_| "As the report says".to_owned(), |filter| filter.range.label().to_owned()),
    };
    let formats: Vec<&str> = plan.dispatch.formats.iter().map(|format| format.label()).collect();
    let way = match plan.dispatch.way {
        Way::Attachment => "attached",
        Way::Link => "behind a link",
        Way::Inbox => "in the inbox",
    };
    format!("{days} · {} {way}", formats.join(", "))
}

fn next(ctx: &TenantContext, format: &Format, one: &Schedule) -> Result<String, String> {
    match &one.paused {
        Some((at, by)) => Err(format!("{} by {by}", format.instant(*at))),
        None if one.trouble.is_some() => Ok("It is due, and cannot be made".into()),
        None if one.awaited.at <= ctx.now() => Ok("It is due".into()),
        None => Ok(format.clone().with_times_in(one.awaited.zone).instant(one.awaited.at)),
    }
}

fn recipients(dispatch: &Dispatch) -> String {
    match dispatch.recipients.as_slice() {
        [] => String::new(),
        [one] => one.to_string(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}

/// The schedules of a report.
pub(in crate::report) async fn list(ctx: &TenantContext, id: &str) -> Result<Schedules, Error> {
    let id: ReportId = id.parse().map_err(|_| Error::NotFound)?;
    let one = report::one(ctx, id).await?;
    let format = Format::of(ctx.tenant());
    let flash = crate::request::current().flash.unwrap_or_default();
    let rows = schedule::list(ctx, id)
        .await?
        .into_iter()
        .map(|row| ScheduleRow {
            id: row.id.to_string(),
            when: row.plan.rhythm.words(),
            covers: covers(&row.plan, &one),
            to: recipients(&row.plan.dispatch),
            next: next(ctx, &format, &row),
        })
        .collect();
    Ok(Schedules {
        report: id.to_string(),
        name: one.definition.name.clone(),
        rows,
        form: can_change(ctx).then(|| form(ctx, None, &flash)),
        deleted: flash.value("deleted").filter(|_| can_change(ctx)),
        errors: flash.errors,
    })
}

/// One schedule.
pub(in crate::report) async fn one(ctx: &TenantContext, id: &str, schedule: &str) -> Result<ScheduleView, Error> {
    let id: ReportId = id.parse().map_err(|_| Error::NotFound)?;
    let schedule: ScheduleId = schedule.parse().map_err(|_| Error::NotFound)?;
    let one = report::one(ctx, id).await?;
    let found = schedule::one(ctx, id, schedule).await?;
    let format = Format::of(ctx.tenant());
    let flash = crate::request::current().flash.unwrap_or_default();
    let path = format!("/t/{}/reports/{id}", ctx.tenant().slug);
    let runs = report::runs_of(ctx, id, schedule).await?;
    let of_runs = report::count_runs(ctx, id, Some(schedule)).await?;
    let in_zone = format.clone().with_times_in(found.plan.rhythm.zone);
    let teams = if found.teams.is_empty() { None } else { Some(whose(ctx, &found.teams).await?) };
    Ok(ScheduleView {
        teams,
        report: id.to_string(),
        name: one.definition.name.clone(),
        id: found.id.to_string(),
        when: found.plan.rhythm.words(),
        covers: covers(&found.plan, &one),
        recipients: found.plan.dispatch.recipients.iter().map(ToString::to_string).collect(),
        times: found.next_five(ctx.now()).iter().map(|one| (in_zone.instant(one.at), one.remark())).collect(),
        paused: next(ctx, &format, &found).err(),
        unsubscribed: found.unsubscribed.clone(),
        trouble: found.trouble.as_ref().filter(|_| found.paused.is_none()).map(|(at, reason)| {
            let at = format.instant(*at);
            format!("It is due and cannot be made, since {at}: {reason} It is tried again each minute.")
        }),
        form: can_change(ctx).then(|| form(ctx, Some(&found), &flash)),
        can_test: ctx.context().person().is_some(),
        runs: runs.iter().map(|run| run_row(&format, &path, run)).collect(),
        runs_shown: newest_of(&format, runs.len(), of_runs),
        errors: flash.errors,
    })
}

/// Whose figures a schedule sends that is narrowed to teams.
async fn whose(ctx: &TenantContext, teams: &[TeamId]) -> Result<String, Error> {
    // Who sees no figures is told no names either.
    let choices =
        if ctx.access().grants_somewhere(Permission::AnalyticsRead) { team::choices(ctx).await? } else { Vec::new() };
    let names: Vec<&str> = choices.iter().filter(|one| teams.contains(&one.id)).map(|one| one.name.as_str()).collect();
    let others = teams.len() - names.len();
    let words = match (names.as_slice(), others) {
        ([], _) => "of teams that you do not see, or that are no more".to_owned(),
        (_, 0) => format!("of {}", names.join(", ")),
        (_, _) => format!("of {}, and of teams that you do not see, or that are no more", names.join(", ")),
    };
    Ok(format!(
        "It sends figures {words}, because whoever set it saw these. Set another schedule for figures of others."
    ))
}

/// The fields: as they were typed where that was refused, otherwise as stored, otherwise what most people want.
fn form(ctx: &TenantContext, stored: Option<&Schedule>, flash: &Flash) -> ScheduleForm {
    let was_typed = flash.value("frequency").is_some();
    let plan = stored.map(|one| &one.plan);
    let rhythm = plan.map(|plan| plan.rhythm);
    let text = |name: &str, other: String| if was_typed { flash.value(name).unwrap_or_default() } else { other };
    let several = |name: &str, other: Vec<String>| if was_typed { flash.chosen(name) } else { other };
    let frequency = text("frequency", rhythm.map_or(Frequency::Weekly, |rhythm| rhythm.days.frequency()).key().into());
    let (weekdays, day, month) = chosen_days(rhythm.as_ref());
    let weekdays = several("weekday", weekdays);
    let (day, month) = (text("day", day), text("month", month));
    let zone = text("zone", rhythm.map_or_else(|| ctx.tenant().zone.name().into(), |rhythm| rhythm.zone.name().into()));
    let range =
        text("range", plan.map_or(Some(Range::LastWeek), |plan| plan.range).map(Range::key).unwrap_or_default().into());
    let way = text("way", plan.map_or(Way::Attachment, |plan| plan.dispatch.way).key().into());
    let formats = several(
        "format",
        plan.map_or_else(
            || vec![FileFormat::Pdf.key().into()],
            |plan| plan.dispatch.formats.iter().map(|format| format.key().into()).collect(),
        ),
    );
    let recipients = plan.map(|plan| plan.dispatch.recipients.iter().map(ToString::to_string).collect::<Vec<_>>());
    let option = |value: &str, label: &str, chosen: &str| SelectOption {
        value: value.to_owned(),
        label: label.to_owned(),
        selected: value == chosen,
    };
    let moving = Range::ALL.into_iter().filter(|range| *range != Range::Custom);
    ScheduleForm {
        version: stored.map(|one| text("version", one.version.to_string())),
        frequencies: Frequency::ALL.iter().map(|one| option(one.key(), one.label(), &frequency)).collect(),
        weekdays: WEEKDAYS
            .iter()
            .map(|(_, key, name)| CheckboxOption {
                value: (*key).to_owned(),
                label: (*name).to_owned(),
                checked: weekdays.iter().any(|chosen| chosen == key),
                ..CheckboxOption::default()
            })
            .collect(),
        days: (1..=31)
            .map(|number: u8| {
                let label = if number == 31 { "The last day".to_owned() } else { number.to_string() };
                option(&number.to_string(), &label, &day)
            })
            .collect(),
        months: ["First", "Second", "Third"]
            .iter()
            .zip(["1", "2", "3"])
            .map(|(label, value)| option(value, label, &month))
            .collect(),
        time: text("time", rhythm.map_or_else(|| "08:00".into(), |rhythm| rhythm.time.to_string())),
        zones: crate::settings::zone_names(&zone).into_iter().map(|name| option(name, name, &zone)).collect(),
        ranges: core::iter::once(option("", "As the report says", &range))
            .chain(moving.map(|one| option(one.key(), one.label(), &range)))
            .collect(),
        ways: Way::ALL
            .iter()
            .map(|one| RadioOption {
                value: one.key().into(),
                label: one.label().into(),
                hint: match one {
                    Way::Attachment => "Files over 10 MB together become a link.".into(),
                    Way::Link => "It holds for 30 days, for whoever has the mail.".into(),
                    Way::Inbox => "Nothing leaves RTV. Recipients must be members.".into(),
                },
                checked: one.key() == way,
            })
            .collect(),
        formats: FileFormat::ALL
            .iter()
            .map(|one| CheckboxOption {
                value: one.key().into(),
                label: one.label().into(),
                checked: formats.iter().any(|chosen| chosen == one.key()),
                ..CheckboxOption::default()
            })
            .collect(),
        recipients: text("recipients", recipients.unwrap_or_default().join("\n")),
        skips_empty: if was_typed {
            flash.value("skips_empty").is_some()
        } else {
            plan.is_some_and(|plan| plan.dispatch.skips_empty)
        },
    }
}

/// Days of the week, day of the month and month of the quarter; what the rhythm does not use is what most people want.
fn chosen_days(rhythm: Option<&Rhythm>) -> (Vec<String>, String, String) {
    let (mut weekdays, mut day, mut month) = (vec!["mon".to_owned()], "1".to_owned(), "1".to_owned());
    match rhythm.map(|rhythm| rhythm.days) {
        None | Some(Days::Daily) => {}
        Some(Days::Weekly { weekdays: chosen }) => weekdays = chosen.into(),
        Some(Days::Monthly { day: chosen }) => day = chosen.number().to_string(),
        Some(Days::Quarterly { month: of_quarter, day: chosen }) => {
            day = chosen.number().to_string();
            month = of_quarter.number().to_string();
        }
    }
    (weekdays, day, month)
}

/// What was sent to the reader.
pub(in crate::report) async fn inbox(ctx: &TenantContext) -> Result<Inbox, Error> {
    let format = Format::of(ctx.tenant());
    let path = format!("/t/{}/reports", ctx.tenant().slug);
    let rows: Vec<_> = report::inbox(ctx)
        .await?
        .into_iter()
        .map(|one| {
            let href = format!("{path}/{}/runs/{}", one.report, one.run);
            (one.run.to_string(), href, one.name, format.period(one.period), format.instant(one.at), one.is_late)
        })
        .collect();
    let of = report::count_inbox(ctx).await?;
    Ok(Inbox { shown: newest_of(&format, rows.len(), of), rows })
}
