//! Words and shades of the week by hour.

use chrono::NaiveDate;
use rtv_core::Error;
use rtv_core::kpi::Unit;
use rtv_domain::TenantContext;
use rtv_domain::format::{Format, MISSING, machine};
use rtv_domain::kpi::{Query, Summary};
use rtv_domain::post_hour::{self, Measure, Week};
use rust_decimal::Decimal;

use crate::dashboard::week::{HourCell, HourRow, WeekView};

/// Hours with fewer posts are shown, but not shaded: one lucky post is no habit.
const JUDGED_FROM: i64 = 3;
/// So many shades there are.
const SHADES: usize = 5;

/// Asks the domain and words the answer.
pub(super) async fn week(
    ctx: &TenantContext,
    format: &Format,
    asked: &Query,
    summary: &Summary,
) -> Result<WeekView, Error> {
    let week = post_hour::week(ctx, asked, &summary.accounts, &summary.campaigns).await?;
    let measure = week.measure();
    let first = usize::try_from(ctx.tenant().week_start).unwrap_or(0);
    let order: Vec<usize> = (0..7).map(|place| (first + place) % 7).collect();
    let names: Vec<(String, String)> = (0..7).map(|weekday| format.weekday(monday(weekday))).collect();
    let steps = steps(&week, measure);
    // Where no hour is known there is nothing to lay out.
    let shown = if week.all.posts == 0 { 0 } else { 24 };
    let hours = (0..shown)
        .map(|hour| HourRow {
            hour: format!("{hour:02}:00"),
            cells: order.iter().map(|weekday| cell(format, &week, measure, &steps, *weekday, hour)).collect(),
        })
        .collect();
    let mut notes = Vec::new();
    if measure != Measure::Posts && !steps.is_empty() {
        notes.push(format!(
            "Shades split the hours with at least {JUDGED_FROM} posts into equal groups; the small number is the number of posts."
        ));
    }
    if week.unknown > 0 {
        notes.push(format!(
            "{} posts are not in the table: of them only the month is known.",
            format.count(week.unknown)
        ));
    }
    Ok(WeekView {
        measure: match measure {
            Measure::EngagementRate => "Engagement rate in %, ratio of sums".into(),
            Measure::EngagementsPerPost => "Engagements per post".into(),
            Measure::Posts => "Posts published".into(),
        },
        takeaway: takeaway(ctx, format, &week, measure, &names),
        weekdays: order.iter().map(|weekday| names[*weekday].clone()).collect(),
        hours,
        legend: legend(format, measure, &steps),
        notes,
    })
}

/// A day that is the weekday, counted from Monday = 0.
fn monday(weekday: u64) -> NaiveDate {
    NaiveDate::default().week(chrono::Weekday::Mon).first_day() + chrono::Days::new(weekday)
}

/// Values of the hours that are judged, in order.
fn judged(week: &Week, measure: Measure) -> Vec<(Decimal, usize, usize)> {
    let mut values: Vec<(Decimal, usize, usize)> = (0..7)
        .flat_map(|weekday| (0..24).map(move |hour| (weekday, hour)))
        .filter(|(weekday, hour)| measure == Measure::Posts || week.days[*weekday][*hour].posts >= JUDGED_FROM)
        .filter_map(|(weekday, hour)| Some((week.value(weekday, hour, measure)?, weekday, hour)))
        .collect();
    values.sort_by(|left, right| left.0.cmp(&right.0).then((right.1, right.2).cmp(&(left.1, left.2))));
    values
}

/// The least value of each shade, palest first. Equal values get one shade, so there may be fewer.
fn steps(week: &Week, measure: Measure) -> Vec<Decimal> {
    let values = judged(week, measure);
    let mut steps: Vec<Decimal> =
        (0..SHADES).filter_map(|shade| Some(values.get(shade * values.len() / SHADES)?.0)).collect();
    steps.dedup();
    steps
}

/// 1 is the palest; the strongest is always 5, so that one shade alone is not taken for a weak one.
fn level(steps: &[Decimal], value: Decimal) -> u8 {
    let reached = steps.partition_point(|step| *step <= value);
    u8::try_from(SHADES - steps.len() + reached).unwrap_or(0)
}

fn written(format: &Format, measure: Measure, value: Decimal) -> String {
    match measure {
        Measure::EngagementRate => format.decimal(value * Decimal::ONE_HUNDRED, 1),
        Measure::EngagementsPerPost if value < Decimal::TEN => format.decimal(value, 1),
        Measure::EngagementsPerPost | Measure::Posts => format.short(value),
    }
}

fn cell(format: &Format, week: &Week, measure: Measure, steps: &[Decimal], weekday: usize, hour: usize) -> HourCell {
    let posts = week.days[weekday][hour].posts;
    let value = week.value(weekday, hour, measure);
    let is_judged = measure == Measure::Posts || posts >= JUDGED_FROM;
    HourCell {
        key: format!("{}-{hour}", weekday + 1),
        text: match value {
            Some(value) => written(format, measure, value),
            None => MISSING.into(),
        },
        exact: value.map(machine).unwrap_or_default(),
        posts,
        posts_text: if posts == 1 { " post".into() } else { " posts".into() },
        level: value.filter(|_| is_judged).map_or(0, |value| level(steps, value)),
    }
}

fn legend(format: &Format, measure: Measure, steps: &[Decimal]) -> Vec<(u8, String)> {
    let mut legend = Vec::new();
    if measure != Measure::Posts {
        legend.push((0, format!("fewer than {JUDGED_FROM} posts")));
    }
    for step in steps {
        legend.push((level(steps, *step), format!("from {}", written(format, measure, *step))));
    }
    legend
}

fn takeaway(ctx: &TenantContext, format: &Format, week: &Week, measure: Measure, names: &[(String, String)]) -> String {
    let zone = ctx.tenant().zone;
    if week.all.posts == 0 {
        return "The hour of no post in this period is known.".into();
    }
    let Some((value, weekday, hour)) = judged(week, measure).pop() else {
        return format!("No hour has {JUDGED_FROM} posts yet, so none is judged. Hours of {zone}.");
    };
    let posts = format.count(week.days[weekday][hour].posts);
    let when = format!("{}, {hour:02}:00 to {:02}:00", names[weekday].1, (hour + 1) % 24);
    match measure {
        Measure::EngagementRate => {
            format!("Best: {when}, {} over {posts} posts. Hours of {zone}.", format.exact(Unit::Percent, value))
        }
        Measure::EngagementsPerPost => format!(
            "Best: {when}, {} engagements per post over {posts} posts. Hours of {zone}.",
            written(format, measure, value)
        ),
        Measure::Posts => format!("Most posts: {when}, {posts}. Hours of {zone}."),
    }
}
