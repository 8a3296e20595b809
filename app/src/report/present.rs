//! From the domain's reports to the fields, sheets and sentences that people read. Runs on the server only.

use rtv_core::filter::PageFilter;
use rtv_core::report::{
    Block, ChartKind, Content, Definition, Dimension, FileFormat, Filled, FilledContent, MailState, Measure, Query,
    RunState, Sort, Source,
};
use rtv_core::{Error, Permission, ReportId};
use rtv_domain::TenantContext;
use rtv_domain::format::{Format, MISSING};
use rtv_domain::report::schedule::due;
use rtv_domain::report::{self, Asked, Difference, Report, Run, Shown, Template};
use rtv_domain::{account, campaign, team};
use rtv_ui::{CheckboxOption, FieldChange, SelectOption, Tone};

use super::builder::{BlockForm, Builder, OutlinePart, OutlineSection, Panel, RunRow};
use super::changed;
use super::list::{Pager, ReportRow, Reports};
use super::run::{FileView, MailingView, RunView, WholeTable};
use super::sheet::{self, Around};
use super::version::Versions;
use crate::dashboard::filter_view;
use crate::page::Flash;

/// Rows of a page of a whole table.
const PAGE_ROWS: i64 = 1_000;

type Pairs = [(String, String)];

fn value<'a>(pairs: &'a Pairs, name: &str) -> &'a str {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default()
}

fn state_view(state: RunState) -> (&'static str, &'static str, Tone) {
    let tone = match state {
        RunState::Queued | RunState::Running => Tone::Info,
        RunState::Done => Tone::Success,
        RunState::Failed => Tone::Danger,
        RunState::Skipped | RunState::Cancelled => Tone::Neutral,
    };
    (state.key(), state.label(), tone)
}

/// The list.
pub(super) async fn list(ctx: &TenantContext, pairs: &Pairs) -> Result<Reports, Error> {
    let page = page_number(pairs);
    let listed = report::listed(ctx, report::Listing::ByChange { skip: (page - 1) * report::LISTED }).await?;
    if listed.is_empty() && page > 1 {
        return Err(Error::NotFound);
    }
    let of = report::count(ctx).await?;
    let format = Format::of(ctx.tenant());
    let pager = paged(&format, page, report::LISTED, listed.len(), of);
    let path = format!("/t/{}/reports", ctx.tenant().slug);
    let can_build = ctx.access().grants(Permission::ReportsManage);
    let flash = crate::request::current().flash.unwrap_or_default();
    Ok(Reports {
        rows: listed
            .into_iter()
            .map(|one| {
                let run = one.last_run.and_then(|(run, state, at)| {
                    let (key, word, tone) = state_view(state.parse().ok()?);
                    Some((key.to_owned(), word, tone, format!("{path}/{}/runs/{run}", one.id), format.instant(at)))
                });
                ReportRow {
                    id: one.id.to_string(),
                    href: format!("{path}/{}", one.id),
                    name: one.name,
                    description: one.description,
                    changed: format!("{} by {}", format.instant(one.updated_at), one.changed_by),
                    run,
                }
            })
            .collect(),
        pager: pager.map(|one| Pager::of(&path, one.summary, one.newer, one.older)),
        can_build,
        templates: Template::ALL.map(|one| (one.key(), one.label(), one.description())).to_vec(),
        deleted: flash.value("deleted").filter(|_| can_build),
    })
}

/// What the preview covers: what the address says, or what the report covers by itself where it says nothing.
fn parameters(definition: &Definition, pairs: &Pairs) -> Result<(PageFilter, bool), Error> {
    const NAMES: [&str; 8] = ["range", "from", "to", "compare", "platform", "account", "campaign", "team"];
    let asked: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, value)| NAMES.contains(name) && !value.is_empty())
        .collect();
    if asked.is_empty() {
        return Ok((PageFilter::from_query(&definition.parameters)?, false));
    }
    Ok((PageFilter::parse(asked)?, true))
}

/// The builder.
pub(super) async fn builder(ctx: &TenantContext, id: &str, pairs: &Pairs) -> Result<Builder, Error> {
    let one = report::one(ctx, id.parse().map_err(|_| Error::NotFound)?).await?;
    let flash = crate::request::current().flash.unwrap_or_default();
    let format = Format::of(ctx.tenant());
    let path = format!("/t/{}/reports/{}", ctx.tenant().slug, one.id);
    let mut errors = flash.errors.clone();
    let (filter, is_asked) = match parameters(&one.definition, pairs) {
        Ok(parsed) => parsed,
        Err(Error::Invalid(refused)) => {
            crate::request::set_status(422);
            errors.extend(refused.into_iter().map(|error| (error.field, error.message)));
            (PageFilter::default(), false)
        }
        Err(other) => return Err(other),
    };
    let query = if is_asked { filter.to_stated_query() } else { String::new() };
    let chosen = value(pairs, "part").parse::<u32>().ok();
    let asked = Asked {
        parameters: &filter,
        version: u32::try_from(one.version).ok(),
        shown: Shown::AtMost(sheet::SHOWN_ROWS),
        address: &path,
    };
    let sheets = match report::fill(ctx, &one.definition, &asked).await {
        Ok(filled) => {
            let around = Around {
                tenant: ctx.tenant().clone(),
                format: format.clone(),
                charts: format!("{path}/charts"),
                query: joined(&query, &format!("v={}", one.version)),
                chosen: ctx
                    .access()
                    .grants(Permission::ReportsManage)
                    .then(|| (chosen, if query.is_empty() { format!("{path}?") } else { format!("{path}?{query}&") })),
            };
            Ok(leptos::prelude::RenderHtml::to_html(sheet::sheets(&filled, &around)))
        }
        Err(Error::Invalid(refused)) => {
            crate::request::set_status(422);
            let text = refused.iter().map(|error| format!("{}: {}", error.field, error.message)).collect::<Vec<_>>();
            Err(format!("There is no preview. {}", text.join(" ")))
        }
        Err(other) => return Err(other),
    };
    let (accounts, campaigns, teams) =
        (account::list(ctx).await?, campaign::list(ctx).await?, team::choices(ctx).await?);
    let can_build = ctx.access().grants(Permission::ReportsManage) && ctx.read_only().is_none();
    let runs = report::runs(ctx, Some(one.id)).await?;
    let of_runs = report::count_runs(ctx, one.id, None).await?;
    Ok(Builder {
        id: one.id.to_string(),
        name: one.definition.name.clone(),
        subtitle: format!(
            "Made by {}. Version {}, saved by {}, {}.",
            one.created_by,
            one.version,
            one.changed_by,
            format.instant(one.updated_at)
        ),
        version: one.version.to_string(),
        can_build,
        undoes: one.undoes.clone().filter(|_| can_build),
        can_redo: one.can_redo && can_build,
        filter: filter_view(ctx, pairs, &filter, &accounts, &campaigns, &teams),
        outline: outline(&one, chosen),
        panel: if can_build { panel(&one, chosen, &flash) } else { Panel::None },
        errors,
        sheets,
        runs: runs
            .iter()
            .map(|run| RunRow {
                href: format!("{path}/runs/{}", run.id),
                state: run.state.key(),
                label: format!("{} · version {} · {}", run.state.label(), run.version, format.period(run.period)),
                when: format.instant(run.created_at),
            })
            .collect(),
        runs_shown: newest_of(&format, runs.len(), of_runs),
        is_asked_to_delete: value(pairs, "step") == "delete",
        query,
    })
}

fn joined(query: &str, more: &str) -> String {
    if query.is_empty() { more.to_owned() } else { format!("{query}&{more}") }
}

fn outline(report: &Report, chosen: Option<u32>) -> Vec<OutlineSection> {
    let called = |title: &str, otherwise: String| if title.is_empty() { otherwise } else { title.to_owned() };
    report
        .definition
        .sections
        .iter()
        .enumerate()
        .map(|(index, section)| OutlineSection {
            part: OutlinePart {
                id: section.id,
                label: called(&section.title, format!("Section {}", index + 1)),
                kind: "Section",
                is_chosen: chosen == Some(section.id),
            },
            blocks: section
                .blocks
                .iter()
                .map(|block| OutlinePart {
                    id: block.id,
                    label: called(&block.title, phrase(&block.content)),
                    kind: block.content.label(),
                    is_chosen: chosen == Some(block.id),
                })
                .collect(),
        })
        .collect()
}

/// What a block without a heading is called.
fn phrase(content: &Content) -> String {
    match content {
        Content::Text { text } if text.trim().is_empty() => "Empty".into(),
        Content::Text { text } => text.chars().take(40).collect(),
        Content::Metric { query } | Content::Chart { query, .. } | Content::Table { query, .. } => {
            query.measures.iter().map(|one| one.label()).collect::<Vec<_>>().join(", ")
        }
    }
}

fn panel(report: &Report, chosen: Option<u32>, flash: &Flash) -> Panel {
    let definition = &report.definition;
    let is_typed = |kind: &str| flash.value("kind").as_deref() == Some(kind);
    let typed = |is_it: bool, field: &str, stored: &str| {
        if is_it { flash.value(field).unwrap_or_default() } else { stored.to_owned() }
    };
    if let Some(section) = chosen.and_then(|id| definition.section(id)) {
        return Panel::Section { id: section.id, title: typed(is_typed("section"), "title", &section.title) };
    }
    if let Some(block) = chosen.and_then(|id| definition.block(id)) {
        return Panel::Block(Box::new(block_form(block, flash)));
    }
    let is_details = flash.value("name").is_some();
    Panel::Details {
        name: typed(is_details, "name", &definition.name),
        description: typed(is_details, "description", &definition.description),
    }
}

fn option(value: impl Into<String>, label: impl Into<String>, selected: bool) -> SelectOption {
    SelectOption { value: value.into(), label: label.into(), selected }
}

/// The fields of a block, as stored; the words that were typed into a refused form come back.
fn block_form(block: &Block, flash: &Flash) -> BlockForm {
    let kind = match &block.content {
        Content::Text { .. } => "text",
        Content::Metric { .. } => "metric",
        Content::Chart { .. } => "chart",
        Content::Table { .. } => "table",
    };
    let is_typed = flash.value("kind").as_deref() == Some(kind);
    let typed = |field: &str, stored: String| if is_typed { flash.value(field).unwrap_or_default() } else { stored };
    let chosen = |field: &str, stored: Vec<String>| if is_typed { flash.chosen(field) } else { stored };
    let ticked = |field: &str, stored: bool| if is_typed { flash.value(field).is_some() } else { stored };
    let mut form = BlockForm {
        id: block.id,
        kind,
        label: block.content.label(),
        title: typed("title", block.title.clone()),
        text: None,
        charts: Vec::new(),
        sources: Vec::new(),
        dimensions: Vec::new(),
        measures: Vec::new(),
        measure: Vec::new(),
        sorts: Vec::new(),
        limit: None,
        compare: None,
        totals: None,
    };
    if let Content::Text { text } = &block.content {
        form.text = Some(typed("text", text.clone()));
        return form;
    }
    let Some(query) = block.content.query() else { return form };
    let source: Source = typed("source", query.source.key().into()).parse().unwrap_or(query.source);
    let is_heat = matches!(block.content, Content::Chart { kind: ChartKind::HeatMap, .. });
    form.sources = Source::ALL
        .iter()
        .filter(|one| kind != "chart" || **one != Source::Posts)
        .map(|one| option(one.key(), one.label(), *one == source))
        .collect();
    let measures = chosen("measure", query.measures.iter().map(|one| one.key().to_owned()).collect());
    let is_measured = |measure: &Measure| measures.iter().any(|one| one == measure.key());
    if kind == "metric" {
        form.measure = source.measures().iter().map(|one| option(one.key(), one.label(), is_measured(one))).collect();
    } else {
        form.measures = source
            .measures()
            .iter()
            .map(|one| CheckboxOption {
                value: one.key().into(),
                label: one.label().into(),
                checked: is_measured(one),
                ..CheckboxOption::default()
            })
            .collect();
        let places = match (kind, source) {
            ("chart", _) => 2,
            (_, Source::Posts) => Query::MOST_DIMENSIONS,
            // One more than are chosen, so that none is lost by saving.
            _ => (query.dimensions.len() + 1).clamp(3, Query::MOST_DIMENSIONS),
        };
        form.dimensions = (0..places)
            .map(|place| {
                let stored = query.dimensions.get(place).map(|one| one.key().to_owned()).unwrap_or_default();
                let chosen = typed(&format!("dimension-{}", place + 1), stored);
                let offered = source.dimensions().iter().map(|one| option(one.key(), one.label(), one.key() == chosen));
                core::iter::once(option("", "—", chosen.is_empty())).chain(offered).collect()
            })
            .collect();
        form.sorts = sorts(query, &typed("sort", sort_key(query.sort)));
        form.limit = Some(typed("limit", query.limit.map(|limit| limit.to_string()).unwrap_or_default()));
    }
    form.compare = (source != Source::Posts && !is_heat).then(|| ticked("compare", query.is_compared));
    if let Content::Chart { kind, .. } = &block.content {
        let chosen = typed("chart", kind.key().into());
        form.charts = ChartKind::ALL.iter().map(|one| option(one.key(), one.label(), one.key() == chosen)).collect();
    }
    if let Content::Table { has_totals, .. } = &block.content {
        form.totals = Some(ticked("totals", *has_totals));
    }
    form
}

/// An order as forms send it.
fn sort_key(sort: Option<Sort>) -> String {
    let written = |key: &str, is_descending: bool| format!("{key}:{}", if is_descending { "desc" } else { "asc" });
    match sort {
        None => String::new(),
        Some(Sort::Dimension { by, is_descending }) => written(by.key(), is_descending),
        Some(Sort::Measure { by, is_descending }) => written(by.key(), is_descending),
    }
}

fn sorts(query: &Query, chosen: &str) -> Vec<SelectOption> {
    let first = query
        .dimensions
        .first()
        .map_or_else(|| "As it comes".to_owned(), |one: &Dimension| format!("By {}", one.label()));
    let mut options = vec![option("", first, chosen.is_empty())];
    for measure in &query.measures {
        for (key, words) in [("desc", "greatest first"), ("asc", "least first")] {
            let value = format!("{}:{key}", measure.key());
            options.push(option(value.clone(), format!("{}, {words}", measure.label()), value == chosen));
        }
    }
    for dimension in &query.dimensions {
        for (key, words) in [("asc", "first to last"), ("desc", "last to first")] {
            let value = format!("{}:{key}", dimension.key());
            options.push(option(value.clone(), format!("{}, {words}", dimension.label()), value == chosen));
        }
    }
    options
}

/// The versions.
pub(super) async fn versions(ctx: &TenantContext, id: &str, pairs: &Pairs) -> Result<Versions, Error> {
    let id: ReportId = id.parse().map_err(|_| Error::NotFound)?;
    let one = report::one(ctx, id).await?;
    let page = page_number(pairs);
    let above = one.version - (page - 1) * report::VERSIONS;
    let listed = report::versions(ctx, id, Some(above + 1)).await?;
    let format = Format::of(ctx.tenant());
    let asked = |name: &str| value(pairs, name).parse::<i64>().ok();
    let to = asked("to").unwrap_or(one.version);
    let from = asked("from").unwrap_or((to - 1).max(1));
    let differences = if pairs.iter().any(|(name, _)| name == "from" || name == "to") {
        let (older, newer) = (report::version(ctx, id, from).await?, report::version(ctx, id, to).await?);
        let changes = report::compare(&older, &newer).into_iter().map(change).collect();
        Some((format!("From version {from} to version {to}"), changes))
    } else {
        None
    };
    // Those of this page, what is compared, and the newest, with which old ones are compared most.
    let mut numbers: Vec<i64> = listed.iter().map(|one| one.number).chain([from, to, one.version]).collect();
    numbers.sort_unstable_by(|left, right| right.cmp(left));
    numbers.dedup();
    let options =
        |chosen: i64| numbers.iter().map(|one| option(one.to_string(), one.to_string(), *one == chosen)).collect();
    let path = format!("/t/{}/reports/{id}/versions", ctx.tenant().slug);
    let pager = paged(&format, page, report::VERSIONS, listed.len(), one.version);
    Ok(Versions {
        pager: pager.map(|one| Pager::of(&path, one.summary, one.newer, one.older)),
        report: id.to_string(),
        name: one.definition.name,
        newest: one.version,
        can_build: ctx.access().grants(Permission::ReportsManage) && ctx.read_only().is_none(),
        from: options(from),
        to: options(to),
        rows: listed
            .into_iter()
            .map(|one| (one.number, one.summary, format!("{}, {}", one.created_by, format.instant(one.created_at))))
            .collect(),
        differences,
    })
}

fn change(difference: Difference) -> FieldChange {
    let (field, before, after) = match difference {
        Difference::Added(what) => (what, None, Some("added".to_owned())),
        Difference::Removed(what) => (what, Some("there".to_owned()), None),
        Difference::Moved(what) => (what, Some("elsewhere".to_owned()), Some("moved".to_owned())),
        Difference::Changed(what, was, is) => (what, Some(was).filter(|was| !was.is_empty()), Some(is)),
    };
    FieldChange { field, before: before.into(), after: after.into() }
}

/// The whole of a table as it is now, page by page; of the newest version, or of the one that the address names.
pub(super) async fn table(ctx: &TenantContext, id: &str, block: &str, pairs: &Pairs) -> Result<WholeTable, Error> {
    let id: ReportId = id.parse().map_err(|_| Error::NotFound)?;
    let block: u32 = block.parse().map_err(|_| Error::NotFound)?;
    let one = report::one(ctx, id).await?;
    let version = value(pairs, "version").parse::<i64>().ok().filter(|version| *version != one.version);
    let definition = match version {
        Some(version) => report::version(ctx, id, version).await?,
        None => one.definition,
    };
    let (filter, is_asked) = parameters(&definition, pairs)?;
    let path = format!("/t/{}/reports/{id}", ctx.tenant().slug);
    let asked = Asked { parameters: &filter, version: None, shown: Shown::Whole(report::MOST_ROWS), address: &path };
    let filled = report::fill_block(ctx, &definition, block, &asked).await?;
    let format = Format::of(ctx.tenant());
    let of_version = version.map(|version| format!(" · version {version}")).unwrap_or_default();
    let subtitle = format!("{} · {}{of_version} · as it is now", format.period(filled.period), filled.zone);
    // An address without a filter would mean the report's own.
    let mut words = if is_asked { filter.to_stated_query() } else { String::new() };
    if let Some(version) = version {
        words = joined(&words, &format!("version={version}"));
    }
    let address = format!("{path}/tables/{block}{}{words}", if words.is_empty() { "" } else { "?" });
    let around = (definition.name, subtitle, (path, "Back to the report"));
    whole(&format, filled, block, page_number(pairs), around, &address, None)
}

/// A table as a run kept it, page by page.
pub(super) async fn run_table(
    ctx: &TenantContext,
    id: &str,
    run: &str,
    block: &str,
    pairs: &Pairs,
) -> Result<WholeTable, Error> {
    let id: ReportId = id.parse().map_err(|_| Error::NotFound)?;
    let block: u32 = block.parse().map_err(|_| Error::NotFound)?;
    let one = report::run(ctx, run.parse().map_err(|_| Error::NotFound)?).await?;
    if one.report != id {
        return Err(Error::NotFound);
    }
    let filled = report::result(ctx, one.id).await?;
    let format = Format::of(ctx.tenant());
    let subtitle =
        format!("{} · {} · as it was on {}", format.period(one.period), one.zone, format.instant(filled.made_at));
    let path = format!("/t/{}/reports/{id}", ctx.tenant().slug);
    let of_run = format!("{path}/runs/{}", one.id);
    let now = joined_address(
        &format!("{path}/tables/{block}"),
        &joined(&one.parameters, &format!("version={}", one.version)),
    );
    let address = format!("{of_run}/tables/{block}");
    let around = (one.name, subtitle, (of_run, "Back to the run"));
    whole(&format, filled, block, page_number(pairs), around, &address, Some(now))
}

fn joined_address(address: &str, more: &str) -> String {
    format!("{address}{}{more}", if address.contains('?') { '&' } else { '?' })
}

/// A page of a filled table. Where not all of it was filled, that is said, and `now` leads to what there is.
fn whole(
    format: &Format,
    filled: Filled,
    block: u32,
    page: i64,
    (name, subtitle, back): (String, String, (String, &'static str)),
    address: &str,
    now: Option<String>,
) -> Result<WholeTable, Error> {
    let mut blocks = filled.sections.into_iter().flat_map(|section| section.blocks);
    let found = blocks.find(|one| one.id == block).ok_or(Error::NotFound)?;
    let (FilledContent::Table(mut table) | FilledContent::Chart { mut table, .. }) = found.content else {
        return Err(Error::NotFound);
    };
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let cut = table.is_cut().then(|| {
        let of = format.count(i64::try_from(table.of_rows).unwrap_or(i64::MAX));
        let words = format!("Kept are the first {} of {of} rows.", format.count(count(table.rows.len())));
        (words, now)
    });
    let of = count(table.rows.len());
    let first = usize::try_from((page - 1) * PAGE_ROWS).unwrap_or(usize::MAX);
    if first > 0 && first >= table.rows.len() {
        return Err(Error::NotFound);
    }
    table.rows.drain(..first);
    table.rows.truncate(usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX));
    let pager = paged(format, page, PAGE_ROWS, table.rows.len(), of);
    let last = (of + PAGE_ROWS - 1) / PAGE_ROWS;
    // What the page does not show stands on others, and what nobody kept is said above it. The totals are of all of it.
    let total_label = sheet::total_label(&table, format);
    (table.of_rows, table.whole) = (table.rows.len() as u64, None);
    Ok(WholeTable {
        name,
        title: found.title,
        subtitle,
        back,
        cut,
        pager: pager.map(|one| {
            let summary = format!("{}, page {} of {}", one.summary, format.count(page), format.count(last));
            Pager::of(address, summary, one.newer, one.older)
        }),
        sheets: leptos::prelude::RenderHtml::to_html(sheet::alone(&table, format, &total_label)),
    })
}

/// A run.
pub(super) async fn run(ctx: &TenantContext, id: &str, run: &str) -> Result<RunView, Error> {
    let report_id: ReportId = id.parse().map_err(|_| Error::NotFound)?;
    let one = report::run(ctx, run.parse().map_err(|_| Error::NotFound)?).await?;
    if one.report != report_id {
        return Err(Error::NotFound);
    }
    let format = Format::of(ctx.tenant());
    let path = format!("/t/{}/reports/{}", ctx.tenant().slug, one.report);
    let can_build = ctx.access().grants(Permission::ReportsManage) && ctx.read_only().is_none();
    let is_hidden = one.state == RunState::Done && !report::is_shown(ctx, &one).await?;
    let (sheets, changed) = if one.state == RunState::Done && !is_hidden {
        let filled = report::result(ctx, one.id).await?;
        let changed = changed::since(ctx, &one, &filled, &path).await?;
        let around = Around {
            tenant: ctx.tenant().clone(),
            format: format.clone(),
            charts: format!("{path}/runs/{}/charts", one.id),
            query: String::new(),
            chosen: None,
        };
        let filled = with_addresses(filled, &path, &one);
        (Some(leptos::prelude::RenderHtml::to_html(sheet::sheets(&filled, &around))), changed)
    } else {
        (None, None)
    };
    let can_repeat = ctx.access().grants(Permission::ReportsSchedule) && ctx.read_only().is_none();
    let mailings = report::mailings(ctx, one.id).await?;
    let mailing_views = mailings
        .iter()
        .map(|mailing| MailingView {
            id: mailing.id.to_string(),
            to: mailing.recipient.clone(),
            state: mail_state_view(mailing.state),
            detail: mailing_detail(&format, mailing),
            can_repeat: can_repeat && mailing.can_be_repeated(),
        })
        .collect();
    let report::Attempts { newest, total } = report::attempts(ctx, one.id).await?;
    let attempts_told = if usize::try_from(total).is_ok_and(|total| total > newest.len()) {
        format!(
            "The newest {} of {}, these first.",
            format.count(i64::try_from(newest.len()).unwrap_or(total)),
            format.count(total)
        )
    } else {
        "The newest first.".to_owned()
    };
    let attempts = newest
        .into_iter()
        .map(|attempt| {
            let what = attempt.recipient.map_or_else(|| "Making it".to_owned(), |to| format!("Mail to {to}"));
            (format.instant(attempt.at), what, attempt.outcome)
        })
        .collect();
    Ok(RunView {
        report: one.report.to_string(),
        id: one.id.to_string(),
        name: one.name.clone(),
        subtitle: format!("{} · {}", format.period(one.period), one.zone),
        state: state_view(one.state),
        progress: (!one.state.is_final())
            .then(|| (one.step.clone().unwrap_or_else(|| "Waiting".into()), one.steps.0, one.steps.1)),
        failure: one.failure.clone(),
        facts: facts(&format, &one),
        files: one.files.iter().filter(|_| !is_hidden).map(|file| file_view(&format, &path, &one, file)).collect(),
        notes: one.notes.clone(),
        is_hidden,
        changed,
        late: one.is_late.then(|| late(&format, &one)),
        mailings: mailing_views,
        repeat_needs: (mailings.iter().any(report::Mailing::can_be_repeated)
            && !ctx.access().grants(Permission::ReportsSchedule))
        .then_some(Permission::ReportsSchedule.key()),
        attempts,
        attempts_told,
        can_cancel: can_build || ctx.access().grants(Permission::ReportsManage),
        can_run: can_build && one.state.is_final(),
        sheets,
    })
}

/// A page shows the beginning of long tables, with the address of all that the run has; the files have all of it.
fn with_addresses(mut filled: Filled, path: &str, run: &Run) -> Filled {
    let most = usize::try_from(sheet::SHOWN_ROWS).unwrap_or(usize::MAX);
    for section in &mut filled.sections {
        for block in &mut section.blocks {
            let (FilledContent::Table(table) | FilledContent::Chart { table, .. }) = &mut block.content else {
                continue;
            };
            if table.rows.len() > most || table.is_cut() {
                table.whole = Some(format!("{path}/runs/{}/tables/{}", run.id, block.id));
            }
        }
    }
    filled
}

fn late(format: &Format, run: &Run) -> String {
    let due = run.occurrence.as_deref().map(|name| due::words(format, name)).unwrap_or_default();
    let missed = match run.missed {
        0 => String::new(),
        1 => " One time before it was missed; this run makes up for it.".into(),
        more => format!(" {more} times before it were missed; this run makes up for them."),
    };
    format!("It came late: it was due on {due}.{missed}")
}

fn mail_state_view(state: MailState) -> (&'static str, &'static str, Tone) {
    let tone = match state {
        MailState::Waiting | MailState::Sending => Tone::Info,
        MailState::Sent | MailState::Delivered => Tone::Success,
        MailState::Failed => Tone::Danger,
        MailState::Uncertain => Tone::Warning,
        MailState::Caught | MailState::Withheld | MailState::Stopped => Tone::Neutral,
    };
    (state.key(), state.label(), tone)
}

fn mailing_detail(format: &Format, mailing: &report::Mailing) -> String {
    let mut parts = vec![format.instant(mailing.changed_at)];
    if mailing.number > 1 {
        parts.push(format!("sent for the {}. time", mailing.number));
    }
    parts.extend(mailing.last_error.clone());
    parts.join(" · ")
}

fn facts(format: &Format, run: &Run) -> Vec<(String, String)> {
    let instant = |at| format.instant(at);
    let mut facts = vec![
        ("Asked for by".to_owned(), format!("{}, {}", run.author, instant(run.created_at))),
        ("Version".to_owned(), run.version.to_string()),
        ("Days".to_owned(), format!("{} – {}", run.period.from(), run.period.to())),
        ("Zone".to_owned(), run.zone.to_string()),
        ("Data as of".to_owned(), run.as_of.map_or_else(|| MISSING.to_owned(), instant)),
    ];
    if let (Some(began), Some(ended)) = (run.started_at, run.finished_at) {
        let milliseconds = (ended - began).num_milliseconds().max(0);
        facts.push(("Took".to_owned(), format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100)));
    }
    if let Some(rows) = run.rows {
        facts.push(("Rows".to_owned(), format.count(rows)));
    }
    if let Some(pages) = run.pages {
        facts.push(("Pages".to_owned(), format.count(pages.into())));
    }
    if let Some(occurrence) = &run.occurrence {
        facts.push(("Made for".to_owned(), due::words(format, occurrence)));
    }
    facts.push(("Run".to_owned(), run.id.to_string()));
    facts
}

/// What is said of a list that shows the newest alone.
pub(super) fn newest_of(format: &Format, shown: usize, of: i64) -> Option<String> {
    let shown = i64::try_from(shown).unwrap_or(i64::MAX);
    (shown < of).then(|| format!("The newest {} of {}.", format.count(shown), format.count(of)))
}

/// A page of a long list: “201 to 400 of 512”, and the numbers of the pages before and behind it.
struct Paged {
    summary: String,
    newer: Option<i64>,
    older: Option<i64>,
}

/// The page of that number, from 1. `None` where the list fits on one.
fn paged(format: &Format, page: i64, size: i64, shown: usize, of: i64) -> Option<Paged> {
    let first = (page - 1) * size + 1;
    let last = first - 1 + i64::try_from(shown).unwrap_or(size);
    (of > size).then(|| Paged {
        summary: format!("{} to {} of {}", format.count(first.min(last)), format.count(last), format.count(of)),
        newer: (page > 1).then(|| page - 1),
        older: (last < of).then(|| page + 1),
    })
}

/// The number of a page in an address, from 1; what is none is the first.
fn page_number(pairs: &Pairs) -> i64 {
    value(pairs, "page").parse().ok().filter(|page| (1..=1_000_000).contains(page)).unwrap_or(1)
}

/// A run in the list at the side.
pub(super) fn run_row(format: &Format, path: &str, run: &Run) -> RunRow {
    RunRow {
        href: format!("{path}/runs/{}", run.id),
        state: run.state.key(),
        label: format!("{} · {}", run.state.label(), run.author),
        when: format.instant(run.created_at),
    }
}

fn file_view(format: &Format, path: &str, run: &Run, file: &report::FileRow) -> FileView {
    let href = format!("{path}/runs/{}/files/{}", run.id, file.name());
    let kib = (file.bytes + 1_023) / 1_024;
    FileView {
        raw: (file.format == FileFormat::Csv).then(|| format!("{href}?raw=1")),
        href,
        label: file.format.label().into(),
        title: file.title.clone(),
        detail: format!("{} KiB", format.count(kib)),
    }
}
