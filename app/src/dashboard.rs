//! `/t/{tenant}/dashboard`: the ten KPIs of a period with comparison, coverage, basis and as-of, and the trend with its
//! table. Everything stands in the first HTML; the browser only makes filters quicker and the chart answer the pointer.

pub mod api;
mod cards;
mod filter;
#[cfg(feature = "ssr")]
mod present;
mod trend;

pub use filter::{AccountOption, ChoiceView, FilterBarView, FilterView, hidden_fields, pairs, select_options};
#[cfg(feature = "ssr")]
pub use present::{filter_view, trend_chart};

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use rtv_ui::{EmptyState, ErrorSummary, IconName, LinkButton, Notice, PageHeader, Tone, Variant};
use serde::{Deserialize, Serialize};

use crate::dashboard::cards::Cards;
use crate::dashboard::trend::Trend;
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
    Figures { cards: Vec<CardView>, trend: Box<TrendView> },
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
    daily: Vec<Option<f64>>,
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
    grains: Vec<ChoiceView>,
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
        Body::Figures { cards, trend } => view! {
            <Cards cards />
            <Trend trend=*trend path=path.clone() />
        }
        .into_any(),
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
