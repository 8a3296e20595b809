//! `/t/{tenant}/imports/{import}`: one import. The page shows the step at which it stands, so that it can be left and
//! come back to at any time.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use rtv_ui::{
    Button, Card, Crumb, Definition, DefinitionList, ErrorSummary, IconName, LinkButton, Notice, PageHeader, Step,
    StepState, Steps, Table, Tally, TallyList, Tone, Variant,
};
use serde::{Deserialize, Serialize};

use crate::import::columns::{Columns, ColumnsView, Notes, PreviewCard, PreviewView};
use crate::import::working::{ProgressView, Working};
use crate::import::{StateBadge, StateView, api};
use crate::page::{Framed, GuardedPage, Place, TenantPage};

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    pub(super) id: String,
    pub(super) file_name: String,
    pub(super) subtitle: String,
    pub(super) state: StateView,
    /// How many of the four steps are done; `None` where the import has ended without them.
    pub(super) step: Option<usize>,
    /// The page on which columns are said, where that can be gone back to.
    pub(super) columns_href: Option<String>,
    pub(super) errors: Vec<(String, String)>,
    pub(super) notices: Vec<NoticeView>,
    pub(super) body: Body,
    pub(super) facts: Vec<(String, String)>,
    pub(super) can_cancel: bool,
}

/// A remark above the content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeView {
    /// 1 to know, 2 good, 3 to be looked at, 4 bad.
    pub(super) tone: u8,
    pub(super) text: String,
    pub(super) link: Option<(String, String)>,
}

/// What the step shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Body {
    /// What the columns mean.
    Columns(Box<ColumnsView>),
    /// Work is going on.
    Working(ProgressView),
    /// What the check has found, and whether to go on.
    Checked(Box<OutcomeView>),
    /// How it ended.
    Ended(Box<OutcomeView>),
}

/// Counts and what stands behind them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeView {
    pub(super) tallies: Vec<TallyView>,
    /// What the posts are, in sentences.
    pub(super) about: Vec<String>,
    pub(super) reasons: Vec<ReasonRow>,
    /// The file of the refused rows.
    pub(super) refused_file: Option<String>,
    pub(super) contradictions: Option<Contradictions>,
    pub(super) notes: Vec<String>,
    pub(super) preview: Option<PreviewView>,
    /// The words of the button that goes on.
    pub(super) start: Option<String>,
    /// Where to go from here.
    pub(super) links: Vec<(String, String)>,
    pub(super) roll_back: Option<String>,
}

/// One count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TallyView {
    pub(super) key: String,
    pub(super) label: String,
    pub(super) value: String,
    pub(super) exact: String,
    pub(super) note: String,
    pub(super) is_warning: bool,
}

/// Why rows were refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonRow {
    pub(super) rows: String,
    pub(super) column: String,
    pub(super) reason: String,
    pub(super) first: String,
}

/// Posts that stand in the file more than once with different content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contradictions {
    pub(super) summary: String,
    pub(super) rows: Vec<ContradictionRow>,
}

/// One of the rows that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContradictionRow {
    pub(super) post: String,
    pub(super) row: String,
    pub(super) is_kept: bool,
    pub(super) differs: String,
}

/// The page.
#[component]
pub fn ImportPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let page = Resource::new(
        move || {
            let params = params.read();
            let query = crate::dashboard::pairs(&query.read());
            (params.get("tenant").unwrap_or_default(), params.get("import").unwrap_or_default(), query)
        },
        |(tenant, import, query)| api::read_import(tenant, import, query),
    );
    let reload = Callback::new(move |()| page.refetch());
    let show = move |page| view! { <Page page reload /> }.into_any();
    view! { <GuardedPage page place=Place::Imports show /> }
}

#[component]
fn Page(page: Framed<Import>, reload: Callback<()>) -> impl IntoView {
    let Framed { frame, content } = page;
    let Import { id, file_name, subtitle, state, step, columns_href, errors, notices, body, facts, can_cancel } =
        content;
    let tenant = frame.slug.clone();
    let path = format!("/t/{tenant}/imports/{id}");
    let is_refused = !errors.is_empty();
    let crumbs = vec![Crumb { label: file_name.clone(), href: None }];
    let steps = step.map(|done| {
        let steps = ["Upload", "Columns", "Check", "Import"]
            .into_iter()
            .enumerate()
            .map(|(index, label)| Step {
                label: label.into(),
                state: match index.cmp(&done) {
                    core::cmp::Ordering::Less => StepState::Done,
                    core::cmp::Ordering::Equal => StepState::Current,
                    core::cmp::Ordering::Greater => StepState::Ahead,
                },
                href: columns_href.clone().filter(|_| index == 1 && done != 1),
            })
            .collect();
        view! { <Steps label="Steps of the import" steps /> }
    });
    let notices = notices.into_iter().map(notice).collect_view();
    let cancel_action = format!("{path}/cancel");
    let cancel = can_cancel.then(|| {
        let words = match body {
            Body::Working(_) => "Cancel",
            _ => "Discard this file",
        };
        view! {
            <form method="post" action=cancel_action>
                <Button>{words}</Button>
            </form>
        }
    });
    let body = match body {
        Body::Columns(view) => view! { <Columns view=*view errors=errors.clone() path=path.clone() /> }.into_any(),
        Body::Working(progress) => view! {
            <Card>
                <div class="l-stack">
                    <Working progress tenant import=id path=path.clone() reload />
                </div>
            </Card>
        }
        .into_any(),
        Body::Checked(outcome) | Body::Ended(outcome) => {
            view! { <Outcome outcome=*outcome path=path.clone() columns_href /> }.into_any()
        }
    };
    let facts = facts.into_iter().map(|(term, value)| Definition::new(term, value)).collect::<Vec<_>>();
    view! {
        <TenantPage frame place=Place::Imports is_refused crumbs>
            <ErrorSummary errors />
            <PageHeader
                title=file_name
                subtitle
                actions=view! { <StateBadge state /> {cancel} }.into_any()
            />
            {steps}
            {notices}
            {body}
            <Card title="About this import">
                <DefinitionList items=facts />
            </Card>
        </TenantPage>
    }
}

fn notice(notice: NoticeView) -> impl IntoView {
    let tone = match notice.tone {
        2 => Tone::Success,
        3 => Tone::Warning,
        4 => Tone::Danger,
        _ => Tone::Info,
    };
    let link = notice.link.map(|(words, href)| view! { " " <a href=href>{words}</a> });
    view! { <Notice tone>{notice.text}{link}</Notice> }
}

#[component]
fn Outcome(outcome: OutcomeView, path: String, columns_href: Option<String>) -> impl IntoView {
    let OutcomeView { tallies, about, reasons, refused_file, contradictions, notes, preview, start, links, roll_back } =
        outcome;
    let tallies = tallies
        .into_iter()
        .map(|tally| Tally {
            key: tally.key,
            label: tally.label,
            value: tally.value,
            exact: tally.exact,
            note: tally.note.into(),
            tone: if tally.is_warning { Tone::Warning } else { Tone::Neutral },
        })
        .collect::<Vec<_>>();
    let has_tallies = !tallies.is_empty();
    let about = about.into_iter().map(|text| view! { <p>{text}</p> }).collect_view();
    let has_next = start.is_some() || columns_href.is_some() || !links.is_empty() || roll_back.is_some();
    let start = start.map(|words| {
        view! {
            <form method="post" action=format!("{path}/start")>
                <Button variant=Variant::Primary icon=IconName::Imports>{words}</Button>
            </form>
        }
    });
    let links = links
        .into_iter()
        .enumerate()
        .map(|(index, (words, href))| {
            let variant = if index == 0 { Variant::Primary } else { Variant::Neutral };
            view! { <LinkButton href variant>{words}</LinkButton> }
        })
        .collect_view();
    let columns = columns_href.map(|href| view! { <LinkButton href>"Change the columns"</LinkButton> });
    let roll_back = roll_back.map(|href| view! { <LinkButton href>"Roll back…"</LinkButton> });
    view! {
        {has_tallies.then(|| view! {
            <section class="l-stack" data-gap="3" aria-label="What becomes of the rows">
                <TallyList tallies />
                <div class="l-stack" data-gap="1">{about}</div>
            </section>
        })}
        {has_next.then(|| view! { <div class="l-cluster">{start}{links}{columns}{roll_back}</div> })}
        {(!reasons.is_empty()).then(|| view! { <Reasons reasons refused_file /> })}
        {contradictions.map(|contradictions| view! { <ContradictionTable contradictions /> })}
        {(!notes.is_empty()).then(|| view! {
            <Card title="How it was read">
                <Notes notes />
            </Card>
        })}
        {preview.map(|preview| view! { <PreviewCard preview /> })}
    }
}

#[component]
fn Reasons(reasons: Vec<ReasonRow>, refused_file: Option<String>) -> impl IntoView {
    let rows = reasons
        .into_iter()
        .map(|row| {
            view! {
                <tr>
                    <th scope="row" data-label="Column">{row.column}</th>
                    <td data-label="Why">{row.reason}</td>
                    <td data-label="Rows" class="u-number">{row.rows}</td>
                    <td data-label="First rows">{row.first}</td>
                </tr>
            }
        })
        .collect_view();
    let download = refused_file.map(|href| {
        view! { <LinkButton href icon=IconName::Export small=true external=true>"Download the refused rows"</LinkButton> }
    });
    view! {
        <Card
            title="Refused rows"
            text="These rows are left out, the others are imported. The file holds them with the reasons: mend it, and import it as a file of its own."
            actions=view! { {download} }.into_any()
            flush=true
        >
            <Table caption="Why rows were refused" id="reasons">
                <thead>
                    <tr>
                        <th scope="col">"Column"</th>
                        <th scope="col">"Why"</th>
                        <th scope="col" class="u-number">"Rows"</th>
                        <th scope="col">"First rows"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        </Card>
    }
}

#[component]
fn ContradictionTable(contradictions: Contradictions) -> impl IntoView {
    let rows = contradictions
        .rows
        .into_iter()
        .map(|row| {
            view! {
                <tr>
                    <th scope="row" data-label="Post" class="c-import-id">{row.post}</th>
                    <td data-label="Row" class="u-number">{row.row}</td>
                    <td data-label="Differs in">{row.differs}</td>
                    <td data-label="Outcome">
                        {if row.is_kept { "Kept" } else { "Left out" }}
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card title="Contradicting rows" text=contradictions.summary flush=true>
            <Table caption="Posts that stand in the file more than once with different content" id="contradictions">
                <thead>
                    <tr>
                        <th scope="col">"Post"</th>
                        <th scope="col" class="u-number">"Row"</th>
                        <th scope="col">"Differs in"</th>
                        <th scope="col">"Outcome"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        </Card>
    }
}
