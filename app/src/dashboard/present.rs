//! From the domain's typed figures to the words and numbers that people read. Runs on the server only. Each panel below
//! the trend has a file of its own.

mod ranking;
mod scorecard;
mod week;

use chrono::Datelike;
use leptos::prelude::*;
use rtv_charts::{Mark, NumberStyle, Role, Series, TrendChart, Unit as ChartUnit};
use rtv_core::filter::PageFilter;
use rtv_core::kpi::{Basis, Kpi, Unit};
use rtv_core::period::{Compare, Grain, Period, Range};
use rtv_core::{CampaignId, Error, Permission, Platform};
use rtv_domain::TenantContext;
use rtv_domain::account::Account;
use rtv_domain::campaign::Campaign;
use rtv_domain::coverage;
use rtv_domain::format::{Format, MISSING, machine};
use rtv_domain::kpi::{self, Figure, Point, Query, Summary};
use rtv_domain::ranking::Ranking;
use rtv_domain::team::{self, Choice, Narrowed};
use rtv_ui::{Card, Notice, Sparkline, Tone};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::dashboard::cards::{CardView, Cards, ChangeView};
use crate::dashboard::present::scorecard::View;
use crate::dashboard::ranking::Ranking as RankingCard;
use crate::dashboard::scorecard::Scorecard;
use crate::dashboard::trend_table::{TrendRow, TrendTable};
use crate::dashboard::week::Week;
use crate::dashboard::{Body, ChoiceView, Dashboard, FilterView, LinkView, Panels, Step, TrendView};
use crate::page::Place;
use crate::request::Assets;

/// Metric of the trend where the address names none.
const FIRST_METRIC: Kpi = Kpi::Engagements;

/// Asks the domain and words the answer. Filters that are refused are shown with what was typed.
pub(super) async fn dashboard(ctx: &TenantContext, pairs: &[(String, String)]) -> Result<Dashboard, Error> {
    let parsed = PageFilter::parse(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let (filter, view) = match parsed.and_then(|filter| Ok((filter, View::parse(pairs)?))) {
        Ok(parsed) => parsed,
        Err(Error::Invalid(errors)) => return refused(ctx, pairs, errors).await,
        Err(other) => return Err(other),
    };
    let teams = team::choices(ctx).await?;
    let narrowed = match team::narrow(ctx, &teams, &filter.teams) {
        Ok(narrowed) => narrowed,
        Err(Error::Invalid(errors)) => return refused(ctx, pairs, errors).await,
        Err(other) => return Err(other),
    };
    let ctx = &narrowed.ctx;
    let asked = question(ctx, &filter)?;
    let summary = match kpi::summary(ctx, &asked).await {
        Ok(summary) => summary,
        Err(Error::Invalid(errors)) => return refused(ctx, pairs, errors).await,
        Err(other) => return Err(other),
    };
    let format = Format::of(ctx.tenant()).with_times_in(narrowed.zone);
    let path = format!("/t/{}/dashboard", ctx.tenant().slug);
    // Nothing published is no figure worth a page; every other value is one.
    let has_something = summary
        .figures
        .iter()
        .any(|figure| figure.value.is_some_and(|value| figure.kpi != Kpi::Published || !value.is_zero()));
    let body = if has_something {
        let ranking = rtv_domain::ranking::read(ctx, &asked, &summary.accounts, &summary.campaigns).await;
        let marks = ranking.as_ref().map(|ranking| marks(&asked, &summary, ranking)).unwrap_or_default();
        let cards =
            summary.figures.iter().map(|figure| card(ctx, &format, &filter, &asked, &summary, figure)).collect();
        Body::Figures {
            trend: Box::new(trend(ctx, &format, &filter, view, &asked, &summary, &marks)),
            panels: Box::new(Panels {
                cards: view! { <Cards cards /> }.into_view().to_html(),
                scorecard: panel(
                    "Scorecards",
                    scorecard::scorecard(ctx, &format, &filter, view, &asked, &summary).await,
                    |card| view! { <Scorecard card /> },
                )?,
                ranking: panel(
                    "Best and weakest posts",
                    ranking.map(|ranking| ranking::ranking(&format, asked.metric, ranking)),
                    |ranking| view! { <RankingCard ranking /> },
                )?,
                week: panel("Weekday and hour", week::week(ctx, &format, &asked, &summary).await, |week| {
                    view! { <Week week /> }
                })?,
            }),
        }
    } else {
        empty(ctx, &format, &filter, &summary, &path, asked.period)
    };
    Ok(Dashboard {
        subtitle: subtitle(&narrowed, &format, &asked, &summary),
        filter: filter_view(ctx, pairs, &filter, &summary.accounts, &summary.campaigns, &teams),
        errors: Vec::new(),
        notices: notices(&format, &asked, &summary, has_something),
        body,
    })
}

/// A panel as HTML. One that failed is told of in its place. Only faults and outages fail alone: whatever else is
/// refused would be refused for the page.
fn panel<T, V: IntoView>(
    title: &'static str,
    read: Result<T, Error>,
    shown: impl FnOnce(T) -> V,
) -> Result<String, Error> {
    match read {
        Ok(content) => Ok(shown(content).into_view().to_html()),
        Err(error @ (Error::Internal | Error::Unavailable(_))) => {
            let explanation = match error {
                Error::Unavailable(text) => text,
                _ => "We have logged what happened; load the page again.".into(),
            };
            let id = crate::request::current().context.request().id.clone();
            let text = format!(
                "This part could not be loaded; the rest of the page is complete. {explanation} Request id: {id}"
            );
            let told = view! {
                <Card title>
                    <Notice tone=Tone::Danger>{text}</Notice>
                </Card>
            };
            Ok(told.into_view().to_html())
        }
        Err(other) => Err(other),
    }
}

async fn refused(
    ctx: &TenantContext,
    pairs: &[(String, String)],
    errors: Vec<rtv_core::FieldError>,
) -> Result<Dashboard, Error> {
    crate::request::set_status(422);
    let accounts = rtv_domain::account::list(ctx).await?;
    let campaigns = rtv_domain::campaign::list(ctx).await?;
    Ok(Dashboard {
        subtitle: "The filters below were not applied.".into(),
        filter: filter_view(ctx, pairs, &PageFilter::default(), &accounts, &campaigns, &team::choices(ctx).await?),
        errors: errors.into_iter().map(|error| (error.field, error.message)).collect(),
        notices: Vec::new(),
        body: Body::Refused,
    })
}

/// The domain's question out of the address.
fn question(ctx: &TenantContext, filter: &PageFilter) -> Result<Query, Error> {
    let period = filter.period(ctx.today(), ctx.tenant().week_start)?;
    Ok(Query {
        period,
        previous: filter.compare.period(period),
        filter: domain_filter(filter),
        metric: filter.metric.unwrap_or(FIRST_METRIC),
        grain: filter.grain,
    })
}

/// Which accounts and campaigns the address means.
pub fn domain_filter(filter: &PageFilter) -> kpi::Filter {
    kpi::Filter {
        platforms: filter.platforms.clone(),
        accounts: filter.accounts.clone(),
        campaigns: filter.campaigns.clone(),
    }
}

/// Which zones a page speaks of: days are counted in the tenant's, whoever looks; times are shown in that of the team.
pub fn zones(narrowed: &Narrowed) -> String {
    let days = narrowed.ctx.tenant().zone;
    if narrowed.zone == days {
        days.name().to_owned()
    } else {
        format!("days are counted in {days}, times shown in {}", narrowed.zone)
    }
}

fn subtitle(narrowed: &Narrowed, format: &Format, asked: &Query, summary: &Summary) -> String {
    let compared =
        asked.previous.map(|previous| format!(" compared with {}", format.period(previous))).unwrap_or_default();
    let as_of = summary.as_of.map(|at| format!(" · data as of {}", format.instant(at))).unwrap_or_default();
    format!("{}{compared} · {}{as_of}", format.period(asked.period), zones(narrowed))
}

fn notices(format: &Format, asked: &Query, summary: &Summary, has_figures: bool) -> Vec<String> {
    let mut notices = Vec::new();
    if summary.is_running && has_figures {
        notices
            .push(format!("The last day, {}, is still running: its figures will grow.", format.day(asked.period.to())));
    }
    if has_figures && !summary.late.is_empty() {
        let accounts: Vec<String> = summary
            .late
            .iter()
            .map(|one| format!("{} on {} up to {}", one.name, one.platform.label(), format.day(one.until)))
            .collect();
        notices.push(format!(
            "Some figures have not arrived yet: there are those of {}. The days after that will still grow.",
            accounts.join(", ")
        ));
    }
    if summary.undated_posts > 0 {
        notices.push(format!(
            "{} posts are not counted: of them only the month is known, and the period holds only a part of it. Choose whole months to count them.",
            format.count(summary.undated_posts)
        ));
    }
    notices
}

fn empty(
    ctx: &TenantContext,
    format: &Format,
    filter: &PageFilter,
    summary: &Summary,
    path: &str,
    period: Period,
) -> Body {
    if summary.accounts.is_empty() {
        let can_import = ctx.access().grants(Permission::ImportsManage);
        return Body::Empty {
            title: "No data yet".into(),
            text: if can_import {
                "Figures appear here once posts have been imported. A CSV file that your platform exports is enough; its columns may be called anything.".into()
            } else {
                "Figures appear here once posts have been imported. An owner, an admin or an editor of your organisation can do that.".into()
            },
            link: can_import.then(|| ("Import a file".into(), Place::Imports.address(ctx.tenant().slug.as_str()))),
        };
    }
    let Some(extent) = summary.extent else {
        return Body::Empty {
            title: "Nothing for these filters".into(),
            text: "No post of the chosen platforms, accounts and campaigns has been imported.".into(),
            link: Some((
                "Show all platforms and accounts".into(),
                PageFilter {
                    platforms: Vec::new(),
                    accounts: Vec::new(),
                    campaigns: Vec::new(),
                    teams: Vec::new(),
                    ..filter.clone()
                }
                .link(path),
            )),
        };
    };
    // The last month that has data, whole: figures that are known by month alone are counted in it too.
    let last = extent.to();
    let first_of_month = last.with_day(1).unwrap_or(last);
    let end_of_month = (1..=31).rev().find_map(|day| last.with_day(day)).unwrap_or(last);
    let shown = PageFilter { range: Range::Custom, custom: Some((first_of_month, end_of_month)), ..filter.clone() };
    Body::Empty {
        title: "Nothing was published in this period".into(),
        text: format!(
            "There are no posts between {}. The data reaches from {} to {}.",
            format.period(period).replace(" – ", " and "),
            format.day(extent.from()),
            format.day(extent.to())
        ),
        link: Some((format!("Show {}", format.month(last)), shown.link(path))),
    }
}

fn card(
    ctx: &TenantContext,
    format: &Format,
    filter: &PageFilter,
    asked: &Query,
    summary: &Summary,
    figure: &Figure,
) -> CardView {
    let unit = figure.kpi.unit();
    // Posts published in the period are others than those that gained something in it; the list is told which.
    let metric = (figure.kpi == Kpi::Published).then_some(Kpi::Published);
    let drill = PageFilter { metric, grain: None, ..filter.clone() };
    CardView {
        key: figure.kpi.key().into(),
        label: figure.kpi.label().into(),
        definition: figure.kpi.definition().into(),
        value: figure.value.map_or_else(|| MISSING.into(), |value| format.value(unit, value)),
        exact: figure.value.map(machine).unwrap_or_default(),
        href: figure
            .value
            .filter(|_| figure.kpi != Kpi::FollowerGrowth)
            .map(|_| drill.link(&format!("/t/{}/posts", ctx.tenant().slug))),
        change: change(format, asked, figure.kpi, figure.value, figure.previous),
        missing: figure.missing.clone(),
        coverage: coverage::words(format, figure),
        basis: match (figure.kpi, figure.basis) {
            (Kpi::Published, _) | (_, Basis::Period) => "in the period".into(),
            (_, Basis::Lifetime) => "lifetime".into(),
        },
        note: figure.note.clone(),
        spark: spark(format, asked, summary, figure),
    }
}

/// The line in a card; `None` where there are no two points to draw one through.
fn spark(format: &Format, asked: &Query, summary: &Summary, figure: &Figure) -> Option<Sparkline> {
    let (grain, days) = &summary.course;
    let known: Vec<(Decimal, String)> = figure
        .course
        .iter()
        .zip(days)
        .filter_map(|(value, day)| Some(((*value)?, format.point(*grain, *day, spans_years(asked)))))
        .collect();
    let values: Vec<Option<f64>> = figure.course.iter().map(|value| value.and_then(|value| value.to_f64())).collect();
    if values.len() < 2 || known.is_empty() {
        return None;
    }
    let path = rtv_charts::sparkline(&values, Sparkline::WIDTH, Sparkline::HEIGHT);
    let unit = figure.kpi.unit();
    let extreme =
        |one: Option<&(Decimal, String)>| one.map(|(value, day)| format!("{} ({day})", format.exact(unit, *value)));
    let low = extreme(known.iter().min_by_key(|(value, _)| *value))?;
    let high = extreme(known.iter().max_by_key(|(value, _)| *value))?;
    let gaps = match figure.course.len() - known.len() {
        0 => String::new(),
        1 => " One has no figure.".into(),
        gaps => format!(" {gaps} have no figure."),
    };
    // The last point is still growing where it is drawn at all.
    let is_last_known = figure.course.last().is_some_and(Option::is_some);
    let running = path.last.filter(|_| summary.is_running && is_last_known);
    Some(Sparkline {
        running: running.map(|(x, y)| format!("M{x:.2} {y:.2}h0")),
        line: path.d,
        area: path.area,
        text: format!(
            "{} by {}: lowest {low}, highest {high}.{gaps}{}",
            figure.kpi.label(),
            grain.label().to_lowercase(),
            if running.is_some() { " The last is still running." } else { "" }
        ),
    })
}

/// How a figure changed, in words; `None` where either value is missing. What rounds to nothing is neither better nor
/// worse: a judgement on a change that nobody can see would be noise.
fn change(
    format: &Format,
    asked: &Query,
    kpi: Kpi,
    value: Option<Decimal>,
    previous: Option<Decimal>,
) -> Option<ChangeView> {
    let (value, previous) = (value?, previous?);
    let unit = kpi.unit();
    let difference = value - previous;
    let before = asked.previous.map(|previous| format.period(previous)).unwrap_or_default();
    let compared = format!("{} in {before}", format.exact(unit, previous));
    let judge = |direction: i8| match (direction, kpi.up_is_good()) {
        (0, _) | (_, None) => None,
        (direction, Some(up_is_good)) => Some((direction > 0) == up_is_good),
    };
    if previous.is_zero() && !value.is_zero() && matches!(unit, Unit::Count | Unit::Money) {
        return Some(ChangeView {
            text: "new".into(),
            direction: 2,
            is_better: judge(if value.is_sign_negative() { -1 } else { 1 }),
            sentence: format!("it was {compared}"),
        });
    }
    let (text, shown) = match unit {
        Unit::Percent | Unit::Score => (format.difference(unit, difference), format.is_shown(unit, difference)),
        Unit::Count | Unit::Money | Unit::Multiple if previous.is_zero() => {
            (format.difference(unit, difference), format.is_shown(unit, difference))
        }
        Unit::Count | Unit::Money | Unit::Multiple => {
            let ratio = difference / previous.abs();
            (format.change(ratio), Format::is_change_shown(ratio))
        }
    };
    let direction = match (shown, difference.is_sign_negative()) {
        (false, _) => 0,
        (true, false) => 1,
        (true, true) => -1,
    };
    let is_better = judge(direction);
    let word = match (direction, is_better) {
        (0, _) if difference.is_zero() => "the same as",
        (0, _) => "about the same as",
        (_, Some(true)) => "better than",
        (_, Some(false)) => "worse than",
        (1, None) => "more than",
        (_, None) => "less than",
    };
    Some(ChangeView { text, direction, is_better, sentence: format!("{word} {compared}") })
}

/// State of the filter bar: what is chosen, or what was typed where it was refused.
pub fn filter_view(
    ctx: &TenantContext,
    pairs: &[(String, String)],
    filter: &PageFilter,
    accounts: &[Account],
    campaigns: &[Campaign],
    teams: &[Choice],
) -> FilterView {
    let typed = |name: &str| {
        pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let period = filter.period(ctx.today(), ctx.tenant().week_start).ok();
    let (from, to) = match filter.custom {
        Some((from, to)) => (from.to_string(), to.to_string()),
        None => (typed("from"), typed("to")),
    };
    let range = typed("range").parse::<Range>().unwrap_or(filter.range);
    let compare = typed("compare").parse::<Compare>().unwrap_or(filter.compare);
    let mut platforms: Vec<Platform> = accounts.iter().map(|account| account.platform).collect();
    platforms.sort_unstable();
    platforms.dedup();
    let format = Format::of(ctx.tenant());
    let step = |to: Option<Period>| {
        to.map(|to| {
            let custom = Some((to.from(), to.to()));
            let shown = PageFilter { range: Range::Custom, custom, ..filter.clone() };
            Step { query: shown.to_query(), days: format.period(to) }
        })
    };
    FilterView {
        ranges: Range::ALL
            .into_iter()
            .map(|one| ChoiceView { value: one.key().into(), label: one.label().into(), is_chosen: one == range })
            .collect(),
        from: if from.is_empty() { period.map(|period| period.from().to_string()).unwrap_or_default() } else { from },
        to: if to.is_empty() { period.map(|period| period.to().to_string()).unwrap_or_default() } else { to },
        compares: Compare::ALL
            .into_iter()
            .map(|one| ChoiceView { value: one.key().into(), label: one.label().into(), is_chosen: one == compare })
            .collect(),
        platforms: platforms
            .into_iter()
            .map(|one| ChoiceView {
                value: one.key().into(),
                label: one.label().into(),
                is_chosen: filter.platforms.contains(&one),
            })
            .collect(),
        accounts: accounts
            .iter()
            .map(|account| ChoiceView {
                value: account.id.to_string(),
                label: format!("{} · {}", account.name, account.platform.label()),
                is_chosen: filter.accounts.contains(&account.id),
            })
            .collect(),
        campaigns: campaigns
            .iter()
            .map(|campaign| (campaign.id, campaign.name.as_str()))
            .chain((!campaigns.is_empty()).then_some((CampaignId::NONE, "No campaign")))
            .map(|(id, name)| {
                // As the address writes it.
                let only = PageFilter { campaigns: vec![id], ..PageFilter::default() };
                ChoiceView {
                    value: only.to_query().trim_start_matches("campaign=").to_owned(),
                    label: name.into(),
                    is_chosen: filter.campaigns.contains(&id),
                }
            })
            .collect(),
        teams: teams
            .iter()
            .map(|team| ChoiceView {
                value: team.id.to_string(),
                label: team.name.clone(),
                is_chosen: filter.teams.contains(&team.id),
            })
            .collect(),
        hidden: [
            filter.metric.map(|metric| ("metric", metric.key())),
            filter.grain.map(|grain| ("grain", grain.key())),
        ]
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .chain(pairs.iter().filter(|(name, _)| View::NAMES.contains(&name.as_str())).cloned())
        .collect(),
        earlier: step(period.and_then(Period::earlier)),
        later: step(period.and_then(Period::later).filter(|later| later.from() <= ctx.today())),
    }
}

fn trend(
    ctx: &TenantContext,
    format: &Format,
    filter: &PageFilter,
    view: View,
    asked: &Query,
    summary: &Summary,
    marks: &[Mark],
) -> TrendView {
    let assets = expect_context::<Assets>();
    let unit = asked.metric.unit();
    let figure = summary.figures.iter().find(|figure| figure.kpi == asked.metric);
    let spans_years = spans_years(asked);
    // The address of the picture changes with the data, so that a browser may keep it and never shows old figures.
    let version = summary.as_of.map(|at| at.timestamp()).unwrap_or_default();
    let base = PageFilter {
        range: Range::Custom,
        custom: Some((asked.period.from(), asked.period.to())),
        metric: Some(asked.metric),
        grain: Some(summary.grain),
        ..filter.clone()
    };
    let hidden = PageFilter { metric: None, ..filter.clone() };
    let page = format!("/t/{}/dashboard", ctx.tenant().slug);
    let title = format!("{} by {}", asked.metric.label(), summary.grain.label().to_lowercase());
    let rows = summary
        .trend
        .iter()
        .enumerate()
        .map(|(index, point)| TrendRow {
            day: format.span(summary.grain, point.first_day, point.last_day, spans_years),
            details: partial(point, index + 1 == summary.trend.len() && summary.is_running)
                .into_iter()
                .chain(marks.iter().filter(|mark| mark.index == index).map(|mark| format!("Top post {}", mark.label)))
                .collect(),
            value: point.value.map_or_else(|| MISSING.into(), |value| format.exact(unit, value)),
            previous_day: point.previous_first_day.map(|day| format.point(summary.grain, day, spans_years)),
            previous: asked
                .previous
                .map(|_| point.previous.map_or_else(|| MISSING.into(), |value| format.exact(unit, value))),
        })
        .collect();
    let table = view! {
        <TrendTable
            title=title.clone()
            period_label=format.period(asked.period)
            previous_label=asked.previous.map(|previous| format.period(previous))
            rows
        />
    };
    TrendView {
        title,
        takeaway: takeaway(format, asked, figure),
        alt: alt(format, asked, summary),
        picture: format!("{}&v={version}", base.link(&format!("/t/{}/charts/trend.svg", ctx.tenant().slug))),
        option: format!("{}&v={version}", base.link(&format!("/t/{}/charts/trend.json", ctx.tenant().slug))),
        chart_js: assets.chart_js,
        echarts: assets.echarts,
        metrics: Kpi::ALL
            .into_iter()
            .map(|one| ChoiceView { value: one.key().into(), label: one.label().into(), is_chosen: one == asked.metric })
            .collect(),
        grains: Grain::ALL
            .into_iter()
            .map(|one| LinkView {
                label: one.label().into(),
                href: view.link(&PageFilter { grain: Some(one), ..filter.clone() }, &page),
                is_current: one == summary.grain,
            })
            .collect(),
        hidden: view
            .query(&hidden)
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        table: table.into_view().to_html(),
        note: (summary.unplaced_posts > 0).then(|| {
            format!(
                "{} posts are in the figure but not in the chart: of them only the month is known. Choose the step “Month” to see them.",
                format.count(summary.unplaced_posts)
            )
        }),
    }
}

/// What a point lacks of a whole week or month, and whether it still grows.
fn partial(point: &Point, is_running: bool) -> Option<String> {
    let days = u64::try_from((point.last_day - point.first_day).num_days() + 1).unwrap_or(0);
    match (days < point.whole_days, is_running) {
        (true, false) => Some(format!("{days} of {} days", point.whole_days)),
        (true, true) => Some(format!("{days} of {} days, still running", point.whole_days)),
        (false, true) => Some("still running".into()),
        (false, false) => None,
    }
}

/// The best three posts on the trend, where it can place them; none where the trend shows what no single post has.
fn marks(asked: &Query, summary: &Summary, ranking: &Ranking) -> Vec<Mark> {
    if ranking.kpi != asked.metric {
        return Vec::new();
    }
    ranking
        .best
        .iter()
        .take(3)
        .filter(|ranked| ranked.post.published_at.is_some() || summary.grain == Grain::Month)
        .filter_map(|ranked| {
            let after = summary.trend.partition_point(|point| point.first_day <= ranked.post.first_day);
            let title: String = ranking::title(&ranked.post).chars().take(60).collect();
            Some(Mark { index: after.checked_sub(1)?, label: format!("{}: {title}", ranked.place) })
        })
        .collect()
}

fn spans_years(asked: &Query) -> bool {
    asked.previous.unwrap_or(asked.period).from().year() != asked.period.to().year()
}

fn takeaway(format: &Format, asked: &Query, figure: Option<&Figure>) -> String {
    let label = asked.metric.label();
    let unit = asked.metric.unit();
    let Some(figure) = figure else { return String::new() };
    let Some(value) = figure.value else {
        return figure.missing.clone().unwrap_or_else(|| format!("{label} is missing in this period."));
    };
    let now = format.exact(unit, value);
    match (figure.previous, change(format, asked, figure.kpi, figure.value, figure.previous)) {
        (Some(previous), Some(change)) if change.direction == 0 && value != previous => {
            format!("{label} stayed about the same: {} before, {now} now.", format.exact(unit, previous))
        }
        (Some(_), Some(change)) if change.direction == 0 => format!("{label} stayed at {now}."),
        (Some(previous), Some(change)) => {
            let verb = if value > previous { "rose" } else { "fell" };
            let by = if change.direction == 2 { String::new() } else { format!(" ({})", change.text) };
            format!("{label} {verb} from {} to {now}{by}.", format.exact(unit, previous))
        }
        _ => format!("{label}: {now}."),
    }
}

fn alt(format: &Format, asked: &Query, summary: &Summary) -> String {
    let unit = asked.metric.unit();
    let known: Vec<(Decimal, String)> = summary
        .trend
        .iter()
        .filter_map(|point| Some((point.value?, format.point(summary.grain, point.first_day, spans_years(asked)))))
        .collect();
    let extreme =
        |best: Option<&(Decimal, String)>| best.map(|(value, day)| format!("{} ({day})", format.exact(unit, *value)));
    match (extreme(known.iter().min_by_key(|(value, _)| *value)), extreme(known.iter().max_by_key(|(value, _)| *value)))
    {
        (Some(low), Some(high)) => format!(
            "Line chart of {}; lowest {low}, highest {high}. The table below holds every value.",
            asked.metric.label()
        ),
        _ => format!("Line chart of {} without values.", asked.metric.label()),
    }
}

/// The trend as a chart, for the picture and for the chart in the browser.
pub async fn trend_chart(ctx: &TenantContext, filter: &PageFilter) -> Result<TrendChart, Error> {
    let asked = question(ctx, filter)?;
    let summary = kpi::summary(ctx, &asked).await?;
    // A chart without marks is better than none.
    let marks = if asked.metric.is_of_a_post() {
        let ranking = rtv_domain::ranking::read(ctx, &asked, &summary.accounts, &summary.campaigns).await;
        ranking.map(|ranking| marks(&asked, &summary, &ranking)).unwrap_or_default()
    } else {
        Vec::new()
    };
    let format = Format::of(ctx.tenant());
    let spans_years = spans_years(&asked);
    let values = |pick: fn(&kpi::Point) -> Option<Decimal>| -> Vec<Option<f64>> {
        summary.trend.iter().map(|point| pick(point).and_then(|value| value.to_f64())).collect()
    };
    let mut series =
        vec![Series { name: format.period(asked.period), values: values(|point| point.value), role: Role::Current }];
    if let Some(previous) = asked.previous {
        series.push(Series {
            name: format.period(previous),
            values: values(|point| point.previous),
            role: Role::Previous,
        });
    }
    let figure = summary.figures.iter().find(|figure| figure.kpi == asked.metric);
    Ok(TrendChart {
        title: format!("{} by {}", asked.metric.label(), summary.grain.label().to_lowercase()),
        summary: alt(&format, &asked, &summary),
        unit: match asked.metric.unit() {
            Unit::Count => ChartUnit::Count,
            Unit::Percent => ChartUnit::Percent,
            Unit::Score => ChartUnit::Score,
            Unit::Money => ChartUnit::Money(ctx.tenant().currency.clone()),
            Unit::Multiple => ChartUnit::Ratio,
        },
        categories: summary
            .trend
            .iter()
            .enumerate()
            .map(|(index, point)| {
                let name = format.point(summary.grain, point.first_day, spans_years);
                match partial(point, index + 1 == summary.trend.len() && summary.is_running) {
                    Some(partial) => format!("{name} ({partial})"),
                    None => name,
                }
            })
            .collect(),
        series,
        marks,
        numbers: number_style(ctx.tenant()),
        font_family: "system-ui, -apple-system, \"Segoe UI\", Roboto, \"DejaVu Sans\", sans-serif".into(),
        no_data: figure.and_then(|figure| figure.missing.clone()).unwrap_or_else(|| "No values in this period.".into()),
    })
}

/// How charts write the tenant's numbers.
pub(crate) fn number_style(tenant: &rtv_domain::Tenant) -> NumberStyle {
    if tenant.locale.starts_with("en") {
        return NumberStyle::ENGLISH;
    }
    let format = Format::of(tenant);
    NumberStyle { decimal: format.decimal_mark(), group: format.group_mark(), ..NumberStyle::ENGLISH }
}
