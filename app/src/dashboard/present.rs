//! From the domain's typed figures to the words and numbers that people read. Runs on the server only.

use chrono::Datelike;
use leptos::prelude::expect_context;
use rtv_charts::{NumberStyle, Role, Series, TrendChart, Unit as ChartUnit};
use rtv_core::filter::PageFilter;
use rtv_core::kpi::{Basis, Kpi, Unit};
use rtv_core::period::{Compare, Grain, Period, Range};
use rtv_core::{Error, Platform};
use rtv_domain::TenantContext;
use rtv_domain::account::Account;
use rtv_domain::format::{Format, MISSING, machine};
use rtv_domain::kpi::{self, Coverage, Figure, Query, Summary};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::dashboard::{Body, CardView, ChangeView, ChoiceView, Dashboard, FilterView, TrendRow, TrendView};
use crate::request::Assets;

/// Metric of the trend where the address names none.
const FIRST_METRIC: Kpi = Kpi::Engagements;

/// Asks the domain and words the answer. Filters that are refused are shown with what was typed.
pub(super) async fn dashboard(ctx: &TenantContext, pairs: &[(String, String)]) -> Result<Dashboard, Error> {
    let filter = match PageFilter::parse(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))) {
        Ok(filter) => filter,
        Err(Error::Invalid(errors)) => return refused(ctx, pairs, errors).await,
        Err(other) => return Err(other),
    };
    let asked = question(ctx, &filter)?;
    let summary = match kpi::summary(ctx, &asked).await {
        Ok(summary) => summary,
        Err(Error::Invalid(errors)) => return refused(ctx, pairs, errors).await,
        Err(other) => return Err(other),
    };
    let format = Format::of(ctx.tenant());
    let path = format!("/t/{}/dashboard", ctx.tenant().slug);
    // Nothing published is no figure worth a page; every other value is one.
    let has_something = summary
        .figures
        .iter()
        .any(|figure| figure.value.is_some_and(|value| figure.kpi != Kpi::Published || !value.is_zero()));
    let body = if has_something {
        Body::Figures {
            cards: summary.figures.iter().map(|figure| card(ctx, &format, &filter, &asked, figure)).collect(),
            trend: Box::new(trend(ctx, &format, &filter, &asked, &summary)),
        }
    } else {
        empty(&format, &filter, &summary, &path, asked.period)
    };
    Ok(Dashboard {
        subtitle: subtitle(ctx, &format, &asked, &summary),
        filter: filter_view(ctx, pairs, &filter, &summary.accounts),
        errors: Vec::new(),
        notices: notices(&format, &asked, &summary, has_something),
        body,
    })
}

async fn refused(
    ctx: &TenantContext,
    pairs: &[(String, String)],
    errors: Vec<rtv_core::FieldError>,
) -> Result<Dashboard, Error> {
    crate::request::set_status(422);
    let accounts = rtv_domain::account::list(ctx).await?;
    Ok(Dashboard {
        subtitle: "The filters below were not applied.".into(),
        filter: filter_view(ctx, pairs, &PageFilter::default(), &accounts),
        errors: errors.into_iter().map(|error| (error.field, error.message)).collect(),
        notices: Vec::new(),
        body: Body::Refused,
    })
}

/// The domain's question out of the address.
fn question(ctx: &TenantContext, filter: &PageFilter) -> Result<Query, Error> {
    let period = filter.period(ctx.today())?;
    Ok(Query {
        period,
        previous: filter.compare.period(period),
        filter: kpi::Filter { platforms: filter.platforms.clone(), accounts: filter.accounts.clone() },
        metric: filter.metric.unwrap_or(FIRST_METRIC),
        grain: filter.grain,
    })
}

fn subtitle(ctx: &TenantContext, format: &Format, asked: &Query, summary: &Summary) -> String {
    let compared =
        asked.previous.map(|previous| format!(" compared with {}", format.period(previous))).unwrap_or_default();
    let as_of = summary.as_of.map(|at| format!(" · data as of {}", format.instant(at))).unwrap_or_default();
    format!("{}{compared} · {}{as_of}", format.period(asked.period), ctx.tenant().zone)
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

fn empty(format: &Format, filter: &PageFilter, summary: &Summary, path: &str, period: Period) -> Body {
    if summary.accounts.is_empty() {
        return Body::Empty {
            title: "No data yet".into(),
            text: "Figures appear here once posts have been imported. Ask your operator to import the export file of your platform with “rtv migrate import”.".into(),
            link: None,
        };
    }
    let Some(extent) = summary.extent else {
        return Body::Empty {
            title: "Nothing for these filters".into(),
            text: "No post of the chosen platforms and accounts has been imported.".into(),
            link: Some((
                "Show all platforms and accounts".into(),
                PageFilter { platforms: Vec::new(), accounts: Vec::new(), ..filter.clone() }.link(path),
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

fn card(ctx: &TenantContext, format: &Format, filter: &PageFilter, asked: &Query, figure: &Figure) -> CardView {
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
        change: change(format, asked, figure),
        missing: figure.missing.clone(),
        coverage: coverage(format, figure),
        basis: match (figure.kpi, figure.basis) {
            (Kpi::Published, _) | (_, Basis::Period) => "in the period".into(),
            (_, Basis::Lifetime) => "lifetime".into(),
        },
        note: figure.note.clone(),
        daily: figure.daily.iter().map(|value| value.and_then(|value| value.to_f64())).collect(),
    }
}

fn coverage(format: &Format, figure: &Figure) -> Option<String> {
    let coverage: Coverage = figure.coverage;
    if coverage.platforms == 0 || figure.kpi == Kpi::Published {
        return None;
    }
    let counted = match figure.basis {
        Basis::Lifetime => "posts",
        Basis::Period => "daily figures of posts",
    };
    let platforms = if coverage.of_platforms == 1 { "platform reports" } else { "platforms report" };
    let posts = if coverage.posts < coverage.of_posts {
        format!(", {} of {} {counted}", format.count(coverage.posts), format.count(coverage.of_posts))
    } else {
        String::new()
    };
    Some(format!("{} of {} {platforms} this{posts}", coverage.platforms, coverage.of_platforms))
}

fn change(format: &Format, asked: &Query, figure: &Figure) -> Option<ChangeView> {
    let (value, previous) = (figure.value?, figure.previous?);
    let unit = figure.kpi.unit();
    let difference = value - previous;
    let direction = if difference.is_zero() {
        0
    } else if difference.is_sign_positive() {
        1
    } else {
        -1
    };
    let is_better = match (direction, figure.kpi.up_is_good()) {
        (0, _) | (_, None) => None,
        (direction, Some(up_is_good)) => Some((direction > 0) == up_is_good),
    };
    let before = asked.previous.map(|previous| format.period(previous)).unwrap_or_default();
    let compared = format!("{} in {before}", format.exact(unit, previous));
    if previous.is_zero() && !value.is_zero() && matches!(unit, Unit::Count | Unit::Money) {
        return Some(ChangeView {
            text: "new".into(),
            direction: 2,
            is_better,
            sentence: format!("it was {compared}"),
        });
    }
    let text = match unit {
        Unit::Percent | Unit::Score => format.difference(unit, difference),
        Unit::Count | Unit::Money | Unit::Multiple if previous.is_zero() => format.difference(unit, difference),
        Unit::Count | Unit::Money | Unit::Multiple => format.change(difference / previous.abs()),
    };
    let word = match (direction, is_better) {
        (0, _) => "the same as",
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
) -> FilterView {
    let typed = |name: &str| {
        pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let period = filter.period(ctx.today()).ok();
    let (from, to) = match filter.custom {
        Some((from, to)) => (from.to_string(), to.to_string()),
        None => (typed("from"), typed("to")),
    };
    let range = typed("range").parse::<Range>().unwrap_or(filter.range);
    let compare = typed("compare").parse::<Compare>().unwrap_or(filter.compare);
    let mut platforms: Vec<Platform> = accounts.iter().map(|account| account.platform).collect();
    platforms.sort_unstable();
    platforms.dedup();
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
        hidden: [
            filter.metric.map(|metric| ("metric", metric.key())),
            filter.grain.map(|grain| ("grain", grain.key())),
        ]
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect(),
    }
}

fn trend(ctx: &TenantContext, format: &Format, filter: &PageFilter, asked: &Query, summary: &Summary) -> TrendView {
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
    let hidden = PageFilter { metric: None, grain: None, ..filter.clone() };
    TrendView {
        title: format!("{} by {}", asked.metric.label(), summary.grain.label().to_lowercase()),
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
            .map(|one| ChoiceView { value: one.key().into(), label: one.label().into(), is_chosen: one == summary.grain })
            .collect(),
        hidden: hidden
            .to_query()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        period_label: format.period(asked.period),
        previous_label: asked.previous.map(|previous| format.period(previous)),
        rows: summary
            .trend
            .iter()
            .map(|point| TrendRow {
                day: format.point(summary.grain, point.first_day, spans_years),
                value: point.value.map_or_else(|| MISSING.into(), |value| format.exact(unit, value)),
                previous_day: point.previous_first_day.map(|day| format.point(summary.grain, day, spans_years)),
                previous: asked.previous.map(|_| point.previous.map_or_else(|| MISSING.into(), |value| format.exact(unit, value))),
            })
            .collect(),
        note: (summary.unplaced_posts > 0).then(|| {
            format!(
                "{} posts are in the figure but not in the chart: of them only the month is known. Choose the step “Month” to see them.",
                format.count(summary.unplaced_posts)
            )
        }),
    }
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
    match (figure.previous, change(format, asked, figure)) {
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
            .map(|point| format.point(summary.grain, point.first_day, spans_years))
            .collect(),
        series,
        marks: Vec::new(),
        numbers: if ctx.tenant().locale.starts_with("en") {
            NumberStyle::ENGLISH
        } else {
            NumberStyle { decimal: format.decimal_mark(), group: format.group_mark(), ..NumberStyle::ENGLISH }
        },
        font_family: "system-ui, -apple-system, \"Segoe UI\", Roboto, \"DejaVu Sans\", sans-serif".into(),
        no_data: figure.and_then(|figure| figure.missing.clone()).unwrap_or_else(|| "No values in this period.".into()),
    })
}
