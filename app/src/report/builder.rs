//! The builder: the outline, the report with its figures as sheets, and what can be changed of the part that is chosen. Every
//! change is a form of its own and is saved as a version, so that it can be undone.

use leptos::prelude::*;
use rtv_ui::{
    Button, Card, Checkbox, CheckboxList, CheckboxOption, ConfirmPage, Crumb, Disclosure, ErrorSummary, Field,
    IconName, LinkButton, Notice, PageHeader, SelectField, SelectOption, TextArea, Tone, Variant,
};

use super::EDIT_TROUBLE;
use crate::dashboard::{FilterBarView, FilterView};
use crate::page::{Drawn, Framed};

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Builder {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) subtitle: String,
    pub(super) version: String,
    pub(super) can_build: bool,
    pub(super) undoes: Option<String>,
    pub(super) can_redo: bool,
    /// The filter of the preview, as an address writes it; goes along with every form.
    pub(super) query: String,
    pub(super) filter: FilterView,
    pub(super) outline: Vec<OutlineSection>,
    /// What is changed at the side.
    pub(super) panel: Panel,
    pub(super) errors: Vec<(String, String)>,
    /// The sheets, drawn, or why there are none.
    pub(super) sheets: Result<String, String>,
    pub(super) runs: Vec<RunRow>,
    /// How many of them are shown, where not all are.
    pub(super) runs_shown: Option<String>,
    /// Asked to confirm that it is deleted.
    pub(super) is_asked_to_delete: bool,
}

/// A section of the outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlineSection {
    pub(super) part: OutlinePart,
    pub(super) blocks: Vec<OutlinePart>,
}

/// A part of the outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlinePart {
    pub(super) id: u32,
    pub(super) label: String,
    /// What it is, in a word.
    pub(super) kind: &'static str,
    pub(super) is_chosen: bool,
}

/// A run in the list at the side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    pub(super) href: String,
    pub(super) state: &'static str,
    pub(super) label: String,
    pub(super) when: String,
}

/// What is changed at the side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Panel {
    /// Nothing: whoever looks may not change it.
    None,
    /// Name, purpose and parameters.
    Details {
        /// Name, as typed or stored.
        name: String,
        /// Purpose, as typed or stored.
        description: String,
    },
    /// A section.
    Section {
        /// Its number.
        id: u32,
        /// Heading, as typed or stored.
        title: String,
    },
    /// A block.
    Block(Box<BlockForm>),
}

/// The fields of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockForm {
    pub(super) id: u32,
    pub(super) kind: &'static str,
    /// For people.
    pub(super) label: &'static str,
    pub(super) title: String,
    /// Words of a text block.
    pub(super) text: Option<String>,
    /// Kinds of chart.
    pub(super) charts: Vec<SelectOption>,
    pub(super) sources: Vec<SelectOption>,
    /// A menu for each place among the dimensions.
    pub(super) dimensions: Vec<Vec<SelectOption>>,
    /// Measures that can be chosen together.
    pub(super) measures: Vec<CheckboxOption>,
    /// Measures of which one is chosen.
    pub(super) measure: Vec<SelectOption>,
    pub(super) sorts: Vec<SelectOption>,
    pub(super) limit: Option<String>,
    pub(super) compare: Option<bool>,
    pub(super) totals: Option<bool>,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<Builder>) -> Drawn {
    let Framed { frame, content: builder } = page;
    let path = format!("/t/{}/reports/{}", frame.slug, builder.id);
    let is_refused = !builder.errors.is_empty();
    if builder.is_asked_to_delete && builder.can_build {
        let crumbs = vec![
            Crumb { label: builder.name.clone(), href: Some(path.clone()) },
            Crumb { label: "Delete".into(), href: None },
        ];
        let html = view! {
            <ConfirmPage
                title=format!("Delete “{}”?", builder.name)
                consequences=vec![
                    "It leaves the list and makes no more runs.".to_owned(),
                    "Its versions and runs are kept, and it can be brought back right after.".to_owned(),
                ]
                action=format!("{path}/delete")
                verb="Delete report"
                cancel_href=path
                hidden=Vec::new()
            />
        };
        return Drawn::new(crumbs, false, html);
    }
    let crumbs = vec![Crumb { label: builder.name.clone(), href: None }];
    let actions = actions(&path, &builder);
    let outline = outline(&path, &builder);
    let panel = panel(&path, &builder);
    let runs = runs(builder.runs.clone(), builder.runs_shown.clone());
    let sheets = match builder.sheets {
        Ok(html) => view! { <div inner_html=html></div> }.into_any(),
        Err(reason) => view! { <p class="u-muted" role="status">{reason}</p> }.into_any(),
    };
    // `edit.rs` shows it.
    let trouble = view! {
        <div id=EDIT_TROUBLE role="alert" hidden=true>
            <Notice tone=Tone::Danger>
                "RTV did not answer, so it is not known whether this was saved. What you typed is still here: press the button again. What was saved already is not saved a second time."
            </Notice>
        </div>
    };
    let html = view! {
        {trouble}
        <ErrorSummary errors=builder.errors.clone() />
        <PageHeader title=builder.name subtitle=builder.subtitle actions />
        <FilterBarView filter=builder.filter errors=Vec::new() path=path.clone() />
        <div class="c-builder">
            <div class="c-builder__outline l-stack" data-gap="4">{outline}</div>
            <div class="c-builder__preview" id="preview" role="region" aria-label="Preview">{sheets}</div>
            <div class="c-builder__panel l-stack" data-gap="4" id="panel">{panel}{runs}</div>
        </div>
    };
    Drawn::new(crumbs, is_refused, html)
}

/// What every form sends along: the version that it was made from, and what the preview shows.
fn hidden(builder: &Builder) -> AnyView {
    let (version, query) = (builder.version.clone(), builder.query.clone());
    view! {
        <input type="hidden" name="version" value=version />
        <input type="hidden" name="query" value=query />
    }
    .into_any()
}

fn actions(path: &str, builder: &Builder) -> AnyView {
    let versions = view! {
        <LinkButton href=format!("{path}/schedules") variant=Variant::Quiet icon=IconName::Recent>"Schedules"</LinkButton>
        <LinkButton href=format!("{path}/versions") variant=Variant::Quiet>"Versions"</LinkButton>
    };
    if !builder.can_build {
        return versions.into_any();
    }
    let undo = builder.undoes.clone().map(|what| {
        view! { <Button name="act" value="undo" variant=Variant::Quiet label=format!("Undo: {what}")>"Undo"</Button> }
    });
    let redo =
        builder.can_redo.then(|| view! { <Button name="act" value="redo" variant=Variant::Quiet>"Redo"</Button> });
    let (undoing, running, delete) = (format!("{path}/undo"), format!("{path}/runs"), format!("{path}?step=delete"));
    let (undo_hidden, run_hidden) = (hidden(builder), hidden(builder));
    view! {
        <form class="l-cluster" method="post" action=undoing data-edit="">
            {undo_hidden}
            {undo}
            {redo}
        </form>
        {versions}
        <LinkButton href=delete variant=Variant::Quiet>"Delete…"</LinkButton>
        <form method="post" action=running>
            {run_hidden}
            <Button variant=Variant::Primary icon=IconName::Report>"Make files"</Button>
        </form>
    }
    .into_any()
}

fn at(path: &str, builder: &Builder, part: u32) -> String {
    if builder.query.is_empty() {
        format!("{path}?part={part}")
    } else {
        format!("{path}?{}&part={part}", builder.query)
    }
}

fn outline(path: &str, builder: &Builder) -> AnyView {
    let line = |part: &OutlinePart| {
        let current = part.is_chosen.then_some("true");
        // Where scripts run, it can be dragged before another part; its buttons do the same.
        let draggable = builder.can_build.then_some("true");
        view! {
            <a class="c-outline__link" href=at(path, builder, part.id) aria-current=current data-part=part.id draggable=draggable>
                <span class="c-outline__kind">{part.kind}</span>
                <span class="c-outline__label">{part.label.clone()}</span>
            </a>
        }
    };
    let sections = builder
        .outline
        .iter()
        .map(|section| {
            let blocks = section.blocks.iter().map(|block| view! { <li>{line(block)}</li> }).collect_view();
            let id = section.part.id;
            let head = line(&section.part);
            let add = builder.can_build.then(|| {
                let (action, hidden) = (format!("{path}/parts"), hidden(builder));
                let name = section.part.label.clone();
                let kinds = rtv_core::report::NewBlock::ALL
                    .into_iter()
                    .map(|kind| {
                        let label = format!("Add {} to {name}", kind.label().to_lowercase());
                        view! {
                            <Button name="add" value=kind.key() small=true variant=Variant::Quiet label>{format!("+ {}", kind.label())}</Button>
                        }
                    })
                    .collect_view();
                view! {
                    <form class="c-outline__add" method="post" action=action data-edit="">
                        {hidden}
                        <input type="hidden" name="section" value=id />
                        {kinds}
                    </form>
                }
            });
            view! {
                <li class="c-outline__section">
                    {head}
                    <ol class="c-outline__blocks">{blocks}</ol>
                    {add}
                </li>
            }
        })
        .collect_view();
    let add = builder.can_build.then(|| {
        let (action, hidden) = (format!("{path}/parts"), hidden(builder));
        view! {
            <form method="post" action=action data-edit="">
                {hidden}
                <Button name="add" value="section" small=true>"Add section"</Button>
            </form>
        }
    });
    let moving = builder.can_build.then(|| {
        let (base, hidden) = (format!("{path}/parts"), hidden(builder));
        view! {
            <form method="post" data-move=base hidden=true data-edit="">
                {hidden}
                <input type="hidden" name="act" value="before" />
                <input type="hidden" name="target" value="" />
            </form>
        }
    });
    let whole = if builder.query.is_empty() { path.to_owned() } else { format!("{path}?{}", builder.query) };
    let name = builder.name.clone();
    let is_whole = matches!(builder.panel, Panel::Details { .. }).then_some("true");
    view! {
        <Card title="Outline">
            <nav class="l-stack" data-gap="3" aria-label="Parts of the report">
                <a class="c-outline__link" href=whole aria-current=is_whole>
                    <span class="c-outline__kind">"Report"</span>
                    <span class="c-outline__label">{name}</span>
                </a>
                <ol class="c-outline">{sections}</ol>
                {add}
                {moving}
            </nav>
        </Card>
    }
    .into_any()
}

fn panel(path: &str, builder: &Builder) -> AnyView {
    let error = |field: &str| builder.errors.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone());
    let [name_error, description_error, title_error] = ["name", "description", "title"].map(error);
    let hidden = hidden(builder);
    match &builder.panel {
        Panel::None => ().into_any(),
        Panel::Details { name, description } => {
            let (action, name, description) = (path.to_owned(), name.clone(), description.clone());
            view! {
                <Card title="Report" text="What the preview above covers can be kept as what the report covers by itself.">
                    <form class="l-stack" data-gap="4" method="post" action=action autocomplete="off" data-edit="">
                        {hidden}
                        <Field label="Name" name="name" value=name error=name_error maxlength="120" required=true />
                        <TextArea label="What it is for" name="description" value=description error=description_error rows=3 maxlength="1000" />
                        <Checkbox label="Cover what the preview shows now" name="keep_parameters" hint="Period, comparison and filters become the report’s own." />
                        <div><Button variant=Variant::Primary>"Save"</Button></div>
                    </form>
                </Card>
            }
            .into_any()
        }
        Panel::Section { id, title } => {
            let (action, title, acts) = (format!("{path}/parts/{id}"), title.clone(), acts(path, builder, *id));
            view! {
                <Card title="Section">
                    <div class="l-stack" data-gap="4">
                        <form class="l-stack" data-gap="4" method="post" action=action autocomplete="off" data-edit="">
                            {hidden}
                            <input type="hidden" name="kind" value="section" />
                            <Field label="Heading" name="title" value=title error=title_error maxlength="120" hint="Leave it empty for none." />
                            <div><Button variant=Variant::Primary>"Save"</Button></div>
                        </form>
                        {acts}
                    </div>
                </Card>
            }
            .into_any()
        }
        Panel::Block(form) => block_panel(path, builder, (**form).clone()),
    }
}

/// Moving, copying and deleting the part that is chosen.
fn acts(path: &str, builder: &Builder, id: u32) -> AnyView {
    let act = |key: &'static str, label: &'static str, variant: Variant| {
        view! { <Button name="act" value=key small=true variant>{label}</Button> }
    };
    let (action, hidden) = (format!("{path}/parts/{id}/act"), hidden(builder));
    view! {
        <form class="l-cluster" method="post" action=action data-edit="">
            {hidden}
            {act("up", "Move up", Variant::Neutral)}
            {act("down", "Move down", Variant::Neutral)}
            {act("copy", "Copy", Variant::Neutral)}
            {act("delete", "Delete", Variant::Quiet)}
        </form>
    }
    .into_any()
}

fn block_panel(path: &str, builder: &Builder, form: BlockForm) -> AnyView {
    let id = form.id;
    let error = |field: &str| builder.errors.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone());
    let (action, hidden, acts) = (format!("{path}/parts/{id}"), hidden(builder), acts(path, builder, id));
    let title_error = error("title");
    let text = form.text.map(|text| {
        view! { <TextArea label="Text" name="text" value=text error=error("text") rows=8 maxlength="10000" hint="An empty line begins a new paragraph." /> }
    });
    let chart = (!form.charts.is_empty())
        .then(|| view! { <SelectField label="Drawn as" name="chart" options=form.charts error=error("chart") /> });
    let source = (!form.sources.is_empty()).then(|| {
        view! { <SelectField label="Figures of" name="source" options=form.sources error=error("source") hint="Press Save to see what can be chosen of another source." /> }
    });
    let labels = ["By", "Then by", "Then by", "Then by", "Then by", "Then by", "Then by", "Then by"];
    let dimension_error = error("dimension");
    let dimensions = form
        .dimensions
        .into_iter()
        .enumerate()
        .map(|(index, options)| {
            let error = dimension_error.clone().filter(|_| index == 0);
            let label = labels.get(index).copied().unwrap_or("Then by");
            view! { <SelectField label name=format!("dimension-{}", index + 1) options error /> }
        })
        .collect_view();
    let measures = (!form.measures.is_empty()).then(
        || view! { <CheckboxList label="Measures" name="measure" options=form.measures error=error("measure") /> },
    );
    let measure = (!form.measure.is_empty())
        .then(|| view! { <SelectField label="Measure" name="measure" options=form.measure error=error("measure") /> });
    let sort = (!form.sorts.is_empty())
        .then(|| view! { <SelectField label="Order" name="sort" options=form.sorts error=error("sort") /> });
    let limit = form.limit.map(|limit| {
        view! { <Field label="Rows" name="limit" kind="number" value=limit error=error("limit") hint="Empty shows all. What is left out is always said." /> }
    });
    let compare = form.compare.map(|checked| {
        view! { <Checkbox label="Beside the period before" name="compare" checked hint="What it is compared with is chosen above the preview." /> }
    });
    let totals = form.totals.map(|checked| view! { <Checkbox label="Totals in a last row" name="totals" checked /> });
    view! {
        <Card title=form.label>
            <div class="l-stack" data-gap="4">
                <form class="l-stack" data-gap="4" method="post" action=action autocomplete="off" data-edit="">
                    {hidden}
                    <input type="hidden" name="kind" value=form.kind />
                    <Field label="Heading" name="title" value=form.title error=title_error maxlength="120" hint="Leave it empty for what it shows." />
                    {text}
                    {chart}
                    {source}
                    {dimensions}
                    {measures}
                    {measure}
                    {sort}
                    {limit}
                    {compare}
                    {totals}
                    <div><Button variant=Variant::Primary>"Save"</Button></div>
                </form>
                {acts}
            </div>
        </Card>
    }
    .into_any()
}

pub(super) fn runs(rows: Vec<RunRow>, shown: Option<String>) -> AnyView {
    if rows.is_empty() {
        return view! {
            <Card title="Runs">
                <p class="u-muted u-small">"Nothing has been made of it yet. “Make files” makes PDF, Excel and CSV of what the preview shows."</p>
            </Card>
        }
        .into_any();
    }
    let (first, rest): (Vec<_>, Vec<_>) = rows.into_iter().enumerate().partition(|(index, _)| *index < 5);
    let line = |rows: Vec<(usize, RunRow)>| {
        rows.into_iter()
            .map(|(_, row)| {
                view! {
                    <li data-state=row.state>
                        <a href=row.href>{row.when}</a>
                        <span class="c-table__detail">{row.label}</span>
                    </li>
                }
            })
            .collect_view()
    };
    let more = (!rest.is_empty()).then(|| {
        let summary = format!("{} older", rest.len());
        view! { <Disclosure summary><ul class="c-runs">{line(rest)}</ul></Disclosure> }
    });
    view! {
        <Card title="Runs">
            <ul class="c-runs">{line(first)}</ul>
            {shown.map(|shown| view! { <p class="u-muted u-small">{shown}</p> })}
            {more}
        </Card>
    }
    .into_any()
}
