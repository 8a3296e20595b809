//! Forms of `/t/{tenant}/reports`: building a report step by step, making files of it, and taking them out.

pub mod handout;
pub mod schedule;

use axum::Form;
use axum::body::Body;
use axum::extract::{Path, Query as AddressQuery, State};
use axum::response::Response;
use rtv_core::filter::PageFilter;
use rtv_core::report::{Block, Content, Dimension, Edit, FileFormat, Filled, Measure, NewBlock, Query, Sort, Source};
use rtv_core::{Error, FieldError, ReportId, RunId};
use rtv_domain::TenantContext;
use rtv_domain::report::{self, Report, Template};
use tower_sessions::Session;

use crate::http::form::{Asked, Pairs, enter, id, value, values};
use crate::http::{download, flash};
use crate::press;
use crate::state::AppState;

type Page = (String, String);

/// The filter of the preview that a form was sent from; none where the preview showed what the report covers by itself.
fn asked_filter(pairs: &[(String, String)]) -> Result<Option<PageFilter>, Error> {
    let query = value(pairs, "query");
    if query.is_empty() { Ok(None) } else { PageFilter::from_query(&query).map(Some) }
}

/// Where a form of a report leads: to the part that is worked at, with the preview's filter.
fn page(tenant: &str, report: &str, pairs: &[(String, String)], part: Option<u32>) -> String {
    // What the form says goes into an address of ours, so it is read and written again.
    let mut query = asked_filter(pairs).ok().flatten().map(|filter| filter.to_stated_query()).unwrap_or_default();
    if let Some(part) = part {
        if !query.is_empty() {
            query.push('&');
        }
        query = format!("{query}part={part}");
    }
    let path = format!("/t/{tenant}/reports/{report}");
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

/// Makes a report from a template.
pub async fn create(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path(tenant): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let created = async {
        let ctx = enter(&asked, &tenant).await?;
        report::may_build(&ctx).await?;
        let key = value(&pairs, "template");
        let template = Template::ALL.into_iter().find(|one| one.key() == key);
        let template = template.ok_or_else(|| Error::invalid("template", "choose one of the templates."))?;
        report::create(&ctx, &template.definition(), &format!("Started from {}", template.label())).await
    };
    let list = format!("/t/{tenant}/reports");
    match created.await {
        Ok(id) => {
            let message = "Made. Choose a part in the outline to change it; each save can be undone.";
            flash::lead_with(&session, flash::success(message), &format!("{list}/{id}")).await
        }
        Err(error) => flash::refuse(&state, &asked, &session, &list, error, pairs).await,
    }
}

/// Does one step of building and saves it as a version.
async fn step(
    ctx: &TenantContext,
    report: &str,
    pairs: &[(String, String)],
    edit: impl FnOnce(&Report) -> Result<Edit, Error>,
) -> Result<(String, Option<u32>), Error> {
    report::may_build(ctx).await?;
    let id: ReportId = id(report)?;
    let one = report::one(ctx, id).await?;
    let edited = one.definition.edited(&edit(&one)?)?;
    report::save(ctx, id, &value(pairs, "version"), &edited.definition, &edited.summary).await?;
    Ok((edited.summary, edited.part))
}

/// One step of building from a form to its answer: to the part that it is about now, or back to where it was refused.
async fn build(
    (state, asked, session): (&AppState, &Asked, &Session),
    (tenant, report): (&str, &str),
    part: Option<u32>,
    pairs: Pairs,
    edit: impl FnOnce(&Report, &[(String, String)]) -> Result<Edit, Error>,
) -> Response {
    let outcome = async {
        let ctx = enter(asked, tenant).await?;
        step(&ctx, report, &pairs, |one| edit(one, &pairs)).await
    };
    match outcome.await {
        Ok((summary, part)) => {
            let to = page(tenant, report, &pairs, part);
            flash::lead_with(session, flash::success(format!("{summary}.")), &to).await
        }
        Err(error) => {
            let to = page(tenant, report, &pairs, part);
            flash::refuse(state, asked, session, &to, error, pairs).await
        }
    }
}

/// Changes name, purpose and parameters.
pub async fn details(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, report)): Path<Page>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let edit = |one: &Report, pairs: &[(String, String)]| {
        let kept = if value(pairs, "keep_parameters").is_empty() { None } else { asked_filter(pairs)? };
        let parameters = kept.map_or_else(|| one.definition.parameters.clone(), |filter| filter.to_query());
        Ok(Edit::SetDetails {
            name: value(pairs, "name"),
            description: value(pairs, "description").replace("\r\n", "\n"),
            parameters,
        })
    };
    build((&state, &asked, &session), (&tenant, &report), None, pairs, edit).await
}

/// Adds a section, or something to one.
pub async fn add(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, report)): Path<Page>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let edit = |_: &Report, pairs: &[(String, String)]| {
        let what = value(pairs, "add");
        if what == "section" {
            return Ok(Edit::AddSection);
        }
        let kind = NewBlock::ALL.into_iter().find(|kind| kind.key() == what);
        let kind = kind.ok_or_else(|| Error::invalid("add", "choose a section, figure, chart, table or text."))?;
        Ok(Edit::AddBlock { section: part(&value(pairs, "section"))?, kind })
    };
    build((&state, &asked, &session), (&tenant, &report), None, pairs, edit).await
}

fn part(text: &str) -> Result<u32, Error> {
    text.parse().map_err(|_| Error::invalid("part", "this part is not in the report; load the page again."))
}

/// Moves, copies or deletes a part.
pub async fn act(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, report, number)): Path<(String, String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let edit = |_: &Report, pairs: &[(String, String)]| {
        let part = part(&number)?;
        Ok(match value(pairs, "act").as_str() {
            "up" => Edit::Move { part, is_up: true },
            "down" => Edit::Move { part, is_up: false },
            "copy" => Edit::Copy { part },
            "delete" => Edit::Delete { part },
            "before" => Edit::MoveBefore { part, target: self::part(&value(pairs, "target"))? },
            _ => return Err(Error::invalid("act", "use up, down, before, copy or delete.")),
        })
    };
    build((&state, &asked, &session), (&tenant, &report), number.parse().ok(), pairs, edit).await
}

/// Changes a section or a block.
pub async fn edit(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, report, number)): Path<(String, String, String)>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let edit = |one: &Report, pairs: &[(String, String)]| {
        let (part, title) = (part(&number)?, value(pairs, "title"));
        if one.definition.section(part).is_some() {
            return Ok(Edit::SetSection { part, title });
        }
        let gone = || Error::invalid("part", "this part is not in the report any more; load the page again.");
        let block = one.definition.block(part).ok_or_else(gone)?;
        Ok(Edit::SetBlock { part, title, content: content(block, pairs)? })
    };
    build((&state, &asked, &session), (&tenant, &report), number.parse().ok(), pairs, edit).await
}

/// What a block is to show, as its form says; all fields that are wrong are named at once.
fn content(block: &Block, pairs: &[(String, String)]) -> Result<Content, Error> {
    if let Content::Text { .. } = block.content {
        return Ok(Content::Text { text: value(pairs, "text").replace("\r\n", "\n") });
    }
    let before = block.content.query().ok_or(Error::Internal)?;
    let mut errors: Vec<FieldError> = Vec::new();
    let source: Source = kept(value(pairs, "source").parse(), &mut errors).unwrap_or(before.source);
    let mut query = Query { source: before.source, ..typed_query(pairs, &mut errors) };
    query.measures = in_order(&before.measures, &query.measures);
    if source != before.source {
        // Its measures could not be chosen yet.
        query = Query { dimensions: before.dimensions.clone(), measures: before.measures.clone(), sort: None, ..query };
        query = query.of_source(source);
    }
    let content = match &block.content {
        Content::Metric { .. } => {
            Content::Metric { query: Query { dimensions: Vec::new(), sort: None, limit: None, ..query } }
        }
        Content::Chart { kind, .. } => {
            let kind = kept(value(pairs, "chart").parse(), &mut errors).unwrap_or(*kind);
            Content::Chart { kind, query }
        }
        Content::Table { .. } => Content::Table { query, has_totals: !value(pairs, "totals").is_empty() },
        Content::Text { .. } => return Err(Error::Internal),
    };
    if errors.is_empty() { Ok(content) } else { Err(Error::Invalid(errors)) }
}

/// Measures in the order in which they stand already, such as that of a funnel's steps; new ones behind them. Boxes of a form have the
/// order of the source.
fn in_order(before: &[Measure], chosen: &[Measure]) -> Vec<Measure> {
    let kept = before.iter().filter(|one| chosen.contains(one));
    kept.chain(chosen.iter().filter(|one| !before.contains(one))).copied().collect()
}

fn typed_query(pairs: &[(String, String)], errors: &mut Vec<FieldError>) -> Query {
    let dimensions: Vec<Dimension> = (1..=Query::MOST_DIMENSIONS)
        .map(|place| value(pairs, &format!("dimension-{place}")))
        .filter(|typed| !typed.is_empty())
        .filter_map(|typed| kept(typed.parse(), errors))
        .collect();
    let measures: Vec<Measure> =
        values(pairs, "measure").iter().filter_map(|typed| kept(typed.parse(), errors)).collect();
    let limit = value(pairs, "limit");
    let limit = match limit.trim() {
        "" => None,
        typed => match typed.parse::<u32>() {
            Ok(limit) => Some(limit),
            Err(_) => {
                let message = "use a whole number of rows, or leave it empty for all.".to_owned();
                errors.push(FieldError { field: "limit".into(), message });
                None
            }
        },
    };
    let sort = sort(&value(pairs, "sort"), &dimensions, &measures);
    Query { source: Source::Kpis, dimensions, measures, sort, limit, is_compared: !value(pairs, "compare").is_empty() }
}

/// An order; one by a column that was just left out is none.
fn sort(typed: &str, dimensions: &[Dimension], measures: &[Measure]) -> Option<Sort> {
    let (key, direction) = typed.split_once(':')?;
    let is_descending = direction == "desc";
    let dimension = dimensions.iter().find(|one| one.key() == key).map(|by| Sort::Dimension { by: *by, is_descending });
    dimension
        .or_else(|| measures.iter().find(|one| one.key() == key).map(|by| Sort::Measure { by: *by, is_descending }))
}

/// What could be read; what could not is named with everything else that is wrong.
fn kept<T>(parsed: Result<T, Error>, errors: &mut Vec<FieldError>) -> Option<T> {
    match parsed {
        Ok(value) => Some(value),
        Err(Error::Invalid(more)) => {
            errors.extend(more);
            None
        }
        Err(_) => None,
    }
}

/// Undoes the last save, or does it again.
pub async fn undo(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, report)): Path<Page>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let (id, seen) = (id(&report)?, value(&pairs, "version"));
        report::may_build(&ctx).await?;
        match value(&pairs, "act").as_str() {
            "redo" => report::redo(&ctx, id, &seen).await.map(|_| "Done again.".to_owned()),
            _ => report::undo(&ctx, id, &seen).await.map(|_| "Undone.".to_owned()),
        }
    };
    let to = page(&tenant, &report, &pairs, None);
    flash::answer(&state, &asked, &session, (&to, &to), outcome.await, Pairs::new()).await
}

/// Makes an older version the newest.
pub async fn restore(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, report)): Path<Page>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        report::may_build(&ctx).await?;
        let missing = || Error::invalid("number", "choose a version from the list.");
        let number: i64 = value(&pairs, "number").parse().map_err(|_| missing())?;
        report::restore(&ctx, id(&report)?, &value(&pairs, "version"), number).await?;
        Ok(format!("Version {number} is the newest again."))
    };
    let path = format!("/t/{tenant}/reports/{report}");
    let versions = format!("{path}/versions");
    flash::answer(&state, &asked, &session, (&path, &versions), outcome.await, Pairs::new()).await
}

/// Takes a report from the list; what it says offers to bring it back.
pub async fn delete(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, report)): Path<Page>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        report::delete(&ctx, id(&report)?).await
    };
    let list = format!("/t/{tenant}/reports");
    match outcome.await {
        Ok(name) => {
            let mut message = flash::success(format!("“{name}” is deleted."));
            message.values = vec![("deleted".to_owned(), report)];
            flash::lead_with(&session, message, &list).await
        }
        Err(error) => flash::refuse(&state, &asked, &session, &list, error, Pairs::new()).await,
    }
}

/// Brings a deleted report back.
pub async fn bring_back(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, report)): Path<Page>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        let name = report::bring_back(&ctx, id(&report)?).await?;
        Ok(format!("“{name}” is there again."))
    };
    let list = format!("/t/{tenant}/reports");
    flash::answer(&state, &asked, &session, (&format!("{list}/{report}"), &list), outcome.await, Pairs::new()).await
}

/// Asks for a run of what the preview shows.
pub async fn run(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, report)): Path<Page>,
    Form(pairs): Form<Pairs>,
) -> Response {
    let begun = async {
        let ctx = enter(&asked, &tenant).await?;
        let parameters = asked_filter(&pairs)?;
        report::begin(&ctx, id(&report)?, parameters.as_ref()).await
    };
    answer_begun(&state, &asked, &session, (&tenant, &report), begun.await).await
}

/// Asks for the same version, days and filters once more.
pub async fn again(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, report, run)): Path<(String, String, String)>,
) -> Response {
    let begun = async {
        let ctx = enter(&asked, &tenant).await?;
        report::begin_again(&ctx, id(&run)?).await
    };
    answer_begun(&state, &asked, &session, (&tenant, &report), begun.await).await
}

async fn answer_begun(
    state: &AppState,
    asked: &Asked,
    session: &Session,
    (tenant, report): (&str, &str),
    begun: Result<RunId, Error>,
) -> Response {
    let page = format!("/t/{tenant}/reports/{report}");
    match begun {
        Ok(run) => {
            let message = flash::success("It is being made. You can leave this page; it goes on.");
            flash::lead_with(session, message, &format!("{page}/runs/{run}")).await
        }
        Err(error) => flash::refuse(state, asked, session, &page, error, Pairs::new()).await,
    }
}

/// Stops a run.
pub async fn cancel(
    State(state): State<AppState>,
    asked: Asked,
    session: Session,
    Path((tenant, report, run)): Path<(String, String, String)>,
) -> Response {
    let outcome = async {
        let ctx = enter(&asked, &tenant).await?;
        report::cancel(&ctx, id(&run)?).await?;
        Ok("Stopped. No file of it is kept.".to_owned())
    };
    let page = format!("/t/{tenant}/reports/{report}/runs/{run}");
    flash::answer(&state, &asked, &session, (&page, &page), outcome.await, Pairs::new()).await
}

/// How an address wants a CSV.
fn csv_options(pairs: &[(String, String)]) -> rtv_report::csv::Options {
    press::wanted(|name| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()))
}

/// A file of a run: `pdf`, `xlsx`, `csv`, or `csv-2` for the second table; with `raw=1` a CSV has its texts as they are, with
/// `bom=0` no mark at its beginning.
pub async fn file(
    State(state): State<AppState>,
    asked: Asked,
    Path((tenant, _report, run, name)): Path<(String, String, String, String)>,
    AddressQuery(pairs): AddressQuery<Pairs>,
) -> Response {
    let found = async {
        let ctx = enter(&asked, &tenant).await?;
        let (format, part) = FileFormat::named(&name)?;
        let (run, file) = report::file(&ctx, id(&run)?, format, part).await?;
        let bytes = state.press().read_or_make(&ctx, &run, &file, csv_options(&pairs)).await?;
        Ok((file.file_name, format, bytes))
    };
    match found.await {
        Ok((name, format, bytes)) => download::file(Body::from(bytes), &name, format.content_type()),
        Err(error) => download::refuse(&state, &asked, error),
    }
}

/// A chart of the preview: a picture, or with `as=option` what the script of the page draws.
pub async fn chart(
    State(state): State<AppState>,
    asked: Asked,
    Path((tenant, report, block)): Path<(String, String, String)>,
    AddressQuery(pairs): AddressQuery<Pairs>,
) -> Response {
    let drawn = async {
        let ctx = enter(&asked, &tenant).await?;
        let one = report::one(&ctx, id(&report)?).await?;
        let given: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, value)| !OF_CHARTS.contains(name) && !value.is_empty())
            .collect();
        let parameters = if given.is_empty() {
            PageFilter::from_query(&one.definition.parameters)?
        } else {
            PageFilter::parse(given)?
        };
        let address = format!("/t/{tenant}/reports/{report}");
        let asked = report::Asked {
            parameters: &parameters,
            version: None,
            shown: report::Shown::AtMost(report::MOST_CHARTED),
            address: &address,
        };
        let number: u32 = block.parse().map_err(|_| Error::NotFound)?;
        let filled = report::fill_block(&ctx, &one.definition, number, &asked).await?;
        drawing(&state, &ctx, &filled, number, &pairs).await
    };
    drawn.await.unwrap_or_else(|error| crate::middleware::shield::error_text(&error))
}

/// A chart of a run: a picture, or with `as=option` what the script of the page draws.
pub async fn run_chart(
    State(state): State<AppState>,
    asked: Asked,
    Path((tenant, _report, run, block)): Path<(String, String, String, String)>,
    AddressQuery(pairs): AddressQuery<Pairs>,
) -> Response {
    let drawn = async {
        let ctx = enter(&asked, &tenant).await?;
        let filled = report::result(&ctx, id(&run)?).await?;
        let number: u32 = block.parse().map_err(|_| Error::NotFound)?;
        drawing(&state, &ctx, &filled, number, &pairs).await
    };
    drawn.await.unwrap_or_else(|error| crate::middleware::shield::error_text(&error))
}

/// What addresses of charts say beside what the report covers: the version that was saved, the way of drawing, and the theme that the
/// script of every chart asks for; a sheet is paper, so it is light in each.
const OF_CHARTS: [&str; 3] = ["v", "as", "theme"];

async fn drawing(
    state: &AppState,
    ctx: &TenantContext,
    filled: &Filled,
    block: u32,
    pairs: &[(String, String)],
) -> Result<Response, Error> {
    match value(pairs, "as").as_str() {
        "" => Ok(crate::http::chart::answer(&crate::press::picture(state, ctx, filled, block).await?)),
        "option" => Ok(crate::http::chart::answer_option(crate::press::option(ctx, filled, block)?)),
        _ => Err(Error::invalid("as", "use option, or leave it out for a picture.")),
    }
}
