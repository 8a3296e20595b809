//! `/t/{tenant}/imports`: a file is chosen here, and every file that came before is listed with what became of it.
//! What follows the upload has an address of its own, see `one.rs`; every step is a plain form.

pub mod api;
mod columns;
#[cfg(feature = "ssr")]
mod form;
#[cfg(feature = "ssr")]
mod mapping;
mod one;
#[cfg(feature = "ssr")]
mod present;
#[cfg(feature = "ssr")]
mod roll_back;
mod upload;
mod working;

#[cfg(feature = "ssr")]
pub use form::{new_name, settings};
pub use one::ImportPage;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use rtv_ui::{Badge, Card, EmptyState, ErrorSummary, IconName, LinkButton, PageHeader, Pager, Table, Tone};
use serde::{Deserialize, Serialize};

use crate::import::upload::UploadForm;
use crate::page::{DrawnPage, Framed, GuardedPage, Place, TenantPage};

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imports {
    /// Which files are taken, in a sentence.
    accepted: String,
    /// How much room the tenant's files take; nothing while there are none.
    usage: Option<String>,
    mappings: usize,
    rows: Vec<ImportRow>,
    summary: String,
    first: Option<String>,
    next: Option<String>,
}

/// One import in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRow {
    id: String,
    href: String,
    file_name: String,
    detail: String,
    state: StateView,
    when: String,
    actor: String,
    outcome: String,
    /// Where it can be taken back.
    roll_back: Option<String>,
}

/// Where an import stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateView {
    key: String,
    label: String,
    /// 0 neutral, 1 under way, 2 good, 3 to be looked at, 4 bad.
    tone: u8,
}

impl StateView {
    const fn tone(&self) -> Tone {
        match self.tone {
            1 => Tone::Info,
            2 => Tone::Success,
            3 => Tone::Warning,
            4 => Tone::Danger,
            _ => Tone::Neutral,
        }
    }
}

/// The word for where an import stands.
#[component]
fn StateBadge(state: StateView) -> impl IntoView {
    let tone = state.tone();
    view! { <Badge tone>{state.label}</Badge> }
}

/// The saved mappings.
#[component]
pub fn MappingsPage() -> impl IntoView {
    let params = use_params_map();
    let page = Resource::new(move || params.read().get("tenant").unwrap_or_default(), api::read_mappings);
    view! { <DrawnPage page place=Place::Imports /> }
}

/// What a roll-back would do.
#[component]
pub fn RollBackPage() -> impl IntoView {
    let params = use_params_map();
    let page = Resource::new(
        move || {
            let params = params.read();
            (params.get("tenant").unwrap_or_default(), params.get("import").unwrap_or_default())
        },
        |(tenant, import)| api::read_roll_back(tenant, import),
    );
    view! { <DrawnPage page place=Place::Imports /> }
}

/// The page.
#[component]
pub fn ImportsPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let page = Resource::new(
        move || (params.read().get("tenant").unwrap_or_default(), crate::dashboard::pairs(&query.read())),
        |(tenant, query)| api::read_imports(tenant, query),
    );
    let show = |page| view! { <Page page /> }.into_any();
    view! { <GuardedPage page place=Place::Imports show /> }
}

#[component]
fn Page(page: Framed<Imports>) -> impl IntoView {
    let Framed { frame, content } = page;
    let Imports { accepted, usage, mappings, rows, summary, first, next } = content;
    let path = format!("/t/{}/imports", frame.slug);
    let flash = frame.flash.clone().unwrap_or_default();
    let file_error = flash.error("file");
    let is_refused = !flash.errors.is_empty();
    let is_empty = rows.is_empty() && first.is_none();
    let sample = format!("{path}/sample.csv");
    let history = if is_empty {
        view! {
            <EmptyState
                icon=IconName::Imports
                title="Nothing has been imported yet"
                text="Your first file fills the dashboard. It needs one row for each post, a column that says when the post was published, and a column for each figure that you have: reactions, comments, shares, clicks, impressions, reach, conversions, revenue. The columns may be called anything and stand in any order."
                action=view! { <LinkButton href=sample.clone() icon=IconName::Export external=true>"Download a sample file"</LinkButton> }.into_any()
            />
        }
        .into_any()
    } else {
        view! {
            <Card title="History" flush=true>
                <History rows />
                <Pager summary newer=first older=next newer_label="Newest" older_label="Older" label="Pages of imports" />
            </Card>
        }
        .into_any()
    };
    let saved = (mappings > 0).then(|| {
        let label = if mappings == 1 { "1 saved mapping".to_owned() } else { format!("{mappings} saved mappings") };
        view! { <LinkButton href=format!("{path}/mappings") icon=IconName::Table>{label}</LinkButton> }
    });
    view! {
        <TenantPage frame place=Place::Imports is_refused>
            <ErrorSummary errors=flash.errors />
            <PageHeader
                title="Imports"
                subtitle="Bring your figures in from a file. Nothing is stored before you have seen what will be."
                actions=view! { {saved} }.into_any()
            />
            <div class="l-sidebar">
                <Card title="Import a file">
                    <UploadForm path accepted usage error=file_error />
                </Card>
                <Card title="What happens then">
                  <div class="l-stack" data-gap="3">
                    <ol class="c-import-course">
                        <li><strong>"Columns. "</strong>"RTV guesses what each column means, and you correct it. What could be read in two ways, like 03/04/2026, is asked."</li>
                        <li><strong>"Check. "</strong>"The whole file is read. You see how many posts are new, changed or refused, and why."</li>
                        <li><strong>"Import. "</strong>"All of it is stored, or nothing. You can take it back later."</li>
                    </ol>
                    {(!is_empty).then(|| view! { <p class="u-small"><a href=sample rel="external">"Download a sample file"</a></p> })}
                  </div>
                </Card>
            </div>
            {history}
        </TenantPage>
    }
}

#[component]
fn History(rows: Vec<ImportRow>) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let label = format!("Roll back {}…", row.file_name);
            let key = row.state.key.clone();
            let action =
                row.roll_back.map(|href| view! { <LinkButton href small=true label>"Roll back…"</LinkButton> });
            view! {
                <tr data-row=row.id data-state=key>
                    <th scope="row" data-label="File">
                        <a class="u-truncate" href=row.href>{row.file_name}</a>
                        <span class="c-table__detail">{row.detail}</span>
                    </th>
                    <td data-label="State"><StateBadge state=row.state /></td>
                    <td data-label="Outcome"><span class="c-import-outcome">{row.outcome}</span></td>
                    <td data-label="When" class="u-nowrap">{row.when}</td>
                    <td data-label="Who">{row.actor}</td>
                    <td class="c-table__actions">{action}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table caption="Imports, newest first" id="imports">
            <thead>
                <tr>
                    <th scope="col">"File"</th>
                    <th scope="col">"State"</th>
                    <th scope="col">"Outcome"</th>
                    <th scope="col">"When"</th>
                    <th scope="col">"Who"</th>
                    <th scope="col"><span class="u-visually-hidden">"Actions"</span></th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </Table>
    }
}
