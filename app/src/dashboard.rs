//! `/t/{tenant}/dashboard`: the ten KPIs of a period with comparison, coverage, basis and as-of, the trend, scorecards,
//! best and weakest posts, and the week by hour, each drawing with its table. Everything stands in the first HTML; the browser only makes filters quicker and the chart answer the pointer.

pub mod api;
#[cfg(feature = "ssr")]
mod cards;
mod filter;
#[cfg(feature = "ssr")]
mod present;
#[cfg(feature = "ssr")]
mod ranking;
#[cfg(feature = "ssr")]
mod scorecard;
mod trend;
#[cfg(feature = "ssr")]
mod trend_table;
#[cfg(feature = "ssr")]
mod week;

#[cfg(feature = "ssr")]
pub(crate) use filter::day;
pub use filter::{
    AccountOption, AddressForm, ChoiceView, FilterBarView, FilterView, Step, hidden_fields, pairs, select_options,
};
#[cfg(feature = "ssr")]
pub(crate) use present::number_style;
#[cfg(feature = "ssr")]
pub use present::{domain_filter, filter_view, trend_chart, zones};

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use rtv_ui::{EmptyState, ErrorSummary, IconName, LinkButton, Notice, PageHeader, Tone, Variant};
use serde::{Deserialize, Serialize};

use crate::dashboard::trend::Trend;
use crate::page::{Framed, GuardedPage, Place, TenantPage};

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
    Figures { trend: Box<TrendView>, panels: Box<Panels> },
}

/// What stands around the trend, as HTML. It is read and followed, and nothing in it answers to a script; made on the
/// server alone, it is not made a second time by the browser, where it took longer than all the rest of the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Panels {
    cards: String,
    scorecard: String,
    ranking: String,
    week: String,
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
    /// The data behind the chart, as HTML: read, and never changed by a script.
    table: String,
    note: Option<String>,
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
    let show = |page| view! { <Page page /> }.into_any();
    view! { <GuardedPage page place=Place::Dashboard show /> }
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
        Body::Figures { trend, panels } => {
            let Panels { cards, scorecard, ranking, week } = *panels;
            view! {
                <div inner_html=cards></div>
                <Trend trend=*trend path=path.clone() theme=page.frame.preference.theme />
                <div class="l-below" inner_html=scorecard></div>
                <div class="l-grid l-below" data-columns="2" inner_html=format!("{ranking}{week}")></div>
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
