//! From the domain's posts to the rows that people read. Runs on the server only.

use chrono::{DateTime, SecondsFormat, Utc};
use rtv_core::filter::PageFilter;
use rtv_core::kpi::{Basis, Kpi, Unit};
use rtv_core::{Error, FieldError, PostId};
use rtv_domain::TenantContext;
use rtv_domain::format::{Format, MISSING, machine};
use rtv_domain::post::{self, Cursor, Figures, Post, Query};
use rtv_domain::team;
use rust_decimal::Decimal;

use crate::post::{Cell, Column, PostRow, Posts};

/// Keys and headings of the figures, in order.
const COLUMNS: [(&str, &str); 9] = [
    ("engagements", "Engagements"),
    ("reactions", "Reactions"),
    ("comments", "Comments"),
    ("shares", "Shares"),
    ("clicks", "Clicks"),
    ("impressions", "Impressions"),
    ("reach", "Reach"),
    ("conversions", "Conversions"),
    ("revenue", "Revenue"),
];

/// Asks the domain and words the answer.
pub(super) async fn posts(ctx: &TenantContext, pairs: &[(String, String)]) -> Result<Posts, Error> {
    let parsed = PageFilter::parse(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
        .and_then(|filter| Ok((filter, cursor(pairs)?)));
    let (filter, after) = match parsed {
        Ok(parsed) => parsed,
        Err(Error::Invalid(errors)) => return refused(ctx, pairs, errors).await,
        Err(other) => return Err(other),
    };
    let teams = team::choices(ctx).await?;
    let narrowed = match team::narrow(ctx, &teams, &filter.teams) {
        Ok(narrowed) => narrowed,
        Err(Error::Invalid(errors)) => return refused(ctx, pairs, errors).await,
        Err(other) => return Err(other),
    };
    let ctx = &narrowed.ctx;
    let period = filter.period(ctx.today(), ctx.tenant().week_start)?;
    let query = Query { period, filter: crate::dashboard::domain_filter(&filter), metric: filter.metric, after };
    let listing = match post::list(ctx, &query).await {
        Ok(listing) => listing,
        Err(Error::Invalid(errors)) => return refused(ctx, pairs, errors).await,
        Err(other) => return Err(other),
    };
    let shown_posts: Vec<PostId> = listing.posts.iter().map(|post| post.id).collect();
    let deliveries = post::deliveries(ctx, &shown_posts).await?;
    let delivery = |id: PostId| {
        let found = deliveries.iter().find(|(post, _)| *post == id);
        found.map(|(_, delivery)| format!("/t/{}/deliveries/{delivery}", ctx.tenant().slug))
    };
    let format = Format::of(ctx.tenant()).with_times_in(narrowed.zone);
    let path = format!("/t/{}/posts", ctx.tenant().slug);
    let first = filter.link(&path);
    let separator = if first.contains('?') { '&' } else { '?' };
    let basis = match listing.basis {
        Basis::Lifetime => "totals to date of posts published in the period",
        Basis::Period if filter.metric == Some(Kpi::Published) => {
            "posts published in the period, with what they gained in it"
        }
        Basis::Period => "what posts gained in the period",
    };
    let shown = listing.posts.len();
    let totals = cells(&format, &listing.totals);
    // A column in which every post is missing says nothing; its name does.
    let (kept, left_out): (Vec<usize>, Vec<usize>) =
        (0..COLUMNS.len()).partition(|index| *index == 0 || !totals[*index].exact.is_empty());
    let keep = |cells: Vec<Cell>| -> Vec<Cell> { kept.iter().map(|index| cells[*index].clone()).collect() };
    let names: Vec<&str> = left_out.iter().map(|index| COLUMNS[*index].1).collect();
    Ok(Posts {
        note: (!names.is_empty() && listing.count > 0)
            .then(|| format!("None of these posts reports: {}.", names.join(", ").to_lowercase())),
        subtitle: format!("{} · {} · {basis}", format.period(period), crate::dashboard::zones(&narrowed)),
        filter: crate::dashboard::filter_view(ctx, pairs, &filter, &listing.accounts, &listing.campaigns, &teams),
        errors: Vec::new(),
        columns: kept
            .iter()
            .map(|index| Column { key: COLUMNS[*index].0.into(), label: COLUMNS[*index].1.into() })
            .collect(),
        summary: if after.is_none() && listing.next.is_none() {
            format!("{} posts", format.count(listing.count))
        } else {
            format!("{} of {} posts", shown, format.count(listing.count))
        },
        totals: keep(totals),
        rows: listing
            .posts
            .into_iter()
            .map(|post| PostRow { delivery: delivery(post.id), ..row(&format, post) })
            .map(|row| PostRow { cells: keep(row.cells), ..row })
            .collect(),
        next: listing.next.map(|next| format!("{first}{separator}after={}", written(next))),
        first: after.map(|_| first.clone()),
        dashboard: PageFilter { metric: None, ..filter }.link(&format!("/t/{}/dashboard", ctx.tenant().slug)),
        is_refused: false,
    })
}

async fn refused(ctx: &TenantContext, pairs: &[(String, String)], errors: Vec<FieldError>) -> Result<Posts, Error> {
    crate::request::set_status(422);
    let accounts = rtv_domain::account::list(ctx).await?;
    let campaigns = rtv_domain::campaign::list(ctx).await?;
    let teams = team::choices(ctx).await?;
    Ok(Posts {
        subtitle: "The filters below were not applied.".into(),
        filter: crate::dashboard::filter_view(ctx, pairs, &PageFilter::default(), &accounts, &campaigns, &teams),
        errors: errors.into_iter().map(|error| (error.field, error.message)).collect(),
        columns: Vec::new(),
        note: None,
        rows: Vec::new(),
        totals: Vec::new(),
        summary: String::new(),
        first: None,
        next: None,
        dashboard: format!("/t/{}/dashboard", ctx.tenant().slug),
        is_refused: true,
    })
}

/// A cursor as the page writes it: `2018-06-01_2018-06-01T10:00:00Z_post_…`, with `month` in place of an unknown time.
fn written(cursor: Cursor) -> String {
    let time = cursor.published_at.map_or_else(|| "month".into(), |at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true));
    format!("{}_{time}_{}", cursor.day, cursor.id)
}

/// What [`written`] wrote.
fn cursor(pairs: &[(String, String)]) -> Result<Option<Cursor>, Error> {
    let Some((_, text)) = pairs.iter().find(|(name, value)| name == "after" && !value.is_empty()) else {
        return Ok(None);
    };
    let mut parts = text.splitn(3, '_');
    let mut parse = || {
        let day = parts.next()?.parse().ok()?;
        let published_at = match parts.next()? {
            "month" => None,
            time => Some(time.parse::<DateTime<Utc>>().ok()?),
        };
        Some(Cursor { day, published_at, id: parts.next()?.parse::<PostId>().ok()? })
    };
    let parsed = parse();
    parsed.map(Some).ok_or_else(|| Error::invalid("after", "follow the links below the table to turn pages."))
}

fn row(format: &Format, post: Post) -> PostRow {
    let title = post.body.filter(|body| !body.trim().is_empty()).unwrap_or_else(|| post.external_id.clone());
    PostRow {
        id: post.id.to_string(),
        published: post.published_at.map_or_else(|| format.month(post.first_day), |at| format.clock(at)),
        title: title.chars().take(120).collect(),
        kind: post.kind.unwrap_or_else(|| MISSING.into()),
        account: format!("{} · {}", post.account_name, post.platform.label()),
        delivery: None,
        cells: cells(format, &post.figures),
    }
}

fn cells(format: &Format, figures: &Figures) -> Vec<Cell> {
    let count = |value: Option<i64>| cell(format, Unit::Count, value.map(Decimal::from));
    vec![
        count(figures.engagements),
        count(figures.reactions),
        count(figures.comments),
        count(figures.shares),
        count(figures.clicks),
        count(figures.impressions),
        count(figures.reach),
        count(figures.conversions),
        cell(format, Unit::Money, figures.revenue),
    ]
}

fn cell(format: &Format, unit: Unit, value: Option<Decimal>) -> Cell {
    Cell {
        text: value.map_or_else(|| MISSING.into(), |value| format.exact(unit, value)),
        exact: value.map(machine).unwrap_or_default(),
    }
}
