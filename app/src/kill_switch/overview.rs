//! The page of the place: what is halted and how it stands, the matrix, who sends, what was halted before, and how fast a halt
//! is. Draws values that `overview/present.rs` has put into words.

pub(super) mod present;

use leptos::prelude::*;
use rtv_ui::{
    Badge, Button, Card, ChartFrame, Definition, DefinitionList, EmptyState, FilterBar, IconName, LinkButton, Matrix,
    MatrixRow, Notice, PageHeader, Pager, Picture, SegmentLink, Segments, SelectField, SelectOption, SwitchBadge,
    SwitchState, Table, Tone, Variant,
};

/// Everything that the page shows.
pub(super) struct Overview {
    pub(super) state: SwitchState,
    /// “Running” or how many halts there are.
    pub(super) headline: String,
    /// What the headline leaves out.
    pub(super) summary: Option<String>,
    pub(super) as_of: String,
    /// The page that halts, for who may.
    pub(super) halt_href: Option<String>,
    pub(super) engaged: Vec<HaltView>,
    pub(super) matrix: MatrixView,
    pub(super) senders: Vec<SenderView>,
    /// Switches that lie on a sender's disk.
    pub(super) local_files: Vec<LocalFileView>,
    pub(super) history: HistoryView,
    pub(super) drills: Option<DrillsView>,
}

/// A switch that is engaged.
pub(super) struct HaltView {
    pub(super) id: String,
    pub(super) scope: String,
    pub(super) state: SwitchState,
    pub(super) state_words: String,
    pub(super) facts: Vec<Definition>,
    pub(super) ticket: Option<String>,
    /// When it is looked at again, and whether that is over.
    pub(super) review: String,
    pub(super) is_overdue: bool,
    /// Where the review is moved to, for who may.
    pub(super) review_action: Option<String>,
    pub(super) receipt_href: Option<String>,
    pub(super) release: ReleaseWay,
}

/// How the release of a switch stands for whoever reads the page.
pub(super) enum ReleaseWay {
    /// The page that releases it.
    Open(String),
    /// Somebody has asked for it: what is waited for, and the page about it.
    Waits { words: String, href: String },
    /// Why it is not theirs to release.
    Closed(String),
}

/// The matrix and what is chosen in it.
pub(super) struct MatrixView {
    pub(super) caption: String,
    pub(super) corner: String,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<MatrixRow>,
    pub(super) views: Vec<SegmentLink>,
    /// Where the filters are sent.
    pub(super) path: String,
    pub(super) view: String,
    /// The tenants to choose from; none where there is one.
    pub(super) clients: Vec<SelectOption>,
    pub(super) only: Vec<SelectOption>,
    pub(super) is_filtered: bool,
    /// What is read where no row is left.
    pub(super) empty: String,
}

/// A process that sends.
pub(super) struct SenderView {
    pub(super) name: String,
    pub(super) is_live: bool,
    pub(super) lease: String,
    pub(super) acknowledged: String,
    pub(super) in_flight: String,
    pub(super) started: String,
}

/// A switch on a sender's disk.
pub(super) struct LocalFileView {
    pub(super) sender: String,
    pub(super) name: String,
    pub(super) scope: String,
    pub(super) detail: String,
}

/// What was halted before.
pub(super) struct HistoryView {
    pub(super) rows: Vec<HistoryRow>,
    pub(super) first: Option<String>,
    pub(super) next: Option<String>,
}

/// One halt.
pub(super) struct HistoryRow {
    pub(super) id: String,
    pub(super) href: String,
    pub(super) at: String,
    pub(super) scope: String,
    pub(super) by: String,
    pub(super) reason: String,
    pub(super) lasted: String,
    pub(super) held: String,
    pub(super) stopped_in: String,
}

/// How fast halts were.
pub(super) struct DrillsView {
    pub(super) takeaway: String,
    /// The picture in both themes, wide and narrow; `None` while there is nothing to draw.
    pub(super) pictures: Option<[Picture; 2]>,
    pub(super) rows: Vec<[String; 6]>,
}

/// The page, drawn.
pub(super) fn drawn(page: Overview) -> AnyView {
    let Overview { state, headline, summary, as_of, halt_href, engaged, matrix, senders, local_files, history, drills } =
        page;
    let actions = halt_href.map(|href| {
        view! { <LinkButton href icon=IconName::Stop variant=Variant::Danger>"Halt something…"</LinkButton> }.into_any()
    });
    let halts = engaged.into_iter().map(halt).collect_view();
    view! {
        <PageHeader title="Kill switches" subtitle=format!("State as of {as_of}") actions=actions.into_any() />
        <section class="c-standing" data-state=state_key(state) data-follows="true" aria-label="Overall state">
            <SwitchBadge state text=headline />
            {summary.map(|summary| view! { <p class="c-standing__summary">{summary}</p> })}
        </section>
        {halts}
        {matrix_card(matrix)}
        {sender_card(senders, local_files)}
        {history_card(history)}
        {drills.map(drill_card)}
    }
    .into_any()
}

/// A state as scripts and tests read it.
pub(super) const fn state_key(state: SwitchState) -> &'static str {
    match state {
        SwitchState::Running => "running",
        SwitchState::Halting => "halting",
        SwitchState::Halted => "halted",
        SwitchState::Inherited => "inherited",
        SwitchState::Unknown => "unknown",
    }
}

fn halt(one: HaltView) -> AnyView {
    let HaltView {
        id,
        scope,
        state,
        state_words,
        facts,
        ticket,
        review,
        is_overdue,
        review_action,
        receipt_href,
        release,
    } = one;
    let resume = match release {
        ReleaseWay::Open(href) => {
            let label = format!("Resume {scope}…");
            view! { <LinkButton href label>"Resume…"</LinkButton> }.into_any()
        }
        ReleaseWay::Waits { words, href } => view! {
            <span class="u-small">{words}</span>
            <LinkButton href>"See the request"</LinkButton>
        }
        .into_any(),
        ReleaseWay::Closed(words) => view! { <span class="u-muted u-small">{words}</span> }.into_any(),
    };
    let receipt = receipt_href.map(|href| {
        let label = format!("Receipt of {scope}");
        view! { <LinkButton href label>"Receipt"</LinkButton> }
    });
    let move_review = review_action.map(|action| {
        let options = super::present::REVIEWS
            .into_iter()
            .map(|(value, label)| SelectOption { value: value.into(), label: label.into(), selected: value == "4h" })
            .collect();
        view! {
            <form class="l-cluster" method="post" action=action autocomplete="off">
                <SelectField label="Next review" hide_label=true name="review" id=format!("review-{id}") options />
                <Button small=true label=format!("Move review of {scope}")>"Move review"</Button>
            </form>
        }
    });
    let ticket = ticket.map(ticket_link);
    view! {
        <section class="c-halted" data-switch=id.clone() data-state=state_key(state)>
            <div class="c-halted__head">
                <SwitchBadge state text=state_words />
                <h2 class="c-halted__scope">{scope}</h2>
            </div>
            <DefinitionList items=facts />
            {ticket}
            <div class="c-halted__review" data-overdue=is_overdue.then_some("true")>
                <p>{review}</p>
                {move_review}
            </div>
            <div class="c-halted__actions">{receipt} {resume}</div>
        </section>
    }
    .into_any()
}

/// Where more about a halt is written.
pub(super) fn ticket_link(address: String) -> AnyView {
    let shown = address.clone();
    view! { <p class="u-small">"Ticket: " <a href=address rel="external noreferrer">{shown}</a></p> }.into_any()
}

fn matrix_card(matrix: MatrixView) -> AnyView {
    let MatrixView { caption, corner, columns, rows, views, path, view, clients, only, is_filtered, empty } = matrix;
    let client = (!clients.is_empty()).then(|| view! { <SelectField label="Client" name="client" options=clients /> });
    let reset = is_filtered.then(|| view! { <LinkButton href=path.clone()>"Reset"</LinkButton> });
    let segments = (views.len() > 1).then(|| view! { <Segments label="Columns" links=views /> }.into_any());
    let table = if rows.is_empty() {
        view! { <EmptyState icon=IconName::Stop title="Nothing here is halted" text=empty /> }.into_any()
    } else {
        view! { <Matrix caption id="switch-matrix" corner columns rows /> }.into_any()
    };
    view! {
        <Card title="What runs and what is halted" text="A cell names the switch that decides. Press it to see that switch, or to halt there." actions=segments.into_any() flush=true>
            <form class="c-matrix-filter" method="get" action=path>
                <input type="hidden" name="view" value=view />
                <FilterBar label="Rows" actions=view! { <Button>"Apply"</Button> {reset} }.into_any()>
                    {client}
                    <SelectField label="Show" name="only" options=only />
                </FilterBar>
            </form>
            {table}
        </Card>
    }
    .into_any()
}

fn sender_card(senders: Vec<SenderView>, files: Vec<LocalFileView>) -> AnyView {
    let live = senders.iter().filter(|one| one.is_live).count();
    let text = format!(
        "{live} of {} live. A process sends only while its lease holds; it holds for two seconds after its last look at the switches.",
        senders.len()
    );
    let rows = senders
        .into_iter()
        .map(|one| {
            let key = one.name.clone();
            let badge = if one.is_live {
                view! { <Badge tone=Tone::Success>"Live"</Badge> }.into_any()
            } else {
                view! { <Badge>"Lapsed"</Badge> }.into_any()
            };
            view! {
                <tr data-sender=key>
                    <th scope="row">{one.name}</th>
                    <td data-label="Lease"><span>{badge} " " {one.lease}</span></td>
                    <td data-label="Knows the switches as of">{one.acknowledged}</td>
                    <td data-label="In flight" class="u-number">{one.in_flight}</td>
                    <td data-label="Running since">{one.started}</td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    let table = if rows.is_empty() {
        view! {
            <EmptyState icon=IconName::Sessions title="No process sends at the moment" text="Nothing goes out until one is started with rtv work or rtv serve." />
        }
        .into_any()
    } else {
        view! {
            <Table caption="Processes that send" id="senders">
                <thead>
                    <tr>
                        <th scope="col">"Process"</th>
                        <th scope="col">"Lease"</th>
                        <th scope="col">"Knows the switches as of"</th>
                        <th scope="col" class="u-number">"In flight"</th>
                        <th scope="col">"Running since"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        }
        .into_any()
    };
    let files = (!files.is_empty()).then(|| {
        let rows = files
            .into_iter()
            .map(|one| {
                view! {
                    <tr>
                        <th scope="row">{one.name}</th>
                        <td data-label="Process">{one.sender}</td>
                        <td data-label="Stops">{one.scope}</td>
                        <td data-label="By and why">{one.detail}</td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <div class="c-card__pad">
                <Notice tone=Tone::Warning>
                    "Files on disk stop these processes, whatever is released here. Each is removed by hand, on its machine."
                </Notice>
            </div>
            <Table caption="Local halt files" id="local-files">
                <thead>
                    <tr>
                        <th scope="col">"File"</th>
                        <th scope="col">"Process"</th>
                        <th scope="col">"Stops"</th>
                        <th scope="col">"By and why"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        }
    });
    view! { <Card title="Who sends" text flush=true>{table} {files}</Card> }.into_any()
}

fn history_card(history: HistoryView) -> AnyView {
    let HistoryView { rows, first, next } = history;
    let content = if rows.is_empty() {
        view! {
            <EmptyState icon=IconName::Recent title="Nothing was ever halted here" text="Each halt leaves a receipt: what was held, what was in flight, and how long it took." />
        }
        .into_any()
    } else {
        let shown = rows.len();
        let rows = rows
            .into_iter()
            .map(|row| {
                view! {
                    <tr data-row=row.id>
                        <th scope="row">
                            <a href=row.href>{row.scope}</a>
                        </th>
                        <td data-label="Halted" class="u-nowrap">{row.at}</td>
                        <td data-label="By">{row.by}</td>
                        <td data-label="Reason">{row.reason}</td>
                        <td data-label="Lasted">{row.lasted}</td>
                        <td data-label="Held" class="u-number">{row.held}</td>
                        <td data-label="Stopped in" class="u-number">{row.stopped_in}</td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <Table caption="History" id="history">
                <thead>
                    <tr>
                        <th scope="col">"Scope"</th>
                        <th scope="col">"Halted"</th>
                        <th scope="col">"By"</th>
                        <th scope="col">"Reason"</th>
                        <th scope="col">"Lasted"</th>
                        <th scope="col" class="u-number">"Held"</th>
                        <th scope="col" class="u-number">"Stopped in"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
            <Pager summary=super::present::count(i64::try_from(shown).unwrap_or(i64::MAX), "halt", "halts") newer=first older=next label="Pages of the history" newer_label="Newest" older_label="Older" />
        }
        .into_any()
    };
    view! { <Card title="History" text="Each halt with its receipt, the newest first." flush=true>{content}</Card> }
        .into_any()
}

fn drill_card(drills: DrillsView) -> AnyView {
    let DrillsView { takeaway, pictures, rows } = drills;
    let table = move || {
        let rows = rows
            .iter()
            .map(|[at, by, rounds, p50, p95, most]| {
                view! {
                    <tr>
                        <th scope="row" class="u-nowrap">{at.clone()}</th>
                        <td data-label="By">{by.clone()}</td>
                        <td data-label="Flips" class="u-number">{rounds.clone()}</td>
                        <td data-label="Median" class="u-number">{p50.clone()}</td>
                        <td data-label="95 of 100 within" class="u-number">{p95.clone()}</td>
                        <td data-label="Longest" class="u-number">{most.clone()}</td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <Table caption="Drills" id="drills" compact=true>
                <thead>
                    <tr>
                        <th scope="col">"Drill"</th>
                        <th scope="col">"By"</th>
                        <th scope="col" class="u-number">"Flips"</th>
                        <th scope="col" class="u-number">"Median"</th>
                        <th scope="col" class="u-number">"95 of 100 within"</th>
                        <th scope="col" class="u-number">"Longest"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        }
        .into_any()
    };
    match pictures {
        Some([wide, narrow]) => {
            let paper = wide.src.clone();
            view! {
                <ChartFrame title="How fast a halt is" takeaway=takeaway.clone() picture=wide narrow=Some(narrow) paper alt=takeaway>
                    {table()}
                </ChartFrame>
            }
            .into_any()
        }
        None => view! {
            <Card title="How fast a halt is" text="Drills flip a switch that stops nothing and measure until every sender has stopped.">
                <EmptyState icon=IconName::Trend title="No drill has run yet" text="Run rtv switch drill, by hand or on a schedule; its figures are drawn here." />
            </Card>
        }
        .into_any(),
    }
}
