//! `/t/{tenant}/reports`: what marketers build for clients, and what was made of it. All of it is drawn on the server; forms are
//! posted to routes of `server/src/http/report.rs`.

pub mod api;
#[cfg(feature = "ssr")]
mod builder;
#[cfg(feature = "ssr")]
mod changed;
#[cfg(feature = "ssr")]
pub mod chart;
#[cfg(feature = "hydrate")]
mod edit;
pub mod handout;
#[cfg(feature = "ssr")]
mod list;
#[cfg(feature = "hydrate")]
mod live;
#[cfg(feature = "hydrate")]
mod outline;
#[cfg(feature = "ssr")]
mod present;
#[cfg(feature = "ssr")]
mod run;
#[cfg(feature = "ssr")]
mod schedule;
#[cfg(feature = "ssr")]
mod sheet;
#[cfg(feature = "ssr")]
mod version;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::page::{DrawnPage, Place};

/// Id of the words that stand ready for when an edit gets no answer.
const EDIT_TROUBLE: &str = "edit-trouble";

/// What of the reports an address names.
#[derive(Clone, Copy)]
enum Part {
    List,
    Builder,
    Versions,
    Run,
    Schedules,
    Schedule,
    Table,
    RunTable,
    Inbox,
}

/// The list.
#[component]
pub fn ReportsPage() -> impl IntoView {
    page(Part::List)
}

/// One report, to build it.
#[component]
pub fn ReportPage() -> impl IntoView {
    page(Part::Builder)
}

/// The versions of a report.
#[component]
pub fn ReportVersionsPage() -> impl IntoView {
    page(Part::Versions)
}

/// What was made of a report once.
#[component]
pub fn ReportRunPage() -> impl IntoView {
    page(Part::Run)
}

/// The whole of a table of which the report shows a part.
#[component]
pub fn ReportTablePage() -> impl IntoView {
    page(Part::Table)
}

/// The whole of a table as a run kept it.
#[component]
pub fn ReportRunTablePage() -> impl IntoView {
    page(Part::RunTable)
}

/// When a report is made by itself.
#[component]
pub fn ReportSchedulesPage() -> impl IntoView {
    page(Part::Schedules)
}

/// One of its schedules.
#[component]
pub fn ReportSchedulePage() -> impl IntoView {
    page(Part::Schedule)
}

/// What schedules have sent to the reader.
#[component]
pub fn ReportInboxPage() -> impl IntoView {
    page(Part::Inbox)
}

fn page(part: Part) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    outline::listen();
    let params = use_params_map();
    let query = use_query_map();
    let page = Resource::new(
        move || {
            let params = params.read();
            let word = |name: &str| params.get(name).unwrap_or_default();
            let path = match part {
                Part::List => Vec::new(),
                Part::Builder => vec![word("report")],
                Part::Versions => vec![word("report"), "versions".to_owned()],
                Part::Schedules => vec![word("report"), "schedules".to_owned()],
                Part::Schedule => vec![word("report"), "schedules".to_owned(), word("schedule")],
                Part::Inbox => vec!["inbox".to_owned()],
                Part::Run => vec![word("report"), "runs".to_owned(), word("run")],
                Part::RunTable => {
                    vec![word("report"), "runs".to_owned(), word("run"), "tables".to_owned(), word("block")]
                }
                Part::Table => vec![word("report"), "tables".to_owned(), word("block")],
            };
            (word("tenant"), path, crate::dashboard::pairs(&query.read()))
        },
        |(tenant, path, query)| api::read_report(tenant, path, query),
    );
    #[cfg(feature = "hydrate")]
    edit::follow(move || page.refetch());
    #[cfg(feature = "hydrate")]
    Effect::new(move || {
        page.track();
        live::look();
    });
    view! { <DrawnPage page place=Place::Reports /> }
}
