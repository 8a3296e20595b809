//! From a definition to typed values. Everything is read as it stood at one moment, so the parts of a report never contradict
//! each other, and its figures are those of the dashboard: what both show comes from the same functions.

use std::collections::HashMap;
use std::sync::Arc;

use chrono_tz::Tz;
use rtv_core::filter::PageFilter;
use rtv_core::kpi::{Basis, Kpi};
use rtv_core::period::{Compare, Grain, Period};
use rtv_core::report::{
    Block, Cell, Column, Content, Definition, Dimension, Filled, FilledBlock, FilledContent, FilledSection, Kind,
    Meaning, Measure, Metric, Query, Sort, Source, Table,
};
use rtv_core::{CampaignId, Error, Permission};

use super::{audience, competitors, deliveries, figures, hours, posts};
use crate::account::Account;
use crate::campaign::Campaign;
use crate::context::{Access, TenantContext};
use crate::coverage;
use crate::format::Format;
use crate::kpi::{self, Figure, Followers, Summary};
use crate::team::{self, Choice};

/// No table has more rows: a report is read by people, and more is an export. What is left out is said.
pub const MOST_ROWS: u32 = 200_000;

/// Rows of a chart on a page that is drawn again with each edit: far more than a picture can show, and little enough to hold many of.
pub const MOST_CHARTED: u32 = 20_000;

/// What is asked of a definition.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// What it covers.
    pub parameters: &'a PageFilter,
    /// Number of the version, if it was saved.
    pub version: Option<u32>,
    /// How much of each table is wanted.
    pub shown: Shown,
    /// Address of the page of the report, on which whole tables are: each under `/tables/{block}`.
    pub address: &'a str,
}

/// How much of a table is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// What the definition says.
    AsDefined,
    /// At most so many rows of a table, for a page. A chart is filled as defined, up to [`MOST_CHARTED`] rows: what is said of its
    /// picture comes from all that it shows.
    AtMost(u32),
    /// So many rows at most, also where the definition shows less.
    Whole(u32),
}

/// What all parts of a report share.
pub(super) struct Frame {
    /// Reads as everything stood at one moment.
    pub(super) ctx: TenantContext,
    pub(super) period: Period,
    pub(super) previous: Option<Period>,
    pub(super) compare: Compare,
    pub(super) zone: Tz,
    pub(super) week_start: u32,
    pub(super) filter: kpi::Filter,
    /// The figures of the whole, as the dashboard has them.
    pub(super) summary: Summary,
    /// Accounts that are covered.
    pub(super) covered: Vec<Account>,
    /// The same as queries take them.
    pub(super) accounts: Vec<uuid::Uuid>,
    /// Campaigns that are asked for; empty means everything.
    pub(super) campaigns: Vec<uuid::Uuid>,
    pub(super) followers: Followers,
    /// Teams that figures are told apart by: those that it is narrowed to, or all that may be chosen.
    pub(super) teams: Vec<Choice>,
    /// Rows of a table at most, also where its query shows less; `None` shows what the query says.
    whole: Option<u32>,
}

impl Frame {
    pub(super) fn account(&self, id: uuid::Uuid) -> Option<&Account> {
        self.covered.iter().find(|account| account.id.uuid() == id)
    }

    /// Name of an account; where two have the same, with its platform.
    pub(super) fn account_name(&self, id: uuid::Uuid) -> String {
        let Some(account) = self.account(id) else { return id.to_string() };
        let is_shared = self.covered.iter().any(|other| other.id != account.id && other.name == account.name);
        if is_shared { format!("{} ({})", account.name, account.platform.label()) } else { account.name.clone() }
    }

    pub(super) fn campaign_name(&self, id: uuid::Uuid) -> String {
        let is_it = |campaign: &&Campaign| campaign.id.uuid() == id;
        self.summary.campaigns.iter().find(is_it).map_or_else(|| "No campaign".into(), |one| one.name.clone())
    }

    /// How many rows of a query are wanted.
    pub(super) fn limit(&self, query: &Query) -> usize {
        let most = self.whole.or(query.limit).unwrap_or(MOST_ROWS).min(MOST_ROWS);
        usize::try_from(most).unwrap_or(usize::MAX)
    }

    /// A measure over everything that is covered, where it is a KPI: the dashboard's.
    pub(super) fn figure(&self, measure: Measure) -> Option<&Figure> {
        let kpi = measure.kpi()?;
        self.summary.figures.iter().find(|figure| figure.kpi == kpi)
    }

    pub(super) const fn basis(&self) -> Basis {
        self.summary.basis
    }
}

/// Fills a definition. A block that cannot be filled says why and does not keep the others from it.
pub async fn fill(ctx: &TenantContext, definition: &Definition, asked: &Asked<'_>) -> Result<Filled, Error> {
    // What a block shows is refused in its place: what was saved once may be refused by now, and the others are filled still.
    definition.check_frame()?;
    let frame = frame(ctx, asked).await?;
    let mut answers = Answers::default();
    let mut sections = Vec::new();
    for section in &definition.sections {
        let mut blocks = Vec::new();
        for block in &section.blocks {
            blocks.push(filled_block(&frame, block, asked, &mut answers).await?);
        }
        sections.push(FilledSection { id: section.id, title: section.title.clone(), blocks });
    }
    Ok(finished(ctx, &frame, definition, asked, sections))
}

/// Fills one block of a definition, for a page that shows nothing else.
pub async fn fill_block(
    ctx: &TenantContext,
    definition: &Definition,
    block: u32,
    asked: &Asked<'_>,
) -> Result<Filled, Error> {
    let section = definition.sections.iter().find(|section| section.blocks.iter().any(|one| one.id == block));
    let section = section.ok_or(Error::NotFound)?;
    let one = section.blocks.iter().find(|one| one.id == block).ok_or(Error::NotFound)?;
    let frame = frame(ctx, asked).await?;
    let filled = filled_block(&frame, one, asked, &mut Answers::default()).await?;
    let section = FilledSection { id: section.id, title: section.title.clone(), blocks: vec![filled] };
    Ok(finished(ctx, &frame, definition, asked, vec![section]))
}

async fn frame(ctx: &TenantContext, asked: &Asked<'_>) -> Result<Frame, Error> {
    // Refused here, so that the refusal is recorded in a transaction of its own.
    ctx.begin(Permission::AnalyticsRead, crate::Resource::Posts).await?.rollback().await?;
    let ctx = &ctx.at_one_moment().await?;
    let mut teams = team::choices(ctx).await?;
    let narrowed = team::narrow(ctx, &teams, &asked.parameters.teams)?;
    let ctx = narrowed.ctx;
    // Of any other team only what it shares with these is read: its row would hold a part of its figures as if it were all of them.
    teams.retain(|team| ctx.narrowed.is_empty() || ctx.narrowed.contains(&team.id));
    let period = asked.parameters.period(ctx.today(), ctx.tenant().week_start)?;
    let previous = asked.parameters.compare.period(period);
    let filter = kpi::Filter {
        platforms: asked.parameters.platforms.clone(),
        accounts: asked.parameters.accounts.clone(),
        campaigns: asked.parameters.campaigns.clone(),
    };
    let question = kpi::Query { period, previous, filter: filter.clone(), metric: Kpi::Engagements, grain: None };
    let (summary, followers) = kpi::measured(&ctx, &question).await?;
    let covered: Vec<Account> = filter.covered(&summary.accounts)?.into_iter().cloned().collect();
    let accounts: Vec<_> = covered.iter().map(|account| account.id.uuid()).collect();
    let campaigns = filter.campaign_ids(&summary.campaigns)?;
    Ok(Frame {
        period,
        previous,
        compare: asked.parameters.compare,
        // Days, weeks and hours are counted in the tenant's zone, whatever zone its teams look at times in. A report is one document
        // and says one zone, so its times stand in it too.
        zone: ctx.tenant().zone,
        week_start: ctx.tenant().week_start,
        filter,
        covered,
        accounts,
        campaigns,
        followers,
        teams,
        summary,
        whole: match asked.shown {
            Shown::Whole(most) => Some(most),
            Shown::AsDefined | Shown::AtMost(_) => None,
        },
        ctx,
    })
}

/// Answers of this report, so that a chart and the table beside it ask once.
#[derive(Default)]
struct Answers(HashMap<String, Arc<Table>>);

async fn filled_block(
    frame: &Frame,
    block: &Block,
    asked: &Asked<'_>,
    answers: &mut Answers,
) -> Result<FilledBlock, Error> {
    let content = match filled_content(frame, block, asked, answers).await {
        Ok(content) => content,
        // What one block asks wrongly is said in its place; what failed on our side fails all of it.
        Err(Error::Invalid(errors)) => FilledContent::Refused(
            errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect::<Vec<_>>().join(" "),
        ),
        Err(Error::Forbidden(permission)) => FilledContent::Refused(format!(
            "This needs the permission “{}”, which whoever made the report does not hold.",
            permission.key()
        )),
        Err(other) => return Err(other),
    };
    let title = if block.title.trim().is_empty() { default_title(&block.content) } else { block.title.clone() };
    Ok(FilledBlock { id: block.id, title, content })
}

async fn filled_content(
    frame: &Frame,
    block: &Block,
    asked: &Asked<'_>,
    answers: &mut Answers,
) -> Result<FilledContent, Error> {
    block.content.check()?;
    Ok(match &block.content {
        Content::Text { text } => FilledContent::Text(text.clone()),
        Content::Metric { query } => FilledContent::Metric(metric(frame, query).await?),
        Content::Chart { kind, query } => {
            let table = match asked.shown {
                Shown::AtMost(_) => shown(frame, query, Shown::AtMost(MOST_CHARTED), answers).await?,
                Shown::AsDefined | Shown::Whole(_) => answer(frame, query, answers).await?,
            };
            FilledContent::Chart { kind: *kind, table: with_address(table, asked, block.id) }
        }
        Content::Table { query, has_totals } => {
            let table = shown(frame, query, asked.shown, answers).await?;
            let mut table = with_address(table, asked, block.id);
            if !*has_totals {
                table.totals = None;
            }
            FilledContent::Table(table)
        }
    })
}

/// What stands above figures that were given no title: what they are.
fn default_title(content: &Content) -> String {
    let Some(query) = content.query() else { return String::new() };
    let measures = query.measures.iter().map(|measure| measure.label()).collect::<Vec<_>>().join(", ");
    match query.source {
        Source::Posts => "Posts".into(),
        _ if query.dimensions.is_empty() => measures,
        _ => {
            let by = query.dimensions.iter().map(|one| one.label().to_lowercase()).collect::<Vec<_>>().join(" and ");
            format!("{measures} by {by}")
        }
    }
}

fn with_address(table: Arc<Table>, asked: &Asked<'_>, block: u32) -> Table {
    let mut table = Arc::unwrap_or_clone(table);
    // A page shows the beginning of a chart's table too, although the chart has all of it.
    let is_long = matches!(asked.shown, Shown::AtMost(most) if table.rows.len() as u64 > u64::from(most));
    if is_long || table.is_cut() {
        // What is built later is not what this shows.
        let version = asked.version.map(|version| format!("&version={version}")).unwrap_or_default();
        let filter = asked.parameters.to_stated_query();
        table.whole = Some(format!("{}/tables/{block}?{filter}{version}", asked.address));
    }
    table
}

/// As much of a table as is wanted.
async fn shown(frame: &Frame, query: &Query, shown: Shown, answers: &mut Answers) -> Result<Arc<Table>, Error> {
    let Shown::AtMost(most) = shown else { return answer(frame, query, answers).await };
    // A chart that asks the same has its rows already.
    let charted =
        Query { limit: Some(query.limit.map_or(MOST_CHARTED, |limit| limit.min(MOST_CHARTED))), ..query.clone() };
    if let Some(known) = answers.0.get(&key(query)).or_else(|| answers.0.get(&key(&charted))) {
        return Ok(Arc::new(known.first(usize::try_from(most).unwrap_or(usize::MAX))));
    }
    let limit = Some(query.limit.map_or(most, |limit| limit.min(most)));
    answer(frame, &Query { limit, ..query.clone() }, answers).await
}

/// What an answer is kept by.
fn key(query: &Query) -> String {
    format!("{query:?}")
}

async fn answer(frame: &Frame, query: &Query, answers: &mut Answers) -> Result<Arc<Table>, Error> {
    query.check()?;
    let key = key(query);
    if let Some(known) = answers.0.get(&key) {
        return Ok(known.clone());
    }
    let table = match query.source {
        Source::Posts => posts::table(frame, query).await?,
        Source::Deliveries => deliveries::table(frame, query).await?,
        Source::Audience => audience::table(frame, query)?,
        Source::Competitors => competitors::table(frame, query).await?,
        Source::Kpis if query.dimensions.iter().any(|one| matches!(one, Dimension::Weekday | Dimension::Hour)) => {
            hours::table(frame, query).await?
        }
        Source::Kpis | Source::Campaigns | Source::Platforms | Source::Teams => figures::table(frame, query).await?,
    };
    let table = Arc::new(table);
    answers.0.insert(key, table.clone());
    Ok(table)
}

/// One measure over everything that is covered. A KPI is the dashboard's.
async fn metric(frame: &Frame, query: &Query) -> Result<Metric, Error> {
    query.check()?;
    let measure = *query.measures.first().ok_or_else(|| Error::invalid("measure", "choose one measure."))?;
    let is_compared = query.is_compared && frame.previous.is_some();
    if let (Some(figure), false) = (frame.figure(measure), matches!(query.source, Source::Posts | Source::Competitors))
    {
        let remark = figure.missing.clone().or_else(|| figure.note.clone());
        let gap = coverage::gap(&Format::of(frame.ctx.tenant()), figure);
        return Ok(Metric {
            key: measure.key().into(),
            label: measure.label().into(),
            unit: measure.unit(),
            value: figure.value,
            previous: figure.previous.filter(|_| is_compared),
            is_compared,
            compared_with: None,
            up_is_good: figure.kpi.up_is_good(),
            note: joined(&remark.into_iter().chain(gap).collect::<Vec<_>>()),
            remarks: Vec::new(),
        });
    }
    let table = match query.source {
        Source::Posts => posts::table(frame, &Query { limit: Some(1), ..query.clone() }).await?,
        Source::Audience => audience::table(frame, query)?,
        Source::Competitors => competitors::table(frame, query).await?,
        _ => deliveries::table(frame, query).await?,
    };
    let number = |key: &str| {
        let place = table.columns.iter().position(|column| column.key == key)?;
        match table.totals.as_ref()?.get(place)? {
            Cell::Number(value) => Some(*value),
            _ => None,
        }
    };
    let (note, remarks) =
        if table.notes.len() > 1 { (None, table.notes.clone()) } else { (joined(&table.notes), Vec::new()) };
    Ok(Metric {
        key: measure.key().into(),
        label: measure.label().into(),
        unit: measure.unit(),
        value: number(measure.key()),
        previous: number(&format!("{}_previous", measure.key())).filter(|_| is_compared),
        is_compared,
        compared_with: match query.source {
            Source::Competitors if is_compared => competitors::compared_with(frame),
            _ => None,
        },
        up_is_good: match measure {
            Measure::Missed | Measure::Rejected | Measure::Position => Some(false),
            Measure::Deliveries => None,
            _ => Some(true),
        },
        note,
        remarks,
    })
}

/// Sentences as one remark.
fn joined(notes: &[String]) -> Option<String> {
    (!notes.is_empty()).then(|| notes.join(" "))
}

/// The columns of a query: dimensions, then measures, each with its earlier value beside it where it is compared.
pub(super) fn columns(query: &Query, is_compared: bool) -> Vec<Column> {
    let mut columns: Vec<Column> = query
        .dimensions
        .iter()
        .map(|dimension| Column {
            key: dimension.key().into(),
            label: dimension.label().into(),
            kind: match dimension {
                Dimension::Day => Kind::Day,
                Dimension::Week => Kind::Week,
                Dimension::Month => Kind::Month,
                Dimension::Weekday => Kind::Weekday,
                Dimension::Hour => Kind::Hour,
                Dimension::PublishedAt => Kind::Instant,
                Dimension::Platform
                | Dimension::Account
                | Dimension::Campaign
                | Dimension::Team
                | Dimension::Post
                | Dimension::PostKind
                | Dimension::PostId
                | Dimension::State
                | Dimension::Brand => Kind::Text,
            },
        })
        .collect();
    for measure in &query.measures {
        let kind = Kind::Number(measure.unit());
        columns.push(Column { key: measure.key().into(), label: measure.label().into(), kind });
        if is_compared {
            let key = format!("{}_previous", measure.key());
            columns.push(Column { key, label: format!("{}, before", measure.label()), kind });
        }
    }
    columns
}

/// How wide points in time are, where a query is told apart by time.
pub(super) fn grain_of(query: &Query) -> Option<Grain> {
    query.dimensions.iter().find_map(|dimension| match dimension {
        Dimension::Day => Some(Grain::Day),
        Dimension::Week => Some(Grain::Week),
        Dimension::Month => Some(Grain::Month),
        _ => None,
    })
}

/// Orders rows as the query says, and takes as many as are wanted. Rows come in the order of their dimensions.
pub(super) fn arranged(
    frame: &Frame,
    query: &Query,
    columns: Vec<Column>,
    mut rows: Vec<Vec<Cell>>,
    totals: Vec<Cell>,
    notes: Vec<String>,
) -> Table {
    let (key, is_descending) = match query.sort {
        Some(Sort::Dimension { by, is_descending }) => (Some(by.key()), is_descending),
        Some(Sort::Measure { by, is_descending }) => (Some(by.key()), is_descending),
        None => (None, false),
    };
    if let Some(place) = key.and_then(|key| columns.iter().position(|column| column.key == key)) {
        rows.sort_by(|left, right| order(&left[place], &right[place], is_descending));
    }
    let of_rows = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    rows.truncate(frame.limit(query));
    Table { columns, rows, totals: Some(totals), of_rows, whole: None, notes }
}

/// Missing stands last in either direction.
fn order(left: &Cell, right: &Cell, is_descending: bool) -> core::cmp::Ordering {
    use core::cmp::Ordering;
    let ordering = match (left, right) {
        (Cell::Missing, Cell::Missing) => return Ordering::Equal,
        (Cell::Missing, _) => return Ordering::Greater,
        (_, Cell::Missing) => return Ordering::Less,
        (Cell::Number(left), Cell::Number(right)) => left.cmp(right),
        (Cell::Day(left), Cell::Day(right)) => left.cmp(right),
        (Cell::Instant(left), Cell::Instant(right)) => left.cmp(right),
        (Cell::Ordinal(left), Cell::Ordinal(right)) => left.cmp(right),
        (Cell::Text(left), Cell::Text(right)) => left.to_lowercase().cmp(&right.to_lowercase()),
        _ => Ordering::Equal,
    };
    if is_descending { ordering.reverse() } else { ordering }
}

fn finished(
    ctx: &TenantContext,
    frame: &Frame,
    definition: &Definition,
    asked: &Asked<'_>,
    sections: Vec<FilledSection>,
) -> Filled {
    Filled {
        name: definition.name.clone(),
        description: definition.description.clone(),
        tenant: ctx.tenant().name.clone(),
        period: frame.period,
        previous: frame.previous,
        zone: frame.zone,
        filters: filters(frame, asked.parameters),
        as_of: frame.summary.as_of,
        made_at: ctx.now(),
        version: asked.version,
        meanings: meanings(definition, &sections),
        notes: notes(frame),
        sections,
    }
}

/// What it is narrowed to, in words.
fn filters(frame: &Frame, parameters: &PageFilter) -> Vec<String> {
    let mut filters = Vec::new();
    let mut add = |what: &str, names: Vec<String>| {
        if !names.is_empty() {
            filters.push(format!("{what}: {}", names.join(", ")));
        }
    };
    add("Platform", parameters.platforms.iter().map(|platform| platform.label().to_owned()).collect());
    add("Account", parameters.accounts.iter().map(|account| frame.account_name(account.uuid())).collect());
    let name = |campaign: &CampaignId| frame.campaign_name(campaign.uuid());
    add("Campaign", parameters.campaigns.iter().map(name).collect());
    // Those that were asked for, or those to which whoever asked for the run was limited.
    let mut teams = frame.ctx.narrowed.clone();
    // Who sees figures through teams alone makes reports of these.
    if let (Access::Member(holding), true) = (frame.ctx.access(), teams.is_empty())
        && !holding.everywhere().contains(Permission::AnalyticsRead)
    {
        teams = holding.teams_with(Permission::AnalyticsRead);
    }
    let there = frame.teams.iter().filter(|one| teams.contains(&one.id));
    let mut names: Vec<String> = there.map(|one| one.name.clone()).collect();
    if names.len() < teams.len() {
        names.push(format!("{} deleted", teams.len() - names.len()));
    }
    add("Team", names);
    filters
}

fn meanings(definition: &Definition, sections: &[FilledSection]) -> Vec<Meaning> {
    let shown: Vec<u32> = sections.iter().flat_map(|section| &section.blocks).map(|block| block.id).collect();
    let mut measures: Vec<Measure> = Vec::new();
    for block in definition.blocks().filter(|block| shown.contains(&block.id)) {
        for measure in block.content.query().map(|query| query.measures.as_slice()).unwrap_or_default() {
            if !measures.contains(measure) {
                measures.push(*measure);
            }
        }
    }
    measures
        .into_iter()
        .map(|measure| Meaning { label: measure.label().into(), definition: measure.definition().into() })
        .collect()
}

/// What has to be known to read the figures.
fn notes(frame: &Frame) -> Vec<String> {
    let summary = &frame.summary;
    let format = Format::of(frame.ctx.tenant());
    let mut notes = vec![format!("Figures: {}", summary.basis.explanation())];
    if summary.is_running {
        notes.push("The last day of the period is not over; its figures still grow.".into());
    }
    if summary.undated_posts > 0 {
        notes.push(format!(
            "{} posts are not counted: only their month is known, and it lies only partly in the period.",
            format.count(summary.undated_posts)
        ));
    }
    for late in &summary.late {
        notes.push(format!(
            "Figures of {} ({}) have arrived until {} only.",
            late.name,
            late.platform.label(),
            format.day(late.until)
        ));
    }
    notes
}
