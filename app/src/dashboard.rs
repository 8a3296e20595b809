//! `/t/{tenant}/dashboard`: the ten KPIs of a period with comparison, coverage, basis and as-of, the trend, scorecards,
//! best and weakest posts, and the week by hour, each drawing with its table. Everything stands in the first HTML; the browser only makes filters quicker and the chart answer the pointer.

pub mod api;
mod cards;
mod filter;
#[cfg(feature = "ssr")]
mod present;
mod ranking;
mod scorecard;
mod trend;
mod week;

pub use filter::{AccountOption, ChoiceView, FilterBarView, FilterView, Step, hidden_fields, pairs, select_options};
#[cfg(feature = "ssr")]
pub use present::{domain_filter, filter_view, trend_chart};

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use rtv_ui::{Card, EmptyState, ErrorSummary, IconName, LinkButton, Notice, PageHeader, Tone, Variant};
use serde::{Deserialize, Serialize};

use crate::dashboard::cards::Cards;
use crate::dashboard::ranking::{Ranking, RankingView};
use crate::dashboard::scorecard::{Scorecard, ScorecardView};
use crate::dashboard::trend::Trend;
use crate::dashboard::week::{Week, WeekView};
use crate::not_found::FailedPage;
use crate::page::{Framed, Place, TenantPage};

/// Everything that the page shows, written for people on the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dashboard {
    subtitle: String,
    filter: FilterView,
    errors: Vec<(String, String)>,
    notices: Vec<String>,
    body: Body,
}

/// The page below its filters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Body {
    /// The filters were refused; nothing is shown that was not asked for.
    Refused,
    /// There are no figures, and what to do about it.
    Empty { title: String, text: String, link: Option<(String, String)> },
    /// The figures.
    Figures { cards: Vec<CardView>, trend: Box<TrendView>, panels: Box<Panels> },
}

/// What stands below the trend. Each is asked for by itself, so that one which fails leaves the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Panels {
    scorecard: Panel<ScorecardView>,
    ranking: Panel<RankingView>,
    week: Panel<WeekView>,
}

/// A part of the page, or why it is not there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Panel<T> {
    /// It is there.
    Shown(T),
    /// It is not: what to do, and the request's id.
    Failed { explanation: String, request_id: String },
}

/// A link, one of several of which one may be in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkView {
    /// For people.
    pub label: String,
    /// Where to.
    pub href: String,
    /// Whether it leads to what is shown.
    pub is_current: bool,
}

/// One KPI.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CardView {
    key: String,
    label: String,
    definition: String,
    value: String,
    exact: String,
    href: Option<String>,
    change: Option<ChangeView>,
    missing: Option<String>,
    coverage: Option<String>,
    basis: String,
    note: Option<String>,
    spark: Option<SparkView>,
}

/// The line in a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SparkView {
    line: String,
    area: String,
    running: Option<String>,
    text: String,
}

/// How a KPI changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeView {
    text: String,
    /// −1, 0 or 1; 2 is new.
    direction: i8,
    /// Whether that is good; `None` where neither is.
    is_better: Option<bool>,
    sentence: String,
}

/// The trend chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrendView {
    title: String,
    takeaway: String,
    alt: String,
    picture: String,
    option: String,
    chart_js: String,
    echarts: String,
    metrics: Vec<ChoiceView>,
    grains: Vec<LinkView>,
    hidden: Vec<(String, String)>,
    period_label: String,
    previous_label: Option<String>,
    rows: Vec<TrendRow>,
    note: Option<String>,
}

/// One point of the trend, for the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrendRow {
    day: String,
    /// Why it is no whole point, and the top posts in it.
    details: Vec<String>,
    value: String,
    previous_day: Option<String>,
    previous: Option<String>,
}

/// The page.
#[component]
pub fn DashboardPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let page = Resource::new(
        move || (params.read().get("tenant").unwrap_or_default(), filter::pairs(&query.read())),
        |(tenant, query)| api::read_dashboard(tenant, query),
    );
    view! {
        <Transition>
            {move || Suspend::new(async move {
                match page.await {
                    Ok(page) => view! { <Page page /> }.into_any(),
                    Err(error) => view! { <FailedPage error /> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Page(page: Framed<Dashboard>) -> impl IntoView {
    let Dashboard { subtitle, filter, errors, notices, body } = page.content;
    let path = format!("/t/{}/dashboard", page.frame.slug);
    let is_refused = matches!(body, Body::Refused);
    let body = match body {
        Body::Refused => ().into_any(),
        Body::Empty { title, text, link } => {
            let action =
                link.map(|(label, href)| view! { <LinkButton href variant=Variant::Primary>{label}</LinkButton> });
            view! { <EmptyState icon=IconName::Calendar title text action=view! { {action} }.into_any() /> }.into_any()
        }
        Body::Figures { cards, trend, panels } => {
            let Panels { scorecard, ranking, week } = *panels;
            view! {
                <Cards cards />
                <Trend trend=*trend path=path.clone() theme=page.frame.preference.theme />
                {panel("Scorecards", scorecard, |card| view! { <Scorecard card /> }.into_any())}
                <div class="l-grid" data-columns="2">
                    {panel("Best and weakest posts", ranking, |ranking| view! { <Ranking ranking /> }.into_any())}
                    {panel("Weekday and hour", week, |week| view! { <Week week /> }.into_any())}
                </div>
            }
            .into_any()
        }
    };
    view! {
        <TenantPage frame=page.frame place=Place::Dashboard is_refused>
            <ErrorSummary errors=errors.clone() />
            <PageHeader title="Executive dashboard" subtitle />
            <FilterBarView filter errors path />
            {notices.into_iter().map(|text| view! { <Notice tone=Tone::Info>{text}</Notice> }).collect_view()}
            {body}
        </TenantPage>
    }
}

fn panel<T>(title: &'static str, panel: Panel<T>, shown: impl FnOnce(T) -> AnyView) -> AnyView {
    match panel {
        Panel::Shown(content) => shown(content),
        Panel::Failed { explanation, request_id } => view! {
            <Card title>
                <Notice tone=Tone::Danger>
                    {format!("This part could not be loaded; the rest of the page is complete. {explanation} Request id: {request_id}")}
                </Notice>
            </Card>
        }
        .into_any(),
    }
}
